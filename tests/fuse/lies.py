"""Scenes of bodies that a radar sees, and of what is sent under their names, for several modules of tests."""

import math
import random
from collections.abc import Callable

from msgspec import structs

from vedette.fuse import FuseSettings, Tracker
from vedette.model import Detection, Frame, Track

Flight = Callable[[float], tuple[float, float, float]]
FLAGGED = ("contradicted", "ghost")
ONSET = 15.0


def crossing(t: float) -> tuple[float, float, float]:
    return (-900.0 + 22.0 * t, 1200.0, 90.0)


def inbound(t: float) -> tuple[float, float, float]:
    return (700.0, 1900.0 - 18.0 * t, 110.0)


def circling(t: float) -> tuple[float, float, float]:
    return (-600.0 + 150.0 * math.sin(t / 6.0), -1200.0 + 150.0 * math.cos(t / 6.0), 80.0)


def honest(flight: Flight) -> Flight:
    return flight


def displaced(flight: Flight, east: float = 400.0) -> Flight:
    return lambda t: (flight(t)[0] + (east if t >= ONSET else 0.0), *flight(t)[1:])


class Scene:
    """A radar that looks once a second, and reports once a second, with errors and losses of both."""

    def __init__(self, world, seed: int, pd: float = 0.9, clutter: int = 5) -> None:
        self.world, self.rng, self.pd, self.clutter = world, random.Random(seed), pd, clutter
        self.radar = structs.replace(world.radar, detection_probability=pd)
        self.detections: list[Detection] = []

    def seen(self, flight: Flight, seconds: int, start: int = 0) -> None:
        """A body that the radar sees."""
        for t in range(start, seconds):
            if self.rng.random() < self.pd:
                e, n, u = flight(t + 0.5)
                place = (e + self.rng.gauss(0, 5), n + self.rng.gauss(0, 5), u + self.rng.gauss(0, 5))
                self.detections.append(self.world.plot(t + 0.5, place, scan=t))

    def said(
        self, flight: Flight, seconds: int, name: str, phase: float, start: int = 0, lost: float = 0.15
    ) -> None:
        """A place that is sent under a name."""
        for t in range(start, seconds):
            if self.rng.random() >= lost:
                e, n, u = flight(t + phase)
                place = (e + self.rng.gauss(0, 3), n + self.rng.gauss(0, 3), u)
                self.detections.append(self.world.report(t + phase, place, name=name, sigma=3.0))

    def run(self, seconds: int, settings: FuseSettings | None = None) -> list[Frame]:
        """One frame a second, half a second after the radar's look."""
        for t in range(seconds):
            false = [
                (self.rng.uniform(-3e3, 3e3), self.rng.uniform(-3e3, 3e3), 90.0) for _ in range(self.clutter)
            ]
            self.detections += [self.world.plot(t + 0.5, place, scan=t) for place in false]
        tracker = Tracker(self.world.site, (self.radar,), settings or FuseSettings())
        self.detections.sort(key=lambda d: d.time)
        frames, i = [], 0
        for t in range(seconds):
            at, batch = self.world.start + t + 0.99, []
            while i < len(self.detections) and self.detections[i].time <= at:
                batch.append(self.detections[i])
                i += 1
            tracker.add(batch, at)
            frames.append(tracker.frame(at))
        self.tracker = tracker
        return frames


def bearers(frame: Frame, name: str) -> list[Track]:
    return [track for track in frame.tracks if track.identity is not None and track.identity.id == name]


def at_place(frame: Frame, place, within: float = 100.0) -> list[Track]:
    return [track for track in frame.tracks if math.dist(track.enu_m[:2], place[:2]) < within]


def flags(frames: list[Frame], name: str) -> list[bool]:
    """Second by second, whether a track that bears the name is called a lie."""
    return [any(track.trust in FLAGGED for track in bearers(frame, name)) for frame in frames]
