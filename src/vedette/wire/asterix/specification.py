"""libasterix behind three questions: parse a record, read a field, build a record.

The library is loaded when the first block of a category is met: its generated classes take a second to
import, and most stations have no ASTERIX feed. Its types are not followed for the same reason.
"""

import functools
import importlib
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from vedette.wire.asterix.errors import AsterixError
from vedette.wire.asterix.tables import CATEGORIES, Field

Value: TypeAlias = int | float | str | tuple[Any, ...]
Reader: TypeAlias = Callable[[Any], Value]
Writer: TypeAlias = Callable[[Any], Any]
Nested: TypeAlias = dict[str, Any]
"""Item and sub-item names down to raw integers."""


class Specification:
    """One category of `tables.CATEGORIES` as libasterix knows it."""

    def __init__(self, category: int) -> None:
        table = CATEGORIES[category]
        major, minor = table.edition
        base = importlib.import_module("asterix.base")
        generated = importlib.import_module("asterix.generated")
        self._base: Any = base
        self._record: Any = getattr(generated, f"Cat_{category:03}_{major}_{minor}").cv_record
        self._strict: Any = base.ParsingMode.StrictParsing
        self._paths = {field.name: tuple(field.path.split(".")) for field in table.fields}
        leaves = {field.name: self._leaf(self._paths[field.name]) for field in table.fields}
        self._readers = {field.name: self._reader(leaves[field.name], field) for field in table.fields}
        self._writers = {field.name: self._writer(leaves[field.name], field) for field in table.fields}

        self.companions = self._companions(table.fields)

    def records(self, payload: bytes) -> Iterator[Any]:
        """The records of a block one after the other. Raises AsterixError (``edition``)."""
        rest = self._base.Bits.from_bytes(payload)
        while len(rest):
            record, rest = self._next(rest)
            yield record

    def _next(self, rest: Any) -> tuple[Any, Any]:
        try:
            parsed = self._record.parse(self._strict, rest)
        # The library returns most of its refusals and raises the others (0.36.3: TypeError for an item number
        # beyond the last one); no byte from outside may get further than here.
        except Exception as error:
            raise AsterixError("edition", f"a record does not follow the layout: {error}") from error
        if isinstance(parsed, ValueError):
            raise AsterixError("edition", f"a record does not follow the layout: {parsed}")
        record, rest = parsed
        return record, rest

    def read(self, record: Any, name: str) -> Value | None:
        """The field as its struct holds it, before any check; None where the item was not sent."""
        first, *deeper = self._paths[name]
        node = record.get_item(first)
        for key in deeper:
            if node is None:
                return None
            node = node.variation.get_item(key)
        return None if node is None else self._readers[name](node.variation)

    def raw(self, name: str, value: Any) -> Any:
        """A field's value as the integers of the wire. Raises AsterixError (``range``, ``text``)."""
        return self._writers[name](value)

    def build(self, raws: Mapping[str, Any]) -> bytes:
        """A record from raw values by field name; sub-items that no field names are sent as zero."""
        items: Nested = {}
        for name, raw in raws.items():
            *above, last = self._paths[name]
            group = items
            for key in above:
                group = group.setdefault(key, {})
            group[last] = raw
        known = self._record.cv_items_dict
        arguments = {
            item: self._argument(known[item].cv_rule.cv_variation, value) for item, value in items.items()
        }
        return bytes(self._record.create(arguments).unparse().to_bytes())

    def _leaf(self, path: tuple[str, ...]) -> Any:
        variation = self._record.cv_items_dict[path[0]].cv_rule.cv_variation
        for key in path[1:]:
            child = variation.cv_items_dict[key]
            # A group names the rule of a part, other variations name the part itself.
            rule = child.cv_rule if issubclass(child, self._base.NonSpare) else child
            variation = rule.cv_variation
        return variation

    def _companions(self, fields: tuple[Field, ...]) -> tuple[tuple[str, ...], ...]:
        """Names of the fields that one item of fixed parts holds together; flags may be left out."""
        together: dict[str, list[str]] = {}
        for field in fields:
            item, _, _ = field.path.rpartition(".")
            fixed = item and not issubclass(self._leaf(tuple(item.split("."))), self._base.Compound)
            if fixed and not field.flag:
                together.setdefault(item, []).append(field.name)
        return tuple(tuple(names) for names in together.values() if len(names) > 1)

    def _reader(self, leaf: Any, field: Field) -> Reader:
        if issubclass(leaf, self._base.Repetitive):
            return _read_groups if issubclass(leaf.cv_variation, self._base.Group) else _read_list
        content = leaf.cv_rule.cv_content
        if issubclass(content, self._base.ContentQuantity):
            return _read_quantity(leaf.cv_bit_size, content, field.scale)
        if issubclass(content, self._base.ContentString):
            return _read_text
        return _read_flag if field.flag else _read_integer

    def _writer(self, leaf: Any, field: Field) -> Writer:
        if issubclass(leaf, self._base.Repetitive):
            return functools.partial(_write_list, leaf=leaf, name=field.name)
        content = leaf.cv_rule.cv_content
        if issubclass(content, self._base.ContentQuantity):
            signed = content.cv_signedness is self._base.Signed
            return _write_number(leaf.cv_bit_size, signed, content.cv_lsb * field.scale, field)
        if issubclass(content, self._base.ContentString):
            return functools.partial(
                _write_text, bits=leaf.cv_bit_size, kind=content.cv_string_type, name=field.name
            )
        return _write_number(leaf.cv_bit_size, False, 1.0, field)

    def _argument(self, variation: Any, value: Any) -> Any:
        """A nested value as the library's ``create`` wants it."""
        if issubclass(variation, self._base.Group):
            return tuple(self._part(item, value) for item, _ in variation.cv_items_list)
        if issubclass(variation, self._base.Compound):
            kinds = variation.cv_items_dict
            return {key: self._argument(kinds[key].cv_rule.cv_variation, part) for key, part in value.items()}
        if issubclass(variation, self._base.Extended):
            return self._extents(variation, value)
        return value

    def _extents(self, variation: Any, value: Nested) -> list[tuple[Any, ...]]:
        """All extents up to the last one that ``value`` names a part of."""
        extents, last = [], 0
        for number, parts in enumerate(variation.cv_items_list):
            if any(part is not None and self._name(part[0]) in value for part in parts):
                last = number
            extents.append(tuple(None if part is None else self._part(part[0], value) for part in parts))
        return extents[: last + 1]

    def _part(self, item: Any, value: Nested) -> Any:
        name = self._name(item)
        if name is None:
            return 0
        variation = item.cv_non_spare.cv_rule.cv_variation
        empty: Any = {} if issubclass(variation, self._base.Group) else 0
        return self._argument(variation, value.get(name, empty))

    def _name(self, item: Any) -> str | None:
        return None if issubclass(item, self._base.Spare) else str(item.cv_non_spare.cv_name)


