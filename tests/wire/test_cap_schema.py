"""The reader is as strict as the OASIS schema: the same verdict as lxml's on samples and on mutants."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from msgspec.structs import replace

from vedette.wire.cap import CapError, examine, read_alert, write_alert
from vedette.wire.cap.schema import NAMESPACE

pytestmark = pytest.mark.field

VALUES = (
    "", " ", "\n", "x", "Actual", " Actual ", "actual", "Alert", "Update", "Public", "Restricted",
    "Shelter", "None", "AllClear", "Immediate", "Past", "Extreme", "Observed", "Very Likely", "CBRNE",
    "CBRN", "en", "en-US", "e n", "en_US", "-en", "a1", "abcdefghi", "en-abcdefghi", "en-1",
    "2024-02-29T12:00:00+00:00", "2023-02-29T12:00:00+00:00", " 2024-02-28T12:00:00-00:00\n",
    "2024-02-28T12:00:00Z", "2024-02-28T12:00:00", "2024-02-28T12:00:00.5+00:00",
    "2024-02-28T24:00:00+00:00", "2024-02-28T24:00:01+00:00", "2024-13-28T12:00:00+00:00",
    "2024-02-28T12:60:00+00:00", "2024-02-28T12:00:60+00:00", "2024-02-28T12:00:00+14:00",
    "2024-02-28T12:00:00+14:01", "2024-02-28T12:00:00-14:00", "2024-02-28T12:00:00,01:00",
    "0000-02-28T12:00:00+00:00", "0001-01-01T00:00:00+14:00", "2024-00-28T12:00:00+00:00",
    "2024-02-00T12:00:00+00:00", "2024-02-28T12:00:00+01:60", "٢٠٢٤-02-28T12:00:00+00:00", "1", "-1", "+1",
    " 1 ", "1.5", "1.", ".5", ".", "1e3", "--1", "0x1", "1_0", "١", "NaN", "INF", "00012", "9" * 24,
    "http://example.org/a?b#c", "http://exa mple.org", "http://[::1]/", "http://[::1", "a:b:c", ":a", "1:a",
    "//host:99999", "//host:port", "%41", "%4", "#a#b", "?a?b", "a/b:c", "é", "<>", "mailto:x@y",
    "urn:oasis:x", "http://h:/", "\u00a0", "\u00a01\u00a0", "a\u2028b",
)  # fmt: skip
NAMES = (
    "identifier", "sender", "sent", "status", "msgType", "source", "scope", "restriction", "addresses",
    "code", "note", "references", "incidents", "info", "language", "category", "event", "responseType",
    "urgency", "severity", "certainty", "audience", "eventCode", "valueName", "value", "effective", "onset",
    "expires", "senderName", "headline", "web", "parameter", "resource", "resourceDesc", "mimeType", "size",
    "uri", "derefUri", "digest", "area", "areaDesc", "polygon", "circle", "geocode", "altitude", "ceiling",
    "alert", "other",
)  # fmt: skip
FULL = f"""<alert xmlns="{NAMESPACE}"><identifier>a</identifier><sender>b</sender>
<sent>2024-02-28T12:00:00-00:00</sent><status>Actual</status><msgType>Alert</msgType><source>s</source>
<scope>Restricted</scope><restriction>r</restriction><addresses>x</addresses><code>1</code><code>2</code><note>n</note>
<references>b,z,2024-02-28T12:00:00-00:00</references><incidents>i</incidents><info><language>en</language>
<category>Security</category><category>Safety</category><event>e</event><responseType>Shelter</responseType>
<responseType>Monitor</responseType><urgency>Immediate</urgency><severity>Extreme</severity><certainty>Likely</certainty>
<audience>a</audience><eventCode><valueName>n</valueName><value>v</value></eventCode>
<effective>2024-02-28T12:00:00-00:00</effective><onset>2024-02-28T12:00:00-00:00</onset>
<expires>2024-02-28T12:01:00-00:00</expires><senderName>s</senderName><headline>h</headline>
<description>d</description><instruction>i</instruction><web>http://example.org/</web><contact>c</contact>
<parameter><valueName>n</valueName><value>v</value></parameter><resource><resourceDesc>r</resourceDesc>
<mimeType>text/plain</mimeType><size>4</size><uri>http://example.org/r</uri><derefUri>dGVzdA==</derefUri>
<digest>a94a8fe5ccb19ba61c4c0873d391e987982fbbd3</digest></resource><area><areaDesc>a</areaDesc>
<polygon>1,1 1,2 2,2 1,1</polygon><circle>1,1 1</circle>
<geocode><valueName>n</valueName><value>v</value></geocode>
<altitude>1.5</altitude><ceiling>20</ceiling></area></info></alert>""".encode()


@pytest.fixture(scope="module")
def schema(field_data: Path) -> etree.XMLSchema:
    """The schema of OASIS."""
    return etree.XMLSchema(etree.parse(field_data / "protocols" / "cap" / "CAP-v1.2.xsd"))


class Corpus(dict[str, bytes]):
    """The messages by name, which hypothesis need not print."""

    def __repr__(self) -> str:
        return f"<{len(self)} messages>"


@pytest.fixture(scope="module")
def samples(field_data: Path) -> Corpus:
    """All messages of the corpus, by name."""
    folder = field_data / "protocols" / "cap"
    files = [path for path in sorted(folder.rglob("*")) if path.suffix in (".xml", ".cap")]
    return Corpus((path.relative_to(folder).as_posix(), path.read_bytes()) for path in files)


def by_schema(schema: etree.XMLSchema, data: bytes) -> bool:
    """lxml's verdict; what is not well-formed is not valid."""
    try:
        return schema.validate(
            etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
        )
    except etree.XMLSyntaxError:
        return False


