"""Beast streams cut anywhere, the compiled kernel held to the plain Python, positions from pairs."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.wire.adsb import (
    AdsbEncodeError,
    AirbornePosition,
    AirVelocity,
    BeastBatcher,
    BeastFrame,
    BeastSplitter,
    GroundVelocity,
    Identification,
    OperationalStatus,
    Parity,
    Place,
    PositionResolver,
    Source,
    Squitter,
    SurfacePosition,
    adsb,
    cpr,
    decode,
    decode_message,
    encode,
    encode_beast,
    judge,
    kernel,
    rssi_dbfs,
    squitters,
)
from vedette.wire.adsb.beast import MAX_FRAME_BYTES
from vedette.wire.adsb.parity import crc24
from vedette.wire.adsb.resolver import FIX_LIFE_S, JUMPS_TO_FORGET, distance_m

KINDS = {
    Identification: kernel.IDENTIFICATION,
    AirbornePosition: kernel.AIRBORNE,
    SurfacePosition: kernel.SURFACE,
    GroundVelocity: kernel.GROUND_VELOCITY,
    AirVelocity: kernel.AIR_VELOCITY,
    OperationalStatus: kernel.STATUS,
}
SOURCES = {kernel.ADSB: Source.ADSB, kernel.TISB: Source.TISB, kernel.ADSR: Source.ADSR}

payloads = st.sampled_from([2, 7, 14]).flatmap(lambda n: st.binary(min_size=n, max_size=n))
escapes = st.sampled_from([2, 7, 14]).map(lambda n: b"\x1a" * n)
frames = st.builds(BeastFrame, st.integers(0, (1 << 48) - 1), st.integers(0, 255), payloads | escapes)
pieces = frames.map(encode_beast) | st.binary(max_size=6) | st.sampled_from([b"\x1a", b"\x1a3", b"\x1a\x1a1"])


def same(value, expected):
    return math.isnan(value) if expected is None else value == expected


def assert_agrees(batch, found):
    """The batch holds what the splitter found, and both judge it alike."""
    assert batch.ticks.tolist() == [frame.ticks for frame in found]
    assert batch.signal.tolist() == [frame.signal for frame in found]
    messages = [batch.message[i, :n].tobytes() for i, n in enumerate(batch.length.tolist())]
    assert messages == [frame.message for frame in found]
    assert batch.parity.tolist() == [judge(frame.message) for frame in found]


def assert_row(out, i, frame):
    """Row ``i`` of the kernel's squitters says what the plain decoder says of the frame."""
    reference = decode(frame)
    message = reference.message
    assert out.address[i] == reference.address
    assert SOURCES[int(out.source[i])] == reference.source
    assert {1: True, 0: False, -1: None}[int(out.icao[i])] == reference.address_is_icao
    assert out.kind[i] == KINDS.get(type(message), kernel.OTHER)
    if out.kind[i] != kernel.OTHER:
        assert decode_message(int(out.me[i])) == message
    expected = {
        kernel.AIRBORNE: {"altitude_ft": "altitude_ft"},
        kernel.SURFACE: {"speed_kt": "speed_kt", "track_deg": "track_deg"},
        kernel.GROUND_VELOCITY: {"east_kt": "east_kt", "north_kt": "north_kt"},
        kernel.AIR_VELOCITY: {"speed_kt": "airspeed_kt", "track_deg": "heading_deg"},
    }.get(int(out.kind[i]), {})
    if isinstance(message, GroundVelocity | AirVelocity):
        expected |= {name: name for name in ("vertical_fpm", "height_minus_baro_ft")}
    for column in kernel.Squitters._fields[10:]:
        assert same(getattr(out, column)[i], getattr(message, expected.get(column, ""), None)), column
    placed = isinstance(message, AirbornePosition | SurfacePosition) and message.type_code != 0
    grid = (message.odd, message.lat_cpr, message.lon_cpr) if placed else (-1, -1, -1)
    assert (out.odd[i], out.lat_cpr[i], out.lon_cpr[i]) == grid


