"""Detection probabilities: the laws they follow, and the published figures that they must give back."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.simulate.sensing import physics
from vedette.simulate.sensing.catalogue import (
    Acoustic,
    AnyModel,
    Camera,
    Finder,
    Radar,
    Signature,
    catalogue,
)
from vedette.simulate.weather import Weather

MODELS, SIGNATURES = catalogue().models, catalogue().signatures
RANGES = np.linspace(150.0, 7000.0, 120)


def _radar(name: str = "x-band-fmcw") -> Radar:
    model = MODELS[name]
    assert isinstance(model, Radar)
    return model


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES.keys())
def test_chance_is_a_probability_and_falls_with_range(model: AnyModel, signature: Signature) -> None:
    pd = physics.detection_probability(model, signature, RANGES)
    assert np.all((pd >= 0.0) & (pd <= 1.0))
    assert np.all(np.diff(pd) <= 1e-12)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_ground_in_the_way_only_takes_away(model: AnyModel) -> None:
    signature = SIGNATURES["multirotor"]
    ways = np.full(9, 400.0)
    pd = physics.detection_probability(model, signature, ways, edge=np.linspace(-1.0, 4.0, 9))
    free = physics.detection_probability(model, signature, ways[:1])
    assert np.all(np.diff(pd) <= 1e-12)
    assert np.all(pd <= free + 1e-12)


@given(st.floats(min_value=0.05, max_value=0.99), st.floats(min_value=1e-9, max_value=1e-3))
def test_swerling_and_its_inverse(pd: float, false_alarm: float) -> None:
    snr = physics.swerling1_snr(pd, false_alarm)
    assert float(physics.swerling1_pd(np.array(snr), false_alarm)) == pytest.approx(pd, rel=1e-9)


def test_swerling_gives_the_text_books_figure() -> None:
    """Pd 0.9 at Pfa 1e-6 takes 21.1 dB for Swerling 1 (Skolnik, table of integrated fluctuation loss)."""
    assert 10.0 * math.log10(physics.swerling1_snr(0.9, 1e-6)) == pytest.approx(21.1, abs=0.1)


@given(st.floats(min_value=-30.0, max_value=10.0))
def test_range_goes_with_the_fourth_root_of_cross_section(rcs_dbsm: float) -> None:
    radar = _radar()
    scale = 10.0 ** ((rcs_dbsm - radar.reference_rcs_dbsm) / 40.0)
    snr = physics.radar_snr(radar, np.array([radar.reference_range_m * scale]), rcs_dbsm)
    assert float(snr[0]) == pytest.approx(
        physics.swerling1_snr(radar.reference_pd, radar.false_alarm), rel=1e-9
    )


def test_a_ridge_at_grazing_costs_six_decibels_each_way() -> None:
    assert float(physics.knife_edge_db(np.array(0.0))) == pytest.approx(6.0, abs=0.1)
    assert float(physics.knife_edge_db(np.array(1.0))) == pytest.approx(13.9, abs=0.3)
    assert float(physics.knife_edge_db(np.array(-1.0))) == 0.0


def test_free_space_range_of_the_published_link() -> None:
    """19 dBm down to -100 dBm is 8.9 km at 2.4 GHz and 3.7 km at 5.8 GHz (CRFS' parameters)."""
    for mhz, km in ((2400.0, 8.9), (5800.0, 3.7)):
        loss = float(physics.free_space_db(np.array(km * 1e3), mhz))
        assert 19.0 - loss == pytest.approx(-100.0, abs=0.15)


def test_finder_hears_the_published_ranges_and_nothing_of_a_silent_drone() -> None:
    finder = MODELS["rf-direction-finder"]
    assert isinstance(finder, Finder)
    ways = np.array([1000.0, 5000.0])
    near, far = physics.finder_pd(finder, ways, SIGNATURES["multirotor"]).tolist()
    assert near > 0.9
    assert 0.4 < far < 0.8, "AeroScope is claimed to reach 5 km"
    assert not np.any(physics.finder_pd(finder, ways, SIGNATURES["fpv-fibre"]))
    sigma = physics.finder_sigma_deg(finder, np.array([200.0, 6000.0]), SIGNATURES["multirotor"])
    assert sigma[0] == finder.sigma_azimuth_deg < sigma[1] <= 4.0 * finder.sigma_azimuth_deg


def test_small_array_hears_a_quadcopter_at_a_hundred_metres() -> None:
    array = MODELS["acoustic-small"]
    assert isinstance(array, Acoustic)
    pd = physics.acoustic_pd(array, np.array([40.0, 100.0, 250.0]), 81.0)
    assert pd[0] > 0.8
    assert 0.35 < pd[1] < 0.65
    assert pd[2] < 0.02


def test_wind_shortens_hearing_most_against_the_sound() -> None:
    array = MODELS["acoustic-array"]
    assert isinstance(array, Acoustic)
    ways, windy = np.array([300.0]), Weather(wind_mps=9.0)
    calm = float(physics.acoustic_pd(array, ways, 85.0)[0])
    with_it = float(physics.acoustic_pd(array, ways, 85.0, windy, upwind=-9.0)[0])
    against = float(physics.acoustic_pd(array, ways, 85.0, windy, upwind=9.0)[0])
    assert calm > with_it > against


def test_camera_needs_its_pixels() -> None:
    camera = MODELS["pan-camera"]
    assert isinstance(camera, Camera)
    pixels = float(physics.pixels(camera, np.array(500.0), 0.3))
    assert pixels == pytest.approx(0.3 * 0.075 / (500.0 * 15e-6))
    assert float(physics.johnson_pd(np.array(1.0), 1.0)) == pytest.approx(0.5)
    assert float(physics.camera_pd(camera, np.array([300.0]), 0.3, np.array([0.1]))[0]) == 0.0
