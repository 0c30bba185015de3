"""What a sensor sees of a body whose place is no point: soft limits, ground that hides, misses remembered."""

import math
import random
from collections.abc import Iterator

import fuse_ground_reference as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from vedette import geo, terrain
from vedette.fuse import FuseSettings, Ground, Tracker, ground_of
from vedette.fuse.kernels import coverage, kalman
from vedette.fuse.kernels.sight import PLACE, POLAR
from vedette.fuse.sensing.coverage import covered, plots_in_view
from vedette.fuse.sensing.sensors import Sensor, sensor_of
from vedette.model import (
    ConfigError,
    Detection,
    EmptyScan,
    InputError,
    RangeBearing,
    SensorProfile,
    Sigma,
    Site,
    Track,
)
from vedette.terrain import LocalGrid

SETTINGS = FuseSettings()
LAT, LON = 40.4, -3.7
Place = tuple[float, float, float]
Hills = tuple[Site, Ground, terrain.Elevation]


def ridge(relief_m: float = 150.0, voids: int = 0) -> tuple[Site, Ground, terrain.Elevation]:
    """A site two kilometres south of a crest that runs from west to east."""
    model = terrain.synthesize(
        "ridge", seed=8, lat_deg=LAT + 0.018, lon_deg=LON, half_extent_m=9000.0, relief_m=relief_m,
        void_patches=voids,
    )  # fmt: skip
    alt = terrain.height_at(model, LAT, LON)
    assert alt is not None
    site = Site(name="ridge", lat_deg=LAT, lon_deg=LON, alt_m=alt, alt_datum="egm96")
    return site, ground_of(model, site, (radar_of(site),)), model


