"""A campaign: items in, results out, in the order of the items, whoever computed them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from vedette.evaluate.campaign.executor import Executor, InLine, Pool, Work
from vedette.evaluate.campaign.items import Item
from vedette.evaluate.campaign.keep import Kept
from vedette.evaluate.campaign.results import Result
from vedette.model import ConfigError

Seen = Callable[[Result], None]


def executor_of(workers: int, backend: str = "processes") -> Executor:
    """Who does the work: this process, processes of this machine, or a Ray cluster. Raises ConfigError."""
    if backend == "ray":
        from vedette.evaluate.campaign.ray_backend import RayCluster

        return RayCluster()
    if backend != "processes":
        raise ConfigError(f"backend {backend!r}: there are 'processes' and 'ray'")
    return InLine() if workers <= 1 else Pool(workers)


def run_campaign(
    items: Sequence[Item], work: Work, executor: Executor, keep: Path | None = None, seen: Seen | None = None
) -> tuple[Result, ...]:
    """The results of all items, in their order. With ``keep`` those that stand there are not run again;
    ``seen`` is called with each result as it comes."""
    tell = seen or (lambda result: None)
    if keep is None:
        return _ordered(items, _collect(executor, work, items, {}, tell))
    with Kept(keep) as kept:
        missing = [item for item in items if item.digest not in kept.found]
        for item in items:
            if item.digest in kept.found:
                tell(kept.found[item.digest])

        def both(result: Result) -> None:
            kept.add(result)
            tell(result)

        return _ordered(items, _collect(executor, work, missing, dict(kept.found), both))


def _collect(
    executor: Executor, work: Work, items: Sequence[Item], found: dict[str, Result], tell: Seen
) -> dict[str, Result]:
    for result in executor.run(work, items):
        found[result.item.digest] = result
        tell(result)
    return found


def _ordered(items: Sequence[Item], found: dict[str, Result]) -> tuple[Result, ...]:
    return tuple(found[item.digest] for item in items)
