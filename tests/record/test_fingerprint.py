"""The numerics fingerprint names what decides the last bit, and its differences in words."""

import json
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from vedette.record.fingerprint import difference, fingerprint

PRINT = "import json; from vedette.record.fingerprint import fingerprint; print(json.dumps(fingerprint()))"
words = st.dictionaries(st.sampled_from(["numpy", "numba", "cpu", "llvm"]), st.text("ab1", max_size=3))


def test_it_names_everything_that_computes() -> None:
    ours = fingerprint()
    assert set(ours) >= {
        "vedette",
        "python",
        "numpy",
        "numpy_simd",
        "numba",
        "llvm",
        "libc",
        "cpu",
        "backend",
    }
    assert all(ours.values())
    assert json.loads(json.dumps(ours)) == ours


def test_another_process_has_the_same() -> None:
    other = subprocess.run([sys.executable, "-c", PRINT], capture_output=True, check=True)
    assert json.loads(other.stdout) == fingerprint()


def test_interpreted_kernels_are_another_backend() -> None:
    code = f"import os; os.environ['NUMBA_DISABLE_JIT'] = '1'; {PRINT}"
    other = json.loads(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout)
    assert difference(fingerprint(), other) == "backend python then, numba now"


@given(words, words)
def test_difference_is_empty_only_for_equals(ours: dict[str, str], theirs: dict[str, str]) -> None:
    said = difference(ours, theirs)
    assert (said == "") == (ours == theirs)
    for name in ours.keys() & theirs.keys():
        assert (f"{name} " in said) == (ours[name] != theirs[name])


def test_a_part_that_one_side_lacks() -> None:
    assert difference({"a": "1"}, {}) == "a none then, 1 now"
    assert difference({}, {"a": "1"}) == "a 1 then, none now"