def radar_of(site: Site, **profile: object) -> SensorProfile:
    """A radar on a mast of 10 m at the site."""
    return SensorProfile(
        **{
            "id": "radar", "type": "radar-3d", "lat_deg": site.lat_deg, "lon_deg": site.lon_deg,
            "alt_m": site.alt_m + 10.0, "alt_datum": site.alt_datum, "period_s": 1.0,
            "detection_probability": 0.9, "clutter_per_scan": 5.0, "range_m": (50.0, 6000.0),
            "range_rate_mps": (-60.0, 60.0), **profile,
        }  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture(scope="module")
def hills() -> tuple[Site, Ground, terrain.Elevation]:
    return ridge()


def sensor(site: Site, ground: Ground | None = None, **profile: object) -> Sensor:
    frame = geo.LocalFrame(site.lat_deg, site.lon_deg, site.alt_m)
    return sensor_of(radar_of(site, **profile), site, frame, SETTINGS, ground=ground)


def bodies(places: list[Place], sigma: Place = (0.01, 0.01, 0.01)) -> tuple[np.ndarray, ...]:
    """One model each, at rest."""
    n = len(places)
    x, p = np.zeros((n, 1, 6)), np.zeros((n, 1, 6, 6))
    x[:, 0, :3] = places
    p[:, 0] = np.diag([v * v for v in (*sigma, 1.0, 1.0, 1.0)])
    return x, p, np.ones((n, 1))


# --- limits


LIMITED = {"azimuth_deg": (300.0, 60.0), "elevation_deg": (1.0, 40.0), "range_m": (200.0, 4000.0)}


@settings(max_examples=150, deadline=None)
@given(
    st.floats(-6000, 6000),
    st.floats(-6000, 6000),
    st.floats(-50, 3000),
    st.floats(-70, 70),
    st.floats(-70, 70),
)
def test_where_a_body_is_for_sure_the_limits_are_steps(
    e: float, n: float, u: float, ve: float, vn: float
) -> None:
    """Against the kernel that asks a point, away from the edges."""
    site = Site(name="s", lat_deg=LAT, lon_deg=LON, alt_m=0.0, alt_datum="wgs84-ellipsoid")
    one = sensor(site, **LIMITED)
    x, p, mu = bodies([(e, n, u)], (1e-6, 1e-6, 1e-6))
    x[0, 0, 3:5] = ve, vn
    seen = np.zeros(1, np.bool_)
    assert one.origin is not None
    assert one.rotation is not None
    kalman.in_view(1, x[:, 0], one.origin, one.rotation, one.limits, seen)
    view = covered(one, x, p, mu, SETTINGS).view[0]
    if abs(view - 0.5) < 0.499:
        return
    assert view == pytest.approx(float(seen[0]), abs=1e-9)


def monte_carlo(place: Place, covariance: np.ndarray, inside: object, samples: int = 200_000) -> float:
    points = np.random.default_rng(1).multivariate_normal(place, covariance, samples)
    return float(np.mean(inside(points)))  # type: ignore[operator]


@pytest.mark.parametrize("distance", [3600.0, 3900.0, 4000.0, 4050.0, 4300.0])
def test_at_the_farthest_range_the_share_is_that_of_the_place(distance: float) -> None:
    site = Site(name="s", lat_deg=LAT, lon_deg=LON, alt_m=0.0, alt_datum="wgs84-ellipsoid")
    one = sensor(site, range_m=(0.0, 4000.0))
    place = (distance * 0.6, distance * 0.8, 100.0)
    covariance = np.array([[9000.0, 2000.0, 0.0], [2000.0, 5000.0, 0.0], [0.0, 0.0, 400.0]])
    x, p, mu = bodies([place])
    p[0, 0, :3, :3] = covariance
    found = covered(one, x, p, mu, SETTINGS).view[0]
    exact = monte_carlo(place, covariance, lambda v: np.linalg.norm(v - [0, 0, 10.0], axis=1) < 4000.0)
    assert found == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("azimuth", [40.0, 55.0, 60.0, 70.0, 300.0, 290.0, 0.0, 180.0])
def test_at_the_edge_of_a_sector_through_north_the_share_is_that_of_the_place(azimuth: float) -> None:
    site = Site(name="s", lat_deg=LAT, lon_deg=LON, alt_m=0.0, alt_datum="wgs84-ellipsoid")
    one = sensor(site, azimuth_deg=(300.0, 60.0))
    a = math.radians(azimuth)
    place = (1000.0 * math.sin(a), 1000.0 * math.cos(a), 10.0)
    covariance = np.diag([150.0**2, 150.0**2, 1.0])
    x, p, mu = bodies([place], (150.0, 150.0, 1.0))
    found = covered(one, x, p, mu, SETTINGS).view[0]

    def inside(v: np.ndarray) -> np.ndarray:
        turned = np.degrees(np.arctan2(v[:, 0], v[:, 1]))
        return (turned > -60.0) & (turned < 60.0)

    assert found == pytest.approx(monte_carlo(place, covariance, inside), abs=0.02)


def test_the_spread_of_models_counts() -> None:
    """Two models far apart, one inside: half of the body is."""
    site = Site(name="s", lat_deg=LAT, lon_deg=LON, alt_m=0.0, alt_datum="wgs84-ellipsoid")
    one = sensor(site, range_m=(0.0, 4000.0))
    x, p = np.zeros((1, 2, 6)), np.tile(np.eye(6), (1, 2, 1, 1))
    x[0, :, 1] = 3900.0, 4100.0
    assert covered(one, x, p, np.array([[0.5, 0.5]]), SETTINGS).view[0] == pytest.approx(0.5, abs=0.03)


def test_a_sensor_without_a_place_sees_all() -> None:
    site = Site(name="s", lat_deg=LAT, lon_deg=LON, alt_m=0.0, alt_datum="wgs84-ellipsoid")
    one = structs.replace(sensor(site), origin=None, rotation=None)
    here = covered(one, *bodies([(1e5, 0.0, 0.0)]), SETTINGS)
    assert (here.view.tolist(), here.sure.tolist()) == ([1.0], [1.0])


# --- ground


def test_for_a_body_at_a_point_the_ground_is_the_mask(hills: Hills) -> None:
    site, ground, _ = hills
    one = sensor(site, ground)
    assert one.mask is not None
    rng = np.random.default_rng(3)
    places = [tuple(v) for v in rng.uniform((-4000, -4000, -20), (4000, 4000, 400), (400, 3)).tolist()]
    x, p, mu = bodies(places)
    here = covered(one, x, p, mu, structs.replace(SETTINGS, terrain_sigma_m=1e-6))
    states = one.mask.states(places)
    distant = np.linalg.norm(np.array(places), axis=1) > 60.0
    assert {0, 1} <= set(states.tolist())
    assert here.sure[distant] == pytest.approx((states[distant] == 1).astype(float), abs=1e-12)


def test_near_the_edge_of_the_ground_a_body_is_seen_in_part(
    hills: Hills,
) -> None:
    site, ground, _ = hills
    one = sensor(site, ground)
    assert one.mask is not None
    heights = np.arange(0.0, 500.0, 1.0)
    states = one.mask.states([(0.0, 3000.0, h) for h in heights])
    edge = float(heights[states == 1][0])
    shares = covered(one, *bodies([(0.0, 3000.0, edge + d) for d in (-30, -8, 0, 8, 30)]), SETTINGS).view
    assert (np.diff(shares) > 0.0).all()
    assert shares[2] == pytest.approx(0.5, abs=0.06)
    assert shares[0] < 0.01
    assert shares[4] > 0.99
    vague = covered(one, *bodies([(0.0, 3000.0, edge + 30.0)], (10.0, 10.0, 60.0)), SETTINGS).view[0]
    assert 0.55 < vague < 0.95


def test_what_a_void_hides_is_not_known_and_a_miss_there_means_nothing() -> None:
    site, ground, _ = ridge(relief_m=0.0)
    heights = ground.grid.heights_m.copy()
    middle = heights.shape[0] // 2
    heights[middle + 40 : middle + 50, :] = np.nan
    holed = Ground(structs.replace(ground.grid, heights_m=heights))
    one = sensor(site, holed)
    here = covered(
        one, *bodies([(0.0, 800.0, 100.0), (0.0, 3000.0, 100.0), (0.0, 20_000.0, 3000.0)]), SETTINGS
    )
    assert here.view[:2] == pytest.approx([1.0, 1.0])
    assert here.sure[0] == pytest.approx(1.0)
    assert here.sure[1] == 0.0


def test_plots_behind_a_hill_are_seldom_new_bodies(hills: Hills) -> None:
    site, ground, _ = hills
    one = sensor(site, ground)
    degree = math.pi / 180.0
    z = np.array([[3000.0, 0.0, 0.5 * degree, 0, 0, 0], [3000.0, 0.0, 12.0 * degree, 0, 0, 0]])
    var, use = np.full((2, 6), (0.5 * degree) ** 2), np.ones((2, 6), np.bool_)
    assert plots_in_view(one, POLAR, z, var, use, SETTINGS) == pytest.approx([0.0, 1.0], abs=0.01)
    places = np.array([[0.0, 3000.0, 20.0, 0, 0, 0], [0.0, 3000.0, 400.0, 0, 0, 0]])
    found = plots_in_view(one, PLACE, places, np.full((2, 6), 25.0), use, SETTINGS)
    assert found == pytest.approx([0.0, 1.0], abs=0.01)
    flat = np.zeros((2, 6), np.bool_)
    assert plots_in_view(one, POLAR, z, var, flat, SETTINGS).tolist() == [1.0, 1.0]
    assert plots_in_view(sensor(site), POLAR, z, var, use, SETTINGS).tolist() == [1.0, 1.0]


# --- kernels against plain numpy


def numpy_share(
    x: np.ndarray, p: np.ndarray, mu: np.ndarray, one: Sensor, soft_m: float
) -> tuple[float, float]:
    """`coverage.shares` of one body, by whole arrays and scipy."""
    mean = mu @ x
    off = x[:, :3] - mean[:3]
    spread = np.einsum("a,aij->ij", mu, p[:, :3, :3]) + np.einsum("a,ai,aj->ij", mu, off, off)
    assert one.origin is not None
    assert one.rotation is not None
    e, n, u = one.rotation.T @ (mean[:3] - one.origin)
    reach, ground = math.sqrt(e * e + n * n + u * u), math.hypot(e, n)

    def sigma(direction: list[float]) -> float:
        d = one.rotation @ np.array(direction)
        return float(np.sqrt(d @ spread @ d))

    lim, below = one.limits, reference.below
    share = below((lim[1] - reach) / sigma([e / reach, n / reach, u / reach]))
    share -= below((lim[0] - reach) / sigma([e / reach, n / reach, u / reach])) if lim[0] > 0 else 0.0
    half, width = math.radians(lim[3] - lim[2]) / 2, sigma([n / ground, -e / ground, 0]) / ground
    away = (math.atan2(e, n) - math.radians(lim[2]) - half + math.pi) % (2 * math.pi) - math.pi
    turns = [away + 2 * math.pi * k for k in (-1, 0, 1)]
    share *= min(sum(below((half - a) / width) - below((-half - a) / width) for a in turns), 1.0)
    lift = [-e * u / reach / ground, -n * u / reach / ground, ground / reach]
    tall, rise = math.atan2(u, ground), sigma(lift) / reach
    low, high = math.radians(lim[4]), math.radians(lim[5])
    share *= below((high - tall) / rise) - below((low - tall) / rise)
    de = mean[:3] - one.origin
    share *= lim[6] <= de @ mean[3:] / reach <= lim[7]
    if one.mask is None:
        return share, share
    points, weights = reference.sigma_points(mean[:3], spread)
    mask = (one.mask.horizon, one.mask.first_void, one.mask.place)
    known = np.array([not math.isnan(reference.clearance(mask, point)) for point in points])
    seen = float(weights @ reference.seen_for_sure(mask, points, soft_m))
    return share * (seen + float(weights[~known].sum())), share * seen


def test_the_kernel_is_the_mathematics(hills: Hills) -> None:
    site, ground, _ = hills
    rng = np.random.default_rng(5)
    for number in range(120):
        one = sensor(site, ground if number % 2 else None, **LIMITED)
        x = np.zeros((1, 3, 6))
        centre = rng.uniform((-3500, -3500, 20), (3500, 3500, 400))
        x[0, :, :3] = centre + rng.normal(0, 30, (3, 3))
        x[0, :, 3:] = rng.normal(0, 15, (3, 3))
        root = rng.normal(0, 40, (3, 6, 6))
        p = (root @ root.transpose(0, 2, 1) + 25 * np.eye(6))[None]
        mu = rng.dirichlet([1, 1, 1])[None]
        here = covered(one, x, p, mu, SETTINGS)
        expected = numpy_share(x[0], p[0], mu[0], one, SETTINGS.terrain_sigma_m)
        assert (here.view[0], here.sure[0]) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6),
        min_size=6,
        max_size=6,
    ),
    st.floats(0.0, 1e6),
    st.booleans(),
)
def test_shares_are_shares_whatever_the_state(state: list[float], sigma: float, masked: bool) -> None:
    site, ground, _ = _HILLS
    one = sensor(site, ground if masked else None, **LIMITED)
    x, p, mu = np.array([[state]]), np.eye(6)[None, None] * sigma * sigma, np.ones((1, 1))
    here = covered(one, x, p, mu, SETTINGS)
    assert 0.0 <= here.sure[0] <= here.view[0] + 1e-12 <= 1.0 + 1e-9


