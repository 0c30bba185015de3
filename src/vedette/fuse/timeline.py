"""The canonical order of one kind of plots, and the picture after all of it.

The order: plots by (time, sensor, content), and the turn of every whole second before the plots of that
second. The *head* is the picture at its end. A plot that comes late rewinds the head to a checkpoint
before it and runs the order again, so that what is known never depends on the network.
"""

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Collection
from typing import NamedTuple

from msgspec import Struct

from vedette.fuse.packing import PackedPicture, pack, unpack
from vedette.fuse.picture import Picture
from vedette.fuse.plots import Plot
from vedette.fuse.settings import LATE_WINDOW_S, FuseSettings
from vedette.fuse.step import Fuser

Key = tuple[float, str]

_NOTHING: Key = (-math.inf, "")
_SECOND_LAG_S = 1
"""The turn of a second waits this long for stragglers, unless a detection of a later second came."""
_LEAST_GROUPS_BETWEEN_CHECKPOINTS = 32


class _Checkpoint(NamedTuple):
    """``picture`` after the turn of ``second`` and all groups up to ``key``."""

    second: int
    key: Key
    turned: bool
    picture: Picture


class PackedTimeline(Struct, frozen=True, array_like=True):
    """All that a timeline needs to go on bit for bit; plots by their canonical bytes."""

    base_second: int
    base: PackedPicture
    head_second: int
    log: list[bytes]
    waiting: list[bytes]
    budget_second: int
    budget_used: int


