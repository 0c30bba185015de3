"""ADS-B messages -> Detections: what is stated comes over, the rest stays unknown, bad input is nothing."""

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.geo import LocalFrame
from vedette.model import Detection, Position, Signal
from vedette.sense import adsb as sense
from vedette.sense._adsb_detection import BELIEFS, UNSAID, beliefs_of, velocity_mps
from vedette.sense._adsb_sky import NOT_ICAO, Sighting, Sky, key_of
from vedette.sense._adsb_text import OLDEST_S
from vedette.sense.adsb import BAD, BeastAdapter, SbsAdapter, TableAdapter
from vedette.wire.adsb import (
    MLAT_RESULT_TICKS,
    TICKS_PER_S,
    AirbornePosition,
    AirVelocity,
    BeastBatch,
    BeastBatcher,
    BeastFrame,
    GroundVelocity,
    Identification,
    OperationalStatus,
    Place,
    SbsSplitter,
    Source,
    Squitter,
    SurfacePosition,
    adsb,
    cpr,
    encode,
    encode_beast,
    read_aircraft_json,
)
from vedette.wire.adsb.parity import crc24

SITE = Place(47.2, 8.5)
ICAO = 0x4B1812
START = 1_700_000_000.0


def airborne(
    odd: bool, lat: float = 47.3, lon: float = 8.6, feet: float | None = 5000.0, type_code: int = 11
) -> AirbornePosition:
    return AirbornePosition(type_code, 0, False, feet, False, odd, *cpr.encode(lat, lon, odd))


def surface(odd: bool, lat: float = 47.21, lon: float = 8.51) -> SurfacePosition:
    return SurfacePosition(6, 12.0, 90.0, False, odd, *cpr.encode(lat, lon, odd, surface=True))


def velocity(**changes: object) -> GroundVelocity:
    said = {
        "supersonic": False, "nac_v": 1, "east_kt": 100.0, "north_kt": -200.0,
        "vertical_is_barometric": True, "vertical_fpm": 640.0, "height_minus_baro_ft": None,
    }  # fmt: skip
    return GroundVelocity(**(said | changes))  # type: ignore[arg-type]


def beast(*squitters: Squitter | bytes, ticks: int = 1, signal: int = 128) -> BeastBatch:
    bodies = [encode(each) if isinstance(each, Squitter) else each for each in squitters]
    return BeastBatcher().feed(b"".join(encode_beast(BeastFrame(ticks, signal, body)) for body in bodies))


class Air:
    """One adapter and a clock, fed message by message."""

    def __init__(self, **options: float) -> None:
        self.adapter = BeastAdapter("mast", SITE, **options)  # type: ignore[arg-type]
        self.now = START
        self.found: list[Detection] = []

    def hear(self, *messages: object, after_s: float = 0.5, address: int = ICAO) -> list[Detection]:
        """Each message on its own, ``after_s`` apart."""
        before = len(self.found)
        for message in messages:
            self.now += after_s
            squitter = message if isinstance(message, Squitter) else adsb(address, message)  # type: ignore[arg-type]
            self.found += self.adapter.take(beast(squitter), self.now)
        return self.found[before:]

    def fix(self, **place: float) -> list[Detection]:
        """Even, odd and even again: enough for a position."""
        return self.hear(*(airborne(odd, **place) for odd in (False, True, False)))  # type: ignore[arg-type]


def only(found: list[Detection]) -> Detection:
    assert len(found) == 1
    return found[0]


# ---- Beast


def test_a_position_needs_three_messages_that_agree() -> None:
    air = Air()
    assert air.hear(airborne(False), airborne(True)) == []
    detection = only(air.hear(airborne(False)))
    assert isinstance(detection.measure, Position)
    east, north, _ = LocalFrame(47.3, 8.6, 0.0).to_enu(
        detection.measure.lat_deg, detection.measure.lon_deg, 0
    )
    assert math.hypot(east, north) < 9.0
    assert detection.time == detection.received == air.now
    assert detection.sensor == "mast"
    assert detection.claim is not None
    assert (detection.claim.scheme, detection.claim.id) == ("icao", "4b1812")
    assert detection.integrity is not None
    assert (detection.integrity.crc_ok, detection.integrity.authenticated) == (True, False)
    assert detection.signal is not None
    assert (detection.signal.transport, detection.signal.frequency_mhz) == ("1090es", 1090.0)
    assert detection.signal.rssi_dbm is None, "decibels below full scale are no dBm"
    assert detection.extra == {"adsb.rssi_dbfs": -6.0, "adsb.source": "ads-b"}
    assert detection.measure.velocity_mps is None, "nothing was said of it"
    assert detection.beliefs == UNSAID


