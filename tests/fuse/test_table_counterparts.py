"""Small kernels over the table of tracks and the cells round a sensor, each against one line of numpy."""

import math

import fuse_ground_reference as ground
import fuse_ray_reference as plain
import fuse_reference as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.fuse.kernels import clutter, coverage, crowding, kalman, polar, survival
from vedette.fuse.kernels.clutter import AZIMUTHS, CELLS, RANGES
from vedette.fuse.kernels.sight import BEARING, PLACE, POLAR

SEEDS = st.integers(0, 2**32 - 1)
COUNTS = st.integers(0, 12)
MANY = settings(deadline=None, max_examples=100)
NOW = 500.0


def shares(rng: np.random.Generator, n: int) -> np.ndarray:
    """Probabilities, of which some are none and some are all."""
    return np.where(rng.random(n) < 0.3, rng.choice([0.0, 1e-12, 0.5, 1.0], n), rng.random(n))


def flags(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.random(n) < 0.5


# --- existence

TIMES = np.array([60.0, 6.0, 20.0])


@MANY
@given(SEEDS, COUNTS)
def test_existence_falls_as_it_must(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    heard, existence = NOW - rng.choice([-1.0, 0.0, 5.9, 6.0, 6.1, 300.0], n), shares(rng, n)
    independent, named, out = flags(rng, n), flags(rng, n), np.full(n, np.nan)
    survival.fallen_all(n, NOW, heard, existence, independent, named, TIMES, out)
    silence = NOW - heard
    watched = np.exp(-np.maximum(silence, 0.0) / 60.0)
    alone = np.exp(-np.maximum(silence - 6.0, 0.0) / 20.0)
    np.testing.assert_allclose(out, existence * np.where(independent & ~named, watched, alone), rtol=1e-12)
    for t in range(n):
        one = survival.fallen(existence[t], silence[t], independent[t] and not named[t], TIMES)
        assert one == out[t]


def emitter(exists: np.ndarray, emits: np.ndarray, pd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of (exists, sends) after a miss, by enumeration: probability that it is there, and that it sends."""
    there_loud, there_quiet = exists * emits * (1.0 - pd), exists * (1.0 - emits)
    whole = there_loud + there_quiet + (1.0 - exists)
    return (there_loud + there_quiet) / whole, there_loud / (there_loud + there_quiet)


@MANY
@given(SEEDS, COUNTS, st.floats(0.0, 0.99))
def test_who_sends_is_bayes_rule(seed: int, n: int, sees: float) -> None:
    rng = np.random.default_rng(seed)
    visible, hit = flags(rng, n), shares(rng, n)
    after, before = np.maximum(hit, shares(rng, n)), rng.uniform(0.02, 0.98, n)
    emits = before.copy()
    survival.heard_or_silent(n, visible, sees, hit, after, emits)
    _, silent = emitter(np.ones(n), before, np.full(n, sees))
    heard = np.minimum(hit / np.maximum(after, 1e-12), 1.0)
    want = np.clip(heard + (1.0 - heard) * silent, 0.02, 0.98)
    np.testing.assert_allclose(emits, np.where(visible, want, before), rtol=1e-9)


@MANY
@given(SEEDS, COUNTS, st.floats(0.0, 0.99))
def test_a_body_known_by_ear_is_doubted_by_bayes_rule(seed: int, n: int, sees: float) -> None:
    rng = np.random.default_rng(seed)
    by_ear, visible, hit = flags(rng, n), flags(rng, n), shares(rng, n)
    before, emitted = shares(rng, n), rng.uniform(0.02, 0.98, n)
    after, emits = np.full(n, 0.77), np.full(n, 0.66)
    survival.doubt(n, by_ear, visible, sees, before, hit, emitted, after, emits)
    exists, sends = emitter(np.ones(n), emitted, np.where(visible, sees, 0.0))
    pd = np.where(visible, sees, 0.0) * emitted
    exists = before * (1.0 - pd) / (before * (1.0 - pd) + 1.0 - before)
    np.testing.assert_allclose(
        after, np.where(by_ear, np.minimum(hit + (1.0 - hit) * exists, survival.MOST_BY_EAR), 0.77), rtol=1e-9
    )
    want = np.clip(hit + (1.0 - hit) * sends, 0.02, survival.HEARD)
    np.testing.assert_allclose(emits, np.where(by_ear, want, 0.66), rtol=1e-9)


class Looked:
    """Tracks after a look, the table that they go into, and what it held before."""

    TABLE = (
        "times", "heard", "x", "p", "xm", "pm", "mu", "known", "existence", "confirmed", "independent",
        "named",
    )  # fmt: skip

    def __init__(self, rng: np.random.Generator, n: int, m: int, k: int) -> None:
        self.n = n
        self.x = rng.normal(0, 500, (n, m, 6))
        sigma = np.array([9.0, 9, 9, 3, 3, 1])
        self.p = np.array([reference.covariance(rng, sigma) for _ in range(n * m)]).reshape(n, m, 6, 6)
        self.mu = rng.dirichlet(np.ones(m), n)
        self.known, self.raised = flags(rng, n), flags(rng, k)
        self.before, self.after = shares(rng, n), shares(rng, n)
        self.after = np.where(rng.random(n) < 0.3, self.before, self.after)
        self.hit = rng.choice([0.0, 0.02, 0.021, 0.5, 0.51, 1.0], n)
        self.best = rng.integers(-1, k, n)
        if n and rng.random() < 0.3:
            self.p[0, 0] *= rng.choice([math.inf, math.nan])
        values = (
            rng.random(n), rng.random(n), np.zeros((n, 6)), np.zeros((n, 6, 6)), np.zeros((n, m, 6)),
            np.zeros((n, m, 6, 6)), np.zeros((n, m)), flags(rng, n), rng.random(n), flags(rng, n),
            flags(rng, n), flags(rng, n),
        )  # fmt: skip
        self.table = dict(zip(self.TABLE, values, strict=True))

    def settled(self) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """The table after `survival.settle`, and what was done."""
        table = {name: array.copy() for name, array in self.table.items()}
        outcome = np.full(self.n, 9, np.int64)
        survival.settle(
            self.n, NOW, self.raised, self.x, self.p, self.mu, self.known, self.before, self.after, self.hit,
            self.best, np.array([0.8, 0.3]), *table.values(), outcome,
        )  # fmt: skip
        return table, outcome


@MANY
@given(SEEDS, COUNTS, st.integers(1, 3))
def test_a_look_is_settled_track_by_track(seed: int, n: int, m: int) -> None:
    one = Looked(np.random.default_rng(seed), n, m, 4)
    table, outcome = one.settled()
    moved = (one.best >= 0) & (one.hit > 0.02)
    weighed = ~moved & (one.after != one.before)
    for t in range(n):
        x, p = reference.moments(one.mu[t], one.x[t], one.p[t])
        sound = bool(np.isfinite(p).all())
        if not moved[t]:
            assert outcome[t] == (survival.WEIGHED if weighed[t] else survival.UNCHANGED)
            assert not table["xm"][t].any()
        elif sound:
            reference.near(table["x"][t], table["p"][t], x, p)
            assert outcome[t] == survival.MOVED
        else:
            assert outcome[t] == survival.FAILED
    for name, source in (("xm", one.x), ("pm", one.p), ("mu", one.mu)):
        np.testing.assert_array_equal(table[name][moved], source[moved])
    surely = moved & (one.hit > 0.5)
    old = one.table
    np.testing.assert_array_equal(table["times"], np.where(moved, NOW, old["times"]))
    np.testing.assert_array_equal(table["heard"], np.where(surely, NOW, old["heard"]))
    np.testing.assert_array_equal(table["independent"], surely | old["independent"])
    np.testing.assert_array_equal(table["named"], old["named"])
    raised = one.known | (surely & one.raised[one.best])
    np.testing.assert_array_equal(table["known"], np.where(moved, raised, old["known"]))
    ratio = np.where(weighed, one.after / np.maximum(one.before, 1e-12), 1.0)
    want = np.where(
        moved, one.after, np.where(weighed, np.minimum(old["existence"] * ratio, 1.0), old["existence"])
    )
    np.testing.assert_allclose(table["existence"], want, rtol=1e-12)
    rises = (moved | weighed) & (one.after > 0.8)
    falls = (moved | weighed) & (one.after < 0.3) & table["independent"] & ~old["named"]
    np.testing.assert_array_equal(table["confirmed"], rises | (old["confirmed"] & ~falls))


# --- misses that may be no misses


def missed(existence: np.ndarray, sees: np.ndarray) -> np.ndarray:
    """Bayes' rule; what is there for sure and is sure to be seen is nowhere."""
    rest = existence * (1.0 - sees)
    return rest / np.maximum(rest + 1.0 - existence, 1e-12)


@MANY
@given(SEEDS, COUNTS, st.floats(0.0, 1.0), st.floats(-5.0, 500.0))
def test_what_is_missed_in_part_is_remembered(seed: int, n: int, sees: float, elapsed: float) -> None:
    rng = np.random.default_rng(seed)
    view, before = shares(rng, n), rng.choice([coverage.LEAST_SIGHTED, 0.1, 0.9, 1.0], n)
    sure, sighted = view * rng.random(n), before.copy()
    pd, counts = np.full(n, np.nan), np.full(n, np.nan)
    coverage.expect(n, sees, elapsed, 30.0, view, sure, sighted, pd, counts)
    faded = 1.0 - (1.0 - before) * math.exp(-max(elapsed, 0.0) / 30.0)
    np.testing.assert_allclose(sighted, faded, rtol=1e-12)
    for share, out in ((view, pd), (sure, counts)):
        want = faded * share / (faded * share + 1.0 - share)
        np.testing.assert_allclose(out, sees * want, rtol=1e-9)
        for t in range(n):
            assert coverage.in_sight(share[t], sighted[t]) == pytest.approx(want[t], rel=1e-9)
    looked, hit = flags(rng, n), shares(rng, n)
    coverage.remember(n, sees, view, looked, hit, sighted)
    after = faded * (1.0 - sees * np.minimum(10.0 * (1.0 - view), 1.0))
    want = np.maximum(hit + (1.0 - hit) * after, coverage.LEAST_SIGHTED)
    np.testing.assert_allclose(sighted, np.where(looked, want, faded), rtol=1e-12)


@MANY
@given(SEEDS, COUNTS)
def test_a_miss_counts_as_far_as_it_is_one(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    before, sees, counts, hit = (shares(rng, n) for _ in range(4))
    after = np.full(n, 0.55)
    coverage.doubt(n, before, sees, counts, hit, after)
    want = np.minimum(hit + (1.0 - hit) * missed(before, counts), 1.0)
    np.testing.assert_allclose(after, np.where(counts < sees, want, 0.55), rtol=1e-9)
    looked, existence, then = flags(rng, n), np.full(n, 0.8), np.full(n, np.nan)
    coverage.overlooked(n, looked, counts, before, existence, then)
    falls = looked & (counts > 0.0)
    np.testing.assert_allclose(then, np.where(falls, missed(before, counts), before), rtol=1e-9)
    ratio = np.where(falls, then / np.maximum(before, 1e-12), 1.0)
    np.testing.assert_allclose(existence, 0.8 * ratio, rtol=1e-9)
    for t in range(n):
        one = float(coverage.missed(before[t], counts[t]))
        assert one == pytest.approx(float(missed(before[t], counts[t])), abs=1e-9)


@MANY
@given(SEEDS, st.sampled_from([POLAR, PLACE, BEARING]), COUNTS, st.floats(0.1, 30.0))
def test_plots_are_in_view_as_far_as_the_ground_lets_them(seed: int, kind: int, k: int, soft: float) -> None:
    rng = np.random.default_rng(seed)
    horizon = np.maximum.accumulate(rng.normal(-0.05, 0.06, (16, 30)), axis=1).astype(np.float32)
    first = rng.choice([5, 30, 30], 16).astype(np.int32)
    mask = (horizon, first, np.array([30.0, -20.0, 12.0, 100.0, 5.9e-8, 7.8e-8]))
    origin, rotation = np.array([30.0, -20.0, 12.0]), reference.turned(rng, 0.01)
    z, var, use = np.zeros((k, 6)), np.ones((k, 6)), np.ones((k, 6), bool)
    reach, azimuth, rise = rng.uniform(50, 3500, k), rng.uniform(-3.1, 3.1, k), rng.uniform(-0.1, 0.2, k)
    along = np.array([np.sin(azimuth) * np.cos(rise), np.cos(azimuth) * np.cos(rise), np.sin(rise)])
    places = origin + (rotation @ (reach * along)).T
    z[:, :3] = places if kind == PLACE else np.column_stack([reach, azimuth, rise])
    var[:, 2], use[:, 2] = rng.uniform(0.0, 0.02, k) ** 2, rng.random(k) < 0.8
    view = np.full(k, np.nan)
    coverage.plots_in_view(kind, z, var, use, origin, rotation, *mask, soft, view)
    lever = np.where(kind == POLAR, reach * np.cos(rise), 1.0)
    for q in range(k):
        over = ground.clearance(mask, places[q])
        if kind == BEARING or not use[q, 2] or math.isnan(over):
            assert view[q] == 1.0
        else:
            sigma = math.hypot(soft, math.sqrt(var[q, 2]) * lever[q])
            assert view[q] == pytest.approx(0.5 * math.erfc(-over / sigma / math.sqrt(2.0)), abs=2e-9)


@MANY
@given(SEEDS, COUNTS)
def test_states_in_view_are_those_within_all_limits(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    eye = plain.Eye(rng.normal(0, 300, 3), reference.turned(rng, 0.02), plain.EVERYWHERE.copy())
    eye.limits[:2] = 100.0, 2500.0
    eye.limits[2] = rng.uniform(-360.0, 360.0)
    eye.limits[3] = eye.limits[2] + rng.uniform(10.0, 360.0)
    eye.limits[4:] = -20.0, 40.0, -15.0, 15.0
    x = np.concatenate([rng.uniform(-2500, 2500, (n, 2)), rng.uniform(0, 800, (n, 1))], axis=1)
    x = np.column_stack([x, rng.normal(0, 12, (n, 3))])
    seen = np.zeros(n, bool)
    kalman.in_view(n, x, eye.origin, eye.rotation, eye.limits, seen)
    for t in range(n):
        to = x[t, :3] - eye.origin
        rate = to @ x[t, 3:] / np.linalg.norm(to)
        assert seen[t] == (eye.sees(x[t, :3]) and -15.0 <= rate <= 15.0)


# --- cells


def cell_of(distance: float, azimuth: float) -> int:
    """Of 32 azimuths from north round with the clock, and 8 rings."""
    turn = (azimuth / (2 * math.pi)) % 1.0
    return min(int(turn * AZIMUTHS), AZIMUTHS - 1) * RANGES + min(int(distance * RANGES), RANGES - 1)


@MANY
@given(SEEDS, st.sampled_from([POLAR, PLACE, BEARING]), COUNTS)
def test_the_cell_of_a_plot_is_that_of_its_place(seed: int, kind: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    origin, rotation, reach = rng.normal(0, 300, 3), reference.turned(rng, 0.01), 4000.0
    turn = rng.uniform(-math.pi, math.pi)
    flat = np.array([[math.cos(turn), math.sin(turn), 0], [-math.sin(turn), math.cos(turn), 0], [0, 0, 1.0]])
    rotation = rotation @ flat
    z, want = rng.normal(0, 2500, (k, 6)), []
    for q in range(k):
        if kind == PLACE:
            e, n = rotation[:2, :2].T @ (z[q, :2] - origin[:2])
            want.append(cell_of(math.hypot(e, n) / reach, math.atan2(e, n)))
        elif kind == BEARING:
            z[q, 0] = rng.uniform(-math.pi, math.pi)
            want.append(cell_of(0.0, z[q, 0]))
        else:
            z[q, :2] = rng.uniform(0.0, 6000.0), rng.uniform(-math.pi, math.pi)
            want.append(cell_of(z[q, 0] / reach, z[q, 1]))
    cells = np.full(k, -1)
    clutter.cells_of(kind, z, origin, rotation, reach, cells)
    assert cells.tolist() == want


@MANY
@given(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5))
def test_the_cell_of_a_report_is_that_of_its_place(east: float, north: float) -> None:
    want = cell_of(math.hypot(east, north) / 8000.0, math.atan2(east, north))
    assert crowding.cell_of(east, north, 8000.0) == want


@MANY
@given(SEEDS, COUNTS, st.floats(0.0, 1.0))
def test_false_plots_are_counted_and_fade(seed: int, k: int, kept: float) -> None:
    rng = np.random.default_rng(seed)
    counts, cells, false = rng.gamma(0.3, 5.0, CELLS), rng.integers(0, 4, k), shares(rng, k)
    out = np.full(CELLS, np.nan)
    clutter.count(counts, kept, cells, false, out)
    want = kept * counts + np.bincount(cells, false, CELLS)
    np.testing.assert_allclose(out, want, rtol=1e-12, atol=1e-15)
    one = counts.copy()
    crowding.faded(counts, kept, 3, 0.4, one)
    np.testing.assert_allclose(one, kept * counts + 0.4 * (np.arange(CELLS) == 3), rtol=1e-12)


@MANY
@given(SEEDS, COUNTS, COUNTS, st.integers(1, 5))
def test_young_tracks_of_a_crowded_cell_are_doubted(seed: int, n: int, k: int, many: int) -> None:
    rng = np.random.default_rng(seed)
    cells = rng.integers(0, 3, k)
    hit, best, ages = shares(rng, n), rng.integers(-1, k, n), rng.choice([-1.0, 0.0, 4.0, 1e6], n)
    before = shares(rng, k)
    false, held = before.copy(), np.bincount(cells, minlength=3)
    clutter.disbelieve(cells, many, hit, best, ages, 8.0, false)
    want = before.copy()
    for t in np.flatnonzero(best >= 0):
        there = held[cells[best[t]]]
        if there >= many:
            share = math.exp(-max(ages[t], 0.0) / 8.0) * (1.0 - (many - 1) / there)
            want[best[t]] = min(want[best[t]] + hit[t] * share, 1.0)
    np.testing.assert_allclose(false, want, rtol=1e-12)
    assert clutter.crowded(cells, many) == bool((held >= many).any())


# --- states that one plot gives


def placed(values: np.ndarray, var: np.ndarray, raised: bool, height: float, sigma: float) -> tuple:
    """Mean and covariance of the place of a polar plot in the sensor's frame: means and squares of cosines
    of angles that err (Longbin et al. 1998), to the first order in the covariance."""
    reach, azimuth, rise = values[:3]
    away = np.array([math.sin(azimuth), math.cos(azimuth), 0.0])
    across = np.array([math.cos(azimuth), -math.sin(azimuth), 0.0])
    if raised:
        along = math.cos(rise) * away + [0.0, 0.0, math.sin(rise)]
        over = -math.sin(rise) * away + [0.0, 0.0, math.cos(rise)]
        lever2 = reach**2 + var[0]
        ground2 = lever2 * (math.cos(rise) ** 2 + math.sin(rise) ** 2 * var[2]) + 1.0
        far = reach * math.exp(var[2] / 2)
        mean = far * np.array([0.0, 0.0, math.sin(rise)]) + far * math.exp(var[1] / 2) * math.cos(rise) * away
        sides = ((along, var[0]), (across, ground2 * var[1]), (over, lever2 * var[2]))
    else:
        flat = math.sqrt(max(reach**2 - height**2, reach**2 / 4))
        unsure = (reach / flat) ** 2 * var[0] + (sigma * min(abs(height) / flat, 1.0)) ** 2
        mean = flat * math.exp(var[1] / 2) * away + [0.0, 0.0, height]
        sides = ((away, unsure), (across, (flat**2 + unsure) * var[1]))
    return mean, sum(size * np.outer(way, way) for way, size in sides)


@MANY
@given(SEEDS, st.integers(1, 8), st.booleans())
def test_states_that_plots_begin_are_their_places(seed: int, k: int, raised: bool) -> None:
    rng = np.random.default_rng(seed)
    origin, rotation = rng.normal(0, 200, 3), reference.turned(rng, 0.008)
    prior, unsure, motion = np.array([80.0, 60.0]), np.array([20.0, 20, 4]), np.array([30.0, 5, 80, 3600, 16])
    values, var = np.zeros((k, 6)), np.ones((k, 6))
    values[:, 0], values[:, 1] = rng.uniform(2.0, 9000.0, k), rng.uniform(-math.pi, math.pi, k)
    values[:, 2], var[:, :3] = rng.uniform(-0.5, 1.5, k), rng.uniform(0.001, 0.05, (k, 3)) ** 2
    var[:, 0] = rng.uniform(1.0, 30.0, k) ** 2
    given_ = np.zeros((k, 6), bool)
    given_[:, :2], given_[:, 2] = True, raised
    plots, slot, first = rng.permutation(k)[: k // 2 + 1], 2, np.array([0.7, 0.2, 0.1])
    n = slot + len(plots)
    x, p, known = np.full((n, 6), 7.0), np.full((n, 6, 6), 7.0), np.zeros(n, bool)
    xm, pm, mu = np.full((n, 3, 6), 7.0), np.full((n, 3, 6, 6), 7.0), np.full((n, 3), 7.0)
    polar.begin_all(
        slot, plots, values, var, given_, origin, rotation, prior, unsure, motion, first, x, p, known, xm,
        pm, mu,
    )  # fmt: skip
    assert (x[:slot] == 7.0).all()
    assert known[slot:].tolist() == [raised] * len(plots)
    for t, q in enumerate(plots, slot):
        mean, spread = placed(values[q], var[q], raised, prior[0] - origin[2], prior[1])
        x_want, p_want = np.zeros(6), np.diag(np.concatenate([np.zeros(3), unsure**2]))
        x_want[:3], p_want[:3, :3] = origin + rotation @ mean, spread
        if not raised:
            x_want, p_want = reference.pinned(x_want, p_want, motion)
        sigma = np.sqrt(np.diag(p_want))
        assert (np.abs(x[t] - x_want) <= 1e-9 * (sigma + np.abs(x_want))).all()
        assert (np.abs(p[t] - p_want) <= 1e-9 * np.outer(sigma, sigma)).all()
        assert (xm[t] == x[t]).all()
        assert (pm[t] == p[t]).all()
        np.testing.assert_array_equal(mu[t], first)
