"""A scenario as the bytes that its receivers and units would hand to the station, in order of time.

The bytes are those of the real formats, made by the same codecs that sensing reads with, so what
runs behind them cannot tell an exercise from the field. Truth does not leave by this way.
"""

import heapq
import math
from collections.abc import Callable, Iterator
from typing import Literal, Protocol

from msgspec import Struct

from vedette.model.errors import ConfigError
from vedette.model.track import Vector3
from vedette.model.unit import UnitReport
from vedette.simulate.framing import frame_remote_id, frequency_mhz, link_type_of
from vedette.simulate.radio import Link
from vedette.simulate.remote_id import RemoteIdDevice
from vedette.simulate.scenario import Actor, CotReports, Place, RemoteId, Scenario
from vedette.simulate.sensing.catalogue import signature_of
from vedette.simulate.sensing.receivers import adsb_receivers_of, receivers_of
from vedette.simulate.sensing.transponder import SLOT_S, Hearing, Transponder
from vedette.simulate.streams import stream
from vedette.simulate.unit_reports import UnitPhone
from vedette.simulate.world import STEP_S, Kinematics, World

Channel = Literal["remote-id", "cot", "adsb", "asterix", "sapient"]
CHANNELS: tuple[Channel, ...] = ("remote-id", "cot", "adsb")
"""Those that actors transmit on; sensors that look for themselves speak on the others (`sensing.wire`)."""

JITTER_S = 0.01
"""A transmission waits up to this long for a free channel."""
EARLIEST_START, LATEST_START = 1_546_300_800.0, 4_102_444_800.0
"""Remote ID counts time from 2019 on and pcap ends in 2106: scenarios start from 2019 to 2100."""


