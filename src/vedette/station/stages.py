"""How long each stage took, from the moment a sensor's bytes reached the station.

    received   the batch entered the engine
    tracked    the tracker has it
    assessed   threats are weighed
    logged     the disk has the decision (or 50 ms have passed)
    sent       the bytes are with the recipient's socket

Station time is used throughout, so figures are in real seconds at speed 1 only.
"""

from collections import deque
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Histogram

STAGES = ("received", "tracked", "assessed", "logged", "sent")
KEPT = 20_000
OLDEST_S = 60.0
"""What was captured longer ago was not received just now: a recording, or a receiver's wrong clock."""
BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5)


class Stages:
    """Samples (s) of each stage; ``cause`` is when the bytes behind the current batch were received."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self.cause: float | None = None
        self.samples: dict[str, deque[float]] = {stage: deque(maxlen=KEPT) for stage in STAGES}
        self.registry = CollectorRegistry()
        self._histogram = Histogram(
            "vedette_stage_seconds",
            "Time from a sensor's bytes at the station to the end of a stage",
            ["stage"],
            buckets=BUCKETS,
            registry=self.registry,
        )

    def begin(self, cause: float | None) -> None:
        """A batch whose first bytes were received at ``cause`` enters the engine."""
        self.cause = cause
        self.mark("received")

    def end(self) -> None:
        """The batch is through."""
        self.cause = None

    def mark(self, stage: str) -> None:
        """The current batch has passed ``stage``."""
        self.since(self.cause, stage)

    def since(self, cause: float | None, stage: str) -> None:
        """What was received at ``cause`` has passed ``stage``; no cause, nothing to measure."""
        if cause is not None and (passed := self._now() - cause) < OLDEST_S:
            self.record(stage, passed)

    def record(self, stage: str, seconds: float) -> None:
        """One measurement."""
        if stage in self.samples:
            self.samples[stage].append(seconds)
            self._histogram.labels(stage).observe(seconds)

    def percentiles(self) -> dict[str, dict[str, float]]:
        """Stage -> count, p50, p95, p99 and maximum in milliseconds; stages without samples left out."""
        return {stage: percentiles_ms(values) for stage, values in self.samples.items() if values}


def percentiles_ms(values: "deque[float] | list[float]") -> dict[str, float]:
    """Nearest-rank percentiles of seconds, in milliseconds."""
    ordered = sorted(values)
    last = len(ordered) - 1
    ranks = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99, "max_ms": 1.0}
    figures = {name: round(1000.0 * ordered[round(rank * last)], 3) for name, rank in ranks.items()}
    return {"count": len(ordered), **figures}
