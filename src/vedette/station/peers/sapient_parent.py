"""A parent SAPIENT node: this station registers with it as a fusion node and reports to it.

Order on a connection (BSI Flex 335 v2.0): our Registration; nothing more until the parent's
RegistrationAck accepts it; then a StatusReport, the alerts, the tracks once a second. Alerts wait for
a parent that is slow or away, in their latest revision; the picture does not wait, it is dropped.
"""

import asyncio
import contextlib
import math
import random
import ssl
from collections import Counter

from vedette import __version__
from vedette.express.sapient_node import Node, node_id
from vedette.model import ConfigError, Fact, Frame, Site
from vedette.model.event import Clear, Deliver
from vedette.station.config import FeedConfig
from vedette.station.peers._cot_stream import Certificates, client_context
from vedette.station.peers._line_feed import Budget, address_of
from vedette.station.peers._parent_dialogue import QUIET_S, Dialogue, printable
from vedette.station.peers._sapient_link import FRAME_S, SapientLink
from vedette.station.ports import Hub, Peer
from vedette.wire.sapient import is_uuid4

MOST_PER_S, BURST = 100, 200
"""Messages that a parent may send; what floods beyond is dropped unread and counted."""
MOST_TRACKS = 200
SHORTEST_STATUS_S, LONGEST_STATUS_S = 0.5, 3600.0
LOOK_S = 1.0
"""How often the station's state is looked at between two reports of it."""

_SECURE = "sapient+tls"
_NOWHERE = Site(name="-", lat_deg=0.0, lon_deg=0.0, alt_m=0.0, alt_datum="wgs84-ellipsoid")


