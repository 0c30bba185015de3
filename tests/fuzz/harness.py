"""What all fuzzers share: the corpus, the injuries, the two loops, and the command line.

A fuzzer is ``python tests/fuzz/fuzz_NAME.py --seconds N [--seed S]``; it prints the seed by which a run
can be repeated, and every exception is a finding. ``--guided`` lets atheris choose the inputs by the
branches that they reach (libFuzzer's method), with our own injuries among its mutations; the kernels then
run as plain Python, so that their branches count too.
"""

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FunctionType

CORPORA = Path(__file__).resolve().parent / "corpus"
LONGEST_INPUT = 4096
SLOWEST_S = 10
"""An input that takes longer is a finding: whoever sends it stops a station."""

Round = Callable[[random.Random], int]
"""Tries something new; returns how many inputs that were."""
Check = Callable[[bytes, random.Random], None]
Mutate = Callable[[bytes, random.Random], bytes]


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


def main(
    name: str,
    one: Round,
    check: Check,
    mutate: Mutate,
    what: str = "inputs",
    make_corpus: Callable[[], None] | None = None,
) -> int:
    """The command line of one fuzzer. ``check`` holds the invariants on one input, ``mutate`` injures one."""
    parser = argparse.ArgumentParser(description="Mutate the corpus, hold the invariants.")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None, help="repeat a run (default: from the clock)")
    parser.add_argument("--guided", action="store_true", help="by coverage, with atheris")
    if make_corpus is not None:
        parser.add_argument("--make-corpus", action="store_true", help="write the seeds anew and stop")
    options = parser.parse_args()
    if make_corpus is not None and options.make_corpus:
        make_corpus()
        return 0
    seed = time.time_ns() & 0x7FFFFFFF if options.seed is None else options.seed
    print(f"{name}: seed {seed}", file=sys.stderr)
    if options.guided:
        return guided(name, check, mutate, options.seconds, seed)
    print(f"{name}: {run(one, options.seconds, seed)} {what}, no fault", file=sys.stderr)
    return 0


def guided(name: str, check: Check, mutate: Mutate, seconds: float, seed: int) -> int:
    """Coverage-guided fuzzing with atheris, which ends the process itself: not 0 if it found something."""
    if os.environ.get("NUMBA_DISABLE_JIT") != "1":
        os.environ["NUMBA_DISABLE_JIT"] = "1"
        os.execv(sys.executable, [sys.executable, *sys.argv, "--seed", str(seed)])
    import atheris

    instrument(atheris)
    tried = 0

    def test_one(data: bytes) -> None:
        nonlocal tried
        tried += 1
        check(data, random.Random(len(data)))

    def injure_or_let(data: bytes, longest: int, number: int) -> bytes:
        chance = random.Random(number)
        if chance.random() < 0.5 and data:
            return mutate(bytes(data), chance)[:longest]
        return bytes(atheris.Mutate(data, longest))

    folder = Path(tempfile.mkdtemp(prefix=f"vedette-fuzz-{name}-"))
    for path in sorted((CORPORA / name).iterdir()):
        shutil.copy(path, folder / path.name)
    arguments = [
        f"-max_total_time={int(seconds)}",
        f"-seed={seed}",
        f"-max_len={LONGEST_INPUT}",
        f"-timeout={SLOWEST_S}",
        "-rss_limit_mb=2048",
        "-verbosity=0",
        "-print_final_stats=1",
        f"-artifact_prefix={folder}/",
        str(folder),
    ]
    atheris.Setup([name, *arguments], test_one, custom_mutator=injure_or_let)
    atheris.Fuzz()
    return 0


def instrument(atheris: object) -> None:
    """Let every function of ours that is loaded report its branches."""
    for module in [m for n, m in sorted(sys.modules.items()) if n.startswith("vedette")]:
        for thing in list(vars(module).values()):
            if isinstance(thing, FunctionType) and thing.__module__ == module.__name__:
                atheris.instrument_func(thing)  # type: ignore[attr-defined]
            elif isinstance(thing, type) and thing.__module__ == module.__name__:
                for method in list(vars(thing).values()):
                    if isinstance(method, FunctionType):
                        atheris.instrument_func(method)  # type: ignore[attr-defined]
