"""Which of the bodies that sensors see is which of the aircraft that report themselves.

ADS-B is not authenticated: whoever has a transmitter can be an airliner. So its reports are followed in a
timeline of their own, and nothing in them ever moves, founds, ends or labels a body that sensors see or
that is heard by Remote ID. The two are only compared here, once a second of station time. An aircraft and
a body that agree become one track for those who look: the body's, as measured, under the aircraft's name.

The test is that of a claim against the estimate of independent sensors alone: place and velocity each
within a gate, several times anew, for some seconds, with no second body near (DESIGN, law 3).
"""

from typing import NamedTuple

import numpy as np
from msgspec import Struct, structs
from numpy.typing import NDArray

from vedette.fuse.identity import evidence
from vedette.fuse.kernels.kalman import F64, Mask
from vedette.fuse.picture import Picture
from vedette.fuse.settings import FuseSettings
from vedette.fuse.step import Fuser

_GATE = 13.82
"""Chi-square 0.999 quantile for two rows; a height has one row and is given as much."""
_APART = 3.0 * _GATE
"""Beyond it the two are told apart at once; between the gates the question is open for that second."""
_VAGUE_M2, _VAGUE_M2PS2 = 2.0 * 200.0**2, 2.0 * 15.0**2
"""A body whose place or velocity is vaguer agrees with everything, and so with nothing."""
_VELOCITY_SLACK_MPS, _HEIGHT_SLACK_M = 3.0, 15.0


class Partner(Struct, frozen=True, array_like=True):
    """The ``body`` that an aircraft was found to be. They agreed first at ``since`` and last at ``last``
    (whole seconds), in ``seconds`` seconds in which both were heard anew, the last time at ``heard`` (body
    and aircraft, s). ``lone``: no second body near."""

    body: str
    since: int
    last: int
    seconds: int
    heard: tuple[float, float]
    lone: bool


class Joined(NamedTuple):
    """An aircraft that is shown as a body; ``verified`` if its word may count for something."""

    aircraft: str
    verified: bool


class Sky:
    """``partners``: what was found, by the aircraft's track."""

    def __init__(self, settings: FuseSettings) -> None:
        self._settings = settings
        self.partners: dict[str, Partner] = {}

    def compare(self, now: int, bodies: Picture, body_fuser: Fuser, aircraft: Picture, fuser: Fuser) -> None:
        """Look at both pictures at the whole second ``now``."""
        if aircraft.count == 0 or bodies.count == 0:
            self.partners = {}
            return
        seen = _Look(now, bodies, body_fuser, aircraft, fuser, self._settings)
        kept = {
            craft: partner
            for craft, partner in self.partners.items()
            if now - partner.last <= self._settings.agreement_life_s and seen.together(craft, partner.body)
        }
        found = {craft: self._after(seen, kept.get(craft), craft, body) for craft, body in seen.pairs(kept)}
        taken = dict.fromkeys(partner.body for partner in found.values())
        open_ = {c: p for c, p in kept.items() if c not in found and p.body not in taken}
        both = {**found, **{c: self._doubted(seen, c, p) for c, p in open_.items()}}
        self.partners = {craft: both[craft] for craft in sorted(both)}

    def _after(self, seen: "_Look", old: Partner | None, craft: str, body: str) -> Partner:
        lone, heard = seen.lone(craft, body), seen.heard(craft, body)
        if old is None or old.body != body:
            return Partner(body, seen.now, seen.now, 1, heard, lone)
        if not (heard[0] > old.heard[0] and heard[1] > old.heard[1]):
            return structs.replace(old, lone=lone)
        return Partner(body, old.since, seen.now, old.seconds + 1, heard, lone)

    def _doubted(self, seen: "_Look", craft: str, old: Partner) -> Partner:
        return structs.replace(old, lone=old.lone and seen.lone(craft, old.body))

    def joined(self) -> dict[str, Joined]:
        """What is one track, by the body's track."""
        settings = self._settings
        return {
            partner.body: Joined(craft, self._verified(partner))
            for craft, partner in self.partners.items()
            if partner.seconds >= settings.merge_seconds
        }

    def _verified(self, partner: Partner) -> bool:
        enough = partner.seconds >= self._settings.verify_agreements
        long_enough = partner.last - partner.since >= self._settings.aircraft_agreement_s
        return enough and long_enough and partner.lone


