"""What reports, looks and the turns of seconds have in common: tracks foretold, founded, and supported."""

from collections.abc import Sequence

import numpy as np

from vedette.fuse import room
from vedette.fuse.classes import Natures
from vedette.fuse.identity import claims, evidence
from vedette.fuse.identity.names import identity_of, track_id
from vedette.fuse.identity.pace import paced
from vedette.fuse.kernels import comparison, imm, kalman, polar, survival
from vedette.fuse.kernels.kalman import F64, STATE, Mask
from vedette.fuse.picture import MODELS, Dossier, Picture
from vedette.fuse.plots import Plot
from vedette.fuse.settings import FuseSettings
from vedette.fuse.sightings import NEVER, NONE, Sightings, held_until
from vedette.model import Identity

FIRST = (0.45, 0.3, 0.25)
"""Probabilities of the models of a body seen for the first time."""

_SCHEME_RANK = {"remote-id-serial": 2, "dji-serial": 2, "icao": 2, "caa-registration": 1}


class Models:
    """Room for the models of tracks at one time: x (n, m, 6), p (n, m, 6, 6), mu (n, m), known (n,).

    It is kept from look to look, for memory that is new each time costs as much as what is done in it."""

    def __init__(self) -> None:
        self._room(0)

    def _room(self, n: int) -> None:
        self._x, self._p = np.zeros((n, MODELS, STATE)), np.zeros((n, MODELS, STATE, STATE))
        self._mu, self._known = np.zeros((n, MODELS)), np.zeros(n, np.bool_)

    def of(self, n: int) -> tuple[F64, F64, F64, Mask]:
        """Arrays for ``n`` tracks, valid until the next call."""
        if n > len(self._x):
            self._room(2 * n)
        return self._x[:n], self._p[:n], self._mu[:n], self._known[:n]


