"""Tracks and units as columns of numbers, so that all pairs are computed at once."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from vedette.assess.kernels import motion, pairs
from vedette.assess.settings import AssessSettings, Wind
from vedette.assess.units import UnitState
from vedette.model.detection import ObjectClass
from vedette.model.track import Track

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_POSITION_UU, _VELOCITY_EE, _VELOCITY_NN = 11, 15, 18
"""Places in the upper triangle, row by row, of the 6 x 6 covariance of `model.track.Track`."""


@dataclass(frozen=True, slots=True)
class TrackFacts:
    """What the rules ask of tracks: one number each, of shape [tracks], or [pairs] after `of`.

    ``drone`` is the belief that it is one, ``drone_near`` the same inside the danger radius, ``drone_run`` if
    it flies straight at a unit; ``floor_near``: to which share labels may lower a risk inside that radius.
    ``gone_e`` and ``gone_n``: its mean velocity by its places (m/s), over ``age`` seconds; ``speed_sigma``:
    one sigma of its speed; ``measured``: our own sensors measure its height. ``verified`` and
    ``verified_aircraft`` never hold together: see `vedette.assess.aircraft`.
    """

    speed: Floats
    climb: Floats
    up_sigma: Floats
    drone: Floats
    drone_near: Floats
    drone_run: Floats
    floor_near: Floats
    gone_e: Floats
    gone_n: Floats
    age: Floats
    existence: Floats
    loiters: Bools
    verified: Bools
    contradicted: Bools
    verified_aircraft: Bools
    surely_fast: Bools
    speed_sigma: Floats
    measured: Bools

    def of(self, rows: NDArray[np.int64]) -> "TrackFacts":
        """The facts of the tracks in ``rows``, one after the other."""
        return TrackFacts(*(getattr(self, field.name)[rows] for field in fields(self)))


_LEAST_GONE_S = 1e-3
_FARTHEST_M = 1e6
_FASTEST_MPS = 1e4
_WIDEST = 1e12


def usable(track: Track) -> bool:
    """True if every number of the track's state is finite and could be of something near this site."""
    return (
        len(track.covariance) == 21
        and all(abs(metres) <= _FARTHEST_M for metres in track.enu_m)
        and all(abs(speed) <= _FASTEST_MPS for speed in track.velocity_mps)
        and all(abs(entry) <= _WIDEST for entry in track.covariance)
        and 0.0 <= track.existence <= 1.0
    )


def track_facts(
    tracks: Sequence[Track], loiters: Sequence[bool], memory: Floats, settings: AssessSettings
) -> TrackFacts:
    """Facts of ``tracks``, which are `usable`; ``loiters``: of each whether it stays in one area; ``memory``:
    [tracks, `motion.TRACK_MEMORY`], up to date."""

    def column(values: Iterable[float]) -> Floats:
        return np.array(list(values), dtype=np.float64)

    age = memory[:, motion.AGE]
    seconds = np.maximum(-motion.GONE_S * np.expm1(-age / motion.GONE_S), _LEAST_GONE_S)
    return TrackFacts(
        speed=column(math.hypot(t.velocity_mps[0], t.velocity_mps[1]) for t in tracks),
        climb=column(t.velocity_mps[2] for t in tracks),
        up_sigma=column(math.sqrt(max(t.covariance[_POSITION_UU], 0.0)) for t in tracks),
        drone=column(drone_belief(t, settings) for t in tracks),
        drone_near=column(drone_belief_near(t, settings) for t in tracks),
        drone_run=column(drone_belief_run(t, settings) for t in tracks),
        floor_near=column(label_floor_near(t, settings) for t in tracks),
        gone_e=memory[:, motion.GONE_E] / seconds,
        gone_n=memory[:, motion.GONE_N] / seconds,
        age=age,
        existence=column(t.existence for t in tracks),
        loiters=column(loiters) > 0,
        verified=column(t.trust == "verified" and not says_aircraft(t) for t in tracks) > 0,
        contradicted=column(t.trust == "contradicted" for t in tracks) > 0,
        verified_aircraft=column(t.trust == "verified" and says_aircraft(t) for t in tracks) > 0,
        surely_fast=column(surely_fast(t, settings) for t in tracks) > 0,
        speed_sigma=column(_speed_sigma(t) for t in tracks),
        measured=column(t.height_known and t.height_measured for t in tracks) > 0,
    )


