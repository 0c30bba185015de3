"""What must hold of the tracker whatever comes: order inside a batch, arrival inside the window, snapshots
and replays change nothing; no finite input makes a number that is none, or a covariance that is none.

The traffic mixes all kinds of sensors and reports. `make nightly` runs many more examples of each
(VEDETTE_PROPERTY_FACTOR), of flights as long as here, and thousands of short ones (VEDETTE_PROPERTY_SECONDS).
"""

import math
import os
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import structs

from vedette.fuse import FuseSettings, Tracker
from vedette.fuse.kernels import polar
from vedette.fuse.packing import picture_bytes
from vedette.model import (
    Bearing,
    Claim,
    Detection,
    EmptyScan,
    Frame,
    Integrity,
    Position,
    Presence,
    RangeBearing,
    SensorProfile,
    Sigma,
    Signal,
    Site,
)

FACTOR = int(os.environ.get("VEDETTE_PROPERTY_FACTOR", "1"))
SECONDS = float(os.environ.get("VEDETTE_PROPERTY_SECONDS", "5"))
"""How long the traffic is. What comes late is computed again from its time: an example costs the square."""
START = 1_700_000_000.0
PLACE = {"lat_deg": 40.4, "lon_deg": -3.7, "alt_m": 652.0, "alt_datum": "wgs84-ellipsoid"}
APART = {"lat_deg": 40.41, "lon_deg": -3.72, "alt_m": 660.0, "alt_datum": "wgs84-ellipsoid"}
SENSORS = (
    SensorProfile(
        id="radar", type="radar-3d", **PLACE, period_s=1.0, detection_probability=0.9, clutter_per_scan=3.0,
        range_m=(50.0, 6000.0),
    ),
    SensorProfile(
        id="flat", type="radar-2d", **APART, period_s=2.0, detection_probability=0.8, range_m=(50.0, 8000.0),
        azimuth_deg=(300.0, 120.0),
    ),
    SensorProfile(
        id="eye", type="camera", **PLACE, period_s=0.5, detection_probability=0.7, range_m=(1.0, 3000.0)
    ),
    SensorProfile(id="df-1", type="direction-finder", **PLACE, period_s=1.0, detection_probability=0.9),
    SensorProfile(id="df-2", type="direction-finder", **APART, period_s=0.5, detection_probability=0.8),
    SensorProfile(id="ear", type="acoustic-array", **APART, period_s=1.0, detection_probability=0.6),
    SensorProfile(id="rid", type="report", **PLACE, period_s=1.0, detection_probability=0.9),
)  # fmt: skip
NAMES = ("radar", "flat", "eye", "df-1", "df-2", "ear", "rid", "adsb", "nobody")
SCHEMES = ("remote-id-serial", "remote-id-session", "caa-registration", "dji-serial", "icao", "mavlink")
CLASSES = ("multirotor", "fpv", "fixed-wing", "bird", "aircraft", "unknown")


def examples(number: int) -> settings:
    return settings(deadline=None, max_examples=number * FACTOR, suppress_health_check=[HealthCheck.too_slow])


def maker(*sensors: SensorProfile) -> Tracker:
    site = Site(
        name="post", lat_deg=40.4, lon_deg=-3.7, alt_m=650.0, alt_datum="wgs84-ellipsoid", geoid_height_m=52.0
    )
    return Tracker(site, sensors or SENSORS)


def again(tracker: Tracker) -> Tracker:
    """The tracker from its own state."""
    return Tracker.restore(tracker._intake._plotter._site, SENSORS, FuseSettings(), tracker.state())


# --- traffic that could be: some bodies seen and heard by everything, and clutter


