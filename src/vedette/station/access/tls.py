"""TLS contexts of the station, with certificates of the site's authority on both sides.

Three things shut a revoked certificate out: the list that OpenSSL checks in the handshake, the register that
`Doorkeeper.by_certificate` asks after it, and that no session is resumed (a ticket would skip the first).
The register is the one that holds at once, also where the root key is sealed and no list can be signed.
"""

import datetime
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from vedette.model.errors import ConfigError
from vedette.station.access.authority import Authority


def server_context(authority: Authority, certificate: Path, key: Path) -> ssl.SSLContext:
    """For a listener: clients must show a certificate of the authority that is not revoked. Raises
    ConfigError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
    _load(context, authority, certificate, key)
    refresh_revoked(context, authority)
    context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    return context


def client_context(authority: Authority, certificate: Path, key: Path) -> ssl.SSLContext:
    """Towards a server with a certificate of the authority; its host name is checked. Raises ConfigError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _load(context, authority, certificate, key)
    return context


def refresh_revoked(context: ssl.SSLContext, authority: Authority) -> None:
    """Take the newest list of revoked certificates into a context that is in use. Raises ConfigError."""
    try:
        context.load_verify_locations(authority.revoked_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"{authority.revoked_file}: cannot be read ({error}); write it anew: vedette authority revoked"
        ) from None


def server_names(authority: Authority, certificate: Path, now: float) -> tuple[str, ...]:
    """The names and addresses that a server's certificate (PEM) is for, as a Host header writes them. Raises
    ConfigError for one that is not of this site's authority, or not of this time."""
    try:
        own = x509.load_pem_x509_certificate(certificate.read_bytes())
        own.verify_directly_issued_by(authority.certificate)
        names = own.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except InvalidSignature:
        raise _of_others(certificate) from None
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound) as error:
        raise ConfigError(
            f"{certificate}: no certificate of this site's authority for a server: {error}"
        ) from None
    at = datetime.datetime.fromtimestamp(now, datetime.UTC)
    if not own.not_valid_before_utc <= at < own.not_valid_after_utc:
        raise ConfigError(f"{certificate}: not valid now; issue a new one: vedette authority server")
    addresses = names.get_values_for_type(x509.IPAddress)
    written = [f"[{one}]" if one.version == 6 else str(one) for one in addresses]
    return tuple(name.lower() for name in (*names.get_values_for_type(x509.DNSName), *written))


def _of_others(certificate: Path) -> ConfigError:
    return ConfigError(
        f"{certificate}: not a certificate of this site's authority; make one: vedette authority server NAME"
    )


def _load(context: ssl.SSLContext, authority: Authority, certificate: Path, key: Path) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    try:
        context.load_verify_locations(authority.file)
        context.load_cert_chain(certificate, key, _no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        raise ConfigError(f"cannot load {authority.file}, {certificate} and {key}: {error}") from None


def _no_password() -> str:
    """Without this OpenSSL would ask on the terminal."""
    raise ValueError("the key is encrypted")
