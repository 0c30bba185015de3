"""The four facts of every message, kept apart: accepted, on the device, shown, acknowledged."""

from collections.abc import Sequence

from msgspec import Struct

from vedette.model.alert import FACT_RANK, Receipt

MAX_PER_ALERT = 512
"""A counterpart that floods one alert with receipts fills its own share, not the memory: the oldest go, those
of a person last. No flood keeps an acknowledgement out."""


class ReceiptBook(Struct):
    """Receipts of one alert in the order in which they became known.

    Facts only rise for each (revision, recipient, channel): a fact that is known, or that a later
    fact implies, adds nothing.
    """

    kept: list[Receipt] = []

    def take(self, receipts: Sequence[Receipt]) -> list[Receipt]:
        """Keep those that say something new, and return them."""
        known: dict[tuple[int, str, str], int] = {}
        for old in self.kept:
            known[_key(old)] = max(FACT_RANK[old.fact], known.get(_key(old), 0))
        news = []
        for receipt in receipts:
            key, rank = _key(receipt), FACT_RANK[receipt.fact]
            if known.get(key, 0) < rank:
                known[key] = rank
                news.append(receipt)
        self.kept += news
        self._trim()
        return news

    def _trim(self) -> None:
        excess = len(self.kept) - MAX_PER_ALERT
        if excess <= 0:
            return
        weak = [n for n, old in enumerate(self.kept) if old.fact != "acknowledged"][:excess]
        gone = {*weak, *([] if len(weak) == excess else self._oldest(excess - len(weak)))}
        self.kept = [old for n, old in enumerate(self.kept) if n not in gone]

    def _oldest(self, count: int) -> list[int]:
        return [n for n, old in enumerate(self.kept) if old.fact == "acknowledged"][:count]


def _key(receipt: Receipt) -> tuple[int, str, str]:
    return receipt.revision, receipt.recipient, receipt.channel
