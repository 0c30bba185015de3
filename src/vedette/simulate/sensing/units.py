"""What the units of a scenario report of themselves."""

from collections.abc import Iterator

from vedette.model.unit import UnitReport
from vedette.simulate.emitters import emissions
from vedette.simulate.scenario import Scenario


def unit_reports(scenario: Scenario, start_time: float) -> Iterator[UnitReport]:
    """Reports of all phones, oldest first. Raises ConfigError for a start outside 2019 to 2100."""
    for emission in emissions(scenario, start_time, channels=("cot",)):
        if emission.report is not None:
            yield emission.report
