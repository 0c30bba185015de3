"""Compiles the kernels, by assessing a little."""

from vedette.assess.assessor import Assessor
from vedette.model import Frame, Site, Track, UnitReport

_SITE = Site(name="warm", lat_deg=0.0, lon_deg=0.0, alt_m=0.0, alt_datum="wgs84-ellipsoid")
_UNIT = UnitReport(time=0.0, unit="u", lat_deg=0.0, lon_deg=0.0, sigma_m=5.0, mobility="post")


def warm() -> None:
    """Compile every kernel of the assessment, or load it from numba's cache."""
    assessor = Assessor(_SITE)
    assessor.unit(_UNIT, 0.0)
    for second in range(3):
        assessor.assess(Frame(time=float(second), tracks=(_coming(second),)), float(second))


def _coming(second: int) -> Track:
    return Track(
        id="T",
        enu_m=(0.0, 300.0 - 30.0 * second, 50.0),
        velocity_mps=(0.0, -30.0, 0.0),
        covariance=tuple(1.0 if place in (0, 6, 11, 15, 18, 20) else 0.0 for place in range(21)),
        existence=1.0,
        beliefs={"fpv": 1.0},
    )
