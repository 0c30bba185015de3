"""Tracks that are no longer shown, of which somebody was warned, and that could still be about to arrive.

A tracker gives a body up when it has heard nothing of it for long, or does not see it where it should be; a
place that directions no longer bear out becomes a direction again. The warning must not end with the track
(DESIGN, law 2): it is carried on as it was shown last, by its velocity, ever less sure, for as long as
`vedette.assess.coming` awaits it. Nothing raises a level meanwhile: what is left of its existence is too
little for that. Another track that takes its place ends this only by keeping every unit warned.
"""

import math
from collections.abc import Callable, Iterable

from msgspec import Struct
from msgspec.structs import replace

from vedette.assess.settings import AssessSettings
from vedette.model.track import Frame, Track

_SIZE = 6
_GATE_SIGMAS = 3.0
_SPEED = _SIZE // 2


class Shown(Struct, frozen=True):
    """A track as it was shown last, and when (Unix seconds); ``placed``: with its place."""

    track: Track
    at: float
    placed: bool = True


class Lost:
    """``held``: by id, the tracks that somebody is warned of and that are awaited, as shown last."""

    def __init__(self, settings: AssessSettings) -> None:
        self._settings = settings
        self.held: dict[str, Shown] = {}

    def missing(self, shown: Iterable[str], at: float) -> list[Track]:
        """Those that are not ``shown``, carried on to ``at``, by id."""
        there = set(shown)
        gone = [self.held[name] for name in sorted(self.held) if name not in there]
        return [self._expected(one, at) for one in gone]

    def _expected(self, shown: Shown, at: float) -> Track:
        s, track = self._settings, shown.track
        updated = shown.at if track.updated is None else track.updated
        existence = min(track.existence, s.lost_existence)
        later = carried_on(track, at - shown.at, s.lost_psd_m2ps3)
        return replace(later, existence=existence, updated=updated)

    def unplaced(self, tracks: Iterable[Track]) -> tuple[Track, ...]:
        """Those of ``tracks``, which are `missing`, that were shown without their place."""
        return tuple(track for track in tracks if not self.held[track.id].placed)

    def keep(self, frame: Frame, tracks: Iterable[Track], at: float, awaited: Callable[[str], bool]) -> None:
        """After an assessment at ``at``: of ``tracks``, which ``frame`` shows, and of those held before, keep
        what is ``awaited``."""
        hidden = {track.id for track in frame.unplaced}
        now = {track.id: Shown(track, at, track.id not in hidden) for track in tracks}
        both = {**self.held, **now}
        self.held = {name: both[name] for name in sorted(both) if awaited(name)}


def near(one: Track, other: Track, least_m: float) -> bool:
    """Whether two tracks may be of one body, by their places on the map."""
    spread = sum(track.covariance[0] + track.covariance[6] for track in (one, other))
    apart = math.hypot(one.enu_m[0] - other.enu_m[0], one.enu_m[1] - other.enu_m[1])
    return apart < max(_GATE_SIGMAS * math.sqrt(max(spread, 0.0)), least_m)


def carried_on(track: Track, seconds: float, psd_m2ps3: float) -> Track:
    """The track after so many ``seconds`` at constant velocity, whose changes have this density (Bar-Shalom,
    Li, Kirubarajan 2001, 6.2.2)."""
    t = max(seconds, 0.0)
    place = tuple(p + t * v for p, v in zip(track.enu_m, track.velocity_mps, strict=True))
    rows = [[0.0] * _SIZE for _ in range(_SIZE)]
    values = iter(track.covariance)
    for i in range(_SIZE):
        for j in range(i, _SIZE):
            rows[i][j] = rows[j][i] = next(values)
    for i in range(_SPEED):
        for j in range(_SIZE):
            rows[i][j] += t * rows[i + _SPEED][j]
    for i in range(_SIZE):
        for j in range(_SPEED):
            rows[i][j] += t * rows[i][j + _SPEED]
    for i in range(_SPEED):
        rows[i][i] += psd_m2ps3 * t**3 / 3.0
        rows[i][i + _SPEED] += psd_m2ps3 * t**2 / 2.0
        rows[i + _SPEED][i + _SPEED] += psd_m2ps3 * t
    upper = tuple(rows[i][j] for i in range(_SIZE) for j in range(i, _SIZE))
    return replace(track, enu_m=place, covariance=upper)
