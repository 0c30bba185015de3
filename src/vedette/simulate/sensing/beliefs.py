"""What a sensor's classifier says of what it sees: right on average, and wrong the same way for a flight.

A classifier that errs does not err anew in each scan: the same airframe in the same light is taken for the
same thing again. So each (sensor, flier) pair has a lean, drawn once, and each plot scatters round it.
"""

from typing import get_args

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from vedette.model.detection import ObjectClass
from vedette.simulate.sensing.motion import Flier
from vedette.simulate.streams import stream

F64 = NDArray[np.float64]

CLASSES: tuple[ObjectClass, ...] = get_args(ObjectClass)
CONFUSED: dict[ObjectClass, tuple[float, ...]] = {
    "multirotor": (0.0, 0.35, 0.15, 0.2, 0.05, 0.25),
    "fpv": (0.4, 0.0, 0.15, 0.2, 0.02, 0.23),
    "fixed-wing": (0.12, 0.13, 0.0, 0.3, 0.2, 0.25),
    "bird": (0.2, 0.2, 0.15, 0.0, 0.05, 0.4),
    "aircraft": (0.05, 0.05, 0.35, 0.1, 0.0, 0.45),
    "unknown": (0.2, 0.1, 0.1, 0.3, 0.0, 0.3),
}
"""For what each class is taken when it is mistaken, in the order of `CLASSES`; judgement."""
STEADY, SCATTER = 5.0, 25.0
"""Concentrations (Dirichlet) of the lean round the average, and of a plot round the lean."""
LEAST = 0.01
FALSE_CONFIDENCE = 0.85
DIGITS = 3

Belief = dict[ObjectClass, float]


class Classifier:
    """The classifier of one sensor. ``right``: the share that the true class gets on average."""

    def __init__(self, sensor: str, right: float, who: tuple[Flier, ...], seed: int) -> None:
        self._plots = [stream(seed, "classified", sensor, flier.id) for flier in who]
        self._false = stream(seed, "classified", sensor)
        self._leans = [
            _dirichlet(chance, STEADY * _average(flier.signature.looks_like, right))
            for chance, flier in zip(self._plots, who, strict=True)
        ]
        self._vague = _average("unknown", 0.5)

    def of(self, flier: int, clear: F64) -> list[Belief]:
        """Beliefs for plots of one flier (-1: nothing real); ``clear`` (n,): how well each is recognised."""
        chance = self._false if flier < 0 else self._plots[flier]
        lean = self._vague if flier < 0 else self._leans[flier]
        drawn = chance.standard_gamma(np.broadcast_to(SCATTER * lean, (len(clear), len(CLASSES))))
        shares = drawn / np.maximum(np.sum(drawn, axis=1, keepdims=True), 1e-12)
        shares = shares * clear[:, None]
        shares[:, -1] += 1.0 - clear
        shares = (1.0 - LEAST * len(CLASSES)) * shares + LEAST
        return [
            dict(zip(CLASSES, row, strict=True))
            for row in (np.floor(shares * 10**DIGITS) / 10**DIGITS).tolist()
        ]


def insisted(name: ObjectClass) -> Belief:
    """What a sensor says that calls everything by one name."""
    return (
        {name: FALSE_CONFIDENCE, "unknown": round(1.0 - FALSE_CONFIDENCE, DIGITS)}
        if (name != "unknown")
        else {"unknown": 1.0}
    )


def _average(true: ObjectClass, right: float) -> F64:
    average = np.array(CONFUSED[true])
    index = CLASSES.index(true)
    average[index] = 0.0
    average *= (1.0 - right) / float(np.sum(average))
    average[index] = right
    return average + LEAST


def _dirichlet(chance: Generator, concentration: F64) -> F64:
    drawn = chance.standard_gamma(concentration) + 1e-9
    lean: F64 = drawn / float(np.sum(drawn)) + LEAST
    return lean / float(np.sum(lean))
