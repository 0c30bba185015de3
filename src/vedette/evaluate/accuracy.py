"""How right tracks are against the truth: GOSPA and what it is made of, identity, delay, consistency.

GOSPA with p = 2, alpha = 2 and cut-off c (A. S. Rahmathullah, A. F. Garcia-Fernandez, L. Svensson,
"Generalized optimal sub-pattern assignment metric", 20th International Conference on Information Fusion,
2017, equation 1 and proposition 1):

    d = ( min over assignments of the sum of squared distances of pairs nearer than c
          + c^2 / 2 (missed bodies + false tracks) )^(1/2)

NEES of a position: e' P^-1 e of its error e and stated covariance P (Bar-Shalom, Li, Kirubarajan,
*Estimation with Applications to Tracking and Navigation*, 2001, 5.4.2).
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from vedette.evaluate.assignment import F64, assign
from vedette.evaluate.truth import Present, Truth, instant
from vedette.model import Frame, Track

CUTOFF_M = 100.0
SETTLE_S = 5.0
"""The first seconds, in which nobody can know anything, are not scored."""


class Gospa(NamedTuple):
    """The metric (m), the pairs (body, track) that make it, and how many are missed and false."""

    value: float
    pairs: tuple[tuple[int, int], ...]
    missed: int
    false: int


class Nees(NamedTuple):
    """The error of a track against its own covariance: at ``time``, of which body."""

    time: float
    body: str
    value: float


class Accuracy(Struct, frozen=True, kw_only=True):
    """Of one case. ``gospa_m``: mean over its scans. ``completeness``: share of bodies that have a track;
    ``spurious``: share of tracks that have none. ``switches``: times that a body's track id changed.
    ``latency_s``: mean time from a body's first truth to its first track; ``never``: bodies without one."""

    gospa_m: float
    rmse_m: float | None
    missed: float
    false: float
    completeness: float
    spurious: float
    switches: int
    latency_s: float | None
    never: int
    scans: int
    frames_missing: int


def gospa(truth_m: F64, tracks_m: F64, cutoff_m: float = CUTOFF_M) -> Gospa:
    """GOSPA of places (n, 3) and (k, 3), p = 2 and alpha = 2."""
    distance = np.linalg.norm(truth_m[:, None] - tracks_m[None], axis=2)
    capped = np.minimum(distance, cutoff_m) ** 2
    pairs = tuple(pair for pair in assign(capped) if distance[pair] < cutoff_m)
    missed, false = len(truth_m) - len(pairs), len(tracks_m) - len(pairs)
    square = sum(float(distance[pair]) ** 2 for pair in pairs)
    return Gospa(math.sqrt(square + cutoff_m**2 / 2.0 * (missed + false)), pairs, missed, false)


def accuracy(
    frames: Iterable[Frame], truth: Truth, cutoff_m: float = CUTOFF_M, settle_s: float = SETTLE_S
) -> Accuracy:
    """Score frames at the scans of a case; a scan without a frame counts as one without tracks, and of two
    frames at one time the later one in the order given counts."""
    by_time = {instant(frame.time): frame for frame in frames}
    pairing, tally = Pairing(cutoff_m), _Tally()
    begin = min(truth.scored)
    for time, present in truth.scored.items():
        frame = by_time.get(time)
        tracks = () if frame is None else frame.tracks
        pairs = pairing.take(time, present, tracks)
        if time - begin >= settle_s:
            tally.take(gospa(present.enu_m, places_of(tracks), cutoff_m), present, tracks, len(pairs))
    missing = sum(time not in by_time for time in truth.scored)
    return tally.result(pairing, missing)


def nees(frames: Iterable[Frame], truth: Truth, cutoff_m: float = CUTOFF_M) -> list[Nees]:
    """Of every pair of body and track that GOSPA makes, from the first scored scan on."""
    by_time = {instant(frame.time): frame for frame in frames}
    out = []
    for time, present in truth.scored.items():
        frame = by_time.get(time)
        if frame is None:
            continue
        for body, track in gospa(present.enu_m, places_of(frame.tracks), cutoff_m).pairs:
            one = frame.tracks[track]
            error = np.array(one.enu_m) - present.enu_m[body]
            value = float(error @ np.linalg.solve(position_covariance(one), error))
            out.append(Nees(time, present.ids[body], value))
    return out


