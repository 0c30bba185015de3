"""The store beside a running station: reading waits for nobody, notes never hold anything up."""

import asyncio
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vedette.model.errors import ConfigError, VedetteError
from vedette.station.access import store as room
from vedette.station.access.doorkeeper import Doorkeeper
from vedette.station.access.migrations import STEPS
from vedette.station.access.refusal import Refused
from vedette.station.access.secret import Secret
from vedette.station.access.store import Entry, Store

T0 = 1_790_000_000.0

Desk = Any


def test_who_is_there_is_answered_while_somebody_writes(door: Doorkeeper, desk: Desk) -> None:
    """A transaction that hangs (a disk, another program) holds no reader up, in this thread or another."""
    session = door.sign_in(desk.attempt(T0), T0).session
    writing, done = threading.Event(), threading.Event()

    def hang() -> None:
        with door.store.transaction():
            door.store.change("UPDATE principals SET display = 'half' WHERE name = 'anna'")
            writing.set()
            assert done.wait(60)

    thread = threading.Thread(target=hang)
    thread.start()
    assert writing.wait(60)
    try:
        who = door.by_session(session, T0 + 1)
        assert (who.actor, who.principal.display) == ("anna", "")
    finally:
        done.set()
        thread.join()
    assert door.by_session(session, T0 + 1).principal.display == "half"


def test_notes_of_a_station_are_written_by_another_thread_and_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vedette.station.access import doorkeeper

    monkeypatch.setattr(doorkeeper, "MOST_UNWRITTEN", 5)
    door = Doorkeeper(tmp_path / "state", "Testfield", background=True)
    program = door.people.add("test", "radar", "program", (), T0)
    who = door.by_token(door.tokens.make("test", program, "", ("export",), T0), T0)
    free = threading.Event()
    note = door.store.note
    monkeypatch.setattr(door.store, "note", lambda entry: free.wait(60) and note(entry))
    for _ in range(20):
        with pytest.raises(Refused):
            door.require(who, "drill", T0)
    free.set()
    door.close()
    again = Store(door.folder)
    try:
        refused = [entry for entry in again.history() if entry.what == "refused"]
        assert 4 <= len(refused) <= 5
        assert again.rows("SELECT used FROM tokens") == [(T0,)]
    finally:
        again.close()


def test_a_touch_and_a_use_are_written_down_once_a_minute(door: Doorkeeper, desk: Desk) -> None:
    session = door.sign_in(desk.attempt(T0), T0).session
    written = []
    change = door.store.change

    def counting(sql: str, *values: object) -> int:
        written.append(sql)
        return change(sql, *values)

    door.store.change = counting  # type: ignore[method-assign]
    for second in range(0, 180, 5):
        door.touch(session, T0 + second)
        door.by_session(session, T0 + second)
    assert len(written) == 2


def test_calls_beside_the_loop(door: Doorkeeper, desk: Desk) -> None:
    async def main() -> str:
        signed = await door.soon(door.sign_in, desk.attempt(T0), T0)
        return (await door.soon(door.confirm, signed.session, desk.attempt(T0 + 60), now=T0 + 60)).actor

    assert asyncio.run(main()) == "anna"


def test_what_the_command_line_does_holds_in_the_station_at_once(
    door: Doorkeeper, desk: Desk, tmp_path: Path
) -> None:
    session = door.sign_in(desk.attempt(T0), T0).session
    beside = Doorkeeper(tmp_path / "state", "Testfield")
    beside.people.disable("cli", "anna", T0 + 1)
    beside.close()
    with pytest.raises(Refused):
        door.by_session(session, T0 + 2)


def test_a_transaction_is_all_or_nothing_also_when_nested(door: Doorkeeper) -> None:
    def half() -> None:
        with door.store.transaction():
            door.people.add("test", "anna", "person", ("analyst",), T0)
            with door.store.transaction():
                door.people.add("test", "ben", "person", ("analyst",), T0)
            assert len(door.people.all()) == 2
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert door.people.all() == ()
    assert door.store.history() == ()


def test_the_history_is_bounded_and_the_newest_stays(
    door: Doorkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MOST_HISTORY", 10)
    for number in range(25):
        door.store.note(Entry(at=T0 + number, actor="test", what="refused"))
    assert [entry.at - T0 for entry in door.store.history()] == [float(n) for n in range(24, 14, -1)]


def test_sealed_secrets_need_the_key_they_were_sealed_with(
    door: Doorkeeper, desk: Desk, tmp_path: Path
) -> None:
    door.close()
    (door.folder / "access.key").write_bytes(bytes(32))
    other = Doorkeeper(tmp_path / "state", "Testfield")
    try:
        with pytest.raises(ConfigError, match=r"access\.key is not the key"):
            other.sign_in(desk.attempt(T0), T0)
    finally:
        other.close()
    (door.folder / "access.key").write_bytes(b"short")
    with pytest.raises(ConfigError, match="damaged"):
        Doorkeeper(tmp_path / "state", "Testfield")


def test_a_seal_for_one_person_opens_for_no_other(door: Doorkeeper) -> None:
    sealed = door.store.seal(b"secret", "code-generator-of-1")
    assert door.store.unseal(sealed, "code-generator-of-1") == b"secret"
    for data, purpose in ((sealed, "code-generator-of-2"), (sealed[:-1], "code-generator-of-1"), (b"", "x")):
        with pytest.raises(ConfigError):
            door.store.unseal(data, purpose)


def test_a_store_of_the_first_step_is_carried_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Store(tmp_path).close()
    monkeypatch.setattr(
        room, "STEPS", (*STEPS, "CREATE TABLE later (id INTEGER); INSERT INTO later VALUES (7)")
    )
    for _ in range(2):
        store = Store(tmp_path)
        assert store.rows("SELECT id FROM later") == [(7,)]
        store.close()


def test_a_step_that_fails_leaves_the_store_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(tmp_path).close()
    with monkeypatch.context() as patch:
        patch.setattr(room, "STEPS", (*STEPS, "CREATE TABLE later (id INTEGER); NONSENSE"))
        with pytest.raises(ConfigError):
            Store(tmp_path)
    store = Store(tmp_path)
    assert store.rows("PRAGMA user_version") == [(len(STEPS),)]
    with pytest.raises(VedetteError):
        store.rows("SELECT * FROM later")
    store.close()


def test_a_folder_that_cannot_be_had_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(ConfigError, match="cannot be used"):
        Doorkeeper(tmp_path / "state", "Testfield")


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    Store(tmp_path).close()
    (tmp_path / "access.db").chmod(0o666)
    store = Store(tmp_path)
    try:
        store.note(Entry(at=T0, actor="test", what="x"))
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
    finally:
        store.close()


def test_a_locked_store_is_a_reason_and_no_crash(door: Doorkeeper, make_desk: Callable[..., Desk]) -> None:
    door.store.rows("PRAGMA query_only")
    door.store.change("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(door.store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(VedetteError, match="locked"):
            make_desk("anna", "analyst")
        with pytest.raises(Refused):
            door.by_session(Secret("x"), T0)
    finally:
        other.close()
