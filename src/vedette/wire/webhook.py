"""Signatures of webhooks after the Standard Webhooks specification, version 1 (standardwebhooks.com).

The signed content is ``id.timestamp.body``; the signature is ``v1,`` and the base64 of its HMAC-SHA256. A
receiver compares in constant time, refuses times further off than a few minutes, and takes an id once.
"""

import base64
import binascii
import hashlib
import hmac

from vedette.wire.errors import DecodeError, EncodeError

PREFIX = "whsec_"
SHORTEST_KEY, LONGEST_KEY = 24, 64
"""Bytes of a key, as the specification recommends."""
TOLERANCE_S = 300.0
_ID, _TIME, _SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def read_secret(text: str) -> bytes:
    """``whsec_`` and base64 -> the key. Raises DecodeError."""
    body = text.strip()
    if not body.startswith(PREFIX):
        raise DecodeError("secret", f"a webhook secret begins with {PREFIX}")
    try:
        key = base64.b64decode(body[len(PREFIX) :], validate=True)
    except (binascii.Error, ValueError):
        raise DecodeError("secret", f"what follows {PREFIX} is not base64") from None
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        raise DecodeError(
            "secret", f"a key of {len(key)} bytes; it must have {SHORTEST_KEY} to {LONGEST_KEY}"
        )
    return key


def write_secret(key: bytes) -> str:
    """The key as it stands in a file."""
    return PREFIX + base64.b64encode(key).decode()


def signed_headers(key: bytes, message_id: str, at_wall: float, body: bytes) -> dict[str, str]:
    """The three headers of one attempt at ``at_wall`` (Unix seconds). Raises EncodeError."""
    if not message_id or "." in message_id or not message_id.isascii() or not message_id.isprintable():
        raise EncodeError("id", f"webhook id {message_id!r}: printable ASCII without a full stop")
    stamp = str(int(at_wall))
    return {_ID: message_id, _TIME: stamp, _SIGNATURE: f"v1,{_signature(key, message_id, stamp, body)}"}


def verify(key: bytes, headers: dict[str, str], body: bytes, now_wall: float) -> str:
    """The id of a message that is genuine and fresh; header names in lower case. Raises DecodeError."""
    try:
        message_id, stamp, signatures = headers[_ID], headers[_TIME], headers[_SIGNATURE]
    except KeyError as missing:
        raise DecodeError("headers", f"the header {missing} is missing") from None
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):
        raise DecodeError("timestamp", f"{_TIME} is no number of seconds")
    if abs(now_wall - int(stamp)) > TOLERANCE_S:
        raise DecodeError("timestamp", f"{_TIME} is more than {TOLERANCE_S:g} s away from now")
    good = f"v1,{_signature(key, message_id, stamp, body)}".encode()
    if not any(hmac.compare_digest(good, one.encode()) for one in signatures.split(" ")):
        raise DecodeError("signature", "no signature of this key holds for the message")
    return message_id


def _signature(key: bytes, message_id: str, stamp: str, body: bytes) -> str:
    content = f"{message_id}.{stamp}.".encode() + body
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
