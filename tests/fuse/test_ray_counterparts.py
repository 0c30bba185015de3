"""Crossings, rays and wedges against their definitions in plain numpy, with any sensors and many bearings."""

import math

import fuse_ray_reference as plain
import fuse_reference as reference
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vedette.fuse.kernels import crossing, listening, wedge

SEEDS = st.integers(0, 2**32 - 1)
MANY = settings(deadline=None, max_examples=80)
Eye, Look, Ray = plain.Eye, plain.Look, plain.Ray


def eye(rng: np.random.Generator, reach: float = 3000.0, *, limited: bool = True) -> Eye:
    """A sensor somewhere, a little tilted; with ``limited`` it does not see all round or all heights."""
    limits = plain.EVERYWHERE.copy()
    if limited:
        limits[:2] = rng.choice([0.0, 200.0]), rng.uniform(1000.0, 9000.0)
        if rng.random() < 0.5:
            limits[2] = rng.uniform(-360.0, 360.0)
            limits[3] = limits[2] + rng.uniform(90.0, 360.0)
        if rng.random() < 0.5:
            limits[4:6] = rng.uniform(-30.0, -5.0), rng.uniform(20.0, 90.0)
    origin = np.array([*rng.uniform(-reach, reach, 2), rng.uniform(-20.0, 40.0)])
    return Eye(origin, reference.turned(rng, 0.01 * rng.random()), limits, rng.choice([0.0, 0.05, 0.6, 1.0]))


def look(rng: np.random.Generator, one: Eye, bodies: np.ndarray, others: int = 2) -> Look:
    """Bearings of some bodies and of nothing, in any order."""
    told = [reference.measured(reference.BEARING, body, one.origin, one.rotation) for body in bodies]
    nothing = np.column_stack([rng.uniform(-math.pi, math.pi, others), rng.uniform(-0.1, 0.3, others)])
    z = rng.permutation(np.concatenate([np.reshape(told, (-1, 2)), nothing]))
    sigma = rng.uniform(0.002, 0.06, z.shape)
    z = z + rng.normal(size=z.shape) * sigma
    z[:, 0] = [reference.wrapped(azimuth) for azimuth in z[:, 0]]
    return Look(one, z, sigma**2, rng.random(len(z)) < 0.4, rng.uniform(0.05, 2.0, len(z)))


def bodies(rng: np.random.Generator, count: int) -> np.ndarray:
    places = np.column_stack([rng.uniform(-2500, 2500, (count, 2)), rng.uniform(10, 300, count)])
    return np.column_stack([places, np.zeros((count, 3))])


# --- crossings

DENSITY, ARRIVING, SEE, QUIET_A, QUIET_B = 2e-8, 1e-9, 0.81, 0.3, 0.6
PRIOR = plain.Prior()


class Crossed:
    """What `cross_all` finds of two looks."""

    def __init__(
        self, a: Look, b: Look, searching: list[Eye], listeners: list[Eye], *, room: int | None = None,
        least: float = 1e-300, widest: float = 1e12,
    ) -> None:  # fmt: skip
        ka, kb = len(a.z), len(b.z)
        room = ka * kb if room is None else room
        self.first, other, weight = np.zeros(ka + 1, np.int64), np.zeros(room, np.int64), np.zeros(room)
        place, spread = np.zeros((room, 3)), np.zeros((room, 3, 3))
        figures = np.array(
            [DENSITY, ARRIVING, SEE, QUIET_A, QUIET_B, least, 16.0, PRIOR.height, PRIOR.sigma,
             PRIOR.odd_sigma, widest, PRIOR.strayed / 16.0]
        )  # fmt: skip
        one, two = (
            (*side.rows(), side.elsewhere, side.eye.origin, side.eye.rotation, side.eye.limits)
            for side in (a, b)
        )
        self.found = crossing.cross_all(
            *one, *two, *plain.packed(searching), *plain.packed(listeners), figures, self.first, other,
            weight, place, spread,
        )  # fmt: skip
        self.other, self.weight = other[: self.found], weight[: self.found]
        self.place, self.spread = place[: self.found], spread[: self.found]

    def pairs(self) -> list[tuple[int, int]]:
        """(number of a, number of b) of each."""
        return [
            (i, int(self.other[edge]))
            for i in range(len(self.first) - 1)
            for edge in range(self.first[i], self.first[i + 1])
        ]


