"""Turned sensors and clocks that are off: found, told and corrected; and what must not move them."""

import math
import random
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.fuse import FuseSettings, Tracker
from vedette.fuse.kernels.swing import CELLS
from vedette.fuse.packing import picture_bytes
from vedette.fuse.picture import Picture
from vedette.fuse.registration.findings import figures_of, priors, registrations
from vedette.fuse.registration.registers import (
    NOTHING,
    PackedRegisters,
    Register,
    Registers,
    packed,
    unpacked,
)
from vedette.model import Bearing, Detection, RangeBearing, Registration, SensorProfile, Sigma

PLACES = {"radar": (0.0, 0.0), "coarse": (-2500.0, -2500.0), "fine": (2500.0, -2500.0)}
SIGMAS = {"radar": 0.5, "coarse": 1.5, "fine": 0.4}
PHASES = {"radar": 0.0, "coarse": 0.3, "fine": 0.6}
SECONDS = 40
DEFAULTS = FuseSettings()


class Scene:
    """Drones on circles round different places, seen by a radar and two direction finders, with errors."""

    def __init__(self, world: Any, bodies: int = 5, seed: int = 1) -> None:
        self.world, rng = world, np.random.default_rng(seed)
        self.centre = rng.uniform(-1500.0, 1500.0, (bodies, 2))
        self.radius = rng.uniform(150.0, 500.0, bodies)
        self.pace = rng.uniform(12.0, 28.0, bodies) / self.radius
        self.phase = rng.uniform(0.0, 2.0 * math.pi, bodies)
        self.seed = seed

    def profiles(self, *names: str) -> tuple[SensorProfile, ...]:
        return tuple(self._profile(name) for name in names or PLACES)

    def _profile(self, name: str) -> SensorProfile:
        lat, lon, alt = self.world.frame.to_geodetic(*PLACES[name], 5.0)
        kind = "radar-3d" if name == "radar" else "direction-finder"
        return SensorProfile(
            id=name, type=kind, lat_deg=lat, lon_deg=lon, alt_m=alt, alt_datum="wgs84-ellipsoid",
            period_s=1.0, detection_probability=0.95, clutter_per_scan=3.0, range_m=(50.0, 8000.0),
        )  # fmt: skip

    def places(self, t: float) -> np.ndarray:
        angle = self.phase + self.pace * t
        return self.centre + self.radius[:, None] * np.stack([np.sin(angle), np.cos(angle)], axis=1)

    def watch(
        self,
        *names: str,
        turned: dict[str, float] | None = None,
        ahead: dict[str, float] | None = None,
        seconds: int = SECONDS,
        begin: int = 0,
    ) -> list[Detection]:
        """What the sensors say; ``turned``: degrees clockwise, ``ahead``: seconds that clocks are ahead."""
        found = []
        for second in range(begin, begin + seconds):
            for name in names or tuple(PLACES):
                rng = np.random.default_rng([self.seed, second, list(PLACES).index(name)])
                t = second + PHASES[name]
                stamp = self.world.start + t + (ahead or {}).get(name, 0.0)
                for east, north in self.places(t):
                    found.append(self._plot(name, stamp, east, north, (turned or {}).get(name, 0.0), rng))
        return found

    def _plot(self, name: str, stamp: float, east: float, north: float, turned: float, rng: Any) -> Detection:
        e, n = east - PLACES[name][0], north - PLACES[name][1]
        azimuth = math.degrees(math.atan2(e, n)) + turned + rng.normal(0.0, SIGMAS[name])
        azimuth = (azimuth + 180.0) % 360.0 - 180.0
        sigma = Sigma(range_m=5.0, azimuth_deg=SIGMAS[name], elevation_deg=1.0)
        measure: Any = Bearing(azimuth_deg=azimuth)
        if name == "radar":
            distance = math.hypot(e, n, 75.0)
            raised = math.degrees(math.asin(75.0 / distance)) + rng.normal(0.0, 0.5)
            measure = RangeBearing(
                range_m=distance + rng.normal(0.0, 5.0), azimuth_deg=azimuth, elevation_deg=raised
            )
        return Detection(time=stamp, sensor=name, measure=measure, sigma=sigma, scan=math.floor(stamp))

    def tracker(self, *names: str, **settings: Any) -> Tracker:
        return Tracker(self.world.site, self.profiles(*names), FuseSettings(**settings))


