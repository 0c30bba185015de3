"""How long a frame is on the air: Semtech's formula (SX1276 data sheet, section 4.1.1.7; AN1200.22)."""

import math

from msgspec import Struct

from vedette.wire.errors import EncodeError

MESH_HEADER_BYTES = 16
"""What Meshtastic puts before each packet on the air."""
DATA_BYTES = 7
"""Its protobuf round a payload of this application's port: port, length and flags."""
LARGEST_PAYLOAD = 233
"""``DATA_PAYLOAD_LEN`` of Meshtastic."""
_LOW_RATE_S = 0.016
"""Symbols that last longer need the low data rate optimisation."""


class Modem(Struct, frozen=True, kw_only=True):
    """A LoRa modulation. ``coding`` 5 to 8 stands for 4/5 to 4/8."""

    spreading: int
    bandwidth_hz: float
    coding: int = 5
    preamble: int = 16

    def __post_init__(self) -> None:
        good = 5 <= self.spreading <= 12 and self.bandwidth_hz > 0.0 and 5 <= self.coding <= 8
        if not good:
            raise EncodeError("out-of-range", f"{self!r} is no LoRa modulation")


PRESETS: dict[str, Modem] = {
    "short-turbo": Modem(spreading=7, bandwidth_hz=500e3),
    "short-fast": Modem(spreading=7, bandwidth_hz=250e3),
    "short-slow": Modem(spreading=8, bandwidth_hz=250e3),
    "medium-fast": Modem(spreading=9, bandwidth_hz=250e3),
    "medium-slow": Modem(spreading=10, bandwidth_hz=250e3),
    "long-turbo": Modem(spreading=11, bandwidth_hz=500e3, coding=8),
    "long-fast": Modem(spreading=11, bandwidth_hz=250e3),
    "long-moderate": Modem(spreading=11, bandwidth_hz=125e3, coding=8),
    "long-slow": Modem(spreading=12, bandwidth_hz=125e3, coding=8),
}
"""Meshtastic's presets (meshtastic.org, "Radio Settings")."""


def airtime_s(modem: Modem, payload_bytes: int) -> float:
    """Seconds on the air of one transmission of a packet whose payload after Meshtastic's header has
    ``payload_bytes``, with an explicit LoRa header and a CRC."""
    symbol_s = 2.0**modem.spreading / modem.bandwidth_hz
    low_rate = 2 if symbol_s > _LOW_RATE_S else 0
    # SF5 and SF6 (SX126x) have a longer synchronisation and none of the 8 bits of slack.
    preamble = modem.preamble + (6.25 if modem.spreading < 7 else 4.25)
    bits = 8 * (MESH_HEADER_BYTES + payload_bytes) + 16 + 20 - 4 * modem.spreading
    bits += 8 if modem.spreading >= 7 else 0
    per_block = 4 * (modem.spreading - low_rate)
    symbols = 8 + max(0, math.ceil(bits / per_block)) * modem.coding
    return (preamble + symbols) * symbol_s


def flood_s(modem: Modem, payload_bytes: int, hops: int) -> float:
    """The shortest time until a frame has crossed ``hops`` hops: each relay sends it once more, after it
    has it whole. Waiting for a free channel comes on top."""
    return hops * airtime_s(modem, payload_bytes)
