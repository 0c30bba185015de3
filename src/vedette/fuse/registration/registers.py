"""What is known of how sensors are set up: see `vedette.fuse.registration.registration`."""

import math
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from vedette.fuse.kernels.kalman import F64
from vedette.fuse.kernels.swing import CELLS
from vedette.fuse.sensing.sensors import Sensor

Place = tuple[float, float, float]


class Trial(Struct, frozen=True, array_like=True, gc=False):
    """A figure of a sensor that has to prove itself. ``believed``: what it was after the last second
    (radians, or s); ``since``: from when it has been significant without a break (infinite: it is not);
    ``proof``: by how much (natural logarithm) what came later was likelier with it than without it."""

    believed: float = 0.0
    since: float = math.inf
    proof: float = 0.0


UNTRIED = Trial()


class Register(Struct, frozen=True, array_like=True, gc=False):
    """One sensor. ``place``: where it stood when this was learnt. ``compared``: how many of its plots were
    held against those of others; ``bodies``: of which tracks, the first few. ``turned`` (radians),
    ``ahead`` (s): what is taken off its plots now, zero where nothing is. ``astray``: it is turned by more
    than is ever taken off. ``leads``: it measures ranges, so that tracks follow it. ``azimuth``, ``clock``:
    how far what is found of it has proved itself. ``idle``: for how many seconds nothing of it was where what
    is taken off it would have it be, though others saw bodies there."""

    sensor: str
    place: Place
    compared: float = 0.0
    bodies: tuple[str, ...] = ()
    turned: float = 0.0
    ahead: float = 0.0
    astray: bool = False
    leads: bool = False
    azimuth: Trial = UNTRIED
    clock: Trial = UNTRIED
    idle: float = 0.0


class Registers(NamedTuple):
    """All sensors, sorted by name, as of the turn of ``second``. ``mean`` (2 s,), ``cov`` (2 s, 2 s): by how
    much (radians) the azimuths of each are too large, and (s) its times too late, in turn. ``profile``
    (s, CELLS): what the directions of each say of how it is turned, whatever is believed (`kernels.swing`).
    The arrays are never written to."""

    second: float
    sensors: tuple[Register, ...]
    mean: F64
    cov: F64
    profile: F64

    def of(self, sensor: str) -> Register | None:
        """That of one sensor."""
        for register in self.sensors:
            if register.sensor == sensor:
                return register
        return None


NOTHING = Registers(-math.inf, (), np.zeros(0), np.zeros((0, 0)), np.zeros((0, CELLS)))


class PackedRegisters(Struct, frozen=True, array_like=True):
    """`Registers` as canonical bytes hold them."""

    second: float
    sensors: tuple[Register, ...]
    mean: list[float]
    cov: list[list[float]]
    profile: list[list[float]]


def packed(registers: Registers) -> PackedRegisters:
    """The registers as a plain structure; every float keeps its bits."""
    second, sensors, mean, cov, profile = registers
    return PackedRegisters(second, sensors, mean.tolist(), cov.tolist(), profile.tolist())


def unpacked(plain: PackedRegisters) -> Registers:
    """The inverse of `packed`. Raises ValueError if the shapes are not those of as many sensors."""
    number = len(plain.sensors)
    mean, cov = np.array(plain.mean, float), np.array(plain.cov, float).reshape(2 * number, 2 * number)
    profile = np.array(plain.profile, float).reshape(number, CELLS)
    if mean.shape != (2 * number,):
        raise ValueError(f"{len(mean)} figures of {number} registered sensors")
    return Registers(plain.second, plain.sensors, mean, cov, profile)


class Noted(NamedTuple):
    """A look that waits for the end of its second. ``figures``: see `kernels.comparison.SEES`; ``plots``:
    (k, 4), as in `kernels.comparison`."""

    sensor: Sensor
    kind: int
    time: float
    figures: F64
    plots: F64
