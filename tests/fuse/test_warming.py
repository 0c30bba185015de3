"""`vedette.fuse.warm`: nothing is left to be compiled when something flies."""

import os
import subprocess
import sys
from pathlib import Path

PROBE = Path(__file__).with_name("warm_probe.py")


def test_after_warming_no_kernel_is_compiled() -> None:
    """In a process of its own, for kernels stay compiled."""
    done = subprocess.run(
        [sys.executable, str(PROBE)], capture_output=True, text=True, env=dict(os.environ), check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
