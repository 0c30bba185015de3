"""What the kernels of `vedette.fuse` should compute: plain numpy, whole matrices, written from the papers.

Nothing here is compiled and nothing is shared with the kernels; where they work row by row, edge by edge and
in sums, this works with joint matrices, dense tables and explicit hypotheses. Slow on purpose.

[BB88]  Blom, Bar-Shalom, The interacting multiple model algorithm, IEEE TAC 33(8), 1988
[BLK01] Bar-Shalom, Li, Kirubarajan, Estimation with Applications to Tracking and Navigation, 2001
[WL14]  Williams, Lau, Approximate evaluation of marginal association probabilities with belief propagation,
        IEEE TAES 50(4), 2014
[W15]   Williams, Marginal multi-Bernoulli filters, IEEE TAES 51(3), 2015

Shapes: n tracks, m models, k plots; x (n, m, 6), p (n, m, 6, 6), mu (n, m); z, var, use (k, 6).
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

POLAR, BEARING, PLACE = 0, 1, 2
AZIMUTH = {POLAR: 1, BEARING: 0, PLACE: None}
ROWS = {POLAR: 4, BEARING: 2, PLACE: 6}
LEAST_PROBABILITY = 1e-4
EARTH_RADIUS_M = 6371000.0
GATES = np.array([0.0, 10.83, 13.82, 16.27, 18.47, 20.52, 22.46, 24.32])
MODELS = np.array([[1.0, 0.3, 0.0, 8.0, 20.0], [80.0, 4.0, 0.0, 5.0, 0.0], [4.0, 1.0, 2.5, 8.0, 1.5]])
MOTION = np.array([30.0, 5.0, 80.0, 3600.0, 25.0])

Array = np.ndarray


def moments(weight: Array, mean: Array, spread: Array) -> tuple[Array, Array]:
    """Mean and covariance of a mixture; ``weight`` need not be normalised."""
    share = weight / weight.sum()
    centre = np.einsum("a,ai->i", share, mean)
    off = mean - centre
    return centre, np.einsum("a,aij->ij", share, spread + off[:, :, None] * off[:, None, :])


def switching(models: Array, dt: float) -> Array:
    """Probabilities (m, m) of being in model b after ``dt`` in which it began in model a: it stays with
    exp(-dt / sojourn), and goes to each other equally."""
    m = len(models)
    if m == 1:
        return np.ones((1, 1))
    stay = np.exp(-dt / models[:, 3])
    table = np.repeat(((1.0 - stay) / (m - 1))[:, None], m, axis=1)
    np.fill_diagonal(table, stay)
    return table


def mix(x: Array, p: Array, mu: Array, dt: float, models: Array) -> tuple[Array, Array, Array]:
    """[BB88] equations 4 to 6."""
    joint = mu[:, None] * switching(models, dt)
    mixed = [moments(joint[:, b], x, p) for b in range(len(mu))]
    return np.array([one[0] for one in mixed]), np.array([one[1] for one in mixed]), joint.sum(axis=0)


def drift(dt: float, decay: float) -> tuple[Array, Array]:
    """F (2, 2) of a place and its velocity, and Q for an acceleration of density one: white-noise
    acceleration [BLK01, 6.2.2], or velocity that decays, with Q the integral of F(s) g g' F(s)' over ``dt``
    by quadrature [BLK01, 4.3.1]."""
    nodes, weights = np.polynomial.legendre.leggauss(40)

    def move(s: float) -> Array:
        if decay <= 0:
            return np.array([[1.0, s], [0.0, 1.0]])
        return np.array([[1.0, -decay * math.expm1(-s / decay)], [0.0, math.exp(-s / decay)]])

    # Panels of at most one time constant: beyond, the integrand is no polynomial any more.
    panels = 1 if decay <= 0 else max(1, math.ceil(dt / decay))
    noise = np.zeros((2, 2))
    for panel in range(panels):
        width = dt / panels
        for node, weight in zip(nodes, weights, strict=True):
            kick = move(width * (panel + 0.5 + 0.5 * node))[:, 1]
            noise += 0.5 * width * weight * np.outer(kick, kick)
    return move(dt), noise


def transition(model: Array, dt: float) -> tuple[Array, Array]:
    """F and Q of a model: east and north alike, up by itself."""
    q_horizontal, q_vertical, decay, _, climb_decay = model
    move, noise = np.zeros((6, 6)), np.zeros((6, 6))
    for axis, density, constant in (
        (0, q_horizontal, decay),
        (1, q_horizontal, decay),
        (2, q_vertical, climb_decay),
    ):
        f, q = drift(dt, constant)
        at = np.ix_([axis, axis + 3], [axis, axis + 3])
        move[at], noise[at] = f, density * q
    return move, noise


def pinned(x: Array, p: Array, motion: Array) -> tuple[Array, Array]:
    """The vertical state replaced by its prior, over a curved Earth."""
    keep = np.diag([1.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    prior = np.zeros(6)
    prior[2] = motion[2] - (x[0] ** 2 + x[1] ** 2) / (2 * EARTH_RADIUS_M)
    return keep @ x + prior, keep @ p @ keep + np.diag([0, 0, motion[3], 0, 0, motion[4]])


def predict(
    x: Array, p: Array, mu: Array, dt: float, models: Array, motion: Array, known: bool
) -> tuple[Array, Array, Array, bool]:
    """Mixing and prediction of one track."""
    x0, p0, mu0 = mix(x, p, mu, dt, models)
    if dt > 0:
        moves = [transition(model, dt) for model in models]
        x0 = np.array([f @ state for (f, _), state in zip(moves, x0, strict=True)])
        p0 = np.array([f @ spread @ f.T + q for (f, q), spread in zip(moves, p0, strict=True)])
    if known and mu0 @ p0[:, 2, 2] <= motion[3]:
        return x0, p0, mu0, True
    both = [pinned(state, spread, motion) for state, spread in zip(x0, p0, strict=True)]
    return np.array([one[0] for one in both]), np.array([one[1] for one in both]), mu0, False


def reweighed(mu: Array, likelihood: Array) -> Array:
    """Bayes on the models, none below the floor."""
    after = mu * likelihood
    after = after / after.sum() if after.sum() > 0 else np.full(len(mu), 1 / len(mu))
    after = np.maximum(after, LEAST_PROBABILITY)
    return after / after.sum()


def measured(kind: int, x: Array, origin: Array, rotation: Array) -> Array:
    """What a sensor measures of a state. Analytic in ``x``, so that it can be differentiated by a complex
    step; the azimuth is then right up to a constant."""
    if kind == PLACE:
        return x.copy()
    e, n, u = rotation.T @ (x[:3] - origin)
    ground = np.sqrt(e * e + n * n)
    distance = np.sqrt(ground * ground + u * u)
    if np.iscomplexobj(x):
        azimuth = np.arctan(e / n) if abs(n) > abs(e) else -np.arctan(n / e)
    else:
        azimuth = np.arctan2(e, n)
    elevation = np.arctan(u / ground)
    if kind == BEARING:
        return np.array([azimuth, elevation])
    rate = (rotation.T @ (x[:3] - origin)) @ (rotation.T @ x[3:]) / distance
    return np.array([distance, azimuth, elevation, rate])


def jacobian(kind: int, x: Array, origin: Array, rotation: Array) -> Array:
    """Derivative of `measured` (rows, 6) by the complex step: exact to rounding (Squire, Trapp, SIAM Review
    40(1), 1998)."""
    step = 1e-30
    columns = [
        measured(kind, x + 1j * step * axis, origin.astype(complex), rotation).imag / step
        for axis in np.eye(6)
    ]
    return np.array(columns).T


def wrapped(angle: float) -> float:
    """The same direction in [-pi, pi)."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


