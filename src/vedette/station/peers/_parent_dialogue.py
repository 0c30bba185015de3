"""What is said between this station and a parent SAPIENT node, apart from the socket.

A parent may ask for the registration and for a status report. It can ask for nothing else: this is a
warning system, and no message of anybody makes it act. Its alerts are shown at the desk, its
acknowledgements counted: a node is no person, so that they never become receipts.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Literal, Protocol, runtime_checkable

import msgspec
from sapient_msg.bsi_flex_335_v2_0 import alert_ack_pb2 as alert_ack_proto
from sapient_msg.bsi_flex_335_v2_0 import alert_pb2 as alert_proto
from sapient_msg.bsi_flex_335_v2_0 import status_report_pb2 as status_proto
from sapient_msg.bsi_flex_335_v2_0 import task_pb2 as task_proto

from vedette.express import sapient as express
from vedette.express.sapient_node import Node
from vedette.express.sapient_registration import registration
from vedette.model import Frame, InputError, Track
from vedette.station.peers._parent_alerts import AlertLedger
from vedette.station.ports import Hub
from vedette.station.view import View, drone_sensors
from vedette.wire.sapient import SapientError, SapientMessage, is_uuid4, read_message, timestamp_s, validate

QUIET_S = 86_400.0
"""A parent owes no sign of life: a day without one proves nothing."""
STALE_S = 5.0
"""A picture that is older means that the station itself stands still."""
SPACING_S = 0.08
"""The least time between two reports of one object (conformance rule of Apex)."""
OBJECT_S, MOST_FAULTS, MAX_FAULT = 1.0, 8, 200
"""An Error goes out once a second at most, with the first faults of the message."""
MOST_REPLIES = 256
MOST_ALERTS, MOST_SENT = 16, 20_000
ALERT_SHOWN_S, ERROR_SHOWN_S = 600.0, 60.0
WORDS = 80
REFUSAL = "not supported: warning system, no control"

Request = Literal["registration", "status"]
REQUESTS: dict[str, Request] = {"registration": "registration", "status": "status"}
"""The requests that are answered, by their names in lower case. Every other task is refused."""


@runtime_checkable
class Viewed(Protocol):
    """A station that can say how its sensors are."""

    def view(self) -> View:
        """The whole picture at station time now."""
        ...


class Refused(ConnectionError):
    """The parent does not take this node."""


def request_of(task: task_proto.Task) -> Request | None:
    """What a task asks for, if it is one of the two things that are done; None = refuse it."""
    if task.control != task_proto.Task.CONTROL_START or not task.HasField("command"):
        return None
    if task.command.WhichOneof("command") != "request":
        return None
    return REQUESTS.get(task.command.request.strip().lower())


def printable(text: str) -> str:
    """Text of strangers for the desk: one line, short, nothing that a screen would obey."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:WORDS]).strip()


