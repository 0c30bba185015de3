"""The same work on a Ray cluster, for more than one machine. Needs the package ``ray`` (Apache-2.0).

Ray gives a task whose node has gone to another one; results depend on the item alone, so that the outcome
is the same to the byte as that of one process.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import islice
from typing import Any

from vedette.evaluate.campaign.executor import Work
from vedette.evaluate.campaign.items import Item
from vedette.evaluate.campaign.results import Result
from vedette.model import ConfigError

RETRIES = 10
"""Of one item, for as many nodes that go away under it."""
AHEAD = 4
"""Items in flight for each processor of the cluster."""


class RayCluster:
    """The cluster that this process is connected to; without one, that of the environment (RAY_ADDRESS),
    else this machine as a cluster of one."""

    def __init__(self) -> None:
        try:
            self._ray: Any = import_module("ray")
            self._ray.init  # noqa: B018  # a folder that is called ray can be imported too
        except (ImportError, AttributeError):
            raise ConfigError(
                "the backend 'ray' needs the package ray, which is not installed: "
                "pip install 'vedette[ray]', or leave out --backend"
            ) from None

    def run(self, work: Work, items: Sequence[Item]) -> Iterator[Result]:
        """The result of every item, as they come."""
        ray = self._ray
        if not ray.is_initialized():
            ray.init(log_to_driver=False, include_dashboard=False)
        task = ray.remote(max_retries=RETRIES, retry_exceptions=False)(_run)
        held = ray.put(work)
        coming = iter(items)
        most = AHEAD * max(int(ray.cluster_resources().get("CPU", 1)), 1)
        running = [task.remote(held, item) for item in islice(coming, most)]
        while running:
            ready, running = ray.wait(running, num_returns=1)
            running += [task.remote(held, item) for item in islice(coming, len(ready))]
            yield from ray.get(ready)


def _run(work: Work, item: Item) -> Result:
    return work(item)
