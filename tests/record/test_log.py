"""The log: all or nothing, in order, once, and told apart from what is not a log."""

import math
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from vedette.model import Detection, Event, InputError, Position, Presence
from vedette.model.event import SEALED_KINDS, Configure, DetectionBatch, Snapshot, Tick
from vedette.model.site import Site
from vedette.record import BadEvent, Keyring, Log, LogBusy, LogError, LogFull, LogLocked, verify

Night = Callable[..., list[Event]]


def test_events_read_back_as_they_were_written(log: Log, night: Night) -> None:
    log.append(night(10))
    log.append(night(2500, first=11, at=night(10)[-1].at))
    assert list(log.events()) == night(10) + night(2500, first=11, at=night(10)[-1].at)


def test_start_and_stop_bound_the_stream(log: Log, night: Night) -> None:
    log.append(night(20))
    assert [event.seq for event in log.events(5, 9)] == [5, 6, 7, 8]
    assert [event.seq for event in log.events(19)] == [19, 20]
    assert list(log.events(21)) == []


def test_a_stream_sees_what_is_appended_while_it_runs(log: Log, night: Night) -> None:
    log.append(night(1500))
    stream = log.events()
    first = next(stream)
    log.append(night(3, first=1501, at=log.last.at))
    assert first.seq == 1
    assert sum(1 for _ in stream) == 1502


def test_head_of_an_empty_log_is_its_genesis(log: Log) -> None:
    assert (log.last.seq, log.last.at) == (0, 0.0)
    assert len(log.last.hash) == 32
    assert list(log.events()) == []


def test_two_logs_have_different_genesis(log: Log, tmp_path: Path, keyring: Keyring) -> None:
    with Log.create(tmp_path / "other.log", keyring) as other:
        assert other.last.hash != log.last.hash


def test_an_empty_append_changes_nothing(log: Log, night: Night) -> None:
    log.append(night(3))
    before = log.last
    log.append([])
    assert log.last == before


@pytest.mark.parametrize("seq", [1, 3, 5, 7])
def test_a_number_that_is_not_the_next_is_refused(log: Log, night: Night, seq: int) -> None:
    log.append(night(3))
    with pytest.raises(LogError, match=f"event {seq} cannot follow event 3"):
        log.append([Event(seq, log.last.at, Tick())])
    assert log.last.seq == 3


@pytest.mark.parametrize("at", [-1.0, 9.9, math.nan, math.inf, 253_402_300_800.0])
def test_a_time_that_goes_back_or_is_no_time_is_refused(log: Log, at: float) -> None:
    log.append([Event(1, 10.0, Tick())])
    with pytest.raises(LogError, match="time never goes back"):
        log.append([Event(2, at, Tick())])
    log.append([Event(2, 10.0, Tick())])
    assert log.last.seq == 2


def test_negative_zero_time_still_chains(log: Log) -> None:
    log.append([Event(1, -0.0, Tick())])
    assert verify(log.path).good


def _detection(**fields: float) -> DetectionBatch:
    position = Position(lat_deg=fields.pop("lat_deg", 52.0), lon_deg=21.0, alt_m=fields.pop("alt_m", None))
    return DetectionBatch(
        feed="f", detections=(Detection(time=fields.pop("time", 1.0), sensor="s", measure=position),)
    )


@pytest.mark.parametrize(
    "body",
    [
        _detection(time=math.nan),
        _detection(alt_m=math.inf),
        _detection(lat_deg=200.0),
        DetectionBatch(feed="\ud800", detections=()),
        DetectionBatch(
            feed="f",
            detections=(Detection(time=1.0, sensor="s", measure=Presence(), extra={"a": [{"b": math.nan}]}),),
        ),
    ],
    ids=["nan", "inf", "latitude", "surrogate", "nan-deep-inside"],
)
def test_what_could_not_be_read_back_is_not_written(log: Log, body: DetectionBatch) -> None:
    events = [Event(1, 1.0, Tick()), Event(2, 1.0, body), Event(3, 1.0, Tick())]
    with pytest.raises(BadEvent, match="event 2") as caught:
        log.append(events)
    assert caught.value.seq == 2
    assert log.last.seq == 0
    assert list(log.events()) == []


def test_an_honest_null_is_written(log: Log) -> None:
    site = Site(name="null", lat_deg=52.0, lon_deg=21.0, alt_m=100.0, alt_datum="egm96")
    event = Event(1, 1.0, Configure(site=site, settings={"limit": None, "depth": [1.5, {"x": None}]}))
    log.append([event])
    assert list(log.events()) == [event]


