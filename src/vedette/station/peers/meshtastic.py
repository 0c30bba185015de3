"""A team that no cell reaches: alerts by LoRa, through a Meshtastic node on TCP or a serial line.

One frame for each alert and revision, broadcast on the team's channel; `_lora_schedule` decides which is
next, `_lora_words` what it says, `_lora_ear` what comes back. The station never asks a node for other
people's messages or places, and keeps none that a node passes on unasked.

Receipts: ``accepted`` once the node has the frame in its queue; the other facts only by an authenticated
frame of a gateway of the team. That a node was heard to relay a frame is no receipt: it is nobody.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vedette.model import ConfigError, Frame, Receipt
from vedette.model.alert import Alert, Fact
from vedette.model.event import Clear, Deliver
from vedette.station.config import FeedConfig
from vedette.station.peers._line_feed import Budget
from vedette.station.peers._lora_counter import CounterFile
from vedette.station.peers._lora_ear import Ear
from vedette.station.peers._lora_schedule import END_S, AirBudget, Schedule, Slot
from vedette.station.peers._lora_team import Team, read_team
from vedette.station.peers._lora_words import purpose_of, radio_alert, radio_end
from vedette.station.peers._meshtastic_link import Link, connect_serial, connect_tcp
from vedette.station.peers._meshtastic_node import Node, greet
from vedette.station.ports import Hub, Peer
from vedette.wire.errors import DecodeError
from vedette.wire.lora import STATION, Header, Purpose, encode_message
from vedette.wire.lora.airtime import DATA_BYTES, airtime_s
from vedette.wire.meshtastic import (
    PRIORITY_ALERT,
    PRIORITY_HIGH,
    PRIVATE_APP,
    ROUTING_ERRORS,
    FromRadio,
    Packet,
    QueueStatus,
    Rebooted,
    Routing,
    disconnect,
    heartbeat,
    read_from_radio,
    send_packet,
)

PORT = 4403
QUEUE_S = 1.2
"""How long a node may take to say that it has queued a packet."""
MOST_UNANSWERED = 2
REFUSED_S = 1.0
"""Pause before a frame that the node did not queue is tried again."""
ACCEPTED_S = 1.5
"""How long the delivery of an IMMINENT alert waits for the node; what is less urgent does not wait."""
HEARTBEAT_S = 10.0
ANSWER_S = 35.0
"""A node that answers heartbeats (firmware of 2025 and later) and says nothing for so long is gone."""
SILENCE_S = 900.0
"""An older one may say nothing on a quiet mesh; its next packet, or TCP itself, tells whether it is there."""
LOOK_S = 1.0
MOST_PER_S, BURST = 200, 1000
"""Messages of a node that are read; a busy mesh has a few a second."""
LOW_BUDGET = 0.1
MOST_REMEMBERED = 256
"""Packets whose fate on the air may still be told."""
RETRANSMISSIONS = 2
"""What a node adds by itself when it hears nobody relay a packet."""

Connect = Callable[[], Coroutine[Any, Any, Link]]


class MeshtasticPeer:
    """Speaks to one node for one team. ``connect`` opens the way to the node; ``counter`` is the file of
    the frames' numbers. ``reconnect_s``: the first and the longest pause between attempts; it doubles,
    varies by 20 %, and starts anew after a connection of ``stable_s``."""

    receipt_facts: tuple[Fact, ...] = ("accepted", "on-device", "shown", "acknowledged")
    """What this way out can tell; all but the first by the team's gateway."""
    carries_position: bool = False
    """No position of anybody goes out by it: a direction and a distance from a member who knows his place."""

    def __init__(
        self,
        name: str,
        team: Team,
        where: str,
        connect: Connect,
        counter: Path,
        *,
        reconnect_s: tuple[float, float] = (5.0, 120.0),
        stable_s: float = 300.0,
        connect_timeout_s: float = 10.0,
        greet_s: float = 30.0,
        now_wall: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self.senses: tuple[str, ...] = ()
        self._counts: Counter[str] = Counter()
        self._team, self._where, self._connect = team, where, connect
        self._numbers, self._sealer = team.numbers, team.sealer()
        self._counter = CounterFile(counter, team.key[0].id)
        self._reconnect_s, self._stable_s = reconnect_s, stable_s
        self._connect_timeout_s, self._greet_s = connect_timeout_s, greet_s
        self._now_wall = now_wall
        self._schedule = Schedule(lambda: random.uniform(0.8, 1.2))
        self._wake = asyncio.Event()
        self._queued: dict[int, asyncio.Future[QueueStatus]] = {}
        self._airtimes: dict[int, float] = {}
        self._hub: Hub | None = None
        self._node: Node | None = None
        self._air: AirBudget | None = None
        self._ear: Ear | None = None
        self._unanswered = 0

    @property
    def counts(self) -> Counter[str]:
        """What went out and what came back, by kind or reason."""
        return self._counts + (self._ear.counts if self._ear is not None else Counter())

    async def run(self, hub: Hub) -> None:
        """Connect, speak, listen, reconnect, until cancelled."""
        self._open(hub)
        now = asyncio.get_running_loop().time
        pause_s = self._reconnect_s[0]
        try:
            while True:
                hub.feed(self.name, "connecting", f"connecting to {self._where}")
                began = now()
                reason = await self._session(hub)
                if now() - began >= self._stable_s:
                    pause_s = self._reconnect_s[0]
                wait_s = pause_s * random.uniform(0.8, 1.2)
                hub.feed(self.name, "down", f"{self._where}: {reason}; next attempt in {wait_s:.0f} s")
                await asyncio.sleep(wait_s)
                pause_s = min(2.0 * pause_s, self._reconnect_s[1])
        finally:
            self._counter.close()

    def reaches(self, unit: str) -> bool:
        """True for the team's members while the node is there."""
        return self._node is not None and unit in self._numbers

    async def deliver(self, delivery: Deliver, recipient: str) -> None:
        """Put it on the team's air. Raises ConnectionError without a node."""
        slot = self._put(delivery, recipient)
        if slot is not None and delivery.alert.level == "imminent":
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ACCEPTED_S):
                    await slot.accepted.wait()
            if not slot.accepted.is_set() and self._node is None:
                raise ConnectionError(f"peer {self.name}: the node is gone")

    async def clear(self, clear: Clear, recipient: str) -> None:
        """Put the end on the team's air. Raises ConnectionError without a node."""
        self._put(clear, recipient)

    async def publish(self, frame: Frame) -> None:
        """Nothing: the air is for alerts."""

    # Inside ---------------------------------------------------------------------------------------

    def _open(self, hub: Hub) -> None:
        self._hub = hub
        self._air = AirBudget(self._team.duty, hub.clock.now())

        def refuse(reason: str, frame: bytes) -> None:
            hub.quarantine(self.name, reason, frame)

        self._ear = Ear(self.name, self._team, asyncio.get_running_loop().time, refuse)

    def _put(self, message: Deliver | Clear, recipient: str) -> Slot | None:
        if self._hub is None or self._node is None or recipient not in self._numbers:
            raise ConnectionError(f"peer {self.name} does not reach {recipient} now")
        before = self._schedule.shed
        slot = self._schedule.put(message, recipient, self._hub.clock.now())
        if self._schedule.shed > before:
            self._hub.counted(self.name, "alert-shed", self._schedule.shed - before)
        if slot is not None and not self._schedule.holds(slot):
            raise ConnectionError(f"peer {self.name}: too much that is worse waits for the air")
        if slot is not None and recipient in slot.told:
            self._told(slot, {recipient})
        self._wake.set()
        return slot

    async def _session(self, hub: Hub) -> str:
        """One connection from beginning to end; why it ended, in words."""
        try:
            self._counter.open()
            await asyncio.to_thread(self._reserve)
            async with asyncio.timeout(self._connect_timeout_s):
                link = await self._connect()
        except TimeoutError:
            return f"no answer in {self._connect_timeout_s:g} s"
        except (OSError, ConfigError) as error:
            self._counter.close()
            return str(error) or type(error).__name__
        try:
            node = await greet(link, self._team.channel, self._greet_s)
            self._begin(hub, node)
            return await self._talk(hub, link, node)
        except ConnectionError as error:
            return str(error) or type(error).__name__
        finally:
            self._node = None
            self._queued.clear()
            with contextlib.suppress(ConnectionError):
                await link.send(disconnect())
            await link.close()
            self._counter.close()

    def _begin(self, hub: Hub, node: Node) -> None:
        for what, words in node.troubles.items():
            hub.trouble(self.name, what, words)
        self._node, self._unanswered = node, 0
        hub.feed(self.name, "watching", None)
        hub.heard(self.name, due_s=SILENCE_S)

    async def _talk(self, hub: Hub, link: Link, node: Node) -> str:
        """Listen and speak until one of the two fails."""
        work = (self._listen(hub, link, node), self._speak(hub, link, node), self._keep_alive(link))
        tasks = [asyncio.create_task(part) for part in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not isinstance(error := task.exception(), ConnectionError) and error is not None:
                    raise error
            return "; ".join(str(task.exception()) for task in done)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_alive(self, link: Link) -> None:
        """A node forgets a client that says nothing for 15 minutes."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            await link.send(heartbeat())

    # Speaking -------------------------------------------------------------------------------------

    async def _speak(self, hub: Hub, link: Link, node: Node) -> None:
        """One frame at a time: nothing else could be on the air, and what waits stays the freshest."""
        while True:
            slot = self._next(hub, node)
            if slot is not None:
                await self._send(hub, link, node, slot)
                continue
            self._wake.clear()
            until_s = min(LOOK_S, max(0.0, self._schedule.next_at() - hub.clock.now()))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(until_s):
                    await self._wake.wait()

    def _next(self, hub: Hub, node: Node) -> Slot | None:
        """The slot that may go out now. One that has to wait for airtime gets its time."""
        assert self._air is not None
        at = hub.clock.now()
        while (slot := self._schedule.due(at)) is not None:
            if slot.times > 0 and self._in_hand(hub, slot):
                self._schedule.quiet(slot.alert, slot.revision)
                continue
            wait_s = self._air.wait_s(slot, node.airtime_s, at)
            if wait_s <= 0.0:
                return slot
            self._counts["held-back"] += 1
            self._schedule.wait(slot, at + max(wait_s, LOOK_S))
        return None

    def _in_hand(self, hub: Hub, slot: Slot) -> bool:
        """True if somebody acknowledged it by another way meanwhile; unless it was asked for again."""
        known = hub.alert(slot.alert)
        return not slot.asked and not slot.ends and known is not None and known.state != "active-unacked"

    async def _send(self, hub: Hub, link: Link, node: Node, slot: Slot) -> None:
        """One frame to the node, and what it says of it. Then the time that it is on the air."""
        assert self._air is not None
        if self._counter.left == 0:
            await asyncio.to_thread(self._reserve)
            self._tell_counter(hub)
        frame = self._frame(hub, slot)
        packet = Packet(
            channel=self._team.channel, id=random.randrange(1, 1 << 32), port=PRIVATE_APP, payload=frame,
            hop_limit=self._team.hops, want_ack=True,
            priority=PRIORITY_ALERT if slot.repeats else PRIORITY_HIGH,
        )  # fmt: skip
        cost_s = airtime_s(node.modem, len(frame) + DATA_BYTES)
        # Before it goes out: an answer may be here before the node's word that it is queued.
        self._expect(slot, set(slot.asked))
        if not await self._queue(link, packet):
            self._schedule.wait(slot, hub.clock.now() + REFUSED_S)
            return
        at = hub.clock.now()
        told = set(slot.asked)
        self._air.spend(cost_s, at)
        self._remember(packet.id, cost_s)
        self._schedule.went_out(slot, at, cost_s)
        self._told(slot, told)
        self._counts["end" if slot.ends else "repeat" if slot.times > 1 else "alert"] += 1
        low = self._air.left < LOW_BUDGET
        words = f"{self._air.left:.0%} of this hour's airtime is left: only IMMINENT alerts go out"
        hub.trouble(self.name, "airtime", words if low else None)
        await asyncio.sleep(cost_s)

    def _frame(self, hub: Hub, slot: Slot) -> bytes:
        alert, clock = slot.message.alert, hub.clock
        time_wall = clock.to_wall(alert.time)
        if isinstance(slot.message, Clear):
            message = encode_message(radio_end(alert, self._numbers, time_wall=time_wall, lasts_s=END_S))
        else:
            message = encode_message(
                radio_alert(
                    alert,
                    self._numbers,
                    time_wall=time_wall,
                    expires_wall=clock.to_wall(alert.expires),
                    sound=slot.message.sound,
                )
            )
        header = Header(
            purpose=self._purpose(hub, alert),
            key_id=self._team.key[0].id,
            sender=STATION,
            counter=self._counter.take(),
        )
        return self._sealer.seal(header, message)

    async def _queue(self, link: Link, packet: Packet) -> bool:
        """True once the node has it in its queue. Raises ConnectionError if it does not answer any more."""
        answer: asyncio.Future[QueueStatus] = asyncio.get_running_loop().create_future()
        self._queued[packet.id] = answer
        try:
            await link.send(send_packet(packet))
            async with asyncio.timeout(QUEUE_S):
                status = await answer
        except TimeoutError:
            self._counts["unanswered"] += 1
            self._unanswered += 1
            if self._unanswered >= MOST_UNANSWERED:
                raise ConnectionError("the node does not say what becomes of packets") from None
            return False
        finally:
            self._queued.pop(packet.id, None)
        self._unanswered = 0
        if status.result != 0:
            self._counts["not-queued"] += 1
            self._trouble("queue", f"the node did not queue a packet (error {status.result})")
            return False
        self._trouble("queue", None)
        return True

    def _told(self, slot: Slot, recipients: set[str]) -> None:
        """The node has what these were to be told: from now on an answer may be about it."""
        assert self._hub is not None
        alert = slot.message.alert
        self._expect(slot, recipients)
        for recipient in sorted(recipients):
            self._hub.receipt(
                Receipt(
                    time=self._hub.clock.now(),
                    alert=alert.alert,
                    revision=alert.revision,
                    recipient=recipient,
                    channel=self.name,
                    fact="accepted",
                )
            )

    def _expect(self, slot: Slot, recipients: set[str]) -> None:
        """An answer may come about this revision, for these."""
        assert self._hub is not None
        assert self._ear is not None
        alert = slot.message.alert
        if not slot.ends:
            self._ear.sent(alert.alert, alert.revision, self._purpose(self._hub, alert), recipients)

    def _purpose(self, hub: Hub, alert: Alert) -> Purpose:
        return purpose_of(alert, hub.clock.speed != 1.0)

    def _reserve(self) -> None:
        self._counter.reserve(self._now_wall())

    def _tell_counter(self, hub: Hub) -> None:
        hub.trouble(self.name, "counter", self._counter.trouble)

    def _trouble(self, what: str, words: str | None) -> None:
        if self._hub is not None:
            self._hub.trouble(self.name, what, words)

    # Listening ------------------------------------------------------------------------------------

    async def _listen(self, hub: Hub, link: Link, node: Node) -> None:
        self._tell_counter(hub)
        budget = Budget(MOST_PER_S, BURST, asyncio.get_running_loop().time)
        while True:
            for message in await link.receive():
                if not budget.admits():
                    hub.counted(self.name, "flooded", 1)
                    continue
                try:
                    self._hear(hub, node, read_from_radio(message))
                except DecodeError as error:
                    hub.quarantine(self.name, error.reason, message)

    def _hear(self, hub: Hub, node: Node, told: FromRadio) -> None:
        hub.heard(self.name)
        if isinstance(told, Packet):
            self._packet(hub, node, told)
        elif isinstance(told, QueueStatus):
            waiting = self._queued.get(told.id)
            if waiting is None:
                hub.heard(self.name, due_s=ANSWER_S, count=0)
            elif not waiting.done():
                waiting.set_result(told)
        elif isinstance(told, Routing):
            self._fate(told)
        elif isinstance(told, Rebooted):
            raise ConnectionError("the node has started anew")

    def _packet(self, hub: Hub, node: Node, packet: Packet) -> None:
        """Other people's packets are none of our business: they are counted, and nothing of them is kept."""
        if packet.port != PRIVATE_APP or packet.channel != self._team.channel or packet.sender == node.number:
            self._counts["not-for-us"] += 1
            return
        assert self._ear is not None
        for receipt in self._ear.take(packet.payload, hub.clock.now()):
            if receipt.fact == "acknowledged":
                self._schedule.quiet(receipt.alert, receipt.revision)
            hub.receipt(receipt)

    def _fate(self, routing: Routing) -> None:
        """What became of a packet on the air. Not relayed: the node has said it again by itself."""
        cost_s = self._airtimes.pop(routing.request, None)
        if cost_s is None:
            return
        if routing.error == 0:
            self._trouble("air", None)
            return
        words = ROUTING_ERRORS.get(routing.error, f"error {routing.error}")
        self._counts[f"air: {words}"] += 1
        self._trouble("air", f"the last frame: {words}")
        if self._air is not None and self._hub is not None:
            self._air.spend(RETRANSMISSIONS * cost_s, self._hub.clock.now())

    def _remember(self, packet: int, cost_s: float) -> None:
        self._airtimes[packet] = cost_s
        while len(self._airtimes) > MOST_REMEMBERED:
            self._airtimes.pop(next(iter(self._airtimes)))


def meshtastic_peer(feed: FeedConfig) -> Peer:
    """The peer of a feed ``meshtastic+tcp://HOST[:PORT]`` or ``meshtastic+serial:/dev/NAME`` with a
    ``team_file``. Raises ConfigError."""
    if feed.team_file is None:
        raise ConfigError(f"feed {feed.name!r}: needs a team_file with the team's members and key")
    path = Path(feed.team_file)
    team = read_team(path)
    where, connect = _way(feed)
    return MeshtasticPeer(feed.name, team, where, connect, path.with_suffix(".counter"))


def _way(feed: FeedConfig) -> tuple[str, Connect]:
    scheme, _, rest = feed.url.partition(":")
    if scheme == "meshtastic+serial":
        if not rest.startswith("/"):
            raise ConfigError(f"feed {feed.name!r}: {feed.url!r} is not meshtastic+serial:/dev/NAME")
        return f"the node on {rest}", lambda: connect_serial(rest)
    try:
        parts = urlsplit(feed.url)
        host, port = parts.hostname, parts.port or PORT
    except ValueError as error:
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r} is not an address ({error})") from None
    if host is None or parts.path not in ("", "/") or parts.query:
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r} is not meshtastic+tcp://HOST or HOST:PORT")
    return f"the node at {host}:{port}", lambda: connect_tcp(host, port)
