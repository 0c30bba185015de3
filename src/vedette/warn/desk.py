"""What people do with alerts: each action is taken, or refused with a reason that they get to see."""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from vedette.model.alert import Alert, AlertEvent, Receipt, Shelf
from vedette.model.event import Action, AlertChange, Intent
from vedette.model.threat import LEVEL_RANK
from vedette.warn.actions import fault
from vedette.warn.alarm_states import (
    CONFIRMATION,
    SERVICE,
    SHELVING,
    beside,
    may_be_quiet,
    step,
)
from vedette.warn.asking import ask
from vedette.warn.book import DESK, Book, Removal, shelving_of
from vedette.warn.escalation import policy_of
from vedette.warn.held import Held, marked, worded
from vedette.warn.silences import MOST as MOST_SILENCES
from vedette.warn.silences import Silence, silence_id
from vedette.warn.wording import say_cancelled

MOST_DESKS = 32
MOST_OUT = 1000


class Refused(Exception):
    """An action that cannot be taken; the message is for who did it."""


class Desk:
    """Takes one action at station time ``at``."""

    def __init__(self, book: Book, at: float) -> None:
        self._book, self._at = book, at

    def take(self, action: Action) -> list[Intent]:
        """What is to be done. One that cannot be taken is counted and answered on its alert."""
        does: dict[str, Callable[[Action], list[Intent]]] = {
            "acknowledge": self._acknowledge,
            "confirm": self._confirm,
            "downgrade": self._downgrade,
            "cancel": self._cancel,
            "escalate-now": self._escalate_now,
            "hand-over": self._hand_over,
            "shelve": self._shelve,
            "unshelve": self._unshelve,
            "silence": self._silence,
            "unsilence": self._unsilence,
            "out-of-service": self._out_of_service,
            "in-service": self._in_service,
        }
        try:
            why = fault(action)
            if why is not None:
                raise Refused(why)
            return does[action.action](action) if action.action in does else []
        except Refused as refused:
            return self._refuse(action, str(refused))

    def acknowledge(
        self, held: Held, person: str, revision: int | None, via: str, unit: str | None = None
    ) -> list[Intent]:
        """``person`` has it in hand, having read ``revision`` (None: the latest); for ``unit``, if it is
        somebody else's."""
        alert = held.alert
        if alert.state in ("active-acked", "cleared"):
            return []
        if revision is not None and revision < held.alarm_revision:
            return self._changed(
                held,
                "noted",
                f"{person} acknowledged revision {revision}; "
                f"revision {held.alarm_revision} ({alert.level}) is still open",
                person,
                via,
            )
        whom = "" if unit is None else f" for {self._book.directory.name(unit)}"
        reason = f"acknowledged by {person}{whom}"
        # ``time`` stays: it is the time of the figures, from which a reader counts down.
        taken = replace(
            alert,
            state=step(alert.state, "acknowledge", reason),
            acknowledged_by=person,
            acknowledged_for=unit,
            reason=reason,
        )
        held.alert = marked(taken, "acknowledged", self._at, by=person, via=via, unit=unit)
        held.asked, held.stern, held.grave = 0, None, None
        if taken.state == "cleared":
            held.alert = replace(self._book.end_over(held, self._at), state="cleared")
            return self._book.close(held, self._at)
        return [self._book.change(held, self._at)]

    def heard_of(self, held: Held, answers: Sequence[Receipt]) -> list[Intent]:
        """Those who were asked about the unit say that they know; the unit itself has not answered."""
        known = set(held.answered)
        news = {one.recipient: one for one in answers if one.recipient not in known}
        if held.closed is not None or not news:
            return []
        held.answered = [*held.answered, *news]
        last = next(reversed(news.values()))
        person = last.by or last.recipient
        more = "" if len(news) == 1 else f" and {len(news) - 1} more"
        words = "knows" if len(news) == 1 else "know"
        reason = f"{person}{more} {words}; the unit has not answered"
        return self._changed(held, "noted", reason, person, last.channel)

    # One alert ------------------------------------------------------------------------------------

    def _acknowledge(self, action: Action) -> list[Intent]:
        held = self._known(action)
        if action.unit is not None and action.unit not in held.alert.units:
            raise Refused("the alert is not about that unit")
        said = action.value or ""
        revision = int(said) if said.isascii() and said.isdigit() and len(said) < 9 else None
        return self.acknowledge(held, action.actor, revision, action.via, action.unit)

    def _confirm(self, action: Action) -> list[Intent]:
        held = self._known(action)
        if held.alert.acknowledged_by is None:
            raise Refused("nobody has acknowledged it yet")
        if held.alert.confirmed_by is not None:
            raise Refused("it is confirmed already")
        beside(CONFIRMATION, "unconfirmed", "confirm")
        held.alert = replace(held.alert, confirmed_by=action.actor)
        return self._changed(held, "confirmed", f"confirmed by {action.actor}", action.actor, action.via)

    def _downgrade(self, action: Action) -> list[Intent]:
        held = self._open(action)
        level = next(known for known in LEVEL_RANK if known == action.value)
        if LEVEL_RANK[level] >= LEVEL_RANK[held.alert.level]:
            raise Refused("that is no lower level")
        held.alert = replace(held.alert, desk_level=level)
        still = "" if may_be_quiet(held.alert.level) else "; the unit is still told of IMMINENT danger"
        reason = f"lowered to {level} by {action.actor}: {action.reason}{still}"
        return self._changed(held, "lowered-by-desk", reason, action.actor, action.via)

    def _cancel(self, action: Action) -> list[Intent]:
        held, at = self._open(action), self._at
        reason = f"cancelled by {action.actor}: {action.reason}"
        said = say_cancelled(at, held.alert.status, self._book.settings.voice())
        ended = replace(
            worded(held.alert, said),
            time=at,
            revision=held.alert.revision + 1,
            state=step(held.alert.state, "cancel", reason),
            cancelled_by=action.actor,
            reason=reason,
            expires=at,
            time_to_impact_s=None,
            earliest_s=None,
        )
        held.alert = marked(ended, "cancelled", at, by=action.actor, via=action.via)
        return self._book.close(held, at)

    def _escalate_now(self, action: Action) -> list[Intent]:
        held = self._open(action)
        policy = policy_of(held, self._book.settings.escalation)
        if policy is None:
            raise Refused("it is in hand, or of a level that nobody is asked about")
        number, held.asked = held.asked, held.asked + 1
        return ask(self._book, held, self._at, policy, number, by=action.actor)

    def _shelve(self, action: Action) -> list[Intent]:
        held = self._open(action)
        if not may_be_quiet(held.alert.level):
            raise Refused("IMMINENT is never shelved")
        once = action.value == "once"
        desk, most = action.desk or DESK, self._book.settings.shelve_most_s
        others = tuple(shelf for shelf in held.alert.shelved if shelf.desk != desk)
        own = next((shelf for shelf in held.alert.shelved if shelf.desk == desk), None)
        if len(others) >= MOST_DESKS:
            raise Refused("too many desks have shelved it")
        beside(SHELVING, shelving_of(own), "shelve-once" if once else "shelve")
        until = self._at + min(action.for_s or most, most)
        shelf = Shelf(desk=desk, by=action.actor, reason=action.reason or "", until=until, once=once)
        held.alert = replace(held.alert, shelved=(*others, shelf))
        reason = f"shelved at {desk} by {action.actor}: {action.reason}"
        return self._changed(held, "shelved", reason, action.actor, action.via)

    def _unshelve(self, action: Action) -> list[Intent]:
        held = self._open(action)
        desk = action.desk or DESK
        if all(shelf.desk != desk for shelf in held.alert.shelved):
            raise Refused("it is not shelved at that desk")
        kept = tuple(shelf for shelf in held.alert.shelved if shelf.desk != desk)
        held.alert = replace(held.alert, shelved=kept)
        reason = f"no longer shelved at {desk}, by {action.actor}"
        return self._changed(held, "unshelved", reason, action.actor, action.via)

    # More than one alert --------------------------------------------------------------------------

    def _silence(self, action: Action) -> list[Intent]:
        book, at = self._book, self._at
        if len(book.silences) >= MOST_SILENCES:
            raise Refused("there are too many silences; end one first")
        length = action.for_s or 0.0
        if length > book.settings.silence_most_s:
            raise Refused(f"nobody silences for longer than {book.settings.silence_most_s:.0f} s")
        what = (action.unit, action.track, action.object_class)
        silence = Silence(
            silence=silence_id(action.actor, at, what),
            by=action.actor,
            reason=action.reason or "",
            began=at,
            until=at + length,
            unit=action.unit,
            track=action.track,
            object_class=action.object_class,
        )
        book.silences = [*(s for s in book.silences if s.silence != silence.silence), silence]
        return stood_anew(book, at)

    def _unsilence(self, action: Action) -> list[Intent]:
        kept = [silence for silence in self._book.silences if silence.silence != action.value]
        if len(kept) == len(self._book.silences):
            raise Refused("there is no such silence")
        self._book.silences = kept
        return stood_anew(self._book, self._at)

    def _out_of_service(self, action: Action) -> list[Intent]:
        book, unit = self._book, action.unit or ""
        if len(book.out) >= MOST_OUT and unit not in book.out:
            raise Refused("too many units are out of service")
        beside(SERVICE, "out-of-service" if unit in book.out else "in-service", "remove")
        book.out[unit] = Removal(unit=unit, by=action.actor, reason=action.reason or "", since=self._at)
        return stood_anew(book, self._at)

    def _in_service(self, action: Action) -> list[Intent]:
        book, unit = self._book, action.unit or ""
        if unit not in book.out:
            raise Refused("it is not out of service")
        beside(SERVICE, "out-of-service", "place")
        del book.out[unit]
        back = [held for held in book.open.values() if held.alert.units[0] == unit]
        return [book.deliver(held, self._at, "unit-back-in-service", worse=True) for held in back]

    def _hand_over(self, action: Action) -> list[Intent]:
        desk, holders = action.desk or DESK, self._book.holders
        if desk not in holders and len(holders) >= MOST_DESKS:
            raise Refused("there are too many desks")
        holders[desk] = action.value or ""
        return []

    # Inside ---------------------------------------------------------------------------------------

    def _known(self, action: Action) -> Held:
        held = self._book.find(action.alert)
        if held is None:
            raise Refused("there is no such alert")
        return held

    def _open(self, action: Action) -> Held:
        held = self._known(action)
        if held.closed is not None:
            raise Refused("the alert has ended")
        return held

    def _changed(self, held: Held, event: AlertEvent, reason: str, by: str, via: str) -> list[Intent]:
        held.alert = marked(replace(held.alert, reason=reason), event, self._at, by=by, via=via)
        return [self._book.change(held, self._at)]

    def _refuse(self, action: Action, why: str) -> list[Intent]:
        self._book.counts[f"{action.action}-refused: {why}"] += 1
        held = self._book.find(action.alert)
        if held is None or not action.actor.strip():
            return []
        answered = _with_answer(held.alert, action, why)
        held.alert = marked(answered, "refused", self._at, by=answered_by(action), via=action.via[:80])
        return [AlertChange(alert=held.alert)]


def stood_anew(book: Book, at: float) -> list[Intent]:
    """Silences or services have changed: the alerts on which that shows."""
    intents: list[Intent] = []
    for held in book.open.values():
        before = held.alert
        book.note_standing(held, at)
        if held.alert != before:
            intents.append(AlertChange(alert=held.alert))
    return intents


def answered_by(action: Action) -> str:
    """The actor, in a length that fits a line."""
    return action.actor[:80]


def _with_answer(alert: Alert, action: Action, why: str) -> Alert:
    if alert.state == "cleared":
        return alert
    return replace(alert, reason=f"{action.action} by {answered_by(action)} was not taken: {why}")