class SapientParentPeer:
    """Connects to ``host:port`` and stays connected. ``tls``: None for a connection in the clear.

    ``secret`` makes the identifiers, and the node's own id unless ``node`` is given. ``reconnect_s`` is
    the first and the longest pause between attempts; it doubles, varies by 20 %, and starts anew after
    a connection of ``stable_s``. ``ack_s``: how long the parent may take to answer the registration.
    """

    receipt_facts: tuple[Fact, ...] = ()
    carries_position: bool = False
    """Of people: where the site and the drones are is what a parent is told."""

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        *,
        secret: bytes,
        node: str | None = None,
        node_name: str = "VEDETTE",
        status_s: float = 5.0,
        publish_tracks: bool = True,
        most_tracks: int = MOST_TRACKS,
        tls: ssl.SSLContext | None = None,
        server_hostname: str | None = None,
        reconnect_s: tuple[float, float] = (5.0, 120.0),
        stable_s: float = 300.0,
        connect_timeout_s: float = 10.0,
        ack_s: float = 10.0,
        frame_s: float = FRAME_S,
        write_limit: int = 1024 * 1024,
        send_timeout_s: float = 5.0,
        goodbye_s: float = 1.0,
    ) -> None:
        self.name = name
        self.senses: tuple[str, ...] = ()
        self.node = node or node_id(secret)
        self._host, self._port = host, port
        self._tls, self._server_hostname = tls, server_hostname
        self._status_s = status_s
        self._publish_tracks = publish_tracks
        self._reconnect_s, self._stable_s = reconnect_s, stable_s
        self._connect_timeout_s, self._ack_s, self._frame_s = connect_timeout_s, ack_s, frame_s
        self._write_limit, self._send_timeout_s = write_limit, send_timeout_s
        self._goodbye_s = goodbye_s
        ourselves = Node(
            id=self.node, name=node_name, site=_NOWHERE, key=secret, status_s=status_s, version=__version__
        )
        self._dialogue = Dialogue(name, ourselves, most_tracks)
        self._hub: Hub | None = None
        self._frame: Frame | None = None
        self._wake = asyncio.Event()

    @property
    def counts(self) -> Counter[str]:
        """What became of the messages heard, and what could not be said, by reason."""
        alerts = {f"alert-{what}": count for what, count in self._dialogue.ledger.counts.items()}
        return self._dialogue.counts + Counter(alerts)

    async def run(self, hub: Hub) -> None:
        """Connect, register, report, reconnect, until cancelled."""
        self._dialogue.open(hub)
        self._hub = hub
        now = asyncio.get_running_loop().time
        pause_s = self._reconnect_s[0]
        while True:
            hub.feed(self.name, "connecting", f"connecting to {self._where}")
            began = now()
            reason = await self._session(hub)
            if now() - began >= self._stable_s:
                pause_s = self._reconnect_s[0]
            wait_s = pause_s * random.uniform(0.8, 1.2)
            hub.feed(self.name, "down", f"{self._where}: {reason}; next attempt in {wait_s:.0f} s")
            await asyncio.sleep(wait_s)
            pause_s = min(2.0 * pause_s, self._reconnect_s[1])

    def reaches(self, unit: str) -> bool:
        """Never: a parent node is no person and reaches none."""
        return False

    async def deliver(self, delivery: Deliver, recipient: str) -> None:
        """Raises ConnectionError: nobody is warned by this way."""
        raise ConnectionError(f"peer {self.name} reaches no unit")

    async def clear(self, clear: Clear, recipient: str) -> None:
        """Raises ConnectionError: nobody is warned by this way."""
        raise ConnectionError(f"peer {self.name} reaches no unit")

    async def publish(self, frame: Frame) -> None:
        """Take the picture and the alerts for the parent; nothing here waits for it."""
        if self._hub is None:
            return
        self._dialogue.note(frame)
        if self._dialogue.registered and self._publish_tracks and frame.tracks:
            self._dialogue.counts["picture-skipped"] += self._frame is not None
            self._frame = frame
        self._wake.set()

    @property
    def _where(self) -> str:
        return f"SAPIENT parent {self._host}:{self._port}"

    async def _session(self, hub: Hub) -> str:
        """One connection from beginning to end; why it ended, in words."""
        try:
            link = await self._connect()
        except (OSError, TimeoutError) as error:
            return f"cannot connect ({_words(error)})"
        self._dialogue.begin()
        self._frame = None
        try:
            await link.send(self._dialogue.registration())
            await self._await_acceptance(link)
            hub.feed(self.name, "watching", None if self._tls else f"{self._where} without encryption")
            return await self._talk(link)
        except ConnectionError as error:
            return self._told(error)
        except asyncio.CancelledError:
            await self._leave(link)
            raise
        finally:
            self._dialogue.registered = False
            await link.close()

    def _told(self, error: ConnectionError) -> str:
        unheard = self._tls is not None and not self._dialogue.registered
        hint = "; before its first word: does it accept our certificate?" if unheard else ""
        return f"{_words(error)}{hint}"

    async def _connect(self) -> SapientLink:
        async with asyncio.timeout(self._connect_timeout_s):
            reader, writer = await asyncio.open_connection(
                self._host,
                self._port,
                ssl=self._tls,
                server_hostname=(self._server_hostname or self._host) if self._tls else None,
            )
        return SapientLink(
            reader,
            writer,
            write_limit=self._write_limit,
            send_timeout_s=self._send_timeout_s,
            frame_s=self._frame_s,
        )

    async def _await_acceptance(self, link: SapientLink) -> None:
        """Nothing is sent here. Raises ConnectionError if the parent refuses, or does not answer."""
        budget = self._budget()
        try:
            async with asyncio.timeout(self._ack_s):
                while not self._dialogue.registered:
                    await self._hear(link, budget)
        except TimeoutError:
            raise ConnectionError(f"no answer to our registration in {self._ack_s:g} s") from None

    async def _talk(self, link: SapientLink) -> str:
        """Listen and speak until one of the two fails."""
        tasks = [asyncio.create_task(self._listen(link)), asyncio.create_task(self._speak(link))]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                if not isinstance(error := task.exception(), ConnectionError) and error is not None:
                    raise error
            return "; ".join(_words(task.exception()) for task in done)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, link: SapientLink) -> None:
        budget = self._budget()
        while True:
            await self._hear(link, budget)

    async def _hear(self, link: SapientLink, budget: Budget) -> None:
        for frame in await link.receive(QUIET_S):
            if budget.admits():
                self._dialogue.hear(frame)
            elif self._hub is not None:
                self._hub.counted(self.name, "flooded", 1)
        self._wake.set()

    def _budget(self) -> Budget:
        return Budget(MOST_PER_S, BURST, asyncio.get_running_loop().time)

    async def _speak(self, link: SapientLink) -> None:
        """Answers, alerts, the state, the picture: what comes first is sent first, each time anew."""
        now = asyncio.get_running_loop().time
        status_due = look_due = now()
        while True:
            await self._say_urgent(link)
            if now() >= status_due or (now() >= look_due and self._dialogue.condition_changed()):
                await link.send(self._dialogue.status())
                status_due = now() + self._status_s
            if now() >= look_due:
                look_due = now() + LOOK_S
            await self._say_picture(link)
            self._wake.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, min(status_due, look_due) - now())):
                    await self._wake.wait()

    async def _say_urgent(self, link: SapientLink) -> None:
        dialogue = self._dialogue
        while dialogue.replies:
            await link.send(dialogue.replies.popleft())
        while (found := dialogue.alert()) is not None:
            message, sent = found
            await link.send(message)
            sent()

    async def _say_picture(self, link: SapientLink) -> None:
        frame, self._frame = self._frame, None
        if frame is None:
            return
        for message in self._dialogue.picture(frame):
            await self._say_urgent(link)
            await link.send(message)

    async def _leave(self, link: SapientLink) -> None:
        """Goodbye, for at most ``goodbye_s`` in all."""
        if not self._dialogue.registered:
            return
        now = asyncio.get_running_loop().time
        until = now() + self._goodbye_s
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(self._goodbye_s):
                await link.send(self._dialogue.goodbye())
            await link.finish(max(0.0, until - now()))


