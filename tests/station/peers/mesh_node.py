"""A Meshtastic node with its mesh, as far as its client API goes, and a team's gateway on it."""

import asyncio
import os
import pty
import time
import tty
from pathlib import Path

from vedette.model import Alert
from vedette.model.event import Clear, Deliver
from vedette.station.peers._lora_team import Member, Team, TeamKey
from vedette.wire.lora import (
    Header,
    Purpose,
    RadioFact,
    RadioFactReport,
    RadioMessage,
    Sealer,
    alert_key,
    decode_message,
    encode_message,
    gateway_key,
    read_header,
)
from vedette.wire.meshtastic import (
    PRIVATE_APP,
    Channel,
    ConfigComplete,
    FrameSplitter,
    FromRadio,
    LoraConfig,
    MyInfo,
    Packet,
    QueueStatus,
    Routing,
    heartbeat,
    read_to_radio,
    write_frame,
    write_from_radio,
)

SECRET = bytes(range(7, 39))
KEY = TeamKey(id=3, secret=SECRET.hex())
TEAM = Team(
    team="alpha",
    member=(
        Member(number=1, unit="LEAD", gateway=True),
        Member(number=2, unit="UNIT-A"),
        Member(number=3, unit="UNIT-B"),
    ),
    key=(KEY,),
    duty=1.0,
)
SHORT_FAST = LoraConfig(use_preset=True, preset=6, region=3, hop_limit=3, tx_enabled=True)
PRIVATE = Channel(index=1, role=2, name="alpha", key_bytes=32)
NODE = 0x11223344


def alert(**changes: object) -> Alert:
    """An IMMINENT alert about UNIT-A."""
    now = time.time()
    fields: dict[str, object] = {
        "time": now, "alert": "AABCDEFGHIJ", "revision": 1, "level": "imminent", "state": "active-unacked",
        "units": ("UNIT-A",), "track": "T1", "behaviour": "direct-run", "expires": now + 60.0,
        "text": {"en": "DRONE ATTACK LIKELY. From NE, 450 m, 9-15 s. TAKE HARD COVER NOW."},
        "bearing_deg": 40.0, "range_m": 460.0, "time_to_impact_s": (9.7, 14.0),
    }  # fmt: skip
    return Alert(**{**fields, **changes})  # type: ignore[arg-type]


def deliver(of: Alert, *recipients: str) -> Deliver:
    """The intent to tell them."""
    return Deliver(
        alert=of, recipients=recipients or of.units, rule="unit-at-risk", roster_version=1, sound=True
    )


def clear(of: Alert, *recipients: str) -> Clear:
    """The intent to tell them that it is over."""
    return Clear(alert=of, recipients=recipients or of.units)


class Gateway:
    """The team's gateway device: opens what the station says, and says what became of it."""

    def __init__(self, member: int = 1, secret: bytes = SECRET, key_id: int = KEY.id) -> None:
        self.member, self.key_id, self.counter = member, key_id, 100
        self.alerts, self.facts = Sealer(alert_key(secret)), Sealer(gateway_key(secret, member))

    def hear(self, frame: bytes) -> tuple[Header, RadioMessage]:
        header = read_header(frame)
        return header, decode_message(self.alerts.open(header, frame))

    def say(
        self,
        about: RadioMessage,
        *,
        fact: RadioFact = "acknowledged",
        member: int = 2,
        by: int = 1,
        purpose: Purpose = "live",
        counter: int | None = None,
    ) -> bytes:
        if counter is None:
            self.counter += 1
            counter = self.counter
        report = RadioFactReport(
            alert=about.alert, revision=about.revision, time=int(time.time()), fact=fact, member=member, by=by
        )
        header = Header(purpose=purpose, key_id=self.key_id, sender=self.member, counter=counter)
        return self.facts.seal(header, encode_message(report))


