"""The station's own clock: what disciplines it, and how far off it may be.

Three are asked, and each only looked at: the kernel (adjtimex(2)), chrony (``chronyc -c -n tracking``) and
gpsd (JSON on 127.0.0.1:2947). chrony knows best, since it knows its own error; the kernel's flag is next;
gpsd says only whether a receiver has a fix, which sets no clock. What cannot be asked is unknown, never
good.

Sources: adjtimex(2) of the Linux man-pages; chronyc(1), "tracking", and its ``-c`` option; gpsd_json(5),
TPV and SKY.
"""

import asyncio
import ctypes
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any, NamedTuple

import msgspec

from vedette.station.view import ClockView

PATIENCE_S = 2.0
"""For chronyc, and for gpsd: neither holds up a doctor, and the thread of a station is back soon."""
MOST_ERROR_S = 0.5
"""A clock that may be further off is not called synchronised: in that time an attack drone at 56 m/s
flies 28 m, and warnings and receipts no longer fall into their order."""
OLD_S = 600.0
"""A reference that was heard of longer ago than this is named with its age."""
GPSD = ("127.0.0.1", 2947)
MAX_ANSWER_BYTES = 1 << 20

STA_UNSYNC = 0x0040
TIME_ERROR = 5
SATELLITE = ("GPS", "PPS", "SHM", "SOC", "NMEA", "GNSS", "GLO", "GAL", "BDS", "BEI")
"""Beginnings of the reference ids that people give to receivers; SHM and SOC(K) are how gpsd hands over."""
HARDWARE = ("PHC", "PTP")
LOCAL = ("7F7F0101", "7F7F0100")
"""chrony's ids for "my own clock, as nothing better is there"."""


class KernelClock(NamedTuple):
    """What the kernel says: ``max_error_s`` is the bound that it keeps, ``error_s`` its estimate."""

    synchronised: bool
    max_error_s: float
    error_s: float


class Tracking(NamedTuple):
    """One answer of ``chronyc -c tracking``. ``reference`` names the source as chrony does; ``age_s`` is
    since its last measurement, None if there was none."""

    reference_id: str
    reference: str
    stratum: int
    age_s: float | None
    error_s: float
    leap: str


class Fix(NamedTuple):
    """What gpsd says of its receivers. ``mode``: 0 not told, 1 no fix, 2 in the plane, 3 in space."""

    devices: int
    mode: int
    used: int | None


class _Timeval(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("fraction", ctypes.c_long))


class _Timex(ctypes.Structure):
    """struct timex of adjtimex(2); ``modes`` 0 changes nothing."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("frequency", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time", _Timeval),
        ("rest", ctypes.c_byte * 256),
    )


def clock_state() -> ClockView:
    """Ask all three and judge; up to 4 s, so not on an event loop."""
    return judge(ask_kernel(), ask_chrony(), ask_gpsd())


async def clock_state_beside() -> ClockView:
    """`clock_state` in a thread of its own, which does not hold up the end of the program."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[ClockView] = loop.create_future()

    def settle(view: ClockView) -> None:
        if not answer.done():
            answer.set_result(view)

    def ask() -> None:
        try:
            view = clock_state()
        except Exception as error:
            view = ClockView(state="unknown", words=f"cannot be asked: {type(error).__name__}")
        try:
            loop.call_soon_threadsafe(settle, view)
        except RuntimeError:
            return  # the loop has closed meanwhile: nobody asks any more

    threading.Thread(target=ask, name="clock", daemon=True).start()
    return await answer


def judge(kernel: KernelClock | None, tracking: Tracking | None, fix: Fix | None) -> ClockView:
    """The state of the clock from what could be asked; None = could not be asked."""
    if tracking is not None:
        view = _by_chrony(tracking)
    elif kernel is not None:
        view = _by_kernel(kernel)
    else:
        view = ClockView(state="unknown", words="this system cannot be asked for its clock's state")
    if fix is None:
        return view
    return msgspec.structs.replace(view, words=f"{view.words}; {_fix_words(fix, view)}")


def _by_chrony(tracking: Tracking) -> ClockView:
    source = _source(tracking)
    if tracking.leap == "Not synchronised" or tracking.stratum == 0 or source is None:
        why = "only by itself (local mode)" if tracking.reference_id in LOCAL else "has no source"
        return ClockView(state="unsynchronised", words=f"not synchronised: chrony runs and {why}")
    age = tracking.age_s
    old = f", last heard {_duration(age)} ago" if age is not None and age > OLD_S else ""
    within = f"within {_milliseconds(tracking.error_s)}"
    if tracking.error_s > MOST_ERROR_S:
        words = f"not synchronised: {source} holds it only {within}{old}"
        return ClockView(state="unsynchronised", words=words, source=source, error_s=tracking.error_s)
    words = f"synchronised by {source}, {within}{old}"
    return ClockView(state="synchronised", words=words, source=source, error_s=tracking.error_s)


def _by_kernel(kernel: KernelClock) -> ClockView:
    if not kernel.synchronised:
        return ClockView(state="unsynchronised", words="not synchronised: nothing sets it, says the kernel")
    within = f"within {_milliseconds(kernel.max_error_s)}"
    if kernel.max_error_s > MOST_ERROR_S:
        words = f"not synchronised: the kernel holds it only {within}"
        return ClockView(state="unsynchronised", words=words, source="kernel", error_s=kernel.max_error_s)
    return ClockView(
        state="synchronised",
        words=f"synchronised by the kernel's word, {within}",
        source="kernel",
        error_s=kernel.max_error_s,
    )


