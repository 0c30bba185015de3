"""What the environment chooses for the kernels is part of the fingerprint; what cannot matter is not."""

import json
import os
import subprocess
import sys

import pytest

from vedette.record.fingerprint import difference, fingerprint

SHOW = "import json; from vedette.record.fingerprint import fingerprint; print(json.dumps(fingerprint()))"


def of_process(**environment: str) -> dict[str, str]:
    found = subprocess.run(
        [sys.executable, "-c", SHOW], capture_output=True, check=True, env={**os.environ, **environment}
    )
    seen: dict[str, str] = json.loads(found.stdout)
    return seen


def test_hash_seed_time_zone_and_language_do_not_count() -> None:
    assert of_process(PYTHONHASHSEED="5", TZ="Asia/Kolkata", LC_ALL="C") == fingerprint()


@pytest.mark.parametrize(
    ("environment", "field"),
    [
        ({"NUMBA_CPU_NAME": "generic"}, "cpu"),
        ({"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "+sse2"}, "cpu_features"),
        ({"NUMBA_OPT": "1"}, "optimisation"),
        ({"NUMBA_LOOP_VECTORIZE": "0"}, "optimisation"),
    ],
)
def test_another_way_to_compile_is_another_fingerprint(environment: dict[str, str], field: str) -> None:
    here, there = fingerprint(), of_process(**environment)
    assert f"{field} {here[field]} then, {there[field]} now" in difference(there, here)
