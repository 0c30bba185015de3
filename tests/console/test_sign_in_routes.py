"""Signing in over HTTP: cookies, waits, desks that rest, links, and what an attacker sends instead."""

import asyncio
import base64
import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import websockets

from vedette.console import AccountEntrance
from vedette.model import VedetteError
from vedette.station.access import Doorkeeper, Principal, Secret, passwords, totp
from vedette.station.access.credentials import DEVICE_COOKIE, SESSION_COOKIE

PASSWORD = "seven geese over the river"
ACK = "/api/v1/alerts/a-1/acknowledge"


@pytest.fixture(autouse=True)
def cheap_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", passwords.Cost(64, 1, 1))


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Doorkeeper]:
    keeper = Doorkeeper(tmp_path / "state", "Testfield", background=True)
    yield keeper
    keeper.close()


def secret_of(uri: str) -> bytes:
    text = parse_qs(urlsplit(uri).query)["secret"][0]
    return base64.b32decode(text + "=" * (-len(text) % 8))


class Person:
    """Somebody with an account, and the browser he uses."""

    def __init__(self, door: Doorkeeper, name: str, *roles: str) -> None:
        now = time.time()
        self.name = name
        self.principal: Principal = door.people.add("test", name, "person", roles, now)
        door.factors.set_password("test", self.principal, PASSWORD, now)
        self.key = secret_of(door.factors.begin_codes(self.principal).uri.reveal())
        door.factors.confirm_codes("test", self.principal, self.code(-1), now)

    def code(self, step: int = 0) -> str:
        return totp.hotp(self.key, totp.counter_at(time.time()) + step)

    def says(self, **changes: str) -> dict[str, str]:
        return {"name": self.name, "password": PASSWORD, "code": self.code(), **changes}


class Browser:
    """Keeps cookies as a browser on loopback does, and names its page as the origin."""

    def __init__(self, server: Any, origin: bool = True) -> None:
        self.client = httpx.AsyncClient(base_url=server.url, timeout=60)
        self.origin = server.url.rstrip("/") if origin else None
        self.cookies: dict[str, str] = {}
        self.raw: list[str] = []

    def headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"cookie": cookies} if cookies else {}
        return {**headers, **({"origin": self.origin} if self.origin else {})}

    async def ask(self, method: str, path: str, json: Any = None) -> httpx.Response:
        answer = await self.client.request(method, path, headers=self.headers(), json=json)
        for raw in answer.headers.get_list("set-cookie"):
            self.raw.append(raw)
            name, _, value = raw.partition(";")[0].partition("=")
            if value:
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return answer

    async def post(self, path: str, json: Any = None) -> httpx.Response:
        return await self.ask("POST", path, {} if json is None else json)


@pytest.fixture
def visit(stage: Any, desk: Any, door: Doorkeeper) -> Callable[[Any], None]:
    """Run ``scenario(browser, desk, server)`` in front of a console with accounts."""

    def run(scenario: Any) -> None:
        async def main() -> None:
            async with stage.running(desk, entrance=AccountEntrance(door)) as server:
                browser = Browser(server)
                try:
                    await asyncio.wait_for(scenario(browser, desk, server), 120)
                finally:
                    await browser.client.aclose()

        asyncio.run(main())

    return run


def history(door: Doorkeeper, what: str = "refused") -> list[str]:
    """Notes are written beside the loop: first those that wait."""
    assert door._clerk is not None
    door._clerk.submit(int).result()
    return [f"{e.about}: {e.words}" for e in door.store.history() if e.what == what]


