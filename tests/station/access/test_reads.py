"""Who saw where people are: one entry a look, and nobody's place in it."""

import pytest

from vedette.station.access import reads, repeats
from vedette.station.access.doorkeeper import Doorkeeper
from vedette.station.access.repeats import Repeats
from vedette.station.access.store import FILE

T0 = 1_790_000_000.0
HERE, THERE = "live picture from 192.0.2.7", "picture from 192.0.2.8"


def _kept(door: Doorkeeper) -> list[tuple[str, str, float, float, int, tuple[str, ...]]]:
    return [
        (look.actor, look.way, look.began, look.ended, look.reads, look.units) for look in door.reads.all()
    ]


def test_a_look_that_goes_on_is_one_entry_that_grows(door: Doorkeeper) -> None:
    for minute in range(60):
        at = T0 + 60.0 * minute
        door.reads.add("anna", HERE, ("b", "a"), 300, at, at + 60.0)
    assert _kept(door) == [("anna", HERE, T0, T0 + 3600.0, 18_000, ("a", "b"))]


@pytest.mark.parametrize(
    ("actor", "way", "units", "began"),
    [
        ("boris", HERE, ("a",), T0 + 61.0),
        ("anna", THERE, ("a",), T0 + 61.0),
        ("anna", HERE, ("a", "b"), T0 + 61.0),
        ("anna", HERE, ("a",), T0 + 61.0 + reads.PAUSE_S),
    ],
)
def test_another_one_or_a_pause_begins_another_entry(
    door: Doorkeeper, actor: str, way: str, units: tuple[str, ...], began: float
) -> None:
    door.reads.add("anna", HERE, ("a",), 1, T0, T0 + 60.0)
    door.reads.add(actor, way, units, 1, began, began)
    assert len(_kept(door)) == 2


def test_two_desks_that_take_turns_are_two_entries(door: Doorkeeper) -> None:
    for second in range(10):
        door.reads.add("anna", HERE, ("a",), 1, T0 + second, T0 + second)
        door.reads.add("boris", HERE, ("a",), 1, T0 + second, T0 + second)
    assert [(look.actor, look.reads) for look in door.reads.all()] == [("boris", 10), ("anna", 10)]


def test_whom_they_saw_is_sealed_on_the_disk(door: Doorkeeper) -> None:
    door.reads.add("anna", HERE, ("ANDROID-QUILLFEATHER",), 1, T0, T0)
    files = [path for path in door.folder.iterdir() if path.name.startswith(FILE)]
    assert files
    assert not any(b"QUILLFEATHER" in path.read_bytes() for path in files)
    assert door.reads.all()[0].units == ("ANDROID-QUILLFEATHER",)


def test_looks_are_kept_for_their_time_and_no_longer(
    door: Doorkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.reads.add("anna", HERE, ("a",), 1, T0, T0)
    door.reads.add("boris", HERE, ("a",), 1, T0 + reads.KEPT_S - 1.0, T0 + reads.KEPT_S - 1.0)
    assert len(_kept(door)) == 2
    door.reads.add("clara", HERE, ("a",), 1, T0 + reads.KEPT_S + 1.0, T0 + reads.KEPT_S + 1.0)
    assert [look.actor for look in door.reads.all()] == ["clara", "boris"]
    monkeypatch.setattr(reads, "MOST_READS", 1)
    later = T0 + reads.KEPT_S + 2.0
    door.reads.add("dora", HERE, ("a",), 1, later, later)
    assert [look.actor for look in door.reads.all()] == ["dora"]


def test_refusals_of_others_push_no_look_out(door: Doorkeeper) -> None:
    door.reads.add("anna", HERE, ("a",), 1, T0, T0)
    for second in range(200):
        door.note_refusal("", f"session from 192.0.2.{second}", T0 + second)
    assert len(_kept(door)) == 1


def test_the_same_refusal_is_written_once_a_minute_with_how_often(door: Doorkeeper) -> None:
    for second in range(90):
        door.note_refusal("anna", "no such session", T0 + second)
    words = [entry.words for entry in door.store.history()]
    assert words == ["no such session (and 59 times before)", "no such session"]


def test_repeats_are_bounded_and_a_clock_set_back_hides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "MOST", 2)
    one = Repeats()
    assert [one.admit((key,), T0) for key in "abcabc"] == [0, 0, 0, 0, 0, 0]
    assert one.admit(("c",), T0 + 1.0) is None
    assert one.admit(("c",), T0 - 1.0) == 1
