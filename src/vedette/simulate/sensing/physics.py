"""How likely a sensor sees a target: pure functions of model, signature, range, weather and ground.

All take and give numpy arrays of one shape (or single numbers), so that a planner can ask for a whole map
and the simulator for a whole scan. Ranges in metres; levels and losses in dB.

``edge`` is how far the ground stands into the way, without the wavelength: the greatest of
h * sqrt(2 (1/d1 + 1/d2)) along it, h > 0 where the ground is above the ray; -inf where nothing does. The
knife-edge parameter of ITU-R P.526-15, 4.1, is ``edge`` / sqrt(wavelength).
"""

import math

import numpy as np
from numpy.typing import NDArray

from vedette.simulate.sensing.catalogue import (
    Acoustic,
    AdsbReceiver,
    AnyModel,
    Camera,
    Finder,
    Radar,
    RemoteIdReceiver,
    Signature,
)
from vedette.simulate.weather import CALM, Weather

F64 = NDArray[np.float64]

LIGHT_MPS = 299_792_458.0
SOUND_MPS = 343.0
"""In air of 20 degrees Celsius."""
CLEAR = -np.inf
"""``edge`` where no ground is near the way."""
MOST_BARRIER_DB = 24.0
"""What a single ridge takes from a sound at most (ISO 9613-2:1996, 7.4: 20 to 25 dB)."""
UPWIND_DB = 8.0
"""What a sound loses against a wind of `UPWIND_MPS` or more beyond `UPWIND_M`; judgement, after the shadow
zones of ISO 9613-2:1996, 5 (which itself only holds downwind)."""
UPWIND_MPS, UPWIND_M = 5.0, 100.0
FALL_OFF = 6.0
"""How sharply hearing of broadcasts fades round ``range_m``."""

_erf = np.vectorize(math.erf, otypes=[np.float64])


def normal_cdf(value: F64) -> F64:
    """The standard normal distribution function."""
    out: F64 = 0.5 * (1.0 + _erf(np.asarray(value) / math.sqrt(2.0)))
    return out


def knife_edge_db(v: F64) -> F64:
    """Loss at a knife edge (ITU-R P.526-15, equation 31); none below v = -0.78."""
    shifted = np.maximum(np.asarray(v, np.float64), -0.78) - 0.1
    loss: F64 = 6.9 + 20.0 * np.log10(np.sqrt(shifted * shifted + 1.0) + shifted)
    return np.where(np.asarray(v) > -0.78, np.maximum(loss, 0.0), 0.0)


def diffraction_db(edge: F64, frequency_mhz: float) -> F64:
    """One-way loss of radio at the ground in its way."""
    return knife_edge_db(np.asarray(edge) / math.sqrt(LIGHT_MPS / (frequency_mhz * 1e6)))


def free_space_db(range_m: F64, frequency_mhz: float) -> F64:
    """Free-space loss (ITU-R P.525-4, equation 4); ranges below 1 m count as 1 m."""
    loss: F64 = 20.0 * np.log10(np.maximum(range_m, 1.0)) + 20.0 * math.log10(frequency_mhz) - 27.55
    return loss


# ------------------------------------------------------------------ radar


def swerling1_pd(snr: F64, false_alarm: float) -> F64:
    """Pd = Pfa ** (1 / (1 + SNR)): one look at a target of Swerling's first kind (Swerling 1960, IRE
    Transactions IT-6; Skolnik, Introduction to Radar Systems, 3rd edition, 2.8). ``snr`` is a ratio."""
    pd: F64 = np.power(false_alarm, 1.0 / (1.0 + np.asarray(snr)))
    return pd


def swerling1_snr(pd: float, false_alarm: float) -> float:
    """The inverse of `swerling1_pd`."""
    return math.log(false_alarm) / math.log(pd) - 1.0


