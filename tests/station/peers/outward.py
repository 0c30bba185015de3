"""What the tests of the ways out share: alerts to be told, a roster, and servers that do as they are told."""

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from msgspec.structs import replace
from station_feed_hub import FeedHub

from vedette.model import Alert, Roster, RosterEntry
from vedette.model.event import Clear, Deliver

ROSTER = Roster(
    version=3,
    units=(
        RosterEntry(unit="UID-A", callsign="ALPHA 1", mail=("a@site.example", "a2@site.example")),
        RosterEntry(unit="UID-B", callsign="BRAVO", language="es", mail=("b@site.example",)),
        RosterEntry(unit="UID-C"),
    ),
)


def hub(speed: float = 1.0) -> FeedHub:
    return FeedHub(speed=speed, roster=ROSTER)


def alert_at(now: float, **changes: object) -> Alert:
    alert = Alert(
        time=now, alert="AQ7MZ2KXW3P", revision=1, level="imminent", state="active-unacked", units=("UID-A",),
        track="T1", behaviour="direct-run", expires=now + 60.0, bearing_deg=47.0, range_m=815.0,
        time_to_impact_s=(14.0, 22.0),
        text={"en": "DRONE ATTACK LIKELY. From NE, 815 m.", "es": "ATAQUE DE DRON. Desde NE, 815 m."},
    )  # fmt: skip
    return replace(alert, **changes)


def deliver_at(now: float, **changes: object) -> Deliver:
    alert = alert_at(now, **changes)
    return Deliver(alert=alert, recipients=alert.units, rule="at-risk", roster_version=3, sound=True)


def clear_at(now: float, **changes: object) -> Clear:
    alert = alert_at(now, **{"state": "cleared", "reason": "drone moved away: last NE 900 m", **changes})
    return Clear(alert=alert, recipients=alert.units)


def certificate(folder: Path, name: str = "server") -> tuple[str, str]:
    """A certificate of this machine's own, which is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(made.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(paths[0]), str(paths[1])


def secret_file(folder: Path, text: str, mode: int = 0o600) -> str:
    path = folder / "secret"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def served(serve: Serve) -> AsyncIterator[int]:
    """A server on loopback that treats each connection as ``serve`` says; its port."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


Answer = Callable[[int], bytes]


def ok(number: int) -> bytes:
    return status(204)


def status(code: int, head: str = "", body: bytes = b"") -> bytes:
    words = HTTPStatus(code).phrase
    return f"HTTP/1.1 {code} {words}\r\n{head}content-length: {len(body)}\r\n\r\n".encode() + body


class Receiver:
    """An HTTP server that keeps what is posted. ``answer``: what it says to the n-th request, from 0."""

    def __init__(self, answer: Answer = ok, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.raw = bytearray()
        self.port = 0
        self._answer, self._tls = answer, tls

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["Receiver"]:
        tasks: set[asyncio.Task[None]] = set()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    self.raw += head
                    first, *lines = head.decode().strip().split("\r\n")
                    pairs = (line.split(": ", 1) for line in lines)
                    fields = {name.lower(): value for name, value in pairs}
                    body = await reader.readexactly(int(fields.get("content-length", "0")))
                    self.raw += body
                    self.requests.append((first, fields, body))
                    writer.write(self._answer(len(self.requests) - 1))
                    await writer.drain()
            writer.transport.abort()

        server = await asyncio.start_server(handle, "127.0.0.1", self.port, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await server.wait_closed()
