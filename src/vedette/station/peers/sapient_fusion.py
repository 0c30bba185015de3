"""SAPIENT edge nodes (BSI Flex 335 v2.0) that connect to this station as their fusion node.

``sapient+tcp-listen://[HOST:]PORT``   in the clear; a listener without HOST is on loopback
``sapient+tls-listen://[HOST:]PORT``   nodes need a certificate of ``ca_file``

``?node=UUID`` (it may be repeated): only these nodes may register. ``?strict=1``: messages whose time is
out of the standard's window are refused; without it they are answered with an Error and still used.

Each node that registers is a feed of its own, ``NAME/<its name>``. Its Registration comes first, its
heartbeats at the interval it registered; three missed ones and it is down. Effectors may register; they
are shown as present and are never tasked.
"""

import asyncio
import secrets
import ssl

from vedette.express.sapient_node import Node as OwnNode
from vedette.express.sapient_node import node_id
from vedette.model import ConfigError
from vedette.station.config import FeedConfig
from vedette.station.peers._cot_stream import Certificates, certificate_subject, server_context
from vedette.station.peers._datagrams import RETRY_S
from vedette.station.peers._line_feed import Address, address_of, is_loopback
from vedette.station.peers._remote_id import Receiver
from vedette.station.peers._sapient_link import FRAME_S, READ_BYTES, SapientLink
from vedette.station.peers._sapient_roster import MOST_NODES, Roster
from vedette.station.peers._sapient_session import USUAL, Session, Terms
from vedette.station.peers._sapient_sieve import Allowance, Allowances
from vedette.station.ports import Hub, Peer
from vedette.wire.sapient import TimeWindow, is_uuid4

MOST_CONNECTIONS = MOST_NODES + 16
MOST_PER_S_TOGETHER = 2000
"""Detections of all connections that are decoded in a second."""
OTHERS_PER_S_TOGETHER = 1000
HANDSHAKE_S = 10.0
WRITE_LIMIT = 256 * 1024
SEND_TIMEOUT_S = 5.0

_OPTIONS = frozenset({"node", "strict"})
_SECURE = "sapient+tls-listen"

_ENDS = (
    ("nothing heard", "silent"),
    ("a message was begun", "message not ended"),
    ("a message of", "oversized message"),
    ("it did not register", "never registered"),
    ("another connection", "replaced by its own node"),
    ("the other side took nothing", "does not read"),
    ("the other side does not keep up", "does not read"),
)
"""Beginnings of what a connection ended with -> what it is counted under."""


