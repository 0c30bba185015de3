"""Is the ground known wherever a scenario puts a body, and does none begin below it?"""

import math
from collections.abc import Iterator

from vedette.model.errors import ConfigError
from vedette.model.strict import FieldError
from vedette.simulate.behaviours.plans import places_of, target_of
from vedette.simulate.elevated import ground_for
from vedette.simulate.ground import Ground
from vedette.simulate.kinds import ENVELOPES
from vedette.simulate.places import SiteFrame
from vedette.simulate.scenario import Actor, Head, Scenario

OFF_GROUND_M = 150.0
"""A mast and the error of a file together are less, and so are the heights of the geoid."""
LOOK_EVERY_M = 25.0
"""A way is looked at so closely for places without known ground."""

Way = tuple[str, tuple[float, float], tuple[float, float]]


def check_ground(scenario: Scenario, frame: SiteFrame) -> None:
    """Raises FieldError for an elevation file that cannot be used, for a way that leads out of it or over
    a void, and for a replay below the ground."""
    head = scenario.head
    if head.dem is not None and head.terrain != "flat":
        raise FieldError("$.scenario.terrain", f"{head.terrain!r} and an elevation file: give one of the two")
    ground = _ground(scenario)
    if head.dem is not None:
        _check_site(head, ground)
    if head.dem is not None or head.terrain in ("ridge", "canyon"):
        for path, start, end in _ways(scenario, frame):
            _check_way(path, start, end, ground)
    for index, actor in enumerate(scenario.actors):
        _check_above(f"$.actor[{index}].replay", actor, ground)


def _check_site(head: Head, ground: Ground) -> None:
    """A site far above or below the ground of its file has a wrong datum, or feet for metres, or is
    somewhere else."""
    off = -ground.height_at(0.0, 0.0)
    if abs(off) > OFF_GROUND_M:
        raise FieldError(
            "$.scenario.site.alt_m",
            f"the site is {abs(off):.0f} m {'above' if off > 0.0 else 'below'} the ground that the elevation "
            "file tells there: are both heights in metres, and do the datum of the site and that of the file "
            "(vertical_datum) say what they are measured from?",
        )


def _ground(scenario: Scenario) -> Ground:
    try:
        return ground_for(scenario.head)
    except ConfigError as error:
        if scenario.head.dem is None:
            raise
        raise FieldError("$.scenario.dem", str(error)) from error


def _ways(scenario: Scenario, frame: SiteFrame) -> Iterator[Way]:
    """Straight lines along which somebody means to go, as far as the scenario says it."""
    for index, receiver in enumerate(scenario.receivers):
        yield f"$.receiver[{index}]", frame.plane_m(receiver), frame.plane_m(receiver)
    for index, sensor in enumerate(scenario.sensors):
        yield f"$.sensor[{index}]", frame.plane_m(sensor), frame.plane_m(sensor)
    starts = {actor.id: frame.plane_m(actor.start) for actor in scenario.actors}
    for index, actor in enumerate(scenario.actors):
        path = f"$.actor[{index}]"
        places = [frame.plane_m(waypoint) for waypoint in actor.path]
        for step, place in enumerate(places):
            yield f"{path}.path[{step}]", places[max(step - 1, 0)], place
        if actor.behaviour is None:
            continue
        yield f"{path}.behaviour", starts[actor.id], starts[actor.id]
        for field, there in places_of(actor.behaviour).items():
            yield f"{path}.behaviour.{field}", starts[actor.id], frame.plane_m(there)
        target = target_of(actor.behaviour)
        if target is not None:
            yield f"{path}.behaviour", starts[actor.id], starts[target]


def _check_way(path: str, start: tuple[float, float], end: tuple[float, float], ground: Ground) -> None:
    parts = max(1, math.ceil(math.hypot(end[0] - start[0], end[1] - start[1]) / LOOK_EVERY_M))
    for part in range(parts + 1):
        east = start[0] + (end[0] - start[0]) * part / parts
        north = start[1] + (end[1] - start[1]) * part / parts
        if math.isnan(ground.height_at(east, north)):
            raise FieldError(
                path,
                f"the elevation model knows no ground at {east:.0f} m east, {north:.0f} m north of the site, "
                "on the way here: outside the model or in a void; move the way, or bring the tile that "
                "covers it",
            )


def _check_above(path: str, actor: Actor, ground: Ground) -> None:
    if actor.replay is None or not ENVELOPES[actor.kind].airborne:
        return
    for number, (east, north, up) in enumerate(actor.replay.enu_m):
        below = ground.height_at(east, north) - up
        if math.isnan(below) or below > 0.0:
            why = "where the ground is not known" if math.isnan(below) else f"{below:.1f} m below the ground"
            raise FieldError(
                f"{path}.enu_m[{number}]", f"the replayed body would be {why}: move it, or raise it"
            )
