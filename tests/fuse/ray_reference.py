"""Directions, rays and wedges from the definitions with plain numpy: what the kernels `crossing`, `listening`
and `wedge` are held against. Loaded by path from their tests.

[BLK01] Bar-Shalom, Li, Kirubarajan, *Estimation with Applications to Tracking and Navigation*, 2001;
[BF88] Bar-Shalom, Fortmann, *Tracking and Data Association*, 1988.
"""

import math
from dataclasses import dataclass, field

import fuse_reference as reference
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
EVERYWHERE = np.array([0.0, 9000.0, 0.0, 360.0, -90.0, 90.0, -math.inf, math.inf])


@dataclass
class Eye:
    """A sensor: where it stands, how it is turned, what it can see; ``share``: a number that goes with it."""

    origin: Array = field(default_factory=lambda: np.zeros(3))
    rotation: Array = field(default_factory=lambda: np.eye(3))
    limits: Array = field(default_factory=EVERYWHERE.copy)
    share: float = 1.0

    def own(self, point: Array) -> Array:
        """A place in the sensor's frame: right, ahead, up."""
        return self.rotation.T @ (point - self.origin)

    def sees(self, point: Array) -> bool:
        """Whether a place is within its limits of range, azimuth and elevation."""
        e, n, u = self.own(point)
        low, high = self.limits[2:4]
        turn = (math.degrees(math.atan2(e, n)) - low) % 360.0
        rise = math.degrees(math.atan2(u, math.hypot(e, n)))
        near, far = self.limits[:2]
        return bool(
            near <= np.linalg.norm(point - self.origin) <= far
            and (high - low >= 360.0 or turn <= high - low)
            and self.limits[4] <= rise <= self.limits[5]
        )


def packed(eyes: list[Eye]) -> tuple[Array, Array, Array, Array]:
    """Sensors as the kernels take them: origins, rotations, limits, shares."""
    return (
        np.array([eye.origin for eye in eyes]).reshape(-1, 3),
        np.array([eye.rotation for eye in eyes]).reshape(-1, 3, 3),
        np.array([eye.limits for eye in eyes]).reshape(-1, 8),
        np.array([eye.share for eye in eyes], float),
    )


@dataclass
class Look:
    """Bearings of one sensor: ``z``, ``var`` (k, 2), elevations that are given, density of what is none."""

    eye: Eye
    z: Array
    var: Array
    raised: Mask
    elsewhere: Array

    def rows(self) -> tuple[Array, Array, Mask]:
        """Values, variances and which are given (k, 6), as the kernels take them."""
        k = len(self.z)
        z, var, use = np.zeros((k, 6)), np.ones((k, 6)), np.zeros((k, 6), bool)
        z[:, :2], var[:, :2] = self.z, self.var
        use[:, 0], use[:, 1] = True, self.raised
        return z, var, use

    def way(self, q: int) -> Array:
        """East, north and rise on a metre of ground of a bearing; one without elevation is level."""
        rise = math.tan(self.z[q, 1]) if self.raised[q] else 0.0
        ahead = self.eye.rotation @ [math.sin(self.z[q, 0]), math.cos(self.z[q, 0]), rise]
        return np.asarray(ahead / np.hypot(*ahead[:2]))


def not_found(point: Array, searching: list[Eye]) -> float:
    """Share of bodies there that nobody who looks there has found."""
    return math.prod(eye.share for eye in searching if eye.sees(point))


def at_most_one_heard(point: Array, listening: list[Eye], quiet_a: float, quiet_b: float) -> float:
    """Probability that no two of all that listen there have heard a body before."""
    quiet = np.array([quiet_a, quiet_b, *(eye.share for eye in listening if eye.sees(point))])
    alone = [(1.0 - quiet[i]) * np.prod(np.delete(quiet, i)) for i in range(len(quiet))]
    return float(np.prod(quiet) + sum(alone))


@dataclass
class Meeting:
    """Where two bearings cross: place, covariance, and the logarithm of the integral of their likelihood."""

    place: Array
    spread: Array
    log: float


@dataclass
class Prior:
    """Of heights, and by how much a body strays between two looks."""

    height: float = 80.0
    sigma: float = 60.0
    odd_sigma: float = 250.0
    strayed: float = 8.0


