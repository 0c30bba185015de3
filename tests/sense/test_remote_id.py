"""Remote ID frames -> detections: merging, repetition, time, unknowns, attackers, real captures."""

import math
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.model import Claim, Detection, InputError, Position, Presence, Sigma
from vedette.sense.remote_id import BELIEFS, RemoteIdAdapter, read_capture, sigma_of, warm
from vedette.wire import bluetooth, ieee80211
from vedette.wire.capture import FrameBatch, PcapWriter, Record
from vedette.wire.opendroneid import BasicId, Location, SelfId, Single, System, encode, pack

HOUR = 1_790_002_800.0
"""A full hour, so that time stamps of the hour are easy to see."""
NOW = HOUR + 1000.0
ADDRESS = bytes.fromhex("0200c0ffee01")
SERIAL = BasicId(uas_id="VEDETTE0001", id_type=1, ua_type=2)
CAA = BasicId(uas_id="DE.12345", id_type=2, ua_type=2)
OPERATOR = System(operator_lat_deg=48.2, operator_lon_deg=11.6, operator_alt_m=500.0)


def location(seconds: float = 1000.0, **changes: object) -> Location:
    values: dict[str, object] = {"lat_deg": 48.1, "lon_deg": 11.5, "timestamp_s": seconds, **changes}
    return Location(**values)  # type: ignore[arg-type]


def beacon(time: float, *messages: Single, address: bytes = ADDRESS) -> Record:
    return Record(time, 127, ieee80211.encode_beacon(address, pack(messages)))


def ble4(time: float, message: Single, address: bytes = ADDRESS) -> Record:
    return Record(time, 256, bluetooth.encode_legacy(address, encode(message)))


def heard(*records: Record, adapter: RemoteIdAdapter | None = None) -> list[Detection]:
    return (adapter or RemoteIdAdapter("rid-1")).detections(FrameBatch.of(records))


def position(detection: Detection) -> Position:
    assert isinstance(detection.measure, Position)
    return detection.measure


def test_a_whole_pack_becomes_one_whole_detection() -> None:
    full = location(
        alt_geodetic_m=512.5, direction_deg=90.0, speed_mps=20.0, vertical_speed_mps=-1.5,
        horizontal_accuracy_m=10.0, vertical_accuracy_m=3.0, speed_accuracy_mps=1.0,
    )  # fmt: skip
    (found,) = heard(beacon(NOW + 0.25, SERIAL, full, OPERATOR))
    assert found.sensor == "rid-1"
    assert (found.time, found.received) == (NOW, NOW + 0.25)
    assert found.measure == Position(
        lat_deg=48.1, lon_deg=11.5, alt_m=512.5, alt_datum="wgs84-ellipsoid", velocity_mps=(20.0, 0.0, -1.5)
    )
    assert found.sigma == Sigma(horizontal_m=10 / 2.4477, vertical_m=3 / 1.96, velocity_mps=1 / 2.4477)
    assert found.claim == Claim(
        scheme="remote-id-serial", id="VEDETTE0001", operator_lat_deg=48.2, operator_lon_deg=11.6
    )
    assert found.beliefs == BELIEFS[2]
    assert found.signal is not None
    assert (found.signal.transport, found.signal.emitter) == ("wifi-beacon", "02:00:c0:ff:ee:01")
    assert (found.signal.rssi_dbm, found.signal.frequency_mhz) == (-60.0, 2437.0)
    assert found.integrity is not None
    assert (found.integrity.crc_ok, found.integrity.authenticated) == (True, None)


def test_beliefs_are_distributions_and_weak() -> None:
    for beliefs in BELIEFS.values():
        assert math.isclose(sum(beliefs.values()), 1.0)
        assert max(beliefs.values()) <= 0.6


