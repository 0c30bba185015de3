"""The door of the page in a real browser: signing in, links, a desk that rests, a security key."""

import asyncio
import base64
import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from vedette.console import AccountEntrance
from vedette.console.assets import NOT_BUILT, STATIC
from vedette.station.access import Doorkeeper, passwords, totp

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 180
"""Only ends a browser that hangs; nothing is measured by it."""
PASSWORD = "seven geese over the river"


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"door_tests_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DEVTOOLS = _load(ROOT / "scripts" / "devtools.py")


class Accounts:
    """Accounts of a site, and what their owners know."""

    def __init__(self, door: Doorkeeper) -> None:
        self.door = door

    def person(self, name: str, *roles: str) -> bytes:
        """Password and code generator, its codes of now still unused; the generator's secret."""
        now = time.time()
        principal = self.door.people.add("test", name, "person", roles, now)
        self.door.factors.set_password("test", principal, PASSWORD, now)
        key = secret_of(self.door.factors.begin_codes(principal).uri.reveal())
        code = totp.hotp(key, totp.counter_at(now) - 1)
        self.door.factors.confirm_codes("test", principal, code, now)
        return key

    def rest(self) -> None:
        """As if nobody had touched any desk for three hours."""
        self.door.store.change("UPDATE sessions SET touched = touched - 10800")


def secret_of(uri: str) -> bytes:
    text = parse_qs(urlsplit(uri).query)["secret"][0]
    return base64.b32decode(text + "=" * (-len(text) % 8))


def code_of(key: bytes, step: int = 0) -> str:
    return totp.hotp(key, totp.counter_at(time.time()) + step)


@pytest.fixture(autouse=True)
def cheap_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", passwords.Cost(64, 1, 1))


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    door = Doorkeeper(tmp_path / "state", "Post 7", background=True)
    yield Accounts(door)
    door.close()


@pytest.fixture
def at_door(stage, desk, accounts, counterpart):
    """Run ``scenario(desk, page, url)`` with the page of a console with accounts, not yet opened. It is
    opened as ``localhost``: security keys belong to a name."""
    chromium = counterpart("chromium")
    if not (STATIC / "index.html").is_file():
        pytest.fail(NOT_BUILT)

    async def main(scenario) -> None:
        entrance = AccountEntrance(accounts.door)
        async with (
            stage.running(desk, assets=None, entrance=entrance) as server,
            DEVTOOLS.browser(chromium) as page,
        ):
            await page.look(1280, 800)
            await scenario(desk, page, server.url.replace("127.0.0.1", "localhost"))

    return lambda scenario: asyncio.run(asyncio.wait_for(main(scenario), LIMIT_S))


async def _fill(page: Any, **fields: str) -> None:
    for name, value in fields.items():
        await page.evaluate(f"document.querySelector('form [name={name}]').focus(), 1")
        await page.type(value)


async def _sign_in(page: Any, url: str, name: str, key: bytes) -> None:
    await page.goto(url)
    await page.wait_for("document.querySelector('form.door [name=code]')")
    await _fill(page, name=name, password=PASSWORD, code=code_of(key))
    await page.press("Enter")
    await page.wait_for("document.querySelector('vedette-map')?.picture?.drawn")


async def _acted(desk: Any) -> Any:
    while not desk.actions:
        await asyncio.sleep(0.05)
    return desk.actions[-1]


def test_who_signs_in_stands_behind_the_acknowledgement(at_door, accounts) -> None:
    key = accounts.person("olga", "watch-officer")

    async def scenario(desk, page, url) -> None:
        await page.goto(url)
        await page.wait_for("document.querySelector('form.door [name=code]')")
        await _fill(page, name="olga", password="not the password", code="000000")
        await page.press("Enter")
        await page.wait_for("document.querySelector('form.door .failed')")
        assert await page.text(".failed") == "The name, the password or the code is wrong."
        assert await page.evaluate("document.querySelector('vedette-desk')") is None
        await _sign_in(page, url, "olga", key)
        assert await page.text("button.actor") == "olga"
        assert await page.evaluate("document.cookie") == "", "no script can read the session"
        await page.click("button.ack")
        action = await _acted(desk)
        assert (action.actor, action.via, action.alert) == ("olga", "console", "a-1")
        await page.goto(url)
        await page.wait_for("document.querySelector('vedette-desk button.actor')")
        await page.click("button.actor")
        await page.wait_for("document.querySelector('dialog.who-dialog').open")
        await page.click("button.sign-out")
        await page.wait_for("document.querySelector('form.door [name=code]')")

    at_door(scenario)


