"""The arithmetic of claims, against plain numpy and against what probability says."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from vedette.fuse import FuseSettings
from vedette.fuse.identity import claims
from vedette.fuse.identity.claims import Suit
from vedette.fuse.intake import Intake
from vedette.fuse.plots import Plot
from vedette.fuse.sightings import NEVER
from vedette.model import Claim, ConfigError

SETTINGS = FuseSettings()
metres = st.floats(-2000.0, 2000.0)
sigmas = st.floats(1.0, 400.0)


def report(world, t: float, enu, **extra) -> Plot:
    return Intake(world.site, (), SETTINGS).plot(world.report(t, enu, **extra))


def state(place, speed=(0.0, 0.0, 0.0), sigma: float = 30.0):
    p = np.diag([sigma**2, sigma**2, sigma**2, 9.0, 9.0, 9.0])
    return np.array([*place, *speed], float), p


class TestFit:
    @given(
        e=metres,
        n=metres,
        ve=st.floats(-50, 50),
        vn=st.floats(-50, 50),
        sigma=sigmas,
        corr=st.floats(-0.9, 0.9),
    )
    def test_it_is_the_ratio_of_two_densities(self, world, e, n, ve, vn, sigma, corr) -> None:
        plot = report(world, 0.0, (100.0, 200.0, 90.0))
        x, p = state((100.0 + e, 200.0 + n, 90.0), (ve, vn, 0.0), sigma)
        p[0, 1] = p[1, 0] = corr * sigma**2
        fit = claims.fit(x, p, plot, SETTINGS)
        lag = 0.5 * SETTINGS.claim_latency_s * np.array([ve, vn])
        s = p[:2, :2] + plot.r[:2, :2] + np.outer(lag, lag)
        y = plot.z[:2] - x[:2]
        d2 = float(y @ np.linalg.solve(s, y))
        own = 2.0 * np.pi * np.sqrt(np.linalg.det(s))
        elsewhere = np.pi * SETTINGS.claim_reach_m**2 + own
        assert fit.d2 == pytest.approx(d2, rel=1e-9, abs=1e-9)
        assert fit.nats == pytest.approx(math.log(elsewhere / own) - 0.5 * d2, rel=1e-9, abs=1e-9)
        assert fit.metres == pytest.approx(float(np.hypot(*y)))

    @given(sigma=sigmas, near=st.floats(0.0, 300.0), step=st.floats(1.0, 300.0))
    def test_the_farther_off_the_less_likely(self, world, sigma, near, step) -> None:
        plot = report(world, 0.0, (0.0, 500.0, 90.0))
        x, p = state((near, 500.0, 90.0), sigma=sigma)
        y, _ = state((near + step, 500.0, 90.0))
        assert claims.fit(y, p, plot, SETTINGS).nats < claims.fit(x, p, plot, SETTINGS).nats

    @given(sigma=st.floats(1.0, 1e5))
    def test_a_perfect_fit_never_speaks_against_the_claim(self, world, sigma) -> None:
        x, p = state((0.0, 500.0, 90.0), sigma=sigma)
        assert claims.fit(x, p, report(world, 0.0, (0.0, 500.0, 90.0)), SETTINGS).nats > 0.0

    def test_a_late_report_may_lag_along_the_way_and_not_beside_it(self, world) -> None:
        x, p = state((0.0, 500.0, 90.0), (0.0, 40.0, 0.0), 5.0)
        behind = claims.fit(x, p, report(world, 0.0, (0.0, 460.0, 90.0)), SETTINGS)
        beside = claims.fit(x, p, report(world, 0.0, (40.0, 500.0, 90.0)), SETTINGS)
        assert behind.nats > 0.0 > beside.nats

    def test_a_height_says_nothing(self, world) -> None:
        x, p = state((0.0, 500.0, 90.0))
        low, high = (report(world, 0.0, (0.0, 500.0, up)) for up in (20.0, 400.0))
        assert claims.fit(x, p, low, SETTINGS).nats == pytest.approx(
            claims.fit(x, p, high, SETTINGS).nats, abs=0.01
        )


class TestBond:
    @given(start=st.floats(-6.0, 6.0), reports=st.lists(st.floats(-1e6, 1e6), max_size=50))
    def test_it_stays_within_bounds_and_can_always_turn(self, start, reports) -> None:
        bond = start
        for nats in reports:
            bond = claims.bonded(bond, nats, SETTINGS)
            assert abs(bond) <= SETTINGS.claim_most_nats
        for _ in range(3):
            bond = claims.bonded(bond, 4.0, SETTINGS)
        assert claims.is_bound(bond, SETTINGS)
        for _ in range(3):
            bond = claims.bonded(bond, -100.0, SETTINGS)
        assert claims.is_unbound(bond, SETTINGS)

    def test_one_outlier_never_unbinds_what_two_do(self) -> None:
        once = claims.bonded(SETTINGS.claim_most_nats, -1e9, SETTINGS)
        assert not claims.is_unbound(once, SETTINGS)
        assert claims.is_unbound(claims.bonded(once, -1e9, SETTINGS), SETTINGS)

    @given(probability=st.floats(0.001, 0.999))
    def test_its_limits_are_probabilities(self, probability) -> None:
        bond = math.log(probability / (1.0 - probability))
        assert (
            claims.is_bound(bond, SETTINGS) == (bond >= math.log(99.0)) or abs(bond - math.log(99.0)) < 1e-9
        )
        assert (
            claims.is_unbound(bond, SETTINGS) == (bond < math.log(0.25)) or abs(bond - math.log(0.25)) < 1e-9
        )


class TestWhereItCameFrom:
    """Was the body where the name was heard last?"""

    def test_one_that_flew_there_came_along(self) -> None:
        x, p = state((100.0, 200.0, 90.0), (20.0, 0.0, 0.0), sigma=8.0)
        assert claims.came_along(x, p, 10.0, (60.0, 200.0, 8.0))
        assert claims.came_along(x, p, 10.0, (100.0, 200.0, 10.0))

    def test_one_that_flew_elsewhere_did_not(self) -> None:
        x, p = state((100.0, 200.0, 90.0), (20.0, 0.0, 0.0), sigma=8.0)
        assert not claims.came_along(x, p, 10.0, (60.0, 600.0, 8.0))
        assert not claims.came_along(x, p, 10.0, (100.0, 350.0, 9.0))

    @given(
        e=metres, n=metres, ve=st.floats(-50, 50), vn=st.floats(-50, 50), back=st.floats(0.0, 10.0),
        bend=st.floats(-9.9, 9.9),
    )  # fmt: skip
    def test_no_turn_of_one_g_is_refused(self, e, n, ve, vn, back, bend) -> None:
        """Where it was before a constant acceleration across the axes brought it here."""
        x, p = state((e, n, 90.0), (ve, vn, 0.0), sigma=8.0)
        before = (e - ve * back + 0.5 * bend * back**2, n - vn * back, 10.0 - back)
        assert claims.came_along(x, p, 10.0, before)

    @given(metres, metres, st.floats(0.0, 10.0), st.floats(1.0, 10.0))
    def test_the_longer_ago_the_less_is_refused(self, e, n, back, more) -> None:
        x, p = state((0.0, 0.0, 90.0), sigma=8.0)
        if claims.came_along(x, p, 0.0, (e, n, -back)):
            assert claims.came_along(x, p, 0.0, (e, n, -back - more))

    @pytest.mark.parametrize(("after", "jump"), [(1.0, True), (3.0, True), (5.0, False)])
    def test_a_jump_is_measured_from_where_it_was_heard(self, world, after, jump) -> None:
        plot = report(world, after, (0.0, 500.0, 90.0), sigma=3.0)
        said = (float(plot.z[0]) + 500.0, float(plot.z[1]), plot.time - after)
        assert claims.jumped(said, plot, SETTINGS) == jump


class TestSuits:
    def claim(self, name: str) -> Claim:
        return Claim(scheme="remote-id-serial", id=name)

    def test_a_suit_grows_with_its_own_reports_alone(self) -> None:
        suits: tuple[Suit, ...] = ()
        for t, name in enumerate("ABABA"):
            suits = claims.with_suit(
                suits, claims.courted(suits, self.claim(name), 2.0, float(t), SETTINGS), SETTINGS
            )
        assert [(s.id, s.bond, s.reports) for s in suits] == [("A", 6.0, 3), ("B", 4.0, 2)]

    def test_a_suit_that_fell_silent_begins_anew(self) -> None:
        suits = (Suit("remote-id-serial", "A", 6.0, -3.0, 0.0, 9),)
        new = claims.courted(suits, self.claim("A"), 1.0, SETTINGS.agreement_life_s + 0.1, SETTINGS)
        assert (new.bond, new.reports) == (1.0, 1)

    def test_a_name_is_known_by_its_suit_while_it_is_remembered(self) -> None:
        suits = (Suit("remote-id-serial", "A", 6.0, -3.0, 0.0, 9, alien=True),)
        known = claims.suit_of(suits, self.claim("A"), SETTINGS.agreement_life_s, SETTINGS)
        assert known is not None
        assert known.alien
        assert claims.courted(suits, self.claim("A"), 1.0, 1.0, SETTINGS).alien
        assert claims.suit_of(suits, self.claim("B"), 0.0, SETTINGS) is None
        assert claims.suit_of(suits, self.claim("A"), SETTINGS.agreement_life_s + 0.1, SETTINGS) is None

    @given(st.lists(st.tuples(st.integers(0, 30), st.floats(-10, 10)), max_size=80))
    def test_they_are_few_and_sorted_however_many_names_come(self, heard) -> None:
        suits: tuple[Suit, ...] = ()
        for t, (name, nats) in enumerate(heard):
            new = claims.courted(suits, self.claim(f"N{name}"), nats, 0.01 * t, SETTINGS)
            before = {s.id: s.bond for s in suits}
            suits = claims.with_suit(suits, new, SETTINGS)
            assert len(suits) <= SETTINGS.suits
            assert [s.id for s in suits] == sorted({s.id for s in suits})
            if before:
                assert max(s.bond for s in suits) >= max(
                    [b for n, b in before.items() if n != new.id] + [new.bond]
                ), "a flood pushes out no likelier name"


class TestStill:
    def test_a_place_repeated_to_the_bit_is_known_by_its_age(self, world) -> None:
        here, there = (0.0, 500.0, 90.0), (0.0, 500.5, 90.0)
        since, before = NEVER, None
        ages = []
        for t, place in enumerate([here, here, here, there, there]):
            plot = report(world, t, place)
            since, before = claims.still_since(since, before, plot), plot.detection.measure
            ages.append(plot.time - since)
        assert ages == [0.0, 1.0, 2.0, 0.0, 1.0]

    @pytest.mark.parametrize(
        ("velocity", "age", "frozen"),
        [
            ((0.0, 20.0, 0.0), 6.0, True),
            ((0.0, 20.0, 0.0), 5.0, False),
            ((0.0, 1.0, 0.0), 60.0, False),
            (None, 60.0, False),
        ],
    )
    def test_only_what_states_a_speed_is_frozen(self, world, velocity, age, frozen) -> None:
        plot = report(world, age, (0.0, 500.0, 90.0), velocity=velocity)
        assert claims.is_frozen(world.start, plot, SETTINGS) is frozen

    def test_an_aircraft_that_repeats_its_place_is_not(self, world) -> None:
        plot = Intake(world.site, (), SETTINGS).plot(world.air(60.0, (0.0, 500.0, 900.0), (0.0, 70.0, 0.0)))
        assert not claims.is_frozen(world.start, structs.replace(plot, time=world.start + 60.0), SETTINGS)


@pytest.mark.parametrize(
    "change",
    [
        {"claim_bound": 1.0},
        {"claim_unbound": 0.0},
        {"claim_unbound": 0.995},
        {"ghost_below": 0.6},
        {"bodily_prior": 1.0},
        {"suits": 0},
    ],
)
def test_settings_by_which_nothing_could_be_decided_are_refused(change) -> None:
    with pytest.raises(ConfigError):
        structs.replace(SETTINGS, **change)