def weighed(
    a: Look, b: Look, searching: list[Eye], listeners: list[Eye]
) -> dict[tuple[int, int], tuple[plain.Meeting, float]]:
    """All pairs that cross in view of both sensors, and what they weigh, by the paper."""
    out = {}
    for i in range(len(a.z)):
        for j in range(len(b.z)):
            met = plain.meeting(a, i, b, j, PRIOR)
            if met is None:
                continue
            start = plain.crossing_point(a, i, b, j, PRIOR)
            assert start is not None
            fresh = DENSITY * plain.at_most_one_heard(start, listeners, QUIET_A, QUIET_B)
            odds = SEE / (a.elsewhere[i] * b.elsewhere[j]) * max(fresh, ARRIVING)
            weight = odds * plain.not_found(start, searching) * math.exp(met.log)
            if weight > 0.0:
                out[i, j] = met, weight
    return out


def two_looks(seed: int, count: int) -> tuple[Look, Look, list[Eye], list[Eye]]:
    rng = np.random.default_rng(seed)
    there = bodies(rng, count)
    a, b = (look(rng, eye(rng, limited=rng.random() < 0.5), there) for _ in range(2))
    searching = [eye(rng) for _ in range(rng.integers(0, 3))]
    return a, b, searching, [eye(rng) for _ in range(rng.integers(0, 4))]


@MANY
@given(SEEDS, st.integers(0, 4))
def test_all_crossings_of_two_looks_are_those_of_the_papers(seed: int, count: int) -> None:
    a, b, searching, listeners = two_looks(seed, count)
    want = weighed(a, b, searching, listeners)
    # What weighs next to nothing is far from any solution, where three steps go astray; above a sensor an
    # azimuth means nothing (`test_right_above_a_sensor_nothing_explodes`).
    sure = {
        pair: one
        for pair, one in want.items()
        if one[1] > 1e-9 and min(math.dist(one[0].place[:2], at.eye.origin[:2]) for at in (a, b)) > 30.0
    }
    got = Crossed(a, b, searching, listeners)
    assert got.first[0] == 0
    assert got.first[-1] == got.found
    numbers = {pair: edge for edge, pair in enumerate(got.pairs())}
    assert list(numbers) == sorted(numbers)
    assert set(sure) <= set(numbers) <= set(want)
    for pair, (met, weight) in sure.items():
        edge, sigma = numbers[pair], np.sqrt(np.diag(met.spread))
        assert (np.abs(got.place[edge] - met.place) <= 1e-9 * (sigma + np.abs(met.place))).all()
        assert (np.abs(got.spread[edge] - met.spread) <= 1e-8 * np.outer(sigma, sigma)).all()
        assert got.weight[edge] == pytest.approx(weight, rel=1e-8)


@MANY
@given(SEEDS, st.floats(-6.0, 1.0), st.floats(1.0, 4.0))
def test_what_weighs_too_little_or_lies_anywhere_is_left_out(seed: int, least: float, widest: float) -> None:
    looks = two_looks(seed, 3)
    every = Crossed(*looks)
    some = Crossed(*looks, least=10.0**least, widest=10.0**widest)
    edges = {pair: edge for edge, pair in enumerate(every.pairs())}
    assert set(some.pairs()) <= set(edges)
    for edge, pair in enumerate(some.pairs()):
        assert some.weight[edge] == every.weight[edges[pair]] >= 10.0**least
        assert (some.place[edge] == every.place[edges[pair]]).all()
        assert max(some.spread[edge, 0, 0], some.spread[edge, 1, 1]) <= 10.0 ** (2 * widest)
    # A pair may be refused by its first guess, which is as good as the solution where the two meet.
    for pair in set(edges) - set(some.pairs()):
        edge = edges[pair]
        wide = max(every.spread[edge, 0, 0], every.spread[edge, 1, 1]) > 10.0 ** (2 * widest)
        assert wide or every.weight[edge] < 2.0 * 10.0**least


@pytest.mark.parametrize("room", [0, 1, 3])
def test_with_room_for_fewer_the_first_are_found(room: int) -> None:
    looks = two_looks(2, 4)
    every, some = Crossed(*looks), Crossed(*looks, room=room)
    assert every.found > 3
    assert some.pairs() == every.pairs()[:room]
    assert some.first[-1] == some.found == room


