"""The last seconds: a lower bar for what is nearly there, no IMMINENT about aircraft, and neighbours."""

import json
import math

import numpy as np
import pytest

from vedette.assess import Assessor, AssessSettings, read_model
from vedette.model import Frame
from vedette.model.threat import LEVEL_RANK

WARNING, IMMINENT = LEVEL_RANK["warning"], LEVEL_RANK["imminent"]


def judge(nats, terms=()):
    """A model that gives every pair so many nats; WARNING begins at 0 and IMMINENT at 0.2."""
    return read_model(
        json.dumps(
            {
                "format": 1, "version": "flat", "trained": {}, "prior_nats": nats, "terms": list(terms),
                "levels": {
                    "imminent_nats": 0.2, "warning_nats": 0.0, "advisory_nats": -1.0, "down_nats": 0.0
                },
            }
        ),
        "flat",
    )  # fmt: skip


def level_at_once(site, base, track_of, report_of, model, settings=None, **changes):
    assessor = Assessor(site, settings, model)
    assessor.unit(report_of(), base)
    track = track_of(existence=1.0, beliefs={"fpv": 1.0}, **changes)
    threats = assessor.assess(Frame(time=base, tracks=(track,)), base)
    return max((LEVEL_RANK[t.level] for t in threats), default=0)


@pytest.mark.parametrize(
    ("place", "velocity", "warned"),
    [
        ((0.0, 200.0, 60.0), (0.0, -20.0, 0.0), True),
        ((0.0, 400.0, 60.0), (0.0, -20.0, 0.0), False),
        ((0.0, 200.0, 60.0), (8.0, -18.0, 0.0), False),
        ((0.0, 80.0, 60.0), (0.0, -7.0, 0.0), False),
    ],
)
def test_the_bar_is_lower_for_what_is_seconds_away_on_a_course_at_the_unit(
    site, base, track_of, report_of, place, velocity, warned
):
    given = {"enu_m": place, "velocity_mps": velocity}
    assert (level_at_once(site, base, track_of, report_of, judge(-0.3), **given) >= WARNING) == warned
    assert level_at_once(site, base, track_of, report_of, judge(-0.4), **given) < WARNING
    assert level_at_once(site, base, track_of, report_of, judge(0.1), **given) >= WARNING


FAST = {"enu_m": (0.0, 1000.0, 60.0), "velocity_mps": (0.0, -93.0, 0.0)}
HIGH = {"enu_m": (0.0, 400.0, 393.0), "velocity_mps": (0.0, -40.0, 0.0)}


@pytest.mark.parametrize("flight", [FAST, HIGH])
def test_no_attack_is_imminent_of_what_our_own_sensors_see_pass_as_aircraft_do(
    site, base, track_of, report_of, flight
):
    ours = level_at_once(site, base, track_of, report_of, judge(1.0), height_measured=True, **flight)
    words = level_at_once(site, base, track_of, report_of, judge(1.0), height_measured=False, **flight)
    assert ours == WARNING
    assert words == IMMINENT


def test_one_that_comes_down_on_the_unit_is_imminent_however_high_it_is(site, base, track_of, report_of):
    dives = {"enu_m": (0.0, 300.0, 393.0), "velocity_mps": (0.0, -30.0, -36.0), "height_measured": True}
    assert level_at_once(site, base, track_of, report_of, judge(1.0), **dives) == IMMINENT


def test_far_off_a_doubtful_course_is_no_course_at_the_unit(site, base, track_of, report_of):
    """1,000 m and 27 s away, to pass 100 m off, give or take a hundred."""
    passes = {"enu_m": (0.0, 1000.0, 60.0), "velocity_mps": (3.7, -36.8, 0.0)}
    loose = tuple(v + (16.0 if k in (15, 18) else 0.0) for k, v in enumerate(track_of().covariance))
    for after, level in ((0.0, WARNING), (14.0, IMMINENT)):
        place = (after * 3.7, 1000.0 - after * 36.8, 60.0)
        given = passes | {"enu_m": place, "covariance": loose}
        assert level_at_once(site, base, track_of, report_of, judge(1.0), **given) == level


