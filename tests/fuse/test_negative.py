"""What a miss says of where a body is: the kernels against plain numpy, and against places drawn blindly."""

import math

import fuse_ground_reference as ground
import fuse_reference as reference
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vedette.fuse.kernels import negative
from vedette.fuse.kernels.coverage import POINTS

near, firm = reference.near, reference.firm
SEEDS = st.integers(0, 2**32 - 1)
SIGMA = np.array([80.0, 60.0, 30.0, 8.0, 8.0, 2.0])
AZIMUTHS, STEPS, STEP_M = 24, 40, 100.0


def hills(rng: np.random.Generator, void: bool) -> ground.Mask:
    """A mask with steep and with level horizons, and rays behind which nothing is known."""
    horizon = np.maximum.accumulate(rng.normal(-0.05, 0.06, (AZIMUTHS, STEPS)), axis=1).astype(np.float32)
    first = np.full(AZIMUTHS, STEPS, np.int32)
    if void:
        first[rng.integers(0, AZIMUTHS, 8)] = rng.integers(0, STEPS, 8)
    place = np.array([rng.normal(0, 50), rng.normal(0, 50), 12.0, STEP_M, 5.9e-8, 7.8e-8])
    return horizon, first, place


def body(rng: np.random.Generator, mask: ground.Mask) -> tuple[np.ndarray, np.ndarray]:
    """A state about as high as the horizon there, and its covariance."""
    turn, reach = rng.uniform(-math.pi, math.pi), rng.uniform(50.0, 0.97 * STEPS * STEP_M)
    east, north = mask[2][:2] + reach * np.array([math.sin(turn), math.cos(turn)])
    x = np.array([east, north, 0.0, *rng.normal(0, 15, 3)])
    x[2] = rng.normal(0, 20) - ground.clearance((mask[0], np.full_like(mask[1], STEPS), mask[2]), x)
    return x, reference.covariance(rng, SIGMA * 10.0 ** rng.uniform(-1, 0.5))


def away(x, p, sees, mask, soft_m):
    """`negative.away` on copies."""
    xo, po = x.copy(), p.copy()
    missed = negative.away(xo, po, sees, *mask, soft_m, np.empty((POINTS, 3)))
    return xo, po, missed


@settings(deadline=None, max_examples=150)
@given(SEEDS, st.floats(0.0, 1.0) | st.sampled_from([0.0, 0.9, 1.0]), st.floats(0.01, 40.0), st.booleans())
def test_a_miss_is_bayes_rule_at_the_sigma_points(seed: int, sees: float, soft_m: float, void: bool) -> None:
    rng = np.random.default_rng(seed)
    mask = hills(rng, void)
    x, p = body(rng, mask)
    xo, po, missed = away(x, p, sees, mask, soft_m)
    points, weights = ground.sigma_points(x[:3], p[:3, :3])
    whole = float(weights @ (1.0 - sees * ground.seen_for_sure(mask, points, soft_m)))
    assert missed == pytest.approx(whole, rel=1e-9, abs=1e-12)
    if whole <= 2e-6:
        return
    x_want, p_want, _ = ground.away(x, p, sees, mask, soft_m)
    # Equal within 1e-9 of what was foretold: all points but one may be excluded, and nothing be left.
    sigma = np.sqrt(np.diag(p))
    assert (np.abs(xo - x_want) <= 1e-9 * sigma / whole).all()
    assert (np.abs(po - p_want) <= 1e-9 * np.outer(sigma, sigma) / whole).all()
    assert (po == po.T).all()


def test_what_is_all_in_view_or_all_hidden_stays_where_it_is() -> None:
    rng = np.random.default_rng(3)
    horizon, first, place = hills(rng, False)
    x, p = np.array([900.0, 400.0, 60.0, 3.0, -2.0, 0.5]), reference.covariance(rng, SIGMA)
    for slope, missed_want in ((-5.0, 0.3), (5.0, 1.0)):
        xo, po, missed = away(x, p, 0.7, (np.full_like(horizon, slope), first, place), 5.0)
        assert missed == pytest.approx(missed_want, rel=1e-9)
        near(xo, po, x, p)


