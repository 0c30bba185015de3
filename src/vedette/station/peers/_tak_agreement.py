"""A client's way from XML to TAK protocol version 1 on one connection (`vedette.wire.tak.negotiation`).

A server passes on what any of its users sends, so an offer may be anybody's. Therefore an agreement
counts only once the server itself has answered in protobuf, which none of its users can make it do;
until then no alert goes out by this connection, and all of it takes ``patience_s`` at most, not the
minute that the protocol allows. Who was led astray is back in XML on the next connection.
"""

import asyncio

from vedette.station.peers._cot_stream import CotStream
from vedette.wire.cot import CotEvent
from vedette.wire.tak import Negotiation, hear

OFFER_S = 5.0
"""A server that speaks version 1 says so at once; what is offered later is not taken."""


class NoAgreement(ConnectionError):
    """The server left the question of the protocol open: the connection can be used for nothing."""


class Agreement:
    """One connection's. ``willing``: whether an offer is taken at all."""

    def __init__(self, stream: CotStream, *, willing: bool, patience_s: float) -> None:
        self._stream = stream
        self._patience_s = patience_s
        self._now = asyncio.get_running_loop().time
        self._state = Negotiation()
        self._offers_until = self._now() + OFFER_S if willing else float("-inf")
        self._settled_by: float | None = None
        self._proven_beyond: int | None = None

    @property
    def open(self) -> bool:
        """True while the server's word is awaited: alerts must not go out by this connection."""
        return self._settled_by is not None

    @property
    def asked(self) -> bool:
        """True while nothing at all may be sent."""
        return self._state.phase == "asked"

    def no_more_offers(self) -> None:
        """The connection is in use; it stays as it is."""
        self._offers_until = float("-inf")

    def patience(self, most_s: float) -> float:
        """How long to wait for the next event, seconds, at most ``most_s``. Raises NoAgreement."""
        if self._settled_by is None:
            return most_s
        left = self._settled_by - self._now()
        if left <= 0.0:
            raise NoAgreement(f"no agreement on TAK protocol version 1 within {self._patience_s:g} s")
        return min(left, most_s)

    async def hear(self, event: CotEvent, at_wall: float) -> bool:
        """Take an event of the server; True if the change to version 1 was granted with it, so that
        something has to be sent for the server to answer."""
        self._prove()
        if event.protocol is None or (self._state == Negotiation() and self._now() > self._offers_until):
            return False
        before = self._state.phase
        self._state, request = hear(self._state, event, at_wall)
        if request is not None:
            # Before anything is awaited: nothing may slip out between.
            self._settled_by = self._now() + self._patience_s
            await self._stream.send([request])
        elif before == "asked" and self._state.phase == "xml":
            self._settled_by = None
        elif before == "asked" and self._state.phase == "protobuf":
            self._stream.version = 1
            self._proven_beyond = self._stream.messages
            return True
        return False

    def _prove(self) -> None:
        if self._proven_beyond is not None and self._stream.messages > self._proven_beyond:
            self._settled_by = self._proven_beyond = None
