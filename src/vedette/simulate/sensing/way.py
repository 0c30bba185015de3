"""From what a sensor saw to what reaches the station, and when: scans, messages, and everything that goes
wrong on the way (`plan.Faults`).

A sensor that turns sends each sector of its turn when it is complete, any other each scan. Messages of one
sensor keep their order, but for those that the plan makes late.
"""

import math
from collections.abc import Iterator, Sequence

from msgspec import Struct, structs

from vedette.model import Bearing, Detection, RangeBearing, Sigma
from vedette.model.detection import EmptyScan
from vedette.simulate.sensing.beliefs import Belief
from vedette.simulate.sensing.catalogue import Camera, Radar
from vedette.simulate.sensing.looking import Looking
from vedette.simulate.sensing.plan import Sensor
from vedette.simulate.streams import stream

SECTORS = 8
"""Parts of a turn, each sent when it is over."""
DRAWS = 7
_LOSS, _BURST_LOSS, _TWICE, _LATE, _JITTER, _LATENESS, _AGAIN = range(DRAWS)


class Plot(Struct, frozen=True, gc=False):
    """One plot of a scan. ``time_s``: from the scenario's start, as the sensor's clock would be right."""

    time_s: float
    measure: RangeBearing | Bearing
    sigma: Sigma | None
    beliefs: Belief | None


class Scan(Struct, frozen=True, gc=False):
    """All plots of one scan, which began at ``start_s`` and ended at ``end_s``, in order of time."""

    number: int
    start_s: float
    end_s: float
    plots: tuple[Plot, ...]


class Message(Struct, frozen=True, gc=False):
    """What the station gets at once at ``received`` (Unix seconds). ``scan`` and ``scan_at``: number and
    beginning of the scan by the sensor's own clock; ``first``: the first message of its scan; ``session``
    counts the sensor's starts. ``detections`` is one empty scan, or plots."""

    received: float
    sensor: str
    session: int
    scan: int
    scan_at: float
    first: bool
    detections: tuple[Detection, ...]


class Way:
    """The sensor's electronics and its line to the station; its luck is its own."""

    def __init__(self, plan: Sensor, model: Looking, seed: int, start_time: float, *, watches: bool) -> None:
        """``watches``: a scan that saw nothing is sent too."""
        self._plan, self._model, self._start, self._watches = plan, model, start_time, watches
        self._faults = plan.faults
        self._turns = isinstance(model, Camera) or (isinstance(model, Radar) and model.rotates)
        self._draws = stream(seed, "way", plan.id)
        self._channel = stream(seed, "bursts", plan.id)
        self._bad = False
        self._latest = -math.inf
        self._held: Scan | None = None
        self._session, self._first_of_session = 0, 0

    def send(self, scan: Scan) -> Iterator[Message]:
        """The messages of the next scan."""
        self._turn_channel()
        if self._silent(scan):
            return
        scan = self._unless_stuck(scan)
        number = scan.number - self._first_of_session
        first = True
        for end_s, plots in self._parts(scan):
            draws = self._draws.random(DRAWS).tolist()
            if self._lost(draws) or not (plots or self._watches):
                continue
            received = self._received(end_s, draws)
            message = Message(
                received=received,
                sensor=self._plan.id,
                session=self._session,
                scan=number,
                scan_at=self._clock(scan.start_s),
                first=first,
                detections=self._detections(number, end_s, plots, received),
            )
            first = False
            yield message
            if draws[_TWICE] < self._faults.duplicate_share:
                again = round(received + 0.001 + 0.05 * draws[_AGAIN], 6)
                same = tuple(structs.replace(one, received=again) for one in message.detections)
                yield structs.replace(message, received=again, detections=same)

    def _silent(self, scan: Scan) -> bool:
        """True while the sensor is down. The scan that a start interrupts is lost; counting begins anew."""
        starts = [reboot.at_s + reboot.lasts_s for reboot in self._faults.reboots]
        session = sum(start <= scan.start_s for start in starts)
        if session != self._session:
            self._session, self._first_of_session, self._held = session, scan.number, None
        return any(
            reboot.at_s < scan.end_s and scan.start_s < reboot.at_s + reboot.lasts_s
            for reboot in self._faults.reboots
        )

    def _unless_stuck(self, scan: Scan) -> Scan:
        """The scan, or the last good one with this one's times."""
        if not any(stuck.at_s <= scan.start_s < stuck.at_s + stuck.lasts_s for stuck in self._faults.stuck):
            self._held = scan
            return scan
        if self._held is None:
            return scan
        later = scan.start_s - self._held.start_s
        plots = tuple(structs.replace(plot, time_s=plot.time_s + later) for plot in self._held.plots)
        return structs.replace(scan, plots=plots)

    def _parts(self, scan: Scan) -> Iterator[tuple[float, Sequence[Plot]]]:
        """(when it is complete, its plots) of each message."""
        if not self._turns or not scan.plots:
            yield scan.end_s, scan.plots
            return
        lasts = (scan.end_s - scan.start_s) / SECTORS
        for sector in range(SECTORS):
            ends = scan.start_s + (sector + 1) * lasts
            plots = [
                plot
                for plot in scan.plots
                if min(int((plot.time_s - scan.start_s) / lasts), SECTORS - 1) == sector
            ]
            if plots:
                yield ends, plots

    def _detections(
        self, number: int, end_s: float, plots: Sequence[Plot], received: float
    ) -> tuple[Detection, ...]:
        if not plots:
            time, nothing = self._clock(end_s), EmptyScan()
            return (
                Detection(time=time, received=received, sensor=self._plan.id, measure=nothing, scan=number),
            )
        return tuple(
            Detection(
                time=self._clock(plot.time_s),
                received=received,
                sensor=self._plan.id,
                measure=plot.measure,
                scan=number,
                sigma=plot.sigma,
                beliefs=plot.beliefs,
            )
            for plot in plots
        )

    def _clock(self, time_s: float) -> float:
        wrong = self._faults.clock_offset_s + self._faults.clock_drift_ppm * 1e-6 * time_s
        return round(self._start + time_s + wrong, 6)

    def _turn_channel(self) -> None:
        """From one scan to the next the channel may turn from good to bad, or back."""
        bursts, chance = self._faults.bursts, float(self._channel.random())
        if bursts is None:
            return
        lasts = bursts.last_s if self._bad else bursts.every_s
        if chance < -math.expm1(-self._model.period_s / lasts):
            self._bad = not self._bad

    def _lost(self, draws: list[float]) -> bool:
        """Losses one by one, and those of a channel in its bad state."""
        bursts = self._faults.bursts
        caught = self._bad and bursts is not None and draws[_BURST_LOSS] < bursts.loss
        return caught or draws[_LOSS] < self._faults.loss

    def _received(self, end_s: float, draws: list[float]) -> float:
        faults, model = self._faults, self._model
        latency = model.latency_s if faults.latency_s is None else faults.latency_s
        jitter = model.jitter_s if faults.jitter_s is None else faults.jitter_s
        at = self._start + end_s + latency - jitter * math.log1p(-draws[_JITTER])
        if draws[_LATE] < faults.late_share:
            return round(at - faults.late_s * math.log1p(-draws[_LATENESS]), 6)
        self._latest = max(self._latest, round(at, 6))
        return self._latest
