"""``vedette evaluate`` from the command line: figures, files, stories, comparison, and plain refusals."""

import json
from pathlib import Path

import pytest

from vedette.cli.main import run_command

ONE = ["evaluate", "--collection", "gate", "--mix", "tracker-feed"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of a small campaign."""
    folder = tmp_path_factory.mktemp("evaluate")
    files = ["--json", str(folder / "a.json"), "--report", str(folder / "a.html")]
    assert run_command([*ONE, "--count", "4", *files, "--keep", str(folder / "kept.jsonl")]) == 0
    return folder


def test_figures_go_to_stdout_and_all_of_it_into_the_files(
    run: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run_command([*ONE, "--count", "4", "--keep", str(run / "kept.jsonl")]) == 0
    figures = json.loads(capsysbinary.readouterr().out)
    for name in ("missed_share", "lead_p10_s", "lead_p50_s", "false_alerts_per_hour"):
        assert name in figures
    whole = json.loads((run / "a.json").read_bytes())
    assert len(whole["results"]) == 4
    assert figures["figures"] == whole["figures"]
    assert figures["results"] == []
    html = (run / "a.html").read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>")
    assert "tracker-feed" in html


def test_two_workers_write_the_same_bytes(run: Path, tmp_path: Path) -> None:
    other = tmp_path / "b.json"
    assert run_command([*ONE, "--count", "4", "--workers", "2", "--json", str(other)]) == 0
    assert other.read_bytes() == (run / "a.json").read_bytes()


def test_one_encounter_is_told_step_by_step(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    assert run_command([*ONE, "--item", "1", "--explain"]) == 0
    told = capsysbinary.readouterr()
    story = json.loads(told.out)
    assert story["result"]["item"]["index"] == 1
    assert b"tracker-feed: reported it" in told.err
    for decision in story["decisions"]:
        assert f"risk {decision['risk']:.1%}".encode() in told.err


def test_two_results_side_by_side(
    run: Path, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    page = tmp_path / "both.html"
    files = [str(run / "a.json"), str(run / "a.json")]
    assert run_command(["evaluate", "--compare", *files, "--report", str(page)]) == 0
    found = json.loads(capsysbinary.readouterr().out)
    assert found["hostile"] + found["benign"] == 4
    assert all(one["change"] == 0.0 for one in found["differences"])
    assert "side by side" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--collection", "nothing"], 64, "nothing"),
        (["--mix", "no-such-mix"], 64, "no sensor mix 'no-such-mix'"),
        (["--trouble", "rain"], 64, "--trouble rain: there are none, sensor-lost"),
        (["--explain"], 64, "say which with --item"),
        (["--compare", "absent.json", "absent.json"], 65, "absent.json: cannot be read"),
        (["--backend", "cloud"], 64, "there are 'processes' and 'ray'"),
        (["--collection", "real-tracks"], 64, "--real-tracks"),
        (["--terrain", "absent.tif"], 65, "absent.tif"),
    ],
)
def test_refusals_say_what_to_do(
    arguments: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["evaluate", "--count", "1", *arguments]) == code
    assert words in capsys.readouterr().err


def test_a_comparison_refuses_other_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "x.json"
    other.write_text("{}")
    assert run_command(["evaluate", "--compare", str(other), str(other)]) == 65
    assert "no result of 'vedette evaluate --json'" in capsys.readouterr().err