_HILLS = ridge()


# --- misses remembered


def test_misses_of_a_body_that_may_be_hidden_are_remembered_and_forgotten() -> None:
    one = {"sees": 0.9, "memory_s": 10.0}
    view, sighted = np.array([0.5, 1.0]), np.ones(2)
    pd, counts, existence = np.empty(2), np.empty(2), np.array([0.99, 0.99])
    history = []
    for _ in range(20):
        coverage.expect(2, one["sees"], 1.0, one["memory_s"], view, view, sighted, pd, counts)
        existence = np.array([coverage.missed(r, c) for r, c in zip(existence, counts, strict=True)])
        coverage.remember(2, one["sees"], view, np.ones(2, np.bool_), np.zeros(2), sighted)
        history.append(existence)
    assert history[0] == pytest.approx([0.99 * 0.55 / (1 - 0.99 * 0.45), 0.99 * 0.1 / (1 - 0.99 * 0.9)])
    assert history[-1][0] > 0.85
    assert history[2][1] < 0.1
    assert sighted[1] == 1.0
    coverage.expect(2, 0.9, 100.0, 10.0, view, view, sighted, pd, counts)
    assert pd[0] == pytest.approx(0.45, rel=1e-3)
    coverage.remember(2, 0.9, view, np.ones(2, np.bool_), np.array([1.0, 0.0]), sighted)
    assert sighted[0] == 1.0


