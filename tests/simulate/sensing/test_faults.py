"""Everything that can be wrong with a sensor, each fault by itself against the same sensor without it."""

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from vedette.model import Bearing, Detection, RangeBearing
from vedette.model.detection import EmptyScan
from vedette.simulate import Scenario, detections
from vedette.simulate.sensing.plan import Bursts, Faults, HotSpot, Sensor, Silence, Stuck

Scene = Callable[..., Scenario]
START = 1_800_000_000.0


def _radar(faults: Faults, **figures: float) -> Sensor:
    override = {"clutter_per_scan": 0.0, "jitter_s": 0.0, "azimuth_width_deg": 360.0} | figures
    return Sensor(
        id="one", model="mesa-radar", enu_m=(0.0, 0.0), agl_m=10.0, override=override, faults=faults
    )


def _run(scene: Scene, faults: Faults, **figures: float) -> list[Detection]:
    return list(detections(scene((_radar(faults, **figures),)), START))


def _plots(found: list[Detection]) -> list[tuple[Detection, RangeBearing]]:
    return [(d, d.measure) for d in found if isinstance(d.measure, RangeBearing)]


def _received(detection: Detection) -> float:
    assert detection.received is not None
    return detection.received


def _turn(one: float, other: float) -> float:
    return (one - other + 180.0) % 360.0 - 180.0


def test_bias_turns_and_stretches_every_plot_by_the_same(scene: Scene) -> None:
    good = _plots(_run(scene, Faults()))
    bad = _plots(_run(scene, Faults(azimuth_bias_deg=7.5, range_bias_m=40.0, elevation_bias_deg=1.0)))
    assert len(good) == len(bad) > 100
    for (_, right), (_, wrong) in zip(good, bad, strict=True):
        assert _turn(wrong.azimuth_deg, right.azimuth_deg) == pytest.approx(7.5, abs=1e-4)
        assert wrong.range_m - right.range_m == pytest.approx(40.0, abs=2e-3)
        assert (wrong.elevation_deg or 0.0) - (right.elevation_deg or 0.0) == pytest.approx(1.0, abs=1e-4)


def test_a_clock_that_is_off_and_drifts(scene: Scene) -> None:
    good, bad = _run(scene, Faults()), _run(scene, Faults(clock_offset_s=-3.0, clock_drift_ppm=500.0))
    for right, wrong in zip(good, bad, strict=True):
        assert wrong.received == right.received
        assert wrong.time - right.time == pytest.approx(-3.0 + 5e-4 * (right.time - START), abs=1e-4)


def test_latency_and_jitter_keep_the_order(scene: Scene) -> None:
    found = _run(scene, Faults(latency_s=1.5, jitter_s=0.8))
    late = np.array([_received(d) - d.time for d in found])
    assert late.min() >= 1.5
    assert 1.9 < late.mean() < 3.0
    assert [d.time for d in found] == sorted(d.time for d in found)


@pytest.mark.parametrize(("faults", "least", "most"), [
    (Faults(loss=0.3), 0.6, 0.8),
    (Faults(bursts=Bursts(every_s=2.0, last_s=2.0, loss=1.0)), 0.35, 0.65),
])  # fmt: skip
def test_losses(scene: Scene, faults: Faults, least: float, most: float) -> None:
    share = len({d.scan for d in _run(scene, faults)}) / len({d.scan for d in _run(scene, Faults())})
    assert least < share < most


def test_bursts_lose_in_runs(scene: Scene) -> None:
    def longest(faults: Faults) -> int:
        scans = sorted({d.scan for d in _run(scene, faults) if isinstance(d.scan, int)})
        return max(after - before for before, after in pairwise(scans))

    assert longest(Faults(bursts=Bursts(every_s=8.0, last_s=8.0, loss=1.0))) > 10 > longest(Faults(loss=0.5))


def test_duplicates_come_twice_and_say_the_same(scene: Scene) -> None:
    found = _run(scene, Faults(duplicate_share=0.4))
    said = Counter((d.time, d.scan, d.measure) for d in found)
    assert set(said.values()) == {1, 2}
    assert sum(count == 2 for count in said.values()) / len(said) == pytest.approx(0.4, abs=0.1)


