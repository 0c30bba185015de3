"""What the looks of sensors of directions say of bodies that are not tracked yet.

After the tracks have taken their bearings, what is left of each goes to the hypotheses of bodies where
directions cross (`rays.hypotheses`), and what these leave founds new ones together with the last look of
each other such sensor. Apart from that, each sensor keeps its own *rays* (`kernels.listening`), so that a
body that only one sensor hears is known by its direction.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vedette.fuse.keeper import Keeper
from vedette.fuse.kernels import crossing, listening, suppositions, wedge
from vedette.fuse.kernels.kalman import F64, Mask
from vedette.fuse.looks import Rows
from vedette.fuse.picture import Picture
from vedette.fuse.plots import Plot
from vedette.fuse.rays import hypotheses
from vedette.fuse.rays.eyes import Eyes, arrays_of, with_numbers
from vedette.fuse.rays.hypotheses import Heard
from vedette.fuse.rays.silence import Watchers, most_likely
from vedette.fuse.rays.state import Ear, Eye, Hypotheses, Mask2, Rays
from vedette.fuse.reports import GATE
from vedette.fuse.sensing.sensors import Sensor
from vedette.fuse.settings import FuseSettings
from vedette.fuse.sightings import Sightings

I64 = NDArray[np.int64]
Stack = tuple[F64, F64, F64, F64]

_TINY = 1e-9
_ODD_HEIGHT_SIGMA_M = 250.0
"""Spread of heights where one is measured by an elevation: the prior's would draw it to itself."""
_NO_ROOM = np.zeros((0, listening.COLUMNS))
_SILENT_LOOKS = 2.5
"""Who is not heard in two looks, one after the other, is silent; a look may come half a period late."""
CELLS = 5
"""Ranges that a direction alone is spread over."""
NEAREST_SHARE = 0.01
"""The first of them begins at this share of the farthest range, or at the sensor's own nearest."""


class Look(NamedTuple):
    """Bearings of one look that no track claims: their values, variances and which are given (k, ROWS).
    ``else_`` (k,): as `state.Ear.else_`."""

    sensor: Sensor
    eye: Eye
    time: float
    z: F64
    var: F64
    use: Mask2
    else_: F64


