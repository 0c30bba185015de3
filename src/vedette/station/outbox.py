"""The outbox: who still has to be told, as a fold of the log.

One entry a recipient and alert, always the freshest revision: an older one that was not sent yet is
replaced and counted as shed, never queued behind the news. An entry stays until a person
acknowledges it, the alert ends or it expires, so that after a crash nobody un-acknowledged is
forgotten (they get the same id and revision again).
"""

import heapq
import math
from collections.abc import Callable, Iterable

import msgspec

from vedette.model.alert import Receipt
from vedette.model.event import AlertChange, Body, Clear, Deliver, Receipts
from vedette.model.threat import LEVEL_RANK

CLEAR_S = 60.0
EXPIRE_S = 1.0
MOST = 100_000
"""Entries held; beyond, the least urgent are shed, and the count is shown."""
Key = tuple[str, str]
"""(alert, recipient)."""


class Entry:
    """What one recipient has to be told; ``sent`` names the channels that took this revision. ``cause``: when
    the bytes behind it reached the station, for the time it took to send."""

    __slots__ = ("cause", "key", "message", "recipient", "sent", "urgency")

    def __init__(
        self,
        message: Deliver | Clear,
        recipient: str,
        cause: float | None = None,
        grade: tuple[int, float] | None = None,
    ) -> None:
        self.message = message
        self.recipient = recipient
        self.cause = cause
        self.sent: tuple[str, ...] = ()
        self.key: Key = (message.alert.alert, recipient)
        """What it replaces and is replaced by."""
        self.urgency = (*(grade or grade_of(message)), recipient)
        """Sorts the worst and soonest first; the dead (cleared) last."""

    def may(self, channel: str) -> bool:
        """True if this message may go by ``channel`` now."""
        message = self.message
        if isinstance(message, Clear):
            return True
        return channel not in message.later and (not message.channels or channel in message.channels)

    @property
    def expires(self) -> float:
        """Station time after which it is no longer news; the end of an alert is news for a minute."""
        alert = self.message.alert
        return max(alert.expires, alert.time + CLEAR_S) if isinstance(self.message, Clear) else alert.expires


def grade_of(message: Deliver | Clear) -> tuple[int, float]:
    """How urgent it is, whoever reads it."""
    alert = message.alert
    rank = -1 if isinstance(message, Clear) else LEVEL_RANK[alert.level]
    return -rank, alert.time_to_impact_s[0] if alert.time_to_impact_s else math.inf


