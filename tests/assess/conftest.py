"""A flat site, and makers of tracks and unit reports in its frame."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vedette.assess import Assessor, Model, read_model
from vedette.geo import LocalFrame
from vedette.model import Frame, Site, Threat, Track, UnitReport

BASE = 1_700_000_000.0
SITE = Site(name="ridge", lat_deg=31.5, lon_deg=-110.9, alt_m=1200.0, alt_datum="wgs84-ellipsoid")


def covariance(position_sigma: float, velocity_sigma: float) -> tuple[float, ...]:
    """Upper triangle of a diagonal 6 x 6 covariance."""
    diagonal = [position_sigma**2] * 3 + [velocity_sigma**2] * 3
    return tuple(diagonal[r] if r == c else 0.0 for r in range(6) for c in range(r, 6))


def make_track(name: str = "T1", **changes: Any) -> Track:
    given: dict[str, Any] = {
        "id": name,
        "enu_m": (0.0, 1000.0, 80.0),
        "velocity_mps": (0.0, 0.0, 0.0),
        "covariance": covariance(5.0, 1.0),
        "existence": 0.98,
        "beliefs": {"fpv": 0.7, "multirotor": 0.2, "bird": 0.05, "unknown": 0.05},
    }
    return Track(**(given | changes))


def make_report(name: str = "alpha", east: float = 0.0, north: float = 0.0, **changes: Any) -> UnitReport:
    lat, lon, alt = LocalFrame(SITE.lat_deg, SITE.lon_deg, SITE.alt_m).to_geodetic(east, north, 0.0)
    given: dict[str, Any] = {
        "time": BASE,
        "unit": name,
        "lat_deg": lat,
        "lon_deg": lon,
        "sigma_m": 5.0,
        "mobility": "post",
        "alt_m": alt,
        "alt_datum": "wgs84-ellipsoid",
    }
    return UnitReport(**(given | changes))


def fly(
    assessor: Assessor, path: Iterable[tuple[float, Track]], at: float = BASE
) -> Iterator[tuple[float, tuple[Threat, ...]]]:
    """Assess one frame after the other; ``path`` gives seconds after ``at`` and the track then."""
    for after, track in path:
        frame = Frame(time=at + after, tracks=(track,))
        yield after, assessor.assess(frame, at + after)


def straight(
    start: tuple[float, float, float],
    velocity: tuple[float, float, float],
    seconds: int,
    **changes: Any,
) -> list[tuple[float, Track]]:
    """One track a second along a line."""
    return [
        (
            float(t),
            make_track(
                enu_m=tuple(p + v * t for p, v in zip(start, velocity, strict=True)),
                velocity_mps=velocity,
                **changes,
            ),
        )
        for t in range(seconds)
    ]


PLAIN_MODEL = Path(__file__).with_name("plain_model.json")
"""Ten terms set by hand. What rules, levels and words do is held against it, and not against what was fitted
last; whether the shipped model warns in time is the matter of test_encounters.py."""


@pytest.fixture
def plain_model() -> Model:
    return read_model(PLAIN_MODEL.read_bytes(), PLAIN_MODEL.name)


@pytest.fixture
def site() -> Site:
    return SITE


@pytest.fixture
def base() -> float:
    return BASE


@pytest.fixture
def track_of() -> Callable[..., Track]:
    return make_track


@pytest.fixture
def report_of() -> Callable[..., UnitReport]:
    return make_report


@pytest.fixture
def line() -> Callable[..., list[tuple[float, Track]]]:
    return straight


def _flier(model: Model | None) -> Callable[..., list[tuple[float, tuple[Threat, ...]]]]:
    def run(
        path: Iterable[tuple[float, Track]], *reports: UnitReport
    ) -> list[tuple[float, tuple[Threat, ...]]]:
        assessor = Assessor(SITE, model=model)
        for report in reports or (make_report(),):
            assessor.unit(report, BASE)
        return list(fly(assessor, path))

    return run


@pytest.fixture
def flown(plain_model: Model) -> Callable[..., list[tuple[float, tuple[Threat, ...]]]]:
    """Fly a path past one post at the origin and return the threats of every second."""
    return _flier(plain_model)


@pytest.fixture
def flown_as_shipped() -> Callable[..., list[tuple[float, tuple[Threat, ...]]]]:
    """The same with the model that is shipped."""
    return _flier(None)
