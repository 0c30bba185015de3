"""The picture: ellipses, symbols that never call a track a friend, sentences that never promise safety."""

import json
import math
import re
import subprocess
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from station_build import SITE, START, Recorder

from vedette.geo import LocalFrame
from vedette.model import Alert, Event, RosterEntry, Threat, Track, UnitReport
from vedette.model.track import Identity, Wedge
from vedette.station import picture
from vedette.station.view import FeedView

FRAME = LocalFrame(SITE.lat_deg, SITE.lon_deg, SITE.alt_m)
UPPER = [(row, column) for row in range(6) for column in range(row, 6)]
spread = st.floats(min_value=0.1, max_value=1e4)
part = st.floats(min_value=-1.0, max_value=1.0)


def upper(ee: float, en: float, nn: float) -> tuple[float, ...]:
    """The upper triangle of a 6 x 6 covariance with this horizontal block."""
    cells = {(row, row): 1.0 for row in range(6)} | {(0, 0): ee, (0, 1): en, (1, 1): nn}
    return tuple(cells.get(cell, 0.0) for cell in UPPER)


@given(spread, spread, part)
def test_ellipse_is_the_eigen_decomposition(sigma_e: float, sigma_n: float, rho: float) -> None:
    en = rho * sigma_e * sigma_n
    values, vectors = np.linalg.eigh(np.array([[sigma_e**2, en], [en, sigma_n**2]]))
    made = picture.ellipse(upper(sigma_e**2, en, sigma_n**2))
    scale = math.sqrt(values[1])
    assert made.semi_major_m == pytest.approx(scale, rel=1e-9)
    assert made.semi_minor_m == pytest.approx(math.sqrt(max(0.0, values[0])), abs=1e-6 * scale)
    assert made.semi_major_m >= made.semi_minor_m >= 0.0
    assert 0.0 <= made.azimuth_deg < 180.0
    if values[1] - values[0] > 1e-6 * values[1]:
        east, north = vectors[:, 1]
        along = math.radians(made.azimuth_deg)
        assert abs(east * math.sin(along) + north * math.cos(along)) == pytest.approx(1.0, abs=1e-6)


def test_ellipse_axes() -> None:
    assert picture.ellipse(upper(900.0, 0.0, 100.0)).azimuth_deg == pytest.approx(90.0)
    assert picture.ellipse(upper(100.0, 0.0, 900.0)).azimuth_deg == 0.0
    assert picture.ellipse(upper(100.0, 50.0, 100.0)).azimuth_deg == pytest.approx(45.0)
    assert picture.ellipse(upper(100.0, -1e-300, 900.0)).azimuth_deg < 180.0


def track(**changes: object) -> Track:
    fields = {
        "id": "T1", "enu_m": (100.0, 200.0, 50.0), "velocity_mps": (3.0, 4.0, -1.0),
        "covariance": upper(25.0, 0.0, 25.0), "existence": 0.9, "beliefs": {"fpv": 1.0},
        "updated": START - 2.0,
    }  # fmt: skip
    return Track(**{**fields, **changes})


def test_a_track_on_the_map() -> None:
    view = picture.track_view(track(), FRAME, START)
    assert FRAME.to_enu(view.lat_deg, view.lon_deg, view.alt_m) == pytest.approx(
        (100.0, 200.0, 50.0), abs=1e-6
    )
    assert view.course_deg == pytest.approx(math.degrees(math.atan2(3.0, 4.0)))
    assert (view.speed_mps, view.climb_mps, view.age_s, view.height_m) == (5.0, -1.0, 2.0, 50.0)


def test_a_track_says_why_it_is_trusted_or_not() -> None:
    doubted = track(trust="contradicted", trust_reasons=("position-disagrees:400m", "two-places:1200m"))
    assert picture.track_view(doubted, FRAME, START).trust_reasons == doubted.trust_reasons
    assert b"position-disagrees:400m" in msgspec.json.encode(picture.track_view(doubted, FRAME, START))
    assert b"trust_reasons" not in msgspec.json.encode(picture.track_view(track(), FRAME, START))


