"""Batches: at once after a quiet time, 50 ms otherwise, the freshest kept when it floods."""

import asyncio
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.model import Detection, Presence
from vedette.model.event import DetectionBatch
from vedette.station.intake import BATCH_S, LEAST_SLICE, MAX_WAITING, FeedIntake


def detection(number: int) -> Detection:
    return Detection(time=float(number), sensor="s", measure=Presence())


class Taker:
    def __init__(self) -> None:
        self.batches: list[DetectionBatch] = []
        self.shed = 0

    def lose(self, count: int) -> None:
        self.shed += count

    def intake(self) -> FeedIntake:
        return FeedIntake("feed", self.batches.append, self.lose, asyncio.get_running_loop())


def test_first_goes_at_once_and_the_rest_together() -> None:
    async def run() -> Taker:
        taker = Taker()
        intake = taker.intake()
        intake.add([detection(0)])
        assert len(taker.batches) == 1
        for number in range(1, 6):
            intake.add([detection(number)])
        assert len(taker.batches) == 1
        await asyncio.sleep(3 * BATCH_S[1])
        intake.close()
        return taker

    taker = asyncio.run(run())
    assert [len(batch.detections) for batch in taker.batches] == [1, 5]
    assert taker.shed == 0


def test_flood_keeps_the_freshest_and_counts_the_rest() -> None:
    async def run() -> Taker:
        taker = Taker()
        intake = taker.intake()
        intake.add([detection(-1)])
        intake.add([detection(number) for number in range(MAX_WAITING + 10)])
        intake.close()
        return taker

    taker = asyncio.run(run())
    assert taker.shed == 10
    assert taker.batches[-1].detections[0].time == 10.0
    assert taker.batches[-1].detections[-1].time == float(MAX_WAITING + 9)


def test_a_large_scan_goes_in_slices_and_nothing_of_it_is_lost() -> None:
    """What costs much to weigh is weighed piece by piece, so that other feeds have their turn between."""

    class Slow(Taker):
        def intake(self) -> FeedIntake:
            def emit(batch: DetectionBatch) -> None:
                time.sleep(0.0005 * len(batch.detections))
                self.batches.append(batch)

            return FeedIntake("feed", emit, self.lose, asyncio.get_running_loop())

    async def run() -> Taker:
        taker = Slow()
        intake = taker.intake()
        intake.add([detection(number) for number in range(300)])
        for _ in range(400):
            if sum(len(batch.detections) for batch in taker.batches) == 300:
                break
            await asyncio.sleep(0.01)
        intake.close()
        return taker

    taker = asyncio.run(run())
    assert [d.time for batch in taker.batches for d in batch.detections] == [float(n) for n in range(300)]
    assert taker.shed == 0
    assert max(len(batch.detections) for batch in taker.batches) <= 2 * LEAST_SLICE


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 90), min_size=1, max_size=12), st.integers(0, 40), st.booleans())
def test_whatever_comes_goes_out_once_and_in_order(bursts: list[int], pause_ms: int, dear: bool) -> None:
    """Bursts that come while slices of the ones before still wait; the end comes whenever it does."""

    class Taking(Taker):
        def take(self, batch: DetectionBatch) -> None:
            if dear:
                time.sleep(0.0003 * len(batch.detections))
            self.batches.append(batch)

    async def run() -> Taking:
        taker = Taking()
        intake = FeedIntake("feed", taker.take, taker.lose, asyncio.get_running_loop())
        number = 0
        for burst in bursts:
            intake.add(detection(number + k) for k in range(burst))
            number += burst
            await asyncio.sleep(0.001 * pause_ms if burst % 3 else 0.0)
        intake.close()
        return taker

    taker = asyncio.run(run())
    assert [d.time for batch in taker.batches for d in batch.detections] == [
        float(n) for n in range(sum(bursts))
    ]
    assert taker.shed == 0


def test_what_is_shed_and_what_goes_out_are_all_that_came() -> None:
    async def run() -> Taker:
        taker = Taker()
        intake = taker.intake()
        for burst in range(7):
            intake.add(detection(burst * 900 + k) for k in range(900))
            if burst == 3:
                await asyncio.sleep(0.02)
        intake.close()
        return taker

    taker = asyncio.run(run())
    times = [d.time for batch in taker.batches for d in batch.detections]
    assert times == sorted(times)
    assert len(times) == len(set(times))
    assert len(times) + taker.shed == 7 * 900
    assert taker.shed > 0
