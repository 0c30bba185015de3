"""Rules on top of a probability: what the model says, and how far a label, a name or a doubt may move it.

The model's sum of nats is moved, each time by a number of nats that is told beside the others:

- a class label lowers the risk to a share of what it would be without one, and never further: `drone_floor`
  everywhere, more inside the danger radius of what closes in fast, and of what only its own word or a
  sensor for which nobody vouches calls harmless (DESIGN, law 3);
- what nothing detects any more keeps the risk that it had when it was detected last, unless that rises: a
  feed that stops lowers no risk (DESIGN, law 2);
- what was coming when it was detected last keeps its level for as long as it could still be about to
  arrive, and a plain attack is warned of when it should be near (`vedette.assess.coming`);
- farther off than 60 s at the highest speed there is no risk yet, which is of the next 60 s;
- what flies straight at the unit, fast and near, is at the bar of WARNING at least, and at that of IMMINENT
  when it is nearly there (`vedette.assess.runs`): no fitted weight opens a gap for a plain attack, and no
  doubt whether it exists so long as it likely does;
- a name that sensors agree with lowers it outside the danger radius, one that they contradict raises it;
- that a neighbour is meant takes nothing off (`vedette.assess.neighbours`);
- what may not exist is a risk so far as it exists;
- the word of a verified aircraft counts as far as it is earned (`vedette.assess.aircraft`).

Odds are carried as their inverse, exp(-nats), which keeps its digits where a probability is nearly 1.
"""

from dataclasses import dataclass

import numpy as np

from vedette.assess.columns import Bools, Floats, TrackFacts
from vedette.assess.kernels import weighing
from vedette.assess.kernels.weighing import NO_RISK
from vedette.assess.model import Bars
from vedette.assess.pairs import Pairs
from vedette.assess.runs import Runs
from vedette.assess.settings import AssessSettings
from vedette.model.threat import LEVEL_RANK

_MOST_NATS = 60.0
_LEAST_SHARE = 1e-6


@dataclass(frozen=True, slots=True)
class Weighed:
    """Of every pair, [pairs]: ``risk`` and its log-odds ``nats``; ``drone``: the belief that it is one, as
    far as it may be lowered here; and what the rules did to the sum of the terms, in nats. ``modelled``: its
    log-odds if it is there. ``labels``: how far a floor lifts it above what labels say, ``plain``: how far a
    plain attack is lifted, ``kept``: how far above what is left of it that nothing detected it since.
    ``least``: the rank of the level that a plain attack has at least. ``awaited``: where nothing detects what
    was coming (`vedette.assess.coming`). ``spared``: what is not taken off because a neighbour is meant."""

    risk: Floats
    nats: Floats
    drone: Floats
    watched: Floats
    trust: Floats
    labels: Floats
    plain: Floats
    kept: Floats
    modelled: Floats
    existence: Floats
    word: Floats
    least: Floats
    awaited: Bools
    spared: Floats


def near_for_sure(pairs: Pairs, facts: TrackFacts, s: AssessSettings) -> Bools:
    """Where a track may be inside the danger radius, its height being one sigma off at worst: the rough
    height of an aircraft takes nothing out of it that may be in it."""
    up = np.maximum(np.abs(pairs.up) - facts.up_sigma, 0.0)
    reach = pairs.slant - pairs.nearest
    return np.asarray(np.sqrt(pairs.range**2 + up * up) - reach < s.danger_radius_m)


def weigh(
    pairs: Pairs, facts: TrackFacts, run: Runs, last: Floats, awaited: Bools, spared: Floats,
    bars: Bars, s: AssessSettings,
) -> Weighed:  # fmt: skip
    """The risk of every pair, without the word of verified aircraft. ``last`` [pairs]: the least log-odds
    that it may have, being those of when the track was detected last; ``bars``: those of the levels."""
    near, inside = near_for_sure(pairs, facts, s), pairs.nearest < s.danger_radius_m
    rushing = inside & (pairs.closing > s.danger_closing_mps)
    trust = np.where(facts.contradicted, s.contradicted_nats, 0.0)
    trust = np.where(facts.verified & ~inside, s.verified_nats, trust)
    trust = np.where(pairs.sums[:, weighing.PLAIN] <= weighing.NO_RISK, 0.0, trust)
    plain = pairs.sums[:, weighing.PLAIN] + trust + spared
    called = np.maximum(pairs.sums[:, weighing.LABELS], pairs.sums[:, weighing.VOUCHED])
    by_labels = plain + np.where(near, called, pairs.sums[:, weighing.LABELS])
    share = np.where(near, facts.floor_near, s.drone_floor)
    share = np.where(rushing, np.maximum(share, s.danger_drone_floor), share)
    least = times(plain + pairs.sums[:, weighing.NEUTRAL], share)
    floored = np.maximum(by_labels, least)
    bar = _bar_of(run, bars)
    at_least = np.maximum(floored, bar)
    held = np.maximum(at_least, last)
    doubted = times(held, facts.existence / s.sure_existence)
    likely = facts.existence >= s.run_existence
    nats = np.where(likely, np.maximum(doubted, bar), doubted)
    believed = np.where(near, facts.drone_near, facts.drone)
    believed = np.where(run.warns, np.maximum(believed, facts.drone_run), believed)
    watched = np.maximum(pairs.sums[:, weighing.WATCHED], pairs.sums[:, weighing.VOUCHED_WATCHED])
    return Weighed(
        risk=chance(nats),
        nats=nats,
        drone=np.where(rushing, np.maximum(believed, s.danger_drone_floor), believed),
        watched=np.where(near, watched, pairs.sums[:, weighing.WATCHED]),
        trust=trust,
        labels=floored - plain - pairs.sums[:, weighing.LABELS],
        plain=at_least - floored + nats - doubted,
        kept=held - at_least,
        modelled=at_least,
        existence=doubted - held,
        word=np.zeros(len(nats)),
        least=np.where(likely, _rank_of(run), 0.0),
        awaited=awaited,
        spared=spared,
    )


def _rank_of(run: Runs) -> Floats:
    """The rank of the level that a plain attack has at least."""
    warns = np.where(run.warns, float(LEVEL_RANK["warning"]), 0.0)
    return np.asarray(np.where(run.strikes, float(LEVEL_RANK["imminent"]), warns))


def _bar_of(run: Runs, bars: Bars) -> Floats:
    """The bar that a plain attack is at, at least."""
    strikes = max(bars.imminent_nats, bars.warning_nats)
    at = np.where(run.warns, bars.warning_nats, NO_RISK)
    return np.asarray(np.where(run.strikes, strikes, at))


def times(nats: Floats, share: Floats) -> Floats:
    """Log-odds of ``share`` of the probability whose log-odds are ``nats``."""
    part = np.minimum(np.maximum(share, _LEAST_SHARE), 1.0)
    inverse = ((1.0 - part) + np.exp(-np.clip(nats, -_MOST_NATS, _MOST_NATS))) / part
    return np.asarray(-np.log(inverse))


def chance(nats: Floats) -> Floats:
    """The probability of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(nats, -_MOST_NATS, _MOST_NATS))))
