"""A recording station, TAK clients, and real taky servers for the tests of the TAK peers."""

import asyncio
import importlib.util
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from vedette.model import (
    Alert,
    Detection,
    Frame,
    Receipt,
    Roster,
    RosterEntry,
    Site,
    Track,
    UnitReport,
)
from vedette.model.event import Action, FeedState, OperatorPosition
from vedette.wire.cot import Chat, CotEvent, CotSplitter, Destination, Link, Remarks, Takv, write_event


def _counterparts() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "counterparts.py"
    spec = importlib.util.spec_from_file_location("vedette_test_counterparts", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


counterparts = _counterparts()


class WallClock:
    """Station time is wall time, shifted by ``ahead_s`` so that a missing conversion shows."""

    speed = 1.0
    ahead_s = 1000.0

    def now(self) -> float:
        return self.from_wall(time.time())

    def from_wall(self, wall_s: float) -> float:
        return wall_s + self.ahead_s

    def to_wall(self, at_s: float) -> float:
        return at_s - self.ahead_s

    async def sleep_until(self, at_s: float) -> None:
        await asyncio.sleep(max(0.0, at_s - self.now()))


class RecordingHub:
    """A station that only keeps what its peers tell it."""

    def __init__(self) -> None:
        self.clock = WallClock()
        self.site = Site(
            name="Testfield", lat_deg=47.2, lon_deg=8.5, alt_m=450.0, alt_datum="wgs84-ellipsoid"
        )
        self.roster = Roster(version=1, units=(RosterEntry(unit="UID-B", callsign="BRAVO", language="es"),))
        self.units: list[UnitReport] = []
        self.receipts: list[Receipt] = []
        self.feeds: list[tuple[str, str, str | None]] = []
        self.quarantined: list[tuple[str, str, int]] = []
        self.tracks: tuple[Track, ...] = ()
        self.taken: list[tuple[str, Detection]] = []
        self.operators: list[OperatorPosition] = []
        self.live: Counter[str] = Counter()
        self.sent: list[float] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        self.troubles: dict[tuple[str, str], str] = {}

    def detections(self, feed: str, detections: Iterable[Detection]) -> None:
        self.taken += [(feed, detection) for detection in detections]

    def operator_position(self, position: OperatorPosition) -> None:
        self.operators.append(position)

    def unit(self, report: UnitReport) -> None:
        self.units.append(report)

    def receipt(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)

    def action(self, action: Action) -> None:
        raise AssertionError("a TAK peer has no actions of its own")

    def feed(self, feed: str, state: FeedState, reason: str | None = None) -> None:
        self.feeds.append((feed, state, reason))

    def quarantine(self, feed: str, reason: str, data: bytes) -> None:
        self.quarantined.append((feed, reason, len(data)))

    def heard(
        self, feed: str, sent: float | None = None, *, due_s: float | None = None, count: int = 1
    ) -> None:
        self.live[feed] += count
        if sent is not None:
            self.sent.append(sent)

    def counted(self, feed: str, reason: str, count: int) -> None:
        self.counts[feed, reason] += count

    def trouble(self, feed: str, what: str, words: str | None) -> None:
        self.troubles.pop((feed, what), None)
        if words is not None:
            self.troubles[feed, what] = words

    def picture(self) -> Frame:
        return Frame(time=self.clock.now(), tracks=self.tracks)

    def alert(self, alert: str) -> Alert | None:
        return None

    def latency(self, stage: str, seconds: float) -> None:
        raise AssertionError("a TAK peer measures nothing")

    def states(self) -> list[str]:
        """Of the connections, not of the feeds of tracks by them."""
        return [state for feed, state, _ in self.feeds if "/" not in feed]

    def facts(self) -> list[tuple[str, int, str, str, str | None]]:
        return [(r.alert, r.revision, r.recipient, r.fact, r.by) for r in self.receipts]


class TakClient:
    """A phone as far as CoT goes. Keeps every byte and every event it was sent."""

    def __init__(self, uid: str, callsign: str) -> None:
        self.uid, self.callsign = uid, callsign
        self.raw = bytearray()
        self.events: list[CotEvent] = []
        self.closed = asyncio.Event()
        self._splitter = CotSplitter()

    async def connect(self, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._reader, self.writer = await asyncio.open_connection(
            host, port, ssl=tls, server_hostname="localhost" if tls else None
        )
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        try:
            while data := await self._reader.read(65536):
                self.raw += data
                for item in self._splitter.feed(data):
                    assert isinstance(item, CotEvent), item
                    self.events.append(item)
        except OSError:
            return
        finally:
            self.closed.set()

    async def close(self) -> None:
        self._task.cancel()
        self.writer.transport.abort()
        await asyncio.gather(self._task, return_exceptions=True)

    def send(self, *events: CotEvent) -> None:
        self.writer.write(b"".join(write_event(event) for event in events))

    def report(self, **changes: object) -> CotEvent:
        now = time.time()
        fields: dict[str, object] = {
            "uid": self.uid, "type": "a-f-G-U-C", "how": "m-g", "time": now, "start": now, "stale": now + 60,
            "lat_deg": 47.201, "lon_deg": 8.501, "hae_m": 455.0, "ce_m": 4.0, "le_m": 9.0,
            "callsign": self.callsign, "endpoint": "*:-1:stcp", "team": "Cyan", "role": "Team Member",
            "takv": Takv(platform="ATAK-CIV", version="5.2", device="phone", os="34"),
        }  # fmt: skip
        return CotEvent(**{**fields, **changes})  # type: ignore[arg-type]

    def chat(self, to_uid: str, to_callsign: str, text: str) -> CotEvent:
        now = time.time()
        return CotEvent(
            uid=f"GeoChat.{self.uid}.{to_uid}.5c0dfa5d-27c2", type="b-t-f", how="h-g-i-g-o",
            time=now, start=now, stale=now + 3600, lat_deg=47.201, lon_deg=8.501,
            chat=Chat(
                chatroom=to_callsign, id=to_uid, sender_callsign=self.callsign, message_id="5c0dfa5d-27c2",
                uid0=self.uid, uid1=to_uid,
            ),
            links=(Link(uid=self.uid, type="a-f-G-U-C", relation="p-p"),),
            remarks=Remarks(text=text, source=f"BAO.F.ATAK.{self.uid}", to=to_uid, time=now),
            destinations=(Destination(callsign=to_callsign),),
        )  # fmt: skip

    def receipt(self, chat: CotEvent, kind: str) -> CotEvent:
        """What ATAK answers to a chat: delivered (b-t-f-d) or read (b-t-f-r)."""
        assert chat.chat is not None
        now = time.time()
        return CotEvent(
            uid=f"{chat.chat.message_id}.{kind[-1]}", type=kind, how="h-g-i-g-o",
            time=now, start=now, stale=now + 86400, lat_deg=47.201, lon_deg=8.501,
            chat=Chat(
                chatroom=chat.chat.sender_callsign, id=chat.chat.uid0 or "", sender_callsign=self.callsign,
                message_id=chat.chat.message_id, uid0=self.uid, uid1=chat.chat.uid0, receipt=True,
            ),
            links=(Link(uid=self.uid, type="a-f-G-U-C", relation="p-p"),),
            destinations=(Destination(callsign=chat.chat.sender_callsign),),
        )  # fmt: skip

    def chats(self) -> list[CotEvent]:
        return [event for event in self.events if event.type == "b-t-f"]

    def uids(self) -> list[str]:
        return [event.uid for event in self.events]


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something to become true; the limit only keeps a broken test from hanging."""
    for _ in range(1500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"never happened: {what}")


@pytest.fixture
def hub() -> RecordingHub:
    return RecordingHub()


@pytest.fixture(scope="session")
def taky_tls(tmp_path_factory: pytest.TempPathFactory, counterpart: Callable[[str], str]) -> Iterator[object]:
    """A running taky with mutual TLS (`counterparts.Taky`)."""
    programs = Path(counterpart("taky")).parent
    server = counterparts.Taky(programs, tmp_path_factory.mktemp("taky-tls"), tls=True)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def taky_plain(tmp_path: Path, counterpart: Callable[[str], str]) -> Iterator[object]:
    """A running taky without TLS, fresh for each test so that it may be stopped and started."""
    server = counterparts.Taky(Path(counterpart("taky")).parent, tmp_path, tls=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def client_files(taky_tls: object) -> Callable[[str], tuple[str, str]]:
    """Certificate and key by client name, made once each by the TLS server's authority."""
    made: dict[str, tuple[str, str]] = {}

    def files(name: str) -> tuple[str, str]:
        if name not in made:
            made[name] = taky_tls.client_files(name)  # type: ignore[attr-defined]
        return made[name]

    return files


@pytest.fixture(scope="session")
def client_tls(
    taky_tls: object, client_files: Callable[[str], tuple[str, str]]
) -> Callable[..., ssl.SSLContext]:
    """A client's TLS context by client name; without a name it has no certificate."""

    def context(name: str | None = None) -> ssl.SSLContext:
        made = ssl.create_default_context(cafile=taky_tls.cafile)  # type: ignore[attr-defined]
        if name is not None:
            made.load_cert_chain(*client_files(name))
        return made

    return context


@pytest.fixture(scope="session")
def make_client() -> Callable[[str, str], TakClient]:
    return TakClient


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool], str], Awaitable[None]]:
    return until