def figures_of_tracks(
    tracks: Sequence[Track], loiters: Sequence[tuple[float, float]], at: float, settings: AssessSettings
) -> Floats:
    """[tracks, figures] in the order of `kernels.motion`, of tracks that are `usable`. ``loiters``: of each
    track whether it loiters, and for how long it has (s)."""
    air = _air(settings.wind)
    rows = [_track_row(track, air, stays, at, settings) for track, stays in zip(tracks, loiters, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(len(tracks), motion.TRACK_FIGURES)


def _air(wind: Wind | None) -> tuple[float, float]:
    """Velocity of the air, east and north, m/s."""
    if wind is None:
        return 0.0, 0.0
    toward = math.radians(wind.from_deg + 180.0)
    return wind.speed_mps * math.sin(toward), wind.speed_mps * math.cos(toward)


_PLACE_AND_SPEED = (0, 1, 6, 15, 16, 18, 11, 20)


def _track_row(
    track: Track, air: tuple[float, float], stays: tuple[float, float], at: float, settings: AssessSettings
) -> tuple[float, ...]:
    spread, beliefs = track.covariance, track.beliefs
    pee, pen, pnn, vee, ven, vnn, puu, vuu = (spread[k] for k in _PLACE_AND_SPEED)
    trust = 0.0
    if track.trust == "contradicted":
        trust = -1.0
    elif track.trust == "verified" and not says_aircraft(track):
        trust = 1.0
    return (
        *track.enu_m,
        *track.velocity_mps,
        *(max(pee, 0.0), pen, max(pnn, 0.0), max(vee, 0.0), ven, max(vnn, 0.0), max(puu, 0.0), max(vuu, 0.0)),
        float(track.height_known and puu <= settings.vague_height_m**2),
        envelope_speed(track, settings),
        *air,
        *_class_figures(beliefs, believed=trust >= 0.0),
        track.existence,
        *stays,
        trust,
        0.0 if track.updated is None else max(at - track.updated, 0.0),
        *_class_figures(_sober(track), believed=trust >= 0.0),
    )


UNKNOWN_BELIEFS: dict[ObjectClass, float] = {
    "fpv": 0.15, "multirotor": 0.35, "fixed-wing": 0.1, "bird": 0.2, "aircraft": 0.05,
}  # fmt: skip
"""What is believed of a body of which nothing is known (field notes, base rates); the rest has no name."""


def _class_figures(beliefs: dict[ObjectClass, float], *, believed: bool) -> list[float]:
    """Belief in each class, what is believed in none of them spread as over a body of which nothing is known.
    That something calls itself an aircraft is unknown too where it is not ``believed``."""
    named = {name: min(max(beliefs.get(name, 0.0), 0.0), 1.0) for name in UNKNOWN_BELIEFS}
    if not believed:
        named["aircraft"] = 0.0
    unknown = max(0.0, 1.0 - math.fsum(named.values()))
    return [belief + unknown * UNKNOWN_BELIEFS[name] for name, belief in named.items()]


def figures_of_units(units: Sequence[UnitState]) -> Floats:
    """[units, figures] in the order of `kernels.pairs`. Half the growth radius counts as one sigma."""
    rows = [_unit_row(unit) for unit in units]
    return np.array(rows, dtype=np.float64).reshape(len(units), pairs.UNIT_FIGURES)


def says_aircraft(track: Track) -> bool:
    """True if it goes by the address of an aircraft, which says nothing of whether it is one."""
    return track.identity is not None and track.identity.scheme == "icao"


def drone_belief(track: Track, settings: AssessSettings) -> float:
    """Belief that the track is a drone: all that is not called bird or aircraft, never below the floor.

    Who goes by a name that is contradicted lies, and what it calls itself is not taken off.
    """
    bird, aircraft = track.beliefs.get("bird", 0.0), track.beliefs.get("aircraft", 0.0)
    other = bird if track.trust == "contradicted" else bird + aircraft
    return max(settings.drone_floor, 1.0 - other)


def _sober(track: Track) -> dict[ObjectClass, float]:
    """What is believed of it without what nobody vouches for."""
    return track.beliefs if track.vouched_beliefs is None else track.vouched_beliefs


def _no_creature(beliefs: dict[ObjectClass, float]) -> float:
    return 1.0 - beliefs.get("bird", 0.0) - beliefs.get("aircraft", 0.0)


def drone_belief_near(track: Track, settings: AssessSettings) -> float:
    """The same inside the danger radius, where being called an aircraft lowers it only so far, and what
    sensors call it for which nobody vouches lowers it not at all (DESIGN, law 3)."""
    by_word = min(settings.aircraft_floor, 1.0 - track.beliefs.get("bird", 0.0))
    return max(drone_belief(track, settings), by_word, _no_creature(_sober(track)))


def drone_belief_run(track: Track, settings: AssessSettings) -> float:
    """The same for what flies straight at a unit: no word lowers it for which nobody vouches, at whatever
    distance, but that of an aircraft of which nothing else is known."""
    return max(drone_belief(track, settings), _no_creature(_sober(track)))


def label_floor_near(track: Track, settings: AssessSettings) -> float:
    """To which share of it labels may lower a risk inside the danger radius. What our own sensors see counts
    down to the floor that holds everywhere; what something calls itself does not. (What sensors say for
    which nobody vouches lowers nothing there: `kernels.weighing.VOUCHED`.)"""
    return max(settings.drone_floor, settings.aircraft_floor if says_aircraft(track) else 0.0)


def surely_fast(track: Track, settings: AssessSettings) -> bool:
    """True if its speed over ground is above that of small drones by two sigma."""
    speed = math.hypot(track.velocity_mps[0], track.velocity_mps[1])
    return speed - 2.0 * _speed_sigma(track) > settings.aircraft_speed_mps


def _speed_sigma(track: Track) -> float:
    return math.sqrt(max(track.covariance[_VELOCITY_EE], track.covariance[_VELOCITY_NN], 0.0))


def envelope_speed(track: Track, settings: AssessSettings) -> float:
    """Speed that the track may reach (m/s): envelopes weighted by belief, never below its own speed."""
    limits, beliefs = settings.envelope_mps, _sober(track)
    quad, fpv = beliefs.get("multirotor", 0.0), beliefs.get("fpv", 0.0)
    wing = beliefs.get("fixed-wing", 0.0)
    other = max(0.0, 1.0 - quad - fpv - wing)
    speed = quad * limits.multirotor + fpv * limits.fpv + wing * limits.fixed_wing + other * limits.unknown
    return max(speed, math.hypot(*track.velocity_mps))


def _unit_row(unit: UnitState) -> tuple[float, ...]:
    e, n, u = unit.enu_m
    variance = unit.sigma_m**2 + (unit.radius_m / 2.0) ** 2
    reach = 2.0 * unit.sigma_m + unit.radius_m
    known = u is not None
    height = 0.0 if u is None else u
    return e, n, height, *unit.velocity_mps, variance, unit.velocity_sigma_mps**2, reach, float(known)
