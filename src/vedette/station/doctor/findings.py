"""What a doctor says: one finding a line."""

from typing import Literal

from msgspec import Struct

Verdict = Literal["good", "warning", "bad"]


class Finding(Struct, frozen=True, kw_only=True):
    """One thing that was looked at. ``advice`` says what to do when it is not good."""

    check: str
    verdict: Verdict
    found: str
    advice: str = ""
