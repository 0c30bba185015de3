"""Meshtastic's client API, as much of it as an alert needs: the stream's framing and a few messages.

Written from the project's public documentation (meshtastic.org: "Client API", "Protobufs"); none of its
code is used. What is left out: everything but channels, the modem's settings, packets of the private
application port, and what became of them.
"""

from vedette.wire.meshtastic.framing import MAX_BYTES, WAKE, FrameSplitter, write_frame
from vedette.wire.meshtastic.messages import (
    BROADCAST,
    PRESET_NAMES,
    PRIORITY_ALERT,
    PRIORITY_DEFAULT,
    PRIORITY_HIGH,
    PRIVATE_APP,
    ROUTING_ERRORS,
    Channel,
    ConfigComplete,
    FromRadio,
    LoraConfig,
    MyInfo,
    Notice,
    Other,
    Packet,
    QueueStatus,
    Rebooted,
    Routing,
    disconnect,
    heartbeat,
    read_from_radio,
    read_to_radio,
    send_packet,
    want_config,
    write_from_radio,
)

__all__ = [
    "BROADCAST",
    "MAX_BYTES",
    "PRESET_NAMES",
    "PRIORITY_ALERT",
    "PRIORITY_DEFAULT",
    "PRIORITY_HIGH",
    "PRIVATE_APP",
    "ROUTING_ERRORS",
    "WAKE",
    "Channel",
    "ConfigComplete",
    "FrameSplitter",
    "FromRadio",
    "LoraConfig",
    "MyInfo",
    "Notice",
    "Other",
    "Packet",
    "QueueStatus",
    "Rebooted",
    "Routing",
    "disconnect",
    "heartbeat",
    "read_from_radio",
    "read_to_radio",
    "send_packet",
    "want_config",
    "write_frame",
    "write_from_radio",
]
