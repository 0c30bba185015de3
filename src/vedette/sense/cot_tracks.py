"""CoT events of other TAK users -> Detections: air tracks, drone receivers' marks, sensors' views.

What is trusted: nothing but that somebody on the network sent it. The affiliation of a type says how
its sender sees the object ("a-f-A" is what a popular gateway makes of every civil aircraft), so it is
kept for the desk in ``extra["cot.type"]`` and decides nothing; nobody becomes a friend by it. All
events of one peer are one sensor, however many names their senders give themselves: to be named is
not to be independent. A view alone has a sensor of its own, ``<source>:<uid>``, because a bearing
needs a place, which the configuration must state under that id.

Whose marks are read. DragonSync (WarDragon kits) sends drones as air tracks, odd ones as spot marks
``b-m-p-s-m`` with uid ``drone-<id>``; the place of the pilot as ``pilot-<id>`` (an `OperatorPosition`,
desk only) and of take-off as ``home-<id>`` (not used); analogue video as ``b-m-p-s-s`` at the
receiver's own place, with the radius of its hearing as ``ce`` and remarks ``signal=...``. It sends
strangers' phones and routers under the same type (``src=kismet``): those are people, and only what
calls itself a signal is read. So is a contact that reports itself (a crew in the air with a TAK
client): nobody's phone becomes a drone.

Choices:

- Time: the event's, never later than its reception. An event that is older than ``max_age_s`` or
  past its end is history that a server repeats to newcomers, and no detection; unless its sender's
  clock is off, which shows in a series of events (`CotTrackAdapter`).
- A mark that a person set stays where it was set while the phone repeats it with new times: the same
  place again from the same uid is no new evidence, and neither is the same event by another way.
  DragonSync goes on sending what it has not heard again, for a minute and with new times; only
  ``stale`` stands still then, and so does what we take from it.
- ``ce`` and ``le`` are one-sigma errors (MITRE base-event schema, ``point``); unknown or zero stays
  unknown. Position 0/0 without an error is a sender without a fix.
- Velocity only if speed, course and slope are all stated: the contract's vector has no gaps, and many
  gateways write a course and speed of 0 for "unknown".
- Aircraft of DragonSync (remarks ``ADS-B ... alt=2500ft gs=110kt``) come with feet for ``hae``, of which
  nobody says whether they are barometric, and knots for the speed: neither is used. Those on the
  ground are left out.
- Claim: an identifier that uid or remarks state as one. A uid is none by itself, unless it is made
  like a serial number (ANSI/CTA-2063-A: manufacturer 4, length 1, then so many characters).
- A view becomes a bearing with the sigma of an even spread over its width; wider than 120 degrees, or
  of unknown width, it says nothing of a direction.
"""

import math
import re
from collections import Counter, OrderedDict

from msgspec import Struct, structs

from vedette.model import Bearing, Claim, Detection, Position, Presence, Sigma, Signal
from vedette.model.detection import ClaimScheme, Measure, ObjectClass
from vedette.model.event import OperatorPosition
from vedette.sense._cot_clocks import SenderClocks
from vedette.sense.clocks import Timed
from vedette.sense.quality import Quality
from vedette.wire.cot import CotEvent

QUALITY = Quality(
    name="Cursor on Target: tracks of other TAK users",
    standard="CoT 2.0 (MITRE event, sensor and track schemas); TAK protocol 0 (XML) and 1 (protobuf), "
    "streaming with negotiation and mesh multicast (protocol.txt)",
    schemes=("cot+tls", "cot+tcp", "cot+tls-listen", "cot+tcp-listen", "cot+udp"),
    tested=(
        "taky 0.10, mutual TLS (version 0)",
        "@tak-ps/node-cot 12 (version 1 payloads)",
        "example events of ATAK-CIV",
        "MITRE schemas",
    ),
    encoder="tracks, alerts, receipts, presence; XML and protobuf",
    fuzzer="fuzz_tak.py",
    bench="cot",
    uncovered=(
        "no TAK Server of the TAK Product Center was at hand: version 1 ran against our own two ends only",
        "detail extensions of protocol version 1",
        "direct messages between devices of a mesh (TCP 4242)",
        "how old an observation of DragonSync is when it is first sent",
        "areas, routes and range-and-bearing lines are not read",
    ),
)

