"""Security keys: checks what an authenticator has signed (W3C Web Authentication, Level 2, 7.1 and 7.2).

Pure: bytes in, an answer or a `WebAuthnError`. The user must have been verified by the key itself (PIN or
finger), so that one touch is two factors. Attestation is not asked for and not looked at: which make of key
somebody has is the security officer's affair when he hands it out. ES256, EdDSA and RS256 are known.
"""

import base64
import hashlib
import hmac
import struct
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)
from msgspec import Struct

from vedette.wire.cbor import CborError, read_cbor

ALGORITHMS = (-7, -8, -257)
"""ES256, EdDSA, RS256 (RFC 9053, 2; RFC 8812, 2)."""
_PRESENT, _VERIFIED, _ATTESTED, _EXTENDED = 0x01, 0x04, 0x40, 0x80
_MOST_ID = 1023
_LEAST_RSA_BITS = 2048

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


class WebAuthnError(ValueError):
    """What came is no proof; the words say which check failed."""


class Site(Struct, frozen=True):
    """The page that a key belongs to: its host (``rp_id``) and where it is opened (``origin``)."""

    rp_id: str
    origin: str


class NewKey(Struct, frozen=True):
    """A key that was just made: its id, its public key (DER) and its counter."""

    id: bytes
    public_key: bytes
    count: int


class ClientData(msgspec.Struct, frozen=True, rename="camel"):
    """What the browser says it did (5.8.1)."""

    type: str
    challenge: str
    origin: str
    cross_origin: bool = False


class _AuthenticatorData(Struct, frozen=True):
    """6.1: the key's own account; ``rest`` is what follows the counter."""

    flags: int
    count: int
    rest: bytes


def challenge_of(client_data: bytes) -> bytes:
    """The challenge that the browser answered. Raises WebAuthnError."""
    return _bytes(_client_data(client_data).challenge)


def check_registration(client_data: bytes, attestation_object: bytes, challenge: bytes, site: Site) -> NewKey:
    """7.1: a new key for ``site``. Raises WebAuthnError."""
    _check_client_data(client_data, "webauthn.create", challenge, site)
    try:
        outer, behind = read_cbor(attestation_object)
        data = outer["authData"]
        if behind or not isinstance(data, bytes):
            raise WebAuthnError("the attestation object is not well formed")
        account = _account(data, site)
        if not account.flags & _ATTESTED:
            raise WebAuthnError("the answer holds no key")
        return _new_key(account)
    except (CborError, KeyError, TypeError) as error:
        raise WebAuthnError(f"the attestation object cannot be read: {error}") from None


def check_assertion(
    client_data: bytes,
    authenticator_data: bytes,
    signature: bytes,
    challenge: bytes,
    site: Site,
    public_key: bytes,
    count: int,
) -> int:
    """7.2: the key with this public key (DER) and last ``count`` has signed; its new count. Raises
    WebAuthnError, also for a counter that did not grow: then there are two of this key."""
    _check_client_data(client_data, "webauthn.get", challenge, site)
    account = _account(authenticator_data, site)
    signed = authenticator_data + hashlib.sha256(client_data).digest()
    try:
        _verify(load_der_public_key(public_key), signature, signed)
    except (InvalidSignature, ValueError):
        raise WebAuthnError("the signature is not of this key") from None
    if (account.count or count) and account.count <= count:
        raise WebAuthnError("the key's counter did not grow: there may be a copy of it")
    return account.count


def encoded(data: bytes) -> str:
    """base64url without padding, as browsers write bytes."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _client_data(data: bytes) -> ClientData:
    try:
        return msgspec.json.decode(data, type=ClientData)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise WebAuthnError("what the browser says of itself cannot be read") from None


def _check_client_data(data: bytes, kind: str, challenge: bytes, site: Site) -> None:
    said = _client_data(data)
    if said.type != kind:
        raise WebAuthnError(f"{said.type!r} instead of {kind!r}")
    if not hmac.compare_digest(_bytes(said.challenge), challenge):
        raise WebAuthnError("the answer to another question")
    if said.origin != site.origin or said.cross_origin:
        raise WebAuthnError(f"made for another page: {said.origin!r}")


def _account(data: bytes, site: Site) -> _AuthenticatorData:
    if len(data) < 37:
        raise WebAuthnError("the key's answer is cut off")
    if not hmac.compare_digest(data[:32], hashlib.sha256(site.rp_id.encode()).digest()):
        raise WebAuthnError("made for another host")
    flags, count = struct.unpack_from(">BI", data, 32)
    if not flags & _PRESENT or not flags & _VERIFIED:
        raise WebAuthnError("the key did not ask for its PIN or finger; set a PIN on it")
    return _AuthenticatorData(flags, count, data[37:])


def _new_key(account: _AuthenticatorData) -> NewKey:
    """6.5.1, attested credential data: AAGUID, length, id, public key; then extensions or nothing."""
    rest = account.rest
    if len(rest) < 18:
        raise WebAuthnError("the new key is cut off")
    (length,) = struct.unpack_from(">H", rest, 16)
    if not 0 < length <= _MOST_ID or len(rest) < 18 + length:
        raise WebAuthnError("the new key's id is cut off or too long")
    cose, behind = read_cbor(rest[18 + length :])
    if behind and not account.flags & _EXTENDED:
        raise WebAuthnError("bytes behind the new key")
    der = _public_key(cose).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return NewKey(rest[18 : 18 + length], der, account.count)


def _public_key(cose: Any) -> PublicKey:
    """A COSE key (RFC 9053, 7; RFC 8230, 4). Raises WebAuthnError."""
    if not isinstance(cose, dict):
        raise WebAuthnError("the new key is no COSE key")
    match cose:
        case {1: 2, 3: -7, -1: 1, -2: bytes(x), -3: bytes(y)} if len(x) == len(y) == 32:
            return _on_curve(x, y)
        case {1: 1, 3: -8, -1: 6, -2: bytes(x)} if len(x) == 32:
            return ed25519.Ed25519PublicKey.from_public_bytes(x)
        case {1: 3, 3: -257, -1: bytes(n), -2: bytes(e)}:
            return _rsa(int.from_bytes(n, "big"), int.from_bytes(e, "big"))
    raise WebAuthnError("a kind of key that is not known; ES256, EdDSA and RS256 are")


def _on_curve(x: bytes, y: bytes) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + x + y)
    except ValueError:
        raise WebAuthnError("the new key is no point of P-256") from None


def _rsa(modulus: int, exponent: int) -> rsa.RSAPublicKey:
    if not _LEAST_RSA_BITS <= modulus.bit_length() <= 4096:
        raise WebAuthnError(f"an RSA key needs {_LEAST_RSA_BITS} to 4096 bits")
    try:
        return rsa.RSAPublicNumbers(exponent, modulus).public_key()
    except ValueError:
        raise WebAuthnError("the new key is no RSA key") from None


def _verify(key: object, signature: bytes, signed: bytes) -> None:
    """Raises InvalidSignature."""
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    elif isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, signed)
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    else:
        raise InvalidSignature


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise WebAuthnError("the challenge is not base64url") from None
