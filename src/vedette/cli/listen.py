"""``vedette decode URL``: one feed without a station. What it hears goes to stdout as it comes."""

import asyncio
import contextlib
import signal
import sys
from collections import Counter
from collections.abc import Iterable

from vedette.cli import output
from vedette.model import Alert, Detection, Frame, Receipt, Roster, Site, UnitReport
from vedette.model.event import Action, FeedState, OperatorPosition
from vedette.station.clock import StationClock
from vedette.station.config import FeedConfig
from vedette.station.peers.registry import Keys, make_peer

NOWHERE = Site(name="none", lat_deg=0.0, lon_deg=0.0, alt_m=0.0, alt_datum="wgs84-ellipsoid")


def listen(url: str, sensor: str) -> None:
    """Print a feed's detections until it ends or is stopped. Raises ConfigError for a bad URL."""
    peer = make_peer(FeedConfig(name=sensor, url=url), Keys(receipts=bytes(32)))
    hub = Printer()

    async def run() -> None:
        work = asyncio.create_task(peer.run(hub))
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, work.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await work

    asyncio.run(run())
    output.say(f"{url}: " + (", ".join(f"{what} {count}" for what, count in hub.counts.items()) or "nothing"))


class Printer:
    """A hub that prints detections and counts the rest (`vedette.station.ports.Hub`)."""

    def __init__(self) -> None:
        self.clock = StationClock()
        self.site = NOWHERE
        self.roster = Roster(version=0)
        self.counts: Counter[str] = Counter()

    def detections(self, feed: str, detections: Iterable[Detection]) -> None:
        """One line each, at once: whoever reads them waits for them."""
        for detection in detections:
            output.write(detection)
            self.counts["detections"] += 1
        sys.stdout.flush()

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
        output.say(f"{feed}: {state}" + (f", {reason}" if reason else ""))

    def quarantine(self, feed: str, reason: str, data: bytes) -> None:
        """Bad input."""
        self.counts[reason] += 1

    def counted(self, feed: str, reason: str, count: int) -> None:
        """Bad input that the decoder has put aside."""
        self.counts[reason] += count

    def picture(self) -> Frame:
        """Nothing is tracked here."""
        return Frame(time=self.clock.now(), tracks=())

    def alert(self, alert: str) -> Alert | None:
        """There are no alerts."""
        return None

    def latency(self, stage: str, seconds: float) -> None:
        """Nothing is measured here."""
