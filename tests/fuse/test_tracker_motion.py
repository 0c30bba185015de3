"""Do the tracks follow the truth, and do their covariances tell how well?"""

import math

import numpy as np
import pytest
from msgspec import convert, structs, to_builtins

from vedette.model import SensorProfile, Site


def straight(t: float) -> np.ndarray:
    return np.array([-1500.0 + 28.0 * t, 400.0 - 9.0 * t, 110.0, 28.0, -9.0, 0.0])


def turning(t: float) -> np.ndarray:
    """20 m/s round a circle of 80 m: half a g."""
    w, r = 0.25, 80.0
    return np.array(
        [600 + r * math.cos(w * t), r * math.sin(w * t), 90.0,
         -r * w * math.sin(w * t), r * w * math.cos(w * t), 0.0]
    )  # fmt: skip


def normalised_errors(world, path, seeds: int, kind: str, period: float) -> np.ndarray:
    """NEES over all six states, after ten updates; (seeds, updates)."""
    rows = []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        tracker = world.tracker(world.radar)
        row = []
        for k in range(60):
            t = k * period
            truth = path(t)
            if kind == "report":
                noisy = truth[:3] + rng.normal(size=3) * 10.0
                detection = world.report(t, tuple(noisy))
            else:
                detection = noisy_plot(world, t, truth, rng)
            tracker.add([detection], detection.time + 0.05)
            if k >= 10:
                (track,) = tracker.frame(detection.time).tracks
                error = np.array([*track.enu_m, *track.velocity_mps]) - truth
                row.append(error @ np.linalg.inv(world.covariance(track)) @ error)
        rows.append(row)
    return np.array(rows)


def noisy_plot(world, t: float, truth: np.ndarray, rng: np.random.Generator):

    plot = world.plot(t, tuple(truth[:3]))
    m = plot.measure
    rate = float(truth[:3] @ truth[3:] / np.linalg.norm(truth[:3]))
    measure = structs.replace(
        m,
        range_m=m.range_m + rng.normal() * 5.0,
        azimuth_deg=m.azimuth_deg + rng.normal() * 0.5,
        elevation_deg=m.elevation_deg + rng.normal() * 1.0,
        range_rate_mps=rate + rng.normal() * 0.5,
    )
    sigma = structs.replace(plot.sigma, range_rate_mps=0.5)
    return structs.replace(plot, measure=measure, sigma=sigma)


@pytest.mark.parametrize("kind", ["report", "radar"])
@pytest.mark.parametrize("path", [straight, turning])
def test_errors_are_as_large_as_the_covariance_says(world, path, kind: str) -> None:
    nees = normalised_errors(world, path, 12, kind, 1.0)
    inside = (nees < 20.06).mean()
    # 20.06 is the chi-square 0.9973 quantile ("three sigma") of six states. The models change over a moment
    # after the body has.
    assert inside >= 0.975
    # A filter loose enough to turn is cautious on a straight run, but neither blind nor overconfident.
    assert 1.5 < nees.mean() < 7.5


@pytest.mark.parametrize("period", [0.25, 1.0, 3.0])
def test_a_stated_velocity_is_used(world, period: float) -> None:
    rng = np.random.default_rng(5)
    tracker = world.tracker()
    for k in range(3):
        truth = straight(k * period)
        noisy = tuple(truth[:3] + rng.normal(size=3) * 10)
        tracker.add([world.report(k * period, noisy, velocity=(28.0, -9.0, 0.0))], world.start + k * period)
    (track,) = tracker.frame(world.start + 2 * period).tracks
    assert track.velocity_mps == pytest.approx((28.0, -9.0, 0.0), abs=3.0)


def test_a_frame_is_predicted_to_its_time_and_grows_less_sure(world) -> None:
    tracker = world.tracker()
    world.feed(
        tracker, [world.report(t, tuple(straight(t)[:3]), velocity=(28.0, -9.0, 0.0)) for t in range(5)]
    )
    (now,), (later,) = tracker.frame(world.start + 4).tracks, tracker.frame(world.start + 6).tracks
    assert later.enu_m == pytest.approx(np.add(now.enu_m, 2 * np.array(now.velocity_mps)), abs=6.0)
    assert later.covariance[0] > now.covariance[0] + 20.0
    assert later.updated == now.updated == world.start + 4


