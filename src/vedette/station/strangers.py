"""How much of what anybody can invent enters the record: operators of drones, and units."""

from collections.abc import Iterable
from typing import Literal

from vedette.model import Roster, UnitReport
from vedette.model.event import OperatorPosition
from vedette.station.pace import Pace

OPERATORS_PER_S, OPERATORS_AT_ONCE = 20.0, 300
"""Positions of operators that enter the record, sealed one by one; whoever transmits can invent them."""
UNIT_PER_S, UNIT_AT_ONCE = 2.0, 3
"""Reports of one unit that are used: phones send one in 5 to 30 s."""
STRANGERS_PER_S, STRANGERS_AT_ONCE = 20.0, 600
"""Units of one feed that nobody knows yet: a whole company may connect at once, and then no more than this.
Whoever is on the roster, or was here before, is taken always."""
MOST_OPERATORS = 10_000

Verdict = Literal["new", "known", "too-many"]


class Strangers:
    """``units``: those that were here before; ``operators``: where each was told to be last."""

    def __init__(self, units: Iterable[str]) -> None:
        self.operators: dict[str, tuple[float, float]] = {}
        self._units: dict[str, None] = dict.fromkeys(units)
        self._operator_pace = Pace(OPERATORS_PER_S, OPERATORS_AT_ONCE)
        self._unit_pace = Pace(UNIT_PER_S, UNIT_AT_ONCE)
        self._pace = Pace(STRANGERS_PER_S, STRANGERS_AT_ONCE)

    def operator(self, position: OperatorPosition, source: str, at: float) -> Verdict:
        """``new`` if it is to be written: it is new or has moved. ``source``: by which feed it came; all
        sensors of one have their pace together."""
        place = (position.lat_deg, position.lon_deg)
        if self.operators.get(position.id) == place:
            return "known"
        if not self._operator_pace.admits(source, at):
            return "too-many"
        if len(self.operators) >= MOST_OPERATORS:
            self.operators.clear()
        self.operators[position.id] = place
        return "new"

    def unit(self, report: UnitReport, source: str, roster: Roster, at: float) -> Verdict:
        """``new`` if the report is to be used; ``known`` if the unit's next one is near."""
        if not self._unit_pace.admits(report.unit, at):
            return "known"
        listed = report.unit in self._units or any(entry.unit == report.unit for entry in roster.units)
        if not listed and not self._pace.admits(source, at):
            return "too-many"
        self._units[report.unit] = None
        return "new"
