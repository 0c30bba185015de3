"""Axes, datums and times of SAPIENT messages."""

import math

import pytest
from sapient_msg.bsi_flex_335_v2_0.location_pb2 import Location

from vedette.wire.errors import DecodeError
from vedette.wire.sapient import (
    ALTITUDE_ABOVE,
    SapientMessage,
    TimeVerdict,
    TimeWindow,
    judge_time,
    read_location,
    timestamp_s,
)

DEGREES, RADIANS, UTM = 1, 2, 5
ELLIPSOID, GEOID = 1, 2
T = 1_795_000_000.0


def location(x, y, system=DEGREES, datum=ELLIPSOID, **others):
    return Location(x=x, y=y, coordinate_system=system, datum=datum, **others)


def test_x_is_east_and_y_is_north():
    place = read_location(location(8.5, 47.25, z=431.0, x_error=0.001, y_error=0.002, z_error=3.0))
    assert (place.longitude_deg, place.latitude_deg, place.altitude_m) == (8.5, 47.25, 431.0)
    assert (place.x_error, place.y_error, place.z_error) == (0.001, 0.002, 3.0)


def test_datums():
    assert ALTITUDE_ABOVE == {ELLIPSOID: "ellipsoid", GEOID: "geoid"}
    assert read_location(location(8.5, 47.25)).altitude_above == "ellipsoid"
    assert read_location(location(8.5, 47.25, datum=GEOID)).altitude_above == "geoid"


def test_radians():
    place = read_location(location(math.pi / 4, -math.pi / 6, RADIANS, x_error=math.pi / 180))
    assert place.longitude_deg == pytest.approx(45.0)
    assert place.latitude_deg == pytest.approx(-30.0)
    assert place.x_error == pytest.approx(1.0)


def test_what_was_not_sent_is_unknown():
    place = read_location(location(8.5, 47.25))
    assert (place.altitude_m, place.x_error, place.y_error, place.z_error) == (None, None, None, None)


def test_utm():
    place = read_location(location(318720.0, 176487.0, UTM, GEOID, utm_zone="30U", z=100.0))
    assert (place.easting_m, place.northing_m, place.zone, place.band) == (318720.0, 176487.0, 30, "U")
    assert (place.altitude_m, place.altitude_above) == (100.0, "geoid")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (location(8.5, 90.5), "out-of-range"),
        (location(180.5, 0.0), "out-of-range"),
        (location(math.nan, 0.0), "out-of-range"),
        (location(0.0, math.inf), "out-of-range"),
        (location(4.0, 0.0, RADIANS), "out-of-range"),
        (location(8.5, 47.0, z=math.nan), "out-of-range"),
        (location(51.17, -1.82, UTM, utm_zone="30U"), "out-of-range"),
        (location(318720.0, 1e7 + 1, UTM, utm_zone="30U"), "out-of-range"),
        (location(318720.0, 176487.0, UTM), "bad-utm-zone"),
        (location(318720.0, 176487.0, UTM, utm_zone="30"), "bad-utm-zone"),
        (location(318720.0, 176487.0, UTM, utm_zone="30I"), "bad-utm-zone"),
        (location(318720.0, 176487.0, UTM, utm_zone="61U"), "bad-utm-zone"),
        (location(318720.0, 176487.0, UTM, utm_zone="٣U"), "bad-utm-zone"),
        (location(8.5, 47.0, 0), "unknown-coordinates"),
        (location(8.5, 47.0, datum=0), "unknown-datum"),
        (Location(x=8.5, coordinate_system=DEGREES, datum=ELLIPSOID), "missing"),
    ],
)
def test_what_is_no_place_on_earth(bad, reason):
    with pytest.raises(DecodeError) as caught:
        read_location(bad)
    assert caught.value.reason == reason


def sent(offset_s):
    message = SapientMessage()
    message.timestamp.FromNanoseconds(int(T) * 10**9 + round(offset_s * 1e9))
    return message


@pytest.mark.parametrize(
    ("offset_s", "verdict"),
    [
        (0.0, TimeVerdict.IN_WINDOW),
        (-0.9, TimeVerdict.IN_WINDOW),
        (0.1, TimeVerdict.IN_WINDOW),
        (-0.901, TimeVerdict.OUT_OF_WINDOW),
        (0.101, TimeVerdict.OUT_OF_WINDOW),
        (-3600.0, TimeVerdict.OUT_OF_WINDOW),
        (86_399.0, TimeVerdict.OUT_OF_WINDOW),
        (86_401.0, TimeVerdict.ABSURD),
        (-86_401.0, TimeVerdict.ABSURD),
        (-T, TimeVerdict.ABSURD),
    ],
)
def test_the_window_round_receipt(offset_s, verdict):
    # The offsets on the limits are taken half a microsecond inside: a float of today holds no better.
    assert judge_time(sent(offset_s - math.copysign(5e-7, offset_s)), T) is verdict


def test_a_message_without_time_is_absurd():
    assert timestamp_s(SapientMessage()) is None
    assert judge_time(SapientMessage(), T) is TimeVerdict.ABSURD


def test_strict_takes_nothing_out_of_the_window():
    strict = TimeWindow(strict=True)
    assert judge_time(sent(-0.5), T, strict) is TimeVerdict.IN_WINDOW
    assert judge_time(sent(-1.0), T, strict) is TimeVerdict.ABSURD


def test_an_unknown_receipt_time_is_never_in_the_window():
    assert judge_time(sent(0.0), math.nan) is TimeVerdict.ABSURD


def test_timestamp_s():
    assert timestamp_s(sent(0.25)) == T + 0.25
