"""What stands inside a sealed frame: an alert, its end, and what the team's gateway says of it.

Layouts (big-endian; ``id`` is the 32-bit short form of an alert's id, ``revision`` 16 bits)::

    alert  head id:4 revision:2 time:4 template pack subject bearing range low high expires count axes:2   22
    end    head id:4 revision:2 time:4 template pack subject bearing range ago:2 expires                   19
    fact   head id:4 revision:2 time:4 member by                                                           13

``head`` is kind (3 bits), level (2), and flags (3). Every length is fixed: a frame of another length, an
unknown kind, or a flag that is not defined is refused, never read as far as it goes.

The bearing and the range are seen from the place of *subject*, a member of the team by number, who knows
where he is; no position is carried, of nobody. Subject 0 is somebody outside the team.
"""

import struct
from typing import Literal

from msgspec import Struct

from vedette.wire.errors import DecodeError, EncodeError
from vedette.wire.lora import codes

RadioLevel = Literal["info", "advisory", "warning", "imminent"]
RadioFact = Literal["on-device", "shown", "acknowledged"]

OUTSIDE = 0
"""Subject: not a member of the team. Member of a fact: everybody of the team."""
LARGEST_REVISION = 0xFFFF
MOST_AXES = 3
_ALL_SIDES = 7
_EXPIRES_STEP_S = 5
_LEVELS: tuple[RadioLevel, ...] = ("info", "advisory", "warning", "imminent")
_FACTS: dict[int, RadioFact] = {0: "on-device", 1: "shown", 2: "acknowledged"}
_FACT_CODES = {fact: code for code, fact in _FACTS.items()}
_ALERT, _END, _FACT = 1, 2, 3
_SOUND, _BEARING = 0b001, 0b010
_ALERT_BODY = struct.Struct(">BIHIBBBBBBBBBH")
_END_BODY = struct.Struct(">BIHIBBBBBHB")
_FACT_BODY = struct.Struct(">BIHIBB")
_BODIES = {_ALERT: _ALERT_BODY, _END: _END_BODY, _FACT: _FACT_BODY}


class RadioAlert(Struct, frozen=True, kw_only=True):
    """One revision of an alert. ``time`` is whole Unix seconds, ``expires_s`` counts from it.

    ``bearing_deg`` absent: no direction can be told. ``low_s`` and ``high_s``: time to impact; ``low_s``
    alone: how soon it could be here at worst; neither: nothing is known of the time.
    ``octants``: the directions of several attackers, 0 = north, clockwise, at most three in their
    order; None: from all sides. The figures are those of `vedette.wire.lora.codes`.
    """

    alert: int
    revision: int
    level: RadioLevel
    time: int
    template: int
    pack: int
    subject: int
    bearing_deg: float | None
    range_m: float | None
    low_s: float | None
    high_s: float | None
    expires_s: int
    count: int = 1
    octants: tuple[int, ...] | None = ()
    sound: bool = False


class RadioEnd(Struct, frozen=True, kw_only=True):
    """The danger is over. ``seen`` (Unix seconds): when the drone was last detected."""

    alert: int
    revision: int
    time: int
    template: int
    pack: int
    subject: int
    bearing_deg: float | None
    range_m: float | None
    seen: int
    expires_s: int


class RadioFactReport(Struct, frozen=True, kw_only=True):
    """What became of an alert at the team: ``fact`` of ``member`` (0: of everybody), entered by ``by``."""

    alert: int
    revision: int
    time: int
    fact: RadioFact
    member: int
    by: int


RadioMessage = RadioAlert | RadioEnd | RadioFactReport


def encode_message(message: RadioMessage) -> bytes:
    """The bytes to seal. Raises EncodeError for a number that its field cannot hold."""
    try:
        if isinstance(message, RadioAlert):
            return _encode_alert(message)
        if isinstance(message, RadioEnd):
            return _encode_end(message)
        head = _head(_FACT, "info", _FACT_CODES[message.fact])
        return _FACT_BODY.pack(
            head, message.alert, message.revision, message.time, message.member, message.by
        )
    except struct.error as error:
        raise EncodeError("out-of-range", f"{message!r} does not fit: {error}") from None


def decode_message(data: bytes) -> RadioMessage:
    """Opened bytes -> message. Raises DecodeError: empty, unknown-kind, wrong-length, unknown-flag."""
    if not data:
        raise DecodeError("empty", "a message needs at least its first byte")
    kind = data[0] >> 5
    if kind not in _BODIES:
        raise DecodeError("unknown-kind", f"message kind {kind} is not known to this version")
    body = _BODIES[kind]
    if len(data) != body.size:
        raise DecodeError("wrong-length", f"kind {kind} has {body.size} bytes, not {len(data)}")
    fields = body.unpack(data)
    if kind == _FACT:
        return _fact(fields)
    return _alert(fields) if kind == _ALERT else _end(fields)


