"""Run by test_timeline.py under several PYTHONHASHSEED: prints a digest of what a tracker settles on."""

import hashlib

from vedette.fuse import Tracker
from vedette.model import Claim, Detection, Position, Site

site = Site(name="post", lat_deg=40.0, lon_deg=-3.0, alt_m=600.0, alt_datum="egm96")
tracker = Tracker(site)
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
    tracker.add([detection], 1000.0 + k * 0.1 + (0.9 if k % 4 else 0.0))
_, settled = tracker.settled(1030.0)
print(hashlib.sha256(settled + tracker.state() + repr(tracker.frame(1030.0)).encode()).hexdigest())