def test_reopening_goes_on_where_it_ended(log: Log, night: Night, keyring: Keyring) -> None:
    log.append(night(5))
    head = log.last
    log.close()
    with Log.open(log.path, keyring) as again:
        assert again.last == head
        again.append(night(5, first=6, at=head.at))
        assert [event.seq for event in again.events()] == list(range(1, 11))
    assert verify(log.path).good


def test_a_second_writer_is_told_so(log: Log, keyring: Keyring) -> None:
    with pytest.raises(LogLocked, match="another station"):
        Log.open(log.path, keyring)
    log.close()
    Log.open(log.path, keyring).close()


def test_readers_read_while_a_writer_writes_and_cannot_write(
    log: Log, night: Night, keyring: Keyring
) -> None:
    log.append(night(5))
    with Log.open(log.path, keyring, readonly=True) as reader:
        assert list(reader.events()) == night(5)
        log.append(night(2, first=6, at=log.last.at))
        assert sum(1 for _ in reader.events()) == 7
        with pytest.raises(LogError, match="read only"):
            reader.append(night(1, first=8, at=log.last.at))


def test_a_log_on_a_read_only_medium_can_be_read(
    log: Log, night: Night, keyring: Keyring, tmp_path: Path
) -> None:
    log.append(night(5))
    log.close()
    evidence = tmp_path / "evidence"
    evidence.mkdir()
    (evidence / "site.log").write_bytes(log.path.read_bytes())
    evidence.chmod(0o500)
    with Log.open(evidence / "site.log", keyring, readonly=True) as reader:
        assert list(reader.events()) == night(5)
    assert verify(evidence / "site.log").good
    evidence.chmod(0o700)


def test_create_never_overwrites(log: Log, keyring: Keyring) -> None:
    with pytest.raises(LogError, match="never overwritten"):
        Log.create(log.path, keyring)


def test_what_a_crash_left_of_a_creation_is_swept_away(tmp_path: Path, keyring: Keyring) -> None:
    (tmp_path / "a.log.new").write_bytes(b"half a file")
    with Log.create(tmp_path / "a.log", keyring) as log:
        assert log.last.seq == 0
    assert not (tmp_path / "a.log.new").exists()


def test_a_new_log_takes_nothing_from_what_another_left_beside_it(
    log: Log, night: Night, tmp_path: Path
) -> None:
    """After a kill -9 somebody moves the log away and overlooks the write-ahead log beside it."""
    log.append(night(700))
    left = (tmp_path / "site.log-wal").read_bytes()
    for turn in (1, 2):
        path = tmp_path / "other.log"
        path.unlink(missing_ok=True)
        path.with_name("other.log-wal").write_bytes(left)
        with Log.create(path, Keyring(tmp_path / "keys")) as fresh:
            assert fresh.last.seq == 0
            fresh.append(night(3))
            assert verify(path).events == 3
            assert verify(path).good
        assert (tmp_path / f"other.log-wal.left-{turn}").read_bytes() == left


@pytest.mark.parametrize("readonly", [True, False])
def test_what_is_not_a_log_is_said_in_one_line(tmp_path: Path, keyring: Keyring, readonly: bool) -> None:
    text = tmp_path / "text"
    text.write_text("nothing of the kind\n" * 500)
    empty = tmp_path / "empty"
    empty.touch()
    foreign = tmp_path / "foreign.db"
    connection = sqlite3.connect(foreign)
    connection.execute("CREATE TABLE event(seq)")
    connection.close()
    for path in (text, empty, foreign, tmp_path / "absent", tmp_path):
        with pytest.raises(InputError) as caught:
            Log.open(path, keyring, readonly)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_log_of_another_format_is_refused(log: Log, keyring: Keyring) -> None:
    log.close()
    connection = sqlite3.connect(log.path)
    connection.executescript(
        "DROP TRIGGER meta_is_never_changed; UPDATE meta SET value = x'39' WHERE key = 'format'"
    )
    connection.close()
    with pytest.raises(InputError, match="format 9, this version reads format 1"):
        Log.open(log.path, keyring)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET at = 0 WHERE seq = 1",
        "DELETE FROM event WHERE seq = 3",
        "INSERT OR REPLACE INTO event SELECT * FROM event WHERE seq = 2",
        "INSERT INTO event SELECT 5, at, kind, sealed, body, hash FROM event WHERE seq = 3",
        "UPDATE meta SET value = x'00'",
        "DELETE FROM meta",
    ],
)
def test_the_file_itself_refuses_changes(log: Log, night: Night, statement: str) -> None:
    log.append(night(3))
    connection = sqlite3.connect(log.path)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute(statement)
    connection.close()


