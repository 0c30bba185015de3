"""Positions from pairs of CPR messages, one aircraft at a time, refusing what no aircraft can fly.

Source: RTCA DO-260B, 2.2.10.3 to 2.2.10.6: a global decode from an even and an odd message, the next
of the other grid as its confirmation, local decodes afterwards, and a reasonableness test at each step.
Nothing here makes a position true: whoever transmits chooses it.
"""

import math
from collections import OrderedDict

import msgspec

from vedette.wire.adsb import cpr
from vedette.wire.adsb.cpr import Place
from vedette.wire.adsb.messages import AirbornePosition, SurfacePosition

PAIR_S = 10.0
"""Longest time between the two messages of a global decode."""
FIX_LIFE_S = 60.0
"""A fix older than this is no reference any more: the next position needs a new pair."""
FASTEST_MPS, AIRBORNE_SLACK_M = 700.0, 1000.0
FASTEST_SURFACE_MPS, SURFACE_SLACK_M = 130.0, 300.0
LINE_OF_SIGHT_M = 556_000.0
"""300 NM: beyond the radio horizon of an aircraft at 60,000 ft."""
JUMPS_TO_FORGET = 3
_EARTH_M = 6_371_009.0


class ResolverCounters(msgspec.Struct):
    """How many position messages ended how; ``evicted`` and ``forgotten`` count aircraft."""

    fixes: int = 0
    waiting: int = 0
    """No partner yet, or a first decode that waits for its confirmation."""
    jumps: int = 0
    out_of_range: int = 0
    mismatched: int = 0
    """The two messages straddle a change of zones, or do not belong together."""
    unplaced: int = 0
    """Messages without a position (type code 0), and surface ones where the receiver's place is unknown."""
    forgotten: int = 0
    evicted: int = 0


class _Half(msgspec.Struct, frozen=True):
    time_s: float
    surface: bool
    lat_cpr: int
    lon_cpr: int


class _Aircraft(msgspec.Struct):
    halves: list[_Half | None]
    fix: Place | None = None
    fix_time_s: float = 0.0
    fix_odd: bool = False
    confirmed: bool = False
    jumps: int = 0


