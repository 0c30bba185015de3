"""Who was where in one encounter, for a map of it: bodies, units and sensors as they really were, and the
tracks as the station had them."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from vedette.evaluate.campaign.outcome import of_interest
from vedette.evaluate.campaign.stage import Stage
from vedette.evaluate.campaign.watch import Second
from vedette.geo import LocalFrame

What = Literal["body", "unit", "sensor", "track"]
Spot = tuple[float, float, float]
"""Seconds since the encounter began, metres east, metres north."""


class Way(Struct, frozen=True, kw_only=True):
    """One of them, second by second; a sensor has one spot."""

    name: str
    what: What
    spots: tuple[Spot, ...]


def ways_of(stage: Stage, seconds: Iterable[Second]) -> tuple[Way, ...]:
    """The ways of all that a map of the encounter shows."""
    rows = list(seconds)
    found = [_sensor(stage, one.id, one.lat_deg, one.lon_deg) for one in stage.told.sensors]
    bodies = sorted(of_interest(stage))
    actors = {actor: unit for unit, actor in stage.actor_of.items()}
    for name in (*bodies, *actors):
        spots = tuple(_spots(stage, name, rows))
        if spots:
            what: What = "body" if name in bodies else "unit"
            found.append(Way(name=actors.get(name, name), what=what, spots=spots))
    return (*found, *_tracks(stage, rows))


def _sensor(stage: Stage, name: str, lat_deg: float, lon_deg: float) -> Way:
    site = stage.told.site
    east, north, _ = LocalFrame(site.lat_deg, site.lon_deg, site.alt_m).to_enu(lat_deg, lon_deg, site.alt_m)
    return Way(name=name, what="sensor", spots=((0.0, round(east, 1), round(north, 1)),))


def _spots(stage: Stage, name: str, seconds: Iterable[Second]) -> Iterable[Spot]:
    path = stage.truth.paths.get(name)
    for second in seconds:
        found = None if path is None else path.at(second.time)
        if found is not None:
            east, north, _ = found[0].tolist()
            yield round(second.time - stage.scene.t0, 1), round(east, 1), round(north, 1)


def _tracks(stage: Stage, seconds: Iterable[Second]) -> Iterable[Way]:
    bodies = of_interest(stage)
    spots: dict[str, list[Spot]] = {}
    for second in seconds:
        at = round(second.time - stage.scene.t0, 1)
        for track in second.frame.tracks:
            if second.owners.get(track.id) in bodies:
                east, north, _ = track.enu_m
                spots.setdefault(track.id, []).append((at, round(east, 1), round(north, 1)))
    return [Way(name=name, what="track", spots=tuple(rows)) for name, rows in spots.items()]
