"""The very adapters of the station read the simulator's bytes, and find what is true."""

import math
from collections.abc import Callable

import pytest

from vedette.geo import LocalFrame
from vedette.model import Detection, Position
from vedette.sense.remote_id import RemoteIdAdapter
from vedette.simulate import emissions, load_builtin, parse_scenario
from vedette.simulate.world import World
from vedette.wire.capture import FrameBatch

Text = Callable[..., str]
START = 1_800_000_000.0
FRAME = LocalFrame(31.45, -110.9, 1150.0)


def _sense(adapter: RemoteIdAdapter, text: str) -> list[Detection]:
    """Each frame as a batch of one: the live path."""
    found = []
    for emission in emissions(parse_scenario(text), START):
        if emission.link_type is not None:
            batch = FrameBatch.single(emission.time, emission.link_type, emission.data)
            found += adapter.detections(batch)
    return found


@pytest.mark.parametrize("transport", ["wifi-beacon", "wifi-nan", "ble4", "ble5"])
def test_the_adapter_finds_the_drone_where_it_is(scenario_text: Text, transport: str) -> None:
    adapter = RemoteIdAdapter("mast")
    found = _sense(adapter, scenario_text(transport, "flat"))
    assert len(found) == 116
    assert not any(reason.startswith(("malformed", "bad-crc", "clock")) for reason in adapter.counts)
    assert "repeated" not in adapter.counts
    world = World(parse_scenario(scenario_text(transport, "flat")))
    index = world.index_of("alpha")
    for detection in found:
        while world.time_s + 0.1 <= detection.time - START:
            world.advance()
        true = world.at(index, detection.time - START)
        measure = detection.measure
        assert isinstance(measure, Position)
        assert measure.alt_datum == "wgs84-ellipsoid"
        assert measure.alt_m is not None
        said = FRAME.to_enu(measure.lat_deg, measure.lon_deg, measure.alt_m)
        assert math.dist(said, true.enu_m) < 20.0
        assert measure.velocity_mps == pytest.approx(true.velocity_mps, abs=1.0)
        assert detection.signal is not None
        assert detection.signal.transport == transport
        assert -100.0 < (detection.signal.rssi_dbm or 0.0) < -40.0


def test_the_adapter_finds_who_it_claims_to_be(scenario_text: Text) -> None:
    adapter = RemoteIdAdapter("mast")
    found = _sense(adapter, scenario_text())
    assert {(d.claim.scheme, d.claim.id) for d in found if d.claim} == {
        ("remote-id-serial", "1581FTESTalpha")
    }
    assert {d.claim is None for d in found[:1]} == {False}
    (operator, *_) = adapter.operator_positions()
    east, north, _ = FRAME.to_enu(operator.lat_deg, operator.lon_deg, 1150.0)
    assert (east, north) == pytest.approx((1600.0, 900.0), abs=0.5)


def test_desert_run_is_two_drones_to_the_adapter() -> None:
    adapter = RemoteIdAdapter("ridge-receiver")
    ids: dict[str, int] = {}
    for emission in emissions(load_builtin("desert-run"), START):
        if emission.link_type is not None:
            batch = FrameBatch.single(emission.time, emission.link_type, emission.data)
            for detection in adapter.detections(batch):
                name = detection.claim.id if detection.claim else "nobody"
                ids[name] = ids.get(name, 0) + 1
    assert set(ids) <= {"1581FXDEMOHOBBY00001", "1581FXDEMORUN0000007", "nobody"}
    assert ids["1581FXDEMORUN0000007"] > 400
    assert ids["1581FXDEMOHOBBY00001"] > 120
    assert ids.get("nobody", 0) < 5
