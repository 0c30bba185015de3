"""geo against pymap3d, against itself, and the rule that heights never mix."""

import math

import pymap3d
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from vedette import geo
from vedette.model import DatumError, InputError

LATS = st.one_of(st.floats(-90.0, 90.0), st.sampled_from([-90.0, -89.9999999, 0.0, 89.9999999, 90.0]))
LONS = st.one_of(st.floats(-180.0, 180.0), st.sampled_from([-180.0, -179.9999999, 0.0, 179.9999999, 180.0]))
ALTS = st.one_of(st.floats(-500.0, 30_000.0), st.floats(30_000.0, 40_000_000.0))
LENGTHS = st.floats(-50_000.0, 50_000.0)
DATUMS = ("wgs84-ellipsoid", "egm96", "agl", "takeoff", "barometric")


@given(LATS, LONS, ALTS)
def test_ecef_agrees_with_pymap3d(lat: float, lon: float, alt: float) -> None:
    want = pymap3d.geodetic2ecef(lat, lon, alt)
    assert geo.geodetic_to_ecef(lat, lon, alt) == pytest.approx(want, abs=1e-6)


@given(LATS, LONS, ALTS)
def test_ecef_round_trip_is_good_to_a_micrometre_everywhere(lat: float, lon: float, alt: float) -> None:
    there = geo.geodetic_to_ecef(lat, lon, alt)
    back = geo.ecef_to_geodetic(*there)
    assert math.dist(geo.geodetic_to_ecef(*back), there) < 1e-6
    assert back[0] == pytest.approx(lat, abs=1e-10)
    assert back[2] == pytest.approx(alt, abs=1e-6)


@pytest.mark.parametrize("lat", [90.0, -90.0])
def test_the_poles_need_no_longitude(lat: float) -> None:
    x, y, z = geo.geodetic_to_ecef(lat, 0.0, 100.0)
    assert z == pytest.approx(math.copysign(geo.SEMI_MINOR_M + 100.0, lat))
    assert geo.ecef_to_geodetic(0.0, 0.0, z)[0] == lat
    assert geo.ecef_to_geodetic(0.0, 0.0, z)[2] == pytest.approx(100.0)
    assert math.hypot(x, y) < 1e-6


def test_the_centre_of_the_earth_is_an_error() -> None:
    with pytest.raises(InputError, match="centre"):
        geo.ecef_to_geodetic(0.0, 0.0, 0.0)


@given(st.floats(-89.0, 89.0), LONS, st.floats(-400.0, 5000.0), LENGTHS, LENGTHS, st.floats(-500.0, 10_000.0))
def test_the_local_frame_is_within_a_millimetre_of_pymap3d_at_50_km(
    lat: float, lon: float, alt: float, e: float, n: float, u: float
) -> None:
    frame = geo.LocalFrame(lat, lon, alt)
    theirs = pymap3d.enu2geodetic(e, n, u, lat, lon, alt)
    ours = frame.to_geodetic(e, n, u)
    assert math.dist(geo.geodetic_to_ecef(*ours), pymap3d.geodetic2ecef(*theirs)) < 1e-3
    assert frame.to_enu(*ours) == pytest.approx(pymap3d.geodetic2enu(*ours, lat, lon, alt), abs=1e-3)
    assert frame.to_enu(*ours) == pytest.approx((e, n, u), abs=1e-4)


@given(LATS, LONS, LENGTHS, LENGTHS)
def test_the_local_frame_round_trips_over_pole_and_dateline(
    lat: float, lon: float, e: float, n: float
) -> None:
    frame = geo.LocalFrame(lat, lon, 0.0)
    place = frame.to_geodetic(e, n, 120.0)
    assert -180.0 <= place[1] <= 180.0
    assert frame.to_enu(*place) == pytest.approx((e, n, 120.0), abs=1e-4)


