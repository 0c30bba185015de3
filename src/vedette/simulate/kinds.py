"""What each kind of actor can do: the envelopes of the simulated world.

These figures belong to the simulator alone. The assessor has its own, from its own sources: an
assessor that knew these would grade itself.

Sources: multirotor and FPV speeds from the catalogue of public figures (quadcopters of the Mavic
class 15-21 m/s; FPV 25-40 m/s planned, up to 56 m/s claimed); birds 8-23 m/s airspeed (Alerstam et
al. 2007, PLoS Biol 5(8) e197); one-way fixed wing up to 56 m/s; bomb-dropping hexacopters 10-18 m/s.
Light helicopters cruise at 50-75 m/s, light aircraft at 40-100 m/s. Accelerations, rates of climb and
descent, stalling speeds and gust responses are engineering estimates.
"""

from typing import Literal

from msgspec import Struct

from vedette.model.unit import Mobility

Kind = Literal[
    "multirotor",
    "fpv",
    "hexacopter",
    "fixed-wing",
    "bird",
    "helicopter",
    "aircraft",
    "patrol",
    "vehicle",
    "post",
]


class Envelope(Struct, frozen=True, kw_only=True):
    """Limits that the world holds at every step, and how unsteadily the kind moves.

    ``speed_mps`` is through the air for what flies. What has a ``stall_mps`` must keep it, and turns only
    as fast as ``acceleration_mps2`` bends its path; what hovers may fly in any direction at once.
    ``sink_mps`` is the fastest descent, ``climb_mps`` the fastest climb. ``wander_mps`` is the standard
    deviation of the slowly changing velocity by which gusts, or an unsteady walk, push the actor off its
    intended path.
    """

    speed_mps: float
    acceleration_mps2: float
    climb_mps: float
    sink_mps: float
    climb_acceleration_mps2: float
    wander_mps: float
    airborne: bool
    hovers: bool
    stall_mps: float = 0.0


def _flyer(
    speed: float, acceleration: float, climb: float, sink: float, wander: float, stall: float = 0.0
) -> Envelope:
    return Envelope(
        speed_mps=speed,
        acceleration_mps2=acceleration,
        climb_mps=climb,
        sink_mps=sink,
        climb_acceleration_mps2=acceleration / 2,
        wander_mps=wander,
        airborne=True,
        hovers=stall == 0.0,
        stall_mps=stall,
    )


def _walker(speed: float, acceleration: float, wander: float) -> Envelope:
    return Envelope(
        speed_mps=speed,
        acceleration_mps2=acceleration,
        climb_mps=speed,
        sink_mps=speed,
        climb_acceleration_mps2=acceleration,
        wander_mps=wander,
        airborne=False,
        hovers=True,
    )


ENVELOPES: dict[Kind, Envelope] = {
    "multirotor": _flyer(21.0, 6.0, 6.0, 8.0, 0.4),
    "fpv": _flyer(56.0, 15.0, 15.0, 30.0, 0.6),
    "hexacopter": _flyer(18.0, 4.0, 4.0, 5.0, 0.5),
    "fixed-wing": _flyer(56.0, 8.0, 8.0, 30.0, 0.6, stall=11.0),
    "bird": _flyer(23.0, 6.0, 4.0, 10.0, 1.5, stall=4.0),
    "helicopter": _flyer(80.0, 6.0, 8.0, 8.0, 0.4),
    "aircraft": _flyer(110.0, 8.0, 10.0, 12.0, 0.4, stall=27.0),
    "patrol": _walker(4.0, 1.5, 0.1),
    "vehicle": _walker(35.0, 3.0, 0.2),
    "post": _walker(0.0, 0.0, 0.0),
}

PILOTED: tuple[Kind, ...] = ("multirotor", "fpv", "hexacopter", "fixed-wing", "helicopter", "aircraft")
"""Kinds that hold their track over the ground against the wind; birds are carried by it."""

MOBILITY: dict[Kind, Mobility] = {"patrol": "foot", "vehicle": "vehicle", "post": "post"}
"""Kinds that are protected units, and how they move."""
