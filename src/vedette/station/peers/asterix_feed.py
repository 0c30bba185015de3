"""What live and recorded ASTERIX feeds share: options, and the way of a datagram to the hub.

Each source (SAC/SIC) is a feed of its own, ``NAME/sac-sic``: a radar that turns and sees nothing lives, one
whose markers stop is deaf, whatever its neighbours on the same network do.
"""

import asyncio
import re
from collections import Counter, deque
from collections.abc import Callable

import msgspec
from msgspec import Struct

from vedette.model import ConfigError, Detection
from vedette.model.event import FeedState
from vedette.sense.asterix import AsterixAdapter, Heard, SourceId
from vedette.station.config import FeedConfig
from vedette.station.ports import Hub
from vedette.wire.asterix import Rejection, decode

OPTIONS = frozenset({"sac-sic", "sensor", "cat129", "doppler"})
LARGEST_DATAGRAM = 9_000
"""Bytes: a jumbo frame. Decoding one takes some 40 ms, in which the station does nothing else; radars keep
below 1,500."""
MOST_QUARANTINED = 8
"""Blocks of one datagram that are hashed; the others are counted."""
_EXPECTED = re.compile(r"cat\d{3}|service|detections|no-detection")
"""Counts that are no trouble: what radars are there to send."""
DOPPLER = {"receding": 1, "approaching": -1}
_WORDS = {
    "edition": "another edition of a category, or damaged",
    "range": "values that cannot be",
    "missing-item": "records without what they must have",
    "category-not-read": "categories that are not read",
    "other-source": "sources that the address does not allow",
}
_USELESS = 10
"""Refused datagrams, none used, after which the desk is told what they are."""

OnStation = Callable[[float], float]


class Options(Struct, frozen=True):
    """The options of an address. ``doppler``: 1 = positive is receding, -1 = approaching, 0 = unused."""

    sensor: str
    sources: tuple[SourceId, ...] = ()
    uas: bool = False
    doppler: int = 0


def read_options(feed: FeedConfig, options: dict[str, list[str]]) -> Options:
    """Raises ConfigError for values that cannot be."""
    return Options(
        sensor=options.get("sensor", [feed.name])[-1],
        sources=tuple(_source_id(feed, text) for text in options.get("sac-sic", ())),
        uas=_one_of(feed, "cat129", options, {"0": 0, "1": 1}) == 1,
        doppler=_one_of(feed, "doppler", options, DOPPLER),
    )


def _source_id(feed: FeedConfig, text: str) -> SourceId:
    sac, _, sic = text.partition("/")
    if not all(part.isascii() and part.isdigit() and int(part) <= 255 for part in (sac, sic)):
        raise ConfigError(f"feed {feed.name!r}: sac-sic={text}: two numbers from 0 to 255, such as 25/201")
    return SourceId(int(sac), int(sic))


def _one_of(feed: FeedConfig, key: str, options: dict[str, list[str]], known: dict[str, int]) -> int:
    text = options.get(key, [""])[-1]
    if text and text not in known:
        raise ConfigError(f"feed {feed.name!r}: {key}={text}: {' or '.join(known)}")
    return known.get(text, 0)


