"""One scan of one sensor against all tracks: the Poisson multi-Bernoulli kernels against the reference in
plain numpy, and against themselves."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import fuse_reference as reference
import fuse_scans as scans
import numpy as np
import pytest

from vedette.fuse.kernels import pmb

Result, near, firm, crossing = scans.Result, reference.near, reference.firm, scans.crossing
POLAR, BEARING, PLACE = pmb.POLAR, pmb.BEARING, pmb.PLACE
KINDS = pytest.mark.parametrize("kind", [POLAR, BEARING, PLACE])


@KINDS
def test_a_scan_is_that_of_williams_written_out(kind: int) -> None:
    claimed = 0
    for seed in range(100):
        scene = reference.scene(seed, kind=kind)
        after, want = Result(scene), reference.scan(scene)
        near(after.x, after.p, want.x, want.p)
        np.testing.assert_allclose(after.mu, want.mu, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(after.r, want.r, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(after.hit, want.hit, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(after.unclaimed, want.unclaimed, rtol=1e-9, atol=1e-12)
        assert after.best.tolist() == want.best
        assert firm(after.p)
        assert ((after.r >= 0) & (after.r <= 1)).all()
        claimed += int((after.hit > 0.5).sum())
    assert claimed > 20


def test_one_track_has_the_existence_that_bayes_gives_it() -> None:
    """All joint events of one track, whether it exists or not, and the plots, counted out."""
    for seed in range(60):
        scene = reference.scene(seed, n=1)
        scene.searching = True
        _, density = reference.fits_of(scene)
        likelihood = density[0] @ scene.mu[0]
        r, pd = scene.r[0], scene.pd[0]
        exists_unseen = r * (1 - pd)
        seen = (r * max(pd, 0.01) * likelihood / scene.elsewhere).sum()
        want = (exists_unseen + seen) / (1 - r + exists_unseen + seen)
        assert Result(scene).r[0] == pytest.approx(want, rel=1e-6)


def test_what_each_plot_is_adds_up() -> None:
    """Claimed and unclaimed parts of a plot make one, so a birth takes what the tracks leave."""
    for seed in range(100):
        scene = reference.scene(seed)
        pairs = reference.scan(scene).pairs
        after = Result(scene)
        np.testing.assert_allclose(pairs.pair.sum(axis=0) + after.unclaimed, 1.0, atol=0.01)
        np.testing.assert_allclose(pairs.pair.sum(axis=1), after.hit, atol=1e-9)


def test_in_a_scan_without_plots_what_is_in_view_is_missed_by_bayes() -> None:
    scene = reference.scene(4, n=3, k=1)
    scene.forbidden[:] = True
    scene.r[:], scene.pd[:], scene.searching = [0.9, 0.9, 0.4], [0.9, 0.0, 0.99], True
    after = Result(scene)
    np.testing.assert_allclose(after.r, [0.9 * 0.1 / 0.19, 0.9, 0.4 * 0.01 / 0.604], rtol=1e-12)
    assert (after.hit == 0).all()
    assert (after.best == -1).all()
    assert (after.x == scene.x).all()
    assert (after.p == scene.p).all()
    assert (after.mu == scene.mu).all()
    assert after.unclaimed == pytest.approx(1.0)


@KINDS
def test_a_body_out_of_view_or_that_emits_nothing_does_not_die(kind: int) -> None:
    for searching in (True, False):
        for seed in range(40):
            scene = reference.scene(seed, kind=kind)
            scene.pd[:], scene.searching = 0.0, searching
            assert (Result(scene).r >= scene.r * (1 - 1e-12)).all()
            scene.forbidden[:] = True
            before = scene.r.copy()
            for _ in range(50):
                after = Result(scene)
                scene.x, scene.p, scene.mu, scene.r = after.x, after.p, after.mu, after.r
            assert (scene.r == before).all()
            assert (after.hit == 0).all()


def test_a_plot_where_a_sensor_should_see_nothing_is_of_the_body_that_is_there() -> None:
    scene = crossing(0, 500.0)
    scene.pd[:], scene.r[:] = 0.0, 0.3
    after = Result(scene)
    assert (after.hit > 0.9).all()
    assert (after.r > 0.9).all()
    assert after.best.tolist() == [0, 1]


def test_a_body_missed_in_view_dies_and_one_that_only_fell_silent_does_not() -> None:
    scene = reference.scene(11, n=2, k=1, kind=BEARING)
    scene.forbidden[:] = True
    scene.r[:], scene.pd[:] = 0.99, 0.9
    for searching in (False, True):
        scene.searching = searching
        r = scene.r.copy()
        for _ in range(10):
            scene.r = Result(scene).r
        assert (scene.r == r).all() if not searching else (scene.r < 1e-6).all()


def test_no_scan_of_a_direction_finder_lowers_any_existence() -> None:
    for seed in range(200):
        scene = reference.scene(seed, kind=BEARING)
        scene.searching = False
        assert (Result(scene).r >= scene.r * (1 - 1e-12)).all()


def test_permuting_the_plots_of_a_scan_changes_nothing() -> None:
    for seed in range(150):
        scene = reference.scene(seed, k=6)
        order = np.random.default_rng(seed).permutation(6)
        other = scene.copy()
        for name in ("z", "var", "use", "elsewhere"):
            setattr(other, name, getattr(scene, name)[order])
        other.forbidden = scene.forbidden[:, order]
        one, two = Result(scene), Result(other)
        assert (one.x == two.x).all()
        assert (one.p == two.p).all()
        assert (one.r == two.r).all()
        assert (one.unclaimed[order] == two.unclaimed).all()
        found = one.best >= 0
        assert (found == (two.best >= 0)).all()
        assert (one.best[found] == order[two.best[found]]).all()


def test_equal_plots_may_be_permuted_up_to_rounding() -> None:
    for seed in range(40):
        scene = reference.scene(seed, k=4)
        scene.z[:, max(pmb.ANGLE[scene.kind], 0)] = scene.z[0, max(pmb.ANGLE[scene.kind], 0)]
        other = scene.copy()
        for name in ("z", "var", "use", "elsewhere"):
            setattr(other, name, getattr(scene, name)[::-1])
        other.forbidden = scene.forbidden[:, ::-1]
        one, two = Result(scene), Result(other)
        near(one.x, one.p, two.x, two.p)
        np.testing.assert_allclose(one.r, two.r, rtol=1e-9)
        np.testing.assert_allclose(one.unclaimed[::-1], two.unclaimed, rtol=1e-9, atol=1e-12)


def test_permuting_the_tracks_changes_nothing_but_rounding() -> None:
    for seed in range(100):
        scene = reference.scene(seed, n=5)
        order = np.random.default_rng(seed).permutation(5)
        other = scene.copy()
        for name in ("x", "p", "mu", "r", "pd", "forbidden"):
            setattr(other, name, getattr(scene, name)[order])
        one, two = Result(scene), Result(other)
        near(one.x[order], one.p[order], two.x, two.p)
        np.testing.assert_allclose(one.r[order], two.r, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(one.unclaimed, two.unclaimed, rtol=1e-9, atol=1e-12)


# --- the same again


PROBE = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("conftest", sys.argv[1])
spec.loader.exec_module(importlib.util.module_from_spec(spec))
import fuse_reference, fuse_scans
for seed in range(40):
    print(fuse_scans.Result(fuse_reference.scene(seed)).bits().hex())
"""


def elsewhere(**environment: str) -> list[bytes]:
    """Scans of the same scenes in another process."""
    command = [sys.executable, "-c", PROBE, str(Path(__file__).with_name("conftest.py"))]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, check=True, text=True
    )
    return [bytes.fromhex(line) for line in done.stdout.split()]


def test_the_same_scan_twice_and_in_another_process_gives_the_same_bits() -> None:
    scenes = [reference.scene(seed) for seed in range(40)]
    first = [Result(scene).bits() for scene in scenes]
    assert first == [Result(scene).bits() for scene in scenes]
    assert first == elsewhere(PYTHONHASHSEED="7")
    assert len({hashlib.sha256(one).digest() for one in first}) > 30


def test_uncompiled_the_kernels_give_the_same() -> None:
    plain = elsewhere(NUMBA_DISABLE_JIT="1")
    for seed, bits in enumerate(plain):
        scene = reference.scene(seed)
        compiled = np.frombuffer(Result(scene).bits())
        np.testing.assert_allclose(np.frombuffer(bits), compiled, rtol=1e-10, atol=1e-12)
