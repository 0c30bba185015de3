"""The site's own certificate authority: one root key, P-256, and the certificates that it signs.

The root key is the most precious thing of a site: who has it makes certificates of officers. It stands in
a file of mode 0600, or sealed with a passphrase (Argon2id and AES-256-GCM), or on another machine: the
station needs the key only to issue, never to check.

Profiles follow RFC 5280; certificates pass OpenSSL's strict checks (X509_V_FLAG_X509_STRICT).
"""

import contextlib
import datetime
import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

from vedette.model.errors import ConfigError
from vedette.station.access.certificates import Issued, Purpose
from vedette.station.access.passwords import Cost
from vedette.station.access.principals import check_display
from vedette.station.access.secret import Secret

FOLDER = "authority"
CERTIFICATE, KEY, SEALED, REVOKED = "ca.crt", "ca.key", "ca.key.sealed", "revoked.crl"
DAY_S = 86400.0
ROOT_S = 3650 * DAY_S
LASTS_S: dict[Purpose, float] = {"officer": 365 * DAY_S, "server": 800 * DAY_S, "client": 800 * DAY_S}
"""Validity. Apple's systems refuse server certificates of more than 825 days."""
BEHIND_S = 2 * DAY_S
"""Certificates are valid from so long ago: a phone's clock may be behind."""
LEAST_PASSPHRASE = 12
SEALING = Cost(memory_kib=256 * 1024, passes=4)
"""Of a passphrase: a second and 256 MiB, for a file that may be copied and guessed at for years."""

IssuingKey = ec.EllipticCurvePrivateKey
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_REASONS = {
    "key-compromise": x509.ReasonFlags.key_compromise,
    "superseded": x509.ReasonFlags.superseded,
    "cessation-of-operation": x509.ReasonFlags.cessation_of_operation,
    "privilege-withdrawn": x509.ReasonFlags.privilege_withdrawn,
}


class Pair(Struct, frozen=True):
    """A certificate and its private key, which is never shown."""

    certificate: x509.Certificate
    key: Key

    def __repr__(self) -> str:
        return f"Pair({self.certificate.subject.rfc4514_string()}, key hidden)"

    def certificate_pem(self) -> bytes:
        """The certificate in PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self) -> bytes:
        """The key in PEM (PKCS 8), not encrypted."""
        return _pem(self.key)


class _Sealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of a root key under a passphrase."""

    format: int
    memory_kib: int
    passes: int
    salt: bytes
    nonce: bytes
    sealed: bytes