@given(st.floats(0, 1), st.floats(coverage.LEAST_SIGHTED, 1))
def test_to_be_in_sight_is_never_likelier_after_misses(share: float, sighted: float) -> None:
    found = coverage.in_sight(share, sighted)
    assert 0.0 <= found <= share + 1e-12
    assert coverage.in_sight(1.0, sighted) == 1.0


# --- flights


class Flight:
    """A drone that dips behind a crest, as a radar sees it, with false plots."""

    seconds, start = 62, 1_700_000_000.0

    def __init__(self, site: Site, ground: Ground, seed: int) -> None:
        self.site, self.ground, self.radar = site, ground, radar_of(site)
        self._mask = ground.mask_for(self.radar, np.array([0.0, 0.0, 10.0]))
        self._rng = random.Random(seed)

    def place(self, t: float) -> Place:
        fall, rise = min(max(t - 12.0, 0.0), 22.0), min(max(t - 36.0, 0.0), 22.0)
        return -800.0 + 25.0 * t, 3000.0, 290.0 - 6.0 * fall + 6.0 * rise

    def seen(self, t: float) -> bool:
        assert self._mask is not None
        return bool(self._mask.states([self.place(t)])[0] == 1)

    def scan(self, t: int, gone_from: float = math.inf) -> list[Detection]:
        """One look: the drone if it is to be seen, and false plots where the radar sees."""
        plots = []
        if self.seen(t) and t < gone_from and self._rng.random() < 0.9:
            a, b = self.place(t), self.place(t + 0.01)
            plots.append(self._plot(t, a, tuple((v - w) / 0.01 for v, w in zip(b, a, strict=True)), 1.0))
        for _ in range(5):
            azimuth, reach = self._rng.uniform(-math.pi, math.pi), self._rng.uniform(50, 6000)
            rise = self._rng.uniform(-0.02, 0.35)
            spot = (
                reach * math.sin(azimuth) * math.cos(rise), reach * math.cos(azimuth) * math.cos(rise),
                10.0 + reach * math.sin(rise),
            )  # fmt: skip
            plots.append(
                self._plot(t, spot, (self._rng.uniform(-40, 40), self._rng.uniform(-40, 40), 0.0), 0.0)
            )
        return plots

    def _plot(self, t: float, place: Place, velocity: tuple[float, ...], noise: float) -> Detection:
        e, n, u = place[0], place[1], place[2] - 10.0
        reach, gauss = math.hypot(e, n, u), self._rng.gauss
        rate = (e * velocity[0] + n * velocity[1] + u * velocity[2]) / reach
        return Detection(
            time=self.start + t, sensor="radar", scan=int(t),
            measure=RangeBearing(
                range_m=reach + gauss(0, 5) * noise,
                azimuth_deg=math.degrees(math.atan2(e, n)) + gauss(0, 0.5) * noise,
                elevation_deg=math.degrees(math.asin(u / reach)) + gauss(0, 0.5) * noise,
                range_rate_mps=rate + gauss(0, 0.5) * noise,
            ),
            sigma=Sigma(range_m=5.0, azimuth_deg=0.5, elevation_deg=0.5, range_rate_mps=0.5),
        )  # fmt: skip

    def run(self, ground: Ground | None, gone_from: float = math.inf) -> Iterator[tuple[int, list[Track]]]:
        """The tracks near the drone after each look."""
        tracker = Tracker(self.site, (self.radar,), ground=ground)
        for t in range(self.seconds):
            at = self.start + t + 0.05
            tracker.add(self.scan(t, gone_from), at)
            near = [
                track for track in tracker.frame(at).tracks if math.dist(track.enu_m, self.place(t)) < 500
            ]
            yield t, sorted(near, key=lambda track: -track.existence)


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_a_drone_behind_a_hill_is_kept_and_comes_out_under_its_name(hills: Hills, seed: int) -> None:
    site, ground, _ = hills
    flight = Flight(site, ground, seed)
    hidden = [t for t in range(flight.seconds) if not flight.seen(t)]
    assert 15 <= len(hidden) <= 25
    assert hidden == list(range(hidden[0], hidden[-1] + 1))
    with_ground = dict(flight.run(ground))
    (before,) = with_ground[hidden[0] - 3]
    for t in hidden:
        kept = [track for track in with_ground[t] if track.id == before.id]
        assert kept, f"lost after {t - hidden[0]} s"
        assert kept[0].existence > SETTINGS.forget_existence
    grown = [with_ground[t][0].covariance[0] for t in hidden]
    assert max(grown) > 10 * grown[0]
    after = with_ground[flight.seconds - 1]
    assert [track.id for track in after] == [before.id]
    assert after[0].covariance[0] < 50.0**2


