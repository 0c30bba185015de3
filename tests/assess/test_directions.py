"""Threats of what is known by its direction only."""

import math
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.assess import Assessor, AssessSettings
from vedette.assess.directions import Directions
from vedette.assess.units import UnitState
from vedette.model import Frame, Threat, UnitReport
from vedette.model.track import Wedge

BASE = 1_700_000_000.0
RANGES = (150.0, 300.0, 600.0, 1200.0, 2400.0, 4800.0)


def wedge(name: str = "W1", **changes: Any) -> Wedge:
    """Heard due north of the site, equally likely at every distance of `RANGES`, its direction holding."""
    given_: dict[str, Any] = {
        "id": name,
        "sensor": "finder",
        "origin_enu_m": (0.0, 0.0, 5.0),
        "azimuth_deg": 0.0,
        "azimuth_sigma_deg": 1.0,
        "azimuth_rate_dps": 0.0,
        "azimuth_rate_sigma_dps": 0.1,
        "existence": 0.97,
        "heard": BASE,
        "ranges_m": RANGES,
        "weights": (1.0 / 6.0,) * 6,
    }
    return Wedge(**(given_ | changes))


@pytest.fixture
def assessor(site: Any, report_of: Any) -> Assessor:
    made = Assessor(site)
    made.unit(report_of("alpha"), BASE)
    return made


def weighed(assessor: Assessor, wedges: Sequence[Wedge], after: float = 0.0) -> dict[str, Threat]:
    frame = Frame(time=BASE + after, tracks=(), wedges=tuple(wedges))
    return {f"{t.track}/{t.unit}": t for t in assessor.assess(frame, BASE + after)}


def test_a_direction_without_a_place_is_warned_of(assessor):
    threat = weighed(assessor, [wedge()])["W1/alpha"]
    assert threat.level == "advisory"
    assert threat.behaviour == "direction-only"
    assert threat.range_m is None
    assert threat.closing_mps is None
    assert threat.time_to_impact_s is None
    assert threat.bearing_deg == pytest.approx(0.0, abs=0.01)
    assert threat.bearing_sigma_deg == pytest.approx(1.0, abs=0.1)
    # Within the nearest tenth of the mixture: 150 m off, less what the unit's place is doubtful by.
    assert threat.earliest_s == pytest.approx((150.0 - 10.0) / 56.0, rel=0.01)


def test_the_evidence_adds_up_to_the_risk(assessor):
    threat = weighed(assessor, [wedge(azimuth_rate_dps=0.4)])["W1/alpha"]
    total = sum(nats for _, nats in threat.evidence)
    assert threat.risk == pytest.approx(1.0 / (1.0 + math.exp(-total)), rel=1e-6)
    weights = [abs(nats) for _, nats in threat.evidence]
    assert weights == sorted(weights, reverse=True)


def test_a_direction_that_turns_away_is_less_than_one_that_holds(assessor):
    holds = weighed(assessor, [wedge()])["W1/alpha"]
    turns = weighed(assessor, [wedge("W2", azimuth_rate_dps=4.0)])["W2/alpha"]
    assert turns.risk < 0.7 * holds.risk


def test_off_the_sensor_the_direction_that_turns_towards_the_unit_is_the_graver(site, report_of):
    made = Assessor(site)
    made.unit(report_of("east", east=400.0), BASE)
    made.unit(report_of("west", east=-400.0), BASE)
    # Seen from the sensor it drifts clockwise: as one that flies at the unit east of it.
    threats = weighed(made, [wedge(azimuth_rate_dps=0.6, ranges_m=(800.0,), weights=(1.0,))])
    assert threats["W1/east"].risk > 2.0 * threats["W1/west"].risk


def test_heard_close_is_a_warning(assessor):
    """An acoustic array hears no farther than a few hundred metres."""
    near = wedge(ranges_m=(50.0, 100.0, 200.0), weights=(0.3, 0.3, 0.4))
    assert weighed(assessor, [near])["W1/alpha"].level == "warning"


