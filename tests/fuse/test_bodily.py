"""Whether there is a body where something only reports to be: the kernel, and what frames say."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from vedette.fuse import FuseSettings
from vedette.fuse.kernels import bodily
from vedette.model import Detection, EmptyScan

probabilities = st.floats(0.0, 1.0)
rows = st.lists(
    st.tuples(st.floats(0.0, 20.0), st.floats(1e-4, 1.0), probabilities, probabilities),
    min_size=1,
    max_size=20,
)


def searched(now, whole, fresh_s, most, heard, pd, hit, before):
    """`bodily.search` in plain numpy."""
    sees = np.minimum(pd, most)
    missed = np.where(whole & (now - heard <= fresh_s), before * (1.0 - sees) / (1.0 - before * sees), before)
    after = np.clip(hit + (1.0 - hit) * missed, bodily.LEAST, bodily.MOST)
    return np.where((before >= 1.0) | (pd <= 0.0), before, after)


@pytest.fixture(scope="module", autouse=True)
def _compiled(world) -> None:
    """The first call of a kernel compiles it."""


class TestKernel:
    @given(rows=rows, whole=st.booleans(), most=st.floats(0.1, 0.9))
    def test_search_is_bayes_rule(self, rows, whole, most) -> None:
        age, before, pd, hit = (np.array(column) for column in zip(*rows, strict=True))
        after = before.copy()
        bodily.search(len(rows), 100.0, whole, 3.0, most, 100.0 - age, pd, hit, after)
        assert after == pytest.approx(
            searched(100.0, whole, 3.0, most, 100.0 - age, pd, hit, before), abs=1e-9
        )

    @given(rows=rows)
    def test_what_is_known_to_be_a_body_is_never_doubted(self, rows) -> None:
        age, _, pd, hit = (np.array(column) for column in zip(*rows, strict=True))
        known, expected = np.ones(len(rows)), pd.copy()
        bodily.search(len(rows), 100.0, True, 3.0, 0.7, 100.0 - age, pd, hit, known)
        bodily.expect(len(rows), 100.0, 3.0, 100.0 - age, known, expected)
        assert (known == 1.0).all()
        assert (expected == pd).all()

    @given(rows=rows)
    def test_a_look_expects_to_see_only_what_has_a_body(self, rows) -> None:
        age, body, pd, _ = (np.array(column) for column in zip(*rows, strict=True))
        expected = pd.copy()
        bodily.expect(len(rows), 100.0, 3.0, 100.0 - age, body, expected)
        assert expected == pytest.approx(np.where(age <= 3.0, pd * body, pd), abs=1e-9)

    def test_how_many_looks_make_a_ghost(self) -> None:
        looks = {}
        for pd in (0.3, 0.6, 0.7, 0.99):
            body, settings = np.array([0.5]), FuseSettings()
            for looks[pd] in itertools.count(1):
                bodily.search(
                    1, 0.0, True, 3.0, settings.ghost_most_detection_probability, np.zeros(1), np.array([pd]),
                    np.zeros(1), body,
                )  # fmt: skip
                if body[0] < settings.ghost_below:
                    break
        assert looks == {0.3: 15, 0.6: 6, 0.7: 5, 0.99: 5}


def north(t: float, east: float = 0.0) -> tuple[float, float, float]:
    return (east, 1500.0 - 15.0 * t, 90.0)


def trusts(world, tracker, seconds: int, radar=None, named: bool = True, plots=lambda t: []) -> list:
    """Trust, second by second, of what reports itself while a radar looks and sees ``plots``."""
    out = []
    for t in range(seconds):
        tracker.add([world.report(t, north(t), name="X" if named else None)], world.start + t)
        if radar:
            seen = plots(t) or [Detection(time=world.start + t + 0.5, sensor=radar, measure=EmptyScan())]
            tracker.add(seen, world.start + t + 0.5)
        frame = tracker.frame(world.start + t + 0.6)
        out.append([(track.trust, *track.trust_reasons) for track in frame.tracks])
    return out


class TestGhosts:
    def test_what_a_radar_should_see_and_does_not_is_a_ghost_and_stays_shown(self, world) -> None:
        seen = trusts(world, world.tracker(world.radar), 20, "radar")
        assert seen[2] == [("unverified",)]
        assert [each == [("ghost", "no-body-in-view")] for each in seen] == [False] * 4 + [True] * 16

    def test_so_is_what_reports_no_name(self, world) -> None:
        assert trusts(world, world.tracker(world.radar), 15, "radar", named=False)[-1] == [
            ("ghost", "no-body-in-view")
        ]

    def test_false_plots_elsewhere_do_not_hide_it(self, world) -> None:
        rng = random.Random(2)

        def clutter(t: float) -> list[Detection]:
            return [
                world.plot(t + 0.5, (rng.uniform(-4e3, 4e3), rng.uniform(-4e3, 4e3), 90.0)) for _ in range(5)
            ]

        seen = trusts(world, world.tracker(world.radar), 20, "radar", plots=clutter)
        assert all(("ghost", "no-body-in-view") in each for each in seen[5:])

    @pytest.mark.parametrize(
        "change",
        [{"azimuth_deg": (90.0, 180.0)}, {"range_m": (50.0, 600.0)}, {"type": "direction-finder"}],
    )
    def test_where_nobody_looks_there_is_none(self, world, change) -> None:
        seen = trusts(world, world.tracker(structs.replace(world.radar, **change)), 20, "radar")
        assert all(each == [("unverified",)] for each in seen[2:])

    def test_whoever_calls_himself_a_radar_makes_none(self, world) -> None:
        tracker = type(world.tracker())(world.site, (), FuseSettings(), (world.radar,))
        assert all(each == [("unverified",)] for each in trusts(world, tracker, 20, "radar")[2:])

    def test_plots_of_it_end_it(self, world) -> None:
        def appears(t: float) -> list[Detection]:
            return [world.plot(t + 0.5, north(t + 0.5))] if t >= 10 else []

        seen = trusts(world, world.tracker(world.radar), 30, "radar", plots=appears)
        assert seen[9] == [("ghost", "no-body-in-view")]
        assert [each[0][0] for each in seen[11:14]] == ["unverified"] * 3
        assert seen[29] == [("verified", "agrees-with:radar")]

    def test_one_false_plot_on_it_does_not_save_it_for_long(self, world) -> None:
        def once(t: float) -> list[Detection]:
            return [world.plot(t + 0.5, north(t + 0.5))] if t == 8 else []

        seen = trusts(world, world.tracker(world.radar), 25, "radar", plots=once)
        assert seen[8][0][0] == "unverified"
        assert seen[18] == [("ghost", "no-body-in-view")]

    def test_a_drone_that_was_verified_and_flies_out_of_sight_is_no_ghost(self, world) -> None:
        def leaves(t: float) -> list[Detection]:
            return [world.plot(t + 0.5, north(t + 0.5))] if t < 12 else []

        seen = trusts(world, world.tracker(world.radar), 40, "radar", plots=leaves)
        assert seen[11] == [("verified", "agrees-with:radar")]
        assert all(each and each[0][0] in ("verified", "unverified") for each in seen[12:])

    def test_what_falls_silent_and_is_not_seen_ends_as_fast_as_ever(self, world) -> None:
        tracker = world.tracker(world.radar)
        trusts(world, tracker, 10, "radar")
        for t in range(10, 22):
            tracker.add(
                [Detection(time=world.start + t + 0.5, sensor="radar", measure=EmptyScan())],
                world.start + t + 0.5,
            )
        assert tracker.frame(world.start + 22).tracks == ()

    def test_a_radar_that_looks_four_times_a_second_does_not_make_it_vanish(self, world) -> None:
        fast = structs.replace(world.radar, period_s=0.25, detection_probability=0.9)
        tracker, shown = world.tracker(fast), []
        for t in range(12):
            tracker.add([world.report(t, north(t), name="X")], world.start + t)
            for k in range(4):
                at = world.start + t + 0.05 + 0.25 * k
                tracker.add([Detection(time=at, sensor="radar", measure=EmptyScan())], at)
            shown.append([track.trust for track in tracker.frame(at).tracks])
        assert shown[3:] == [["ghost"]] * 9
