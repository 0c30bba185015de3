"""Prints a digest of one run of the assessor, for comparison under different hash seeds."""

import hashlib

import msgspec

from vedette.assess import Assessor
from vedette.model import Frame, Site, Track, UnitReport

site = Site(name="ridge", lat_deg=31.5, lon_deg=-110.9, alt_m=1200.0, alt_datum="wgs84-ellipsoid")
assessor = Assessor(site)
digest = hashlib.blake2b(digest_size=16)
names = {"alpha", "bravo", "charlie", "delta", "echo"}
for name in names:
    report = UnitReport(time=0.0, unit=name, lat_deg=31.5, lon_deg=-110.9, sigma_m=5.0, mobility="foot")
    assessor.unit(report, 0.0)
for t in range(20):
    tracks = tuple(
        Track(
            id=name,
            enu_m=(100.0 * len(name), 900.0 - 25.0 * t, 50.0),
            velocity_mps=(0.0, -25.0, 0.0),
            covariance=(25.0,) * 21,
            existence=0.9,
            beliefs={"fpv": 0.5, "bird": 0.2},
        )
        for name in names
    )
    for threat in assessor.assess(Frame(time=float(t), tracks=tracks), float(t)):
        digest.update(msgspec.json.encode(threat))
digest.update(assessor.state())
print(digest.hexdigest())