def radar_snr(radar: Radar, range_m: F64, rcs_dbsm: float, edge: F64 | float = CLEAR) -> F64:
    """Signal to noise of one look, as a ratio: the reference target's, by the fourth power of range, by the
    cross-section, and less what the ground takes on both ways."""
    at_reference = swerling1_snr(radar.reference_pd, radar.false_alarm)
    fourth = np.power(radar.reference_range_m / np.maximum(range_m, 1.0), 4.0)
    gain_db = (
        rcs_dbsm - radar.reference_rcs_dbsm - 2.0 * diffraction_db(np.asarray(edge), radar.frequency_mhz)
    )
    snr: F64 = at_reference * fourth * np.power(10.0, gain_db / 10.0)
    return snr


def radar_pd(radar: Radar, range_m: F64, rcs_dbsm: float, edge: F64 | float = CLEAR) -> F64:
    """Within its instrumented ranges; its sector and its Doppler filter are not in it."""
    pd = radar.most_pd * swerling1_pd(radar_snr(radar, range_m, rcs_dbsm, edge), radar.false_alarm)
    inside = (range_m >= radar.least_range_m) & (range_m <= radar.most_range_m)
    return np.where(inside, pd, 0.0)


# ------------------------------------------------------------------ direction finder


def received_dbm(
    finder: Finder, range_m: F64, power_dbm: float, mhz: float, edge: F64 | float = CLEAR
) -> F64:
    """Mean power at the finder's input (Friis 1946, Proceedings of the IRE 34(5))."""
    power: F64 = (
        power_dbm + finder.gain_dbi - free_space_db(range_m, mhz) - diffraction_db(np.asarray(edge), mhz)
    )
    return power


def finder_pd(finder: Finder, range_m: F64, signature: Signature, edge: F64 | float = CLEAR) -> F64:
    """The chance that log-normal fading leaves the emission above the sensitivity; 0 for what is silent."""
    if signature.rf_dbm is None or signature.rf_mhz is None or not _in_band(finder, signature.rf_mhz):
        return np.zeros(np.shape(range_m))
    margin = received_dbm(finder, range_m, signature.rf_dbm, signature.rf_mhz, edge) - finder.sensitivity_dbm
    pd = finder.most_pd * normal_cdf(margin / finder.fading_db)
    return np.where(np.asarray(range_m) <= finder.most_range_m, pd, 0.0)


def finder_sigma_deg(finder: Finder, range_m: F64, signature: Signature, edge: F64 | float = CLEAR) -> F64:
    """One-sigma error of a bearing: the finder's own for a strong signal, larger as the amplitude of the
    signal over the noise sinks, at most four times as large."""
    if signature.rf_dbm is None or signature.rf_mhz is None:
        return np.full(np.shape(range_m), finder.sigma_azimuth_deg)
    power = received_dbm(finder, range_m, signature.rf_dbm, signature.rf_mhz, edge)
    weak_db = finder.sensitivity_dbm + finder.strong_db - power
    sigma: F64 = finder.sigma_azimuth_deg * np.clip(np.power(10.0, weak_db / 20.0), 1.0, 4.0)
    return sigma


def _in_band(finder: Finder, mhz: float) -> bool:
    return finder.lowest_mhz <= mhz <= finder.highest_mhz


# ------------------------------------------------------------------ sound


def noise_db(array: Acoustic, weather: Weather) -> float:
    """Level of the noise at an array: the place's, and that of the wind at the microphones."""
    wind = weather.wind_mps + 0.5 * weather.gust_mps
    return array.ambient_db + array.wind_db_per_mps * max(wind - array.calm_mps, 0.0)


def sound_level_db(
    array: Acoustic, range_m: F64, level_db: float, edge: F64 | float = CLEAR, upwind: F64 | float = 0.0
) -> F64:
    """Level of a target of ``level_db`` at 1 m: spherical spreading, absorption, a ridge in the way (Maekawa
    1968: 10 log10(3 + 20 N), Fresnel number N = v^2 / 2), and wind against the sound. ``upwind``: m/s of
    wind that blow from the array towards the target."""
    away = np.maximum(range_m, 1.0)
    v = np.asarray(edge) / math.sqrt(SOUND_MPS / array.frequency_hz)
    fresnel = np.where(v > 0.0, np.minimum(v, 1e3) ** 2 / 2.0, 0.0)
    barrier = np.where(v > 0.0, np.minimum(10.0 * np.log10(3.0 + 20.0 * fresnel), MOST_BARRIER_DB), 0.0)
    against = np.clip(np.asarray(upwind) / UPWIND_MPS, 0.0, 1.0) * np.clip(away / UPWIND_M, 0.0, 1.0)
    level: F64 = level_db - 20.0 * np.log10(away) - array.absorption_db_per_m * away
    return level - barrier - UPWIND_DB * against


