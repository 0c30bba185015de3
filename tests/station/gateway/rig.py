"""A real station with a gateway and its worker processes, and phones that connect to it by WebSocket."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from vedette.model import Alert
from vedette.model.event import Clear, Deliver
from vedette.model.threat import Level
from vedette.station.access import Doorkeeper
from vedette.station.assemble import assemble
from vedette.station.config import FeedConfig, StationConfig
from vedette.station.gateway.peer import GatewayPeer
from vedette.station.station import Station
from vedette.wire.gateway import Ack, AlertFrame, ClearFrame, Hello, Server, Welcome, read_server, write

from station_build import SITE  # isort: skip


class Phone:
    """One connection, and all that it has read. ``Phone.open`` says hello and waits for the answer."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.read: list[Server] = []
        self.ended: int | None = None
        self._reader = asyncio.create_task(self._listen())

    @classmethod
    async def open(cls, port: int, hello: Hello, **options: object) -> "Phone":
        phone = cls(await dial(port, **options))
        await phone.say(hello)
        await until(lambda: phone.read or phone.ended is not None, "an answer to hello")
        return phone

    async def _listen(self) -> None:
        try:
            async for data in self.socket:
                assert isinstance(data, str)
                self.read.append(read_server(data.encode()))
        except ConnectionClosed:
            pass
        self.ended = self.socket.close_code or 0

    async def say(self, frame: Hello | Ack) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self.socket.send(write(frame).decode())

    async def close(self) -> None:
        await self.socket.close()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader

    @property
    def welcomed(self) -> bool:
        return bool(self.read) and isinstance(self.read[0], Welcome)

    @property
    def alerts(self) -> list[AlertFrame]:
        return [frame for frame in self.read if isinstance(frame, AlertFrame)]

    @property
    def clears(self) -> list[ClearFrame]:
        return [frame for frame in self.read if isinstance(frame, ClearFrame)]


async def dial(port: int, **options: object) -> ClientConnection:
    """Connect; a worker may still be starting."""
    options.setdefault("uri", f"ws://127.0.0.1:{port}/alerts")
    return await connect(**options, proxy=None, compression=None, open_timeout=30)  # type: ignore[arg-type]


class Rig:
    """``sessions``: of each officer, by his unit (U0, U1 ...)."""

    def __init__(
        self, station: Station, peer: GatewayPeer, sessions: dict[str, str], door: Doorkeeper
    ) -> None:
        self.station, self.peer, self.sessions, self.door = station, peer, sessions, door
        self.revision = 0

    @property
    def port(self) -> int:
        assert self.peer.port is not None
        return self.peer.port

    def hello(self, of: str, **fields: object) -> Hello:
        return Hello(v=1, session=self.sessions[of], **fields)  # type: ignore[arg-type]

    async def phone(self, unit: str, **fields: object) -> Phone:
        phone = await Phone.open(self.port, self.hello(unit, **fields))
        assert phone.welcomed, phone.read
        return phone

    def alert(self, unit: str, level: Level = "imminent", revision: int = 1, name: str = "") -> Alert:
        at = self.station.clock.now()
        return Alert(
            time=at,
            alert=name or f"A{unit}",
            revision=revision,
            level=level,
            state="active-unacked",
            units=(unit,),
            track="T1",
            behaviour="direct-run",
            text={"en": f"drone, revision {revision}", "es": f"dron, revision {revision}"},
            expires=at + 120.0,
            bearing_deg=45.0,
            range_m=800.0,
            time_to_impact_s=(15.0, 25.0),
        )

    def deliver(self, *units: str, sound: bool = True, **fields: object) -> Alert:
        """As the core would decide it: into the log, and to be performed."""
        alert = self.alert(units[0], **fields)  # type: ignore[arg-type]
        message = Deliver(alert=alert, recipients=units, rule="unit-at-risk", roster_version=1, sound=sound)
        self.station._engine.resume([message])
        return alert

    def clear(self, alert: Alert, *units: str) -> None:
        self.station._engine.resume([Clear(alert=alert, recipients=units)])

    def workers(self) -> list[int]:
        """Process ids."""
        members = self.peer._crew.members.values()
        return [member.process.pid for member in members if member.process is not None]


async def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something to become true; the limit only keeps a broken test from hanging."""
    end = time.monotonic() + 60.0
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"never happened: {what}")
        await asyncio.sleep(0.01)


def officers(door: Doorkeeper, count: int) -> dict[str, str]:
    """Officers with a linked phone each: unit -> session."""
    sessions, now = {}, time.time()
    with door.store.transaction():
        for number in range(count):
            unit = f"U{number}"
            officer = door.people.add("test", f"officer-{number}", "officer", ("officer",), now)
            door.people.bind_unit("test", officer.name, unit, now)
            sessions[unit] = door.sessions.begin(door.people.get(officer.name), "phone", True, now).reveal()
    return sessions


@contextlib.asynccontextmanager
async def serving(config: StationConfig, door: Doorkeeper, sessions: dict[str, str]) -> AsyncIterator[Rig]:
    """The station runs, and its workers listen."""
    station = assemble(config, door)
    peer = next(one for one in station.peers if isinstance(one, GatewayPeer))
    task = asyncio.create_task(station.run())
    try:
        rig = Rig(station, peer, sessions, door)
        await until(lambda: peer.port is not None and rig.workers(), "listening")
        yield rig
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@contextlib.asynccontextmanager
async def running(folder: Path, *, units: int = 3, workers: int = 2, options: str = "") -> AsyncIterator[Rig]:
    """A station with officers U0, U1 ... and their phones' sessions."""
    door = Doorkeeper(folder / "state", SITE.name, background=True)
    sessions = officers(door, units)
    feed = FeedConfig(name="gate", url=f"gateway://127.0.0.1:0?workers={workers}{options}")
    config = StationConfig(site=SITE, state=str(folder / "state"), feed=(feed,))
    async with serving(config, door, sessions) as rig:
        await until(lambda: len(rig.workers()) == workers, "all workers")
        yield rig
    door.close()


def play(
    folder: Path,
    scene: Callable[[Rig], Awaitable[None]],
    *,
    units: int = 3,
    workers: int = 2,
    options: str = "",
) -> None:
    """Run one scene on a rig of its own."""

    async def whole() -> None:
        async with running(folder, units=units, workers=workers, options=options) as rig:
            await scene(rig)

    asyncio.run(whole())
