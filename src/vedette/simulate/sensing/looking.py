"""What one sensor sees of all fliers in a stretch of scans: who is detected, and what is measured of him.

Every (sensor, flier) pair has random streams of its own, from which each scan takes the same number of
draws whatever happens: another actor more or less changes nothing for the rest.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vedette.simulate.ground import Ground
from vedette.simulate.sensing import physics
from vedette.simulate.sensing.catalogue import Acoustic, Camera, Finder, Radar
from vedette.simulate.sensing.masking import Ray, edges
from vedette.simulate.sensing.motion import Flier, Stretch
from vedette.simulate.sensing.station import Post
from vedette.simulate.streams import stream
from vedette.simulate.weather import Weather

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]
Looking = Radar | Finder | Acoustic | Camera

FADING_S = 5.0
"""How long a fading of radio or sound lasts: the luck of neighbouring looks is shared, their chance is not
changed. Judgement: some ten metres of way at the speed of a drone."""
_FEW = 1e-4


class Seen(NamedTuple):
    """Detections as flat arrays (n,): ``scan`` counts from the scenario's start, ``time_s`` when the body was
    where it was measured to be, ``flier`` a row of the fliers or -1 for nothing real, ``clear`` how well it
    can be recognised (0 to 1). What is not measured is NaN."""

    scan: NDArray[np.int64]
    time_s: F64
    range_m: F64
    azimuth_deg: F64
    elevation_deg: F64
    rate_mps: F64
    sigma_deg: F64
    flier: NDArray[np.int64]
    clear: F64


class _View(NamedTuple):
    """True geometry, each (scans, fliers)."""

    time_s: F64
    range_m: F64
    azimuth_deg: F64
    elevation_deg: F64
    rate_mps: F64
    here: Bools
    place: F64


class Looker:
    """One sensor that looks for itself: radar, direction finder, acoustic array or camera."""

    def __init__(
        self, post: Post, model: Looking, who: tuple[Flier, ...], seed: int, ground: Ground, weather: Weather
    ) -> None:
        self.post, self.model = post, model
        self._who, self._ground, self._weather = who, ground, weather
        self._luck = [stream(seed, "luck", post.id, flier.id) for flier in who]
        self._errors = [stream(seed, "errors", post.id, flier.id) for flier in who]
        self._fading = np.array([float(generator.standard_normal()) for generator in self._luck])

    @property
    def turns(self) -> bool:
        """True if a plot has the time at which the beam or the lens passed."""
        return isinstance(self.model, Camera) or (isinstance(self.model, Radar) and self.model.rotates)

    def look(self, scans: NDArray[np.int64], starts_s: F64, stretch: Stretch) -> Seen:
        """All that is seen in the scans that begin at ``starts_s``."""
        luck, errors = self._draws(len(scans))
        view = self._view(starts_s, stretch)
        chance, clear = self._chances(view)
        rows, columns = np.nonzero(view.here & (luck < chance))
        edge = self._edges(view.place[rows, columns])
        seen = np.zeros(len(rows), np.bool_)
        sigma = np.full(len(rows), self.model.sigma_azimuth_deg)
        for column, flier in enumerate(self._who):
            of = columns == column
            if np.any(of):
                ranges = view.range_m[rows[of], column]
                upwind = self._upwind(view.azimuth_deg[rows[of], column])
                pd = self._pd(flier, ranges, edge[of], upwind)
                seen[of] = luck[rows[of], column] < pd
                if isinstance(self.model, Finder):
                    sigma[of] = physics.finder_sigma_deg(self.model, ranges, flier.signature, edge[of])
        rows, columns = rows[seen], columns[seen]
        return self._measured(scans, rows, columns, view, errors, sigma[seen], clear[rows, columns])

    def _draws(self, count: int) -> tuple[F64, F64]:
        """Luck (scans, fliers), uniform in 0..1, and errors (scans, fliers, 4), standard normal."""
        luck = np.empty((count, len(self._who)))
        errors = np.empty((count, len(self._who), 4))
        for column, (chances, wrong) in enumerate(zip(self._luck, self._errors, strict=True)):
            luck[:, column] = chances.standard_normal(count)
            errors[:, column] = wrong.standard_normal((count, 4))
        if not isinstance(self.model, Finder | Acoustic):
            return physics.normal_cdf(luck), errors
        keep = math.exp(-self.model.period_s / FADING_S)
        push = math.sqrt(1.0 - keep * keep)
        for row in range(count):
            self._fading = keep * self._fading + push * luck[row]
            luck[row] = self._fading
        return physics.normal_cdf(luck), errors

    def _view(self, starts_s: F64, stretch: Stretch) -> _View:
        times = np.repeat(starts_s[:, None], len(self._who), axis=1)
        place, velocity, here = stretch.at(times)
        range_m, azimuth, _ = self.post.polar(place)
        if self.turns:
            times = times + self.passing_s(azimuth)
            place, velocity, here = stretch.at(times)
        elif isinstance(self.model, Acoustic):
            # What is heard now was sent from where the body was then; a second step settles it.
            for _ in range(2):
                place, velocity, here = stretch.at(times - range_m / physics.SOUND_MPS)
                range_m = self.post.polar(place)[0]
        range_m, azimuth, elevation = self.post.polar(place)
        away = place - np.asarray(self.post.enu_m)
        rate = np.sum(away * velocity, axis=-1) / np.maximum(range_m, 1.0)
        return _View(times, range_m, azimuth, elevation, rate, here, place)

    def passing_s(self, azimuth_deg: F64) -> F64:
        """How long after a scan's start the beam passes an azimuth: it begins where its sector does."""
        width = self.model.azimuth_width_deg if isinstance(self.model, Radar | Camera) else 360.0
        begins = 0.0 if width == 360.0 else self.post.plan.facing_deg - width / 2.0
        share: F64 = np.minimum(((azimuth_deg - begins) % 360.0) / width, 1.0)
        return share * self.model.period_s

    def _chances(self, view: _View) -> tuple[F64, F64]:
        """The chance of detection if no ground stood in the way (it can only take of it), and how well each
        is recognised; (scans, fliers)."""
        chance, clear = np.zeros(view.range_m.shape), np.ones(view.range_m.shape)
        for column, flier in enumerate(self._who):
            ranges = view.range_m[:, column]
            upwind = self._upwind(view.azimuth_deg[:, column])
            chance[:, column] = self._pd(flier, ranges, np.full(len(ranges), -np.inf), upwind)
            if isinstance(self.model, Camera):
                cycles = physics.camera_cycles(self.model, ranges, flier.signature.size_m)
                clear[:, column] = physics.johnson_pd(cycles, self.model.recognise_cycles)
        return np.where(self._in_view(view) & (chance > _FEW), chance, 0.0), clear

    def _pd(self, flier: Flier, ranges: F64, edge: F64, upwind: F64) -> F64:
        if isinstance(self.model, Acoustic):
            level = flier.signature.level_db
            return physics.acoustic_pd(self.model, ranges, level, self._weather, edge, upwind)
        return physics.detection_probability(self.model, flier.signature, ranges, self._weather, edge)

    def _upwind(self, azimuth_deg: F64) -> F64:
        """Wind (m/s) that blows towards an azimuth: sound from there comes against it."""
        return -self._weather.wind_mps * np.cos(np.radians(azimuth_deg - self._weather.wind_from_deg))

    def _in_view(self, view: _View) -> Bools:
        model = self.model
        if not isinstance(model, Radar | Camera):
            return np.ones(view.range_m.shape, np.bool_)
        inside = self.post.in_sector(view.azimuth_deg, model.azimuth_width_deg)
        inside &= (view.elevation_deg >= model.elevation_from_deg) & (
            view.elevation_deg <= model.elevation_to_deg
        )
        if isinstance(model, Radar):
            speed = np.abs(view.rate_mps)
            inside &= (speed >= model.least_rate_mps) & (speed <= model.most_rate_mps)
        return inside

    def _edges(self, places: F64) -> F64:
        return edges(self._ground, self.post.enu_m, places, self._ray)

    @property
    def _ray(self) -> Ray:
        if isinstance(self.model, Camera):
            return "light"
        return "sound" if isinstance(self.model, Acoustic) else "radio"

    def _measured(
        self,
        scans: NDArray[np.int64],
        rows: NDArray[np.int64],
        columns: NDArray[np.int64],
        view: _View,
        errors: F64,
        sigma_deg: F64,
        clear: F64,
    ) -> Seen:
        model, faults, wrong = self.model, self.post.plan.faults, errors[rows, columns]
        nothing = np.full(len(rows), np.nan)
        azimuth = view.azimuth_deg[rows, columns] + sigma_deg * wrong[:, 0] + faults.azimuth_bias_deg
        range_m, elevation, rate = nothing, nothing, nothing
        if not isinstance(model, Finder) and model.sigma_elevation_deg is not None:
            elevation = view.elevation_deg[rows, columns] + model.sigma_elevation_deg * wrong[:, 1]
            elevation = np.clip(elevation + faults.elevation_bias_deg, -90.0, 90.0)
        if isinstance(model, Radar):
            range_m = view.range_m[rows, columns] + model.sigma_range_m * wrong[:, 2] + faults.range_bias_m
            range_m = np.maximum(range_m, 1.0)
            if model.sigma_rate_mps is not None:
                rate = view.rate_mps[rows, columns] + model.sigma_rate_mps * wrong[:, 3]
        return Seen(
            scans[rows],
            view.time_s[rows, columns],
            range_m,
            azimuth % 360.0,
            elevation,
            rate,
            sigma_deg,
            columns.astype(np.int64),
            clear,
        )
