"""What speaks for and against a threat, in plain words with its weight in nats."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from vedette.assess.columns import Bools, Floats, says_aircraft
from vedette.model.track import Track

_CALLED = ("fpv", "multirotor", "fixed-wing", "bird", "aircraft")
COASTS_AFTER_S = 5.0
"""A track without a detection for longer is told as such."""

_SURE = 0.9

_STRAIGHT, _HOVERS_MPS = 0.9, 3.0
"""Displacement over path of 10 s, and speed, on either side of which other words are used."""

LEAST_NATS = 0.05
"""What weighs less is told with the rest."""
SHOWN = 3
"""Who displays a threat shows so many of its reasons."""
DIGITS = 3

REASONS: Mapping[str, tuple[str, ...]] = {
    "kind": ("log_fpv", "log_multirotor", "log_fixed_wing", "log_bird", "log_aircraft"),
    "course": (
        "aim_now", "aim_3s", "aim_10s", "aim_30s", "course_error_deg", "course_sigmas", "closing_share",
        "miss_m", "miss_sigma_m", "tcpa_s", "drift_dps", "angle_3d_deg",
    ),
    "approach": (
        "closing_mps", "closing_10s", "closing_30s", "closing_gain_mps2", "closing_jump_10s",
        "closing_jump_30s", "coming_30s", "p50_s", "p10_s",
    ),
    "target": (
        "aim_lead_3s", "aim_lead_10s", "aim_lead_30s", "aim_share_3s", "aim_share_10s", "others_aim_10s",
        "watch_other", "watch_lead", "cv_lead", "p50_share", "range_lead", "range_share",
    ),
    "near": ("range_m", "slant_m", "nearest_now_m", "nearest_m", "over_nearest", "over_farthest", "first_m"),
    "dive": ("climb_mps", "climb_jump_10s", "dive_angle", "height_m", "height_share", "log_dive"),
    "watch": ("watch", "range_60s", "range_cv_60s", "wound_60s", "with_unit", "log_follow", "log_orbit"),
    "reach": ("earliest_s", "reach_15s", "reach_30s", "reach_60s", "reach_120s"),
    "speed": (
        "speed_mps", "airspeed_mps", "rel_speed_mps", "speed_gain_mps2", "speed_over_mean", "speed_jump_30s",
    ),
    "path": (
        "loiters", "stayed_s", "gyration_30s", "hovering_30s", "straight_10s", "straight_30s",
        "straight_change", "steady_5s", "turn_dps",
    ),
    "manner": ("log_attack", "log_drop_run", "log_probing", "log_transit", "log_as_bird", "log_authorised"),
    "age": ("age_s",),
    "unit": ("unit_mps", "unit_sigma_m"),
    "trust": ("trust",),
    "there": ("existence", "unseen_s"),
    "plain": (),
    "kept": (),
    "far": (),
}  # fmt: skip
"""What each reason is made of. A term of two features belongs to the first of these that holds one of them.
What rules say is of ``kind``, ``trust``, ``there``, ``plain``, ``kept`` and ``far`` (`assess.rules`)."""

NAMES = tuple(REASONS)
_THERE = NAMES.index("there")
HOW_OFTEN = "how often this happens at all"
"""Holds the prior, the calibration and whatever weighs little."""


def reason_of(features: Sequence[str]) -> int:
    """Place in `NAMES` of the reason that a term of these features belongs to."""
    return min(
        number for number, made_of in enumerate(REASONS.values()) if not set(made_of).isdisjoint(features)
    )


class TrackWords(NamedTuple):
    """What is said of a track, whichever unit it is told to. ``there``: how sure it is that it is there.
    ``coasts``: it was not detected lately, which is told among the first. ``sure``: it was, and is there
    almost surely; that no risk is greater than that is then told behind all else. ``aircraft``: it goes by an
    aircraft's address, which is told also where it changes nothing."""

    kind: str
    trust: str
    there: str
    speed: str
    path: str
    dive: str
    coasts: bool
    sure: bool
    aircraft: bool


class Seen(NamedTuple):
    """What the words and figures of one pair are made of: features of the same names (`assess.features`)."""

    speed_mps: float
    speed_gain_mps2: float
    climb_mps: float
    straight_10s: float
    age_s: float
    unit_mps: float
    unit_sigma_m: float
    slant_m: float
    height_m: float
    closing_mps: float
    miss_m: float
    p50_s: float
    p10_s: float
    earliest_s: float
    range_60s: float
    wound_60s: float
    with_unit: float


