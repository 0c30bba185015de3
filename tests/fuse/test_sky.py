"""Aircraft that report themselves: high, fast, unauthenticated, and kept apart from what sensors see."""

import math
import random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from vedette.fuse import FuseSettings, Tracker
from vedette.model import (
    Claim,
    ConfigError,
    Detection,
    Identity,
    InputError,
    Position,
    RangeBearing,
    SensorProfile,
    Sigma,
    Site,
)

RID = "1588E040445AC004418"


def own(frame):
    """What is tracked of bodies, which is all that is not only an aircraft's word."""
    return [track for track in frame.tracks if track.id.startswith("T")]


def motion(track) -> tuple:
    return (track.id, track.enu_m, track.velocity_mps, track.covariance, track.existence, track.beliefs,
            track.height_known, track.updated)  # fmt: skip


def along(start, velocity, t: float) -> tuple[float, float, float]:
    return tuple(p + v * t for p, v in zip(start, velocity, strict=True))


class TestAirliner:
    START, VELOCITY = (-9000.0, 0.0, 11_000.0), (230.0, 0.0, 0.0)

    def reports(self, world, seconds: int, **changes) -> list[Detection]:
        return [
            world.air(t, along(self.START, self.VELOCITY, t), self.VELOCITY, **changes)
            for t in range(seconds)
        ]

    def test_it_flies_where_it_says_at_the_height_it_says(self, world) -> None:
        (track,) = world.feed(world.tracker(), self.reports(world, 30)).tracks
        assert math.dist(track.enu_m, along(self.START, self.VELOCITY, 29.05)) < 100.0
        assert track.velocity_mps[0] == pytest.approx(230.0, abs=2.0)
        assert track.height_known
        assert track.identity == Identity(scheme="icao", id="4ca123")
        assert track.trust == "unverified"
        assert track.beliefs["aircraft"] > 0.8

    def test_positions_that_lag_by_fits_make_no_contradiction(self, world) -> None:
        rng = random.Random(1)
        late = [
            structs.replace(report, time=report.time + rng.uniform(0.0, 0.6))
            for report in self.reports(world, 60)
        ]
        frame = world.feed(world.tracker(), late)
        assert [track.trust for track in frame.tracks] == ["unverified"]

    @pytest.mark.parametrize("gap", [10, 25])
    def test_a_gap_in_its_reports_and_a_turn_make_no_contradiction(self, world, gap: int) -> None:
        reports = self.reports(world, 20)
        turned = (-9000.0 + 230.0 * 19, 200.0 * gap, 11_000.0)
        reports += [
            world.air(19 + gap + t, along(turned, (0.0, 230.0, 0.0), t), (0.0, 230.0, 0.0)) for t in range(5)
        ]
        frame = world.feed(world.tracker(), reports)
        assert [track.trust for track in frame.tracks] == ["unverified"]

    def test_without_a_height_it_has_none(self, world) -> None:
        (track,) = world.feed(world.tracker(), self.reports(world, 5, datum=None)).tracks
        assert not track.height_known

    @pytest.mark.parametrize("height", [-700.0, 25_000.0, math.nan])
    def test_a_height_at_which_nothing_flies_is_none(self, world, height: float) -> None:
        reports = [
            structs.replace(r, measure=structs.replace(r.measure, alt_m=650.0 + height))
            for r in self.reports(world, 5)
        ]
        frame = world.feed(world.tracker(), reports)
        assert not any(track.height_known for track in frame.tracks)

    def test_beyond_reach_it_is_counted(self, world) -> None:
        tracker = world.tracker()
        world.feed(tracker, [world.air(t, (70_000.0, 230.0 * t, 9000.0)) for t in range(3)])
        assert tracker.counts == {"out-of-reach": 3}

    def test_the_table_is_bounded_and_apart(self, world) -> None:
        tracker = world.tracker(max_aircraft=20, max_tracks=20)
        for t in range(4):
            names = 15 if t < 2 else 100
            batch = [
                world.air(t + k * 1e-3, (400.0 * k - 2e4, 9e3, 5e3), name=f"{k:06x}") for k in range(names)
            ]
            batch.append(world.report(t + 0.2, (0.0, 500.0, 90.0)))
            tracker.add(batch, world.start + t + 0.3)
        frame = tracker.frame(world.start + 4)
        assert len(own(frame)) == 1
        assert 10 <= len(frame.tracks) <= 21
        assert tracker._aircraft.head.count <= 20


