"""Every command answers a wrong command line, configuration or folder with its code and one line."""

import json
from pathlib import Path

import pytest

COMMANDS = (
    "run",
    "decode",
    "track",
    "assess",
    "simulate",
    "replay",
    "verify",
    "check-config",
    "doctor",
    "bench",
)


@pytest.mark.parametrize("name", COMMANDS)
def test_unknown_option_is_a_usage_error(command, name: str) -> None:
    said = command(name, "--no-such-option")
    assert said.code == 64
    assert "--no-such-option" in said.one_line()
    assert said.out == b""


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ((), ""),
        (("bench",), ""),
        (("no-such-command",), "no-such-command"),
        (("decode",), "sources"),
        (("track",), "folder"),
        (("assess",), "folder"),
        (("simulate", "desert-run"), "--output"),
        (("replay",), "log"),
        (("verify",), "log"),
        (("check-config",), "config"),
        (("bench", "no-such-bench"), "no-such-bench"),
        (("bench", "log", "--events", "0"), "--events"),
        (("bench", "log", "--events", "many"), "--events"),
        (("bench", "decode", "--frames", "0"), "--frames"),
        (("bench", "decode", "--format", "xyz"), "xyz"),
        (("bench", "latency", "--seconds", "0"), "duration"),
        (("bench", "latency", "--tracks", "-1"), "counts"),
        (("run", "--speed", "0"), "clock.speed"),
        (("run", "--speed", "nan"), "clock.speed"),
        (("run", "--speed", "inf"), "clock.speed"),
        (("run", "--listen", "0.0.0.0:80"), "not this machine"),
        (("run", "--listen", "here"), "HOST:PORT"),
        (("run", "--demo", "no-such-demo"), "no-such-demo"),
        (("run", "--demo", "missing.toml"), "missing.toml"),
        (("run", "--config", "missing.toml"), "missing.toml"),
        (("doctor", "--config", "missing.toml"), "missing.toml"),
        (("check-config", "missing.toml"), "missing.toml"),
        (("simulate", "no-such-scenario", "-o", "out"), "desert-run"),
        (("simulate", "desert-run", "-o", "out", "--start", "nan"), "nan"),
        (("simulate", "desert-run", "-o", "out", "--start", "-5"), "-5"),
        (("track", "missing"), "missing"),
        (("assess", "missing"), "missing"),
    ],
)
def test_wrong_usage(command, tmp_path: Path, monkeypatch, arguments: tuple[str, ...], names: str) -> None:
    monkeypatch.chdir(tmp_path)
    said = command(*arguments)
    assert said.code == 64, said
    if names:
        assert names in said.one_line()
        assert said.out == b""
    else:
        assert b"Usage" in said.out
        assert said.err == ""
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("decode", "missing.pcap"), "missing.pcap: cannot be read"),
        (("decode", "."), "Is a directory"),
        (("verify", "missing.log"), "missing.log"),
        (("replay", "missing.log"), "missing.log"),
        (("verify", "."), "not a file"),
        (("replay", "."), "not a file"),
    ],
)
def test_missing_input(command, tmp_path: Path, monkeypatch, arguments: tuple[str, ...], names: str) -> None:
    monkeypatch.chdir(tmp_path)
    said = command(*arguments)
    assert said.code == 65
    assert names in said.one_line()
    assert said.out == b""


def test_help_of_every_command(command) -> None:
    for name in COMMANDS:
        said = command(name, "-h")
        assert (said.code, said.err) == (0, "")
        assert f"vedette {name}".encode() in said.out


GOOD = """\
state = "state"

[site]
name = "Outpost"
lat_deg = 31.45
lon_deg = -110.9
alt_m = 1150.0
alt_datum = "wgs84-ellipsoid"

[console]
listen = ""

[[feed]]
name = "receiver"
url = "odid+udp://127.0.0.1:4100?link=127"
"""
URL = "odid+udp://127.0.0.1:4100?link=127"


def test_a_good_configuration(command, tmp_path: Path) -> None:
    path = tmp_path / "vedette.toml"
    path.write_text(GOOD)
    said = command("check-config", path)
    assert (said.code, said.out) == (0, b"")
    assert "good" in said.err
    assert "'Outpost', 1 feed." in said.err


@pytest.mark.parametrize("name", ["check-config", "doctor", "run"])
@pytest.mark.parametrize(
    ("text", "names"),
    [
        (GOOD.replace("lat_deg = 31.45", "lat_deg = nan"), "line 5: site.lat_deg: nan"),
        (GOOD.replace("lat_deg = 31.45", "lat_deg = 91.0"), "line 5: site.lat_deg"),
        (GOOD.replace("lat_deg", "latitude"), "line 5: site.latitude"),
        (GOOD.replace("[console]", "[konsole]"), "line 10: konsole"),
        (GOOD.replace('name = "receiver"', 'name = ""'), "empty name"),
        ("[site", "not valid TOML"),
        ("", "site"),
        ("\0", "not valid TOML"),
    ],
)
def test_a_bad_configuration_names_its_place(
    command, tmp_path: Path, name: str, text: str, names: str
) -> None:
    path = tmp_path / "vedette.toml"
    path.write_text(text)
    said = command(*([name, path] if name == "check-config" else [name, "--config", path]))
    assert said.code == 64
    assert names in said.one_line()
    assert said.out == b""


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("odid+udp://127.0.0.1:99999", "not odid+udp://HOST:PORT"),
        ("odid+udp://127.0.0.1", "not odid+udp://HOST:PORT"),
        ("odid+udp://[::1:4100", "not odid+udp://HOST:PORT"),
        ("odid+udp://127.0.0.1:4100?link=1", "link=1"),
        ("odid+udp://127.0.0.1:4100?link=", "link="),
        ("odid+udp://127.0.0.1:4100?lnk=127", "unknown lnk"),
        ("odid+pcap:", "needs a file"),
        ("sim:no-such-scenario", "desert-run"),
        ("sim:missing.toml", "missing.toml: cannot be read"),
        ("carrier-pigeon://coop", "'carrier-pigeon' is not known"),
        ("", "is not known"),
        ("cot+tls://tak.example:8089", "cafile"),
        ("cot+tcp://127.0.0.1:99999", "not an address"),
    ],
)
def test_a_bad_feed_names_itself(command, tmp_path: Path, url: str, names: str) -> None:
    path = tmp_path / "vedette.toml"
    path.write_text(GOOD.replace(URL, url))
    said = command("check-config", path)
    assert said.code == 64
    assert names in said.one_line()


def test_the_example_wants_its_certificates_and_nothing_else(command, tmp_path: Path) -> None:
    example = Path(__file__).resolve().parents[2] / "examples" / "vedette.toml"
    said = command("check-config", example)
    assert said.code == 64
    assert "certificates/ca.pem" in said.one_line()
    plain = example.read_text().replace("cot+tls://tak.example.org", "cot+tcp://127.0.0.1")
    (tmp_path / "vedette.toml").write_text(plain)
    said = command("check-config", tmp_path / "vedette.toml")
    assert said.code == 0, said.err
    assert "2 feeds" in said.err


@pytest.mark.parametrize(
    ("arguments", "figure"),
    [(("decode", "--frames", "500"), "frames_per_cpu_s"), (("log", "--events", "600"), "appends_per_s")],
)
def test_a_bench_gives_one_object_of_figures(command, arguments: tuple[str, ...], figure: str) -> None:
    said = command("bench", *arguments)
    assert said.code == 0, said.err
    (line,) = said.out.splitlines()
    assert json.loads(line)[figure] > 0.0
