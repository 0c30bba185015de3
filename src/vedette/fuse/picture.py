"""The picture: all tracks at one point of the canonical order, as arrays beside one dossier per track.

A picture is copied at every checkpoint, so what is not an array is immutable and shared.
"""

from collections.abc import Collection, Sequence

import numpy as np
from msgspec import Struct

from vedette.fuse.identity.claims import Suit
from vedette.fuse.identity.pace import Pace
from vedette.fuse.kernels.kalman import F64, STATE, Mask
from vedette.fuse.kernels.nature import UNHEARD
from vedette.fuse.rays.state import NOTHING_HEARD, Rays
from vedette.fuse.registration.registers import NOTHING, Noted
from vedette.fuse.sensing.clutter import Found
from vedette.fuse.sightings import NEVER, Sightings
from vedette.model import Claim, Identity
from vedette.model.detection import Measure

IdentityKey = tuple[str, str]
EMITS = 0.5
"""Before anything is known: drones on a cable or on their own send nothing."""
OPEN = "*"
"""All feeds without a profile, in ``Picture.crowding``."""
KINDS, BANDS = 6, 12
"""Classes of bodies, and bands of speed: see `vedette.fuse.classes`."""
MODELS = 3
"""Straight, manoeuvring, hovering: see `kernels.imm`."""
_FIRST_CAPACITY = 16
ARRAYS = (
    "time",
    "heard",
    "x",
    "p",
    "xm",
    "pm",
    "mu",
    "existence",
    "emits",
    "bodily",
    "sighted",
    "known",
    "confirmed",
    "independent",
    "named",
    "reported",
    "nature",
    "voice",
    "learnt",
    "flicker",
    "gap",
    "apart",
    "by_ear",
    "founded",
)
"""Names of the arrays with a row for each track."""


class Dossier(Struct, frozen=True, array_like=True, gc=False):
    """What is known of a track beside its motion.

    ``reports``: detections with its identity, the last at ``reported``. ``agreements``: plots of
    independent sensors since the identity was bound, the last at ``agreed``. ``beliefs``: the last word of
    each sensor on the class, in the order of `vedette.fuse.words.CLASSES`. ``near``: the track it may be one
    body with, and for how many seconds. ``strangers``: reports under other names that were taken as this
    body's. ``pace``: whether its stated velocity agrees with its stated places.

    ``bond``: log-odds that what is sent under its identity is sent by this body, as far as sensors could test
    it; the last report that fitted came at ``borne``. ``said``: where it stated last to be, east and north in
    metres, and when. ``astray``: bearings of its sender that went past it, one
    after the other. ``doubt``: the last reason why it was contradicted.
    ``suits``: other names that may be its own. ``still``: since when it has stated one place to the bit.
    ``parted``: when the last report of its name came that did not fit, if none has fitted since.
    ``left``: when the last report came that fitted the body which its name has left by a lie: no body that
    was known by then may take the name over. Infinite if it has come to one all the same.
    """

    id: str
    founded: float
    identity: Identity | None = None
    emitter: str | None = None
    contradicted: bool = False
    reports: int = 0
    reported: float = 0.0
    agreements: int = 0
    agreed: float = 0.0
    measure: Measure | None = None
    beliefs: tuple[tuple[str, tuple[float, ...]], ...] = ()
    near: tuple[str, int] | None = None
    strangers: int = 0
    pace: Pace | None = None
    bond: float = 0.0
    borne: float = NEVER
    said: tuple[float, float, float] | None = None
    astray: int = 0
    doubt: str = ""
    suits: tuple[Suit, ...] = ()
    still: float = NEVER
    parted: float = NEVER
    left: float = NEVER


class OpenScan(Struct, frozen=True, array_like=True):
    """A scan of a searching sensor that is not complete yet; ``seen``: ids of the tracks it hit."""

    scan: int | str | None
    start: float
    seen: tuple[str, ...] = ()


class Unseen(Struct, frozen=True, array_like=True):
    """Bodies that a searching sensor could see and that are not known yet: how many a square metre, after
    its look at ``time``. ``parts``: its scans come in parts, so that a scan is complete with the next one."""

    time: float
    density: float
    parts: bool = False


