"""Wind and gusts: the air in which everything flies.

A steady wind that is the same at every place and height, and gusts on top of it as a first-order
Gauss-Markov velocity (the low-order form of the Dryden spectra, MIL-F-8785C, 3.7.2), each flier in a
parcel of its own: fliers further apart than some tens of metres meet different gusts.
"""

import math
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from vedette.simulate.plane import compass
from vedette.simulate.streams import stream
from vedette.simulate.terms import Bearing

GUST_S = 8.0
"""How long a gust lasts. Judgement: Dryden's length scale near the ground, some 100 m, over 12 m/s."""
_BLOCK = 64

Array = NDArray[np.float64]


class Weather(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """``wind_from_deg`` is where the wind comes from, as forecasts say it; ``gust_mps`` the standard
    deviation of the gusts on each axis."""

    wind_mps: Annotated[float, Meta(ge=0.0, le=60.0)] = 0.0
    wind_from_deg: Bearing = 0.0
    gust_mps: Annotated[float, Meta(ge=0.0, le=20.0)] = 0.0

    @property
    def wind(self) -> tuple[float, float]:
        """East and north of the steady wind (m/s)."""
        east, north = compass(self.wind_from_deg)
        return -east * self.wind_mps, -north * self.wind_mps


CALM = Weather()


class Gusts:
    """Gust velocities (east, north) of all fliers, one independent stream for each."""

    def __init__(self, seed: int, names: tuple[str, ...], sigma_mps: float, step_s: float) -> None:
        self._streams = [stream(seed, "gust", name) for name in names]
        self._keep = math.exp(-step_s / GUST_S)
        self._push = sigma_mps * math.sqrt(1.0 - self._keep * self._keep)
        self._now: Array = np.zeros((2, len(names)))
        self._draws: Array = np.zeros((_BLOCK, 2, len(names)))
        self._used = _BLOCK
        self.still = sigma_mps == 0.0

    def step(self) -> Array:
        """Gusts of the next step, shape (2, fliers), m/s."""
        if self.still:
            return self._now
        if self._used == _BLOCK:
            for index, generator in enumerate(self._streams):
                self._draws[:, :, index] = generator.standard_normal((_BLOCK, 2))
            self._used = 0
        self._now = self._now * self._keep + self._draws[self._used] * self._push
        self._used += 1
        return self._now
