"""Behaviours as a scenario states them: one struct for each, chosen by ``type``.

Each says where and when the body enters the world (`Waypoint`) and what it is about. Speeds are over the
ground for what is piloted, through the air for birds. Heights are above the ground. The defaults are the
author's judgement unless a source is named.
"""

from typing import Annotated, Literal

from msgspec import Meta

from vedette.simulate.terms import Bearing, Distance, Height, Name, Place, Span, Speed, Waypoint

Angle = Annotated[float, Meta(gt=0.0, le=80.0)]
Lean = Annotated[float, Meta(ge=0.0, le=45.0)]
Count = Annotated[int, Meta(ge=1, le=20)]
Pause = Annotated[float, Meta(ge=0.0, le=86_400.0)]
Ring = Annotated[float, Meta(ge=5.0, le=10_000.0)]
Rounds = Literal["left", "right"]

WEAVE_S = 4.0
"""How long a pilot's course error, or a deliberate weave, lasts."""


class _Strike(Waypoint, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every attack says: at whom, how fast in the final run, and how steep.

    ``weave_deg`` is the standard deviation of the course on the way (small: a careful pilot; large: a
    deliberate weave); it fades within 400 m, where the pilot sees the target. ``dive_deg`` is the slope of
    the final dive; a flat one (5) is a run at the height of a man. ``then``: ``end`` at the target, or
    ``fly-on`` past it.
    """

    target: Name
    speed_mps: Speed
    weave_deg: Lean = 3.0
    dive_deg: Angle = 25.0
    then: Literal["end", "fly-on"] = "end"


class DirectRun(
    _Strike, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="direct-run", tag_field="type"
):
    """Straight at the target with lead, wherever it goes. With ``arrive_s`` the speed is trimmed, up to
    ``speed_mps``, so as to arrive then: several runs with one time arrive together."""

    arrive_s: Span | None = None


class PopUp(_Strike, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="pop-up", tag_field="type"):
    """Low (``agl_m``) until ``pop_m`` from the target, then a climb to ``pop_agl_m`` and the dive."""

    pop_m: Distance = 250.0
    pop_agl_m: Height = 40.0


class MaskedApproach(
    _Strike, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="masked-approach", tag_field="type"
):
    """Low, on the path that the ground hides best from the ``seen_from`` actors (none named: from the
    target), found when it enters; within ``strike_m`` of the target it strikes. ``sensor_agl_m`` is the
    height at which it expects the eyes to stand."""

    seen_from: tuple[Name, ...] = ()
    strike_m: Distance = 250.0
    sensor_agl_m: Height = 6.0


class LoiterDive(
    _Strike, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="loiter-dive", tag_field="type"
):
    """Circles a place near the target for ``loiter_s``, then strikes. ``over`` is that place."""

    over: Place
    loiter_mps: Speed = 14.0
    radius_m: Ring = 60.0
    loiter_s: Span = 60.0
    rounds: Rounds = "left"


class FollowAttack(
    _Strike, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="follow-attack", tag_field="type"
):
    """Watches the target for ``watch_s`` as ``orbit``, ``hover-watch`` or ``follow`` do, then strikes."""

    manner: Literal["orbit", "hover", "follow"] = "follow"
    watch_mps: Speed = 14.0
    range_m: Ring = 250.0
    watch_s: Span = 60.0
    rounds: Rounds = "left"


class Probe(_Strike, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="probe", tag_field="type"):
    """Comes ``approaches`` times, turns back at ``turn_back_m`` and retires to where it came from for
    ``pause_s``. After that it leaves, or the ``last`` approach is an attack."""

    approaches: Count = 3
    turn_back_m: Distance = 400.0
    retire_m: Distance = 1200.0
    pause_s: Pause = 10.0
    last: Literal["leave", "attack"] = "leave"


class Decoy(_Strike, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="decoy", tag_field="type"):
    """Runs at the target in full view and breaks off at ``break_m``, while another comes."""

    break_m: Distance = 300.0


class DropRun(
    Waypoint, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="drop-run", tag_field="type"
):
    """Slow and level until it is above the target, drops, and leaves. With ``hover_s`` it first stays
    above the target so long. The moment it is overhead is the impact."""

    target: Name
    speed_mps: Speed = 12.0
    weave_deg: Lean = 3.0
    hover_s: Pause = 0.0


class _Watch(Waypoint, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every watcher says: whom, from how far, how long. Afterwards it leaves the way it came."""

    target: Name
    speed_mps: Speed = 12.0
    range_m: Ring = 250.0
    for_s: Span = 120.0


class Orbit(_Watch, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="orbit", tag_field="type"):
    """Circles the target (an actor, wherever it goes) at ``range_m``."""

    rounds: Rounds = "left"


class HoverWatch(
    _Watch, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="hover-watch", tag_field="type"
):
    """Stands off at ``range_m`` and looks; keeps its place beside a target that moves."""


class Follow(_Watch, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="follow", tag_field="type"):
    """Stays ``range_m`` behind a target that moves."""


class Circle(Waypoint, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="circle", tag_field="type"):
    """Circles a place for ever: a camera drone at work, a drone of one's own on watch."""

    over: Place
    speed_mps: Speed = 12.0
    radius_m: Ring = 120.0
    rounds: Rounds = "left"


class Hobby(Waypoint, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="hobby", tag_field="type"):
    """Flies about the place where it started, from one random point to the next: ``camera`` slowly and
    with rests, ``freestyle`` low, fast and without."""

    style: Literal["camera", "freestyle"] = "camera"
    speed_mps: Speed = 8.0
    spread_m: Distance = 120.0
    lowest_m: Height = 15.0
    highest_m: Height = 80.0
    rest_s: Pause = 12.0


class Transit(
    Waypoint, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="transit", tag_field="type"
):
    """Level and straight to ``to`` and on, or out of the world there: a delivery, a light aircraft, anyone
    passing."""

    to: Place
    speed_mps: Speed
    weave_deg: Lean = 0.0
    then: Literal["fly-on", "leave"] = "fly-on"


class Racetrack(
    Waypoint, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="racetrack", tag_field="type"
):
    """To and fro between where it entered and ``to``: a patrol by helicopter, a survey."""

    to: Place
    speed_mps: Speed


class Commute(
    Waypoint, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="commute", tag_field="type"
):
    """A bird on its way: towards ``heading_deg`` through the air, carried by the wind, with a course that
    wanders by ``wander_deg`` and a height that comes and goes. ``curve_dps`` bends the way steadily."""

    heading_deg: Bearing
    airspeed_mps: Speed = 12.0
    wander_deg: Lean = 12.0
    curve_dps: Annotated[float, Meta(ge=-30.0, le=30.0)] = 0.0
    rise_mps: Annotated[float, Meta(ge=0.0, le=3.0)] = 0.6


class Soar(Waypoint, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="soar", tag_field="type"):
    """A raptor: circles in a thermal, carried by the wind, then glides to the next. Circles
    of 20-60 m, climbs of 1-3 m/s and glides at 10-18 m/s are judgement."""

    airspeed_mps: Speed = 11.0
    glide_mps: Speed = 15.0
    radius_m: Ring = 35.0
    climb_mps: Annotated[float, Meta(gt=0.0, le=4.0)] = 1.5
    circle_s: Span = 60.0
    glide_s: Span = 40.0
    rounds: Rounds = "left"


class Flocking(
    Waypoint, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="flocking", tag_field="type"
):
    """One bird of a flock (`[[flock]]` makes them): keeps with those of the same ``flock`` by Reynolds'
    rules, and all head for ``heading_deg``."""

    flock: Name
    heading_deg: Bearing
    airspeed_mps: Speed = 13.0
    turn_s: Span = 12.0
    turn_deg: Lean = 25.0


Behaviour = (
    DirectRun
    | PopUp
    | MaskedApproach
    | LoiterDive
    | FollowAttack
    | Probe
    | Decoy
    | DropRun
    | Orbit
    | HoverWatch
    | Follow
    | Circle
    | Hobby
    | Transit
    | Racetrack
    | Commute
    | Soar
    | Flocking
)
"""What `[actor.behaviour]` may be."""


def target_of(plan: Behaviour) -> str | None:
    """The actor that a behaviour is about, if it is about one."""
    return getattr(plan, "target", None)


def watchers_of(plan: Behaviour) -> tuple[str, ...]:
    """The actors from whose eyes a behaviour hides."""
    return plan.seen_from if isinstance(plan, MaskedApproach) else ()


def speeds_of(plan: Behaviour) -> dict[str, float]:
    """Every speed that a behaviour asks for, by field."""
    fields = ("speed_mps", "loiter_mps", "watch_mps", "airspeed_mps", "glide_mps")
    return {field: getattr(plan, field) for field in fields if hasattr(plan, field)}


def places_of(plan: Behaviour) -> dict[str, Place]:
    """Every place in a behaviour but its own, by field."""
    return {field: getattr(plan, field) for field in ("over", "to") if hasattr(plan, field)}
