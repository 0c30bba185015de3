"""Intervals against other ways of computing them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vedette.evaluate.campaign.figures import quantile
from vedette.evaluate.campaign.intervals import bootstrap, mean, poisson, wilson


@given(st.integers(1, 400), st.data())
def test_wilson_is_that_of_scipy(of: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, of))
    theirs = stats.binomtest(count, of).proportion_ci(0.95, method="wilson")
    assert wilson(count, of) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_nothing_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert bootstrap([], mean) is None


@given(st.integers(1, 500))
def test_poisson_limits_are_near_the_exact_ones(count: int) -> None:
    low, high = poisson(count)
    assert low == pytest.approx(stats.chi2.ppf(0.025, 2 * count) / 2, rel=0.02, abs=0.03)
    assert high == pytest.approx(stats.chi2.ppf(0.975, 2 * count + 2) / 2, rel=0.02)


def test_no_event_bounds_the_rate_from_above() -> None:
    assert poisson(0) == (0.0, pytest.approx(3.69, rel=0.02))


def test_the_bootstrap_finds_the_spread_of_a_mean() -> None:
    values = [float(n % 10) for n in range(400)]
    low, high = bootstrap(values, mean) or (math.nan, math.nan)
    half = 1.96 * math.sqrt(8.25 / 400)
    assert low == pytest.approx(4.5 - half, abs=0.06)
    assert high == pytest.approx(4.5 + half, abs=0.06)


def test_the_bootstrap_repeats_to_the_bit() -> None:
    values = [0.1 * n for n in range(37)]
    assert bootstrap(values, mean) == bootstrap(list(values), mean)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40), st.floats(0.0, 1.0))
def test_quantiles_are_those_of_the_straight_line(values: list[float], share: float) -> None:
    theirs = float(np.quantile(values, share))
    assert quantile(values, share) == pytest.approx(theirs, rel=1e-9, abs=1e-6)
