"""``vedette simulate --encounters``: a folder that the other commands read, the same every time."""

import json
from pathlib import Path

import pytest


def _lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_encounters_are_written_and_assessed(command, tmp_path: Path) -> None:
    said = command("simulate", "--encounters", "training", "--first", 12, "--count", 2, "-o", tmp_path / "a")
    assert said.code == 0
    told = {row["file"]: row["records"] for row in map(json.loads, said.out.splitlines())}
    labels = _lines(tmp_path / "a" / "labels.jsonl")
    assert told == {name: len(_lines(tmp_path / "a" / name)) for name in told}
    assert [label["scene"] for label in labels] == ["training-00012", "training-00013"]
    threats = command("assess", tmp_path / "a")
    assert threats.code == 0
    rows = [json.loads(line) for line in threats.out.splitlines()]
    assert {row["unit"] for row in rows} & {label.get("target") for label in labels}


def test_encounters_are_the_same_every_time(command, tmp_path: Path) -> None:
    for name in ("a", "b"):
        command("simulate", "--encounters", "gate", "--first", "3", "-o", tmp_path / name)
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--encounters", "exam"), "there are the collections training, calibration, grading, gate"),
        (("--encounters", "gate", "--count", "0"), "at least one"),
        (("--encounters", "gate", "--first", "-1"), "numbered from 0 on"),
        (("hover-near", "--encounters", "gate"), "give one of the two"),
        ((), "give one of the two"),
    ],
)
def test_what_there_is_not_is_refused(command, tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    said = command("simulate", *arguments, "-o", tmp_path / "none")
    assert said.code == 64
    assert why in said.one_line()
    assert not (tmp_path / "none").exists()
