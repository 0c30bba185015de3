"""The sensors of an exercise that look for themselves, and its receivers of squitters, as feeds.

Their messages come as detections: what a box's own format adds is for `vedette simulate --live`.
"""

import asyncio
from collections.abc import AsyncIterator
from itertools import islice

from vedette.model import SensorProfile
from vedette.sense.adsb import BeastAdapter
from vedette.simulate import Emission, Scenario, arrivals, emissions, sensor_profiles
from vedette.simulate.sensing.way import Message
from vedette.station.ports import Hub
from vedette.wire.adsb import BeastBatcher, Place

AHEAD = 256
"""Arrivals that are worked out at once, beside the event loop."""
KINDS = {"report": "remote-id"}
"""What the desk calls a sensor whose profile has no better name."""


async def played(scenario: Scenario, start: float) -> AsyncIterator[Emission | Message]:
    """Everything that arrives, oldest first; for ever if the scenario loops and anything arrives."""
    if not scenario.sensors:
        for emission in emissions(scenario, start, loop=scenario.head.loop):
            yield emission
        return
    turn, silent = 0, False
    while turn == 0 or (scenario.head.loop and not silent):
        silent = True
        stream = arrivals(scenario, start + turn * scenario.head.duration_s)
        while batch := await asyncio.to_thread(list, islice(stream, AHEAD)):
            silent = False
            for one in batch:
                yield one
        turn += 1


class SimSensors:
    """The planned sensors of one scenario. ``feeds``: their names."""

    def __init__(self, scenario: Scenario) -> None:
        planned = {sensor.id for sensor in scenario.sensors}
        profiles = [profile for profile in sensor_profiles(scenario) if profile.id in planned]
        self._profiles: dict[str, SensorProfile] = {profile.id: profile for profile in profiles}
        self._site = Place(scenario.head.site.lat_deg, scenario.head.site.lon_deg)
        self._aircraft: dict[str, BeastAdapter] = {}

    @property
    def feeds(self) -> tuple[str, ...]:
        """In the scenario's order."""
        return tuple(self._profiles)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What they are, for the desk."""
        return tuple(dict.fromkeys(KINDS.get(one.type, one.type) for one in self._profiles.values()))

    def begin(self, hub: Hub) -> None:
        """All of them watch, and say where they stand."""
        for name, profile in self._profiles.items():
            hub.feed(name, "watching", "simulated sensor")
            if profile.type != "report":
                hub.sensor(name, profile)

    def take(self, hub: Hub, message: Message) -> None:
        """A message of one that looks for itself."""
        hub.heard(message.sensor)
        hub.detections(message.sensor, message.detections)

    def hear(self, hub: Hub, emission: Emission) -> None:
        """A squitter that a receiver heard."""
        name = emission.source
        adapter = self._aircraft.setdefault(name, BeastAdapter(name, self._site))
        hub.heard(name)
        found = adapter.take(BeastBatcher().feed(emission.data), emission.time)
        if found:
            hub.detections(name, found)
