"""One-time codes of a code generator: RFC 6238 (TOTP) over RFC 4226 (HOTP), 6 digits, 30 s, SHA-1.

SHA-1 and 30 s are what every code generator knows; HMAC-SHA-1 is not touched by collisions of SHA-1.
"""

import base64
import hashlib
import hmac
import struct
from urllib.parse import quote

PERIOD_S = 30
DIGITS = 6
DRIFT = 1
"""Periods that a phone's clock may be ahead or behind (RFC 6238, 5.2)."""
KEY_BYTES = 20
"""Of the shared secret: the length of the hash (RFC 4226, 4, R6)."""


def hotp(key: bytes, counter: int, digits: int = DIGITS, algorithm: str = "sha1") -> str:
    """The code of a counter (RFC 4226, 5.3)."""
    mac = hmac.new(key, struct.pack(">Q", counter), getattr(hashlib, algorithm)).digest()
    start = mac[-1] & 0x0F
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def counter_at(now: float) -> int:
    """The counter of a Unix time in seconds."""
    return int(now // PERIOD_S)


def matching_counter(key: bytes, code: str, now: float, after: int) -> int | None:
    """The counter that ``code`` belongs to, within the drift; None if there is none, or if it is not later
    than ``after``, the last that was accepted: a code that somebody saw being typed is worth nothing."""
    given = code.encode("utf-8", "replace")
    found = None
    for counter in range(max(0, counter_at(now) - DRIFT), counter_at(now) + DRIFT + 1):
        # All are compared, so that how long it takes tells nothing.
        if hmac.compare_digest(hotp(key, counter).encode(), given) and counter > after:
            found = counter
    return found


def setup_uri(key: bytes, name: str, site: str) -> str:
    """The ``otpauth`` address that a code generator reads, usually as a QR code. It holds the secret."""
    secret = base64.b32encode(key).decode().rstrip("=")
    issuer = quote(f"Vedette {site}")
    return (
        f"otpauth://totp/{issuer}:{quote(name)}?secret={secret}&issuer={issuer}"
        f"&algorithm=SHA1&digits={DIGITS}&period={PERIOD_S}"
    )
