"""What every risk was computed from, as a file of arrays: what the model of `vedette.assess` is fitted on."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vedette.assess import FEATURES
from vedette.model.errors import ConfigError


class FeatureFile:
    """Gathers the features of every full assessment and writes them as ``npz``:

    ``time`` [rows] Unix seconds; ``track`` and ``unit`` [rows], places in ``tracks`` and ``units``;
    ``features`` [rows, features] as float32, named by ``names``; NaN where unknown.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tracks: dict[str, int] = {}
        self._units: dict[str, int] = {}
        self._time: list[NDArray[np.float64]] = []
        self._track: list[NDArray[np.int32]] = []
        self._unit: list[NDArray[np.int32]] = []
        self._features: list[NDArray[np.float32]] = []

    def take(
        self, at: float, tracks: tuple[str, ...], units: tuple[str, ...], features: NDArray[np.float64]
    ) -> None:
        """Features [tracks, units, features] of an assessment at ``at``."""
        rows = [self._tracks.setdefault(name, len(self._tracks)) for name in tracks]
        columns = [self._units.setdefault(name, len(self._units)) for name in units]
        self._time.append(np.full(len(rows) * len(columns), at))
        self._track.append(np.repeat(np.array(rows, np.int32), len(columns)))
        self._unit.append(np.tile(np.array(columns, np.int32), len(rows)))
        self._features.append(features.reshape(-1, len(FEATURES)).astype(np.float32))

    def write(self) -> None:
        """Write the file. Raises ConfigError if it cannot be written."""
        none = np.zeros((0, len(FEATURES)), np.float32)
        try:
            np.savez_compressed(
                self._path,
                time=np.concatenate([np.zeros(0), *self._time]),
                track=np.concatenate([np.zeros(0, np.int32), *self._track]),
                unit=np.concatenate([np.zeros(0, np.int32), *self._unit]),
                features=np.concatenate([none, *self._features]),
                names=np.array([feature.name for feature in FEATURES]),
                tracks=np.array(list(self._tracks), dtype=np.str_),
                units=np.array(list(self._units), dtype=np.str_),
            )
        except OSError as error:
            raise ConfigError(f"{self._path}: cannot be written: {error.strerror}") from None