def test_heights_keep_their_datum() -> None:
    air = Air()
    measure = only(air.fix()).measure
    assert (measure.alt_m, measure.alt_datum) == (pytest.approx(1524.0), "barometric")  # type: ignore[union-attr]
    air.hear(velocity(height_minus_baro_ft=250.0))
    measure = air.hear(airborne(True))[-1].measure
    assert measure.alt_m == pytest.approx(5250.0 * 0.3048)  # type: ignore[union-attr]
    assert measure.alt_datum == "wgs84-ellipsoid"  # type: ignore[union-attr]
    air.now += 14.0
    assert air.hear(airborne(False))[-1].measure.alt_datum == "wgs84-ellipsoid"  # type: ignore[union-attr]
    assert air.hear(airborne(True), after_s=2.0)[-1].measure.alt_datum == "barometric"  # type: ignore[union-attr]


def test_height_above_the_ellipsoid_and_no_height() -> None:
    measure = only(Air().fix(type_code=21)).measure
    assert (measure.alt_m, measure.alt_datum) == (pytest.approx(1524.0), "wgs84-ellipsoid")  # type: ignore[union-attr]
    measure = only(Air().fix(feet=None)).measure  # type: ignore[arg-type]
    assert (measure.alt_m, measure.alt_datum) == (None, None)  # type: ignore[union-attr]


def test_velocity_is_whole_or_absent() -> None:
    air = Air()
    air.hear(velocity())
    measure = only(air.fix()).measure
    expected = (100.0 * 1852 / 3600, -200.0 * 1852 / 3600, 640.0 * 0.3048 / 60)
    assert measure.velocity_mps == pytest.approx(expected)  # type: ignore[union-attr]
    assert air.hear(airborne(True), after_s=5.0)[-1].measure.velocity_mps is None  # type: ignore[union-attr]
    for gap in ({"east_kt": None}, {"north_kt": None}, {"vertical_fpm": None}):
        air = Air()
        air.hear(velocity(**gap))
        assert only(air.fix()).measure.velocity_mps is None  # type: ignore[union-attr]
    air = Air()
    air.hear(AirVelocity(False, 1, 90.0, True, 200.0, True, 64.0, 250.0))
    measure = only(air.fix()).measure
    assert measure.velocity_mps is None, "airspeed is not ground speed"  # type: ignore[union-attr]
    assert measure.alt_datum == "wgs84-ellipsoid", "its height difference holds"  # type: ignore[union-attr]


def test_accuracy_is_what_the_aircraft_vouches_for() -> None:
    assert only(Air().fix(type_code=18)).sigma is None, "it vouches for nothing"
    assert only(Air().fix()).sigma.horizontal_m == pytest.approx(185.2 / 2.45)  # type: ignore[union-attr]
    air = Air()
    air.hear(OperationalStatus(False, 2, True, 9, 3))
    assert only(air.fix()).sigma.horizontal_m == pytest.approx(30.0 / 2.45)  # type: ignore[union-attr]
    air = Air()
    air.hear(OperationalStatus(False, 0, False, 0, 0))
    assert only(air.fix()).sigma.horizontal_m == pytest.approx(185.2 / 2.45)  # type: ignore[union-attr]


def test_on_the_ground_it_is_kept_and_marked() -> None:
    detection = only(Air().hear(surface(False), surface(True), surface(False)))
    assert detection.extra is not None
    assert detection.extra["adsb.on_ground"] is True
    measure = detection.measure
    assert isinstance(measure, Position)
    assert (measure.lat_deg, measure.lon_deg) == (
        pytest.approx(47.21, abs=1e-4),
        pytest.approx(8.51, abs=1e-4),
    )
    assert measure.alt_m is None
    assert measure.velocity_mps is None, "no vertical rate was stated"


def test_words_of_the_aircraft_for_the_desk() -> None:
    air = Air()
    air.hear(Identification("B6", "DRN1"))
    detection = only(air.fix())
    assert detection.extra is not None
    assert (detection.extra["adsb.callsign"], detection.extra["adsb.category"]) == ("DRN1", "B6")
    assert detection.beliefs == BELIEFS["B6"]


