"""The warner: threats in, intents out. It decides and never sends; pure, and without a clock."""

from collections import Counter
from collections.abc import Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from vedette.model.alert import Alert, Receipt
from vedette.model.errors import InputError
from vedette.model.event import Action, AlertChange, Clear, Deliver, Escalate, Intent
from vedette.model.threat import LEVEL_RANK, Threat
from vedette.model.unit import Roster
from vedette.warn.alarm_states import AlarmEvent, is_active, step
from vedette.warn.held import (
    WITNESS_RANK,
    Held,
    Witness,
    ended,
    is_graver,
    news,
    note_where,
    raise_alert,
    revise,
)
from vedette.warn.settings import WarnSettings

_SOUNDING = ("imminent", "warning")

Pair = tuple[str, str]


class _Saved(Struct, frozen=True, kw_only=True):
    alerts: list[Held]
    roster: Roster
    counts: dict[str, int]


class Warner:
    """One alert for each threat (track x unit) from ADVISORY up.

    An upgrade goes out at once and opens the alarm again. What lowers, repeats or ends an alert
    waits for the times in the settings. Input that cannot be used is counted by reason in ``counts``.
    """

    def __init__(self, settings: WarnSettings | None = None) -> None:
        self._settings = WarnSettings() if settings is None else settings
        self._roster = Roster(version=0)
        self._alerts: dict[str, Held] = {}
        self._latest: dict[Pair, str] = {}
        self._advised: Counter[tuple[str, int]] | None = None
        self._witnesses: Mapping[str, Witness] = {}
        self.counts: Counter[str] = Counter()

    def roster(self, roster: Roster) -> None:
        """Take the roster in force; deliveries name its version."""
        self._roster = roster

    def threats(
        self,
        threats: tuple[Threat, ...],
        at: float,
        detected: Mapping[str, float] | None = None,
        risen_only: bool = False,
        witnesses: Mapping[str, Witness] | None = None,
    ) -> list[Intent]:
        """Take all threats of one assessment. Returns the gravest and soonest messages first.

        ``risen_only``: these are the ones that have risen, and nothing follows for the others.

        ``detected``: when each track was last detected (`Track.updated`, Unix seconds); a track that
        is not in it counts as detected now. A pair that had an alert and is now below ADVISORY moved
        away; one that is missing or whose track coasts is not seen any more. The assessment goes on
        telling of a pair it warned of while its track lives. ``witnesses``: how each track is known; one
        that is not in it is a broadcast.
        """
        seen, self._witnesses = detected or {}, witnesses or {}
        self._advised = None
        alarming = {(t.track, t.unit): t for t in threats if t.level != "info"}
        made = [self._alarm(pair, t, seen.get(t.track, at), at) for pair, t in alarming.items()]
        quiet = [] if risen_only else [(pair, held) for pair, held in self._open() if pair not in alarming]
        if quiet:
            told = {(t.track, t.unit): t for t in threats if t.level == "info"}
            for pair, held in quiet:
                self._note_below(held, told.get(pair), seen.get(pair[0], at), at)
        intents: list[Intent] = [*sorted((d for d in made if d is not None), key=_urgency)]
        return intents

    def _note_below(self, held: Held, threat: Threat | None, seen: float, at: float) -> None:
        held.below_since = at if held.below_since is None else held.below_since
        held.away = threat is not None and at - seen <= self._settings.fresh_s
        if threat is not None:
            note_where(held, threat, seen)

    def _open(self) -> list[tuple[Pair, Held]]:
        latest = [(pair, self._alerts[name]) for pair, name in self._latest.items()]
        return [(pair, held) for pair, held in latest if held.closed is None]

    def _alarm(self, pair: Pair, threat: Threat, seen: float, at: float) -> Deliver | None:
        held = self._alerts.get(self._latest.get(pair, ""))
        if held is None or held.closed is not None:
            return self._raise(pair, threat, seen, held, at)
        held.below_since, held.away = None, False
        held.witness = self._witness(threat)
        note_where(held, threat, seen)
        if not is_active(held.alert.state):
            return self._reopen(held, threat, at, "reactivate", "danger is back")
        if is_graver(threat, held.alert):
            return self._reopen(held, threat, at, "upgrade", f"raised from {held.alert.level}")
        why = news(threat, held, at, self._settings)
        if why is None:
            return None
        held.alert = revise(held.alert, threat, at, self._settings)
        return self._deliver(held, at, f"unit-at-risk-{why}", sound=_sounds(held.alert, why == "changed"))

    def _raise(
        self, pair: Pair, threat: Threat, seen: float, before: Held | None, at: float
    ) -> Deliver | None:
        closed = None if before is None else before.closed
        if threat.level == "advisory":
            if closed is not None and at - closed < self._settings.realarm_s:
                return None
            if self._advisories(threat) >= self._settings.most_advisories:
                self.counts["advisory-beyond-the-limit-of-a-unit"] += 1
                return None
        held = raise_alert(threat, seen, at, self._settings, self._witness(threat))
        self._alerts[held.alert.alert] = held
        self._latest[pair] = held.alert.alert
        if threat.level == "advisory" and self._advised is not None:
            self._advised[threat.unit, WITNESS_RANK[held.witness]] += 1
        return self._deliver(held, at, "unit-at-risk", sound=_sounds(held.alert, True))

    def _witness(self, threat: Threat) -> Witness:
        return self._witnesses.get(threat.track, "broadcast")

    def _advisories(self, threat: Threat) -> int:
        """Open ADVISORY alerts of its unit about what is known as well as this, or better; counted once
        for each assessment."""
        if self._advised is None:
            open_ = ((pair[1], held) for pair, held in self._open() if held.alert.level == "advisory")
            self._advised = Counter((unit, WITNESS_RANK[held.witness]) for unit, held in open_)
        least = WITNESS_RANK[self._witness(threat)]
        return sum(self._advised[threat.unit, rank] for rank in WITNESS_RANK.values() if rank >= least)

    def _reopen(self, held: Held, threat: Threat, at: float, event: AlarmEvent, reason: str) -> Deliver:
        """The alarm opens again: whoever acknowledged it before has not acknowledged this."""
        state = step(held.alert.state, event)
        revised = revise(held.alert, threat, at, self._settings)
        held.alert = replace(revised, state=state, reason=reason, acknowledged_by=None)
        held.alarmed, held.alarm_revision = at, held.alert.revision
        held.escalated, held.returned = 0, None
        return self._deliver(held, at, f"unit-at-risk-{event}", sound=_sounds(held.alert, True))

    def _deliver(self, held: Held, at: float, rule: str, sound: bool) -> Deliver:
        held.sent = at
        return Deliver(
            alert=held.alert,
            recipients=held.alert.units,
            rule=rule,
            roster_version=self._roster.version,
            sound=sound,
        )

    def receipt(self, receipt: Receipt, at: float) -> list[Intent]:
        """Take one fact about one message. Only 'acknowledged' touches the alarm, never 'shown'."""
        held = self._alerts.get(receipt.alert)
        if held is None:
            self.counts["receipt-of-unknown-alert"] += 1
        elif not 1 <= receipt.revision <= held.alert.revision:
            self.counts["receipt-of-unknown-revision"] += 1
        elif receipt.recipient not in held.alert.units:
            self.counts["receipt-not-from-a-recipient"] += 1
        elif held.receipts.take(receipt) and receipt.fact == "acknowledged":
            return self._acknowledge(held, receipt.by or receipt.recipient, receipt.revision, at)
        return []

    def action(self, action: Action, at: float) -> list[Intent]:
        """Take what a person did. 'acknowledge' acts on the latest revision, or on the one that
        ``value`` names; a disposition, downgrade or note changes no alarm: IMMINENT is never silenced."""
        if action.action != "acknowledge":
            return []
        held = self._alerts.get(action.alert or "")
        if held is None:
            self.counts["acknowledgement-of-unknown-alert"] += 1
            return []
        if not action.actor:
            self.counts["acknowledgement-by-nobody"] += 1
            return []
        seen = action.value or ""
        revision = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 9 else None
        return self._acknowledge(held, action.actor, revision, at)

    def _acknowledge(self, held: Held, person: str, revision: int | None, at: float) -> list[Intent]:
        alert = held.alert
        if alert.state in ("active-acked", "cleared"):
            return []
        if revision is not None and revision < held.alarm_revision:
            reason = (
                f"{person} acknowledged revision {revision}; "
                f"revision {held.alarm_revision} ({alert.level}) is still open"
            )
            held.alert = replace(alert, reason=reason)
            return [AlertChange(alert=held.alert)]
        reason = f"acknowledged by {person}"
        state = step(alert.state, "acknowledge", reason)
        # ``time`` stays: it is the time of the figures, from which a reader counts down.
        held.alert = replace(alert, state=state, acknowledged_by=person, reason=reason)
        return [self._close(held, at)] if state == "cleared" else [AlertChange(alert=held.alert)]

    def tick(self, at: float) -> list[Intent]:
        """Time passed: escalate what nobody has in hand, end what is over, forget what is long closed."""
        intents: list[Intent] = []
        for name in sorted(self._alerts):
            held = self._alerts[name]
            if held.closed is None:
                intents += self._age(held, at)
        self._forget(at)
        return intents

    def _age(self, held: Held, at: float) -> list[Intent]:
        state = held.alert.state
        if state == "returned-unacked":
            over = held.returned is not None and at - held.returned >= self._settings.linger_s
            return [self._expire(held, at)] if over else []
        if held.below_since is not None and at - held.below_since >= self._settings.off_delay_s:
            return [self._return(held, at)]
        return self._escalate(held, at) if state == "active-unacked" else []

    def _return(self, held: Held, at: float) -> Intent:
        over = ended(held, at)
        held.alert = replace(over, state=step(held.alert.state, "return", over.reason))
        held.returned = at
        return self._close(held, at) if held.alert.state == "cleared" else AlertChange(alert=held.alert)

    def _expire(self, held: Held, at: float) -> Clear:
        """A fresh look at where it was last: it may have been seen leaving since it returned."""
        over = ended(held, at)
        held.alert = replace(over, state=step(held.alert.state, "expire", over.reason))
        return self._close(held, at)

    def _close(self, held: Held, at: float) -> Clear:
        held.closed = at
        if held.returned is not None:
            over = ended(held, at)
            held.alert = replace(held.alert, text=over.text, reason=_joined(held.alert, over))
        return Clear(alert=held.alert, recipients=held.alert.units)

    def _escalate(self, held: Held, at: float) -> list[Intent]:
        if held.alert.level not in _SOUNDING:
            return []
        waited, due = at - held.alarmed, self._settings.escalate_s
        steps = [n for n, after in enumerate(due, start=1) if n > held.escalated and waited >= after]
        held.escalated = max(steps, default=held.escalated)
        return [
            Escalate(
                alert=held.alert.alert,
                revision=held.alert.revision,
                recipients=held.alert.units,
                after_s=due[n - 1],
                step=n,
            )
            for n in steps
        ]

    def _forget(self, at: float) -> None:
        old = at - self._settings.keep_closed_s
        for name in [n for n, h in self._alerts.items() if h.closed is not None and h.closed < old]:
            alert = self._alerts.pop(name).alert
            pair = (alert.track, alert.units[0])
            if self._latest.get(pair) == name:
                del self._latest[pair]

    def alerts(self) -> tuple[Alert, ...]:
        """Open alerts, worst and soonest first, then those that closed in the last ten minutes."""
        held = sorted(self._alerts.values(), key=_reading_order)
        return tuple(h.alert for h in held)

    def receipts(self, alert: str) -> tuple[Receipt, ...]:
        """The receipts of one alert as they became known; empty for an alert that is not held."""
        held = self._alerts.get(alert)
        return () if held is None else tuple(held.receipts.kept)

    def state(self) -> bytes:
        """All that later intents depend on; the same state gives the same bytes."""
        saved = _Saved(
            alerts=[self._alerts[name] for name in sorted(self._alerts)],
            roster=self._roster,
            counts={name: self.counts[name] for name in sorted(self.counts)},
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
        warner._roster = saved.roster
        warner.counts.update(saved.counts)
        for held in sorted(saved.alerts, key=lambda h: (h.raised, h.alert.alert)):
            warner._alerts[held.alert.alert] = held
            warner._latest[(held.alert.track, held.alert.units[0])] = held.alert.alert
        return warner


def _sounds(alert: Alert, worse: bool) -> bool:
    """IMMINENT always sounds; WARNING when it is new or worse; nothing below."""
    return alert.level == "imminent" or (worse and alert.level == "warning")


def _joined(alert: Alert, over: Alert) -> str:
    """Why it ended, and who had acknowledged it."""
    by = f"; acknowledged by {alert.acknowledged_by}" if alert.acknowledged_by else ""
    return f"{over.reason}{by}"


def _urgency(delivery: Deliver) -> tuple[int, float, str]:
    alert = delivery.alert
    soonest = alert.time_to_impact_s[0] if alert.time_to_impact_s else 1e9
    return -LEVEL_RANK[alert.level], soonest, alert.alert


def _reading_order(held: Held) -> tuple[bool, int, float, str]:
    alert = held.alert
    if held.closed is not None:
        return True, 0, -held.closed, alert.alert
    soonest = alert.time_to_impact_s[0] if alert.time_to_impact_s else 1e9
    return False, -LEVEL_RANK[alert.level], soonest, alert.alert
