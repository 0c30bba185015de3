"""A report: what a body, or a sensor that does not search, says of one place; taken one by one."""

import numpy as np
from msgspec import structs

from vedette.fuse import evidence, imm, kernels
from vedette.fuse.bodies import GATE, Bodies, conflict, strays
from vedette.fuse.kernels import F64, STATE
from vedette.fuse.picture import MODELS, Dossier, Picture, identity_of, same_place
from vedette.fuse.plots import Plot, unnamed, without_height, without_velocity

OWN_GATE = 60.0
"""A body's own reports may miss its prediction by this much (squared Mahalanobis): it may manoeuvre."""
_LEAST_STEP_S = 0.5


class Reporter(Bodies):
    """Takes reports, and holds each identity to the body that bears it."""

    def report(self, picture: Picture, plot: Plot) -> None:
        owners = picture.owners(plot.claim) if plot.claim is not None else ()
        if owners:
            self._own_report(picture, plot, owners)
        elif not self._joins(picture, plot):
            self.birth(picture, plot)

    def _joins(self, picture: Picture, plot: Plot) -> bool:
        """Use a report of a name that no track bears for the track that it fits best, if there is one.

        One that is bound to another name is taken only after all others, and only if it was heard under
        that name no more than once: a drone that calls itself something else in each frame is one body.
        """
        nameless = plot.sensor.cooperative and plot.claim is None
        placed = without_velocity(plot) if nameless else plot
        d2, cost = self._fit(picture, placed)
        fitting = [
            (conflict(picture.dossiers[slot], plot), cost[slot], slot)
            for slot in np.flatnonzero(np.isfinite(d2)).tolist()
        ]
        fitting = [fit for fit in fitting if not fit[0] or picture.dossiers[fit[2]].reports <= 1]
        if not fitting:
            return False
        slot = min(fitting)[2]
        self._use(picture, slot, plot)
        return True

    def _fit(self, picture: Picture, plot: Plot) -> tuple[F64, F64]:
        """`_score` within the gate; a height that is to be left out does not part the plot from a body."""
        scored = self._score(picture, plot, GATE[plot.rows])
        d2, cost = scored[0].copy(), scored[1].copy()
        left_out = [slot for slot, dossier in enumerate(picture.dossiers) if self.outranked(dossier, plot)]
        if left_out:
            flat = without_height(plot)
            scored = self._score(picture, flat, GATE[flat.rows])
            d2[left_out], cost[left_out] = scored[0][left_out], scored[1][left_out]
        return d2, cost

    def _own_report(self, picture: Picture, plot: Plot, owners: tuple[int, ...]) -> None:
        """A report of an identity that tracks are bound to: it moves one of them or none.

        An identity that jumps faster than anything flies is two bodies, and neither is to be trusted.
        """
        if any(strays(picture.dossiers[slot]) for slot in owners):
            plot = without_velocity(plot)
        if any(self.outranked(picture.dossiers[slot], plot) for slot in owners):
            plot = without_height(plot)
        d2, _ = self._score(picture, plot, OWN_GATE)
        fitting = [(d2[slot], slot) for slot in owners if d2[slot] <= OWN_GATE]
        if fitting:
            slot = min(fitting)[1]
            self._use(picture, slot, plot)
            return
        nearest = min((self._implied_speed(picture, slot, plot), slot) for slot in owners)
        if nearest[0] <= self.settings.impossible_speed_mps:
            self._reacquire(picture, nearest[1], plot)
            return
        for slot in owners:
            picture.revise(slot, structs.replace(picture.dossiers[slot], contradicted=True))
            self.touched[picture.dossiers[slot].id] = None
        if len(owners) < self.settings.bodies_per_identity:
            self.birth(picture, plot, contradicted=True)
        else:
            picture.tally("contradiction-unnamed")
            bare = unnamed(plot)
            if not self._joins(picture, bare):
                self.birth(picture, bare, contradicted=True)

    def _implied_speed(self, picture: Picture, slot: int, plot: Plot) -> float:
        """Least horizontal speed that brings the body from its last state to the plot, with three sigma
        of both taken off the way."""
        p, x = picture.p[slot], picture.x[slot]
        spread = 3.0 * float(p[0, 0] + p[1, 1] + plot.r[0, 0] + plot.r[1, 1]) ** 0.5
        way = float(np.hypot(plot.z[0] - x[0], plot.z[1] - x[1])) - spread
        return float(max(way, 0.0) / max(plot.time - float(picture.time[slot]), _LEAST_STEP_S))

    def _reacquire(self, picture: Picture, slot: int, plot: Plot) -> None:
        """The same body somewhere its motion did not foretell: start its state anew."""
        picture.tally("reacquired")
        self._support(picture, slot, plot, 1.0)
        self.start(picture, slot, plot)

    def _score(self, picture: Picture, plot: Plot, gate: float) -> tuple[F64, F64]:
        n = picture.count
        if self._scratch.shape[1] < n:
            self._scratch = np.zeros((3, 2 * n))
        # Scratch memory: callers read numbers out of it before they score the next plot.
        d2, cost, density = self._scratch
        kernels.score(
            n, picture.time, picture.x, picture.p, picture.known, plot.time, self.motion,
            plot.z, plot.r, plot.use, plot.origin, gate, d2, cost, density,
        )  # fmt: skip
        return d2[:n], cost[:n]

    def _use(self, picture: Picture, slot: int, plot: Plot) -> None:
        """Update a track with a plot that was assigned to it."""
        dossier = picture.dossiers[slot]
        silence = plot.time - float(picture.time[slot])
        echo = plot.sensor.cooperative and same_place(dossier.measure, plot.detection.measure)
        if echo and plot.time - float(picture.heard[slot]) <= self.settings.repeat_s:
            self._hear_again(picture, slot, plot)
            return
        if plot.sensor.cooperative and strays(dossier):
            plot = without_velocity(plot)
        if self.outranked(dossier, plot):
            plot = without_height(plot)
        x, p, mu = np.empty((MODELS, STATE)), np.empty((MODELS, STATE, STATE)), np.empty(MODELS)
        known = imm.predict(
            picture.xm[slot], picture.pm[slot], picture.mu[slot], max(silence, 0.0), self.models, self.motion,
            bool(picture.known[slot]), x, p, mu,
        )  # fmt: skip
        if self._takes_over_height(dossier, plot):
            for model in range(MODELS):
                kernels.pin_height(x[model], p[model], self.motion)
        distance = imm.update(x, p, mu, plot.z, plot.r, plot.use, plot.origin)
        ratio = evidence.report_ratio(plot, self.settings)
        if conflict(dossier, plot):
            ratio = self._stranger_ratio(picture)
        self._support(picture, slot, plot, ratio)
        if strays(picture.dossiers[slot]) and not strays(dossier):
            picture.tally("velocity-not-believed")
            self._follow_places(picture, slot, plot)
            return
        if distance < 0.0:
            picture.tally("numerics-restarted")
            self.start(picture, slot, plot)
            return
        # Without a height the prior is put back by the next prediction.
        picture.xm[slot], picture.pm[slot], picture.mu[slot] = x, p, mu
        imm.combine(x, p, mu, picture.x[slot], picture.p[slot])
        picture.known[slot] = known or bool(plot.use[2])

    def _takes_over_height(self, dossier: Dossier, plot: Plot) -> bool:
        """True if this is the first measured height after broadcast ones: nothing of them may stay."""
        measured = evidence.height_measured(dossier, plot.time, self.settings)
        return not plot.sensor.cooperative and bool(plot.use[2]) and not measured

    def _stranger_ratio(self, picture: Picture) -> float:
        crowded = picture.count - np.count_nonzero(picture.confirmed[: picture.count]) > self.settings.crowd
        settings = self.settings
        return settings.crowded_stranger_likelihood_ratio if crowded else settings.stranger_likelihood_ratio

    def _follow_places(self, picture: Picture, slot: int, plot: Plot) -> None:
        """Its stated velocity was found false: start anew with what its places say of it."""
        self.start(picture, slot, without_velocity(plot))
        pace = picture.dossiers[slot].pace
        assert pace is not None
        picture.x[slot, 3:5] = pace.way_mps
        self.spread_models(picture, slot)

    def _hear_again(self, picture: Picture, slot: int, plot: Plot) -> None:
        """Another receiver, or the same again, heard one broadcast: no new evidence, one more witness."""
        dossier = picture.dossiers[slot]
        sensors = evidence.with_sensor(dossier.sensors, plot.sensor.id, plot.time)
        identity = dossier.identity or identity_of(plot.claim)
        picture.revise(slot, structs.replace(dossier, sensors=sensors, identity=identity))
        picture.tally("heard-again")

    def _support(self, picture: Picture, slot: int, plot: Plot, ratio: float) -> None:
        """Raise existence and bring the dossier up to date."""
        now = self.existence(picture, slot, plot.time)
        picture.existence[slot] = evidence.strengthen(now, ratio)
        if picture.existence[slot] > self.settings.confirm_existence:
            picture.confirmed[slot] = True
        picture.time[slot] = picture.heard[slot] = plot.time
        picture.revise(slot, self.dossier_after(picture.dossiers[slot], plot))
        self.touched[picture.dossiers[slot].id] = None