@dataclass
class Fit:
    """One plot used on one state."""

    x: Array
    p: Array
    d2: float
    log_density: float


def ekf(
    kind: int, x: Array, p: Array, z: Array, var: Array, use: Array, origin: Array, rotation: Array
) -> Fit:
    """Extended Kalman update with all rows at once [BLK01, 10.3.3]; covariance in Joseph's form."""
    given = np.flatnonzero(use[: ROWS[kind]])
    residual = z[: ROWS[kind]] - measured(kind, x, origin, rotation)
    if AZIMUTH[kind] is not None:
        residual[AZIMUTH[kind]] = wrapped(residual[AZIMUTH[kind]])
    # Rows in units of their own sigma: metres and radians in one matrix would cost digits.
    unit = np.sqrt(var[given])
    h = jacobian(kind, x, origin, rotation)[given] / unit[:, None]
    y = residual[given] / unit
    s = h @ p @ h.T + np.eye(len(given))
    gain = np.linalg.solve(s, h @ p).T
    a = np.eye(6) - gain @ h
    d2 = float(y @ np.linalg.solve(s, y))
    logdet = np.linalg.slogdet(s)[1] + 2 * np.log(unit).sum()
    log_density = -0.5 * (d2 + logdet + len(given) * math.log(2 * math.pi))
    return Fit(x + gain @ y, a @ p @ a.T + gain @ gain.T, d2, float(log_density))


