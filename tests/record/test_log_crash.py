"""kill -9 at any moment: what was acknowledged is there, the chain holds, and writing goes on."""

import random
import select
import subprocess
import sys
import time
from pathlib import Path

from vedette.record import Keyring, Log, verify

KILLS = 8

APPENDER = """
import sys
from pathlib import Path
from vedette.model import Event, UnitReport
from vedette.model.event import Snapshot, Tick
from vedette.record import Keyring, Log

path, folder = Path(sys.argv[1]), Path(sys.argv[2])
log = Log.open(path, Keyring(folder)) if path.exists() else Log.create(path, Keyring(folder))
while True:
    seq, at, _ = log.last
    unit = UnitReport(time=at, unit="u", lat_deg=1.0, lon_deg=2.0, sigma_m=3.0, mobility="foot")
    bodies = [Tick(), unit, Snapshot(after=seq, state=bytes(20_000))] * (1 + seq % 5)
    log.append([Event(seq + 1 + i, at + 7000.0, body) for i, body in enumerate(bodies)])
    sys.stdout.write(f"{log.last.seq}\\n")
    sys.stdout.flush()
"""


def _append_until_killed(path: Path, keys: Path, after_s: float) -> int:
    """Run the appender, kill it ``after_s`` after its first commit; the last number it acknowledged."""
    process = subprocess.Popen([sys.executable, "-c", APPENDER, path, keys], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process:
        ready, _, _ = select.select([process.stdout], [], [], 60)
        assert ready, "the appender never committed"
        time.sleep(after_s)
        process.kill()
        lines = process.stdout.read().decode().splitlines(keepends=True)
    return max(int(line) for line in lines if line.endswith("\n"))


def test_nothing_acknowledged_is_lost_by_kill_9(tmp_path: Path) -> None:
    path, keys = tmp_path / "site.log", tmp_path / "keys"
    moments = random.Random(20261122)
    before = 0
    for _ in range(KILLS):
        acknowledged = _append_until_killed(path, keys, moments.uniform(0.0, 0.15))
        assert acknowledged > before
        assert verify(path).good
        with Log.open(path, Keyring(keys)) as log:
            assert log.last.seq >= acknowledged
            assert [event.seq for event in log.events()] == list(range(1, log.last.seq + 1))
            before = log.last.seq
    assert verify(path).last == before


def test_a_kill_while_the_log_is_made_leaves_a_log_or_none(tmp_path: Path) -> None:
    moments = random.Random(7)
    for attempt in range(5):
        path = tmp_path / f"{attempt}.log"
        process = subprocess.Popen(
            [sys.executable, "-c", APPENDER, path, tmp_path / "keys"], stdout=subprocess.DEVNULL
        )
        with process:
            deadline = time.monotonic() + 60
            while not path.with_name(path.name + ".new").exists() and not path.exists():
                assert time.monotonic() < deadline
            time.sleep(moments.uniform(0.0, 0.004))
            process.kill()
        if not path.exists():
            Log.create(path, Keyring(tmp_path / "keys")).close()
        assert verify(path).good
