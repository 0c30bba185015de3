"""Validation against the options of the proto files, with one plan per message type.

Walking the options of each field for each message is what makes validators of these files slow. Here
they are read once: a plan holds the numbers of the mandatory fields and, for each field that has
something to check, one function. A message is then a single walk over the fields that are set, and
the paths of faults are put together only where there are faults.
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.unknown_fields import UnknownFieldSet
from sapient_msg import proto_options_pb2 as options

from vedette.wire.sapient.faults import MAX_FAULTS, Fault
from vedette.wire.sapient.messages import SapientMessage
from vedette.wire.sapient.rules import RULES, Rule, check_ulid, check_uuid

_Check = Callable[[Any], Sequence[Fault]]

_NOT_FINITE = (Fault("", "not-finite", "expected a finite number"),)
_FLOATS = (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE)


def validate(message: SapientMessage) -> list[Fault]:
    """The faults of ``message``, in the order of its fields; an empty list if it conforms.

    Checked: mandatory fields and oneofs, identifiers, unknown fields, unknown enum values, numbers
    and times that are none, and the rules of `rules`. Not checked: whether the time is plausible (see
    `judge_time`) and what depends on earlier messages, such as a registration before the data. At
    most MAX_FAULTS faults are listed.
    """
    faults = _unknown_fields(message) if _has_unknown_fields(message) else []
    return [*faults, *_root_plan().inspect(message)][:MAX_FAULTS]


class _Plan:
    """What to check in messages of one type."""

    __slots__ = ("checks", "names", "oneofs", "required", "rules")

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.names: dict[int, str] = {}
        self.checks: dict[int, _Check] = {}
        self.required: frozenset[int] = frozenset()
        self.oneofs: list[tuple[frozenset[int], Fault]] = []
        self.rules = rules

    def inspect(self, message: Any) -> list[Fault]:
        """The faults of ``message``, with paths from it on."""
        faults: list[Fault] = []
        present = set()
        for field, value in message.ListFields():
            number = field.number
            present.add(number)
            check = self.checks.get(number)
            if check is not None and (found := check(value)):
                faults += [fault.within(self.names[number]) for fault in found]
        if not self.required <= present:
            faults += self._missing(present)
        for members, fault in self.oneofs:
            if members.isdisjoint(present):
                faults.append(fault)
        for rule in self.rules:
            faults += rule(message)
        return faults[:MAX_FAULTS]

    def _missing(self, present: set[int]) -> list[Fault]:
        absent = sorted(self.required - present)
        return [Fault(self.names[number], "missing", "is mandatory and missing") for number in absent]


@cache
def _root_plan() -> _Plan:
    return _plan(SapientMessage.DESCRIPTOR, {})


def _plan(message: Descriptor, known: dict[str, _Plan]) -> _Plan:
    """The plan for ``message`` and, in ``known``, for all types below it; types may hold themselves."""
    if message.full_name in known:
        return known[message.full_name]
    plan = known[message.full_name] = _Plan(RULES.get(message.full_name, ()))
    plan.names = {field.number: field.name for field in message.fields}
    plan.required = frozenset(field.number for field in message.fields if _field_options(field).is_mandatory)
    plan.oneofs = [_oneof(oneof) for oneof in message.oneofs if _is_mandatory_oneof(oneof)]
    for field in message.fields:
        check = _field_check(field, known)
        if check is not None:
            plan.checks[field.number] = check
    return plan


def _field_options(field: FieldDescriptor) -> Any:
    return field.GetOptions().Extensions[options.field_options]


def _is_mandatory_oneof(oneof: Any) -> bool:
    return bool(oneof.GetOptions().Extensions[options.oneof_options].is_mandatory)


def _oneof(oneof: Any) -> tuple[frozenset[int], Fault]:
    names = ", ".join(field.name for field in oneof.fields)
    fault = Fault(oneof.name, "missing", f"one of {names} is mandatory and none is there")
    return frozenset(field.number for field in oneof.fields), fault


def _field_check(field: FieldDescriptor, known: dict[str, _Plan]) -> _Check | None:
    single = _value_check(field, known)
    return _for_each(single) if single is not None and field.is_repeated else single


def _value_check(field: FieldDescriptor, known: dict[str, _Plan]) -> _Check | None:
    if field.message_type is not None:
        return _plan(field.message_type, known).inspect
    if field.enum_type is not None:
        return _enum_check(field)
    if field.type in _FLOATS:
        return _check_finite
    if _field_options(field).is_ulid:
        return check_ulid
    return check_uuid if _field_options(field).is_uuid else None


def _for_each(check: _Check) -> _Check:
    def check_each(values: Any) -> Sequence[Fault]:
        faults: list[Fault] = []
        for at, value in enumerate(values):
            if found := check(value):
                faults += [fault.within(f"[{at}]") for fault in found]
                if len(faults) >= MAX_FAULTS:
                    break
        return faults

    return check_each


def _check_finite(value: float) -> Sequence[Fault]:
    return () if math.isfinite(value) else _NOT_FINITE


def _enum_check(field: FieldDescriptor) -> _Check:
    """Known values only; and where a value is mandatory, "unspecified" is none."""
    name = field.enum_type.name
    values = set(field.enum_type.values_by_number)
    if _is_needed(field):
        values -= {value.number for value in field.enum_type.values if value.name.endswith("_UNSPECIFIED")}

    def check_enum(value: int) -> Sequence[Fault]:
        if value in values:
            return ()
        if value in field.enum_type.values_by_number:
            return (Fault("", "missing", "is mandatory and left unspecified"),)
        return (Fault("", "unknown-enum", f"{value} is no value of {name}"),)

    return check_enum


def _is_needed(field: FieldDescriptor) -> bool:
    oneof = field.containing_oneof
    return bool(_field_options(field).is_mandatory) or (oneof is not None and _is_mandatory_oneof(oneof))


def _has_unknown_fields(message: SapientMessage) -> bool:
    """Whether any message below holds unknown fields: without them a copy is shorter."""
    known = SapientMessage()
    known.CopyFrom(message)
    known.DiscardUnknownFields()
    return bool(known.ByteSize() != message.ByteSize())


def _unknown_fields(message: Any) -> list[Fault]:
    text = "is no field of BSI Flex 335 v2.0"
    numbers = sorted({unknown.field_number for unknown in UnknownFieldSet(message)})
    faults = [Fault(f"#{number}", "unknown-field", text) for number in numbers[:MAX_FAULTS]]
    for field, value in message.ListFields():
        if len(faults) >= MAX_FAULTS:
            break
        if field.message_type is not None:
            check = _for_each(_unknown_fields) if field.is_repeated else _unknown_fields
            faults += [fault.within(field.name) for fault in check(value)]
    return faults
