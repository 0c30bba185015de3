"""Datagrams of ASTERIX blocks <-> messages (EUROCONTROL-SPEC-0149, part 1, edition 3.1, clause 4).

A datagram is blocks end to end: category (1 byte), length with these three bytes (2 bytes, big endian),
records. A block is used whole or not at all: records follow each other without marks, so one that cannot
be right says that its neighbours were cut wrongly too.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, cast

from vedette.wire.asterix import cat129
from vedette.wire.asterix.errors import AsterixError
from vedette.wire.asterix.messages import Datagram, Message, Rejection, UasIdentification
from vedette.wire.asterix.specification import Specification, Value, specification
from vedette.wire.asterix.tables import CATEGORIES, Field

MAX_DATAGRAM_BYTES = 65_507
"""The largest UDP payload over IPv4."""
MAX_RECORDS = 1_000
"""Per datagram, refused ones too. A radar sends tens; a forged datagram could keep a station busy for
seconds."""
MAX_REJECTIONS = 100
"""Per datagram; the rest of the datagram becomes the last of them."""
_HEADER_BYTES = 3


def decode(data: bytes) -> Datagram:
    """All messages of a datagram, and a reason for each block that was refused. Raises nothing."""
    if not _HEADER_BYTES <= len(data) <= MAX_DATAGRAM_BYTES:
        why = f"a datagram has {_HEADER_BYTES} to {MAX_DATAGRAM_BYTES} bytes, not {len(data)}"
        return Datagram((), (Rejection("datagram", why, 0, len(data)),))
    messages: list[Message] = []
    rejected: list[Rejection] = []
    budget = _Budget()
    for offset, block in _blocks(data):
        try:
            if len(rejected) == MAX_REJECTIONS - 1:
                block = data[offset:]
                raise AsterixError("block-length", f"{len(rejected)} blocks refused: the rest is not read")
            messages += _decode_block(block, budget)
        except AsterixError as error:
            rejected.append(Rejection(error.reason, str(error), offset, len(block), block[0]))
            if len(rejected) == MAX_REJECTIONS:
                break
    return Datagram(tuple(messages), tuple(rejected))


def _blocks(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of each block; a length that cannot be gives all the rest as one block."""
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at + 1 : at + 3])
        if not _HEADER_BYTES <= length <= len(data) - at:
            length = len(data) - at
        yield at, data[at : at + length]
        at += length


class _Budget:
    """How many records of a datagram may still be looked at."""

    def __init__(self) -> None:
        self._left = MAX_RECORDS

    def spend(self) -> None:
        if self._left == 0:
            raise AsterixError("too-many-records", f"more than {MAX_RECORDS} records in a datagram")
        self._left -= 1


def decode_block(block: bytes) -> list[Message]:
    """The messages of one whole block. Raises AsterixError with the reason why none of it is used."""
    return _decode_block(block, _Budget())


def _decode_block(block: bytes, budget: _Budget) -> list[Message]:
    if len(block) < _HEADER_BYTES or int.from_bytes(block[1:3]) != len(block):
        raise AsterixError(
            "block-length", f"the block does not have the length that it says: {len(block)} here"
        )
    category, payload = block[0], block[_HEADER_BYTES:]
    if category != cat129.CATEGORY and category not in CATEGORIES:
        raise AsterixError("category", f"category {category} is not read: {sorted((*CATEGORIES, 129))} are")
    if not payload:
        raise AsterixError("empty-block", f"a block of category {category} without a record")
    if category == cat129.CATEGORY:
        return [cat129.decode_record(payload)]
    return _decode_records(category, payload, budget)


def _decode_records(category: int, payload: bytes, budget: _Budget) -> list[Message]:
    spec = specification(category)
    messages: list[Message] = []
    for record in spec.records(payload):
        budget.spend()
        messages.append(_message(category, spec, record))
    return messages


def _message(category: int, spec: Specification, record: Any) -> Message:
    table = CATEGORIES[category]
    values: dict[str, Any] = {}
    for field in table.fields:
        value = spec.read(record, field.name)
        if value is not None:
            values[field.name] = checked(value, field, category)
    for name in table.required:
        if name not in values:
            raise AsterixError("missing-item", f"CAT{category:03}: a record without {name}")
    return cast("Message", table.message(**values))


def checked(value: Value, field: Field, category: int) -> Value | None:
    """The value if it is possible. Raises AsterixError (``range``, ``text``); an empty text is unknown."""
    if isinstance(value, str):
        return _text(value, field, category)
    if isinstance(value, tuple):
        return value or None
    if not (field.low <= value <= field.high and value < field.below):
        limit = min(field.high, field.below)
        raise AsterixError(
            "range", f"CAT{category:03}: {field.name} {value:g} is outside {field.low:g} to {limit:g}"
        )
    return 0.0 if field.turn and value == field.high else value


def _text(value: str, field: Field, category: int) -> str | None:
    text = value.rstrip(" \0")
    if not (text.isascii() and (text.isprintable())):
        raise AsterixError(
            "text", f"CAT{category:03}: {field.name} has characters that are no printable ASCII"
        )
    return text or None


def encode(messages: Sequence[Message]) -> bytes:
    """A datagram: neighbours of one category share a block, each of CAT129 and CAT205 has its own.

    Raises AsterixError: nothing to send, a value that is impossible or does not fit its item, or a
    datagram that gets too long.
    """
    blocks: list[bytearray] = []
    for message in messages:
        record = encode_record(message)
        alone = message.category in (cat129.CATEGORY, 205)
        if alone or not blocks or blocks[-1][0] != message.category:
            blocks.append(bytearray((message.category, 0, 0)))
        blocks[-1] += record
    length = sum(map(len, blocks))
    if not 0 < length <= MAX_DATAGRAM_BYTES:
        raise AsterixError("datagram", f"a datagram has 1 to {MAX_DATAGRAM_BYTES} bytes, not {length}")
    for block in blocks:
        block[1:3] = len(block).to_bytes(2)
    return b"".join(blocks)


def encode_record(message: Message) -> bytes:
    """One record without its block. Raises AsterixError (``range``, ``text``, ``missing-item``)."""
    if isinstance(message, UasIdentification):
        return cat129.encode_record(message)
    spec = specification(message.category)
    _require_whole_groups(message, spec)
    raws: dict[str, Any] = {}
    for field in CATEGORIES[message.category].fields:
        value = getattr(message, field.name)
        if value is not None:
            raws[field.name] = spec.raw(field.name, _sendable(value, field, message.category))
    return spec.build(raws)


def _require_whole_groups(message: Message, spec: Specification) -> None:
    """What shares an item comes together or not at all: a latitude alone would be sent with longitude 0."""
    for names in spec.companions:
        missing = [name for name in names if getattr(message, name) is None]
        if missing and len(missing) < len(names):
            raise AsterixError("missing-item", f"CAT{message.category:03}: one of {names} without {missing}")


def _sendable(value: Value, field: Field, category: int) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        raise AsterixError("range", f"CAT{category:03}: {field.name} is {value}")
    return value if isinstance(value, (str, tuple)) else cast("Value", checked(value, field, category))


def summary(datagrams: Sequence[Datagram]) -> dict[str, int]:
    """Counts for a log or a health line: messages per category and refused blocks per reason."""
    counts: dict[str, int] = {}
    for datagram in datagrams:
        for message in datagram.messages:
            _count(counts, f"cat{message.category:03}")
        for rejection in datagram.rejected:
            _count(counts, f"rejected:{rejection.reason}")
    return dict(sorted(counts.items()))


def _count(counts: dict[str, int], key: str) -> None:
    counts[key] = counts.get(key, 0) + 1
