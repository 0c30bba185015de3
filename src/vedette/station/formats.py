"""What do these bytes look like? A guess from their beginning, for advice and for ``vedette decode``.

Only forms that say what they are by structure are recognised (magic numbers, lengths that fit, names that
a format prescribes): bytes that could be anything are None. Nothing is believed because of a guess; the
decoders judge.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from vedette.wire import bluetooth, ieee80211
from vedette.wire.adsb import BeastSplitter
from vedette.wire.errors import DecodeError

LOOKED_AT = 4096
"""Bytes of the beginning that a guess is made from."""

WORDS = {
    "capture": "a capture file (pcap, pcapng or btsnoop)",
    "tls": "TLS: the other side encrypts",
    "http": "HTTP",
    "beast": "Beast binary, the output of an ADS-B receiver",
    "avr": "AVR lines, the raw text output of an ADS-B receiver",
    "sbs": "SBS lines, the text output of an ADS-B receiver",
    "aircraft-json": "aircraft.json of an ADS-B receiver",
    "asterix": "ASTERIX blocks of a radar",
    "sapient": "SAPIENT messages (BSI Flex 335 v2)",
    "cot": "Cursor on Target (XML)",
    "tak": "TAK protocol version 1 (protobuf)",
    "lines": "detection lines (detections.jsonl)",
    "gpsd": "reports of gpsd",
    "json": "JSON, but not a detection",
    "nmea": "NMEA lines of a GPS receiver",
    "xml": "XML, but no Cursor on Target",
    "radiotap": "Wi-Fi frames with radiotap (link=127)",
    "wifi": "Wi-Fi frames without radiotap (link=105)",
    "bluetooth": "Bluetooth LE frames (link=251, 256 or 272)",
    "text": "plain text",
}
"""Format -> what it is called."""

_CAPTURES = (
    *(bytes.fromhex(magic) for magic in ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "0a0d0d0a")),
    b"btsnoop\0",
)
_ACCESS_ADDRESS = bluetooth.ADVERTISING_ACCESS_ADDRESS.to_bytes(4, "little")
_CATEGORIES = frozenset(
    (*range(1, 12), *range(15, 26), 30, 32, 34, 48, 62, 63, 65, 129, 150, 205, 240, 247, 252)
)
"""Categories of ASTERIX that EUROCONTROL has given out."""
_AVR = re.compile(rb"[*@%<:]([0-9A-Fa-f]{2}){2,26};")
_SBS = re.compile(rb"(MSG,[1-8]|SEL|ID|AIR|STA|CLK),[^\n]*,[^\n]*,[^\n]*,")
_NMEA = re.compile(rb"[$!][A-Z]{2}[A-Z0-9]{3},")
_HTTP = re.compile(rb"HTTP/\d|(GET|POST|PUT|HEAD|OPTIONS) \S+ HTTP/")
_LARGEST_SAPIENT = 1 << 20
_UUID_BYTES = 36


def guess_format(data: bytes) -> str | None:
    """The format that these bytes, the beginning of a message or of a stream, look like; a key of `WORDS`,
    or None. Never raises."""
    head = data[:LOOKED_AT]
    return next((name for name, looks_so in _BINARY if looks_so(head)), None) or _text(head)


def _capture(head: bytes) -> bool:
    return head.startswith(_CAPTURES)


def _tls(head: bytes) -> bool:
    """A handshake or alert record of TLS (RFC 8446, 5.1)."""
    if len(head) < 6 or head[0] not in (21, 22) or head[1] != 3 or head[2] > 4:
        return False
    length = int.from_bytes(head[3:5])
    return length == 2 if head[0] == 21 else 4 <= length <= 1 << 14 and head[5] in (1, 2)


def _beast(head: bytes) -> bool:
    """Complete frames, and little beside them: a stream that was joined in the middle begins with a rest."""
    splitter = BeastSplitter()
    found = splitter.feed(head)
    return bool(found) and 4 * splitter.counters.skipped_bytes < len(head)


def _tak(head: bytes) -> bool:
    """0xBF, then a mesh message's ``01 BF`` or a stream's length, and a field of TakMessage."""
    if head[:1] != b"\xbf":
        return False
    if head[1:3] == b"\x01\xbf":
        return len(head) == 3 or head[3] in _TAK_FIELDS
    at = 1
    while at < min(len(head), 5) and head[at] & 0x80:
        at += 1
    return at + 1 < len(head) and head[at + 1] in _TAK_FIELDS


_TAK_FIELDS = (0x0A, 0x12, 0x18)
"""Tags of takControl, cotEvent and submissionTime."""


def _sapient(head: bytes) -> bool:
    """A little-endian length, then the two fields that every message begins with: time and node id."""
    if len(head) < 8 or not 10 <= int.from_bytes(head[:4], "little") <= _LARGEST_SAPIENT or head[4] != 0x0A:
        return False
    at = 6 + head[5]
    return head[5] <= 20 and head[at : at + 2] == bytes((0x12, _UUID_BYTES))


def _asterix(head: bytes) -> bool:
    """Blocks of known categories whose lengths lead from one to the next, to the end of what is here."""
    at = 0
    while at + 3 <= len(head):
        length = int.from_bytes(head[at + 1 : at + 3])
        if head[at] not in _CATEGORIES or length < 4:
            return False
        at += length
    return at > 0 and (at == len(head) or len(head) == LOOKED_AT)


def _radiotap(head: bytes) -> bool:
    try:
        radiotap = ieee80211.decode_radiotap(head)
        return _is_wifi(head[radiotap.length :])
    except DecodeError:
        return False


def _wifi(head: bytes) -> bool:
    return _is_wifi(head) and head[4:10] in (b"\xff" * 6, b"\x51\x6f\x9a\x01\x00\x00")


def _is_wifi(frame: bytes) -> bool:
    """A management, control or data frame of version 0 (IEEE 802.11-2020, 9.2.4.1)."""
    return len(frame) >= 10 and not frame[0] & 0x03 and frame[0] >> 2 & 0x03 < 3


def _bluetooth(head: bytes) -> bool:
    """The access address of advertising: at once (251), behind a pseudo-header (256), or nRF's (272)."""
    return any(head[at : at + 4] == _ACCESS_ADDRESS for at in (0, 10, 17))


