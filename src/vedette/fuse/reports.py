"""What bodies say of themselves (Remote ID and the like), and places from sensors that do not search: one by
one, each of one track or of a new one."""

import math
from collections.abc import Sequence

import numpy as np
from msgspec import structs

from vedette.fuse.identity import claims, evidence
from vedette.fuse.identity.binding import Binding
from vedette.fuse.identity.claims import LEAST_STEP_S, Fit
from vedette.fuse.identity.names import identity_of
from vedette.fuse.keeper import Keeper, conflict
from vedette.fuse.kernels import imm, kalman
from vedette.fuse.kernels.kalman import F64, STATE
from vedette.fuse.picture import MODELS, Dossier, Picture
from vedette.fuse.plots import Plot, placed, unnamed, without_height, without_velocity
from vedette.fuse.sensing.crowding import Crowding
from vedette.fuse.sightings import Sightings, with_sensor
from vedette.model import Position

GATE = (0.0, 10.83, 13.82, 16.27, 18.47, 20.52, 22.46, 24.32)
"""Chi-square 0.999 quantiles by the number of rows (table of the chi-square distribution)."""

OWN_GATE = 60.0
"""A body's own reports may miss its prediction by this much (squared Mahalanobis): it may manoeuvre."""


class Reports:
    """Takes reports into pictures."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper, self._settings = keeper, keeper.settings
        self._binding, self._crowding = Binding(keeper), Crowding(keeper.settings)

    def take(self, picture: Picture, plot: Plot) -> None:
        """One report."""
        plot = placed(plot)
        owners = picture.owners(plot.claim) if plot.claim is not None else ()
        if owners:
            self._own_report(picture, plot, owners)
        elif not self._joins(picture, plot):
            self._found(picture, plot)

    def _found(self, picture: Picture, plot: Plot) -> None:
        """A report that fits no track is of a new body, or of none."""
        if plot.claim is not None:
            self._keeper.birth(picture, plot)
            return
        likely = self._crowding.birth(picture, plot, evidence.birth_existence(plot, self._settings))
        self._crowding.count(picture, plot, 1.0 - likely)
        self._keeper.birth(picture, plot, likely)

    def hear(self, picture: Picture, plots: Sequence[Plot]) -> None:
        """Directions that came with a name: does its bearer stand there?"""
        for plot in plots:
            if not plot.mute and plot.bearing and plot.claim is not None:
                self._binding.hear(picture, plot)

    def _joins(self, picture: Picture, plot: Plot) -> bool:
        """Use a report of a name that no track bears for the track that it fits best, if there is one.

        One that is bound to another name is taken only after all others, and only if it was heard under
        that name no more than once: a drone that calls itself something else in each frame is one body.
        """
        body = self._binding.body_at(picture, plot, ())
        if body is not None and not conflict(picture.dossiers[body[0]], plot):
            self._use_weighed(picture, body[0], plot, math.inf)
            return True
        nameless = plot.sensor.cooperative and plot.claim is None
        placed = without_velocity(plot) if nameless else plot
        d2, cost = self._fit(picture, placed)
        fitting = [
            (conflict(picture.dossiers[slot], plot), cost[slot], slot)
            for slot in np.flatnonzero(np.isfinite(d2)).tolist()
        ]
        fitting = [fit for fit in fitting if self._may_join(picture, fit[2], plot, stranger=fit[0])]
        if not fitting:
            return False
        slot = min(fitting)[2]
        self._use_weighed(picture, slot, plot, self._binding.foretold_density(slot))
        return True

    def _use_weighed(self, picture: Picture, slot: int, plot: Plot, foretold: float) -> None:
        """Use a report that the track may have met by chance: it foretold one there with the density
        ``foretold`` (a square metre)."""
        ratio = self._ratio(picture, slot, plot)
        if plot.claim is None or conflict(picture.dossiers[slot], plot):
            ratio = self._crowding.ratio(picture, plot, slot, foretold, ratio)
        doubt = self._crowding.doubt(picture, plot, slot, self._keeper.existence(picture, slot, plot.time))
        self._use(picture, slot, plot, ratio)
        self._crowding.count(picture, plot, doubt)

    def _may_join(self, picture: Picture, slot: int, plot: Plot, *, stranger: bool) -> bool:
        """What fits a body that sensors see was found already."""
        if stranger:
            return picture.dossiers[slot].reports <= 1
        return not self._binding.holds(picture, slot, plot)

    def _fit(self, picture: Picture, plot: Plot) -> tuple[F64, F64]:
        """`_score` within the gate; a height that is to be left out does not part the plot from a body."""
        scored = self._binding.score(picture, plot, GATE[plot.rows])
        d2, cost = scored[0].copy(), scored[1].copy()
        seen = picture.independent if plot.sensor.cooperative else picture.reported
        slots = np.flatnonzero(seen[: picture.count]).tolist()
        left_out = [slot for slot in slots if self._outranked(picture, slot, plot)]
        if left_out:
            flat = without_height(plot)
            scored = self._binding.score(picture, flat, GATE[flat.rows])
            d2[left_out], cost[left_out] = scored[0][left_out], scored[1][left_out]
        return d2, cost

    def _own_report(self, picture: Picture, plot: Plot, owners: tuple[int, ...]) -> None:
        """A report of an identity that tracks are bound to."""
        bodies = tuple(slot for slot in owners if self._binding.holds(picture, slot, plot))
        if bodies:
            self._test(picture, plot, owners, bodies)
        elif not self._binding.court(picture, plot, owners, held=False):
            plot = self._pruned(picture, plot, owners)
            slot = self._fitting(picture, plot, owners)
            if slot is not None:
                self._use(picture, slot, plot)
            else:
                self._split(picture, plot, owners, owners)

    def _test(self, picture: Picture, plot: Plot, owners: tuple[int, ...], bodies: tuple[int, ...]) -> None:
        """A report of a name that ``bodies`` bear whose places sensors hold: it fits one of them, or another
        track that bears the name, or another body, or nothing."""
        fits = [self._binding.fit(picture, slot, plot) for slot in bodies]
        fit, slot = min(zip(fits, bodies, strict=True))
        words = tuple(slot for slot in owners if slot not in bodies)
        plot = self._pruned(picture, plot, words)
        outdone = self._binding.outdone(picture, slot, fit, plot, owners)
        word = self._better_word(picture, plot, slot, fit, words)
        if word is None and not outdone and self._is_its_own(picture.dossiers[slot], fit):
            self._use(picture, slot, plot)
            return
        if word is not None:
            self._use(picture, word, plot)
        silent = [
            (body, its, self._binding.belies(picture, body, plot, apart=word is not None))
            for body, its in zip(bodies, fits, strict=True)
            if word is None or plot.time - picture.dossiers[body].borne > self._settings.claim_silence_s
        ]
        for body, its, _ in silent:
            self._binding.lose(picture, body, its, plot)
        if word is None and self._binding.court(picture, plot, owners, held=True):
            return
        for body, its, lies in silent:
            if lies:
                self._binding.disagree(picture, body, its)
                if word is not None and not picture.dossiers[word].contradicted:
                    self._binding.forswear(picture, word, (body,))
        if word is None:
            self._split(picture, plot, words, owners, lies=any(lies for _, _, lies in silent))

    def _better_word(
        self, picture: Picture, plot: Plot, body: int, fit: Fit, words: tuple[int, ...]
    ) -> int | None:
        """Of the tracks that bear the report's name and no sensor holds, the one that it fits best, if the
        body does not claim it: by ``fit`` it is beyond its gate, or in doubt and the word foretold it better.
        """
        word = self._fitting(picture, plot, words)
        if word is None or fit.d2 > GATE[2]:
            return word
        settings = self._settings
        bond = claims.bonded(picture.dossiers[body].bond, fit.nats, settings)
        clearer = self._binding.fit(picture, word, plot).nats > fit.nats + settings.claim_clearer_nats
        return word if clearer and not claims.is_bound(bond, settings) else None

    def _is_its_own(self, dossier: Dossier, fit: Fit) -> bool:
        """Whether a body's own report may miss it by so much: it may manoeuvre, but not for long."""
        after = claims.bonded(dossier.bond, fit.nats, self._settings)
        doubtful = fit.d2 > GATE[2] and claims.is_unbound(after, self._settings)
        return fit.d2 <= OWN_GATE and not doubtful

    def _pruned(self, picture: Picture, plot: Plot, owners: tuple[int, ...]) -> Plot:
        """The report without what is not believed of any of the tracks that bear its name."""
        if any(_strays(picture.dossiers[slot]) for slot in owners):
            plot = without_velocity(plot)
        if any(self._outranked(picture, slot, plot) for slot in owners):
            plot = without_height(plot)
        return plot

    def _fitting(self, picture: Picture, plot: Plot, owners: tuple[int, ...]) -> int | None:
        """Of the tracks that bear the report's name, the one that it fits best, if there is one."""
        if not owners:
            return None
        d2, _ = self._binding.score(picture, plot, OWN_GATE)
        fitting = [(d2[slot], slot) for slot in owners if d2[slot] <= OWN_GATE]
        return min(fitting)[1] if fitting else None

    def _split(
        self,
        picture: Picture,
        plot: Plot,
        words: tuple[int, ...],
        owners: tuple[int, ...],
        *,
        lies: bool = False,
    ) -> None:
        """A report that fits none of the ``owners`` of its name, of which ``words`` are not seen by sensors;
        ``lies``: those that are have shown it to be false.

        An identity that jumps faster than anything flies is two bodies, and neither is to be trusted.
        """
        reason = "position-disagrees" if lies else ""
        if words:
            speed, slot = min((self._implied_speed(picture, slot, plot), slot) for slot in words)
            if speed <= self._settings.impossible_speed_mps:
                self._reacquire(picture, slot, plot)
                return
            if words == owners:
                reason = f"impossible-jump:{speed:.0f}mps"
                for slot in words:
                    self._binding.doubt(picture, slot, reason)
        bare = len(owners) >= self._settings.bodies_per_identity
        if bare:
            picture.tally("contradiction-unnamed")
            plot = unnamed(plot)
        if not (bare and self._joins(picture, plot)):
            born = self._keeper.birth(picture, plot, contradicted=bool(reason))
            if born is not None and lies:
                self._binding.forswear(picture, picture.slots[born], owners)
            elif born is not None and reason:
                self._binding.doubt(picture, picture.slots[born], reason)
            elif born is not None and not self._lied(picture, owners):
                picture.bodily[picture.slots[born]] = self._settings.parted_bodily_prior

    def _lied(self, picture: Picture, owners: tuple[int, ...]) -> bool:
        """Whether the name is known to lie, or was bound to no body."""
        bound = any(picture.bodily[slot] >= 1.0 for slot in owners)
        return not bound or any(picture.dossiers[slot].contradicted for slot in owners)

    def _implied_speed(self, picture: Picture, slot: int, plot: Plot) -> float:
        """Least horizontal speed that brings the body from its last state to the plot, with three sigma
        of both taken off the way."""
        p, x = picture.p[slot], picture.x[slot]
        spread = 3.0 * float(p[0, 0] + p[1, 1] + plot.r[0, 0] + plot.r[1, 1]) ** 0.5
        way = float(np.hypot(plot.z[0] - x[0], plot.z[1] - x[1])) - spread
        return float(max(way, 0.0) / max(plot.time - float(picture.time[slot]), LEAST_STEP_S))

    def _reacquire(self, picture: Picture, slot: int, plot: Plot) -> None:
        """The same body somewhere its motion did not foretell: start its state anew."""
        picture.tally("reacquired")
        self._keeper.support(picture, slot, plot, 1.0)
        self._binding.follow(picture, slot)
        self._keeper.start(picture, slot, plot)

    def _use(self, picture: Picture, slot: int, plot: Plot, ratio: float | None = None) -> None:
        """Update a track with a plot that was assigned to it; ``ratio``: what that is worth."""
        ratio = self._ratio(picture, slot, plot) if ratio is None else ratio
        dossier = picture.dossiers[slot]
        silence = plot.time - float(picture.time[slot])
        held = self._binding.holds(picture, slot, plot)
        last = dossier.reported if held else float(picture.heard[slot])
        if (
            plot.sensor.cooperative
            and _same_place(dossier, plot)
            and plot.time - last <= self._settings.repeat_s
        ):
            self._hear_again(picture, slot, plot)
            return
        if held:
            self._hold(picture, slot, plot, ratio)
            return
        if plot.sensor.cooperative and _strays(dossier):
            plot = without_velocity(plot)
        if self._outranked(picture, slot, plot):
            plot = without_height(plot)
        x, p, mu = np.empty((MODELS, STATE)), np.empty((MODELS, STATE, STATE)), np.empty(MODELS)
        known = imm.predict(
            picture.xm[slot], picture.pm[slot], picture.mu[slot], max(silence, 0.0), self._keeper.models,
            self._keeper.motion, bool(picture.known[slot]), x, p, mu,
        )  # fmt: skip
        if self._takes_over_height(picture.sightings[slot], plot):
            for model in range(MODELS):
                kalman.pin_height(x[model], p[model], self._keeper.motion)
        distance = imm.update(x, p, mu, *plot.place)
        self._keeper.support(picture, slot, plot, ratio)
        self._binding.check_frozen(picture, slot, plot)
        self._binding.follow(picture, slot)
        if _strays(picture.dossiers[slot]) and not _strays(dossier):
            picture.tally("velocity-not-believed")
            self._follow_places(picture, slot, plot)
            return
        if distance < 0.0:
            picture.tally("numerics-restarted")
            self._keeper.start(picture, slot, plot)
            return
        # Without a height the prior is put back by the next prediction.
        picture.xm[slot], picture.pm[slot], picture.mu[slot] = x, p, mu
        imm.combine(x, p, mu, picture.x[slot], picture.p[slot])
        picture.known[slot] = known or bool(plot.use[2])

    def _outranked(self, picture: Picture, slot: int, plot: Plot) -> bool:
        """True if the plot's height is to be left out: a broadcast one where a sensor has measured it, or
        that of a sensor that only described itself where the body states one (by either, a drone could be
        lifted out of a danger radius)."""
        if not plot.use[2]:
            return False
        if plot.sensor.cooperative:
            return evidence.height_measured(picture.sightings[slot], plot.time, self._settings)
        return not plot.sensor.vouched and bool(picture.reported[slot])

    def _takes_over_height(self, sightings: Sightings, plot: Plot) -> bool:
        """True if this is the first measured height after broadcast ones: nothing of them may stay."""
        measured = evidence.height_measured(sightings, plot.time, self._settings)
        return not plot.sensor.cooperative and bool(plot.use[2]) and not measured

    def _hold(self, picture: Picture, slot: int, plot: Plot, ratio: float) -> None:
        """A report of a body whose place sensors hold: it says who that is, and no more."""
        fit = self._binding.fit(picture, slot, plot)
        self._binding.agree(picture, slot, plot, fit, ratio)
        if _strays(picture.dossiers[slot]):
            picture.tally("velocity-not-believed")

    def _ratio(self, picture: Picture, slot: int, plot: Plot) -> float:
        if conflict(picture.dossiers[slot], plot):
            return self._stranger_ratio(picture)
        return evidence.report_ratio(plot, self._settings)

    def _stranger_ratio(self, picture: Picture) -> float:
        crowded = picture.count - np.count_nonzero(picture.confirmed[: picture.count]) > self._settings.crowd
        settings = self._settings
        return settings.crowded_stranger_likelihood_ratio if crowded else settings.stranger_likelihood_ratio

    def _follow_places(self, picture: Picture, slot: int, plot: Plot) -> None:
        """Its stated velocity was found false: start anew with what its places say of it."""
        self._keeper.start(picture, slot, without_velocity(plot))
        pace = picture.dossiers[slot].pace
        assert pace is not None
        picture.x[slot, 3:5] = pace.way_mps
        self._keeper.spread_models(picture, slot)

    def _hear_again(self, picture: Picture, slot: int, plot: Plot) -> None:
        """Another receiver, or the same again, heard one broadcast: no new evidence, one more witness."""
        dossier, seen = picture.dossiers[slot], picture.sightings[slot]
        sensors = with_sensor(seen.sensors, plot.sensor.id, plot.time, measures=not plot.sensor.cooperative)
        identity = dossier.identity or identity_of(plot.claim)
        seen = structs.replace(seen, sensors=sensors)
        picture.revise(slot, structs.replace(dossier, identity=identity), seen)
        picture.tally("heard-again")


def _strays(dossier: Dossier) -> bool:
    """True if the velocity it states is not the one it flies with."""
    return dossier.pace is not None and dossier.pace.false


def _same_place(dossier: Dossier, plot: Plot) -> bool:
    """True for two equal reported positions."""
    return isinstance(dossier.measure, Position) and dossier.measure == plot.detection.measure
