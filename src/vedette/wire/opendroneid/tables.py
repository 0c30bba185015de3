"""Code tables of ASTM F3411-22a / ASD-STAN prEN 4709-002, and the 95 % accuracy bounds behind the codes.

Codes stay plain integers in the messages, since a transmitter may send a reserved one; the
enumerations here name the codes that the standard assigns.
"""

from enum import IntEnum

BROADCAST_EPOCH_S = 1_546_300_800
"""2019-01-01T00:00:00Z, the epoch of SYSTEM and AUTH time stamps (F3411-22a, table 7)."""


class MessageType(IntEnum):
    """Upper four bits of a message's first byte."""

    BASIC_ID = 0
    LOCATION = 1
    AUTH = 2
    SELF_ID = 3
    SYSTEM = 4
    OPERATOR_ID = 5
    PACK = 15


class IdType(IntEnum):
    """What a BASIC ID message's identifier is."""

    NONE = 0
    SERIAL = 1
    CAA_REGISTRATION = 2
    UTM_UUID = 3
    SPECIFIC_SESSION = 4


class UaType(IntEnum):
    """Kind of unmanned aircraft, as its own transmitter says."""

    NONE = 0
    AEROPLANE = 1
    HELICOPTER_OR_MULTIROTOR = 2
    GYROPLANE = 3
    HYBRID_LIFT = 4
    ORNITHOPTER = 5
    GLIDER = 6
    KITE = 7
    FREE_BALLOON = 8
    CAPTIVE_BALLOON = 9
    AIRSHIP = 10
    FREE_FALL_OR_PARACHUTE = 11
    ROCKET = 12
    TETHERED_POWERED = 13
    GROUND_OBSTACLE = 14
    OTHER = 15


class Status(IntEnum):
    """Operational status of the aircraft in a LOCATION message."""

    UNDECLARED = 0
    GROUND = 1
    AIRBORNE = 2
    EMERGENCY = 3
    REMOTE_ID_FAILURE = 4


class OperatorLocationType(IntEnum):
    """How the operator position of a SYSTEM message was found."""

    TAKEOFF = 0
    LIVE_GNSS = 1
    FIXED = 2


HORIZONTAL_ACCURACY_M: tuple[float | None, ...] = (
    None, 18520.0, 7408.0, 3704.0, 1852.0, 926.0, 555.6, 185.2, 92.6, 30.0, 10.0, 3.0, 1.0, None, None, None,
)  # fmt: skip
"""Code -> radius in metres that holds the true position with 95 % (NACp); None = unknown or reserved."""

VERTICAL_ACCURACY_M: tuple[float | None, ...] = (None, 150.0, 45.0, 25.0, 10.0, 3.0, 1.0) + (None,) * 9
"""Code -> 95 % bound in metres (GVA extended); also used for the barometric height."""

SPEED_ACCURACY_MPS: tuple[float | None, ...] = (None, 10.0, 3.0, 1.0, 0.3) + (None,) * 11
"""Code -> 95 % bound in m/s (NACv)."""

TIMESTAMP_ACCURACY_S: tuple[float | None, ...] = (None, *(code / 10 for code in range(1, 16)))
"""Code -> bound in seconds, in steps of 0.1 s."""


def accuracy_code(bounds: tuple[float | None, ...], value: float | None) -> int:
    """The code of the tightest bound that still holds ``value``; 0 (unknown) if none does."""
    if value is None:
        return 0
    holding = [(bound, code) for code, bound in enumerate(bounds) if bound is not None and bound >= value]
    return min(holding)[1] if holding else 0
