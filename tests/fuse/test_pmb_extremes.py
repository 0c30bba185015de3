"""Long runs of the Poisson multi-Bernoulli kernels, and numbers that no sensor should send and any may."""

import math

import fuse_reference as reference
import fuse_scans as scans
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.fuse.kernels import imm, pmb

Result, firm = scans.Result, reference.firm
POLAR, BEARING, PLACE = pmb.POLAR, pmb.BEARING, pmb.PLACE
SEED = st.integers(0, 2**32 - 1)


@pytest.mark.parametrize("kind", [POLAR, PLACE, None])
def test_ten_thousand_scans_keep_covariances_positive_and_existence_a_probability(kind: int | None) -> None:
    rng = np.random.default_rng(3)
    truth = np.array(
        [[800.0, 500, 90, 12, -5, 0.5], [810.0, 520, 95, 12, -5, 0], [-400.0, 900, 60, -9, 2, 0]]
    )
    x, p = np.repeat(truth[:, None], 3, axis=1), np.tile(np.diag([100.0, 100, 100, 25, 25, 9]), (3, 3, 1, 1))
    mu, r, known = np.full((3, 3), 1 / 3), np.full(3, 0.5), np.ones(3, bool)
    origin, rotation = np.array([0.0, 0.0, 3.0]), reference.turned(rng, 1e-3)
    rows = np.array([[True] * 6] * 4)
    for step in range(10_000):
        dt = float(rng.choice([0.0, 0.01, 0.5, 1.0, 2.0]))
        truth[:, :3] += dt * truth[:, 3:]
        truth[:, 3:] += rng.normal(size=(3, 3)) * math.sqrt(dt) * [3.0, 3.0, 0.2]
        truth[:, 3:] -= 0.02 * dt * (truth[:, :3] - [0, 0, 80]) / [1, 1, 0.5]
        xo, po, muo, ko = np.empty_like(x), np.empty_like(p), np.empty_like(mu), np.empty(3, bool)
        imm.predict_all(
            3, np.zeros(3), x, p, mu, known, dt, reference.MODELS, reference.MOTION, xo, po, muo, ko
        )
        now = int(rng.integers(3)) if kind is None else kind
        sigma = reference.SIGMA[now]
        bodies = [*truth, truth[0] + rng.normal(size=6) * 30]
        z = np.array([reference.draw(now, body, origin, rotation, sigma, rng) for body in bodies])
        use = rows & (np.arange(6) < reference.ROWS[now])
        searching = now == POLAR
        hit, best, unclaimed = np.zeros(3), np.zeros(3, np.int64), np.zeros(4)
        forbidden, elsewhere = rng.random((3, 4)) < 0.1, np.full(4, 1e-5)
        pmb.scan(
            3, now, xo, po, muo, r, np.full(3, 0.9), searching, origin, rotation, z,
            np.tile(sigma**2, (4, 1)), use, forbidden, elsewhere, reference.GATES, hit, best, unclaimed,
        )  # fmt: skip
        r = np.maximum(r, 1e-5)
        x, p, mu, known = xo, po, muo, ko | (hit > 0.5)
        assert firm(p), step
        assert ((r >= 0) & (r <= 1)).all(), step
        assert ((hit >= 0) & (hit <= 1) & np.isfinite(mu).all(axis=1)).all(), step
        assert ((unclaimed >= 0) & (unclaimed <= 1)).all(), step


def extreme(seed: int):
    """A scene of numbers that no sensor should send and any may."""
    rng = np.random.default_rng(seed)
    kind, n, k, m = int(rng.integers(3)), 3, 4, 3
    origin = rng.normal(size=3) * 10.0 ** rng.uniform(-1, 5)
    way = 10.0 ** rng.uniform(-1, 5.3, n)
    azimuth = rng.choice([math.pi, -math.pi, 0.0, math.pi / 2, 1.3], n)
    ground = way * rng.choice([0.0, 1e-9, 0.3, 1.0], n)
    centre = rng.normal(size=(n, 6)) * 10.0 ** rng.uniform(-6, 2.5)
    centre[:, :3] = origin + np.array([ground * np.sin(azimuth), ground * np.cos(azimuth), way - ground]).T
    p = np.array([
        [reference.covariance(rng, 10.0 ** rng.uniform(-6, 6, 6)) for _ in range(m)] for _ in range(n)
    ])  # fmt: skip
    x = np.repeat(centre[:, None], m, axis=1)
    sigma = 10.0 ** rng.uniform(-6, 6, (k, 6))
    if kind == POLAR:
        sigma[:, 1:3] = np.minimum(sigma[:, 1:3], math.pi / 4)
    z = np.zeros((k, 6))
    for q in range(k):
        h, slope = np.empty(6), np.empty((6, 6))
        pmb.observe(kind, x[q % n, 0], origin, np.eye(3), h, slope)
        rows = reference.ROWS[kind]
        z[q, :rows] = h[:rows] + rng.normal(size=rows) * np.minimum(sigma[q, :rows], 1e5)
        if kind != PLACE:
            z[q, pmb.ANGLE[kind]] = rng.choice([pmb.wrapped(z[q, pmb.ANGLE[kind]]), -math.pi])
    use = np.zeros((k, 6), bool)
    use[:, : reference.ROWS[kind]] = rng.random((k, reference.ROWS[kind])) < 0.8
    use[:, : 1 if kind == BEARING else 2] = True
    return reference.Scene(
        n, kind, x, p, np.full((n, m), 1 / m), 10.0 ** rng.uniform(-12, 0, n),
        rng.choice([0.0, 0.5, 0.99], n), bool(rng.integers(2)), origin, np.eye(3), z, sigma**2, use,
        np.zeros((n, k), bool), 10.0 ** rng.uniform(-30, 2, k),
    )  # fmt: skip


@given(SEED, st.lists(st.sampled_from([0.0, 0.0, 1e-9, 1.0, 1e3, 1e6]), min_size=1, max_size=8))
@settings(deadline=None, max_examples=400, derandomize=True)
def test_extreme_but_finite_numbers_give_finite_positive_ones(seed: int, steps: list[float]) -> None:
    scene = extreme(seed)
    for dt in steps:
        x, p, mu = np.empty_like(scene.x), np.empty_like(scene.p), np.empty_like(scene.mu)
        known = np.ones(scene.n, bool)
        imm.predict_all(
            scene.n, np.zeros(scene.n), scene.x, scene.p, scene.mu, known, dt, reference.MODELS,
            reference.MOTION, x, p, mu, known,
        )  # fmt: skip
        scene.x, scene.p, scene.mu = x, p, mu
        after = Result(scene)
        for numbers in (after.x, after.mu, after.hit, after.unclaimed):
            assert np.isfinite(numbers).all()
        assert ((after.r >= 0) & (after.r <= 1)).all()
        assert ((after.unclaimed >= 0) & (after.unclaimed <= 1)).all()
        assert firm(after.p)
        scene.x, scene.p, scene.mu, scene.r = after.x, after.p, after.mu, after.r
