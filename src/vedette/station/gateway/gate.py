"""Before somebody is known: how many may stand at the gate, and how often one may be wrong, by address.

Two hundred phones behind one address must be able to come back within two seconds, so it is not coming
often that is held against an address but standing there without a word, and being wrong.
"""

from collections import OrderedDict

MOST_STRANGERS = 4000
"""Connections of all addresses that nobody has let in yet."""
MOST_OF_ADDRESS = 1000
FREE_FAULTS = 20.0
FAULTS_PER_S = 0.5
"""So many wrong tries are free, and then they come back at this pace."""
MOST_ADDRESSES = 20_000


class Gate:
    """Counts strangers and wrong tries. Times are seconds of a clock that never goes back."""

    def __init__(self) -> None:
        self.strangers = 0
        self._waiting: dict[str, int] = {}
        self._faults: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def refusal(self, address: str, now: float) -> str | None:
        """Why one more from ``address`` is not heard now; None if it is."""
        if self.strangers >= MOST_STRANGERS:
            return "too-many-strangers"
        if self._waiting.get(address, 0) >= MOST_OF_ADDRESS:
            return "too-many-strangers-of-address"
        return "too-often-wrong" if self._left(address, now) < 1.0 else None

    def enter(self, address: str) -> None:
        """One more stands there."""
        self.strangers += 1
        self._waiting[address] = self._waiting.get(address, 0) + 1

    def leave(self, address: str) -> None:
        """One was let in, or went."""
        self.strangers -= 1
        left = self._waiting.get(address, 1) - 1
        if left:
            self._waiting[address] = left
        else:
            self._waiting.pop(address, None)

    def wrong(self, address: str, now: float) -> None:
        """Somebody showed what is not good, or broke the rules."""
        self._faults[address] = (max(self._left(address, now) - 1.0, -FREE_FAULTS), now)
        self._faults.move_to_end(address)
        while len(self._faults) > MOST_ADDRESSES:
            self._faults.popitem(last=False)

    def _left(self, address: str, now: float) -> float:
        left, at = self._faults.get(address, (FREE_FAULTS, now))
        return min(FREE_FAULTS, left + (now - at) * FAULTS_PER_S)
