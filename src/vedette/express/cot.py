"""Tracks and alerts -> CoT events for TAK. Pure.

What a person gets. The alert itself is a GeoChat (``b-t-f``) to that person: every TAK client
notifies of one, and it is the only CoT event with receipts (delivered, read). Beside it a marker at
the drone's place, addressed to the same person. The marker is an air track, not an emergency
(``b-a-o-...``): an emergency says that its *sender* is in distress, and servers keep one and pass it
to everybody who connects later, which would show one unit's alert to all.

Addressing. Both events name the recipient in ``marti`` by uid, and by callsign only when the caller
vouches for it, since a server may route by callsign and anybody can take one. A callsign that is
the name of a chat room is never used as one: servers send such a chat to everybody in the room.

Affiliation. A track is "unknown" (``a-u-``) whatever it broadcasts; a marker of a warning is
"suspect". Nothing here ever makes a friend or an enemy.
"""

import math

import msgspec
from msgspec import Struct

from vedette.geo import LocalFrame
from vedette.model import Alert, Site, Track
from vedette.model.event import Clear, Deliver
from vedette.model.threat import LEVEL_RANK
from vedette.wire.cot import (
    Chat,
    CotEvent,
    Destination,
    Link,
    MessageId,
    Remarks,
    Takv,
    format_message_id,
    message_token,
)

TRACK_STALE_S = 15.0
PRESENCE_STALE_S = 90.0
LEAST_LIFE_S = 5.0
"""An alert that has all but expired still lives long enough to be shown."""

DECIDED = 0.6
"""The belief from which a class is shown as such."""

_STATION_TYPE = "a-f-G-U-C"
_CHAT_ROOMS = frozenset(
    name.casefold()
    for name in (
        "All Chat Rooms", "All Streaming", "White", "Yellow", "Orange", "Magenta", "Red", "Maroon", "Purple",
        "Dark Blue", "Blue", "Cyan", "Teal", "Green", "Dark Green", "Brown",
    )
)  # fmt: skip


class Speaker(Struct, frozen=True, kw_only=True):
    """The station as TAK clients see it. ``uid`` has no dots (it becomes a part of chat uids);
    ``key`` makes the tokens of message ids; ``place`` (lat, lon) is absent if it is not to be shown."""

    uid: str
    callsign: str
    key: bytes
    place: tuple[float, float] | None = None


class Addressee(Struct, frozen=True, kw_only=True):
    """One person. ``callsign`` only if no other contact goes by it."""

    uid: str
    callsign: str | None = None
    language: str = "en"


def presence_event(speaker: Speaker, at_wall: float, stale_s: float = PRESENCE_STALE_S) -> CotEvent:
    """The station's own position report, by which servers and clients know where to send answers."""
    lat_deg, lon_deg = speaker.place or (0.0, 0.0)
    return CotEvent(
        uid=speaker.uid,
        type=_STATION_TYPE,
        how="m-c",
        time=at_wall,
        start=at_wall,
        stale=at_wall + stale_s,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        callsign=speaker.callsign,
        endpoint="*:-1:stcp",
        team="White",
        role="HQ",
        takv=Takv(platform="Vedette"),
    )


def ping_event(uid: str, at_wall: float) -> CotEvent:
    """``t-x-c-t``: a server answers it with ``t-x-c-t-r``, so that a dead connection shows."""
    return _control("t-x-c-t", f"{uid}-ping", at_wall)


def pong_event(at_wall: float) -> CotEvent:
    """The answer that TAK clients expect to their ping."""
    return _control("t-x-c-t-r", "takPong", at_wall)


def track_event(
    track: Track,
    site: Site,
    *,
    at_wall: float,
    age_s: float | None = None,
    stale_s: float = TRACK_STALE_S,
) -> CotEvent:
    """A track for everybody's map. ``age_s``: since the last detection that was used."""
    lat_deg, lon_deg, hae_m = _place(track, site)
    course_deg, speed_mps = _motion(track)
    return CotEvent(
        uid=f"vedette.{track.id}",
        type=f"a-u-{_dimension(track)}",
        how="m-f",
        time=at_wall,
        start=at_wall,
        stale=at_wall + stale_s,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        hae_m=hae_m,
        ce_m=_semi_major_m(track.covariance),
        le_m=None if hae_m is None else _sigma(track.covariance[11]),
        callsign=f"UAS {track.id}",
        course_deg=course_deg,
        speed_mps=speed_mps,
        remarks=Remarks(text=_words(track, age_s), time=at_wall),
    )


