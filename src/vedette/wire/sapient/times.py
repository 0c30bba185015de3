"""Is the time in a message plausible? The standard's window round the time of receipt.

A node whose clock is off still sees drones. So a message out of the window is answered with an Error
but may be used at its time of receipt; only a time that no clock error explains makes it unusable.
"""

import enum

from msgspec import Struct

from vedette.wire.sapient.messages import SapientMessage


class TimeVerdict(enum.Enum):
    """What to do with a message, judged by its timestamp."""

    IN_WINDOW = "in-window"
    """Use it at its own time."""
    OUT_OF_WINDOW = "out-of-window"
    """Answer with an Error, count it, and use it at the time of receipt."""
    ABSURD = "absurd"
    """Answer with an Error, count it, and do not use it."""


class TimeWindow(Struct, frozen=True):
    """Limits of ``timestamp - received``, in seconds: too old below ``oldest_s``, too new above ``newest_s``.

    The defaults are the conformance window of Dstl's Apex middleware. ``absurd_s`` is our own: beyond
    a day, either way, an offset is no drift. ``strict`` takes nothing out of the window.
    """

    oldest_s: float = -0.9
    newest_s: float = 0.1
    absurd_s: float = 86_400.0
    strict: bool = False


DEFAULT_WINDOW = TimeWindow()


def timestamp_s(message: SapientMessage) -> float | None:
    """The time in the message, Unix seconds (UTC); None if it carries none."""
    if not message.HasField("timestamp"):
        return None
    return float(message.timestamp.seconds + message.timestamp.nanos / 1e9)


def judge_time(
    message: SapientMessage, received_s: float, window: TimeWindow = DEFAULT_WINDOW
) -> TimeVerdict:
    """Judge the timestamp of ``message``, received at ``received_s`` (Unix seconds); no time is absurd."""
    sent_s = timestamp_s(message)
    if sent_s is None:
        return TimeVerdict.ABSURD
    ahead_s = sent_s - received_s
    if window.oldest_s <= ahead_s <= window.newest_s:
        return TimeVerdict.IN_WINDOW
    if window.strict or not abs(ahead_s) <= window.absurd_s:
        return TimeVerdict.ABSURD
    return TimeVerdict.OUT_OF_WINDOW
