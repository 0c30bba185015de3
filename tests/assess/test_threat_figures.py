"""The figures of a threat: seen from the unit, honest about what is not known."""

import math

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given, settings

from vedette.assess import Assessor, AssessSettings
from vedette.assess.words import _once
from vedette.model import Frame, Identity, Site, Track, UnitReport
from vedette.model.threat import Threat

BASE = 1_700_000_000.0
SITE = Site(name="ridge", lat_deg=31.5, lon_deg=-110.9, alt_m=1200.0, alt_datum="wgs84-ellipsoid")
FLAT = tuple(25.0 if place in (0, 6, 11) else 1.0 if place in (15, 18, 20) else 0.0 for place in range(21))


def one(flown, track, *reports):
    return flown([(0.0, track)], *reports)[0][1][0]


def test_bearing_and_range_are_from_the_unit(flown, track_of, report_of):
    threat = one(flown, track_of(enu_m=(300.0, 400.0, 0.0)), report_of(east=600.0, north=400.0))
    assert threat.bearing_deg == pytest.approx(270.0, abs=0.1)
    assert threat.range_m == pytest.approx(300.0, abs=0.2)


def test_slant_range_and_height_where_both_heights_are_known(flown, track_of):
    threat = one(flown, track_of(enu_m=(0.0, 180.0, 240.0)))
    assert threat.range_m == pytest.approx(300.0, abs=0.5)
    assert threat.height_m == pytest.approx(240.0, abs=0.5)


@pytest.mark.parametrize(
    ("report_changes", "track_changes"),
    [
        ({"alt_m": None, "alt_datum": None}, {}),
        ({"alt_datum": "barometric"}, {}),
        ({"alt_datum": "egm96"}, {}),
        ({}, {"height_known": False}),
    ],
)
def test_a_height_that_is_not_known_is_no_height(flown, track_of, report_of, report_changes, track_changes):
    track = track_of(enu_m=(0.0, 300.0, 400.0), **track_changes)
    threat = one(flown, track, report_of(**report_changes))
    assert threat.height_m is None
    assert threat.range_m == pytest.approx(300.0, abs=0.2)


def test_geoid_height_of_the_site_joins_two_datums(track_of, report_of):
    site = Site(
        name="ridge",
        lat_deg=31.5,
        lon_deg=-110.9,
        alt_m=1200.0,
        alt_datum="wgs84-ellipsoid",
        geoid_height_m=-30.0,
    )
    assessor = Assessor(site)
    assessor.unit(report_of(alt_m=1230.0, alt_datum="egm96"), BASE)
    (threat,) = assessor.assess(Frame(time=BASE, tracks=(track_of(enu_m=(0.0, 300.0, 50.0)),)), BASE)
    assert threat.height_m == pytest.approx(50.0, abs=0.1)


def test_time_to_impact_brackets_the_true_time(flown, track_of):
    threat = one(flown, track_of(enu_m=(0.0, 900.0, 0.0), velocity_mps=(0.0, -30.0, 0.0)))
    p10, p50 = threat.time_to_impact_s
    assert p10 < p50
    assert p50 == pytest.approx(30.0, abs=0.5)
    assert 15.0 < p10 < 28.0
    assert threat.earliest_s < p50


def test_no_time_to_impact_when_it_does_not_close(flown, track_of):
    threat = one(flown, track_of(enu_m=(0.0, 300.0, 0.0), velocity_mps=(5.0, 0.0, 0.0)))
    assert threat.time_to_impact_s is None
    assert threat.earliest_s is not None


def test_poorer_position_means_an_earlier_p10(flown, track_of):
    def p10(sigma):
        spread = tuple(sigma**2 if place in (0, 6, 11) else v for place, v in enumerate(FLAT))
        track = track_of(enu_m=(0.0, 900.0, 0.0), velocity_mps=(0.0, -30.0, 0.0), covariance=spread)
        return one(flown, track).time_to_impact_s[0]

    assert p10(300.0) < p10(50.0) < p10(1.0)


@pytest.mark.parametrize(
    ("beliefs", "envelope"),
    [({"multirotor": 1.0}, 20.0), ({"fpv": 1.0}, 56.0), ({"bird": 1.0}, 56.0), ({}, 56.0)],
)
def test_earliest_arrival_uses_the_envelope_of_what_it_may_be(flown, track_of, report_of, beliefs, envelope):
    track = track_of(enu_m=(0.0, 300.0, 0.0), beliefs=beliefs, velocity_mps=(0.0, -5.0, 0.0))
    threat = one(flown, track, report_of(sigma_m=5.0))
    assert threat.earliest_s == pytest.approx((300.0 - 10.0) / envelope, rel=0.01)


