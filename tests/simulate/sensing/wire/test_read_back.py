"""The bytes of simulated sensors through the station's own adapters: what was detected is what is read."""

import math
from collections import defaultdict
from collections.abc import Callable, Iterator

import pytest

from vedette.model import Bearing, Detection, RangeBearing, SensorProfile, Sigma
from vedette.model.detection import EmptyScan
from vedette.sense.adsb import BeastAdapter
from vedette.sense.asterix import AsterixAdapter
from vedette.sense.sapient import NodeAdapter
from vedette.sense.sapient_nodes import node_of
from vedette.simulate import Scenario, detections, mix, sensor_profiles
from vedette.simulate.emitters import Emission
from vedette.simulate.sensing.plan import Faults, Sensor, Silence
from vedette.simulate.sensing.wire.sending import Radars, wire_emissions
from vedette.wire import asterix
from vedette.wire.adsb import BeastBatcher, Place
from vedette.wire.sapient import FrameSplitter, read_message, timestamp_s, validate

Scene = Callable[..., Scenario]
Text = Callable[..., str]
START = 1_800_000_000.0

ASTERIX = {
    "time": 1 / 128,
    "range": 0.06,
    "flat-range": 3.7,
    "rate": 0.051,
    "flat-rate": 0.51,
    "angle": 0.006,
}
"""Half a step of each item, or a whole one where the format rounds down (I015/625, I048/040, I048/120)."""


def _sensors() -> tuple[Sensor, ...]:
    panel = Sensor(id="panel", model="mesa-radar", enu_m=(30.0, 0.0), agl_m=8.0, facing_deg=45.0)
    flat = Sensor(id="flat", model="surveillance-2d", enu_m=(-50.0, 20.0), agl_m=9.0)
    return (*mix("full", (0.0, 0.0)), panel, flat)


@pytest.fixture
def full(scene: Scene, flier: Text) -> Scenario:
    """A drone and an aircraft that every kind of sensor sees."""
    plane = flier(id="n123", kind="aircraft", signature="aircraft", agl_m=200.0, from_e=-3000.0, to_e=1800.0)
    return scene(_sensors(), flier() + plane, terrain="rolling-desert")


def _plots(scenario: Scenario) -> dict[str, list[Detection]]:
    found: dict[str, list[Detection]] = defaultdict(list)
    for detection in detections(scenario, START):
        if not isinstance(detection.measure, EmptyScan):
            found[detection.sensor].append(detection)
    return found


def _sent(scenario: Scenario, channel: str, radars: Radars = "asterix") -> Iterator[Emission]:
    return (one for one in wire_emissions(scenario, START, radars) if one.channel == channel)


def _asterix(scenario: Scenario) -> tuple[dict[str, list[Detection]], AsterixAdapter]:
    adapter = AsterixAdapter("a", doppler=1)
    found: dict[str, list[Detection]] = defaultdict(list)
    for one in _sent(scenario, "asterix"):
        datagram = asterix.decode(one.data)
        assert not datagram.rejected
        assert len(one.data) < 1400
        for heard in adapter.take(datagram.messages, one.time):
            if heard.detection is not None:
                found[one.source].append(heard.detection)
    return found, adapter


def test_a_raised_radar_comes_back_out_of_cat015(full: Scenario) -> None:
    found, adapter = _asterix(full)
    expected = _plots(full)
    for name in ("radar", "panel"):
        assert len(found[name]) == len(expected[name]) > 150
        for said, read in zip(expected[name], found[name], strict=True):
            assert isinstance(said.measure, RangeBearing)
            assert isinstance(read.measure, RangeBearing)
            assert 0.0 <= said.time - read.time <= ASTERIX["time"] + 1e-6
            assert read.received == said.received
            assert read.measure.range_m == pytest.approx(said.measure.range_m, abs=ASTERIX["range"])
            _same_angle(read.measure.azimuth_deg, said.measure.azimuth_deg, ASTERIX["angle"])
            assert read.measure.elevation_deg == pytest.approx(
                said.measure.elevation_deg, abs=ASTERIX["angle"]
            )
            assert read.measure.range_rate_mps == pytest.approx(
                said.measure.range_rate_mps, abs=ASTERIX["rate"]
            )
            assert read.sigma is not None
            assert said.sigma is not None
            assert read.sigma.range_m == pytest.approx(said.sigma.range_m, abs=0.1)
            assert read.sigma.azimuth_deg == pytest.approx(said.sigma.azimuth_deg, abs=0.006)
    troubles = {"no-time", "clock-off", "duplicate", "simulated", "no-position", "not-operational"}
    assert troubles.isdisjoint(adapter.counts)


