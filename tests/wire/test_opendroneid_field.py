"""Facts of real captures, read by the plain decoders alone."""

import ast
from collections import Counter
from pathlib import Path

import pytest

from vedette.wire.capture import Record, read_records
from vedette.wire.errors import DecodeError
from vedette.wire.opendroneid import (
    AuthAssembler,
    AuthPage,
    BasicId,
    Location,
    OperatorId,
    SelfId,
    Single,
    System,
    unpack,
)
from vedette.wire.opendroneid.carriage import Broadcast, decode_frame

pytestmark = pytest.mark.field


def broadcasts(folder: Path, name: str) -> list[Broadcast]:
    found = []
    for record in read_records(folder / "protocols" / "opendroneid" / name):
        try:
            broadcast = decode_frame(record.link_type, record.data)
        except DecodeError as error:
            if error.reason != "bad-crc":
                raise
            continue
        if broadcast is not None:
            found.append(broadcast)
    return found


def messages(folder: Path, name: str) -> list[Single]:
    return [m for b in broadcasts(folder, name) for payload in b.payloads for m in unpack(payload)]


def test_wifi_sample(field_data: Path) -> None:
    transports = Counter(b.transport for b in broadcasts(field_data, "odid_wifi_sample.pcap"))
    assert transports == {"wifi-beacon": 21, "wifi-nan": 21}
    found = messages(field_data, "odid_wifi_sample.pcap")
    assert Counter(type(m) for m in found) == {Location: 31, System: 4, SelfId: 4, OperatorId: 3}
    assert {m.operator_id for m in found if isinstance(m, OperatorId)} == {"GBR-OP-123ABCD"}
    locations = [m for m in found if isinstance(m, Location)]
    assert {m.alt_geodetic_m for m in locations} == {237.0}
    assert 20.5 in {m.speed_mps for m in locations}


def test_long_range_bluetooth_sample(field_data: Path) -> None:
    found = broadcasts(field_data, "odid_bt5_lr_sample.pcapng")
    assert len(found) == 244
    assert {b.emitter for b in found} == {0xE07DEAEB2F1C}
    said = messages(field_data, "odid_bt5_lr_sample.pcapng")
    assert {m.uas_id for m in said if isinstance(m, BasicId)} == {"SSEVTFG93700070"}
    assert {m.operator_id for m in said if isinstance(m, OperatorId)} == {"FIN87astrdge12kxyz8"}
    for m in said:
        if isinstance(m, Location):
            assert (m.lat_deg, m.lon_deg, m.speed_mps) == (None, None, None)


def test_linux_transmitter_sends_nine_messages_and_whole_authentication(field_data: Path) -> None:
    name = "wireless_RID_test_linux_transmitter.pcapng"
    packs = [unpack(payload) for b in broadcasts(field_data, name) for payload in b.payloads]
    assert [len(pack) for pack in packs] == [9] * 21
    for pack in packs:
        assembler = AuthAssembler()
        blocks = [assembler.add(m) for m in pack if isinstance(m, AuthPage)]
        assert blocks[:2] == [None, None]
        assert blocks[2] is not None
        assert len(blocks[2].data) == 63
        assert blocks[2].data.startswith(b"12345678901234567")


def test_dronetag_nan_frame(field_data: Path) -> None:
    path = field_data / "protocols" / "opendroneid" / "dronetag-frames" / "wifi_packet_data.txt"
    record = Record(0.0, 127, bytes(ast.literal_eval(path.read_text())))
    found = decode_frame(record.link_type, record.data)
    assert found is not None
    assert found.transport == "wifi-nan"
    (payload,) = found.payloads
    basic, system, location, text = unpack(payload)
    assert isinstance(basic, BasicId)
    assert basic.uas_id == "1787F04BM24010011039"
    assert isinstance(system, System)
    assert isinstance(location, Location)
    assert isinstance(text, SelfId)
    assert text.description == "Jojo Test"
