"""A simulated sensor as a scenario plans it: ``[[sensor]]``. See docs/sensors-simulated.md.

What a sensor can do stands in `catalogue.toml` under its ``model``; here stands where it is, which way it
looks, what is different about this one, and what is wrong with it. Times are seconds from the scenario's
start. Checks of one sensor are made when it is made, so that a scenario file is refused with its line.
"""

from typing import Annotated

from msgspec import Meta, Struct, field

from vedette.model.detection import NonNegative, ObjectClass, Positive, Probability
from vedette.simulate.sensing.catalogue import model_of
from vedette.simulate.terms import Bearing, Height, Place, Slug

SmallTurn = Annotated[float, Meta(ge=-180.0, le=180.0)]
Delay = Annotated[float, Meta(ge=0.0, le=3600.0)]


class HotSpot(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A place from which false plots keep coming: a turbine, a road, a wet cliff.

    ``share`` is the chance that it gives a plot in one scan; ``spread_m`` how far its plots lie about, one
    sigma.
    """

    azimuth_deg: Bearing
    range_m: Positive
    elevation_deg: Annotated[float, Meta(ge=-90.0, le=90.0)] = 0.0
    share: Probability = 0.5
    spread_m: NonNegative = 15.0


class Bursts(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Drop-outs that come in bursts: a channel with a good and a bad state (Gilbert 1960; Elliott 1963,
    Bell System Technical Journal 42(5)). ``every_s`` and ``last_s`` are the mean times in the good and in the
    bad state, ``loss`` the share of messages that the bad state loses."""

    every_s: Positive
    last_s: Positive
    loss: Probability = 0.9


class Silence(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A reboot: nothing comes for ``lasts_s``, and then scans are counted from the beginning."""

    at_s: NonNegative
    lasts_s: Positive


class Stuck(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """For ``lasts_s`` the sensor repeats its last scan with fresh times."""

    at_s: NonNegative
    lasts_s: Positive


class Faults(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is wrong with a sensor, none of which its profile says.

    ``clock_offset_s`` and ``clock_drift_ppm`` go into the times that it states. ``latency_s`` and
    ``jitter_s`` (mean of an exponential) replace the model's. ``loss``: share of messages lost one by one.
    ``duplicate_share``: messages that come twice; ``late_share``: those that come out of order, by
    ``late_s`` on average. ``false_class``: what it calls everything that it sees.
    """

    azimuth_bias_deg: SmallTurn = 0.0
    elevation_bias_deg: Annotated[float, Meta(ge=-45.0, le=45.0)] = 0.0
    range_bias_m: Annotated[float, Meta(ge=-10_000.0, le=10_000.0)] = 0.0
    clock_offset_s: Annotated[float, Meta(ge=-86_400.0, le=86_400.0)] = 0.0
    clock_drift_ppm: Annotated[float, Meta(ge=-10_000.0, le=10_000.0)] = 0.0
    latency_s: Delay | None = None
    jitter_s: Delay | None = None
    loss: Probability = 0.0
    bursts: Bursts | None = None
    duplicate_share: Probability = 0.0
    late_share: Probability = 0.0
    late_s: Delay = 2.0
    reboots: tuple[Silence, ...] = ()
    stuck: tuple[Stuck, ...] = ()
    hot_spots: tuple[HotSpot, ...] = ()
    false_class: ObjectClass | None = None


class Sensor(Place, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One sensor on a mast of ``agl_m``; its place is ``enu_m``, or ``lat_deg`` and ``lon_deg``.

    ``facing_deg``: the middle of its sector, clockwise from true north. ``override``: figures of the model
    that are different here. The id is part of file names.
    """

    id: Slug
    model: str
    agl_m: Height = 3.0
    facing_deg: Bearing = 0.0
    override: dict[str, float] = field(default_factory=dict)
    faults: Faults = Faults()

    def __post_init__(self) -> None:
        """Raises ValueError, which a decoder turns into a refusal with file and line."""
        geodetic = (self.lat_deg, self.lon_deg)
        complete = geodetic == (None, None) if self.enu_m is not None else None not in geodetic
        if not complete:
            raise ValueError("a place is either enu_m = [east, north], or lat_deg and lon_deg together")
        model_of(self.model, self.override)
