"""The state that one plot alone gives, against the general update of the same numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vedette.fuse.kernels import kalman, polar

F64 = NDArray[np.float64]
MOTION = np.array([30.0, 5.0, 80.0, 3600.0, 16.0])
UNSURE = np.array([20.0, 20.0, 4.0])
ORIGIN = np.array([100.0, -50.0, 10.0])
PRIOR = np.array([80.0, 60.0])


def placed(
    values: list[float], sigmas: list[float], given_: list[bool]
) -> tuple[F64, F64, NDArray[np.bool_]]:
    z, r, use = np.zeros(7), np.zeros((7, 7)), np.zeros(7, np.bool_)
    var = np.square(np.array([*sigmas, 1.0, 1.0]))
    row = np.array([*values, 0.0, 0.0])
    polar.place(row, var, np.array([*given_, False, False]), ORIGIN, np.eye(3), PRIOR, z, r, use)
    return z, r, use


def slowly(z: F64, r: F64, use: NDArray[np.bool_]) -> tuple[F64, F64]:
    """The place alone, and then the rate by the Kalman update that every other measurement goes through."""
    x, p = np.empty(6), np.empty((6, 6))
    alone = use.copy()
    alone[6] = False
    known = polar.begin(z, r, alone, ORIGIN, UNSURE, MOTION, x, p)
    rate = np.arange(7) == 6
    assert kalman.update(x, p, z, r, rate, ORIGIN) >= 0.0
    if not known:
        kalman.pin_height(x, p, MOTION)
    return x, p


@settings(max_examples=200, deadline=None)
@given(
    st.floats(5.0, 20_000.0), st.floats(-3.14, 3.14), st.floats(-0.2, 1.2), st.floats(-60.0, 60.0),
    st.floats(0.05, 5.0), st.booleans(),
)  # fmt: skip
def test_a_birth_with_a_range_rate_is_the_general_update(
    distance: float, azimuth: float, elevation: float, rate: float, sigma: float, raised: bool
) -> None:
    z, r, use = placed(
        [distance, azimuth, elevation, rate], [5.0, 0.01, 0.02, sigma], [True, True, raised, True]
    )
    x, p = np.empty(6), np.empty((6, 6))
    assert polar.begin(z, r, use, ORIGIN, UNSURE, MOTION, x, p) == raised
    expected, spread = slowly(z, r, use)
    np.testing.assert_allclose(x, expected, rtol=1e-9, atol=1e-9)
    scale = np.sqrt(np.outer(np.diag(spread), np.diag(spread)))
    assert (np.abs(p - spread) <= 1e-9 * scale).all()
    assert (p == p.T).all()


@pytest.mark.parametrize("sigma", [1e-200, 1e-12, 1e-6])
def test_a_rate_of_absurd_accuracy_leaves_a_covariance_that_is_one(sigma: float) -> None:
    """Whoever states that it measures perfectly must not break the track."""
    z, r, use = placed([900.0, 1.0, 0.1, -12.0], [5.0, 0.01, 0.02, sigma], [True, True, True, True])
    x, p = np.empty(6), np.empty((6, 6))
    polar.begin(z, r, use, ORIGIN, UNSURE, MOTION, x, p)
    assert np.linalg.eigvalsh(p).min() > 0.0
    place = z[:3] - ORIGIN
    assert (place / np.linalg.norm(place)) @ x[3:] == pytest.approx(-12.0, abs=1e-6)


def test_a_birth_without_a_rate_knows_no_velocity() -> None:
    z, r, use = placed([900.0, 1.0, 0.1, 0.0], [5.0, 0.01, 0.02, 1.0], [True, True, True, False])
    x, p = np.empty(6), np.empty((6, 6))
    polar.begin(z, r, use, ORIGIN, UNSURE, MOTION, x, p)
    assert x[3:].tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_array_equal(np.diag(p)[3:], UNSURE**2)