def test_nobody_can_be_missed_where_all_is_seen_without_fail() -> None:
    """Then a miss is no place: the state stays, and the weight of the model is nothing."""
    horizon, first, place = hills(np.random.default_rng(3), False)
    x, p = np.array([900.0, 400.0, 60.0, 3.0, -2.0, 0.5]), np.diag(SIGMA**2)
    xo, po, missed = away(x, p, 1.0, (np.full_like(horizon, -5.0), first, place), 5.0)
    assert missed == 0.0
    assert (xo == x).all()
    assert (po == p).all()


@pytest.mark.parametrize("known", [(0, 1, 2), (0,), (2,), (1, 2)])
def test_a_place_known_without_error_stays_where_it_is(known: tuple[int, ...]) -> None:
    rng = np.random.default_rng(5)
    mask = hills(rng, False)
    x, p = body(rng, mask)
    p[list(known), :] = 0.0
    p[:, list(known)] = 0.0
    xo, po, missed = away(x, p, 0.9, mask, 5.0)
    assert 0.0 < missed <= 1.0
    assert (xo == x).all()
    assert (po == p).all()


def test_a_drone_in_front_of_a_hill_that_is_missed_is_behind_it() -> None:
    """Against drawing places at random: the sigma points err, but not about the side."""
    rng = np.random.default_rng(1)
    horizon, first, _ = hills(rng, False)
    horizon[:, :] = -1.0
    horizon[:, 10:] = 0.05
    mask = (horizon, first, np.array([0.0, 0.0, 0.0, STEP_M, 0.0, 0.0]))
    x, p = np.array([0.0, 1000.0, 20.0, 0.0, 10.0, 0.0]), np.diag([40.0, 150.0, 5.0, 5.0, 5.0, 1.0]) ** 2
    p[1, 4] = p[4, 1] = 500.0
    drawn = rng.multivariate_normal(x, p, 4000)
    missed = 1.0 - 0.9 * ground.seen_for_sure(mask, drawn[:, :3], 5.0)
    mean = missed @ drawn / missed.sum()
    xo, po, weight = away(x, p, 0.9, mask, 5.0)
    assert weight == pytest.approx(missed.mean(), abs=0.2)
    assert 1030.0 < xo[1] == pytest.approx(mean[1], abs=60.0)
    assert 10.5 < xo[4] == pytest.approx(mean[4], abs=1.5)
    assert firm(po)


