"""Web Push against the example of RFC 8291, and the token of RFC 8292."""

import json

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from vedette.wire.errors import DecodeError, EncodeError
from vedette.wire.web_push import (
    MOST_PLAIN,
    RECORD_BYTES,
    Receiver,
    decrypt,
    encrypt,
    from_base64url,
    point_of,
    read_receiver,
    to_base64url,
    vapid_header,
)


def private(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(from_base64url(text)), ec.SECP256R1())


# RFC 8291, section 5 and appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
SENDER = private("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")
BROWSER = private("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94")
BROWSER_PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
SALT = from_base64url("DGv6ra1nlYgDCS1FRnbzlw")
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6P"
    "Bru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
KEY = ec.generate_private_key(ec.SECP256R1())


def test_the_example_of_the_rfc() -> None:
    receiver = read_receiver(BROWSER_PUBLIC, AUTH)
    assert to_base64url(encrypt(PLAIN, receiver, SENDER, SALT)) == BODY
    assert decrypt(from_base64url(BODY), BROWSER, from_base64url(AUTH)) == PLAIN


@given(
    st.binary(max_size=MOST_PLAIN), st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16)
)
def test_what_is_sealed_is_opened_by_its_browser_alone(plain: bytes, salt: bytes, secret: bytes) -> None:
    body = encrypt(plain, Receiver(point_of(BROWSER), secret), SENDER, salt)
    assert len(body) <= RECORD_BYTES
    assert decrypt(body, BROWSER, secret) == plain
    with pytest.raises(DecodeError):
        decrypt(body, KEY, secret)
    with pytest.raises(DecodeError):
        decrypt(body[:-1] + bytes((body[-1] ^ 1,)), BROWSER, secret)


@given(st.binary(max_size=200))
def test_no_bytes_are_taken_for_a_message(body: bytes) -> None:
    with pytest.raises(DecodeError):
        decrypt(body, BROWSER, bytes(16))


@given(st.text(max_size=100), st.text(max_size=40))
def test_no_text_is_taken_for_keys(p256dh: str, auth: str) -> None:
    with pytest.raises(DecodeError):
        read_receiver(p256dh, auth)


@pytest.mark.parametrize("point", [bytes(65), b"\4" + bytes(64), b"\4" + b"\xff" * 64, b"\2" + bytes(32)])
def test_a_key_that_is_no_point_of_the_curve_is_refused(point: bytes) -> None:
    with pytest.raises(DecodeError):
        read_receiver(to_base64url(point), AUTH)


def test_what_is_too_long_is_refused() -> None:
    receiver = read_receiver(BROWSER_PUBLIC, AUTH)
    with pytest.raises(EncodeError):
        encrypt(bytes(MOST_PLAIN + 1), receiver, SENDER, SALT)
    with pytest.raises(EncodeError):
        encrypt(b"", receiver, SENDER, SALT[:15])


def test_a_push_service_knows_the_sender() -> None:
    header = vapid_header(KEY, "https://push.example", "mailto:ops@site.example", 1_800_000_000.9)
    scheme, token, key = header.replace(",", "").split(" ")
    assert scheme == "vapid"
    assert from_base64url(key.removeprefix("k=")) == point_of(KEY)
    head, claims, signature = token.removeprefix("t=").split(".")
    assert json.loads(from_base64url(head)) == {"typ": "JWT", "alg": "ES256"}
    assert json.loads(from_base64url(claims)) == {
        "aud": "https://push.example", "exp": 1_800_000_000, "sub": "mailto:ops@site.example",
    }  # fmt: skip
    raw = from_base64url(signature)
    der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
    KEY.public_key().verify(der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        KEY.public_key().verify(der, f"{head}.{claims}x".encode(), ec.ECDSA(hashes.SHA256()))