def test_no_belief_is_near_certainty_and_an_unmanned_one_is_a_drone() -> None:
    for category in (None, "A0", "B5", "D3", "C6", *BELIEFS):
        beliefs = beliefs_of(category)
        assert sum(beliefs.values()) == pytest.approx(1.0), category
        assert beliefs.get("aircraft", 0.0) <= 0.85
    for category in ("A1", "A3", "A5", "A7", None):
        assert beliefs_of(category)["aircraft"] == max(beliefs_of(category).values())
    unmanned = beliefs_of("B6")
    assert unmanned["multirotor"] + unmanned["fixed-wing"] + unmanned["fpv"] == pytest.approx(0.8)
    assert unmanned["aircraft"] < 0.05


@pytest.mark.parametrize(
    ("control", "source", "is_icao"),
    [(0, "ads-b", True), (1, "ads-b", False), (2, "tis-b", None), (5, "tis-b", False), (6, "ads-r", None)],
)
def test_what_ground_stations_and_vehicles_send(control: int, source: str, is_icao: bool | None) -> None:
    """DF 18. Where CF does not say whose address it is, a bit of the message does."""
    for flag in (False, True) if is_icao is None else (False,):
        air = Air()
        for odd in (False, True, False):
            message = airborne(odd)
            message = AirbornePosition(
                11, 0, flag, 5000.0, False, odd, message.lat_cpr, message.lon_cpr
            )  # the flag lies where DF 17 has NIC B
            air.hear(Squitter(18, control, ICAO, Source(source), is_icao, message))
        detection = only(air.found)
        assert detection.extra is not None
        assert detection.extra["adsb.source"] == source
        named = (is_icao is None and not flag) or is_icao is True
        assert (detection.claim is not None) is named
        assert detection.signal is not None
        assert detection.signal.emitter == (None if named else "~4b1812")


@pytest.mark.parametrize("address", [0, 0xFFFFFF])
def test_addresses_that_are_never_assigned_identify_nothing(address: int) -> None:
    detection = only(Air().hear(airborne(False), airborne(True), airborne(False), address=address))
    assert detection.claim is None
    assert detection.signal is not None
    assert detection.signal.emitter == f"~{address:06x}"


