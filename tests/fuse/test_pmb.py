"""The Poisson multi-Bernoulli kernels against the reference in plain numpy, against exact enumeration, and
against themselves."""

import hashlib
import importlib.util
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.fuse import imm, pmb

HERE = Path(__file__).parent


def _reference():
    if "fuse_reference" not in sys.modules:
        spec = importlib.util.spec_from_file_location("fuse_reference", HERE / "reference.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules["fuse_reference"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules["fuse_reference"]


reference = _reference()
near, firm = reference.near, reference.firm
POLAR, BEARING, PLACE = pmb.POLAR, pmb.BEARING, pmb.PLACE
KINDS = pytest.mark.parametrize("kind", [POLAR, BEARING, PLACE])
SEED = st.integers(0, 2**32 - 1)


class Result:
    """A scene after `pmb.scan`."""

    def __init__(self, scene) -> None:
        after = scene.copy()
        n, k = scene.n, len(scene.z)
        self.hit, self.best, self.unclaimed = np.zeros(n), np.full(n, -9, np.int64), np.full(k, np.nan)
        pmb.scan(*after.arguments(), reference.GATES, self.hit, self.best, self.unclaimed)
        self.x, self.p, self.mu, self.r = after.x, after.p, after.mu, after.r

    def bits(self) -> bytes:
        """All of it."""
        arrays = (self.x, self.p, self.mu, self.r, self.hit, self.best, self.unclaimed)
        return b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)