_BINARY: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("capture", _capture),
    ("tls", _tls),
    ("beast", _beast),
    ("tak", _tak),
    ("sapient", _sapient),
    ("bluetooth", _bluetooth),
    ("asterix", _asterix),
    ("radiotap", _radiotap),
    ("wifi", _wifi),
)


def _text(head: bytes) -> str | None:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not text or not _is_text(text):
        return None
    for name, pattern in (("http", _HTTP), ("avr", _AVR), ("sbs", _SBS), ("nmea", _NMEA)):
        if pattern.match(text):
            return name
    if text.startswith(b"<"):
        return "cot" if b"<event" in text else "xml"
    if text.startswith((b"{", b"[")):
        return _json(text)
    return "text"


def _is_text(data: bytes) -> bool:
    """UTF-8 without control characters; a character that the cut has torn is forgiven."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(data) - 3 or len(data) < LOOKED_AT - 3:
            return False
        text = data[: error.start].decode("utf-8")
    return all(char.isprintable() or char in "\r\n\t" for char in text)


def _json(text: bytes) -> str:
    record = _decoded(text)
    if record is None:
        record = _decoded(text.split(b"\n", 1)[0])
    if isinstance(record, dict):
        keys = set(record)
    else:
        keys = {name.decode() for name in re.findall(rb'"(\w{1,40})"\s*:', text)}
    if {"measure", "sensor"} <= keys:
        return "lines"
    if {"now", "aircraft"} <= keys:
        return "aircraft-json"
    is_gpsd = isinstance(record, dict) and record.get("class") in (
        "VERSION",
        "TPV",
        "SKY",
        "DEVICES",
        "WATCH",
    )
    return "gpsd" if is_gpsd else "json"


def _decoded(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None


def datagram_format(frame: bytes, link_type: int) -> str | None:
    """The format of the UDP payload of a captured frame, None if it has none that is known."""
    from vedette.wire.errors import DecodeError
    from vedette.wire.udp import udp_datagram

    try:
        payload = udp_datagram(frame, link_type).payload
    except DecodeError:
        return None
    return guess_format(payload)