class Authority:
    """The authority in a folder. Raises ConfigError where it is not there, damaged, or sealed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            pem = (folder / CERTIFICATE).read_bytes()
            self.certificate = x509.load_pem_x509_certificate(pem)
        except FileNotFoundError:
            raise ConfigError(
                f"{folder}: this site has no authority of its own yet; make one: vedette authority create"
            ) from None
        except (OSError, ValueError) as error:
            raise ConfigError(f"{folder / CERTIFICATE}: cannot be read: {error}") from None

    @property
    def file(self) -> Path:
        """The root certificate, for ``ca_file``."""
        return self.folder / CERTIFICATE

    @property
    def revoked_file(self) -> Path:
        """The list of revoked certificates (PEM), for servers that read one."""
        return self.folder / REVOKED

    def later_than_the_list(self) -> datetime.datetime:
        """A second after the list that is there: of two of one second, OpenSSL would keep the older."""
        try:
            listed = x509.load_pem_x509_crl(self.revoked_file.read_bytes())
        except (OSError, ValueError):
            return self.certificate.not_valid_before_utc
        return listed.last_update_utc + datetime.timedelta(seconds=1)

    @property
    def is_sealed(self) -> bool:
        """Whether a passphrase is needed to issue."""
        return (self.folder / SEALED).exists()

    def unlock(self, passphrase: Secret | None = None) -> "Issuer":
        """What can sign. Raises ConfigError: no key here, or a wrong passphrase."""
        if self.is_sealed:
            if passphrase is None:
                raise ConfigError(f"{self.folder / SEALED}: the root key is sealed; its passphrase is needed")
            pem = _unsealed(self.folder / SEALED, passphrase)
        else:
            pem = _read(
                self.folder / KEY, "the root key is not on this machine; bring it, or use the one it is on"
            )
        try:
            key = serialization.load_pem_private_key(pem, None)
        except (ValueError, TypeError):
            raise ConfigError(f"{self.folder / KEY}: damaged; restore it from a copy") from None
        if not isinstance(key, IssuingKey) or key.public_key() != self.certificate.public_key():
            raise ConfigError(
                f"{self.folder}: the root key is not that of {CERTIFICATE}; restore the two together"
            )
        return Issuer(self, key)


class Issuer:
    """An authority with its key at hand."""

    def __init__(self, authority: Authority, key: IssuingKey) -> None:
        self._authority, self._key = authority, key

    def __repr__(self) -> str:
        return f"Issuer({self._authority.certificate.subject.rfc4514_string()}, key hidden)"

    @property
    def root(self) -> x509.Certificate:
        """The root certificate."""
        return self._authority.certificate

    def issue(
        self, name: str, purpose: Purpose, now: float, *, hosts: tuple[str, ...] = (), rsa_key: bool = False
    ) -> Pair:
        """A new key and its certificate. ``hosts``: names and addresses of a server. ``rsa_key``: RSA of
        3072 bits for a counterpart that does not know P-256. Raises ConfigError."""
        common = check_display(name)
        if not common or len(common) > 64 or (purpose == "server") != bool(hosts):
            raise ConfigError(
                f"{name!r} cannot stand in a {purpose} certificate; a server needs its host names"
            )
        key: Key = (
            rsa.generate_private_key(65537, 3072) if rsa_key else ec.generate_private_key(ec.SECP256R1())
        )
        root = self._authority.certificate
        builder = _builder(
            common, key, now, min(now + LASTS_S[purpose], root.not_valid_after_utc.timestamp())
        )
        builder = builder.issuer_name(root.subject)
        for extension, critical in _leaf_extensions(purpose, hosts, root, rsa_key):
            builder = builder.add_extension(extension, critical)
        return Pair(builder.sign(self._key, hashes.SHA256()), key)

    def write_revoked(self, issued: Iterable[Issued], now: float) -> Path:
        """Sign the list of revoked certificates anew. It is good as long as the root: a list that ran out
        would shut out every phone, and here it is never older than the last revocation."""
        root = self._authority.certificate
        builder = x509.CertificateRevocationListBuilder(
            issuer_name=root.subject,
            last_update=max(_when(now), self._authority.later_than_the_list()),
            next_update=root.not_valid_after_utc,
        )
        for one in issued:
            if one.revoked_at is not None:
                builder = builder.add_revoked_certificate(_revoked(one, one.revoked_at))
        builder = builder.add_extension(_authority_key(root), critical=False)
        builder = builder.add_extension(x509.CRLNumber(int(now * 1000)), critical=False)
        path = self._authority.revoked_file
        write_private(path, builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        return path


def make_authority(folder: Path, site: str, now: float, passphrase: Secret | None = None) -> Authority:
    """A new root key and certificate, and an empty list of revoked ones. Raises ConfigError if there is one
    already: a second root would make every phone that is out there worthless."""
    if (folder / CERTIFICATE).exists():
        raise ConfigError(
            f"{folder}: this site has an authority already; a new one would shut out every phone"
        )
    if passphrase is not None and len(passphrase.reveal()) < LEAST_PASSPHRASE:
        raise ConfigError(f"the passphrase needs at least {LEAST_PASSPHRASE} characters")
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(f"Vedette {check_display(site)}"[:64], key, now, now + ROOT_S)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Vedette {check_display(site)}"[:64])])
    builder = builder.issuer_name(name)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    root = Pair(builder.sign(key, hashes.SHA256()), key)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if passphrase is None:
            write_private(folder / KEY, root.key_pem())
        else:
            write_private(folder / SEALED, _sealed(root.key_pem(), passphrase))
        # The certificate last: it is what says that there is an authority.
        write_private(folder / CERTIFICATE, root.certificate_pem())
    except OSError as error:
        raise ConfigError(f"{error.filename or folder}: {error.strerror}") from None
    authority = Authority(folder)
    Issuer(authority, key).write_revoked((), now - BEHIND_S)
    return authority


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all. Raises OSError."""
    fresh = path.with_name(f".{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)


def _builder(common: str, key: Key, now: float, until: float) -> x509.CertificateBuilder:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
    return (
        x509.CertificateBuilder(subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_when(now - BEHIND_S))
        .not_valid_after(_when(until))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _leaf_extensions(
    purpose: Purpose, hosts: tuple[str, ...], root: x509.Certificate, rsa_key: bool
) -> list[tuple[x509.ExtensionType, bool]]:
    """Extensions and whether they are critical."""
    uses = [ExtendedKeyUsageOID.SERVER_AUTH] if purpose == "server" else [ExtendedKeyUsageOID.CLIENT_AUTH]
    found: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(digital_signature=True, key_encipherment=rsa_key), True),
        (x509.ExtendedKeyUsage(uses), False),
        (_authority_key(root), False),
    ]
    if hosts:
        found.append((x509.SubjectAlternativeName([_host(host) for host in hosts]), False))
    return found


