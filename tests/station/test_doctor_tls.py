"""Why TLS fails: each fault made for real, by certificates of our own making and by a real TAK server."""

import asyncio
import contextlib
import importlib.util
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from station_build import SITE

from vedette.station.config import ConsoleConfig, FeedConfig, StationConfig
from vedette.station.doctor import Finding, examine

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


class Authority:
    """Makes certificates, into a folder, named by what is said of them."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._own = self._builder(self._name, self._key, NOW - DAY, NOW + 900 * DAY)
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
            decipher_only=False,
        )  # fmt: skip
        signed = (
            self._own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.file = folder / f"{name}.pem"
        self.file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        name: str,
        begins: datetime = NOW - DAY,
        ends: datetime = NOW + 100 * DAY,
        host: str = "localhost",
    ) -> tuple[str, str]:
        """Certificate and key files."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names: list[x509.GeneralName] = [x509.DNSName(host)]
        if host == "localhost":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        signed = (
            self._builder(subject, key, begins, ends)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        files = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        files[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return str(files[0]), str(files[1])

    def _builder(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, begins: datetime, ends: datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(begins).not_valid_after(ends)
        )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pki")


@pytest.fixture(scope="module")
def ours(folder: Path) -> Authority:
    return Authority(folder, "ours")


@pytest.fixture(scope="module")
def theirs(folder: Path) -> Authority:
    return Authority(folder, "theirs")


@contextlib.contextmanager
def server(certificate: tuple[str, str] | None, wants: Authority | None = None) -> Iterator[int]:
    """A TLS server (or, without a certificate, one that takes connections and says nothing): its port."""
    context: ssl.SSLContext | None = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        if wants is not None:
            context.load_verify_locations(wants.file)
            context.verify_mode = ssl.CERT_REQUIRED
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, what: None)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        except OSError:
            pass
        finally:
            writer.transport.abort()

    made = loop.run_until_complete(asyncio.start_server(talk, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield made.sockets[0].getsockname()[1]
    finally:

        async def end() -> None:
            made.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.sleep(0.05)

        asyncio.run_coroutine_threadsafe(end(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def said_of(
    folder: Path, url: str, ca: object, own: tuple[str, str] | None = None, listen_s: float = 0.0
) -> list[Finding]:
    """The findings about one feed."""
    made = FeedConfig(
        name="tak",
        url=url,
        ca_file=str(ca),
        cert_file=own[0] if own else None,
        key_file=own[1] if own else None,
    )
    config = StationConfig(
        site=SITE, state=str(folder / "state"), console=ConsoleConfig(listen=""), feed=(made,)
    )
    found = [finding for finding in examine(config, listen_s) if finding.check.endswith(" tak")]
    assert found
    for finding in found:
        assert finding.advice or finding.verdict == "good", finding
    return found


def only(found: list[Finding]) -> Finding:
    assert len(found) == 1, found
    return found[0]


def test_all_is_well(ours: Authority, folder: Path) -> None:
    with server(ours.issue("server"), wants=ours) as port:
        found = only(said_of(folder, f"cot+tls://localhost:{port}", ours.file, ours.issue("station")))
    assert (found.verdict, found.found) == ("good", f"localhost:{port} answers over TLS")


def test_another_name(ours: Authority, folder: Path) -> None:
    with server(ours.issue("elsewhere", host="tak.example.org")) as port:
        for host in ("localhost", "127.0.0.1"):
            found = only(said_of(folder, f"cot+tls://{host}:{port}", ours.file))
            assert found.verdict == "bad"
            assert f"for another name than {host}" in found.found
            assert "address" in found.advice


def test_an_authority_that_we_do_not_know(ours: Authority, theirs: Authority, folder: Path) -> None:
    with server(theirs.issue("stranger")) as port:
        found = only(said_of(folder, f"cot+tls://localhost:{port}", ours.file))
    assert "not issued by an authority in ca_file" in found.found
    assert str(ours.file) in found.advice


def test_a_server_whose_certificate_has_expired_or_has_not_begun(ours: Authority, folder: Path) -> None:
    with server(ours.issue("old", begins=NOW - 9 * DAY, ends=NOW - DAY)) as port:
        found = only(said_of(folder, f"cot+tls://localhost:{port}", ours.file))
    assert "server's certificate has expired" in found.found
    assert "clock" in found.advice
    with server(ours.issue("new", begins=NOW + DAY)) as port:
        found = only(said_of(folder, f"cot+tls://localhost:{port}", ours.file))
    assert "not valid yet" in found.found
    assert "clock" in found.advice


def test_a_server_that_does_not_know_our_authority(ours: Authority, theirs: Authority, folder: Path) -> None:
    with server(ours.issue("server"), wants=ours) as port:
        found = only(said_of(folder, f"cot+tls://localhost:{port}", ours.file, theirs.issue("intruder")))
    assert found.verdict == "bad"
    assert found.found.startswith("TLS refused: the server")
    assert "intruder.pem" in found.advice


def test_a_server_that_wants_a_certificate(ours: Authority, folder: Path) -> None:
    with server(ours.issue("server"), wants=ours) as port:
        found = only(said_of(folder, f"cot+tls://localhost:{port}", ours.file))
    assert "wants a certificate and none is configured" in found.found
    assert "cert_file" in found.advice


def test_a_server_without_tls(ours: Authority, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vedette.station.doctor import look

    monkeypatch.setattr(look, "CONNECT_S", 1.0)
    with server(None) as port:
        found = only(said_of(folder, f"cot+tls://localhost:{port}", ours.file))
    assert "takes connections and does not answer in TLS" in found.found
    with talkative(b"220 this is a mail server\r\n") as port:
        found = only(said_of(folder, f"cot+tls://localhost:{port}", ours.file))
    assert found.found == f"localhost:{port} does not speak TLS"


@contextlib.contextmanager
def talkative(words: bytes) -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def answer() -> None:
            client, _ = listener.accept()
            with client:
                client.sendall(words)
                client.settimeout(5.0)
                with contextlib.suppress(OSError):
                    client.recv(1000)

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_our_own_certificate(ours: Authority, folder: Path) -> None:
    """Said before anybody is asked: a listener would never learn it otherwise."""
    old = ours.issue("ours-old", begins=NOW - 9 * DAY, ends=NOW - DAY)
    for url in ("cot+tls://localhost:1", "cot+tls-listen://127.0.0.1:0"):
        found = only(said_of(folder, url, ours.file, old))
        assert (found.verdict, "expired on" in found.found) == ("bad", True)
    early = only(said_of(folder, "cot+tls://localhost:1", ours.file, ours.issue("early", begins=NOW + DAY)))
    assert (early.verdict, "valid only from" in early.found) == ("bad", True)
    soon = said_of(folder, "cot+tls-listen://127.0.0.1:0", ours.file, ours.issue("soon", ends=NOW + 3 * DAY))
    assert [finding.verdict for finding in soon] == ["warning", "good"]
    assert "expires on" in soon[0].found


def test_a_key_that_is_not_the_certificates(ours: Authority, folder: Path) -> None:
    mixed = ours.issue("one")[0], ours.issue("two")[1]
    found = only(said_of(folder, "cot+tls://localhost:1", ours.file, mixed))
    assert found.verdict == "bad"
    assert "one.pem" in found.found


def test_plain_lines_to_a_server_with_tls(ours: Authority, folder: Path) -> None:
    with server(ours.issue("secure")) as port:
        found = said_of(folder, f"lines+tcp://127.0.0.1:{port}", ours.file, listen_s=1.0)
    assert found[-1].verdict == "bad"
    assert "that port speaks TLS" in found[-1].found


def _counterparts() -> ModuleType:
    path = Path(__file__).resolve().parents[1] / "counterparts.py"
    spec = importlib.util.spec_from_file_location("vedette_doctor_counterparts", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def taky(tmp_path_factory: pytest.TempPathFactory, counterpart: Callable[[str], str]) -> Iterator[Any]:
    programs = Path(counterpart("taky")).parent
    running = _counterparts().Taky(programs, tmp_path_factory.mktemp("taky"), tls=True)
    running.start()
    yield running
    running.stop()


@pytest.mark.counterpart
def test_a_real_tak_server(taky: Any, folder: Path, ours: Authority) -> None:
    url = f"cot+tls://localhost:{taky.port}"
    own = taky.client_files("doctor")
    found = said_of(folder, url, taky.cafile, own, listen_s=3.0)
    assert [finding.verdict for finding in found] == ["good", "good"], found
    assert "answers over TLS" in found[0].found
    assert found[1].found.startswith("watching")
    stranger = only(said_of(folder, url, taky.cafile, ours.issue("taky-stranger"), listen_s=1.0))
    assert stranger.verdict == "bad"
    assert stranger.found.startswith("TLS refused: the server")
    unknown = only(said_of(folder, url, ours.file, own, listen_s=1.0))
    assert "not issued by an authority in ca_file" in unknown.found
    plain = said_of(folder, f"cot+tcp://localhost:{taky.port}", ours.file, listen_s=2.0)
    assert plain[-1].verdict == "bad", plain
