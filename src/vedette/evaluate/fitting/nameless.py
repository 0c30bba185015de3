"""Scenes in which nobody knows what flies: the beliefs are those of a body of which nothing is known.

A classifier that always has an opinion teaches the fit to lean on it. In a share of scenes, and there in all
rows alike, the class features are set to those that the assessor has for a body without beliefs.
"""

import math

import numpy as np

from vedette.assess.columns import UNKNOWN_BELIEFS
from vedette.evaluate.fitting.encounters import Encounters

NEUTRAL: dict[str, float] = {
    "log_" + name.replace("-", "_"): math.log(belief) for name, belief in UNKNOWN_BELIEFS.items()
}
"""The class features of a body of which nothing is known."""


def nameless(encounters: Encounters, share: float, generator: np.random.Generator) -> Encounters:
    """The same with a ``share`` of scenes without class beliefs."""
    chosen = generator.random(len(encounters.outcomes)) < share
    rows = chosen[encounters.scene]
    columns = encounters.columns.copy()
    for place, name in enumerate(encounters.names):
        if name in NEUTRAL:
            columns[rows, place] = NEUTRAL[name]
    return encounters._replace(columns=columns)
