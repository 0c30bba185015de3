"""Silences: alerts of one unit, track or class make no sound and are not escalated, for an hour at most.

Each has an author, a reason and an end. None of them reaches an alert of IMMINENT.
"""

import base64
import hashlib
from collections.abc import Sequence

from msgspec import Struct

from vedette.model.detection import ObjectClass
from vedette.warn.members import Member

MOST = 64
"""Silences at once: more of them are a way to switch the warning off."""


class Silence(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``by`` and ``reason``: whose and why; ``began`` and ``until``: Unix seconds. What it matches must fit
    all that is stated of unit, track and class."""

    silence: str
    by: str
    reason: str
    began: float
    until: float
    unit: str | None = None
    track: str | None = None
    object_class: ObjectClass | None = None


def silence_id(by: str, at: float, what: tuple[str | None, ...]) -> str:
    """'S' and 8 base-32 letters from who, when and what."""
    content = "|".join((by, repr(at), *(part or "" for part in what))).encode()
    digest = hashlib.blake2b(content, digest_size=5, person=b"vedette-silence").digest()
    return "S" + base64.b32encode(digest).decode("ascii")


def matching(silences: Sequence[Silence], unit: str, members: Sequence[Member], at: float) -> Silence | None:
    """The first silence that holds for all drones of an alert at ``unit``."""
    return next((s for s in silences if at < s.until and _holds(s, unit, members)), None)


def _holds(silence: Silence, unit: str, members: Sequence[Member]) -> bool:
    if silence.unit is not None and silence.unit != unit:
        return False
    return all(
        silence.track in (None, member.track) and silence.object_class in (None, member.kind)
        for member in members
    )
