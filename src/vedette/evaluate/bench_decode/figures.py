"""What a measurement of decoding gives, and the scene that all formats describe.

Two hundred objects in turn, a thousand frames a second, each frame with a new position, counter and
time, so that no frame is the same as another and no cache flatters a decoder.
"""

import resource
from typing import NamedTuple, Protocol

EMITTERS = 200
FRAMES_PER_S = 1000
START_S = 1_790_000_000.0
SITE = (48.0, 11.0)
"""Latitude and longitude around which everything flies."""

Figures = dict[str, object]


class Bench(Protocol):
    """One format. ``frames`` None: as many as give a steady figure."""

    def __call__(self, frames: int | None) -> Figures:
        """Make frames, decode them, and return the figures."""
        ...


class Fix(NamedTuple):
    """Where one object is at one moment. ``turn`` counts its frames. Degrees, metres, m/s, Unix seconds."""

    emitter: int
    turn: int
    time: float
    lat_deg: float
    lon_deg: float
    height_m: float
    course_deg: float
    speed_mps: float
    climb_mps: float


def fix(number: int) -> Fix:
    """The object and the moment that frame ``number`` tells of."""
    emitter, turn = number % EMITTERS, number // EMITTERS
    return Fix(
        emitter=emitter,
        turn=turn,
        time=START_S + number / FRAMES_PER_S,
        lat_deg=SITE[0] + emitter * 1e-3 + turn * 1e-6,
        lon_deg=SITE[1] + emitter * 1e-3 - turn * 1e-6,
        height_m=500.0 + turn % 200 * 0.5,
        course_deg=float((emitter + turn) % 360),
        speed_mps=turn % 100 * 0.25,
        climb_mps=turn % 9 * 0.5 - 2.0,
    )


def peak_rss_mb() -> float:
    """The most memory that this process has held, megabytes."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
