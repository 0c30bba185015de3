"""The kernels against plain numpy, and what must hold of features whatever comes in."""

import math
import sys
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from vedette.assess import FEATURES, Assessor, AssessSettings
from vedette.assess.features import NAMES, PLACES
from vedette.assess.kernels import intent
from vedette.assess.settings import Wind
from vedette.geo import LocalFrame
from vedette.model import Frame, Site, Track, UnitReport

sys.path.insert(0, str(Path(__file__).parent))
from reference import PairReference, TrackReference, by_motion, geometry

SITE = Site(name="ridge", lat_deg=31.5, lon_deg=-110.9, alt_m=1200.0, alt_datum="wgs84-ellipsoid")
SETTINGS = AssessSettings()
POSTS = {"alpha": (0.0, 0.0), "bravo": (350.0, -120.0), "charlie": (-900.0, 400.0)}


class Taken:
    """An assessor and the features of its last full assessment, [tracks, units, features]."""

    def __init__(self, settings: AssessSettings | None = None) -> None:
        self.assessor = Assessor(SITE, settings)
        self.assessor.watch = self._take
        self.features = np.zeros(0)

    def _take(self, at, tracks, units, features):
        self.features = features.copy()

    def post(self, name, east, north, time=0.0, mobility="post"):
        frame = LocalFrame(SITE.lat_deg, SITE.lon_deg, SITE.alt_m)
        lat, lon, alt = frame.to_geodetic(east, north, 0.0)
        report = UnitReport(
            time=time, unit=name, lat_deg=lat, lon_deg=lon, alt_m=alt, alt_datum="wgs84-ellipsoid",
            sigma_m=5.0, mobility=mobility,
        )  # fmt: skip
        self.assessor.unit(report, time)

    def see(self, at, *tracks):
        self.assessor.assess(Frame(time=at, tracks=tracks), at)
        return self.features


def triangle(matrix):
    return tuple(float(matrix[r, c]) for r in range(6) for c in range(r, 6))


def body(name, place, velocity, spread, **changes):
    given = {"existence": 0.99, "beliefs": {"fpv": 0.5, "bird": 0.2, "unknown": 0.3}} | changes
    return Track(
        id=name, enu_m=tuple(place), velocity_mps=tuple(velocity), covariance=triangle(spread), **given
    )


def wandering(rng):
    """Places, velocities and covariances of a body that flies about, with the seconds between two looks."""
    place, velocity = rng.normal(0.0, 900.0, 3), rng.normal(0.0, 12.0, 3)
    place[2] = rng.uniform(20.0, 900.0)
    for _ in range(25):
        dt = float(rng.choice([0.07, 0.4, 1.0, 1.0, 3.5]))
        velocity = velocity + rng.normal(0.0, [3.0, 3.0, 0.7])
        place = place + dt * velocity
        root = rng.normal(0.0, 1.0, (6, 6)) * np.array([4.0, 4.0, 4.0, 1.0, 1.0, 1.0])[:, None]
        yield dt, place.copy(), velocity.copy(), root @ root.T + np.diag([1.0, 1.0, 1.0, 0.1, 0.1, 0.1])


def unit_of(state):
    return {
        "place": np.array(state.enu_m),
        "velocity": np.array(state.velocity_mps),
        "var": state.sigma_m**2 + (state.radius_m / 2.0) ** 2,
        "vel_var": state.velocity_sigma_mps**2,
        "reach": 2.0 * state.sigma_m + state.radius_m,
    }


@pytest.mark.parametrize("seed", range(4))
def test_features_are_what_plain_numpy_makes_of_their_meaning(seed):
    rng = np.random.default_rng(seed)
    taken = Taken()
    for name, place in POSTS.items():
        taken.post(name, *place)
    alone_of, pair_of = TrackReference(), {name: PairReference() for name in POSTS}
    at, first = 0.0, True
    for dt, place, velocity, spread in wandering(rng):
        at += dt
        taken.post("bravo", 350.0 + 1.4 * at, -120.0, at, "foot")
        features = taken.see(at, body("T", place, velocity, spread))[0]
        passed = None if first else dt
        alone = alone_of.step(place, velocity, passed)
        turned = by_motion(alone["speed_mps"], velocity[2], alone["turn_dps"], spread)
        for row, state in zip(features, taken.assessor.units(at), strict=True):
            unit = unit_of(state)
            g = geometry(
                place,
                velocity,
                spread,
                unit,
                math.radians(SETTINGS.course_wobble_deg),
                SETTINGS.course_outlier,
            )
            rest = pair_of[state.report.unit].step(g, {**alone, "by_motion": turned}, velocity, unit, passed)
            known = {**alone, **g, **rest}
            for name in known.keys() & PLACES.keys():
                assert row[PLACES[name]] == pytest.approx(known[name], rel=1e-9, abs=1e-9), (name, at)
        first = False


