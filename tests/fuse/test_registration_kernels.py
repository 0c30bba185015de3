"""The kernels of registration against plain numpy and against exact enumeration."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.fuse.kernels import comparison, parsimony, sight

SEED = st.integers(0, 2**32 - 1)
_UNKNOWN, _MANOEUVRE, _GATE, _INFORMED, _CAUTION, _SURE = 1e6, 100.0, 10.83, 4.0, 1.0, 0.9


class Case:
    """Random bodies, looks of a radar and of direction finders that see them, and registers."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        n, s = int(rng.integers(1, 5)), int(rng.integers(2, 5))
        self.x = np.concatenate(
            [rng.uniform(-3000, 3000, (n, 2)), rng.uniform(20, 200, (n, 1)), rng.normal(0, 20, (n, 3))], 1
        )
        self.p = np.stack([self._spd(rng, 6) * np.outer(*[[20, 20, 20, 3, 3, 1]] * 2) for _ in range(n)])
        self.when = rng.uniform(99.5, 100.0, n)
        self.slots = np.arange(n)
        self.origins = np.concatenate([rng.uniform(-2500, 2500, (s, 2)), np.full((s, 1), 5.0)], 1)
        self.mean = rng.normal(0.0, 1.0, 2 * s) * np.tile([0.02, 0.1], s)
        self.cov = self._spd(rng, 2 * s) * np.outer(*[np.tile([0.03, 0.3], s)] * 2)
        self.told = rng.normal(0.0, 1.0, (s, 2)) * [0.02, 0.1] * rng.integers(0, 2, (s, 1))
        self.used = np.zeros((n, s))
        looks = [(sight.POLAR if q == 0 else sight.BEARING, rng.uniform(99.0, 100.0), q) for q in range(s)]
        looks += [(sight.BEARING, rng.uniform(99.0, 100.0), s - 1)]
        looks.sort(key=lambda look: (look[0] != sight.POLAR, look[1]))
        self.kind = np.array([look[0] for look in looks])
        self.time = np.array([look[1] for look in looks])
        self.sensor = np.array([look[2] for look in looks])
        self.figures, plots = [], []
        for kind, time, who in looks:
            turn = rng.normal(0.0, 0.02)
            c, d = math.cos(turn), math.sin(turn)
            rotation = np.array([[c, d, 0.0], [-d, c, 0.0], [0.0, 0.0, 1.0]])
            self.figures.append([0.9, *self.origins[who], *rotation.ravel()])
            plots.append(self._plots(rng, kind, time, who, rotation))
        self.figures = np.array(self.figures)
        self.number = np.array([len(some) for some in plots])
        self.plots = np.concatenate(plots)
        self.emits = rng.uniform(0.0, 1.0, n)
        self.rivals = np.arange(n)
        self.silent = rng.random((n, s)) < 0.2
        self.slots = np.flatnonzero(rng.random(n) < 0.8)
        self.used = np.zeros((len(self.slots), s))

    def _plots(self, rng, kind, time, who, rotation):
        rows = []
        for t in range(len(self.x)):
            place = self.x[t, :3] + (time - self.when[t]) * self.x[t, 3:] - self.origins[who]
            e, n, u = rotation.T @ place
            bias = self.mean[2 * who] + rng.normal(0.0, 0.02)
            rows.append([math.atan2(e, n) + bias, math.hypot(e, n, u) + rng.normal(0.0, 5.0)])
        rows += [
            [rng.uniform(-math.pi, math.pi), rng.uniform(100.0, 4000.0)] for _ in range(rng.integers(0, 4))
        ]
        out = np.zeros((len(rows), 4))
        out[:, :2] = rows
        out[:, 0] = (out[:, 0] + math.pi) % (2.0 * math.pi) - math.pi
        out[:, 2] = rng.uniform(0.005, 0.03) ** 2
        out[:, 3] = 25.0
        return out

    @staticmethod
    def _spd(rng, size):
        half = rng.normal(size=(size, 2 * size))
        return half @ half.T / (2 * size)

    def run(self):
        mean, cov, used = (a.copy() for a in (self.mean, self.cov, self.used))
        sound = comparison.compare(
            self.slots, self.x, self.p, self.when, self.sensor, self.kind, self.time, self.figures,
            self.number, self.plots, self.told, self.emits, self.rivals, self.silent, mean, cov, used,
        )  # fmt: skip
        return sound, mean, cov, used


def wrap(angle):
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


