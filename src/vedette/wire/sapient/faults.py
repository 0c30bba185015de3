"""What can be wrong with a message, and the error of bytes that are no message at all."""

from msgspec import Struct

from vedette.wire.errors import DecodeError

MAX_FAULTS = 32
"""More than this many faults of one message are not listed: they cost time and tell nobody anything."""


class Fault(Struct, frozen=True):
    """One broken rule.

    ``path`` is the field, in the names of the proto files and from the message down, such as
    ``detection_report.classification[0].type``; a oneof stands under its own name, an unknown field
    under ``#`` and its number. ``kind`` is a short slug to count by, ``text`` says what was expected.
    """

    path: str
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text

    def within(self, parent: str) -> "Fault":
        """The same fault, seen from the message or list that holds ``parent``."""
        joint = "." if self.path and not self.path.startswith("[") else ""
        return Fault(f"{parent}{joint}{self.path}", self.kind, self.text)


class SapientError(DecodeError):
    """Bytes or a text that hold no SAPIENT message.

    ``path`` names the field where that is known. ``data`` holds the bytes for the packet of the Error
    that answers them, a length or a hash; they are never to be stored.
    """

    def __init__(self, reason: str, message: str, *, path: str = "", data: bytes = b"") -> None:
        super().__init__(reason, f"{path}: {message}" if path else message)
        self.path = path
        self.data = data
