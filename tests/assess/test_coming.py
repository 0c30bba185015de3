"""What was coming when it was seen last stays a danger for as long as it could still be about to arrive."""

import math

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import HealthCheck, assume, example, given, settings

from vedette.assess import Assessor, read_model
from vedette.model import Frame
from vedette.model.threat import LEVEL_RANK

SEEN_S = 12
WARNING = LEVEL_RANK["warning"]


def coasting(track, seconds, slows=0.0, existence=None):
    """The track ``seconds`` after it was detected last, as a tracker predicts it that thinks it may hover."""
    gone = seconds if slows == 0.0 else (1.0 - math.exp(-slows * seconds)) / slows
    left = math.exp(-slows * seconds)
    spread = tuple(
        value + (9.0 * seconds**2 if place in (0, 6, 11) else 2.0 * seconds if place in (15, 18, 20) else 0.0)
        for place, value in enumerate(track.covariance)
    )
    return msgspec.structs.replace(
        track,
        enu_m=tuple(p + gone * v for p, v in zip(track.enu_m, track.velocity_mps, strict=True)),
        velocity_mps=tuple(left * v for v in track.velocity_mps),
        covariance=spread,
        existence=track.existence if existence is None else existence,
    )


def seen(assessor, track_of, base, start, velocity, seconds=SEEN_S, name="T1"):
    """A straight flight that is detected each second: the last track, and what was told of it."""
    for second in range(seconds):
        place = tuple(p + second * v for p, v in zip(start, velocity, strict=True))
        last = track_of(name, enu_m=place, velocity_mps=velocity, updated=base + second)
        threats = assessor.assess(Frame(time=base + second, tracks=(last,)), base + second)
    return last, threats


def level_of(threats, unit="alpha"):
    return max((LEVEL_RANK[t.level] for t in threats if t.unit == unit), default=0)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    distance=st.floats(250.0, 1500.0),
    bearing=st.floats(0.0, 6.28),
    off=st.floats(-0.5, 0.5),
    speed=st.floats(8.0, 50.0),
    slows=st.sampled_from([0.0, 0.05, 0.2]),
    fades=st.floats(0.0, 0.2),
    shown=st.integers(0, 40),
)
@example(800.0, 0.0, 0.2, 25.0, 0.05, 0.0, 40)
@example(600.0, 0.0, 0.0, 12.0, 0.2, 0.2, 5)
def test_whatever_was_coming_keeps_its_level_until_it_could_be_past(
    site, base, track_of, report_of, plain_model, distance, bearing, off, speed, slows, fades, shown
):
    """From any side, on any course that passes near, however its track slows down on paper, however its
    existence falls, and whether it is shown for ``shown`` seconds more or not at all."""
    assessor = Assessor(site, model=plain_model)
    assessor.unit(report_of(), base)
    course = bearing + math.pi + off
    velocity = (speed * math.sin(course), speed * math.cos(course), 0.0)
    start = (distance * math.sin(bearing), distance * math.cos(bearing), 60.0)
    last, threats = seen(assessor, track_of, base, start, velocity)
    ends = base + SEEN_S - 1
    east, north = last.enu_m[:2]
    reach = math.hypot(east, north)
    closing = -(east * velocity[0] + north * velocity[1]) / reach
    miss = abs(east * velocity[1] - north * velocity[0]) / speed
    assume(closing > 3.5 and miss < 290.0)
    due = min(reach / closing, 60.0)
    before = level_of(threats)
    for second in range(1, int(due) + 1):
        now = ends + second
        existence = max(0.06, 0.98 * math.exp(-fades * second))
        tracks = (coasting(last, second, slows, existence),) if second <= shown else ()
        threats = assessor.assess(Frame(time=now, tracks=tracks), now)
        assert level_of(threats) >= (before if second <= shown or before >= WARNING else 0)
        if before >= WARNING and second > 5:
            said = [words for t in threats for words, _ in t.evidence[:3] if "not detected" in words]
            assert said == [f"not detected for {second} s, was coming at you"]


@pytest.fixture
def warned(site, base, track_of, report_of):
    """An assessor that warns of a drone which is 500 m away and comes at 25 m/s, and that track."""
    assessor = Assessor(site)
    assessor.unit(report_of(), base)
    last, threats = seen(assessor, track_of, base, (0.0, 900.0, 60.0), (0.0, -25.0, 0.0), seconds=17)
    assert level_of(threats) >= WARNING
    return assessor, last, base + 16


def test_it_is_let_go_slowly_once_it_could_have_come_and_gone(warned):
    """500 m at 25 m/s: 20 s, half as long again to be late, then as long as any level is held."""
    assessor, _, ends = warned
    levels = {}
    for second in range(1, 120):
        threats = assessor.assess(Frame(time=ends + second, tracks=()), ends + second)
        levels[second] = level_of(threats)
    assert levels[20] >= WARNING
    assert levels[60] == 0
    assert not assessor.lost(Frame(time=ends + 120, tracks=()), ends + 120)


