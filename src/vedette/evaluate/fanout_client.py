"""Phones by the thousand in one process, for ``vedette bench fanout``: real WebSocket clients of the gateway.

``python -m vedette.evaluate.fanout_client`` reads one line of JSON (`Orders`) on standard input, connects,
says ``ready``, and at the next line writes what every phone saw (`Report`) and ends. Each phone acknowledges
the alert as soon as it has it.
"""

import asyncio
import resource
import signal
import ssl
import sys
import time
from typing import Any

import msgspec
import uvloop
from msgspec import Struct
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from vedette.wire.gateway import Ack, AlertFrame, Hello, Taken, Welcome, read_server, write

AT_ONCE = 100
OPEN_S = 60.0


class Orders(Struct):
    """Where to, with which sessions, from which addresses of this machine. ``raw``: a plain server that sends
    one text to everybody and wants one back; then there is neither hello nor welcome."""

    url: str
    sessions: list[str]
    addresses: list[str]
    authority: str | None = None
    raw: bool = False


class Report(Struct):
    """Unix seconds: when each phone first had an alert, and when it heard that its answer was taken."""

    told: list[float]
    taken: list[float]
    sounded_twice: int
    lost: int


class Phone(WSListener):
    """One phone."""

    def __init__(self, crowd: "Crowd", session: str) -> None:
        self._crowd, self._session = crowd, session
        self.told = self.taken = 0.0
        self.sounds = 0
        self.welcome = False

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Says hello."""
        if self._crowd.raw:
            self._crowd.came(self)
        else:
            transport.send(WSMsgType.TEXT, write(Hello(v=1, session=self._session)))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Reads, and answers an alert."""
        if frame.msg_type != WSMsgType.TEXT:
            return
        if self._crowd.raw:
            self.told = time.time()
            transport.send(WSMsgType.TEXT, b"ack")
            return
        message = read_server(frame.get_payload_as_bytes())
        if isinstance(message, AlertFrame):
            self.told = self.told or time.time()
            transport.send(WSMsgType.TEXT, write(Ack(message.id, message.rev, "acknowledged")))
            self.sounds += message.sound
        elif isinstance(message, Taken):
            self.taken = self.taken or time.time()
        elif isinstance(message, Welcome) and not self.welcome:
            self.welcome = True
            self._crowd.came(self)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """It is over."""
        self._crowd.lost += 1


class Crowd:
    """All phones of this process."""

    def __init__(self, orders: Orders) -> None:
        self.raw, self._orders = orders.raw, orders
        self.lost = 0
        self._phones: list[Phone] = []
        self._here = 0
        self._all = asyncio.Event()

    def came(self, phone: Phone) -> None:
        """One is let in."""
        self._here += 1
        if self._here == len(self._orders.sessions):
            self._all.set()

    async def connect(self) -> None:
        """All of them, some at a time. Raises TimeoutError."""
        slots, context = asyncio.Semaphore(AT_ONCE), None
        if self._orders.authority is not None:
            context = ssl.create_default_context(cafile=self._orders.authority)
        async with asyncio.timeout(OPEN_S + len(self._orders.sessions) / 200.0):
            async with asyncio.TaskGroup() as group:
                for number, session in enumerate(self._orders.sessions):
                    await slots.acquire()
                    group.create_task(self._one(number, session, slots, context))
            await self._all.wait()

    async def _one(
        self, number: int, session: str, slots: asyncio.Semaphore, context: ssl.SSLContext | None
    ) -> None:
        phone = Phone(self, session)
        self._phones.append(phone)
        address = self._orders.addresses[number % len(self._orders.addresses)]
        more: dict[str, Any] = {"local_addr": (address, 0)}
        try:
            await ws_connect(
                lambda: phone,
                self._orders.url,
                ssl_context=context,
                websocket_handshake_timeout=OPEN_S,
                read_buffer_init_size=1024,
                **more,
            )
        finally:
            slots.release()

    def report(self) -> Report:
        """What they saw."""
        return Report(
            told=[phone.told for phone in self._phones if phone.told],
            taken=[phone.taken for phone in self._phones if phone.taken],
            sounded_twice=sum(phone.sounds > 1 for phone in self._phones),
            lost=self.lost,
        )


async def _main() -> None:
    loop = asyncio.get_running_loop()
    orders = msgspec.json.decode(await loop.run_in_executor(None, sys.stdin.buffer.readline), type=Orders)
    crowd = Crowd(orders)
    await crowd.connect()
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.buffer.readline)
    sys.stdout.buffer.write(msgspec.json.encode(crowd.report()) + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    uvloop.run(_main())
