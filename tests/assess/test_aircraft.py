"""What the word of an aircraft is worth: earned far off, nothing inside the danger radius."""

from typing import ClassVar

import hypothesis.strategies as st
import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from vedette.assess import Assessor, AssessSettings
from vedette.assess.columns import drone_belief, drone_belief_near, surely_fast, track_facts
from vedette.assess.kernels.motion import TRACK_MEMORY
from vedette.model import Frame, Identity, InputError
from vedette.model.threat import LEVEL_RANK

SETTINGS = AssessSettings()
ICAO = Identity(scheme="icao", id="4ca123")
CALLED = {"aircraft": 0.95, "fixed-wing": 0.03, "unknown": 0.02}
UNKNOWN = {"multirotor": 0.35, "fpv": 0.15, "fixed-wing": 0.1, "bird": 0.2, "aircraft": 0.05, "unknown": 0.15}


def said(threats) -> list[str]:
    return [words for threat in threats for words, _ in threat.evidence]


def levels(run) -> list[str]:
    return [threats[0].level if threats else "info" for _, threats in run]


def ranks(run) -> list[int]:
    return [LEVEL_RANK[level] for level in levels(run)]


class TestBeliefs:
    def test_inside_the_danger_radius_an_aircrafts_name_lowers_only_so_far(self, track_of):
        track = track_of(beliefs=CALLED, identity=ICAO)
        assert drone_belief(track, SETTINGS) == SETTINGS.drone_floor
        assert drone_belief_near(track, SETTINGS) == SETTINGS.aircraft_floor
        assert SETTINGS.advisory_drone <= SETTINGS.aircraft_floor < SETTINGS.imminent_drone

    def test_a_bird_is_no_aircraft(self, track_of):
        assert drone_belief_near(track_of(beliefs={"bird": 1.0}), SETTINGS) == SETTINGS.drone_floor

    def test_a_contradicted_name_lowers_nothing(self, track_of):
        lied = track_of(beliefs=CALLED, identity=ICAO, trust="contradicted")
        assert drone_belief(lied, SETTINGS) == 1.0

    @pytest.mark.parametrize(
        ("speed", "sigma", "fast"), [(75.0, 5.0, True), (65.0, 5.0, False), (59.0, 0.1, False)]
    )
    def test_only_what_is_surely_faster_than_drones_is_fast(self, track_of, speed, sigma, fast):
        spread = [0.0] * 21
        spread[15] = spread[18] = sigma**2
        track = track_of(velocity_mps=(0.0, -speed, 0.0), covariance=tuple(spread))
        assert surely_fast(track, SETTINGS) == fast

    def test_verified_as_a_drone_and_as_an_aircraft_are_two_things(self, track_of):
        own = Identity(scheme="remote-id-serial", id="X")
        facts = track_facts(
            (
                track_of("a", trust="verified", identity=ICAO),
                track_of("b", trust="verified", identity=own),
                track_of("c", identity=ICAO, trust="unverified"),
            ),
            [False] * 3,
            np.zeros((3, TRACK_MEMORY)),
            SETTINGS,
        )
        assert facts.verified.tolist() == [False, True, False]
        assert facts.verified_aircraft.tolist() == [True, False, False]


