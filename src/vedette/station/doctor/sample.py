"""The bytes of a feed themselves, where its peer made nothing of them: are there any, and what are they?

The feed's own address is listened on (or connected to) for a moment after its peer has left it. Of what
comes only counts and a guess are kept. Nothing is sent, but for one TLS handshake to a server that says
nothing in plain.
"""

import asyncio
import contextlib
from collections import Counter

from msgspec import Struct

from vedette.station.config import FeedConfig
from vedette.station.doctor import tls
from vedette.station.doctor.look import Address, address_of
from vedette.station.formats import LOOKED_AT, guess_format
from vedette.station.peers._udp_socket import is_group, open_udp
from vedette.wire.capture import FrameBatch, Record

ENOUGH = 50
"""Datagrams after which no more is to be learnt."""
SETTLE_S = 0.5
"""How long datagrams, or the bytes of a stream, may go on after the first."""
ODID_LINKS = (127, 105, 251, 256, 272)


class Sample(Struct, frozen=True):
    """``messages`` datagrams or ``octets`` of a stream came; ``looks`` counts what they look like, and
    ``frames`` what Remote ID's decoder makes of them, by link type. ``failed``: why nothing could come."""

    messages: int = 0
    octets: int = 0
    connected: int = 0
    looks: dict[str, int] = {}
    frames: dict[int, dict[str, int]] = {}
    tls: bool = False
    failed: str | None = None


async def take_sample(feed: FeedConfig, seconds: float) -> Sample | None:
    """What comes by the feed's address within ``seconds``; None if it has none that can be shared."""
    address = address_of(feed.url)
    if address is None or address.way in ("tls", "http"):
        return None
    try:
        if address.way == "udp":
            return await _datagrams(address, seconds, feed.url.startswith("odid"))
        return await (_accepted(address, seconds) if address.listens else _connected(address, seconds))
    except OSError as error:
        return Sample(failed=error.strerror or str(error) or type(error).__name__)


async def _datagrams(address: Address, seconds: float, frames: bool) -> Sample:
    taken: list[bytes] = []
    begun = asyncio.Event()

    def take(datagrams: list[bytes]) -> None:
        taken.extend(datagrams[: ENOUGH - len(taken)])
        begun.set()

    inlet = await open_udp(
        address.host, address.port, group=is_group(address.host), iface=address.iface,
        take=take, shed=lambda _: None, most_per_s=1000,
    )  # fmt: skip
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(begun.wait(), seconds)
            await asyncio.sleep(min(SETTLE_S, seconds))
    finally:
        inlet.close()
    looks = Counter(looks for looks in map(guess_format, taken) if looks is not None)
    return Sample(
        messages=len(taken),
        octets=sum(map(len, taken)),
        looks=dict(looks),
        frames={link: _remote_id(taken, link) for link in ODID_LINKS} if frames and taken else {},
    )


def _remote_id(datagrams: list[bytes], link: int) -> dict[str, int]:
    """What becomes of them as captured frames of this link type."""
    from vedette.sense.remote_id import RemoteIdAdapter

    adapter = RemoteIdAdapter("doctor")
    adapter.detections(FrameBatch.of([Record(float(at), link, data) for at, data in enumerate(datagrams, 1)]))
    return dict(adapter.counts)


async def _connected(address: Address, seconds: float) -> Sample:
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        head = await _head(reader, seconds)
    finally:
        writer.transport.abort()
    encrypted = not head and await tls.speaks_tls(address.place, seconds)
    return _of_stream(head, 1, encrypted)


async def _accepted(address: Address, seconds: float) -> Sample:
    """The first of those who connect and say something."""
    heads: list[bytes] = []
    connected = 0
    spoke = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connected
        connected += 1
        try:
            head = await _head(reader, seconds)
            if head:
                heads.append(head)
                spoke.set()
        except OSError:
            return
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, address.host, address.port)
    try:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(spoke.wait(), seconds)
    finally:
        server.close()
    return _of_stream(heads[0] if heads else b"", connected, False)


async def _head(reader: asyncio.StreamReader, seconds: float) -> bytes:
    """The first bytes of a stream, at most `LOOKED_AT`."""
    head = b""
    patience_s = seconds
    while len(head) < LOOKED_AT:
        try:
            async with asyncio.timeout(patience_s):
                data = await reader.read(LOOKED_AT - len(head))
        except TimeoutError:
            break
        if not data:
            break
        head += data
        patience_s = min(SETTLE_S, seconds)
    return head


def _of_stream(head: bytes, connected: int, encrypted: bool) -> Sample:
    looks = guess_format(head) if head else None
    return Sample(
        octets=len(head), connected=connected, looks={looks: 1} if looks is not None else {}, tls=encrypted
    )
