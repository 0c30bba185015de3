"""Densities of false plots and of new bodies: integrated over all that can be measured, they count."""

import math
import random

import numpy as np
import pytest
from msgspec import structs

from vedette.fuse import FuseSettings, looks
from vedette.fuse.kernels import pmb
from vedette.fuse.picture import Unseen
from vedette.fuse.plots import Raw
from vedette.fuse.plotter import Plotter
from vedette.fuse.sensing.clutter import figures_of
from vedette.fuse.sensing.sensors import Sensor, sensor_of
from vedette.geo import LocalFrame
from vedette.model import Bearing, Detection, Position, RangeBearing, SensorProfile, Sigma
from vedette.model.site import ClutterRegion

SETTINGS = FuseSettings()
SAMPLES = 200_000
DENSITY = 3e-7
# A window of the width over which odd heights are spread: in it, the density of heights is one of a body.
LOW, HIGH = 80.0 - 250.0, 80.0 + 250.0


def sensor(world, **profile) -> Sensor:
    """A radar at the site's origin with these limits."""
    whole = structs.replace(world.radar, alt_m=world.site.alt_m, **profile)
    return sensor_of(whole, world.site, LocalFrame(40.4, -3.7, 650.0), SETTINGS)


def raws(kind: int, rows: np.ndarray, use: tuple[bool, ...]) -> list[Raw]:
    """Measurements (count, rows) of one kind; what is not used is zero."""
    whole = np.zeros((len(rows), pmb.ROWS))
    whole[:, : rows.shape[1]] = rows
    whole[:, ~np.array(use)] = 0.0
    return [Raw(kind, tuple(z), (1.0,) * 6, use) for z in whole.tolist()]


def densities(raw: Raw, sensor: Sensor) -> tuple[float, float]:
    """False plots a scan, and new bodies, at a measurement."""
    z, use = np.array([raw.z]), np.array([raw.use])
    clutter, fresh = looks.densities(
        raw.kind, z, use, figures_of(sensor, raw.kind, SETTINGS), DENSITY, SETTINGS
    )
    return float(clutter[0]), float(fresh[0])


def spread(rng: np.random.Generator, *limits: tuple[float, float]) -> tuple[np.ndarray, float]:
    """Measurements spread evenly between limits, and the volume of these."""
    low, high = np.array(limits).T
    return rng.uniform(low, high, (SAMPLES, len(limits))), float(np.prod(high - low))


def integral(values: list[float], volume: float) -> tuple[float, float]:
    """Of a function sampled evenly, with six sigma of it."""
    found = np.array(values)
    return found.mean() * volume, 6 * found.std() / math.sqrt(len(found)) * volume


# --- new bodies


@pytest.mark.parametrize("rate", [False, True])
def test_new_bodies_in_view_of_a_radar_with_elevation_are_density_times_area(world, rate: bool) -> None:
    radar = sensor(world, range_m=(0.0, 1500.0), detection_probability=0.8)
    limits = [(0.0, 1500.0), (-math.pi, math.pi), (-math.pi / 2, math.pi / 2), (-60.0, 60.0)]
    z, volume = spread(np.random.default_rng(1), *limits[: 3 + rate])
    plots = raws(pmb.POLAR, z, (True, True, True, rate, False, False))
    heights = z[:, 0] * np.sin(z[:, 2])
    inside = (heights > LOW) & (heights < HIGH)
    found, sure = integral(
        [densities(raw, radar)[1] * bool(ok) for raw, ok in zip(plots, inside, strict=True)],
        volume,
    )
    # At each height the sphere of the longest range cuts out a disc.
    h = np.linspace(LOW, HIGH, 20_001)
    usual = np.exp(-0.5 * ((h - 80.0) / 60.0) ** 2) / (60.0 * math.sqrt(2 * math.pi))
    disc = math.pi * (1500.0**2 - h**2)
    area = float(((0.7 * usual + 0.3 / 500.0) * disc).mean() * (HIGH - LOW))
    assert sure < 0.08 * found
    assert found == pytest.approx(0.8 * DENSITY * area, abs=sure)
    assert area == pytest.approx(math.pi * 1500.0**2, rel=0.02)


