"""A unit's phone: its position as Cursor on Target bytes, with the error that phones have."""

import math

from vedette.model.track import Vector3
from vedette.model.unit import UnitReport
from vedette.simulate.kinds import MOBILITY, Kind
from vedette.simulate.navigation import NavigationError
from vedette.simulate.places import SiteFrame
from vedette.simulate.scenario import CotReports
from vedette.simulate.streams import stream
from vedette.simulate.world import Kinematics
from vedette.wire.cot import CotEvent, Takv, write_event

COT_TYPES: dict[Kind, str] = {"patrol": "a-f-G-U-C", "vehicle": "a-f-G-E-V", "post": "a-f-G-I"}
STALE_PERIODS = 3.0
LEAST_STALE_S = 15.0

_SOFTWARE = Takv(platform="Vedette simulator", version="1", device="simulated", os="none")


class UnitPhone:
    """One phone on one unit; its height error is one and a half times its horizontal one."""

    def __init__(self, plan: CotReports, kind: Kind, key: tuple[int, str], frame: SiteFrame) -> None:
        self._plan = plan
        self._kind: Kind = kind
        self._frame = frame
        self._navigation = NavigationError(stream(*key, "phone"), plan.sigma_m, 1.5 * plan.sigma_m)

    def report(self, state: Kinematics, time: float) -> tuple[bytes, UnitReport]:
        """The event's bytes, and the same as a noun. ``time`` is Unix seconds."""
        event = self._event(state, time)
        return write_event(event), self._noun(event)

    def noun(self, state: Kinematics, time: float) -> UnitReport:
        """What the report says, without its bytes."""
        return self._noun(self._event(state, time))

    def _event(self, state: Kinematics, time: float) -> CotEvent:
        lat_deg, lon_deg, alt_m = self._frame.geodetic(self._wrong(state.enu_m, time))
        return CotEvent(
            uid=self._plan.uid,
            type=COT_TYPES[self._kind],
            time=time,
            start=time,
            stale=time + max(LEAST_STALE_S, STALE_PERIODS * self._plan.period_s),
            how="m-g",
            lat_deg=lat_deg,
            lon_deg=lon_deg,
            hae_m=alt_m,
            ce_m=self._plan.sigma_m,
            le_m=1.5 * self._plan.sigma_m,
            callsign=self._plan.callsign,
            endpoint="*:-1:stcp",
            team="Green",
            role="Team Member",
            takv=_SOFTWARE,
            course_deg=math.degrees(math.atan2(state.velocity_mps[0], state.velocity_mps[1])) % 360.0,
            speed_mps=math.hypot(state.velocity_mps[0], state.velocity_mps[1]),
        )

    def _wrong(self, enu_m: Vector3, time: float) -> Vector3:
        error = self._navigation.at(time)
        return (enu_m[0] + error[0], enu_m[1] + error[1], enu_m[2] + error[2])

    def _noun(self, event: CotEvent) -> UnitReport:
        return UnitReport(
            time=event.time,
            unit=event.uid,
            lat_deg=event.lat_deg,
            lon_deg=event.lon_deg,
            sigma_m=self._plan.sigma_m,
            mobility=MOBILITY[self._kind],
            alt_m=event.hae_m,
            alt_datum="wgs84-ellipsoid",
            callsign=event.callsign,
        )
