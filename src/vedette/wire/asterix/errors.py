"""The error of the ASTERIX codec."""

from vedette.wire.errors import WireError


class AsterixError(WireError):
    """Bytes that are no plausible ASTERIX, or a message that ASTERIX cannot carry.

    ``reason`` is one of ``datagram`` (too short or too long), ``block-length``, ``empty-block``,
    ``category`` (not read here), ``edition`` (records of another edition, or damaged), ``missing-item``,
    ``range`` (an impossible value), ``text``, ``too-many-records``, ``time-of-day``.
    """
