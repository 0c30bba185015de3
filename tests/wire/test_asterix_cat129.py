"""CAT129: there and back, and the refusals. What the standard's text leaves open is not asserted."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.wire.asterix import AsterixError, UasIdentification, decode_block, encode

FULL = UasIdentification(
    sac=0,
    sic=0,
    time_of_day_s=43_200.5,
    manufacturer="ABC",
    model="XY",
    serial=b"0123456789\x00\xff",
    country="FR",
    lat_deg=48.0,
    lon_deg=-2.0,
    altitude_msl_m=120.5,
    height_agl_m=60.0,
    accuracy_m=12.0,
    east_mps=3.0,
    north_mps=-1.5,
    climb_mps=-0.25,
)


def block(payload: bytes) -> bytes:
    return b"\x81" + (3 + len(payload)).to_bytes(2) + payload


def assert_close(got: UasIdentification, sent: UasIdentification) -> None:
    for name in sent.__struct_fields__:
        value = getattr(sent, name)
        if isinstance(value, float):
            step = 0.51 if name == "accuracy_m" else 0.051
            assert getattr(got, name) == pytest.approx(value, abs=step), name
        else:
            assert getattr(got, name) == value, name


def test_a_full_report_goes_there_and_back() -> None:
    (got,) = decode_block(encode([FULL]))
    assert isinstance(got, UasIdentification)
    assert_close(got, FULL)
    assert got.lat_deg == pytest.approx(48.0, abs=1e-7)
    assert decode_block(encode([got])) == [got]


@given(
    st.builds(
        UasIdentification,
        sac=st.integers(0, 255),
        sic=st.integers(0, 255),
        time_of_day_s=st.none() | st.floats(0, 86_400, exclude_max=True),
        manufacturer=st.none() | st.text("ABC123", min_size=1, max_size=3),
        serial=st.none() | st.binary(min_size=12, max_size=12),
        altitude_msl_m=st.none() | st.floats(-1000, 50_000),
        height_agl_m=st.none() | st.floats(-1000, 50_000),
        accuracy_m=st.none() | st.floats(1, 65_535),
        climb_mps=st.none() | st.floats(-5242, 5242),
    ),
    st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
    st.none() | st.tuples(st.floats(-5242, 5242), st.floats(-5242, 5242)),
)
def test_any_report_goes_there_and_back(
    base: UasIdentification, place: tuple[float, float] | None, speed: tuple[float, float] | None
) -> None:
    lat, lon = place or (None, None)
    east, north = speed or (None, None)
    sent = msgspec.structs.replace(base, lat_deg=lat, lon_deg=lon, east_mps=east, north_mps=north)
    (got,) = decode_block(encode([sent]))
    assert isinstance(got, UasIdentification)
    assert_close(got, sent)


def test_the_least_report_leaves_the_rest_unknown() -> None:
    least = UasIdentification(sac=7, sic=9)
    assert encode([least]) == block(b"\x80\x07\x09")
    assert decode_block(block(b"\x80\x07\x09")) == [least]


def test_items_that_are_not_read_are_stepped_over() -> None:
    # 010, 015 and, in the second byte of the list, 120 and SP; then 220 as the third byte's first.
    payload = (
        b"\xc1\x0d\x80" + b"\x07\x09" + b"\x01\x02" + b"\x55\xaa\xbb" + b"\x03\xee\xee" + b"\x00\x00\x64"
    )
    (got,) = decode_block(block(payload))
    assert got == UasIdentification(sac=7, sic=9, climb_mps=1.0)


def test_an_accuracy_of_zero_is_unknown() -> None:
    (got,) = decode_block(block(b"\x81\x10\x07\x09\x00\x00"))
    assert got == UasIdentification(sac=7, sic=9)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\x80\x07", "edition"),  # ends within 010
        (b"\x80\x07\x09\x00", "edition"),  # more than one record
        (b"\x81\x01\x40\x07\x09", "edition"),  # a reserved item
        (b"\x81\x01\x01\x80\x07\x09", "edition"),  # a list of items of four bytes
        (b"\x81\x04\x07\x09\x00", "edition"),  # a special purpose field of no length
        (b"\x81\x04\x07\x09", "edition"),
        (b"\x40\x01\x02", "missing-item"),
        (b"\x00", "missing-item"),
        (b"\x82\x07\x09\xa8\xc0\x00", "range"),  # 86400 s
        (b"\x81\x80\x07\x09" + (1 << 30).to_bytes(4) + bytes(4), "range"),  # latitude 180
        (b"\xa0\x07\x09A\x01B", "text"),
    ],
)
def test_a_record_that_cannot_be_right_is_refused(payload: bytes, reason: str) -> None:
    with pytest.raises(AsterixError) as refused:
        decode_block(block(payload))
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"lat_deg": 91.0}, "range"),
        ({"lat_deg": float("nan")}, "range"),
        ({"lon_deg": None}, "missing-item"),
        ({"north_mps": None}, "missing-item"),
        ({"east_mps": 6000.0}, "range"),
        ({"climb_mps": float("nan")}, "range"),
        ({"climb_mps": float("inf")}, "range"),
        ({"accuracy_m": 0.0}, "range"),
        ({"sac": 256}, "range"),
        ({"time_of_day_s": 86_400.0}, "range"),
        ({"manufacturer": "LONG"}, "text"),
        ({"country": "Ö"}, "text"),
        ({"serial": b"short"}, "text"),
    ],
)
def test_what_does_not_fit_is_not_sent(change: dict[str, object], reason: str) -> None:
    with pytest.raises(AsterixError) as refused:
        encode([msgspec.structs.replace(FULL, **change)])
    assert refused.value.reason == reason
