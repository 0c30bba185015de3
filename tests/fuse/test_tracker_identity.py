"""Who is who: claims, contradictions, witnesses, births and the end of tracks."""

import math
import random

import pytest
from msgspec import structs

from vedette.fuse import FuseSettings
from vedette.fuse.intake import Intake
from vedette.fuse.picture import Picture
from vedette.fuse.step import Fuser
from vedette.model import Bearing, Claim, Detection, EmptyScan, Integrity, Presence, Sigma, Signal


def ids(frame) -> list[str | None]:
    return sorted(track.identity.id if track.identity else "-" for track in frame.tracks)


def north(t: float, speed: float = 20.0) -> tuple[float, float, float]:
    return (0.0, 500.0 + speed * t, 90.0)


class TestConfirmation:
    def test_one_report_is_no_track_yet_and_two_are(self, world) -> None:
        tracker = world.tracker()
        assert tracker.add([world.report(0, north(0))], world.start) == []
        assert tracker.frame(world.start).tracks == ()
        changed = tracker.add([world.report(1, north(1))], world.start + 1)
        (track,) = tracker.frame(world.start + 1).tracks
        assert changed == [track.id]
        assert track.existence > 0.8
        assert track.identity.id == "1588E040445AC004418"
        assert track.trust == "unverified"
        assert track.sensors == ("rid",)

    def test_an_anonymous_report_needs_a_third(self, world) -> None:
        tracker = world.tracker()
        counts = []
        for t in range(3):
            tracker.add([world.report(t, north(t), name=None)], world.start + t)
            counts.append(len(tracker.frame(world.start + t).tracks))
        assert counts == [0, 0, 1]
        assert tracker.frame(world.start + 2).tracks[0].trust is None

    def test_a_radar_confirms_on_its_second_plot_and_clutter_does_not(self, world) -> None:
        tracker = world.tracker(world.radar)
        rng = random.Random(3)
        for t in range(30):
            clutter = [
                world.plot(t, (rng.uniform(-4000, 4000), rng.uniform(-4000, 4000), 80.0)) for _ in range(5)
            ]
            tracker.add([*clutter, world.plot(t, (2000.0 - 20.0 * t, 0.0, 90.0))], world.start + t)
            if t == 1:
                assert len(tracker.frame(world.start + 1).tracks) == 1
        frame = tracker.frame(world.start + 29)
        assert len(frame.tracks) <= 2
        assert min(math.dist(t.enu_m, (2000.0 - 20.0 * 29, 0.0, 90.0)) for t in frame.tracks) < 15.0

    def test_who_saw_a_body_last_stands_for_it_while_nobody_sees_it(self, world) -> None:
        """Else what only an exercise has seen would become actual by flying behind a hill."""
        tracker = world.tracker(world.radar)
        for t in range(10):
            tracker.add(
                [world.report(t, north(t)), world.plot(t + 0.5, north(t + 0.5))], world.start + t + 0.6
            )
        assert tracker.frame(world.start + 9.6).tracks[0].sensors == ("radar", "rid")
        for ahead in (13.0, 25.0):
            tracker.advance(world.start + 9.6 + ahead)
            (track,) = tracker.frame(world.start + 9.6 + ahead).tracks
            assert track.sensors == ("radar",)
            assert not track.height_measured

    def test_a_body_that_falls_silent_ends_after_about_a_minute(self, world) -> None:
        tracker = world.tracker()
        world.feed(tracker, [world.report(t, north(t)) for t in range(5)])
        existence = []
        for t in range(5, 80):
            tracker.advance(world.start + t)
            existence.append([track.existence for track in tracker.frame(world.start + t).tracks])
        assert existence[0]
        assert existence[45]
        assert existence[-1] == []
        shown = [e[0] for e in existence if e]
        assert shown == sorted(shown, reverse=True)

    def test_a_searching_sensor_that_sees_nothing_ends_it_sooner(self, world) -> None:
        lone = {}
        for label, sensors in (("alone", ()), ("watched", (world.radar,))):
            tracker = world.tracker(*sensors)
            world.feed(tracker, [world.report(t, north(t)) for t in range(5)])
            for t in range(5, 15):
                empty = Detection(time=world.start + t, sensor="radar", measure=EmptyScan())
                tracker.add([empty], world.start + t)
            lone[label] = len(tracker.frame(world.start + 15).tracks)
        assert lone == {"alone": 1, "watched": 0}

    def test_what_a_radar_cannot_see_it_cannot_miss(self, world) -> None:
        sector = structs.replace(world.radar, azimuth_deg=(90.0, 180.0))
        tracker = world.tracker(sector)
        world.feed(tracker, [world.report(t, north(t)) for t in range(5)])
        for t in range(5, 15):
            tracker.add(
                [Detection(time=world.start + t, sensor="radar", measure=EmptyScan())], world.start + t
            )
        assert len(tracker.frame(world.start + 15).tracks) == 1

    @pytest.mark.parametrize("kind", ["direction-finder", "acoustic-array", "report"])
    def test_silence_on_a_listening_sensor_proves_nothing(self, world, kind: str) -> None:
        listener = structs.replace(world.radar, type=kind)
        tracker = world.tracker(listener)
        world.feed(tracker, [world.report(t, north(t)) for t in range(5)])
        for t in range(5, 15):
            tracker.add(
                [Detection(time=world.start + t, sensor="radar", measure=EmptyScan())], world.start + t
            )
        assert len(tracker.frame(world.start + 15).tracks) == 1
        assert tracker.counts["empty-scan-not-fused"] == 10


