"""The score is that of the papers, and that of the shared tool where it is there."""

import argparse
import importlib.util
import itertools
import json
import math
import random
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linear_sum_assignment
from scipy.stats import chi2

from vedette.cli.main import run_command
from vedette.evaluate.accuracy import Nees, Pairing, accuracy, gospa, nees, position_covariance
from vedette.evaluate.assignment import assign
from vedette.evaluate.bench_accuracy import bench_accuracy, score_case, tracked_frames
from vedette.evaluate.consistency import band, chi_square, consistency
from vedette.evaluate.drive import read_case
from vedette.evaluate.truth import Path3, Present, Truth, read_truth
from vedette.model import ConfigError, Frame, InputError, Track

UNIT = tuple(np.eye(6)[np.triu_indices(6)].tolist())


def track(name: str, *enu: float, covariance: tuple[float, ...] = UNIT) -> Track:
    return Track(
        id=name, enu_m=(enu[0], enu[1], enu[2]), velocity_mps=(0.0, 0.0, 0.0), covariance=covariance,
        existence=1.0, beliefs={},
    )  # fmt: skip


def present(**places: tuple[float, float, float]) -> Present:
    enu = np.array(list(places.values()), float).reshape(-1, 3)
    return Present(tuple(places), enu, np.zeros_like(enu))


def truth_of(scored: dict[float, Present]) -> Truth:
    return Truth(scored, {}, {})


# --- the assignment


@given(hnp.arrays(float, st.tuples(st.integers(0, 7), st.integers(0, 7)), elements=st.floats(-1e6, 1e6)))
@settings(deadline=None, max_examples=150)
def test_the_assignment_is_as_cheap_as_scipys(cost: np.ndarray) -> None:
    pairs = assign(cost)
    rows, columns = linear_sum_assignment(cost)
    assert len(pairs) == len(rows)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    mine = sum(cost[pair] for pair in pairs)
    assert mine == pytest.approx(cost[rows, columns].sum(), rel=1e-9, abs=1e-6)


def test_a_large_assignment_is_right_and_one_that_is_not_finite_is_refused() -> None:
    cost = np.random.default_rng(1).uniform(0.0, 100.0, (120, 150))
    rows, columns = linear_sum_assignment(cost)
    assert assign(cost) == list(zip(rows.tolist(), columns.tolist(), strict=True))
    with pytest.raises(ValueError, match="finite"):
        assign(np.array([[math.nan]]))


# --- GOSPA


def by_every_assignment(truth: np.ndarray, tracks: np.ndarray, c: float) -> float:
    """The definition: the least over all ways to pair some of one with some of the other."""
    best = math.inf
    for number in range(min(len(truth), len(tracks)) + 1):
        for some in itertools.combinations(range(len(truth)), number):
            for other in itertools.permutations(range(len(tracks)), number):
                square = sum(
                    min(float(np.linalg.norm(truth[i] - tracks[j])), c) ** 2
                    for i, j in zip(some, other, strict=True)
                )
                best = min(best, square + c * c / 2 * (len(truth) + len(tracks) - 2 * number))
    return math.sqrt(best)


PLACES = st.integers(0, 4).flatmap(lambda n: hnp.arrays(float, (n, 3), elements=st.floats(-120.0, 120.0)))


@given(PLACES, PLACES)
@settings(deadline=None, max_examples=80)
def test_gospa_is_what_its_definition_says(truth: np.ndarray, tracks: np.ndarray) -> None:
    found = gospa(truth, tracks, 100.0)
    assert found.value == pytest.approx(by_every_assignment(truth, tracks, 100.0), abs=1e-6)
    assert found.value == pytest.approx(gospa(tracks, truth, 100.0).value, abs=1e-9)
    assert found.missed == len(truth) - len(found.pairs)
    assert found.false == len(tracks) - len(found.pairs)


def test_one_missed_body_and_one_false_track_cost_half_a_cut_off_each() -> None:
    near, far = np.array([[0.0, 0.0, 0.0]]), np.array([[500.0, 0.0, 0.0]])
    assert gospa(near, far, 100.0).value == pytest.approx(100.0)
    assert gospa(near, far[:0], 100.0).value == pytest.approx(math.sqrt(5000.0))
    assert gospa(near, near + 3.0, 100.0).value == pytest.approx(math.sqrt(27.0))


# --- identity and delay


