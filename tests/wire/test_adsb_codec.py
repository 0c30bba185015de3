"""Extended squitters, parity, altitude and CPR: published examples, round trips, refusals."""

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vedette.wire.adsb import (
    AdsbEncodeError,
    AdsbError,
    AirbornePosition,
    AirVelocity,
    GroundVelocity,
    Identification,
    OperationalStatus,
    Other,
    Parity,
    Place,
    Source,
    Squitter,
    SurfacePosition,
    adsb,
    containment_radius_m,
    cpr,
    decode,
    decode_message,
    encode,
    judge,
    position_accuracy_m,
)
from vedette.wire.adsb.altitude import altitude_code, altitude_ft
from vedette.wire.adsb.parity import GENERATOR, crc24, remainder
from vedette.wire.adsb.resolver import distance_m
from vedette.wire.adsb.squitter import CHARACTERS
from vedette.wire.adsb.surface_speed import SPEEDS_KT, movement_code, speed_kt

# Worked examples of J. Sun, "The 1090 Megahertz Riddle", 2nd edition, chapters 3 to 6.
IDENT = bytes.fromhex("8D4840D6202CC371C32CE0576098")
EVEN = bytes.fromhex("8D40621D58C382D690C8AC2863A7")
ODD = bytes.fromhex("8D40621D58C386435CC412692AD6")
GROUND = bytes.fromhex("8D485020994409940838175B284F")
AIR = bytes.fromhex("8DA05F219B06B6AF189400CBC33F")


def test_published_identification():
    assert decode(IDENT) == adsb(0x4840D6, Identification("A0", "KLM1023"))


def test_published_positions():
    even, odd = decode(EVEN).message, decode(ODD).message
    assert (even.lat_cpr, even.lon_cpr, even.odd) == (93000, 51372, False)
    assert (odd.lat_cpr, odd.lon_cpr, odd.odd) == (74158, 50194, True)
    assert even.altitude_ft == 38000.0
    pair = (even.lat_cpr, even.lon_cpr), (odd.lat_cpr, odd.lon_cpr)
    place = cpr.decode_global(*pair, newest_odd=False)
    assert place == pytest.approx((52.2572021484375, 3.91937255859375), abs=1e-9)
    nearby = cpr.decode_local(93000, 51372, False, Place(52.258, 3.918))
    assert nearby == pytest.approx(place, abs=1e-9)


def test_published_velocities():
    ground = decode(GROUND).message
    assert (ground.east_kt, ground.north_kt) == (-8.0, -159.0)
    assert (ground.vertical_fpm, ground.vertical_is_barometric) == (-832.0, False)
    assert ground.height_minus_baro_ft == 550.0
    air = decode(AIR).message
    assert air.heading_deg == pytest.approx(243.984375)
    assert (air.airspeed_kt, air.airspeed_is_true) == (375.0, True)
    assert (air.vertical_fpm, air.vertical_is_barometric) == (-2304.0, True)


@pytest.mark.parametrize("frame", [IDENT, EVEN, ODD, GROUND])
def test_published_frames_come_out_again(frame):
    again = encode(decode(frame))
    assert decode(again) == decode(frame)
    if frame is not GROUND:  # its intent and IFR bits are not kept
        assert again == frame


def long_division(data):
    """The remainder bit by bit, as the standard defines it."""
    value = int.from_bytes(data, "big") << 24
    for bit in range(len(data) * 8 + 23, 23, -1):
        if value >> bit & 1:
            value ^= (1 << 24 | GENERATOR) << (bit - 24)
    return value


@given(st.binary(max_size=20))
def test_the_table_divides_like_the_definition(data):
    assert crc24(data) == long_division(data)
    assert remainder(data + crc24(data).to_bytes(3, "big")) == 0


@given(st.sampled_from([IDENT, EVEN, ODD, GROUND, AIR]), st.sets(st.integers(0, 111), min_size=1, max_size=5))
def test_damage_of_up_to_five_bits_is_always_found(frame, flips):
    damaged = bytearray(frame)
    for bit in flips:
        damaged[bit >> 3] ^= 0x80 >> (bit & 7)
    assume(damaged[0] >> 3 in (17, 18))
    assert judge(bytes(damaged)) is Parity.BAD
    with pytest.raises(AdsbError) as caught:
        decode(bytes(damaged))
    assert caught.value.reason == "parity"


