"""Drills: textbook flights past one to six units, for what the encounters of a collection may never show.

A collection in which every attack wobbles, dives at the end and wears a class, and every scene has six units,
teaches that a lone post, a course without a fault and a level run are harmless. The drills are plain
(`fitting.flights`), known well or badly, mostly without any belief of what they are. They go through the
assessor itself. The figures are of no sensor and no simulator: they only spread over what small drones do
(field notes, "Kinematic envelopes").
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vedette.assess import FEATURES, Assessor
from vedette.evaluate.fitting.encounters import Encounters, Outcome
from vedette.evaluate.fitting.flights import ATTACKS, OTHERS, Flight, Point
from vedette.evaluate.fitting.kernels import F64
from vedette.geo import LocalFrame
from vedette.model import Frame, Site, Track, UnitReport
from vedette.model.detection import ObjectClass

_SITE = Site(name="drill", lat_deg=45.0, lon_deg=5.0, alt_m=300.0, alt_datum="wgs84-ellipsoid")
_UNITS = ("one", "two", "three", "four", "five", "six")
_GAP_S = 300.0
_REPORTS_S = 2
_MEMORY = 0.8
"""Share of a track's error that is left a second later."""
_HARDLY, _STEADY = 0.4, 0.05
"""In so many drills errors are this much smaller than stated: what tells of itself, or was smoothed, flies
without a fault, be it an attacker or a transit."""
_NO_BELIEF, _WRONG = 0.6, 0.1
_BELIEFS: dict[str, tuple[dict[ObjectClass, float], ...]] = {
    "attack": ({"fpv": 0.6, "multirotor": 0.2}, {"multirotor": 0.6, "fpv": 0.2}, {"fixed-wing": 0.6}),
    "other": ({"multirotor": 0.7, "fpv": 0.1}, {"multirotor": 0.5, "fixed-wing": 0.3}),
    "wanders": ({"bird": 0.7, "multirotor": 0.1}, {"multirotor": 0.6, "fpv": 0.2}),
    "flies-by": ({"aircraft": 0.8},),
}


class _Seen(NamedTuple):
    """How well it is known: sigmas of place and velocity across, of height and climb; and whether a height
    is known at all."""

    place_m: float
    velocity_mps: float
    height_m: float
    climb_mps: float
    height_known: bool


class _People(NamedTuple):
    """Places of the units at the beginning, and the velocity of the first, which is the target."""

    places: list[list[float]]
    velocity_mps: tuple[float, float]


def drills(attacks: int, others: int, seed: int, leave_out: Callable[[str], bool]) -> Encounters:
    """So many attacks and other flights, one after the other; the first unit is the target."""
    generator = np.random.default_rng(seed)
    kept = [place for place, feature in enumerate(FEATURES) if not leave_out(feature.name)]
    outcomes: list[Outcome] = []
    parts: list[tuple[F64, F64]] = []
    start = 0.0
    for place in range(attacks + others):
        makers = ATTACKS if place < attacks else OTHERS
        flight = makers[(place if place < attacks else place - attacks) % len(makers)](generator)
        parts.append(_flown(flight, generator, start))
        outcomes.append(_outcome(f"D{place}", flight, start))
        start += flight.seconds - 1.0 + _GAP_S
    where, columns = np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])
    scene = np.searchsorted(np.array([o.t0 for o in outcomes]), where[:, 0] + 1e-6, "right") - 1
    return Encounters(
        "drills", tuple(outcomes), tuple(FEATURES[k].name for k in kept), _UNITS, where[:, 0],
        scene.astype(np.int64), where[:, 1].astype(np.int64), columns[:, kept].astype(np.float32),
    )  # fmt: skip


def _outcome(scene: str, flight: Flight, start: float) -> Outcome:
    impact = None if flight.impact_s is None else start + flight.impact_s
    onset = None if flight.watched_s is None else start + flight.watched_s
    return Outcome(
        scene=scene, t0=start, t1=start + flight.seconds - 1.0, hostile=impact is not None,
        behaviour=flight.name, target=None if impact is None and onset is None else _UNITS[0],
        onset_time=onset, impact_time=impact, weight=flight.weight,
    )  # fmt: skip


def _people(generator: np.random.Generator) -> _People:
    others = generator.normal(0.0, 250.0, (int(generator.integers(len(_UNITS))), 2)).tolist()
    speed = 0.0
    if generator.uniform() < 0.3:
        speed = 1.4 if generator.uniform() < 0.5 else float(generator.uniform(5.0, 14.0))
    course = float(generator.uniform(0.0, 2.0 * math.pi))
    return _People([[0.0, 0.0], *others], (speed * math.cos(course), speed * math.sin(course)))


