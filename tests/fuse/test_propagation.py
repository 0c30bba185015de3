"""Marginals by belief propagation against those of Williams and Lau, and against exact enumeration."""

import math

import fuse_reference as reference
import fuse_scans as scans
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.fuse.kernels import pmb, propagation

messages, tables, crossing = scans.messages, scans.tables, scans.crossing
SEED = st.integers(0, 2**32 - 1)


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


def test_messages_settle_where_those_of_williams_and_lau_do() -> None:
    """Sent in another order and over-relaxed, they come to the same end."""
    settled = 0
    for seed in range(200):
        weight, none = tables(seed)
        pair, unclaimed, sweeps = messages(weight, none)
        want = reference.loopy(weight, none)
        if sweeps == propagation._SWEEPS or want.sweeps == 3000:
            continue
        settled += 1
        np.testing.assert_allclose(pair, want.pair, rtol=1e-9, atol=1e-8)
        np.testing.assert_allclose(unclaimed, want.unclaimed, rtol=1e-9, atol=1e-8)
    assert settled > 150


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
        if sweeps == propagation._SWEEPS:
            continue
        gap = math.log(reference.exact(weight, none).total) - reference.bethe(weight, none, pair, unclaimed)
        assert -1e-5 <= gap <= 0.5 * min(weight.shape) * math.log(2) + 1e-5


def test_marginals_of_tables_as_they_come_about_are_mostly_exact() -> None:
    errors = [error(*tables(seed)) for seed in range(300)]
    assert np.median(errors) < 1e-6
    assert np.percentile(errors, 90) < 0.05
    assert max(errors) < 0.5


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
        pair, _, _ = messages(weight, none)
        sure = (np.abs(want - 0.5) > 1e-3).all() and (want.max(axis=1) > 0.5).all()
        wrong += bool(sure and (pair.argmax(axis=1) != want.argmax(axis=1)).any())
    assert np.mean(errors) < mean
    assert max(errors) < largest
    assert wrong == 0


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
