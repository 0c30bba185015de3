"""Encounters of which the outcome is known: what the assessor saw of each pair, and what came of it.

A folder holds ``features.npz`` (``vedette assess DIR --features DIR/features.npz``) and ``labels.jsonl``, one
line for each scene (docs/threat-model.md). Scenes follow one another in time.
"""

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from vedette.evaluate.fitting.kernels import F32, F64, I64
from vedette.model.errors import ConfigError, InputError

AFTERWARDS_S = 60.0
"""A risk so long after the end of a scene still counts: coasting tracks."""

Bools = NDArray[np.bool_]


class Outcome(Struct, frozen=True):
    """One line of ``labels.jsonl``. ``weight``: how much it counts in a fit, less where nobody could say."""

    scene: str
    t0: float
    t1: float
    hostile: bool
    behaviour: str
    target: str | None = None
    onset_time: float | None = None
    impact_time: float | None = None
    weight: float = 1.0


class Encounters(NamedTuple):
    """Rows in the order of the file: ``time``, ``scene`` (place in ``outcomes``), ``unit`` (place in
    ``units``) and ``columns`` [rows, features]."""

    name: str
    outcomes: tuple[Outcome, ...]
    names: tuple[str, ...]
    units: tuple[str, ...]
    time: F64
    scene: I64
    unit: I64
    columns: F32

    def only(self, rows: Bools) -> "Encounters":
        """The same with some of the rows."""
        return self._replace(
            time=self.time[rows], scene=self.scene[rows], unit=self.unit[rows], columns=self.columns[rows]
        )

    @property
    def hostile(self) -> Bools:
        """[scenes] whether it is an attack."""
        return np.array([outcome.hostile for outcome in self.outcomes], np.bool_)

    @property
    def impact(self) -> F64:
        """[scenes] time of the impact, NaN if there is none."""
        times = [math.nan if o.impact_time is None else o.impact_time for o in self.outcomes]
        return np.array(times, np.float64)

    @property
    def target(self) -> I64:
        """[scenes] the unit that is meant, -1 if there is none or it was never heard of."""
        places = {name: place for place, name in enumerate(self.units)}
        return np.array([places.get(o.target or "", -1) for o in self.outcomes], np.int64)

    @property
    def weight(self) -> F64:
        """[scenes] how much each counts."""
        return np.array([outcome.weight for outcome in self.outcomes], np.float64)

    @property
    def benign_hours(self) -> float:
        """Hours of track in scenes without an attack."""
        return math.fsum(o.t1 - o.t0 + 1.0 for o in self.outcomes if not o.hostile) / 3600.0


def read(folder: Path, leave_out: Sequence[str] = ()) -> Encounters:
    """The encounters of ``folder``, rows of scenes that are over left out, and the features that
    ``leave_out`` names (all that begin so where one ends with ``*``).
    Raises ConfigError, InputError."""
    outcomes = _outcomes(folder / "labels.jsonl")
    path = folder / "features.npz"
    try:
        with np.load(path) as file:
            names = [str(name) for name in file["names"]]
            units = tuple(str(unit) for unit in file["units"])
            time, unit, columns = file["time"], file["unit"], file["features"]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path}: cannot be read ({error}); make it by: vedette assess {folder} --features {path}"
        ) from None
    kept = [place for place, name in enumerate(names) if not is_left_out(name, leave_out)]
    starts = np.array([outcome.t0 for outcome in outcomes])
    scene = np.searchsorted(starts, time + 1e-6, "right") - 1
    ends = np.array([o.t1 + AFTERWARDS_S if o.impact_time is None else o.impact_time for o in outcomes])
    counts = (scene >= 0) & (time <= ends[np.maximum(scene, 0)])
    return Encounters(
        name=folder.name,
        outcomes=outcomes,
        names=tuple(names[place] for place in kept),
        units=units,
        time=time[counts],
        scene=scene[counts].astype(np.int64),
        unit=unit[counts].astype(np.int64),
        columns=np.ascontiguousarray(columns[counts][:, kept], np.float32),
    )


def is_left_out(name: str, leave_out: Sequence[str]) -> bool:
    """Whether a feature is named in ``leave_out``."""
    return any(name.startswith(one[:-1]) if one.endswith("*") else name == one for one in leave_out)


def _outcomes(path: Path) -> tuple[Outcome, ...]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    outcomes = []
    for number, line in enumerate(lines, 1):
        try:
            outcomes.append(msgspec.json.decode(line, type=Outcome))
        except msgspec.MsgspecError as error:
            raise InputError(f"{path}, line {number}: {error}") from None
        last = outcomes[-1]
        if last.hostile and (last.target is None or last.impact_time is None):
            raise InputError(f"{path}, line {number}: an attack needs target and impact_time")
    if any(a.t0 >= b.t0 for a, b in itertools.pairwise(outcomes)):
        raise InputError(f"{path}: scenes are not in the order of time")
    if not outcomes:
        raise InputError(f"{path}: no scene in it")
    return tuple(outcomes)
