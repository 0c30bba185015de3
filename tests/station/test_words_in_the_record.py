"""Words that change while a station runs: a replay has those of the time, whatever became of the files."""

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pack_texts import own, written
from station_build import SITE, START, Recorder, StationProcess, replay_is_equal, scenario_bodies

from vedette.model import Event
from vedette.model.event import Clear, Configure, Deliver
from vedette.record import Keyring, Log
from vedette.report.replay import Replay
from vedette.simulate import load_builtin
from vedette.station.words import with_packs
from vedette.warn.pack import PACKS, Pack
from vedette.warn.pack_check import check_pack

SCENARIO = "hover-near"
"""A drone that only its own broadcast tells of."""


def words(version: int, broadcast: str) -> bytes:
    tree = own("en", version)
    tree["sensor"]["broadcast"] = broadcast
    return written(tree)


def pack(version: int, broadcast: str) -> Pack:
    checked = check_pack(words(version, broadcast), "en.toml", own=True)
    assert checked.pack is not None
    assert checked.good
    return checked.pack


def told(events: list[Event]) -> list[str]:
    """The long English texts, in their order."""
    return [event.body.alert.long["en"] for event in events if isinstance(event.body, Deliver | Clear)]


def test_the_core_is_told_the_words_by_its_events_alone() -> None:
    first = with_packs({}, {**PACKS, "en": pack(100, "words of the first pack")})
    second = with_packs({}, {**PACKS, "en": pack(101, "words of the second pack")})
    scenario = load_builtin(SCENARIO)
    recorder = Recorder(scenario.head.site)
    recorder.enter(START, Configure(site=scenario.head.site, settings=first))
    changed = False
    for at, body in scenario_bodies(scenario):
        recorder.enter(at, body)
        if not changed and any("words of the first pack" in text for text in told(recorder.events)):
            recorder.enter(at, Configure(site=scenario.head.site, settings=second))
            changed = True
        if any("words of the second pack" in text for text in told(recorder.events)):
            break
    texts = told(recorder.events)
    assert "words of the first pack" in texts[0]
    assert "words of the second pack" in texts[-1]
    assert recorder.faults == []
    replay = Replay()
    opening = Event(0, START, Configure(site=scenario.head.site))
    again = list(replay.run([opening, *recorder.events]))
    assert replay.outcome.mismatch is None
    assert len(again) == len(recorder.events) + 1
    assert SITE.name not in texts[0]
    assert scenario.head.site.name[:10] in texts[0], "the site speaks"


def wait_for(condition: Callable[[], bool], what: str) -> None:
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"never happened: {what}")


def kept(state: Path) -> Iterator[Event]:
    """What the record of a station that runs holds by now."""
    if (state / "events.log").exists():
        with Log.open(state / "events.log", Keyring(state / "keys"), readonly=True) as log:
            yield from log.events()


def test_a_station_asked_by_a_signal_changes_its_words_and_its_record_replays(tmp_path: Path) -> None:
    site = load_builtin(SCENARIO).head.site
    config, file, state = tmp_path / "vedette.toml", tmp_path / "packs" / "en.toml", tmp_path / "state"
    file.parent.mkdir()
    file.write_bytes(words(100, "words of the first pack"))
    config.write_text(
        f'[wording]\nfolder = "packs"\n[console]\nlisten = ""\n[clock]\nspeed = 4.0\n'
        f'[[feed]]\nname = "exercise"\nurl = "sim:{SCENARIO}"\n'
        f'[site]\nname = "{site.name}"\nlat_deg = {site.lat_deg}\nlon_deg = {site.lon_deg}\n'
        f'alt_m = {site.alt_m}\nalt_datum = "{site.alt_datum}"\n'
    )
    station = StationProcess(config, tmp_path / "err")
    try:
        wait_for(lambda: any("first pack" in text for text in told(list(kept(state)))), "an alert")
        file.write_bytes(words(101, "words of the second pack"))
        station.process.send_signal(signal.SIGHUP)
        wait_for(lambda: any("second pack" in text for text in told(list(kept(state)))), "other words")
        file.write_bytes(words(102, "a safe pack"))
        station.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "does not load" in station.said(), "a refusal")
    finally:
        station.stop()
    assert "version 101 stays in force" in station.said()
    assert "Traceback" not in station.said()
    file.unlink()
    shutil.rmtree(state / "wording")
    texts = told(replay_is_equal(state))
    first = [number for number, text in enumerate(texts) if "first pack" in text]
    second = [number for number, text in enumerate(texts) if "second pack" in text]
    assert max(first) < min(second), "the words change once, and nothing goes back"
    assert all(text.startswith("EXERCISE. ") for text in texts)
    assert not any("safe" in text for text in texts)
