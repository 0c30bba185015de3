"""Run by test_timeline.py under several PYTHONHASHSEED: prints a digest of what a tracker settles on."""

import hashlib

from vedette.fuse import Tracker
from vedette.model import Claim, Detection, Position, SensorProfile, Site

site = Site(name="post", lat_deg=40.0, lon_deg=-3.0, alt_m=600.0, alt_datum="egm96")
eye = SensorProfile(
    id="eye", type="camera", lat_deg=40.0, lon_deg=-3.0, alt_m=600.0, alt_datum="egm96", period_s=1.0,
    detection_probability=0.9,
)  # fmt: skip
tracker = Tracker(site, (eye,))
for k in range(240):
    body = k % 12
    position = Position(lat_deg=40.0 + 0.001 * body, lon_deg=-3.0 + 1e-5 * k)
    claim = Claim(scheme="remote-id-serial", id=f"D{body}") if body % 3 else None
    detection = Detection(
        time=1000.0 + k * 0.1,
        sensor=f"rid-{k % 5}",
        measure=position,
        claim=claim,
        beliefs={"multirotor": 0.6, "bird": 0.1},
    )
    place = Position(lat_deg=40.1 + 0.01 * body, lon_deg=-3.0 + 1e-5 * k, alt_m=900.0, alt_datum="egm96")
    seen = Detection(time=1000.0 + k * 0.1, sensor="eye", measure=place)
    aloud = Detection(
        time=1000.0 + k * 0.1,
        sensor=f"adsb-{k % 3}",
        measure=place,
        claim=Claim(scheme="icao", id=f"40{body:04x}"),
        beliefs={"aircraft": 0.9},
    )
    tracker.add([detection, seen, aloud], 1000.0 + k * 0.1 + (0.9 if k % 4 else 0.0))
assert any(track.trust == "verified" for track in tracker.frame(1024.0).tracks)
_, settled = tracker.settled(1030.0)
print(hashlib.sha256(settled + tracker.state() + repr(tracker.frame(1030.0)).encode()).hexdigest())
