"""Has the claim left its body, or the track? What looks say of a track whose name is heard elsewhere."""

import math

import numpy as np
import pytest
from fuse_lies import Scene, bearers, crossing
from hypothesis import given
from hypothesis import strategies as st

from vedette.fuse.identity import parting
from vedette.fuse.picture import Dossier, Picture
from vedette.fuse.sightings import NONE
from vedette.model import Identity

chances = st.floats(0.01, 0.99)


class TestGain:
    @given(existence=chances, pd=chances, ratio=st.floats(1e-6, 1e6))
    def test_it_is_the_likelihood_ratio_of_the_look(self, existence, pd, ratio) -> None:
        """One plot in the gate, ``ratio`` times as likely as a false one: Bayes, written out."""
        with_body = (1.0 - pd) + pd * ratio
        hit = existence * pd * ratio / (1.0 - existence + existence * with_body)
        assert parting.gain(existence, pd, hit) == pytest.approx(math.log(with_body), rel=1e-6, abs=1e-6)

    @given(existence=st.floats(0.0, 1.0), pd=st.floats(0.0, 1.0), hit=st.floats(0.0, 1.0))
    def test_it_is_finite_whatever_comes(self, existence, pd, hit) -> None:
        assert math.isfinite(parting.gain(existence, pd, hit))

    @given(existence=chances, pd=chances)
    def test_a_miss_costs_what_it_should(self, existence, pd) -> None:
        assert parting.gain(existence, pd, 0.0) == pytest.approx(math.log(1.0 - pd), rel=1e-6, abs=1e-9)


def test_looks_count_while_a_name_is_heard_elsewhere_and_parts_of_a_look_miss_nothing() -> None:
    picture = Picture()
    name = Identity(scheme="remote-id-serial", id="X")
    picture.found(Dossier("T1", 0.0, name, parted=1.0), NONE, 0.0, 0.9)
    picture.found(Dossier("T2", 0.0), NONE, 0.0, 0.9)
    picture.found(Dossier("T3", 0.0, name), NONE, 0.0, 0.9)
    existence, pd = np.full(3, 0.9), np.full(3, 0.8)
    parting.looked(picture, existence, pd, np.zeros(3), whole=False)
    assert picture.apart[:3].tolist() == [0.0, 0.0, 0.0]
    parting.looked(picture, existence, pd, np.zeros(3), whole=True)
    assert picture.apart[:3].tolist() == pytest.approx([math.log(0.2), 0.0, 0.0])
    parting.looked(picture, existence, pd, np.full(3, 0.99), whole=False)
    assert picture.apart[0] > 0.0
    assert picture.copy().apart[0] == picture.apart[0]


@pytest.mark.parametrize("seed", range(6))
def test_a_track_that_false_plots_lead_away_gives_its_name_back(world, seed) -> None:
    """The radar misses the drone for four seconds, and sees two false plots that another flight would make;
    its reports go on."""
    scene = Scene(world, seed, 0.8, clutter=0)
    scene.seen(crossing, 12)
    for t, off in ((13, 60.0), (14, 150.0)):
        e, n, u = crossing(t + 0.5)
        scene.detections.append(world.plot(t + 0.5, (e, n + off, u), scan=t))
    scene.seen(crossing, 40, 16)
    scene.said(crossing, 40, "X", 0.3, lost=0.0)
    frames = scene.run(40)
    assert not [
        s for s, frame in enumerate(frames) if any(t.trust == "contradicted" for t in bearers(frame, "X"))
    ]
    (track,) = bearers(frames[-1], "X")
    assert track.trust == "verified"
    assert math.dist(track.enu_m[:2], crossing(39.99)[:2]) < 40.0
