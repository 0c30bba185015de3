"""Where the bodies of an encounter really were, and which of them a track or a direction stands for."""

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np

from vedette.evaluate.truth import Path3, Truth
from vedette.geo import angle_between_deg, bearing_deg
from vedette.model.track import Frame, Track, Vector3, Wedge

Cause = Literal["attacker", "friendly", "drone", "bird", "aircraft", "clutter"]
"""What an alert was about: the attacker, one of our own, a drone that meant no attack, a bird, a manned
aircraft, or nothing that was there."""

CAUSES: tuple[Cause, ...] = ("attacker", "friendly", "drone", "bird", "aircraft", "clutter")
GROUND_KINDS = frozenset({"patrol", "vehicle", "post"})
_MANNED = frozenset({"aircraft", "helicopter"})

GATE_M = 60.0
"""A track this near a body stands for it, whatever the tracker says of its own accuracy."""
WIDEST_GATE_M = 400.0
GATE_SIGMAS = 4.0
GATE_DEG = 3.0


class Body(NamedTuple):
    """One airborne body of an encounter."""

    id: str
    kind: str
    cause: Cause


def cause_of(kind: str, *, own: bool, hostile: bool) -> Cause:
    """What an alert about a body of this kind counts as; ``hostile``: the scene is an attack."""
    if own:
        return "friendly"
    if kind in _MANNED:
        return "aircraft"
    if kind == "bird":
        return "bird"
    return "attacker" if hostile else "drone"


def truth_of(rows: Iterable[tuple[float, str, str, Vector3]]) -> Truth:
    """Rows (time, id, kind, place) in order of time -> the ways of all bodies."""
    ways: dict[str, tuple[list[float], list[Vector3]]] = {}
    kinds: dict[str, str] = {}
    for time, name, kind, place in rows:
        times, places = ways.setdefault(name, ([], []))
        if not times or time > times[-1]:
            times.append(time)
            places.append(place)
        kinds[name] = kind
    paths = {name: Path3(np.array(times), np.array(places, float)) for name, (times, places) in ways.items()}
    return Truth({}, paths, kinds)


class Sky:
    """The airborne bodies of an encounter."""

    def __init__(self, truth: Truth, bodies: Iterable[Body]) -> None:
        self.bodies = {body.id: body for body in bodies}
        self._paths = {name: truth.paths[name] for name in sorted(self.bodies) if name in truth.paths}

    def at(self, time: float) -> dict[str, Vector3]:
        """The places of those that are in the air."""
        found = ((name, path.at(time)) for name, path in self._paths.items())
        return {name: _vector(state[0]) for name, state in found if state is not None}

    def owners(self, frame: Frame) -> dict[str, str]:
        """The body that each track and each direction of a frame stands for; none for clutter."""
        places = self.at(frame.time)
        owned = {track.id: nearest(track, places) for track in (*frame.tracks, *frame.unplaced)}
        owned |= {wedge.id: along(wedge, places) for wedge in frame.wedges}
        return {name: body for name, body in owned.items() if body is not None}


def nearest(track: Track, places: dict[str, Vector3]) -> str | None:
    """The body nearest to a track within its gate, on the map: heights are often not known."""
    gate = min(max(GATE_M, GATE_SIGMAS * _spread_m(track.covariance)), WIDEST_GATE_M)
    east, north, _ = track.enu_m
    near = ((math.hypot(e - east, n - north), name) for name, (e, n, _) in places.items())
    distance, name = min(near, default=(math.inf, ""))
    return name if distance <= gate else None


def along(wedge: Wedge, places: dict[str, Vector3]) -> str | None:
    """The body nearest to a direction, within its gate."""
    east, north, _ = wedge.origin_enu_m
    gate = GATE_DEG + GATE_SIGMAS * wedge.azimuth_sigma_deg
    off = (
        (abs(angle_between_deg(bearing_deg(e - east, n - north), wedge.azimuth_deg)), name)
        for name, (e, n, _) in places.items()
    )
    turn, name = min(off, default=(math.inf, ""))
    return name if turn <= gate else None


def _spread_m(covariance: tuple[float, ...]) -> float:
    """The larger standard deviation along east or north of an upper triangle of 6 x 6."""
    return math.sqrt(max(covariance[0], covariance[6], 0.0))


def _vector(place: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Vector3:
    east, north, up = place.tolist()
    return east, north, up
