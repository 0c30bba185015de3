"""So many a second and no more: what strangers can cause must not fill the record."""

MOST_KEYS = 10_000
"""Kept in mind; beyond, the one that was asked for longest ago begins anew."""


class Pace:
    """At most ``per_s`` a second of each key, and ``burst`` at once. Times are the caller's, in seconds."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s, self._burst = per_s, float(burst)
        self._left: dict[str, tuple[float, float]] = {}

    def admits(self, key: str, at: float) -> bool:
        """True if one more of ``key`` may pass at ``at``; it is counted."""
        left, last = self._left.pop(key, (self._burst, at))
        left = min(left + max(at - last, 0.0) * self._per_s, self._burst)
        passes = left >= 1.0
        self._left[key] = (left - passes, at)
        if len(self._left) > MOST_KEYS:
            del self._left[next(iter(self._left))]
        return passes