def places_of(tracks: Iterable[Track]) -> F64:
    """Places (k, 3) of tracks."""
    return np.array([track.enu_m for track in tracks], float).reshape(-1, 3)


def position_covariance(track: Track) -> F64:
    """The (3, 3) covariance of a track's place, from the upper triangle of all six."""
    full = np.zeros((6, 6))
    full[np.triu_indices(6)] = track.covariance
    full += np.triu(full, 1).T
    return full[:3, :3]


class Pairing:
    """Which track is which body's, kept from scan to scan while the two stay within the cut-off
    (K. Bernardin, R. Stiefelhagen, "Evaluating multiple object tracking performance: the CLEAR MOT metrics",
    EURASIP Journal on Image and Video Processing, 2008, section 2.1)."""

    def __init__(self, cutoff_m: float) -> None:
        self._cutoff_m = cutoff_m
        self._last: dict[str, str] = {}
        self._held: dict[str, str] = {}
        self.switches = 0
        self.appeared: dict[str, float] = {}
        self.found: dict[str, float] = {}

    def take(self, time: float, present: Present, tracks: tuple[Track, ...]) -> dict[str, int]:
        """The pairs of one scan: body -> number of its track."""
        for body in present.ids:
            self.appeared.setdefault(body, time)
        ids = {track.id: number for number, track in enumerate(tracks)}
        distance = np.linalg.norm(present.enu_m[:, None] - places_of(tracks)[None], axis=2)
        near = distance < self._cutoff_m
        # A pair costs its distance, no pair more than any sum of distances, the pair of before nothing.
        most = self._cutoff_m * (1 + min(distance.shape))
        cost = np.where(near, distance, 10.0 * most)
        for number, body in enumerate(present.ids):
            held = ids.get(self._held.get(body, ""))
            if held is not None and near[number, held]:
                cost[number, held] = -most
        pairs = {present.ids[b]: t for b, t in assign(cost) if near[b, t]}
        self._held = {body: tracks[number].id for body, number in pairs.items()}
        for body, track in self._held.items():
            self.switches += body in self._last and self._last[body] != track
            self.found.setdefault(body, time)
        self._last |= self._held
        return pairs


class _Tally:
    """Sums over the scored scans."""

    def __init__(self) -> None:
        self._gospa: list[float] = []
        self._squares: list[float] = []
        self._missed = self._false = self._paired = self._bodies = self._tracks = 0

    def take(self, one: Gospa, present: Present, tracks: tuple[Track, ...], paired: int) -> None:
        self._gospa.append(one.value)
        places = places_of(tracks)
        self._squares += [float(((present.enu_m[b] - places[t]) ** 2).sum()) for b, t in one.pairs]
        self._missed, self._false = self._missed + one.missed, self._false + one.false
        self._paired += paired
        self._bodies, self._tracks = self._bodies + len(present.ids), self._tracks + len(tracks)

    def result(self, pairing: Pairing, frames_missing: int) -> Accuracy:
        """Means over all scans that were taken in."""
        scans = max(len(self._gospa), 1)
        delays = [pairing.found[body] - pairing.appeared[body] for body in pairing.found]
        return Accuracy(
            gospa_m=sum(self._gospa) / scans,
            rmse_m=math.sqrt(sum(self._squares) / len(self._squares)) if self._squares else None,
            missed=self._missed / scans,
            false=self._false / scans,
            completeness=self._paired / max(self._bodies, 1),
            spurious=1.0 - self._paired / self._tracks if self._tracks else 0.0,
            switches=pairing.switches,
            latency_s=sum(delays) / len(delays) if delays else None,
            never=len(pairing.appeared) - len(pairing.found),
            scans=len(self._gospa),
            frames_missing=frames_missing,
        )
