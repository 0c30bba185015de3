"""A picture as plain structures, for snapshots and digests; every float keeps its bits."""

from typing import Any, cast

import msgspec
import numpy as np
from msgspec import Struct

from vedette.fuse.kernels import imm
from vedette.fuse.kernels.clutter import CELLS
from vedette.fuse.picture import Dossier, OpenScan, Picture, Unseen
from vedette.fuse.rays.packing import PackedRays, packed_rays, unpacked_rays
from vedette.fuse.registration.registers import PackedRegisters, packed, unpacked
from vedette.fuse.sensing.clutter import Found
from vedette.fuse.sightings import Sightings


class PackedTrack(Struct, frozen=True, array_like=True):
    """One track in the canonical bytes."""

    time: float
    heard: float
    xm: list[list[float]]
    pm: list[list[list[float]]]
    mu: list[float]
    existence: float
    emits: float
    bodily: float
    sighted: float
    nature: list[list[float]]
    voice: float
    learnt: float
    flicker: float
    gap: float
    known: bool
    confirmed: bool
    dossier: Dossier
    sightings: Sightings
    by_ear: bool = False
    apart: float = 0.0


class PackedPicture(Struct, frozen=True, array_like=True):
    """A picture as canonical bytes hold it, after the turn of a second (so that nothing is noted in it);
    dictionaries are sorted by key."""

    tracks: list[PackedTrack]
    scans: dict[str, OpenScan]
    unseen: dict[str, Unseen]
    tallies: dict[str, int]
    registers: PackedRegisters
    clutter: dict[str, tuple[float, float, bytes]]
    crowding: dict[str, tuple[float, float, bytes]]
    sighted_at: float
    rays: PackedRays | None = None


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
        picture.bodily[:n].tolist(),
        picture.sighted[:n].tolist(),
        [rows if rows[0][0] else [] for rows in picture.nature[:n].tolist()],
        picture.voice[:n].tolist(),
        picture.learnt[:n].tolist(),
        picture.flicker[:n].tolist(),
        picture.gap[:n].tolist(),
        picture.known[:n].tolist(),
        picture.confirmed[:n].tolist(),
        picture.dossiers,
        picture.sightings,
        picture.by_ear[:n].tolist(),
        picture.apart[:n].tolist(),
        strict=True,
    )
    tracks = [PackedTrack(*cast("Any", row)) for row in columns]
    return PackedPicture(
        tracks,
        picture.scans,
        picture.unseen,
        picture.tallies,
        packed(picture.registers),
        _clutter_bytes(picture.clutter),
        _clutter_bytes(picture.crowding),
        picture.sighted_at,
        packed_rays(picture.rays),
    )


def unpack(plain: PackedPicture, letter: str = "T") -> Picture:
    """The inverse of `pack`."""
    picture = Picture(letter)
    for track in plain.tracks:
        slot = picture.found(track.dossier, track.sightings, track.time, track.existence)
        picture.heard[slot], picture.emits[slot] = track.heard, track.emits
        picture.bodily[slot] = track.bodily
        picture.sighted[slot] = track.sighted
        picture.voice[slot], picture.learnt[slot] = track.voice, track.learnt
        picture.flicker[slot], picture.gap[slot] = track.flicker, track.gap
        if track.nature:
            picture.nature[slot] = track.nature
        picture.xm[slot], picture.pm[slot], picture.mu[slot] = track.xm, track.pm, track.mu
        imm.combine(picture.xm[slot], picture.pm[slot], picture.mu[slot], picture.x[slot], picture.p[slot])
        picture.known[slot], picture.confirmed[slot] = track.known, track.confirmed
        picture.by_ear[slot], picture.apart[slot] = track.by_ear, track.apart
    picture.scans, picture.tallies = dict(plain.scans), dict(plain.tallies)
    picture.unseen, picture.registers = dict(plain.unseen), unpacked(plain.registers)
    picture.sighted_at = plain.sighted_at
    picture.crowding = {name: _found(one) for name, one in plain.crowding.items()}
    picture.clutter = {name: _found(one) for name, one in plain.clutter.items()}
    picture.rays = unpacked_rays(plain.rays)
    return picture


def _clutter_bytes(clutter: dict[str, Found]) -> dict[str, tuple[float, float, bytes]]:
    return {
        name: (found.time, found.looks, found.counts.astype("<f8").tobytes())
        for name, found in clutter.items()
    }


def _found(packed: tuple[float, float, bytes]) -> Found:
    """Raises ValueError for a map of another size."""
    counts = np.frombuffer(packed[2], "<f8").astype(np.float64)
    if len(counts) != CELLS:
        raise ValueError(f"a map of false plots has {len(counts)} cells, not {CELLS}")
    return Found(packed[0], packed[1], counts)


def picture_bytes(picture: Picture) -> bytes:
    """Canonical bytes: equal exactly when two pictures are."""
    return _ENCODER.encode(pack(picture))