def test_the_full_message_is_good(schema: etree.XMLSchema) -> None:
    assert by_schema(schema, FULL)
    assert read_alert(write_alert(read_alert(FULL))) == read_alert(FULL)


def test_the_samples_get_the_schemas_verdict(schema: etree.XMLSchema, samples: Corpus) -> None:
    assert len(samples) == 16
    verdicts = {name: examine(data).conforms for name, data in samples.items()}
    assert verdicts == {name: by_schema(schema, data) and "xee" not in name for name, data in samples.items()}
    assert sum(verdicts.values()) == 10


VERDICTS = {
    "amber.xml": None, "google/43b080713727.cap": None, "google/australia.cap": None,
    "google/canada.cap": None,
    "google/thunderstorm.cap": None, "google/earthquake.cap": "cap-1.1", "google/noaa_errors.cap": "cap-1.1",
    "google/no_optional_fields.cap": "cap-1.1", "google/invalid.cap": "missing-element",
    "google/xee.cap": "document-type", "wmo/sc_valid.xml": None, "wmo/sc_no_signature.xml": None,
    "wmo/sc_invalid_certificate.xml": None, "wmo/sc_invalid_digest.xml": None,
    "wmo/sc_invalid_signature.xml": None, "wmo/sc_invalid_schema.xml": "not-cap",
}  # fmt: skip
"""Why each sample is refused; None = it is good as a message, whatever its signature is worth."""


def test_the_samples_are_good_or_refused_with_the_reason(samples: Corpus) -> None:
    faults = {name: [f for f in examine(data).faults if not f.advice] for name, data in samples.items()}
    assert {name: found[0].rule if found else None for name, found in faults.items()} == VERDICTS
    assert all(len(found) <= 1 for found in faults.values())


def test_good_samples_keep_their_meaning_when_written_anew(samples: Corpus) -> None:
    for name, verdict in VERDICTS.items():
        if verdict is None:
            alert = read_alert(samples[name])
            assert read_alert(write_alert(alert)) == replace(alert, signed=False)
            assert alert.signed == (name.startswith("wmo") and "no_signature" not in name)


