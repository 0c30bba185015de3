"""A TAK server: units' positions, chats, receipts and other users' tracks in; alerts, their end and the
tracks out.

Verified against taky 0.10. How that server routes: a GeoChat goes to the client whose uid is
``__chat/@id``; any other event with ``marti/dest`` goes to the clients with that callsign; anything
else goes to everybody. The events of `vedette.express.cot` are made for both.
"""

import asyncio
import contextlib
import random
import ssl

from vedette.model import Fact, Frame
from vedette.model.event import Clear, Deliver
from vedette.station.peers._cot_dialogue import Dialogue
from vedette.station.peers._cot_stream import Certificates, CotStream, client_context, parse_endpoint
from vedette.station.peers._tak_agreement import Agreement, NoAgreement
from vedette.station.ports import Hub
from vedette.wire.cot import CotEvent

_OF_THE_SERVER = frozenset({"t-x-c-t-r", "t-x-takp-v", "t-x-takp-r"})
"""Events that a server makes itself: their times are by its clock, those of others by their senders'."""


class TakServerPeer:
    """Connects to ``cot+tcp://host:port?options`` or ``cot+tls://host:port?options`` and stays connected.

    Options: ``protocol=0`` stays with XML though the server offers TAK protocol version 1; ``tracks=0``
    leaves out what other users see in the air; ``views=1`` takes where their sensors look for bearings.

    The server's certificate is always verified against ``cafile``; ``check_hostname`` may be turned
    off for a server whose certificate names another host than the one it is reached by, or
    ``server_hostname`` be given. ``certfile`` and ``keyfile`` (PEM) are this station's own.
    ``show_place`` tells the server's users where the site is. ``reconnect_s`` is the first and the
    longest pause between attempts; it doubles, varies by 20 %, and starts anew after a connection of
    ``stable_s``. A server that does not answer within ``agree_s`` whether it goes over to version 1 is
    connected to again at once, and talked to in XML from then on. Raises ConfigError.
    """

    receipt_facts: tuple[Fact, ...] = ("accepted", "on-device", "shown", "acknowledged")
    carries_position: bool = True
    """The map of those who may see each other."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        cafile: str | None = None,
        certfile: str | None = None,
        keyfile: str | None = None,
        key_password: str | None = None,
        check_hostname: bool = True,
        server_hostname: str | None = None,
        callsign: str = "VEDETTE",
        uid: str | None = None,
        publish_tracks: bool = True,
        show_place: bool = True,
        heard_s: float = 600.0,
        receipt_key: bytes | None = None,
        reconnect_s: tuple[float, float] = (5.0, 120.0),
        stable_s: float = 300.0,
        connect_timeout_s: float = 10.0,
        ping_s: float = 10.0,
        presence_s: float = 30.0,
        dead_after_s: float = 35.0,
        agree_s: float = 3.0,
        write_limit: int = 1024 * 1024,
        send_timeout_s: float = 5.0,
    ) -> None:
        self.name = name
        self._endpoint = parse_endpoint(name, url, plain="cot+tcp", secure="cot+tls")
        files = Certificates(cafile=cafile, certfile=certfile, keyfile=keyfile, password=key_password)
        self._tls: ssl.SSLContext | None = None
        if self._endpoint.tls:
            self._tls = client_context(name, files, check_hostname=check_hostname)
        self._server_hostname = server_hostname
        self._dialogue = Dialogue(
            name,
            callsign=callsign,
            uid=uid if uid is not None else f"VEDETTE-{name}".replace(".", "-"),
            heard_s=heard_s,
            show_place=show_place,
            key=receipt_key,
            tracks=self._endpoint.tracks,
            views=self._endpoint.views,
        )
        self.senses = self._dialogue.senses
        self._willing, self._agree_s = self._endpoint.protocol == 1, agree_s
        self._publish_tracks = publish_tracks
        self._reconnect_s, self._stable_s, self._connect_timeout_s = reconnect_s, stable_s, connect_timeout_s
        self._ping_s, self._presence_s, self._dead_after_s = ping_s, presence_s, dead_after_s
        self._write_limit, self._send_timeout_s = write_limit, send_timeout_s
        self._stream: CotStream | None = None
        self._agreement: Agreement | None = None

    @property
    def counts(self) -> dict[str, int]:
        """What became of the events heard, by reason."""
        return self._dialogue.all_counts

    @property
    def version(self) -> int | None:
        """The TAK protocol version of the connection, None without one."""
        return None if self._stream is None else self._stream.version

    async def run(self, hub: Hub) -> None:
        """Connect, listen, reconnect, until cancelled."""
        self._dialogue.open(hub)
        pause_s = self._reconnect_s[0]
        while True:
            hub.feed(self.name, "connecting", f"connecting to {self._where}")
            began = asyncio.get_running_loop().time()
            try:
                reason = await self._session(hub)
            except NoAgreement as error:
                self._willing = False
                self._lost(hub, f"{error}; connecting again at once, in XML")
                continue
            if asyncio.get_running_loop().time() - began >= self._stable_s:
                pause_s = self._reconnect_s[0]
            wait_s = pause_s * random.uniform(0.8, 1.2)
            self._lost(hub, f"{reason}; next attempt in {wait_s:.0f} s")
            await asyncio.sleep(wait_s)
            pause_s = min(2.0 * pause_s, self._reconnect_s[1])

    def reaches(self, unit: str) -> bool:
        """True while connected to a server through which the unit was heard in the last ``heard_s``."""
        return self._usable is not None and self._dialogue.heard_recently(unit)

    async def deliver(self, delivery: Deliver, recipient: str) -> None:
        """Send one alert revision to one unit. Raises ConnectionError."""
        stream = self._in_use()
        await stream.send(self._dialogue.alert(delivery, recipient))
        self._dialogue.accepted(delivery.alert, recipient)

    async def clear(self, clear: Clear, recipient: str) -> None:
        """Tell one unit that an alert ended. Raises ConnectionError."""
        stream = self._in_use()
        await stream.send(self._dialogue.end(clear, recipient))
        self._dialogue.accepted(clear.alert, recipient, ended=True)

    async def publish(self, frame: Frame) -> None:
        """Send the tracks, unless something is still waiting: alerts never queue behind a picture."""
        stream = self._usable
        if stream is None or not self._publish_tracks or not frame.tracks:
            return
        if stream.backlog:
            self._dialogue.counts["picture-skipped"] += 1
            return
        with contextlib.suppress(ConnectionError):
            await stream.send(self._dialogue.picture(frame))

    @property
    def _where(self) -> str:
        return f"TAK server {self._endpoint.host}:{self._endpoint.port}"

    def _lost(self, hub: Hub, reason: str) -> None:
        hub.feed(self.name, "down", f"{self._where}: {reason}")
        self._dialogue.lost(f"{self._where}: {reason}")

    @property
    def _usable(self) -> CotStream | None:
        """The connection, once the server has let us in and while it is clear which protocol it speaks."""
        return None if self._agreement is None or self._agreement.open else self._stream

    def _in_use(self) -> CotStream:
        """The connection, for something that must arrive: from now on it keeps its protocol."""
        if self._usable is None or self._agreement is None:
            raise ConnectionError(f"peer {self.name} is not connected to {self._where}")
        self._agreement.no_more_offers()
        return self._usable

    async def _session(self, hub: Hub) -> str:
        """One connection from beginning to end; why it ended, in words. Raises NoAgreement."""
        try:
            stream = await self._connect()
        except (OSError, TimeoutError) as error:
            return f"cannot connect ({_words(error)})"
        agreement = self._agreement = Agreement(stream, willing=self._willing, patience_s=self._agree_s)
        try:
            reason = await self._talk(hub, stream, agreement)
        finally:
            self._stream = self._agreement = None
            await stream.close()
        if agreement.open:
            raise NoAgreement(f"{reason}, while TAK protocol version 1 was being agreed on")
        return reason

    async def _connect(self) -> CotStream:
        async with asyncio.timeout(self._connect_timeout_s):
            reader, writer = await asyncio.open_connection(
                self._endpoint.host,
                self._endpoint.port,
                ssl=self._tls,
                server_hostname=(self._server_hostname or self._endpoint.host) if self._tls else None,
            )
        return CotStream(reader, writer, write_limit=self._write_limit, send_timeout_s=self._send_timeout_s)

    async def _talk(self, hub: Hub, stream: CotStream, agreement: Agreement) -> str:
        """Listen and keep the connection alive until one of the two fails; why, in words."""
        tasks = [
            asyncio.create_task(self._listen(hub, stream, agreement)),
            asyncio.create_task(self._keep_alive(stream, agreement)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            reason = "; ".join(_words(task.exception()) for task in done)
            refused = self._tls is not None and self._stream is None and not agreement.open
            return f"{reason}; before its first word: does it accept our certificate?" if refused else reason
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, hub: Hub, stream: CotStream, agreement: Agreement) -> None:
        """Only the server's first word (the answer to our ping) proves that it let us in: over TLS 1.3
        it may refuse our certificate after the handshake, when a socket would still take an alert."""
        while True:
            items = await stream.receive(agreement.patience(self._dead_after_s))
            news = self._stream is None or agreement.open
            for event in items:
                if isinstance(event, CotEvent):
                    self._dialogue.alive(event.time if event.type in _OF_THE_SERVER else None)
                    if await agreement.hear(event, self._dialogue.now_wall()):
                        await stream.send(self._dialogue.presence() + self._dialogue.ping())
            if news and not agreement.open:
                self._stream = stream
                hub.feed(self.name, "watching", self._how(stream))
            self._dialogue.take(items)

    def _how(self, stream: CotStream) -> str | None:
        """What is worth saying of a connection that works."""
        version = "TAK protocol version 1" if stream.version else None
        words = (version, None if self._tls else f"{self._where} without encryption")
        return ", ".join(word for word in words if word) or None

    async def _keep_alive(self, stream: CotStream, agreement: Agreement) -> None:
        since_presence_s = self._presence_s
        while True:
            events = self._dialogue.ping()
            if since_presence_s >= self._presence_s:
                since_presence_s = 0.0
                events = self._dialogue.presence() + events
            if not agreement.asked:
                await stream.send(events)
            await asyncio.sleep(self._ping_s)
            since_presence_s += self._ping_s


def _words(error: BaseException | None) -> str:
    """An exception as something an operator can read: many have no text of their own."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate was refused: {error.verify_message}"
    return str(error) or type(error).__name__
