"""Sets of sensors by name, as functions of the place that they stand round; drones that emit nothing."""

from collections.abc import Callable

from msgspec import structs

from vedette.model.errors import ConfigError
from vedette.simulate.kinds import Kind
from vedette.simulate.scenario import Scenario
from vedette.simulate.sensing.plan import Sensor

Plane = tuple[float, float]

RADAR_MAST_M, FINDER_MAST_M, CAMERA_MAST_M, ARRAY_MAST_M, RECEIVER_MAST_M = 8.0, 10.0, 8.0, 2.0, 8.0
FINDER_APART_M = 900.0
"""A second direction finder stands so far north-east of the first, so that bearings cross."""

SILENT: dict[Kind, str] = {
    "fpv": "fpv-fibre",
    "multirotor": "multirotor-autonomous",
    "hexacopter": "hexacopter-autonomous",
    "fixed-wing": "fixed-wing-autonomous",
}
"""Signature of a drone of each kind that emits nothing: on a fibre, or autonomous."""


def _radar(at: Plane, begin: str) -> tuple[Sensor, ...]:
    return (Sensor(id=f"{begin}radar", model="x-band-fmcw", enu_m=at, agl_m=RADAR_MAST_M),)


def _panels(at: Plane, begin: str) -> tuple[Sensor, ...]:
    return tuple(
        Sensor(
            id=f"{begin}panel-{facing:03d}",
            model="mesa-radar",
            enu_m=at,
            agl_m=RADAR_MAST_M,
            facing_deg=float(facing),
        )
        for facing in (0, 120, 240)
    )


def _surveillance(at: Plane, begin: str) -> tuple[Sensor, ...]:
    return (Sensor(id=f"{begin}radar-2d", model="surveillance-2d", enu_m=at, agl_m=RADAR_MAST_M),)


def _finders(at: Plane, begin: str) -> tuple[Sensor, ...]:
    apart = FINDER_APART_M / 2.0**0.5
    places = {"df-1": at, "df-2": (at[0] + apart, at[1] + apart)}
    return tuple(
        Sensor(id=f"{begin}{name}", model="rf-direction-finder", enu_m=place, agl_m=FINDER_MAST_M)
        for name, place in places.items()
    )


def _array(at: Plane, begin: str) -> tuple[Sensor, ...]:
    return (Sensor(id=f"{begin}array", model="acoustic-array", enu_m=at, agl_m=ARRAY_MAST_M),)


def _camera(at: Plane, begin: str) -> tuple[Sensor, ...]:
    return (Sensor(id=f"{begin}camera", model="pan-camera", enu_m=at, agl_m=CAMERA_MAST_M),)


def _remote_id(at: Plane, begin: str) -> tuple[Sensor, ...]:
    return (Sensor(id=f"{begin}remote-id", model="remote-id-receiver", enu_m=at, agl_m=RECEIVER_MAST_M),)


def _adsb(at: Plane, begin: str) -> tuple[Sensor, ...]:
    return (Sensor(id=f"{begin}adsb", model="adsb-receiver", enu_m=at, agl_m=RECEIVER_MAST_M),)


_Part = Callable[[Plane, str], tuple[Sensor, ...]]
_MIXES: dict[str, tuple[_Part, ...]] = {
    "remote-id-only": (_remote_id,),
    "df-only": (_finders,),
    "radar-only": (_radar,),
    "radar-2d": (_surveillance, _remote_id, _adsb),
    "radar-panels": (_panels, _remote_id, _adsb),
    "radar-df": (_radar, _finders, _remote_id, _adsb),
    "acoustic-camera": (_array, _camera, _remote_id),
    "passive": (_finders, _array, _camera, _remote_id, _adsb),
    "full": (_radar, _finders, _array, _camera, _remote_id, _adsb),
}
MIXES: tuple[str, ...] = tuple(_MIXES)


def mix(name: str, at_m: Plane, begin: str = "") -> tuple[Sensor, ...]:
    """The sensors of a named set round ``at_m`` (east, north); ``begin`` begins their ids, so that a site can
    have several. Raises ConfigError for a name that is none of `MIXES`."""
    if name not in _MIXES:
        raise ConfigError(f"no sensor mix {name!r}; there are {', '.join(MIXES)}")
    return tuple(sensor for part in _MIXES[name] for sensor in part(at_m, begin))


def radio_silent(scenario: Scenario) -> Scenario:
    """The same flights by drones that emit nothing, no link and no Remote ID; one's own stay as they are."""
    actors = tuple(
        structs.replace(actor, signature=SILENT[actor.kind], remote_id=None)
        if actor.kind in SILENT and not actor.own
        else actor
        for actor in scenario.actors
    )
    return structs.replace(scenario, actors=actors)
