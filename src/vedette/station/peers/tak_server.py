"""A TAK server: units' positions, chats and receipts in; alerts, their end and the tracks out.

Verified against taky 0.10. How that server routes: a GeoChat goes to the client whose uid is
``__chat/@id``; any other event with ``marti/dest`` goes to the clients with that callsign; anything
else goes to everybody. The events of `vedette.express.cot` are made for both.
"""

import asyncio
import contextlib
import random
import ssl

from vedette.model import Frame
from vedette.model.event import Clear, Deliver
from vedette.station.peers._cot_dialogue import Dialogue
from vedette.station.peers._cot_stream import Certificates, CotStream, client_context, parse_endpoint
from vedette.station.ports import Hub


class TakServerPeer:
    """Connects to ``cot+tcp://host:port`` or ``cot+tls://host:port`` and stays connected.

    The server's certificate is always verified against ``cafile``; ``check_hostname`` may be turned
    off for a server whose certificate names another host than the one it is reached by, or
    ``server_hostname`` be given. ``certfile`` and ``keyfile`` (PEM) are this station's own.
    ``show_place`` tells the server's users where the site is. ``reconnect_s`` is the first and the
    longest pause between attempts; it doubles, varies by 20 %, and starts anew after a connection of
    ``stable_s``. Raises ConfigError.
    """

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
        write_limit: int = 1024 * 1024,
        send_timeout_s: float = 5.0,
    ) -> None:
        self.name = name
        self.senses: tuple[str, ...] = ()
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
        )
        self._publish_tracks = publish_tracks
        self._reconnect_s, self._stable_s, self._connect_timeout_s = reconnect_s, stable_s, connect_timeout_s
        self._ping_s, self._presence_s, self._dead_after_s = ping_s, presence_s, dead_after_s
        self._write_limit, self._send_timeout_s = write_limit, send_timeout_s
        self._stream: CotStream | None = None

    @property
    def counts(self) -> dict[str, int]:
        """What became of the events heard, by reason."""
        return dict(self._dialogue.counts)

    async def run(self, hub: Hub) -> None:
        """Connect, listen, reconnect, until cancelled."""
        self._dialogue.open(hub)
        pause_s = self._reconnect_s[0]
        while True:
            hub.feed(self.name, "connecting", f"connecting to {self._where}")
            began = asyncio.get_running_loop().time()
            reason = await self._session(hub)
            if asyncio.get_running_loop().time() - began >= self._stable_s:
                pause_s = self._reconnect_s[0]
            wait_s = pause_s * random.uniform(0.8, 1.2)
            hub.feed(self.name, "down", f"{self._where}: {reason}; next attempt in {wait_s:.0f} s")
            await asyncio.sleep(wait_s)
            pause_s = min(2.0 * pause_s, self._reconnect_s[1])

    def reaches(self, unit: str) -> bool:
        """True while connected to a server through which the unit was heard in the last ``heard_s``."""
        return self._stream is not None and self._dialogue.heard_recently(unit)

    async def deliver(self, delivery: Deliver, recipient: str) -> None:
        """Send one alert revision to one unit. Raises ConnectionError."""
        stream = self._connected()
        await stream.send(self._dialogue.alert(delivery, recipient))
        self._dialogue.accepted(delivery.alert, recipient)

    async def clear(self, clear: Clear, recipient: str) -> None:
        """Tell one unit that an alert ended. Raises ConnectionError."""
        stream = self._connected()
        await stream.send(self._dialogue.end(clear, recipient))
        self._dialogue.accepted(clear.alert, recipient, ended=True)

    async def publish(self, frame: Frame) -> None:
        """Send the tracks, unless something is still waiting: alerts never queue behind a picture."""
        stream = self._stream
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

    def _connected(self) -> CotStream:
        if self._stream is None:
            raise ConnectionError(f"peer {self.name} is not connected to {self._where}")
        return self._stream

    async def _session(self, hub: Hub) -> str:
        """One connection from beginning to end; why it ended, in words."""
        try:
            stream = await self._connect()
        except (OSError, TimeoutError) as error:
            return f"cannot connect ({_words(error)})"
        try:
            await stream.send(self._dialogue.presence() + self._dialogue.ping())
            return await self._talk(hub, stream)
        except ConnectionError as error:
            return _words(error)
        finally:
            self._stream = None
            await stream.close()

    async def _connect(self) -> CotStream:
        async with asyncio.timeout(self._connect_timeout_s):
            reader, writer = await asyncio.open_connection(
                self._endpoint.host,
                self._endpoint.port,
                ssl=self._tls,
                server_hostname=(self._server_hostname or self._endpoint.host) if self._tls else None,
            )
        return CotStream(reader, writer, write_limit=self._write_limit, send_timeout_s=self._send_timeout_s)

    async def _talk(self, hub: Hub, stream: CotStream) -> str:
        """Listen and keep the connection alive until one of the two fails."""
        tasks = [
            asyncio.create_task(self._listen(hub, stream)),
            asyncio.create_task(self._keep_alive(stream)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            reason = "; ".join(_words(task.exception()) for task in done)
            refused = self._tls is not None and self._stream is None
            return f"{reason}; before its first word: does it accept our certificate?" if refused else reason
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self, hub: Hub, stream: CotStream) -> None:
        """Only the server's first word (the answer to our ping) proves that it let us in: over TLS 1.3
        it may refuse our certificate after the handshake, when a socket would still take an alert."""
        while True:
            for item in await stream.receive(self._dead_after_s):
                if self._stream is None:
                    self._stream = stream
                    hub.feed(
                        self.name, "watching", None if self._tls else f"{self._where} without encryption"
                    )
                self._dialogue.hear(item)

    async def _keep_alive(self, stream: CotStream) -> None:
        since_presence_s = 0.0
        while True:
            await asyncio.sleep(self._ping_s)
            since_presence_s += self._ping_s
            events = self._dialogue.ping()
            if since_presence_s >= self._presence_s:
                since_presence_s = 0.0
                events += self._dialogue.presence()
            await stream.send(events)


def _words(error: BaseException | None) -> str:
    """An exception as something an operator can read: many have no text of their own."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate was refused: {error.verify_message}"
    return str(error) or type(error).__name__
