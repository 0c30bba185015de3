"""``vedette team``: a team's file and its members' keys."""

import json
from pathlib import Path

import pytest

from vedette.cli.main import run_command
from vedette.station.peers._lora_team import read_team
from vedette.wire.lora import Header, Sealer, alert_key

MEMBERS = ["--member", 'UNIT "A"', "--member", "LEAD", "--gateway", "LEAD"]


def test_a_new_team_is_one_that_the_station_reads(tmp_path: Path) -> None:
    file = tmp_path / "alpha.toml"
    assert run_command(["team", "new", str(file), "--name", "alpha", *MEMBERS, "--channel", "2"]) == 0
    assert file.stat().st_mode & 0o777 == 0o600
    team = read_team(file)
    assert team.numbers == {'UNIT "A"': 1, "LEAD": 2}
    assert [member.unit for member in team.member if member.gateway] == ["LEAD"]
    assert (team.team, team.channel, team.key[0].id) == ("alpha", 2, 1)


def test_every_team_has_a_key_of_its_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert run_command(["team", "new", str(tmp_path / name), "--name", name, *MEMBERS]) == 0
    assert read_team(tmp_path / "a").key != read_team(tmp_path / "b").key


def test_a_file_that_is_there_stays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "alpha.toml"
    run_command(["team", "new", str(file), "--name", "alpha", *MEMBERS])
    before = file.read_text()
    assert run_command(["team", "new", str(file), "--name", "other", *MEMBERS]) == 64
    assert file.read_text() == before
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [["--member", "A", "--member", "A"], ["--member", "A", "--gateway", "B"], ["--member", " "]]
)
def test_a_team_that_cannot_be_is_not_written(tmp_path: Path, wrong: list[str]) -> None:
    file = tmp_path / "alpha.toml"
    assert run_command(["team", "new", str(file), "--name", "alpha", *wrong]) == 64
    assert not file.exists()


def test_the_keys_of_a_device_open_what_the_station_seals(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    file = tmp_path / "alpha.toml"
    run_command(["team", "new", str(file), "--name", "alpha", *MEMBERS])
    told = {}
    for number in (1, 2):
        capfdbinary.readouterr()
        assert run_command(["team", "keys", str(file), "--member", str(number)]) == 0
        told[number] = json.loads(capfdbinary.readouterr().out)
    assert set(told[1]) == {"team", "member", "key_id", "alert"}
    assert set(told[2]) == {"team", "member", "key_id", "alert", "gateway"}
    secret = bytes.fromhex(read_team(file).key[0].secret)
    assert bytes.fromhex(told[1]["alert"]) == alert_key(secret)
    header = Header(purpose="live", key_id=1, sender=0, counter=1)
    frame = read_team(file).sealer().seal(header, b"danger")
    assert Sealer(bytes.fromhex(told[1]["alert"])).open(header, frame) == b"danger"


def test_who_is_no_member_gets_no_key(tmp_path: Path) -> None:
    file = tmp_path / "alpha.toml"
    run_command(["team", "new", str(file), "--name", "alpha", *MEMBERS])
    assert run_command(["team", "keys", str(file), "--member", "9"]) == 64