@pytest.mark.parametrize(
    "place",
    [(91.0, 0.0, 0.0), (0.0, 181.0, 0.0), (math.nan, 0.0, 0.0), (0.0, 0.0, math.inf), (0.0, math.nan, 0.0)],
)
def test_a_place_that_is_not_on_earth_is_refused(place: tuple[float, float, float]) -> None:
    with pytest.raises(InputError, match="no place on Earth"):
        geo.LocalFrame(*place)
    with pytest.raises(InputError, match="no place on Earth"):
        geo.LocalFrame(0.0, 0.0, 0.0).to_enu(*place)


def test_a_local_place_that_is_not_finite_is_refused() -> None:
    with pytest.raises(InputError, match="finite"):
        geo.LocalFrame(0.0, 0.0, 0.0).to_geodetic(math.nan, 0.0, 0.0)


@given(
    st.floats(-80.0, 80.0), LONS, LENGTHS, LENGTHS,
    st.floats(10.0, 20_000.0), st.floats(0.0, 359.0), st.floats(-80.0, 80.0),
)  # fmt: skip
def test_a_sensor_away_from_the_origin_measures_in_its_own_frame(
    lat: float, lon: float, e: float, n: float, distance: float, azimuth: float, elevation: float
) -> None:
    site = geo.LocalFrame(lat, lon, 100.0)
    place = site.to_geodetic(e, n, 30.0)
    sensor = geo.SensorFrame(site, *place)
    target = pymap3d.aer2geodetic(azimuth, elevation, distance, *place)
    want = pymap3d.geodetic2enu(*target, lat, lon, 100.0)
    got = sensor.polar_to_site(distance, azimuth, elevation)
    assert got == pytest.approx(want, abs=2e-3)
    back = sensor.site_to_polar(*got)
    assert back[0] == pytest.approx(distance, abs=1e-5)
    assert abs(geo.angle_between_deg(back[1], azimuth)) < 1e-4
    assert back[2] == pytest.approx(elevation, abs=1e-5)


def test_the_frames_of_two_places_differ_by_the_curvature_of_the_earth() -> None:
    site = geo.LocalFrame(40.0, -3.0, 0.0)
    sensor = geo.SensorFrame(site, *site.to_geodetic(10_000.0, 0.0, 0.0))
    assert sensor.polar_to_site(1000.0, 90.0, 0.0)[2] == pytest.approx(-1000.0 * 10_000.0 / 6.386e6, rel=0.01)


@pytest.mark.parametrize(
    ("azimuth", "name"),
    [
        (0, "N"), (22.4, "N"), (22.5, "NE"), (45, "NE"), (90, "E"), (135, "SE"), (180, "S"), (225, "SW"),
        (270, "W"), (315, "NW"), (337.4, "NW"), (337.5, "N"), (359.99, "N"), (360, "N"), (-45, "NW"),
    ],
)  # fmt: skip
def test_compass_points(azimuth: float, name: str) -> None:
    assert geo.compass_point(azimuth) == name


@given(st.floats(-1e4, 1e4))
def test_every_direction_has_the_nearest_name(azimuth: float) -> None:
    named = geo.COMPASS.index(geo.compass_point(azimuth)) * 45.0
    assert abs(geo.angle_between_deg(azimuth, named)) <= 22.5 + 1e-9


@given(st.floats(-1e5, 1e5), st.floats(-1e5, 1e5))
def test_bearings_stay_in_the_circle_and_point_there(e: float, n: float) -> None:
    assume(math.hypot(e, n) > 1e-3)
    bearing = geo.bearing_deg(e, n)
    assert 0.0 <= bearing < 360.0
    distance = geo.ground_range_m(e, n)
    assert geo.polar_to_enu(distance, bearing, 0.0) == pytest.approx((e, n, 0.0), abs=1e-6)
    assert geo.slant_range_m(e, n, 7.0) == pytest.approx(math.sqrt(e * e + n * n + 49.0))


def test_a_bearing_just_west_of_north_is_not_360() -> None:
    assert geo.bearing_deg(-1e-300, 1.0) == 0.0


@given(st.floats(-720.0, 720.0), st.floats(-720.0, 720.0))
def test_a_turn_is_the_short_way(a: float, b: float) -> None:
    turn = geo.angle_between_deg(a, b)
    assert -180.0 <= turn < 180.0
    assert math.cos(math.radians(b + turn)) == pytest.approx(math.cos(math.radians(a)), abs=1e-9)


