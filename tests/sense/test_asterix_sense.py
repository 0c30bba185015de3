"""ASTERIX sources: their clocks, turns, places and troubles; real recordings through the adapter."""

import itertools
import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.model import Detection, RangeBearing
from vedette.sense.asterix import MOST_SOURCES, AsterixAdapter, Heard, SourceId
from vedette.sense.asterix_source import HOLD_S, MOST_REMEMBERED, TROUBLES
from vedette.wire.asterix import (
    DirectionReport,
    IncsReport,
    Message,
    RadarService,
    RadarTarget,
    SystemTrack,
    UasIdentification,
    decode,
)
from vedette.wire.capture import read_records
from vedette.wire.udp import udp_datagram

MIDNIGHT = 20_000 * 86_400.0
NOON = MIDNIGHT + 43_200.0
RADAR = SourceId(1, 2)


def plot(tod: float | None, **fields: Any) -> RadarTarget:
    usual: dict[str, Any] = {"sac": 1, "sic": 2, "plot_type": 1, "range_m": 3000.0, "azimuth_deg": 45.0}
    return RadarTarget(**usual | {"time_of_day_s": tod} | fields)


def north(tod: float | None, **fields: Any) -> RadarService:
    return RadarService(**{"sac": 1, "sic": 2, "message_type": 1, "time_of_day_s": tod} | fields)


def sector(tod: float, azimuth_deg: float) -> RadarService:
    return north(tod, message_type=2, sector_azimuth_deg=azimuth_deg)


def feed(adapter: AsterixAdapter, *said: tuple[float, Message]) -> list[Heard]:
    """Messages received at those seconds after noon."""
    return [heard for after_s, message in said for heard in adapter.take([message], NOON + after_s)]


def detections(heard: list[Heard]) -> list[Detection]:
    return [one.detection for one in heard if one.detection is not None]


def tod(after_noon_s: float) -> float:
    return 43_200.0 + after_noon_s


def test_each_source_is_a_sensor_of_its_own() -> None:
    adapter = AsterixAdapter("site")
    heard = feed(adapter, (1.0, plot(tod(0.5))), (1.0, plot(tod(0.5), sac=25, sic=201)))
    assert [one.sensor for one in detections(heard)] == ["site-001-002", "site-025-201"]
    assert [one.source.part for one in heard] == ["001-002", "025-201"]


def test_a_finder_of_a_system_is_a_sensor_within_the_source() -> None:
    report = DirectionReport(sac=1, sic=2, message_type=5, azimuth_deg=10.0, sensor=7, time_of_day_s=tod(0.0))
    (found,) = detections(feed(AsterixAdapter("rdf"), (0.1, report)))
    assert found.sensor == "rdf-001-002-007"


def test_a_detection_has_the_time_of_the_radar_and_is_never_authenticated() -> None:
    (found,) = detections(feed(AsterixAdapter("r"), (1.5, plot(tod(0.5), address=0x3C660C))))
    assert (found.time, found.received) == (NOON + 0.5, NOON + 1.5)
    assert found.sigma is None
    assert found.integrity is not None
    assert found.integrity.authenticated is False
    assert found.claim is not None
    assert found.signal is not None
    assert found.signal.transport == "asterix"


def test_midnight_lies_between_two_plots() -> None:
    adapter = AsterixAdapter("r")
    late = adapter.take([plot(86_399.5)], MIDNIGHT + 0.5)
    early = adapter.take([plot(0.25)], MIDNIGHT + 1.0)
    assert [one.time for one in detections([*late, *early])] == [MIDNIGHT - 0.5, MIDNIGHT + 0.25]


def test_a_radar_on_local_time_is_put_right_and_its_plots_are_wider() -> None:
    adapter = AsterixAdapter("r")
    said = [(second, plot(tod(7200.0 + second - 0.5))) for second in range(10)]
    heard = feed(adapter, *((float(at), message) for at, message in said))
    assert adapter.sources[RADAR].clock.behind_s == pytest.approx(-7199.5)
    assert heard[-1].sent == NOON + 7208.5
    for found in detections(heard):
        assert found.received is not None
        assert found.received - 1.5 <= found.time <= found.received
        assert found.sigma is not None
        assert found.sigma.range_m is not None
        assert found.sigma.range_m >= 100.0
        assert found.sigma.azimuth_deg is not None
        assert found.sigma.azimuth_deg >= 1.5
    assert adapter.counts["clock-off"] == 10


