"""Detections become plots where they are, with covariances that tell how sure that is."""

import math

import numpy as np
import pytest
from msgspec import structs

from vedette.fuse import FuseSettings
from vedette.fuse.intake import Intake
from vedette.fuse.kernels import kalman
from vedette.model import RangeBearing, Sigma


@pytest.fixture(scope="module")
def intake(world) -> Intake:
    return Intake(world.site, (world.radar,), FuseSettings())


def measured(world, distance: float, azimuth: float, elevation: float | None, **sigma: float):
    plot = world.plot(0, (100.0, 100.0, 100.0))
    measure = RangeBearing(range_m=distance, azimuth_deg=azimuth, elevation_deg=elevation)
    return structs.replace(plot, measure=measure, sigma=Sigma(**sigma))


@pytest.mark.parametrize(("azimuth", "elevation"), [(0.0, 5.0), (60.0, 40.0), (200.0, -3.0), (310.0, 70.0)])
def test_a_polar_plots_covariance_is_that_of_its_errors(
    world, intake, azimuth: float, elevation: float
) -> None:
    plot = intake.plot(
        measured(world, 2000.0, azimuth, elevation, range_m=8.0, azimuth_deg=0.6, elevation_deg=0.9)
    )
    rng = np.random.default_rng(1)
    r = 2000.0 + rng.normal(size=200_000) * 8.0
    a = np.radians(azimuth + rng.normal(size=r.size) * 0.6)
    e = np.radians(elevation + rng.normal(size=r.size) * 0.9)
    cloud = np.array([r * np.cos(e) * np.sin(a), r * np.cos(e) * np.cos(a), r * np.sin(e)])
    np.testing.assert_allclose(plot.r[:3, :3], np.cov(cloud), rtol=0.03, atol=12.0)


def test_the_conversion_is_unbiased_where_the_azimuth_is_poor(world, intake) -> None:
    rng = np.random.default_rng(2)
    places = []
    for _ in range(4000):
        azimuth = 45.0 + rng.normal() * 6.0
        places.append(
            intake.plot(measured(world, 3000.0, azimuth, 0.0, azimuth_deg=6.0, elevation_deg=0.1)).z[:2]
        )
    truth = 3000.0 * math.sqrt(0.5)
    # Uncorrected, the mean would fall 16 m short along the line of sight; its own error is 1 to 4 m.
    along = float(np.mean(places, axis=0) @ np.array([1.0, 1.0])) / math.sqrt(2.0)
    assert along == pytest.approx(truth * math.sqrt(2.0), abs=3.0)


@pytest.mark.parametrize("east", [290.0, 600.0, 4000.0])
def test_a_plot_without_elevation_is_shortened_by_the_prior_height(world, intake, east: float) -> None:
    slant = math.hypot(east, 78.0)
    plot = intake.plot(measured(world, slant, 90.0, None, range_m=5.0, azimuth_deg=0.5))
    assert plot.z[:2] == pytest.approx((east, 0.0), abs=0.5)
    assert not plot.use[2]
    assert math.sqrt(plot.r[0, 0]) == pytest.approx(
        math.hypot(5.0 * slant / east, 60.0 * 78.0 / east), rel=0.02
    )


def test_right_above_the_radar_the_ground_range_stays_finite(world, intake) -> None:
    plot = intake.plot(measured(world, 20.0, 0.0, None))
    assert np.isfinite(plot.z).all()
    assert plot.r[1, 1] > 50.0**2


def test_rows_follow_what_is_given(world, intake) -> None:
    report = world.report(0, (10.0, 20.0, 30.0), velocity=(1.0, 2.0, 3.0))
    plot = intake.plot(report)
    assert plot.use.tolist() == [True] * 6 + [False]
    assert plot.rows == 6
    assert plot.z[:6] == pytest.approx([10.0, 20.0, 30.0, 1.0, 2.0, 3.0], abs=1e-6)
    bare = intake.plot(world.report(0, (10.0, 20.0, 30.0), datum=None))
    assert bare.use.tolist() == [True, True, *[False] * 5]


def test_equal_detections_have_equal_content_whatever_the_order_of_their_keys(world, intake) -> None:
    one = structs.replace(world.report(0, (1.0, 2.0, 3.0)), beliefs={"bird": 0.2, "fpv": 0.5})
    two = structs.replace(one, beliefs={"fpv": 0.5, "bird": 0.2})
    assert intake.plot(one).content == intake.plot(two).content


def test_warming_leaves_nothing_to_compile(world) -> None:
    dispatchers = [kalman.score, kalman.predict_all, kalman.in_view, kalman.close_pairs]
    dispatchers += [kalman.predict, kalman.pin_height, kalman.update]
    kalman.warm()
    before = [len(d.signatures) for d in dispatchers]
    tracker = world.tracker(world.radar)
    for t in range(4):
        batch = [world.plot(t, (x, 900.0, 90.0), scan=t) for x in (0.0, 300.0)]
        batch += [world.report(t, (-300.0, 900.0, 90.0), datum=None)]
        tracker.add(batch, world.start + t)
        tracker.frame(world.start + t)
    tracker.advance(world.start + 30)
    assert [len(d.signatures) for d in dispatchers] == before