def wedge(**changes: object) -> Wedge:
    fields = {
        "id": "W1", "sensor": "df-1", "origin_enu_m": (-2500.0, 400.0, 12.0), "azimuth_deg": 45.0,
        "azimuth_sigma_deg": 0.7, "azimuth_rate_dps": -0.2, "azimuth_rate_sigma_dps": 0.1, "existence": 0.97,
        "heard": START - 1.5, "ranges_m": (100.0, 400.0, 1600.0), "weights": (0.1, 0.3, 0.6),
    }  # fmt: skip
    return Wedge(**{**fields, **changes})


def test_a_direction_without_a_place_is_drawn_from_its_sensor_and_has_no_point() -> None:
    view = picture.wedge_view(wedge(), FRAME, START)
    assert FRAME.to_enu(view.lat_deg, view.lon_deg, SITE.alt_m)[:2] == pytest.approx(
        (-2500.0, 400.0), abs=0.1
    )
    assert (view.sensor, view.azimuth_deg, view.azimuth_sigma_deg, view.age_s) == ("df-1", 45.0, 0.7, 1.5)
    assert view.ranges_m == (100.0, 400.0, 1600.0)
    assert view.weights == (0.1, 0.3, 0.6)
    assert view.elevation_deg is None
    assert picture.wedge_view(wedge(elevation_deg=3.0), FRAME, START).elevation_deg == 3.0
    assert picture.wedge_view(wedge(heard=START + 0.4), FRAME, START).age_s == 0.0


def test_a_height_that_nobody_measured_is_absent() -> None:
    view = picture.track_view(track(height_known=False), FRAME, START)
    assert view.alt_m is None
    assert view.height_m is None


@given(st.tuples(*[st.floats(-100.0, 100.0, allow_subnormal=True)] * 3))
def test_course_is_in_the_circle(velocity_mps: tuple[float, float, float]) -> None:
    view = picture.track_view(track(velocity_mps=velocity_mps), FRAME, START)
    assert 0.0 <= view.course_deg < 360.0


@pytest.mark.parametrize("trust", ["verified", "unverified", "contradicted", "ghost", None])
def test_a_track_is_never_a_friend(trust: str | None) -> None:
    claimed = track(trust=trust, identity=Identity(scheme="remote-id-serial", id="POLICE-1"))
    sidc = picture.track_view(claimed, FRAME, START).sidc
    assert re.fullmatch(r"\d{20}", sidc)
    assert sidc[3] not in "236"  # assumed friend, friend, and joker-faker's friendly cousin
    assert sidc[3] == "1"
    assert sidc[4:6] == "01"  # the air symbol set


NODE = """
const { default: ms } = await import(process.argv[1]);
const told = process.argv.slice(2).map((sidc) => {
  const symbol = new ms.Symbol(sidc, { size: 30 });
  return { sidc, valid: symbol.isValid(), affiliation: symbol.getMetadata().affiliation };
});
console.log(JSON.stringify(told));
"""


@pytest.mark.counterpart
def test_symbols_are_what_milsymbol_draws(counterpart) -> None:
    node = counterpart("node")
    module = (
        Path(__file__).resolve().parents[2] / "web" / "node_modules" / "milsymbol" / "dist" / "milsymbol.js"
    )
    if not module.exists():
        pytest.skip("milsymbol is not installed in web/node_modules: 'make web' installs it")
    sidcs = [picture.SIDC_DRONE, *picture.SIDC_UNIT.values()]
    command = [node, "--input-type=module", "-e", NODE, module.as_uri(), *sidcs]
    told = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    assert all(symbol["valid"] for symbol in told), told
    assert [symbol["affiliation"] for symbol in told] == ["Unknown", "Friend", "Friend", "Friend"]


def test_units_heard_and_units_never_heard() -> None:
    report = UnitReport(
        time=START, unit="a", lat_deg=1.0, lon_deg=2.0, sigma_m=5.0, mobility="foot", callsign="Own name"
    )
    roster = (RosterEntry(unit="a", callsign="Bravo"), RosterEntry(unit="b", mobility="vehicle"))
    core = Recorder().engine.core
    core.step(Event(1, START, report))
    heard, silent = picture.unit_views(core.units(START + 3.0), roster)
    assert (heard.unit, heard.callsign, heard.age_s, heard.lat_deg) == ("a", "Bravo", 3.0, 1.0)
    assert (silent.unit, silent.lat_deg, silent.age_s, silent.sigma_m) == ("b", None, None, None)
    assert {view.sidc for view in (heard, silent)} <= set(picture.SIDC_UNIT.values())