class Timeline:
    """Runs plots through a fuser in canonical order.

    ``count`` takes the reason of what is refused. Time is given by the caller, to `begin` and then to
    `pass_time`, and never decreases. ``letter`` begins the ids of its tracks.
    """

    def __init__(
        self, fuser: Fuser, settings: FuseSettings, count: Callable[[str, int], None], letter: str = "T"
    ) -> None:
        self.fuser = fuser
        self._settings = settings
        self._count = count
        self._letter = letter
        self._at = -math.inf
        self._log: list[Plot] = []
        self._waiting: list[Plot] = []
        self._load: dict[tuple[str, int, str], int] = {}
        self._budget_second, self._budget_used = 0, 0
        self._begin(0, Picture(letter))

    def _begin(self, second: int, picture: Picture) -> None:
        self.head = picture
        self._head_second, self._reached, self._head_key = second, second, _NOTHING
        self._groups = 0
        self._checkpoints = [_Checkpoint(second, _NOTHING, True, picture.copy())]

    def pass_time(self, at: float) -> None:
        """Turn the seconds that are complete at ``at``, and forget what is beyond the window."""
        if self._at == -math.inf:
            self._begin(window_start(at), self.head)
        self._at = at
        self._turn_seconds(math.floor(at) - _SECOND_LAG_S)
        if window_start(at) > self._checkpoints[0].second:
            self._take_waiting()
            self._forget(window_start(at))

    def take(self, plots: list[Plot]) -> list[str]:
        """Fuse plots, in canonical order; returns the ids of confirmed tracks that were changed."""
        self.fuser.touched.clear()
        if self._all_ahead(plots):
            self._log += plots
            self._run()
            return self._changed({})
        fresh = self._new_ones(plots)
        behind = sum(self._is_behind(plot) for plot in fresh)
        before = self._marks() if behind else {}
        deferred = self._unaffordable(fresh[:behind])
        if deferred:
            self._count("late-deferred", deferred)
            for plot in fresh[:deferred]:
                insort(self._waiting, plot, key=_key)
        self._insert(fresh[deferred:])
        return self._changed(before)

    def _all_ahead(self, plots: list[Plot]) -> bool:
        """True, and all counted in, if they are what nearly all are: nameless plots of one second of a sensor
        that measures itself, in order, ahead of all others, and not too many. Then they need no care."""
        if not plots or self._waiting or self._is_behind(plots[0]):
            return False
        if self._log and plots[0].key <= self._log[-1].key:
            return False
        sensor, second = plots[0].sensor, math.floor(plots[0].time)
        if sensor.cooperative or math.floor(plots[-1].time) != second:
            return False
        content = b""
        for plot in plots:
            if plot.sensor is not sensor or not plot.mute or plot.content == content:
                return False
            content = plot.content
        place = (sensor.id, second, "")
        load = self._load.get(place, 0) + len(plots)
        if load > self._settings.max_detections_per_sensor_second:
            return False
        self._load[place] = load
        return True

    def settled(self) -> Picture:
        """The picture at the start of the window, which no detection can change any more."""
        second = window_start(self._at)
        return [point for point in self._checkpoints if point.turned and point.second <= second][-1].picture

    def pack(self) -> PackedTimeline:
        """Its whole state."""
        base = self._checkpoints[0]
        return PackedTimeline(
            base_second=base.second,
            base=pack(base.picture),
            head_second=self._head_second,
            log=[plot.content for plot in self._log],
            waiting=[plot.content for plot in self._waiting],
            budget_second=self._budget_second,
            budget_used=self._budget_used,
        )

    def resume(
        self,
        packed: PackedTimeline,
        at: float,
        log: list[Plot],
        waiting: list[Plot],
        sensors: Collection[str],
    ) -> None:
        """Go on from ``packed``, which was taken at ``at``; ``log`` and ``waiting`` are its plots again,
        less what new settings or sensors refuse. ``sensors``: all that have a profile now; what was known of
        others is forgotten."""
        self._at = at
        base = unpack(packed.base, self._letter)
        base.keep_sensors(sensors)
        self._begin(packed.base_second, base)
        self._log, self._waiting = sorted(log, key=_key), sorted(waiting, key=_key)
        self._budget_second, self._budget_used = packed.budget_second, packed.budget_used
        for plot in (*self._log, *self._waiting):
            self._load_of(plot, 1)
        self._run()
        self._turn_seconds(packed.head_second)

    def _take_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        for plot in waiting:
            self._load_of(plot, -1)
        self._insert(self._within_capacity(waiting))

    def _forget(self, second: int) -> None:
        """Move the base of the window to ``second``: nothing older can come any more."""
        if self._log:
            del self._log[: bisect_left(self._log, (float(second), ""), key=_group_key)]
        self._load = {place: number for place, number in self._load.items() if place[1] >= second}
        base = 0
        for i, point in enumerate(self._checkpoints):
            if point.second > second:
                break
            base = i if point.turned else base
        picture = self._checkpoints[base].picture
        self._checkpoints[: base + 1] = [_Checkpoint(second, _NOTHING, True, picture)]

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
                self._count("repeated", 1)
            else:
                new.append(plot)
        return self._within_capacity(new)

    def _within_capacity(self, plots: list[Plot]) -> list[Plot]:
        kept: list[Plot] = []
        for plot in reversed(plots):
            if self._load_of(plot, 1) > self._room_for(plot):
                self._load_of(plot, -1)
                self._count("over-capacity", 1)
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
        known = claim is not None and self.head.knows(claim)
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
        self.head = point.picture.copy()
        self._head_second, self._head_key, self._groups = point.second, point.key, 0

    def _run(self) -> None:
        """Bring the head to the end of the order, and to the second it had reached before."""
        i = bisect_right(self._log, self._head_key, key=_group_key)
        while i < len(self._log):
            key = _group_key(self._log[i])
            end = bisect_right(self._log, key, lo=i, key=_group_key)
            self._turn_seconds(math.floor(key[0]))
            self.fuser.group(self.head, self._log[i:end])
            self._head_key = key
            self._groups += 1
            if self._groups >= max(_LEAST_GROUPS_BETWEEN_CHECKPOINTS, self.head.count):
                self._mark(turned=False)
            i = end
        self._turn_seconds(self._reached)

    def _turn_seconds(self, second: int) -> None:
        """Turn the head's seconds up to this one; over an empty picture, of which they change nothing, they
        turn all at once."""
        self._reached = max(self._reached, second)
        while self._head_second < second:
            last = self._checkpoints[-1]
            if self.head.count == 0 and last.turned and last.key == self._head_key:
                self._head_second = second
                self._checkpoints.append(last._replace(second=second))
            else:
                self._head_second += 1
                self.fuser.second(self.head, self._head_second)
                self._mark(turned=True)

    def _mark(self, *, turned: bool) -> None:
        self._checkpoints.append(_Checkpoint(self._head_second, self._head_key, turned, self.head.copy()))
        self._groups = 0

    def _marks(self) -> dict[str, tuple[float, float, bytes]]:
        """What tells two states of a track apart, by id."""
        head = self.head
        return {
            track: (float(head.time[i]), float(head.existence[i]), head.x[i].tobytes())
            for track, i in head.slots.items()
        }

    def _changed(self, before: dict[str, tuple[float, float, bytes]]) -> list[str]:
        """Confirmed tracks that were touched, less those that a replay left as they were."""
        if not self.fuser.touched:
            return []
        slots, confirmed = self.head.slots, self.head.confirmed.tolist()
        changed = [track for track in self.fuser.touched if track in slots and confirmed[slots[track]]]
        if before:
            after = self._marks()
            changed = [track for track in changed if before.get(track) != after[track]]
        return sorted(changed)


def window_start(at: float) -> int:
    """The last whole second that lies at least the late window before ``at``."""
    return math.floor(at - LATE_WINDOW_S)


def _key(plot: Plot) -> tuple[float, str, bytes]:
    return plot.key


def _group_key(plot: Plot) -> Key:
    return plot.key[:2]


def _holds(plots: list[Plot], plot: Plot) -> bool:
    i = bisect_left(plots, plot.key, key=_key)
    return i < len(plots) and plots[i].key == plot.key
