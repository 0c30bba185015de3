"""Fuzz what a security key sends: `python tests/fuzz/fuzz_webauthn.py --seconds N [--seed S]`.

Invariants: CBOR is read or refused with `CborError`, never past its end; an attestation object is taken or
refused with `WebAuthnError`; a key that is taken is one that OpenSSL can load again; no bytes pass for a
signature of a key that has signed nothing. ``chromium.bin`` was made by that browser's virtual
authenticator, the other seeds by the software authenticator of the tests; all for the host ``localhost``.
"""

import json
import random

import harness
from cryptography.hazmat.primitives.serialization import load_der_public_key

from vedette.station.access.webauthn import (
    Site,
    WebAuthnError,
    check_assertion,
    check_registration,
    encoded,
)
from vedette.wire.cbor import CborError, read_cbor

PIECES = (
    b"\x00", b"\xff", b"\xa0", b"\xa5", b"\x80", b"\x9f", b"\x5f", b"\x58\xff", b"\x59\xff\xff", b"\x20",
    b"\x21",
    b"\x03\x26", b"\x01\x02", b"\x03\x39\x01\x00", b"\xf6", b"\x1b" + b"\xff" * 8, b"\xbb" + b"\xff" * 8,
    b"hauthData", b"\x18\x20", b"\x81" * 6,
)  # fmt: skip
SITE = Site("localhost", "http://localhost")
QUESTION = b"a question"


def client(kind: str) -> bytes:
    """What an honest browser says around it."""
    said = {"type": kind, "challenge": encoded(QUESTION), "origin": SITE.origin}
    return json.dumps(said).encode()


def check(data: bytes, chance: random.Random) -> None:
    """All invariants on one input."""
    try:
        _, rest = read_cbor(data)
        assert data.endswith(rest), "more was read than there is"
    except CborError:
        pass
    try:
        key = check_registration(client("webauthn.create"), data, QUESTION, SITE)
    except WebAuthnError:
        pass
    else:
        load_der_public_key(key.public_key)
        check_no_signature(key.public_key, data, chance)
    try:
        check_registration(data, data, QUESTION, SITE)
        raise AssertionError("an attestation object is no client data")
    except WebAuthnError:
        pass


def check_no_signature(public_key: bytes, data: bytes, chance: random.Random) -> None:
    """The key has signed nothing: no bytes are its signature."""
    at = chance.randrange(len(data))
    try:
        check_assertion(client("webauthn.get"), data[:37], data[at:], QUESTION, SITE, public_key, 0)
    except WebAuthnError:
        return
    raise AssertionError("a signature that nobody made")


def mutate(data: bytes, chance: random.Random) -> bytes:
    """Small injuries with pieces that mean something here."""
    return harness.injure(data, chance, PIECES)


if __name__ == "__main__":
    seeds = harness.corpus("webauthn")
    one = harness.each(lambda chance: mutate(chance.choice(seeds), chance), check)
    raise SystemExit(harness.main("webauthn", one, check, mutate))