@dataclass
class Marginals:
    """``pair`` (n, k), ``missed`` (n,), ``unclaimed`` (k,); ``total``: sum over all joint events, and
    ``sweeps`` of belief propagation."""

    pair: Array
    missed: Array
    unclaimed: Array
    total: float = math.nan
    sweeps: int = 0


def exact(weight: Array, none: Array) -> Marginals:
    """Marginals by enumeration of all joint events: each track has one plot or none, no plot two tracks."""
    n, k = weight.shape
    found = Marginals(np.zeros((n, k)), np.zeros(n), np.zeros(k), 0.0)
    for event, worth in joint_events(weight, none):
        found.total += worth
        for t, plot in enumerate(event):
            if plot < 0:
                found.missed[t] += worth
            else:
                found.pair[t, plot] += worth
        for plot in set(range(k)).difference(event):
            found.unclaimed[plot] += worth
    for table in (found.pair, found.missed, found.unclaimed):
        table /= found.total
    return found


def joint_events(
    weight: Array, none: Array, begun: tuple[int, ...] = (), worth: float = 1.0
) -> Iterator[tuple[tuple[int, ...], float]]:
    """All joint events that begin so, each as the plot of every track (-1 for none), and what they weigh."""
    t = len(begun)
    if t == len(weight):
        yield begun, worth
        return
    yield from joint_events(weight, none, (*begun, -1), worth * none[t])
    for plot in np.flatnonzero(weight[t]).tolist():
        if plot not in begun:
            yield from joint_events(weight, none, (*begun, plot), worth * weight[t, plot])


def loopy(weight: Array, none: Array, accuracy: float = 1e-13, most: int = 3000) -> Marginals:
    """Belief propagation over all pairs [WL14, equations 30 and 31], until no message changes by more than
    ``accuracy`` of one more than itself. Each message is the sum of all others, added one by one."""
    n, k = weight.shape
    to_plot, to_track = np.zeros((n, k)), np.ones((n, k))
    sweeps, change = 0, math.inf
    while sweeps < most and change > accuracy:
        before = to_plot.copy()
        for t in range(n):
            for q in range(k):
                others = sum(weight[t, j] * to_track[t, j] for j in range(k) if j != q)
                to_plot[t, q] = weight[t, q] / (none[t] + others)
        for t in range(n):
            for q in range(k):
                to_track[t, q] = 1 / (1 + sum(to_plot[i, q] for i in range(n) if i != t))
        change = float(np.max(np.abs(to_plot - before) / (1 + to_plot), initial=0.0))
        sweeps += 1
    whole = none + (weight * to_track).sum(axis=1)
    pair = weight * to_track / whole[:, None]
    return Marginals(pair, none / whole, 1 / (1 + to_plot.sum(axis=0)), sweeps=sweeps)


def bethe(weight: Array, none: Array, pair: Array, unclaimed: Array) -> float:
    """Logarithm of Bethe's approximation of the sum over all joint events, at these marginals (Vontobel, The
    Bethe permanent of a nonnegative matrix, IEEE Trans. Inf. Theory 59(3), 2013)."""

    def entropy(values: Array) -> float:
        some = values[values > 0]
        return -float((some * np.log(some)).sum())

    missed = np.maximum(1 - pair.sum(axis=1), 0.0)
    energy = (pair * np.log(np.where(weight > 0, weight, 1.0))).sum() + missed @ np.log(none)
    return float(energy) + entropy(pair) + entropy(missed) + entropy(unclaimed) - entropy(1 - pair)


@dataclass
class Scene:
    """Tracks and the plots of one look, in the order of the arguments of `pmb.scan`."""

    n: int
    kind: int
    x: Array
    p: Array
    mu: Array
    r: Array
    pd: Array
    searching: bool
    origin: Array
    rotation: Array
    z: Array
    var: Array
    use: Array
    forbidden: Array
    elsewhere: Array

    def copy(self) -> "Scene":
        """The same with arrays of its own."""
        values = [getattr(self, field.name) for field in fields(self)]
        return Scene(*(v.copy() if isinstance(v, np.ndarray) else v for v in values))

    def arguments(self) -> list[object]:
        """As `pmb.scan` takes them, up to the gates."""
        return [getattr(self, field.name) for field in fields(self)]