def test_a_clock_half_a_day_off_does_not_jump_from_one_day_to_the_other() -> None:
    """Twelve hours ahead is twelve hours behind: whichever it is first, it stays."""
    adapter = AsterixAdapter("r")
    said = [(float(n), plot(tod(43_200.0 + n + (0.4 if n % 2 else -0.4)) % 86_400.0)) for n in range(20)]
    heard = feed(adapter, *said)
    sent = [one.sent for one in heard if one.sent is not None]
    assert len(sent) == 20
    steps = [after - before for before, after in itertools.pairwise(sent[3:])]
    assert max(map(abs, steps)) < 3.0


@pytest.mark.parametrize("off_s", [-43_200.0, 43_200.0, 43_199.9, 7200.0, -3.0])
def test_a_clock_that_is_put_right_is_right(off_s: float) -> None:
    """From half a day off it is as near to a whole day off as to none."""
    adapter = AsterixAdapter("r")
    said = [
        (second, plot(tod(second - 0.3 + (off_s if second < 30 else 0.0)) % 86_400.0))
        for second in range(100)
    ]
    heard = feed(adapter, *((float(at), message) for at, message in said))
    assert adapter.sources[RADAR].clock.behind_s == pytest.approx(0.3, abs=0.01)
    assert heard[-1].sent == pytest.approx(NOON + 98.7, abs=0.01)


def test_a_single_late_plot_stays_late() -> None:
    """A radar with a good clock may repeat old news: that is no reason to believe it new."""
    adapter = AsterixAdapter("r")
    feed(adapter, *((float(n), plot(tod(n - 0.5))) for n in range(5)))
    (found,) = detections(feed(adapter, (25.0, plot(tod(4.7)))))
    assert found.received is not None
    assert found.received - found.time > 15.0


def test_a_plot_without_a_time_is_one_of_its_reception_and_doubtful() -> None:
    adapter = AsterixAdapter("r")
    (found,) = detections(feed(adapter, (1.0, plot(None))))
    assert found.time == NOON + 1.0
    assert found.sigma is not None
    assert adapter.counts["no-time"] == 1


@pytest.mark.parametrize(
    ("message", "keys"),
    [
        (plot(None), {"range_m", "azimuth_deg"}),
        (SystemTrack(sac=1, sic=2, track_number=1, lat_deg=47.0, lon_deg=8.0), {"horizontal_m"}),
        (DirectionReport(sac=1, sic=2, message_type=5, azimuth_deg=9.0), {"azimuth_deg"}),
    ],
)
def test_doubt_about_the_time_widens_what_was_measured(message: Message, keys: set[str]) -> None:
    (found,) = detections(feed(AsterixAdapter("r"), (1.0, message)))
    assert found.sigma is not None
    stated = msgspec.structs.asdict(found.sigma)
    assert {name for name, value in stated.items() if value is not None} == keys


def test_doubt_is_added_to_what_was_stated_and_grows_with_speed() -> None:
    slow, fast = (
        SystemTrack(
            sac=1,
            sic=2,
            track_number=1,
            lat_deg=47.0,
            lon_deg=8.0,
            sigma_x_m=40.0,
            sigma_y_m=40.0,
            east_mps=speed,
            north_mps=0.0,
        )
        for speed in (10.0, 50.0)
    )
    one, other = detections(feed(AsterixAdapter("r"), (1.0, slow), (2.0, fast)))
    assert one.sigma is not None
    assert other.sigma is not None
    assert one.sigma.horizontal_m == pytest.approx(math.hypot(40.0, 10.0))
    assert other.sigma.horizontal_m == pytest.approx(math.hypot(40.0, 50.0))


