"""Every route, by every method, for everybody: what docs/access.md refuses is refused, and nothing else.

The oracle reads the guide and not the code: the permission table, the routes and the actions.
"""

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, get_args

import httpx
import msgspec
import pytest
import websockets
from litestar.routes import WebSocketRoute

from vedette.console import AccountEntrance
from vedette.console.deeds import NEEDED
from vedette.model.event import ActionKind
from vedette.station.access import Doorkeeper, Principal, Secret
from vedette.station.access.credentials import SESSION_COOKIE
from vedette.station.access.permissions import PROGRAM_SCOPES

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "access.md").read_text(encoding="utf-8")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
LOCAL = Secret("vdm_of-this-machine")
PUBLIC, BY_MATTER = "anybody", "by what is asked for"
MINE, OTHERS = "a-1", "a-2"


def _rows(after: str) -> list[list[str]]:
    """The cells of the first table behind ``after``, without its head."""
    lines = GUIDE.partition(after)[2].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    table = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table[2:]


def _codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def _holders() -> dict[str, set[str]]:
    """Permission -> the roles that have it, ``program`` among them."""
    names = ("watch-officer", "supervisor", "analyst", "technician", "administrator", "officer", "program")
    return {
        _codes(row[0])[0]: {name for name, cell in zip(names, row[1:], strict=True) if cell == "x"}
        for row in _rows("## Roles")
    }


def _routes() -> dict[tuple[str, str], str]:
    """(path, method) -> what it takes."""
    found = {}
    for paths, methods, takes in _rows("### Each way in asks"):
        for path in _codes(paths):
            for method in methods.split(", "):
                found[path, method] = takes.strip("`")
    return found


def _actions() -> dict[str, str]:
    """Action -> permission; ``acknowledge for`` is the one with a unit."""
    found = {}
    for actions, takes in _rows("| `/api/v1/first`"):
        for action in _codes(actions):
            if action != "unit":
                found["acknowledge for" if "with `unit`" in actions else action] = takes.strip("`")
    return found


HOLDERS, ROUTES, ACTIONS = _holders(), _routes(), _actions()
EXAMPLE = {"NAME": "app-ABCDEF12.mjs", "ID": MINE}
BODIES: dict[str, Any] = {
    f"/api/v1/alerts/{MINE}/acknowledge": {},
    "/api/v1/actions": {"action": "note", "reason": "seen"},
}
DEEDS: dict[str, dict[str, Any]] = {
    "acknowledge": {"alert": OTHERS},
    "acknowledge for": {"alert": OTHERS, "unit": "patrol-c"},
    "confirm": {"alert": OTHERS},
    "escalate-now": {"alert": OTHERS},
    "hand-over": {"value": "Ruiz"},
    "downgrade": {"alert": OTHERS, "value": "info", "reason": "a kite"},
    "cancel": {"alert": OTHERS, "reason": "a kite"},
    "shelve": {"alert": OTHERS, "reason": "a kite"},
    "unshelve": {"alert": OTHERS},
    "silence": {"unit": "patrol-c", "reason": "moves about", "for_s": 60.0},
    "unsilence": {"value": "s-1"},
    "out-of-service": {"unit": "patrol-c", "reason": "off"},
    "in-service": {"unit": "patrol-c"},
    "disposition": {"track": "T1", "value": "friend"},
    "note": {"reason": "seen"},
}


class Somebody(NamedTuple):
    """One who asks. ``kind``: what the guide calls it; ``scopes`` of a token; what the session is worth."""

    label: str
    kind: str
    headers: dict[str, str]
    name: str = ""
    scopes: tuple[str, ...] = ()
    worth: str = "fresh"

    def may(self, permission: str) -> bool:
        """By the guide."""
        if self.kind == "nobody":
            return False
        if self.kind == "program":
            return permission in self.scopes and "program" in HOLDERS[permission]
        if self.kind not in HOLDERS[permission]:
            return False
        if self.worth == "unproven":
            return permission == "own-credentials"
        return self.worth == "fresh" or permission in ("view-picture", "view-people", "view-operators")


