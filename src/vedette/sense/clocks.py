"""How far a sender's clock is from ours, by the times that it writes into its messages.

A message is received a delay after it was made, and the delay is never negative. So the least difference
``received - sent`` of the last minute is the clock's offset plus the least delay, and what is above it is
jitter of the way. One-way times cannot tell a late clock from a slow way; both make a position old.
"""

from collections import deque

from msgspec import Struct

WINDOW_S = 60.0
BUCKET_S = 1.0
LEAST_MESSAGES = 3
STUCK_AFTER_S = 10.0
UNSURE_S = 0.3
"""One-sigma of a time that was put right: the least delay is not known."""


class _Bucket(Struct):
    second: float
    least: float
    most: float


class Timed(Struct, frozen=True):
    """When a detection is taken to have been made, and the one-sigma doubt of that, seconds."""

    time: float
    sigma_s: float


class SenderClock:
    """The clock of one sender. Times in seconds, ``sent`` and ``received`` on one scale; ``received`` does
    not decrease. Memory is bounded by the window, whatever is sent."""

    def __init__(self) -> None:
        self._buckets: deque[_Bucket] = deque()
        self._messages = 0
        self._latest = self._latest_at = float("-inf")
        self._since: float | None = None

    def note(self, sent: float, received: float) -> None:
        """A message came."""
        behind = received - sent
        self._messages += 1
        if sent > self._latest or self._since is None:
            self._latest, self._latest_at = sent, received
        self._since = received
        if self._buckets and received - self._buckets[-1].second < BUCKET_S:
            last = self._buckets[-1]
            last.least, last.most = min(last.least, behind), max(last.most, behind)
        else:
            self._buckets.append(_Bucket(received, behind, behind))
        while received - self._buckets[0].second > WINDOW_S:
            self._buckets.popleft()

    @property
    def behind_s(self) -> float | None:
        """How far its times are behind ours; negative = ahead, which no delay explains. None = not known
        yet."""
        if self._messages < LEAST_MESSAGES:
            return None
        return min(bucket.least for bucket in self._buckets)

    @property
    def jitter_s(self) -> float:
        """Spread of the delays of the last minute."""
        least = min((bucket.least for bucket in self._buckets), default=0.0)
        return max((bucket.most for bucket in self._buckets), default=0.0) - least

    @property
    def stuck(self) -> bool:
        """True if messages go on coming and their times have stood still."""
        return self._since is not None and self._since - self._latest_at > STUCK_AFTER_S

    def timed(self, sent: float, received: float, tolerated_s: tuple[float, float]) -> Timed:
        """When to take a message for made: at its own time while its clock is within ``tolerated_s``
        (lowest and highest of ``received - sent``), else at its receipt, less the delay that it had more
        than others; never later than its receipt. Call `note` first."""
        if tolerated_s[0] <= received - sent <= tolerated_s[1]:
            return Timed(sent, 0.0)
        behind = self.behind_s
        if behind is None or self.stuck:
            return Timed(received, 1.0)
        return Timed(min(sent + behind, received), UNSURE_S + min(self.jitter_s, 1.0))
