"""From the core's state to the picture that people see (``vedette.station.view``)."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence

from vedette.assess import UnitState
from vedette.core import Core
from vedette.geo import LocalFrame
from vedette.model import Alert, Level, Track
from vedette.model.threat import LEVEL_RANK
from vedette.model.track import Wedge
from vedette.model.unit import RosterEntry
from vedette.station.view import (
    AlertView,
    Ellipse,
    FeedView,
    TrackView,
    UnitView,
    WedgeView,
    drone_sensors,
)

# MIL-STD-2525D / APP-6D, 20 digits. The fourth digit is the identity: unknown until evidence says
# otherwise, and never friend because something was broadcast.
SIDC_DRONE = "10010100001103000000"
SIDC_AIRCRAFT = "10010100001200000000"
"""A civil aircraft, by its own word: as unknown as the rest, and no less of a threat for it."""
SIDC_UNIT = {
    "foot": "10031000001211000000",
    "vehicle": "10031500001401000000",
    "post": "10032000001208000000",
}
CLOSED_SHOWN = 10

LOSSES = {
    "late": "detections older than 8 s (recorded, not used: is the receiver's clock right?)",
    "no-room-for-track": "objects beyond the most that can be tracked",
    "unit-position-jumped": "positions of units that jumped",
}
"""What the core counts and the desk must know, in its words."""


def track_view(track: Track, frame: LocalFrame, at: float) -> TrackView:
    """One track on the map; ``frame`` is the site's local frame."""
    east, north, up = track.enu_m
    lat, lon, alt = frame.to_geodetic(east, north, up)
    ve, vn, vu = track.velocity_mps
    return TrackView(
        id=track.id,
        lat_deg=lat,
        lon_deg=lon,
        course_deg=_turned(math.degrees(math.atan2(ve, vn)), 360.0),
        speed_mps=math.hypot(ve, vn),
        climb_mps=vu,
        ellipse=ellipse(track.covariance),
        age_s=max(0.0, at - (track.updated if track.updated is not None else at)),
        existence=track.existence,
        sidc=SIDC_AIRCRAFT if _flies_as_aircraft(track) else SIDC_DRONE,
        beliefs=track.beliefs,
        alt_m=alt if track.height_known else None,
        height_m=up if track.height_known else None,
        identity=track.identity,
        trust=track.trust,
        trust_reasons=track.trust_reasons,
        sensors=track.sensors,
    )


def wedge_view(wedge: Wedge, frame: LocalFrame, at: float) -> WedgeView:
    """One direction without a place, drawn from its sensor."""
    lat, lon, _ = frame.to_geodetic(*wedge.origin_enu_m)
    return WedgeView(
        id=wedge.id,
        sensor=wedge.sensor,
        lat_deg=lat,
        lon_deg=lon,
        azimuth_deg=wedge.azimuth_deg,
        azimuth_sigma_deg=wedge.azimuth_sigma_deg,
        azimuth_rate_dps=wedge.azimuth_rate_dps,
        existence=wedge.existence,
        age_s=max(0.0, at - wedge.heard),
        ranges_m=wedge.ranges_m,
        weights=wedge.weights,
        elevation_deg=wedge.elevation_deg,
        elevation_sigma_deg=wedge.elevation_sigma_deg,
    )


def _flies_as_aircraft(track: Track) -> bool:
    """True for what reports itself by ADS-B and is not contradicted."""
    return track.identity is not None and track.identity.scheme == "icao" and track.trust != "contradicted"


def ellipse(covariance: Sequence[float]) -> Ellipse:
    """One-sigma horizontal ellipse from the upper triangle of a 6 x 6 covariance (m^2)."""
    ee, en, nn = covariance[0], covariance[1], covariance[6]
    mean, half = (ee + nn) / 2.0, math.hypot((ee - nn) / 2.0, en)
    azimuth = _turned(0.5 * math.degrees(math.atan2(2.0 * en, nn - ee)), 180.0)
    return Ellipse(
        semi_major_m=math.sqrt(max(0.0, mean + half)),
        semi_minor_m=math.sqrt(max(0.0, mean - half)),
        azimuth_deg=azimuth,
    )


def _turned(angle_deg: float, full_deg: float) -> float:
    """The angle in [0, full): a remainder alone gives the full turn itself for a tiny negative angle."""
    turned = angle_deg % full_deg
    return 0.0 if turned == full_deg else turned


