"""The station's own listener for phones: who is behind a certificate, and that nobody else is heard."""

import asyncio
import contextlib
import importlib.util
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uvloop

from vedette.model import Alert, ConfigError
from vedette.model.event import Deliver
from vedette.station.access.authority import FOLDER, Issuer, make_authority, write_private
from vedette.station.access.doorkeeper import Doorkeeper
from vedette.station.access.enrolment import enrol_officer, revoke_officer
from vedette.station.access.package import Server
from vedette.station.peers.tak_listener import TakListenerPeer
from vedette.wire.cot import CotEvent

SERVER = Server("localhost", 8089, "Testfield")
Loop = Callable[[], asyncio.AbstractEventLoop]


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"members_{path.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PEERS = _load(Path(__file__).resolve().parents[1] / "peers" / "conftest.py")
PACKAGE = _load(Path(__file__).with_name("test_package.py"))
until = PEERS.until


class Field:
    """A listener with the site's certificates, phones with their packages, and strangers."""

    def __init__(self, door: Doorkeeper, folder: Path) -> None:
        self.door, self.folder, self.hub = door, folder, PEERS.RecordingHub()
        self.issuer: Issuer = make_authority(door.folder / FOLDER, "Testfield", time.time()).unlock()
        self.ca = door.folder / FOLDER / "ca.crt"
        own = self.issuer.issue("localhost", "server", time.time(), hosts=("localhost",))
        self.write("server", own)
        self.peer = self.listener()

    def write(self, name: str, pair: Any) -> tuple[Path, Path]:
        paths = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        write_private(paths[0], pair.certificate_pem())
        write_private(paths[1], pair.key_pem())
        return paths

    def listener(self, ca: Path | None = None) -> TakListenerPeer:
        return TakListenerPeer(
            "phones",
            "cot+tls-listen://127.0.0.1:0",
            cafile=str(ca or self.ca),
            certfile=str(self.folder / "server.crt"),
            keyfile=str(self.folder / "server.key"),
            door=self.door,
        )

    def phone_tls(self, name: str, unit: str | None = None) -> ssl.SSLContext:
        made = enrol_officer(
            self.door, self.issuer, "test", name, SERVER, self.folder, time.time(), unit=unit
        )
        context: ssl.SSLContext = PACKAGE.Package(made.package.read_bytes()).context(self.folder / name)
        return context

    def machine_tls(self, name: str) -> ssl.SSLContext:
        pair = self.issuer.issue(name, "client", time.time())
        self.door.register.add("test", pair.certificate, "client", None, time.time())
        return self.tls(*self.write(name, pair))

    def tls(self, certificate: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ca))
        if certificate is not None:
            context.load_cert_chain(certificate, key)
        return context

    def reasons(self) -> set[str]:
        return {reason for _, reason, _ in self.hub.quarantined}

    def history(self) -> str:
        return "\n".join(
            f"{entry.about}: {entry.words}" for entry in self.door.store.history() if entry.what == "refused"
        )

    def deliver(self, unit: str, name: str = "a-1") -> Awaitable[None]:
        at = self.hub.clock.now()
        alert = Alert(
            time=at, alert=name, revision=1, level="warning", state="active-unacked", units=(unit,),
            track="t17", behaviour="closing", expires=at + 60.0, bearing_deg=37.0, range_m=500.0,
            text={"en": f"Drone closing on {unit}."},
        )  # fmt: skip
        delivery = Deliver(alert=alert, recipients=(unit,), rule="at-risk", roster_version=1)
        return self.peer.deliver(delivery, unit)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.peer.run(self.hub))
        await until(lambda: self.peer.port is not None, "it listens")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def client(self, uid: str, tls: ssl.SSLContext, *said: CotEvent) -> AsyncIterator[Any]:
        client = PEERS.TakClient(uid, f"CALL-{uid}")
        await client.connect("127.0.0.1", self.peer.port, tls)
        client.send(*(said or (client.report(),)))
        try:
            yield client
        finally:
            await client.close()


@pytest.fixture
def field(door: Doorkeeper, tmp_path: Path) -> Field:
    return Field(door, tmp_path)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Any], None]:
    """Run a coroutine on each of the two event loops that a station may have."""

    def go(work: Any) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(work)

    return go