class TestBarometricHeight:
    GEOID = -30.0

    def spread(self, world, alt_datum, geoid, stated="barometric", alt=3000.0, sigma=None):
        """Height over the site and its sigma, from one report."""
        site = Site(
            name="s", lat_deg=40.4, lon_deg=-3.7, alt_m=600.0, alt_datum=alt_datum, geoid_height_m=geoid
        )
        report = Detection(
            time=world.start,
            sensor="adsb",
            measure=Position(lat_deg=40.4, lon_deg=-3.7, alt_m=alt, alt_datum=stated),
            claim=Claim(scheme="icao", id="4ca123"),
            sigma=sigma,
        )
        plot = Tracker(site)._intake.plot(report)
        return (float(plot.z[2]), math.sqrt(plot.r[2, 2])) if plot.use[2] else None

    def test_it_counts_as_one_over_the_sea_with_its_doubt(self, world) -> None:
        assert self.spread(world, "egm96", None) == pytest.approx((2400.0, 270.0))

    def test_the_geoid_height_takes_it_to_the_ellipsoid(self, world) -> None:
        assert self.spread(world, "wgs84-ellipsoid", self.GEOID) == pytest.approx((2370.0, 270.0))

    def test_an_unknown_geoid_adds_its_doubt(self, world) -> None:
        expected = (2400.0, math.hypot(270.0, 60.0))
        assert self.spread(world, "wgs84-ellipsoid", None) == pytest.approx(expected)

    def test_a_stated_accuracy_only_widens_it(self, world) -> None:
        assert self.spread(world, "egm96", None, sigma=Sigma(vertical_m=10.0))[1] == pytest.approx(270.0)
        assert self.spread(world, "egm96", None, sigma=Sigma(vertical_m=500.0))[1] == pytest.approx(500.0)

    def test_a_geodetic_height_needs_no_such_doubt(self, world) -> None:
        stated = "wgs84-ellipsoid"
        assert self.spread(world, stated, None, stated) == pytest.approx((2400.0, 30.0))
        assert self.spread(world, "egm96", self.GEOID, stated) == pytest.approx((2430.0, 30.0))
        expected = (2400.0, math.hypot(30.0, 60.0))
        assert self.spread(world, "egm96", None, stated) == pytest.approx(expected)

    @pytest.mark.parametrize(
        ("site", "stated"), [("agl", "barometric"), ("egm96", "agl"), ("egm96", "takeoff")]
    )
    def test_other_datums_give_no_height(self, world, site: str, stated: str) -> None:
        assert self.spread(world, site, None, stated) is None

    def test_of_anything_else_a_barometric_height_is_none(self, world) -> None:
        camera = structs.replace(world.radar, id="eye", type="camera", range_m=None)
        tracker = world.tracker(camera)
        for t in range(6):
            report = world.report(t, (0.0, 500.0, 200.0), datum="barometric")
            seen = world.report(t, (900.0, 500.0, 200.0), datum="barometric", name=None, sensor="eye")
            tracker.add([report, seen], world.start + t)
        tracks = tracker.frame(world.start + 6).tracks
        assert [track.height_known for track in tracks] == [False, False]


HELICOPTER = (-1200.0, 800.0, 250.0), (40.0, 10.0, 0.0)


def both(world, seconds: int, start=HELICOPTER[0], velocity=HELICOPTER[1], off=(0.0, 0.0, 0.0), **changes):
    """A helicopter that a radar sees and that reports itself, ``off`` by so much."""
    out = []
    for t in range(seconds):
        place = along(start, velocity, t)
        out.append(world.plot(t, place, scan=t))
        stated = tuple(p + o for p, o in zip(along(place, velocity, 0.5), off, strict=True))
        out.append(
            world.air(
                t + 0.5, stated, changes.get("stated", velocity), datum=changes.get("datum", "barometric")
            )
        )
    return out


