"""Border days: what a desk and its people would hear of in a day on which nobody attacks.

A day is put together from harmless encounters that were run: as many sightings of each sort as a Poisson
draw gives, each an encounter of that sort with its own sounds, at a random time; and the rest of the day is
an empty sky, with the alerts that clutter alone made in it. Sightings at the same time do not meet.

Rates: 68 drone sightings a day is what one sector counted (25,000 in a year; Chavez testimony, 2023), here
all at one desk. How they divide, and how many birds and aircraft pass near enough to be tracked, is
judgement.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from msgspec import Struct

from vedette.evaluate.campaign.bodies import CAUSES, Cause
from vedette.evaluate.campaign.figures import Figure
from vedette.evaluate.campaign.intervals import bootstrap, mean
from vedette.evaluate.campaign.results import Result
from vedette.evaluate.campaign.sources import EMPTY, draws
from vedette.model import InputError

DAY_S = 86_400.0
WINDOW_S = 600.0
PER_DAY: Mapping[str, float] = {
    "transit": 28.0,
    "hobby": 16.0,
    "orbit": 10.0,
    "surveillance": 14.0,
    "bird": 200.0,
    "aircraft": 40.0,
}
"""Sightings a day; the first four are the 68 of drones. ``orbit`` holds a site's own drones too."""
DIGITS = 4
NEAR_M = 100.0
"""Nearer than this on the map a body is over somebody."""


class Sort(Struct, frozen=True, kw_only=True):
    """Sightings of one sort, a day: how many, the share that came within `NEAR_M` of anybody, and at how many
    somebody came under WARNING or was told IMMINENT. ``encounters`` were run."""

    sort: str
    encounters: int
    sightings: float
    near_share: float
    warned: float
    imminent: float


class Days(Struct, frozen=True, kw_only=True):
    """Figures of ``days`` days at one desk. An alert that sounded counts once for each unit it went to."""

    days: int
    sightings_per_day: float
    encounters: int
    empty_hours: float
    waves_per_10_min: Figure
    """Times at which somebody came to be under WARNING or above; units warned together count once."""
    sounded_per_10_min: Figure
    busiest_10_min: int
    windows_with_any: float
    false_imminent_per_day: Figure
    sightings_imminent_per_day: Figure
    """Sightings about which anybody was told IMMINENT; all of its alerts count once."""
    false_imminent_by_cause: dict[Cause, float]
    drones_only_sounded_per_day: float
    by_sort: tuple[Sort, ...] = ()


class _Sound(Struct, frozen=True):
    at_s: float
    imminent: bool
    cause: Cause
    drone: bool
    sighting: int


class _Day(Struct, frozen=True):
    sounds: list[_Sound]
    waves: int


def border_days(results: Sequence[Result], days: int) -> Days:
    """Days drawn from the harmless results of a campaign. Raises InputError if a sort was not run at all."""
    pools = _pools(results)
    drawn = [_day(number, pools) for number in range(days)]
    sounds = [day.sounds for day in drawn]
    sightings = [float(len({one.sighting for one in day if one.imminent})) for day in sounds]
    windows = [_windows(day) for day in sounds]
    imminent = [float(sum(one.imminent for one in day)) for day in sounds]
    every = np.concatenate(windows)
    return Days(
        days=days,
        sightings_per_day=round(sum(PER_DAY.values()), 1),
        encounters=sum(len(pool) for name, pool in pools.items() if name != EMPTY),
        empty_hours=round(sum(one.duration_s for one in pools[EMPTY]) / 3600.0, 2),
        waves_per_10_min=_figure([day.waves * WINDOW_S / DAY_S for day in drawn]),
        sounded_per_10_min=_figure([float(window.mean()) for window in windows]),
        busiest_10_min=int(every.max()),
        windows_with_any=round(float((every > 0).mean()), DIGITS),
        false_imminent_per_day=_figure(imminent),
        sightings_imminent_per_day=_figure(sightings),
        false_imminent_by_cause=_causes(sounds, days),
        drones_only_sounded_per_day=round(sum(one.drone for day in sounds for one in day) / days, DIGITS),
        by_sort=tuple(_sort(name, rate, pools[name]) for name, rate in PER_DAY.items()),
    )


