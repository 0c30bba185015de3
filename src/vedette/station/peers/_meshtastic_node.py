"""The first words with a node: who it is, what its radio does, and whether the team's channel is there."""

import asyncio
from collections.abc import Iterable

from msgspec import Struct

from vedette.station.peers._meshtastic_link import Link
from vedette.wire.errors import DecodeError
from vedette.wire.lora import MOST_BYTES, PRESETS, Modem, airtime_s
from vedette.wire.lora.airtime import DATA_BYTES
from vedette.wire.meshtastic import (
    PRESET_NAMES,
    Channel,
    ConfigComplete,
    FromRadio,
    LoraConfig,
    MyInfo,
    read_from_radio,
    want_config,
)

ONLY_CONFIG = 69420
"""With this number a node leaves out whom it has heard and where they are."""
SLOWEST = "long-slow"
OPEN_KEY_BYTES = 1
_DISABLED = 0
_BANDWIDTHS = {31: 31.25, 62: 62.5, 200: 203.125, 400: 406.25, 800: 812.5, 1600: 1625.0}
"""Whole numbers that stand for others (kHz)."""


class Node(Struct, frozen=True, kw_only=True):
    """A node that told its configuration. ``troubles``: what an operator should know, by what it is about;
    None where all is well."""

    number: int
    modem: Modem
    troubles: dict[str, str | None]

    @property
    def airtime_s(self) -> float:
        """Of the longest frame."""
        return airtime_s(self.modem, MOST_BYTES + DATA_BYTES)


async def greet(link: Link, channel: int, patience_s: float) -> Node:
    """Ask for the configuration and wait until it is there. Raises ConnectionError with what is missing."""
    await link.send(want_config(ONLY_CONFIG))
    told: list[FromRadio] = []
    try:
        async with asyncio.timeout(patience_s):
            while not any(isinstance(item, ConfigComplete) and item.nonce == ONLY_CONFIG for item in told):
                told += _known(await link.receive())
    except TimeoutError:
        raise ConnectionError(
            f"it has not told its configuration in {patience_s:g} s: is it a node?"
        ) from None
    return _node(told, channel)


def _known(messages: Iterable[bytes]) -> list[FromRadio]:
    """What is of use here; a message that cannot be read says nothing about the configuration."""
    found: list[FromRadio] = []
    for message in messages:
        try:
            item = read_from_radio(message)
        except DecodeError:
            continue
        if isinstance(item, MyInfo | LoraConfig | Channel | ConfigComplete):
            found.append(item)
    return found


def _node(told: list[FromRadio], index: int) -> Node:
    number = next((item.node for item in told if isinstance(item, MyInfo)), 0)
    lora = next((item for item in told if isinstance(item, LoraConfig)), LoraConfig())
    channel = next((item for item in told if isinstance(item, Channel) and item.index == index), None)
    if channel is None or channel.role == _DISABLED:
        raise ConnectionError(f"the node has no channel {index}: set it up with the team's key")
    modem, unknown = _modem(lora)
    silent = "its transmitter is off, or its region is not set: nothing goes out"
    readable = f"channel {index} is open: everybody can tell when an alert goes out, though not read it"
    return Node(
        number=number,
        modem=modem,
        troubles={
            "transmitter": None if lora.tx_enabled and lora.region else silent,
            "channel": None if channel.key_bytes > OPEN_KEY_BYTES else readable,
            "modem": unknown,
        },
    )


def _modem(lora: LoraConfig) -> tuple[Modem, str | None]:
    """What it transmits with; where that is not known the slowest, so that the air is not overspent."""
    if lora.use_preset:
        name = PRESET_NAMES.get(lora.preset)
        if name is not None:
            return PRESETS[name], None
    elif 5 <= lora.spreading <= 12 and 5 <= lora.coding <= 8 and lora.bandwidth_khz > 0:
        khz = _BANDWIDTHS.get(lora.bandwidth_khz, float(lora.bandwidth_khz))
        return Modem(spreading=lora.spreading, bandwidth_hz=khz * 1000.0, coding=lora.coding), None
    return PRESETS[SLOWEST], f"its modem preset is not known: airtime is reckoned as for {SLOWEST}"
