"""Messages that take their time: the freshest, the worst first, nothing overtaken, nothing kept for ever."""

import asyncio
from collections.abc import Awaitable, Callable

import outward
import pytest
from station_feed_hub import FeedHub, until

from vedette.station.peers._errands import Errand, Errands, RefusedError


class Counterpart:
    """Takes what it is given when the gate is open. ``failing``: how many attempts fail first."""

    def __init__(self, failing: int = 0) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun: list[tuple[str, str, int]] = []
        self.taken: list[tuple[str, str, int]] = []
        self.failing = failing

    async def carry(self, errand: Errand) -> None:
        alert = errand.message.alert
        what = (alert.alert, errand.recipient, alert.revision)
        self.begun.append(what)
        await self.gate.wait()
        if self.failing > 0:
            self.failing -= 1
            raise ConnectionError("away")
        self.taken.append(what)


def with_errands(
    story: Callable[[Errands, Counterpart, FeedHub], Awaitable[None]],
    *,
    failing: int = 0,
    speed: float = 1.0,
    **options: object,
) -> None:
    async def run() -> None:
        hub, other = outward.hub(speed), Counterpart(failing)
        errands = Errands("way", other.carry, **{"first_pause_s": 0.01, **options})  # type: ignore[arg-type]
        with pytest.raises(ConnectionError):
            errands.put(outward.deliver_at(hub.clock.now()), "UID-A")
        task = asyncio.create_task(errands.run(hub))
        await until(lambda: errands.running, "running")
        try:
            await story(errands, other, hub)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(run())


def test_a_newer_revision_waits_for_the_one_under_way_and_never_the_other_way_round() -> None:
    async def story(errands: Errands, other: Counterpart, hub: FeedHub) -> None:
        other.gate.clear()
        errands.put(outward.deliver_at(hub.clock.now(), revision=1), "UID-A")
        await until(lambda: len(other.begun) == 1, "the first is under way")
        for revision in (2, 3):
            errands.put(outward.deliver_at(hub.clock.now(), revision=revision), "UID-A")
        await asyncio.sleep(0.05)
        assert len(other.begun) == 1
        other.gate.set()
        await until(lambda: len(other.taken) == 2, "the first and the last")
        assert [revision for _, _, revision in other.taken] == [1, 3]
        assert [receipt.revision for receipt in hub.receipts] == [1, 3]
        assert errands.waiting == 0
        assert errands.counts["replaced"] == 2

    with_errands(story)


def test_the_worst_and_soonest_go_first_and_ends_last() -> None:
    async def story(errands: Errands, other: Counterpart, hub: FeedHub) -> None:
        now = hub.clock.now()
        other.gate.clear()
        errands.put(outward.deliver_at(now, alert="FIRST"), "UID-A")
        await until(lambda: len(other.begun) == 1, "one is under way")
        errands.put(outward.clear_at(now, alert="END"), "UID-A")
        errands.put(outward.deliver_at(now, alert="ADVISORY", level="advisory"), "UID-A")
        errands.put(outward.deliver_at(now, alert="LATER", time_to_impact_s=(30.0, 40.0)), "UID-A")
        errands.put(outward.deliver_at(now, alert="SOONER", time_to_impact_s=(3.0, 4.0)), "UID-A")
        other.gate.set()
        await until(lambda: len(other.taken) == 5, "all")
        assert [name for name, _, _ in other.taken] == ["FIRST", "SOONER", "LATER", "ADVISORY", "END"]

    with_errands(story, workers=1)


def test_too_many_shed_the_least_urgent_and_say_so() -> None:
    async def story(errands: Errands, other: Counterpart, hub: FeedHub) -> None:
        now = hub.clock.now()
        other.gate.clear()
        for number in range(3):
            errands.put(outward.deliver_at(now, alert=f"A{number}", level="warning"), "UID-A")
        with pytest.raises(ConnectionError, match="worse"):
            errands.put(outward.deliver_at(now, alert="LOW", level="advisory"), "UID-A")
        errands.put(outward.deliver_at(now, alert="HIGH"), "UID-A")
        assert errands.waiting == 3
        assert errands.counts["shed"] == 2

    with_errands(story, most=3, workers=1)


@pytest.mark.parametrize("speed", [1.0, 10.0])
def test_what_fails_is_tried_again_until_it_is_taken(speed: float) -> None:
    async def story(errands: Errands, other: Counterpart, hub: FeedHub) -> None:
        errands.put(outward.deliver_at(hub.clock.now()), "UID-A")
        await until(lambda: len(other.taken) == 1, "taken")
        assert errands.counts["failed"] == 4
        assert [(r.recipient, r.channel, r.fact) for r in hub.receipts] == [("UID-A", "way", "accepted")]

    with_errands(story, failing=4, speed=speed)


def test_a_counterpart_that_never_answers_is_given_up_each_time() -> None:
    async def story(errands: Errands, other: Counterpart, hub: FeedHub) -> None:
        other.gate.clear()
        errands.put(outward.deliver_at(hub.clock.now()), "UID-A")
        await until(lambda: errands.counts["failed"] >= 2, "given up twice")
        other.gate.set()
        await until(lambda: len(other.taken) == 1, "taken")

    with_errands(story, attempt_s=0.05)


def test_what_is_no_longer_news_goes() -> None:
    async def story(errands: Errands, other: Counterpart, hub: FeedHub) -> None:
        errands.put(outward.deliver_at(hub.clock.now(), expires=hub.clock.now() + 0.05), "UID-A")
        await until(lambda: errands.counts["expired"] == 1, "expired")
        assert errands.waiting == 0

    with_errands(story, failing=10**6)


def test_a_fault_of_the_program_is_told_and_takes_only_its_message() -> None:
    async def broken(errand: Errand) -> None:
        if errand.message.alert.alert == "BAD":
            raise RuntimeError("a fault")

    async def story() -> None:
        hub, errands = outward.hub(), Errands("way", broken)
        task = asyncio.create_task(errands.run(hub))
        await until(lambda: errands.running, "running")
        errands.put(outward.deliver_at(hub.clock.now(), alert="BAD"), "UID-A")
        await asyncio.wait([task], timeout=30.0)
        with pytest.raises(RuntimeError, match="a fault"):
            task.result()
        task = asyncio.create_task(errands.run(hub))
        await until(lambda: errands.running, "running again")
        assert errands.waiting == 0
        errands.put(outward.deliver_at(hub.clock.now(), alert="GOOD"), "UID-A")
        await until(lambda: len(hub.receipts) == 1, "the next one")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())


def test_a_refusal_is_for_good() -> None:
    async def refuse(errand: Errand) -> None:
        raise RefusedError("never")

    async def story() -> None:
        hub, errands = outward.hub(), Errands("way", refuse)
        task = asyncio.create_task(errands.run(hub))
        await until(lambda: errands.running, "running")
        errands.put(outward.deliver_at(hub.clock.now()), "UID-A")
        await until(lambda: errands.counts["refused"] == 1, "refused")
        assert hub.troubles["way", "refused"] == "a message was refused for good: never"
        assert (errands.waiting, hub.receipts) == (0, [])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())
