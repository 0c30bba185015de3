"""Who is told, and by which ways: the unit at risk, who leads it, who has the duty. Never nobody."""

from collections.abc import Collection, Mapping

from vedette.model.threat import Threat
from vedette.model.unit import Duty, Roster, RosterEntry
from vedette.warn.settings import Asked

DUTY = "watch-officer"
"""The role that escalations end at."""


class Directory:
    """A roster, looked up. ``out``: units that a person took out of service; they are asked for nobody."""

    def __init__(self, roster: Roster) -> None:
        self.roster = roster
        self._entries: dict[str, RosterEntry] = {}
        for entry in roster.units:
            self._entries.setdefault(entry.unit, entry)

    def entry(self, unit: str) -> RosterEntry | None:
        """The roster's line for ``unit``."""
        return self._entries.get(unit)

    def name(self, unit: str) -> str:
        """What others call it."""
        entry = self._entries.get(unit)
        return entry.callsign if entry is not None and entry.callsign else unit

    def ways(self, unit: str, *, asked: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(channels that may be used, nothing = all; channels that are kept for later). ``asked``: the unit
        has not answered, and nothing is kept any more."""
        entry = self._entries.get(unit)
        if entry is None:
            return (), ()
        if not asked:
            return entry.channels, entry.second
        return (*entry.channels, *entry.second) if entry.channels else (), ()

    def asked(self, to: Asked, unit: str, at: float, out: Collection[str] = ()) -> tuple[str, ...]:
        """Who is asked about ``unit`` at ``at``: at least one, and the unit itself if there is nobody else.

        Nobody leads it: the duty is asked. Nobody on the roster has the duty: its team, then everybody on
        the roster.
        """
        if to == "unit":
            return (unit,)
        lead = self._lead(unit, out) if to == "lead" else ()
        return (
            lead
            or self._on_duty(unit, at, out)
            or self._lead(unit, out)
            or self._others(unit, out)
            or (unit,)
        )

    def _lead(self, unit: str, out: Collection[str]) -> tuple[str, ...]:
        entry = self._entries.get(unit)
        lead = None if entry is None else entry.lead
        return () if lead is None or lead == unit or lead in out else (lead,)

    def _on_duty(self, unit: str, at: float, out: Collection[str]) -> tuple[str, ...]:
        line = [duty for duty in self.roster.duty if duty.unit != unit and duty.unit not in out]
        return tuple(dict.fromkeys(duty.unit for duty in on_duty(line, at)))

    def _others(self, unit: str, out: Collection[str]) -> tuple[str, ...]:
        own = self._entries.get(unit)
        able = [e for e in self._entries.values() if e.unit != unit and e.unit not in out]
        team = [e.unit for e in able if own is not None and own.team is not None and e.team == own.team]
        return tuple(team or (e.unit for e in able))


def on_duty(line: Collection[Duty], at: float, role: str = DUTY) -> tuple[Duty, ...]:
    """Who has ``role`` at ``at``: all whose shifts overlap; if none, who comes next; if nobody does, who had
    it last. Another role stands in for one that nobody ever has."""
    own = [duty for duty in line if duty.role == role]
    shifts = sorted(own or line, key=lambda d: (d.begins, d.until, d.unit))
    now = [duty for duty in shifts if duty.begins <= at < duty.until]
    if now or not shifts:
        return tuple(now)
    coming = [duty for duty in shifts if duty.begins > at]
    return (coming[0],) if coming else (max(shifts, key=lambda d: (d.until, d.unit)),)


def unplaced(
    roster: Roster, ages: Mapping[str, float], threats: Collection[Threat], old_s: float
) -> list[str]:
    """Units whose place nobody knows, if a threat of WARNING or above is about their team or site.

    ``ages``: seconds since the last report of each unit that has reported. A unit without a team is of the
    site, and so is whoever is in danger without one.
    """
    grave = [threat for threat in threats if threat.level in ("warning", "imminent")]
    if not grave:
        return []
    teams = {entry.unit: entry.team for entry in roster.units}
    endangered = {teams.get(threat.unit) for threat in grave}
    return [
        entry.unit
        for entry in roster.units
        if ages.get(entry.unit, old_s) >= old_s
        and (None in endangered or entry.team is None or entry.team in endangered)
    ]