class Outbox:
    """Entries by (alert, recipient). ``shed`` counts revisions that were replaced before being sent."""

    def __init__(self) -> None:
        self.entries: dict[Key, Entry] = {}
        self.shed = 0
        self._of_alert: dict[str, dict[str, Entry]] = {}
        self._of_recipient: dict[str, dict[str, Entry]] = {}
        self._waiting: dict[str, dict[Key, Entry]] = {}
        self._expired_at = -math.inf

    def fold(self, body: Body, cause: float | None = None) -> None:
        """Take one event of the log; kinds that do not concern the outbox change nothing."""
        if isinstance(body, Deliver | Clear):
            self.address(body, body.recipients, cause)
        elif isinstance(body, Receipt):
            self._receipt(body)
        elif isinstance(body, Receipts):
            for receipt in body.receipts:
                self._receipt(receipt)
        elif isinstance(body, AlertChange) and body.alert.state == "active-acked":
            self._acknowledged(body.alert.alert)

    def address(
        self, message: Deliver | Clear, recipients: Iterable[str], cause: float | None = None
    ) -> None:
        """Take a message for some of those it is for."""
        grade, revision = grade_of(message), message.alert.revision
        alert, waiting = message.alert.alert, tuple(self._waiting.values())
        of_alert = self._of_alert.setdefault(alert, {})
        for recipient in recipients:
            held = of_alert.get(recipient)
            if held is not None:
                if held.message.alert.revision > revision:
                    self.shed += 1
                    continue
                self.shed += not held.sent and _is_newer(message, held.message)
            entry = Entry(message, recipient, cause, grade)
            key = entry.key
            self.entries[key] = of_alert[recipient] = entry
            self._of_recipient.setdefault(recipient, {})[alert] = entry
            for one in waiting:
                one[key] = entry
        if not of_alert:
            del self._of_alert[alert]
        if len(self.entries) > MOST:
            self._shed_least_urgent()

    def pending(self) -> tuple[tuple[Deliver, ...], tuple[Clear, ...]]:
        """All entries as messages, each with those of its recipients who are still to be told, for a
        snapshot."""
        of_message: dict[int, tuple[Deliver | Clear, list[str]]] = {}
        for entry in self.entries.values():
            of_message.setdefault(id(entry.message), (entry.message, []))[1].append(entry.recipient)
        left = [msgspec.structs.replace(m, recipients=tuple(names)) for m, names in of_message.values()]
        deliveries = tuple(m for m in left if isinstance(m, Deliver))
        return deliveries, tuple(m for m in left if isinstance(m, Clear))

    def due(self, channel: str, at: float, reaches: Callable[[str], bool] | None = None) -> list[Entry]:
        """Entries that ``channel`` may take and has not taken yet, most urgent first; expired ones are
        dropped. ``reaches``: only those whom it reaches now."""
        self._expire(at)
        waiting: Iterable[Entry] = self._of(channel).values()
        if reaches is not None:
            waiting = [entry for entry in waiting if reaches(entry.recipient)]
        return sorted([entry for entry in waiting if entry.may(channel)], key=_urgency)

    def holds(self, entry: Entry) -> bool:
        """True while ``entry`` has not been replaced, acknowledged or dropped."""
        return self.entries.get(entry.key) is entry

    def sent(self, entry: Entry, channel: str) -> None:
        """``channel`` has taken this revision."""
        if channel not in entry.sent:
            entry.sent = (*entry.sent, channel)
        waiting = self._of(channel)
        if waiting.get(entry.key) is entry:
            del waiting[entry.key]

    def handed(self, entry: Entry, channel: str) -> None:
        """``channel`` has it in hand: it is not due there until `sent` or `kept` says what became of it."""
        self._of(channel).pop(entry.key, None)

    def kept(self, entry: Entry, channel: str) -> None:
        """``channel`` could not take it: it is due there once more, if it is still to be told."""
        if self.holds(entry):
            self._of(channel)[entry.key] = entry

    def again(self, channel: str, recipient: str) -> bool:
        """Somebody came back by ``channel``: what they have not acknowledged waits for it once more. True if
        there is anything."""
        waiting, held = self._of(channel), self._of_recipient.get(recipient, {})
        for entry in held.values():
            entry.sent = tuple(one for one in entry.sent if one != channel)
            waiting[entry.key] = entry
        return bool(held)

    def forget_sent(self) -> None:
        """After a restart nothing counts as sent: who did not acknowledge is told again."""
        for entry in self.entries.values():
            entry.sent = ()
            self._wait(entry)

    def _of(self, channel: str) -> dict[Key, Entry]:
        """What waits for a channel; one that is asked for the first time has everything before it."""
        if channel not in self._waiting:
            self._waiting[channel] = {k: e for k, e in self.entries.items() if channel not in e.sent}
        return self._waiting[channel]

    def _wait(self, entry: Entry) -> None:
        for waiting in self._waiting.values():
            waiting[entry.key] = entry

    def _shed_least_urgent(self) -> None:
        """Make room for a while; who is in danger soonest is never the one to go."""
        excess = len(self.entries) - MOST + MOST // 20
        for entry in heapq.nlargest(excess, self.entries.values(), key=_urgency):
            self.shed += 1
            self._drop(entry)

    def _drop(self, entry: Entry) -> None:
        alert, recipient = entry.key
        del self.entries[entry.key]
        for index, name, other in (
            (self._of_alert, alert, recipient),
            (self._of_recipient, recipient, alert),
        ):
            del index[name][other]
            if not index[name]:
                del index[name]
        for waiting in self._waiting.values():
            waiting.pop(entry.key, None)

    def _receipt(self, receipt: Receipt) -> None:
        entry = self.entries.get((receipt.alert, receipt.recipient))
        if entry is None or receipt.revision < entry.message.alert.revision:
            return
        if receipt.fact == "acknowledged" or isinstance(entry.message, Clear):
            self._drop(entry)
        else:
            self.sent(entry, receipt.channel)

    def _acknowledged(self, alert: str) -> None:
        """The desk has it in hand: those not yet reached are still told, nobody is told again."""
        for entry in [entry for entry in self._of_alert.get(alert, {}).values() if entry.sent]:
            self._drop(entry)

    def _expire(self, at: float) -> None:
        if at - self._expired_at < EXPIRE_S:
            return
        self._expired_at = at
        for entry in [entry for entry in self.entries.values() if entry.expires < at]:
            self._drop(entry)


def _urgency(entry: Entry) -> tuple[int, float, str]:
    return entry.urgency


def _is_newer(message: Deliver | Clear, than: Deliver | Clear) -> bool:
    """True if an older revision is given up for it: an escalation repeats the same one."""
    return isinstance(message, Deliver) and message.alert.revision > than.alert.revision