class TestOneBodyOneTrack:
    def test_two_receivers_of_one_broadcast_are_one_track_and_no_more_evidence(self, world) -> None:
        one, two = world.tracker(), world.tracker()
        for t in range(10):
            heard = world.report(t, north(t))
            one.add([heard], world.start + t)
            two.add([heard, structs.replace(heard, sensor="rid-2")], world.start + t)
        (a,), (b,) = one.frame(world.start + 9).tracks, two.frame(world.start + 9).tracks
        assert (a.enu_m, a.covariance, a.existence) == (b.enu_m, b.covariance, b.existence)
        assert b.sensors == ("rid", "rid-2")
        assert two.counts["heard-again"] == 10

    def test_a_broadcast_alone_never_confirms_by_being_heard_twice(self, world) -> None:
        tracker = world.tracker()
        heard = world.report(0, north(0))
        tracker.add([structs.replace(heard, sensor=f"rid-{i}") for i in range(5)], world.start)
        assert tracker.frame(world.start).tracks == ()

    def test_the_claim_that_comes_after_the_first_locations_joins_their_track(self, world) -> None:
        tracker = world.tracker()
        early = [world.report(t, north(t), name=None, emitter="60:60:1f:00:00:01") for t in range(4)]
        late = [world.report(t, north(t), emitter="60:60:1f:00:00:01") for t in range(4, 8)]
        assert ids(world.feed(tracker, early + late)) == ["1588E040445AC004418"]

    def test_one_sender_with_two_schemes_is_one_body_with_the_better_name(self, world) -> None:
        tracker = world.tracker()
        reports = []
        for t in range(10):
            report = world.report(t, north(t), emitter="60:60:1f:00:00:01")
            if t % 2 == 0:
                report = structs.replace(report, claim=Claim(scheme="remote-id-session", id="SESSION"))
            reports.append(report)
        (track,) = world.feed(tracker, reports).tracks
        assert track.identity.scheme == "remote-id-serial"

    def test_a_radar_and_the_claim_of_one_drone_are_one_verified_track(self, world) -> None:
        tracker = world.tracker(world.radar)
        both = []
        for t in range(12):
            both += [world.report(t, north(t)), world.plot(t + 0.5, north(t + 0.5))]
        (track,) = world.feed(tracker, both).tracks
        assert track.trust == "verified"
        assert track.sensors == ("radar", "rid")
        frame = world.feed(tracker, [world.report(t, north(t)) for t in range(12, 30)])
        assert [t.trust for t in frame.tracks] == ["unverified"]

    def test_agreement_that_lapsed_must_be_earned_again(self, world) -> None:
        tracker = world.tracker(world.radar)
        both = []
        for t in range(12):
            both += [world.report(t, north(t)), world.plot(t + 0.5, north(t + 0.5))]
        both += [world.report(t, north(t)) for t in range(12, 30)]
        assert world.feed(tracker, [*both, world.plot(29.5, north(29.5))]).tracks[0].trust == "unverified"
        again = [world.plot(30 + t, north(30 + t)) for t in range(5)]
        assert world.feed(tracker, again).tracks[0].trust == "verified"

    def test_two_tracks_that_stay_on_one_spot_become_one(self, world) -> None:
        assert self.counts_after_seconds(world, "A", None) == [2, 2, 1, 1]
        assert self.counts_after_seconds(world, None, "A") == [2, 2, 1, 1]
        assert self.counts_after_seconds(world, None, None) == [2, 2, 1, 1]

    def test_two_names_never_become_one(self, world) -> None:
        assert self.counts_after_seconds(world, "A", "B") == [2, 2, 2, 2]

    def test_tracks_apart_never_become_one(self, world) -> None:
        assert self.counts_after_seconds(world, "A", None, apart=60.0) == [2, 2, 2, 2]

    def counts_after_seconds(self, world, first, second, apart: float = 2.0) -> list[int]:
        settings = FuseSettings()
        fuser, picture = Fuser(settings), Picture()
        intake = Intake(world.site, (), settings)
        for name, east in ((first, 0.0), (second, apart)):
            report = world.report(0, (east, 500.0, 90.0), name=name, velocity=(0.0, 0.0, 0.0))
            fuser.birth(picture, intake.plot(report))
        counts = []
        for second_ in range(4):
            fuser.second(picture, int(world.start) + second_)
            counts.append(picture.count)
        if counts[-1] == 1 and "A" in (first, second):
            assert picture.dossiers[0].identity.id == "A"
        return counts

    def test_a_name_that_comes_later_joins_the_radar_track(self, world) -> None:
        tracker = world.tracker(world.radar)
        world.feed(tracker, [world.plot(t, (30.0, 500.0 + 20.0 * t, 90.0)) for t in range(4)])
        before = [world.report(4 + t, north(4 + t)) for t in range(12)]
        frame = world.feed(tracker, before)
        assert len(frame.tracks) == 1

    def test_a_long_silence_and_a_manoeuvre_still_give_one_track(self, world) -> None:
        tracker = world.tracker()
        world.feed(tracker, [world.report(t, north(t), velocity=(0.0, 20.0, 0.0)) for t in range(6)])
        back = [
            world.report(20 + t, (0.0, 300.0 - 20.0 * t, 90.0), velocity=(0.0, -20.0, 0.0)) for t in range(5)
        ]
        frame = world.feed(tracker, back)
        assert len(frame.tracks) == 1
        assert frame.tracks[0].trust == "unverified"
        assert frame.tracks[0].enu_m[1] == pytest.approx(220.0, abs=8.0)

    def test_a_turn_no_model_foretold_starts_the_state_anew_on_the_same_track(self, world) -> None:
        tracker = world.tracker()
        before = world.feed(tracker, [world.report(t, north(t), velocity=(0.0, 20.0, 0.0)) for t in range(6)])
        frame = world.feed(tracker, [world.report(9, (0.0, 300.0, 90.0), velocity=(0.0, -40.0, 0.0))])
        assert [track.id for track in frame.tracks] == [before.tracks[0].id]
        assert frame.tracks[0].trust == "unverified"
        assert frame.tracks[0].enu_m[1] == pytest.approx(298.0, abs=1.0)
        assert tracker.counts["reacquired"] == 1


