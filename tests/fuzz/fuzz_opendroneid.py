"""Random mutation of captured frames and capture files: `python tests/fuzz/fuzz_opendroneid.py --seconds N`.

Two things must hold on any bytes: nothing raises but the typed errors, and the compiled kernel says the
same as the plain Python decoders. The seeds in `corpus/opendroneid` are made by our own encoders
(`--make-corpus` writes them again): `<link type>-<name>.bin`, one frame each.
"""

import contextlib
import io
import random
import struct
import tempfile
from pathlib import Path

import harness

from vedette.sense.remote_id import RemoteIdAdapter
from vedette.wire import bluetooth, ieee80211
from vedette.wire.capture import CaptureReader, FrameBatch, PcapWriter, Record
from vedette.wire.errors import CaptureError, DecodeError
from vedette.wire.opendroneid import (
    AuthPage,
    BasicId,
    Location,
    OperatorId,
    SelfId,
    System,
    encode,
    kernel,
    pack,
)
from vedette.wire.opendroneid.carriage import REASONS, decode_frame, frame_entries

CORPUS = harness.CORPORA / "opendroneid"
FRAMES_PER_ROUND = 200
TELLING = (0x00, 0x03, 0x0D, 0x16, 0x19, 0x7F, 0x80, 0xDD, 0xF2, 0xFF)
"""Bytes that mean something in these formats, so that mutations reach the deeper branches."""


def make_corpus() -> None:
    """Write the seeds anew."""
    address = bytes.fromhex("02000000fa0d")
    messages = (
        BasicId(uas_id="FUZZ0000001", id_type=1, ua_type=2),
        BasicId(uas_id="FUZZ-REG", id_type=2, ua_type=2),
        Location(lat_deg=48.1, lon_deg=11.5, alt_geodetic_m=500.0, timestamp_s=1000.0),
        AuthPage(auth_type=1, page=0, last_page=1, length_bytes=40, data=bytes(17)),
        AuthPage(auth_type=1, page=1, data=bytes(23)),
        SelfId(description="fuzz"),
        System(operator_lat_deg=48.0, operator_lon_deg=11.0),
        OperatorId(operator_id="FUZZ-OP"),
    )
    payload, small = pack(messages), pack(messages[:3])
    extended = bluetooth.encode_extended(address, payload)
    nordic = bytes((1, 0, 0, 3, 0, 0, 2, 10, 0x21, 37, 61)) + bytes(6) + extended[10:]
    seeds = {
        "127-beacon": ieee80211.encode_beacon(address, payload, ssid=b"net"),
        "127-nan": ieee80211.encode_nan(address, payload),
        "105-beacon": ieee80211.encode_beacon(address, small)[15:-4],
        "256-extended": extended,
        "256-legacy-basic": bluetooth.encode_legacy(address, encode(messages[0])),
        "256-legacy-location": bluetooth.encode_legacy(address, encode(messages[2])),
        "251-legacy": bluetooth.encode_legacy(address, encode(messages[6]))[10:],
        "272-extended": nordic,
    }
    CORPUS.mkdir(parents=True, exist_ok=True)
    for name, data in seeds.items():
        (CORPUS / f"{name}.bin").write_bytes(data)


def seeds() -> list[Record]:
    """The corpus; the file name starts with the link type."""
    paths = sorted(CORPUS.glob("*.bin"))
    return [Record(1.79e9, int(path.name.split("-")[0]), path.read_bytes()) for path in paths]


def mutate(data: bytes, rng: random.Random) -> bytes:
    """One to six random edits: set, flip, cut, insert, repeat."""
    edited = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(edited) + 1)
        edit = rng.randrange(6)
        if edit == 0 and at < len(edited):
            edited[at] = rng.randrange(256)
        elif edit == 1 and at < len(edited):
            edited[at] = rng.choice(TELLING)
        elif edit == 2 and at < len(edited):
            edited[at] ^= 1 << rng.randrange(8)
        elif edit == 3:
            del edited[at : at + rng.randint(1, 40)]
        elif edit == 4:
            edited[at:at] = bytes(rng.choices(TELLING, k=rng.randint(1, 30)))
        else:
            edited[at:at] = edited[max(0, at - 25) : at]
    return bytes(edited)


