"""The standard's own rules, the bounds, and the round trip of CAP messages."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from vedette.wire.cap import (
    MAX_ALERT_BYTES,
    Area,
    CapAlert,
    CapError,
    Circle,
    Fault,
    Info,
    Named,
    Point,
    Reference,
    Resource,
    cap_time,
    examine,
    read_alert,
    unix_seconds,
    write_alert,
)
from vedette.wire.cap import message as m
from vedette.wire.errors import EncodeError

SENT = "2026-01-31T12:00:00-00:00"
LATER = "2026-01-31T12:01:00-00:00"
EARLIER = "2026-01-31T11:59:00-00:00"
HEAD = f"""<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>a.1</identifier>
<sender>vedette@example.org</sender>
<sent>{SENT}</sent>
<status>Actual</status>
<msgType>Alert</msgType>
<scope>Restricted</scope>
<restriction>staff</restriction>
"""
INFO = """<info>
<language>en</language>
<category>Security</category>
<event>Drone</event>
<urgency>Immediate</urgency>
<severity>Extreme</severity>
<certainty>Likely</certainty>
{}</info>
"""
AREA = "<area><areaDesc>here</areaDesc>{}</area>"


def message(head: str = HEAD, more: str = "", info: str = INFO) -> bytes:
    """A message with something at the end of its info."""
    return (head + info.format(more) + "</alert>").encode()


def rules(data: bytes, advice: bool = False) -> list[str]:
    """The rules that it breaks."""
    return [fault.rule for fault in examine(data).faults if fault.advice is advice]


def changed(old: str, new: str) -> str:
    assert old in HEAD
    return HEAD.replace(old, new)


def test_the_message_of_these_tests_is_good() -> None:
    examined = examine(message())
    assert (examined.good, examined.conforms, examined.faults) == (True, True, ())


BAD_HEADS = {
    "bad-identifier": [("a.1", bad) for bad in ("", "a 1", "a,1", "a&lt;1", "a&amp;1", "a\t1", "a\n")],
    "bad-sender": [("vedette@example.org", bad) for bad in ("", "a b", "a,b", "&lt;a", "a&amp;b", " a")],
    "references-missing": [("Alert</msg", f"{kind}</msg") for kind in ("Update", "Cancel", "Ack")],
    "restriction-missing": [("<restriction>staff</restriction>", ""), (">staff<", "> <")],
    "restriction-unused": [("Restricted</scope>", "Public</scope>")],
    "addresses-missing": [
        ("Restricted</scope>\n<restriction>staff</restriction>", "Private</scope>"),
        ("Restricted</scope>\n<restriction>staff</restriction>", "Private</scope><addresses> </addresses>"),
    ],
    "note-missing": [("Actual", "Exercise"), ("staff</restriction>", "staff</restriction><note> </note>")],
    "bad-quotes": [("staff</restriction>", 'staff</restriction><incidents>"a b</incidents>')],
}


@pytest.mark.parametrize(
    ("rule", "change"), [(rule, change) for rule, changes in BAD_HEADS.items() for change in changes]
)
def test_a_bad_head_is_told_with_its_rule(rule: str, change: tuple[str, str]) -> None:
    head = changed(*change)
    if rule == "note-missing":
        head = head.replace("Actual", "Exercise")
    assert rules(message(head)) == [rule]


def referring(references: str, kind: str = "Update") -> str:
    head = changed("Alert</msg", f"{kind}</msg")
    return f"{head}<note>n</note><references>{references}</references>"


@pytest.mark.parametrize("kind", ["Update", "Cancel", "Ack", "Error"])
def test_an_answer_that_says_to_what_is_good(kind: str) -> None:
    alert = read_alert(message(referring(f"vedette@example.org,a.0,{SENT}\n b,c,{EARLIER}", kind)))
    assert alert.references == (
        Reference("vedette@example.org", "a.0", SENT),
        Reference("b", "c", EARLIER),
    )


@pytest.mark.parametrize(
    ("references", "rule"),
    [
        (" ", "references-missing"),
        ("a.0", "bad-reference"),
        (f"b,,{SENT}", "bad-reference"),
        ("b,c,2026-01-31T12:00:00Z", "bad-reference"),
        (f"b, c,{SENT}", "bad-reference"),
        (f"vedette@example.org,a.1,{SENT}", "self-reference"),
    ],
)
def test_a_bad_reference_is_told(references: str, rule: str) -> None:
    assert rules(message(referring(references))) == [rule]


def test_an_error_says_what_was_wrong() -> None:
    head = changed("Alert</msg", "Error</msg") + f"<references>b,c,{SENT}</references>"
    assert rules(message(head)) == ["note-missing"]


def test_empty_elements_that_some_senders_leave_are_borne() -> None:
    head = changed(
        "Restricted</scope>\n<restriction>staff</restriction>", "Public</scope><restriction/><addresses/>"
    )
    assert rules(message(head)) == []


def test_advice_is_no_refusal() -> None:
    head = changed(SENT, SENT.replace("-00:00", "+00:00")).replace(
        "</restriction>", "</restriction><addresses>x</addresses>"
    )
    examined = examine((head + "</alert>").encode())
    assert examined.good
    assert [fault.rule for fault in examined.faults] == ["info-missing", "utc-offset", "addresses-open"]


@pytest.mark.parametrize("zone", ["Z", "", "+0000", "UTC"])
@pytest.mark.parametrize("place", ["sent", "effective", "onset", "expires"])
def test_a_time_has_an_offset_in_figures(place: str, zone: str) -> None:
    text = f"2026-01-31T12:00:00{zone}"
    data = message(changed(SENT, text)) if place == "sent" else message(more=f"<{place}>{text}</{place}>")
    (fault,) = examine(data).faults
    assert fault.rule == "bad-value"
    assert fault.place.endswith(place)
    assert "offset in figures" in fault.remedy


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        (f"<expires>{EARLIER}</expires>", "expires-early"),
        (f"<effective>{LATER}</effective><expires>{SENT}</expires>", "expires-early"),
        (f"<onset>{LATER}</onset><expires>{SENT}</expires>", "expires-early"),
        ("<web>www.example.org</web>", "relative-uri"),
        ("<parameter><valueName> </valueName><value>v</value></parameter>", "empty-text"),
        ("<area><areaDesc> </areaDesc></area>", "empty-text"),
        (AREA.format("<ceiling>1</ceiling>"), "ceiling-alone"),
        (AREA.format("<altitude>2</altitude><ceiling>1</ceiling>"), "ceiling-below"),
    ],
)
def test_what_is_told_is_consistent(more: str, rule: str) -> None:
    assert rules(message(more=more)) == [rule]


def test_an_event_has_a_name() -> None:
    assert rules(message(info=INFO.replace("Drone", " "))) == ["empty-text"]


@pytest.mark.parametrize(
    "polygon",
    ["", "1,1", "1,1 1,2 1,1", "1,1 1,2 2,2", "1,1 1,2 2,2 1,1.0001", "1,1 1,1 1,1 1,1", "1,1 1,2 2,2 91,1",
     "1,1 1,2 2,181 1,1", "1 1 1 2 2 2 1 1", "1,1, 1,2 2,2 1,1", "a,1 1,2 2,2 a,1", "1,1 1,2 1e1,2 1,1",
     "nan,1 1,2 2,2 nan,1"],
)  # fmt: skip
def test_a_polygon_is_closed_and_on_earth(polygon: str) -> None:
    assert rules(message(more=AREA.format(f"<polygon>{polygon}</polygon>"))) == ["bad-polygon"]


@pytest.mark.parametrize(
    "circle", ["", "1,1", "1 1", "1,1 -1", "1,1 x", "91,1 1", "1,1 30000", "1,1 1 1", "1,1,1"]
)
def test_a_circle_is_on_earth(circle: str) -> None:
    assert rules(message(more=AREA.format(f"<circle>{circle}</circle>"))) == ["bad-circle"]


@pytest.mark.parametrize(
    ("resource", "rule"),
    [
        ("<mimeType>png</mimeType>", "bad-mime-type"),
        ("<mimeType>image/png</mimeType><size>-1</size>", "bad-size"),
        ("<mimeType>image/png</mimeType><digest>abc</digest>", "bad-digest"),
        ("<mimeType>image/png</mimeType><derefUri>???</derefUri>", "bad-content"),
        (
            f"<mimeType>image/png</mimeType><derefUri>YQ==</derefUri><digest>{'0' * 40}</digest>",
            "wrong-digest",
        ),
    ],
)
def test_a_resource_is_what_it_says(resource: str, rule: str) -> None:
    more = f"<resource><resourceDesc>r</resourceDesc>{resource}</resource>"
    assert rules(message(more=more)) == [rule]


SPANISH = INFO.replace("<language>en<", "<language>es<").replace("Drone", "Dron")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Immediate", "Expected"),
        ("Extreme", "Severe"),
        ("Likely", "Possible"),
        ("Security", "Safety"),
        ("</category>", "</category><category>Safety</category>"),
        ("<urgency>", "<responseType>Shelter</responseType><urgency>"),
        ("{}", f"<expires>{LATER}</expires>{{}}"),
        ("{}", "{}" + AREA.format("<circle>1,1 1</circle>")),
    ],
)
def test_no_reader_is_told_something_else_than_another(old: str, new: str) -> None:
    both = HEAD + INFO.format("") + SPANISH.format("") + "</alert>"
    assert rules(both.encode()) == []
    differing = HEAD + INFO.format("") + SPANISH.replace(old, new).format("") + "</alert>"
    assert set(rules(differing.encode())) == {"languages-differ"}


def test_a_language_that_misses_a_part_is_told() -> None:
    three = HEAD + INFO.format("") + INFO.format("") + SPANISH.format("") + "</alert>"
    assert rules(three.encode()) == ["languages-differ"]


def test_each_fault_names_its_line_and_a_remedy() -> None:
    data = message(changed("a.1", "a 1"), AREA.format("\n<polygon>1,1</polygon>"))
    first, second = examine(data).faults
    assert (first.line, first.place) == (2, "alert/identifier")
    assert data.splitlines()[second.line - 1] == b"<polygon>1,1</polygon></area></info>"
    assert second.place == "alert/info[1]/area[1]/polygon[1]"
    assert all(fault.remedy for fault in (first, second))
    with pytest.raises(CapError) as caught:
        read_alert(data)
    assert caught.value.faults == (first, second)
    assert caught.value.reason == "bad-identifier"


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_older_versions_are_refused_by_name(version: str) -> None:
    with pytest.raises(CapError, match=f"this is CAP {version}") as caught:
        read_alert(message(HEAD.replace("cap:1.2", f"cap:{version}")))
    assert caught.value.reason == f"cap-{version}"


def nested(depth: int) -> bytes:
    inside = '<s xmlns="http://www.w3.org/2000/09/xmldsig#">' + "<s>" * depth + "</s>" * depth + "</s>"
    return (HEAD + inside + "</alert>").encode()


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "not-xml"),
        (b"\0", "not-xml"),
        (b"<alert", "not-xml"),
        (message() + b"<x/>", "not-xml"),
        (b"<alert/>", "not-cap"),
        (b"<!DOCTYPE alert [<!ENTITY a 'b'>]>" + message(), "document-type"),
        (message().replace(b"Drone", b"&xxe;"), "not-xml"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?>' + message(), "encoding"),
        (message().replace(b"Drone", b"\xff"), "encoding"),
        (message().replace(b"Drone", b"D" * MAX_ALERT_BYTES), "too-large"),
        (nested(40), "too-deep"),
        (b"<a>" * 500, "not-xml"),
    ],
)
def test_what_is_no_message_is_refused_by_reason(data: bytes, rule: str) -> None:
    with pytest.raises(CapError) as caught:
        read_alert(data)
    assert caught.value.reason == rule


def test_utf_16_is_read() -> None:
    assert read_alert(message().decode().encode("utf-16")) == read_alert(message())


def test_something_signed_is_known() -> None:
    assert read_alert(nested(1)).signed
    assert not read_alert(message()).signed


# The round trip ------------------------------------------------------------------------------------

texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), min_size=1, max_size=30
).filter(lambda text: bool(text.strip()))
tokens = st.from_regex(r"[A-Za-z0-9@.:_-]{1,20}", fullmatch=True)
moments = st.integers(0, 4_000_000_000).map(cap_time)
degrees = st.integers(-90 * 10**6, 90 * 10**6).map(lambda micro: micro / 1e6)
points = st.builds(Point, degrees, degrees)
named = st.lists(st.builds(Named, texts, texts), max_size=3).map(tuple)
polygons = st.lists(points, min_size=3, max_size=6, unique=True).map(lambda corners: (*corners, corners[0]))
circles = st.builds(Circle, degrees, degrees, st.integers(0, 10**6).map(lambda metres: metres / 1000))
maybe = st.none() | texts
areas = st.builds(
    Area,
    description=texts,
    polygons=st.lists(polygons, max_size=2).map(tuple),
    circles=st.lists(circles, max_size=2).map(tuple),
    geocodes=named,
    altitude_ft=st.none() | st.integers(-1000, 60000).map(float),
)


def resource_of(description: str, content: bytes) -> Resource:
    return Resource(
        description=description,
        mime_type="application/octet-stream",
        size=len(content),
        deref_uri=base64.b64encode(content).decode(),
        digest=hashlib.sha1(content).hexdigest(),
    )


resources = st.builds(resource_of, texts, st.binary(min_size=1, max_size=20))
infos = st.builds(
    Info,
    language=st.sampled_from(["en", "en-US", "es"]),
    categories=st.lists(st.sampled_from(m.Category.__args__), min_size=1, max_size=3, unique=True).map(tuple),
    event=texts,
    urgency=st.sampled_from(m.Urgency.__args__),
    severity=st.sampled_from(m.Severity.__args__),
    certainty=st.sampled_from(m.Certainty.__args__),
    response_types=st.lists(st.sampled_from(m.ResponseType.__args__), max_size=2).map(tuple),
    audience=maybe, event_codes=named, effective=st.none() | moments, onset=st.none() | moments,
    sender_name=maybe, headline=maybe, description=maybe, instruction=maybe, contact=maybe,
    web=st.sampled_from([None, "https://example.org/a?b#c"]),
    parameters=named,
    resources=st.lists(resources, max_size=2).map(tuple),
    areas=st.lists(areas, max_size=2).map(tuple),
)  # fmt: skip
alerts = st.builds(
    CapAlert,
    identifier=tokens, sender=tokens, sent=moments,
    status=st.sampled_from(m.Status.__args__), msg_type=st.sampled_from(m.MsgType.__args__),
    scope=st.just("Restricted"), restriction=texts, source=maybe, note=texts, incidents=st.none() | tokens,
    codes=st.lists(texts, max_size=2).map(tuple),
    references=st.lists(st.builds(Reference, tokens, tokens, moments), min_size=1, max_size=3).map(tuple),
    infos=st.lists(infos, max_size=1).map(tuple),
)  # fmt: skip


@given(alert=alerts)
def test_what_is_written_reads_back_as_the_same(alert: CapAlert) -> None:
    if (alert.sender, alert.identifier) in [(r.sender, r.identifier) for r in alert.references]:
        return
    written = write_alert(alert)
    assert read_alert(written) == alert
    assert write_alert(read_alert(written)) == written


NOWHERE = Area(description="x", circles=(Circle(0.0, 0.0, float("nan")),))
GOOD = read_alert(message(more=f"<expires>{LATER}</expires>"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"identifier": "a b"}, "bad-identifier"),
        ({"sent": "2026-01-31T12:00:00Z"}, "bad-value"),
        ({"msg_type": "Cancel"}, "references-missing"),
        ({"restriction": None}, "restriction-missing"),
        ({"note": "\0"}, "not-xml"),
        ({"infos": (replace(GOOD.infos[0], areas=(NOWHERE,)),)}, "not-xml"),
        ({"infos": (replace(GOOD.infos[0], language="e n"),)}, "bad-value"),
    ],
)  # fmt: skip
def test_nothing_is_written_that_would_be_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(EncodeError) as caught:
        write_alert(replace(GOOD, **change))
    assert caught.value.reason == reason


@given(unix_s=st.floats(0, 4e9))
def test_times_keep_the_whole_second(unix_s: float) -> None:
    assert unix_seconds(cap_time(unix_s)) == int(unix_s)


@pytest.mark.parametrize(
    ("text", "unix_s"),
    [
        ("1970-01-01T00:00:00-00:00", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T19:00:00-05:00", 0),
        ("1970-01-01T24:00:00-00:00", 86400),
        ("2024-02-30T00:00:00-00:00", None),
        ("2024-02-28T00:00:00Z", None),
    ],
)
def test_times_are_read_with_their_offset(text: str, unix_s: int | None) -> None:
    assert unix_seconds(text) == unix_s


@pytest.mark.parametrize("unix_s", [-1.0, 1e12, float("nan"), float("inf")])
def test_times_that_cannot_be_written_are_refused(unix_s: float) -> None:
    with pytest.raises(ValueError, match="outside the years"):
        cap_time(unix_s)


@given(data=st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: message()[:200] + tail))
def test_no_bytes_do_more_than_be_refused(data: bytes) -> None:
    examined = examine(data)
    assert examined.good == (not any(not fault.advice for fault in examined.faults))
    assert all(isinstance(fault, Fault) and fault.line >= 1 for fault in examined.faults)
