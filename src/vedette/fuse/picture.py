"""The picture: all tracks at one point of the canonical order, as arrays beside one dossier per track.

A picture is copied at every checkpoint, so what is not an array is immutable and shared.
"""

import base64
import hashlib
from typing import Any, cast

import msgspec
import numpy as np
from msgspec import Struct

from vedette.fuse import imm
from vedette.fuse.kernels import F64, STATE, Mask
from vedette.fuse.pace import Pace
from vedette.fuse.plots import Plot
from vedette.model import Claim, Identity, Position
from vedette.model.detection import Measure

IdentityKey = tuple[str, str]
EMITS = 0.5
"""Before anything is known: drones on a cable or on their own send nothing."""
MODELS = 3
"""Straight, manoeuvring, hovering: see `vedette.fuse.imm`."""
_FIRST_CAPACITY = 16
_ARRAYS = (
    "time",
    "heard",
    "x",
    "p",
    "xm",
    "pm",
    "mu",
    "existence",
    "emits",
    "known",
    "confirmed",
    "independent",
)


class Dossier(Struct, frozen=True, array_like=True):
    """What is known of a track beside its motion.

    ``reports``: detections with its identity, the last at ``reported``. ``agreements``: plots of
    independent sensors since the identity was bound, the last at ``agreed``. ``sensors``: last use of
    each. ``beliefs``: the last word of each on the class, in the order of
    `vedette.fuse.words.CLASSES`. ``near``: the track it may be one body with, and for how many seconds.
    ``strangers``: reports under other names that were taken as this body's. ``pace``: whether its stated
    velocity agrees with its stated places. ``seen``: when an independent sensor saw it last, and
    ``measured``: when one measured its height (0 for never).
    """

    id: str
    founded: float
    identity: Identity | None = None
    emitter: str | None = None
    contradicted: bool = False
    independent: bool = False
    reports: int = 0
    reported: float = 0.0
    agreements: int = 0
    agreed: float = 0.0
    measure: Measure | None = None
    sensors: tuple[tuple[str, float], ...] = ()
    beliefs: tuple[tuple[str, tuple[float, ...]], ...] = ()
    near: tuple[str, int] | None = None
    strangers: int = 0
    pace: Pace | None = None
    seen: float = 0.0
    measured: float = 0.0


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
    ``pm[i]`` (m, 6, 6), ``mu[i]`` (m,): its state under each model (`vedette.fuse.imm`), of which ``x[i]``
    and ``p[i]`` are the mixture. ``emits[i]``: probability that it sends what a direction finder hears.
    ``independent[i]`` is its dossier's word, for a table that is full. ``letter`` begins the ids of its
    tracks, so that two pictures never share one."""

    __slots__ = (
        "_owners", "confirmed", "count", "dossiers", "emits", "existence", "heard", "independent", "known",
        "letter", "mu", "p", "pm", "scans", "slots", "tallies", "time", "unseen", "x", "xm",
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
        self.known: Mask = np.zeros(_FIRST_CAPACITY, np.bool_)
        self.confirmed: Mask = np.zeros(_FIRST_CAPACITY, np.bool_)
        self.independent: Mask = np.zeros(_FIRST_CAPACITY, np.bool_)
        self.dossiers: list[Dossier] = []
        self.slots: dict[str, int] = {}
        self._owners: dict[IdentityKey, tuple[int, ...]] = {}
        self.scans: dict[str, OpenScan] = {}
        self.unseen: dict[str, Unseen] = {}
        self.tallies: dict[str, int] = {}

    def copy(self) -> "Picture":
        """An independent copy."""
        other = Picture.__new__(Picture)
        n = self.count
        other.letter, other.count = self.letter, n
        for name in _ARRAYS:
            setattr(other, name, getattr(self, name)[: max(n, 1)].copy())
        other.dossiers, other.slots = self.dossiers.copy(), self.slots.copy()
        other._owners, other.tallies = self._owners.copy(), self.tallies.copy()
        other.scans, other.unseen = self.scans.copy(), self.unseen.copy()
        return other

    def tally(self, what: str, by: int = 1) -> None:
        """Count something that happened while fusing."""
        self.tallies[what] = self.tallies.get(what, 0) + by

    def owners(self, claim: Claim) -> tuple[int, ...]:
        """Slots of the tracks bound to this identity, oldest first."""
        return self._owners.get((claim.scheme, claim.id), ())

    def knows(self, claim: Claim) -> bool:
        """True if a confirmed track is bound to this identity."""
        return any(self.confirmed[slot] for slot in self.owners(claim))

    def found(self, dossier: Dossier, time: float, existence: float) -> int:
        """Add a track with an empty state; returns its slot."""
        slot = self.count
        if slot == len(self.time):
            self._grow()
        self.count += 1
        self.time[slot] = self.heard[slot] = time
        self.existence[slot], self.emits[slot] = existence, EMITS
        self.known[slot] = self.confirmed[slot] = False
        self.independent[slot] = dossier.independent
        for name in ("x", "p", "xm", "pm", "mu"):
            getattr(self, name)[slot] = 0.0
        self.dossiers.append(dossier)
        self.slots[dossier.id] = slot
        self._own(dossier, slot)
        return slot

    def revise(self, slot: int, dossier: Dossier) -> None:
        """Put a new dossier in the place of the old one of the same track."""
        before = self.dossiers[slot].identity
        self.dossiers[slot] = dossier
        self.independent[slot] = dossier.independent
        if dossier.identity != before:
            self._disown(before, slot)
            self._own(dossier, slot)

    def remove(self, gone: Mask) -> None:
        """Drop the tracks that ``gone`` (count,) marks; the others keep their order."""
        if not gone.any():
            return
        keep = np.flatnonzero(~gone)
        n = len(keep)
        for name in _ARRAYS:
            array = getattr(self, name)
            array[:n] = array[keep]
        self.count = n
        self.dossiers = [self.dossiers[i] for i in keep.tolist()]
        self._index()

    def _index(self) -> None:
        self.slots = {dossier.id: slot for slot, dossier in enumerate(self.dossiers)}
        self._owners = {}
        for slot, dossier in enumerate(self.dossiers):
            self._own(dossier, slot)

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

    def _grow(self) -> None:
        for name in _ARRAYS:
            old = getattr(self, name)
            new = np.zeros((max(2 * len(old), _FIRST_CAPACITY), *old.shape[1:]), old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)


class PackedTrack(Struct, frozen=True, array_like=True):
    """One track in the canonical bytes."""

    time: float
    heard: float
    xm: list[list[float]]
    pm: list[list[list[float]]]
    mu: list[float]
    existence: float
    emits: float
    known: bool
    confirmed: bool
    dossier: Dossier


class PackedPicture(Struct, frozen=True, array_like=True):
    """A picture as canonical bytes hold it; dictionaries are sorted by key."""

    tracks: list[PackedTrack]
    scans: dict[str, OpenScan]
    unseen: dict[str, Unseen]
    tallies: dict[str, int]


_ENCODER = msgspec.msgpack.Encoder(order="deterministic")


def pack(picture: Picture) -> PackedPicture:
    """The picture as a plain structure; every float keeps its bits."""
    n = picture.count
    columns = zip(
        picture.time[:n].tolist(),
        picture.heard[:n].tolist(),
        picture.xm[:n].tolist(),
        picture.pm[:n].tolist(),
        picture.mu[:n].tolist(),
        picture.existence[:n].tolist(),
        picture.emits[:n].tolist(),
        picture.known[:n].tolist(),
        picture.confirmed[:n].tolist(),
        picture.dossiers,
        strict=True,
    )
    tracks = [PackedTrack(*cast("Any", row)) for row in columns]
    return PackedPicture(tracks, picture.scans, picture.unseen, picture.tallies)


def unpack(packed: PackedPicture, letter: str = "T") -> Picture:
    """The inverse of `pack`."""
    picture = Picture(letter)
    for track in packed.tracks:
        slot = picture.found(track.dossier, track.time, track.existence)
        picture.heard[slot], picture.emits[slot] = track.heard, track.emits
        picture.xm[slot], picture.pm[slot], picture.mu[slot] = track.xm, track.pm, track.mu
        imm.combine(picture.xm[slot], picture.pm[slot], picture.mu[slot], picture.x[slot], picture.p[slot])
        picture.known[slot], picture.confirmed[slot] = track.known, track.confirmed
    picture.scans, picture.tallies = dict(packed.scans), dict(packed.tallies)
    picture.unseen = dict(packed.unseen)
    return picture


def picture_bytes(picture: Picture) -> bytes:
    """Canonical bytes: equal exactly when two pictures are."""
    return _ENCODER.encode(pack(picture))


def track_id(picture: Picture, plot: Plot) -> str:
    """The id of a track founded by this plot: from content alone, so that every order of arrival gives
    the same. A claimed identity or a radio address names its first body; other bodies and anonymous
    ones are named by the founding detection."""
    names = [plot.content]
    if plot.claim is not None:
        names.insert(0, f"claim\0{plot.claim.scheme}\0{plot.claim.id}".encode())
    elif plot.emitter is not None:
        names.insert(0, f"emitter\0{plot.emitter}".encode())
    for name in names:
        short = picture.letter + base64.b32encode(hashlib.blake2b(name, digest_size=5).digest()).decode()
        if short not in picture.slots:
            return short
    return _crowded_id(picture, plot.content)


def _crowded_id(picture: Picture, content: bytes) -> str:
    salt = 0
    while True:
        salt += 1
        digest = hashlib.blake2b(content + salt.to_bytes(4, "big"), digest_size=5).digest()
        short = picture.letter + base64.b32encode(digest).decode()
        if short not in picture.slots:
            return short


def identity_of(claim: Claim | None) -> Identity | None:
    """The identity that a claim states."""
    return None if claim is None else Identity(scheme=claim.scheme, id=claim.id)


def same_place(a: Measure | None, b: Measure) -> bool:
    """True for two equal reported positions."""
    return isinstance(a, Position) and a == b
