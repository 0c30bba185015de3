"""Message ids of chats whose receipts have to find their way back.

A TAK client answers a chat with events that repeat the message id: ``b-t-f-d`` when it reached the
device, ``b-t-f-r`` when a person opened it (ATAK in ``__chatreceipt``, WinTAK in ``__chat``; the
receipt's own uid is the id, or the id followed by ".d" or ".r"). The id is the last dot-separated
part of the chat's uid ``GeoChat.<sender>.<addressee>.<id>``, hence it never holds a dot.

Anybody on a TAK server can send a receipt in anybody's name. The id therefore carries a token that
only the addressee has seen: a receipt whose token does not fit its sender is a forgery.
"""

import hashlib
import hmac
import re
from urllib.parse import unquote

from msgspec import Struct

_ID = re.compile(r"vdt-(\d{1,9})-([0-9a-f]{16})-([A-Za-z0-9_%-]{1,240})")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")


class MessageId(Struct, frozen=True):
    """What a message was about: ``reference`` and its ``revision``, and the addressee's ``token``."""

    reference: str
    revision: int
    token: str


def message_token(key: bytes, reference: str, revision: int, addressee: str) -> str:
    """16 hex digits that only the holder of ``key`` can make: HMAC-SHA-256, cut to 64 bits."""
    content = "\0".join((reference, str(revision), addressee)).encode("utf-8", "surrogatepass")
    return hmac.new(key, content, hashlib.sha256).hexdigest()[:16]


def format_message_id(message: MessageId) -> str:
    """The id as it goes on the wire: no dots, no spaces, any reference."""
    return f"vdt-{message.revision}-{message.token}-{_UNSAFE.sub(_escape, message.reference)}"


def find_message_id(text: str) -> MessageId | None:
    """The id within a message id or an event uid, however the client wrapped it; None if not ours."""
    found = _ID.search(text)
    if found is None:
        return None
    return MessageId(unquote(found.group(3)), int(found.group(1)), found.group(2))


def _escape(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found.group().encode("utf-8", "replace"))
