"""What arrives: real bytes, in order, repeatable, and in agreement with the truth."""

import hashlib
import itertools
import math
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from vedette.geo import LocalFrame
from vedette.model.errors import ConfigError
from vedette.simulate import Emission, Scenario, emissions, load_builtin, parse_scenario, synthetic_load
from vedette.simulate.world import World
from vedette.wire import bluetooth, ieee80211
from vedette.wire import opendroneid as odid
from vedette.wire.cot import CotEvent, read_event

Text = Callable[..., str]

START = 1_799_999_990.0
"""Ten seconds before a full hour, so that the hour of Remote ID wraps inside the scenarios."""
FRAME = LocalFrame(31.45, -110.9, 1150.0)


def _payload(emission: Emission) -> tuple[int, bytes]:
    """Counter and Open Drone ID bytes of a captured frame, by the real decoders."""
    data = emission.data
    if emission.link_type == ieee80211.LINK_RADIOTAP:
        tap = ieee80211.decode_radiotap(data)
        assert tap.fcs_ok
        frame = ieee80211.decode_management(data[tap.length : len(data) - tap.fcs_bytes])
        assert frame is not None
        if frame.subtype == ieee80211.BEACON:
            vendor = [value for kind, value in ieee80211.elements(frame.body) if kind == 221]
            (info,) = (value[4:] for value in vendor if value[:4] == ieee80211.REMOTE_ID_OUI_TYPE)
        else:
            (info,) = ieee80211.nan_service_infos(frame.body)
        return info[0], info[1:]
    assert emission.link_type == bluetooth.LINK_LE_PHDR
    packet = bluetooth.decode_packet(bluetooth.LINK_LE_PHDR, data)
    assert packet.crc_ok
    advertisement = bluetooth.decode_advertisement(packet.pdu)
    assert advertisement is not None
    (info,) = bluetooth.service_data(advertisement.data)
    return info[0], info[1:]


def _messages(found: list[Emission]) -> Iterator[tuple[float, odid.Single]]:
    for emission in found:
        if emission.channel == "remote-id":
            for message in odid.unpack(_payload(emission)[1]):
                yield emission.time, message


def _digest(found: list[Emission]) -> str:
    lines = (f"{e.time!r} {e.channel} {e.source} {e.link_type} {e.data.hex()}\n" for e in found)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


TRANSPORTS = pytest.mark.parametrize("transport", ["wifi-beacon", "wifi-nan", "ble4", "ble5"])


@TRANSPORTS
def test_a_drone_sends_all_it_must_at_least_every_three_seconds(scenario_text: Text, transport: str) -> None:
    found = list(emissions(parse_scenario(scenario_text(transport, "flat")), START))
    times: dict[type, list[float]] = {}
    for time, message in _messages(found):
        times.setdefault(type(message), []).append(time)
    assert set(times) == {odid.BasicId, odid.Location, odid.System, odid.OperatorId}
    for kind, when in times.items():
        gaps = [after - before for before, after in itertools.pairwise(when)]
        assert max(gaps) < (0.6 if kind is odid.Location else 3.05)
    assert len(times[odid.Location]) == 116
    if transport in ("wifi-beacon", "ble4"):
        assert len(times[odid.Location]) >= 2.9 * len(times[odid.BasicId])


@TRANSPORTS
def test_messages_say_who_transmits(scenario_text: Text, transport: str) -> None:
    found = list(emissions(parse_scenario(scenario_text(transport)), START))
    messages = [message for _, message in _messages(found)]
    assert {m.uas_id for m in messages if isinstance(m, odid.BasicId)} == {"1581FTESTalpha"}
    assert {m.operator_id for m in messages if isinstance(m, odid.OperatorId)} == {"USA-OP-1"}
    places = {(m.operator_lat_deg, m.operator_lon_deg) for m in messages if isinstance(m, odid.System)}
    ((lat_deg, lon_deg),) = places
    assert lat_deg is not None
    assert lon_deg is not None
    east, north, _ = FRAME.to_enu(lat_deg, lon_deg, 1150.0)
    assert (east, north) == pytest.approx((1600.0, 900.0), abs=0.5)


def test_counters_count_transmissions(scenario_text: Text) -> None:
    found = [e for e in emissions(parse_scenario(scenario_text()), START) if e.channel == "remote-id"]
    counters = [_payload(emission)[0] for emission in found]
    gaps = {(after - before) % 256 for before, after in itertools.pairwise(counters)}
    assert counters[0] == 0
    assert gaps <= {1, 2, 3}


def _true_place(world: World, index: int, time_s: float) -> tuple[float, ...]:
    while world.time_s + 0.1 <= time_s:
        world.advance()
    return world.at(index, time_s).enu_m