@dataclass
class Outcome:
    """Tracks after the look, how likely each was seen, and how likely each plot was of none."""

    x: Array
    p: Array
    mu: Array
    r: Array
    hit: Array
    best: list[int]
    unclaimed: Array
    pairs: Marginals


def fits_of(scene: Scene) -> tuple[list[list[list[Fit]]], Array]:
    """The update of every model of every track with every plot, and the density (n, k, m) of each plot under
    each model; zero where the plot lies outside the gate of all."""
    n, k, m = scene.n, len(scene.z), scene.mu.shape[1]
    density = np.zeros((n, k, m))
    fits = [
        [
            [
                ekf(
                    scene.kind, scene.x[t, a], scene.p[t, a], scene.z[q], scene.var[q], scene.use[q],
                    scene.origin, scene.rotation,
                )
                for a in range(m)
            ]
            for q in range(k)
        ]
        for t in range(n)
    ]  # fmt: skip
    for t, q in itertools.product(range(n), range(k)):
        rows = int(scene.use[q, : ROWS[scene.kind]].sum())
        near = min(fit.d2 for fit in fits[t][q])
        if not scene.forbidden[t, q] and near <= GATES[rows]:
            density[t, q] = [math.exp(fit.log_density) for fit in fits[t][q]]
    return fits, density


def weights_of(scene: Scene, density: Array) -> tuple[Array, Array]:
    """Weights of pairs and of misses, relative to a plot that is of no track [W15, equations 38 to 41]; what
    a sensor should not see and does, it sees."""
    seen = scene.r * scene.pd
    weight = (
        (scene.r * np.maximum(scene.pd, 0.01))[:, None]
        * np.einsum("tm,tqm->tq", scene.mu, density)
        / scene.elsewhere
    )
    return weight, np.maximum(1 - seen, 1e-12)


def scan(scene: Scene) -> Outcome:
    """[W15] for each track, with hypotheses written out: for each model, that the track was missed and
    exists, and that each plot is its own."""
    fits, density = fits_of(scene)
    weight, none = weights_of(scene, density)
    pairs = exact(weight, none)
    out = Outcome(
        scene.x.copy(), scene.p.copy(), scene.mu.copy(), scene.r.copy(), 1 - pairs.missed, [],
        pairs.unclaimed, pairs,
    )  # fmt: skip
    for t in range(scene.n):
        pair = pairs.pair[t]
        alive = scene.r[t] * (1 - scene.pd[t]) / none[t] if scene.searching else scene.r[t]
        reach = [q for q in range(len(scene.z)) if weight[t, q] > 0]
        out.best.append(max(reach, key=lambda q: pair[q]) if reach else -1)
        out.r[t] = alive if not reach else min(pair.sum() + pairs.missed[t] * alive, 1.0)
        if not reach:
            out.hit[t] = 0.0
            continue
        share = np.zeros(scene.mu.shape[1])
        for a in range(len(share)):
            hypotheses = [(pairs.missed[t] * alive, scene.x[t, a], scene.p[t, a])]
            for q in reach:
                under = density[t, q, a] / (scene.mu[t] @ density[t, q])
                hypotheses.append((pair[q] * under, fits[t][q][a].x, fits[t][q][a].p))
            worth = np.array([one[0] for one in hypotheses])
            share[a] = worth.sum()
            if share[a] > 0:
                out.x[t, a], out.p[t, a] = moments(
                    worth, np.array([one[1] for one in hypotheses]), np.array([one[2] for one in hypotheses])
                )
        out.mu[t] = reweighed(scene.mu[t], share)
    return out


def covariance(rng: np.random.Generator, sigma: Array) -> Array:
    """A covariance with about these sigmas and moderate correlations."""
    a = rng.normal(size=(6, 12)) / math.sqrt(12)
    return a @ a.T * np.outer(sigma, sigma)


def turned(rng: np.random.Generator, angle: float) -> Array:
    """A rotation by ``angle`` about a random axis (Rodrigues)."""
    axis = rng.normal(size=3)
    e, n, u = axis / np.linalg.norm(axis)
    k = np.array([[0, -u, n], [u, 0, -e], [-n, e, 0]])
    return np.eye(3) + math.sin(angle) * k + (1 - math.cos(angle)) * k @ k


