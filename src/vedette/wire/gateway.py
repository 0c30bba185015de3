"""The application protocol between a phone and the gateway: JSON text frames on a WebSocket, version 1.

docs/gateway.md describes it for those who write a client. Every frame is one JSON object whose ``t`` names
what it is. What a client sends is bounded (`MOST_BYTES`) and read strictly; keys that this version does not
know are passed over, so that a newer client can talk to an older station.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from vedette.wire.errors import DecodeError

VERSION = 1
MOST_BYTES = 4096
"""Longest frame of a client."""
MOST_SEEN = 64

AckFact = Literal["on-device", "shown", "acknowledged"]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Secret = Annotated[str, Meta(min_length=1, max_length=256)]
Revision = Annotated[int, Meta(ge=0, lt=1_000_000_000_000)]


class Hello(Struct, frozen=True, kw_only=True, tag_field="t", tag="hello"):
    """The first frame of a client: who it is, if neither a cookie nor a certificate says so, and what it has
    seen: alert, revision and call."""

    v: int
    session: Secret | None = None
    token: Secret | None = None
    unit: Name | None = None
    lang: Annotated[str, Meta(min_length=2, max_length=16)] = "en"
    seen: Annotated[tuple[tuple[Name, Revision, Revision], ...], Meta(max_length=MOST_SEEN)] = ()


class Ack(Struct, frozen=True, tag_field="t", tag="ack"):
    """A fact about one revision of one alert."""

    id: Name
    rev: Revision
    fact: AckFact


class Welcome(Struct, frozen=True, kw_only=True, tag_field="t", tag="welcome"):
    """The client is let in: for which unit, whether it may acknowledge, and how often it must be heard."""

    v: int
    unit: str
    acknowledges: bool
    at: float
    ping_s: float


class Refusal(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="t", tag="refused"):
    """The client is not let in, or no longer; the connection ends after it."""

    why: str
    wait_s: float | None = None


class AlertFrame(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="t", tag="alert"):
    """One revision of one alert. ``call`` rises each time people are asked anew about the same revision;
    ``again``: this revision and call were seen before. ``long``: the same with who says so, how sure it is
    and what is not known. Direction (degrees from true north) and distance are from the reader; absent where
    the alert is about somebody else."""

    id: str
    rev: int
    level: str
    status: str
    state: str
    text: str
    at: float
    expires: float
    long: str = ""
    call: int = 0
    sound: bool = False
    again: bool = False
    about: str | None = None
    bearing_deg: float | None = None
    bearing_sigma_deg: float | None = None
    range_m: float | None = None
    time_left_s: tuple[float, float] | None = None
    count: int = 1
    acknowledged: bool = False


class ClearFrame(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="t", tag="clear"):
    """An alert ended."""

    id: str
    rev: int
    status: str
    text: str
    at: float
    long: str = ""


class Taken(Struct, frozen=True, tag_field="t", tag="taken"):
    """The fact is in the station's record; the client need not send it again."""

    id: str
    rev: int
    fact: AckFact


class NotTaken(Struct, frozen=True, tag_field="t", tag="not-taken"):
    """The fact was refused: this unit was never told of that."""

    id: str
    rev: int
    fact: AckFact
    why: str


Server = Welcome | Refusal | AlertFrame | ClearFrame | Taken | NotTaken
Client = Hello | Ack

_CLIENT: msgspec.json.Decoder[Client] = msgspec.json.Decoder(Client)
_SERVER: msgspec.json.Decoder[Server] = msgspec.json.Decoder(Server)
_ENCODER = msgspec.json.Encoder()


def read_client(data: bytes) -> Client:
    """One frame of a client. Raises DecodeError: too long, not UTF-8, no JSON, or not of this protocol."""
    if len(data) > MOST_BYTES:
        raise DecodeError("too-long", f"a frame has at most {MOST_BYTES} bytes, not {len(data)}")
    try:
        return _CLIENT.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise DecodeError("not-of-this-protocol", str(error)[:200]) from None


def read_server(data: bytes) -> Server:
    """One frame of the gateway, as a client reads it. Raises DecodeError."""
    try:
        return _SERVER.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise DecodeError("not-of-this-protocol", str(error)[:200]) from None


def write(frame: Server | Client) -> bytes:
    """A frame as UTF-8 JSON."""
    return _ENCODER.encode(frame)