class Ordered(NamedTuple):
    """What is told of some pairs, one pair after the other: the places in `NAMES` of its reasons, the
    strongest first, and their weights; where each pair's reasons end; and what all else of a pair weighs."""

    places: list[int]
    weights: list[float]
    ends: list[int]
    rest: list[float]


def ordered(weights: Floats, nats: Floats, sure: Bools, forced: Bools) -> Ordered:
    """``weights`` [pairs, reasons] in nats, which add up to ``nats`` [pairs] but for what happens anyway.

    ``sure`` [pairs]: what is there almost surely; that no risk is greater than that is told behind all else.
    ``forced`` [pairs, reasons]: what is told however little it weighs.
    """
    rounded = np.round(weights, DIGITS)
    told = (np.abs(rounded) >= LEAST_NATS) | forced
    size = np.where(told, np.abs(rounded) + 1.0, 0.0)
    size[:, _THERE] = np.where(sure, np.minimum(size[:, _THERE], 0.5), size[:, _THERE])
    order = np.argsort(-size, axis=1, kind="stable")
    first = np.take_along_axis(told, order, axis=1)
    rest = np.round(nats - np.where(told, rounded, 0.0).sum(axis=1), DIGITS) + 0.0
    return Ordered(
        order[first].tolist(),
        np.take_along_axis(rounded, order, axis=1)[first].tolist(),
        np.cumsum(told.sum(axis=1)).tolist(),
        rest.tolist(),
    )


def evidence(
    seen: Seen, words: TrackWords, places: Sequence[int], weights: Sequence[float], rest: float
) -> tuple[tuple[str, float], ...]:
    """All reasons of one pair in words, as they are ordered, and last how often this happens at all. What
    would be said twice is said once, with the sum. That a track coasts is among the first `SHOWN`, however
    little it weighs."""
    said = [(_SAYS[place](seen, words, nats), nats) for place, nats in zip(places, weights, strict=True)]
    if len({text for text, _ in said}) < len(said):
        said = _once(said, last=words.there if words.sure else None)
    if words.coasts:
        at = [text for text, _ in said].index(words.there)
        said.insert(min(at, SHOWN - 1), said.pop(at))
    said.append((HOW_OFTEN, rest))
    return tuple(said)


def _once(said: Sequence[tuple[str, float]], last: str | None) -> list[tuple[str, float]]:
    """Each sentence once, with all that it weighs, the strongest first, but ``last`` behind all else."""
    sums: dict[str, float] = {}
    for text, nats in said:
        sums[text] = round(sums.get(text, 0.0) + nats, DIGITS) + 0.0
    return sorted(sums.items(), key=lambda one: (one[0] == last, -abs(one[1])))


def _course(seen: Seen, words: TrackWords, nats: float) -> str:
    if seen.closing_mps > 0.0:
        if nats > 0.0 or seen.miss_m < 100.0:
            return f"closing at {seen.closing_mps:.0f} m/s, passes within {_rounded(seen.miss_m)} m"
        return f"on its course passes {_rounded(seen.miss_m)} m from you"
    if nats > 0.0:
        return "flew at you until now"
    return _leaves(seen.closing_mps)


def _approach(seen: Seen, words: TrackWords, nats: float) -> str:
    if seen.closing_mps <= 1.0:
        return "came nearer" if nats > 0.0 else _leaves(seen.closing_mps)
    if nats > 0.0:
        return f"here in {seen.p50_s:.0f} s at this speed"
    return f"{seen.p50_s:.0f} s away at this speed"


def _watch(seen: Seen, words: TrackWords, nats: float) -> str:
    if nats < 0.0:
        return "does not stay with you"
    off = f"about {_rounded(seen.range_60s)} m off"
    if seen.wound_60s > 0.5:
        return f"goes round you, {off}"
    if seen.unit_mps > 0.7 and seen.with_unit > 0.5:
        return f"moves as you move, {off}"
    return f"keeps its distance to you, {off}"


def _near(seen: Seen, words: TrackWords, nats: float) -> str:
    return f"{seen.slant_m:.0f} m away"


def _reach(seen: Seen, words: TrackWords, nats: float) -> str:
    return f"could be here in {seen.earliest_s:.0f} s at its fastest"


def _target(seen: Seen, words: TrackWords, nats: float) -> str:
    return "means you rather than others" if nats > 0.0 else "means others rather than you"


def _manner(seen: Seen, words: TrackWords, nats: float) -> str:
    return "flies as one that attacks" if nats > 0.0 else "flies as one that does not attack"


def _plain(seen: Seen, words: TrackWords, nats: float) -> str:
    return "flies straight at you, fast and near"


def _kept(seen: Seen, words: TrackWords, nats: float) -> str:
    return "as great as when it was last detected"


