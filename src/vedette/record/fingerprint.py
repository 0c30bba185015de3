"""The numerics fingerprint: what decides the last bit of a result (DESIGN section 5).

Same fingerprint: a replay is bit-exact or has failed. Different: the replay says so, compares
decisions exactly and states within a tolerance.
"""

import importlib.metadata
import platform
from typing import Any

import numpy as np
from llvmlite import binding as llvm
from numba import config as numba_config

from vedette import __version__

_OPTIMISATION = ("OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "USING_SVML")


def fingerprint() -> dict[str, str]:
    """Build, Python, numpy with its SIMD targets, numba, LLVM, CPU target and kernel backend.

    The environment may choose another target or optimisation than the machine's own (NUMBA_CPU_NAME,
    NUMBA_CPU_FEATURES, NUMBA_OPT ...): what counts is what the kernels are compiled with.
    """
    return {
        "vedette": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numpy_simd": ",".join(_simd()),
        "numba": importlib.metadata.version("numba"),
        "llvm": ".".join(str(part) for part in llvm.llvm_version_info),
        "libc": " ".join(platform.libc_ver()),
        "cpu": f"{platform.machine()}/{_numba('CPU_NAME') or llvm.get_host_cpu_name()}",
        "cpu_features": _numba("CPU_FEATURES") or "host",
        "optimisation": "/".join(_numba(name) for name in _OPTIMISATION),
        "backend": "numba" if _numba("DISABLE_JIT") in ("", "0") else "python",
    }


def difference(ours: dict[str, str], theirs: dict[str, str]) -> str:
    """What differs, in words; empty if nothing does."""
    names = sorted(ours.keys() | theirs.keys())
    rows = [(name, theirs.get(name, "none"), ours.get(name, "none")) for name in names]
    return ", ".join(f"{name} {was} then, {now} now" for name, was, now in rows if was != now)


def _numba(setting: str) -> str:
    value = getattr(numba_config, setting, None)
    return "" if value is None else str(value)


def _simd() -> list[str]:
    """The SIMD targets that numpy dispatches to here: its elementary functions differ between them."""
    shown: Any = np.show_config(mode="dicts")
    simd = shown.get("SIMD Extensions", {})
    return [*simd.get("baseline", []), *simd.get("found", [])]
