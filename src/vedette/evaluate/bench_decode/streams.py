"""Formats that come over a socket: reads of it go into a decoder, and only that is timed.

A `Stream` makes the bytes of the frames that one read holds, and a decoder that says how many results
(detections, or messages where the format has no adapter in the way) they gave. Reads are made a few
thousand frames ahead, so that memory stays small whatever the count.
"""

import time
from collections.abc import Callable

from msgspec import Struct

from vedette.evaluate.bench_decode.figures import FRAMES_PER_S, START_S, Figures, peak_rss_mb

ENOUGH_CPU_S = 5.0
MOST_FRAMES = 1_000_000
AHEAD = 4000
WARM_UP = 1000
"""Frames decoded before the clock starts: plans, tables and compiled code are made on first use."""

Decode = Callable[[bytes, float], int]
"""(one read, station time of its receipt) -> how many results it gave."""


class Stream(Struct, frozen=True, kw_only=True):
    """``read(numbers)``: the bytes of these frames as one read. ``decoder()``: a new decoder, with the
    memory of a new feed. ``results``: what it counts. ``per_read``: frames in a read."""

    read: Callable[[range], bytes]
    decoder: Callable[[], Decode]
    results: str = "detections"
    per_read: int = 1

    def __call__(self, frames: int | None) -> Figures:
        """Frames a CPU second. ``frames`` None: for 5 CPU seconds, or a million frames."""
        self._decode(self.decoder(), range(WARM_UP))
        decode, most = self.decoder(), MOST_FRAMES if frames is None else frames
        done = found = 0
        cpu_s = 0.0
        while done < most and (frames is not None or cpu_s < ENOUGH_CPU_S):
            upto = min(done + AHEAD, most)
            results, taken_s = self._decode(decode, range(done, upto))
            done, found, cpu_s = upto, found + results, cpu_s + taken_s
        return {
            "frames": done,
            self.results: found,
            "frames_per_cpu_s": round(done / max(cpu_s, 1e-9)),
            "peak_rss_mb": peak_rss_mb(),
        }

    def _decode(self, decode: Decode, numbers: range) -> tuple[int, float]:
        reads = [
            (self.read(numbers[i : i + self.per_read]), START_S + (numbers[i] + self.per_read) / FRAMES_PER_S)
            for i in range(0, len(numbers), self.per_read)
        ]
        started = time.process_time()
        found = sum([decode(data, received) for data, received in reads])
        return found, time.process_time() - started
