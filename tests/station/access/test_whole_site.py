"""A whole station with accounts and phones by certificate, and who stands behind what was acknowledged."""

import asyncio
import contextlib
import importlib.util
import json
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from station_build import StationProcess, replay_is_equal

from vedette.model import Receipt
from vedette.model.event import Action
from vedette.station.access import Doorkeeper
from vedette.station.access.authority import FOLDER, make_authority, write_private
from vedette.station.access.credentials import SESSION_COOKIE
from vedette.station.access.enrolment import enrol_officer, revoke_officer
from vedette.station.access.package import Server

BRAVO = "VEDETTE-EXERCISE-BRAVO"
CONFIG = """
[site]
name = "Dry Wash"
lat_deg = 31.45
lon_deg = -110.9
alt_m = 1150.0
alt_datum = "wgs84-ellipsoid"

[clock]
speed = 5.0

[console]
listen = "127.0.0.1:0"

[[feed]]
name = "exercise"
url = "sim:desert-run"

[[feed]]
name = "phones"
url = "cot+tls-listen://127.0.0.1:{port}"
ca_file = "state/access/authority/ca.crt"
cert_file = "server.crt"
key_file = "server.key"
"""


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"whole_site_{path.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PEERS = _load(Path(__file__).resolve().parents[1] / "peers" / "conftest.py")
PACKAGE = _load(Path(__file__).with_name("test_package.py"))


class Site:
    """The folder of a site with an authority, a desk and three officers; and what they can do to it."""

    def __init__(self, folder: Path) -> None:
        self.folder, now = folder, time.time()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "vedette.toml").write_text(CONFIG.format(port=self.port))
        self.door = Doorkeeper(folder / "state", "Dry Wash")
        self.issuer = make_authority(self.door.folder / FOLDER, "Dry Wash", now).unlock()
        own = self.issuer.issue("localhost", "server", now, hosts=("localhost",))
        write_private(folder / "server.crt", own.certificate_pem())
        write_private(folder / "server.key", own.key_pem())
        self.phones = {
            name: self._phone(name, unit)
            for name, unit in (("bravo-lead", BRAVO), ("charlie", "ANDROID-C"), ("lost", "ANDROID-L"))
        }
        self.desk = self._session("olga", "watch-officer")
        self.technician = self._session("tom", "technician")

    def _phone(self, name: str, unit: str) -> Any:
        server = Server("localhost", self.port, "Dry Wash")
        made = enrol_officer(
            self.door, self.issuer, "test", name, server, self.folder, time.time(), unit=unit
        )
        return PACKAGE.Package(made.package.read_bytes()).context(self.folder / name)

    def _session(self, name: str, role: str) -> str:
        person = self.door.people.add("test", name, "person", (role,), time.time())
        return self.door.sessions.begin(person, "password", True, time.time()).reveal()


async def until(condition: Callable[[], bool], what: str) -> None:
    """As that of the peers' tests, with time for a station to compile what it computes with."""
    for _ in range(10):
        if condition():
            return
        with contextlib.suppress(AssertionError):
            await PEERS.until(condition, what)
    raise AssertionError(what)


def ask(page: str, path: str, session: str | None, body: Any = None) -> tuple[int, Any]:
    """One request of a browser on the page; what is answered."""
    headers = {"origin": page.rstrip("/")}
    if session is not None:
        headers["cookie"] = f"{SESSION_COOKIE}={session}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(page + path, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.door.close()


