"""CoT XML read and written: what is refused, what stays unknown, what comes back the same."""

import importlib.util
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from vedette.wire.cot import (
    Chat,
    CotError,
    CotEvent,
    Destination,
    Emergency,
    Link,
    MessageId,
    Remarks,
    SensorView,
    Takv,
    find_message_id,
    format_message_id,
    message_token,
    read_event,
    write_event,
)
from vedette.wire.errors import WireError

T = 1_795_000_000.0
BASE = {"time": T, "start": T, "stale": T + 60.0, "how": "m-g", "lat_deg": 47.2, "lon_deg": 8.5}


def xml(point='lat="47.2" lon="8.5" hae="455" ce="4" le="9"', detail="", **attributes):
    """An event in text, with attributes changed, or left out where they are None."""
    fields = {
        "version": "2.0", "uid": "UID-A", "type": "a-f-G-U-C", "how": "m-g", "time": "2026-11-22T10:00:00Z",
        "start": "2026-11-22T10:00:00Z", "stale": "2026-11-22T10:01:00Z",
    } | attributes  # fmt: skip
    shown = " ".join(f'{name}="{value}"' for name, value in fields.items() if value is not None)
    return f"<event {shown}><point {point}/><detail>{detail}</detail></event>".encode()


def refusal(data):
    with pytest.raises(CotError) as caught:
        read_event(data)
    assert str(caught.value)
    assert isinstance(caught.value, WireError)
    return caught.value.reason


def test_a_plain_event_is_read_in_full():
    event = read_event(xml(detail='<contact callsign="ALPHA" endpoint="*:-1:stcp"/><flow/><x/>'))
    assert event.uid == "UID-A"
    assert event.time == event.start == 1_795_341_600.0
    assert event.stale == event.time + 60.0
    assert (event.lat_deg, event.lon_deg, event.hae_m, event.ce_m, event.le_m) == (47.2, 8.5, 455.0, 4.0, 9.0)
    assert (event.callsign, event.endpoint, event.ignored) == ("ALPHA", "*:-1:stcp", 2)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (xml(uid=None), "missing-uid"),
        (xml(uid=""), "missing-uid"),
        (xml(uid="  "), "missing-uid"),
        (xml(uid="u" * 300), "bad-uid"),
        (xml(uid="a&#10;b"), "bad-uid"),
        (xml(type=None), "bad-type"),
        (xml(type="a f"), "bad-type"),
        (xml(type="a--f"), "bad-type"),
        (xml(time=None), "bad-time"),
        (xml(start=None), "bad-time"),
        (xml(stale=None), "bad-time"),
        (xml(stale="tomorrow"), "bad-time"),
        (xml(time="2026-13-01T00:00:00Z"), "bad-time"),
        (xml(time="2026-11-22"), "bad-time"),
        (xml(time="1969-12-31T23:59:59Z"), "bad-time"),
        (xml(stale="2026-11-22T09:59:59Z"), "stale-before-start"),
        (xml(point='lat="abc" lon="8"'), "bad-position"),
        (xml(point='lat="" lon="8"'), "bad-position"),
        (xml(point='lon="8"'), "bad-position"),
        (xml(point='lat="47"'), "bad-position"),
        (xml(point='lat="90.001" lon="8"'), "bad-position"),
        (xml(point='lat="47" lon="-180.5"'), "bad-position"),
        (xml(point='lat="NaN" lon="8"'), "bad-position"),
        (xml(point='lat="inf" lon="8"'), "bad-position"),
        (xml(point='lat="1e400" lon="8"'), "bad-position"),
        (xml(point='lat="4_7" lon="8"'), "bad-position"),
        (xml(point='lat="0x10" lon="8"'), "bad-position"),
        (xml(point='lat="47" lon="8" ce="few"'), "bad-point"),
        (xml(point='lat="47" lon="8" hae="NaN"'), "bad-point"),
        (xml().replace(b"<point", b"<pint"), "missing-point"),
        (xml().replace(b"<event", b"<evnt").replace(b"</event", b"</evnt"), "not-an-event"),
        (xml().replace(b"<event ", b'<event xmlns="urn:x" '), "not-an-event"),
        (xml()[:-3], "not-xml"),
        (b"", "not-xml"),
        (b"\xff\xfe" + xml(), "not-xml"),
        (xml(detail="<a>" * 40 + "</a>" * 40), "too-deep"),
        (xml(detail="<a>" * 400 + "</a>" * 400), "not-xml"),
        (xml(detail="x" * 70_000), "too-large"),
        (b"<!DOCTYPE event>" + xml(), "document-type"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_reason(data, reason):
    assert refusal(data) == reason


def test_entities_are_neither_resolved_nor_fetched(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("the-secret")
    head = f'<!DOCTYPE event [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'.encode()
    assert refusal(head + xml(detail="<remarks>&x;</remarks>")) == "document-type"
    assert refusal(xml(detail="<remarks>&x;</remarks>")) == "not-xml"


def test_a_declared_encoding_does_not_open_a_way_round_the_checks():
    sneaky = b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE event>' + xml()
    assert refusal(sneaky) == "not-xml"
    assert refusal(xml().decode().encode("utf-16")) == "not-xml"


@pytest.mark.parametrize("text", ["9999999.0", "9999999", "999999.0", "-1.0"])
def test_the_unknowns_of_clients_stay_unknown(text):
    event = read_event(xml(point=f'lat="47" lon="8" hae="{text}" ce="{text}" le="{text}"'))
    assert event.ce_m is None
    assert event.le_m is None
    assert event.hae_m == (-1.0 if text == "-1.0" else None)


def test_missing_accuracy_is_unknown_and_not_zero():
    event = read_event(xml(point='lat="47" lon="8"'))
    assert (event.hae_m, event.ce_m, event.le_m) == (None, None, None)


@pytest.mark.parametrize("height", ["-9999", "200000"])
def test_a_height_outside_the_world_is_unknown(height):
    assert read_event(xml(point=f'lat="47" lon="8" hae="{height}"')).hae_m is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-22T10:00:00Z", 1_795_341_600.0),
        ("2026-11-22T10:00:00", 1_795_341_600.0),
        ("2026-11-22T10:00:00.25Z", 1_795_341_600.25),
        ("2026-11-22T10:00:00.123456789Z", 1_795_341_600.123456789),
        ("2026-11-22T12:00:00+02:00", 1_795_341_600.0),
        ("2026-11-22T04:30:00-05:30", 1_795_341_600.0),
    ],
)
def test_times_in_all_the_forms_of_the_schema(text, seconds):
    assert read_event(xml(time=text)).time == pytest.approx(seconds, abs=1e-6)


