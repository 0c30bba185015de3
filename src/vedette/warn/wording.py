"""What the reader sees: the words of a pack, filled with the alert's own data and nothing else.

Two forms of each text. The short one keeps to 90 characters, the long one to 360 (CMAMtext and CMAMlongtext
of IPAWS), both in the GSM 7-bit alphabet. The long one adds what is known, how surely and who says so, what
is not known, and who speaks.
"""

import math
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from msgspec import Struct, field

from vedette.model.alert import AlertStatus, Certainty
from vedette.model.threat import Behaviour, Level
from vedette.warn.gsm7 import GSM7 as GSM7
from vedette.warn.gsm7 import gsm7 as gsm7
from vedette.warn.pack import PACKS as PACKS
from vedette.warn.pack import Pack as Pack

SHORT_LIMIT = 90
LONG_LIMIT = 360
MARK_LIMIT = 12
"""What the mark of an exercise or a test takes on top: such a message never goes where 90 is the limit."""
NAME_LIMIT = 16
"""Of a unit's name in a message about it."""
SOURCE_LIMIT = 24
"""Of the site's name in a long form."""
NOBODY = "Vedette"
"""Who speaks where the site's name is not told."""

ABOVE_M = 150.0
"""Slant range within which a drone that neither comes nor goes may be called overhead."""
FARTHEST_KM = 99.9
MOST_MINUTES = 99
"""A time is a lower bound, and farther drones are at least so far: the figures stop here."""
MOST_COUNTED = 999

DIRECTION_DEG = 45.0
"""A bearing that is more doubtful than one of the eight points is wide is not told."""

MOST_DIRECTIONS = 3
MOST_SOURCES = 3
SOURCES = (
    "radar", "camera", "acoustic-array", "direction-finder", "other", "aviation", "broadcast",
)  # fmt: skip
"""Kinds of what detects drones, in the order in which a text names them."""

EndKind = Literal["unseen", "away", "unplaced"]
AboutKey = Literal["unanswered", "ended-there", "ended-there-answered"]


class Voice(Struct, frozen=True, kw_only=True):
    """In which words, by language, and in whose name."""

    packs: Mapping[str, Pack] = field(default_factory=lambda: PACKS)
    source: str = NOBODY


OURS = Voice()


class Said(NamedTuple):
    """Both forms of a text by language, the key of the templates, and the packs' versions by language."""

    text: dict[str, str]
    long: dict[str, str]
    template: str
    packs: dict[str, int]


class Facts(Struct, frozen=True, kw_only=True):
    """All that a text may say. Degrees and metres from the reader, seconds, Unix seconds.

    ``at``: now; ``seen``: when it was last detected, None = now; ``certainty``: of what is said;
    ``sources``: of `SOURCES`.
    """

    level: Level
    behaviour: Behaviour
    bearing_deg: float
    range_m: float | None
    bearing_sigma_deg: float | None = None
    attackers: int = 1
    axes_deg: tuple[float, ...] = ()
    time_to_impact_s: tuple[float, float] | None = None
    earliest_s: float | None = None
    status: AlertStatus = "actual"
    unplaced_at: float | None = None
    """Set (Unix seconds) if nobody knows where the reader is: then no direction is claimed."""
    certainty: Certainty = "likely"
    at: float = 0.0
    seen: float | None = None
    sources: tuple[str, ...] = ()
    height_known: bool | None = None


def say_danger(facts: Facts, voice: Voice = OURS) -> Said:
    """What to read while the danger lasts."""
    key = "warning-unplaced" if facts.unplaced_at is not None else template_of(facts)
    return _said(key, facts.status, voice, lambda pack: _danger_slots(facts, pack))


def say_end(
    kind: EndKind,
    at: float,
    bearing_deg: float,
    range_m: float | None,
    status: AlertStatus = "actual",
    voice: Voice = OURS,
) -> Said:
    """What to read when it is over: last seen, or seen to move away, at ``at`` (Unix seconds)."""
    key = "unplaced-over" if kind == "unplaced" else "unheard" if range_m is None else kind

    def slots(pack: Pack) -> dict[str, str]:
        return {"clock": clock(at), **_where(bearing_deg, range_m, pack)}

    return _said(key, status, voice, slots)


