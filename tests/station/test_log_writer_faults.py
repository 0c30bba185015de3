"""The log writer with real faults: a full disk, a disk that does not answer, a held file, a lost file."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from vedette.model import Event, Receipt
from vedette.model.event import DetectionBatch, RecordStatus, Shed, Tick
from vedette.record import Keyring, Log, ReserveFile, verify
from vedette.station.log_writer import LogWriter

LONG_S = 60.0
RETRY_S = 0.02
RECEIPT = Receipt(time=1.0, alert="a", revision=1, recipient="u", channel="tak", fact="shown")
BULKY = DetectionBatch(feed="f" * 4000, detections=())


class Desk:
    """A writer, its folder, and what it reported."""

    def __init__(self, folder: Path, *, reserve: int = 1 << 16, limit: int = 1000, stall_s: float = LONG_S):
        self.folder = folder
        self.path = folder / "site.log"
        self.statuses: list[RecordStatus] = []
        self.changed = asyncio.Event()
        self.next = 1
        self.reserve = ReserveFile(folder / "reserve", reserve)
        self.reserve.make()
        self.log = Log.create(self.path, Keyring(folder / "keys"))
        self.writer = LogWriter(
            self.log,
            self.reserve,
            lambda seq: None,
            self._note,
            limit=limit,
            stall_s=stall_s,
            retry_s=RETRY_S,
        )

    def _note(self, status: RecordStatus) -> None:
        self.statuses.append(status)
        self.changed.set()

    def submit(self, *bodies: DetectionBatch | Receipt | Tick) -> int:
        """Submit bodies as the next events; the number of the last."""
        events = [Event(self.next + i, float(self.next + i), body) for i, body in enumerate(bodies)]
        self.next += len(events)
        self.writer.submit(events)
        return self.next - 1

    async def until(self, state: str) -> RecordStatus:
        """The status when the record is in ``state``."""
        async with asyncio.timeout(LONG_S):
            while not self.statuses or self.statuses[-1].state != state:
                self.changed.clear()
                await self.changed.wait()
        return self.statuses[-1]

    def read(self) -> list[Event]:
        with Log.open(self.path, Keyring(self.folder / "keys"), readonly=True) as log:
            return list(log.events())


def run(make: Callable[[], Desk], story: Callable[[Desk], Awaitable[None]]) -> Desk:
    """Play ``story`` with a writer in a fresh event loop."""

    async def play() -> Desk:
        desk = make()
        try:
            await story(desk)
        finally:
            await desk.writer.close(1.0)
        return desk

    return asyncio.run(play())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 2 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=0700", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount the small file system that this test fills")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Use up all the room on ``disk``; returns the file that holds it."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (4096, 1):
            try:
                while file.write(bytes(size)):
                    pass
            except OSError:
                continue
    return ballast


def test_a_full_disk_and_back(small_disk: Path) -> None:
    """Detections wait, an alert's receipt still fits in the reserve, then all is written in order."""

    async def story(desk: Desk) -> None:
        await desk.writer.wait_durable(desk.submit(Tick()), LONG_S)
        ballast = fill(small_disk)
        last = desk.submit(*[BULKY] * 60)
        assert (await desk.until("degraded")).reason == f"disk full: {small_disk} has no room for the log"
        assert not await desk.writer.wait_durable(last)
        assert desk.reserve.held
        urgent = desk.submit(RECEIPT)
        assert await desk.writer.wait_durable(urgent, LONG_S)
        assert not desk.reserve.held
        later = desk.submit(*[BULKY] * 5)
        assert not await desk.writer.wait_durable(later)
        assert desk.writer.status().waiting == 5
        ballast.unlink()
        good = await desk.until("good")
        assert good.unlogged == 2
        assert good.waiting >= 61
        assert desk.writer.durable_seq == later
        assert desk.reserve.held

    desk = run(lambda: Desk(small_disk, reserve=1 << 19), story)
    kinds = [event.kind for event in desk.read()]
    assert kinds == ["tick", *["detections"] * 60, "receipt", *["detections"] * 5]
    assert verify(desk.path).good


