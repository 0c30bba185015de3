"""ASTERIX datagrams: every category there and back, refusals, and what an attacker may send."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.wire.asterix import (
    MAX_DATAGRAM_BYTES,
    MAX_RECORDS,
    AsterixError,
    AsterixMessage,
    DirectionReport,
    IncsReport,
    Message,
    RadarService,
    RadarTarget,
    SystemTrack,
    UasIdentification,
    decode,
    decode_block,
    encode,
    preload,
    summary,
)
from vedette.wire.asterix.specification import specification
from vedette.wire.asterix.tables import CATEGORIES, Field

NM = 1852.0
PLOT = RadarTarget(
    sac=25,
    sic=201,
    time_of_day_s=100.0,
    plot_type=1,
    simulated=False,
    fixed_transponder=False,
    range_m=10 * NM,
    azimuth_deg=90.0,
)
NORTH = RadarService(sac=25, sic=201, time_of_day_s=100.5, message_type=1, rotation_period_s=4.0)
TRACK = SystemTrack(sac=1, sic=2, time_of_day_s=7.0, track_number=9, lat_deg=45.0, lon_deg=-90.0)
BEARING = DirectionReport(
    sac=3, sic=4, message_type=5, azimuth_deg=123.25, elevation_deg=-1.5, channel="118.025"
)
INCS = IncsReport(sac=5, sic=6, message_type=1, azimuth_deg=45.0, elevation_deg=22.5, range_m=1000.0)


def values(field: Field) -> st.SearchStrategy[object]:
    """What this field may hold, well inside of what every item of the name can carry."""
    if field.flag:
        return st.booleans()
    if field.name == "callsign":
        return st.text("ABCXYZ0189", min_size=1, max_size=8)
    if field.name == "channel":
        return st.text("0123456789.", min_size=1, max_size=7)
    if field.name == "conditions":
        return st.lists(st.integers(0, 127), min_size=1, max_size=4).map(tuple)
    if field.name == "classification":
        pair = st.tuples(st.integers(0, 511), st.integers(0, 100))
        return st.lists(pair, min_size=1, max_size=4).map(tuple)
    if field.name in INTEGERS:
        return st.integers(int(max(field.low, 0)), int(min(field.high, 7)))
    return st.floats(max(field.low, 0.0), min(field.high, field.below, 40.0), exclude_max=True)


INTEGERS = {
    "sac", "sic", "plot_type", "message_type", "track_number", "address", "arrangement", "taxonomy", "number",
    "report_number", "quality", "sensor", "signal_quality",
}  # fmt: skip


@st.composite
def messages(draw: st.DrawFn, category: int) -> Message:
    """A message of a category with every field of its table."""
    table = CATEGORIES[category]
    drawn = {field.name: draw(values(field)) for field in table.fields}
    if "arrangement" in drawn:
        drawn["arrangement"] = draw(st.integers(0, 3))
        drawn["taxonomy"] = draw(st.integers(0, 3))
    message = table.message(**drawn)
    assert isinstance(message, AsterixMessage)
    return message  # type: ignore[return-value]


@pytest.mark.parametrize("category", sorted(CATEGORIES))
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_what_is_written_reads_back_within_a_step_and_then_exactly(
    category: int, data: st.DataObject
) -> None:
    message = data.draw(messages(category))
    once = decode(encode([message]))
    assert once.rejected == ()
    assert decode(encode(once.messages)) == once
    for field in CATEGORIES[category].fields:
        sent, got = getattr(message, field.name), getattr(once.messages[0], field.name)
        if isinstance(sent, float) and field.turn:
            assert abs((got - sent + 180.0) % 360.0 - 180.0) <= 0.71, field.name
        elif isinstance(sent, float):
            assert got == pytest.approx(sent, abs=50.0 if field.name == "uncertainty_m" else 8.0), field.name
        else:
            assert got == sent, field.name


@pytest.mark.parametrize("message", [PLOT, NORTH, TRACK, BEARING, INCS])
def test_what_was_not_sent_is_unknown(message: Message) -> None:
    (got,) = decode(encode([message])).messages
    assert known(got) == known(message)
    assert not any(getattr(got, name) is True for name in got.__struct_fields__)


def known(message: Message) -> set[str]:
    """The fields with a value, but for flags: these share bytes with others and are sent with them."""
    filled = {name: getattr(message, name) for name in message.__struct_fields__}
    return {name for name, value in filled.items() if value is not None and not isinstance(value, bool)}


def test_the_bytes_of_a_plot_are_those_of_the_standard() -> None:
    # FSPEC 1111 0000: 010, 140, 020, 040; 100 s = 12800/128; TYP 001; 10 NM = 2560/256; 90 degrees = 0x4000.
    assert encode([PLOT]).hex(" ") == "30 00 0e f0 19 c9 00 32 00 20 0a 00 40 00"


def test_neighbours_of_one_category_share_a_block() -> None:
    data = encode([PLOT, PLOT, NORTH, BEARING, BEARING])
    assert decode(data).messages == (PLOT, PLOT, NORTH, BEARING, BEARING)
    at, categories = 0, []
    while at < len(data):
        categories.append(data[at])
        at += int.from_bytes(data[at + 1 : at + 3])
    assert categories == [48, 34, 205, 205]


def test_good_blocks_are_used_and_bad_ones_counted() -> None:
    damaged = bytearray(encode([TRACK]))
    damaged[3] |= 0x40  # the spare item of the list of items
    data = encode([PLOT]) + b"\x41\x00\x05\x80\x01" + bytes(damaged) + b"\x30\x00\x03" + encode([NORTH])
    got = decode(data)
    assert got.messages == (PLOT, NORTH)
    assert [(r.reason, r.category) for r in got.rejected] == [
        ("category", 65),
        ("edition", 62),
        ("empty-block", 48),
    ]
    assert summary([got]) == {
        "cat034": 1,
        "cat048": 1,
        "rejected:category": 1,
        "rejected:edition": 1,
        "rejected:empty-block": 1,
    }


def test_one_impossible_record_takes_its_block_with_it() -> None:
    good = encode([TRACK])[3:]
    # FSPEC 1001 1001: 010, 070, 105 and, behind FX, 040 - and a latitude of 91 degrees.
    bad = bytearray(good)
    latitude = round(91.0 / (180.0 / (1 << 25)))
    at = bytes(good).index(round(45.0 / (180.0 / (1 << 25))).to_bytes(4))
    bad[at : at + 4] = latitude.to_bytes(4)
    block = bytes((62,)) + (3 + len(good) + len(bad)).to_bytes(2) + good + bytes(bad)
    got = decode(block)
    assert got.messages == ()
    assert got.rejected[0].reason == "range"
    assert "lat_deg 91 is outside -90 to 90" in got.rejected[0].message


@pytest.mark.parametrize(
    ("block", "reason"),
    [
        ("30000a e0 19c9 a8c000 20", "range"),  # 86400 s
        ("22000a e0 19c9 00 003200", "range"),  # 034: message type 0
        ("30000b f0 19c9 003200 20 01", "edition"),  # ends within 040
        ("300006 80 19c9", "missing-item"),  # no 020
        ("300005 40 00", "edition"),
        ("3e0006 80 0102", "missing-item"),  # no track number
        ("300008 01 01 01 01 01", "edition"),  # an endless list of items
    ],
)
def test_a_block_that_cannot_be_right_is_refused_with_a_reason(block: str, reason: str) -> None:
    with pytest.raises(AsterixError) as refused:
        decode_block(bytes.fromhex(block))
    assert refused.value.reason == reason


def test_a_bearing_beyond_a_turn_is_refused_and_a_full_turn_is_north() -> None:
    data = encode([DirectionReport(sac=3, sic=4, message_type=5, azimuth_deg=90.0)])
    at = data.index((9000).to_bytes(2))
    turned = data[:at] + (36000).to_bytes(2) + data[at + 2 :]
    beyond = data[:at] + (36001).to_bytes(2) + data[at + 2 :]
    (north,) = decode(turned).messages
    assert isinstance(north, DirectionReport)
    assert north.azimuth_deg == 0.0
    assert [r.reason for r in decode(beyond).rejected] == ["range"]


def test_a_callsign_with_an_undefined_character_is_unknown_not_shortened() -> None:
    data = encode([msgspec.structs.replace(PLOT, callsign="AAAAAAAA")])
    spoilt = data[:-6] + (int.from_bytes(data[-6:]) & ~(0x3F << 24)).to_bytes(6)
    (got,) = decode(spoilt).messages
    assert got == PLOT


def test_no_datagram_is_too_short_or_too_long_to_be_answered() -> None:
    for data in (b"", b"\x30", b"\x30\x00", bytes(MAX_DATAGRAM_BYTES + 1)):
        got = decode(data)
        assert got.messages == ()
        assert [r.reason for r in got.rejected] == ["datagram"]


def test_a_false_length_refuses_the_rest_only() -> None:
    got = decode(encode([PLOT]) + b"\x30\xff\xff" + encode([PLOT]))
    assert got.messages == (PLOT,)
    assert [(r.reason, r.offset) for r in got.rejected] == [("block-length", len(encode([PLOT])))]


def test_work_per_datagram_is_bounded() -> None:
    record = encode([RadarTarget(sac=1, sic=1, plot_type=1)])[3:]
    many = bytes((48,)) + (3 + len(record) * (MAX_RECORDS + 1)).to_bytes(2) + record * (MAX_RECORDS + 1)
    assert [r.reason for r in decode(many).rejected] == ["too-many-records"]
    assert decode(many).messages == ()
    flood = decode(b"\x30\x00\x03" * 20_000)
    assert len(flood.rejected) == 100
    assert sum(r.length for r in flood.rejected) == 60_000


def test_refused_records_use_up_the_budget_too() -> None:
    record = encode([RadarTarget(sac=1, sic=1, plot_type=1)])[3:]
    payload = record * 600 + b"\x80"
    block = bytes((48,)) + (3 + len(payload)).to_bytes(2) + payload
    assert [r.reason for r in decode(block * 2).rejected] == ["edition", "too-many-records"]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (msgspec.structs.replace(PLOT, range_m=300 * NM), "range"),
        (msgspec.structs.replace(PLOT, range_m=-1.0), "range"),
        (msgspec.structs.replace(PLOT, range_m=float("nan")), "range"),
        (msgspec.structs.replace(PLOT, doppler_mps=float("inf")), "range"),
        (msgspec.structs.replace(PLOT, doppler_mps=600.0), "range"),
        (msgspec.structs.replace(PLOT, azimuth_deg=None), "missing-item"),
        (msgspec.structs.replace(PLOT, sac=256), "range"),
        (msgspec.structs.replace(PLOT, time_of_day_s=86_400.0), "range"),
        (msgspec.structs.replace(PLOT, callsign="TOO-LONG-1"), "text"),
        (msgspec.structs.replace(PLOT, callsign="abc"), "text"),
        (msgspec.structs.replace(PLOT, conditions=()), "range"),
        (msgspec.structs.replace(PLOT, conditions=(128,)), "range"),
        (msgspec.structs.replace(BEARING, channel="Kanäle"), "text"),
        (msgspec.structs.replace(NORTH, lat_deg=1.0, lon_deg=2.0), "missing-item"),
        (msgspec.structs.replace(TRACK, lat_deg=90.5), "range"),
    ],
)
def test_what_asterix_cannot_carry_is_refused(message: Message, reason: str) -> None:
    with pytest.raises(AsterixError) as refused:
        encode([message])
    assert refused.value.reason == reason


def test_nothing_to_send_is_refused() -> None:
    with pytest.raises(AsterixError, match="0"):
        encode([])


def test_the_last_instant_of_a_day_and_of_a_turn_stay_there() -> None:
    late = msgspec.structs.replace(PLOT, time_of_day_s=86_399.9999, azimuth_deg=359.9999)
    (got,) = decode(encode([late])).messages
    assert isinstance(got, RadarTarget)
    assert got.time_of_day_s == 86_400.0 - 1 / 128
    assert got.azimuth_deg == 0.0


def test_categories_share_a_datagram_with_uas_identification() -> None:
    uas = UasIdentification(sac=0, sic=0, country="FR", lat_deg=45.0, lon_deg=-22.5, time_of_day_s=1.0)
    assert decode(encode([PLOT, uas, uas])).messages == (PLOT, uas, uas)


@given(st.binary(max_size=80), st.sampled_from([15, 34, 48, 62, 129, 205]))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_possible_messages_or_a_reason(payload: bytes, category: int) -> None:
    got = decode(bytes((category,)) + (3 + len(payload)).to_bytes(2) + payload)
    assert bool(got.messages) != bool(got.rejected)
    for message in got.messages:
        assert message.time_of_day_s is None or 0 <= message.time_of_day_s < 86_400
        lat = getattr(message, "lat_deg", None)
        assert lat is None or -90 <= lat <= 90
        assert decode(encode([message])).messages == (message,)


def test_after_preload_no_category_is_loaded_any_more() -> None:
    preload()
    loaded = specification.cache_info().misses
    assert decode(encode([PLOT, NORTH, TRACK, BEARING, INCS])).messages
    assert specification.cache_info().misses == loaded
    assert specification.cache_info().currsize == len(CATEGORIES)