class TestItsWordAlone:
    """Only the broadcast is known."""

    WORD: ClassVar = {"identity": ICAO, "trust": "unverified", "beliefs": CALLED}

    def test_far_off_it_counts(self, flown, line):
        path = line((0.0, 3000.0, 150.0), (0.0, -60.0, 0.0), 40, **self.WORD)
        assert set(levels(flown(path))) == {"info"}

    @pytest.mark.parametrize("speed", [0.0, 10.0, 40.0, 60.0, 100.0])
    def test_inside_the_danger_radius_it_is_lowered_and_never_silent(self, flown, track_of, speed):
        track = track_of(enu_m=(0.0, 250.0, 60.0), velocity_mps=(0.0, -speed, 0.0), **self.WORD)
        ((_, threats),) = flown([(0.0, track)])
        assert threats[0].level in ("advisory", "warning")
        assert "says it is an aircraft (ADS-B), not verified" in said(threats)

    def test_a_rough_height_takes_nothing_out_that_may_be_in(self, flown, track_of):
        def level(sigma: float) -> str:
            spread = [25.0 if k in (0, 6) else 1.0 if k in (15, 18, 20) else 0.0 for k in range(21)]
            spread[11] = sigma**2
            track = track_of(
                enu_m=(0.0, 100.0, 400.0),
                velocity_mps=(0.0, -50.0, 0.0),
                covariance=tuple(spread),
                **self.WORD,
            )
            ((_, threats),) = flown([(0.0, track)])
            return threats[0].level

        assert level(10.0) == "info"
        assert level(170.0) != "info"

    def test_without_a_height_the_map_decides(self, flown, track_of):
        track = track_of(
            enu_m=(0.0, 200.0, 9000.0), velocity_mps=(0.0, -60.0, 0.0), height_known=False, **self.WORD
        )
        ((_, threats),) = flown([(0.0, track)])
        assert threats[0].level in ("advisory", "warning")

    def test_contradicted_it_may_be_an_attack(self, flown, line):
        path = line((0.0, 2000.0, 90.0), (0.0, -40.0, 0.0), 45, **(self.WORD | {"trust": "contradicted"}))
        run = flown(path)
        assert "imminent" in levels(run)
        assert levels(run).index("imminent") < 30

    def test_an_airliner_is_not_a_moment_away(self, flown, line):
        """11 km overhead it is farther off than any drone flies in a minute, whatever it lies about."""
        path = line(
            (-12_000.0, 50.0, 11_000.0), (230.0, 0.0, 0.0), 100, **(self.WORD | {"trust": "contradicted"})
        )
        assert [threats for _, threats in flown(path) if threats] == []

    def test_a_jet_at_5_km_is_not_a_moment_away(self, flown, line):
        path = line(
            (-6_000.0, 50.0, 5_000.0), (200.0, 0.0, 0.0), 30, **(self.WORD | {"trust": "contradicted"})
        )
        for _, threats in flown(path):
            for threat in threats:
                assert threat.time_to_impact_s is None or threat.time_to_impact_s[0] > 15.0


class TestVerified:
    """Sensors see a body that agrees; its beliefs are the sensors' own."""

    SEEN: ClassVar = {"identity": ICAO, "trust": "verified", "beliefs": UNKNOWN}

    def test_a_fast_one_is_lowered_in_full_and_named(self, flown, line):
        path = line((0.0, 5000.0, 200.0), (0.0, -100.0, 0.0), 45, **self.SEEN)
        assert set(levels(flown(path))) == {"info"}
        assert "an aircraft by ADS-B and by our own sensors" in said(flown(path)[20][1])
        unnamed = line((0.0, 5000.0, 200.0), (0.0, -100.0, 0.0), 45, beliefs=UNKNOWN)
        assert max(ranks(flown(unnamed))) >= LEVEL_RANK["warning"]

    @pytest.mark.parametrize("height", [90.0, 900.0])
    def test_a_slow_one_is_lowered_by_one_step(self, flown, line, height):
        way = ((0.0, 2300.0, height), (0.0, -40.0, 0.0), 45)
        named, unnamed = flown(line(*way, **self.SEEN)), flown(line(*way, beliefs=UNKNOWN))
        assert max(ranks(unnamed)) == LEVEL_RANK["imminent"]
        assert max(ranks(named)) == LEVEL_RANK["warning"]
        assert all(with_ >= without - 1 for with_, without in zip(ranks(named), ranks(unnamed), strict=True))

    def test_a_low_and_slow_one_is_told_as_doubtful(self, flown, track_of):
        track = track_of(enu_m=(0.0, 1500.0, 90.0), velocity_mps=(0.0, -40.0, 0.0), **self.SEEN)
        assert "says it is an aircraft (ADS-B), but flies as a drone could" in said(
            flown([(0.0, track)])[0][1]
        )

    def test_unverified_a_seen_body_is_what_the_sensors_say(self, flown, line):
        way = ((0.0, 2300.0, 90.0), (0.0, -40.0, 0.0), 57)
        claimed = flown(line(*way, **(self.SEEN | {"trust": "unverified"})))
        assert ranks(claimed) == ranks(flown(line(*way, beliefs=UNKNOWN)))
        words = "looks like a multirotor (35%), with an ADS-B address that is not verified"
        assert any(words in said(threats) for _, threats in claimed)

    def test_a_level_falls_only_after_twenty_seconds_when_its_word_comes(self, flown, line):
        path = line((0.0, 2300.0, 200.0), (0.0, -40.0, 0.0), 30, beliefs=UNKNOWN)
        held = path[-1][1]
        now = {"velocity_mps": (0.0, 100.0, 0.0), "trust": "verified", "identity": ICAO}
        turned = [
            (30.0 + t, msgspec.structs.replace(held, enu_m=(0.0, 1100.0 + 100.0 * t, 200.0), **now))
            for t in range(40)
        ]
        run = ranks(flown([*path, *turned]))
        assert run[29] == LEVEL_RANK["imminent"]
        assert run[29:48] == [LEVEL_RANK["imminent"]] * 19
        assert run[-1] == 0


