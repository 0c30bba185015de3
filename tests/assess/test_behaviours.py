"""What a drone does is told in a word that a person would use."""

import math

import pytest

from vedette.assess import Assessor, read_model
from vedette.assess.behaviour import BEHAVIOURS
from vedette.assess.kernels import intent
from vedette.model import Frame
from vedette.model.threat import Behaviour

BLIND = read_model(
    b'{"format": 1, "version": "blind", "trained": {}, "prior_nats": -20.0, "terms": [],'
    b' "levels": {"imminent_nats": 0.0, "warning_nats": 0.0, "advisory_nats": 0.0}}',
    "blind",
)
QUAD = {"multirotor": 0.8, "unknown": 0.2}
FPV = {"fpv": 0.8, "unknown": 0.2}


def stands(t):
    return 0.0, 0.0


def walks(t):
    return 0.0, 1.4 * t


def drives(t):
    return 0.0, 12.0 * t


CASES = {
    "direct-run": (lambda t: (0.0, 1500.0 - 30.0 * t, 80.0), stands, "post", FPV),
    "dive": (lambda t: (0.0, 700.0 - 18.0 * t, 320.0 - 8.0 * t), stands, "post", FPV),
    "drop-run": (lambda t: (0.0, 900.0 - 11.0 * t, 80.0), stands, "post", QUAD),
    "orbit": (lambda t: (250.0 * math.cos(0.05 * t), 250.0 * math.sin(0.05 * t), 80.0), stands, "post", QUAD),
    "loiter": (lambda t: (300.0 + 20.0 * math.cos(0.3 * t), 0.0, 80.0), stands, "post", QUAD),
    "follow": (lambda t: (200.0, 12.0 * t, 80.0), drives, "vehicle", QUAD),
    "receding": (lambda t: (0.0, 300.0 + max(0.0, 18.0 * (t - 5.0)), 80.0), stands, "post", QUAD),
}


def told(site, base, track_of, report_of, case, seconds=38):
    path, unit, mobility, beliefs = case
    assessor, out = Assessor(site), []
    for second in range(seconds):
        t, at = float(second), base + second
        east, north = unit(t)
        assessor.unit(report_of("u", east=east, north=north, time=at, mobility=mobility), at)
        here, soon = path(t), path(t + 0.1)
        velocity = tuple((b - a) / 0.1 for a, b in zip(here, soon, strict=True))
        track = track_of(enu_m=here, velocity_mps=velocity, beliefs=beliefs)
        out += assessor.assess(Frame(time=at, tracks=(track,)), at)
    return [threat.behaviour for threat in out]


@pytest.mark.parametrize("name", CASES)
def test_a_plain_case_is_called_by_its_name(site, base, track_of, report_of, name):
    assert told(site, base, track_of, report_of, CASES[name])[-1] == name


@pytest.mark.parametrize(("radius_m", "told_of"), [(250.0, True), (800.0, False)])
def test_what_goes_round_a_post_near_it_is_an_advisory(site, base, track_of, report_of, radius_m, told_of):
    """Half a minute round people is watching them, by the rule alone: this model holds nobody watched."""
    assessor, levels = Assessor(site, model=BLIND), set()
    assessor.unit(report_of("u", time=base), base)
    for second in range(45):
        angle, turn = 12.5 / radius_m * second, 12.5
        here = (radius_m * math.cos(angle), radius_m * math.sin(angle), 80.0)
        velocity = (-turn * math.sin(angle), turn * math.cos(angle), 0.0)
        track = track_of(enu_m=here, velocity_mps=velocity, beliefs=QUAD)
        told = assessor.assess(Frame(time=base + second, tracks=(track,)), base + second)
        levels |= {threat.level for threat in told}
    assert ("advisory" in levels) == told_of


def test_one_who_walks_is_followed_too(site, base, track_of, report_of):
    case = (lambda t: (200.0 + 5.0 * math.sin(0.3 * t), 1.4 * t, 80.0), walks, "foot", QUAD)
    assert told(site, base, track_of, report_of, case)[-1] == "follow"


def test_a_run_is_called_one_at_its_first_look(site, base, track_of, report_of):
    assert told(site, base, track_of, report_of, CASES["direct-run"], 1) == ["direct-run"]


def test_every_word_is_known_to_the_model_of_threats():
    assert {*BEHAVIOURS, "direction-only"} == set(Behaviour.__args__)


def test_a_drone_that_watches_for_a_minute_and_then_comes_is_believed_within_seconds():
    """The filter forgets: what was a watcher for a minute is an attacker after six seconds of a run."""
    import numpy as np

    switched, alone, powers, work = np.empty((9, 9)), np.empty(9), np.empty(9), np.empty(9)
    intent.switching(1.0, switched)
    chances = np.full(9, 1.0 / 9.0)
    figures = np.zeros(64)

    def look(speed, cosine, aim, distance, fresh=False):
        figures[3] = speed
        intent.by_motion(figures, 0.0, alone)
        intent.powers(alone, 1.0, powers)
        weight = intent.LOOK_WEIGHT
        intent.update(chances, fresh, switched, powers, speed, cosine, 1.0, aim, distance, weight, work)

    look(11.0, 0.0, -2.3, 250.0, fresh=True)
    for _ in range(60):
        look(11.0, 0.0, -2.3, 250.0)
    assert np.argmax(chances) == intent.ORBIT
    for second in range(6):
        look(28.0, 1.0, 2.4, 250.0 - 28.0 * second)
    assert np.argmax(chances) in (intent.ATTACK, intent.DIVE)
    assert chances.sum() == pytest.approx(1.0)
