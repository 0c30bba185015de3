"""The work of a campaign: an item in, its result or its story out. Pure but for the files that an item names
by their digest, and for the processor's time."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from vedette.evaluate.campaign.items import Item
from vedette.evaluate.campaign.outcome import measure
from vedette.evaluate.campaign.results import Result
from vedette.evaluate.campaign.sources import EMPTY, REAL, RealFlights, RealGround, empty_sky, of_simulator
from vedette.evaluate.campaign.stage import (
    TRACKER_FEED,
    Made,
    Stage,
    said_by_feed,
    said_in,
    staged,
    watched_by,
)
from vedette.evaluate.campaign.story import Story, tell
from vedette.evaluate.campaign.watch import AFTER_S, Watched, watch
from vedette.fuse import Ground, ground_of
from vedette.model import ConfigError, Detection, InputError, SensorProfile
from vedette.simulate import encounters


class Worker:
    """Runs items. ``ground``: an elevation file that the encounters take place on; ``vertical_datum``: what
    its heights are measured from, if it does not say. ``tracks``: a folder of real flights."""

    def __init__(
        self, ground: Path | None = None, vertical_datum: str | None = None, tracks: Path | None = None
    ) -> None:
        self._ground_file, self._datum, self._tracks = ground, vertical_datum, tracks

    def __call__(self, item: Item) -> Result:
        """The result of one item."""
        stage, heard = self.stage(item)
        return measure(item, stage, watched_on(stage), heard)

    def story(self, item: Item) -> Story:
        """The same run, told step by step."""
        stage, heard = self.stage(item)
        return tell(item, stage, watched_on(stage), heard)

    @property
    def source(self) -> str:
        """The digest of the outside data that the items are made from; empty without any."""
        return "+".join(_digest(path) for path in (self._ground_file, self._tracks) if path is not None)

    @property
    def flights(self) -> int:
        """How many real flights there are."""
        return len(self._real.flights)

    def stage(self, item: Item) -> tuple[Stage, Sequence[Detection]]:
        """What the core is put on. Raises ConfigError for a collection or a mix that there is not."""
        if item.mix == TRACKER_FEED:
            if item.collection in (EMPTY, REAL) or self._ground_file is not None:
                raise ConfigError(
                    f"the {TRACKER_FEED} is of encounters on simulated ground: name a mix of sensors"
                )
            found = encounters.encounter(item.collection, item.index)
            return staged(item, of_simulator(found), said_by_feed(found))
        made = self._made(item)
        scenario = watched_by(made.scenario, item.mix)
        said = said_in(scenario)
        return staged(item, made, said, self._known_ground(made, said[0]))

    def _made(self, item: Item) -> Made:
        if item.collection == EMPTY:
            return empty_sky(item.index)
        if item.collection == REAL:
            return self._real.encounter(item.index)
        if self._ground_file is not None:
            return self._ground.encounter(item.collection, item.index)
        return of_simulator(encounters.encounter(item.collection, item.index))

    def _known_ground(self, made: Made, sensors: tuple[SensorProfile, ...]) -> Ground | None:
        """A station on real ground has its elevation file too."""
        if made.scenario.head.dem is None:
            return None
        return ground_of(self._ground.elevation, made.scenario.head.site, sensors)

    @property
    def _ground(self) -> RealGround:
        assert self._ground_file is not None
        return _ground_of(self._ground_file, self._datum)

    @property
    def _real(self) -> RealFlights:
        if self._tracks is None:
            raise ConfigError(
                f"the collection {REAL!r} is made of recorded tracks: name their folder (--real-tracks)"
            )
        return _flights_of(self._tracks)


# A worker travels to its process anew with each item; what it has read stays there.
@lru_cache(maxsize=2)
def _ground_of(path: Path, vertical_datum: str | None) -> RealGround:
    return RealGround(path, vertical_datum)


@lru_cache(maxsize=2)
def _flights_of(folder: Path) -> RealFlights:
    return RealFlights(folder)


def _digest(path: Path) -> str:
    """Of a file, or of all files below a folder. Raises InputError for one that cannot be read."""
    digest = hashlib.blake2b(digest_size=8)
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    try:
        for one in files:
            digest.update(hashlib.blake2b(one.read_bytes(), digest_size=16).digest())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    return digest.hexdigest()


def watched_on(stage: Stage) -> Watched:
    """The core driven over a stage: to the impact, or until what was seen has been forgotten."""
    scene = stage.scene
    until = scene.t1 + AFTER_S if scene.impact is None else scene.impact
    return watch(stage.told, stage.sky, scene.t0, until)
