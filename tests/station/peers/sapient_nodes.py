"""The other ends of SAPIENT: simulated edge nodes, and a parent that checks every byte."""

import asyncio
import contextlib
import time

from sapient_msg.bsi_flex_335_v2_0.registration_pb2 import Registration
from station_feed_hub import until

from vedette.wire.sapient import (
    SUPPORTED_ICD_VERSIONS,
    SapientMessage,
    SapientSplitter,
    timestamp_s,
    validate,
    write_frame,
)

A, B, C = (f"{digit * 8}-aaaa-4aaa-8aaa-aaaaaaaaaaaa" for digit in "abc")
PARENT = "a8654cdf-4328-47de-81fa-c495589e30c8"
ULID = "01GGYFBAXGDG7AGAHRZ6XSNY12"
_SERIAL = iter(range(10**9))


def ulid():
    digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = next(_SERIAL)
    return ULID[:18] + "".join(digits[number >> shift & 31] for shift in range(35, -5, -5))


def blank(node, at=None):
    message = SapientMessage(node_id=node)
    message.timestamp.FromNanoseconds(int((time.time() if at is None else at) * 1e9))
    return message


def registration(node=A, types=("RADAR",), name="", interval_s=5.0, dependents=(), **changes):
    message = blank(node, changes.pop("at", None))
    body = message.registration
    body.icd_version = SUPPORTED_ICD_VERSIONS[0]
    body.name = name
    for kind in types:
        body.node_definition.add(node_type=f"NODE_TYPE_{kind}")
    body.capabilities.add(category="any", type="any")
    body.status_definition.status_interval.units = Registration.TIME_UNITS_SECONDS
    body.status_definition.status_interval.value = interval_s
    mode = body.mode_definition.add(mode_name="Default", mode_type="MODE_TYPE_PERMANENT")
    mode.settle_time.units, mode.settle_time.value = Registration.TIME_UNITS_SECONDS, 1.0
    mode.task.region_definition.region_type.append(Registration.REGION_TYPE_AREA_OF_INTEREST)
    mode.task.region_definition.region_area.add(
        location_units="LOCATION_COORDINATE_SYSTEM_LAT_LNG_DEG_M", location_datum="LOCATION_DATUM_WGS84_E"
    )
    if changes.pop("takes_requests", False):
        command = mode.task.command.add(type="COMMAND_TYPE_REQUEST", units="any")
        command.completion_time.units, command.completion_time.value = Registration.TIME_UNITS_SECONDS, 1.0
    body.dependent_nodes.extend(dependents)
    body.config_data.add(manufacturer="ACME", model="A")
    assert not changes
    return message


def status(node=A, place=(8.5, 47.2, 452.0), system="OK", at=None):
    message = blank(node, at)
    report = message.status_report
    report.report_id, report.mode = ulid(), "Default"
    report.system, report.info = f"SYSTEM_{system}", "INFO_NEW"
    if place is not None:
        where = report.node_location
        where.x, where.y, where.z = place
        where.coordinate_system, where.datum = 1, 1
    return message


def goodbye(node=A):
    return status(node, place=None, system="GOODBYE")


def plot(node=A, at=None, target=None, azimuth=45.0):
    message = blank(node, at)
    report = message.detection_report
    report.report_id, report.object_id = ulid(), target or ulid()
    where = report.range_bearing
    where.range, where.azimuth, where.elevation = 1500.0, azimuth, 4.0
    where.coordinate_system, where.datum = 1, 1
    return message


class Edge:
    """One edge node's connection. Everything that it is sent must conform."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.got = []
        self._splitter = SapientSplitter()
        self._task = asyncio.create_task(self._listen())

    @classmethod
    async def connect(cls, peer, **options):
        return cls(*await asyncio.open_connection("127.0.0.1", peer.port, **options))

    async def _listen(self):
        with contextlib.suppress(OSError):
            while data := await self.reader.read(65536):
                for message in self._splitter.feed(data):
                    assert validate(message) == []
                    self.got.append(message)

    def send(self, *messages):
        self.writer.write(b"".join(write_frame(message) for message in messages))

    def sent_back(self, kind):
        return [getattr(m, kind) for m in self.got if m.WhichOneof("content") == kind]

    @property
    def acks(self):
        return [ack.acceptance for ack in self.sent_back("registration_ack")]

    @property
    def errors(self):
        return [" ".join(error.error_message) for error in self.sent_back("error")]

    @property
    def ended(self):
        return self._task.done()

    async def register(self, *args, **options):
        before = len(self.acks)
        self.send(registration(*args, **options))
        await until(lambda: len(self.acks) > before, "an answer to the registration")
        return self.acks[-1]

    async def close(self):
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task


class Parent:
    """A parent node that validates strictly. ``accepts``: None = it does not answer a registration."""

    def __init__(self, accepts=True, reasons=("Accepted",)):
        self.accepts, self.reasons = accepts, reasons
        self.messages = []
        self.raw = bytearray()
        self.faults = []
        self.connections = 0
        self.writer = None
        self.broken = 0
        self.reads = True
        self.acked = False
        self._served = []

    async def start(self, tls=None):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self):
        self.server.close()
        for writer in self._served:
            writer.transport.abort()
        for writer in self._served:
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        await self.server.wait_closed()

    async def _serve(self, reader, writer):
        self.connections += 1
        self._served.append(writer)
        self.writer, self.acked = writer, False
        splitter, spoke = SapientSplitter(), {}
        if not self.reads:
            writer.transport.pause_reading()
        try:
            while data := await reader.read(65536):
                self.raw += data
                for item in splitter.feed(data):
                    self._check(item, spoke)
                    self._hear(item)
        except OSError:
            return
        finally:
            self.broken += splitter.pending_bytes > 0
            writer.close()

    def _check(self, message, spoke):
        if not isinstance(message, SapientMessage):
            self.faults.append(message)
            return
        content = message.WhichOneof("content")
        self.faults += validate(message)
        if abs(timestamp_s(message) - time.time()) > 60.0:
            self.faults.append(f"{content} with a time that cannot be")
        if content != "registration" and not self.acked:
            self.faults.append(f"{content} before we accepted")
        if content == "detection_report":
            thing = message.detection_report.object_id
            if timestamp_s(message) - spoke.get(thing, 0.0) < 0.08:
                self.faults.append(f"two reports of {thing} too close or not in order")
            spoke[thing] = timestamp_s(message)

    def _hear(self, message):
        self.messages.append(message)
        if not isinstance(message, SapientMessage):
            return
        if message.WhichOneof("content") == "registration" and self.accepts is not None:
            answer = self.message(to=message.node_id)
            answer.registration_ack.acceptance = self.accepts
            answer.registration_ack.ack_response_reason.extend(self.reasons)
            self.acked = self.accepts
            self.send(answer)

    def message(self, to=None):
        message = SapientMessage(node_id=PARENT)
        message.timestamp.FromNanoseconds(time.time_ns())
        if to is not None:
            message.destination_id = to
        return message

    def send(self, *messages):
        self.writer.write(b"".join(write_frame(message) for message in messages))

    def task(self, to=None, control=1, **command):
        message = self.message(to=to)
        message.task.task_id, message.task.control = ULID, control
        for name, value in command.items():
            if isinstance(value, str | int):
                setattr(message.task.command, name, value)
            else:
                getattr(message.task.command, name).CopyFrom(value)
        return message

    def of(self, content):
        return [getattr(m, content) for m in self.messages if m.WhichOneof("content") == content]

    def contents(self):
        return [message.WhichOneof("content") for message in self.messages]