@pytest.mark.parametrize(("course", "read"), [("360.0", 0.0), ("-90", 270.0), ("NaN", None), ("12.5", 12.5)])
def test_a_course_is_brought_into_the_circle_or_unknown(course, read):
    event = read_event(xml(detail=f'<track course="{course}" speed="3"/>'))
    assert event.course_deg == read
    assert event.speed_mps == 3.0


def test_the_offending_bytes_come_with_the_error():
    with pytest.raises(CotError) as caught:
        read_event(xml(uid=""))
    assert caught.value.data == xml(uid="")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lat_deg": float("nan")}, "bad-position"),
        ({"lon_deg": 180.1}, "bad-position"),
        ({"uid": " "}, "missing-uid"),
        ({"stale": T - 1.0}, "stale-before-start"),
        ({"ce_m": float("inf")}, "bad-value"),
        ({"time": -5.0}, "bad-value"),
        ({"remarks": Remarks(text="x" * 70_000)}, "too-large"),
    ],
)
def test_what_has_no_valid_form_is_not_written(changes, reason):
    with pytest.raises(CotError) as caught:
        write_event(CotEvent(**{"uid": "u", "type": "a-u-A", **BASE, **changes}))
    assert caught.value.reason == reason


def test_a_tiny_error_is_not_rounded_into_a_perfect_fix():
    written = write_event(CotEvent(uid="u", type="a-u-A", **BASE, ce_m=0.001, le_m=0.0))
    assert b'ce="0.1" le="0.1"' in written


def test_unknowns_are_written_as_cot_writes_them():
    written = write_event(CotEvent(uid="u", type="a-u-A", **BASE))
    assert b'hae="9999999.0" ce="9999999.0" le="9999999.0"' in written