def test_scans_are_counted_from_north_to_north() -> None:
    adapter = AsterixAdapter("r")
    heard = feed(
        adapter,
        (0.0, plot(tod(-0.5))),
        (1.0, north(tod(1.0), rotation_period_s=2.0)),
        (1.5, plot(tod(1.2))),
        (3.0, north(tod(3.0))),
        (3.5, plot(tod(3.2))),
        (3.6, plot(tod(2.9), azimuth_deg=359.0)),
        (5.0, north(tod(5.0))),
        (5.5, plot(tod(5.2))),
    )
    before, first, second, late, third = (found.scan for found in detections(heard))
    assert before is None
    assert isinstance(first, int)
    assert (second, late, third) == (first + 1, first, first + 2)


def test_a_turn_that_begins_with_a_marker_and_a_sector_is_one() -> None:
    adapter = AsterixAdapter("r")
    heard = feed(
        adapter,
        (0.0, sector(tod(0.0), 0.0)),
        (0.1, north(tod(0.05))),
        (0.5, plot(tod(0.4))),
        (4.0, north(tod(4.0))),
        (4.1, sector(tod(4.02), 0.0)),
        (4.6, plot(tod(4.5))),
    )
    first, second = (found.scan for found in detections(heard))
    assert isinstance(first, int)
    assert second == first + 1


def test_other_sectors_begin_no_turn() -> None:
    adapter = AsterixAdapter("r")
    heard = feed(adapter, (0.0, sector(tod(0.0), 45.0)), (0.5, plot(tod(0.4))))
    assert [found.scan for found in detections(heard)] == [None]


def test_the_period_is_measured_where_it_is_not_stated() -> None:
    adapter = AsterixAdapter("r")
    feed(adapter, (0.0, north(tod(0.0))))
    assert adapter.sources[RADAR].due_s is None
    feed(adapter, (4.04, north(tod(4.02))))
    assert adapter.sources[RADAR].period_s == 4.0
    assert adapter.sources[RADAR].due_s == 10.0


def test_a_stated_period_that_cannot_be_is_not_taken() -> None:
    adapter = AsterixAdapter("r")
    feed(adapter, (0.0, north(tod(0.0), rotation_period_s=0.0)))
    assert adapter.sources[RADAR].due_s is None


def placed(tod_s: float, **fields: Any) -> RadarService:
    where: dict[str, Any] = {"lat_deg": 47.0, "lon_deg": 8.0, "height_m": 500.0, "rotation_period_s": 4.0}
    return north(tod(tod_s), **where | fields)


def test_a_radar_that_says_where_it_stands_has_a_profile_once() -> None:
    adapter = AsterixAdapter("r")
    heard = feed(adapter, (0.0, placed(0.0)), (4.0, placed(4.0)), (4.5, plot(tod(4.4))))
    told = [one.profile for one in heard if one.profile is not None]
    assert len(told) == 1
    assert (told[0].id, told[0].type, told[0].period_s) == ("r-001-002", "radar-2d", 4.0)
    assert (told[0].alt_m, told[0].alt_datum) == (500.0, "wgs84-ellipsoid")
    # Nobody has said how far it sees: what it misses is no evidence.
    assert told[0].range_m is None


@pytest.mark.parametrize(
    ("change", "news"),
    [
        ({"lat_deg": 47.000_005}, False),
        ({"lat_deg": 47.000_05}, True),
        ({"lon_deg": 8.000_05}, True),
        ({"height_m": 500.9}, False),
        ({"height_m": 502.0}, True),
        ({"rotation_period_s": 5.0}, True),
    ],
)
def test_only_what_has_changed_is_told_again(change: dict[str, float], news: bool) -> None:
    adapter = AsterixAdapter("r")
    heard = feed(adapter, (0.0, placed(0.0)), (4.0, placed(4.0, **change)))
    assert (heard[-1].profile is not None) is news


def test_a_radar_that_crawls_away_is_told_each_metre() -> None:
    adapter = AsterixAdapter("r")
    steps = [(4.0 * n, placed(4.0 * n, lat_deg=47.0 + n * 0.000_005)) for n in range(21)]
    told = [one.profile for one in feed(adapter, *steps) if one.profile is not None]
    # Twenty steps of 0.56 m: every second one is more than a metre from what was told.
    assert len(told) == 11


