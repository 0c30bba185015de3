"""The station's own TAK listener with certificates of the site's authority, and a phone with its package."""

import asyncio
import importlib.util
import ssl
import time
from pathlib import Path
from types import ModuleType

import pytest

from vedette.station.access.authority import FOLDER, make_authority, write_private
from vedette.station.access.doorkeeper import Doorkeeper
from vedette.station.access.enrolment import enrol_officer
from vedette.station.access.package import Server
from vedette.station.peers.tak_listener import TakListenerPeer


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"access_{path.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PEERS = _load(Path(__file__).resolve().parents[1] / "peers" / "conftest.py")
PACKAGE = _load(Path(__file__).with_name("test_package.py"))


@pytest.mark.parametrize("rsa", [False, True])
def test_a_phone_with_its_package_is_heard_by_the_listener(
    door: Doorkeeper, tmp_path: Path, rsa: bool
) -> None:
    now = time.time()
    issuer = make_authority(door.folder / FOLDER, "Testfield", now).unlock()
    own = issuer.issue("localhost", "server", now, hosts=("localhost",), rsa_key=rsa)
    write_private(tmp_path / "server.crt", own.certificate_pem())
    write_private(tmp_path / "server.key", own.key_pem())
    server = Server("localhost", 8089, "Testfield")
    made = enrol_officer(
        door, issuer, "test", "delta-2", server, tmp_path, now, unit="ANDROID-1", rsa_key=rsa
    )
    phone_tls = PACKAGE.Package(made.package.read_bytes()).context(tmp_path / "phone")
    nobody_tls = ssl.create_default_context(cafile=str(door.folder / FOLDER / "ca.crt"))

    async def main() -> None:
        hub = PEERS.RecordingHub()
        peer = TakListenerPeer(
            "phones",
            "cot+tls-listen://127.0.0.1:0",
            cafile=str(door.folder / FOLDER / "ca.crt"),
            certfile=str(tmp_path / "server.crt"),
            keyfile=str(tmp_path / "server.key"),
        )
        task = asyncio.create_task(peer.run(hub))
        await PEERS.until(lambda: peer.port is not None, "it listens")
        phone, nobody = PEERS.TakClient("ANDROID-1", "DELTA"), PEERS.TakClient("ANDROID-1", "MALLORY")
        try:
            await phone.connect("127.0.0.1", peer.port, phone_tls)
            phone.send(phone.report())
            await PEERS.until(lambda: peer.reaches("ANDROID-1"), "the phone is heard")
            # In TLS 1.3 the client learns only afterwards that its missing certificate was not taken.
            await nobody.connect("127.0.0.1", peer.port, nobody_tls)
            nobody.send(nobody.report())
            await PEERS.until(nobody.closed.is_set, "it is turned away")
            assert [report.unit for report in hub.units] == ["ANDROID-1"]
            assert hub.units[0].callsign == "DELTA"
        finally:
            await phone.close()
            await nobody.close()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
