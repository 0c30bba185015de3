"""A simulated radar as an ASTERIX source: plots, and a service message at the beginning of each scan.

A radar that measures elevation sends CAT015 (range, azimuth, elevation, rate and their accuracies), one
without CAT048 (range, azimuth, Doppler speed, positive is receding). Its scans begin with a north marker
of CAT034, by which a station counts them and learns the radar's place and period. Class beliefs have no
item in these categories and are left out, and so is the accuracy of a rate.
"""

import math

from vedette.model import Detection, RangeBearing
from vedette.simulate.sensing.catalogue import Radar
from vedette.simulate.sensing.station import Post
from vedette.simulate.sensing.way import Message
from vedette.wire import asterix

SAC = 0
"""System area code of what is simulated: none (EUROCONTROL gives 0 to local use)."""
_NORTH_MARKER, _PLOT, _MONOSTATIC, _PRIMARY = 1, 1, 0, 1
_TICKS_PER_S = 128.0
_DAY_S = 86_400.0


class AsterixRadar:
    """One radar; ``number`` is its system identification code (1 to 255)."""

    def __init__(self, post: Post, model: Radar, number: int) -> None:
        self.sic = number
        self._post, self._model = post, model

    def datagram(self, message: Message) -> bytes:
        """The UDP payload of one message."""
        records: list[asterix.Message] = [self._marker(message)] if message.first else []
        for detection in message.detections:
            if isinstance(detection.measure, RangeBearing):
                plot = self._raised if self._model.raised else self._flat
                records.append(plot(detection, detection.measure))
        return asterix.encode(records) if records else b""

    def _marker(self, message: Message) -> asterix.RadarService:
        return asterix.RadarService(
            sac=SAC,
            sic=self.sic,
            time_of_day_s=time_of_day_s(message.scan_at),
            message_type=_NORTH_MARKER,
            rotation_period_s=self._model.period_s,
            not_operational=False,
            overloaded=False,
            time_source_invalid=False,
            height_m=self._post.ellipsoid_m,
            lat_deg=self._post.lat_deg,
            lon_deg=self._post.lon_deg,
        )

    def _raised(self, detection: Detection, measure: RangeBearing) -> asterix.IncsReport:
        return asterix.IncsReport(
            sac=SAC,
            sic=self.sic,
            time_of_day_s=time_of_day_s(detection.time),
            message_type=_PLOT,
            arrangement=_MONOSTATIC,
            taxonomy=0,
            range_m=measure.range_m,
            sigma_range_m=self._model.sigma_range_m,
            range_rate_mps=measure.range_rate_mps,
            azimuth_deg=measure.azimuth_deg,
            sigma_azimuth_deg=self._model.sigma_azimuth_deg,
            elevation_deg=measure.elevation_deg,
            sigma_elevation_deg=self._model.sigma_elevation_deg,
        )

    def _flat(self, detection: Detection, measure: RangeBearing) -> asterix.RadarTarget:
        return asterix.RadarTarget(
            sac=SAC,
            sic=self.sic,
            time_of_day_s=time_of_day_s(detection.time),
            plot_type=_PRIMARY,
            simulated=False,
            fixed_transponder=False,
            test_target=False,
            range_m=measure.range_m,
            azimuth_deg=measure.azimuth_deg,
            doppler_mps=measure.range_rate_mps,
            doppler_doubtful=None if measure.range_rate_mps is None else False,
        )


def time_of_day_s(time: float) -> float:
    """Seconds since midnight UTC in the format's steps of 1/128 s, rounded down: rounded up, the last of a
    day would be none."""
    return math.floor(time % _DAY_S * _TICKS_PER_S) / _TICKS_PER_S
