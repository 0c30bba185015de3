"""Alerts -> CAP 1.2 messages for those who pass warnings on. Pure.

Scope is always Restricted. Each revision is a message of its own, and names the one before; an end is a
Cancel that says why. ``responseType`` is never AllClear: that nothing is seen is no proof of safety.

Where. If the way out may carry a person's position, the area is a circle round each person at risk, wide
enough for what their last report leaves open, and the words and figures are those of the alert: direction and
distance FROM these people. If it may not (the default), nothing in the message follows from where anybody is:
the area is the site's name, with the polygon that the operator drew if there is one, and neither direction,
distance nor time left is told, since each of them with the drone's place, which others may know, would give
the person's. No message holds the place of a sensor, the site's origin, or the name of a person or unit.

Urgency, severity and certainty follow from level and behaviour. Certainty is at most Likely: "Observed" would
be a person's word.
"""

import math
import re
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from vedette.express.cap_words import Words, why, words_of
from vedette.model import Alert
from vedette.model.threat import Level
from vedette.model.unit import Mobility
from vedette.wire.cap import Area, CapAlert, Circle, Info, Named, Point, Reference, cap_time
from vedette.wire.cap.message import Certainty, ResponseType, Severity, Status, Urgency

LEAST_LIFE_S = 5
"""A message that has all but expired still lives long enough to be read."""
END_LIFE_S = 60
LEAST_RADIUS_M = 100.0
SIGMAS = 3.0
PACE_MPS: dict[Mobility, float] = {"foot": 2.0, "vehicle": 25.0, "post": 0.0}
"""How fast a person may have moved since the last report (field notes, "Addressing")."""
MOST_CIRCLES = 50

Mode = Literal["actual", "exercise", "test"]


class Publisher(Struct, frozen=True, kw_only=True):
    """Who speaks. ``sender``: unique in the world, without spaces or commas; ``site``: the name that is
    shown; ``outline``: the site as the operator drew it, closed; ``note`` names the exercise or test."""

    sender: str
    site: str
    restriction: str = "For official use: the people at the site and those who answer for them."
    mode: Mode = "actual"
    note: str | None = None
    outline: tuple[Point, ...] = ()
    carries_position: bool = False


class Moments(Struct, frozen=True, kw_only=True):
    """Wall-clock Unix seconds: when the revision was made, and when it expires."""

    sent: float
    expires: float


def circle_round(
    lat_deg: float, lon_deg: float, *, sigma_m: float, age_s: float, mobility: Mobility
) -> Circle:
    """Where a unit may be that reported from there ``age_s`` ago: to 11 m, rounded outwards to 50 m."""
    radius_m = SIGMAS * max(sigma_m, 0.0) + PACE_MPS[mobility] * max(age_s, 0.0)
    steps = math.ceil(max(radius_m, LEAST_RADIUS_M) / 50.0) + 1
    return Circle(round(lat_deg, 4), round(lon_deg, 4), min(steps * 0.05, 20_000.0))


def cap_message(
    alert: Alert,
    publisher: Publisher,
    moments: Moments,
    *,
    before: Reference | None = None,
    people: Sequence[Circle] = (),
) -> CapAlert:
    """The message for one revision. ``before``: the last message about this alert; without one it is the
    first, and its kind is Alert. ``people``: where those at risk may be; used only if the publisher may
    carry positions. Raises ValueError for an end of what nobody was told, and for times beyond 1970-9999.
    """
    ended = alert.state == "cleared"
    if ended and before is None:
        raise ValueError(f"alert {alert.alert}: its end cannot be told to those who were never told of it")
    sent = math.floor(moments.sent)
    life_s = END_LIFE_S if ended else max(math.ceil(moments.expires) - sent, LEAST_LIFE_S)
    languages = _languages(alert)
    return CapAlert(
        identifier=identifier_of(alert),
        sender=publisher.sender,
        sent=cap_time(sent),
        status=_STATUS[publisher.mode],
        msg_type="Cancel" if ended else "Update" if before else "Alert",
        source="Vedette",
        scope="Restricted",
        restriction=publisher.restriction,
        note=_note(alert, publisher),
        references=(before,) if before else (),
        incidents=incident_of(alert),
        infos=tuple(
            _info(alert, publisher, language, cap_time(sent + life_s), people) for language in languages
        ),
    )


def incident_of(alert: Alert) -> str:
    """The same for all messages about one alert."""
    return _token(alert.alert)


def identifier_of(alert: Alert) -> str:
    """The same for every copy of one revision, over a restart too; an end has its own."""
    end = ".end" if alert.state == "cleared" else ""
    return f"{incident_of(alert)}.{alert.revision}{end}"


_STATUS: dict[Mode, Status] = {"actual": "Actual", "exercise": "Exercise", "test": "Test"}
_URGENCY: dict[Level, Urgency] = {
    "imminent": "Immediate",
    "warning": "Immediate",
    "advisory": "Expected",
    "info": "Future",
}
_SEVERITY: dict[Level, Severity] = {
    "imminent": "Extreme",
    "warning": "Severe",
    "advisory": "Moderate",
    "info": "Minor",
}
_RESPONSE: dict[Level, ResponseType] = {
    "imminent": "Shelter",
    "warning": "Prepare",
    "advisory": "Monitor",
    "info": "Monitor",
}
_COMING = ("direct-run", "closing")
_VAGUE = ("direction-only", "unknown", "receding")
_ACTIVE = ("active-unacked", "active-acked")
_NOT_IN_A_TOKEN = re.compile(r"[^A-Za-z0-9._-]")
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*")
_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ACKNOWLEDGED = re.compile(r";? ?acknowledged by .*", re.DOTALL)