class Dialogue:
    """One parent. ``node.site`` is set by `open`, ``node.exercise`` as the station says. ``counts``: what
    became of what was heard and of what could not be said."""

    def __init__(self, name: str, node: Node, most_tracks: int) -> None:
        self.counts: Counter[str] = Counter()
        self.ledger = AlertLedger()
        self.registered = False
        self.replies: deque[SapientMessage] = deque()
        self._name = name
        self._node = node
        self._most_tracks = most_tracks
        self._published = 0.0
        self._reported = -1.0
        self._told: tuple[express.Condition, str] | None = None
        self._objected = -1.0
        self._alerts: OrderedDict[str, str] = OrderedDict()
        self._sent: OrderedDict[str, None] = OrderedDict()
        self._until: dict[str, float] = {}

    def open(self, hub: Hub) -> None:
        """Called once the station is there, before anything else."""
        self._hub = hub
        self._node = msgspec.structs.replace(self._node, site=hub.site)
        self._published = hub.clock.now()
        self._look()

    def begin(self) -> None:
        """A new connection: the parent knows nothing of us."""
        self.registered = False
        self.replies.clear()
        self.ledger.begin()
        self._told = None
        for what in ("parent-alert", "parent-error", "alerts-refused"):
            self._settle(what)
        self._alerts.clear()

    # What is said ---------------------------------------------------------------------------------

    def registration(self) -> SapientMessage:
        """Who we are."""
        return registration(self._node, self._wall())

    def goodbye(self) -> SapientMessage:
        """We leave."""
        return express.goodbye(self._node, self._wall())

    def status(self) -> SapientMessage:
        """How we are; new if that differs from the last report of this connection."""
        now = self._look()
        changed, self._told = now != self._told, now
        return express.status(self._node, self._wall(), now[0], changed=changed)

    def condition_changed(self) -> bool:
        """True if the last report is no longer true."""
        return self._look() != self._told

    def note(self, frame: Frame) -> None:
        """The picture came: what alerts are news, and what of the desk's words is over."""
        self._published = frame.time
        self.ledger.note(self._hub.alerts())
        now = self._hub.clock.now()
        for what in [what for what, until in self._until.items() if until < now]:
            self._settle(what)

    def alert(self) -> tuple[SapientMessage, Callable[[], None]] | None:
        """The next alert, and what to call once it is sent; None if none waits."""
        alert = self.ledger.next()
        if alert is None:
            return None
        track = next((t for t in self._hub.picture().tracks if t.id == alert.track), None)
        try:
            message = express.alert(self._node, alert, track, self._wall())
        except InputError:
            self.counts["alert-place-not-on-earth"] += 1
            message = express.alert(self._node, alert, None, self._wall())

        def sent() -> None:
            self.ledger.took(alert)
            self._remember(message.alert.alert_id)

        return message, sent

    def picture(self, frame: Frame) -> list[SapientMessage]:
        """The tracks, the surest first, at the time of the frame."""
        at_wall = self._hub.clock.to_wall(frame.time)
        if abs(at_wall - self._reported) < SPACING_S:
            self.counts["picture-too-soon"] += 1
            return []
        self._reported = at_wall
        ranked = sorted(frame.tracks, key=lambda track: (-track.existence, track.id))
        if (beyond := len(ranked) - self._most_tracks) > 0:
            self.counts["tracks-beyond-limit"] += beyond
        made = (self._detection(track, frame.time, at_wall) for track in ranked[: self._most_tracks])
        return [message for message in made if message is not None]

    def _remember(self, alert: str) -> None:
        """Which alerts the parent may answer."""
        self._sent[alert] = None
        self._sent.move_to_end(alert)
        if len(self._sent) > MOST_SENT:
            self._sent.popitem(last=False)

    def _detection(self, track: Track, at: float, at_wall: float) -> SapientMessage | None:
        age_s = None if track.updated is None else at - track.updated
        try:
            return express.detection(self._node, track, at_wall, age_s)
        except InputError:
            self.counts["track-not-on-earth"] += 1
            return None

    def _wall(self) -> float:
        return self._hub.clock.to_wall(self._hub.clock.now())

    def _look(self) -> tuple[express.Condition, str]:
        """How the station is, and its mode; an exercise is known as one in all that is said."""
        hub = self._hub
        view = hub.view() if isinstance(hub, Viewed) else None
        exercise = hub.clock.speed != 1.0 or (view is not None and view.mode == "exercise")
        if exercise != self._node.exercise:
            self._node = msgspec.structs.replace(self._node, exercise=exercise)
        stands_still = hub.clock.now() - self._published > STALE_S * hub.clock.speed
        return condition_of(view, stands_still=stands_still), self._node.mode

    # What is heard --------------------------------------------------------------------------------

    def hear(self, frame: bytes) -> None:
        """One frame from the parent. Raises Refused."""
        try:
            message = read_message(frame)
        except SapientError as error:
            self._unusable(frame, error.reason, [str(error)], None)
            return
        if faults := validate(message):
            kind = f"invalid: {faults[0].kind}"
            self._unusable(frame, kind, [str(fault) for fault in faults], message)
        elif message.HasField("destination_id") and message.destination_id != self._node.id:
            self.counts["not-for-us"] += 1
        elif message.node_id == self._node.id:
            self.counts["in-our-name"] += 1
        else:
            self._sign_of_life(message)
            self._act_on(message)

    def _sign_of_life(self, message: SapientMessage) -> None:
        sent = timestamp_s(message)
        station_time = None if sent is None else self._hub.clock.from_wall(sent)
        self._hub.heard(self._name, station_time, due_s=QUIET_S)

    def _act_on(self, message: SapientMessage) -> None:
        content = message.WhichOneof("content")
        actions: dict[str | None, Callable[[SapientMessage], None]] = {
            "registration_ack": self._registration_ack,
            "task": self._task,
            "alert": self._alert,
            "alert_ack": self._alert_ack,
            "error": self._error,
            "status_report": self._status_report,
        }
        action = actions.get(content)
        if action is None or not (self.registered or content in ("registration_ack", "error")):
            self.counts[f"not-used: {content}"] += 1
            return
        self.counts[str(content)] += 1
        action(message)

    def _registration_ack(self, message: SapientMessage) -> None:
        answer = message.registration_ack
        if not answer.acceptance:
            reasons = printable("; ".join(answer.ack_response_reason)) or "no reason given"
            raise Refused(f"the parent refuses our registration: {reasons}")
        if not self.registered:
            self.registered = True
            self.ledger.note(self._hub.alerts())

    def _task(self, message: SapientMessage) -> None:
        wanted = request_of(message.task)
        self.counts["task-refused"] += wanted is None
        self._reply(
            express.task_ack(
                self._node,
                self._wall(),
                task=message.task.task_id,
                to=message.node_id,
                accepted=wanted is not None,
                reason=REFUSAL if wanted is None else f"{wanted} follows",
            )
        )
        if wanted is not None:
            self._reply(self.registration() if wanted == "registration" else self.status())

    def _alert(self, message: SapientMessage) -> None:
        """Shown until it ends, a newer one takes its place, or ten minutes have passed."""
        alert = message.alert
        over = alert.status in (
            alert_proto.Alert.ALERT_STATUS_CLEAR,
            alert_proto.Alert.ALERT_STATUS_IGNORE,
            alert_proto.Alert.ALERT_STATUS_REJECT,
        )
        self._alerts.pop(alert.alert_id, None)
        if not over:
            self._alerts[alert.alert_id] = printable(alert.description) or "no description"
            if len(self._alerts) > MOST_ALERTS:
                self._alerts.popitem(last=False)
        self._show_alerts()
        self._reply(
            express.alert_ack(
                self._node,
                self._wall(),
                alert=alert.alert_id,
                to=message.node_id,
                reason="shown at the desk" if not over else "taken off the desk",
            )
        )

    def _show_alerts(self) -> None:
        if not self._alerts:
            self._settle("parent-alert")
            return
        more = f" (and {len(self._alerts) - 1} more)" if len(self._alerts) > 1 else ""
        latest = self._alerts[next(reversed(self._alerts))]
        self._tell("parent-alert", f"alert from the parent node: {latest}{more}", ALERT_SHOWN_S)

    def _alert_ack(self, message: SapientMessage) -> None:
        """A node's word about one of our alerts: counted, and told if it does not take them."""
        answer = message.alert_ack
        if answer.alert_id not in self._sent:
            self.counts["alert-ack: unknown alert"] += 1
        elif answer.alert_ack_status == alert_ack_proto.AlertAck.ALERT_ACK_STATUS_ACCEPTED:
            self.counts["alert-ack: accepted"] += 1
            self._settle("alerts-refused")
        else:
            self.counts["alert-ack: not accepted"] += 1
            reasons = printable("; ".join(answer.reason)) or "no reason given"
            self._tell("alerts-refused", f"the parent node does not take our alert: {reasons}", ALERT_SHOWN_S)

    def _error(self, message: SapientMessage) -> None:
        words = printable("; ".join(message.error.error_message)) or "no reason given"
        self._tell("parent-error", f"the parent node objects: {words}", ERROR_SHOWN_S)

    def _status_report(self, message: SapientMessage) -> None:
        if message.status_report.system == status_proto.StatusReport.SYSTEM_GOODBYE:
            self._tell("parent-error", "the parent node said goodbye", ERROR_SHOWN_S)

    def _unusable(self, frame: bytes, reason: str, faults: list[str], message: SapientMessage | None) -> None:
        self._hub.quarantine(self._name, reason, frame)
        if not self.registered or (message is not None and message.WhichOneof("content") == "error"):
            return
        now = self._wall()
        if abs(now - self._objected) < OBJECT_S:
            self.counts["error-reply-withheld"] += 1
            return
        self._objected = now
        to = message.node_id if message is not None and is_uuid4(message.node_id) else None
        listed = [fault[:MAX_FAULT] for fault in faults[:MOST_FAULTS]]
        self._reply(express.error(self._node, now, packet=frame, faults=listed, to=to))

    def _reply(self, message: SapientMessage) -> None:
        """A parent that asks faster than it reads gets the latest answers."""
        if len(self.replies) >= MOST_REPLIES:
            self.counts["reply-shed"] += 1
            self.replies.popleft()
        self.replies.append(message)

    def _tell(self, what: str, words: str, for_s: float) -> None:
        self._until[what] = self._hub.clock.now() + for_s * self._hub.clock.speed
        self._hub.trouble(self._name, what, words)

    def _settle(self, what: str) -> None:
        if what == "parent-alert":
            self._alerts.clear()
        if self._until.pop(what, None) is not None:
            self._hub.trouble(self._name, what, None)


