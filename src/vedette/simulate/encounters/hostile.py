"""Attacks, one function for each family: the actors that carry it out, and what to call it."""

from collections.abc import Callable

from msgspec import Struct

from vedette.simulate.behaviours.plans import (
    Behaviour,
    Decoy,
    DirectRun,
    DropRun,
    FollowAttack,
    LoiterDive,
    MaskedApproach,
    PopUp,
    Probe,
    Rounds,
)
from vedette.simulate.behaviours.watch import Manner
from vedette.simulate.encounters.people import UNITS, People
from vedette.simulate.encounters.ranges import Draw
from vedette.simulate.ground import Terrain
from vedette.simulate.groups import SwarmPlan, swarm_members
from vedette.simulate.kinds import Kind
from vedette.simulate.plane import Pair
from vedette.simulate.scenario import Actor, Place

ENTERS_S = 12.0
"""Units have reported themselves by then."""
FLIER = "flier"
SPORT_MPS = 19.5
"""No camera multirotor strikes faster."""


class Cast(Struct, frozen=True, kw_only=True):
    """Who flies. ``onset``: the happening that counts as its beginning (None: the entry).
    ``after_watch_s``: how long after the watching began the scene ends, if that ends it. ``ground``: the
    terrain it needs, if it needs one."""

    behaviour: str
    kind: str
    actors: tuple[Actor, ...]
    about_target: bool = True
    onset: str | None = None
    after_watch_s: float | None = None
    ground: Terrain | None = None


Family = Callable[[Draw, People], Cast]


def body(kind: Kind, plan: Behaviour, name: str = FLIER) -> Actor:
    """One flier."""
    return Actor(id=name, kind=kind, behaviour=plan)


def _start(draw: Draw, people: People, range_name: str) -> Pair:
    return draw.around(people.place(ENTERS_S), range_name)


def _attacker(draw: Draw) -> Kind:
    return "fpv" if draw.chance(0.75) else "multirotor"


def _pace(kind: Kind, speed_mps: float) -> float:
    return min(speed_mps, SPORT_MPS) if kind == "multirotor" else speed_mps


def direct_run(draw: Draw, people: People) -> Cast:
    """Straight in, by FPV, or by a one-way fixed wing in a fifth of cases."""
    one_way = draw.chance(0.2)
    kind: Kind = "fixed-wing" if one_way else "fpv"
    return Cast(
        behaviour="direct-run",
        kind="one-way" if one_way else "direct-run",
        actors=(body(kind, _run(draw, people)),),
    )


def _run(draw: Draw, people: People) -> DirectRun:
    return DirectRun(
        at_s=ENTERS_S,
        enu_m=_start(draw, people, "direct.range_m"),
        agl_m=draw.of("direct.agl_m"),
        target=people.target_name,
        speed_mps=draw.of("direct.speed_mps"),
        weave_deg=draw.of("direct.weave_deg"),
        dive_deg=draw.of("dive_deg"),
    )


def pop_up(draw: Draw, people: People) -> Cast:
    """Out of dead ground near by."""
    plan = PopUp(
        at_s=ENTERS_S,
        enu_m=_start(draw, people, "popup.range_m"),
        agl_m=draw.of("popup.agl_m"),
        target=people.target_name,
        speed_mps=draw.of("popup.speed_mps"),
        weave_deg=draw.of("direct.weave_deg"),
        dive_deg=draw.of("popup.dive_deg"),
        pop_m=draw.of("popup.pop_m"),
        pop_agl_m=draw.of("popup.pop_agl_m"),
    )
    return Cast(behaviour="pop-up", kind="pop-up", actors=(body("fpv", plan),))


def drop_run(draw: Draw, people: People) -> Cast:
    """A bomb dropper that passes overhead."""
    speed = max(draw.of("drop.speed_mps"), min(people.target_speed_mps + 3.0, 17.5))
    plan = DropRun(
        at_s=ENTERS_S,
        enu_m=_start(draw, people, "drop.range_m"),
        agl_m=draw.of("drop.agl_m"),
        target=people.target_name,
        speed_mps=speed,
        weave_deg=draw.of("direct.weave_deg"),
    )
    kind: Kind = "hexacopter" if draw.chance(0.5) else "multirotor"
    return Cast(behaviour="overflight", kind="drop-run", actors=(body(kind, plan),))


def loiter_dive(draw: Draw, people: People) -> Cast:
    """Circles some way off, then comes."""
    kind = _attacker(draw)
    over = _start(draw, people, "loiter.offset_m")
    plan = LoiterDive(
        at_s=ENTERS_S,
        enu_m=draw.around(over, "loiter.range_m"),
        agl_m=draw.of("watch.agl_m"),
        target=people.target_name,
        speed_mps=_pace(kind, draw.of("strike.speed_mps")),
        dive_deg=draw.of("dive_deg"),
        over=Place(enu_m=over),
        loiter_mps=draw.of("loiter.speed_mps"),
        radius_m=draw.of("loiter.radius_m"),
        loiter_s=draw.of("loiter.time_s"),
        rounds=rounds(draw),
    )
    return Cast(behaviour="loiter-then-dive", kind="loiter-dive", actors=(body(kind, plan),), onset="strike")


