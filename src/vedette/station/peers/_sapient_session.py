"""One connection of a SAPIENT node: what it sends, in order, and what it is answered.

A message is read, validated, judged by its time, held against who is registered here, and only then
used. Whatever fails is answered with an Error, counted and quarantined, and says nothing about the sky.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import NamedTuple

from vedette.express.sapient_node import Node as OwnNode
from vedette.model import Detection
from vedette.sense.sapient_nodes import Node, Unfit, node_of
from vedette.station.peers import _sapient_replies as replies
from vedette.station.peers._line_feed import Budget
from vedette.station.peers._sapient_link import SapientLink
from vedette.station.peers._sapient_node import NEVER_TASKED, NodeFeed
from vedette.station.peers._sapient_roster import Roster
from vedette.station.peers._sapient_sieve import Allowance, Allowances, Sieve, is_detection
from vedette.station.ports import Hub
from vedette.wire.sapient import (
    SapientError,
    SapientMessage,
    TimeVerdict,
    TimeWindow,
    judge_time,
    read_message,
    timestamp_s,
    validate,
)

MOST_STRIKES = 20
"""Messages that a connection may send in a name that it has not registered."""
MOST_BAD = 200
"""Messages in a row that cannot be used, after which a connection is taken for no node."""
MOST_REPLIES = 64
ERRORS_PER_S, ERROR_BURST = 10, 40
REGISTRATIONS_PER_S, REGISTRATIONS_AT_ONCE = 2, 130
"""A node with all its dependents may register at once, and again; each time is an entry in the record."""
PAUSE_S = 0.005
"""After a read of which something was shed: 13 MB/s of a flood are read, and the kernel holds up the rest."""
LARGEST_REPORT = 64 * 1024
"""Bytes of a DetectionReport; the fullest of the samples has 740."""
TIME_ERROR_S = 10.0
OTHER_PER_S = 200
"""Messages other than detections that one connection may send in a second, and at once."""


class Terms(NamedTuple):
    """What connections may do. ``most_per_s``: detections of one connection. Seconds: ``register_s`` until
    the first registration, ``idle_s`` without a byte (three heartbeats, if that is longer)."""

    window: TimeWindow = TimeWindow()
    most_per_s: int = 500
    register_s: float = 30.0
    idle_s: float = 60.0


USUAL = Terms()


class _Held(NamedTuple):
    """A registration that waits for the old connection of its node to speak or to be overdue."""

    node: Node
    heard_at: float


class Session:
    """``run`` listens until the connection ends and says why. ``subject``: the certificate's, or None.
    ``together``: what all connections may send. ``changed`` is called when nodes come or go."""

    def __init__(
        self,
        hub: Hub,
        name: str,
        link: SapientLink,
        roster: Roster,
        own: OwnNode,
        terms: Terms,
        together: Allowances,
        *,
        subject: str | None,
        changed: Callable[[], None],
    ) -> None:
        self.nodes: dict[str, NodeFeed] = {}
        self.opened_at = self.now()
        self._hub, self._name, self._link, self._roster, self._own = hub, name, link, roster, own
        self._terms, self._subject, self._changed = terms, subject, changed
        self._bound: str | None = None
        self._dependents: tuple[str, ...] = ()
        self._held: dict[str, _Held] = {}
        self._register_by = self.now() + terms.register_s
        self._strikes = self._bad = 0
        self._ended: str | None = None
        self._replies: asyncio.Queue[SapientMessage] = asyncio.Queue(MOST_REPLIES)
        self._errors = Budget(ERRORS_PER_S, ERROR_BURST, self.now)
        self._registrations = Budget(REGISTRATIONS_PER_S, REGISTRATIONS_AT_ONCE, self.now)
        self._time_told: dict[str, float] = {}
        own_share = Allowances(Allowance(terms.most_per_s, self.now), Allowance(OTHER_PER_S, self.now))
        self._sieve = Sieve(self._take, self._shed, own_share, together, self.now)
        self._found: dict[str, list[Detection]] = {}

    @staticmethod
    def now() -> float:
        """Loop time."""
        return asyncio.get_running_loop().time()

    @property
    def waits(self) -> bool:
        """True while no node is registered here, nor held."""
        return not self.nodes and not self._held

    async def run(self) -> str:
        """Listen until the connection ends; why, in words. Nodes that were here are away then."""
        speaking = asyncio.create_task(self._speak())
        words = "the station stops"
        try:
            words = await self._listen()
        finally:
            speaking.cancel()
            self._sieve.close()
            self._leave(words)
            await asyncio.gather(speaking, return_exceptions=True)
        return words

    def drop(self, words: str) -> None:
        """End the connection from our side."""
        if self._ended is None:
            self._ended = words
            self._link.abort()

    def forget(self, node: NodeFeed) -> None:
        """A node has gone over to another connection."""
        self.nodes.pop(node.node.id, None)
        if node.node.id == self._bound:
            self.drop("another connection of its node has taken its place")

    def check(self) -> None:
        """Look at the clock: heartbeats, held registrations, a newcomer that does not register."""
        for node in list(self.nodes.values()):
            if not node.asked and self.now() - node.status_at > 2.0 * node.node.interval_s:
                self._ask(node)
        for name, held in list(self._held.items()):
            self._decide(name, held)
        if self.waits and self.now() >= self._register_by:
            self.drop("it did not register")

    # Reading ------------------------------------------------------------------------------------

    async def _listen(self) -> str:
        while True:
            try:
                frames = await self._link.receive(self._patience_s())
            except ConnectionError as error:
                return self._ended or str(error)
            lost = self._sieve.put(frames)
            # The reader does not wait while there is something to read, so others get their turn here;
            # and who floods is read no faster than what can be thrown away at leisure.
            await asyncio.sleep(PAUSE_S if lost else 0.0)

    def _patience_s(self) -> float:
        return max([self._terms.idle_s, *(node.due_s for node in self.nodes.values())])

    def _shed(self, count: int) -> None:
        self._hub.counted(self._feed, "flooded", count)

    def _take(self, frames: list[bytes]) -> None:
        """Frames whose turn it is. All are taken to have been received now: they waited a tenth of a
        second at most."""
        clock = self._hub.clock
        received = clock.now()
        wall, shift = clock.to_wall(received), clock.from_wall(0.0)
        for frame in frames:
            if self._ended is None:
                self._hear(frame, received, wall, shift)
        for feed, found in self._found.items():
            self._hub.detections(feed, found)
        self._found.clear()

    def _hear(self, frame: bytes, received: float, wall: float, shift: float) -> None:
        if len(frame) > LARGEST_REPORT and is_detection(frame):
            words = f"a DetectionReport of {len(frame)} bytes is not read, {LARGEST_REPORT} at most"
            self._refuse("report-too-large", frame, [words])
            return
        try:
            message = read_message(frame)
        except SapientError as error:
            self._refuse("unreadable", frame, [str(error)])
            return
        faults = validate(message)
        if faults:
            self._refuse(f"invalid: {faults[0].kind}", frame, [str(fault) for fault in faults])
            return
        if not self._timely(message, frame, wall):
            return
        self._bad = 0
        sent_s = timestamp_s(message)
        assert sent_s is not None
        sent = sent_s * self._hub.clock.speed + shift
        kind = message.WhichOneof("content")
        if kind == "registration":
            self._register(message, frame, sent, received)
            return
        node = self.nodes.get(message.node_id)
        if node is None:
            self._strike(frame, message.node_id)
            return
        node.hear(sent, received, self.now())
        self._hub.heard(self._name, due_s=self._patience_s())
        self._dispatch(node, kind, message, frame, sent, received)

    def _dispatch(
        self,
        node: NodeFeed,
        kind: str | None,
        message: SapientMessage,
        frame: bytes,
        sent: float,
        received: float,
    ) -> None:
        now = self.now()
        if kind == "detection_report":
            self._detect(node, message, sent, received)
        elif kind == "status_report":
            self._status(node, message)
        elif kind == "alert":
            node.alert(message, now)
            self._reply(replies.alert_ack(self._own, message.node_id, self._wall(), message.alert.alert_id))
        elif kind == "error":
            node.complaint(message, now)
        elif kind != "task_ack":
            self._refuse(f"unexpected: {kind}", frame, [f"a node does not send its fusion node a {kind}"])

    def _detect(self, node: NodeFeed, message: SapientMessage, sent: float, received: float) -> None:
        window, speed = self._terms.window, self._hub.clock.speed
        found = node.detection(
            message,
            sent=sent,
            received=received,
            tolerated_s=(-window.newest_s * speed, -window.oldest_s * speed),
            now=self.now(),
        )
        if found is not None:
            self._found.setdefault(node.feed, []).append(found)

    def _status(self, node: NodeFeed, message: SapientMessage) -> None:
        status = message.status_report
        if status.system != status.SYSTEM_GOODBYE:
            node.status(message, self.now())
            return
        node.goodbye()
        del self.nodes[message.node_id]
        self._register_by = self.now() + self._terms.register_s
        self._changed()

    def _timely(self, message: SapientMessage, frame: bytes, wall: float) -> bool:
        """Judge its time; a node whose clock is off is told so, and is heard all the same."""
        verdict = judge_time(message, wall, self._terms.window)
        if verdict is TimeVerdict.IN_WINDOW:
            return True
        sent_s = timestamp_s(message) or 0.0
        words = f"timestamp: {sent_s - wall:+.1f} s from the time of receipt: set the node's clock to UTC"
        if verdict is TimeVerdict.ABSURD:
            strict = abs(sent_s - wall) <= self._terms.window.absurd_s
            self._refuse("time-out-of-window" if strict else "time-absurd", frame, [words], message)
            return False
        self._hub.counted(self._feed_of(message), "time-out-of-window", 1)
        if self._may_tell_time(message.node_id):
            self._complain(message.node_id, frame, [words])
        return True

    def _may_tell_time(self, node: str) -> bool:
        """One Error for each node in ten seconds."""
        last = self._time_told.get(node)
        if last is not None and self.now() - last < TIME_ERROR_S:
            return False
        if len(self._time_told) > MOST_REPLIES:
            self._time_told.clear()
        self._time_told[node] = self.now()
        return True

    # Registration -------------------------------------------------------------------------------

    def _register(self, message: SapientMessage, frame: bytes, sent: float, received: float) -> None:
        name = message.node_id
        if not self._registrations.admits():
            self._hub.counted(self._feed, "flooded: registrations", 1)
            return
        try:
            node = node_of(message)
        except Unfit as error:
            self._refuse_registration(name, "registration-unfit", str(error), frame)
            return
        refused = self._not_here(name)
        if refused is not None:
            self._refuse_registration(name, *refused, frame)
            return
        if not self._roster.belongs(name, self._subject):
            self._refuse_registration(
                name, "node-of-another-certificate", "this node belongs to another certificate", frame
            )
            return
        known = self._roster.find(name) or self._roster.admit(node)
        if known is None:
            self._refuse_registration(name, "too-many-nodes", "no more nodes can register here", frame)
        elif (
            known.connection not in (None, self) and self._subject is None and not self._roster.overdue(known)
        ):
            known.contested("another connection claims to be this node", self.now())
            self._held[name] = _Held(node, known.heard_at)
        else:
            self._accept(known, node)
            known.hear(sent, received, self.now())

    def _not_here(self, name: str) -> tuple[str, str] | None:
        """Why a node of this id cannot register on this connection: (reason to count, words)."""
        if not self._roster.expects(name):
            return "node-not-expected", "this node is not expected here: name it in the feed's URL"
        if self._bound not in (None, name) and name not in self._dependents:
            return "second-node-on-connection", f"this connection speaks for {self._bound} and its dependents"
        return None

    def _accept(self, known: NodeFeed, node: Node) -> None:
        before = known.connection
        if before is not None and before is not self:
            before.forget(known)
        if self._bound in (None, node.id):
            self._bound, self._dependents = node.id, node.dependents
        self._strikes = 0
        self.nodes[node.id] = known
        known.register(node, self, self.now())
        self._roster.bind(node.id, self._subject)
        reasons = [f"{NEVER_TASKED} by this fusion node"] if node.effector else []
        self._reply(
            replies.registration_ack(self._own, node.id, self._wall(), accepted=True, reasons=reasons)
        )
        self._changed()

    def _decide(self, name: str, held: _Held) -> None:
        known = self._roster.find(name)
        if known is None or known.connection in (None, self) or self._roster.overdue(known):
            del self._held[name]
            known = known or self._roster.admit(held.node)
            # Of several names that it claimed while it was nobody's it gets one.
            if known is not None and self._not_here(name) is None:
                self._accept(known, held.node)
        elif known.heard_at > held.heard_at:
            del self._held[name]
            self._refuse_registration(
                name, "node-connected-already", "another connection of this node lives", b""
            )

    def _refuse_registration(self, name: str, reason: str, words: str, frame: bytes) -> None:
        self._hub.quarantine(self._name, reason, frame)
        self._reply(replies.registration_ack(self._own, name, self._wall(), accepted=False, reasons=[words]))
        self._count_strike()

    # Answers ------------------------------------------------------------------------------------

    def _strike(self, frame: bytes, node: str) -> None:
        """A message in a name that is not registered here."""
        words = f"node_id: no registration of {node} on this connection: send a Registration first"
        self._refuse("not-registered", frame, [words])
        self._count_strike()

    def _count_strike(self) -> None:
        """Only of a connection that nobody has registered on: a child that relays too much is no stranger."""
        self._strikes += not self.nodes
        if self._strikes >= MOST_STRIKES:
            self.drop(f"{MOST_STRIKES} messages in names that are not registered here")

    def _refuse(
        self, reason: str, frame: bytes, words: list[str], message: SapientMessage | None = None
    ) -> None:
        feed = self._feed if message is None else self._feed_of(message)
        self._hub.quarantine(feed, reason, frame)
        self._complain(self._bound, frame, words)
        self._bad += 1
        if self._bad >= MOST_BAD:
            self.drop(f"{MOST_BAD} messages in a row that cannot be used")

    def _complain(self, to: str | None, frame: bytes, words: list[str]) -> None:
        if self._errors.admits():
            self._reply(replies.error(self._own, to, self._wall(), frame, words))

    def _ask(self, node: NodeFeed) -> None:
        """A sensor whose heartbeat is late is asked for it, once, if it registered that it can be."""
        node.asked = True
        if not node.node.takes_requests:
            return
        with contextlib.suppress(replies.TaskRefused):
            self._reply(replies.status_request(self._own, node.node, self._wall()))

    def _reply(self, message: SapientMessage) -> None:
        node = self.nodes.get(message.destination_id)
        replies.check(message, None if node is None else node.node)
        try:
            self._replies.put_nowait(message)
        except asyncio.QueueFull:
            self._hub.counted(self._feed, "answer-dropped: it does not read", 1)

    async def _speak(self) -> None:
        while True:
            message = await self._replies.get()
            try:
                await self._link.send(message)
            except ConnectionError as error:
                self.drop(str(error))
                return

    def _leave(self, words: str) -> None:
        for node in self.nodes.values():
            node.lost(words)
        self.nodes.clear()
        self._changed()

    def _wall(self) -> float:
        clock = self._hub.clock
        return clock.to_wall(clock.now())

    @property
    def _feed(self) -> str:
        """Where what is not clearly of one node is counted: at the node that the connection is bound to."""
        node = self.nodes.get(self._bound or "")
        return self._name if node is None else node.feed

    def _feed_of(self, message: SapientMessage) -> str:
        node = self.nodes.get(message.node_id)
        return self._feed if node is None else node.feed