SIGMA = {
    POLAR: np.array([5.0, 0.009, 0.017, 0.5, 1.0, 1.0]),
    BEARING: np.array([0.02, 0.03, 1.0, 1.0, 1.0, 1.0]),
    PLACE: np.array([10.0, 10.0, 15.0, 1.0, 1.0, 2.0]),
}


def draw(
    kind: int, state: Array, origin: Array, rotation: Array, sigma: Array, rng: np.random.Generator
) -> Array:
    """A plot (6,) of a state with errors."""
    z = np.zeros(6)
    rows = measured(kind, state, origin, rotation)
    z[: len(rows)] = rows + rng.normal(size=len(rows)) * sigma[: len(rows)]
    if AZIMUTH[kind] is not None:
        z[AZIMUTH[kind]] = wrapped(z[AZIMUTH[kind]])
    return z


def scene(seed: int, n: int | None = None, k: int | None = None, kind: int | None = None) -> Scene:
    """Tracks in a few hundred metres, plots of them and of nothing, as a sensor some kilometres off makes."""
    rng = np.random.default_rng(seed)
    kind = int(rng.integers(3)) if kind is None else kind
    n = int(rng.integers(0, 6)) if n is None else n
    k = int(rng.integers(1, 7)) if k is None else k
    m = int(rng.choice([1, 2, 3, 3, 3]))
    origin, rotation = rng.normal(size=3) * [2000, 2000, 30], turned(rng, 1e-3 * rng.random())
    middle = origin + rng.normal(size=3) * [3000, 3000, 60] + [0, 400, 100]
    centre = np.concatenate([middle, np.zeros(3)]) + rng.normal(size=(n, 6)) * [90, 90, 40, 20, 20, 4]
    sigma = np.array([12.0, 12.0, 20.0, 5.0, 5.0, 2.0])
    x = centre[:, None, :] + rng.normal(size=(n, m, 6)) * sigma * 0.3
    p = np.array([[covariance(rng, sigma) for _ in range(m)] for _ in range(n)]).reshape(n, m, 6, 6)
    mu = rng.dirichlet(np.ones(m), size=n).reshape(n, m)
    states = [
        centre[rng.integers(n)] if n and rng.random() < 0.75 else np.concatenate([middle, np.zeros(3)])
        for _ in range(k)
    ]
    error = SIGMA[kind] * rng.uniform(0.5, 2.0, (k, 6))
    z = np.array(
        [draw(kind, state, origin, rotation, e, rng) for state, e in zip(states, error, strict=True)]
    )
    use = np.zeros((k, 6), bool)
    use[:, : ROWS[kind]] = rng.random((k, ROWS[kind])) < 0.7
    use[:, : 1 if kind == BEARING else 2] = True
    common = {POLAR: (-6, -1), BEARING: (-1, 1), PLACE: (-12, -5)}[kind]
    elsewhere = 10.0 ** rng.uniform(*common, k)
    return Scene(
        n, kind, x, p, mu, rng.uniform(0.01, 1.0, n), rng.choice([0.0, 0.5, 0.9, 0.99], n),
        bool(rng.integers(2)), origin, rotation, z, error**2, use, rng.random((n, k)) < 0.05, elsewhere,
    )  # fmt: skip


def near(x: Array, p: Array, x_want: Array, p_want: Array, digits: float = 1e-9) -> None:
    """Equal within ``digits`` of the sigmas and values."""
    sigma = np.sqrt(np.diagonal(p_want, axis1=-2, axis2=-1))
    assert (np.abs(x - x_want) <= digits * (sigma + np.abs(x_want))).all()
    assert (np.abs(p - p_want) <= digits * sigma[..., :, None] * sigma[..., None, :]).all()


def firm(p: Array) -> bool:
    """Symmetric to the bit, finite, and positive definite in units of its own sigmas."""
    flat = p.reshape(-1, 6, 6)
    if not np.isfinite(flat).all() or not (flat == np.swapaxes(flat, 1, 2)).all():
        return False
    d = np.diagonal(flat, axis1=1, axis2=2)
    if not (d > 0).all():
        return False
    return bool((np.linalg.eigvalsh(flat / np.sqrt(d[:, :, None] * d[:, None, :])) > 0).all())
