"""Keys: one a class and day, durable before use, gone for good when destroyed."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from vedette.model import Event
from vedette.model.event import SEALED_KINDS
from vedette.record import KeyDestroyed, KeyHeld, Keyring, Log, SealBroken, verify
from vedette.record.form import header
from vedette.record.seal import day_of

NOON_S = 1_795_348_800.0
DAY_S = 86_400.0
HEADER = header(1, NOON_S, "unit", "people/2026-11-22")


def test_sealed_opens_under_the_same_key_and_header(keyring: Keyring) -> None:
    name = keyring.name("people", NOON_S)
    assert name == "people/2026-11-22"
    sealed = keyring.seal(name, HEADER, b"where they are")
    assert b"where" not in sealed
    assert Keyring(keyring.folder).open(name, HEADER, sealed) == b"where they are"


def test_a_stranger_can_open_it_with_the_key_file_and_the_documented_form(keyring: Keyring) -> None:
    name = keyring.name("people", NOON_S)
    sealed = keyring.seal(name, HEADER, b"body")
    key = (keyring.folder / "people_2026-11-22.key").read_bytes()
    assert len(key) == 32
    assert AESGCM(key).decrypt(sealed[:12], sealed[12:], HEADER) == b"body"


@given(flip=st.integers(0, 12 + 4 + 16 - 1), bit=st.integers(0, 7))
def test_any_flipped_bit_breaks_the_seal(
    tmp_path_factory: pytest.TempPathFactory, flip: int, bit: int
) -> None:
    keyring = Keyring(tmp_path_factory.getbasetemp() / "flip-keys")
    name = keyring.name("people", NOON_S)
    sealed = bytearray(keyring.seal(name, HEADER, b"body"))
    sealed[flip] ^= 1 << bit
    with pytest.raises(SealBroken):
        keyring.open(name, HEADER, bytes(sealed))


def test_a_body_moved_under_another_header_breaks_the_seal(keyring: Keyring) -> None:
    name = keyring.name("people", NOON_S)
    sealed = keyring.seal(name, HEADER, b"body")
    with pytest.raises(SealBroken):
        keyring.open(name, header(2, NOON_S, "unit", name), sealed)


@pytest.mark.parametrize("length", [0, 11, 12, 27])
def test_a_body_cut_short_breaks_the_seal(keyring: Keyring, length: int) -> None:
    name = keyring.name("people", NOON_S)
    with pytest.raises(SealBroken):
        keyring.open(name, HEADER, keyring.seal(name, HEADER, b"body")[:length])


def test_the_same_body_never_looks_the_same(keyring: Keyring) -> None:
    name = keyring.name("people", NOON_S)
    assert len({keyring.seal(name, HEADER, b"body") for _ in range(100)}) == 100


def test_keys_are_for_their_owner_alone(keyring: Keyring) -> None:
    keyring.name("people", NOON_S)
    assert stat.S_IMODE(keyring.folder.stat().st_mode) == 0o700
    (key,) = keyring.folder.iterdir()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_every_class_and_day_has_a_key_of_its_own(keyring: Keyring) -> None:
    names = [keyring.name(kind, NOON_S + day * DAY_S) for kind in ("people", "operator") for day in (0, 1)]
    keys = {(keyring.folder / f"{name.replace('/', '_')}.key").read_bytes() for name in names}
    assert names == ["people/2026-11-22", "people/2026-11-23", "operator/2026-11-22", "operator/2026-11-23"]
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (0.0, "1970-01-01"),
        (1_795_391_999.999, "2026-11-22"),
        (1_795_392_000.0, "2026-11-23"),
        (253_402_300_799.0, "9999-12-31"),
    ],
)
def test_days_are_utc(at: float, day: str) -> None:
    assert day_of(at) == day


def test_two_stations_racing_for_a_key_use_the_same(keyring: Keyring) -> None:
    other = Keyring(keyring.folder)
    name = keyring.name("people", NOON_S)
    assert other.open(other.name("people", NOON_S), HEADER, keyring.seal(name, HEADER, b"x")) == b"x"


def test_a_destroyed_key_takes_the_bodies_and_leaves_the_proof(
    log: Log, night: Callable[..., list[Event]], keyring: Keyring
) -> None:
    log.append(night(14))
    before = verify(log.path)
    assert keyring.destroy("operator", "2026-11-22", "asked to be forgotten") == ["operator/2026-11-22"]
    for stream in (log.events(), log.events(skip_sealed=True)):
        kinds = [event.kind for event in stream]
        assert kinds == [e.kind for e in night(14) if e.kind != "operator-position"]
        assert stream.skipped == 2
    assert keyring.destroy("people", "2026-11-22", "asked to be forgotten") == ["people/2026-11-22"]
    with pytest.raises(KeyDestroyed, match="asked to be forgotten"):
        list(log.events())
    stream = log.events(skip_sealed=True)
    assert [e.kind for e in stream] == [e.kind for e in night(14) if e.kind not in SEALED_KINDS]
    assert verify(log.path) == before


def test_logging_goes_on_after_todays_key_was_destroyed(
    log: Log, night: Callable[..., list[Event]], keyring: Keyring
) -> None:
    log.append(night(7))
    keyring.destroy("people", "2026-11-22", "a mistake")
    log.append(night(7, first=8, at=log.last.at))
    stream = log.events(skip_sealed=True)
    assert [event.seq for event in stream if event.kind == "unit"] == [9]
    assert stream.skipped == 4
    assert keyring.days("people") == ["people/2026-11-22~2"]
    assert verify(log.path).good


def test_a_destroyed_key_is_noticed_by_a_station_that_has_it_in_memory(keyring: Keyring) -> None:
    name = keyring.name("people", NOON_S)
    sealed = keyring.seal(name, HEADER, b"body")
    Keyring(keyring.folder).destroy("people", "2026-11-22", "ordered")
    with pytest.raises(KeyDestroyed, match="ordered"):
        keyring.open(name, HEADER, sealed)
    assert keyring.name("people", NOON_S) == "people/2026-11-22~2"


def test_a_crash_between_reason_and_removal_still_counts_as_destroyed(keyring: Keyring) -> None:
    name = keyring.name("people", NOON_S)
    sealed = keyring.seal(name, HEADER, b"body")
    (keyring.folder / "people_2026-11-22.destroyed").write_text("ordered")
    after = Keyring(keyring.folder)
    with pytest.raises(KeyDestroyed, match="ordered"):
        after.open(name, HEADER, sealed)
    assert after.destroy("people", "2026-11-22", "again") == [name]
    assert not (keyring.folder / "people_2026-11-22.key").exists()


def test_without_a_key_folder_a_body_stays_closed(tmp_path: Path) -> None:
    nowhere = Keyring(tmp_path / "nowhere")
    with pytest.raises(KeyDestroyed, match="no key people/2026-11-22 in"):
        nowhere.open("people/2026-11-22", HEADER, b"x" * 40)
    assert not nowhere.folder.exists()
    assert nowhere.days("people") == []


@pytest.mark.parametrize(
    "name", ["", "people", "../../etc/passwd", "people/../x", "people/2026-11-22~0", "p/١١١١-11-11"]
)
def test_a_key_name_from_a_foreign_log_never_leads_out_of_the_folder(keyring: Keyring, name: str) -> None:
    with pytest.raises(SealBroken, match="not the name of a key"):
        keyring.open(name, HEADER, b"x" * 40)


def test_a_damaged_key_file_is_not_taken_for_a_key(keyring: Keyring) -> None:
    name = keyring.name("people", NOON_S)
    (keyring.folder / "people_2026-11-22.key").write_bytes(b"short")
    with pytest.raises(SealBroken, match="5 bytes"):
        Keyring(keyring.folder).open(name, HEADER, b"x" * 40)


@pytest.mark.parametrize(
    ("hours_after_the_day", "left"),
    [(0.0, 3), (71.9, 3), (72.0, 2), (96.0, 1), (120.0, 0), (1e6, 0)],
)
def test_operator_keys_go_when_their_day_is_72_hours_past(
    keyring: Keyring, hours_after_the_day: float, left: int
) -> None:
    for day in range(3):
        keyring.name("operator", NOON_S + day * DAY_S)
        keyring.name("people", NOON_S + day * DAY_S)
    gone = keyring.expire_operator_keys(NOON_S + DAY_S / 2 + hours_after_the_day * 3600.0)
    assert len(gone) == 3 - left
    assert len(keyring.days("operator")) == left
    assert len(keyring.days("people")) == 3


def test_a_held_day_stays(keyring: Keyring) -> None:
    for day in range(2):
        keyring.name("operator", NOON_S + day * DAY_S)
    assert keyring.expire_operator_keys(NOON_S + 99 * DAY_S, held={"2026-11-22"}) == ["operator/2026-11-23"]
    assert keyring.days("operator") == ["operator/2026-11-22"]


def test_a_hold_keeps_every_key(keyring: Keyring) -> None:
    keyring.name("operator", NOON_S)
    (keyring.folder / "HOLD").write_text("case 7, district court")
    assert keyring.expire_operator_keys(NOON_S + 99 * DAY_S) == []
    with pytest.raises(KeyHeld, match="HOLD"):
        keyring.destroy("operator", "2026-11-22", "no")
    assert keyring.days("operator") == ["operator/2026-11-22"]


def test_strange_files_in_the_key_folder_disturb_nothing(keyring: Keyring) -> None:
    keyring.name("operator", NOON_S)
    for name in ("operator_yesterday.key", "notes.txt", "operator_2026-99-99.key"):
        (keyring.folder / name).write_text("?")
    assert keyring.expire_operator_keys(NOON_S + 99 * DAY_S) == ["operator/2026-11-22"]