class TestOneBody:
    def test_it_becomes_one_track_under_its_identity_verified(self, world) -> None:
        tracker, seen = world.tracker(world.radar), []
        for detection in both(world, 14):
            tracker.add([detection], detection.time + 0.05)
            seen.append(
                [(t.identity and t.identity.scheme, t.trust) for t in tracker.frame(detection.time).tracks]
            )
        assert seen[-1] == [("icao", "verified")]
        assert [("icao", "unverified")] in seen
        (track,) = tracker.frame(world.start + 13.6).tracks
        assert track.id.startswith("T")
        assert track.sensors == ("adsb", "radar")
        first = seen.index([("icao", "verified")])
        assert 3.0 <= first / 2.0 <= 10.0

    def test_its_motion_and_beliefs_are_the_sensors_own(self, world) -> None:
        detections = both(world, 14)
        whole = world.feed(world.tracker(world.radar), detections)
        alone = world.feed(world.tracker(world.radar), detections[::2])
        assert [motion(t) for t in whole.tracks] == [
            motion(t) for t in Tracker.frame(self.radar_only(world, detections), whole.time).tracks
        ]
        assert whole.tracks[0].id == alone.tracks[0].id

    def radar_only(self, world, detections) -> Tracker:
        tracker = world.tracker(world.radar)
        world.feed(tracker, detections[::2])
        return tracker

    def test_a_word_that_parts_from_the_body_is_two_again(self, world) -> None:
        tracker = world.tracker(world.radar)
        world.feed(tracker, both(world, 12))
        assert [t.trust for t in tracker.frame(world.start + 12).tracks] == ["verified"]
        place = along(*HELICOPTER, 12.0)
        for t in range(12, 20):
            away = along(place, (-40.0, 40.0, 0.0), t - 12.0)
            tracker.add(
                [world.plot(t, along(*HELICOPTER, t), scan=t), world.air(t, away, (-40.0, 40.0, 0.0))],
                world.start + t,
            )
        trusts = {t.id[0]: (t.identity, t.trust) for t in tracker.frame(world.start + 20).tracks}
        assert trusts["T"] == (None, None)
        assert trusts["A"][1] == "unverified"

    @pytest.mark.parametrize(
        "changes",
        [
            {"off": (400.0, 0.0, 0.0)},
            {"stated": (-40.0, 10.0, 0.0)},
            {"stated": (40.0, 45.0, 0.0)},
            {"off": (0.0, 0.0, 600.0), "datum": "wgs84-ellipsoid"},
        ],
    )
    def test_what_does_not_agree_is_never_verified(self, world, changes) -> None:
        tracker = world.tracker(world.radar)
        for detection in both(world, 16, **changes):
            tracker.add([detection], detection.time + 0.05)
            assert "verified" not in [t.trust for t in tracker.frame(detection.time).tracks]
        assert len(own(tracker.frame(detection.time))) == 1

    def test_with_a_second_body_near_its_word_is_not_believed(self, world) -> None:
        """A drone follows 200 m under a real aircraft."""
        tracker = world.tracker(world.radar)
        for t in range(16):
            place = along((-1200.0, 800.0, 450.0), (40.0, 10.0, 0.0), t)
            under = (place[0], place[1], 250.0)
            tracker.add(
                [
                    world.plot(t, place, scan=t),
                    world.plot(t, under, scan=t),
                    world.air(t, place, (40.0, 10.0, 0.0), datum="wgs84-ellipsoid"),
                ],
                world.start + t,
            )
            assert "verified" not in [x.trust for x in tracker.frame(world.start + t).tracks]
        assert len(own(tracker.frame(world.start + 16))) == 2

    def test_an_address_in_two_places_is_contradicted_in_both_and_names_nothing(self, world) -> None:
        """A drone copies the address of a real aircraft."""
        tracker = world.tracker(world.radar)
        real = (9000.0, 9000.0, 3000.0), (100.0, 0.0, 0.0)
        for detection in both(world, 16):
            tracker.add([detection], detection.time + 0.05)
            t = detection.time - world.start
            tracker.add([world.air(t + 0.1, along(*real, t), real[1])], detection.time + 0.15)
        frame = tracker.frame(world.start + 16)
        assert sorted((t.id[0], t.trust) for t in frame.tracks) == [
            ("A", "contradicted"),
            ("A", "contradicted"),
            ("T", None),
        ]

    def test_remote_id_and_an_aircraft_are_never_one(self, world) -> None:
        tracker = world.tracker(world.radar)
        for t in range(16):
            place = along(*HELICOPTER, t)
            tracker.add(
                [
                    world.report(t, place, velocity=HELICOPTER[1], emitter="aa"),
                    world.plot(t, place, scan=t),
                    world.air(t, place, HELICOPTER[1], sensor="rid"),
                ],
                world.start + t,
            )
        identities = sorted(t.identity.scheme for t in tracker.frame(world.start + 16).tracks)
        assert identities == ["icao", "remote-id-serial"]

    def test_what_comes_nameless_by_the_radio_of_aviation_is_kept_apart_too(self, world) -> None:
        tracker = world.tracker(world.radar)
        world.feed(tracker, [structs.replace(d, claim=None) for d in both(world, 12)])
        (track,) = tracker.frame(world.start + 12).tracks
        assert (track.identity, track.trust) == (None, None)
        seen = world.tracker(world.radar)
        world.feed(seen, [d for d in both(world, 12) if d.sensor == "radar"])
        assert track.beliefs == seen.frame(world.start + 12).tracks[0].beliefs

    def test_an_address_that_a_radar_reads_off_is_no_name(self, world) -> None:
        """A secondary radar's plot is a plot; the address in it is the transponder's word."""
        tracker = world.tracker(world.radar)
        claim = Claim(scheme="icao", id="4ca123")
        frame = world.feed(tracker, [world.plot(t, along(*HELICOPTER, t), claim=claim) for t in range(9)])
        plain = world.feed(
            world.tracker(world.radar), [world.plot(t, along(*HELICOPTER, t)) for t in range(9)]
        )
        assert [structs.replace(t, id="") for t in frame.tracks] == [
            structs.replace(t, id="") for t in plain.tracks
        ]


