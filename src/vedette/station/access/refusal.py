"""Why somebody was not let in."""

from vedette.model.errors import VedetteError


class Refused(VedetteError):
    """Not let in. The words are for whoever asked and tell a guesser nothing: not whether the name exists,
    nor which of the factors was wrong. ``cause`` is for the record; ``wait_s``: when to ask again."""

    def __init__(self, words: str, cause: str, wait_s: float = 0.0) -> None:
        super().__init__(words)
        self.cause, self.wait_s = cause, wait_s


WRONG = "the name, the password or the code is wrong"
EXPIRED = "sign in again"


def wrong(cause: str) -> Refused:
    """One and the same answer for everything that does not fit."""
    return Refused(WRONG, cause)


def expired(cause: str) -> Refused:
    """What was shown is no longer, or never was, good for anything."""
    return Refused(EXPIRED, cause)
