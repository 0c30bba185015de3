"""Late data, the settled picture, state and restore: what is known never depends on the network."""

import math
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from vedette.fuse import FuseSettings, Tracker
from vedette.model import ConfigError, Detection, EmptyScan, InputError

PROBE = Path(__file__).with_name("hash_order_probe.py")


def traffic(world, seed: int, seconds: float = 6.0) -> list[Detection]:
    """Reports, plots, empty scans, echoes, teleports and strangers, in order of their time."""
    rng = random.Random(seed)
    out = []
    for k in range(int(seconds * 4)):
        t = k * 0.25
        for body in range(4):
            place = (500.0 * body + 15.0 * t + rng.gauss(0, 6), 800.0 + rng.gauss(0, 6), 90.0)
            name = None if body == 3 else f"D{body}"
            report = world.report(t + 0.01 * body, place, name=name, beliefs={"multirotor": 0.7})
            out.append(report)
            if rng.random() < 0.3:
                out.append(structs.replace(report, sensor="rid-2"))
        if k % 4 == 0:
            out += [world.plot(t, (500.0 * b + 15.0 * t, 800.0, 90.0), scan=k) for b in range(2)]
        if k % 10 == 5:
            out.append(Detection(time=world.start + t, sensor="radar", measure=EmptyScan()))
        if rng.random() < 0.1:
            out.append(world.report(t, (rng.uniform(-9e3, 9e3), -5e3, 90.0), name="D1"))
    return sorted(out, key=lambda d: d.time)


def shuffled(detections: list[Detection], seed: int, most_late: float) -> list[tuple[float, list[Detection]]]:
    """(at, batch): every detection arrives with its own delay, in batches of 50 ms."""
    rng = random.Random(seed)
    batches: dict[int, list[Detection]] = {}
    for detection in detections:
        delay = rng.uniform(0.0, most_late)
        batches.setdefault(math.ceil((detection.time + delay) / 0.05), []).append(detection)
    for batch in batches.values():
        rng.shuffle(batch)
    return [(number * 0.05, batch) for number, batch in sorted(batches.items())]


def drive(tracker: Tracker, arrivals: list[tuple[float, list[Detection]]]) -> Tracker:
    for at, batch in arrivals:
        tracker.add(batch, at)
    return tracker


@given(st.integers(0, 10_000), st.sampled_from([0.3, 2.0, 7.9]))
@settings(deadline=None, max_examples=15)
def test_every_arrival_order_settles_on_the_same_bytes(world, seed: int, most_late: float) -> None:
    detections = traffic(world, seed % 7)
    end = world.start + 15.0
    ideal = drive(world.tracker(world.radar), [(d.time, [d]) for d in detections])
    other = drive(world.tracker(world.radar), shuffled(detections, seed, most_late))
    for at in (end, end + 3.5, end + 60.0):
        assert ideal.settled(at) == other.settled(at)
        assert ideal.frame(at) == other.frame(at)
    assert other.counts.get("late", 0) == 0


@pytest.mark.parametrize("seed", range(6))
def test_checkpoints_between_the_seconds_change_nothing(world, monkeypatch, seed: int) -> None:
    detections = traffic(world, seed)
    ideal = drive(world.tracker(world.radar), [(d.time, [d]) for d in detections])
    monkeypatch.setattr("vedette.fuse.timeline._LEAST_GROUPS_BETWEEN_CHECKPOINTS", 1)
    other = drive(world.tracker(world.radar), shuffled(detections, seed, 0.8))
    assert ideal.settled(world.start + 15) == other.settled(world.start + 15)


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=8)
def test_the_settled_picture_is_the_same_at_every_second_on_the_way(world, seed: int) -> None:
    detections = traffic(world, 3)
    one = drive_and_settle(world.tracker(world.radar), [(d.time, [d]) for d in detections], world.start)
    two = drive_and_settle(world.tracker(world.radar), shuffled(detections, seed, 5.0), world.start)
    assert one == two
    assert len(set(one)) > 3


def drive_and_settle(tracker: Tracker, arrivals, start: float) -> list[tuple[float, bytes]]:
    settled, waiting = [], list(arrivals)
    for second in range(16):
        while waiting and waiting[0][0] <= start + second:
            tracker.add(waiting[0][1], waiting[0][0])
            waiting.pop(0)
        settled.append(tracker.settled(start + second))
    return settled