OWN_PREFIX = "vedette."
"""Tracks and alert markers of any Vedette station: what we said never comes back as evidence."""

MAX_AGE_S = 10.0
AHEAD_S = 1.0
"""A clock that is further ahead than this is wrong."""
ABSURD_S = 86_400.0
"""A time that is further away than this means nothing."""
WORST_SIGMA_M = 10_000.0
LEAST_SIGMA_M = 1.0
WIDEST_VIEW_DEG = 120.0
LEAST_BEARING_SIGMA_DEG = 0.5
MAX_REMEMBERED = 10_000
SAME_END_S = 0.3
"""Two ends of validity that differ by less are one: a gateway computes it anew each time."""
DRONE_MPS = 30.0
"""How far an object may have flown in a second of which the time is in doubt."""
MAX_REMARKS = 2000
"""Characters of remarks that are searched; they are text of strangers."""

_AIR = re.compile(r"a-[a-z.]-A(-[^;]*)?(;.*)?")
_SPOT, _SIGNAL, _VIEW = "b-m-p-s-m", "b-m-p-s-s", "b-m-p-s-p-loc"

_BELIEFS: tuple[tuple[str, dict[ObjectClass, float]], ...] = (
    ("M-F-Q", {"fixed-wing": 0.5, "fpv": 0.05, "multirotor": 0.1, "aircraft": 0.05, "unknown": 0.3}),
    ("M-H-Q", {"multirotor": 0.5, "fpv": 0.15, "fixed-wing": 0.05, "unknown": 0.3}),
    ("M-H-R", {"multirotor": 0.4, "fpv": 0.1, "fixed-wing": 0.05, "aircraft": 0.05, "unknown": 0.4}),
    ("M-F", {"aircraft": 0.3, "fixed-wing": 0.3, "unknown": 0.4}),
    ("M-H", {"aircraft": 0.3, "multirotor": 0.3, "unknown": 0.4}),
    ("C", {"aircraft": 0.4, "fixed-wing": 0.1, "unknown": 0.5}),
    ("f", {"fixed-wing": 0.4, "multirotor": 0.1, "unknown": 0.5}),
)
"""By the function after "a-.-A-", the longest first (``types.txt`` of the MITRE schemas; "M-H-R" and
"f" as DragonSync uses them). Weak: a type is what somebody chose from a menu."""

_SERIAL = re.compile(r"[0-9A-HJ-NP-Z]{4}([1-9A-F])([0-9A-HJ-NP-Z]{1,15})")
_ID_TYPE = re.compile(r"\bID Type:\s*([^;]{1,80})")
_SCHEMES: tuple[tuple[str, ClaimScheme], ...] = (
    ("serial", "remote-id-serial"),
    ("caa", "caa-registration"),
    ("registration", "caa-registration"),
    ("utm", "remote-id-session"),
    ("session", "remote-id-session"),
)
_ICAO = re.compile(r"\bhex=([0-9A-Fa-f]{6})(?![0-9A-Za-z])")
_ADSB = re.compile(r"ADS-B\b")
_ON_GROUND = re.compile(r"\bonground=1\b")
_DRONE_SIGNAL = re.compile(r"signal=[\w-]{1,32}(\s|$)", re.ASCII)
_MHZ = re.compile(r"\bcenter_hz=(\d{6,12})(?:\.\d{0,9})?(?![\w.])", re.ASCII)
_PILOT, _TAKE_OFF = "pilot-", "home-"


class Unheard(Struct, frozen=True):
    """An event that is no detection; the reasons are few, for they are counted and strangers send."""

    reason: str


