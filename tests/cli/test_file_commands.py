"""decode, track, assess and simulate on good, damaged and hostile files."""

import itertools
import json
import math
import os
import random
import struct
from pathlib import Path

import numpy as np
import pytest

from vedette.model import Detection, Frame, Threat
from vedette.model.lines import LineReader
from vedette.wire.capture import PcapWriter, read_records
from vedette.wire.ieee80211 import LINK_RADIOTAP

START = 1_790_000_000.0
SENSOR = "ridge-receiver"
RUNNER = "1581FXDEMORUN0000007"

NOISE = random.Random(2).randbytes(64).replace(b"\n", b"")


def detections(lines: bytes) -> list[Detection]:
    return list(LineReader(Detection, "stdout").read(lines.splitlines()))


def test_decode_gives_the_lines_of_the_contract(command, simulated: Path) -> None:
    said = command("decode", simulated / "remote-id.pcap", "--sensor", SENSOR)
    assert said.code == 0
    assert said.out == (simulated / "detections.jsonl").read_bytes()
    seen = detections(said.out)
    assert {d.claim.id for d in seen if d.claim is not None} >= {RUNNER}
    assert {d.sensor for d in seen} == {SENSOR}
    records = sum(1 for _ in read_records(simulated / "remote-id.pcap"))
    assert f"records {records}" in said.err


def test_decode_takes_several_captures(command, simulated: Path) -> None:
    capture = simulated / "remote-id.pcap"
    said = command("decode", capture, capture)
    assert said.code == 0
    assert len(detections(said.out)) == 2 * len(detections((simulated / "detections.jsonl").read_bytes()))


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"", "the file is empty"),
        (bytes.fromhex("4d3cb2a1") + bytes(6), "not a capture"),
        (b"GIF89a" + bytes(100), "not a capture"),
        (random.Random(1).randbytes(16) + b"x" * 5000, "not a capture"),
    ],
    ids=["empty", "cut-header", "wrong-magic", "random"],
)
def test_decode_refuses_what_is_no_capture(command, tmp_path: Path, content: bytes, names: str) -> None:
    path = tmp_path / "capture.pcap"
    path.write_bytes(content)
    said = command("decode", path)
    assert said.code == 65
    assert names in said.one_line()
    assert "capture.pcap" in said.err
    assert said.out == b""


def test_decode_of_a_cut_capture_gives_what_is_there(command, simulated: Path, tmp_path: Path) -> None:
    whole = (simulated / "remote-id.pcap").read_bytes()
    (tmp_path / "cut.pcap").write_bytes(whole[:5000])
    said = command("decode", tmp_path / "cut.pcap", "--sensor", SENSOR)
    assert said.code == 0
    assert "truncated-record 1" in said.err
    assert (simulated / "detections.jsonl").read_bytes().startswith(said.out)
    assert said.out


@pytest.mark.parametrize(
    ("claimed", "reason"), [(65_535, "truncated-record 1"), (2**32 - 1, "ended:absurd-length 1")]
)
def test_a_record_that_claims_more_than_there_is(
    command, simulated: Path, tmp_path: Path, claimed: int, reason: str
) -> None:
    whole = (simulated / "remote-id.pcap").read_bytes()
    bad = struct.pack("<IIII", 1_790_000_300, 0, claimed, claimed) + b"\xff" * 50
    (tmp_path / "claims.pcap").write_bytes(whole + bad)
    said = command("decode", tmp_path / "claims.pcap", "--sensor", SENSOR)
    assert said.code == 0
    assert reason in said.err
    assert said.out == (simulated / "detections.jsonl").read_bytes()


def test_a_beacon_whose_element_claims_255_bytes_is_counted(command, simulated: Path, tmp_path: Path) -> None:
    frame = next(r.data for r in read_records(simulated / "remote-id.pcap") if b"\xfa\x0b\xbc\x0d" in r.data)
    at = frame.index(b"\xfa\x0b\xbc\x0d")
    spoiled = frame[: at - 1] + b"\xff" + frame[at:]
    with PcapWriter(tmp_path / "claims.pcap", LINK_RADIOTAP) as writer:
        writer.write(1_790_000_000.0, spoiled)
        writer.write(1_790_000_001.0, frame)
    said = command("decode", tmp_path / "claims.pcap")
    assert said.code == 0
    assert len(detections(said.out)) == 1
    assert "malformed:" in said.err


