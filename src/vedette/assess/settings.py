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


class UsualSpeeds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Median and spread of the speed at which each class of drone comes in, m/s (field notes, "Kinematic
    envelopes": FPV 25-45, camera quad 8-15, one-way fixed wing up to 51)."""

    fpv: tuple[Positive, Positive] = (33.0, 8.0)
    multirotor: tuple[Positive, Positive] = (13.0, 4.0)
    fixed_wing: tuple[Positive, Positive] = (35.0, 12.0)
    unknown: tuple[Positive, Positive] = (28.0, 12.0)


class Wind(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The wind where drones fly: its speed, m/s, and where it comes from, degrees clockwise from north."""

    speed_mps: NonNegative
    from_deg: float


class PerMobility(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One speed for each kind of unit, m/s."""

    foot: NonNegative
    vehicle: NonNegative
    post: NonNegative = 0.0


class AssessSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What surrounds the fitted model (`vedette.assess.model`): envelopes, floors, geometry of the levels.

    Metres, seconds, m/s, nats (natural log-odds). Speeds of drones: press figures gathered in the
    field notes (FPV up to 200 km/h, one-way fixed wing 185 km/h, camera quad about 20 m/s). Whatever
    is not one of those classes, birds and aircraft included, is given the fast envelope: a wrong
    label must not buy time for the attacker.
    """

    envelope_mps: Envelopes = Envelopes()
    usual_mps: UsualSpeeds = UsualSpeeds()
    wind: Wind | None = None
    """Absent where nobody measures it: then speeds through the air are taken to be those over ground."""

    unit_growth_mps: PerMobility = PerMobility(foot=2.0, vehicle=25.0)
    """How fast a unit may have left its last report (field notes, "Addressing")."""
    unit_growth_cap_m: Positive = 2000.0
    unit_speed_limit_mps: PerMobility = PerMobility(foot=8.0, vehicle=45.0)
    """A faster apparent motion is a jump of the position fix, not a velocity."""
    unit_coast_s: Positive = 10.0
    """A moving unit is carried on by its velocity for this long after its report."""
    max_units: Annotated[int, Meta(ge=1)] = 10_000

    course_wobble_deg: Positive = 7.0
    """One-sigma course error of a pilot who flies at a target."""
    course_outlier: Probability = 0.1
    """Share of the time in which an attacker's course says nothing (turns, feints)."""
    far_m: Positive = 3360.0
    """Farther off than 60 s at the press maximum of an FPV drone (56 m/s) there is no risk yet: the risk is
    that of the next 60 s (docs/threat-model.md)."""
    run_aim_nats: Positive = 18.0
    run_closing_mps: Positive = 8.0
    run_p50_s: Positive = 24.0
    run_height_m: Positive = 200.0
    run_drone: Probability = 0.58
    """A plain attack (`vedette.assess.runs`): about ten seconds and more on a course at the unit (`aim_10s`),
    so fast, so near in time, over it lower than this, and as likely a drone (motion alone calls nothing a
    bird or an aircraft with more than 0.4)."""
    run_sudden_aim_nats: Positive = 5.5
    run_sudden_closing_mps: Positive = 12.0
    run_sudden_p50_s: Positive = 15.0
    run_sudden_miss_m: Positive = 40.0
    run_sudden_m: Positive = 500.0
    """From close by three seconds of a course are enough, if that is as sure as it can be (`aim_3s`)."""
    run_long_aim_nats: Positive = 48.0
    run_last_aim_nats: Positive = 4.0
    """Slow and near, half a minute of such a course (`aim_30s`) that still goes on (`aim_3s`) is one too."""
    run_rough_closing_mps: Positive = 20.0
    run_rough_aim_nats: Positive = 12.0
    run_still_share: Probability = 0.6
    run_age_s: Positive = 8.0
    """By its places alone, where velocities are rough: faster than what watches, known for so long, and still
    coming at such a share of its mean speed."""
    run_overhead_aim_nats: Positive = 34.0
    run_overhead_m: Positive = 100.0
    run_overhead_miss_m: Positive = 30.0
    """A rough and slow one that came straight for half a minute (`aim_30s`) and will be overhead."""
    run_existence: Probability = 0.5
    """No rule lifts what is likelier not there."""
    strike_p50_s: Positive = 14.0
    """A plain attack that is there in so many seconds is IMMINENT."""
    coming_closing_mps: Positive = 3.0
    coming_most_s: Positive = 60.0
    coming_slack_s: Positive = 5.0
    """What closed in so fast, to pass within the danger radius, when it was detected last keeps its level
    for as long as it could still be about to arrive: the late bound of its time to the unit, so much at most,
    and this (`vedette.assess.coming`)."""
    lost_psd_m2ps3: Positive = 3.0
    """Density of the acceleration of what is carried on while nobody shows it: 5 m/s after 8 s."""
    lost_existence: Probability = 0.3
    """It is taken to be there with this probability at most, by which nothing rises to a WARNING."""
    lost_gate_m: Positive = 75.0
    """A track so near the place of one that is gone may be of the same body."""
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
    doubtful_floor: Probability = 0.45
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
    direction_near_nats: float = 1.5
    """What it is worth that such a body may be close, less by e for every ..."""
    direction_near_scale_m: Positive = 400.0
    """... metres it is farther off."""
    direction_warning_risk: Probability = 0.35
    direction_horizon_s: Positive = 60.0
    direction_warning_sigma_deg: Positive = 12.0
    """A direction that is more doubtful is no WARNING, and one that is more doubtful than ..."""
    direction_advisory_sigma_deg: Positive = 25.0
    """... this is told to the desk alone: two false bearings make a wedge that sweeps over everybody."""
    direction_same_deg: Positive = 12.0
    """A body that our own sensors place so near a direction is most likely what is heard there: sound is
    three seconds late at a kilometre, ..."""
    direction_fresh_s: Positive = 3.0
    """... if they have detected it within this time; ..."""
    direction_known_nats: float = -2.0
    """... which is worth so much, and keeps the direction at an ADVISORY."""
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

    sure_existence: Positive = 0.95
    """What the tracker holds to exist with this probability is taken to be there: above it, its figure tells
    how often it was detected, not how dangerous it is."""
    vague_height_m: Positive = 100.0
    """A height whose standard deviation is greater is none: to state one lifts nothing out of danger."""
    report_risk: Probability = 0.01
    tell_on_s: Positive = 60.0
    """A pair that was above INFO is reported for this long, however small its risk."""
    imminent_risk: Probability | None = None
    warning_risk: Probability | None = None
    advisory_risk: Probability | None = None
    watched_chance: Probability | None = None
    """Where a level begins; absent: where the model's own bars are (docs/threat-model.md)."""
    near_nats: NonNegative = 0.35
    near_closing_mps: Positive = 8.0
    near_p50_s: Positive = 12.0
    near_miss_m: Positive = 40.0
    """So much lower is the bar of WARNING for what is there within seconds on a course at the unit
    (docs/threat-model.md, "Rules")."""
    neighbour_m: Positive = 300.0
    neighbour_p50_s: Positive = 15.0
    """What comes at one unit within this time is no less a threat to those who stand so near to it."""
    imminent_closing_mps: Positive = 6.0
    imminent_p10_s: Positive = 30.0
    imminent_p50_s: Positive = 20.0
    """Farther off in time its course must hit, and not merely be doubtful enough to hit."""
    imminent_height_m: Positive = 300.0
    strike_height_m: Positive = 150.0
    """What our own sensors measure to pass higher is not IMMINENT: by its risk, by its straight flight."""
    collision_miss_m: Positive = 75.0
    overhead_m: Positive = 60.0
    overhead_speed_mps: Positive = 10.0
    overhead_mean_mps: Positive = 4.0
    """What is so near and so slow, now and by its places of the last ten seconds, hangs overhead."""
    overhead_drone: Probability = 0.5
    advisory_range_m: Positive = 350.0
    advisory_hang_mps: Positive = 3.0
    advisory_hang_s: Positive = 10.0
    advisory_gyration_m: Positive = 75.0
    """What hangs (its mean speed by places is below this, and it is known for so long), or loiters in so
    small a circle, within the range."""
    advisory_wound_turns: Positive = 0.2
    advisory_even: Positive = 0.35
    """What has gone round the unit by this share of a turn, its distances differing by no more than this."""
    advisory_near_m: Positive = 200.0
    advisory_speed_mps: Positive = 8.0
    advisory_mean_mps: Positive = 5.0
    """What is slower than this, relative to the unit, stays near it rather than passes: by its velocity, less
    one sigma where it is rough, or by its places."""
    advisory_closing_mps: Positive = 3.0
    advisory_aim_nats: Positive = 8.0
    advisory_drone: Probability = 0.45
    warning_drone: Probability = 0.4
    imminent_drone: Probability = 0.51
    """Below this belief that it is a drone at all, its risk alone does not reach the level. IMMINENT asks for
    more than the floors leave to what is called harmless (`danger_drone_floor`, `aircraft_floor`)."""

    hold_s: Positive = 20.0
    """A level is lowered after this time below its band, never sooner (ISA-18.2 off-delay)."""
    hold_stretch: Positive = 1.25
    """Distances and times are this much larger for keeping a level than for reaching it."""

    loiter_window_s: Positive = 30.0
    loiter_span_s: Positive = 20.0
    loiter_gyration_m: Positive = 150.0
    loiter_latch_s: Positive = 120.0
