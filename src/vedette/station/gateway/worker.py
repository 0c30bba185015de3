"""One worker: holds connections, and passes frames between them and the station.

``python -m vedette.station.gateway.worker PIPE LISTENER`` with the numbers of two inherited sockets; the
station starts it. It ends when the station does.
"""

import asyncio
import logging
import math
import os
import resource
import signal
import socket
import ssl
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

import uvloop
from picows import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

from vedette.station.gateway.gate import Gate
from vedette.station.gateway.pipe import (
    Admit,
    Beat,
    Facts,
    Gone,
    Pipe,
    Refuse,
    Send,
    Sent,
    Start,
    Stranger,
    ToWorker,
    pack,
    unpack,
)
from vedette.wire.errors import DecodeError
from vedette.wire.gateway import MOST_BYTES, VERSION, Ack, AckFact, Hello, Refusal, read_client, write

PATH = "/alerts"
FLUSH_S = 0.005
"""Facts are gathered for so long before they go to the station together."""
SWEEP_S = 0.5
MOST_FRAMES = 400
"""Of one connection between two looks at it."""
WRITE_HIGH = 64 * 1024
"""What may wait for a phone that does not read; beyond, it is cut off."""
CLOSING_S = 2.0
SPARE_DESCRIPTORS = 200
UNSENT_MS = 20_000
"""A phone that does not confirm what was sent to it for so long is gone (TCP_USER_TIMEOUT)."""


