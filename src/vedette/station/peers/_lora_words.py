"""An alert as a radio message, and the text that a reader's device makes of it again.

What goes out is which template the alert's text was made from, and the figures to fill it with. The
template is taken from the text itself and not chosen a second time: what the radio says is what the desk
shows and the record keeps. `reading` needs nothing but the message and a pack; a device's own program can
do the same.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from functools import cache

from msgspec import Struct

from vedette.model.alert import Alert, Certainty
from vedette.model.threat import Level
from vedette.warn.wording import (
    DIRECTION_DEG,
    PACKS,
    Facts,
    Pack,
    clock,
    direction,
    distance,
    gsm7,
    time_left,
)
from vedette.wire.lora import OUTSIDE, Purpose, RadioAlert, RadioEnd
from vedette.wire.lora.codes import octant_code
from vedette.wire.lora.messages import LARGEST_REVISION

TEMPLATES: dict[int, str] = {
    1: "imminent",
    2: "imminent-several",
    3: "warning-several",
    4: "warning-closing",
    5: "warning-above",
    6: "warning-about",
    7: "advisory-closing",
    8: "advisory-loiter",
    9: "advisory-near",
    10: "advisory-receding",
    11: "advisory-about",
    12: "advisory-direction",
    13: "advisory-somewhere",
    14: "warning-direction",
    15: "warning-somewhere",
    16: "unheard",
    17: "unseen",
    18: "away",
    19: "warning-unplaced",
    20: "unplaced-over",
    21: "cancelled",
    22: "imminent-direction",
    23: "imminent-somewhere",
}
"""Numbers on the air. A number keeps its meaning for ever: new templates get new numbers."""
NUMBERS = {name: number for number, name in TEMPLATES.items()}
NONE_OF_THEM = 0
_CERTAINTY: dict[int, Certainty] = {1: "observed", 2: "likely", 3: "possible"}
"""How sure the words are: the upper two bits beside a template's number. 0: not told, and read as likely."""
_CERTAINTY_CODES = {certainty: code for code, certainty in _CERTAINTY.items()}
_NUMBER_BITS = 6
_NUMBER = (1 << _NUMBER_BITS) - 1
_ENDS = frozenset({"unheard", "unseen", "away", "unplaced-over", "cancelled"})
_DAY_S = 86_400

_MARKS: dict[str, dict[Purpose, str]] = {
    "en": {"exercise": "EXERCISE EXERCISE", "test": "TEST ONLY"},
    "es": {"exercise": "EJERCICIO EJERCICIO", "test": "SOLO PRUEBA"},
}
_ENDED = {
    "en": "This alert has ended, {clock} UTC. Other drones may be near. Stay alert.",
    "es": "Esta alerta ha terminado, {clock} UTC. Puede haber otros drones. Sigan alerta.",
}
"""For an end that no template tells: never that nothing is there."""


class Reading(Struct, frozen=True, kw_only=True):
    """What a device shows. ``subject``: the member from whose place the figures are told; 0 somebody else.

    ``other_pack``: the sender has another version of the pack, and its wording may differ.
    """

    text: str
    subject: int
    other_pack: bool


def short_id(alert: str) -> int:
    """The 32 bits by which frames name an alert."""
    return int.from_bytes(hashlib.blake2b(alert.encode(), digest_size=4, person=b"vedette-lora").digest())


def purpose_of(alert: Alert, exercise: bool) -> Purpose:
    """Live, unless the alert says that it is none, or the whole station is an ``exercise``."""
    # An alert that has no status yet says nothing against being real.
    status = getattr(alert, "status", "actual")
    if status == "test":
        return "test"
    return "live" if status == "actual" and not exercise else "exercise"


def radio_alert(
    alert: Alert, numbers: Mapping[str, int], *, time_wall: float, expires_wall: float, sound: bool
) -> RadioAlert:
    """One revision for the air. ``numbers``: member numbers by unit. No position of anybody is in it."""
    sigma = alert.bearing_sigma_deg
    directed = alert.range_m is not None or (sigma is not None and sigma <= DIRECTION_DEG)
    template = _template_of(alert) or _plain(alert.level, alert.range_m is not None, directed)
    words = PACKS["en"].message[template]
    low, high = alert.time_to_impact_s or (alert.earliest_s, None)
    whole = math.floor(time_wall)
    return RadioAlert(
        alert=short_id(alert.alert),
        revision=min(alert.revision, LARGEST_REVISION),
        level=alert.level,
        time=whole,
        template=NUMBERS.get(template, NONE_OF_THEM) | _sure(alert.certainty),
        pack=_version(alert),
        subject=numbers.get(alert.units[0], OUTSIDE) if alert.units else OUTSIDE,
        bearing_deg=alert.bearing_deg if "{direction" in words else None,
        range_m=alert.range_m,
        low_s=low,
        high_s=high,
        expires_s=math.ceil(expires_wall - whole),
        count=alert.attackers,
        octants=_octants(alert) if alert.attackers > 1 else (),
        sound=sound,
    )


