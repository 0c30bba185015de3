"""A hunt for every way in which live, replay, restore and order of arrival could differ."""

import asyncio
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from random_sessions import CONFIGURE, arrivals, detections, play, words_of_sensors
from station_build import RUN, START, Hand, Recorder, demo, replay_is_equal, scenario_bodies

from vedette.core import Core
from vedette.model import Event
from vedette.model.event import (
    INTENT_KINDS,
    Configure,
    Deliver,
    Digest,
    OperatorPosition,
    Segment,
    Snapshot,
    decode_body,
    encode_body,
)
from vedette.record import KeyDestroyed, Keyring, Log, verify
from vedette.record.fingerprint import fingerprint
from vedette.record.seal import day_of
from vedette.simulate import Scenario, synthetic_load
from vedette.station.engine import Engine
from vedette.station.journal import Journal

PLAIN = {float, int, str, bytes, bool, type(None)}


def session(seed: int) -> Recorder:
    """A recorded session that snapshots itself and goes on from its own snapshots at random moments."""
    recorder = Recorder(core=Core(CONFIGURE))
    engine, rng = recorder.engine, random.Random(f"restarts {seed}")
    engine.note(Segment(format=1, fingerprint=fingerprint()))
    engine.note(CONFIGURE)
    for _ in play(recorder, seed):
        chance = rng.random()
        if chance < 0.02:
            engine.note(Snapshot(after=engine.seq, state=engine.core.snapshot()))
        if chance < 0.01:
            engine.core = Core.restore(engine.core.snapshot())
    engine.note(Snapshot(after=engine.seq, state=engine.core.snapshot()))
    assert not recorder.faults
    return recorder


def of_scenario(scenario: Scenario) -> Recorder:
    """A scenario through the real adapters, as a station would record it."""
    recorder = Recorder(site=scenario.head.site)
    recorder.engine.note(Segment(format=1, fingerprint=fingerprint()))
    recorder.engine.note(recorder.engine.core.configure)
    for at, body in scenario_bodies(scenario):
        recorder.enter(at, body)
    recorder.engine.note(Snapshot(after=recorder.engine.seq, state=recorder.engine.core.snapshot()))
    assert not recorder.faults
    return recorder


def stored(recorder: Recorder, folder: Path) -> Path:
    """The session as a log on the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    with Log.create(folder / "events.log", Keyring(folder / "keys")) as log:
        log.append(recorder.events)
    assert verify(folder / "events.log").good
    return folder / "events.log"


def replayed_elsewhere(log: Path, **environment: str) -> dict[str, Any]:
    """What ``vedette replay`` finds in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, "replay", str(log), "--quiet"],
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def last_digest(recorder: Recorder) -> Digest:
    return next(e.body for e in reversed(recorder.events) if isinstance(e.body, Digest))


@pytest.mark.parametrize("seed", range(3))
def test_a_session_replays_to_the_bit_in_another_world(seed: int, tmp_path: Path) -> None:
    recorder = session(seed)
    log = stored(recorder, tmp_path)
    found = replayed_elsewhere(
        log, PYTHONHASHSEED=str(seed + 1), TZ="Asia/Kolkata", LC_ALL="de_DE.UTF-8", NUMBA_NUM_THREADS="1"
    )
    assert found["exact"] is True
    assert found["events"] == len(recorder.events)
    assert found["last_live"] == last_digest(recorder).live
    assert found["last_settled"] == last_digest(recorder).settled
    assert found["snapshots"] >= 2
    assert found["faults"] == 0