def test_new_bodies_above_a_radar_that_looks_steeply_up_are_density_times_area(world) -> None:
    """Near the zenith it matters that a metre of height is not a metre of range."""
    radar = sensor(world, range_m=(0.0, 400.0), detection_probability=0.8)
    z, volume = spread(np.random.default_rng(2), (0.0, 330.0), (-math.pi, math.pi), (1.0, math.pi / 2))
    plots = raws(pmb.POLAR, z, (True, True, True, False, False, False))
    found, sure = integral([densities(raw, radar)[1] for raw in plots], volume)
    h = np.linspace(0.0, 330.0, 20_001)
    usual = np.exp(-0.5 * ((h - 80.0) / 60.0) ** 2) / (60.0 * math.sqrt(2 * math.pi))
    cone = math.pi * np.maximum(np.minimum((h / math.tan(1.0)) ** 2, 330.0**2 - h**2), 0.0)
    area = float(((0.7 * usual + 0.3 / 500.0) * cone).mean() * 330.0)
    assert sure < 0.05 * found
    assert found == pytest.approx(0.8 * DENSITY * area, abs=sure)


def test_new_bodies_in_view_of_a_radar_without_elevation_are_density_times_area(world) -> None:
    radar = sensor(world, type="radar-2d", range_m=(200.0, 5000.0), detection_probability=0.7)
    z, volume = spread(np.random.default_rng(3), (200.0, 5000.0), (-1.0, 1.5))
    plots = raws(pmb.POLAR, z, (True, True, False, False, False, False))
    found, sure = integral([densities(raw, radar)[1] for raw in plots], volume)
    sector = 0.5 * 2.5 * (5000.0**2 - 200.0**2)
    assert found == pytest.approx(0.7 * DENSITY * sector, abs=sure)


@pytest.mark.parametrize("given", [0, 1, 4])
def test_new_bodies_at_places_are_density_times_area(world, given: int) -> None:
    """Places with ``given`` further rows: a height, and a velocity."""
    camera = sensor(world, type="camera", range_m=(0.0, 3000.0), detection_probability=0.6)
    limits = [(-900.0, 500.0), (0.0, 700.0), (LOW, HIGH), *[(-60.0, 60.0)] * 3][: 2 + given]
    use = tuple(row < 2 + given for row in range(6))
    z, volume = spread(np.random.default_rng(4), *limits)
    plots = raws(pmb.PLACE, z, use)
    found, sure = integral([densities(raw, camera)[1] for raw in plots], volume)
    assert sure < 0.15 * found
    assert found == pytest.approx(0.6 * DENSITY * 1400.0 * 700.0, abs=sure + 0.01 * found)


def test_a_direction_alone_founds_nothing(world) -> None:
    finder = sensor(world, type="direction-finder")
    (raw,) = raws(pmb.BEARING, np.array([[1.0, 0.2]]), (True, True, False, False, False, False))
    assert densities(raw, finder)[1] == 0.0


# --- false plots


REGION = ClutterRegion(range_m=(100.0, 4000.0), elevation_deg=(-2.0, 30.0), range_rate_mps=(-40.0, 40.0))


@pytest.mark.parametrize(("elevation", "rate"), [(True, True), (True, False), (False, True), (False, False)])
def test_false_plots_of_a_radar_are_as_many_as_it_states(world, elevation: bool, rate: bool) -> None:
    radar = sensor(world, clutter_per_scan=12.0, clutter_region=REGION, azimuth_deg=(350.0, 80.0))
    rows = [(100.0, 4000.0), (0.0, math.pi / 2)]
    up = (math.radians(-2.0), math.radians(30.0))
    use = (True, True, elevation, rate, False, False)
    volume = math.prod(high - low for low, high in rows)
    volume *= (up[1] - up[0] if elevation else 1.0) * (80.0 if rate else 1.0)
    z, _ = spread(np.random.default_rng(5), *rows, up, (-40.0, 40.0))
    found, _ = integral([densities(raw, radar)[0] for raw in raws(pmb.POLAR, z[:500], use)], volume)
    assert found == pytest.approx(12.0, rel=1e-9)


