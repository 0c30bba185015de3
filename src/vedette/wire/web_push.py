"""Web Push: encryption of messages (RFC 8291, with the aes128gcm coding of RFC 8188) and the token by which
a push service knows the sender (VAPID, RFC 8292).

Pure: keys, salt and time are given. A push service sees the size of a message and when it was sent.
"""

import base64
import json
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from vedette.wire.errors import DecodeError, EncodeError

SALT_BYTES, SECRET_BYTES, POINT_BYTES = 16, 16, 65
RECORD_BYTES = 4096
"""RFC 8291, 4: one record, which push services take up to this size."""
MOST_PLAIN = RECORD_BYTES - 86 - 17
_HEAD_BYTES = SALT_BYTES + 4 + 1 + POINT_BYTES
_TAG_BYTES = 16
_LAST = 0x02


class Receiver(NamedTuple):
    """A browser's keys: an uncompressed P-256 point and 16 bytes that both sides know."""

    point: bytes
    secret: bytes


def read_receiver(p256dh: str, auth: str) -> Receiver:
    """The two texts of a PushSubscription (base64url, with or without padding). Raises DecodeError."""
    receiver = Receiver(from_base64url(p256dh), from_base64url(auth))
    if len(receiver.secret) != SECRET_BYTES:
        raise DecodeError("auth", f"a secret of {len(receiver.secret)} bytes; it has {SECRET_BYTES}")
    _public(receiver.point)
    return receiver


def encrypt(plain: bytes, receiver: Receiver, sender: ec.EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """The body of a push message. ``sender``: a key for it alone. Raises EncodeError, DecodeError."""
    if len(plain) > MOST_PLAIN:
        raise EncodeError("too-large", f"a push message of {len(plain)} bytes; the most is {MOST_PLAIN}")
    if len(salt) != SALT_BYTES:
        raise EncodeError("salt", f"a salt of {len(salt)} bytes; it has {SALT_BYTES}")
    own = point_of(sender)
    shared = sender.exchange(ec.ECDH(), _public(receiver.point))
    key, nonce = _content_keys(shared, receiver, own, salt)
    sealed = AESGCM(key).encrypt(nonce, plain + bytes((_LAST,)), None)
    return salt + RECORD_BYTES.to_bytes(4) + bytes((len(own),)) + own + sealed


def decrypt(body: bytes, receiver: ec.EllipticCurvePrivateKey, secret: bytes) -> bytes:
    """What a browser makes of a message of one record. Raises DecodeError."""
    if len(body) < _HEAD_BYTES + _TAG_BYTES + 1 or body[SALT_BYTES + 4] != POINT_BYTES:
        raise DecodeError("header", "not a push message in one aes128gcm record")
    salt, other = body[:SALT_BYTES], body[SALT_BYTES + 5 : _HEAD_BYTES]
    shared = receiver.exchange(ec.ECDH(), _public(other))
    key, nonce = _content_keys(shared, Receiver(point_of(receiver), secret), other, salt)
    try:
        padded = AESGCM(key).decrypt(nonce, body[_HEAD_BYTES:], None).rstrip(b"\0")
    except InvalidTag:
        raise DecodeError("tag", "the message was not made for this receiver, or was changed") from None
    if not padded or padded[-1] != _LAST:
        raise DecodeError("padding", "the record is not the last one")
    return padded[:-1]


def _content_keys(shared: bytes, receiver: Receiver, sender: bytes, salt: bytes) -> tuple[bytes, bytes]:
    """RFC 8291, 3.4."""
    info = b"WebPush: info\0" + receiver.point + sender
    material = _hkdf(receiver.secret, shared, info, 32)
    key = _hkdf(salt, material, b"Content-Encoding: aes128gcm\0", 16)
    return key, _hkdf(salt, material, b"Content-Encoding: nonce\0", 12)


def _hkdf(salt: bytes, material: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(material)


def vapid_header(key: ec.EllipticCurvePrivateKey, audience: str, contact: str, expires_wall: float) -> str:
    """The Authorization header for one push service (RFC 8292, 2 and 3). ``audience``: its origin;
    ``contact``: mailto: or https: of whoever answers for the station; at most 24 hours."""
    claims = {"aud": audience, "exp": int(expires_wall), "sub": contact}
    head = to_base64url(_json({"typ": "JWT", "alg": "ES256"}))
    signed = f"{head}.{to_base64url(_json(claims))}"
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    token = f"{signed}.{to_base64url(r.to_bytes(32) + s.to_bytes(32))}"
    return f"vapid t={token}, k={to_base64url(point_of(key))}"


def point_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The public key as an uncompressed point."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def to_base64url(data: bytes) -> str:
    """Without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """With or without padding. Raises DecodeError."""
    body = text.rstrip("=")
    if not body.isascii() or not body.replace("-", "a").replace("_", "a").isalnum():
        raise DecodeError("base64url", "not base64url")
    try:
        return base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    except ValueError:
        raise DecodeError("base64url", "not base64url") from None


def _public(point: bytes) -> ec.EllipticCurvePublicKey:
    if len(point) != POINT_BYTES:
        raise DecodeError("point", f"a public key of {len(point)} bytes; it has {POINT_BYTES}")
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise DecodeError("point", "the public key is no point of the curve P-256") from None


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