def _seen(generator: np.random.Generator) -> _Seen:
    place = math.exp(generator.uniform(math.log(1.5), math.log(20.0)))
    velocity = math.exp(generator.uniform(math.log(0.3), math.log(3.0)))
    return _Seen(place, velocity, 1.5 * place, 0.7 * velocity, bool(generator.uniform() < 0.8))


def _beliefs(generator: np.random.Generator, flight: Flight) -> dict[ObjectClass, float]:
    if generator.uniform() < _NO_BELIEF:
        return {}
    told = "attack" if flight.impact_s is not None else flight.name if flight.name in _BELIEFS else "other"
    if generator.uniform() < _WRONG:
        told = sorted(_BELIEFS)[int(generator.integers(len(_BELIEFS)))]
    choices = _BELIEFS[told]
    return choices[int(generator.integers(len(choices)))]


def _flown(flight: Flight, generator: np.random.Generator, start: float) -> tuple[F64, F64]:
    """[rows, 2] time and unit, and [rows, features], of a flight as the assessor sees it once a second."""
    rows: list[tuple[F64, F64]] = []

    def watch(at: float, _tracks: tuple[str, ...], names: tuple[str, ...], features: F64) -> None:
        places = np.array([float(_UNITS.index(name)) for name in names])
        rows.append((np.stack([np.full(len(names), at), places], axis=1), features[0].copy()))

    people, seen, beliefs = _people(generator), _seen(generator), _beliefs(generator, flight)
    errors = _errors(generator, flight.seconds)
    assessor, frame = Assessor(_SITE), LocalFrame(_SITE.lat_deg, _SITE.lon_deg, _SITE.alt_m)
    assessor.watch = watch
    for second in range(-_REPORTS_S, flight.seconds):
        at = start + second
        if second % _REPORTS_S == 0:
            _report(assessor, frame, people, second, at)
        if second >= 0:
            track = _track(flight, people, seen, errors[second], second, at, beliefs)
            assessor.assess(Frame(time=at, tracks=(track,)), at)
    return np.concatenate([row[0] for row in rows]), np.concatenate([row[1] for row in rows])


def _report(assessor: Assessor, frame: LocalFrame, people: _People, second: int, at: float) -> None:
    for place, (name, (east, north)) in enumerate(zip(_UNITS, people.places, strict=False)):
        speed = people.velocity_mps if place == 0 else (0.0, 0.0)
        if second > 0 and speed == (0.0, 0.0):
            continue
        lat, lon, alt = frame.to_geodetic(east + speed[0] * second, north + speed[1] * second, 0.0)
        assessor.unit(
            UnitReport(time=at, unit=name, lat_deg=lat, lon_deg=lon, alt_m=alt, alt_datum="wgs84-ellipsoid",
                       sigma_m=5.0, mobility="post" if speed == (0.0, 0.0) else "vehicle"), at,
        )  # fmt: skip


def _errors(generator: np.random.Generator, seconds: int) -> F64:
    """[seconds, 6] errors of place and velocity in sigmas, which fade over some seconds."""
    fresh = generator.normal(0.0, 1.0, (seconds, 6))
    out = fresh.copy()
    for second in range(1, seconds):
        out[second] = _MEMORY * out[second - 1] + math.sqrt(1.0 - _MEMORY**2) * fresh[second]
    return _STEADY * out if generator.uniform() < _HARDLY else out


def _track(
    flight: Flight, people: _People, seen: _Seen, error: F64, second: int, at: float,
    beliefs: dict[ObjectClass, float],
) -> Track:  # fmt: skip
    here, before, after = (flight.path(t) for t in (float(second), second - 0.5, second + 0.5))
    sigma = (seen.place_m, seen.place_m, seen.height_m, seen.velocity_mps, seen.velocity_mps, seen.climb_mps)
    drift = (*people.velocity_mps, 0.0)
    enu = _moved(here, (drift[0] * second, drift[1] * second, 0.0), error[:3], sigma[:3])
    steps: Point = (after[0] - before[0], after[1] - before[1], after[2] - before[2])
    spread = [0.0] * 21
    for place, one in zip((0, 6, 11, 15, 18, 20), sigma, strict=True):
        spread[place] = one * one
    return Track(
        id="T", enu_m=enu, velocity_mps=_moved(steps, drift, error[3:], sigma[3:]), covariance=tuple(spread),
        existence=1.0, beliefs=beliefs, updated=at, height_known=seen.height_known,
    )  # fmt: skip


def _moved(point: Point, by: Point, error: F64, sigma: tuple[float, ...]) -> Point:
    east, north, up = (
        float(p + d + e * s) for p, d, e, s in zip(point, by, error.tolist(), sigma, strict=True)
    )
    return east, north, up
