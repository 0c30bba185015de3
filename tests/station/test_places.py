"""Sensors that say where they stand: at a bounded pace into the log, and exactly into the tracker."""

from collections.abc import Iterable
from itertools import pairwise

import msgspec
import pytest
from station_build import SITE, START, Recorder

from vedette.core import MOST_REPORTED_SENSORS, Core
from vedette.model import Detection, RangeBearing, SensorProfile
from vedette.model.event import Configure, DetectionBatch, Digest, SensorReport
from vedette.station.places import ALL_S, EACH_S, MOST_SENSORS, SensorPlaces


def radar(name: str = "node-1", north: float = 0.0, **changes: object) -> SensorProfile:
    fields: dict[str, object] = {
        "id": name, "type": "radar-3d", "lat_deg": SITE.lat_deg + north, "lon_deg": SITE.lon_deg,
        "alt_m": SITE.alt_m, "alt_datum": SITE.alt_datum, "period_s": 1.0, "detection_probability": 0.9,
    }  # fmt: skip
    return SensorProfile(**{**fields, **changes})  # type: ignore[arg-type]


def plots(sensor: str, times: Iterable[float]) -> list[Detection]:
    return [
        Detection(
            time=at,
            sensor=sensor,
            measure=RangeBearing(range_m=900.0 - 20.0 * (at - START), azimuth_deg=10.0, elevation_deg=6.0),
        )
        for at in times
    ]


def fly(recorder: Recorder, sensor: str, first: int, last: int) -> None:
    for second in range(first, last):
        at = START + second
        for plot in plots(sensor, [at]):
            recorder.enter(at, DetectionBatch(feed=sensor, detections=(plot,)))
        recorder.hand.at = at
        recorder.engine.tick()


def digests(recorder: Recorder) -> list[Digest]:
    return [event.body for event in recorder.decided if isinstance(event.body, Digest)]


def test_plots_of_a_sensor_that_told_its_place_become_a_track() -> None:
    recorder = Recorder()
    fly(recorder, "node-1", 0, 4)
    assert recorder.engine.core.counts()["unknown-sensor"] == 4
    recorder.enter(START + 4, SensorReport(profile=radar()))
    fly(recorder, "node-1", 4, 12)
    (track,) = recorder.engine.core.frame(START + 11).tracks
    assert track.sensors == ("node-1",)
    assert track.enu_m[1] == pytest.approx(680.0 * 0.98, rel=0.05)


def test_a_snapshot_carries_the_places_to_the_bit() -> None:
    first = Recorder()
    first.enter(START, SensorReport(profile=radar()))
    fly(first, "node-1", 0, 6)
    second = Recorder(core=Core.restore(first.engine.core.snapshot()), at=START + 5)
    for recorder in (first, second):
        recorder.decided.clear()
        fly(recorder, "node-1", 6, 14)
        recorder.enter(START + 14, SensorReport(profile=radar(north=0.001)))
        fly(recorder, "node-1", 14, 20)
    assert digests(first) == digests(second)
    assert len(digests(first)) >= 10
    assert first.engine.core.frame(START + 20) == second.engine.core.frame(START + 20)


def test_a_moved_sensor_is_used_where_it_stands_now() -> None:
    recorder = Recorder()
    recorder.enter(START, SensorReport(profile=radar()))
    recorder.enter(START + 1, SensorReport(profile=radar(north=0.01)))
    fly(recorder, "node-1", 2, 10)
    (track,) = recorder.engine.core.frame(START + 9).tracks
    assert track.enu_m[1] > 1500.0


def test_the_configuration_holds_against_what_a_sensor_says() -> None:
    core = Core(Configure(site=SITE, sensors=(radar("mast"),)))
    recorder = Recorder(core=core)
    recorder.enter(START, SensorReport(profile=radar("mast", north=0.5)))
    assert core.sensors == (radar("mast"),)
    assert core.counts()["sensor-place-is-configured"] == 1


def test_a_new_configuration_takes_the_place_of_a_word() -> None:
    recorder = Recorder()
    recorder.enter(START, SensorReport(profile=radar("mast", north=0.1)))
    recorder.enter(START, SensorReport(profile=radar("other")))
    recorder.enter(START + 1, Configure(site=SITE, sensors=(radar("mast"),)))
    assert recorder.engine.core.sensors == (radar("mast"), radar("other"))
    moved = msgspec.structs.replace(SITE, lat_deg=SITE.lat_deg + 1.0)
    recorder.enter(START + 2, Configure(site=moved, sensors=(radar("mast"),)))
    assert recorder.engine.core.sensors == (radar("mast"),)


def test_a_place_in_a_datum_that_does_not_fit_is_counted_and_nothing_falls() -> None:
    recorder = Recorder()
    recorder.enter(START, SensorReport(profile=radar(alt_datum="takeoff")))
    core = recorder.engine.core
    assert core.sensors == ()
    assert core.counts()["sensor-cannot-be-placed"] == 1
    assert recorder.faults == []


def test_sensors_that_report_themselves_are_bounded() -> None:
    core = Core(Configure(site=SITE))
    recorder = Recorder(core=core)
    for number in range(MOST_REPORTED_SENSORS + 5):
        recorder.enter(START, SensorReport(profile=radar(f"node-{number}")))
    assert len(core.sensors) == MOST_REPORTED_SENSORS
    assert core.counts()["too-many-sensors"] == 5