@pytest.mark.parametrize(
    ("frame", "parity"),
    [
        (bytes.fromhex("1234"), Parity.MODE_AC),
        (b"", Parity.LENGTH),
        (EVEN[:7], Parity.LENGTH),
        (bytes.fromhex("5f4001594b0fbb"), Parity.GOOD),
        (bytes.fromhex("5f4001594a0fbb"), Parity.BAD),
        (bytes.fromhex("02e194109026bc"), Parity.UNSAID),
        (bytes.fromhex("02e194109026bc") * 2, Parity.LENGTH),
        (bytes((0x0F << 3,)) + bytes(6), Parity.LENGTH),
        (bytes((0xFF,)) + bytes(13), Parity.UNSAID),
    ],
)
def test_what_parity_says(frame, parity):
    assert judge(frame) is parity


def test_an_interrogator_code_is_no_damage():
    assert judge(bytes.fromhex("5f4001594b0fbb")[:-1] + bytes((0xBB ^ 0x7F,))) is Parity.GOOD
    assert judge(bytes.fromhex("5f4001594b0fbb")[:-1] + bytes((0xBB ^ 0x80,))) is Parity.BAD


@pytest.mark.parametrize("frame", [b"", EVEN[:7], bytes.fromhex("5f4001594b0fbb"), bytes(14)])
def test_what_is_no_squitter_is_refused(frame):
    with pytest.raises(AdsbError) as caught:
        decode(frame)
    assert caught.value.reason == "not-squitter"


@pytest.mark.parametrize(
    ("control", "source", "is_icao", "kept"),
    [
        (0, Source.ADSB, True, True),
        (1, Source.ADSB, False, True),
        (2, Source.TISB, None, True),
        (3, Source.TISB, None, False),
        (4, Source.TISB, None, False),
        (5, Source.TISB, False, True),
        (6, Source.ADSR, None, True),
        (7, Source.TISB, None, False),
    ],
)
def test_df18_says_who_made_it(control, source, is_icao, kept):
    message = decode(IDENT).message
    found = decode(encode(Squitter(18, control, 0xABCDEF, source, is_icao, message)))
    assert (found.source, found.address_is_icao, found.address) == (source, is_icao, 0xABCDEF)
    assert found.message == (message if kept else Other(4))


# ---- round trips

grids = {
    "time_synchronised": st.booleans(),
    "odd": st.booleans(),
    "lat_cpr": st.integers(0, 131071),
    "lon_cpr": st.integers(0, 131071),
}
velocities = {
    "supersonic": st.just(False),
    "nac_v": st.integers(0, 7),
    "vertical_is_barometric": st.booleans(),
    "vertical_fpm": st.none() | st.integers(-509, 509).map(lambda n: n * 64.0),
    "height_minus_baro_ft": st.none() | st.integers(-125, 125).map(lambda n: n * 25.0),
}
speeds = st.none() | st.integers(-1021, 1021).map(float)
messages = st.one_of(
    st.builds(
        Identification,
        st.from_regex(r"\A[A-D][0-7]\Z"),
        st.none() | st.from_regex(r"\A[A-Z0-9 ]{0,8}\Z").map(str.rstrip),
    ),
    st.builds(
        AirbornePosition,
        type_code=st.sampled_from([9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 22]),
        surveillance_status=st.integers(0, 3),
        nic_b=st.booleans(),
        altitude_ft=st.none() | st.integers(0, 2047).map(lambda n: n * 25.0 - 1000.0),
        **grids,
    ),
    st.builds(
        SurfacePosition,
        type_code=st.integers(5, 8),
        speed_kt=st.sampled_from(SPEEDS_KT),
        track_deg=st.none() | st.integers(0, 127).map(lambda n: n * 2.8125),
        **grids,
    ),
    st.builds(GroundVelocity, east_kt=speeds, north_kt=speeds, **velocities),
    st.builds(
        AirVelocity,
        heading_deg=st.none() | st.integers(0, 1023).map(lambda n: n * 0.3515625),
        airspeed_is_true=st.booleans(),
        airspeed_kt=st.none() | st.integers(0, 1021).map(float),
        **velocities,
    ),
    st.builds(
        OperationalStatus,
        surface=st.booleans(),
        version=st.integers(1, 7),
        nic_a=st.booleans(),
        nac_p=st.integers(0, 15),
        sil=st.integers(0, 3),
    ),
)