def test_bodies_that_hold_people_are_not_in_the_file(log: Log, night: Night) -> None:
    log.append(night(70))
    log.close()
    stored = log.path.read_bytes()
    assert b"sniffer-1" in stored
    for secret in (b"patrol-1", b"Take cover", b"52.11", b"1581F"):
        assert secret not in stored


def test_the_sealed_column_names_class_and_day(log: Log, night: Night) -> None:
    log.append(night(7))
    rows = sqlite3.connect(log.path)
    sealed = dict(rows.execute("SELECT kind, sealed FROM event").fetchall())
    rows.close()
    for kind, name in sealed.items():
        assert name == (f"{SEALED_KINDS[kind]}/2026-11-22" if kind in SEALED_KINDS else None)


def test_only_the_owner_may_read_the_file(log: Log, night: Night) -> None:
    log.append(night(3))
    files = list(log.path.parent.glob("site.log*"))
    assert len(files) >= 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_full_file_refuses_the_whole_transaction(tmp_path: Path, keyring: Keyring, night: Night) -> None:
    with Log.create(tmp_path / "small.log", keyring, max_pages=20) as log:
        log.append(night(10))
        with pytest.raises(LogFull, match="disk full"):
            log.append(night(2000, first=11, at=log.last.at))
        assert log.last.seq == 10
        log.append(night(5, first=11, at=log.last.at))
        assert [event.seq for event in log.events()] == list(range(1, 16))
    assert verify(tmp_path / "small.log").good


def test_a_file_held_by_another_process_is_busy_and_then_goes_on(log: Log, night: Night) -> None:
    holder = sqlite3.connect(log.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(LogBusy):
        log.append(night(3))
    holder.execute("ROLLBACK")
    holder.close()
    log.append(night(3))
    assert log.last.seq == 3


def test_a_log_that_was_deleted_under_the_station_is_noticed(log: Log, night: Night) -> None:
    log.append(night(3))
    log.path.rename(log.path.with_suffix(".away"))
    with pytest.raises(LogError, match=r"No such file|removed or replaced"):
        log.append(night(1, first=4, at=log.last.at))
    log.path.with_suffix(".away").rename(log.path)
    log.append(night(1, first=4, at=log.last.at))
    assert log.last.seq == 4


def test_a_log_that_was_replaced_under_the_station_is_noticed(log: Log, night: Night) -> None:
    log.append(night(3))
    log.path.rename(log.path.with_suffix(".away"))
    log.path.touch()
    with pytest.raises(LogError, match="removed or replaced"):
        log.append(night(1, first=4, at=log.last.at))


def test_latest_snapshot(log: Log, night: Night) -> None:
    assert log.latest_snapshot() is None
    log.append(night(20))
    found = log.latest_snapshot()
    assert found == (Snapshot(after=1, state=bytes(range(256))), 14)
    assert log.latest_snapshot(before=14) == (found[0], 7)
    assert log.latest_snapshot(before=7) is None


def test_latest_snapshot_uses_its_index(log: Log, night: Night) -> None:
    log.append(night(20))
    connection = sqlite3.connect(log.path)
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT max(seq) FROM event WHERE kind = 'snapshot' AND seq < 999"
    ).fetchall()
    connection.close()
    assert "INDEX snapshot" in plan[0][3]


def test_an_unknown_kind_is_an_input_error(log: Log, night: Night, keyring: Keyring) -> None:
    log.append(night(1))
    log._connection.execute("INSERT INTO event VALUES (2, 2e9, 'aurora', NULL, x'7b7d', x'00')")
    with pytest.raises(InputError, match="event 2: unknown kind 'aurora'"):
        list(log.events())


def test_a_tail_that_does_not_chain_is_not_continued(log: Log, night: Night, keyring: Keyring) -> None:
    log.append(night(2))
    log._connection.execute("INSERT INTO event VALUES (3, 2e9, 'tick', NULL, x'7b7d', x'00')")
    log.close()
    with pytest.raises(InputError, match="does not chain at its last event 3"):
        Log.open(log.path, keyring)
    log._lock = None


def test_a_stream_over_a_missing_event_does_not_pass_it_over(log: Log, night: Night) -> None:
    log.append(night(5))
    log._connection.executescript("DROP TRIGGER event_is_never_removed; DELETE FROM event WHERE seq = 3")
    stream = log.events()
    assert [next(stream).seq, next(stream).seq] == [1, 2]
    with pytest.raises(InputError, match="event 4 stands where event 3 should"):
        next(stream)
