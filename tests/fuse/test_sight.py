"""What sensors see of states, how one plot moves one state, and which pairs are worth a thought: against the
reference."""

import math

import fuse_reference as reference
import fuse_scans as scans
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.fuse.kernels import pmb

Result, near, firm = scans.Result, reference.near, reference.firm
POLAR, BEARING, PLACE = pmb.POLAR, pmb.BEARING, pmb.PLACE
KINDS = pytest.mark.parametrize("kind", [POLAR, BEARING, PLACE])


# --- what is measured


@KINDS
def test_what_is_measured_and_its_derivative_are_those_of_the_reference(kind: int) -> None:
    rows = reference.ROWS[kind]
    rng = np.random.default_rng(1)
    for _ in range(300):
        origin, rotation = rng.normal(size=3) * 500, reference.turned(rng, rng.uniform(0, 0.5))
        x = rng.normal(size=6) * 10.0 ** rng.uniform([0.5, 0.5, 0, 0, 0, 0], [5, 5, 4, 2, 2, 2])
        x[:3] += origin
        e, n, _ = rotation.T @ (x[:3] - origin)
        if math.hypot(e, n) < 1.01 and kind != PLACE:
            continue
        h, jacobian = np.full(6, np.nan), np.full((6, 6), np.nan)
        pmb.observe(kind, x, origin, rotation, h, jacobian)
        want = reference.measured(kind, x, origin, rotation)
        np.testing.assert_allclose(h[:rows], want, rtol=1e-12, atol=1e-11)
        slope = reference.jacobian(kind, x, origin, rotation)
        largest = np.abs(slope).max(axis=1, keepdims=True)
        assert (np.abs(jacobian[:rows] - slope) <= 1e-9 * largest).all()
        assert (jacobian[rows:] == 0).all()


@pytest.mark.parametrize("up", [0.1, 80.0, 5000.0, -30.0])
@pytest.mark.parametrize("off", [0.0, 1e-12, 0.5])
def test_right_above_a_sensor_nothing_explodes(up: float, off: float) -> None:
    x = np.array([off, 0.0, up, 20.0, 3.0, -1.0])
    h, jacobian = np.empty(6), np.empty((6, 6))
    pmb.observe(POLAR, x, np.zeros(3), np.eye(3), h, jacobian)
    assert np.isfinite(h[:4]).all()
    assert np.abs(jacobian).max() < 50
    assert h[0] == pytest.approx(math.hypot(up, 1.0))
    assert h[2] == pytest.approx(math.atan2(up, 1.0))


@given(st.floats(-1e4, 1e4))
@settings(deadline=None, max_examples=300, derandomize=True)
def test_a_wrapped_angle_is_the_same_direction(angle: float) -> None:
    turned = pmb.wrapped(angle)
    assert -math.pi <= turned < math.pi
    assert math.cos(turned - angle) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    "angle", [math.pi, -math.pi, math.nextafter(-math.pi, -4), -1e-300, 0.0, 7 * math.pi]
)
def test_the_seam_belongs_to_one_side(angle: float) -> None:
    assert -math.pi <= pmb.wrapped(angle) < math.pi


# --- one plot on one state


@KINDS
def test_rows_one_by_one_are_the_joint_update(kind: int) -> None:
    used_rows = set()
    for seed in range(80):
        scene = reference.scene(seed, n=1, k=2, kind=kind)
        for q in range(2):
            x, p = scene.x[0, 0], scene.p[0, 0].copy()
            h, jacobian, step, ph = np.empty(6), np.empty((6, 6)), np.empty(6), np.empty(6)
            pmb.observe(kind, x, scene.origin, scene.rotation, h, jacobian)
            args = (scene.z[q], scene.var[q], scene.use[q])
            d2, logdet, used = pmb.absorb(kind, *args, h, jacobian, step, p, ph)
            want = reference.ekf(kind, x, scene.p[0, 0], *args, scene.origin, scene.rotation)
            near(x + step, p, want.x, want.p)
            assert d2 == pytest.approx(want.d2, rel=1e-9, abs=1e-9)
            log_density = -0.5 * (d2 + logdet + used * math.log(2 * math.pi))
            assert log_density == pytest.approx(want.log_density, rel=1e-9, abs=1e-9)
            assert used == scene.use[q].sum()
            assert firm(p)
            used_rows.add(used)
    assert len(used_rows) > 1