@given(st.integers(0, 0xFFFFFF), messages)
def test_messages_round_trip(address, message):
    assert decode(encode(adsb(address, message))) == adsb(address, message)


@given(st.integers(0, (1 << 56) - 1))
def test_any_56_bits_are_a_message(me):
    message = decode_message(me)
    # Reserved types and the status message keep less than they carry; Gillham codes reach further.
    high = isinstance(message, AirbornePosition) and (message.altitude_ft or 0.0) > 50_175.0
    low = isinstance(message, AirbornePosition) and (message.altitude_ft or 0.0) < -1_000.0
    if not isinstance(message, Other | OperationalStatus) and not high and not low:
        assert decode(encode(adsb(1, message))).message == message


@pytest.mark.parametrize(
    "message",
    [
        Identification("E1", "ABC"),
        Identification("A8", "ABC"),
        Identification("A", "ABC"),
        Identification("A1", "abc"),
        Identification("A1", "NINECHARS"),
        Identification("A1", "A#"),
        AirbornePosition(19, 0, False, None, False, False, 0, 0),
        AirbornePosition(11, 0, False, None, False, False, 131072, 0),
        AirbornePosition(11, 0, False, 60000.0, False, False, 0, 0),
        AirbornePosition(11, 0, False, math.nan, False, False, 0, 0),
        SurfacePosition(9, 0.0, None, False, False, 0, 0),
        SurfacePosition(5, -1.0, None, False, False, 0, 0),
        SurfacePosition(5, 1.0, 360.0, False, False, 0, 0),
        GroundVelocity(False, 0, 1022.0, 0.0, True, None, None),
        GroundVelocity(False, 0, math.nan, 0.0, True, None, None),
        GroundVelocity(False, 8, 0.0, 0.0, True, None, None),
        AirVelocity(False, 0, None, True, -1.0, True, None, None),
        OperationalStatus(False, 8, False, 0, 0),
        Other(23),
    ],
)
def test_what_does_not_fit_is_refused(message):
    with pytest.raises(AdsbEncodeError):
        encode(adsb(1, message))


@pytest.mark.parametrize(("df", "address"), [(16, 1), (19, 1), (17, -1), (17, 1 << 24)])
def test_an_impossible_head_is_refused(df, address):
    with pytest.raises(AdsbEncodeError):
        encode(Squitter(df, 5, address, Source.ADSB, True, Identification("A1", "A")))


def test_saturated_and_empty_velocities_are_unknown():
    saturated = 19 << 51 | 1 << 48 | 1023 << 32 | 1023 << 21 | 511 << 10 | 127
    empty = 19 << 51 | 1 << 48
    for me in (saturated, empty):
        assert decode_message(me) == GroundVelocity(False, 0, None, None, False, None, None)


def test_supersonic_steps_are_four_knots():
    fast = GroundVelocity(True, 0, 1200.0, -4.0, True, 0.0, 0.0)
    assert decode(encode(adsb(1, fast))).message == fast


# ---- altitude


def test_gillham_codes_are_one_per_altitude_and_one_bit_apart():
    feet = [-1200.0 + 100.0 * i for i in range(1280)]
    codes = [gillham_table()[f] for f in feet]
    assert all((a ^ b).bit_count() == 1 for a, b in pairwise(codes))


def gillham_table():
    table = {}
    for code in range(1, 4096):
        if not code & 0x10 and (feet := altitude_ft(code)) is not None:
            assert table.setdefault(feet, code) == code
    return table


def test_published_gillham_altitudes():
    # ICAO Annex 10 volume IV, appendix to chapter 3, the rows around its beginning.
    c1, c2, c4, b4 = 1 << 11, 1 << 9, 1 << 7, 1 << 1
    assert altitude_ft(c4) == -1200.0
    assert altitude_ft(c2 | c4) == -1100.0
    assert altitude_ft(c2) == -1000.0
    assert altitude_ft(c1 | c2) == -900.0
    assert altitude_ft(c1) == -800.0
    assert altitude_ft(b4 | c1) == -700.0
    assert altitude_ft(b4 | c2) == -500.0