@settings(deadline=None)
@given(st.lists(pieces, max_size=12), st.data())
def test_cuts_change_nothing_and_both_agree(parts, data):
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    whole, cut, compiled = BeastSplitter(), BeastSplitter(), BeastBatcher()
    expected = whole.feed(stream)
    found = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        new = cut.feed(stream[start:end])
        assert_agrees(compiled.feed(stream[start:end]), new)
        found += new
    assert found == expected
    assert whole.counters == cut.counters == compiled.counters


@given(st.lists(frames, max_size=8))
def test_frames_round_trip(wanted):
    splitter = BeastSplitter()
    assert splitter.feed(b"".join(map(encode_beast, wanted))) == wanted
    assert splitter.counters.skipped_bytes == splitter.counters.broken == splitter.counters.other == 0


def test_byte_by_byte_with_every_byte_escaped():
    frame = BeastFrame(int.from_bytes(b"\x1a" * 6, "big"), 0x1A, b"\x1a" * 14)
    stream = encode_beast(frame)
    assert len(stream) == MAX_FRAME_BYTES
    splitter, batcher = BeastSplitter(), BeastBatcher()
    assert [f for byte in stream for f in splitter.feed(bytes((byte,)))] == [frame]
    assert sum(len(batcher.feed(bytes((byte,))).ticks) for byte in stream) == 1


def test_a_frame_cut_off_by_the_next_is_counted():
    frame = BeastFrame(7, 100, bytes(range(14)))
    stream = encode_beast(frame)[:9] + encode_beast(frame)
    splitter = BeastSplitter()
    assert splitter.feed(stream) == [frame]
    assert (splitter.counters.broken, splitter.counters.skipped_bytes) == (1, 9)


def test_frames_of_other_types_are_skipped_and_counted():
    frame = BeastFrame(7, 100, bytes(range(14)))
    status = b"\x1a4" + bytes(21)
    splitter = BeastSplitter()
    assert splitter.feed(status + encode_beast(frame) + status + encode_beast(frame)) == [frame, frame]
    assert (splitter.counters.other, splitter.counters.skipped_bytes) == (2, 46)


@pytest.mark.parametrize("noise", [b"\x1a", b"\x00", b"\x1a\x1a", b"\x1a3\x1a", b"\xff\x1a3"])
def test_garbage_never_piles_up(noise):
    splitter, batcher = BeastSplitter(), BeastBatcher()
    for _ in range(50):
        splitter.feed(noise * 100)
        batcher.feed(noise * 100)
        assert len(splitter._rest) < MAX_FRAME_BYTES
        assert len(batcher._rest) < MAX_FRAME_BYTES


@pytest.mark.parametrize(
    "frame", [BeastFrame(0, 0, b""), BeastFrame(1 << 48, 0, bytes(2)), BeastFrame(0, 256, bytes(7))]
)
def test_what_does_not_fit_a_frame_is_refused(frame):
    with pytest.raises(AdsbEncodeError):
        encode_beast(frame)


def test_signal_level():
    assert rssi_dbfs(255) == 0.0
    assert rssi_dbfs(26) == pytest.approx(-19.83, abs=0.01)
    assert rssi_dbfs(0) is None


def good(head, address, me):
    body = bytes((head,)) + address.to_bytes(3, "big") + me.to_bytes(7, "big")
    return body + crc24(body).to_bytes(3, "big")


