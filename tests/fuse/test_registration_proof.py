"""What a second of comparison is worth, and what has to be proved before a sensor is corrected."""

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.fuse import FuseSettings, Tracker
from vedette.fuse.kernels import tempering
from vedette.fuse.kernels.swing import CELLS
from vedette.fuse.registration.findings import figures_of, priors
from vedette.fuse.registration.registers import Register, Registers, Trial
from vedette.fuse.registration.registration import Registrar
from vedette.model import Bearing, Detection, RangeBearing, SensorProfile, Sigma

SEED = st.integers(0, 2**32 - 1)
DEFAULTS = FuseSettings()
DEG = math.pi / 180.0


def spd(rng: np.random.Generator, m: int) -> np.ndarray:
    half = rng.normal(size=(m, 2 * m))
    return half @ half.T / (2 * m)


@given(SEED, st.integers(1, 10))
@settings(max_examples=60, deadline=None)
def test_an_inverse_is_one(seed: int, m: int) -> None:
    a = spd(np.random.default_rng(seed), m)
    out = np.empty((m, m))
    assert tempering.inverted(a, out)
    scale = np.abs(np.linalg.inv(a)).max()
    np.testing.assert_allclose(out, np.linalg.inv(a), rtol=1e-9, atol=1e-9 * scale)
    assert (out == out.T).all()


def test_what_is_no_covariance_has_no_inverse() -> None:
    for wrong in ([[1.0, 2.0], [2.0, 1.0]], [[0.0, 0.0], [0.0, 1.0]], [[math.nan, 0.0], [0.0, 1.0]]):
        assert not tempering.inverted(np.array(wrong), np.empty((2, 2)))


@given(SEED, st.integers(1, 8), st.floats(0.05, 1.0))
@settings(max_examples=60, deadline=None)
def test_a_second_counts_for_a_share_of_its_information(seed: int, m: int, share: float) -> None:
    """Against Bayes' rule with plain numpy: rows that measure the figures, their information times the
    share."""
    rng = np.random.default_rng(seed)
    known, before = spd(rng, m), rng.normal(size=m)
    rows, z = rng.normal(size=(m, m)), rng.normal(size=m)
    information, vector = rows.T @ rows, rows.T @ z
    cov = np.linalg.inv(np.linalg.inv(known) + information)
    mean = cov @ (np.linalg.inv(known) @ before + vector)
    score, gain = np.empty(m), np.empty((m, m))
    assert tempering.temper(before, known, mean, cov, share, score, gain)
    after = np.linalg.inv(np.linalg.inv(known) + share * information)
    expected = after @ (np.linalg.inv(known) @ before + share * vector)
    # Two inverses and their difference: relative to the largest of them, not to what is left.
    size = np.linalg.cond(known) * np.linalg.norm(np.linalg.inv(known) + information)
    np.testing.assert_allclose(gain, share * information, rtol=1e-9, atol=1e-9 * size)
    np.testing.assert_allclose(score, share * vector, rtol=1e-9, atol=1e-9 * size)
    np.testing.assert_allclose(cov, after, rtol=1e-9, atol=1e-9 * np.abs(after).max() * np.linalg.cond(known))
    np.testing.assert_allclose(mean, expected, rtol=1e-7, atol=1e-9 * size)


