"""Time of day against the time of receipt."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.wire.asterix import AsterixError, unix_time

MIDNIGHT = 1_462_406_400.0
"""2016-05-05 00:00 UTC."""


@pytest.mark.parametrize(
    ("time_of_day_s", "received", "expected"),
    [
        (27_354.5, MIDNIGHT + 27_356.0, MIDNIGHT + 27_354.5),
        (86_399.0, MIDNIGHT + 0.5, MIDNIGHT - 1.0),
        (0.25, MIDNIGHT - 0.5, MIDNIGHT + 0.25),
        (0.0, MIDNIGHT, MIDNIGHT),
        (43_100.0, MIDNIGHT + 100.0, MIDNIGHT + 43_100.0),
        (43_400.0, MIDNIGHT + 100.0, MIDNIGHT + 43_400.0 - 86_400.0),
    ],
)
def test_the_nearest_day_is_chosen(time_of_day_s: float, received: float, expected: float) -> None:
    assert unix_time(time_of_day_s, received) == expected


@given(st.floats(0.0, 4e9), st.floats(-43_000.0, 43_000.0))
def test_any_delay_below_half_a_day_is_found_again(received: float, delay: float) -> None:
    true = received - delay
    time_of_day = math.fmod(math.fmod(true, 86_400.0) + 86_400.0, 86_400.0)
    assert unix_time(time_of_day, received) == pytest.approx(true, abs=1e-5)


@pytest.mark.parametrize(
    ("time_of_day_s", "received"),
    [(-0.1, 0.0), (86_400.0, 0.0), (math.nan, 0.0), (1.0, math.nan), (1.0, math.inf)],
)
def test_what_is_no_time_of_day_is_refused(time_of_day_s: float, received: float) -> None:
    with pytest.raises(AsterixError) as refused:
        unix_time(time_of_day_s, received)
    assert refused.value.reason == "time-of-day"