def expected(case):
    """The same with matrices."""
    mean, cov = case.mean.copy(), case.cov.copy()
    used = case.used.copy()
    size, s = 4 + len(mean), len(mean) // 2
    ends = np.cumsum(case.number)
    for turn, t in enumerate(case.slots):
        a = np.concatenate([np.zeros(4), mean])
        pp = np.zeros((size, size))
        pp[:2, :2] = _UNKNOWN * np.eye(2)
        pp[2:4, 2:4] = case.p[t, 3:5, 3:5]
        pp[4:, 4:] = cov
        first, compared = np.zeros(s), 0.0
        for look, who in enumerate(case.sensor):
            plots = case.plots[ends[look] - case.number[look] : ends[look]]
            dt = case.time[look] - case.when[t]
            state = case.x[t].copy()
            state[:3] += dt * state[3:]
            origin, rotation = case.figures[look, 1:4], case.figures[look, 4:].reshape(3, 3)
            if len(plots) == 0 or np.linalg.norm((state[:3] - origin)[:2]) < 150.0:
                continue
            seen, slope = np.zeros(6), np.zeros((6, 6))
            sight.observe(int(case.kind[look]), state, origin, rotation, seen, slope)
            row, v = sight.ANGLE[int(case.kind[look])], state[3:]
            wander = _MANOEUVRE * abs(dt) ** 3 / 3.0
            b = 4 + 2 * who

            def line(of, turned, slope=slope, dt=dt, v=v, b=b):
                h = np.zeros(size)
                h[:2], h[2:4], h[b], h[b + 1] = slope[of, :2], dt * slope[of, :2], turned, -slope[of, :3] @ v
                return h

            h = line(row, 1.0)
            own = slope[row, :2] @ case.p[t, :2, :2] @ slope[row, :2]
            extra = wander * slope[row, :2] @ slope[row, :2]
            theirs = []
            for r in case.rivals[case.rivals != t]:
                d = rotation.T @ (case.x[r, :3] + (case.time[look] - case.when[r]) * case.x[r, 3:] - origin)
                theirs.append([math.atan2(d[0], d[1]), np.linalg.norm(d), case.emits[r]])
            theirs = np.array(theirs).reshape(-1, 3)
            bias = pp[b, b] + h[b + 1] ** 2 * pp[b + 1, b + 1]
            spread = h @ pp @ h
            informed = spread <= _INFORMED * (own + bias + plots[0, 2])
            if case.kind[look] == sight.POLAR:
                g = line(0, 0.0)
                own_r = slope[0, :2] @ case.p[t, :2, :2] @ slope[0, :2]
                told = case.told[who]
                d = (h @ a, g @ a) if informed else (told[0] + h[b + 1] * told[1], g[b + 1] * told[1])
                near = (spread, g @ pp @ g) if informed else (own, own_r)
                va, vr = near[0] + plots[:, 2] + extra, near[1] + plots[:, 3] + wander
                off, away = wrap(plots[:, 0] - seen[row] - d[0]), plots[:, 1] - seen[0] - d[1]
                inside = (off**2 / va <= _GATE) & (away**2 / vr <= _GATE)
                likely = inside * np.exp(-0.5 * (off**2 / va + away**2 / vr)) / (2 * np.pi * np.sqrt(va * vr))
                clutter = len(plots) / (2 * np.pi * max(plots[:, 1].max(), 1.0))
                q = int(np.argmax(likely))
                o2 = wrap(plots[q, 0] - theirs[:, 0] - d[0]) ** 2 / va[q]
                a2 = (plots[q, 1] - theirs[:, 1] - d[1]) ** 2 / vr[q]
                rival = ((o2 < _GATE) & (a2 < _GATE)) @ np.exp(-0.5 * (o2 + a2))
                every = likely.sum() + rival / (2 * np.pi * np.sqrt(va[q] * vr[q]))
                weight = 0.0
                if likely[q] > 0.0 and likely[q] * 0.9 >= _SURE * (every * 0.9 + clutter * (1 - 0.9)):
                    weight = 1.0 if informed else -1.0
                    y = wrap(plots[q, 0] - seen[row] - h @ a)
                    variance = max(plots[q, 2] + extra, _CAUTION * spread if informed else 0.0)
                    a, pp = update(a, pp, h, variance, y, y * y, 1.0)
                    y = plots[q, 1] - seen[0] - g @ a
                    a, pp = update(a, pp, g, plots[q, 3] + wander, y, y * y, 1.0)
            else:
                if case.silent[turn, who]:
                    continue
                near = spread if informed else own + bias
                told = h @ a if informed else h[4:] @ a[4:]
                ss = near + plots[:, 2] + extra
                off = wrap(plots[:, 0] - seen[row] - told)
                likely = (off**2 / ss <= _GATE) * 0.9 * np.exp(-0.5 * off**2 / ss) / np.sqrt(2 * np.pi * ss)
                clutter = len(plots) / (2 * np.pi)
                o2 = wrap(plots[:, :1] - theirs[:, 0] - a[b]) ** 2 / ss[:, None]
                rival = ((o2 < _GATE) * np.exp(-0.5 * o2)) @ theirs[:, 2] / np.sqrt(2 * np.pi * ss)
                likely *= clutter / (clutter + 0.9 * rival)
                total = likely.sum() + (1 - 0.9) * clutter
                heard, weight = likely.sum() / total, 0.0
                if heard >= 0.02:
                    weight = heard if informed else -heard
                    moved = off + told - h @ a
                    variance = max(plots[0, 2] + extra, _CAUTION * spread if informed else 0.0)
                    beta = likely / total
                    a, pp = update(a, pp, h, variance, beta @ moved, beta @ moved**2, heard)
            first[who] += max(-weight, 0.0)
            used[turn, who] += max(weight, 0.0)
            compared += max(weight, 0.0)
        if compared > 0.5:
            used[turn] += first
        mean, cov = a[4:], pp[4:, 4:]
    return mean, cov, used