def test_damaged_frames_give_nothing() -> None:
    """Every single flipped bit of the message that would complete a fix."""
    good = encode(adsb(ICAO, airborne(False)))
    for bit in range(5, 112):
        air = Air()
        air.hear(airborne(False), airborne(True))
        damaged = bytearray(good)
        damaged[bit // 8] ^= 0x80 >> bit % 8
        assert air.adapter.take(beast(bytes(damaged)), air.now) == []
        assert air.adapter.counts["bad-crc"] == 1
        assert only(air.hear(airborne(False))), "and disturb nothing"


def test_what_a_multilateration_server_made_up_is_left_out() -> None:
    adapter = BeastAdapter("mast", SITE)
    for odd in (False, True, False, True):
        assert adapter.take(beast(adsb(ICAO, airborne(odd)), ticks=MLAT_RESULT_TICKS), START) == []
    assert adapter.counts["mlat-result"] == 4


def test_beyond_reach_of_the_site() -> None:
    air = Air()
    assert air.fix(lat=51.5, lon=8.5) == []
    assert air.adapter.counts["beyond-reach"] > 0
    assert Air().fix(lat=50.7, lon=8.5) != []


def test_one_detection_a_second_and_always_the_freshest() -> None:
    air = Air()
    air.fix()
    air.hear(*(airborne(i % 2 == 0, lat=47.3 + 1e-3 * i) for i in range(100)), after_s=0.13)
    times = [detection.received for detection in air.found]
    assert min(b - a for a, b in pairwise(times)) >= 1.0 - 1e-6
    assert 11 <= len(times) <= 14
    late = Air()
    late.fix()
    batch = beast(*(adsb(ICAO, airborne(i % 2 == 0, lat=47.3 + 1e-4 * i)) for i in range(10)))
    found = late.adapter.take(batch, late.now + 1.0)
    assert only(found).measure.lat_deg == pytest.approx(47.3009, abs=1e-4)  # type: ignore[union-attr]
    held = late.adapter.take(beast(adsb(ICAO, airborne(False, lat=47.3020))), late.now + 1.5)
    assert held == []
    again = late.adapter.take(beast(), late.now + 2.1)
    assert only(again).time == pytest.approx(late.now + 1.5), "held until it was due, with its own time"


def test_a_position_that_waited_too_long_is_history() -> None:
    air = Air()
    air.fix()
    assert air.hear(airborne(True), after_s=0.2) == []
    assert air.adapter.take(beast(), air.now + 60.0) == []
    assert air.adapter.counts["held-too-long"] == 1


def test_invented_addresses_cost_bounded_memory() -> None:
    air = Air(most=20)
    for address in range(1, 500):
        air.hear(velocity(), airborne(False), airborne(True), airborne(False), address=address, after_s=0.01)
    assert len(air.adapter._sky) == 20
    assert air.adapter.counts["aircraft-forgotten"] == 479
    assert len(air.adapter._sky._queue) <= 499
    assert "aircraft-forgotten" in BAD


def test_two_bodies_under_one_address_give_no_third() -> None:
    """A thief of an address 30 km off: what passes is at one of the two places, never between."""
    air = Air()
    for i in range(80):
        air.hear(airborne(i % 4 < 2, lat=47.3), after_s=0.25)
        air.hear(airborne(i % 2 == 0, lat=47.6), after_s=0.25)
    for detection in air.found:
        lat = detection.measure.lat_deg  # type: ignore[union-attr]
        assert min(abs(lat - 47.3), abs(lat - 47.6)) < 1e-3
    counts = air.adapter.counts
    assert counts["position-jumped"] + counts["position-mismatched"] > 0


squitter_bytes = st.tuples(
    st.sampled_from((0x8D, 0x90, 0x91, 0x92, 0x95, 0x96)), st.binary(min_size=10, max_size=10)
).map(lambda made: (body := bytes((made[0],)) + made[1]) + crc24(body).to_bytes(3, "big"))


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(squitter_bytes, st.binary(min_size=14, max_size=14), st.binary(min_size=7, max_size=7)),
        max_size=30,
    ),
    st.binary(max_size=60),
    st.lists(st.floats(0.0, 20.0), min_size=1, max_size=4),
)
def test_any_frames_are_borne(frames: list[bytes], noise: bytes, pauses: list[float]) -> None:
    adapter, batcher, now = BeastAdapter("mast", SITE, most=5), BeastBatcher(), START
    stream = b"".join(encode_beast(BeastFrame(1, 1, frame)) for frame in frames)
    for pause in pauses:
        now += pause
        for data in (stream, noise):
            check(adapter.take(batcher.feed(data), now), now)


def check(found: list[Detection] | None, now: float) -> None:
    for detection in found or ():
        measure = detection.measure
        assert isinstance(measure, Position)
        assert abs(measure.lat_deg) <= 90.0
        assert abs(measure.lon_deg) <= 180.0
        assert detection.time <= now
        assert (measure.alt_m is None) == (measure.alt_datum is None)
        assert detection.integrity is not None
        assert detection.integrity.authenticated is False


# ---- SBS


def line(kind: int, address: str = "4B1812", **fields: object) -> str:
    places = {
        "callsign": 10,
        "feet": 11,
        "knots": 12,
        "track": 13,
        "lat": 14,
        "lon": 15,
        "fpm": 16,
        "ground": 21,
    }
    row = ["MSG", str(kind), "1", "1", address, "1", *[""] * 16]
    for name, value in fields.items():
        row[places[name]] = str(value)
    return ",".join(row) + "\r\n"


def sbs(adapter: SbsAdapter, now: float, *lines: str) -> list[Detection]:
    return adapter.take(SbsSplitter().feed("".join(lines).encode()), now)


def test_lines_are_put_together() -> None:
    adapter = SbsAdapter("mast", SITE)
    assert sbs(adapter, START, line(1, callsign="SWR1"), line(4, knots=100, track=90, fpm=600)) == []
    detection = only(sbs(adapter, START + 1.0, line(3, lat=47.3, lon=8.6, feet=1000)))
    assert detection.measure == Position(
        lat_deg=47.3, lon_deg=8.6, alt_m=304.8, alt_datum="barometric",
        velocity_mps=velocity_mps(100.0, 90.0, 600.0),
    )  # fmt: skip
    assert detection.measure.velocity_mps[0] == pytest.approx(51.44, abs=0.01)
    assert detection.time == START + 1.0, "the line's own time has no zone"
    assert detection.claim is not None
    assert detection.claim.id == "4b1812"
    assert detection.sigma is None
    assert detection.signal == Signal(transport="1090/978"), "which of the two is not known"
    assert detection.integrity is not None
    assert (detection.integrity.crc_ok, detection.integrity.authenticated) == (None, False)
    assert detection.extra == {"adsb.callsign": "SWR1"}


