"""The tracker: detections in, confirmed tracks out, the same for every order of arrival.

Inside is one canonical order: detections by (time, sensor, content), and the turn of every whole second
before the detections of that second. The *head* is the picture after all of it. A detection that comes
late rewinds the head to a checkpoint before it and runs the order again, so that what is known never
depends on the network. What is older than 8 s (`LATE_WINDOW_S`) is counted, not fused.

This version holds one constant-velocity filter per track and assigns detections greedily. It does not
fuse bearings and presences: they are counted under ``bearing-not-fused`` and ``presence-not-fused``, and
an empty scan counts only for a sensor that searches a known region.
"""

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from typing import NamedTuple

import msgspec
from msgspec import Struct

from vedette.fuse import kernels
from vedette.fuse.frames import frame_of
from vedette.fuse.intake import Intake
from vedette.fuse.picture import PackedPicture, Picture, pack, picture_bytes, unpack
from vedette.fuse.plots import Plot, Unusable
from vedette.fuse.settings import LATE_WINDOW_S, FuseSettings
from vedette.fuse.step import Fuser
from vedette.model import Detection, Frame, InputError, SensorProfile, Site

Key = tuple[float, str]

_NOTHING: Key = (-math.inf, "")
_DEFAULT_SETTINGS = FuseSettings()
_SECOND_LAG_S = 1
"""The turn of a second waits this long for stragglers, unless a detection of a later second came."""
_LEAST_GROUPS_BETWEEN_CHECKPOINTS = 32


class _Checkpoint(NamedTuple):
    """``picture`` after the turn of ``second`` and all groups up to ``key``."""

    second: int
    key: Key
    turned: bool
    picture: Picture


class _State(Struct, frozen=True, array_like=True):
    at: float
    base_second: int
    base: PackedPicture
    head_second: int
    log: list[bytes]
    waiting: list[bytes]
    counts: dict[str, int]
    budget_second: int
    budget_used: int


_STATE_ENCODER = msgspec.msgpack.Encoder(order="deterministic")
_STATE_DECODER = msgspec.msgpack.Decoder(_State)
_DETECTION_DECODER = msgspec.json.Decoder(Detection)


def warm() -> None:
    """Compile every kernel of the tracker (some seconds once, then cached)."""
    kernels.warm()


