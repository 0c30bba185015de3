"""Sensors of which nobody knows where they stand: their feeds do not pass for watching."""

from vedette.model import Detection, Position, RangeBearing, SensorProfile
from vedette.station.unplaced import GRACE_S, MOST_FEEDS, NAMED, UnplacedSensors

START = 1_790_000_000.0


def plot(sensor: str) -> Detection:
    return Detection(time=START, sensor=sensor, measure=RangeBearing(range_m=900.0, azimuth_deg=10.0))


def profile(sensor: str) -> SensorProfile:
    return SensorProfile(
        id=sensor, type="radar-2d", lat_deg=31.0, lon_deg=-110.0, alt_m=10.0, alt_datum="egm96",
        period_s=1.0, detection_probability=0.9,
    )  # fmt: skip


class Desk:
    """Where the troubles arrive."""

    def __init__(self) -> None:
        self.placed: list[SensorProfile] = []
        self.news: list[tuple[str, str | None]] = []
        self.unplaced = UnplacedSensors(lambda: self.placed, self.tell)

    def tell(self, feed: str, what: str, words: str | None) -> None:
        assert what == "unplaced"
        self.news.append((feed, words))

    def hear(self, after_s: float, *sensors: str, feed: str = "radars") -> None:
        self.unplaced.look(feed, [plot(sensor) for sensor in sensors], START + after_s)


def test_a_sensor_that_is_never_placed_is_told_of_once_after_the_grace() -> None:
    desk = Desk()
    for second in range(int(2 * GRACE_S)):
        desk.hear(second, "north")
        assert len(desk.news) == (second >= GRACE_S)
    ((feed, words),) = desk.news
    assert feed == "radars"
    assert words is not None
    assert "north" in words
    assert "[[sensor]]" in words


def test_the_trouble_ends_when_the_place_is_known() -> None:
    desk = Desk()
    desk.hear(0.0, "north")
    desk.hear(GRACE_S, "north")
    desk.placed.append(profile("north"))
    desk.hear(GRACE_S + 1.0, "north")
    assert [words is None for _, words in desk.news] == [False, True]
    desk.hear(GRACE_S + 60.0, "north")
    assert len(desk.news) == 2


def test_a_sensor_that_states_its_place_in_time_is_no_trouble() -> None:
    desk = Desk()
    desk.hear(0.0, "north")
    desk.placed.append(profile("north"))
    desk.hear(GRACE_S + 5.0, "north")
    assert desk.news == []


def test_positions_need_no_place() -> None:
    desk = Desk()
    seen = Detection(time=START, sensor="rid", measure=Position(lat_deg=31.0, lon_deg=-110.0))
    for second in (0.0, 60.0):
        desk.unplaced.look("rid", [seen], START + second)
    assert desk.news == []


def test_of_many_sensors_some_are_named_and_feeds_are_bounded() -> None:
    desk = Desk()
    names = [f"radar-{number}" for number in range(NAMED + 2)]
    for second in (0.0, GRACE_S):
        desk.hear(second, *names)
    (words,) = (words for _, words in desk.news)
    assert words is not None
    assert "and 2 more" in words
    for number in range(2 * MOST_FEEDS):
        for second in (0.0, GRACE_S):
            desk.hear(second, "x", feed=f"feed-{number}")
    assert len(desk.news) == MOST_FEEDS