@pytest.mark.parametrize("course", [359.99, 360.0, 720.0, -0.001])
def test_a_course_never_rounds_up_to_360(course):
    written = write_event(CotEvent(uid="u", type="a-u-A", **BASE, course_deg=course, speed_mps=1.0))
    assert 0.0 <= float(etree.fromstring(written).find("detail/track").get("course")) < 360.0


def test_characters_that_xml_cannot_hold_are_replaced_not_sent():
    event = CotEvent(uid="u", type="a-u-A", **BASE, remarks=Remarks(text="a\0b\x1bc\ud800d\r\n<&>"))
    read = read_event(write_event(event))
    assert read.remarks.text == "a\ufffdb\ufffdc\ufffdd\r\n<&>"


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=40)
words = texts.map(str.strip).filter(bool)
names = st.none() | words
tenths = st.integers(1, 99_999).map(lambda n: n / 10.0)
moments = st.integers(0, 4_000_000_000_000).map(lambda n: n / 1000.0)
events = st.builds(
    lambda start, life, **rest: CotEvent(start=start, stale=start + life / 1000.0, **rest),
    life=st.integers(0, 10_000_000),
    start=moments,
    uid=words.filter(str.isprintable),
    type=st.from_regex(r"[a-z]-[a-z](-[A-Z]){0,6}", fullmatch=True),
    time=moments,
    how=st.sampled_from(["m-g", "h-e", "m-f"]),
    lat_deg=st.integers(-900_000_000, 900_000_000).map(lambda n: n / 1e7),
    lon_deg=st.integers(-1_800_000_000, 1_800_000_000).map(lambda n: n / 1e7),
    hae_m=st.none() | st.integers(-9_999, 99_999).map(lambda n: n / 10.0),
    ce_m=st.none() | tenths,
    le_m=st.none() | tenths,
    callsign=names,
    endpoint=names,
    team=names,
    role=names,
    takv=st.none() | st.builds(Takv, platform=texts, version=texts),
    links=st.lists(
        st.builds(Link, uid=words, type=texts, relation=texts, parent_callsign=names), max_size=3
    ).map(tuple),
    destinations=st.lists(
        st.builds(Destination, callsign=names, uid=names).filter(lambda d: d != Destination()), max_size=3
    ).map(tuple),
    chat=st.none()
    | st.builds(
        Chat,
        chatroom=texts,
        id=texts,
        sender_callsign=texts,
        message_id=names,
        parent=texts,
        group_owner=st.booleans(),
        uid0=words,
        uid1=names,
        receipt=st.booleans(),
    ),
    remarks=st.none() | st.builds(Remarks, text=texts, source=names, to=names, time=st.none() | moments),
    emergency=st.none() | st.builds(Emergency, type=texts, cancel=st.booleans(), text=texts),
    force_delete=st.booleans(),
)


@settings(deadline=None)
@given(events)
def test_what_is_written_reads_back_the_same(event):
    read = read_event(write_event(event))
    for field in CotEvent.__struct_fields__:
        ours, theirs = getattr(event, field), getattr(read, field)
        if isinstance(ours, float):
            assert theirs == pytest.approx(ours, abs=2e-6), field
        elif field != "remarks":
            assert theirs == ours, field
    assert write_event(read) == write_event(event)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_bytes_that_are_no_event_end_in_a_cot_error(data):
    assert refusal(data) in {"not-xml", "document-type", "not-an-event"}


@settings(deadline=None)
@given(st.text(max_size=60), st.integers(0, 999_999_999), st.binary(min_size=1, max_size=32))
def test_a_message_id_is_found_again_however_clients_wrap_it(reference, revision, key):
    reference = reference.encode("utf-8", "replace").decode()[:20]
    token = message_token(key, reference, revision, "UID-A")
    message = MessageId(reference, revision, token)
    text = format_message_id(message)
    assert "." not in text
    if not reference:
        assert find_message_id(text) is None
        return
    for wrapped in (text, f"{text}.d", f"{text}.r", f"GeoChat.VED.UID-A.{text}"):
        assert find_message_id(wrapped) == message


