"""Times of stages: measured from the cause, bounded in memory, exact ranks."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest

from vedette.station.stages import KEPT, STAGES, Stages, percentiles_ms


class Now:
    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_a_batch_is_measured_from_its_first_bytes() -> None:
    now = Now()
    stages = Stages(now)
    now.at = 1000.010
    stages.begin(1000.0)
    now.at = 1000.030
    stages.mark("tracked")
    stages.end()
    stages.mark("assessed")
    figures = stages.percentiles()
    assert figures["received"] == {"count": 1, "p50_ms": 10.0, "p95_ms": 10.0, "p99_ms": 10.0, "max_ms": 10.0}
    assert figures["tracked"]["p50_ms"] == 30.0
    assert "assessed" not in figures


def test_what_has_no_cause_is_not_measured() -> None:
    stages = Stages(Now())
    stages.begin(None)
    stages.since(None, "sent")
    assert stages.percentiles() == {}


def test_unknown_stages_are_passed_over_and_memory_is_bounded() -> None:
    stages = Stages(Now())
    stages.record("no-such-stage", 1.0)
    for number in range(KEPT + 10):
        stages.record("sent", number / 1000.0)
    assert set(stages.samples) == set(STAGES)
    assert len(stages.samples["sent"]) == KEPT
    assert min(stages.samples["sent"]) == 10 / 1000.0
    text = generate_latest(stages.registry).decode()
    assert f'vedette_stage_seconds_count{{stage="sent"}} {float(KEPT + 10)}' in text


@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=300))
def test_percentiles_are_samples_in_order(seconds: list[float]) -> None:
    figures = percentiles_ms(seconds)
    assert figures["count"] == len(seconds)
    ranks = [figures[name] for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms")]
    assert ranks == sorted(ranks)
    assert set(ranks) <= {round(1000.0 * value, 3) for value in seconds}
    assert figures["max_ms"] == round(1000.0 * max(seconds), 3)


def test_percentiles_of_a_known_row() -> None:
    figures = percentiles_ms([n / 1000.0 for n in range(101)])
    assert (figures["p50_ms"], figures["p95_ms"], figures["p99_ms"], figures["max_ms"]) == (
        50.0,
        95.0,
        99.0,
        100.0,
    )
