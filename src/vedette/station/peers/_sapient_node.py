"""One registered SAPIENT node on its way to the hub: its feed, its signs of life, what is wrong with it."""

from typing import Protocol

from vedette.geo import convert_height
from vedette.model import DatumError, Detection
from vedette.sense.sapient import NORTHS, NodeAdapter
from vedette.sense.sapient_nodes import STATUS_TROUBLES, Node, printable, troubles_of
from vedette.station.ports import Hub
from vedette.wire.sapient import SapientMessage

MISSED = 3
"""Heartbeats that may be missed before a node is taken for silent."""
TROUBLE_S = 60.0
"""How long what happened once is shown."""
ALERT_S = 300.0
MOST_ALERTS = 8
PLACE_S = 2.0
"""A node gives its place in its first status, which follows its registration at once."""
NEVER_TASKED = "present, never tasked"
_ENDED = ("reject", "ignore", "clear")


class Connection(Protocol):
    """Where a node is connected; nodes only hold on to it."""

    def forget(self, node: "NodeFeed") -> None:
        """The node has gone over to another connection."""
        ...


class NodeFeed:
    """``feed``: its name at the desk. ``connection``: where it is registered, None while it is away.

    Times are loop time, but for ``sent`` and ``received``, which are station time.
    """

    def __init__(self, hub: Hub, feed: str, sensor: str, node: Node, now: float) -> None:
        self.feed, self.sensor, self.node = feed, sensor, node
        self.adapter = NodeAdapter(sensor, node)
        self.connection: Connection | None = None
        self.heard_at = self.status_at = self._registered_at = now
        self.silent = False
        self.asked = False
        self._hub = hub
        self._detected = False
        self._told: dict[str, int] = {}
        self._shown: dict[str, float] = {}
        self._alerts: dict[str, float] = {}

    @property
    def due_s(self) -> float:
        """Longest time between two signs of life of a node that keeps its word."""
        return MISSED * self.node.interval_s

    @property
    def watches(self) -> bool:
        """True while it gives signs of life and can see."""
        return self.connection is not None and not self.silent and (self._detected or not self.node.effector)

    def register(self, node: Node, connection: Connection, now: float) -> None:
        """The node is accepted here, for the first time or again: what it said of itself before is over."""
        self.node = node
        self._tell_counts()
        self.adapter, self._told = NodeAdapter(self.sensor, node), {}
        self.connection = connection
        self.heard_at = self.status_at = self._registered_at = now
        self.silent = self.asked = self._detected = False
        self._alerts.clear()
        for what in list(self._shown):
            self._show(what, None)
        stated_s = node.stated_interval_s
        if node.interval_s != stated_s:
            words = (
                f"registered a heartbeat every {stated_s:g} s; it is looked for every {node.interval_s:g} s"
            )
            self._show("interval", words)
        self._tell_state()

    def hear(self, sent: float, received: float, now: float) -> None:
        """An intact message of this node."""
        self.heard_at, self.asked = now, False
        self.adapter.note(sent, received)
        self._hub.heard(self.feed, sent, due_s=self.due_s)
        if self.silent:
            self.silent = False
            self._tell_state()

    def status(self, message: SapientMessage, now: float) -> None:
        """A StatusReport other than a goodbye."""
        self.status_at = now
        self._show("no-status", None)
        self.adapter.status(message)
        troubles = troubles_of(message.status_report)
        unchanged = message.status_report.info == message.status_report.INFO_UNCHANGED
        for what in STATUS_TROUBLES:
            if what in troubles or not unchanged:
                self._show(what, troubles.get(what))
        self.show_profile()
        self._show_place()
        known = self.adapter.mode in self.node.speed_units
        self._show(
            "mode",
            None if known else f"in a mode that it did not register: {printable(message.status_report.mode)}",
        )

    def detection(
        self,
        message: SapientMessage,
        *,
        sent: float,
        received: float,
        tolerated_s: tuple[float, float],
        now: float,
    ) -> Detection | None:
        """What a DetectionReport says; None if it says nothing, which is counted."""
        raised = self.adapter.raised
        found = self.adapter.detection(message, sent=sent, received=received, tolerated_s=tolerated_s)
        if found is not None and not self._detected:
            self._detected = True
            if self.node.effector:
                self._tell_state()
        if raised != self.adapter.raised:
            self.show_profile()
        if self.adapter.place is None and "no-position" not in self._shown:
            self._show_place()
        if self.adapter.counts.total() != sum(self._told.values()):
            self._tell_counts(now)
        return found

    def alert(self, message: SapientMessage, now: float) -> None:
        """An Alert of the node, shown until it clears it or five minutes have passed."""
        alert = message.alert
        status = alert.AlertStatus.Name(alert.status).removeprefix("ALERT_STATUS_").lower()
        if status in _ENDED:
            self._alerts.pop(alert.alert_id, None)
            if not self._alerts:
                self._show("alert", None)
            return
        self._alerts[alert.alert_id] = now + ALERT_S
        while len(self._alerts) > MOST_ALERTS:
            del self._alerts[next(iter(self._alerts))]
        kind = alert.AlertType.Name(alert.alert_type).removeprefix("ALERT_TYPE_").replace("_", " ").lower()
        said = printable(alert.description) or "without words"
        more = f" (and {len(self._alerts) - 1} more)" if len(self._alerts) > 1 else ""
        self._show("alert", f"its alert ({kind}): {said}{more}", now + ALERT_S)

    def complaint(self, message: SapientMessage, now: float) -> None:
        """An Error that the node answered us with."""
        self._hub.counted(self.feed, "error-from-node", 1)
        said = printable("; ".join(message.error.error_message[:3])) or "without words"
        self._show("error-from-node", f"it could not use a message of ours: {said}", now + TROUBLE_S)

    def contested(self, words: str, now: float) -> None:
        """Somebody else says that they are this node."""
        self._show("contested", words, now + TROUBLE_S)

    def lost(self, words: str) -> None:
        """Its connection is gone without a goodbye."""
        self._leave()
        self._hub.feed(self.feed, "down", words)

    def goodbye(self) -> None:
        """It said that it leaves."""
        self._leave()
        self._hub.feed(self.feed, "ended", "said goodbye")

    def check(self, now: float) -> None:
        """Look whether its heartbeat is there, and end what has been shown for long enough."""
        for what in [what for what, until in self._shown.items() if until <= now]:
            self._show(what, None)
        if self.connection is None:
            return
        if now - self._registered_at > PLACE_S:
            self._show_place()
        if not self.silent and now - self.heard_at > self.due_s:
            self.silent = True
            self._hub.feed(self.feed, "down", self._no_status(now))
        elif not self.silent and now - self.status_at > self.due_s and "no-status" not in self._shown:
            self._show("no-status", self._no_status(now))

    def show_profile(self) -> None:
        """Hand on where its sensor stands, if that is news."""
        profile = self.adapter.profile()
        if profile is not None:
            self._hub.sensor(self.feed, profile)

    def _leave(self) -> None:
        self.connection = None
        self.silent = self.asked = False
        self._tell_counts()
        self._alerts.clear()
        for what in list(self._shown):
            self._show(what, None)

    def _no_status(self, now: float) -> str:
        return f"no status for {now - self.status_at:.0f} s (registered: every {self.node.interval_s:g} s)"

    def _tell_state(self) -> None:
        types = ", ".join(name.lower().replace("_", " ") for name in self.node.types)
        about = f"{types}, heartbeat every {self.node.interval_s:g} s"
        self._hub.kind(self.feed, (self.node.kind,), senses=not self.node.effector or self._detected)
        if not self.node.effector:
            self._hub.feed(self.feed, "watching", about)
            return
        # An effector watches nothing, unless it shows that it does.
        self._hub.feed(self.feed, "watching" if self._detected else "connecting", f"{NEVER_TASKED}: {about}")

    def _show(self, what: str, words: str | None, until: float = float("inf")) -> None:
        if words is None:
            if self._shown.pop(what, None) is not None:
                self._hub.trouble(self.feed, what, None)
            return
        self._shown[what] = until
        self._hub.trouble(self.feed, what, words)

    def _show_place(self) -> None:
        """What keeps its measurements from being placed, if they count from its own place."""
        place = self.adapter.place
        missing = height = None
        if self.node.stands_somewhere and place is None:
            missing = "no position reported yet: what it measures cannot be placed"
        elif self.node.stands_somewhere and place is not None and place.alt_m is None:
            height = f"gives its place without a height: configure the sensor {self.sensor}"
        elif self.node.stands_somewhere and place is not None and place.alt_m is not None:
            site = self._hub.site
            try:
                convert_height(
                    place.alt_m, place.alt_datum, site.alt_datum, geoid_height_m=site.geoid_height_m
                )
            except DatumError as error:
                height = f"its height does not fit the site's: {error}"
        for what, words in (("no-position", missing), ("height", height)):
            if words is not None or what in self._shown:
                self._show(what, words)

    def _tell_counts(self, now: float | None = None) -> None:
        for reason, count in self.adapter.counts.items():
            new = count - self._told.get(reason, 0)
            if new:
                self._hub.counted(self.feed, reason, new)
                if reason in NORTHS and now is not None:
                    self._show("azimuth", f"{reason}: set it to true north", now + TROUBLE_S)
            self._told[reason] = count