def test_an_officer_answers_in_his_own_name(field: Field, run: Callable[[Any], None]) -> None:
    tls = field.phone_tls("delta-2", "ANDROID-1")

    async def main() -> None:
        async with field.open(), field.client("ANDROID-1", tls) as phone:
            await until(lambda: field.peer.reaches("ANDROID-1"), "heard")
            await field.deliver("ANDROID-1")
            await until(lambda: len(phone.chats()) == 1, "the alert")
            phone.callsign = "THE CHIEF"
            phone.send(phone.receipt(phone.chats()[0], "b-t-f-r"))
            phone.send(phone.chat("VEDETTE-phones", "VEDETTE", "roger"))
            await until(lambda: len(field.hub.receipts) == 3, "the receipts")

    run(main())
    assert {(r.fact, r.by) for r in field.hub.receipts} == {
        ("accepted", None),
        ("shown", "delta-2"),
        ("acknowledged", "delta-2"),
    }


def test_a_certificate_speaks_for_one_unit_and_the_first_claim_stays(
    field: Field, run: Callable[[Any], None]
) -> None:
    """Also after a restart: the binding stands in the register."""
    delta, echo = field.phone_tls("delta-2"), field.phone_tls("echo-1", "ANDROID-2")

    async def main() -> None:
        async with field.open():
            async with field.client("ANDROID-1", delta):
                await until(lambda: field.peer.reaches("ANDROID-1"), "bound by its first report")
            async with field.client("ANDROID-1", echo) as thief:
                await until(thief.closed.is_set, "somebody else's unit")
        field.peer = field.listener()
        async with field.open(), field.client("ANDROID-3", delta) as other:
            await until(other.closed.is_set, "another unit than its own")

    run(main())
    assert field.door.people.get("delta-2").unit == "ANDROID-1"
    assert {report.unit for report in field.hub.units} == {"ANDROID-1"}
    assert field.reasons() == {"unit-of-another"}
    assert "echo-1: claimed unit 'ANDROID-1'" in field.history()
    assert "delta-2: claimed unit 'ANDROID-3'" in field.history()


def test_two_phones_of_one_officer_do_not_claim_two_units(field: Field, run: Callable[[Any], None]) -> None:
    """Both came in before either has said who it is."""
    tls = field.phone_tls("delta-2")
    ping = PEERS.TakClient("x", "x").report(type="t-x-c-t", uid="x-ping")

    async def main() -> None:
        async with (
            field.open(),
            field.client("ANDROID-1", tls, ping) as one,
            field.client("ANDROID-2", tls, ping) as two,
        ):
            await until(lambda: field.hub.live["phones"] == 2, "both are in")
            one.send(one.report())
            await until(lambda: field.peer.reaches("ANDROID-1"), "the first claim")
            two.send(two.report())
            await until(two.closed.is_set, "the second claim")

    run(main())
    assert field.door.people.get("delta-2").unit == "ANDROID-1"
    assert [report.unit for report in field.hub.units] == ["ANDROID-1"]


def test_an_officer_who_is_given_another_unit_is_that_one_from_now_on(
    field: Field, run: Callable[[Any], None]
) -> None:
    tls = field.phone_tls("delta-2", "ANDROID-1")

    async def main() -> None:
        async with field.open():
            async with field.client("ANDROID-1", tls) as phone:
                await until(lambda: field.peer.reaches("ANDROID-1"), "heard")
                field.door.people.bind_unit("test", "delta-2", "ANDROID-9", time.time())
                await until(phone.closed.is_set, "no longer that unit")
            async with field.client("ANDROID-9", tls):
                await until(lambda: field.peer.reaches("ANDROID-9"), "the new one")

    run(main())


def test_an_acknowledgement_or_a_place_of_another_unit_is_refused_and_logged(
    field: Field, run: Callable[[Any], None]
) -> None:
    one, two = field.phone_tls("delta-2", "ANDROID-1"), field.phone_tls("echo-1", "ANDROID-2")

    async def main() -> None:
        async with (
            field.open(),
            field.client("ANDROID-1", one) as delta,
            field.client("ANDROID-2", two) as echo,
        ):
            await until(lambda: len(field.hub.units) == 2, "both heard")
            await field.deliver("ANDROID-1")
            await until(lambda: len(delta.chats()) == 1, "the alert")
            echo.uid = "ANDROID-1"
            echo.send(echo.receipt(delta.chats()[0], "b-t-f-r"))
            echo.send(echo.chat("VEDETTE-phones", "VEDETTE", "roger"), echo.report(lat_deg=10.0))
            await until(lambda: len(field.hub.quarantined) == 3, "all three refused")

    run(main())
    assert field.reasons() == {"not-its-own-unit"}
    assert [receipt.fact for receipt in field.hub.receipts] == ["accepted"]
    assert len(field.hub.units) == 2
    assert "echo-1: phones: spoke for another unit than ANDROID-2: 'ANDROID-1'" in field.history()