def _authority_key(root: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    own = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        pass
    try:
        return x509.DNSName(host)
    except ValueError:
        raise ConfigError(f"{host!r} is neither a host name nor an address") from None


def _usage(
    *,
    digital_signature: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_encipherment=key_encipherment,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _revoked(one: Issued, at: float) -> x509.RevokedCertificate:
    reason = _REASONS[one.reason or "privilege-withdrawn"]
    return (
        x509.RevokedCertificateBuilder()
        .serial_number(int(one.serial, 16))
        .revocation_date(_when(at))
        .add_extension(x509.CRLReason(reason), critical=False)
        .build()
    )


def _when(at: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(int(at), datetime.UTC)


def _pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read(path: Path, absent: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ConfigError(f"{path}: {absent}") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None


def _sealed(pem: bytes, passphrase: Secret) -> bytes:
    salt, nonce, cost = os.urandom(16), os.urandom(12), SEALING
    key = _stretched(passphrase, salt, cost.memory_kib, cost.passes)
    sealed = AESGCM(key).encrypt(nonce, pem, None)
    return msgspec.json.encode(_Sealed(1, cost.memory_kib, cost.passes, salt, nonce, sealed))


def _unsealed(path: Path, passphrase: Secret) -> bytes:
    try:
        file = msgspec.json.decode(_read(path, "gone"), type=_Sealed)
        # What a file asks for is bounded: it may be somebody else's.
        if file.format != 1 or not 8 <= file.memory_kib <= 1024 * 1024 or not 1 <= file.passes <= 64:
            raise ValueError("unknown parameters")
        key = _stretched(passphrase, file.salt, file.memory_kib, file.passes)
        return AESGCM(key).decrypt(file.nonce, file.sealed, None)
    except InvalidTag:
        raise ConfigError(f"{path}: that is not its passphrase") from None
    except ValueError:
        raise ConfigError(f"{path}: damaged; restore it from a copy") from None


def _stretched(passphrase: Secret, salt: bytes, memory_kib: int, passes: int) -> bytes:
    argon = Argon2id(salt=salt, length=32, iterations=passes, lanes=1, memory_cost=memory_kib)
    return argon.derive(passphrase.reveal().encode("utf-8", "replace"))
