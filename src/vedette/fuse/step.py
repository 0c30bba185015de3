"""One step of the canonical order: what a group of plots, or the turn of a second, does to a picture.

A *group* is the plots of one sensor at one time. Reports (Remote ID and the like) are taken one by one;
the plots of a searching sensor are assigned to tracks together, each to at most one.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import structs

from vedette.fuse import evidence, kernels, room
from vedette.fuse.kernels import F64, STATE
from vedette.fuse.pace import paced
from vedette.fuse.picture import Dossier, OpenScan, Picture, identity_of, same_place, track_id
from vedette.fuse.plots import Plot, unnamed, without_height, without_velocity
from vedette.fuse.sensors import Sensor
from vedette.fuse.settings import FuseSettings
from vedette.model import Identity

GATE = (0.0, 10.83, 13.82, 16.27, 18.47, 20.52, 22.46, 24.32)
"""Chi-square 0.999 quantiles by the number of rows (table of the chi-square distribution)."""

OWN_GATE = 60.0
"""A body's own reports may miss its prediction by this much (squared Mahalanobis): it may manoeuvre."""

_LEAST_STEP_S = 0.5
_MERGE_SPREAD_M2 = 100.0**2
_SCHEME_RANK = {"remote-id-serial": 2, "dji-serial": 2, "icao": 2, "caa-registration": 1}
_RATE_ONLY = np.array([False, False, False, False, False, False, True])


