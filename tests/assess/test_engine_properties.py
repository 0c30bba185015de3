"""What must hold of the whole engine, whatever the model in its file says."""

import json
import math

import hypothesis.strategies as st
import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from vedette.assess import Assessor, read_model
from vedette.model import Frame
from vedette.model.threat import LEVEL_RANK

SECONDS = 25


def traffic(track_of, seed, tracks=5):
    """Frames of bodies that come, go and turn; each is missed now and then."""
    rng = np.random.default_rng(seed)
    place, velocity = rng.normal(0.0, 900.0, (tracks, 2)), rng.normal(0.0, 16.0, (tracks, 2))
    velocity[0] = -place[0] / 30.0
    kinds = [{"fpv": 0.8, "unknown": 0.2}, {"bird": 0.9, "unknown": 0.1}, {}, {"multirotor": 1.0}]
    for second in range(SECONDS):
        velocity[1:] += rng.normal(0.0, 1.0, (tracks - 1, 2))
        place = place + velocity
        yield Frame(
            time=float(second),
            tracks=tuple(
                track_of(
                    f"T{n}",
                    enu_m=(*place[n].tolist(), 60.0),
                    velocity_mps=(*velocity[n].tolist(), 0.0),
                    beliefs=kinds[n % 4],
                )
                for n in range(tracks)
                if rng.random() > 0.1
            ),
        )


def staffed(site, report_of, base):
    assessor = Assessor(site)
    for n, (east, north) in enumerate([(0.0, 0.0), (60.0, -30.0), (-1500.0, 700.0), (4000.0, 4000.0)]):
        assessor.unit(report_of(f"u{n}", east=east, north=north), base)
    return assessor


def at_base(frame, base):
    return msgspec.structs.replace(frame, time=base + frame.time)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_left_out_as_quiet_changes_nothing(site, base, track_of, report_of, seed):
    """An assessor that is watched hands on every pair; the threats and the state are the same."""
    plain, watched = staffed(site, report_of, base), staffed(site, report_of, base)
    watched.watch = lambda at, tracks, units, features: None
    told = 0
    for frame in traffic(track_of, seed):
        now = at_base(frame, base)
        threats = plain.assess(now, now.time)
        assert threats == watched.assess(now, now.time)
        told += len(threats)
    assert told > 10
    mine, theirs = (msgspec.msgpack.decode(one.state())["memory"] for one in (plain, watched))
    for name in ("level", "plain", "told_until", "below_since", "pairs", "motion"):
        assert mine[name] == theirs[name], name


def alone(threat):
    """Without the others that come with it: of those it knows only as of the last full assessment."""
    return msgspec.structs.replace(threat, attackers=1, axes_deg=())


def test_how_many_are_weighed_at_a_time_changes_nothing(site, base, track_of, report_of, monkeypatch):
    whole, parts = staffed(site, report_of, base), staffed(site, report_of, base)
    for frame in traffic(track_of, 2):
        now = at_base(frame, base)
        with monkeypatch.context() as patch:
            patch.setattr("vedette.assess.assessor._PAIRS_AT_ONCE", 9)
            told = parts.assess(now, now.time)
        assert told == whole.assess(now, now.time)
    assert parts.state() == whole.state()


@pytest.mark.parametrize("seed", range(3))
def test_what_has_risen_is_what_a_full_assessment_would_have_told(site, base, track_of, report_of, seed):
    assessor, risen_pairs = staffed(site, report_of, base), 0
    for frame in traffic(track_of, seed):
        now = at_base(frame, base)
        state, names = assessor.state(), [track.id for track in now.tracks]
        full = Assessor.restore(site, None, state).assess(now, now.time)
        before = {
            (t.track, t.unit): LEVEL_RANK[t.level]
            for t in Assessor.restore(site, None, state).assess(now, now.time - 1.0)
        }
        risen = Assessor.restore(site, None, state).risen(now, now.time, names[::2])
        expected = {(t.track, t.unit): t for t in full if t.track in names[::2]}
        for threat in risen:
            assert alone(threat) == alone(expected[threat.track, threat.unit])
        for pair, threat in expected.items():
            if LEVEL_RANK[threat.level] > before.get(pair, 0) and pair not in {
                (t.track, t.unit) for t in risen
            }:
                held = {(t.track, t.unit): t.level for t in full}
                assert held[pair] == threat.level
        risen_pairs += len(risen)
        assessor.assess(now, now.time)
    assert risen_pairs > 0