def alert_events(
    delivery: Deliver,
    addressee: Addressee,
    speaker: Speaker,
    *,
    at_wall: float,
    expires_wall: float,
    seen: CotEvent | None,
) -> list[CotEvent]:
    """One alert revision for one person: the chat, and the marker where ``seen`` (`track_event` of
    the alert's track) says that the drone is. ``expires_wall``: when the alert expires."""
    stale = max(expires_wall, at_wall + LEAST_LIFE_S)
    chat = _chat(delivery.alert, addressee, speaker, at_wall, stale, seen)
    if seen is None:
        return [chat]
    return [chat, _marker(delivery.alert, addressee, seen, at_wall, stale)]


def clear_events(
    clear: Clear, addressee: Addressee, speaker: Speaker, *, at_wall: float, expires_wall: float
) -> list[CotEvent]:
    """The end of an alert for one person: the closing words, and the marker taken off the map."""
    stale = max(expires_wall, at_wall + LEAST_LIFE_S)
    marker_uid = _marker_uid(clear.alert.alert, addressee)
    deletion = msgspec.structs.replace(
        _control("t-x-d-d", f"{marker_uid}.end", at_wall),
        links=(Link(uid=marker_uid, type="a-u-A", relation="p-p"),),
        force_delete=True,
        destinations=_destinations(addressee),
    )
    return [_chat(clear.alert, addressee, speaker, at_wall, stale, None), deletion]


def message_id(alert: Alert, addressee: Addressee, speaker: Speaker) -> str:
    """The chat message id of this revision for this person; its receipts repeat it."""
    token = message_token(speaker.key, alert.alert, alert.revision, addressee.uid)
    return format_message_id(MessageId(alert.alert, alert.revision, token))


def _control(kind: str, uid: str, at_wall: float) -> CotEvent:
    return CotEvent(
        uid=uid,
        type=kind,
        how="m-g",
        time=at_wall,
        start=at_wall,
        stale=at_wall + 20.0,
        lat_deg=0.0,
        lon_deg=0.0,
    )


def _place(track: Track, site: Site) -> tuple[float, float, float | None]:
    """Latitude, longitude and, if the site's datum allows, height above the ellipsoid."""
    base_m = _ellipsoid_height(site)
    frame = LocalFrame(site.lat_deg, site.lon_deg, site.alt_m if base_m is None else base_m)
    lat_deg, lon_deg, alt_m = frame.to_geodetic(*track.enu_m)
    return float(lat_deg), float(lon_deg), float(alt_m) if track.height_known and base_m is not None else None


def _ellipsoid_height(site: Site) -> float | None:
    if site.alt_datum == "wgs84-ellipsoid":
        return site.alt_m
    if site.alt_datum == "egm96" and site.geoid_height_m is not None:
        return site.alt_m + site.geoid_height_m
    return None


def _dimension(track: Track) -> str:
    """Battle dimension and function: unmanned rotary wing unless something else is believed."""
    belief = track.beliefs.get
    if belief("bird", 0.0) > DECIDED or belief("aircraft", 0.0) > DECIDED:
        return "A"
    return "A-M-F-Q" if belief("fixed-wing", 0.0) > DECIDED else "A-M-H-Q"


def _motion(track: Track) -> tuple[float | None, float | None]:
    """Course and speed in space, as the MITRE track schema defines "speed"; absent if not a number."""
    east, north, up = track.velocity_mps
    speed = math.sqrt(east * east + north * north + up * up)
    return (math.degrees(math.atan2(east, north)) % 360.0, speed) if math.isfinite(speed) else (None, None)


def _sigma(variance: float) -> float | None:
    return math.sqrt(variance) if math.isfinite(variance) and variance > 0.0 else None


def _semi_major_m(covariance: tuple[float, ...]) -> float | None:
    """One-sigma semi-major axis: the greater eigenvalue of the 2 x 2 horizontal block."""
    east, cross, north = covariance[0], covariance[1], covariance[6]
    return _sigma((east + north) / 2.0 + math.hypot((east - north) / 2.0, cross))


def _words(track: Track, age_s: float | None) -> str:
    """What the map shows on a tap: what it is, who it says it is, how sure, how old."""
    return " ".join([_what(track), _who(track), _how_sure(track), _how_old(age_s)])