@given(SEED, st.integers(1, 8))
@settings(max_examples=60, deadline=None)
def test_proof_is_the_ratio_of_likelihoods(seed: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    rows, z, believed = rng.normal(size=(m + 2, m)), rng.normal(size=m + 2), rng.normal(size=m)
    ratio = np.empty(m)
    tempering.evidence(rows.T @ z, rows.T @ rows, believed, ratio)

    def log(figures: np.ndarray) -> float:
        return float(-0.5 * ((z - rows @ figures) ** 2).sum())

    for i in range(m):
        zero = believed.copy()
        zero[i] = 0.0
        assert ratio[i] == pytest.approx(log(believed) - log(zero), rel=1e-9, abs=1e-9)


# What a sensor must show before it is corrected ----------------------------------------------------


def judged(number: int, second: float = 50.0, off: float = 4.0, **changes: Any) -> Register:
    """The first of so many sensors, which is turned, as it is judged."""
    wide, _ = priors(DEFAULTS, number)
    mean = np.zeros(2 * number)
    mean[0] = off * DEG
    cov = np.diag(np.minimum(wide, np.tile([(0.2 * DEG) ** 2, 0.02**2], number)))
    trial = Trial(off * DEG, 20.0, 9.0)
    first = Register("s0", (0.0, 0.0, 0.0), 100.0, ("a", "b", "c"), azimuth=trial)
    others = [Register(f"s{o}", (0.0, 0.0, 0.0), 100.0, ("a", "b", "c")) for o in range(1, number)]
    first = msgspec.structs.replace(first, **changes)
    registers = Registers(second, (first, *others), mean, cov, np.zeros((number, CELLS)))
    found = figures_of(mean, cov, priors(DEFAULTS, len(mean) // 2))
    return Registrar(DEFAULTS)._judged(first, 0, found, registers)


def test_what_lasted_and_was_proved_is_corrected() -> None:
    assert judged(3).turned == pytest.approx(4.0 * DEG, abs=0.1 * DEG)


@pytest.mark.parametrize(
    "changes",
    [
        {"azimuth": Trial(4.0 * DEG, 41.0, 9.0)},
        {"azimuth": Trial(4.0 * DEG, 20.0, 4.9)},
        {"azimuth": Trial(-4.0 * DEG, 20.0, 9.0)},
        {"compared": 39.0},
        {"bodies": ("a",)},
    ],
)
def test_what_is_young_or_unproved_or_seen_by_few_is_not(changes: dict[str, Any]) -> None:
    assert judged(3, **changes).turned == 0.0


def test_a_correction_ends_as_soon_as_half_of_its_proof_is_gone() -> None:
    assert judged(3, turned=4.0 * DEG, azimuth=Trial(4.0 * DEG, 20.0, 2.6)).turned != 0.0
    assert judged(3, turned=4.0 * DEG, azimuth=Trial(4.0 * DEG, 20.0, 2.4)).turned == 0.0


def test_a_radar_needs_two_other_sensors_and_more_proof() -> None:
    strong = {"leads": True, "azimuth": Trial(4.0 * DEG, 20.0, 10.1)}
    assert judged(3, **strong).turned != 0.0
    assert judged(2, **strong).turned == 0.0
    assert judged(3, **strong, bodies=("a", "b")).turned == 0.0
    assert judged(3, leads=True).turned == 0.0


# Birds, which only a radar sees --------------------------------------------------------------------

_FINDERS = {"one": (-2500.0, -2500.0, 2.0), "two": (2500.0, -2500.0, 0.5)}


def _profile(world: Any, name: str) -> SensorProfile:
    e, n, _ = _FINDERS.get(name, (0.0, 0.0, 0.0))
    lat, lon, alt = world.frame.to_geodetic(e, n, 5.0)
    return SensorProfile(
        id=name, type="radar-3d" if name == "radar" else "direction-finder", lat_deg=lat, lon_deg=lon,
        alt_m=alt, alt_datum="wgs84-ellipsoid", period_s=1.0, detection_probability=0.9, clutter_per_scan=5.0,
        range_m=(50.0, 8000.0),
    )  # fmt: skip


def _sky(world: Any, seed: int, seconds: int) -> list[Detection]:
    """Six drones that send and 40 birds that do not, seen by a radar; the finders hear the drones."""
    rng, found = np.random.default_rng(seed), []
    place = rng.uniform(-2300.0, 2300.0, (46, 2))
    way = rng.uniform(0.0, 2.0 * math.pi, 46)
    velocity = np.stack([np.sin(way), np.cos(way)], 1) * rng.uniform(8.0, 18.0, (46, 1))
    for second in range(seconds):
        for name, phase in (("radar", 0.0), ("one", 0.3), ("two", 0.6)):
            stamp, now = world.start + second + phase, place + (second + phase) * velocity
            e, n, sigma = _FINDERS.get(name, (0.0, 0.0, 0.5))
            for body in range(46 if name == "radar" else 6):
                if rng.random() > (0.9 if body < 6 else 0.6):
                    continue
                d = now[body] - (e, n)
                azimuth = math.degrees(math.atan2(d[0], d[1])) + rng.normal(0.0, sigma)
                azimuth = (azimuth + 180.0) % 360.0 - 180.0
                measure: Any = Bearing(azimuth_deg=azimuth)
                if name == "radar":
                    distance = math.hypot(d[0], d[1], 75.0)
                    raised = math.degrees(math.asin(75.0 / distance)) + rng.normal(0.0, 0.5)
                    distance += rng.normal(0.0, 5.0)
                    measure = RangeBearing(range_m=distance, azimuth_deg=azimuth, elevation_deg=raised)
                some = Sigma(range_m=5.0, azimuth_deg=sigma, elevation_deg=1.0)
                found.append(Detection(time=stamp, sensor=name, measure=measure, sigma=some, scan=second))
    return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_birds_that_no_finder_hears_turn_no_sensor(world: Any, seed: int) -> None:
    tracker = Tracker(world.site, tuple(_profile(world, name) for name in ("radar", *_FINDERS)), DEFAULTS)
    groups: dict[tuple[float, str], list[Detection]] = {}
    for detection in _sky(world, seed, 40):
        groups.setdefault((detection.time, detection.sensor), []).append(detection)
    told = []
    for (time, _), batch in sorted(groups.items()):
        tracker.add(batch, time)
        told += tracker.registrations()
    assert not any(one.azimuth_corrected or one.clock_corrected or one.astray for one in told)
    assert max(abs(one.azimuth_bias_deg) / one.azimuth_sigma_deg for one in told) < 3.0
    assert max(one.compared for one in told) > 40


def test_what_is_farther_off_is_corrected_first() -> None:
    """While a radar is turned that nobody may correct yet, the finders may only seem to be turned."""
    wide, _ = priors(DEFAULTS, 4)
    mean = np.zeros(8)
    mean[0], mean[2] = 2.0 * DEG, -7.0 * DEG
    cov = np.diag(np.minimum(wide, np.tile([(0.2 * DEG) ** 2, 0.02**2], 4)))
    trial = Trial(2.0 * DEG, 20.0, 9.0)
    for corrected in (0.0, -7.0 * DEG):
        sensors = [Register(f"s{o}", (0.0, 0.0, 0.0), 100.0, ("a", "b", "c")) for o in range(4)]
        sensors[0] = msgspec.structs.replace(sensors[0], azimuth=trial)
        sensors[1] = msgspec.structs.replace(sensors[1], leads=True, turned=corrected)
        registers = Registers(50.0, tuple(sensors), mean, cov, np.zeros((4, CELLS)))
        found = figures_of(mean, cov, priors(DEFAULTS, len(sensors)))
        first = Registrar(DEFAULTS)._judged(sensors[0], 0, found, registers)
        assert (first.turned != 0.0) == (corrected != 0.0)