def test_elevations_make_a_3d_radar() -> None:
    adapter = AsterixAdapter("r", geoid_m=50.0)
    heard = feed(
        adapter,
        (0.0, placed(0.0)),
        (1.0, plot(tod(0.9), height_msl_m=700.0)),
        (2.0, plot(tod(1.9), height_msl_m=710.0)),
    )
    assert [one.profile.type for one in heard if one.profile is not None] == ["radar-2d", "radar-3d"]
    for found in detections(heard):
        assert isinstance(found.measure, RangeBearing)
        assert found.measure.elevation_deg == pytest.approx(4.8, abs=0.2)


def test_a_radar_that_is_not_operational_is_not_used_until_it_is() -> None:
    adapter = AsterixAdapter("r")
    heard = feed(
        adapter,
        (0.0, north(tod(0.0), not_operational=True)),
        (1.0, plot(tod(0.9))),
        (2.0, north(tod(2.0))),
        (3.0, plot(tod(2.9))),
        (4.0, north(tod(4.0), not_operational=False)),
        (5.0, plot(tod(4.9))),
    )
    assert len(detections(heard)) == 1
    assert adapter.counts["not-operational"] == 2


def test_one_word_against_a_radar_does_not_silence_it_for_good() -> None:
    adapter = AsterixAdapter("r")
    feed(adapter, (0.0, north(tod(0.0), not_operational=True)))
    assert adapter.sources[RADAR].troubles(NOON + 1.0) == {"not-operational": TROUBLES["not-operational"]}
    assert adapter.sources[RADAR].troubles(NOON + HOLD_S + 0.1) == {}
    after = feed(adapter, (HOLD_S + 1.0, plot(tod(HOLD_S + 0.5))))
    assert len(detections(after)) == 1


@pytest.mark.parametrize(
    ("said", "slug"),
    [
        ({"overloaded": True}, "overloaded"),
        ({"time_source_invalid": True}, "time-source"),
        ({"message_type": 4}, "jammed"),
    ],
)
def test_what_a_radar_says_against_itself_is_told(said: dict[str, Any], slug: str) -> None:
    adapter = AsterixAdapter("r")
    feed(adapter, (0.0, north(tod(0.0), **said)))
    assert adapter.sources[RADAR].troubles(NOON) == {slug: TROUBLES[slug]}


def test_what_comes_twice_is_one_detection_and_two_signs_of_life() -> None:
    adapter = AsterixAdapter("r")
    heard = feed(
        adapter, (0.5, plot(tod(0.4))), (0.5, plot(tod(0.4))), (0.6, plot(tod(0.4), azimuth_deg=46.0))
    )
    assert (len(heard), len(detections(heard)), adapter.counts["duplicate"]) == (3, 2, 1)


def test_without_a_time_nobody_knows_whether_it_comes_twice() -> None:
    heard = feed(AsterixAdapter("r"), (0.5, plot(None)), (0.6, plot(None)))
    assert len(detections(heard)) == 2


def test_what_is_remembered_is_bounded() -> None:
    adapter = AsterixAdapter("r")
    for number in range(MOST_REMEMBERED + 1):
        feed(adapter, (0.5, plot(tod(0.4), track_number=number)))
    assert len(detections(feed(adapter, (0.5, plot(tod(0.4), track_number=0))))) == 1
    assert feed(adapter, (0.5, plot(tod(0.4), track_number=MOST_REMEMBERED)))[0].detection is None


def test_only_the_sources_that_are_named_are_heard() -> None:
    adapter = AsterixAdapter("r", sources=(RADAR,))
    heard = feed(adapter, (0.5, plot(tod(0.4))), (0.5, plot(tod(0.4), sic=3)))
    assert [one.source for one in heard] == [RADAR]
    assert adapter.counts["other-source"] == 1
    assert list(adapter.sources) == [RADAR]


