"""Places of bodies that are known by directions alone: shown while finders bear them out (`rays.support`),
and else as directions, one ray for each finder that hears the body."""

from typing import NamedTuple

import numpy as np

from vedette.fuse.kernels import imm, listening, sight
from vedette.fuse.kernels.clutter import I64
from vedette.fuse.kernels.kalman import F64, STATE
from vedette.fuse.looks import Rows
from vedette.fuse.picture import Picture
from vedette.fuse.rays import support
from vedette.fuse.rays.eyes import arrays_of
from vedette.fuse.rays.state import Ear, Support
from vedette.fuse.sensing.sensors import Sensor
from vedette.fuse.settings import FuseSettings

_LATELY_LOOKS = 2.5
"""A finder hears a body that it has heard within so many of its periods."""
_SAME = 9.0
"""Squared sigmas within which a ray and a body lie in one direction."""
_CEILING = 0.9999
_SHARP_M = 20.0
"""Where directions cross as sharply as this, as those of cameras do, hardly two bodies cross by chance, and
innovations show how cameras are turned before they show anything else. A judgement."""
_EARLY = 1.25
"""A look may come this many periods after the one before."""


class Aim(NamedTuple):
    """Where a finder should hear a body: azimuth and its variance; ``heard``: when anybody did last."""

    azimuth: float
    variance: float
    heard: float


class Places:
    """Weighs places by the looks of finders."""

    def __init__(self, settings: FuseSettings) -> None:
        self._settings = settings

    def aims(self, picture: Picture, sensor: Sensor, x: F64, p: F64, mu: F64) -> dict[str, Aim]:
        """By id, where a finder should hear each body that is known by directions alone, from models
        x (n, m, 6), p (n, m, 6, 6), mu (n, m). A finder for whom nobody vouches has no say."""
        if sensor.searching or not sensor.vouched or sensor.origin is None or sensor.rotation is None:
            return {}
        found, mean, spread = {}, np.empty(STATE), np.empty((STATE, STATE))
        for slot in picture.by_ear[: picture.count].nonzero()[0].tolist():
            imm.combine(x[slot], p[slot], mu[slot], mean, spread)
            azimuth, _, variance, _, _ = direction_of(mean, spread, sensor.origin, sensor.rotation)
            found[picture.dossiers[slot].id] = Aim(azimuth, variance, float(picture.heard[slot]))
        return found

    def weigh(
        self, picture: Picture, sensor: Sensor, time: float, aims: dict[str, Aim], sure: F64, rows: Rows,
        hit: F64, best: I64,
    ) -> None:  # fmt: skip
        """After a look of a finder: which places are shown from now on. ``sure`` (n,): how much of each is
        in view, ``hit`` (n,): how likely it was heard, by the bearing ``best`` (n,)."""
        rays = picture.rays
        ear = rays.ears.get(sensor.id)
        if ear is None or not (aims or rays.support):
            return
        after = {}
        for name, aim in aims.items():
            slot = picture.slots[name]
            old = support.without_the_gone(rays.support.get(name, Support()), rays.ears, time, self._settings)
            if sure[slot] > 0.5:
                share, q = float(hit[slot]), int(best[slot])
                off = 0.0
                if q >= 0:
                    sigma = np.sqrt(aim.variance + rows.var[q, 0])
                    off = float(sight.wrapped(rows.z[q, 0] - aim.azimuth) / sigma)
                due = share > 0.5 or time - aim.heard <= _EARLY * ear.eye.period_s
                old = support.testified(old, ear.eye, sensor.id, time, share, off, self._settings, due=due)
            after[name] = old
        picture.rays = rays._replace(support=after)
        for name, one in after.items():
            self._show(picture, name, one, time)

    def _show(self, picture: Picture, name: str, one: Support, time: float) -> None:
        """Show the place or hide it. None is hidden that would not be seen as a direction."""
        settings, weak = self._settings, support.weakness(one.witnesses, self._settings)
        slot = picture.slots[name]
        likely, spread = float(picture.existence[slot]), picture.p[slot]
        if spread[0, 0] + spread[1, 1] < _SHARP_M**2:
            hide = False
        elif one.hidden:
            hide = weak >= settings.support_again or likely <= settings.confirm_existence
        else:
            hide = weak >= 1.0 or likely < settings.support_least_existence
        if hide == one.hidden or (hide and not self._point(picture, slot, time)):
            return
        changed = Support(hide, one.witnesses)
        picture.rays = picture.rays._replace(support={**picture.rays.support, name: changed})

    def _point(self, picture: Picture, slot: int, time: float) -> bool:
        """Begin a ray to a body at each finder that hears it; False if none does."""
        ears, heard = dict(picture.rays.ears), dict(picture.sightings[slot].sensors)
        pointed = False
        for name, ear in sorted(ears.items()):
            if name not in heard or time - heard[name] > _LATELY_LOOKS * ear.eye.period_s:
                continue
            ray = self._ray(picture, slot, ear, time)
            pointed = True
            if not _there(ear.table, ray):
                table = np.concatenate([ear.table, ray[None]])
                worst = np.argsort(-table[:, listening.EXISTENCE], kind="stable")[: self._settings.max_rays]
                ears[name] = ear._replace(table=table[np.sort(worst)])
        picture.rays = picture.rays._replace(ears=ears)
        return pointed

    def _ray(self, picture: Picture, slot: int, ear: Ear, time: float) -> F64:
        """The ray of a finder to a body, as of the finder's last look."""
        origin, rotation, _ = arrays_of(ear.eye)
        azimuth, rate, aa, ar, rr = direction_of(picture.x[slot], picture.p[slot], origin, rotation)
        ray = np.zeros(listening.COLUMNS)
        ray[listening.AZIMUTH] = sight.wrapped(azimuth - rate * (time - ear.time))
        ray[listening.RATE], ray[listening.AA], ray[listening.AR], ray[listening.RR] = rate, aa, ar, rr
        ray[listening.ELEVATION_VAR] = -1.0
        ray[listening.EXISTENCE] = min(float(picture.existence[slot]), _CEILING)
        ray[listening.HEARD], ray[listening.FOUNDED] = ear.time, time
        ray[listening.BEGAN], ray[listening.SHOWN] = ray[listening.AZIMUTH], 1.0
        return ray