def test_the_reference_knows_nearly_all_features():
    known = {
        "airspeed_mps", "loiters", "stayed_s", "log_fpv", "log_multirotor", "log_fixed_wing", "log_bird",
        "log_aircraft", "existence", "trust", "unseen_s", "earliest_s", "reach_15s", "reach_30s", "reach_60s",
        "reach_120s", "aim_lead_3s", "aim_lead_10s", "aim_lead_30s", "aim_share_3s", "aim_share_10s",
        "others_aim_10s", "watch_other", "watch_lead", "cv_lead", "p50_share", "range_lead", "range_share",
    }  # fmt: skip
    rng = np.random.default_rng(0)
    _, place, velocity, spread = next(wandering(rng))
    unit = {"place": np.zeros(3), "velocity": np.zeros(2), "var": 25.0, "vel_var": 0.0, "reach": 10.0}
    alone = TrackReference().step(place, velocity, None)
    g = geometry(place, velocity, spread, unit, 0.1, 0.1)
    alone["by_motion"] = by_motion(10.0, 0.0, 0.0, spread)
    rest = PairReference().step(g, alone, velocity, unit, None)
    assert set(NAMES) - set(alone) - set(g) - set(rest) == known


def column(features, name):
    return features[0, :, PLACES[name]]


def test_what_compares_the_units_is_what_it_says():
    rng = np.random.default_rng(5)
    taken, at = Taken(), 0.0
    for name, place in POSTS.items():
        taken.post(name, *place)
    for dt, place, velocity, spread in wandering(rng):
        at += dt
        f = taken.see(at, body("T", place, velocity, spread))
    for source, target in (
        ("aim_3s", "aim_lead_3s"),
        ("aim_10s", "aim_lead_10s"),
        ("aim_30s", "aim_lead_30s"),
    ):
        x = column(f, source)
        others = [max(0.0, *np.delete(x, j)) for j in range(3)]
        assert column(f, target) == pytest.approx(x - others, rel=1e-12)
    for source, target in (("aim_3s", "aim_share_3s"), ("aim_10s", "aim_share_10s")):
        x = column(f, source)
        assert column(f, target) == pytest.approx(x - np.log(np.sum(np.exp(x))), rel=1e-9, abs=1e-9)
    x = column(f, "aim_10s")
    assert column(f, "others_aim_10s") == pytest.approx([np.delete(x, j).max() for j in range(3)])
    w = column(f, "watch")
    assert column(f, "watch_lead") == pytest.approx(w - [np.delete(w, j).max() for j in range(3)])
    assert column(f, "watch_other") == pytest.approx([np.delete(w, j).max() for j in range(3)])
    for source, target, more in (
        ("range_m", "range_lead", 0.0),
        ("p50_s", "p50_share", 0.0),
        ("range_cv_60s", "cv_lead", 0.02),
    ):
        x = column(f, source) + more
        least = [np.delete(x, j).min() for j in range(3)]
        assert column(f, target) == pytest.approx(np.log(x / least), abs=1e-12)
    assert column(f, "range_share") == pytest.approx(column(f, "range_m").min() / column(f, "range_m"))


def test_a_unit_alone_has_no_rivals():
    taken = Taken()
    taken.post("alpha", 0.0, 0.0)
    f = taken.see(0.0, body("T", (0.0, 500.0, 60.0), (0.0, -20.0, 0.0), np.eye(6)))
    zeros = ("aim_share_3s", "aim_share_10s", "others_aim_10s", "cv_lead", "p50_share", "range_lead")
    assert [float(column(f, name)[0]) for name in zeros] == [0.0] * 6
    assert column(f, "watch_other") == pytest.approx([-14.0])
    assert column(f, "range_share") == pytest.approx([1.0])


def test_switching_adds_up_whatever_the_steps():
    whole, half = np.empty((9, 9)), np.empty((9, 9))
    for dt in (0.01, 0.3, 1.0, 20.0, 600.0):
        intent.switching(dt, whole)
        intent.switching(dt / 2.0, half)
        assert np.allclose(whole, half @ half, rtol=0.0, atol=1e-12)
        assert np.allclose(whole.sum(axis=1), 1.0, rtol=0.0, atol=1e-12)
        assert (whole >= -1e-15).all()
    intent.switching(0.0, whole)
    assert np.array_equal(whole, np.eye(9))