def test_a_flat_radar_comes_back_out_of_cat048(full: Scenario) -> None:
    found, expected = _asterix(full)[0]["flat"], _plots(full)["flat"]
    assert len(found) == len(expected) > 100
    for said, read in zip(expected, found, strict=True):
        assert isinstance(said.measure, RangeBearing)
        assert isinstance(read.measure, RangeBearing)
        assert read.measure.range_m == pytest.approx(said.measure.range_m, abs=ASTERIX["flat-range"])
        _same_angle(read.measure.azimuth_deg, said.measure.azimuth_deg, ASTERIX["angle"])
        assert read.measure.range_rate_mps == pytest.approx(
            said.measure.range_rate_mps, abs=ASTERIX["flat-rate"]
        )
        assert read.measure.elevation_deg is None


def test_scans_are_told_apart_as_the_radar_made_them(full: Scenario) -> None:
    found, adapter = _asterix(full)
    expected = _plots(full)
    for name in ("radar", "panel"):
        pairs = {(said.scan, read.scan) for said, read in zip(expected[name], found[name], strict=True)}
        known = {(said, read) for said, read in pairs if read is not None}
        assert len(known) > 40
        assert len({said for said, _ in known}) == len({read for _, read in known}) == len(known)
    assert all(source.period_s in (0.5, 1.0, 2.5) for source in adapter.sources.values())


def test_a_radar_says_where_it_stands(full: Scenario) -> None:
    profiles: dict[str, SensorProfile] = {}
    adapter = AsterixAdapter("a")
    for one in _sent(full, "asterix"):
        for heard in adapter.take(asterix.decode(one.data).messages, one.time):
            if heard.profile is not None:
                profiles[one.source] = heard.profile
    for true in sensor_profiles(full):
        if true.type.startswith("radar"):
            said = profiles[true.id]
            assert said.type == true.type
            assert math.dist((said.lat_deg, said.lon_deg), (true.lat_deg, true.lon_deg)) < 3e-5
            assert said.alt_m == pytest.approx(true.alt_m, abs=1.0)


def _sapient(
    scenario: Scenario, radars: Radars = "asterix"
) -> tuple[dict[str, list[Detection]], list[NodeAdapter]]:
    splitters: dict[str, FrameSplitter] = defaultdict(FrameSplitter)
    nodes: dict[str, NodeAdapter] = {}
    found: dict[str, list[Detection]] = defaultdict(list)
    for one in _sent(scenario, "sapient", radars):
        for body in splitters[one.source].feed(one.data):
            message = read_message(body)
            assert validate(message) == []
            sent = timestamp_s(message)
            kind = message.WhichOneof("content")
            if kind == "registration":
                nodes[one.source] = NodeAdapter(one.source, node_of(message))
                continue
            node = nodes[one.source]
            node.note(sent, one.time)
            if kind == "status_report":
                node.status(message)
            else:
                read = node.detection(message, sent=sent, received=one.time, tolerated_s=(-0.1, 5.0))
                assert read is not None
                found[one.source].append(read)
    for node in nodes.values():
        assert not node.counts
    return found, list(nodes.values())


def test_all_others_come_back_out_of_sapient(full: Scenario) -> None:
    found, nodes = _sapient(full)
    expected = _plots(full)
    assert {node.node.kind for node in nodes} == {"direction-finder", "acoustic-array", "camera"}
    for name in ("df-1", "df-2", "array", "camera"):
        assert len(found[name]) == len(expected[name]) > 20
        for said, read in zip(expected[name], found[name], strict=True):
            _same_report(said, read)


