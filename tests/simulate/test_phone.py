"""The simulated phone: real bytes in, the answers of a TAK client out."""

import pytest

from vedette.express.cot import Addressee, Speaker, alert_events, presence_event
from vedette.model import Alert
from vedette.model.event import Deliver
from vedette.simulate.phone import ANSWERS_S, ARRIVES_S, OPENS_S, Phone
from vedette.wire.cot import Chat, CotError, CotEvent, read_event, write_event

NOW = 1_790_000_000.0
OFFICER = "ANDROID-7"
SPEAKER = Speaker(uid="VEDETTE-SIM", callsign="VEDETTE", key=bytes(32), place=(31.0, -110.0))


def warning(to: str = OFFICER) -> list[bytes]:
    """The bytes of one real warning to one officer."""
    alert = Alert(
        time=NOW, alert="A-1", revision=2, level="warning", state="active-unacked", units=(to,),
        track="T1", behaviour="closing", text={"en": "DRONE north 400 m"},
        expires=NOW + 60.0, bearing_deg=0.0, range_m=400.0,
    )  # fmt: skip
    delivery = Deliver(alert=alert, recipients=(to,), rule="at-risk", roster_version=1, sound=True)
    addressee = Addressee(uid=to, callsign="Bravo", language="en")
    events = alert_events(delivery, addressee, SPEAKER, at_wall=NOW, expires_wall=NOW + 60.0, seen=None)
    return [write_event(event) for event in events]


def answers(phone: Phone, data: list[bytes]) -> list[tuple[float, CotEvent]]:
    replies = [reply for event in data for reply in phone.receive(event, NOW)]
    return [(reply.after_s, read_event(reply.data)) for reply in replies]


def the_chat(data: list[bytes]) -> CotEvent:
    (chat,) = [event for event in map(read_event, data) if event.type == "b-t-f"]
    return chat


def test_a_person_who_looks_sends_three_things() -> None:
    data = warning()
    chat = the_chat(data).chat
    told = answers(Phone(OFFICER, "Bravo", "ok"), data)
    assert [(after, event.type) for after, event in told] == [
        (ARRIVES_S, "b-t-f-d"),
        (OPENS_S, "b-t-f-r"),
        (ANSWERS_S, "b-t-f"),
    ]
    for after, event in told:
        assert event.time == pytest.approx(NOW + after, abs=0.001)
        assert event.links[0].uid == OFFICER
        assert (event.chat.uid0, event.chat.uid1) == (OFFICER, "VEDETTE-SIM")
        assert event.chat.sender_callsign == "Bravo"
    delivered, read, words = [event for _, event in told]
    assert (delivered.chat.message_id, read.chat.message_id) == (chat.message_id, chat.message_id)
    assert words.remarks.text == "ok"
    assert words.uid.startswith(f"GeoChat.{OFFICER}.")


def test_a_person_who_does_not_look_sends_only_the_arrival() -> None:
    told = answers(Phone(OFFICER, "Bravo", answer=""), warning())
    assert [event.type for _, event in told] == ["b-t-f-d"]


def test_what_is_for_somebody_else_is_not_answered() -> None:
    assert answers(Phone("ANDROID-8", "Alpha"), warning()) == []


def test_what_is_no_message_is_not_answered() -> None:
    place = write_event(presence_event(SPEAKER, NOW))
    assert read_event(place).type != "b-t-f"
    assert answers(Phone(OFFICER, "Bravo"), [place]) == []


def test_a_receipt_of_another_phone_is_not_answered() -> None:
    phone = Phone(OFFICER, "Bravo")
    (receipt,) = [
        r.data for d in warning() for r in phone.receive(d, NOW) if read_event(r.data).type == "b-t-f-d"
    ]
    assert Phone("VEDETTE-SIM", "Other").receive(receipt, NOW) == []


def test_a_message_without_a_sender_is_survived() -> None:
    chat = Chat(chatroom="x", id=OFFICER, sender_callsign="x", message_id="m", uid1=OFFICER)
    bare = CotEvent(
        uid="m",
        type="b-t-f",
        how="h-e",
        time=NOW,
        start=NOW,
        stale=NOW + 60.0,
        lat_deg=1.0,
        lon_deg=2.0,
        chat=chat,
    )
    told = answers(Phone(OFFICER, "Bravo"), [write_event(bare)])
    assert [event.type for _, event in told] == ["b-t-f-d", "b-t-f-r", "b-t-f"]


def test_noise_is_an_error_of_the_wire() -> None:
    with pytest.raises(CotError):
        Phone(OFFICER, "Bravo").receive(b"<event", NOW)