def follow_attack(draw: Draw, people: People) -> Cast:
    """A watcher like any other, until the strike."""
    kind = _attacker(draw)
    plan = FollowAttack(
        at_s=ENTERS_S,
        enu_m=_start(draw, people, "watch.start_m"),
        agl_m=draw.of("watch.agl_m"),
        target=people.target_name,
        speed_mps=_pace(kind, draw.of("strike.speed_mps") + 0.4 * people.target_speed_mps),
        dive_deg=draw.of("dive_deg"),
        manner=manner(draw),
        watch_mps=watch_pace(draw, people),
        range_m=draw.of("watch.range_m"),
        watch_s=draw.of("watch.time_s"),
        rounds=rounds(draw),
    )
    return Cast(
        behaviour="follow-then-attack", kind="follow-attack", actors=(body(kind, plan),), onset="strike"
    )


def masked_approach(draw: Draw, people: People) -> Cast:
    """Low, where the ground hides it from all six."""
    kind = _attacker(draw)
    plan = MaskedApproach(
        at_s=ENTERS_S,
        enu_m=_start(draw, people, "masked.range_m"),
        agl_m=draw.of("masked.agl_m"),
        target=people.target_name,
        speed_mps=_pace(kind, draw.of("masked.speed_mps")),
        dive_deg=draw.of("popup.dive_deg"),
        seen_from=UNITS,
        strike_m=draw.between(120.0, 300.0),
    )
    grounds: tuple[Terrain, ...] = ("ridge", "canyon", "rolling-desert")
    ground = grounds[draw.number(len(grounds))]
    return Cast(
        behaviour="masked-approach", kind="masked-approach", actors=(body(kind, plan),), ground=ground
    )


def probe_attack(draw: Draw, people: People) -> Cast:
    """Comes and turns back, once or twice, and then does not."""
    kind = _attacker(draw)
    turn_back = draw.of("probe.turn_back_m")
    plan = Probe(
        at_s=ENTERS_S,
        enu_m=_start(draw, people, "watch.start_m"),
        agl_m=draw.of("watch.agl_m"),
        target=people.target_name,
        speed_mps=_pace(kind, draw.between(16.0, 30.0) + 0.4 * people.target_speed_mps),
        dive_deg=draw.of("dive_deg"),
        approaches=2 + int(draw.chance(0.4)),
        turn_back_m=turn_back,
        retire_m=turn_back + draw.between(250.0, 600.0),
        pause_s=draw.between(0.0, 15.0),
        last="attack",
    )
    return Cast(
        behaviour="probe-then-attack", kind="probe-attack", actors=(body(kind, plan),), onset="strike"
    )


def decoy(draw: Draw, people: People) -> Cast:
    """One in full view that breaks off, and another from elsewhere that does not."""
    real = _run(draw, people)
    east, north = draw.direction()
    centre = people.place(ENTERS_S)
    show = Decoy(
        at_s=ENTERS_S,
        enu_m=(centre[0] + 1300.0 * east, centre[1] + 1300.0 * north),
        agl_m=draw.between(60.0, 150.0),
        target=people.target_name,
        speed_mps=draw.between(18.0, 30.0),
        break_m=draw.of("decoy.break_m"),
    )
    return Cast(behaviour="decoy", kind="decoy", actors=(body("fpv", show, "decoy"), body("fpv", real)))


def swarm(draw: Draw, people: People) -> Cast:
    """Several at once, from several sides."""
    axes = 2 + int(draw.chance(0.5))
    first = draw.degrees()
    distance, speed = draw.of("swarm.range_m"), draw.of("strike.speed_mps")
    plan = SwarmPlan(
        id="swarm",
        count=max(2, round(draw.of("swarm.count"))),
        target=people.target_name,
        axes_deg=tuple((first + number * 360.0 / axes) % 360.0 for number in range(axes)),
        arrive_s=ENTERS_S + 1.15 * distance / speed,
        distance_m=distance,
        speed_mps=speed,
        agl_m=draw.of("direct.agl_m"),
        dive_deg=draw.of("dive_deg"),
    )
    members = swarm_members(plan, people.place(ENTERS_S), int(draw.between(0.0, 2.0**31)))
    return Cast(
        behaviour="swarm",
        kind="swarm",
        actors=tuple(Actor(id=name, kind=kind, behaviour=run) for name, kind, run in members),
    )


def manner(draw: Draw) -> Manner:
    """How a watcher watches."""
    if draw.chance(0.5):
        return "orbit"
    return "hover" if draw.chance(0.5) else "follow"


def watch_pace(draw: Draw, people: People) -> float:
    """Speed on the way and round the target; what a camera drone can do beside a convoy."""
    return min(draw.of("watch.speed_mps"), SPORT_MPS - people.target_speed_mps + 4.0)


def rounds(draw: Draw) -> Rounds:
    return "left" if draw.chance(0.5) else "right"


TRAINED: tuple[Family, ...] = (direct_run, loiter_dive, drop_run, pop_up, follow_attack)
HELD_BACK: tuple[Family, ...] = (masked_approach, decoy, probe_attack, swarm)
"""Families that training never shows."""
