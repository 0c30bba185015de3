"""A look of a sensor: all plots of one scan against all tracks at once, each of one of them, or of a new
body, or of none (`kernels.pmb`)."""

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vedette.fuse.births import Births
from vedette.fuse.identity import evidence, parting
from vedette.fuse.keeper import Keeper, conflict
from vedette.fuse.kernels import bodily, comparison, coverage, kalman, pmb, sight, survival
from vedette.fuse.kernels.kalman import F64, Mask
from vedette.fuse.looks import Rows, looked, rows_of
from vedette.fuse.picture import OpenScan, Picture, Unseen
from vedette.fuse.plots import NO_KIND, Plot
from vedette.fuse.rays import places
from vedette.fuse.rays.hearing import Hearing
from vedette.fuse.rays.places import Places
from vedette.fuse.registration.registration import Registrar
from vedette.fuse.reports import GATE
from vedette.fuse.scan import News, Scan, frame_of
from vedette.fuse.sensing import hearsay
from vedette.fuse.sensing.clutter import Maps
from vedette.fuse.sensing.coverage import USUAL_PD, Covered, covered, expected, learn_from_misses
from vedette.fuse.sensing.sensors import Sensor

I64 = NDArray[np.int64]
_mute = attrgetter("mute")

_NOTHING_FORBIDDEN = np.zeros((0, 0), np.bool_)


class Ahead(NamedTuple):
    """All tracks as they are foretold to a scan: models ``x`` (n, m, 6), ``p``, ``mu`` and whether heights
    are ``known``, in memory that is used again; ``existence`` (n,); where they are in view; ``pd`` (n,): the
    probability that the scan sees each, ``counts`` (n,): the one that a miss is held against, ``full`` (n,):
    the same of a body that is not faint; ``taken``: slots of those that it has seen already."""

    x: F64
    p: F64
    mu: F64
    known: Mask
    existence: F64
    here: Covered
    pd: F64
    counts: F64
    full: F64
    taken: list[int]


class Weighed(NamedTuple):
    """What a scan makes of the tracks: existence ``after`` it (n,), the probability ``hit`` (n,) that it saw
    each, by its likeliest plot ``best`` (n,), or -1; ``unclaimed`` (k,): that a plot is of none of them."""

    after: F64
    hit: F64
    best: I64
    unclaimed: F64