class Connection(WSListener):
    """One WebSocket. ``conn`` is its number, 0 before it stands at the gate; ``known`` once let in."""

    def __init__(self, worker: "Worker", request: WSUpgradeRequest) -> None:
        self.worker = worker
        self.cookie = cookie_of(request.headers.get("Cookie", ""), worker.cookie)
        self.conn = 0
        self.address = ""
        self.known = self.asked = self.ending = False
        self.heard = self.since = worker.now
        self.frames = 0
        self.transport: WSTransport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self.transport = transport
        self.worker.came(self, transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Whatever it says."""
        self.heard = self.worker.now
        self.frames += 1
        kind = frame.msg_type
        if self.ending:
            return
        if self.frames > MOST_FRAMES:
            self.worker.cut(self, "too-many-frames", WSCloseCode.POLICY_VIOLATION)
        elif kind == WSMsgType.TEXT and frame.fin:
            self.worker.said(self, frame.get_payload_as_bytes())
        elif kind == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())
        elif kind == WSMsgType.CLOSE:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
        elif kind != WSMsgType.PONG:
            self.worker.cut(self, "no-text-frame", WSCloseCode.UNSUPPORTED_DATA)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """It is over."""
        self.worker.went(self)

    def pause_writing(self) -> None:
        """It does not read: nobody else waits for it."""
        self.worker.counts["does-not-read"] += 1
        self.ending = True
        if self.transport is not None:
            self.transport.disconnect(False)

    def resume_writing(self) -> None:
        """It reads again; it has been cut off all the same."""


class Worker:
    """All connections of one process, and the pipe to the station."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.now = time.monotonic()
        self.pipe: Pipe[ToWorker] = Pipe(ToWorker, self._told, self._orphaned)
        self._gate = Gate()
        self.cookie = ""
        self._start: Start | None = None
        self._started = asyncio.Event()
        self._connections: dict[int, Connection] = {}
        self._round: list[int] = []
        self._next = 1
        self._facts: dict[tuple[str, int, AckFact], list[int]] = {}
        self._gone: list[int] = []
        self._flushing = False

    async def run(self, pipe: socket.socket, listener: socket.socket) -> None:
        """Serve until the station is gone."""
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: self.pipe, sock=pipe)
        await self._started.wait()
        assert self._start is not None
        tls = tls_of(self._start)
        await ws_create_server(
            self._upgrade,
            sock=listener,
            ssl=tls,
            backlog=4096,
            websocket_handshake_timeout=self._start.hello_s,
            enable_auto_pong=False,
            max_frame_size=MOST_BYTES,
            read_buffer_init_size=1024,
            ssl_handshake_timeout=self._start.hello_s if tls else None,
        )
        while True:
            self._beat()
            await asyncio.sleep(SWEEP_S)
            self._sweep()
            await asyncio.sleep(SWEEP_S)
            self._sweep()

    # Connections ------------------------------------------------------------------------------------

    def came(self, connection: Connection, transport: WSTransport) -> None:
        """A connection stands at the gate."""
        assert self._start is not None
        under = transport.underlying_transport
        connection.address = address_of(under.get_extra_info("peername"))
        under.set_write_buffer_limits(high=WRITE_HIGH)
        own = under.get_extra_info("socket")
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNSENT_MS)
        refusal = self._gate.refusal(connection.address, time.monotonic())
        if len(self._connections) >= self._start.most:
            refusal = "no-more-room"
        if refusal is not None:
            self.counts[refusal] += 1
            self._end(connection, Refusal(why=refusal, wait_s=5.0), WSCloseCode.TRY_AGAIN_LATER)
            return
        connection.conn, self._next = self._next, self._next + 1
        connection.heard = connection.since = self.now
        self._connections[connection.conn] = connection
        self._gate.enter(connection.address)

    def went(self, connection: Connection) -> None:
        """A connection is over."""
        if connection.conn == 0 or self._connections.pop(connection.conn, None) is None:
            return
        if connection.known:
            self._gone.append(connection.conn)
            self._soon()
        else:
            self._gate.leave(connection.address)

    def said(self, connection: Connection, data: bytes) -> None:
        """A text frame came."""
        try:
            frame = read_client(data)
        except DecodeError as error:
            self.cut(connection, error.reason, WSCloseCode.POLICY_VIOLATION)
            return
        if isinstance(frame, Hello):
            self._hello(connection, frame)
        elif connection.known:
            self._fact(connection, frame)
        else:
            self.cut(connection, "facts-of-a-stranger", WSCloseCode.POLICY_VIOLATION)

    def cut(self, connection: Connection, reason: str, code: WSCloseCode) -> None:
        """It broke the rules: told so, and ended."""
        self.counts[reason] += 1
        self._gate.wrong(connection.address, time.monotonic())
        self._end(connection, Refusal(why=reason), code)

    def _end(self, connection: Connection, why: Refusal, code: WSCloseCode) -> None:
        self._end_with(connection, write(why), code)

    def _end_with(self, connection: Connection, frame: bytes, code: WSCloseCode) -> None:
        transport = connection.transport
        if transport is None or connection.ending:
            return
        connection.ending = True
        transport.send(WSMsgType.TEXT, frame)
        transport.send_close(code)
        transport.disconnect()
        # Whoever does not read could keep a connection that is being closed in order for ever.
        asyncio.get_running_loop().call_later(CLOSING_S, transport.disconnect, False)

    def _upgrade(self, request: WSUpgradeRequest) -> Connection | WSUpgradeResponseWithListener | None:
        assert self._start is not None
        if request.path.partition(b"?")[0] != PATH.encode():
            return None
        if not origin_is_good(
            request.headers.get("Origin"), request.headers.get("Host", ""), self._start.origins
        ):
            self.counts["page-of-another-host"] += 1
            refused = WSUpgradeResponse.create_error_response(403, b"this page may not connect here\n")
            return WSUpgradeResponseWithListener(refused, None)
        return Connection(self, request)

    def _hello(self, connection: Connection, hello: Hello) -> None:
        if connection.asked:
            self.cut(connection, "hello-twice", WSCloseCode.POLICY_VIOLATION)
            return
        connection.asked = True
        if hello.v != VERSION:
            self.counts["another-version"] += 1
            why = Refusal(why=f"this station speaks version {VERSION} of the protocol")
            self._end(connection, why, WSCloseCode.POLICY_VIOLATION)
            return
        assert connection.transport is not None
        tls = connection.transport.underlying_transport.get_extra_info("ssl_object")
        self._tell(
            Stranger(
                conn=connection.conn,
                address=connection.address,
                session=hello.session or connection.cookie,
                token=hello.token,
                certificate=tls.getpeercert(binary_form=True) if tls is not None else None,
                unit=hello.unit,
                language=hello.lang,
                seen=hello.seen,
            )
        )

    def _fact(self, connection: Connection, ack: Ack) -> None:
        key = (ack.id, ack.rev, ack.fact)
        self._facts.setdefault(key, []).append(connection.conn)
        self._soon()

    # The station ------------------------------------------------------------------------------------

    def _told(self, message: ToWorker) -> None:
        if isinstance(message, Send):
            self._send(message)
        elif isinstance(message, Admit):
            self._admit(message)
        elif isinstance(message, Refuse):
            self._refuse(message)
        else:
            self._start, self.cookie = message, message.cookie
            self._started.set()

    def _admit(self, admit: Admit) -> None:
        connection = self._connections.get(admit.conn)
        if connection is None or connection.transport is None:
            # It left while the station looked at it.
            self._gone.append(admit.conn)
            self._soon()
            return
        if not connection.known:
            connection.known = True
            self._gate.leave(connection.address)
        connection.transport.send(WSMsgType.TEXT, admit.frame)

    def _refuse(self, refuse: Refuse) -> None:
        connection = self._connections.get(refuse.conn)
        if connection is None:
            return
        if refuse.wrong:
            self.counts["refused"] += 1
            self._gate.wrong(connection.address, time.monotonic())
        self._end_with(connection, refuse.frame, WSCloseCode.POLICY_VIOLATION)

    def _send(self, message: Send) -> None:
        frame, connections, text = message.frame, self._connections, WSMsgType.TEXT
        missing = []
        for conn in unpack(message.conns):
            connection = connections.get(conn)
            if connection is None or connection.ending or connection.transport is None:
                missing.append(conn)
            else:
                connection.transport.send(text, frame)
        if message.number:
            self._tell(Sent(message.number, pack(missing)))

    def _soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_later(FLUSH_S, self._flush)

    def _flush(self) -> None:
        self._flushing = False
        facts, self._facts = self._facts, {}
        for (alert, revision, fact), conns in facts.items():
            self._tell(Facts(alert, revision, fact, pack(conns)))
        if self._gone:
            gone, self._gone = self._gone, []
            self._tell(Gone(pack(gone)))

    def _tell(self, message: Stranger | Facts | Gone | Sent | Beat) -> None:
        try:
            self.pipe.send(message)
        except ConnectionError:
            self._orphaned()

    def _orphaned(self) -> None:
        """Without a station there is nothing to serve; phones connect again when there is one."""
        os._exit(0)

    # Time passes ------------------------------------------------------------------------------------

    def _beat(self) -> None:
        counts, self.counts = dict(self.counts), Counter()
        self._tell(Beat(len(self._connections), counts))

    def _sweep(self) -> None:
        """Look at a share of the connections, all of them within half of ``ping_s``."""
        assert self._start is not None
        self.now = time.monotonic()
        if not self._round:
            self._round = list(self._connections)
        share = max(64, math.ceil(2.0 * SWEEP_S * len(self._connections) / self._start.ping_s))
        part, self._round = self._round[-share:], self._round[:-share]
        for conn in part:
            connection = self._connections.get(conn)
            if connection is not None and connection.transport is not None:
                self._look(connection, connection.transport, self._start)

    def _look(self, connection: Connection, transport: WSTransport, start: Start) -> None:
        connection.frames = 0
        silent_s = self.now - connection.heard
        if not connection.known and not connection.ending and self.now - connection.since > start.hello_s:
            self.cut(connection, "said-no-hello", WSCloseCode.POLICY_VIOLATION)
        elif silent_s > 2.0 * start.ping_s:
            self.counts["silent"] += 1
            transport.disconnect(False)
        elif silent_s > 0.4 * start.ping_s:
            transport.send_ping()


