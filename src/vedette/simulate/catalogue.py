"""The scenarios that come with Vedette, and generated ones for measuring."""

import math
from importlib import resources

from numpy.random import Generator

from vedette.model.errors import ConfigError
from vedette.model.site import Site
from vedette.simulate.parse import check_scenario, parse_scenario
from vedette.simulate.scenario import Actor, CotReports, Head, Receiver, RemoteId, RunAt, Scenario, Waypoint
from vedette.simulate.streams import stream

_SITE = Site(name="Load", lat_deg=31.45, lon_deg=-110.9, alt_m=1150.0, alt_datum="wgs84-ellipsoid")
_ACROSS_M = 4000.0
_RUNNERS = 10
"""Every so many drones one runs at a unit, so that the whole chain has work."""


def builtin_names() -> tuple[str, ...]:
    """Names of the scenarios in this package, sorted."""
    folder = resources.files("vedette.simulate") / "scenarios"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def load_builtin(name: str) -> Scenario:
    """One of `builtin_names`. Raises ConfigError that lists them if there is no such name."""
    if name not in builtin_names():
        raise ConfigError(f"there is no scenario {name!r}; those built in are: {', '.join(builtin_names())}")
    file = resources.files("vedette.simulate") / "scenarios" / f"{name}.toml"
    return parse_scenario(file.read_bytes(), f"{name}.toml")


def synthetic_load(
    tracks: int = 50, units: int = 500, seed: int = 1, duration_s: float = 60.0, rate_hz: float = 4.0
) -> Scenario:
    """A scenario for benchmarks: drones that all transmit and units that all report, 8 km across.

    Drones fly straight through, every tenth runs at the unit next to it after a third of the time; units walk
    and report every 5 s.
    Raises ConfigError for counts that make no scenario.
    """
    if tracks < 0 or units < 0 or not 0.0 < duration_s <= 86_400.0:
        raise ConfigError("a synthetic load needs counts of 0 or more and a duration of up to a day")
    head = Head(name=f"load-{tracks}x{units}", seed=seed, duration_s=duration_s, site=_SITE)
    receiver = Receiver(
        id="receiver", kind="remote-id", enu_m=(0.0, 0.0), range_m=20_000.0, agl_m=20.0, near_share=1.0
    )
    patrols = [_patrol(seed, number, duration_s) for number in range(units)]
    ways = {patrol.id: patrol.path for patrol in patrols if patrol.path}
    drones = [_drone(seed, number, ways, duration_s, rate_hz) for number in range(tracks)]
    return check_scenario(Scenario(head=head, receivers=(receiver,), actors=(*patrols, *drones)))


def synthetic_attack(duration_s: float = 40.0, unit: str = "unit-0000") -> Scenario:
    """A scenario for benchmarks: one drone that transmits flies straight at one post, from 1 km, in 30 s."""
    path = (
        Waypoint(at_s=0.0, enu_m=(710.0, 710.0), agl_m=60.0),
        Waypoint(at_s=30.0, enu_m=(0.0, 0.0), agl_m=20.0),
        Waypoint(at_s=max(duration_s, 31.0), enu_m=(0.0, -1.0), agl_m=20.0),
    )
    drone = Actor(
        id="drone-0000",
        kind="fpv",
        path=path,
        remote_id=RemoteId(serial="1581FATTACK000000001", mac="62:60:1f:00:00:01", rate_hz=4.0),
    )
    still = (Waypoint(at_s=0.0, enu_m=(0.0, 0.0)), Waypoint(at_s=duration_s, enu_m=(1.0, 0.0)))
    post = Actor(id=unit, kind="patrol", path=still, cot=CotReports(uid=unit, callsign="Post", period_s=5.0))
    receiver = Receiver(
        id="receiver", kind="remote-id", enu_m=(0.0, 0.0), range_m=20_000.0, agl_m=20.0, near_share=1.0
    )
    head = Head(name="attack", seed=1, duration_s=duration_s, site=_SITE)
    return check_scenario(Scenario(head=head, receivers=(receiver,), actors=(post, drone)))


def _path(generator: Generator, speed_mps: float, agl_m: float, duration_s: float) -> tuple[Waypoint, ...]:
    east, north = (float(value) for value in (generator.random(2) - 0.5) * 2.0 * _ACROSS_M)
    course = float(generator.random()) * 2.0 * math.pi
    length = speed_mps * duration_s
    end = (east + length * math.sin(course), north + length * math.cos(course))
    return (
        Waypoint(at_s=0.0, enu_m=(east, north), agl_m=agl_m),
        Waypoint(at_s=duration_s, enu_m=end, agl_m=agl_m),
    )


def _patrol(seed: int, number: int, duration_s: float) -> Actor:
    generator = stream(seed, "load", f"unit-{number}")
    name = f"unit-{number:04d}"
    return Actor(
        id=name,
        kind="patrol",
        path=_path(generator, 1.2, 0.0, duration_s),
        cot=CotReports(uid=name, callsign=f"Unit {number}", period_s=5.0),
    )


def _third(path: tuple[Waypoint, ...]) -> tuple[float, float]:
    """Where a straight path is after a third of its time."""
    (e0, n0), (e1, n1) = (point.enu_m or (0.0, 0.0) for point in (path[0], path[-1]))
    return e0 + (e1 - e0) / 3.0, n0 + (n1 - n0) / 3.0


def _drone(
    seed: int, number: int, ways: dict[str, tuple[Waypoint, ...]], duration_s: float, rate_hz: float
) -> Actor:
    generator = stream(seed, "load", f"drone-{number}")
    path = _path(generator, 12.0 + 8.0 * float(generator.random()), 80.0, duration_s)
    run = None
    if number % _RUNNERS == 0 and ways:
        target = min(ways, key=lambda unit: math.dist(_third(ways[unit]), _third(path)))
        run = RunAt(target=target, at_s=duration_s / 3.0, speed_mps=28.0)
    return Actor(
        id=f"drone-{number:04d}",
        kind="fpv",
        path=path,
        run_at=run,
        remote_id=RemoteId(
            serial=f"1581FLOAD{number:011d}",
            mac=f"62:60:1f:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}",
            rate_hz=rate_hz,
        ),
    )
