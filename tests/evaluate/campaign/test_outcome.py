"""What is measured of a run: by hand where it can be said by hand, and on the real core."""

import itertools

import pytest
from campaign_works import LASTS_S, run_one, stage_of, tell_one
from hypothesis import given
from hypothesis import strategies as st

from vedette.evaluate.campaign.bodies import GATE_M, Body, Sky, along, cause_of, nearest, truth_of
from vedette.evaluate.campaign.figures import lead_under
from vedette.evaluate.campaign.items import Item
from vedette.evaluate.campaign.outcome import PAUSE_S, last_episode
from vedette.evaluate.campaign.results import Result
from vedette.evaluate.campaign.stage import START
from vedette.model import Frame, Track, Wedge

TIMES = st.lists(st.floats(0.0, 200.0), max_size=40).map(sorted)


@pytest.mark.parametrize(
    ("times", "start"),
    [
        ([], None),
        ([50.0], None),
        ([90.0, 95.0, 99.0], 90.0),
        ([10.0, 90.0, 99.0], 90.0),
        ([70.0, 84.0, 98.0], 70.0),
        ([70.0, 84.0], None),
        ([86.0], 86.0),
    ],
)
def test_the_alert_that_counts_is_the_one_that_still_stands(times: list[float], start: float | None) -> None:
    assert last_episode(times, 100.0) == start


@given(TIMES, st.floats(0.0, 200.0))
def test_the_episode_has_no_pause_and_reaches_the_impact(times: list[float], impact: float) -> None:
    start = last_episode(times, impact)
    if start is None:
        assert not times or times[-1] < impact - PAUSE_S
        return
    mine = [time for time in times if time >= start]
    assert mine[-1] >= impact - PAUSE_S
    assert all(b - a <= PAUSE_S for a, b in itertools.pairwise(mine))
    before = [time for time in times if time < start]
    assert not before or start - before[-1] > PAUSE_S


def test_an_attack_is_seen_tracked_and_warned_of_in_that_order() -> None:
    found = run_one(Item(collection="test", index=0))
    assert found.leads is not None
    assert found.impact_s is not None
    assert 0.0 < found.leads.imminent <= found.leads.warning <= found.leads.advisory < found.impact_s
    assert found.seen_by == ("mast",)
    assert found.seen_s == pytest.approx(found.impact_s, abs=1.0)
    assert found.lost_s is not None
    assert 0.0 <= found.lost_s < 2.0
    stages = found.stages
    assert stages.detected_s is not None
    assert stages.received_s is not None
    assert stages.tracked_s is not None
    assert stages.warning_s is not None
    assert stages.detected_s <= stages.received_s <= stages.tracked_s <= stages.warning_s
    assert found.right_unit is True
    assert found.units_warned == 1
    assert {one.cause for one in found.told} == {"attacker"}
    assert found.false_alerts == ()
    assert found.peak_cause == "attacker"


def test_the_lead_counts_from_the_message(attack: Result) -> None:
    assert attack.leads is not None
    assert attack.impact_s is not None
    first = next(one for one in attack.told if one.level == "warning")
    assert attack.leads.warning == pytest.approx(attack.impact_s - first.at_s, abs=1e-6)


def test_lower_bars_never_shorten_the_lead(attack: Result) -> None:
    risks = [risk for risk, _ in attack.steps]
    leads = [lead for _, lead in attack.steps]
    assert risks == sorted(risks, reverse=True)
    assert leads == sorted(leads)
    assert lead_under(attack, attack.peak_risk) == 0.0
    assert lead_under(attack, 0.0) == leads[-1]


def test_reliability_counts_every_threatened_second(attack: Result) -> None:
    seconds = sum(one.count for one in attack.reliability)
    assert 0 < seconds <= LASTS_S + 1
    assert sum(one.hits for one in attack.reliability) <= seconds
    for one in attack.reliability:
        assert one.squared <= one.count + 1e-9


def test_a_harmless_pass_has_no_lead(passing: Result) -> None:
    assert passing.leads is None
    assert passing.steps == ()
    assert passing.impact_s is None
    assert {one.cause for one in passing.told} <= {"drone"}