def sights(rng: random.Random, t: float, body: int) -> list[Detection]:
    """What the sensors make of one body at one time; each of them now and then."""
    e, n, u = 400.0 * body - 900.0 + 20.0 * t, 700.0 + 15.0 * body * t, 60.0 + 20.0 * body
    lat, lon = 40.4 + n / 111_000.0, -3.7 + e / 84_700.0
    azimuth, far = math.degrees(math.atan2(e, n)), math.hypot(e, n, u)
    up = math.degrees(math.atan2(u, math.hypot(e, n)))
    g, time, scan = rng.gauss, START + t, int(t)
    measures = {
        "radar": RangeBearing(
            range_m=far + g(0, 5), azimuth_deg=azimuth + g(0, 0.5), elevation_deg=up + g(0, 1),
            range_rate_mps=g(0, 10),
        ),
        "flat": RangeBearing(range_m=far + g(0, 15), azimuth_deg=azimuth + g(0, 1)),
        "eye": Position(lat_deg=lat, lon_deg=lon, alt_m=650.0 + u, alt_datum="wgs84-ellipsoid"),
        "df-1": Bearing(azimuth_deg=azimuth + g(0, 2)),
        "df-2": Bearing(azimuth_deg=azimuth + g(0, 1)),
        "ear": Bearing(azimuth_deg=azimuth + g(0, 3), elevation_deg=up + g(0, 3)),
        "rid": Position(
            lat_deg=lat + g(0, 1e-5), lon_deg=lon, alt_m=598.0 + u, alt_datum="egm96",
            velocity_mps=(20.0, 15.0 * body, 0.0),
        ),
        "adsb": Position(lat_deg=lat, lon_deg=lon, alt_m=598.0 + u, alt_datum="barometric"),
        "nobody": Position(lat_deg=lat, lon_deg=lon),
    }  # fmt: skip
    out = []
    for sensor, measure in measures.items():
        if rng.random() < 0.5:
            scheme = {"rid": "remote-id-serial", "adsb": "icao"}.get(sensor)
            claimed = scheme is not None and rng.random() < 0.9
            out.append(
                Detection(
                    time=time, sensor=sensor, measure=measure,
                    scan=scan if sensor in ("radar", "flat") and rng.random() < 0.8 else None,
                    claim=Claim(scheme=scheme, id=f"D{body}") if claimed and scheme else None,
                    beliefs={"multirotor": 0.6, "bird": 0.2} if rng.random() < 0.2 else None,
                    signal=Signal(transport="1090es") if sensor == "adsb" else None,
                )
            )  # fmt: skip
    return out


def traffic(seed: int, seconds: float = SECONDS) -> list[Detection]:
    """Bodies, clutter, empty scans and presences, in order of their time."""
    rng = random.Random(seed)
    out: list[Detection] = []
    for step in range(int(seconds * 4)):
        t = 0.25 * step
        for body in range(3):
            out += sights(rng, t, body)
        if step % 4 == 0:
            clutter = RangeBearing(range_m=rng.uniform(60, 5000), azimuth_deg=rng.uniform(-180, 360))
            out.append(Detection(time=START + t, sensor="radar", measure=clutter, scan=int(t)))
            out.append(Detection(time=START + t, sensor="df-1", measure=Bearing(azimuth_deg=t)))
            out.append(Detection(time=START + t + 0.1, sensor="flat", measure=EmptyScan()))
            out.append(Detection(time=START + t, sensor="ear", measure=Presence(range_m=300.0)))
    return sorted(out, key=lambda one: one.time)


def batches(detections: list[Detection], rng: random.Random, most_late_s: float) -> list:
    """(at, batch) by arrival: each detection with a delay of its own, 100 ms together, in any order."""
    slots: dict[int, list[Detection]] = {}
    for one in detections:
        slots.setdefault(math.ceil((one.time + rng.uniform(0.0, most_late_s)) * 10), []).append(one)
    for batch in slots.values():
        rng.shuffle(batch)
    return [(number / 10, batch) for number, batch in sorted(slots.items())]


def run(tracker: Tracker, arrivals: list) -> list[tuple[list[str], Frame]]:
    return [(tracker.add(batch, at), tracker.frame(at)) for at, batch in arrivals]


@given(seed=st.integers(0, 10_000), late=st.sampled_from([0.0, 0.6, 4.0]))
@examples(5)
def test_the_order_inside_a_batch_changes_nothing(seed: int, late: float) -> None:
    rng = random.Random(seed)
    arrivals = batches(traffic(seed), rng, late)
    one, two = maker(), maker()
    permuted = [(at, rng.sample(batch, len(batch))) for at, batch in arrivals]
    assert run(one, arrivals) == run(two, permuted)
    assert one.state() == two.state()
    assert one.settled(START + 14.0) == two.settled(START + 14.0)
    assert one.counts == two.counts


