"""The gateway as the station sees it: a peer that reaches every unit whose phone is connected."""

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import structlog

from vedette.express.phone import alert_frame, call_of, clear_frame, delivery_frame, language_of
from vedette.model import ConfigError, Fact, Frame
from vedette.model.event import Clear, Deliver
from vedette.station.access import Doorkeeper, Refused
from vedette.station.access.authority import FOLDER as AUTHORITY
from vedette.station.access.authority import Authority
from vedette.station.access.credentials import SESSION_COOKIE
from vedette.station.config import FeedConfig
from vedette.station.gateway.admission import Admission, Admitted
from vedette.station.gateway.crew import Crew, listeners
from vedette.station.gateway.facts import FactBook
from vedette.station.gateway.pipe import Admit, Beat, Facts, Gone, Refuse, Send, Start, Stranger, pack, unpack
from vedette.station.gateway.table import Place, Reader, Table
from vedette.station.ports import BulkHub, Hub
from vedette.wire.gateway import VERSION, Refusal, Welcome, write

LOOPBACK = ("127.0.0.1", "localhost", "::1")
OPTIONS = frozenset({"workers", "origin", "ping", "most"})
MOST_WORKERS = 16
MOST_WAITING = 20_000
"""Strangers that the station has not looked at yet; beyond, they are told to come again."""
AT_ONCE = 25
"""Strangers that are looked at before anything else has its turn."""
RETRY_S = 5.0
ANSWER_S = 1.5
"""How long a worker may take to pass a message on; less than the postman waits for all of them."""
CHECK_S, CHECK_ALL_S, CHECKED_AT_ONCE = 1.0, 60.0, 50
HELLO_S = 10.0
log = structlog.get_logger("gateway")

Batch = tuple[int, str, bool, bool]
"""(worker, language, the reader's own danger, seen before): all that makes one frame differ from another."""


class Settings(NamedTuple):
    """Where it listens (port 0: any), with how many workers, and its bounds."""

    host: str
    port: int
    workers: int = 2
    ping_s: float = 15.0
    most: int = 19_000
    origins: tuple[str, ...] = ()


