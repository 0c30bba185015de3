"""Ids of tracks, from content alone: every order of arrival gives the same."""

import hashlib
import struct
from collections.abc import Container

from vedette.fuse.plots import Plot
from vedette.model import Claim, Identity

_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PAIRS = [one + two for one in _DIGITS for two in _DIGITS]
"""Base 32 (RFC 4648, clause 6), ten bits at a time: an id is made for every plot that might be a body."""
_BLANK = hashlib.blake2b(digest_size=5)
_BITS = struct.Struct(">BI")
"""Of a digest in two parts: numbers beyond 30 bits are slow."""


def track_id(taken: Container[str], letter: str, plot: Plot) -> str:
    """The id of a track founded by this plot, other than those ``taken``. A claimed identity or a radio
    address names its first body; other bodies and anonymous ones are named by the founding detection."""
    claim, emitter = plot.claim, plot.emitter
    if claim is not None or emitter is not None:
        name = f"emitter\0{emitter}" if claim is None else f"claim\0{claim.scheme}\0{claim.id}"
        short = letter + _digest(name.encode())
        if short not in taken:
            return short
    short, salt = letter + _digest(plot.content), 0
    while short in taken:
        salt += 1
        short = letter + _digest(plot.content + salt.to_bytes(4, "big"))
    return short


def _digest(content: bytes) -> str:
    digest = _BLANK.copy()
    digest.update(content)
    high, low = _BITS.unpack(digest.digest())
    first, second = _PAIRS[high << 2 | low >> 30], _PAIRS[low >> 20 & 1023]
    return f"{first}{second}{_PAIRS[low >> 10 & 1023]}{_PAIRS[low & 1023]}"


def identity_of(claim: Claim | None) -> Identity | None:
    """The identity that a claim states."""
    return None if claim is None else Identity(scheme=claim.scheme, id=claim.id)
