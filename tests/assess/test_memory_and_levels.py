"""What is remembered of a pair: it follows its names, and a level falls slowly."""

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from vedette.assess import AssessSettings
from vedette.assess.levels import held as hold
from vedette.assess.loiter import Sample, TrackHistory, gyration
from vedette.assess.memory import NOT_BELOW, UNSEEN, PairMemory

names = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6).map(tuple)


@given(st.lists(st.tuples(names, names), min_size=2, max_size=6))
def test_memory_follows_the_names_through_any_change(steps):
    memory, expected = PairMemory(), {}
    for n, (tracks, units) in enumerate(steps):
        memory.align(tracks, units)
        expected = {(t, u): expected.get((t, u), 0.0) for t in tracks for u in units}
        for i, t in enumerate(tracks):
            for j, u in enumerate(units):
                assert memory.told_until[i, j] == expected[t, u]
                memory.told_until[i, j] = expected[t, u] = float(100 * n + 10 * i + j)
        loaded = PairMemory.load(memory.save())
        assert (loaded.tracks, loaded.units) == (tracks, units)
        assert np.array_equal(loaded.told_until, memory.told_until)
        assert np.array_equal(loaded.pairs, memory.pairs)


def test_a_new_pair_is_unseen():
    memory = PairMemory()
    memory.align(("a",), ("u", "v"))
    assert memory.level.tolist() == [[UNSEEN, UNSEEN]]
    assert memory.below_since.tolist() == [[NOT_BELOW, NOT_BELOW]]


ranks = st.integers(0, 3).map(float)


@given(st.lists(st.tuples(ranks, ranks, st.sampled_from([0.1, 1.0, 7.0]), st.booleans()), max_size=60))
def test_up_at_once_and_down_only_after_the_hold(steps):
    held_level, since = np.array([UNSEEN]), np.array([NOT_BELOW])
    at, held, supported_at = 1000.0, 0.0, 1000.0
    for enter, extra, dt, awaited in steps:
        at += dt
        stay = max(enter, extra)
        held_level, since = hold(
            held_level, since, np.array([enter]), np.array([stay]), at, 20.0, np.array([awaited])
        )
        level = float(held_level[0])
        assert level >= enter
        if level < held:
            assert at - supported_at >= 20.0
            assert level == stay
        if stay >= level or awaited:
            supported_at = at
        held = level


def test_gyration_of_a_circle_is_its_radius():
    angles = np.linspace(0.0, 2.0 * np.pi, 40, endpoint=False).tolist()
    samples = [Sample(float(n), 80.0 * np.cos(a), 80.0 * np.sin(a)) for n, a in enumerate(angles)]
    assert abs(gyration(samples) - 80.0) < 1e-6


def history(track_of, base, speed, seconds):
    made = TrackHistory(AssessSettings())
    for t in range(seconds):
        made.take((track_of("T1", enu_m=(speed * t, 0.0, 50.0)),), base + t)
    return made


def test_hovering_loiters_after_its_span_and_passing_does_not(track_of, base):
    assert not history(track_of, base, 0.0, 20).loiters("T1", base + 19)
    assert history(track_of, base, 0.0, 21).loiters("T1", base + 20)
    assert not history(track_of, base, 25.0, 60).loiters("T1", base + 59)


def test_a_loiterer_stays_one_for_two_minutes_after_it_left(track_of, base):
    made = history(track_of, base, 0.0, 30)
    for t in range(30, 220):
        made.take((track_of("T1", enu_m=(30.0 * (t - 30), 0.0, 50.0)),), base + t)
        if t == 140:
            assert made.loiters("T1", base + t)
            assert 29.0 <= made.stayed_s("T1", base + t) < 60.0
    assert not made.loiters("T1", base + 219)
    assert made.stayed_s("T1", base + 219) == 0.0


def test_history_is_bounded_in_time_and_tracks(track_of, base):
    made = TrackHistory(AssessSettings())
    for t in range(400):
        for tenth in range(10):
            at = base + t + 0.1 * tenth
            made.take((track_of(f"T{t // 100}"),), at)
    assert sorted(made.paths) == ["T2", "T3"]
    assert max(len(path.samples) for path in made.paths.values()) <= 32