def say_cancelled(at: float, status: AlertStatus = "actual", voice: Voice = OURS) -> Said:
    """What to read when a person ended the alert at ``at`` (Unix seconds)."""
    return _said("cancelled", status, voice, lambda pack: {"clock": clock(at)})


def say_about(
    key: AboutKey,
    unit: str,
    level: Level,
    at: float,
    status: AlertStatus = "actual",
    voice: Voice = OURS,
) -> Said:
    """What somebody else reads about ``unit``: neither direction nor distance, which were from the unit."""
    name = _cut(unit, NAME_LIMIT)
    return _said(
        key, status, voice, lambda pack: {"level": pack.level[level], "unit": name, "clock": clock(at)}
    )


def _cut(name: str, limit: int) -> str:
    """A name as one line of the alphabet, and not longer than ``limit``."""
    line = " ".join(gsm7(name).split())
    return line if len(line) <= limit else f"{line[: limit - 2]}.."


def _said(key: str, status: AlertStatus, voice: Voice, slots: Callable[[Pack], dict[str, str]]) -> Said:
    source = _cut(voice.source, SOURCE_LIMIT) or NOBODY
    text, long = {}, {}
    for language, pack in voice.packs.items():
        filled = {**slots(pack), "source": source}
        text[language] = _finished(pack.message[key], filled, status, pack)
        long[language] = _finished(pack.long[key], filled, status, pack)
    return Said(text, long, key, {language: pack.version for language, pack in voice.packs.items()})


def _finished(template: str, slots: Mapping[str, str], status: AlertStatus, pack: Pack) -> str:
    """Filled, on one line, in the alphabet, and marked if it is not actual."""
    line = " ".join(template.format_map(slots).split())
    return gsm7(line if status == "actual" else f"{pack.mark[status]} {line}")


def end_reason(kind: EndKind, at: float, bearing_deg: float, range_m: float | None) -> str:
    """The reason that the desk and the record keep, in English."""
    pack = PACKS["en"]
    if kind == "unplaced":
        return f"drones that threatened others not seen since {clock(at)} UTC"
    if range_m is None:
        return f"direction not heard since {clock(at)} UTC"
    if kind == "unseen":
        return f"drone not seen since {clock(at)} UTC"
    return f"drone moved away: last {direction(bearing_deg, pack)} {distance(range_m, pack)}"


def _danger_slots(facts: Facts, pack: Pack) -> dict[str, str]:
    sure = pack.sure(facts.certainty)
    count = str(min(max(facts.attackers, 1), MOST_COUNTED))
    seen = facts.at if facts.seen is None else facts.seen
    return {
        "drone": sure.drone,
        "drones": sure.drones.format(count=count),
        "attack": sure.attack,
        "attacks": sure.attacks.format(count=count),
        "directions": _directions(facts, pack),
        "time": time_left(facts, pack),
        "clock": clock(facts.at if facts.unplaced_at is None else facts.unplaced_at),
        "known": sure.known.format(sensors=_sensors(facts.sources, pack), seen=clock(seen)),
        "unknown": _unknown(facts, pack),
        **_where(facts.bearing_deg, facts.range_m, pack),
    }


def _where(bearing_deg: float, range_m: float | None, pack: Pack) -> dict[str, str]:
    far = "" if range_m is None else distance(range_m, pack)
    return {"direction": direction(bearing_deg, pack), "distance": far}


def _sensors(sources: tuple[str, ...], pack: Pack) -> str:
    """Who detected it; what was only broadcast is named only where nothing else detected it."""
    known = [kind for kind in SOURCES if kind in sources]
    own = [kind for kind in known if kind not in ("aviation", "broadcast")] or known[:1] or ["other"]
    return ", ".join(pack.sensor[kind] for kind in own[:MOST_SOURCES])


def _unknown(facts: Facts, pack: Pack) -> str:
    """What is not known, in one sentence; nothing if all is known."""
    if facts.unplaced_at is not None:
        things = [pack.unknown["reader"]]
    elif facts.range_m is None:
        whence = [] if _whence(facts) == "direction" else [pack.unknown["direction"]]
        things = [*whence, pack.unknown["distance"], pack.unknown["height"]]
    else:
        things = [] if facts.height_known else [pack.unknown["height"]]
    return pack.unknown["list"].format(things=", ".join(things)) if things else ""