def test_the_same_flight_without_the_ground_loses_the_drone(
    hills: Hills,
) -> None:
    site, ground, _ = hills
    flight = Flight(site, ground, 1)
    hidden = [t for t in range(flight.seconds) if not flight.seen(t)]
    blind = dict(flight.run(None))
    before = blind[hidden[0] - 3][0].id
    assert not blind[hidden[-1]]
    assert before not in [track.id for track in blind[flight.seconds - 1]]


def test_a_drone_that_vanishes_in_view_dies_with_the_ground_too(
    hills: Hills,
) -> None:
    site, ground, _ = hills
    flight = Flight(site, ground, 1)
    tracks = dict(flight.run(ground, gone_from=10))
    assert tracks[9]
    assert not tracks[14]


def test_an_empty_scan_says_as_little_of_what_is_hidden(
    hills: Hills,
) -> None:
    """Scans in which nothing at all was seen, which are counted by another way."""
    site, ground, _ = hills
    held = {}
    for name, known in (("ground", ground), ("none", None)):
        flight = Flight(site, ground, 1)
        tracker = Tracker(site, (flight.radar,), ground=known)
        for t in range(45):
            at = flight.start + t + 0.05
            nothing = Detection(time=flight.start + t, sensor="radar", scan=t, measure=EmptyScan())
            tracker.add(flight.scan(t) if flight.seen(t) else [nothing], at)
        held[name] = [k for k in tracker.frame(at).tracks if math.dist(k.enu_m, flight.place(44)) < 800]
    assert held["ground"]
    assert not held["none"]


