"""A simulated officer's phone: reads the warning's bytes and answers as a TAK client does.

It answers with the two receipts that clients send by themselves (``b-t-f-d`` on arrival, ``b-t-f-r``
when the person opens it) and, later, with the words a person types.
"""

import msgspec
from msgspec import Struct

from vedette.wire.cot import Chat, CotEvent, Link, Remarks, read_event, write_event

ARRIVES_S = 0.2
OPENS_S = 2.5
ANSWERS_S = 7.0
_CONTACT = "a-f-G-U-C"


class Reply(Struct, frozen=True):
    """Bytes that the phone sends ``after_s`` seconds after the message reached it."""

    after_s: float
    data: bytes


class Phone:
    """The phone of one unit. ``answer`` is what its person types to a warning; empty = nobody looks."""

    def __init__(self, uid: str, callsign: str, answer: str = "ok") -> None:
        self.uid = uid
        self.callsign = callsign
        self._answer = answer

    def receive(self, data: bytes, time: float) -> list[Reply]:
        """The replies to one event that reached the phone at ``time`` (Unix seconds).

        Raises CotError if the bytes are no event. An event that is not for this phone is a fault of
        whoever sent it, and is answered with nothing.
        """
        event = read_event(data)
        if event.type != "b-t-f" or event.chat is None or event.chat.uid1 != self.uid:
            return []
        replies = [Reply(ARRIVES_S, self._receipt(event, "b-t-f-d", time + ARRIVES_S))]
        if self._answer:
            replies.append(Reply(OPENS_S, self._receipt(event, "b-t-f-r", time + OPENS_S)))
            replies.append(Reply(ANSWERS_S, self._reply(event, time + ANSWERS_S)))
        return replies

    def _receipt(self, event: CotEvent, kind: str, time: float) -> bytes:
        assert event.chat is not None
        own = self._envelope(event, kind, time)
        chat = msgspec.structs.replace(self._chat(event), message_id=event.chat.message_id, receipt=True)
        return write_event(msgspec.structs.replace(own, uid=event.chat.message_id or "", chat=chat))

    def _reply(self, event: CotEvent, time: float) -> bytes:
        own = self._envelope(event, "b-t-f", time)
        sender = self._sender(event)
        uid = f"GeoChat.{self.uid}.{sender}.{time:.3f}"
        remarks = Remarks(text=self._answer, source=f"BAO.F.ATAK.{self.uid}", to=sender, time=time)
        return write_event(msgspec.structs.replace(own, uid=uid, chat=self._chat(event), remarks=remarks))

    def _envelope(self, event: CotEvent, kind: str, time: float) -> CotEvent:
        return CotEvent(
            uid="",
            type=kind,
            how="h-g-i-g-o",
            time=time,
            start=time,
            stale=time + 3600.0,
            lat_deg=event.lat_deg,
            lon_deg=event.lon_deg,
            links=(Link(uid=self.uid, type=_CONTACT, relation="p-p"),),
        )

    def _chat(self, event: CotEvent) -> Chat:
        assert event.chat is not None
        return Chat(
            chatroom=event.chat.sender_callsign,
            id=self._sender(event),
            sender_callsign=self.callsign,
            uid0=self.uid,
            uid1=self._sender(event),
        )

    @staticmethod
    def _sender(event: CotEvent) -> str:
        assert event.chat is not None
        return event.chat.uid0 or ""
