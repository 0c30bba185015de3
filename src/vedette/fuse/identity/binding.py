"""Which claims belong to which bodies: the state of `vedette.fuse.identity.claims` in the picture.

While a sensor that measures places sees a body, no report moves it: reports are then evidence of who it is,
and the estimate that they are tested against is of independent sensors alone (DESIGN, law 3).
"""

import math

import numpy as np
from msgspec import structs

from vedette.fuse.identity import claims, evidence
from vedette.fuse.identity.claims import GATE, Fit, Suit
from vedette.fuse.identity.names import identity_of
from vedette.fuse.identity.verdict import rivals
from vedette.fuse.keeper import Keeper, conflict
from vedette.fuse.kernels import imm, kalman
from vedette.fuse.kernels.kalman import F64, STATE
from vedette.fuse.picture import MODELS, Dossier, Picture
from vedette.fuse.plots import Plot, without_height, without_velocity
from vedette.fuse.sightings import NEVER
from vedette.model import Identity

_LEAST_PLOTS = 3
"""Of a body that was first known by its reports: before, what the reports made of its state stands."""


class Binding:
    """Tests reports against bodies, and binds and unbinds what they call themselves."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper, self._settings = keeper, keeper.settings
        self._scratch = np.zeros((3, 0))

    def holds(self, picture: Picture, slot: int, plot: Plot) -> bool:
        """True if the plot is a mere report and sensors hold the body's place against it."""
        seen = picture.sightings[slot]
        if not (plot.sensor.cooperative and picture.confirmed[slot]):
            return False
        dossier, until = picture.dossiers[slot], seen.held
        if dossier.identity is not None and not claims.is_bound(dossier.bond, self._settings):
            until += self._settings.doubted_claim_hold_s - self._settings.claim_hold_s
        if plot.time > until:
            return False
        return bool(picture.bodily[slot] >= 1.0) or (
            dossier.identity is None or dossier.agreements >= _LEAST_PLOTS
        )

    def score(self, picture: Picture, plot: Plot, gate: float) -> tuple[F64, F64]:
        """Squared distances (n,), infinite beyond ``gate``, and costs (n,), of a plot to all tracks, valid
        until the next call."""
        n = picture.count
        if self._scratch.shape[1] < n:
            self._scratch = np.zeros((3, 2 * n))
        d2, cost, density = self._scratch
        kalman.score(
            n, picture.time, picture.x, picture.p, picture.known, plot.time, self._keeper.motion,
            *plot.place, gate, d2, cost, density,
        )  # fmt: skip
        return d2[:n], cost[:n]

    def foretold_density(self, slot: int) -> float:
        """Density (a square metre) at which the track foretold the plot that was scored last."""
        return float(self._scratch[2, slot])

    def fit(self, picture: Picture, slot: int, plot: Plot) -> Fit:
        """The report against what sensors foretell of the body."""
        return claims.fit(*self._foretold(picture, slot, plot.time), plot, self._settings)

    def hear(self, picture: Picture, plot: Plot) -> None:
        """A direction in which a name is sent: it must be that of a track which bears the name."""
        owners = picture.owners(plot.claim) if plot.claim is not None else ()
        off = [claims.turned(*self._foretold(picture, slot, plot.time), plot) for slot in owners]
        passes = [one.degrees > one.usual_degrees + self._settings.bearing_slack_deg for one in off]
        for slot, one in zip(owners, off, strict=True):
            astray = picture.dossiers[slot].astray + 1 if all(passes) else 0
            picture.revise(slot, structs.replace(picture.dossiers[slot], astray=astray))
            if astray >= self._settings.bearings_to_doubt:
                self.doubt(picture, slot, f"bearing-disagrees:{one.degrees:.0f}deg")

    def _foretold(self, picture: Picture, slot: int, time: float) -> tuple[F64, F64]:
        """State (6,) and covariance (6, 6) of a track at a later time."""
        x, p, mu = np.empty((MODELS, STATE)), np.empty((MODELS, STATE, STATE)), np.empty(MODELS)
        imm.predict(
            picture.xm[slot], picture.pm[slot], picture.mu[slot],
            max(time - float(picture.time[slot]), 0.0), self._keeper.models, self._keeper.motion,
            bool(picture.known[slot]), x, p, mu,
        )  # fmt: skip
        mean, spread = np.empty(STATE), np.empty((STATE, STATE))
        imm.combine(x, p, mu, mean, spread)
        return mean, spread

    def body_at(self, picture: Picture, plot: Plot, owners: tuple[int, ...]) -> tuple[int, Fit] | None:
        """The body, none of the ``owners``, that sensors hold where the report says that its sender is."""
        if not plot.sensor.cooperative:
            return None
        d2, _ = self.score(picture, without_height(without_velocity(plot)), GATE)
        fits = []
        for slot in np.flatnonzero(np.isfinite(d2)).tolist():
            if slot not in owners and self.holds(picture, slot, plot):
                fit = self.fit(picture, slot, plot)
                if fit.nats > 0.0:
                    fits.append((conflict(picture.dossiers[slot], plot), -fit.nats, slot, fit))
        if not fits:
            return None
        best = min(fits)
        return best[2], best[3]

    def agree(self, picture: Picture, slot: int, plot: Plot, fit: Fit, ratio: float) -> None:
        """A report that is taken as this body's own, without moving it."""
        settings = self._settings
        stranger = conflict(picture.dossiers[slot], plot)
        self._keeper.support(picture, slot, plot, ratio, moved=False)
        dossier = picture.dossiers[slot]
        if plot.claim is None:
            return
        if stranger:
            suit = claims.courted(dossier.suits, plot.claim, fit.nats, plot.time, settings)
            self._put_suit(picture, slot, suit)
            return
        dossier = self._weighed(picture, slot, dossier, fit, plot.time)
        if fit.nats > 0.0:
            dossier = structs.replace(dossier, borne=plot.time)
        if claims.is_bound(dossier.bond, settings):
            picture.bodily[slot] = 1.0
            self._release(picture, slot, plot)
            if self._vindicated(picture, slot, dossier, plot):
                picture.tally("claim-recovered")
                dossier = structs.replace(dossier, contradicted=False, doubt="")
        picture.revise(slot, dossier)
        if claims.is_unbound(dossier.bond, settings) and self.belies(picture, slot, plot):
            self.disagree(picture, slot, fit)
        self.check_frozen(picture, slot, plot)

    def lose(self, picture: Picture, slot: int, fit: Fit, plot: Plot) -> None:
        """A report of the body's name is another's."""
        picture.revise(slot, self._weighed(picture, slot, picture.dossiers[slot], fit, plot.time))

    def _weighed(self, picture: Picture, slot: int, dossier: Dossier, fit: Fit, now: float) -> Dossier:
        """The dossier after a report of its name."""
        bond, parted = claims.bonded(dossier.bond, fit.nats, self._settings), NEVER
        if fit.nats <= 0.0:
            parted = now
            if now - dossier.parted > self._settings.agreement_life_s:
                picture.apart[slot] = 0.0
        return structs.replace(dossier, bond=bond, parted=parted)

    def follow(self, picture: Picture, slot: int) -> None:
        """The track is put where its name says."""
        dossier = picture.dossiers[slot]
        if dossier.parted != NEVER:
            picture.revise(slot, structs.replace(dossier, parted=NEVER))

    def belies(self, picture: Picture, slot: int, plot: Plot, *, apart: bool = False) -> bool:
        """Whether a report that does not fit the body speaks against the claim, and not against the track:
        the claim has jumped, or sensors go on seeing this body, and nothing where the claim is. ``apart``:
        the report is that of another track of the name, and no jump of this body's claim."""
        if not apart and self._leaps(picture, slot, plot):
            return True
        left = picture.dossiers[slot].parted != NEVER
        firm = left and picture.apart[slot] >= self._settings.claim_apart_nats
        return bool(firm) and not self._seen_there(picture, slot, plot)

    def _leaps(self, picture: Picture, slot: int, plot: Plot) -> bool:
        """Whether nothing flies from where the name's last report on this track was to this one."""
        said = picture.dossiers[slot].said
        return said is not None and claims.jumped(said, plot, self._settings)

    def _seen_there(self, picture: Picture, slot: int, plot: Plot) -> bool:
        """Whether a sensor has seen anything lately, be it doubtful still, where the report says that its
        sender is: while it may be the body that the track has lost, nobody is accused."""
        d2, _ = self.score(picture, without_height(without_velocity(plot)), GATE)
        lately = plot.time - self._settings.claim_hold_s
        return any(
            other != slot
            and picture.sightings[other].seen >= lately
            and self.fit(picture, other, plot).nats > 0.0
            and self._may_be_lost(picture, slot, other, plot)
            for other in np.flatnonzero(np.isfinite(d2)).tolist()
        )

    def disagree(self, picture: Picture, slot: int, fit: Fit) -> None:
        """The body is not where its claim says."""
        self.doubt(picture, slot, f"position-disagrees:{fit.metres:.0f}m")

    def doubt(self, picture: Picture, slot: int, reason: str) -> None:
        """Its claim is contradicted, until sensors have agreed with it anew."""
        dossier = structs.replace(picture.dossiers[slot], contradicted=True, doubt=reason, agreements=0)
        picture.revise(slot, dossier)
        self._keeper.touched[dossier.id] = None

    def check_frozen(self, picture: Picture, slot: int, plot: Plot) -> None:
        """Doubt a claim that states a speed and, for seconds, the same place to the bit."""
        dossier = picture.dossiers[slot]
        if plot.claim is not None and claims.is_frozen(dossier.still, plot, self._settings):
            self.doubt(picture, slot, f"frozen:{plot.time - dossier.still:.0f}s")

    def court(self, picture: Picture, plot: Plot, owners: tuple[int, ...], *, held: bool) -> bool:
        """A report that fits no body which bears its name, and perhaps another one; true if that explains it.

        ``held``: sensors see the bodies that bear the name; two tracks may then have changed bodies. If they
        do not, the report is the owners' own as long as the other body has not been found to send it."""
        claim, found = plot.claim, self.body_at(picture, plot, owners)
        if claim is None or found is None:
            return False
        slot, fit = found
        dossier = picture.dossiers[slot]
        seen = [owner for owner in owners if self.holds(picture, owner, plot)]
        alien = not all(self._may_be_lost(picture, owner, slot, plot) for owner in seen)
        suit = claims.courted(dossier.suits, claim, fit.nats, plot.time, self._settings)
        suit = structs.replace(suit, alien=alien)
        self._put_suit(picture, slot, suit)
        if alien or any(self._lies(picture, owner, plot) for owner in seen):
            return False
        if dossier.founded <= self._left(picture, owners):
            return False
        if claims.is_bound(suit.bond, self._settings) and self._free(dossier, plot.time):
            known = [picture.dossiers[o] for o in owners if o not in seen]
            if not any(claims.is_bound(one.bond, self._settings) for one in known):
                self._wed(picture, slot, plot, suit, owners)
                return True
        return held and suit.reports <= self._settings.verify_agreements

    def _lies(self, picture: Picture, slot: int, plot: Plot) -> bool:
        """Whether the name that a body bears was found to lie, or does so by this report: it is then not
        believed of another body either. Else a liar would change over to whoever flies where he says."""
        return picture.dossiers[slot].contradicted or self._leaps(picture, slot, plot)

    def _left(self, picture: Picture, owners: tuple[int, ...]) -> float:
        """When the last report came that fitted a body which the name of these ``owners`` has left by a lie.
        A track that was known by then is of another body, whatever has become of the one that lied."""
        dossiers = [picture.dossiers[owner] for owner in owners]
        return max((_last_fit(one) for one in dossiers if one.contradicted), default=NEVER)

    def forswear(self, picture: Picture, slot: int, owners: tuple[int, ...]) -> None:
        """What a name says here is not believed, because the ``owners`` have shown it to be a lie."""
        left = self._left(picture, owners)
        picture.revise(slot, structs.replace(picture.dossiers[slot], left=left))
        self.doubt(picture, slot, "position-disagrees")

    def _may_be_lost(self, picture: Picture, slot: int, other: int, plot: Plot) -> bool:
        """Whether the ``other`` body may be the one that this track has lost: it was where the name was heard
        of this track last. The first answer stands, for it is the sharpest."""
        said, claim = picture.dossiers[slot].said, plot.claim
        if said is None or claim is None:
            return True
        known = claims.suit_of(picture.dossiers[other].suits, claim, plot.time, self._settings)
        if known is not None:
            return not known.alien
        return claims.came_along(*self._foretold(picture, other, plot.time), plot.time, said)

    def outdone(self, picture: Picture, slot: int, fit: Fit, plot: Plot, owners: tuple[int, ...]) -> bool:
        """Whether a body without this name foretold the report better than one whose claim is in doubt. A
        track that has lost its body is vague, and soon foretells any place a little."""
        dossier = picture.dossiers[slot]
        if claims.is_bound(claims.bonded(dossier.bond, fit.nats, self._settings), self._settings):
            return False
        found = self.body_at(picture, plot, owners)
        if found is None or not self._free(picture.dossiers[found[0]], plot.time):
            return False
        return found[1].nats > fit.nats + self._settings.claim_clearer_nats

    def _put_suit(self, picture: Picture, slot: int, suit: Suit) -> None:
        dossier = picture.dossiers[slot]
        suits = claims.with_suit(dossier.suits, suit, self._settings)
        picture.revise(slot, structs.replace(dossier, suits=suits))

    def _free(self, dossier: Dossier, now: float) -> bool:
        """True if the body bears no name that it was ever found to send, or has been found not to send it."""
        if dossier.identity is None or claims.is_unbound(dossier.bond, self._settings):
            return True
        silent = now - dossier.reported > self._settings.agreement_life_s
        return silent and not claims.is_bound(dossier.bond, self._settings)

    def _wed(self, picture: Picture, slot: int, plot: Plot, suit: Suit, owners: tuple[int, ...]) -> None:
        """Bind a name to the body that sends it. Tracks that were mere words of it are this body."""
        gone = np.zeros(picture.count, np.bool_)
        for owner in owners:
            if not self.holds(picture, owner, plot):
                gone[owner] = True
            elif self._moved_on(picture.dossiers[owner], suit):
                self._name(picture, owner, None, None)
        self._name(picture, slot, identity_of(plot.claim), suit)
        picture.revise(slot, structs.replace(picture.dossiers[slot], borne=plot.time))
        self._keeper.support(picture, slot, plot, evidence.report_ratio(plot, self._settings), moved=False)
        picture.bodily[slot] = 1.0
        picture.tally("claim-moved")
        picture.remove(gone)

    def _release(self, picture: Picture, slot: int, plot: Plot) -> None:
        """A name that was found to be this body's is taken off those that were found not to send it; but one
        with which a body has lied stays with it."""
        for other in picture.owners(plot.claim) if plot.claim is not None else ():
            dossier = picture.dossiers[other]
            unbound = other != slot and claims.is_unbound(dossier.bond, self._settings)
            if unbound and not (dossier.contradicted and self.holds(picture, other, plot)):
                self._name(picture, other, None, None)

    def _moved_on(self, dossier: Dossier, suit: Suit) -> bool:
        """True if the name is not sent from two places, but from another one than before."""
        return dossier.borne < suit.since or claims.is_unbound(dossier.bond, self._settings)

    def _name(self, picture: Picture, slot: int, identity: Identity | None, suit: Suit | None) -> None:
        """Another name, or none: nothing that was found of the old one holds for it."""
        old = picture.dossiers[slot]
        suits = tuple(
            one for one in old.suits if suit is None or (one.scheme, one.id) != (suit.scheme, suit.id)
        )
        dossier = structs.replace(
            old,
            identity=identity,
            contradicted=False,
            doubt="",
            reports=0 if suit is None else suit.reports - 1,
            agreements=0,
            strangers=0,
            pace=None,
            bond=0.0 if suit is None else suit.bond,
            borne=NEVER if suit is None else suit.time,
            parted=NEVER,
            left=NEVER,
            said=None,
            suits=suits,
            still=NEVER,
        )
        picture.revise(slot, dossier)
        self._keeper.touched[dossier.id] = None

    def _vindicated(self, picture: Picture, slot: int, dossier: Dossier, plot: Plot) -> bool:
        """True if sensors have agreed with a contradicted claim anew, nobody else sends it, and it is not
        that of another body which lies, or has lied."""
        if not dossier.contradicted or dossier.agreements < self._settings.verify_agreements:
            return False
        if dossier.left == math.inf:
            return False
        owners = picture.owners(plot.claim) if plot.claim is not None else ()
        lied = any(
            other != slot and picture.dossiers[other].contradicted and self.holds(picture, other, plot)
            for other in owners
        )
        return not lied and not rivals(picture, slot, plot.time, self._settings)


def _last_fit(dossier: Dossier) -> float:
    """When the last report came that fitted the body of a name which lies, be this it or another one."""
    return dossier.left if dossier.borne == NEVER else dossier.borne