def _what(track: Track) -> str:
    ranked = sorted(track.beliefs.items(), key=lambda item: (-item[1], item[0]))
    if not ranked or ranked[0][0] == "unknown":
        return "Air object, kind not known."
    return f"Air object, {ranked[0][0]} {ranked[0][1]:.0%}."


def _who(track: Track) -> str:
    if track.identity is None:
        return "No identity received."
    claim = f"It says it is {track.identity.id} ({track.identity.scheme})"
    why = f" ({', '.join(track.trust_reasons)})" if track.trust_reasons else ""
    return f"{claim}: {track.trust or 'not verified'}{why}."


def _how_sure(track: Track) -> str:
    spread = _semi_major_m(track.covariance)
    where = "Accuracy not known." if spread is None else f"Within {spread:.0f} m (1 sigma)."
    return where if track.height_known else f"{where} Height not known."


def _how_old(age_s: float | None) -> str:
    return "Age not known." if age_s is None else f"Last seen {max(age_s, 0.0):.1f} s before this report."


def _destinations(addressee: Addressee) -> tuple[Destination, ...]:
    return (Destination(callsign=addressee.callsign, uid=addressee.uid),)


def _chat(
    alert: Alert,
    addressee: Addressee,
    speaker: Speaker,
    at_wall: float,
    stale: float,
    seen: CotEvent | None,
) -> CotEvent:
    """As ATAK sends a chat to one contact; the same in all clients that were read."""
    identifier = message_id(alert, addressee, speaker)
    lat_deg, lon_deg = (seen.lat_deg, seen.lon_deg) if seen is not None else (speaker.place or (0.0, 0.0))
    return CotEvent(
        uid=f"GeoChat.{speaker.uid}.{addressee.uid}.{identifier}",
        type="b-t-f",
        how="h-g-i-g-o",
        time=at_wall,
        start=at_wall,
        stale=stale,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        chat=Chat(
            chatroom=_room(addressee),
            id=addressee.uid,
            sender_callsign=speaker.callsign,
            message_id=identifier,
            uid0=speaker.uid,
            uid1=addressee.uid,
        ),
        links=(Link(uid=speaker.uid, type=_STATION_TYPE, relation="p-p"),),
        remarks=Remarks(
            text=alert_text(alert, addressee.language),
            source=f"BAO.F.ATAK.{speaker.uid}",
            to=addressee.uid,
            time=at_wall,
        ),
        destinations=_destinations(addressee),
    )


def _room(addressee: Addressee) -> str:
    callsign = addressee.callsign
    return addressee.uid if callsign is None or callsign.casefold() in _CHAT_ROOMS else callsign


def alert_text(alert: Alert, language: str) -> str:
    """The words in ``language``, else in English, else in any; never nothing, for silence is no text."""
    for chosen in (language, "en", *sorted(alert.text)):
        if alert.text.get(chosen, "").strip():
            return alert.text[chosen]
    far = "distance unknown" if alert.range_m is None else f"{alert.range_m:.0f} m"
    return f"{_mark(alert)}{alert.level.upper()}: drone, bearing {alert.bearing_deg % 360.0:03.0f}, {far}."


def long_text(alert: Alert, language: str) -> str:
    """The long form in ``language``, else in English; the short one where there is none."""
    return alert.long.get(language) or alert.long.get("en") or alert_text(alert, language)


def _mark(alert: Alert) -> str:
    """What is not actual says so first, wherever a client cuts the line."""
    return "" if alert.status == "actual" else f"{alert.status.upper()} "


def _marker_uid(alert: str, addressee: Addressee) -> str:
    return f"vedette.alert.{alert}.{addressee.uid}"


def _marker(alert: Alert, addressee: Addressee, seen: CotEvent, at_wall: float, stale: float) -> CotEvent:
    affiliation = "s" if LEVEL_RANK[alert.level] >= LEVEL_RANK["warning"] else "u"
    text = long_text(alert, addressee.language)
    return msgspec.structs.replace(
        seen,
        uid=_marker_uid(alert.alert, addressee),
        type=f"a-{affiliation}-{seen.type[4:]}",
        time=at_wall,
        start=at_wall,
        stale=stale,
        callsign=f"{_mark(alert)}DRONE {alert.level.upper()}",
        remarks=Remarks(text=text, to=addressee.uid, time=at_wall),
        destinations=_destinations(addressee),
    )