def test_gaps_and_the_ground_in_lines() -> None:
    adapter = SbsAdapter("mast", SITE)
    sbs(adapter, START, line(4, knots=100, track=90))
    detection = only(sbs(adapter, START, line(2, lat=47.3, lon=8.6, ground=-1)))
    assert detection.measure == Position(lat_deg=47.3, lon_deg=8.6)
    assert detection.extra == {"adsb.on_ground": True}
    detection = only(sbs(adapter, START, line(3, "~4B1812", lat=47.3, lon=8.6)))
    assert detection.claim is None
    assert detection.signal is not None
    assert detection.signal.emitter == "~4b1812"
    assert sbs(adapter, START + 9, line(3, "000001", lat=0, lon=0)) == []
    assert adapter.counts["beyond-reach"] == 1
    sbs(adapter, START + 9, line(1, "00000A", callsign="\x1b[2J"))
    assert only(sbs(adapter, START + 9, line(3, "00000A", lat=47.3, lon=8.6))).extra is None


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(st.binary(max_size=200), st.text("0123456789MSG,-.~\r\n/:", max_size=200).map(str.encode)),
        max_size=5,
    )
)
def test_any_lines_are_borne(chunks: list[bytes]) -> None:
    adapter, splitter = SbsAdapter("mast", SITE, most=5), SbsSplitter()
    for i, chunk in enumerate(chunks):
        check(adapter.take(splitter.feed(chunk), START + i), START + i)


# ---- aircraft.json

NEW = {
    "hex": "4b1812", "type": "adsb_icao", "flight": "SWR1    ", "alt_baro": 5000, "alt_geom": 5250,
    "gs": 100.0, "track": 90.0, "baro_rate": 600, "category": "A3", "lat": 47.3, "lon": 8.6,
    "nac_p": 9, "rc": 186, "seen_pos": 0.4, "seen": 0.1, "rssi": -12.3, "squawk": "7000",
}  # fmt: skip
OLD = {
    "hex": "4b1812", "flight": "SWR1    ", "altitude": 5000, "speed": 100, "track": 90, "vert_rate": 600,
    "category": "A3", "lat": 47.3, "lon": 8.6, "nucp": 7, "seen_pos": 0.4, "seen": 0.1, "rssi": -12.3,
    "squawk": "7000", "mlat": [], "tisb": [],
}  # fmt: skip


class Receiver:
    """A receiver whose tables reach one adapter."""

    def __init__(self, behind_s: float = 0.0) -> None:
        self.adapter = TableAdapter("mast", SITE)
        self.behind_s = behind_s

    def table(self, received: float, *entries: dict[str, object]) -> list[Detection] | None:
        now = received - self.behind_s
        document = json.dumps({"now": now, "messages": 1, "aircraft": list(entries)}).encode()
        return self.adapter.take(read_aircraft_json(document), now, received)


@pytest.mark.parametrize(
    ("entry", "radius_m", "datum"), [(NEW, 30.0, "wgs84-ellipsoid"), (OLD, 185.2, "barometric")]
)
def test_tables_with_new_and_old_names(entry: dict[str, object], radius_m: float, datum: str) -> None:
    detection = only(Receiver().table(START, entry) or [])
    assert isinstance(detection.measure, Position)
    assert detection.time == pytest.approx(START - 0.4)
    assert detection.received == START
    assert detection.measure.alt_m == pytest.approx((5250 if datum == "wgs84-ellipsoid" else 5000) * 0.3048)
    assert detection.measure.alt_datum == datum
    assert detection.measure.velocity_mps == pytest.approx(velocity_mps(100.0, 90.0, 600.0))
    assert detection.sigma is not None
    assert detection.sigma.horizontal_m == pytest.approx(radius_m / 2.45)
    assert detection.beliefs == BELIEFS["A3"]
    assert detection.extra == {
        "adsb.callsign": "SWR1", "adsb.category": "A3", "adsb.rssi_dbfs": -12.3, "adsb.source": "ads-b",
        "adsb.squawk": "7000",
    }  # fmt: skip
    assert detection.integrity is not None
    assert detection.integrity.crc_ok is None, "the receiver checked, or repaired, or neither"