def test_the_ground_is_part_of_what_a_restored_tracker_needs(
    hills: Hills,
) -> None:
    site, ground, _ = hills
    flight = Flight(site, ground, 2)
    whole = Tracker(site, (flight.radar,), ground=ground)
    scans = [flight.scan(t) for t in range(40)]
    for t, scan in enumerate(scans[:25]):
        whole.add(scan, flight.start + t + 0.05)
    again = Ground.unpack(ground.pack())
    assert again.digest == ground.digest
    restored = Tracker.restore(site, (flight.radar,), SETTINGS, whole.state(), ground=again)
    other = Tracker.restore(site, (flight.radar,), SETTINGS, whole.state())
    for t, scan in enumerate(scans[25:], 25):
        for tracker in (whole, restored, other):
            tracker.add(scan, flight.start + t + 0.05)
    assert restored.state() == whole.state()
    assert other.state() != whole.state()


# --- the ground itself


def test_a_ground_is_known_by_its_digest(hills: Hills) -> None:
    _, ground, _ = hills
    heights = ground.grid.heights_m.copy()
    heights[500, 500] += 1.0
    assert Ground(structs.replace(ground.grid, heights_m=heights)).digest != ground.digest
    assert Ground(structs.replace(ground.grid, cell_m=31.0)).digest != ground.digest
    heights = ground.grid.heights_m.copy()
    heights[500, 500] = np.nan
    quiet = heights.copy()
    quiet.view(np.uint32)[500, 500] = 0x7FC00001
    assert np.isnan(quiet[500, 500])
    first, second = (Ground(structs.replace(ground.grid, heights_m=h)) for h in (heights, quiet))
    assert first.digest == second.digest
    assert ground.pack() == Ground.unpack(ground.pack()).pack()