@pytest.mark.parametrize(
    ("heights", "alt_m", "datum"),
    [
        ({"alt_geodetic_m": 5.0, "height_m": 6.0, "alt_barometric_m": 7.0}, 5.0, "wgs84-ellipsoid"),
        ({"height_m": 6.0, "alt_barometric_m": 7.0}, 6.0, "takeoff"),
        ({"height_m": 6.0, "height_type": "agl"}, 6.0, "agl"),
        ({"alt_barometric_m": 7.0}, 7.0, "barometric"),
        ({"alt_geodetic_m": 0.0}, 0.0, "wgs84-ellipsoid"),
        ({}, None, None),
    ],
)
def test_the_best_known_height_with_its_datum(
    heights: dict[str, object], alt_m: float | None, datum: str | None
) -> None:
    (found,) = heard(beacon(NOW, location(**heights)))
    assert (position(found).alt_m, position(found).alt_datum) == (alt_m, datum)


@pytest.mark.parametrize(
    ("motion", "velocity"),
    [
        ({"speed_mps": 10.0, "direction_deg": 180.0, "vertical_speed_mps": 2.0}, (0.0, -10.0, 2.0)),
        ({"speed_mps": 0.0, "vertical_speed_mps": 2.0}, (0.0, 0.0, 2.0)),
        ({"speed_mps": 10.0, "direction_deg": 180.0}, None),
        ({"speed_mps": 10.0, "vertical_speed_mps": 0.0}, None),
        ({"direction_deg": 180.0, "vertical_speed_mps": 0.0}, None),
    ],
)
def test_a_velocity_only_if_all_of_it_is_known(
    motion: dict[str, object], velocity: tuple[float, float, float] | None
) -> None:
    (found,) = heard(beacon(NOW, location(**motion)))
    assert position(found).velocity_mps == (velocity and pytest.approx(velocity, abs=1e-9))


def test_no_accuracy_stated_is_no_sigma() -> None:
    (found,) = heard(beacon(NOW, location()))
    assert found.sigma is None
    assert sigma_of(0xF << 4 | 0xF, "wgs84-ellipsoid") is None
    assert sigma_of(6 << 4 | 3 << 12, "barometric") == Sigma(vertical_m=25 / 1.96)
    assert sigma_of(6 << 4 | 3 << 12, "takeoff") is None


def test_single_messages_are_merged_by_transmitter() -> None:
    other = bytes.fromhex("0200c0ffee02")
    found = heard(
        ble4(NOW, location()),
        ble4(NOW + 1, SERIAL),
        ble4(NOW + 2, OPERATOR),
        ble4(NOW + 3, location(1003.0)),
        ble4(NOW + 4, location(1004.0), other),
    )
    claims = [detection.claim for detection in found]
    assert claims == [
        None,
        Claim(scheme="remote-id-serial", id="VEDETTE0001", operator_lat_deg=48.2, operator_lon_deg=11.6),
        None,
    ]


def test_the_order_inside_a_pack_does_not_matter() -> None:
    one = heard(beacon(NOW, SERIAL, OPERATOR, location()))
    two = heard(beacon(NOW, location(), OPERATOR, SERIAL))
    assert one == two


def test_a_serial_number_wins_and_the_other_identifier_is_kept() -> None:
    for order in ((SERIAL, CAA), (CAA, SERIAL)):
        (found,) = heard(beacon(NOW, *order, location()))
        assert found.claim == Claim(scheme="remote-id-serial", id="VEDETTE0001")
        assert found.extra == {"claim.also": [{"scheme": "caa-registration", "id": "DE.12345"}]}
    (found,) = heard(beacon(NOW, BasicId(uas_id="ab" * 20, id_type=4, ua_type=1), location()))
    assert found.claim == Claim(scheme="remote-id-session", id="ab" * 20)


