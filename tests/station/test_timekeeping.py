"""The station's own clock, by real answers of chrony 4.3 and gpsd 3.22, and by programs that misbehave."""

import asyncio
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.station import timekeeping
from vedette.station.timekeeping import (
    Fix,
    KernelClock,
    Tracking,
    ask_chrony,
    ask_gpsd,
    ask_kernel,
    clock_state,
    clock_state_beside,
    judge,
    read_gpsd,
    read_tracking,
)
from vedette.station.view import ClockView

NOTHING = (
    b"00000000,,0,0.000000000,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,1.000000000,1.000000000,"
    b"0.0,Not synchronised\n"
)
LOCAL = (
    b"7F7F0101,,10,1795353499.549208623,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,0.000000000,"
    b"0.000000000,0.0,Normal\n"
)
GPS = (
    b"47505300,GPS,1,1795353507.616582289,0.000022472,-0.000003144,0.000003144,-0.882,-0.000,34.775,"
    b"0.000000001,0.000147855,2.0,Normal\n"
)
SERVER = (
    b"CB00710F,203.0.113.15,3,1795353507.616582289,-0.000006523,-0.000006747,0.000035822,-3.225,-0.000,0.129,"
    b"0.013639022,0.001100737,64.2,Normal\n"
)
MEASURED = 1795353507.616582289

VERSION = b'{"class":"VERSION","release":"3.22","rev":"3.22","proto_major":3,"proto_minor":14}'
DEVICES = (
    b'{"class":"DEVICES","devices":[{"class":"DEVICE","path":"/dev/pts/0","driver":"NMEA0183","bps":38400}]}'
)
NO_DEVICES = b'{"class":"DEVICES","devices":[]}'
TPV_3D = (
    b'{"class":"TPV","device":"/dev/pts/0","mode":3,"time":"2026-11-22T13:18:38.000Z","ept":0.005,'
    b'"lat":47.200000000,"lon":8.500000000,"altHAE":497.0000,"speed":0.000,"eph":19.000}'
)
TPV_NONE = b'{"class":"TPV","device":"/dev/pts/0","mode":1}'
SKY_8 = b'{"class":"SKY","device":"/dev/pts/0","hdop":1.00,"nSat":8,"uSat":8,"satellites":[]}'
SKY_OLD = (
    b'{"class":"SKY","device":"/dev/pts/0","satellites":[{"PRN":1,"el":40.0,"used":true},'
    b'{"PRN":2,"el":17.0,"used":false},{"PRN":3,"el":7.0,"used":true}]}'
)


def chrony(answer: bytes, later_s: float = 1.0) -> Tracking:
    found = read_tracking(answer, MEASURED + later_s)
    assert found is not None
    return found


def state(
    tracking: Tracking | None = None, kernel: KernelClock | None = None, fix: Fix | None = None
) -> ClockView:
    return judge(kernel, tracking, fix)


def test_chrony_with_gps() -> None:
    view = state(chrony(GPS))
    assert (view.state, view.source) == ("synchronised", "GPS/PPS (chrony, GPS)")
    assert view.error_s == pytest.approx(0.000022472 + 0.000147855 + 0.0000000005)
    assert view.words == "synchronised by GPS/PPS (chrony, GPS), within 1 ms"


def test_chrony_with_a_server() -> None:
    view = state(chrony(SERVER))
    assert (view.state, view.source) == ("synchronised", "NTP server (chrony)")
    assert view.error_s == pytest.approx(0.000006523 + 0.001100737 + 0.013639022 / 2.0)
    assert "within 8 ms" in view.words


@pytest.mark.parametrize(
    ("name", "source"),
    [
        (b"PPS0", "GPS/PPS (chrony, PPS0)"),
        (b"NMEA", "GPS/PPS (chrony, NMEA)"),
        (b"SHM1", "GPS/PPS (chrony, SHM1)"),
        (b"PHC0", "hardware clock (chrony, PHC0)"),
        (b"DCF", "reference clock (chrony, DCF)"),
        (b"2001:db8::123", "NTP server (chrony)"),
    ],
)
def test_sources_by_their_names(name: bytes, source: str) -> None:
    assert state(chrony(GPS.replace(b",GPS,", b"," + name + b","))).source == source


