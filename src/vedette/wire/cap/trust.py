"""Whether a certificate may vouch for a message: in force, for signing, known or issued by one known."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

from vedette.wire.cap.faults import refusal

_UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)

T = TypeVar("T", bound=x509.ExtensionType)


def read_certificate(der: bytes, line: int) -> x509.Certificate:
    """From its DER bytes, with all its parts: they are parsed as they are asked for. Raises CapError."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        _look_at_all(certificate)
    except _UNREADABLE as error:
        what = f"the certificate cannot be read: {str(error)[:120]}"
        raise refusal("certificate", what, "it was altered: do not use the message", line=line) from None
    return certificate


def _look_at_all(certificate: x509.Certificate) -> None:
    certificate.public_key()
    certificate.subject.rfc4514_string()
    for part in ("issuer", "extensions", "not_valid_before_utc", "not_valid_after_utc"):
        getattr(certificate, part)


def check_certificate(certificate: x509.Certificate, at: datetime) -> None:
    """Raises CapError unless it is in force at ``at`` and allows signatures."""
    if not in_force(certificate, at):
        span = f"{certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}"
        what = f"the certificate is valid from {span}, not on {at:%Y-%m-%d}"
        raise refusal("certificate", what, "ask the sender for a message signed with one that is in force")
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        what = "the certificate is not meant for signatures (key usage)"
        raise refusal("certificate", what, "ask the sender to sign with one that is")


def is_trusted(certificate: x509.Certificate, trusted: Sequence[x509.Certificate], at: datetime) -> bool:
    """True if it is one of ``trusted``, or issued directly by an authority among them that is in force.

    There are no longer chains on purpose: whoever trusts an intermediate authority names it.
    """
    return any(certificate == known or _issued(certificate, known, at) for known in trusted)


def in_force(certificate: x509.Certificate, at: datetime) -> bool:
    """True if ``at`` (aware) lies in its time."""
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _issued(certificate: x509.Certificate, issuer: x509.Certificate, at: datetime) -> bool:
    constraints, usage = _extension(issuer, x509.BasicConstraints), _extension(issuer, x509.KeyUsage)
    may_issue = constraints is not None and constraints.ca and (usage is None or usage.key_cert_sign)
    if not may_issue or not in_force(issuer, at):
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _extension(certificate: x509.Certificate, kind: type[T]) -> T | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return None
