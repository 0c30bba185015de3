"""The warner under any sequence of threats, receipts, actions, restarts and time.

What must hold after every step: no IMMINENT danger to a person is without an alert that says so, unless a
person has ended it with a reason; and such an alert is acknowledged, or somebody is being asked.
"""

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from vedette.model import Receipt, Threat
from vedette.model.event import Action, AlertChange, Clear, Deliver, Escalate
from vedette.model.threat import LEVEL_RANK
from vedette.model.unit import Duty, Roster, RosterEntry
from vedette.warn import Body, Warner, WarnSettings
from vedette.warn.alarm_states import TRANSITIONS
from vedette.warn.members import MOST

BASE = 1_700_000_000.0
LEVELS = st.sampled_from([None, "info", "advisory", "warning", "imminent"])
PAIRS = [("T1", "alpha"), ("T1", "bravo"), ("T2", "alpha"), ("T3", "alpha"), ("X1", "alpha"), ("X1", "bravo")]
BODIES = {"T1": Body(witness="sensor", kind="fpv"), "X1": Body(status="exercise"), "T3": Body(kind="bird")}
STATUS = {"X1": "exercise"}
ROSTERS = [
    Roster(version=1),
    Roster(
        version=2,
        units=(
            RosterEntry(unit="alpha", team="one", lead="bravo", second=("sms",)),
            RosterEntry(unit="bravo", team="one"),
            RosterEntry(unit="lost", team="one"),
        ),
        duty=(Duty(role="watch-officer", unit="desk", begins=BASE, until=BASE + 60.0),),
    ),
]
KINDS = [
    "acknowledge", "confirm", "downgrade", "cancel", "escalate-now", "hand-over", "shelve", "unshelve",
    "silence", "unsilence", "out-of-service", "in-service", "disposition", "note",
]  # fmt: skip
WITHIN_S = 50.0
"""The longest pause between two steps of the shipped policy of IMMINENT, and a little."""


def threat(pair, level, at, bearing, due):
    return Threat(
        time=at,
        track=pair[0],
        unit=pair[1],
        risk=0.5,
        level=level,
        behaviour="closing",
        evidence=(),
        bearing_deg=bearing,
        range_m=400.0,
        closing_mps=5.0,
        time_to_impact_s=None if due is None else (due * 0.8, due),
        earliest_s=10.0,
    )


