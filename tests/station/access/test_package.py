"""The package for a phone, held against the one that taky makes, and used against a real taky."""

import asyncio
import configparser
import importlib.util
import io
import ssl
import time
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from lxml import etree

from vedette.model.errors import ConfigError, VedetteError
from vedette.station.access.authority import Issuer, make_authority, write_private
from vedette.station.access.doorkeeper import FOLDER, Doorkeeper
from vedette.station.access.enrolment import Enrolled, enrol_officer, parse_server, revoke_officer
from vedette.station.access.package import Server
from vedette.station.access.refusal import Refused
from vedette.station.access.tls import client_context, refresh_revoked, server_context


def _counterparts() -> ModuleType:
    path = Path(__file__).resolve().parents[2] / "counterparts.py"
    spec = importlib.util.spec_from_file_location("vedette_test_counterparts_access", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


counterparts = _counterparts()
SERVER = Server("tak.example", 8089, "Testfield")
IDENTITY = (
    '<event version="2.0" uid="{uid}" type="a-f-G-U-C" how="m-g" time="{now}" start="{now}" stale="{stale}">'
    '<point lat="47.2" lon="8.5" hae="450" ce="5" le="5"/><detail>'
    '<takv platform="ATAK-CIV" version="5.2" device="phone" os="34"/>'
    '<contact callsign="{uid}" endpoint="*:-1:stcp"/><uid Droid="{uid}"/>'
    '<__group name="Cyan" role="Team Member"/></detail></event>'
)
PING = (
    '<event version="2.0" uid="{uid}-ping" type="t-x-c-t" how="m-g" time="{now}" start="{now}"'
    ' stale="{stale}"><point lat="0" lon="0" hae="0" ce="9999999" le="9999999"/><detail/></event>'
)


@pytest.fixture
def issuer(door: Doorkeeper) -> Issuer:
    return make_authority(door.folder / "authority", "Testfield", time.time()).unlock()


@pytest.fixture
def enrol(door: Doorkeeper, issuer: Issuer, tmp_path: Path) -> Callable[..., Enrolled]:
    def one(name: str, **more: Any) -> Enrolled:
        return enrol_officer(door, issuer, "test", name, SERVER, tmp_path / "made", time.time(), **more)

    return one


class Package:
    """A package as ATAK would read it."""

    def __init__(self, data: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            self.files = {name: archive.read(name) for name in archive.namelist()}
        (self.preferences,) = (name for name in self.files if name.endswith(".pref"))
        self.groups = {
            group.get("name"): {
                entry.get("key"): (entry.get("class"), entry.text) for entry in group.findall("entry")
            }
            for group in etree.fromstring(self.files[self.preferences]).findall("preference")
        }
        self.manifest = etree.fromstring(self.files["MANIFEST/manifest.xml"])

    def value(self, key: str) -> str:
        return str(self.groups["com.atakmap.app_preferences"][key][1])

    def p12(self, which: str) -> pkcs12.PKCS12KeyAndCertificates:
        location, password = {
            "client": ("certificateLocation", "clientPassword"),
            "trust": ("caLocation", "caPassword"),
        }[which]
        name = self.value(location).rpartition("/")[2]
        return pkcs12.load_pkcs12(self.files[f"certs/{name}"], self.value(password).encode())

    def context(self, folder: Path) -> ssl.SSLContext:
        """What a phone has after it took the package in: from the package alone."""
        client, trust = self.p12("client"), self.p12("trust")
        assert client.key is not None
        assert client.cert is not None
        pem = client.cert.certificate.public_bytes(serialization.Encoding.PEM)
        pem += client.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        folder.mkdir(parents=True, exist_ok=True)
        write_private(folder / "own.pem", pem)
        roots = [one.certificate.public_bytes(serialization.Encoding.PEM) for one in trust.additional_certs]
        context = ssl.create_default_context(cadata=b"".join(roots).decode())
        context.load_cert_chain(folder / "own.pem")
        return context


@pytest.fixture(scope="module")
def takys_own(tmp_path_factory: pytest.TempPathFactory, counterpart: Callable[[str], str]) -> Package:
    """The package that `takyctl build_client` makes."""
    folder = tmp_path_factory.mktemp("taky-package")
    made = counterparts.Taky(Path(counterpart("taky")).parent, folder, tls=True)
    made.client_files("delta-2")
    return Package((made.folder / "delta-2.zip").read_bytes())


@pytest.mark.counterpart
def test_it_has_the_parts_of_takys_package(takys_own: Package, enrol: Callable[..., Enrolled]) -> None:
    ours = Package(enrol("delta-2").package.read_bytes())
    for group, entries in takys_own.groups.items():
        assert set(ours.groups[group]) == set(entries)
        assert {k: kind for k, (kind, _) in ours.groups[group].items()} == {
            k: kind for k, (kind, _) in entries.items()
        }
    assert set(ours.groups) == set(takys_own.groups)
    assert ours.preferences == takys_own.preferences
    assert ours.manifest.tag == takys_own.manifest.tag
    assert ours.manifest.get("version") == takys_own.manifest.get("version") == "2"
    shapes = [
        [(one.tag, sorted(one.keys())) for one in package.manifest.iter()] for package in (ours, takys_own)
    ]
    assert shapes[0] == shapes[1]
    for package in (ours, takys_own):
        listed = {one.get("zipEntry") for one in package.manifest.iter("Content")}
        assert listed == set(package.files) - {"MANIFEST/manifest.xml"}
        assert package.value("caLocation").startswith("/storage/emulated/0/atak/cert/")


def test_it_holds_the_connection_the_root_and_the_certificate(
    enrol: Callable[..., Enrolled], issuer: Issuer
) -> None:
    made = enrol("delta-2", unit="ANDROID-1")
    package = Package(made.package.read_bytes())
    assert package.groups["cot_streams"]["connectString0"][1] == "tak.example:8089:ssl"
    trust, client = package.p12("trust"), package.p12("client")
    assert trust.key is None
    assert [one.certificate for one in trust.additional_certs] == [issuer.root]
    assert client.cert is not None
    assert client.cert.certificate.serial_number == int(made.certificate.serial, 16)
    assert len(package.value("clientPassword")) > 40
    assert package.value("clientPassword") != package.value("caPassword")
    assert made.package.stat().st_mode & 0o077 == 0


def test_two_packages_share_no_password(enrol: Callable[..., Enrolled]) -> None:
    one, two = (Package(enrol(name).package.read_bytes()) for name in ("delta-2", "delta-3"))
    assert one.value("clientPassword") != two.value("clientPassword")


def test_an_officer_can_be_enrolled_again_and_a_person_cannot(
    enrol: Callable[..., Enrolled], door: Doorkeeper
) -> None:
    enrol("delta-2", unit="ANDROID-1")
    again = enrol("delta-2", unit="ANDROID-2")
    assert again.officer.unit == "ANDROID-2"
    assert len(door.register.of(again.officer)) == 2
    door.people.add("test", "anna", "person", ("analyst",), time.time())
    for name in ("anna", "Delta 2", "../delta"):
        with pytest.raises(ConfigError):
            enrol(name)
    with pytest.raises(ConfigError, match="spoken for by delta-2"):
        enrol("delta-3", unit="ANDROID-2")
    assert door.people.find("delta-3") is None


def test_what_cannot_be_written_is_not_issued(
    enrol: Callable[..., Enrolled], door: Doorkeeper, tmp_path: Path
) -> None:
    (tmp_path / "made").write_text("in the way")
    with pytest.raises(ConfigError, match="cannot be written"):
        enrol("delta-2")
    assert door.register.all() == ()
    assert door.people.find("delta-2") is None


def test_a_package_whose_certificate_was_not_written_down_does_not_lie_about(
    enrol: Callable[..., Enrolled], door: Doorkeeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = enrol("delta-1").package
    run = door.store._run

    def full(connection: Any, sql: str, *values: object) -> Any:
        if sql == "COMMIT":
            raise VedetteError("database or disk is full")
        return run(connection, sql, *values)

    with monkeypatch.context() as patch:
        patch.setattr(door.store, "_run", full)
        with pytest.raises(VedetteError, match="full"):
            enrol("delta-2")
    assert sorted(path.name for path in first.parent.iterdir()) == ["delta-1.zip"]
    assert enrol("delta-2").officer.name == "delta-2"


def test_what_is_refused_deletes_no_package_of_before(
    enrol: Callable[..., Enrolled], door: Doorkeeper
) -> None:
    first = enrol("delta-1").package
    (first.parent.parent / "delta.zip").write_text("of somebody else")
    door.people.disable("test", "delta-1", time.time())
    for name in ("delta-1", "../delta"):
        with pytest.raises(ConfigError):
            enrol(name)
    assert first.exists()
    assert (first.parent.parent / "delta.zip").exists()


NOT_REACHED = ("", "tak.example", "tak.example:", "tak:0", "a/b:1", "0.0.0.0:8089", "[::]:8089", "x:99999")


@pytest.mark.parametrize("text", NOT_REACHED)
def test_an_address_that_no_phone_can_use(text: str) -> None:
    with pytest.raises(ConfigError, match="phones"):
        parse_server(text, "Testfield")


def test_addresses_of_either_kind() -> None:
    assert parse_server("tak.example:8089", "T") == Server("tak.example", 8089, "T")
    assert parse_server("[2001:db8::1]:8089", "T") == Server("2001:db8::1", 8089, "T")


class TakyOfOurs:
    """A taky whose root and server certificate are those of our authority."""

    def __init__(self, programs: Path, folder: Path, issuer: Issuer) -> None:
        self.server = counterparts.Taky(programs, folder, tls=True)
        pair = issuer.issue("localhost", "server", time.time(), hosts=("localhost", "127.0.0.1"))
        place = self.server.folder / "ssl"
        (place / "ca.crt").write_bytes(issuer.root.public_bytes(serialization.Encoding.PEM))
        (place / "server.crt").write_bytes(pair.certificate_pem())
        (place / "server.key").write_bytes(pair.key_pem())
        (place / "ca.key").write_bytes(b"")

    def ban(self, serial: str, name: str) -> None:
        """What taky knows of revocation: a file of its own, read when it starts."""
        config = configparser.ConfigParser(allow_no_value=True)
        config.read(self.server.folder / "taky.conf")
        path = self.server.folder / config.get("ssl", "cert_db")
        path.write_text(f"R\t2026-01-01T00:00:00\t2036-01-01T00:00:00\t{int(serial, 16):040x}\t{name}\n")


@pytest.fixture
def our_taky(counterpart: Callable[[str], str], tmp_path: Path, issuer: Issuer) -> Iterator[TakyOfOurs]:
    made = TakyOfOurs(Path(counterpart("taky")).parent, tmp_path, issuer)
    made.server.start()
    yield made
    made.server.stop()


async def talk(port: int, context: ssl.SSLContext, uid: str) -> bytes:
    """Connect, say who one is, ping; all that comes back until the pong, the end, or a while of silence."""
    now = time.time()
    times = {
        key: time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now + ahead))
        for key, ahead in (("now", 0), ("stale", 60))
    }
    heard = b""
    writer = None
    try:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname="localhost"
        )
        writer.write((IDENTITY + PING).format(uid=uid, **times).encode())
        await writer.drain()
        async with asyncio.timeout(20):
            while b"t-x-c-t-r" not in heard and b"welcome" not in heard:
                data = await reader.read(4096)
                if not data:
                    break
                heard += data
    except (OSError, TimeoutError, ssl.SSLError):
        return heard
    finally:
        if writer is not None:
            writer.transport.abort()
    return heard


