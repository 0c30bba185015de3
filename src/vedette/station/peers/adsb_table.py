"""``aircraft.json``: the table that dump1090 and readsb write each second, polled as a file or by HTTP.

A file is read when it was written anew, by its own time and its inode (receivers write another file and
rename it). A table whose ``now`` stands still is a receiver that hangs: that is told, and is no sign of
life. What blocks (the disk, the network) and what may be long (JSON) happens in a thread of its own.
"""

import asyncio
import contextlib
import os
import random
import stat
import threading
import time
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from vedette.sense.adsb import TOLERATED_S, TableAdapter
from vedette.station.peers._remote_id import Receiver
from vedette.station.peers.adsb_feed import Handover, place_of
from vedette.station.ports import Hub
from vedette.wire.adsb import AdsbError, AircraftTable, read_aircraft_json

MOST_BYTES = 8 << 20
STUCK_S = 10.0
"""A receiver writes its table each second or two."""
TORN_S = 0.05
"""Before a file that is no JSON is read again: its writer may be in the middle of it."""
NAME = "aircraft.json"


class Unreadable(Exception):
    """The source cannot be read; the text says why, for the desk."""


class Damaged(Exception):
    """What was read is no table: the reason and the bytes."""

    def __init__(self, reason: str, data: bytes) -> None:
        super().__init__(reason)
        self.reason, self.data = reason, data


class Source(Protocol):
    """Where tables come from. ``where`` names it for the desk."""

    where: str

    def read(self) -> AircraftTable | None:
        """The table; None if it is the same as before. Blocks. Raises Unreadable or Damaged."""
        ...


class FileSource:
    """A file, or the folder in which a receiver writes it."""

    def __init__(self, path: Path) -> None:
        self.where = str(path)
        self._path = path
        self._version: tuple[int, int, int] | None = None

    def read(self) -> AircraftTable | None:
        """The table, if the file was written anew."""
        data = self._changed()
        if data is None:
            return None
        try:
            return _table(data)
        except Damaged:
            time.sleep(TORN_S)
            self._version = None
            again = self._changed()
            return None if again is None else _table(again)

    def _changed(self) -> bytes | None:
        try:
            path = self._path / NAME if self._path.is_dir() else self._path
            if not stat.S_ISREG(path.stat().st_mode):
                raise Unreadable("is no file")
            with path.open("rb") as file:
                found = os.fstat(file.fileno())
                version = (found.st_mtime_ns, found.st_ino, found.st_size)
                if version == self._version:
                    return None
                data = file.read(MOST_BYTES + 1)
        except OSError as error:
            raise Unreadable(f"{error.strerror}; does the receiver write it (--write-json)?") from None
        self._version = version
        return data


class HttpSource:
    """A web server. Redirects are followed on the same host only, and no proxy is asked."""

    def __init__(self, url: str, timeout_s: float = 5.0) -> None:
        self.where = url
        self._timeout_s = timeout_s
        self._opener = build_opener(ProxyHandler({}), _SameHost())

    def read(self) -> AircraftTable | None:
        """The table as the server gives it now."""
        request = Request(self.where, headers={"Accept": "application/json", "User-Agent": "vedette"})
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                return _table(_all(answer, time.monotonic() + self._timeout_s))
        except HTTPError as error:
            error.close()
            raise Unreadable(f"the server answers {error.code}") from None
        except TimeoutError:
            raise Unreadable(f"no answer in {self._timeout_s:g} s") from None
        except URLError as error:
            raise Unreadable(_words(error.reason)) from None
        except (OSError, HTTPException) as error:
            raise Unreadable(_words(error)) from None


