"""The warner under any sequence of threats, receipts, acknowledgements and time."""

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from vedette.model import Receipt, Threat
from vedette.model.event import Action, AlertChange, Clear, Deliver, Escalate
from vedette.model.threat import LEVEL_RANK
from vedette.warn import Warner
from vedette.warn.alarm_states import TRANSITIONS

BASE = 1_700_000_000.0
LEVELS = st.sampled_from([None, "info", "advisory", "warning", "imminent"])
PAIRS = [("T1", "alpha"), ("T1", "bravo"), ("T2", "alpha")]


def threat(pair, level, at, bearing, distance):
    return Threat(
        time=at,
        track=pair[0],
        unit=pair[1],
        risk=0.5,
        level=level,
        behaviour="closing",
        evidence=(),
        bearing_deg=bearing,
        range_m=distance,
        closing_mps=5.0,
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
        self.closed = set()
        self.level_now = {}

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
            assert alert.state == "active-unacked"
            assert alert.level in ("warning", "imminent")
            assert intent.revision == alert.revision
            return
        alert = intent.alert
        before = self.latest.get(alert.alert)
        assert alert.alert not in self.closed
        if isinstance(intent, Deliver):
            assert alert.revision == (1 if before is None else before.revision + 1)
            assert alert.state in ("active-unacked", "active-acked")
            assert alert.expires > self.at
            assert intent.sound or alert.level != "imminent"
            if before is not None and LEVEL_RANK[alert.level] > LEVEL_RANK[before.level]:
                assert alert.state == "active-unacked"
        if isinstance(intent, Clear):
            assert alert.state == "cleared"
            assert alert.reason
            self.closed.add(alert.alert)
        if isinstance(intent, AlertChange):
            assert alert.state != "cleared"
        if before is not None and before.state != alert.state:
            assert (before.state, alert.state) in {(s, after) for (s, _), after in TRANSITIONS.items()}
        self.latest[alert.alert] = alert

    @rule(levels=st.tuples(LEVELS, LEVELS, LEVELS), bearing=st.floats(0, 359), distance=st.floats(10, 3000))
    def assess(self, levels, bearing, distance):
        self.level_now = dict(zip(PAIRS, levels, strict=True))
        threats = tuple(
            threat(pair, level, self.at, bearing, distance) for pair, level in self.level_now.items() if level
        )
        self.both(lambda w: w.threats(threats, self.at))

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0, 11.0, 30.0, 700.0]))
    def wait(self, seconds):
        self.at += seconds
        self.both(lambda w: w.tick(self.at))

    @rule(
        pick=st.integers(0, 5),
        revision=st.integers(0, 6),
        fact=st.sampled_from(["accepted", "on-device", "shown", "acknowledged"]),
        recipient=st.sampled_from(["alpha", "bravo"]),
    )
    def receive(self, pick, revision, fact, recipient):
        names = sorted(self.latest) or ["ANONE"]
        receipt = Receipt(
            time=self.at,
            alert=names[pick % len(names)],
            revision=revision,
            recipient=recipient,
            channel="tak",
            fact=fact,
        )
        states = [a.state for a in self.warner.alerts()]
        intents = self.both(lambda w: w.receipt(receipt, self.at))
        if fact != "acknowledged":
            assert intents == []
            assert [a.state for a in self.warner.alerts()] == states

    @rule(pick=st.integers(0, 5), value=st.sampled_from([None, "1", "2", "x", "²", "9" * 30]))
    def acknowledge(self, pick, value):
        names = sorted(self.latest) or ["ANONE"]
        name = names[pick % len(names)]
        action = Action(actor="Vega", action="acknowledge", via="console", alert=name, value=value)
        self.both(lambda w: w.action(action, self.at))

    @invariant()
    def whoever_is_in_danger_has_an_open_alert(self):
        held = {(a.track, a.units[0]): a for a in self.warner.alerts() if a.state != "cleared"}
        for pair, level in self.level_now.items():
            if level in ("warning", "imminent"):
                assert pair in held
                assert LEVEL_RANK[held[pair].level] >= LEVEL_RANK[level]
                assert held[pair].state.startswith("active")


TestAnyDay = AnyDay.TestCase
TestAnyDay.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