def test_looks_between_the_seconds_leave_the_same_levels(site, base, track_of, report_of):
    """To be asked for what has risen, again and again, changes when a level is reached but not which."""
    rare, often = staffed(site, report_of, base), staffed(site, report_of, base)
    for frame in traffic(track_of, 1):
        now = at_base(frame, base)
        names = [track.id for track in now.tracks]
        for part in (0.25, 0.5, 0.75):
            often.risen(now, now.time - 1.0 + part, names)
        a, b = rare.assess(now, now.time), often.assess(now, now.time)
    assert {(t.track, t.unit): t.level for t in a} == {(t.track, t.unit): t.level for t in b}


def coasting(track, seconds):
    """The track as it is predicted ``seconds`` after it was detected last."""
    spread = tuple(
        value + (9.0 * seconds**2 if place in (0, 6, 11) else 2.0 * seconds if place in (15, 18, 20) else 0.0)
        for place, value in enumerate(track.covariance)
    )
    place = tuple(p + seconds * v for p, v in zip(track.enu_m, track.velocity_mps, strict=True))
    return msgspec.structs.replace(track, enu_m=place, covariance=spread)


@pytest.mark.parametrize("start", [(0.0, 1100.0, 60.0), (300.0, 1000.0, 60.0), (150.0, 500.0, 60.0)])
def test_a_feed_that_stops_lowers_no_risk(site, base, track_of, report_of, start, plain_model):
    """Nor its level while it could still be about to arrive (any geometry: test_coming.py)."""
    assessor = Assessor(site, model=plain_model)
    assessor.unit(report_of(), base)
    velocity = (0.0, -22.0, 0.0)
    for second in range(12):
        at = base + second
        place = tuple(p + second * v for p, v in zip(start, velocity, strict=True))
        last = track_of(enu_m=place, velocity_mps=velocity, updated=at)
        threats = assessor.assess(Frame(time=at, tracks=(last,)), at)
    risk, level = threats[0].risk, LEVEL_RANK[threats[0].level]
    for second in range(1, 19):
        now = at + second
        (threat,) = assessor.assess(Frame(time=now, tracks=(coasting(last, float(second)),)), now)
        assert threat.risk >= risk
        assert LEVEL_RANK[threat.level] >= level
        if second > 5:
            assert any("not detected" in words for words, _ in threat.evidence[:3])
        total = sum(nats for _, nats in threat.evidence)
        assert total == pytest.approx(math.log(threat.risk / (1.0 - threat.risk)), abs=0.001)


def test_what_looks_and_does_not_see_it_lowers_the_risk(site, base, track_of, report_of, plain_model):
    """A radar that sees nothing where it should is no feed that stopped: the tracker doubts the body."""
    assessor = Assessor(site, model=plain_model)
    assessor.unit(report_of(), base)
    given = {"enu_m": (0.0, 500.0, 60.0), "velocity_mps": (0.0, -22.0, 0.0), "updated": base}
    (sure,) = assessor.assess(Frame(time=base, tracks=(track_of(**given),)), base)
    (less,) = assessor.assess(Frame(time=base + 1.0, tracks=(track_of(existence=0.3, **given),)), base + 1.0)
    assert less.risk < sure.risk