def _far(seen: Seen, words: TrackWords, nats: float) -> str:
    return f"{seen.slant_m / 1000.0:.0f} km away, which no drone flies in a minute"


def _age(seen: Seen, words: TrackWords, nats: float) -> str:
    return f"first seen {seen.age_s:.0f} s ago"


def _unit(seen: Seen, words: TrackWords, nats: float) -> str:
    return f"you move at {seen.unit_mps:.0f} m/s, place known to {seen.unit_sigma_m:.0f} m"


_OF_PAIR: dict[str, Callable[[Seen, TrackWords, float], str]] = {
    "course": _course, "approach": _approach, "watch": _watch, "near": _near, "reach": _reach,
    "target": _target, "plain": _plain, "kept": _kept, "far": _far, "manner": _manner, "age": _age,
    "unit": _unit,
}  # fmt: skip


def _of_track(name: str) -> Callable[[Seen, TrackWords, float], str]:
    place = TrackWords._fields.index(name)
    return lambda seen, words, nats: str(words[place])


_SAYS = tuple(_OF_PAIR.get(name) or _of_track(name) for name in NAMES)


def _leaves(closing: float) -> str:
    return "neither comes nor goes" if closing > -1.0 else f"flies away at {-closing:.0f} m/s"


def track_words(track: Track, stayed_s: float, seen: Seen, at: float, fits: bool) -> TrackWords:
    """The words for one track at ``at``; ``stayed_s`` is for how long it loitered, ``seen``: any
    of its pairs, ``fits`` whether it moves as an aircraft and no small drone does."""
    unseen_s = 0.0 if track.updated is None else at - track.updated
    coasts = unseen_s > COASTS_AFTER_S
    doubt = (
        f"not detected for {unseen_s:.0f} s" if coasts else f"may not be there ({track.existence:.0%} sure)"
    )
    return TrackWords(
        kind=_aircraft_words(track, fits) if says_aircraft(track) else _kind_words(track),
        trust=_trust_words(track),
        there=doubt,
        speed=_speed_words(seen),
        path=_path_words(seen, stayed_s),
        dive=_dive_words(seen),
        coasts=coasts,
        sure=track.existence >= _SURE and not coasts,
        aircraft=says_aircraft(track),
    )


def still_coming(words: TrackWords) -> TrackWords:
    """The same said to a unit that it was last seen coming at."""
    return words._replace(there=f"{words.there}, was coming at you") if words.coasts else words


def _speed_words(seen: Seen) -> str:
    gain = seen.speed_gain_mps2
    change = ", and speeds up" if gain > 1.0 else ", and slows" if gain < -1.0 else ""
    return f"flies at {seen.speed_mps:.0f} m/s{change}"


def _path_words(seen: Seen, stayed_s: float) -> str:
    straight = seen.straight_10s > _STRAIGHT and seen.speed_mps >= _HOVERS_MPS
    if stayed_s > 0.0 and not straight:
        return f"stayed in one area for {stayed_s:.0f} s"
    if seen.speed_mps < _HOVERS_MPS:
        return "hovers"
    return "flies straight" if straight else "turns about"


def _dive_words(seen: Seen) -> str:
    climb = seen.climb_mps
    if not abs(climb) >= 1.5:
        return "keeps its height"
    return f"comes down at {-climb:.0f} m/s" if climb < 0.0 else f"climbs at {climb:.0f} m/s"


def _trust_words(track: Track) -> str:
    if track.trust == "contradicted":
        return "its broadcast identity contradicts the sensors"
    if track.trust == "ghost":
        return "no sensor sees a body where it says it is"
    return "its broadcast identity agrees with the sensors"


def _kind_words(track: Track) -> str:
    belief, called = max((belief, name) for name, belief in [("", 0.0), *track.beliefs.items()])
    if called not in _CALLED or belief <= 0.0:
        return "of unknown kind, which may be a drone"
    return f"looks like {'an' if called in ('fpv', 'aircraft') else 'a'} {called} ({belief:.0%})"


def _aircraft_words(track: Track, fits: bool) -> str:
    if track.trust == "contradicted":
        return "says it is an aircraft (ADS-B), which is contradicted"
    if track.trust == "verified" and fits:
        return "an aircraft by ADS-B and by our own sensors"
    if track.trust == "verified":
        return "says it is an aircraft (ADS-B), but flies as a drone could"
    if max(track.beliefs, key=lambda name: track.beliefs[name], default="") == "aircraft":
        return "says it is an aircraft (ADS-B), not verified"
    return f"{_kind_words(track)}, with an ADS-B address that is not verified"


def _rounded(metres: float) -> int:
    return max(10, round(metres / 10.0) * 10)