def meeting(a: Look, i: int, b: Look, j: int, prior: Prior) -> Meeting | None:
    """Three steps of Gauss and Newton [BLK01, 3.7.4], from where the two cross in the plane."""
    start = crossing_point(a, i, b, j, prior)
    if start is None or not (a.eye.sees(start) and b.eye.sees(start)):
        return None
    x, raised = start.copy(), bool(a.raised[i] or b.raised[j])
    for _ in range(3):
        lines, off, var = [np.array([0.0, 0.0, 1.0])], [prior.height - x[2]], []
        var.append((prior.odd_sigma if raised else prior.sigma) ** 2)
        for look, q, strayed in ((a, i, 0.0), (b, j, prior.strayed)):
            state = np.concatenate([x, np.zeros(3)])
            told = reference.measured(reference.BEARING, state, look.eye.origin, look.eye.rotation)
            slope = reference.jacobian(reference.BEARING, state, look.eye.origin, look.eye.rotation)
            for row in range(2 if look.raised[q] else 1):
                lines.append(slope[row, :3])
                off.append(reference.wrapped(look.z[q, row] - told[row]))
                var.append(look.var[q, row] + strayed**2 * float(slope[row, :2] @ slope[row, :2]))
        h, y, v = np.array(lines), np.array(off), np.array(var)
        p = np.linalg.inv(h.T @ (h / v[:, None]))
        log = -0.5 * float((y * y / v + np.log(2 * math.pi * v)).sum())
        x = x + p @ (h.T @ (y / v))
    return Meeting(x, p, log + 1.5 * math.log(2 * math.pi) + 0.5 * float(np.linalg.slogdet(p)[1]))


def crossing_point(a: Look, i: int, b: Look, j: int, prior: Prior) -> Array | None:
    """Where two bearings cross in the plane, at the height that they state or that of the prior."""
    one, two = a.way(i), b.way(j)
    if abs(one[1] * two[0] - one[0] * two[1]) < 0.05:
        return None
    along = np.linalg.solve(np.stack([one[:2], -two[:2]], axis=1), (b.eye.origin - a.eye.origin)[:2])
    if not (0.0 < along[0] <= a.eye.limits[1] and 0.0 < along[1] <= b.eye.limits[1]):
        return None
    heights = [
        look.eye.origin[2] + length * way[2]
        for look, q, length, way in ((a, i, along[0], one), (b, j, along[1], two))
        if look.raised[q]
    ]
    return np.array([*(a.eye.origin + along[0] * one)[:2], np.mean(heights) if heights else prior.height])


# --- rays


@dataclass
class Ray:
    """Azimuth and its rate (2,) with covariance, elevation with variance (None: not measured), existence."""

    x: Array
    p: Array
    elevation: tuple[float, float] | None
    existence: float

    def later(self, dt: float, psd: float, elevation_psd: float, stay_s: float) -> "Ray":
        """White-noise angular acceleration [BLK01, 6.2.2]."""
        f = np.array([[1.0, dt], [0.0, 1.0]])
        q = psd * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
        raised = self.elevation and (self.elevation[0], self.elevation[1] + elevation_psd * dt)
        return Ray(f @ self.x, f @ self.p @ f.T + q, raised, self.existence * math.exp(-dt / stay_s))

    def density(self, z: Array, var: Array, raised: bool) -> float:
        """Of a bearing, if it is of this ray; an elevation nobody measured yet is spread over a radian."""
        off, s = reference.wrapped(z[0] - self.x[0]), self.p[0, 0] + var[0]
        d2, log = off * off / s, -0.5 * math.log(2 * math.pi * s)
        both = raised and self.elevation is not None
        if both and self.elevation is not None:
            rise = z[1] - self.elevation[0]
            s = self.elevation[1] + var[1]
            d2, log = d2 + rise * rise / s, log - 0.5 * math.log(2 * math.pi * s)
        return math.exp(log - 0.5 * d2) if d2 <= (13.82 if both else 10.83) else 0.0