def risk_of(flown, track_of, **changes):
    return one(flown, track_of(enu_m=(0.0, 700.0, 50.0), velocity_mps=(0.0, -25.0, 0.0), **changes)).risk


def test_trust_only_lowers_the_risk_when_it_is_verified(flown, track_of):
    plain = risk_of(flown, track_of)
    assert risk_of(flown, track_of, trust="unverified") == plain
    assert risk_of(flown, track_of, trust="ghost") == plain
    assert risk_of(flown, track_of, trust="contradicted") > plain
    assert risk_of(flown, track_of, trust="verified") < plain


def test_nothing_lowers_the_risk_inside_the_danger_radius(flown, track_of):
    def near(**changes):
        return one(flown, track_of(enu_m=(0.0, 250.0, 50.0), velocity_mps=(0.0, -25.0, 0.0), **changes))

    assert near(trust="verified").risk == near().risk
    called_bird = near(beliefs={"bird": 1.0})
    assert called_bird.risk > 0.3 * near().risk


def test_class_labels_lower_but_never_silence(flown, track_of):
    """No label takes a risk below 0.15 of what it is with no belief at all."""
    plain = risk_of(flown, track_of)
    nothing_known = risk_of(flown, track_of, beliefs={})
    bird = risk_of(flown, track_of, beliefs={"bird": 0.97, "fpv": 0.03})
    aircraft = risk_of(flown, track_of, beliefs={"aircraft": 1.0})
    assert 0.0 < bird < plain
    assert min(bird, aircraft) >= 0.14 * nothing_known


def test_no_belief_and_the_belief_unknown_are_the_same(flown, track_of):
    assert risk_of(flown, track_of, beliefs={}) == risk_of(flown, track_of, beliefs={"unknown": 1.0})


def test_evidence_is_in_words_and_the_strongest_comes_first(flown, track_of):
    threat = one(flown, track_of(enu_m=(0.0, 700.0, 50.0), velocity_mps=(0.0, -22.0, 0.0)))
    weights = [abs(nats) for _, nats in threat.evidence[:-1]]
    assert len(weights) >= 3
    assert weights == sorted(weights, reverse=True)
    assert any(words == "closing at 22 m/s, passes within 10 m" for words, _ in threat.evidence)


def test_nothing_is_said_twice():
    """Two reasons that come to the same words are one, with what both weigh; ``last`` stays behind."""
    away = "flies away at 9 m/s"
    said = [(away, -1.0), ("400 m away", 0.7), ("may not be there", 0.6), (away, 0.5)]
    told = _once(said, last="may not be there")
    assert told == [("400 m away", 0.7), (away, -0.5), ("may not be there", 0.6)]


def test_how_often_this_happens_at_all_comes_last(flown, track_of):
    threat = one(flown, track_of(enu_m=(0.0, 300.0, 50.0), velocity_mps=(3.0, 3.0, 0.0)))
    assert threat.evidence[-1][0] == "how often this happens at all"


def logit(risk):
    return math.log(risk / (1.0 - risk))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"existence": 0.4},
        {"trust": "contradicted"},
        {"trust": "verified", "enu_m": (0.0, 900.0, 50.0)},
        {"beliefs": {"bird": 0.97}},
        {"beliefs": {"bird": 0.97}, "enu_m": (0.0, 200.0, 50.0)},
        {"trust": "verified", "identity": Identity(scheme="icao", id="4ca123"), "beliefs": {"aircraft": 0.9}},
        {"updated": BASE - 20.0, "existence": 0.5},
    ],
)
def test_the_evidence_adds_up_to_the_risk(flown, track_of, changes):
    given = {"enu_m": (0.0, 700.0, 50.0), "velocity_mps": (0.0, -25.0, 0.0)} | changes
    threat = one(flown, track_of(**given))
    assert sum(nats for _, nats in threat.evidence) == pytest.approx(logit(threat.risk), abs=0.0006)


def test_what_is_too_far_off_is_no_risk_yet(flown, line, track_of):
    """Who was warned is told so while it flies away, and why it is no danger now."""
    stands = line((0.0, 300.0, 60.0), (0.0, 0.0, 0.0), 3)
    gone = [
        (3.0 + t, track_of(enu_m=(0.0, 9000.0 + 50.0 * t, 60.0), velocity_mps=(0.0, 50.0, 0.0)))
        for t in range(40)
    ]
    threat = flown(stands + gone)[-1][1][0]
    assert threat.risk < 1e-20
    assert threat.level == "info"
    (reason, nats), *rest = threat.evidence
    assert reason == "11 km away, which no drone flies in a minute"
    assert nats + sum(weight for _, weight in rest) == pytest.approx(-60.0, abs=0.01)


