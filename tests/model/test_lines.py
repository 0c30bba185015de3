"""Data lines: good ones are read, unknown keys kept and counted, bad ones named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model import Detection, InputError, Position, UnitReport
from vedette.model.lines import MOST_UNKNOWN, LineReader, dump_line

GOOD = b'{"time":1.5,"sensor":"odid-1","measure":{"kind":"position","lat_deg":1.0,"lon_deg":2.0}}'


def test_unknown_keys_are_kept_and_counted() -> None:
    reader = LineReader(Detection, "d.jsonl")
    line = GOOD.replace(b'"lon_deg":2.0', b'"lon_deg":2.0,"snr":9').replace(b'"time"', b'"site":"x","time"')
    (detection,) = reader.read([line])
    assert detection.extra == {"measure.snr": 9, "site": "x"}
    assert reader.unknown == {"measure.snr": 1, "site": 1}


def test_bad_line_is_named_with_its_number() -> None:
    with pytest.raises(InputError, match=r"d\.jsonl, line 2: not JSON"):
        list(LineReader(Detection, "d.jsonl").read([GOOD, b"{oops"]))


@pytest.mark.parametrize(
    "line",
    [
        b"[]",
        b"\xff\xfe",
        b'{"time":NaN}',
        b'{"time":1,"sensor":"s","measure":{"kind":"position","lat_deg":91,"lon_deg":0}}',
        b'{"time":1,"sensor":"s","measure":{"kind":"nonsense"}}',
        b'{"time":"now","sensor":"s","measure":{"kind":"empty-scan"}}',
        b'"' + b"x" * (1 << 20) + b'"',
    ],
)
def test_bad_lines_are_skipped_where_the_caller_asks(line: bytes) -> None:
    seen: list[int] = []
    reader = LineReader(Detection, "d.jsonl", lambda number, what: seen.append(number))
    assert len(list(reader.read([line, GOOD]))) == 1
    assert seen == [1]
    assert reader.bad == 1


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(time=finite, lat=st.floats(-90, 90), lon=st.floats(-180, 180), alt=st.none() | finite)
def test_round_trip_keeps_every_bit(time: float, lat: float, lon: float, alt: float | None) -> None:
    detection = Detection(time=time, sensor="s", measure=Position(lat_deg=lat, lon_deg=lon, alt_m=alt))
    assert LineReader(Detection, "x").parse(dump_line(detection)) == detection


@given(st.binary(max_size=200))
def test_random_bytes_never_crash(data: bytes) -> None:
    for kind in (Detection, UnitReport):
        reader = LineReader(kind, "x", lambda number, what: None)
        list(reader.read(data.split(b"\n")))


def test_extra_that_is_no_object_is_a_bad_line() -> None:
    line = GOOD.replace(b'"time"', b'"site":"x","extra":7,"time"')
    with pytest.raises(InputError, match="extra"):
        list(LineReader(Detection, "d.jsonl").read([line]))


def test_names_of_unknown_keys_are_bounded() -> None:
    reader = LineReader(Detection, "d.jsonl")
    lines = [GOOD.replace(b'"time"', b'"k%d":1,"time"' % number) for number in range(MOST_UNKNOWN + 5)]
    assert len(list(reader.read(lines))) == MOST_UNKNOWN + 5
    assert len(reader.unknown) == MOST_UNKNOWN + 1
    assert reader.unknown["other keys"] == 5