@functools.cache
def specification(category: int) -> Specification:
    """The specification of a category, loaded once."""
    return Specification(category)


def preload() -> None:
    """Load every category now, for a station that must not stall when the first block comes in."""
    for category in CATEGORIES:
        specification(category)


def _read_integer(leaf: Any) -> int:
    return int(leaf.as_uint())


def _read_flag(leaf: Any) -> bool:
    return bool(leaf.as_uint())


def _read_text(leaf: Any) -> str:
    """Empty if a character is undefined: the library leaves those out, and part of a name is another name."""
    text = str(leaf.content.as_string())
    whole = len(leaf.bs) // leaf.content.cv_string_type.cv_bits_per_char
    return text if len(text) == whole else ""


def _read_list(leaf: Any) -> tuple[int, ...]:
    return tuple(int(entry.as_uint()) for entry in leaf.get_list())


def _read_groups(leaf: Any) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(part.as_uint()) for part in _parts(entry)) for entry in leaf.get_list())


def _parts(group: Any) -> Iterator[Any]:
    return (item.arg for item in group.arg)


def _read_quantity(bits: int, content: Any, scale: float) -> Reader:
    signed = content.cv_signedness.__name__ == "Signed"
    wrap, half = 1 << bits, 1 << (bits - 1)
    lsb = content.cv_lsb * scale

    def read(leaf: Any) -> float:
        raw = leaf.as_uint()
        return float((raw - wrap if signed and raw >= half else raw) * lsb)

    return read


def _write_number(bits: int, signed: bool, lsb: float, field: Field) -> Writer:
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if math.isfinite(field.below):
        high = min(high, math.ceil(field.below / lsb) - 1)
    turn = round(360.0 / lsb) if field.turn else 0

    def write(value: float) -> int:
        raw = round(value / lsb)
        if turn:
            return raw % turn
        # What was possible before it was rounded stays possible: the last instant of a day is no next day.
        if high * lsb <= value < field.below < math.inf:
            raw = high
        if not low <= raw <= high:
            raise AsterixError("range", f"{field.name}: {value} does not fit {low * lsb:g} to {high * lsb:g}")
        return raw

    return write


def _write_text(value: str, bits: int, kind: Any, name: str) -> int:
    padded = value.ljust(bits // kind.cv_bits_per_char)
    # Eight bits hold any character up to U+00FF, of which only ASCII is meant.
    raw = int(kind.from_string(bits, padded)) if value.isascii() else 0
    if kind.to_string(bits, raw) != padded:
        raise AsterixError("text", f"{name}: {value!r} is too long or has characters that the item lacks")
    return raw


def _write_list(value: tuple[Any, ...], leaf: Any, name: str) -> list[Any]:
    limit = 255 if leaf.cv_rep_bytes else 64
    if not 0 < len(value) <= limit:
        raise AsterixError("range", f"{name}: one to {limit} entries fit, not {len(value)}")
    sizes = [size for _, size in leaf.cv_variation.cv_items_list] if isinstance(value[0], tuple) else None
    for entry in value:
        numbers = zip(entry, sizes, strict=True) if sizes else ((entry, leaf.cv_variation.cv_bit_size),)
        if any(not 0 <= number < 1 << bits for number, bits in numbers):
            raise AsterixError("range", f"{name}: {entry!r} does not fit")
    return list(value)