@settings(deadline=None, max_examples=150)
@given(SEEDS, st.floats(-3.0, 3.0))
@example(0, 0.0)
def test_regression_is_the_conditional_mean(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    p, gain = reference.covariance(rng, SIGMA * 10.0**scale), np.empty((6, 3))
    assert negative.regression(p, gain)
    want = p[:, :3] @ np.linalg.inv(p[:3, :3])
    sigma = np.sqrt(np.diag(p))
    slack = 1e-12 * np.linalg.cond(p[:3, :3] / np.outer(sigma[:3], sigma[:3]))
    assert (np.abs(gain - want) <= max(slack, 1e-9) * sigma[:, None] / sigma[None, :3]).all()
    assert gain[:3] == pytest.approx(np.eye(3), abs=1e-7)


@pytest.mark.parametrize("sigma", [0.0, 1e-6])
def test_what_has_no_spread_has_no_regression(sigma: float) -> None:
    assert not negative.regression(np.diag([9.0, sigma**2, 9.0, 1.0, 1.0, 1.0]), np.empty((6, 3)))


@settings(deadline=None, max_examples=150)
@given(SEEDS)
def test_the_rest_is_shifted_with_the_place(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, p = rng.normal(size=6) * SIGMA, reference.covariance(rng, SIGMA)
    follows = np.vstack([np.eye(3), p[3:, :3] @ np.linalg.inv(p[:3, :3])])
    off = rng.normal(size=3) * 30.0
    after = reference.covariance(rng, SIGMA)[:3, :3]
    xo, po = x.copy(), p.copy()
    negative.shift(xo, po, follows, off, after - p[:3, :3])
    sigma = np.sqrt(np.diag(p))
    assert (np.abs(xo - x - follows @ off) <= 1e-9 * sigma).all()
    want = p + follows @ (after - p[:3, :3]) @ follows.T
    assert (np.abs(po - want) <= 1e-9 * np.outer(sigma, sigma)).all()
    assert (po == po.T).all()


# --- the table of tracks

NOW = 50.0
VIEWS = (0.0, 0.0005, 0.002, 0.5, 0.9998, 0.99995, 1.0)


class Table:
    """Some tracks: their models at `NOW`, and the table with what was known before."""

    def __init__(self, rng: np.random.Generator, mask: ground.Mask, n: int, m: int) -> None:
        bodies = [[body(rng, mask) for _ in range(m)] for _ in range(n)]
        self.x = np.array([[x for x, _ in one] for one in bodies]).reshape(n, m, 6)
        self.p = np.array([[p for _, p in one] for one in bodies]).reshape(n, m, 6, 6)
        self.mu = rng.dirichlet(np.ones(m), size=n)
        self.missed, self.view = rng.random(n) < 0.7, rng.choice(VIEWS, n)
        self.times = rng.choice([NOW - 1.0, NOW, NOW + 1e-9, NOW + 1.0], n)
        self.kept = (
            np.zeros((n, 6)), np.zeros((n, 6, 6)), np.zeros((n, m, 6)), np.zeros((n, m, 6, 6)),
            np.zeros((n, m)),
        )  # fmt: skip

    def run(self, sees: float, mask: ground.Mask) -> None:
        x_, p_, xm_, pm_, mu_ = self.kept
        negative.missed_behind(
            NOW, sees, self.view, self.missed, self.x.copy(), self.p.copy(), self.mu.copy(), *mask, 5.0,
            self.times, x_, p_, xm_, pm_, mu_,
        )  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(SEEDS, st.integers(0, 6), st.integers(1, 3), st.floats(0.0, 1.0))
def test_tracks_that_are_in_view_in_part_are_moved_and_no_others(
    seed: int, n: int, m: int, sees: float
) -> None:
    rng = np.random.default_rng(seed)
    mask = hills(rng, True)
    table = Table(rng, mask, n, m)
    before = table.times.copy()
    table.run(sees, mask)
    x_, p_, xm_, pm_, mu_ = table.kept
    for t in range(n):
        states = [away(table.x[t, a], table.p[t, a], sees, mask, 5.0) for a in range(m)]
        weights = table.mu[t] * [missed for _, _, missed in states]
        apt = table.missed[t] and before[t] <= NOW and 0.001 < table.view[t] < 0.9999
        if not apt or weights.sum() <= 1e-6:
            assert table.times[t] == before[t]
            assert not any(part[t].any() for part in table.kept)
            continue
        mu = weights / weights.sum()
        assert table.times[t] == NOW
        assert mu_[t] == pytest.approx(mu, rel=1e-9)
        np.testing.assert_array_equal(xm_[t], [x for x, _, _ in states])
        np.testing.assert_array_equal(pm_[t], [p for _, p, _ in states])
        near(x_[t], p_[t], *reference.moments(mu, xm_[t], pm_[t]))


def test_whether_it_was_the_last_that_could_be_seen_decides_between_models() -> None:
    """Of two models of a body, one before a hill and one behind it, a miss makes the second likely."""
    rng = np.random.default_rng(1)
    horizon, first, _ = hills(rng, False)
    horizon[:, :] = -1.0
    horizon[:, 10:] = 5.0
    mask = (horizon, first, np.array([0.0, 0.0, 0.0, STEP_M, 0.0, 0.0]))
    table = Table(rng, mask, 1, 2)
    table.x[0, :, :3], table.p[0] = [[0.0, 600.0, 20.0], [0.0, 1500.0, 20.0]], np.eye(6)
    table.mu[0], table.missed[0], table.view[0], table.times[0] = [0.5, 0.5], True, 0.5, 0.0
    table.run(0.9, mask)
    assert table.kept[-1][0] == pytest.approx([0.1 / 1.1, 1.0 / 1.1])
    assert table.kept[0][0, 1] == pytest.approx((60.0 + 1500.0) / 1.1)
    assert math.isclose(table.times[0], NOW)
