"""What people and their phones answered, one alert at a time: many answers at once cost what one does."""

from collections.abc import Sequence

from vedette.model.alert import Receipt
from vedette.model.event import Intent
from vedette.warn.book import Book
from vedette.warn.desk import Desk
from vedette.warn.held import Held


def answered(book: Book, held: Held, receipts: Sequence[Receipt], at: float) -> list[Intent]:
    """Take the receipts of one alert. Those of the unit itself come first where they acknowledge: only they
    end the asking."""
    told = {*held.alert.units, *held.told}
    good = []
    for receipt in receipts:
        if not 1 <= receipt.revision <= held.alert.revision:
            book.counts["receipt-of-unknown-revision"] += 1
        elif receipt.recipient not in told:
            book.counts["receipt-not-from-a-recipient"] += 1
        else:
            good.append(receipt)
    news = [receipt for receipt in held.receipts.take(good) if receipt.fact == "acknowledged"]
    desk, intents = Desk(book, at), []
    own = [receipt for receipt in news if receipt.recipient in held.alert.units]
    for receipt in own:
        person = receipt.by or receipt.recipient
        intents += desk.acknowledge(held, person, receipt.revision, receipt.channel)
    others = [receipt for receipt in news if receipt.recipient not in held.alert.units]
    return [*intents, *desk.heard_of(held, others)]
