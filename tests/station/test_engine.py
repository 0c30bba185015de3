"""The engine numbers events, keeps ticks on their grid, and outlives a fault of the core."""

import math

import pytest
from station_build import SITE, START, Recorder

from vedette.core import Core
from vedette.model import Detection, Event, InputError, Position, UnitReport
from vedette.model.event import Configure, DetectionBatch, Intent, Tick
from vedette.station.engine import Engine


def unit(time: float, lat_deg: float = 31.45) -> UnitReport:
    return UnitReport(time=time, unit="u", lat_deg=lat_deg, lon_deg=-110.9, sigma_m=5.0, mobility="foot")


def test_numbers_without_gaps_and_times_that_never_decrease() -> None:
    recorder = Recorder()
    for step, jump in enumerate((0.03, 0.5, -3.0, 0.2, 7.0)):
        recorder.enter(recorder.hand.at + jump, unit(START + step))
    seqs = [event.seq for event in recorder.events]
    times = [event.at for event in recorder.events]
    assert seqs == list(range(1, len(seqs) + 1))
    assert times == sorted(times)


def test_ticks_stand_on_the_grid_and_before_what_comes_later() -> None:
    recorder = Recorder()
    recorder.enter(START + 0.55, unit(START))
    ticks = [event.at for event in recorder.events if isinstance(event.body, Tick)]
    assert ticks == [pytest.approx(START + n / 10) for n in range(1, 6)]
    assert isinstance(recorder.events[-1].body, UnitReport)


def test_a_long_suspension_makes_a_bounded_number_of_ticks() -> None:
    recorder = Recorder()
    recorder.enter(START + 86_400.0, unit(START))
    assert sum(isinstance(event.body, Tick) for event in recorder.events) == 600


def test_what_cannot_be_logged_is_refused_and_nothing_is_numbered() -> None:
    recorder = Recorder()
    bad = Detection(time=math.nan, sensor="s", measure=Position(lat_deg=1.0, lon_deg=2.0))
    with pytest.raises(InputError, match="detections event refused"):
        recorder.enter(START, DetectionBatch(feed="s", detections=(bad,)))
    recorder.enter(START, unit(START))
    assert [event.seq for event in recorder.events] == [1]


class Failing(Core):
    """A core with a fault in it."""

    def step(self, event: Event) -> list[Intent]:
        if isinstance(event.body, UnitReport):
            raise ZeroDivisionError("a fault")
        return super().step(event)


def test_a_fault_of_the_core_is_told_and_the_station_goes_on() -> None:
    recorder = Recorder(core=Failing(Configure(site=SITE)))
    recorder.enter(START, unit(START))
    recorder.enter(START + 1.0, unit(START))
    assert len(recorder.faults) == 2
    assert sum(isinstance(event.body, UnitReport) for event in recorder.events) == 2
    assert any(isinstance(event.body, Tick) for event in recorder.events)


def test_a_new_log_has_no_ticks_to_make_up_for() -> None:
    recorder = Recorder(at=0.0)
    recorder.hand.at = START
    engine = Engine(
        Core(Configure(site=SITE)),
        recorder.hand.now,
        recorder.events.extend,
        recorder.decided.append,
        lambda event, error: None,
    )
    engine.enter(unit(START))
    assert not any(isinstance(event.body, Tick) for event in recorder.events)


def test_a_state_without_a_digest_costs_no_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder()

    def fail(self: object, at: float) -> None:
        raise OverflowError("no digest")

    monkeypatch.setattr(Core, "_digests", fail)
    recorder.enter(START + 2.0, unit(START))
    assert not recorder.faults
    assert recorder.engine.core.counts() == {"no-digest:OverflowError": 3}