def radio_end(alert: Alert, numbers: Mapping[str, int], *, time_wall: float, lasts_s: float) -> RadioEnd:
    """The end of an alert for the air; ``lasts_s``: how long it is news."""
    template = _template_of(alert)
    told = template if template in _ENDS else None
    whole = math.floor(time_wall)
    return RadioEnd(
        alert=short_id(alert.alert),
        revision=min(alert.revision, LARGEST_REVISION),
        time=whole,
        template=NUMBERS[told] if told is not None else NONE_OF_THEM,
        pack=_version(alert),
        subject=numbers.get(alert.units[0], OUTSIDE) if alert.units else OUTSIDE,
        bearing_deg=alert.bearing_deg if told in ("unseen", "away") else None,
        range_m=alert.range_m,
        seen=whole - _since_seen(alert),
        expires_s=math.ceil(lasts_s),
    )


def _sure(certainty: Certainty | None) -> int:
    return 0 if certainty is None else _CERTAINTY_CODES[certainty] << _NUMBER_BITS


def _version(alert: Alert) -> int:
    """Of the English pack that made its words: sites' own have numbers of their own."""
    return alert.packs.get("en", PACKS["en"].version) % 256


def reading(message: RadioAlert | RadioEnd, purpose: Purpose, language: str = "en") -> Reading:
    """The text on a device, by the pack of its language (English where there is none)."""
    pack = PACKS.get(language, PACKS["en"])
    text = _danger(message, pack) if isinstance(message, RadioAlert) else _end(message, pack)
    mark = _MARKS.get(pack.language, _MARKS["en"]).get(purpose)
    return Reading(
        text=text if mark is None else f"{mark}: {text}",
        subject=message.subject,
        other_pack=message.pack != pack.version % 256,
    )


def _danger(message: RadioAlert, pack: Pack) -> str:
    name = _fillable(message, pack)
    facts = Facts(
        level=message.level,
        behaviour="unknown",
        bearing_deg=message.bearing_deg or 0.0,
        range_m=message.range_m,
        time_to_impact_s=None if message.high_s is None else (message.low_s or 0.0, message.high_s),
        earliest_s=message.low_s,
    )
    named = None if message.octants is None else [pack.directions[octant] for octant in message.octants]
    sure = pack.sure(_CERTAINTY.get(message.template >> _NUMBER_BITS, "likely"))
    count = max(message.count, 1)
    return gsm7(
        pack.message[name].format(
            drone=sure.drone,
            drones=sure.drones.format(count=count),
            attack=sure.attack,
            attacks=sure.attacks.format(count=count),
            direction=direction(facts.bearing_deg, pack),
            clock=clock(message.time),
            directions=pack.all_sides if named is None else ", ".join(named),
            distance="" if facts.range_m is None else distance(facts.range_m, pack),
            time=time_left(facts, pack),
        )
    )


def _end(message: RadioEnd, pack: Pack) -> str:
    name = TEMPLATES.get(message.template, "")
    known = name in _ENDS and name in pack.message
    words = pack.message[name] if known else _ENDED.get(pack.language, _ENDED["en"])
    return gsm7(
        words.format(
            clock=clock(message.seen),
            direction=direction(message.bearing_deg or 0.0, pack),
            distance="" if message.range_m is None else distance(message.range_m, pack),
        )
    )


def _octants(alert: Alert) -> tuple[int, ...] | None:
    """The directions of several attackers, each once; None where they are more than a line names."""
    named = tuple(dict.fromkeys(octant_code(axis) for axis in alert.axes_deg or (alert.bearing_deg,)))
    return named if len(named) <= 3 else None


def _fillable(message: RadioAlert, pack: Pack) -> str:
    """The template to fill: the sender's, if it is known here and all that it tells was sent."""
    name = TEMPLATES.get(message.template & _NUMBER, "")
    words = "" if name in _ENDS else pack.message.get(name, "")
    directed, ranged = message.bearing_deg is not None, message.range_m is not None
    if words and (directed or "{direction" not in words) and (ranged or "{distance}" not in words):
        return name
    return _plain(message.level, directed and ranged, directed)


def _plain(level: Level, placed: bool, directed: bool) -> str:
    """A template that says no more than the level and what is known of the place."""
    told = "advisory" if level == "info" else level
    if not placed:
        return f"{told}-{'direction' if directed else 'somewhere'}"
    return "imminent" if level == "imminent" else f"{told}-about"


def _since_seen(alert: Alert) -> int:
    """Whole seconds from when the drone was last detected to the end: the text tells the time of day."""
    found = re.search(r"(\d\d):(\d\d):(\d\d) UTC", alert.text.get("en", ""))
    if found is None:
        return 0
    hour, minute, second = map(int, found.groups())
    return (math.floor(alert.time) - (3600 * hour + 60 * minute + second)) % _DAY_S


def _template_of(alert: Alert) -> str | None:
    """The template that the alert names, or else that its English text was made from: of those that fit, the
    one that says most."""
    if alert.template in NUMBERS:
        return alert.template
    text = alert.text.get("en", "")
    fitting = [(-literal, name) for name, (pattern, literal) in _patterns().items() if pattern.search(text)]
    return min(fitting)[1] if fitting else None


@cache
def _patterns() -> dict[str, tuple[re.Pattern[str], int]]:
    """Template -> what its texts look like from their end (a mark may stand before them), and its length."""
    made = {}
    for name, words in PACKS["en"].message.items():
        fixed = [gsm7(piece) for piece in re.split(r"\{\w+\}", words)]
        made[name] = (re.compile(".+?".join(map(re.escape, fixed)) + "$"), sum(map(len, fixed)))
    return made
