"""The pairs that may be told of, one after the other, with what is known of each."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vedette.assess.columns import Bools, Floats
from vedette.assess.kernels import pairs as kernel

I64 = NDArray[np.int64]

HIGH_M = kernel.HIGH_M
NEVER_S = kernel.NEVER_S


@dataclass(frozen=True, slots=True)
class Pairs:
    """``row`` and ``column`` [pairs]: which track and which unit. ``features`` [pairs, `FEATURES`], ``sums``
    [pairs, `kernels.weighing.SUMS`], ``intents`` [pairs, 9]: chances of `kernels.intent`. ``toward_e`` and
    ``toward_n`` [pairs]: the unit vector from the unit to the track."""

    row: I64
    column: I64
    features: Floats
    sums: Floats
    intents: Floats
    toward_e: Floats
    toward_n: Floats

    def _of(self, place: int) -> Floats:
        return self.features[:, place]

    @property
    def range(self) -> Floats:
        """Horizontal distance, m."""
        return self._of(kernel.RANGE)

    @property
    def slant(self) -> Floats:
        """Distance in space, m; horizontal where a height is not known."""
        return self._of(kernel.SLANT)

    @property
    def height_known(self) -> Bools:
        """Where both heights are."""
        return ~np.isnan(self._of(kernel.HEIGHT))

    @property
    def up(self) -> Floats:
        """Height above the unit, m; 0 where it is not known."""
        return np.where(self.height_known, self._of(kernel.HEIGHT), 0.0)

    @property
    def nearest(self) -> Floats:
        """Distance to where the unit may be at worst, m."""
        return self._of(kernel.NEAREST_NOW)

    @property
    def closing(self) -> Floats:
        """How fast the horizontal distance shrinks, m/s."""
        return self._of(kernel.CLOSING)

    @property
    def speed(self) -> Floats:
        """Relative to the unit, horizontal, m/s."""
        return self._of(kernel.REL_SPEED)

    @property
    def drift_dps(self) -> Floats:
        """How fast the bearing from the unit turns, degrees/s."""
        return self._of(kernel.DRIFT)

    @property
    def miss(self) -> Floats:
        """Horizontal distance at the closest approach, m."""
        return self._of(kernel.MISS)

    @property
    def miss_sigma(self) -> Floats:
        """Its standard deviation, m."""
        return self._of(kernel.MISS_SIGMA)

    @property
    def tcpa(self) -> Floats:
        """Time to the closest approach, s."""
        return self._of(kernel.TCPA)

    @property
    def p10(self) -> Floats:
        """Early bound of the time to the unit, s."""
        return self._of(kernel.P10)

    @property
    def p50(self) -> Floats:
        """Time to the unit, s."""
        return self._of(kernel.P50)

    @property
    def earliest(self) -> Floats:
        """Time to the unit at the speed of its envelope, s."""
        return self._of(kernel.EARLIEST)