def cookie_of(header: str, name: str) -> str | None:
    """The value of one cookie, if it is short enough to be one of ours."""
    for part in header[:MOST_BYTES].split(";"):
        key, _, value = part.strip().partition("=")
        if key == name and 0 < len(value) <= 256:
            return value
    return None


def origin_is_good(origin: str | None, host: str, also: tuple[str, ...]) -> bool:
    """Whether the page that connects may: that of the host itself, or one that was named. A program that is
    no browser sends no origin."""
    if origin is None:
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return bool(parts.netloc) and (parts.netloc.lower() == host.lower() or origin.lower() in also)


def address_of(peer: object) -> str:
    """What limits are counted by: an IPv4 address, or the first 64 bits of an IPv6 one."""
    if not isinstance(peer, tuple) or not peer:
        return "?"
    address = str(peer[0])
    if ":" not in address:
        return address
    try:
        packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    except OSError:
        return address
    return socket.inet_ntop(socket.AF_INET6, packed[:8] + bytes(8))


def tls_of(start: Start) -> ssl.SSLContext | None:
    """The listener's TLS. A phone that came by a link has no certificate: it is asked for, not required."""
    if start.certificate is None or start.key is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    context.load_cert_chain(start.certificate, start.key)
    if start.authority is not None:
        context.verify_mode = ssl.CERT_OPTIONAL
        context.load_verify_locations(start.authority)
        if start.revoked is not None and Path(start.revoked).exists():
            context.load_verify_locations(start.revoked)
            context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


def raise_descriptors() -> int:
    """As many open connections as this process may hold."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - SPARE_DESCRIPTORS


async def _main(pipe: int, listener: int) -> None:
    await Worker().run(socket.socket(fileno=pipe), socket.socket(fileno=listener))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("picows").setLevel(logging.CRITICAL)
    raise_descriptors()
    uvloop.run(_main(int(sys.argv[1]), int(sys.argv[2])))
