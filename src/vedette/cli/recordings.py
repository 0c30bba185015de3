"""What is in a file, and which feed of this installation reads it: the files of ``vedette decode``."""

import math
import re
from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from vedette.model import ConfigError, InputError, Site

HEAD_BYTES = 4096
FRAMES = 50
"""Frames of a capture that are looked at for what they carry."""


class Recording(NamedTuple):
    """How a recorded format is read: the scheme of its feed, and whether that feed never ends, because it
    follows a file that is rewritten, so that one answer of it is all there is."""

    scheme: str
    once: bool = False


READERS: dict[str, Recording] = {
    "asterix-capture": Recording("asterix+pcap"),
    "asterix": Recording("asterix"),
    "beast": Recording("beast"),
    "sbs": Recording("sbs"),
    "aircraft-json": Recording("aircraft", once=True),
    "lines": Recording("lines"),
    "sapient": Recording("sapient"),
    "cot": Recording("cot"),
}
"""Content -> how it is read. Whether there is such a feed is asked of the registry."""


_OTHERWISE = {
    "asterix": "bare blocks carry no times of reception: record the network (tcpdump -w FILE) and give that"
    " capture, or send the blocks by UDP to asterix+udp://127.0.0.1:PORT"
}


def content_of(path: Path) -> str | None:
    """What a regular file holds, of `READERS`; None: a capture of Remote ID, or nothing that is known, or
    not a regular file (a pipe gives its beginning only once). Raises nothing."""
    from vedette.station.formats import guess_format

    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            looks = guess_format(file.read(HEAD_BYTES))
    except OSError:
        return None
    if looks == "capture":
        return _carried(path)
    return looks if looks in READERS else None


def _carried(path: Path) -> str | None:
    """What the datagrams in a capture are, if it is one of an IP network."""
    from vedette.station.formats import datagram_format
    from vedette.wire.capture import CaptureReader
    from vedette.wire.errors import CaptureError

    try:
        records = list(islice(CaptureReader(path).records(), FRAMES))
    except CaptureError:
        return None
    looks = Counter(datagram_format(record.data, record.link_type) for record in records)
    looks.pop(None, None)
    found = [f"{name}-capture" for name, _ in looks.most_common(1)]
    return found[0] if found and found[0] in READERS else None


def url_of(path: Path, content: str) -> str:
    """The feed URL that reads it. Raises InputError if this installation has no such feed."""
    from vedette.cli.listen import is_feed
    from vedette.station.formats import WORDS

    scheme = READERS[content].scheme
    url = f"{scheme}:{path}"
    if not is_feed(url):
        words = WORDS[content.removesuffix("-capture")]
        how = _OTHERWISE.get(content, f"this installation has no feed {scheme}: to read it")
        raise InputError(f"{path}: this looks like {words}; {how}")
    return url


def begins(path: Path, content: str) -> float:
    """Unix seconds at which a recording begins, by its own first time; the file's own time where it has none
    (Beast counts from the receiver's start)."""
    own = _FIRST.get(content, _no_time)(path)
    return own if own is not None and 0.0 < own < 1 << 33 else path.stat().st_mtime


def _no_time(path: Path) -> float | None:
    return None


def _of_capture(path: Path) -> float | None:
    from vedette.wire.capture import CaptureReader

    first = next(CaptureReader(path).records(), None)
    return first.time if first is not None and math.isfinite(first.time) else None


def _of_lines(path: Path) -> float | None:
    with path.open("rb") as file:
        for line in islice(file, 100):
            try:
                return float(msgspec.json.decode(line)["time"])
            except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
                continue
    return None


def _of_table(path: Path) -> float | None:
    try:
        return float(msgspec.json.decode(path.read_bytes())["now"])
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
        return None


_SBS_TIME = re.compile(rb"(\d{4}/\d\d/\d\d),(\d\d:\d\d:\d\d)")


def _of_sbs(path: Path) -> float | None:
    """SBS does not say its zone: it is taken for UTC."""
    with path.open("rb") as file:
        found = _SBS_TIME.search(file.read(HEAD_BYTES))
    if found is None:
        return None
    text = b" ".join(found.groups()).decode()
    try:
        return datetime.strptime(text, "%Y/%m/%d %H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


_FIRST = {"asterix-capture": _of_capture, "lines": _of_lines, "sbs": _of_sbs, "aircraft-json": _of_table}


def place(site: str | None) -> Site | None:
    """``LAT,LON`` in degrees -> a site there. Raises ConfigError."""
    if site is None:
        return None
    try:
        lat_deg, lon_deg = (float(part) for part in site.split(","))
    except ValueError:
        raise ConfigError(f"--site {site!r}: write LAT,LON in degrees, for example 47.2,8.5") from None
    if not (abs(lat_deg) <= 90.0 and abs(lon_deg) <= 180.0):
        raise ConfigError(
            f"--site {site!r}: there is no such place: latitude to 90, longitude to 180 degrees"
        )
    return Site(name="here", lat_deg=lat_deg, lon_deg=lon_deg, alt_m=0.0, alt_datum="wgs84-ellipsoid")
