"""What all Remote ID peers share: frames through the adapter, its counts to the feed's health."""

import msgspec

from vedette.model import Detection, Fact
from vedette.sense.remote_id import RemoteIdAdapter
from vedette.station.ports import Hub
from vedette.wire.capture import FrameBatch

MOST_PER_S = 1000
"""Reports of one receiver that are taken in a second; an attacker who floods gets no further. Two
hundred drones that transmit five times a second stay below it."""

BAD = (
    "bad-crc",
    "malformed:",
    "time-backwards",
    "emitters-dropped",
    "operators-dropped",
    "empty-id",
    "claim-changed",
    "clock-off",
    "frozen",
    "flooded",
)
"""Beginnings of the counts that a technician should see. The others say what was used, what was
strangers' traffic, and what a beacon repeats."""


class RemoteIdFrames:
    """Frames of one receiver on their way to the hub."""

    def __init__(self, hub: Hub, feed: str) -> None:
        self._hub = hub
        self._feed = feed
        self._adapter = RemoteIdAdapter(feed, most_per_s=MOST_PER_S)
        self._told: dict[str, int] = {}

    def take(self, batch: FrameBatch, shift_s: float = 0.0) -> None:
        """Decode a batch; ``shift_s`` carries a recording's times over to station time."""
        before = self._damaged()
        detections = self._adapter.detections(batch)
        intact = len(batch) - (self._damaged() - before)
        if intact > 0:
            # Frames of strangers too: a receiver that hears them works, and the sky is quiet.
            self._hub.heard(self._feed, count=intact)
        if shift_s:
            detections = [_shifted(detection, shift_s) for detection in detections]
        if detections:
            self._hub.detections(self._feed, detections)
        self._tell_counts()

    @property
    def counts(self) -> dict[str, int]:
        """What became of all frames so far."""
        return dict(self._adapter.counts)

    def _damaged(self) -> int:
        counts = self._adapter.counts
        return sum(count for reason, count in counts.items() if reason.startswith(("bad-crc", "malformed:")))

    def _tell_counts(self) -> None:
        for reason, count in self._adapter.counts.items():
            new = count - self._told.get(reason, 0)
            if new and reason.startswith(BAD):
                self._hub.counted(self._feed, reason, new)
            self._told[reason] = count


def _shifted(detection: Detection, shift_s: float) -> Detection:
    received = None if detection.received is None else detection.received + shift_s
    return msgspec.structs.replace(detection, time=detection.time + shift_s, received=received)


class Receiver:
    """Base of peers that only listen: they reach no unit and show no tracks."""

    kinds: tuple[str, ...] = ()
    receipt_facts: tuple[Fact, ...] = ()
    carries_position: bool = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.senses: tuple[str, ...] = (name,)

    def reaches(self, unit: str) -> bool:
        """A receiver reaches nobody."""
        return False

    async def deliver(self, delivery: object, recipient: str) -> None:
        """Never asked, since ``reaches`` is False."""
        raise ConnectionError(f"{self.name} is a receiver and cannot send")

    async def clear(self, clear: object, recipient: str) -> None:
        """Never asked, since ``reaches`` is False."""
        raise ConnectionError(f"{self.name} is a receiver and cannot send")

    async def publish(self, frame: object) -> None:
        """A receiver shows no tracks."""
