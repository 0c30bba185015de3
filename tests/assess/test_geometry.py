"""The geometry of all pairs against the same figures worked out one by one."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import assume, given, settings

from vedette.assess import AssessSettings
from vedette.assess.columns import drone_belief, envelope_speed, track_columns, unit_columns, usable
from vedette.assess.geometry import relate
from vedette.assess.risk import course_evidence
from vedette.assess.units import UnitState
from vedette.model import Track, UnitReport

numbers = st.floats(-3000.0, 3000.0)
speeds = st.floats(-50.0, 50.0)
SETTINGS = AssessSettings()


def track_at(place, velocity, covariance=(0.0,) * 21, **changes):
    given = {"id": "T", "existence": 1.0, "beliefs": {}} | changes
    return Track(enu_m=place, velocity_mps=velocity, covariance=covariance, **given)


def unit_at(place, velocity=(0.0, 0.0), sigma=5.0, radius=0.0):
    report = UnitReport(time=0.0, unit="u", lat_deg=0.0, lon_deg=0.0, sigma_m=sigma, mobility="foot")
    return UnitState(
        report=report,
        enu_m=place,
        velocity_mps=velocity,
        velocity_sigma_mps=0.5,
        sigma_m=sigma,
        radius_m=radius,
        age_s=0.0,
    )


def related(tracks, units, wobble=0.1):
    return relate(track_columns(tracks, SETTINGS), unit_columns(units), wobble)


def only(array):
    assert array.shape == (1, 1)
    return float(array[0, 0])


@settings(deadline=None)
@given(
    place=st.tuples(numbers, numbers, st.just(50.0)),
    velocity=st.tuples(speeds, speeds, st.just(0.0)),
    unit=st.tuples(numbers, numbers),
    walk=st.tuples(st.floats(-10.0, 10.0), st.floats(-10.0, 10.0)),
)
def test_closest_approach_is_where_a_fine_search_finds_it(place, velocity, unit, walk):
    east, north = place[0] - unit[0], place[1] - unit[1]
    we, wn = velocity[0] - walk[0], velocity[1] - walk[1]
    assume(math.hypot(east, north) > 50.0)
    assume(math.hypot(we, wn) > 2.0)
    g = related([track_at(place, velocity)], [unit_at((*unit, 0.0), walk)])
    tcpa = max(0.0, min(600.0, -(east * we + north * wn) / (we * we + wn * wn)))
    times = np.linspace(max(0.0, tcpa - 5.0), tcpa + 5.0, 2001)
    nearest = float(np.min(np.hypot(east + we * times, north + wn * times)))
    if tcpa < 590.0:
        assert only(g.miss) == pytest.approx(nearest, abs=0.2)
    assert only(g.tcpa) == pytest.approx(tcpa, abs=0.01)
    ahead = math.hypot(east + 0.001 * we, north + 0.001 * wn)
    assert only(g.closing) == pytest.approx((math.hypot(east, north) - ahead) / 0.001, abs=0.05)


@given(
    square=st.lists(st.floats(-20.0, 20.0), min_size=4, max_size=4),
    bearing=st.floats(0.0, 2.0 * math.pi),
)
def test_position_spread_along_the_line_of_sight_is_the_quadratic_form(square, bearing):
    root = np.array(square).reshape(2, 2)
    spread = root @ root.T
    covariance = [0.0] * 21
    covariance[0], covariance[1], covariance[6] = spread[0, 0], spread[0, 1], spread[1, 1]
    sight = np.array([math.sin(bearing), math.cos(bearing)])
    across = np.array([sight[1], -sight[0]])
    place = (*(1000.0 * sight).tolist(), 0.0)
    g = related([track_at(place, (0.0, 0.0, 0.0), tuple(covariance))], [unit_at((0.0, 0.0, 0.0), sigma=3.0)])
    assert only(g.miss_sigma) ** 2 == pytest.approx(float(across @ spread @ across) + 9.0, rel=1e-6, abs=1e-6)


def test_a_poor_velocity_is_no_evidence_of_a_course():
    def evidence(sigma):
        covariance = tuple(sigma**2 if k in (15, 18, 20) else 0.0 for k in range(21))
        g = related([track_at((0.0, 800.0, 50.0), (0.0, -20.0, 0.0), covariance)], [unit_at((0.0, 0.0, 0.0))])
        return only(course_evidence(g, SETTINGS))

    assert evidence(0.5) > 1.5
    assert evidence(0.5) > evidence(5.0) > evidence(20.0)
    assert abs(evidence(500.0)) < 0.05


def test_course_evidence_follows_the_direction_of_flight():
    def evidence(degrees):
        course = math.radians(degrees)
        velocity = (20.0 * math.sin(course), -20.0 * math.cos(course), 0.0)
        g = related([track_at((0.0, 800.0, 50.0), velocity)], [unit_at((0.0, 0.0, 0.0))])
        return only(course_evidence(g, SETTINGS))

    told = [evidence(d) for d in (0.0, 5.0, 15.0, 40.0, 90.0, 180.0)]
    assert told[:4] == sorted(told[:4], reverse=True)
    assert told[0] > 2.0
    assert told[4] == pytest.approx(math.log(SETTINGS.course_outlier), abs=0.01)


def test_the_bessel_function_is_as_near_as_stated():
    k = np.logspace(-4, 2.7, 500)
    excess = np.log(np.i0(k) * np.exp(-k) * np.sqrt(1.0 + 2.0 * np.pi * k))
    assert float(np.min(excess)) >= -1e-6
    assert float(np.max(excess)) < 0.28


@pytest.mark.parametrize(
    ("beliefs", "belief"),
    [({}, 1.0), ({"bird": 0.3}, 0.7), ({"bird": 0.6, "aircraft": 0.4}, 0.15), ({"bird": 9.0}, 0.15)],
)
def test_belief_in_a_drone_has_a_floor(beliefs, belief):
    assert drone_belief(track_at((0, 0, 0), (0, 0, 0), beliefs=beliefs), SETTINGS) == pytest.approx(belief)


def test_the_envelope_is_never_below_the_speed():
    fast = track_at((0.0, 0.0, 0.0), (30.0, 0.0, 0.0), beliefs={"multirotor": 1.0})
    assert envelope_speed(fast, SETTINGS) == 30.0
    mixed = track_at((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), beliefs={"multirotor": 0.5, "fixed-wing": 0.25})
    assert envelope_speed(mixed, SETTINGS) == pytest.approx(0.5 * 20.0 + 0.25 * 51.0 + 0.25 * 56.0)


@pytest.mark.parametrize("existence", [-0.1, 1.1, math.nan])
def test_existence_must_be_a_probability(existence):
    assert not usable(track_at((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), existence=existence))