class TestContradiction:
    def test_a_teleport_does_not_move_the_track_and_marks_both(self, world) -> None:
        tracker = world.tracker()
        world.feed(tracker, [world.report(t, north(t)) for t in range(10)])
        (before,) = tracker.frame(world.start + 10).tracks
        for t in range(10, 14):
            real = world.report(t, north(t))
            fake = world.report(t + 0.5, (30_000.0, 0.0, 90.0))
            tracker.add([real], world.start + t)
            tracker.add([fake], world.start + t + 0.5)
        frame = tracker.frame(world.start + 14)
        assert [track.trust for track in frame.tracks] == ["contradicted", "contradicted"]
        same = next(track for track in frame.tracks if track.id == before.id)
        assert math.dist(same.enu_m, north(14)) < 15.0
        assert ids(frame) == ["1588E040445AC004418"] * 2

    def test_a_jump_within_one_second_of_300_metres_is_impossible(self, world) -> None:
        tracker = world.tracker()
        world.feed(tracker, [world.report(t, north(t)) for t in range(10)])
        world.feed(tracker, [world.report(10, (300.0, 700.0, 90.0))])
        assert [t.trust for t in tracker.frame(world.start + 10).tracks] == ["contradicted"]

    def test_a_flood_of_contradictions_stays_bounded(self, world) -> None:
        rng = random.Random(1)
        tracker = world.tracker()
        places = [(rng.uniform(-1e5, 1e5), rng.uniform(-1e5, 1e5), 90.0) for _ in range(60)]
        frame = world.feed(tracker, [world.report(i * 0.05, place) for i, place in enumerate(places)])
        assert len(frame.tracks) <= 4
        assert tracker.counts["contradiction-unnamed"] >= 50


