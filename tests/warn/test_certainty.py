"""Observed, likely, possible: by who saw it, when, and how probable it is; an attack is never observed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from vedette.model import Roster, RosterEntry
from vedette.model.event import Deliver
from vedette.warn import Body, Warner, WarnSettings
from vedette.warn.certainty import (
    CERTAINTIES,
    CertaintySettings,
    least_sure,
    of_attack,
    of_body,
)
from vedette.warn.members import Member
from vedette.warn.pack import PACKS

SETTINGS = CertaintySettings()


def member(**changes) -> Member:
    given = {
        "track": "T1", "level": "warning", "witness": "sensor", "kind": "fpv", "bearing_deg": 0.0,
        "existence": 0.99,
    }  # fmt: skip
    return Member(**(given | changes))


@pytest.mark.parametrize(
    ("changes", "age_s", "certainty"),
    [
        ({}, 0.0, "observed"),
        ({"existence": 0.95}, 5.0, "observed"),
        ({"existence": 0.94}, 0.0, "likely"),
        ({}, 5.1, "likely"),
        ({}, 10.0, "likely"),
        ({}, 10.1, "possible"),
        ({"existence": 0.5}, 0.0, "possible"),
        ({"existence": 0.51}, 0.0, "likely"),
        ({"existence": None}, 0.0, "likely"),
        ({"witness": "broadcast", "existence": 1.0}, 0.0, "likely"),
        ({"witness": "aviation", "existence": 1.0}, 0.0, "likely"),
        ({"doubted": True}, 0.0, "possible"),
    ],
)
def test_of_a_body(changes, age_s: float, certainty: str) -> None:
    assert of_body(member(**changes), age_s, SETTINGS) == certainty


def test_what_is_not_known_at_all_is_possible() -> None:
    assert of_body(None, 0.0, SETTINGS) == "possible"


@given(st.sampled_from(CERTAINTIES), st.floats(0.0, 1.0))
def test_an_attack_is_never_observed_and_never_surer_than_its_body(body, risk: float) -> None:
    attack = of_attack(body, risk, SETTINGS)
    assert attack != "observed"
    assert least_sure(attack, body) == attack
    assert (attack == "likely") == (risk > 0.5 and body != "possible")


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 30.0), st.floats(0.0, 30.0))
def test_more_knowledge_is_never_told_less_surely(one: float, two: float, early: float, late: float) -> None:
    low, high, fresh, old = min(one, two), max(one, two), min(early, late), max(early, late)
    well = of_body(member(existence=high), fresh, SETTINGS)
    badly = of_body(member(existence=low), old, SETTINGS)
    assert least_sure(well, badly) == badly


def first(warner: Warner, threat, at: float, body: Body | None):
    bodies = {} if body is None else {threat.track: body}
    intents = warner.threats((threat,), at, bodies)
    return next(intent.alert for intent in intents if isinstance(intent, Deliver))


@pytest.mark.parametrize(
    ("level", "risk", "body", "certainty", "start"),
    [
        ("warning", 0.6, Body(witness="sensor", existence=0.99), "observed", "Drone closing"),
        ("warning", 0.6, None, "likely", "Likely drone closing"),
        ("warning", 0.6, Body(existence=0.3), "possible", "Possible drone closing"),
        ("imminent", 0.9, Body(witness="sensor", existence=0.99), "likely", "DRONE ATTACK LIKELY"),
        ("imminent", 0.2, Body(witness="sensor", existence=0.99), "possible", "DRONE ATTACK POSSIBLE"),
        ("imminent", 0.9, Body(existence=0.4), "possible", "DRONE ATTACK POSSIBLE"),
    ],
)  # fmt: skip
def test_an_alert_is_worded_by_how_sure_it_is(threat_of, base, level, risk, body, certainty, start) -> None:
    alert = first(Warner(WarnSettings(source="North gate")), threat_of(level, risk=risk), base, body)
    assert alert.certainty == certainty
    assert alert.text["en"].startswith(start)
    assert start in alert.long["en"]
    assert alert.long["en"].endswith("From North gate.")
    assert alert.packs == {"en": 2, "es": 2}
    assert alert.template == ("imminent" if level == "imminent" else "warning-closing")


def test_the_long_form_says_who_saw_it_when_and_what_nobody_knows(threat_of, base) -> None:
    body = Body(
        seen=base - 4.0, witness="sensor", existence=0.99, sources=("camera", "radar", "broadcast"),
        height_known=False,
    )  # fmt: skip
    alert = first(Warner(), threat_of(), base, body)
    assert alert.long["en"] == (
        "22:13:20 UTC. Drone closing on you from NE, 800 m from you, 25-35 s. Move to cover. Stay apart."
        " Detected by radar, camera, last 22:13:16 UTC. Not known: its height. From Vedette."
    )
    known = first(Warner(), threat_of(), base, body._replace(height_known=True, seen=None))
    assert "Not known" not in known.long["en"]


def test_what_only_says_so_itself_is_told_as_such(threat_of, base) -> None:
    alert = first(Warner(), threat_of(), base, Body(sources=("broadcast",)))
    assert "Likely: detected by its own radio only, last 22:13:20 UTC." in alert.long["en"]


def test_a_known_place_is_not_promised_to_whom_nobody_can_place(threat_of, base) -> None:
    warner = Warner()
    warner.roster(Roster(version=1, units=(RosterEntry(unit="lost", callsign="LOST"),)))
    intents = warner.threats((threat_of(),), base, {}, ages={"alpha": 0.0})
    lost = next(i.alert for i in intents if isinstance(i, Deliver) and i.recipients == ("lost",))
    assert lost.template == "warning-unplaced"
    assert "NE" not in lost.text["en"] + lost.long["en"]
    assert "Not known: where you are." in lost.long["en"]


def test_words_of_ones_own_are_used(threat_of, base) -> None:
    english = PACKS["en"]
    own = replace(english, version=100, sensor={**english.sensor, "radar": "mast radar"})
    body = Body(witness="sensor", existence=0.99, sources=("radar",))
    alert = first(Warner(WarnSettings(packs={"en": own})), threat_of(), base, body)
    assert alert.packs == {"en": 100}
    assert "mast radar" in alert.long["en"]
