"""The worker processes: started, watched, and started again; whoever is lost with one is told of at once."""

import asyncio
import contextlib
import socket
import sys
from array import array
from collections.abc import Callable, Iterable

from vedette.station.gateway.pipe import (
    Admit,
    Beat,
    Facts,
    FromWorker,
    Gone,
    Pipe,
    Refuse,
    Send,
    Sent,
    Start,
    Stranger,
    ToWorker,
    unpack,
)

WORKER = "vedette.station.gateway.worker"
SILENT_S = 6.0
"""A worker that does not beat for so long hangs, and is ended."""
AGAIN_S = (0.1, 5.0)
STABLE_S = 30.0
STOP_S = 2.0
BACKLOG = 4096

Heard = Callable[[int, Stranger | Facts | Gone | Beat], None]


def listeners(host: str, port: int, count: int) -> list[socket.socket]:
    """One listening socket for each worker, on one port. Raises OSError: the port is not free.

    Sockets that share a port would be shared with any other program of this user that does the same: a
    plain one is opened first to see that nobody is there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        probe.listen(1)
        port = probe.getsockname()[1]
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            one = socket.socket(family, socket.SOCK_STREAM)
            opened.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind((host, port))
            one.listen(BACKLOG)
    except OSError:
        for one in opened:
            one.close()
        raise
    return opened


class Member:
    """One worker: its process, its pipe, and the answers that are awaited from it."""

    def __init__(self, number: int, heard: Heard) -> None:
        self.number = number
        self.process: asyncio.subprocess.Process | None = None
        self.open = 0
        self.beat = 0.0
        self.lost = asyncio.Event()
        self.pipe: Pipe[FromWorker] = Pipe(FromWorker, self._heard, self.lost.set)
        self._handle = heard
        self._answers: dict[int, asyncio.Future[frozenset[int]]] = {}
        self._next = 1

    def send(self, frame: bytes, conns: Iterable[int]) -> asyncio.Future[frozenset[int]]:
        """Send to many; the result is those who are not there any more. Raises ConnectionError."""
        number, self._next = self._next, self._next + 1
        self.pipe.send(Send(number, frame, array("I", conns).tobytes()))
        answer: asyncio.Future[frozenset[int]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        answer.add_done_callback(lambda _: self._answers.pop(number, None))
        return answer

    def tell(self, message: ToWorker) -> None:
        """Send what needs no answer; a worker that is gone needs none."""
        with contextlib.suppress(ConnectionError):
            self.pipe.send(message)

    def abandon(self) -> None:
        """Nobody answers any more."""
        for answer in list(self._answers.values()):
            if not answer.done():
                answer.set_exception(ConnectionError("a worker of the gateway has ended"))

    def _heard(self, message: FromWorker) -> None:
        if isinstance(message, Sent):
            answer = self._answers.get(message.number)
            if answer is not None and not answer.done():
                answer.set_result(frozenset(unpack(message.missing)))
            return
        if isinstance(message, Beat):
            self.beat, self.open = asyncio.get_running_loop().time(), message.open
        self._handle(self.number, message)


class Crew:
    """``count`` workers. ``heard`` takes what they say, ``gone`` that one has ended with all its
    connections."""

    def __init__(self, count: int, heard: Heard, gone: Callable[[int], None]) -> None:
        self.count = count
        self.members: dict[int, Member] = {}
        self._heard, self._gone = heard, gone

    async def run(self, sockets: list[socket.socket], start: Start) -> None:
        """Keep the workers running until cancelled."""
        async with asyncio.TaskGroup() as group:
            for number, listener in enumerate(sockets):
                group.create_task(self._keep(number, listener, start))

    def tell(self, number: int, message: Admit | Refuse | Send) -> None:
        """To one worker, if it is there."""
        member = self.members.get(number)
        if member is not None:
            member.tell(message)

    def send(self, number: int, frame: bytes, conns: Iterable[int]) -> asyncio.Future[frozenset[int]]:
        """To many of one worker. Raises ConnectionError."""
        member = self.members.get(number)
        if member is None:
            raise ConnectionError("that worker of the gateway has ended")
        return member.send(frame, conns)

    async def _keep(self, number: int, listener: socket.socket, start: Start) -> None:
        pause_s = AGAIN_S[0]
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            member = Member(number, self._heard)
            try:
                with contextlib.suppress(OSError):
                    await self._begin(member, listener, start)
                    self.members[number] = member
                    await self._watch(member)
            finally:
                self.members.pop(number, None)
                member.abandon()
                self._gone(number)
                await _end(member)
            pause_s = AGAIN_S[0] if loop.time() - began > STABLE_S else min(2.0 * pause_s, AGAIN_S[1])
            await asyncio.sleep(pause_s)

    async def _begin(self, member: Member, listener: socket.socket, start: Start) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            member.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                WORKER,
                str(theirs.fileno()),
                str(listener.fileno()),
                pass_fds=(theirs.fileno(), listener.fileno()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: member.pipe, sock=ours)
        member.beat = loop.time()
        member.tell(start)

    async def _watch(self, member: Member) -> None:
        """Return when the worker has ended, or hangs."""
        loop = asyncio.get_running_loop()
        while not member.lost.is_set() and loop.time() - member.beat < SILENT_S:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await member.lost.wait()


async def _end(member: Member) -> None:
    """End one worker by its id: by hanging up, and if that does not do, at once."""
    member.pipe.close()
    process = member.process
    if process is None:
        return
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_S):
            await process.wait()
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