def _encode_alert(m: RadioAlert) -> bytes:
    flags = _SOUND * m.sound | _BEARING * (m.bearing_deg is not None)
    low, high = _times(m)
    return _ALERT_BODY.pack(
        _head(_ALERT, m.level, flags), m.alert, m.revision, m.time, m.template, m.pack, m.subject,
        codes.bearing_code(m.bearing_deg or 0.0), codes.range_code(m.range_m), low, high,
        _expires_code(m.expires_s), min(max(m.count, 0), 255), _axes_code(m.octants),
    )  # fmt: skip


def _times(m: RadioAlert) -> tuple[int, int]:
    """A time to impact needs both ends; one that lacks its lower end is told as a worst case of none."""
    high = codes.NO_TIME if m.high_s is None else codes.about_code(m.high_s)
    if m.low_s is None:
        return (codes.NO_TIME, codes.NO_TIME) if m.high_s is None else (0, high)
    return codes.at_least_code(m.low_s), high


def _encode_end(m: RadioEnd) -> bytes:
    flags = _BEARING * (m.bearing_deg is not None)
    ago = min(max(m.time - m.seen, 0), 0xFFFF)
    return _END_BODY.pack(
        _head(_END, "info", flags), m.alert, m.revision, m.time, m.template, m.pack, m.subject,
        codes.bearing_code(m.bearing_deg or 0.0), codes.range_code(m.range_m), ago,
        _expires_code(m.expires_s),
    )  # fmt: skip


def _head(kind: int, level: RadioLevel, flags: int) -> int:
    return kind << 5 | _LEVELS.index(level) << 3 | flags


def _expires_code(seconds: int) -> int:
    """Rounded up: a message must not be thrown away before its time."""
    return min(max(-(-seconds // _EXPIRES_STEP_S), 0), 255)


def _axes_code(octants: tuple[int, ...] | None) -> int:
    if octants is None or len(octants) > MOST_AXES:
        return _ALL_SIDES << 9
    code = len(octants) << 9
    for place, octant in enumerate(octants):
        code |= (octant % 8) << (3 * place)
    return code


def _octants(code: int) -> tuple[int, ...] | None:
    count = code >> 9
    if count == _ALL_SIDES:
        return None
    if count > MOST_AXES:
        raise DecodeError("unknown-flag", f"{count} directions; at most {MOST_AXES} are named")
    return tuple(code >> (3 * place) & 7 for place in range(count))


def _level_flags(head: int, allowed: int) -> tuple[RadioLevel, int]:
    flags = head & 0b111
    if flags & ~allowed:
        raise DecodeError("unknown-flag", f"flags {flags:#05b} are not all known to this version")
    return _LEVELS[head >> 3 & 0b11], flags


def _alert(fields: tuple[int, ...]) -> RadioAlert:
    head, alert, revision, time, template, pack, subject, bearing, far, low, high, expires, count, axes = (
        fields
    )
    level, flags = _level_flags(head, _SOUND | _BEARING)
    return RadioAlert(
        alert=alert, revision=revision, level=level, time=time, template=template, pack=pack, subject=subject,
        bearing_deg=codes.bearing_deg(bearing) if flags & _BEARING else None, range_m=codes.range_m(far),
        low_s=None if low == codes.NO_TIME else codes.at_least_s(low),
        high_s=None if high == codes.NO_TIME else codes.about_s(high),
        expires_s=expires * _EXPIRES_STEP_S, count=count, octants=_octants(axes), sound=bool(flags & _SOUND),
    )  # fmt: skip


def _end(fields: tuple[int, ...]) -> RadioEnd:
    head, alert, revision, time, template, pack, subject, bearing, far, ago, expires = fields
    _, flags = _level_flags(head, _BEARING)
    return RadioEnd(
        alert=alert, revision=revision, time=time, template=template, pack=pack, subject=subject,
        bearing_deg=codes.bearing_deg(bearing) if flags & _BEARING else None, range_m=codes.range_m(far),
        seen=time - ago, expires_s=expires * _EXPIRES_STEP_S,
    )  # fmt: skip


def _fact(fields: tuple[int, ...]) -> RadioFactReport:
    head, alert, revision, time, member, by = fields
    _, code = _level_flags(head, 0b11)
    if code not in _FACTS:
        raise DecodeError("unknown-flag", f"fact {code} is not known to this version")
    return RadioFactReport(alert=alert, revision=revision, time=time, fact=_FACTS[code], member=member, by=by)