def update(a, pp, h, variance, y, square, heard):
    """Bar-Shalom, Fortmann 1988, 6.4."""
    s = h @ pp @ h + variance
    gain = pp @ h / s
    left = pp - heard * s * np.outer(gain, gain)
    return a + gain * y, left + (square - y * y) * np.outer(gain, gain)


@given(SEED)
@settings(max_examples=60, deadline=None)
def test_a_comparison_is_that_of_the_reference(seed: int) -> None:
    case = Case(seed)
    sound, *got = case.run()
    assert sound
    for one, other in zip(got, expected(case), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


@given(SEED)
@settings(max_examples=60, deadline=None)
def test_a_comparison_never_makes_a_covariance_that_is_none(seed: int) -> None:
    sound, mean, cov, _ = Case(seed).run()
    assert sound
    assert np.isfinite(mean).all()
    assert (cov == cov.T).all()
    assert np.linalg.eigvalsh(cov / np.sqrt(np.outer(np.diag(cov), np.diag(cov)))).min() > -1e-9


def test_numbers_that_fail_are_said_to() -> None:
    case = Case(3)
    case.mean[0] = math.nan
    assert not case.run()[0]


def test_the_same_bodies_give_the_same_bits() -> None:
    one, other = Case(5).run(), Case(5).run()
    assert [a.tobytes() for a in one[1:]] == [a.tobytes() for a in other[1:]]


@given(SEED, st.floats(-2.0, 2.0))
@settings(max_examples=50, deadline=None)
def test_a_shift_is_the_motion_of_a_constant_velocity(seed: int, dt: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3, 2, 6)) * 100.0
    p = np.stack([[Case._spd(rng, 6) for _ in range(2)] for _ in range(3)])
    f = np.eye(6) + dt * np.eye(6, k=3)
    xs, ps = x.copy(), p.copy()
    comparison.shift(1, 3, xs, ps, dt)
    np.testing.assert_array_equal(xs[0], x[0])
    np.testing.assert_array_equal(ps[0], p[0])
    np.testing.assert_allclose(xs[1:], x[1:] @ f.T, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ps[1:], f @ p[1:] @ f.T, rtol=1e-9, atol=1e-9)
    assert (ps == np.swapaxes(ps, 2, 3)).all()
    comparison.shift(1, 3, xs, ps, -dt)
    np.testing.assert_allclose(ps, p, rtol=1e-9, atol=1e-9)


@given(SEED, st.integers(1, 6))
@settings(max_examples=50, deadline=None)
def test_the_best_known_tracks_are_taken_in_their_order(seed: int, room: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 12))
    p = rng.integers(1, 9, (n, 6, 6)).astype(float) * 10.0
    existence, confirmed, independent = rng.uniform(0.8, 1.0, n), rng.random(n) < 0.8, rng.random(n) < 0.8
    emits = rng.random(n)
    slots = np.full(room, -1)
    levels = np.array([0.9, 150.0, 0.4])
    found = comparison.well_known(n, p, existence, confirmed, independent, emits, levels, slots)
    spread = p[:, 0, 0] + p[:, 1, 1]
    fit = [
        t for t in range(n) if confirmed[t] and independent[t] and existence[t] > 0.9 and spread[t] < 150.0
    ]
    best = sorted(sorted(fit, key=lambda t: (emits[t] < 0.4, spread[t], t))[:room])
    assert slots[:found].tolist() == best


