"""People are sealed: what a station leaves on its disk and says on stderr names nobody and no place.

A real station plays the exercise: it is killed once, so that the write-ahead log is looked into as well,
and then stopped in peace. What the key opens is what is then looked for in everything else.
"""

import struct
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from station_build import StationProcess, demo, replay_is_equal

from vedette.model import Event
from vedette.model.event import SEALED_KINDS, Snapshot, encode_body
from vedette.record import Keyring, Log
from vedette.station.access import Doorkeeper

CONFIG = """
[site]
name = "Dry Wash"
lat_deg = 31.45
lon_deg = -110.9
alt_m = 1150.0
alt_datum = "wgs84-ellipsoid"

[clock]
speed = 25.0

[console]
listen = "127.0.0.1:0"

[[feed]]
name = "exercise"
url = "sim:desert-run"

[[unit]]
unit = "VEDETTE-EXERCISE-BRAVO"
callsign = "Rover Quebec"
"""
DESK = "sgt-quillfeather"
PERSONAL = frozenset(
    (
        "unit",
        "units",
        "callsign",
        "actor",
        "by",
        "recipient",
        "recipients",
        "text",
        "reason",
        "acknowledged_by",
    )
)
PLACES = frozenset(("lat_deg", "lon_deg"))
WHOLE_RUN_S = 120.0


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a station that warned, was acknowledged by phone and desk, died, and ran again."""
    folder = tmp_path_factory.mktemp("sealed")
    (folder / "vedette.toml").write_text(CONFIG)
    session = signed_in(folder / "state")
    station = StationProcess(folder / "vedette.toml", folder / "stderr.log")
    station.session = session
    try:
        alert = wait(lambda: first_alert(station), station)
        acknowledge(station, alert)
        wait(lambda: receipt_of_a_person(station), station)
    finally:
        station.kill()
    (folder / "killed").mkdir()
    for file in (folder / "state").glob("events.log*"):
        (folder / "killed" / file.name).write_bytes(file.read_bytes())
    station = StationProcess(folder / "vedette.toml", folder / "stderr.log")
    station.session = session
    try:
        wait(lambda: station.page() and station.view()["units"], station)
    finally:
        assert station.stop() == 0, station.said()
    return folder


def signed_in(state: Path) -> str:
    """The session of somebody who has an account at the desk."""
    door, now = Doorkeeper(state, "Dry Wash"), time.time()
    person = door.people.add("test", DESK, "person", ("watch-officer",), now)
    session = door.sessions.begin(person, "password", True, now).reveal()
    door.close()
    return session


def wait(found: Callable[[], Any], station: StationProcess) -> Any:
    deadline = time.monotonic() + WHOLE_RUN_S
    while time.monotonic() < deadline and station.process.poll() is None:
        if result := found():
            return result
        time.sleep(0.1)
    raise AssertionError(f"it did not come: {station.said()}")


def first_alert(station: StationProcess) -> str | None:
    views: Any = station.view()["alerts"] if station.page() else ()
    return next((view["alert"]["alert"] for view in views if view["alert"]["state"] != "cleared"), None)


def receipt_of_a_person(station: StationProcess) -> bool:
    views: Any = station.view()["alerts"]
    return any(r["fact"] == "acknowledged" for view in views for r in view.get("receipts", ()))


def acknowledge(station: StationProcess, alert: str) -> None:
    address = f"{station.page()}api/v1/alerts/{alert}/acknowledge"
    with urllib.request.urlopen(station.request(address, b"{}"), timeout=10) as answer:
        assert answer.status == 202


@pytest.fixture(scope="module")
def events(state: Path) -> list[Event]:
    with Log.open(state / "state/events.log", Keyring(state / "state/keys"), readonly=True) as log:
        return list(log.events())


def test_the_run_had_people_in_it(events: list[Event]) -> None:
    """Otherwise there was nothing to leak."""
    kinds = {event.kind for event in events}
    # Facts come in batches only through a gateway, which this station has none of.
    assert set(SEALED_KINDS) - {"escalate", "clear", "receipts"} <= kinds
    secrets = words(events)
    assert {b"VEDETTE-EXERCISE-BRAVO", b"Patrol Bravo", b"Rover Quebec", DESK.encode()} <= secrets
    assert len(places(events)) > 50


def test_a_leak_would_be_found(events: list[Event]) -> None:
    """What is looked for is written as a body in the clear would write it."""
    clear = b"".join(encode_body(e.body) for e in events if e.kind in SEALED_KINDS)
    assert [word for word in words(events) if b"\n" not in word and word not in clear] == []
    assert sum(place in clear for place in places(events)) * 3 == len(places(events))


def test_nothing_on_the_disk_names_anybody(state: Path, events: list[Event]) -> None:
    secrets = words(events) | places(events) | operators()
    for file in clear_files(state):
        data = file.read_bytes()
        # Who has an account is no secret of the record: the store of accounts names them, and nobody else.
        own = {DESK.encode()} if file.parent.name == "access" else set()
        assert not [secret for secret in secrets - own if secret in data], file.name


def test_what_was_killed_and_ran_again_replays_to_the_bit(state: Path) -> None:
    """Two lives of a real station, with threads, a disk and a death between them."""
    lives = [event for event in replay_is_equal(state / "state") if event.kind == "segment"]
    assert len(lives) == 2


def test_the_files_looked_into_are_those_that_matter(state: Path) -> None:
    names = {file.relative_to(state).as_posix() for file in clear_files(state)}
    assert {"state/events.log", "state/latency.json", "killed/events.log-wal", "stderr.log"} <= names
    assert "state/access/access.db" in names
    assert (state / "killed/events.log-wal").stat().st_size > 100_000


def test_stderr_tells_what_the_feeds_do(state: Path) -> None:
    """It is the right stream, and not an empty one."""
    said = (state / "stderr.log").read_text()
    assert "ridge-receiver" in said
    assert "Vedette is watching Dry Wash" in said


def test_keys_are_for_the_station_alone(state: Path) -> None:
    keys = state / "state/keys"
    assert keys.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in keys.iterdir()} == {0o600}
    assert {file.name.partition("_")[0] for file in keys.iterdir()} == {"people", "operator"}


def clear_files(state: Path) -> list[Path]:
    """Everything the station left but its keys, its secret and its compiled kernels."""
    kept = [file for file in state.rglob("*") if file.is_file() and file.name != "vedette.toml"]
    return [f for f in kept if f.parent.name != "keys" and "kernels" not in f.parts and f.suffix != ".key"]


def words(events: list[Event]) -> set[bytes]:
    """Names, and every sentence that was said to or by people."""
    found = {text for name, text in sealed_leaves(events) if name in PERSONAL and isinstance(text, str)}
    return {text.encode() for text in found if len(text) > 3}


def places(events: list[Event]) -> set[bytes]:
    """Coordinates of units and operators as text and as IEEE 754, less those a drone also stood at."""
    clear = {v for e in events if e.kind not in SEALED_KINDS for _, v in leaves("", e.body)}
    found = {v for name, v in sealed_leaves(events) if name in PLACES and v not in clear}
    forms = {repr(value).encode() for value in found}
    return forms | {struct.pack(order, value) for value in found for order in ("<d", ">d")}


def operators() -> set[bytes]:
    """What the exercise's drones broadcast of their operators."""
    plans = [actor.remote_id for actor in demo().actors if actor.remote_id and actor.remote_id.operator]
    names = {plan.operator.id for plan in plans if plan.operator}
    assert names
    return {name.encode() for name in names if name}


def sealed_leaves(events: list[Event]) -> Iterator[tuple[str, Any]]:
    for event in events:
        if event.kind in SEALED_KINDS and not isinstance(event.body, Snapshot):
            yield from leaves("", event.body)


def leaves(name: str, thing: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, msgspec.Struct):
        for field in thing.__struct_fields__:
            yield from leaves(field, getattr(thing, field))
    elif isinstance(thing, dict):
        for value in thing.values():
            yield from leaves(name, value)
    elif isinstance(thing, list | tuple):
        for value in thing:
            yield from leaves(name, value)
    else:
        yield name, thing
