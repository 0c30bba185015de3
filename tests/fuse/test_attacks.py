"""Attackers who transmit: no broadcast hides a drone that is there, fills the tracker, or moves its time."""

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from vedette.fuse import FuseSettings, Tracker
from vedette.model import ConfigError

NAME = "1588E040445AC004418"
SPEED = 20.0


def inbound(t: float) -> tuple[float, float, float]:
    """A drone that flies at the site from the north."""
    return (0.0, 1400.0 - SPEED * t, 90.0)


def nearest(frame, place) -> tuple[float, object]:
    """Distance (m) and track of the body nearest to a place."""
    return min(((math.dist(track.enu_m, place), track) for track in frame.tracks), key=lambda pair: pair[0])


class TestOneNameInManyPlaces:
    def test_a_name_used_up_far_away_does_not_hide_the_drone_that_bears_it(self, world) -> None:
        """Four thieves hold all bodies of the name before its owner comes."""
        tracker = world.tracker()
        corners = list(itertools.product((-9000.0, 9000.0), (-9000.0, 9000.0)))
        for step in range(40):
            t = step * 0.5
            batch = [world.report(t, (e, n, 90.0)) for e, n in corners]
            if t >= 10.0:
                batch.append(world.report(t, inbound(t)))
            tracker.add(batch, world.start + t)
        distance, track = nearest(tracker.frame(world.start + t), inbound(t))
        assert distance < 15.0
        assert track.trust == "contradicted"
        assert len(tracker.frame(world.start + t).tracks) == 5

    def test_a_thief_who_walks_the_name_away_leaves_the_drone_tracked(self, world) -> None:
        tracker = world.tracker()
        for step in range(60):
            t = step * 0.5
            batch = [world.report(t, inbound(t), emitter="one")]
            batch += [world.report(t + 0.01 * k, (50.0 * k * t, 1400.0, 90.0), emitter="one") for k in (1, 2)]
            tracker.add(batch, world.start + t + 0.1)
            if t >= 5.0:
                assert nearest(tracker.frame(world.start + t), inbound(t))[0] < 60.0

    def test_a_far_jumper_never_moves_the_track(self, world) -> None:
        tracker, rng = world.tracker(), random.Random(4)
        for step in range(40):
            t = step * 0.5
            thief = (rng.uniform(-2e4, 2e4), rng.uniform(-2e4, 2e4), 90.0)
            tracker.add([world.report(t, inbound(t)), world.report(t + 0.2, thief)], world.start + t + 0.2)
            if t >= 2.0:
                assert nearest(tracker.frame(world.start + t), inbound(t))[0] < 40.0


class TestManyNamesInOnePlace:
    @pytest.mark.parametrize("addresses", ["one", "new each time"])
    def test_a_drone_with_a_new_name_in_each_frame_is_one_confirmed_body(self, world, addresses) -> None:
        tracker = world.tracker()
        seen = []
        for step in range(20):
            t = step * 0.5
            emitter = "one" if addresses == "one" else f"address {step}"
            report = world.report(
                t, inbound(t), name=f"ID{step}", emitter=emitter, velocity=(0.0, -SPEED, 0.0)
            )
            tracker.add([report], world.start + t)
            seen.append(len(tracker.frame(world.start + t).tracks))
        assert seen[4:] == [1] * 16
        distance, track = nearest(tracker.frame(world.start + t), inbound(t))
        assert distance < 10.0
        assert track.trust == "contradicted"

    def test_two_honest_drones_that_start_side_by_side_stay_two_and_honest(self, world) -> None:
        tracker = world.tracker()
        for t in range(12):
            for name, east in (("A", 0.0), ("B", 30.0)):
                tracker.add([world.report(t, (east, 20.0 * t, 90.0), name=name)], world.start + t)
        tracks = tracker.frame(world.start + 11).tracks
        assert sorted(track.identity.id for track in tracks) == ["A", "B"]
        assert [track.trust for track in tracks] == ["unverified"] * 2

    def test_a_stranger_never_takes_a_name_that_was_heard_twice(self, world) -> None:
        tracker = world.tracker()
        world.feed(tracker, [world.report(t, inbound(t)) for t in range(2)])
        world.feed(tracker, [world.report(t, inbound(t), name="thief") for t in range(2, 5)])
        names = sorted(track.identity.id for track in tracker.frame(world.start + 5).tracks)
        assert names == [NAME, "thief"]


