"""The compiled kernel is held to the plain Python decoders, on real captures and on mutations."""

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.wire import bluetooth, ieee80211
from vedette.wire.capture import FrameBatch, Record, read_records
from vedette.wire.errors import DecodeError
from vedette.wire.opendroneid import (
    BasicId,
    Location,
    SelfId,
    Single,
    System,
    decode_single,
    fields,
    kernel,
    pack,
)
from vedette.wire.opendroneid import tables as t
from vedette.wire.opendroneid.carriage import REASONS, TRANSPORTS, decode_frame, frame_entries

ADDRESS = bytes.fromhex("c0ffee010203")
PAYLOAD = pack([
    BasicId(uas_id="VEDETTE-KERNEL-1", id_type=1, ua_type=2),
    Location(lat_deg=48.1, lon_deg=11.5, alt_geodetic_m=512.5, speed_mps=90.0, direction_deg=271.0,
             vertical_speed_mps=-3.5, timestamp_s=1234.5, horizontal_accuracy_m=3.0),
    System(operator_lat_deg=48.2, operator_lon_deg=11.6, operator_alt_m=500.0),
    SelfId(description="inspection"),
])  # fmt: skip
PACKET = bluetooth.encode_extended(ADDRESS, PAYLOAD)
SEEDS = [
    Record(1.0, 127, ieee80211.encode_beacon(ADDRESS, PAYLOAD, ssid=b"network")),
    Record(1.0, 127, ieee80211.encode_nan(ADDRESS, PAYLOAD)),
    Record(1.0, 105, ieee80211.encode_beacon(ADDRESS, PAYLOAD)[15:-4]),
    Record(1.0, 256, PACKET),
    Record(1.0, 256, bluetooth.encode_legacy(ADDRESS, PAYLOAD[3:28])),
    Record(1.0, 251, bluetooth.encode_legacy(ADDRESS, PAYLOAD[28:53])[10:]),
    Record(1.0, 272, bytes((1, 0, 0, 3, 0, 0, 2, 10, 0x21, 37, 61)) + bytes(6) + PACKET[10:]),
]


def reference(record: Record) -> tuple[str, list[bytes], tuple[object, ...]]:
    """Reason, messages, and what was said of the reception, by the plain decoders."""
    try:
        found = decode_frame(record.link_type, record.data)
        if found is None:
            return "not-remote-id", [], ()
        seen = (found.transport, found.emitter, found.crc_ok, found.rssi_dbm, found.frequency_mhz)
        return "remote-id", frame_entries(found), seen
    except DecodeError as error:
        return error.reason, [], ()


def none_if_nan(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def assert_agrees(records: list[Record]) -> None:
    batch = FrameBatch.of(records)
    frames, rows = kernel.scan(batch)
    for i, record in enumerate(records):
        reason, messages, seen = reference(record)
        assert REASONS[frames.reason[i]] == reason
        if reason != "remote-id":
            continue
        offsets = rows.offset[rows.frame == i].tolist()
        assert [batch.data[at : at + 25] for at in offsets] == messages
        assert rows.kind[rows.frame == i].tolist() == [message[0] >> 4 for message in messages]
        assert seen == (
            TRANSPORTS[frames.transport[i]],
            None if frames.emitter[i] < 0 else int(frames.emitter[i]),
            {1: True, -1: None}[int(frames.crc[i])],
            none_if_nan(frames.rssi_dbm[i]),
            none_if_nan(frames.frequency_mhz[i]),
        )


def test_the_seeds_are_all_remote_id() -> None:
    assert [reference(seed)[0] for seed in SEEDS] == ["remote-id"] * len(SEEDS)
    assert_agrees(SEEDS)


def mutated(record: Record, rng: random.Random) -> Record:
    data = bytearray(record.data)
    for _ in range(rng.randrange(1, 5)):
        action, at = rng.randrange(4), rng.randrange(len(data)) if data else 0
        if action == 0 and data:
            data[at] = rng.randrange(256)
        elif action == 1 and data:
            data[at] ^= 1 << rng.randrange(8)
        elif action == 2:
            del data[at:]
        else:
            data[at:at] = bytes(rng.choices((0, 3, 25, 221, 255), k=rng.randrange(1, 30)))
    return Record(record.time, record.link_type, bytes(data))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_kernel_and_reference_agree_on_mutations(seed: int) -> None:
    rng = random.Random(seed)
    assert_agrees([mutated(rng.choice(SEEDS), rng) for _ in range(20)])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([105, 127, 251, 256, 272, 1]), st.binary(max_size=120)), max_size=8)
)
def test_kernel_and_reference_agree_on_noise(rows: list[tuple[int, bytes]]) -> None:
    assert_agrees([Record(1.0, link, data) for link, data in rows])


