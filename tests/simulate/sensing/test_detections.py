"""What reaches the station: in order, repeatable, honest in its geometry, and free of the truth's traces."""

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from msgspec import structs

from vedette.geo import LocalFrame, SensorFrame
from vedette.model import Bearing, Detection, Position, RangeBearing, UnitReport
from vedette.model.detection import EmptyScan
from vedette.model.errors import ConfigError
from vedette.simulate import Scenario, detections, inputs, mix, unit_reports
from vedette.simulate.sensing import physics
from vedette.simulate.sensing.catalogue import Acoustic, Radar, catalogue
from vedette.simulate.sensing.plan import Sensor
from vedette.simulate.world import World

Scene = Callable[..., Scenario]
Text = Callable[..., str]
START = 1_800_000_000.0
REMOTE_ID = '[actor.remote_id]\nserial = "1581FTEST"\nmac = "60:60:1f:aa:bb:cc"\nrate_hz = 4.0\n'
QUIET = {"clutter_per_scan": 0.0}


def _run(scenario: Scenario) -> list[Detection]:
    return list(detections(scenario, START))


def _sensor(model: str, **changed: object) -> Sensor:
    usual = {"id": "one", "model": model, "enu_m": (0.0, 0.0), "agl_m": 10.0, "override": QUIET}
    return Sensor(**(usual | changed))  # type: ignore[arg-type]


def _true_polar(scenario: Scenario, sensor: Sensor, times: list[float]) -> list[tuple[float, float, float]]:
    """Range, azimuth and elevation of the first actor at each time, by the scalar code of `vedette.geo`."""
    site = scenario.head.site
    frame = LocalFrame(site.lat_deg, site.lon_deg, site.alt_m)
    east, north = sensor.enu_m or (0.0, 0.0)
    lat_deg, lon_deg, alt_m = frame.to_geodetic(east, north, sensor.agl_m)
    seen_from = SensorFrame(frame, lat_deg, lon_deg, alt_m)
    world, found = World(scenario), []
    for time in times:
        while world.time_s + 0.1 <= time:
            world.advance()
        found.append(seen_from.site_to_polar(*world.at(0, time).enu_m))
    return found


def test_everything_arrives_in_order_and_all_kinds_do(scene: Scene, flier: Text) -> None:
    text = flier() + REMOTE_ID + flier(id="n1", kind="fixed-wing", signature="aircraft", agl_m=250)
    found = _run(scene(mix("full", (0.0, 0.0)), text))
    arrived = [detection.received for detection in found]
    assert None not in arrived
    assert arrived == sorted(arrived)  # type: ignore[type-var]
    assert {detection.sensor for detection in found} == {
        "radar", "df-1", "df-2", "array", "camera", "remote-id", "adsb"
    }  # fmt: skip
    assert all(START <= d.time <= START + 121.0 for d in found)
    claims = {(d.claim.scheme, d.sensor) for d in found if d.claim is not None}
    assert claims == {("remote-id-serial", "remote-id"), ("icao", "adsb")}


def test_the_same_scenario_gives_the_same_and_another_seed_does_not(scene: Scene) -> None:
    sensors = mix("radar-df", (0.0, 0.0))
    first = _run(scene(sensors, terrain="rolling-desert"))
    assert first == _run(scene(sensors, terrain="rolling-desert"))
    assert first != _run(scene(sensors, terrain="rolling-desert", seed=6))


def test_another_actor_or_sensor_changes_nothing_else(scene: Scene, flier: Text) -> None:
    radar, finder = _sensor("x-band-fmcw", id="radar"), _sensor("rf-direction-finder", id="df", override={})
    alone = _run(scene((radar, finder)))
    crow = flier(id="crow", kind="bird", signature="bird", from_e=-300.0, to_e=-200.0)
    more = _run(scene((_sensor("pan-camera", id="camera"), radar, finder), flier() + crow))

    def measures(found: list[Detection], sensor: str) -> Counter[tuple[float, object]]:
        return Counter(
            (d.time, d.measure) for d in found
            if d.sensor == sensor and not isinstance(d.measure, EmptyScan)
        )  # fmt: skip

    assert measures(alone, "df") == measures(more, "df"), "a bird emits nothing"
    assert measures(alone, "radar") < measures(more, "radar")