def fed(tracker: Tracker, detections: Iterable[Detection]) -> dict[str, Registration]:
    """Scan by scan, by stated time."""
    groups: dict[tuple[float, str], list[Detection]] = {}
    for detection in detections:
        groups.setdefault((detection.time, detection.sensor), []).append(detection)
    at = -math.inf
    for (time, _), batch in sorted(groups.items()):
        at = max(at, time + 0.05)
        tracker.add(batch, at)
    tracker.advance(at + 2.0)
    return {one.sensor: one for one in tracker.registrations()}


@pytest.fixture
def scene(world: Any) -> Scene:
    return Scene(world)


def test_sensors_that_are_set_up_well_are_left_alone(scene: Scene) -> None:
    found = fed(scene.tracker(), scene.watch())
    assert sorted(found) == ["coarse", "fine", "radar"]
    for one in found.values():
        assert abs(one.azimuth_bias_deg) < 3.5 * one.azimuth_sigma_deg + 0.1
        assert abs(one.clock_offset_s) < 0.2
        assert [one.azimuth_corrected, one.clock_corrected, one.astray] == [False] * 3
        assert one.azimuth_disputed_with == one.clock_disputed_with == ()
        assert one.compared > 100


@pytest.mark.parametrize("name", ["coarse", "fine", "radar"])
@pytest.mark.parametrize("turned", [3.0, -5.0])
def test_the_turned_sensor_is_found_and_no_other(scene: Scene, name: str, turned: float) -> None:
    """Clockwise is positive. It is so for the radar too, which all tracks follow."""
    found = fed(scene.tracker(), scene.watch(turned={name: turned}))
    for one in found.values():
        truth = turned if one.sensor == name else 0.0
        assert one.azimuth_bias_deg == pytest.approx(truth, abs=0.6), one
        assert one.azimuth_corrected == (one.sensor == name), one
        assert not one.astray


def test_a_turned_radar_does_not_displace_the_tracks_once_it_is_known(scene: Scene) -> None:
    errors = {}
    for least in (2, 99):
        tracker = scene.tracker(register_least_bodies=least)
        detections = scene.watch(turned={"radar": 4.0})
        fed(tracker, detections)
        at = scene.world.start + SECONDS - 1.0
        tracks = np.array([track.enu_m[:2] for track in tracker.frame(at).tracks])
        truth = scene.places(SECONDS - 1.0)
        errors[least] = float(np.median([np.linalg.norm(tracks - place, axis=1).min() for place in truth]))
    assert errors[2] < 25.0
    assert errors[99] > 2.0 * errors[2]


@pytest.mark.parametrize("turned", [25.0, 90.0, 180.0])
def test_a_finder_that_is_turned_beyond_repair_is_named_and_not_used(scene: Scene, turned: float) -> None:
    tracker = scene.tracker()
    found = fed(tracker, scene.watch(turned={"coarse": turned}))
    off = (found["coarse"].azimuth_bias_deg - turned + 180.0) % 360.0 - 180.0
    assert abs(off) < 1.0
    assert found["coarse"].astray
    assert not found["coarse"].azimuth_corrected
    assert [found[name].astray for name in ("fine", "radar")] == [False, False]
    before = {track.id: dict(track_uses(tracker, track.id))["coarse"] for track in seen_by(tracker, "coarse")}
    tracker.add(scene.watch("coarse", turned={"coarse": turned}, begin=SECONDS, seconds=2), later(scene, 43))
    for track, used in before.items():
        assert dict(track_uses(tracker, track)).get("coarse", used) == used


def track_uses(tracker: Tracker, track: str) -> tuple[tuple[str, float], ...]:
    head = tracker._bodies.head
    return head.sightings[head.slots[track]].sensors if track in head.slots else ()


def seen_by(tracker: Tracker, sensor: str) -> list[Any]:
    tracks = tracker.frame(tracker._at).tracks
    return [track for track in tracks if sensor in dict(track_uses(tracker, track.id))]


def later(scene: Scene, t: float) -> float:
    return float(scene.world.start + t)


