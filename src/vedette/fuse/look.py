"""A look: the plots that a sensor makes at one time, against all bodies that it could see."""

from collections.abc import Sequence

import numpy as np

from vedette.fuse import evidence, imm, kernels, pmb
from vedette.fuse.bodies import Bodies, conflict
from vedette.fuse.kernels import F64, STATE, Mask
from vedette.fuse.looks import looked, rows_of
from vedette.fuse.picture import MODELS, OpenScan, Picture, Unseen
from vedette.fuse.plots import Plot
from vedette.fuse.sensors import Sensor

_USUAL_PD = 0.5
"""Of a sensor that states none."""
_LEAST_EMITS = 0.02
"""Neither is ever certain: a body may fall silent, or begin to send."""
_LEAST_HIT = 0.02
"""A plot that is a track's with less probability leaves it where it is."""


class Looker(Bodies):
    """Takes looks of radars, cameras, direction finders and acoustic arrays."""

    def look(self, picture: Picture, plots: Sequence[Plot]) -> None:
        """A scan of a sensor, or the part of one that it made at this time."""
        sensor, time = plots[0].sensor, plots[0].time
        opened, parts = self._opened(picture, sensor, time, plots[0].detection.scan)
        unseen = picture.unseen.get(sensor.id)
        density = looked(unseen, sensor, time, self.settings) if sensor.searching else 0.0
        seen: list[str] = []
        kinds = sorted({plot.raw.kind for plot in plots if plot.raw is not None})
        for kind in kinds:
            alike = [plot for plot in plots if plot.raw is not None and plot.raw.kind == kind]
            whole = not parts and len(kinds) == 1
            seen += self._associate(picture, sensor, time, alike, density, (*opened.seen, *seen), whole)
        if not kinds and not parts:
            self._missed(picture, sensor, OpenScan(opened.scan, time, opened.seen))
        picture.scans[sensor.id] = OpenScan(opened.scan, opened.start, (*opened.seen, *seen))
        if sensor.searching:
            left = density if parts else density * (1.0 - sensor.detection_probability)
            picture.unseen[sensor.id] = Unseen(time, left, parts or len(kinds) > 1)

    def _opened(
        self, picture: Picture, sensor: Sensor, time: float, scan: int | str | None
    ) -> tuple[OpenScan, bool]:
        """The scan that this time belongs to, and whether this sensor's scans come in parts.

        What a scan in parts has missed is known when the next one begins."""
        opened, unseen = picture.scans.get(sensor.id), picture.unseen.get(sensor.id)
        parts = unseen is not None and unseen.parts
        late = opened is not None and time - opened.start <= 2.0 * sensor.period_s
        if opened is not None and late and scan is not None and opened.scan == scan:
            return opened, True
        if opened is not None and parts:
            self._missed(picture, sensor, opened)
            unseen = picture.unseen[sensor.id]
            left = unseen.density * (1.0 - sensor.detection_probability)
            picture.unseen[sensor.id] = Unseen(unseen.time, left, parts)
        return OpenScan(scan, time), parts

    def _associate(
        self,
        picture: Picture,
        sensor: Sensor,
        time: float,
        plots: Sequence[Plot],
        density: float,
        seen: tuple[str, ...],
        whole: bool,
    ) -> list[str]:
        """Plots of one kind against all tracks (`vedette.fuse.pmb`), then births; returns the ids that were
        seen. ``whole``: what is not among them was missed."""
        n, k = picture.count, len(plots)
        rows = rows_of(plots, density, self.settings)
        x, p, mu, known = self.models_at(picture, time)
        mean, spread = np.empty((n, STATE)), np.empty((n, STATE, STATE))
        imm.combine_all(n, x, p, mu, mean, spread)
        visible = self._visible(sensor, mean)
        taken = [picture.slots[track] for track in seen if track in picture.slots]
        forbidden = np.zeros((n, k), np.bool_)
        forbidden[taken] = True
        for number, plot in enumerate(plots):
            if plot.claim is not None:
                others = [conflict(dossier, plot) for dossier in picture.dossiers]
                forbidden[:, number] |= np.array(others, np.bool_)
        self._unlearn_broadcast_heights(picture, time, x, p)
        existence = np.array([self.existence(picture, slot, time) for slot in range(n)])
        before = existence.copy()
        sees = sensor.detection_probability or _USUAL_PD
        pd = np.where(visible, sees, 0.0)
        if not sensor.searching:
            pd *= picture.emits[:n]
        pd[taken] = 0.0
        hit, best, unclaimed = np.zeros(n), np.full(n, -1, np.int64), np.ones(k)
        origin, rotation = self._frame(sensor)
        kind = plots[0].raw.kind if plots[0].raw is not None else pmb.PLACE
        pmb.scan(
            n, kind, x, p, mu, existence, pd, whole, origin, rotation, rows.z, rows.var,
            rows.use, forbidden, rows.elsewhere, self.gates, hit, best, unclaimed,
        )  # fmt: skip
        if not sensor.searching:
            self._hear(picture, visible, sees, hit)
        for slot in range(n):
            if best[slot] >= 0 and hit[slot] > _LEAST_HIT:
                state = x[slot], p[slot], mu[slot], bool(known[slot])
                self._take_hit(picture, slot, plots[int(best[slot])], state, float(hit[slot]))
                picture.existence[slot] = float(existence[slot])
                self._show(picture, slot, float(existence[slot]))
            elif existence[slot] != before[slot]:
                picture.existence[slot] *= existence[slot] / max(float(before[slot]), 1e-12)
                self._show(picture, slot, float(existence[slot]))
        ids = [picture.dossiers[slot].id for slot in range(n) if hit[slot] > 0.5]
        for number, plot in enumerate(plots):
            new = float(rows.fresh[number] / rows.elsewhere[number])
            if plot.claim is not None and sensor.searching:
                new = max(new, self.settings.birth_existence_claimed)
            born = float(unclaimed[number]) * min(new, self.settings.birth_existence_claimed)
            if born >= self.settings.birth_least_existence and (name := self.birth(picture, plot, born)):
                ids.append(name)
        return ids

    def _take_hit(
        self, picture: Picture, slot: int, plot: Plot, state: tuple[F64, F64, F64, bool], hit: float
    ) -> None:
        """The state after a look, and the dossier if this was the track's plot more likely than not."""
        x, p, mu, known = state
        dossier = picture.dossiers[slot]
        picture.xm[slot], picture.pm[slot], picture.mu[slot] = x, p, mu
        imm.combine(x, p, mu, picture.x[slot], picture.p[slot])
        picture.time[slot] = plot.time
        picture.known[slot] = known or (hit > 0.5 and bool(plot.use[2]))
        self.touched[dossier.id] = None
        if not kernels.finite(picture.x[slot], picture.p[slot]):
            picture.tally("numerics-restarted")
            self.start(picture, slot, plot)
        if hit > 0.5:
            picture.heard[slot] = plot.time
            picture.revise(slot, self.dossier_after(dossier, plot))

    def _show(self, picture: Picture, slot: int, existence: float) -> None:
        """Confirm or forget a track by its existence."""
        dossier = picture.dossiers[slot]
        self.touched[dossier.id] = None
        if existence > self.settings.confirm_existence:
            picture.confirmed[slot] = True
        elif existence < self.settings.forget_existence and dossier.independent and dossier.identity is None:
            picture.confirmed[slot] = False

    def _missed(self, picture: Picture, sensor: Sensor, scan: OpenScan) -> None:
        """A scan is complete: what it should have seen and did not exists a little less."""
        if not sensor.searching or picture.count == 0:
            return
        mean, _, _ = self.predicted(picture, scan.start)
        visible, seen = self._visible(sensor, mean), dict.fromkeys(scan.seen)
        for slot in np.flatnonzero(visible).tolist():
            dossier = picture.dossiers[slot]
            if dossier.id not in seen and dossier.founded < scan.start:
                now = self.existence(picture, slot, scan.start)
                after = evidence.miss(now, sensor.detection_probability)
                picture.existence[slot] *= after / max(now, 1e-12)
                self._show(picture, slot, after)

    def _hear(self, picture: Picture, visible: Mask, sees: float, hit: F64) -> None:
        """Whether each body sends or makes noise: a silent one must not be taken for one that has gone.

        Bayes over (exists, emits): what is not heard may be silent, and then its existence stands."""
        for slot in np.flatnonzero(visible).tolist():
            emits = float(picture.emits[slot])
            silent = emits * (1.0 - sees) / (1.0 - emits * sees)
            now = float(hit[slot]) + (1.0 - float(hit[slot])) * silent
            picture.emits[slot] = min(max(now, _LEAST_EMITS), 1.0 - _LEAST_EMITS)

    def _visible(self, sensor: Sensor, mean: F64) -> Mask:
        visible: Mask = np.ones(len(mean), np.bool_)
        if sensor.origin is not None and sensor.rotation is not None:
            kernels.in_view(len(mean), mean, sensor.origin, sensor.rotation, sensor.limits, visible)
        return visible

    def _frame(self, sensor: Sensor) -> tuple[F64, F64]:
        if sensor.origin is None or sensor.rotation is None:
            return np.zeros(3), np.eye(3)
        return sensor.origin, sensor.rotation

    def _unlearn_broadcast_heights(self, picture: Picture, time: float, x: F64, p: F64) -> None:
        """A sensor looks, and what was only broadcast of heights must not move bodies away from its plots."""
        for slot, dossier in enumerate(picture.dossiers):
            broadcast = dossier.reports > 0 or not dossier.independent
            if broadcast and not evidence.height_measured(dossier, time, self.settings):
                for model in range(MODELS):
                    kernels.pin_height(x[slot, model], p[slot, model], self.motion)
