"""Everybody else: those who pass, watch, play, work or flap, one function for each family."""

from vedette.simulate.behaviours.plans import (
    Behaviour,
    Circle,
    Commute,
    Follow,
    Hobby,
    HoverWatch,
    Orbit,
    Racetrack,
    Soar,
    Transit,
)
from vedette.simulate.encounters.hostile import ENTERS_S, Cast, Family, body, manner, rounds, watch_pace
from vedette.simulate.encounters.people import People
from vedette.simulate.encounters.ranges import Draw
from vedette.simulate.groups import FlockPlan, flock_members
from vedette.simulate.kinds import Kind
from vedette.simulate.plane import Pair, compass
from vedette.simulate.scenario import Actor, Place, RemoteId

SITE: Pair = (0.0, 0.0)
TURN_DEG = 360.0
LEAVES_S = 40.0
"""A watcher is seen to leave for so long."""


def transit(draw: Draw, people: People) -> Cast:
    """Somebody passes, at any distance and height, slowly or very fast."""
    speed = draw.of("transit.speed_mps")
    kind: Kind = "fpv"
    if speed >= 11.5 and draw.chance(0.4):
        kind = "fixed-wing"
    elif speed <= 20.0 and draw.chance(0.6):
        kind = "multirotor"
    plan = _passing(draw, speed, "transit.offset_m", draw.of("transit.length_m"), draw.of("transit.agl_m"))
    return Cast(behaviour="transit", kind="transit", actors=(body(kind, plan),), about_target=False)


def _passing(draw: Draw, speed: float, offset_name: str, length_m: float, agl_m: float) -> Transit:
    east, north = draw.direction()
    off = draw.of(offset_name)
    start = (-off * north - length_m * east, off * east - length_m * north)
    return Transit(
        at_s=ENTERS_S,
        enu_m=start,
        agl_m=agl_m,
        to=Place(enu_m=(-off * north + length_m * east, off * east + length_m * north)),
        speed_mps=speed,
        weave_deg=draw.of("transit.weave_deg"),
        then="leave",
    )


def orbit(draw: Draw, people: People) -> Cast:
    """A camera or survey drone at work near by; one in six is one of the unit's own."""
    if draw.chance(1.0 / 6.0):
        return _own(draw, people)
    fixed = draw.chance(0.3)
    centre = draw.around(SITE, "orbit.offset_m")
    radius = draw.of("orbit.radius_m")
    speed = draw.of("orbit.speed_mps")
    plan = Circle(
        at_s=ENTERS_S,
        enu_m=(centre[0] + radius, centre[1]),
        agl_m=draw.of("orbit.agl_m"),
        over=Place(enu_m=centre),
        speed_mps=max(speed, 12.0) if fixed else speed,
        radius_m=max(radius, 90.0) if fixed else radius,
        rounds=rounds(draw),
    )
    return Cast(
        behaviour="orbit",
        kind="orbit",
        actors=(body("fixed-wing" if fixed else "multirotor", plan),),
        about_target=False,
    )


def _own(draw: Draw, people: People) -> Cast:
    """A drone of one's own: over the post, or with the unit that flies it."""
    agl = draw.between(40.0, 110.0)
    plan: Behaviour
    if draw.chance(0.5):
        radius = draw.between(60.0, 250.0)
        plan = Circle(
            at_s=ENTERS_S,
            enu_m=(radius, 0.0),
            agl_m=agl,
            over=Place(enu_m=SITE),
            speed_mps=draw.between(6.0, 13.0),
            radius_m=radius,
            rounds=rounds(draw),
        )
    else:
        place = people.place(ENTERS_S)
        plan = Follow(
            at_s=ENTERS_S,
            enu_m=(place[0] + 15.0, place[1]),
            agl_m=agl,
            target=people.target_name,
            speed_mps=max(12.0, min(19.0, people.target_speed_mps + 5.0)),
            range_m=draw.between(15.0, 80.0),
            for_s=400.0,
        )
    own = Actor(
        id="flier",
        kind="multirotor",
        behaviour=plan,
        own=True,
        remote_id=RemoteId(serial=f"1581FOWN{int(draw.between(0, 8)):012d}", mac="60:60:1F:0A:00:01"),
    )
    return Cast(behaviour="orbit", kind="own-drone", actors=(own,), about_target=False)


def hobby(draw: Draw, people: People) -> Cast:
    """Camera flight, or freestyle: low, fast and everywhere."""
    fast = draw.chance(0.5)
    style = "freestyle" if fast else "camera"
    plan = Hobby(
        at_s=ENTERS_S,
        enu_m=draw.around(SITE, "hobby.offset_m"),
        agl_m=draw.between(15.0, 90.0),
        style="freestyle" if fast else "camera",
        speed_mps=draw.of(f"hobby.{style}_mps"),
        spread_m=draw.of(f"hobby.{style}_spread_m"),
        lowest_m=4.0 if fast else 20.0,
        highest_m=60.0 if fast else 100.0,
    )
    kind: Kind = "fpv" if fast or draw.chance(0.2) else "multirotor"
    return Cast(behaviour="hobby", kind=f"hobby-{style}", actors=(body(kind, plan),), about_target=False)


