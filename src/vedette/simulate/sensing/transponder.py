"""An aircraft's transponder: extended squitters at the rates of DO-260B, 2.2.3.3 (position and velocity twice
a second, identification every 5 s, operational status every 2.5 s), as a receiver's Beast frames.
"""

import hashlib
import math

from vedette.model.track import Vector3
from vedette.simulate.ground import Ground
from vedette.simulate.places import SiteFrame
from vedette.simulate.sensing.catalogue import AdsbReceiver
from vedette.simulate.sensing.plan import Sensor
from vedette.simulate.sensing.station import Post
from vedette.simulate.streams import Normals, stream
from vedette.simulate.world import Kinematics
from vedette.wire.adsb import (
    TICKS_PER_S,
    AirbornePosition,
    BeastFrame,
    GroundVelocity,
    Identification,
    Message,
    OperationalStatus,
    adsb,
    encode,
    encode_beast,
)
from vedette.wire.adsb.cpr import encode as encode_cpr

SLOT_S = 0.25
IDENTIFICATION_SLOTS, STATUS_SLOTS = 20, 10
BARO_BELOW_FT = 100.0
"""How far the pressure altitude lies below the height over the ellipsoid; it says so itself."""
POSITION_TYPE = 11
NAC_P, NAC_V, SIL, VERSION = 9, 2, 3, 2
NAC_P_SIGMA_M = 10.0
_FOOT_M, _KNOT_MPS = 0.3048, 1852.0 / 3600.0
_HIGHEST_FT = 50_000.0


def icao_address(actor: str) -> int:
    """A 24-bit address made from an actor's id, out of the block of the United States."""
    return 0xA00000 + int.from_bytes(hashlib.blake2b(actor.encode(), digest_size=4).digest(), "big") % 0xAFFFF


class Transponder:
    """One aircraft's; slots of `SLOT_S` count its transmissions."""

    def __init__(self, actor: str, category: str, seed: int, frame: SiteFrame) -> None:
        self._address = icao_address(actor)
        self._category, self._frame = category, frame
        letters = "".join(letter for letter in actor.upper() if letter.isascii() and letter.isalnum())
        self._callsign = letters[:8]
        self._errors = Normals(stream(seed, "adsb", actor))

    def frames(self, slot: int, state: Kinematics) -> list[bytes]:
        """The Mode S messages of a slot."""
        turn, moving = divmod(slot, 2)
        messages: list[Message] = [self._velocity(state)] if moving else [self._position(turn, state)]
        if slot % IDENTIFICATION_SLOTS == 1:
            messages.append(Identification(self._category, self._callsign))
        if slot % STATUS_SLOTS == 3:
            messages.append(OperationalStatus(False, VERSION, False, NAC_P, SIL))
        return [encode(adsb(self._address, message)) for message in messages]

    def _position(self, turn: int, state: Kinematics) -> AirbornePosition:
        east, north, up = (value + self._errors.next() * NAC_P_SIGMA_M * 0.5 for value in state.enu_m)
        lat_deg, lon_deg, ellipsoid_m = self._frame.geodetic((east, north, up))
        odd = bool(turn % 2)
        lat_cpr, lon_cpr = encode_cpr(lat_deg, lon_deg, odd)
        feet = min(max(ellipsoid_m / _FOOT_M - BARO_BELOW_FT, -1000.0), _HIGHEST_FT)
        return AirbornePosition(POSITION_TYPE, 0, False, feet, False, odd, lat_cpr, lon_cpr)

    def _velocity(self, state: Kinematics) -> GroundVelocity:
        east, north, up = state.velocity_mps
        return GroundVelocity(
            False, NAC_V, east / _KNOT_MPS, north / _KNOT_MPS, True, up / _FOOT_M * 60.0, BARO_BELOW_FT
        )


class Hearing:
    """One transponder as one receiver hears it; its luck is its own."""

    def __init__(
        self, plan: Sensor, model: AdsbReceiver, actor: str, seed: int, ground: Ground, frame: SiteFrame
    ) -> None:
        self.sensor = plan.id
        self._model, self._ground = model, ground
        self._place: Vector3 = Post(plan, frame, ground).enu_m
        self._chances = stream(seed, "hearing", actor, plan.id)
        self._fading = Normals(stream(seed, "fading", actor, plan.id))

    def beast(self, message: bytes, place: Vector3, time_s: float) -> bytes | None:
        """The receiver's frame of a message sent at ``place``, or None if it is not heard."""
        chance, fading = float(self._chances.random()), self._fading.next() * self._model.fading_db
        range_m = math.dist(place, self._place)
        share = self._model.near_share / (1.0 + (range_m / self._model.range_m) ** 6.0)
        if chance >= share or self._ground.masks(place, self._place):
            return None
        level_db = -20.0 * math.log10(max(range_m, 100.0) / 100.0) / 2.0 + fading
        signal = min(max(round(255.0 * 10.0 ** (level_db / 20.0)), 1), 255)
        return encode_beast(BeastFrame(int(time_s * TICKS_PER_S), signal, message))