def test_whoever_invents_sources_gets_only_so_many() -> None:
    adapter = AsterixAdapter("r")
    for sic in range(200):
        feed(adapter, (0.5, plot(tod(0.4), sic=sic)))
    assert len(adapter.sources) == MOST_SOURCES
    assert adapter.counts["too-many-sources"] == 200 - MOST_SOURCES
    assert len(detections(feed(adapter, (0.6, plot(tod(0.5), sic=0))))) == 1


def test_the_words_say_where_a_place_is_missing() -> None:
    adapter = AsterixAdapter("r")
    feed(adapter, (0.5, plot(tod(0.4))))
    assert adapter.sources[RADAR].words() == (
        "CAT048, does not say where it stands: the configuration must, as sensor r-001-002"
    )
    feed(adapter, (1.0, placed(1.0)))
    assert adapter.sources[RADAR].words() == (
        "CAT034 and CAT048, one turn in 4.0 s, stands at 47.0000 8.0000"
    )


def test_a_tracker_needs_no_place() -> None:
    adapter = AsterixAdapter("r")
    feed(adapter, (0.5, SystemTrack(sac=1, sic=2, track_number=1, lat_deg=47.0, lon_deg=8.0)))
    assert adapter.sources[RADAR].words() == "CAT062"


times = st.none() | st.floats(0.0, 86_399.9)


azimuths, latitudes, longitudes = st.floats(0.0, 359.99), st.floats(-90.0, 90.0), st.floats(-180.0, 180.0)
flags, speeds, metres = st.booleans(), st.floats(-3000.0, 3000.0), st.floats(0.0, 900_000.0)
MESSAGES = st.one_of(
    st.builds(
        RadarTarget,
        sac=st.integers(0, 3),
        sic=st.integers(0, 15),
        time_of_day_s=times,
        plot_type=st.integers(0, 7),
        range_m=st.none() | metres,
        azimuth_deg=st.none() | azimuths,
        height_msl_m=st.none() | st.floats(-450.0, 45_000.0),
        ghost=st.none() | flags,
        address=st.none() | st.integers(0, 0xFFFFFF),
        conditions=st.none() | st.tuples(st.integers(0, 127)),
    ),
    st.builds(
        RadarService,
        sac=st.integers(0, 3),
        sic=st.integers(0, 15),
        time_of_day_s=times,
        message_type=st.integers(1, 7),
        sector_azimuth_deg=st.none() | azimuths,
        rotation_period_s=st.none() | st.floats(0.0, 511.0),
        not_operational=st.none() | flags,
        lat_deg=st.none() | latitudes,
        lon_deg=st.none() | longitudes,
        height_m=st.none() | st.floats(-450.0, 45_000.0),
    ),
    st.builds(
        SystemTrack,
        sac=st.integers(0, 3),
        sic=st.integers(0, 15),
        time_of_day_s=times,
        track_number=st.integers(0, 9),
        lat_deg=st.none() | latitudes,
        lon_deg=st.none() | longitudes,
        east_mps=st.none() | speeds,
        north_mps=st.none() | speeds,
        climb_mps=st.none() | speeds,
        sigma_x_m=st.none() | metres,
        sigma_y_m=st.none() | metres,
    ),
    st.builds(
        IncsReport,
        sac=st.integers(0, 3),
        sic=st.integers(0, 15),
        time_of_day_s=times,
        message_type=st.integers(1, 5),
        arrangement=st.none() | st.integers(0, 3),
        range_m=st.none() | metres,
        azimuth_deg=st.none() | azimuths,
        elevation_deg=st.none() | st.floats(-90.0, 90.0),
        sigma_range_m=st.none() | metres,
    ),
    st.builds(
        DirectionReport,
        sac=st.integers(0, 3),
        sic=st.integers(0, 15),
        time_of_day_s=times,
        message_type=st.integers(1, 5),
        azimuth_deg=st.none() | azimuths,
        system_azimuth_deg=st.none() | azimuths,
        sensor=st.none() | st.integers(0, 255),
        channel=st.none() | st.text("0123456789.AB ", max_size=7),
    ),
    st.builds(
        UasIdentification,
        sac=st.integers(0, 3),
        sic=st.integers(0, 15),
        time_of_day_s=times,
        lat_deg=st.none() | latitudes,
        lon_deg=st.none() | longitudes,
        serial=st.none() | st.binary(min_size=12, max_size=12),
        accuracy_m=st.none() | st.floats(1.0, 65_535.0),
    ),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(MESSAGES, st.floats(0.0, 5.0)), max_size=40), st.booleans())
