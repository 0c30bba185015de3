"""What each ASTERIX category says of the sky, and what of it is no detection."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model import Bearing, Claim, Position, RangeBearing, Sigma
from vedette.sense.asterix_measures import (
    AIRCRAFT,
    BIRD,
    CEP_SIGMAS,
    EARTH_RADIUS_M,
    UAS,
    Said,
    Ways,
    elevation_deg,
    said,
)
from vedette.wire.asterix import (
    DirectionReport,
    IncsReport,
    Message,
    RadarService,
    RadarTarget,
    SystemTrack,
    UasIdentification,
    decode,
    encode,
)

PLAIN = Ways()


def target(**fields: Any) -> RadarTarget:
    return RadarTarget(
        **{"sac": 1, "sic": 2, "plot_type": 1, "range_m": 3000.0, "azimuth_deg": 45.0} | fields
    )


def track(**fields: Any) -> SystemTrack:
    return SystemTrack(**{"sac": 1, "sic": 2, "track_number": 9, "lat_deg": 47.2, "lon_deg": 8.5} | fields)


def incs(**fields: Any) -> IncsReport:
    usual: dict[str, Any] = {"sac": 1, "sic": 2, "message_type": 1, "arrangement": 0, "taxonomy": 0}
    return IncsReport(**usual | {"range_m": 2500.0, "azimuth_deg": 200.0} | fields)


def finder(**fields: Any) -> DirectionReport:
    return DirectionReport(**{"sac": 1, "sic": 2, "message_type": 5, "azimuth_deg": 123.5} | fields)


def uas(**fields: Any) -> UasIdentification:
    return UasIdentification(**{"sac": 1, "sic": 2, "lat_deg": 47.2, "lon_deg": 8.5} | fields)


def heard(message: Message, ways: Ways = PLAIN) -> Said:
    found = said(message, ways)
    assert isinstance(found, Said)
    return found


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (target(simulated=True), "simulated"),
        (target(test_target=True), "test-target"),
        (target(fixed_transponder=True), "fixed-transponder"),
        (target(ghost=True), "ghost"),
        (target(plot_type=0), "no-detection"),
        (target(range_m=None), "no-position"),
        (target(range_m=0.0), "no-position"),
        (target(azimuth_deg=None), "no-position"),
        (track(simulated=True), "simulated"),
        (track(coasting=True), "coasting"),
        (track(track_ends=True), "ended"),
        (track(lat_deg=None, lon_deg=None), "no-position"),
        (track(lat_deg=0.0, lon_deg=0.0), "no-fix"),
        (incs(taxonomy=1), "simulated"),
        (incs(taxonomy=3), "simulated"),
        (incs(message_type=5), "ended"),
        (incs(coasting=True), "coasting"),
        (incs(azimuth_deg=None), "no-position"),
        (incs(lat_deg=0.0, lon_deg=0.0), "no-position"),
        (finder(message_type=4), "ended"),
        (finder(message_type=1), "no-position"),
        (finder(message_type=1, lat_deg=0.0, lon_deg=0.0), "no-fix"),
        (uas(), "cat129-off"),
        (RadarService(sac=1, sic=2, message_type=1), "not-a-target"),
    ],
)
def test_what_is_no_detection_has_a_reason(message: Message, reason: str) -> None:
    assert said(message, PLAIN) == reason


@pytest.mark.parametrize("flag", ["simulated", "test_target", "fixed_transponder", "ghost"])
def test_a_flag_that_was_sent_as_false_hides_nothing(flag: str) -> None:
    assert isinstance(said(target(**{flag: False}), PLAIN), Said)


def test_a_primary_plot_is_range_and_bearing_and_nothing_else() -> None:
    found = heard(target())
    assert found.measure == RangeBearing(range_m=3000.0, azimuth_deg=45.0)
    assert (found.sigma, found.claim, found.beliefs) == (None, None, None)
    assert found.extra == {"asterix.category": 48}


def test_a_flight_level_is_no_height() -> None:
    found = heard(target(flight_level=12.0, height_msl_m=400.0))
    assert isinstance(found.measure, RangeBearing)
    assert found.measure.elevation_deg is None
    assert found.extra["asterix.flight_level"] == 12.0
    assert found.extra["asterix.height_msl_m"] == 400.0


def test_the_height_of_a_3d_radar_becomes_an_elevation_where_both_heights_have_one_datum() -> None:
    message = target(range_m=2000.0, height_msl_m=950.0)
    found = heard(message, Ways(height_m=500.0, geoid_m=50.0))
    assert isinstance(found.measure, RangeBearing)
    # 950 m against 450 m over the geoid, less the curvature that 2 km make.
    assert found.measure.elevation_deg == pytest.approx(math.degrees(math.asin(500.0 / 2000.0)), abs=0.02)
    assert "asterix.height_msl_m" not in found.extra


@pytest.mark.parametrize("ways", [Ways(height_m=500.0), Ways(geoid_m=50.0), PLAIN])
def test_heights_of_two_datums_do_not_mix(ways: Ways) -> None:
    found = heard(target(height_msl_m=950.0), ways)
    assert isinstance(found.measure, RangeBearing)
    assert found.measure.elevation_deg is None
    assert found.extra["asterix.height_msl_m"] == 950.0


def test_a_height_that_the_range_cannot_reach_gives_no_elevation() -> None:
    found = heard(target(range_m=100.0, height_msl_m=9000.0), Ways(height_m=0.0, geoid_m=0.0))
    assert isinstance(found.measure, RangeBearing)
    assert found.measure.elevation_deg is None
    assert found.extra["asterix.height_msl_m"] == 9000.0


@given(
    st.floats(1.0, 400_000.0),
    st.floats(-89.0, 89.0),
    st.floats(-400.0, 5000.0),
)
def test_elevation_undoes_the_geometry_of_a_sphere(range_m: float, elevation: float, sensor_m: float) -> None:
    up = EARTH_RADIUS_M + sensor_m + range_m * math.sin(math.radians(elevation))
    along = range_m * math.cos(math.radians(elevation))
    target_m = math.hypot(up, along) - EARTH_RADIUS_M
    back = elevation_deg(range_m, target_m, sensor_m)
    assert back is not None
    assert math.sin(math.radians(back)) == pytest.approx(math.sin(math.radians(elevation)), abs=1e-5)


@pytest.mark.parametrize(("doppler", "rate"), [(1, -12.0), (-1, 12.0)])
def test_a_doppler_speed_has_the_sign_that_the_feed_says(doppler: int, rate: float) -> None:
    found = heard(target(doppler_mps=-12.0), Ways(doppler=doppler))
    assert isinstance(found.measure, RangeBearing)
    assert found.measure.range_rate_mps == rate
    assert "asterix.doppler_mps" not in found.extra


def test_a_doppler_speed_whose_sign_nobody_says_is_only_shown() -> None:
    found = heard(target(doppler_mps=-12.0))
    assert isinstance(found.measure, RangeBearing)
    assert found.measure.range_rate_mps is None
    assert found.extra["asterix.doppler_mps"] == -12.0


def test_a_doubtful_doppler_speed_is_only_shown() -> None:
    found = heard(target(doppler_mps=-12.0, doppler_doubtful=True), Ways(doppler=1))
    assert isinstance(found.measure, RangeBearing)
    assert found.measure.range_rate_mps is None
    assert found.extra["asterix.doppler_mps"] == -12.0


def test_an_address_is_a_claim_in_six_small_digits() -> None:
    assert heard(target(address=0x00AB12)).claim == Claim(scheme="icao", id="00ab12")
    assert heard(target(address=0)).claim is None
    assert heard(track(address=0x3C660C)).claim == Claim(scheme="icao", id="3c660c")


@pytest.mark.parametrize(
    ("fields", "beliefs"),
    [
        ({"plot_type": 1}, None),
        ({"plot_type": 5}, AIRCRAFT),
        ({"plot_type": 1, "conditions": (19,)}, BIRD),
        ({"plot_type": 1, "conditions": (3, 20)}, BIRD),
        ({"plot_type": 1, "conditions": (13, 23)}, None),
        ({"plot_type": 7, "conditions": (19,)}, AIRCRAFT),
    ],
)
def test_beliefs_follow_the_kind_of_plot(fields: dict[str, Any], beliefs: dict[str, float] | None) -> None:
    assert heard(target(**fields)).beliefs == beliefs


def test_beliefs_are_weak_and_whole() -> None:
    for beliefs in (AIRCRAFT, BIRD, UAS):
        assert math.isclose(sum(beliefs.values()), 1.0)
        assert max(beliefs.values()) <= 0.5
        assert beliefs["unknown"] >= 0.4


def test_a_system_track_is_a_position_with_its_height_and_velocity() -> None:
    found = heard(
        track(
            altitude_msl_m=300.0,
            east_mps=3.0,
            north_mps=-4.0,
            climb_mps=1.0,
            sigma_x_m=12.0,
            sigma_y_m=20.0,
            sigma_altitude_m=15.0,
        )
    )
    assert found.measure == Position(
        lat_deg=47.2, lon_deg=8.5, alt_m=300.0, alt_datum="egm96", velocity_mps=(3.0, -4.0, 1.0)
    )
    assert found.sigma == Sigma(horizontal_m=20.0, vertical_m=15.0)
    assert found.speed_mps == 5.0


def test_a_velocity_with_a_gap_is_kept_for_the_desk() -> None:
    found = heard(track(east_mps=3.0, north_mps=-4.0))
    assert isinstance(found.measure, Position)
    assert found.measure.velocity_mps is None
    assert (found.extra["asterix.east_mps"], found.extra["asterix.north_mps"]) == (3.0, -4.0)
    assert found.speed_mps == 5.0


def test_the_pressure_of_a_system_track_is_no_height() -> None:
    found = heard(track(measured_flight_level=20.0, sigma_altitude_m=15.0))
    assert isinstance(found.measure, Position)
    assert (found.measure.alt_m, found.measure.alt_datum) == (None, None)
    assert found.sigma is None
    assert found.extra["asterix.flight_level"] == 20.0


@pytest.mark.parametrize("sigmas", [(None, 20.0), (20.0, None), (0.0, 20.0), (0.0, 0.0)])
def test_half_an_accuracy_is_none(sigmas: tuple[float | None, float | None]) -> None:
    assert heard(track(sigma_x_m=sigmas[0], sigma_y_m=sigmas[1])).sigma is None


def test_a_staring_radar_gives_range_bearing_elevation_and_rate_with_their_sigmas() -> None:
    found = heard(
        incs(
            elevation_deg=4.0,
            range_rate_mps=-18.0,
            sigma_range_m=7.0,
            sigma_azimuth_deg=0.4,
            sigma_elevation_deg=0.8,
        )
    )
    assert found.measure == RangeBearing(
        range_m=2500.0, azimuth_deg=200.0, elevation_deg=4.0, range_rate_mps=-18.0
    )
    assert found.sigma == Sigma(range_m=7.0, azimuth_deg=0.4, elevation_deg=0.8)


@pytest.mark.parametrize("arrangement", [None, 1, 2, 3])
def test_a_range_that_may_be_of_two_legs_is_not_used(arrangement: int | None) -> None:
    found = heard(incs(arrangement=arrangement, range_rate_mps=3.0, sigma_range_m=5.0, sigma_azimuth_deg=0.5))
    assert found.measure == Bearing(azimuth_deg=200.0)
    assert found.sigma == Sigma(azimuth_deg=0.5)


def test_the_doppler_of_a_staring_radar_needs_a_sign_too() -> None:
    message = incs(doppler_mps=9.0, sigma_doppler_mps=0.5)
    silent, told = heard(message), heard(message, Ways(doppler=-1))
    assert isinstance(silent.measure, RangeBearing)
    assert (silent.measure.range_rate_mps, silent.sigma) == (None, None)
    assert silent.extra["asterix.doppler_mps"] == 9.0
    assert isinstance(told.measure, RangeBearing)
    assert (told.measure.range_rate_mps, told.sigma) == (-9.0, Sigma(range_rate_mps=0.5))


def test_a_position_of_a_multistatic_radar_stands_over_the_ellipsoid() -> None:
    found = heard(
        incs(
            arrangement=1,
            lat_deg=47.3,
            lon_deg=8.6,
            height_m=611.0,
            sigma_east_m=5.0,
            sigma_north_m=9.0,
            sigma_height_m=0.0,
            east_mps=1.0,
            north_mps=2.0,
            climb_mps=3.0,
        )
    )
    assert found.measure == Position(
        lat_deg=47.3, lon_deg=8.6, alt_m=611.0, alt_datum="wgs84-ellipsoid", velocity_mps=(1.0, 2.0, 3.0)
    )
    assert found.sigma == Sigma(horizontal_m=9.0)


def test_a_bearing_belongs_to_the_finder_that_took_it() -> None:
    found = heard(finder(sensor=7, elevation_deg=2.0, channel="433.920", signal_level_dbuv=31.0))
    assert (found.measure, found.part) == (Bearing(azimuth_deg=123.5, elevation_deg=2.0), "-007")
    assert found.frequency_mhz == 433.92
    assert found.signal.frequency_mhz == 433.92
    assert found.extra["asterix.level_dbuv"] == 31.0


def test_a_bearing_of_the_system_belongs_to_the_system() -> None:
    found = heard(finder(message_type=2, azimuth_deg=1.0, system_azimuth_deg=77.0, sensor=7))
    assert (found.measure, found.part) == (Bearing(azimuth_deg=77.0), "")


@pytest.mark.parametrize("kind", [1, 3])
def test_crossed_bearings_are_a_position(kind: int) -> None:
    found = heard(finder(message_type=kind, azimuth_deg=None, lat_deg=47.0, lon_deg=8.0, uncertainty_m=300.0))
    assert found.measure == Position(lat_deg=47.0, lon_deg=8.0)
    assert found.sigma == Sigma(horizontal_m=300.0)


def test_a_position_of_unknown_accuracy_has_none() -> None:
    found = heard(finder(message_type=1, lat_deg=47.0, lon_deg=8.0, uncertainty_m=0.0))
    assert found.sigma is None


@pytest.mark.parametrize(
    ("channel", "mhz"),
    [("118.305", 118.305), ("2450", 2450.0), ("TOWER", None), ("", None), ("9999", None), ("12.3.4", None)],
)
def test_a_channel_is_a_frequency_only_if_it_is_one(channel: str, mhz: float | None) -> None:
    assert heard(finder(channel=channel or None)).frequency_mhz == mhz


def test_a_drone_that_names_itself_makes_a_claim() -> None:
    found = heard(
        uas(
            serial=b"1581F5BK0001",
            altitude_msl_m=520.0,
            height_agl_m=60.0,
            accuracy_m=10.0,
            east_mps=0.0,
            north_mps=12.0,
            climb_mps=0.5,
        ),
        Ways(uas=True),
    )
    assert found.claim == Claim(scheme="remote-id-serial", id="1581F5BK0001")
    assert found.measure == Position(
        lat_deg=47.2, lon_deg=8.5, alt_m=520.0, alt_datum="egm96", velocity_mps=(0.0, 12.0, 0.5)
    )
    assert found.sigma is not None
    assert found.sigma.horizontal_m == pytest.approx(10.0 / CEP_SIGMAS)
    assert found.beliefs == UAS


def test_the_height_above_ground_is_the_second_choice() -> None:
    found = heard(uas(height_agl_m=60.0), Ways(uas=True))
    assert isinstance(found.measure, Position)
    assert (found.measure.alt_m, found.measure.alt_datum) == (60.0, "agl")


@pytest.mark.parametrize(
    "serial", [bytes(12), b"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c", b"AB CD       "]
)
def test_a_serial_number_that_is_no_text_is_not_guessed(serial: bytes) -> None:
    found = heard(uas(serial=serial), Ways(uas=True))
    assert found.claim is None
    assert found.extra["asterix.serial_hex"] == serial.hex()


def test_a_drone_without_a_fix_is_nowhere() -> None:
    assert said(uas(lat_deg=0.0, lon_deg=0.0), Ways(uas=True)) == "no-fix"


def test_half_the_earths_circular_errors_are_within_the_radius() -> None:
    """The radius of 50 %: 1 - exp(-r^2 / 2 sigma^2) = 0.5."""
    assert 1.0 - math.exp(-0.5 * CEP_SIGMAS**2) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize(
    "message",
    [
        target(address=0x3C660C, track_number=12, flight_level=20.0, doppler_mps=-7.0),
        track(altitude_msl_m=300.0, sigma_x_m=12.0, sigma_y_m=20.0, sigma_altitude_m=15.0),
        incs(sigma_range_m=7.0, sigma_azimuth_deg=0.4, range_rate_mps=-18.0),
        incs(lat_deg=47.3, lon_deg=8.6, sigma_east_m=5.0, sigma_north_m=9.0),
        finder(sensor=7, channel="433.920"),
        finder(message_type=1, azimuth_deg=None, lat_deg=47.0, lon_deg=8.0, uncertainty_m=300.0),
        uas(serial=b"1581F5BK0001", altitude_msl_m=520.0, accuracy_m=10.0),
    ],
)
def test_what_our_encoder_sends_says_the_same(message: Message) -> None:
    (back,) = decode(encode([message])).messages
    ways = Ways(uas=True, doppler=1)
    ours, theirs = heard(message, ways), heard(back, ways)
    assert (theirs.claim, theirs.beliefs, theirs.part) == (ours.claim, ours.beliefs, ours.part)
    for one, other in ((ours.measure, theirs.measure), (ours.sigma, theirs.sigma)):
        assert type(one) is type(other)
        for name in getattr(one, "__struct_fields__", ()):
            before, after = getattr(one, name), getattr(other, name)
            if isinstance(before, float):
                assert after == pytest.approx(before, rel=0.02, abs=0.3)
            else:
                assert after == before