def test_several_payloads_in_one_frame_and_one_of_them_broken() -> None:
    element = ieee80211.REMOTE_ID_OUI_TYPE + b"\x01"
    whole, broken = element + PAYLOAD[3:28], element + b"\xf2\x19\x09"
    for values in ([whole, broken], [broken, whole], [broken], [whole, whole], [element[:4]]):
        body = bytes(12) + b"".join(bytes((221, len(value))) + value for value in values)
        frame = ieee80211.encode_management(8, b"\xff" * 6, ADDRESS, ADDRESS, body)
        assert_agrees([Record(1.0, 105, frame), Record(1.0, 105, frame + b"\xdd\x20")])


def test_a_batch_that_points_outside_its_buffer_is_refused() -> None:
    batch = FrameBatch.single(1.0, 127, bytes(10))
    outside = FrameBatch(batch.data, batch.offsets + 1, batch.lengths, batch.times, batch.link_types)
    with pytest.raises(ValueError, match="outside its buffer"):
        kernel.scan(outside)


def test_an_empty_batch_is_nothing() -> None:
    frames, rows = kernel.scan(FrameBatch.of([]))
    assert len(frames.reason) == len(rows.frame) == 0


def as_location(batch: FrameBatch, columns: fields.Locations, i: int) -> Single | None:
    """The kernel's columns, said in the words of the plain decoder."""
    if columns.place[i] == fields.IMPOSSIBLE:
        return None
    known = columns.place[i] == fields.KNOWN
    accuracy, data = int(columns.accuracy[i]), batch.data[i * 25 : i * 25 + 25]
    direction, tenths = int(columns.direction[i]), int(columns.timestamp_tenths[i])
    return Location(
        status=data[1] >> 4,
        lat_deg=float(columns.lat_deg[i]) if known else None,
        lon_deg=float(columns.lon_deg[i]) if known else None,
        alt_geodetic_m=none_if_nan(columns.alt_geodetic_m[i]),
        alt_barometric_m=none_if_nan(columns.alt_barometric_m[i]),
        height_m=none_if_nan(columns.height_m[i]),
        height_type="agl" if columns.height_agl[i] else "takeoff",
        direction_deg=None if direction < 0 else float(direction),
        speed_mps=none_if_nan(columns.speed_mps[i]),
        vertical_speed_mps=none_if_nan(columns.vertical_speed_mps[i]),
        horizontal_accuracy_m=t.HORIZONTAL_ACCURACY_M[accuracy & 15],
        vertical_accuracy_m=t.VERTICAL_ACCURACY_M[accuracy >> 4 & 15],
        speed_accuracy_mps=t.SPEED_ACCURACY_MPS[accuracy >> 8 & 15],
        barometric_accuracy_m=t.VERTICAL_ACCURACY_M[accuracy >> 12],
        timestamp_s=None if tenths < 0 else tenths / 10,
        timestamp_accuracy_s=t.TIMESTAMP_ACCURACY_S[data[23] & 15],
        version=data[0] & 15,
    )


def plain(data: bytes) -> Single | None:
    try:
        return decode_single(data)
    except DecodeError:
        return None


@settings(deadline=None)
@given(st.lists(st.binary(min_size=24, max_size=24), min_size=1, max_size=20))
def test_location_fields_agree(bodies: list[bytes]) -> None:
    batch = FrameBatch.of(Record(0.0, 0, b"\x12" + body) for body in bodies)
    columns = fields.locations(batch, batch.offsets)
    for i, body in enumerate(bodies):
        assert as_location(batch, columns, i) == plain(b"\x12" + body)


@settings(deadline=None)
@given(st.lists(st.binary(min_size=24, max_size=24), min_size=1, max_size=20))
def test_system_fields_agree(bodies: list[bytes]) -> None:
    batch = FrameBatch.of(Record(0.0, 0, b"\x42" + body) for body in bodies)
    columns = fields.systems(batch, batch.offsets)
    for i, body in enumerate(bodies):
        message = plain(b"\x42" + body)
        assert (columns.place[i] == fields.IMPOSSIBLE) == (message is None)
        if isinstance(message, System) and columns.place[i] == fields.KNOWN:
            place = (columns.lat_raw[i] / 1e7, columns.lon_raw[i] / 1e7)
            assert place == (message.operator_lat_deg, message.operator_lon_deg)
            assert fields.operator_alt_m(int(columns.alt_raw[i])) == message.operator_alt_m


@pytest.mark.field
@pytest.mark.parametrize(
    "name",
    [
        "opendroneid/odid_bt5_lr_sample.pcapng",
        "opendroneid/odid_wifi_sample.pcap",
        "opendroneid/wireless_RID_test_linux_transmitter.pcapng",
        "opendroneid/parrot_anafi4_real.pcapng",
        "dji-droneid/mavic_multiple_spoofed.pcapng",
    ],
)
def test_kernel_and_reference_agree_on_real_captures(field_data: Path, name: str) -> None:
    records = list(read_records(field_data / "protocols" / name))
    assert_agrees(records)
    rng = random.Random(name)
    assert_agrees([mutated(rng.choice(records), rng) for _ in range(2000)])
