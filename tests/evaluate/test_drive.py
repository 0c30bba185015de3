"""Files through the core: batches by scan and by 50 ms, arrival order, ticks on their grid, gaps."""

import itertools
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.evaluate.drive import BATCH_S, MAX_GAP_S, Arrival, Case, Driver, arrivals, read_case
from vedette.model import ConfigError, Event, InputError, Site, UnitReport
from vedette.model.event import DetectionBatch, Tick

START = 1_790_000_000.0
SITE = {"name": "Test", "lat_deg": 31.45, "lon_deg": -110.9, "alt_m": 1150.0, "alt_datum": "wgs84-ellipsoid"}


def case_of(folder: Path, detections: list[dict], units: list[dict] | None = None) -> Case:
    (folder / "site.json").write_text(json.dumps(SITE))
    (folder / "detections.jsonl").write_text("".join(json.dumps(row) + "\n" for row in detections))
    if units is not None:
        (folder / "units.jsonl").write_text("".join(json.dumps(row) + "\n" for row in units))
    return read_case(folder)


def seen(after_s: float, sensor: str = "a", **keys: object) -> dict:
    place = {"kind": "position", "lat_deg": 31.46, "lon_deg": -110.9}
    return {"time": START + after_s, "sensor": sensor, "measure": place, **keys}


def reported(after_s: float, unit: str = "u") -> dict:
    return {
        "time": START + after_s, "unit": unit, "lat_deg": 31.45, "lon_deg": -110.9, "sigma_m": 5.0,
        "mobility": "foot",
    }  # fmt: skip


def batches(case: Case) -> list[tuple[float, str, list[float]]]:
    """(arrival, feed, times) of each batch, in seconds after the start."""
    return [
        (
            round(arrival.at - START, 6),
            arrival.body.feed,
            [round(d.time - START, 6) for d in arrival.body.detections],
        )
        for arrival in arrivals(case)
        if isinstance(arrival.body, DetectionBatch)
    ]


def test_one_batch_a_scan_however_long_it_takes(tmp_path: Path) -> None:
    rows = [seen(0.0, scan=1), seen(0.4, scan=1), seen(0.9, scan=1), seen(0.91, scan=2), seen(2.0)]
    assert batches(case_of(tmp_path, rows)) == [
        (0.9, "a", [0.0, 0.4, 0.9]),
        (0.91, "a", [0.91]),
        (2.0, "a", [2.0]),
    ]


def test_fifty_milliseconds_where_there_are_no_scans(tmp_path: Path) -> None:
    rows = [seen(0.0), seen(0.02), seen(0.049), seen(0.051), seen(0.2)]
    assert batches(case_of(tmp_path, rows)) == [
        (0.049, "a", [0.0, 0.02, 0.049]),
        (0.051, "a", [0.051]),
        (0.2, "a", [0.2]),
    ]


def test_sensors_do_not_share_a_batch(tmp_path: Path) -> None:
    rows = [
        seen(0.0, "a"),
        seen(0.01, "b"),
        seen(0.02, "b"),
        seen(0.03, "a", scan=4),
        seen(0.03, "b", scan=4),
    ]
    assert [(feed, len(times)) for _, feed, times in batches(case_of(tmp_path, rows))] == [
        ("a", 1),
        ("b", 2),
        ("a", 1),
        ("b", 1),
    ]


def test_arrival_is_when_it_was_received(tmp_path: Path) -> None:
    rows = [seen(5.0, received=START + 5.3), seen(1.0, received=START + 5.31), seen(6.0)]
    assert batches(case_of(tmp_path, rows)) == [(5.31, "a", [5.0, 1.0]), (6.0, "a", [6.0])]


@given(
    st.lists(
        st.tuples(st.floats(0.0, 5.0), st.sampled_from("ab"), st.none() | st.integers(0, 2)), max_size=40
    )
)
def test_every_detection_is_in_one_batch_in_file_order(tmp_path_factory, rows) -> None:
    folder = tmp_path_factory.mktemp("case")
    lines = [seen(at, sensor, **({} if scan is None else {"scan": scan})) for at, sensor, scan in rows]
    found = [
        arrival.body
        for arrival in sorted(arrivals(case_of(folder, lines)), key=lambda arrival: arrival.order)
    ]
    assert [d.time for body in found for d in body.detections] == [row["time"] for row in lines]
    for body in found:
        assert {d.sensor for d in body.detections} == {body.feed}
        assert len({d.scan for d in body.detections}) == 1
        times = [d.time for d in body.detections]
        assert body.detections[0].scan is not None or max(times) - times[0] < BATCH_S


def test_units_and_detections_are_merged_by_arrival(tmp_path: Path) -> None:
    case = case_of(tmp_path, [seen(1.0), seen(3.0)], [reported(0.5), reported(1.0), reported(2.0)])
    kinds = [(round(a.at - START, 6), type(a.body)) for a in arrivals(case)]
    assert kinds == [
        (0.5, UnitReport),
        (1.0, UnitReport),
        (1.0, DetectionBatch),
        (2.0, UnitReport),
        (3.0, DetectionBatch),
    ]