def messages(weight: np.ndarray, none: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Marginals (n, k) of pairs and (k,) of unclaimed plots by `pmb.marginals`, and its sweeps."""
    n, k = weight.shape
    first = np.append(0, np.cumsum((weight > 0).sum(axis=1))).astype(np.int64)
    rows, plot = np.nonzero(weight)
    flat = weight[rows, plot]
    to_track, unclaimed = np.empty(len(flat)), np.empty(k)
    sweeps = pmb.marginals(n, k, first, plot.astype(np.int64), flat, none, to_track, unclaimed)
    pair = np.zeros((n, k))
    pair[rows, plot] = flat * to_track
    return pair / (none + pair.sum(axis=1))[:, None], unclaimed, sweeps


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
            scene.use, scene.forbidden, reference.GATES, first, plot, likelihood,
        )  # fmt: skip
        seen = np.zeros_like(density)
        for t in range(scene.n):
            for edge in range(first[t], first[t + 1]):
                assert (seen[t, plot[edge]] == 0).all()
                seen[t, plot[edge]] = likelihood[edge]
        assert e == (density > 0).any(axis=2).sum()
        np.testing.assert_allclose(seen, density, rtol=1e-8, atol=1e-300)
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
        scene.forbidden, reference.GATES, first, plot, likelihood,
    )  # fmt: skip
    assert found == -1
    after = Result(scene)
    np.testing.assert_allclose(after.hit, after.hit[0], rtol=1e-9)
    assert after.hit[0] > 0.4


# --- marginals


def trees(rng: np.random.Generator) -> np.ndarray:
    """Weights of a table whose pairs form no loop."""
    n, k = rng.integers(1, 6, 2)
    weight = np.zeros((n, k))
    group = list(range(n + k))
    for cell in rng.permutation(n * k):
        t, q = divmod(int(cell), int(k))
        if group[t] != group[n + q]:
            old = group[n + q]
            group = [group[t] if one == old else one for one in group]
            weight[t, q] = 10.0 ** rng.uniform(-3, 5)
    return weight


def test_without_loops_belief_propagation_is_exact() -> None:
    for seed in range(150):
        rng = np.random.default_rng(seed)
        weight = trees(rng)
        none = rng.uniform(0.01, 1.0, len(weight))
        want = reference.exact(weight, none)
        pair, unclaimed, _ = messages(weight, none)
        np.testing.assert_allclose(pair, want.pair, atol=1e-6)
        np.testing.assert_allclose(unclaimed, want.unclaimed, atol=1e-6)


def tables(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights as they come about: most of a pair's are nothing, some are huge."""
    rng = np.random.default_rng(seed)
    n, k = rng.integers(1, 6, 2)
    weight = 10.0 ** rng.uniform(-3, 8, (n, k)) * (rng.random((n, k)) < 0.7)
    return weight, rng.uniform(0.01, 1.0, n)


def test_messages_are_those_of_williams_and_lau() -> None:
    for seed in range(200):
        weight, none = tables(seed)
        pair, unclaimed, sweeps = messages(weight, none)
        want = reference.loopy(weight, none)
        assert sweeps == want.sweeps
        np.testing.assert_allclose(pair, want.pair, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(unclaimed, want.unclaimed, rtol=1e-9, atol=1e-12)


def test_probabilities_of_a_track_sum_to_one_and_of_a_plot_to_nearly_one() -> None:
    worst = 0.0
    for seed in range(300):
        weight, none = tables(seed)
        pair, unclaimed, _ = messages(weight, none)
        assert (pair >= 0).all()
        assert (pair.sum(axis=1) <= 1 + 1e-12).all()
        assert ((unclaimed >= 0) & (unclaimed <= 1)).all()
        worst = max(worst, np.abs(pair.sum(axis=0) + unclaimed - 1).max())
    assert worst < 0.01


def error(weight: np.ndarray, none: np.ndarray) -> float:
    """The largest error of any marginal."""
    pair, unclaimed, _ = messages(weight, none)
    want = reference.exact(weight, none)
    return float(max(np.abs(pair - want.pair).max(), np.abs(unclaimed - want.unclaimed).max()))


def test_belief_propagation_is_too_sure_but_never_of_the_wrong_one() -> None:
    """In a single loop (two tracks, two plots) its favourites are the right ones, and it is never less sure
    of them than it should be (Weiss, Neural Computation 12(1), 2000): so no error reaches one half."""
    errors = []
    for seed in range(400):
        rng = np.random.default_rng(seed)
        weight, none = 10.0 ** rng.uniform(-3, 8, (2, 2)), rng.uniform(0.01, 1.0, 2)
        if seed % 2:  # both ways round about as likely: the hardest case
            weight[1, 1] = weight[0, 1] * weight[1, 0] / weight[0, 0] * 10 ** rng.uniform(-0.3, 0.3)
        pair, _, _ = messages(weight, none)
        want = reference.exact(weight, none).pair
        clear = np.abs(want - 0.5) > 1e-3
        assert ((pair > 0.5) == (want > 0.5))[clear].all()
        assert (np.abs(pair - 0.5) >= np.abs(want - 0.5) - 1e-6).all()
        errors.append(error(weight, none))
    assert np.median(errors) < 1e-3
    assert max(errors) < 0.5


def test_the_sum_over_all_events_is_within_the_bounds_of_bethe() -> None:
    """Bethe's approximation at the marginals found is never more than the exact sum over all joint events,
    and never less by more than 2^(pairs / 2) (Vontobel, IEEE Trans. Inf. Theory 59(3), 2013; Anari, Rezaei,
    A tight analysis of Bethe approximation for permanent, FOCS 2019: both for permanents)."""
    for seed in range(300):
        weight, none = tables(seed)
        pair, unclaimed, sweeps = messages(weight, none)
        if sweeps == pmb._SWEEPS:
            continue
        gap = math.log(reference.exact(weight, none).total) - reference.bethe(weight, none, pair, unclaimed)
        assert -1e-5 <= gap <= 0.5 * min(weight.shape) * math.log(2) + 1e-5


def test_marginals_of_tables_as_they_come_about_are_mostly_exact() -> None:
    errors = [error(*tables(seed)) for seed in range(300)]
    assert np.median(errors) < 1e-6
    assert np.percentile(errors, 90) < 0.05
    assert max(errors) < 0.5


def crossing(seed: int, apart_m: float):
    """Two bodies this far apart on paths that cross at a small angle, each foretold and seen by a radar."""
    rng = np.random.default_rng(seed)
    truth = np.array([[1500.0, 1200, 90, 15, 10, 0], [1500.0, 1200, 90, 12, 13, 0]])
    truth[1, :3] += apart_m * np.array([0.8, -0.6, 0.0])
    sigma = np.array([6.0, 6.0, 9.0, 4.0, 4.0, 2.0])
    x = truth + rng.normal(size=(2, 6)) * sigma
    z = np.array([
        reference.draw(POLAR, body, np.zeros(3), np.eye(3), np.array([5.0, 0.0087, 0.0175, 0.5, 0, 0]), rng)
        for body in truth
    ])  # fmt: skip
    var = np.tile(np.array([5.0, 0.0087, 0.0175, 0.5, 1.0, 1.0]) ** 2, (2, 1))
    return reference.Scene(
        2, POLAR, x[:, None], np.tile(np.diag(sigma**2), (2, 1, 1, 1)), np.ones((2, 1)), np.full(2, 0.99),
        np.full(2, 0.9), True, np.zeros(3), np.eye(3), z, var, np.tile([True] * 4 + [False] * 2, (2, 1)),
        np.zeros((2, 2), bool), np.full(2, 1e-6),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("apart_m", "mean", "largest"), [(0.0, 0.35, 0.5), (30.0, 0.15, 0.5), (100.0, 1e-9, 1e-9)]
)
def test_crossing_bodies_keep_their_plots(apart_m: float, mean: float, largest: float) -> None:
    """The price of belief propagation where two bodies meet: it is as good as certain where it is a toss."""
    errors, wrong = [], 0
    for seed in range(200):
        scene = crossing(seed, apart_m)
        _, density = reference.fits_of(scene)
        weight, none = reference.weights_of(scene, density)
        errors.append(error(weight, none))
        want = reference.exact(weight, none).pair
        after = Result(scene)
        sure = (np.abs(want - 0.5) > 1e-3).all() and (want.max(axis=1) > 0.5).all()
        wrong += bool(sure and (after.best != want.argmax(axis=1)).any())
    assert np.mean(errors) < mean
    assert max(errors) < largest
    assert wrong == 0


# --- the whole scan


@KINDS
def test_a_scan_is_that_of_williams_written_out(kind: int) -> None:
    claimed = 0
    for seed in range(100):
        scene = reference.scene(seed, kind=kind)
        after, want = Result(scene), reference.scan(scene)
        near(after.x, after.p, want.x, want.p)
        np.testing.assert_allclose(after.mu, want.mu, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(after.r, want.r, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(after.hit, want.hit, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(after.unclaimed, want.unclaimed, rtol=1e-9, atol=1e-12)
        assert after.best.tolist() == want.best
        assert firm(after.p)
        assert ((after.r >= 0) & (after.r <= 1)).all()
        claimed += int((after.hit > 0.5).sum())
    assert claimed > 20


def test_one_track_has_the_existence_that_bayes_gives_it() -> None:
    """All joint events of one track, whether it exists or not, and the plots, counted out."""
    for seed in range(60):
        scene = reference.scene(seed, n=1)
        scene.searching = True
        _, density = reference.fits_of(scene)
        likelihood = density[0] @ scene.mu[0]
        r, pd = scene.r[0], scene.pd[0]
        exists_unseen = r * (1 - pd)
        seen = (r * max(pd, 0.01) * likelihood / scene.elsewhere).sum()
        want = (exists_unseen + seen) / (1 - r + exists_unseen + seen)
        assert Result(scene).r[0] == pytest.approx(want, rel=1e-6)


def test_what_each_plot_is_adds_up() -> None:
    """Claimed and unclaimed parts of a plot make one, so a birth takes what the tracks leave."""
    for seed in range(100):
        scene = reference.scene(seed)
        pairs = reference.scan(scene).pairs
        after = Result(scene)
        np.testing.assert_allclose(pairs.pair.sum(axis=0) + after.unclaimed, 1.0, atol=0.01)
        np.testing.assert_allclose(pairs.pair.sum(axis=1), after.hit, atol=1e-9)


def test_in_a_scan_without_plots_what_is_in_view_is_missed_by_bayes() -> None:
    scene = reference.scene(4, n=3, k=1)
    scene.forbidden[:] = True
    scene.r[:], scene.pd[:], scene.searching = [0.9, 0.9, 0.4], [0.9, 0.0, 0.99], True
    after = Result(scene)
    np.testing.assert_allclose(after.r, [0.9 * 0.1 / 0.19, 0.9, 0.4 * 0.01 / 0.604], rtol=1e-12)
    assert (after.hit == 0).all()
    assert (after.best == -1).all()
    assert (after.x == scene.x).all()
    assert (after.p == scene.p).all()
    assert (after.mu == scene.mu).all()
    assert after.unclaimed == pytest.approx(1.0)


@KINDS
def test_a_body_out_of_view_or_that_emits_nothing_does_not_die(kind: int) -> None:
    for searching in (True, False):
        for seed in range(40):
            scene = reference.scene(seed, kind=kind)
            scene.pd[:], scene.searching = 0.0, searching
            assert (Result(scene).r >= scene.r * (1 - 1e-12)).all()
            scene.forbidden[:] = True
            before = scene.r.copy()
            for _ in range(50):
                after = Result(scene)
                scene.x, scene.p, scene.mu, scene.r = after.x, after.p, after.mu, after.r
            assert (scene.r == before).all()
            assert (after.hit == 0).all()


def test_a_plot_where_a_sensor_should_see_nothing_is_of_the_body_that_is_there() -> None:
    scene = crossing(0, 500.0)
    scene.pd[:], scene.r[:] = 0.0, 0.3
    after = Result(scene)
    assert (after.hit > 0.9).all()
    assert (after.r > 0.9).all()
    assert after.best.tolist() == [0, 1]


def test_a_body_missed_in_view_dies_and_one_that_only_fell_silent_does_not() -> None:
    scene = reference.scene(11, n=2, k=1, kind=BEARING)
    scene.forbidden[:] = True
    scene.r[:], scene.pd[:] = 0.99, 0.9
    for searching in (False, True):
        scene.searching = searching
        r = scene.r.copy()
        for _ in range(10):
            scene.r = Result(scene).r
        assert (scene.r == r).all() if not searching else (scene.r < 1e-6).all()


def test_no_scan_of_a_direction_finder_lowers_any_existence() -> None:
    for seed in range(200):
        scene = reference.scene(seed, kind=BEARING)
        scene.searching = False
        assert (Result(scene).r >= scene.r * (1 - 1e-12)).all()


def test_permuting_the_plots_of_a_scan_changes_nothing() -> None:
    for seed in range(150):
        scene = reference.scene(seed, k=6)
        order = np.random.default_rng(seed).permutation(6)
        other = scene.copy()
        for name in ("z", "var", "use", "elsewhere"):
            setattr(other, name, getattr(scene, name)[order])
        other.forbidden = scene.forbidden[:, order]
        one, two = Result(scene), Result(other)
        assert (one.x == two.x).all()
        assert (one.p == two.p).all()
        assert (one.r == two.r).all()
        assert (one.unclaimed[order] == two.unclaimed).all()
        found = one.best >= 0
        assert (found == (two.best >= 0)).all()
        assert (one.best[found] == order[two.best[found]]).all()


def test_equal_plots_may_be_permuted_up_to_rounding() -> None:
    for seed in range(40):
        scene = reference.scene(seed, k=4)
        scene.z[:, max(pmb.ANGLE[scene.kind], 0)] = scene.z[0, max(pmb.ANGLE[scene.kind], 0)]
        other = scene.copy()
        for name in ("z", "var", "use", "elsewhere"):
            setattr(other, name, getattr(scene, name)[::-1])
        other.forbidden = scene.forbidden[:, ::-1]
        one, two = Result(scene), Result(other)
        near(one.x, one.p, two.x, two.p)
        np.testing.assert_allclose(one.r, two.r, rtol=1e-9)
        np.testing.assert_allclose(one.unclaimed[::-1], two.unclaimed, rtol=1e-9, atol=1e-12)


def test_permuting_the_tracks_changes_nothing_but_rounding() -> None:
    for seed in range(100):
        scene = reference.scene(seed, n=5)
        order = np.random.default_rng(seed).permutation(5)
        other = scene.copy()
        for name in ("x", "p", "mu", "r", "pd", "forbidden"):
            setattr(other, name, getattr(scene, name)[order])
        one, two = Result(scene), Result(other)
        near(one.x[order], one.p[order], two.x, two.p)
        np.testing.assert_allclose(one.r[order], two.r, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(one.unclaimed, two.unclaimed, rtol=1e-9, atol=1e-12)


# --- long runs and extremes


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


@given(SEED, st.floats(0.0, 300.0))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_weights_of_any_size_give_probabilities(seed: int, largest: float) -> None:
    rng = np.random.default_rng(seed)
    n, k = rng.integers(1, 6, 2)
    weight = 10.0 ** rng.uniform(-300, largest, (n, k)) * (rng.random((n, k)) < 0.7)
    pair, unclaimed, _ = messages(np.minimum(weight, pmb._MOST_WEIGHT), rng.uniform(1e-12, 1.0, n))
    assert np.isfinite(pair).all()
    assert np.isfinite(unclaimed).all()
    assert (pair.sum(axis=1) <= 1 + 1e-12).all()


def test_a_pair_beyond_all_doubt_weighs_no_more_than_can_be_counted() -> None:
    first, plot = np.array([0, 2]), np.array([0, 1])
    likelihood = np.array([[1e200, 1e250], [1e-3, 1e-3]])
    weight, none = np.empty(2), np.empty(1)
    args = (1, np.array([[0.5, 0.5]]), np.array([1.0]), np.array([1.0]), np.array([1e-200, 1e-6]))
    pmb.weigh(*args, first, plot, likelihood, weight, none)
    assert np.isfinite(weight).all()
    assert weight[1] == pytest.approx(1e3)
    assert none[0] > 0
    pair, unclaimed, _ = messages(weight[None], none)
    np.testing.assert_allclose(pair, [[1.0, 0.0]], atol=1e-12)
    np.testing.assert_allclose(unclaimed, [0.0, 1.0], atol=1e-12)


# --- the same again


PROBE = """
import hashlib, importlib.util, sys
spec = importlib.util.spec_from_file_location("probed", sys.argv[1])
sys.modules["probed"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
for seed in range(40):
    print(module.Result(module.reference.scene(seed)).bits().hex())
"""


def elsewhere(**environment: str) -> list[bytes]:
    """Scans of the same scenes in another process."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, __file__], env={**os.environ, **environment}, capture_output=True,
        check=True, text=True,
    )  # fmt: skip
    return [bytes.fromhex(line) for line in done.stdout.split()]


def test_the_same_scan_twice_and_in_another_process_gives_the_same_bits() -> None:
    scenes = [reference.scene(seed) for seed in range(40)]
    first = [Result(scene).bits() for scene in scenes]
    assert first == [Result(scene).bits() for scene in scenes]
    assert first == elsewhere(PYTHONHASHSEED="7")
    assert len({hashlib.sha256(one).digest() for one in first}) > 30


def test_uncompiled_the_kernels_give_the_same() -> None:
    plain = elsewhere(NUMBA_DISABLE_JIT="1")
    for seed, bits in enumerate(plain):
        scene = reference.scene(seed)
        compiled = np.frombuffer(Result(scene).bits())
        np.testing.assert_allclose(np.frombuffer(bits), compiled, rtol=1e-10, atol=1e-12)