def test_a_changed_identifier_is_counted_and_used() -> None:
    adapter = RemoteIdAdapter("rid-1")
    other = BasicId(uas_id="ANOTHER", id_type=1, ua_type=2)
    found = heard(beacon(NOW, SERIAL, location()), beacon(NOW + 1, other, location(1001.0)), adapter=adapter)
    assert [detection.claim and detection.claim.id for detection in found] == ["VEDETTE0001", "ANOTHER"]
    assert adapter.counts["claim-changed"] == 1


def test_a_garbled_or_empty_identifier_never_becomes_a_claim() -> None:
    adapter = RemoteIdAdapter("rid-1")
    garbled = bytearray(pack([SERIAL, location()]))
    garbled[3 + 2] = 0x07
    record = Record(NOW, 127, ieee80211.encode_beacon(ADDRESS, bytes(garbled)))
    empty = BasicId(uas_id="", id_type=1, ua_type=2)
    found = heard(record, beacon(NOW + 1, empty, location(1001.0)), adapter=adapter)
    assert [detection.claim for detection in found] == [None, None]
    assert (adapter.counts["malformed:text"], adapter.counts["empty-id"]) == (1, 1)


@pytest.mark.parametrize(
    ("received", "stamp", "time"),
    [
        (HOUR + 1000.0, 999.5, HOUR + 999.5),
        (HOUR + 1000.0, 997.0, HOUR + 997.0),
        (HOUR + 1000.0, 1001.0, HOUR + 1000.0),
        (HOUR + 1000.0, 996.9, HOUR + 1000.0),
        (HOUR + 1000.0, 1001.1, HOUR + 1000.0),
        (HOUR + 0.5, 3599.5, HOUR - 0.5),
        (HOUR - 0.5, 0.2, HOUR - 0.5),
        (HOUR + 0.5, 3600.0, HOUR),
        (HOUR + 1000.0, None, HOUR + 1000.0),
    ],
)
def test_own_time_is_used_where_it_is_credible(received: float, stamp: float | None, time: float) -> None:
    (found,) = heard(beacon(received, location(timestamp_s=stamp)))
    assert found.time == pytest.approx(time, abs=1e-6)
    assert found.received == received


def test_a_repeated_location_passes_once_by_whatever_transport() -> None:
    adapter = RemoteIdAdapter("rid-1")
    nan = Record(NOW + 0.1, 127, ieee80211.encode_nan(ADDRESS, pack([SERIAL, location()])))
    late = beacon(NOW + 1, location(1001.0))
    found = heard(
        beacon(NOW, SERIAL, location()), nan, beacon(NOW + 0.2, location()), late,
        beacon(NOW + 1.1, location()), adapter=adapter,
    )  # fmt: skip
    assert [detection.time for detection in found] == [NOW, NOW + 1]
    assert adapter.counts["repeated"] == 3


def test_a_hovering_transmitter_without_a_clock_stays_seen() -> None:
    frames = [beacon(NOW + i / 10, location(timestamp_s=None)) for i in range(50)]
    found = heard(*frames)
    assert [detection.time for detection in found] == pytest.approx([NOW + i for i in range(5)])
    assert all(isinstance(detection.measure, Position) for detection in found)


def test_a_frozen_transmitter_is_present_but_gives_no_new_position() -> None:
    adapter = RemoteIdAdapter("rid-1")
    found = heard(*(beacon(NOW + 100 + i / 10, SERIAL, location()) for i in range(50)), adapter=adapter)
    assert [type(detection.measure) for detection in found] == [Position] + [Presence] * 4
    assert {detection.claim and detection.claim.id for detection in found} == {"VEDETTE0001"}
    assert adapter.counts["frozen"] == 4


def test_an_unknown_position_is_a_presence_with_its_claim() -> None:
    adapter = RemoteIdAdapter("rid-1")
    (found,) = heard(beacon(NOW, SERIAL, Location(timestamp_s=1000.0)), adapter=adapter)
    assert found.measure == Presence()
    assert found.claim == Claim(scheme="remote-id-serial", id="VEDETTE0001")
    assert adapter.counts["unknown-position"] == 1


