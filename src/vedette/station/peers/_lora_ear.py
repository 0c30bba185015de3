"""What a team says back: only its gateways, only under their keys, each frame once, and of alerts we sent."""

from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from vedette.model.alert import Receipt
from vedette.station.peers._line_feed import Budget
from vedette.station.peers._lora_team import Team
from vedette.station.peers._lora_words import short_id
from vedette.wire.errors import DecodeError, EncodeError
from vedette.wire.lora import (
    OUTSIDE,
    Purpose,
    RadioFactReport,
    ReplayWindow,
    decode_message,
    read_header,
)
from vedette.wire.lora.messages import LARGEST_REVISION

MOST_PER_S, BURST = 20, 40
"""Frames that are opened: what the fastest preset carries. It bounds the forgeries that can be tried."""
MOST_SENT = 4096
"""Revisions that an answer may still be about."""


@dataclass(eq=False)
class Sent:
    """One revision that went out: to whom, and as what."""

    alert: str
    revision: int
    purpose: Purpose
    recipients: set[str] = field(default_factory=set)


class Ear:
    """Frames of one team in, receipts out. ``refuse`` takes a reason and the bytes of what is not used."""

    def __init__(
        self, name: str, team: Team, now: Callable[[], float], refuse: Callable[[str, bytes], None]
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._name, self._units, self._refuse = name, team.units, refuse
        self._gateways = team.gateways()
        self._keys = frozenset(key.id for key in team.key)
        self._windows: dict[tuple[int, Purpose, int], ReplayWindow] = {}
        self._sent: OrderedDict[tuple[int, int], list[Sent]] = OrderedDict()
        self._budget = Budget(MOST_PER_S, BURST, now)

    def sent(self, alert: str, revision: int, purpose: Purpose, recipients: set[str]) -> None:
        """A revision went out; a second time adds who it was for."""
        key = (short_id(alert), min(revision, LARGEST_REVISION))
        held = self._sent.setdefault(key, [])
        same = next((sent for sent in held if sent.alert == alert and sent.purpose == purpose), None)
        if same is None:
            held.append(Sent(alert, revision, purpose, set(recipients)))
        else:
            same.recipients |= recipients
        self._sent.move_to_end(key)
        if len(self._sent) > MOST_SENT:
            self._sent.popitem(last=False)

    def take(self, frame: bytes, at: float) -> list[Receipt]:
        """What one frame says, as receipts at station time ``at``; all else is refused with a reason."""
        if not self._budget.admits():
            self._no("flooded", frame)
            return []
        try:
            report, purpose = self._open(frame)
        except (DecodeError, EncodeError) as error:
            self._no(error.reason, frame)
            return []
        sent = self._about(report, purpose)
        if sent is None:
            self._no("fact-of-unknown-alert", frame)
            return []
        receipts = self._receipts(report, sent, at)
        if not receipts:
            self._no("fact-of-unknown-member", frame)
        self.counts[report.fact] += len(receipts)
        return receipts

    def _open(self, frame: bytes) -> tuple[RadioFactReport, Purpose]:
        header = read_header(frame)
        if header.key_id not in self._keys:
            raise DecodeError("foreign", f"key {header.key_id} is not this team's")
        sealer = self._gateways.get((header.key_id, header.sender))
        if sealer is None:
            raise DecodeError("not-a-gateway", f"member {header.sender} may not speak for the team")
        opened = sealer.open(header, frame)
        window = self._windows.setdefault((header.key_id, header.purpose, header.sender), ReplayWindow())
        if not window.admits(header.counter):
            raise DecodeError("replayed", f"counter {header.counter} was used before")
        message = decode_message(opened)
        if not isinstance(message, RadioFactReport):
            raise DecodeError("not-a-fact", "a gateway tells what became of alerts, and raises none")
        return message, header.purpose

    def _about(self, report: RadioFactReport, purpose: Purpose) -> Sent | None:
        """The one revision that is meant. Two alerts whose short ids are the same answer to none."""
        held = self._sent.get((report.alert, report.revision), [])
        meant = [sent for sent in held if sent.purpose == purpose]
        return meant[0] if len(meant) == 1 else None

    def _receipts(self, report: RadioFactReport, sent: Sent, at: float) -> list[Receipt]:
        """Nobody who is not of the team acknowledges, and only an acknowledgement speaks for everybody."""
        by = self._units.get(report.by)
        if report.member == OUTSIDE:
            about = sorted(sent.recipients) if report.fact == "acknowledged" else []
        else:
            unit = self._units.get(report.member)
            about = [unit] if unit is not None and unit in sent.recipients else []
        if by is None:
            return []
        return [
            Receipt(
                time=at,
                alert=sent.alert,
                revision=sent.revision,
                recipient=unit,
                channel=self._name,
                fact=report.fact,
                by=by,
            )
            for unit in about
        ]

    def _no(self, reason: str, frame: bytes) -> None:
        self.counts[reason] += 1
        self._refuse(reason, frame)
