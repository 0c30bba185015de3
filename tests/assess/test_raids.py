"""Several drones on one unit."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.assess import Assessor, AssessSettings
from vedette.assess.raids import axes_of
from vedette.model import Frame

BASE = 1_700_000_000.0


def coming(track_of: Any, name: str, azimuth_deg: float, range_m: float = 500.0, speed: float = 25.0) -> Any:
    east, north = math.sin(math.radians(azimuth_deg)), math.cos(math.radians(azimuth_deg))
    return track_of(
        name,
        enu_m=(range_m * east, range_m * north, 40.0),
        velocity_mps=(-speed * east, -speed * north, 0.0),
    )


def last(assessor: Assessor, tracks: list[Any], seconds: int = 6) -> dict[str, Any]:
    """The threats after some seconds of the same picture, by track."""
    told: dict[str, Any] = {}
    for second in range(seconds):
        frame = Frame(time=BASE + second, tracks=tuple(tracks))
        told = {threat.track: threat for threat in assessor.assess(frame, BASE + second)}
    return told


@pytest.fixture
def assessor(site, report_of):
    made = Assessor(site)
    made.unit(report_of("alpha"), BASE)
    return made


def test_one_drone_is_no_raid(assessor, track_of):
    threat = last(assessor, [coming(track_of, "T1", 45.0)])["T1"]
    assert (threat.attackers, threat.axes_deg) == (1, ())


def test_two_axes_are_told_with_each_of_them(assessor, track_of):
    tracks = [coming(track_of, "T1", 45.0), coming(track_of, "T2", 180.0), coming(track_of, "T3", 60.0)]
    told = last(assessor, tracks)
    assert {threat.attackers for threat in told.values()} == {3}
    (axes,) = {threat.axes_deg for threat in told.values()}
    assert axes == pytest.approx((180.0, 45.0)) or axes == pytest.approx((45.0, 180.0))


def test_who_comes_much_later_or_not_at_all_is_not_of_it(assessor, track_of):
    late = coming(track_of, "T2", 200.0, range_m=1200.0, speed=12.0)
    leaves = coming(track_of, "T3", 300.0, speed=-25.0)
    told = last(assessor, [coming(track_of, "T1", 45.0), late, leaves])
    assert told["T1"].attackers == 1


def test_a_rise_between_two_seconds_knows_of_the_others(site, report_of, track_of):
    assessor = Assessor(site)
    assessor.unit(report_of("alpha"), BASE)
    first, second = coming(track_of, "T1", 45.0), coming(track_of, "T2", 200.0)
    last(assessor, [first])
    risen = ()
    for tenth in range(1, 60):
        at = BASE + 5.0 + tenth / 10.0
        risen += assessor.risen(Frame(time=at, tracks=(first, second)), at, {"T2"})
    grave = [threat for threat in risen if threat.level in ("warning", "imminent")]
    assert grave
    assert all(threat.attackers == 2 for threat in grave)


def test_state_continues(site, report_of, track_of):
    assessor = Assessor(site)
    assessor.unit(report_of("alpha"), BASE)
    tracks = [coming(track_of, "T1", 45.0), coming(track_of, "T2", 180.0)]
    last(assessor, tracks)
    other = Assessor.restore(site, AssessSettings(), assessor.state())
    at = BASE + 5.5
    frame = Frame(time=at, tracks=tuple(tracks))
    assert assessor.risen(frame, at, {"T1", "T2"}) == other.risen(frame, at, {"T1", "T2"})
    assert assessor.state() == other.state()


@pytest.mark.parametrize(
    ("bearings", "axes"),
    [
        ([], ()),
        ([10.0], (10.0,)),
        ([350.0, 10.0, 30.0], (350.0,)),
        ([10.0, 190.0], (10.0, 190.0)),
        ([0.0, 90.0, 180.0, 270.0], (0.0, 90.0, 180.0, 270.0)),
        ([359.0, 1.0, 180.0], (180.0, 359.0)),
    ],
)
def test_axes(bearings, axes):
    assert sorted(axes_of(bearings, 60.0)) == sorted(axes)


@given(st.lists(st.integers(-720, 720), max_size=12))
def test_every_bearing_is_of_an_axis_and_there_are_no_more_than_fit(bearings):
    axes = axes_of((float(bearing) for bearing in bearings), 60.0)
    assert len(axes) <= min(len(bearings), 6)
    for bearing in bearings:
        assert any((bearing - axis) % 360.0 <= 60.0 for axis in axes)