@TRANSPORTS
@pytest.mark.parametrize("terrain", ["flat", "rolling-desert"])
def test_locations_agree_with_the_truth(scenario_text: Text, transport: str, terrain: str) -> None:
    scenario = parse_scenario(scenario_text(transport, terrain))
    world = World(scenario)
    index = world.index_of("alpha")
    errors = []
    for time, message in _messages(list(emissions(scenario, START))):
        if not isinstance(message, odid.Location):
            continue
        assert message.timestamp_s is not None
        age = (time - message.timestamp_s) % 3600.0
        assert age < 0.11
        true = _true_place(world, index, time - age - START)
        assert message.lat_deg is not None
        assert message.lon_deg is not None
        assert message.alt_geodetic_m is not None
        said = FRAME.to_enu(message.lat_deg, message.lon_deg, message.alt_geodetic_m)
        errors.append([said[axis] - true[axis] for axis in range(3)])
    assert len(errors) > 100
    for axis, sigma in ((0, 2.0), (1, 2.0), (2, 4.0)):
        values = [error[axis] for error in errors]
        assert max(map(abs, values)) < 4.5 * sigma
        assert math.sqrt(sum(value * value for value in values) / len(values)) > 0.2 * sigma


def test_velocities_agree_with_the_truth(scenario_text: Text) -> None:
    scenario = parse_scenario(scenario_text("ble5", "flat"))
    locations = [m for _, m in _messages(list(emissions(scenario, START))) if isinstance(m, odid.Location)]
    leg_speed = math.hypot(800.0, 500.0) / 58.0
    assert sum(m.speed_mps or 0.0 for m in locations) / len(locations) == pytest.approx(leg_speed, abs=0.5)
    course = math.degrees(math.atan2(-800.0, -500.0)) % 360.0
    assert all(abs((m.direction_deg or 0.0) - course) < 15.0 for m in locations)


def test_heights_count_from_the_place_of_take_off(scenario_text: Text) -> None:
    scenario = parse_scenario(scenario_text())
    ground = World(scenario).ground.height_at(1500.0, 800.0)
    assert abs(ground) > 1.0
    for _, message in _messages(list(emissions(scenario, START))):
        if isinstance(message, odid.Location):
            assert message.height_type == "takeoff"
            assert message.height_m is not None
            assert message.alt_geodetic_m is not None
            assert message.lat_deg is not None
            assert message.lon_deg is not None
            up = FRAME.to_enu(message.lat_deg, message.lon_deg, message.alt_geodetic_m)[2]
            assert message.height_m == pytest.approx(up - ground, abs=0.6)


def test_transmitters_do_not_keep_step(scenario_text: Text, drone_text: Text) -> None:
    crowd = [drone_text(f"other{number}").replace("bb:cc", f"dd:0{number}") for number in range(6)]
    scenario = parse_scenario(scenario_text("wifi-beacon", "flat", *crowd))
    first: dict[bytes, float] = {}
    for emission in emissions(scenario, START):
        if emission.channel == "remote-id":
            first.setdefault(emission.data[25:31], emission.time)
    assert len(first) == 7
    assert len({round(time, 4) for time in first.values()}) == 7
    assert max(first.values()) - min(first.values()) > 0.2


def test_accuracy_codes_hold_the_stated_errors(scenario_text: Text) -> None:
    found = list(emissions(parse_scenario(scenario_text()), START))
    locations = [message for _, message in _messages(found) if isinstance(message, odid.Location)]
    assert {message.horizontal_accuracy_m for message in locations} == {10.0}
    assert {message.vertical_accuracy_m for message in locations} == {10.0}


def test_units_report_where_they_are(scenario_text: Text) -> None:
    scenario = parse_scenario(scenario_text())
    world = World(scenario)
    found = [e for e in emissions(scenario, START) if e.channel == "cot"]
    assert len(found) == 12
    for emission in found:
        event = read_event(emission.data)
        assert isinstance(event, CotEvent)
        assert (event.uid, event.callsign, event.type) == ("UID-BRAVO", "Bravo", "a-f-G-U-C")
        assert event.time == pytest.approx(emission.time, abs=0.002)
        assert event.hae_m is not None
        assert event.ce_m == 5.0
        true = _true_place(world, 0, emission.time - START)
        said = FRAME.to_enu(event.lat_deg, event.lon_deg, event.hae_m)
        assert math.dist(said[:2], true[:2]) < 25.0
        assert emission.report is not None
        assert emission.report.lat_deg == pytest.approx(event.lat_deg, abs=1e-6)
        assert (emission.report.unit, emission.report.mobility) == ("UID-BRAVO", "foot")


def test_arrivals_are_in_order_of_time() -> None:
    times = [emission.time for emission in emissions(synthetic_load(20, 50, duration_s=10.0), START)]
    assert times == sorted(times)
    assert times[-1] < START + 10.0