@pytest.mark.parametrize(("sigma_deg", "level"), [(11.0, "warning"), (13.0, "advisory"), (26.0, "info")])
def test_a_doubtful_direction_is_told_with_reserve(assessor, sigma_deg, level):
    """Two false bearings make a wedge that sweeps over everybody: it sounds at nobody's phone."""
    near = wedge(ranges_m=(50.0, 100.0), weights=(0.5, 0.5), azimuth_sigma_deg=sigma_deg)
    assert weighed(assessor, [near])["W1/alpha"].level == level


def test_a_direction_only_is_never_imminent(assessor):
    near = wedge(ranges_m=(5.0,), weights=(1.0,), existence=1.0)
    assert weighed(assessor, [near])["W1/alpha"].level == "warning"


def test_from_far_off_the_sensor_no_bearing_is_told_as_sure(site, report_of):
    made = Assessor(site)
    made.unit(report_of("far", east=1500.0, north=1200.0), BASE)
    threat = weighed(made, [wedge()])["W1/far"]
    assert threat.bearing_sigma_deg > 30.0


def test_too_far_for_anybody_is_for_the_desk(assessor):
    threat = weighed(assessor, [wedge(ranges_m=(9000.0,), weights=(1.0,))])
    assert all(t.level == "info" for t in threat.values())


def test_up_at_once_and_down_slowly(assessor):
    near, far = wedge(ranges_m=(100.0,), weights=(1.0,)), wedge(ranges_m=(9000.0,), weights=(1.0,))
    levels = [weighed(assessor, [near], 0.0)["W1/alpha"].level]
    levels += [weighed(assessor, [far], s)["W1/alpha"].level for s in (1.0, 15.0, 20.9)]
    assert levels == ["warning"] * 4
    assert weighed(assessor, [far], 21.0).get("W1/alpha") is None


def test_a_wedge_that_is_gone_is_forgotten_and_one_of_no_figures_is_none(assessor):
    assert "W1/alpha" in weighed(assessor, [wedge()])
    assert weighed(assessor, []) == {}
    broken = [
        wedge(azimuth_deg=math.nan),
        wedge(weights=(0.0,) * 6),
        wedge(ranges_m=(), weights=()),
        wedge(ranges_m=(0.0,) * 6),
        wedge(azimuth_rate_sigma_dps=math.inf),
    ]
    for bad in broken:
        assert weighed(assessor, [bad]) == {}


def test_state_continues_to_the_same_threats(site, report_of):
    near, far = wedge(ranges_m=(100.0,), weights=(1.0,)), wedge(ranges_m=(9000.0,), weights=(1.0,))
    one = Assessor(site)
    one.unit(report_of("alpha"), BASE)
    weighed(one, [near])
    weighed(one, [far], 5.0)
    other = Assessor.restore(site, AssessSettings(), one.state())
    assert other.state() == one.state()
    for after in (10.0, 24.9, 25.0, 26.0):
        assert weighed(one, [far], after) == weighed(other, [far], after)
    assert other.state() == one.state()


def test_the_order_of_wedges_and_units_changes_nothing(site, report_of):
    first, second = Assessor(site), Assessor(site)
    reports: list[UnitReport] = [report_of("alpha"), report_of("bravo", east=300.0)]
    for assessor, order in ((first, reports), (second, reports[::-1])):
        for report in order:
            assessor.unit(report, BASE)
    pair = [wedge("W1"), wedge("W2", azimuth_deg=90.0)]
    frames = [Frame(time=BASE, tracks=(), wedges=tuple(order)) for order in (pair, pair[::-1])]
    assert first.assess(frames[0], BASE) == second.assess(frames[1], BASE)


