"""The outbox: who still has to be told, as a fold of the log.

One entry a recipient and alert, always the freshest revision: an older one that was not sent yet is
replaced and counted as shed, never queued behind the news. An entry stays until a person
acknowledges it, the alert ends or it expires, so that after a crash nobody un-acknowledged is
forgotten (they get the same id and revision again).
"""

from dataclasses import dataclass, field

import msgspec

from vedette.model.alert import Receipt
from vedette.model.event import AlertChange, Body, Clear, Deliver
from vedette.model.threat import LEVEL_RANK

CLEAR_S = 60.0
Key = tuple[str, str]
"""(alert, recipient)."""


@dataclass
class Entry:
    """What one recipient has to be told; ``sent`` names the channels that took this revision."""

    message: Deliver | Clear
    recipient: str
    cause: float | None = None
    """When the bytes behind it reached the station, for the time it took to send."""
    sent: set[str] = field(default_factory=set)

    @property
    def expires(self) -> float:
        """Station time after which it is no longer news; the end of an alert is news for a minute."""
        alert = self.message.alert
        return max(alert.expires, alert.time + CLEAR_S) if isinstance(self.message, Clear) else alert.expires

    @property
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
        waiting = [e for e in self.entries.values() if channel not in e.sent]
        return sorted(waiting, key=lambda e: e.urgency)

    def holds(self, entry: Entry) -> bool:
        """True while ``entry`` has not been replaced, acknowledged or dropped."""
        return self.entries.get((entry.message.alert.alert, entry.recipient)) is entry

    def resend(self, alert: str, recipients: tuple[str, ...]) -> None:
        """Make entries of these recipients due again (escalation, or a channel that came back)."""
        for recipient in recipients:
            entry = self.entries.get((alert, recipient))
            if entry is not None:
                entry.sent.clear()

    def _replace(self, entry: Entry) -> None:
        key = (entry.message.alert.alert, entry.recipient)
        held = self.entries.get(key)
        if held is not None and not held.sent and not isinstance(entry.message, Clear):
            self.shed += 1
        self.entries[key] = entry

    def _receipt(self, receipt: Receipt) -> None:
        entry = self.entries.get((receipt.alert, receipt.recipient))
        if entry is None or receipt.revision < entry.message.alert.revision:
            return
        if receipt.fact == "acknowledged" or isinstance(entry.message, Clear):
            del self.entries[receipt.alert, receipt.recipient]
        else:
            entry.sent.add(receipt.channel)

    def _acknowledged(self, alert: str) -> None:
        """The desk has it in hand: those not yet reached are still told, nobody is told again."""
        done = [key for key, entry in self.entries.items() if key[0] == alert and entry.sent]
        for key in done:
            del self.entries[key]

    def _expire(self, at: float) -> None:
        for key in [key for key, entry in self.entries.items() if entry.expires < at]:
            del self.entries[key]