def unplaced(picture: Picture, hit: F64, best: I64, plots: int) -> F64 | None:
    """Probability (k,) that a bearing is of a body whose place is not shown; None where there is none such.
    ``hit``, ``best`` (n,): as in `Places.weigh`."""
    slots = support.hidden(picture).nonzero()[0].tolist()
    if not slots:
        return None
    share = np.zeros(plots)
    for slot in slots:
        if best[slot] >= 0:
            share[best[slot]] += hit[slot]
    return np.minimum(share, 1.0)


def _there(table: F64, ray: F64) -> bool:
    """Whether one of the rays that are shown points where this one does."""
    for other in table:
        off = sight.wrapped(other[listening.AZIMUTH] - ray[listening.AZIMUTH])
        if other[listening.SHOWN] and off * off <= _SAME * (other[listening.AA] + ray[listening.AA]):
            return True
    return False


def direction_of(x: F64, p: F64, origin: F64, rotation: F64) -> tuple[float, ...]:
    """Azimuth of a state, its rate, and their covariance (azimuth, both, rate), as a ray's."""
    h, jacobian = np.empty(sight.ROWS), np.empty((sight.ROWS, STATE))
    sight.observe(sight.BEARING, x, origin, rotation, h, jacobian)
    way = jacobian[0, :3]
    spread = [
        float((way[:, None] * p[i : i + 3, j : j + 3] * way).sum()) for i, j in ((0, 0), (0, 3), (3, 3))
    ]
    return float(h[0]), float((way * x[3:]).sum()), *spread