class TestCrossing:
    def test_two_that_cross_keep_their_names(self, world) -> None:
        tracker = world.tracker()
        rng = random.Random(8)
        reports = []
        for k in range(80):
            t = k * 0.5
            for name, e in (("A", -400.0 + 20.0 * t), ("B", 400.0 - 20.0 * t)):
                place = (e + rng.gauss(0, 5), 600.0 + rng.gauss(0, 5), 90.0)
                reports.append(world.report(t, place, name=name))
        frame = world.feed(tracker, reports)
        assert ids(frame) == ["A", "B"]
        places = {track.identity.id: track.enu_m[0] for track in frame.tracks}
        assert places["A"] > 350.0
        assert places["B"] < -350.0

    def test_two_side_by_side_stay_two(self, world) -> None:
        reports = []
        for t in range(15):
            reports += [
                world.report(t, (x, 20.0 * t, 90.0), name=name) for name, x in (("A", 0.0), ("B", 4.0))
            ]
        assert ids(world.feed(world.tracker(), reports)) == ["A", "B"]

    def test_two_plots_of_one_scan_never_feed_one_track(self, world) -> None:
        tracker = world.tracker(world.radar)
        for t in range(12):
            pair = [world.plot(t, (x, 1000.0 - 15.0 * t, 90.0), scan=t) for x in (-12.0, 12.0)]
            tracker.add(pair, world.start + t)
        frame = tracker.frame(world.start + 11)
        assert sorted(round(track.enu_m[0] / 12) for track in frame.tracks) == [-1, 1]

    def test_of_two_plots_near_one_track_the_better_counts_for_more(self, world) -> None:
        places = []
        for extra in ((), ((30.0, 1000.0 - 15.0 * 6, 90.0),)):
            tracker = world.tracker(world.radar)
            for t in range(6):
                tracker.add([world.plot(t, (0.0, 1000.0 - 15.0 * t, 90.0))], world.start + t)
            last = [world.plot(6, place) for place in ((0.0, 1000.0 - 15.0 * 6, 90.0), *extra)]
            tracker.add(last, world.start + 6)
            (track,) = tracker.frame(world.start + 6).tracks
            places.append(track.enu_m)
        assert 0.0 < places[1][0] - places[0][0] < 7.0

    def test_the_plots_of_a_turning_radar_belong_to_one_scan(self, world) -> None:
        """Plots of one scan come at different times; a track hit early is not missed later."""
        tracker = world.tracker(world.radar)
        for scan in range(8):
            for step, x in ((0.1, -800.0), (0.4, 0.0), (0.8, 800.0)):
                plot = world.plot(scan + step, (x, 1500.0, 90.0), scan=scan)
                tracker.add([plot], world.start + scan + step)
        before = {track.id: track.existence for track in tracker.frame(world.start + 8.1).tracks}
        assert len(before) == 3
        tracker.add([world.plot(8.1, (-800.0, 1500.0, 90.0), scan=8)], world.start + 8.1)
        after = {track.id: track.existence for track in tracker.frame(world.start + 8.1).tracks}
        assert all(after[name] >= before[name] for name in before), (
            "the scan is not complete: nobody is missed"
        )
        tracker.add([world.plot(9.1, (-800.0, 1500.0, 90.0), scan=9)], world.start + 9.1)
        missed = {track.id: track.existence for track in tracker.frame(world.start + 9.1).tracks}
        assert sum(missed[name] < 0.99 * before[name] for name in before) == 2


