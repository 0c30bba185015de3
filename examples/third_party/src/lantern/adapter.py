"""Datagrams of the Lantern radar -> Detections.

A datagram is ``b"LN"``, the number of plots (one byte), and for each plot 12 bytes, big-endian: range
in decimetres (u32), azimuth and elevation in hundredths of a degree (u16, i16), radial speed in cm/s
(i16, away is positive), and two spare bytes.
"""

import struct
from collections import Counter
from collections.abc import Iterator, Sequence

from vedette.model import Detection
from vedette.model.detection import RangeBearing, Sigma
from vedette.sense.registry import Heard

PLOT = struct.Struct(">IHhhxx")
ACCURACY = Sigma(range_m=5.0, azimuth_deg=1.0, elevation_deg=1.0, range_rate_mps=0.5)


class LanternAdapter:
    """Implements `vedette.sense.registry.Adapter`."""

    def __init__(self, sensor: str) -> None:
        self.counts: Counter[str] = Counter()
        self._sensor = sensor

    def detections(self, heard: Sequence[Heard]) -> Iterator[Detection]:
        """One detection a plot. The radar states no time: a plot happened when it was received."""
        for message in heard:
            data = message.data
            if len(data) < 3 or data[:2] != b"LN" or len(data) != 3 + data[2] * PLOT.size:
                self.counts["not-a-lantern-message"] += 1
                continue
            for plot in PLOT.iter_unpack(data[3:]):
                yield from self._plot(message.received, *plot)

    def _plot(
        self, time: float, range_dm: int, azimuth_cdeg: int, elevation_cdeg: int, radial_cmps: int
    ) -> Iterator[Detection]:
        if range_dm == 0 or azimuth_cdeg >= 36_000 or abs(elevation_cdeg) > 9_000:
            self.counts["impossible-plot"] += 1
            return
        measure = RangeBearing(
            range_m=range_dm / 10.0,
            azimuth_deg=azimuth_cdeg / 100.0,
            elevation_deg=elevation_cdeg / 100.0,
            range_rate_mps=radial_cmps / 100.0,
        )
        yield Detection(time=time, sensor=self._sensor, measure=measure, sigma=ACCURACY)