@pytest.mark.counterpart
def test_taky_serves_who_has_our_package_and_nobody_else(
    our_taky: TakyOfOurs, enrol: Callable[..., Enrolled], tmp_path: Path
) -> None:
    own = Package(enrol("delta-2").package.read_bytes()).context(tmp_path / "own")
    port = our_taky.server.port
    assert b"t-x-c-t-r" in asyncio.run(talk(port, own, "ANDROID-1")), our_taky.server.log()

    nobody = ssl.create_default_context(cafile=str(our_taky.server.folder / "ssl" / "ca.crt"))
    assert asyncio.run(talk(port, nobody, "ANDROID-2")) == b""

    other = make_authority(tmp_path / "elsewhere", "Elsewhere", time.time()).unlock()
    foreign = other.issue("delta-2", "officer", time.time())
    (tmp_path / "foreign.pem").write_bytes(foreign.certificate_pem() + foreign.key_pem())
    stranger = ssl.create_default_context(cafile=str(our_taky.server.folder / "ssl" / "ca.crt"))
    stranger.load_cert_chain(tmp_path / "foreign.pem")
    assert asyncio.run(talk(port, stranger, "ANDROID-3")) == b""


@pytest.mark.counterpart
def test_taky_must_be_told_of_a_revocation_by_its_own_file(
    our_taky: TakyOfOurs, enrol: Callable[..., Enrolled], door: Doorkeeper, issuer: Issuer, tmp_path: Path
) -> None:
    """taky 0.10 reads no list of revoked certificates: until its own file says so, it goes on serving."""
    made = enrol("delta-2")
    own = Package(made.package.read_bytes()).context(tmp_path / "own")
    revoke_officer(door, "test", "delta-2", "key-compromise", time.time())
    issuer.write_revoked(door.register.all(), time.time())
    assert b"t-x-c-t-r" in asyncio.run(talk(our_taky.server.port, own, "ANDROID-1"))
    our_taky.server.stop()
    our_taky.ban(made.certificate.serial, "delta-2")
    our_taky.server.start()
    assert b"t-x-c-t-r" not in asyncio.run(talk(our_taky.server.port, own, "ANDROID-1"))
    assert "banned" in our_taky.server.log()


