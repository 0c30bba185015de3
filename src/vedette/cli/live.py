"""``vedette simulate SCENARIO --live``: what simulated sensors, drones and phones send, on real sockets.

Each thing is sent when it happens, as a radar's or a receiver's box would: ASTERIX and captured Remote ID
frames as UDP datagrams, SAPIENT nodes, a receiver of squitters and phones on TCP connections to a station
that listens. To this machine unless told otherwise, for nothing in the bytes says that they are made up.

A connection that cannot be had is tried again; what would have gone over it is counted as lost, as with a
real sensor. A node that connects again registers again.
"""

import asyncio
import contextlib
import signal
import socket
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice

from msgspec import Struct
from rich.progress import Progress

from vedette.cli import output
from vedette.express.sapient_node import put_time
from vedette.model import ConfigError
from vedette.simulate import Emission, Scenario, wire_emissions
from vedette.simulate.framing import link_type_of
from vedette.simulate.sensing.catalogue import AdsbReceiver, Radar, RemoteIdReceiver, model_of
from vedette.simulate.sensing.plan import Sensor
from vedette.simulate.sensing.receivers import receivers_of
from vedette.simulate.sensing.wire.sending import Radars
from vedette.wire.ieee80211 import LINK_RADIOTAP
from vedette.wire.sapient import FrameSplitter, SapientMessage, read_message, write_frame

RETRY_S = 1.0
LEAD_S = 2.0
"""The scenario starts so long after the command: connections are made before anything happens."""
AHEAD = 512
"""Emissions that are worked out ahead of their time."""
MOST_UNSENT = 1 << 20
"""Bytes that wait for a reader who is too slow; what comes then is lost."""

DEFAULTS: dict[str, str] = {
    "asterix": "127.0.0.1:8600",
    "sapient": "127.0.0.1:5020",
    "adsb": "127.0.0.1:30004",
    "cot": "127.0.0.1:8087",
    "remote-id-wifi": "127.0.0.1:4041",
    "remote-id-ble": "127.0.0.1:4042",
}
"""Where each line goes if the command says nothing."""
FEEDS: dict[str, str] = {
    "asterix": "asterix+udp://{}?doppler=receding",
    "sapient": "sapient+tcp-listen://{}",
    "adsb": "beast+tcp-listen://{}",
    "cot": "cot+tcp-listen://{}",
    "remote-id-wifi": "odid+udp://{}?link=127",
    "remote-id-ble": "odid+udp://{}?link=256",
}
"""The station's address for each line."""
DATAGRAMS = frozenset({"asterix", "remote-id-wifi", "remote-id-ble"})

Address = tuple[str, int]


class Sent(Struct, frozen=True, kw_only=True):
    """What went over one line: messages sent, and messages that nobody was there to take."""

    line: str
    to: str
    sent: int
    lost: int


def addresses(said: list[str]) -> dict[str, Address]:
    """``LINE=HOST:PORT`` ... over the defaults. Raises ConfigError."""
    found = {line: _address(line, text) for line, text in DEFAULTS.items()}
    for text in said:
        line, _, where = text.partition("=")
        if line not in DEFAULTS:
            raise ConfigError(f"--to {text}: LINE=HOST:PORT, with one of the lines {', '.join(DEFAULTS)}")
        found[line] = _address(line, where)
    return found


def _address(line: str, text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ConfigError(f"--to {line}={text}: HOST:PORT, such as {DEFAULTS[line]}")
    return host.strip("[]"), int(port)


def radars_of(text: str) -> Radars:
    """Raises ConfigError for a word that is neither format."""
    known: dict[str, Radars] = {"asterix": "asterix", "sapient": "sapient"}
    if text not in known:
        raise ConfigError(f"--radars {text}: {' or '.join(known)}")
    return known[text]


def play(scenario: Scenario, to: Mapping[str, Address], radars: Radars) -> int:
    """Play to the end, or until interrupted. Raises ConfigError for an address that cannot be."""
    lines = lines_of(scenario, radars)
    if not lines:
        raise ConfigError(
            f"scenario {scenario.head.name}: it has no sensor, receiver or phone that could send"
        )
    for line in lines:
        host, port = to[line]
        output.say(f'{line}: in the station, url = "{FEEDS[line].format(f"{host}:{port}")}"')
    for sent in asyncio.run(_Player(scenario, {line: to[line] for line in lines}, radars).run()):
        output.write(sent)
    return 0


def lines_of(scenario: Scenario, radars: Radars) -> list[str]:
    """The lines that a scenario can need, by what is in it: a station must know them beforehand."""
    needed = {line for sensor in scenario.sensors if (line := _line_of_sensor(sensor, radars)) is not None}
    if receivers_of(scenario):
        plans = [actor.remote_id for actor in scenario.actors if actor.remote_id is not None]
        needed |= {_line_of_link(link_type_of(plan.transport)) for plan in plans}
    if any(actor.cot is not None for actor in scenario.actors):
        needed.add("cot")
    return [line for line in DEFAULTS if line in needed]


def _line_of_sensor(sensor: Sensor, radars: Radars) -> str | None:
    """None for a receiver of Remote ID: its line depends on what it hears."""
    model = model_of(sensor.model, sensor.override)
    if isinstance(model, RemoteIdReceiver):
        return None
    if isinstance(model, AdsbReceiver):
        return "adsb"
    return radars if isinstance(model, Radar) else "sapient"


def _line_of_link(link_type: int) -> str:
    return "remote-id-wifi" if link_type == LINK_RADIOTAP else "remote-id-ble"


def line_of(emission: Emission) -> str:
    """The line that carries it."""
    return emission.channel if emission.link_type is None else _line_of_link(emission.link_type)


class _Datagrams:
    """A line of UDP datagrams."""

    def __init__(self, address: Address) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._address = address
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, data: bytes) -> bool:
        """True if the datagram left; whether somebody listens is not known."""
        try:
            self._socket.sendto(data, self._address)
        except OSError:
            return False
        return True

    async def close(self) -> None:
        """Done."""
        self._socket.close()