def test_chrony_that_has_nothing() -> None:
    for answer, why in ((NOTHING, "has no source"), (LOCAL, "local mode")):
        view = state(chrony(answer), kernel=KernelClock(True, 0.001, 0.001))
        assert view.state == "unsynchronised", "the kernel's flag outlives chrony's sources"
        assert why in view.words
        assert view.source is None


def test_chrony_knows_better_than_the_kernel() -> None:
    """Without ``rtcsync`` chronyd leaves the kernel's flag alone."""
    assert state(chrony(GPS), kernel=KernelClock(False, 16.0, 16.0)).state == "synchronised"


def test_a_source_that_was_lost_long_ago() -> None:
    view = state(chrony(GPS, later_s=5 * 3600.0))
    assert view.state == "synchronised"
    assert "last heard 5 h ago" in view.words
    far = state(chrony(GPS.replace(b"0.000147855", b"0.900000000"), later_s=5 * 3600.0))
    assert (far.state, far.source) == ("unsynchronised", "GPS/PPS (chrony, GPS)")
    assert far.error_s == pytest.approx(0.9, abs=1e-3)


def test_the_kernel_alone() -> None:
    good = state(kernel=KernelClock(True, 0.012, 0.001))
    assert (good.state, good.source, good.error_s) == ("synchronised", "kernel", 0.012)
    assert state(kernel=KernelClock(False, 16.0, 16.0)).state == "unsynchronised"
    assert state(kernel=KernelClock(True, 3.0, 0.1)).state == "unsynchronised"


def test_nobody_to_ask_is_unknown() -> None:
    view = state()
    assert (view.state, view.source, view.error_s) == ("unknown", None, None)


def test_a_fix_sets_no_clock() -> None:
    fix = read_gpsd([VERSION, DEVICES, TPV_3D, SKY_8])
    assert fix == Fix(devices=1, mode=3, used=8)
    view = state(kernel=KernelClock(False, 16.0, 16.0), fix=fix)
    assert view.state == "unsynchronised"
    assert "3D fix by 8 satellites, and the clock is not set by it" in view.words
    assert state(fix=fix).state == "unknown"
    assert "not set by it" not in state(chrony(GPS), fix=fix).words


def test_receivers_without_fix_or_without_a_receiver() -> None:
    assert read_gpsd([VERSION, DEVICES, TPV_NONE, SKY_OLD]) == Fix(devices=1, mode=1, used=2)
    assert "does its aerial see the sky" in state(chrony(GPS), fix=Fix(1, 1, 0)).words
    none = read_gpsd([VERSION, NO_DEVICES])
    assert none == Fix(devices=0, mode=0, used=None)
    assert "without a receiver" in state(fix=none).words


def test_the_receivers_place_is_not_kept() -> None:
    assert "47.2" not in str(read_gpsd([VERSION, TPV_3D, SKY_8]))


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [b"220 this is a mail server"],
        [b"[]", b"3", b'"TPV"', b'{"class":7}', b"\xff\xfe"],
        [b'{"class":"POLL"}'],
    ],
)
def test_what_is_not_gpsd(lines: list[bytes]) -> None:
    assert read_gpsd(lines) is None