class TestLies:
    @pytest.mark.parametrize("stated", [(0.0, 0.0, 0.0), (0.0, SPEED, 0.0), (250.0, 0.0, 0.0)])
    def test_a_false_velocity_is_found_out_within_seconds(self, world, stated) -> None:
        tracker = world.tracker()
        reports = [world.report(step * 0.5, inbound(step * 0.5), velocity=stated) for step in range(24)]
        (track,) = world.feed(tracker, reports).tracks
        assert track.velocity_mps[1] == pytest.approx(-SPEED, abs=4.0)
        assert abs(track.velocity_mps[0]) < 4.0
        assert math.dist(track.enu_m, inbound(11.5)) < 20.0

    def test_a_velocity_that_becomes_honest_is_believed_again(self, world) -> None:
        tracker = world.tracker()
        spread = []
        for step in range(60):
            t = step * 0.5
            stated = (0.0, -SPEED if t > 15.0 else 0.0, 0.0)
            tracker.add([world.report(t, inbound(t), velocity=stated)], world.start + t)
            spread.append(world.covariance(track)[4, 4] if (track := self.only(tracker, t, world)) else 0.0)
        assert spread[28] > 3.0 * spread[59]

    def only(self, tracker, t, world):
        tracks = tracker.frame(world.start + t).tracks
        return tracks[0] if tracks else None

    @settings(max_examples=25, deadline=None)
    @given(seed=st.integers(0, 10_000), turn=st.floats(-0.3, 0.3), speed=st.floats(0.0, 40.0))
    def test_an_honest_velocity_stays_believed(self, world, seed, turn, speed) -> None:
        """Fixes of 3 m, a steady turn at up to 1.2 g."""
        rng, tracker = random.Random(seed), world.tracker()
        e, n, reports = 0.0, 500.0, []
        for step in range(120):
            course = turn * step * 0.25
            ve, vn = speed * math.sin(course), speed * math.cos(course)
            e, n = e + 0.25 * ve, n + 0.25 * vn
            place = (e + rng.gauss(0.0, 2.0), n + rng.gauss(0.0, 2.0), 90.0)
            reports.append(world.report(step * 0.25, place, velocity=(ve, vn, 0.0)))
        world.feed(tracker, reports)
        assert "velocity-not-believed" not in tracker.counts

    @pytest.mark.parametrize("height", [990.0, 8000.0, -800.0])
    def test_a_broadcast_height_takes_no_drone_out_of_danger(self, world, height) -> None:
        frame = world.feed(world.tracker(), [world.report(t, (0.0, 300.0, height)) for t in range(4)])
        assert not frame.tracks[0].height_known
        assert math.hypot(*frame.tracks[0].enu_m) < 350.0

    def test_a_height_that_a_radar_measured_stands(self, world) -> None:
        tracker = world.tracker(world.radar)
        frame = world.feed(tracker, [world.plot(t, (1000.0, 0.0, 2500.0)) for t in range(5)])
        assert frame.tracks[0].height_known
        assert frame.tracks[0].enu_m[2] == pytest.approx(2500.0, abs=50.0)

    @pytest.mark.parametrize("reach_m", [100.0, 200.0, 300.0])
    def test_a_drone_that_jumps_about_is_still_there(self, world, reach_m) -> None:
        tracker, rng = world.tracker(), random.Random(5)
        for step in range(60):
            t = step * 0.5
            e, n, u = inbound(t)
            place = (e + rng.uniform(-reach_m, reach_m), n + rng.uniform(-reach_m, reach_m), u)
            tracker.add([world.report(t, place)], world.start + t)
            if t >= 3.0:
                assert nearest(tracker.frame(world.start + t), inbound(t))[0] < 2.5 * reach_m


