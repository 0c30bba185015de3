"""Capture files: every format and byte order, files that lie, and constant memory."""

import math
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.wire import bluetooth, ieee80211
from vedette.wire.capture import CaptureReader, PcapWriter, Record, read_batches, read_records
from vedette.wire.errors import CaptureError, EncodeError
from vedette.wire.opendroneid import BasicId, Location, pack

FRAMES = [b"first", b"", b"third" * 50]
TIME = 1_700_000_000.25


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    length = 12 + len(body)
    return struct.pack(f"{order}II", kind, length) + body + struct.pack(f"{order}I", length)


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str, link: int, options: bytes = b"", snaplen: int = 0) -> bytes:
    return block(order, 1, struct.pack(f"{order}HHI", link, 0, snaplen) + options)


def option(order: str, code: int, value: bytes) -> bytes:
    return struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4)


def enhanced(order: str, number: int, ticks: int, data: bytes, kind: int = 6) -> bytes:
    head = struct.pack(f"{order}I" if kind == 6 else f"{order}HH", *((number,) if kind == 6 else (number, 0)))
    head += struct.pack(f"{order}IIII", ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return block(order, kind, head + data + bytes(-len(data) % 4) + option(order, 1, b"a comment"))


def pcap(order: str, magic: int, per_second: int, frames: list[bytes]) -> bytes:
    data = struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65535, 127)
    for frame in frames:
        data += struct.pack(f"{order}IIII", int(TIME), per_second // 4, len(frame), len(frame)) + frame
    return data


def saved(folder: Path, data: bytes) -> Path:
    path = folder / "capture"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "per_second"), [(0xA1B2C3D4, 10**6), (0xA1B23C4D, 10**9)])
@pytest.mark.parametrize("chunk_bytes", [1, 7, 1 << 16])
def test_pcap(tmp_path: Path, order: str, magic: int, per_second: int, chunk_bytes: int) -> None:
    reader = CaptureReader(saved(tmp_path, pcap(order, magic, per_second, FRAMES)), chunk_bytes)
    assert list(reader.records()) == [Record(TIME, 127, frame) for frame in FRAMES]
    assert reader.counts == {"records": 3}


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("chunk_bytes", [1, 13, 1 << 16])
def test_pcapng_sections_interfaces_resolutions(tmp_path: Path, order: str, chunk_bytes: int) -> None:
    binary = option(order, 9, b"\x94")  # 2^-20 s
    nano = option(order, 9, b"\x09") + option(order, 14, struct.pack(f"{order}q", 100))
    data = (
        section(order) + interface(order, 127) + interface(order, 272, binary) + interface(order, 256, nano)
    )
    data += enhanced(order, 0, int(TIME * 10**6), b"micro") + block(order, 4, b"name resolution")
    data += enhanced(order, 1, int(TIME * 2**20), b"binary")
    data += enhanced(order, 2, int((TIME - 100) * 4) * 250_000_000, b"nano", kind=6)
    data += enhanced(order, 0, int(TIME * 10**6), b"old packet block", kind=2)
    other = "<" if order == ">" else ">"
    data += section(other) + interface(other, 251) + enhanced(other, 0, int(TIME * 10**6), b"other order")
    reader = CaptureReader(saved(tmp_path, data), chunk_bytes)
    assert list(reader.records()) == [
        Record(TIME, 127, b"micro"),
        Record(TIME, 272, b"binary"),
        Record(TIME, 256, b"nano"),
        Record(TIME, 127, b"old packet block"),
        Record(TIME, 251, b"other order"),
    ]


def test_a_simple_packet_has_no_time(tmp_path: Path) -> None:
    data = section("<") + interface("<", 127, snaplen=4) + block("<", 3, struct.pack("<I", 6) + b"simple")
    (record,) = read_records(saved(tmp_path, data))
    assert math.isnan(record.time)
    assert (record.data, record.link_type) == (b"simp", 127)


