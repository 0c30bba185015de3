"""Floods of reports without a name: no tracks, and a drone that sends in them is found all the same."""

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.fuse import FuseSettings, Tracker
from vedette.fuse.kernels import crowding
from vedette.fuse.kernels.clutter import AZIMUTHS, CELLS, RANGES
from vedette.fuse.sensing.crowding import REACH_M, Crowding

SETTINGS = FuseSettings()
EDGES = REACH_M * np.arange(RANGES + 1) / RANGES
AREAS = np.tile(math.pi / AZIMUTHS * (EDGES[1:] ** 2 - EDGES[:-1] ** 2), AZIMUTHS)


# --- densities


def test_a_flood_that_is_spread_evenly_has_its_own_density() -> None:
    rng = np.random.default_rng(1)
    spots = rng.uniform(-4000, 4000, (60_000, 2))
    counts = np.zeros(CELLS)
    for east, north in spots:
        cell = crowding.cell_of(east, north, REACH_M)
        crowding.faded(counts, 1.0, cell, 1.0, counts)
    assert counts.sum() == 60_000
    true = 60_000 / 8000.0**2 / 10.0
    for east, north in ((500.0, 500.0), (-2000.0, 1500.0), (0.0, -3000.0)):
        cell = crowding.cell_of(east, north, REACH_M)
        found = crowding.density(counts, AREAS, 10.0, 50.0, 4.0, 8e-9, cell)
        assert found == pytest.approx(true, rel=0.25)
    far = crowding.cell_of(7900.0, 0.0, REACH_M)
    assert crowding.density(counts, AREAS, 10.0, 50.0, 4.0, 8e-9, far) < 0.1 * true


@given(
    st.lists(st.floats(0.0, 1e6), min_size=CELLS, max_size=CELLS),
    st.integers(0, CELLS - 1),
    st.floats(2.0, 12.0),
)
def test_a_density_is_what_plain_numpy_says(counts_: list[float], cell: int, seconds: float) -> None:
    counts = np.array(counts_)
    found = crowding.density(counts, AREAS, seconds, 50.0, 4.0, 8e-9, cell)
    if counts.sum() <= 50.0:
        assert found == 8e-9
        return
    whole = max((counts**2 / AREAS).sum() / (counts.sum() * seconds), 8e-9)
    expected = max((4.0 + counts[cell]) / (4.0 / whole + AREAS[cell] * seconds), 8e-9)
    assert found == pytest.approx(expected, rel=1e-9)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_every_place_has_a_cell(east: float, north: float) -> None:
    assert 0 <= crowding.cell_of(east, north, REACH_M) < CELLS


# --- as the tracker does it


class Flood:
    """Reports at random places of a square, the same feed or many."""

    def __init__(self, world, span_m: float, per_s: int, feeds: int = 1) -> None:
        self.world, self.span, self.per_s, self.feeds = world, span_m, per_s, feeds
        self.rng = random.Random(3)

    def second(self, tracker: Tracker, t: int, also: tuple = ()) -> None:
        rng, span = self.rng, self.span
        reports = [
            self.world.report(
                t + i / self.per_s,
                (rng.uniform(-span, span), rng.uniform(-span, span), rng.uniform(20, 200)),
                name=None, sigma=None, sensor=f"flood-{i % self.feeds}",
            )
            for i in range(self.per_s)
        ]  # fmt: skip
        reports = sorted([*reports, *also], key=lambda one: one.time)
        for part in range(10):
            begin, end = self.world.start + t + part / 10, self.world.start + t + (part + 1) / 10
            tracker.add([one for one in reports if begin <= one.time < end], end)


@pytest.mark.parametrize(
    ("span", "per_s", "feeds"), [(5000.0, 800, 1), (1500.0, 800, 1), (400.0, 400, 1), (3000.0, 800, 40)]
)
def test_a_flood_of_invented_places_founds_no_track(world, span: float, per_s: int, feeds: int) -> None:
    tracker, flood = world.tracker(), Flood(world, span, per_s, feeds)
    shown = []
    for t in range(8):
        flood.second(tracker, t)
        shown.append(len(tracker.frame(world.start + t + 1).tracks))
    assert max(shown) <= 8
    assert shown[-1] <= 1


def test_without_what_was_learnt_the_flood_founds_hundreds(world) -> None:
    """The test above could fail."""
    tracker, flood = world.tracker(free_reports=1e9), Flood(world, 5000.0, 800)
    for t in range(8):
        flood.second(tracker, t)
    assert len(tracker.frame(world.start + 8).tracks) > 200


def test_a_nameless_drone_in_a_flood_and_a_named_one_are_found(world) -> None:
    tracker, flood = world.tracker(), Flood(world, 5000.0, 500)
    found = {}
    for t in range(25):
        places = {"bare": (1000.0 + 12 * t, -800.0, 80.0), "named": (-1500.0, 700.0 + 10 * t, 90.0)}
        also = (
            world.report(
                t + 0.31, places["bare"], name=None, sigma=10.0, sensor="flood-0", velocity=(12.0, 0.0, 0.0)
            ),
            world.report(t + 0.62, places["named"], sensor="flood-0"),
        )
        flood.second(tracker, t, also)
        for track in tracker.frame(world.start + t + 0.7).tracks:
            for name, place in places.items():
                if math.dist(track.enu_m[:2], place[:2]) < 60.0:
                    found.setdefault(name, t)
    assert found["named"] <= 2
    assert found["bare"] <= 24


def test_in_quiet_times_nothing_is_weighed(world) -> None:
    """A nameless drone is confirmed by its third report, and not doubted after a long silence."""
    tracker = world.tracker()
    for t in (0.0, 1.0, 2.0):
        tracker.add([world.report(t, (500.0 + 10 * t, 800.0, 60.0), name=None)], world.start + t + 0.05)
    assert len(tracker.frame(world.start + 2.1).tracks) == 1
    head = tracker._bodies.head
    crowd = Crowding(SETTINGS)
    plot = tracker._intake.plot(world.report(9.0, (590.0, 800.0, 60.0), name=None))
    assert crowd.ratio(head, plot, 0, 1e-12, 5.0) == 5.0
    assert crowd.birth(head, plot, 0.2) == pytest.approx(0.2)


def test_a_swarm_is_no_flood(world) -> None:
    """Twenty drones without names appear at once."""
    tracker = world.tracker()
    for t in range(5):
        reports = [
            world.report(t + n / 40, (300.0 * (n % 5) + 15.0 * t, 300.0 * (n // 5), 80.0), name=None)
            for n in range(20)
        ]
        for one in reports:
            tracker.add([one], one.time + 0.05)
    assert len(tracker.frame(world.start + 4.6).tracks) == 20


def test_what_was_learnt_of_a_flood_is_in_the_state(world) -> None:
    tracker, flood = world.tracker(), Flood(world, 3000.0, 200)
    for t in range(3):
        flood.second(tracker, t)
    other = Tracker.restore(world.site, (), SETTINGS, tracker.state())
    assert other.state() == tracker.state()
    again = Flood(world, 3000.0, 200)
    again.rng.setstate(flood.rng.getstate())
    flood.second(tracker, 3)
    again.second(other, 3)
    assert other.state() == tracker.state()
