"""All sensors of a scenario as bytes on their lines, in the order in which they arrive."""

import heapq
from collections.abc import Iterator
from typing import Literal

from msgspec import structs

from vedette.simulate.emitters import Emission
from vedette.simulate.scenario import Scenario
from vedette.simulate.sensing.catalogue import AdsbReceiver, Radar, RemoteIdReceiver
from vedette.simulate.sensing.detections import arrivals
from vedette.simulate.sensing.station import Post
from vedette.simulate.sensing.way import Message
from vedette.simulate.sensing.wire.asterix import AsterixRadar
from vedette.simulate.sensing.wire.sapient import STATUS_S, SapientSensor
from vedette.simulate.world import World

Radars = Literal["asterix", "sapient", "both"]
"""As what radars are sent; all other sensors that look for themselves speak SAPIENT."""
MOST_SOURCES = 255
FIRST_STATUS_S = 0.5
"""A node's first heartbeat, which says where it stands, comes so soon after its registration."""


class Speakers:
    """Every planned sensor's own voice, by its id."""

    def __init__(self, scenario: Scenario, radars: Radars) -> None:
        empty = World(structs.replace(scenario, actors=()))
        self.asterix: dict[str, AsterixRadar] = {}
        self.sapient: dict[str, SapientSensor] = {}
        for number, plan in enumerate(scenario.sensors, 1):
            post = Post(plan, empty.frame, empty.ground)
            if isinstance(post.model, RemoteIdReceiver | AdsbReceiver):
                continue
            radar = isinstance(post.model, Radar)
            if isinstance(post.model, Radar) and radars != "sapient":
                self.asterix[plan.id] = AsterixRadar(post, post.model, (number - 1) % MOST_SOURCES + 1)
            if not radar or radars != "asterix":
                self.sapient[plan.id] = SapientSensor(post, post.model, scenario.head.seed)

    def say(self, message: Message) -> Iterator[Emission]:
        """One message of a sensor in each of its formats."""
        name = message.sensor
        if name in self.asterix:
            data = self.asterix[name].datagram(message)
            if data:
                yield Emission(time=message.received, channel="asterix", source=name, data=data)
        if name in self.sapient:
            for data in self.sapient[name].reports(message):
                yield Emission(time=message.received, channel="sapient", source=name, data=data)


def wire_emissions(scenario: Scenario, start_time: float, radars: Radars = "asterix") -> Iterator[Emission]:
    """What arrives at a station, oldest first: ASTERIX datagrams, SAPIENT frames (each node's registration
    and heartbeats among them), Beast frames, captured Remote ID frames, CoT events.

    Raises ConfigError for a start outside 2019 to 2100.
    """
    speakers = Speakers(scenario, radars)
    streams = [_sayings(speakers, scenario, start_time)]
    streams += [
        _signs_of_life(speaker, name, scenario, start_time) for name, speaker in speakers.sapient.items()
    ]
    return heapq.merge(*streams, key=lambda emission: emission.time)


def _sayings(speakers: Speakers, scenario: Scenario, start_time: float) -> Iterator[Emission]:
    for one in arrivals(scenario, start_time):
        if isinstance(one, Emission):
            yield one
        else:
            yield from speakers.say(one)


def _signs_of_life(
    node: SapientSensor, name: str, scenario: Scenario, start_time: float
) -> Iterator[Emission]:
    """A registration at each start of the node, and heartbeats while it runs."""
    plan = next(sensor for sensor in scenario.sensors if sensor.id == name)
    ends = [*sorted(reboot.at_s for reboot in plan.faults.reboots), scenario.head.duration_s]
    starts = [0.0, *sorted(reboot.at_s + reboot.lasts_s for reboot in plan.faults.reboots)]
    for begins, over in zip(starts, ends, strict=True):
        if begins >= over:
            continue
        at = start_time + begins
        yield Emission(time=at, channel="sapient", source=name, data=node.registration(at))
        number = 0
        while (after := begins + FIRST_STATUS_S + number * STATUS_S) < over:
            at = start_time + after
            yield Emission(time=at, channel="sapient", source=name, data=node.status(at))
            number += 1