def _source(tracking: Tracking) -> str | None:
    """What disciplines chrony, in words; None if nothing does."""
    if tracking.reference_id in LOCAL or int(tracking.reference_id, 16) == 0:
        return None
    name = tracking.reference.upper()
    if _is_address(name):
        return "NTP server (chrony)"
    if name.startswith(SATELLITE):
        return f"GPS/PPS (chrony, {tracking.reference})"
    kind = "hardware clock" if name.startswith(HARDWARE) else "reference clock"
    return f"{kind} (chrony, {tracking.reference})"


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _fix_words(fix: Fix, view: ClockView) -> str:
    if fix.devices == 0:
        return "gpsd runs without a receiver"
    if fix.mode < 2:
        return "gpsd has a receiver and no fix: does its aerial see the sky?"
    used = "" if fix.used is None else f" by {fix.used} satellites"
    told = f"gpsd has a {'3D' if fix.mode == 3 else '2D'} fix{used}"
    if view.source is not None and view.source.startswith("GPS"):
        return told
    return f"{told}, and the clock is not set by it (chrony: refclock SHM 0)"


def ask_kernel() -> KernelClock | None:
    """The kernel's own word; None where there is no adjtimex."""
    timex = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex))
    except (OSError, AttributeError):
        return None
    if state < 0:
        return None
    synchronised = state != TIME_ERROR and not timex.status & STA_UNSYNC
    return KernelClock(synchronised, timex.maxerror / 1e6, timex.esterror / 1e6)


def ask_chrony() -> Tracking | None:
    """The answer of chrony; None if it is not installed, does not run or does not answer."""
    program = shutil.which("chronyc", path=os.environ.get("PATH", "") + ":/usr/bin:/usr/sbin")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "-c", "-n", "tracking"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return read_tracking(done.stdout, time.time()) if done.returncode == 0 else None


def read_tracking(answer: bytes, now: float) -> Tracking | None:
    """``chronyc -c tracking`` -> Tracking; None if it is not such an answer.

    One line of 14 fields: reference id (hexadecimal), name or address, stratum, time of the last
    measurement, offset of the system clock, last offset, RMS offset, frequency, residual frequency, skew,
    root delay, root dispersion, update interval, leap status. The error is bounded by |offset| + root
    dispersion + root delay / 2 (chronyc(1)).
    """
    fields = answer[:4096].decode("ascii", "replace").strip().split(",")
    if len(fields) != 14:
        return None
    try:
        int(fields[0], 16)
        measured, offset, delay, dispersion = (float(fields[index]) for index in (3, 4, 10, 11))
        stratum = int(fields[2])
    except ValueError:
        return None
    error_s = abs(offset) + dispersion + delay / 2.0
    if not 0.0 <= error_s < 1e12:
        return None
    age_s = max(now - measured, 0.0) if measured > 0.0 else None
    return Tracking(fields[0].upper(), fields[1][:40], stratum, age_s, error_s, fields[13])


def ask_gpsd(address: tuple[str, int] = GPSD, patience_s: float = PATIENCE_S) -> Fix | None:
    """What gpsd says of its receivers; None if nothing listens or what does is not gpsd."""
    until = time.monotonic() + patience_s
    answer = bytearray()
    try:
        with socket.create_connection(address, timeout=patience_s / 2.0) as connection:
            connection.sendall(b'?WATCH={"enable":true,"json":true};\n')
            while len(answer) < MAX_ANSWER_BYTES and (left := until - time.monotonic()) > 0.0:
                connection.settimeout(left)
                data = connection.recv(65536)
                answer += data
                if not data or _complete(answer):
                    break
    except TimeoutError:
        pass  # what came until now is the answer: a receiver without sky says little
    except OSError:
        return None
    return read_gpsd(answer.splitlines())


def _complete(answer: bytearray) -> bool:
    return b'"class":"TPV"' in answer and b'"class":"SKY"' in answer and answer.endswith(b"\n")


def read_gpsd(lines: Iterable[bytes | bytearray]) -> Fix | None:
    """gpsd's reports, one JSON object a line -> Fix; None if no line is gpsd's. Its place is not kept."""
    reports = [report for report in map(_report, lines) if report is not None]
    kinds = {report.get("class") for report in reports}
    if not kinds & {"VERSION", "DEVICES", "TPV", "SKY", "WATCH"}:
        return None
    modes = [_whole(report.get("mode")) or 0 for report in reports if report.get("class") == "TPV"]
    used = [_used(report) for report in reports if report.get("class") == "SKY"]
    listed = [report.get("devices") for report in reports if report.get("class") == "DEVICES"]
    devices = max((len(found) for found in listed if isinstance(found, list)), default=0)
    known = [count for count in used if count is not None]
    return Fix(max(devices, 1 if modes or used else 0), max(modes, default=0), max(known, default=None))


def _report(line: bytes | bytearray) -> Mapping[str, Any] | None:
    try:
        report = msgspec.json.decode(bytes(line))
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        return None
    return report if isinstance(report, dict) else None


def _used(sky: Mapping[str, Any]) -> int | None:
    """Satellites in use: ``uSat`` since gpsd 3.22, before it the flags of the list."""
    said = _whole(sky.get("uSat"))
    if said is not None:
        return said
    satellites = sky.get("satellites")
    if not isinstance(satellites, list):
        return None
    return sum(1 for one in satellites if isinstance(one, dict) and one.get("used") is True)


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1000 else None


def _milliseconds(seconds: float) -> str:
    if seconds < 1e-3:
        return "1 ms"
    return f"{seconds * 1e3:.0f} ms" if seconds < 1.0 else f"{seconds:.1f} s"


def _duration(seconds: float) -> str:
    return f"{seconds / 60.0:.0f} min" if seconds < 7200.0 else f"{seconds / 3600.0:.0f} h"