labels = st.dictionaries(
    st.sampled_from(["fpv", "multirotor", "fixed-wing", "bird", "aircraft"]), st.floats(0.0, 0.5), max_size=5
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.tuples(st.floats(-2500.0, 2500.0), st.floats(-2500.0, 2500.0), st.floats(5.0, 400.0)),
    velocity=st.tuples(st.floats(-50.0, 50.0), st.floats(-50.0, 50.0), st.floats(-10.0, 10.0)),
    beliefs=labels,
)
def test_no_label_lowers_a_risk_below_its_share(site, base, track_of, report_of, place, velocity, beliefs):
    """0.15 of what it is with no belief at all; half of it close by, if it comes fast. Half a
    hundredth is left to what else depends on the class: how soon such a body could be here."""

    def nats(called):
        assessor = Assessor(site)
        assessor.unit(report_of(), base)
        track = track_of(enu_m=place, velocity_mps=velocity, beliefs=called, existence=1.0)
        told = assessor.assess(Frame(time=base, tracks=(track,)), base)
        return told[0] if told else None

    bare, labelled = nats({}), nats(beliefs)
    if bare is None or bare.risk < 0.07:
        return
    assert labelled is not None
    rushing = bare.range_m - 10.0 < 300.0 and bare.closing_mps > 12.0
    assert labelled.risk >= (0.5 if rushing else 0.15) * bare.risk * (1.0 - 5e-3)


def test_nothing_is_remembered_of_what_is_gone(site, base, track_of, report_of):
    assessor = staffed(site, report_of, base)
    sizes = []
    for second in range(400):
        tracks = tuple(track_of(f"T{second}-{n}", enu_m=(50.0 * n, 300.0, 40.0)) for n in range(3))
        assessor.assess(Frame(time=base + second, tracks=tracks), base + second)
        sizes.append(len(assessor.state()))
    assert max(sizes[200:]) <= 1.05 * sizes[199]


def test_who_is_meant_is_told_from_who_stands_beside(site, base, report_of, line):
    assessor = Assessor(site)
    assessor.unit(report_of("meant"), base)
    assessor.unit(report_of("beside", east=250.0), base)
    for after, track in line((0.0, 1500.0, 60.0), (0.0, -25.0, 0.0), 40):
        threats = assessor.assess(Frame(time=base + after, tracks=(track,)), base + after)
    risk = {threat.unit: threat.risk for threat in threats}
    assert risk["meant"] > risk.get("beside", 0.0)


BLIND = json.dumps(
    {
        "format": 1, "version": "sees nothing", "trained": {}, "prior_nats": -9.0, "terms": [],
        "levels": {"imminent_nats": 0.0, "warning_nats": -1.0, "advisory_nats": -2.0},
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("speed", "seconds", "called", "warned"),
    [
        (30.0, 40, {"fpv": 0.8, "unknown": 0.2}, True),
        (30.0, 40, {}, True),
        (50.0, 25, {}, True),
        (30.0, 40, {"bird": 0.9, "unknown": 0.1}, False),
        (8.0, 90, {"fpv": 0.8, "unknown": 0.2}, False),
    ],
)
def test_a_plain_attack_is_a_warning_whatever_the_model_says(
    site, base, report_of, line, speed, seconds, called, warned
):
    """Seen by a model that sees nothing at all: it is told twelve seconds and more before it is there."""
    assessor = Assessor(site, model=read_model(BLIND, "blind"))
    assessor.unit(report_of(), base)
    first = None
    for after, track in line((0.0, 1500.0, 60.0), (0.0, -speed, 0.0), seconds, beliefs=called):
        for threat in assessor.assess(Frame(time=base + after, tracks=(track,)), base + after):
            if LEVEL_RANK[threat.level] >= LEVEL_RANK["warning"] and first is None:
                first = after
                assert "flies straight at you, fast and near" in [words for words, _ in threat.evidence]
                assert sum(nats for _, nats in threat.evidence) == pytest.approx(-1.0, abs=0.001)
    assert (first is not None) == warned
    if first is not None:
        assert 1500.0 / speed - first > 12.0
