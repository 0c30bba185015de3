"""Streams that change from XML to protobuf, are cut anywhere, and hold what they should not."""

import importlib.util
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.wire.cot import CotEvent, ProtocolControl, Remarks, read_event, write_event
from vedette.wire.tak import (
    MAX_PAYLOAD_BYTES,
    Control,
    Negotiation,
    TakSplitter,
    answer_request,
    hear,
    offer,
    read_payload,
    write_payload,
    write_stream,
)
from vedette.wire.tak.framing import encode_varint

T = 1_795_000_000.0


def event(uid="UID-A", text="x ¿ y ÿ < z"):
    return CotEvent(
        uid=uid, type="a-u-A", how="m-g", time=T, start=T, stale=T + 60.0, lat_deg=47.2, lon_deg=8.5,
        remarks=Remarks(text=text),
    )  # fmt: skip


def framed(payload):
    return b"\xbf" + encode_varint(len(payload)) + payload


def outcome(splitter, data):
    return [item.uid if isinstance(item, CotEvent) else item.reason for item in splitter.feed(data)]


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.booleans()), min_size=1, max_size=6), st.data())
def test_cuts_change_nothing(items, data):
    stream = b"".join(
        write_stream(event(uid)) if protobuf else b"<?xml version='1.0'?>\n" + write_event(event(uid))
        for uid, protobuf in items
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    splitter = TakSplitter()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += outcome(splitter, stream[start:end])
    assert found == [uid for uid, _ in items]
    assert splitter.garbage_bytes == 0
    assert splitter.messages == sum(protobuf for _, protobuf in items)


def test_byte_by_byte():
    stream = (
        write_event(event("A"))
        + write_stream(event("B"))
        + write_stream(event("C"))
        + write_event(event("D"))
    )
    splitter = TakSplitter()
    assert [uid for byte in stream for uid in outcome(splitter, bytes([byte]))] == ["A", "B", "C", "D"]


def test_the_magic_byte_within_xml_is_text():
    """U+00BF and U+00FF end with it in UTF-8, and so does the byte order mark."""
    attribute = write_event(event("¿¿ÿ", "¿A\n¿"))
    splitter = TakSplitter()
    assert outcome(splitter, b"\xef\xbb\xbf" + attribute + write_stream(event("B"))) == ["¿¿ÿ", "B"]
    assert splitter.garbage_bytes == 3


def test_garbage_does_not_hide_what_follows():
    splitter = TakSplitter()
    assert outcome(splitter, b"HTTP/1.1 400\r\n\r\n" + write_stream(event("A"))) == ["A"]
    assert outcome(splitter, "ÿA\n ÿ".encode() + b" " + write_stream(event("B"))) == ["B"]
    assert outcome(splitter, b"\xbf\x00\xbf\x05hello" + write_event(event("C"))) == ["C"]
    assert splitter.garbage_bytes > 0


def test_a_bad_message_costs_itself_alone():
    bad = framed(b"\x12\x03abc")
    splitter = TakSplitter()
    assert outcome(splitter, bad + write_stream(event("A"))) == ["not-protobuf", "A"]
    assert splitter.messages == 1


def test_a_message_without_an_event_is_counted():
    splitter = TakSplitter()
    assert outcome(splitter, framed(write_payload(control=Control())) + write_stream(event("A"))) == ["A"]
    assert (splitter.messages, splitter.controls) == (2, 1)


@pytest.mark.parametrize("step", [1000, 70_000, 1_000_000])
def test_a_message_that_is_too_large_is_skipped_and_not_searched(step):
    hidden = write_event(event("FORGED")) + write_stream(event("FORGED"))
    large = framed(b"\x12" + hidden + bytes(3 * MAX_PAYLOAD_BYTES))
    data = large + write_stream(event("A"))
    splitter = TakSplitter()
    found = []
    for at in range(0, len(data), step):
        found += outcome(splitter, data[at : at + step])
        assert len(splitter._buffer) <= 2 * MAX_PAYLOAD_BYTES + 16
    assert found == ["too-large", "A"]
    assert splitter.garbage_bytes == 0


def test_the_largest_message_passes():
    text = "x" * (MAX_PAYLOAD_BYTES - 400)
    assert outcome(TakSplitter(), write_stream(event("A", text)) * 3) == ["A", "A", "A"]


@settings(deadline=None)
@given(st.binary(max_size=300), st.data())
def test_garbage_is_found_the_same_however_it_is_cut(noise, data):
    stream = noise + write_stream(event("A")) + noise[:20] + write_event(event("B"))
    whole = TakSplitter()
    expected = outcome(whole, stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    splitter = TakSplitter()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += outcome(splitter, stream[start:end])
    assert (found, splitter.garbage_bytes) == (expected, whole.garbage_bytes)


OFFER = b"""<event version='2.0' uid='protouid' type='t-x-takp-v' time='2026-11-22T10:00:00Z'
 start='2026-11-22T10:00:00Z' stale='2026-11-22T10:00:00Z' how='m-g'>
 <point lat='0.0' lon='0.0' hae='0.0' ce='999999' le='999999'/><detail><TakControl>
 <TakProtocolSupport version="%s"/><TakProtocolSupport version="x"/></TakControl></detail></event>"""


def test_a_client_takes_the_offer_as_it_is_published():
    state, request = hear(Negotiation(), read_event(OFFER % b"1"), T)
    assert (state.phase, request.type, request.uid) == ("asked", "t-x-takp-q", "protouid")
    xml = write_event(request)
    assert b'<TakControl><TakRequest version="1"/></TakControl>' in xml
    granted = answer_request(read_event(xml), "protouid", T)
    assert b'<TakResponse status="true"/>' in write_event(granted)
    state, answer = hear(state, read_event(write_event(granted)), T)
    assert (state.phase, answer) == ("protobuf", None)
    assert hear(state, read_event(OFFER % b"1"), T) == (state, None)


def test_a_client_stays_in_xml_where_nothing_fits():
    assert hear(Negotiation(), read_event(OFFER % b"2"), T) == (Negotiation(), None)
    assert hear(Negotiation(), event(), T) == (Negotiation(), None)
    unasked = answer_request(hear(Negotiation(), offer("o", T), T)[1], "o", T)
    assert hear(Negotiation(), unasked, T) == (Negotiation(), None)


def test_only_the_answer_to_its_own_request_moves_a_client():
    state, request = hear(Negotiation(), offer("mine", T), T)
    other = answer_request(hear(Negotiation(), offer("other", T), T)[1], "other", T)
    assert hear(state, other, T) == (state, None)
    assert answer_request(request, "another-offer", T) is None
    assert answer_request(event("mine"), "mine", T) is None


def test_a_refusal_leads_back_to_xml_for_good():
    state, request = hear(Negotiation(), offer("o", T), T)
    wants_two = read_event(write_event(request).replace(b'version="1"', b'version="2"'))
    refused = answer_request(wants_two, "o", T)
    assert refused.protocol == ProtocolControl(granted=False)
    state, _ = hear(state, refused, T)
    assert state.phase == "xml"
    assert hear(state, offer("o", T), T) == (state, None)


def test_an_answer_without_a_status_is_none():
    state, request = hear(Negotiation(), offer("o", T), T)
    vague = write_event(answer_request(request, "o", T)).replace(b'"true"', b'"maybe"')
    assert hear(state, read_event(vague), T) == (state, None)


def test_negotiation_events_survive_protobuf():
    assert read_payload(write_payload(offer("o", T))).event == offer("o", T)


def test_a_short_run_of_the_fuzzer(monkeypatch):
    path = Path(__file__).resolve().parents[1] / "fuzz" / "fuzz_tak.py"
    monkeypatch.syspath_prepend(path.parent)
    spec = importlib.util.spec_from_file_location("vedette_fuzz_tak", path)
    fuzzer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzzer)
    seeds = fuzzer.corpus()
    assert len(seeds) >= 6
    chance = random.Random(20261122)
    for data in seeds:
        fuzzer.check(data, chance)
    for _ in range(600):
        fuzzer.check(fuzzer.mutate(chance.choice(seeds), chance), chance)
