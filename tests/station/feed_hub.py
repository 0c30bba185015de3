"""A station that only keeps what its feeds tell it, and how to run a peer beside a test."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any

from vedette.model import Alert, Detection, Frame, Receipt, Roster, SensorProfile, Site, Track, UnitReport
from vedette.model.event import Action, FeedState, OperatorPosition
from vedette.station.clock import StationClock

SITE = Site(name="Testfield", lat_deg=47.2, lon_deg=8.5, alt_m=450.0, alt_datum="wgs84-ellipsoid")


class FeedHub:
    """Implements `vedette.station.ports.Hub`. ``counts``: bad input by (feed, reason); ``live``: signs of
    life by feed; ``troubles``: those that are not over."""

    def __init__(self, speed: float = 1.0, site: Site = SITE, roster: Roster | None = None) -> None:
        self.clock = StationClock(speed)
        self.site = site
        self.roster = roster or Roster(version=0)
        self.taken: dict[str, list[Detection]] = {}
        self.sensors: dict[str, SensorProfile] = {}
        self.operators: list[OperatorPosition] = []
        self.units: list[UnitReport] = []
        self.receipts: list[Receipt] = []
        self.actions: list[Action] = []
        self.feeds: list[tuple[str, FeedState, str | None]] = []
        self.kinds: dict[str, tuple[tuple[str, ...], bool]] = {}
        self.live: Counter[str] = Counter()
        self.sent: dict[str, list[float]] = {}
        self.due: dict[str, float] = {}
        self.troubles: dict[tuple[str, str], str] = {}
        self.counts: Counter[tuple[str, str]] = Counter()
        self.tracks: tuple[Track, ...] = ()
        self.alarms: dict[str, Alert] = {}

    def detections(self, feed: str, detections: Iterable[Detection]) -> None:
        self.taken.setdefault(feed, []).extend(detections)

    def sensor(self, feed: str, profile: SensorProfile) -> None:
        self.sensors[profile.id] = profile

    def operator_position(self, position: OperatorPosition) -> None:
        self.operators.append(position)

    def unit(self, report: UnitReport) -> None:
        self.units.append(report)

    def receipt(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)

    def action(self, action: Action) -> None:
        self.actions.append(action)

    def feed(self, feed: str, state: FeedState, reason: str | None = None) -> None:
        self.feeds.append((feed, state, reason))

    def kind(self, feed: str, kinds: tuple[str, ...], *, senses: bool) -> None:
        self.kinds[feed] = (kinds, senses)

    def heard(
        self, feed: str, sent: float | None = None, *, due_s: float | None = None, count: int = 1
    ) -> None:
        self.live[feed] += count
        if sent is not None:
            self.sent.setdefault(feed, []).append(sent)
        if due_s is not None:
            self.due[feed] = due_s

    def trouble(self, feed: str, what: str, words: str | None) -> None:
        if words is None:
            self.troubles.pop((feed, what), None)
        else:
            self.troubles[feed, what] = words

    def quarantine(self, feed: str, reason: str, data: bytes) -> None:
        self.counts[feed, reason] += 1

    def counted(self, feed: str, reason: str, count: int) -> None:
        self.counts[feed, reason] += count

    def picture(self) -> Frame:
        return Frame(time=self.clock.now(), tracks=self.tracks)

    def alert(self, alert: str) -> Alert | None:
        return self.alarms.get(alert)

    def alerts(self) -> tuple[Alert, ...]:
        return tuple(self.alarms.values())

    def latency(self, stage: str, seconds: float) -> None:
        raise AssertionError("a feed measures nothing")

    def all(self) -> list[Detection]:
        """All detections, feed by feed."""
        return [detection for taken in self.taken.values() for detection in taken]

    def states(self, feed: str) -> list[FeedState]:
        """What a feed said of itself, in order."""
        return [state for name, state, _ in self.feeds if name == feed]

    def reason(self, feed: str) -> str | None:
        """The last words of a feed."""
        return next((reason for name, _, reason in reversed(self.feeds) if name == feed), None)


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something to become true; the limit only keeps a broken test from hanging."""
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"never happened: {what}")


def beside(work: Coroutine[Any, Any, None], then: Callable[[], Awaitable[None]]) -> None:
    """Run a peer beside ``then`` and cancel it as a station would."""

    async def both() -> None:
        task = asyncio.create_task(work)
        try:
            await then()
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    asyncio.run(both())