def test_every_acknowledgement_has_somebody_behind_it(site: Site) -> None:
    """The officer at risk answers by phone; others try to answer for him, by phone and by page."""

    async def scenario(station: StationProcess) -> str:
        await until(lambda: station.page() is not None, f"it runs: {station.said()}")
        page = str(station.page())
        assert "first#" in station.said()
        assert ask(page, "api/v1/view", None)[0] == 401
        bravo, charlie = PEERS.TakClient(BRAVO, "BRAVO"), PEERS.TakClient("ANDROID-C", "CHARLIE")
        lost, thief = PEERS.TakClient("ANDROID-L", "LOST"), PEERS.TakClient(BRAVO, "BRAVO")
        await lost.connect("127.0.0.1", site.port, site.phones["lost"])
        lost.send(lost.report(lat_deg=31.9, lon_deg=-110.2))
        await bravo.connect("127.0.0.1", site.port, site.phones["bravo-lead"])
        await charlie.connect("127.0.0.1", site.port, site.phones["charlie"])
        await thief.connect("127.0.0.1", site.port, site.phones["charlie"])
        thief.send(thief.report())
        await until(thief.closed.is_set, "another's certificate does not take over a unit")
        charlie.send(charlie.report(lat_deg=31.9, lon_deg=-110.2))
        bravo.send(await _where(page, bravo))
        await until(lambda: bool(bravo.chats()), f"the warning: {station.said()}")
        alert = bravo.chats()[0]
        forged = bravo.receipt(alert, "b-t-f-r")
        charlie.send(forged, bravo.chat("VEDETTE-phones", "VEDETTE", "roger"))
        views = ask(page, "api/v1/view", site.desk)[1]["alerts"]
        shown = next(view for view in views if BRAVO in view["alert"]["units"])
        name = str(shown["alert"]["alert"])
        path = f"api/v1/alerts/{name}/acknowledge"
        for session, status in ((None, 401), ("vds_invented", 401), (site.technician, 403)):
            assert ask(page, path, session, {})[0] == status
        assert ask(page, path, site.desk, {"actor": "bravo-lead"})[0] == 403
        revoke_officer(site.door, "test", "lost", "key-compromise", time.time())
        await until(lost.closed.is_set, "the lost phone is cut off while it is connected")
        bravo.callsign = "THE CHIEF"
        bravo.send(bravo.chat("VEDETTE-phones", "VEDETTE", "roger"))
        await _acknowledged(page, name, "bravo-lead")
        assert ask(page, "api/v1/actions", site.desk, {"action": "confirm", "alert": name})[0] == 202
        for client in (bravo, charlie, lost, thief):
            await client.close()
        return name

    async def _where(page: str, phone: Any) -> Any:
        """The unit's report, from where the exercise has it."""
        for _ in range(600):
            units = (await asyncio.to_thread(ask, page, "api/v1/view", site.desk))[1]["units"]
            found = [unit for unit in units if unit["unit"] == BRAVO and "lat_deg" in unit]
            if found:
                return phone.report(lat_deg=found[0]["lat_deg"], lon_deg=found[0]["lon_deg"])
            await asyncio.sleep(0.1)
        raise AssertionError("the exercise has no patrol")

    async def _acknowledged(page: str, alert: str, by: str) -> None:
        for _ in range(600):
            views = (await asyncio.to_thread(ask, page, "api/v1/view", site.desk))[1]["alerts"]
            who = [view["alert"].get("acknowledged_by") for view in views if view["alert"]["alert"] == alert]
            if who != [None]:
                assert who == [by]
                return
            await asyncio.sleep(0.1)
        raise AssertionError("nobody has acknowledged")

    station = StationProcess(site.folder / "vedette.toml", site.folder / "station.log")
    try:
        alert = asyncio.run(scenario(station))
    finally:
        code = station.stop()
    assert code == 0, station.said()
    bodies = [event.body for event in replay_is_equal(site.folder / "state")]
    taken = [b for b in bodies if isinstance(b, Receipt) and b.alert == alert and b.fact == "acknowledged"]
    assert {(receipt.recipient, receipt.by) for receipt in taken} == {(BRAVO, "bravo-lead")}
    assert [(b.actor, b.action, b.via) for b in bodies if isinstance(b, Action)] == [
        ("olga", "confirm", "console")
    ]
    refused = [
        f"{entry.about}: {entry.words}" for entry in site.door.store.history() if entry.what == "refused"
    ]
    for words in (
        f"charlie: claimed unit '{BRAVO}'",
        f"charlie: phones: spoke for another unit than ANDROID-C: '{BRAVO}'",
        "olga: named in a body who acts: actor",
        "tom: acknowledge-desk",
        "lost: phones: cut off: a revoked certificate",
    ):
        assert any(words in one for one in refused), words
    assert {look.actor for look in site.door.reads.all()} == {"olga"}
    assert b"first#" not in b"".join(
        path.read_bytes() for path in (site.folder / "state").glob("events.log*")
    )
