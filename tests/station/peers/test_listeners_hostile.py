"""Every TCP listener against connections that hang, flood or stop: each is dropped and counted, and the next
one is served. Over TLS the hostile side has a good certificate."""

import asyncio
import contextlib
import datetime
import ssl
import struct
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sapient_nodes import A, registration
from station_feed_hub import FeedHub, beside, until

from vedette.station.peers import adsb_stream, lines
from vedette.station.peers._cot_stream import Certificates, server_context
from vedette.station.peers._line_feed import Address
from vedette.station.peers._sapient_session import Terms
from vedette.station.peers.adsb_feed import BeastFeed
from vedette.station.peers.registry import FACTORIES
from vedette.station.peers.sapient_fusion import SapientFusionPeer
from vedette.station.peers.tak_listener import TakListenerPeer
from vedette.wire.adsb import BeastFrame, encode_beast
from vedette.wire.sapient import write_frame

HERE = Address("127.0.0.1", 0, {})
LINE = b'{"time": 1790000000.0, "sensor": "feed", "measure": {"kind": "empty-scan"}}\n'
COT = (
    b'<event version="2.0" uid="X" type="t-x-c-t" time="2026-01-01T00:00:00Z" start="2026-01-01T00:00:00Z"'
    b' stale="2026-01-01T00:01:00Z" how="m-g"><point lat="0" lon="0" hae="0" ce="1" le="1"/></event>'
)
SOUND = {
    "lines+tcp-listen": lambda: LINE,
    "beast+tcp-listen": lambda: encode_beast(BeastFrame(0, 0, b"\0\0")),
    "sapient": lambda: write_frame(registration(A)),
    "cot": lambda: COT,
}
TOO_LARGE = {
    "lines+tcp-listen": lambda: b"x" * 400_000 + b"\n",
    "beast+tcp-listen": lambda: b"x" * 400_000,
    "sapient": lambda: struct.pack("<I", 2**31) + bytes(1000),
    "cot": lambda: b"<event uid='" + b"x" * 400_000 + b"'/>",
}
SCHEMES = sorted(scheme for scheme in FACTORIES if scheme.endswith("-listen"))


def of(table, scheme):
    """The entry of a scheme, or of its family."""
    return table.get(scheme, table.get(scheme.partition("+")[0]))()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A certificate that is its own authority serves both sides."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = builder.not_valid_before(now - day).not_valid_after(now + day).sign(key, hashes.SHA256())
    folder: Path = tmp_path_factory.mktemp("own")
    (folder / "own.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "own.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    own = str(folder / "own.pem")
    return Certificates(cafile=own, certfile=own, keyfile=str(folder / "own.key"))


def listener(scheme, files):
    """A listener with little patience."""
    if scheme == "lines+tcp-listen":
        return lines.LinesListenerPeer("feed", HERE, patience=lines.Patience(line_s=0.4, idle_s=0.6))
    if scheme == "beast+tcp-listen":
        patience = adsb_stream.Patience(frame_s=0.4, idle_s=0.6)
        return adsb_stream.StreamListenerPeer("feed", HERE, BeastFeed, patience=patience)
    if scheme.startswith("sapient"):
        tls = server_context("feed", files) if "tls" in scheme else None
        terms = Terms(register_s=0.6, idle_s=0.6)
        return SapientFusionPeer(
            "feed", HERE, own=A.replace("a", "0"), key=b"k", tls=tls, terms=terms, frame_s=0.4, watch_s=0.05
        )
    given = {"cafile": files.cafile, "certfile": files.certfile, "keyfile": files.keyfile}
    return TakListenerPeer(
        "feed", f"{scheme}://127.0.0.1:0", **(given if "tls" in scheme else {}),
        identify_s=5.0, dead_after_s=0.5,
    )  # fmt: skip


def against(scheme, files, attack):
    """Run ``attack(connect)`` beside the listener; then a sound connection must be heard."""
    hub, peer = FeedHub(), listener(scheme, files)

    async def connect():
        tls = None
        if "tls" in scheme:
            tls = ssl.create_default_context(cafile=files.cafile)
            tls.check_hostname = False
            tls.load_cert_chain(files.certfile, files.keyfile)
        return await asyncio.open_connection("127.0.0.1", peer.port, ssl=tls)

    async def then():
        await until(lambda: bool(peer.port), "it listens")
        await attack(connect, hub)
        heard = hub.live.total()
        _, writer = await connect()
        writer.write(of(SOUND, scheme))
        await until(lambda: hub.live.total() > heard, "the next connection is served")
        writer.transport.abort()

    beside(peer.run(hub), then)
    return hub


def ends(hub):
    """Why connections were dropped, as counted."""
    return [reason for _, reason in hub.counts if reason.startswith("connection-dropped: ")]


async def until_closed(reader):
    with contextlib.suppress(OSError):
        while await asyncio.wait_for(reader.read(65536), 20.0):
            pass


async def drip(writer, data):
    """A byte at a time, for as long as the other side takes it."""
    with contextlib.suppress(OSError):
        for byte in data:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0.03)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_slow_loris_is_dropped_and_counted(scheme, files):
    async def attack(connect, hub):
        reader, writer = await connect()
        # Never a whole message, at no time, however long it drips.
        begun = {"beast+tcp-listen": lambda: b"\x1a3" + bytes(12)}
        data = of({**SOUND, **begun}, scheme)[:-1]
        dripping = asyncio.create_task(drip(writer, data))
        await until_closed(reader)
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)
        writer.transport.abort()
        await until(lambda: bool(ends(hub)), "it is counted")

    hub = against(scheme, files, attack)
    assert "ended" in ends(hub)[0] or "not register" in ends(hub)[0] or "never registered" in ends(hub)[0]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_half_open_connection_is_dropped_and_counted(scheme, files):
    """One that was heard once and then says nothing, as after a power cut, and one that never spoke."""

    async def attack(connect, hub):
        spoke, silent = await connect(), await connect()
        spoke[1].write(of(SOUND, scheme))
        for reader, _ in (spoke, silent):
            await until_closed(reader)
        for _, writer in (spoke, silent):
            writer.transport.abort()
        await until(
            lambda: sum(n for (_, r), n in hub.counts.items() if r.startswith("connection-dropped: ")) == 2,
            "both are counted",
        )

    against(scheme, files, attack)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_what_is_oversized_is_counted(scheme, files):
    async def attack(connect, hub):
        reader, writer = await connect()
        writer.write(of(TOO_LARGE, scheme))
        await until(lambda: bool(hub.counts), "it is counted")
        assert hub.all() == []
        writer.transport.abort()
        await until_closed(reader)

    against(scheme, files, attack)
