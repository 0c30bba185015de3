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


def fingerprint() -> dict[str, str]:
    """Build, Python, numpy with its SIMD targets, numba, LLVM, CPU target and kernel backend."""
    return {
        "vedette": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numpy_simd": ",".join(_simd()),
        "numba": importlib.metadata.version("numba"),
        "llvm": ".".join(str(part) for part in llvm.llvm_version_info),
        "libc": " ".join(platform.libc_ver()),
        "cpu": f"{platform.machine()}/{llvm.get_host_cpu_name()}",
        "backend": "python" if getattr(numba_config, "DISABLE_JIT", 0) else "numba",
    }


def difference(ours: dict[str, str], theirs: dict[str, str]) -> str:
    """What differs, in words; empty if nothing does."""
    names = sorted(ours.keys() | theirs.keys())
    rows = [(name, theirs.get(name, "none"), ours.get(name, "none")) for name in names]
    return ", ".join(f"{name} {was} then, {now} now" for name, was, now in rows if was != now)


def _simd() -> list[str]:
    """The SIMD targets that numpy dispatches to here: its elementary functions differ between them."""
    shown: Any = np.show_config(mode="dicts")
    simd = shown.get("SIMD Extensions", {})
    return [*simd.get("baseline", []), *simd.get("found", [])]
