"""What was last seen coming: how long it could still be about to arrive, and when it was expected.

Nobody sees a drone behind a ridge, nor when a radar is masked or a feed stops; and a track that nobody
detects is predicted ever slower and ever less sure, until it is no threat on paper. Silence is never safety
(DESIGN, law 2): what was closing in when it was detected last keeps its level until the latest time at which
it could be there by that state, and after that as long as any level is kept. What flew straight and surely at
the unit and was merely too far off to be warned of is warned of when it should be near.
"""

from dataclasses import dataclass

import numpy as np

from vedette.assess.columns import Bools, Floats
from vedette.assess.kernels.weighing import NOT_COMING
from vedette.assess.pairs import Pairs
from vedette.assess.runs import Runs
from vedette.assess.settings import AssessSettings


@dataclass(frozen=True, slots=True)
class Coming:
    """Of every pair, [pairs]: ``until``: station time until which it could be about to arrive, ``expected``:
    when a plain attack should be there, by the state in which its track was detected last; `NOT_COMING` for
    none."""

    until: Floats
    expected: Floats

    def still(self, news: Bools, at: float) -> Bools:
        """Where nothing has detected it since and it could still be about to arrive."""
        return np.asarray(~news & (at <= self.until))

    def due(self, news: Bools, at: float, s: AssessSettings) -> Bools:
        """Where a plain attack that nothing detects is near in time."""
        near = (self.expected != NOT_COMING) & (self.expected - at < s.run_p50_s)
        return np.asarray(self.still(news, at) & near)


def coming(pairs: Pairs, run: Runs, news: Bools, before: Coming, at: float, s: AssessSettings) -> Coming:
    """Brought up to ``at``: anew where there is ``news`` of the track, and as it was elsewhere."""
    near = pairs.miss < s.danger_radius_m + pairs.miss_sigma
    comes = (pairs.closing > s.coming_closing_mps) & near
    # Early and late bound lie about the median by the same factor (`kernels.pairs.geometry`).
    latest = np.minimum(pairs.p50 * pairs.p50 / np.maximum(pairs.p10, 1e-3), s.coming_most_s)
    until = np.where(comes, at + latest + s.coming_slack_s, NOT_COMING)
    expected = np.where(run.aims, at + run.due, NOT_COMING)
    return Coming(np.where(news, until, before.until), np.where(news, expected, before.expected))
