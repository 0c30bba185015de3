"""Why do I see nothing? Looks at what a station needs, one finding a line, with what to do.

Each check only looks: it opens what the station would open and closes it again. If the station runs, its
own word on its feeds comes first, since its ports are taken by itself.
"""

import asyncio
import errno
import http.client
import os
import shutil
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from vedette.model.errors import ConfigError, VedetteError
from vedette.model.event import FeedState
from vedette.record import verify
from vedette.station.config import FeedConfig, StationConfig, listen_address
from vedette.station.journal import LOG_NAME
from vedette.station.peers.registry import Keys, make_peer
from vedette.station.view import FeedView, View
from vedette.wire.capture import CaptureReader
from vedette.wire.errors import CaptureError

CONNECT_S = 5.0
STAYS_S = 1.0
"""How long a connection must hold to count as accepted."""
LOW_DISK_BYTES = 1 << 30
MAX_VIEW_BYTES = 1 << 26
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""For this machine's own page; a proxy of the environment is for the world outside."""
Verdict = Literal["good", "warning", "bad"]
VERDICT: dict[FeedState, Verdict] = {
    "watching": "good",
    "connecting": "warning",
    "silent": "warning",
    "ended": "warning",
    "down": "bad",
}


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was looked at. ``advice`` says what to do when it is not good."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""


def examine(config: StationConfig) -> Iterator[Finding]:
    """All findings, in the order in which a technician would ask."""
    yield _clock()
    yield from _state(Path(config.state))
    console, running = _console(config.console.listen)
    yield console
    if not config.feed:
        yield Finding(
            check="feeds",
            verdict="bad",
            found="no feed is configured: nothing is watched",
            advice="add a [[feed]] with a name and a url to the configuration",
        )
    told = {view.feed: view for view in running.feeds} if running is not None else {}
    for feed in config.feed:
        yield _told(told[feed.name]) if feed.name in told else _feed(feed)


def _clock() -> Finding:
    """Whether the kernel says that the clock is disciplined (adjtimex; STA_UNSYNC is 0x40)."""
    import ctypes

    buffer = ctypes.create_string_buffer(512)
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    except (OSError, AttributeError):
        return Finding(check="clock", verdict="warning", found="cannot ask this system for its clock's state")
    if state == 5:
        return Finding(
            check="clock",
            verdict="warning",
            found="the system clock is not synchronised",
            advice="set up chrony (with GPS where there is no network): late clocks make late warnings",
        )
    return Finding(check="clock", verdict="good", found="the system clock is synchronised")


def _state(folder: Path) -> Iterator[Finding]:
    probe = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not probe.is_dir():
        yield Finding(
            check="state",
            verdict="bad",
            found=f"{probe} is not a folder",
            advice="name another folder as state, or move the file away",
        )
        return
    if not os.access(probe, os.W_OK | os.X_OK, effective_ids=True):
        yield Finding(
            check="state",
            verdict="bad",
            found=f"{probe} cannot be written",
            advice="give the station's user this folder",
        )
        return
    free = shutil.disk_usage(probe).free
    verdict: Verdict = "good" if free >= LOW_DISK_BYTES else "warning"
    yield Finding(
        check="disk",
        verdict=verdict,
        found=f"{free / 1e9:.1f} GB free for the record",
        advice="" if verdict == "good" else "free some space: when it is full, alerts go out unlogged",
    )
    log = folder / LOG_NAME
    if log.exists():
        yield _log(log)


def _log(path: Path) -> Finding:
    try:
        verdict = verify(path)
    except VedetteError as error:
        return Finding(
            check="record", verdict="bad", found=str(error), advice="move the file aside and keep it"
        )
    if not verdict.good:
        return Finding(
            check="record",
            verdict="bad",
            found=f"altered: {verdict.fault}",
            advice="keep it as it is and report it",
        )
    return Finding(check="record", verdict="good", found=f"{verdict.events} events, chain unbroken")


