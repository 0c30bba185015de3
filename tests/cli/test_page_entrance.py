"""By which entrance the page of a station is opened: off this machine by TLS and with accounts, or not."""

import asyncio
import importlib.util
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import msgspec
import pytest

from vedette.cli.page import open_page
from vedette.model import Site
from vedette.station.access import Doorkeeper
from vedette.station.access.authority import FOLDER, Issuer, make_authority, write_private
from vedette.station.access.local import FILE
from vedette.station.config import ConsoleConfig, StationConfig, check
from vedette.station.doctor.console import ask_console

SITE = Site(name="Testfield", lat_deg=31.45, lon_deg=-110.9, alt_m=1150.0, alt_datum="wgs84-ellipsoid")


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"page_entrance_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DESK = _load(Path(__file__).resolve().parents[1] / "console" / "desk.py")


class Station:
    """A state folder with accounts and certificates, and what its page would show."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.desk = folder, DESK.Desk()
        self.door = Doorkeeper(folder / "state", "Testfield", background=True)
        self.issuer: Issuer = make_authority(self.door.folder / FOLDER, "Testfield", time.time()).unlock()
        self.server("page", self.issuer)

    def server(self, name: str, issuer: Issuer) -> dict[str, str]:
        pair = issuer.issue("localhost", "server", time.time(), hosts=("localhost", "127.0.0.1"))
        write_private(self.folder / f"{name}.crt", pair.certificate_pem())
        write_private(self.folder / f"{name}.key", pair.key_pem())
        return {"cert_file": f"{name}.crt", "key_file": f"{name}.key"}

    def config(self, **console: Any) -> StationConfig:
        config = StationConfig(site=SITE, state="state", console=ConsoleConfig(**console))
        return check(config, "test", self.folder)

    def administrator(self) -> None:
        self.door.people.add("test", "rosa", "person", ("administrator",), time.time())


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    made = Station(tmp_path)
    yield made
    made.door.close()


async def _open(station: Station, config: StationConfig) -> Any:
    return await open_page(config, station.desk, station.door)


TLS = {"cert_file": "page.crt", "key_file": "page.key"}


def test_off_this_machine_it_is_served_by_tls_and_with_accounts(
    station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    station.administrator()
    config = station.config(listen="0.0.0.0:0", **TLS)
    trusted = ssl.create_default_context(cafile=str(station.door.folder / FOLDER / "ca.crt"))

    async def main() -> None:
        page = await _open(station, config)
        assert page.url == f"https://localhost:{page.port}/"
        try:
            async with httpx.AsyncClient(verify=trusted) as client:
                assert (await client.get(page.url + "healthz")).status_code == 200
                assert (await client.get(page.url + "api/v1/view")).status_code == 401
                foreign = {"host": f"evil.example:{page.port}"}
                assert (await client.get(page.url + "healthz", headers=foreign)).status_code == 403
                plain = f"http://localhost:{page.port}"
                answer = await client.get(page.url + "healthz", headers={"origin": plain})
                assert answer.status_code == 403
        finally:
            await page.stop()

    asyncio.run(main())
    assert "first#" not in capsys.readouterr().err


@pytest.mark.parametrize("fault", ["nobody", "foreign", "pretended", "missing"])
def test_off_this_machine_it_is_refused_in_words(
    station: Station, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    files = TLS
    if fault != "nobody":
        station.administrator()
    if fault in ("foreign", "pretended"):
        name = "Elsewhere" if fault == "foreign" else "Testfield"
        foreign = make_authority(station.folder / "foreign", name, time.time()).unlock()
        files = station.server("foreign", foreign)
    elif fault == "missing":
        (station.folder / "page.crt").unlink()
    config = station.config(listen="0.0.0.0:0", **files)
    assert asyncio.run(_open(station, config)) is None
    words = {
        "nobody": "nobody has an account yet: vedette user add",
        "foreign": "no certificate of this site's authority",
        "pretended": "not a certificate of this site's authority",
        "missing": "No such file",
    }
    said = capsys.readouterr().err
    assert said.startswith("NO PAGE: ")
    assert words[fault] in said


def test_the_first_start_shows_a_link_until_there_is_an_administrator(
    station: Station, capsys: pytest.CaptureFixture[str]
) -> None:
    async def main() -> None:
        page = await _open(station, station.config(listen="127.0.0.1:0"))
        try:
            said = capsys.readouterr().err
            link = said.partition("first#")[2].split()[0]
            assert f"The first administrator: {page.url}first#vdl_" in said
            async with httpx.AsyncClient() as client:
                body = {"link": link, "name": "rosa"}
                answer = await client.post(page.url + "api/v1/first", json=body)
            assert answer.status_code == 201
        finally:
            await page.stop()
        again = await _open(station, station.config(listen="127.0.0.1:0"))
        await again.stop()

    asyncio.run(main())
    assert "first#" not in capsys.readouterr().err
    assert [person.name for person in station.door.people.administrators()] == ["rosa"]


def test_a_demo_desk_is_marked(station: Station, capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        page = await _open(station, station.config(listen="127.0.0.1:0", demo_desk=True))
        async with httpx.AsyncClient() as client:
            answer = await client.get(page.url + "api/v1/session")
        await page.stop()
        assert answer.json()["name"] == "demo-desk"

    asyncio.run(main())
    said = capsys.readouterr().err
    assert said.startswith("DEMO DESK: ")
    assert "first#" not in said


@pytest.mark.parametrize("secure", [False, True])
def test_doctor_asks_a_station_with_accounts(station: Station, secure: bool) -> None:
    station.administrator()
    config = station.config(listen="0.0.0.0:0" if secure else "127.0.0.1:0", **(TLS if secure else {}))

    async def main() -> None:
        page = await _open(station, config)
        port = msgspec.structs.replace(
            config.console, listen=f"{'0.0.0.0' if secure else '127.0.0.1'}:{page.port}"
        )
        here = msgspec.structs.replace(config, console=port)
        try:
            finding, view = await asyncio.to_thread(ask_console, here)
            assert finding.verdict == "good"
            assert view is not None
            assert view.feeds == station.desk.now.feeds
            assert view.units == ()
            (station.door.folder / FILE).write_text("vdm_of-another-start")
            finding, view = await asyncio.to_thread(ask_console, here)
            assert (finding.verdict, view) == ("bad", None)
            assert "does not know this user" in finding.found
        finally:
            await page.stop()

    asyncio.run(main())
    assert (station.door.folder / FILE).stat().st_mode & 0o077 == 0
