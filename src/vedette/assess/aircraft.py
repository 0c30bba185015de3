"""What it is worth that something says it is an aircraft (ADS-B; DESIGN, law 3).

Its word is not authenticated, so it lowers a threat only as far as it is earned:

- Nothing but the word is known of it: then the word counts, for nothing speaks of a drone; but inside the
  danger radius it is a drone with `aircraft_floor` at least.
- Sensors see a body that agrees with it (``verified``) and that is surely faster than small drones: then
  the word counts in full outside the danger radius.
- Sensors see a body that agrees with it but could be a drone, slow as it is: then the word lowers the
  level by one step at most, outside the danger radius; one that is not even high keeps the belief
  `doubtful_floor`. Height alone earns no more, for one-way attack drones come in high and dive.
- It is contradicted, or a sensor sees a body that does not agree with it: then it counts for nothing.

Inside the danger radius the level of a body that sensors see is the one that it has without the word.
"""

from dataclasses import replace

import numpy as np
from msgspec import Struct

from vedette.assess.columns import Bools, Floats, TrackFacts
from vedette.assess.pairs import Pairs
from vedette.assess.rules import Weighed, chance, near_for_sure, times
from vedette.assess.settings import AssessSettings

ONE_STEP = 1.0


class Relief(Struct, frozen=True):
    """``counts``: where a verified aircraft's word may lower anything; ``earned``: where it may lower as
    far as it says; ``fits``: where the body is as fast or as high as aircraft are. All [pairs]."""

    counts: Bools
    earned: Bools
    fits: Bools


def relief(pairs: Pairs, facts: TrackFacts, s: AssessSettings) -> Relief:
    """Where the word of aircraft that sensors verified counts, and how far."""
    counts = facts.verified_aircraft & ~near_for_sure(pairs, facts, s)
    sinking = np.minimum(facts.climb, 0.0)
    height = pairs.up + sinking * pairs.tcpa
    high = pairs.height_known & (height > s.aircraft_height_m)
    return Relief(counts, counts & facts.surely_fast, facts.surely_fast | high)


def relieved(plain: Weighed, relief: Relief, s: AssessSettings) -> Weighed:
    """The risk with the word of verified aircraft in it."""
    odds = plain.drone / np.maximum(1.0 - plain.drone, 1e-9) * np.exp(-s.aircraft_nats)
    called = odds / (1.0 + odds)
    least = np.where(relief.fits, s.drone_floor, s.doubtful_floor)
    lowered = np.minimum(plain.drone, np.maximum(called, least))
    drone = np.where(relief.counts, lowered, plain.drone)
    nats = times(plain.nats, drone / plain.drone)
    least = np.where(relief.counts, 0.0, plain.least)
    return replace(plain, drone=drone, nats=nats, risk=chance(nats), word=nats - plain.nats, least=least)


def lowered_rank(relief: Relief, plain: Floats, by_word: Floats) -> Floats:
    """The rank of every pair: without the word, or with it as far as it counts."""
    doubtful = np.maximum(by_word, plain - ONE_STEP)
    return np.where(relief.counts, np.where(relief.earned, by_word, doubtful), plain)


def least_level(relief: Relief, plain: Floats) -> Floats:
    """No held level may lie below this, ``plain`` being the level held as if nobody had said a word."""
    return np.where(relief.counts, np.where(relief.earned, 0.0, plain - ONE_STEP), plain)