class TestWhoMeasuredTheHeight:
    FLAT = SensorProfile(
        id="flat", type="radar-2d", lat_deg=40.4, lon_deg=-3.7, alt_m=652.0, alt_datum="wgs84-ellipsoid",
        period_s=1.0, detection_probability=0.9, clutter_per_scan=5.0, range_m=(50.0, 6000.0),
    )  # fmt: skip

    def flat_plot(self, world, t: float, enu) -> Detection:
        measure = RangeBearing(
            range_m=math.dist(enu, (0.0, 0.0, 2.0)), azimuth_deg=math.degrees(math.atan2(enu[0], enu[1]))
        )
        return Detection(
            time=world.start + t,
            sensor="flat",
            measure=measure,
            sigma=Sigma(range_m=5.0, azimuth_deg=0.5),
        )

    def flown(self, world, radar: SensorProfile, stated: float, true: float = 90.0, seconds: int = 12):
        """A drone that states another height than it flies at, seen by a radar."""
        tracker = world.tracker(radar)
        for t in range(seconds):
            place = (300.0, 1400.0 - 20.0 * t, true)
            plot = world.plot(t, place, scan=t) if radar.id == "radar" else self.flat_plot(world, t, place)
            report = world.report(t + 0.3, (place[0], place[1] - 6.0, stated))
            tracker.add([plot, report], world.start + t + 0.4)
        return tracker.frame(world.start + seconds - 0.5)

    def test_alone_the_broadcast_height_stands(self, world) -> None:
        frame = world.feed(world.tracker(), [world.report(t, (300.0, 900.0, 90.0)) for t in range(5)])
        assert frame.tracks[0].height_known

    @pytest.mark.parametrize("stated", [90.0, 450.0])
    def test_beside_a_radar_that_measures_none_it_does_not(self, world, stated: float) -> None:
        frame = self.flown(world, self.FLAT, stated)
        assert [t.height_known for t in frame.tracks] == [False]
        assert frame.tracks[0].sensors == ("flat", "rid")

    def test_long_after_the_radar_lost_it_the_broadcast_height_stands_again(self, world) -> None:
        tracker = world.tracker(self.FLAT)
        for t in range(30):
            place = (300.0, 1400.0 - 20.0 * t, 90.0)
            seen = [self.flat_plot(world, t, place)] if t < 8 else []
            tracker.add([*seen, world.report(t + 0.3, place)], world.start + t + 0.4)
            known = [x.height_known for x in tracker.frame(world.start + t + 0.4).tracks]
            if 3 <= t <= 16:
                assert known == [False]
        assert known == [True]

    @pytest.mark.parametrize("stated", [-50.0, 90.0, 150.0, 230.0, 480.0])
    def test_beside_a_radar_that_measures_one_the_radars_stands(self, world, stated: float) -> None:
        frame = self.flown(world, world.radar, stated)
        near = [t for t in frame.tracks if math.hypot(t.enu_m[0] - 300.0, t.enu_m[1] - 1170.0) < 60.0]
        assert near
        for track in near:
            if track.height_known and "radar" in track.sensors:
                assert track.enu_m[2] == pytest.approx(90.0, abs=25.0)
        assert any("radar" in track.sensors for track in near)

    def test_the_first_measured_height_leaves_nothing_of_the_broadcast_one(self, world) -> None:
        tracker = world.tracker(world.radar)
        places = [(300.0, 1400.0 - 20.0 * t, 90.0) for t in range(10)]
        for t, (e, n, _) in enumerate(places[:9]):
            tracker.add([world.report(t, (e, n, 150.0))], world.start + t)
        tracker.add([world.plot(9, places[9], scan=9)], world.start + 9)
        (track,) = tracker.frame(world.start + 9).tracks
        assert track.sensors == ("radar", "rid")
        assert track.height_known
        assert track.enu_m[2] == pytest.approx(90.0, abs=8.0)

    def test_a_name_that_joins_later_brings_no_height(self, world) -> None:
        """The radar's track goes up in the named one when both stay on one spot."""
        tracker = world.tracker(world.radar)
        for t in range(8):
            tracker.add([world.report(t, (300.0, 900.0, 450.0))], world.start + t)
        for t in range(8, 24):
            batch = [
                world.plot(t, (300.0, 900.0, 90.0), scan=t),
                world.report(t + 0.2, (300.0, 900.0, 450.0)),
            ]
            tracker.add(batch, world.start + t + 0.3)
        (track,) = tracker.frame(world.start + 23.3).tracks
        assert track.identity is not None
        assert track.height_known
        assert track.enu_m[2] == pytest.approx(90.0, abs=25.0)