def test_accuracies_of_tables() -> None:
    def sigma(**changes: object) -> float | None:
        entry = {name: value for name, value in (OLD | changes).items() if value is not None}
        found = only(Receiver().table(START, entry) or [])
        return found.sigma.horizontal_m if found.sigma else None

    assert sigma(nucp=0) is None
    assert sigma(nucp=None) is None
    assert sigma(nucp=9) == pytest.approx(7.5 / 2.45)
    assert sigma(altitude="ground") is None
    assert sigma(rc=186) == pytest.approx(186 / 2.45)
    assert sigma(nac_p=8, rc=186) == pytest.approx(92.6 / 2.45)
    assert sigma(nac_p=0, rc=186) == pytest.approx(186 / 2.45)


def test_a_repeated_position_is_no_new_evidence() -> None:
    receiver = Receiver()
    ages = [0.4, 1.4, 2.4, 3.3, 4.4, 5.5]
    found = [receiver.table(START + i, NEW | {"seen_pos": age}) for i, age in enumerate(ages)]
    assert [len(each or ()) for each in found] == [1, 0, 0, 0, 0, 0]
    assert only(receiver.table(START + 6, NEW | {"seen_pos": 0.1}) or []).time == pytest.approx(
        START + 5.9
    ), "it hovers, and is heard"
    assert receiver.table(START + 7, NEW | {"seen_pos": OLDEST_S + 0.1, "lat": 47.31}) == []
    assert receiver.adapter.counts["position-old"] == 1
    bare = {name: value for name, value in NEW.items() if name != "seen_pos"}
    assert receiver.table(START + 8, bare) == [], "the same place, of unknown age"
    assert only(receiver.table(START + 9, bare | {"lat": 47.32}) or []).time == START + 9


def test_each_second_one_of_each_aircraft() -> None:
    receiver, found = Receiver(), []
    for i in range(100):
        found += receiver.table(START + 0.2 * i, NEW | {"lat": 47.3 + 1e-4 * i, "seen_pos": 0.1}) or []
    assert 20 <= len(found) <= 22
    slow, found = Receiver(), []
    for i in range(20):
        found += slow.table(START + 0.98 * i, NEW | {"lat": 47.3 + 1e-4 * i}) or []
    assert len(found) == 20, "a poll that is a little early misses none"


def test_a_clock_that_is_off_widens_and_an_absurd_one_is_refused() -> None:
    receiver = Receiver(behind_s=100.0)
    tables = [receiver.table(START + i, NEW | {"lat": 47.3 + 1e-3 * i}) for i in range(5)]
    assert [len(each or ()) for each in tables] == [0, 0, 1, 1, 1], "an old table looks like a late clock"
    assert receiver.adapter.counts["clock-unsure"] == 2
    assert receiver.adapter.counts["clock-off"] == 3
    detection = only(tables[-1] or [])
    assert detection.time == pytest.approx(START + 4 - 0.4)
    speed = math.hypot(*velocity_mps(100.0, 90.0, 600.0))  # type: ignore[misc]
    assert detection.sigma is not None
    assert detection.sigma.horizontal_m == pytest.approx(math.hypot(30.0 / 2.45, 0.3 * speed), rel=1e-3)
    for behind_s in (86_500.0, -86_500.0, -1e17):
        assert Receiver(behind_s=behind_s).table(START, NEW) is None
    ahead = Receiver(behind_s=-100.0)
    later = [ahead.table(START + i, NEW | {"lat": 47.3 + 1e-3 * i}) for i in range(4)]
    assert all(detection.time <= START + i for i, each in enumerate(later) for detection in each or ())
    assert later[-1] != []


def test_a_table_that_stands_still_gives_nothing() -> None:
    adapter = TableAdapter("mast", SITE)
    table = read_aircraft_json(json.dumps({"now": START, "aircraft": [NEW]}).encode())
    assert len(adapter.take(table, START, START) or []) == 1
    assert all(adapter.take(table, START, START + i) == [] for i in range(1, 60))


