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

    straight_psd_m2ps3: tuple[Positive, Positive] = (2.0, 1.0)
    """Acceleration densities, horizontal and vertical, of the three models by which a body may move
    (`kernels.imm`): straight on ..."""
    agile_psd_m2ps3: tuple[Positive, Positive] = (160.0, 4.0)
    """... manoeuvring: 160 stands for 1.5 g held for two thirds of a second ..."""
    hover_psd_m2ps3: tuple[Positive, Positive] = (4.0, 1.0)
    hover_decay_s: Positive = 1.5
    """... or coming to a stop within this time."""
    climb_decay_s: tuple[Positive, Positive, Positive] = (20.0, 10.0, 1.0)
    """No climb and no dive lasts: the vertical velocity of each model falls off so. With the densities its
    sigma is 3.2, 4.5 and 0.7 m/s. Shorter times err less with what flies level, and show a dive at 10 m/s up
    to 100 m too high; these show it about as high as a velocity that does not fall off. A judgement."""
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
    least_sigma: Positive = 0.01
    """Metres, degrees or metres a second. No accuracy is taken for better than this: a drone is larger, and
    beside what is not known covariances would lose their last digits. A judgement."""
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

    claim_hold_s: Positive = 3.0
    """For this long after a sensor measured a body's place (at least for one and a half of its periods) no
    report moves it: the estimate that claims are tested against is of independent sensors alone ..."""
    doubted_claim_hold_s: Positive = 10.0
    """... and for this long where the body's claim is not bound to it by evidence. Both are judgements."""
    claim_latency_s: Positive = 1.0
    """A report may be this old; half of it counts as one sigma of the way a body makes in it. Remote ID is
    sent once a second or more often (ASTM F3411-22a); the rest is a judgement."""
    claim_reach_m: Positive = 300.0
    """The sender of a claim that is not this body's is as likely anywhere within this distance."""
    claim_bound: Probability = 0.99
    """From this probability on that the body sends it, a claim is bound to the body ..."""
    claim_unbound: Probability = 0.2
    """... until it falls below this (field notes on tracking, section 4)."""
    claim_most_nats: Positive = 6.0
    """The log-odds of a claim are held within this, so that they can turn ..."""
    claim_most_loss_nats: Positive = 5.0
    """... and one report takes no more than this off: two outliers unbind, one does not."""
    claim_silence_s: Positive = 2.5
    """A body that has not sent a fitting report for this long is not one of two that send the claim."""
    claim_apart_nats: Positive = 10.0
    """A claim that leaves its body without an impossible jump is doubted when looks have shown the body
    elsewhere since by so much (natural logarithm of the odds, 20,000 to 1): the plots of the track may be
    false ones, which it followed away from the body ..."""
    claim_clearer_nats: Positive = 1.0
    """... and a report is of the body that foretold it better by this, where the claim of the other one is in
    doubt."""
    bearing_slack_deg: Positive = 3.0
    """A finder may be turned by so much without anybody's knowing: no claim is doubted for less."""
    bearings_to_doubt: int = 3
    """So many bearings of what sends a claim, one after the other, past all that bears it: one is an echo."""
    suits: int = 4
    """So many further names are held to be possibly a body's."""
    frozen_s: Positive = 6.0
    """A place that is repeated to the bit for this long ..."""
    frozen_least_speed_mps: Positive = 2.0
    """... with a stated speed above this is not where the sender is. Judgements."""
    bodily_prior: Probability = 0.5
    """What only reports itself has a body that a searching sensor can see with this probability ..."""
    parted_bodily_prior: Probability = 0.9
    """... or with this one, if it goes on where a body was that bore its name, and that body's track may have
    been led away (a judgement: mostly it was) ..."""
    ghost_most_detection_probability: Probability = 0.7
    """... which falls with each look that misses it, none of which counts for more than this: a small drone
    near the limit of a radar is missed more often than its profile says. A judgement."""
    ghost_below: Probability = 0.005
    """Below this it is called a ghost: after five looks at 0.7, six at 0.6."""

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
    crossing_apart_s: Positive = 1.5
    """Looks of two sensors that lie this far apart at most may show the same body."""
    crossing_widest_m: Positive = 1500.0
    """No hypothesis is made where directions cross so flat that a place is not known better than this
    (one sigma) ..."""
    crossing_sigma_m: Positive = 350.0
    """... and none is shown as a place that is not known better than this. Both are judgements."""
    crossing_least_existence: Probability = 3e-4
    """A crossing that is a body with less probability is forgotten."""
    max_crossings: int = 100
    max_rays: int = 100
    """Rays of one sensor."""
    max_bearings: int = 96
    """Bearings of one look that may be of bodies that are not tracked: those likeliest to be are taken."""
    max_crossing_bearings: int = 24
    """Bearings of one look that are crossed with those of other sensors: where there are more, those that
    continue a ray."""
    bearing_least_unclaimed: Probability = 0.005
    """A bearing that belongs to no track with less probability founds nothing."""
    blind_share: Probability = 0.05
    """A searching sensor may be blind in a place where its profile says that it sees; a judgement."""
    silent_sensor_s: Positive = 5.0
    """Rays of a sensor that has not looked for so long are not shown any more; a judgement."""
    silent_body_s: Positive = 2.5
    """Nor are bodies known by directions alone that nobody has heard for so long, or for two and a half looks
    of a slow sensor, but at most ``silent_sensor_s``: by then a drone at 20 m/s is 50 m farther on. A
    judgement."""
    support_memory_s: Positive = 8.0
    """What finders say of the place of a body that is known by directions alone fades in this time by a
    factor e. Such a place is not shown, but its directions are, ..."""
    support_least_share: Probability = 0.6
    """... while one of the finders that should hear it hears less than this share of its due, in bearings of
    its own ..."""
    support_most_sigmas: Positive = 2.5
    """... or the mean of one's innovations is farther from zero than this ..."""
    support_least_existence: Probability = 0.5
    """... or it is likelier that there is nothing at all ..."""
    support_again: Probability = 0.8
    """... until both are within this share of what they may be, and it is confirmed anew. Judgements, tuned
    on seeds 3 to 8 and 31 to 42 of the shared benchmark without its radar."""
    directions_height_m: float = 100.0
    directions_height_sigma_m: Positive = 125.0
    """Height over the site that is stated of a body known by azimuths alone: the median of all heights
    that are expected here (`looks`: 0.7 N(80, 60) and 0.3 from 0 to 500 m), which errs least, and the root
    mean square about it. Half of drones as the rule has it (0 to 120 m: (EU) 2019/947, UAS.OPEN.010) and half
    up to 500 m have their median at 97 m. Nothing else hangs on it: what is tracked holds
    ``prior_height_m``."""
    ray_least_existence: Probability = 1e-3
    ray_psd_rad2ps3: Positive = 3e-5
    """Density of angular acceleration: 30 m2/s3 at 1 km."""
    ray_rate_sigma_radps: Positive = 0.05
    """Of an azimuth's rate, before it is known: 20 m/s at 400 m."""
    ray_elevation_psd_rad2ps: Positive = 1e-5
    """An elevation's variance grows so fast: 1 degree in 30 s."""
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

    view_memory_s: Positive = 10.0
    """So long it is remembered that a body of whose place a part is out of view was missed: it is then in
    that part, and further misses say little. About as long as a drone needs to cross a valley."""
    terrain_sigma_m: Positive = 8.0
    """Error of an elevation model, one sigma: SRTM errs by 16 m at 90 % at most (Farr et al., "The Shuttle
    Radar Topography Mission", Reviews of Geophysics 45, 2007)."""

    clutter_memory_s: Positive = 120.0
    """What was learnt of false plots fades in this time by a factor e: rain passes, a road wakes up."""
    clutter_prior_scans: Positive = 10.0
    """So many looks of a sensor weigh as much as what its profile states of false plots ..."""
    clutter_prior_plots: Positive = 4.0
    """... and so many plots in one cell as much as what is known of the sensor as a whole."""
    clutter_proof_s: Positive = 10.0
    """In a cell with many plots a track is believed to be a body by a factor e more after this time."""
    clutter_multiple: tuple[Positive, Positive] = (0.1, 3000.0)
    """What is learnt is held between these multiples of what is stated."""

    least_reports_per_m2s: Positive = 8e-9
    """Nameless reports of no body, a second and square metre, in quiet times: one in 5 s in 5 km x 5 km."""
    reports_per_s: Positive = 1.0
    """How often a body that reports itself without a name does so, mostly ..."""
    most_reports_per_s: Positive = 5.0
    """... and at the most."""
    report_memory_s: Positive = 10.0
    """Such reports are counted over this time ..."""
    report_prior_s: Positive = 2.0
    """... and at first as if they had been counted for this long ..."""
    free_reports: Positive = 50.0
    """... but so many of them are no flood: a swarm may come."""

    belief_temper: Probability = 0.7
    """Exponent on each sensor's stated class beliefs: sensors are neither independent nor calibrated."""
    verify_agreements: int = 5
    """Independent plots that must agree with a claimed track before its claim counts as verified."""
    agreement_life_s: Positive = 10.0
    contributor_life_s: Positive = 10.0
    wind_mps: tuple[float, float] = (0.0, 0.0)
    """Wind, to the east and to the north, that is taken off when a body's speed is held against those of
    birds, fixed wings and the like (`vedette.fuse.classes`) ..."""
    wind_sigma_mps: Positive = 4.0
    """... and how much of it is not known, in each component. 4 m/s: nobody says the wind, and it blows
    moderately (Beaufort 3 to 4)."""
    speed_sojourn_s: Positive = 20.0
    """Mean time that a body keeps its speed. A judgement, the same for all classes, so that steadiness
    alone speaks for none."""
    speed_error_s: Positive = 2.0
    """Time over which the error of an estimated speed lasts: each second counts for one part in so many."""
    speed_blur_mps: Positive = 1.5
    """Error of an estimated velocity beyond what its covariance says: no body moves just as the models do."""
    nature_memory_s: Positive = 1800.0
    """Mean time after which a track is another body than it was, by a wrong association: what was learnt of
    its class fades so, and can turn."""
    voice_rise_s: Positive = 2.0
    voice_fall_s: Positive = 10.0
    """Time constants by which a body that is heard counts as one that sends, and one that is not as silent:
    one bearing may be another's, but what sent a moment ago is no bird."""
    bird_detection_share: Probability = 0.65
    """Part of its stated probability of detection with which a radar sees a bird: songbirds have 0.001 m2,
    small drones and pigeons 0.01. A judgement."""
    faint_share: Probability = 0.03
    """Part of new tracks that are taken for such faint bodies before any was seen to flicker. A judgement,
    and far below the part of birds, for else false tracks would be held for faint bodies and last ..."""
    faint_bodies: Positive = 5.0
    """... which weighs as much as so many bodies that are known: where many flicker, new ones may too."""
    flicker_memory_looks: Positive = 30.0
    flicker_temper: Probability = 0.5
    flicker_most_nats: Positive = 1.0
    """How long looks are remembered, how much of their evidence counts (echoes fade for longer than a look),
    and how much of it at most."""
    height_temper: Probability = 0.5
    """Exponent on what a height says of the class: the ground below is not at the site's height."""
    harmless_by_motion: Probability = 0.4
    """However much a body flies like a bird or an aircraft, it is believed to be one with no more than this,
    unless a sensor says so: 0.6 are left for a drone, which leaves every warning possible (`assess` asks a
    risk of 0.5 for the highest)."""
    merge_distance: Positive = 4.0
    """Squared Mahalanobis distance below which two tracks may be one body ..."""
    merge_seconds: int = 3
    """... if it stays so for this many whole seconds."""

    register_azimuth_sigma_deg: Positive = 3.0
    register_clock_sigma_s: Positive = 0.5
    """How far a sensor is off that is not set up well (a judgement: a compass that iron turned, a clock that
    nobody disciplines) ..."""
    register_well_turned_deg: Positive = 0.3
    register_well_timed_s: Positive = 0.03
    """... and one that is (a judgement: sighted on a landmark; disciplined by NTP over a radio link)."""
    register_azimuth_drift_deg: Positive = 0.1
    register_clock_drift_s: Positive = 0.02
    """What becomes of it in a minute: masts turn in the sun, clocks drift (a judgement)."""
    register_emits: Probability = 0.9
    """A body that sends with less than this probability is no witness for the only finder; where there are
    more of them, another one must have heard it: birds are none."""
    register_share: Probability = 0.75
    """Of what a second of plots says, as if errors were independent, so much is believed: they are not (a
    judgement, by the errors that were measured in units of the stated sigmas)."""
    register_existence: Probability = 0.8
    """Bodies less sure than this are not used to compare sensors. Not more: a sharp finder that should hear a
    body and does not leaves it at 0.94, or 0.83 if that is so twice; one that is turned would do away with
    all its witnesses ..."""
    register_tracks: int = 8
    """... and of the others no more than this each second, those that are known best."""
    register_least_bodies: int = 2
    """Nothing is corrected by a single body: it might send from elsewhere than it flies."""
    register_leader_bodies: int = 3
    """Of a radar, which tracks follow, not by fewer than this, nor without two other sensors that agree."""
    register_least_compared: int = 40
    """Nor before so many plots of the sensor could be compared ..."""
    register_lasting_s: Positive = 10.0
    """... nor before it was significant for so long without a break ..."""
    register_proof: Positive = 5.0
    register_leader_proof: Positive = 10.0
    """... and what came after it was found is likelier with it than without it by this (natural logarithms,
    of a finder and of a radar; 5 is about 150 to 1); the correction ends where half of it is left."""
    register_sigmas: Positive = 3.0
    """A bias of a sensor is corrected when it is beyond this many of its own sigmas ..."""
    register_least_azimuth_deg: Positive = 0.4
    register_least_clock_s: Positive = 0.05
    """... and large enough to matter; until it is below half of both."""
    register_most_azimuth_deg: Positive = 15.0
    register_most_clock_s: Positive = 2.0
    """What is more is never corrected: somebody must see to the sensor."""

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
        for name_ in ("cooperative_height_m", "aircraft_height_m", "clutter_multiple"):
            lowest, highest = getattr(self, name_)
            if not -math.inf < lowest < highest < math.inf:
                raise ConfigError(f"fuse setting {name_}: give two numbers, the lower one first")
        if not all(map(math.isfinite, self.wind_mps)):
            raise ConfigError("fuse setting wind_mps: give two finite numbers, to the east and to the north")
        if self.wind_sigma_mps < 1.0:
            raise ConfigError("fuse setting wind_sigma_mps: give 1 m/s or more, for no wind is known better")
        if not 0.34 <= self.harmless_by_motion <= 1.0:
            raise ConfigError("fuse setting harmless_by_motion must be between 0.34 and 1")
        if not (0.0 < self.bird_detection_share < 1.0 and self.faint_share < 1.0):
            raise ConfigError(
                "fuse settings: bird_detection_share must be above 0 and below 1, faint_share below 1"
            )
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
            "suits",
            "bearings_to_doubt",
            "merge_seconds",
        ):
            if getattr(self, name_) < 1:
                raise ConfigError(f"fuse setting {name_} must be at least 1")
        if not 0.0 < self.claim_unbound < self.claim_bound < 1.0:
            raise ConfigError("fuse settings: claim_unbound must be below claim_bound, both within 0 and 1")
        if not 0.0 < self.ghost_below < self.bodily_prior < 1.0:
            raise ConfigError("fuse settings: ghost_below must be below bodily_prior, both within 0 and 1")
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