class Hearing:
    """Takes looks into what a picture knows of directions."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper, self._settings = keeper, keeper.settings
        self._gates: F64 = np.array(GATE)
        self._eyes = Eyes()
        self._figures: dict[Eye, F64] = {}
        self._motion = hypotheses.motion_of(keeper)
        settings = self._settings
        self._crossing: F64 = np.array(
            [
                settings.first_density_per_m2, settings.arrivals_per_m2s * settings.crossing_apart_s,
                0.0, 0.0, 0.0, settings.crossing_least_existence, settings.birth_speed_sigma_mps,
                settings.prior_height_m, settings.prior_height_sigma_m, _ODD_HEIGHT_SIGMA_M,
                settings.crossing_widest_m, 0.0,
            ]
        )  # fmt: skip

    def watched(self, picture: Picture, sensor: Sensor, time: float, sees: float) -> None:
        """A searching sensor has looked; ``sees``: with which probability it would have seen a body."""
        eye, rays = self._eyes.of(sensor), picture.rays
        if eye is None:
            return
        if rays.eyes.get(sensor.id) is not eye:
            picture.rays = rays = rays._replace(eyes={**rays.eyes, sensor.id: eye})
        if rays.hypotheses.number and sees > 0.0:
            held = hypotheses.missed(self._foretold(rays, time), eye, sees)
            picture.rays = rays._replace(hypotheses=self._joined(held))

    def take(
        self, picture: Picture, plots: Sequence[Plot], rows: Rows, unclaimed: F64, unplaced: F64 | None
    ) -> list[str]:
        """A look of a sensor of directions, whose bearings are of no track with the probability
        ``unclaimed`` (k,), and with ``unplaced`` (k,), if any are, of one that is shown as its directions;
        returns the ids of tracks that it founds."""
        sensor, time = plots[0].sensor, plots[0].time
        eye = self._eyes.of(sensor)
        if eye is None:
            return []
        rays = picture.rays
        before = self._before(rays.ears.get(sensor.id), time)
        held = self._foretold(rays, time)
        elsewhere = rows.elsewhere / np.maximum(unclaimed, _TINY)
        heard = hypotheses.heard(held, eye, sensor.id, rows, elsewhere, self._gates)
        founded, left = self._promote(picture, plots, self._hushed(picture, sensor.id, eye, heard))
        worth = unclaimed * heard.unclaimed
        # What is of no place that is shown may be of a ray, but founds no second body.
        free = unclaimed if unplaced is None else np.minimum(unclaimed + unplaced, 1.0)
        elsewhere = rows.elsewhere / np.maximum(free, _TINY)
        sure = free >= self._settings.bearing_least_unclaimed
        number = _least(1.0 - free, self._settings.max_bearings, sure)
        z, var, use, dense, worth, elsewhere, taken = _at(
            number, rows.z, rows.var, rows.use, rows.elsewhere, worth, elsewhere, free - unclaimed
        )
        look = Look(sensor, eye, time, z, var, use, dense / np.maximum(worth, _TINY))
        searching = searching_eyes(picture, self._settings)
        table, stray = self._listen(picture, look, elsewhere, before, searching)
        chosen = _least(stray + taken, self._settings.max_crossing_bearings)
        born = self._crossings(picture, look, chosen, before, searching)
        left = self._joined(left, *born)
        after = before * (1.0 - eye.sees)
        ear = Ear(eye, time, before, after, z, var, use, look.else_, chosen, table)
        picture.rays = Rays({**rays.ears, sensor.id: ear}, rays.eyes, left, rays.support)
        return founded

    def second(self, picture: Picture, now: float) -> None:
        """The turn of a second: where a body is that was known by directions alone, and that nobody hears any
        more, nobody knows; it is kept in mind, but not shown."""
        by_ear = picture.by_ear[: picture.count]
        if by_ear.any():
            silent = now - picture.heard[: picture.count] > self._patience(picture.rays)
            picture.confirmed[: picture.count] &= ~(by_ear & silent)

    def _patience(self, rays: Rays) -> float:
        """For how long a body may be silent and be shown: until even the slowest sensor of directions should
        have heard it again, and no longer than any of them may be silent itself."""
        slowest = max((ear.eye.period_s for ear in rays.ears.values()), default=0.0)
        looks = _SILENT_LOOKS * slowest
        return min(max(self._settings.silent_body_s, looks), self._settings.silent_sensor_s)

    def hush(self, picture: Picture, sensor: Sensor, time: float, hit: F64, after: F64) -> None:
        """Lower the existence ``after`` a look of what is known by directions alone, and that others who look
        there do not hear."""
        eye = self._eyes.of(sensor)
        if eye is None:
            return
        slots = picture.by_ear[: len(after)].nonzero()[0].tolist()
        if not slots:
            return
        listeners, watchers = self._listeners(picture, sensor.id, eye, time), _watchers(picture)
        for slot in slots:
            seen, place = picture.sightings[slot], picture.x[slot, :3]
            founded = picture.dossiers[slot].founded
            if hit[slot] > 0.5:
                seen = seen.after(sensor.id, time, checked=True, raised=False)
            most = most_likely(place, founded, seen, listeners, watchers, self._settings.blind_share)
            after[slot] = min(after[slot], most)

    def _hushed(self, picture: Picture, name: str, eye: Eye, heard: Heard) -> Heard:
        """The same for hypotheses, of those that are likely."""
        held = heard.hypotheses
        likely = (held.existence > self._settings.forget_existence).nonzero()[0].tolist()
        if not likely:
            return heard
        listeners, watchers = self._listeners(picture, name, eye, held.time), _watchers(picture)
        existence = held.existence.copy()
        for slot in likely:
            place = held.xm[slot, 0, :3]
            founded, seen = float(held.founded[slot]), held.sightings[slot]
            most = most_likely(place, founded, seen, listeners, watchers, self._settings.blind_share)
            existence[slot] = min(existence[slot], most)
        return heard._replace(hypotheses=held._replace(existence=existence))

    def _listeners(self, picture: Picture, name: str, eye: Eye, time: float) -> dict[str, tuple[Eye, float]]:
        listeners = {
            other: (ear.eye, ear.time) for other, ear in picture.rays.ears.items() if ear.eye.vouched
        }
        if eye.vouched:
            listeners[name] = eye, time
        return listeners

    def _foretold(self, rays: Rays, time: float) -> Hypotheses:
        return hypotheses.foretold(rays.hypotheses, time, self._motion, self._keeper)

    def _joined(self, *parts: Hypotheses) -> Hypotheses:
        settings = self._settings
        return hypotheses.joined(settings.crossing_least_existence, settings.max_crossings, *parts)

    def _before(self, ear: Ear | None, time: float) -> float:
        """Density of bodies that a sensor could hear and has not heard before a look at ``time``."""
        settings = self._settings
        if ear is None:
            return settings.first_density_per_m2
        grown = ear.after + settings.arrivals_per_m2s * max(time - ear.time, 0.0)
        return min(grown, settings.first_density_per_m2)

    # --- bodies where directions cross

    def _promote(self, picture: Picture, plots: Sequence[Plot], heard: Heard) -> tuple[list[str], Hypotheses]:
        """Hypotheses that are likely enough become tracks; returns their ids, and the other ones."""
        held, settings = heard.hypotheses, self._settings
        sure = (held.existence > settings.confirm_existence) & (heard.hit > 0.5)
        if len(sure.nonzero()[0]) == 0:
            return [], held
        wide = np.sqrt(np.maximum(held.pm[:, 0, 0, 0], held.pm[:, 0, 1, 1]))
        sure &= wide <= settings.crossing_sigma_m
        names = []
        for slot in np.flatnonzero(sure).tolist():
            name = self._keeper.found_solved(
                picture, plots[int(heard.best[slot])], held.sightings[slot], float(held.existence[slot]),
                (held.xm[slot, 0], held.pm[slot, 0]), known=bool(held.known[slot]),
            )  # fmt: skip
            if name is None:
                sure[slot] = False
            else:
                names.append(name)
        return names, hypotheses.kept(held, ~sure)

    def _crossings(
        self, picture: Picture, look: Look, chosen: I64, before: float, searching: Stack
    ) -> list[Hypotheses]:
        """New hypotheses of the ``chosen`` bearings of a look, with the last look of each other sensor."""
        ears = picture.rays.ears
        born: list[Hypotheses] = []
        if len(chosen) == 0:
            return born
        look = Look(*look[:3], *_at(chosen, look.z, look.var, look.use, look.else_))
        for name in sorted(ears):
            ear = ears[name]
            if name == look.sensor.id or look.time - ear.time > self._settings.crossing_apart_s:
                continue
            if len(ear.chosen) == 0:
                continue
            others = self._others(picture, (look.sensor.id, name), look.time)
            new = self._cross(look, name, ear, before, searching, others)
            if new is not None:
                born.append(new)
        return born

    def _others(self, picture: Picture, pair: tuple[str, str], time: float) -> Stack:
        """The other sensors of directions, and the share of bodies in reach that they have not heard."""
        first = self._settings.first_density_per_m2
        ears = sorted(picture.rays.ears.items())
        return with_numbers(
            (ear.eye, self._before(ear, time) / first)
            for name, ear in ears
            if name not in pair and ear.eye.vouched
        )

    def _cross(
        self, look: Look, name: str, ear: Ear, before: float, searching: Stack, others: Stack
    ) -> Hypotheses | None:
        settings, figures = self._settings, self._crossing.copy()
        figures[crossing.SEE] = look.eye.sees * ear.eye.sees
        figures[crossing.QUIET_A] = before / settings.first_density_per_m2
        figures[crossing.QUIET_B] = ear.before / settings.first_density_per_m2
        figures[crossing.APART_S] = look.time - ear.time
        zb, var_b, use_b, else_b = _at(ear.chosen, ear.z, ear.var, ear.use, ear.else_)
        ka, kb = len(look.z), len(zb)
        room = ka * kb
        first, other, weight = np.empty(ka + 1, np.int64), np.empty(room, np.int64), np.empty(room)
        place, spread = np.empty((room, 3)), np.empty((room, 3, 3))
        found = crossing.cross_all(
            look.z, look.var, look.use, look.else_, *arrays_of(look.eye), zb, var_b, use_b, else_b,
            *arrays_of(ear.eye), *searching, *others, figures, first, other, weight, place, spread,
        )  # fmt: skip
        if found == 0:
            return None
        likely, good, raised = np.empty(found), np.empty(found, np.int64), np.empty(found, np.bool_)
        number = suppositions.likely_ones(
            ka, kb, first, other[:found], weight[:found], look.use, use_b, settings.crossing_least_existence,
            likely, good, raised,
        )  # fmt: skip
        if number == 0:
            return None
        best = _least(-likely[:number], settings.max_crossings)
        good, likely, raised = good[best], likely[best], raised[best]
        both = tuple(sorted([(name, ear.time), (look.sensor.id, look.time)]))
        either = Sightings(both, look.time), Sightings(both, look.time, look.time)
        seen = [either[flag] for flag in raised.tolist()]
        most = np.minimum(likely, settings.birth_existence_claimed)
        return hypotheses.begun(look.time, good, place, spread, most, raised, seen, self._keeper.unsure)

    # --- directions

    def _listen(
        self, picture: Picture, look: Look, elsewhere: F64, before: float, searching: Stack
    ) -> tuple[F64, F64]:
        """The sensor's rays after the look, and the probability (k,) that a bearing was of none before."""
        held, settings = picture.rays.ears.get(look.sensor.id), self._settings
        figures, table = self._figures_of(look.eye), _NO_ROOM
        z, var, use = look.z, look.var, look.use
        unclaimed = np.ones(len(z))
        if held is not None and len(held.table):
            table = held.table.copy()
            listening.foretell(table, look.time - held.time, figures)
            listening.hear(table, look.time, z, var, use, elsewhere, figures, unclaimed)
        origin, rotation, _ = arrays_of(look.eye)
        new, room = np.empty(len(z)), np.empty((len(table) + len(z), listening.COLUMNS))
        wedge.new_of(
            z, use, origin, rotation, borders_of(look.eye), settings.prior_height_m, *searching,
            before * look.eye.sees, new,
        )  # fmt: skip
        kept = listening.keep(table, figures[listening.LEAST], room)
        kept += listening.sprout(look.time, z, var, use, elsewhere, unclaimed, new, figures, room[kept:])
        table, most = room[:kept], settings.max_rays
        if len(table) > most:
            order = np.argsort(-table[:, listening.EXISTENCE], kind="stable")
            table = table[np.sort(order[:most])]
        return table, unclaimed

    def _figures_of(self, eye: Eye) -> F64:
        """`ray_figures`, made once for each."""
        figures = self._figures.get(eye)
        if figures is None:
            figures = self._figures[eye] = ray_figures(eye, self._settings)
        return figures