@given(seed=st.integers(0, 10_000), late=st.sampled_from([0.3, 3.0]), cuts=st.sets(st.integers(0, 60)))
@example(seed=1, late=0.3, cuts=set(range(60)))
@examples(4)
def test_a_run_split_at_any_snapshots_is_the_same_run(seed: int, late: float, cuts: set[int]) -> None:
    arrivals = batches(traffic(seed), random.Random(seed), late)
    whole, parts = maker(), maker()
    for number, (at, batch) in enumerate(arrivals):
        if number in cuts:
            parts = again(parts)
        assert whole.add(batch, at) == parts.add(batch, at)
        assert whole.frame(at) == parts.frame(at)
        assert whole.settled(at) == parts.settled(at)
    assert whole.state() == parts.state()
    assert whole.counts == parts.counts


@given(seed=st.integers(0, 10_000))
@examples(4)
def test_a_replay_and_repeated_words_change_nothing(seed: int) -> None:
    detections = traffic(seed)
    arrivals = batches(detections, random.Random(seed), 1.0)
    one, two = maker(), maker()
    assert run(one, arrivals) == run(two, arrivals)
    end = START + 6.5
    one.advance(end)
    before = one.frame(end), one.settled(end)
    again_said = random.Random(seed).sample(detections, int(12 * SECONDS))
    one.add(again_said, end)
    assert one.counts["repeated"] >= 0.6 * len(again_said)
    assert (one.frame(end), one.settled(end)) == before


@given(seed=st.integers(0, 10_000), late=st.sampled_from([0.5, 2.0, 7.8]))
@examples(4)
def test_every_arrival_order_inside_the_window_settles_on_the_same_bytes(seed: int, late: float) -> None:
    detections = traffic(seed)
    in_time, any_time = maker(), maker()
    ordered = settled_each_second(in_time, batches(detections, random.Random(0), 0.0))
    assert ordered == settled_each_second(any_time, batches(detections, random.Random(seed), late))
    assert len(dict.fromkeys(ordered)) > min(SECONDS - 1.0, 4.0)
    assert heads(in_time) == heads(any_time)


def heads(tracker: Tracker) -> list[bytes]:
    return [picture_bytes(timeline.head) for timeline in (tracker._bodies, tracker._aircraft)]


def settled_each_second(tracker: Tracker, arrivals: list) -> list[bytes]:
    waiting, out = list(arrivals), []
    for second in range(16):
        while waiting and waiting[0][0] <= START + second:
            at, batch = waiting.pop(0)
            tracker.add(batch, at)
        out.append(tracker.settled(START + second)[1])
    return out


# --- any finite input that a detection may hold

FINITE = st.floats(allow_nan=False, allow_infinity=False)
ODD = st.sampled_from(
    [0.0, -0.0, 5e-324, -5e-324, 1e-300, 1e-12, 1e-3, 1.0, 89.999999, 1e3, 1e7, 1e15, 1e150,
     1e300, 1.7e308, -1e308]
)  # fmt: skip
POSITIVE = st.one_of(
    st.floats(0.1, 1e4), st.floats(min_value=5e-324, allow_infinity=False), ODD.map(abs)
).filter(lambda value: value > 0.0)  # fmt: skip
ANY = st.one_of(st.floats(-1e4, 1e4), FINITE, ODD)


def within(low: float, high: float) -> st.SearchStrategy[float]:
    return st.one_of(st.floats(low, high), st.sampled_from([low, high, 0.0, -0.0, 5e-324]))


def near_or_far(near: tuple[float, float], far: tuple[float, float]) -> st.SearchStrategy[float]:
    """Mostly where sensors meet, now and then anywhere."""
    return st.one_of(st.floats(*near), st.floats(*near), within(*far))


