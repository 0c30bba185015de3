"""Encounters made of other than the simulator's own: an empty sky, real flights, real ground."""

import math
from pathlib import Path

import pytest

from vedette.evaluate.campaign.items import Item
from vedette.evaluate.campaign.real_tracks import FAR_M, LASTS_S, MOST_MPS, flights
from vedette.evaluate.campaign.sources import EMPTY, REAL, RealFlights, RealGround, empty_sky
from vedette.evaluate.campaign.stage import START, TRACKER_FEED, said_in, watched_by
from vedette.evaluate.campaign.work import Worker
from vedette.model import ConfigError, InputError


def test_under_an_empty_sky_nothing_flies() -> None:
    made = empty_sky(2)
    assert not made.scene.hostile
    assert set(made.truth.kinds.values()) <= {"patrol", "vehicle", "post"}
    assert len(made.truth.kinds) == 6
    assert empty_sky(2).scenario == made.scenario
    assert empty_sky(3).scenario != made.scenario


def test_an_empty_sky_is_full_of_clutter() -> None:
    made = empty_sky(1)
    _, heard, reports = said_in(watched_by(made.scenario, "radar-only"))
    assert heard
    assert reports
    assert {one.unit for one in reports} == set(made.truth.kinds)


def test_the_tracker_feed_knows_simulated_encounters_only() -> None:
    with pytest.raises(ConfigError, match="name a mix of sensors"):
        Worker().stage(Item(collection=EMPTY, index=0, mix=TRACKER_FEED))


def test_real_flights_ask_for_their_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--real-tracks"):
        Worker().stage(Item(collection=REAL, index=0))
    with pytest.raises(InputError, match="no recorded flight"):
        flights(tmp_path)


def test_a_file_that_is_no_track_is_named(tmp_path: Path) -> None:
    (tmp_path / "fixedwing_uav").mkdir()
    (tmp_path / "fixedwing_uav" / "x.csv").write_text("timestamp,latitude\n1,2\n")
    with pytest.raises(InputError, match=r"x\.csv: not the recorded track"):
        flights(tmp_path)


def test_the_source_of_items_follows_from_the_files(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    first = Worker(tracks=tmp_path).source
    assert first == Worker(tracks=tmp_path).source
    (tmp_path / "a").write_bytes(b"2")
    assert Worker(tracks=tmp_path).source != first
    assert Worker().source == ""


@pytest.mark.field
def test_real_flights_are_whole_and_as_fast_as_flown(field_data: Path) -> None:
    found = flights(field_data / "tracks")
    sorts = {one.behaviour for one in found}
    assert {"real-small-drone", "real-fpv-race", "real-ambulance", "real-surveillance"} <= sorts
    for one in found:
        assert one.times_s[0] == 0.0
        assert 25.0 <= one.times_s[-1] <= LASTS_S + 1.0
        steps = zip(one.times_s, one.times_s[1:], one.enu_m, one.enu_m[1:], strict=False)
        assert all(b > a and math.dist(p, q) <= MOST_MPS * (b - a) for a, b, p, q in steps)
        if one.approaches:
            assert math.hypot(*one.enu_m[one.first_far][:2]) >= FAR_M


@pytest.mark.field
def test_a_real_flight_ends_over_its_target_or_passes_by(field_data: Path) -> None:
    real = RealFlights(field_data / "tracks")
    over, past = real.encounter(0), real.encounter(len(real.flights))
    assert over.scene.hostile
    assert over.scene.target is not None
    assert over.scene.impact is not None
    there = over.truth.paths["flier"].at(over.scene.impact)
    here = over.truth.paths[over.scene.target].at(over.scene.impact)
    assert there is not None
    assert here is not None
    assert math.hypot(*(there[0] - here[0])[:2]) < 15.0
    began = over.truth.paths["flier"].at(over.scene.t0 + 1.0)
    assert began is not None
    assert math.hypot(*(began[0] - here[0])[:2]) > 100.0
    assert not past.scene.hostile
    assert past.scene.behaviour == "real-small-drone"
    assert real.encounter(0).scenario == over.scenario


@pytest.mark.field
def test_an_encounter_moves_to_real_ground(field_data: Path) -> None:
    tile = field_data / "terrain" / "bigtujunga_srtm30m_utm11.tif"
    ground = RealGround(tile, "egm96")
    made = ground.encounter("grading", 3)
    site = made.scenario.head.site
    assert 34.2 < site.lat_deg < 34.5
    assert 315.0 <= site.alt_m <= 2295.0
    assert made.scene.impact is not None
    assert made.scene.t0 < made.scene.impact <= made.scene.t1 + 1.0
    assert made.scene.t0 > START
    assert ground.encounter("grading", 3).scenario == made.scenario