class Crowd:
    """Everybody there is, with accounts in a real store."""

    def __init__(self, door: Doorkeeper) -> None:
        self.door, self.now = door, time.time()
        self.all: list[Somebody] = [Somebody("no credentials", "nobody", {})]
        for role in ("watch-officer", "supervisor", "analyst", "technician", "administrator"):
            self._desk(role)
        self._desk("watch-officer", "admin-too", "administrator")
        self._officer()
        self._programs()
        self._worthless()

    def _desk(self, role: str, name: str | None = None, *more: str) -> None:
        principal = self.door.people.add("test", name or role, "person", (role, *more), self.now)
        if more:
            return
        for worth, age_s in (("fresh", 0.0), ("resting", 3 * 3600.0), ("unproven", 0.0)):
            self._add(f"{role} {worth}", role, principal, worth != "unproven", age_s, worth)

    def _add(
        self, label: str, kind: str, principal: Principal, proven: bool, age_s: float, worth: str = "fresh"
    ) -> None:
        session = self.door.sessions.begin(principal, "password", proven, self.now - age_s)
        headers = self.page(session)
        self.all.append(Somebody(label, kind, headers, principal.name, worth=worth))

    def mighty(self) -> list[Somebody]:
        """One of each kind, with as much as its kind can have."""
        labels = ("no credentials", "supervisor fresh", "administrator fresh", "officer", "token all")
        return [somebody for somebody in self.all if somebody.label in labels]

    def page(self, session: Secret) -> dict[str, str]:
        """What a browser on the console's own page sends."""
        return {"cookie": f"{SESSION_COOKIE}={session.reveal()}", "origin": "own"}

    def _officer(self) -> None:
        principal = self.door.people.add(
            "test", "delta-2", "officer", ("officer",), self.now, unit="patrol-b"
        )
        _, session = self.door.by_phone_link(self.door.links.make("phone", principal, self.now), self.now)
        self.all.append(Somebody("officer", "officer", self.page(session), "delta-2"))

    def _programs(self) -> None:
        for scope in (*PROGRAM_SCOPES, "all"):
            scopes = PROGRAM_SCOPES if scope == "all" else (scope,)
            program = self.door.people.add("test", f"program-{scope}", "program", (), self.now)
            token = self.door.tokens.make("test", program, "", scopes, self.now)
            headers = {"authorization": f"Bearer {token.reveal()}"}
            self.all.append(Somebody(f"token {scope}", "program", headers, program.name, scopes))
        headers = {"authorization": f"Bearer {LOCAL.reveal()}"}
        self.all.append(Somebody("this machine", "program", headers, "this-machine", ("view-picture",)))

    def _worthless(self) -> None:
        """What was good once, or never."""
        door, now = self.door, self.now
        supervisor = door.people.get("supervisor")
        over = door.sessions.begin(supervisor, "password", True, now - 14 * 3600.0)
        self.all.append(Somebody("an expired session", "nobody", self.page(over)))
        self.all.append(Somebody("an invented session", "nobody", self.page(Secret("vds_" + "A" * 43))))
        gone = door.people.add("test", "gone", "person", ("supervisor", "administrator"), now)
        session = door.sessions.begin(gone, "password", True, now)
        door.people.disable("test", "gone", now)
        self.all.append(Somebody("a disabled account", "nobody", self.page(session)))
        program = door.people.get("program-all")
        token = door.tokens.make("test", program, "", PROGRAM_SCOPES, now)
        door.tokens.revoke("test", door.tokens.all()[-1].id, now)
        for label, text in (("a revoked token", token.reveal()), ("an invented token", "vdt_" + "A" * 43)):
            self.all.append(Somebody(label, "nobody", {"authorization": f"Bearer {text}"}))
        signed_out = door.sessions.begin(supervisor, "password", True, now)
        door.sign_out(signed_out)
        self.all.append(Somebody("signed out", "nobody", self.page(signed_out)))
        good = door.sessions.begin(supervisor, "password", True, now)
        two = {**self.page(good), "authorization": f"Bearer {token.reveal()}"}
        self.all.append(Somebody("two credentials", "nobody", two))


