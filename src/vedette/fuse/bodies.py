"""What looks and reports have in common: how a body is founded, moves, and what is kept of it."""

import math

import numpy as np

from vedette.fuse import evidence, imm, kernels, room
from vedette.fuse.kernels import F64, STATE, Mask
from vedette.fuse.pace import paced
from vedette.fuse.picture import MODELS, Dossier, Picture, identity_of, track_id
from vedette.fuse.plots import Plot
from vedette.fuse.settings import FuseSettings
from vedette.model import Identity

GATE = (0.0, 10.83, 13.82, 16.27, 18.47, 20.52, 22.46, 24.32)
"""Chi-square 0.999 quantiles by the number of rows (table of the chi-square distribution)."""
FIRST = (0.45, 0.3, 0.25)
"""Probabilities of the models of a body seen for the first time."""
_SCHEME_RANK = {"remote-id-serial": 2, "dji-serial": 2, "icao": 2, "caa-registration": 1}
_RATE_ONLY = np.array([False, False, False, False, False, False, True])


class Bodies:
    """Founds tracks and predicts them. Holds nothing between steps but scratch memory and ``touched``: the
    ids of the tracks that the steps since it was emptied have changed."""

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
        self.models: F64 = np.array(
            [
                (*settings.straight_psd_m2ps3, 0.0, settings.sojourn_s[0]),
                (*settings.agile_psd_m2ps3, 0.0, settings.sojourn_s[1]),
                (*settings.hover_psd_m2ps3, settings.hover_decay_s, settings.sojourn_s[2]),
            ]
        )
        self.first: F64 = np.array(FIRST)
        self.gates: F64 = np.array(GATE)
        self._x, self._p = np.zeros(STATE), np.zeros((STATE, STATE))
        self._scratch = np.zeros((3, 0))

    def existence(self, picture: Picture, slot: int, now: float) -> float:
        """Existence of a track at ``now``."""
        silence, existence = now - float(picture.heard[slot]), float(picture.existence[slot])
        if picture.independent[slot] and picture.dossiers[slot].identity is None:
            return existence * math.exp(-max(silence, 0.0) / self.settings.stay_s)
        return evidence.survive(existence, silence, self.settings)

    def predicted(self, picture: Picture, now: float) -> tuple[F64, F64, list[bool]]:
        """All states (n, 6), covariances (n, 6, 6) and whether heights are known, at ``now``."""
        n = picture.count
        x, p, mu, known = self.models_at(picture, now)
        mean, spread = np.empty((n, STATE)), np.empty((n, STATE, STATE))
        imm.combine_all(n, x, p, mu, mean, spread)
        return mean, spread, known.tolist()

    def models_at(self, picture: Picture, now: float) -> tuple[F64, F64, F64, Mask]:
        """All models of all tracks at ``now``."""
        n = picture.count
        x, p = np.empty((n, MODELS, STATE)), np.empty((n, MODELS, STATE, STATE))
        mu, known = np.empty((n, MODELS)), np.empty(n, np.bool_)
        imm.predict_all(
            n, picture.time, picture.xm, picture.pm, picture.mu, picture.known, now, self.models, self.motion,
            x, p, mu, known,
        )  # fmt: skip
        return x, p, mu, known

    def outranked(self, dossier: Dossier, plot: Plot) -> bool:
        """True if the plot's height is to be left out: a broadcast one where a sensor has measured it, or
        that of a sensor that only described itself where the body states one (by either, a drone could be
        lifted out of a danger radius)."""
        if not plot.use[2]:
            return False
        if plot.sensor.cooperative:
            return evidence.height_measured(dossier, plot.time, self.settings)
        return not plot.sensor.vouched and dossier.reports > 0

    def dossier_after(self, old: Dossier, plot: Plot) -> Dossier:
        """The dossier with this plot in it."""
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
            independent=old.independent or checked,
            reports=old.reports + (claimed and not stranger),
            reported=plot.time if claimed else old.reported,
            agreements=agreements,
            agreed=plot.time if checked and old.identity is not None else old.agreed,
            measure=plot.detection.measure if plot.sensor.cooperative else old.measure,
            sensors=evidence.with_sensor(old.sensors, plot.sensor.id, plot.time),
            beliefs=evidence.with_word(old.beliefs, plot.sensor, plot.word),
            near=old.near,
            strangers=old.strangers + stranger,
            pace=paced(old.pace, plot) if plot.sensor.cooperative and not stranger else old.pace,
            seen=plot.time if checked else old.seen,
            measured=plot.time if checked and plot.use[2] else old.measured,
        )

    def birth(
        self, picture: Picture, plot: Plot, existence: float | None = None, *, contradicted: bool = False
    ) -> str | None:
        """Found a track; returns its id, or None if there is no room."""
        if picture.count >= self.settings.max_tracks:
            doubtful = existence is not None and existence < self.settings.drop_existence
            if doubtful or not self._make_room(picture, plot):
                picture.tally("no-room-for-track")
                return None
        bare = Dossier(id=track_id(picture, plot), founded=plot.time, contradicted=contradicted)
        dossier = self.dossier_after(bare, plot)
        if existence is None:
            existence = evidence.birth_existence(plot, self.settings)
        slot = picture.found(dossier, plot.time, existence)
        picture.confirmed[slot] = existence > self.settings.confirm_existence
        self.start(picture, slot, plot)
        self.touched[dossier.id] = None
        return dossier.id

    def _make_room(self, picture: Picture, plot: Plot) -> bool:
        gone = room.expendable(
            picture, plot.time, cooperative=plot.sensor.cooperative, share=self.settings.tentative_share
        )
        number = int(gone.sum())
        if number:
            picture.remove(gone)
            picture.tally("evicted-track", number)
        return number > 0

    def start(self, picture: Picture, slot: int, plot: Plot) -> None:
        """The state that one plot alone gives."""
        x, p = self._x, self._p
        x[:], p[:] = 0.0, 0.0
        settings = self.settings
        unsure = (
            settings.birth_speed_sigma_mps,
            settings.birth_speed_sigma_mps,
            settings.birth_climb_sigma_mps,
        )
        x[:3], p[:3, :3] = plot.z[:3], plot.r[:3, :3]
        for i in range(3):
            given = bool(plot.use[3 + i])
            x[3 + i] = plot.z[3 + i] if given else 0.0
            p[3 + i, 3 + i] = plot.r[3 + i, 3 + i] if given else unsure[i] ** 2
        known = bool(plot.use[2])
        if not known:
            kernels.pin_height(x, p, self.motion)
        if plot.use[6]:
            kernels.update(x, p, plot.z, plot.r, _RATE_ONLY, plot.origin)
            if not known:
                kernels.pin_height(x, p, self.motion)
        picture.x[slot], picture.p[slot], picture.known[slot] = x, p, known
        self.spread_models(picture, slot)

    def spread_models(self, picture: Picture, slot: int) -> None:
        """How it moves is not known: each model begins from the same state."""
        picture.xm[slot], picture.pm[slot], picture.mu[slot] = picture.x[slot], picture.p[slot], self.first


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


def strays(dossier: Dossier) -> bool:
    """True if the velocity it states is not the one it flies with."""
    return dossier.pace is not None and dossier.pace.false


def _bound(old: Dossier, plot: Plot) -> Identity | None:
    """The identity after this plot: the first that was stated, or a better one from the same sender."""
    stated = identity_of(plot.claim)
    if stated is None or old.identity is None:
        return old.identity or stated
    better = _SCHEME_RANK.get(stated.scheme, 0) > _SCHEME_RANK.get(old.identity.scheme, 0)
    return stated if better and not conflict(old, plot) else old.identity