class AnyDay(RuleBasedStateMachine):
    """Drives a warner and its twin, which is saved and restored at every step."""

    def __init__(self):
        super().__init__()
        self.warner = Warner()
        self.twin = Warner()
        self.at = BASE
        self.latest = {}
        self.ended = set()
        self.level_now = {}
        self.cancelled = {}

    def both(self, call):
        intents = call(self.warner)
        self.twin = Warner.restore(None, self.twin.state())
        assert call(self.twin) == intents
        assert self.twin.state() == self.warner.state()
        for intent in intents:
            self.check(intent)
        return intents

    def check(self, intent):
        if isinstance(intent, Escalate):
            alert = self.latest[intent.alert]
            assert alert.state in ("active-unacked", "returned-unacked")
            assert intent.revision == alert.revision
            assert intent.recipients
            return
        alert = intent.alert
        before = self.latest.get(alert.alert)
        told_already = alert.alert in self.ended
        assert not told_already or isinstance(intent, Clear | AlertChange)
        if isinstance(intent, Deliver):
            self.check_delivery(intent, before)
        if isinstance(intent, Clear):
            assert alert.state == "cleared"
            assert alert.reason
            self.ended.add(alert.alert)
        if before is not None and before.state != alert.state:
            assert (before.state, alert.state) in {(s, after) for (s, _), after in TRANSITIONS.items()}
        self.latest[alert.alert] = alert

    def check_delivery(self, intent, before):
        alert = intent.alert
        assert intent.recipients
        assert alert.state != "cleared"
        assert alert.expires > self.at
        if alert.level == "imminent":
            assert intent.sound == (alert.state == "active-unacked") or intent.rule.startswith("escalation")
            assert (alert.silenced, alert.shelved, alert.suppressed) == (None, (), None)
        if intent.rule.startswith("escalation"):
            assert before is not None
            assert alert.revision in (before.revision, before.revision + 1)
            assert intent.sound
            return
        if intent.rule != "unit-back-in-service":
            assert before is None or alert.revision > before.revision
        assert (alert.text["en"].startswith("EXERCISE.")) == (alert.status == "exercise")
        if before is not None and LEVEL_RANK[alert.level] > LEVEL_RANK[before.level]:
            assert alert.state == "active-unacked"

    @rule(
        levels=st.tuples(*[LEVELS] * len(PAIRS)),
        bearings=st.tuples(*[st.sampled_from([0.0, 20.0, 100.0, 190.0])] * len(PAIRS)),
        due=st.sampled_from([None, 3.0, 25.0, 60.0]),
        ages=st.sampled_from([None, {"alpha": 1.0, "bravo": 5.0}, {"alpha": 900.0, "bravo": 5.0}]),
    )
    def assess(self, levels, bearings, due, ages):
        self.level_now = dict(zip(PAIRS, levels, strict=True))
        threats = tuple(
            threat(pair, level, self.at, bearing, due)
            for (pair, level), bearing in zip(self.level_now.items(), bearings, strict=True)
            if level
        )
        self.both(lambda w: w.threats(threats, self.at, BODIES, ages=ages))

    @rule(pick=st.integers(0, len(PAIRS) - 1), level=st.sampled_from(["advisory", "warning", "imminent"]))
    def rise(self, pick, level):
        pair = PAIRS[pick]
        if LEVEL_RANK[level] <= LEVEL_RANK[self.level_now.get(pair) or "info"]:
            return
        self.level_now[pair] = level
        risen = (threat(pair, level, self.at, 45.0, 20.0),)
        self.both(lambda w: w.threats(risen, self.at, BODIES, risen_only=True))

    @rule(seconds=st.sampled_from([0.1, 1.0, 2.0, 5.0, 11.0, 30.0, 60.0, 700.0, 4000.0]))
    def wait(self, seconds):
        self.at += seconds
        self.both(lambda w: w.tick(self.at))

    @rule(roster=st.sampled_from(ROSTERS))
    def change_roster(self, roster):
        self.warner.roster(roster)
        self.twin.roster(roster)

    @rule()
    def restart(self):
        self.warner = Warner.restore(WarnSettings(), self.warner.state())

    def name(self, pick):
        names = sorted(self.latest) or ["ANONE"]
        return names[pick % len(names)]

    @rule(
        pick=st.integers(0, 9),
        back=st.sampled_from([0, 0, 0, 1, 2, -1]),
        fact=st.sampled_from(["accepted", "on-device", "shown", "acknowledged"]),
        recipient=st.sampled_from(["alpha", "bravo", "desk", "lost"]),
    )
    def receive(self, pick, back, fact, recipient):
        name = self.name(pick)
        known = self.latest.get(name)
        receipt = Receipt(
            time=self.at,
            alert=name,
            revision=(known.revision if known else 1) - back,
            recipient=recipient,
            channel="tak",
            fact=fact,
        )
        before = {a.alert: (a.state, a.units) for a in self.warner.alerts()}
        self.both(lambda w: w.receipt(receipt, self.at))
        for alert in self.warner.alerts():
            state, units = before[alert.alert]
            if fact != "acknowledged" or recipient not in units or alert.alert != name:
                assert alert.state == state

    @rule(
        kind=st.sampled_from(KINDS),
        pick=st.integers(0, 9),
        value=st.sampled_from([None, "1", "2", "once", "info", "advisory", "²", "9" * 30]),
        unit=st.sampled_from([None, "alpha", "bravo"]),
        reason=st.sampled_from([None, "", "seen by eye"]),
        actor=st.sampled_from(["Vega", "Vega", ""]),
        object_class=st.sampled_from([None, "bird", "fpv"]),
        for_s=st.sampled_from([None, 5.0, 600.0, -1.0]),
    )
    def act(self, kind, pick, value, unit, reason, actor, object_class, for_s):
        name = self.name(pick)
        action = Action(
            actor=actor, action=kind, via="console", alert=name, value=value, unit=unit, reason=reason,
            object_class=object_class, for_s=for_s,
        )  # fmt: skip
        before = {a.alert: a for a in self.warner.alerts()}
        intents = self.both(lambda w: w.action(action, self.at))
        for intent in intents:
            if isinstance(intent, Clear) and kind == "cancel":
                assert intent.alert.cancelled_by == "Vega"
                assert "seen by eye" in intent.alert.reason
                held = before[name]
                for track, level in self.drones_before(held):
                    self.cancelled[track, held.units[0]] = (self.at, level)

    def drones_before(self, held):
        """Levels at the time of the cancel; the closed alert keeps its drones."""
        return self.warner.drones(held.alert)

    @invariant()
    def alerts_are_never_more_than_units(self):
        keys = [(a.units, a.status) for a in self.warner.alerts() if a.state != "cleared"]
        assert len(keys) == len(set(keys))
        for alert in self.warner.alerts():
            assert len(alert.tracks) == len(alert.levels) == len(set(alert.tracks)) <= MOST
            assert alert.count >= len(alert.tracks) or alert.state != "active-unacked"

    @invariant()
    def whoever_is_in_danger_has_an_open_alert(self):
        held = {(a.units[0], a.status): a for a in self.warner.alerts() if a.state != "cleared"}
        for (track, unit), level in self.level_now.items():
            if level not in ("warning", "imminent") or self.is_cancelled(track, unit, level):
                continue
            alert = held[unit, STATUS.get(track, "actual")]
            assert LEVEL_RANK[alert.level] >= LEVEL_RANK[level]
            assert alert.state.startswith("active")

    @invariant()
    def no_imminent_alert_is_forgotten(self):
        for alert in self.warner.alerts():
            if alert.level != "imminent" or alert.state == "active-acked":
                assert alert.state != "active-acked" or alert.acknowledged_by
                continue
            if alert.state == "cleared":
                assert alert.reason
                assert alert.acknowledged_by or alert.cancelled_by or "nobody acknowledged" in alert.reason
                continue
            due = self.warner.next_step(alert.alert)
            assert due is not None
            assert due <= self.at + WITHIN_S

    def is_cancelled(self, track, unit, level):
        """Ended by a person with a reason, and nobody was told of this drone again since."""
        if (track, unit) not in self.cancelled:
            return False
        _, was = self.cancelled[track, unit]
        return LEVEL_RANK[level] <= LEVEL_RANK[was] and not self.assessed_since_hold(track, unit)

    def assessed_since_hold(self, track, unit):
        return any(
            track in [name for name, _ in self.warner.drones(a.alert)]
            for a in self.warner.alerts()
            if a.state != "cleared" and a.units[0] == unit
        )


TestAnyDay = AnyDay.TestCase
TestAnyDay.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
