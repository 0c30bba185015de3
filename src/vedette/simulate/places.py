"""Scenario places and site heights as metres of the local frame, and back to what transmitters say."""

from vedette.geo import LocalFrame
from vedette.model.errors import ConfigError
from vedette.model.site import Site
from vedette.simulate.scenario import Place


class SiteFrame:
    """The site's ENU frame with ellipsoidal heights, the only heights that Remote ID and CoT speak.

    Raises ConfigError if the site's height cannot be given above the WGS-84 ellipsoid.
    """

    def __init__(self, site: Site) -> None:
        self._site = site
        self._frame = LocalFrame(site.lat_deg, site.lon_deg, ellipsoid_height_m(site))

    def plane_m(self, place: Place) -> tuple[float, float]:
        """East and north (metres) of a place that passed the scenario's checks."""
        if place.enu_m is not None:
            return place.enu_m
        if place.lat_deg is None or place.lon_deg is None:
            raise ConfigError("a place needs enu_m, or lat_deg and lon_deg: give one of the two")
        east, north, _ = self._frame.to_enu(place.lat_deg, place.lon_deg, ellipsoid_height_m(self._site))
        return east, north

    def geodetic(self, enu_m: tuple[float, float, float]) -> tuple[float, float, float]:
        """Latitude, longitude (degrees) and height above the ellipsoid (metres) of an ENU place."""
        return self._frame.to_geodetic(*enu_m)

    def site_height_m(self, ellipsoid_m: float) -> float:
        """A height above the ellipsoid as a height in the site's own datum."""
        return ellipsoid_m - ellipsoid_height_m(self._site) + self._site.alt_m


def ellipsoid_height_m(site: Site) -> float:
    """The site's height above the WGS-84 ellipsoid (m). Raises ConfigError if its datum does not tell."""
    if site.alt_datum == "wgs84-ellipsoid":
        return site.alt_m
    if site.alt_datum == "egm96" and site.geoid_height_m is not None:
        return site.alt_m + site.geoid_height_m
    raise ConfigError(
        f"scenario.site: a height of datum {site.alt_datum!r} cannot be simulated, because Remote ID and CoT "
        "carry heights above the WGS-84 ellipsoid; use alt_datum = 'wgs84-ellipsoid', or 'egm96' together "
        "with geoid_height_m"
    )
