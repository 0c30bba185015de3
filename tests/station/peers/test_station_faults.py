"""A whole station under kill -9, a disk that hangs and a disk that is full: the warning goes out."""

import asyncio
import os
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from station_build import StationProcess, replay_is_equal

from vedette.model.event import Deliver, Segment
from vedette.simulate import load_builtin, to_files
from vedette.wire.cot import find_message_id

START = 1_790_000_000.0
SCENARIO = load_builtin("hover-near")
PATROL = next(actor for actor in SCENARIO.actors if actor.cot is not None)
SITE = SCENARIO.head.site

CONFIG = """
state = "{state}"

[site]
name = "Field"
lat_deg = {lat}
lon_deg = {lon}
alt_m = {alt}
alt_datum = "wgs84-ellipsoid"

[clock]
speed = 10.0

[console]
listen = "127.0.0.1:0"
demo_desk = true

[[feed]]
name = "phones"
url = "cot+tcp-listen://127.0.0.1:{port}"
"""
RECEIVER = """
[[feed]]
name = "receiver"
url = "odid+pcap:{capture}"
"""


class Field:
    """A site in a folder: its configuration, a recorded drone, and one officer's phone."""

    def __init__(self, folder: Path, state: Path, port: int, phone) -> None:
        self.folder, self.state, self.port, self.phone = folder, state, port, phone
        self.log = folder / "station.log"
        to_files(SCENARIO, START, lambda name: (folder / name).open("wb"))

    def start(self, *, drone: bool, environment: dict[str, str] | None = None) -> StationProcess:
        text = CONFIG.format(
            state=self.state, lat=SITE.lat_deg, lon=SITE.lon_deg, alt=SITE.alt_m, port=self.port
        )
        text += RECEIVER.format(capture=self.folder / "remote-id.pcap") if drone else ""
        config = self.folder / "vedette.toml"
        config.write_text(text)
        return StationProcess(config, self.log, environment)

    async def connect(self) -> asyncio.Task[None]:
        """The officer's phone, which reports for as long as it is connected."""
        for _ in range(600):
            try:
                await self.phone.connect("127.0.0.1", self.port)
                break
            except OSError:
                await asyncio.sleep(0.1)
        return asyncio.create_task(self._report())

    async def _report(self) -> None:
        while True:
            self.phone.send(self.phone.report(lat_deg=SITE.lat_deg, lon_deg=SITE.lon_deg))
            await asyncio.sleep(0.1)

    async def hang_up(self, walk: asyncio.Task[None]) -> None:
        walk.cancel()
        await asyncio.gather(walk, return_exceptions=True)
        await self.phone.close()

    def alerts(self) -> set[str]:
        """Ids of the alerts in the chats that the phone has."""
        found = (find_message_id(chat.uid) for chat in self.phone.chats())
        return {message.reference for message in found if message is not None}


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def field(tmp_path: Path, free_port: int, make_client: Callable[[str, str], object]) -> Field:
    return Field(tmp_path, tmp_path / "state", free_port, make_client("UID-A", "ALPHA"))


def test_after_kill_9_nobody_is_forgotten_and_the_replay_is_equal(field, make_client, wait_until) -> None:
    dice = random.Random(5)

    async def story() -> None:
        first: set[str] = set()
        for turn in range(3):
            station = field.start(drone=turn == 0)
            field.phone = make_client("UID-A", "ALPHA")
            walk = await field.connect()
            await wait_until(
                lambda: bool(field.alerts()), f"turn {turn}: the warning: {field.log.read_text()}"
            )
            first = first or field.alerts()
            assert first <= field.alerts(), f"turn {turn}: the same alert must come again"
            await asyncio.sleep(dice.random())
            station.kill()
            await field.hang_up(walk)
        station = field.start(drone=False)
        await wait_until(lambda: station.page() is not None, "the last start")
        assert await asyncio.to_thread(station.stop) == 0

    asyncio.run(story())
    events = replay_is_equal(field.state)
    assert sum(isinstance(event.body, Segment) for event in events) == 4
    delivered = [event.body for event in events if isinstance(event.body, Deliver)]
    assert len({body.alert.alert for body in delivered}) == 1


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


async def _degraded_warning(field, station, wait_until, break_disk, mend_disk, *, unlogged: bool) -> None:
    """The disk breaks before the drone is near; the warning arrives, the desk is told; it recovers."""
    walk = await field.connect()
    await wait_until(lambda: station.page() is not None, "the station runs")
    break_disk()
    await wait_until(lambda: bool(field.alerts()), f"the warning: {field.log.read_text()}")
    seen: dict[str, object] = {}

    def state() -> str:
        seen.update(station.view())
        return str(seen["record"]["state"])

    await wait_until(lambda: state() == "degraded", "the desk is told")
    if unlogged:
        await wait_until(lambda: bool(state() and seen["record"].get("unlogged")), "marked unlogged")
        assert any(alert.get("unlogged") for alert in seen["alerts"])
    mend_disk()
    await wait_until(lambda: state() == "good", "the record is good again")
    await field.hang_up(walk)
    assert await asyncio.to_thread(station.stop) == 0


@pytest.mark.counterpart
def test_a_hanging_disk_delays_no_warning_and_is_shown(field, tmp_path, counterpart, wait_until) -> None:
    source, shim, flag = tmp_path / "slow.c", tmp_path / "slow.so", tmp_path / "disk-hangs"
    source.write_text(SLOW_DISK_C)
    subprocess.run([counterpart("gcc"), "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    station = field.start(drone=True, environment={"LD_PRELOAD": str(shim), "SLOW_DISK_FLAG": str(flag)})
    asyncio.run(_degraded_warning(field, station, wait_until, flag.touch, flag.unlink, unlogged=True))
    replay_is_equal(field.state)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 24 MB: the reserve of 16 MB and some room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount the small file system that this test fills")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_delays_no_warning_and_is_shown(field, small_disk, wait_until) -> None:
    ballast = small_disk / "ballast"

    def fill() -> None:
        with ballast.open("wb", buffering=0) as file:
            for size in (65536, 512, 1):
                try:
                    while file.write(bytes(size)):
                        pass
                except OSError:
                    continue

    # The reserve makes room for alerts, so what goes out here is logged as well.
    field.state = small_disk / "state"
    station = field.start(drone=True)
    asyncio.run(_degraded_warning(field, station, wait_until, fill, ballast.unlink, unlogged=False))
    replay_is_equal(field.state)