class Emission(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What arrived: one captured frame, one CoT event, the Beast frame of a squitter, an ASTERIX datagram,
    or a SAPIENT message behind its length.

    ``time`` is Unix seconds of arrival. ``source`` is the sensor's id, or the unit's uid ("cot").
    ``link_type`` is the pcap link type of ``data`` (127 IEEE 802.11 with radiotap, 256 Bluetooth LE with a
    pseudo-header), absent for the others. ``report`` is what the CoT event says, for a file of unit reports.
    """

    time: float
    channel: Channel
    source: str
    data: bytes
    link_type: int | None = None
    report: UnitReport | None = None


class _Emitter(Protocol):
    """Something on an actor that transmits every ``period_s`` until ``until_s``."""

    key: str
    period_s: float
    until_s: float

    def emit(self, world: World, index: int, time_s: float, start_time: float) -> list[Emission]:
        """Transmit once, at ``time_s`` after the scenario's start."""
        ...


class _RemoteIdEmitter:
    """A Remote ID device on an actor, with the links to all receivers."""

    def __init__(self, world: World, actor: Actor, plan: RemoteId, scenario: Scenario) -> None:
        seed = scenario.head.seed
        self.key = f"{actor.id}/remote-id"
        self._plan = plan
        operator_m = None if plan.operator is None else _standing(world, plan.operator)
        takeoff_m = _standing(world, actor.start)
        self._device = RemoteIdDevice(plan, actor.kind, (seed, actor.id), world.frame, takeoff_m, operator_m)
        self._links = [
            Link(receiver, actor.id, seed, world.ground, world.frame) for receiver in receivers_of(scenario)
        ]
        self._frequency_mhz = frequency_mhz(plan.transport)
        self._slot = 0
        self.period_s = self._device.slot_s
        self.until_s = math.inf if plan.until_s is None else plan.until_s

    def emit(self, world: World, index: int, time_s: float, start_time: float) -> list[Emission]:
        """Transmit once: what every receiver in reach captured."""
        state, fix_time = _fix(world, index, time_s, start_time)
        payload = self._device.payload(self._slot, state, fix_time)
        counter = self._slot & 0xFF
        self._slot += 1
        heard = []
        for link in self._links:
            rssi = link.rssi_dbm(state.enu_m, self._plan.power_dbm, self._frequency_mhz)
            if rssi is not None:
                data = frame_remote_id(self._plan, payload, counter, time_s, rssi)
                heard.append(self._emission(link, start_time + time_s, data))
        return heard

    def _emission(self, link: Link, time: float, data: bytes) -> Emission:
        return Emission(
            time=time,
            channel="remote-id",
            source=link.receiver.id,
            data=data,
            link_type=link_type_of(self._plan.transport),
        )


class _CotEmitter:
    """A phone on an actor."""

    def __init__(self, world: World, actor: Actor, plan: CotReports, scenario: Scenario) -> None:
        self.key = f"{actor.id}/cot"
        self._plan = plan
        self._phone = UnitPhone(plan, actor.kind, (scenario.head.seed, actor.id), world.frame)
        self.period_s = plan.period_s
        self.until_s = math.inf

    def emit(self, world: World, index: int, time_s: float, start_time: float) -> list[Emission]:
        """Report once."""
        time = start_time + time_s
        data, report = self._phone.report(world.at(index, time_s), time)
        return [Emission(time=time, channel="cot", source=self._plan.uid, data=data, report=report)]


class _AdsbEmitter:
    """A transponder on an aircraft, with the links to all receivers."""

    def __init__(self, world: World, actor: Actor, category: str, scenario: Scenario) -> None:
        seed = scenario.head.seed
        self.key = f"{actor.id}/adsb"
        self._transponder = Transponder(actor.id, category, seed, world.frame)
        self._links = [
            Hearing(plan, model, actor.id, seed, world.ground, world.frame)
            for plan, model in adsb_receivers_of(scenario)
        ]
        self._slot = 0
        self.period_s = SLOT_S
        self.until_s = math.inf

    def emit(self, world: World, index: int, time_s: float, start_time: float) -> list[Emission]:
        """Transmit once: what every receiver in reach put out."""
        state = world.at(index, time_s)
        messages = self._transponder.frames(self._slot, state)
        self._slot += 1
        heard = []
        for message in messages:
            for link in self._links:
                data = link.beast(message, state.enu_m, time_s)
                if data is not None:
                    heard.append(
                        Emission(time=start_time + time_s, channel="adsb", source=link.sensor, data=data)
                    )
        return heard


def _standing(world: World, place: Place) -> Vector3:
    east, north = world.frame.plane_m(place)
    return (east, north, world.ground.height_at(east, north))


def _fix(world: World, index: int, time_s: float, start_time: float) -> tuple[Kinematics, float]:
    """The state at the last full tenth of a second, as navigation receivers deliver it, and its time."""
    fix_time = math.floor((start_time + time_s) * 10.0 + 1e-6) / 10.0
    return world.at(index, fix_time - start_time), fix_time


class _Schedule:
    """When one emitter transmits: a period with its own phase, and a small wait each time."""

    def __init__(self, emitter: _Emitter, actor: Actor, index: int, seed: int) -> None:
        self.emitter = emitter
        self.index = index
        self._waits = stream(seed, "schedule", emitter.key)
        self._first_s = actor.start.at_s + float(self._waits.random()) * emitter.period_s
        self._count = 0

    def next_s(self) -> float:
        """Time of the next transmission (seconds from the scenario's start)."""
        wait = float(self._waits.random()) * min(JITTER_S, self.emitter.period_s / 4.0)
        self._count += 1
        return self._first_s + (self._count - 1) * self.emitter.period_s + wait


def _emitters(
    world: World, actor: Actor, scenario: Scenario, channels: tuple[Channel, ...]
) -> list[_Emitter]:
    emitters: list[_Emitter] = []
    if actor.remote_id is not None and "remote-id" in channels:
        emitters.append(_RemoteIdEmitter(world, actor, actor.remote_id, scenario))
    if actor.cot is not None and "cot" in channels:
        emitters.append(_CotEmitter(world, actor, actor.cot, scenario))
    signature = signature_of(actor.signature or actor.kind)
    if signature is not None and signature.adsb is not None and "adsb" in channels:
        emitters.append(_AdsbEmitter(world, actor, signature.adsb, scenario))
    return emitters


def emissions(
    scenario: Scenario,
    start_time: float,
    *,
    loop: bool = False,
    channels: tuple[Channel, ...] = ("remote-id", "cot"),
) -> Iterator[Emission]:
    """All that arrives at the station, oldest first, from ``start_time`` (Unix seconds) on.

    A pull iterator for live use too: a station paces it by its own clock. Equal times come in the
    order of actor and receiver. With ``loop`` the scenario starts again at its end, for ever, with
    the same identities (unless nothing arrived: then it ends). ``channels``: what is asked for.

    Raises ConfigError for a start outside 2019 to 2100.
    """
    check_start(start_time)
    turn = 0
    while turn == 0 or loop:
        silent = True
        at = start_time + turn * scenario.head.duration_s
        for emission in Transmissions(World(scenario), scenario, at, channels).until(
            scenario.head.duration_s
        ):
            silent = False
            yield emission
        if silent:
            return
        turn += 1


def check_start(start_time: float) -> None:
    """Raises ConfigError for a start outside 2019 to 2100."""
    if not EARLIEST_START <= start_time <= LATEST_START:
        raise ConfigError(f"a scenario starts between the years 2019 and 2100, not at {start_time} Unix time")


class Transmissions:
    """Everything that the actors of a world transmit, in order of time; it moves the world on.

    ``each_step`` is called for every step that the world has come to, its first included.
    """

    def __init__(
        self,
        world: World,
        scenario: Scenario,
        start_time: float,
        channels: tuple[Channel, ...] = CHANNELS,
        each_step: Callable[[], None] = lambda: None,
    ) -> None:
        self._world, self._start_time, self._each_step = world, start_time, each_step
        seed = scenario.head.seed
        self._schedules = [
            _Schedule(emitter, actor, index, seed)
            for index, actor in enumerate(scenario.actors)
            for emitter in _emitters(world, actor, scenario, channels)
        ]
        self._due = [
            (schedule.next_s(), schedule.emitter.key, number)
            for number, schedule in enumerate(self._schedules)
        ]
        heapq.heapify(self._due)
        each_step()

    def until(self, end_s: float) -> Iterator[Emission]:
        """What is transmitted before ``end_s`` (seconds from the scenario's start) and was not yet given; at
        its end the world has come to ``end_s``."""
        due = self._due
        while due and due[0][0] < end_s:
            time_s, key, number = due[0]
            self._advance_to(time_s)
            schedule = self._schedules[number]
            if _over(self._world, schedule, time_s):
                heapq.heappop(due)
                continue
            if self._world.present(schedule.index):
                yield from schedule.emitter.emit(self._world, schedule.index, time_s, self._start_time)
            heapq.heapreplace(due, (schedule.next_s(), key, number))
        self._advance_to(end_s)

    def _advance_to(self, time_s: float) -> None:
        while self._world.time_s + STEP_S <= time_s:
            self._world.advance()
            self._each_step()


def _over(world: World, schedule: _Schedule, time_s: float) -> bool:
    return time_s >= schedule.emitter.until_s or world.gone(schedule.index)
