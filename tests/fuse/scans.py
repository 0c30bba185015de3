"""The kernels of `vedette.fuse` called on the scenes of `reference.py`, for the tests of several modules."""

from collections.abc import Callable

import fuse_reference as reference
import numpy as np

from vedette.fuse.kernels import association, pmb, propagation

POLAR, BEARING, PLACE = pmb.POLAR, pmb.BEARING, pmb.PLACE


class Result:
    """A scene after `pmb.scan`."""

    def __init__(self, scene) -> None:
        after = scene.copy()
        n, k = scene.n, len(scene.z)
        self.hit, self.best, self.unclaimed = np.zeros(n), np.full(n, -9, np.int64), np.full(k, np.nan)
        pmb.scan(*after.arguments(), reference.GATES, self.hit, self.best, self.unclaimed)
        self.x, self.p, self.mu, self.r = after.x, after.p, after.mu, after.r

    def bits(self) -> bytes:
        """All of it."""
        arrays = (self.x, self.p, self.mu, self.r, self.hit, self.best, self.unclaimed)
        return b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)


def messages(weight: np.ndarray, none: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Marginals (n, k) of pairs and (k,) of unclaimed plots by belief propagation, and its sweeps."""
    alone = np.zeros(len(weight), bool)
    return _marginals(lambda *table: propagation.marginals(*table[:6], alone, *table[6:]), weight, none)


def shares(weight: np.ndarray, none: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """The same by `association.associate`, and how many tracks it left to belief propagation."""
    return _marginals(association.associate, weight, none)


def _marginals(
    kernel: Callable[..., int], weight: np.ndarray, none: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    n, k = weight.shape
    first = np.append(0, np.cumsum((weight > 0).sum(axis=1))).astype(np.int64)
    rows, plot = np.nonzero(weight)
    flat = weight[rows, plot]
    to_track, unclaimed = np.full(len(flat), np.nan), np.ones(k)
    told = kernel(n, k, first, plot.astype(np.int64), flat, none, to_track, unclaimed)
    pair = np.zeros((n, k))
    pair[rows, plot] = flat * to_track
    return pair / (none + pair.sum(axis=1))[:, None], unclaimed, told


def tables(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights as they come about: most of a pair's are nothing, some are huge."""
    rng = np.random.default_rng(seed)
    n, k = rng.integers(1, 6, 2)
    weight = 10.0 ** rng.uniform(-3, 8, (n, k)) * (rng.random((n, k)) < 0.7)
    return weight, rng.uniform(0.01, 1.0, n)


def crossing(seed: int, apart_m: float):
    """Two bodies this far apart on paths that cross at a small angle, each foretold and seen by a radar."""
    rng = np.random.default_rng(seed)
    truth = np.array([[1500.0, 1200, 90, 15, 10, 0], [1500.0, 1200, 90, 12, 13, 0]])
    truth[1, :3] += apart_m * np.array([0.8, -0.6, 0.0])
    sigma = np.array([6.0, 6.0, 9.0, 4.0, 4.0, 2.0])
    x = truth + rng.normal(size=(2, 6)) * sigma
    z = np.array([
        reference.draw(POLAR, body, np.zeros(3), np.eye(3), np.array([5.0, 0.0087, 0.0175, 0.5, 0, 0]), rng)
        for body in truth
    ])  # fmt: skip
    var = np.tile(np.array([5.0, 0.0087, 0.0175, 0.5, 1.0, 1.0]) ** 2, (2, 1))
    return reference.Scene(
        2, POLAR, x[:, None], np.tile(np.diag(sigma**2), (2, 1, 1, 1)), np.ones((2, 1)), np.full(2, 0.99),
        np.full(2, 0.9), True, np.zeros(3), np.eye(3), z, var, np.tile([True] * 4 + [False] * 2, (2, 1)),
        np.zeros((2, 2), bool), np.full(2, 1e-6),
    )  # fmt: skip
