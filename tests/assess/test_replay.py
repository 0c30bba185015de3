"""The same input gives the same threats: across restarts, orders of arrival and hash seeds."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest

from vedette.assess import Assessor
from vedette.model import Frame, InputError

SCRIPT = Path(__file__).with_name("hash_seed_probe.py")


def frames(track_of, base, count=40):
    rng = np.random.default_rng(7)
    places = rng.normal(0.0, 700.0, (6, 2))
    speeds = rng.normal(0.0, 18.0, (6, 2))
    for t in range(count):
        tracks = tuple(
            track_of(
                f"T{n}",
                enu_m=(*(places[n] + speeds[n] * t).tolist(), 60.0),
                velocity_mps=(*speeds[n].tolist(), 0.0),
            )
            for n in range(6)
            if (t + n) % 9
        )
        yield Frame(time=base + t, tracks=tracks)


def run(assessor, sequence, report_of, base):
    out = []
    for t, frame in enumerate(sequence):
        assessor.unit(report_of(f"u{t % 4}", east=40.0 * (t % 4), time=base + t, mobility="foot"), base + t)
        out.append(assessor.assess(frame, frame.time))
    return out


def test_restored_in_the_middle_goes_on_to_the_bit(site, track_of, report_of, base):
    whole = list(frames(track_of, base))
    straight = run(Assessor(site), whole, report_of, base)
    assessor, out = Assessor(site), []
    for t, frame in enumerate(whole):
        assessor.unit(report_of(f"u{t % 4}", east=40.0 * (t % 4), time=base + t, mobility="foot"), base + t)
        out.append(assessor.assess(frame, frame.time))
        if t % 7 == 3:
            state = assessor.state()
            assessor = Assessor.restore(site, None, state)
            assert assessor.state() == state
    assert out == straight
    assert any(threats for threats in out)


def test_order_of_tracks_and_units_does_not_matter(site, track_of, report_of, base):
    whole = list(frames(track_of, base))
    turned = [Frame(time=f.time, tracks=tuple(reversed(f.tracks))) for f in whole]

    def threats(sequence, names):
        assessor = Assessor(site)
        for name in names:
            assessor.unit(report_of(name, east=30.0 * int(name[1])), base)
        return [assessor.assess(frame, frame.time) for frame in sequence]

    assert threats(whole, ["u1", "u2", "u3"]) == threats(turned, ["u3", "u1", "u2"])


def test_threats_are_sorted(site, track_of, report_of, base):
    for threats in run(Assessor(site), frames(track_of, base), report_of, base):
        assert [(t.track, t.unit) for t in threats] == sorted((t.track, t.unit) for t in threats)


def test_assessing_the_same_moment_twice_counts_nothing_twice(site, track_of, report_of, base):
    assessor = Assessor(site)
    assessor.unit(report_of(), base)
    frame = Frame(time=base, tracks=(track_of(enu_m=(0.0, 800.0, 50.0), velocity_mps=(0.0, -20.0, 0.0)),))
    first = assessor.assess(frame, base)
    state = assessor.state()
    assert assessor.assess(frame, base) == first
    assert assessor.state() == state


@pytest.mark.parametrize("cut", [0, 1, 40, -1])
def test_a_state_that_is_none_is_refused(site, track_of, report_of, base, cut):
    assessor = Assessor(site)
    run(assessor, frames(track_of, base, 3), report_of, base)
    with pytest.raises(InputError, match="replay the log"):
        Assessor.restore(site, None, assessor.state()[:cut])


def test_a_state_whose_arrays_do_not_fit_is_refused(site, track_of, report_of, base):
    assessor = Assessor(site)
    run(assessor, frames(track_of, base, 3), report_of, base)
    state = msgspec.msgpack.decode(assessor.state())
    state["memory"]["pairs"] = state["memory"]["pairs"][:-8]
    with pytest.raises(InputError, match="replay the log"):
        Assessor.restore(site, None, msgspec.msgpack.encode(state))


def test_hash_seed_does_not_matter():
    def digest(seed):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        done = subprocess.run(
            [sys.executable, str(SCRIPT)], env=environment, capture_output=True, check=True, timeout=120
        )
        return done.stdout

    first = digest("1")
    assert len(first.strip()) == 32
    assert first == digest("4242")