def test_a_frame_of_the_past_shows_bodies_where_they_were(world) -> None:
    """The scan of second 4 comes last, after a report of 4.4 s: its frame is one of second 4."""
    tracker = world.tracker(world.radar)
    for t in range(4):
        tracker.add([world.plot(float(t), tuple(straight(t)[:3]))], world.start + t)
    (before,) = tracker.frame(world.start + 3).tracks
    tracker.add([world.plot(4.4, tuple(straight(4.4)[:3]))], world.start + 4.45)
    (ahead,) = tracker.frame(world.start + 4.4).tracks
    (track,) = tracker.frame(world.start + 4.0).tracks
    back = np.array(track.enu_m) + 0.4 * np.array(track.velocity_mps)
    assert back == pytest.approx(ahead.enu_m, abs=1e-4)
    assert np.linalg.norm(np.subtract(track.enu_m, straight(4.0)[:3])) < 6.0
    assert np.linalg.norm(np.subtract(ahead.enu_m, straight(4.0)[:3])) > 9.0
    shift = np.eye(6) - 0.4 * np.eye(6, k=3)
    expected = shift @ world.covariance(ahead) @ shift.T
    assert world.covariance(track) == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert before.id == track.id


def test_broadcast_positions_are_never_trusted_below_ten_metres(world) -> None:
    near, far = world.tracker(), world.tracker()
    for tracker, sigma in ((near, 0.5), (far, 10.0)):
        world.feed(tracker, [world.report(t, tuple(straight(t)[:3]), sigma=sigma) for t in range(6)])
    assert near.frame(world.start + 6).tracks[0].covariance == far.frame(world.start + 6).tracks[0].covariance


def test_an_absent_accuracy_is_the_sensors_then_the_default(world) -> None:
    profile = SensorProfile(
        id="rid", type="report", lat_deg=40.4, lon_deg=-3.7, alt_m=650.0, alt_datum="wgs84-ellipsoid",
        period_s=1.0, detection_probability=0.9, sigma={"horizontal_m": 55.0},
    )  # fmt: skip

    profile = convert(to_builtins(profile), SensorProfile)
    spread = []
    for tracker in (world.tracker(), world.tracker(profile)):
        tracker.add([world.report(t, (100.0, 0.0, 80.0), sigma=None) for t in (0.0, 0.6)], world.start + 1)
        spread.append(tracker.frame(world.start + 0.6).tracks[0].covariance[0])
    assert spread[0] < 30.0**2 < spread[1] < 55.0**2


def test_a_drone_cannot_hide_by_calling_itself_inaccurate(world) -> None:
    tracker = world.tracker()
    frame = world.feed(tracker, [world.report(t, tuple(straight(t)[:3]), sigma=18_520.0) for t in range(4)])
    assert len(frame.tracks) == 1
    assert frame.tracks[0].covariance[0] <= 1000.0**2


