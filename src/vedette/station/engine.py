"""The engine: gives every event its number and time, drives the core, and hands on what it decides.

What the core sees is what the log holds: each body goes through its JSON form before the core gets
it, so that a replay starts from the same bits, and a body that cannot be written (a NaN) is refused
at the gate. Ticks stand on the 100 ms grid of station time.
"""

import math
from collections.abc import Callable, Iterable

import msgspec

from vedette.core import Core
from vedette.model import Event, InputError, Intent
from vedette.model.event import KIND_OF, TICK_S, Body, Tick, decode_body, encode_body

MAX_TICKS = 600
"""Ticks made up for at once after a stall; beyond, time jumps (a suspended machine)."""
TICKS_PER_S = round(1 / TICK_S)


class Engine:
    """Numbers events from ``seq`` + 1 on. ``submit`` takes each batch of events for the log, and
    ``effect`` each intent with its sequence number, after the core has decided it."""

    def __init__(
        self,
        core: Core,
        now: Callable[[], float],
        submit: Callable[[list[Event]], None],
        effect: Callable[[Event], None],
        fault: Callable[[Event, Exception], None],
        seq: int = 0,
        at: float = 0.0,
    ) -> None:
        self.core = core
        self.seq = seq
        self.at = at
        self._now = now
        self._submit = submit
        self._effect = effect
        self._fault = fault
        # An empty log has no time before it that ticks would have to make up for.
        self._tick = math.floor((at or now()) * TICKS_PER_S)

    def enter(self, body: Body) -> Event:
        """One input event, behind the ticks that are due. Raises InputError if it cannot be logged."""
        as_logged = exact(body)
        at = max(self._now(), self.at)
        self._ticks(at)
        return self._step(as_logged, at)

    def tick(self) -> None:
        """Let station time pass."""
        self._ticks(max(self._now(), self.at))

    def resume(self, intents: Iterable[Intent]) -> None:
        """Log and perform what a crash cut off: the core had decided it, the log does not have it."""
        events = [self._number(intent, self.at) for intent in intents]
        self._submit(events)
        for event in events:
            self._effect(event)

    def note(self, body: Body) -> Event:
        """An event that is recorded and not fed to the core (segment, snapshot)."""
        event = self._number(exact(body), max(self._now(), self.at))
        self._submit([event])
        return event

    def _ticks(self, at: float) -> None:
        due = math.floor(at * TICKS_PER_S)
        first = max(self._tick + 1, due - MAX_TICKS + 1)
        for number in range(first, due + 1):
            self._step(Tick(), max(number / TICKS_PER_S, self.at))
        self._tick = max(self._tick, due)

    def _step(self, body: Body, at: float) -> Event:
        event = self._number(body, at)
        decided = [self._number(intent, at) for intent in self._intents(event)]
        self._submit([event, *decided])
        for intent in decided:
            self._effect(intent)
        return event

    def _intents(self, event: Event) -> list[Intent]:
        """What the core decides. A fault in it is told, the event stays in the log, and the next one
        is taken: no station falls over one event. A replay meets the same fault and does the same."""
        try:
            return self.core.step(event)
        except Exception as error:
            self._fault(event, error)
            return []

    def _number(self, body: Body, at: float) -> Event:
        self.seq += 1
        self.at = at
        return Event(self.seq, at, body)


def exact(body: Body) -> Body:
    """The body as the log will give it back."""
    kind = KIND_OF[type(body)]
    try:
        return decode_body(kind, encode_body(body))
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise InputError(f"{kind} event refused: {error}") from None