@pytest.fixture
def crowd(tmp_path: Path) -> Iterator[Crowd]:
    door = Doorkeeper(tmp_path / "state", "Testfield", background=True)
    yield Crowd(door)
    door.close()


@pytest.fixture
def at_console(stage, desk, crowd):
    """Run ``scenario(client, desk, server)`` against a console with accounts; a client of each request."""
    other = msgspec.structs.replace(stage.ALERT, alert=OTHERS, units=("patrol-c",), level="warning")
    desk.now = stage.picture(alerts=(stage.shown(stage.ALERT), stage.shown(other)))

    def run(scenario) -> None:
        async def main() -> None:
            entrance = AccountEntrance(crowd.door, LOCAL)
            async with (
                stage.running(desk, entrance=entrance) as server,
                httpx.AsyncClient(base_url=server.url, timeout=60) as client,
            ):
                await scenario(client, desk, server)

        asyncio.run(main())

    return run


def _headers(somebody: Somebody, server: Any) -> dict[str, str]:
    own = server.url.rstrip("/")
    return {name: own if value == "own" else value for name, value in somebody.headers.items()}


def _concrete(path: str) -> str:
    for name, value in EXAMPLE.items():
        path = re.sub(rf"\b{name}\b", value, path)
    return path


def test_the_guide_and_the_app_have_the_same_routes_and_actions(stage, desk, crowd) -> None:
    from vedette.console import create_app

    app = create_app(desk, AccountEntrance(crowd.door), assets={})
    there = set()
    for route in app.routes:
        path = route.path_format.replace("{name}", "NAME").replace("{alert}", "ID")
        methods = {"WebSocket"} if isinstance(route, WebSocketRoute) else set(route.methods) - {"OPTIONS"}
        there |= {(path, method) for method in methods}
    assert there == set(ROUTES)
    assert set(ACTIONS) - {"acknowledge for"} == set(get_args(ActionKind)) == set(NEEDED)
    assert set(DEEDS) == set(ACTIONS)


def test_every_route_for_everybody_by_every_method(at_console, crowd) -> None:
    """Also by methods that a route does not have: nobody gets anything by them."""
    wrong: list[str] = []

    async def scenario(client, desk, server) -> None:
        for path in sorted({path for path, _ in ROUTES if path != "/api/v1/live"}):
            for method in METHODS:
                there = (path, method) in ROUTES
                for somebody in crowd.all if there else crowd.mighty():
                    asked = _headers(somebody, server)
                    concrete = _concrete(path)
                    done = len(desk.actions) + len(desk.receipts)
                    if (path, method) == ("/api/v1/session", "DELETE"):
                        continue
                    answer = await client.request(
                        method, concrete, headers=asked, json=BODIES.get(concrete, {})
                    )
                    acted = len(desk.actions) + len(desk.receipts) > done
                    expected = _expected(path, method, somebody)
                    if not _is(answer, expected) or (acted and expected != "through"):
                        wrong.append(
                            f"{method} {path} {somebody.label}: {answer.status_code}, not {expected}"
                        )

    at_console(scenario)
    assert wrong == []


def _expected(path: str, method: str, somebody: Somebody) -> str:
    takes = ROUTES.get((path, method))
    if takes is None:
        return "no such method"
    if takes == PUBLIC:
        return "public"
    if takes != BY_MATTER:
        return "through" if somebody.may(takes) else "refused"
    if path.endswith("/acknowledge"):
        permission = "acknowledge-own" if somebody.kind == "officer" else "acknowledge-desk"
        return "through" if somebody.may(permission) else "refused"
    return "through" if somebody.may("note") else "refused"