def heard(rays: list[Ray], look: Look, sees: float) -> tuple[list[Ray], Array, Array]:
    """The rays after a look, by probabilistic data association [BF88, 6.4], of which bearing is whose by
    belief propagation; the marginals (n, k) and how likely each bearing is of none (k,)."""
    n, k = len(rays), len(look.z)
    seen = np.array([ray.existence * sees for ray in rays])
    density = np.array(
        [
            [
                ray.density(z, var, up)
                for z, var, up in zip(look.z, look.var, look.raised.tolist(), strict=True)
            ]
            for ray in rays
        ]
    ).reshape(n, k)
    weight, none = seen[:, None] * density / look.elsewhere, 1.0 - seen
    found = reference.loopy(weight, none) if n and k else reference.Marginals(weight, np.ones(n), np.ones(k))
    return (
        [_after(ray, part, look, sees) for ray, part in zip(rays, found.pair, strict=True)],
        found.pair,
        found.unclaimed,
    )


def _after(ray: Ray, part: Array, look: Look, sees: float) -> Ray:
    taken = float(part.sum())
    missed = ray.existence * (1.0 - sees) / (1.0 - ray.existence * sees)
    existence = min(taken + (1.0 - taken) * missed, 0.9999)
    x, p = ray.x, ray.p
    if taken > 0.02:
        off = np.array([reference.wrapped(z[0] - ray.x[0]) for z in look.z])
        mean, square = float(part @ off), float(part @ off**2)
        s = p[0, 0] + float(part @ look.var[:, 0]) / taken
        gain = p[:, 0] / s
        spread = max(square - mean * mean, 0.0) * np.outer(gain, gain)
        x, p = x + gain * mean, p - taken * np.outer(gain, p[0]) + spread
    raised, elevation = part * look.raised, ray.elevation
    if raised.sum() > 0.5:
        z, var = raised @ look.z[:, 1] / raised.sum(), raised @ look.var[:, 1] / raised.sum()
        if elevation is not None:
            share = elevation[1] / (elevation[1] + var)
            z, var = elevation[0] + share * (z - elevation[0]), (1.0 - share) * elevation[1]
        elevation = (float(z), float(var))
    return Ray(x, p, elevation, existence)


# --- wedges


def cells(nearest: float, farthest: float, count: int) -> tuple[Array, Array]:
    """Log-spaced borders (r + 1,) and middles (r,)."""
    borders = np.geomspace(nearest, farthest, count + 1)
    return borders, np.sqrt(borders[1:] * borders[:-1])


def ground(eye: Eye, way: Array, borders: Array, height: float, searching: list[Eye]) -> Array:
    """Square metres a radian of each cell in which nobody who looks there has found anything."""
    middles = np.sqrt(borders[1:] * borders[:-1])
    places = [np.array([*(eye.origin[:2] + r * way[:2]), height]) for r in middles]
    return np.array([not_found(place, searching) for place in places]) * np.diff(borders**2) / 2


def motion(ray: Ray, base: float, middles: Array, figures: Array) -> Array:
    """Likelihood of the rate and the elevation of a ray at each range."""
    speed, height, sigma, odd, heights = figures
    variance = ray.p[1, 1] + (speed / middles) ** 2
    out = np.exp(-0.5 * ray.x[1] ** 2 / variance) / np.sqrt(2 * math.pi * variance)
    if ray.elevation is not None:
        up = base + middles * math.tan(ray.elevation[0])
        var = sigma**2 + middles**2 * ray.elevation[1]
        usual = np.exp(-0.5 * (up - height) ** 2 / var) / np.sqrt(2 * math.pi * var)
        out = out * middles * ((1 - odd) * usual + odd * np.exp(-np.abs(up) / heights) / heights)
    return np.asarray(out)


def hearing(eye: Eye, way: Array, borders: Array, height: float, other: Look, sees: float) -> Array:
    """Likelihood of what another sensor heard, for a body in each cell."""
    out = np.ones(len(borders) - 1)
    for i in range(len(out)):
        ends = [np.array([*(eye.origin[:2] + r * way[:2]), other.eye.origin[2]]) for r in borders[i : i + 2]]
        middle = np.array([*(eye.origin[:2] + math.sqrt(borders[i] * borders[i + 1]) * way[:2]), height])
        if not other.eye.sees(middle):
            continue
        near, far = (math.atan2(*other.eye.own(end)[:2]) for end in ends)
        half = reference.wrapped(far - near) / 2
        width = abs(half) + 2.0 * np.sqrt(other.var[:, 0])
        off = [abs(reference.wrapped(z - near - half)) for z in other.z[:, 0]]
        out[i] = 1.0 - sees + sees * float(np.sum((off <= width) / (2.0 * width * other.elsewhere)))
    return out