class Picture:
    """Tracks in the order of their founding. ``time[i]`` is when the state of track i holds; ``heard[i]``
    when it was detected last, and ``existence[i]`` is as of then, less misses since. ``xm[i]`` (m, 6),
    ``pm[i]`` (m, 6, 6), ``mu[i]`` (m,): its state under each model (`kernels.imm`), of which ``x[i]``
    and ``p[i]`` are the mixture. ``emits[i]``: probability that it sends what a direction finder hears;
    ``bodily[i]``: that a searching sensor could see it (1 for what a sensor founded or a claim is bound to).
    ``sighted[i]``, as of ``sighted_at``: what is left of the odds of its being in view, where its place is
    partly out of it, after misses (`kernels.coverage.expect`). ``nature[i]`` (c, b): joint probability of its
    class and speed, zero before anything was learnt, which was last at ``learnt[i]``; ``voice[i]``: the mean
    of ``emits`` over some seconds; ``flicker[i]``: how irregularly searching sensors see it, and ``gap[i]``:
    the same of the misses since the last hit (all of `kernels.nature`). ``apart[i]``: nats by which looks
    have shown it where it is since the first report of its name that did not fit (`identity.parting`).
    ``dossiers`` and ``sightings`` say the rest; of these, ``independent[i]`` (an independent sensor has seen
    it), ``named[i]`` (it has an identity), ``reported[i]`` (it has reported itself) and ``founded[i]`` are
    kept as arrays too. ``by_ear[i]``: it is known by directions alone. ``rays``: what is known of
    directions beside the tracks. ``letter`` begins the ids of its tracks, so that two pictures never
    share one. ``registers``: how sensors are set up; ``noted``: looks of this second, from which that is
    learnt at its end. ``clutter`` and ``crowding``: false plots of sensors, and reports of no body, where
    they were found (`fuse.clutter`, `fuse.crowding`)."""

    __slots__ = (
        "_owners", "apart", "bodily", "by_ear", "clutter", "confirmed", "count", "crowding", "dossiers",
        "emits", "existence", "flicker", "founded", "gap", "heard", "independent", "known", "learnt",
        "letter", "mu", "named", "nature", "noted", "p", "pm", "rays", "registers", "reported", "scans",
        "sighted", "sighted_at", "sightings", "slots", "tallies", "time", "unseen", "voice", "x", "xm",
    )  # fmt: skip

    def __init__(self, letter: str = "T") -> None:
        self.letter = letter
        self.count = 0
        self.time: F64 = np.zeros(_FIRST_CAPACITY)
        self.heard: F64 = np.zeros(_FIRST_CAPACITY)
        self.x: F64 = np.zeros((_FIRST_CAPACITY, STATE))
        self.p: F64 = np.zeros((_FIRST_CAPACITY, STATE, STATE))
        self.xm: F64 = np.zeros((_FIRST_CAPACITY, MODELS, STATE))
        self.pm: F64 = np.zeros((_FIRST_CAPACITY, MODELS, STATE, STATE))
        self.mu: F64 = np.zeros((_FIRST_CAPACITY, MODELS))
        self.existence: F64 = np.zeros(_FIRST_CAPACITY)
        self.emits: F64 = np.zeros(_FIRST_CAPACITY)
        self.bodily: F64 = np.zeros(_FIRST_CAPACITY)
        self.sighted: F64 = np.zeros(_FIRST_CAPACITY)
        self.sighted_at = 0.0
        self.known: Mask = np.zeros(_FIRST_CAPACITY, np.bool_)
        self.confirmed: Mask = np.zeros(_FIRST_CAPACITY, np.bool_)
        self.independent: Mask = np.zeros(_FIRST_CAPACITY, np.bool_)
        self.named: Mask = np.zeros(_FIRST_CAPACITY, np.bool_)
        self.reported: Mask = np.zeros(_FIRST_CAPACITY, np.bool_)
        self.nature: F64 = np.zeros((_FIRST_CAPACITY, KINDS, BANDS))
        self.voice: F64 = np.zeros(_FIRST_CAPACITY)
        self.learnt: F64 = np.zeros(_FIRST_CAPACITY)
        self.flicker: F64 = np.zeros(_FIRST_CAPACITY)
        self.gap: F64 = np.zeros(_FIRST_CAPACITY)
        self.apart: F64 = np.zeros(_FIRST_CAPACITY)
        self.by_ear: Mask = np.zeros(_FIRST_CAPACITY, np.bool_)
        self.founded: F64 = np.zeros(_FIRST_CAPACITY)
        self.rays: Rays = NOTHING_HEARD
        self.dossiers: list[Dossier] = []
        self.sightings: list[Sightings] = []
        self.slots: dict[str, int] = {}
        self._owners: dict[IdentityKey, tuple[int, ...]] = {}
        self.scans: dict[str, OpenScan] = {}
        self.unseen: dict[str, Unseen] = {}
        self.clutter: dict[str, Found] = {}
        self.crowding: dict[str, Found] = {}
        self.tallies: dict[str, int] = {}
        self.registers = NOTHING
        self.noted: list[Noted] = []

    def copy(self) -> "Picture":
        """An independent copy."""
        other = Picture.__new__(Picture)
        n = self.count
        other.letter, other.count, other.sighted_at = self.letter, n, self.sighted_at
        for name in ARRAYS:
            setattr(other, name, getattr(self, name)[: max(n, 1)].copy())
        other.dossiers, other.slots = self.dossiers.copy(), self.slots.copy()
        other.sightings = self.sightings.copy()
        other._owners, other.tallies = self._owners.copy(), self.tallies.copy()
        other.scans, other.unseen = self.scans.copy(), self.unseen.copy()
        other.rays = self.rays
        other.registers, other.noted = self.registers, self.noted.copy()
        other.clutter, other.crowding = self.clutter.copy(), self.crowding.copy()
        return other

    def tally(self, what: str, by: int = 1) -> None:
        """Count something that happened while fusing."""
        self.tallies[what] = self.tallies.get(what, 0) + by

    def owners(self, claim: Claim | Identity) -> tuple[int, ...]:
        """Slots of the tracks bound to this identity, oldest first."""
        return self._owners.get((claim.scheme, claim.id), ())

    def knows(self, claim: Claim) -> bool:
        """True if a confirmed track is bound to this identity."""
        return any(self.confirmed[slot] for slot in self.owners(claim))

    def found(self, dossier: Dossier, sightings: Sightings, time: float, existence: float) -> int:
        """Add a track with an empty state; returns its slot."""
        return self.found_all([dossier], [sightings], time, [existence])

    def found_all(
        self,
        dossiers: Sequence[Dossier],
        sightings: Sequence[Sightings],
        time: float,
        existence: Sequence[float] | F64,
    ) -> int:
        """Add tracks with empty states, of bodies that were detected at ``time``; returns the first slot."""
        begin, end = self.count, self.count + len(dossiers)
        if end > len(self.time):
            self._grow(end)
        self.count = end
        new = slice(begin, end)
        self.time[new] = self.heard[new] = time
        self.existence[new], self.emits[new] = existence, EMITS
        self.bodily[new] = self.sighted[new] = 1.0
        self.nature[new] = self.learnt[new] = self.flicker[new] = self.gap[new] = self.apart[new] = 0.0
        self.voice[new] = UNHEARD
        self.known[new] = self.confirmed[new] = self.by_ear[new] = False
        self.x[new] = self.p[new] = self.xm[new] = self.pm[new] = self.mu[new] = 0.0
        self.dossiers += dossiers
        self.sightings += sightings
        self.independent[new] = [one.independent for one in sightings]
        self.reported[new] = [one.reports > 0 for one in dossiers]
        self.founded[new] = [one.founded for one in dossiers]
        self.named[new] = [one.identity is not None for one in dossiers]
        for slot, dossier in enumerate(dossiers, begin):
            self.slots[dossier.id] = slot
            if dossier.identity is not None:
                self._own(dossier, slot)
        return begin

    def revise(self, slot: int, dossier: Dossier, sightings: Sightings | None = None) -> None:
        """Put a new dossier, and new sightings, in the place of the old ones of the same track."""
        before = self.dossiers[slot].identity
        self.dossiers[slot] = dossier
        if sightings is not None:
            self.sightings[slot] = sightings
        self.independent[slot] = self.sightings[slot].independent
        self.named[slot] = dossier.identity is not None
        self.reported[slot] = dossier.reports > 0
        self.founded[slot] = dossier.founded
        if dossier.identity != before:
            self._disown(before, slot)
            self._own(dossier, slot)

    def remove(self, gone: Mask) -> None:
        """Drop the tracks that ``gone`` (count,) marks; the others keep their order."""
        if not gone.any():
            return
        first, keep = int(gone.argmax()), np.flatnonzero(~gone)
        n, moved = len(keep), keep[first:]
        for name in ARRAYS:
            array = getattr(self, name)
            array[first:n] = array[moved]
        self.count = n
        left = keep.tolist()
        self.dossiers = [self.dossiers[i] for i in left]
        self.sightings = [self.sightings[i] for i in left]
        self._index()

    def keep_sensors(self, names: Collection[str]) -> None:
        """Forget what is known of sensors that are none of these: whoever registers himself anew under one
        name after the other would else fill the memory."""
        self.scans = {name: one for name, one in self.scans.items() if name in names}
        self.unseen = {name: one for name, one in self.unseen.items() if name in names}
        self.clutter = {key: one for key, one in self.clutter.items() if key[1:] in names}
        self.crowding = {key: one for key, one in self.crowding.items() if key == OPEN or key in names}
        ears = {name: ear for name, ear in self.rays.ears.items() if name in names}
        eyes = {name: eye for name, eye in self.rays.eyes.items() if name in names}
        self.rays = self.rays._replace(ears=ears, eyes=eyes) if ears or eyes else NOTHING_HEARD

    def _index(self) -> None:
        self.slots = {dossier.id: slot for slot, dossier in enumerate(self.dossiers)}
        self._owners = {}
        for slot in np.flatnonzero(self.named[: self.count]).tolist():
            self._own(self.dossiers[slot], slot)

    def _own(self, dossier: Dossier, slot: int) -> None:
        if dossier.identity is not None:
            key = (dossier.identity.scheme, dossier.identity.id)
            self._owners[key] = tuple(sorted((*self._owners.get(key, ()), slot)))

    def _disown(self, identity: Identity | None, slot: int) -> None:
        if identity is not None:
            key = (identity.scheme, identity.id)
            left = tuple(owner for owner in self._owners.pop(key) if owner != slot)
            if left:
                self._owners[key] = left

    def _grow(self, least: int) -> None:
        for name in ARRAYS:
            old = getattr(self, name)
            new = np.zeros((max(2 * len(old), least, _FIRST_CAPACITY), *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)