@pytest.mark.parametrize("model", ["mesa-radar", "x-band-fmcw", "surveillance-2d"])
def test_radar_errors_are_those_of_the_catalogue(scene: Scene, model: str, flier: Text) -> None:
    sensor = _sensor(model, facing_deg=45.0)
    scenario = scene((sensor,), flier(to_e=150.0, to_n=250.0))
    plots = [d for d in _run(scenario) if isinstance(d.measure, RangeBearing)]
    assert len(plots) > 30
    book = catalogue().models[model]
    assert isinstance(book, Radar)
    truth = _true_polar(scenario, sensor, [d.time - START for d in plots])
    off = {"range": [], "azimuth": [], "elevation": []}  # type: dict[str, list[float]]
    for detection, (range_m, azimuth_deg, elevation_deg) in zip(plots, truth, strict=True):
        measure = detection.measure
        assert isinstance(measure, RangeBearing)
        off["range"].append((measure.range_m - range_m) / book.sigma_range_m)
        turn = (measure.azimuth_deg - azimuth_deg + 180.0) % 360.0 - 180.0
        off["azimuth"].append(turn / book.sigma_azimuth_deg)
        if book.sigma_elevation_deg is None:
            assert measure.elevation_deg is None
        else:
            assert measure.elevation_deg is not None
            off["elevation"].append((measure.elevation_deg - elevation_deg) / book.sigma_elevation_deg)
    for name, values in off.items():
        if values:
            assert abs(np.mean(values)) < 4.0 / math.sqrt(len(values)), name
            assert 0.7 < np.std(values) < 1.3, name


def test_range_rate_is_negative_on_approach(scene: Scene, flier: Text) -> None:
    found = _run(scene((_sensor("x-band-fmcw"),), flier(from_n=0.0, from_e=2000.0, to_e=50.0, to_n=0.0)))
    rates = [d.measure.range_rate_mps for d in found if isinstance(d.measure, RangeBearing)]
    assert np.median([rate for rate in rates if rate is not None]) == pytest.approx(-16.25, abs=0.5)


def test_share_of_looks_is_the_physics_chance(scene: Scene, flier: Text) -> None:
    """A drone on a circle's arc, so to say: far enough that range hardly changes."""
    model = catalogue().models["x-band-fmcw"]
    assert isinstance(model, Radar)
    way = {"from_e": 2400.0, "to_e": 2370.0, "from_n": -300.0, "to_n": 1400.0, "duration_s": 600.0}
    sensor = _sensor("x-band-fmcw", override=QUIET | {"least_rate_mps": 0.0})
    found = _run(scene((sensor,), flier(**way), duration_s=600.0))
    plots = [d.measure for d in found if isinstance(d.measure, RangeBearing)]
    expected = float(
        np.mean(
            [
                physics.radar_pd(model, np.array([math.hypot(2400.0 - 0.05 * t, -300.0 + 2.833 * t)]), -17.0)
                for t in range(600)
            ]
        )
    )
    assert len(plots) / 600.0 == pytest.approx(expected, abs=0.06)


def test_a_turning_radar_states_the_time_of_its_beam(scene: Scene) -> None:
    found = _run(scene((_sensor("x-band-fmcw", override={"clutter_per_scan": 30.0}),)))
    offsets = {
        round(
            (d.time - START - d.measure.azimuth_deg / 360.0) % 1.0, 1
        )
        for d in found
        if isinstance(d.measure, RangeBearing)
    }  # fmt: skip
    assert len({0.0 if offset == 1.0 else offset for offset in offsets}) <= 2, "one phase, and a noisy drone"


def test_sound_comes_late(scene: Scene, flier: Text) -> None:
    """What passes at 300 m and 50 m/s is heard 0.87 s, or 44 m, behind itself."""
    way = {"from_e": -1500.0, "to_e": 1500.0, "from_n": 300.0, "to_n": 300.0, "duration_s": 60.0}
    sensor = _sensor("acoustic-array", agl_m=2.0)
    book = catalogue().models["acoustic-array"]
    assert isinstance(book, Acoustic)
    scenario = scene((sensor,), flier(**way), duration_s=60.0)
    found = [d for d in _run(scenario) if isinstance(d.measure, Bearing)]
    truth = _true_polar(scenario, sensor, [d.time - START for d in found])
    turns = [
        (d.measure.azimuth_deg - azimuth + 180.0) % 360.0 - 180.0
        for d, (range_m, azimuth, _) in zip(found, truth, strict=True)
        if isinstance(d.measure, Bearing) and range_m < 360.0
    ]
    assert len(turns) > 8
    assert -10.5 < np.mean(turns) < -5.0, "the drone goes clockwise and is heard where it was"


def test_a_silent_drone_is_not_heard_by_radio_and_is_seen_by_radar(scene: Scene, flier: Text) -> None:
    found = _run(scene(mix("radar-df", (0.0, 0.0)), flier(signature="fpv-fibre")))
    bearings = Counter(d.sensor for d in found if isinstance(d.measure, Bearing))
    assert sum(bearings.values()) < 30, "false bearings only"
    loud = _run(scene(mix("radar-df", (0.0, 0.0))))
    assert sum(isinstance(d.measure, Bearing) for d in loud) > 200


