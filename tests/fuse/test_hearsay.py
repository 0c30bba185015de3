"""Sensors that only described themselves: what they do not see takes nothing off the map, what they invent
displaces nothing, and names of sensors fill no memory."""

import math
from typing import Any

import numpy as np
import pytest
from msgspec import structs

from vedette.fuse import FuseSettings, Tracker
from vedette.fuse.identity import evidence
from vedette.fuse.keeper import Keeper
from vedette.fuse.rays.hypotheses import motion_of
from vedette.fuse.sensing.sensors import unknown_sensor
from vedette.fuse.sightings import NONE
from vedette.model import Bearing, ConfigError, Detection, EmptyScan, SensorProfile, Sigma

NAME = "1588E040445AC004418"
Enu = tuple[float, float, float]


def inbound(t: float) -> Enu:
    return (0.0, 1400.0 - 20.0 * t, 90.0)


def liar(world: Any, **changes: Any) -> SensorProfile:
    figures = {"detection_probability": 0.99, "range_m": (1.0, 100_000.0)} | changes
    return structs.replace(world.radar, **{"id": "liar", **figures})


def nothing(world: Any, t: float) -> Detection:
    return Detection(time=world.start + t, sensor="liar", measure=EmptyScan())


def nearest(tracker: Tracker, at: float, place: Enu) -> float:
    return min((math.dist(track.enu_m, place) for track in tracker.frame(at).tracks), default=math.inf)


def bearing(world: Any, t: float, enu: Enu, sensor: str, stands: Enu) -> Detection:
    azimuth = math.degrees(math.atan2(enu[0] - stands[0], enu[1] - stands[1]))
    return Detection(
        time=world.start + t,
        sensor=sensor,
        measure=Bearing(azimuth_deg=azimuth),
        sigma=Sigma(azimuth_deg=1.0),
    )


def finder(world: Any, name: str, east: float, north: float) -> SensorProfile:
    lat, lon, alt = world.frame.to_geodetic(east, north, 2.0)
    return SensorProfile(
        id=name, type="direction-finder", lat_deg=lat, lon_deg=lon, alt_m=alt, alt_datum="wgs84-ellipsoid",
        period_s=1.0, detection_probability=0.9,
    )  # fmt: skip


