"""The OASIS schema of CAP 1.2 as a table: which elements, in which order, how often, holding what.

A check takes an element's text and returns it as it is meant, or raises ValueError with what was expected.
White space: the types whose ``whiteSpace`` is "collapse" are read without what stands around them, strings
and enumerations to the letter (XML Schema Part 2, 4.3.6).
"""

import re
from collections.abc import Callable
from typing import NamedTuple, TypeAlias, get_args

from vedette.wire.cap import message
from vedette.wire.cap.times import unix_seconds

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
DSIG = "http://www.w3.org/2000/09/xmldsig#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
OLDER = {
    "urn:oasis:names:tc:emergency:cap:1.1": "1.1",
    "urn:oasis:names:tc:emergency:cap:1.0": "1.0",
    "http://www.incident.com/cap/1.0": "1.0",
}
"""Name spaces of earlier versions, which mean other things by the same words."""

BLANK = " \t\r\n"
ANY = float("inf")
MOST_DIGITS = 24

Check = Callable[[str], str]
Content: TypeAlias = "Check | tuple[Particle, ...]"


class Particle(NamedTuple):
    """One element of a sequence: its name, what it holds, how often it may stand."""

    name: str
    content: Content
    least: int = 1
    most: float = 1


_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*")
_INTEGER = re.compile(rf"[-+]?[0-9]{{1,{MOST_DIGITS}}}")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_PCHAR = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})"
_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)"
_AUTHORITY = rf"(?:(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{{2}})*@)?{_HOST}(?::[0-9]{{1,5}})?"
_SEGMENTS = rf"(?:/{_PCHAR}*)*"
_HIERARCHY = rf"(?://{_AUTHORITY}{_SEGMENTS}|/(?:{_PCHAR}+{_SEGMENTS})?|{_PCHAR}+{_SEGMENTS}|)"
_NO_COLON = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=@]|%[0-9A-Fa-f]{2})"
_RELATIVE = rf"(?://{_AUTHORITY}{_SEGMENTS}|/(?:{_PCHAR}+{_SEGMENTS})?|{_NO_COLON}+{_SEGMENTS}|)"
_TAIL = rf"(?:\?(?:{_PCHAR}|[/?])*)?(?:\#(?:{_PCHAR}|[/?])*)?"
_URI = re.compile(rf"(?:[A-Za-z][A-Za-z0-9+.\-]*:{_HIERARCHY}|{_RELATIVE}){_TAIL}")
_ESCAPED_LATER = re.compile(r"[\x00-\x20\x7f-\U0010ffff<>\"{}|\\^`]")
"""Characters that an XML Schema anyURI may hold and a URI only escaped (Part 2, 3.2.17)."""


def collapse(text: str) -> str:
    """Without white space around it, and single spaces within."""
    return " ".join(part for part in re.split(r"[ \t\r\n]+", text) if part)


def string(text: str) -> str:
    """Anything."""
    return text


def date_time(text: str) -> str:
    """A time with an offset."""
    plain = collapse(text)
    if unix_seconds(plain) is None:
        raise ValueError("a time such as 2026-01-31T12:00:00-00:00, with an offset in figures")
    return plain


def language(text: str) -> str:
    """An RFC 3066 tag; an empty element means the schema's default."""
    plain = collapse(text) if text else "en-US"
    if _LANGUAGE.fullmatch(plain) is None:
        raise ValueError("a language such as en-US")
    return plain


def any_uri(text: str) -> str:
    """A URI reference (RFC 3986)."""
    plain = collapse(text)
    if _URI.fullmatch(_ESCAPED_LATER.sub("_", plain)) is None:
        raise ValueError("a URI")
    return plain


def integer(text: str) -> str:
    """A whole number."""
    plain = collapse(text)
    if _INTEGER.fullmatch(plain) is None:
        raise ValueError(f"a whole number of at most {MOST_DIGITS} digits")
    return plain


def decimal(text: str) -> str:
    """A number without exponent."""
    plain = collapse(text)
    if len(plain) > MOST_DIGITS or _DECIMAL.fullmatch(plain) is None:
        raise ValueError(f"a number without exponent, of at most {MOST_DIGITS} characters")
    return plain


def one_of(words: object) -> Check:
    """The check for an enumeration: to the letter."""
    known = get_args(words)

    def check(text: str) -> str:
        if text not in known:
            raise ValueError(f"one of {', '.join(known)}, to the letter")
        return text

    return check


def _optional(name: str, content: Content = string) -> Particle:
    return Particle(name, content, 0)


def _any_number(name: str, content: Content = string) -> Particle:
    return Particle(name, content, 0, ANY)


NAMED = (Particle("valueName", string), Particle("value", string))

RESOURCE = (
    Particle("resourceDesc", string),
    Particle("mimeType", string),
    _optional("size", integer),
    _optional("uri", any_uri),
    _optional("derefUri"),
    _optional("digest"),
)

AREA = (
    Particle("areaDesc", string),
    _any_number("polygon"),
    _any_number("circle"),
    _any_number("geocode", NAMED),
    _optional("altitude", decimal),
    _optional("ceiling", decimal),
)

INFO = (
    _optional("language", language),
    Particle("category", one_of(message.Category), 1, ANY),
    Particle("event", string),
    _any_number("responseType", one_of(message.ResponseType)),
    Particle("urgency", one_of(message.Urgency)),
    Particle("severity", one_of(message.Severity)),
    Particle("certainty", one_of(message.Certainty)),
    _optional("audience"),
    _any_number("eventCode", NAMED),
    _optional("effective", date_time),
    _optional("onset", date_time),
    _optional("expires", date_time),
    _optional("senderName"),
    _optional("headline"),
    _optional("description"),
    _optional("instruction"),
    _optional("web", any_uri),
    _optional("contact"),
    _any_number("parameter", NAMED),
    _any_number("resource", RESOURCE),
    _any_number("area", AREA),
)

ALERT = (
    Particle("identifier", string),
    Particle("sender", string),
    Particle("sent", date_time),
    Particle("status", one_of(message.Status)),
    Particle("msgType", one_of(message.MsgType)),
    _optional("source"),
    Particle("scope", one_of(message.Scope)),
    _optional("restriction"),
    _optional("addresses"),
    _any_number("code"),
    _optional("note"),
    _optional("references"),
    _optional("incidents"),
    _any_number("info", INFO),
)
