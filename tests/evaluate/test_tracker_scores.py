"""The script that measures the tracker over many seeds: names of sets, medians, ratios, and one real run."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "tracker_scores.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("tracker_scores", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["tracker_scores"] = module
    spec.loader.exec_module(module)
    return module


def test_a_kind_of_set_says_where_it_lies_and_what_it_is_scored_at(script) -> None:
    plain, passive = script.kind_of("10/50/60"), script.kind_of("4/0/60/--variant=passive")
    assert plain.folder(Path("w"), 11) == Path("w/d_10_50_11_60")
    assert passive.folder(Path("w"), 3) == Path("w/d_4_0_3_60_variant-passive")
    assert (plain.reference, plain.cutoff_m) == ("radar-1", "100")
    assert (passive.reference, passive.cutoff_m) == ("df-1", "500")


def test_medians_ranges_and_ratios_run_by_run(script) -> None:
    runs = [
        {"gospa": 50.0, "switches": 1, "in_order": 40.0, "stone_soup": {"gospa": 100.0, "switches": 3}},
        {"gospa": 60.0, "switches": 0, "in_order": 60.0, "stone_soup": {"gospa": 80.0, "switches": 2}},
        {"gospa": 70.0, "switches": 0},
    ]
    figures = script._summary(runs)
    assert figures["gospa"] == [60.0, 50.0, 70.0]
    assert figures["switches"] == [0, 0, 1]
    assert figures["gospa/in_order"] == [1.125, 1.0, 1.25]
    assert figures["gospa/stone_soup"] == [0.625, 0.5, 0.75]
    assert figures["stone_soup switches"] == [2.5, 2, 3]
    assert "gospa/unturned" not in figures
    assert "rmse" not in figures


def test_late_plots_put_in_order_lose_their_time_of_arrival(script, tmp_path: Path) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    for name in ("site.json", "sensors.json", "truth.jsonl"):
        (folder / name).write_text(name)
    lines = [{"time": 2.0, "received": 2.1}, {"time": 1.0, "received": 3.0}]
    (folder / "detections.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    other = script._in_order(folder)
    assert other != folder
    assert [json.loads(line) for line in (other / "detections.jsonl").read_text().splitlines()] == [
        {"time": 1.0}, {"time": 2.0},
    ]  # fmt: skip
    assert (other / "truth.jsonl").read_text() == "truth.jsonl"


@pytest.mark.field
def test_a_set_is_made_tracked_and_scored(field_data: Path, tmp_path: Path) -> None:
    tool = field_data.parent / "bench" / "tracker_bench.py"
    if not tool.exists():
        pytest.skip(f"no shared benchmark tool at {tool}")
    done = subprocess.run(
        [
            sys.executable, str(SCRIPT), "--tool", str(tool), "--seeds", "5", "6", "--kinds",
            "3/3/9/--variant=late", "--", str(tmp_path),
        ],
        capture_output=True, text=True, check=False, env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (figures,) = json.loads(done.stdout).values()
    assert figures["runs"] == 2
    assert 0.0 < figures["gospa"][0] < 300.0
    assert figures["gospa/in_order"][0] > 0.5