class MeshNode:
    """Listens on a port of 127.0.0.1, or on a pseudo-terminal. ``heard``: packets it was given.

    ``result``: what it answers about its queue (None: nothing). ``answers``: whether it does so to
    heartbeats, as newer firmware. ``tell``: what it says to its client.
    """

    def __init__(self, *config: FromRadio | bytes) -> None:
        self.config: tuple[FromRadio | bytes, ...] = config or (
            MyInfo(NODE),
            SHORT_FAST,
            Channel(index=0, role=1, key_bytes=1),
            PRIVATE,
        )
        self.result: int | None = 0
        self.answers = False
        self.heard: list[Packet] = []
        self.asked: list[int] = []
        self.raw = bytearray()
        self.port = 0
        self.connections = 0
        self._clients: list[asyncio.StreamWriter] = []
        self._splitter = FrameSplitter()
        self._server: asyncio.Server | None = None
        self._master = -1

    @property
    def frames(self) -> list[bytes]:
        """What went on the air for us."""
        return [packet.payload for packet in self.heard if packet.port == PRIVATE_APP]

    async def listen(self) -> None:
        self._server = await asyncio.start_server(self._client, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def listen_serial(self) -> str:
        """Serve a pseudo-terminal; the path that a client opens."""
        self._master, slave = pty.openpty()
        tty.setraw(slave)
        path = os.ttyname(slave)
        os.set_blocking(self._master, False)
        asyncio.get_running_loop().add_reader(self._master, self._serial)
        self._slave = slave
        return path

    async def close(self) -> None:
        self.drop()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        if self._master >= 0:
            asyncio.get_running_loop().remove_reader(self._master)
            os.close(self._master)
            os.close(self._slave)
            self._master = -1

    def drop(self) -> None:
        """Break the connections."""
        for writer in self._clients:
            writer.transport.abort()
        self._clients.clear()

    def tell(self, *messages: FromRadio | bytes) -> None:
        """Messages, or the bytes of some that our codec does not write."""
        written = (m if isinstance(m, bytes) else write_from_radio(m) for m in messages)
        self.tell_bytes(b"".join(write_frame(message) for message in written))

    def tell_bytes(self, data: bytes) -> None:
        for writer in self._clients:
            writer.write(data)
        if self._master >= 0:
            os.write(self._master, data)

    def from_mesh(self, payload: bytes, **changes: object) -> None:
        """A packet that came by radio."""
        fields: dict[str, object] = {
            "sender": 0x55667788, "channel": 1, "id": 99, "port": PRIVATE_APP, "payload": payload,
            "hop_limit": 2, "snr_db": 6.25, "rssi_dbm": -90,
        }  # fmt: skip
        self.tell(Packet(**{**fields, **changes}))  # type: ignore[arg-type]

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._clients.append(writer)
        try:
            while data := await reader.read(4096):
                self._take(data)
        except OSError:
            pass
        finally:
            writer.close()

    def _serial(self) -> None:
        try:
            self._take(os.read(self._master, 4096))
        except OSError:
            return

    def _take(self, data: bytes) -> None:
        self.raw += data
        for message in self._splitter.feed(data):
            said = read_to_radio(message)
            if isinstance(said, int):
                self.asked.append(said)
                self.tell(*self.config, ConfigComplete(said))
            elif isinstance(said, Packet):
                self.heard.append(said)
                if self.result is not None:
                    self.tell(QueueStatus(result=self.result, free=15, most=16, id=said.id))
            elif message == heartbeat() and self.answers:
                self.tell(QueueStatus(free=16, most=16))

    def fate(self, error: int) -> None:
        """What became of the last packet on the air."""
        self.tell(Routing(self.heard[-1].id, error))


def write_team(folder: Path, **changes: str) -> Path:
    """A team's file as a technician writes it."""
    lines = {
        "team": 'team = "alpha"',
        "channel": "channel = 1",
        "lead": '[[member]]\nnumber = 1\nunit = "LEAD"\ngateway = true',
        "member": '[[member]]\nnumber = 2\nunit = "UNIT-A"',
        "key": f'[[key]]\nid = 3\nsecret = "{SECRET.hex()}"',
    }
    path = folder / "alpha.toml"
    path.write_text("\n".join({**lines, **changes}.values()))
    path.chmod(0o600)
    return path
