"""What a body is, by how it moves and whether it is heard: birds are tracked and called birds."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from vedette.assess.columns import drone_belief, drone_belief_near
from vedette.assess.settings import AssessSettings
from vedette.fuse import FuseSettings, Tracker
from vedette.fuse.classes import OVER_GROUND, SEEN, SENDS, SPEEDS, Natures, speed_table
from vedette.fuse.identity import evidence
from vedette.fuse.kernels.nature import UNHEARD
from vedette.fuse.picture import BANDS, KINDS, Dossier, Picture
from vedette.fuse.sightings import NONE
from vedette.fuse.words import CLASSES
from vedette.model import Bearing, ConfigError, Detection, EmptyScan, SensorProfile, Track

Path = Callable[[float], tuple[float, float, float]]
BIRD, AIRCRAFT = CLASSES.index("bird"), CLASSES.index("aircraft")
DRONES = {"multirotor", "fpv", "fixed-wing"}
FINDERS = {"west": (-2500.0, -2500.0), "east": (2500.0, -2500.0)}


def finders(world: Any) -> tuple[SensorProfile, ...]:
    """Two direction finders at the corners."""
    profiles = []
    for name, (e, n) in FINDERS.items():
        lat, lon, alt = world.frame.to_geodetic(e, n, 5.0)
        profiles.append(
            SensorProfile(
                id=name, type="direction-finder", lat_deg=lat, lon_deg=lon, alt_m=alt,
                alt_datum="wgs84-ellipsoid", period_s=1.0, detection_probability=0.9, clutter_per_scan=1.0,
            )
        )  # fmt: skip
    return tuple(profiles)


def seen(
    world: Any, path: Path, secs: int, *, sends: bool, pd: float = 0.9, seed: int = 1
) -> list[Detection]:
    """A body in the plots of a radar and two direction finders, each of which hears something else too."""
    rng = np.random.default_rng(seed)
    detections = []
    for t in range(secs):
        if rng.random() < pd:
            plot = world.plot(t, path(t))
            measure = structs.replace(
                plot.measure,
                range_m=plot.measure.range_m + rng.normal(0, 5.0),
                azimuth_deg=plot.measure.azimuth_deg + rng.normal(0, 0.5),
                elevation_deg=plot.measure.elevation_deg + rng.normal(0, 1.0),
            )
            detections.append(structs.replace(plot, measure=measure))
        else:
            detections.append(Detection(time=world.start + t, sensor="radar", measure=EmptyScan()))
        for part, (name, (e, n)) in enumerate(FINDERS.items()):
            at = t + 0.3 + 0.3 * part
            place = path(at)
            azimuth = math.degrees(math.atan2(place[0] - e, place[1] - n))
            heard = [azimuth + 120.0]
            if sends and rng.random() < 0.9:
                heard.append(azimuth + rng.normal(0, 1.0))
            detections += [
                Detection(time=world.start + at, sensor=name, measure=Bearing(azimuth_deg=a % 360.0))
                for a in heard
            ]
    return detections


def straight(speed_mps: float, height_m: float = 60.0) -> Path:
    return lambda t: (-700.0 + speed_mps * t, 900.0, height_m)


def wandering(speed_mps: float, seed: int = 3) -> Path:
    """A heading that wanders by 0.2 rad in a second."""
    rng = np.random.default_rng(seed)
    places, heading = [np.array([-300.0, 900.0, 60.0])], 0.0
    for _ in range(1000):
        heading += rng.normal(0, 0.2 * math.sqrt(0.1))
        places.append(places[-1] + 0.1 * speed_mps * np.array([math.cos(heading), math.sin(heading), 0.0]))
    return lambda t: tuple(places[round(t * 10)])  # type: ignore[return-value]


def track_of(world: Any, path: Path, secs: int = 20, **changes: Any) -> Track:
    """The one track that is made of it."""
    told = {name: changes.pop(name) for name in ("sends", "pd", "seed") if name in changes}
    tracker = world.tracker(world.radar, *finders(world), **changes)
    frame = world.feed(tracker, seen(world, path, secs, **{"sends": False, **told}))
    assert len(frame.tracks) == 1
    return frame.tracks[0]


def called(track: Track) -> str:
    return max(track.beliefs, key=lambda name: track.beliefs[name])


@pytest.mark.parametrize("seed", range(4))
def test_what_flies_like_a_bird_and_is_silent_is_a_bird(world: Any, seed: int) -> None:
    track = track_of(world, wandering(13.0, seed), sends=False, pd=0.6, seed=seed)
    assert called(track) == "bird"


@pytest.mark.parametrize("seed", range(4))
def test_what_flies_like_a_bird_and_sends_is_a_drone(world: Any, seed: int) -> None:
    track = track_of(world, wandering(12.0, seed), sends=True, seed=seed)
    assert called(track) in DRONES
    assert track.beliefs["bird"] < 0.1


@pytest.mark.parametrize("speed", [0.0, 1.0, 30.0, 40.0, 48.0])
def test_silence_alone_makes_no_bird(world: Any, speed: float) -> None:
    """A drone on a glass fibre stands, or comes faster than birds do."""
    track = track_of(world, straight(speed), sends=False)
    assert called(track) != "bird"
    assert track.beliefs["bird"] < 0.2


def test_what_was_seen_to_be_fast_is_no_bird_when_it_slows_down(world: Any) -> None:
    def path(t: float) -> tuple[float, float, float]:
        return -700.0 + 35.0 * min(t, 20.0) + 12.0 * max(t - 20.0, 0.0), 900.0, 60.0

    fast, slow = (track_of(world, straight(12.0), 40), track_of(world, path, 40))
    assert called(fast) == "bird"
    assert called(slow) in DRONES
    assert slow.beliefs["bird"] < 0.7 * fast.beliefs["bird"]


def test_a_body_that_is_seen_two_times_in_three_is_not_lost(world: Any) -> None:
    """The radar states 0.9: with that, three misses in a row are a body that has gone."""
    shown = []
    for faint_share in (0.0, 0.03):
        seconds = 0
        for seed in range(6):
            tracker = world.tracker(world.radar, faint_share=faint_share)
            at = world.start
            for detection in seen(world, wandering(11.0, seed), 60, sends=False, pd=0.55, seed=seed):
                if detection.time - world.start >= 10.0 and math.floor(detection.time) > math.floor(at):
                    seconds += len(tracker.frame(detection.time).tracks)
                at = detection.time
                tracker.add([detection], at)
        shown.append(seconds)
    assert shown[1] > shown[0]


def gone(world: Any, secs: int, seed: int) -> list[Detection]:
    """A body that a radar and two finders see for 20 s. Then one finder still hears something there."""

    def path(t: float) -> tuple[float, float, float]:
        return straight(15.0)(min(t, 20.0))

    flown = seen(world, path, secs, sends=True, seed=seed)
    later = [one for one in flown if one.time - world.start >= 20.0 and one.sensor != "east"]
    nothing = EmptyScan()
    unseen = [structs.replace(one, measure=nothing) if one.sensor == "radar" else one for one in later]
    return [one for one in flown if one.time - world.start < 20.0] + unseen


def test_a_steady_body_that_is_seen_no_more_has_gone_and_is_not_faint(world: Any) -> None:
    """A bearing that goes on where it was keeps it no longer than if there were no faint bodies."""
    shown = []
    for faint_share in (0.0, 0.03):
        seconds = 0
        for seed in range(4):
            tracker = world.tracker(world.radar, *finders(world), faint_share=faint_share)
            for detection in gone(world, 50, seed):
                tracker.add([detection], detection.time + 0.05)
                if detection.sensor == "west" and detection.time >= world.start + 20.0:
                    seconds += len(tracker.frame(detection.time + 0.05).tracks)
        shown.append(seconds)
    assert 0 < shown[0] <= shown[1] <= 1.1 * shown[0]


def test_a_steady_speed_counts_once(world: Any) -> None:
    """A drone on its way from one point to the next holds its speed for minutes: not each second is news."""
    short, long_ = (track_of(world, straight(9.0), secs).beliefs for secs in (15, 75))
    assert long_["multirotor"] > 0.3 * short["multirotor"]


def test_an_attacker_who_flies_like_a_gull_is_warned_of(world: Any) -> None:
    track, settings = track_of(world, wandering(13.0), 60, sends=False, pd=0.6), AssessSettings()
    assert called(track) == "bird"
    assert track.vouched_beliefs is None
    for belief in (drone_belief(track, settings), drone_belief_near(track, settings)):
        assert belief >= 1.1 * settings.imminent_drone


def test_wind_that_is_known_is_taken_off(world: Any) -> None:
    """A bird before the wind is as fast over ground as no bird in calm air."""
    calm = track_of(world, straight(30.0), 20)
    windy = track_of(world, straight(30.0), 20, wind_mps=(16.0, 0.0))
    assert called(calm) != "bird"
    assert called(windy) == "bird"


def test_what_a_body_says_of_its_own_motion_tells_nothing_of_its_kind(world: Any) -> None:
    tracker = world.tracker()
    for t in range(30):
        tracker.add([world.report(t, wandering(13.0)(t), velocity=(13.0, 0.0, 0.0))], world.start + t)
    (track,) = tracker.frame(world.start + 30).tracks
    assert track.beliefs == pytest.approx(dict(zip(CLASSES, evidence.PRIOR, strict=True)))


def test_a_broadcast_name_makes_no_bird(world: Any) -> None:
    """Who bears a name sends, whether a direction finder is there to hear it or not."""
    beliefs = []
    for named in (False, True):
        tracker = world.tracker(world.radar)
        for t in range(20):
            plots = [world.plot(t, straight(12.0)(t))]
            plots += [world.report(t + 0.1, straight(12.0)(t + 0.1))] * named
            tracker.add(plots, world.start + t + 0.1)
        (track,) = tracker.frame(world.start + 20).tracks
        beliefs.append(track.beliefs["bird"])
    assert beliefs[1] < 0.3 * beliefs[0]


@pytest.mark.parametrize("word", [{"bird": 0.95}, {"fpv": 0.9}])
def test_the_word_of_a_sensor_and_the_motion_are_put_together(world: Any, word: dict[str, float]) -> None:
    tracker = world.tracker(world.radar, *finders(world))
    flown = seen(world, wandering(13.0), 20, sends=False, pd=0.7)
    radar = [structs.replace(d, beliefs=word) if d.sensor == "radar" else d for d in flown]
    (track,) = world.feed(tracker, radar).tracks
    alone = track_of(world, wandering(13.0), 20, sends=False, pd=0.7)
    (name,) = word
    assert track.beliefs[name] > alone.beliefs[name]  # type: ignore[index]
    assert track.vouched_beliefs is None  # The operator vouches for his radar.


def test_the_word_of_a_stranger_is_told_apart_from_the_motion(world: Any) -> None:
    """Who calls himself a radar may call a drone a bird; what the motion says is not his word."""
    stranger = structs.replace(world.radar, id="stranger")
    tracker = Tracker(world.site, (world.radar,), FuseSettings(), reported=(stranger,))
    for t in range(20):
        place = wandering(13.0)(t)
        said = world.plot(t + 0.1, place, sensor="stranger", beliefs={"bird": 1.0})
        tracker.add([world.plot(t, place), said], world.start + t + 0.1)
    (track,) = tracker.frame(world.start + 20).tracks
    assert track.beliefs["bird"] > 0.6
    rest = track.vouched_beliefs["bird"] + track.vouched_beliefs["aircraft"]  # type: ignore[index]
    assert 0.0 < rest <= FuseSettings().harmless_by_motion + 1e-9


def test_what_was_learnt_goes_through_a_snapshot_and_a_rewind(world: Any) -> None:
    flown = seen(world, wandering(13.0), 24, sends=False)
    sensors = (world.radar, *finders(world))
    whole = world.tracker(world.radar, *finders(world))
    world.feed(whole, flown)
    half = world.tracker(world.radar, *finders(world))
    world.feed(half, flown[:40])
    world.feed(half := Tracker.restore(world.site, sensors, FuseSettings(), half.state()), flown[40:])
    late = world.tracker(world.radar, *finders(world))
    mixed = [*flown[:20], *flown[28:40], *flown[20:28], *flown[40:]]
    world.feed(late, mixed)
    assert not late.counts
    at = world.start + 25
    assert half.frame(at) == whole.frame(at) == late.frame(at)
    assert half.settled(at + 8) == whole.settled(at + 8) == late.settled(at + 8)


PROBABILITY = st.floats(0.0, 1.0)


@given(
    st.integers(0, 2**32 - 1), st.just(UNHEARD) | PROBABILITY, st.floats(-300.0, 300.0),
    st.floats(-100.0, 9000.0),
    st.booleans(), st.floats(0.34, 0.9),
)  # fmt: skip
def test_beliefs_by_motion_are_a_distribution_and_harmless_within_their_bound(
    seed: int, voice: float, flicker: float, height: float, named: bool, most: float
) -> None:
    rng = np.random.default_rng(seed)
    picture = Picture()
    slot = picture.found(
        Dossier(id="T1", founded=0.0), NONE.after("r", 1.0, checked=True, raised=True), 1.0, 0.9
    )
    picture.nature[slot] = rng.dirichlet(np.full(KINDS * BANDS, 0.05)).reshape(KINDS, BANDS)
    picture.voice[slot], picture.flicker[slot], picture.named[slot] = voice, flicker, named
    picture.gap[slot] = rng.uniform(0.0, 20.0)
    picture.x[slot, 2], picture.known[slot] = height, True
    (beliefs,) = Natures(FuseSettings(harmless_by_motion=most)).priors(picture, evidence.PRIOR)
    assert sum(beliefs) == pytest.approx(1.0)
    assert min(beliefs) >= 0.0
    assert beliefs[BIRD] + beliefs[AIRCRAFT] <= most + 1e-9
    (free,) = Natures(FuseSettings(harmless_by_motion=1.0)).priors(picture, evidence.PRIOR)
    likeliest = int(np.argmax(free))
    if likeliest in (BIRD, AIRCRAFT) or free[BIRD] + free[AIRCRAFT] <= most:
        assert int(np.argmax(beliefs)) == likeliest


@pytest.mark.parametrize("wind", [1.0, 4.0, 10.0])
def test_the_tables_of_speeds_are_distributions(wind: float) -> None:
    table = speed_table(wind)
    assert table.shape == (KINDS, BANDS)
    assert table.sum(axis=1) == pytest.approx(np.ones(KINDS))
    assert table.min() > 0.0
    assert table[OVER_GROUND] == pytest.approx(speed_table(4.0)[OVER_GROUND])
    for parts in SPEEDS.values():
        assert sum(share for share, _, _ in parts) == pytest.approx(1.0)


def test_what_stands_for_each_class_is_a_probability() -> None:
    assert pytest.approx(1.0) == SEEN.sum()
    assert (SENDS > 0.0).all()
    assert (SENDS < 1.0).all()
    assert SENDS.argmin() == BIRD


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"wind_mps": (math.nan, 0.0)}, "wind_mps"),
        ({"wind_sigma_mps": 0.1}, "wind_sigma_mps"),
        ({"bird_detection_share": 1.0}, "bird_detection_share"),
        ({"faint_share": 1.0}, "faint_share"),
        ({"harmless_by_motion": 0.3}, "harmless_by_motion"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict[str, Any], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        FuseSettings(**changes)