class _SameHost(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """A receiver that sends us elsewhere must not make us ask other machines in its place."""
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            fp.close()
            raise URLError("the server redirects to another host")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class TablePeer(Receiver):
    """Polls one source each ``period_s``. After a failure the next attempt is after ``again_s[0]``, then
    twice as long each time up to ``again_s[1]``, varied by 20 %. ``stuck_s``: how long a table may stand
    still; ``most_s``: how long an answer may take in all."""

    kinds = ("adsb",)

    def __init__(
        self,
        name: str,
        source: Source,
        every_s: float = 1.0,
        *,
        period_s: float = 1.0,
        again_s: tuple[float, float] = (5.0, 120.0),
        stuck_s: float = STUCK_S,
        most_s: float = 15.0,
    ) -> None:
        super().__init__(name)
        self._source, self._every_s, self._period_s = source, every_s, period_s
        self._again_s, self._stuck_s, self._most_s = again_s, stuck_s, most_s

    async def run(self, hub: Hub) -> None:
        """Poll until cancelled."""
        hub.feed(self.name, "connecting", f"{self._source.where}: asking for the first table")
        tables = _Tables(hub, self.name, self._every_s, max(self._stuck_s, 3.0 * self._period_s))
        reader = _Reader(self._source, self._most_s)
        pause_s, watching = self._again_s[0], False
        while True:
            wait_s = self._period_s
            try:
                took = tables.take(await reader.read())
            except Unreadable as error:
                wait_s = pause_s * random.uniform(0.8, 1.2)
                pause_s, watching = min(2.0 * pause_s, self._again_s[1]), False
                told = f"{self._source.where}: {error}; next attempt in {wait_s:.0f} s"
                hub.feed(self.name, "down", told)
            except Damaged as error:
                tables.damaged(error)
            else:
                pause_s = self._again_s[0]
                if took and not watching:
                    watching = True
                    hub.feed(self.name, "watching", f"reading {self._source.where}")
            await asyncio.sleep(wait_s)


class _Reader:
    """Reads a source in a thread that nobody waits for at the end. One thread at a time: a server that
    keeps us waiting is asked nothing more until it has let go."""

    def __init__(self, source: Source, most_s: float) -> None:
        self._source, self._most_s = source, most_s
        self._busy = False

    async def read(self) -> AircraftTable | None:
        """As `Source.read`; Unreadable as well if it takes longer than ``most_s``."""
        if self._busy:
            raise Unreadable("it still owes the last answer")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[AircraftTable | None] = loop.create_future()
        self._busy = True
        threading.Thread(target=self._work, args=(loop, done), name=f"read {NAME}", daemon=True).start()
        try:
            async with asyncio.timeout(self._most_s):
                return await done
        except TimeoutError:
            raise Unreadable(f"no answer in {self._most_s:g} s") from None

    def _work(self, loop: asyncio.AbstractEventLoop, done: "asyncio.Future[AircraftTable | None]") -> None:
        table: AircraftTable | None = None
        failed: Exception | None = None
        try:
            table = self._source.read()
        except Exception as error:
            failed = error
        with contextlib.suppress(RuntimeError):  # the loop has closed: the station stopped meanwhile
            loop.call_soon_threadsafe(self._finish, done, table, failed)

    def _finish(
        self,
        done: "asyncio.Future[AircraftTable | None]",
        table: AircraftTable | None,
        failed: Exception | None,
    ) -> None:
        self._busy = False
        if done.done():
            return
        if failed is None:
            done.set_result(table)
        else:
            done.set_exception(failed)


class _Tables(Handover):
    """Tables of one receiver on their way to the hub, and whether they still move."""

    def __init__(self, hub: Hub, feed: str, every_s: float, stuck_s: float) -> None:
        self._table = TableAdapter(feed, place_of(hub), period_s=every_s)
        super().__init__(hub, feed, self._table)
        self._stuck_s = stuck_s
        self._now: float | None = None
        self._messages: int | None = None
        self._moved_at = self._loop.time()
        self._told_at = 0.0

    def take(self, table: AircraftTable | None) -> bool:
        """What was read; True if it is a newer table, of a time that can be."""
        if table is None or table.now == self._now:
            self._nothing_new()
            return False
        clock = self.hub.clock
        sent, received = clock.from_wall(table.now), clock.now()
        first, self._now = self._now is None, table.now
        if first and not TOLERATED_S[0] <= received - sent <= TOLERATED_S[1]:
            # Old, or of a clock that is off: which of the two only the next one shows.
            return False
        found = self._table.take(table, sent, received, speed=clock.speed)
        self._trouble("clock", found is None, "the receiver's clock is more than a day off: set it")
        if found is None:
            self.hub.counted(self.name, "time-absurd", 1)
            return False
        self._moved()
        self.hub.heard(self.name, sent)
        self.saw(table.messages is None or table.messages != self._messages)
        self._messages = table.messages
        self.hand_over(found)
        return True

    def damaged(self, error: Damaged) -> None:
        """What was read is no table."""
        self.hub.quarantine(self.name, error.reason, error.data)
        self._trouble("damaged", True, f"what comes is no {NAME} ({error.reason})")

    def _moved(self) -> None:
        self._moved_at = self._loop.time()
        self._trouble("damaged", False)
        self._trouble("stuck", False)
        self._told_at = 0.0

    def _nothing_new(self) -> None:
        """Told when it has lasted too long, and again each time that it has doubled."""
        still_s = self._loop.time() - self._moved_at
        if still_s >= max(self._stuck_s, 2.0 * self._told_at):
            self._told_at = still_s
            words = f"{NAME} has not been rewritten for {still_s:.0f} s: does the receiver run?"
            self._troubled.discard("stuck")
            self._trouble("stuck", True, words)


def _table(data: bytes) -> AircraftTable:
    if len(data) > MOST_BYTES:
        raise Damaged("too-large", data[:1024])
    try:
        return read_aircraft_json(data)
    except AdsbError as error:
        raise Damaged(f"malformed: {error.reason}", data) from None


def _all(answer: Any, deadline: float) -> bytes:
    """The body, at most one byte more than is allowed. Raises TimeoutError: a server that gives a byte
    now and then must not hold us."""
    body = bytearray()
    while len(body) <= MOST_BYTES and (part := answer.read1(64 * 1024)):
        body += part
        if time.monotonic() > deadline:
            raise TimeoutError
    return bytes(body[: MOST_BYTES + 1])


def _words(error: object) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, HTTPException) and not isinstance(error, OSError):
        return "what it answers is no HTTP"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return error if isinstance(error, str) else type(error).__name__
