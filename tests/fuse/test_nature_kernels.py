"""The kernels of the nature of tracks against plain numpy and scipy."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from vedette.fuse import FuseSettings
from vedette.fuse.classes import EDGES_MPS, OVER_GROUND, speed_table
from vedette.fuse.kernels import nature
from vedette.fuse.words import CLASSES

EDGES = np.array(EDGES_MPS)
MIDDLES, SPREADS = 0.5 * (EDGES[1:] + EDGES[:-1]), (EDGES[1:] - EDGES[:-1]) ** 2 / 12.0
TABLE = speed_table(4.0)
SPEED = st.floats(-90.0, 90.0)
PROBABILITY = st.floats(0.0, 1.0)


def covariance(a: float, b: float, turn: float) -> np.ndarray:
    """A 6 x 6 with these two sigmas of horizontal velocity, turned."""
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    p = np.eye(6) * 25.0
    p[3:5, 3:5] = rotation @ np.diag([a * a, b * b]) @ rotation.T
    return p


COVARIANCES = st.builds(covariance, st.floats(0.3, 20.0), st.floats(0.3, 20.0), st.floats(0.0, 3.2))


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    """The first call of a kernel compiles it, which must not count as an example's time."""
    nature.rice(1.0, 1.0, 1.0)
    nature.scaled_i0(1.0)
    nature.speed_seen(1.0, 1.0, np.eye(6))
    nature.flicker(0, np.zeros(0), np.zeros(0), 0.5, 0.9, np.zeros(0), np.zeros(0))
    nature.faint_odds(0, np.zeros(0), 0.95, np.zeros(0), 0.03, 5.0)
    nature.dim(0, np.zeros(0), 0.5, 0.1, np.zeros(0), np.zeros(0))
    nature.hark(0, np.zeros(0, np.bool_), np.zeros(0), 0.5, 0.5, np.zeros(0))
    rows = np.zeros(TABLE.shape)
    nature.begin(TABLE, rows)
    nature.foresee(TABLE, 0.9, 0.1, rows)
    room = np.empty((2, len(MIDDLES)))
    nature._observe(np.zeros(6), np.eye(6), MIDDLES, SPREADS, OVER_GROUND, np.ones(2), 2.0, 0.5, room, rows)


Bessel = Callable[[np.ndarray], np.ndarray]


def plain_i0(x: np.ndarray) -> np.ndarray:
    """exp(-x) I0(x) by the polynomials of Abramowitz and Stegun, 9.8.1 and 9.8.2, as their coefficients."""
    x = np.asarray(x, float)
    near = [1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813]
    far = [0.39894228, 0.01328592, 0.00225319, -0.00157565, 0.00916281]
    far += [-0.02057706, 0.02635537, -0.01647633, 0.00392377]
    small, large = np.minimum(x, 3.75), np.maximum(x, 3.75)
    below = np.exp(-small) * np.polynomial.polynomial.polyval((small / 3.75) ** 2, near)
    return np.where(x < 3.75, below, np.polynomial.polynomial.polyval(3.75 / large, far) / np.sqrt(large))


def plain_rice(
    measured: float, true: np.ndarray, var: np.ndarray, bessel: Bessel = special.i0e
) -> np.ndarray:
    """The same with scipy, or with its own Bessel function."""
    return np.exp(-0.5 * (measured - true) ** 2 / var) * bessel(measured * true / var)


def plain_blown(air: np.ndarray, wind_var: float, middles: np.ndarray) -> np.ndarray:
    """`nature.blown` as a matrix: each column is the distribution over ground of one speed over air."""
    over = middles[:, None] * plain_rice(middles[:, None], middles, np.array(wind_var), plain_i0)
    return np.asarray((over / over.sum(axis=0)) @ air)


def plain_speed(ve: float, vn: float, p: np.ndarray) -> tuple[float, float]:
    """`nature.speed_seen` by vectors and traces."""
    v, part = np.array([ve, vn]), p[3:5, 3:5]
    square, trace = float(v @ v), float(np.trace(part))
    along = float(v @ part @ v) / square if square > 0.0 else trace / 2.0
    fast = square / (square + trace)
    var = fast * along + (1.0 - fast) * trace / 2.0
    return math.sqrt(max(square + 2.0 * var - trace, 0.0)), var