def test_clutter_is_poisson_and_a_watching_sensor_says_when_it_saw_nothing(scene: Scene, patrol: str) -> None:
    radar = _sensor("mesa-radar", override={"clutter_per_scan": 1.5, "azimuth_width_deg": 90.0})
    found = _run(scene((radar,), patrol, duration_s=400.0))
    scans = Counter(d.scan for d in found if not isinstance(d.measure, EmptyScan))
    empty = sum(isinstance(d.measure, EmptyScan) for d in found)
    assert len(scans) + empty == 800
    assert sum(scans.values()) == pytest.approx(1200.0, abs=140.0)
    assert empty == pytest.approx(800.0 * math.exp(-1.5), abs=45.0)
    azimuths = [d.measure.azimuth_deg for d in found if isinstance(d.measure, RangeBearing)]
    assert all(azimuth <= 45.0 or azimuth >= 315.0 for azimuth in azimuths)


def test_a_panel_sees_its_sector_only(scene: Scene, flier: Text) -> None:
    behind = _run(scene((_sensor("mesa-radar", facing_deg=225.0),), flier(to_e=100.0, to_n=200.0)))
    assert all(isinstance(d.measure, EmptyScan) for d in behind)


def test_ground_hides(scene: Scene, flier: Text) -> None:
    low = flier(agl_m=3.0, from_e=2500.0, to_e=2400.0)
    radar = _sensor("x-band-fmcw", agl_m=3.0)
    over = len([d for d in _run(scene((radar,), low)) if isinstance(d.measure, RangeBearing)])
    hidden = len(
        [
            d
            for d in _run(scene((radar,), low, terrain="rolling-desert"))
            if isinstance(d.measure, RangeBearing)
        ]
    )
    assert hidden < over / 2


def test_beliefs_err_the_same_way_for_a_flight(scene: Scene, flier: Text) -> None:
    camera = _sensor("pan-camera")
    way = {"from_e": 300.0, "from_n": 250.0, "to_e": 90.0, "to_n": 100.0}
    tops: Counter[str] = Counter()
    for seed in range(12):
        found = _run(scene((camera,), flier(signature="hexacopter", **way), seed=seed))
        beliefs = [d.beliefs for d in found if d.beliefs is not None]
        assert len(beliefs) > 20
        assert all(sum(belief.values()) <= 1.0 + 1e-9 for belief in beliefs)
        named = Counter(max(belief, key=lambda name: belief[name]) for belief in beliefs)
        tops[named.most_common(1)[0][0]] += 1
        assert named.most_common(1)[0][1] > 0.6 * len(beliefs)
    assert tops["multirotor"] >= 7
    assert len(tops) >= 2, "in some flights it is wrong throughout"


def test_false_plots_cannot_be_told_by_their_place_in_the_scan(scene: Scene) -> None:
    found = _run(scene((_sensor("mesa-radar", override={"clutter_per_scan": 6.0}),)))
    by_scan: dict[object, list[float]] = {}
    for d in found:
        if isinstance(d.measure, RangeBearing):
            by_scan.setdefault(d.scan, []).append(d.measure.azimuth_deg)
    assert all(azimuths == sorted(azimuths) for azimuths in by_scan.values())


def test_remote_id_of_a_planned_receiver_is_read_by_the_real_adapter(scene: Scene, flier: Text) -> None:
    found = _run(scene(mix("remote-id-only", (0.0, 0.0)), flier() + REMOTE_ID))
    assert len(found) > 150
    assert all(isinstance(d.measure, Position) for d in found)


def test_units_report_whatever_the_sensors_are(scene: Scene, flier: Text, patrol: str) -> None:
    scenario = scene((), flier() + patrol)
    reports = list(unit_reports(scenario, START))
    assert all(isinstance(report, UnitReport) and report.unit == "UID-BRAVO" for report in reports)
    assert len(reports) == 24
    assert reports == list(unit_reports(structs.replace(scenario, sensors=mix("full", (0.0, 0.0))), START))


def test_inputs_are_detections_and_reports_in_one_walk(scene: Scene, flier: Text, patrol: str) -> None:
    scenario = scene(mix("radar-df", (0.0, 0.0)), flier() + REMOTE_ID + patrol)
    together = list(inputs(scenario, START))
    assert [one for one in together if isinstance(one, Detection)] == _run(scenario)
    assert [one for one in together if isinstance(one, UnitReport)] == list(unit_reports(scenario, START))
    arrived = [one.time if isinstance(one, UnitReport) else one.received for one in together]
    assert arrived == sorted(arrived)  # type: ignore[type-var]


def test_a_start_that_cannot_be_is_refused(scene: Scene) -> None:
    with pytest.raises(ConfigError, match="2019"):
        next(detections(scene(), 0.0))