def expected(record: Record) -> tuple[str, list[bytes]]:
    """What the plain decoders say of a frame."""
    try:
        found = decode_frame(record.link_type, record.data)
        return ("not-remote-id", []) if found is None else ("remote-id", frame_entries(found))
    except DecodeError as error:
        return error.reason, []


def check_frames(records: list[Record], adapter: RemoteIdAdapter) -> None:
    """The kernel agrees with the plain decoders, and the adapter takes everything."""
    batch = FrameBatch.of(records)
    frames, rows = kernel.scan(batch)
    for i, record in enumerate(records):
        messages = [batch.data[at : at + 25] for at in rows.offset[rows.frame == i].tolist()]
        reason = REASONS[frames.reason[i]]
        if (reason, messages if reason == "remote-id" else []) != expected(record):
            raise AssertionError(
                f"link {record.link_type}: kernel and reference differ on {record.data.hex()}"
            )
    adapter.detections(batch)
    adapter.operator_positions()


def as_pcap(records: list[Record]) -> bytes:
    """Frames of one link type as a pcap file."""
    file = io.BytesIO()
    writer = PcapWriter(file, records[0].link_type)
    for record in records:
        writer.write(record.time, record.data)
    return file.getvalue()


def as_pcapng(records: list[Record]) -> bytes:
    """The same as pcapng: section header, one interface, an enhanced packet block for each frame."""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        length = struct.pack("<I", len(body) + 12)
        return struct.pack("<I", kind) + length + body + length

    file = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))
    file += block(1, struct.pack("<HHI", records[0].link_type, 0, 0))
    for record in records:
        high, low = divmod(int(record.time * 1e6), 1 << 32)
        head = struct.pack("<IIIII", 0, high, low, len(record.data), len(record.data))
        file += block(6, head + record.data)
    return file


def as_btsnoop(records: list[Record]) -> bytes:
    """The same as btsnoop (HCI UART): a header, then a record for each frame."""
    file = b"btsnoop\0" + struct.pack(">II", 1, 1002)
    for record in records:
        file += struct.pack(">IIIIq", len(record.data), len(record.data), 0, 0, 0) + record.data
    return file


def check_file(records: list[Record], folder: Path, rng: random.Random) -> None:
    """A mutated capture file of any kind gives frames inside its buffers, or a CaptureError."""
    path = folder / "fuzz.capture"
    whole = rng.choice((as_pcap, as_pcapng, as_btsnoop))(records[:20])
    path.write_bytes(mutate(whole, rng))
    try:
        for batch in CaptureReader(path, chunk_bytes=512).batches():
            RemoteIdAdapter("fuzz").detections(batch)
    except CaptureError:
        return


def rounds(folder: Path) -> harness.Round:
    """Many frames at once, and a capture file of some of them."""
    corpus, adapter = seeds(), RemoteIdAdapter("fuzz", max_emitters=100)

    def one(rng: random.Random) -> int:
        chosen = [rng.choice(corpus) for _ in range(FRAMES_PER_ROUND)]
        records = [Record(r.time, r.link_type, mutate(r.data, rng)) for r in chosen]
        check_frames(records, adapter)
        check_file(records, folder, rng)
        return len(records)

    return one


def check(data: bytes, rng: random.Random) -> None:
    """One frame of every link type, and one capture file of the bytes as they are."""
    records = [Record(1.79e9, link, data) for link in (105, 127, 251, 256, 272)]
    check_frames(records, RemoteIdAdapter("fuzz", max_emitters=100))
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        with contextlib.suppress(CaptureError):
            for batch in CaptureReader(Path(file.name), chunk_bytes=512).batches():
                RemoteIdAdapter("fuzz").detections(batch)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        code = harness.main("opendroneid", rounds(Path(place)), check, mutate, "frames", make_corpus)
    raise SystemExit(code)
