"""The report: whole, self-contained, and true to the figures."""

import math
import re
from html.parser import HTMLParser

import pytest
from campaign_works import run_one, tell_one
from msgspec.structs import replace

from vedette.evaluate.campaign.compare import compare
from vedette.evaluate.campaign.items import Item, items_of
from vedette.evaluate.campaign.summary import Evaluation, summarise
from vedette.evaluate.page import page
from vedette.evaluate.page.compared import lines_of as compared_lines
from vedette.evaluate.page.compared import page_of
from vedette.evaluate.page.plan import plan
from vedette.evaluate.page.stories import article, lines_of
from vedette.evaluate.page.svg import Plot, decades, linear, shares

VOID = {"meta", "br", "line", "circle", "rect", "polyline", "polygon"}


class Balanced(HTMLParser):
    """Every tag that opens closes, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> with nothing open"
        assert self.open.pop() == tag


def checked(html: str) -> Balanced:
    parser = Balanced()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    items = items_of("test", range(4), ["full", "other"], ["rf-denied"])
    return summarise([run_one(item) for item in items], "m<1>")


@pytest.fixture(scope="module")
def html(evaluation: Evaluation) -> str:
    stories = [tell_one(Item(collection="test", index=index)) for index in (0, 1)]
    return page(evaluation, stories)


def test_the_page_is_well_formed_and_needs_nothing_from_elsewhere(html: str) -> None:
    seen = checked(html).seen
    assert {"script", "link", "img", "iframe", "object"}.isdisjoint(seen)
    assert re.findall(r"(?:https?:)?//\w", html) == []
    assert "default-src 'none'" in html
    assert "prefers-color-scheme: dark" in html
    assert "@media print" in html


def test_the_page_has_every_section_and_plot(html: str) -> None:
    titles = re.findall(r"<h2[^>]*>([^<]*)</h2>", html)
    assert titles == [
        "Against the goals",
        "How much time people had",
        "By behaviour",
        "False alerts",
        "Other thresholds",
        "By sensors",
        "When things go wrong",
        "Where the time goes",
        "What went worst",
        "Encounters, from detection to decision",
    ]
    assert html.count("<svg") >= 9
    assert "nan" not in re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL).lower().replace(
        "finance", ""
    )


def test_what_comes_from_outside_is_escaped(html: str) -> None:
    assert "m&lt;1&gt;" in html
    assert "m<1>" not in html


def test_a_person_can_follow_the_encounter() -> None:
    story = tell_one(Item(collection="test", index=0))
    text = article(story)
    checked(text)
    assert "was warned" in text
    assert "vedette evaluate --explain --collection test --item 0" in text
    for one in story.decisions:
        assert f"risk {one.risk:.1%}" in text
    lines = list(lines_of(story))
    assert any("UNIT-1" in line for line in lines)
    assert sum("nats" in line for line in lines) == len(story.decisions)


def test_the_map_shows_where_it_flew_and_where_it_was_believed_to_be() -> None:
    story = tell_one(Item(collection="test", index=0))
    by_what = {what: [way for way in story.ways if way.what == what] for what in ("body", "unit", "track")}
    assert [way.name for way in by_what["unit"]] == ["UNIT-1"]
    body, track = by_what["body"][0], by_what["track"][0]
    places = {at: (east, north) for at, east, north in body.spots}
    off = [math.dist(places[at], (east, north)) for at, east, north in track.spots if at in places]
    assert len(off) > 20
    assert max(off) < 60.0
    drawn = plan(story)
    checked(drawn)
    assert drawn.count('class="flown"') == 1
    assert drawn.count('class="believed"') == len(by_what["track"])
    assert drawn.count(" ring") == len(story.decisions)
    assert ">UNIT-1<" in drawn
    assert plan(replace(story, ways=())) == ""


def test_two_campaigns_on_one_page(evaluation: Evaluation) -> None:
    found = compare(evaluation, evaluation)
    text = page_of(found, ("before", "after<"))
    checked(text)
    assert "after&lt;" in text
    assert "within chance" in text
    assert len(list(compared_lines(found))) >= 5


def test_axes_have_round_ticks_that_enclose_the_data() -> None:
    axis = linear(0.0, 47.0)
    assert [words for _, words in axis.ticks] == ["0", "10", "20", "30", "40", "50"]
    assert linear(3.0, 3.0).high > linear(3.0, 3.0).low
    assert shares(high=0.031).high == pytest.approx(0.05)
    assert [words for _, words in decades(0.2, 20.0).ticks] == ["0.2", "0.5", "1", "2", "5", "10", "20"]


def test_marks_beyond_an_axis_are_held_inside() -> None:
    plot = Plot(decades(0.2, 20.0), shares(high=0.1), "test", width=200.0, height=100.0)
    assert plot.x(0.0) == plot.x(0.2)
    assert plot.x(1e9) == plot.x(20.0)
    assert plot.y(5.0) == plot.y(0.1)
    plot.dot(1e9, 5.0, "dot", "far & away")
    svg = plot.svg()
    checked(svg)
    assert "far &amp; away" in svg
