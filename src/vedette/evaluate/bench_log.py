"""How fast the record is: events appended durably, chain on, and events verified."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from vedette.model import Claim, Detection, Event, Integrity, Position, Sigma, Signal
from vedette.model.event import DetectionBatch
from vedette.record import Keyring, Log, verify

BATCH = 500
_START_S = 1_800_000_000.0


def bench_log(events: int = 200_000, folder: Path | None = None) -> dict[str, float]:
    """Append ``events`` detection events in transactions of 500 to a log in ``folder`` and verify it.

    Returns appends per second of wall clock (each transaction on the disk) and of CPU, verified
    events per second of wall clock and of CPU, and bytes of disk an event. Making the events is not
    timed. The folder decides what the disk costs: the default is the system's temporary folder.
    """
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        path = Path(scratch) / "bench.log"
        with Log.create(path, Keyring(Path(scratch) / "keys")) as log:
            appended, append_cpu_s, append_s = _append(log, events)
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        verdict = verify(path)
        cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
        if not verdict.good or verdict.events != appended:
            raise RuntimeError(f"the benchmark's own log does not verify: {verdict}")
        size = path.stat().st_size
    return {
        "appends_per_s": appended / append_s,
        "appends_per_cpu_s": appended / append_cpu_s,
        "batch": BATCH,
        "verified_per_s": appended / wall_s,
        "verified_per_cpu_s": appended / cpu_s,
        "bytes_per_event": size / appended,
    }


def _append(log: Log, events: int) -> tuple[int, float, float]:
    """Number of events appended, CPU seconds, wall seconds."""
    cpu_s = wall_s = 0.0
    for batch in _batches(events):
        cpu, wall = time.process_time(), time.perf_counter()
        log.append(batch)
        cpu_s += time.process_time() - cpu
        wall_s += time.perf_counter() - wall
    return log.last.seq, cpu_s, wall_s


def _batches(events: int) -> Iterator[list[Event]]:
    for start in range(1, events + 1, BATCH):
        yield [remote_id_event(seq) for seq in range(start, min(start + BATCH, events + 1))]


def remote_id_event(seq: int) -> Event:
    """Event ``seq``: one Remote ID position of one of 50 drones, as a Bluetooth sniffer reports it."""
    at = _START_S + seq * 0.002
    drone = seq % 50
    detection = Detection(
        time=at - 0.037,
        sensor="rid-1",
        received=at,
        measure=Position(
            lat_deg=52.1 + drone * 1e-3 + seq * 1e-7,
            lon_deg=21.0 + drone * 1.3e-3,
            alt_m=143.5 + drone,
            alt_datum="wgs84-ellipsoid",
            velocity_mps=(11.25, -3.75, 0.5),
        ),
        sigma=Sigma(horizontal_m=10.0, vertical_m=3.0, velocity_mps=0.3),
        claim=Claim(scheme="remote-id-serial", id=f"1581F4XF{drone:012d}"),
        signal=Signal(rssi_dbm=-71.0, transport="bt5-long-range", emitter=f"5e:3a:91:00:00:{drone:02x}"),
        integrity=Integrity(crc_ok=True),
    )
    return Event(seq, at, DetectionBatch(feed="sniffer-1", detections=(detection,)))