def test_a_pair_is_kept_while_it_is_near_though_another_track_is_nearer() -> None:
    pairing = Pairing(100.0)
    pairing.take(0.0, present(a=(0, 0, 0)), (track("T1", 10, 0, 0),))
    pairs = pairing.take(1.0, present(a=(0, 0, 0)), (track("T2", 1, 0, 0), track("T1", 60, 0, 0)))
    assert pairs == {"a": 1}
    assert pairing.switches == 0
    pairing.take(2.0, present(a=(0, 0, 0)), (track("T2", 1, 0, 0), track("T1", 160, 0, 0)))
    assert pairing.switches == 1


def test_the_figures_of_a_case_told_by_hand() -> None:
    body, other = (0.0, 0.0, 0.0), (1000.0, 0.0, 0.0)
    scored = {float(t): present(a=body, b=other) for t in range(8)}
    frames = [Frame(time=float(t), tracks=(track("T1", 3, 0, 0),) if t >= 2 else ()) for t in range(7)]
    frames[6] = Frame(time=6.0, tracks=(track("T9", 4, 0, 0), track("T3", 0, 900, 0)))
    figures = accuracy(frames, truth_of(scored))
    assert figures.scans == 3
    assert figures.frames_missing == 1
    assert figures.gospa_m == pytest.approx(
        (math.sqrt(9 + 5000) + math.sqrt(16 + 10000) + math.sqrt(10000)) / 3
    )
    assert (figures.missed, figures.false) == (pytest.approx(4 / 3), pytest.approx(1 / 3))
    assert (figures.switches, figures.never, figures.latency_s) == (1, 1, 2.0)
    assert figures.completeness == pytest.approx(2 / 6)
    assert figures.spurious == pytest.approx(1 / 3)
    assert figures.rmse_m == pytest.approx(math.sqrt((9 + 16) / 2))


# --- consistency


def test_nees_is_the_error_in_sigmas_of_the_stated_covariance() -> None:
    full = np.diag([4.0, 9.0, 16.0, 1.0, 1.0, 1.0])
    full[0, 1] = full[1, 0] = 3.0
    one = track("T1", 1, 2, 3, covariance=tuple(full[np.triu_indices(6)].tolist()))
    assert (position_covariance(one) == full[:3, :3]).all()
    (found,) = nees([Frame(time=0.0, tracks=(one,))], truth_of({0.0: present(a=(0, 0, 0))}))
    error = np.array([1.0, 2.0, 3.0])
    assert found == Nees(0.0, "a", pytest.approx(error @ np.linalg.inv(full[:3, :3]) @ error))


@pytest.mark.parametrize("degrees", [12, 30, 60, 600, 6000])
@pytest.mark.parametrize("probability", [0.025, 0.5, 0.975])
def test_the_quantiles_are_those_of_scipy(degrees: int, probability: float) -> None:
    near = 1e-2 if degrees < 30 else 2e-3
    assert chi_square(probability, degrees) == pytest.approx(chi2.ppf(probability, degrees), rel=near)
    assert band(20) == pytest.approx((chi2.ppf(0.025, 60) / 20, chi2.ppf(0.975, 60) / 20), rel=2e-3)


@pytest.mark.parametrize(("scale", "side"), [(1.0, None), (2.0, "above"), (0.5, "below")])
def test_right_covariances_lie_in_the_band_95_times_of_100(scale: float, side: str | None) -> None:
    rng = random.Random(3)
    runs = [
        [
            Nees(float(t), f"d{body}", scale * sum(rng.gauss(0, 1) ** 2 for _ in range(3)))
            for t in range(60)
            for body in range(5)
        ]
        for _ in range(20)
    ]
    found = consistency(runs)
    assert found is not None
    assert (found.runs, found.pairs) == (20, 20 * 55 * 5)
    if side is None:
        assert 0.92 <= found.share <= 0.98
        assert found.share_pooled >= 0.85
        assert found.mean == pytest.approx(3.0, abs=0.05)
    else:
        assert getattr(found, side) > 0.85
        assert found.share_pooled == 0.0


def test_one_run_says_nothing_of_consistency() -> None:
    assert consistency([[Nees(6.0, "a", 3.0)]]) is None
    assert consistency([]) is None


# --- truth