def test_a_huge_table_is_cut() -> None:
    adapter = TableAdapter("mast", SITE, most=10)
    entries = [NEW | {"hex": f"{i:06x}"} for i in range(1, 101)]
    found = adapter.take(
        read_aircraft_json(json.dumps({"now": START, "aircraft": entries}).encode()), START, START
    )
    assert len(found or []) == 10
    assert adapter.counts["entries-shed"] == 80
    assert adapter.counts["aircraft-forgotten"] == 10


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.sampled_from([47.3, 8.6])
texts = st.text(max_size=8) | st.sampled_from(["ground", "4b1812", "~4b1812"])
keys = st.sampled_from([*NEW, *OLD])
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=10,
)
an_entry = st.dictionaries(keys, json_values, max_size=6).map(lambda changes: NEW | changes)


@settings(deadline=None)
@given(
    st.lists(an_entry, max_size=5),
    st.floats(-1e6, 1e6),
    st.floats(),
)
def test_any_table_is_borne(entries: list[dict[str, object]], behind_s: float, sent: float) -> None:
    adapter = TableAdapter("mast", SITE, most=3)
    document = json.dumps({"now": START, "aircraft": entries}).encode()
    table = read_aircraft_json(document)
    for i, at in enumerate((START - behind_s, START, sent)):
        check(adapter.take(table, at, START + i), START + i)


# ---- the table of aircraft


@given(st.lists(st.tuples(st.integers(1, 6), st.floats(0.0, 1.5)), max_size=60), st.integers(1, 6))
def test_the_pace_law(steps: list[tuple[int, float]], most: int) -> None:
    """Bounded, never two of one aircraft within a period while it is remembered, in order."""
    sky, now, passed = Sky(1.0, most), START, {}
    for key, pause in steps:
        now += pause
        before = sky.forgotten
        sky.place(sky.of(key), Sighting(now, now, 47.0, 8.0))
        if sky.forgotten > before:
            passed.clear()
        for aircraft, sighting in sky.due(now):
            last = passed.get(aircraft.key)
            assert last is None or now - last >= 1.0 - 1e-6
            assert sighting.time <= now
            passed[aircraft.key] = now
        assert len(sky) <= most


def test_keys() -> None:
    assert key_of(ICAO, True) == ICAO
    assert key_of(ICAO, False) == ICAO | NOT_ICAO


def test_the_row_of_the_quality_table() -> None:
    assert sense.QUALITY.fuzzer == "fuzz_adsb.py"
    assert sense.QUALITY.schemes


# ---- a minute of real reception


@pytest.mark.field
def test_the_real_capture_gives_the_golden_aircraft(field_data) -> None:  # type: ignore[no-untyped-def]
    folder = field_data / "protocols/adsb"
    batch = BeastBatcher().feed((folder / "ulss7_60s.beast").read_bytes())
    golden: dict[str, list[tuple[float, float]]] = {}
    for message in SbsSplitter().feed((folder / "ulss7_60s.sbs.txt").read_bytes()):
        if message.lat_deg is not None and message.lon_deg is not None:
            golden.setdefault(f"{message.address:06x}", []).append((message.lat_deg, message.lon_deg))
    times = (batch.ticks - batch.ticks[0]) / TICKS_PER_S
    steps = np.flatnonzero(np.diff(np.floor(times / 0.05))) + 1
    adapter, found = BeastAdapter("mast", Place(59.9, 30.3)), []
    for start, stop in zip([0, *steps], [*steps, len(times)], strict=True):
        part = BeastBatch(*(column[start:stop] for column in batch))
        found += adapter.take(part, START + float(times[stop - 1]))
    assert {d.claim.id for d in found if d.claim} == golden.keys()
    assert len(golden) == 11
    for detection in found:
        assert detection.claim is not None
        assert isinstance(detection.measure, Position)
        here = LocalFrame(detection.measure.lat_deg, detection.measure.lon_deg, 0.0)
        offsets = (here.to_enu(lat, lon, 0.0) for lat, lon in golden[detection.claim.id])
        assert min(math.hypot(east, north) for east, north, _ in offsets) < 30.0
        assert detection.measure.alt_datum in ("barometric", "wgs84-ellipsoid")
    with_velocity = [d for d in found if d.measure.velocity_mps is not None]  # type: ignore[union-attr]
    assert len(with_velocity) > 0.9 * len(found)
    assert not [reason for reason, count in adapter.counts.items() if count and reason.startswith(BAD)]
