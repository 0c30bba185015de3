"""ASTERIX against real recordings and against Wireshark's dissector, which shares no code with ours."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from vedette.wire.asterix import (
    Datagram,
    IncsReport,
    Message,
    RadarService,
    RadarTarget,
    SystemTrack,
    decode,
    encode,
    summary,
    unix_time,
)
from vedette.wire.capture import PcapWriter, read_records
from vedette.wire.udp import ETHERNET, udp_datagram

NM = 1852.0


def datagrams(field_data: Path, name: str) -> list[tuple[float, bytes]]:
    """Time and payload of every UDP datagram of a recording."""
    records = read_records(field_data / "protocols" / "asterix" / name)
    return [(record.time, udp_datagram(record.data, record.link_type).payload) for record in records]


def decoded(field_data: Path, name: str) -> list[Datagram]:
    return [decode(payload) for _, payload in datagrams(field_data, name)]


def flat(found: list[Datagram]) -> list[Message]:
    return [message for datagram in found for message in datagram.messages]


@pytest.mark.field
def test_the_recording_of_2016_gives_128_targets_and_34_service_messages(field_data: Path) -> None:
    assert summary(decoded(field_data, "cat_034_048.pcap")) == {"cat034": 34, "cat048": 128}


@pytest.mark.field
def test_the_first_target_of_2016_is_the_airliner_that_it_is(field_data: Path) -> None:
    first = flat(decoded(field_data, "cat_034_048.pcap"))[0]
    assert isinstance(first, RadarTarget)
    assert (first.sac, first.sic, first.callsign, first.address) == (25, 201, "DLH65A", 0x3C660C)
    assert first.time_of_day_s == 27354.6015625
    assert first.range_m == 197.68359375 * NM
    assert first.azimuth_deg == 340.13671875
    assert (first.flight_level, first.plot_type, first.track_number) == (330.0, 5, 3563)
    assert first.speed_mps == 0.12066650390625 * NM
    assert (first.doppler_mps, first.height_msl_m, first.x_east_m) == (None, None, None)


@pytest.mark.field
def test_cartesian_and_polar_positions_of_2016_agree(field_data: Path) -> None:
    targets = [m for m in flat(decoded(field_data, "cat_034_048.pcap")) if isinstance(m, RadarTarget)]
    both = [t for t in targets if t.x_east_m is not None and t.range_m is not None]
    assert len(both) > 50
    for target in both:
        assert target.x_east_m is not None
        assert target.y_north_m is not None
        assert target.range_m is not None
        ground = (target.x_east_m**2 + target.y_north_m**2) ** 0.5
        # The slant range exceeds that on the ground by the height, and a little by the projection.
        assert ground == pytest.approx(target.range_m, rel=0.12, abs=2_000.0)


@pytest.mark.field
def test_reports_of_2016_are_seconds_old_when_received(field_data: Path) -> None:
    ages = [
        received - unix_time(message.time_of_day_s, received)
        for received, payload in datagrams(field_data, "cat_034_048.pcap")
        for message in decode(payload).messages
        if message.time_of_day_s is not None
    ]
    assert len(ages) == 162
    assert min(ages) > -1.0
    assert sorted(ages)[140] < 4.0
    assert max(ages) < 30.0


@pytest.mark.field
def test_the_pre_standard_recording_of_2008_is_refused_whole(field_data: Path) -> None:
    found = decoded(field_data, "asterix.pcap")
    assert flat(found) == []
    assert summary(found) == {"rejected:edition": 52, "rejected:range": 48}
    assert {r.category for datagram in found for r in datagram.rejected} == {62}


@pytest.mark.field
def test_a_recording_in_an_unknown_wrapper_is_refused(field_data: Path) -> None:
    (only,) = decoded(field_data, "cat_001_002.pcap")
    assert only.messages == ()
    assert [r.reason for r in only.rejected] == ["block-length"]


@pytest.mark.field
def test_real_targets_written_again_read_the_same(field_data: Path) -> None:
    for datagram in decoded(field_data, "cat_034_048.pcap"):
        if datagram.messages:
            assert decode(encode(datagram.messages)) == datagram


def dissect(tshark: str, capture: Path, fields: tuple[str, ...]) -> list[list[str]]:
    """What Wireshark reads in those fields, one row per frame; several values are joined by commas."""
    options = [option for field in fields for option in ("-e", field)]
    ports = ("-d", "udp.port==1-65535,asterix")
    run = subprocess.run(
        [tshark, "-r", str(capture), *ports, "-T", "fields", *options],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [line.split("\t") for line in run.stdout.splitlines()]


def frame(payload: bytes) -> bytes:
    """The datagram in UDP, IPv4 and Ethernet."""
    udp = (8600).to_bytes(2) * 2 + (8 + len(payload)).to_bytes(2) + bytes(2) + payload
    ip = (
        b"\x45\x00" + (20 + len(udp)).to_bytes(2) + bytes(4) + b"\x40\x11\x00\x00" + bytes((127, 0, 0, 1)) * 2
    )
    return bytes(12) + b"\x08\x00" + ip + udp


@pytest.mark.field
@pytest.mark.counterpart
def test_wireshark_reads_the_same_targets(field_data: Path, counterpart: Callable[[str], str]) -> None:
    capture = field_data / "protocols" / "asterix" / "cat_034_048.pcap"
    rows = dissect(counterpart("tshark"), capture, ("asterix.048_040_RHO", "asterix.048_040_THETA"))
    theirs = [
        (float(rho), float(theta))
        for row in rows
        if row[0]
        for rho, theta in zip(row[0].split(","), row[1].split(","), strict=True)
    ]
    ours = [
        (m.range_m / NM, m.azimuth_deg)
        for m in flat(decoded(field_data, "cat_034_048.pcap"))
        if isinstance(m, RadarTarget) and m.range_m is not None
    ]
    assert len(ours) > 100
    assert [rho for rho, _ in theirs] == pytest.approx([rho for rho, _ in ours], rel=1e-12)
    assert [theta for _, theta in theirs] == pytest.approx([theta for _, theta in ours], rel=1e-12)


@pytest.mark.counterpart
def test_wireshark_reads_what_we_write(tmp_path: Path, counterpart: Callable[[str], str]) -> None:
    sent: list[Message] = [
        RadarTarget(
            sac=1,
            sic=2,
            plot_type=1,
            range_m=12 * NM,
            azimuth_deg=45.0,
            height_msl_m=304.8,
            doppler_mps=-25.0,
        ),
        RadarService(sac=1, sic=2, message_type=2, sector_azimuth_deg=90.0),
        SystemTrack(sac=1, sic=2, track_number=77, lat_deg=45.0, lon_deg=-22.5),
        IncsReport(sac=1, sic=2, message_type=1, range_m=1234.5, azimuth_deg=45.0, elevation_deg=-22.5),
    ]
    capture = tmp_path / "ours.pcap"
    with PcapWriter(capture, ETHERNET) as writer:
        writer.write(1.0, frame(encode(sent)))
    expected = {
        "asterix.048_040_RHO": 12.0,
        "asterix.048_040_THETA": 45.0,
        "asterix.048_120_CAL_CAL": -25.0,
        "asterix.034_020_VALUE": 90.0,
        "asterix.062_105_LAT": 45.0,
        "asterix.062_105_LON": -22.5,
        "asterix.015_625_R_VALUE": 1234.5,
        "asterix.015_627_AZ_VALUE": 45.0,
        "asterix.015_628_EL_VALUE": -22.5,
    }
    (row,) = dissect(counterpart("tshark"), capture, tuple(expected))
    assert dict(zip(expected, map(float, row), strict=True)) == pytest.approx(expected, abs=1e-6)