def test_late_messages_are_out_of_order(scene: Scene) -> None:
    found = _run(scene, Faults(late_share=0.2, late_s=3.0))
    times = [d.time for d in found]
    assert times != sorted(times)
    assert sorted(times) == sorted(d.time for d in _run(scene, Faults()))
    assert [_received(d) for d in found] == sorted(_received(d) for d in found)


def test_a_reboot_is_silence_and_a_new_count(scene: Scene) -> None:
    found = _run(scene, Faults(reboots=(Silence(at_s=40.0, lasts_s=20.0),)))
    before = [d for d in found if d.time < START + 40.0]
    after = [d for d in found if d.time >= START + 60.0]
    assert len(before) + len(after) == len(found)
    assert before
    assert after[0].scan == 0
    assert max(d.scan for d in before if isinstance(d.scan, int)) >= 78


def test_a_stuck_sensor_repeats_its_last_scan_with_fresh_times(scene: Scene) -> None:
    found = _plots(_run(scene, Faults(stuck=(Stuck(at_s=50.0, lasts_s=10.0),))))
    frozen = {measure for d, measure in found if START + 50.0 <= d.time < START + 60.0}
    times = {d.time for d, _ in found if START + 50.0 <= d.time < START + 60.0}
    assert len(frozen) == 1
    assert len(times) == 20
    assert len({measure for d, measure in found if d.time >= START + 60.0}) > 50


def test_a_hot_spot_keeps_coming_back(scene: Scene) -> None:
    spot = HotSpot(azimuth_deg=200.0, range_m=800.0, share=0.6, spread_m=5.0)
    found = _plots(_run(scene, Faults(hot_spots=(spot,))))
    there = [m for _, m in found if abs(_turn(m.azimuth_deg, 200.0)) < 3.0 and abs(m.range_m - 800.0) < 30.0]
    assert len(there) / 240.0 == pytest.approx(0.6, abs=0.1)


def test_a_sensor_that_calls_everything_a_bird(scene: Scene) -> None:
    found = _run(scene, Faults(false_class="bird"), clutter_per_scan=1.0)
    beliefs = [d.beliefs for d in found if not isinstance(d.measure, EmptyScan)]
    assert beliefs
    assert all(belief == {"bird": 0.85, "unknown": 0.15} for belief in beliefs)


def test_a_turning_sensor_sends_sector_by_sector(scene: Scene) -> None:
    sensor = Sensor(id="turning", model="x-band-fmcw", enu_m=(0.0, 0.0), override={"clutter_per_scan": 20.0})
    found = list(detections(scene((sensor,)), START))
    scan = [d for d in found if d.scan == 30]
    assert 4 <= len({d.received for d in scan}) <= 8
    assert all(_received(d) - d.time < 0.125 + 0.15 + 0.4 for d in scan)


_BAD: list[tuple[dict[str, Any], str]] = [
    ({"model": "sonar"}, "no sensor model 'sonar' in the catalogue; there are"),
    ({"override": {"period_s": 0.0}}, "override of mesa-radar"),
    ({"lat_deg": 31.0}, "a place is either"),
    ({"enu_m": None}, "a place is either"),
]


@pytest.mark.parametrize(("changed", "said"), _BAD)
def test_a_sensor_that_cannot_be_is_refused(changed: dict[str, Any], said: str) -> None:
    usual: dict[str, Any] = {"id": "one", "model": "mesa-radar", "enu_m": (0.0, 0.0)}
    with pytest.raises(ValueError, match=said):
        Sensor(**(usual | changed))


def test_a_direction_finder_states_what_the_signal_allows(scene: Scene, flier: Callable[..., str]) -> None:
    sensor = Sensor(
        id="df", model="rf-direction-finder", enu_m=(0.0, 0.0), override={"clutter_per_scan": 0.0}
    )
    far = flier(from_e=6000.0, from_n=3000.0, to_e=200.0, to_n=100.0)
    found = [d for d in detections(scene((sensor,), far), START) if isinstance(d.measure, Bearing)]
    sigmas = [d.sigma.azimuth_deg for d in found if d.sigma is not None and d.sigma.azimuth_deg is not None]
    assert len(sigmas) == len(found)
    assert sigmas[0] > 1.5 * sigmas[-1]
    assert sigmas[-1] == 2.0