def test_packets_of_no_interface_or_too_many_bytes_are_counted(tmp_path: Path) -> None:
    long = bytearray(enhanced("<", 0, 0, b"abcd"))
    long[20:24] = struct.pack("<I", 5000)
    data = section("<") + interface("<", 127) + enhanced("<", 7, 0, b"nobody's") + bytes(long)
    data += enhanced("<", 0, 10**6, b"good")
    reader = CaptureReader(saved(tmp_path, data))
    assert [record.data for record in reader.records()] == [b"good"]
    assert reader.counts == {"records": 1, "malformed-packet": 2}


def test_a_block_larger_than_any_buffer_is_passed_over(tmp_path: Path) -> None:
    data = section("<") + interface("<", 127) + block("<", 10, bytes(300_000)) + enhanced("<", 0, 5, b"after")
    assert [r.data for r in CaptureReader(saved(tmp_path, data), 4096).records()] == [b"after"]


def test_btsnoop(tmp_path: Path) -> None:
    data = b"btsnoop\0" + struct.pack(">II", 1, 1002)
    ticks = int(TIME * 10**6) + 0x00DCDDB30F2F8000
    for frame in FRAMES:
        data += struct.pack(">IIIIQ", len(frame), len(frame), 0, 0, ticks) + frame
    assert list(read_records(saved(tmp_path, data))) == [Record(TIME, 187, frame) for frame in FRAMES]
    with pytest.raises(CaptureError, match="datalink 7"):
        list(read_records(saved(tmp_path, b"btsnoop\0" + struct.pack(">II", 1, 7))))


@pytest.mark.parametrize("cut", [1, 5, 20, 250])
def test_a_cut_last_record_is_counted(tmp_path: Path, cut: int) -> None:
    reader = CaptureReader(saved(tmp_path, pcap("<", 0xA1B2C3D4, 10**6, FRAMES)[:-cut]))
    assert [r.data for r in reader.records()] == FRAMES[:2]
    assert reader.counts == {"records": 2, "truncated-record": 1}


@pytest.mark.parametrize("length", [262_145, 0xFFFFFFFF])
def test_an_absurd_length_ends_the_file_with_a_reason(tmp_path: Path, length: int) -> None:
    data = pcap("<", 0xA1B2C3D4, 10**6, FRAMES)
    good = len(data)
    data += struct.pack("<IIII", 0, 0, length, length) + bytes(100)
    reader = CaptureReader(saved(tmp_path, data))
    assert len(list(reader.records())) == 3
    assert reader.counts == {"records": 3, "ended:absurd-length": 1, "lost-bytes": len(data) - good}


@pytest.mark.parametrize("length", [0, 11, 30, 0xFFFFFFFC])
def test_an_absurd_block_ends_the_file_with_a_reason(tmp_path: Path, length: int) -> None:
    bad = struct.pack("<II", 6, length) + bytes(40)
    data = section("<") + interface("<", 127) + enhanced("<", 0, 5, b"good") + bad
    reader = CaptureReader(saved(tmp_path, data))
    assert [r.data for r in reader.records()] == [b"good"]
    assert reader.counts["ended:absurd-length"] == 1


@pytest.mark.parametrize("data", [b"", b"\x00\x01", b"GIF89a and so on", b"\xd4\xc3\xb2\xa1", bytes(4096)])
def test_what_is_no_capture_is_one_line_that_names_the_file(tmp_path: Path, data: bytes) -> None:
    path = saved(tmp_path, data)
    with pytest.raises(CaptureError) as caught:
        list(read_batches(path))
    message = str(caught.value)
    assert str(path) in message
    assert "pcapng" in message
    assert "\n" not in message