def _token(text: str) -> str:
    return _NOT_IN_A_TOKEN.sub("-", text) or "-"


def _plain(text: str) -> str:
    """Text that XML can hold."""
    return _NOT_XML.sub("\ufffd", text)


def _languages(alert: Alert) -> list[str]:
    """Of the alert's texts, each once; English if there is none that can be named."""
    named: dict[str, str] = {}
    for language in sorted(alert.text):
        if _LANGUAGE.fullmatch(language) and alert.text[language].strip():
            named.setdefault(language.lower(), language)
    return list(named.values()) or ["en"]


def _note(alert: Alert, publisher: Publisher) -> str | None:
    """What makes an exercise known as one, and why an alert ended."""
    words = words_of("en")
    marks = {"actual": None, "exercise": words.exercise, "test": words.test}
    ended = f"Ended: {_reason(alert, publisher)}" if alert.state == "cleared" else None
    said = [text for text in (marks[publisher.mode], publisher.note, ended) if text]
    return _plain(". ".join(said)) or None


def _reason(alert: Alert, publisher: Publisher) -> str:
    """Never who acknowledged; the record's own words only to those who may know where people are."""
    own = _ACKNOWLEDGED.sub("", alert.reason or "").strip()
    return own if publisher.carries_position and own else why(alert.reason, words_of("en"))


def _info(alert: Alert, publisher: Publisher, language: str, expires: str, people: Sequence[Circle]) -> Info:
    words = words_of(language)
    active = alert.state in _ACTIVE
    event, said = _event(alert, words), _said(alert, publisher, language, words)
    mark = {"actual": "", "exercise": f"{words.exercise}: ", "test": f"{words.test}: "}[publisher.mode]
    return Info(
        language=language,
        categories=("Security",),
        event=f"{mark}{event}",
        response_types=(_RESPONSE[alert.level] if active else "Monitor",),
        urgency=_urgency(alert) if active else "Past",
        severity=_SEVERITY[alert.level] if active else "Unknown",
        certainty=_certainty(alert) if active else "Unknown",
        audience=words.audience,
        expires=expires,
        sender_name=_plain(publisher.site),
        headline=_plain(f"{mark}{said}"),
        description=_plain(f"{mark}{_at_length(alert, publisher, language) or _begun(event, said)}"),
        instruction=f"{mark}{words.advice[alert.level] if active else words.ended}",
        parameters=_parameters(alert, publisher),
        areas=(_area(publisher, people),),
    )


def _said(alert: Alert, publisher: Publisher, language: str, words: Words) -> str:
    if publisher.carries_position and alert.text.get(language, "").strip():
        return alert.text[language].strip()
    if alert.state == "cleared":
        reason = why(alert.reason, words)
        return f"{reason[:1].upper()}{reason[1:]}. {words.ended}"
    if alert.state == "returned-unacked":
        return words.returned
    return f"{_event(alert, words)}. {words.advice[alert.level]}"


def _event(alert: Alert, words: Words) -> str:
    return (words.possible if alert.certainty == "possible" else words.event)[alert.level]


def _at_length(alert: Alert, publisher: Publisher, language: str) -> str:
    """The long form of the alert's own words, which tell where people are."""
    return alert.long.get(language, "").strip() if publisher.carries_position else ""


def _begun(event: str, said: str) -> str:
    return said if said.startswith(event) else f"{event}. {said}"


def _urgency(alert: Alert) -> Urgency:
    """A WARNING of what does not come nearer leaves more time."""
    patient = alert.level == "warning" and alert.behaviour not in _COMING
    return "Expected" if patient else _URGENCY[alert.level]


def _certainty(alert: Alert) -> Certainty:
    grave = alert.level in ("imminent", "warning") and alert.certainty != "possible"
    return "Likely" if grave and alert.behaviour not in _VAGUE and alert.range_m is not None else "Possible"


def _parameters(alert: Alert, publisher: Publisher) -> tuple[Named, ...]:
    named = {
        "level": alert.level,
        "state": alert.state,
        "behaviour": alert.behaviour,
        "revision": str(alert.revision),
        "drones": str(alert.attackers),
    }
    if publisher.mode != "actual":
        named[publisher.mode] = "not real"
    if publisher.carries_position:
        named |= _figures(alert)
    return tuple(Named(f"vedette:{name}", value) for name, value in named.items())


def _figures(alert: Alert) -> dict[str, str]:
    """Direction and distance from the person at risk, and the time left; what is not known is left out."""
    figures = {"direction-deg": f"{alert.bearing_deg % 360.0:.0f}"}
    if alert.bearing_sigma_deg is not None:
        figures["direction-sigma-deg"] = f"{alert.bearing_sigma_deg:.0f}"
    if alert.range_m is not None:
        figures["distance-m"] = f"{alert.range_m:.0f}"
    if alert.axes_deg:
        figures["directions-deg"] = " ".join(f"{axis % 360.0:.0f}" for axis in alert.axes_deg)
    if alert.time_to_impact_s is not None:
        early, late = alert.time_to_impact_s
        figures["time-left-s"] = f"{max(early, 0.0):.0f}-{max(late, 0.0):.0f}"
    if alert.earliest_s is not None:
        figures["earliest-s"] = f"{max(alert.earliest_s, 0.0):.0f}"
    return figures


def _area(publisher: Publisher, people: Sequence[Circle]) -> Area:
    site = _plain(publisher.site).strip() or "-"
    if publisher.carries_position and people:
        return Area(description=f"{site}: people at risk", circles=tuple(people[:MOST_CIRCLES]))
    return Area(description=site, polygons=(publisher.outline,) if publisher.outline else ())
