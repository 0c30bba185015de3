"""The live picture: each client gets the newest view, at most 5 a second, and never a queue.

Whether a client may go on seeing it is asked again every second: an account that was disabled, or a session
that is over, sees nothing more.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect

from vedette.console.source import Source
from vedette.station.view import View

PERIOD_S = 0.2
"""Shortest time between two views to one client."""

HEARTBEAT_S = 1.0
"""Longest time between two views to one client that keeps up, changed or not."""


ASK_S = 1.0
"""So often a client is asked again whether it may see the picture."""
NO_LONGER = 4401
"""The WebSocket's close code where it may not."""

Socket = WebSocket[Any, Any, Any]
Still = Callable[["Picture"], bool]
"""Whether a client may still see a picture."""


class Picture:
    """The newest view, encoded once for all clients. ``clock`` is monotonic, in seconds; ``shown`` takes out
    of a view what its readers may not see."""

    def __init__(
        self,
        source: Source,
        clock: Callable[[], float] = time.monotonic,
        shown: Callable[[View], View] = lambda view: view,
    ) -> None:
        self._source, self._shown = source, shown
        self.units: tuple[str, ...] = ()
        self._clock = clock
        self._taken: float | None = None
        self._essence: View | None = None
        self._version = 0
        self._frame = ""

    def latest(self) -> tuple[int, str]:
        """(version, view as JSON), at most `PERIOD_S` old. The version changes with the content."""
        now = self._clock()
        if self._taken is None or now - self._taken >= PERIOD_S:
            self._take()
            self._taken = now
        return self._version, self._frame

    def _take(self) -> None:
        view = self._shown(self._source.view())
        self.units = people_in(view)
        core = essence(view)
        if core != self._essence:
            self._essence = core
            self._version += 1
        self._frame = msgspec.json.encode(view).decode()


def people_in(view: View) -> tuple[str, ...]:
    """The units whose places the view shows."""
    return tuple(unit.unit for unit in view.units if unit.lat_deg is not None)


def without_people(view: View) -> View:
    """The picture for those who run the station and have no business with where people are. An alert goes as
    a whole: its bearing and distance are from the person at risk."""
    return msgspec.structs.replace(view, units=(), alerts=(), silences=(), out_of_service=())


def essence(view: View) -> View:
    """The view without what changes by time alone: a quiet sky costs one message a second."""
    replace = msgspec.structs.replace
    tracks = tuple(replace(track, age_s=0.0) for track in view.tracks)
    units = tuple(replace(unit, age_s=None) for unit in view.units)
    return replace(view, at=0.0, tracks=tracks, units=units)


async def stream(socket: Socket, picture: Picture, still: Still) -> None:
    """Send views until the client leaves, or ``still`` says that it may see them no longer. What a client
    sends is read and means nothing."""
    await socket.accept()
    sender = asyncio.create_task(_send_views(socket, picture, still))
    reader = asyncio.create_task(_read_until_gone(socket))
    try:
        await asyncio.wait((sender, reader), return_when=asyncio.FIRST_COMPLETED)
    finally:
        reader.cancel()
        sender.cancel()
        results = await asyncio.gather(reader, sender, return_exceptions=True)
    _raise_failure(results)


async def _send_views(socket: Socket, picture: Picture, still: Still) -> None:
    """A view is taken only when the socket has room again, so a slow client skips the ones between."""
    sent_version, sent_at, asked_at = 0, 0.0, 0.0
    while True:
        version, frame = picture.latest()
        if time.monotonic() - asked_at >= ASK_S:
            asked_at = time.monotonic()
            if not still(picture):
                await socket.close(NO_LONGER, "sign in again")
                return
        if version != sent_version or time.monotonic() - sent_at >= HEARTBEAT_S:
            await socket.send_data(frame, mode="text")
            sent_version, sent_at = version, time.monotonic()
        await asyncio.sleep(PERIOD_S)


async def _read_until_gone(socket: Socket) -> None:
    while True:
        await socket.receive_data(mode="text")


def _raise_failure(results: Iterable[BaseException | None]) -> None:
    """A client that left is the normal end; anything else is ours and must be seen."""
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect | OSError):
            raise result