def injure(root: etree._Element, chance: random.Random) -> None:
    """One small change to the tree."""
    elements = list(root.iter(etree.Element))
    element = chance.choice(elements)
    parent = element.getparent()
    match chance.randrange(10):
        case 0 if parent is not None:
            parent.remove(element)
        case 1 if parent is not None:
            parent.insert(
                chance.randrange(len(parent) + 1), etree.fromstring(etree.tostring(element, with_tail=False))
            )
        case 2 if parent is not None:
            parent.insert(chance.randrange(len(parent)), element)
        case 3 if parent is not None:
            element.tag = f"{{{NAMESPACE}}}{chance.choice(NAMES)}"
        case 4:
            etree.SubElement(element, f"{{{NAMESPACE}}}{chance.choice(NAMES)}").text = chance.choice(VALUES)
        case 5 if parent is not None:
            element.tag = f"{{urn:example:{chance.randrange(2)}}}{etree.QName(element).localname}"
        case 6:
            element.set(chance.choice(("a", "{http://www.w3.org/XML/1998/namespace}lang", "{urn:x}y")), "v")
        case 7:
            element.tail = chance.choice(VALUES)
        case 8:
            element.append(chance.choice((etree.Comment("c"), etree.ProcessingInstruction("p", "q"))))
        case _:
            element.text = chance.choice(VALUES)


@settings(max_examples=1500)
@given(seed=st.integers(0, 2**40))
def test_mutants_get_the_schemas_verdict(seed: int, schema: etree.XMLSchema, samples: Corpus) -> None:
    chance = random.Random(seed)
    good = [FULL, FULL, *(data for data in samples.values() if len(data) < 4096 and examine(data).conforms)]
    root = etree.fromstring(chance.choice(good))
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        injure(root, chance)
    data = etree.tostring(root)
    assert examine(data).conforms == by_schema(schema, data), data


@settings(max_examples=1000)
@given(name=st.sampled_from(NAMES), text=st.sampled_from(VALUES) | st.text(max_size=20))
def test_values_get_the_schemas_verdict(name: str, text: str, schema: etree.XMLSchema) -> None:
    root = etree.fromstring(FULL)
    element = root.find(f".//{{{NAMESPACE}}}{name}")
    if element is None or len(element):
        return
    try:
        element.text = text
    except ValueError:
        return
    data = etree.tostring(root)
    assert examine(data).conforms == by_schema(schema, data), (name, text)


URI_LETTERS = "aZ09-._~:/?#[]@!$&'()*+,;=%41 <>\"{}|\\^`é\t"


@settings(max_examples=3000)
@given(text=st.text(URI_LETTERS, max_size=14))
def test_an_address_that_is_taken_is_one_by_the_schema(text: str, schema: etree.XMLSchema) -> None:
    root = etree.fromstring(FULL)
    element = root.find(f".//{{{NAMESPACE}}}uri")
    assert element is not None
    element.text = text
    data = etree.tostring(root)
    assert not examine(data).conforms or by_schema(schema, data)


XML_SCHEMA = b"http://www.w3.org/2001/XMLSchema"
STRICTER = {
    "nil": FULL.replace(
        b"<note>n", b'<note xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="false">n'
    ),
    "type": FULL.replace(
        b"<note>",
        b'<note xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="http://www.w3.org/2001/XMLSchema"'
        b' i:type="x:string">',
    ),
    "root": f'<value xmlns="{NAMESPACE}">v</value>'.encode(),
    "latin": b'<?xml version="1.0" encoding="ISO-8859-1"?>' + FULL,
    "document type": b"<!DOCTYPE alert>" + FULL,
}


@pytest.mark.parametrize("name", STRICTER)
def test_where_the_reader_is_stricter_than_the_schema(name: str, schema: etree.XMLSchema) -> None:
    assert not examine(STRICTER[name]).conforms
    with pytest.raises(CapError):
        read_alert(STRICTER[name])


def test_schema_locations_are_read_over() -> None:
    hint = b'<alert xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="a b"'
    assert examine(FULL.replace(b"<alert", hint, 1)).good