def sense(
    event: CotEvent,
    source: str,
    *,
    time: float,
    received: float,
    stale: float,
    max_age_s: float = MAX_AGE_S,
    views: bool = True,
) -> Detection | OperatorPosition | Unheard:
    """What one event says of the sky.

    ``source``: the peer it came by. ``time`` and ``stale`` are the event's own as station time,
    ``received`` when the station got it (Unix seconds). ``views``: whether what a sensor looks at is
    taken for a bearing. Reasons: own-event, not-air, contact, on-ground, marker, take-off-place,
    stranger, view, deletion, absurd-time, expired, too-old, no-fix, position-too-vague,
    no-direction, view-too-wide.
    """
    if event.uid.startswith(OWN_PREFIX):
        return Unheard("own-event")
    kind = _kind(event)
    if isinstance(kind, Unheard):
        return kind
    if kind == "view" and not views:
        return Unheard("view")
    refused = _untimely(time, stale, received, max_age_s) or _unplaced(event)
    if refused is not None:
        return Unheard(refused)
    time = min(time, received)
    if kind == "person":
        return _operator(event, source, time)
    if kind == "view":
        return _view(event, source, time, received)
    return _object(event, source, kind, time, received)


class _Said(Struct, frozen=True):
    """What an event said, for telling a repetition."""

    what: tuple[object, ...]
    time: float
    stale: float


class CotTrackAdapter:
    """The events of one peer, repeats left out. ``counts`` says what became of each: ``detections``,
    ``operator-positions``, ``repeated``, and the reasons of `sense`.

    A sender whose clock is off by up to a day is used all the same once three of its events, over two
    seconds, have shown by how much: at the time that they must have been made, with a sigma widened
    by what a drone flies in the doubt that is left. ``views``: as `sense`.
    """

    def __init__(
        self,
        source: str,
        *,
        own_uid: str | None = None,
        max_age_s: float = MAX_AGE_S,
        views: bool = True,
    ) -> None:
        self.source = source
        self.counts: Counter[str] = Counter()
        self._own_uid, self._max_age_s, self._views = own_uid, max_age_s, views
        self._last: OrderedDict[str, _Said] = OrderedDict()
        self._clocks = SenderClocks()

    def clocks_off(self, at: float) -> tuple[float, ...]:
        """How far each sender heard lately whose clock is wrong is behind, seconds; negative = ahead."""
        return self._clocks.off(at)

    def take(
        self, event: CotEvent, *, time: float, received: float, stale: float
    ) -> Detection | OperatorPosition | None:
        """What the event adds to what is known; None if nothing, for a reason that is counted."""
        found = (
            Unheard("own-event") if event.uid == self._own_uid else self._sense(event, time, received, stale)
        )
        if isinstance(found, Unheard):
            self.counts[found.reason] += 1
            return None
        if self._repeated(event):
            self.counts["repeated"] += 1
            return None
        self.counts["detections" if isinstance(found, Detection) else "operator-positions"] += 1
        return found

    def _sense(
        self, event: CotEvent, time: float, received: float, stale: float
    ) -> Detection | OperatorPosition | Unheard:
        timed = self._timed(event, time, received)
        found = sense(
            event,
            self.source,
            time=timed.time,
            received=received,
            stale=stale + timed.time - time,
            max_age_s=self._max_age_s,
            views=self._views,
        )
        return _widened(found, timed.sigma_s) if isinstance(found, Detection) and timed.sigma_s else found

    def _timed(self, event: CotEvent, time: float, received: float) -> Timed:
        """When the event was made, as far as its sender's clock is known."""
        tolerated = (-AHEAD_S, self._max_age_s)
        if tolerated[0] <= received - time <= tolerated[1]:
            self._clocks.forget(event.uid)
            return Timed(time, 0.0)
        if abs(received - time) > ABSURD_S or isinstance(_kind(event), Unheard):
            return Timed(time, 0.0)
        known = self._clocks.timed(event.uid, time, received, tolerated)
        if known is None:
            return Timed(time, 0.0) if time < received else Timed(received, 1.0)
        return known

    def _repeated(self, event: CotEvent) -> bool:
        view = event.sensor if event.type == _VIEW else None
        moving = (event.course_deg, event.speed_mps)
        said = _Said((event.lat_deg, event.lon_deg, event.hae_m, moving, view), event.time, event.stale)
        before = self._last.get(event.uid)
        self._last[event.uid] = said
        self._last.move_to_end(event.uid)
        if len(self._last) > MAX_REMEMBERED:
            self._last.popitem(last=False)
        if before is None or before.what != said.what:
            return False
        by_hand = event.how.startswith("h-")
        return by_hand or said.time == before.time or said.stale - before.stale < SAME_END_S


