"""What the reader sees: template packs per language, filled with the alert's own data and nothing else.

The short form keeps to 90 characters (CMAMtext of IPAWS) and to the GSM 7-bit alphabet (3GPP TS
23.038, clause 6.2.1), which has no a, i, o, u with acute accent.
"""

import math
from importlib import resources
from typing import Literal

import msgspec
from msgspec import Struct

from vedette.model.threat import Behaviour, Level

SHORT_LIMIT = 90

ABOVE_M = 150.0
"""Slant range within which a drone that neither comes nor goes may be called overhead."""

DIRECTION_DEG = 45.0
"""A bearing that is more doubtful than one of the eight points is wide is not told."""

MOST_DIRECTIONS = 3

GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)

_ACUTE = str.maketrans("áíóúÁÍÓÚ", "aiouAIOU")

EndKind = Literal["unseen", "away"]


class Pack(Struct, frozen=True, forbid_unknown_fields=True):
    """One language's templates, as in ``templates/*.toml``; ``directions`` clockwise from north."""

    version: int
    language: str
    directions: tuple[str, str, str, str, str, str, str, str]
    all_sides: str
    time: dict[str, str]
    distance: dict[str, str]
    message: dict[str, str]


def load_packs() -> dict[str, Pack]:
    """All packs that are shipped, by language, in the order of their names."""
    folder = resources.files("vedette.warn") / "templates"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    packs = [msgspec.toml.decode(f.read_bytes(), type=Pack) for f in files]
    return {pack.language: pack for pack in packs}


PACKS = load_packs()


class Facts(Struct, frozen=True, kw_only=True):
    """All that a text may say. Degrees and metres from the reader, seconds, Unix seconds."""

    level: Level
    behaviour: Behaviour
    bearing_deg: float
    range_m: float | None
    bearing_sigma_deg: float | None = None
    attackers: int = 1
    axes_deg: tuple[float, ...] = ()
    time_to_impact_s: tuple[float, float] | None = None
    earliest_s: float | None = None


def danger_text(facts: Facts) -> dict[str, str]:
    """What to read while the danger lasts, by language."""
    return {language: _danger(facts, pack) for language, pack in PACKS.items()}


def end_text(kind: EndKind, at: float, bearing_deg: float, range_m: float | None) -> dict[str, str]:
    """What to read when it is over: last seen, or seen to move away, at ``at`` (Unix seconds)."""
    return {language: gsm7(_end(kind, at, bearing_deg, range_m, pack)) for language, pack in PACKS.items()}


def _end(kind: EndKind, at: float, bearing_deg: float, range_m: float | None, pack: Pack) -> str:
    if range_m is None:
        return pack.message["unheard"].format(clock=clock(at))
    where = {"direction": direction(bearing_deg, pack), "distance": distance(range_m, pack)}
    return pack.message[kind].format(clock=clock(at), **where)


def end_reason(kind: EndKind, at: float, bearing_deg: float, range_m: float | None) -> str:
    """The reason that the desk and the record keep, in English."""
    pack = PACKS["en"]
    if range_m is None:
        return f"direction not heard since {clock(at)} UTC"
    if kind == "unseen":
        return f"drone not seen since {clock(at)} UTC"
    return f"drone moved away: last {direction(bearing_deg, pack)} {distance(range_m, pack)}"


def _danger(facts: Facts, pack: Pack) -> str:
    return gsm7(
        pack.message[_template(facts)].format(
            direction=direction(facts.bearing_deg, pack),
            directions=_directions(facts, pack),
            count=facts.attackers,
            distance="" if facts.range_m is None else distance(facts.range_m, pack),
            time=time_left(facts, pack),
        )
    )


_COMES: frozenset[Behaviour] = frozenset(("direct-run", "closing", "dive", "drop-run"))
_STAYS: frozenset[Behaviour] = frozenset(("loiter", "follow", "orbit"))
_SAID_AS_IT_IS: frozenset[Behaviour] = frozenset(("near", "receding"))


_DIRECTED: dict[Level, str] = {
    "imminent": "imminent",
    "warning": "warning",
    "advisory": "advisory",
    "info": "advisory",
}


def _template(facts: Facts) -> str:
    """The template that says no more than is known: a held level outlives the behaviour it began with."""
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
    metres = max(10, round(range_m / grain) * grain)
    if metres < 2000:
        return pack.distance["metres"].format(value=metres)
    return pack.distance["kilometres"].format(value=f"{range_m / 1000.0:.1f}")


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
        return pack.time["earliest_minutes"].format(minutes=max(1, math.floor(earliest_s / 60.0)))
    seconds = _seconds(earliest_s, down=True)
    return pack.time["earliest"].format(high=seconds) if seconds > 2 else pack.time["any_moment"]


def _minutes(seconds: float) -> int:
    return max(1, math.floor(seconds / 60.0 + 0.5))


def _seconds(value: float, down: bool = False) -> int:
    """Whole seconds below 10, then steps of 5."""
    grain = 1 if value < 10.0 else 5
    steps = value / grain
    return grain * (math.floor(steps) if down else math.floor(steps + 0.5))


def clock(at: float) -> str:
    """Unix seconds -> hh:mm:ss, UTC."""
    second = math.floor(at) % 86400
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def gsm7(text: str) -> str:
    """``text`` in the GSM 7-bit alphabet: acute accents it lacks are dropped, nothing else is there."""
    plain = text.translate(_ACUTE)
    return "".join(c if c in GSM7 else "?" for c in plain)
