"""What each transmitter has said of itself, and how much of a flood each may be heard.

Anyone can transmit under any number of addresses. A flood does not repeat its addresses, or pays for
it; a drone does. So those that were heard over some time are *familiar*: they are the last to be
forgotten when memory is full, and the last to be cut short when more comes than can be used.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from vedette.model import Claim
from vedette.model.detection import ClaimScheme, ObjectClass
from vedette.wire.opendroneid import IdType

REPEAT_S, REPEAT_WITHOUT_CLOCK_S = 600.0, 1.0
"""How long the same LOCATION is a repetition: well under the hour after which time stamps recur."""
FAMILIAR_S = 1.0
"""A transmitter heard again this long after the first time is familiar."""
CROWDED_PAUSE_S = 0.25
"""Between two LOCATIONs of a familiar transmitter when there are too many."""
NEW, REPEATED, FROZEN = range(3)

_SCHEMES: tuple[tuple[int, ClaimScheme], ...] = (
    (IdType.SERIAL, "remote-id-serial"),
    (IdType.CAA_REGISTRATION, "caa-registration"),
    (IdType.SPECIFIC_SESSION, "remote-id-session"),
    (IdType.UTM_UUID, "remote-id-session"),
)


class Transmitter:
    """What one transmitter has said of itself so far."""

    __slots__ = (
        "also",
        "basics",
        "beliefs",
        "claim",
        "familiar",
        "first",
        "ids",
        "key",
        "key_time",
        "name",
        "operator",
        "operator_sent",
        "passed",
        "previous_key",
        "previous_key_time",
        "seen",
    )

    def __init__(self, address: int, seen: float) -> None:
        self.name = _address_text(address) if address >= 0 else None
        self.first = self.seen = seen
        self.familiar, self.passed = False, -math.inf
        self.basics: dict[int, bytes] = {}
        self.ids: dict[int, str] = {}
        self.beliefs: dict[ObjectClass, float] | None = None
        self.claim: Claim | None = None
        self.also: dict[str, Any] | None = None
        self.operator: tuple[int, int, int] | None = None
        self.operator_sent: tuple[float, object] | None = None
        self.key: tuple[int, int, int] | None = None
        self.previous_key: tuple[int, int, int] | None = None
        self.key_time = self.previous_key_time = 0.0

    def novelty(self, key: tuple[int, int, int], timely: bool, received: float) -> int:
        """`NEW`, `REPEATED` or `FROZEN`: whether this LOCATION was among the last two; remembers it.

        Two, because a beacon and a NAN queue of one transmitter may run one message apart.
        """
        window = REPEAT_S if timely else REPEAT_WITHOUT_CLOCK_S
        if key == self.key:
            if abs(received - self.key_time) < window:
                return REPEATED
            self.key_time = received
        elif key == self.previous_key:
            if abs(received - self.previous_key_time) < window:
                return REPEATED
            self.previous_key_time = received
        else:
            self.previous_key, self.previous_key_time = self.key, self.key_time
            self.key, self.key_time = key, received
            return NEW
        return NEW if timely or key[2] < 0 else FROZEN

    def renew_claim(self) -> None:
        """Choose the claim among the identifiers, and carry the operator's place in it."""
        claims = [(scheme, self.ids[kind]) for kind, scheme in _SCHEMES if kind in self.ids]
        if not claims:
            return
        lat_deg = lon_deg = None
        if self.operator is not None:
            lat_deg, lon_deg = self.operator[0] / 1e7, self.operator[1] / 1e7
        scheme, name = claims[0]
        self.claim = Claim(scheme=scheme, id=name, operator_lat_deg=lat_deg, operator_lon_deg=lon_deg)
        others = [{"scheme": scheme, "id": name} for scheme, name in claims[1:]]
        self.also = {"claim.also": others} if others else None


class Transmitters:
    """Transmitters by address, at most ``most`` of them; ``count`` takes what was dropped or forgotten."""

    def __init__(self, most: int, forget_after_s: float, count: Callable[[str], None]) -> None:
        self._most, self._forget_after_s, self._count = most, forget_after_s, count
        self._familiar: OrderedDict[int, Transmitter] = OrderedDict()
        self._strangers: OrderedDict[int, Transmitter] = OrderedDict()

    def find(self, address: int, received: float) -> Transmitter:
        """The transmitter with this address. One that names none is new with each frame."""
        if address < 0:
            return Transmitter(address, received)
        for table in (self._familiar, self._strangers):
            self._forget(table, received)
        known = self._familiar.get(address) or self._strangers.get(address)
        if known is None:
            self._make_room()
            known = self._strangers[address] = Transmitter(address, received)
        else:
            self._heard_again(address, known, received)
        return known

    def _heard_again(self, address: int, known: Transmitter, received: float) -> None:
        known.seen = received
        if not known.familiar and received - known.first >= FAMILIAR_S:
            known.familiar = True
            self._familiar[address] = self._strangers.pop(address)
        (self._familiar if known.familiar else self._strangers).move_to_end(address)

    def _make_room(self) -> None:
        if len(self._familiar) + len(self._strangers) >= self._most:
            (self._strangers or self._familiar).popitem(last=False)
            self._count("emitters-dropped")

    def _forget(self, table: OrderedDict[int, Transmitter], now: float) -> None:
        """Drop what was not heard for long; either way round, since capture clocks may jump back."""
        while table:
            oldest = next(iter(table.values()))
            if abs(now - oldest.seen) <= self._forget_after_s:
                return
            table.popitem(last=False)
            self._count("emitters-forgotten")


class Quota:
    """At most ``most`` LOCATIONs a second (None: no bound), half of them for familiar transmitters
    alone, and these, once the other half is used up, four times a second each."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._second = -math.inf
        self._used = 0

    def admits(self, transmitter: Transmitter, received: float) -> bool:
        """Whether a LOCATION heard at ``received`` may pass; counts it if it may."""
        if self._most is None:
            return True
        second = math.floor(received)
        if second != self._second:
            self._second, self._used = second, 0
        if self._used >= self._most or (
            self._used >= self._most // 2
            and not (transmitter.familiar and abs(received - transmitter.passed) >= CROWDED_PAUSE_S)
        ):
            return False
        self._used += 1
        transmitter.passed = received
        return True


def _address_text(address: int) -> str:
    digits = f"{address:012x}"
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))
