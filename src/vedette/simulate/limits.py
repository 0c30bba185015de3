"""The envelopes as a limit on every acceleration: no actor outflies its kind, whatever it wants."""

import numpy as np
from numpy.typing import NDArray

from vedette.simulate.kinds import ENVELOPES, PILOTED
from vedette.simulate.plane import unit_at
from vedette.simulate.scenario import Actor

Array = NDArray[np.float64]

_NOTHING = 1e-300
"""The limit of what stands still: not zero, so that it can be divided by."""

WIDEST_TURN = 30.0 / 360.0
"""What must keep flying asks for a course at most so far (in turns) from the one it has: it turns, and
never stops to fly backwards. How fast it turns is for its acceleration to say."""


class Limits:
    """Airspeed, turn and acceleration limits of all actors, horizontal and vertical apart."""

    def __init__(self, actors: tuple[Actor, ...]) -> None:
        envelopes = [ENVELOPES[actor.kind] for actor in actors]
        self._speed = np.array([max(envelope.speed_mps, _NOTHING) for envelope in envelopes])
        self._stall = np.array([envelope.stall_mps for envelope in envelopes])
        self._acceleration = np.array([max(envelope.acceleration_mps2, _NOTHING) for envelope in envelopes])
        self.climb_mps = np.array([envelope.climb_mps for envelope in envelopes])
        self._sink = np.array([-envelope.sink_mps for envelope in envelopes])
        self._climb_acceleration = np.array([envelope.climb_acceleration_mps2 for envelope in envelopes])
        self._piloted = np.array([actor.kind in PILOTED for actor in actors], dtype=bool)
        self._must_fly = np.flatnonzero(self._stall > 0.0)
        self._cosine, self._sine = unit_at(WIDEST_TURN)

    def flyable(self, wanted: Array, speed: Array, wind: Array) -> Array:
        """The horizontal velocity over the ground, (2, actors), that comes nearest to ``wanted``.

        Pilots hold their track and give up speed along it; whom the wind overpowers, and birds, fly as
        wanted through the air. ``speed`` is what they have, ``wind`` (2, actors) their air's.
        """
        through = wanted - wind
        if wind.any():
            through = np.where(self._piloted, self._on_track(wanted, wind), through)
        if self._must_fly.size:
            through = self._turning(through, speed - wind)
        return _shorten(through, self._speed) + wind

    def hold(self, speed: Array, acceleration: Array, wind: Array, step_s: float) -> Array:
        """The nearest acceleration, (3, actors), that keeps both limits for ``step_s``.

        Cutting the airspeed that would follow back to its limit can only shorten the acceleration,
        because the airspeed before was within the limit too. Only a gust can have changed that: then the
        acceleration keeps its limit and the airspeed comes back as fast as that allows.
        """
        held = np.empty_like(acceleration)
        pushed = _shorten(acceleration[:2], self._acceleration)
        through = speed[:2] - wind
        cut = (_shorten(through + pushed * step_s, self._speed) - through) / step_s
        held[:2] = _shorten(cut, self._acceleration) if wind.any() else cut
        up = np.clip(acceleration[2], -self._climb_acceleration, self._climb_acceleration)
        held[2] = (np.clip(speed[2] + up * step_s, self._sink, self.climb_mps) - speed[2]) / step_s
        return held

    def _on_track(self, wanted: Array, wind: Array) -> Array:
        """Through the air, for the track over the ground that is wanted, at the speed that is left.

        With the unit track c and wind w: the ground speed s along c solves |s c - w| = airspeed.
        """
        pace = np.sqrt(wanted[0] * wanted[0] + wanted[1] * wanted[1])
        track = wanted / np.where(pace > 0.0, pace, 1.0)
        tail = wind[0] * track[0] + wind[1] * track[1]
        cross2 = wind[0] * wind[0] + wind[1] * wind[1] - tail * tail
        room = self._speed * self._speed - cross2
        fastest = tail + np.sqrt(np.maximum(room, 0.0))
        holds = (room > 0.0) & (fastest > 0.0) & (pace > fastest)
        held: Array = np.where(holds, track * fastest, wanted) - wind
        return held

    def _turning(self, through: Array, have: Array) -> Array:
        """For what must keep flying: a course near the one it has, and speed enough to fly."""
        which = self._must_fly
        want, now = through[:, which], have[:, which]
        size = np.sqrt(now[0] * now[0] + now[1] * now[1])
        nose = now / np.where(size > 0.0, size, 1.0)
        pace = np.maximum(np.sqrt(want[0] * want[0] + want[1] * want[1]), self._stall[which])
        ahead = want[0] * nose[0] + want[1] * nose[1]
        aside = nose[0] * want[1] - nose[1] * want[0]
        side = np.where(aside >= 0.0, self._sine, -self._sine)
        bent = np.stack([nose[0] * self._cosine - nose[1] * side, nose[0] * side + nose[1] * self._cosine])
        wide = ahead < self._cosine * np.sqrt(want[0] * want[0] + want[1] * want[1])
        straight = want / np.maximum(np.sqrt(want[0] * want[0] + want[1] * want[1]), 1e-9)
        out = through.copy()
        out[:, which] = np.where(size > 0.0, np.where(wide, bent, straight), straight) * pace
        return out


def _shorten(vectors: Array, longest: Array) -> Array:
    """Horizontal vectors (2, actors), cut back to ``longest`` where they are longer."""
    length = np.sqrt(vectors[0] * vectors[0] + vectors[1] * vectors[1])
    cut: Array = vectors * (longest / np.maximum(length, longest))
    return cut
