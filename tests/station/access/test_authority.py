"""The site's authority: what it issues, what OpenSSL says of it, sealing, and its list of the revoked."""

import datetime
import stat
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from vedette.model.errors import ConfigError
from vedette.station.access import authority as room
from vedette.station.access.authority import Authority, Issuer, Pair, make_authority, write_private
from vedette.station.access.doorkeeper import Doorkeeper
from vedette.station.access.permissions import About, allowed
from vedette.station.access.refusal import Refused
from vedette.station.access.secret import Secret

NOW = time.time()
DAY = 86400.0


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return make_authority(tmp_path / "authority", "Testfield", NOW).unlock()


def files(folder: Path, name: str, pair: Pair) -> tuple[Path, Path]:
    """Certificate and key as PEM files."""
    write_private(folder / f"{name}.crt", pair.certificate_pem())
    write_private(folder / f"{name}.key", pair.key_pem())
    return folder / f"{name}.crt", folder / f"{name}.key"


def openssl(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.mark.counterpart
@pytest.mark.parametrize(
    ("purpose", "check", "other"),
    [
        ("officer", "sslclient", "sslserver"),
        ("server", "sslserver", "sslclient"),
        ("client", "sslclient", "sslserver"),
    ],
)
@pytest.mark.parametrize("rsa", [False, True])
def test_openssl_takes_the_certificates_strictly_and_for_their_purpose_only(
    tmp_path: Path,
    issuer: Issuer,
    counterpart: Callable[[str], str],
    purpose: str,
    check: str,
    other: str,
    rsa: bool,
) -> None:
    hosts = ("tak.example", "192.0.2.1", "2001:db8::1") if purpose == "server" else ()
    pair = issuer.issue("one", purpose, NOW, hosts=hosts, rsa_key=rsa)  # type: ignore[arg-type]
    certificate, _ = files(tmp_path, "one", pair)
    root, revoked = tmp_path / "authority" / "ca.crt", tmp_path / "authority" / "revoked.crl"
    verify = ("verify", "-x509_strict", "-CAfile", root, "-CRLfile", revoked, "-crl_check", "-purpose")
    program = counterpart("openssl")
    good = openssl(program, *verify, check, certificate)
    assert good.returncode == 0, good.stderr
    assert openssl(program, *verify, other, certificate).returncode != 0


@pytest.mark.counterpart
def test_openssl_refuses_what_the_list_revokes(
    tmp_path: Path, issuer: Issuer, door: Doorkeeper, counterpart: Callable[[str], str]
) -> None:
    officer = door.people.add("test", "delta-2", "officer", ("officer",), NOW)
    pair = issuer.issue("delta-2", "officer", NOW)
    issued = door.register.add("test", pair.certificate, "officer", officer, NOW)
    door.register.revoke("test", issued, "superseded", NOW)
    certificate, _ = files(tmp_path, "one", pair)
    root = tmp_path / "authority" / "ca.crt"
    revoked = issuer.write_revoked(door.register.all(), NOW + 1)
    said = openssl(
        counterpart("openssl"), "verify", "-CAfile", root, "-CRLfile", revoked, "-crl_check", certificate
    )
    assert said.returncode != 0
    assert "revoked" in said.stderr
    listed = x509.load_pem_x509_crl(revoked.read_bytes())
    assert listed.is_signature_valid(issuer.root.public_key())  # type: ignore[arg-type]
    found = listed.get_revoked_certificate_by_serial_number(pair.certificate.serial_number)
    assert found is not None
    assert (
        found.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.superseded
    )


def test_the_list_does_not_run_out_before_the_root(issuer: Issuer, tmp_path: Path) -> None:
    listed = x509.load_pem_x509_crl((tmp_path / "authority" / "revoked.crl").read_bytes())
    assert listed.next_update_utc == issuer.root.not_valid_after_utc


def test_what_stands_in_an_officers_certificate(issuer: Issuer) -> None:
    pair = issuer.issue("delta-2", "officer", NOW)
    made = pair.certificate
    assert made.subject.rfc4514_string() == "CN=delta-2"
    assert isinstance(pair.key, ec.EllipticCurvePrivateKey)
    assert pair.key.curve.name == "secp256r1"
    assert made.not_valid_before_utc.timestamp() == pytest.approx(NOW - 2 * DAY, abs=1)
    assert made.not_valid_after_utc.timestamp() == pytest.approx(NOW + 365 * DAY, abs=1)
    assert made.issuer == issuer.root.subject
    made.verify_directly_issued_by(issuer.root)


def test_no_certificate_outlives_the_root(issuer: Issuer) -> None:
    late = issuer.root.not_valid_after_utc.timestamp() - DAY
    made = issuer.issue("one", "officer", late).certificate
    assert made.not_valid_after_utc == issuer.root.not_valid_after_utc


def test_serial_numbers_are_random(issuer: Issuer) -> None:
    serials = {issuer.issue("one", "officer", NOW).certificate.serial_number for _ in range(10)}
    assert len(serials) == 10
    assert min(serials).bit_length() > 100


@pytest.mark.parametrize(
    ("name", "purpose", "hosts"),
    [("", "officer", ()), ("x" * 65, "officer", ()), ("a\u202eb", "officer", ()), ("one", "server", ()),
     ("one", "officer", ("host",)), ("one", "server", ("höst",))],
)  # fmt: skip
def test_what_cannot_stand_in_a_certificate(
    issuer: Issuer, name: str, purpose: str, hosts: tuple[str, ...]
) -> None:
    with pytest.raises(ConfigError):
        issuer.issue(name, purpose, NOW, hosts=hosts)  # type: ignore[arg-type]


@pytest.mark.parametrize("passphrase", [None, Secret("nine otters in the reeds")])
def test_nobody_else_can_read_the_key(tmp_path: Path, passphrase: Secret | None) -> None:
    folder = tmp_path / "authority"
    make_authority(folder, "Testfield", NOW, passphrase)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert (folder / "ca.key").exists() is (passphrase is None)
    if passphrase is not None:
        assert b"PRIVATE KEY" not in b"".join(path.read_bytes() for path in folder.iterdir())


def test_a_sealed_key_opens_with_its_passphrase_only(tmp_path: Path) -> None:
    made = make_authority(tmp_path, "Testfield", NOW, Secret("nine otters in the reeds"))
    for passphrase in (None, Secret(""), Secret("nine otters in the weeds")):
        with pytest.raises(ConfigError) as refused:
            made.unlock(passphrase)
        assert "otters" not in str(refused.value)
    assert made.unlock(Secret("nine otters in the reeds")).issue("one", "officer", NOW)
    whole = (tmp_path / "ca.key.sealed").read_bytes()
    for broken in (b"", b"{}", whole[:-3], whole.replace(b'"passes":1', b'"passes":9999')):
        (tmp_path / "ca.key.sealed").write_bytes(broken)
        with pytest.raises(ConfigError, match="damaged"):
            made.unlock(Secret("nine otters in the reeds"))


def test_a_short_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="12 characters"):
        make_authority(tmp_path, "Testfield", NOW, Secret("otters"))