def test_an_impossible_position_is_counted() -> None:
    adapter = RemoteIdAdapter("rid-1")
    bad = bytearray(pack([location()]))
    bad[3 + 5 : 3 + 9] = b"\xff\xff\xff\x7f"
    assert heard(Record(NOW, 127, ieee80211.encode_beacon(ADDRESS, bytes(bad))), adapter=adapter) == []
    assert adapter.counts["malformed:position"] == 1


def test_bad_frames_are_counted_by_reason_and_leave_nothing() -> None:
    adapter = RemoteIdAdapter("rid-1")
    payload = pack([SERIAL, location()])
    records = [
        Record(NOW, 127, ieee80211.encode_beacon(ADDRESS, payload, fcs_ok=False)),
        Record(NOW, 256, bluetooth.encode_extended(ADDRESS, payload, crc_ok=False)),
        Record(NOW, 127, b"\0\0\xff\xff" + bytes(20)),
        Record(NOW, 1, bytes(60)),
        Record(NOW, 127, ieee80211.encode_beacon(ADDRESS, payload[:40])),
        Record(NOW, 105, b"\x08\0" + bytes(60)),
    ]
    assert heard(*records, adapter=adapter) == []
    assert adapter.counts == {
        "frames": 6, "bad-crc": 2, "malformed:radiotap": 1, "malformed:link-type": 1, "malformed:pack": 1,
        "not-remote-id": 1,
    }  # fmt: skip
    (found,) = heard(beacon(NOW + 1, location(1001.0)), adapter=adapter)
    assert found.claim is None


def test_operator_places_are_told_apart_and_not_at_every_frame() -> None:
    adapter = RemoteIdAdapter("rid-1")
    heard(*(beacon(NOW + i, SERIAL, OPERATOR, location(1000.0 + i)) for i in range(21)), adapter=adapter)
    told = adapter.operator_positions()
    assert [place.time for place in told] == [NOW, NOW + 10, NOW + 20]
    assert (told[0].id, told[0].sensor) == ("VEDETTE0001", "rid-1")
    assert (told[0].lat_deg, told[0].lon_deg, told[0].alt_m) == (48.2, 11.6, 500.0)
    assert adapter.operator_positions() == []


@given(received=st.floats(HOUR, HOUR + 3600.0), stamp=st.floats(0.0, 3600.0))
def test_no_time_stamp_moves_a_report_ahead_or_makes_it_too_old_to_be_fused(received, stamp) -> None:
    """The tracker fuses what is at most 8 s old; whoever could state 9 s would never be tracked."""
    (found,) = heard(beacon(received, location(round(stamp, 1))))
    assert received - 3.0 <= found.time <= received


def test_random_addresses_cannot_fill_the_memory() -> None:
    adapter = RemoteIdAdapter("rid-1", max_emitters=50)
    for i in range(200):
        heard(ble4(NOW + i / 1000, SERIAL, i.to_bytes(6, "big")), adapter=adapter)
        heard(ble4(NOW + i / 1000, OPERATOR, i.to_bytes(6, "big")), adapter=adapter)
    assert adapter.counts["emitters-dropped"] == 150
    (kept,) = heard(ble4(NOW + 1, location(1001.0), (199).to_bytes(6, "big")), adapter=adapter)
    (gone,) = heard(ble4(NOW + 1, location(1001.0), (1).to_bytes(6, "big")), adapter=adapter)
    assert kept.claim is not None
    assert gone.claim is None


def test_operator_places_waiting_are_bounded() -> None:
    adapter = RemoteIdAdapter("rid-1")
    heard(*(ble4(NOW, OPERATOR, i.to_bytes(6, "big")) for i in range(1100)), adapter=adapter)
    assert len(adapter.operator_positions()) == 1000
    assert adapter.counts["operators-dropped"] == 100


