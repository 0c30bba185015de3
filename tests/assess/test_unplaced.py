"""A body whose place the finders do not bear out is weighed on, and told without that place."""

import math
from typing import Any

import pytest
from msgspec import structs

from vedette.assess import Assessor
from vedette.model import Frame
from vedette.model.threat import LEVEL_RANK

BASE = 1_700_000_000.0
COMES = ((0.0, 1000.0, 40.0), (0.0, -25.0, 0.0))
SECONDS = 39


@pytest.fixture
def assessor(site, report_of) -> Assessor:
    made = Assessor(site)
    made.unit(report_of("alpha"), BASE)
    return made


def watched(
    assessor: Assessor, path: list[tuple[float, Any]], unplaced: set[int], begin: int = 0
) -> list[Any]:
    """Of every second what is told of the one track of ``path``, whose place is doubtful in ``unplaced``."""
    told = []
    for second, track in path[begin:]:
        places = {"tracks": (), "unplaced": (track,)} if second in unplaced else {"tracks": (track,)}
        threats = assessor.assess(Frame(time=BASE + second, **places), BASE + second)
        told.append(next((threat for threat in threats if threat.track == track.id), None))
    return told


def levels(told: list[Any]) -> list[int]:
    return [0 if threat is None else LEVEL_RANK[threat.level] for threat in told]


@pytest.mark.parametrize(
    "unplaced", [{20, 21, 22}, set(range(12, 39)), set(range(39)), set(range(0, 39, 2)), {30}]
)
def test_levels_are_those_of_the_same_body_with_its_place(site, report_of, line, unplaced) -> None:
    """A place that is doubted takes nothing back and delays nothing."""
    both = []
    for doubtful in (unplaced, set()):
        assessor = Assessor(site)
        assessor.unit(report_of("alpha"), BASE)
        both.append(watched(assessor, line(*COMES, SECONDS), doubtful))
    assert levels(both[0]) == levels(both[1])
    assert max(levels(both[0])) == LEVEL_RANK["imminent"]
    risks = [[0.0 if threat is None else threat.risk for threat in told] for told in both]
    assert risks[0] == risks[1]


def test_it_is_told_as_a_direction_and_nothing_of_its_place(assessor, line) -> None:
    path = line((300.0, 1000.0, 40.0), (-7.5, -25.0, 0.0), SECONDS)
    told = watched(assessor, path, set(range(20, 39)))
    assert told[19].range_m is not None
    for threat in told[20:]:
        assert threat.behaviour == "direction-only"
        assert (threat.range_m, threat.closing_mps, threat.height_m, threat.time_to_impact_s) == (None,) * 4
        assert threat.bearing_deg == pytest.approx(math.degrees(math.atan2(300.0, 1000.0)))
        assert threat.earliest_s is not None
    # 5 m of the track's place and 5 m of the unit's, across 522 m.
    far = math.hypot(150.0, 500.0)
    assert told[20].bearing_sigma_deg == pytest.approx(math.degrees(math.hypot(5.0, 5.0) / far))


def test_the_doubt_of_its_direction_is_that_of_its_place_across(assessor, line) -> None:
    """Long along the line of sight to the post, and narrow across it; and then the other way round."""
    (_, track), *_ = line((0.0, 400.0, 40.0), (0.0, -10.0, 0.0), 1)
    for east_m, north_m in ((3.0, 200.0), (200.0, 3.0)):
        spread = [0.0] * 21
        spread[0], spread[6], spread[11] = east_m**2, north_m**2, 25.0
        spread[15] = spread[18] = spread[20] = 1.0
        doubtful = structs.replace(track, covariance=tuple(spread))
        (threat,) = watched(assessor, [(0.0, doubtful)], {0})
        assert threat.bearing_sigma_deg == pytest.approx(math.degrees(math.hypot(east_m, 5.0) / 400.0))


def test_rises_between_two_assessments_are_told_of_it_too(assessor, line) -> None:
    path = line(*COMES, SECONDS)
    for second, track in path:
        at = BASE + second
        assessor.assess(Frame(time=at, tracks=(), unplaced=(track,)), at)
        nearer = structs.replace(track, enu_m=(0.0, track.enu_m[1] - 12.5, 40.0))
        risen = assessor.risen(Frame(time=at + 0.5, tracks=(), unplaced=(nearer,)), at + 0.5, {track.id})
        if risen:
            break
    (threat,) = risen
    assert threat.range_m is None
    assert LEVEL_RANK[threat.level] >= LEVEL_RANK["advisory"]


def test_an_assessor_restored_meanwhile_goes_on_bit_for_bit(site, assessor, line) -> None:
    path, unplaced = line(*COMES, SECONDS), set(range(18, 30))
    watched(assessor, path[:24], unplaced)
    again = Assessor.restore(site, None, assessor.state())
    assert watched(assessor, path, unplaced, 24) == watched(again, path, unplaced, 24)
    assert assessor.state() == again.state()


def test_it_was_launched_nowhere(assessor, line) -> None:
    """What is doubtful of its place is doubtful of where it began."""
    path = line((0.0, 1000.0, 40.0), (0.0, -25.0, 2.0), 12)
    watched(assessor, path, set(range(4, 12)))
    _, track = path[-1]
    assert assessor.launch_areas(Frame(time=BASE + 11, tracks=(track,)))
    assert not assessor.launch_areas(Frame(time=BASE + 11, tracks=(), unplaced=(track,)))


def test_one_that_cannot_be_read_is_counted(assessor, track_of) -> None:
    broken = track_of(enu_m=(math.nan, 0.0, 0.0))
    assert assessor.assess(Frame(time=BASE, tracks=(), unplaced=(broken,)), BASE) == ()
    assert assessor.counts["track-not-usable"] == 1