def test_a_way_is_followed_between_its_samples_and_a_second_beyond() -> None:
    way = Path3(
        np.array([0.0, 1.0, 2.0, 10.0]), np.array([[0, 0, 0], [10, 0, 0], [30, 0, 0], [0, 0, 0]], float)
    )
    assert way.at(0.5)[0].tolist() == [5, 0, 0]
    assert way.at(0.5)[1].tolist() == [10, 0, 0]
    assert way.at(1.0)[1].tolist() == [15, 0, 0]
    assert way.at(-0.5)[0].tolist() == [-5, 0, 0]
    assert way.at(-1.5) is None
    assert way.at(5.0) is None
    assert way.at(10.0)[0].tolist() == [0, 0, 0]
    assert way.at(11.5) is None


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('{"time":1,"id":"a"}', "line 1"),
        ('{"time":1,"id":"a","enu_m":[1,2,1e999]}', "line 1"),
        ("", "at least one"),
        ('{"time":1,"id":"a","enu_m":[1,2,3]}\n{"time":1,"id":"a","enu_m":[1,2,3]}', "twice"),
    ],
)
def test_a_truth_that_cannot_be_is_an_input_error(case_folder: Path, line: str, what: str) -> None:
    (case_folder / "truth.jsonl").write_text(line)
    with pytest.raises(InputError, match=what):
        read_truth(case_folder, read_case(case_folder))


def test_a_case_without_truth_or_sensors_says_so(case_folder: Path) -> None:
    (case_folder / "truth.jsonl").unlink()
    with pytest.raises(InputError, match=r"truth\.jsonl"):
        score_case(case_folder)
    (case_folder / "sensors.json").unlink()
    with pytest.raises(ConfigError, match=r"sensors\.json"):
        score_case(case_folder)


# --- whole cases


def test_four_cases_give_medians_ranges_and_consistency(case_folder: Path) -> None:
    figures = bench_accuracy([case_folder] * 4)
    assert figures["cases"] == 4
    assert figures["ours"]["gospa_m"][0] == figures["each"][0]["ours"]["gospa_m"]
    assert figures["ours"]["completeness"][0] > 0.8
    assert figures["perfect"]["false"][2] == 0.0
    assert figures["ratio"][0] >= 0.9
    assert figures["nees"]["runs"] == 4
    json.dumps(figures)
    bare = bench_accuracy([case_folder], told=False)
    assert "perfect" not in bare
    assert bare["nees"] is None


def test_the_command_prints_one_object_and_names_what_is_wrong(case_folder: Path, capsys) -> None:
    assert run_command(["bench", "accuracy", str(case_folder), "--no-told", "--cutoff", "50"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["cases"] == 1
    assert figures["each"][0]["perfect"] is None
    (case_folder / "truth.jsonl").unlink()
    assert run_command(["bench", "accuracy", str(case_folder)]) == 65
    assert "truth.jsonl" in capsys.readouterr().err


@pytest.mark.field
def test_the_score_is_that_of_the_shared_tool(field_data: Path, tmp_path: Path) -> None:
    source = field_data.parent / "bench" / "tracker_bench.py"
    if not source.exists():
        pytest.skip(f"no shared benchmark tool at {source}")
    spec = importlib.util.spec_from_file_location("shared_tracker_bench", source)
    tool = importlib.util.module_from_spec(spec)
    sys.modules["shared_tracker_bench"] = tool
    spec.loader.exec_module(tool)
    tool.make(
        argparse.Namespace(
            dir=tmp_path, n=8, clutter=10.0, seed=5, secs=15, pd=0.9, radar_only=False, variant="plain"
        )
    )
    case = read_case(tmp_path)
    frames, truth = tracked_frames(case), read_truth(tmp_path, case)
    theirs = [
        tool.Frame(
            tool.rel(f.time), [t.id for t in f.tracks], np.array([t.enu_m for t in f.tracks]).reshape(-1, 3)
        )
        for f in frames
    ]
    ours = accuracy(frames, truth)
    score = tool.score(theirs, tool.read_set(tmp_path))
    assert round(ours.gospa_m, 2) == score["gospa"]
    assert round(ours.rmse_m, 2) == score["rmse"]
    assert round(ours.latency_s, 2) == score["mean_latency_s"]
    for name in ("completeness", "spurious"):
        assert round(getattr(ours, name), 4) == score[name]
    for name in ("switches", "never", "frames_missing"):
        assert getattr(ours, name) == score[name]