class _Look:
    """Both pictures at one second, and how far each aircraft is from each body."""

    def __init__(
        self,
        now: int,
        bodies: Picture,
        body_fuser: Fuser,
        aircraft: Picture,
        fuser: Fuser,
        settings: FuseSettings,
    ) -> None:
        self.now, self._settings = now, settings
        self._bodies, self._aircraft = bodies, aircraft
        xb, pb, _ = body_fuser.predicted(bodies, now)
        xa, pa, known = fuser.predicted(aircraft, now)
        measured = [evidence.height_measured(seen, now, settings) for seen in bodies.sightings]
        lag = settings.aircraft_latency_s * np.hypot(xa[:, 3], xa[:, 4])
        place = _apart(xa, pa, xb, pb, 0, (lag * lag)[:, None])
        velocity = _apart(xa, pa, xb, pb, 3, np.full((1, 1), _VELOCITY_SLACK_MPS**2))
        up = xa[:, None, 2] - xb[None, :, 2]
        both = np.array(known, np.bool_)[:, None] & np.array(measured, np.bool_)[None, :]
        spread = pa[:, None, 2, 2] + pb[None, :, 2, 2] + _HEIGHT_SLACK_M**2
        height = np.where(both, up * up / spread, 0.0)
        self._worst = np.maximum(np.maximum(place, velocity), height)
        # A body whose height nobody measured may be at any, so that nearness is then that on the map.
        high = np.where(both, np.maximum(np.abs(up) - np.sqrt(spread), 0.0), 0.0)
        east, north = xa[:, None, 0] - xb[None, :, 0], xa[:, None, 1] - xb[None, :, 1]
        self._distance = np.sqrt(east * east + north * north + high * high)
        self._precise = _precise(pb)

    def together(self, craft: str, body: str) -> bool:
        """False once the two are apart, one of them has gone, or is not what it was."""
        i, j = self._aircraft.slots.get(craft), self._bodies.slots.get(body)
        if i is None or j is None or not self._speaks_true(i):
            return False
        return self._bodies.dossiers[j].identity is None and bool(self._worst[i, j] <= _APART)

    def pairs(self, before: dict[str, Partner]) -> list[tuple[str, str]]:
        """Each aircraft with the body that it agrees with, each at most once; former partners first."""
        edges = []
        rows, columns = np.nonzero((self._worst <= _GATE) & self._precise[None, :])
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True):
            craft, body = self._aircraft.dossiers[i].id, self._bodies.dossiers[j].id
            if self._speaks_true(i) and self._bodies.confirmed[j] and self._independent(j):
                new = craft not in before or before[craft].body != body
                edges.append((new, float(self._worst[i, j]), craft, body))
        crafts: dict[str, str] = {}
        taken: dict[str, None] = {}
        for _, _, craft, name in sorted(edges):
            if craft not in crafts and name not in taken:
                crafts[craft] = name
                taken[name] = None
        return sorted(crafts.items())

    def _speaks_true(self, slot: int) -> bool:
        """A confirmed one that is not in two places, and whose stated velocity was not found false."""
        dossier, pace = self._aircraft.dossiers[slot], self._aircraft.dossiers[slot].pace
        contradicted = dossier.contradicted or dossier.strangers >= self._settings.strangers_to_contradict
        return bool(self._aircraft.confirmed[slot]) and not contradicted and not (pace and pace.false)

    def _independent(self, slot: int) -> bool:
        """A sensor sees it, and it bears no name of its own: two names are two bodies."""
        seen = self._bodies.sightings[slot]
        fresh = self.now - seen.seen <= self._settings.agreement_life_s
        return fresh and not self._bodies.named[slot]

    def heard(self, craft: str, body: str) -> tuple[float, float]:
        """When a sensor saw the body last, and when the aircraft reported last."""
        i, j = self._aircraft.slots[craft], self._bodies.slots[body]
        return self._bodies.sightings[j].seen, float(self._aircraft.time[i])

    def lone(self, craft: str, body: str) -> bool:
        """True if no other confirmed body is near the aircraft."""
        near = self._distance[self._aircraft.slots[craft]] <= self._settings.second_body_m
        near = near & self._bodies.confirmed[: self._bodies.count]
        near[self._bodies.slots[body]] = False
        return not bool(near.any())


def _apart(xa: F64, pa: F64, xb: F64, pb: F64, row: int, extra: F64) -> F64:
    """Squared Mahalanobis distances (aircraft, bodies) of the two horizontal components from ``row`` on."""
    e = xa[:, None, row] - xb[None, :, row]
    n = xa[:, None, row + 1] - xb[None, :, row + 1]
    ee = pa[:, None, row, row] + pb[None, :, row, row] + extra
    nn = pa[:, None, row + 1, row + 1] + pb[None, :, row + 1, row + 1] + extra
    en = pa[:, None, row, row + 1] + pb[None, :, row, row + 1]
    distances: NDArray[np.float64] = (nn * e * e - 2.0 * en * e * n + ee * n * n) / (ee * nn - en * en)
    return distances


def _precise(p: F64) -> Mask:
    """Which bodies are known well enough to agree with anything."""
    precise: Mask = (p[:, 0, 0] + p[:, 1, 1] <= _VAGUE_M2) & (p[:, 3, 3] + p[:, 4, 4] <= _VAGUE_M2PS2)
    return precise
