"""What somebody should see to is told, and nothing else."""

from collections.abc import Callable
from typing import Any

from vedette.station.access.authority import make_authority
from vedette.station.access.concerns import concerns
from vedette.station.access.doorkeeper import Doorkeeper

T0 = 1_790_000_000.0
DAY = 86400.0

Desk = Any


def words(door: Doorkeeper, now: float) -> list[str]:
    return [concern.what for concern in concerns(door, now)]


def test_a_site_in_order_has_none(door: Doorkeeper, make_desk: Callable[..., Desk]) -> None:
    assert words(door, T0) == ["nobody is administrator"]
    make_desk("olga", "administrator")
    assert words(door, T0) == ["there is one administrator only"]
    make_desk("pia", "administrator")
    issuer = make_authority(door.folder / "authority", "T", T0).unlock()
    officer = door.people.add("test", "delta-2", "officer", ("officer",), T0)
    door.register.add("test", issuer.issue("delta-2", "officer", T0).certificate, "officer", officer, T0)
    assert words(door, T0) == []


def test_a_certificate_that_runs_out_is_told_in_time(
    door: Doorkeeper, make_desk: Callable[..., Desk]
) -> None:
    make_desk("olga", "administrator")
    make_desk("pia", "administrator")
    issuer = make_authority(door.folder / "authority", "T", T0).unlock()
    officer = door.people.add("test", "delta-2", "officer", ("officer",), T0)
    door.register.add("test", issuer.issue("delta-2", "officer", T0).certificate, "officer", officer, T0)
    (soon,) = concerns(door, T0 + 345 * DAY)
    assert (soon.what, soon.urgent) == ("the certificate CN=delta-2 (officer) ends in 20 days", False)
    (gone,) = concerns(door, T0 + 366 * DAY)
    assert (gone.what, gone.urgent) == ("the certificate CN=delta-2 (officer) has ended", True)
    later = T0 + 345 * DAY
    door.register.add(
        "test", issuer.issue("delta-2", "officer", later).certificate, "officer", officer, later
    )
    assert concerns(door, later) == ()
    door.register.revoke("test", door.register.of(officer)[1], "key-compromise", later)
    assert len(concerns(door, later)) == 1


def test_a_root_that_ends_and_a_list_that_is_gone(door: Doorkeeper, make_desk: Callable[..., Desk]) -> None:
    make_desk("olga", "administrator")
    make_desk("pia", "administrator")
    authority = make_authority(door.folder / "authority", "T", T0)
    assert words(door, T0 + 3300 * DAY) == ["the site's root certificate ends in 350 days"]
    authority.revoked_file.unlink()
    (missing,) = concerns(door, T0)
    assert (missing.urgent, missing.advice) == (True, "vedette authority revoked")


def test_people_with_one_factor_or_little_paper(door: Doorkeeper, make_desk: Callable[..., Desk]) -> None:
    olga = make_desk("olga", "administrator")
    make_desk("pia", "administrator")
    carl = door.people.add("test", "carl", "person", ("analyst",), T0)
    assert words(door, T0) == ["carl has no second factor"]
    door.people.disable("test", "carl", T0)
    for number in range(8):
        assert door.factors.code_matches(olga.principal, olga.paper[number].reveal(), T0)
    assert words(door, T0) == ["olga has few codes on paper left"]
    assert carl.name == "carl"