_COMES: frozenset[Behaviour] = frozenset(("direct-run", "closing", "dive", "drop-run"))
_STAYS: frozenset[Behaviour] = frozenset(("loiter", "follow", "orbit"))
_SAID_AS_IT_IS: frozenset[Behaviour] = frozenset(("near", "receding"))


_DIRECTED: dict[Level, str] = {
    "imminent": "imminent",
    "warning": "warning",
    "advisory": "advisory",
    "info": "advisory",
}


def template_of(facts: Facts) -> str:
    """The key of the template that says no more than is known: a held level outlives the behaviour it began
    with."""
    if facts.range_m is None:
        return f"{_DIRECTED[facts.level]}-{_whence(facts)}"
    comes = facts.behaviour in _COMES
    if facts.attackers > 1 and facts.level in ("imminent", "warning"):
        return f"{facts.level}-several"
    if facts.level == "imminent":
        return "imminent"
    if facts.level == "warning":
        return "warning-closing" if comes else "warning-above" if _is_above(facts) else "warning-about"
    if comes:
        return "advisory-closing"
    if facts.behaviour in _STAYS:
        return "advisory-loiter"
    return f"advisory-{facts.behaviour}" if facts.behaviour in _SAID_AS_IT_IS else "advisory-about"


def _whence(facts: Facts) -> str:
    """Whether a direction can be told from where the reader is."""
    sigma = facts.bearing_sigma_deg
    return "direction" if sigma is not None and sigma <= DIRECTION_DEG else "somewhere"


def _is_above(facts: Facts) -> bool:
    near = facts.range_m is not None and facts.range_m <= ABOVE_M
    return near and facts.behaviour in _STAYS | {"near", "unknown"}


def _directions(facts: Facts, pack: Pack) -> str:
    """The directions of an attack by several, each named once: more than fit on a line are all sides."""
    named = dict.fromkeys(direction(bearing, pack) for bearing in facts.axes_deg or (facts.bearing_deg,))
    return ", ".join(named) if len(named) <= MOST_DIRECTIONS else pack.all_sides


def direction(bearing_deg: float, pack: Pack) -> str:
    """Eight-point compass name of a bearing."""
    return pack.directions[int(((bearing_deg % 360.0) + 22.5) // 45.0) % 8]


def distance(range_m: float, pack: Pack) -> str:
    """Metres up to 2 km, then kilometres; rounded to what a person can use."""
    grain = 10 if range_m < 200.0 else 50
    metres = max(10, round(min(range_m, 1000.0 * FARTHEST_KM) / grain) * grain)
    if metres < 2000:
        return pack.distance["metres"].format(value=metres)
    return pack.distance["kilometres"].format(value=f"{min(range_m / 1000.0, FARTHEST_KM):.1f}")


def time_left(facts: Facts, pack: Pack) -> str:
    """Time to impact; where the drone is not closing, the worst case, named as such."""
    if facts.time_to_impact_s is None:
        return _worst_case(0.0 if facts.earliest_s is None else facts.earliest_s, pack)
    low, high = facts.time_to_impact_s
    if high >= 100.0:
        return pack.time["minutes"].format(minutes=_minutes(high))
    early, late = _seconds(low, down=True), _seconds(high)
    if late <= 5:
        return pack.time["moments"]
    shape = "span" if 0 < early < late else "seconds"
    return pack.time[shape].format(low=early, high=late)


def _worst_case(earliest_s: float, pack: Pack) -> str:
    """Rounded down: nobody is promised more time than there is. Unknown counts as none."""
    if earliest_s >= 100.0:
        return pack.time["earliest_minutes"].format(minutes=_minutes(earliest_s, down=True))
    seconds = _seconds(earliest_s, down=True)
    return pack.time["earliest"].format(high=seconds) if seconds > 2 else pack.time["any_moment"]


def _minutes(seconds: float, down: bool = False) -> int:
    return max(1, math.floor(min(seconds / 60.0, MOST_MINUTES) + (0.0 if down else 0.5)))


def _seconds(value: float, down: bool = False) -> int:
    """Whole seconds below 10, then steps of 5."""
    grain = 1 if value < 10.0 else 5
    steps = value / grain
    return grain * (math.floor(steps) if down else math.floor(steps + 0.5))


def clock(at: float) -> str:
    """Unix seconds -> hh:mm:ss, UTC."""
    second = math.floor(at) % 86400
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
