"""Adapters of third parties by name, through the entry-point group ``vedette.sensors``.

An *adapter* turns what one kind of detector sends into Detections. An entry point's name is the
adapter's; its object is called with the sensor's name and returns an `Adapter`. The station asks
nothing else of it: sockets, bounds, counts and health are the station's.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import NamedTuple, Protocol

from vedette.model import ConfigError, Detection

GROUP = "vedette.sensors"


class Heard(NamedTuple):
    """One message of a detector. ``received``: wall-clock Unix seconds (UTC)."""

    received: float
    data: bytes


class Adapter(Protocol):
    """Messages of one detector -> Detections. Pure: no socket, clock or file."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How many messages could not be used so far, by reason; a count never falls."""
        ...

    def detections(self, heard: Sequence[Heard]) -> Iterable[Detection]:
        """The detections in these messages, in order. ``time`` is the sensor's, in wall-clock Unix
        seconds, or the message's ``received`` where the sensor states none. A damaged message is
        counted, never raised: whoever can reach the port can send one."""
        ...


AdapterFactory = Callable[[str], Adapter]


def adapter_names() -> tuple[str, ...]:
    """The adapters that are installed, in alphabetical order."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))


def make_adapter(name: str, sensor: str) -> Adapter:
    """The adapter ``name`` for the sensor of this name. Raises ConfigError saying what is there, which
    packages collide, or why the package's own code failed."""
    entry = _only(name, list(entry_points(group=GROUP, name=name)))
    try:
        factory: AdapterFactory = entry.load()
        adapter = factory(sensor)
    except Exception as error:
        raise ConfigError(
            f"adapter {name!r} of {_origin(entry)}: {entry.value} failed with"
            f" {type(error).__name__}: {error}; that package must be repaired or removed"
        ) from error
    if not callable(getattr(adapter, "detections", None)) or not isinstance(
        getattr(adapter, "counts", None), Mapping
    ):
        raise ConfigError(
            f"adapter {name!r} of {_origin(entry)}: {entry.value} gave a {type(adapter).__name__}, which"
            " lacks detections() or counts (vedette.sense.registry.Adapter)"
        )
    return adapter


def _only(name: str, found: list[EntryPoint]) -> EntryPoint:
    """The one entry point; the same one listed twice (a folder that is twice on the path) is one."""
    if not found:
        there = ", ".join(adapter_names()) or "none"
        raise ConfigError(
            f"the adapter {name!r} is not installed; there are: {there} (entry points of the group {GROUP})"
        )
    if len({entry.value for entry in found}) > 1:
        origins = " and ".join(sorted(f"{_origin(entry)} ({entry.value})" for entry in found))
        raise ConfigError(f"the adapter {name!r} is given by {origins}: remove all but one")
    return found[0]


def _origin(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "an unnamed package"
