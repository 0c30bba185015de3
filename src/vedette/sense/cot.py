"""CoT events -> unit reports and receipts. Pure; what it does with an event depends on nothing else.

What is trusted. A TAK server passes on what any enrolled client sends, in any client's name, so a
unit's position is as good as the server's enrolment, and a server without client certificates is as
good as the network it stands in. A receipt counts only if it carries the token that went to its
sender alone (`vedette.wire.cot.chat`). A reply typed by a person carries none and is believed as far
as the sender's uid is. Where phones connect to the station itself, the peer binds each connection
to one uid and passes nothing else on to here.

Accuracy. ``ce`` is the one-sigma circular error (MITRE base-event schema, ``point``) and becomes
``sigma_m``; unknown or zero becomes 25 m, never a perfect fix. ATAK writes 0/0 without an error
while it has no fix: that is no position.
"""

import hmac
import re
import unicodedata
from collections.abc import Mapping

from msgspec import Struct

from vedette.model import Fact, Receipt, UnitReport
from vedette.model.unit import Mobility
from vedette.wire.cot import CotEvent, MessageId, find_message_id, message_token

DEFAULT_SIGMA_M = 25.0
"""For a sender that does not state its error: a phone under trees or between houses."""

LEAST_SIGMA_M = 1.0
WORST_SIGMA_M = 10_000.0
"""A position less certain than this does not say where a person is."""

OWN_PREFIX = "vedette."
"""Tracks and alert markers of any Vedette station begin with it; they never come back as units."""

STATION_PLATFORM = "Vedette"

_MOBILITY: tuple[tuple[str, Mobility], ...] = (
    ("a-f-G-U", "foot"),
    ("a-f-G-E-V", "vehicle"),
    ("a-f-G-I", "post"),
)
_RECEIPTS: dict[str, Fact] = {"b-t-f-d": "on-device", "b-t-f-r": "shown"}
_ACKNOWLEDGEMENTS = (
    "ack", "acknowledged", "ok", "okay", "roger", "wilco", "copy", "copied", "got it",
    "recibido", "enterado", "copiado", "entendido",
)  # fmt: skip
_LONGEST_NAME = 64
_MARK = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
_PILED_ACCENTS = re.compile(f"({_MARK}{{2}}){_MARK}+")
"""More than two combining marks in a row; some languages write two."""


class Contact(Struct, frozen=True):
    """A person, vehicle or post that reports itself; it can be written to."""

    uid: str
    callsign: str | None
    mobility: Mobility


class Unused(Struct, frozen=True):
    """An event of no use to the station. ``suspicious``: it claims what it cannot be."""

    reason: str
    suspicious: bool = False


class Ears(Struct, frozen=True):
    """Who listens: the peer's name, the station's own uid, and the key of its message tokens."""

    source: str
    own_uid: str
    key: bytes


Latest = Mapping[str, tuple[str, int]]
"""By uid, the alert and revision that was last sent there: what a person's "ok" is about."""


def interpret(
    event: CotEvent, ears: Ears, latest: Latest, *, time: float, received: float
) -> UnitReport | Receipt | Unused:
    """What an event means to the station.

    ``time`` is the event's own time as station time; a sender whose clock runs ahead is taken at
    ``received``, so that its report does not look fresh for longer than it is. Receipts bear
    ``received``: the moment the station knew.
    """
    if event.uid == ears.own_uid or event.uid.startswith(OWN_PREFIX):
        return Unused("own-event")
    if event.type in _RECEIPTS:
        return _receipt(event, ears, received)
    if event.type == "b-t-f":
        return _reply(event, ears, latest, received)
    return _unit(event, ears, min(time, received))


def contact_of(event: CotEvent) -> Contact | None:
    """The friendly ground contact that reports itself with this event, None for anything else.

    A marker that a person put on the map has a p-p link to its author, an icon, or was entered by
    hand without an address to answer to.
    """
    mobility = _mobility(event.type)
    if mobility is None or _is_marker(event) or _is_station(event):
        return None
    return Contact(event.uid, _name(event.callsign), mobility)


def author_of(event: CotEvent) -> str | None:
    """The uid in whose name an event speaks; None if it names none, or two different ones."""
    if event.chat is None:
        return event.uid
    named = {link.uid for link in event.links if link.relation == "p-p"}
    if event.chat.uid0 is not None:
        named.add(event.chat.uid0)
    return named.pop() if len(named) == 1 else None


def is_acknowledgement(text: str) -> bool:
    """True for a text that begins with a word of acknowledgement, whatever its case and accents."""
    letters = unicodedata.normalize("NFKD", text[:200]).casefold()
    kept = "".join(c if c.isalnum() else " " for c in letters if not unicodedata.combining(c))
    words = " ".join(kept.split()) + " "
    return any(words.startswith(f"{phrase} ") for phrase in _ACKNOWLEDGEMENTS)


