"""A minute of real reception: the golden output of one receiver, and a real dump1090 fed the same bytes."""

import contextlib
import socket
import subprocess
import time
from collections import Counter, defaultdict

import pytest

from vedette.wire.adsb import (
    TICKS_PER_S,
    BeastBatcher,
    BeastSplitter,
    Parity,
    Place,
    PositionResolver,
    SbsSplitter,
    decode,
    encode_beast,
    is_squitter,
    judge,
    kernel,
    read_aircraft_json,
    squitters,
)
from vedette.wire.adsb.messages import AirbornePosition, Identification
from vedette.wire.adsb.resolver import distance_m

pytestmark = pytest.mark.field
FIRST_FRAME_S = 19 * 3600 + 2 * 60 + 28.136
"""Wall clock that the golden SBS output gives the first frame."""
CALLSIGNS = {"SDM6620", "AFL030", "CAO1024", "AAR542", "SDM6414", "UTA470"}
CALLSIGNS |= {"AFL032", "UTA582", "CPA238", "MLD185", "SDM6244"}


@pytest.fixture(scope="module")
def capture(field_data):
    return (field_data / "protocols/adsb/ulss7_60s.beast").read_bytes()


@pytest.fixture(scope="module")
def golden(field_data):
    splitter = SbsSplitter()
    messages = splitter.feed((field_data / "protocols/adsb/ulss7_60s.sbs.txt").read_bytes())
    # The last two lines are the receiver's own closing words.
    assert (splitter.counters.messages, splitter.counters.refused) == (8622, {"not-sbs": 2})
    return messages


def seconds(message):
    hours, minutes, rest = message.generated[1].split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


@pytest.fixture(scope="module")
def fixes(capture):
    """address -> [(wall clock, place)] by our own decoding."""
    batch = BeastBatcher().feed(capture)
    out = squitters(batch)
    resolver, found = PositionResolver(), defaultdict(list)
    for i in range(len(out.row)):
        if out.odd[i] < 0:
            continue
        elapsed = float(batch.ticks[out.row[i]] - batch.ticks[0]) / TICKS_PER_S
        surface = out.kind[i] == kernel.SURFACE
        fields = bool(out.odd[i]), int(out.lat_cpr[i]), int(out.lon_cpr[i])
        place = resolver.resolve_raw(int(out.address[i]), elapsed, surface, *fields)
        if place is not None:
            found[int(out.address[i])].append((FIRST_FRAME_S + elapsed, place))
    assert (resolver.counters.jumps, resolver.counters.mismatched, resolver.counters.out_of_range) == (
        0,
        0,
        0,
    )
    return found


def test_every_frame_is_found_and_judged(capture):
    splitter = BeastSplitter()
    frames = splitter.feed(capture)
    assert Counter(len(frame.message) for frame in frames) == {2: 5026, 7: 4942, 14: 3986}
    assert (splitter.counters.broken, splitter.counters.other, splitter.counters.skipped_bytes) == (0, 0, 0)
    squitter = [f.message for f in frames if len(f.message) == 14 and f.message[0] >> 3 in (17, 18)]
    assert Counter(judge(message) for message in squitter) == {Parity.GOOD: 3436}
    assert b"".join(map(encode_beast, frames)) == capture


def test_the_kernel_finds_the_same_in_pieces(capture):
    expected, batcher = BeastSplitter().feed(capture), BeastBatcher()
    batches = [batcher.feed(capture[at : at + 977]) for at in range(0, len(capture), 977)]
    assert sum(int((batch.parity[is_squitter(batch)] == Parity.GOOD).sum()) for batch in batches) == 3436
    assert [t for batch in batches for t in batch.ticks.tolist()] == [frame.ticks for frame in expected]
    verdicts = [v for batch in batches for v in batch.parity.tolist()]
    assert verdicts == [judge(frame.message) for frame in expected]


def test_the_same_eleven_aircraft_within_thirty_metres(fixes, golden):
    theirs = defaultdict(list)
    for message in golden:
        if message.lat_deg is not None:
            theirs[message.address].append((seconds(message), Place(message.lat_deg, message.lon_deg)))
    assert len(theirs) == 11
    assert fixes.keys() == theirs.keys()
    for address, ours in fixes.items():
        # The golden output has one line per position message; ours lacks the few before the first fix.
        assert len(ours) >= len(theirs[address]) - 5
        for when, place in ours:
            at_once = [p for t, p in theirs[address] if abs(t - when) < 0.0011]
            assert min(distance_m(place, p) for p in at_once) < 30.0


