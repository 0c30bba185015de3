"""The four facts of every message, kept apart: accepted, on the device, shown, acknowledged."""

from msgspec import Struct

from vedette.model.alert import FACT_RANK, Receipt

MAX_PER_ALERT = 4096
"""A counterpart that floods one alert with receipts fills its own share, not the memory."""


class ReceiptBook(Struct):
    """Receipts of one alert in the order in which they became known.

    Facts only rise for each (revision, recipient, channel): a fact that is known, or that a later
    fact implies, adds nothing.
    """

    kept: list[Receipt] = []

    def take(self, receipt: Receipt) -> bool:
        """Keep ``receipt`` if it says something new; True if it does."""
        rank = FACT_RANK[receipt.fact]
        if len(self.kept) >= MAX_PER_ALERT or any(
            FACT_RANK[old.fact] >= rank for old in self.kept if _key(old) == _key(receipt)
        ):
            return False
        self.kept.append(receipt)
        return True


def _key(receipt: Receipt) -> tuple[int, str, str]:
    return receipt.revision, receipt.recipient, receipt.channel
