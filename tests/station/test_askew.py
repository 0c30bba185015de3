"""What the desk reads of sensors that are turned or whose clocks are off."""

import re
from typing import Any

import pytest

from vedette.model import Bearing, Detection, Registration
from vedette.station.askew import LOOK_S, MOST_SENSORS, PERIOD_S, AskewSensors, words_of

START = 1_790_000_000.0


def found(sensor: str = "df-1", **changes: Any) -> Registration:
    usual: dict[str, Any] = {
        "azimuth_bias_deg": 0.1, "azimuth_sigma_deg": 0.15, "clock_offset_s": 0.02, "clock_sigma_s": 0.05,
        "azimuth_corrected": False, "clock_corrected": False, "astray": False, "compared": 300,
    }  # fmt: skip
    return Registration(sensor=sensor, **(usual | changes))


def plot(sensor: str) -> Detection:
    return Detection(time=START, sensor=sensor, measure=Bearing(azimuth_deg=10.0))


class Desk:
    """Where the troubles arrive."""

    def __init__(self) -> None:
        self.known: list[Registration] = []
        self.news: list[tuple[str, str, str | None]] = []
        self.askew = AskewSensors(lambda: self.known, lambda *news: self.news.append(news))


def test_a_sensor_that_is_set_up_well_is_no_news() -> None:
    assert words_of(found()) is None
    assert words_of(found(azimuth_bias_deg=2.0, azimuth_sigma_deg=1.5)) is None


@pytest.mark.parametrize(("bias", "way"), [(3.04, "clockwise"), (-3.04, "anticlockwise")])
def test_a_turned_sensor_is_named_with_the_way_and_the_figure(bias: float, way: str) -> None:
    words = words_of(found(azimuth_bias_deg=bias, azimuth_corrected=True))
    assert words == (
        f"df-1 points 3.0 degrees {way} of what the other sensors say (corrected): check its mounting"
    )


def test_a_sensor_that_is_astray_is_to_be_repaired_and_not_called_corrected() -> None:
    words = words_of(found(azimuth_bias_deg=-91.6, astray=True))
    assert words is not None
    assert "about 92 degrees anticlockwise" in words
    assert "not used" in words
    assert "corrected" not in words


@pytest.mark.parametrize(("offset", "way"), [(0.52, "ahead of"), (-0.52, "behind")])
def test_a_clock_that_is_off(offset: float, way: str) -> None:
    words = words_of(found(clock_offset_s=offset, clock_corrected=True))
    assert words == f"the clock of df-1 is 0.5 s {way} the other sensors' (corrected): set it"


def test_a_clock_that_is_too_far_off_to_be_corrected_is_told_all_the_same() -> None:
    words = words_of(found(clock_offset_s=2.6, clock_sigma_s=0.3))
    assert words == "the clock of df-1 is 2.6 s ahead of the other sensors': set it"
    assert words_of(found(clock_offset_s=2.6, clock_sigma_s=1.3)) is None


def test_what_cannot_be_told_apart_is_said_so() -> None:
    words = words_of(found(azimuth_disputed_with=("radar-1",), clock_disputed_with=("radar-1", "df-2")))
    assert words is not None
    assert "df-1 or radar-1 is turned" in words
    assert "of df-1 or of radar-1 or df-2 is off" in words
    assert len(re.findall("not known which", words)) == 2


def test_it_is_told_at_the_feed_that_brings_the_sensor_and_only_there() -> None:
    desk = Desk()
    desk.askew.look("north", [plot("df-1"), plot("df-2")])
    desk.known = [
        found(azimuth_bias_deg=3.0, azimuth_corrected=True),
        found("df-2"),
        found("df-9", astray=True),
    ]
    desk.askew.due(START)
    ((feed, what, words),) = desk.news
    assert (feed, what) == ("north", "set-up of df-1")
    assert words is not None


def test_figures_are_told_anew_each_minute_and_its_end_soon() -> None:
    desk = Desk()
    desk.askew.look("north", [plot("df-1")])
    for second in range(int(3 * PERIOD_S)):
        desk.known = [found(azimuth_bias_deg=3.0 + 0.01 * second, azimuth_corrected=True)]
        desk.askew.due(START + second)
    assert [words is not None for _, _, words in desk.news] == [True] * 3
    assert len({words for _, _, words in desk.news}) == 3
    desk.known = [found()]
    desk.askew.due(START + 3 * PERIOD_S + LOOK_S)
    assert desk.news[-1][2] is None
    desk.askew.due(START + 3 * PERIOD_S + 3 * LOOK_S)
    assert len(desk.news) == 4


def test_a_clock_of_the_station_that_goes_back_silences_nothing() -> None:
    desk = Desk()
    desk.askew.look("north", [plot("df-1")])
    desk.askew.due(START)
    desk.known = [found(astray=True)]
    desk.askew.due(START - 1000.0)
    assert len(desk.news) == 1


def test_a_flood_of_names_is_bounded() -> None:
    desk = Desk()
    desk.askew.look("north", [plot(f"s{number}") for number in range(3 * MOST_SENSORS)])
    assert len(desk.askew._feeds) == MOST_SENSORS
