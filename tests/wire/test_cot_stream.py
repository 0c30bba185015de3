"""Events found in a stream that may be cut anywhere and may hold anything."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.wire.cot import MAX_EVENT_BYTES, CotError, CotEvent, CotSplitter, Remarks, write_event

T = 1_795_000_000.0


def event(uid="UID-A", text=None):
    return CotEvent(
        uid=uid, type="a-f-G-U-C", how="m-g", time=T, start=T, stale=T + 60.0, lat_deg=47.2, lon_deg=8.5,
        remarks=None if text is None else Remarks(text=text),
    )  # fmt: skip


def outcome(splitter, data):
    return [item.uid if isinstance(item, CotEvent) else item.reason for item in splitter.feed(data)]


@settings(deadline=None)
@given(st.lists(st.sampled_from(["A", "B", "C"]), min_size=1, max_size=6), st.data())
def test_cuts_change_nothing(uids, data):
    between = st.sampled_from([b"", b"\n", b"\0\0", b'<?xml version="1.0" encoding="UTF-8"?>\n', b" \r\n"])
    stream = b"".join(data.draw(between) + write_event(event(uid, "x < y > z & é")) for uid in uids)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    splitter = CotSplitter()
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += outcome(splitter, stream[start:end])
    assert found == uids
    assert splitter.garbage_bytes == 0


def test_byte_by_byte():
    splitter = CotSplitter()
    stream = b"<?xml version='1.0'?>" + write_event(event("A")) + b"\0" + write_event(event("B"))
    found = [uid for byte in stream for uid in outcome(splitter, bytes([byte]))]
    assert found == ["A", "B"]
    assert splitter.garbage_bytes == 0


def test_garbage_is_skipped_and_counted():
    splitter = CotSplitter()
    data = b"HTTP/1.1 400\r\n\r\n" + write_event(event("A")) + b"\xbf\x01\xbf" + write_event(event("B"))
    assert outcome(splitter, data) == ["A", "B"]
    assert splitter.garbage_bytes == len(b"HTTP/1.1400") + 3


def test_an_end_tag_in_a_text_or_comment_does_not_end_the_event():
    inner = b"<!-- </event> --><note><![CDATA[</event>" + write_event(event("INNER")) + b"]]></note>"
    data = write_event(event("A")).replace(b"<detail/>", b"<detail>" + inner + b"</detail>")
    assert inner in data
    assert outcome(CotSplitter(), data + write_event(event("B"))) == ["A", "B"]


def test_an_event_inside_a_detail_is_not_an_event_of_its_own():
    inner = b"<detail><quoted>" + write_event(event("FORGED")) + b"</quoted></detail>"
    data = write_event(event("A")).replace(b"<detail/>", inner)
    assert b"FORGED" in data
    assert outcome(CotSplitter(), data + write_event(event("B"))) == ["A", "B"]


def test_a_greater_than_sign_in_an_attribute_does_not_end_the_tag():
    data = write_event(event("A")).replace(b"<detail/>", b"""<detail><x a="/>" b='"</x>'/></detail>""")
    # "<" in an attribute is not XML; without it the quotes protect the rest.
    assert outcome(CotSplitter(), data.replace(b"</x>'", b">'")) == ["A"]
    assert outcome(CotSplitter(), data)[0] == "not-xml"


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (write_event(event("X")).partition(b"<point")[0], "truncated"),
        (write_event(event("X")).partition(b" lat=")[0], "not-xml"),
        (b"<event><a></b></event>", "not-xml"),
        (b"<event><!ENTITY x 'y'></event>", "document-type"),
        (b"<event>" + b"<a>" * 40, "too-deep"),
        (b"<event>< /></event>", "not-xml"),
        (b"<event/>", "missing-uid"),
    ],
)
def test_a_broken_event_costs_itself_and_not_the_next_one(broken, reason):
    found = outcome(CotSplitter(), broken + write_event(event("NEXT")))
    assert found[0] == reason
    assert found[-1] == "NEXT"


def test_an_endless_event_is_given_up_in_bounded_memory():
    splitter = CotSplitter()
    found = outcome(splitter, b"<event><detail>")
    for _ in range(100):
        found += outcome(splitter, b"x" * 4096)
        assert len(splitter._buffer) <= 2 * MAX_EVENT_BYTES
    assert found == ["too-large"]
    assert outcome(splitter, write_event(event("NEXT"))) == ["NEXT"]


def test_one_huge_read_is_taken_in_pieces():
    splitter = CotSplitter()
    one = write_event(event("A", "x" * 1000))
    assert outcome(splitter, one * 500) == ["A"] * 500
    assert len(splitter._buffer) == 0


def test_an_event_of_the_largest_size_passes_and_one_byte_more_does_not():
    frame = write_event(event("A", ""))
    room = MAX_EVENT_BYTES - len(frame.replace(b"<remarks/>", b"<remarks></remarks>"))
    largest = frame.replace(b"<remarks/>", b"<remarks>" + b"x" * room + b"</remarks>")
    assert len(largest) == MAX_EVENT_BYTES
    assert outcome(CotSplitter(), largest) == ["A"]
    assert outcome(CotSplitter(), largest.replace(b"xx", b"xxx", 1)) == ["too-large"]


def test_markup_that_nests_openings_is_walked_once():
    """A hostile stream of openings costs tags walked in proportion to its length."""
    walked = 0

    class Counting(CotSplitter):
        def _token_end(self, opening):
            nonlocal walked
            walked += 1
            return super()._token_end(opening)

    data = b"<event><detail>" * 8_000
    Counting().feed(data)
    assert walked <= 2 * data.count(b"<")


def test_the_bytes_given_up_come_with_the_error():
    errors = [item for item in CotSplitter().feed(b"<event><a></b>") if isinstance(item, CotError)]
    assert len(errors) == 1
    assert errors[0].data.startswith(b"<event><a><")


@settings(deadline=None)
@given(st.lists(st.sampled_from([b"<", b"event", b"<event ", b">", b"/", b"<!--", b"-->", b"'", b'"', b"x"])))
def test_any_soup_of_markup_leaves_the_splitter_able_to_go_on(pieces):
    splitter = CotSplitter()
    splitter.feed(b"".join(pieces))
    # An open comment or quote rightly swallows what follows; an end of both sets the stream right.
    splitter.feed(b"-->\"'>" + b"x" * (MAX_EVENT_BYTES + 1))
    splitter.feed(b"]]>?>--></event>")
    found = outcome(splitter, write_event(event("NEXT")) * 2)
    assert found[-1] == "NEXT"