NUMBERS = st.floats(-4000.0, 4000.0)


@st.composite
def words_of_aircraft(draw):
    """Anything that can be said by the radio of aviation: (t, place, velocity, name, datum, transport)."""
    count = draw(st.integers(1, 25))
    near = draw(st.booleans())
    out = []
    for _ in range(count):
        t = draw(st.floats(-1.0, 13.0))
        wide = st.floats(-60.0, 60.0) if near else NUMBERS
        off = (draw(wide), draw(wide), draw(st.floats(-400.0, 15_000.0)))
        velocity = draw(st.none() | st.tuples(*[st.floats(-350.0, 350.0)] * 3))
        name = draw(st.sampled_from(["4ca123", "400000", None]))
        datum = draw(st.sampled_from(["barometric", "wgs84-ellipsoid", None]))
        out.append((t, off, velocity, name, datum))
    return out


@settings(max_examples=40, deadline=None)
@given(said=words_of_aircraft(), late=st.floats(0.0, 9.0), named=st.booleans())
def test_no_word_of_aviation_moves_a_body(world, said, late: float, named: bool) -> None:
    """Bodies are tracked to the bit as if nobody had spoken, whatever was said, and whenever."""

    def seen(t: float) -> list[Detection]:
        place = (0.0, 1400.0 - 30.0 * t, 90.0)
        plots = [world.plot(t, place, scan=int(t))]
        return [*plots, world.report(t + 0.1, place)] if named else plots

    with_words, without = world.tracker(world.radar), world.tracker(world.radar)
    false = [
        (
            t + late,
            world.air(t, along((0.0, 1400.0 - 30.0 * t, 90.0), off, 1.0), velocity, name=name, datum=datum),
        )
        for t, off, velocity, name, datum in said
    ]
    arrivals = [(float(t), d) for t in range(12) for d in seen(t)] + [(at, d) for at, d in false if at >= 0.0]
    for at, detection in sorted(arrivals, key=lambda pair: pair[0]):
        with_words.add([detection], world.start + at + 0.2)
        if detection.sensor != "adsb":
            without.add([detection], world.start + at + 0.2)
    for t in range(6, 13):
        whole, plain = with_words.frame(world.start + t), without.frame(world.start + t)
        assert [motion(track) for track in own(whole)] == [motion(track) for track in plain.tracks]


