"""Sealed frames: AES-CCM under keys of the team, a counter nonce, and a window against replays.

Frame (big-endian)::

    version:4 bits, purpose:4 bits | key id:1 | sender:1 | counter:4 | sealed message | tag:8

The first seven bytes are readable and authenticated. An alert takes 7 + 22 + 8 = 37 bytes.

**Keys.** The station holds a team secret of 32 bytes. HKDF-SHA256 (RFC 5869) makes two kinds of keys of it:
the *alert key*, which every member's device holds, and one *gateway key* for each member who may say what
became of an alert. An ordinary member's device that is lost can therefore not acknowledge for the team. It
can forge alerts (whoever can open with a symmetric key can seal with it): rotate the team's key then. From
either one key is derived for each purpose: ``live``, ``exercise`` and ``test`` are sealed under different
keys, so no damage, mistake or replay can turn a frame of one purpose into another.

**Nonce.** 13 bytes: purpose, sender, key id, six zero bytes, counter. A counter is never used twice under one
key by one sender; who stores it is said in `vedette.station.peers._lora_counter`.

**Forgery.** A tag has 64 bits. SP 800-38C (appendix B.2) asks that Tlen >= log2(MaxErrs / Risk): at 20
attempts a second, more than the fastest preset carries, a year of trying is 2^29.2 attempts, and the risk
that one of them passes is 2^-34.8. Receivers count failures and open no more frames than that
(`vedette.station.peers._lora_ear`), so a flood by another way does not buy more attempts.

**Replay.** For each (key id, purpose, sender) the highest counter and the 64 below it are remembered (RFC
4303, section 3.4.3). A receiver that restarts begins anew: what protects it then is the time and the expiry
in the message, and that a fact about an alert says nothing new when it is told twice.
"""

import struct
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from vedette.wire.errors import DecodeError, EncodeError

Purpose = Literal["live", "exercise", "test"]

VERSION = 1
SECRET_BYTES = 32
TAG_BYTES = 8
STATION = 0
"""Sender number of the station; members count from 1."""
LARGEST_COUNTER = 0xFFFFFFFF
MOST_BYTES = 40
WINDOW = 64

_HEADER = struct.Struct(">BBBI")
_PURPOSES: dict[int, Purpose] = {0x3: "live", 0x5: "exercise", 0xE: "test"}
"""Codes that differ in two bits at least; it is the keys that keep the purposes apart, not these."""
_CODES = {purpose: code for code, purpose in _PURPOSES.items()}
_SALT = b"vedette-lora-1"


class Header(Struct, frozen=True, kw_only=True):
    """The readable part of a frame."""

    purpose: Purpose
    key_id: int
    sender: int
    counter: int


def alert_key(secret: bytes) -> bytes:
    """The key of every member of a team: opens what the station sends."""
    return _derived(secret, b"alert")


def gateway_key(secret: bytes, member: int) -> bytes:
    """The key of one gateway: seals what it says. Raises EncodeError for a number that is no member's."""
    if not 1 <= member <= 255:
        raise EncodeError("out-of-range", f"member {member}: members have numbers from 1 to 255")
    return _derived(secret, b"gateway" + bytes([member]))


def read_header(frame: bytes) -> Header:
    """The readable part of a frame. Raises DecodeError: too-short, unknown-version, unknown-purpose."""
    if len(frame) < _HEADER.size + TAG_BYTES:
        raise DecodeError("too-short", f"{len(frame)} bytes are no frame")
    first, key_id, sender, counter = _HEADER.unpack_from(frame)
    if first >> 4 != VERSION:
        raise DecodeError("unknown-version", f"version {first >> 4} of the format is not known")
    if (purpose := _PURPOSES.get(first & 0xF)) is None:
        raise DecodeError("unknown-purpose", f"purpose {first & 0xF:#x} is neither live, exercise nor test")
    return Header(purpose=purpose, key_id=key_id, sender=sender, counter=counter)


class Sealer:
    """Seals and opens under one alert key or gateway key, and the keys derived for each purpose."""

    def __init__(self, key: bytes) -> None:
        if len(key) != SECRET_BYTES:
            raise EncodeError("bad-key", f"a key has {SECRET_BYTES} bytes, not {len(key)}")
        self._ciphers = {
            purpose: AESCCM(_derived(key, purpose.encode()), tag_length=TAG_BYTES) for purpose in _CODES
        }

    def seal(self, header: Header, message: bytes) -> bytes:
        """The frame. Raises EncodeError if it would be longer than `MOST_BYTES` or the counter is spent."""
        if not 0 <= header.counter <= LARGEST_COUNTER:
            raise EncodeError("counter-spent", "the key's counter is used up: give the team a new key")
        readable = _HEADER.pack(
            VERSION << 4 | _CODES[header.purpose], header.key_id, header.sender, header.counter
        )
        frame = readable + self._ciphers[header.purpose].encrypt(_nonce(header), message, readable)
        if len(frame) > MOST_BYTES:
            raise EncodeError("too-large", f"{len(frame)} bytes; a frame has at most {MOST_BYTES}")
        return frame

    def open(self, header: Header, frame: bytes) -> bytes:
        """The message in ``frame``, whose `read_header` is ``header``. Raises DecodeError: forged."""
        readable, sealed = frame[: _HEADER.size], frame[_HEADER.size :]
        try:
            return self._ciphers[header.purpose].decrypt(_nonce(header), sealed, readable)
        except InvalidTag:
            raise DecodeError("forged", "the tag is not one that this team's key makes") from None


class ReplayWindow:
    """Which counters one sender has used; only for frames that were opened, or anybody could move it."""

    def __init__(self) -> None:
        self._highest = -1
        self._seen = 0

    def admits(self, counter: int) -> bool:
        """True the first time a counter is seen, unless it lies too far behind the highest."""
        if counter > self._highest:
            ahead = counter - self._highest
            self._seen = (self._seen << ahead | 1) & ((1 << WINDOW) - 1) if ahead < WINDOW else 1
            self._highest = counter
            return True
        behind = self._highest - counter
        if behind >= WINDOW or self._seen >> behind & 1:
            return False
        self._seen |= 1 << behind
        return True


def _nonce(header: Header) -> bytes:
    start = bytes([_CODES[header.purpose], header.sender, header.key_id])
    return start + bytes(6) + header.counter.to_bytes(4, "big")


def _derived(key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=SECRET_BYTES, salt=_SALT, info=info).derive(key)