def test_altitude_refuses_and_rounds():
    assert altitude_ft(0) is None
    assert altitude_code(None) == 0
    assert altitude_ft(altitude_code(1012.0)) == 1000.0
    with pytest.raises(AdsbEncodeError):
        altitude_code(-1001.0)
    with pytest.raises(AdsbEncodeError):
        altitude_code(math.inf)


# ---- CPR

lats, lons = st.floats(-89.9, 89.9), st.floats(-180.0, 179.999)


def test_zones_of_the_standard():
    assert [cpr.longitude_zones(lat) for lat in (0.0, 10.47, 10.48, 59.95, 86.9, 87.0, 87.1, -87.1)] == [
        59, 59, 58, 30, 2, 2, 1, 1,
    ]  # fmt: skip
    assert cpr.TRANSITIONS[0] == pytest.approx(10.47047130, abs=1e-8)
    assert cpr.TRANSITIONS[-2] == pytest.approx(86.53536998, abs=1e-8)
    assert list(cpr.TRANSITIONS) == sorted(cpr.TRANSITIONS)


@given(lats, lons)
def test_global_decode_finds_the_place(lat, lon):
    even, odd = (cpr.encode(lat, lon, odd) for odd in (False, True))
    for newest in (False, True):
        place = cpr.decode_global(even, odd, newest)
        if place is None:
            assert min(abs(abs(lat) - edge) for edge in cpr.TRANSITIONS) < 1e-3
        else:
            assert distance_m(place, Place(lat, lon)) < 9.0


@given(st.floats(-85.0, 85.0), lons, st.booleans(), st.booleans(), st.floats(-0.3, 0.3), st.floats(-0.3, 0.3))
def test_local_decode_finds_the_place(lat, lon, odd, surface, north, east):
    reference = Place(lat + north, cpr.wrap_lon(lon + east))
    place = cpr.decode_local(*cpr.encode(lat, lon, odd, surface), odd, reference, surface)
    assert place is not None
    assert distance_m(place, Place(lat, lon)) < (1.6 if surface else 9.0)


@given(st.floats(-85.0, 85.0), lons, st.booleans(), st.floats(-0.4, 0.4), st.floats(-0.4, 0.4))
def test_global_surface_decode_finds_the_place(lat, lon, newest, north, east):
    reference = Place(lat + north, cpr.wrap_lon(lon + east))
    even, odd = (cpr.encode(lat, lon, grid, surface=True) for grid in (False, True))
    place = cpr.decode_global_surface(even, odd, newest, reference)
    if place is None:
        assert min(abs(abs(lat) - edge) for edge in cpr.TRANSITIONS) < 1e-3
    else:
        assert distance_m(place, Place(lat, lon)) < 1.6


@given(*[st.integers(0, 131071)] * 4, st.booleans())
def test_global_decode_never_leaves_the_earth(a, b, c, d, newest):
    for place in (
        cpr.decode_global((a, b), (c, d), newest),
        cpr.decode_global_surface((a, b), (c, d), newest, Place(-33.9, 151.2)),
        cpr.decode_local(a, b, newest, Place(89.0, 179.0)),
    ):
        assert place is None or (abs(place.lat_deg) <= 90.0 and -180.0 <= place.lon_deg < 180.0)


# ---- small tables


def test_surface_speeds_grow_and_come_back():
    known = [speed for speed in SPEEDS_KT if speed is not None]
    assert known == sorted(known)
    assert [speed_kt(code) for code in (0, 1, 2, 9, 13, 39, 94, 109, 124, 125)] == [
        None, 0.0, 0.125, 1.0, 2.0, 15.0, 70.0, 100.0, 175.0, None,
    ]  # fmt: skip
    assert all(movement_code(speed_kt(code)) == code for code in range(125))
    assert movement_code(17.9) == movement_code(17.0)


def test_claims_about_accuracy():
    assert containment_radius_m(9) == 7.5
    assert containment_radius_m(18) is None
    assert containment_radius_m(22) is None
    assert position_accuracy_m(9) == 30.0
    assert position_accuracy_m(0) is None


def test_alphabet():
    assert len(CHARACTERS) == 64
    assert (CHARACTERS[1], CHARACTERS[26], CHARACTERS[32], CHARACTERS[48], CHARACTERS[57]) == tuple("AZ 09")