class TestHeight:
    def test_no_height_leaves_a_wide_prior(self, world) -> None:
        frame = world.feed(
            world.tracker(), [world.report(t, tuple(straight(t)[:3]), datum=None) for t in range(30)]
        )
        (track,) = frame.tracks
        assert not track.height_known
        assert track.enu_m[2] == pytest.approx(80.0, abs=1.0)
        assert world.covariance(track)[2, 2] == pytest.approx(3600.0)
        assert world.covariance(track)[0, 0] < 100.0

    @pytest.mark.parametrize("datum", ["egm96", "agl", "takeoff", "barometric"])
    def test_a_height_of_another_datum_is_never_mixed_in(self, world, datum: str) -> None:
        high = [world.report(t, (900.0, 0.0, 480.0), datum=datum) for t in range(10)]
        (track,) = world.feed(world.tracker(), high).tracks
        assert not track.height_known
        assert abs(track.enu_m[2] - 80.0) < 1.0

    def test_the_geoid_height_of_the_site_makes_egm96_usable(self, world) -> None:
        site = Site(
            name="s",
            lat_deg=40.4,
            lon_deg=-3.7,
            alt_m=650.0,
            alt_datum="wgs84-ellipsoid",
            geoid_height_m=51.0,
        )
        high = [world.report(t, (900.0, 0.0, 400.0), datum="egm96") for t in range(10)]
        (track,) = world.feed(world.tracker(site=site), high).tracks
        assert track.height_known
        assert track.enu_m[2] == pytest.approx(451.0, abs=1.0)

    def test_a_site_over_the_geoid_takes_ellipsoidal_heights_only_with_its_geoid_height(self, world) -> None:
        for geoid, known in ((None, False), (51.0, True)):
            site = Site(
                name="s", lat_deg=40.4, lon_deg=-3.7, alt_m=599.0, alt_datum="egm96", geoid_height_m=geoid
            )
            reports = [world.report(t, (900.0, 0.0, 200.0)) for t in range(10)]
            (track,) = world.feed(world.tracker(site=site), reports).tracks
            assert track.height_known is known
            assert track.enu_m[2] == pytest.approx(200.0 if known else 80.0, abs=1.0)

    def test_a_height_given_once_fades_back_to_the_prior(self, world) -> None:
        tracker = world.tracker()
        world.feed(tracker, [world.report(t, (900.0, 0.0, 300.0)) for t in range(4)])
        assert tracker.frame(world.start + 4).tracks[0].height_known
        blind = [world.report(4 + t, (900.0, 20.0 * t, 300.0), datum=None) for t in range(40)]
        frame = world.feed(tracker, blind)
        assert not frame.tracks[0].height_known

    @pytest.mark.parametrize("alt", [1e9, -5000.0, math.nan, math.inf])
    def test_an_absurd_height_is_no_height(self, world, alt: float) -> None:

        reports = [world.report(t, (900.0, 0.0, 100.0)) for t in range(4)]
        bent = [structs.replace(r, measure=structs.replace(r.measure, alt_m=alt)) for r in reports]
        (track,) = world.feed(world.tracker(), bent).tracks
        assert not track.height_known


class TestRadar:
    def test_a_radar_away_from_the_origin_places_its_plots(self, world) -> None:

        place = world.frame.to_geodetic(3000.0, -2000.0, 2.0)
        radar = structs.replace(world.radar, lat_deg=place[0], lon_deg=place[1], alt_m=place[2])
        tracker = world.tracker(radar)
        shifted = [world.plot(t, (800.0 + 20.0 * t - 3000.0, 600.0 + 2000.0, 120.0)) for t in range(12)]
        (track,) = world.feed(tracker, shifted).tracks
        assert track.enu_m == pytest.approx((800.0 + 20.0 * 11.05, 600.0, 120.0), abs=4.0)

    def test_a_flat_radar_leaves_the_height_to_the_prior(self, world) -> None:

        plots = [world.plot(t, (2000.0 - 25.0 * t, 500.0, 90.0)) for t in range(15)]
        flat = [structs.replace(p, measure=structs.replace(p.measure, elevation_deg=None)) for p in plots]
        (track,) = world.feed(world.tracker(world.radar), flat).tracks
        assert not track.height_known
        assert track.enu_m[:2] == pytest.approx((2000.0 - 25.0 * 14.05, 500.0), abs=5.0)

    def test_a_range_rate_tells_the_speed_before_a_second_plot_could(self, world) -> None:

        first = world.plot(0.0, (0.0, 2000.0, 90.0))
        first = structs.replace(first, measure=structs.replace(first.measure, range_rate_mps=-30.0))
        tracker = world.tracker(world.radar, confirm_existence=0.06)
        tracker.add([first, world.plot(0.1, (0.0, 1997.0, 90.0))], world.start + 0.1)
        (track,) = tracker.frame(world.start + 0.1).tracks
        assert track.velocity_mps[1] == pytest.approx(-30.0, abs=3.0)
