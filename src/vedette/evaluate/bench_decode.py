"""How many captured frames a CPU second become detections: `vedette bench decode`.

The capture is made with our own encoders, is not timed, and holds only distinct frames: 200
transmitters in turn, each frame with a new position, counter and time.
"""

import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from vedette.model import ConfigError
from vedette.sense.remote_id import RemoteIdAdapter, read_capture, warm
from vedette.wire import bluetooth, ieee80211
from vedette.wire.capture import FrameBatch, PcapWriter, read_records
from vedette.wire.opendroneid import BasicId, IdType, Location, Single, System, UaType, encode, pack

EMITTERS = 200
FRAMES_PER_S = 1000
START_S = 1_790_000_000.0
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


FORMATS: dict[str, tuple[int, Framer, bool]] = {
    "odid": (ieee80211.LINK_RADIOTAP, _beacon, True),
    "odid-nan": (ieee80211.LINK_RADIOTAP, _nan, True),
    "odid-ble5": (bluetooth.LINK_LE_PHDR, _ble5, True),
    "odid-ble4": (bluetooth.LINK_LE_PHDR, _ble4, False),
}
"""Name -> link type, framing, and whether a frame holds a pack (identifier, location, operator)."""


def bench_decode(fmt: str, frames: int = 1_000_000) -> dict[str, object]:
    """Measure file decoding (all frames) and live decoding (batches of one).

    Returns ``format``, ``frames``, ``detections``, ``frames_per_cpu_s``, ``single_frame_ms_p50``,
    ``single_frame_ms_p99`` and ``peak_rss_mb`` (of the whole process). Raises ConfigError.
    """
    if fmt not in FORMATS:
        raise ConfigError(f"no format {fmt!r} to decode: choose one of {', '.join(FORMATS)}")
    if frames < 1:
        raise ConfigError(f"at least one frame is needed to measure, not {frames}")
    warm()
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "bench.pcap"
        write_capture(capture, fmt, frames)
        detections, cpu_s = _decode_file(capture)
        singles = sorted(_single_frames_ms(capture))
    return {
        "format": fmt,
        "frames": frames,
        "detections": detections,
        "frames_per_cpu_s": round(frames / cpu_s),
        "single_frame_ms_p50": round(singles[len(singles) // 2], 4),
        "single_frame_ms_p99": round(singles[len(singles) * 99 // 100], 4),
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def write_capture(path: Path, fmt: str, frames: int) -> None:
    """A capture of ``frames`` distinct frames. In packless formats a transmitter's first frame names it."""
    link_type, framer, packed = FORMATS[fmt]
    with PcapWriter(path, link_type) as writer:
        for number in range(frames):
            at = START_S + number / FRAMES_PER_S
            emitter, turn = number % EMITTERS, number // EMITTERS
            address = b"\x02\x00\x00\x00" + emitter.to_bytes(2, "big")
            writer.write(at, framer(address, _payload(emitter, turn, at, packed), turn))


def _payload(emitter: int, turn: int, at: float, packed: bool) -> bytes:
    messages = _messages(emitter, turn, at)
    if packed:
        return pack(messages)
    return encode(messages[0] if turn == 0 else messages[1])


def _messages(emitter: int, turn: int, at: float) -> tuple[Single, ...]:
    basic = BasicId(
        uas_id=f"VEDB{emitter:012d}", id_type=IdType.SERIAL, ua_type=UaType.HELICOPTER_OR_MULTIROTOR
    )
    location = Location(
        status=2,
        lat_deg=48.0 + emitter * 1e-3 + turn * 1e-6,
        lon_deg=11.0 + emitter * 1e-3 - turn * 1e-6,
        alt_geodetic_m=500.0 + turn % 200 * 0.5,
        direction_deg=float((emitter + turn) % 360),
        speed_mps=turn % 100 * 0.25,
        vertical_speed_mps=turn % 9 * 0.5 - 2.0,
        horizontal_accuracy_m=3.0,
        vertical_accuracy_m=10.0,
        speed_accuracy_mps=1.0,
        timestamp_s=at % 3600.0,
    )
    system = System(operator_lat_deg=48.0, operator_lon_deg=11.0 + emitter * 1e-3, time=int(at))
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