def test_a_missing_file_is_a_capture_error(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="cannot be read"):
        list(read_batches(tmp_path / "absent.pcap"))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_mutated_files_never_crash_nor_read_outside(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    base = data.draw(st.sampled_from([
        pcap("<", 0xA1B2C3D4, 10**6, FRAMES),
        section(">") + interface(">", 127) + enhanced(">", 0, 9, b"abc") + enhanced(">", 0, 9, b"defg"),
    ]))  # fmt: skip
    mutated = bytearray(base)
    for _ in range(data.draw(st.integers(1, 6))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("mutated") / "capture"
    path.write_bytes(mutated)
    try:
        batches = list(CaptureReader(path, chunk_bytes=64).batches())
    except CaptureError:
        return
    for batch in batches:
        assert int((batch.offsets + batch.lengths).max()) <= len(batch.data)
        assert int(batch.lengths.min()) >= 0


records = st.lists(st.tuples(st.integers(0, (2**32 - 2) * 1000), st.binary(max_size=60)), max_size=20)


@settings(deadline=None)
@given(records)
def test_what_the_writer_writes_the_reader_reads(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("written") / "c.pcap"
    with path.open("wb") as stream, PcapWriter(stream, 256) as writer:
        for milliseconds, data in rows:
            writer.write(milliseconds / 1000, data)
    found = list(read_records(path))
    assert [r.data for r in found] == [data for _, data in rows]
    for record, (milliseconds, _) in zip(found, rows, strict=True):
        assert abs(record.time - milliseconds / 1000) < 1e-6


def test_the_writer_refuses_what_pcap_cannot_hold(tmp_path: Path) -> None:
    with PcapWriter(tmp_path / "c.pcap", 127) as writer:
        for time in (-1.0, 2.0**32, float("nan"), float("inf")):
            with pytest.raises(EncodeError):
                writer.write(time, b"")
        with pytest.raises(EncodeError):
            writer.write(1.0, bytes(262_145))
        writer.write(TIME, b"good")
    assert list(read_records(tmp_path / "c.pcap")) == [Record(TIME, 127, b"good")]


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    with PcapWriter(tmp_path / "large.pcap", 127) as writer:
        for number in range(20_000):
            writer.write(TIME + number, bytes(400))
    reader = CaptureReader(tmp_path / "large.pcap", 1 << 14)
    assert max(len(batch.data) for batch in reader.batches()) < 1 << 16
    assert reader.counts == {"records": 20_000}


@pytest.mark.counterpart
def test_wireshark_reads_our_frames_as_what_they_are(
    tmp_path: Path, counterpart: Callable[[str], str]
) -> None:
    payload = pack([BasicId(uas_id="VEDETTE1", id_type=1, ua_type=2), Location(lat_deg=48.0, lon_deg=11.0)])
    address = bytes.fromhex("020000c0ffee")
    with PcapWriter(tmp_path / "wifi.pcap", 127) as writer:
        writer.write(TIME, ieee80211.encode_beacon(address, payload, ssid=b"net"))
        writer.write(TIME, ieee80211.encode_nan(address, payload))
    with PcapWriter(tmp_path / "ble.pcap", 256) as writer:
        writer.write(TIME, bluetooth.encode_legacy(address, payload[3:28]))
        writer.write(TIME, bluetooth.encode_extended(address, payload))
    wifi = _tshark(
        counterpart, tmp_path / "wifi.pcap", "wlan.sa", "wlan.fcs.status", "radiotap.dbm_antsignal"
    )
    assert wifi == ["02:00:00:c0:ff:ee,1,-60", "02:00:00:c0:ff:ee,1,-60"]
    ble = _tshark(
        counterpart, tmp_path / "ble.pcap", "btle.advertising_address", "btcommon.eir_ad.entry.uuid_16"
    )
    assert ble == ["02:00:00:c0:ff:ee,0xfffa", "02:00:00:c0:ff:ee,0xfffa"]


def _tshark(counterpart: Callable[[str], str], path: Path, *fields: str) -> list[str]:
    wanted = [part for field in ("_ws.malformed", *fields) for part in ("-e", field)]
    command = [counterpart("tshark"), "-r", str(path), "-o", "wlan.check_checksum:TRUE", "-T", "fields"]
    done = subprocess.run(
        [*command, "-E", "separator=,", *wanted], capture_output=True, text=True, check=True
    )
    lines = done.stdout.splitlines()
    assert all(line.startswith(",") for line in lines), "the first column says malformed"
    return [line[1:] for line in lines]