@pytest.mark.parametrize("data", [b"", b"\x00", b"nonsense" * 10])
def test_what_is_no_ground_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="no ground"):
        Ground.unpack(data)


def test_a_cut_ground_is_refused(hills: Hills) -> None:
    packed = hills[1].pack()
    for cut in (10, len(packed) // 2, len(packed) - 1):
        with pytest.raises(InputError):
            Ground.unpack(packed[:cut])


def test_a_sensor_deep_under_the_ground_has_the_wrong_datum(
    hills: Hills,
) -> None:
    site, ground, _ = hills
    sunk = radar_of(site, alt_m=site.alt_m - 30.0)
    assert Tracker(site, (sunk,), ground=ground).held == 0
    buried = radar_of(site, alt_m=site.alt_m - 80.0)
    with pytest.raises(ConfigError, match="below the ground"):
        Tracker(site, (buried,), ground=ground)
    said = Tracker(site, (), reported=(buried,), ground=ground)
    assert said._intake._sensor("radar").mask is None


def test_masks_are_swept_once(hills: Hills) -> None:
    _, ground, _ = hills
    profile, origin = radar_of(hills[0]), np.array([0.0, 0.0, 10.0])
    assert ground.mask_for(profile, origin) is ground.mask_for(profile, origin)
    assert ground.mask_for(profile, np.array([90_000.0, 0.0, 10.0])) is None


def test_an_elevation_model_of_another_place_or_datum_is_refused(
    hills: Hills,
) -> None:
    site, _, model = hills
    with pytest.raises(ConfigError, match="tile"):
        ground_of(model, structs.replace(site, lat_deg=45.0), ())
    with pytest.raises(ConfigError, match="geoid"):
        ground_of(model, structs.replace(site, alt_datum="wgs84-ellipsoid"), ())
    lifted = ground_of(model, structs.replace(site, alt_datum="wgs84-ellipsoid", geoid_height_m=50.0), ())
    assert isinstance(lifted.grid, LocalGrid)


@pytest.mark.field
def test_in_real_mountains_a_drone_in_the_next_valley_is_hidden(field_data) -> None:  # type: ignore[no-untyped-def]
    """A radar in a canyon of the San Gabriel Mountains: what flies behind the ridges is not in view, what
    flies high above them is."""
    model = terrain.read(field_data / "terrain" / "bigtujunga_srtm30m_utm11.tif", vertical_datum="egm96")
    lat, lon = 34.32, -118.15
    alt = terrain.height_at(model, lat, lon)
    assert alt is not None
    site = Site(name="canyon", lat_deg=lat, lon_deg=lon, alt_m=alt, alt_datum="egm96")
    ground = ground_of(model, site, (radar_of(site),))
    one = sensor(site, ground)
    rng = np.random.default_rng(1)
    spots = rng.uniform(-4000, 4000, (300, 2))
    heights = np.array([ground.grid.ground_m(e, n) for e, n in spots.tolist()]) - alt
    low = covered(
        one, *bodies([(e, n, h + 50.0) for (e, n), h in zip(spots.tolist(), heights, strict=True)]), SETTINGS
    )
    high = covered(one, *bodies([(e, n, 3000.0) for e, n in spots.tolist()]), SETTINGS)
    assert 0.02 < float(low.view.mean()) < 0.6
    inside = np.linalg.norm(np.column_stack([spots, np.full(300, 3000.0)]), axis=1) < 5500.0
    assert (high.sure[inside] > 0.99).all()