def test_whatever_comes_each_message_has_one_fate_and_each_detection_keeps_the_contract(
    said: list[tuple[Message, float]], read_uas: bool
) -> None:
    adapter = AsterixAdapter("r", uas=read_uas, doppler=1, geoid_m=48.0)
    at, found = NOON, 0
    for message, pause_s in said:
        at += pause_s
        for one in adapter.take([message], at):
            if one.detection is not None:
                found += 1
                # Back from its JSON form: limits, types and finite numbers are checked there.
                line = msgspec.json.encode(one.detection)
                assert msgspec.json.decode(line, type=Detection) == one.detection
                assert one.detection.received == at
                assert abs(one.detection.time - at) <= 86_400.0
                assert one.detection.sensor.startswith(f"r-{message.sac:03d}-{message.sic:03d}")
            if one.profile is not None:
                assert msgspec.convert(msgspec.to_builtins(one.profile), type(one.profile)) == one.profile
    notes = {"clock-off", "no-time"}
    fates = {
        reason: count
        for reason, count in adapter.counts.items()
        if reason not in notes and not (reason.startswith("cat") and len(reason) == 6)
    }
    assert sum(fates.values()) == len(said)
    assert adapter.counts["detections"] == found
    assert len(adapter.sources) <= MOST_SOURCES


def recording(field_data: Path, name: str) -> list[tuple[float, bytes]]:
    records = read_records(field_data / "protocols" / "asterix" / name)
    return [(record.time, udp_datagram(record.data, record.link_type).payload) for record in records]


@pytest.mark.field
def test_the_recording_of_2016_message_by_message(field_data: Path) -> None:
    adapter, heard = AsterixAdapter("r"), []
    for received, payload in recording(field_data, "cat_034_048.pcap"):
        heard += adapter.take(decode(payload).messages, received)
    assert adapter.counts == {
        "cat048": 128,
        "cat034": 34,
        # Both networks of the site were recorded: each datagram is there twice, but for the edges.
        "duplicate": 81,
        "detections": 63,
        "service": 17,
        "no-detection": 1,
    }
    assert len(heard) == 162
    assert {one.source for one in heard} == {(25, sic) for sic in (11, 12, 13, 14, 201, 204, 205)}
    found = detections(heard)
    assert len(found) == 63
    assert all(one.claim is not None and one.claim.scheme == "icao" for one in found[:1])
    assert (found[0].sensor, found[0].claim.id if found[0].claim else None) == ("r-025-201", "3c660c")
    profiles = [one.profile for one in heard if one.profile is not None]
    assert [(profile.id, profile.period_s) for profile in profiles] == [("r-025-012", 4.9453125)]
    assert (round(profiles[0].lat_deg, 4), round(profiles[0].lon_deg, 4)) == (43.5710, 16.4061)


@pytest.mark.field
def test_the_radars_of_2016_had_good_clocks(field_data: Path) -> None:
    adapter = AsterixAdapter("r")
    late = []
    for received, payload in recording(field_data, "cat_034_048.pcap"):
        late += [
            one.time < received - 4.0 for one in detections(adapter.take(decode(payload).messages, received))
        ]
    behind = [source.clock.behind_s for source in adapter.sources.values()]
    assert all(value is not None and 0.0 <= value < 0.6 for value in behind)
    # The one report that is 20 s old is of a coasted track, and no detection.
    assert late == [False] * 63


@pytest.mark.field
@pytest.mark.parametrize("name", ["asterix.pcap", "cat_001_002.pcap"])
def test_recordings_that_are_refused_give_nothing(field_data: Path, name: str) -> None:
    adapter = AsterixAdapter("r")
    for received, payload in recording(field_data, name):
        assert adapter.take(decode(payload).messages, received) == []
    assert adapter.counts == {}
    assert adapter.sources == {}
