"""Phones that connect to the station itself, without a TAK server between.

Each connection is bound to the first unit uid that it reports and speaks for no other. Over TLS it is known
by its certificate (`_tak_members`): the officer to whom it was issued speaks for his own unit, answers in his
own name, and is cut off at once when the certificate is revoked. Without TLS there is no identity to hold on
to; that is allowed on the loopback interface only. A peer without a doorkeeper (as `vedette doctor` runs it)
binds a uid to the certificate that first claimed it.

A gateway that brings tracks (a drone receiver) need not say who it is; it gets no alerts and no
picture.
"""

import asyncio
import ssl
import uuid

from vedette.express.cot import pong_event
from vedette.model import ConfigError, Fact, Frame, VedetteError
from vedette.model.event import Clear, Deliver
from vedette.sense.cot import author_of, contact_of
from vedette.station.access import Doorkeeper, Refused
from vedette.station.peers._cot_dialogue import MOST_CONTACTS, Dialogue
from vedette.station.peers._cot_stream import (
    HANDSHAKE_S,
    Certificates,
    CotStream,
    certificate_subject,
    parse_endpoint,
    server_context,
)
from vedette.station.peers._tak_members import Member, Members, every
from vedette.station.ports import Hub
from vedette.wire.cot import CotError, CotEvent
from vedette.wire.tak import answer_request, offer

EXPEL_S = 0.5
"""So often it is looked whether a certificate was revoked; before anything is sent to one unit, always."""
MOST_UNREADABLE = 100
"""Unreadable events in a row after which a connection is taken for an attack and dropped."""

_ENDS = (
    ("nothing heard", "silent"),
    ("an event was begun", "event not ended"),
    ("more than", "no CoT"),
    (f"{MOST_UNREADABLE} unreadable", "unreadable"),
    ("the other side took nothing", "does not read"),
    ("the other side does not keep up", "does not read"),
)
"""Beginnings of what a connection ended with -> what it is counted under."""


class _Phone:
    """One connection, the uid it is bound to, and who it is by its certificate or address."""

    def __init__(self, stream: CotStream, subject: str | None, address: str) -> None:
        self.stream, self.subject, self.address = stream, subject, address
        self.member: Member | None = None
        self.unit: str | None = None
        self.brings_tracks = False
        self.unreadable = 0
        self.offer_uid = f"protocol-{uuid.uuid4()}"

    @property
    def name(self) -> str | None:
        """Who has shown that this is his phone."""
        return None if self.member is None else self.member.name

    @property
    def identity(self) -> str:
        if self.name is not None:
            return self.name
        return self.subject if self.subject is not None else self.address