# Parsimony -----------------------------------------------------------------------------------------


def figures(seed: int, m: int):
    rng = np.random.default_rng(seed)
    wide, narrow = np.full(m, 3.0**2), np.full(m, 0.3**2)
    cov = Case._spd(rng, m)
    cov = np.linalg.inv(np.linalg.inv(cov) + np.diag(1.0 / wide))
    return rng.normal(size=m) * rng.choice([0.1, 2.0], m), cov, wide, narrow


def way(mean, cov, large, wide, narrow):
    """In closed form: the prior of the small figures put in the place of the wide one, by Bayes' rule."""
    gain = np.where(large, 0.0, 1.0 / narrow - 1.0 / wide)
    before, after = np.linalg.inv(cov), np.linalg.inv(cov) + np.diag(gain)
    p = np.linalg.inv(after)
    x = p @ before @ mean
    log = 0.5 * np.where(large, 0.0, np.log(wide / narrow)).sum()
    log += 0.5 * (np.linalg.slogdet(before)[1] - np.linalg.slogdet(after)[1])
    return log - 0.5 * (mean @ before @ mean - x @ after @ x), x, p


@given(SEED, st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_a_way_to_explain_is_weighed_as_in_closed_form(seed: int, m: int) -> None:
    mean, cov, wide, narrow = figures(seed, m)
    large = np.random.default_rng(seed).random(m) < 0.4
    x, p = np.empty(m), np.empty((m, m))
    log = parsimony.held_small(mean, cov, large, wide, narrow, x, p)
    expected_log, expected_x, expected_p = way(mean, cov, large, wide, narrow)
    assert log == pytest.approx(expected_log, rel=1e-9, abs=1e-9)
    np.testing.assert_allclose(x, expected_x, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(p, expected_p, rtol=1e-9, atol=1e-12)


def enumerated(mean, cov, wide, narrow, chance):
    m, odds = len(mean), math.log(chance / (1.0 - chance))
    sets = [np.array(bits, bool) for bits in itertools.product([False, True], repeat=m)]
    ways = [way(mean, cov, large, wide, narrow) for large in sets]
    logs = np.array([log + large.sum() * odds for (log, _, _), large in zip(ways, sets, strict=True)])
    weight = np.exp(logs - logs.max())
    weight /= weight.sum()
    x = sum(w * one[1] for w, one in zip(weight, ways, strict=True))
    second = sum(w * (np.diag(one[2]) + one[1] ** 2) for w, one in zip(weight, ways, strict=True))
    return x, second - x**2, sum(w * large for w, large in zip(weight, sets, strict=True)), weight[0]


@given(SEED)
@settings(max_examples=60, deadline=None)
def test_two_figures_are_explained_as_by_enumeration(seed: int) -> None:
    # Ways that are less likely than the best by exp(-12) = 6e-6 are not extended: so far it may differ.
    mean, cov, wide, narrow = figures(seed, 2)
    x, variance, large = np.empty(2), np.empty(2), np.empty(2)
    none = parsimony.explain(mean, cov, wide, narrow, 0.05, x, variance, large)
    for got, exact in zip((x, variance, large, none), enumerated(mean, cov, wide, narrow, 0.05), strict=True):
        np.testing.assert_allclose(got, exact, rtol=1e-9, atol=2e-5)


@given(SEED, st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_probabilities_are_probabilities(seed: int, m: int) -> None:
    mean, cov, wide, narrow = figures(seed, m)
    x, variance, large = np.empty(m), np.empty(m), np.empty(m)
    none = parsimony.explain(mean, cov, wide, narrow, 0.05, x, variance, large)
    assert 0.0 <= none <= 1.0
    assert ((large >= 0.0) & (large <= 1.0 + 1e-12)).all()
    assert (variance >= 0.0).all()
    assert np.isfinite(x).all()


def test_one_far_figure_of_many_is_found_and_the_others_are_small() -> None:
    m = 8
    wide, narrow = np.full(m, 9.0), np.full(m, 0.09)
    mean, cov = np.zeros(m), np.eye(m) * 0.04
    mean[3] = 4.0
    x, variance, large = np.empty(m), np.empty(m), np.empty(m)
    parsimony.explain(mean, cov, wide, narrow, 0.05, x, variance, large)
    assert large[3] > 0.99
    assert large[np.arange(m) != 3].max() < 0.1
    assert x[3] == pytest.approx(4.0, abs=0.1)