def sapient_parent_peer(feed: FeedConfig, secret: bytes) -> Peer:
    """The peer of a feed ``sapient+tcp://HOST:PORT`` or ``sapient+tls://HOST:PORT``; ``secret`` outlives a
    restart. Options: ``name``, ``node``, ``status_s``. Raises ConfigError."""
    scheme = feed.url.partition(":")[0]
    address = address_of(feed, frozenset({"name", "node", "status_s"}), listens=False)
    options = {key: values[-1] for key, values in address.options.items()}
    tls: ssl.SSLContext | None = None
    if scheme == _SECURE:
        files = Certificates(cafile=feed.ca_file, certfile=feed.cert_file, keyfile=feed.key_file)
        tls = client_context(feed.name, files, check_hostname=True)
    return SapientParentPeer(
        feed.name,
        address.host,
        address.port,
        secret=secret,
        node=_node_option(feed, options.get("node")),
        node_name=_name_option(feed, options.get("name", "VEDETTE")),
        status_s=_status_option(feed, options.get("status_s", "5")),
        publish_tracks=feed.publish_tracks,
        tls=tls,
    )


def _node_option(feed: FeedConfig, text: str | None) -> str | None:
    if text is not None and not is_uuid4(text):
        raise ConfigError(f"feed {feed.name!r}: node={text}: must be a version 4 UUID in lower case")
    return text


def _name_option(feed: FeedConfig, text: str) -> str:
    if not text.strip() or printable(text) != text:
        raise ConfigError(f"feed {feed.name!r}: name={text!r}: must be 1 to 80 printable characters")
    return text


def _status_option(feed: FeedConfig, text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not SHORTEST_STATUS_S <= seconds <= LONGEST_STATUS_S:
        raise ConfigError(
            f"feed {feed.name!r}: status_s={text}: must be {SHORTEST_STATUS_S:g} to {LONGEST_STATUS_S:g} s"
        )
    return seconds


def _words(error: BaseException | None) -> str:
    """An exception as something an operator can read: many have no text of their own."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate was refused: {error.verify_message}"
    return str(error) or type(error).__name__