def test_outside_its_region_a_false_plot_is_rare_but_possible(world) -> None:
    radar = sensor(world, clutter_per_scan=12.0, clutter_region=REGION)
    places = np.array([[1000.0, 0, 0.1, 0], [5000.0, 0, 0.1, 0], [1000.0, 0, 0.9, 0], [1000.0, 0, 0.1, 55.0]])
    inside, *outside = (
        densities(raw, radar)[0] for raw in raws(pmb.POLAR, places, (True,) * 4 + (False, False))
    )
    assert outside == pytest.approx([0.05 * inside] * 3)


@pytest.mark.parametrize(("stated", "count"), [(5.0, 5.0), (0.0, 2.0)])
@pytest.mark.parametrize("elevation", [True, False])
def test_false_bearings_are_as_many_as_stated_or_usual(
    world, stated: float, count: float, elevation: bool
) -> None:
    finder = sensor(world, type="direction-finder", clutter_per_scan=stated, elevation_deg=(0.0, 60.0))
    (raw,) = raws(pmb.BEARING, np.array([[1.0, 0.2]]), (True, elevation, False, False, False, False))
    volume = 2 * math.pi * (math.pi / 3 if elevation else 1.0)
    assert densities(raw, finder)[0] * volume == pytest.approx(count)


@pytest.mark.parametrize("given", [0, 1, 4])
def test_false_places_are_as_many_as_stated(world, given: int) -> None:
    camera = sensor(world, type="camera", clutter_per_scan=9.0, range_m=(0.0, 2000.0))
    use = tuple(row < 2 + given for row in range(6))
    (raw,) = raws(pmb.PLACE, np.full((1, 6), 5.0), use)
    volume = math.pi * 2000.0**2 * (500.0 if given else 1.0) * 120.0 ** max(given - 1, 0)
    assert densities(raw, camera)[0] * volume == pytest.approx(9.0)


def test_a_radar_that_states_no_false_plots_has_a_few(world) -> None:
    radar = sensor(world, clutter_per_scan=0.0)
    (raw,) = raws(pmb.POLAR, np.array([[1000.0, 0.3, 0.1, 0]]), (True,) * 4 + (False, False))
    density = densities(raw, radar)[0]
    extent = radar.extent
    volume = (
        2
        * math.pi
        * math.prod(high - low for low, high in (extent.range_m, extent.elevation_rad, extent.rate_mps))
    )
    assert density * volume == pytest.approx(SETTINGS.least_clutter_per_scan)


# --- rows and looks


def test_plots_become_rows_in_the_sensor_s_own_measures(world) -> None:
    radar, plotter = sensor(world), Plotter(world.site, SETTINGS)
    sigma = Sigma(range_m=4.0, azimuth_deg=0.5, elevation_deg=1.5, range_rate_mps=0.25)
    measures = [
        RangeBearing(range_m=1500.0, azimuth_deg=350.0, elevation_deg=10.0, range_rate_mps=-12.0),
        RangeBearing(range_m=800.0, azimuth_deg=180.0),
    ]
    plots = [
        plotter.plot(Detection(time=1.0, sensor="radar", measure=one, sigma=sigma), radar) for one in measures
    ]
    rows = looks.rows_of(plots, DENSITY, SETTINGS)
    degree = math.pi / 180
    np.testing.assert_allclose(rows.z[0, :4], [1500.0, -10 * degree, 10 * degree, -12.0], rtol=1e-12)
    np.testing.assert_allclose(
        rows.var[0, :4], np.array([4.0, 0.5 * degree, 1.5 * degree, 0.25]) ** 2, rtol=1e-12
    )
    assert rows.use.tolist() == [[True] * 4 + [False] * 2, [True, True] + [False] * 4]
    assert rows.z[1, 1] == -math.pi
    for number, plot in enumerate(plots):
        fresh = densities(plot.raw, radar)[1]
        assert rows.fresh[number] == fresh
        assert rows.elsewhere[number] == densities(plot.raw, radar)[0] + fresh
    assert (rows.fresh > 0).all()


