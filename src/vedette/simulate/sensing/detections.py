"""Everything that reaches the station from the sensors of a scenario, in the order in which it arrives."""

import heapq
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vedette.model import Bearing, Detection, RangeBearing, Sigma, UnitReport
from vedette.sense.adsb import BeastAdapter
from vedette.sense.remote_id import RemoteIdAdapter
from vedette.simulate.emitters import CHANNELS, Channel, Emission, Transmissions, check_start
from vedette.simulate.scenario import Scenario
from vedette.simulate.sensing.beliefs import Belief, Classifier, insisted
from vedette.simulate.sensing.catalogue import AdsbReceiver, Camera, Finder, Radar, RemoteIdReceiver
from vedette.simulate.sensing.clutter import Clutter
from vedette.simulate.sensing.looking import Looker, Seen
from vedette.simulate.sensing.motion import Flier, Motion, Stretch, fliers
from vedette.simulate.sensing.receivers import receivers_of
from vedette.simulate.sensing.station import Post
from vedette.simulate.sensing.way import Message, Plot, Scan, Way
from vedette.simulate.streams import stream
from vedette.simulate.world import World
from vedette.wire.adsb import BeastBatcher
from vedette.wire.adsb import Place as AdsbPlace
from vedette.wire.capture import FrameBatch
from vedette.wire.capture.batch import Record

STRETCH_S = 20.0
"""How much of the scenario is worked out at once. It is part of what fixes the random draws."""
RANGE_DIGITS, ANGLE_DIGITS = 3, 5
"""Measures are rounded to these decimals (metres and m/s; degrees), far below what they are good for."""

Arrived = Message | Emission


class SensorRun:
    """One sensor that looks for itself, from scan to scan."""

    def __init__(
        self, post: Post, who: tuple[Flier, ...], scenario: Scenario, world: World, at: float
    ) -> None:
        model, seed = post.model, scenario.head.seed
        assert not isinstance(model, RemoteIdReceiver | AdsbReceiver)
        self._model, self._period_s = model, model.period_s
        self._looker = Looker(post, model, who, seed, world.ground, scenario.head.weather)
        self._clutter = Clutter(self._looker, post, seed)
        watches = isinstance(model, Radar | Camera)
        self._way = Way(post.plan, model, seed, at, watches=watches)
        right = model.classified_right if isinstance(model, Radar | Camera) else None
        self._classifier = None if right is None else Classifier(post.id, right, who, seed)
        self._says = post.plan.faults.false_class
        self._sigma = _sigma(post)
        self._phase_s = float(stream(seed, "phase", post.id).random()) * self._period_s
        self._next = 0

    @property
    def lag_s(self) -> float:
        """How long after the first part of a scan was sent the scan is worked out."""
        return self._period_s if self._looker.turns else 0.0

    def until(self, end_s: float, stretch: Stretch) -> Iterator[Message]:
        """The messages of the scans that are complete before ``end_s``."""
        count = math.ceil((end_s - self.lag_s - self._phase_s) / self._period_s) - self._next
        if count <= 0:
            return
        numbers = np.arange(self._next, self._next + count)
        self._next += count
        starts = self._phase_s + numbers.astype(np.float64) * self._period_s
        seen = _joined([self._looker.look(numbers, starts, stretch), *self._clutter.seen(numbers, starts)])
        plots = self._plots(seen)
        at = 0
        for number, start_s in zip(numbers.tolist(), starts.tolist(), strict=True):
            end = at
            while end < len(plots) and seen.scan[end] == number:
                end += 1
            yield from self._way.send(Scan(number, start_s, start_s + self.lag_s, tuple(plots[at:end])))
            at = end

    def _plots(self, seen: Seen) -> list[Plot]:
        beliefs = self._beliefs(seen)
        rows = zip(
            np.round(seen.time_s, 6).tolist(),
            np.round(seen.range_m, RANGE_DIGITS).tolist(),
            (np.round(seen.azimuth_deg, ANGLE_DIGITS) % 360.0).tolist(),
            _known(np.round(seen.elevation_deg, ANGLE_DIGITS)),
            _known(np.round(seen.rate_mps, RANGE_DIGITS)),
            np.round(seen.sigma_deg, RANGE_DIGITS).tolist(),
            beliefs,
            strict=True,
        )
        if isinstance(self._model, Radar):
            return [
                Plot(time, _range_bearing(far, azimuth, elevation, rate), self._sigma, belief)
                for time, far, azimuth, elevation, rate, _, belief in rows
            ]
        return [
            Plot(
                time,
                Bearing(azimuth_deg=azimuth, elevation_deg=elevation),
                self._sigma or Sigma(azimuth_deg=sigma),
                belief,
            )
            for time, _, azimuth, elevation, _, sigma, belief in rows
        ]

    def _beliefs(self, seen: Seen) -> list[Belief | None]:
        count = len(seen.scan)
        if self._says is not None:
            return [insisted(self._says)] * count
        found: list[Belief | None] = [None] * count
        if self._classifier is not None:
            for flier in np.unique(seen.flier).tolist():
                rows = np.flatnonzero(seen.flier == flier)
                for row, belief in zip(
                    rows.tolist(), self._classifier.of(flier, seen.clear[rows]), strict=True
                ):
                    found[row] = belief
        return found