def surveillance(draw: Draw, people: People) -> Cast:
    """Watches a unit as an attacker would, and leaves."""
    kind: Kind = "fpv" if draw.chance(0.75) else "multirotor"
    how = manner(draw)
    at_s, enu_m = ENTERS_S, draw.around(people.place(ENTERS_S), "watch.start_m")
    agl_m, target = draw.of("watch.agl_m"), people.target_name
    speed, range_m, for_s = watch_pace(draw, people), draw.of("watch.range_m"), draw.of("watch.time_s")
    plan: Behaviour
    if how == "orbit":
        plan = Orbit(
            at_s=at_s,
            enu_m=enu_m,
            agl_m=agl_m,
            target=target,
            speed_mps=speed,
            range_m=range_m,
            for_s=for_s,
            rounds=rounds(draw),
        )
    else:
        chosen = HoverWatch if how == "hover" else Follow
        plan = chosen(
            at_s=at_s, enu_m=enu_m, agl_m=agl_m, target=target, speed_mps=speed, range_m=range_m, for_s=for_s
        )
    return Cast(
        behaviour="surveillance",
        kind=f"watch-{how}",
        actors=(body(kind, plan),),
        onset="watch",
        after_watch_s=for_s + LEAVES_S,
    )


def aircraft(draw: Draw, people: People) -> Cast:
    """A light aircraft or helicopter that passes; in a third of cases a helicopter on a low patrol."""
    if draw.chance(0.35):
        start = draw.around(SITE, "orbit.offset_m")
        east, north = draw.direction()
        length = draw.between(1500.0, 4000.0)
        plan = Racetrack(
            at_s=ENTERS_S,
            enu_m=start,
            agl_m=draw.of("helicopter.agl_m"),
            to=Place(enu_m=(start[0] + length * east, start[1] + length * north)),
            speed_mps=draw.of("helicopter.speed_mps"),
        )
        return Cast(
            behaviour="aircraft", kind="helicopter", actors=(body("helicopter", plan),), about_target=False
        )
    passing = _passing(
        draw, draw.of("aircraft.speed_mps"), "aircraft.offset_m", 4000.0, draw.of("aircraft.agl_m")
    )
    return Cast(
        behaviour="aircraft", kind="aircraft", actors=(body("aircraft", passing),), about_target=False
    )


def bird(draw: Draw, people: People) -> Cast:
    """One bird: on its way, or a raptor that soars."""
    start, heading = _coming(draw)
    plan: Behaviour
    if draw.chance(0.4):
        plan = Soar(
            at_s=ENTERS_S,
            enu_m=start,
            agl_m=draw.of("bird.agl_m"),
            airspeed_mps=draw.between(8.0, 13.0),
            glide_mps=draw.between(12.0, 18.0),
            radius_m=draw.of("soar.radius_m"),
            climb_mps=draw.of("soar.climb_mps"),
            circle_s=draw.between(40.0, 90.0),
            glide_s=draw.between(20.0, 60.0),
            rounds=rounds(draw),
        )
        return Cast(behaviour="bird", kind="raptor", actors=(body("bird", plan),), about_target=False)
    sign = 1.0 if draw.chance(0.5) else -1.0
    plan = Commute(
        at_s=ENTERS_S,
        enu_m=start,
        agl_m=draw.of("bird.agl_m"),
        heading_deg=heading,
        airspeed_mps=draw.of("bird.airspeed_mps"),
        wander_deg=draw.of("bird.wander_deg"),
        curve_dps=sign * draw.of("bird.curve_dps") if draw.chance(0.6) else 0.0,
        rise_mps=0.7,
    )
    return Cast(behaviour="bird", kind="bird", actors=(body("bird", plan),), about_target=False)


def flock(draw: Draw, people: People) -> Cast:
    """A flock that crosses the post."""
    start, heading = _coming(draw)
    plan = FlockPlan(
        id="flock",
        count=round(draw.of("flock.count")),
        at_s=ENTERS_S,
        enu_m=start,
        agl_m=draw.of("bird.agl_m"),
        heading_deg=heading,
        airspeed_mps=draw.of("bird.airspeed_mps"),
    )
    members = flock_members(plan, start, int(draw.between(0.0, 2.0**31)))
    return Cast(
        behaviour="bird",
        kind="flock",
        actors=tuple(Actor(id=name, kind=kind, behaviour=one) for name, kind, one in members),
        about_target=False,
    )


def _coming(draw: Draw) -> tuple[Pair, float]:
    """Where a bird starts, and an azimuth that leads it past the site, give or take 40 degrees."""
    azimuth = draw.degrees()
    east, north = compass(azimuth)
    distance = draw.of("bird.range_m")
    return (east * distance, north * distance), (azimuth + 180.0 + draw.between(-40.0, 40.0)) % TURN_DEG


TRAINED: tuple[Family, ...] = (transit, orbit, bird, hobby, surveillance, aircraft)
HELD_BACK: tuple[Family, ...] = (flock,)
"""Families that training never shows."""