class Keeper:
    """Holds nothing between steps but scratch memory and ``touched``: the ids of all confirmed tracks, and of
    some others, that the steps since it was emptied have changed."""

    def __init__(self, settings: FuseSettings) -> None:
        self.settings = settings
        self.touched: dict[str, None] = {}
        self.motion: F64 = np.array(
            [
                settings.accel_psd_horizontal_m2ps3,
                settings.accel_psd_vertical_m2ps3,
                settings.prior_height_m,
                settings.prior_height_sigma_m**2,
                settings.birth_climb_sigma_mps**2,
            ]
        )
        densities = (settings.straight_psd_m2ps3, settings.agile_psd_m2ps3, settings.hover_psd_m2ps3)
        decays = (0.0, 0.0, settings.hover_decay_s)
        columns = (densities, decays, settings.sojourn_s, settings.climb_decay_s)
        self.models: F64 = np.array(
            [(*density, decay, stay, climb) for density, decay, stay, climb in zip(*columns, strict=True)]
        )
        self.first: F64 = np.array(FIRST)
        speed, climb = settings.birth_speed_sigma_mps, settings.birth_climb_sigma_mps
        self.unsure: F64 = np.array([speed, speed, climb])
        self.times: F64 = np.array(
            [settings.stay_s, settings.silence_grace_s, settings.silence_time_constant_s]
        )
        self._models = Models()
        self.natures = Natures(settings)

    def foretold(self, picture: Picture, now: float) -> tuple[F64, F64, F64, Mask]:
        """All models of all tracks at ``now``, in memory that the next call uses again."""
        n = picture.count
        x, p, mu, known = self._models.of(n)
        imm.predict_all(
            n, picture.time, picture.xm, picture.pm, picture.mu, picture.known, now, self.models, self.motion,
            x, p, mu, known,
        )  # fmt: skip
        return x, p, mu, known

    def predicted(self, picture: Picture, now: float) -> tuple[F64, F64, list[bool]]:
        """All states (n, 6), covariances (n, 6, 6) and whether heights are known, at ``now``."""
        n = picture.count
        x, p, mu, known = self.foretold(picture, now)
        mean, spread = np.empty((n, STATE)), np.empty((n, STATE, STATE))
        imm.combine_all(n, x, p, mu, mean, spread)
        return mean, spread, known.tolist()

    def existences(self, picture: Picture, now: float) -> F64:
        """Existence of every track at ``now``."""
        n = picture.count
        out = np.empty(n)
        survival.fallen_all(
            n, now, picture.heard, picture.existence, picture.independent, picture.named, self.times, out
        )
        return out

    def existence(self, picture: Picture, slot: int, now: float) -> float:
        """Existence of a track at ``now``."""
        silence, last = now - float(picture.heard[slot]), float(picture.existence[slot])
        watched = bool(picture.independent[slot] and not picture.named[slot])
        return float(survival.fallen(last, silence, watched, self.times))

    def support(self, picture: Picture, slot: int, plot: Plot, ratio: float, *, moved: bool = True) -> None:
        """Raise existence and bring the dossier up to date; ``moved``: the state comes to hold at the plot's
        time."""
        now = self.existence(picture, slot, plot.time)
        picture.existence[slot] = evidence.strengthen(now, ratio)
        picture.by_ear[slot] = False
        if picture.existence[slot] > self.settings.confirm_existence:
            picture.confirmed[slot] = True
        picture.heard[slot] = plot.time
        if moved:
            picture.time[slot] = plot.time
        checked = not plot.sensor.cooperative
        seen = picture.sightings[slot].after(
            plot.sensor.id,
            plot.time,
            checked=checked,
            raised=bool(plot.use[2]),
            held=held_until(plot.sensor, plot.time, self.settings) if checked else NEVER,
        )
        picture.revise(slot, self.dossier_after(picture.dossiers[slot], plot), seen)
        self.touched[picture.dossiers[slot].id] = None

    def show(self, picture: Picture, slot: int, likely: float) -> None:
        """Confirm or forget a track by its existence."""
        self.touched[picture.dossiers[slot].id] = None
        if likely > self.settings.confirm_existence:
            picture.confirmed[slot] = True
        elif (
            likely < self.settings.forget_existence and picture.independent[slot] and not picture.named[slot]
        ):
            picture.confirmed[slot] = False

    def dossier_after(self, old: Dossier, plot: Plot) -> Dossier:
        """The dossier of a track that a plot was found to be of."""
        claimed, checked = plot.claim is not None, not plot.sensor.cooperative
        stranger = conflict(old, plot)
        lapsed = plot.time - old.agreed > self.settings.agreement_life_s
        agreements = 0 if lapsed else old.agreements
        if checked and old.identity is not None:
            agreements += 1
        return Dossier(
            id=old.id,
            founded=old.founded,
            identity=_bound(old, plot),
            emitter=plot.emitter or old.emitter,
            contradicted=old.contradicted,
            reports=old.reports + (claimed and not stranger),
            reported=plot.time if claimed else old.reported,
            agreements=agreements,
            agreed=plot.time if checked and old.identity is not None else old.agreed,
            measure=plot.detection.measure if plot.sensor.cooperative else old.measure,
            beliefs=evidence.with_word(old.beliefs, plot.sensor, plot.word),
            near=old.near,
            strangers=old.strangers + stranger,
            pace=paced(old.pace, plot) if plot.sensor.cooperative and not stranger else old.pace,
            bond=old.bond,
            borne=old.borne,
            astray=old.astray,
            said=(float(plot.z[0]), float(plot.z[1]), plot.time)
            if claimed and not stranger and not checked
            else old.said,
            doubt=old.doubt,
            suits=old.suits,
            still=claims.still_since(old.still, old.measure, plot) if claimed and not stranger else old.still,
            parted=old.parted,
            left=old.left,
        )

    def birth(
        self, picture: Picture, plot: Plot, likely: float | None = None, *, contradicted: bool = False
    ) -> str | None:
        """Found a track that exists with the probability ``likely``; returns its id, or None if there is no
        room."""
        if picture.count >= self.settings.max_tracks:
            doubtful = likely is not None and likely < self.settings.drop_existence
            if doubtful or not self._make_room(picture, plot):
                picture.tally("no-room-for-track")
                return None
        if likely is None:
            likely = evidence.birth_existence(plot, self.settings)
        dossier = self.first_word(picture, plot, contradicted=contradicted)
        checked = not plot.sensor.cooperative
        held = held_until(plot.sensor, plot.time, self.settings) if checked else NEVER
        seen = NONE.after(plot.sensor.id, plot.time, checked=checked, raised=plot.raised, held=held)
        slot = picture.found(dossier, seen, plot.time, likely)
        picture.confirmed[slot] = likely > self.settings.confirm_existence
        picture.bodily[slot] = 1.0 if checked else self.settings.bodily_prior
        self.start(picture, slot, plot)
        self.touched[dossier.id] = None
        return dossier.id

    def found_solved(
        self, picture: Picture, plot: Plot, seen: Sightings, likely: float, state: tuple[F64, F64], *,
        known: bool,
    ) -> str | None:  # fmt: skip
        """Found a track by directions alone, of which ``plot`` is the last one, with this ``state`` and
        covariance; returns its id, or None if there is no room."""
        if picture.count >= self.settings.max_tracks and not self._make_room(picture, plot):
            picture.tally("no-room-for-track")
            return None
        dossier = self.first_word(picture, plot)
        slot = picture.found(dossier, seen, plot.time, likely)
        picture.x[slot], picture.p[slot] = state
        self.spread_models(picture, slot)
        picture.known[slot], picture.by_ear[slot] = known, True
        picture.emits[slot] = survival.HEARD
        picture.confirmed[slot] = likely > self.settings.confirm_existence
        self.touched[dossier.id] = None
        return dossier.id

    def first_word(self, picture: Picture, plot: Plot, *, contradicted: bool = False) -> Dossier:
        """The dossier of a track that this plot founds."""
        bare = Dossier(track_id(picture.slots, picture.letter, plot), plot.time, None, None, contradicted)
        if plot.mute and not plot.sensor.cooperative:
            return bare
        return self.dossier_after(bare, plot)

    def _make_room(self, picture: Picture, plot: Plot) -> bool:
        gone = room.expendable(
            picture, plot.time, cooperative=not plot.sensor.vouched, share=self.settings.tentative_share
        )
        number = int(gone.sum())
        if number:
            picture.remove(gone)
            picture.tally("evicted-track", number)
        return number > 0

    def start(self, picture: Picture, slot: int, plot: Plot) -> None:
        """The state that one plot alone gives."""
        z, r, use, origin = plot.place
        picture.known[slot] = polar.begin(
            z, r, use, origin, self.unsure, self.motion, picture.x[slot], picture.p[slot]
        )
        self.spread_models(picture, slot)

    def spread_models(self, picture: Picture, slot: int) -> None:
        """How it moves is not known: each model begins from the same state."""
        picture.xm[slot], picture.pm[slot], picture.mu[slot] = picture.x[slot], picture.p[slot], self.first

    def move(self, picture: Picture, tracks: Sequence[str], dt: float) -> None:
        """Put tracks ``dt`` seconds on along their ways."""
        for slot in [picture.slots[track] for track in tracks if track in picture.slots]:
            comparison.shift(slot, slot + 1, picture.xm, picture.pm, dt)
            imm.combine(
                picture.xm[slot], picture.pm[slot], picture.mu[slot], picture.x[slot], picture.p[slot]
            )

    def forget_height(self, picture: Picture, slot: int) -> None:
        """Put the prior in place of the height."""
        for model in range(MODELS):
            kalman.pin_height(picture.xm[slot, model], picture.pm[slot, model], self.motion)
        kalman.pin_height(picture.x[slot], picture.p[slot], self.motion)
        picture.known[slot] = False


def conflict(dossier: Dossier, plot: Plot) -> bool:
    """True if the plot names another body than the track is bound to.

    One radio address that states its name under two schemes is one body.
    """
    claim, bound = plot.claim, dossier.identity
    if claim is None or bound is None:
        return False
    if claim.scheme == bound.scheme:
        return claim.id != bound.id
    return plot.emitter is None or plot.emitter != dossier.emitter


def _bound(old: Dossier, plot: Plot) -> Identity | None:
    """The identity after this plot: the first that was stated, or a better one from the same sender."""
    stated = identity_of(plot.claim)
    if stated is None or old.identity is None:
        return old.identity or stated
    better = _SCHEME_RANK.get(stated.scheme, 0) > _SCHEME_RANK.get(old.identity.scheme, 0)
    return stated if better and not conflict(old, plot) else old.identity