def test_memory_is_bounded_while_the_disk_is_full_and_receipts_are_kept(small_disk: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.writer.wait_durable(desk.submit(Tick()), LONG_S)
        ballast = fill(small_disk)
        desk.submit(*[BULKY] * 90, *[RECEIPT] * 300, *[BULKY] * 90, Tick())
        await desk.until("degraded")
        ballast.unlink()
        await desk.until("good")

    desk = run(lambda: Desk(small_disk, reserve=1 << 12, limit=50), story)
    events = desk.read()
    assert [event.seq for event in events] == list(range(1, 483))
    assert sum(event.kind == "receipt" for event in events) == 300
    shed = [event.body for event in events if isinstance(event.body, Shed)]
    assert shed == [Shed(what="record", count=1)] * len(shed)
    assert len(shed) >= 130
    assert verify(desk.path).good


def test_a_disk_without_room_for_the_reserve_is_told_from_the_start(small_disk: Path) -> None:
    async def story(desk: Desk) -> None:
        desk.submit(Tick())
        assert "no room to set 4 MB aside" in str((await desk.until("degraded")).reason)
        assert await desk.writer.wait_durable(desk.submit(RECEIPT), LONG_S)

    assert [event.kind for event in run(lambda: Desk(small_disk, reserve=1 << 22), story).read()] == [
        "tick",
        "receipt",
    ]


def test_the_record_is_good_again_without_another_event(small_disk: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.writer.wait_durable(desk.submit(Tick()), LONG_S)
        ballast = fill(small_disk)
        last = desk.submit(*[BULKY] * 60, RECEIPT)
        assert await desk.writer.wait_durable(last, LONG_S)
        assert (await desk.until("degraded")).waiting > 0
        assert desk.writer.status() == RecordStatus(state="degraded", reason=desk.statuses[-1].reason)
        ballast.unlink()
        await desk.until("good")
        assert desk.reserve.held

    assert len(run(lambda: Desk(small_disk, reserve=1 << 19), story).read()) == 62


def test_a_key_that_does_not_fit_on_the_disk_makes_events_wait(small_disk: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.writer.wait_durable(desk.submit(Tick()), LONG_S)
        desk.reserve.release()
        desk.reserve.size = 1
        desk.reserve.path.write_bytes(b"x")
        ballast = fill(small_disk)
        desk.submit(RECEIPT)
        assert "disk full" in str((await desk.until("degraded")).reason)
        ballast.unlink()
        await desk.until("good")

    assert len(run(lambda: Desk(small_disk), story).read()) == 2


def test_a_file_at_its_page_limit_is_full_until_the_limit_is_raised(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.writer.wait_durable(desk.submit(Tick()), LONG_S)
        limit = desk.log._connection
        limit.execute("PRAGMA max_page_count=20")
        last = desk.submit(*[BULKY] * 40, RECEIPT)
        assert "disk full" in str((await desk.until("degraded")).reason)
        assert not await desk.writer.wait_durable(last)
        limit.execute("PRAGMA max_page_count=100000")
        assert await desk.writer.wait_durable(last, LONG_S)
        await desk.until("good")
        assert desk.reserve.held

    assert [event.seq for event in run(lambda: Desk(tmp_path), story).read()] == list(range(1, 43))


def test_a_file_held_by_another_process_stalls_and_recovers(tmp_path: Path) -> None:
    holder = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('BEGIN IMMEDIATE'); print(flush=True); sys.stdin.read()"
    )

    async def story(desk: Desk) -> None:
        await desk.writer.wait_durable(desk.submit(Tick()), LONG_S)
        command = [sys.executable, "-c", holder, str(desk.path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            await asyncio.to_thread(process.stdout.readline)
            last = desk.submit(RECEIPT, BULKY)
            assert not await desk.writer.wait_durable(last)
            assert (await desk.until("degraded")).reason == "stalled: no commit for 0.1 s"
            process.kill()
        assert await desk.writer.wait_durable(last, LONG_S)
        good = await desk.until("good")
        assert (good.waiting, good.unlogged) == (2, 1)

    desk = run(lambda: Desk(tmp_path, stall_s=0.1), story)
    assert [event.kind for event in desk.read()] == ["tick", "receipt", "detections"]


def test_a_log_taken_away_is_said_and_what_waits_is_kept(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.writer.wait_durable(desk.submit(Tick()), LONG_S)
        away = desk.path.with_suffix(".away")
        desk.path.rename(away)
        last = desk.submit(RECEIPT, Tick())
        assert str((await desk.until("degraded")).reason).startswith("I/O error: ")
        away.rename(desk.path)
        assert await desk.writer.wait_durable(last, LONG_S)
        await desk.until("good")

    assert len(run(lambda: Desk(tmp_path), story).read()) == 3


def test_what_cannot_be_written_before_the_deadline_is_counted_at_the_close(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.writer.wait_durable(desk.submit(Tick()), LONG_S)
        holder = sqlite3.connect(desk.path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        desk.submit(Tick(), Tick(), RECEIPT)
        assert await desk.writer.close(0.1) == 3
        holder.close()

    assert len(run(lambda: Desk(tmp_path), story).read()) == 1


SLOW_DISK_C = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
static void wait_for_disk(void) {
  const char *flag = getenv("SLOW_DISK_FLAG");
  while (flag && access(flag, F_OK) == 0) usleep(5000);
}
int fsync(int fd) { wait_for_disk(); return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd); }
int fdatasync(int fd) { wait_for_disk(); return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd); }
"""

SLOW_DISK_STORY = """
import asyncio, sys, os, time
from pathlib import Path
from vedette.model import Event
from vedette.model.event import Tick
from vedette.record import Keyring, Log, ReserveFile
from vedette.station.log_writer import LogWriter

folder, flag = Path(sys.argv[1]), Path(os.environ["SLOW_DISK_FLAG"])

async def main():
    log = Log.create(folder / "site.log", Keyring(folder / "keys"))
    reserve = ReserveFile(folder / "reserve", 4096)
    reserve.make()
    statuses = asyncio.Queue()
    writer = LogWriter(log, reserve, lambda seq: None, statuses.put_nowait, stall_s=0.2, retry_s=0.02)
    writer.submit([Event(1, 1.0, Tick())])
    print(await writer.wait_durable(1, 60.0))
    flag.touch()
    writer.submit([Event(2, 2.0, Tick())])
    turns = 0
    waiting = asyncio.ensure_future(writer.wait_durable(2))
    while not waiting.done():
        turns += 1
        await asyncio.sleep(0.001)
    print(await waiting, turns > 3)
    degraded = await statuses.get()
    print(degraded.state, degraded.reason)
    writer.submit([Event(3, 3.0, Tick())])
    print(writer.status().waiting)
    flag.unlink()
    good = await statuses.get()
    print(good.state, good.unlogged, await writer.wait_durable(3, 60.0))
    flag.touch()
    writer.submit([Event(4, 4.0, Tick())])
    print(await writer.close(0.1))
    flag.unlink()
    writer._thread.join()

asyncio.run(main())
"""


def test_a_disk_that_does_not_answer_holds_up_nobody(
    tmp_path: Path, counterpart: Callable[[str], str]
) -> None:
    """fsync that hangs while a file is there: the loop turns, the effect goes out, the desk is told."""
    source, shim = tmp_path / "slow.c", tmp_path / "slow.so"
    source.write_text(SLOW_DISK_C)
    subprocess.run([counterpart("gcc"), "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    flag = tmp_path / "disk-hangs"
    environment = os.environ | {"LD_PRELOAD": str(shim), "SLOW_DISK_FLAG": str(flag)}
    command = [sys.executable, "-c", SLOW_DISK_STORY, str(tmp_path)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert result.stdout.splitlines() == [
        "True",
        "False True",
        "degraded stalled: no commit for 0.2 s",
        "2",
        "good 1 True",
        "1",
    ], result.stderr
    assert verify(tmp_path / "site.log").last == 4


KILLED_STORY = """
import asyncio, sys
from pathlib import Path
from vedette.model import Event, Receipt
from vedette.record import Keyring, Log, ReserveFile
from vedette.station.log_writer import LogWriter

folder = Path(sys.argv[1])
path, keyring = folder / "site.log", Keyring(folder / "keys")

async def main():
    log = Log.open(path, keyring) if path.exists() else Log.create(path, keyring)
    seq = log.last.seq
    writer = LogWriter(log, ReserveFile(folder / "reserve", 4096), lambda seq: None, lambda status: None)
    while True:
        seq += 1
        body = Receipt(time=1.0, alert=str(seq), revision=1, recipient="u", channel="tak", fact="shown")
        writer.submit([Event(seq, float(seq), body)])
        if await writer.wait_durable(seq, 60.0):
            print(seq, flush=True)

asyncio.run(main())
"""


def test_kill_9_of_the_station_loses_nothing_that_was_durable(tmp_path: Path) -> None:
    before = 0
    for lines in (1, 7, 40, 100, 3, 20):
        command = [sys.executable, "-c", KILLED_STORY, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            told = [int(process.stdout.readline()) for _ in range(lines)]
            process.kill()
        assert told[0] > before
        with Log.open(tmp_path / "site.log", Keyring(tmp_path / "keys")) as log:
            assert log.last.seq >= told[-1]
            assert {event.seq for event in log.events()} >= set(told)
            before = log.last.seq
        assert verify(tmp_path / "site.log").good