def test_times_that_go_backwards_are_counted(command, simulated: Path, tmp_path: Path) -> None:
    records = list(read_records(simulated / "remote-id.pcap"))
    with PcapWriter(tmp_path / "back.pcap", LINK_RADIOTAP) as writer:
        for record in reversed(records):
            writer.write(record.time, record.data)
    said = command("decode", tmp_path / "back.pcap")
    assert said.code == 0
    assert f"time-backwards {len(records) - 1}" in said.err
    assert detections(said.out)


@pytest.mark.skipif(
    os.geteuid() != 0, reason="as another user than root the files of others are closed anyway"
)
def test_a_file_of_somebody_else(command, simulated: Path, tmp_path: Path) -> None:
    path = tmp_path / "closed.pcap"
    path.write_bytes((simulated / "remote-id.pcap").read_bytes())
    path.chmod(0)
    os.seteuid(65_534)
    try:
        said = command("decode", path)
    finally:
        os.seteuid(0)
    assert said.code == 65
    assert "Permission denied" in said.one_line()


@pytest.mark.field
def test_decode_of_real_captures(command, field_data: Path) -> None:
    folder = field_data / "protocols" / "opendroneid"
    captures = sorted([*folder.glob("*.pcap"), *folder.glob("*.pcapng")])
    assert captures
    serials = set()
    for capture in captures:
        said = command("decode", capture)
        assert said.code == 0, said.err
        seen = detections(said.out)
        assert seen, f"{capture.name}: {said.err}"
        serials |= {d.claim.id for d in seen if d.claim is not None}
    assert "1588E040445AC004418" in serials


def test_track_gives_frames_with_the_claimed_identity(command, simulated: Path) -> None:
    said = command("track", simulated)
    assert said.code == 0, said.err
    frames = list(LineReader(Frame, "stdout").read(said.out.splitlines()))
    assert all(round(b.time - a.time, 6) == 1.0 for a, b in itertools.pairwise(frames))
    named = [t for frame in frames for t in frame.tracks if t.identity is not None]
    assert {t.identity.id for t in named} == {RUNNER, "1581FXDEMOHOBBY00001"}
    assert {t.trust for t in named} <= {"unverified", "contradicted", "ghost"}


def test_track_at_each_scan_of_a_sensor(command, case: Path) -> None:
    said = command("track", case, "--at", f"scans:{SENSOR}")
    assert said.code == 0
    first = json.loads(said.out.splitlines()[0])
    assert first["time"] == detections((case / "detections.jsonl").read_bytes())[0].time


def test_track_at_the_scans_of_nobody(command, case: Path) -> None:
    said = command("track", case, "--at", "scans:nobody")
    assert said.code == 65
    assert "nobody" in said.one_line()
    said = command("track", case, "--at", "noon")
    assert said.code == 64
    assert "scans:SENSOR" in said.one_line()


def test_assess_gives_the_threat_to_the_patrol(command, simulated: Path) -> None:
    said = command("assess", simulated)
    assert said.code == 0, said.err
    threats = list(LineReader(Threat, "stdout").read(said.out.splitlines()))
    worst = max(threats, key=lambda threat: threat.risk)
    assert (worst.unit, worst.level) == ("VEDETTE-EXERCISE-BRAVO", "imminent")
    for threat in threats:
        total = sum(nats for _, nats in threat.evidence)
        assert abs(total - math.log(threat.risk / (1.0 - threat.risk))) < 0.001


def test_assess_writes_what_its_risks_are_computed_from(command, simulated: Path, tmp_path: Path) -> None:
    said = command("assess", simulated, "--features", tmp_path / "f.npz")
    threats = list(LineReader(Threat, "stdout").read(said.out.splitlines()))
    with np.load(tmp_path / "f.npz") as held:
        names, rows = held["names"].tolist(), held["features"]
        tracks, units = held["tracks"][held["track"]], held["units"][held["unit"]]
        places = {key: n for n, key in enumerate(zip(held["time"].tolist(), tracks, units, strict=True))}
    assert rows.shape == (len(places), len(names))
    assert len(threats) > 20
    for threat in threats:
        row = rows[places[threat.time, threat.track, threat.unit]]
        assert row[names.index("slant_m")] == np.float32(threat.range_m)
        assert row[names.index("closing_mps")] == np.float32(threat.closing_mps)
    refused = command("assess", simulated, "--features", tmp_path / "no" / "f.npz")
    assert (refused.code, "cannot be written" in refused.err) == (64, True)


