"""One connection to an MQTT broker that is only published to.

Everything is bounded, for a broker may be broken or hostile: what it may send (`vedette.wire.mqtt.MOST_BYTES`
a packet, nothing but answers), how many messages wait for its answer, and how long.
"""

import asyncio
import contextlib
import ssl

from vedette.station.peers._tcp import keep_alive
from vedette.wire import mqtt
from vedette.wire.errors import WireError

MOST_WAITING = 32
READ_BYTES = 4096
SEND_S = 5.0
ANSWER_S = 10.0
"""A broker that leaves a message or a ping unanswered for so long is given up."""
KEEP_ALIVE_S = 10
"""The broker tells that we are gone after one and a half of it (3.1.2.10)."""


class MqttLink:
    """An open connection. `run` has to run for anything to be answered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._splitter = mqtt.Splitter()
        self._waiting: dict[int, tuple[asyncio.Future[int], float]] = {}
        self._most = MOST_WAITING
        self._room = asyncio.Semaphore(self._most)
        self._next_id = 0
        self._heard_at = asyncio.get_running_loop().time()
        self._asked_at: float | None = None
        self._maximum_packet = mqtt.LONGEST_PACKET
        self._ping_s = KEEP_ALIVE_S / 2
        writer.transport.set_write_buffer_limits(high=65_536, low=0)
        keep_alive(writer)

    async def greet(self, connect: bytes) -> None:
        """CONNECT and its answer. Raises ConnectionError, TimeoutError, WireError."""
        self._writer.write(connect)
        await self._writer.drain()
        packets: list[mqtt.Packet] = []
        while not packets:
            packets += self._splitter.feed(await self._read())
        answer = packets[0]
        if isinstance(answer, mqtt.Disconnect):
            raise ConnectionError(f"the broker said: {mqtt.reason_words(answer.reason)}")
        if not isinstance(answer, mqtt.Connack):
            raise ConnectionError("the broker's first word was no CONNACK")
        if answer.reason:
            raise ConnectionError(f"the broker said: {mqtt.reason_words(answer.reason)}")
        if answer.maximum_qos < 1 or not answer.retain_available:
            raise ConnectionError("the broker has no QoS 1 or keeps no messages: alerts need both")
        self._most = max(1, min(MOST_WAITING, answer.receive_maximum))
        self._room = asyncio.Semaphore(self._most)
        self._maximum_packet = answer.maximum_packet
        if answer.keep_alive_s:
            self._ping_s = min(self._ping_s, answer.keep_alive_s / 2)
        for packet in packets[1:]:
            self._take(packet)

    async def run(self) -> None:
        """Hear answers and keep the connection alive, until it fails. Raises OSError, WireError."""
        tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._ping())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.abort()

    async def publish(self, message: mqtt.Message) -> None:
        """Return when the broker has taken it. Raises ConnectionError: it has not, or nobody knows."""
        if self._writer.is_closing():
            raise ConnectionError("not connected")
        async with self._room:
            packet_id = self._free_id()
            try:
                packet = mqtt.publish(message, packet_id)
            except WireError as error:
                raise ConnectionError(str(error)) from None
            if len(packet) > self._maximum_packet:
                raise ConnectionError(f"the broker takes packets of {self._maximum_packet} bytes at most")
            now = asyncio.get_running_loop().time
            answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            self._waiting[packet_id] = (answer, now())
            self._writer.write(packet)
            try:
                async with asyncio.timeout(SEND_S):
                    await self._writer.drain()
                # Given up earlier by whoever waits, the id stays taken: the answer may still come.
                reason = await asyncio.shield(answer)
            except TimeoutError:
                self.abort()
                raise ConnectionError("the broker takes nothing") from None
        if reason >= mqtt.FAILED:
            raise ConnectionError(f"not taken: {mqtt.reason_words(reason)}")

    async def goodbye(self) -> None:
        """DISCONNECT, so that the will is not published."""
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(1.0):
                self._writer.write(mqtt.disconnect())
                await self._writer.drain()

    def abort(self) -> None:
        """Close at once; all that wait for an answer fail."""
        self._writer.transport.abort()
        for answer, _ in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the connection was lost"))
                answer.exception()
        self._waiting.clear()

    async def close(self) -> None:
        """Close, and wait until the socket is gone."""
        self.abort()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1.0):
                await self._writer.wait_closed()

    def _free_id(self) -> int:
        """An id that no unanswered message has; those that were given up count."""
        if len(self._waiting) >= self._most:
            raise ConnectionError("too much is unanswered by the broker")
        while True:
            self._next_id = self._next_id % 65_535 + 1
            if self._next_id not in self._waiting:
                return self._next_id

    async def _read(self) -> bytes:
        data = await self._reader.read(READ_BYTES)
        if not data:
            raise ConnectionError("the broker closed the connection")
        self._heard_at = asyncio.get_running_loop().time()
        return data

    async def _listen(self) -> None:
        while True:
            for packet in self._splitter.feed(await self._read()):
                self._take(packet)

    def _take(self, packet: mqtt.Packet) -> None:
        if isinstance(packet, mqtt.Puback):
            answer, _ = self._waiting.pop(packet.packet_id, (None, 0.0))
            if answer is not None and not answer.done():
                answer.set_result(packet.reason)
        elif isinstance(packet, mqtt.Pingresp):
            self._asked_at = None
        elif isinstance(packet, mqtt.Disconnect):
            raise ConnectionError(f"the broker said: {mqtt.reason_words(packet.reason)}")
        else:
            raise ConnectionError("a second CONNACK from the broker")

    async def _ping(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(min(1.0, self._ping_s))
            since = [sent for _, sent in self._waiting.values()]
            if self._asked_at is not None:
                since.append(self._asked_at)
            if since and now() - min(since) > ANSWER_S:
                raise ConnectionError(f"the broker has not answered for {ANSWER_S:g} s")
            if self._asked_at is None and now() - self._heard_at >= self._ping_s:
                self._asked_at = now()
                self._writer.write(mqtt.pingreq())
                async with asyncio.timeout(SEND_S):
                    await self._writer.drain()


async def open_link(
    host: str, port: int, tls: ssl.SSLContext | None, connect: bytes, timeout_s: float
) -> MqttLink:
    """Connect and be let in. Raises OSError, TimeoutError, WireError."""
    async with asyncio.timeout(timeout_s):
        reader, writer = await asyncio.open_connection(host, port, ssl=tls, limit=2 * READ_BYTES)
        link = MqttLink(reader, writer)
        try:
            await link.greet(connect)
        except (OSError, WireError, asyncio.CancelledError):
            await link.close()
            raise
        return link
