"""From a configuration to a station: the record, the clock and the peers, put together."""

import os
import secrets
from pathlib import Path

from vedette.model.errors import ConfigError
from vedette.model.event import Configure
from vedette.station.access import Doorkeeper
from vedette.station.clock import StationClock
from vedette.station.config import FeedConfig, StationConfig
from vedette.station.grounds import GroundFolder, read_ground
from vedette.station.journal import Journal
from vedette.station.peers.registry import Keys, make_peer
from vedette.station.ports import Peer
from vedette.station.station import Station
from vedette.station.words import Speech, WordFolder, with_packs

SECRET_BYTES = 32


def assemble(config: StationConfig, door: Doorkeeper | None = None) -> Station:
    """A station that is ready to run; ``door`` says who may come in by a certificate. Raises ConfigError,
    LogLocked (another one runs), InputError."""
    folder = Path(config.state)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        keys = Keys(receipts=_secret(folder / "receipts.key"), state=folder, door=door)
    except OSError as error:
        raise ConfigError(
            f"state {error.filename or folder}: {error.strerror}; it must be a folder that the station's"
            " user may write"
        ) from None
    peers = tuple(make_peer(feed, keys) for feed in config.feed)
    grounds, ground = GroundFolder(folder), read_ground(config)
    if ground is not None:
        grounds.keep(ground)
    own = config.wording.folder
    words = WordFolder(None if own is None else Path(own), folder)
    settled = words.settle()
    configure = Configure(
        site=config.site,
        sensors=config.sensor,
        settings=with_packs(config.settings, settled.packs),
        terrain=None if ground is None else ground.digest,
        exercise=_exercise(config, peers),
    )
    duty = tuple(one.duty() for one in config.duty)
    journal = Journal(folder, configure, config.unit, grounds, duty)
    clock = StationClock(config.clock.speed, start=journal.at)
    return Station(journal, clock, peers, Speech(words, settled))


def demo_config(name: str, state: Path, listen: str, speed: float = 1.0) -> StationConfig:
    """The configuration of an exercise: one scenario, its site, and a log of its own."""
    from vedette.simulate import sensor_profiles
    from vedette.station.config import ClockConfig, ConsoleConfig
    from vedette.station.peers.sim import scenario_of

    scenario = scenario_of(name)
    return StationConfig(
        site=scenario.head.site,
        state=str(state),
        clock=ClockConfig(speed=speed),
        console=ConsoleConfig(listen=listen, demo_desk=True),
        feed=(FeedConfig(name="exercise", url=f"sim:{name}"),),
        sensor=tuple(sensor_profiles(scenario)),
    )


def _exercise(config: StationConfig, peers: tuple[Peer, ...]) -> tuple[str, ...]:
    """The sensors of which nothing is actual: all if time runs at another speed, else the simulated ones."""
    if config.clock.speed != 1.0:
        return ("*",)
    simulated = (peer for peer in peers if getattr(peer, "simulated", False))
    return tuple(sorted({name for peer in simulated for name in (peer.name, *peer.senses)}))


def _secret(path: Path) -> bytes:
    """32 random bytes that outlive a restart, readable by the station's user only."""
    try:
        held = path.read_bytes()
    except FileNotFoundError:
        fresh = path.with_suffix(".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
        return path.read_bytes()
    if len(held) != SECRET_BYTES:
        raise ConfigError(
            f"{path}: damaged: {len(held)} bytes instead of {SECRET_BYTES}; move it away, and receipts for"
            " messages that were sent before will be refused"
        )
    return held