def spoil(path: Path, number: int, **changes: object) -> None:
    """Change keys of one line (counted from 1)."""
    lines = path.read_bytes().splitlines()
    lines[number - 1] = json.dumps({**json.loads(lines[number - 1]), **changes}).encode()
    path.write_bytes(b"\n".join(lines))


@pytest.mark.parametrize("name", ["track", "assess"])
@pytest.mark.parametrize(
    ("file", "content", "code", "names"),
    [
        ("site.json", None, 64, "site.json: cannot be read"),
        ("site.json", b"{", 64, "site.json, line 1: not valid JSON"),
        ("site.json", b'{"lat_deg": NaN}', 64, "NaN is not a finite number"),
        ("site.json", b"\xff", 64, "not UTF-8"),
        ("sensors.json", b"{}", 64, "sensors.json"),
        ("detections.jsonl", None, 65, "detections.jsonl: cannot be read"),
        ("detections.jsonl", b"\n\n{", 65, "detections.jsonl, line 3: not JSON"),
        ("detections.jsonl", NOISE + b"\n", 65, "detections.jsonl, line 1"),
        ("units.jsonl", b"[]\n", 65, "units.jsonl, line 1: not a JSON object"),
    ],
)  # fmt: skip
def test_a_folder_with_a_bad_file(command, case: Path, name, file, content, code, names) -> None:
    (case / file).unlink()
    if content is not None:
        (case / file).write_bytes(content)
    said = command(name, case)
    assert said.code == code
    assert names in said.one_line()


def test_assess_without_units_and_a_folder_in_place_of_a_file(command, case: Path) -> None:
    (case / "units.jsonl").unlink()
    said = command("assess", case)
    assert said.code == 64
    assert "units.jsonl" in said.one_line()
    (case / "detections.jsonl").unlink()
    (case / "detections.jsonl").mkdir()
    said = command("track", case)
    assert said.code == 65
    assert "Is a directory" in said.one_line()


@pytest.mark.parametrize("at", [1e300, -1.0, 1e11])
def test_an_absurd_date_is_refused_with_its_line(command, case: Path, at: float) -> None:
    spoil(case / "detections.jsonl", 100, received=at)
    said = command("track", case)
    assert said.code == 65
    assert "detections.jsonl, line 100: the time" in said.err


def test_an_hour_long_gap_is_stepped_over(command, case: Path) -> None:
    rows = (case / "detections.jsonl").read_bytes().splitlines()
    for number in range(len(rows) - 50, len(rows)):
        row = json.loads(rows[number])
        row["time"] += 3e9
        row["received"] += 3e9
        rows[number] = json.dumps(row).encode()
    (case / "detections.jsonl").write_bytes(b"\n".join(rows))
    said = command("track", case)
    assert said.code == 0
    frames = list(LineReader(Frame, "stdout").read(said.out.splitlines()))
    assert len(frames) < 1000
    assert frames[-1].time > 4.7e9
    assert frames[-1].tracks
    assert not any(frame.tracks for frame in frames if START + 500 < frame.time < 4.7e9)


def test_unknown_keys_are_kept_and_counted(command, case: Path) -> None:
    spoil(case / "detections.jsonl", 7, colour="grey")
    spoil(case / "units.jsonl", 1, mood="good")
    said = command("track", case)
    assert said.code == 0
    assert "unknown keys: " in said.err
    assert "colour 1" in said.err
    assert "mood 1" in said.err


def test_detections_from_last_to_first(command, case: Path) -> None:
    rows = (case / "detections.jsonl").read_bytes().splitlines()
    (case / "detections.jsonl").write_bytes(b"\n".join(reversed(rows)))
    said = command("track", case)
    assert said.code == 0
    assert "late" in said.err


def test_simulate_is_the_same_for_the_same_start(command, tmp_path: Path) -> None:
    for name in ("a", "b"):
        said = command("simulate", "hover-near", "-o", tmp_path / name, "--start", "1790000000")
        assert said.code == 0
        assert {json.loads(line)["file"] for line in said.out.splitlines()} >= {
            "remote-id.pcap",
            "truth.jsonl",
        }
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_simulate_where_it_may_not_write(command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = command("simulate", "hover-near", "-o", tmp_path / "file")
    assert said.code == 64
    assert "cannot be written" in said.one_line()