LAT, LON = near_or_far((40.38, 40.42), (-90.0, 90.0)), near_or_far((-3.73, -3.68), (-180.0, 180.0))
AZIMUTH, ELEVATION = within(-360.0, 360.0), within(-90.0, 90.0)
DATUM = st.sampled_from([None, "wgs84-ellipsoid", "egm96", "agl", "takeoff", "barometric"])
MEASURES = st.one_of(
    st.builds(
        Position, lat_deg=LAT, lon_deg=LON, alt_m=st.none() | ANY, alt_datum=DATUM,
        velocity_mps=st.none() | st.tuples(ANY, ANY, ANY),
    ),
    st.builds(
        RangeBearing, range_m=POSITIVE, azimuth_deg=AZIMUTH, elevation_deg=st.none() | ELEVATION,
        range_rate_mps=st.none() | ANY,
    ),
    st.builds(Bearing, azimuth_deg=AZIMUTH, elevation_deg=st.none() | ELEVATION),
    st.builds(Presence, range_m=st.none() | POSITIVE),
    st.builds(EmptyScan),
)  # fmt: skip
SIGMA = st.builds(Sigma, **{name: st.none() | POSITIVE for name in Sigma.__struct_fields__})
DETECTIONS = st.builds(
    Detection,
    time=st.one_of(
        st.integers(0, 40).map(lambda q: START + 0.25 * q), st.floats(START - 20, START + 20), FINITE
    ),
    sensor=st.sampled_from(NAMES),
    measure=MEASURES,
    scan=st.none() | st.integers(0, 9) | st.sampled_from(["a", ""]),
    sigma=st.none() | SIGMA,
    claim=st.none()
    | st.builds(
        Claim, scheme=st.sampled_from(SCHEMES), id=st.sampled_from(["A", "B", "", "x\0y", "\U0001f600"]),
        operator_lat_deg=st.none() | LAT, operator_lon_deg=st.none() | LON,
    ),
    beliefs=st.none() | st.dictionaries(st.sampled_from(CLASSES), within(0.0, 1.0)),
    signal=st.none()
    | st.builds(
        Signal, rssi_dbm=st.none() | ANY, frequency_mhz=st.none() | POSITIVE,
        transport=st.sampled_from([None, "1090es", "bt5"]), emitter=st.sampled_from([None, "e1", "e2", ""]),
    ),
    integrity=st.none() | st.builds(Integrity, crc_ok=st.none() | st.booleans()),
)  # fmt: skip


def check_numbers(tracker: Tracker, at: float) -> None:
    """All numbers of a frame are numbers, its covariances are covariances, its probabilities are some."""
    for track in tracker.frame(at).tracks:
        numbers = [*track.enu_m, *track.velocity_mps, *track.covariance, track.existence]
        assert all(map(math.isfinite, numbers)), track
        assert 0.0 <= track.existence <= 1.0
        assert sum(track.beliefs.values()) == pytest.approx(1.0)
        assert all(0.0 <= value <= 1.0 for value in track.beliefs.values())
        full = np.zeros((6, 6))
        full[np.triu_indices(6)] = track.covariance
        check_covariance(full + np.triu(full, 1).T)
    for timeline in (tracker._bodies, tracker._aircraft):
        head, fuser = timeline.head, timeline.fuser
        _, spread, _ = fuser.predicted(head, at)
        for one in (*spread, *head.pm[: head.count].reshape(-1, 6, 6)):
            scale = np.sqrt(np.outer(np.diag(one), np.diag(one)))
            assert (np.abs(one - one.T) <= 1e-9 * scale).all()
            check_covariance(one)
        assert np.isfinite(head.xm[: head.count]).all()
        assert np.allclose(head.mu[: head.count].sum(axis=1), 1.0)
        existence = head.existence[: head.count]
        assert ((existence >= 0.0) & (existence <= 1.0)).all()


def check_covariance(p: np.ndarray) -> None:
    """Positive definite: told by the matrix of correlations, for a position may be known to a micrometre
    and a velocity not at all."""
    assert np.isfinite(p).all(), p
    sigma = np.sqrt(np.diag(p))
    assert (sigma > 0.0).all(), p
    assert np.linalg.eigvalsh(p / np.outer(sigma, sigma))[0] > 0.0, p.tolist()


def test_a_named_plot_of_a_radar_that_tracks_nothing_yet_is_taken() -> None:
    tracker = maker()
    plot = RangeBearing(range_m=900.0, azimuth_deg=10.0)
    claim = Claim(scheme="remote-id-serial", id="A")
    for t in range(4):
        tracker.add([Detection(time=START + t, sensor="radar", measure=plot, claim=claim)], START + t)
    (track,) = tracker.frame(START + 3.0).tracks
    assert track.identity is not None


