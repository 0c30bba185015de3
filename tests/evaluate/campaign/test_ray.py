"""The same campaign on a Ray cluster of two nodes, one of which goes away in the middle: the same bytes."""

import importlib
import os
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from campaign_works import SlowlyNumbered, numbered

from vedette.evaluate.campaign.campaign import run_campaign
from vedette.evaluate.campaign.executor import InLine, Work
from vedette.evaluate.campaign.items import Item, items_of
from vedette.evaluate.campaign.results import Result
from vedette.evaluate.campaign.stage import TRACKER_FEED
from vedette.evaluate.campaign.summary import encode, summarise
from vedette.evaluate.campaign.work import Worker
from vedette.model import ConfigError

ITEMS = items_of("test", range(40), ["full"])


@pytest.fixture
def cluster() -> Iterator[tuple[Any, Any]]:
    """Two nodes of one processor on this machine, and the node that is to go."""
    pytest.importorskip("ray", reason="the backend 'ray' needs the package ray")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ray = importlib.import_module("ray")
        utilities = importlib.import_module("ray.cluster_utils")
        nodes = utilities.Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
        second = nodes.add_node(num_cpus=1)
        tests = str(Path(__file__).parent)
        path = os.pathsep.join([tests, *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
        ray.init(address=nodes.address, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": path}})
        yield nodes, second
        ray.shutdown()
        nodes.shutdown()


@pytest.mark.counterpart
@pytest.mark.filterwarnings("ignore")
def test_a_node_that_goes_away_costs_no_result(cluster: tuple[Any, Any], tmp_path: Path) -> None:
    from vedette.evaluate.campaign.ray_backend import RayCluster

    nodes, second = cluster
    told: list[float] = []

    def seen(result: Result) -> None:
        told.append(time.monotonic())
        if len(told) == 8:
            nodes.remove_node(second, allow_graceful=False)

    found = run_campaign(ITEMS, SlowlyNumbered(), RayCluster(), seen=seen)
    assert len(told) == len(ITEMS)
    assert msgspec.json.encode(found) == msgspec.json.encode(run_campaign(ITEMS, numbered, InLine()))


@pytest.mark.counterpart
@pytest.mark.filterwarnings("ignore")
def test_encounters_through_the_real_core_are_the_same_after_a_node_was_lost(
    cluster: tuple[Any, Any],
) -> None:
    """The whole of it: attacks and harmless flights, tracked, judged and summed up, to the byte."""
    from vedette.evaluate.campaign.ray_backend import RayCluster

    nodes, second = cluster
    items = items_of("grading", range(14), [TRACKER_FEED])
    told: list[Result] = []

    def seen(result: Result) -> None:
        told.append(result)
        if len(told) == 3:
            nodes.remove_node(second, allow_graceful=False)

    found = run_campaign(items, Worker(), RayCluster(), seen=seen)
    alone = run_campaign(items, Worker(), InLine())
    assert len(told) == len(items)
    assert encode(summarise(found, "as shipped")) == encode(summarise(alone, "as shipped"))


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from vedette.evaluate.campaign import ray_backend

    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(ray_backend, "import_module", absent)
    with pytest.raises(ConfigError, match=r"vedette\[ray\]"):
        ray_backend.RayCluster()


def test_more_is_never_handed_out_than_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every item is run once, in whatever order a cluster finishes them, and a window is kept full."""
    from vedette.evaluate.campaign import ray_backend

    monkeypatch.setattr(ray_backend, "import_module", lambda name: _Cluster())
    executor = ray_backend.RayCluster()
    assert sorted(one.item.index for one in executor.run(numbered, ITEMS)) == list(range(len(ITEMS)))


class _Cluster:
    """A cluster in this process that finishes the newest task first."""

    def __init__(self) -> None:
        self.held = 0

    def is_initialized(self) -> bool:
        return True

    def init(self) -> None:
        raise AssertionError("this process is connected already")

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 2.0}

    def put(self, work: Work) -> Work:
        return work

    def remote(self, **options: object) -> Any:
        return lambda function: _Task(function)

    def wait(self, running: Sequence[Any], num_returns: int) -> tuple[list[Any], list[Any]]:
        assert len(running) <= 8
        return [running[-1]], list(running[:-1])

    def get(self, ready: Sequence[Any]) -> list[Any]:
        return list(ready)


class _Task:
    def __init__(self, function: Any) -> None:
        self._function = function

    def remote(self, work: Work, item: Item) -> Result:
        result: Result = self._function(work, item)
        return result