def test_bearings_and_places_become_rows_too(world) -> None:
    plotter = Plotter(world.site, SETTINGS)
    finder = sensor(world, id="df", type="direction-finder")
    bearing = Detection(
        time=1.0, sensor="df", measure=Bearing(azimuth_deg=270.0), sigma=Sigma(azimuth_deg=2.0)
    )
    rows = looks.rows_of([plotter.plot(bearing, finder)], 0.0, SETTINGS)
    assert rows.z[0, 0] == pytest.approx(-math.pi / 2)
    assert rows.use[0].tolist() == [True] + [False] * 5
    assert rows.fresh[0] == 0.0
    camera = sensor(world, id="cam", type="camera")
    lat, lon, alt = world.frame.to_geodetic(100.0, -200.0, 60.0)
    place = Detection(
        time=1.0,
        sensor="cam",
        measure=Position(lat_deg=lat, lon_deg=lon, alt_m=alt, alt_datum="wgs84-ellipsoid"),
        sigma=Sigma(horizontal_m=7.0, vertical_m=9.0),
    )
    rows = looks.rows_of([plotter.plot(place, camera)], DENSITY, SETTINGS)
    np.testing.assert_allclose(rows.z[0, :3], [100.0, -200.0, 60.0], atol=1e-6)
    np.testing.assert_allclose(rows.var[0, :3], [49.0, 49.0, 81.0])
    assert rows.use[0].tolist() == [True] * 3 + [False] * 3


def test_unknown_bodies_arrive_while_nobody_looks_and_never_become_a_crowd(world) -> None:
    radar = sensor(world)
    assert looks.looked(None, radar, 5.0, SETTINGS) == SETTINGS.first_density_per_m2
    after = Unseen(100.0, 1e-8)
    assert looks.looked(after, radar, 100.0, SETTINGS) == 1e-8
    assert looks.looked(after, radar, 90.0, SETTINGS) == 1e-8
    grown = looks.looked(after, radar, 110.0, SETTINGS)
    assert grown == pytest.approx(1e-8 + 10.0 * SETTINGS.arrivals_per_m2s)
    assert looks.looked(after, radar, 1e9, SETTINGS) == SETTINGS.most_density_per_m2


@pytest.mark.parametrize("range_m", [0.1, 1.0, 5e3, 2e5])
@pytest.mark.parametrize("elevation_deg", [-90.0, 0.0, 45.0, 90.0, None])
def test_extreme_plots_have_densities_that_can_be_divided_by(
    world, range_m: float, elevation_deg: float | None
) -> None:
    radar, plotter = sensor(world, clutter_per_scan=0.0), Plotter(world.site, SETTINGS)
    measure = RangeBearing(
        range_m=range_m, azimuth_deg=360.0, elevation_deg=elevation_deg, range_rate_mps=349.0
    )
    rows = looks.rows_of(
        [plotter.plot(Detection(time=1.0, sensor="radar", measure=measure), radar)], DENSITY, SETTINGS
    )
    assert np.isfinite(rows.z).all()
    assert (rows.var[:, :4] > 0).all()
    assert np.isfinite(rows.elsewhere).all()
    assert (rows.elsewhere > 0).all()
    assert ((rows.fresh >= 0) & (rows.fresh <= rows.elsewhere)).all()


# --- looks as the tracker makes them


FINDER = SensorProfile(
    id="df", type="direction-finder", lat_deg=40.4, lon_deg=-3.69, alt_m=652.0, alt_datum="wgs84-ellipsoid",
    period_s=1.0, detection_probability=0.9, clutter_per_scan=2.0, range_m=(0.0, 6000.0),
)  # fmt: skip