class Looks:
    """Takes looks into pictures."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper, self._settings = keeper, keeper.settings
        self._registrar = Registrar(keeper.settings)
        settings = keeper.settings
        self._maps = Maps(settings)
        self._gates: F64 = np.array(GATE)
        self._levels: F64 = np.array([settings.confirm_existence, settings.forget_existence])
        self.hearing = Hearing(keeper)
        self._founding, self._places = Births(keeper, self.hearing), Places(settings)

    def take(self, picture: Picture, plots: Sequence[Plot]) -> None:
        """A scan of a sensor, or the part of one that it made at this time."""
        sensor, time = plots[0].sensor, plots[0].time
        opened, parts = self._opened(picture, sensor, time, plots[0].detection.scan)
        unseen = picture.unseen.get(sensor.id)
        density = looked(unseen, sensor, time, self._settings) if sensor.searching else 0.0
        seen: list[str] = []
        every = {plot.kind for plot in plots}
        kinds = sorted(every - {NO_KIND})
        for kind in kinds:
            alike = [plot for plot in plots if plot.kind == kind] if len(every) > 1 else plots
            whole = not parts and len(kinds) == 1
            mute = all(map(_mute, alike))
            scan = Scan(sensor, time, alike, density, (*opened.seen, *seen), whole, mute)
            seen += self._associate(picture, scan)
        if not kinds and not parts:
            self._missed(picture, sensor, OpenScan(opened.scan, time, opened.seen))
        picture.scans[sensor.id] = OpenScan(opened.scan, opened.start, (*opened.seen, *seen))
        if sensor.searching:
            left = density if parts else density * (1.0 - sensor.detection_probability)
            picture.unseen[sensor.id] = Unseen(time, left, parts or len(kinds) > 1)
            directions = sight.BEARING in kinds or parts
            sees = 0.0 if directions else sensor.detection_probability
            if sensor.vouched:
                self.hearing.watched(picture, sensor, time, sees)

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

    def _associate(self, picture: Picture, scan: Scan) -> list[str]:
        """Plots of one kind against all tracks, then births; returns the ids of what was seen."""
        sensor, kind = scan.sensor, scan.plots[0].kind
        learnt = picture.clutter.get(f"{kind}{sensor.id}")
        rows = rows_of(scan.plots, scan.density, self._settings, self._maps, learnt)
        bent = self._registrar.straightened(picture, sensor, kind, scan.time, rows)
        if bent.void:
            return []
        rows = bent.rows
        ahead = self._foretell(picture, scan, bent.later_s)
        aims = self._places.aims(picture, sensor, ahead.x, ahead.p, ahead.mu)
        found = self._weigh(picture, scan, rows, ahead)
        foreign = hearsay.foreign(picture, sensor)
        if sensor.searching:
            self._searched(picture, scan, ahead, found)
        else:
            self._listened(picture, scan, ahead, found, foreign)
        hearsay.no_less(found.after, ahead.existence, foreign)
        self._count_false(picture, scan, rows, found)
        if bent.later_s:
            comparison.shift(0, picture.count, ahead.x, ahead.p, -bent.later_s)
        seen = self._settle(picture, scan, rows, ahead, found)
        self._places.weigh(picture, sensor, scan.time, aims, ahead.here.sure, rows, found.hit, found.best)
        born = self._births(picture, scan, rows, found)
        if bent.later_s:
            self._keeper.move(picture, born, -bent.later_s)
        return seen + born

    def _foretell(self, picture: Picture, scan: Scan, later_s: float) -> Ahead:
        """All tracks at the time of a scan, or ``later_s`` seconds after, and how likely it sees each."""
        sensor, natures = scan.sensor, self._keeper.natures
        x, p, mu, known = self._keeper.foretold(picture, scan.time)
        if later_s:
            comparison.shift(0, picture.count, x, p, later_s)
        here = covered(sensor, x, p, mu, self._settings)
        taken = [picture.slots[track] for track in scan.seen if track in picture.slots]
        self._unlearn_broadcast_heights(picture, scan.time, x, p)
        pd, full = expected(picture, sensor, scan.time, here, self._settings)
        if taken:
            pd[taken] = full[taken] = 0.0
        counts = full
        if sensor.searching:
            pd, counts = natures.dimmed(picture, pd), natures.dimmed(picture, full)
            self._expect_bodies(picture, scan.time, pd, counts)
        existence = self._keeper.existences(picture, scan.time)
        return Ahead(x, p, mu, known, existence, here, pd, counts, full, taken)

    def _weigh(self, picture: Picture, scan: Scan, rows: Rows, ahead: Ahead) -> Weighed:
        """Which plot is of which track; the states ``ahead`` come to be those after the scan."""
        n, after, unclaimed = picture.count, ahead.existence.copy(), np.empty(len(scan.plots))
        hit, best = np.empty(n), np.empty(n, np.int64)
        origin, rotation = frame_of(scan.sensor)
        pmb.scan(
            n, scan.plots[0].kind, ahead.x, ahead.p, ahead.mu, after, ahead.pd, scan.whole, origin, rotation,
            rows.z, rows.var, rows.use, self._forbidden(picture, scan, ahead.taken), rows.elsewhere,
            self._gates, hit, best, unclaimed,
        )  # fmt: skip
        if scan.whole:
            coverage.doubt(n, ahead.existence, ahead.pd, ahead.counts, hit, after)
        return Weighed(after, hit, best, unclaimed)

    def _searched(self, picture: Picture, scan: Scan, ahead: Ahead, found: Weighed) -> None:
        """What a look of a searching sensor says beside places: what is hidden, and what has a body."""
        n, sees = picture.count, scan.sensor.detection_probability or USUAL_PD
        looked_for = ahead.pd > 0.0 if scan.whole and scan.sensor.vouched else found.hit > 0.5
        coverage.remember(n, sees, ahead.here.view, looked_for, found.hit, picture.sighted)
        if scan.sensor.vouched:
            self._search(picture, scan.time, ahead.full, found.hit, whole=scan.whole)
            parting.looked(picture, ahead.existence, ahead.pd, found.hit, whole=scan.whole)
        picture.by_ear[:n] &= found.hit <= 0.5

    def _listened(
        self, picture: Picture, scan: Scan, ahead: Ahead, found: Weighed, foreign: Mask | None
    ) -> None:
        """What a look of a sensor of directions says beside them: what sends, and what is a ghost; nothing
        of what is ``foreign`` (n,) to it."""
        n, sensor = picture.count, scan.sensor
        sees, visible = sensor.detection_probability or USUAL_PD, ahead.here.sure > 0.5
        emitted = picture.emits[:n].copy()
        survival.heard_or_silent(n, visible, sees, found.hit, found.after, picture.emits)
        hearsay.no_less(picture.emits[:n], emitted, foreign)
        own = visible if foreign is None else visible & ~foreign
        self._keeper.natures.listened(picture, own, sensor.period_s)
        survival.doubt(
            n, picture.by_ear, visible, sees, ahead.existence, found.hit, emitted, found.after, picture.emits
        )
        hearsay.no_less(picture.emits[:n], emitted, foreign)
        self.hearing.hush(picture, sensor, scan.time, found.hit, found.after)

    def _count_false(self, picture: Picture, scan: Scan, rows: Rows, found: Weighed) -> None:
        """Learn where the sensor's false plots lie."""
        name = f"{scan.plots[0].kind}{scan.sensor.id}"
        false = self._maps.doubted(
            picture.founded, scan.time, rows.cells, found.hit, found.best, rows.false(found.unclaimed)
        )
        learnt = picture.clutter.get(name)
        picture.clutter[name] = self._maps.after(learnt, scan.sensor, scan.time, rows.cells, false)

    def _settle(self, picture: Picture, scan: Scan, rows: Rows, ahead: Ahead, found: Weighed) -> list[str]:
        """Write the look into the table of tracks; returns the ids of those that it saw."""
        n, sensor, natures, hit = picture.count, scan.sensor, self._keeper.natures, found.hit
        outcome = np.empty(n, np.int64)
        survival.settle(
            n, scan.time, rows.raised, ahead.x, ahead.p, ahead.mu, ahead.known, ahead.existence, found.after,
            hit, found.best, self._levels, picture.time, picture.heard, picture.x, picture.p, picture.xm,
            picture.pm, picture.mu, picture.known, picture.existence, picture.confirmed, picture.independent,
            picture.named, outcome,
        )  # fmt: skip
        if scan.whole and sensor.vouched:
            learn_from_misses(
                picture, sensor, scan.time, ahead.here, hit, ahead.x, ahead.p, ahead.mu, self._settings
            )
        seen = (hit > 0.5).nonzero()[0]
        self._write_down(picture, scan, rows.raised, outcome, seen, found.best)
        if sensor.searching or not picture.unseen:
            natures.looked(picture, scan.time, n)
        if sensor.searching and scan.whole and sensor.vouched:
            natures.counted(picture, ahead.full, hit)
        return [picture.dossiers[slot].id for slot in seen.tolist()]

    def _births(self, picture: Picture, scan: Scan, rows: Rows, found: Weighed) -> list[str]:
        """Tracks of what is of no known one; returns their ids."""
        unplaced = places.unplaced(picture, found.hit, found.best, len(scan.plots))
        return self._founding.take(picture, scan, rows, found.unclaimed, unplaced)

    def _forbidden(self, picture: Picture, scan: Scan, taken: list[int]) -> Mask:
        """Pairs (n, k) that cannot be: the track is bound to another name, or the scan saw it already."""
        claimed = scan.claimed
        if not taken and not claimed:
            return _NOTHING_FORBIDDEN
        forbidden = np.zeros((picture.count, len(scan.plots)), np.bool_)
        forbidden[taken] = True
        for number in claimed:
            other = [conflict(dossier, scan.plots[number]) for dossier in picture.dossiers]
            forbidden[:, number] |= np.array(other, np.bool_)
        return forbidden

    def _write_down(
        self, picture: Picture, scan: Scan, raised: Mask, outcome: I64, seen: I64, best: I64
    ) -> None:
        """Dossiers and sightings of the tracks that the look changed; ``seen``: those it is likely to have
        seen, by the plot that is ``best``."""
        dossiers, sightings = picture.dossiers, picture.sightings
        shown = ((outcome != survival.UNCHANGED) & picture.confirmed[: len(outcome)]).nonzero()[0]
        changed = [dossiers[slot].id for slot in shown.tolist()]
        self._keeper.touched.update(dict.fromkeys(changed))
        for slot in (outcome == survival.FAILED).nonzero()[0].tolist():
            picture.tally("numerics-restarted")
            self._keeper.start(picture, slot, scan.plots[int(best[slot])])
        slots, numbers = seen.tolist(), best[seen]
        news = News(scan, self._settings)
        for slot, high in zip(slots, raised[numbers].tolist(), strict=True):
            new = news.known[high].get(id(sightings[slot]))
            sightings[slot] = news.after(sightings[slot], high) if new is None else new
        if picture.named[seen].any() or not scan.mute:
            for slot, number in zip(slots, numbers.tolist(), strict=True):
                plot, dossier = scan.plots[number], dossiers[slot]
                if dossier.identity is not None or plot.word is not None or plot.name:
                    picture.revise(slot, self._keeper.dossier_after(dossier, plot))

    def _missed(self, picture: Picture, sensor: Sensor, scan: OpenScan) -> None:
        """A scan is complete: what it should have seen and did not exists a little less."""
        if not sensor.searching or picture.count == 0:
            return
        n, sees = picture.count, sensor.detection_probability
        x, p, mu, _ = self._keeper.foretold(picture, scan.start)
        here, seen = covered(sensor, x, p, mu, self._settings), set(scan.seen)
        existences = self._keeper.existences(picture, scan.start)
        _, full = expected(picture, sensor, scan.start, here, self._settings)
        was_seen = np.array([dossier.id in seen for dossier in picture.dossiers])
        looked_for, foreign = ~was_seen & (picture.founded[:n] < scan.start), hearsay.foreign(picture, sensor)
        if foreign is not None:
            looked_for &= ~foreign
        counts = self._keeper.natures.dimmed(picture, full)
        self._expect_bodies(picture, scan.start, counts)
        after = np.empty(n)
        coverage.overlooked(n, looked_for, counts, existences, picture.existence, after)
        coverage.remember(n, sees, here.view, looked_for, np.zeros(n), picture.sighted)
        hit = np.where(looked_for, 0.0, 1.0)
        learn_from_misses(picture, sensor, scan.start, here, hit, x, p, mu, self._settings)
        for slot in np.flatnonzero(looked_for & (counts > 0.0)).tolist():
            self._keeper.show(picture, slot, float(after[slot]))
        if sensor.vouched:
            missed = np.where(looked_for, full, 0.0)
            self._search(picture, scan.start, missed, np.zeros(n), whole=True)
            parting.looked(picture, existences, np.where(looked_for, counts, 0.0), np.zeros(n), whole=True)
        looked_at = np.where(looked_for | was_seen, full, 0.0)
        self._keeper.natures.counted(picture, looked_at, was_seen.astype(np.float64))

    def _expect_bodies(self, picture: Picture, time: float, *chances: F64) -> None:
        """Chances that a look sees what is there, where perhaps nothing has a body: see `kernels.bodily`."""
        for pd in chances:
            bodily.expect(
                picture.count, time, self._settings.silence_grace_s, picture.heard, picture.bodily, pd
            )

    def _search(self, picture: Picture, time: float, pd: F64, hit: F64, *, whole: bool) -> None:
        """What a look says of those that only report themselves: is there a body where they say?"""
        settings = self._settings
        limits = (settings.silence_grace_s, settings.ghost_most_detection_probability)
        bodily.search(picture.count, time, whole, *limits, picture.heard, pd, hit, picture.bodily)

    def _unlearn_broadcast_heights(self, picture: Picture, time: float, x: F64, p: F64) -> None:
        """A sensor looks, and what was only broadcast of heights must not move bodies away from its plots."""
        n, motion = picture.count, self._keeper.motion
        broadcast = picture.reported[:n] | ~picture.independent[:n]
        for slot in broadcast.nonzero()[0].tolist():
            if not evidence.height_measured(picture.sightings[slot], time, self._settings):
                for model in range(x.shape[1]):
                    kalman.pin_height(x[slot, model], p[slot, model], motion)