def _widened(detection: Detection, doubt_s: float) -> Detection:
    """An error that is not stated stays unknown: the tracker has a figure for those."""
    sigma = detection.sigma
    if sigma is None or sigma.horizontal_m is None:
        return detection
    wider = math.hypot(sigma.horizontal_m, DRONE_MPS * doubt_s)
    return structs.replace(detection, sigma=structs.replace(sigma, horizontal_m=wider))


def _kind(event: CotEvent) -> str | Unheard:
    """ "track", "signal", "view" or "person", or why the event is none of them."""
    if event.force_delete:
        return Unheard("deletion")
    if _AIR.fullmatch(event.type) is not None:
        return _air(event)
    if event.type == _VIEW or (event.type.startswith("b-m-p-s-p") and event.sensor is not None):
        return "view"
    if event.type == _SIGNAL:
        return "signal" if _DRONE_SIGNAL.match(_remarks(event)) else Unheard("stranger")
    if event.type == _SPOT and event.how.startswith("m-"):
        return _spot(event.uid)
    return Unheard("marker" if event.type.startswith("b-m-p") else "not-air")


def _air(event: CotEvent) -> str | Unheard:
    """A client that can be written to is a person, whatever it flies in."""
    if event.takv is not None and event.endpoint is not None:
        return Unheard("contact")
    return Unheard("on-ground") if _is_adsb(event) and _ON_GROUND.search(_remarks(event)) else "track"


def _is_adsb(event: CotEvent) -> bool:
    return _ADSB.match(_remarks(event)) is not None


def _spot(uid: str) -> str | Unheard:
    if uid.startswith("drone-"):
        return "track"
    if uid.startswith(_PILOT) and uid != _PILOT:
        return "person"
    return Unheard("take-off-place" if uid.startswith(_TAKE_OFF) else "marker")


def _untimely(time: float, stale: float, received: float, max_age_s: float) -> str | None:
    if abs(received - time) > ABSURD_S:
        return "absurd-time"
    if stale < received:
        return "expired"
    return "too-old" if received - time > max_age_s else None


def _unplaced(event: CotEvent) -> str | None:
    if event.lat_deg == 0.0 and event.lon_deg == 0.0 and not event.ce_m:
        return "no-fix"
    return "position-too-vague" if event.ce_m is not None and event.ce_m > WORST_SIGMA_M else None


def _object(event: CotEvent, source: str, kind: str, time: float, received: float) -> Detection:
    signal = kind == "signal"
    return Detection(
        time=time,
        received=received,
        sensor=source,
        measure=Presence(range_m=event.ce_m or None) if signal else _position(event),
        sigma=None if signal else _sigma(event),
        claim=None if signal else _claim(event),
        beliefs=_beliefs(event),
        signal=Signal(transport="cot", emitter=event.uid, frequency_mhz=_frequency_mhz(event)),
        extra={"cot.type": event.type, "cot.how": event.how} | (_whence(event) if signal else {}),
    )


def _position(event: CotEvent) -> Measure:
    height = _height_m(event)
    return Position(
        lat_deg=event.lat_deg,
        lon_deg=event.lon_deg,
        alt_m=height,
        alt_datum=None if height is None else "wgs84-ellipsoid",
        velocity_mps=_velocity_mps(event),
    )


def _height_m(event: CotEvent) -> float | None:
    """0.0 without an error is how many clients write a height they do not know."""
    if _is_adsb(event) or (event.hae_m == 0.0 and not event.le_m):
        return None
    return event.hae_m


def _velocity_mps(event: CotEvent) -> tuple[float, float, float] | None:
    """With a slope, speed is that in space (MITRE track schema, ``speed``)."""
    if event.course_deg is None or event.speed_mps is None or event.slope_deg is None or _is_adsb(event):
        return None
    course, slope = math.radians(event.course_deg), math.radians(event.slope_deg)
    along = event.speed_mps * math.cos(slope)
    return along * math.sin(course), along * math.cos(course), event.speed_mps * math.sin(slope)


