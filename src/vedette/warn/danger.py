"""From the threats of one assessment to the alerts: what is raised, opened again, told anew, or over."""

from collections.abc import Mapping

from msgspec.structs import replace

from vedette.model.alert import AlertStatus
from vedette.model.event import AlertChange, Deliver, Intent
from vedette.model.threat import LEVEL_RANK, Threat
from vedette.warn.addressing import unplaced
from vedette.warn.alarm_states import is_active, step
from vedette.warn.book import Book
from vedette.warn.further import further
from vedette.warn.held import (
    Held,
    Key,
    follow,
    is_graver,
    marked,
    news,
    note_where,
    raise_alert,
    revise,
    sides_of,
    unplaced_threat,
)
from vedette.warn.incidents import grouped, incident_of
from vedette.warn.members import (
    Bodies,
    body_of,
    lead_of,
    level_of,
    member_of,
    merged,
    rank,
    worst,
)


class Danger:
    """Takes one assessment. Made anew for each of them: it holds nothing that outlives it."""

    def __init__(self, book: Book, at: float, bodies: Bodies, *, risen_only: bool) -> None:
        self._book, self._settings = book, book.settings
        self._at, self._bodies, self._all_told = at, bodies, not risen_only
        self._incidents: dict[tuple[AlertStatus, str], str] | None = None

    def take(self, threats: tuple[Threat, ...], ages: Mapping[str, float] | None) -> list[Intent]:
        """All intents, the gravest and soonest messages first. ``ages``: of the units' last reports, if who
        has none is to be told by roster."""
        near: dict[Key, list[Threat]] = {}
        for threat in threats:
            if threat.level != "info":
                status = body_of(self._bodies, threat.track).status
                near.setdefault((threat.unit, status), []).append(threat)
        if ages is not None:
            self._include_unplaced(near, ages)
        made = [self._near(key, found) for key, found in near.items()]
        if self._all_told:
            self._nothing_near(near, threats)
        intents = sorted((intent for intent in made if intent is not None), key=urgency)
        return intents + (self._group() if self._all_told else [])

    # Who is endangered ----------------------------------------------------------------------------

    def _include_unplaced(self, near: dict[Key, list[Threat]], ages: Mapping[str, float]) -> None:
        book = self._book
        for status in dict.fromkeys(key[1] for key in near):
            grave = [t for key, found in near.items() if key[1] == status for t in found if _is_grave(t)]
            if not grave:
                continue
            first = min(grave, key=_soonest)
            for unit in unplaced(book.directory.roster, ages, grave, self._settings.unplaced_s):
                found = near.get((unit, status), [])
                if not any(_is_grave(threat) for threat in found):
                    others = [threat for threat in found if threat.track != first.track]
                    near[unit, status] = [*others, unplaced_threat(unit, first, self._at)]

    def _near(self, key: Key, found: list[Threat]) -> Intent | None:
        """Drones of ADVISORY and above at one unit."""
        held = self._book.open.get(key)
        found = self._not_cancelled(key, found)
        if not found:
            if held is not None and self._all_told:
                self._note_below(held, None)
            return None
        if held is None:
            return self._raise(key, found)
        threat = self._follow(held, found)
        return None if threat is None else self._judge(held, threat)

    def _not_cancelled(self, key: Key, found: list[Threat]) -> list[Threat]:
        """Without those for which a person has just ended an alert, unless they are graver than they were."""
        before = self._book.before(key)
        if before is None or before.alert.cancelled_by is None or before.closed is None:
            return found
        if self._at - before.closed >= self._settings.cancel_holds_s:
            return found
        known = {member.track: member.level for member in before.members}
        return [t for t in found if t.track not in known or is_graver(t.level, known[t.track])]

    def _raise(self, key: Key, found: list[Threat]) -> Intent | None:
        book, at = self._book, self._at
        chosen = worst(found, self._bodies, None)
        threat = chosen[0]
        if threat.level == "advisory" and not self._has_lasted(key):
            return None
        book.pending.pop(key, None)
        seen = self._seen(threat)
        members = sorted((member_of(t, body_of(self._bodies, t.track)) for t in chosen), key=rank)
        name = book.new_name(threat.unit, at, key[1])
        held = raise_alert(name, threat, members, found, seen, at, self._settings, key[1])
        held.alert = replace(held.alert, incident=self._incident(held))
        held.alert = replace(held.alert, suppressed=book.in_hand(held))
        book.add(held)
        book.annunciate(held, at)
        return book.deliver(held, at, "unit-at-risk", worse=True)

    def _has_lasted(self, key: Key) -> bool:
        """ADVISORY only: long enough, and not straight after the end of the last alert."""
        book, at = self._book, self._at
        before = book.before(key)
        closed = None if before is None else before.closed
        if closed is not None and at - closed < self._settings.realarm_s:
            return False
        return at - book.pending.setdefault(key, at) >= self._settings.advisory_on_delay_s

    def _follow(self, held: Held, found: list[Threat]) -> Threat | None:
        """Bring its drones up to date; the lead's threat, or None if that is not told of any more."""
        at, lead = self._at, held.alert.track
        chosen = worst(found, self._bodies, lead)
        now = [member_of(threat, body_of(self._bodies, threat.track)) for threat in chosen]
        off = self._settings.off_delay_s
        held.members = merged(held.members, now, at, off, all_told=self._all_told)
        attack = sum(threat.level == "imminent" for threat in found)
        if self._all_told:
            held.whole, held.attack, held.sides = len(found), attack, sides_of(found)
        else:
            held.whole = max(held.whole, len(held.members), len(found))
            held.attack = max(held.attack, attack)
            held.sides |= sides_of(found)
        held.below_since, held.away = None, False
        leader = lead_of(held.members, held.threat.track, self._settings.lead_sooner_s)
        if leader is None:
            return None
        told = next((threat for threat in chosen if threat.track == leader.track), None)
        if told is not None:
            moved = note_where if told.track == held.threat.track else follow
            moved(held, told, self._seen(told))
            held.threat = told
        return held.threat if held.threat.track == leader.track else None

    def _judge(self, held: Held, threat: Threat) -> Intent | None:
        """What is to be said of an alert that is open."""
        book, at = self._book, self._at
        if not is_active(held.alert.state):
            return book.reopen(held, threat, at, "reactivate", "danger is back")
        if is_graver(threat.level, held.alert.level):
            return book.reopen(held, threat, at, "upgrade", f"raised from {held.alert.level}")
        if is_graver(level_of(held.members), threat.level):
            return None
        another = further(held, at, self._settings) if threat.level == "imminent" else None
        if another is not None:
            return book.reopen(held, threat, at, "further", f"another drone attacks: {another.track}")
        why = news(threat, held, at, self._settings)
        if why is None:
            return None
        lowered = why == "lowered"
        held.alert = revise(held, threat, at, self._settings)
        if lowered:
            held.alert = replace(held.alert, state=step(held.alert.state, "downgrade"))
        held.alert = marked(held.alert, "downgraded" if lowered else "updated", at)
        return book.deliver(held, at, f"unit-at-risk-{why}", worse=why == "changed")

    # Who is not -----------------------------------------------------------------------------------

    def _nothing_near(self, near: Mapping[Key, list[Threat]], threats: tuple[Threat, ...]) -> None:
        quiet = [held for key, held in self._book.open.items() if key not in near]
        for key in [key for key in self._book.pending if key not in near]:
            del self._book.pending[key]
        if quiet:
            told = {(t.track, t.unit): t for t in threats if t.level == "info"}
            for held in quiet:
                self._note_below(held, told.get((held.threat.track, held.alert.units[0])))

    def _note_below(self, held: Held, threat: Threat | None) -> None:
        at = self._at
        held.below_since = at if held.below_since is None else held.below_since
        for member in held.members:
            member.missing = at if member.missing is None else member.missing
        held.away = threat is not None and at - self._seen(threat) <= self._settings.fresh_s
        if threat is not None:
            note_where(held, threat, self._seen(threat))

    def _seen(self, threat: Threat) -> float:
        seen = body_of(self._bodies, threat.track).seen
        return self._at if seen is None else seen

    # Incidents ------------------------------------------------------------------------------------

    def _incident(self, held: Held) -> str:
        """That of an open alert about one of its drones, or one of its own."""
        status = held.alert.status
        if self._incidents is None:
            self._incidents = {}
            for other in self._book.open.values():
                self._index(other, other.alert.incident or incident_of(other))
        known = (self._incidents.get((status, member.track)) for member in held.members)
        found = next((name for name in known if name is not None), None) or incident_of(held)
        self._index(held, found)
        return found

    def _index(self, held: Held, incident: str) -> None:
        assert self._incidents is not None
        for member in held.members:
            self._incidents.setdefault((held.alert.status, member.track), incident)

    def _group(self) -> list[Intent]:
        """Incidents that have met are one from now on; desks are told."""
        if len(self._book.open) < 2:
            return []
        made: list[Intent] = []
        for held, name in grouped(self._book.open.values()):
            held.alert = marked(replace(held.alert, incident=name), "grouped", self._at)
            made.append(AlertChange(alert=held.alert))
        return made


def _is_grave(threat: Threat) -> bool:
    return threat.level in ("warning", "imminent")


def _soonest(threat: Threat) -> tuple[int, float, str, str]:
    impact = threat.time_to_impact_s
    return -LEVEL_RANK[threat.level], impact[0] if impact else 1e9, threat.track, threat.unit


def urgency(intent: Intent) -> tuple[bool, int, float, str]:
    """Sorts the messages to the most endangered first, and what only desks see last."""
    assert isinstance(intent, Deliver | AlertChange)
    alert = intent.alert
    soonest = alert.time_to_impact_s[0] if alert.time_to_impact_s else 1e9
    return isinstance(intent, AlertChange), -LEVEL_RANK[alert.level], soonest, alert.alert
