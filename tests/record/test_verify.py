"""Verification finds every way of altering a log, with nothing but the file."""

import sqlite3
import struct
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vedette.model import Event, InputError
from vedette.record import Keyring, Log, LogError, verify

Night = Callable[..., list[Event]]
Tamper = Callable[[str], None]


@pytest.fixture
def full(log: Log, night: Night) -> Path:
    """A closed log of 30 events."""
    log.append(night(30))
    log.close()
    return log.path


@pytest.fixture
def tamper(full: Path) -> Tamper:
    """Alter the log as somebody with the file and a SQLite shell can."""

    def run(script: str) -> None:
        connection = sqlite3.connect(full)
        for (trigger,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type='trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.executescript(script)
        connection.close()

    return run


def test_an_unaltered_log_is_good(full: Path, log: Log) -> None:
    verdict = verify(full)
    assert verdict.good
    assert (verdict.events, verdict.first, verdict.last, verdict.broken) == (30, 1, 30, 0)
    assert verdict.fault is None
    assert verdict.head_hash == log.last.hash.hex()
    assert verdict.log_id == log.log_id.hex()


def test_an_empty_log_is_good_and_has_no_events(log: Log) -> None:
    verdict = verify(log.path)
    assert verdict.good
    assert (verdict.events, verdict.first, verdict.last) == (0, None, None)
    assert verdict.head_hash == log.last.hash.hex()


def test_a_log_is_verified_while_it_is_written(log: Log, night: Night) -> None:
    log.append(night(5))
    assert verify(log.path).events == 5
    log.append(night(5, first=6, at=log.last.at))
    assert verify(log.path).events == 10


def test_no_key_is_needed(full: Path, keyring: Keyring) -> None:
    for key in keyring.folder.iterdir():
        key.unlink()
    assert verify(full).good


FIRST_BYTE_CHANGED = (
    "UPDATE event SET body = CAST(CASE substr(body, 1, 1) WHEN x'00' THEN x'01' ELSE x'00' END"
    " || substr(body, 2) AS BLOB) WHERE seq = 9"
)
"""A sealed body begins with random bytes: one in 256 begins with 0 already, and must change all the same."""


@pytest.mark.parametrize(
    ("script", "seq"),
    [
        ("UPDATE event SET body = x'7b7d' WHERE seq = 8", 8),
        (FIRST_BYTE_CHANGED, 9),
        ("UPDATE event SET at = at + 0.001 WHERE seq = 8", 8),
        ("UPDATE event SET kind = 'clear' WHERE seq = 12", 12),
        ("UPDATE event SET sealed = 'people/2026-11-21' WHERE seq = 9", 9),
        ("UPDATE event SET sealed = NULL WHERE seq = 9", 9),
        ("UPDATE event SET hash = zeroblob(32) WHERE seq = 8", 8),
        ("UPDATE event SET hash = x'' WHERE seq = 30", 30),
        ("DELETE FROM event WHERE seq = 8", 9),
        ("DELETE FROM event WHERE seq = 1", 2),
        ("DELETE FROM event WHERE seq BETWEEN 8 AND 12", 13),
        ("INSERT INTO event SELECT 31, at, kind, sealed, body, hash FROM event WHERE seq = 30", 31),
        ("INSERT INTO event SELECT 0, at, kind, sealed, body, hash FROM event WHERE seq = 1", 0),
        ("INSERT INTO event SELECT -5, at, kind, sealed, body, hash FROM event WHERE seq = 1", -5),
        (
            "UPDATE event SET seq = -1 WHERE seq = 8; UPDATE event SET seq = 8 WHERE seq = 9;"
            "UPDATE event SET seq = 9 WHERE seq = -1",
            8,
        ),
        ("UPDATE meta SET value = randomblob(32) WHERE key = 'log_id'", 1),
        (f"UPDATE event SET kind = '{'k' * 70_000}' WHERE seq = 8", 8),
        ("UPDATE event SET kind = CAST(x'ff' AS TEXT) WHERE seq = 8", 8),
    ],
)
def test_tampering_is_found_where_it_is(full: Path, tamper: Tamper, script: str, seq: int) -> None:
    tamper(script)
    verdict = verify(full)
    assert not verdict.good
    assert verdict.broken >= 1
    assert verdict.fault is not None
    assert verdict.fault.seq == seq
    assert verdict.fault.what


def test_a_removed_event_is_named(full: Path, tamper: Tamper) -> None:
    tamper("DELETE FROM event WHERE seq IN (8, 9)")
    fault = verify(full).fault
    assert fault is not None
    assert fault.what == "missing before event 10: 8 to 9"


def test_one_altered_body_breaks_one_link_only(full: Path, tamper: Tamper) -> None:
    tamper("UPDATE event SET body = x'7b7d' WHERE seq = 8")
    verdict = verify(full)
    assert (verdict.broken, verdict.events, verdict.last) == (1, 30, 30)


def test_a_table_of_other_types_is_a_fault_and_no_crash(full: Path, tamper: Tamper) -> None:
    tamper(
        "CREATE TABLE copy(seq INTEGER PRIMARY KEY, at, kind, sealed, body, hash);"
        "INSERT INTO copy SELECT * FROM event; DROP TABLE event; ALTER TABLE copy RENAME TO event;"
        "UPDATE event SET at = 'noon', body = 7 WHERE seq = 4; UPDATE event SET at = NULL WHERE seq = 6;"
        "UPDATE event SET kind = 5, hash = 'x' WHERE seq = 9"
    )
    verdict = verify(full)
    assert verdict.fault is not None
    assert verdict.fault.seq == 4
    assert "form of an event" in verdict.fault.what
    assert verdict.broken >= 3


def test_an_end_cut_off_is_found_with_a_head_hash_kept_elsewhere(full: Path, tamper: Tamper) -> None:
    kept = verify(full).head_hash
    tamper("DELETE FROM event WHERE seq > 25")
    assert verify(full).good
    verdict = verify(full, kept)
    assert not verdict.good
    assert verdict.fault is not None
    assert "cut off" in verdict.fault.what


def test_a_log_written_anew_is_found_with_a_head_hash_kept_elsewhere(full: Path, tamper: Tamper) -> None:
    kept = verify(full).head_hash
    _write_anew(full, tamper)
    assert verify(full).good
    assert not verify(full, kept).good


def _write_anew(full: Path, tamper: Tamper) -> None:
    """Change event 8 and compute the chain again to the end, as an insider could."""
    connection = sqlite3.connect(full)
    rows = connection.execute("SELECT seq, at, kind, sealed, body, hash FROM event WHERE seq >= 7").fetchall()
    connection.close()
    previous, script = rows[0][5], ""
    for seq, at, kind, sealed, body, _ in rows[1:]:
        body = b"{}" if seq == 8 else body
        name = (sealed or "").encode()
        head = struct.pack(">Qd", seq, at) + struct.pack(">H", len(kind)) + kind.encode()
        head += struct.pack(">H", len(name)) + name
        previous = sha256(previous + head + body).digest()
        script += f"UPDATE event SET body = x'{body.hex()}', hash = x'{previous.hex()}' WHERE seq = {seq};"
    tamper(script)


def test_an_earlier_head_still_holds_after_the_log_grew(log: Log, night: Night) -> None:
    log.append(night(5))
    kept = log.last.hash.hex()
    log.append(night(5, first=6, at=log.last.at))
    verdict = verify(log.path, kept)
    assert verdict.good
    assert verdict.anchored == 5
    assert verify(log.path, log.last.hash.hex().upper()).anchored == 10


def test_a_stored_hash_that_does_not_chain_is_no_anchor(full: Path, tamper: Tamper) -> None:
    kept = verify(full).head_hash
    tamper(f"UPDATE event SET hash = x'{kept}' WHERE seq = 29; DELETE FROM event WHERE seq = 30")
    verdict = verify(full, kept)
    assert not verdict.good
    assert verdict.anchored is None


@pytest.mark.parametrize("head", ["", "abc", "zz" * 32, "00" * 31])
def test_what_is_no_hash_is_refused(full: Path, head: str) -> None:
    with pytest.raises(InputError, match="64 hexadecimal digits"):
        verify(full, head)


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no log")
    with pytest.raises(InputError, match="not a Vedette log"):
        verify(tmp_path / "x")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offset=st.integers(0, 10**9), byte=st.integers(1, 255))