class Tracker:
    """Fuses detections into tracks in the frame of ``site``.

    A pure function of its calls: no clock, no randomness. ``at`` is station time (Unix seconds) and is
    held where it is if a call gives less. Detections up to 1 s ahead of it are taken as they are, later
    ones at ``at``, so no sensor moves the tracker's time. Raises ConfigError for sensors that cannot be
    placed.
    """

    def __init__(
        self,
        site: Site,
        sensors: tuple[SensorProfile, ...] = (),
        settings: FuseSettings = _DEFAULT_SETTINGS,
    ) -> None:
        self._settings = settings
        self._intake = Intake(site, sensors, settings)
        self._fuser = Fuser(settings)
        self._at = -math.inf
        self._log: list[Plot] = []
        self._waiting: list[Plot] = []
        self._load: dict[tuple[str, int, str], int] = {}
        self._budget_second, self._budget_used = 0, 0
        self._begin(0, Picture())

    def _begin(self, second: int, picture: Picture) -> None:
        self._head = picture
        self._head_second, self._reached, self._head_key = second, second, _NOTHING
        self._groups = 0
        self._checkpoints = [_Checkpoint(second, _NOTHING, True, picture.copy())]

    @property
    def counts(self) -> dict[str, int]:
        """What was refused, and what happened while fusing, by reason; sorted."""
        both = dict(self._intake.counts)
        for what, number in self._head.tallies.items():
            both[what] = both.get(what, 0) + number
        return dict(sorted(both.items()))

    def add(self, detections: Iterable[Detection], at: float) -> list[str]:
        """Fuse a batch; returns the sorted ids of confirmed tracks that it changed."""
        self._fuser.touched.clear()
        self._pass_time(at)
        fresh = self._new_ones(self._intake.plots(detections, self._at))
        behind = sum(self._is_behind(plot) for plot in fresh)
        before = self._marks() if behind else {}
        deferred = self._unaffordable(fresh[:behind])
        if deferred:
            self._intake.count("late-deferred", deferred)
            for plot in fresh[:deferred]:
                insort(self._waiting, plot, key=_key)
        self._insert(fresh[deferred:])
        return self._changed(before)

    def advance(self, at: float) -> None:
        """Let time pass: turn the seconds that are complete, and forget what is beyond the window."""
        self._pass_time(at)

    def frame(self, at: float) -> Frame:
        """The confirmed tracks predicted to ``at``, sorted by id."""
        return frame_of(self._head, at, self._fuser)

    def settled(self, at: float) -> tuple[float, bytes]:
        """The last whole second that no detection can change any more, and canonical bytes of the
        picture there: equal for every arrival order of the same detections inside the window, as long
        as none was shed (counts ``over-capacity``)."""
        self._pass_time(at)
        second = _window_start(self._at)
        last = [point for point in self._checkpoints if point.turned and point.second <= second]
        return float(second), picture_bytes(last[-1].picture)

    def state(self) -> bytes:
        """Everything that `restore` needs to go on bit for bit. It holds no operator's place."""
        base = self._checkpoints[0]
        return _STATE_ENCODER.encode(
            _State(
                at=self._at,
                base_second=base.second,
                base=pack(base.picture),
                head_second=self._head_second,
                log=[plot.content for plot in self._log],
                waiting=[plot.content for plot in self._waiting],
                counts=self._intake.counts,
                budget_second=self._budget_second,
                budget_used=self._budget_used,
            )
        )

    @classmethod
    def restore(
        cls, site: Site, sensors: tuple[SensorProfile, ...], settings: FuseSettings, state: bytes
    ) -> "Tracker":
        """The tracker that `state` was taken from, bit for bit if sensors and settings are the same.

        The site must be the same, for tracks live in its frame. Raises InputError for bytes that are no
        such state."""
        try:
            packed = _STATE_DECODER.decode(state)
            tracker = cls(site, sensors, settings)
            tracker._resume(packed)
        except (msgspec.MsgspecError, ValueError) as error:
            raise InputError(
                f"this tracker state cannot be restored ({error}): start from an older snapshot, or from "
                "the beginning of the log"
            ) from error
        return tracker

    def _resume(self, packed: _State) -> None:
        self._at = packed.at
        self._begin(packed.base_second, unpack(packed.base))
        self._intake.counts = dict(packed.counts)
        self._log = self._replot(packed.log)
        self._waiting = self._replot(packed.waiting)
        self._budget_second, self._budget_used = packed.budget_second, packed.budget_used
        for plot in (*self._log, *self._waiting):
            self._load_of(plot, 1)
        self._run()
        self._turn_seconds(packed.head_second)

    def _replot(self, contents: list[bytes]) -> list[Plot]:
        """The plots again. New settings or sensors may refuse what the old ones took: that is counted."""
        plots = []
        for content in contents:
            try:
                plots.append(self._intake.plot(_DETECTION_DECODER.decode(content), content))
            except Unusable as unusable:
                self._intake.count(str(unusable))
        return plots

    def _pass_time(self, at: float) -> None:
        if not math.isfinite(at):
            raise InputError(f"station time {at} is not a time: give Unix seconds")
        if self._at == -math.inf:
            self._begin(_window_start(at), self._head)
        self._at = max(self._at, at)
        self._turn_seconds(math.floor(self._at) - _SECOND_LAG_S)
        if _window_start(self._at) > self._checkpoints[0].second:
            self._take_waiting()
            self._forget(_window_start(self._at))

    def _take_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for plot in waiting:
            self._load_of(plot, -1)
        self._insert(self._within_capacity(waiting))

    def _forget(self, second: int) -> None:
        """Move the base of the window to ``second``: nothing older can come any more."""
        kept = bisect_left(self._log, (float(second), ""), key=_group_key)
        for plot in self._log[:kept]:
            self._load_of(plot, -1)
        del self._log[:kept]
        base = max(i for i, c in enumerate(self._checkpoints) if c.turned and c.second <= second)
        point = self._checkpoints[base]
        self._checkpoints[: base + 1] = [_Checkpoint(second, _NOTHING, True, point.picture)]

    def _load_of(self, plot: Plot, change: int) -> int:
        """Count a plot in or out of its sensor's second; returns how many there are."""
        second = math.floor(plot.time)
        if plot.name:
            self._count_load((plot.detection.sensor, second, plot.name), change)
        return self._count_load((plot.detection.sensor, second, ""), change)

    def _count_load(self, place: tuple[str, int, str], change: int) -> int:
        number = self._load.pop(place, 0) + change
        if number:
            self._load[place] = number
        return number

    def _new_ones(self, plots: list[Plot]) -> list[Plot]:
        """Those that are not here yet, as far as their sensor's second has room, freshest first."""
        new: list[Plot] = []
        for plot in plots:
            if (new and new[-1].key == plot.key) or _holds(self._log, plot) or _holds(self._waiting, plot):
                self._intake.count("repeated")
            else:
                new.append(plot)
        return self._within_capacity(new)

    def _within_capacity(self, plots: list[Plot]) -> list[Plot]:
        kept: list[Plot] = []
        for plot in reversed(plots):
            if self._load_of(plot, 1) > self._room_for(plot):
                self._load_of(plot, -1)
                self._intake.count("over-capacity")
            else:
                kept.append(plot)
        return kept[::-1]

    def _room_for(self, plot: Plot) -> int:
        """How full its sensor's second may be for this plot still to be taken.

        Whoever transmits can fill it, with invented names or with one name a thousand times. So the
        second half is kept for what confirmed tracks report of themselves, each at a bounded rate.
        """
        most = self._settings.max_detections_per_sensor_second
        if not plot.sensor.cooperative:
            return most
        claim = plot.claim
        place = (plot.detection.sensor, math.floor(plot.time), plot.name)
        modest = self._load.get(place, 0) <= self._settings.max_reports_per_identity_second
        known = claim is not None and self._head.knows(claim)
        return most if known and modest else most // 2

    def _is_behind(self, plot: Plot) -> bool:
        """True if the head has already passed the plot's place in the order."""
        return plot.key[:2] <= self._head_key or math.floor(plot.time) < self._head_second

    def _unaffordable(self, behind: list[Plot]) -> int:
        """How many of these, from the oldest on, this second's replay budget does not allow to go back to.

        Without a budget, one transmitter that sends old times could make every batch replay 8 s; and
        what came only a little late must not wait because something much older came with it.
        """
        second = math.floor(self._at)
        if second != self._budget_second:
            self._budget_second, self._budget_used = second, 0
        left = max(self._settings.replay_budget_per_s - self._budget_used, 0)
        deferred = 0
        while deferred < len(behind) and self._again(behind[deferred]) > left and self._budget_used:
            deferred += 1
        if deferred < len(behind):
            self._budget_used += self._again(behind[deferred])
        return deferred

    def _again(self, plot: Plot) -> int:
        """How many plots are to be processed again to go back to this one."""
        return len(self._log) - bisect_left(self._log, plot.key, key=_key)

    def _insert(self, plots: list[Plot]) -> None:
        if not plots:
            return
        if self._is_behind(plots[0]):
            self._rewind(plots[0])
        for plot in plots:
            insort(self._log, plot, key=_key)
        self._run()

    def _rewind(self, plot: Plot) -> None:
        """Put the head back to the last checkpoint before the plot's place in the order."""
        second, key = math.floor(plot.time), plot.key[:2]
        while self._checkpoints[-1].second > second or self._checkpoints[-1].key >= key:
            self._checkpoints.pop()
        point = self._checkpoints[-1]
        self._head = point.picture.copy()
        self._head_second, self._head_key, self._groups = point.second, point.key, 0

    def _run(self) -> None:
        """Bring the head to the end of the order, and to the second it had reached before."""
        i = bisect_right(self._log, self._head_key, key=_group_key)
        while i < len(self._log):
            key = _group_key(self._log[i])
            end = bisect_right(self._log, key, lo=i, key=_group_key)
            self._turn_seconds(math.floor(key[0]))
            self._fuser.group(self._head, self._log[i:end])
            self._head_key = key
            self._groups += 1
            if self._groups >= max(_LEAST_GROUPS_BETWEEN_CHECKPOINTS, self._head.count):
                self._mark(turned=False)
            i = end
        self._turn_seconds(self._reached)

    def _turn_seconds(self, second: int) -> None:
        """Turn the head's seconds up to this one; over an empty picture they turn all at once."""
        self._reached = max(self._reached, second)
        while self._head_second < second:
            last = self._checkpoints[-1]
            idle = self._head.count == 0 and last.turned and last.key == self._head_key
            self._head_second = second if idle else self._head_second + 1
            self._fuser.second(self._head, self._head_second)
            self._mark(turned=True)

    def _mark(self, *, turned: bool) -> None:
        self._checkpoints.append(_Checkpoint(self._head_second, self._head_key, turned, self._head.copy()))
        self._groups = 0

    def _marks(self) -> dict[str, tuple[float, float, bytes]]:
        """What tells two states of a track apart, by id."""
        head = self._head
        return {
            track: (float(head.time[i]), float(head.existence[i]), head.x[i].tobytes())
            for track, i in head.slots.items()
        }

    def _changed(self, before: dict[str, tuple[float, float, bytes]]) -> list[str]:
        """Confirmed tracks that were touched, less those that a replay left as they were."""
        head, after = self._head, self._marks() if before else {}
        return sorted(
            track
            for track in self._fuser.touched
            if track in head.slots
            and head.confirmed[head.slots[track]]
            and not (before and before.get(track) == after[track])
        )


def _window_start(at: float) -> int:
    """The last whole second that lies at least the late window before ``at``."""
    return math.floor(at - LATE_WINDOW_S)


def _key(plot: Plot) -> tuple[float, str, bytes]:
    return plot.key


def _group_key(plot: Plot) -> Key:
    return plot.key[:2]


def _holds(plots: list[Plot], plot: Plot) -> bool:
    i = bisect_left(plots, plot.key, key=_key)
    return i < len(plots) and plots[i].key == plot.key
