"""The strongest reasons of a threat, in plain words with their weight in nats."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from vedette.assess.columns import says_aircraft
from vedette.model.track import Track

_CALLED = ("fpv", "multirotor", "fixed-wing", "bird", "aircraft")
_LEAST_NATS = 0.05
_NOT_WITHIN_REACH = math.log(0.4)
"""Only below this chance of being there in time may it be said that it is not."""
COUNT = 3
COASTS_AFTER_S = 5.0
"""A track without a detection for longer is told as such."""


class Pair(NamedTuple):
    """The numbers of one (track, unit) pair that the words are made of."""

    range_m: float
    closing_mps: float
    miss_m: float
    speed_mps: float


class TrackWords(NamedTuple):
    """What is said of a track, whichever unit it is told to. ``unseen``: set when the track coasts.
    ``aircraft``: it goes by an aircraft's address, which is told also where it changes nothing."""

    kind: str
    trust: str
    descent: str
    stay: str
    unseen: tuple[str, float] | None
    aircraft: bool = False


REASONS = ("course", "speed", "near", "loiter", "dive", "trust", "drone", "reach")
"""What can speak for or against a threat; places in this tuple stand for the reasons elsewhere."""

_DRONE = REASONS.index("drone")


def evidence(
    pair: Pair, words: TrackWords, weights: Sequence[float], order: Sequence[int]
) -> tuple[tuple[str, float], ...]:
    """Up to three reasons: those for the threat, strongest first, then the best reason to doubt it.
    Of a track that coasts, that doubt is always how long nothing has detected it; else of one that goes
    by an aircraft's address, what that is worth.

    ``weights`` in nats, in the order of `REASONS`: positive raises the threat, negative lowers it.
    ``order``: places in it, heaviest first.
    """
    chosen: list[tuple[str, float]] = []
    doubt = words.unseen
    if doubt is None and words.aircraft and weights[_DRONE] < _LEAST_NATS:
        doubt = (words.kind, round(weights[_DRONE], 2))
    for place in order:
        nats = weights[place]
        if REASONS[place] == "reach" and nats > _NOT_WITHIN_REACH:
            continue
        if -_LEAST_NATS < nats < _LEAST_NATS:
            break
        if nats > 0.0 and len(chosen) < COUNT:
            chosen.append((_say(place, pair, words), round(nats, 2)))
        elif nats < 0.0 and doubt is None:
            doubt = (_say(place, pair, words), round(nats, 2))
    return tuple(chosen if doubt is None else [*chosen[: COUNT - 1], doubt])


def _say(place: int, pair: Pair, words: TrackWords) -> str:
    reason = REASONS[place]
    if reason == "course":
        return _course_words(pair)
    if reason == "speed":
        return f"flies at {pair.speed_mps:.0f} m/s"
    if reason == "near":
        return f"{pair.range_m:.0f} m away"
    if reason == "reach":
        return "at its present course not here within a minute"
    return {"loiter": words.stay, "dive": words.descent, "trust": words.trust, "drone": words.kind}[reason]


def _course_words(pair: Pair) -> str:
    if pair.closing_mps > 0.0:
        return f"closing at {pair.closing_mps:.0f} m/s, passes within {_rounded(pair.miss_m)} m"
    if pair.closing_mps > -1.0:
        return "neither comes nor goes"
    return f"flies away at {-pair.closing_mps:.0f} m/s"


def track_words(track: Track, stayed_s: float, at: float, fits: bool = False) -> TrackWords:
    """The words for one track at ``at``; ``stayed_s`` is for how long it loitered, ``fits`` whether it
    moves as an aircraft and no small drone does."""
    return TrackWords(
        kind=_aircraft_words(track, fits) if says_aircraft(track) else _kind_words(track),
        trust=_trust_words(track),
        descent=f"comes down at {max(0.0, -track.velocity_mps[2]):.0f} m/s",
        stay=f"stayed in one area for {stayed_s:.0f} s",
        unseen=_unseen(track, at),
        aircraft=says_aircraft(track),
    )


def _unseen(track: Track, at: float) -> tuple[str, float] | None:
    if track.updated is None or at - track.updated <= COASTS_AFTER_S:
        return None
    return f"not detected for {at - track.updated:.0f} s", round(math.log(max(track.existence, 1e-6)), 2)


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