class TestFloods:
    def flood(self, world, tracker: Tracker, seconds: int, per_second: int, name) -> list[float]:
        """A drone at 2 Hz inside a flood; returns its age (s) at the end of each second, inf if lost."""
        rng, ages = random.Random(6), []
        for second in range(seconds):
            batch = []
            for k in range(per_second):
                place = (rng.uniform(-5e3, 5e3), rng.uniform(2e3, 9e3), 90.0)
                batch.append(world.report(second + k / per_second, place, name=name(second, k)))
            batch += [world.report(second + half, inbound(second + half)) for half in (0.25, 0.75)]
            batch.sort(key=lambda d: d.time)
            for start in range(0, len(batch), 20):
                part = batch[start : start + 20]
                tracker.add(part, part[-1].time)
            now = world.start + second + 1.0
            mine = [t for t in tracker.frame(now).tracks if t.identity and t.identity.id == NAME]
            ages.append(min((now - t.updated for t in mine), default=math.inf))
        return ages

    def small(self, world) -> Tracker:
        return world.tracker(max_tracks=100, max_detections_per_sensor_second=200)

    def test_a_drone_that_is_tracked_stays_tracked_in_a_flood_of_names(self, world) -> None:
        tracker = self.small(world)
        world.feed(tracker, [world.report(t - 3.0, inbound(t - 3.0)) for t in (0.0, 1.0, 2.0)])
        ages = self.flood(world, tracker, 6, 600, lambda second, k: f"F{second}-{k}")
        assert ages == [pytest.approx(0.25)] * 6
        assert tracker.counts["over-capacity"] > 2000

    def test_one_name_repeated_without_end_leaves_the_others_their_share(self, world) -> None:
        tracker = self.small(world)
        world.feed(tracker, [world.report(t - 3.0, inbound(t - 3.0)) for t in (0.0, 1.0, 2.0)])
        ages = self.flood(world, tracker, 6, 600, lambda second, k: "loud")
        assert max(ages) == pytest.approx(0.25)

    def test_a_drone_that_comes_into_a_table_full_of_confirmed_inventions_is_seen(self, world) -> None:
        tracker = world.tracker(max_tracks=100)
        for second in range(4):
            batch = [
                world.report(second + i / 200, (100.0 * i - 5e3, 5e3, 90.0), name=f"P{i}") for i in range(100)
            ]
            tracker.add(batch, world.start + second + 0.6)
        assert len(tracker.frame(world.start + 4).tracks) == 100
        for t in (3.7, 4.2, 4.7):
            tracker.add([world.report(t, inbound(t))], world.start + t)
        assert nearest(tracker.frame(world.start + 4.7), inbound(4.7))[0] < 15.0

    def test_a_dense_flood_of_names_makes_few_tracks_by_coincidence(self, world) -> None:
        tracker, rng = world.tracker(), random.Random(9)
        for k in range(4000):
            place = (rng.uniform(-4e3, 4e3), rng.uniform(-4e3, 4e3), 90.0)
            report = world.report(k * 1e-3, place, name=f"F{k}", velocity=(5.0, 5.0, 0.0))
            tracker.add([report], world.start + k * 1e-3)
        assert len(tracker.frame(world.start + 4.0).tracks) < 15

    def test_a_single_flash_of_names_makes_no_track(self, world) -> None:
        tracker, rng = world.tracker(), random.Random(9)
        for k in range(300):
            place = (rng.uniform(-5e3, 5e3), rng.uniform(-5e3, 5e3), 90.0)
            tracker.add([world.report(k * 0.01, place, name=f"F{k}")], world.start + k * 0.01)
        assert tracker.frame(world.start + 3.0).tracks == ()

    def test_the_table_never_exceeds_its_size(self, world) -> None:
        tracker = self.small(world)
        self.flood(world, tracker, 3, 600, lambda second, k: f"F{second}-{k}")
        assert tracker._bodies.head.count <= 100
        assert tracker.counts["evicted-track"] > 0

    def test_a_replay_after_a_flood_is_equal_to_the_bit(self, world) -> None:
        tracker = self.small(world)
        self.flood(world, tracker, 3, 300, lambda second, k: f"F{second}-{k % 150}")
        again = Tracker.restore(
            world.site,
            (),
            FuseSettings(max_tracks=100, max_detections_per_sensor_second=200),
            tracker.state(),
        )
        for each in (tracker, again):
            each.add([world.report(3.5, inbound(3.5))], world.start + 3.5)
        assert again.state() == tracker.state()
        assert again.frame(world.start + 4) == tracker.frame(world.start + 4)

    def test_only_what_is_too_old_to_afford_waits(self, world) -> None:
        """An attacker who sends old times uses the budget up; what is a little late must not wait for it."""
        tracker = world.tracker(replay_budget_per_s=60)
        old = [world.report(0.1 + k * 1e-3, (300.0 * k, 5e3, 90.0), name=f"old {k}") for k in range(30)]
        recent = [world.report(t, (0.0, -500.0, 90.0), name="recent") for t in (5.0, 5.5, 6.0)]
        tracker.add([*old, *recent], world.start + 6.0)
        tracker.add([world.report(0.05, (9e3, 9e3, 90.0), name="older")], world.start + 6.1)
        both = [
            world.report(0.06, (9e3, 9e3, 90.0), name="older"),
            world.report(5.95, (0.0, -500.0, 90.0), name="late"),
        ]
        tracker.add(both, world.start + 6.2)
        assert tracker.counts["late-deferred"] == 1
        waiting = [plot.detection.claim.id for plot in tracker._bodies._waiting]
        assert waiting == ["older"]


@pytest.mark.parametrize(
    "change",
    [
        {"cooperative_height_m": (500.0, -300.0)},
        {"cooperative_height_m": (math.nan, 500.0)},
        {"max_reports_per_identity_second": 0},
    ],
)
def test_settings_that_make_no_sense_are_refused(change) -> None:
    with pytest.raises(ConfigError):
        structs.replace(FuseSettings(), **change)