def acoustic_pd(
    array: Acoustic,
    range_m: F64,
    level_db: float | None,
    weather: Weather = CALM,
    edge: F64 | float = CLEAR,
    upwind: F64 | float = 0.0,
) -> F64:
    """The chance that a target is heard above the noise; 0 for what is quiet."""
    if level_db is None:
        return np.zeros(np.shape(range_m))
    level = sound_level_db(array, range_m, level_db, edge, upwind) + array.gain_db
    margin = level - noise_db(array, weather) - array.needed_db
    pd = array.most_pd * normal_cdf(margin / array.spread_db)
    return np.where(np.asarray(range_m) <= array.most_range_m, pd, 0.0)


# ------------------------------------------------------------------ light


def pixels(camera: Camera, range_m: F64, size_m: float) -> F64:
    """Pixels across the target: size times focal length over range times pitch."""
    across: F64 = size_m * camera.focal_mm * 1e3 / (np.maximum(range_m, 1.0) * camera.pitch_um)
    return across


def johnson_pd(cycles: F64, half: float) -> F64:
    """Chance of a task that half of the targets allow with ``half`` cycles: N / N50 to the power of
    2.7 + 0.7 N / N50 (target transform probability function of the US night vision laboratory; Driggers, Cox
    and Edwards 1999, chapter 12)."""
    ratio = np.minimum(np.asarray(cycles) / half, 1e2)
    odds = np.power(np.maximum(ratio, 1e-6), np.minimum(2.7 + 0.7 * ratio, 10.0))
    pd: F64 = odds / (1.0 + odds)
    return pd


def camera_cycles(camera: Camera, range_m: F64, size_m: float) -> F64:
    """Line pairs across the target that the air leaves (Beer-Lambert on the contrast)."""
    seen: F64 = 0.5 * pixels(camera, range_m, size_m)
    return seen * np.exp(-camera.extinction_per_km * np.asarray(range_m) / 1e3)


def camera_pd(camera: Camera, range_m: F64, size_m: float, edge: F64 | float = CLEAR) -> F64:
    """The chance of detection while the camera looks there; none through the ground."""
    pd = camera.most_pd * johnson_pd(camera_cycles(camera, range_m, size_m), camera.detect_cycles)
    inside = (range_m >= camera.least_range_m) & (range_m <= camera.most_range_m)
    return np.where(inside & (np.asarray(edge) <= 0.0), pd, 0.0)


# ------------------------------------------------------------------ any


def heard_share(receiver: RemoteIdReceiver | AdsbReceiver, range_m: F64, edge: F64 | float = CLEAR) -> F64:
    """The share of broadcasts that a receiver gets; none through the ground."""
    share = receiver.near_share / (1.0 + np.power(np.asarray(range_m) / receiver.range_m, FALL_OFF))
    return np.where(np.asarray(edge) <= 0.0, share, 0.0)


def detection_probability(
    model: AnyModel,
    signature: Signature,
    range_m: F64,
    weather: Weather = CALM,
    edge: F64 | float = CLEAR,
) -> F64:
    """Of one look of any model at a target within its sector: what a planner asks."""
    if isinstance(model, Radar):
        return radar_pd(model, range_m, signature.rcs_dbsm, edge)
    if isinstance(model, Finder):
        return finder_pd(model, range_m, signature, edge)
    if isinstance(model, Acoustic):
        return acoustic_pd(model, range_m, signature.level_db, weather, edge)
    if isinstance(model, Camera):
        return camera_pd(model, range_m, signature.size_m, edge)
    if isinstance(model, AdsbReceiver) and signature.adsb is None:
        return np.zeros(np.shape(range_m))
    return heard_share(model, range_m, edge)
