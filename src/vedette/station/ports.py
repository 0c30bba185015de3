"""What a peer and the station are to each other.

A *peer* owns one connection to one counterpart, both ways. It hands what it hears to its `Hub` and
performs what the hub asks. A peer never lets an exception of its counterpart out: it counts,
reports its feed's state and connects again (5 s to 120 s, 20 % jitter).
"""

from collections.abc import Iterable
from typing import Protocol

from vedette.model import Alert, Detection, Frame, Receipt, Roster, Site, UnitReport
from vedette.model.event import Action, Clear, Deliver, FeedState, OperatorPosition


class Clock(Protocol):
    """Station time. At speed 1 it is the wall clock, slewed; faster for recorded input."""

    speed: float

    def now(self) -> float:
        """Station time in Unix seconds; never decreases."""
        ...

    def from_wall(self, wall_s: float) -> float:
        """Wall-clock Unix seconds -> station time."""
        ...

    def to_wall(self, at_s: float) -> float:
        """Station time -> wall-clock Unix seconds, for time stamps that leave the station."""
        ...

    async def sleep_until(self, at_s: float) -> None:
        """Return when station time has reached ``at_s``."""
        ...


class Hub(Protocol):
    """The station as a peer sees it. All calls return at once; nothing here waits for the disk."""

    @property
    def clock(self) -> Clock:
        """Station time."""
        ...

    @property
    def site(self) -> Site:
        """The origin of the local frame."""
        ...

    @property
    def roster(self) -> Roster:
        """Who is protected, and by which channels."""
        ...

    def detections(self, feed: str, detections: Iterable[Detection]) -> None:
        """Detections of ``feed``; the hub batches them (50 ms) and keeps the freshest if it must shed."""
        ...

    def operator_position(self, position: OperatorPosition) -> None:
        """Where a drone says its operator is: desk only."""
        ...

    def unit(self, report: UnitReport) -> None:
        """Where a unit says it is."""
        ...

    def receipt(self, receipt: Receipt) -> None:
        """One fact about one alert revision and one recipient."""
        ...

    def action(self, action: Action) -> None:
        """Something a person did; ``action.actor`` says who."""
        ...

    def feed(self, feed: str, state: FeedState, reason: str | None = None) -> None:
        """The state of the peer's connection, in words an operator can act on."""
        ...

    def quarantine(self, feed: str, reason: str, data: bytes) -> None:
        """Bad input: counted by reason, kept as reason, length and hash. The bytes are not kept."""
        ...

    def counted(self, feed: str, reason: str, count: int) -> None:
        """``count`` pieces of bad input that a decoder has already put aside for ``reason``."""
        ...

    def picture(self) -> Frame:
        """The confirmed tracks now."""
        ...

    def alert(self, alert: str) -> Alert | None:
        """The latest revision of an alert."""
        ...

    def latency(self, stage: str, seconds: float) -> None:
        """One measurement of the time a stage took (received, logged, tracked, assessed, sent)."""
        ...


class Peer(Protocol):
    """One counterpart. ``name`` is unique in the station and is the channel of its receipts."""

    name: str
    senses: tuple[str, ...]
    """Names of the feeds that bring detections by this peer: what is watched when they give data."""

    async def run(self, hub: Hub) -> None:
        """Connect, listen, reconnect, until cancelled."""
        ...

    def reaches(self, unit: str) -> bool:
        """True if a message to this unit can go out by this peer now."""
        ...

    async def deliver(self, delivery: Deliver, recipient: str) -> None:
        """Send one alert revision to one unit, and nobody else. Report the fact as a `Receipt`
        (``accepted`` once the counterpart's socket took it). Raises ConnectionError if it cannot."""
        ...

    async def clear(self, clear: Clear, recipient: str) -> None:
        """Tell one unit that an alert ended. Raises ConnectionError if it cannot."""
        ...

    async def publish(self, frame: Frame) -> None:
        """The picture, once a second, for counterparts that show tracks."""
        ...