class TestSilence:
    @pytest.mark.parametrize("kind", ["radar-3d", "radar-2d", "camera"])
    @pytest.mark.parametrize("by", ["name", "radar"])
    @pytest.mark.parametrize("period", [1.0, 0.025])
    def test_one_that_never_sees_anything_kills_nothing(
        self, world, kind: str, by: str, period: float
    ) -> None:
        sensors = (world.radar,) if by == "radar" else ()
        tracker = Tracker(world.site, sensors, FuseSettings(), (liar(world, type=kind, period_s=period),))
        for t in range(14):
            real = world.plot(t, inbound(t), scan=t) if by == "radar" else world.report(t, inbound(t))
            tracker.add([real], world.start + t + 0.01)
            for step in range(1, 20):
                tracker.add([nothing(world, t + 0.04 * step)], world.start + t + 0.04 * step + 0.01)
            if t >= 5:
                at = world.start + t + 0.9
                assert nearest(tracker, at, inbound(t + 0.9)) < 60.0
                assert all(track.trust != "ghost" for track in tracker.frame(at).tracks)

    def test_nor_by_plots_elsewhere_in_parts_of_scans(self, world) -> None:
        tracker = Tracker(world.site, (), FuseSettings(), (liar(world),))
        for step in range(200):
            t = 0.1 * step
            batch = [world.plot(t, (3000.0, 2000.0 + step, 90.0), sensor="liar", scan=step // 2)]
            if step % 10 == 0:
                batch.append(world.report(t, inbound(t)))
            tracker.add(batch, world.start + t + 0.01)
        assert nearest(tracker, world.start + 20.0, inbound(20.0)) < 60.0

    def test_its_own_false_plots_still_go(self, world) -> None:
        tracker = Tracker(world.site, (), FuseSettings(), (liar(world),))
        for t in range(4):
            tracker.add([world.plot(t, inbound(t), sensor="liar", scan=t)], world.start + t + 0.01)
        assert tracker.frame(world.start + 3.0).tracks
        for t in range(4, 12):
            tracker.add([nothing(world, t)], world.start + t + 0.01)
        assert not tracker.frame(world.start + 11.0).tracks

    def test_a_finder_that_points_elsewhere_kills_no_place_by_ear(self, world) -> None:
        stands = {"df-1": (-700.0, 0.0, 2.0), "df-2": (700.0, 0.0, 2.0), "liar": (0.0, 600.0, 2.0)}
        profiles = {name: finder(world, name, place[0], place[1]) for name, place in stands.items()}
        honest = (profiles["df-1"], profiles["df-2"])
        tracker = Tracker(world.site, honest, FuseSettings(), (profiles["liar"],))
        shown = 0
        for t in range(30):
            batch = [bearing(world, t, inbound(t), name, stands[name]) for name in ("df-1", "df-2")]
            batch.append(bearing(world, t + 0.2, (-4000.0, -4000.0, 60.0), "liar", stands["liar"]))
            tracker.add(batch, world.start + t + 0.21)
            shown += nearest(tracker, world.start + t + 0.21, inbound(t + 0.21)) < 200.0
        assert shown >= 20


class TestInventions:
    def test_bodies_everywhere_leave_a_drone_that_reports_itself(self, world) -> None:
        """A full table must not evict what reports itself for what a stranger says that he sees."""
        settings = FuseSettings(max_tracks=60)
        tracker, rng = Tracker(world.site, (), settings, (liar(world),)), np.random.default_rng(3)
        for t in range(20):
            batch = [world.report(t, inbound(t))] if t % 2 == 0 else []
            for _ in range(200):
                place = (*rng.uniform(-4000.0, 4000.0, 2), 90.0)
                batch.append(world.plot(t + 0.5, place, sensor="liar", scan=t))
            tracker.add(batch, world.start + t + 0.51)
            assert tracker.held <= 60
            if t >= 4:
                named = [track for track in tracker.frame(world.start + t + 0.51).tracks if track.identity]
                assert [track.identity.id for track in named] == [NAME], t
        assert tracker.counts["no-room-for-track"] > 1000

    def test_a_hundred_plots_round_a_drone_do_not_carry_it_off(self, world) -> None:
        tracker, rng = Tracker(world.site, (), FuseSettings(), (liar(world),)), np.random.default_rng(4)
        for t in range(24):
            batch = [world.report(t, inbound(t))]
            if t >= 5:
                places = np.array(inbound(t + 0.5)) + rng.normal(0.0, 150.0, (100, 3))
                batch += [world.plot(t + 0.5, tuple(p), sensor="liar", scan=t) for p in places]
            tracker.add(batch, world.start + t + 0.51)
            if t >= 5:
                named = [track for track in tracker.frame(world.start + t + 0.51).tracks if track.identity]
                here = inbound(t + 0.51)
                assert min(math.dist(track.enu_m[:2], here[:2]) for track in named) < 100.0, t

    def test_nobody_is_verified_by_who_calls_himself_a_radar(self, world) -> None:
        told = {}
        for vouched in (True, False):
            profiles = ((liar(world),), ()) if vouched else ((), (liar(world),))
            tracker = Tracker(world.site, profiles[0], FuseSettings(), profiles[1])
            for t in range(20):
                both = [world.report(t, inbound(t)), world.plot(t, inbound(t), sensor="liar", scan=t)]
                tracker.add(both, world.start + t + 0.01)
            told[vouched] = {track.trust for track in tracker.frame(world.start + 19.1).tracks}
        assert told == {True: {"verified"}, False: {"unverified"}}


class TestFigures:
    """What a sensor states of itself may be any number."""

    @pytest.mark.parametrize("name", ["range_m", "period_s", "clutter_per_scan", "elevation_deg"])
    def test_figures_beyond_all_measure_are_refused(self, world, name: str) -> None:
        value = 1e300 if name in ("period_s", "clutter_per_scan") else (0.0, 1e300)
        with pytest.raises(ConfigError, match="give a finite number"):
            Tracker(world.site, (), FuseSettings(), (liar(world, **{name: value}),))

    def test_a_period_of_nearly_nothing_breaks_nothing(self, world) -> None:
        pair = [
            structs.replace(finder(world, name, east, 0.0), period_s=5e-324)
            for name, east in (("a", -700.0), ("b", 700.0))
        ]
        tracker = Tracker(world.site, (), FuseSettings(), (*pair, liar(world, period_s=5e-324)))
        for t in range(15):
            batch = [
                bearing(world, t, inbound(t), one.id, (e, 0.0, 2.0))
                for one, e in zip(pair, (-700.0, 700.0), strict=True)
            ]
            tracker.add([*batch, nothing(world, t), world.report(t, inbound(t))], world.start + t + 0.1)
        assert nearest(tracker, world.start + 14.1, inbound(14.1)) < 60.0


def test_hypotheses_move_by_as_many_figures_as_tracks() -> None:
    """A shorter row would be read beyond its end."""
    keeper = Keeper(FuseSettings())
    assert motion_of(keeper).shape == (1, keeper.models.shape[1])


class TestInventedNames:
    def test_a_track_notes_so_many_repeaters_and_all_that_measure(self) -> None:
        seen = NONE.after("radar", 0.0, checked=True, raised=True)
        for number in range(500):
            seen = seen.after(f"x{number}", 0.01 * number, checked=False, raised=False)
        assert len(seen.sensors) == 32
        assert "radar" in dict(seen.sensors)
        seen = seen.after("zz-camera", 6.0, checked=True, raised=True)
        assert dict(seen.sensors)["zz-camera"] == 6.0
        assert dict(seen.after("radar", 7.0, checked=True, raised=True).sensors)["radar"] == 7.0
        assert dict(seen.after("x3", 8.0, checked=False, raised=False).sensors)["x3"] == 8.0
        assert dict(seen.after("late", 100.0, checked=False, raised=False).sensors) == {"late": 100.0}

    def test_words_of_invented_sensors_are_bounded_and_that_of_a_vouched_one_is_taken(self, world) -> None:
        def told(name: str, **changes: bool):
            return structs.replace(unknown_sensor(name, FuseSettings()), **changes)

        words: Any = ()
        one, two = (0.1,) * 6, (0.2,) * 6
        for number in range(100):
            words = evidence.with_word(words, told(f"x{number}"), one)
        assert len(words) == 1
        for number in range(100):
            words = evidence.with_word(words, told(f"y{number}", profiled=True), one)
        assert len(words) == 4
        vouched = told("radar", profiled=True, vouched=True)
        assert dict(evidence.with_word(words, vouched, one))["radar"] == one
        changed = evidence.with_word(words, told("y1", profiled=True), two)
        assert (len(changed), dict(changed)["y1"]) == (4, two)

    def test_many_who_call_a_drone_a_bird_are_no_more_than_one(self, world) -> None:
        beliefs = []
        for many in (1, 40):
            tracker = world.tracker(world.radar)
            for t in range(20):
                batch = [
                    world.report(t + 0.01 * n, inbound(t), sensor=f"s{n}", beliefs={"bird": 0.99})
                    for n in range(many)
                ]
                tracker.add([*batch, world.plot(t, inbound(t), scan=t)], world.start + t + 0.5)
            beliefs.append(max(track.beliefs["bird"] for track in tracker.frame(world.start + 19.5).tracks))
        assert beliefs[1] <= beliefs[0] + 0.05 < 0.9

    def test_reports_under_new_sensor_names_do_not_fill_a_track(self, world) -> None:
        tracker, sizes = world.tracker(world.radar), []
        for t in range(60):
            batch = [
                world.report(t + 0.01 * n, inbound(t), sensor=f"s{t}-{n}", beliefs={"bird": 0.9})
                for n in range(15)
            ]
            tracker.add([*batch, world.plot(t, inbound(t), scan=t)], world.start + t + 0.2)
            sizes.append(max(len(one.sensors) for one in tracker._bodies.head.sightings))
            assert all(len(one.beliefs) <= 5 for one in tracker._bodies.head.dossiers)
            if t >= 5:
                assert any("radar" in track.sensors for track in tracker.frame(world.start + t + 0.2).tracks)
        assert max(sizes) <= 33

    def test_sensors_that_left_leave_nothing_behind(self, world) -> None:
        """Whoever registers anew under one name after the other keeps one place, and not one for each."""
        state, sizes = world.tracker(world.radar).state(), []
        for number in range(40):
            own = (
                structs.replace(liar(world), id=f"r{number}"),
                finder(world, f"f{number}", 300.0, 300.0),
                structs.replace(liar(world), id=f"p{number}", type="report"),
            )
            tracker = Tracker.restore(world.site, (world.radar,), FuseSettings(), state, own)
            for step in range(10):
                t = 10.0 * number + step
                batch = [
                    world.plot(t, (900.0, 900.0, 90.0), sensor=f"r{number}"),
                    bearing(world, t, (900.0, 900.0, 90.0), f"f{number}", (300.0, 300.0, 2.0)),
                    world.report(t, (-900.0, 900.0, 90.0), name=None, sensor=f"p{number}"),
                ]
                tracker.add(batch, world.start + t + 0.1)
            tracker.advance(world.start + 10.0 * number + 9.95)
            state = tracker.state()
            head = tracker._bodies.head
            sizes.append(
                max(map(len, (head.scans, head.unseen, head.clutter, head.crowding, head.rays.ears)))
            )
        assert max(sizes) <= 4

    def test_what_is_left_of_directions_is_the_same_before_and_after_a_snapshot(self, world) -> None:
        pair = (finder(world, "a", -700.0, 0.0), finder(world, "b", 700.0, 0.0))
        tracker = Tracker(world.site, (), FuseSettings(), pair)
        for t in range(12):
            stands = {"a": (-700.0, 0.0, 2.0), "b": (700.0, 0.0, 2.0)}
            batch = [bearing(world, t, inbound(t), name, place) for name, place in stands.items()]
            tracker.add(batch, world.start + t + 0.1)
        without = Tracker.restore(world.site, (), FuseSettings(), tracker.state())
        again = Tracker.restore(world.site, (), FuseSettings(), without.state())
        for step in range(20):
            at = world.start + 12.0 + step
            for one in (without, again):
                one.add([world.report(12.0 + step, inbound(step))], at + 0.1)
            assert without.state() == again.state()
