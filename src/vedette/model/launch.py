"""LaunchArea: where a drone may have been launched. For the desk only, never for phones (DESIGN, 1)."""

from msgspec import Struct

from vedette.model.detection import Positive


class LaunchArea(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A sector of ground behind the first place at which a track was seen.

    ``enu_m``: that place (east, north at the site origin). ``azimuth_deg``: the way back from there,
    clockwise from north, with its standard deviation (180 where it stood). ``far_m``: how far back along it
    the launch may lie, if the drone flew as it was first seen to. ``time``: when that was (Unix seconds).
    """

    track: str
    time: float
    enu_m: tuple[float, float]
    azimuth_deg: float
    azimuth_sigma_deg: Positive
    far_m: Positive
    height_known: bool = True