def test_a_desk_that_rests_shows_all_and_asks_before_it_acts(at_door, accounts) -> None:
    key = accounts.person("olga", "watch-officer")

    async def scenario(desk, page, url) -> None:
        await _sign_in(page, url, "olga", key)
        accounts.rest()
        await page.click("button.ack")
        await page.wait_for("document.querySelector('dialog.who-dialog').open")
        assert "Nobody has touched this desk" in await page.text("dialog.who-dialog")
        assert desk.actions == []
        assert await page.text(".link b") == "Live", "the picture goes on"
        await _fill(page, proof="not the password")
        await page.press("Enter")
        await page.wait_for("document.querySelector('dialog .failed')")
        await page.evaluate("document.querySelector('[name=proof]').value = '', 1")
        await _fill(page, proof=PASSWORD)
        await page.press("Enter")
        assert (await _acted(desk)).actor == "olga"
        await page.wait_for("!document.querySelector('dialog.who-dialog').open")

    at_door(scenario)


def test_an_account_that_is_disabled_sees_nothing_more(at_door, accounts) -> None:
    key = accounts.person("olga", "watch-officer")

    async def scenario(desk, page, url) -> None:
        await _sign_in(page, url, "olga", key)
        accounts.door.people.disable("test", "olga", time.time())
        await page.wait_for("document.querySelector('form.door [name=code]')")
        assert "Patrol B" not in await page.evaluate("document.body.innerText")

    at_door(scenario)


def test_a_technician_sees_no_people_and_is_told_so(at_door, accounts) -> None:
    key = accounts.person("tom", "technician")

    async def scenario(desk, page, url) -> None:
        await _sign_in(page, url, "tom", key)
        assert "people and alerts are not shown to you" in await page.text(".banner.unseen")
        assert "Patrol B" not in await page.evaluate("document.body.innerText")
        assert await page.evaluate("document.querySelector('button.ack')") is None

    at_door(scenario)


def test_the_first_administrator_comes_by_the_link_of_the_station(at_door, accounts) -> None:
    link = accounts.door.first_link(time.time())

    async def scenario(desk, page, url) -> None:
        await page.goto(f"{url}first#{link.reveal()}")
        await page.wait_for("document.querySelector('form.door [name=name]')")
        assert await page.evaluate("location.href") == url, "no secret stays in the address bar"
        await _fill(page, name="rosa")
        await page.press("Enter")
        await page.wait_for("document.querySelector('img.qr')?.naturalWidth > 100")
        key = secret_of(await page.text(".uri"))
        await _fill(page, password=PASSWORD, code=code_of(key))
        await page.press("Enter")
        await page.wait_for("document.querySelectorAll('.codes li').length == 10")
        await page.click("button.primary")
        await page.wait_for("document.querySelector('form.door [type=password]')")
        await _fill(page, name="rosa", password=PASSWORD, code=code_of(key, 1))
        await page.press("Enter")
        await page.wait_for("document.querySelector('vedette-desk button.actor')")
        assert not [url for url in page.requests if link.reveal() in url]
        await page.goto("about:blank")
        await page.goto(f"{url}first#{link.reveal()}")
        await page.wait_for("document.querySelector('form.door [name=name]')")
        await _fill(page, name="mallory")
        await page.press("Enter")
        await page.wait_for("document.querySelector('.failed')")
        assert "administrator already" in await page.text(".failed")

    at_door(scenario)


def test_a_security_key_is_added_and_signs_in(at_door, accounts) -> None:
    key = accounts.person("olga", "watch-officer")

    async def scenario(desk, page, url) -> None:
        await _sign_in(page, url, "olga", key)
        await page.command("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "usb", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True,
        }  # fmt: skip
        await page.command("WebAuthn.addVirtualAuthenticator", {"options": options})
        await page.click("button.actor")
        await page.wait_for("document.querySelector('dialog.who-dialog').open")
        await page.click("button.add-key")
        await page.wait_for("document.querySelector('dialog .failed')")
        assert await page.text("dialog .failed") == "The key is registered."
        await page.click("button.sign-out")
        await page.wait_for("document.querySelector('form.door button.by-key')")
        await page.click("button.by-key")
        await page.wait_for("document.querySelector('vedette-map')?.picture?.drawn")
        assert await page.text("button.actor") == "olga"

    at_door(scenario)


def test_a_phone_opens_its_link(at_door, accounts) -> None:
    door, now = accounts.door, time.time()
    officer = door.people.add("test", "delta-2", "officer", ("officer",), now, unit="patrol-b")
    link = door.links.make("phone", officer, now)

    async def scenario(desk, page, url) -> None:
        await page.goto(f"{url}phone#{link.reveal()}")
        await page.wait_for("document.querySelector('form.door h2')?.innerText == 'Signed in: delta-2'")
        answered = await page.evaluate(
            "fetch('/api/v1/alerts/a-1/acknowledge', {method: 'POST'}).then((r) => r.status)"
        )
        assert answered == 202
        (receipt,) = desk.receipts
        assert (receipt.recipient, receipt.by) == ("patrol-b", "delta-2")

    at_door(scenario)
