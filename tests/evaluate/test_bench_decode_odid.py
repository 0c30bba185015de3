"""The benchmark of Open Drone ID: a capture of distinct frames, all of which come out."""

from pathlib import Path

import pytest

from vedette.evaluate.bench_decode import bench_decode
from vedette.evaluate.bench_decode.figures import EMITTERS
from vedette.evaluate.bench_decode.odid import CARRIAGES, write_capture
from vedette.sense.remote_id import RemoteIdAdapter, read_capture
from vedette.wire.capture import read_records


@pytest.mark.parametrize("fmt", sorted(CARRIAGES))
def test_every_frame_is_distinct_and_becomes_a_detection(tmp_path: Path, fmt: str) -> None:
    write_capture(tmp_path / "c.pcap", fmt, 1000)
    assert len({record.data for record in read_records(tmp_path / "c.pcap")}) == 1000
    adapter = RemoteIdAdapter("bench")
    found = [d for batch in read_capture(tmp_path / "c.pcap", adapter) for d in batch]
    # A legacy advertisement holds one message: the first of each transmitter is its identifier.
    assert len(found) == (1000 - EMITTERS if fmt == "odid-ble4" else 1000)
    assert all(detection.claim is not None for detection in found)
    assert len({detection.claim.id for detection in found if detection.claim}) == EMITTERS
    assert "clock-off" not in adapter.counts


def test_the_result_has_what_the_contract_names() -> None:
    result = bench_decode("odid", frames=500)
    assert (result["format"], result["frames"], result["detections"]) == ("odid", 500, 500)
    assert set(result) == {
        "format", "frames", "detections", "frames_per_cpu_s", "single_frame_ms_p50", "single_frame_ms_p99",
        "peak_rss_mb",
    }  # fmt: skip
