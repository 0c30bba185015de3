"""Real Remote ID captures through the real adapter: what flew is what is tracked."""

from pathlib import Path

import pytest
from msgspec import structs

from vedette.fuse import Tracker
from vedette.model import Detection, Position, Site
from vedette.sense.remote_id import RemoteIdAdapter, read_capture

CAPTURES = "protocols/opendroneid"


def heard(folder: Path, name: str) -> list[Detection]:
    path = next((folder / CAPTURES).rglob(name))
    return [d for batch in read_capture(path, RemoteIdAdapter("rid-1")) for d in batch]


def site_of(detections: list[Detection]) -> Site:
    first = next(d.measure for d in detections if isinstance(d.measure, Position))
    return Site(
        name="capture", lat_deg=first.lat_deg, lon_deg=first.lon_deg, alt_m=0.0, alt_datum="wgs84-ellipsoid"
    )


def live(tracker: Tracker, detections: list[Detection]) -> list[tuple[str, str | None]]:
    """(track, identity) of every confirmed track of every frame, in order of appearance."""
    seen: dict[tuple[str, str | None], None] = {}
    at = 0.0
    for detection in detections:
        assert detection.received is not None
        at = max(at, detection.received)
        tracker.add([detection], at)
        for track in tracker.frame(at).tracks:
            seen[track.id, track.identity.id if track.identity else None] = None
    return list(seen)


@pytest.mark.field
def test_a_real_parrot_is_exactly_one_track_from_start_to_end(field_data: Path) -> None:
    detections = heard(field_data, "parrot_anafi4_real.pcapng")
    tracker = Tracker(site_of(detections))
    tracks = live(tracker, detections)
    assert [identity for _, identity in tracks] == ["1588E040445AC004418"]
    end = detections[-1].time
    (track,) = tracker.frame(end).tracks
    assert track.trust == "unverified"
    assert end - track.updated < 1.5
    assert tracker.counts.get("reacquired", 0) == 0


@pytest.mark.field
def test_a_second_receiver_adds_a_witness_and_no_second_parrot(field_data: Path) -> None:
    detections = heard(field_data, "parrot_anafi4_real.pcapng")
    both = []
    for d in detections:
        both += [
            d,
            Detection(time=d.time, sensor="rid-2", measure=d.measure, received=d.received, claim=d.claim),
        ]
    tracker = Tracker(site_of(detections))
    assert len(live(tracker, both)) == 1
    assert tracker.frame(detections[-1].time).tracks[0].sensors == ("rid-1", "rid-2")


@pytest.mark.field
def test_a_parrot_that_is_somewhere_else_too_is_contradicted(field_data: Path) -> None:
    detections = heard(field_data, "parrot_anafi4_real.pcapng")
    mixed = []
    for d in detections[:40]:
        away = structs.replace(d.measure, lat_deg=d.measure.lat_deg + 0.3)
        mixed += [d, structs.replace(d, time=d.time + 0.4, measure=away)]
    tracker = Tracker(site_of(detections))
    live(tracker, mixed)
    trusts = [track.trust for track in tracker.frame(mixed[-1].time).tracks]
    assert trusts == ["contradicted", "contradicted"]


@pytest.mark.field
def test_broadcasts_without_a_name_are_one_anonymous_track(field_data: Path) -> None:
    detections = heard(field_data, "odid_wifi_sample.pcap")
    tracks = live(Tracker(site_of(detections)), detections)
    assert len(tracks) == 1
    assert tracks[0][1] is None
