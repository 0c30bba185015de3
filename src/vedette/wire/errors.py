"""The errors of the wire codecs. `wire` knows none of the nouns, so its errors stand apart from theirs.

WireError (ValueError)
+-- DecodeError    bytes that are not what they claim to be
+-- EncodeError    a value that the format cannot carry
+-- CaptureError   a file that is no readable capture
"""


class WireError(ValueError):
    """Base of the codec errors. ``reason`` is a short slug that callers count by."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class DecodeError(WireError):
    """Received bytes break the format; the message says which field and what was expected."""


class EncodeError(WireError):
    """A value does not fit the format; the message names the field and its limits."""


class CaptureError(WireError):
    """A capture file cannot be read; the message names the file and what to do."""