spots = st.tuples(st.floats(-1200.0, 1200.0), st.floats(-1200.0, 1200.0), st.floats(0.0, 1500.0))
speeds = st.tuples(st.floats(-90.0, 90.0), st.floats(-90.0, 90.0), st.floats(-30.0, 10.0))
trusts = st.sampled_from([None, "unverified", "verified"])


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(spots, speeds, trusts), min_size=1, max_size=30),
    known=st.booleans(),
    gap=st.sampled_from([1.0, 7.0]),
)
def test_whatever_is_said_of_it_a_seen_body_is_lowered_by_a_step_at_most(
    site, base, track_of, report_of, steps, known, gap
):
    """The same states with and without an aircraft's address on them, verified or not, coming and going.
    Only what is surely too fast for a drone is lowered further, and nothing is inside the danger radius."""
    plain, named = Assessor(site), Assessor(site)
    for assessor in (plain, named):
        assessor.unit(report_of(), base)
    for number, (spot, speed, trust) in enumerate(steps):
        at = base + number * gap
        track = track_of(enu_m=spot, velocity_mps=speed, beliefs=UNKNOWN, height_known=known)
        called = track if trust is None else msgspec.structs.replace(track, identity=ICAO, trust=trust)
        before = {t.track: t for t in plain.assess(Frame(time=at, tracks=(track,)), at)}
        after = {t.track: t for t in named.assess(Frame(time=at, tracks=(called,)), at)}
        for name, threat in before.items():
            level = LEVEL_RANK[after[name].level] if name in after else 0
            near = threat.range_m - 10.0 < SETTINGS.danger_radius_m
            fast = surely_fast(track, SETTINGS) and trust == "verified"
            allowed = 0 if near or trust != "verified" else 3 if fast else 1
            assert level >= LEVEL_RANK[threat.level] - allowed


def test_a_state_of_the_first_format_is_refused_in_words(site, track_of, report_of, base):
    assessor = Assessor(site)
    assessor.unit(report_of(), base)
    assessor.assess(Frame(time=base, tracks=(track_of(),)), base)
    state = msgspec.msgpack.decode(assessor.state())
    del state["format"], state["memory"]["plain"], state["memory"]["plain_since"]
    with pytest.raises(InputError, match="its format is 1, this version reads 5; replay the log"):
        Assessor.restore(site, None, msgspec.msgpack.encode(state))


def test_restored_while_its_word_counts_it_goes_on_to_the_bit(
    site, base, flown, line, report_of, plain_model
):
    path = line((0.0, 2300.0, 90.0), (0.0, -40.0, 0.0), 50, **TestVerified.SEEN)
    straight = flown(path)
    assessor, out = Assessor(site, model=plain_model), []
    assessor.unit(report_of(), base)
    for after, track in path:
        out.append((after, assessor.assess(Frame(time=base + after, tracks=(track,)), base + after)))
        assessor = Assessor.restore(site, None, assessor.state(), plain_model)
    assert out == straight