def test_the_cookies_are_for_this_page_alone(visit: Any, door: Doorkeeper) -> None:
    olga = Person(door, "olga", "watch-officer")

    async def scenario(browser: Browser, desk: Any, server: Any) -> None:
        answer = await browser.post("/api/v1/session", olga.says())
        assert answer.status_code == 200
        assert answer.json()["name"] == "olga"
        assert answer.headers["cache-control"] == "no-store"
        assert set(browser.cookies) == {SESSION_COOKIE, DEVICE_COOKIE}
        for raw in browser.raw:
            parts = {part.strip() for part in raw.split(";")[1:]}
            assert {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"} < parts
            assert raw.startswith("__Host-")
            assert "Domain" not in raw
        assert "vds_" not in answer.text
        who = (await browser.ask("GET", "/api/v1/session")).json()
        assert (who["kind"], who["roles"], who["fresh"]) == ("person", ["watch-officer"], True)
        assert "acknowledge-desk" in who["may"]
        assert "manage-principals" not in who["may"]

    visit(scenario)


def test_the_actor_is_who_is_signed_in(visit: Any, door: Doorkeeper) -> None:
    olga = Person(door, "olga", "watch-officer")

    async def scenario(browser: Browser, desk: Any, server: Any) -> None:
        await browser.post("/api/v1/session", olga.says())
        assert (await browser.post(ACK, {"revision": 1})).json() == {"alert": "a-1", "actor": "olga"}
        assert (await browser.post(ACK, {"actor": "boris"})).status_code == 403
        assert [(a.actor, a.via, a.value) for a in desk.actions] == [("olga", "console", "1")]
        assert (await browser.ask("DELETE", "/api/v1/session")).status_code == 200
        assert SESSION_COOKIE not in browser.cookies
        assert DEVICE_COOKIE in browser.cookies
        assert (await browser.post(ACK)).status_code == 401

    visit(scenario)
    assert "olga: named in a body who acts: actor" in history(door)


def test_a_session_that_was_ended_or_invented_does_nothing_and_stands_in_the_history(
    visit: Any, door: Doorkeeper
) -> None:
    olga = Person(door, "olga", "watch-officer")

    async def scenario(browser: Browser, desk: Any, server: Any) -> None:
        await browser.post("/api/v1/session", olga.says())
        kept = dict(browser.cookies)
        await browser.ask("DELETE", "/api/v1/session")
        for session in (kept[SESSION_COOKIE], "vds_invented", ""):
            browser.cookies[SESSION_COOKIE] = session
            answer = await browser.post(ACK)
            assert (answer.status_code, answer.json()["code"]) == (401, "sign-in")
        assert desk.actions == []

    visit(scenario)
    assert any(f"POST {ACK} from 127.0.0.1: no such session" in words for words in history(door))


@pytest.mark.parametrize("path", [ACK, "/api/v1/actions", "/api/v1/session/here"])
def test_a_session_without_this_page_does_nothing(visit: Any, door: Doorkeeper, path: str) -> None:
    """A page of another site could send with the browser's cookies; what it sends has its own origin, and
    what has none is no browser's."""
    olga = Person(door, "olga", "watch-officer")

    async def scenario(browser: Browser, desk: Any, server: Any) -> None:
        await browser.post("/api/v1/session", olga.says())
        for origin in (None, "https://evil.example", "null"):
            browser.origin = origin
            assert (await browser.post(path)).status_code == 403
        headers = browser.headers()
        address = f"ws://127.0.0.1:{server.port}/api/v1/live"
        with pytest.raises(websockets.InvalidStatus):
            await websockets.connect(address, additional_headers={"cookie": headers["cookie"]})
        assert desk.actions == []

    visit(scenario)
    assert any("a session without a page" in words for words in history(door))


def test_wrong_attempts_wait_and_the_wait_is_told(visit: Any, door: Doorkeeper) -> None:
    olga = Person(door, "olga", "watch-officer")

    async def scenario(browser: Browser, desk: Any, server: Any) -> None:
        codes = []
        for _ in range(8):
            answer = await browser.post("/api/v1/session", olga.says(password="not the password"))
            codes.append(answer.status_code)
        assert codes[0] == 401
        assert codes[-1] == 429
        assert answer.json()["code"] == "wait"
        assert int(answer.headers["retry-after"]) >= answer.json()["wait_s"] > 0
        assert (await browser.post("/api/v1/session", olga.says())).status_code == 429
        assert browser.cookies == {}

    visit(scenario)


def test_a_name_that_nobody_has_is_answered_as_a_wrong_password(visit: Any, door: Doorkeeper) -> None:
    olga = Person(door, "olga", "watch-officer")

    async def scenario(browser: Browser, desk: Any, server: Any) -> None:
        wrong = await browser.post("/api/v1/session", olga.says(password="not the password"))
        nobody = await browser.post("/api/v1/session", olga.says(name="boris"))
        assert wrong.json() == nobody.json()
        assert wrong.status_code == nobody.status_code == 401

    visit(scenario)


def test_a_desk_that_rests_sees_and_acts_again_once_it_is_confirmed(visit: Any, door: Doorkeeper) -> None:
    olga, boris = Person(door, "olga", "watch-officer"), Person(door, "boris", "supervisor")

    async def scenario(browser: Browser, desk: Any, server: Any) -> None:
        await browser.post("/api/v1/session", olga.says())
        door.store.change("UPDATE sessions SET touched = touched - 10800")
        assert (await browser.ask("GET", "/api/v1/view")).status_code == 200
        answer = await browser.post(ACK)
        assert (answer.status_code, answer.json()["code"]) == (403, "confirm")
        assert (await browser.post("/api/v1/session/here")).status_code == 403, "a touch wakes nobody"
        for said in ({"password": "not the password"}, {"code": "000000"}, {"code": boris.code()}, {}):
            answer = await browser.post("/api/v1/session/confirm", said)
            assert (answer.status_code, answer.json()["code"]) == (401, "wrong")
        assert (await browser.post("/api/v1/session/confirm", {"password": PASSWORD})).status_code == 200
        assert (await browser.post(ACK)).status_code == 202
        assert [action.actor for action in desk.actions] == ["olga"]

    visit(scenario)


def test_the_history_and_the_looks_are_for_those_who_may_read_them(visit: Any, door: Doorkeeper) -> None:
    boris = Person(door, "boris", "supervisor")

    async def scenario(browser: Browser, desk: Any, server: Any) -> None:
        await browser.post("/api/v1/session", boris.says())
        await browser.ask("GET", "/api/v1/view")
        history(door)
        entries = (await browser.ask("GET", "/api/v1/access/history")).json()
        assert entries[0]["what"] == "signed-in"
        (look,) = (await browser.ask("GET", "/api/v1/access/reads")).json()
        assert (look["actor"], look["way"], look["reads"]) == ("boris", "picture from 127.0.0.1", 1)
        assert look["units"] == ["patrol-b"]

    visit(scenario)


def test_a_live_picture_is_one_look_of_whoever_sees_people(visit: Any, door: Doorkeeper) -> None:
    olga, tom = Person(door, "olga", "watch-officer"), Person(door, "tom", "technician")

    async def scenario(browser: Browser, desk: Any, server: Any) -> None:
        for person in (olga, tom):
            browser.cookies.clear()
            await browser.post("/api/v1/session", person.says())
            headers = browser.headers()
            address = f"ws://127.0.0.1:{server.port}/api/v1/live"
            cookies = {"cookie": headers["cookie"]}
            async with websockets.connect(
                address, additional_headers=cookies, origin=browser.origin
            ) as socket:
                for _ in range(3):
                    assert ("patrol-b" in str(await socket.recv())) is (person is olga)
                history(door)
                assert len(door.reads.all()) == 1, "written down while it lasts"

    visit(scenario)
    history(door)
    (look,) = door.reads.all()
    assert (look.actor, look.way, look.units) == ("olga", "live picture from 127.0.0.1", ("patrol-b",))


def test_a_live_picture_ends_with_the_session(visit: Any, door: Doorkeeper) -> None:
    olga = Person(door, "olga", "watch-officer")

    async def scenario(browser: Browser, desk: Any, server: Any) -> None:
        await browser.post("/api/v1/session", olga.says())
        address, cookies = (
            f"ws://127.0.0.1:{server.port}/api/v1/live",
            {"cookie": browser.headers()["cookie"]},
        )
        async with websockets.connect(address, additional_headers=cookies, origin=browser.origin) as socket:
            await socket.recv()
            door.people.disable("test", "olga", time.time())
            with contextlib.suppress(websockets.ConnectionClosed):
                async for _ in socket:
                    continue
        assert socket.close_code == 4401

    visit(scenario)


def test_a_store_that_cannot_be_read_darkens_no_desk_and_lets_nobody_act(
    visit: Any, door: Doorkeeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    olga = Person(door, "olga", "watch-officer")

    def broken(*_: object) -> None:
        raise VedetteError("disk I/O error")

    async def scenario(browser: Browser, desk: Any, server: Any) -> None:
        await browser.post("/api/v1/session", olga.says())
        address = f"ws://127.0.0.1:{server.port}/api/v1/live"
        cookies = {"cookie": browser.headers()["cookie"]}
        async with websockets.connect(address, additional_headers=cookies, origin=browser.origin) as socket:
            await socket.recv()
            monkeypatch.setattr(door.sessions, "find", broken)
            for _ in range(4):
                assert "patrol-b" in str(await socket.recv())
            answer = await browser.post(ACK)
            assert (answer.status_code, desk.actions) == (503, [])
            assert "cannot be looked up now: disk I/O error" in answer.json()["detail"]
            assert (await browser.ask("GET", "/api/v1/session")).status_code == 503

    visit(scenario)


def test_links_begin_accounts_and_phones_and_are_good_once(visit: Any, door: Doorkeeper) -> None:
    link = door.first_link(time.time())
    assert link is not None

    async def scenario(browser: Browser, desk: Any, server: Any) -> None:
        bad = await browser.post("/api/v1/first", {"link": "vdl_invented", "name": "rosa"})
        assert (bad.status_code, bad.json()["code"]) == (401, "wrong")
        made = (await browser.post("/api/v1/first", {"link": link.reveal(), "name": "rosa"})).json()
        setup = (await browser.post("/api/v1/set-up", {"link": made["link"]})).json()
        assert setup["name"] == "rosa"
        assert base64.b64decode(setup["picture"].partition(",")[2]).startswith(b"<?xml")
        key = secret_of(setup["uri"])
        code = totp.hotp(key, totp.counter_at(time.time()))
        easy = {"link": made["link"], "password": "rosa", "code": code}
        assert (await browser.post("/api/v1/set-up/finish", easy)).status_code == 400
        done = await browser.post("/api/v1/set-up/finish", {**easy, "password": PASSWORD})
        assert done.status_code == 201
        paper = done.json()["codes"]
        assert len(paper) == 10
        used = {"link": made["link"]}
        assert (await browser.post("/api/v1/set-up", used)).status_code == 401
        assert (await browser.post("/api/v1/set-up/finish", {**easy, **used})).status_code == 401
        said = {"name": "rosa", "password": PASSWORD, "code": paper[0]}
        assert (await browser.post("/api/v1/session", said)).status_code == 200
        assert (await browser.post("/api/v1/session", said)).status_code == 401, (
            "a code from paper is good once"
        )

    visit(scenario)


def test_a_phone_stays_signed_in_for_its_own_time(visit: Any, door: Doorkeeper) -> None:
    officer = door.people.add("test", "delta-2", "officer", ("officer",), time.time(), unit="patrol-b")
    link = door.links.make("phone", officer, time.time())

    async def scenario(browser: Browser, desk: Any, server: Any) -> None:
        answer = await browser.post("/api/v1/phone", {"link": link.reveal()})
        assert (answer.json()["kind"], answer.json()["unit"]) == ("officer", "patrol-b")
        assert f"Max-Age={180 * 86400}" in browser.raw[0]
        assert (await browser.post("/api/v1/phone", {"link": link.reveal()})).status_code == 401
        assert (await browser.ask("GET", "/api/v1/view")).status_code == 403

    visit(scenario)


def test_a_body_with_a_password_is_never_repeated(visit: Any, door: Doorkeeper) -> None:
    async def scenario(browser: Browser, desk: Any, server: Any) -> None:
        for body in ({"name": "olga", "passwort": PASSWORD}, {"name": 7, "password": PASSWORD}, [PASSWORD]):
            answer = await browser.post("/api/v1/session", body)
            assert answer.status_code == 400
            assert "geese" not in answer.text

    visit(scenario)
    assert not any("geese" in words for words in history(door))


def test_a_demo_has_no_accounts_and_says_so(stage: Any, desk: Any) -> None:
    async def main() -> None:
        async with stage.running(desk) as server:
            browser = Browser(server)
            who = (await browser.ask("GET", "/api/v1/session")).json()
            assert (who["name"], who["method"], who["fresh"]) == ("demo-desk", "demo", True)
            answer = await browser.post("/api/v1/session", {"name": "a", "password": "b"})
            assert answer.status_code == 404
            assert "demo" in answer.json()["detail"]
            await browser.client.aclose()

    asyncio.run(main())


def test_the_token_of_this_machine_shows_no_people(stage: Any, desk: Any, door: Doorkeeper) -> None:
    async def main() -> None:
        entrance = AccountEntrance(door, Secret("vdm_here"))
        async with stage.running(desk, entrance=entrance) as server, httpx.AsyncClient() as client:
            for token, status in (("vdm_here", 200), ("vdm_there", 401), ("vdm_", 401)):
                headers = {"authorization": f"Bearer {token}"}
                answer = await client.get(f"{server.url}api/v1/view", headers=headers)
                assert answer.status_code == status
                assert "patrol-b" not in answer.text
            acted = await client.post(f"{server.url}{ACK[1:]}", headers={"authorization": "Bearer vdm_here"})
            assert acted.status_code == 403

    asyncio.run(main())
    assert desk.actions == []
