"""A feed that falls deaf is not watching, whatever its connection says; one that is wrong says how."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.sense.clocks import SenderClock
from vedette.station.health import (
    MAX_FEEDS,
    MAX_REASONS,
    MOST_PARTS,
    TOLD_AT_ONCE,
    FeedHealth,
    Health,
    clock_words,
)


class Now:
    at = 0.0


def watch(*senses: str) -> tuple[Now, Health, list[tuple[str, str]]]:
    now, seen = Now(), list[tuple[str, str]]()

    def changed(health: FeedHealth) -> None:
        seen.append((health.feed, health.state))

    return now, Health(lambda: now.at, changed, dict.fromkeys(senses, ("radar-2d",))), seen


def test_silence_is_reported_and_ends_with_data() -> None:
    now, health, seen = watch()
    health.report("radar", "watching", None)
    now.at = 31.0
    health.check()
    assert health.views()[0].state == "deaf"
    assert "31 s" in (health.views()[0].reason or "")
    health.data("radar", 1)
    assert health.views()[0].state == "watching"
    assert [state for _, state in seen] == ["watching", "deaf", "watching"]


def test_data_keeps_it_watching() -> None:
    now, health, _ = watch()
    health.report("radar", "watching", None)
    for at in range(0, 300, 20):
        now.at = float(at)
        health.data("radar", 2)
        health.check()
    assert health.views()[0].state == "watching"
    assert health.views()[0].detections == 30
    assert health.views()[0].last_heard == 280.0


def test_a_quiet_sky_is_not_deafness() -> None:
    """North markers, heartbeats or strangers' frames come, and no drone: the source lives."""
    now, health, seen = watch()
    health.report("radar", "watching", None)
    for at in range(0, 300, 4):
        now.at = float(at)
        health.heard("radar")
        health.check()
    view = health.views()[0]
    assert (view.state, view.detections, view.last_data, view.last_heard) == ("watching", 0, None, 296.0)
    assert [state for _, state in seen] == ["watching"]


def test_a_source_that_keeps_its_word_is_deaf_sooner() -> None:
    now, health, _ = watch()
    health.report("radar", "watching", None)
    health.heard("radar", due_s=5.0)
    now.at = 6.0
    health.check()
    assert health.views()[0].state == "deaf"


def test_garbage_is_no_sign_of_life_and_is_told() -> None:
    now, health, _ = watch()
    health.report("receiver", "watching", None)
    for at in range(35):
        now.at = float(at)
        health.quarantine("receiver", "bad-crc", 3)
        health.check()
    view = health.views()[0]
    assert view.state == "deaf"
    assert "only 105 damaged" in (view.reason or "")


def test_mostly_garbage_degrades() -> None:
    now, health, seen = watch()
    health.report("receiver", "watching", None)
    health.heard("receiver", count=10)
    health.quarantine("receiver", "bad-crc", 90)
    health.check()
    view = health.views()[0]
    assert view.state == "degraded"
    assert "90 of 100" in view.troubles[0]
    assert "bad-crc" in view.troubles[0]
    now.at = 61.5
    health.heard("receiver")
    health.check()
    assert [state for _, state in seen] == ["watching", "degraded", "watching"]


def test_a_flood_is_shown_and_ends() -> None:
    now, health, seen = watch()
    health.report("udp", "watching", None)
    health.heard("udp", count=1000)
    health.quarantine("udp", "flooded", 9000)
    health.check()
    assert "9000 shed" in health.views()[0].troubles[0]
    now.at = 20.0
    health.heard("udp")
    health.check()
    assert len(seen) == 2  # the figure in the words changes; that alone is no news
    now.at = 62.0
    health.heard("udp")
    health.check()
    assert health.views()[0].state == "watching"


def test_what_a_peer_tells_stays_until_it_is_over() -> None:
    _, health, seen = watch()
    health.report("node", "watching", "by TCP")
    health.trouble("node", "power", "on battery")
    assert health.views()[0].troubles == ("on battery",)
    assert health.views()[0].state == "degraded"
    health.trouble("node", "power", None)
    assert health.views()[0].state == "watching"
    assert health.views()[0].reason == "by TCP"
    assert [state for _, state in seen] == ["watching", "degraded", "watching"]