def test_a_level_pass_that_our_own_sensors_measure_above_150_m_strikes_nobody(site, base, report_of, line):
    """By its straight flight alone: the word of the body itself leaves it IMMINENT (DESIGN, law 3)."""
    found = {}
    for measured in (True, False):
        assessor = Assessor(site, model=judge(-5.0))
        assessor.unit(report_of(), base)
        path = line((0.0, 1200.0, 190.0), (0.0, -28.0, 0.0), 40, height_measured=measured)
        levels = []
        for after, track in path:
            threats = assessor.assess(Frame(time=base + after, tracks=(track,)), base + after)
            levels += [LEVEL_RANK[threat.level] for threat in threats]
        found[measured] = max(levels)
    assert found == {True: WARNING, False: IMMINENT}


OTHERS = {"features": ["aim_lead_3s"], "knots": [[-1.0, 1.0]], "nats": [-3.0, 0.0]}
"""A model that says nothing but who is meant."""


def together(site, base, track_of, report_of, apart_m, model):
    assessor = Assessor(site, model=model)
    assessor.unit(report_of("meant"), base)
    assessor.unit(report_of("beside", east=apart_m), base)
    for second in range(8):
        place = (0.0, 460.0 - 25.0 * second, 60.0)
        track = track_of(enu_m=place, velocity_mps=(0.0, -25.0, 0.0), updated=base + second, existence=1.0)
        threats = assessor.assess(Frame(time=base + second, tracks=(track,)), base + second)
    return {t.unit: t for t in threats}


@pytest.mark.parametrize(("apart_m", "spared"), [(120.0, False), (290.0, False), (360.0, True)])
def test_that_a_neighbour_is_meant_takes_nothing_off(site, base, track_of, report_of, apart_m, spared):
    told = together(site, base, track_of, report_of, apart_m, judge(-1.0, [OTHERS]))
    lowered = told["beside"].risk < 0.9 / (1.0 + math.e)
    assert lowered == spared
    assert ("means others rather than you" in [words for words, _ in told["beside"].evidence]) == spared
    for threat in told.values():
        total = sum(nats for _, nats in threat.evidence)
        assert total == pytest.approx(math.log(threat.risk / (1.0 - threat.risk)), abs=0.001)


def test_who_is_meant_more_is_still_told(site, base, track_of, report_of):
    """What speaks for a unit is left as it is: the order of the risks stays."""
    leads = {"features": ["aim_lead_3s"], "knots": [[0.0, 3.0]], "nats": [-1.0, 1.0]}
    told = together(site, base, track_of, report_of, 150.0, judge(-1.0, [leads]))
    assert told["meant"].risk > told["beside"].risk


def test_many_neighbours_under_many_tracks_are_weighed_as_each_alone(site, base, track_of, report_of):
    """The same risks whether the tracks come together or one by one."""
    rng = np.random.default_rng(5)
    posts = [
        report_of(f"u{n}", east=float(e), north=float(n_))
        for n, (e, n_) in enumerate(rng.normal(0, 150, (12, 2)))
    ]
    tracks = [
        track_of(
            f"T{n}", enu_m=(float(e), 320.0, 60.0), velocity_mps=(-float(e) / 12.0, -24.0, 0.0), existence=1.0
        )
        for n, e in enumerate(rng.normal(0, 120, 6))
    ]

    def risks(some):
        assessor = Assessor(site, AssessSettings(report_risk=0.0), judge(-1.0, [OTHERS]))
        for post in posts:
            assessor.unit(post, base)
        told = assessor.assess(Frame(time=base, tracks=tuple(some)), base)
        return {(t.track, t.unit): t.risk for t in told}

    each = {pair: risk for track in tracks for pair, risk in risks([track]).items()}
    assert risks(tracks) == each
    assert len(each) == 72