@pytest.mark.parametrize(
    "odd", [b'{"class":"TPV","mode":"3"}', b'{"class":"TPV","mode":true}', b'{"class":"TPV","mode":-3}']
)
def test_odd_modes_are_no_fix(odd: bytes) -> None:
    fix = read_gpsd([VERSION, DEVICES, odd, b'{"class":"SKY","uSat":1e9,"satellites":[7,null]}'])
    assert fix is not None
    assert (fix.mode, fix.used) == (0, 0)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"506 Cannot talk to daemon\n",
        GPS.replace(b",Normal", b""),
        GPS.replace(b"47505300", b"satellite"),
        GPS.replace(b"0.000147855", b"nan"),
        GPS.replace(b"0.000147855", b"inf"),
        GPS.replace(b"0.000147855", b"-7"),
    ],
)
def test_what_is_no_tracking(answer: bytes) -> None:
    assert read_tracking(answer, MEASURED) is None


@given(st.binary(max_size=300) | st.lists(st.sampled_from(GPS.split(b",")), max_size=16).map(b",".join))
def test_reading_never_fails(data: bytes) -> None:
    tracking = read_tracking(data, MEASURED)
    fix = read_gpsd(data.splitlines())
    assert judge(None, tracking, fix).state in ("synchronised", "unsynchronised", "unknown")
    assert fix is None or fix.mode >= 0


def program(folder: Path, text: str) -> Path:
    path = folder / "chronyc"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return folder


def test_the_program_chronyc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, f'[ "$*" = "-c -n tracking" ] && printf "%s" "{GPS.decode().strip()}"')
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    asked = ask_chrony()
    assert asked is not None
    assert asked.reference == "GPS"
    program(tmp_path, 'echo "506 Cannot talk to daemon"; exit 1')
    assert ask_chrony() is None
    program(tmp_path, "exec sleep 60")
    monkeypatch.setattr(timekeeping, "PATIENCE_S", 0.2)
    assert ask_chrony() is None


@contextmanager
def gpsd(*answers: bytes, closes: bool = False) -> Iterator[tuple[str, int]]:
    """A gpsd on loopback that gives these lines to one client who asks to watch."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        done = threading.Event()

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.sendall(VERSION + b"\n")
                command, _, rest = client.recv(1000).partition(b"=")
                assert command == b"?WATCH"
                assert json.loads(rest.strip().rstrip(b";")) == {"enable": True, "json": True}
                for answer in answers:
                    client.sendall(answer + b"\n")
                if not closes:
                    done.wait(60)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[:2]
        done.set()
        thread.join()


def test_gpsd_over_its_socket() -> None:
    with gpsd(DEVICES, TPV_3D, SKY_8) as address:
        assert ask_gpsd(address, 30.0) == Fix(1, 3, 8)
    with gpsd(DEVICES, closes=True) as address:
        assert ask_gpsd(address, 30.0) == Fix(1, 0, None)
    with gpsd(DEVICES) as address:
        assert ask_gpsd(address, 0.3) == Fix(1, 0, None), "what came before patience ended counts"
    assert ask_gpsd(address, 0.3) is None


def test_this_machine() -> None:
    kernel = ask_kernel()
    if kernel is not None:
        assert kernel.max_error_s >= 0.0
        assert kernel.error_s >= 0.0
    view = clock_state()
    assert view.words
    assert asyncio.run(clock_state_beside()).state == view.state


def test_asking_beside_does_not_hold_the_loop_or_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, let_go = threading.Event(), threading.Event()

    def slow() -> ClockView:
        asked.set()
        let_go.wait(60)
        return ClockView(state="unknown", words="late")

    monkeypatch.setattr(timekeeping, "clock_state", slow)

    async def impatient() -> int:
        asking = asyncio.create_task(clock_state_beside())
        turns = 0
        while not asked.is_set() or turns < 10:
            await asyncio.sleep(0.001)
            turns += 1
        asking.cancel()
        return turns

    assert asyncio.run(impatient()) >= 10
    assert not let_go.is_set(), "the loop ended before the answer"
    let_go.set()


def test_a_fault_while_asking_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> ClockView:
        raise MemoryError

    monkeypatch.setattr(timekeeping, "clock_state", broken)
    view = asyncio.run(clock_state_beside())
    assert (view.state, view.words) == ("unknown", "cannot be asked: MemoryError")
