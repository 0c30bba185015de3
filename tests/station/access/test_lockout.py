"""Waits grow and end; no clock and no attacker can make one that lasts."""

from hypothesis import given
from hypothesis import strategies as st

from vedette.station.access.lockout import (
    ADDRESS,
    DEVICE,
    FORGET_S,
    NAME,
    Limit,
    Tally,
    delay_s,
    failed,
    wait_s,
)

LIMITS = st.sampled_from([DEVICE, NAME, ADDRESS])
TIMES = st.floats(0.0, 4e9)
COUNTS = st.integers(0, 10**9)


@given(COUNTS, TIMES, TIMES, LIMITS)
def test_no_wait_is_longer_than_its_limit_whatever_the_clock_says(
    failures: int, last: float, now: float, limit: Limit
) -> None:
    assert 0.0 <= wait_s(Tally(failures, last), now, limit) <= limit.most_s


@given(COUNTS, LIMITS)
def test_a_delay_never_shrinks_with_more_failures(failures: int, limit: Limit) -> None:
    assert delay_s(failures, limit) <= delay_s(failures + 1, limit)


@given(COUNTS, TIMES, LIMITS)
def test_a_wait_is_over_after_the_delay(failures: int, last: float, limit: Limit) -> None:
    tally = Tally(failures, last)
    assert wait_s(tally, last + delay_s(failures, limit) + 1e-3, limit) == 0.0


@given(st.integers(1, 60))
def test_a_guesser_gets_few_guesses_in_a_day(days: int) -> None:
    """Who asks again at the first moment, for days: one guess in a quarter of an hour in the end."""
    now = start = 1e9
    tally, guesses = Tally(), 0
    while now < start + days * 86400.0:
        now += wait_s(tally, now, NAME)
        tally, guesses = failed(tally, now), guesses + 1
    assert guesses <= 20 + days * 96


def test_what_is_free_is_free_and_then_it_doubles() -> None:
    assert [delay_s(n, NAME) for n in range(9)] == [0, 0, 0, 0, 0, 0, 1, 2, 4]


def test_a_tally_is_forgotten_after_a_day() -> None:
    assert failed(Tally(50, 1e9), 1e9 + FORGET_S + 1) == Tally(1, 1e9 + FORGET_S + 1)
    assert failed(Tally(50, 1e9), 1e9 + FORGET_S - 1).failures == 51