def plain_learn(rows: np.ndarray, ground: np.ndarray, air: np.ndarray) -> np.ndarray:
    likelihood = np.where(np.array(OVER_GROUND)[:, None], ground, air)
    after = np.maximum(rows * likelihood, 1e-12)
    return after / after.sum()


def plain_foresee(rows: np.ndarray, stay: float, mix: float) -> np.ndarray:
    moved = stay * rows + (1.0 - stay) * TABLE * rows.sum(axis=1, keepdims=True)
    return (1.0 - mix) * moved + mix * TABLE / len(TABLE)


def plain_observe(
    rows: np.ndarray,
    x: np.ndarray,
    p: np.ndarray,
    wind: np.ndarray,
    blur: float,
    share: float,
    bessel: Bessel = special.i0e,
) -> np.ndarray:
    likelihoods = []
    for w in (np.zeros(2), wind):
        speed, var = plain_speed(x[3] - w[0], x[4] - w[1], p)
        likelihood = plain_rice(speed, MIDDLES, var + blur + SPREADS, bessel)
        likelihoods.append((likelihood / likelihood.max()) ** share)
    return plain_learn(rows, *likelihoods)


@given(st.floats(0.0, 1e6))
def test_the_bessel_function_is_scipys(x: float) -> None:
    assert nature.scaled_i0(x) == pytest.approx(special.i0e(x), rel=1e-6)
    assert nature.scaled_i0(x) == pytest.approx(float(plain_i0(np.array(x))), rel=1e-12)


@given(st.floats(0.0, 60.0), st.floats(0.0, 60.0), st.floats(0.5, 200.0))
def test_the_likelihood_of_a_speed_is_rices(measured: float, true: float, var: float) -> None:
    density = stats.rice.pdf(measured, true / math.sqrt(var), scale=math.sqrt(var))
    other = stats.rice.pdf(measured, 0.0, scale=math.sqrt(var))
    if other > 1e-200 and density > 1e-200:
        ratio = nature.rice(measured, true, var) / nature.rice(measured, 0.0, var)
        assert ratio == pytest.approx(density / other, rel=1e-5)


@given(st.floats(0.0, 60.0), st.floats(0.0, 60.0), st.floats(0.5, 200.0))
def test_the_likelihood_of_a_speed_is_that_of_plain_numpy(measured: float, true: float, var: float) -> None:
    expected = plain_rice(measured, np.array(true), np.array(var), plain_i0)
    assert nature.rice(measured, true, var) == pytest.approx(float(expected), rel=1e-9, abs=1e-300)


@given(
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=20).filter(any),
    st.floats(0.1, 8.0),
    st.floats(0.25, 5.0),
)
def test_wind_spreads_speeds_as_plain_numpy_does(air: list[float], sigma: float, step: float) -> None:
    middles = step * (np.arange(len(air)) + 0.5)
    ground = np.full(len(air), np.nan)
    nature.blown(np.array(air), sigma**2, middles, ground)
    assert ground == pytest.approx(plain_blown(np.array(air), sigma**2, middles), rel=1e-9, abs=1e-300)


