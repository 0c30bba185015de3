"""The way from a socket to a decoder: at most so many messages a second, the freshest of a flood kept.

What floods (a broken sender, an attacker) is read from the socket and dropped before it is decoded, so
that it costs little and the other feeds wait for nothing. A message waits for at most ``WAIT_S``: then it
has been taken or has made room for a fresher one. Order is kept.
"""

import asyncio
from collections import deque
from collections.abc import Callable

WAIT_S = 0.1
TURN_S = 0.01
MOST_BYTES = 4 << 20
"""Of one feed that may wait: large messages make room for fresher ones sooner."""


class Freshest:
    """``take`` gets messages in order, at most ``most_per_s`` and never more than a tenth of that at once;
    ``shed`` gets how many were dropped unread, before those that came after them are taken."""

    def __init__(
        self,
        most_per_s: int,
        take: Callable[[list[bytes]], None],
        shed: Callable[[int], None],
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._most_per_s, self._burst = most_per_s, max(int(most_per_s * WAIT_S), 1)
        self._most_bytes = most_bytes
        self._take, self._shed = take, shed
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._lost = 0
        self._left, self._at = float(self._burst), self._loop.time()
        self._handle: asyncio.Handle | None = None

    def put(self, message: bytes) -> None:
        """One message; it is taken in the next turn of the loop, or as soon as the budget allows."""
        self._waiting.append(message)
        self._bytes += len(message)
        while len(self._waiting) > self._burst or (self._bytes > self._most_bytes and len(self._waiting) > 1):
            self._bytes -= len(self._waiting.popleft())
            self._lost += 1
        if self._handle is None:
            self._handle = self._loop.call_soon(self._flush)

    def close(self) -> None:
        """Take nothing any more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._waiting.clear()
        self._bytes = 0

    def _flush(self) -> None:
        self._handle = None
        now = self._loop.time()
        self._left = min(self._left + (now - self._at) * self._most_per_s, float(self._burst))
        self._at = now
        if self._lost:
            lost, self._lost = self._lost, 0
            self._shed(lost)
        count = min(int(self._left), len(self._waiting))
        if count:
            self._left -= count
            taken = [self._waiting.popleft() for _ in range(count)]
            self._bytes -= sum(map(len, taken))
            self._take(taken)
        if self._waiting and self._handle is None:
            self._handle = self._loop.call_later(TURN_S, self._flush)
