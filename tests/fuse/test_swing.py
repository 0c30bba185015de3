"""Which way finders look, by all that they hear: the profile of `kernels.swing`."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.fuse.kernels import sight, swing

SEED = st.integers(0, 2**32 - 1)
DEG = math.pi / 180.0


def wrap(angle: Any) -> Any:
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


class Second:
    """Bodies, and looks of a radar and of finders that stand anywhere; some hear nothing."""

    def __init__(self, seed: int, bodies: int | None = None, turned: float = 0.0) -> None:
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 5)) if bodies is None else bodies
        places = [rng.uniform(-3000, 3000, (n, 2)), rng.uniform(20, 200, (n, 1)), rng.normal(0, 20, (n, 3))]
        self.x = np.concatenate(places, 1)
        half = rng.normal(size=(n, 6, 12))
        self.p = half @ half.transpose(0, 2, 1) / 12 * np.outer(*[[20, 20, 20, 3, 3, 1]] * 2)
        self.when = rng.uniform(99.5, 100.0, n)
        self.slots = np.flatnonzero(rng.random(n) < 0.8) if bodies is None else np.arange(n)
        self.sensor = np.array([0, 1, 2, 2])
        self.kind = np.array([sight.POLAR, sight.BEARING, sight.BEARING, sight.BEARING])
        self.time = rng.uniform(99.0, 100.0, 4)
        self.silent = rng.random((n, 3)) < (0.2 if bodies is None else 0.0)
        self.silent = self.silent[: len(self.slots)]
        origins, figures, plots = rng.uniform(-2500, 2500, (3, 2)), [], []
        for look, who in enumerate(self.sensor):
            c, d = math.cos(0.02 * look), math.sin(0.02 * look)
            rotation = np.array([[c, d, 0.0], [-d, c, 0.0], [0.0, 0.0, 1.0]])
            figures.append([0.9 if who else 0.7, *origins[who], 5.0, *rotation.ravel()])
            plots.append(self._plots(rng, look, origins[who], rotation, turned if look == 1 else 0.0))
        self.figures, self.number = np.array(figures), np.array([len(some) for some in plots])
        self.plots = np.concatenate(plots)

    def _plots(self, rng: Any, look: int, origin: Any, rotation: Any, turned: float) -> np.ndarray:
        away = self.x[:, :3] + (self.time[look] - self.when)[:, None] * self.x[:, 3:] - [*origin, 5.0]
        e, n, _ = (away @ rotation).T
        number = len(e) if turned or rng.random() < 0.8 else 0
        azimuths = np.arctan2(e, n)[:number] + turned + rng.normal(0.0, 0.005, number)
        out = np.zeros((number, 4))
        out[:, 0], out[:, 2] = wrap(azimuths), rng.uniform(0.005, 0.03) ** 2
        return out

    def run(self, profile: np.ndarray) -> np.ndarray:
        swing.listen(
            self.slots, self.x, self.p, self.when, self.sensor, self.kind, self.time, self.figures,
            self.number, self.plots, self.silent, profile,
        )  # fmt: skip
        return profile


def expected(case: Second) -> np.ndarray:
    """The same with arrays."""
    cells = (np.arange(swing.CELLS) - swing.CELLS / 2) * DEG
    ends, terms = np.cumsum(case.number), np.zeros((3, len(case.slots) + 1, swing.CELLS))
    for turn, t in enumerate(case.slots):
        for who in range(3):
            said = []
            for look in np.flatnonzero((case.sensor == who) & (case.kind == sight.BEARING)):
                plots = case.plots[ends[look] - case.number[look] : ends[look]]
                origin, rotation = case.figures[look, 1:4], case.figures[look, 4:].reshape(3, 3)
                dt = case.time[look] - case.when[t]
                body = case.x[t, :3] + dt * case.x[t, 3:]
                e, n, _ = rotation.T @ (body - origin)
                if not len(plots) or math.hypot(*(body - origin)[:2]) < 150.0 or case.silent[turn, who]:
                    continue
                g = rotation[:2] @ np.array([n, -e, 0.0]) / (e * e + n * n)
                own = g @ case.p[t, :2, :2] @ g + 100.0 * abs(dt) ** 3 / 3.0 * g @ g
                s = own + plots[:, 2] + DEG**2 / 12.0
                off = wrap(wrap(plots[:, 0] - math.atan2(e, n))[:, None] - cells)
                each = np.exp(-0.5 * off**2 / s[:, None]) / np.sqrt(2 * math.pi * s)[:, None]
                each *= off**2 <= 16.0 * s[:, None]
                sees = min(case.figures[look, 0], 0.8)
                said.append(np.log1p(sees / (1 - sees) * 2 * math.pi / len(plots) * each.sum(axis=0)))
            if said:
                terms[who, turn] = np.mean(said, axis=0)
    return terms.sum(axis=1) - terms.max(axis=1)


@given(SEED)
@settings(max_examples=40, deadline=None)
def test_a_second_adds_the_likelihood_of_each_bias(seed: int) -> None:
    case, before = Second(seed), np.random.default_rng(seed).uniform(0.0, 5.0, (3, swing.CELLS))
    found = case.run(before.copy())
    np.testing.assert_allclose(found, before + expected(case), rtol=1e-9, atol=1e-9)
    assert found[0].tolist() == before[0].tolist()


@given(SEED, st.sampled_from([-170.0, -20.0, -9.0, 10.0, 60.0, 179.6]))
@settings(max_examples=30, deadline=None)
def test_a_turned_finder_is_found_wherever_it_looks(seed: int, turned: float) -> None:
    profile = np.zeros((3, swing.CELLS))
    for second in range(12):
        Second(seed + second, 4, turned * DEG).run(profile)
    peak = swing.elsewhere(profile[1], 0.0, 0.1 * DEG, 20.0, 0.5)
    assert abs(math.degrees(wrap(peak - turned * DEG))) < 1.0
    assert math.isnan(swing.elsewhere(profile[1], turned * DEG, 0.1 * DEG, 20.0, 0.5))
    assert math.isnan(swing.elsewhere(profile[2], 0.0, 0.1 * DEG, 20.0, 0.5))


def test_one_body_alone_says_nothing() -> None:
    profile = np.zeros((3, swing.CELLS))
    for second in range(30):
        Second(second, 1, 8.0 * DEG).run(profile)
    assert not profile.any()


def test_a_second_counts_once_however_often_a_sensor_looks() -> None:
    case, twice = Second(3, 4, 5.0 * DEG), Second(3, 4, 5.0 * DEG)
    begin, end = case.number[0], case.number[0] + case.number[1]
    order = [0, 1, 1, 2, 3]
    twice.sensor, twice.kind, twice.time = case.sensor[order], case.kind[order], case.time[order]
    twice.figures, twice.number = case.figures[order], case.number[order]
    twice.plots = np.concatenate([case.plots[:end], case.plots[begin:]])
    once, again = (one.run(np.zeros((3, swing.CELLS))) for one in (case, twice))
    assert once[1].max() > 3.0
    np.testing.assert_allclose(once, again, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("least", "share", "there"), [(40.0, 0.5, True), (60.0, 0.5, False), (40.0, 0.7, False)]
)
def test_how_much_likelier_it_has_to_be(least: float, share: float, there: bool) -> None:
    profile = np.full(swing.CELLS, 10.0)
    profile[180], profile[210] = 50.0, 100.0
    assert math.isfinite(swing.elsewhere(profile, 0.0, 0.01, least, share)) == there
    # What is known badly may well be there.
    assert math.isnan(swing.elsewhere(profile, 0.0, 10.0 * DEG, 40.0, 0.5))


def test_a_profile_of_nothing_says_nothing() -> None:
    assert math.isnan(swing.elsewhere(np.zeros(swing.CELLS), 0.3, 0.01, 40.0, 0.5))
    assert math.isnan(swing.elsewhere(np.zeros(swing.CELLS), 0.3, math.pi, 40.0, 0.5))