def _sigma(event: CotEvent) -> Sigma | None:
    horizontal = max(event.ce_m, LEAST_SIGMA_M) if event.ce_m else None
    stated = event.le_m if _height_m(event) is not None else None
    vertical = max(stated, LEAST_SIGMA_M) if stated else None
    if horizontal is None and vertical is None:
        return None
    return Sigma(horizontal_m=horizontal, vertical_m=vertical)


def _beliefs(event: CotEvent) -> dict[ObjectClass, float] | None:
    function = event.type.partition(";")[0].split("-", 3)[3:]
    if not event.type.startswith("a-") or not (function or _is_adsb(event)):
        return None
    name = function[0] if function else "C"
    return next((b for stem, b in _BELIEFS if name == stem or name.startswith(f"{stem}-")), None)


def _claim(event: CotEvent) -> Claim | None:
    """The first that is stated: an identifier with its kind, an aircraft's address, a serial number."""
    remarks, name = _remarks(event), event.uid.removeprefix("drone-")
    kind = _ID_TYPE.search(remarks)
    scheme = None if kind is None else _scheme(kind.group(1).casefold())
    if scheme is not None and name and name != event.uid:
        return Claim(scheme=scheme, id=name)
    address = _ICAO.search(remarks)
    if address is not None and _is_adsb(event):
        return Claim(scheme="icao", id=address.group(1).lower())
    return Claim(scheme="remote-id-serial", id=name) if _is_serial(name) else None


def _scheme(kind: str) -> ClaimScheme | None:
    return next((scheme for word, scheme in _SCHEMES if word in kind), None)


def _is_serial(text: str) -> bool:
    found = _SERIAL.fullmatch(text)
    return found is not None and len(found.group(2)) == int(found.group(1), 16)


def _remarks(event: CotEvent) -> str:
    return "" if event.remarks is None else event.remarks.text[:MAX_REMARKS].strip()


def _frequency_mhz(event: CotEvent) -> float | None:
    found = _MHZ.search(_remarks(event))
    return None if found is None else int(found.group(1)) / 1e6 or None


def _operator(event: CotEvent, source: str, time: float) -> OperatorPosition:
    """No height: the gateway writes the aircraft's there."""
    name = event.uid.partition("-")[2]
    return OperatorPosition(time=time, sensor=source, id=name, lat_deg=event.lat_deg, lon_deg=event.lon_deg)


def _view(event: CotEvent, source: str, time: float, received: float) -> Detection | Unheard:
    view = event.sensor
    if view is None or view.azimuth_deg is None or view.fov_deg is None:
        return Unheard("no-direction")
    if view.fov_deg > WIDEST_VIEW_DEG:
        return Unheard("view-too-wide")
    height = view.vfov_deg is not None and view.vfov_deg <= WIDEST_VIEW_DEG
    return Detection(
        time=time,
        received=received,
        sensor=f"{source}:{event.uid}",
        measure=Bearing(azimuth_deg=view.azimuth_deg, elevation_deg=view.elevation_deg if height else None),
        sigma=Sigma(
            azimuth_deg=_spread_deg(view.fov_deg),
            elevation_deg=_spread_deg(view.vfov_deg) if height and view.vfov_deg else None,
        ),
        signal=Signal(transport="cot"),
        extra={"cot.type": event.type, "cot.how": event.how} | _whence(event),
    )


def _spread_deg(width_deg: float) -> float:
    """One sigma of an even distribution over the view."""
    return max(width_deg / math.sqrt(12.0), LEAST_BEARING_SIGMA_DEG)


def _whence(event: CotEvent) -> dict[str, float | str]:
    """Where the sensor says that it stands, and how far it looks; what it does not say is left out."""
    stated = {
        "cot.lat_deg": event.lat_deg,
        "cot.lon_deg": event.lon_deg,
        "cot.ce_m": event.ce_m,
        "cot.range_m": None if event.sensor is None else event.sensor.range_m,
    }
    return {name: number for name, number in stated.items() if number is not None}
