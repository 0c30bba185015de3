"""What receivers put out: SBS lines and aircraft.json, in the old and in the new names."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.wire.adsb import (
    AdsbEncodeError,
    AdsbError,
    SbsMessage,
    SbsSplitter,
    read_aircraft_json,
    read_sbs,
    write_sbs,
)
from vedette.wire.adsb.sbs import MAX_LINE_BYTES

POSITION = (
    "MSG,3,1,1,780A5C,1,2018/04/03,19:02:28.298,2018/04/10,21:24:39.437,,33000,,,59.94364,35.08730,,,0,,-1,0"
)


def test_a_position_line():
    assert read_sbs(POSITION) == SbsMessage(
        transmission=3,
        address=0x780A5C,
        generated=("2018/04/03", "19:02:28.298"),
        logged=("2018/04/10", "21:24:39.437"),
        altitude_ft=33000.0,
        lat_deg=59.94364,
        lon_deg=35.0873,
        alert=False,
        ident=True,
        on_ground=False,
    )


@pytest.mark.parametrize("line", ["AIR,,1,1,ABCDEF,1", "STA,,5,179,400AE7,10103,RM", "CLK,,1,1"])
def test_lines_about_the_display_are_no_messages(line):
    assert read_sbs(line) is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "not-sbs"),
        ("HTTP/1.1 200 OK", "not-sbs"),
        ("MSG,3,1,1,780A5C", "field-count"),
        (POSITION + ",1", "field-count"),
        (POSITION.replace("MSG,3", "MSG,9"), "transmission"),
        (POSITION.replace("780A5C", "780A5"), "address"),
        (POSITION.replace("780A5C", "780A5G"), "address"),
        (POSITION.replace("59.94364", "91"), "range"),
        (POSITION.replace("59.94364", "nan"), "range"),
        (POSITION.replace("35.08730", "-inf"), "range"),
        (POSITION.replace("33000", "1e9"), "range"),
        (POSITION.replace("33000", "high"), "range"),
        (POSITION.replace(",-1,0", ",yes,0"), "flag"),
        (POSITION.replace("2018/04/03", "03.04.2018"), "time"),
        (POSITION.replace("35.08730,,,", "35.08730,,9999,"), "squawk"),
    ],
)
def test_a_broken_line_is_refused_with_a_reason(line, reason):
    with pytest.raises(AdsbError) as caught:
        read_sbs(line)
    assert caught.value.reason == reason


def test_half_a_position_is_none():
    message = read_sbs(POSITION.replace("35.08730", ""))
    assert (message.lat_deg, message.lon_deg) == (None, None)


flags = st.none() | st.booleans()
places = st.none() | st.tuples(
    st.integers(-900_000_000, 900_000_000), st.integers(-1_800_000_000, 1_800_000_000)
)
clocks = st.none() | st.just(("2026/11/22", "12:00:00.000"))
sbs_messages = st.builds(
    lambda place, **rest: SbsMessage(
        lat_deg=None if place is None else place[0] / 1e7,
        lon_deg=None if place is None else place[1] / 1e7,
        **rest,
    ),
    places,
    transmission=st.integers(1, 8),
    address=st.integers(0, 0xFFFFFF),
    address_is_icao=st.booleans(),
    generated=clocks,
    logged=clocks,
    callsign=st.none() | st.from_regex(r"\A[A-Z0-9]{1,8}\Z"),
    altitude_ft=st.none() | st.integers(-1000, 60000).map(float),
    speed_kt=st.none() | st.integers(0, 2000).map(float),
    track_deg=st.none() | st.integers(0, 3599).map(lambda n: n / 10.0),
    vertical_fpm=st.none() | st.integers(-9000, 9000).map(float),
    squawk=st.none() | st.from_regex(r"\A[0-7]{4}\Z"),
    alert=flags,
    emergency=flags,
    ident=flags,
    on_ground=flags,
)


@given(sbs_messages)
def test_sbs_round_trip(message):
    assert read_sbs(write_sbs(message)) == message


@pytest.mark.parametrize(
    "message",
    [
        SbsMessage(9, 1),
        SbsMessage(3, 1 << 24),
        SbsMessage(3, 1, callsign="A,B"),
        SbsMessage(3, 1, callsign="A\nMSG"),
        SbsMessage(3, 1, lat_deg=91.0, lon_deg=0.0),
        SbsMessage(3, 1, altitude_ft=float("nan")),
    ],
)
def test_an_impossible_line_is_not_written(message):
    with pytest.raises(AdsbEncodeError):
        write_sbs(message)


@settings(deadline=None)
@given(st.lists(sbs_messages, max_size=5), st.data())
def test_cut_lines_change_nothing(messages, data):
    stream = b"".join(write_sbs(message).encode() + b"\r\n" for message in messages)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    splitter, found = SbsSplitter(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += splitter.feed(stream[start:end])
    assert found == messages
    assert (splitter.counters.messages, splitter.counters.refused) == (len(messages), {})


def test_a_line_without_end_is_bounded_and_counted():
    splitter = SbsSplitter()
    for _ in range(100):
        assert splitter.feed(b"M" * 500) == []
        assert len(splitter._rest) <= MAX_LINE_BYTES
    found = splitter.feed(b"\n" + POSITION.encode() + b"\nCLK,,1\n\xff\n\r\n")
    assert [message.address for message in found] == [0x780A5C]
    assert splitter.counters.refused == {"too-long": 1, "not-ascii": 1}
    assert splitter.counters.display == 1


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    for line in (text, POSITION[:20] + text):
        with contextlib.suppress(AdsbError):
            assert read_sbs(line) is None or line.lstrip().startswith("MSG")


def table(*entries, **extra):
    return json.dumps({"now": 1.79e9, "messages": 5, "aircraft": list(entries)} | extra).encode()


def test_the_old_names():
    entry = {
        "hex": "4242e5", "squawk": "2124", "flight": "AFL030  ", "lat": 59.41658, "lon": 31.218475, "nucp": 7,
        "seen_pos": 3.3, "altitude": 9050, "vert_rate": -640, "track": 316, "speed": 253, "category": "A3",
        "mlat": [], "tisb": [], "messages": 684, "seen": 3.3, "rssi": -21.0,
    }  # fmt: skip
    (found,) = read_aircraft_json(table(entry)).aircraft
    assert (found.address, found.address_is_icao, found.callsign) == (0x4242E5, True, "AFL030")
    assert (found.altitude_baro_ft, found.ground_speed_kt, found.vertical_fpm) == (9050.0, 253.0, -640.0)
    assert (found.position_from, found.velocity_from, found.on_ground) == ("ads-b", "ads-b", False)
    assert (found.nuc_p, found.nic, found.position_age_s, found.rssi_dbfs) == (7, None, 3.3, -21.0)


def test_the_new_names():
    entry = {
        "hex": "~2a4d5e", "type": "tisb_other", "alt_baro": "ground", "alt_geom": 1200, "gs": 12.5,
        "track": 91.4, "geom_rate": 64, "lat": 48.0, "lon": 11.0, "nic": 8, "rc": 186,
        "nac_p": 9, "sil": 3, "version": 2,
        "seen": 0.1,
    }  # fmt: skip
    (found,) = read_aircraft_json(table(entry)).aircraft
    assert (found.address_is_icao, found.position_from) == (False, "tis-b")
    assert (found.on_ground, found.altitude_baro_ft, found.altitude_ellipsoid_ft) == (True, None, 1200.0)
    assert (found.ground_speed_kt, found.vertical_fpm, found.containment_m) == (12.5, 64.0, 186.0)
    assert (found.nic, found.nac_p, found.sil, found.version) == (8, 9, 3, 2)


def test_a_position_by_multilateration_says_so():
    entry = {"hex": "4242e5", "lat": 48.0, "lon": 11.0, "gs": 100, "mlat": ["lat", "lon"], "tisb": []}
    (found,) = read_aircraft_json(table(entry)).aircraft
    assert (found.position_from, found.velocity_from) == ("mlat", "ads-b")


def test_what_is_absent_is_unknown():
    (found,) = read_aircraft_json(table({"hex": "abcdef", "lat": 1.0, "rc": 0})).aircraft
    assert (found.lat_deg, found.lon_deg, found.position_from) == (None, None, "unsaid")
    assert (found.on_ground, found.altitude_baro_ft, found.age_s, found.containment_m) == (None,) * 4


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (5, "entry"),
        ({}, "hex"),
        ({"hex": "xyz"}, "hex"),
        ({"hex": "abcdef", "lat": "48"}, "lat"),
        ({"hex": "abcdef", "lat": 91}, "lat"),
        ({"hex": "abcdef", "lon": True}, "lon"),
        ({"hex": "abcdef", "gs": -1}, "gs"),
        ({"hex": "abcdef", "alt_baro": "high"}, "alt_baro"),
        ({"hex": "abcdef", "flight": "A\n"}, "flight"),
        ({"hex": "abcdef", "nic": 8.5}, "nic"),
        ({"hex": "abcdef", "seen": -1}, "seen"),
        ({"hex": 10**2000, "seen": 1}, "hex"),
        ({"hex": "abcdef", "lat": 10**2000}, "lat"),
        ({"hex": "abcdef", "lon": [10**2000]}, "lon"),
        ({"hex": "abcdef", "messages": 10**2000}, "messages"),
    ],
)
def test_a_broken_entry_is_counted_and_the_others_stand(entry, reason):
    found = read_aircraft_json(table(entry, {"hex": "000001"}))
    assert found.refused == {reason: 1}
    assert [aircraft.address for aircraft in found.aircraft] == [1]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not-json"),
        (b"\xff", "not-json"),
        (b"[" * 100_000, "not-json"),
        (b"[]", "aircraft"),
        (b'{"aircraft":[]}', "now"),
        (b'{"now":"1","aircraft":[]}', "now"),
        (b'{"now":0,"aircraft":[]}', "now"),
        (b'{"now":1,"aircraft":{}}', "aircraft"),
        (b" " * ((16 << 20) + 1), "too-large"),
    ],
    ids=["empty", "bytes", "deep", "list", "no-now", "text-now", "zero-now", "object", "large"],
)
def test_a_broken_document_is_refused_with_a_reason(data, reason):
    with pytest.raises(AdsbError) as caught:
        read_aircraft_json(data)
    assert caught.value.reason == reason


names = st.sampled_from(["hex", "lat", "lon", "alt_baro", "altitude", "gs", "mlat", "type", "flight", "rc"])
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.just("abcdef"),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)


@settings(deadline=None)
@given(st.lists(st.dictionaries(names, values, max_size=8), max_size=4))
def test_any_entries_are_read_or_counted(entries):
    found = read_aircraft_json(table(*entries))
    assert len(found.aircraft) + sum(found.refused.values()) == len(entries)


SPELLINGS = {
    "new": {"altitude_baro_ft": "alt_baro", "ground_speed_kt": "gs", "vertical_fpm": "baro_rate"},
    "old": {"altitude_baro_ft": "altitude", "ground_speed_kt": "speed", "vertical_fpm": "vert_rate"},
}
stated = st.fixed_dictionaries(
    {"lat_deg": st.floats(-90.0, 90.0), "lon_deg": st.floats(-180.0, 180.0)},
    optional={
        "altitude_baro_ft": st.floats(-10_000.0, 200_000.0),
        "ground_speed_kt": st.floats(0.0, 5_000.0),
        "vertical_fpm": st.floats(-100_000.0, 100_000.0),
        "track_deg": st.floats(0.0, 360.0),
        "age_s": st.floats(0.0, 1e9),
        "position_age_s": st.floats(0.0, 1e9),
        "nic": st.integers(0, 15),
        "nac_p": st.integers(0, 15),
        "sil": st.integers(0, 3),
        "rssi_dbfs": st.floats(-200.0, 100.0),
    },
)
PLAIN = {
    "lat_deg": "lat", "lon_deg": "lon", "track_deg": "track", "age_s": "seen", "position_age_s": "seen_pos",
    "rssi_dbfs": "rssi",
}  # fmt: skip


@pytest.mark.parametrize("spelling", sorted(SPELLINGS))
@given(address=st.integers(0, 0xFFFFFF), is_icao=st.booleans(), fields=stated)
def test_what_a_receiver_writes_is_read_and_the_rest_is_unknown(spelling, address, is_icao, fields):
    keys = PLAIN | SPELLINGS[spelling]
    entry = {keys.get(name, name): value for name, value in fields.items()}
    (found,) = read_aircraft_json(table(entry | {"hex": f"{'' if is_icao else '~'}{address:06x}"})).aircraft
    assert (found.address, found.address_is_icao) == (address, is_icao)
    for name in {*PLAIN, *SPELLINGS[spelling], "nic", "nac_p", "sil"}:
        assert getattr(found, name) == fields.get(name), name
    assert found.on_ground == (False if "altitude_baro_ft" in fields else None)