class _Connection:
    """One connection to a station that listens. ``registration``: the frame that a node says first, each
    time; None for what is no node, or has not said it yet."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._writer: asyncio.StreamWriter | None = None
        self.registration: bytes | None = None
        self._task = asyncio.create_task(self._hold())

    def send(self, data: bytes) -> bool:
        """True if there is somebody to take it."""
        if self._writer is None or self._writer.transport.get_write_buffer_size() > MOST_UNSENT:
            return False
        self._writer.write(data)
        return True

    async def close(self) -> None:
        """Send what waits, and hang up."""
        if self._writer is not None:
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(self._writer.drain(), 1.0)
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _hold(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                await self._talk(*await asyncio.open_connection(*self._address))
            await asyncio.sleep(RETRY_S)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until the other side hangs up; what it says is taken and not minded."""
        try:
            if self.registration is not None:
                writer.write(_stamped(self.registration))
            self._writer = writer
            while await reader.read(65_536):
                pass
        finally:
            self._writer = None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


class _Player:
    """One play of a scenario over its lines."""

    def __init__(self, scenario: Scenario, to: Mapping[str, Address], radars: Radars) -> None:
        self._scenario, self._to, self._radars = scenario, to, radars
        self._links: dict[tuple[str, str], _Datagrams | _Connection] = {}
        self._sent: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()

    async def run(self) -> list[Sent]:
        """Play; what went over each line."""
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        self._open()
        start = time.time() + LEAD_S
        try:
            with output.progress() as bar:
                await self._play(start, stop, bar)
        finally:
            for link in self._links.values():
                await link.close()
        if stop.is_set():
            output.say("interrupted")
        return [
            Sent(line=line, to=f"{host}:{port}", sent=self._sent[line], lost=self._lost[line])
            for line, (host, port) in self._to.items()
        ]

    async def _play(self, start: float, stop: asyncio.Event, bar: Progress) -> None:
        task = bar.add_task(self._scenario.head.name, total=self._scenario.head.duration_s)
        stream = wire_emissions(self._scenario, start, self._radars)
        batch = await asyncio.to_thread(_ahead, stream)
        while batch and not stop.is_set():
            following = asyncio.create_task(asyncio.to_thread(_ahead, stream))
            for emission in batch:
                await self._wait(emission.time, stop)
                if stop.is_set():
                    break
                self._send(emission)
                bar.update(task, completed=emission.time - start, description=self._words())
            batch = await following
        await self._wait(start + self._scenario.head.duration_s, stop)

    async def _wait(self, until: float, stop: asyncio.Event) -> None:
        left_s = until - time.time()
        if left_s > 0.0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), left_s)

    def _open(self) -> None:
        """Each node and each receiver of squitters has a connection of its own, as each is a box of its own;
        the others share a line."""
        for line, address in self._to.items():
            if line in DATAGRAMS:
                self._links[line, ""] = _Datagrams(address)
            elif line == "cot":
                self._links[line, ""] = _Connection(address)
        for sensor in self._scenario.sensors:
            own = _line_of_sensor(sensor, self._radars)
            if own is not None and own not in DATAGRAMS:
                self._links[own, sensor.id] = _Connection(self._to[own])

    def _send(self, emission: Emission) -> None:
        line = line_of(emission)
        link = self._links[line, "" if line in DATAGRAMS or line == "cot" else emission.source]
        if isinstance(link, _Connection) and _is_registration(emission):
            link.registration = emission.data
        if link.send(emission.data):
            self._sent[line] += 1
        else:
            self._lost[line] += 1

    def _words(self) -> str:
        lost = sum(self._lost.values())
        return f"{self._scenario.head.name}: {sum(self._sent.values())} sent" + (
            f", {lost} lost" if lost else ""
        )


def _is_registration(emission: Emission) -> bool:
    if emission.channel != "sapient":
        return False
    kind: str | None = _body(emission.data).WhichOneof("content")
    return kind == "registration"


def _body(frame: bytes) -> SapientMessage:
    (body,) = FrameSplitter().feed(frame)
    return read_message(body)


def _stamped(frame: bytes) -> bytes:
    """The same message, said now."""
    message = _body(frame)
    put_time(message.timestamp, time.time())
    return write_frame(message)


def _ahead(stream: Iterator[Emission]) -> list[Emission]:
    return list(islice(stream, AHEAD))
