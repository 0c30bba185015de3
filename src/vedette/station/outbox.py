"""The outbox: who still has to be told, as a fold of the log.

One entry a recipient and alert, always the freshest revision: an older one that was not sent yet is
replaced and counted as shed, never queued behind the news. An entry stays until a person
acknowledges it, the alert ends or it expires, so that after a crash nobody un-acknowledged is
forgotten (they get the same id and revision again).
"""

import heapq
import math
from dataclasses import dataclass, field
from functools import cached_property

import msgspec

from vedette.model.alert import Receipt
from vedette.model.event import AlertChange, Body, Clear, Deliver
from vedette.model.threat import LEVEL_RANK

CLEAR_S = 60.0
EXPIRE_S = 1.0
MOST = 20_000
"""Entries held; beyond, the least urgent are shed, and the count is shown."""
Key = tuple[str, str]
"""(alert, recipient)."""


@dataclass(eq=False)
class Entry:
    """What one recipient has to be told; ``sent`` names the channels that took this revision."""

    message: Deliver | Clear
    recipient: str
    cause: float | None = None
    """When the bytes behind it reached the station, for the time it took to send."""
    sent: set[str] = field(default_factory=set)

    @property
    def key(self) -> Key:
        """What it replaces and is replaced by."""
        return (self.message.alert.alert, self.recipient)

    @property
    def expires(self) -> float:
        """Station time after which it is no longer news; the end of an alert is news for a minute."""
        alert = self.message.alert
        return max(alert.expires, alert.time + CLEAR_S) if isinstance(self.message, Clear) else alert.expires

    @cached_property
    def urgency(self) -> tuple[int, float, str]:
        """Sorts the worst and soonest first; the dead (cleared) last."""
        alert = self.message.alert
        rank = -1 if isinstance(self.message, Clear) else LEVEL_RANK[alert.level]
        soonest = alert.time_to_impact_s[0] if alert.time_to_impact_s else float("inf")
        return (-rank, soonest, self.recipient)


class Outbox:
    """Entries by (alert, recipient). ``shed`` counts revisions that were replaced before being sent."""

    def __init__(self) -> None:
        self.entries: dict[Key, Entry] = {}
        self.shed = 0
        self._waiting: dict[str, dict[Key, Entry]] = {}
        self._expired_at = -math.inf

    def fold(self, body: Body, cause: float | None = None) -> None:
        """Take one event of the log; kinds that do not concern the outbox change nothing."""
        if isinstance(body, Deliver | Clear):
            for recipient in body.recipients:
                self._replace(Entry(body, recipient, cause))
        elif isinstance(body, Receipt):
            self._receipt(body)
        elif isinstance(body, AlertChange) and body.alert.state == "active-acked":
            self._acknowledged(body.alert.alert)

    def pending(self) -> tuple[tuple[Deliver, ...], tuple[Clear, ...]]:
        """All entries as messages to one recipient each, for a snapshot."""
        single = [
            msgspec.structs.replace(entry.message, recipients=(entry.recipient,))
            for entry in self.entries.values()
        ]
        deliveries = tuple(m for m in single if isinstance(m, Deliver))
        return deliveries, tuple(m for m in single if isinstance(m, Clear))

    def due(self, channel: str, at: float) -> list[Entry]:
        """Entries that ``channel`` has not taken yet, most urgent first; expired ones are dropped."""
        self._expire(at)
        return sorted(self._of(channel).values(), key=lambda entry: entry.urgency)

    def holds(self, entry: Entry) -> bool:
        """True while ``entry`` has not been replaced, acknowledged or dropped."""
        return self.entries.get(entry.key) is entry

    def sent(self, entry: Entry, channel: str) -> None:
        """``channel`` has taken this revision."""
        entry.sent.add(channel)
        self._of(channel).pop(entry.key, None)

    def resend(self, alert: str, recipients: tuple[str, ...]) -> None:
        """Make entries of these recipients due again (escalation, or a channel that came back)."""
        for recipient in recipients:
            entry = self.entries.get((alert, recipient))
            if entry is not None:
                entry.cause = None
                entry.sent.clear()
                self._wait(entry)

    def forget_sent(self) -> None:
        """After a restart nothing counts as sent: who did not acknowledge is told again."""
        for entry in self.entries.values():
            entry.sent.clear()
            self._wait(entry)

    def _of(self, channel: str) -> dict[Key, Entry]:
        """What waits for a channel; one that is asked for the first time has everything before it."""
        if channel not in self._waiting:
            self._waiting[channel] = {k: e for k, e in self.entries.items() if channel not in e.sent}
        return self._waiting[channel]

    def _wait(self, entry: Entry) -> None:
        for waiting in self._waiting.values():
            waiting[entry.key] = entry

    def _replace(self, entry: Entry) -> None:
        held = self.entries.get(entry.key)
        if held is not None and not held.sent and not isinstance(entry.message, Clear):
            self.shed += 1
        self.entries[entry.key] = entry
        self._wait(entry)
        if len(self.entries) > MOST:
            self._shed_least_urgent()

    def _shed_least_urgent(self) -> None:
        """Make room for a while; who is in danger soonest is never the one to go."""
        excess = len(self.entries) - MOST + MOST // 20
        for entry in heapq.nlargest(excess, self.entries.values(), key=lambda held: held.urgency):
            self.shed += 1
            self._drop(entry.key)

    def _drop(self, key: Key) -> None:
        del self.entries[key]
        for waiting in self._waiting.values():
            waiting.pop(key, None)

    def _receipt(self, receipt: Receipt) -> None:
        entry = self.entries.get((receipt.alert, receipt.recipient))
        if entry is None or receipt.revision < entry.message.alert.revision:
            return
        if receipt.fact == "acknowledged" or isinstance(entry.message, Clear):
            self._drop(entry.key)
        else:
            self.sent(entry, receipt.channel)

    def _acknowledged(self, alert: str) -> None:
        """The desk has it in hand: those not yet reached are still told, nobody is told again."""
        for key in [key for key, entry in self.entries.items() if key[0] == alert and entry.sent]:
            self._drop(key)

    def _expire(self, at: float) -> None:
        if at - self._expired_at < EXPIRE_S:
            return
        self._expired_at = at
        for key in [key for key, entry in self.entries.items() if entry.expires < at]:
            self._drop(key)
