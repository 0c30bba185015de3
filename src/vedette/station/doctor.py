"""Why do I see nothing? Looks at what a station needs, one finding a line, with what to do.

Each check only looks: it opens what the station would open and closes it again.
"""

import asyncio
import os
import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from vedette.model.errors import ConfigError, VedetteError
from vedette.record import verify
from vedette.station.config import FeedConfig, StationConfig, listen_address
from vedette.station.journal import LOG_NAME
from vedette.station.peers.registry import Keys, make_peer
from vedette.wire.capture import CaptureReader
from vedette.wire.errors import CaptureError

CONNECT_S = 5.0
LOW_DISK_BYTES = 1 << 30


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was looked at. ``advice`` says what to do when it is not good."""

    check: str
    verdict: Literal["good", "warning", "bad"]
    found: str
    advice: str = ""


def examine(config: StationConfig) -> Iterator[Finding]:
    """All findings, in the order in which a technician would ask."""
    yield _clock()
    yield from _state(Path(config.state))
    yield _console(config.console.listen)
    if not config.feed:
        yield Finding(
            check="feeds",
            verdict="bad",
            found="no feed is configured: nothing is watched",
            advice="add a [[feed]] with a name and a url to the configuration",
        )
    for feed in config.feed:
        yield _feed(feed)


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
    probe = folder if folder.exists() else folder.parent
    if not os.access(probe, os.W_OK):
        yield Finding(
            check="state",
            verdict="bad",
            found=f"{probe} cannot be written",
            advice="give the station's user this folder",
        )
        return
    free = shutil.disk_usage(probe).free
    verdict: Literal["good", "warning"] = "good" if free >= LOW_DISK_BYTES else "warning"
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


def _console(listen: str) -> Finding:
    if not listen:
        return Finding(check="console", verdict="warning", found="no console is configured")
    host, port = listen_address(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        if probe.connect_ex((host, port)) == 0:
            return Finding(check="console", verdict="good", found=f"a station answers on {listen}")
    return Finding(check="console", verdict="good", found=f"{listen} is free (no station runs there now)")


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
        return Finding(
            check=name,
            verdict="bad",
            found=f"TLS refused: {error.reason or error}",
            advice="check ca_file, cert_file and key_file, and that the server knows this certificate",
        )
    except OSError as error:
        return Finding(
            check=name,
            verdict="bad",
            found=f"{feed.url}: {error.strerror or error}",
            advice="check the address, the cable, the firewall, and that the other side runs",
        )
    return Finding(check=name, verdict="good", found=found)


def _look(feed: FeedConfig) -> str:
    scheme, _, rest = feed.url.partition(":")
    if scheme == "odid+pcap" and rest != "-":
        first = next(CaptureReader(rest).records(), None)
        return "a capture without frames" if first is None else f"a capture, link type {first.link_type}"
    if scheme == "odid+udp":
        return _bindable(feed.url)
    if scheme in ("cot+tcp", "cot+tls"):
        return asyncio.run(_reachable(feed))
    return "nothing to look at from outside"


def _bindable(url: str) -> str:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 0
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind((host, port))
    return f"UDP {host}:{port} can be listened on (no station has it now)"


async def _reachable(feed: FeedConfig) -> str:
    parts = urlsplit(feed.url)
    context = _context(feed) if feed.url.startswith("cot+tls") else None
    async with asyncio.timeout(CONNECT_S):
        _, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=context)
    writer.close()
    return f"{parts.hostname}:{parts.port} answers" + (" over TLS" if context else "")


def _context(feed: FeedConfig) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=feed.ca_file)
    if feed.cert_file is not None:
        context.load_cert_chain(feed.cert_file, feed.key_file)
    return context
