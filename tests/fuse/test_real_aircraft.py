"""A real minute of ADS-B through the real adapter: each aircraft is one track, and none is an attack."""

import math
from pathlib import Path

import pytest

from vedette.assess import Assessor
from vedette.fuse import Tracker
from vedette.model import Detection, Site, UnitReport
from vedette.sense.adsb import BeastAdapter
from vedette.wire.adsb import TICKS_PER_S, BeastBatch, BeastBatcher, Place

CAPTURE = "protocols/adsb/ulss7_60s.beast"
START = 1_700_000_000.0
SITE = Site(name="roof", lat_deg=59.9, lon_deg=30.3, alt_m=20.0, alt_datum="egm96")
PERIOD_S = 0.25
WITHIN_REACH = {"400159", "4248e7", "4249b5", "504dd9"}
"""Of the eleven in the golden decode (dump1090-mutability), those within 60 km of the site."""


def heard(field_data: Path) -> list[tuple[float, list[Detection]]]:
    """What is detected, in quarters of a second of the receiver's own clock."""
    frames = BeastBatcher().feed((field_data / CAPTURE).read_bytes())
    adapter = BeastAdapter("mast", Place(SITE.lat_deg, SITE.lon_deg))
    seconds = (frames.ticks - frames.ticks[0]) / TICKS_PER_S
    out, first = [], 0
    while first < len(seconds):
        quarter = math.floor(seconds[first] / PERIOD_S)
        last = first
        while last < len(seconds) and math.floor(seconds[last] / PERIOD_S) == quarter:
            last += 1
        part = BeastBatch(*(column[first:last] for column in frames))
        at = START + (quarter + 1) * PERIOD_S
        out.append((at, adapter.take(part, at)))
        first = last
    return out


@pytest.mark.field
def test_each_real_aircraft_is_one_track_where_it_says_and_alarms_nobody(field_data: Path) -> None:
    tracker, assessor = Tracker(SITE), Assessor(SITE)
    post = UnitReport(
        time=START, unit="post", lat_deg=59.9, lon_deg=30.3, sigma_m=5.0, mobility="post",
        alt_m=20.0, alt_datum="egm96",
    )  # fmt: skip
    assessor.unit(post, START)
    named: dict[str, dict[str, None]] = {}
    levels: dict[str, None] = {}
    for at, detections in heard(field_data):
        tracker.add(detections, at)
        frame = tracker.frame(at)
        for track in frame.tracks:
            assert track.identity is not None
            assert track.trust == "unverified"
            assert track.height_known
            assert math.hypot(track.velocity_mps[0], track.velocity_mps[1]) < 300.0
            named.setdefault(track.identity.id, {})[track.id] = None
        levels |= {threat.level: None for threat in assessor.assess(frame, at)}
    assert named.keys() == WITHIN_REACH
    assert all(len(tracks) == 1 for tracks in named.values())
    assert list(levels) in ([], ["info"])
    assert set(tracker.counts) <= {"out-of-reach", "repeated", "heard-again"}
