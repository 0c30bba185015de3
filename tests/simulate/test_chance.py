"""Chance: streams of their own, errors that drift with the stated size, limits on every push."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.simulate.kinds import ENVELOPES, Kind
from vedette.simulate.limits import Limits
from vedette.simulate.navigation import CORRELATION_S, NavigationError
from vedette.simulate.scenario import Actor, Waypoint
from vedette.simulate.streams import Normals, stream
from vedette.simulate.wander import Wander

CALM = np.zeros((2, 1))

PINNED = [658, 880, 146, 129, 440]
"""What seed 1 draws: scenarios must give the same bytes tomorrow."""


def _actor(name: str, kind: Kind) -> Actor:
    return Actor(id=name, kind=kind, path=(Waypoint(at_s=0.0, enu_m=(0.0, 0.0)),))


def test_streams_are_pinned() -> None:
    assert stream(1, "wander", "alpha").integers(0, 1000, 5).tolist() == PINNED


def test_names_are_kept_apart() -> None:
    draws = {float(stream(1, *names).random()) for names in [("ab", "c"), ("a", "bc"), ("abc",), ("c", "ab")]}
    assert len(draws) == 4
    assert float(stream(1, "a").random()) != float(stream(2, "a").random())


@given(st.integers(1, 50), st.integers(0, 100))
def test_blocks_do_not_change_the_draws(block: int, count: int) -> None:
    normals = Normals(stream(3, "x"), block)
    assert [normals.next() for _ in range(count)] == stream(3, "x").standard_normal(count).tolist()


def test_navigation_errors_have_their_size_and_drift() -> None:
    error = NavigationError(stream(5, "nav"), 2.0, 4.0)
    values = np.array([error.at(1.7e9 + step) for step in range(40_000)])
    assert np.std(values, axis=0) == pytest.approx([2.0, 2.0, 4.0], rel=0.1)
    assert np.mean(values, axis=0) == pytest.approx([0.0, 0.0, 0.0], abs=0.4)
    lag = int(CORRELATION_S)
    east = values[:, 0]
    assert np.mean(east[:-lag] * east[lag:]) / np.var(east) == pytest.approx(math.exp(-1.0), abs=0.08)


def test_a_fix_at_the_same_time_has_the_same_error() -> None:
    error = NavigationError(stream(5, "nav"), 2.0, 4.0)
    assert error.at(10.0) == error.at(10.0)


def test_wander_has_the_size_of_its_kind() -> None:
    wander = Wander(1, (_actor("a", "bird"), _actor("b", "patrol"), _actor("c", "post")), 0.1)
    steps = np.array([wander.step() for _ in range(40_000)])
    assert np.std(steps[200:, :, 0]) == pytest.approx(ENVELOPES["bird"].wander_mps, rel=0.1)
    assert np.std(steps[200:, :, 1]) == pytest.approx(ENVELOPES["patrol"].wander_mps, rel=0.1)
    assert not steps[:, :, 2].any()


SPEEDS = st.floats(-1.0, 1.0)


@given(
    st.sampled_from(sorted(ENVELOPES)),
    st.tuples(SPEEDS, SPEEDS, SPEEDS),
    st.tuples(*[st.floats(-1e4, 1e4)] * 3),
)
def test_limits_hold_for_every_wish(
    kind: Kind, shares: tuple[float, float, float], wish: tuple[float, float, float]
) -> None:
    envelope = ENVELOPES[kind]
    scale = envelope.speed_mps / math.sqrt(2.0)
    speed = np.array(
        [[shares[0] * scale], [shares[1] * scale], [shares[2] * min(envelope.climb_mps, envelope.sink_mps)]]
    )
    held = Limits((_actor("a", kind),)).hold(speed, np.array([[value] for value in wish]), CALM, 0.1)
    after = speed + held * 0.1
    assert math.hypot(*held[:2, 0]) <= envelope.acceleration_mps2 + 1e-6
    assert abs(held[2, 0]) <= envelope.climb_acceleration_mps2 + 1e-6
    assert math.hypot(*after[:2, 0]) <= envelope.speed_mps + 1e-6
    assert -envelope.sink_mps - 1e-6 <= after[2, 0] <= envelope.climb_mps + 1e-6


def test_a_wish_within_the_limits_is_granted() -> None:
    limits = Limits((_actor("a", "multirotor"),))
    wish = np.array([[1.0], [-2.0], [0.5]])
    assert limits.hold(np.zeros((3, 1)), wish, CALM, 0.1) == pytest.approx(wish)