class TestState:
    def arrivals(self, world, seconds: int) -> list[Detection]:
        return both(world, seconds)

    @pytest.mark.parametrize("cut", [3, 9, 17, 24])
    def test_restored_in_the_middle_it_goes_on_to_the_bit(self, world, cut: int) -> None:
        detections = self.arrivals(world, 16)
        tracker = world.tracker(world.radar)
        world.feed(tracker, detections[:cut])
        again = Tracker.restore(world.site, (world.radar,), FuseSettings(), tracker.state())
        assert again.state() == tracker.state()
        for detection in detections[cut:]:
            at = detection.time + 0.05
            assert tracker.add([detection], at) == again.add([detection], at)
            assert tracker.frame(at) == again.frame(at)
        assert tracker.state() == again.state()
        assert tracker.settled(world.start + 20) == again.settled(world.start + 20)

    def test_every_order_of_arrival_settles_on_the_same(self, world) -> None:
        detections = self.arrivals(world, 16)
        rng = random.Random(5)
        mixed = sorted(((d.time + rng.uniform(0.0, 4.0), d) for d in detections), key=lambda pair: pair[0])
        one, other = world.tracker(world.radar), world.tracker(world.radar)
        world.feed(one, detections)
        for at, detection in mixed:
            other.add([detection], at)
        assert one.settled(world.start + 30) == other.settled(world.start + 30)
        assert other.counts == {}

    def test_a_state_of_the_first_format_is_refused_in_words(self, world) -> None:
        """Format 1 was an array that began with station time."""
        old = msgspec.msgpack.encode([world.start, 1, [[], {}, {}], 1, [], [], {}, 0, 0])
        with pytest.raises(InputError, match=r"its format is .*, this version reads 7"):
            Tracker.restore(world.site, (), FuseSettings(), old)


class TestSensorsThatRegisterThemselves:
    """The core restores the tracker with the new profile among its sensors."""

    def again(self, world, tracker: Tracker, *sensors: SensorProfile) -> Tracker:
        return Tracker.restore(world.site, sensors, FuseSettings(), tracker.state())

    def test_before_it_said_where_it_stands_its_plots_are_counted(self, world) -> None:
        tracker = world.tracker()
        world.feed(tracker, [world.plot(t, (900.0, 0.0, 90.0)) for t in range(3)])
        assert tracker.counts == {"unknown-sensor": 3}
        tracker = self.again(world, tracker, world.radar)
        frame = world.feed(tracker, [world.plot(t, (900.0, 0.0, 90.0)) for t in range(3, 6)])
        assert [track.sensors for track in frame.tracks] == [("radar",)]
        assert tracker.counts == {"unknown-sensor": 3}

    def test_a_profile_of_another_sensor_changes_no_bit(self, world) -> None:
        tracker = world.tracker(world.radar)
        world.feed(tracker, both(world, 12))
        other = structs.replace(world.radar, id="second", lat_deg=40.41)
        again = self.again(world, tracker, world.radar, other)
        assert again.state() == tracker.state()
        assert again.frame(world.start + 13) == tracker.frame(world.start + 13)
        assert again.settled(world.start + 13) == tracker.settled(world.start + 13)

    def test_what_it_said_as_a_stranger_in_the_window_counts_as_its_own_then(self, world) -> None:
        """Positions of a sensor without a profile are broadcasts; with one they are measured."""
        tracker = world.tracker()
        for t in range(6):
            seen = world.report(t, (900.0, 15.0 * t, 90.0), name=None, sensor="eye")
            tracker.add([seen, world.air(t, (900.0, 15.0 * t, 90.0), sensor="eye")], world.start + t)
        assert sorted(track.id[0] for track in tracker.frame(world.start + 5).tracks) == ["A", "T"]
        eye = structs.replace(world.radar, id="eye", type="camera", range_m=None)
        again = self.again(world, tracker, eye)
        assert [track.id[0] for track in again.frame(world.start + 5).tracks] == ["T"]

    @pytest.mark.parametrize(
        "change",
        [
            {"alt_datum": "takeoff"}, {"alt_datum": "egm96"}, {"alt_m": math.nan}, {"lat_deg": 91.0},
            {"lon_deg": math.inf}, {"period_s": math.nan}, {"range_m": (0.0, math.inf)},
            {"clutter_per_scan": math.inf}, {"detection_probability": math.nan},
        ],
    )  # fmt: skip
    def test_one_that_cannot_be_placed_is_refused_and_the_tracker_stays(self, world, change) -> None:
        tracker = world.tracker(world.radar)
        world.feed(tracker, both(world, 6))
        before = tracker.state()
        with pytest.raises(ConfigError, match="sensor lost"):
            self.again(world, tracker, world.radar, structs.replace(world.radar, id="lost", **change))
        assert tracker.state() == before