def test_times_are_told_as_they_are(flown, track_of):
    track = track_of(enu_m=(0.0, 1500.0, 0.0), velocity_mps=(0.0, -20.0, 0.0), beliefs={"fpv": 1.0})
    said = [words for words, _ in one(flown, track).evidence]
    assert any(words in ("75 s away at this speed", "here in 75 s at this speed") for words in said)


def test_a_track_that_coasts_is_told_as_such(flown, track_of, base):
    def said(updated):
        place = {"enu_m": (0.0, 450.0, 50.0), "velocity_mps": (0.0, -20.0, 0.0)}
        shown = one(flown, track_of(updated=updated, existence=0.5, **place)).evidence[:3]
        return {words: nats for words, nats in shown if "not detected" in words}

    assert said(base - 14.0).keys() == {"not detected for 14 s"}
    assert said(base - 14.0)["not detected for 14 s"] < -0.69
    assert said(base - 5.0) == {}
    assert said(None) == {}


def test_contradicted_identity_is_named(flown, track_of):
    threat = one(flown, track_of(enu_m=(0.0, 300.0, 50.0), trust="contradicted"))
    assert ("its broadcast identity contradicts the sensors", 1.0) in threat.evidence


def test_a_track_that_is_not_finite_is_counted_not_assessed(site, base, track_of, report_of):
    assessor = Assessor(site)
    assessor.unit(report_of(), base)
    bad = track_of("bad", enu_m=(math.nan, 0.0, 0.0))
    good = track_of("good", enu_m=(0.0, 200.0, 50.0))
    short = track_of("short", covariance=(1.0,))
    far = track_of("far", enu_m=(1e200, 0.0, 0.0))
    fast = track_of("fast", velocity_mps=(0.0, -1e200, 0.0))
    threats = assessor.assess(Frame(time=base, tracks=(bad, good, short, far, fast)), base)
    assert {t.track for t in threats} == {"good"}
    assert assessor.counts["track-not-usable"] == 4


def test_ranking_does_not_tie_when_everything_is_certain(flown, track_of):
    aimed = [
        one(flown, track_of(enu_m=(0.0, r, 5.0), velocity_mps=(0.0, -45.0, 0.0), existence=1.0)).risk
        for r in (150.0, 200.0, 250.0, 300.0, 400.0)
    ]
    assert len(set(aimed)) == len(aimed)
    assert aimed == sorted(aimed, reverse=True)


near_numbers = st.floats(-6000.0, 6000.0)
speeds = st.floats(-60.0, 60.0)


@settings(max_examples=60, deadline=None)
@given(
    place=st.tuples(near_numbers, near_numbers, st.floats(-100.0, 1000.0)),
    velocity=st.tuples(speeds, speeds, st.floats(-20.0, 20.0)),
    scale=st.floats(0.0, 1e6),
    beliefs=st.dictionaries(st.sampled_from(["fpv", "bird", "aircraft", "unknown"]), st.floats(0.0, 1.0)),
    age=st.floats(0.0, 5000.0),
    mobility=st.sampled_from(["foot", "vehicle", "post"]),
    trust=st.sampled_from([None, "verified", "contradicted", "ghost"]),
)
def test_any_state_gives_figures_that_hold(place, velocity, scale, beliefs, age, mobility, trust):
    track = Track(
        id="T",
        enu_m=place,
        velocity_mps=velocity,
        covariance=tuple(scale * v for v in FLAT),
        existence=0.9,
        beliefs=beliefs,
        trust=trust,
    )
    assessor = Assessor(SITE)
    report = UnitReport(
        time=BASE - age, unit="u", lat_deg=31.5, lon_deg=-110.9, sigma_m=5.0, mobility=mobility
    )
    assessor.unit(report, BASE)
    for threat in assessor.assess(Frame(time=BASE, tracks=(track,)), BASE):
        assert threat == msgspec.json.decode(msgspec.json.encode(threat), type=Threat)
        assert 0.0 <= threat.risk <= 1.0
        assert 0.0 <= threat.bearing_deg < 360.0
        assert threat.range_m >= 0.0
        assert threat.earliest_s >= 0.0
        if threat.time_to_impact_s is not None:
            assert 0.0 <= threat.time_to_impact_s[0] <= threat.time_to_impact_s[1]


def test_settings_are_read_strictly():
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"warning_risk": 1.5}, AssessSettings)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"wraning_risk": 0.5}, AssessSettings)
    changed = msgspec.convert({"envelope_mps": {"fpv": 60.0}}, AssessSettings)
    assert (changed.envelope_mps.fpv, changed.envelope_mps.multirotor) == (60.0, 20.0)
