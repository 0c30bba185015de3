"""Threats of bodies whose places the finders do not bear out: weighed as the others, told as directions.

A place is taken off the map for seconds while bearings contradict it (docs/tracking.md, "Is the place borne
out?"), most often that of a body which is there, a little off. Its course and what was made of it must not be
forgotten meanwhile: a warning would be taken back while the drone comes on, and ten seconds of its course be
asked for anew. So it is weighed on, with its own doubt, and only what states its place is left out of what is
told.
"""

import math
from collections.abc import Iterable

from msgspec.structs import replace

from vedette.assess.units import UnitState
from vedette.model.threat import Threat
from vedette.model.track import Track

_EE, _EN, _NN = 0, 1, 6
"""Places in the upper triangle of the covariance of `model.track.Track`."""
_NEAREST_M = 1.0
_ANYWHERE_DEG = 180.0


def told_as_directions(
    threats: tuple[Threat, ...], unplaced: tuple[Track, ...], units: Iterable[UnitState]
) -> tuple[Threat, ...]:
    """The threats, those of the tracks ``unplaced`` without range, height and times that a place gives."""
    if not unplaced:
        return threats
    tracks, posts = {track.id: track for track in unplaced}, {unit.report.unit: unit for unit in units}
    return tuple(
        _directed(threat, tracks[threat.track], posts[threat.unit]) if threat.track in tracks else threat
        for threat in threats
    )


def _directed(threat: Threat, track: Track, unit: UnitState) -> Threat:
    return replace(
        threat,
        behaviour="direction-only",
        range_m=None,
        closing_mps=None,
        height_m=None,
        time_to_impact_s=None,
        bearing_sigma_deg=_sigma_deg(track, unit),
    )


def _sigma_deg(track: Track, unit: UnitState) -> float:
    """One sigma of the track's direction from the unit: that of its place across the line between them."""
    east, north = track.enu_m[0] - unit.enu_m[0], track.enu_m[1] - unit.enu_m[1]
    far = max(math.hypot(east, north), _NEAREST_M)
    ee, en, nn = (track.covariance[k] for k in (_EE, _EN, _NN))
    across = (ee * north * north - 2.0 * en * east * north + nn * east * east) / far**2 + unit.sigma_m**2
    return min(math.degrees(math.sqrt(max(across, 0.0)) / far), _ANYWHERE_DEG)
