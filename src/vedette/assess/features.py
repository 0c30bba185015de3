"""What the risk of a pair is computed from: all features, in the order in which the kernel fills them.

Each depends on the track alone (``of`` is "track"), or on the pair. A feature may be unknown, which is NaN:
a height that nobody gave is not 0.
"""

from typing import Literal, NamedTuple

import numpy as np

from vedette.assess.columns import Floats
from vedette.assess.kernels import pairs
from vedette.assess.settings import AssessSettings

Of = Literal["track", "pair"]


class Feature(NamedTuple):
    """Its name, its unit ("1": none), and what it means, in one line."""

    name: str
    unit: str
    meaning: str
    of: Of


_TRACK = (
    ("speed_mps", "m/s", "horizontal speed over ground"),
    ("airspeed_mps", "m/s", "horizontal speed through the air, where the wind is known; else over ground"),
    ("climb_mps", "m/s", "vertical speed, up positive; unknown where its height is"),
    ("speed_gain_mps2", "m/s2", "how fast its speed over ground grows, over the last 3 s"),
    ("speed_over_mean", "1", "its speed over its own mean of 30 s"),
    ("speed_jump_30s", "m/s", "its speed less its own mean of 30 s"),
    ("climb_jump_10s", "m/s", "its vertical speed less its own mean of 10 s"),
    ("turn_dps", "deg/s", "rate of turn over the last 3 s, clockwise positive; 0 where it hardly moves"),
    ("straight_10s", "1", "displacement over path, 10 s: 1 straight, 0 round and round"),
    ("straight_30s", "1", "the same over 30 s"),
    ("straight_change", "1", "straight_10s less straight_30s"),
    ("steady_5s", "1", "steadiness of its heading, 5 s: 1 where it did not change"),
    ("gyration_30s", "m", "root mean square distance from its own mean place, 30 s"),
    ("loiters", "1", "1 if it stays in one area, or did within the latch time"),
    ("stayed_s", "s", "for how long it stayed in one area"),
    ("age_s", "s", "seconds since it was first looked at"),
    ("log_fpv", "nats", "logarithm of the belief that it is an FPV drone, at least log 0.001"),
    ("log_multirotor", "nats", "the same for a multirotor"),
    ("log_fixed_wing", "nats", "the same for a fixed wing"),
    ("log_bird", "nats", "the same for a bird"),
    ("log_aircraft", "nats", "the same for an aircraft"),
    ("existence", "1", "the tracker's probability that it is there"),
    ("trust", "1", "1: its name was verified by sensors, -1: contradicted, 0: neither"),
    ("unseen_s", "s", "seconds since it was last detected"),
)

