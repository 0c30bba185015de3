"""What is known of directions as plain structures, for snapshots and digests; every float keeps its bits."""

import numpy as np
from msgspec import Struct

from vedette.fuse.kernels.kalman import STATE
from vedette.fuse.kernels.listening import COLUMNS
from vedette.fuse.kernels.sight import ROWS
from vedette.fuse.rays.state import MODELS, NOTHING_HEARD, Ear, Eye, Hypotheses, Rays, Support
from vedette.fuse.sightings import Sightings


class PackedEar(Struct, frozen=True, array_like=True):
    """`Ear` in the canonical bytes."""

    eye: Eye
    time: float
    before: float
    after: float
    z: list[list[float]]
    var: list[list[float]]
    use: list[list[bool]]
    else_: list[float]
    chosen: list[int]
    table: list[list[float]]


class PackedHypotheses(Struct, frozen=True, array_like=True):
    """`Hypotheses` in the canonical bytes."""

    time: float
    xm: list[list[list[float]]]
    pm: list[list[list[list[float]]]]
    mu: list[list[float]]
    existence: list[float]
    known: list[bool]
    founded: list[float]
    sightings: tuple[Sightings, ...]


class PackedRays(Struct, frozen=True, array_like=True):
    """`Rays` in the canonical bytes."""

    ears: dict[str, PackedEar]
    eyes: dict[str, Eye]
    hypotheses: PackedHypotheses
    support: dict[str, Support]


def packed_rays(rays: Rays) -> PackedRays | None:
    """None where nothing was ever heard."""
    if not rays.ears and not rays.eyes:
        return None
    held = rays.hypotheses
    ears = {
        name: PackedEar(
            ear.eye, ear.time, ear.before, ear.after, ear.z.tolist(), ear.var.tolist(), ear.use.tolist(),
            ear.else_.tolist(), ear.chosen.tolist(), ear.table.tolist(),
        )
        for name, ear in rays.ears.items()
    }  # fmt: skip
    return PackedRays(
        ears,
        rays.eyes,
        PackedHypotheses(
            held.time, held.xm.tolist(), held.pm.tolist(), held.mu.tolist(), held.existence.tolist(),
            held.known.tolist(), held.founded.tolist(), held.sightings,
        ),
        rays.support,
    )  # fmt: skip


def unpacked_rays(packed: PackedRays | None) -> Rays:
    """The inverse of `packed_rays`."""
    if packed is None:
        return NOTHING_HEARD
    ears = {
        name: Ear(
            ear.eye, ear.time, ear.before, ear.after, np.array(ear.z).reshape(-1, ROWS),
            np.array(ear.var).reshape(-1, ROWS), np.array(ear.use, np.bool_).reshape(-1, ROWS),
            np.array(ear.else_), np.array(ear.chosen, np.int64), np.array(ear.table).reshape(-1, COLUMNS),
        )
        for name, ear in packed.ears.items()
    }  # fmt: skip
    held, models = packed.hypotheses, (-1, MODELS)
    return Rays(
        ears,
        dict(packed.eyes),
        Hypotheses(
            held.time,
            np.array(held.xm).reshape(*models, STATE),
            np.array(held.pm).reshape(*models, STATE, STATE),
            np.array(held.mu).reshape(models),
            np.array(held.existence),
            np.array(held.known, np.bool_),
            np.array(held.founded),
            held.sightings,
        ),
        dict(packed.support),
    )