def test_no_accuracy_is_taken_for_better_than_a_drone_is_large() -> None:
    tracker = maker()
    sigma = Sigma(range_m=1e-300, azimuth_deg=5e-324, elevation_deg=1e-12, range_rate_mps=1e-30)
    plot = RangeBearing(range_m=900.0, azimuth_deg=10.0, elevation_deg=5.0, range_rate_mps=0.0)
    for t in range(4):
        tracker.add([Detection(time=START + t, sensor="radar", measure=plot, sigma=sigma)], START + t)
        check_numbers(tracker, START + t)
    (track,) = tracker.frame(START + 3.0).tracks
    assert track.covariance[0] > 1e-6


@given(
    far=st.sampled_from([0.1, 1.0, 900.0, 2e5]) | st.floats(0.1, 2e5),
    azimuth=st.floats(-math.pi, math.pi),
    elevation=st.none() | st.sampled_from([math.pi / 2, -math.pi / 2, 0.0]) | st.floats(-1.57, 1.57),
    doubt_m=st.sampled_from([0.01, 5.0, 1000.0]),
    doubt=st.sampled_from([1.7e-4, 0.01, 0.8]),
    doubt_up=st.sampled_from([1.7e-4, 0.01, 0.8]),
)
@examples(60)
def test_a_plot_overhead_or_too_near_has_a_covariance_too(
    far: float, azimuth: float, elevation: float | None, doubt_m: float, doubt: float, doubt_up: float
) -> None:
    values = np.array([far, azimuth, elevation or 0.0, 0.0, 0.0, 0.0])
    var = np.array([doubt_m**2, doubt**2, doubt_up**2, 1.0, 1.0, 1.0])
    given_ = np.array([True, True, elevation is not None, False, False, False])
    z, r, use = np.zeros(7), np.zeros((7, 7)), np.zeros(7, np.bool_)
    polar.place(values, var, given_, np.zeros(3), np.eye(3), np.array([80.0, 60.0]), z, r, use)
    assert np.isfinite(z).all()
    check_covariance(r[:3, :3] if elevation is not None else r[:2, :2])


@given(drawn=st.lists(st.lists(DETECTIONS, max_size=6), min_size=1, max_size=12), step=within(0.0, 3.0))
@examples(40)
def test_no_finite_input_makes_a_number_that_is_none(drawn: list, step: float) -> None:
    tracker = maker()
    for number, batch in enumerate(drawn):
        at = START + number * step
        tracker.add(batch, at)
        check_numbers(tracker, at)
    check_numbers(tracker, START + 60.0)
    check_numbers(again(tracker), START + 60.0)


@given(odd=st.lists(DETECTIONS, min_size=1, max_size=25), seed=st.integers(0, 10_000))
@example(
    odd=[
        Detection(time=START, sensor="radar", measure=Position(lat_deg=40.40625, lon_deg=-3.6875)),
        Detection(time=START, sensor="adsb", measure=Position(lat_deg=-90.0, lon_deg=-3.6875)),
        Detection(time=START + 10.0, sensor="radar", measure=Bearing(azimuth_deg=-0.0)),
    ],
    seed=0,
)
@examples(8)
def test_odd_values_among_real_traffic_break_nothing(odd: list[Detection], seed: int) -> None:
    """The same where there are tracks, which odd plots then meet; and odd values keep the same laws."""
    rng = random.Random(seed)
    together = traffic(seed, 0.8 * SECONDS) + odd
    arrivals = batches([one for one in together if START <= one.time <= START + 20.0], rng, 0.5)
    one, two = maker(), maker()
    for at, batch in arrivals:
        assert one.add(batch, at) == two.add(rng.sample(batch, len(batch)), at)
        check_numbers(one, at)
    assert one.state() == again(two).state()


@given(seed=st.integers(0, 10_000), scale=st.sampled_from([1e-9, 1e-3, 1e3, 1e9]))
@examples(4)
def test_stated_accuracies_from_perfect_to_none_keep_covariances(seed: int, scale: float) -> None:
    rng = random.Random(seed)
    tracker = maker()
    for at, batch in batches(traffic(seed), rng, 0.3):
        stated = [_stating(one, scale * rng.uniform(0.5, 2.0)) for one in batch]
        tracker.add(stated, at)
        check_numbers(tracker, at)
    assert SECONDS < 5.0 or tracker.frame(START + SECONDS).tracks


def _stating(one: Detection, sigma: float) -> Detection:
    return structs.replace(one, sigma=Sigma(**dict.fromkeys(Sigma.__struct_fields__, sigma)))