def _range_bearing(
    range_m: float, azimuth_deg: float, elevation_deg: float | None, rate_mps: float | None
) -> RangeBearing:
    return RangeBearing(
        range_m=range_m, azimuth_deg=azimuth_deg, elevation_deg=elevation_deg, range_rate_mps=rate_mps
    )


def _sigma(post: Post) -> Sigma | None:
    """What a sensor states with each plot; a rotating radar without heights states nothing, and a direction
    finder what the strength of the signal allows."""
    model = post.model
    if isinstance(model, RemoteIdReceiver | AdsbReceiver | Finder):
        return None
    if not isinstance(model, Radar):
        return Sigma(azimuth_deg=model.sigma_azimuth_deg, elevation_deg=model.sigma_elevation_deg)
    if not model.raised:
        return None
    return Sigma(
        range_m=model.sigma_range_m,
        azimuth_deg=model.sigma_azimuth_deg,
        elevation_deg=model.sigma_elevation_deg,
        range_rate_mps=model.sigma_rate_mps,
    )


def _known(values: NDArray[np.float64]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]


def _joined(parts: list[Seen]) -> Seen:
    """All of them, in order of scan, time and azimuth: what is real is not to be told by its place."""
    whole = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    order = np.lexsort((whole[3], whole[1], whole[0]))
    return Seen(*(column[order] for column in whole))


class Session:
    """All sensors of a scenario over one world, and all that is transmitted in it."""

    def __init__(self, scenario: Scenario, start_time: float, channels: tuple[Channel, ...]) -> None:
        check_start(start_time)
        self._scenario, self._start_time = scenario, start_time
        self._world = World(scenario)
        who = fliers(self._world.actors)
        posts = [Post(plan, self._world.frame, self._world.ground) for plan in scenario.sensors]
        self._runs = [
            SensorRun(post, who, scenario, self._world, start_time)
            for post in posts
            if not isinstance(post.model, RemoteIdReceiver | AdsbReceiver)
        ]
        self._motion = Motion(self._world, who)
        self._sent = Transmissions(
            self._world, scenario, start_time, channels, self._motion.note if self._runs else lambda: None
        )

    def stretches(self) -> Iterator[tuple[float, list[Emission], list[Message]]]:
        """Stretch by stretch: the time (Unix seconds) before which all that arrives has been given, what was
        transmitted, and what sensors sent."""
        end_s = 0.0
        lag_s = max((run.lag_s for run in self._runs), default=0.0)
        while end_s < self._scenario.head.duration_s:
            end_s = min(end_s + STRETCH_S, self._scenario.head.duration_s)
            sent = list(self._sent.until(end_s))
            found: list[Message] = []
            if self._runs:
                stretch = self._motion.arrays()
                for run in self._runs:
                    found += run.until(end_s, stretch)
                self._motion.forget_before(end_s - lag_s)
            yield self._start_time + end_s - lag_s, sent, found


