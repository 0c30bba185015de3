"""Whole encounters: what a person at the post is told, second by second."""

import math

import pytest

RANKS = ["info", "advisory", "warning", "imminent"]


def levels(flown):
    return [(after, threats[0].level if threats else "none") for after, threats in flown]


def first(flown, level):
    return next((after for after, told in levels(flown) if told == level), None)


def test_fpv_aimed_from_1500_m_gives_warning_and_imminent_in_time(flown_as_shipped, line):
    speed = 30.0
    told = flown_as_shipped(line((0.0, 1500.0, 60.0), (0.0, -speed, 0.0), 49))
    impact = 1500.0 / speed
    warning, imminent = first(told, "warning"), first(told, "imminent")
    assert warning is not None
    assert imminent is not None
    assert warning < imminent
    assert impact - imminent > 15.0
    assert impact - warning > 20.0


def test_fast_fpv_with_a_wobbling_course_is_still_imminent_in_time(flown_as_shipped, track_of):
    path = []
    east, north = 0.0, 1500.0
    for t in range(36):
        course = math.atan2(-east, -north) + 0.12 * math.sin(0.9 * t)
        velocity = (40.0 * math.sin(course), 40.0 * math.cos(course), 0.0)
        path.append((float(t), track_of(enu_m=(east, north, 60.0), velocity_mps=velocity)))
        east, north = east + velocity[0], north + velocity[1]
    imminent = first(flown_as_shipped(path), "imminent")
    assert imminent is not None
    assert 1500.0 / 40.0 - imminent > 15.0


@pytest.mark.parametrize("velocity", [(0.0, 0.0, 0.0), (2.0, 1.0, 0.0), (0.0, -4.0, 0.0)])
def test_slow_or_hovering_drone_at_300_m_is_an_advisory(flown_as_shipped, line, velocity):
    told = flown_as_shipped(line((-212.0, 212.0, 60.0), velocity, 30))
    assert {level for _, level in levels(told)} == {"advisory"}


def test_drone_that_flies_away_from_2_km_is_not_above_info(flown_as_shipped, line):
    told = flown_as_shipped(line((0.0, 2000.0, 80.0), (0.0, 20.0, 0.0), 60))
    assert {level for _, level in levels(told)} <= {"none", "info"}


def test_a_pass_far_aside_is_no_warning(flown_as_shipped, line):
    told = flown_as_shipped(line((-2000.0, 900.0, 80.0), (25.0, 0.0, 0.0), 160))
    assert not {"warning", "imminent"} & {level for _, level in levels(told)}


def test_a_hovering_drone_overhead_is_a_warning(flown_as_shipped, line):
    told = flown_as_shipped(line((10.0, 20.0, 60.0), (0.0, 0.0, 0.0), 10))
    assert {level for _, level in levels(told)} == {"warning"}


def test_loitering_within_500_m_is_an_advisory(flown, track_of):
    """Farther off it is one if the model takes it for a watcher: the bench's orbits are at 500 m and more."""
    path = []
    for t in range(60):
        angle = 12.0 * t / 60.0
        place = (400.0 + 60.0 * math.cos(angle), 60.0 * math.sin(angle), 80.0)
        velocity = (-12.0 * math.sin(angle), 12.0 * math.cos(angle), 0.0)
        path.append((float(t), track_of(enu_m=place, velocity_mps=velocity)))
    told = flown(path)
    assert told[-1][1][0].level == "advisory"
    assert told[-1][1][0].behaviour == "loiter"
    assert any("stayed in one area" in words for words, _ in told[-1][1][0].evidence)


def test_a_level_falls_only_after_twenty_seconds(flown, line, track_of):
    come = line((0.0, 900.0, 60.0), (0.0, -30.0, 0.0), 15)
    leave = [
        (15.0 + t, track_of(enu_m=(0.0, 480.0 + 35.0 * t, 60.0), velocity_mps=(0.0, 35.0, 0.0)))
        for t in range(80)
    ]
    told = levels(flown(come + leave))
    peak = max(RANKS.index(level) for _, level in told if level != "none")
    last = max(after for after, level in told if level == RANKS[peak])
    assert RANKS[peak] == "imminent"
    assert 15.0 + 19.0 <= last <= 15.0 + 30.0
    assert told[-1][1] in ("info", "none")


def test_levels_never_fall_by_a_moment_of_doubt(flown, line):
    path = line((0.0, 1200.0, 60.0), (0.0, -30.0, 0.0), 35)
    doubt = path[:20] + line((0.0, 1200.0, 60.0), (0.0, -30.0, 0.0), 35, existence=0.1)[20:24] + path[24:]
    ranks = [RANKS.index(level) for _, level in levels(flown(doubt))]
    assert ranks == sorted(ranks)


def test_who_was_warned_is_told_of_while_the_track_lives(flown, line):
    stands = line((0.0, 300.0, 60.0), (0.0, 0.0, 0.0), 5)
    leaves = [(5.0 + after, track) for after, track in line((0.0, 300.0, 60.0), (0.0, 20.0, 0.0), 200)]
    told = flown(stands + leaves)
    reported = [after for after, threats in told if threats]
    above = [after for after, level in levels(told) if level not in ("none", "info")]
    assert max(reported) >= max(above) + 59.0
    assert told[-1][1] == ()
