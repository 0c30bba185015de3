"""Open Drone ID: how many captured frames a CPU second become detections, from a file and one at a time."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from vedette.evaluate.bench_decode.figures import SITE, Bench, Figures, Fix, fix, peak_rss_mb
from vedette.sense.remote_id import RemoteIdAdapter, read_capture, warm
from vedette.wire import bluetooth, ieee80211
from vedette.wire.capture import FrameBatch, PcapWriter, read_records
from vedette.wire.opendroneid import BasicId, IdType, Location, Single, System, UaType, encode, pack

MANY = 1_000_000
SINGLES = 2000
"""Frames of the live path (batches of one) that are measured."""

Framer = Callable[[bytes, bytes, int], bytes]


def _beacon(address: bytes, payload: bytes, counter: int) -> bytes:
    return ieee80211.encode_beacon(address, payload, counter=counter)


def _nan(address: bytes, payload: bytes, counter: int) -> bytes:
    return ieee80211.encode_nan(address, payload, counter=counter)


def _ble5(address: bytes, payload: bytes, counter: int) -> bytes:
    return bluetooth.encode_extended(address, payload, counter=counter)


def _ble4(address: bytes, payload: bytes, counter: int) -> bytes:
    return bluetooth.encode_legacy(address, payload, counter=counter)


CARRIAGES: dict[str, tuple[int, Framer, bool]] = {
    "odid": (ieee80211.LINK_RADIOTAP, _beacon, True),
    "odid-nan": (ieee80211.LINK_RADIOTAP, _nan, True),
    "odid-ble5": (bluetooth.LINK_LE_PHDR, _ble5, True),
    "odid-ble4": (bluetooth.LINK_LE_PHDR, _ble4, False),
}
"""Name -> link type, framing, and whether a frame holds a pack (identifier, location, operator)."""


def bench(fmt: str) -> Bench:
    """The measurement of one carriage: file decoding (all frames) and live decoding (batches of one)."""

    def measured(frames: int | None) -> Figures:
        return _bench(fmt, MANY if frames is None else frames)

    return measured


def _bench(fmt: str, frames: int) -> Figures:
    warm()
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "bench.pcap"
        write_capture(capture, fmt, frames)
        detections, cpu_s = _decode_file(capture)
        singles = sorted(_single_frames_ms(capture))
    return {
        "frames": frames,
        "detections": detections,
        "frames_per_cpu_s": round(frames / cpu_s),
        "single_frame_ms_p50": round(singles[len(singles) // 2], 4),
        "single_frame_ms_p99": round(singles[len(singles) * 99 // 100], 4),
        "peak_rss_mb": peak_rss_mb(),
    }


def write_capture(path: Path, fmt: str, frames: int) -> None:
    """A capture of ``frames`` distinct frames. In packless formats a transmitter's first frame names it."""
    link_type, framer, packed = CARRIAGES[fmt]
    with PcapWriter(path, link_type) as writer:
        for number in range(frames):
            at = fix(number)
            address = b"\x02\x00\x00\x00" + at.emitter.to_bytes(2, "big")
            writer.write(at.time, framer(address, _payload(at, packed), at.turn))


def _payload(at: Fix, packed: bool) -> bytes:
    messages = _messages(at)
    if packed:
        return pack(messages)
    return encode(messages[0] if at.turn == 0 else messages[1])


def _messages(at: Fix) -> tuple[Single, ...]:
    basic = BasicId(
        uas_id=f"VEDB{at.emitter:012d}", id_type=IdType.SERIAL, ua_type=UaType.HELICOPTER_OR_MULTIROTOR
    )
    location = Location(
        status=2,
        lat_deg=at.lat_deg,
        lon_deg=at.lon_deg,
        alt_geodetic_m=at.height_m,
        direction_deg=at.course_deg,
        speed_mps=at.speed_mps,
        vertical_speed_mps=at.climb_mps,
        horizontal_accuracy_m=3.0,
        vertical_accuracy_m=10.0,
        speed_accuracy_mps=1.0,
        timestamp_s=at.time % 3600.0,
    )
    operator_lon = SITE[1] + at.emitter * 1e-3
    system = System(operator_lat_deg=SITE[0], operator_lon_deg=operator_lon, time=int(at.time))
    return basic, location, system


def _decode_file(capture: Path) -> tuple[int, float]:
    """Bytes of the file -> detections. Returns how many, and the CPU seconds of this process."""
    adapter = RemoteIdAdapter("bench")
    started = time.process_time()
    detections = sum(len(found) for found in read_capture(capture, adapter))
    return detections, time.process_time() - started


def _single_frames_ms(capture: Path) -> Iterator[float]:
    """Wall milliseconds of the live path, one frame a batch."""
    adapter = RemoteIdAdapter("bench")
    for record, _ in zip(read_records(capture), range(SINGLES), strict=False):
        started = time.perf_counter()
        adapter.detections(FrameBatch.single(record.time, record.link_type, record.data))
        yield (time.perf_counter() - started) * 1e3


FORMS: dict[str, Bench] = {name: bench(name) for name in CARRIAGES}
