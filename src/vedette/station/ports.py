"""What a peer and the station are to each other.

A *peer* owns one connection to one counterpart, both ways. It hands what it hears to its `Hub` and
performs what the hub asks. A peer never lets an exception of its counterpart out: it counts,
reports its feed's state and connects again (5 s to 120 s, 20 % jitter).
"""

from collections.abc import Iterable, Sequence
from typing import Protocol, runtime_checkable

from vedette.model import Alert, Detection, Fact, Frame, Receipt, Roster, SensorProfile, Site, UnitReport
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

    def sensor(self, feed: str, profile: SensorProfile) -> None:
        """Where a sensor of ``feed`` says that it stands and what it can see. What the configuration
        says of a sensor of that id holds against it."""
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
        """The state of the peer's connection, in words an operator can act on.

        A peer reports ``connecting``, ``watching``, ``down`` or ``ended``; the hub makes of ``watching``
        what the evidence allows (``degraded``, ``deaf``). ``feed`` is the peer's name, or
        ``NAME/PART`` for one sensor of many behind it, which is then a feed of its own on every screen.
        """
        ...

    def kind(self, feed: str, kinds: tuple[str, ...], *, senses: bool) -> None:
        """What ``NAME/PART`` is: kinds of sensors, and whether it watches anything at all."""
        ...

    def heard(
        self, feed: str, sent: float | None = None, *, due_s: float | None = None, count: int = 1
    ) -> None:
        """Something intact came by ``feed``, a detection or not: a sign of life, by which a quiet sky is
        told from a source that is stuck.

        ``sent``: the sender's own time of it, as station time (`Clock.from_wall`), if it states one; from
        it the hub estimates the sender's clock offset. ``due_s``: the longest time until the next sign
        of life of a sender that keeps its word, if it gave one. ``count``: how many messages it was.
        """
        ...

    def trouble(self, feed: str, what: str, words: str | None) -> None:
        """Something is wrong with a feed that still gives data, in words an operator can act on; None =
        it is over. ``what`` names it (a short slug, from a fixed set, never text of strangers)."""
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

    def alerts(self) -> tuple[Alert, ...]:
        """Open alerts, and those closed within the last minutes, each in its latest revision."""
        ...

    def latency(self, stage: str, seconds: float) -> None:
        """One measurement of the time a stage took (received, logged, tracked, assessed, sent)."""
        ...


class Peer(Protocol):
    """One counterpart. ``name`` is unique in the station and is the channel of its receipts."""

    name: str
    senses: tuple[str, ...]
    """Names of the feeds that bring detections by this peer: what is watched when they give data. A peer
    may say by ``kinds`` (tuple of words) of what kind: ``remote-id``, ``adsb``, or a type of `Site`'s
    sensors."""

    receipt_facts: tuple[Fact, ...]
    """The facts that it can report of a message, as receipts; none: it warns nobody, or cannot tell."""
    carries_position: bool
    """Whether what it sends may say, or give away, where a person is. What says no is held to it by a test
    that reads every byte it sends."""

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


@runtime_checkable
class BulkPeer(Peer, Protocol):
    """A peer that takes one message for many at once, and is not given it one by one."""

    async def deliver_all(self, message: Deliver | Clear, recipients: Sequence[str]) -> frozenset[str]:
        """Send one message to many, in the order of their urgency. Returns those whose device's connection
        took it; the others are tried again. Raises ConnectionError if nobody could be sent it."""
        ...


@runtime_checkable
class BulkHub(Hub, Protocol):
    """The station as a peer of many people sees it."""

    def confirmed(self, receipts: Sequence[Receipt]) -> None:
        """Facts from many recipients: one event."""
        ...

    def returned(self, channel: str, units: Sequence[str]) -> None:
        """These units are reached by ``channel`` (again): what they have not acknowledged is sent (again)."""
        ...

    def alerts_of(self, unit: str) -> tuple[Alert, ...]:
        """A unit's open alerts, and where it has none, the one that ended last."""
        ...

    async def recorded(self, patience_s: float) -> bool:
        """True once all that was handed over before this call is on the disk; False after ``patience_s``."""
        ...
