"""Work spread over processes, each item's result the same wherever it was computed.

The standard library's pool of processes loses all that it has in hand when one of them is killed; what was
in hand is given out again, in a new pool. An item that was in hand at three such ends is tried alone: if its
process dies then too, it is the item, and that is an error which names it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Protocol, TypeVar

from vedette.evaluate.campaign.items import Item
from vedette.evaluate.campaign.results import Result
from vedette.model import VedetteError

Work = Callable[[Item], Result]
T = TypeVar("T")

METHOD = "forkserver"
"""Children of a fresh process: nothing of ours is copied with its threads and locks."""
BATCH = 1
"""Items in one hand-over: an item takes a second or more, a hand-over a millisecond."""
MOST_DEATHS = 3


class Executor(Protocol):
    """Runs items somewhere; results come in any order, each item once."""

    def run(self, work: Work, items: Sequence[Item]) -> Iterator[Result]:
        """The result of every item. What ``work`` raises is raised here."""
        ...


class InLine:
    """One after another, in this process."""

    def run(self, work: Work, items: Sequence[Item]) -> Iterator[Result]:
        """The result of every item, in their order."""
        return map(work, items)


class Pool:
    """``workers`` processes of this machine."""

    def __init__(self, workers: int, batch: int = BATCH) -> None:
        self._workers = workers
        self._batch = batch
        self.deaths = 0
        """How often a process died with work in hand."""

    def run(self, work: Work, items: Sequence[Item]) -> Iterator[Result]:
        """The result of every item; a process that is killed costs time, never a result."""
        waiting = list(items)
        deaths: dict[str, int] = {}
        idle = 0
        while waiting:
            done: set[str] = set()
            hands: list[Item] = []
            for result in self._round(work, _batches(waiting, self._batch), self._workers, hands):
                done.add(result.item.digest)
                yield result
            waiting = [item for item in waiting if item.digest not in done]
            idle = 0 if done or hands else idle + 1
            if idle >= MOST_DEATHS:
                raise VedetteError("the processes that should do the work die as they start; try --workers 1")
            for item in hands:
                deaths[item.digest] = deaths.get(item.digest, 0) + 1
            suspects = [item for item in waiting if deaths.get(item.digest, 0) >= MOST_DEATHS]
            for item in suspects:
                yield self._alone(work, item)
            waiting = [item for item in waiting if item not in suspects]

    def _round(
        self, work: Work, batches: Iterable[Sequence[Item]], workers: int, hands: list[Item]
    ) -> Iterator[Result]:
        """Results until all is done or a process has died; ``hands`` then holds what was handed out."""
        coming = iter(batches)
        with ProcessPoolExecutor(workers, mp_context=get_context(METHOD)) as pool:
            running: dict[Future[list[Result]], Sequence[Item]] = {}
            try:
                _hand_out(pool, work, coming, running, 2 * workers)
                while running:
                    ready, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in sorted(ready, key=lambda one: running[one][0].digest):
                        yield from future.result()
                        del running[future]
                    _hand_out(pool, work, coming, running, 2 * workers)
            except BrokenProcessPool:
                self.deaths += 1
                hands += [item for batch in running.values() for item in batch]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _alone(self, work: Work, item: Item) -> Result:
        hands: list[Item] = []
        results = list(self._round(work, [[item]], 1, hands))
        if not results:
            raise VedetteError(
                f"the process that ran {item.words} died {MOST_DEATHS + 1} times, the last time with nothing "
                f"else in hand: run it by itself to see why ('vedette evaluate --item', then its digest "
                f"{item.digest})"
            )
        return results[0]


def _hand_out(
    pool: ProcessPoolExecutor,
    work: Work,
    coming: Iterator[Sequence[Item]],
    running: dict[Future[list[Result]], Sequence[Item]],
    most: int,
) -> None:
    while len(running) < most and (batch := next(coming, None)) is not None:
        running[pool.submit(_run_batch, work, batch)] = batch


def _run_batch(work: Work, batch: Sequence[Item]) -> list[Result]:
    return [work(item) for item in batch]


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for first in range(0, len(items), size):
        yield items[first : first + size]
