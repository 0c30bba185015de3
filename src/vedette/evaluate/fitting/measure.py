"""What a threshold of the risk would have warned of, and when: the measures of docs/threat-model.md."""

from typing import NamedTuple

import numpy as np

from vedette.evaluate.fitting.encounters import Bools, Encounters
from vedette.evaluate.fitting.kernels import F64

PAUSE_S = 15.0
"""A longer pause ends an alert; and an alert that ended longer before the impact warned of something else."""
LEAST_LEAD_S = 5.0
"""Who is warned later is not warned."""


class Warned(NamedTuple):
    """At one threshold: share of attacks missed, lead p10 and p50 (s, 0 without an alert), false alerts an
    hour of benign track, and the share of attacks missed by behaviour."""

    missed: float
    lead_p10_s: float
    lead_p50_s: float
    false_per_hour: float
    missed_of: dict[str, float]


def peaks(encounters: Encounters, odds: F64) -> F64:
    """[scenes] the highest log-odds of each scene."""
    out = np.full(len(encounters.outcomes), -np.inf)
    np.maximum.at(out, encounters.scene, odds)
    return out


def bar(encounters: Encounters, odds: F64, per_hour: float) -> float:
    """The lowest threshold at which no more benign scenes than ``per_hour`` an hour of their track rise above
    it."""
    highest = np.sort(peaks(encounters, odds)[~encounters.hostile])[::-1]
    allowed = int(per_hour * encounters.benign_hours)
    return float(highest[allowed]) if allowed < len(highest) else -np.inf


def leads(encounters: Encounters, alert: Bools) -> F64:
    """[attacks] seconds from the start of the target's last alert to the impact, 0 if it had none then."""
    target, impact = encounters.target, encounters.impact
    mine = alert & (encounters.unit == target[encounters.scene])
    mine &= encounters.hostile[encounters.scene]
    scene, time = encounters.scene[mine], encounters.time[mine]
    out = []
    for place in np.flatnonzero(encounters.hostile):
        times = np.unique(time[scene == place])
        if len(times) == 0 or times[-1] < impact[place] - PAUSE_S:
            out.append(0.0)
            continue
        pauses = np.flatnonzero(np.diff(times) > PAUSE_S)
        out.append(float(impact[place] - times[pauses[-1] + 1 if len(pauses) else 0]))
    return np.array(out)


def warned(encounters: Encounters, odds: F64, threshold: float) -> Warned:
    """What a threshold comes to."""
    lead = leads(encounters, odds > threshold)
    false = int((peaks(encounters, odds)[~encounters.hostile] > threshold).sum())
    behaviours = np.array([o.behaviour for o in encounters.outcomes if o.hostile])
    late = lead < LEAST_LEAD_S
    return Warned(
        missed=round(float(late.mean()), 4) if len(lead) else 0.0,
        lead_p10_s=round(float(np.percentile(lead, 10)), 1) if len(lead) else 0.0,
        lead_p50_s=round(float(np.median(lead)), 1) if len(lead) else 0.0,
        false_per_hour=round(false / encounters.benign_hours, 2) if encounters.benign_hours else 0.0,
        missed_of={str(b): round(float(late[behaviours == b].mean()), 4) for b in np.unique(behaviours)},
    )