class PositionResolver:
    """Position messages in, positions out.

    Args:
        receiver: where the antenna is; None = unknown, then surface positions without an earlier
            airborne fix stay unplaced and no distance is refused.
        max_range_m: positions farther from the receiver than this are refused.
        max_aircraft: the least recently heard aircraft is dropped beyond this.
    """

    def __init__(
        self,
        receiver: Place | None = None,
        max_range_m: float = LINE_OF_SIGHT_M,
        max_aircraft: int = 4096,
    ) -> None:
        self.counters = ResolverCounters()
        self._receiver = receiver
        self._max_range_m = max_range_m
        self._max_aircraft = max_aircraft
        self._aircraft: OrderedDict[int, _Aircraft] = OrderedDict()

    def resolve(
        self, aircraft: int, time_s: float, message: AirbornePosition | SurfacePosition
    ) -> Place | None:
        """The position of one message; None while it cannot be known or believed.

        ``aircraft`` is any key (the address, with its source where that matters); ``time_s`` seconds of
        any one clock. Late messages are used, up to `PAIR_S`.
        """
        if isinstance(message, AirbornePosition) and message.type_code == 0:
            self.counters.unplaced += 1
            return None
        surface = isinstance(message, SurfacePosition)
        return self.resolve_raw(aircraft, time_s, surface, message.odd, message.lat_cpr, message.lon_cpr)

    def resolve_raw(
        self, aircraft: int, time_s: float, surface: bool, odd: bool, lat_cpr: int, lon_cpr: int
    ) -> Place | None:
        """As `resolve`, from the bare fields (type code 0 excluded by the caller)."""
        state = self._state(aircraft)
        half = _Half(time_s, surface, lat_cpr, lon_cpr)
        state.halves[odd] = half
        if state.fix is not None and abs(time_s - state.fix_time_s) > FIX_LIFE_S:
            self._forget(state)
        if state.fix is None:
            self._first(state, half, odd)
            return None
        return self._next(state, half, odd)

    def _state(self, aircraft: int) -> _Aircraft:
        state = self._aircraft.get(aircraft)
        if state is None:
            state = self._aircraft[aircraft] = _Aircraft([None, None])
            if len(self._aircraft) > self._max_aircraft:
                self._aircraft.popitem(last=False)
                self.counters.evicted += 1
        self._aircraft.move_to_end(aircraft)
        return state

    def _forget(self, state: _Aircraft) -> None:
        self.counters.forgotten += 1
        state.fix, state.confirmed, state.jumps = None, False, 0

    def _first(self, state: _Aircraft, half: _Half, odd: bool) -> None:
        """Try a global decode; its result waits for the next message to agree with it."""
        other = state.halves[not odd]
        if half.surface and self._receiver is None:
            self.counters.unplaced += 1
            return
        if other is None or other.surface != half.surface or abs(half.time_s - other.time_s) > PAIR_S:
            self.counters.waiting += 1
            return
        place = self._global(half, other, odd)
        if place is None:
            self.counters.mismatched += 1
        elif self._too_far(place):
            self.counters.out_of_range += 1
        else:
            self.counters.waiting += 1
            state.fix, state.fix_time_s, state.fix_odd = place, half.time_s, odd
            state.confirmed, state.jumps = False, 0

    def _global(self, half: _Half, other: _Half, odd: bool) -> Place | None:
        new, old = (half.lat_cpr, half.lon_cpr), (other.lat_cpr, other.lon_cpr)
        even_pair, odd_pair = (old, new) if odd else (new, old)
        if not half.surface:
            return cpr.decode_global(even_pair, odd_pair, odd)
        assert self._receiver is not None
        return cpr.decode_global_surface(even_pair, odd_pair, odd, self._receiver)

    def _next(self, state: _Aircraft, half: _Half, odd: bool) -> Place | None:
        assert state.fix is not None
        place = cpr.decode_local(half.lat_cpr, half.lon_cpr, odd, state.fix, half.surface)
        if place is None or not _reachable(state, place, half):
            self._jumped(state)
            return None
        if self._too_far(place):
            self.counters.out_of_range += 1
            return None
        if not state.confirmed and odd == state.fix_odd:
            # The same frame heard twice must not confirm itself: only the other grid can contradict.
            self.counters.waiting += 1
            return None
        state.fix, state.fix_time_s, state.confirmed, state.jumps = place, half.time_s, True, 0
        self.counters.fixes += 1
        return place

    def _jumped(self, state: _Aircraft) -> None:
        self.counters.jumps += 1
        state.jumps += 1
        if not state.confirmed or state.jumps >= JUMPS_TO_FORGET:
            self._forget(state)

    def _too_far(self, place: Place) -> bool:
        return self._receiver is not None and distance_m(self._receiver, place) > self._max_range_m


def _reachable(state: _Aircraft, place: Place, half: _Half) -> bool:
    assert state.fix is not None
    fastest, slack = (
        (FASTEST_SURFACE_MPS, SURFACE_SLACK_M) if half.surface else (FASTEST_MPS, AIRBORNE_SLACK_M)
    )
    return distance_m(state.fix, place) <= fastest * abs(half.time_s - state.fix_time_s) + slack


def distance_m(a: Place, b: Place) -> float:
    """Metres along the great circle on a sphere: good to 0.6 %, enough to refuse the impossible."""
    lat_a, lat_b = math.radians(a.lat_deg), math.radians(b.lat_deg)
    half_lat = math.sin((lat_b - lat_a) / 2.0)
    half_lon = math.sin(math.radians(b.lon_deg - a.lon_deg) / 2.0)
    chord = half_lat * half_lat + math.cos(lat_a) * math.cos(lat_b) * half_lon * half_lon
    return 2.0 * _EARTH_M * math.asin(min(1.0, math.sqrt(chord)))
