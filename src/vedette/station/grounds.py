"""The ground round the site: from the operator's elevation files, and kept beside the log for replays."""

import os
from pathlib import Path

from vedette import terrain
from vedette.fuse import Ground, Tracker, ground_of
from vedette.model.errors import ConfigError, InputError, VedetteError
from vedette.station.config import StationConfig

FOLDER = "terrain"


def read_ground(config: StationConfig) -> Ground | None:
    """The ground of a configuration; None if it names no file. Raises ConfigError for files that cannot be
    used, with the file and what to do, and for sensors that cannot be placed on it: before a record is
    touched, since a station that runs on would keep its old configuration."""
    ground = _read(config)
    Tracker(config.site, config.sensor, ground=ground)
    return ground


def _read(config: StationConfig) -> Ground | None:
    if not config.terrain.files:
        return None
    try:
        datum = config.terrain.vertical_datum
        tiles = [terrain.read(name, vertical_datum=datum) for name in config.terrain.files]
        return ground_of(terrain.mosaic(tiles), config.site, config.sensor)
    except ConfigError:
        raise
    except VedetteError as error:
        raise ConfigError(f"terrain: {error}") from None


class GroundFolder:
    """Grounds by their digest, in the folder ``terrain`` beside a log; called with one, it is read."""

    def __init__(self, beside: Path) -> None:
        self._folder = beside / FOLDER
        self._held: dict[str, Ground] = {}

    def __call__(self, digest: str) -> Ground:
        """Raises InputError if it is not there, or damaged."""
        held = self._held.get(digest)
        if held is None:
            held = self._held[digest] = self._read(digest)
        return held

    def keep(self, ground: Ground) -> None:
        """Have it from now on, on the disk too. Raises ConfigError if the disk does not take it."""
        self._held[ground.digest] = ground
        path = self._path(ground.digest)
        if path.exists():
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".new")
            with fresh.open("wb") as file:
                file.write(ground.pack())
                file.flush()
                os.fsync(file.fileno())
            fresh.rename(path)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}; replays need the ground there") from None

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.ground"

    def _read(self, digest: str) -> Ground:
        if not digest.isalnum():
            raise InputError(f"{digest!r} names no ground")
        path = self._path(digest)
        try:
            ground = Ground.unpack(path.read_bytes())
        except OSError as error:
            raise InputError(
                f"{path}: {error.strerror}; the log was written with this ground: copy the folder "
                f"'{FOLDER}' that stood beside it"
            ) from None
        if ground.digest != digest:
            raise InputError(f"{path}: damaged, it holds another ground: copy it again")
        return ground
