"""Exact marginals of groups of tracks against enumeration, and what is left to belief propagation."""

import math

import fuse_reference as reference
import fuse_scans as scans
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.fuse.kernels import association, frontier, pmb

shares, messages, tables = scans.shares, scans.messages, scans.tables
SEED = st.integers(0, 2**32 - 1)


def band(seed: int, n: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights of a row of tracks, each of which shares plots with its neighbours: ``width`` plots each."""
    rng = np.random.default_rng(seed)
    weight = np.zeros((n, n + width - 1))
    for t in range(n):
        weight[t, t : t + width] = 10.0 ** rng.uniform(-3, 3, width)
    return weight, rng.uniform(0.01, 1.0, n)


def scattered(seed: int, *blocks: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray, list]:
    """Groups side by side, their tracks and plots in any order; and where each group's went."""
    rng = np.random.default_rng(seed)
    n, k = (sum(block[0].shape[axis] for block in blocks) for axis in (0, 1))
    tracks, plots = rng.permutation(n), rng.permutation(k)
    weight, none, where, row, column = np.zeros((n, k)), np.empty(n), [], 0, 0
    for table, missed in blocks:
        ours = tracks[row : row + len(table)], plots[column : column + table.shape[1]]
        weight[np.ix_(*ours)], none[ours[0]] = table, missed
        where.append(ours)
        row, column = row + table.shape[0], column + table.shape[1]
    return weight, none, where


@given(SEED)
@settings(deadline=None, max_examples=300, derandomize=True)
def test_marginals_are_those_of_all_joint_events_counted_out(seed: int) -> None:
    weight, none = tables(seed)
    pair, unclaimed, left = shares(weight, none)
    want = reference.exact(weight, none)
    assert left == 0
    np.testing.assert_allclose(pair, want.pair, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(unclaimed, want.unclaimed, rtol=1e-9, atol=1e-300)


def test_where_two_bodies_meet_belief_propagation_errs_and_these_do_not() -> None:
    rough, exact = [], []
    for seed in range(100):
        scene = scans.crossing(seed, 10.0)
        weight, none = reference.weights_of(scene, reference.fits_of(scene)[1])
        want = reference.exact(weight, none)
        rough.append(np.abs(messages(weight, none)[0] - want.pair).max())
        exact.append(np.abs(shares(weight, none)[0] - want.pair).max())
    assert max(rough) > 0.4
    assert max(exact) < 1e-12


def counted_out(weight: np.ndarray, none: np.ndarray) -> np.ndarray:
    """Marginals (n, k): the sum over all joint events with the pair, over the sum over all."""
    total = partition(weight, none)
    pair = np.zeros_like(weight)
    for t, q in zip(*np.nonzero(weight), strict=True):
        others = np.delete(np.delete(weight, q, 1), t, 0)
        pair[t, q] = weight[t, q] * partition(others, np.delete(none, t)) / total
    return pair


def partition(weight: np.ndarray, none: np.ndarray) -> float:
    """The sum over all joint events, by the sets of plots that are taken."""
    sums = {0: 1.0}
    for row, missed in zip(weight, none, strict=True):
        after: dict[int, float] = {}
        for taken, worth in sums.items():
            after[taken] = after.get(taken, 0.0) + worth * missed
            for q in np.flatnonzero(row).tolist():
                if not taken >> q & 1:
                    after[taken | 1 << q] = after.get(taken | 1 << q, 0.0) + worth * row[q]
        sums = after
    return math.fsum(sums.values())


@pytest.mark.parametrize(("n", "width"), [(3, 8), (9, 2), (8, 3), (7, 5)])
def test_a_row_of_tracks_is_exact_however_long(n: int, width: int) -> None:
    for seed in range(4):
        weight, none, _ = scattered(seed, band(seed, n, width))
        pair, _, left = shares(weight, none)
        assert left == 0
        np.testing.assert_allclose(pair, counted_out(weight, none), rtol=1e-9)


def test_the_longest_row_is_exact_and_a_longer_one_goes_to_belief_propagation() -> None:
    for n, left_over in ((frontier.LONGEST, 0), (frontier.LONGEST + 1, frontier.LONGEST + 1)):
        weight, none, _ = scattered(n, band(n, n, 2))
        pair, unclaimed, left = shares(weight, none)
        assert left == left_over
        # A row of tracks that share one plot with the next has no loop: belief propagation is exact, too.
        np.testing.assert_allclose(pair, messages(weight, none)[0], atol=1e-7)
        np.testing.assert_allclose(unclaimed, messages(weight, none)[1], atol=1e-7)


def test_a_crowd_goes_to_belief_propagation_and_a_pair_beside_it_does_not() -> None:
    rng = np.random.default_rng(1)
    size = frontier.FRONTIER + 3
    crowd = (10.0 ** rng.uniform(-2, 2, (size, size)), rng.uniform(0.1, 1.0, size))
    couple = (np.array([[5.0, 4.0], [4.0, 5.0]]), np.array([0.1, 0.1]))
    weight, none, (many, few) = scattered(2, crowd, couple)
    pair, unclaimed, left = shares(weight, none)
    assert left == size
    want = reference.exact(*couple)
    np.testing.assert_allclose(pair[np.ix_(*few)], want.pair, rtol=1e-12)
    np.testing.assert_allclose(unclaimed[few[1]], want.unclaimed, rtol=1e-12)
    loopy = reference.loopy(*crowd)
    np.testing.assert_allclose(pair[np.ix_(*many)], loopy.pair, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(unclaimed[many[1]], loopy.unclaimed, rtol=1e-8, atol=1e-9)


@given(SEED)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_groups_know_nothing_of_each_other(seed: int) -> None:
    rng = np.random.default_rng(seed)
    blocks = [tables(int(one)) for one in rng.integers(0, 2**32, 3)]
    weight, none, where = scattered(seed, *blocks)
    pair, unclaimed, _ = shares(weight, none)
    for block, (tracks, plots) in zip(blocks, where, strict=True):
        alone = shares(*block)
        np.testing.assert_allclose(pair[np.ix_(tracks, plots)], alone[0], rtol=1e-11, atol=1e-300)
        np.testing.assert_allclose(unclaimed[plots], alone[1], rtol=1e-11, atol=1e-300)
        assert pair[tracks].sum() == pytest.approx(pair[np.ix_(tracks, plots)].sum())


@given(SEED, st.integers(2, 12), st.integers(1, 6))
@settings(deadline=None, max_examples=100, derandomize=True)
def test_each_track_and_each_plot_is_shared_out_whole(seed: int, n: int, width: int) -> None:
    weight, none, _ = scattered(seed, band(seed, n, width))
    pair, unclaimed, left = shares(weight, none)
    assert left == 0
    assert (pair >= 0).all()
    assert (pair.sum(axis=1) < 1).all()
    np.testing.assert_allclose(pair.sum(axis=0) + unclaimed, 1.0, rtol=1e-11)


@given(SEED, st.floats(0.0, 300.0))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_weights_of_any_size_give_probabilities(seed: int, largest: float) -> None:
    rng = np.random.default_rng(seed)
    n, k = rng.integers(1, 8, 2)
    weight = 10.0 ** rng.uniform(-300, largest, (n, k)) * (rng.random((n, k)) < 0.7)
    weight, none = np.minimum(weight, pmb._MOST_WEIGHT), rng.uniform(1e-12, 1.0, n)
    pair, unclaimed, _ = shares(weight, none)
    assert np.isfinite(pair).all()
    assert (pair.sum(axis=1) <= 1 + 1e-12).all()
    assert ((unclaimed >= 0) & (unclaimed <= 1 + 1e-12)).all()


def test_what_is_beyond_the_range_of_numbers_is_left_to_belief_propagation() -> None:
    """Each of three tracks is certain of the same plot: two must go without, at 1e-112 each ..."""
    most = pmb._MOST_WEIGHT
    pair, unclaimed, left = shares(np.full((3, 1), most), np.full(3, 1e-12))
    assert left == 0
    np.testing.assert_allclose(pair, 1 / 3)
    assert unclaimed[0] < 1e-100
    pair, unclaimed, left = shares(np.full((9, 2), most), np.full(9, 1e-12))
    assert np.isfinite(pair).all()
    np.testing.assert_allclose(pair.sum(axis=0), 1.0, atol=0.02)
    assert left in (0, 9)


def test_without_tracks_and_without_plots_there_is_nothing_to_do() -> None:
    pair, unclaimed, left = shares(np.zeros((0, 3)), np.zeros(0))
    assert (pair.shape, unclaimed.tolist(), left) == ((0, 3), [1.0, 1.0, 1.0], 0)
    pair, unclaimed, left = shares(np.zeros((2, 2)), np.full(2, 0.5))
    assert (pair == 0).all()
    assert (unclaimed == 1).all()
    assert left == 0


def test_uncompiled_it_gives_the_same() -> None:
    weight, none = tables(4)
    first = np.append(0, np.cumsum((weight > 0).sum(axis=1))).astype(np.int64)
    rows, plot = np.nonzero(weight)
    tables_ = []
    for kernel in (association.associate, association.associate.py_func):
        to_track, unclaimed = np.empty(len(plot)), np.empty(weight.shape[1])
        kernel(*weight.shape, first, plot, weight[rows, plot], none, to_track, unclaimed)
        tables_.append((to_track, unclaimed))
    for one, other in zip(*tables_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)
