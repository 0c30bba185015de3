"""Real encounters through the real core: the same JSON to the byte, whoever died over it.

One worker and two: `tests/cli/test_cli_evaluate.py`."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from campaign_works import DiesAtWork

from vedette.cli.main import run_command
from vedette.evaluate.campaign.campaign import run_campaign
from vedette.evaluate.campaign.executor import InLine, Pool
from vedette.evaluate.campaign.items import items_of
from vedette.evaluate.campaign.stage import TRACKER_FEED
from vedette.evaluate.campaign.summary import encode, model_version, summarise
from vedette.evaluate.campaign.work import Worker

COUNT = 6
ITEMS = items_of("gate", range(COUNT), [TRACKER_FEED])
ARGUMENTS = ["evaluate", "--collection", "gate", "--count", str(COUNT), "--mix", TRACKER_FEED]
PROGRAM = [sys.executable, "-c", "from vedette.cli.main import main; main()"]
PATIENCE_S = 120.0


@pytest.fixture(scope="module")
def alone() -> bytes:
    """The whole JSON as one process writes it."""
    return encode(summarise(run_campaign(ITEMS, Worker(), InLine()), model_version()))


def test_a_worker_that_is_killed_at_a_real_encounter_changes_nothing(tmp_path: Path, alone: bytes) -> None:
    pool = Pool(2)
    found = run_campaign(ITEMS, DiesAtWork(tmp_path / "died", 3), pool)
    assert (tmp_path / "died").exists()
    assert pool.deaths >= 1
    assert encode(summarise(found, model_version())) == alone


def test_a_campaign_that_was_killed_goes_on_where_it_stopped(tmp_path: Path, alone: bytes) -> None:
    """The whole command, killed with -9 between two results, and started again."""
    keep, resumed = tmp_path / "kept.jsonl", tmp_path / "resumed.json"
    killed = subprocess.Popen([*PROGRAM, *ARGUMENTS, "--keep", str(keep)], stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE_S
        while _lines(keep) < 3 and killed.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
    had = _lines(keep)
    assert 3 <= had <= COUNT, "it was killed too late to tell anything"
    assert run_command([*ARGUMENTS, "--keep", str(keep), "--json", str(resumed)]) == 0
    assert resumed.read_bytes() == alone
    assert _lines(keep) == COUNT + 1


def _lines(path: Path) -> int:
    """Whole lines; the first says what computed the others."""
    return path.read_bytes().count(b"\n") if path.exists() else 0
