"""What is said of one revision of an alert to one recipient, by the ways out that carry plain data: MQTT,
webhooks and mail. Pure.

Unless a way out may carry a person's position, nothing here follows from where anybody is: neither direction,
distance nor time left is told, since each of them with the drone's place, which whoever flies it knows, would
give the person's. The words are then our own and not the alert's. The names of those who acknowledged are
never told.
"""

import hashlib
import math
from typing import Literal

import msgspec
from msgspec import Struct

from vedette.express.cap_words import Words, words_of
from vedette.model import Alert
from vedette.model.alert import AlarmState, AlertStatus
from vedette.model.event import Clear, Deliver
from vedette.model.threat import LEVEL_RANK, Behaviour, Level

LANGUAGES = ("en", "es")
SHORT_LIMIT = 90
"""Without the mark of an exercise or a test."""
DETAIL_LIMIT = 360
NAME_LIMIT = 16
_ABOUT = {
    "en": "{name}: {event}. Reach them now, by radio too.",
    "es": "{name}: {event}. Contacte ya, también por radio.",
}
_DETAIL = {
    "en": "Level {level}, {clock} UTC, revision {revision}.{count} Open Vedette to acknowledge: that a"
    " message was sent does not tell the station that you know.",
    "es": "Nivel {level}, {clock} UTC, revisión {revision}.{count} Abra Vedette para confirmar: enviar un"
    " mensaje no dice al puesto que usted lo sabe.",
}
_COUNT = {"en": " {count} drones.", "es": " {count} drones."}


class Figures(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """From the person at risk: only for ways out that may carry positions."""

    direction_deg: int
    distance_m: int | None = None
    time_left_s: tuple[int, int] | None = None


class Notice(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One message. Times are wall-clock Unix seconds. ``units``: who is at risk; ``recipient``: who is told.

    ``status`` other than ``actual`` is not real, and every text says so first. ``sound``: whether it is to
    make a sound. ``text`` (short) and ``detail`` by language."""

    id: str
    event: Literal["alert", "end"]
    status: AlertStatus
    alert: str
    revision: int
    level: Level
    state: AlarmState
    recipient: str
    units: tuple[str, ...]
    sound: bool
    time: float
    expires: float
    drones: int
    behaviour: Behaviour
    text: dict[str, str]
    detail: dict[str, str]
    station: str
    rule: str | None = None
    figures: Figures | None = None


class Teller(Struct, frozen=True, kw_only=True):
    """Who speaks, and what he may say. ``station``: the site's name."""

    station: str
    carries_position: bool = False


class Told(Struct, frozen=True, kw_only=True):
    """To whom, and when: wall-clock Unix seconds. ``about``: the callsign of whoever is at risk."""

    recipient: str
    time: float
    expires: float
    about: str | None = None


def notice_of(message: Deliver | Clear, told: Told, teller: Teller) -> Notice:
    """The notice of an alert's revision, or of its end, to one recipient."""
    alert, ended = message.alert, isinstance(message, Clear)
    return Notice(
        id=notice_id(message, told.recipient),
        event="end" if ended else "alert",
        status=alert.status,
        alert=alert.alert,
        revision=alert.revision,
        level=alert.level,
        state=alert.state,
        recipient=told.recipient,
        units=alert.units,
        sound=isinstance(message, Deliver) and message.sound,
        time=told.time,
        expires=told.expires,
        drones=max(alert.count, alert.attackers),
        behaviour=alert.behaviour,
        text={language: _short(message, language, told, teller) for language in LANGUAGES},
        detail={language: _detail(message, language, told, teller) for language in LANGUAGES},
        station=teller.station,
        rule=message.rule if isinstance(message, Deliver) else None,
        figures=_figures(alert) if teller.carries_position and not ended else None,
    )


def notice_id(message: Deliver | Clear, recipient: str) -> str:
    """The same for every repetition of one revision to one recipient, over a restart too; letters, digits,
    ``-`` and ``_`` only."""
    alert, end = message.alert, "-end" if isinstance(message, Clear) else ""
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in alert.alert)
    whom = hashlib.blake2b(recipient.encode(), digest_size=5, person=b"vedette-notice").hexdigest()
    return f"{name}-{alert.revision}{end}-{whom}"


def notice_json(notice: Notice) -> bytes:
    """UTF-8 JSON."""
    return msgspec.json.encode(notice)


def mark_of(status: AlertStatus, language: str) -> str:
    """What stands before every word that is not about an actual danger."""
    words = words_of(language)
    return {"actual": "", "exercise": f"{words.exercise}: ", "test": f"{words.test}: "}[status]


def worst_level(alerts: tuple[Alert, ...]) -> Level | None:
    """The gravest of them, None without any."""
    return max((alert.level for alert in alerts), key=lambda level: LEVEL_RANK[level], default=None)


def _short(message: Deliver | Clear, language: str, told: Told, teller: Teller) -> str:
    alert, words = message.alert, words_of(language)
    if teller.carries_position and alert.text.get(language, "").strip():
        return alert.text[language].strip()
    said = words.ended if isinstance(message, Clear) else _danger(alert, words, language, told)
    return mark_of(alert.status, language) + said


def _danger(alert: Alert, words: Words, language: str, told: Told) -> str:
    if alert.units and told.recipient not in alert.units:
        name = told.about or alert.units[0]
        name = name if len(name) <= NAME_LIMIT else f"{name[: NAME_LIMIT - 2]}.."
        return _ABOUT[language].format(name=_printable(name), event=words.event[alert.level])
    if alert.state == "returned-unacked":
        return words.returned
    return f"{words.event[alert.level]}. {words.advice[alert.level]}"


def _detail(message: Deliver | Clear, language: str, told: Told, teller: Teller) -> str:
    alert = message.alert
    drones = max(alert.count, alert.attackers)
    tail = _DETAIL[language].format(
        level=alert.level.upper(),
        clock=_clock(told.time),
        revision=alert.revision,
        count=_COUNT[language].format(count=drones) if drones > 1 else "",
    )
    short = _short(message, language, told, teller)
    return short if isinstance(message, Clear) else f"{short} {tail}"[:DETAIL_LIMIT]


def _figures(alert: Alert) -> Figures:
    """Rounded to what a person can use."""
    left = alert.time_to_impact_s
    return Figures(
        direction_deg=round(alert.bearing_deg) % 360,
        distance_m=None if alert.range_m is None else round(alert.range_m),
        time_left_s=None if left is None else (max(0, math.floor(left[0])), max(0, math.floor(left[1]))),
    )


def _clock(at_wall: float) -> str:
    """hh:mm:ss, UTC."""
    second = math.floor(at_wall) % 86_400
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def _printable(text: str) -> str:
    """On one line, whatever somebody called himself."""
    return "".join(c if c.isprintable() else "?" for c in text)
