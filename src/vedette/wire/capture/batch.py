"""A batch of captured frames: one buffer and four arrays, so that a decoder can walk it at once."""

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


class Record(Struct, frozen=True):
    """One captured frame. ``time`` is Unix seconds, NaN where the file gives none."""

    time: float
    link_type: int
    data: bytes


class FrameBatch(Struct, frozen=True, eq=False):
    """``n`` frames in one buffer.

    ``data``: bytes. ``offsets``, ``lengths`` (int64[n]): frame i is
    ``data[offsets[i] : offsets[i] + lengths[i]]``. ``times`` (float64[n]): Unix seconds, NaN where
    unknown. ``link_types`` (int64[n]): tcpdump.org link types.
    """

    data: bytes
    offsets: Int64
    lengths: Int64
    times: Float64
    link_types: Int64

    @classmethod
    def of(cls, records: Iterable[Record]) -> "FrameBatch":
        """Records that are already in memory, as one batch."""
        records = list(records)
        lengths = np.array([len(record.data) for record in records], dtype=np.int64)
        return cls(
            b"".join(record.data for record in records),
            np.cumsum(lengths) - lengths,
            lengths,
            np.array([record.time for record in records], dtype=np.float64),
            np.array([record.link_type for record in records], dtype=np.int64),
        )

    @classmethod
    def single(cls, time: float, link_type: int, data: bytes) -> "FrameBatch":
        """A batch of one frame: the live path."""
        return cls.of((Record(time, link_type, data),))

    def __len__(self) -> int:
        return len(self.offsets)

    def __iter__(self) -> Iterator[Record]:
        rows = zip(
            self.offsets.tolist(),
            self.lengths.tolist(),
            self.times.tolist(),
            self.link_types.tolist(),
            strict=True,
        )
        for offset, length, time, link_type in rows:
            yield Record(time, link_type, self.data[offset : offset + length])
