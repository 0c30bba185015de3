"""``vedette decode URL``: one feed without a station. What it hears goes to stdout as it comes.

A recording is not waited for: its peer plays it on a clock that stands at the recording's own beginning
and jumps to whatever time the peer waits for, so that the lines carry the times of the recording.
"""

import asyncio
import contextlib
import signal
import sys
from collections import Counter
from collections.abc import Iterable
from importlib.metadata import entry_points

from vedette.cli import output
from vedette.model import (
    Alert,
    ConfigError,
    Detection,
    Frame,
    InputError,
    Receipt,
    Roster,
    SensorProfile,
    Site,
    UnitReport,
)
from vedette.model.event import Action, FeedState, OperatorPosition
from vedette.station.clock import StationClock
from vedette.station.config import FeedConfig
from vedette.station.peers.registry import FACTORIES, Keys, make_peer
from vedette.station.ports import Clock

NOWHERE = Site(name="none", lat_deg=0.0, lon_deg=0.0, alt_m=0.0, alt_datum="wgs84-ellipsoid")
CALLSIGN = "VEDETTE-DECODE"
SETTLE_S = 0.2
"""For what comes with the first answer of a feed that never ends."""


def is_feed(source: str) -> bool:
    """Whether a source names a feed by a scheme that this installation knows."""
    scheme, colon, _ = source.partition(":")
    return bool(colon) and (scheme in FACTORIES or bool(entry_points(group="vedette.peers", name=scheme)))


def listen(
    url: str,
    sensor: str,
    *,
    site: Site | None = None,
    recorded_from: float | None = None,
    once: bool = False,
) -> None:
    """Print a feed's detections until it ends or is stopped; with ``once``, until its first answer.
    ``recorded_from``: Unix seconds at which a recording begins, which is then played as fast as it can be
    read. Raises ConfigError for a bad URL or for a feed that brings no detections, InputError for a
    recording that cannot be read."""
    feed = FeedConfig(name=sensor, url=url, callsign=CALLSIGN, publish_tracks=False)
    peer = make_peer(feed, Keys(receipts=bytes(32)))
    if not peer.senses:
        raise ConfigError(f"{url}: this feed brings no detections; there is nothing to decode")
    clock: Clock = StationClock() if recorded_from is None else RecordedClock(recorded_from)
    hub = Printer(clock, site or NOWHERE)

    async def run() -> None:
        work = asyncio.create_task(peer.run(hub))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, work.cancel)
        if once:
            await asyncio.wait(
                {work, asyncio.create_task(hub.answered.wait())}, return_when=asyncio.FIRST_COMPLETED
            )
            await asyncio.sleep(SETTLE_S)
            work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work

    asyncio.run(run())
    if recorded_from is not None and hub.down is not None:
        raise InputError(hub.down)
    if site is None and hub.counts["beyond-reach"]:
        output.say(f"{url}: say where the receiver stands: --site LAT,LON")
    output.say(f"{url}: " + (", ".join(f"{what} {count}" for what, count in hub.counts.items()) or "nothing"))


class RecordedClock:
    """The time of a recording (`vedette.station.ports.Clock`): it passes as fast as it is waited for."""

    speed = 1.0

    def __init__(self, at: float) -> None:
        self._at = at

    def now(self) -> float:
        """Where the recording is, Unix seconds."""
        return self._at

    def from_wall(self, wall_s: float) -> float:
        """The recording's times are wall-clock times."""
        return wall_s

    def to_wall(self, at_s: float) -> float:
        """The recording's times are wall-clock times."""
        return at_s

    async def sleep_until(self, at_s: float) -> None:
        """It is that time now; the loop gets a turn."""
        self._at = max(self._at, at_s)
        await asyncio.sleep(0)


class Printer:
    """A hub that prints detections and counts the rest (`vedette.station.ports.Hub`)."""

    def __init__(self, clock: Clock, site: Site) -> None:
        self.clock = clock
        self.site = site
        self.answered = asyncio.Event()
        self.roster = Roster(version=0)
        self.counts: Counter[str] = Counter()
        self.down: str | None = None

    def detections(self, feed: str, detections: Iterable[Detection]) -> None:
        """One line each, at once: whoever reads them waits for them."""
        for detection in detections:
            output.write(detection)
            self.counts["detections"] += 1
        sys.stdout.flush()

    def sensor(self, feed: str, profile: SensorProfile) -> None:
        """Where a sensor says that it stands."""
        output.say(
            f"{feed}: sensor {profile.id} is a {profile.type} at {profile.lat_deg:.5f}, {profile.lon_deg:.5f}"
        )

    def operator_position(self, position: OperatorPosition) -> None:
        """It is in the claim of the detection already."""

    def unit(self, report: UnitReport) -> None:
        """People are not decoded without a station that protects them."""
        self.counts["units"] += 1

    def receipt(self, receipt: Receipt) -> None:
        """There is no alert that it could be for."""

    def action(self, action: Action) -> None:
        """There is nothing to act on."""

    def feed(self, feed: str, state: FeedState, reason: str | None = None) -> None:
        """What the feed says of itself."""
        self.down = reason or state if state == "down" else None
        if state in ("down", "ended"):
            self.answered.set()
        output.say(f"{feed}: {state}" + (f", {reason}" if reason else ""))

    def kind(self, feed: str, kinds: tuple[str, ...], *, senses: bool) -> None:
        """What a part of a feed is: nothing depends on it here."""

    def heard(
        self, feed: str, sent: float | None = None, *, due_s: float | None = None, count: int = 1
    ) -> None:
        """A sign of life."""
        self.counts["heard"] += count
        self.answered.set()

    def trouble(self, feed: str, what: str, words: str | None) -> None:
        """What the feed finds wrong with itself; how far things are from nowhere is not worth a word."""
        if what == "elsewhere" and self.site is NOWHERE:
            return
        output.say(f"{feed}: {words}" if words is not None else f"{feed}: {what} is over")

    def quarantine(self, feed: str, reason: str, data: bytes) -> None:
        """Bad input."""
        self.counts[reason] += 1
        self.answered.set()

    def counted(self, feed: str, reason: str, count: int) -> None:
        """Bad input that the decoder has put aside."""
        self.counts[reason] += count

    def picture(self) -> Frame:
        """Nothing is tracked here."""
        return Frame(time=self.clock.now(), tracks=())

    def alert(self, alert: str) -> Alert | None:
        """There are no alerts."""
        return None

    def alerts(self) -> tuple[Alert, ...]:
        """There are no alerts."""
        return ()

    def latency(self, stage: str, seconds: float) -> None:
        """Nothing is measured here."""
