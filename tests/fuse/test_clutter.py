"""False plots learnt cell by cell: sensors that lie about them, hot cells, and bodies that cross these."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from vedette.fuse import FuseSettings, Tracker
from vedette.fuse.kernels import clutter
from vedette.fuse.kernels.clutter import AZIMUTHS, CELLS, RANGES
from vedette.fuse.kernels.sight import BEARING, PLACE, POLAR
from vedette.fuse.sensing.clutter import MANY, Found, Maps, grid_of, stated_count, weights_of
from vedette.fuse.sensing.sensors import Sensor, sensor_of
from vedette.geo import LocalFrame
from vedette.model import Detection, EmptyScan, RangeBearing, SensorProfile, Sigma
from vedette.model.site import ClutterRegion

SETTINGS = FuseSettings()


def sensor(world, **profile) -> Sensor:
    whole = structs.replace(world.radar, **profile)
    return sensor_of(whole, world.site, LocalFrame(40.4, -3.7, 650.0), SETTINGS)


# --- grids


@pytest.mark.parametrize(
    "region",
    [
        None,
        ClutterRegion(range_m=(100.0, 3000.0)),
        ClutterRegion(range_m=(100.0, 3000.0), azimuth_deg=(330.0, 50.0)),
    ],
)
def test_what_is_stated_for_the_cells_of_a_radar_is_what_it_states(
    world, region: ClutterRegion | None
) -> None:
    one = sensor(world, clutter_per_scan=40.0, clutter_region=region)
    expected = grid_of(one, POLAR, SETTINGS).expected
    assert (expected > 0.0).all()
    # Where none are stated there may be a few, in a world that is larger than the region.
    assert 40.0 * 0.999 <= float(expected.sum()) <= 40.0 * 1.5


def test_where_a_region_runs_through_north_its_cells_do(world) -> None:
    region = ClutterRegion(azimuth_deg=(315.0, 45.0))
    one = sensor(world, clutter_per_scan=40.0, clutter_region=region)
    table = grid_of(one, POLAR, SETTINGS).expected.reshape(AZIMUTHS, RANGES)
    rows = table.sum(axis=1)
    eighth = AZIMUTHS // 8
    inside = np.r_[rows[:eighth], rows[-eighth:]]
    assert inside.min() > 10.0 * rows[eighth : AZIMUTHS - eighth].max()


def test_bearings_and_places_have_cells_too(world) -> None:
    finder = sensor(world, type="direction-finder", clutter_per_scan=8.0)
    table = grid_of(finder, BEARING, SETTINGS).expected.reshape(AZIMUTHS, RANGES)
    assert table[:, 0] == pytest.approx([8.0 / AZIMUTHS] * AZIMUTHS)
    assert not table[:, 1:].any()
    camera = sensor(world, type="camera", clutter_per_scan=9.0, range_m=(0.0, 2000.0))
    assert grid_of(camera, PLACE, SETTINGS).expected.sum() == pytest.approx(9.0, rel=1e-6)


def test_a_plot_falls_into_the_cell_of_its_place(world) -> None:
    one, maps = sensor(world), Maps(SETTINGS)
    reach = grid_of(one, POLAR, SETTINGS).reach_m
    z = np.zeros((4, 6))
    z[:, 0] = 10.0, reach * 0.999, 10 * reach, reach / RANGES * 1.5
    z[:, 1] = 0.001, -0.001, 0.001, math.pi / 2 + 1e-6
    cells = maps.cells(one, POLAR, z)
    last = AZIMUTHS - 1
    assert cells.tolist() == [0, last * RANGES + RANGES - 1, RANGES - 1, AZIMUTHS // 4 * RANGES + 1]
    places = np.zeros((1, 6))
    places[0, :2] = reach / RANGES * 1.5, 1.0
    assert maps.cells(one, PLACE, places).tolist() == [(AZIMUTHS // 4 - 1) * RANGES + 1]
    bearing = np.zeros((1, 6))
    bearing[0, 0] = -1e-3
    assert maps.cells(one, BEARING, bearing).tolist() == [last * RANGES]


# --- kernels against plain numpy


def numpy_multiples(found: Found, expected: np.ndarray, weights: np.ndarray, cells: np.ndarray) -> np.ndarray:
    from scipy.special import gammaln

    prior, own, least, most = weights
    whole = (prior + found.counts.sum()) / (prior + found.looks * expected.sum())
    n, usual = found.counts[cells], found.looks * expected[cells] * whole
    calm = (own + n) / (own + usual)
    hot = n / ((found.looks + 5.0) * expected[cells] * whole)
    log_calm = n * np.log(np.maximum(usual, 1e-12)) - usual - gammaln(n + 1)
    log_hot = -np.log(math.log(1000.0) * (n + 1))
    odds = 0.02 / 0.98 * np.exp(np.minimum(log_hot - log_calm, 200.0))
    mixed = np.where(hot > calm, (calm + odds * hot) / (1 + odds), calm)
    return np.clip(whole * mixed, least, most)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.floats(0.0, 500.0), st.floats(0.0, 60.0))
def test_the_kernel_is_the_mathematics(world, seed: int, looks: float, scale: float) -> None:
    rng = np.random.default_rng(seed)
    grid = grid_of(sensor(world, clutter_per_scan=20.0), POLAR, SETTINGS)
    found = Found(0.0, looks, rng.gamma(0.3, scale + 1e-9, CELLS))
    weights, cells = weights_of(grid, SETTINGS), rng.integers(0, CELLS, 50)
    out = np.empty(50)
    clutter.multiples(found.looks, found.counts, grid.expected, weights, cells, out)
    np.testing.assert_allclose(out, numpy_multiples(found, grid.expected, weights, cells), rtol=1e-9)
    assert (out >= SETTINGS.clutter_multiple[0]).all()
    assert (out <= SETTINGS.clutter_multiple[1]).all()


def test_counts_fade_and_looks_with_them(world) -> None:
    one, maps = sensor(world), Maps(SETTINGS)
    cells, false = np.array([3, 3, 9]), np.array([0.5, 1.0, 0.25])
    first = maps.after(None, one, 100.0, cells, false)
    assert (first.time, first.looks, first.counts[3], first.counts[9]) == (100.0, 1.0, 1.5, 0.25)
    kept = math.exp(-30.0 / SETTINGS.clutter_memory_s)
    second = maps.after(first, one, 130.0, cells[:1], false[:1])
    assert second.looks == pytest.approx(kept + 1.0)
    assert second.counts[3] == pytest.approx(1.5 * kept + 0.5)
    part = maps.after(second, one, 130.25, cells[:0], false[:0])
    assert part.looks == pytest.approx(second.looks + 0.25, rel=0.01)
    assert first.counts[3] == 1.5


def test_the_truth_is_learnt_in_the_long_run(world) -> None:
    """Counts drawn with known multiples: the kernel finds them."""
    rng = np.random.default_rng(2)
    one = sensor(world, clutter_per_scan=50.0)
    grid, maps = grid_of(one, POLAR, SETTINGS), Maps(SETTINGS)
    true = np.full(CELLS, 3.0)
    true[17] = 90.0
    found = None
    for t in range(400):
        counts = rng.poisson(grid.expected * true)
        cells = np.repeat(np.arange(CELLS), counts)
        found = maps.after(found, one, float(t), cells, np.ones(len(cells)))
    usual = maps.multiples(found, one, POLAR, np.arange(CELLS))
    assert float(np.average(usual, weights=grid.expected)) == pytest.approx(3.0, rel=0.15)
    assert usual[17] == pytest.approx(90.0, rel=0.3)


def test_young_tracks_in_a_crowd_are_doubted_and_old_ones_are_not() -> None:
    cells = np.array([4] * 6 + [5, 5])
    hit, best = np.ones(4), np.array([0, 1, 6, -1])
    false = np.zeros(8)
    assert clutter.crowded(cells, MANY)
    assert not clutter.crowded(cells[4:], MANY)
    clutter.disbelieve(cells, MANY, hit, best, np.array([0.0, 100.0, 0.0, 0.0]), 10.0, false)
    assert false[0] == pytest.approx(1.0 - (MANY - 1.0) / 6.0)
    assert false[1] < 1e-4
    assert false[2:].tolist() == [0.0] * 6


def test_what_is_stated_is_never_nothing(world) -> None:
    silent = sensor(world, clutter_per_scan=0.0)
    assert stated_count(silent, POLAR, SETTINGS) == SETTINGS.least_clutter_per_scan
    assert stated_count(silent, BEARING, SETTINGS) == SETTINGS.bearing_clutter_per_scan


# --- as the tracker does it


class Radar:
    """Scans with false plots, some in a hot patch, and perhaps a drone."""

    def __init__(self, world, stated: float, true: float, hot: float, seed: int = 1) -> None:
        self.profile: SensorProfile = structs.replace(
            world.radar, clutter_per_scan=stated, range_m=(50.0, 5000.0), elevation_deg=(-2.0, 30.0),
            range_rate_mps=(-50.0, 50.0),
        )  # fmt: skip
        self.true, self.hot, self.start = true, hot, world.start
        self.rng = np.random.default_rng(seed)

    def _plot(self, t: int, reach: float, azimuth: float, rise: float, rate: float) -> Detection:
        return Detection(
            time=self.start + t, sensor="radar", scan=t,
            measure=RangeBearing(
                range_m=max(reach, 1.0), azimuth_deg=math.degrees(azimuth) % 360.0,
                elevation_deg=math.degrees(rise), range_rate_mps=rate,
            ),
            sigma=Sigma(range_m=5.0, azimuth_deg=0.5, elevation_deg=1.0, range_rate_mps=0.5),
        )  # fmt: skip

    def scan(self, t: int, drone: np.ndarray | None, velocity: np.ndarray | None) -> list[Detection]:
        uniform, gauss, plots = self.rng.uniform, self.rng.normal, []
        for _ in range(self.rng.poisson(self.true)):
            plots.append(
                self._plot(t, uniform(50, 5000), uniform(-3.14, 3.14), uniform(-0.03, 0.5), uniform(-50, 50))
            )
        for _ in range(self.rng.poisson(self.hot)):
            plots.append(
                self._plot(t, uniform(2000, 2400), uniform(0.5, 0.7), uniform(-0.03, 0.5), uniform(-50, 50))
            )
        if drone is not None and velocity is not None and self.rng.random() < 0.9:
            reach = float(np.linalg.norm(drone))
            plots.append(
                self._plot(
                    t,
                    reach + gauss(0, 5),
                    math.atan2(drone[0], drone[1]) + gauss(0, math.radians(0.5)),
                    math.asin(drone[2] / reach) + gauss(0, math.radians(1.0)),
                    float(drone @ velocity / reach + gauss(0, 0.5)),
                )
            )
        return plots or [Detection(time=self.start + t, sensor="radar", scan=t, measure=EmptyScan())]

    def run(self, tracker: Tracker, seconds: int, drone: bool = False) -> tuple[list[int], list[bool]]:
        """False tracks after each scan, and whether the drone is tracked."""
        false, held = [], []
        velocity = np.array([15.0, -10.0, 0.0])
        for t in range(seconds):
            place = np.array([700.0, 2100.0, 100.0]) + t * velocity
            at = self.start + t + 0.05
            tracker.add(self.scan(t, place if drone else None, velocity), at)
            tracks = tracker.frame(at).tracks
            near = [k for k in tracks if drone and math.dist(k.enu_m, place + np.array([0, 0, 2.0])) < 150.0]
            false.append(len(tracks) - len(near))
            held.append(bool(near))
        return false, held


UNLEARNT = FuseSettings(clutter_multiple=(0.999, 1.001))


def test_a_hot_cell_stops_making_tracks_within_ten_scans_and_a_drone_crosses_it(world) -> None:
    learning, plain = ({}, {})
    for name, chosen, out in (("new", SETTINGS, learning), ("old", UNLEARNT, plain)):
        radar = Radar(world, 10.0, 10.0, 15.0)
        out["false"], out["held"] = radar.run(Tracker(world.site, (radar.profile,), chosen), 40, drone=True)
        assert sum(out["held"]) > 34, name
    assert sum(plain["false"][10:]) > 60
    assert sum(learning["false"][10:]) <= 3


@pytest.mark.parametrize(("stated", "true"), [(10.0, 100.0), (1.0, 10.0), (100.0, 10.0)])
def test_a_sensor_may_be_wrong_about_its_false_plots_by_ten(world, stated: float, true: float) -> None:
    radar = Radar(world, stated, true, 0.0)
    false, held = radar.run(Tracker(world.site, (radar.profile,)), 40, drone=True)
    assert sum(false[10:]) <= 2
    assert sum(held) >= 37
    assert min(t for t, seen in enumerate(held) if seen) <= 3


def test_what_was_learnt_is_in_the_state(world) -> None:
    radar = Radar(world, 10.0, 30.0, 15.0)
    scans = [radar.scan(t, None, None) for t in range(20)]
    whole = Tracker(world.site, (radar.profile,))
    for t, scan in enumerate(scans[:12]):
        whole.add(scan, world.start + t + 0.05)
    other = Tracker.restore(world.site, (radar.profile,), SETTINGS, whole.state())
    counts = other._bodies.head.clutter["0radar"].counts
    assert float(counts.sum()) > 100.0
    for tracker in (whole, other):
        for t, scan in enumerate(scans[12:], 12):
            tracker.add(scan, world.start + t + 0.05)
    assert whole.state() == other.state()
