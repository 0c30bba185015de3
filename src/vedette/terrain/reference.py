"""The polar sweep in plain numpy, whole arrays at a time: what tests hold the kernels to."""

import math

import numpy as np
from numpy.typing import NDArray

from vedette.terrain.kernels import NOTHING_NEARER

F64 = NDArray[np.float64]


def bilinear(heights: NDArray[np.float32], x: F64, y: F64) -> F64:
    """As `kernels.bilinear`, for arrays of places."""
    rows, columns = heights.shape
    inside = (x >= 0.0) & (x <= columns - 1) & (y >= 0.0) & (y <= rows - 1)
    i = np.clip(np.where(inside, x, 0.0).astype(np.int64), 0, columns - 2)
    j = np.clip(np.where(inside, y, 0.0).astype(np.int64), 0, rows - 2)
    fx, fy = x - i, y - j
    h = heights.astype(np.float64)
    south = (1.0 - fx) * h[j, i] + fx * h[j, i + 1]
    north = (1.0 - fx) * h[j + 1, i] + fx * h[j + 1, i + 1]
    return np.where(inside, (1.0 - fy) * south + fy * north, np.nan)


def sweep(
    heights: NDArray[np.float32],
    x: float,
    y: float,
    cell: float,
    eye: float,
    step: float,
    bend: float,
    shape: tuple[int, int],
) -> tuple[F64, F64, NDArray[np.int32]]:
    """As `kernels.sweep`: lowest visible heights, horizon, first void; ``shape``: azimuths, steps."""
    azimuths, steps = shape
    angles = [2.0 * math.pi * a / azimuths for a in range(azimuths)]
    dx = np.array([math.sin(angle) * (step / cell) for angle in angles])[:, None]
    dy = np.array([math.cos(angle) * (step / cell) for angle in angles])[:, None]
    stride = np.arange(1, steps + 1)[None, :]
    distance = step * stride
    ground = bilinear(heights, x + stride * dx, y + stride * dy)
    drop = bend * distance * distance
    void = np.isnan(ground)
    slopes = np.where(void, NOTHING_NEARER, (ground - drop - eye) / distance)
    horizon = np.full(shape, NOTHING_NEARER)
    horizon[:, 1:] = np.maximum.accumulate(slopes, axis=1)[:, :-1]
    lowest = np.maximum(0.0, eye + horizon * distance + drop - ground)
    first_void = np.where(void.any(axis=1), void.argmax(axis=1), steps).astype(np.int32)
    return np.where(void, np.nan, lowest), horizon, first_void