def test_degraded_still_watches_and_deaf_does_not() -> None:
    now, health, _ = watch()
    health.report("a", "watching", None)
    health.report("b", "watching", None)
    health.trouble("a", "power", "on battery")
    assert health.watching() == 2
    now.at = 40.0
    health.heard("a")
    health.check()
    assert health.watching() == 1


@pytest.mark.parametrize(
    ("behind", "words"),
    [
        (3.2, "3.2 s behind"),
        (-3.2, "3.2 s ahead"),
        (-7200.0, "2 h ahead: is it set to local time"),
        (19800.5, "5.5 h behind: is it set to local time"),
        (22500.0, "its clock is 6 h 15 min behind"),
        (119.0, "119.0 s behind: its clock, or a slow way to here"),
        (-200.0, "its clock is 3 min ahead"),
        (1.0, None),
        (-0.3, None),
    ],
)
def test_a_wrong_clock_is_told(behind: float, words: str | None) -> None:
    now, health, _ = watch()
    health.report("radar", "watching", None)
    for at in range(5):
        now.at = float(at)
        health.heard("radar", now.at - behind)
    health.check()
    view = health.views()[0]
    assert view.behind_s == pytest.approx(behind)
    assert view.state == ("watching" if words is None else "degraded")
    assert words is None or words in view.troubles[0]


def test_a_wedged_source_goes_on_talking_and_its_time_stands_still() -> None:
    now, health, _ = watch()
    health.report("radar", "watching", None)
    for at in range(40):
        now.at = float(at)
        health.heard("radar", min(now.at, 12.0))
        health.check()
    view = health.views()[0]
    assert view.state == "degraded"
    assert "stand still" in view.troubles[0]


def test_parts_of_a_feed_sense_as_it_does() -> None:
    _, health, _ = watch("net")
    health.report("net/mast", "watching", None)
    health.report("phones/one", "watching", None)
    assert [(view.senses, view.kinds) for view in health.views()] == [(True, ("radar-2d",)), (False, ())]
    health.kind("net/mast", ("jammer",), senses=False)
    assert [(view.senses, view.kinds) for view in health.views()] == [(False, ("jammer",)), (False, ())]


def test_down_stays_down() -> None:
    now, health, _ = watch()
    health.report("tak", "down", "refused")
    now.at = 1000.0
    health.check()
    assert health.views()[0].state == "down"
    assert health.watching() == 0


def test_reasons_feeds_and_troubles_are_bounded() -> None:
    _, health, _ = watch()
    for number in range(MAX_REASONS + 20):
        health.quarantine("radar", f"reason {number}")
        health.trouble("radar", f"what {number}", "words")
    counts = health.views()[0].quarantined
    assert len(counts) == MAX_REASONS + 1
    assert counts["other reasons"] == 20
    assert len(health.views()[0].troubles) <= MAX_REASONS + 3
    for number in range(MAX_FEEDS + 20):
        health.report(f"net/{number}", "watching", None)
    assert len(health.views()) <= MAX_FEEDS + 1


@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(0.0, 5.0)), min_size=1, max_size=60))
def test_an_estimate_of_a_clock_lies_within_what_was_seen(steps: list[tuple[float, float]]) -> None:
    clock, received, seen = SenderClock(), 0.0, []
    for behind, passed in steps:
        received += passed
        clock.note(received - behind, received)
        seen.append((received, received - (received - behind)))
    recent = [behind for at, behind in seen if received - at <= 62.0]
    if clock.behind_s is not None:
        assert min(recent) - 1e-6 <= clock.behind_s <= max(recent) + 1e-6
        assert clock.jitter_s >= 0.0
    timed = clock.timed(received - 100.0, received, (-0.1, 0.9))
    assert timed.time <= received
    assert timed.sigma_s > 0.0


