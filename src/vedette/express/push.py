"""What a push message says: how grave it is, whether it is real, and "open Vedette". No place, no direction,
no name. Pure.

All messages have the same length, so that a push service does not learn the level from the size.
"""

import hashlib
import re

import msgspec

from vedette.express.cap_words import words_of
from vedette.express.notice import mark_of
from vedette.model.event import Clear, Deliver

PAYLOAD_BYTES = 512
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,32}")
_OPEN = {"en": "Open Vedette.", "es": "Abra Vedette."}


def push_payload(message: Deliver | Clear, language: str) -> bytes:
    """JSON for the page's service worker, padded with spaces to `PAYLOAD_BYTES`."""
    alert, words = message.alert, words_of(language)
    ended = isinstance(message, Clear)
    event = words.ended if ended else words.event[alert.level]
    said = {
        "format": 1,
        "event": "end" if ended else "alert",
        "alert": alert.alert[:64],
        "revision": alert.revision,
        "level": alert.level,
        "status": alert.status,
        "sound": isinstance(message, Deliver) and message.sound,
        "title": mark_of(alert.status, language) + event,
        "body": _OPEN.get(language, _OPEN["en"]),
    }
    return msgspec.json.encode(said).ljust(PAYLOAD_BYTES)


def push_topic(alert: str) -> str:
    """By which a later message about an alert takes the place of one that still waits (RFC 8030, 5.4)."""
    if _TOPIC.fullmatch(alert):
        return alert
    return hashlib.blake2b(alert.encode(), digest_size=16, person=b"vedette-push").hexdigest()
