"""Existence, class beliefs and trust."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from vedette.fuse import FuseSettings, Tracker, words
from vedette.fuse.identity import evidence
from vedette.fuse.keeper import Keeper
from vedette.fuse.kernels import coverage, survival
from vedette.fuse.picture import Dossier
from vedette.fuse.sensing.sensors import sensor_of
from vedette.fuse.sightings import with_sensor
from vedette.model import Identity, SensorProfile
from vedette.model.site import ClutterRegion

SETTINGS = FuseSettings()
PROBABILITY = st.floats(0.0, 1.0)
WORDS = st.dictionaries(st.sampled_from(words.CLASSES), PROBABILITY, max_size=6)


@given(PROBABILITY, st.floats(1e-6, 1e6))
def test_existence_stays_a_probability_and_no_track_is_beyond_doubt(existence: float, ratio: float) -> None:
    after = evidence.strengthen(existence, ratio)
    assert 0.0 <= after < 1.0
    if 1e-9 < existence < 0.99:
        assert (after >= existence) == (ratio >= 1.0) or math.isclose(after, existence)


@given(PROBABILITY, st.floats(0.0, 0.99))
def test_a_miss_never_raises_existence(existence: float, pd: float) -> None:
    assert 0.0 <= coverage.missed.py_func(existence, pd) <= existence + 1e-12


def test_a_miss_is_bayes() -> None:
    assert coverage.missed(0.5, 0.9) == pytest.approx(0.5 * 0.1 / (0.5 * 0.1 + 0.5))
    assert coverage.missed(0.5, 0.0) == 0.5


def test_silence_has_its_grace_and_its_time_constant() -> None:
    times = Keeper(SETTINGS).times
    assert survival.fallen(0.9, 3.0, False, times) == 0.9
    assert survival.fallen(0.9, 23.0, False, times) == pytest.approx(0.9 / math.e)


@given(WORDS, WORDS)
def test_beliefs_are_a_distribution_and_exclude_nothing(one: dict, two: dict) -> None:
    said = tuple((f"s{i}", w) for i, b in enumerate((one, two)) if (w := words.word_of(b)) is not None)
    beliefs = evidence.posterior(Dossier(id="T", founded=0.0, beliefs=said), SETTINGS)
    assert tuple(beliefs) == words.CLASSES
    assert sum(beliefs.values()) == pytest.approx(1.0)
    assert min(beliefs.values()) > 0.0


def test_the_prior_is_a_distribution() -> None:
    assert sum(evidence.PRIOR) == pytest.approx(1.0)
    assert evidence.posterior(Dossier(id="T", founded=0.0), SETTINGS) == pytest.approx(
        dict(zip(words.CLASSES, evidence.PRIOR, strict=True))
    )


def test_a_label_repeated_all_day_counts_once(world) -> None:
    tracker = world.tracker()
    beliefs = []
    for t in range(60):
        report = world.report(t, (10.0 * t, 500.0, 90.0), beliefs={"bird": 0.9})
        tracker.add([report], world.start + t)
        beliefs += [track.beliefs["bird"] for track in tracker.frame(world.start + t).tracks]
    assert beliefs[-1] == pytest.approx(beliefs[0])
    assert beliefs[0] < 0.9


def test_a_second_sensor_that_agrees_adds(world) -> None:
    site = world.site
    b = SensorProfile(
        id="b", type="report", lat_deg=site.lat_deg, lon_deg=site.lon_deg, alt_m=site.alt_m,
        alt_datum=site.alt_datum, period_s=1.0, detection_probability=0.9,
    )  # fmt: skip
    alone, joined = Tracker(site, (b,)), Tracker(site, (b,))
    for t in range(6):
        report = world.report(t, (10.0 * t, 500.0, 90.0), beliefs={"multirotor": 0.8})
        other = world.report(t + 0.6, (10.0 * t + 6.0, 500.0, 90.0), beliefs={"multirotor": 0.8}, sensor="b")
        alone.add([report], world.start + t)
        joined.add([report, other], world.start + t + 0.6)
    one, both = (x.frame(world.start + 6).tracks[0].beliefs["multirotor"] for x in (alone, joined))
    assert both > one > evidence.PRIOR[0]


@pytest.mark.parametrize("beliefs", [None, {}, {"bird": -0.1}, {"bird": 1.5}, {"bird": math.nan}])
def test_what_is_no_belief_says_nothing(beliefs) -> None:
    assert words.word_of(beliefs) is None


def test_what_a_sensor_left_out_shares_the_rest() -> None:
    word = words.word_of({"bird": 0.5})
    assert word is not None
    assert word == pytest.approx((0.1, 0.1, 0.1, 0.5, 0.1, 0.1))
    assert words.word_of({"bird": 1.0}) == pytest.approx((0.01, 0.01, 0.01, 1.0, 0.01, 0.01))


def dossier(**changes) -> Dossier:
    named = Dossier(
        id="T", founded=0.0, identity=Identity(scheme="icao", id="4CA123"), reports=9, reported=100.0,
        agreements=9, agreed=100.0,
    )  # fmt: skip
    return structs.replace(named, **changes)


@pytest.mark.parametrize(
    ("changes", "trust"),
    [
        ({}, "verified"),
        ({"identity": None}, None),
        ({"agreements": 4}, "unverified"),
        ({"reports": 4}, "unverified"),
        ({"agreed": 80.0}, "unverified"),
        ({"reported": 80.0}, "unverified"),
        ({"contradicted": True}, "contradicted"),
        ({"contradicted": True, "identity": None}, "contradicted"),
    ],
)
def test_trust(changes, trust) -> None:
    assert evidence.trust_of(dossier(**changes), 101.0, SETTINGS) == trust


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 1e6)), min_size=1, max_size=20))
def test_the_witnesses_are_sorted_and_each_named_once(uses: list) -> None:
    sensors: tuple[tuple[str, float], ...] = ()
    for name, time in uses:
        sensors = with_sensor(sensors, name, time)
    assert [s[0] for s in sensors] == sorted({u[0] for u in uses})
    assert dict(sensors) == dict(uses)


def test_more_clutter_makes_a_plot_worth_less(world) -> None:
    confirmed = []
    for clutter in (1.0, 2000.0):
        radar = structs.replace(world.radar, clutter_per_scan=clutter)
        tracker = world.tracker(radar)
        for t in range(2):
            tracker.add([world.plot(t, (1500.0 - 20.0 * t, 0.0, 90.0))], world.start + t)
        confirmed.append(len(tracker.frame(world.start + 1).tracks))
    assert confirmed == [1, 0]


def test_a_clutter_region_makes_its_density(world) -> None:
    region = ClutterRegion(range_m=(0.0, 1000.0), azimuth_deg=(350.0, 10.0))
    radar = structs.replace(world.radar, clutter_region=region, clutter_per_scan=2.0)
    area = 0.5 * np.radians(20.0) * 1000.0**2
    sensor = sensor_of(radar, world.site, world.frame, SETTINGS)
    assert sensor.clutter_per_m2 == pytest.approx(2.0 / area)