def _watchers(picture: Picture) -> Watchers:
    eyes = picture.rays.eyes
    return {name: (eyes[name], picture.unseen[name].time) for name in sorted(eyes) if name in picture.unseen}


def _least(value: F64, most: int, good: Mask | None = None) -> I64:
    """Numbers of the ``good`` ones, or of the ``most`` with the least value if they are more."""
    number = np.arange(len(value)) if good is None else good.nonzero()[0]
    if len(number) > most:
        order = np.argsort(value[number], kind="stable")
        number = np.sort(number[order[:most]])
    return number


def _at(number: I64, *arrays: Any) -> Sequence[Any]:
    """These rows of arrays that are as long as each other: mostly all, and then there is nothing to copy."""
    return arrays if len(number) == len(arrays[0]) else [array[number] for array in arrays]


def searching_eyes(picture: Picture, settings: FuseSettings) -> Stack:
    """Searching sensors, and which share of the bodies in view they have not found."""
    pairs = []
    for name, eye in sorted(picture.rays.eyes.items()):
        unseen = picture.unseen.get(name)
        share = 1.0 if unseen is None else unseen.density / settings.first_density_per_m2
        pairs.append((eye, min(max(share, settings.blind_share), 1.0)))
    return with_numbers(pairs)


def ray_figures(eye: Eye, settings: FuseSettings) -> F64:
    """What `kernels.listening` wants to know of a sensor."""
    return np.array(
        [
            eye.sees, settings.ray_psd_rad2ps3, settings.ray_rate_sigma_radps**2,
            settings.ray_elevation_psd_rad2ps, settings.stay_s, settings.ray_least_existence,
            settings.confirm_existence, settings.forget_existence,
        ]
    )  # fmt: skip


@lru_cache(maxsize=1024)
def borders_of(eye: Eye) -> F64:
    """Borders (CELLS + 1,) of the ranges that a direction alone is spread over; not to be written to."""
    nearest, farthest = eye.limits[0], eye.limits[1]
    farthest = DEFAULT_REACH_M if farthest > DEFAULT_REACH_M * 100 else farthest
    borders = np.empty(CELLS + 1)
    wedge.edges(min(max(nearest, NEAREST_SHARE * farthest), 0.5 * farthest), farthest, borders)
    return borders


DEFAULT_REACH_M = 5000.0
"""Of a sensor that states no range."""
