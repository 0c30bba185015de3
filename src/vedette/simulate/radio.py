"""What a Remote ID receiver hears: free-space loss, fading, distance and the ground in between."""

import math

from vedette.model.track import Vector3
from vedette.simulate.ground import Ground
from vedette.simulate.places import SiteFrame
from vedette.simulate.scenario import Receiver
from vedette.simulate.streams import Normals, stream

FALL_OFF = 6.0
"""How sharply hearing fades round ``range_m``: share = near_share / (1 + (d / range_m) ** FALL_OFF)."""


def free_space_loss_db(range_m: float, frequency_mhz: float) -> float:
    """Free-space path loss in dB (ITU-R P.525-4, equation 4); ranges below 1 m count as 1 m."""
    return 20.0 * math.log10(max(range_m, 1.0)) + 20.0 * math.log10(frequency_mhz) - 27.55


def heard_share(receiver: Receiver, range_m: float) -> float:
    """The share of frames that the receiver gets from this range (metres), with free sight."""
    return receiver.near_share / (1.0 + math.pow(range_m / receiver.range_m, FALL_OFF))


class Link:
    """One transmitter as heard by one receiver; its luck is its own."""

    def __init__(
        self, receiver: Receiver, transmitter: str, seed: int, ground: Ground, frame: SiteFrame
    ) -> None:
        self.receiver = receiver
        self._ground = ground
        self._chances = stream(seed, "hearing", transmitter, receiver.id)
        self._fading = Normals(stream(seed, "fading", transmitter, receiver.id))
        self._place = _antenna(receiver, ground, frame)

    def rssi_dbm(self, place: Vector3, power_dbm: float, frequency_mhz: float) -> int | None:
        """Power at which a frame sent at ``place`` arrives, or None if it is not heard."""
        chance, fading = float(self._chances.random()), self._fading.next()
        range_m = math.dist(place, self._place)
        if chance >= heard_share(self.receiver, range_m) or self._ground.masks(place, self._place):
            return None
        loss = free_space_loss_db(range_m, frequency_mhz)
        return round(power_dbm - loss + self.receiver.gain_dbi + fading * self.receiver.fading_db)


def _antenna(receiver: Receiver, ground: Ground, frame: SiteFrame) -> Vector3:
    east, north = frame.plane_m(receiver)
    return (east, north, ground.height_at(east, north) + receiver.agl_m)
