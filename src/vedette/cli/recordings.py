"""What is in a file, and which feed of this installation reads it: the files of ``vedette decode``."""

import math
import re
from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from vedette.model import InputError

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


def content_of(path: Path) -> str | None:
    """What a regular file holds, of `READERS`; None: a capture of Remote ID, or nothing that is known, or
    not a regular file (a pipe gives its beginning only once). Raises nothing."""
    from vedette.station.doctor import guess_format

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
    from vedette.station.doctor.look import datagram_format
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
    from vedette.station.doctor.formats import WORDS

    scheme = READERS[content].scheme
    url = f"{scheme}:{path}"
    if not is_feed(url):
        words = WORDS[content.removesuffix("-capture")]
        raise InputError(
            f"{path}: this looks like {words}; this installation has no feed {scheme}: to read it"
        )
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