def condition_of(view: View | None, *, stands_still: bool) -> express.Condition:
    """How the station is, for a node that may rely on it: silence of ours must not look like safety.

    Counts and states, never names or addresses. ``view`` is None for a station that cannot say.
    """
    notes: list[express.Note] = []
    if stands_still:
        notes.append(("internal-fault", "error", "the station's picture stands still"))
    if view is None:
        notes.append(("other", "information", "the state of the sensors is not reported"))
        return express.Condition(tuple(notes))
    notes += _sensor_notes(view)
    if view.record.state == "degraded":
        notes.append(("internal-fault", "warning", "the record is degraded"))
    if view.clock.state == "unsynchronised":
        notes.append(("internal-fault", "warning", "the clock is not synchronised"))
    return express.Condition(tuple(notes))


def _sensor_notes(view: View) -> list[express.Note]:
    sensing = [feed.state for feed in drone_sensors(view.feeds)]
    silent = sum(state not in ("watching", "degraded") for state in sensing)
    degraded = sum(state == "degraded" for state in sensing)
    if not sensing:
        return [("not-detecting", "error", "no drone sensor is configured")]
    if silent == len(sensing):
        return [("not-detecting", "error", f"none of {len(sensing)} drone sensors gives data")]
    notes: list[express.Note] = []
    if silent:
        notes.append(("not-detecting", "warning", f"{silent} of {len(sensing)} drone sensors give no data"))
    if degraded:
        notes.append(
            ("internal-fault", "warning", f"{degraded} of {len(sensing)} drone sensors are degraded")
        )
    return notes
