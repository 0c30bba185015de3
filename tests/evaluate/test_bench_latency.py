"""The latency benchmark measures a real station in a process of its own; no figure is asserted."""

from vedette.evaluate.bench_latency import bench_latency
from vedette.station.stages import STAGES


def test_every_stage_is_measured_from_the_receiver_to_the_phone() -> None:
    figures = bench_latency(tracks=20, units=200, seconds=9.0)
    stages = figures["stages"]
    assert isinstance(stages, dict)
    assert set(stages) == {*STAGES, "delivered"}
    for stage, row in stages.items():
        assert row["count"] > 0, stage
        assert 0.0 < row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"] <= row["max_ms"]
    assert stages["received"]["p50_ms"] <= stages["assessed"]["p50_ms"] <= stages["delivered"]["p50_ms"]
    assert figures["alerts_delivered"] > 0