class Fuser:
    """Applies steps to pictures. Holds nothing between steps but scratch memory and ``touched``: the ids
    of the tracks that the steps since it was emptied have changed."""

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
        self._x, self._p = np.zeros(STATE), np.zeros((STATE, STATE))
        self._scratch = np.zeros((3, 0))

    def group(self, picture: Picture, plots: Sequence[Plot]) -> None:
        """Fuse the plots of one sensor at one time, in canonical order."""
        if plots[0].sensor.searching:
            self._scan(picture, plots)
            return
        for plot in plots:
            self._report(picture, plot)

    def _report(self, picture: Picture, plot: Plot) -> None:
        owners = picture.owners(plot.claim) if plot.claim is not None else ()
        if owners:
            self._own_report(picture, plot, owners)
        elif not self._joins(picture, plot):
            self._birth(picture, plot)

    def _joins(self, picture: Picture, plot: Plot) -> bool:
        """Use a report of a name that no track bears for the track that it fits best, if there is one.

        One that is bound to another name is taken only after all others, and only if it was heard under
        that name no more than once: a drone that calls itself something else in each frame is one body.
        """
        nameless = plot.sensor.cooperative and plot.claim is None
        placed = without_velocity(plot) if nameless else plot
        d2, cost, density = self._score(picture, placed, GATE[placed.rows])
        fitting = [
            (_conflict(picture.dossiers[slot], plot), cost[slot], slot)
            for slot in np.flatnonzero(np.isfinite(d2)).tolist()
        ]
        fitting = [fit for fit in fitting if not fit[0] or picture.dossiers[fit[2]].reports <= 1]
        if not fitting:
            return False
        slot = min(fitting)[2]
        self._use(picture, slot, plot, density[slot])
        return True

    def _own_report(self, picture: Picture, plot: Plot, owners: tuple[int, ...]) -> None:
        """A report of an identity that tracks are bound to: it moves one of them or none.

        An identity that jumps faster than anything flies is two bodies, and neither is to be trusted.
        """
        if any(_strays(picture.dossiers[slot]) for slot in owners):
            plot = without_velocity(plot)
        if any(self._outranked(picture.dossiers[slot], plot) for slot in owners):
            plot = without_height(plot)
        d2, _, density = self._score(picture, plot, OWN_GATE)
        fitting = [(d2[slot], slot) for slot in owners if d2[slot] <= OWN_GATE]
        if fitting:
            slot = min(fitting)[1]
            self._use(picture, slot, plot, density[slot])
            return
        nearest = min((self._implied_speed(picture, slot, plot), slot) for slot in owners)
        if nearest[0] <= self.settings.impossible_speed_mps:
            self._reacquire(picture, nearest[1], plot)
            return
        for slot in owners:
            picture.revise(slot, structs.replace(picture.dossiers[slot], contradicted=True))
            self.touched[picture.dossiers[slot].id] = None
        if len(owners) < self.settings.bodies_per_identity:
            self._birth(picture, plot, contradicted=True)
        else:
            picture.tally("contradiction-unnamed")
            bare = unnamed(plot)
            if not self._joins(picture, bare):
                self._birth(picture, bare, contradicted=True)

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
        self._start(picture, slot, plot)

    def _scan(self, picture: Picture, plots: Sequence[Plot]) -> None:
        sensor, time, scan = plots[0].sensor, plots[0].time, plots[0].detection.scan
        opened = picture.scans.get(sensor.id)
        again = (
            opened is not None
            and scan is not None
            and opened.scan == scan
            and time - opened.start <= 2.0 * sensor.period_s
        )
        if opened is None or not again:
            if opened is not None:
                self._close_scan(picture, sensor, opened)
            opened = OpenScan(scan, time)
        seen = opened.seen + tuple(self._assign(picture, [p for p in plots if not p.empty], opened))
        picture.scans[sensor.id] = OpenScan(opened.scan, opened.start, seen)

    def _assign(self, picture: Picture, plots: list[Plot], opened: OpenScan) -> list[str]:
        """Greedy nearest neighbour, best pair first, then births; returns the ids that were hit."""
        edges: list[tuple[float, int, int, float]] = []
        taken = {picture.slots[track] for track in opened.seen if track in picture.slots}
        for number, plot in enumerate(plots):
            d2, cost, density = self._score(picture, plot, GATE[plot.rows])
            edges += [
                (cost[slot], number, slot, density[slot])
                for slot in np.flatnonzero(np.isfinite(d2)).tolist()
                if not _conflict(picture.dossiers[slot], plot)
            ]
        hit: dict[int, tuple[int, float]] = {}
        for _, number, slot, dense in sorted(edges):
            if number not in hit and slot not in taken:
                hit[number] = (slot, dense)
                taken.add(slot)
        ids = []
        for number, (slot, dense) in sorted(hit.items()):
            self._use(picture, slot, plots[number], dense)
            ids.append(picture.dossiers[slot].id)
        ids += [born for n, plot in enumerate(plots) if n not in hit if (born := self._birth(picture, plot))]
        return ids

    def _close_scan(self, picture: Picture, sensor: Sensor, scan: OpenScan) -> None:
        """A scan is complete: what it should have seen and did not exists a little less."""
        n = picture.count
        if n == 0 or sensor.origin is None or sensor.rotation is None:
            return
        x, _, _ = self.predicted(picture, scan.start)
        visible = np.zeros(n, np.bool_)
        kernels.in_view(n, x, sensor.origin, sensor.rotation, sensor.limits, visible)
        seen = dict.fromkeys(scan.seen)
        for slot in np.flatnonzero(visible).tolist():
            dossier = picture.dossiers[slot]
            if dossier.id not in seen and dossier.founded < scan.start:
                now = self.existence(picture, slot, scan.start)
                picture.existence[slot] *= evidence.miss(now, sensor.detection_probability) / max(now, 1e-12)
                self.touched[dossier.id] = None

    def existence(self, picture: Picture, slot: int, now: float) -> float:
        """Existence of a track at ``now``."""
        silence = now - float(picture.time[slot])
        return evidence.survive(float(picture.existence[slot]), silence, self.settings)

    def predicted(self, picture: Picture, now: float) -> tuple[F64, F64, list[bool]]:
        """All states (n, 6), covariances (n, 6, 6) and whether heights are known, at ``now``."""
        n = picture.count
        x, p, known = np.empty((n, STATE)), np.empty((n, STATE, STATE)), np.empty(n, np.bool_)
        kernels.predict_all(
            n, picture.time, picture.x, picture.p, picture.known, now, self.motion, x, p, known
        )
        return x, p, known.tolist()

    def _score(self, picture: Picture, plot: Plot, gate: float) -> tuple[F64, F64, F64]:
        n = picture.count
        if self._scratch.shape[1] < n:
            self._scratch = np.zeros((3, 2 * n))
        # Scratch memory: callers read numbers out of it before they score the next plot.
        d2, cost, density = self._scratch
        kernels.score(
            n, picture.time, picture.x, picture.p, picture.known, plot.time, self.motion,
            plot.z, plot.r, plot.use, plot.origin, gate, d2, cost, density,
        )  # fmt: skip
        return d2[:n], cost[:n], density[:n]

    def _use(self, picture: Picture, slot: int, plot: Plot, density: float) -> None:
        """Update a track with a plot that was assigned to it."""
        dossier = picture.dossiers[slot]
        silence = plot.time - float(picture.time[slot])
        echo = plot.sensor.cooperative and same_place(dossier.measure, plot.detection.measure)
        if echo and silence <= self.settings.repeat_s:
            self._hear_again(picture, slot, plot)
            return
        if plot.sensor.cooperative and _strays(dossier):
            plot = without_velocity(plot)
        if self._outranked(dossier, plot):
            plot = without_height(plot)
        x, p = self._x, self._p
        known = kernels.predict(
            picture.x[slot], picture.p[slot], max(silence, 0.0), self.motion, bool(picture.known[slot]), x, p
        )
        if self._takes_over_height(dossier, plot):
            kernels.pin_height(x, p, self.motion)
        distance = kernels.update(x, p, plot.z, plot.r, plot.use, plot.origin)
        ratio = evidence.detection_ratio(plot, density, self.settings)
        if _conflict(dossier, plot):
            ratio = self._stranger_ratio(picture)
        self._support(picture, slot, plot, ratio)
        if _strays(picture.dossiers[slot]) and not _strays(dossier):
            picture.tally("velocity-not-believed")
            self._follow_places(picture, slot, plot)
            return
        if distance < 0.0:
            picture.tally("numerics-restarted")
            self._start(picture, slot, plot)
            return
        # Without a height the prior is put back by the next prediction.
        picture.x[slot], picture.p[slot], picture.known[slot] = x, p, known or bool(plot.use[2])

    def _outranked(self, dossier: Dossier, plot: Plot) -> bool:
        """True if the plot's height is a broadcast one, and a sensor has measured the body's."""
        measured = evidence.height_measured(dossier, plot.time, self.settings)
        return plot.sensor.cooperative and bool(plot.use[2]) and measured

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
        self._start(picture, slot, without_velocity(plot))
        pace = picture.dossiers[slot].pace
        assert pace is not None
        picture.x[slot, 3:5] = pace.way_mps

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
        picture.time[slot] = plot.time
        picture.revise(slot, self._dossier_after(picture.dossiers[slot], plot))
        self.touched[picture.dossiers[slot].id] = None

    def _dossier_after(self, old: Dossier, plot: Plot) -> Dossier:
        claimed, checked = plot.claim is not None, not plot.sensor.cooperative
        stranger = _conflict(old, plot)
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

    def _birth(self, picture: Picture, plot: Plot, contradicted: bool = False) -> str | None:
        """Found a track; returns its id, or None if there is no room."""
        if picture.count >= self.settings.max_tracks and not self._make_room(picture, plot):
            picture.tally("no-room-for-track")
            return None
        bare = Dossier(id=track_id(picture, plot), founded=plot.time, contradicted=contradicted)
        dossier = self._dossier_after(bare, plot)
        slot = picture.found(dossier, plot.time, evidence.birth_existence(plot, self.settings))
        self._start(picture, slot, plot)
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

    def _start(self, picture: Picture, slot: int, plot: Plot) -> None:
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

    def second(self, picture: Picture, now: int) -> None:
        """The turn of a whole second: drop what has faded, join what is one body."""
        fading = [
            self.existence(picture, slot, now) < self.settings.drop_existence for slot in range(picture.count)
        ]
        picture.remove(np.array(fading, np.bool_))
        if picture.count > 1:
            self._merge(picture, float(now))

    def _merge(self, picture: Picture, now: float) -> None:
        partners = self._partners(picture, now)
        gone = np.zeros(picture.count, np.bool_)
        for slot in range(picture.count):
            dossier, partner = picture.dossiers[slot], partners.get(slot)
            if partner is None:
                if dossier.near is not None:
                    picture.revise(slot, structs.replace(dossier, near=None))
                continue
            other = picture.dossiers[partner].id
            seconds = dossier.near[1] + 1 if dossier.near and dossier.near[0] == other else 1
            picture.revise(slot, structs.replace(dossier, near=(other, seconds)))
            if seconds >= self.settings.merge_seconds and not gone[partner]:
                picture.existence[partner] = max(picture.existence[partner], picture.existence[slot])
                picture.confirmed[partner] |= picture.confirmed[slot]
                self._inherit(picture, partner, picture.dossiers[slot])
                gone[slot] = True
                picture.tally("merged-tracks")
        picture.remove(gone)

    def _inherit(self, picture: Picture, slot: int, other: Dossier) -> None:
        """A height that the other track had measured must not give way to one that was only broadcast."""
        heir = picture.dossiers[slot]
        if other.measured > heir.measured:
            kernels.pin_height(picture.x[slot], picture.p[slot], self.motion)
            picture.known[slot] = False
        picture.revise(slot, evidence.inherited(heir, other))

    def _partners(self, picture: Picture, now: float) -> dict[int, int]:
        """For each track that may be the same body as a better founded one: the slot of that one."""
        x, p, _ = self.predicted(picture, now)
        pairs = np.empty((4 * picture.count, 2), np.int64)
        found = kernels.close_pairs(picture.count, x, p, self.settings.merge_distance, pairs)
        partners: dict[int, int] = {}
        for a, b in pairs[:found].tolist():
            vague = max(p[a, 0, 0] + p[a, 1, 1], p[b, 0, 0] + p[b, 1, 1]) > _MERGE_SPREAD_M2
            if vague or not self._may_be_one(picture, a, b):
                continue
            loser, winner = (a, b) if picture.dossiers[b].identity is not None else (b, a)
            partners.setdefault(loser, winner)
        return partners

    def _may_be_one(self, picture: Picture, a: int, b: int) -> bool:
        """Two identities, or two plots in one look of a searching sensor, are two bodies."""
        one, other = picture.dossiers[a], picture.dossiers[b]
        if one.identity is not None and other.identity is not None:
            return False
        times = dict(other.sensors)
        return not any(
            sensor in picture.scans and sensor in times and abs(time - times[sensor]) < 0.5
            for sensor, time in one.sensors
        )


def _conflict(dossier: Dossier, plot: Plot) -> bool:
    """True if the plot names another body than the track is bound to.

    One radio address that states its name under two schemes is one body.
    """
    claim, bound = plot.claim, dossier.identity
    if claim is None or bound is None:
        return False
    if claim.scheme == bound.scheme:
        return claim.id != bound.id
    return plot.emitter is None or plot.emitter != dossier.emitter


def _strays(dossier: Dossier) -> bool:
    """True if the velocity it states is not the one it flies with."""
    return dossier.pace is not None and dossier.pace.false


def _bound(old: Dossier, plot: Plot) -> Identity | None:
    """The identity after this plot: the first that was stated, or a better one from the same sender."""
    stated = identity_of(plot.claim)
    if stated is None or old.identity is None:
        return old.identity or stated
    better = _SCHEME_RANK.get(stated.scheme, 0) > _SCHEME_RANK.get(old.identity.scheme, 0)
    return stated if better and not _conflict(old, plot) else old.identity
