"""What all fuzzers share: the corpus, the injuries, the loop with its seed, and the command line.

A fuzzer is ``python tests/fuzz/fuzz_NAME.py --seconds N [--seed S]``; it prints the seed by which a run
can be repeated, and every exception is a finding.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

CORPORA = Path(__file__).resolve().parent / "corpus"

Round = Callable[[random.Random], int]
"""Tries something new; returns how many inputs that were."""


def corpus(name: str) -> list[bytes]:
    """The seed inputs of one fuzzer, in the order of their names."""
    return [path.read_bytes() for path in sorted((CORPORA / name).iterdir())]


def injure(data: bytes, chance: random.Random, pieces: Sequence[bytes], longest: int = 40) -> bytes:
    """One to six small injuries: telling pieces put in or over, bytes cut (``longest``), set, repeated."""
    injured = bytearray(data)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(injured) + 1)
        match chance.randrange(5):
            case 0:
                injured[at:at] = chance.choice(pieces)
            case 1:
                del injured[at : at + chance.randint(1, longest)]
            case 2:
                injured[at : at + 1] = bytes([chance.randrange(256)])
            case 3:
                start = chance.randrange(len(injured) + 1)
                injured[at:at] = injured[start : start + chance.randint(1, 200)]
            case _:
                injured[at : at + chance.randint(1, 8)] = chance.choice(pieces)
    return bytes(injured)


def each(make: Callable[[random.Random], bytes], check: Callable[[bytes, random.Random], None]) -> Round:
    """A round of one input; an input that finds something is shown."""

    def one(chance: random.Random) -> int:
        data = make(chance)
        try:
            check(data, chance)
        except BaseException:
            print(f"input: {data!r}", file=sys.stderr)
            raise
        return 1

    return one


def run(one: Round, seconds: float, seed: int) -> int:
    """Rounds for ``seconds``, at least one; returns how many inputs were tried."""
    chance, tried = random.Random(seed), 0
    until = time.monotonic() + seconds
    while tried == 0 or time.monotonic() < until:
        tried += one(chance)
    return tried


def main(name: str, one: Round, what: str = "inputs", make_corpus: Callable[[], None] | None = None) -> int:
    """The command line of one fuzzer."""
    parser = argparse.ArgumentParser(description="Mutate the corpus, hold the invariants.")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None, help="repeat a run (default: from the clock)")
    if make_corpus is not None:
        parser.add_argument("--make-corpus", action="store_true", help="write the seeds anew and stop")
    options = parser.parse_args()
    if make_corpus is not None and options.make_corpus:
        make_corpus()
        return 0
    seed = time.time_ns() & 0xFFFFFFFF if options.seed is None else options.seed
    print(f"{name}: seed {seed}", file=sys.stderr)
    print(f"{name}: {run(one, options.seconds, seed)} {what}, no fault", file=sys.stderr)
    return 0
