"""The postman: most urgent first, one deaf recipient holds up nobody, failures are tried again."""

import asyncio
from collections.abc import Callable

from vedette.model import Alert
from vedette.model.event import Clear, Deliver
from vedette.model.threat import Level
from vedette.station.outbox import Outbox
from vedette.station.postman import AT_ONCE, Postman
from vedette.station.stages import Stages


class Still:
    """A clock that stands."""

    speed = 1.0

    def now(self) -> float:
        return 0.0

    def from_wall(self, wall_s: float) -> float:
        return wall_s

    def to_wall(self, at_s: float) -> float:
        return at_s

    async def sleep_until(self, at_s: float) -> None:
        await asyncio.sleep(0)


class Channel:
    """A peer that takes what it is given, except for the deaf (never return) and the broken (raise)."""

    name = "tak"

    def __init__(self, deaf: set[str] | None = None, broken: int = 0) -> None:
        self.took: list[str] = []
        self._deaf = deaf or set()
        self._broken = broken

    async def run(self, hub: object) -> None:
        await asyncio.Event().wait()

    def reaches(self, unit: str) -> bool:
        return not unit.startswith("far")

    async def deliver(self, delivery: Deliver, recipient: str) -> None:
        if recipient in self._deaf:
            await asyncio.Event().wait()
        if self._broken:
            self._broken -= 1
            raise ConnectionError("broken")
        self.took.append(recipient)

    async def clear(self, clear: Clear, recipient: str) -> None:
        self.took.append(f"end {recipient}")

    async def publish(self, frame: object) -> None:
        return


def deliver(unit: str, level: Level, soonest: float) -> Deliver:
    alert = Alert(
        time=0.0,
        alert=f"A-{unit}",
        revision=1,
        level=level,
        state="active-unacked",
        units=(unit,),
        track="T1",
        behaviour="closing",
        text={"en": "x"},
        expires=1e9,
        bearing_deg=0.0,
        range_m=100.0,
        time_to_impact_s=(soonest, soonest + 5.0),
    )
    return Deliver(alert=alert, recipients=(unit,), rule="unit-at-risk", roster_version=1)


def serve(channel: Channel, box: Outbox, done: Callable[[], bool]) -> Postman:
    """Let the postman work until ``done``."""

    async def story() -> Postman:
        postman = Postman(box, Still(), (channel,), Stages(lambda: 0.0))  # type: ignore[arg-type]
        work = asyncio.create_task(postman.run())
        async with asyncio.timeout(30.0):
            while not done():
                await asyncio.sleep(0.01)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        return postman

    return asyncio.run(story())


def test_worst_and_soonest_go_first() -> None:
    box, channel = Outbox(), Channel()
    for number in range(100):
        box.fold(deliver(f"adv{number}", "advisory", 5.0))
    box.fold(deliver("late", "imminent", 20.0))
    box.fold(deliver("soon", "imminent", 4.0))
    serve(channel, box, lambda: len(channel.took) == 102)
    assert channel.took[:2] == ["soon", "late"]


def test_deaf_recipients_hold_up_nobody() -> None:
    deaf = {f"deaf{number}" for number in range(AT_ONCE - 1)}
    box, channel = Outbox(), Channel(deaf)
    for unit in sorted(deaf):
        box.fold(deliver(unit, "imminent", 1.0))
    for number in range(50):
        box.fold(deliver(f"u{number}", "advisory", 30.0))
    serve(channel, box, lambda: len(channel.took) == 50)


def test_what_could_not_go_out_is_tried_again_and_counted() -> None:
    box, channel = Outbox(), Channel(broken=1)
    box.fold(deliver("u", "warning", 10.0))
    postman = serve(channel, box, lambda: channel.took == ["u"])
    assert postman.failures == {"tak": 1}


def test_who_cannot_be_reached_waits() -> None:
    box, channel = Outbox(), Channel()
    box.fold(deliver("far away", "warning", 10.0))
    box.fold(deliver("near", "advisory", 10.0))
    serve(channel, box, lambda: channel.took == ["near"])
    assert [entry.recipient for entry in box.due("tak", 0.0)] == ["far away"]
