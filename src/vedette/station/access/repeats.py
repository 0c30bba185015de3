"""The same thing said again and again: written down at once the first time, then counted."""

from collections import OrderedDict

AGAIN_S = 60.0
MOST = 1000
"""Different things that are kept in mind; beyond, the oldest is forgotten and may be written again."""


class Repeats:
    """Lets each thing through once in ``AGAIN_S``, with how many were held back since the last time."""

    def __init__(self) -> None:
        self._last: OrderedDict[tuple[str, ...], tuple[float, int]] = OrderedDict()

    def admit(self, key: tuple[str, ...], now: float) -> int | None:
        """How many of ``key`` were held back before this one; None = this one is held back too."""
        last = self._last.get(key)
        if last is not None and 0.0 <= now - last[0] < AGAIN_S:
            self._last[key] = (last[0], last[1] + 1)
            return None
        self._last[key] = (now, 0)
        self._last.move_to_end(key)
        if len(self._last) > MOST:
            self._last.popitem(last=False)
        return 0 if last is None else last[1]
