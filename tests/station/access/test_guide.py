"""docs/access.md shows the table that the code has, and its other figures."""

import re
from pathlib import Path

from vedette.station.access import authority, lockout, sessions, tokens
from vedette.station.access.permissions import PERMISSIONS, PROGRAM_SCOPES, TABLE
from vedette.station.access.principals import ROLES

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "access.md").read_text(encoding="utf-8")


def test_the_table_of_the_guide_is_that_of_the_code() -> None:
    head, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in GUIDE.partition("## Roles")[2].partition("\n\nWhat is not")[0].splitlines()
        if line.startswith("|") and not line.startswith("|---")
    ]
    assert head == ["permission", *(role.replace("-", " ") for role in ROLES), "program"]
    assert [row[0].strip("`") for row in rows] == list(PERMISSIONS)
    for name, row in zip(PERMISSIONS, rows, strict=True):
        roles = {role for role, cell in zip(ROLES, row[1:], strict=False) if cell == "x"}
        assert roles == set(TABLE[name].roles), name
        assert (row[-1] == "x") is (name in PROGRAM_SCOPES), name


def test_the_waits_of_the_guide_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| (?:on a|in a|from an) .*? \| (\d+) \| (\d+) (s|min) \|", GUIDE, re.MULTILINE)
    told = [(int(free), float(most) * (60 if unit == "min" else 1)) for free, most, unit in rows]
    limits = (lockout.DEVICE, lockout.NAME, lockout.ADDRESS)
    assert told == [(limit.free, limit.most_s) for limit in limits]


def test_the_other_figures() -> None:
    assert (sessions.DESK.absolute_s, sessions.DESK.idle_s) == (13 * 3600.0, 2 * 3600.0)
    assert "lasts 13 hours" in GUIDE
    assert "for two hours" in GUIDE
    assert sessions.PHONE.absolute_s == 180 * 86400.0
    assert "for 180 days" in GUIDE
    assert tokens.LINK_S == {"first-administrator": 3600.0, "set-factors": 86400.0, "phone": 86400.0}
    assert authority.LASTS_S["officer"] == 365 * 86400.0
    assert "last a year" in GUIDE