class AsterixFeed:
    """One feed's datagrams on their way to the hub. ``where``: by which way, in words, as it is now."""

    def __init__(self, hub: Hub, name: str, options: Options, where: Callable[[], str]) -> None:
        self._hub = hub
        self._name = name
        self._where = where
        self._adapter = AsterixAdapter(
            options.sensor,
            sources=options.sources,
            uas=options.uas,
            doppler=options.doppler,
            geoid_m=hub.site.geoid_height_m,
        )
        self._counted: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._words: dict[SourceId, str] = {}
        self._troubles: dict[SourceId, dict[str, str]] = {}
        self._expected = options.sources

    @property
    def counts(self) -> dict[str, int]:
        """What became of all messages so far."""
        return dict(self._adapter.counts)

    def start(self) -> None:
        """It can be heard from now on; nothing has been."""
        self._refused.clear()
        self._words.clear()
        self._hub.feed(self._name, "connecting", f"{self._where()}, nothing heard yet")
        for source in self._expected:
            self._hub.feed(self._part(source), "connecting", "nothing heard of it yet")

    def stop(self, state: FeedState, reason: str) -> None:
        """It cannot be heard any more ("down", or "ended" with a recording), nor any part of it."""
        for source in sorted({*self._words, *self._expected}):
            self._hub.feed(self._part(source), state, reason)
        self._hub.feed(self._name, state, reason)

    def take(self, data: bytes, received: float, on_station: OnStation) -> None:
        """One datagram, ``received`` in Unix seconds, which ``on_station`` brings to station time."""
        if len(data) > LARGEST_DATAGRAM:
            self._refuse("datagram-too-large", data)
            return
        datagram = decode(data)
        self._reject(data, datagram.rejected)
        heard = self._adapter.take(datagram.messages, received)
        if heard:
            self._live(heard, received, on_station)
        self._tell_counts()

    def _live(self, heard: list[Heard], received: float, on_station: OnStation) -> None:
        if not self._words:
            self._hub.feed(self._name, "watching", self._where())
        self._hub.heard(self._name, count=len(heard))
        found: dict[SourceId, list[Detection]] = {}
        for one in heard:
            self._show(one.source)
            sent = None if one.sent is None else on_station(one.sent)
            self._hub.heard(self._part(one.source), sent, due_s=self._adapter.sources[one.source].due_s)
            if one.profile is not None:
                self._hub.sensor(self._part(one.source), one.profile)
            if one.detection is not None:
                found.setdefault(one.source, []).append(_moved(one.detection, on_station))
        for source, detections in found.items():
            self._hub.detections(self._part(source), detections)
        for source in dict.fromkeys(one.source for one in heard):
            self._tell_troubles(source, received)

    def _show(self, source: SourceId) -> None:
        words = self._adapter.sources[source].words()
        if self._words.get(source) != words:
            self._words[source] = words
            self._hub.feed(self._part(source), "watching", words)

    def _tell_troubles(self, source: SourceId, received: float) -> None:
        now, before = self._adapter.sources[source].troubles(received), self._troubles.get(source, {})
        for what in before.keys() | now.keys():
            if before.get(what) != now.get(what):
                self._hub.trouble(self._part(source), what, now.get(what))
        self._troubles[source] = now

    def _reject(self, data: bytes, rejected: tuple[Rejection, ...]) -> None:
        for number, rejection in enumerate(rejected):
            if rejection.reason == "category":
                self._hub.counted(self._name, "category-not-read", 1)
                self._useless("category-not-read")
            elif number < MOST_QUARANTINED:
                self._refuse(rejection.reason, data[rejection.offset : rejection.offset + rejection.length])
            else:
                self._hub.counted(self._name, rejection.reason, 1)

    def _refuse(self, reason: str, data: bytes) -> None:
        self._hub.quarantine(self._name, reason, data)
        self._useless(reason)

    def _useless(self, reason: str) -> None:
        """While nothing at all can be used, the desk is told what it is that comes."""
        self._refused[reason] += 1
        if not self._words and self._refused.total() == _USELESS:
            most = max(self._refused, key=lambda name: self._refused[name])
            what = _WORDS.get(most, f"no ASTERIX ({most})")
            self._hub.feed(self._name, "connecting", f"{self._where()}; all that comes is refused: {what}")

    def _tell_counts(self) -> None:
        for reason, count in self._adapter.counts.items():
            new = count - self._counted[reason]
            if new and _EXPECTED.fullmatch(reason) is None:
                self._hub.counted(self._name, reason, new)
                if reason == "other-source":
                    self._useless(reason)
            self._counted[reason] = count

    def _part(self, source: SourceId) -> str:
        return f"{self._name}/{source.part}"


class Turns:
    """Datagrams wait here between the socket and a decoder that is slow: ``work`` gets them one by one, for
    at most ``TURN_S`` in one turn of the loop, and then leaves the loop to others for as long as it took.
    The freshest are kept; ``shed`` gets how many were not."""

    TURN_S = 0.02
    MOST_WAITING = 200

    def __init__(self, work: Callable[[bytes, float], None], shed: Callable[[int], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._work, self._shed = work, shed
        self._waiting: deque[tuple[bytes, float]] = deque()
        self._handle: asyncio.Handle | None = None

    def put(self, datagrams: list[bytes], received: float) -> None:
        """Datagrams that came in at ``received``."""
        self._waiting.extend((data, received) for data in datagrams)
        lost = len(self._waiting) - self.MOST_WAITING
        if lost > 0:
            for _ in range(lost):
                self._waiting.popleft()
            self._shed(lost)
        if self._handle is None and self._waiting:
            self._turn()

    def close(self) -> None:
        """Work no more."""
        self._waiting.clear()
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _turn(self) -> None:
        self._handle = None
        began = self._loop.time()
        try:
            while self._waiting and self._loop.time() - began < self.TURN_S:
                self._work(*self._waiting.popleft())
        finally:
            # A fault in one datagram is the loop's to report; the others are still read.
            if self._waiting:
                self._handle = self._loop.call_later(self._loop.time() - began, self._turn)


def _moved(detection: Detection, on_station: OnStation) -> Detection:
    received = None if detection.received is None else on_station(detection.received)
    return msgspec.structs.replace(detection, time=on_station(detection.time), received=received)
