"""The scenario: who moves where, what they transmit, and who listens. See docs/scenarios.md.

A scenario is closed: with its seed it fixes every position and every transmitted byte, up to the
moment at which it is started. Times in it (`at_s`, `until_s` ...) are seconds after that start.
Places are either ``enu_m = [east, north]`` from the site or ``lat_deg`` and ``lon_deg``; heights of
actors are above the ground they fly over (``agl_m``).
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from vedette.model.detection import NonNegative, Positive
from vedette.model.site import Site
from vedette.simulate.behaviours.plans import Behaviour
from vedette.simulate.behaviours.replay import Replay
from vedette.simulate.ground import Terrain
from vedette.simulate.groups import FlockPlan, SwarmPlan
from vedette.simulate.kinds import Kind
from vedette.simulate.sensing.plan import Sensor
from vedette.simulate.terms import Height, Name, Share, Slug
from vedette.simulate.terms import Place as Place
from vedette.simulate.terms import Waypoint as Waypoint
from vedette.simulate.weather import CALM, Weather

Serial = Annotated[str, Meta(min_length=1, max_length=20, pattern="^[\x21-\x7e]+$")]
OperatorName = Annotated[str, Meta(min_length=1, max_length=20, pattern="^[\x20-\x7e]+$")]
MacText = Annotated[str, Meta(pattern="^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$")]
Rate = Annotated[float, Meta(ge=1.0, le=20.0)]
Transport = Literal["wifi-beacon", "wifi-nan", "ble4", "ble5"]


class RunAt(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """From ``at_s`` the actor leaves its path and runs at another actor, wherever that goes.

    ``then`` is what follows the pass: it ends there, flies on, or returns to its first waypoint.
    """

    target: Name
    at_s: NonNegative
    speed_mps: Positive
    agl_m: Height = 2.0
    then: Literal["end", "fly-on", "return"] = "end"


class Operator(Place, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a drone says its operator stands, and the operator's registration if it gives one."""

    id: OperatorName | None = None


class RemoteId(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A Remote ID transmitter: real ASTM F3411 bytes over Wi-Fi or Bluetooth.

    ``rate_hz`` counts locations; the other messages follow as in real devices, each at least every
    3 s (F3411-22a, 5.4.4). ``power_dbm`` is what leaves the antenna. ``horizontal_sigma_m`` and
    ``vertical_sigma_m`` are the one-sigma errors of the drone's own navigation, which also set the
    accuracy codes that it transmits. ``until_s`` switches the transmitter off.
    """

    serial: Serial
    mac: MacText
    transport: Transport = "wifi-beacon"
    rate_hz: Rate = 1.0
    power_dbm: Annotated[float, Meta(ge=-20.0, le=36.0)] = 18.0
    horizontal_sigma_m: Positive = 2.0
    vertical_sigma_m: Positive = 4.0
    until_s: Positive | None = None
    operator: Operator | None = None


class CotReports(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A phone that reports its unit's position as Cursor on Target every ``period_s``."""

    uid: Name
    callsign: Name
    period_s: Annotated[float, Meta(ge=0.2, le=3600.0)] = 5.0
    sigma_m: Positive = 5.0


class Actor(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One body in the world. It moves by a ``path``, a ``behaviour`` or a ``replay``, one of the three, and
    is there from the start of it until ``until_s`` (or the end). ``own``: one of the site's own drones.
    ``signature``: what sensors find of it, an entry of `catalogue.toml`; without one, that of its kind."""

    id: Name
    kind: Kind
    path: tuple[Waypoint, ...] = ()
    behaviour: Behaviour | None = None
    replay: Replay | None = None
    own: bool = False
    run_at: RunAt | None = None
    until_s: Positive | None = None
    signature: Name | None = None
    remote_id: RemoteId | None = None
    cot: CotReports | None = None

    @property
    def start(self) -> Waypoint:
        """Where and when it enters the world (height above ground unknown, 0, for a replay)."""
        if self.behaviour is not None:
            return self.behaviour
        if self.replay is not None:
            east, north, _ = self.replay.enu_m[0]
            return Waypoint(at_s=self.replay.times_s[0], enu_m=(east, north))
        return self.path[0]


class Receiver(Place, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A Remote ID receiver on a mast of ``agl_m``.

    At ``range_m`` it hears half of what it hears nearby; ``near_share`` is that share, below one
    because a Wi-Fi receiver listens to one of many channels at a time. ``fading_db`` is the standard
    deviation of the received power round its free-space value. The id is part of file names.
    """

    id: Slug
    kind: Literal["remote-id"]
    range_m: Positive
    agl_m: Height = 3.0
    near_share: Share = 0.9
    gain_dbi: Annotated[float, Meta(ge=-10.0, le=30.0)] = 2.0
    fading_db: NonNegative = 3.0


class Dem(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The ground of a real place: an elevation file (GeoTIFF, SRTM .hgt, DTED) that is used ``radius_m``
    round the site. ``path`` counts from the scenario's own folder. ``vertical_datum``: what the heights
    are measured from, where the file does not say it; ``raise_m``: what to add to them where their datum
    has no known offset from the site's."""

    path: Annotated[str, Meta(min_length=1)]
    vertical_datum: str | None = None
    radius_m: Annotated[float, Meta(ge=100.0, le=50_000.0)] = 10_000.0
    cell_m: Annotated[float, Meta(ge=5.0, le=500.0)] = 30.0
    raise_m: float | None = None


class Head(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a scenario is called, how long it lasts and where; ``seed`` fixes every random draw.

    ``loop`` lets a live station start it again at its end, with the same identities.
    """

    name: Name
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    duration_s: Annotated[float, Meta(gt=0.0, le=86_400.0)]
    site: Site
    description: str = ""
    terrain: Terrain = "flat"
    dem: Dem | None = None
    weather: Weather = CALM
    loop: bool = False


class Scenario(
    Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    rename={
        "head": "scenario",
        "receivers": "receiver",
        "sensors": "sensor",
        "actors": "actor",
        "flocks": "flock",
        "swarms": "swarm",
    },
):
    """A whole scenario, as ``[scenario]``, ``[[receiver]]``, ``[[sensor]]``, ``[[actor]]``, ``[[flock]]``
    and ``[[swarm]]`` of one TOML file. `parse` turns the flocks and swarms into actors: in a scenario that
    it gave there are none left."""

    head: Head
    receivers: tuple[Receiver, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    actors: tuple[Actor, ...] = ()
    flocks: tuple[FlockPlan, ...] = ()
    swarms: tuple[SwarmPlan, ...] = ()