def test_what_left_when_it_was_seen_last_is_not_held(site, base, track_of, report_of):
    assessor = Assessor(site)
    assessor.unit(report_of(), base)
    seen(assessor, track_of, base, (0.0, 500.0, 60.0), (0.0, -25.0, 0.0), seconds=17)
    last, _ = seen(assessor, track_of, base + 17, (0.0, 100.0, 60.0), (0.0, 25.0, 0.0), seconds=5)
    assert assessor.assess(Frame(time=base + 23, tracks=()), base + 23) == ()
    assert last.id == "T1"


def test_nothing_rises_of_what_is_shown_no_more(warned):
    assessor, _, ends = warned
    before = level_of(assessor.assess(Frame(time=ends + 1, tracks=()), ends + 1))
    later = [
        level_of(assessor.assess(Frame(time=ends + after, tracks=()), ends + after)) for after in range(2, 40)
    ]
    assert max(later) == before


def test_its_place_grows_less_sure_and_its_last_detection_stays(warned):
    assessor, last, ends = warned
    assessor.assess(Frame(time=ends + 10, tracks=()), ends + 10)
    (track,) = assessor.lost(Frame(time=ends + 10, tracks=()), ends + 10)
    assert track.enu_m[1] == pytest.approx(last.enu_m[1] - 250.0)
    assert track.covariance[0] > last.covariance[0] + 100.0 * last.covariance[15]
    assert track.updated == last.updated
    assert assessor.lost(Frame(time=ends + 10, tracks=(last,)), ends + 10) == ()


def test_another_track_in_its_place_ends_it_only_if_all_stay_warned(warned, track_of):
    """A word from the air that something flies there, and then turns away, silences nothing."""
    assessor, last, ends = warned
    frame = Frame(time=ends + 1, tracks=(coasting(track_of("T2", enu_m=last.enu_m), 0.0),))
    for second in range(1, 12):
        threats = assessor.assess(msgspec.structs.replace(frame, time=ends + second), ends + second)
    assert level_of([t for t in threats if t.track == "T1"]) >= WARNING


def test_the_same_body_under_another_name_takes_over(site, base, track_of, report_of):
    assessor = Assessor(site)
    assessor.unit(report_of(), base)
    both = (0.0, -25.0, 0.0)
    for second in range(17):
        place = (0.0, 900.0 - 25.0 * second, 60.0)
        tracks = tuple(
            track_of(name, enu_m=place, velocity_mps=both, updated=base + second) for name in ("T1", "T2")
        )
        assessor.assess(Frame(time=base + second, tracks=tracks), base + second)
    for second in (17, 18):
        place = (0.0, 900.0 - 25.0 * second, 60.0)
        only = track_of("T2", enu_m=place, velocity_mps=both, updated=base + second)
        threats = assessor.assess(Frame(time=base + second, tracks=(only,)), base + second)
    assert {t.track for t in threats} == {"T2"}


def test_what_is_awaited_survives_a_restart(warned, site):
    assessor, _, ends = warned
    assessor.assess(Frame(time=ends + 1, tracks=()), ends + 1)
    again = Assessor.restore(site, None, assessor.state())
    for second in range(2, 60):
        frame = Frame(time=ends + second, tracks=())
        assert again.assess(frame, frame.time) == assessor.assess(frame, frame.time)
        assert again.state() == assessor.state()


BLIND = read_model(
    b"""{"format": 1, "version": "sees nothing", "trained": {}, "prior_nats": -9.0, "terms": [],
    "levels": {"imminent_nats": 0.0, "warning_nats": -1.0, "advisory_nats": -2.0}}""",
    "blind",
)


@pytest.mark.parametrize("existence", [0.9, 0.3])
def test_a_plain_attack_that_goes_behind_a_ridge_is_warned_of_when_it_should_be_near(
    site, base, track_of, report_of, existence
):
    """It was too far off to be warned of when it was seen last. That a sensor looks where it should be and
    sees nothing is another matter: then nothing new is said."""
    assessor = Assessor(site, model=BLIND)
    assessor.unit(report_of(), base)
    last, threats = seen(assessor, track_of, base, (0.0, 1400.0, 60.0), (0.0, -20.0, 0.0), seconds=16)
    assert level_of(threats) < WARNING
    warned_s = None
    for second in range(1, 60):
        now = base + 15 + second
        track = coasting(last, second, 0.1, existence)
        threats = assessor.assess(Frame(time=now, tracks=(track,)), now)
        if warned_s is None and level_of(threats) >= WARNING:
            warned_s = 1100.0 / 20.0 - second
    assert warned_s == (pytest.approx(24.0, abs=1.5) if existence > 0.5 else None)


def test_what_was_shown_without_its_place_is_awaited_without_it(site, base, track_of, report_of):
    """A direction does not become a point because it is not heard any more."""
    assessor = Assessor(site)
    assessor.unit(report_of(), base)
    for second in range(17):
        place = (0.0, 900.0 - 25.0 * second, 60.0)
        track = track_of(enu_m=place, velocity_mps=(0.0, -25.0, 0.0), updated=base + second)
        assessor.assess(Frame(time=base + second, tracks=(), unplaced=(track,)), base + second)
    threats = assessor.assess(Frame(time=base + 17, tracks=()), base + 17)
    assert level_of(threats) >= WARNING
    assert [(t.range_m, t.time_to_impact_s, t.behaviour) for t in threats] == [(None, None, "direction-only")]