class SapientFusionPeer(Receiver):
    """Listens for edge nodes. ``port`` is the real one once it listens.

    ``own``: the UUID of this station as a node. ``terms``: what connections may do. ``most_together``:
    detections a second of all of them. ``frame_s``: how long a message may take from its first byte to
    its last. ``watch_s``: how often heartbeats are looked at. When ``most_connections`` are open, a
    newcomer takes the place of the oldest that has not registered; if there is none it is refused.
    """

    def __init__(
        self,
        name: str,
        address: Address,
        *,
        own: str,
        key: bytes,
        expected: frozenset[str] = frozenset(),
        tls: ssl.SSLContext | None = None,
        terms: Terms = USUAL,
        most_nodes: int = MOST_NODES,
        most_connections: int = MOST_CONNECTIONS,
        most_together: int = MOST_PER_S_TOGETHER,
        frame_s: float = FRAME_S,
        watch_s: float = 0.5,
        retry_s: float = RETRY_S,
    ) -> None:
        super().__init__(name)
        self.port = address.port
        self._address, self._own_id, self._key, self._expected = address, own, key, expected
        self._tls, self._terms = tls, terms
        self._most_nodes, self._most_connections, self._most_together = (
            most_nodes,
            most_connections,
            most_together,
        )
        self._frame_s, self._watch_s, self._retry_s = frame_s, watch_s, retry_s
        self._open: dict[Session, asyncio.Task[None]] = {}
        self._told: tuple[str, str] | None = None

    async def run(self, hub: Hub) -> None:
        """Listen until cancelled; a port that cannot be had is tried again."""
        now = asyncio.get_running_loop().time
        roster = Roster(hub, self.name, self._expected, self._most_nodes, now)
        while True:
            try:
                await self._listen(hub, roster)
            except OSError as error:
                self._told = None
                hub.feed(self.name, "down", f"cannot listen on {self._where}: {error.strerror or error}")
            await asyncio.sleep(self._retry_s)

    @property
    def _where(self) -> str:
        return f"TCP {self._address.host}:{self.port} ({self._reach})"

    @property
    def _reach(self) -> str:
        if self._tls is None or is_loopback(self._address.host):
            return self._address.reach()
        return "open to the network, to holders of a certificate"

    async def _listen(self, hub: Hub, roster: Roster) -> None:
        own = OwnNode(id=self._own_id, name=self.name, site=hub.site, key=self._key)
        now = asyncio.get_running_loop().time
        most = self._most_together
        together = Allowances(Allowance(most, now), Allowance(OTHERS_PER_S_TOGETHER, now))

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if not self._room(hub):
                hub.counted(self.name, "connection-refused: too many", 1)
                writer.transport.abort()
                return
            link = SapientLink(
                reader, writer, write_limit=WRITE_LIMIT, send_timeout_s=SEND_TIMEOUT_S, frame_s=self._frame_s
            )
            session = Session(
                hub, self.name, link, roster, own, self._terms, together,
                subject=certificate_subject(writer), changed=lambda: self._tell(hub, roster),
            )  # fmt: skip
            self._open[session] = asyncio.create_task(self._serve(session, link, hub, roster))
            self._tell(hub, roster)

        server = await asyncio.start_server(
            connected, self._address.host, self._address.port, limit=READ_BYTES, ssl=self._tls,
            ssl_handshake_timeout=HANDSHAKE_S if self._tls is not None else None,
        )  # fmt: skip
        try:
            self.port = server.sockets[0].getsockname()[1]
            self._tell(hub, roster)
            await self._watch(hub, roster)
        finally:
            server.close()
            tasks = list(self._open.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _watch(self, hub: Hub, roster: Roster) -> None:
        now = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(self._watch_s)
            for session in list(self._open):
                session.check()
            for node in roster.nodes:
                node.check(now())
            self._tell(hub, roster)

    async def _serve(self, session: Session, link: SapientLink, hub: Hub, roster: Roster) -> None:
        try:
            words = await session.run()
            reason = _reason(words, link.pending_bytes)
            if reason is not None:
                hub.counted(self.name, f"connection-dropped: {reason}", 1)
        finally:
            self._open.pop(session, None)
            self._tell(hub, roster)
            await link.close()

    def _room(self, hub: Hub) -> bool:
        if len(self._open) < self._most_connections:
            return True
        waiting = [session for session in self._open if session.waits]
        if not waiting:
            return False
        oldest = min(waiting, key=lambda session: session.opened_at)
        self._open.pop(oldest).cancel()
        hub.counted(self.name, "connection-dropped: made room for another", 1)
        return True

    def _tell(self, hub: Hub, roster: Roster) -> None:
        """A listener whose nodes are silent, or that has none, watches nothing (law 2)."""
        registered = sum(len(session.nodes) for session in self._open)
        watching = sum(node.watches for node in roster.nodes)
        nodes = (
            f"{registered} node{'' if registered == 1 else 's'} registered"
            if registered
            else "no node registered"
        )
        told = ("watching" if watching else "connecting", f"listening on {self._where}, {nodes}")
        if told == self._told:
            return
        self._told = told
        hub.feed(self.name, "watching" if watching else "connecting", told[1])


def sapient_fusion_peer(feed: FeedConfig, secret: bytes | None = None) -> Peer:
    """The peer for a ``sapient+...-listen`` URL. ``secret`` gives the station the same node id after a
    restart; without it the id is new each time. Raises ConfigError."""
    scheme = feed.url.partition(":")[0]
    address = address_of(_with_host(feed), _OPTIONS, listens=True)
    files = Certificates(cafile=feed.ca_file, certfile=feed.cert_file, keyfile=feed.key_file)
    key = secret if secret is not None else secrets.token_bytes(32)
    return SapientFusionPeer(
        feed.name,
        address,
        own=node_id(key),
        key=key,
        expected=_expected(feed, address),
        tls=server_context(feed.name, files) if scheme == _SECURE else None,
        terms=Terms(TimeWindow(strict=_strict(feed, address))),
    )


def _with_host(feed: FeedConfig) -> FeedConfig:
    """``scheme://PORT`` is ``scheme://:PORT``: on loopback."""
    scheme, _, rest = feed.url.partition("://")
    place = rest.partition("?")[0].rstrip("/")
    return FeedConfig(name=feed.name, url=f"{scheme}://:{rest}") if place.isdigit() else feed


def _expected(feed: FeedConfig, address: Address) -> frozenset[str]:
    nodes = [node.lower() for node in address.options.get("node", ())]
    wrong = next((node for node in nodes if not is_uuid4(node)), None)
    if wrong is not None:
        raise ConfigError(f"feed {feed.name!r}: node={wrong}: expected the node's UUID (version 4)")
    return frozenset(nodes)


def _strict(feed: FeedConfig, address: Address) -> bool:
    value = address.options.get("strict", ["0"])[-1]
    if value not in ("0", "1"):
        raise ConfigError(f"feed {feed.name!r}: strict={value}: expected 0 or 1")
    return value == "1"


def _reason(words: str, pending: int) -> str | None:
    """What the end of a connection is counted under; None for one that was closed in good order."""
    known = next((reason for begin, reason in _ENDS if words.startswith(begin)), None)
    if known is not None:
        return known
    if pending:
        return "in the middle of a message"
    return None if words.startswith("the other side closed") else "broke the rules or broke off"