def test_a_transmitter_not_heard_for_long_is_forgotten() -> None:
    adapter = RemoteIdAdapter("rid-1", forget_after_s=60.0)
    heard(ble4(NOW, SERIAL), adapter=adapter)
    (found,) = heard(ble4(NOW + 61, location(1061.0)), adapter=adapter)
    assert found.claim is None
    assert adapter.counts["emitters-forgotten"] == 1


def test_time_that_goes_back_or_is_missing_is_counted() -> None:
    adapter = RemoteIdAdapter("rid-1")
    found = heard(
        beacon(NOW, SERIAL, location()), beacon(NOW - 5, location(995.0)), beacon(math.nan, location(996.0)),
        beacon(1e18, location(997.0)), adapter=adapter,
    )  # fmt: skip
    assert [detection.received for detection in found] == [NOW, NOW - 5]
    assert (adapter.counts["time-backwards"], adapter.counts["no-time"]) == (1, 2)


def test_a_frame_that_names_nobody_is_not_merged_with_others() -> None:
    def nameless(time: float, *messages: Single) -> Record:
        payload = pack(messages)
        body = b"\x01\x00" + bytes((5 + len(payload), 0x16)) + bluetooth.REMOTE_ID_SERVICE + b"\x01" + payload
        pdu = bytes((0x47, len(body))) + body
        crc = bluetooth.crc24(pdu).to_bytes(3, "little")
        return Record(time, 251, bluetooth.ADVERTISING_ACCESS_ADDRESS.to_bytes(4, "little") + pdu + crc)

    one, two = heard(nameless(NOW, SERIAL, location()), nameless(NOW + 1, location(1001.0)))
    assert one.claim is not None
    assert one.signal is not None
    assert one.signal.emitter is None
    assert two.claim is None


frames_made = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.floats(0.0, 20.0),
        st.lists(st.sampled_from([0, 1, 2, 3]), min_size=1, max_size=4),
    ),
    max_size=15,
)


@settings(deadline=None)
@given(frames_made, st.integers(1, 5))
def test_batches_of_any_size_give_the_same(made: list[tuple[int, float, list[int]]], size: int) -> None:
    records = []
    for emitter, after, kinds in sorted(made, key=lambda row: row[1]):
        choices = (SERIAL, CAA, OPERATOR, location(round(1000.0 + after, 1)))
        address = bytes((2, 0, 0, 0, 0, emitter))
        records.append(beacon(NOW + after, *(choices[kind] for kind in kinds), address=address))
    whole, pieces = RemoteIdAdapter("a"), RemoteIdAdapter("a")
    expected = heard(*records, adapter=whole)
    found = [d for i in range(0, len(records), size) for d in heard(*records[i : i + size], adapter=pieces)]
    assert found == expected
    assert pieces.counts == whole.counts
    assert pieces.operator_positions() == whole.operator_positions()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32))
