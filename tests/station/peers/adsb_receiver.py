"""A real dump1090-mutability without a radio, and how to feed it real reception in its own time."""

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from vedette.wire.adsb import TICKS_PER_S, BeastBatcher, BeastFrame, SbsSplitter, encode_beast

SECONDS = 14.0
"""So much of the capture holds positions of all eleven aircraft. It is fed as fast as it was received: by
its own clock a receiver refuses what moves too fast."""


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


@contextlib.contextmanager
def dump1090(program: str, folder: Path) -> Iterator[tuple[int, int, int]]:
    """Ports of a receiver without a radio: Beast in, SBS out, Beast out. It writes aircraft.json to
    ``folder`` each second."""
    into, sbs, out = free_ports(3)
    command = [
        program, "--net-only", "--quiet", "--net-bind-address", "127.0.0.1", "--net-ri-port", "0",
        "--net-ro-port", "0", "--net-bo-port", str(out), "--net-bi-port", str(into),
        "--net-sbs-port", str(sbs), "--write-json", str(folder), "--write-json-every", "1",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield into, sbs, out
        finally:
            process.terminate()


async def feed(capture: bytes, port: int) -> None:
    """The first `SECONDS` of the capture into the receiver, as fast as they were received."""
    batch = BeastBatcher().feed(capture)
    due = (batch.ticks - batch.ticks[0]) / TICKS_PER_S
    loop = asyncio.get_running_loop()
    for _ in range(200):
        with contextlib.suppress(ConnectionRefusedError):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            break
        await asyncio.sleep(0.05)
    began = loop.time()
    rows = zip(
        due.tolist(), batch.ticks.tolist(), batch.signal.tolist(), batch.length.tolist(), batch.message,
        strict=True,
    )  # fmt: skip
    for at, ticks, signal, length, message in rows:
        if at > SECONDS:
            break
        if at > loop.time() - began:
            await asyncio.sleep(max(at - loop.time() + began, 0.01))
        writer.write(encode_beast(BeastFrame(ticks, signal, message[:length].tobytes())))
    await writer.drain()
    await asyncio.sleep(3.0)
    writer.transport.abort()


def golden_places(lines: bytes) -> dict[str, list[tuple[float, float]]]:
    """Where each aircraft was by the receiver's own golden SBS output."""
    places: dict[str, list[tuple[float, float]]] = {}
    for message in SbsSplitter().feed(lines):
        if message.lat_deg is not None and message.lon_deg is not None:
            places.setdefault(f"{message.address:06x}", []).append((message.lat_deg, message.lon_deg))
    return places
