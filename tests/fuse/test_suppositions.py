"""Bodies that may be where directions cross: tables of them, against plain numpy."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.fuse.kernels import crossing, suppositions
from vedette.fuse.kernels.kalman import STATE
from vedette.fuse.rays import hypotheses
from vedette.fuse.rays.state import MODELS, NO_HYPOTHESES, Hypotheses
from vedette.fuse.sightings import Sightings

seeds = st.integers(0, 2**32 - 1)
NOW = 12.5


def table(rng: np.random.Generator, n: int) -> Hypotheses:
    """So many of random numbers, each of which is another."""
    return Hypotheses(
        NOW,
        rng.standard_normal((n, MODELS, STATE)),
        rng.standard_normal((n, MODELS, STATE, STATE)),
        np.ones((n, MODELS)),
        rng.random(n),
        rng.random(n) < 0.5,
        rng.random(n),
        tuple(Sightings(((f"s{i}", float(i)),), float(rng.random())) for i in range(n)),
    )


def same(one: Hypotheses, other: Hypotheses) -> None:
    """Equal to the last bit."""
    for mine, theirs in zip(one, other, strict=True):
        if isinstance(mine, np.ndarray):
            assert mine.dtype == theirs.dtype
            np.testing.assert_array_equal(mine, theirs)
        else:
            assert mine == theirs


def plainly_joined(least: float, most: int, parts: list[Hypotheses]) -> Hypotheses:
    """All columns one after the other, then the likely ones in their order."""
    columns: list[Any] = [np.concatenate([part[i] for part in parts]) for i in range(1, 7)]
    seen = [one for part in parts for one in part.sightings]
    keep = np.flatnonzero(columns[3] >= least)
    if len(keep) > most:
        keep = np.sort(keep[np.argsort(-columns[3][keep], kind="stable")[:most]])
    return Hypotheses(parts[0].time, *(column[keep] for column in columns), tuple(seen[i] for i in keep))


@settings(deadline=None)
@given(seeds, st.lists(st.integers(0, 6), min_size=1, max_size=4), st.floats(0.0, 1.0), st.integers(1, 12))
def test_tables_are_joined_and_the_likely_ones_kept(
    seed: int, sizes: list[int], least: float, most: int
) -> None:
    rng = np.random.default_rng(seed)
    parts = [table(rng, size) for size in sizes]
    found = hypotheses.joined(least, most, *parts)
    same(found, plainly_joined(least, most, parts))
    assert all(column.flags.c_contiguous for column in found if isinstance(column, np.ndarray))


def test_nothing_joined_is_nothing_of_that_time() -> None:
    none = NO_HYPOTHESES._replace(time=NOW)
    assert hypotheses.joined(0.1, 5, none, NO_HYPOTHESES) is none


@settings(deadline=None)
@given(seeds, st.integers(0, 5))
def test_new_ones_stand_where_directions_cross_and_may_fly_anywhere(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    place, spread, unsure = rng.standard_normal((9, 3)), rng.standard_normal((9, 3, 3)), rng.random(3) + 1.0
    good, likely, raised = np.sort(rng.choice(9, n, replace=False)), rng.random(n), rng.random(n) < 0.5
    seen = [Sightings((), float(i)) for i in range(n)]
    found = hypotheses.begun(NOW, good, place, spread, likely, raised, seen, unsure)
    assert (found.time, found.number, found.sightings) == (NOW, n, tuple(seen))
    np.testing.assert_array_equal(found.xm[:, 0, :3], place[good])
    assert not found.xm[:, 0, 3:].any()
    np.testing.assert_array_equal(found.pm[:, 0, :3, :3], spread[good])
    assert not found.pm[:, 0, :3, 3:].any()
    assert not found.pm[:, 0, 3:, :3].any()
    np.testing.assert_array_equal(found.pm[:, 0, 3:, 3:], np.broadcast_to(np.diag(unsure**2), (n, 3, 3)))
    assert found.existence is likely
    assert found.known is raised
    assert found.founded.tolist() == [NOW] * n
    assert (found.mu == 1.0).all()


@settings(deadline=None)
@given(seeds, st.integers(1, 5), st.integers(1, 5), st.floats(0.0, 0.9))
def test_pairs_that_are_likely_bodies(seed: int, ka: int, kb: int, least: float) -> None:
    rng = np.random.default_rng(seed)
    there = rng.random((ka, kb)) < 0.6
    first = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int64)
    own, other = there.nonzero()
    e, weight = len(own), 10.0 ** rng.uniform(-3, 3, len(own))
    use_a, use_b = rng.random((ka, 6)) < 0.5, rng.random((kb, 6)) < 0.5
    share = np.empty(e)
    crossing.share(ka, kb, first, other, weight, share)
    keep = np.flatnonzero(share >= least)
    likely, good, raised = np.empty(e), np.empty(e, np.int64), np.empty(e, np.bool_)
    found = suppositions.likely_ones(
        ka, kb, first, other, weight, use_a, use_b, least, likely, good, raised
    )  # fmt: skip
    assert good[:found].tolist() == keep.tolist()
    np.testing.assert_array_equal(likely[:found], share[keep])
    np.testing.assert_array_equal(raised[:found], (use_a[own, 1] | use_b[other, 1])[keep])


@settings(deadline=None)
@given(seeds, st.sampled_from([np.nan, np.inf, -np.inf]), st.sampled_from([1, 2, 4]))
def test_one_number_that_is_none_is_found(seed: int, bad: float, column: int) -> None:
    rng = np.random.default_rng(seed)
    held = table(rng, 4)
    assert suppositions.all_sound(held.xm, held.pm, held.existence)
    held[column].reshape(-1)[rng.integers(held[column].size)] = bad
    assert not suppositions.all_sound(held.xm, held.pm, held.existence)