class TestBounds:
    def test_200_at_once(self, world) -> None:
        tracker = world.tracker()
        rng = random.Random(2)
        start = {f"D{i}": (rng.uniform(-4000, 4000), rng.uniform(-4000, 4000)) for i in range(200)}
        for t in range(4):
            tracker.add(
                [world.report(t, (e + 10 * t, n, 90.0), name=name) for name, (e, n) in start.items()],
                world.start + t,
            )
        frame = tracker.frame(world.start + 3)
        assert ids(frame) == sorted(start)
        assert len({track.id for track in frame.tracks}) == 200

    def test_a_flood_of_names_never_displaces_what_a_radar_sees(self, world) -> None:
        tracker = world.tracker(world.radar, max_tracks=20)
        for t in range(6):
            tracker.add([world.plot(t, (2000.0 - 20.0 * t, 0.0, 90.0))], world.start + t)
            invented = [world.report(t + 0.2, (100.0 * i, -900.0, 90.0), name=f"X{i}") for i in range(60)]
            tracker.add(invented, world.start + t + 0.3)
        frame = tracker.frame(world.start + 6)
        assert len(frame.tracks) <= 20
        assert any("radar" in track.sensors for track in frame.tracks)
        assert tracker.counts["no-room-for-track"] > 0

    def test_a_radar_birth_displaces_an_invented_name(self, world) -> None:
        tracker = world.tracker(world.radar, max_tracks=5)
        for t in range(3):
            tracker.add(
                [world.report(t, (100.0 * i, -900.0, 90.0), name=f"X{i}") for i in range(5)], world.start + t
            )
        for t in range(3, 6):
            tracker.add([world.plot(t, (2000.0 - 20.0 * t, 0.0, 90.0))], world.start + t)
        assert any("radar" in track.sensors for track in tracker.frame(world.start + 6).tracks)
        assert tracker.counts["evicted-track"] == 1


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"time": math.nan}, "unusable-time"),
            ({"integrity": Integrity(crc_ok=False)}, "bad-crc"),
            ({"beliefs": {"bird": math.nan}}, "unusable-measure"),
            ({"claim": Claim(scheme="remote-id-serial", id="\ud800")}, "unusable-text"),
        ],
    )
    def test_each_is_counted_by_its_reason(self, world, change, reason: str) -> None:
        tracker = world.tracker()
        assert tracker.add([structs.replace(world.report(0, north(0)), **change)], world.start) == []
        assert tracker.counts == {reason: 1}

    @pytest.mark.parametrize(
        ("field", "value", "reason"),
        [
            ("lat_deg", math.nan, "unusable-measure"),
            ("lat_deg", 95.0, "unusable-measure"),
            ("lon_deg", 400.0, "unusable-measure"),
            ("lat_deg", -40.0, "out-of-reach"),
            ("velocity_mps", (math.nan, 0.0, 0.0), "unusable-measure"),
        ],
    )
    def test_a_position_that_is_nowhere(self, world, field: str, value, reason: str) -> None:
        tracker = world.tracker()
        report = world.report(0, north(0))
        bent = structs.replace(report, measure=structs.replace(report.measure, **{field: value}))
        tracker.add([bent], world.start)
        assert tracker.counts == {reason: 1}

    @pytest.mark.parametrize(
        ("field", "value", "reason"),
        [
            ("range_m", math.nan, "unusable-measure"),
            ("range_m", 3.3e-277, "unusable-measure"),
            ("range_m", 1e9, "out-of-reach"),
            ("azimuth_deg", math.inf, "unusable-measure"),
            ("elevation_deg", math.nan, "unusable-measure"),
        ],
    )
    def test_a_plot_that_is_nowhere(self, world, field: str, value: float, reason: str) -> None:
        tracker = world.tracker(world.radar)
        plot = world.plot(0, north(0))
        tracker.add(
            [structs.replace(plot, measure=structs.replace(plot.measure, **{field: value}))], world.start
        )
        assert tracker.counts == {reason: 1}

    def test_a_polar_plot_needs_to_know_where_its_sensor_stands(self, world) -> None:
        tracker = world.tracker()
        tracker.add([world.plot(0, north(0))], world.start)
        assert tracker.counts == {"unknown-sensor": 1}

    def test_an_absurd_velocity_is_left_out_and_the_position_used(self, world) -> None:
        frame = world.feed(
            world.tracker(), [world.report(t, north(t), velocity=(1e308, 1e308, 0.0)) for t in range(6)]
        )
        assert frame.tracks[0].velocity_mps[1] == pytest.approx(20.0, abs=4.0)

    def test_bearings_from_nowhere_and_presences_are_counted(self, world) -> None:
        tracker = world.tracker()
        tracker.add(
            [
                Detection(time=world.start, sensor="df", measure=Bearing(azimuth_deg=10.0)),
                Detection(time=world.start, sensor="rid", measure=Presence()),
            ],
            world.start,
        )
        assert tracker.counts == {"presence-not-fused": 1, "unknown-sensor": 1}

    def test_the_operators_place_is_never_held(self, world) -> None:
        claim = Claim(scheme="remote-id-serial", id="X", operator_lat_deg=41.234567, operator_lon_deg=-3.5)
        tracker = world.tracker()
        tracker.add([structs.replace(world.report(0, north(0)), claim=claim)], world.start)
        assert b"operator" not in tracker.state()
        assert b"41.23" not in tracker.state()


def test_the_track_id_is_the_identitys_and_survives_a_restart(world) -> None:
    first = world.feed(world.tracker(), [world.report(t, north(t)) for t in range(3)])
    later = world.feed(world.tracker(), [world.report(900 + t, north(t)) for t in range(3)])
    assert first.tracks[0].id == later.tracks[0].id
    assert first.tracks[0].id.startswith("T")
    assert len(first.tracks[0].id) == 9


def test_signal_and_sigma_do_not_disturb(world) -> None:
    report = structs.replace(
        world.report(0, north(0)), signal=Signal(rssi_dbm=-60.0), sigma=Sigma(horizontal_m=math.nan)
    )
    tracker = world.tracker()
    tracker.add([report, structs.replace(report, time=world.start + 1)], world.start + 1)
    assert len(tracker.frame(world.start + 1).tracks) == 1