@given(st.integers(0, 10_000), st.integers(0, 150))
@settings(deadline=None, max_examples=12)
def test_a_restored_tracker_goes_on_bit_for_bit(world, seed: int, cut: int) -> None:
    arrivals = shuffled(traffic(world, seed % 5, 10.0), seed, 1.5)
    whole = world.tracker(world.radar)
    drive(whole, arrivals[:cut])
    state = whole.state()
    restored = Tracker.restore(world.site, (world.radar,), FuseSettings(), state)
    assert restored.state() == state
    for at, batch in arrivals[cut:]:
        assert whole.add(batch, at) == restored.add(batch, at)
        assert whole.frame(at) == restored.frame(at)
    end = world.start + 12.0
    assert whole.settled(end) == restored.settled(end)
    assert whole.state() == restored.state()
    assert whole.counts == restored.counts


def test_a_late_detection_changes_the_track_as_if_it_had_been_in_time(world) -> None:
    reports = [world.report(t, (10.0 * t, 500.0, 90.0)) for t in range(6)]
    in_time, late = world.tracker(), world.tracker()
    world.feed(in_time, reports)
    world.feed(late, reports[:2] + reports[3:])
    without = late.frame(world.start + 5)
    track = late.add([reports[2]], world.start + 5.05)
    assert track == [without.tracks[0].id]
    assert late.frame(world.start + 5) == in_time.frame(world.start + 5) != without


def test_older_than_the_window_is_counted_and_not_fused(world) -> None:
    tracker = world.tracker()
    world.feed(tracker, [world.report(t, (10.0 * t, 500.0, 90.0)) for t in range(20)])
    before = tracker.frame(world.start + 20)
    assert tracker.add([world.report(3.5, (0.0, 0.0, 90.0), name="old")], world.start + 20) == []
    assert tracker.counts == {"late": 1}
    assert tracker.frame(world.start + 20) == before


def test_no_sensor_moves_the_trackers_time_forward(world) -> None:
    tracker = world.tracker()
    tracker.add([world.report(1e6, (0.0, 500.0, 90.0))], world.start)
    assert tracker.counts == {"future-held-at-station-time": 1}
    honest = world.feed(tracker, [world.report(t, (0.0, 505.0 + 5.0 * t, 90.0)) for t in (0.5, 1.0)])
    assert len(honest.tracks) == 1
    assert honest.tracks[0].updated == world.start + 1.0
    assert "late" not in tracker.counts


def test_a_clock_slightly_ahead_is_taken_as_it_is(world) -> None:
    tracker = world.tracker()
    tracker.add([world.report(t, (0.0, 500.0, 90.0)) for t in (0.0, 0.9)], world.start)
    assert tracker.frame(world.start).tracks[0].updated == world.start + 0.9
    assert tracker.frame(world.start).tracks[0].enu_m == tracker.frame(world.start + 0.9).tracks[0].enu_m


def test_what_a_clock_that_is_ahead_stamped_is_not_taken_back(world) -> None:
    """The body is now where it was seen, whatever the stamp says: that is ahead of the station's time."""
    tracker = world.tracker()
    for t in range(5):
        tracker.add([world.report(t + 0.6, (20.0 * t, 500.0, 90.0))], world.start + t)
    assert tracker.frame(world.start + 4).tracks[0].enu_m == tracker.frame(world.start + 4.6).tracks[0].enu_m
    tracker.advance(world.start + 5)
    # By then the station's time has passed the stamp.
    earlier, then = (tracker.frame(world.start + t).tracks[0].enu_m[0] for t in (4.0, 4.6))
    assert then - earlier == pytest.approx(12.0, abs=4.0)


def test_station_time_that_goes_back_is_held(world) -> None:
    tracker = world.tracker()
    world.feed(tracker, [world.report(t, (0.0, 500.0, 90.0)) for t in range(4)])
    tracker.advance(world.start - 1e6)
    assert tracker.settled(world.start)[0] == world.start - 5
    with pytest.raises(InputError, match="Unix seconds"):
        tracker.advance(math.nan)


def test_the_same_detection_twice_is_one(world) -> None:
    tracker = world.tracker()
    report = world.report(0, (0.0, 500.0, 90.0))
    tracker.add([report, report], world.start)
    tracker.add([report], world.start + 1)
    assert tracker.counts == {"repeated": 2}


def test_old_times_cannot_make_every_batch_replay_the_window(world) -> None:
    tracker = world.tracker(replay_budget_per_s=50)
    for k in range(200):
        t = k * 0.05
        tracker.add([world.report(t, (10.0 * t, 500.0, 90.0))], world.start + t)
        tracker.add([world.report(t - 2.0, (0.0, -800.0, 90.0), name="evil")], world.start + t)
    assert tracker.counts["late-deferred"] > 150
    tracker.advance(world.start + 12.0)
    names = [track.identity.id for track in tracker.frame(world.start + 12.0).tracks]
    assert sorted(names) == ["1588E040445AC004418", "evil"]