def test_the_story_says_what_the_result_says(attack: Result) -> None:
    story = tell_one(attack.item)
    assert story.result == attack
    assert story.unit == "UNIT-1"
    assert [one.sensor for one in story.hearings] == ["mast"]
    assert sum(n for _, n in story.hearings[0].of_body) == attack.detections["mast"]
    assert story.tracks[0].first_s == attack.stages.tracked_s
    assert max(one.risk for one in story.risks) == pytest.approx(attack.peak_risk, abs=1e-6)
    assert [one.level for one in story.decisions if one.level in ("warning", "imminent")]
    for one in story.decisions:
        assert sum(nats for _, nats in one.evidence) == pytest.approx(one.nats, abs=0.01)
    ranges = [one.true_range_m for one in story.risks if one.true_range_m is not None]
    assert ranges[-1] < ranges[0]
    assert any(one.sounded for one in story.said)


@pytest.fixture(scope="module")
def attack() -> Result:
    return run_one(Item(collection="test", index=0))


@pytest.fixture(scope="module")
def passing() -> Result:
    return run_one(Item(collection="test", index=1))


def track(east: float, north: float, sigma_m: float) -> Track:
    covariance = [0.0] * 21
    covariance[0] = covariance[6] = sigma_m**2
    return Track(
        id="T", enu_m=(east, north, 50.0), velocity_mps=(0.0, 0.0, 0.0), covariance=tuple(covariance),
        existence=1.0, beliefs={},
    )  # fmt: skip


def test_a_track_stands_for_the_nearest_body_within_its_gate() -> None:
    places = {"near": (100.0, 0.0, 80.0), "far": (130.0, 0.0, 80.0)}
    assert nearest(track(110.0, 0.0, 2.0), places) == "near"
    assert nearest(track(100.0 - GATE_M - 1.0, 0.0, 2.0), places) is None
    assert nearest(track(-60.0, 0.0, 50.0), places) == "near"
    assert nearest(track(0.0, 0.0, 2.0), {}) is None


def test_a_direction_stands_for_the_body_along_it() -> None:
    wedge = Wedge(
        id="W", sensor="df", origin_enu_m=(0.0, 0.0, 0.0), azimuth_deg=359.0, azimuth_sigma_deg=0.5,
        azimuth_rate_dps=0.0, azimuth_rate_sigma_dps=1.0, existence=0.9, heard=0.0, ranges_m=(), weights=(),
    )  # fmt: skip
    assert along(wedge, {"a": (10.0, 1000.0, 0.0), "b": (1000.0, 0.0, 0.0)}) == "a"
    assert along(wedge, {"b": (1000.0, 0.0, 0.0)}) is None


@pytest.mark.parametrize(
    ("kind", "own", "hostile", "cause"),
    [
        ("fpv", False, True, "attacker"),
        ("fpv", False, False, "drone"),
        ("multirotor", True, True, "friendly"),
        ("bird", False, True, "bird"),
        ("helicopter", False, False, "aircraft"),
    ],
)
def test_what_an_alert_is_about(kind: str, own: bool, hostile: bool, cause: str) -> None:
    assert cause_of(kind, own=own, hostile=hostile) == cause


def test_bodies_that_have_gone_are_no_cause() -> None:
    truth = truth_of([(START + t, "d", "fpv", (10.0 * t, 0.0, 50.0)) for t in range(5)])
    sky = Sky(truth, [Body("d", "fpv", "drone")])
    assert sky.at(START + 2.5) == {"d": (25.0, 0.0, 50.0)}
    assert sky.at(START + 30.0) == {}


def test_a_body_whose_place_is_hidden_is_still_the_cause_of_its_alerts() -> None:
    truth = truth_of([(START + t, "d", "fpv", (10.0 * t, 0.0, 50.0)) for t in range(5)])
    hidden = Track(
        id="T1", enu_m=(22.0, 4.0, 50.0), velocity_mps=(0.0, 0.0, 0.0), covariance=(0.0,) * 21, existence=0.9,
        beliefs={},
    )  # fmt: skip
    frame = Frame(time=START + 2.0, tracks=(), unplaced=(hidden,))
    assert Sky(truth, [Body("d", "fpv", "attacker")]).owners(frame) == {"T1": "d"}


def test_the_stage_knows_units_by_what_they_report() -> None:
    stage, _ = stage_of(Item(collection="test", index=0))
    assert stage.actor_of == {"UNIT-1": "patrol"}
    assert stage.attackers == frozenset({"drone"})
    assert set(stage.sky.bodies) == {"drone"}