class GatewayPeer:
    """``door``: who may come in; without one nobody may. ``certificate``: TLS files (certificate, key)."""

    carries_position: bool = False
    """A frame says from where and how far a drone is to the one who reads it, and nobody's place."""
    receipt_facts: tuple[Fact, ...] = ("accepted", "on-device", "shown", "acknowledged")

    def __init__(
        self,
        name: str,
        settings: Settings,
        door: Doorkeeper | None,
        certificate: tuple[str, str] | None = None,
    ) -> None:
        self.name = name
        self.senses: tuple[str, ...] = ()
        self.counts: Counter[str] = Counter()
        self.port: int | None = None
        self._settings, self._door, self._certificate = settings, door, certificate
        self._table = Table()
        self._crew = Crew(settings.workers, self._heard, self._lost)
        self._strangers: deque[tuple[int, Stranger]] = deque()
        self._come = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._hub: BulkHub | None = None
        self._facts: FactBook | None = None
        self._admission: Admission | None = None

    async def run(self, hub: Hub) -> None:
        """Listen, let people in, and listen again after a failure, until cancelled."""
        if not isinstance(hub, BulkHub) or self._door is None:
            hub.feed(self.name, "connecting", "phones connect to a running station with accounts only")
            await asyncio.Event().wait()
            return
        self._hub = hub
        self._facts = FactBook(self.name, hub, self._table, self._crew.tell, self._spawn)
        self._admission = Admission(self._door, lambda: hub.roster)
        settings = self._settings
        where = f"{settings.host}:{settings.port}"
        while True:
            try:
                sockets = listeners(settings.host, settings.port, settings.workers)
            except OSError as error:
                hub.feed(self.name, "down", f"cannot listen on {where}: {error.strerror}; trying again")
                await asyncio.sleep(RETRY_S)
                continue
            try:
                await self._serve(hub, sockets)
            finally:
                self.port = None
                for one in sockets:
                    one.close()

    def reaches(self, unit: str) -> bool:
        """True while a phone of the unit is connected, and was heard within two pings."""
        return unit in self._table.units

    async def deliver(self, delivery: Deliver, recipient: str) -> None:
        """One of them. Raises ConnectionError if no phone of the unit took it."""
        if recipient not in await self.deliver_all(delivery, (recipient,)):
            raise ConnectionError(f"no phone of {recipient} is connected")

    async def clear(self, clear: Clear, recipient: str) -> None:
        """One of them. Raises ConnectionError if no phone of the unit took it."""
        if recipient not in await self.deliver_all(clear, (recipient,)):
            raise ConnectionError(f"no phone of {recipient} is connected")

    async def deliver_all(self, message: Deliver | Clear, recipients: Sequence[str]) -> frozenset[str]:
        """One message to many, rendered once for each language; who took it. A worker that hangs holds up
        nobody of another one."""
        alert = message.alert
        asked = self._hand_over(message, recipients, (alert.revision, call_of(alert)))
        if asked:
            await asyncio.wait(asked, timeout=ANSWER_S)
        reached: dict[str, None] = {}
        for answer, readers in asked.items():
            if not answer.done():
                answer.cancel()
                continue
            if answer.exception() is not None:
                continue
            missing = answer.result()
            for reader in readers:
                # One that came back meanwhile is another connection, and is told anew.
                if reader.place[1] not in missing and self._table.at(reader.place) is reader:
                    reached[reader.unit] = None
        if isinstance(message, Deliver) and reached and self._facts is not None:
            self._facts.accepted(alert.alert, alert.revision, reached)
        return frozenset(reached)

    def _hand_over(
        self, message: Deliver | Clear, recipients: Sequence[str], call: tuple[int, int]
    ) -> dict[asyncio.Future[frozenset[int]], list[Reader]]:
        """Give it to the workers; their answers. A pipe keeps its order, so what was handed over once counts
        as seen: while its worker lives the next copy will come behind it."""
        assert self._hub is not None
        alert, to_wall = message.alert, self._hub.clock.to_wall
        asked = {}
        for (worker, language, own, again), readers in self._batches(message, recipients, call).items():
            frame = delivery_frame(message, language, to_wall, own=own, again=again)
            if isinstance(message, Deliver) and self._facts is not None:
                self._facts.telling(alert.alert, alert.revision, readers)
            with contextlib.suppress(ConnectionError):
                asked[self._crew.send(worker, frame, [one.place[1] for one in readers])] = readers
                for reader in readers:
                    reader.saw(alert.alert, call)
        return asked

    async def publish(self, frame: Frame) -> None:
        """Nothing: the picture is not for phones."""

    def _batches(
        self, message: Deliver | Clear, recipients: Sequence[str], call: tuple[int, int]
    ) -> dict[Batch, list[Reader]]:
        alert, own, nothing = message.alert, set(message.alert.units), (-1, -1)
        name, units = alert.alert, self._table.units
        languages: dict[str, str] = {}
        batches: dict[Batch, list[Reader]] = {}
        for unit in recipients:
            for reader in units.get(unit, {}).values():
                language = languages.get(reader.language)
                if language is None:
                    language = languages[reader.language] = language_of(alert, reader.language)
                again = reader.seen.get(name, nothing) >= call
                batches.setdefault((reader.place[0], language, unit in own, again), []).append(reader)
        return batches

    # Serving ----------------------------------------------------------------------------------------

    async def _serve(self, hub: BulkHub, sockets: list[Any]) -> None:
        self.port = sockets[0].getsockname()[1]
        hub.feed(self.name, "watching", self._where())
        async with asyncio.TaskGroup() as group:
            group.create_task(self._crew.run(sockets, self._start()))
            group.create_task(self._let_in())
            group.create_task(self._look_again())

    def _where(self) -> str:
        tls = "" if self._certificate else " without encryption, this machine only"
        return f"phones on {self._settings.host}:{self.port}{tls}"

    def _start(self) -> Start:
        settings = self._settings
        authority = None
        if self._certificate is not None and self._door is not None:
            authority = Authority(self._door.folder / AUTHORITY)
        return Start(
            certificate=self._certificate[0] if self._certificate else None,
            key=self._certificate[1] if self._certificate else None,
            authority=str(authority.file) if authority else None,
            revoked=str(authority.revoked_file) if authority else None,
            most=settings.most,
            ping_s=settings.ping_s,
            hello_s=HELLO_S,
            origins=settings.origins,
            cookie=SESSION_COOKIE,
        )

    def _heard(self, worker: int, message: Stranger | Facts | Gone | Beat) -> None:
        if isinstance(message, Stranger):
            self._strange(worker, message)
        elif isinstance(message, Facts):
            assert self._facts is not None
            self.counts["facts-refused"] += self._facts.take(worker, message, unpack(message.conns))
        elif isinstance(message, Gone):
            for conn in unpack(message.conns):
                self._table.remove((worker, conn))
        else:
            self.counts.update(message.counts)
            if self._hub is not None:
                self._hub.heard(self.name)

    def _lost(self, worker: int) -> None:
        """A worker has ended: its phones come back by themselves, and are told what they have not
        acknowledged."""
        lost = self._table.lose(worker)
        log.warning("a worker of the gateway has ended", worker=worker, phones=lost)
        self._strangers = deque(one for one in self._strangers if one[0] != worker)

    def _strange(self, worker: int, stranger: Stranger) -> None:
        if len(self._strangers) >= MOST_WAITING:
            self.counts["too-many-waiting"] += 1
            refusal = Refusal(why="many are connecting at this moment", wait_s=5.0)
            self._crew.tell(worker, Refuse(stranger.conn, write(refusal)))
            return
        self._strangers.append((worker, stranger))
        self._come.set()

    async def _let_in(self) -> None:
        """Look at strangers, a few at a time: a crowd at the gate must not hold up a warning."""
        while True:
            self._come.clear()
            came: list[str] = []
            while self._strangers and len(came) < AT_ONCE:
                worker, stranger = self._strangers.popleft()
                unit = await self._admit(worker, stranger)
                if unit is not None:
                    came.append(unit)
            if came and self._hub is not None:
                self._hub.returned(self.name, came)
            await (asyncio.sleep(0) if self._strangers else self._come.wait())

    async def _admit(self, worker: int, stranger: Stranger) -> str | None:
        """Let one in, or not; the unit."""
        assert self._admission is not None
        try:
            admitted = await self._admission.admit(stranger)
        except Refused as refused:
            self.counts["refused"] += 1
            frame = write(Refusal(why=str(refused)))
            self._crew.tell(worker, Refuse(stranger.conn, frame, wrong=True))
            return None
        reader = self._welcome((worker, stranger.conn), stranger, admitted)
        self._tell_of_state(reader)
        return reader.unit

    def _welcome(self, place: Place, stranger: Stranger, admitted: Admitted) -> Reader:
        reader = Reader(place, admitted.unit, admitted.who, stranger, acknowledges=admitted.acknowledges)
        welcome = Welcome(
            v=VERSION,
            unit=admitted.unit,
            acknowledges=admitted.acknowledges,
            at=time.time(),
            ping_s=self._settings.ping_s,
        )
        self._crew.tell(place[0], Admit(place[1], write(welcome)))
        gave_way = self._table.add(reader)
        if gave_way is not None:
            self.counts["gave-way"] += 1
            self._shut_out(gave_way, "this unit has connected from too many devices")
        return reader

    def _tell_of_state(self, reader: Reader) -> None:
        """What the outbox does not hold any more: alerts that are in hand, and the end of one it has seen."""
        assert self._hub is not None
        to_wall = self._hub.clock.to_wall
        for alert in self._hub.alerts_of(reader.unit):
            if alert.state == "active-acked":
                language = language_of(alert, reader.language)
                frame = alert_frame(alert, language, to_wall, own=True, sound=False, again=True)
            elif alert.state == "cleared" and alert.alert in reader.seen:
                frame = clear_frame(alert, language_of(alert, reader.language), to_wall)
            else:
                continue
            self._crew.tell(reader.place[0], Send(0, frame, pack([reader.place[1]])))

    async def _look_again(self) -> None:
        """Shut out whoever would not be let in any more: at once when the accounts change, and now and
        then, because sessions and duties end by themselves."""
        assert self._door is not None
        version, looked = self._version(), time.monotonic()
        while True:
            await asyncio.sleep(CHECK_S)
            now = self._version()
            if now == version and time.monotonic() - looked < CHECK_ALL_S:
                continue
            version, looked = now, time.monotonic()
            for number, reader in enumerate(self._table.all()):
                if number % CHECKED_AT_ONCE == 0:
                    await asyncio.sleep(0.01)
                self._still_good(reader)

    def _version(self) -> int:
        """A number that is another one when somebody has changed the accounts."""
        assert self._door is not None
        row = self._door.store.row("PRAGMA data_version")
        return 0 if row is None else int(row[0])

    def _still_good(self, reader: Reader) -> None:
        assert self._admission is not None
        if self._table.at(reader.place) is not reader:
            return
        try:
            again = self._admission.again(reader.showed)
        except Refused as refused:
            self._shut_out(reader, str(refused))
            return
        if again.unit != reader.unit:
            self._shut_out(reader, "your unit has changed: connect again")

    def _shut_out(self, reader: Reader, why: str) -> None:
        self.counts["shut-out"] += 1
        self._table.remove(reader.place)
        self._crew.tell(reader.place[0], Refuse(reader.place[1], write(Refusal(why=why))))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def gateway_peer(feed: FeedConfig, door: Doorkeeper | None) -> GatewayPeer:
    """``gateway://HOST:PORT?workers=K``; without a host it is this machine's own. Raises ConfigError."""
    try:
        parts = urlsplit(feed.url)
        host, port = parts.hostname or "127.0.0.1", parts.port
    except ValueError:
        port = None
    if port is None or parts.path not in ("", "/"):
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r} is not gateway://HOST:PORT")
    options = parse_qs(parts.query, keep_blank_values=True)
    unknown = ", ".join(sorted(options.keys() - OPTIONS))
    if unknown:
        known = ", ".join(sorted(OPTIONS))
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r}: unknown {unknown}; there are {known}")
    settings = Settings(
        host=host,
        port=port,
        workers=_number(feed, options, "workers", 2, 1, MOST_WORKERS),
        ping_s=float(_number(feed, options, "ping", 15, 1, 120)),
        most=_number(feed, options, "most", 19_000, 1, 1_000_000),
        origins=tuple(one.lower() for one in options.get("origin", ())),
    )
    return GatewayPeer(feed.name, settings, door, _files(feed, host))


def _number(
    feed: FeedConfig, options: dict[str, list[str]], name: str, default: int, least: int, most: int
) -> int:
    text = options.get(name, [str(default)])[-1]
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise ConfigError(f"feed {feed.name!r}: {name}={text}: a whole number from {least} to {most}")
    return int(text)


def _files(feed: FeedConfig, host: str) -> tuple[str, str] | None:
    """Certificate and key. Raises ConfigError: one without the other, or none where others can listen."""
    if (feed.cert_file is None) != (feed.key_file is None):
        raise ConfigError(f"feed {feed.name!r}: cert_file and key_file go together")
    if feed.cert_file is not None and feed.key_file is not None:
        for name in (feed.cert_file, feed.key_file):
            if not Path(name).is_file():
                raise ConfigError(f"feed {feed.name!r}: there is no file {name}")
        return feed.cert_file, feed.key_file
    if host not in LOOPBACK:
        raise ConfigError(
            f"feed {feed.name!r}: warnings and sessions would go to {host}, beyond this machine, unencrypted;"
            " make a certificate (vedette authority server NAME -o FOLDER) and give cert_file and key_file"
        )
    return None