def test_deferred_detections_settle_like_all_others(world) -> None:
    detections = traffic(world, 2)
    free = drive(world.tracker(world.radar), shuffled(detections, 9, 3.0))
    short = drive(world.tracker(world.radar, replay_budget_per_s=0), shuffled(detections, 9, 3.0))
    assert short.counts["late-deferred"] > 0
    assert free.settled(world.start + 20) == short.settled(world.start + 20)


def test_one_sensors_flood_leaves_room_for_the_others_and_keeps_the_freshest(world) -> None:
    tracker = world.tracker(max_detections_per_sensor_second=10)
    flood = [world.report(i * 0.01, (300.0 * i, 500.0, 90.0), name=f"X{i}") for i in range(50)]
    honest = [world.report(t, (t, -500.0, 90.0), sensor="rid-2") for t in (0.0, 0.5)]
    tracker.add([*flood, *honest], world.start + 0.6)
    assert tracker.counts["over-capacity"] == 45
    assert len(tracker.frame(world.start + 0.6).tracks) == 1
    assert b"X49" in tracker.state()
    assert b'"X9"' not in tracker.state()


def test_a_bounded_memory_after_an_hour(world) -> None:
    tracker = world.tracker()
    sizes = []
    for t in range(0, 3600, 2):
        tracker.add([world.report(t, (0.0, 500.0 + t % 50, 90.0))], world.start + t)
        sizes.append(len(tracker.state()))
    assert max(sizes[100:]) < 1.3 * min(sizes[100:])


def test_time_may_jump_by_years(world) -> None:
    tracker = world.tracker()
    world.feed(tracker, [world.report(t, (0.0, 500.0, 90.0)) for t in range(4)])
    tracker.advance(world.start + 3e8)
    assert tracker.frame(world.start + 3e8).tracks == ()
    assert tracker.settled(world.start + 3e8)[1] == world.tracker().settled(world.start)[1]


def test_a_restore_with_other_sensors_drops_what_they_cannot_place(world) -> None:
    tracker = world.tracker(world.radar)
    for t in range(4):
        batch = [world.plot(t, (900.0, 0.0, 90.0)), world.report(t, (0.0, 500.0 + t, 90.0))]
        tracker.add(batch, world.start + t)
    other = Tracker.restore(world.site, (), FuseSettings(), tracker.state())
    assert [track.sensors for track in other.frame(world.start + 4).tracks] == [("rid",)]
    assert other.counts == {"unknown-sensor": 4}


@pytest.mark.parametrize("state", [b"", b"\x00", b"{}", b"\x99" + b"\x00" * 40, b"\xff" * 100])
def test_bytes_that_are_no_state_are_an_input_error(world, state: bytes) -> None:
    with pytest.raises(InputError, match="cannot be restored"):
        Tracker.restore(world.site, (), FuseSettings(), state)


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_a_damaged_state_is_an_input_error_or_a_tracker(world, data) -> None:
    tracker = world.tracker()
    world.feed(tracker, [world.report(t, (0.0, 500.0, 90.0)) for t in range(3)])
    state = bytearray(tracker.state())
    for _ in range(data.draw(st.integers(1, 4))):
        state[data.draw(st.integers(0, len(state) - 1))] = data.draw(st.integers(0, 255))
    try:
        Tracker.restore(world.site, (), FuseSettings(), bytes(state))
    except InputError:
        return


def test_the_hash_seed_changes_nothing() -> None:
    digests = set()
    for seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = subprocess.run(
            [sys.executable, str(PROBE)], env=environment, capture_output=True, text=True, check=True
        )
        digests.add(run.stdout)
    assert len(digests) == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"confirm_existence": 0.04}, {"confirm_existence": 1.0}, {"max_tracks": 0}, {"verify_agreements": 0},
        {"reach_m": math.nan}, {"prior_height_m": math.inf}, {"replay_budget_per_s": -1},
    ],
)  # fmt: skip
def test_settings_that_contradict_themselves_are_refused(bad) -> None:
    with pytest.raises(ConfigError, match="fuse setting"):
        FuseSettings(**bad)


@pytest.mark.parametrize("datum", ["egm96", "agl", "takeoff", "barometric"])
def test_a_radar_whose_height_does_not_fit_the_sites_datum_is_refused(world, datum: str) -> None:
    with pytest.raises(ConfigError, match=r"sensor radar: its alt_datum"):
        world.tracker(structs.replace(world.radar, alt_datum=datum))
    receiver = structs.replace(world.radar, alt_datum=datum, type="report")
    assert world.tracker(receiver).counts == {}