def feed(state: str, senses: bool = True) -> FeedView:
    return FeedView(feed="f", state=state, since=START, detections=0, quarantined={}, senses=senses)


STATES = ("connecting", "watching", "degraded", "deaf", "down", "ended")
PROMISES = re.compile(r"\b(clear|safe|safely|secure|confirmed|all well|no threat|no danger)\b", re.IGNORECASE)


@given(
    st.lists(st.sampled_from(STATES), max_size=5),
    st.integers(0, 3),
    st.integers(0, 3),
    st.none() | st.floats(0.0, 4e9),
    st.integers(0, 3),
)
def test_the_summary_never_promises(states, tracks, at_risk, last_seen, directions) -> None:
    words = picture.summary([feed(state) for state in states], tracks, at_risk, last_seen, directions)
    assert ("No drone seen" in words) == (tracks == directions == 0)
    assert ("distance not known" in words) == (directions > 0)
    assert not PROMISES.search(words)
    degraded = states.count("degraded")
    if "watching" in states or degraded:
        but = f", {degraded} of them degraded" if degraded else ""
        count = states.count("watching") + degraded
        assert words.startswith(f"Watching with {count} of {len(states)} drone sensors{but}.")
    else:
        assert words.upper().startswith("NOT WATCHING")


def test_a_tak_server_watches_nothing() -> None:
    words = picture.summary([feed("down"), feed("watching", senses=False)], 0, 0, None)
    assert words.startswith("NOT WATCHING: none of 1 drone sensors gives data.")
    assert picture.summary([feed("watching", senses=False)], 0, 0, None).startswith("NOT WATCHING: no drone")


def test_the_parts_of_a_feed_are_counted_in_its_place() -> None:
    parts = [feed("watching"), feed("watching"), feed("deaf")]
    named = [
        msgspec.structs.replace(one, feed=name) for one, name in zip(parts, ("n", "n/a", "n/b"), strict=True)
    ]
    assert picture.summary(named, 0, 0, None).startswith("Watching with 1 of 2 drone sensors.")


def test_feeds_of_manned_aircraft_watch_no_drones() -> None:
    aircraft = msgspec.structs.replace(feed("watching"), feed="air", kinds=("adsb",))
    assert picture.summary([aircraft], 0, 0, None).startswith("NOT WATCHING: no drone sensor")
    assert picture.summary([aircraft, feed("watching")], 0, 0, None).startswith("Watching with 1 of 1 ")
    both = msgspec.structs.replace(aircraft, kinds=("adsb", "remote-id"))
    assert picture.summary([both], 0, 0, None).startswith("Watching with 1 of 1 ")


def test_a_recording_that_has_ended_is_one_sensor() -> None:
    parts = [msgspec.structs.replace(feed("ended"), feed=name) for name in ("rec", "rec/1", "rec/2")]
    left = [
        msgspec.structs.replace(feed(state), feed=name)
        for state, name in (("watching", "n"), ("ended", "n/a"), ("watching", "n/b"))
    ]
    assert picture.summary([*parts, *left], 0, 0, None).startswith("Watching with 1 of 3 ")


def test_the_summary_says_since_when() -> None:
    assert "No drone seen since the start." in picture.summary([feed("watching")], 0, 0, None)
    assert picture.summary([feed("watching")], 0, 0, 0.0).endswith("No drone seen since 00:00:00 UTC.")
    assert picture.summary([feed("watching")], 1, 0, START).endswith("1 object tracked, nobody warned.")
    assert picture.summary([feed("watching")], 2, 2, START).endswith("2 objects tracked, 2 units at risk.")


def test_the_summary_says_that_something_is_heard_where_nobody_knows_how_far() -> None:
    words = picture.summary([feed("watching")], 0, 0, None, 1)
    assert words.endswith("Heard in 1 direction, distance not known: nobody is warned of that.")
    words = picture.summary([feed("watching")], 1, 1, START, 2)
    assert "1 object tracked, 1 unit at risk. Heard in 2 directions, distance not known" in words


