"""All that the warner holds, and the few ways in which an alert becomes another one."""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from vedette.model.alert import Alert, AlertStatus, Shelf
from vedette.model.event import AlertChange, Clear, Deliver, Intent
from vedette.model.threat import LEVEL_RANK, Threat
from vedette.model.unit import Roster
from vedette.warn.addressing import Directory
from vedette.warn.alarm_states import SHELVING, AlarmEvent, beside, may_be_quiet, step
from vedette.warn.further import name_all
from vedette.warn.held import Held, Key, alert_id, ended, is_graver, is_unplaced, marked, revise, worded
from vedette.warn.rates import Rates
from vedette.warn.settings import WarnSettings
from vedette.warn.silences import Silence, matching
from vedette.warn.wording import say_about

DESK = "desk"
"""The desk that is there when nobody says which."""
MOST_CLOSED = 1000
_CHANGES = {"upgrade": "upgraded", "further": "further", "reactivate": "reactivated"}


class Removal(Struct, frozen=True, kw_only=True):
    """A unit that ``by`` took out of service, since when and why."""

    unit: str
    by: str
    reason: str
    since: float


class Book:
    """``open``: alerts by unit and status; ``closed``: those that ended, by id, in order of their end."""

    def __init__(self, settings: WarnSettings) -> None:
        self.settings = settings
        self.directory = Directory(Roster(version=0))
        self.open: dict[Key, Held] = {}
        self.closed: dict[str, Held] = {}
        self.last: dict[Key, str] = {}
        self.pending: dict[Key, float] = {}
        self.silences: list[Silence] = []
        self.out: dict[str, Removal] = {}
        self.holders: dict[str, str] = {}
        self.rates = Rates(desks={})
        self.counts: Counter[str] = Counter()
        self._names: dict[str, Held] = {}

    def held(self) -> Iterable[Held]:
        """All alerts, open ones first."""
        yield from self.open.values()
        yield from self.closed.values()

    def find(self, name: str | None) -> Held | None:
        """The alert of this id."""
        return self._names.get(name or "")

    def before(self, key: Key) -> Held | None:
        """The last alert of this unit that ended, if it is still known."""
        return self.closed.get(self.last.get(key, ""))

    def add(self, held: Held) -> None:
        """An alert that has been raised, or one from a saved state."""
        self._names[held.alert.alert] = held
        if held.closed is None:
            self.open[held.key] = held
        else:
            self.closed[held.alert.alert] = held
            self.last[held.key] = held.alert.alert

    def new_name(self, unit: str, at: float, status: AlertStatus) -> str:
        """An id that no alert has that is held."""
        number = 0
        while (name := alert_id(unit, at, status, number)) in self._names:
            number += 1
        return name

    # An alert becomes another one -----------------------------------------------------------------

    def reopen(self, held: Held, threat: Threat, at: float, event: AlarmEvent, reason: str) -> Intent:
        """The alarm opens again: whoever acknowledged it before has not acknowledged this.

        Those who are being asked already go on being asked from where they were: an attacker who makes an
        alarm rise again and again must not put off the escalation.
        """
        before = held.alert
        state = step(before.state, event)
        if before.state == "active-acked" or (event == "reactivate" and held.grave is None):
            held.opened, held.asked, held.answered, held.stern = at, 0, [], None
        if threat.level != "advisory" and held.stern is None:
            held.stern, held.asked = at, 0
        if threat.level == "imminent" and held.grave is None:
            held.grave, held.asked = at, 0
        revised = revise(held, threat, at, self.settings)
        held.alert = marked(
            replace(
                revised,
                state=state,
                reason=reason,
                acknowledged_by=None,
                acknowledged_for=None,
                confirmed_by=None,
                desk_level=None,
                suppressed=None,
                shelved=_still_shelved(revised),
            ),
            _CHANGES[event],  # type: ignore[arg-type]
            at,
        )
        held.alarm_revision, held.reopened, held.returned = held.alert.revision, at, None
        self.annunciate(held, at)
        return self.deliver(held, at, f"unit-at-risk-{event}", worse=True)

    def deliver(self, held: Held, at: float, rule: str, *, worse: bool) -> Intent:
        """This revision to its unit; to desks only, if the unit is out of service and not in IMMINENT
        danger. ``worse``: it is new to the reader."""
        self.note_standing(held, at)
        held.sent = at
        name_all(held, at)
        held.witness = next((m.witness for m in held.members if m.track == held.alert.track), held.witness)
        alert = held.alert
        if alert.out_of_service is not None and may_be_quiet(alert.level):
            return AlertChange(alert=alert)
        channels, later = self.directory.ways(alert.units[0], asked=held.asked > 0)
        return Deliver(
            alert=alert,
            recipients=alert.units,
            rule=f"{rule}-by-roster" if is_unplaced(alert) else rule,
            roster_version=self.directory.roster.version,
            sound=_sounds(alert, worse),
            channels=channels,
            later=later,
        )

    def note_standing(self, held: Held, at: float) -> None:
        """Whether it is silenced or its unit out of service: decided anew for every message."""
        unit = held.alert.units[0]
        removal = self.out.get(unit)
        silence = matching(self.silences, unit, held.members, at)
        quiet = silence is not None and may_be_quiet(held.alert.level)
        held.alert = replace(
            held.alert,
            out_of_service=None if removal is None else f"{removal.by}: {removal.reason}",
            silenced=f"{silence.by}: {silence.reason}" if quiet and silence is not None else None,
        )

    def change(self, held: Held, at: float) -> AlertChange:
        """The desks' copy has changed and nobody else is told."""
        self.note_standing(held, at)
        return AlertChange(alert=held.alert)

    def close(self, held: Held, at: float) -> list[Intent]:
        """It has ended; ``held.alert`` says why. Whoever was told of it is told that."""
        held.closed = at
        self.open.pop(held.key, None)
        self.closed[held.alert.alert] = held
        self.last[held.key] = held.alert.alert
        intents: list[Intent] = [Clear(alert=held.alert, recipients=held.alert.units)]
        if held.told:
            intents.append(Clear(alert=self._about(held, at), recipients=tuple(held.told)))
        return intents

    def _about(self, held: Held, at: float) -> Alert:
        """Its end for those who are not the unit."""
        alert = held.alert
        in_hand = alert.acknowledged_by or alert.cancelled_by
        said = say_about(
            "ended-there-answered" if in_hand else "ended-there",
            self.directory.name(alert.units[0]),
            alert.level,
            at if in_hand else held.seen,
            alert.status,
            self.settings.voice(),
        )
        return worded(alert, said)

    def end_over(self, held: Held, at: float) -> Alert:
        """The alert as it ends because the danger is over, and who had it in hand."""
        over = ended(held, at, self.settings)
        by = held.alert.acknowledged_by
        return replace(over, reason=f"{over.reason}; acknowledged by {by}" if by else over.reason)

    def forget(self, at: float) -> None:
        """What closed long ago; the oldest first if there are too many."""
        old = at - self.settings.keep_closed_s
        excess = len(self.closed) - MOST_CLOSED
        while self.closed:
            name, held = next(iter(self.closed.items()))
            if excess <= 0 and (held.closed is None or held.closed >= old):
                return
            excess -= 1
            del self.closed[name], self._names[name]
            if self.last.get(held.key) == name:
                del self.last[held.key]

    # Desks ----------------------------------------------------------------------------------------

    def annunciate(self, held: Held, at: float) -> None:
        """The alarm opened: every desk that shows it has one alarm more to take in."""
        if is_graver(held.alert.level, held.peak):
            held.peak = held.alert.level
        else:
            held.sounded = [*held.sounded[-2:], at]
        if held.alert.suppressed is not None:
            return
        aside = {shelf.desk for shelf in held.alert.shelved}
        for desk in dict.fromkeys((DESK, *sorted(self.holders))):
            if desk not in aside:
                self.rates.took(desk, held.alert.level, at)

    def in_hand(self, held: Held) -> str | None:
        """Why the desks need not sound for a new alert: its incident is in hand at this level already."""
        alert = held.alert
        if not may_be_quiet(alert.level) or alert.incident is None:
            return None
        for other in self.open.values():
            one = other.alert
            if (
                one.incident == alert.incident
                and one.state == "active-acked"
                and LEVEL_RANK[one.level] >= LEVEL_RANK[alert.level]
            ):
                return f"{one.acknowledged_by} has incident {alert.incident} in hand"
        return None


def _still_shelved(alert: Alert) -> tuple[Shelf, ...]:
    """What a desk put aside until the alarm opens again comes back; so does all that is IMMINENT."""
    if not may_be_quiet(alert.level):
        return ()
    return tuple(
        shelf for shelf in alert.shelved if beside(SHELVING, shelving_of(shelf), "open") != "unshelved"
    )


def shelving_of(shelf: Shelf | None) -> str:
    """The state of `SHELVING` that a desk's shelf stands for."""
    if shelf is None:
        return "unshelved"
    return "one-shot-shelved" if shelf.once else "timed-shelved"


def _sounds(alert: Alert, worse: bool) -> bool:
    """IMMINENT sounds for as long as nobody has it in hand; WARNING when it is new or worse, unless a person
    decided otherwise; nothing below, and nothing that was acknowledged."""
    if alert.state != "active-unacked":
        return False
    if not may_be_quiet(alert.level):
        return True
    lowered = alert.desk_level is not None and LEVEL_RANK[alert.desk_level] < LEVEL_RANK["warning"]
    return worse and alert.level == "warning" and alert.silenced is None and not lowered
