"""From the headers of a request to who it is, and a real browser that keeps what it is given."""

import asyncio
import contextlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.station.access.credentials import (
    DEVICE_COOKIE,
    SESSION_COOKIE,
    Credentials,
    authenticate,
    forgotten_by_browser,
    kept_by_browser,
    shown,
)
from vedette.station.access.doorkeeper import Doorkeeper
from vedette.station.access.refusal import Refused
from vedette.station.access.secret import Secret, random_secret

T0 = 1_790_000_000.0
ROOT = Path(__file__).resolve().parents[3]

Desk = Any


def cookie(text: str) -> tuple[bytes, bytes]:
    return b"cookie", text.encode("latin-1")


def test_a_browser_and_a_program_are_known(door: Doorkeeper, desk: Desk) -> None:
    signed = door.sign_in(desk.attempt(T0), T0)
    session, device = signed.session.reveal(), signed.device.reveal()
    given_ = shown([cookie(f"theme=night; {SESSION_COOKIE}={session}; {DEVICE_COOKIE}={device}")])
    assert authenticate(door, given_, T0 + 1) == signed.who
    assert given_.device == signed.device
    program = door.people.add("test", "radar", "program", (), T0)
    token = door.tokens.make("test", program, "", ("export",), T0)
    header = (b"Authorization", b"BEARER " + token.reveal().encode())
    assert authenticate(door, shown([header]), T0 + 1).actor == "radar"


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [cookie("")],
        [cookie(f"{SESSION_COOKIE}=")],
        [cookie(f"x{SESSION_COOKIE}=vds_a")],
        [cookie(f"{SESSION_COOKIE}=" + "a" * 5000)],
        [(b"authorization", b"Basic YTpi")],
        [(b"authorization", b"Bearer ")],
        [(b"x-authorization", b"Bearer vdt_a")],
        [cookie(f"{SESSION_COOKIE}=vds_a"), cookie(f"{SESSION_COOKIE}=vds_b")],
        [cookie(f"{SESSION_COOKIE}=vds_a; {SESSION_COOKIE}=vds_a")],
        [cookie(f"{SESSION_COOKIE}=vds_a"), (b"authorization", b"Bearer vdt_a")],
        [(b"authorization", b"Bearer vdt_a"), (b"authorization", b"Bearer vdt_a")],
        [cookie(f"{DEVICE_COOKIE}=a"), cookie(f"{DEVICE_COOKIE}=b")],
    ],
)
def test_what_says_nothing_or_two_things_is_refused(
    door: Doorkeeper, headers: list[tuple[bytes, bytes]]
) -> None:
    with pytest.raises(Refused):
        authenticate(door, shown(headers), T0)


@given(st.lists(st.tuples(st.sampled_from([b"cookie", b"authorization", b"host"]), st.binary(max_size=80))))
def test_any_headers_are_read_or_refused(headers: list[tuple[bytes, bytes]]) -> None:
    with contextlib.suppress(Refused):
        assert isinstance(shown(headers), Credentials)


def test_what_a_browser_keeps_cannot_be_read_by_a_page_or_sent_from_another() -> None:
    secret = random_secret("vds_")
    desk, phone = kept_by_browser(SESSION_COOKIE, secret), kept_by_browser(SESSION_COOKIE, secret, phone=True)
    for header in (desk, phone, kept_by_browser(DEVICE_COOKIE, secret), forgotten_by_browser(SESSION_COOKIE)):
        attributes = header.split("; ")[1:]
        assert {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"} <= set(attributes)
        assert not any(one.startswith("Domain") for one in attributes)
    assert "Max-Age=46800" in desk
    assert "Max-Age=15552000" in phone
    assert secret.reveal() in desk
    assert "Max-Age=0" in forgotten_by_browser(SESSION_COOKIE)


@pytest.mark.counterpart
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_real_browser_keeps_it_on_loopback_and_forgets_it(
    counterpart: Callable[[str], str], host: str
) -> None:
    path = ROOT / "scripts" / "devtools.py"
    spec = importlib.util.spec_from_file_location("vedette_devtools_credentials", path)
    assert spec is not None
    assert spec.loader is not None
    devtools = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(devtools)
    chromium, secret, seen = counterpart("chromium"), random_secret("vds_"), []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError):
            request = await reader.readuntil(b"\r\n\r\n")
            first, *lines = request.decode("latin-1").rstrip().split("\r\n")
            headers = [tuple(part.encode() for part in line.split(": ", 1)) for line in lines]
            where = first.split()[1]
            if where in ("/in", "/look", "/out"):
                seen.append((where, shown(headers).session))  # type: ignore[arg-type]
            kept = {
                "/in": kept_by_browser(SESSION_COOKIE, secret),
                "/out": forgotten_by_browser(SESSION_COOKIE),
            }.get(where)
            extra = f"set-cookie: {kept}\r\n" if kept else ""
            head = (
                f"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n{extra}content-length: 4\r\nconnection: close"
            )
            writer.write(f"{head}\r\n\r\npage".encode())
            await writer.drain()
        writer.close()

    async def main() -> str:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        try:
            port = server.sockets[0].getsockname()[1]
            async with devtools.browser(chromium) as page:
                for where in ("in", "look", "out", "look"):
                    await page.goto(f"http://{host}:{port}/{where}")
                    await page.wait_for(
                        f"location.pathname == '/{where}' && document.body?.innerText == 'page'"
                    )
                    told = await page.evaluate("document.cookie")
                return str(told)
        finally:
            server.close()

    assert asyncio.run(asyncio.wait_for(main(), 180)) == ""
    assert seen == [("/in", None), ("/look", Secret(secret.reveal())), ("/out", secret), ("/look", None)]