@given(
    azimuth=st.floats(0.0, 360.0),
    rate=st.floats(-400.0, 400.0),
    sigma=st.floats(0.0, 90.0),
    east=st.floats(-9000.0, 9000.0),
    north=st.floats(-9000.0, 9000.0),
    ranges=st.lists(st.floats(1e-3, 1e5), min_size=1, max_size=8),
    existence=st.floats(0.0, 1.0),
)
def test_any_direction_gives_finite_figures(azimuth, rate, sigma, east, north, ranges, existence):
    settings = AssessSettings()
    unit = UnitState(
        report=UnitReport(time=BASE, unit="u", lat_deg=31.5, lon_deg=-110.9, sigma_m=5.0, mobility="post"),
        enu_m=(east, north, None),
        velocity_mps=(0.0, 0.0),
        velocity_sigma_mps=0.0,
        sigma_m=5.0,
        radius_m=0.0,
        age_s=0.0,
    )
    heard = wedge(
        azimuth_deg=azimuth, azimuth_rate_dps=rate, azimuth_rate_sigma_dps=sigma, existence=existence,
        ranges_m=tuple(ranges), weights=(1.0 / len(ranges),) * len(ranges),
    )  # fmt: skip
    for threat in Directions(settings).assess([heard], [], [unit], BASE):
        figures = [threat.risk, threat.bearing_deg, threat.bearing_sigma_deg, threat.earliest_s]
        figures += [nats for _, nats in threat.evidence]
        assert all(map(math.isfinite, figures))
        assert 0.0 <= threat.risk <= 1.0


CLOSE = {"ranges_m": (40.0, 80.0, 120.0, 160.0), "weights": (0.25,) * 4}
"""Heard by an array whose stated range ends inside the danger radius."""


def beside_a_track(assessor: Assessor, track: Any) -> Threat:
    frame = Frame(time=BASE, tracks=(track,), wedges=(wedge(**CLOSE),))
    return next(t for t in assessor.assess(frame, BASE) if t.track == "W1")


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({}, "advisory"),
        ({"enu_m": (190.0, 900.0, 280.0)}, "advisory"),
        ({"enu_m": (400.0, 900.0, 280.0)}, "warning"),
        ({"updated": BASE - 10.0}, "warning"),
        ({"height_measured": False}, "warning"),
    ],
)
def test_what_our_own_sensors_place_there_explains_a_direction(site, report_of, track_of, changes, level):
    """Not what is elsewhere, nor what was seen long ago, nor what merely says that it is there."""
    there = {"enu_m": (0.0, 900.0, 280.0), "updated": BASE, "height_measured": True}
    assessor = Assessor(site)
    assessor.unit(report_of("alpha"), BASE)
    threat = beside_a_track(assessor, track_of(**(there | changes)))
    assert threat.level == level
    total = math.fsum(nats for _, nats in threat.evidence)
    assert total == pytest.approx(math.log(threat.risk / (1.0 - threat.risk)), abs=1e-6)
    said = [words for words, _ in threat.evidence]
    assert ("most likely the body that our own sensors see in that direction" in said) == (
        level == "advisory"
    )


def test_what_was_explained_stays_so_until_it_is_heard_again(site, report_of, track_of):
    """The body flies on, and its direction, which nobody hears any more, does not."""
    assessor = Assessor(site)
    assessor.unit(report_of("alpha"), BASE)
    there = track_of(enu_m=(0.0, 900.0, 280.0), updated=BASE, height_measured=True)
    gone = track_of(enu_m=(900.0, 900.0, 280.0), updated=BASE + 5.0, height_measured=True)
    levels = []
    for after, track, heard in ((0.0, there, BASE), (5.0, gone, BASE), (6.0, gone, BASE + 6.0)):
        frame = Frame(time=BASE + after, tracks=(track,), wedges=(wedge(heard=heard, **CLOSE),))
        levels += [t.level for t in assessor.assess(frame, frame.time) if t.track == "W1"]
        assessor = Assessor.restore(site, None, assessor.state())
    assert levels == ["advisory", "advisory", "warning"]