def test_radars_come_back_out_of_sapient_too(full: Scenario) -> None:
    found, expected = _sapient(full, "sapient")[0], _plots(full)
    for name in ("radar", "panel", "flat"):
        assert len(found[name]) == len(expected[name])
        for said, read in zip(expected[name], found[name], strict=True):
            _same_report(said, read)
    profile = _sapient(full, "sapient")[1][0].profile()
    assert profile is not None
    assert profile.lat_deg == pytest.approx(31.45, abs=1e-9)


def _same_report(said: Detection, read: Detection) -> None:
    assert read.time == pytest.approx(said.time, abs=2e-6)
    assert read.received == said.received
    assert isinstance(said.measure, RangeBearing | Bearing)
    assert isinstance(read.measure, type(said.measure))
    assert isinstance(read.measure, RangeBearing | Bearing)
    _same_angle(read.measure.azimuth_deg, said.measure.azimuth_deg, 1e-4)
    _near(read.measure.elevation_deg, said.measure.elevation_deg, 1e-4)
    if isinstance(said.measure, RangeBearing) and isinstance(read.measure, RangeBearing):
        assert read.measure.range_m == pytest.approx(said.measure.range_m, rel=1e-6)
    sigma = said.sigma or Sigma()
    for name in ("range_m", "azimuth_deg", "elevation_deg"):
        _near(getattr(read.sigma or Sigma(), name), getattr(sigma, name), 1e-5)
    if said.beliefs is None:
        assert read.beliefs is None
        return
    assert read.beliefs is not None
    drone = ("multirotor", "fpv", "fixed-wing")
    assert sum(read.beliefs.get(name, 0.0) for name in drone) == pytest.approx(
        sum(said.beliefs.get(name, 0.0) for name in drone), abs=1e-4
    )
    for name in ("bird", "aircraft", "fixed-wing", "unknown"):
        assert read.beliefs.get(name, 0.0) == pytest.approx(said.beliefs.get(name, 0.0), abs=1e-4)


def test_squitters_come_back_out_of_beast(full: Scenario) -> None:
    adapter = BeastAdapter("adsb", Place(31.45, -110.9))
    found = []
    for one in _sent(full, "adsb"):
        found += adapter.take(BeastBatcher().feed(one.data), one.time)
    assert found == _plots(full)["adsb"]
    assert len(found) > 80
    assert adapter.counts["bad-crc"] == 0


def test_all_of_it_comes_in_order_and_is_the_same_again(full: Scenario) -> None:
    sent = list(wire_emissions(full, START))
    times = [one.time for one in sent]
    assert times == sorted(times)
    assert sent == list(wire_emissions(full, START))
    assert {one.channel for one in sent} == {"asterix", "sapient", "adsb"}


def test_a_node_that_starts_again_registers_again_and_is_silent_between(scene: Scene) -> None:
    faults = Faults(reboots=(Silence(at_s=30.0, lasts_s=15.0),))
    sensor = Sensor(id="df", model="rf-direction-finder", enu_m=(0.0, 0.0), faults=faults)
    sent = [(one.time - START, read_message(one.data[4:])) for one in _sent(scene((sensor,)), "sapient")]
    registered = [at for at, message in sent if message.WhichOneof("content") == "registration"]
    assert registered == [0.0, 45.0]
    assert not [at for at, _ in sent if 31.0 < at < 45.0]
    assert [at for at, message in sent if message.WhichOneof("content") == "status_report"][-1] > 110.0


def _near(read: float | None, said: float | None, most: float) -> None:
    assert (read is None) == (said is None)
    if read is not None and said is not None:
        assert abs(read - said) <= most


def _same_angle(read: float, said: float, most: float) -> None:
    assert abs((read - said + 180.0) % 360.0 - 180.0) <= most