def unit_views(states: Sequence[UnitState], roster: Sequence[RosterEntry]) -> tuple[UnitView, ...]:
    """All units: those heard of, then those on the roster that never were."""
    entries = {entry.unit: entry for entry in roster}
    heard = [_heard(state, entries.get(state.report.unit)) for state in states]
    known = {view.unit for view in heard}
    silent = [
        UnitView(unit=e.unit, mobility=e.mobility, sidc=SIDC_UNIT[e.mobility], callsign=e.callsign)
        for e in roster
        if e.unit not in known
    ]
    return (*heard, *silent)


def _heard(state: UnitState, entry: RosterEntry | None) -> UnitView:
    report = state.report
    return UnitView(
        unit=report.unit,
        mobility=report.mobility,
        sidc=SIDC_UNIT[report.mobility],
        callsign=(entry.callsign if entry else None) or report.callsign,
        lat_deg=report.lat_deg,
        lon_deg=report.lon_deg,
        sigma_m=report.sigma_m,
        age_s=state.age_s,
    )


def alert_views(
    core: Core, unlogged: set[str], raised: Mapping[str, float], worst: Mapping[str, Level]
) -> tuple[AlertView, ...]:
    """Open alerts, worst and soonest first, then the last closed ones, newest first."""
    alerts = core.alerts()
    now = {(threat.track, threat.unit): threat for threat in core.threats()}
    opened = sorted((a for a in alerts if a.state != "cleared"), key=_rank)
    closed = sorted((a for a in alerts if a.state == "cleared"), key=lambda a: -a.time)
    return tuple(
        AlertView(
            alert=alert,
            raised=raised.get(alert.alert, alert.time),
            worst=worst.get(alert.alert, alert.level),
            drones=core.drones(alert.alert),
            next_step=core.next_step(alert.alert),
            now=None if alert.state == "cleared" else now.get((alert.track, alert.units[0])),
            receipts=core.receipts(alert.alert),
            unlogged=alert.alert in unlogged,
        )
        for alert in (*opened, *closed[:CLOSED_SHOWN])
    )


def _rank(alert: Alert) -> tuple[int, float, str]:
    soonest = alert.time_to_impact_s[0] if alert.time_to_impact_s else math.inf
    return (-LEVEL_RANK[alert.level], soonest, alert.alert)


def at_risk(alerts: Sequence[AlertView]) -> int:
    """How many units have an open alert."""
    return len({unit for shown in alerts if shown.alert.state != "cleared" for unit in shown.alert.units})


def summary(
    feeds: Sequence[FeedView], tracks: int, warned: int, last_seen: float | None, directions: int = 0
) -> str:
    """The state in a sentence or two: what is watched and what was seen, never that all is well.
    ``directions``: how many are heard of which nobody knows the distance."""
    return " ".join((_watch_words(feeds), *_seen_words(tracks, warned, last_seen, directions)))


def _watch_words(feeds: Sequence[FeedView]) -> str:
    sensing = drone_sensors(feeds)
    watching = sum(feed.state in ("watching", "degraded") for feed in sensing)
    degraded = sum(feed.state == "degraded" for feed in sensing)
    if not sensing:
        return "NOT WATCHING: no drone sensor is configured."
    if watching == 0:
        return f"NOT WATCHING: none of {len(sensing)} drone sensors gives data."
    but = f", {degraded} of them degraded" if degraded else ""
    return f"Watching with {watching} of {len(sensing)} drone sensors{but}."


def _seen_words(tracks: int, warned: int, last_seen: float | None, directions: int) -> Iterator[str]:
    if tracks:
        drones = "1 object" if tracks == 1 else f"{tracks} objects"
        units = "nobody warned" if warned == 0 else f"{warned} unit{'s' if warned > 1 else ''} at risk"
        yield f"{drones} tracked, {units}."
    if directions:
        ways = "1 direction" if directions == 1 else f"{directions} directions"
        yield f"Heard in {ways}, distance not known: nobody is warned of that."
    elif not tracks and last_seen is None:
        yield "No drone seen since the start."
    elif not tracks:
        yield f"No drone seen since {time.strftime('%H:%M:%S', time.gmtime(last_seen))} UTC."