def test_callsigns_and_altitudes_agree(capture, golden):
    theirs = {m.address: m.callsign for m in golden if m.callsign is not None}
    heights = defaultdict(set)
    for message in golden:
        heights[message.address].add(message.altitude_ft)
    ours = {}
    for frame in BeastSplitter().feed(capture):
        if len(frame.message) != 14 or frame.message[0] >> 3 != 17:
            continue
        found = decode(frame.message)
        if isinstance(found.message, Identification):
            ours[found.address] = found.message.callsign
        elif isinstance(found.message, AirbornePosition):
            assert found.message.altitude_ft in heights[found.address]
    assert set(ours.values()) == CALLSIGNS
    assert ours == theirs


def test_velocities_agree(capture, golden):
    theirs = defaultdict(set)
    for m in golden:
        if m.transmission == 4:
            theirs[m.address].add((round(seconds(m), 3), m.vertical_fpm))
    batch = BeastBatcher().feed(capture)
    out = squitters(batch)
    chosen = [i for i, kind in enumerate(out.kind.tolist()) if kind == kernel.GROUND_VELOCITY]
    assert len(chosen) == 1492
    for i in chosen:
        when = FIRST_FRAME_S + float(batch.ticks[out.row[i]] - batch.ticks[0]) / TICKS_PER_S
        rates = {rate for t, rate in theirs[int(out.address[i])] if abs(t - when) < 0.0011}
        assert float(out.vertical_fpm[i]) in rates


def test_the_kept_table_of_a_receiver(field_data):
    path = field_data / "protocols/adsb/ulss7_60s.dump1090-mutability.aircraft.json"
    table = read_aircraft_json(path.read_bytes())
    assert {aircraft.callsign for aircraft in table.aircraft} == CALLSIGNS
    assert sum(aircraft.lat_deg is not None for aircraft in table.aircraft) == 8
    assert table.refused == {}


# ---- a real receiver


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def connect(port, process):
    for _ in range(200):
        assert process.poll() is None, "dump1090 ended at once"
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port), timeout=5.0)
        time.sleep(0.05)
    raise AssertionError("dump1090 does not listen")


@contextlib.contextmanager
def dump1090(program, folder):
    """(port for Beast in, port for SBS out, the process) of a dump1090 without a radio."""
    beast, sbs = free_ports(2)
    command = [
        program, "--net-only", "--quiet", "--net-bind-address", "127.0.0.1", "--net-ri-port", "0",
        "--net-ro-port", "0", "--net-bo-port", "0", "--net-bi-port", str(beast), "--net-sbs-port", str(sbs),
        "--write-json", str(folder), "--write-json-every", "1",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield beast, sbs, process
        finally:
            process.terminate()


def read_lines(connection, splitter):
    """All messages until the receiver falls silent."""
    connection.settimeout(2.0)
    found = []
    with contextlib.suppress(TimeoutError):
        while data := connection.recv(65536):
            found += splitter.feed(data)
    return found


def wait_for_table(path, aircraft):
    table = None
    for _ in range(100):
        if path.exists() and (data := path.read_bytes()):
            table = read_aircraft_json(data)
            if len(table.aircraft) >= aircraft:
                break
        time.sleep(0.1)
    return table


@pytest.mark.counterpart
def test_a_real_dump1090_drives_both_readers(counterpart, capture, fixes, tmp_path):
    splitter = SbsSplitter()
    with (
        dump1090(counterpart("dump1090-mutability"), tmp_path) as (beast, sbs, process),
        connect(sbs, process) as lines,
        connect(beast, process) as into,
    ):
        into.sendall(capture)
        messages = read_lines(lines, splitter)
        table = wait_for_table(tmp_path / "aircraft.json", 11)
    assert splitter.counters.refused == {}
    assert {m.callsign.strip() for m in messages if m.callsign} == CALLSIGNS
    placed = [m for m in messages if m.lat_deg is not None]
    # Fed a minute within a moment, it holds back what moves too fast by its own clock: not every message.
    assert len({m.address for m in placed}) >= 8
    for m in placed:
        assert min(distance_m(Place(m.lat_deg, m.lon_deg), p) for _, p in fixes[m.address]) < 500.0
    assert table.refused == {}
    assert {aircraft.callsign for aircraft in table.aircraft} == CALLSIGNS
    with_place = [aircraft for aircraft in table.aircraft if aircraft.lat_deg is not None]
    assert len(with_place) >= 5
    for aircraft in with_place:
        here = Place(aircraft.lat_deg, aircraft.lon_deg)
        assert min(distance_m(here, p) for _, p in fixes[aircraft.address]) < 500.0
        assert aircraft.position_from == "ads-b"