def test_the_seam_of_azimuth_is_no_distance() -> None:
    """A body due south, seen on one side of the seam and foretold on the other."""
    x = np.array([[[1.0, -3000.0, 100.0, 0, 0, 0]], [[-1.0, -3000.0, 100.0, 0, 0, 0]]])
    for east in (1.0, -1.0):
        body, exact = np.array([east, -3000.0, 100, 0, 0, 0]), np.zeros(6)
        z = reference.draw(POLAR, body, np.zeros(3), np.eye(3), exact, np.random.default_rng(0))
        scene = reference.Scene(
            2, POLAR, x.copy(), np.tile(np.eye(6) * 25.0, (2, 1, 1, 1)), np.ones((2, 1)), np.full(2, 0.5),
            np.full(2, 0.9), True, np.zeros(3), np.eye(3), z[None], reference.SIGMA[POLAR][None] ** 2,
            np.array([[True] * 4 + [False] * 2]), np.zeros((2, 1), bool), np.array([1e-3]),
        )  # fmt: skip
        after = Result(scene)
        assert (after.best == 0).all()
        assert (np.abs(after.x[:, 0, 0]) < 5).all()
        assert after.hit == pytest.approx([0.5, 0.5], abs=0.05)


# --- which pairs


@KINDS
def test_the_cheap_window_loses_no_pair_that_the_gate_would_take(kind: int) -> None:
    found = 0
    for seed in range(150):
        scene = reference.scene(seed, kind=kind)
        _, density = reference.fits_of(scene)
        m, room = scene.mu.shape[1], scene.n * len(scene.z) + 1
        first, plot = np.zeros(scene.n + 1, np.int64), np.empty(room, np.int64)
        likelihood = np.empty((room, m))
        e = pmb.edges(
            scene.n, kind, scene.x, scene.p, scene.mu, scene.origin, scene.rotation, scene.z, scene.var,
            scene.use, scene.forbidden, reference.GATES, first, plot, likelihood, np.empty((scene.n, m, 6)),
        )  # fmt: skip
        seen = np.zeros_like(density)
        for t in range(scene.n):
            for edge in range(first[t], first[t + 1]):
                assert (seen[t, plot[edge]] == 0).all()
                seen[t, plot[edge]] = likelihood[edge]
        assert e == (density > 0).any(axis=2).sum()
        np.testing.assert_allclose(seen, density, rtol=1e-9, atol=1e-300)
        found += e
    assert found > 100


def test_without_room_for_all_pairs_it_says_so_and_the_scan_makes_room() -> None:
    one = reference.scene(5, n=1, k=1, kind=PLACE)
    n, k = 40, 40
    scene = reference.Scene(
        n, PLACE, np.tile(one.x, (n, 1, 1)), np.tile(one.p, (n, 1, 1, 1)), np.tile(one.mu, (n, 1)),
        np.full(n, 0.5), np.full(n, 0.9), True, one.origin, one.rotation,
        np.tile(np.append(one.x[0, 0, :2], [0, 0, 0, 0]), (k, 1)), np.tile(one.var, (k, 1)),
        np.tile([True, True, False, False, False, False], (k, 1)), np.zeros((n, k), bool), np.full(k, 1e-6),
    )  # fmt: skip
    first, plot = np.zeros(n + 1, np.int64), np.empty(10, np.int64)
    likelihood = np.empty((10, scene.mu.shape[1]))
    found = pmb.edges(
        n, PLACE, scene.x, scene.p, scene.mu, scene.origin, scene.rotation, scene.z, scene.var, scene.use,
        scene.forbidden, reference.GATES, first, plot, likelihood, np.empty((n, scene.mu.shape[1], 6)),
    )  # fmt: skip
    assert found == -1
    after = Result(scene)
    np.testing.assert_allclose(after.hit, after.hit[0], rtol=1e-9)
    assert after.hit[0] > 0.4
