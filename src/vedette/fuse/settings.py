"""Everything of the tracker that may be tuned, with its unit in its name."""

import math

from msgspec import Struct, structs

from vedette.model.detection import Positive, Probability
from vedette.model.errors import ConfigError

LATE_WINDOW_S = 8.0
"""Detections up to this much older than station time are still fused; `settled` lies this far back."""

FUTURE_S = 1.0
"""A sensor's clock may be this far ahead of the station's before its times are held at station time."""


class FuseSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tunables of the tracker. ConfigError when two of them contradict each other."""

    straight_psd_m2ps3: tuple[Positive, Positive] = (2.0, 0.3)
    """Acceleration densities, horizontal and vertical, of the three models by which a body may move
    (`vedette.fuse.imm`): straight on ..."""
    agile_psd_m2ps3: tuple[Positive, Positive] = (160.0, 4.0)
    """... manoeuvring: 160 stands for 1.5 g held for two thirds of a second ..."""
    hover_psd_m2ps3: tuple[Positive, Positive] = (4.0, 1.0)
    hover_decay_s: Positive = 2.5
    """... or coming to a stop within this time."""
    sojourn_s: tuple[Positive, Positive, Positive] = (5.0, 4.0, 6.0)
    """Mean time that a body goes on as it does: straight, manoeuvring, hovering."""
    accel_psd_horizontal_m2ps3: Positive = 30.0
    """White-noise acceleration (Bar-Shalom, Li, Kirubarajan 2001, section 6.2.2). 30 stands for a drone
    that turns at about 1 g for two thirds of a second: fast enough for an FPV, loose for a hover."""
    accel_psd_vertical_m2ps3: Positive = 5.0
    birth_speed_sigma_mps: Positive = 20.0
    birth_climb_sigma_mps: Positive = 4.0

    prior_height_m: float = 80.0
    """Height above the site where no usable height was given: N(80, 60), the spread of small drones."""
    prior_height_sigma_m: Positive = 60.0

    default_horizontal_sigma_m: Positive = 30.0
    default_vertical_sigma_m: Positive = 30.0
    default_velocity_sigma_mps: Positive = 3.0
    default_range_sigma_m: Positive = 15.0
    default_azimuth_sigma_deg: Positive = 1.0
    default_elevation_sigma_deg: Positive = 2.0
    default_range_rate_sigma_mps: Positive = 1.0
    cooperative_floor_m: Positive = 10.0
    """No broadcast position is trusted better than this, whatever accuracy it states."""
    cooperative_velocity_floor_mps: Positive = 1.0
    widest_sigma_m: Positive = 1000.0
    """A stated accuracy worse than this is held here: a drone cannot hide by calling itself inaccurate."""
    cooperative_height_m: tuple[float, float] = (-300.0, 500.0)
    """A broadcast height farther from the site's than this is left out: a drone must not step out of a
    danger radius by stating 5000 m. What it stands for then is the prior's height, which warns."""
    reach_m: Positive = 200_000.0
    """Positions farther from the site are not fused."""

    aircraft_reach_m: Positive = 60_000.0
    """Aircraft that report themselves from farther off are not followed: four minutes at 250 m/s."""
    aircraft_height_m: tuple[float, float] = (-500.0, 20_000.0)
    """Heights over the site at which an aircraft may state to be."""
    aircraft_prior_height_m: float = 5000.0
    aircraft_prior_height_sigma_m: Positive = 5000.0
    """Height over the site of an aircraft that states none."""
    barometric_sigma_m: Positive = 150.0
    barometric_sigma_share: Probability = 0.04
    """A barometric height is one in the ICAO standard atmosphere (Doc 7488/3: 1013.25 hPa and 15 degrees
    at sea level, 8.3 m for each hPa there). Air pressure 30 hPa off makes 250 m, air 11 degrees off makes
    4 % of the height; as one sigma: this, and this share of the height."""
    unknown_geoid_sigma_m: Positive = 60.0
    """Doubt of a height between mean sea level and ellipsoid where the site has no geoid_height_m; EGM96
    lies between -107 and +86 m (NIMA TR8350.2, 3rd edition, clause 6)."""
    aircraft_latency_s: Positive = 0.6
    """An aircraft may be this far ahead of the position it states (14 CFR 91.227(e): uncompensated
    latency of ADS-B at most 0.6 s). Half of it counts as one sigma of each position."""
    second_body_m: Positive = 500.0
    """Another body this near an aircraft, and the aircraft's word is not believed of either."""
    aircraft_agreement_s: Positive = 3.0
    """Place and velocity of an aircraft and of a body must agree for at least this long."""
    fastest_mps: Positive = 350.0
    """Stated velocities above this are left out; the position is still used."""

    impossible_speed_mps: Positive = 120.0
    """An identity that jumps faster than this between two reports is two bodies, one of them false."""
    bodies_per_identity: int = 4
    """Further bodies of one identity are tracked without a name: a thief of names must not be able to
    use them up and so hide the drone that bears the name."""
    strangers_to_contradict: int = 3
    """Reports under so many other names make a track's name contradicted."""
    repeat_s: Positive = 0.5
    """The same claim with the same measure within this time is one broadcast heard again."""

    report_likelihood_ratio: Positive = 20.0
    """How much likelier a further report is from a body that exists than from nothing, with a claim."""
    anonymous_likelihood_ratio: Positive = 5.0
    stranger_likelihood_ratio: Positive = 2.0
    """The same for a report that came under another name than the track's: much more often a coincidence."""
    crowd: int = 100
    """More tentative tracks than this are a flood, in which coincidences abound ..."""
    crowded_stranger_likelihood_ratio: Positive = 1.3
    """... so that it takes six such reports in place of three to confirm a body."""
    birth_existence_claimed: Probability = 0.5
    """One plot alone makes no body more likely than this, whatever the densities say: they are models."""
    birth_existence_anonymous: Probability = 0.2
    arrivals_per_m2s: Positive = 2e-9
    """New bodies a second and square metre in view of a searching sensor: one in 20 s in 5 km x 5 km."""
    first_density_per_m2: Positive = 2e-8
    """Bodies that are there when a searching sensor looks for the first time: one in 7 km x 7 km."""
    most_density_per_m2: Positive = 4e-7
    """What is not seen does not become denser than this, however long nobody looks."""
    birth_least_existence: Probability = 1e-5
    """A plot that is a new body with less probability is none."""
    least_clutter_per_scan: Positive = 0.1
    """False plots of a searching sensor that states none, or fewer."""
    bearing_clutter_per_scan: Positive = 2.0
    """False bearings of a direction finder that states none: other emitters abound."""
    stay_s: Positive = 60.0
    """Mean time that a body stays: its existence falls so while nothing is heard of it."""
    least_clutter_per_m2: Positive = 1e-9
    silence_grace_s: Positive = 3.0
    """Existence starts to fall this long after the last used detection ..."""
    silence_time_constant_s: Positive = 20.0
    """... by a factor e in this time: a body heard only by its reports ends after about a minute."""
    confirm_existence: Probability = 0.8
    drop_existence: Probability = 0.05
    forget_existence: Probability = 0.3
    """A body that a searching sensor sees no more is no longer shown below this, but kept in mind ..."""
    prune_existence: Probability = 1e-5
    """... until this."""

    belief_temper: Probability = 0.7
    """Exponent on each sensor's stated class beliefs: sensors are neither independent nor calibrated."""
    verify_agreements: int = 5
    """Independent plots that must agree with a claimed track before its claim counts as verified."""
    agreement_life_s: Positive = 10.0
    contributor_life_s: Positive = 10.0
    merge_distance: Positive = 4.0
    """Squared Mahalanobis distance below which two tracks may be one body ..."""
    merge_seconds: int = 3
    """... if it stays so for this many whole seconds."""

    max_tracks: int = 2000
    max_aircraft: int = 500
    """Aircraft that report themselves have a table of their own."""
    max_detections_per_sensor_second: int = 2000
    """The second half of it is kept for identities that confirmed tracks are bound to ..."""
    max_reports_per_identity_second: int = 20
    """... and of these, this much for each."""
    tentative_share: Probability = 0.1
    """Share of a full table of tracks that is left to those that are not confirmed yet."""
    replay_budget_per_s: int = 4_000
    """Detections that may be processed again per second because older ones came late; as many again for
    the reports of aircraft."""

    def __post_init__(self) -> None:
        for name in structs.fields(type(self)):
            value = getattr(self, name.name)
            if isinstance(value, float) and not math.isfinite(value):
                raise ConfigError(f"fuse setting {name.name} is {value}: give a finite number")
        for name_ in ("cooperative_height_m", "aircraft_height_m"):
            lowest, highest = getattr(self, name_)
            if not -math.inf < lowest < highest < math.inf:
                raise ConfigError(f"fuse setting {name_}: give two heights, the lower one first")
        if not self.drop_existence < self.confirm_existence < 1.0:
            raise ConfigError(
                "fuse settings: drop_existence must be below confirm_existence, and that below 1"
            )
        for name_ in (
            "max_tracks",
            "max_aircraft",
            "max_detections_per_sensor_second",
            "max_reports_per_identity_second",
            "bodies_per_identity",
            "merge_seconds",
        ):
            if getattr(self, name_) < 1:
                raise ConfigError(f"fuse setting {name_} must be at least 1")
        if self.replay_budget_per_s < 0 or self.verify_agreements < 1:
            raise ConfigError("fuse settings: replay_budget_per_s must be >= 0 and verify_agreements >= 1")


def for_aircraft(settings: FuseSettings) -> FuseSettings:
    """The same, as they stand for aircraft that report themselves: fast, high, and in a smaller table."""
    return structs.replace(
        settings,
        reach_m=settings.aircraft_reach_m,
        prior_height_m=settings.aircraft_prior_height_m,
        prior_height_sigma_m=settings.aircraft_prior_height_sigma_m,
        impossible_speed_mps=max(settings.impossible_speed_mps, settings.fastest_mps),
        max_tracks=settings.max_aircraft,
    )
