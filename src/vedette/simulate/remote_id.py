"""A drone's Remote ID transmitter: which message it sends when, and what it says of itself.

Locations are sent ``rate_hz`` times a second. The static messages follow as in real devices, each at
least every 3 s (ASTM F3411-22a, 5.4.4): Wi-Fi beacons carry a lone LOCATION and in every third frame
a pack of all (as the Parrot Anafi does); Wi-Fi NAN and Bluetooth 5 always carry packs; Bluetooth 4,
which has room for one message, sends a static one between two locations, in rotation.
"""

import math

from vedette.model.track import Vector3
from vedette.simulate.kinds import Kind
from vedette.simulate.navigation import NavigationError
from vedette.simulate.places import SiteFrame
from vedette.simulate.scenario import RemoteId
from vedette.simulate.streams import Normals, stream
from vedette.simulate.world import Kinematics
from vedette.wire import opendroneid as odid

HORIZONTAL_95 = math.sqrt(-2.0 * math.log(0.05))
"""Radius that holds 95 % of a two-dimensional error, in standard deviations of one axis."""
VERTICAL_95 = 1.96
SPEED_SIGMA_MPS = 0.1
PACK_EVERY = 3

_UA_TYPES: dict[Kind, odid.UaType] = {
    "multirotor": odid.UaType.HELICOPTER_OR_MULTIROTOR,
    "fpv": odid.UaType.HELICOPTER_OR_MULTIROTOR,
    "hexacopter": odid.UaType.HELICOPTER_OR_MULTIROTOR,
    "helicopter": odid.UaType.HELICOPTER_OR_MULTIROTOR,
    "fixed-wing": odid.UaType.AEROPLANE,
    "aircraft": odid.UaType.AEROPLANE,
}


class RemoteIdDevice:
    """One transmitter. Slots count its transmissions; a slot lasts ``slot_s``.

    ``takeoff_m`` is where the drone took off and ``operator_m`` where its operator stands (ENU metres).
    """

    def __init__(
        self,
        plan: RemoteId,
        kind: Kind,
        key: tuple[int, str],
        frame: SiteFrame,
        takeoff_m: Vector3,
        operator_m: Vector3 | None,
    ) -> None:
        self._plan = plan
        self._frame = frame
        self._takeoff_m = takeoff_m
        self._navigation = NavigationError(
            stream(*key, "navigation"), plan.horizontal_sigma_m, plan.vertical_sigma_m
        )
        self._speed_errors = Normals(stream(*key, "speed"))
        self._operator = None if operator_m is None else frame.geodetic(operator_m)
        ua_type = _UA_TYPES.get(kind, odid.UaType.OTHER)
        self._basic = odid.BasicId(uas_id=plan.serial, id_type=odid.IdType.SERIAL, ua_type=ua_type)
        self.slot_s = 1.0 / plan.rate_hz / (2.0 if plan.transport == "ble4" else 1.0)

    def payload(self, slot: int, state: Kinematics, fix_time: float) -> bytes:
        """The message or pack that is sent in a slot (from 0); ``fix_time`` is Unix seconds."""
        if self._plan.transport == "ble4":
            return odid.encode(self._single(slot, state, fix_time))
        location = self._location(state, fix_time)
        if self._plan.transport == "wifi-beacon" and slot % PACK_EVERY:
            return odid.encode(location)
        basic, *others = self._statics(fix_time)
        return odid.pack([basic, location, *others])

    def _single(self, slot: int, state: Kinematics, fix_time: float) -> odid.Single:
        turn, static = divmod(slot, 2)
        if not static:
            return self._location(state, fix_time)
        statics = self._statics(fix_time)
        return statics[turn % len(statics)]

    def _statics(self, fix_time: float) -> list[odid.Single]:
        messages: list[odid.Single] = [self._basic]
        if self._operator is not None:
            messages.append(
                odid.System(
                    operator_lat_deg=self._operator[0],
                    operator_lon_deg=self._operator[1],
                    operator_alt_m=self._operator[2],
                    operator_location_type=odid.OperatorLocationType.LIVE_GNSS,
                    time=int(fix_time),
                )
            )
        if self._plan.operator is not None and self._plan.operator.id is not None:
            messages.append(odid.OperatorId(operator_id=self._plan.operator.id))
        return messages

    def _location(self, state: Kinematics, fix_time: float) -> odid.Location:
        error = self._navigation.at(fix_time)
        east, north, up = (true + wrong for true, wrong in zip(state.enu_m, error, strict=True))
        lat_deg, lon_deg, alt_m = self._frame.geodetic((east, north, up))
        v_east, v_north, v_up = (
            true + self._speed_errors.next() * SPEED_SIGMA_MPS for true in state.velocity_mps
        )
        return odid.Location(
            status=odid.Status.AIRBORNE,
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            alt_geodetic_m=alt_m,
            height_m=up - self._takeoff_m[2],
            height_type="takeoff",
            direction_deg=math.degrees(math.atan2(v_east, v_north)) % 360.0,
            speed_mps=math.hypot(v_east, v_north),
            vertical_speed_mps=v_up,
            horizontal_accuracy_m=self._plan.horizontal_sigma_m * HORIZONTAL_95,
            vertical_accuracy_m=self._plan.vertical_sigma_m * VERTICAL_95,
            speed_accuracy_mps=SPEED_SIGMA_MPS * HORIZONTAL_95,
            timestamp_s=round(fix_time * 10.0) % 36_000 / 10.0,
            timestamp_accuracy_s=0.1,
        )