def test_the_same_seed_gives_the_same_bytes(scenario_text: Text) -> None:
    scenario = parse_scenario(scenario_text())
    assert _digest(list(emissions(scenario, START))) == _digest(list(emissions(scenario, START)))
    other = parse_scenario(scenario_text().replace("seed = 7", "seed = 8"))
    assert _digest(list(emissions(other, START))) != _digest(list(emissions(scenario, START)))


SCRIPT = """
import hashlib
from vedette.simulate import emissions, load_builtin
digest = hashlib.sha256()
for e in emissions(load_builtin("desert-run"), 1799999990.0):
    digest.update(f"{e.time!r} {e.channel} {e.source} {e.link_type} {e.data.hex()}\\n".encode())
print(digest.hexdigest())
"""


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_another_process_gives_the_same_bytes(hash_seed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == _digest(list(emissions(load_builtin("desert-run"), START)))


def _of_alpha_and_bravo(scenario: Scenario) -> list[tuple[float, bytes]]:
    found = []
    for emission in emissions(scenario, START):
        if b"OTHER" not in emission.data and b"\x60\x60\x1f\xdd" not in emission.data:
            found.append((emission.time, emission.data))
    return found


def test_another_actor_or_receiver_changes_nobody_elses_bytes(scenario_text: Text, drone_text: Text) -> None:
    other = drone_text("beta").replace("60:60:1f:aa", "60:60:1f:dd")
    alone = parse_scenario(scenario_text())
    crowded = parse_scenario(scenario_text("wifi-beacon", "rolling-desert", other))
    backwards = Scenario(head=crowded.head, receivers=crowded.receivers, actors=crowded.actors[::-1])
    expected = _of_alpha_and_bravo(alone)
    assert len(list(emissions(crowded, START))) > len(expected) + 100
    assert _of_alpha_and_bravo(crowded) == expected
    assert _of_alpha_and_bravo(backwards) == expected


def test_two_receivers_hear_the_same_transmissions_apart(scenario_text: Text) -> None:
    second = '\n[[receiver]]\nid = "far"\nkind = "remote-id"\nenu_m = [9000.0, 0.0]\nrange_m = 9000.0\n'
    both = parse_scenario(scenario_text("ble5", "flat") + second)
    found = [e for e in emissions(both, START) if e.channel == "remote-id"]
    counts = Counter(emission.source for emission in found)
    assert counts["mast"] == 116
    assert 60 < counts["far"] < 115
    alone = [e for e in emissions(parse_scenario(scenario_text("ble5", "flat")), START) if e.source == "mast"]
    assert [e for e in found if e.source == "mast"] == alone
    power = {name: [_rssi(e) for e in found if e.source == name] for name in ("mast", "far")}
    assert sum(power["mast"]) / len(power["mast"]) > sum(power["far"]) / len(power["far"]) + 10.0


def _rssi(emission: Emission) -> int:
    rssi = bluetooth.decode_packet(bluetooth.LINK_LE_PHDR, emission.data).rssi_dbm
    assert rssi is not None
    return rssi


def test_a_switched_off_transmitter_is_silent(scenario_text: Text) -> None:
    text = scenario_text().replace("rate_hz = 2.0", "rate_hz = 2.0\nuntil_s = 20.0")
    times = [e.time - START for e in emissions(parse_scenario(text), START) if e.channel == "remote-id"]
    assert 18.0 < times[-1] < 20.0


def test_silent_actors_transmit_nothing() -> None:
    scenario = load_builtin("quiet-day")
    birds = Scenario(
        head=scenario.head,
        receivers=scenario.receivers,
        actors=tuple(actor for actor in scenario.actors if actor.kind == "bird"),
    )
    assert len(birds.actors) == 2
    assert list(emissions(birds, START)) == []
    assert list(emissions(birds, START, loop=True)) == []


def test_a_loop_starts_again_with_the_same_identities(scenario_text: Text) -> None:
    scenario = parse_scenario(scenario_text())
    once = list(emissions(scenario, START))
    looped = list(itertools.islice(emissions(scenario, START, loop=True), 2 * len(once)))
    assert looped[: len(once)] == once
    assert [e.time for e in looped[len(once) :]] == pytest.approx([e.time + 60.0 for e in once], abs=1e-3)
    ids = {m.uas_id for _, m in _messages(looped[len(once) :]) if isinstance(m, odid.BasicId)}
    assert ids == {"1581FTESTalpha"}


@pytest.mark.parametrize("start", [0.0, 1.5e9, 5e9, float("nan")])
def test_a_start_that_remote_id_cannot_date_is_refused(scenario_text: Text, start: float) -> None:
    with pytest.raises(ConfigError, match="2019"):
        next(emissions(parse_scenario(scenario_text()), start))
