"""A scenario with sensors as files: what the station's readers of recordings make of them."""

import subprocess
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import msgspec
import pytest

from vedette.model import Detection
from vedette.model.lines import LineReader
from vedette.simulate import Scenario, detections, mix, to_files
from vedette.wire import asterix
from vedette.wire.adsb import BeastBatcher, squitters
from vedette.wire.capture import read_records
from vedette.wire.sapient import FrameSplitter, read_message, validate
from vedette.wire.udp import udp_datagram

Scene = Callable[..., Scenario]
Text = Callable[..., str]
Counterpart = Callable[[str], str]
START = 1_800_000_000.0


@pytest.fixture
def full(scene: Scene, flier: Text, patrol: str) -> Scenario:
    plane = flier(id="n123", kind="aircraft", signature="aircraft", agl_m=200.0, from_e=-3000.0, to_e=1800.0)
    return scene((*mix("full", (0.0, 0.0)), *mix("radar-2d", (50.0, 50.0), "b-")), flier() + plane + patrol)


def _into(folder: Path) -> Callable[[str], AbstractContextManager[BinaryIO]]:
    return lambda name: (folder / name).open("wb")


def test_every_sensor_has_its_file_and_every_file_its_reader(full: Scenario, tmp_path: Path) -> None:
    counts = to_files(full, START, _into(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {
        "asterix.pcap", "adsb-adsb.beast", "adsb-b-adsb.beast", "sapient-array.frames",
        "sapient-b-radar-2d.frames", "sapient-camera.frames", "sapient-df-1.frames", "sapient-df-2.frames",
        "sapient-radar.frames", "cot.xml", "units.jsonl", "detections.jsonl", "sensors.json", "site.json",
        "truth.jsonl",
    }  # fmt: skip
    records = list(read_records(tmp_path / "asterix.pcap"))
    assert len(records) == counts["asterix.pcap"] > 200
    told: Counter[str] = Counter()
    for record in records:
        datagram = asterix.decode(udp_datagram(record.data, record.link_type).payload)
        assert not datagram.rejected
        told.update(f"{message.category}-{message.sic}" for message in datagram.messages)
    assert told.keys() == {"34-1", "15-1", "34-8", "48-8"}
    for name, count in counts.items():
        if name.endswith(".frames"):
            bodies = FrameSplitter().feed((tmp_path / name).read_bytes())
            messages = [read_message(body) for body in bodies]
            assert len(messages) == count
            assert messages[0].WhichOneof("content") == "registration"
            assert not any(validate(message) for message in messages)
    beast = (tmp_path / "adsb-adsb.beast").read_bytes()
    assert len(squitters(BeastBatcher().feed(beast)).row) == counts["adsb-adsb.beast"] > 300


def test_detections_are_those_of_the_scenario(full: Scenario, tmp_path: Path) -> None:
    to_files(full, START, _into(tmp_path))
    with (tmp_path / "detections.jsonl").open("rb") as lines:
        read = list(LineReader(Detection, "detections.jsonl").read(lines))
    said = [msgspec.json.decode(msgspec.json.encode(one), type=Detection) for one in detections(full, START)]
    assert read == said


@pytest.mark.counterpart
def test_wireshark_reads_the_radars(full: Scenario, tmp_path: Path, counterpart: Counterpart) -> None:
    counts = to_files(full, START, _into(tmp_path))
    command = [counterpart("tshark"), "-r", str(tmp_path / "asterix.pcap"), "-d", "udp.port==8600,asterix"]
    fields = ["-T", "fields", "-e", "asterix.category", "-e", "_ws.malformed"]
    run = subprocess.run([*command, *fields], capture_output=True, text=True, check=True)
    shown = run.stdout.splitlines()
    assert len(shown) == counts["asterix.pcap"]
    assert {category for line in shown for category in line.split("\t")[0].split(",")} == {"15", "34", "48"}
    assert not any(line.split("\t")[1] for line in shown)
