"""A scenario as files: what a station would have been given, and the truth beside it."""

import json
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest

from vedette.model import SensorProfile, Site, UnitReport
from vedette.simulate import emissions, parse_scenario, sensor_profiles, to_files, truth
from vedette.simulate.files import capture_names
from vedette.wire.capture import read_records
from vedette.wire.cot import CotEvent, CotSplitter

Text = Callable[..., str]
START = 1_800_000_000.0


def _into(folder: Path) -> Callable[[str], AbstractContextManager[BinaryIO]]:
    return lambda name: (folder / name).open("wb")


def test_files_hold_what_arrived(scenario_text: Text, tmp_path: Path) -> None:
    scenario = parse_scenario(scenario_text())
    counts = to_files(scenario, START, _into(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "cot.xml",
        "detections.jsonl",
        "remote-id.pcap",
        "sensors.json",
        "site.json",
        "truth.jsonl",
        "units.jsonl",
    ]
    frames = [e for e in emissions(scenario, START) if e.channel == "remote-id"]
    records = list(read_records(tmp_path / "remote-id.pcap"))
    assert [record.data for record in records] == [frame.data for frame in frames]
    assert [record.time for record in records] == pytest.approx([f.time for f in frames], abs=1e-6)
    assert {record.link_type for record in records} == {127}
    lines = len((tmp_path / "detections.jsonl").read_bytes().splitlines())
    assert 0 < lines <= len(frames)
    assert counts == {
        "remote-id.pcap": len(frames),
        "cot.xml": 12,
        "units.jsonl": 12,
        "truth.jsonl": 120,
        "detections.jsonl": lines,
    }


def test_reports_and_truth_keep_the_contract(scenario_text: Text, tmp_path: Path) -> None:
    scenario = parse_scenario(scenario_text())
    to_files(scenario, START, _into(tmp_path))
    lines = (tmp_path / "units.jsonl").read_bytes().splitlines()
    reports = [msgspec.json.decode(line, type=UnitReport) for line in lines]
    assert {report.unit for report in reports} == {"UID-BRAVO"}
    found = CotSplitter().feed((tmp_path / "cot.xml").read_bytes())
    assert all(isinstance(event, CotEvent) for event in found)
    assert [event.time for event in found if isinstance(event, CotEvent)] == pytest.approx(
        [report.time for report in reports], abs=0.002
    )
    rows = [json.loads(line) for line in (tmp_path / "truth.jsonl").read_bytes().splitlines()]
    assert rows == [{**msgspec.to_builtins(row), "enu_m": list(row.enu_m)} for row in truth(scenario, START)]
    assert {(row["id"], row["kind"]) for row in rows} == {("bravo", "patrol"), ("alpha", "multirotor")}


def test_site_and_sensors_keep_the_contract(scenario_text: Text, tmp_path: Path) -> None:
    scenario = parse_scenario(scenario_text())
    to_files(scenario, START, _into(tmp_path))
    site = msgspec.json.decode((tmp_path / "site.json").read_bytes(), type=Site)
    assert site == scenario.head.site
    data = (tmp_path / "sensors.json").read_bytes()
    (sensor,) = msgspec.json.decode(data, type=tuple[SensorProfile, ...])
    assert (sensor,) == sensor_profiles(scenario)
    assert (sensor.id, sensor.type, sensor.alt_datum) == ("mast", "report", "wgs84-ellipsoid")
    assert (sensor.period_s, sensor.detection_probability, sensor.range_m) == (1.0, 1.0, (0.0, 9000.0))
    assert sensor.lat_deg == pytest.approx(31.45, abs=1e-9)
    assert sensor.alt_m == pytest.approx(1180.0, abs=1e-6)


def test_heights_of_a_geoid_site_stay_in_its_datum(scenario_text: Text) -> None:
    text = scenario_text().replace(
        'alt_datum = "wgs84-ellipsoid"', 'alt_datum = "egm96"\ngeoid_height_m = -29.0'
    )
    (sensor,) = sensor_profiles(parse_scenario(text))
    assert sensor.alt_datum == "egm96"
    assert sensor.alt_m == pytest.approx(1180.0, abs=1e-6)


def test_each_receiver_and_radio_has_its_own_capture(
    scenario_text: Text, drone_text: Text, tmp_path: Path
) -> None:
    second = '\n[[receiver]]\nid = "far"\nkind = "remote-id"\nenu_m = [900.0, 0.0]\nrange_m = 9000.0\n'
    scenario = parse_scenario(
        scenario_text("ble4", "flat") + drone_text("beta", "wifi-nan").replace("aa:bb", "cc:dd") + second
    )
    assert list(capture_names(scenario).values()) == [
        "remote-id-mast-wifi.pcap",
        "remote-id-mast-ble.pcap",
        "remote-id-far-wifi.pcap",
        "remote-id-far-ble.pcap",
    ]
    counts = to_files(scenario, START, _into(tmp_path))
    for (receiver, link_type), name in capture_names(scenario).items():
        records = list(read_records(tmp_path / name))
        heard = [e for e in emissions(scenario, START) if (e.source, e.link_type) == (receiver, link_type)]
        assert [record.data for record in records] == [emission.data for emission in heard]
        assert len(records) == counts[name] > 50


def _tshark(program: str, capture: Path, *options: str) -> list[str]:
    done = subprocess.run(
        [program, "-n", "-r", str(capture), *options], capture_output=True, text=True, check=True
    )
    return done.stdout.split("\n")[:-1]


@pytest.mark.counterpart
@pytest.mark.parametrize("transport", ["wifi-beacon", "wifi-nan"])
def test_tshark_finds_whole_wifi_frames(
    counterpart: Callable[[str], str], scenario_text: Text, tmp_path: Path, transport: str
) -> None:
    program = counterpart("tshark")
    counts = to_files(parse_scenario(scenario_text(transport)), START, _into(tmp_path))
    fields = ("-T", "fields", "-e", "wlan.fcs.status", "-e", "wlan.sa", "-e", "_ws.malformed")
    check = ("-o", "wlan.check_checksum:TRUE")
    rows = _tshark(program, tmp_path / "remote-id.pcap", *check, *fields)
    assert set(rows) == {"1\t60:60:1f:aa:bb:cc\t"}
    assert len(rows) == counts["remote-id.pcap"]


@pytest.mark.counterpart
@pytest.mark.parametrize("transport", ["ble4", "ble5"])
def test_tshark_finds_whole_bluetooth_packets(
    counterpart: Callable[[str], str], scenario_text: Text, tmp_path: Path, transport: str
) -> None:
    program = counterpart("tshark")
    counts = to_files(parse_scenario(scenario_text(transport)), START, _into(tmp_path))
    fields = ("-T", "fields", "-e", "btle.advertising_address", "-e", "_ws.malformed", "-e", "_ws.expert")
    rows = _tshark(program, tmp_path / "remote-id.pcap", *fields)
    assert {row.split("\t")[0] for row in rows} == {"60:60:1f:aa:bb:cc"}
    assert not any("ncorrect CRC" in row or "alformed" in row for row in rows)
    assert len(rows) == counts["remote-id.pcap"]
