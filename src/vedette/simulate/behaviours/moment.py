"""What a pilot sees at one step of the world, and what it may say."""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from vedette.model.track import Vector3
from vedette.simulate.ground import Ground
from vedette.simulate.plane import Pair


class Kinematics(Struct, frozen=True):
    """Place (metres) and velocity (m/s) in the site's ENU frame."""

    enu_m: Vector3
    velocity_mps: Vector3


class Happening(Struct, frozen=True, kw_only=True):
    """Something that happened in the world: never shown to the system under test.

    ``what``: ``watch`` (following, circling or hovering begins), ``strike`` (the final run begins),
    ``turned-back``, ``broke-off``, ``impact`` (the body met its target, or was overhead with what it drops),
    ``missed`` (it gave up, or met the ground first). ``miss_m`` is how near it came.
    """

    time_s: float
    actor: str
    what: str
    target: str | None = None
    miss_m: float | None = None


class Moment:
    """One step as one pilot sees it.

    ``wind_mps`` is that of its own air, gust included; ``sink_mps`` the fastest descent of its kind and
    ``push_mps2`` how hard it tips into one. A pilot sets ``dives`` in a step in
    which it does not mean to keep off the ground.
    """

    __slots__ = (
        "_others",
        "_tell",
        "dives",
        "ground",
        "place",
        "push_mps2",
        "sink_mps",
        "time_s",
        "velocity",
        "wind_mps",
    )

    def __init__(
        self,
        ground: Ground,
        sink_mps: float,
        push_mps2: float,
        others: Callable[[str], Kinematics | None],
        tell: Callable[[Happening], None],
    ) -> None:
        self.time_s = 0.0
        self.place: Vector3 = (0.0, 0.0, 0.0)
        self.velocity: Vector3 = (0.0, 0.0, 0.0)
        self.wind_mps: Pair = (0.0, 0.0)
        self.ground = ground
        self.sink_mps = sink_mps
        self.push_mps2 = push_mps2
        self.dives = False
        self._others = others
        self._tell = tell

    def of(self, actor: str) -> Kinematics | None:
        """Another actor's state now; None if it is not in the world."""
        return self._others(actor)

    def tell(self, fact: Happening) -> None:
        """Enter something in the world's story."""
        self._tell(fact)


class Pilot(Protocol):
    """One body's mind: pure but for its own memory and its own random stream."""

    def steer(self, now: Moment) -> Vector3 | None:
        """The velocity it wants over the ground (m/s), or None when it leaves the world."""
        ...