WORST = {"least": "imminent"}


class Alerts:
    """The part of a core that the list of alerts is made from."""

    def __init__(self, *alerts: Alert) -> None:
        self._alerts = alerts

    def alerts(self) -> tuple[Alert, ...]:
        return self._alerts

    def receipts(self, alert: str) -> tuple[()]:
        return ()

    def threats(self) -> tuple[Threat, ...]:
        return (THREAT,)

    def drones(self, alert: str) -> tuple[tuple[str, str], ...]:
        return (("T1", "warning"), ("T2", "advisory"))

    def next_step(self, alert: str) -> float | None:
        return START + 10.0


THREAT = Threat(
    time=START,
    track="T1",
    unit="u",
    risk=0.5,
    level="warning",
    behaviour="closing",
    evidence=(),
    bearing_deg=10.0,
    range_m=90.0,
    closing_mps=5.0,
)


def alert(name: str, **changes: object) -> Alert:
    fields = {
        "time": START, "alert": name, "revision": 1, "level": "warning", "state": "active-unacked",
        "units": ("u",), "track": "T1", "behaviour": "closing", "text": {"en": "x"}, "expires": START + 60.0,
        "bearing_deg": 0.0, "range_m": 100.0,
    }  # fmt: skip
    return Alert(**{**fields, **changes})


def test_alerts_worst_and_soonest_first_then_the_last_closed() -> None:
    closed = [alert(f"closed-{n:02d}", state="cleared", time=START + n) for n in range(14)]
    opened = [
        alert("unknown-time"),
        alert("late", time_to_impact_s=(30.0, 40.0)),
        alert("soon", time_to_impact_s=(5.0, 9.0)),
        alert("worst", level="imminent"),
        alert("least", level="advisory", time_to_impact_s=(1.0, 2.0)),
    ]
    views = picture.alert_views(
        Alerts(*closed, *opened), {"soon"}, {"late": START - 9.0}, {"least": "imminent"}
    )
    names = [view.alert.alert for view in views]
    assert names[:5] == ["worst", "soon", "late", "unknown-time", "least"]
    assert names[5:] == [f"closed-{n:02d}" for n in range(13, 3, -1)]
    assert [view.unlogged for view in views[:3]] == [False, True, False]
    assert views[2].raised == START - 9.0
    assert [view.worst for view in views[:5]] == ["imminent", "warning", "warning", "warning", "imminent"]
    assert all(view.now == THREAT for view in views[:5])
    assert all(view.now is None for view in views[5:])
    assert views[0].raised == START
    assert all(view.drones == (("T1", "warning"), ("T2", "advisory")) for view in views)
    assert all(view.next_step == START + 10.0 for view in views)


def test_an_empty_core_has_an_empty_picture() -> None:
    assert picture.alert_views(Recorder().engine.core, set(), {}, {}) == ()
    assert picture.unit_views((), ()) == ()


@pytest.mark.parametrize(
    ("scheme", "trust", "sidc"),
    [
        ("icao", "unverified", picture.SIDC_AIRCRAFT),
        ("icao", "verified", picture.SIDC_AIRCRAFT),
        ("icao", "contradicted", picture.SIDC_DRONE),
        ("remote-id-serial", "verified", picture.SIDC_DRONE),
    ],
)
def test_what_reports_itself_as_an_aircraft_is_drawn_as_one_and_stays_unknown(scheme, trust, sidc) -> None:
    track = Track(
        id="A",
        enu_m=(0.0, 0.0, 100.0),
        velocity_mps=(80.0, 0.0, 0.0),
        covariance=tuple([1.0] * 21),
        existence=0.9,
        beliefs={"aircraft": 0.9},
        identity=Identity(scheme=scheme, id="3c1a1a"),
        trust=trust,
    )
    frame = LocalFrame(SITE.lat_deg, SITE.lon_deg, SITE.alt_m)
    view = picture.track_view(track, frame, START)
    assert view.sidc == sidc
    assert view.sidc[3] == "1", "nothing broadcast makes a friend"