typed = st.builds(lambda kind, low: kind << 51 | low, st.integers(0, 31), st.integers(0, (1 << 51) - 1))


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0x88, 0x97), st.integers(0, 0xFFFFFF), typed), max_size=20))
def test_fields_agree_with_the_plain_decoder(heads):
    wanted = [good(*head) for head in heads]
    damaged = [frame[:-1] + bytes((frame[-1] ^ 1,)) for frame in wanted]
    mixed = [frame for pair in zip(damaged, wanted, strict=True) for frame in pair]
    batch = BeastBatcher().feed(b"".join(encode_beast(BeastFrame(1, 1, frame)) for frame in mixed))
    assert kernel.is_squitter(batch).all()
    assert (batch.parity == Parity.BAD).sum() == len(damaged)
    out = squitters(batch)
    assert out.row.tolist() == list(range(1, len(mixed), 2))
    for i, frame in enumerate(wanted):
        assert_row(out, i, frame)


@pytest.mark.parametrize("control", range(8))
def test_the_kernel_knows_every_control_field(control):
    frame = encode(Squitter(18, control, 0x123456, Source.ADSB, True, Identification("A1", "TEST")))
    out = squitters(BeastBatcher().feed(encode_beast(BeastFrame(1, 1, frame))))
    assert_row(out, 0, frame)


# ---- positions


def flight(lat, lon, seconds, north_mps=0.0, east_mps=100.0, surface=False, start=0.0):
    """(time, message) twice a second, even and odd in turn, and where it truly is."""
    for i in range(int(seconds * 2)):
        t = i / 2.0
        here = Place(
            lat + north_mps * t / 111_195.0,
            cpr.wrap_lon(lon + east_mps * t / 111_195.0 / math.cos(math.radians(lat))),
        )
        grid = cpr.encode(*here, bool(i % 2), surface)
        if surface:
            message = SurfacePosition(7, 10.0, None, False, bool(i % 2), *grid)
        else:
            message = AirbornePosition(11, 0, False, 3000.0, False, bool(i % 2), *grid)
        yield start + t, message, here


@settings(deadline=None)
@given(st.floats(-84.0, 84.0), st.floats(-180.0, 180.0), st.floats(-300.0, 300.0), st.floats(-300.0, 300.0))
def test_a_flight_is_followed(lat, lon, north, east):
    resolver = PositionResolver()
    found = [
        (resolver.resolve(1, t, message), here) for t, message, here in flight(lat, lon, 20.0, north, east)
    ]
    places = [(place, here) for place, here in found if place is not None]
    assert len(places) >= 34
    assert all(distance_m(place, here) < 6.0 for place, here in places)
    assert resolver.counters.jumps == 0


def test_the_first_decode_waits_for_the_other_grid():
    resolver = PositionResolver()
    (t0, even, _), (t1, odd, _), (t2, again, here) = list(flight(50.0, 8.0, 1.5))
    assert resolver.resolve(1, t0, even) is None
    assert resolver.resolve(1, t1, odd) is None
    assert resolver.resolve(1, t1 + 0.1, odd) is None
    place = resolver.resolve(1, t2, again)
    assert place is not None
    assert distance_m(place, here) < 6.0


def test_an_old_half_makes_no_pair():
    resolver = PositionResolver()
    (t0, even, _), (_, odd, _) = list(flight(50.0, 8.0, 1.0))
    assert resolver.resolve(1, t0, even) is None
    assert resolver.resolve(1, t0 + 10.5, odd) is None
    assert resolver.resolve(1, t0 + 21.5, even) is None
    assert resolver.counters.waiting == 3


def test_a_forged_stream_is_refused_and_counted():
    resolver = PositionResolver()
    for t, message, _ in flight(50.0, 8.0, 10.0):
        resolver.resolve(1, t, message)
    forged = AirbornePosition(11, 0, False, 3000.0, False, False, *cpr.encode(50.5, 8.0, False))
    true = AirbornePosition(11, 0, False, 3000.0, False, False, *cpr.encode(50.0, 8.014, False))
    assert resolver.resolve(1, 10.2, forged) is None
    assert resolver.counters.jumps == 1
    assert resolver.resolve(1, 10.5, true) is not None
    for i in range(JUMPS_TO_FORGET):
        assert resolver.resolve(1, 11.0 + i / 10.0, forged) is None
    assert resolver.counters.forgotten == 1


