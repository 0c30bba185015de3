"""CoT events become unit reports and receipts, or nothing, and for a reason."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.model import Receipt, UnitReport
from vedette.sense.cot import (
    DEFAULT_SIGMA_M,
    Ears,
    Unused,
    author_of,
    contact_of,
    interpret,
    is_acknowledgement,
)
from vedette.wire.cot import (
    Chat,
    CotEvent,
    Destination,
    Emergency,
    Link,
    MessageId,
    Remarks,
    Takv,
    format_message_id,
    message_token,
    read_event,
)

T = 1_795_000_000.0
EARS = Ears("hq", "VEDETTE-hq", b"a key of this station")
PHONE = Takv(platform="ATAK-CIV", version="5.2")


def unit(**changes):
    base = CotEvent(
        uid="UID-A", type="a-f-G-U-C", how="m-g", time=T, start=T, stale=T + 60.0, lat_deg=47.2, lon_deg=8.5,
        hae_m=455.0, ce_m=4.0, le_m=9.0, callsign="ALPHA", endpoint="*:-1:stcp", takv=PHONE,
    )  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def read(event, latest=None, time=T, received=T + 0.5):
    return interpret(event, EARS, latest or {}, time=time, received=received)


def chat(text, sender="UID-A", to="VEDETTE-hq", **changes):
    base = unit(
        uid=f"GeoChat.{sender}.{to}.17", type="b-t-f", callsign=None, endpoint=None, takv=None,
        chat=Chat(chatroom="VEDETTE", id=to, sender_callsign="ALPHA", uid0=sender, uid1=to),
        links=(Link(uid=sender, type="a-f-G-U-C", relation="p-p"),), remarks=Remarks(text=text),
    )  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def receipt(kind="b-t-f-d", sender="UID-A", addressee="UID-A", alert="a-1", revision=3, **changes):
    token = message_token(EARS.key, alert, revision, addressee)
    identifier = format_message_id(MessageId(alert, revision, token))
    base = chat("", sender).__class__(
        uid=f"{identifier}.{kind[-1]}", type=kind, how="h-g-i-g-o", time=T, start=T, stale=T + 60.0,
        lat_deg=47.2, lon_deg=8.5, links=(Link(uid=sender, type="a-f-G-U-C", relation="p-p"),),
        chat=Chat(
            chatroom="VEDETTE", id="VEDETTE-hq", sender_callsign="ALPHA", message_id=identifier,
            uid0=sender, uid1="VEDETTE-hq", receipt=True,
        ),
    )  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def test_a_position_report_becomes_a_unit_report():
    assert read(unit()) == UnitReport(
        time=T, unit="UID-A", lat_deg=47.2, lon_deg=8.5, sigma_m=4.0, mobility="foot",
        alt_m=455.0, alt_datum="wgs84-ellipsoid", callsign="ALPHA", source="hq",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "mobility"),
    [
        ("a-f-G", "foot"),
        ("a-f-G-U", "foot"),
        ("a-f-G-U-C-I", "foot"),
        ("a-f-G-U-C;extra", "foot"),
        ("a-f-G-E-V", "vehicle"),
        ("a-f-G-E-V-C", "vehicle"),
        ("a-f-G-I", "post"),
        ("a-f-G-I-i-l", "post"),
    ],
)
def test_mobility_follows_the_type(kind, mobility):
    assert read(unit(type=kind)).mobility == mobility


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "a-h-G-U-C"}, "other-type"),
        ({"type": "a-n-G"}, "other-type"),
        ({"type": "a-u-A-M-H-Q"}, "other-type"),
        ({"type": "a-f-A-M-H-Q"}, "other-type"),
        ({"type": "a-f-G-E-S"}, "marker"),
        ({"type": "a-f-G-UX"}, "marker"),
        ({"type": "b-m-p-s-m"}, "other-type"),
        ({"type": "u-d-c-c"}, "other-type"),
        ({"type": "t-x-c-t-r"}, "control"),
        ({"type": "b-a-o-tbl", "emergency": Emergency(type="911")}, "emergency"),
        ({"links": (Link(uid="UID-B", type="a-f-G-U-C", relation="p-p"),)}, "marker"),
        ({"user_icon": True}, "marker"),
        ({"how": "h-g-i-g-o", "endpoint": None, "takv": None}, "marker"),
        ({"takv": Takv(platform="Vedette")}, "station"),
        ({"uid": "VEDETTE-hq"}, "own-event"),
        ({"uid": "vedette.t17"}, "own-event"),
        ({"lat_deg": 0.0, "lon_deg": 0.0, "ce_m": None}, "no-fix"),
        ({"ce_m": 20_000.0}, "position-too-vague"),
    ],
)
def test_what_is_not_a_unit_is_left_out_for_a_reason(changes, reason):
    assert read(unit(**changes)) == Unused(reason)


def test_a_unit_without_a_fix_is_still_a_contact_that_can_be_written_to():
    assert contact_of(unit(lat_deg=0.0, lon_deg=0.0, ce_m=None)).uid == "UID-A"


def test_a_person_who_sets_his_own_place_by_hand_is_still_a_unit():
    assert read(unit(how="h-e")).unit == "UID-A"


@pytest.mark.parametrize(
    ("ce", "sigma"), [(None, DEFAULT_SIGMA_M), (0.0, DEFAULT_SIGMA_M), (0.2, 1.0), (4.0, 4.0)]
)
def test_accuracy_is_never_perfect(ce, sigma):
    assert read(unit(ce_m=ce)).sigma_m == sigma


@pytest.mark.parametrize(
    ("hae", "le", "height"), [(None, None, None), (0.0, None, None), (0.0, 5.0, 0.0), (12.0, None, 12.0)]
)
def test_a_height_of_zero_without_an_error_is_unknown(hae, le, height):
    report = read(unit(hae_m=hae, le_m=le))
    assert report.alt_m == height
    assert (report.alt_datum is None) == (height is None)


def test_a_clock_that_runs_ahead_does_not_make_a_report_fresh_for_longer():
    assert read(unit(), time=T + 3600.0, received=T).time == T
    assert read(unit(), time=T - 3600.0, received=T).time == T - 3600.0


@pytest.mark.parametrize(
    ("callsign", "shown"),
    [
        ("N\u0303\u0301" + "\u0300" * 60 + "!", "N\u0303\u0301!"),
        ("  ALPHA ", "ALPHA"),
        ("A\nB\u202eC", "ABC"),
        ("\n", None),
        (None, None),
        ("x" * 99, "x" * 64),
    ],
)
def test_a_callsign_is_fit_for_one_line(callsign, shown):
    assert read(unit(callsign=callsign)).callsign == shown


@pytest.mark.parametrize(
    ("kind", "fact", "by"), [("b-t-f-d", "on-device", None), ("b-t-f-r", "shown", "ALPHA")]
)
def test_receipts_map_to_their_fact(kind, fact, by):
    assert read(receipt(kind)) == Receipt(
        time=T + 0.5, alert="a-1", revision=3, recipient="UID-A", channel="hq", fact=fact, by=by
    )


def test_a_receipt_in_the_name_of_another_is_a_forgery():
    assert read(receipt(sender="UID-B", addressee="UID-A")) == Unused("receipt-forged", suspicious=True)


def test_a_receipt_for_another_revision_does_not_fit_its_token():
    genuine = receipt()
    inflated = genuine.chat.message_id.replace("vdt-3-", "vdt-4-")
    forged = msgspec.structs.replace(genuine, chat=msgspec.structs.replace(genuine.chat, message_id=inflated))
    assert read(forged) == Unused("receipt-forged", suspicious=True)


def test_the_receipt_of_wintak_and_one_that_only_repeats_the_uid():
    genuine = receipt()
    wintak = msgspec.structs.replace(genuine, chat=msgspec.structs.replace(genuine.chat, receipt=False))
    bare = msgspec.structs.replace(genuine, chat=msgspec.structs.replace(genuine.chat, message_id=None))
    assert read(wintak) == read(bare) == read(genuine)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (receipt(uid="5c0d.d", chat=Chat(message_id="5c0d")), Unused("receipt-of-others")),
        (receipt(chat=None), Unused("receipt-without-sender", suspicious=True)),
        (
            receipt(links=(Link(uid="UID-B", relation="p-p"),)),
            Unused("receipt-without-sender", suspicious=True),
        ),
        (receipt(type="b-t-f-p"), Unused("other-type")),
    ],
)
def test_receipts_that_count_for_nothing(event, expected):
    assert read(event) == expected


def test_atak_and_wintak_receipts_on_the_wire():
    """The shapes that both programs send (seen in the tests of dfpc-coe/node-CoT), with our message id."""
    identifier = receipt().chat.message_id
    head = (
        f'<event version="2.0" uid="{identifier}.r" type="b-t-f-r" how="h-g-i-g-o" '
        'time="2026-07-02T16:19:11Z" start="2026-07-02T16:19:15Z" stale="2026-07-03T16:19:15Z">'
        '<point lat="49.2" lon="-123.1" hae="-11.9" ce="9999999" le="9999999"/><detail>'
    )
    tail = '<link uid="UID-A" type="a-f-G-U-C-I" relation="p-p"/></detail></event>'
    for tag in ("__chatreceipt", "__chat"):
        body = (
            f'<{tag} parent="RootContactGroup" groupOwner="false" messageId="{identifier}" '
            'chatroom="VEDETTE" id="VEDETTE-hq" senderCallsign="ALPHA">'
            '<chatgrp uid0="UID-A" uid1="VEDETTE-hq" id="VEDETTE-hq"/>'
            f"</{tag}>"
        )
        found = read(read_event((head + body + tail).encode()))
        assert (found.fact, found.alert, found.revision, found.by) == ("shown", "a-1", 3, "ALPHA")


LATEST = {"UID-A": ("a-9", 2)}


def test_a_typed_acknowledgement_acknowledges_what_was_sent_last():
    assert read(chat("Roger, moving"), LATEST) == Receipt(
        time=T + 0.5,
        alert="a-9",
        revision=2,
        recipient="UID-A",
        channel="hq",
        fact="acknowledged",
        by="ALPHA",
    )


def test_any_other_text_only_shows_that_a_person_reads():
    assert read(chat("what drone?"), LATEST).fact == "shown"
    assert read(chat("not ok"), LATEST).fact == "shown"


def test_the_uid_stands_for_a_sender_without_a_callsign():
    nameless = chat("ok")
    nameless = msgspec.structs.replace(
        nameless, chat=msgspec.structs.replace(nameless.chat, sender_callsign="")
    )
    assert read(nameless, LATEST).by == "UID-A"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (chat("ok", to="UID-B"), Unused("chat-of-others")),
        (chat("ok", to="All Chat Rooms"), Unused("chat-of-others")),
        (chat("ok", sender="UID-C"), Unused("nothing-to-acknowledge")),
        (chat("ok", links=()), "counts"),
        (chat("ok", chat=None), Unused("chat-without-sender", suspicious=True)),
        (
            chat("ok", links=(Link(uid="UID-B", relation="p-p"),)),
            Unused("chat-without-sender", suspicious=True),
        ),
    ],
)
def test_only_the_addressed_persons_own_words_count(event, expected):
    found = read(event, LATEST)
    if expected == "counts":
        assert found.fact == "acknowledged"
    else:
        assert found == expected


def test_a_chat_addressed_by_uid_only_is_for_us():
    event = chat("copy", to="room", destinations=(Destination(uid="VEDETTE-hq"),))
    assert read(event, LATEST).fact == "acknowledged"


@pytest.mark.parametrize(
    "text",
    [
        "ack",
        "ACK!",
        "Ok",
        "ok, going",
        "Roger.",
        "got it",
        "Got  it!",
        "WILCO",
        "copy that",
        "Recibido",
        "enterado",
    ],
)
def test_words_of_acknowledgement(text):
    assert is_acknowledgement(text)


@pytest.mark.parametrize(
    "text", ["", "!", "no", "not ok", "okra", "acknowledge?", "copying", "repeat", "negative, ok?", "got"]
)
def test_words_of_anything_else(text):
    assert not is_acknowledgement(text)


def test_who_speaks_in_an_event():
    assert author_of(unit()) == "UID-A"
    assert author_of(chat("x")) == "UID-A"
    assert author_of(chat("x", links=(Link(uid="UID-B", relation="p-p"),))) is None
    assert author_of(chat("x", chat=Chat(), links=())) is None


@settings(deadline=None)
@given(
    st.text(max_size=20),
    st.floats(-90, 90),
    st.floats(-180, 180),
    st.none() | st.floats(0, 1e6),
    st.sampled_from(["a-f-G-U-C", "a-f-G", "a-u-A", "b-t-f", "b-t-f-d", "b-a-o-tbl", "t-x-c-t"]),
    st.text(max_size=20),
)
def test_any_event_is_a_valid_report_a_receipt_or_counted(uid, lat, lon, ce, kind, words):
    event = chat(words, uid=uid, lat_deg=lat, lon_deg=lon, ce_m=ce, type=kind, callsign=words)
    found = read(event, LATEST)
    assert isinstance(found, UnitReport | Receipt | Unused)
    if not isinstance(found, Unused):
        assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found