def test_a_flipped_byte_anywhere_is_found_or_changes_no_event(
    full: Path, tmp_path: Path, keyring: Keyring, offset: int, byte: int
) -> None:
    data = bytearray(full.read_bytes())
    data[offset % len(data)] ^= byte
    copy = tmp_path / "flipped.log"
    copy.write_bytes(data)
    kept = verify(full).head_hash
    try:
        verdict = verify(copy, kept)
    except InputError:
        return
    if verdict.good:
        with Log.open(full, keyring, readonly=True) as one:
            assert _read(copy, keyring) in (list(one.events()), None)


def _read(path: Path, keyring: Keyring) -> list[Event] | None:
    """All events of a log, None if it says that it is damaged."""
    try:
        with Log.open(path, keyring, readonly=True) as log:
            return list(log.events())
    except (InputError, LogError):
        return None


def _documented_recipe() -> str:
    page = Path(__file__).resolve().parents[2] / "docs" / "record.md"
    return page.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]


def _run_recipe(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-c", _documented_recipe()]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_documented_recipe_verifies_a_log_without_this_package(full: Path) -> None:
    result = _run_recipe(full.parent)
    assert result.stdout == f"30 events, head {verify(full).head_hash}\n", result.stderr
    assert "vedette." not in _documented_recipe()


def test_the_documented_recipe_finds_an_altered_event(full: Path, tamper: Tamper) -> None:
    tamper("UPDATE event SET at = at + 0.001 WHERE seq = 8")
    assert "AssertionError: 8" in _run_recipe(full.parent).stderr