@MANY
@given(SEEDS, st.integers(0, 5))
def test_of_a_body_that_is_new_no_two_have_heard(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    others, (place,) = [eye(rng) for _ in range(count)], bodies(rng, 1)[:, :3]
    quiet_a, quiet_b = rng.choice([0.0, 0.3, 1.0], 2)
    found = crossing.unborn(*place, *plain.packed(others), quiet_a, quiet_b)
    assert found == pytest.approx(plain.at_most_one_heard(place, others, quiet_a, quiet_b), abs=1e-12)
    left = crossing.share_left(*place, *plain.packed(others))
    assert left == pytest.approx(plain.not_found(place, others), rel=1e-12)
    for one in others:
        assert crossing.within(*place, one.origin, one.rotation, one.limits) == one.sees(place)


@MANY
@given(SEEDS)
def test_the_way_of_a_bearing_is_its_direction(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one = look(rng, eye(rng), bodies(rng, 2))
    z, _, use = one.rows()
    way = np.empty((len(z), 3))
    crossing.toward(z, use, one.eye.rotation, way)
    np.testing.assert_allclose(way, [one.way(q) for q in range(len(z))], rtol=1e-12, atol=1e-12)


@MANY
@given(SEEDS, st.integers(0, 5), st.integers(0, 5), st.floats(-4.0, 6.0))
def test_a_bearing_is_shared_out_between_its_crossings(seed: int, ka: int, kb: int, large: float) -> None:
    rng = np.random.default_rng(seed)
    weight = 10.0 ** rng.uniform(-4.0, large, (ka, kb)) * (rng.random((ka, kb)) < 0.6)
    rows, other = np.nonzero(weight)
    first = np.append(0, np.cumsum((weight > 0).sum(axis=1))).astype(np.int64)
    likely = np.full(len(other), np.nan)
    crossing.share(ka, kb, first, other.astype(np.int64), weight[rows, other], likely)
    want = reference.loopy(weight, np.ones(ka))
    assume(want.sweeps < 3000)
    np.testing.assert_allclose(likely, want.pair[rows, other], rtol=1e-9, atol=1e-8)
    assert (np.bincount(rows, likely, ka) <= 1.0 + 1e-12).all()


# --- rays

SEES, PSD, RATE_VAR, ELEVATION_PSD, STAY_S, LEAST, CONFIRM, FORGET = figures = (
    0.9, 3e-5, 0.05**2, 1e-5, 60.0, 1e-3, 0.8, 0.3,
)  # fmt: skip
FIGURES = np.array(figures)
NOW = 100.0


def rays(rng: np.random.Generator, count: int) -> list[Ray]:
    """Some of which are close together."""
    out = []
    for _ in range(count):
        root = rng.normal(size=(2, 2)) * [0.02, 0.03]
        x = np.array([reference.wrapped(math.pi - 0.1 + 0.2 * rng.random()), rng.normal(0, 0.05)])
        elevation = (rng.uniform(-0.1, 0.4), rng.uniform(1e-5, 1e-3)) if rng.random() < 0.5 else None
        p = root.T @ root + np.diag([1e-5, 1e-5])
        out.append(Ray(x, p, elevation, rng.choice([1e-6, 0.2, 0.79, 0.95, 0.9999])))
    return out


def table_of(some: list[Ray]) -> np.ndarray:
    table = np.zeros((len(some), listening.COLUMNS))
    for row, ray in zip(table, some, strict=True):
        (a, rate), ((aa, ar), (_, rr)) = ray.x, ray.p
        row[: listening.EXISTENCE + 1] = (
            a, rate, aa, ar, rr, *((0.0, -1.0) if ray.elevation is None else ray.elevation), ray.existence,
        )  # fmt: skip
    return table


def check_rays(table: np.ndarray, want: list[Ray]) -> None:
    for row, ray in zip(table, want, strict=True):
        sigma = np.sqrt(np.diag(ray.p))
        off = np.array([reference.wrapped(row[0] - ray.x[0]), row[1] - ray.x[1]])
        assert (np.abs(off) <= 1e-9 * (sigma + 1.0)).all()
        spread = np.array([[row[2], row[3]], [row[3], row[4]]])
        assert (np.abs(spread - ray.p) <= 1e-8 * np.outer(sigma, sigma)).all()
        assert row[listening.EXISTENCE] == pytest.approx(ray.existence, rel=1e-9, abs=1e-9)
        if ray.elevation is None:
            assert row[listening.ELEVATION_VAR] < 0.0
        else:
            raised = row[[listening.ELEVATION, listening.ELEVATION_VAR]]
            assert raised == pytest.approx(ray.elevation, rel=1e-8, abs=1e-9)


@MANY
@given(SEEDS, st.integers(0, 4), st.integers(0, 5), st.floats(0.0, 20.0))
def test_many_rays_and_bearings_are_those_of_the_papers(seed: int, n: int, k: int, dt: float) -> None:
    rng = np.random.default_rng(seed)
    some = rays(rng, n)
    table = table_of(some)
    listening.foretell(table, dt, FIGURES)
    later = [ray.later(dt, PSD, ELEVATION_PSD, STAY_S) for ray in some]
    check_rays(table, later)
    z = np.column_stack([math.pi + rng.normal(0, 0.1, k), rng.uniform(-0.1, 0.4, k)])
    z[:, 0] = [reference.wrapped(azimuth) for azimuth in z[:, 0]]
    sigma = rng.uniform(0.002, 0.06, z.shape)
    one = Look(Eye(), z, sigma**2, rng.random(k) < 0.5, rng.uniform(0.05, 2.0, k))
    unclaimed = np.full(k, np.nan)
    listening.hear(table, NOW, *one.rows(), one.elsewhere, FIGURES, unclaimed)
    want, pair, free = plain.heard(later, one, SEES)
    taken = pair.sum(axis=1)
    risen = (pair * one.raised).sum(axis=1)
    # On the edge of a rule, and where messages end a little apart, either side is right.
    assume(not (np.abs(taken - 0.02) < 1e-6).any() and not (np.abs(risen - 0.5) < 1e-6).any())
    check_rays(table, want)
    np.testing.assert_allclose(unclaimed, free, rtol=1e-8, atol=1e-8)
    for row, ray, part in zip(table, want, taken, strict=True):
        assert row[listening.HEARD] == (NOW if part > 0.5 else 0.0)
        assert row[listening.SHOWN] == (1.0 if ray.existence > CONFIRM else 0.0)


def test_a_ray_that_was_shown_stays_so_for_a_while() -> None:
    rng = np.random.default_rng(1)
    nothing = Look(Eye(), np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0, bool), np.zeros(0))
    table = table_of(rays(rng, 1))
    table[0, [listening.EXISTENCE, listening.SHOWN]] = 0.95, 1.0
    shown = []
    for _ in range(4):
        listening.hear(table, NOW, *nothing.rows(), nothing.elsewhere, FIGURES, np.empty(0))
        shown.append((bool(table[0, listening.SHOWN]), table[0, listening.EXISTENCE] > FORGET))
    assert shown[0] == (True, True)
    assert all(visible == enough for visible, enough in shown)
    assert shown[-1] == (False, False)


@MANY
@given(SEEDS, st.lists(st.sampled_from([0.0, 1e-9, 0.2, math.nextafter(0.2, 0), 0.3, 1.0]), max_size=9))
def test_the_rays_that_are_kept_are_those_that_exist(seed: int, existence: list[float]) -> None:
    table = np.random.default_rng(seed).normal(size=(len(existence), listening.COLUMNS))
    table[:, listening.EXISTENCE] = existence
    out = np.full((len(existence) + 1, listening.COLUMNS), np.nan)
    before = table.copy()
    kept = listening.keep(table, 0.2, out)
    np.testing.assert_array_equal(out[:kept], before[before[:, listening.EXISTENCE] >= 0.2])
    assert np.isnan(out[kept:]).all()
    np.testing.assert_array_equal(table, before)


@MANY
@given(SEEDS, st.integers(0, 6))
def test_new_rays_are_of_bearings_that_are_of_none(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    one = look(rng, Eye(), bodies(rng, 0), k)
    unclaimed, fresh = rng.choice([0.0, 0.3, 1.0], k), 10.0 ** rng.uniform(-5.0, 1.0, k)
    out = np.full((k, listening.COLUMNS), np.nan)
    born = listening.sprout(NOW, *one.rows(), one.elsewhere, unclaimed, fresh, FIGURES, out)
    likely = unclaimed * fresh / (one.elsewhere + fresh)
    assume(not (np.abs(likely - LEAST) < 1e-12).any())
    want = []
    for q in np.flatnonzero(likely >= LEAST):
        elevation = (one.z[q, 1], one.var[q, 1]) if one.raised[q] else (0.0, -1.0)
        azimuth, var = one.z[q, 0], one.var[q, 0]
        want.append([azimuth, 0, var, 0, RATE_VAR, *elevation, likely[q], NOW, NOW, azimuth, 0])
    np.testing.assert_allclose(
        out[:born], np.reshape(np.array(want, float), (-1, listening.COLUMNS)), rtol=1e-12
    )


# --- wedges

WEDGE = np.array([20.0, 80.0, 60.0, 0.3, 500.0])


def cells(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Borders and middles, of which the kernel makes the first."""
    nearest, count = rng.uniform(10.0, 200.0), int(rng.integers(1, 12))
    farthest = nearest * rng.uniform(1.5, 100.0)
    out = np.empty(count + 1)
    wedge.edges(nearest, farthest, out)
    want, middles = plain.cells(nearest, farthest, count)
    np.testing.assert_allclose(out, want, rtol=1e-12)
    return out, middles


@MANY
@given(SEEDS, st.integers(0, 5), st.integers(0, 3))
def test_new_bodies_along_bearings_are_density_times_ground(seed: int, k: int, searching: int) -> None:
    rng = np.random.default_rng(seed)
    one, others = look(rng, eye(rng), bodies(rng, 0), k), [eye(rng) for _ in range(searching)]
    z, _, use = one.rows()
    borders, _ = cells(rng)
    frame = (borders, 80.0, *plain.packed(others))
    want = [plain.ground(one.eye, one.way(q), borders, 80.0, others) for q in range(k)]
    way, total, out = np.array([one.way(q) for q in range(k)]).reshape(k, 3), np.empty(k), np.empty(k)
    for q in range(k):
        each = np.empty(len(borders) - 1)
        whole = wedge.grounds(way[q], one.eye.origin, *frame, each)
        np.testing.assert_allclose(each, want[q], rtol=1e-9)
        assert whole == pytest.approx(want[q].sum(), rel=1e-9)
    wedge.new_along(way, one.eye.origin, *frame, total)
    np.testing.assert_allclose(total, np.sum(want, axis=1) if k else [], rtol=1e-9)
    wedge.new_of(z, use, one.eye.origin, one.eye.rotation, *frame, 3e-8, out)
    np.testing.assert_allclose(out, 3e-8 * total, rtol=1e-9)


@MANY
@given(SEEDS)
def test_a_range_is_weighed_by_what_the_direction_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    (ray,) = rays(rng, 1)
    borders, middles = cells(rng)
    before = rng.uniform(0.0, 2.0, len(middles))
    weight = before.copy()
    wedge.by_motion(table_of([ray])[0], 12.0, borders, WEDGE, weight)
    np.testing.assert_allclose(weight, before * plain.motion(ray, 12.0, middles, WEDGE), rtol=1e-9)


@MANY
@given(SEEDS, st.integers(0, 4), st.floats(0.0, 1.0))
def test_a_range_is_weighed_by_what_others_hear(seed: int, k: int, sees: float) -> None:
    rng = np.random.default_rng(seed)
    here = eye(rng)
    other = look(rng, eye(rng), bodies(rng, 0), k)
    borders, middles = cells(rng)
    way = look(rng, here, bodies(rng, 0), 1).way(0)
    # Some are heard where the wedge runs, or none would count.
    for q in range(k):
        place = np.array([*(here.origin[:2] + rng.choice(borders) * way[:2]), other.eye.origin[2]])
        other.z[q, 0] = math.atan2(*other.eye.own(place)[:2]) + 0.1 * rng.normal()
    before = rng.uniform(0.0, 2.0, len(middles))
    weight = before.copy()
    z, var, _ = other.rows()
    wedge.by_hearing(
        way, here.origin, borders, 80.0, other.eye.origin, other.eye.rotation, other.eye.limits, sees, z,
        var, other.elsewhere, weight,
    )  # fmt: skip
    want = before * plain.hearing(here, way, borders, 80.0, other, sees)
    np.testing.assert_allclose(weight, want, rtol=1e-9, atol=1e-12)


@given(st.lists(st.floats(0.0, 1e300), min_size=1, max_size=9))
def test_weights_add_up_to_one(weight: list[float]) -> None:
    out, whole = np.array(weight), np.array(weight).sum()
    assert wedge.normalise(out) == (0.0 < whole < math.inf)
    want = np.array(weight) / whole if 0.0 < whole < math.inf else np.full(len(weight), 1 / len(weight))
    np.testing.assert_allclose(out, want, rtol=1e-9)