def arrivals(
    scenario: Scenario, start_time: float, channels: tuple[Channel, ...] = CHANNELS
) -> Iterator[Arrived]:
    """Messages of all sensors, and all that was transmitted and heard, in order of arrival.

    Raises ConfigError for a start outside 2019 to 2100.
    """
    stretches = Session(scenario, start_time, channels).stretches()
    return _merged((whole, [*sent, *found]) for whole, sent, found in stretches)


def detections(scenario: Scenario, start_time: float) -> Iterator[Detection]:
    """What all sensors report, each with ``received``, in order of arrival.

    Receivers of broadcasts are among them: their frames go through the very adapters of the station.
    Raises ConfigError for a start outside 2019 to 2100.
    """
    for one in _inputs(scenario, start_time, ("remote-id", "adsb")):
        if isinstance(one, Detection):
            yield one


def inputs(scenario: Scenario, start_time: float) -> Iterator[Detection | UnitReport]:
    """All that a station is given: `detections` and the reports of units, in order of arrival, at the price
    of one walk through the world."""
    return _inputs(scenario, start_time, CHANNELS)


def _inputs(
    scenario: Scenario, start_time: float, channels: tuple[Channel, ...]
) -> Iterator[Detection | UnitReport]:
    ears = Ears(scenario)
    for one in _merged(
        (whole, [*ears.hear(sent), *_reports(sent), *found])
        for whole, sent, found in Session(scenario, start_time, channels).stretches()
    ):
        if isinstance(one, Message):
            yield from one.detections
        else:
            yield one


def _reports(emissions: list[Emission]) -> list[UnitReport]:
    return [one.report for one in emissions if one.report is not None]


def _merged(stretches: Iterable[tuple[float, Sequence[Any]]]) -> Iterator[Any]:
    """Everything in order of arrival; equal times in the order given. A stretch is held back as far as
    the next one may bring what arrives earlier."""
    waiting: list[tuple[float, int, Any]] = []
    count = 0
    for whole, some in stretches:
        for one in some:
            heapq.heappush(waiting, (_arrived(one), count, one))
            count += 1
        while waiting and waiting[0][0] < whole:
            yield heapq.heappop(waiting)[2]
    while waiting:
        yield heapq.heappop(waiting)[2]


def _arrived(one: Emission | Message | Detection | UnitReport) -> float:
    if isinstance(one, Emission | UnitReport):
        return one.time
    return one.time if one.received is None else one.received


class Ears:
    """The station's adapters for the receivers of a scenario."""

    def __init__(self, scenario: Scenario) -> None:
        site = scenario.head.site
        self._site = AdsbPlace(site.lat_deg, site.lon_deg)
        self._remote_id = {each.id: RemoteIdAdapter(each.id) for each in receivers_of(scenario)}
        self._adsb: dict[str, BeastAdapter] = {}

    def hear(self, emissions: list[Emission]) -> list[Detection]:
        """The detections of emissions in order of time, receiver by receiver."""
        found: list[Detection] = []
        for name, adapter in self._remote_id.items():
            heard = [one for one in emissions if one.channel == "remote-id" and one.source == name]
            if heard:
                records = (Record(one.time, one.link_type or 0, one.data) for one in heard)
                found += adapter.detections(FrameBatch.of(records))
        for one in emissions:
            if one.channel == "adsb":
                squitters = self._adsb.setdefault(one.source, BeastAdapter(one.source, self._site))
                found += squitters.take(BeastBatcher().feed(one.data), one.time)
        return found
