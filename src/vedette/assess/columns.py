"""Tracks and units as columns of numbers, so that all pairs are computed at once."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vedette.assess.settings import AssessSettings
from vedette.assess.units import UnitState
from vedette.model.track import Track

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_POSITION_EE, _POSITION_EN, _POSITION_NN = 0, 1, 6
_POSITION_UU = 11
_VELOCITY_EE, _VELOCITY_EN, _VELOCITY_NN = 15, 16, 18
"""Places in the upper triangle, row by row, of the 6 x 6 covariance of `model.track.Track`."""


@dataclass(frozen=True, slots=True)
class TrackColumns:
    """One number per track, each of shape [tracks, 1]; ENU metres and m/s, variances m^2 and m^2/s^2.

    ``drone`` is the belief that it is one, ``drone_near`` the same inside the danger radius.
    ``verified`` and ``verified_aircraft`` never hold together: see `vedette.assess.aircraft`.
    """

    ids: tuple[str, ...]
    e: Floats
    n: Floats
    u: Floats
    ve: Floats
    vn: Floats
    vu: Floats
    pos_ee: Floats
    pos_en: Floats
    pos_nn: Floats
    vel_ee: Floats
    vel_en: Floats
    vel_nn: Floats
    up_sigma: Floats
    drone: Floats
    drone_near: Floats
    envelope_mps: Floats
    existence: Floats
    height_known: Bools
    verified: Bools
    contradicted: Bools
    verified_aircraft: Bools
    surely_fast: Bools


@dataclass(frozen=True, slots=True)
class UnitColumns:
    """One number per unit, each of shape [units]; ``var`` and ``vel_var`` are per horizontal axis."""

    names: tuple[str, ...]
    e: Floats
    n: Floats
    u: Floats
    ve: Floats
    vn: Floats
    var: Floats
    vel_var: Floats
    reach_m: Floats
    height_known: Bools


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


def track_columns(tracks: Sequence[Track], settings: AssessSettings) -> TrackColumns:
    """Columns of ``tracks``, which come sorted by id and `usable`."""
    state = np.array([(*t.enu_m, *t.velocity_mps, *t.covariance) for t in tracks], dtype=np.float64)
    state = state.reshape(len(tracks), 27)

    def state_column(place: int) -> Floats:
        return np.ascontiguousarray(state[:, place : place + 1])

    def variance(place: int) -> Floats:
        return np.maximum(state_column(6 + place), 0.0)

    return TrackColumns(
        ids=tuple(t.id for t in tracks),
        **{name: state_column(place) for place, name in enumerate(("e", "n", "u", "ve", "vn", "vu"))},
        pos_ee=variance(_POSITION_EE),
        pos_en=state_column(6 + _POSITION_EN),
        pos_nn=variance(_POSITION_NN),
        vel_ee=variance(_VELOCITY_EE),
        vel_en=state_column(6 + _VELOCITY_EN),
        vel_nn=variance(_VELOCITY_NN),
        up_sigma=np.sqrt(variance(_POSITION_UU)),
        drone=_upright(drone_belief(t, settings) for t in tracks),
        drone_near=_upright(drone_belief_near(t, settings) for t in tracks),
        envelope_mps=_upright(envelope_speed(t, settings) for t in tracks),
        existence=_upright(t.existence for t in tracks),
        height_known=_upright(t.height_known for t in tracks) > 0,
        verified=_upright(t.trust == "verified" and not says_aircraft(t) for t in tracks) > 0,
        contradicted=_upright(t.trust == "contradicted" for t in tracks) > 0,
        verified_aircraft=_upright(t.trust == "verified" and says_aircraft(t) for t in tracks) > 0,
        surely_fast=_upright(surely_fast(t, settings) for t in tracks) > 0,
    )


def _upright(values: Iterable[float]) -> Floats:
    return np.array(list(values), dtype=np.float64).reshape(-1, 1)


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


def drone_belief_near(track: Track, settings: AssessSettings) -> float:
    """The same inside the danger radius, where being called an aircraft lowers it only so far, and what
    sensors call it for which nobody vouches lowers it not at all (DESIGN, law 3)."""
    bird, aircraft = track.beliefs.get("bird", 0.0), track.beliefs.get("aircraft", 0.0)
    unsaid = min(1.0 - bird - aircraft + track.harmless_by_word, 1.0) if track.harmless_by_word else 0.0
    return max(drone_belief(track, settings), min(settings.aircraft_floor, 1.0 - bird), unsaid)


def surely_fast(track: Track, settings: AssessSettings) -> bool:
    """True if its speed over ground is above that of small drones by two sigma."""
    variance = max(track.covariance[_VELOCITY_EE], track.covariance[_VELOCITY_NN], 0.0)
    speed = math.hypot(track.velocity_mps[0], track.velocity_mps[1])
    return speed - 2.0 * math.sqrt(variance) > settings.aircraft_speed_mps


def envelope_speed(track: Track, settings: AssessSettings) -> float:
    """Speed that the track may reach (m/s): envelopes weighted by belief, never below its own speed."""
    limits, beliefs = settings.envelope_mps, track.beliefs
    quad, fpv = beliefs.get("multirotor", 0.0), beliefs.get("fpv", 0.0)
    wing = beliefs.get("fixed-wing", 0.0)
    other = max(0.0, 1.0 - quad - fpv - wing)
    speed = quad * limits.multirotor + fpv * limits.fpv + wing * limits.fixed_wing + other * limits.unknown
    return max(speed, math.hypot(*track.velocity_mps))


def unit_columns(units: Sequence[UnitState]) -> UnitColumns:
    """Columns of ``units``, which come sorted by name. Half the growth radius counts as one sigma."""
    rows = np.array([_unit_row(unit) for unit in units], dtype=np.float64).reshape(len(units), 9)
    e, n, u, ve, vn, var, vel_var, reach, known = (np.ascontiguousarray(rows[:, k]) for k in range(9))
    names = tuple(unit.report.unit for unit in units)
    return UnitColumns(names, e, n, u, ve, vn, var, vel_var, reach, known > 0)


def _unit_row(unit: UnitState) -> tuple[float, ...]:
    e, n, u = unit.enu_m
    variance = unit.sigma_m**2 + (unit.radius_m / 2.0) ** 2
    reach = 2.0 * unit.sigma_m + unit.radius_m
    known = u is not None
    height = 0.0 if u is None else u
    return e, n, height, *unit.velocity_mps, variance, unit.velocity_sigma_mps**2, reach, float(known)
