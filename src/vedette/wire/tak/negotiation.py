"""How client and server agree on version 1 (``protocol.txt``, "Streaming Connection Protocol Negotiation").

Server: `offer` (``t-x-takp-v``), once. Client: asks for a version (``t-x-takp-q``), then sends no more
XML until the server has answered (``t-x-takp-r``); after "true" both speak that version only. All
three bear one uid, the server's choice. Everything here is a pure function; the peer keeps the phase
and the timer: a client that gets no answer within a minute has to disconnect.
"""

from typing import Literal

from msgspec import Struct

from vedette.wire.cot import CotEvent, ProtocolControl

OFFER, REQUEST, RESPONSE = "t-x-takp-v", "t-x-takp-q", "t-x-takp-r"
VERSION = 1

Phase = Literal["xml", "asked", "protobuf"]


class Negotiation(Struct, frozen=True):
    """A client's side. In phase "asked" it must not send; ``uid`` is that of the offer it took."""

    phase: Phase = "xml"
    uid: str | None = None


def hear(state: Negotiation, event: CotEvent, at: float) -> tuple[Negotiation, CotEvent | None]:
    """A client's next state after an event of the server, and what it has to send, in XML.

    An offer without a version that is spoken here, a second offer, and an answer to nothing change
    nothing. A refusal leads back to XML, for good: asking again is the peer's to decide.
    """
    control = event.protocol
    if control is None:
        return state, None
    if event.type == OFFER and state == Negotiation() and VERSION in control.offered:
        asked = ProtocolControl(requested=VERSION)
        return Negotiation("asked", event.uid), _control(REQUEST, event.uid, asked, at)
    answered = event.type == RESPONSE and state.phase == "asked" and event.uid == state.uid
    if not answered or control.granted is None:
        return state, None
    return Negotiation("protobuf" if control.granted else "xml", state.uid), None


def offer(uid: str, at: float) -> CotEvent:
    """A server's offer of version 1. ``uid`` must be used for nothing else."""
    return _control(OFFER, uid, ProtocolControl(offered=(VERSION,)), at)


def answer_request(event: CotEvent, uid: str, at: float) -> CotEvent | None:
    """A server's answer to a client's event, None if it is no request under the offer ``uid``. If it
    grants (``protocol.granted``), all that the server sends after it is protobuf."""
    if event.type != REQUEST or event.uid != uid or event.protocol is None:
        return None
    granted = event.protocol.requested == VERSION
    return _control(RESPONSE, uid, ProtocolControl(granted=granted), at)


def _control(kind: str, uid: str, control: ProtocolControl, at: float) -> CotEvent:
    return CotEvent(
        uid=uid,
        type=kind,
        how="m-g",
        time=at,
        start=at,
        stale=at + 60.0,
        lat_deg=0.0,
        lon_deg=0.0,
        protocol=control,
    )
