"""What is fitted, and how: the settings of the fit, which go into the model file with their values."""

from collections.abc import Sequence

from msgspec import Struct

LEFT_OUT: tuple[str, ...] = ()
"""Features that no folder is read for."""

ALONE = (
    "speed_mps", "climb_mps", "speed_gain_mps2", "speed_jump_30s", "straight_10s", "straight_30s",
    "steady_5s", "gyration_30s", "log_fpv", "log_multirotor", "log_fixed_wing", "log_bird",
    "log_aircraft", "range_m", "height_m", "height_share", "closing_mps", "miss_m", "course_error_deg",
    "angle_3d_deg", "dive_angle", "p50_s", "earliest_s", "reach_30s", "aim_3s", "aim_10s", "aim_30s",
    "closing_10s", "closing_30s", "closing_gain_mps2", "closing_jump_10s", "coming_30s", "hovering_30s",
    "range_cv_60s", "wound_60s", "over_nearest", "with_unit", "watch", "aim_lead_10s", "aim_lead_30s",
    "aim_share_10s", "watch_lead", "cv_lead", "p50_share", "range_lead", "log_attack", "log_dive",
    "log_follow", "log_orbit", "log_drop_run", "log_transit", "log_as_bird",
)  # fmt: skip
"""Features that get a term of their own: one or two of each meaning. What tells of the sensors and of when a
recording began rather than of a drone (age, existence, first distance, the unit's accuracy) has none, and
what the rules on top of the model take into account (trust, loitering) neither."""

PAIRED = (
    "speed_mps", "climb_mps", "speed_jump_30s", "straight_10s", "straight_30s", "gyration_30s", "log_fpv",
    "log_bird", "range_m", "height_m", "closing_mps", "miss_m", "angle_3d_deg", "dive_angle", "p50_s",
    "aim_3s", "aim_10s", "aim_30s", "closing_10s", "closing_30s", "closing_jump_10s", "coming_30s",
    "hovering_30s", "range_cv_60s", "wound_60s", "over_nearest", "watch", "aim_lead_10s", "aim_lead_30s",
    "aim_share_10s", "watch_lead", "p50_share", "range_lead", "log_attack", "log_dive", "log_drop_run",
    "log_transit",
)  # fmt: skip
"""Features that a term of two may be made of."""

RISING: dict[str, int] = {
    "log_fpv": 1, "log_bird": -1, "log_aircraft": -1, "closing_mps": 1, "aim_3s": 1, "aim_10s": 1,
    "aim_30s": 1, "reach_30s": 1, "range_m": -1, "miss_m": -1, "p50_s": -1, "course_error_deg": -1,
    "earliest_s": -1, "angle_3d_deg": -1,
}  # fmt: skip
"""1: no term may fall as the feature grows, -1: none may rise. To come faster, surer, nearer never lowers the
risk; to be called a bird or an aircraft never raises it, to be called an FPV never lowers it."""

WATCHED = (
    "range_m", "watch", "watch_lead", "range_cv_60s", "hovering_30s", "closing_30s", "wound_60s", "range_60s",
    "log_follow", "log_orbit", "speed_mps", "rel_speed_mps", "coming_30s", "gyration_30s", "log_bird",
    "log_aircraft", "straight_30s", "over_nearest", "height_m", "with_unit",
)  # fmt: skip
"""What the second head, "is this unit watched", is made of."""


DRILL_SHARE = 0.5


class Plan(Struct, frozen=True, kw_only=True):
    """How a model is fitted. ``benign_rows`` are drawn from each folder; ``rounds`` [3] steps of the solver
    for the even round and the two with hard negatives; ``drills``: so many attacks and twice as many other
    flights; ``shares``: how much a scene of a folder counts, if not 1; ``nameless``: share of the scenes
    whose class beliefs are taken away; false alerts an hour set the bars of the levels (the rules on top of
    the model have their own)."""

    seed: int = 1
    benign_rows: int = 16_000
    pairs: int = 40
    pair_rows: int = 40_000
    knots: int = 14
    pair_knots: int = 8
    differences: float = 2e-5
    bends: float = 2e-5
    size: float = 1e-6
    rounds: tuple[int, int, int] = (10, 20, 20)
    drills: int = 320
    thin_s: float = 2.0
    monotone: bool = True
    imminent_per_hour: float = 0.4
    warning_per_hour: float = 0.7
    advisory_per_hour: float = 3.0
    watched_share: float = 0.97
    down_nats: float = 1.0
    hold_s: float = 20.0
    alone: tuple[str, ...] = ALONE
    paired: tuple[str, ...] = PAIRED
    shares: dict[str, float] = {}
    nameless: float = 0.25
    leave_out: tuple[str, ...] = LEFT_OUT

    def share(self, name: str) -> float:
        """How much a scene of a folder, or of the drills, counts."""
        return self.shares.get(name, DRILL_SHARE if name == "drills" else 1.0)

    def unread(self, names: Sequence[str]) -> tuple[str, ...]:
        """Which of the features no term is made of."""
        used = {*self.alone, *self.paired, *WATCHED}
        return (*self.leave_out, *(name for name in names if name not in used))
