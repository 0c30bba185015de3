"""The inverse UTM projection: held against GEOTRANS, and against what defines the projection."""

import math

import mgrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.integrate import quad

from vedette.geo import ECCENTRICITY_SQ, SEMI_MAJOR_M, LocalFrame
from vedette.sense.sapient_utm import grid_north_deg, utm_to_geodetic
from vedette.wire.errors import DecodeError
from vedette.wire.sapient import Utm

GEOTRANS = mgrs.MGRS()


def utm(zone, band, easting_m, northing_m):
    return Utm(
        easting_m=easting_m, northing_m=northing_m, zone=zone, band=band, altitude_m=None,
        altitude_above="ellipsoid", x_error=None, y_error=None, z_error=None,
    )  # fmt: skip


def metres_between(one, other):
    east, north, _ = LocalFrame(*one, 0.0).to_enu(*other, 0.0)
    return math.hypot(east, north)


def middle_of_the_square(lat_deg, lon_deg):
    """A square metre of MGRS: the middle of it by GEOTRANS, and in UTM."""
    reference = GEOTRANS.toMGRS(lat_deg, lon_deg, MGRSPrecision=5)
    zone, hemisphere, easting_m, northing_m = GEOTRANS.MGRSToUTM(reference)
    place = utm(int(zone), reference[-13], easting_m, northing_m)
    assert (easting_m % 1.0, northing_m % 1.0) == (0.5, 0.5)
    assert hemisphere == ("S" if place.band < "N" else "N")
    return GEOTRANS.toLatLon(reference), place


@given(st.floats(-79.5, 83.5), st.floats(-179.9, 179.9))
def test_the_same_as_geotrans_to_a_millimetre(lat_deg, lon_deg):
    assume(not -1e-5 < lat_deg < 0.0)  # GEOTRANS cannot read its own northing of 10,000,000 m.
    expected, place = middle_of_the_square(lat_deg, lon_deg)
    assert metres_between(expected, utm_to_geodetic(place)) < 0.001


@pytest.mark.parametrize("lat_deg", [0.5, 7.9, 35.0, 47.2, 63.0, 83.9])
def test_the_central_meridian_has_its_true_length(lat_deg):
    """NGA.SIG.0012, 7: scale 0.9996 on it; the arc by numerical integration of its radius."""
    a, e2 = SEMI_MAJOR_M, ECCENTRICITY_SQ
    arc, _ = quad(lambda f: a * (1 - e2) / (1 - e2 * math.sin(f) ** 2) ** 1.5, 0.0, math.radians(lat_deg))
    found = utm_to_geodetic(utm(32, "N", 500_000.0, 0.9996 * arc))
    assert found == pytest.approx((lat_deg, 9.0), abs=1e-11)


@given(st.floats(170_000.0, 830_000.0), st.floats(10_000.0, 9_000_000.0))
def test_conformal(easting_m, northing_m):
    """Steps of equal length along both axes are equally long on the ground, and square to each other."""
    step = 1.0
    here, east, north = (
        utm_to_geodetic(utm(32, "N", easting_m + e, northing_m + n))
        for e, n in ((0, 0), (step, 0), (0, step))
    )
    frame = LocalFrame(*here, 0.0)
    (ee, en, _), (ne, nn, _) = frame.to_enu(*east, 0.0), frame.to_enu(*north, 0.0)
    assert (ee, en) == pytest.approx((nn, -ne), abs=5e-6)
    assert math.hypot(ee, en) == pytest.approx(step, rel=2e-3)


def test_grid_north_leans_east_of_true_north_in_the_east_of_a_zone():
    """First term of the convergence: the longitude from the central meridian times the sine of latitude."""
    _, place = middle_of_the_square(47.2, 11.0)
    assert grid_north_deg(place) == pytest.approx(2.0 * math.sin(math.radians(47.2)), abs=0.01)
    _, place = middle_of_the_square(47.2, 7.0)
    assert grid_north_deg(place) == pytest.approx(360.0 - 2.0 * math.sin(math.radians(47.2)), abs=0.01)


def test_the_band_must_fit_but_n_may_mean_north():
    assert utm_to_geodetic(utm(32, "T", 470_000.0, 5_222_000.0))[0] == pytest.approx(47.1508, abs=1e-4)
    assert utm_to_geodetic(utm(32, "N", 470_000.0, 5_222_000.0))[0] == pytest.approx(47.1508, abs=1e-4)
    for band in "SVH":
        with pytest.raises(DecodeError, match=f"band {band}"):
            utm_to_geodetic(utm(32, band, 470_000.0, 5_222_000.0))


def test_south():
    lat_deg, lon_deg = utm_to_geodetic(utm(34, "H", 261_878.0, 6_243_186.0))
    assert (lat_deg, lon_deg) == pytest.approx((-33.925, 18.424), abs=1e-3)


def test_longitudes_stay_in_their_range_at_the_date_line():
    assert -180.0 <= utm_to_geodetic(utm(1, "N", 160_000.0, 100_000.0))[1] < 180.0
    assert -180.0 <= utm_to_geodetic(utm(60, "N", 840_000.0, 100_000.0))[1] < 180.0
    assert math.isfinite(grid_north_deg(utm(60, "N", 833_978.0, 100_000.0)))