def body(t: float, number: int = 0) -> tuple[float, float, float]:
    """Where the bodies of these tests are."""
    return (800.0 + 12.0 * t - 700.0 * number, 900.0 + 300.0 * number, 90.0)


def existence(tracker, at: float, place: tuple[float, float, float]) -> float:
    """Of the track at a place; zero if there is none."""
    near = [t.existence for t in tracker.frame(at).tracks if math.dist(t.enu_m[:2], place[:2]) < 150]
    return max(near, default=0.0)


def watched(world, seconds: int, *, seen: int, finder: bool):
    """A radar that sees one body all the time and another until ``seen``; a direction finder that hears
    something else. Returns the tracker and the end."""
    tracker = world.tracker(world.radar, FINDER)
    for t in range(seconds):
        plots = [world.plot(t, body(t, n), scan=t) for n in range(2) if n == 0 or t < seen]
        tracker.add(plots, world.start + t + 0.05)
        if finder:
            heard = Detection(
                time=world.start + t + 0.5,
                sensor="df",
                measure=Bearing(azimuth_deg=200.0 + t),
                sigma=Sigma(azimuth_deg=1.0),
            )
            tracker.add([heard], world.start + t + 0.55)
    return tracker, world.start + seconds - 0.4


def test_a_silent_body_is_not_killed_by_direction_finders(world) -> None:
    alone, end = watched(world, 20, seen=20, finder=False)
    heard, _ = watched(world, 20, seen=20, finder=True)
    for number in range(2):
        place = body(19.6, number)
        assert existence(alone, end, place) > 0.95
        assert existence(heard, end, place) > 0.99 * existence(alone, end, place)


def test_a_body_that_a_radar_no_longer_sees_in_view_is_gone(world) -> None:
    tracker, end = watched(world, 20, seen=12, finder=True)
    assert existence(tracker, end, body(19.6)) > 0.95
    assert existence(tracker, end, body(19.6, 1)) == 0.0


def test_a_body_that_left_the_radar_s_view_does_not_die_of_not_being_seen(world) -> None:
    """The second body flies out of the sector after five seconds: it fades with time alone."""
    narrow = structs.replace(world.radar, azimuth_deg=(20.0, 150.0))
    held = []
    for radar in (world.radar, narrow):
        tracker = world.tracker(radar)
        for t in range(10):
            places = [body(t), *([(850.0 - 75.0 * t, 1500.0, 90.0)] if t < 5 else [])]
            tracker.add([world.plot(t, place, scan=t) for place in places], world.start + t + 0.05)
        held.append(existence(tracker, world.start + 9.2, (850.0 - 75.0 * 9.2, 1500.0, 90.0)))
    assert held[0] == 0.0
    assert held[1] > 0.8


def test_a_body_that_a_radar_sees_beyond_its_stated_limits_is_tracked_all_the_same(world) -> None:
    tracker = world.tracker(structs.replace(world.radar, azimuth_deg=(20.0, 150.0)))
    for t in range(10):
        tracker.add([world.plot(t, (250.0 - 5.0 * t, 1500.0, 90.0), scan=t)], world.start + t + 0.05)
    assert existence(tracker, world.start + 9.2, (205.0, 1500.0, 90.0)) > 0.95


@pytest.mark.parametrize("seed", range(6))
def test_the_order_of_plots_in_a_scan_changes_no_bit(world, seed: int) -> None:
    rng = random.Random(seed)
    states = []
    for shuffle in (False, True):
        tracker = world.tracker(world.radar)
        for t in range(8):
            noise = random.Random(1000 * seed + t)
            places = [body(t, n) for n in range(3)] + [body(t, 0)]
            plots = [world.plot(t, tuple(v + noise.gauss(0, 15) for v in place), scan=t) for place in places]
            if shuffle:
                rng.shuffle(plots)
            tracker.add(plots, world.start + t + 0.05)
        states.append((tracker.state(), repr(tracker.frame(world.start + 7.5))))
    assert states[0] == states[1]
    assert "enu_m" in states[0][1]
