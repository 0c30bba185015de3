"""The alert where no cell reaches: binary messages of at most 40 bytes, sealed with a team's key.

`messages` says what they hold, `codes` how figures fit into a byte, `seal` how they are protected, and
`airtime` what they cost. The format is our own (`docs/lora.md`); version 1.
"""

from vedette.wire.lora.airtime import PRESETS, Modem, airtime_s, flood_s
from vedette.wire.lora.messages import (
    OUTSIDE,
    RadioAlert,
    RadioEnd,
    RadioFact,
    RadioFactReport,
    RadioLevel,
    RadioMessage,
    decode_message,
    encode_message,
)
from vedette.wire.lora.seal import (
    MOST_BYTES,
    SECRET_BYTES,
    STATION,
    Header,
    Purpose,
    ReplayWindow,
    Sealer,
    alert_key,
    gateway_key,
    read_header,
)

__all__ = [
    "MOST_BYTES",
    "OUTSIDE",
    "PRESETS",
    "SECRET_BYTES",
    "STATION",
    "Header",
    "Modem",
    "Purpose",
    "RadioAlert",
    "RadioEnd",
    "RadioFact",
    "RadioFactReport",
    "RadioLevel",
    "RadioMessage",
    "ReplayWindow",
    "Sealer",
    "airtime_s",
    "alert_key",
    "decode_message",
    "encode_message",
    "flood_s",
    "gateway_key",
    "read_header",
]