@given(SPEED, SPEED, COVARIANCES)
def test_a_speed_is_that_of_plain_vectors(ve: float, vn: float, p: np.ndarray) -> None:
    assert nature.speed_seen(ve, vn, p) == pytest.approx(plain_speed(ve, vn, p), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("sigma", [1.0, 4.0])
def test_wind_spreads_speeds_as_drawing_it_does(sigma: float) -> None:
    fine = np.arange(0.25, 110.0, 0.5)
    air, ground = np.zeros(len(fine)), np.zeros(len(fine))
    air[(fine >= 8.0) & (fine < 17.0)] = 1.0 / 18.0
    nature.blown(air, sigma**2, fine, ground)
    rng = np.random.default_rng(5)
    drawn = np.hypot(
        rng.uniform(8, 17, 200_000) + rng.normal(0, sigma, 200_000), rng.normal(0, sigma, 200_000)
    )
    assert ground.sum() == pytest.approx(1.0)
    for low, high in ((0, 5), (5, 10), (10, 15), (15, 20), (20, 30)):
        there = ground[(fine >= low) & (fine < high)].sum()
        assert there == pytest.approx(((drawn >= low) & (drawn < high)).mean(), abs=0.01)


@given(st.integers(0, 2**32 - 1), PROBABILITY, PROBABILITY)
def test_a_step_of_time_is_that_of_plain_numpy(seed: int, stay: float, mix: float) -> None:
    rows = np.random.default_rng(seed).dirichlet(np.ones(TABLE.size)).reshape(TABLE.shape)
    after = rows.copy()
    nature.foresee(TABLE, stay, mix, after)
    assert after == pytest.approx(plain_foresee(rows, stay, mix), rel=1e-9)
    assert after.sum() == pytest.approx(1.0)


def looked(changes: dict[str, Any], **more: Any) -> dict[str, np.ndarray]:
    """One look at three tracks, which starts from what was learnt of them."""
    n = 3
    rng = np.random.default_rng(2)
    told: dict[str, Any] = {
        "xm": rng.normal(0.0, 15.0, (n, 3, 6)),
        "pm": np.array([[covariance(2.0, 3.0 + m, 0.3 * t) for m in range(3)] for t in range(n)]),
        "mu": np.array([[0.97, 0.0, 0.03], [0.5, 0.1, 0.4], [0.2, 0.05, 0.75]]),
        "existence": np.full(n, 0.9),
        "heard": np.full(n, 10.0),
        "nature": rng.dirichlet(np.ones(TABLE.size), n).reshape(n, *TABLE.shape),
        "learnt": np.full(n, 9.0),
        "wind": np.array([3.0, -2.0]),
        **changes,
    }
    told["xm"][:, 1, 3:5] = told["xm"][:, 0, 3:5] + 2.0
    figures = np.zeros(7)
    figures[nature.VAGUE] = 200.0
    figures[nature.SOJOURN], figures[nature.MEMORY], figures[nature.ERROR] = 20.0, 300.0, 2.0
    figures[nature.BLUR], figures[nature.LEAST], figures[nature.PAUSE] = 2.25, 0.5, 0.45
    nature.look(
        n, 10.0, told["xm"], told["pm"], told["mu"], told["existence"], told["heard"], TABLE, MIDDLES,
        SPREADS, OVER_GROUND, told["wind"], figures, told["nature"], told["learnt"],
    )  # fmt: skip
    return told


def plain_motion(told: dict[str, np.ndarray], t: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the first two models' mixture, of whose numbers the velocities count."""
    mu = np.maximum(told["mu"][t, :2], 1e-12)
    mu, x, p = mu / mu.sum(), told["xm"][t, :2], told["pm"][t, :2]
    mean = np.einsum("a,ai->i", mu, x)
    off = x - mean
    return mean, np.einsum("a,aij->ij", mu, p) + np.einsum("a,ai,aj->ij", mu, off, off)


def test_the_velocity_is_that_of_the_models_that_do_not_stop() -> None:
    told = looked({})
    for t in range(3):
        x, p = np.full(6, np.nan), np.full((6, 6), np.nan)
        nature.under_way(told["xm"][t], told["pm"][t], told["mu"][t], x, p)
        mean, cov = plain_motion(told, t)
        assert x[3:5] == pytest.approx(mean[3:5], rel=1e-9)
        assert p[3:5, 3:5] == pytest.approx(cov[3:5, 3:5], rel=1e-9)


def test_a_body_that_surely_stops_still_has_a_velocity() -> None:
    told, x, p = looked({}), np.zeros(6), np.zeros((6, 6))
    nature.under_way(told["xm"][0], told["pm"][0], np.array([0.0, 0.0, 1.0]), x, p)
    assert x[3:5] == pytest.approx(told["xm"][0, :2, 3:5].mean(axis=0))


POLYNOMIALS, SCIPY = (plain_i0, 1e-9, 1e-15), (special.i0e, 2e-6, 1e-11)
"""A Bessel function, and how near what follows from it is: the kernel's polynomials are exact to 2e-7."""


@pytest.mark.parametrize("wind", [(0.0, 0.0), (3.0, -2.0)])
@pytest.mark.parametrize(("bessel", "rel", "least"), [POLYNOMIALS, SCIPY])
def test_a_look_is_bayes_over_classes_and_speeds(
    wind: tuple[float, float], bessel: Bessel, rel: float, least: float
) -> None:
    before = looked({"heard": np.zeros(3), "wind": np.array(wind)})
    after = looked({"wind": np.array(wind)})
    assert (after["learnt"] == 10.0).all()
    for t in range(3):
        rows = plain_foresee(before["nature"][t], math.exp(-1.0 / 20.0), 1.0 - math.exp(-1.0 / 300.0))
        expected = plain_observe(rows, *plain_motion(before, t), np.array(wind), 2.25, 0.5, bessel)
        assert after["nature"][t] == pytest.approx(expected, rel=rel, abs=least)


@pytest.mark.parametrize(("bessel", "rel", "least"), [POLYNOMIALS, SCIPY])
def test_the_first_lesson_counts_whole(bessel: Bessel, rel: float, least: float) -> None:
    after = looked({"nature": np.zeros((3, *TABLE.shape)), "learnt": np.zeros(3)})
    for t in range(3):
        expected = plain_observe(TABLE / 6.0, *plain_motion(after, t), after["wind"], 2.25, 1.0, bessel)
        assert after["nature"][t] == pytest.approx(expected, rel=rel, abs=least)


@pytest.mark.parametrize("changes", [{"existence": 0.4}, {"heard": 9.0}, {"learnt": 9.7}, {"pm": 300.0}])
def test_of_what_was_not_seen_or_just_learnt_or_is_vague_nothing_is_learnt(changes: dict[str, float]) -> None:
    vague = {"pm": np.tile(300.0 * np.eye(6), (3, 3, 1, 1))}
    told = {name: vague.get(name, np.full(3, value)) for name, value in changes.items()}
    still = looked(told)
    assert (still["nature"] == looked({"heard": np.zeros(3)})["nature"]).all()
    assert (still["learnt"] < 10.0).all()


@given(st.lists(st.tuples(SPEED, SPEED, COVARIANCES), min_size=1, max_size=40), st.floats(0.05, 1.0))
def test_whatever_is_seen_it_stays_a_distribution_that_can_turn(seen: list, share: float) -> None:
    rows, room = np.zeros(TABLE.shape), np.empty((2, len(MIDDLES)))
    nature.begin(TABLE, rows)
    for ve, vn, p in seen:
        x = np.array([0.0, 0.0, 50.0, ve, vn, 0.0])
        nature._observe(x, p, MIDDLES, SPREADS, OVER_GROUND, np.array([1.0, 1.0]), 2.25, share, room, rows)
        assert rows.sum() == pytest.approx(1.0)
        assert rows.min() > 0.0


def plain_looks(pd: float, hits: list[float], share: float, memory: float) -> tuple[float, float]:
    """Record and gap after these looks at one body, each lesson weighed by the chance that it is due."""
    record, gap = 0.0, 0.0
    for hit in hits:
        record, gap = memory * record, memory * gap
        missed = math.log((1.0 - share * pd) / (1.0 - pd))
        record, gap = record + hit * (gap + math.log(share)), (1.0 - hit) * (gap + missed)
    return record, gap


@given(st.floats(0.05, 0.99), st.lists(PROBABILITY, max_size=12), st.floats(0.2, 0.9))
def test_looks_at_a_flickering_body_are_likelihood_ratios(pd: float, hits: list[float], share: float) -> None:
    record, gap = np.zeros(2), np.zeros(2)
    for hit in hits:
        nature.flicker(2, np.array([pd, 0.0]), np.array([hit, hit]), share, 0.9, record, gap)
    assert (record[0], gap[0]) == pytest.approx(plain_looks(pd, hits, share, 0.9), rel=1e-9, abs=1e-9)
    assert record[1] == gap[1] == 0.0  # It could not be seen.


@given(st.lists(st.booleans(), max_size=30))
def test_misses_speak_for_a_faint_body_once_it_is_seen_again(hits: list[bool]) -> None:
    record, gap = np.zeros(1), np.zeros(1)
    for hit in hits:
        nature.flicker(1, np.array([0.9]), np.array([float(hit)]), 0.65, 1.0, record, gap)
    last = max((number for number, hit in enumerate(hits) if hit), default=-1)
    miss, seen = math.log(0.415 / 0.1), math.log(0.65)
    closed = sum(seen if hit else miss for hit in hits[: last + 1])
    assert record[0] == pytest.approx(closed, abs=1e-9)
    assert gap[0] == pytest.approx(miss * (len(hits) - last - 1), abs=1e-9)


RECORDS = st.lists(st.tuples(PROBABILITY, st.floats(-60.0, 60.0)), max_size=60)


@given(RECORDS, st.floats(0.0, 0.9), st.floats(0.1, 50.0))
def test_the_share_of_faint_bodies_is_that_of_em(told: list, prior: float, bodies: float) -> None:
    existence, record = (np.array([row[k] for row in told]) for k in (0, 1))
    odds = nature.faint_odds(len(told), existence, 0.95, record, prior, bodies)
    ratios = np.exp(np.clip(record[existence >= 0.95], -20.0, 20.0))
    share = prior
    for _ in range(3):
        faint = share * ratios / (share * ratios + 1.0 - share)
        share = (bodies * prior + faint.sum()) / (bodies + len(ratios))
    assert odds == pytest.approx(share / (1.0 - share), rel=1e-9)


@pytest.mark.parametrize("true", [0.0, 0.3, 0.8])
def test_the_share_of_faint_bodies_is_found(true: float) -> None:
    rng = np.random.default_rng(7)
    n, looks, pd, share = 200, 40, 0.9, 0.65
    faint = rng.random(n) < true
    record, gap = np.zeros(n), np.zeros(n)
    for _ in range(looks):
        hit = (rng.random(n) < np.where(faint, share * pd, pd)).astype(float)
        nature.flicker(n, np.full(n, pd), hit, share, 0.97, record, gap)
    odds = nature.faint_odds(n, np.ones(n), 0.95, record, 0.03, 5.0)
    assert odds / (1.0 + odds) == pytest.approx(faint.mean(), abs=0.04)


@given(PROBABILITY, st.floats(0.1, 0.9), st.floats(0.0, 0.9), st.floats(-60.0, 60.0))
def test_a_faint_body_is_expected_less(pd: float, share: float, prior: float, record: float) -> None:
    out = np.empty(1)
    nature.dim(1, np.array([pd]), share, prior / (1.0 - prior), np.array([record]), out)
    ratio = math.exp(min(max(record, -20.0), 20.0))
    faint = prior * ratio / (prior * ratio + 1.0 - prior)
    assert out[0] == pytest.approx((1.0 - faint) * pd + faint * share * pd, rel=1e-9)


@given(PROBABILITY, PROBABILITY, PROBABILITY, PROBABILITY)
def test_a_voice_goes_its_way_up_and_down(emits: float, voice: float, rise: float, fall: float) -> None:
    voices = np.array([voice, voice, nature.UNHEARD, nature.UNHEARD])
    visible = np.array([True, False, True, False])
    nature.hark(4, visible, np.full(4, emits), rise, fall, voices)
    expected = voice + (rise if emits > voice else fall) * (emits - voice)
    assert voices == pytest.approx([expected, voice, emits, nature.UNHEARD], rel=1e-9)


def test_the_probability_of_a_class_is_the_sum_of_its_speeds() -> None:
    told = looked({})
    told["nature"][1] = 0.0
    out = np.empty((3, len(CLASSES)))
    nature.masses(
        3,
        told["xm"],
        told["pm"],
        told["mu"],
        TABLE,
        MIDDLES,
        SPREADS,
        OVER_GROUND,
        told["wind"],
        2.25,
        told["nature"],
        out,
    )
    fresh = plain_observe(TABLE / 6.0, *plain_motion(told, 1), told["wind"], 2.25, 1.0, plain_i0)
    for t, rows in enumerate((told["nature"][0], fresh, told["nature"][2])):
        assert out[t] == pytest.approx(rows.sum(axis=1), rel=1e-9)


def test_the_settings_have_the_memory_that_they_name() -> None:
    settings = FuseSettings()
    assert settings.voice_rise_s < settings.voice_fall_s < settings.nature_memory_s
