"""Where a drone may have come from: for the desk."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.assess import Assessor, AssessSettings
from vedette.assess.launch import Launches
from vedette.model import Frame, Track

BASE = 1_700_000_000.0


@pytest.fixture
def assessor(site, report_of):
    made = Assessor(site)
    made.unit(report_of("alpha"), BASE)
    return made


def flown(assessor, track_of, seconds, velocity=(0.0, -15.0, 0.0), start=(0.0, 2000.0, 60.0), **changes):
    """The launch areas after so many seconds of straight flight."""
    frame = Frame(time=BASE, tracks=())
    for second in range(seconds):
        place = tuple(p + v * second for p, v in zip(start, velocity, strict=True))
        track = track_of("T1", enu_m=place, velocity_mps=velocity, **changes)
        frame = Frame(time=BASE + second, tracks=(track,))
        assessor.assess(frame, BASE + second)
    return assessor.launch_areas(frame)


def test_it_lies_behind_the_first_course(assessor, track_of):
    (area,) = flown(assessor, track_of, 30)
    assert area.track == "T1"
    assert area.time == BASE
    assert area.enu_m == (0.0, 2000.0)
    assert area.azimuth_deg == pytest.approx(0.0, abs=1e-6)
    # 60 m of height at a slow climb of 2 m/s: 30 s at 15 m/s.
    assert area.far_m == pytest.approx(450.0)


def test_two_looks_are_too_few(assessor, track_of):
    assert flown(assessor, track_of, 2) == ()
    assert flown(assessor, track_of, 1) == ()


def test_later_turns_change_nothing(assessor, track_of):
    (before,) = flown(assessor, track_of, 11)
    turned = track_of("T1", enu_m=(500.0, 1500.0, 60.0), velocity_mps=(20.0, 0.0, 0.0))
    frame = Frame(time=BASE + 11.5, tracks=(turned,))
    assessor.assess(frame, BASE + 11.5)
    assert assessor.launch_areas(frame) == (before,)


def test_a_hoverer_may_have_risen_where_it_is(assessor, track_of):
    (area,) = flown(assessor, track_of, 12, velocity=(0.0, 0.0, 0.0))
    assert area.azimuth_sigma_deg == 180.0
    assert area.far_m == AssessSettings().launch_least_m


def test_without_a_height_a_usual_one_is_assumed_and_said(assessor, track_of):
    (area,) = flown(assessor, track_of, 12, height_known=False)
    assert not area.height_known
    assert area.far_m == pytest.approx(15.0 * 80.0 / 2.0)


def test_state_continues_and_memory_is_bounded(site, report_of, track_of):
    assessor = Assessor(site)
    assessor.unit(report_of("alpha"), BASE)
    for second in range(6):
        tracks = tuple(track_of(f"T{second}-{n:04d}") for n in range(1000))
        assessor.assess(Frame(time=BASE + second, tracks=tracks), BASE + second)
    assert len(assessor._launches.held) == 4096
    other = Assessor.restore(site, AssessSettings(), assessor.state())
    assert other.state() == assessor.state()


@given(
    velocity=st.tuples(*[st.floats(-100.0, 100.0)] * 3),
    place=st.tuples(*[st.floats(-1e5, 1e5)] * 3),
)
def test_any_track_gives_a_finite_area(velocity, place):
    launches = Launches(AssessSettings())
    track = Track(
        id="T", enu_m=place, velocity_mps=velocity, covariance=(1.0,) * 21, existence=1.0, beliefs={}
    )
    for second in range(5):
        launches.take((track,), BASE + second)
    (area,) = launches.areas((track,))
    assert all(map(math.isfinite, (area.azimuth_deg, area.far_m, area.azimuth_sigma_deg)))
    assert 0.0 <= area.azimuth_deg <= 360.0
    assert area.far_m > 0.0