def test_there_is_one_authority(tmp_path: Path, issuer: Issuer) -> None:
    before = (tmp_path / "authority" / "ca.crt").read_bytes()
    with pytest.raises(ConfigError, match="already"):
        make_authority(tmp_path / "authority", "Testfield", NOW)
    assert (tmp_path / "authority" / "ca.crt").read_bytes() == before


def test_what_is_missing_or_mixed_up_is_said(tmp_path: Path, issuer: Issuer) -> None:
    with pytest.raises(ConfigError, match="vedette authority create"):
        Authority(tmp_path / "nowhere")
    other = make_authority(tmp_path / "other", "Elsewhere", NOW)
    (tmp_path / "other" / "ca.key").write_bytes((tmp_path / "authority" / "ca.key").read_bytes())
    with pytest.raises(ConfigError, match="not that of"):
        other.unlock()
    (tmp_path / "other" / "ca.key").write_bytes(b"-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(ConfigError, match="damaged"):
        other.unlock()
    (tmp_path / "other" / "ca.key").unlink()
    with pytest.raises(ConfigError, match="not on this machine"):
        other.unlock()
    (tmp_path / "other" / "ca.crt").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"ca\.crt"):
        Authority(tmp_path / "other")


@pytest.fixture
def officer_der(door: Doorkeeper, issuer: Issuer) -> bytes:
    officer = door.people.add("test", "delta-2", "officer", ("officer",), NOW, unit="UNIT-2")
    pair = issuer.issue("delta-2", "officer", NOW)
    door.register.add("test", pair.certificate, "officer", officer, NOW)
    return pair.certificate.public_bytes(serialization.Encoding.DER)


def test_a_certificate_says_who_it_is(door: Doorkeeper, officer_der: bytes) -> None:
    who = door.by_certificate(officer_der, NOW)
    assert (who.actor, who.via, who.second_factor) == ("delta-2", "cot", True)
    assert allowed(who, "acknowledge-own", About(unit="UNIT-2")).granted
    assert not allowed(who, "acknowledge-own", About(unit="UNIT-3")).granted


@pytest.mark.parametrize(
    "why", ["revoked", "disabled", "too late", "too early", "bytes", "foreign", "server"]
)
def test_a_certificate_that_is_not_admitted(
    tmp_path: Path, door: Doorkeeper, issuer: Issuer, officer_der: bytes, why: str
) -> None:
    now, der = NOW, officer_der
    if why == "revoked":
        door.register.revoke("test", door.register.all()[0], "key-compromise", NOW)
    elif why == "disabled":
        door.people.disable("test", "delta-2", NOW)
    elif why == "too late":
        now = NOW + 366 * DAY
    elif why == "too early":
        now = NOW - 3 * DAY
    elif why == "bytes":
        der = officer_der[:-1]
    elif why == "foreign":
        # The same name from an authority that the TLS context might believe too: it was not issued here.
        other = make_authority(tmp_path / "other", "Elsewhere", NOW).unlock()
        der = other.issue("delta-2", "officer", NOW).certificate.public_bytes(serialization.Encoding.DER)
    else:
        pair = issuer.issue("tak.example", "server", NOW, hosts=("tak.example",))
        door.register.add("test", pair.certificate, "server", None, NOW)
        der = pair.certificate.public_bytes(serialization.Encoding.DER)
    with pytest.raises(Refused):
        door.by_certificate(der, now)


def test_what_is_about_to_run_out_is_told(door: Doorkeeper, officer_der: bytes) -> None:
    (one,) = door.register.all()
    states = [one.state(NOW + days * DAY) for days in (0, 334, 336, 366)]
    assert states == ["good", "good", "expiring", "expired"]
    assert door.register.by_serial(one.serial.upper()) == one
    with pytest.raises(ConfigError, match="serial"):
        door.register.by_serial("12")


def test_a_root_lasts_ten_years(issuer: Issuer) -> None:
    lasts = issuer.root.not_valid_after_utc - datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    assert lasts.total_seconds() == pytest.approx(room.ROOT_S, abs=2)
