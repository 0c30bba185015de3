"""Registration: how a sensor seems to be set up, as the other sensors' plots of the same bodies tell."""

from msgspec import Struct


class Registration(Struct, frozen=True, gc=False, kw_only=True):
    """One sensor, against the others.

    ``azimuth_bias_deg``: its azimuths are so much too large (it is turned clockwise), with one sigma.
    ``clock_offset_s``: its times are so much too late (its clock is ahead of the other sensors'), with one
    sigma. ``azimuth_corrected``, ``clock_corrected``: the tracker takes it off. ``astray``: it is turned by
    more than is ever corrected. ``compared``: how many of its plots could be held against those of others.
    ``azimuth_disputed_with``, ``clock_disputed_with``: one of it and of these is off, and it is not known
    which.
    """

    sensor: str
    azimuth_bias_deg: float
    azimuth_sigma_deg: float
    clock_offset_s: float
    clock_sigma_s: float
    azimuth_corrected: bool
    clock_corrected: bool
    astray: bool
    compared: int
    azimuth_disputed_with: tuple[str, ...] = ()
    clock_disputed_with: tuple[str, ...] = ()