def test_a_token_fits_one_message_to_one_person():
    token = message_token(b"key", "a1", 1, "UID-A")
    others = [
        message_token(b"yek", "a1", 1, "UID-A"),
        message_token(b"key", "a2", 1, "UID-A"),
        message_token(b"key", "a1", 2, "UID-A"),
        message_token(b"key", "a1", 1, "UID-B"),
    ]
    assert token not in others
    assert len(token) == 16


@pytest.mark.parametrize(
    "text", ["", "vdt-", "5c0dfa5d-27c2-4f4a", "vdt-1-xyz-a", "vdt-1-0123456789ABCDEF-a"]
)
def test_other_message_ids_are_not_taken_for_ours(text):
    assert find_message_id(text) is None


def test_the_fuzzer_finds_nothing_in_a_short_run(monkeypatch):
    path = Path(__file__).resolve().parents[1] / "fuzz" / "fuzz_cot.py"
    monkeypatch.syspath_prepend(path.parent)
    spec = importlib.util.spec_from_file_location("vedette_fuzz_cot", path)
    fuzzer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzzer)
    seeds = fuzzer.corpus()
    assert len(seeds) >= 10
    chance = random.Random(20261122)
    for data in seeds:
        fuzzer.check(data, chance)
    for _ in range(600):
        fuzzer.check(fuzzer.mutate(chance.choice(seeds), chance), chance)


@pytest.mark.field
def test_events_of_real_clients_are_read_and_written_again(field_data):
    files = sorted((field_data / "protocols" / "cot" / "takcot-examples").glob("*.cot"))
    assert len(files) == 8
    for path in files:
        event = read_event(path.read_bytes())
        assert (event.hae_m, event.ce_m, event.le_m) == (None, None, None)
        assert event.callsign or event.type == "b-m-r"
        assert event.ignored > 0
        again = read_event(write_event(event))
        assert (again.uid, again.type, again.links) == (event.uid, event.type, event.links)
    marker = read_event((field_data / "protocols/cot/takcot-examples/Marker - 2525.cot").read_bytes())
    assert marker.links[0].parent_callsign == "HOPE"
    assert marker.user_icon
    assert marker.time == 1_608_148_774.910


@pytest.mark.field
def test_all_that_is_written_is_valid_by_the_schema_of_mitre(field_data):
    folder = field_data / "protocols" / "cot" / "mitre-xsd"
    (path,) = folder.glob("CoT Base-Event*.xsd")
    base = etree.XMLSchema(etree.parse(path))
    parts = {
        name: etree.XMLSchema(etree.parse(next(folder.glob(f"CoT {name.capitalize()}*.xsd"))))
        for name in ("contact", "track", "link", "remarks")
    }
    full = CotEvent(
        uid="u", type="a-f-G-U-C", **BASE, hae_m=455.0, ce_m=4.0, le_m=9.0, callsign="ALPHA",
        course_deg=359.97, speed_mps=1.5, links=(Link(uid="v", type="a", relation="p-p"),),
        remarks=Remarks(text="x", source="s", to="t", time=T), chat=Chat(uid0="a", uid1="b"),
        destinations=(Destination(callsign="B", uid="c"),), takv=Takv(platform="p"),
    )  # fmt: skip
    for event in (full, CotEvent(uid="u", type="t-x-c-t", **BASE)):
        root = etree.fromstring(write_event(event))
        base.assertValid(root)
        for name, schema in parts.items():
            for element in root.findall(f"detail/{name}"):
                schema.assertValid(element)


def test_a_sensor_and_a_slope_come_back():
    """MITRE sensor and track schemas; a view without width, or wider than a circle, is not known."""
    detail = (
        '<sensor azimuth="-90" elevation="5" fov="45" vfov="20" range="800"/><track course="1" speed="2" '
    )
    event = read_event(xml(detail=detail + 'slope="-10"/>'))
    assert event.sensor == SensorView(
        azimuth_deg=270.0, elevation_deg=5.0, fov_deg=45.0, vfov_deg=20.0, range_m=800.0
    )
    assert event.slope_deg == -10.0
    assert read_event(write_event(event)) == event
    wrong = read_event(xml(detail='<sensor azimuth="NaN" elevation="91" fov="0" vfov="361" range="-1"/>'))
    assert wrong.sensor == SensorView()