@pytest.mark.parametrize("ahead", [0.7, -0.6])
def test_a_clock_that_is_off_is_found(world: Any, monkeypatch: pytest.MonkeyPatch, ahead: float) -> None:
    """Of three that are sharp enough: a clock that is ahead stamps plots too late."""
    monkeypatch.setitem(SIGMAS, "coarse", 0.4)
    scene = Scene(world, bodies=8)
    found = fed(scene.tracker(), scene.watch(ahead={"fine": ahead}, seconds=90))
    assert found["fine"].clock_offset_s == pytest.approx(ahead, abs=0.25)
    assert found["fine"].clock_corrected
    for other in ("coarse", "radar"):
        assert not found[other].clock_corrected
        assert abs(found[other].clock_offset_s) < 0.15


def test_a_clock_that_is_off_displaces_no_track_once_it_is_known(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sharpest sensor pulls fast bodies along their way, until its clock is known to be off."""
    monkeypatch.setitem(SIGMAS, "coarse", 0.2)
    monkeypatch.setitem(SIGMAS, "fine", 0.1)
    scene, behind = Scene(world, bodies=8), {}
    for least in (2, 99):
        tracker = scene.tracker(register_least_bodies=least)
        fed(tracker, scene.watch(ahead={"fine": -0.8}, seconds=60))
        tracks = np.array([track.enu_m[:2] for track in tracker.frame(world.start + 59.0).tracks])
        behind[least] = float(
            np.mean([np.linalg.norm(tracks - place, axis=1).min() for place in scene.places(59.0)])
        )
    assert behind[2] < 0.8 * behind[99]


def test_of_two_clocks_that_differ_nobody_knows_which_is_off(scene: Scene) -> None:
    names = ("radar", "fine")
    found = fed(scene.tracker(*names), scene.watch(*names, ahead={"fine": 0.8}, seconds=120))
    for one, other in (names, names[::-1]):
        assert found[one].clock_disputed_with == (other,)
        assert not found[one].clock_corrected
    apart = found["fine"].clock_offset_s - found["radar"].clock_offset_s
    assert apart == pytest.approx(0.8, abs=0.25)


def test_one_body_alone_corrects_nothing(world: Any) -> None:
    alone = Scene(world, bodies=1)
    found = fed(alone.tracker(), alone.watch(turned={"coarse": 6.0}, seconds=80))
    assert found["coarse"].compared > 40
    assert not any(one.azimuth_corrected for one in found.values())


def test_one_sensor_alone_is_compared_with_nothing(scene: Scene) -> None:
    assert fed(scene.tracker("radar"), scene.watch("radar")) == {}


def test_who_only_calls_himself_a_sensor_takes_no_part(scene: Scene) -> None:
    profiles = scene.profiles("fine")
    tracker = Tracker(scene.world.site, scene.profiles("radar", "coarse"), DEFAULTS, profiles)
    found = fed(tracker, scene.watch(turned={"fine": 6.0}))
    assert sorted(found) == ["coarse", "radar"]
    assert not any(one.azimuth_corrected or one.clock_corrected for one in found.values())


def test_what_drones_say_of_their_places_turns_no_sensor(scene: Scene) -> None:
    """Each reports itself 60 m to the right of where the radar sees it: about what a turned radar does."""
    lies = []
    for second in range(SECONDS):
        for number, (east, north) in enumerate(scene.places(second + 0.9)):
            distance = math.hypot(east, north)
            place = (east + 60.0 * north / distance, north - 60.0 * east / distance, 80.0)
            lies.append(scene.world.report(second + 0.9, place, name=f"LIAR{number}"))
    with_lies, without = (fed(scene.tracker(), scene.watch() + some) for some in (lies, []))
    assert sorted(with_lies) == sorted(without)
    for name, one in with_lies.items():
        assert not one.azimuth_corrected
        assert one.azimuth_bias_deg == pytest.approx(without[name].azimuth_bias_deg, abs=0.3)


@pytest.mark.parametrize("seed", [1, 2])
def test_what_comes_late_gives_the_same_registers_to_the_bit(scene: Scene, seed: int) -> None:
    detections = scene.watch(turned={"coarse": 4.0}, seconds=25)
    due = [(detection.time, detection) for detection in detections]
    rng = random.Random(seed)
    late = sorted(((time + rng.uniform(0.0, 5.0), detection) for time, detection in due), key=_first)
    trackers = [scene.tracker(replay_budget_per_s=10**6) for _ in range(2)]
    for tracker, order in zip(trackers, (due, late), strict=True):
        for at, detection in sorted(order, key=_first):
            tracker.add([detection], at)
        tracker.advance(scene.world.start + 40.0)
    assert trackers[0].registrations() == trackers[1].registrations()
    assert trackers[0].settled(later(scene, 40))[1] == trackers[1].settled(later(scene, 40))[1]
    assert trackers[0].registrations()[0].compared > 0


def _first(pair: tuple[float, Detection]) -> float:
    return pair[0]


def test_a_run_that_is_split_by_a_snapshot_goes_on_to_the_bit(scene: Scene) -> None:
    detections = sorted(scene.watch(turned={"fine": -3.0}, seconds=40), key=lambda one: one.time)
    whole, parts = scene.tracker(), scene.tracker()
    for detection in detections:
        whole.add([detection], detection.time)
    for number, detection in enumerate(detections):
        if number % 97 == 96:
            parts = Tracker.restore(scene.world.site, scene.profiles(), DEFAULTS, parts.state())
        parts.add([detection], detection.time)
    assert whole.registrations() == parts.registrations()
    assert whole.state() == parts.state()
    assert any(one.azimuth_corrected for one in whole.registrations())


def test_a_sensor_that_was_moved_is_not_known_any_more(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = scene.tracker()
    assert fed(tracker, scene.watch(turned={"coarse": 5.0}))["coarse"].azimuth_corrected
    lat, lon, alt = scene.world.frame.to_geodetic(-2400.0, -2500.0, 5.0)
    moved = tuple(
        msgspec.structs.replace(one, lat_deg=lat, lon_deg=lon, alt_m=alt) if one.id == "coarse" else one
        for one in scene.profiles()
    )
    tracker.advance(later(scene, SECONDS + 30))
    tracker = Tracker.restore(scene.world.site, moved, DEFAULTS, tracker.state())
    assert {one.sensor for one in tracker.registrations()} == set(PLACES)
    monkeypatch.setitem(PLACES, "coarse", (-2400.0, -2500.0))
    found = fed(tracker, scene.watch(begin=SECONDS + 30))
    assert not found["coarse"].azimuth_corrected
    assert abs(found["coarse"].azimuth_bias_deg) < 1.0


@pytest.mark.parametrize("name", ["coarse", "fine", "radar"])
@pytest.mark.parametrize("turned", [3.0, -5.0, 8.0])
def test_a_mast_that_is_put_right_is_found_right_again(scene: Scene, name: str, turned: float) -> None:
    tracker = scene.tracker()
    assert fed(tracker, scene.watch(turned={name: turned}))[name].azimuth_corrected
    found = fed(tracker, scene.watch(begin=SECONDS, seconds=40))
    for one in found.values():
        assert [one.azimuth_corrected, one.clock_corrected, one.astray] == [False] * 3
        assert abs(one.azimuth_bias_deg) < 0.5


def test_a_mast_that_is_turned_once_more_is_followed(scene: Scene) -> None:
    tracker = scene.tracker()
    assert fed(tracker, scene.watch(turned={"fine": 4.0}))["fine"].azimuth_corrected
    found = fed(tracker, scene.watch(turned={"fine": -6.0}, begin=SECONDS, seconds=50))
    assert found["fine"].azimuth_corrected
    assert found["fine"].azimuth_bias_deg == pytest.approx(-6.0, abs=0.3)


@pytest.mark.parametrize("name", ["coarse", "fine"])
@pytest.mark.parametrize("turned", [10.0, -10.0])
def test_three_bodies_suffice_to_find_a_finder_far_off(world: Any, name: str, turned: float) -> None:
    """Its own silence about them must not make them doubtful as witnesses."""
    small = Scene(world, bodies=3)
    found = fed(small.tracker(), small.watch(turned={name: turned}))
    assert found[name].azimuth_bias_deg == pytest.approx(turned, abs=0.6)
    assert [one.sensor for one in found.values() if one.azimuth_corrected] == [name]


def test_a_flood_of_sensors_is_bounded_and_counted(world: Any) -> None:
    scene, names = Scene(world), [f"s{number:02d}" for number in range(20)]
    radar = scene.profiles("radar")[0]
    many = tuple(
        SensorProfile(
            id=name, type="direction-finder", lat_deg=radar.lat_deg, lon_deg=radar.lon_deg, alt_m=radar.alt_m,
            alt_datum="wgs84-ellipsoid", period_s=1.0, detection_probability=0.9, range_m=(50.0, 8000.0),
        )
        for name in names
    )  # fmt: skip
    tracker = Tracker(world.site, (radar, *many))
    plots = scene.watch("radar", seconds=8)
    copies = [
        Detection(time=p.time + 0.2, sensor=name, measure=Bearing(azimuth_deg=p.measure.azimuth_deg))
        for p in plots
        for name in names
    ]
    found = fed(tracker, plots + copies)
    assert len(found) == 16
    assert tracker.counts["sensor-not-registered"] > 0


# Registers, and what is said of them ---------------------------------------------------------------


def registers(mean: list[float], cov: np.ndarray, **changes: Any) -> Registers:
    names = [f"s{number}" for number in range(len(mean) // 2)]
    some = {"compared": 100.0, "bodies": ("a", "b"), **changes}
    sensors = tuple(Register(name, (0.0, 0.0, 0.0), **some) for name in names)
    return Registers(7.0, sensors, np.array(mean), cov, np.zeros((len(names), CELLS)))


@given(seed=st.integers(0, 2**32 - 1), number=st.integers(0, 4))
@settings(max_examples=30, deadline=None)
def test_registers_keep_their_bits_when_packed(seed: int, number: int) -> None:
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(2 * number, 2 * number))
    some = registers(rng.normal(size=2 * number).tolist(), half + half.T)
    again = unpacked(msgspec.msgpack.decode(msgspec.msgpack.encode(packed(some)), type=PackedRegisters))
    assert again.second == some.second
    assert again.sensors == some.sensors
    for one, other in zip(some[2:], again[2:], strict=True):
        assert one.tobytes() == other.tobytes()
        assert one.shape == other.shape


def test_registers_of_the_wrong_shape_are_refused() -> None:
    plain = packed(registers([0.0, 0.0], np.eye(2)))
    for wrong in ({"mean": [0.0]}, {"cov": [[1.0]]}, {"profile": [[0.0] * (CELLS - 1)]}):
        with pytest.raises(ValueError):
            unpacked(msgspec.structs.replace(plain, **wrong))


def test_a_copy_shares_no_list_of_looks() -> None:
    picture = Picture()
    other = picture.copy()
    other.noted.append("look")  # type: ignore[arg-type]
    other.registers = registers([0.1, 0.0], np.eye(2))
    assert picture.noted == []
    assert picture.registers is NOTHING
    assert picture_bytes(picture) != picture_bytes(other)


def test_which_of_two_is_turned_is_a_dispute_and_of_three_is_known() -> None:
    """Measured: the others are 5 degrees from the first one, to 0.3 degrees."""
    wide, _ = priors(DEFAULTS, 3)
    for number in (2, 3):
        size = 2 * number
        information = np.diag(1.0 / wide[:size])
        vector = np.zeros(size)
        for other in range(1, number):
            row = np.zeros(size)
            row[0], row[2 * other] = 1.0, -1.0
            information += np.outer(row, row) / math.radians(0.3) ** 2
            vector += row * math.radians(5.0) / math.radians(0.3) ** 2
        cov = np.linalg.inv(information)
        said = registrations(registers((cov @ vector).tolist(), cov), DEFAULTS)
        if number == 2:
            assert [one.azimuth_disputed_with for one in said] == [("s1",), ("s0",)]
        else:
            assert [one.azimuth_disputed_with for one in said] == [(), (), ()]
            assert said[0].azimuth_bias_deg == pytest.approx(5.0, abs=0.4)
            assert abs(said[1].azimuth_bias_deg) < 0.4


def test_nothing_known_is_nothing_said() -> None:
    assert registrations(NOTHING, DEFAULTS) == ()
    assert figures_of(NOTHING.mean, NOTHING.cov, priors(DEFAULTS, 0)).value == []
