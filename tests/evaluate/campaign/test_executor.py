"""Work over processes: the same results in any number of them, and after one was killed."""

from pathlib import Path

import msgspec
import pytest
from campaign_works import DiesAlways, DiesOnce, numbered, refuses, run_one

from vedette.evaluate.campaign.campaign import executor_of, run_campaign
from vedette.evaluate.campaign.executor import InLine, Pool
from vedette.evaluate.campaign.items import Item, items_of
from vedette.evaluate.campaign.results import Result
from vedette.model import ConfigError, VedetteError

ITEMS = items_of("test", range(11), ["full"])


def json_of(results: tuple[Result, ...]) -> bytes:
    return msgspec.json.encode(results)


def test_one_and_two_workers_give_the_same() -> None:
    alone = run_campaign(ITEMS, numbered, executor_of(1))
    assert [one.item for one in alone] == list(ITEMS)
    assert json_of(run_campaign(ITEMS, numbered, Pool(2, batch=2))) == json_of(alone)


def test_a_killed_worker_costs_no_result(tmp_path: Path) -> None:
    pool = Pool(2, batch=2)
    results = run_campaign(ITEMS, DiesOnce(tmp_path / "died", 4), pool)
    assert (tmp_path / "died").exists()
    assert pool.deaths >= 1
    assert json_of(results) == json_of(run_campaign(ITEMS, numbered, InLine()))


def test_every_item_is_told_of_once_also_after_a_death(tmp_path: Path) -> None:
    told: list[int] = []
    work = DiesOnce(tmp_path / "died", 0)
    run_campaign(ITEMS, work, Pool(2, batch=3), seen=lambda one: told.append(one.item.index))
    assert sorted(told) == list(range(11))


def test_an_item_that_kills_whoever_runs_it_is_named(tmp_path: Path) -> None:
    marker = tmp_path / "deaths"
    with pytest.raises(VedetteError, match="test 2, full died 4 times"):
        run_campaign(ITEMS[:4], DiesAlways(marker, 2), Pool(2, batch=2))
    assert marker.read_text() == "xxxx"


def test_a_fault_of_the_work_is_no_death() -> None:
    with pytest.raises(ValueError, match="no encounter"):
        run_campaign(ITEMS[:3], refuses, Pool(2, batch=1))


def test_what_is_kept_is_not_run_again(tmp_path: Path) -> None:
    keep = tmp_path / "results.jsonl"
    run_campaign(ITEMS[:6], numbered, InLine(), keep)
    ran: list[int] = []

    def counting(item: Item) -> Result:
        ran.append(item.index)
        return numbered(item)

    again = run_campaign(ITEMS, counting, InLine(), keep)
    assert ran == [6, 7, 8, 9, 10]
    assert json_of(again) == json_of(run_campaign(ITEMS, numbered, InLine()))


def test_an_interrupted_campaign_goes_on_behind_its_last_whole_line(tmp_path: Path) -> None:
    keep = tmp_path / "results.jsonl"
    run_campaign(ITEMS[:3], numbered, InLine(), keep)
    keep.write_bytes(keep.read_bytes()[:-20])
    again = run_campaign(ITEMS[:4], numbered, InLine(), keep)
    assert json_of(again) == json_of(run_campaign(ITEMS[:4], numbered, InLine()))
    assert len(keep.read_bytes().splitlines()) == 5


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello\n", "not a file of kept results"),
        (b'{"vedette_evaluate":1,"code":"other"}\n', "another version"),
    ],
)
def test_other_files_are_not_taken_for_results(tmp_path: Path, content: bytes, words: str) -> None:
    keep = tmp_path / "results.jsonl"
    keep.write_bytes(content)
    with pytest.raises(ConfigError, match=words):
        run_campaign(ITEMS[:1], numbered, InLine(), keep)
    assert keep.read_bytes() == content


def test_the_name_of_an_item_follows_from_its_content() -> None:
    names = {item.digest for item in items_of("test", range(50), ["full", "radar-only"], ["rf-denied"])}
    assert len(names) == 150
    assert Item(collection="test", index=1).digest == Item(collection="test", index=1, mix="full").digest


def test_the_real_core_gives_the_same_in_two_processes() -> None:
    items = items_of("test", range(3), ["full"])
    alone = run_campaign(items, run_one, InLine())
    assert json_of(run_campaign(items, run_one, Pool(2, batch=1))) == json_of(alone)