def _mobility(kind: str) -> Mobility | None:
    """By the type tree; a bare "a-f-G" is someone of whom no more is said, so on foot."""
    bare = kind.partition(";")[0]
    if bare == "a-f-G":
        return "foot"
    return next((m for stem, m in _MOBILITY if bare == stem or bare.startswith(f"{stem}-")), None)


def _is_marker(event: CotEvent) -> bool:
    authored = any(link.relation == "p-p" and link.uid != event.uid for link in event.links)
    by_hand = event.how.startswith("h-") and event.endpoint is None and event.takv is None
    return authored or event.user_icon or by_hand


def _is_station(event: CotEvent) -> bool:
    return event.takv is not None and event.takv.platform == STATION_PLATFORM


def _name(text: str | None) -> str | None:
    """A callsign fit for a line of text: printable, one line, at most 64 characters, and not so many
    accents on a letter that they cover the lines around it."""
    if text is None:
        return None
    printable = "".join(c for c in text if c.isprintable()).strip()
    return _PILED_ACCENTS.sub(r"\1", printable)[:_LONGEST_NAME].strip() or None


def _unit(event: CotEvent, ears: Ears, time: float) -> UnitReport | Unused:
    contact = contact_of(event)
    if contact is None:
        return Unused(_why_no_contact(event))
    if event.lat_deg == 0.0 and event.lon_deg == 0.0 and event.ce_m is None:
        return Unused("no-fix")
    if event.ce_m is not None and event.ce_m > WORST_SIGMA_M:
        return Unused("position-too-vague")
    height = _height(event)
    return UnitReport(
        time=time,
        unit=contact.uid,
        lat_deg=event.lat_deg,
        lon_deg=event.lon_deg,
        sigma_m=max(event.ce_m, LEAST_SIGMA_M) if event.ce_m else DEFAULT_SIGMA_M,
        mobility=contact.mobility,
        alt_m=height,
        alt_datum=None if height is None else "wgs84-ellipsoid",
        callsign=contact.callsign,
        source=ears.source,
    )


def _why_no_contact(event: CotEvent) -> str:
    """The codes are few on purpose: they are counted, and a stranger must not be able to add any."""
    if event.emergency is not None or event.type.startswith("b-a-"):
        return "emergency"
    if event.type.startswith("t-"):
        return "control"
    if _is_station(event):
        return "station"
    return "marker" if event.type.startswith("a-f-G") else "other-type"


def _height(event: CotEvent) -> float | None:
    """0.0 without an error is how many clients write a height they do not know."""
    return None if event.hae_m == 0.0 and event.le_m is None else event.hae_m


def _receipt(event: CotEvent, ears: Ears, received: float) -> Receipt | Unused:
    message = _message_of(event)
    if message is None:
        return Unused("receipt-of-others")
    sender = author_of(event)
    if sender is None or event.chat is None:
        return Unused("receipt-without-sender", suspicious=True)
    token = message_token(ears.key, message.reference, message.revision, sender)
    if not hmac.compare_digest(token, message.token):
        return Unused("receipt-forged", suspicious=True)
    return Receipt(
        time=received,
        alert=message.reference,
        revision=message.revision,
        recipient=sender,
        channel=ears.source,
        fact=_RECEIPTS[event.type],
        by=_name(event.chat.sender_callsign) if event.type == "b-t-f-r" else None,
    )


def _message_of(event: CotEvent) -> MessageId | None:
    stated = event.chat.message_id if event.chat is not None else None
    return find_message_id(stated or "") or find_message_id(event.uid)


def _reply(event: CotEvent, ears: Ears, latest: Latest, received: float) -> Receipt | Unused:
    """A typed answer. A word of acknowledgement acknowledges the message sent there last; any other
    text shows only that a person has the conversation open."""
    sender = author_of(event)
    if sender is None or event.chat is None:
        return Unused("chat-without-sender", suspicious=True)
    if not _is_for(event, ears.own_uid):
        return Unused("chat-of-others")
    if sender not in latest:
        return Unused("nothing-to-acknowledge")
    alert, revision = latest[sender]
    text = event.remarks.text if event.remarks is not None else ""
    return Receipt(
        time=received,
        alert=alert,
        revision=revision,
        recipient=sender,
        channel=ears.source,
        fact="acknowledged" if is_acknowledgement(text) else "shown",
        by=_name(event.chat.sender_callsign) or sender,
    )


def _is_for(event: CotEvent, uid: str) -> bool:
    chat = event.chat
    return chat is not None and uid in (chat.id, chat.uid1, *(dest.uid for dest in event.destinations))
