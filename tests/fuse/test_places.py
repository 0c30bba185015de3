"""Places known by directions alone are shown while finders bear them out, and else as directions."""

import math
from typing import Any

import numpy as np
import pytest
from tests.fuse.test_rays import ONE, PLACES, at, fed, finder, finders, heard, hears

from vedette.fuse import FuseSettings, Tracker
from vedette.fuse.rays import places, support
from vedette.fuse.rays.state import Eye, Support
from vedette.model import Frame

NAMES = ("west", "east", "north")
EYE = Eye((0.0, 0.0, 0.0), ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), (0.0,) * 8, 0.9, 1.0)
SETTINGS = FuseSettings()


def flown(world: Any, tracker: Tracker, off: dict[int, float], begin: int, end: int) -> dict[float, Frame]:
    """Frames after each look of three finders at one body; in second s the western one is off by off[s]
    degrees."""
    frames, rng = {}, np.random.default_rng(7)
    for second in range(begin, end):
        for number, name in enumerate(NAMES):
            t = second + 0.3 * number
            wrong = float(rng.normal(0.0, 0.5)) + (off.get(second, 0.0) if name == "west" else 0.0)
            tracker.add([hears(world, t, name, at(t, *ONE[0]), wrong, scan=second)], world.start + t)
            frames[t] = tracker.frame(world.start + t)
    return frames


WRONG = dict.fromkeys(range(10, 22), 4.0)


def test_a_place_that_its_bearings_contradict_is_shown_as_directions_and_comes_back(world) -> None:
    tracker = world.tracker(*finders(world, *NAMES))
    frames = flown(world, tracker, WRONG, 0, 45)
    before = {track.id for t, frame in frames.items() if t < 10 for track in frame.tracks}
    hidden = {t: frame for t, frame in frames.items() if t >= 5 and not frame.tracks}
    assert len(before) == 1
    assert min(hidden) >= 10
    assert len(hidden) >= 10
    for frame in hidden.values():
        assert len({wedge.sensor for wedge in frame.wedges}) >= 2
        assert {track.id for track in frame.unplaced} == before
    assert not any(frame.unplaced for t, frame in frames.items() if frame.tracks)
    t, frame = next(iter(hidden.items()))
    e, n, _ = at(t, *ONE[0])
    for wedge in frame.wedges:
        east, north = PLACES[wedge.sensor]
        off = wedge.azimuth_deg - math.degrees(math.atan2(e - east, n - north))
        assert abs((off + 180.0) % 360.0 - 180.0) < 6.0
    assert [track.id for track in frames[44.6].tracks] == sorted(before)


def test_a_tracker_restored_while_a_place_is_hidden_goes_on_bit_for_bit(world) -> None:
    sensors = finders(world, *NAMES)
    tracker = world.tracker(*sensors)
    frames = flown(world, tracker, WRONG, 0, 20)
    assert not frames[19.6].tracks
    again = Tracker.restore(world.site, sensors, SETTINGS, tracker.state())
    assert flown(world, tracker, WRONG, 20, 40) == flown(world, again, WRONG, 20, 40)
    assert tracker.state() == again.state()


def test_a_body_on_its_own_is_never_hidden(world) -> None:
    for seed in range(5):
        tracker = world.tracker(*finders(world, *NAMES))
        frame = fed(world, tracker, heard(world, NAMES, ONE, 30, seed=seed))
        assert len(frame.tracks) == 1
        assert not support.hidden(tracker._bodies.head).any()


def test_of_a_height_that_nobody_measured_the_median_is_stated(world) -> None:
    tracker = world.tracker(*finders(world, *NAMES))
    (track,) = fed(world, tracker, heard(world, NAMES, ONE, 12)).tracks
    assert not track.height_known
    assert track.enu_m[2] == pytest.approx(SETTINGS.directions_height_m, abs=1.0)
    assert world.covariance(track)[2, 2] == pytest.approx(SETTINGS.directions_height_sigma_m**2)
    assert (np.linalg.eigvalsh(world.covariance(track)) > 0.0).all()


def test_who_is_not_vouched_for_has_no_say(world) -> None:
    stranger = finder(world, "stranger", 0.0, 0.0)
    tracker = Tracker(world.site, finders(world, *NAMES), reported=(stranger,))
    flown(world, tracker, {}, 0, 8)
    for second in range(8, 20):
        t = float(second)
        wrong = hears(world, t, "west", (-2000.0, 3000.0, 80.0)).measure
        tracker.add(
            [hears(world, t, "west", at(t, *ONE[0])).__class__(
                time=world.start + t, sensor="stranger", measure=wrong
            )],
            world.start + t,
        )  # fmt: skip
        flown(world, tracker, {}, second, second + 1)
    head = tracker._bodies.head
    names = {one.sensor for support_ in head.rays.support.values() for one in support_.witnesses}
    assert names == set(NAMES)
    assert not support.hidden(head).any()


def test_testimony_is_the_sums_of_its_definition() -> None:
    rng = np.random.default_rng(3)
    times = np.cumsum(rng.uniform(0.3, 1.6, 30))
    shares, offs, due = rng.uniform(0.0, 1.0, 30), rng.normal(0.0, 2.5, 30), rng.random(30) < 0.8
    told = Support()
    for t, share, off, counts in zip(times, shares, offs, due, strict=True):
        told = support.testified(
            told, EYE, "df", float(t), float(share), float(off), SETTINGS, due=bool(counts)
        )
    (one,) = told.witnesses
    fade = np.exp(-(times[-1] - times) / SETTINGS.support_memory_s)
    passed = np.minimum(np.diff(times, prepend=times[0] - 1.0), 1.0)
    assert one.heard == pytest.approx((fade * shares * due).sum())
    assert one.looks == pytest.approx((fade * 0.9 * passed * due).sum())
    assert one.pull == pytest.approx((fade * shares * np.clip(offs, -4.0, 4.0)).sum())
    assert one.square == pytest.approx((fade**2 * shares**2).sum())
    lacking = (1.0 - (one.heard + 0.5) / (one.looks + 0.5)) / 0.4
    pull = abs(one.pull) / math.sqrt(1.0 + one.square) / 2.5
    assert support.weakness(told.witnesses, SETTINGS) == pytest.approx(max(lacking, pull))


def test_the_direction_of_a_state_is_that_of_its_geometry() -> None:
    rng = np.random.default_rng(4)
    x, root = rng.normal(0.0, 1.0, 6) * [800, 800, 50, 20, 20, 2], rng.normal(0.0, 1.0, (6, 6))
    p, origin = root @ root.T, np.array([-2000.0, 500.0, 3.0])
    azimuth, rate, *spread = places.direction_of(x, p, origin, np.eye(3))
    e, n = x[0] - origin[0], x[1] - origin[1]
    assert azimuth == pytest.approx(math.atan2(e, n))
    across = np.array([n, -e]) / (e * e + n * n)
    assert rate == pytest.approx(across @ x[3:5])
    blocks = (p[:2, :2], p[:2, 3:5], p[3:5, 3:5])
    assert spread == pytest.approx([across @ block @ across for block in blocks])