@asynccontextmanager
async def listener(context: ssl.SSLContext, door: Doorkeeper) -> AsyncIterator[tuple[int, list[str]]]:
    """A TLS listener that asks the doorkeeper, as a peer would."""
    met: list[str] = []

    async def attend(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        der = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        try:
            met.append(door.by_certificate(der, time.time()).actor)
            writer.write(b"welcome")
            await writer.drain()
        except Refused as error:
            met.append(error.cause)
        writer.close()

    server = await asyncio.start_server(attend, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], met
    finally:
        server.close()


@pytest.fixture
def own_context(door: Doorkeeper, issuer: Issuer, tmp_path: Path) -> ssl.SSLContext:
    from vedette.station.access.authority import Authority

    pair = issuer.issue("localhost", "server", time.time(), hosts=("localhost",))
    write_private(tmp_path / "server.crt", pair.certificate_pem())
    write_private(tmp_path / "server.key", pair.key_pem())
    return server_context(
        Authority(door.folder / "authority"), tmp_path / "server.crt", tmp_path / "server.key"
    )


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_our_own_listener_knows_its_officers(
    own_context: ssl.SSLContext,
    door: Doorkeeper,
    enrol: Callable[..., Enrolled],
    tmp_path: Path,
    version: ssl.TLSVersion,
) -> None:
    contexts = {}
    for name in ("delta-2", "delta-3"):
        contexts[name] = Package(enrol(name).package.read_bytes()).context(tmp_path / name)
        contexts[name].maximum_version = version
    nobody = ssl.create_default_context(cafile=str(door.folder / "authority" / "ca.crt"))

    async def meet() -> tuple[list[bytes], list[str]]:
        async with listener(own_context, door) as (port, met):
            heard = [await talk(port, contexts[name], name) for name in contexts]
            heard.append(await talk(port, nobody, "x"))
            return heard, met

    heard, met = asyncio.run(meet())
    assert heard == [b"welcome", b"welcome", b""]
    assert met == ["delta-2", "delta-3"]


@pytest.mark.parametrize("listed", [False, True])
def test_a_revoked_phone_is_out_at_its_next_connection(
    own_context: ssl.SSLContext,
    door: Doorkeeper,
    issuer: Issuer,
    enrol: Callable[..., Enrolled],
    tmp_path: Path,
    listed: bool,
) -> None:
    """By the register at once; with the list taken in, already in the handshake. Nobody else is touched."""
    from vedette.station.access.authority import Authority

    contexts = [Package(enrol(f"d-{n}").package.read_bytes()).context(tmp_path / f"d-{n}") for n in (1, 2)]

    async def meet() -> tuple[list[bytes], list[str]]:
        async with listener(own_context, door) as (port, met):
            heard = [await talk(port, contexts[0], "one")]
            assert revoke_officer(door, "test", "d-1", "key-compromise", time.time()) == 1
            if listed:
                issuer.write_revoked(door.register.all(), time.time())
                refresh_revoked(own_context, Authority(door.folder / "authority"))
            heard += [await talk(port, context, "one") for context in contexts]
            return heard, met

    heard, met = asyncio.run(meet())
    assert heard == [b"welcome", b"", b"welcome"]
    assert met == ["d-1", "d-2"] if listed else met == ["d-1", "a revoked certificate", "d-2"]


def test_the_station_as_a_client_checks_the_name_of_the_server(
    own_context: ssl.SSLContext, door: Doorkeeper, issuer: Issuer, tmp_path: Path
) -> None:
    from vedette.station.access.authority import Authority

    pair = issuer.issue("station", "client", time.time())
    write_private(tmp_path / "client.crt", pair.certificate_pem())
    write_private(tmp_path / "client.key", pair.key_pem())
    authority = Authority(door.folder / "authority")
    context = client_context(authority, tmp_path / "client.crt", tmp_path / "client.key")

    async def meet(name: str) -> str:
        async with listener(own_context, door) as (port, _):
            try:
                _, writer = await asyncio.open_connection(
                    "127.0.0.1", port, ssl=context, server_hostname=name
                )
            except ssl.SSLCertVerificationError as error:
                return error.verify_message
            writer.transport.abort()
            return "good"

    assert asyncio.run(meet("localhost")) == "good"
    assert "mismatch" in asyncio.run(meet("tak.example"))


@pytest.mark.parametrize("missing", ["server.crt", "server.key", "revoked.crl"])
def test_what_cannot_be_loaded_is_said(
    own_context: ssl.SSLContext, door: Doorkeeper, tmp_path: Path, missing: str
) -> None:
    from vedette.station.access.authority import Authority

    place = door.folder / "authority" if missing == "revoked.crl" else tmp_path
    (place / missing).unlink()
    with pytest.raises(ConfigError, match=missing):
        server_context(Authority(door.folder / "authority"), tmp_path / "server.crt", tmp_path / "server.key")


def test_the_folder_is_in_the_state_folder(door: Doorkeeper, tmp_path: Path) -> None:
    assert door.folder == tmp_path / "state" / FOLDER
    assert door.folder.stat().st_mode & 0o077 == 0
