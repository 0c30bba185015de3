"""What registers say of each sensor, once it is weighed which sensors are off: see `kernels.parsimony`."""

import math
from typing import NamedTuple

import numpy as np

from vedette.fuse.kernels import parsimony
from vedette.fuse.kernels.kalman import F64
from vedette.fuse.registration.registers import Registers
from vedette.fuse.settings import FuseSettings
from vedette.model import Registration

DEG = math.pi / 180.0
_DOUBTFUL = (0.1, 0.9)
_AGREED = 0.01
"""With less than this probability all sensors are set up well."""
_UNLIKELY = 0.05
"""Before anything is known: that a sensor is turned, or that its clock is off (a judgement)."""


class Figures(NamedTuple):
    """Azimuth (radians) and clock (s) of each sensor in turn (2 s,): values, sigmas, and the probabilities
    that each is farther off than in a sensor that is set up well. ``agreed``: the probability that none
    is."""

    value: list[float]
    sigma: list[float]
    off: list[float]
    agreed: float


def priors(settings: FuseSettings, sensors: int) -> tuple[F64, F64]:
    """Variances (2 s,) of azimuth and clock in turn: of a sensor that is off, and of one that is not."""
    wide = (DEG * settings.register_azimuth_sigma_deg, settings.register_clock_sigma_s)
    narrow = (DEG * settings.register_well_turned_deg, settings.register_well_timed_s)
    return np.array(wide * sensors) ** 2, np.array(narrow * sensors) ** 2


def figures_of(mean: F64, cov: F64, before: tuple[F64, F64]) -> Figures:
    """Weigh what is known; ``before``: `priors`."""
    size, (wide, narrow) = len(mean), before
    value, variance, off = np.empty(size), np.empty(size), np.empty(size)
    agreed = parsimony.explain(mean, cov, wide, narrow, _UNLIKELY, value, variance, off)
    return Figures(value.tolist(), np.sqrt(variance).tolist(), off.tolist(), float(agreed))


def registrations(registers: Registers, settings: FuseSettings) -> tuple[Registration, ...]:
    """What is known of each sensor, for those who look after it."""
    found = figures_of(registers.mean, registers.cov, priors(settings, len(registers.sensors)))
    names = [register.sensor for register in registers.sensors]
    disputed = [found.agreed < _AGREED and _DOUBTFUL[0] < off < _DOUBTFUL[1] for off in found.off]

    def others(s: int, figure: int) -> tuple[str, ...]:
        enough = registers.sensors[s].compared >= settings.register_least_compared
        if not (enough and disputed[2 * s + figure]):
            return ()
        return tuple(name for o, name in enumerate(names) if o != s and disputed[2 * o + figure])

    return tuple(
        Registration(
            sensor=register.sensor,
            azimuth_bias_deg=found.value[2 * s] / DEG,
            azimuth_sigma_deg=found.sigma[2 * s] / DEG,
            clock_offset_s=found.value[2 * s + 1],
            clock_sigma_s=found.sigma[2 * s + 1],
            azimuth_corrected=register.turned != 0.0,
            clock_corrected=register.ahead != 0.0,
            astray=register.astray,
            compared=round(register.compared),
            azimuth_disputed_with=others(s, 0),
            clock_disputed_with=others(s, 1),
        )
        for s, register in enumerate(registers.sensors)
    )
