"""The fit of the risk model: its numbers against plain ones, and its promises."""

import json
import math
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.assess import FEATURES
from vedette.assess.features import NAMES
from vedette.assess.kernels.additive import each
from vedette.assess.model import read as read_model
from vedette.cli.main import run_command
from vedette.evaluate.fitting import additive, solve
from vedette.evaluate.fitting.additive import Additive
from vedette.evaluate.fitting.calibrate import line, reliability
from vedette.evaluate.fitting.draw import draw
from vedette.evaluate.fitting.drills import drills
from vedette.evaluate.fitting.encounters import Encounters, Outcome, read
from vedette.evaluate.fitting.fit import fit_pools, odds_of
from vedette.evaluate.fitting.flights import ATTACKS, OTHERS, Maker
from vedette.evaluate.fitting.measure import bar, leads, peaks, warned
from vedette.evaluate.fitting.model_file import risk_of
from vedette.evaluate.fitting.nameless import NEUTRAL, nameless
from vedette.evaluate.fitting.plan import Plan
from vedette.model.errors import ConfigError, InputError

FREE = solve.Smoothness(1e-5, 1e-5, 1e-6, (0, 0))


def _rows(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two columns, the second sometimes unknown, and outcomes of a known additive model of them."""
    generator = np.random.default_rng(seed)
    columns = generator.normal(0.0, 1.0, (count, 2)).astype(np.float32)
    odds = np.sin(columns[:, 0]) * 2.0 + columns[:, 0] * columns[:, 1]
    happened = (generator.random(count) < 1.0 / (1.0 + np.exp(-odds))).astype(np.float64)
    columns[generator.random(count) < 0.1, 1] = np.nan
    return columns, happened, np.full(count, 1.0 / count)


def _model(columns: np.ndarray, weights: np.ndarray, seed: int = 2) -> Additive:
    shape = additive.layout(columns, weights, [0, 1], [(0, 1)], 9, 6)
    nats = np.random.default_rng(seed).normal(0.0, 1.0, shape.size)
    return Additive(shape, nats, -0.3)


def test_the_odds_are_those_of_plain_interpolation() -> None:
    columns, _, weights = _rows(200)
    model = _model(columns, weights)
    for row, odds in zip(columns.astype(np.float64), model.odds(columns), strict=True):
        assert odds == pytest.approx(_plainly(model, row), abs=1e-5)


def _plainly(model: Additive, row: np.ndarray) -> float:
    total, shape = model.prior, model.layout
    for term in range(len(shape.first)):
        axes = [shape.axes[p] for p in (shape.first[term], shape.second[term]) if p >= 0]
        values = additive.grid(shape, term, model.nats)
        if any(np.isnan(row[axis.feature]) for axis in axes):
            total += model.nats[additive.unknown(shape, term)]
        elif len(axes) == 1:
            total += np.interp(row[axes[0].feature], axes[0].knots, values)
        else:
            across = [np.interp(row[axes[1].feature], axes[1].knots, line) for line in values]
            total += np.interp(row[axes[0].feature], axes[0].knots, across)
    return float(total)


def test_the_slope_is_that_of_small_steps() -> None:
    columns, happened, weights = _rows(300)
    model = _model(columns, weights)
    data = solve.Data(additive.places(model.layout, columns), happened, weights)
    smooth = FREE._replace(rising=(1, -1), differences=0.01, bends=0.02)
    x = np.append(model.nats, model.prior)
    _, slope = solve._objective(model.layout, x, data, smooth)
    for place in range(0, len(x), 7):
        step = np.zeros(len(x))
        step[place] = 1e-6
        above, _ = solve._objective(model.layout, x + step, data, smooth)
        below, _ = solve._objective(model.layout, x - step, data, smooth)
        assert slope[place] == pytest.approx((above - below) / 2e-6, abs=1e-6)


def test_the_fit_comes_near_the_model_that_made_the_data() -> None:
    columns, happened, weights = _rows(20_000)
    shape = additive.layout(columns, weights, [0, 1], [(0, 1)], 12, 8)
    data = solve.Data(additive.places(shape, columns), happened, weights)
    fitted = solve.fit(Additive(shape, np.zeros(shape.size), 0.0), data, FREE, 40)
    known = ~np.isnan(columns[:, 1])
    true = np.sin(columns[:, 0]) * 2.0 + columns[:, 0] * columns[:, 1]
    odds = fitted.odds(columns)
    assert np.sqrt(np.mean((odds - true)[known & (np.abs(true) < 3.0)] ** 2)) < 0.35


@pytest.mark.parametrize("sign", [1, -1])
def test_what_must_not_fall_does_not(sign: int) -> None:
    """Data that say the opposite in places do not get a dent."""
    columns, happened, weights = _rows(4000)
    smooth = FREE._replace(rising=(sign, 0))
    shape = additive.layout(columns, weights, [0, 1], [(0, 1)], 10, 6)
    data = solve.Data(additive.places(shape, columns), happened, weights)
    fitted = solve.fit(Additive(shape, np.zeros(shape.size), 0.0), data, smooth, 25)
    fitted = solve.straighten(fitted, smooth.rising)
    walk = np.stack([np.linspace(-4.0, 4.0, 200), np.full(200, 0.7)], axis=1).astype(np.float32)
    assert (sign * np.diff(fitted.odds(walk)) >= -1e-9).all()


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=60), st.integers(2, 12))
@settings(max_examples=60, deadline=None)
def test_knots_ascend_whatever_the_values(values: list[float], count: int) -> None:
    column = np.array(values, np.float32)
    found = additive.knots(column, np.ones(len(column)), count)
    assert 2 <= len(found) <= max(count, 2)
    assert (np.diff(found) > 0.0).all()


def test_a_column_of_which_nothing_is_known_has_knots_all_the_same() -> None:
    found = additive.knots(np.full(5, np.nan, np.float32), np.ones(5), 8)
    assert len(found) == 2


def test_the_calibration_finds_the_line_that_was_bent() -> None:
    generator = np.random.default_rng(3)
    scores = generator.normal(0.0, 2.0, 40_000)
    happened = generator.random(len(scores)) < solve.sigmoid(-1.0 + 0.5 * scores)
    found = line(scores, happened)
    assert found.slope == pytest.approx(0.5, abs=0.03)
    assert found.offset == pytest.approx(-1.0, abs=0.05)
    for one in reliability(found.offset + found.slope * scores, happened):
        assert one.said == pytest.approx(one.happened, abs=0.05)


def _encounters() -> Encounters:
    """One attack on the second of two units, impact at 100 s, and a benign scene of an hour."""
    outcomes = (
        Outcome("a", 0.0, 100.0, True, "direct-run", "two", 0.0, 100.0),
        Outcome("b", 700.0, 4299.0, False, "transit"),
    )
    time = np.array([80.0, 80.0, 85.0, 98.0, 700.0, 701.0])
    scene = np.array([0, 0, 0, 0, 1, 1])
    unit = np.array([0, 1, 1, 1, 0, 1])
    return Encounters("x", outcomes, ("f",), ("one", "two"), time, scene, unit, np.zeros((6, 1), np.float32))


def test_the_lead_is_that_of_the_targets_own_last_alert() -> None:
    scenes = _encounters()
    everything = np.ones(6, np.bool_)
    assert leads(scenes, everything).tolist() == [20.0]
    assert leads(scenes, everything & (scenes.unit == 0)).tolist() == [0.0]
    assert leads(scenes, everything & (scenes.time != 85.0)).tolist() == [2.0]  # A pause of 18 s.
    assert leads(scenes, everything & (scenes.time < 84.0)).tolist() == [0.0]  # Over 20 s before.


def test_a_bar_allows_so_many_false_scenes_an_hour() -> None:
    scenes = _encounters()
    odds = np.array([0.0, 3.0, 3.0, 3.0, 1.0, 2.0])
    assert peaks(scenes, odds).tolist() == [3.0, 2.0]
    assert bar(scenes, odds, 0.5) == 2.0
    assert bar(scenes, odds, 1.0) == -np.inf
    assert warned(scenes, odds, 2.0)[:4] == (0.0, 20.0, 20.0, 0.0)
    assert warned(scenes, odds, 1.0).false_per_hour == 1.0


def _folder(folder: Path, seed: int, scenes: int = 40) -> Path:
    """Scenes in which the target is the unit to which the feature ``closing_mps`` is great."""
    folder.mkdir()
    generator = np.random.default_rng(seed)
    names = [feature.name for feature in FEATURES]
    closing, distance = names.index("closing_mps"), names.index("range_m")
    labels, rows = [], []
    for place in range(scenes):
        hostile, t0 = place % 2 == 0, 1000.0 * place
        kind = "direct-run" if hostile else ("surveillance" if place % 4 == 1 else "transit")
        label = {"scene": f"S{place}", "t0": t0, "t1": t0 + 90.0, "hostile": hostile, "behaviour": kind}
        if kind != "transit":
            label |= {"target": "two", "onset_time": t0}
        if hostile:
            label["impact_time"] = t0 + 90.0
        labels.append(label)
        for second in range(90):
            for unit in range(2):
                row = generator.normal(0.0, 1.0, len(names)).astype(np.float32)
                row[closing] = generator.normal(20.0 if hostile and unit == 1 else 0.0, 3.0)
                row[distance] = 100.0 + 30.0 * (90 - second)
                rows.append((t0 + second, unit, row))
    (folder / "labels.jsonl").write_text("".join(json.dumps(label) + "\n" for label in labels))
    np.savez(
        folder / "features.npz",
        time=np.array([row[0] for row in rows]), unit=np.array([row[1] for row in rows], np.int32),
        track=np.zeros(len(rows), np.int32), features=np.stack([row[2] for row in rows]),
        names=np.array(names), tracks=np.array(["T1"]), units=np.array(["one", "two"]),
    )  # fmt: skip
    return folder


def test_the_command_writes_a_model_that_the_assessor_reads(tmp_path: Path) -> None:
    first, second, third = (_folder(tmp_path / name, seed, 16) for seed, name in enumerate("abc", 1))
    outs = [tmp_path / "m1.json", tmp_path / "m2.json"]
    for out in outs:
        arguments = ["fit", str(first), "--held-out", str(second), "--held-out", str(third), "-o", str(out)]
        arguments += ["--json", "--rows", "800", "--pairs", "2", "--drills", "4", "--share", "a=2"]
        assert run_command(arguments) == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()
    model = read_model(outs[0].read_bytes(), "m1.json")
    assert model.file.trained["folders"][0]["name"] == "a"
    assert {name for term in model.file.terms for name in term.features}.isdisjoint({"trust", "age_s"})
    told = "vedette fit a --held-out b --held-out c --share a=2 --rows 800 --pairs 2 --drills 4 -o model.json"
    assert model.file.trained["command"] == told
    risk = risk_of(json.loads(outs[0].read_bytes()), NAMES)
    rows = np.random.default_rng(1).normal(0.0, 3.0, (5, len(NAMES)))
    sums = np.full(5, model.risk.prior)
    nats = np.zeros((len(model.file.terms), 5))
    each(model.risk, rows, nats)
    assert risk.odds(rows.astype(np.float32)) == pytest.approx(sums + nats.sum(axis=0), abs=1e-4)
    for held in ("b", "c"):
        measured = model.file.trained["measured_on_held_out"][held]
        assert measured["at_far"]["5.0"]["missed"] < 0.2
        assert measured["at_warning"]["false_per_hour"] <= model.file.trained["plan"]["warning_per_hour"]


def test_a_feature_can_be_left_out(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a", 1, scenes=4)
    names = read(folder, ("log_*", "range_m")).names
    assert "range_m" not in names
    assert not any(name.startswith("log_") for name in names)


def test_folders_that_cannot_be_fitted_to_say_why(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a", 1, scenes=4)
    labels = folder / "labels.jsonl"
    lines = labels.read_text().splitlines()
    labels.write_text("\n".join([lines[1], lines[0]]))
    with pytest.raises(InputError, match="order of time"):
        read(folder)
    broken = msgspec.json.decode(lines[0])
    del broken["target"]
    labels.write_text(json.dumps(broken))
    with pytest.raises(InputError, match=r"line 1: an attack needs target"):
        read(folder)
    labels.write_text("\n".join(lines))
    (folder / "features.npz").write_bytes(b"no archive")
    with pytest.raises(InputError, match="vedette assess"):
        read(folder)
    labels.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        read(folder)


def test_what_is_fitted_on_is_not_held_out(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "a", 1, scenes=4)
    out = tmp_path / "m.json"
    assert run_command(["fit", str(folder), "--held-out", str(folder), "-o", str(out)]) == 64
    assert not out.exists()


def _nothing(_: str) -> bool:
    return False


@pytest.mark.parametrize("share", ["a", "a=", "a=-1", "a=nan", "z=1", "=2"])
def test_a_share_that_says_nothing_is_refused(tmp_path: Path, share: str) -> None:
    folders = [_folder(tmp_path / name, 1, scenes=4) for name in "ab"]
    out = tmp_path / "m.json"
    arguments = ["fit", str(folders[0]), "--held-out", str(folders[1]), "-o", str(out), "--share", share]
    assert run_command(arguments) == 64
    assert not out.exists()


def test_drills_are_the_same_each_time_and_hit_their_target() -> None:
    count = len(ATTACKS)
    first, again = drills(count, 2, 5, _nothing), drills(count, 2, 5, _nothing)
    assert first.columns.tobytes() == again.columns.tobytes()
    assert first.hostile.tolist() == [True] * count + [False, False]
    distance = first.columns[:, first.names.index("range_m")]
    for place in range(count):
        mine = (first.scene == place) & (first.unit == first.target[place])
        left = first.impact[place] - first.time[mine]
        assert left.min() >= 0.0
        assert distance[mine][left.argmin()] < 110.0


@pytest.mark.parametrize("maker", ATTACKS + OTHERS, ids=lambda maker: maker.__name__)
def test_a_flight_is_what_it_is_called(maker: Maker) -> None:
    """No faster than anything flies; an attack ends at the unit or over it, a watcher keeps off."""
    for seed in range(20):
        flight = maker(np.random.default_rng(seed))
        path = np.array([flight.path(float(second)) for second in range(flight.seconds)])
        assert np.isfinite(path).all()
        assert np.hypot(*np.diff(path[:, :2], axis=0).T).max(initial=0.0) < 255.0
        assert 0.0 < flight.weight <= 1.0
        if flight.impact_s is not None:
            east, north, up = flight.path(flight.impact_s)
            assert math.hypot(east, north) < 20.0
            assert abs(up) <= 110.0
            assert flight.seconds == max(4, int(flight.impact_s) + 1)
        if flight.watched_s is not None:
            off = np.hypot(path[:, 0], path[:, 1])
            assert off.min() > 100.0
            assert np.ptp(off[int(flight.watched_s) + 2 :]) < 10.0


def test_a_flight_of_which_nobody_can_say_counts_less() -> None:
    pool = drills(0, 3 * len(OTHERS), 5, _nothing)
    unsure = [o.weight for o in pool.outcomes if o.behaviour == "turns-back"]
    assert unsure == [0.3, 0.3, 0.3]
    rows = draw(pool, 2000, None, np.random.default_rng(1))
    assert rows.weights.sum() == pytest.approx(pool.weight.sum())


def test_a_scene_without_names_is_so_throughout() -> None:
    pool = drills(0, 40, 5, _nothing)
    other = nameless(pool, 0.5, np.random.default_rng(3))
    place = pool.names.index("log_aircraft")
    taken = np.zeros(len(pool.outcomes), np.bool_)
    for scene in range(len(pool.outcomes)):
        rows = pool.scene == scene
        same = bool((other.columns[rows, place] == pool.columns[rows, place]).all())
        plain = bool((other.columns[rows, place] == np.float32(NEUTRAL["log_aircraft"])).all())
        assert same or plain
        taken[scene] = plain and not same
    assert 2 < taken.sum() < 38
    kept = [n for n in range(len(pool.names)) if pool.names[n] not in NEUTRAL]
    assert other.columns[:, kept].tobytes() == pool.columns[:, kept].tobytes()


def test_a_body_without_beliefs_has_the_neutral_features() -> None:
    """What the fit takes for "nothing is known" is what the assessor makes of an empty dictionary."""
    pool = drills(0, 30, 5, _nothing)
    place = pool.names.index("log_fpv")
    unknown = np.isclose(pool.columns[:, place], NEUTRAL["log_fpv"], atol=1e-6)
    scenes = {int(scene) for scene in pool.scene[unknown]}
    assert len(scenes) > 10
    for name, value in NEUTRAL.items():
        assert np.allclose(pool.columns[unknown, pool.names.index(name)], value, atol=1e-6)


def test_without_a_scene_of_watching_nobody_is_watched() -> None:
    pool = drills(4, 2, 5, lambda _: False)
    plan = Plan(benign_rows=200, pairs=1, drills=0, rounds=(2, 2, 2))
    fitted = fit_pools([pool], [pool], plan, lambda _: None)
    assert (odds_of(fitted.watched, pool) < -20.0).all()