def driven(case: Case, coming: list[Arrival]) -> list[Event]:
    return list(Driver(case).run(coming))


@given(st.lists(st.floats(-5.0, 20.0), min_size=1, max_size=12))
def test_events_are_numbered_and_ticks_stand_on_their_grid(offsets: list[float]) -> None:
    case = Case(Site(**SITE), (), Path("none"), None, Counter())
    coming = [
        Arrival(START + at, n, UnitReport(**{**reported(at), "time": START + at}))
        for n, at in enumerate(offsets)
    ]
    events = driven(case, coming)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    times = [event.at for event in events]
    assert times == sorted(times)
    ticks = [event.at for event in events if isinstance(event.body, Tick)]
    numbers = [round(at * 10) for at in ticks]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert all(at == number / 10 for at, number in zip(ticks[1:], numbers[1:], strict=True))
    assert sum(isinstance(event.body, UnitReport) for event in events) == len(offsets)


def test_what_arrives_on_a_tick_comes_behind_it() -> None:
    case = Case(Site(**SITE), (), Path("none"), None, Counter())
    events = driven(case, [Arrival(START + at, 0, UnitReport(**reported(at))) for at in (0.0, 0.3)])
    kinds = [(round(event.at - START, 3), type(event.body).__name__) for event in events]
    assert kinds == [
        (0.0, "Tick"),
        (0.0, "UnitReport"),
        (0.1, "Tick"),
        (0.2, "Tick"),
        (0.3, "Tick"),
        (0.3, "UnitReport"),
    ]


@pytest.mark.parametrize("gap_s", [MAX_GAP_S + 1.0, 3600.0, 1e6, 5e9])
def test_a_long_gap_takes_a_bounded_number_of_ticks(gap_s: float) -> None:
    case = Case(Site(**SITE), (), Path("none"), None, Counter())
    events = driven(case, [Arrival(START + at, 0, UnitReport(**reported(at))) for at in (0.0, gap_s)])
    ticks = [event.at for event in events if isinstance(event.body, Tick)]
    assert len(ticks) <= 2 * MAX_GAP_S + 12
    assert ticks[-1] == pytest.approx(START + gap_s, abs=0.11)
    assert all(later > earlier for earlier, later in itertools.pairwise(ticks))
    assert sum(later - earlier <= 1.01 for earlier, later in itertools.pairwise(ticks)) >= min(
        gap_s, MAX_GAP_S
    )


def test_the_same_files_give_the_same_core(tmp_path: Path) -> None:
    rows = [seen(n * 0.5, scan=n) for n in range(40)]
    states = []
    for _ in range(2):
        case = case_of(tmp_path, rows, [reported(0.0)])
        driver = Driver(case)
        list(driver.run(arrivals(case)))
        states.append(driver.core.snapshot())
    assert states[0] == states[1]


def test_settings_reach_the_core(tmp_path: Path) -> None:
    case = case_of(tmp_path, [seen(0.0)])
    driver = Driver(case, {"warn": {"expires_s": 33.0}})
    assert driver.core.settings.warn.expires_s == 33.0
    with pytest.raises(ConfigError, match="nonsense"):
        Driver(case, {"warn": {"nonsense": 1}})


@pytest.mark.parametrize("at", [-1.0, 1e300, float(1 << 33)])
def test_absurd_times_are_refused_with_their_line(tmp_path: Path, at: float) -> None:
    case = case_of(tmp_path, [seen(0.0), seen(1.0, received=at)])
    with pytest.raises(InputError, match=r"detections\.jsonl, line 2: the time"):
        list(arrivals(case))
    case = case_of(tmp_path, [], [{**reported(0.0), "time": at}])
    with pytest.raises(InputError, match=r"units\.jsonl, line 1: the time"):
        list(arrivals(case))


def test_the_line_of_an_absurd_time_counts_blank_lines(tmp_path: Path) -> None:
    case = case_of(tmp_path, [])
    bad = json.dumps(seen(0.0, received=-5.0))
    (tmp_path / "detections.jsonl").write_text(f"\n{json.dumps(seen(0.0))}\n\n{bad}\n")
    with pytest.raises(InputError, match="line 4"):
        list(arrivals(case))


def test_unknown_keys_are_counted(tmp_path: Path) -> None:
    case = case_of(tmp_path, [seen(0.0, colour="grey")], [{**reported(0.0), "mood": "good"}])
    list(arrivals(case))
    assert case.unknown == {"colour": 1, "mood": 1}


def test_folders_that_are_no_case(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        read_case(tmp_path / "none")
    with pytest.raises(ConfigError, match=r"site\.json: cannot be read"):
        read_case(tmp_path)
    case = case_of(tmp_path, [])
    assert case.units is None
    (tmp_path / "detections.jsonl").unlink()
    with pytest.raises(InputError, match=r"detections\.jsonl: cannot be read"):
        list(arrivals(case))