def _sort(name: str, rate: float, pool: Sequence[Result]) -> Sort:
    """As the encounters of a sort went, at the rate of its sightings."""

    def share(flags: Iterable[bool]) -> float:
        return sum(flags) / len(pool)

    imminent = (any(told.sounded and told.level == "imminent" for told in one.told) for one in pool)
    return Sort(
        sort=name,
        encounters=len(pool),
        sightings=rate,
        near_share=round(share(one.nearest_m is not None and one.nearest_m < NEAR_M for one in pool), DIGITS),
        warned=round(rate * share(bool(one.false_alerts) for one in pool), DIGITS),
        imminent=round(rate * share(imminent), DIGITS),
    )


def _pools(results: Sequence[Result]) -> dict[str, list[Result]]:
    pools: dict[str, list[Result]] = {name: [] for name in (*PER_DAY, EMPTY)}
    for one in results:
        if not one.hostile and one.behaviour in pools:
            pools[one.behaviour].append(one)
    absent = [name for name, pool in pools.items() if not pool]
    if absent:
        raise InputError(
            f"border days need harmless encounters of every sort; none of {', '.join(absent)} was run: "
            "raise --count"
        )
    return pools


def _day(number: int, pools: Mapping[str, Sequence[Result]]) -> _Day:
    generator = draws("border-days", number)
    sounds: list[_Sound] = []
    waves, sightings, busy_s = 0, 0, 0.0

    def take(name: str) -> Result:
        nonlocal waves, sightings
        chosen = pools[name][int(generator.integers(len(pools[name])))]
        drone = name not in ("bird", "aircraft", EMPTY)
        sightings += 1
        waves += len(chosen.false_alerts)
        sounds.extend(_sounds(chosen, float(generator.random()) * DAY_S, drone, sightings))
        return chosen

    for name, rate in PER_DAY.items():
        busy_s += sum(take(name).duration_s for _ in range(int(generator.poisson(rate))))
    while busy_s < DAY_S:
        busy_s += take(EMPTY).duration_s
    return _Day(sounds, waves)


def _sounds(result: Result, begins_s: float, drone: bool, sighting: int) -> list[_Sound]:
    """Each alert once, when it first sounded; and once more when it first became IMMINENT."""
    found: dict[str, _Sound] = {}
    for one in result.told:
        if one.sounded:
            imminent = one.level == "imminent" or (one.alert in found and found[one.alert].imminent)
            at_s = found[one.alert].at_s if one.alert in found else (begins_s + one.at_s) % DAY_S
            found[one.alert] = _Sound(at_s, imminent, one.cause, drone, sighting)
    return list(found.values())


def _windows(sounds: Sequence[_Sound]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    counts = np.zeros(round(DAY_S / WINDOW_S), np.int64)
    for one in sounds:
        counts[min(int(one.at_s / WINDOW_S), len(counts) - 1)] += 1
    return counts


def _figure(values: Sequence[float]) -> Figure:
    value = sum(values) / len(values)
    low, high = bootstrap(values, mean) or (value, value)
    return Figure(value=round(value, DIGITS), low=round(low, DIGITS), high=round(high, DIGITS))


def _causes(sounds: Sequence[Sequence[_Sound]], days: int) -> dict[Cause, float]:
    counts: dict[Cause, float] = {cause: 0.0 for cause in CAUSES if cause != "attacker"}
    for day in sounds:
        for one in day:
            if one.imminent and one.cause in counts:
                counts[one.cause] += 1.0 / days
    return {cause: round(value, DIGITS) for cause, value in counts.items()}
