"""``vedette track`` hands on no place that the finders do not bear out."""

import json
from pathlib import Path

from tests.fuse.conftest import World
from tests.fuse.test_passive_attacks import LOST, events_of, profiles

from vedette.model.event import DetectionBatch
from vedette.model.lines import dump_line


def test_a_hidden_place_is_not_in_the_frames(command, tmp_path: Path) -> None:
    world, scene = World(), LOST["along the baseline"]
    (tmp_path / "site.json").write_bytes(dump_line(world.site))
    sensors = b",".join(dump_line(profile).strip() for profile in profiles(world, scene.ears))
    (tmp_path / "sensors.json").write_bytes(b"[" + sensors + b"]\n")
    batches = [event.body for event in events_of(world, scene) if isinstance(event.body, DetectionBatch)]
    lines = [dump_line(detection) for batch in batches for detection in batch.detections]
    (tmp_path / "detections.jsonl").write_bytes(b"".join(lines))
    said = command("track", tmp_path)
    assert said.code == 0, said.err
    frames = [json.loads(line) for line in said.out.splitlines()]
    first = next(number for number, frame in enumerate(frames) if frame["tracks"])
    assert any(not frame["tracks"] and frame["wedges"] for frame in frames[first:])
    assert not any("unplaced" in frame for frame in frames)
