"""Bodies known by directions alone: places where directions cross, wedges where there is one direction."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from vedette.fuse import FuseSettings, Tracker
from vedette.model import Bearing, Detection, EmptyScan, Frame, SensorProfile, Sigma

NO_ERROR = 0.0


def finder(world: Any, name: str, east: float, north: float, **extra: Any) -> SensorProfile:
    """A direction finder at this place, 2 m over the site."""
    lat, lon, _ = world.frame.to_geodetic(east, north, 2.0)
    given_ = {
        "type": "direction-finder",
        "range_m": (0.0, 6000.0),
        "detection_probability": 0.9,
        "clutter_per_scan": 2.0,
        "period_s": 1.0,
    } | extra
    return SensorProfile(
        id=name, lat_deg=lat, lon_deg=lon, alt_m=652.0, alt_datum="wgs84-ellipsoid", **given_
    )


PLACES = {"west": (-2000.0, -2000.0), "east": (2000.0, -2000.0), "north": (0.0, 2500.0)}


def finders(world: Any, *names: str, **extra: Any) -> tuple[SensorProfile, ...]:
    """Some of the three finders."""
    return tuple(finder(world, name, *PLACES[name], **extra) for name in names)


def hears(
    world: Any, t: float, name: str, enu: tuple[float, float, float], off_deg: float = NO_ERROR, **extra: Any
) -> Detection:
    """The bearing that a finder takes of a body; with ``up`` also its elevation."""
    east, north = PLACES[name]
    e, n = enu[0] - east, enu[1] - north
    up = extra.pop("up", False)
    elevation = math.degrees(math.atan2(enu[2] - 2.0, math.hypot(e, n))) if up else None
    return Detection(
        time=world.start + t,
        sensor=name,
        measure=Bearing(azimuth_deg=math.degrees(math.atan2(e, n)) + off_deg, elevation_deg=elevation),
        sigma=Sigma(azimuth_deg=1.0, elevation_deg=1.0),
        **extra,
    )


def at(t: float, begin: tuple[float, float], velocity: tuple[float, float]) -> tuple[float, float, float]:
    """A body that flies straight at the usual height."""
    return begin[0] + t * velocity[0], begin[1] + t * velocity[1], 80.0


def heard(
    world: Any,
    names: tuple[str, ...],
    bodies: list[tuple[tuple[float, float], tuple[float, float]]],
    seconds: int,
    seed: int = 1,
    **extra: Any,
) -> list[Detection]:
    """What finders hear of bodies, once a second each, with errors of 1 degree."""
    rng, found = np.random.default_rng(seed), []
    for second in range(seconds):
        for number, name in enumerate(names):
            t = second + 0.3 * number
            found += [
                hears(world, t, name, at(t, *body), float(rng.normal(0.0, 1.0)), scan=second, **extra)
                for body in bodies
            ]
    return found


def fed(world: Any, tracker: Tracker, detections: list[Detection]) -> Frame:
    """All detections, one look at a time; the frame at the end."""
    last = -math.inf
    for detection in detections:
        last = detection.time
        group = [one for one in detections if (one.time, one.sensor) == (last, detection.sensor)]
        if detection is group[0]:
            tracker.add(group, last + 0.02)
    return tracker.frame(last + 0.02)


ONE = [((-300.0, 400.0), (12.0, -5.0))]


def test_one_finder_alone_gives_a_wedge_and_never_a_place(world) -> None:
    tracker = world.tracker(*finders(world, "west"))
    frame = fed(world, tracker, heard(world, ("west",), ONE, 12))
    assert frame.tracks == ()
    (wedge,) = frame.wedges
    e, n, _ = at(11.0, *ONE[0])
    truth = math.degrees(math.atan2(e + 2000.0, n + 2000.0))
    assert wedge.sensor == "west"
    assert abs(wedge.azimuth_deg - truth) < 3.0 * wedge.azimuth_sigma_deg < 4.0
    assert wedge.existence > 0.8
    assert sum(wedge.weights) == pytest.approx(1.0)
    assert list(wedge.ranges_m) == sorted(wedge.ranges_m)
    assert max(wedge.weights) < 0.95
    assert wedge.origin_enu_m == pytest.approx((-2000.0, -2000.0, 2.0), abs=1.0)


def test_a_wedge_is_there_after_three_seconds(world) -> None:
    tracker = world.tracker(*finders(world, "west"))
    assert fed(world, tracker, heard(world, ("west",), ONE, 4)).wedges


def test_a_wedge_that_is_heard_no_more_goes(world) -> None:
    tracker = world.tracker(*finders(world, "west"))
    fed(world, tracker, heard(world, ("west",), ONE, 8))
    frame = tracker.frame(world.start + 30.0)
    assert frame.wedges == ()


def test_two_finders_give_a_place_within_six_seconds(world) -> None:
    tracker = world.tracker(*finders(world, "west", "east"))
    frame = fed(world, tracker, heard(world, ("west", "east"), ONE, 6))
    (track,) = frame.tracks
    e, n, _ = at(frame.time - world.start, *ONE[0])
    assert math.hypot(track.enu_m[0] - e, track.enu_m[1] - n) < 100.0
    assert not track.height_known
    assert track.sensors == ("east", "west")
    assert frame.wedges == ()


def test_the_covariance_of_a_place_by_directions_is_honest(world) -> None:
    """Squared Mahalanobis distances of many runs have the mean of chi-squared with two degrees."""
    found = []
    for seed in range(25):
        tracker = world.tracker(*finders(world, "west", "east"))
        frame = fed(world, tracker, heard(world, ("west", "east"), ONE, 8, seed=seed))
        (track,) = frame.tracks
        e, n, _ = at(frame.time - world.start, *ONE[0])
        off = np.array([track.enu_m[0] - e, track.enu_m[1] - n])
        found.append(off @ np.linalg.solve(world.covariance(track)[:2, :2], off))
    assert 0.8 < float(np.mean(found)) < 3.6


TWO = [((-300.0, 400.0), (12.0, -5.0)), ((700.0, -600.0), (-8.0, 14.0))]


@pytest.mark.parametrize("seed", range(5))
def test_a_third_finder_kills_the_ghosts_of_two_bodies(world, seed: int) -> None:
    """Four places where two directions each cross, and only two bodies."""
    names = ("west", "east", "north")
    tracker = world.tracker(*finders(world, *names))
    frame = fed(world, tracker, heard(world, names, TWO, 12, seed=seed))
    places = [at(frame.time - world.start, *body) for body in TWO]
    assert len(frame.tracks) == 2
    for e, n, _ in places:
        assert min(math.hypot(t.enu_m[0] - e, t.enu_m[1] - n) for t in frame.tracks) < 120.0


def test_a_body_on_the_line_between_two_finders_gets_no_place(world) -> None:
    line = [((-600.0, -2000.0), (10.0, 0.0))]
    tracker = world.tracker(*finders(world, "west", "east"))
    frame = fed(world, tracker, heard(world, ("west", "east"), line, 12))
    for track in frame.tracks:
        sigma = math.sqrt(world.covariance(track)[0, 0])
        e, _, _ = at(frame.time - world.start, *line[0])
        assert abs(track.enu_m[0] - e) < 3.0 * sigma
        assert sigma > 100.0
    assert frame.tracks or len(frame.wedges) == 2


def test_directions_with_elevation_give_a_height(world) -> None:
    tracker = world.tracker(*finders(world, "west", "east", type="camera", range_m=None))
    high = [
        hears(world, s + 0.3 * k, name, (-300.0, 400.0, 230.0), up=True, scan=s)
        for s in range(8)
        for k, name in enumerate(("west", "east"))
    ]
    frame = fed(world, tracker, high)
    (track,) = frame.tracks
    assert track.height_known
    assert track.enu_m[2] == pytest.approx(230.0, abs=30.0)


def test_where_a_radar_searches_and_sees_nothing_a_crossing_is_doubtful(world) -> None:
    names = ("west", "east")
    radar = world.radar
    bearings = heard(world, names, ONE, 5)
    free = fed(world, world.tracker(*finders(world, *names)), bearings)
    empty = [
        Detection(time=world.start + s + 0.9, sensor="radar", measure=EmptyScan(), scan=s)
        for s in range(-3, 5)
    ]
    both = sorted([*bearings, *empty], key=lambda one: one.time)
    watched = world.tracker(radar, *finders(world, *names))
    for detection in both:
        watched.add([detection], detection.time + 0.02)
    seen = watched.frame(free.time)
    assert [track.existence > 0.98 for track in free.tracks] == [True]
    assert all(track.existence < 0.93 for track in seen.tracks)


def test_a_place_by_directions_goes_some_seconds_after_it_falls_silent(world) -> None:
    names = ("west", "east")
    tracker = world.tracker(*finders(world, *names))
    assert fed(world, tracker, heard(world, names, ONE, 15)).tracks
    other = [((1500.0, 1500.0), (0.0, 10.0))]
    later = [d for d in heard(world, names, other, 30) if d.time >= world.start + 15.0]
    frame = fed(world, tracker, later)
    e, n, _ = at(frame.time - world.start, *ONE[0])
    assert all(math.hypot(t.enu_m[0] - e, t.enu_m[1] - n) > 500.0 for t in frame.tracks)


def test_a_place_by_directions_is_not_shown_when_nobody_hears_it_for_two_looks(world) -> None:
    names = ("west", "east", "north")
    profiles = finders(world, *names)
    shown = {}
    for period in (1.0, 2.0, 9.0):
        tracker = world.tracker(*(structs.replace(one, period_s=period) for one in profiles))
        assert fed(world, tracker, heard(world, names, ONE, 15)).tracks
        for second in range(1, 8):
            tracker.advance(world.start + 15.0 + second)
            if tracker.frame(world.start + 15.0 + second).tracks:
                shown[period] = second
    # Heard last at 14.6 s; what is silent is found out when a whole second is complete.
    assert shown == {1.0: 3, 2.0: 5, 9.0: 5}


def test_a_track_that_a_radar_sees_is_not_doubted_for_its_silence(world) -> None:
    names = ("west", "east")
    tracker = world.tracker(world.radar, *finders(world, *names))
    fed(world, tracker, heard(world, names, ONE, 8))
    plots = [world.plot(8.0 + s + 0.5, at(8.5 + s, *ONE[0]), scan=s) for s in range(8)]
    frame = world.feed(tracker, plots)
    (track,) = frame.tracks
    assert track.existence > 0.9


# --- state and order


def test_a_tracker_restored_in_the_middle_goes_on_bit_for_bit(world) -> None:
    names = ("west", "east", "north")
    profiles, detections = finders(world, *names), heard(world, names, TWO, 12)
    for split in (3, 20, 41):
        whole = world.tracker(*profiles)
        for detection in detections:
            whole.add([detection], detection.time + 0.02)
        first = world.tracker(*profiles)
        for detection in detections[:split]:
            first.add([detection], detection.time + 0.02)
        again = Tracker.restore(world.site, profiles, FuseSettings(), first.state())
        for detection in detections[split:]:
            again.add([detection], detection.time + 0.02)
        assert again.state() == whole.state()


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(30)))
def test_the_order_of_arrival_changes_nothing(world, order: list[int]) -> None:
    names = ("west", "east", "north")
    profiles, detections = finders(world, *names), heard(world, names, TWO, 5)
    end = world.start + 20.0
    straight, mixed = world.tracker(*profiles), world.tracker(*profiles)
    for detection in detections:
        straight.add([detection], world.start + 6.0)
    for number in order:
        mixed.add([detections[number]], world.start + 6.0)
    assert straight.settled(end) == mixed.settled(end)
    assert straight.frame(end - 14.0) == mixed.frame(end - 14.0)


@settings(max_examples=20, deadline=None)
@given(
    looks=st.lists(
        st.tuples(
            st.sampled_from(["west", "east", "north"]),
            st.floats(0.0, 2.0),
            st.lists(
                st.tuples(st.floats(-720.0, 720.0), st.none() | st.floats(-90.0, 90.0)),
                min_size=1,
                max_size=6,
            ),
        ),
        max_size=12,
    )
)
def test_whatever_is_heard_every_number_is_finite(world, looks: list[Any]) -> None:
    tracker, t = world.tracker(*finders(world, "west", "east", "north")), 0.0
    for name, wait, bearings in looks:
        t += wait
        tracker.add(
            [
                Detection(
                    time=world.start + t,
                    sensor=name,
                    measure=Bearing(azimuth_deg=azimuth, elevation_deg=elevation),
                    sigma=Sigma(azimuth_deg=1.0, elevation_deg=2.0),
                )
                for azimuth, elevation in bearings
            ],
            world.start + t,
        )
    frame = tracker.frame(world.start + t)
    for track in frame.tracks:
        assert all(map(math.isfinite, (*track.enu_m, *track.velocity_mps, *track.covariance)))
        assert (np.linalg.eigvalsh(world.covariance(track)) > 0.0).all()
    for wedge in frame.wedges:
        assert all(map(math.isfinite, (wedge.azimuth_deg, wedge.azimuth_sigma_deg, *wedge.weights)))
        assert sum(wedge.weights) == pytest.approx(1.0)


def test_a_flood_of_bearings_is_bounded(world) -> None:
    rng = np.random.default_rng(5)
    tracker = world.tracker(*finders(world, "west", "east"))
    for second in range(4):
        for number, name in enumerate(("west", "east")):
            time = world.start + second + 0.3 * number
            tracker.add(
                [
                    Detection(time=time, sensor=name, measure=Bearing(azimuth_deg=float(azimuth)))
                    for azimuth in rng.uniform(0.0, 360.0, 500)
                ],
                time,
            )
    rays = tracker._bodies.head.rays
    limits = FuseSettings()
    assert 0 < rays.hypotheses.number <= limits.max_crossings
    for ear in rays.ears.values():
        assert len(ear.table) <= limits.max_rays
        assert len(ear.z) <= limits.max_bearings
        assert len(ear.chosen) <= limits.max_crossing_bearings
