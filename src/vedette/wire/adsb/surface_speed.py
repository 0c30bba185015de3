"""The movement field of a surface position: speed on the ground in steps that grow with it.

Source: RTCA DO-260B, 2.2.3.2.4.2, table 2-28.
"""

from vedette.wire.adsb.parity import AdsbEncodeError

_STEPS = (
    (2, 0.125, 0.125),
    (9, 1.0, 0.25),
    (13, 2.0, 0.5),
    (39, 15.0, 1.0),
    (94, 70.0, 2.0),
    (109, 100.0, 5.0),
)
"""First code of a range, its speed in knots, knots per code."""

FASTEST = 124
"""Code of 175 kt and more."""


def _speeds() -> tuple[float | None, ...]:
    table: list[float | None] = [None, 0.0]
    for code in range(2, FASTEST):
        first, lowest, step = max(row for row in _STEPS if row[0] <= code)
        table.append(lowest + (code - first) * step)
    return (*table, 175.0, None, None, None)


SPEEDS_KT = _speeds()
"""Speed of each code: the lower edge of its step; None = unknown or reserved."""


def speed_kt(code: int) -> float | None:
    """Knots of a 7-bit movement code, 0 = stopped; None = unknown."""
    return SPEEDS_KT[code]


def movement_code(knots: float | None) -> int:
    """The code of the step that holds a speed; None = 0, unknown.

    Raises:
        AdsbEncodeError: below zero or not a number.
    """
    if knots is None:
        return 0
    if not knots >= 0.0:
        raise AdsbEncodeError("speed", f"speed {knots} kt is below zero")
    return max(code for code in range(1, FASTEST + 1) if (SPEEDS_KT[code] or 0.0) <= knots)
