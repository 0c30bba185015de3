"""What can be wrong with a CAP message, and the one error of this room."""

from collections.abc import Sequence

from msgspec import Struct

from vedette.wire.errors import DecodeError

MOST_FAULTS = 100
"""Faults that are told of one message."""


class Fault(Struct, frozen=True, omit_defaults=True):
    """One thing that is wrong: where (``line`` of the file, ``place`` in the message), by which ``rule``
    (a short code to count by), ``what``, and the ``remedy``. ``advice``: the message is good all the same.
    """

    line: int
    place: str
    rule: str
    what: str
    remedy: str
    advice: bool = False

    def __str__(self) -> str:
        return f"line {self.line}: {self.place}: {self.what}; {self.remedy}"


class CapError(DecodeError):
    """A message that cannot be used; ``faults`` says why, gravest cause first, ``reason`` is its rule."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(self.faults[0].rule, "; ".join(str(fault) for fault in self.faults[:3]))


def refusal(rule: str, what: str, remedy: str, *, line: int = 1, place: str = "alert") -> CapError:
    """The error for a single fault."""
    return CapError([Fault(line, place, rule, what, remedy)])
