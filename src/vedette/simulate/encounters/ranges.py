"""The ranges that the figures of encounters are drawn from, uniformly: training beside grading.

Judgement throughout, round the figures of the field notes on threat classes and of the shared bench, but
drawn independently of either. Grading reaches beyond training at both ends, so that what was fitted on
the one is judged on what it has not seen.
"""

from numpy.random import Generator

from vedette.simulate.plane import Pair, anywhere
from vedette.simulate.streams import Normals

Range = tuple[float, float]

RANGES: dict[str, tuple[Range, Range]] = {
    # people
    "post.spread_m": ((90.0, 180.0), (70.0, 260.0)),
    "convoy.speed_mps": ((8.0, 14.0), (6.0, 16.0)),
    "convoy.spacing_m": ((40.0, 60.0), (30.0, 90.0)),
    # air
    "wind_mps": ((0.0, 7.0), (0.0, 12.0)),
    "gust_share": ((0.0, 0.15), (0.0, 0.3)),
    # straight attacks
    "direct.speed_mps": ((20.0, 42.0), (18.0, 50.0)),
    "direct.range_m": ((1100.0, 3600.0), (900.0, 5000.0)),
    "direct.agl_m": ((30.0, 190.0), (20.0, 260.0)),
    "direct.weave_deg": ((2.0, 9.0), (0.0, 14.0)),
    "dive_deg": ((14.0, 40.0), (8.0, 55.0)),
    "popup.speed_mps": ((23.0, 36.0), (20.0, 42.0)),
    "popup.range_m": ((400.0, 950.0), (350.0, 1200.0)),
    "popup.agl_m": ((4.0, 20.0), (3.0, 25.0)),
    "popup.pop_m": ((40.0, 220.0), (30.0, 320.0)),
    "popup.pop_agl_m": ((8.0, 35.0), (6.0, 60.0)),
    "popup.dive_deg": ((5.0, 16.0), (4.0, 24.0)),
    "drop.speed_mps": ((7.0, 15.0), (5.0, 17.0)),
    "drop.range_m": ((750.0, 2200.0), (600.0, 3000.0)),
    "drop.agl_m": ((35.0, 120.0), (25.0, 150.0)),
    # circling, watching, following
    "loiter.speed_mps": ((9.0, 18.0), (8.0, 20.0)),
    "loiter.offset_m": ((270.0, 950.0), (200.0, 1300.0)),
    "loiter.radius_m": ((30.0, 130.0), (25.0, 200.0)),
    "loiter.time_s": ((20.0, 95.0), (10.0, 150.0)),
    "loiter.range_m": ((450.0, 1500.0), (300.0, 2500.0)),
    "strike.speed_mps": ((21.0, 38.0), (18.0, 46.0)),
    "watch.speed_mps": ((9.0, 17.0), (8.0, 19.0)),
    "watch.start_m": ((750.0, 2100.0), (600.0, 3000.0)),
    "watch.range_m": ((140.0, 420.0), (100.0, 600.0)),
    "watch.time_s": ((35.0, 155.0), (25.0, 220.0)),
    "watch.agl_m": ((55.0, 160.0), (40.0, 200.0)),
    # held back from training
    "masked.speed_mps": ((14.0, 24.0), (12.0, 28.0)),
    "masked.range_m": ((900.0, 1800.0), (800.0, 2200.0)),
    "masked.agl_m": ((4.0, 10.0), (3.0, 12.0)),
    "probe.turn_back_m": ((300.0, 600.0), (220.0, 800.0)),
    "swarm.count": ((3.0, 5.0), (2.0, 6.0)),
    "swarm.range_m": ((1200.0, 2200.0), (1000.0, 2800.0)),
    "decoy.break_m": ((250.0, 500.0), (200.0, 700.0)),
    "flock.count": ((6.0, 14.0), (5.0, 25.0)),
    # harmless
    "transit.speed_mps": ((8.0, 38.0), (6.0, 45.0)),
    "transit.offset_m": ((50.0, 1500.0), (20.0, 2000.0)),
    "transit.length_m": ((700.0, 3000.0), (500.0, 4000.0)),
    "transit.agl_m": ((8.0, 200.0), (5.0, 260.0)),
    "transit.weave_deg": ((2.0, 8.0), (0.0, 12.0)),
    "orbit.offset_m": ((480.0, 2000.0), (350.0, 2600.0)),
    "orbit.radius_m": ((80.0, 300.0), (50.0, 400.0)),
    "orbit.speed_mps": ((8.0, 15.0), (6.0, 18.0)),
    "orbit.agl_m": ((45.0, 150.0), (30.0, 200.0)),
    "hobby.offset_m": ((220.0, 2000.0), (150.0, 2600.0)),
    "hobby.camera_mps": ((5.0, 12.0), (4.0, 15.0)),
    "hobby.freestyle_mps": ((15.0, 34.0), (12.0, 40.0)),
    "hobby.camera_spread_m": ((80.0, 140.0), (60.0, 200.0)),
    "hobby.freestyle_spread_m": ((120.0, 220.0), (90.0, 280.0)),
    "aircraft.speed_mps": ((40.0, 75.0), (35.0, 95.0)),
    "aircraft.offset_m": ((0.0, 2000.0), (0.0, 3000.0)),
    "aircraft.agl_m": ((70.0, 320.0), (50.0, 500.0)),
    "helicopter.speed_mps": ((25.0, 55.0), (20.0, 65.0)),
    "helicopter.agl_m": ((45.0, 150.0), (30.0, 200.0)),
    "bird.airspeed_mps": ((8.0, 16.0), (7.0, 20.0)),
    "bird.range_m": ((200.0, 1500.0), (150.0, 2000.0)),
    "bird.agl_m": ((15.0, 120.0), (10.0, 180.0)),
    "bird.wander_deg": ((6.0, 20.0), (3.0, 28.0)),
    "bird.curve_dps": ((0.0, 10.0), (0.0, 15.0)),
    "soar.radius_m": ((20.0, 60.0), (18.0, 90.0)),
    "soar.climb_mps": ((0.6, 2.8), (0.5, 3.5)),
    "scene.time_s": ((190.0, 250.0), (150.0, 280.0)),
}

FIRST_COLUMN = {"training": 0}
"""Collections that draw from the first column; all others draw from the second."""


class Draw:
    """Chance of one encounter: its own stream, and the ranges of its collection."""

    def __init__(self, generator: Generator, collection: str) -> None:
        self._generator = generator
        self._column = FIRST_COLUMN.get(collection, 1)
        self.normals = Normals(generator, 16)

    def of(self, name: str) -> float:
        """A figure by the name of its range."""
        low, high = RANGES[name][self._column]
        return low + (high - low) * float(self._generator.random())

    def between(self, low: float, high: float) -> float:
        """A figure of a range that does not depend on the collection."""
        return low + (high - low) * float(self._generator.random())

    def chance(self, share: float) -> bool:
        """True in this share of draws."""
        return float(self._generator.random()) < share

    def number(self, below: int) -> int:
        """A whole number from 0 on."""
        return int(float(self._generator.random()) * below)

    def direction(self) -> Pair:
        """A unit vector of random direction."""
        return anywhere(self._generator)

    def degrees(self) -> float:
        """A random azimuth."""
        return 360.0 * float(self._generator.random())

    def around(self, centre: Pair, low_to_high: str) -> Pair:
        """A place at a drawn distance from another, in a random direction."""
        east, north = self.direction()
        distance = self.of(low_to_high)
        return centre[0] + east * distance, centre[1] + north * distance
