"""docs/feeds.md is what the code says, and each row says what is there."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from vedette.evaluate.bench_decode import FORMATS
from vedette.sense.quality import Quality, qualities
from vedette.station.peers.registry import FACTORIES

ROOT = Path(__file__).resolve().parent.parent


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("feeds_script", ROOT / "scripts" / "feeds.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FEEDS = _script()
ROWS = qualities()
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def test_the_page_is_what_the_script_makes() -> None:
    page = (ROOT / "docs" / "feeds.md").read_text(encoding="utf-8")
    assert page == FEEDS.guide(ROWS, FEEDS.read_figures()), "run .venv/bin/python scripts/feeds.py"


def test_every_kind_of_feed_has_a_row() -> None:
    assert {row.bench for row in ROWS} >= {"odid", "lines", "cot", "sapient", "beast", "asterix"}
    assert len({row.name for row in ROWS}) == len(ROWS)


@each_row
def test_a_row_names_what_there_is(row: Quality) -> None:
    assert (ROOT / "tests" / "fuzz" / row.fuzzer).is_file()
    assert row.bench in FORMATS
    assert row.schemes
    assert [scheme for scheme in row.schemes if scheme not in FACTORIES] == []


@each_row
def test_a_row_says_its_edition_and_its_limits_once(row: Quality) -> None:
    assert row.standard
    assert row.uncovered, "nothing is covered whole"
    for told in (row.schemes, row.tested, row.uncovered):
        assert len(set(told)) == len(told)
    assert "\n" not in "".join((row.name, row.standard, row.encoder or "", *row.tested, *row.uncovered))


@each_row
def test_a_row_has_a_speed(row: Quality) -> None:
    assert row.bench in FEEDS.read_figures()["figures"], "run scripts/feeds.py --measure"


def test_every_address_of_the_station_is_in_one_row_or_has_a_reason_to_be_in_none() -> None:
    told = [scheme for row in ROWS for scheme in row.schemes]
    assert len(set(told)) == len(told)
    assert not set(told) & set(FEEDS.WITHOUT_ROW)
    assert sorted(set(FACTORIES) - set(told) - set(FEEDS.WITHOUT_ROW)) == []


def test_figures_are_those_of_the_commands_they_name() -> None:
    for name, found in FEEDS.read_figures()["figures"].items():
        assert name in FORMATS
        assert found["command"] == f"vedette bench decode --format {name}"
        assert found["format"] == name
        assert found["frames_per_cpu_s"] > 0


FIGURE = {"frames_per_cpu_s": 123_456, "peak_rss_mb": 20.4, "detections": 5, "command": "vedette bench x"}
ROW = Quality(
    name="A|B", standard="S", schemes=("a", "b+udp"), tested=(), encoder=None, fuzzer="none.py", bench="odid",
    uncovered=("one", "two"),
)  # fmt: skip


def page_of(row: Quality, **figure: object) -> str:
    figures = {"odid": FIGURE | figure} if figure else {}
    page = FEEDS.guide((row,), {"machine": "m", "figures": figures})
    (line,) = [line for line in page.splitlines() if line.startswith("| **")]
    return str(line)


def test_a_row_without_evidence_says_so() -> None:
    cells = ["**A\\|B**", "S", "`a:`<br>`b+udp:`", "nothing but our own encoder"]
    cells += ["nothing", "no", "not measured", "one<br>two"]
    assert page_of(ROW) == f"| {' | '.join(cells)} |"


RATES = [(123_456, "120,000"), (4_449_552, "4,400,000"), (96, "96"), (7, "7"), (12_995, "13,000")]


@pytest.mark.parametrize(("rate", "shown"), RATES)
def test_a_speed_has_two_digits(rate: int, shown: str) -> None:
    assert f"| {shown} |" in page_of(ROW, frames_per_cpu_s=rate)


def test_a_speed_of_the_codec_alone_says_so() -> None:
    alone = {"frames_per_cpu_s": 50_000, "peak_rss_mb": 1.0, "messages": 5, "command": "x"}
    page = FEEDS.guide((ROW,), {"machine": "m", "figures": {"odid": alone}})
    assert "| 50,000 (messages) |" in page


def test_the_figures_are_written_as_they_are_read() -> None:
    text = (ROOT / "docs" / "feeds.json").read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=1) + "\n"
