"""The kernels against the same mathematics in plain numpy, and against themselves uncompiled."""

import fuse_reference as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.fuse.kernels import kalman

MOTION = np.array([30.0, 5.0, 80.0, 3600.0, 25.0])
SEEDS = st.integers(0, 2**32 - 1)


def random_covariance(rng: np.random.Generator, size: int, scale: float) -> np.ndarray:
    a = rng.normal(size=(size, size)) * scale
    return a @ a.T + np.eye(size) * 0.1 * scale


def transition(dt: float) -> tuple[np.ndarray, np.ndarray]:
    f = np.eye(6)
    f[:3, 3:] = np.eye(3) * dt
    q = np.zeros((6, 6))
    for i, density in enumerate((30.0, 30.0, 5.0)):
        q[i, i], q[i, i + 3], q[i + 3, i], q[i + 3, i + 3] = (
            density * dt**3 / 3, density * dt**2 / 2, density * dt**2 / 2, density * dt,
        )  # fmt: skip
    return f, q


def jacobian(x: np.ndarray, use: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """Rows of the measurement, by the complex step (Squire, Trapp, SIAM Review 40(1), 1998)."""

    def measure(state: np.ndarray) -> np.ndarray:
        line = state[:3] - origin
        rate = line @ state[3:] / np.sqrt(line @ line)
        return np.append(state, rate)[use]

    step = 1e-30
    return np.array([measure(x + 1j * step * e).imag / step for e in np.eye(6)]).T


def case(seed: int) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=6) * np.array([1000, 1000, 100, 20, 20, 5])
    p = random_covariance(rng, 6, 5.0)
    z = np.append(x, 0.0) + rng.normal(size=7) * 5
    r = np.zeros((7, 7))
    r[:3, :3] = random_covariance(rng, 3, 5.0)
    for i in range(3, 7):
        r[i, i] = rng.uniform(0.1, 9)
    use = np.array([True, True, bool(rng.integers(2)), *[bool(rng.integers(2))] * 3, bool(rng.integers(2))])
    return x, p, z, r, use, rng.normal(size=3) * 100 + 5000