def _is(answer: httpx.Response, expected: str) -> bool:
    """A public route may say that a link or password is wrong, or that nobody is signed in; it never says
    more. One that let somebody through may still not like the body."""
    status = answer.status_code
    if expected == "no such method":
        return status == 405
    if expected == "refused":
        return status in (401, 403) and answer.json()["code"] in ("sign-in", "confirm", "not-permitted")
    if expected == "public":
        return status in (200, 400) or (status in (401, 403) and answer.json()["code"] != "confirm")
    return status in (200, 201, 202, 400)


def test_every_action_for_everybody(at_console, crowd) -> None:
    wrong: list[str] = []

    async def scenario(client, desk, server) -> None:
        for action, fields in DEEDS.items():
            for somebody in crowd.all:
                desk.actions.clear()
                body = {"action": action.partition(" ")[0], **fields}
                answer = await client.post("/api/v1/actions", headers=_headers(somebody, server), json=body)
                may = somebody.may(ACTIONS[action])
                done = [(taken.actor, taken.action) for taken in desk.actions]
                expected = [(somebody.name, body["action"])] if may else []
                if (answer.status_code == 202) is not may or done != expected:
                    wrong.append(f"{action} {somebody.label}: {answer.status_code}, did {done}")

    at_console(scenario)
    assert wrong == []


def test_the_live_picture_for_everybody(at_console, crowd) -> None:
    wrong: list[str] = []

    async def scenario(client, desk, server) -> None:
        address = f"ws://127.0.0.1:{server.port}/api/v1/live"
        for somebody in crowd.all:
            headers = _headers(somebody, server)
            origin = headers.pop("origin", None)
            try:
                async with websockets.connect(address, additional_headers=headers, origin=origin) as socket:
                    seen = msgspec.json.decode(await socket.recv())
            except websockets.InvalidStatus as refused:
                seen = None if refused.response.status_code == 403 else {"units": True}
            if (seen is not None) is not somebody.may("view-picture"):
                wrong.append(f"{somebody.label}: {seen is not None}")
            if seen is not None and bool(seen["units"] or seen["alerts"]) is not somebody.may("view-people"):
                wrong.append(f"{somebody.label}: people")

    at_console(scenario)
    assert wrong == []


def test_people_are_only_in_the_picture_of_those_who_may_see_them(at_console, crowd) -> None:
    async def scenario(client, desk, server) -> None:
        for somebody in crowd.all:
            answer = await client.get("/api/v1/view", headers=_headers(somebody, server))
            if somebody.may("view-picture"):
                assert (b"patrol-b" in answer.content) is somebody.may("view-people"), somebody.label
            else:
                assert b"patrol" not in answer.content

    at_console(scenario)


def test_an_officer_answers_for_his_own_unit_only(at_console, crowd) -> None:
    (officer,) = (somebody for somebody in crowd.all if somebody.kind == "officer")

    async def scenario(client, desk, server) -> None:
        headers = _headers(officer, server)
        for alert, status in ((MINE, 202), (OTHERS, 403), ("nope", 403)):
            answer = await client.post(f"/api/v1/alerts/{alert}/acknowledge", headers=headers)
            assert answer.status_code == status
        (receipt,) = desk.receipts
        assert (receipt.alert, receipt.recipient, receipt.by) == (MINE, "patrol-b", "delta-2")
        assert (receipt.fact, receipt.channel, receipt.revision) == ("acknowledged", "phone", 1)
        assert desk.actions == []

    at_console(scenario)
    assert any("speaks for unit patrol-b only" in words for words in refused_of(crowd, "delta-2"))


def refused_of(crowd: Crowd, name: str) -> list[str]:
    """What the history says that somebody was refused; notes are written beside the loop."""
    crowd.door._clerk.submit(int).result()
    return [e.words for e in crowd.door.store.history() if e.about == name and e.what == "refused"]