def test_sessions_reach_what_they_hunt_in() -> None:
    """A hunt in an empty wood proves nothing: the sessions must warn, clear, escalate and count."""
    recorders = [session(seed) for seed in range(3)]
    kinds = {event.kind for recorder in recorders for event in recorder.events}
    assert {"deliver", "alert", "clear", "roster", "configure", "receipt", "action", "snapshot"} <= kinds
    counts = [recorder.engine.core.counts() for recorder in recorders]
    wanted = {"repeated", "receipt-of-unknown-alert", "unknown-sensor", "bad-crc"}
    wanted |= {"sensor-place-is-configured", "sensor-cannot-be-placed"}
    assert wanted <= {name for count in counts for name in count}
    assert {"sensor"} <= kinds
    bodies = [event.body for recorder in recorders for event in recorder.decided]
    drones = {track for body in bodies if isinstance(body, Deliver) for track in body.alert.tracks}
    assert {track[0] for track in drones} >= {"A", "T"}, "aircraft by their own word are among them"


@pytest.mark.parametrize("scenario", [demo(), synthetic_load(12, 40, duration_s=12.0)], ids=["demo", "load"])
def test_a_scenario_replays_to_the_bit_in_another_world(scenario: Scenario, tmp_path: Path) -> None:
    recorder = of_scenario(scenario)
    found = replayed_elsewhere(stored(recorder, tmp_path), PYTHONHASHSEED="77", TZ="America/Phoenix")
    assert found["exact"] is True
    assert found["last_live"] == last_digest(recorder).live


def test_a_log_replays_when_its_operator_positions_are_gone_as_promised(tmp_path: Path) -> None:
    recorder = Recorder(core=Core(CONFIGURE))
    recorder.engine.note(Segment(format=1, fingerprint=fingerprint()))
    recorder.engine.note(CONFIGURE)
    for number, _ in enumerate(play(recorder, 5, 4.0)):
        if number % 20 == 0:
            place = OperatorPosition(time=START, sensor="rid-1", id="DRONE0", lat_deg=31.0, lon_deg=-110.0)
            recorder.enter(recorder.hand.at, place)
    log = stored(recorder, tmp_path)
    assert replayed_elsewhere(log)["events"] == len(recorder.events)
    assert Keyring(tmp_path / "keys").expire_operator_keys(START + 5 * 86_400.0)
    gone = sum(isinstance(event.body, OperatorPosition) for event in recorder.events)
    found = replayed_elsewhere(log)
    assert found["events"] == len(recorder.events) - gone < len(recorder.events)
    assert found["last_live"] == last_digest(recorder).live
    Keyring(tmp_path / "keys").destroy("people", day_of(START), "a test")
    with Log.open(log, Keyring(tmp_path / "keys"), readonly=True) as held, pytest.raises(KeyDestroyed):
        list(held.events())


@pytest.mark.parametrize("seed", range(3, 7))
def test_a_core_restored_at_any_moment_goes_on_the_same(seed: int) -> None:
    events = [event for event in session(seed).events if event.kind != "segment"]
    assert isinstance(events[0].body, Configure)
    whole, broken = Core(events[0].body), Core(events[0].body)
    rng = random.Random(seed)
    for event in events[1:]:
        if rng.random() < 0.05:
            broken = Core.restore(broken.snapshot())
        assert _bytes(broken.step(event)) == _bytes(whole.step(event)), event
    assert broken.snapshot() == whole.snapshot()
    assert broken.counts() == whole.counts()


@pytest.mark.parametrize("seed", range(7, 10))
def test_a_log_cut_anywhere_goes_on_and_replays_whole(seed: int, tmp_path: Path) -> None:
    """kill -9 leaves any beginning of a log; what was decided and not written is decided again."""
    events, rng = session(seed).events, random.Random(seed)
    before_intents = [n for n, event in enumerate(events) if event.kind in ("deliver", "clear", "digest")]
    for cut in (*rng.sample(before_intents, 3), rng.randrange(3, len(events))):
        folder = tmp_path / str(cut)
        folder.mkdir()
        with Log.create(folder / "events.log", Keyring(folder / "keys")) as log:
            log.append(events[:cut])
        resumed = asyncio.run(next_life(folder))
        assert events[cut].kind not in INTENT_KINDS or encode_body(resumed[0].body) == encode_body(
            events[cut].body
        )
        whole = replay_is_equal(folder)
        assert whole[:cut] == events[:cut]
        assert len(whole) > cut + 30