class TakListenerPeer:
    """Listens on ``cot+tcp-listen://host:port?options`` (loopback only) or
    ``cot+tls-listen://host:port?options``.

    Options: ``protocol=0`` offers no TAK protocol version 1; ``tracks=0`` leaves out what phones and
    gateways see in the air; ``views=1`` takes where their sensors look for bearings.

    Over TLS a client needs a certificate of ``cafile``, which with a ``door`` is the site's own authority;
    ``certfile`` and ``keyfile`` (PEM) are the station's own. A phone that does not say who it is for
    ``identify_s``, or says nothing at all for ``dead_after_s``, is dropped. Raises ConfigError.
    """

    receipt_facts: tuple[Fact, ...] = ("accepted", "on-device", "shown", "acknowledged")
    carries_position: bool = True
    """The map of those who may see each other."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        cafile: str | None = None,
        certfile: str | None = None,
        keyfile: str | None = None,
        key_password: str | None = None,
        callsign: str = "VEDETTE",
        uid: str | None = None,
        publish_tracks: bool = True,
        show_place: bool = True,
        heard_s: float = 600.0,
        receipt_key: bytes | None = None,
        door: Doorkeeper | None = None,
        max_connections: int = 1000,
        retry_s: float = 5.0,
        identify_s: float = 60.0,
        presence_s: float = 30.0,
        dead_after_s: float = 120.0,
        write_limit: int = 256 * 1024,
        send_timeout_s: float = 5.0,
    ) -> None:
        self.name = name
        self._endpoint = parse_endpoint(name, url, plain="cot+tcp-listen", secure="cot+tls-listen")
        if not self._endpoint.tls and not self._endpoint.is_loopback:
            raise ConfigError(
                f"peer {name}: {url} would take and give positions of people unencrypted and from anybody; "
                "use cot+tls-listen, or listen on 127.0.0.1"
            )
        self._members = Members(name, door) if door is not None and self._endpoint.tls else None
        files = Certificates(cafile=cafile, certfile=certfile, keyfile=keyfile, password=key_password)
        self._tls = self._context(files) if self._endpoint.tls else None
        self._dialogue = Dialogue(
            name,
            callsign=callsign,
            uid=uid if uid is not None else f"VEDETTE-{name}".replace(".", "-"),
            heard_s=heard_s,
            show_place=show_place,
            key=receipt_key,
            tracks=self._endpoint.tracks,
            views=self._endpoint.views,
        )
        self.senses = self._dialogue.senses
        self._publish_tracks = publish_tracks
        self._max_connections, self._retry_s = max_connections, retry_s
        self._identify_s, self._presence_s, self._dead_after_s = identify_s, presence_s, dead_after_s
        self._write_limit, self._send_timeout_s = write_limit, send_timeout_s
        self._phones: dict[_Phone, None] = {}
        self._by_unit: dict[str, list[_Phone]] = {}
        self._owners: dict[str, str] = {}
        self._attending: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def counts(self) -> dict[str, int]:
        """What became of the events heard, by reason."""
        return self._dialogue.all_counts

    @property
    def port(self) -> int | None:
        """The port that is listened on (useful when the configured one is 0), None while it is not."""
        if self._server is None or not self._server.sockets:
            return None
        return int(self._server.sockets[0].getsockname()[1])

    async def run(self, hub: Hub) -> None:
        """Listen, and listen again after a failure, until cancelled."""
        self._dialogue.open(hub)
        where = f"{self._endpoint.host}:{self._endpoint.port}"
        while True:
            hub.feed(self.name, "connecting", f"opening {where}")
            try:
                await self._serve(hub)
            except OSError as error:
                reason = f"cannot listen on {where}: {error}; again in {self._retry_s:g} s"
                hub.feed(self.name, "down", reason)
                self._dialogue.lost(reason)
            await asyncio.sleep(self._retry_s)

    def reaches(self, unit: str) -> bool:
        """True while the unit's phone is connected and was heard in the last ``heard_s``."""
        return bool(self._phones_of(unit)) and self._dialogue.heard_recently(unit)

    async def deliver(self, delivery: Deliver, recipient: str) -> None:
        """Send one alert revision to the phones of one unit. Raises ConnectionError if none took it."""
        await self._send_to(recipient, self._dialogue.alert(delivery, recipient))
        self._dialogue.accepted(delivery.alert, recipient)

    async def clear(self, clear: Clear, recipient: str) -> None:
        """Tell one unit that an alert ended. Raises ConnectionError if no phone took it."""
        await self._send_to(recipient, self._dialogue.end(clear, recipient))
        self._dialogue.accepted(clear.alert, recipient, ended=True)

    async def publish(self, frame: Frame) -> None:
        """Send the tracks to every identified phone that has taken all that was sent before."""
        if not self._publish_tracks or not frame.tracks:
            return
        ready = [p for p in self._phones if p.unit is not None and not p.stream.backlog]
        self._dialogue.counts["picture-skipped"] += sum(1 for p in self._phones if p.stream.backlog)
        if ready:
            events = self._dialogue.picture(frame)
            await asyncio.gather(*(_try_send(phone, events) for phone in ready))

    def _context(self, files: Certificates) -> ssl.SSLContext:
        if self._members is None:
            return server_context(self.name, files)
        return self._members.context(files.cafile, files.certfile, files.keyfile, self._handshake_failed)

    def _handshake_failed(self, why: str) -> None:
        self._dialogue.refuse("handshake-refused", why.encode())
        if self._members is not None:
            self._members.note("", f"no certificate of this site: {why}", self._dialogue.now_wall())

    def _phones_of(self, unit: str) -> list[_Phone]:
        return list(self._by_unit.get(unit, ()))

    def _admits(self, phone: _Phone) -> bool:
        """Whether a phone that is connected may stay; one that may not is dropped."""
        if self._members is None or phone.member is None:
            return True
        if self._members.admits(phone.member, self._dialogue.now_wall()):
            return True
        if phone in self._phones:
            self._dialogue.refuse("certificate-revoked", (phone.name or "").encode())
        self._forget(phone)
        phone.stream.abort()
        return False

    def _expel(self) -> None:
        """Drop the phones whose certificates are no longer good, also those that say nothing."""
        if self._members is None or not self._members.changed(self._dialogue.now_wall()):
            return
        for phone in list(self._phones):
            self._admits(phone)

    async def _send_to(self, unit: str, events: list[CotEvent]) -> None:
        phones = [phone for phone in self._phones_of(unit) if self._admits(phone)]
        failures = await asyncio.gather(*(_try_send(phone, events) for phone in phones))
        if all(failures):
            raise ConnectionError(f"no phone of {unit} took the message: {failures or 'none is connected'}")

    async def _serve(self, hub: Hub) -> None:
        server = await asyncio.start_server(
            self._accept,
            self._endpoint.host,
            self._endpoint.port,
            ssl=self._tls,
            ssl_handshake_timeout=HANDSHAKE_S if self._tls else None,
        )
        self._server = server
        hub.feed(self.name, "watching", None if self._tls else "without encryption, this machine only")
        expelling = asyncio.create_task(every(EXPEL_S, self._expel))
        try:
            while True:
                await asyncio.sleep(self._presence_s)
                events = self._dialogue.presence()
                await asyncio.gather(*(_try_send(phone, events) for phone in list(self._phones)))
        finally:
            self._server = None
            expelling.cancel()
            server.close()
            for task in self._attending:
                task.cancel()
            await asyncio.gather(*self._attending, return_exceptions=True)
            await server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._receive_phone(reader, writer))
        self._attending.add(task)
        task.add_done_callback(self._attending.discard)

    async def _receive_phone(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stream = CotStream(reader, writer, write_limit=self._write_limit, send_timeout_s=self._send_timeout_s)
        address = str((writer.get_extra_info("peername") or ("?",))[0])
        phone = _Phone(stream, certificate_subject(writer), address)
        if not self._enters(phone, writer):
            stream.abort()
            return
        if not self._room():
            self._dialogue.refuse("too-many-connections")
            stream.abort()
            return
        self._phones[phone] = None
        try:
            await self._attend(phone)
        except ConnectionError as error:
            self._count_end(str(error), stream.begun)
        finally:
            self._forget(phone)
            await stream.close()

    def _enters(self, phone: _Phone, writer: asyncio.StreamWriter) -> bool:
        """Whether the register knows the certificate; who is behind it."""
        if self._members is None:
            return True
        der, now = (
            writer.get_extra_info("ssl_object").getpeercert(binary_form=True),
            self._dialogue.now_wall(),
        )
        try:
            phone.member = self._members.enter(der or b"", now)
        except VedetteError as error:
            cause = error.cause if isinstance(error, Refused) else str(error)
            self._dialogue.refuse("certificate-refused", cause.encode())
            self._members.note("", f"{phone.subject} from {phone.address}: {cause}", now)
            return False
        return True

    def _room(self) -> bool:
        """True if one more may connect; the oldest that has not said who it is gives its place up, so that
        connections that say nothing keep no phone out."""
        if len(self._phones) < self._max_connections:
            return True
        silent = next((p for p in self._phones if p.unit is None and not p.brings_tracks), None)
        if silent is None:
            return False
        self._phones.pop(silent)
        silent.stream.abort()
        self._dialogue.refuse("made-room-for-another")
        return True

    def _count_end(self, words: str, begun: bool) -> None:
        """Count why a connection was given up; one that its phone has ended in order is no fault."""
        ends = (reason for start, reason in _ENDS if words.startswith(start))
        if (reason := next(ends, "in the middle of an event" if begun else None)) is not None:
            self._dialogue.dropped(reason)

    async def _attend(self, phone: _Phone) -> None:
        """Listen to one phone until it goes or breaks the rules (ConnectionError)."""
        greeting = self._dialogue.presence()
        if self._endpoint.protocol:
            greeting.append(offer(phone.offer_uid, self._dialogue.now_wall()))
        await phone.stream.send(greeting)
        loop = asyncio.get_running_loop()
        identified_by = loop.time() + self._identify_s
        while True:
            patience_s = self._dead_after_s
            if phone.unit is None and not phone.brings_tracks:
                patience_s = min(patience_s, identified_by - loop.time())
                if patience_s <= 0.0:
                    self._dialogue.refuse("never-identified")
                    return
            items = await phone.stream.receive(patience_s)
            if not self._admits(phone):
                return
            seen = [item for item in items if await self._hear(phone, item) and isinstance(item, CotEvent)]
            phone.brings_tracks |= self._dialogue.look(seen) > 0

    async def _hear(self, phone: _Phone, item: CotEvent | CotError) -> bool:
        """Take one event of a phone; True if it may be of something in the air."""
        if isinstance(item, CotError):
            self._dialogue.hear(item)
            phone.unreadable += 1
            if phone.unreadable >= MOST_UNREADABLE:
                raise ConnectionError(f"{MOST_UNREADABLE} unreadable events in a row")
            return False
        phone.unreadable = 0
        self._dialogue.alive()
        if item.type == "t-x-c-t":
            await phone.stream.send([pong_event(self._dialogue.now_wall())])
            return False
        if item.protocol is not None:
            await self._agree(phone, item)
            return False
        return await self._speaks_for_itself(phone, item) and self._dialogue.hear(item, phone.name)

    async def _agree(self, phone: _Phone, request: CotEvent) -> None:
        """Answer a phone that asks for the version that it was offered."""
        if phone.stream.version or not self._endpoint.protocol:
            return
        answer = answer_request(request, phone.offer_uid, self._dialogue.now_wall())
        if answer is None or answer.protocol is None:
            return
        if answer.protocol.granted:
            await phone.stream.change_over(answer)
        else:
            await phone.stream.send([answer])

    async def _speaks_for_itself(self, phone: _Phone, event: CotEvent) -> bool:
        """Whether the event is in the name of the unit that the phone is bound to; binds it first."""
        contact = contact_of(event)
        if phone.unit is None and contact is not None:
            await self._claim(phone, contact.uid)
            self._bind(phone, contact.uid)
        if contact is None and event.chat is None:
            return True
        if phone.unit is not None and author_of(event) == phone.unit:
            return True
        self._dialogue.refuse("not-its-own-unit", event.uid.encode("utf-8", "replace"))
        if self._members is not None:
            words = f"spoke for another unit than {phone.unit}: {author_of(event)!r}"
            self._members.note(phone.name or "", words, self._dialogue.now_wall())
        return False

    async def _claim(self, phone: _Phone, unit: str) -> None:
        """The officer's own unit, or his first. Raises ConnectionError: nobody speaks for somebody else."""
        if self._members is None or phone.member is None:
            return
        try:
            await self._members.speak_for(phone.member, unit, self._dialogue.now_wall())
        except VedetteError as error:
            self._dialogue.refuse("unit-of-another", unit.encode("utf-8", "replace"))
            raise ConnectionError(f"{phone.identity} does not speak for {unit}: {error}") from None

    def _bind(self, phone: _Phone, unit: str) -> None:
        if len(self._owners) >= MOST_CONTACTS and unit not in self._owners:
            self._dialogue.refuse("too-many-units", unit.encode("utf-8", "replace"))
            raise ConnectionError(f"{MOST_CONTACTS} units have reported themselves already")
        owner = self._owners.setdefault(unit, phone.identity)
        if owner != phone.identity:
            self._dialogue.refuse("unit-claimed-by-another", unit.encode("utf-8", "replace"))
            if phone.subject is not None:
                raise ConnectionError(f"{unit} belongs to {owner}")
        elif self._phones_of(unit):
            self._dialogue.counts["second-connection"] += 1
        phone.unit = unit
        self._by_unit.setdefault(unit, []).append(phone)

    def _forget(self, phone: _Phone) -> None:
        self._phones.pop(phone, None)
        if phone.unit is not None and phone in self._by_unit.get(phone.unit, ()):
            self._by_unit[phone.unit].remove(phone)
            if not self._by_unit[phone.unit]:
                del self._by_unit[phone.unit]


async def _try_send(phone: _Phone, events: list[CotEvent]) -> str | None:
    """None if the phone took it, else why not; a phone that does not keep up has been dropped."""
    try:
        await phone.stream.send(events)
    except ConnectionError as error:
        return str(error)
    return None
