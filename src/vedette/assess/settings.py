"""What the assessment may be tuned by, each figure with its source."""

from typing import Annotated

from msgspec import Meta, Struct

from vedette.model.detection import NonNegative, Positive, Probability


class Envelopes(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The highest speed of each class of drone, m/s; ``unknown`` is used for all that is not named."""

    multirotor: Positive = 20.0
    fpv: Positive = 56.0
    fixed_wing: Positive = 51.0
    unknown: Positive = 56.0


class PerMobility(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One speed for each kind of unit, m/s."""

    foot: NonNegative
    vehicle: NonNegative
    post: NonNegative = 0.0


class AssessSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Defaults are set by hand, not fitted: they order threats, they are not measured frequencies.

    Metres, seconds, m/s, nats (natural log-odds). Speeds of drones: press figures gathered in the
    field notes (FPV up to 200 km/h, one-way fixed wing 185 km/h, camera quad about 20 m/s). Whatever
    is not one of those classes, birds and aircraft included, is given the fast envelope: a wrong
    label must not buy time for the attacker.
    """

    envelope_mps: Envelopes = Envelopes()

    unit_growth_mps: PerMobility = PerMobility(foot=2.0, vehicle=25.0)
    """How fast a unit may have left its last report (field notes, "Addressing")."""
    unit_growth_cap_m: Positive = 2000.0
    unit_speed_limit_mps: PerMobility = PerMobility(foot=8.0, vehicle=45.0)
    """A faster apparent motion is a jump of the position fix, not a velocity."""
    unit_coast_s: Positive = 10.0
    """A moving unit is carried on by its velocity for this long after its report."""
    max_units: Annotated[int, Meta(ge=1)] = 10_000

    horizon_s: Positive = 60.0
    horizon_softness_s: Positive = 8.0
    turn_in_probability: Probability = 0.15
    """Share of the reach that assumes the drone turns in now, at the speed of its envelope."""

    course_wobble_deg: Positive = 7.0
    """One-sigma course error of a pilot who flies at a target."""
    course_outlier: Probability = 0.1
    """Share of the time in which an attacker's course says nothing (turns, feints)."""
    course_memory_s: Positive = 3.0
    course_weight: Positive = 1.5
    prior_nats: float = -2.5
    speed_nats: float = 2.0
    speed_middle_mps: Positive = 12.0
    speed_width_mps: Positive = 3.0
    near_nats: float = 1.5
    near_scale_m: Positive = 400.0
    loiter_nats: float = 1.0
    dive_nats: float = 1.2
    dive_onset_mps: Positive = 3.0
    verified_nats: float = -0.7
    contradicted_nats: float = 1.0

    drone_floor: Probability = 0.15
    """No class label takes the belief "this is a drone" below this."""
    danger_radius_m: Positive = 300.0
    danger_closing_mps: Positive = 12.0
    danger_drone_floor: Probability = 0.5
    """The floor for an object that closes fast inside the danger radius (DESIGN law 3)."""

    aircraft_floor: Probability = 0.45
    """Belief "drone" that remains inside the danger radius of whatever is called an aircraft and closes
    slowly or not: enough for ADVISORY and, on a course that hits, WARNING; too little for IMMINENT."""
    doubtful_floor: Probability = 0.5
    """The same outside it for a verified aircraft that flies as a drone could."""
    aircraft_nats: NonNegative = 4.0
    """How much the word of a verified aircraft weighs against a drone."""
    aircraft_speed_mps: Positive = 60.0
    """What is surely (two sigma) faster over ground is no small drone: FPV up to 56 m/s (field notes)."""
    aircraft_height_m: Positive = 500.0
    """What will surely pass higher over the unit is where aircraft fly: 500 ft is the least height of
    flights by sight (SERA.5005(f)(2)), 120 m the highest of open-category drones (EU 2019/947,
    UAS.OPEN.010), and attack drones come in below 500 m."""

    direction_nats: float = -1.5
    """Prior of a body that is heard by direction only. It is a drone already, or no wedge would stand."""
    direction_speeds_mps: tuple[Positive, ...] = (12.0, 25.0, 40.0)
    """Speeds at which it may come: the bands of the field notes, section 1.2."""
    direction_hover_share: Annotated[float, Meta(gt=0.0, lt=1.0)] = 0.3
    """Share of such bodies that hang or circle somewhere: their direction holds as well."""
    direction_existence: Probability = 0.5
    direction_reach: Probability = 0.2
    """Least share of the distances it may be at from which the unit can be reached."""

    raid_span_s: Positive = 30.0
    """Drones that may be at one unit within this time of each other come together."""
    raid_apart_deg: Positive = 60.0
    """Bearings farther apart than this are two directions to take cover from."""

    launch_window_s: Positive = 10.0
    """A track's first seconds, from which its launch is carried back (field notes, "Launch point")."""
    launch_looks: Annotated[int, Meta(ge=2)] = 3
    launch_climb_mps: Positive = 2.0
    """A slow climb: the slower, the farther away it may have been launched. A judgement."""
    launch_height_m: Positive = 80.0
    """Height to assume where none is known: the tracker's prior (field notes of tracking)."""
    launch_sigma_deg: Positive = 30.0
    """How far the way back may lie off the reverse of the first course, one sigma. A judgement."""
    launch_least_m: Positive = 100.0

    report_risk: Probability = 0.01
    tell_on_s: Positive = 60.0
    """A pair that was above INFO is reported for this long, however small its risk."""
    warning_risk: Probability = 0.35
    imminent_risk: Probability = 0.5
    warning_closing_mps: Positive = 6.0
    imminent_p10_s: Positive = 30.0
    collision_miss_m: Positive = 75.0
    overhead_m: Positive = 75.0
    overhead_speed_mps: Positive = 10.0
    overhead_drone: Probability = 0.5
    advisory_range_m: Positive = 500.0
    advisory_closing_mps: Positive = 3.0
    advisory_drone: Probability = 0.4
    loiter_range_m: Positive = 1500.0

    hold_s: Positive = 20.0
    """A level is lowered after this time below its band, never sooner (ISA-18.2 off-delay)."""
    hold_risk_band: Probability = 0.2
    hold_stretch: Positive = 1.25
    """Distances and times are this much larger for keeping a level than for reaching it."""

    loiter_window_s: Positive = 30.0
    loiter_span_s: Positive = 20.0
    loiter_gyration_m: Positive = 150.0
    loiter_latch_s: Positive = 120.0