def test_a_fix_does_not_live_for_ever():
    resolver = PositionResolver()
    for t, message, _ in flight(50.0, 8.0, 5.0):
        resolver.resolve(1, t, message)
    (_, even, _), *_ = flight(50.0, 8.0, 0.5)
    assert resolver.resolve(1, 5.0 + FIX_LIFE_S + 1.0, even) is None
    assert resolver.counters.forgotten == 1


def test_a_place_beyond_the_radio_horizon_is_refused():
    resolver = PositionResolver(receiver=Place(40.0, 8.0))
    assert all(resolver.resolve(1, t, message) is None for t, message, _ in flight(50.0, 8.0, 5.0))
    assert resolver.counters.out_of_range > 0
    assert resolver.counters.fixes == 0


@pytest.mark.parametrize("where", [(50.0, 8.5), (-33.94, 151.17), (-22.8, -43.2), (21.3, -157.9)])
def test_a_taxiing_aircraft_needs_to_know_where_the_receiver_is(where):
    near = Place(where[0] + 0.1, where[1] - 0.1)
    knowing, ignorant = PositionResolver(receiver=near), PositionResolver()
    for t, message, here in flight(*where, 10.0, east_mps=8.0, surface=True):
        assert ignorant.resolve(1, t, message) is None
        place = knowing.resolve(1, t, message)
        assert place is None or distance_m(place, here) < 2.0
    assert knowing.counters.fixes >= 16
    assert ignorant.counters.unplaced == 20


def test_landing_keeps_the_fix():
    resolver = PositionResolver()
    for t, message, _ in flight(50.0, 8.0, 5.0, east_mps=60.0):
        resolver.resolve(1, t, message)
    rolled = next(iter(flight(50.0, 8.0042, 0.5, surface=True)))
    assert resolver.resolve(1, 5.5, rolled[1]) is not None


def test_no_position_is_not_a_position():
    resolver = PositionResolver()
    assert resolver.resolve(1, 0.0, AirbornePosition(0, 0, False, 3000.0, False, False, 0, 0)) is None
    assert resolver.counters.unplaced == 1


def test_a_flood_of_addresses_is_bounded():
    resolver = PositionResolver(max_aircraft=10)
    message = AirbornePosition(11, 0, False, None, False, False, 1, 1)
    for address in range(1000):
        resolver.resolve(address, 0.0, message)
    assert resolver.counters.evicted == 990
    assert len(resolver._aircraft) == 10


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 100), st.booleans(), st.booleans(), *[st.integers(0, 131071)] * 2)))
def test_nothing_heard_crashes_the_resolver(heard):
    resolver = PositionResolver(receiver=Place(50.0, 8.0))
    for time_s, surface, odd, lat, lon in heard:
        place = resolver.resolve_raw(1, time_s, surface, odd, lat, lon)
        assert place is None or distance_m(place, Place(50.0, 8.0)) <= 556_000.0


def test_one_velocity_and_one_position_in_a_batch():
    stream = b"".join(
        encode_beast(BeastFrame(i, 50, encode(adsb(0xABCDEF, message))))
        for i, message in enumerate(
            (
                AirbornePosition(11, 0, False, 35000.0, False, True, 5, 6),
                GroundVelocity(False, 2, 100.0, -200.0, True, 640.0, None),
            )
        )
    )
    out = squitters(BeastBatcher().feed(stream))
    assert out.altitude_ft[0] == 35000.0
    assert (out.odd[0], out.lat_cpr[0], out.lon_cpr[0]) == (1, 5, 6)
    assert (out.east_kt[1], out.north_kt[1], out.vertical_fpm[1]) == (100.0, -200.0, 640.0)
    assert np.isnan(out.height_minus_baro_ft[1])