def test_places_enter_at_a_bounded_pace_and_the_newest_wins() -> None:
    entered: list[tuple[float, str, float]] = []
    now = 0.0
    places = SensorPlaces(lambda report: entered.append((now, report.profile.id, report.profile.lat_deg)))
    for step in range(400):
        now = step * 0.1
        for name in ("a", "b", "c"):
            places.take(radar(name, north=step * 1e-6), now)
        places.due(now)
    times = [at for at, _, _ in entered]
    assert all(later - earlier >= ALL_S - 1e-9 for earlier, later in pairwise(times))
    for name in ("a", "b", "c"):
        own = [at for at, who, _ in entered if who == name]
        assert len(own) >= 40.0 / (EACH_S + 1.0) - 1
        assert all(later - earlier >= EACH_S - 1e-9 for earlier, later in pairwise(own))
    lasts = {name: place for _, name, place in entered}
    assert all(place > SITE.lat_deg + 3e-4 for place in lasts.values())


def test_the_same_place_again_is_no_news() -> None:
    entered: list[str] = []
    places = SensorPlaces(lambda report: entered.append(report.profile.id))
    for at in range(100):
        places.take(radar(), float(at))
    assert entered == ["node-1"]


def test_the_number_of_places_is_bounded() -> None:
    entered: list[str] = []
    places = SensorPlaces(lambda report: entered.append(report.profile.id))
    for number in range(MOST_SENSORS * 2):
        places.take(radar(f"node-{number}"), 0.0)
    for step in range(MOST_SENSORS * 2):
        places.due(1.0 + step)
    assert len(entered) == MOST_SENSORS


class Crowd:
    """Places in which strangers register sensors and leave. ``reports``: what entered, ``gone``: who left."""

    def __init__(self, before: Iterable[str] = ()) -> None:
        self.gone: set[str] = set()
        self.reports: list[SensorReport] = []
        self.places = SensorPlaces(self.reports.append, self.gone.__contains__, before)
        self.at = 0.0

    def pass_by(self, name: str, feed: str = "net") -> None:
        """A sensor registers, is let in, and leaves."""
        self.at += ALL_S
        assert self.places.take(radar(name), self.at, f"{feed}/{name}")
        self.gone.add(f"{feed}/{name}")


def test_sensors_that_were_invented_and_left_do_not_keep_a_radar_out_for_good() -> None:
    crowd = Crowd()
    crowd.pass_by("old mast")
    crowd.gone.clear()
    core = Core(Configure(site=SITE))
    recorder = Recorder(core=core)
    for number in range(2 * MOST_SENSORS):
        crowd.pass_by(f"ghost-{number}")
    crowd.at += ALL_S
    assert crowd.places.take(radar("new mast"), crowd.at, "net/new mast")
    assert crowd.reports[-1].profile.id == "new mast"
    for report in crowd.reports:
        recorder.enter(START, report)
    known = {profile.id for profile in core.reported}
    assert len(known) == MOST_REPORTED_SENSORS
    assert {"old mast", "new mast"} <= known
    assert "too-many-sensors" not in core.counts()


def test_what_stood_before_and_has_left_keeps_its_place_longest() -> None:
    crowd = Crowd()
    crowd.pass_by("mast")
    for number in range(3 * MOST_SENSORS):
        crowd.pass_by(f"ghost-{number}")
    assert "mast" not in {report.instead_of for report in crowd.reports}


def test_after_a_restart_those_of_before_make_room() -> None:
    crowd = Crowd(before=[f"ghost-{number}" for number in range(MOST_SENSORS)])
    crowd.pass_by("mast")
    assert crowd.reports == [SensorReport(profile=radar("mast"), instead_of=f"ghost-{MOST_SENSORS - 1}")]


def test_where_all_are_there_a_newcomer_is_told_that_there_is_no_room() -> None:
    places = SensorPlaces(lambda report: None)
    for number in range(MOST_SENSORS):
        assert places.take(radar(f"node-{number}"), float(number), "net/x")
    assert not places.take(radar("late"), 1000.0, "net/late")


def test_a_feed_that_invents_sensors_does_not_hold_up_those_of_another() -> None:
    crowd = Crowd()
    for number in range(100):
        crowd.places.take(radar(f"ghost-{number}"), 0.0, f"net/{number}")
    crowd.places.take(radar("mast"), 0.5, "radar/mast")
    crowd.places.due(ALL_S)
    assert [report.profile.id for report in crowd.reports] == ["ghost-0", "mast"]


def test_who_has_left_no_longer_waits_for_a_place() -> None:
    crowd = Crowd()
    for number in range(100):
        crowd.places.take(radar(f"ghost-{number}"), 0.0, f"net/{number}")
    crowd.gone |= {f"net/{number}" for number in range(100)}
    crowd.places.take(radar("mast"), 0.5, "net/mast")
    crowd.places.due(ALL_S)
    assert [report.profile.id for report in crowd.reports] == ["ghost-0", "mast"]


def test_a_place_is_given_up_also_for_a_sensor_that_cannot_be_placed() -> None:
    core = Core(Configure(site=SITE))
    recorder = Recorder(core=core)
    recorder.enter(START, SensorReport(profile=radar("ghost")))
    fly(recorder, "ghost", 0, 6)
    recorder.enter(START + 6, SensorReport(profile=radar("odd", alt_datum="takeoff"), instead_of="ghost"))
    assert core.reported == ()
    assert core.counts()["sensor-cannot-be-placed"] == 1
    fly(recorder, "ghost", 7, 12)
    assert recorder.faults == []
    again = Core.restore(core.snapshot())
    assert again.snapshot() == core.snapshot()