async def next_life(folder: Path) -> list[Event]:
    """A station starts on the log, lives three seconds, and ends; returns what it performed."""
    journal = Journal(folder, CONFIGURE, ())
    hand = Hand(journal.at)
    performed: list[Event] = []
    engine = Engine(
        journal.core,
        hand.now,
        journal.submit,
        performed.append,
        lambda event, error: pytest.fail(f"{event}: {error!r}"),
        journal.seq,
        journal.at,
    )
    journal.start(engine, lambda status: pytest.fail(repr(status)))
    hand.at += 3.0
    engine.tick()
    journal.snapshot(engine)
    await journal.close()
    return performed


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("most_late_s", [0.5, 7.5])
def test_every_order_of_arrival_settles_on_the_same_digests(seed: int, most_late_s: float) -> None:
    """Also with sensors that say on the way where they stand: their words have their place in the log."""
    found = detections(seed, 12.0)
    words = words_of_sensors(seed, 14.0)
    # Before its first word a sensor's plots are refused: they are no part of the same data.
    first = {"node-1": words[0][0], "eye-1": words[1][0]}
    found = [d for d in found if d.time >= first.get(d.sensor, START)]
    prompt = settled_digests([*arrivals(found, 0, 0.0), *words])
    late = settled_digests([*arrivals(found, seed + 1, most_late_s), *words])
    shared = prompt.keys() & late.keys()
    assert len(shared) > 20
    assert {time: prompt[time] for time in shared} == {time: late[time] for time in shared}
    assert len({prompt[time] for time in shared}) > 8


def settled_digests(batches: Any) -> dict[float, str]:
    recorder = Recorder(core=Core(CONFIGURE))
    for at, body in sorted(batches, key=lambda one: one[0]):
        recorder.enter(at, body)
    recorder.hand.at = START + 35.0
    recorder.engine.tick()
    digests = [event.body for event in recorder.decided if isinstance(event.body, Digest)]
    return {digest.settled_time: digest.settled for digest in digests}


def test_nothing_of_a_numeric_library_leaks_out() -> None:
    """A numpy number in a decision would print, compare and encode in its own way."""
    recorder = session(1)
    core, at = recorder.engine.core, recorder.hand.at
    shown = [e.body for e in recorder.decided]
    for thing in (*shown, *core.threats(), core.frame(at), *core.units(at), *core.alerts(), core.counts()):
        assert {type(leaf) for leaf in _leaves(thing)} <= PLAIN


def test_what_the_log_gives_back_is_what_the_core_was_given() -> None:
    """Ints in float fields, negative zero, key order: the core sees the stored form, never another."""
    for event in session(2).events:
        body = event.body
        again = decode_body(event.kind, encode_body(body))
        assert again == body
        assert encode_body(again) == encode_body(body)
        assert msgspec.msgpack.encode(again) == msgspec.msgpack.encode(body)


def _bytes(intents: Any) -> list[bytes]:
    return [encode_body(intent) for intent in intents]


def _leaves(thing: Any) -> Iterator[Any]:
    if isinstance(thing, msgspec.Struct):
        for name in thing.__struct_fields__:
            yield from _leaves(getattr(thing, name))
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield key
            yield from _leaves(value)
    elif isinstance(thing, list | tuple):
        for value in thing:
            yield from _leaves(value)
    else:
        yield thing


def test_an_event_is_equal_to_itself_read_from_the_disk(tmp_path: Path) -> None:
    recorder = session(0)
    path = stored(recorder, tmp_path)
    with Log.open(path, Keyring(tmp_path / "keys"), readonly=True) as log:
        read: list[Event] = list(log.events())
    assert read == recorder.events
