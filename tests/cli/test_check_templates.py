"""`vedette check-templates`, and what check-config and doctor say of packs of words."""

import json
from importlib import resources
from pathlib import Path

SHIPPED = resources.files("vedette.warn") / "templates"


def english(version: int, radio: str) -> str:
    """Our pack with another version, and other words for the one thing that a demo's drone is known by."""
    text = (SHIPPED / "en.toml").read_text(encoding="utf-8")
    assert "version = 2\n" in text
    assert 'broadcast = "its own radio only"' in text
    return text.replace("version = 2\n", f"version = {version}\n").replace("its own radio only", radio)


def test_what_comes_with_vedette_is_good_and_not_reviewed(command) -> None:
    said = command("check-templates")
    assert said.code == 0
    lines = said.out.decode().splitlines()
    assert [line for line in lines if "good" in line] == [
        "en.toml: good. en version 2.",
        "es.toml: good. es version 2.",
    ]
    assert sum(line.startswith("note ") for line in lines) == 2


def test_a_fault_names_file_line_key_and_remedy(command, tmp_path: Path) -> None:
    file = tmp_path / "en.toml"
    file.write_text(english(100, "a safe radio"), encoding="utf-8")
    said = command("check-templates", file)
    assert said.code == 65
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "a safe radio" in text)
    assert f"fault en.toml, line {line}: sensor.broadcast: 'safe' may be in no text -> " in said.out.decode()
    assert "NOT GOOD, 1 fault: it would not load." in said.out.decode()
    told = [json.loads(one) for one in command("check-templates", "--json", file).out.splitlines()]
    assert (told[0]["line"], told[0]["key"], "note" in told[0]) == (line, "sensor.broadcast", False)
    assert told[-1]["note"] is True


def test_what_cannot_be_read_is_a_wrong_command_line(command, tmp_path: Path) -> None:
    said = command("check-templates", tmp_path / "nothing.toml")
    assert said.code == 64
    assert "cannot be read" in said.one_line()


def test_several_files_are_judged_each(command, tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text(english(100, "radio"), encoding="utf-8")
    (tmp_path / "es.toml").write_bytes(b"version = [")
    said = command("check-templates", tmp_path / "en.toml", tmp_path / "es.toml")
    assert said.code == 65
    assert "en.toml: good. en version 100." in said.out.decode()
    assert "es.toml: NOT GOOD, 1 fault" in said.out.decode()


def test_check_config_and_doctor_tell_of_a_spoilt_pack(command, tmp_path: Path) -> None:
    config = site(tmp_path)
    (tmp_path / "packs" / "en.toml").write_text(english(2, "radio"), encoding="utf-8")
    said = command("check-config", config)
    assert said.code == 64
    assert "en.toml, line 3: version: version 2 is one of Vedette's own" in said.one_line()
    said = command("doctor", "--config", config, "--listen", "0", "--json")
    found = [json.loads(line) for line in said.out.splitlines()]
    (wording,) = [one for one in found if one["check"] == "wording"]
    assert (wording["verdict"], said.code) == ("bad", 1)
    (tmp_path / "packs" / "en.toml").unlink()
    said = command("doctor", "--config", config, "--listen", "0", "--json")
    (wording,) = [one for one in map(json.loads, said.out.splitlines()) if one["check"] == "wording"]
    assert wording["verdict"] == "warning"
    assert "nobody has reviewed: en, es" in wording["found"]


def site(tmp_path: Path) -> Path:
    (tmp_path / "packs").mkdir()
    file = tmp_path / "vedette.toml"
    file.write_text(
        '[wording]\nfolder = "packs"\n[console]\nlisten = ""\n[site]\nname = "Dry Wash"\nlat_deg = 31.445\n'
        'lon_deg = -110.905\nalt_m = 1150.0\nalt_datum = "wgs84-ellipsoid"\n',
        encoding="utf-8",
    )
    return file
