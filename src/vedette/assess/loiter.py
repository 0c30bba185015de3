"""Does a track stay in one place? A bounded memory of where each track was."""

import math

from msgspec import Struct

from vedette.assess.settings import AssessSettings
from vedette.model.track import Track

_STEP_S = 1.0


class Sample(Struct, frozen=True, array_like=True):
    """Where a track was: Unix seconds, ENU metres."""

    time: float
    e: float
    n: float


class Path(Struct):
    """Last samples of one track, oldest first, and until when it counts as a loiterer."""

    samples: list[Sample]
    since: float | None = None
    until: float | None = None


class TrackHistory:
    """Samples each track once a second for the window of the settings.

    A track loiters when its radius of gyration over at least ``loiter_span_s`` is below
    ``loiter_gyration_m``; it counts as a loiterer for ``loiter_latch_s`` after it stopped, because a
    drone that watched and then comes is the classic attack (field notes, "loiter then dive").
    """

    def __init__(self, settings: AssessSettings) -> None:
        self._settings = settings
        self.paths: dict[str, Path] = {}

    def take(self, tracks: tuple[Track, ...], at: float) -> None:
        """Note where the tracks are at ``at``; forget tracks that have not been seen for the latch time."""
        for track in tracks:
            path = self.paths.setdefault(track.id, Path([]))
            if not path.samples or at - path.samples[-1].time >= _STEP_S - 1e-6:
                self._extend(path, Sample(at, track.enu_m[0], track.enu_m[1]))
        oldest = at - self._settings.loiter_latch_s
        for name in [name for name, path in self.paths.items() if path.samples[-1].time < oldest]:
            del self.paths[name]

    def _extend(self, path: Path, sample: Sample) -> None:
        settings = self._settings
        start = sample.time - settings.loiter_window_s
        path.samples = [old for old in path.samples if old.time >= start] + [sample]
        if sample.time - path.samples[0].time < settings.loiter_span_s:
            return
        if gyration(path.samples) < settings.loiter_gyration_m:
            path.since = path.samples[0].time if path.since is None else path.since
            path.until = sample.time + settings.loiter_latch_s
        elif path.until is not None and sample.time > path.until:
            path.since = path.until = None

    def loiters(self, track: str, at: float) -> bool:
        """True if the track loiters, or did within the latch time."""
        path = self.paths.get(track)
        return path is not None and path.until is not None and at <= path.until

    def stayed_s(self, track: str, at: float) -> float:
        """Seconds for which the track loitered, or has until ``at``; 0 if it did not lately."""
        path = self.paths.get(track)
        if path is None or path.since is None or path.until is None:
            return 0.0
        return max(0.0, min(at, path.until - self._settings.loiter_latch_s) - path.since)


def gyration(samples: list[Sample]) -> float:
    """Root mean square distance of the samples from their centre, metres."""
    count = len(samples)
    ce = math.fsum(s.e for s in samples) / count
    cn = math.fsum(s.n for s in samples) / count
    return math.sqrt(math.fsum((s.e - ce) ** 2 + (s.n - cn) ** 2 for s in samples) / count)