def test_a_right_clock_is_believed_and_a_wrong_one_put_right() -> None:
    right, wrong = SenderClock(), SenderClock()
    for second in range(10):
        right.note(second - 0.2, float(second))
        wrong.note(second - 3.2 - 0.1 * (second % 2), float(second))
    assert right.timed(8.8, 9.0, (-0.1, 0.9)).time == 8.8
    assert right.timed(8.8, 9.0, (-0.1, 0.9)).sigma_s == 0.0
    late = wrong.timed(9.0 - 3.3, 9.0, (-0.1, 0.9))
    assert late.time == pytest.approx(8.9)
    assert 0.3 <= late.sigma_s <= 0.5
    assert clock_words(right) is None


def test_parts_that_strangers_invent_move_nothing_at_their_feed_and_none_of_another() -> None:
    now, health, _ = watch("net", "radar")
    for feed in ("net", "radar"):
        health.report(feed, "watching", None)
    for number in range(5 * MOST_PARTS):
        health.report(f"net/{number}", "watching", None)
        health.kind(f"net/{number}", ("jammer",), senses=False)
        health.trouble(f"net/{number}", "alert", "all is lost")
        health.heard(f"net/{number}", now.at - 3600.0, due_s=1.0)
    health.report("radar/mast", "watching", None)
    views = {view.feed: view for view in health.views()}
    assert len(views) == 2 + MOST_PARTS + 1
    assert (views["net"].state, views["net"].senses, views["net"].troubles) == ("watching", True, ())
    assert views["net"].kinds == ("radar-2d",)
    assert views["net"].behind_s is None
    assert views["net"].quarantined == {"too many parts: not shown": 3 * 4 * MOST_PARTS}
    assert views["radar/mast"].state == "watching"


def test_a_part_that_is_gone_makes_room_and_the_shortest_lived_goes_first() -> None:
    now, health, _ = watch("net")
    health.report("net/mast", "watching", None)
    now.at = 1000.0
    health.heard("net/mast")
    health.report("net/mast", "down", "no status")
    for number in range(5 * MOST_PARTS):
        now.at += 1.0
        health.report(f"net/{number}", "watching", None)
        health.heard(f"net/{number}")
        health.report(f"net/{number}", "down", "left")
        health.check()
    names = [view.feed for view in health.views()]
    assert len(names) == MOST_PARTS
    assert {"net/mast", f"net/{5 * MOST_PARTS - 1}"} <= set(names)


def test_a_feed_that_flaps_is_told_at_a_bounded_pace_and_the_last_word_is_told() -> None:
    now, health, seen = watch("net", "radar")
    for step in range(10_000):
        now.at = step * 0.01
        health.report("net", "connecting", f"{step % 2} connected")
    assert TOLD_AT_ONCE <= len(seen) <= TOLD_AT_ONCE + 110
    health.report("radar", "watching", None)
    assert seen[-1] == ("radar", "watching")
    health.report("net", "down", "the port is gone")
    now.at += 5.0
    health.check()
    assert seen[-1] == ("net", "down")
    told = len(seen)
    now.at += 5.0
    health.check()
    assert len(seen) == told


@pytest.mark.parametrize("speed", [0.5, 1.0, 20.0])
def test_a_senders_clock_is_told_in_its_own_seconds_at_any_speed(speed: float) -> None:
    """In an exercise station time runs faster than the sender's clock, and makes no clock wrong."""
    now = Now()
    health = Health(lambda: now.at, lambda feed: None, {"radar": ()}, speed)
    health.report("radar", "watching", None)
    for delay, state in ((0.2, "watching"), (3.2, "degraded")):
        for _ in range(90):
            now.at += speed
            health.heard("radar", now.at - delay * speed, due_s=10.0)
            health.check()
        (view,) = health.views()
        assert view.behind_s == pytest.approx(delay, abs=1e-6)
        assert view.state == state
    assert view.troubles == ("its times are 3.2 s behind: its clock, or a slow way to here",)
    for second in range(1, 12):
        now.at += speed
        health.check()
        assert (health.views()[0].state == "deaf") == (second >= 10)