@given(SEEDS, st.floats(0.0, 5.0))
@settings(deadline=None, max_examples=50)
def test_predict_is_the_constant_velocity_model(seed: int, dt: float) -> None:
    x, p, *_ = case(seed)
    xo, po = np.empty(6), np.empty((6, 6))
    known = kalman.predict(x, p, dt, MOTION, True, xo, po)
    f, q = transition(dt)
    want = f @ p @ f.T + q
    if known:
        np.testing.assert_allclose(po, want, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(xo, f @ x, rtol=1e-12)
    else:
        assert want[2, 2] > MOTION[3] - 1e-6
    np.testing.assert_allclose(po[:2, :2], want[:2, :2], rtol=1e-9, atol=1e-9)


@given(SEEDS)
@settings(deadline=None, max_examples=80)
def test_update_is_the_kalman_update(seed: int) -> None:
    x, p, z, r, use, origin = case(seed)
    h = jacobian(x, use, origin)
    s = h @ p @ h.T + r[np.ix_(use, use)]
    gain = np.linalg.solve(s, h @ p).T
    rate = (x[:3] - origin) @ x[3:] / np.linalg.norm(x[:3] - origin)
    y = (z - np.append(x, rate))[use]
    xk, pk = x.copy(), p.copy()
    d2 = kalman.update(xk, pk, z, r, use, origin)
    rest = np.eye(6) - gain @ h
    reference.near(xk, pk, x + gain @ y, rest @ p @ rest.T + gain @ r[np.ix_(use, use)] @ gain.T)
    assert d2 == pytest.approx(y @ np.linalg.solve(s, y), rel=1e-9)
    assert (pk == pk.T).all()
    assert (np.linalg.eigvalsh(pk) > 0).all()


@given(SEEDS)
@settings(deadline=None, max_examples=25)
def test_compiled_and_plain_agree(seed: int) -> None:
    x, p, z, r, use, origin = case(seed)
    xa, pa, xb, pb = x.copy(), p.copy(), x.copy(), p.copy()
    a = kalman.update(xa, pa, z, r, use, origin)
    b = kalman.update.py_func(xb, pb, z, r, use, origin)
    assert a == pytest.approx(b, rel=1e-12)
    np.testing.assert_allclose(xa, xb, rtol=1e-12)
    np.testing.assert_allclose(pa, pb, rtol=1e-10, atol=1e-10)


@given(SEEDS)
@settings(deadline=None, max_examples=40)
def test_score_measures_the_joint_distance_and_the_flat_density(seed: int) -> None:
    x, p, z, r, use, origin = case(seed)
    d2, cost, density = np.zeros(1), np.zeros(1), np.zeros(1)
    one = (np.zeros(1), x[None], p[None], np.ones(1, bool))
    kalman.score(1, *one, 0.5, MOTION, z, r, use, origin, 1e9, d2, cost, density)
    xp, pp = np.empty(6), np.empty((6, 6))
    kalman.predict(x, p, 0.5, MOTION, True, xp, pp)
    h = jacobian(xp, use, origin)
    s = h @ pp @ h.T + r[np.ix_(use, use)]
    rate = (xp[:3] - origin) @ xp[3:] / np.linalg.norm(xp[:3] - origin)
    y = (z - np.append(xp, rate))[use]
    assert d2[0] == pytest.approx(y @ np.linalg.solve(s, y), rel=1e-9)
    assert cost[0] == pytest.approx(d2[0] + np.linalg.slogdet(s)[1], rel=1e-9, abs=1e-9)
    flat = s[:2, :2]
    expected = np.exp(-0.5 * y[:2] @ np.linalg.inv(flat) @ y[:2]) / (2 * np.pi * np.sqrt(np.linalg.det(flat)))
    assert density[0] == pytest.approx(expected, rel=1e-9, abs=1e-300)


@given(SEEDS, st.floats(1.0, 200.0))
@settings(deadline=None, max_examples=60)
def test_the_cheap_refusal_never_refuses_what_the_gate_would_take(seed: int, gate: float) -> None:
    x, p, z, r, use, origin = case(seed)
    z[:2] += np.random.default_rng(seed).normal(size=2) * 30
    d2, cost, density = np.zeros(1), np.zeros(1), np.zeros(1)
    one = (np.zeros(1), x[None], p[None], np.ones(1, bool))
    kalman.score(1, *one, 0.3, MOTION, z, r, use, origin, 1e12, d2, cost, density)
    whole = d2[0]
    kalman.score(1, *one, 0.3, MOTION, z, r, use, origin, gate, d2, cost, density)
    assert (d2[0] == whole) if whole <= gate else np.isinf(d2[0])


def test_a_height_that_grew_vaguer_than_the_prior_is_forgotten() -> None:
    x, p = np.array([3000.0, 4000.0, 500.0, 10.0, 0.0, 3.0]), np.eye(6) * 100.0
    xo, po = np.empty(6), np.empty((6, 6))
    assert kalman.predict(x, p, 1.0, MOTION, True, xo, po)
    assert xo[2] == pytest.approx(503.0)
    assert not kalman.predict(x, p, 60.0, MOTION, True, xo, po)
    assert xo[2] == pytest.approx(80.0 - np.hypot(xo[0], xo[1]) ** 2 / (2 * 6371000.0))
    assert po[2, 2] == 3600.0
    assert (po[2, [0, 1, 3, 4, 5]] == 0).all()


def test_a_covariance_that_is_not_positive_is_refused_and_changes_nothing() -> None:
    x, p = np.zeros(6), -np.eye(6)
    use = np.array([True, True, False, False, False, False, False])
    assert kalman.update(x, p, np.ones(7), np.eye(7) * 0.5, use, np.zeros(3)) == -1.0
    assert (x == 0).all()
    assert (p == -np.eye(6)).all()


@pytest.mark.parametrize(
    ("azimuth", "seen"),
    [(350.0, True), (10.0, True), (0.0, True), (340.0, False), (20.0, False), (180.0, False)],
)
def test_a_sector_may_run_through_north(azimuth: float, seen: bool) -> None:
    limits = np.array([100.0, 5000.0, 345.0, 375.0, -10.0, 45.0, -np.inf, np.inf])
    a = np.radians(azimuth)
    x = np.array([[1000 * np.sin(a), 1000 * np.cos(a), 100.0, 5.0, 0.0, 0.0]])
    flags = np.zeros(1, bool)
    kalman.in_view(1, x, np.zeros(3), np.eye(3), limits, flags)
    assert flags[0] == seen


@pytest.mark.parametrize(
    ("place", "velocity", "seen"),
    [
        ((0, 1000, 100), (0, 20, 0), True),
        ((0, 50, 10), (0, 20, 0), False),
        ((0, 6000, 10), (0, 20, 0), False),
        ((0, 300, 900), (0, 20, 0), False),
        ((0, 1000, 100), (20, 0, 0), False),
    ],
)
def test_what_lies_outside_range_elevation_or_range_rate_is_not_in_view(
    place: tuple[float, ...], velocity: tuple[float, ...], seen: bool
) -> None:
    limits = np.array([100.0, 5000.0, 0.0, 360.0, -5.0, 30.0, 5.0, 100.0])
    flags = np.zeros(1, bool)
    kalman.in_view(1, np.array([[*place, *velocity]], float), np.zeros(3), np.eye(3), limits, flags)
    assert flags[0] == seen


def test_close_pairs_need_both_place_and_velocity() -> None:
    x = np.array(
        [[0, 0, 0, 10, 0, 0], [3, 0, 0, 10, 0, 0], [3, 0, 0, -10, 0, 0], [90, 0, 0, 10, 0, 0]], float
    )
    p = np.repeat(np.diag([9.0, 9, 9, 1, 1, 1])[None], 4, axis=0)
    pairs = np.zeros((8, 2), np.int64)
    found = kalman.close_pairs(4, x, p, 4.0, pairs)
    assert pairs[:found].tolist() == [[0, 1]]


def plainly_close(x: np.ndarray, p: np.ndarray, gate: float) -> list[list[int]]:
    """What `kalman.close_pairs` finds, by comparing each state with each other one."""

    def near(a: int, b: int, rows: slice) -> bool:
        apart = x[a, rows] - x[b, rows]
        spread = p[a, rows, rows] + p[b, rows, rows]
        return bool(apart @ np.linalg.solve(spread, apart) < gate)

    n = len(x)
    return [
        [a, b]
        for a in range(n)
        for b in range(a + 1, n)
        if near(a, b, slice(0, 2)) and near(a, b, slice(3, 5))
    ]


@pytest.mark.parametrize("seed", range(20))
def test_close_pairs_are_those_of_comparing_each_with_each(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 60))
    x = rng.normal(0.0, 100.0, (n, 6))
    x[:, 3:] = rng.normal(0.0, 5.0, (n, 3))
    roots = rng.normal(0.0, 1.0, (n, 6, 6)) * rng.choice([1.0, 10.0, 200.0], (n, 1, 1))
    p = np.einsum("nij,nkj->nik", roots, roots) + np.eye(6)
    expected = plainly_close(x, p, 4.0)
    pairs = np.zeros((len(expected) + 1, 2), np.int64)
    found = kalman.close_pairs(n, x, p, 4.0, pairs)
    assert pairs[:found].tolist() == expected
    half = pairs[: len(expected) // 2].copy()
    assert kalman.close_pairs(n, x, p, 4.0, half) == len(half)
    assert half.tolist() == expected[: len(half)]


def test_many_bodies_side_by_side_are_not_compared_each_with_each() -> None:
    """A hundred times as many states must not take ten thousand times as many comparisons."""
    n = 200_000
    x, p = np.zeros((n, 6)), np.repeat(np.eye(6)[None], n, axis=0)
    x[:, 0] = 100.0 * np.arange(n)[::-1]
    x[7, 0] = x[4, 0]
    pairs = np.zeros((8, 2), np.int64)
    assert kalman.close_pairs(n, x, p, 4.0, pairs) == 1
    assert pairs[0].tolist() == [4, 7]
