"""From detections to levels: what manned aircraft mean, and that no word of theirs silences an alarm."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from vedette.assess import Assessor, AssessSettings, read_model
from vedette.model import Detection, Threat, Track, UnitReport
from vedette.model.threat import LEVEL_RANK

DANGER_M = AssessSettings().danger_radius_m
SHIPPED = None
PLAIN = read_model((Path(__file__).parents[1] / "assess" / "plain_model.json").read_bytes(), "plain")
"""The model that is shipped, and one set by hand that is soon alarmed: what is lowered by a step must have
been above it, and how high the shipped one puts a level flight of no attacker is the matter of its fit."""
Flight = Callable[[float], tuple[float, float, float]]


def straight(start, velocity) -> Flight:
    return lambda t: tuple(p + v * t for p, v in zip(start, velocity, strict=True))


def weaving(t: float) -> tuple[float, float, float]:
    """A drone that comes in, turns off 200 m before the unit, waits, and goes."""
    if t < 45.0:
        return (120.0 * math.sin(t / 6.0), 1800.0 - 35.0 * t, 70.0)
    return (120.0 * math.sin(7.5) + 4.0 * (t - 45.0), 225.0 + 2.0 * (t - 45.0), 70.0)


def diving(t: float) -> tuple[float, float, float]:
    """From 1200 m height: level, and then down at the unit."""
    return (0.0, 3000.0 - 45.0 * t, 1200.0 - max(0.0, t - 30.0) * 32.0)


DRONES = {
    "straight": straight((0.0, 2300.0, 90.0), (0.0, -38.0, 0.0)),
    "weaving": weaving,
    "diving": diving,
    "slow": straight((600.0, 500.0, 60.0), (-9.0, -7.0, 0.0)),
}


def velocity(flight: Flight, t: float) -> tuple[float, float, float]:
    return tuple(b - a for a, b in zip(flight(t - 0.5), flight(t + 0.5), strict=True))


def sensed(world, flight: Flight, seconds: int, by: str) -> list[Detection]:
    """A drone as a radar sees it or as it names itself."""
    if by == "radar":
        return [world.plot(t, flight(t), scan=t) for t in range(seconds)]
    return [world.report(t, flight(t), velocity=velocity(flight, t)) for t in range(seconds)]


def spoken(world, flight: Flight, seconds: int, off=(0.0, 0.0, 0.0), **changes) -> list[Detection]:
    """What an aircraft on that way says of itself, ``off`` by so much."""
    return [
        world.air(
            t + 0.3,
            tuple(p + o for p, o in zip(flight(t + 0.3), off, strict=True)),
            velocity(flight, t + 0.3),
            **changes,
        )
        for t in range(seconds)
    ]


def told(
    world, detections: list[Detection], seconds: int, *, reach=20_000.0, late=None, model=SHIPPED
) -> list[list[Threat]]:
    """The threats to a post at the origin, second by second."""
    return [threats for _, threats in seen(world, detections, seconds, reach=reach, late=late, model=model)]


def seen(
    world, detections: list[Detection], seconds: int, *, reach=20_000.0, late=None, model=SHIPPED
) -> list[tuple[tuple[Track, ...], list[Threat]]]:
    """The tracks and the threats to a post at the origin, second by second."""
    tracker = world.tracker(structs.replace(world.radar, range_m=(50.0, reach)))
    assessor = Assessor(world.site, model=model)
    post = UnitReport(
        time=world.start, unit="post", lat_deg=40.4, lon_deg=-3.7, sigma_m=5.0, mobility="post",
        alt_m=650.0, alt_datum="wgs84-ellipsoid",
    )  # fmt: skip
    assessor.unit(post, world.start)
    arrivals = sorted((d.time + (late or {}).get(d.sensor, 0.0), n, d) for n, d in enumerate(detections))
    out = []
    for second in range(seconds):
        at = world.start + second + 0.9
        while arrivals and arrivals[0][0] <= at:
            time, _, detection = arrivals.pop(0)
            changed = tracker.add([detection], time)
            assessor.risen(tracker.frame(time), time, frozenset(changed))
        tracker.advance(at)
        frame = tracker.frame(at)
        out.append((frame.tracks, list(assessor.assess(frame, at))))
    return out


def ranks(seconds: list[list[Threat]], letter: str = "T") -> list[int]:
    """The worst level of each second among tracks whose ids begin so."""
    return [
        max((LEVEL_RANK[x.level] for x in threats if x.track.startswith(letter)), default=-1)
        for threats in seconds
    ]


class TestRealAircraft:
    AIRLINER = staticmethod(straight((-12_000.0, 100.0, 11_000.0), (230.0, 0.0, 0.0)))
    ABEAM = staticmethod(straight((-3000.0, 1000.0, 150.0), (60.0, 0.0, 0.0)))
    OVER = staticmethod(straight((-3000.0, 10.0, 150.0), (60.0, 0.0, 0.0)))

    @pytest.mark.parametrize("aircraft", [0.6, 0.7, 0.95])
    @pytest.mark.parametrize("datum", ["barometric", "wgs84-ellipsoid"])
    def test_an_airliner_overhead_warns_nobody(self, world, datum: str, aircraft: float) -> None:
        word = {"aircraft": aircraft, "fixed-wing": 0.05, "unknown": 0.95 - aircraft}
        both = seen(world, spoken(world, self.AIRLINER, 105, datum=datum, beliefs=word), 105)
        assert {track.id[0] for tracks, _ in both for track in tracks} == {"A"}
        assert max(len(tracks) for tracks, _ in both) == 1
        assert max(ranks([threats for _, threats in both], "A")) <= 0

    def test_nor_does_it_when_a_radar_sees_it_too(self, world) -> None:
        both = sensed(world, self.AIRLINER, 105, "radar") + spoken(world, self.AIRLINER, 105)
        seconds = told(world, both, 105)
        assert max(ranks(seconds) + ranks(seconds, "A")) <= 0

    def test_a_helicopter_abeam_by_its_word_alone_warns_nobody(self, world) -> None:
        both = seen(world, spoken(world, self.ABEAM, 100), 100)
        assert {track.id[0] for tracks, _ in both for track in tracks} == {"A"}
        assert max(ranks([threats for _, threats in both], "A")) <= 0

    def test_a_helicopter_overhead_by_its_word_alone_is_lowered_not_silent(self, world) -> None:
        seconds = told(world, spoken(world, self.OVER, 100), 100)
        before = [t for t in seconds if t and t[0].range_m > DANGER_M + 70.0 and t[0].closing_mps > 0]
        assert {threat.level for threats in before for threat in threats} <= {"info"}
        assert max(ranks(seconds, "A")) in (LEVEL_RANK["advisory"], LEVEL_RANK["warning"])

    @pytest.mark.parametrize("model", [SHIPPED, PLAIN])
    def test_a_helicopter_overhead_that_a_radar_sees_is_what_the_radar_says_when_near(
        self, world, model
    ) -> None:
        radar = sensed(world, self.OVER, 60, "radar")
        alone = ranks(told(world, radar, 60, model=model))
        both = ranks(told(world, radar + spoken(world, self.OVER, 60), 60, model=model))
        assert max(alone) == LEVEL_RANK["imminent"]
        for second in range(60):
            far = math.hypot(*self.OVER(second + 0.9)) > DANGER_M
            assert alone[second] - both[second] <= (1 if far else 0)
        assert both[35] == alone[35] - 1 >= LEVEL_RANK["advisory"]

    @pytest.mark.parametrize("model", [SHIPPED, PLAIN])
    def test_a_light_aircraft_high_above_that_a_radar_confirms_is_lowered_by_one_step_at_most(
        self, world, model
    ) -> None:
        """As slow as an attack drone that comes in high: it can be no more than that."""
        flight = straight((-6000.0, 10.0, 900.0), (55.0, 0.0, 0.0))
        radar = sensed(world, flight, 130, "radar")
        alone = ranks(told(world, radar, 130, model=model))
        both = ranks(told(world, radar + spoken(world, flight, 130), 130, model=model))
        assert all(with_ >= max(without, 0) - 1 for with_, without in zip(both, alone, strict=True))
        if model is PLAIN:
            # What our own radar measures to pass so high is not IMMINENT: there is nothing left to lower.
            assert max(alone) == max(both) == LEVEL_RANK["warning"]

    def test_a_light_aircraft_that_comes_low_is_lowered_by_one_step(self, world) -> None:
        flight = straight((-6000.0, 10.0, 250.0), (55.0, 0.0, 0.0))
        radar = sensed(world, flight, 130, "radar")
        alone = ranks(told(world, radar, 130, model=PLAIN))
        both = ranks(told(world, radar + spoken(world, flight, 130), 130, model=PLAIN))
        assert all(with_ >= max(without, 0) - 1 for with_, without in zip(both, alone, strict=True))
        # Inside the danger radius no word lowers anything.
        assert max(alone) == max(both) == LEVEL_RANK["imminent"]
        assert sum(with_ < without for with_, without in zip(both, alone, strict=True)) > 20

    def test_a_crop_duster_keeps_an_alarm_and_says_what_it_is(self, world) -> None:
        def dusting(t: float) -> tuple[float, float, float]:
            return (1500.0 * math.sin(t / 33.0), 300.0 + 100.0 * math.cos(t / 33.0), 20.0)

        heard = sensed(world, dusting, 120, "radar") + spoken(world, dusting, 120)
        seconds = told(world, heard, 120)
        alone = told(world, sensed(world, dusting, 120, "radar"), 120)
        assert max(ranks(seconds)) >= max(ranks(alone)) - 1
        assert max(ranks(told(world, heard, 120, model=PLAIN))) >= LEVEL_RANK["warning"]
        words = {words for threats in seconds for threat in threats for words, _ in threat.evidence}
        assert "says it is an aircraft (ADS-B), but flies as a drone could" in words

    def test_the_figures_of_a_fast_one_stay_sane(self, world) -> None:
        seconds = told(world, spoken(world, self.AIRLINER, 105), 105)
        for threat in (threat for threats in seconds for threat in threats):
            assert 0.0 <= threat.earliest_s <= 600.0
            assert threat.range_m >= 10_500.0
            assert threat.height_m == pytest.approx(11_000.0, abs=100.0)
            if threat.time_to_impact_s is not None:
                assert threat.time_to_impact_s[0] > 25.0


class TestGhosts:
    """A word of aviation laid over a drone."""

    @pytest.mark.parametrize("by", ["radar", "name"])
    @pytest.mark.parametrize("drone", sorted(DRONES))
    @pytest.mark.parametrize(
        "off",
        [(0.0, 0.0, 0.0), (30.0, -20.0, 10.0), (0.0, 0.0, 200.0), (150.0, 150.0, 50.0), (0.0, 0.0, 5000.0)],
    )
    @pytest.mark.parametrize("model", [SHIPPED, PLAIN])
    def test_one_step_at_most_outside_the_danger_radius_and_none_inside(
        self, world, model, by, drone, off
    ) -> None:
        flight, seconds = DRONES[drone], 60
        real = sensed(world, flight, seconds, by)
        ghost = spoken(world, flight, seconds, off, datum="wgs84-ellipsoid")
        alone = ranks(told(world, real, seconds, model=model))
        laid = ranks(told(world, real + ghost, seconds, model=model))
        assert max(alone) >= LEVEL_RANK["advisory"]
        for second, (without, with_) in enumerate(zip(alone, laid, strict=True)):
            near = math.hypot(*flight(second + 0.9)) < DANGER_M - 30.0
            assert with_ >= without - (0 if near else 1), second

    def test_an_attack_still_ends_in_imminent_and_warns_long_before(self, world) -> None:
        flight = DRONES["straight"]
        laid = ranks(told(world, sensed(world, flight, 60, "radar") + spoken(world, flight, 60), 60))
        inside = next(t for t in range(60) if math.hypot(*flight(t)) < DANGER_M)
        assert LEVEL_RANK["imminent"] in laid[inside : inside + 2]
        assert laid.index(LEVEL_RANK["warning"]) < inside - 5

    def test_a_drone_that_is_only_a_word_is_lowered_near_and_not_silent(self, world) -> None:
        seconds = told(world, spoken(world, DRONES["straight"], 60), 60)
        assert max(ranks(seconds, "A")) == LEVEL_RANK["warning"]
        assert ranks(seconds, "A")[40] == 0
        words = [w for threats in seconds for t in threats if t.level != "info" for w, _ in t.evidence]
        assert "says it is an aircraft (ADS-B), not verified" in words

    def test_one_that_says_it_is_unmanned_is_a_drone(self, world) -> None:
        """Emitter category B6."""
        unmanned = {"multirotor": 0.4, "fixed-wing": 0.35, "fpv": 0.05, "aircraft": 0.02, "unknown": 0.18}
        seconds = told(world, spoken(world, DRONES["straight"], 60, beliefs=unmanned), 60)
        assert max(ranks(seconds, "A")) == LEVEL_RANK["imminent"]

    def test_one_that_flies_with_a_copied_address_is_not_lowered(self, world) -> None:
        flight = DRONES["straight"]
        real = straight((20_000.0, 20_000.0, 9000.0), (200.0, 0.0, 0.0))
        other = spoken(world, real, 60)
        seconds = told(world, spoken(world, flight, 60) + other, 60)
        assert max(ranks(seconds, "A")) == LEVEL_RANK["imminent"]
        radar = sensed(world, flight, 60, "radar")
        with_radar = told(world, radar + spoken(world, flight, 60) + other, 60)
        assert ranks(with_radar) == ranks(told(world, radar, 60))

    def test_one_that_follows_under_a_real_aircraft_is_not_lowered(self, world) -> None:
        under = straight((0.0, 2300.0, 150.0), (0.0, -45.0, 0.0))
        real = straight((0.0, 2300.0, 350.0), (0.0, -45.0, 0.0))
        radar = sensed(world, under, 50, "radar") + sensed(world, real, 50, "radar")
        aloud = spoken(world, real, 50, datum="wgs84-ellipsoid")
        assert ranks(told(world, radar + aloud, 50)) == ranks(told(world, radar, 50))

    def test_one_named_by_remote_id_gains_nothing_by_an_address(self, world) -> None:
        flight = DRONES["straight"]
        both = sensed(world, flight, 60, "radar") + sensed(world, flight, 60, "name")
        assert ranks(told(world, both + spoken(world, flight, 60), 60)) == ranks(told(world, both, 60))


small = st.floats(-80.0, 80.0)


@st.composite
def injections(draw) -> dict:
    """How a ghost goes with the drone: for how long, how far off, how fast, as what."""
    free = {
        "begins": draw(st.integers(0, 40)),
        "lasts": draw(st.integers(1, 58)),
        "off": (draw(small), draw(small), draw(st.sampled_from([0.0, 30.0, 300.0, 9000.0]))),
        "drift": (draw(st.floats(-20.0, 20.0)), draw(st.floats(-20.0, 20.0)), 0.0),
        "false_velocity": draw(st.none() | st.tuples(*[st.floats(-300.0, 300.0)] * 3)),
        "name": draw(st.sampled_from(["4ca123", "3c6444", None])),
        "datum": draw(st.sampled_from(["barometric", "wgs84-ellipsoid", None])),
        "delay": draw(st.floats(0.0, 6.0)),
        "beliefs": draw(st.sampled_from([{"aircraft": 0.98}, {"bird": 0.9, "aircraft": 0.1}, {}])),
    }
    perfect = {"off": (0.0, 0.0, 0.0), "drift": (0.0, 0.0, 0.0), "false_velocity": None, "delay": 0.0}
    return free | draw(st.sampled_from([{}, perfect, perfect | {"lasts": 58, "begins": 0}]))


@settings(max_examples=50, deadline=None)
@given(
    drone=st.sampled_from(sorted(DRONES)),
    by=st.sampled_from(["radar", "name"]),
    ghosts=st.lists(injections(), min_size=1, max_size=3),
)
def test_no_set_of_aircraft_lowers_a_drone_inside_the_danger_radius(world, drone, by, ghosts) -> None:
    flight, seconds = DRONES[drone], 58
    real, false, late = sensed(world, flight, seconds, by), [], {}
    for number, ghost in enumerate(ghosts):
        late[f"adsb {number}"] = ghost["delay"]
        for t in range(ghost["begins"], min(ghost["begins"] + ghost["lasts"], seconds)):
            passed = t - ghost["begins"]
            place = tuple(
                p + o + d * passed for p, o, d in zip(flight(t), ghost["off"], ghost["drift"], strict=True)
            )
            stated = ghost["false_velocity"] or tuple(
                v + d for v, d in zip(velocity(flight, t), ghost["drift"], strict=True)
            )
            said = {key: ghost[key] for key in ("name", "datum", "beliefs")}
            false.append(world.air(t + 0.4, place, stated, sensor=f"adsb {number}", **said))
    alone, laid = told(world, real, seconds), told(world, real + false, seconds, late=late)
    for without, with_ in zip(alone, laid, strict=True):
        now = {threat.track: threat for threat in with_}
        for threat in without:
            if threat.range_m < DANGER_M:
                assert LEVEL_RANK[now[threat.track].level] >= LEVEL_RANK[threat.level]
            else:
                there = now.get(threat.track)
                assert (LEVEL_RANK[there.level] if there else 0) >= LEVEL_RANK[threat.level] - 1
