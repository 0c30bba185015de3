"""The log's benchmark measures what it says."""

from pathlib import Path

import pytest

from vedette.evaluate.bench_log import bench_log, remote_id_event
from vedette.model.event import DetectionBatch


def test_the_benchmark_reports_its_figures(tmp_path: Path) -> None:
    result = bench_log(1200, tmp_path)
    assert set(result) == {
        "appends_per_s",
        "appends_per_cpu_s",
        "batch",
        "verified_per_s",
        "verified_per_cpu_s",
        "bytes_per_event",
    }
    assert all(value > 0 for value in result.values())
    assert result["batch"] == 500
    assert 200 < result["bytes_per_event"] < 2000
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seq", [1, 50, 77_777])
def test_its_events_are_single_remote_id_detections(seq: int) -> None:
    body = remote_id_event(seq).body
    assert isinstance(body, DetectionBatch)
    (detection,) = body.detections
    assert detection.claim is not None
    assert detection.claim.scheme == "remote-id-serial"
    assert len(detection.claim.id) == 20
