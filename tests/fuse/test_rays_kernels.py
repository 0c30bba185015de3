"""Crossings, rays and wedges against plain numpy."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.fuse.kernels import crossing, listening, survival, wedge
from vedette.fuse.rays.silence import most_likely
from vedette.fuse.rays.state import Eye
from vedette.fuse.sightings import Sightings

LEVEL = np.eye(3)
EVERYWHERE = np.array([0.0, 9000.0, 0.0, 360.0, -90.0, 90.0, -math.inf, math.inf])
DENSITY, SEE, HEIGHT, SIGMA, ODD = 2e-8, 0.81, 80.0, 60.0, 250.0
FIGURES = np.array([DENSITY, 0.0, SEE, 1.0, 1.0, 1e-12, 20.0, HEIGHT, SIGMA, ODD, 5000.0, 0.4])


def rows(azimuths: list[float], elevations: list[float | None], sigma: float = 0.02) -> tuple[Any, ...]:
    """Values, variances and which are given, of bearings in radians."""
    k = len(azimuths)
    z, var, use = np.zeros((k, 6)), np.full((k, 6), sigma**2), np.zeros((k, 6), np.bool_)
    z[:, 0], use[:, 0] = azimuths, True
    z[:, 1] = [0.0 if e is None else e for e in elevations]
    use[:, 1] = [e is not None for e in elevations]
    return z, var, use


def crossed(a: tuple[Any, ...], oa: Any, b: tuple[Any, ...], ob: Any, figures: Any = FIGURES) -> Any:
    """All that `cross_all` finds, of two sensors without others."""
    ka, kb = len(a[0]), len(b[0])
    first, other, weight = np.zeros(ka + 1, np.int64), np.zeros(ka * kb, np.int64), np.zeros(ka * kb)
    place, spread = np.zeros((ka * kb, 3)), np.zeros((ka * kb, 3, 3))
    found = crossing.cross_all(
        *a, np.full(ka, 0.8), oa, LEVEL, EVERYWHERE, *b, np.full(kb, 0.5), ob, LEVEL, EVERYWHERE,
        *wedge.no_eyes(), *wedge.no_eyes(), figures, first, other, weight, place, spread,
    )  # fmt: skip
    return first, other[:found], weight[:found], place[:found], spread[:found]


def plainly(za: Any, ua: Any, oa: Any, zb: Any, ub: Any, ob: Any, start: Any) -> tuple[Any, Any, float]:
    """Place, covariance and weight of a pair: three steps of Gauss and Newton by numpy."""
    x, raised = np.array(start, float), bool(ua[1] or ub[1])
    for _ in range(3):
        lines, values, variances = (
            [np.array([0.0, 0.0, 1.0])],
            [HEIGHT - x[2]],
            [(ODD if raised else SIGMA) ** 2],
        )
        for z, use, o, strayed in ((za, ua, oa, 0.0), (zb, ub, ob, 8.0)):
            e, n, u = x - o
            flat2, r2 = e * e + n * n, e * e + n * n + u * u
            jacobian = [np.array([n / flat2, -e / flat2, 0.0])]
            off = [(z[0] - math.atan2(e, n) + math.pi) % (2 * math.pi) - math.pi]
            if use[1]:
                flat = math.sqrt(flat2)
                jacobian.append(np.array([-e * u, -n * u, flat2]) / (flat * r2))
                off.append(z[1] - math.atan2(u, flat))
            for line, value in zip(jacobian, off, strict=True):
                lines.append(line)
                values.append(value)
                variances.append(0.02**2 + strayed**2 * float(line[:2] @ line[:2]))
        h, y, v = np.array(lines), np.array(values), np.array(variances)
        p = np.linalg.inv(h.T @ (h / v[:, None]))
        log = -0.5 * float((y * y / v + np.log(2 * math.pi * v)).sum())
        x = x + p @ (h.T @ (y / v))
    log += 1.5 * math.log(2 * math.pi) + 0.5 * math.log(np.linalg.det(p))
    return x, p, DENSITY * SEE / (0.8 * 0.5) * math.exp(log)


OA, OB = np.array([-2000.0, -2000.0, 5.0]), np.array([2000.0, -1500.0, 15.0])


@settings(max_examples=60, deadline=None)
@given(
    east=st.floats(-1500.0, 1500.0),
    north=st.floats(-500.0, 3000.0),
    up=st.floats(20.0, 300.0),
    raised=st.tuples(st.booleans(), st.booleans()),
)
def test_a_crossing_equals_plain_numpy(
    east: float, north: float, up: float, raised: tuple[bool, bool]
) -> None:
    truth, bearings = np.array([east, north, up]), []
    for origin, high in zip((OA, OB), raised, strict=True):
        e, n, u = truth - origin
        bearings.append(rows([math.atan2(e, n) + 0.003], [math.atan2(u, math.hypot(e, n)) if high else None]))
    a, b = bearings
    first, other, weight, place, spread = crossed(a, OA, b, OB)
    assert first.tolist() == [0, 1]
    assert other.tolist() == [0]
    # The first guess is where the two lie in the plane.
    ways = [np.array([math.sin(z[0, 0]), math.cos(z[0, 0])]) for z, _, _ in bearings]
    along = np.linalg.solve(np.stack([ways[0], -ways[1]], axis=1), (OB - OA)[:2])
    flat = OA[:2] + along[0] * ways[0]
    highs = [
        o[2] + length * math.tan(z[0, 1])
        for o, length, (z, _, use) in zip((OA, OB), along, bearings, strict=True)
        if use[0, 1]
    ]
    start = (*flat, float(np.mean(highs)) if highs else HEIGHT)
    x, p, w = plainly(a[0][0], a[2][0], OA, b[0][0], b[2][0], OB, start)
    assert place[0] == pytest.approx(x, rel=1e-9, abs=1e-6)
    assert spread[0] == pytest.approx(p, rel=1e-9, abs=1e-6)
    assert weight[0] == pytest.approx(w, rel=1e-9)


def test_the_weight_of_two_azimuths_is_density_times_ground() -> None:
    """R_a R_b / sin(gamma) square metres a square radian."""
    a, b = rows([math.radians(45.0)], [None], 1e-4), rows([math.radians(-40.0)], [None], 1e-4)
    still = FIGURES.copy()
    still[crossing.APART_S] = 0.0
    _, _, weight, place, _ = crossed(a, OA, b, OB, still)
    ra, rb = (math.hypot(*(place[0] - o)[:2]) for o in (OA, OB))
    ground = ra * rb / math.sin(math.radians(85.0))
    assert weight[0] == pytest.approx(DENSITY * SEE * ground / (0.8 * 0.5), rel=1e-6)


@pytest.mark.parametrize("azimuths", [(10.0, 10.0), (10.0, 190.0), (200.0, 160.0), (-90.0, 90.0)])
def test_directions_that_do_not_meet_cross_nowhere(azimuths: tuple[float, float]) -> None:
    a, b = (rows([math.radians(azimuth)], [None]) for azimuth in azimuths)
    first, other, *_ = crossed(a, OA, b, OB)
    assert first.tolist() == [0, 0]
    assert len(other) == 0


def test_a_body_that_two_sensors_should_have_heard_is_no_new_one() -> None:
    eyes = np.zeros((2, 3)), np.stack([LEVEL] * 2), np.stack([EVERYWHERE] * 2)
    some = [crossing.unborn(0.0, 100.0, 50.0, *eyes, np.array(q), 0.3, 0.4) for q in ((1.0, 1.0), (0.2, 0.5))]
    assert some[0] == pytest.approx(1.0 - 0.7 * 0.6)
    heard = np.array([0.7, 0.6, 0.8, 0.5])
    none = float(np.prod(1 - heard))
    assert some[1] == pytest.approx(none + sum(none / (1 - h) * h for h in heard))
    far = crossing.unborn(0.0, 20_000.0, 50.0, *eyes, np.array([0.2, 0.5]), 0.3, 0.4)
    assert far == pytest.approx(some[0])


# --- rays

FIGURES_OF_RAYS = np.array([0.9, 3e-5, 0.05**2, 1e-5, 60.0, 1e-4, 0.8, 0.3])


def ray(azimuth: float = 0.5, rate: float = 0.01, existence: float = 0.6) -> Any:
    """A table of one ray without elevation."""
    table = np.zeros((1, listening.COLUMNS))
    table[0, : listening.EXISTENCE + 1] = (azimuth, rate, 4e-4, 1e-4, 2.5e-3, 0.0, -1.0, existence)
    return table


def test_a_ray_equals_plain_numpy() -> None:
    table, dt, q = ray(), 0.7, FIGURES_OF_RAYS[listening.PSD]
    listening.foretell(table, dt, FIGURES_OF_RAYS)
    f, p = np.array([[1.0, dt], [0.0, 1.0]]), np.array([[4e-4, 1e-4], [1e-4, 2.5e-3]])
    x, p = f @ [0.5, 0.01], f @ p @ f.T + q * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
    r = 0.6 * math.exp(-dt / 60.0)
    z, var, use = rows([0.53, 2.0], [None, None])
    unclaimed = np.empty(2)
    listening.hear(table, 0.7, z, var, use, np.array([0.4, 0.4]), FIGURES_OF_RAYS, unclaimed)
    s = p[0, 0] + 0.02**2
    y = 0.53 - x[0]
    weight = r * 0.9 * math.exp(-0.5 * y * y / s) / math.sqrt(2 * math.pi * s) / 0.4
    hit = weight / (weight + 1.0 - 0.9 * r)
    gain = p[:, 0] / s
    after = p - hit * np.outer(gain, p[0]) + hit * (1 - hit) * y * y * np.outer(gain, gain)
    missed = r * 0.1 / (1 - 0.9 * r)
    assert unclaimed == pytest.approx([1 - hit, 1.0], rel=1e-9)
    assert table[0, :2] == pytest.approx(x + gain * hit * y, rel=1e-9)
    assert table[0, 2:5] == pytest.approx([after[0, 0], after[0, 1], after[1, 1]], rel=1e-9)
    assert table[0, listening.EXISTENCE] == pytest.approx(hit + (1 - hit) * missed, rel=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    azimuths=st.lists(st.floats(-3.1, 3.1), min_size=1, max_size=8),
    raised=st.booleans(),
    waits=st.lists(st.floats(0.0, 30.0), min_size=1, max_size=6),
)
def test_rays_stay_positive_and_finite(azimuths: list[float], raised: bool, waits: list[float]) -> None:
    z, var, use = rows(azimuths, [0.1 if raised else None] * len(azimuths))
    table = np.zeros((len(z), listening.COLUMNS))
    elsewhere, unclaimed, now = np.full(len(z), 0.3), np.ones(len(z)), 0.0
    fresh = np.full(len(z), 0.2)
    born = listening.sprout(0.0, z, var, use, elsewhere, unclaimed, fresh, FIGURES_OF_RAYS, table)
    assert born == len(z)
    for wait in waits:
        now += wait
        listening.foretell(table, wait, FIGURES_OF_RAYS)
        listening.hear(table, now, z, var, use, elsewhere, FIGURES_OF_RAYS, unclaimed)
    assert np.isfinite(table).all()
    assert (table[:, listening.AA] * table[:, listening.RR] > table[:, listening.AR] ** 2).all()
    assert ((table[:, listening.EXISTENCE] >= 0.0) & (table[:, listening.EXISTENCE] < 1.0)).all()
    assert ((unclaimed >= 0.0) & (unclaimed <= 1.0)).all()


# --- wedges

FIGURES_OF_WEDGES = np.array([20.0, HEIGHT, SIGMA, 0.3, 500.0])


def weights(one: Any) -> Any:
    """Ranges of a ray that nobody else hears or watches."""
    borders, found = np.empty(6), np.empty(5)
    wedge.edges(50.0, 5000.0, borders)
    wedge.grounds(np.array([0.0, 1.0, 0.0]), np.zeros(3), borders, HEIGHT, *wedge.no_eyes(), found)
    wedge.by_motion(one[0], 2.0, borders, FIGURES_OF_WEDGES, found)
    assert wedge.normalise(found)
    return found


def test_ground_alone_makes_far_ranges_likely() -> None:
    borders, found = np.empty(6), np.empty(5)
    wedge.edges(50.0, 5000.0, borders)
    total = wedge.grounds(np.array([0.0, 1.0, 0.0]), np.zeros(3), borders, HEIGHT, *wedge.no_eyes(), found)
    assert total == pytest.approx((5000.0**2 - 50.0**2) / 2)
    assert (np.diff(found) > 0).all()


def test_a_fast_azimuth_is_near() -> None:
    slow, fast = ray(rate=0.001), ray(rate=0.15)
    slow[0, listening.RR] = fast[0, listening.RR] = 1e-6
    ranges = np.sqrt(50.0 * 5000.0) * (5000.0 / 50.0) ** ((np.arange(5) - 2) / 5)
    assert weights(fast) @ ranges < 500.0 < weights(slow) @ ranges


def test_a_steep_elevation_is_near() -> None:
    steep = ray()
    steep[0, listening.ELEVATION], steep[0, listening.ELEVATION_VAR] = 0.6, 1e-4
    assert weights(steep)[:3].sum() > 3 * weights(ray())[:3].sum()


def test_where_a_radar_saw_nothing_a_wedge_is_unlikely() -> None:
    near = EVERYWHERE.copy()
    near[1] = 2000.0
    eye = np.zeros((1, 3)), LEVEL[None], near[None], np.array([0.05])
    borders, free, watched = np.empty(6), np.empty(5), np.empty(5)
    wedge.edges(50.0, 5000.0, borders)
    way = np.array([0.0, 1.0, 0.0])
    wedge.grounds(way, np.zeros(3), borders, HEIGHT, *wedge.no_eyes(), free)
    wedge.grounds(way, np.zeros(3), borders, HEIGHT, *eye, watched)
    assert watched[:4] == pytest.approx(0.05 * free[:4])
    assert watched[4] == free[4]


def test_a_second_sensor_that_hears_nothing_empties_its_reach() -> None:
    borders, found = np.empty(6), np.ones(5)
    wedge.edges(50.0, 5000.0, borders)
    reach = EVERYWHERE.copy()
    reach[1] = 1000.0
    way = np.array([0.0, 1.0, 0.0])
    nothing = np.zeros((0, 6)), np.zeros((0, 6)), np.zeros(0)
    wedge.by_hearing(
        way, np.zeros(3), borders, HEIGHT, np.array([300.0, 100.0, 0.0]), LEVEL, reach, 0.9, *nothing, found
    )
    assert found[:3] == pytest.approx(0.1)
    assert found[4] == 1.0


# --- silence


def test_look_after_look_of_a_third_sensor_that_hears_nothing_speaks_against_a_body() -> None:
    place = np.array([0.0, 500.0, 80.0])
    eye = Eye((0.0, 0.0, 0.0), tuple(map(tuple, LEVEL.tolist())), tuple(EVERYWHERE.tolist()), 0.9, 1.0)
    found = []
    for turn in range(8):
        seen = Sightings((("a", float(turn)), ("b", float(turn))))
        listeners = {name: (eye, float(turn)) for name in ("a", "b", "c")}
        found.append(most_likely(place, 0.0, seen, listeners, {}, 0.05))
    assert found[0] == pytest.approx(survival.MOST_BY_EAR)
    assert found == sorted(found, reverse=True)
    assert found[2] > 0.8 > 0.3 > found[4]
    # All silent at once: it does not send any more, which is no ghost's way.
    listeners = dict.fromkeys(("a", "b", "c"), (eye, 9.0))
    silent = Sightings((("a", 1.0), ("b", 1.0), ("c", 1.0)))
    assert most_likely(place, 0.0, silent, listeners, {}, 0.05) == pytest.approx(survival.MOST_BY_EAR)
    # A radar leaves some doubt, for it may be blind there; one that does not look there none.
    radar = {"radar": (eye, 30.0)}
    assert most_likely(place, 0.0, silent, {}, radar, 0.05) == pytest.approx(199 * 0.05 / (1 + 199 * 0.05))
    assert most_likely(place * 100.0, 0.0, silent, {}, radar, 0.05) == pytest.approx(survival.MOST_BY_EAR)


def test_a_body_known_by_directions_alone_is_doubted_when_it_is_not_heard() -> None:
    by_ear, visible = np.array([True, True, False]), np.array([True, False, True])
    before, hit = np.array([0.9, 0.9, 0.9]), np.array([0.0, 0.0, 0.0])
    emitted, after, emits = np.full(3, 0.99), np.full(3, 0.9), np.full(3, 0.5)
    survival.doubt(3, by_ear, visible, 0.9, before, hit, emitted, after, emits)
    exists, sends, silent = 0.9 * 0.99 * 0.1, 0.99 * 0.1, 0.01
    none = 0.1
    assert after[0] == pytest.approx((exists + 0.9 * 0.01) / (exists + 0.9 * 0.01 + none))
    assert emits[0] == pytest.approx(sends / (sends + silent))
    assert after[1:].tolist() == [0.9, 0.9]
    assert emits[1:].tolist() == [0.99, 0.5]