def test_mutated_frames_never_raise(seed: int) -> None:
    rng = random.Random(seed)
    adapter = RemoteIdAdapter("rid-1")
    for _ in range(30):
        record = beacon(NOW, SERIAL, location(), OPERATOR, SelfId(description="text"))
        data = bytearray(record.data)
        for _ in range(rng.randrange(1, 8)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        for detection in heard(Record(NOW, 127, bytes(data)), adapter=adapter):
            assert isinstance(detection.measure, (Position, Presence))
    assert adapter.counts["frames"] == 30


def test_a_file_and_live_frames_give_the_same(tmp_path: Path) -> None:
    warm()
    records = [beacon(NOW + i / 8, SERIAL, location(round(1000 + i / 8, 1)), OPERATOR) for i in range(40)]
    with PcapWriter(tmp_path / "c.pcap", 127) as writer:
        for record in records:
            writer.write(record.time, record.data)
    adapter = RemoteIdAdapter("rid-1")
    from_file = [d for batch in read_capture(tmp_path / "c.pcap", adapter) for d in batch]
    live = RemoteIdAdapter("rid-1")
    frames = (FrameBatch.single(record.time, record.link_type, record.data) for record in records)
    assert from_file == [d for frame in frames for d in live.detections(frame)]
    assert adapter.counts["capture:records"] == 40


def test_what_is_no_capture_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("these are notes")
    with pytest.raises(InputError, match=r"notes\.txt"):
        list(read_capture(tmp_path / "notes.txt", RemoteIdAdapter("rid-1")))


def decoded(folder: Path, name: str) -> tuple[list[Detection], RemoteIdAdapter]:
    adapter = RemoteIdAdapter("rid-1")
    path = folder / "protocols" / "opendroneid" / name
    return [d for batch in read_capture(path, adapter) for d in batch], adapter


@pytest.mark.field
def test_bad_crcs_of_a_real_sniffer_leave_no_identifier(field_data: Path) -> None:
    found, adapter = decoded(field_data, "odid_bt5_lr_sample.pcapng")
    assert (adapter.counts["odid-frames"], adapter.counts["bad-crc"]) == (244, 30)
    assert {detection.claim and detection.claim.id for detection in found} == {"SSEVTFG93700070"}
    assert {type(detection.measure) for detection in found} == {Presence}
    assert {detection.signal and detection.signal.emitter for detection in found} == {"e0:7d:ea:eb:2f:1c"}
    assert "claim-changed" not in adapter.counts


@pytest.mark.field
def test_real_beacons_and_nan_frames(field_data: Path) -> None:
    found, adapter = decoded(field_data, "odid_wifi_sample.pcap")
    counts = adapter.counts
    assert (counts["odid-frames:wifi-beacon"], counts["odid-frames:wifi-nan"]) == (21, 21)
    assert [counts[f"messages:{kind}"] for kind in ("location", "system", "self-id", "operator-id")] == [
        31, 4, 4, 3,
    ]  # fmt: skip
    assert len(found) + counts["repeated"] == 31
    first = position(found[0])
    assert (first.lat_deg, first.lon_deg) == pytest.approx((45.5450, -122.9722), abs=3e-4)
    assert {position(detection).alt_m for detection in found} == {237.0}
    assert adapter.operator_positions() != []


@pytest.mark.field
def test_a_real_pack_with_two_identifiers(field_data: Path) -> None:
    found, adapter = decoded(field_data, "wireless_RID_test_linux_transmitter.pcapng")
    assert adapter.counts["odid-frames"] == 21
    assert sum(by for key, by in adapter.counts.items() if key.startswith("messages:")) == 9 * 21
    assert found[0].claim is not None
    assert found[0].claim.id == "112624150A90E3AE1EC0"
    assert found[0].extra == {"claim.also": [{"scheme": "remote-id-session", "id": "FD3454B778E565C24B70"}]}


@pytest.mark.field
def test_a_real_flight_among_bystanders(field_data: Path) -> None:
    found, adapter = decoded(field_data, "parrot_anafi4_real.pcapng")
    counts = adapter.counts
    assert (counts["frames"], counts["odid-frames"]) == (5091, 1140)
    kinds = ("location", "basic-id", "system", "operator-id")
    assert [counts[f"messages:{kind}"] for kind in kinds] == [1140, 385, 385, 385]
    assert len(found) + counts["repeated"] == 1140
    claims = [detection.claim and detection.claim.id for detection in found]
    named = claims.index("1588E040445AC004418")
    assert named < 5, "a pack comes every third frame"
    assert set(claims[:named]) <= {None}
    assert set(claims[named:]) == {"1588E040445AC004418"}
    assert {detection.signal and detection.signal.emitter for detection in found} == {"90:3a:e6:5b:c8:a8"}
    assert "wgs84-ellipsoid" not in {position(detection).alt_datum for detection in found}
    for detection in found:
        assert math.hypot(position(detection).lat_deg - 47.1987, position(detection).lon_deg - 8.7302) < 0.01
