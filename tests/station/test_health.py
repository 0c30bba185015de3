"""A feed that falls silent is shown as not watching, whatever its connection says."""

from vedette.station.health import MAX_REASONS, FeedHealth, Health


class Now:
    at = 0.0


def watch() -> tuple[Now, Health, list[tuple[str, str]]]:
    now, seen = Now(), list[tuple[str, str]]()

    def changed(health: FeedHealth) -> None:
        seen.append((health.feed, health.state))

    return now, Health(lambda: now.at, changed), seen


def test_silence_is_reported_and_ends_with_data() -> None:
    now, health, seen = watch()
    health.report("radar", "watching", None)
    now.at = 31.0
    health.check()
    assert health.views()[0].state == "silent"
    assert "31 s" in (health.views()[0].reason or "")
    health.data("radar", 1)
    assert health.views()[0].state == "watching"
    assert [state for _, state in seen] == ["watching", "silent", "watching"]


def test_data_keeps_it_watching() -> None:
    now, health, _ = watch()
    health.report("radar", "watching", None)
    for at in range(0, 300, 20):
        now.at = float(at)
        health.data("radar", 2)
        health.check()
    assert health.views()[0].state == "watching"
    assert health.views()[0].detections == 30


def test_down_stays_down() -> None:
    now, health, _ = watch()
    health.report("tak", "down", "refused")
    now.at = 1000.0
    health.check()
    assert health.views()[0].state == "down"
    assert health.watching() == 0


def test_reasons_are_bounded() -> None:
    _, health, _ = watch()
    for number in range(MAX_REASONS + 20):
        health.quarantine("radar", f"reason {number}")
    counts = health.views()[0].quarantined
    assert len(counts) == MAX_REASONS + 1
    assert counts["other reasons"] == 20
