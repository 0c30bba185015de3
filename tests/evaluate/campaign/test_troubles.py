"""Each trouble does what its words say, and nothing else."""

import pytest
from campaign_works import heard, scenario_of

from vedette.evaluate.campaign.items import Item, Trouble
from vedette.evaluate.campaign.troubles import (
    CLOCK_OFF_S,
    LOST_SHARE,
    SPEED_SHARE,
    TROUBLES,
    Said,
    troubled,
)
from vedette.model import Bearing, Detection, Position, RangeBearing
from vedette.simulate import sensor_profiles
from vedette.simulate.scenario import Scenario

SCENARIO: Scenario = scenario_of(0, hostile=True)
DETECTIONS, REPORTS = heard(SCENARIO)
SAID: Said = (sensor_profiles(SCENARIO), DETECTIONS, REPORTS)


def after(trouble: Trouble, said: Said = SAID) -> Said:
    return troubled(Item(collection="test", index=3, trouble=trouble), said)


def test_as_planned_is_untouched() -> None:
    assert after("none") is SAID


def test_all_troubles_have_words_and_work() -> None:
    assert len(set(TROUBLES)) == 8
    for trouble in TROUBLES:
        profiles, _, reports = after(trouble)
        assert len(profiles) == len(SAID[0])
        assert len(reports) <= len(REPORTS)


def test_the_busiest_sensor_falls_silent() -> None:
    other = Detection(time=1.0, sensor="df", measure=Bearing(azimuth_deg=3.0))
    _, detections, _ = after("sensor-lost", (SAID[0], [*DETECTIONS, other], REPORTS))
    assert detections == [other]


def test_without_radio_remote_id_is_not_heard_and_radars_are() -> None:
    plot = Detection(time=1.0, sensor="radar", measure=RangeBearing(range_m=800.0, azimuth_deg=3.0))
    _, detections, reports = after("rf-denied", (SAID[0], [*DETECTIONS, plot], REPORTS))
    assert detections == [plot]
    assert reports == REPORTS


def test_a_tenth_of_all_messages_is_lost_the_same_each_time() -> None:
    _, detections, reports = after("messages-lost")
    assert 0.3 * LOST_SHARE < 1.0 - len(detections) / len(DETECTIONS) < 2.5 * LOST_SHARE
    assert len(reports) < len(REPORTS)
    assert after("messages-lost")[1] == detections
    item = Item(collection="test", index=4, trouble="messages-lost")
    assert troubled(item, SAID)[1] != detections


def test_a_clock_that_is_behind_arrives_as_before() -> None:
    _, detections, _ = after("clock-off")
    for ours, theirs in zip(detections, DETECTIONS, strict=True):
        assert ours.time == theirs.time - CLOCK_OFF_S
        assert ours.received == theirs.received


def test_sensors_that_are_praised_miss_four_times_as_often() -> None:
    for ours, theirs in zip(after("detection-overstated")[0], SAID[0], strict=True):
        missed = 1.0 - theirs.detection_probability
        assert 4.0 * (1.0 - ours.detection_probability) == pytest.approx(missed)


def test_speeds_are_read_too_low() -> None:
    plot = Detection(
        time=1.0, sensor="r", measure=RangeBearing(range_m=800.0, azimuth_deg=3.0, range_rate_mps=-20.0)
    )
    _, detections, _ = after("speed-misread", (SAID[0], [*DETECTIONS, plot], REPORTS))
    measure = detections[-1].measure
    assert isinstance(measure, RangeBearing)
    assert measure.range_rate_mps == -20.0 * SPEED_SHARE
    for ours, theirs in zip(detections, DETECTIONS, strict=False):
        assert isinstance(ours.measure, Position)
        assert isinstance(theirs.measure, Position)
        if theirs.measure.velocity_mps is not None:
            assert ours.measure.velocity_mps is not None
            assert abs(ours.measure.velocity_mps[0]) <= abs(theirs.measure.velocity_mps[0])


def test_a_drone_is_called_a_bird_and_a_bird_a_drone() -> None:
    drone = Detection(
        time=1.0,
        sensor="c",
        measure=Bearing(azimuth_deg=1.0),
        beliefs={"fpv": 0.7, "bird": 0.1, "unknown": 0.2},
    )
    bird = Detection(
        time=2.0, sensor="c", measure=Bearing(azimuth_deg=1.0), beliefs={"bird": 0.9, "fpv": 0.1}
    )
    _, detections, _ = after("class-misread", (SAID[0], [drone, bird], REPORTS))
    assert detections[0].beliefs == {"fpv": 0.1, "bird": 0.7, "unknown": 0.2}
    assert detections[1].beliefs == {"bird": 0.1, "fpv": 0.9}