def test_a_revoked_phone_is_cut_off_while_it_is_connected(field: Field, run: Callable[[Any], None]) -> None:
    tls = field.phone_tls("delta-2", "ANDROID-1")

    async def main() -> None:
        async with field.open(), field.client("ANDROID-1", tls) as phone:
            await until(lambda: field.peer.reaches("ANDROID-1"), "heard")
            # Another program revokes, as the command does; the phone says nothing meanwhile.
            other = Doorkeeper(field.door.folder.parent, "Testfield")
            revoke_officer(other, "test", "delta-2", "key-compromise", time.time())
            other.close()
            with pytest.raises(ConnectionError):
                await field.deliver("ANDROID-1")
            await until(phone.closed.is_set, "cut off")
            async with field.client("ANDROID-1", tls) as again:
                await until(again.closed.is_set, "refused at the door")
            assert phone.chats() == []

    run(main())
    assert field.reasons() == {"certificate-revoked", "certificate-refused"}
    assert "a revoked certificate" in field.history()
    assert not field.peer.reaches("ANDROID-1")


def test_a_silent_phone_that_is_revoked_is_dropped_by_itself(
    field: Field, run: Callable[[Any], None]
) -> None:
    tls = field.phone_tls("delta-2", "ANDROID-1")

    async def main() -> None:
        async with field.open(), field.client("ANDROID-1", tls) as phone:
            await until(lambda: field.peer.reaches("ANDROID-1"), "heard")
            field.door.people.disable("test", "delta-2", time.time())
            await until(phone.closed.is_set, "cut off")

    run(main())
    assert not field.peer.reaches("ANDROID-1")


def test_strangers_are_refused_and_logged(field: Field, run: Callable[[Any], None], tmp_path: Path) -> None:
    """No certificate, one of another authority, one that this site signed and issued to nobody."""
    foreign = make_authority(tmp_path / "foreign", "Elsewhere", time.time()).unlock()
    known = field.write("foreign", foreign.issue("delta-2", "officer", time.time()))
    unlisted = field.write("unlisted", field.issuer.issue("delta-2", "officer", time.time()))
    strangers = [field.tls(), field.tls(*known), field.tls(*unlisted)]

    async def main() -> None:
        async with field.open():
            for tls in strangers:
                async with field.client("ANDROID-1", tls) as stranger:
                    await until(stranger.closed.is_set, "turned away")
            await until(lambda: len(field.hub.quarantined) == 3, "all three counted")

    run(main())
    assert field.hub.units == []
    assert field.reasons() == {"handshake-refused", "certificate-refused"}
    assert "no certificate of this site" in field.history()
    assert "a certificate that was issued to nobody here" in field.history()


def test_a_machine_reports_the_air_and_is_nobodys_phone(field: Field, run: Callable[[Any], None]) -> None:
    tls = field.machine_tls("gateway")
    drone = PEERS.TakClient("DRONE-7", "DRONE").report(type="a-u-A-M-F-Q", uid="DRONE-7", endpoint=None)

    async def main() -> None:
        async with field.open():
            async with field.client("GATEWAY", tls, drone):
                await until(lambda: bool(field.hub.taken), "its track")
            async with field.client("ANDROID-1", tls) as pretender:
                await until(pretender.closed.is_set, "no unit")

    run(main())
    assert field.hub.units == []
    assert field.reasons() == {"unit-of-another"}


def test_a_foreign_authority_is_no_configuration(field: Field, tmp_path: Path) -> None:
    foreign = make_authority(tmp_path / "foreign", "Elsewhere", time.time())
    with pytest.raises(ConfigError, match="this site's own authority"):
        field.listener(foreign.file)


def test_chat_of_somebody_who_is_no_member_is_refused(field: Field) -> None:
    """By a TAK server anybody that it lets in can write to the station."""
    hub = field.hub
    peer = TakListenerPeer("phones", "cot+tcp-listen://127.0.0.1:0")
    dialogue = peer._dialogue

    async def main() -> None:
        dialogue.open(hub)
        stranger = PEERS.TakClient("STRANGER", "ALPHA")
        dialogue.take([stranger.chat("VEDETTE-phones", "VEDETTE", "ok")])
        assert field.reasons() == {"chat-of-a-stranger"}
        dialogue.take([stranger.report(), stranger.chat("VEDETTE-phones", "VEDETTE", "ok")])

    asyncio.run(main())
    assert len(hub.quarantined) == 1
    assert hub.receipts == []
