"""Flights of the drills, relative to the unit that they are about: plain shapes with figures drawn at random.

Each is what it is called, and nothing else is claimed of it. Attacks end at the unit or over it. Of the other
flights some pass over people or come near; where a reasonable officer could not say which it is, the flight
weighs less.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Point = tuple[float, float, float]
Path = Callable[[float], Point]
LONGEST_S = 120.0
_STAGGER_M, _STAGGER_HZ = 1.0, 0.15
UNSURE = 0.3
"""Weight of a flight of which nobody could say whether it is an attack."""


class Flight(NamedTuple):
    """``path``: east, north, up (m) from the unit, seconds after it was first seen; ``impact_s``: when it is
    at the unit, None for all that never attack;
    ``watched_s``: since when it watches the unit, if it does."""

    name: str
    path: Path
    seconds: int
    impact_s: float | None
    weight: float = 1.0
    watched_s: float | None = None


Maker = Callable[[np.random.Generator], Flight]


def turned(along: float, aside: float, height: float, course: float) -> Point:
    """A place ``along`` a bearing from the unit and ``aside`` of it."""
    c, s = math.cos(course), math.sin(course)
    return along * c - aside * s, along * s + aside * c, height


def _course(generator: np.random.Generator) -> float:
    return float(generator.uniform(0.0, 2.0 * math.pi))


def _attack(name: str, path: Path, impact_s: float, weight: float = 1.0) -> Flight:
    return Flight(name, path, max(4, int(impact_s) + 1), impact_s, weight)


def dive_run(generator: np.random.Generator) -> Flight:
    """Straight or weaving, at the unit, and down to it: all the way, or at the end."""
    u = generator.uniform
    speed, height = u(15.0, 50.0), u(5.0, 200.0)
    distance = min(u(150.0, 3000.0), speed * (LONGEST_S - 10.0))
    course, weave, beat = _course(generator), max(0.0, u(-0.1, 0.15)), u(0.3, 1.2)
    impact = distance / speed
    dives_s = impact if u() < 0.3 else min(impact, height / u(4.0, 20.0))

    def path(t: float) -> Point:
        left = max(distance - speed * t, 0.0)
        aside = weave * speed / beat * math.sin(beat * t) * min(1.0, left / 200.0)
        return turned(left, aside, height * min(1.0, max(impact - t, 0.0) / dives_s), course)

    return _attack("dive-run", path, impact)


def level_run(generator: np.random.Generator) -> Flight:
    """Straight at the unit and low over it: a bomber's run, or one that comes down in the last second. Over
    real ground it climbs and sinks on its way, and may come from below."""
    u = generator.uniform
    speed, height, aside = u(12.0, 50.0), u(6.0, 60.0), u(-10.0, 10.0)
    distance = min(u(250.0, 3000.0), speed * (LONGEST_S - 10.0))
    course, sinks, beat = _course(generator), u(-2.5, 2.0), u(0.3, 1.2)
    rolls_m, rolls_s = max(0.0, u(-10.0, 10.0)), u(4.0, 20.0)
    weave = max(0.0, u(-0.1, 0.1))
    impact = distance / speed

    def path(t: float) -> Point:
        left = distance - speed * t
        off = aside + weave * speed / beat * math.sin(beat * t) * min(1.0, abs(left) / 200.0)
        over = height + sinks * (impact - t) + rolls_m * math.sin(t / rolls_s)
        return turned(left, off, min(max(over, -60.0), 250.0), course)

    return _attack("level-run", path, impact)


def slow_run(generator: np.random.Generator) -> Flight:
    """A bomb dropper on its way, at the pace of a camera drone."""
    u = generator.uniform
    speed, height, course = u(4.0, 14.0), u(15.0, 100.0), _course(generator)
    distance = min(u(120.0, 1300.0), speed * (LONGEST_S - 10.0))
    aside, beat, weave = u(-8.0, 8.0), u(0.2, 0.8), max(0.0, u(-0.1, 0.1))
    climbs = u(-1.0, 3.0) if u() < 0.4 else 0.0

    def path(t: float) -> Point:
        left = distance - speed * t
        over = min(max(height - climbs * (left / speed), -60.0), 200.0)
        return turned(left, aside + weave * speed / beat * math.sin(beat * t), over, course)

    return _attack("slow-run", path, distance / speed)


def creep(generator: np.random.Generator) -> Flight:
    """Hardly moves, and is over the unit at the end."""
    u = generator.uniform
    speed, height, course = u(1.0, 4.0), u(15.0, 80.0), _course(generator)
    distance = min(u(50.0, 250.0), speed * (LONGEST_S - 10.0))

    def path(t: float) -> Point:
        return turned(distance - speed * t, 0.0, height, course)

    return _attack("creep", path, distance / speed, UNSURE)


def run_after_hover(generator: np.random.Generator) -> Flight:
    """Hangs in the air, then comes."""
    u = generator.uniform
    distance, height, course = u(200.0, 1200.0), u(20.0, 150.0), _course(generator)
    speed, gains, waits = u(16.0, 45.0), u(3.0, 8.0), u(8.0, 45.0)
    impact = waits + distance / speed + 0.5 * speed / gains
    dives_s = max(height / u(6.0, 20.0), 1.0)

    def path(t: float) -> Point:
        rolling = max(t - waits, 0.0)
        run = min(rolling, speed / gains)
        left = max(distance - 0.5 * gains * run * run - speed * (rolling - run), 0.0)
        low = min(1.0, max(impact - t, 0.0) / dives_s)
        return turned(left, _stagger(t) * min(1.0, left / 100.0), height * low, course)

    return _attack("run-after-hover", path, impact)


def gathers_speed(generator: np.random.Generator) -> Flight:
    """Comes like a camera drone and then like an attacker."""
    u = generator.uniform
    slow, speed, gains = u(6.0, 14.0), u(20.0, 45.0), u(2.0, 6.0)
    first, last, height, course = u(50.0, 500.0), u(250.0, 900.0), u(15.0, 150.0), _course(generator)
    turns_s = first / slow
    taken = (speed - slow) / gains
    impact = turns_s + taken + max(last - 0.5 * (slow + speed) * taken, 0.0) / speed
    dives_s = max(height / u(6.0, 20.0), 1.0)

    def path(t: float) -> Point:
        run = min(max(t - turns_s, 0.0), taken)
        gone = slow * min(t, turns_s) + slow * run + 0.5 * gains * run * run
        left = max(first + last - gone - speed * max(t - turns_s - taken, 0.0), 0.0)
        return turned(left, 0.0, height * min(1.0, max(impact - t, 0.0) / dives_s), course)

    return _attack("gathers-speed", path, impact)


def _stagger(t: float) -> float:
    return _STAGGER_M * math.sin(2.0 * math.pi * _STAGGER_HZ * t)


def _seconds(generator: np.random.Generator) -> int:
    return int(generator.uniform(40.0, LONGEST_S))


def passes(generator: np.random.Generator) -> Flight:
    """Straight past the unit, aside of it."""
    u = generator.uniform
    speed, height, course = u(5.0, 45.0), u(10.0, 200.0), _course(generator)
    offset, way = 120.0 * math.exp(u(0.0, 3.0)), u(300.0, 2500.0)
    return Flight(
        "passes", lambda t: turned(way - speed * t, offset, height, course), _seconds(generator), None
    )


def passes_over(generator: np.random.Generator) -> Flight:
    """A transit at height that happens to lead over the people. Under 100 m it may be an attack."""
    u = generator.uniform
    height, course = u(60.0, 300.0), _course(generator)
    speed = u(8.0, 45.0)
    offset, way = u(-90.0, 90.0), min(u(300.0, 2500.0), speed * 90.0)
    weight = UNSURE if height < 100.0 else 1.0
    return Flight("passes-over", lambda t: turned(way - speed * t, offset, height, course),
                  _seconds(generator), None, weight)  # fmt: skip


def leaves(generator: np.random.Generator) -> Flight:
    """Away from the unit."""
    u = generator.uniform
    speed, height, course, way = u(5.0, 40.0), u(10.0, 200.0), _course(generator), u(50.0, 1500.0)
    return Flight("leaves", lambda t: turned(way + speed * t, 0.0, height, course), _seconds(generator), None)


def hovers(generator: np.random.Generator) -> Flight:
    """Hangs in one place some way off."""
    u = generator.uniform
    height, course, way = u(10.0, 150.0), _course(generator), u(150.0, 2500.0)
    return Flight("hovers", lambda t: turned(way + _stagger(t), _stagger(1.3 * t), height, course),
                  _seconds(generator), None)  # fmt: skip


def circles(generator: np.random.Generator) -> Flight:
    """Round and round aside of the unit."""
    u = generator.uniform
    speed, height, course = u(5.0, 18.0), u(20.0, 200.0), _course(generator)
    radius, nearest = u(40.0, 300.0), u(150.0, 2000.0)

    def path(t: float) -> Point:
        a = speed / radius * t
        return turned(nearest + radius + radius * math.cos(a), radius * math.sin(a), height, course)

    return Flight("circles", path, _seconds(generator), None)


def turns_back(generator: np.random.Generator) -> Flight:
    """Comes straight, turns in good time, and leaves as it came. Until then nobody could say."""
    u = generator.uniform
    speed, height, course, nearest = u(6.0, 25.0), u(20.0, 150.0), _course(generator), u(250.0, 700.0)
    way, radius = nearest + u(100.0, 900.0), u(15.0, 60.0)

    def path(t: float) -> Point:
        gone = speed * t
        straight = way - nearest - radius
        if gone < straight:
            return turned(way - gone, 0.0, height, course)
        a = min((gone - straight) / radius, math.pi)
        back = max(gone - straight - math.pi * radius, 0.0)
        return turned(
            nearest + radius - radius * math.sin(a) + back, radius * (1.0 - math.cos(a)), height, course
        )

    return Flight("turns-back", path, _seconds(generator), None, UNSURE)


def watches(generator: np.random.Generator) -> Flight:
    """Comes near like a slow attack, and then hangs or circles at its distance."""
    u = generator.uniform
    speed, height, course = u(6.0, 20.0), u(30.0, 160.0), _course(generator)
    nearest, round_mps = u(120.0, 450.0), u(6.0, 14.0) if u() < 0.5 else 0.0
    first = u(50.0, 700.0)

    def path(t: float) -> Point:
        left, waits = max(first - speed * t, 0.0), max(t - first / speed, 0.0)
        swing = min(0.3 * waits, 1.0) * round_mps * waits / nearest
        east, north, up = turned(nearest + left, _stagger(waits), height, course + swing)
        return east, north, up

    seconds = int(first / speed + u(60.0, 110.0))
    return Flight("surveillance", path, seconds, None, 1.0, first / speed)


def wanders(generator: np.random.Generator) -> Flight:
    """A bird, or somebody who plays: its course changes all the time."""
    u = generator.uniform
    speed, height, course = u(6.0, 20.0), u(8.0, 120.0), _course(generator)
    seconds, agile = _seconds(generator), u(5.0, 40.0)
    steps = np.radians(agile) * generator.normal(0.0, 1.0, seconds + 2)
    heads = _course(generator) + np.cumsum(steps)
    heights = np.clip(height + np.cumsum(generator.normal(0.0, 1.2, seconds + 2)), 5.0, 200.0)
    nearest = u(80.0, 1500.0)
    east = np.concatenate([[0.0], np.cumsum(speed * np.cos(heads))])
    north = np.concatenate([[0.0], np.cumsum(speed * np.sin(heads))])

    def path(t: float) -> Point:
        k = min(max(int(t), 0), seconds)
        share = t - k
        e = float(east[k] + share * (east[k + 1] - east[k]))
        n = float(north[k] + share * (north[k + 1] - north[k]))
        start = turned(nearest, 0.0, float(heights[k]), course)
        return start[0] + e, start[1] + n, start[2]

    return Flight("wanders", path, seconds, None)


def flies_by(generator: np.random.Generator) -> Flight:
    """A light aircraft, a helicopter or an airliner, at its height, anywhere and also straight over."""
    u = generator.uniform
    airliner = u() < 0.4
    speed, height = (u(120.0, 250.0), u(1500.0, 11000.0)) if airliner else (u(35.0, 90.0), u(80.0, 1500.0))
    course, way = _course(generator), speed * u(15.0, 60.0)
    offset = u(0.0, 100.0) if u() < 0.4 else u(100.0, 2500.0)
    weight = UNSURE if height < 150.0 and offset < 100.0 else 1.0
    return Flight("flies-by", lambda t: turned(way - speed * t, offset, height, course),
                  _seconds(generator), None, weight)  # fmt: skip


ATTACKS: tuple[Maker, ...] = (
    dive_run, level_run, slow_run, run_after_hover, gathers_speed, dive_run, level_run, creep,
)  # fmt: skip
OTHERS: tuple[Maker, ...] = (
    passes, passes_over, watches, leaves, hovers, circles, turns_back, watches, wanders, flies_by, passes,
    watches, wanders,
)  # fmt: skip
"""Taken in turn."""
