"""What each kind of actor can do: the envelopes of the simulated world.

These figures belong to the simulator alone. The assessor has its own, from its own sources: an
assessor that knew these would grade itself.

Sources: multirotor and FPV speeds from the catalogue of public figures (quadcopters of the Mavic
class 15-21 m/s; FPV 25-40 m/s planned, up to 56 m/s claimed); birds 8-23 m/s airspeed (Alerstam et
al. 2007, PLoS Biol 5(8) e197); one-way fixed wing up to 56 m/s. Accelerations and gust responses are
engineering estimates.
"""

from typing import Literal

from msgspec import Struct

from vedette.model.unit import Mobility

Kind = Literal["multirotor", "fpv", "fixed-wing", "bird", "patrol", "vehicle", "post"]


class Envelope(Struct, frozen=True, kw_only=True):
    """Limits that the world holds at every step, and how unsteadily the kind moves.

    ``wander_mps`` is the standard deviation of the slowly changing velocity by which gusts, or an
    unsteady walk, push the actor off its intended path.
    """

    speed_mps: float
    acceleration_mps2: float
    climb_mps: float
    climb_acceleration_mps2: float
    wander_mps: float
    airborne: bool
    hovers: bool


def _flyer(speed: float, acceleration: float, climb: float, wander: float, hovers: bool) -> Envelope:
    return Envelope(
        speed_mps=speed,
        acceleration_mps2=acceleration,
        climb_mps=climb,
        climb_acceleration_mps2=acceleration / 2,
        wander_mps=wander,
        airborne=True,
        hovers=hovers,
    )


def _walker(speed: float, acceleration: float, wander: float) -> Envelope:
    return Envelope(
        speed_mps=speed,
        acceleration_mps2=acceleration,
        climb_mps=speed,
        climb_acceleration_mps2=acceleration,
        wander_mps=wander,
        airborne=False,
        hovers=True,
    )


ENVELOPES: dict[Kind, Envelope] = {
    "multirotor": _flyer(21.0, 6.0, 6.0, 0.4, hovers=True),
    "fpv": _flyer(56.0, 15.0, 15.0, 0.6, hovers=True),
    "fixed-wing": _flyer(56.0, 8.0, 8.0, 0.6, hovers=False),
    "bird": _flyer(23.0, 6.0, 4.0, 1.5, hovers=False),
    "patrol": _walker(4.0, 1.5, 0.1),
    "vehicle": _walker(35.0, 3.0, 0.2),
    "post": _walker(0.0, 0.0, 0.0),
}

MOBILITY: dict[Kind, Mobility] = {"patrol": "foot", "vehicle": "vehicle", "post": "post"}
"""Kinds that are protected units, and how they move."""
