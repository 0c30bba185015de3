"""How fast the tracker is: plots from a file's lines to tracks, and its kernels alone on the same scans."""

import gc
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from vedette.evaluate.crowd import scans_of, site_of
from vedette.evaluate.drive import Case, arrivals, read_case
from vedette.fuse import Tracker, warm
from vedette.fuse.kernels import imm, pmb
from vedette.fuse.settings import FuseSettings
from vedette.model import InputError
from vedette.model.event import DetectionBatch

_Call = tuple[str, tuple[Any, ...]]

_ROOM_PER_TARGET, _ROOM = 5, 100
"""Tracks, tentative ones included, and plots a scan that a crowd may take."""


def bench_tracker(folder: Path, rounds: int = 5) -> dict[str, float]:
    """Track the detections of a case (`vedette.evaluate.drive.read_case`) ``rounds`` times, scan by scan, as
    ``vedette track`` does; the median round counts. Raises InputError if it holds none.

    Rates are per CPU second of this process: ``plots_per_cpu_s`` from the lines of the file on, JSON decoding
    included; ``kernel_plots_per_cpu_s`` for `imm.predict_all` and `pmb.scan` alone, on the inputs that they
    had. ``max_scan_ms``: CPU time of the slowest scan, without decoding. ``tracks_max``: most tracks held at
    once, tentative ones included. Kernels are compiled before, which is not timed.
    """
    warm()
    case = read_case(folder)
    calls: list[_Call] = []
    with _recorded(calls):
        plots, _, _, tracks = _track(case)
    if plots == 0:
        raise InputError(f"{case.detections}: no detection, nothing to measure")
    gc.collect()
    gc.freeze()  # As `vedette run` does once it stands.
    runs = [_track(case) for _ in range(rounds)]
    kernel_s = sorted(_replay(calls) for _ in range(rounds))[rounds // 2]
    whole = sorted(runs, key=lambda run: run[1])[rounds // 2]
    return {
        "plots": plots,
        "plots_per_cpu_s": plots / whole[1],
        "kernel_plots_per_cpu_s": plots / kernel_s,
        "max_scan_ms": 1e3 * whole[2],
        "tracks_max": tracks,
    }


def bench_crowd(targets: int, scans: int = 12, seed: int = 1) -> dict[str, float]:
    """Track a sky full of bodies (`vedette.evaluate.crowd`) with the whole tracker, its limits raised.

    ``scan_cpu_s``: median CPU seconds of a scan once the tracks stand, ``max_scan_cpu_s``: of the slowest;
    the radar looks once a second, so one core keeps up as long as they are below 1. ``frame_cpu_s``: median
    of making the confirmed tracks for others to see. Making the plots is not timed. ``confirmed``: how many
    there are at the end."""
    warm()
    site, radar = site_of(targets)
    most = _ROOM_PER_TARGET * targets + _ROOM
    tracker = Tracker(site, (radar,), FuseSettings(max_tracks=most, max_detections_per_sensor_second=most))
    spent, shown, plots, held, confirmed = [], [], 0, 0, 0
    for at, detections in scans_of(targets, scans, seed):
        begin = time.process_time()
        tracker.add(detections, at)
        middle = time.process_time()
        confirmed = len(tracker.frame(at).tracks)
        spent.append(middle - begin)
        shown.append(time.process_time() - middle)
        plots, held = plots + len(detections), max(held, tracker.held)
    return {
        "targets": targets,
        "plots": plots,
        "scan_cpu_s": statistics.median(spent[scans // 2 :]),
        "max_scan_cpu_s": max(spent),
        "frame_cpu_s": statistics.median(shown[scans // 2 :]),
        "tracks_max": held,
        "confirmed": confirmed,
    }


def _track(case: Case) -> tuple[int, float, float, int]:
    """Number of plots, CPU seconds, those of the slowest scan, and the most tracks."""
    tracker = Tracker(case.site, case.sensors)
    plots, slowest, most, at = 0, 0.0, 0, 0.0
    begin = time.process_time()
    for arrival in arrivals(case):
        if not isinstance(arrival.body, DetectionBatch):
            continue
        before = time.process_time()
        at = max(at, arrival.at)
        tracker.add(arrival.body.detections, at)
        slowest = max(slowest, time.process_time() - before)
        plots += len(arrival.body.detections)
        most = max(most, tracker.held)
    return plots, time.process_time() - begin, slowest, most


@contextmanager
def _recorded(calls: list[_Call]) -> Iterator[None]:
    """Keep the inputs of both kernels, as they were, while this lasts."""
    kernels = {"predict_all": (imm, imm.predict_all), "scan": (pmb, pmb.scan)}

    def listening(name: str, kernel: Any) -> Any:
        def listen(*arguments: Any) -> None:
            calls.append((name, _copied(arguments)))
            kernel(*arguments)

        return listen

    for name, (module, kernel) in kernels.items():
        setattr(module, name, listening(name, kernel))
    try:
        yield
    finally:
        for name, (module, kernel) in kernels.items():
            setattr(module, name, kernel)


def _copied(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(one.copy() if isinstance(one, np.ndarray) else one for one in arguments)


def _replay(calls: list[_Call]) -> float:
    """CPU seconds of the kernels on these inputs."""
    kernels: dict[str, Any] = {"predict_all": imm.predict_all, "scan": pmb.scan}
    spent = 0.0
    for name, arguments in calls:
        kernel, fresh = kernels[name], _copied(arguments)
        begin = time.process_time()
        kernel(*fresh)
        spent += time.process_time() - begin
    return spent