_PAIR = (
    ("unit_mps", "m/s", "speed of the unit"),
    ("unit_sigma_m", "m", "uncertainty of the unit's place, growth with age included"),
    ("range_m", "m", "horizontal distance"),
    ("slant_m", "m", "distance in space; horizontal where a height is not known"),
    ("height_m", "m", "height above the unit, unknown where either height is"),
    ("height_share", "1", "height over the greatest so far, at least 10 m; unknown where height_m is"),
    ("nearest_now_m", "m", "distance in space to where the unit may be at worst"),
    ("closing_mps", "m/s", "how fast the horizontal distance shrinks"),
    ("closing_share", "1", "closing over relative speed: 1 flies at it, -1 away from it"),
    ("rel_speed_mps", "m/s", "horizontal speed relative to the unit"),
    (
        "miss_m",
        "m",
        "horizontal distance at the closest approach, on its course; the distance if not closing",
    ),
    ("miss_sigma_m", "m", "uncertainty of that"),
    ("tcpa_s", "s", "time to the closest approach, 0 if not closing"),
    ("drift_dps", "deg/s", "how fast its bearing from the unit turns"),
    ("course_error_deg", "deg", "angle between its relative course and the unit"),
    ("course_sigmas", "1", "the same over its uncertainty"),
    ("angle_3d_deg", "deg", "angle in space between its course and the unit; unknown without heights"),
    (
        "dive_angle",
        "1",
        "steepness of its descent over that of the line to the unit; unknown without heights",
    ),
    ("p50_s", "s", "time to the unit at its closing speed, 600 at most"),
    ("p10_s", "s", "early bound of that, one in ten"),
    ("earliest_s", "s", "time to the unit at the speed of its envelope"),
    ("reach_15s", "1", "chance that it could be at the unit within 15 s, should it turn in now"),
    ("reach_30s", "1", "the same within 30 s"),
    ("reach_60s", "1", "the same within 60 s"),
    ("reach_120s", "1", "the same within 120 s"),
    ("aim_now", "nats", "log-likelihood ratio of its course now: flies at the unit, against anywhere"),
    ("aim_3s", "nats", "the same summed with a forgetting time of 3 s"),
    ("aim_10s", "nats", "the same with 10 s"),
    ("aim_30s", "nats", "the same with 30 s"),
    ("closing_10s", "m/s", "mean closing speed, 10 s"),
    ("closing_30s", "m/s", "the same over 30 s"),
    ("closing_gain_mps2", "m/s2", "how fast its closing speed grows, over the last 3 s"),
    ("closing_jump_10s", "m/s", "closing speed less its mean of 10 s"),
    ("closing_jump_30s", "m/s", "the same, of 30 s"),
    ("coming_30s", "1", "share of the last 30 s in which it came nearer by 4 m/s"),
    ("hovering_30s", "1", "share of the last 30 s in which it stood relative to the unit"),
    ("range_60s", "m", "mean horizontal distance, 60 s"),
    ("range_cv_60s", "1", "spread of the distance over its mean, 60 s: small where it keeps its distance"),
    ("wound_60s", "turns", "how far it went round the unit in the last 60 s"),
    ("nearest_m", "m", "nearest horizontal distance so far"),
    ("over_nearest", "1", "distance over the nearest one so far"),
    ("over_farthest", "1", "distance over the farthest one so far"),
    ("first_m", "m", "distance at which it was first seen"),
    ("with_unit", "1", "correlation of its velocity with the unit's, 30 s; 0 for a unit that stands"),
    ("watch", "nats", "logarithm of the chance that it follows the unit or circles round it"),
    ("aim_lead_3s", "nats", "aim_3s less that of the best other unit, or of none"),
    ("aim_lead_10s", "nats", "the same of aim_10s"),
    ("aim_lead_30s", "nats", "the same of aim_30s"),
    ("aim_share_3s", "nats", "logarithm of the unit's share among all of exp(aim_3s)"),
    ("aim_share_10s", "nats", "the same of aim_10s"),
    ("others_aim_10s", "nats", "the greatest aim_10s of the other units, 0 if there is none"),
    ("watch_other", "nats", "the greatest watch of the other units, -14 if there is none"),
    ("watch_lead", "nats", "watch less that"),
    ("cv_lead", "nats", "logarithm of range_cv_60s over the least one of the others, 0.02 added to both"),
    ("p50_share", "nats", "logarithm of p50_s over the least one of the others"),
    ("range_lead", "nats", "logarithm of range_m over the least one of the others"),
    ("range_share", "1", "distance of the nearest unit over that of this one"),
    ("log_attack", "nats", "logarithm of the chance of each intent: attack"),
    ("log_dive", "nats", "dive on it"),
    ("log_follow", "nats", "follow it"),
    ("log_orbit", "nats", "circle round it, or stare at it"),
    ("log_drop_run", "nats", "fly over it to drop"),
    ("log_probing", "nats", "come and go"),
    ("log_transit", "nats", "pass"),
    ("log_as_bird", "nats", "be a bird"),
    ("log_authorised", "nats", "be one of ours"),
)


def _features() -> tuple[Feature, ...]:
    of_track = [Feature(*row, of="track") for row in _TRACK]
    of_pair = [Feature(*row, of="pair") for row in _PAIR]
    return (*of_track, *of_pair)


FEATURES: tuple[Feature, ...] = _features()
"""All of them; a feature's place here is its place in the last axis of what the kernel fills."""

NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
PLACES: dict[str, int] = {name: place for place, name in enumerate(NAMES)}


def constants(settings: AssessSettings) -> Floats:
    """What the kernel takes from the settings, in the order of `kernels.pairs`."""
    usual = settings.usual_mps
    out = np.zeros(pairs.CONSTANTS)
    out[pairs.WOBBLE_RAD] = np.radians(settings.course_wobble_deg)
    out[pairs.OUTLIER] = settings.course_outlier
    rows = (usual.fpv, usual.multirotor, usual.fixed_wing, usual.unknown)
    for place, (median, spread) in enumerate(rows):
        out[pairs.SPEED_OF_CLASS + 2 * place] = median
        out[pairs.SPEED_OF_CLASS + 2 * place + 1] = spread
    return out
