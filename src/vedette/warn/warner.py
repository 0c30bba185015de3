"""The warner: threats in, intents out. It decides and never sends; pure, and without a clock."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import get_args

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from vedette.model.alert import Alert, AlertStatus, Receipt
from vedette.model.errors import InputError
from vedette.model.event import Action, Intent
from vedette.model.threat import LEVEL_RANK, Level, Threat
from vedette.model.unit import Roster
from vedette.warn.addressing import Directory
from vedette.warn.alarm_states import SHELVING, beside, may_be_quiet, step
from vedette.warn.answers import answered
from vedette.warn.asking import ask
from vedette.warn.book import Book, Removal, shelving_of
from vedette.warn.danger import Danger
from vedette.warn.desk import Desk, stood_anew
from vedette.warn.escalation import after, due, policy_of
from vedette.warn.held import Held, Key, marked
from vedette.warn.members import Bodies
from vedette.warn.rates import DeskRates, Rates
from vedette.warn.settings import WarnSettings
from vedette.warn.silences import Silence, matching


class _Pending(Struct, frozen=True):
    key: Key
    since: float


class _Saved(Struct, frozen=True, kw_only=True):
    open: list[Held]
    closed: list[Held]
    pending: list[_Pending]
    silences: list[Silence]
    out: list[Removal]
    holders: dict[str, str]
    rates: Rates
    roster: Roster
    counts: dict[str, int]


class Warner:
    """One alert for each unit in danger from ADVISORY up, however many drones there are.

    An upgrade goes out at once and opens the alarm again, and so does a further drone that changes what the
    unit must know. What lowers, repeats or ends an alert waits for the times in the settings. Input that
    cannot be used is counted by reason in ``counts``.
    """

    def __init__(self, settings: WarnSettings | None = None) -> None:
        self._book = Book(WarnSettings() if settings is None else settings)

    @property
    def counts(self) -> Counter[str]:
        """What could not be used, by reason."""
        return self._book.counts

    def roster(self, roster: Roster) -> None:
        """Take the roster in force; deliveries name its version."""
        self._book.directory = Directory(roster)

    def threats(
        self,
        threats: tuple[Threat, ...],
        at: float,
        bodies: Bodies | None = None,
        *,
        risen_only: bool = False,
        ages: Mapping[str, float] | None = None,
    ) -> list[Intent]:
        """Take all threats of one assessment. Returns the gravest and soonest messages first.

        ``risen_only``: these are the ones that have risen, and nothing follows for the others.

        ``bodies``: what is known of each track; one that is not in it counts as detected now, by a broadcast,
        and as actual. A unit that had an alert and whose drones are all below ADVISORY is told that they
        moved away; of one that is missing or coasts, that it is not seen any more. The assessment goes on
        telling of a pair it warned of while its track lives. ``ages``: seconds since the last report of
        every unit; if given, units of the roster without one are told of graver danger to their own.
        """
        danger = Danger(self._book, at, bodies or {}, risen_only=risen_only)
        return danger.take(threats, None if risen_only else ages)

    def receipt(self, receipt: Receipt, at: float) -> list[Intent]:
        """Take one fact about one message. Only 'acknowledged' touches the alarm, never 'shown'; and only
        that of the unit itself ends the asking."""
        return self.receipts_of((receipt,), at)

    def receipts_of(self, receipts: Sequence[Receipt], at: float) -> list[Intent]:
        """Take facts that became known together, in their order. Tens of thousands may answer for one
        alert: the desks' copy of it changes once."""
        of_alert: dict[str, list[Receipt]] = {}
        for receipt in receipts:
            of_alert.setdefault(receipt.alert, []).append(receipt)
        intents: list[Intent] = []
        for name, found in of_alert.items():
            held = self._book.find(name)
            if held is None:
                self.counts["receipt-of-unknown-alert"] += len(found)
            else:
                intents += answered(self._book, held, found, at)
        return intents

    def action(self, action: Action, at: float) -> list[Intent]:
        """Take what a person did. 'acknowledge' acts on the latest revision, or on the one that ``value``
        names. Nothing but an acknowledgement or 'cancel' ends what is asked of a unit in IMMINENT danger."""
        return Desk(self._book, at).take(action)

    def tick(self, at: float) -> list[Intent]:
        """Time passed: escalate what nobody has in hand, end what is over, forget what is long closed."""
        intents: list[Intent] = []
        book = self._book
        if any(silence.until <= at for silence in book.silences):
            book.silences = [silence for silence in book.silences if at < silence.until]
            intents += stood_anew(book, at)
        for held in list(book.open.values()):
            intents += self._age(held, at)
        book.forget(at)
        return intents

    def _age(self, held: Held, at: float) -> list[Intent]:
        settings, alert = self._book.settings, held.alert
        if alert.state == "returned-unacked":
            linger = settings.linger_s if held.grave is None else settings.imminent_linger_s
            if held.returned is not None and at - held.returned >= linger:
                return self._expire(held, at)
            return self._escalate(held, at)
        if held.below_since is not None and at - held.below_since >= settings.off_delay_s:
            return self._return(held, at)
        lapsed = self._unshelve(held, at) if alert.shelved else []
        return [*lapsed, *self._escalate(held, at)]

    def _return(self, held: Held, at: float) -> list[Intent]:
        """The danger is over. Who was told of IMMINENT and has not answered is asked on, and told so."""
        book = self._book
        over = book.end_over(held, at)
        held.alert = marked(
            replace(over, state=step(held.alert.state, "return", over.reason)), "returned", at
        )
        held.returned = at
        if held.alert.state == "cleared":
            held.alert = marked(held.alert, "cleared", at)
            return book.close(held, at)
        if held.grave is None:
            return [book.change(held, at)]
        held.alert = replace(held.alert, expires=at + book.settings.imminent_linger_s)
        return [book.deliver(held, at, "unit-at-risk-returned", worse=False)]

    def _expire(self, held: Held, at: float) -> list[Intent]:
        """A fresh look at where it was last: it may have been seen leaving since it returned."""
        over = self._book.end_over(held, at)
        reason = f"{over.reason}; nobody acknowledged"
        state = step(held.alert.state, "expire", reason)
        held.alert = marked(replace(over, state=state, reason=reason), "expired", at)
        return self._book.close(held, at)

    def _escalate(self, held: Held, at: float) -> list[Intent]:
        policy = policy_of(held, self._book.settings.escalation)
        if policy is None or (held.grave is None and self._is_quiet(held, at)):
            return []
        numbers = due(*policy, held.asked, at)
        if not numbers:
            return []
        held.asked = numbers[-1] + 1
        return [intent for number in numbers for intent in ask(self._book, held, at, policy, number)]

    def _is_quiet(self, held: Held, at: float) -> bool:
        """A person decided that nobody need be asked about this WARNING."""
        alert, book = held.alert, self._book
        unit = alert.units[0]
        lowered = alert.desk_level is not None and LEVEL_RANK[alert.desk_level] < LEVEL_RANK["warning"]
        silenced = matching(book.silences, unit, held.members, at) is not None
        return may_be_quiet(alert.level) and (lowered or silenced or unit in book.out)

    def _unshelve(self, held: Held, at: float) -> list[Intent]:
        """Shelves whose time is over."""
        kept = tuple(shelf for shelf in held.alert.shelved if at < shelf.until)
        over = [shelf for shelf in held.alert.shelved if at >= shelf.until]
        if not over:
            return []
        for shelf in over:
            beside(SHELVING, shelving_of(shelf), "lapse")
        reason = f"no longer shelved at {', '.join(shelf.desk for shelf in over)}: the time is over"
        held.alert = marked(replace(held.alert, shelved=kept, reason=reason), "unshelved", at)
        return [self._book.change(held, at)]

    # What is held ---------------------------------------------------------------------------------

    def alerts(self) -> tuple[Alert, ...]:
        """Open alerts, worst and soonest first, then those that closed in the last ten minutes."""
        return tuple(held.alert for held in sorted(self._book.held(), key=_reading_order))

    def alert(self, alert: str) -> Alert | None:
        """The latest revision of an alert that is held."""
        held = self._book.find(alert)
        return None if held is None else held.alert

    def alerts_of(self, unit: str) -> tuple[Alert, ...]:
        """A unit's alerts: those that are open, and where none is, the one that ended last."""
        keys: list[Key] = [(unit, status) for status in get_args(AlertStatus)]
        held = (self._book.open.get(key) or self._book.before(key) for key in keys)
        return tuple(one.alert for one in held if one is not None)

    def drones(self, alert: str) -> tuple[tuple[str, Level], ...]:
        """The drones of an alert as of the last assessment, the lead first, each with its level; of one that
        has just gone missing, the level that it had."""
        held = self._book.find(alert)
        if held is None:
            return ()
        members = sorted(held.members, key=lambda member: member.track != held.threat.track)
        return tuple((member.track, member.level) for member in members)

    def receipts(self, alert: str) -> tuple[Receipt, ...]:
        """The receipts of one alert as they became known; empty for an alert that is not held."""
        held = self._book.find(alert)
        return () if held is None else tuple(held.receipts.kept)

    def next_step(self, alert: str) -> float | None:
        """When the next step of escalation of an alert is due; None if nobody is asked about it."""
        held = self._book.find(alert)
        policy = None if held is None else policy_of(held, self._book.settings.escalation)
        if held is None or policy is None:
            return None
        return policy[1] + after(policy[0], held.asked)

    def rates(self, at: float) -> tuple[DeskRates, ...]:
        """How many alarms each desk has had to take in."""
        return self._book.rates.at(at, self._book.open.values())

    def silences(self) -> tuple[Silence, ...]:
        """What makes no sound by somebody's decision."""
        return tuple(self._book.silences)

    def out_of_service(self) -> tuple[Removal, ...]:
        """Units that are told of IMMINENT danger only, by somebody's decision."""
        return tuple(self._book.out.values())

    def holders(self) -> dict[str, str]:
        """Who took over which desk."""
        return dict(self._book.holders)

    def state(self) -> bytes:
        """All that later intents depend on; the same state gives the same bytes."""
        book = self._book
        saved = _Saved(
            open=list(book.open.values()),
            closed=list(book.closed.values()),
            pending=[_Pending(key, since) for key, since in book.pending.items()],
            silences=book.silences,
            out=list(book.out.values()),
            holders=book.holders,
            rates=book.rates,
            roster=book.directory.roster,
            counts={name: book.counts[name] for name in sorted(book.counts)},
        )
        return msgspec.msgpack.encode(saved)

    @classmethod
    def restore(cls, settings: WarnSettings | None, state: bytes) -> "Warner":
        """The warner that made ``state``. Raises InputError on bytes that are no state."""
        try:
            saved = msgspec.msgpack.decode(state, type=_Saved)
        except msgspec.MsgspecError as error:
            raise InputError(f"warner state cannot be read: {error}; replay the log instead") from None
        warner = cls(settings)
        book = warner._book
        book.directory = Directory(saved.roster)
        book.counts.update(saved.counts)
        for held in (*saved.open, *saved.closed):
            book.add(held)
        book.pending = {pending.key: pending.since for pending in saved.pending}
        book.silences, book.holders, book.rates = saved.silences, saved.holders, saved.rates
        book.out = {removal.unit: removal for removal in saved.out}
        return warner


def _reading_order(held: Held) -> tuple[bool, int, float, str]:
    alert = held.alert
    if held.closed is not None:
        return True, 0, -held.closed, alert.alert
    soonest = alert.time_to_impact_s[0] if alert.time_to_impact_s else 1e9
    return False, -LEVEL_RANK[alert.level], soonest, alert.alert