MEMORIES = (
    "aim_3s", "aim_10s", "aim_30s", "closing_10s", "closing_30s", "coming_30s", "hovering_30s", "with_unit",
    "straight_10s", "straight_30s", "steady_5s", "speed_over_mean",
)  # fmt: skip


@pytest.mark.parametrize("steps", [2, 5, 10])
def test_how_often_a_state_is_looked_at_does_not_matter(steps):
    """The same state, held for two seconds after another one, looked at twice or many times."""
    here, spread = (300.0, 400.0, 60.0), np.eye(6)
    taken = [Taken(), Taken()]
    for one, times in zip(taken, ([2.0], np.linspace(0.0, 2.0, steps + 1)[1:].tolist()), strict=True):
        one.post("alpha", 0.0, 0.0)
        one.see(0.0, body("T", here, (3.0, -9.0, 0.0), spread))
        for at in times:
            one.see(at, body("T", here, (-12.0, -16.0, 0.0), spread))
    few, many = (one.features[0, 0] for one in taken)
    for name in MEMORIES:
        assert few[PLACES[name]] == pytest.approx(many[PLACES[name]], rel=1e-9, abs=1e-12), name


def test_the_air_moves_as_the_wind_says():
    """A bird that flies south at 41 m/s over ground with a wind of 27 m/s from the north flies at 14 m/s."""
    taken = Taken(AssessSettings(wind=Wind(speed_mps=27.0, from_deg=0.0)))
    taken.post("alpha", 0.0, 0.0)
    f = taken.see(0.0, body("T", (0.0, 900.0, 60.0), (0.0, -41.0, 0.0), np.eye(6)))
    assert column(f, "speed_mps") == pytest.approx([41.0])
    assert column(f, "airspeed_mps") == pytest.approx([14.0])


def test_a_bird_before_the_wind_is_taken_for_no_attacker():
    """It passes at 41 m/s over ground, flies at 14 m/s through the air, and turns as birds do."""
    chances = []
    for wind in (None, Wind(speed_mps=27.0, from_deg=0.0)):
        taken = Taken(AssessSettings(wind=wind))
        taken.post("alpha", 0.0, 0.0)
        for second in range(20):
            sway = 5.0 * math.sin(0.9 * second)
            f = taken.see(
                float(second), body("T", (250.0, 800.0 - 41.0 * second, 60.0), (sway, -41.0, 0.0), np.eye(6))
            )
        chances.append(float(column(f, "log_as_bird")[0] - column(f, "log_attack")[0]))
    assert chances[1] > chances[0] + 2.0
    assert chances[1] > 0.0


def test_a_height_that_is_vague_is_unknown():
    taken = Taken()
    taken.post("alpha", 0.0, 0.0)
    spread = np.diag([25.0, 25.0, 600.0**2, 1.0, 1.0, 1.0])
    f = taken.see(0.0, body("T", (0.0, 250.0, 4000.0), (0.0, -20.0, 0.0), spread))
    unknown = {name for name in NAMES if math.isnan(column(f, name)[0])}
    assert unknown == {
        "climb_mps",
        "climb_jump_10s",
        "height_m",
        "height_share",
        "angle_3d_deg",
        "dive_angle",
    }
    assert column(f, "slant_m") == column(f, "range_m")


def far(limit):
    return st.floats(-limit, limit, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(
            st.tuples(far(1e6), far(1e6), far(1e6)),
            st.tuples(far(1e4), far(1e4), far(1e4)),
            st.floats(0.0, 1e12),
            st.sampled_from([0.0, 1e-6, 0.05, 1.0, 30.0, 1e5]),
            st.sampled_from([{}, {"bird": 1.0}, {"fpv": 0.5, "aircraft": 0.5}, {"fpv": 7.0}]),
            st.booleans(),
        ),
        min_size=1,
        max_size=12,
    ),
    offset=st.floats(-1e12, 1e12),
)
def test_no_usable_state_makes_a_feature_that_is_no_number(steps, offset):
    taken, at = Taken(), 0.0
    taken.post("alpha", 0.0, 0.0)
    taken.post("bravo", 50.0, 0.0, mobility="vehicle")
    for place, velocity, scale, dt, beliefs, known in steps:
        at += dt
        spread = np.diag([scale] * 6)
        spread[0, 1] = offset
        f = taken.see(at, body("T", place, velocity, spread, beliefs=beliefs, height_known=known))
        may_be_unknown = {
            "climb_mps",
            "climb_jump_10s",
            "height_m",
            "height_share",
            "angle_3d_deg",
            "dive_angle",
        }
        for place_of, feature in enumerate(FEATURES):
            values = f[0, :, place_of]
            assert np.isfinite(values).all() or (feature.name in may_be_unknown and np.isnan(values).all())