def test_a_known_mgrs_reference() -> None:
    assert geo.to_mgrs(48.8582, 2.2945) == "31UDQ4825111932"
    assert geo.to_mgrs(48.8582, 2.2945, 2) == "31UDQ4811"
    assert geo.from_mgrs("31u dq 48251 11932") == pytest.approx((48.858198, 2.294496), abs=1e-6)


@given(LATS, st.floats(-180.0, 180.0))
@example(-4.3e-10, 0.0)
@example(-4.9e-6, 100.0)
@example(-5.1e-6, 100.0)
def test_mgrs_names_a_metre(lat: float, lon: float) -> None:
    back = geo.from_mgrs(geo.to_mgrs(lat, lon))
    here, there = geo.geodetic_to_ecef(lat, lon, 0.0), geo.geodetic_to_ecef(*back, 0.0)
    assert math.dist(here, there) < 2.0


@pytest.mark.parametrize(
    "text", ["", "zzz", "31UDQ482511193", "31UDQ48251119321", "🚁", "31UDQ-4825", "A" * 500]
)
def test_what_is_no_mgrs_reference_is_an_input_error(text: str) -> None:
    with pytest.raises(InputError, match="no MGRS reference"):
        geo.from_mgrs(text)


@pytest.mark.parametrize(
    ("lat", "lon", "precision"), [(91.0, 0.0, 5), (0.0, 200.0, 5), (1.0, 1.0, 6), (1.0, 1.0, -1)]
)
def test_what_has_no_mgrs_reference_is_an_input_error(lat: float, lon: float, precision: int) -> None:
    with pytest.raises(InputError):
        geo.to_mgrs(lat, lon, precision)


@given(st.text(max_size=20))
def test_any_text_is_a_reference_or_an_input_error(text: str) -> None:
    try:
        lat, lon = geo.from_mgrs(text)
    except InputError:
        return
    assert -90.0 <= lat <= 90.0
    assert -180.0 <= lon <= 180.0


def test_the_geoid_height_links_egm96_and_the_ellipsoid() -> None:
    assert geo.convert_height(600.0, "egm96", "wgs84-ellipsoid", geoid_height_m=51.0) == 651.0
    assert geo.convert_height(651.0, "wgs84-ellipsoid", "egm96", geoid_height_m=51.0) == 600.0


def test_ground_and_take_off_heights_need_their_place() -> None:
    assert geo.convert_height(100.0, "agl", "wgs84-ellipsoid", ground_alt_m=640.0) == 740.0
    assert geo.convert_height(100.0, "takeoff", "wgs84-ellipsoid", takeoff_alt_m=645.0) == 745.0
    assert geo.convert_height(100.0, "agl", "egm96", ground_alt_m=640.0, geoid_height_m=51.0) == 689.0


@pytest.mark.parametrize("frm", DATUMS)
@pytest.mark.parametrize("to", DATUMS)
def test_no_height_changes_its_datum_without_a_known_offset(frm: str, to: str) -> None:
    if frm == to and frm in ("wgs84-ellipsoid", "egm96"):
        assert geo.convert_height(12.5, frm, to) == 12.5
        return
    with pytest.raises(DatumError, match=r"offset of .* is not known"):
        geo.convert_height(12.5, frm, to)


@given(st.sampled_from(DATUMS), st.sampled_from(DATUMS), st.floats(-100.0, 9000.0))
def test_known_offsets_convert_there_and_back(frm: str, to: str, value: float) -> None:
    offsets = {"geoid_height_m": -20.0, "ground_alt_m": 300.0, "takeoff_alt_m": 310.0}
    if "barometric" in (frm, to):
        with pytest.raises(DatumError):
            geo.convert_height(value, frm, to, **offsets)
        return
    there = geo.convert_height(value, frm, to, **offsets)
    assert geo.convert_height(there, to, frm, **offsets) == pytest.approx(value, abs=1e-6)


def test_a_height_carries_its_datum() -> None:
    assert geo.Height(10.0, "agl") != geo.Height(10.0, "egm96")
