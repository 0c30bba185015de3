"""How long to wait after wrong attempts: pure arithmetic on a tally and a time.

A lock that anybody can close is a weapon: who fails on purpose in the watch officer's name would keep the
watch officer out. So there is no lock, only a wait that doubles up to a limit, and it is counted apart for

- a *device* on which this person has signed in before: others cannot add to its tally;
- the *name*, for all other devices together: this is what slows a guesser down, from however many addresses;
- the *address*, for all names together, on devices that are not known.

An attempt during the wait is refused unseen: it costs no hashing, and does not make the wait longer. A
security key cannot be guessed, so signing in with one does not ask the tally of the name.
(OWASP, "Slow Down Online Guessing Attacks with Device Cookies".)
"""

from msgspec import Struct

FORGET_S = 24 * 3600.0
"""A tally to which nothing was added for so long is forgotten."""


class Limit(Struct, frozen=True):
    """``free`` failures cost nothing; then the wait is ``first_s``, doubling up to ``most_s``."""

    free: int
    first_s: float
    most_s: float


DEVICE = Limit(free=5, first_s=1.0, most_s=30.0)
NAME = Limit(free=5, first_s=1.0, most_s=900.0)
ADDRESS = Limit(free=20, first_s=1.0, most_s=60.0)


class Tally(Struct, frozen=True):
    """``failures`` in a row, the last at ``last`` (Unix seconds)."""

    failures: int = 0
    last: float = 0.0


def delay_s(failures: int, limit: Limit) -> float:
    """The wait that so many failures in a row are worth."""
    beyond = failures - limit.free
    if beyond <= 0:
        return 0.0
    # Beyond 2^40 s every limit is long reached; the power must not overflow.
    return min(limit.most_s, limit.first_s * 2.0 ** min(beyond - 1, 40))


def wait_s(tally: Tally, now: float, limit: Limit) -> float:
    """Seconds until the next attempt is looked at; never more than ``limit.most_s``, also when the clock was
    set back."""
    delay = delay_s(tally.failures, limit)
    return min(delay, max(0.0, tally.last + delay - now))


def failed(tally: Tally, now: float) -> Tally:
    """The tally after one more failure."""
    before = 0 if now - tally.last > FORGET_S else tally.failures
    return Tally(before + 1, now)
