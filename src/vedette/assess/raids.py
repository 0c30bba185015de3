"""Attacks of several drones on one unit: how many, and from which directions (field notes, "Multi-axis")."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from vedette.assess.settings import AssessSettings
from vedette.model.threat import LEVEL_RANK, Threat


class Approach(Struct, frozen=True):
    """One drone's way to a unit: bearing from the unit (degrees), and when it may be there (Unix seconds)."""

    bearing_deg: float
    due: float


class Raids:
    """Holds who comes at each unit: ``held`` is unit, track, approach."""

    def __init__(self, settings: AssessSettings) -> None:
        self._settings = settings
        self.held: dict[str, dict[str, Approach]] = {}

    def told(self, threats: tuple[Threat, ...], *, all_of_them: bool) -> tuple[Threat, ...]:
        """The threats, with ``attackers`` and ``axes_deg`` where more than one drone comes at a unit.

        ``all_of_them``: whoever is not among them comes no more.
        """
        if all_of_them:
            self.held = {}
        for threat in threats:
            self._note(threat)
        return tuple(self._with_others(threat) for threat in threats)

    def _note(self, threat: Threat) -> None:
        comes = LEVEL_RANK[threat.level] >= LEVEL_RANK["warning"] and threat.time_to_impact_s is not None
        if comes and threat.time_to_impact_s is not None:
            approach = Approach(threat.bearing_deg, threat.time + threat.time_to_impact_s[1])
            self.held.setdefault(threat.unit, {})[threat.track] = approach
        else:
            self.held.get(threat.unit, {}).pop(threat.track, None)

    def _with_others(self, threat: Threat) -> Threat:
        known = self.held.get(threat.unit, {})
        own = known.get(threat.track)
        if own is None:
            return threat
        span = self._settings.raid_span_s
        together = [one for _, one in sorted(known.items()) if abs(one.due - own.due) <= span]
        if len(together) < 2:
            return threat
        axes = axes_of((one.bearing_deg for one in together), self._settings.raid_apart_deg)
        return replace(threat, attackers=len(together), axes_deg=axes)


def axes_of(bearings_deg: Iterable[float], apart_deg: float) -> tuple[float, ...]:
    """The directions among bearings (degrees): the first of each run that lies more than ``apart_deg`` off
    the last direction, clockwise from the widest gap; the widest gap is where no direction is."""
    ordered = sorted(bearing % 360.0 for bearing in bearings_deg)
    gaps = [(ordered[k] - ordered[k - 1]) % 360.0 if len(ordered) > 1 else 360.0 for k in range(len(ordered))]
    start = max(range(len(ordered)), key=lambda k: gaps[k], default=0)
    found: list[float] = []
    for k in range(len(ordered)):
        bearing = ordered[(start + k) % len(ordered)]
        if not found or (bearing - found[-1]) % 360.0 > apart_deg:
            found.append(bearing)
    return tuple(found)