def _console(listen: str) -> tuple[Finding, View | None]:
    """Whether the console's address is free, and the view of the station that has it."""
    if not listen:
        return Finding(check="console", verdict="warning", found="no console is configured"), None
    host, port = listen_address(listen)
    with socket.socket(_family(host), socket.SOCK_STREAM) as probe:
        probe.settimeout(CONNECT_S)
        if port == 0 or probe.connect_ex((host, port)) != 0:
            return Finding(check="console", verdict="good", found=f"{listen}: no station answers there"), None
    try:
        with NO_PROXY.open(f"http://{listen}/api/v1/view", timeout=CONNECT_S) as answer:
            view = msgspec.json.decode(answer.read(MAX_VIEW_BYTES), type=View)
    except (OSError, http.client.HTTPException, msgspec.MsgspecError, UnicodeError):
        return Finding(
            check="console",
            verdict="bad",
            found=f"{listen} is taken by a program that is not this station",
            advice="stop that program or give the console another port",
        ), None
    return Finding(check="console", verdict="good", found=f"a station runs there. {view.summary}"), view


def _told(feed: FeedView) -> Finding:
    """A feed in the words of the running station."""
    bad = ", ".join(f"{reason} {count}" for reason, count in feed.quarantined.items())
    words = [feed.state, feed.reason, f"{feed.detections} taken", bad and f"put aside: {bad}"]
    return Finding(
        check=f"feed {feed.feed}",
        verdict=VERDICT[feed.state],
        found="; ".join(word for word in words if word),
        advice="" if feed.state == "watching" else "check the receiver, its cable and its address",
    )


def _feed(feed: FeedConfig) -> Finding:
    name = f"feed {feed.name}"
    try:
        make_peer(feed, Keys(receipts=bytes(32)))
        found = _look(feed)
    except ConfigError as error:
        return Finding(check=name, verdict="bad", found=str(error), advice="correct it in the configuration")
    except CaptureError as error:
        return Finding(check=name, verdict="bad", found=str(error), advice="check the file or the receiver")
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error)
        return Finding(
            check=name,
            verdict="bad",
            found=f"TLS refused: {reason}",
            advice="check ca_file, cert_file and key_file, and that the server knows this certificate",
        )
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        return Finding(
            check=name,
            verdict="bad",
            found=f"{feed.url}: {_words(error)}",
            advice="another program has this port: stop it, or choose another"
            if taken
            else "check the address, the cable, the firewall, and that the other side runs",
        )
    return Finding(check=name, verdict="good", found=found)


def _words(error: OSError) -> str:
    """asyncio puts its own words over the system's, and a timeout has none."""
    if isinstance(error, TimeoutError):
        return f"no answer within {CONNECT_S:.0f} s"
    if isinstance(error, socket.gaierror) or error.errno is None:
        return error.strerror or str(error)
    return os.strerror(error.errno)


def _look(feed: FeedConfig) -> str:
    scheme, _, rest = feed.url.partition(":")
    if scheme == "odid+pcap" and rest != "-":
        first = next(CaptureReader(rest).records(), None)
        return "a capture without frames" if first is None else f"a capture, link type {first.link_type}"
    if scheme == "odid+udp":
        return _bindable(feed.url, socket.SOCK_DGRAM)
    if scheme in ("cot+tcp-listen", "cot+tls-listen"):
        return _bindable(feed.url, socket.SOCK_STREAM)
    if scheme in ("cot+tcp", "cot+tls"):
        return asyncio.run(_reachable(feed))
    return "nothing to look at from outside"


def _bindable(url: str, kind: socket.SocketKind) -> str:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 0
    with socket.socket(_family(host), kind) as probe:
        if kind == socket.SOCK_STREAM:
            # As servers do; connections that have just ended are no reason to find a port taken.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
    name = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
    return f"{name} {host}:{port} can be listened on (no station has it now)"


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


async def _reachable(feed: FeedConfig) -> str:
    parts = urlsplit(feed.url)
    context = _context(feed) if feed.url.startswith("cot+tls") else None
    async with asyncio.timeout(CONNECT_S):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=context)
    try:
        if context is not None:
            await _stays(reader)
    finally:
        writer.transport.abort()
    return f"{parts.hostname}:{parts.port} answers" + (" over TLS" if context else "")


async def _stays(reader: asyncio.StreamReader) -> None:
    """With TLS 1.3 a server refuses our certificate only after the handshake (RFC 8446, 4.4.2.4)."""
    try:
        async with asyncio.timeout(STAYS_S):
            gone = not await reader.read(1)
    except TimeoutError:
        return
    except ConnectionError:
        gone = True
    if gone:
        raise ssl.SSLError("the server closed the connection right after the handshake")


def _context(feed: FeedConfig) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=feed.ca_file)
    if feed.cert_file is not None:
        context.load_cert_chain(feed.cert_file, feed.key_file)
    return context
