"""The 12-bit altitude code of an extended squitter: 25-foot binary steps, or 100-foot Gillham code.

Source: ICAO Annex 10 volume IV, 3.1.2.6.5.4 (the 13-bit AC field; here without its M bit) and its
appendix to chapter 3 (the table of Gillham codes).
"""

import math

from vedette.wire.adsb.parity import AdsbEncodeError

_Q = 0x010
_LOWEST_FT, _STEP_FT, _HIGHEST_FT = -1000.0, 25.0, 50175.0
_FIVE_HUNDREDS = (2, 0, 10, 8, 6, 5, 3, 1)
"""Bit numbers of D2 D4 A1 A2 A4 B1 B2 B4 in C1 A1 C2 A2 C4 A4 B1 Q B2 D2 B4 D4 (C1 is bit 11)."""
_HUNDREDS = (11, 9, 7)
"""Bit numbers of C1 C2 C4."""


def _gray(code: int, bits: tuple[int, ...]) -> int:
    value = 0
    for bit in bits:
        value = value << 1 | ((value & 1) ^ (code >> bit & 1))
    return value


def altitude_ft(code: int) -> float | None:
    """Feet of a 12-bit altitude code; None if it says nothing (0) or is no valid Gillham code."""
    if code == 0:
        return None
    if code & _Q:
        return ((code >> 5) << 4 | code & 0xF) * _STEP_FT + _LOWEST_FT
    hundreds = _gray(code, _HUNDREDS)
    if hundreds in (0, 5, 6):
        return None
    hundreds = 5 if hundreds == 7 else hundreds
    five_hundreds = _gray(code, _FIVE_HUNDREDS)
    if five_hundreds & 1:
        hundreds = 6 - hundreds
    feet = five_hundreds * 500.0 + hundreds * 100.0 - 1300.0
    return feet if feet >= -1200.0 else None


def altitude_code(feet: float | None) -> int:
    """12-bit altitude code in 25-foot steps; None = 0, which says nothing.

    Raises:
        AdsbEncodeError: outside -1000 to 50,175 ft, the range of the 25-foot steps, or not finite.
    """
    if feet is None:
        return 0
    if not math.isfinite(feet) or not _LOWEST_FT <= feet <= _HIGHEST_FT:
        raise AdsbEncodeError("altitude", f"altitude {feet} ft is outside {_LOWEST_FT} to {_HIGHEST_FT}")
    n = round((feet - _LOWEST_FT) / _STEP_FT)
    return (n >> 4) << 5 | _Q | n & 0xF
