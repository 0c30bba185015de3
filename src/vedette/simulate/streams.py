"""Random streams, one for each purpose and name, so that no actor's luck depends on another's.

A stream is a function of the scenario's seed and of the names it is for. Adding, removing or
reordering actors leaves every other stream untouched; Python's string hash is never used.
"""

import hashlib

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence


def stream(seed: int, *names: str) -> Generator:
    """The generator for ``names`` (e.g. "wander", actor id) under the scenario's ``seed``."""
    label = b"".join(len(name.encode()).to_bytes(4, "big") + name.encode() for name in names)
    words = np.frombuffer(hashlib.blake2b(label, digest_size=16).digest(), dtype="<u4")
    return Generator(PCG64(SeedSequence([seed, *(int(word) for word in words)])))


class Normals:
    """Standard normal draws from one stream, taken in blocks because single draws cost more."""

    def __init__(self, generator: Generator, block: int = 256) -> None:
        self._generator = generator
        self._block = block
        self._values: list[float] = []

    def next(self) -> float:
        """The next draw."""
        if not self._values:
            self._values = self._generator.standard_normal(self._block).tolist()
            self._values.reverse()
        return self._values.pop()
