"""Station time never decreases, whatever the wall clock does."""

from hypothesis import given
from hypothesis import strategies as st

from vedette.station.clock import SLEW, StationClock


class Hands:
    """A wall clock and a monotonic clock that the test moves."""

    def __init__(self) -> None:
        self.wall = 1_700_000_000.0
        self.mono = 50.0

    def clock(self, speed: float = 1.0, start: float = 0.0) -> StationClock:
        return StationClock(speed, start, wall=lambda: self.wall, monotonic=lambda: self.mono)

    def pass_time(self, seconds: float, wall_step: float = 0.0) -> None:
        self.mono += seconds
        self.wall += seconds + wall_step


def test_follows_the_wall_clock() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.pass_time(100.0)
    assert abs(clock.now() - hands.wall) < 1e-6
    assert clock.step() is None


@given(st.lists(st.tuples(st.floats(0.0, 100.0), st.floats(-1e6, 1e6)), max_size=30))
def test_never_decreases_and_slews_by_five_percent(moves: list[tuple[float, float]]) -> None:
    hands = Hands()
    clock = hands.clock()
    before = clock.now()
    for seconds, step in moves:
        hands.pass_time(seconds, step)
        now = clock.now()
        assert now >= before
        assert abs((now - before) - seconds) <= SLEW * seconds + 1e-6
        before = now


def test_step_is_reported_once() -> None:
    hands = Hands()
    clock = hands.clock()
    hands.pass_time(10.0, wall_step=-3600.0)
    step = clock.step()
    assert step is not None
    assert abs(step + 3600.0) < 1e-6
    assert clock.step() is None


def test_starts_behind_the_log_when_the_wall_clock_is_behind() -> None:
    hands = Hands()
    clock = hands.clock(start=hands.wall + 500.0)
    assert clock.now() >= hands.wall + 500.0


def test_runs_faster_in_an_exercise_and_maps_both_ways() -> None:
    hands = Hands()
    clock = hands.clock(speed=50.0)
    start = clock.now()
    hands.pass_time(2.0)
    assert abs(clock.now() - start - 100.0) < 1e-6
    assert abs(clock.from_wall(hands.wall) - clock.now()) < 1e-6
    assert abs(clock.to_wall(clock.now() + 50.0) - (hands.wall + 1.0)) < 1e-6
    assert clock.step() is None
