"""``sim:NAME`` or ``sim:FILE.toml``: a scenario's receivers, patrols and phones, as real bytes; its sensors.

Frames go through the same Remote ID adapter and events through the same CoT dialogue as in the field; sensors
that look for themselves give detections; the phones get the bytes of the warning and answer with theirs. The
station shows EXERCISE.
"""

import asyncio
import math
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, cast

from vedette.model import ConfigError, Fact, Frame
from vedette.model.event import Clear, Deliver
from vedette.simulate import Emission, Scenario, builtin_names, load_builtin, parse_scenario
from vedette.simulate.phone import Phone
from vedette.simulate.sensing.way import Message
from vedette.station.peers._cot_dialogue import Dialogue
from vedette.station.peers._remote_id import RemoteIdFrames
from vedette.station.peers._sim_sensors import SimSensors, played
from vedette.station.ports import Clock, Hub
from vedette.wire.capture import FrameBatch
from vedette.wire.cot import CotEvent, CotSplitter, write_event

HEARD_S = 600.0


def scenario_of(name: str) -> Scenario:
    """A built-in scenario by its name, or one in a file. Raises ConfigError."""
    if not name.endswith(".toml"):
        if name not in builtin_names():
            known = ", ".join(builtin_names())
            raise ConfigError(f"scenario {name!r}: there is none of that name; there are {known}")
        return load_builtin(name)
    try:
        text = Path(name).read_bytes()
    except OSError as error:
        raise ConfigError(f"{name}: cannot be read: {error.strerror}") from None
    return parse_scenario(text, name)


class SimPeer:
    """Plays a scenario on the station's clock. ``simulated`` marks the station as an exercise."""

    simulated = True
    kinds: tuple[str, ...] = ("remote-id",)
    receipt_facts: tuple[Fact, ...] = ("accepted", "on-device", "shown", "acknowledged")
    carries_position: bool = False
    """Its phones are in this process: nothing leaves it."""

    def __init__(self, name: str, scenario: Scenario, answer: str = "ok") -> None:
        self.name = name
        self._sensors = SimSensors(scenario)
        self._receivers = tuple(receiver.id for receiver in scenario.receivers)
        self.senses = (*self._receivers, *self._sensors.feeds)
        if self._sensors.feeds:
            self.kinds = (*(("remote-id",) if self._receivers else ()), *self._sensors.kinds)
        self.scenario = scenario
        self._dialogue = Dialogue(
            name, callsign="VEDETTE", uid="VEDETTE-SIM", heard_s=HEARD_S, show_place=False, key=None
        )
        self._phones = {
            actor.cot.uid: Phone(actor.cot.uid, actor.cot.callsign, answer)
            for actor in scenario.actors
            if actor.cot is not None
        }
        self._frames: dict[str, RemoteIdFrames] = {}
        self._splitter = CotSplitter()
        self._replies: set[asyncio.Task[None]] = set()

    async def run(self, hub: Hub) -> None:
        """Play to the end, or for ever if the scenario loops."""
        self._dialogue.open(cast("Hub", _StationTime(hub)))
        hub.feed(self.name, "watching", f"exercise: {self.scenario.head.name}")
        for receiver in self._receivers:
            hub.feed(receiver, "watching", "simulated receiver")
        self._sensors.begin(hub)
        start = math.ceil(hub.clock.now())
        try:
            async for one in played(self.scenario, float(start)):
                await hub.clock.sleep_until(one.received if isinstance(one, Message) else one.time)
                self._take(hub, one)
        except BaseException:
            for task in self._replies:
                task.cancel()
            raise
        # Phones outlive the drones: an answer that is being typed still comes.
        for feed in (self.name, *self.senses):
            hub.feed(feed, "ended", "the exercise has ended")

    def reaches(self, unit: str) -> bool:
        """True if the unit is one of the scenario's and has reported itself."""
        return unit in self._phones and self._dialogue.heard_recently(unit)

    async def deliver(self, delivery: Deliver, recipient: str) -> None:
        """The warning's bytes to the unit's phone."""
        self._send(self._dialogue.alert(delivery, recipient), recipient)
        self._dialogue.accepted(delivery.alert, recipient)

    async def clear(self, clear: Clear, recipient: str) -> None:
        """The end of the alert to the unit's phone."""
        self._send(self._dialogue.end(clear, recipient), recipient)

    async def publish(self, frame: Frame) -> None:
        """The scenario's phones keep no map."""

    def _take(self, hub: Hub, emission: Emission | Message) -> None:
        if isinstance(emission, Message):
            self._sensors.take(hub, emission)
            return
        if emission.channel == "adsb":
            self._sensors.hear(hub, emission)
            return
        if emission.channel == "cot" or emission.link_type is None:
            self._hear(emission.data)
            return
        if emission.source not in self._frames:
            self._frames[emission.source] = RemoteIdFrames(hub, emission.source)
        batch = FrameBatch.single(emission.time, emission.link_type, emission.data)
        self._frames[emission.source].take(batch)

    def _hear(self, data: bytes) -> None:
        for item in self._splitter.feed(data):
            self._dialogue.hear(item)

    def _send(self, events: list[CotEvent], recipient: str) -> None:
        phone = self._phones[recipient]
        clock = self._dialogue.hub.clock
        for event in events:
            for reply in phone.receive(write_event(event), clock.now()):
                self._spawn(self._answer(clock, clock.now() + reply.after_s, reply.data))

    async def _answer(self, clock: Clock, at: float, data: bytes) -> None:
        await clock.sleep_until(at)
        self._hear(data)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._replies.add(task)
        task.add_done_callback(self._replies.discard)


class _StationTime:
    """The hub for a counterpart that lives in station time itself: its time stamps need no mapping."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.clock = _SameClock(hub.clock)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hub, name)


class _SameClock:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.speed = clock.speed

    def now(self) -> float:
        return self._clock.now()

    def from_wall(self, wall_s: float) -> float:
        return wall_s

    def to_wall(self, at_s: float) -> float:
        return at_s

    async def sleep_until(self, at_s: float) -> None:
        await self._clock.sleep_until(at_s)
