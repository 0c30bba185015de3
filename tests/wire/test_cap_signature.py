"""Signatures of CAP messages: the signed samples, our own, and signxml's where it is installed."""

import base64
import datetime
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from lxml import etree

from vedette.wire.cap import CapAlert, CapError, Info, read_alert, sign_alert, verify_alert, write_alert

AT = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)
START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
MESSAGE = write_alert(
    CapAlert(
        identifier="a.1", sender="vedette@example.org", sent="2026-06-01T00:00:00-00:00", status="Actual",
        msg_type="Alert", scope="Restricted", restriction="staff",
        infos=(Info(categories=("Security",), event="Drone <é>", urgency="Immediate", severity="Extreme",
                    certainty="Likely"),),
    )
)  # fmt: skip
DSIG = "{http://www.w3.org/2000/09/xmldsig#}"
RSA = rsa.generate_private_key(65537, 2048)
P256, P384 = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def issue(
    key: Key,
    name: str = "site",
    by: tuple[Key, str] | None = None,
    ca: bool = False,
    days: int = 3650,
    usage: bool | None = None,
) -> x509.Certificate:
    """A certificate for ``key``, by itself or by another; ``usage``: may it sign, if that is said."""
    issuer, issuer_name = by or (key, name)

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    builder = (
        x509.CertificateBuilder(
            issuer_name=named(issuer_name), subject_name=named(name), public_key=key.public_key()
        )
        .serial_number(7)
        .not_valid_before(START)
        .not_valid_after(START + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if usage is not None:
        others = dict.fromkeys(("key_encipherment", "data_encipherment", "crl_sign", "encipher_only"), False)
        bits = x509.KeyUsage(
            digital_signature=usage, content_commitment=False, key_agreement=True, key_cert_sign=False,
            decipher_only=False, **others,
        )  # fmt: skip
        builder = builder.add_extension(bits, critical=True)
    return builder.sign(issuer, hashes.SHA256())


def issue_with_unused_bits() -> x509.Certificate:
    """One whose base64 ends in "=": its last letter holds bits that a lenient decoder throws away."""
    made = (issue(P256) for _ in range(100))
    return next(one for one in made if len(one.public_bytes(Encoding.DER)) % 3)


OWN = issue_with_unused_bits()
SIGNED = sign_alert(MESSAGE, P256, OWN)


def refused(data: bytes, at: datetime.datetime = AT, trusted: tuple[x509.Certificate, ...] = (OWN,)) -> str:
    """The reason why it is refused."""
    with pytest.raises(CapError) as caught:
        verify_alert(data, at=at, trusted=trusted)
    return caught.value.reason


@pytest.mark.parametrize("key", [RSA, P256, P384], ids=["rsa", "p256", "p384"])
def test_what_is_signed_verifies_and_still_says_the_same(key: Key) -> None:
    certificate = issue(key)
    signed = sign_alert(MESSAGE, key, certificate)
    seal = verify_alert(signed, at=AT, trusted=[certificate])
    assert (seal.trusted, seal.reformatted, seal.subject) == (True, False, "CN=site")
    assert seal.method == ("rsa-sha256" if key is RSA else "ecdsa-sha256")
    assert read_alert(signed).signed
    assert write_alert(read_alert(signed)) == MESSAGE


ALTERED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a word": ("digest", lambda d: d.replace(b"Extreme", b"Minor")),
    "an element more": ("digest", lambda d: d.replace(b"</info>", b"<web>http://x/</web></info>")),
    "the digest": ("digest", lambda d: with_value(d, "DigestValue", bytes(32))),
    "the value": ("signature", lambda d: with_value(d, "SignatureValue", bytes(63) + b"\1")),
    "the value's length": ("signature", lambda d: with_value(d, "SignatureValue", bytes(10))),
    "an empty value": ("signature", lambda d: with_value(d, "SignatureValue", b"")),
    "the certificate": ("certificate", lambda d: with_value(d, "X509Certificate", b"no certificate")),
    "another's certificate": ("signature", lambda d: with_value(d, "X509Certificate", OTHER)),
    "no certificate": ("certificate", lambda d: d.replace(b"X509Certificate", b"X509SKI")),
    "the method": ("signature", lambda d: d.replace(b"ecdsa-sha256", b"ecdsa-sha512")),
    "a weak method": ("signature-method", lambda d: d.replace(b"xmldsig-more#ecdsa-sha256", b"x#ecdsa-sha1")),
    "a weak digest": ("signature-method", lambda d: d.replace(b"04/xmlenc#sha256", b"04/xmlenc#sha1")),
    "with comments": ("signature-method", lambda d: d.replace(b"exc-c14n#", b"exc-c14n#WithComments")),
    "a part": ("signature-form", lambda d: d.replace(b'URI=""', b'URI="#a"')),
    "no reference": ("signature-form", lambda d: d.replace(b' URI=""', b"")),
    "not enveloped": ("signature-form", lambda d: d.replace(b"#enveloped-signature", b"#base64")),
    "twice": ("signature-form", lambda d: d.replace(b"</alert>", part(d, b"ds:Signature") + b"</alert>")),
    "elsewhere": (
        "signature-form",
        lambda d: d.replace(s := part(d, b"ds:Signature"), b"").replace(b"</info>", s + b"</info>"),
    ),
    "two references": (
        "signature-form",
        lambda d: d.replace(b"</ds:SignedInfo>", part(d, b"ds:Reference") + b"</ds:SignedInfo>"),
    ),
    "more inside": ("signature-form", lambda d: d.replace(b"</ds:KeyInfo>", b"</ds:KeyInfo><ds:Object/>")),
    "unsigned": ("signature-missing", lambda d: d.replace(part(d, b"ds:Signature"), b"")),
}  # fmt: skip
OTHER = issue(P384, "other").public_bytes(Encoding.DER)


def with_value(data: bytes, name: str, value: bytes) -> bytes:
    """The message with another value somewhere in its signature."""
    root = etree.fromstring(data)
    element = root.find(f".//{DSIG}{name}")
    assert element is not None
    element.text = base64.b64encode(value).decode()
    return etree.tostring(root)


def part(data: bytes, name: bytes) -> bytes:
    """One element of the message, with its name spaces declared."""
    start, end = data.index(b"<" + name), data.rindex(b"</" + name + b">") + len(name) + 3
    declared = b' xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
    found = data[start:end]
    return found if declared in found or name == b"ds:Signature" else found.replace(name, name + declared, 1)


@pytest.mark.parametrize("what", ALTERED)
def test_what_was_altered_is_refused_for_the_right_reason(what: str) -> None:
    reason, alter = ALTERED[what]
    altered = alter(SIGNED)
    assert altered != SIGNED
    assert refused(altered) == reason


@pytest.mark.parametrize("name", ["DigestValue", "SignatureValue", "X509Certificate"])
def test_base64_that_hides_a_change_in_unused_bits_is_refused(name: str) -> None:
    root = etree.fromstring(SIGNED)
    element = root.find(f".//{DSIG}{name}")
    assert element is not None
    text = element.text or ""
    body, pad = text.rstrip("="), text[len(text.rstrip("=")) :]
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    element.text = body[:-1] + letters[letters.index(body[-1]) + 1] + pad
    assert base64.b64decode(element.text) == base64.b64decode(text)
    assert refused(etree.tostring(root)) == {"D": "digest", "S": "signature", "X": "certificate"}[name[0]]


def test_white_space_that_was_put_in_later_is_told() -> None:
    root = etree.fromstring(SIGNED)
    etree.indent(root)
    seal = verify_alert(etree.tostring(root), at=AT, trusted=[OWN])
    assert seal.reformatted
    assert refused(etree.tostring(root).replace(b"Drone", b" Drone")) == "digest"


def test_comments_and_instructions_say_nothing() -> None:
    styled = SIGNED.replace(b"<alert", b'<?xml-stylesheet href="x"?><!-- c --><alert', 1)
    assert read_alert(styled) == read_alert(SIGNED)
    assert verify_alert(styled, at=AT, trusted=[OWN]).trusted


CA = issue(RSA, "authority", ca=True)
BY_CA = issue(P256, "site", by=(RSA, "authority"))


def test_an_authority_vouches_for_what_it_issued() -> None:
    signed = sign_alert(MESSAGE, P256, BY_CA)
    assert verify_alert(signed, at=AT, trusted=[issue(P384, "x"), CA]).trusted
    assert not verify_alert(signed, at=AT, need_trust=False).trusted


@pytest.mark.parametrize(
    ("certificate", "trusted", "at"),
    [
        (OWN, (), AT),
        (OWN, (CA,), AT),
        (BY_CA, (issue(RSA, "authority"),), AT),
        (BY_CA, (issue(P384, "authority", ca=True),), AT),
        (BY_CA, (issue(RSA, "authority", ca=True, days=30),), AT),
        (OWN, (OWN,), START - datetime.timedelta(seconds=1)),
        (OWN, (OWN,), START + datetime.timedelta(days=3651)),
        (issue(P256, usage=False), (issue(P256, usage=False),), AT),
    ],
    ids=[
        "nobody",
        "another",
        "no authority",
        "same name",
        "authority ended",
        "early",
        "late",
        "not for signing",
    ],
)
def test_a_certificate_that_nobody_vouches_for_is_refused(
    certificate: x509.Certificate, trusted: tuple[x509.Certificate, ...], at: datetime.datetime
) -> None:
    assert refused(sign_alert(MESSAGE, P256, certificate), at, trusted) == "certificate"


def test_a_certificate_for_signing_is_taken() -> None:
    certificate = issue(P256, usage=True)
    assert verify_alert(sign_alert(MESSAGE, P256, certificate), at=AT, trusted=[certificate]).trusted


def test_what_cannot_be_signed_is_refused() -> None:
    with pytest.raises(ValueError, match="not that of the certificate"):
        sign_alert(MESSAGE, P384, OWN)
    with pytest.raises(ValueError, match="without a signature"):
        sign_alert(SIGNED, P256, OWN)
    with pytest.raises(ValueError, match=r"CAP 1\.2"):
        sign_alert(b"<alert/>", P256, OWN)


def test_a_short_key_does_not_hold() -> None:
    key = rsa.generate_private_key(65537, 1024)
    certificate = issue(key)
    assert refused(sign_alert(MESSAGE, key, certificate), trusted=(certificate,)) == "signature"


def test_a_key_of_another_kind_does_not_hold() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ed")])
    start = START
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=999))
        .sign(key, None)
    )
    data = with_value(SIGNED, "X509Certificate", certificate.public_bytes(Encoding.DER))
    assert refused(data) == "signature"


# The signed samples of the WMO ---------------------------------------------------------------------


def sample(field_data: Path, name: str) -> bytes:
    return (field_data / "protocols" / "cap" / "wmo" / f"sc_{name}.xml").read_bytes()


def pinned(field_data: Path) -> x509.Certificate:
    held = etree.fromstring(sample(field_data, "valid")).find(f".//{DSIG}X509Certificate")
    assert held is not None
    return x509.load_der_x509_certificate(base64.b64decode(held.text or ""))


IN_FORCE = datetime.datetime(2024, 7, 10, tzinfo=datetime.UTC)


@pytest.mark.field
def test_the_signed_sample_holds(field_data: Path) -> None:
    """It was indented after it was signed: as it stands no verifier could accept it."""
    seal = verify_alert(sample(field_data, "valid"), at=IN_FORCE, trusted=[pinned(field_data)])
    assert (seal.trusted, seal.reformatted) == (True, True)
    assert (seal.subject, seal.method) == ("CN=www.meteo.sc", "ecdsa-sha256")


@pytest.mark.field
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("invalid_digest", "digest"),
        ("invalid_signature", "signature"),
        ("invalid_certificate", "certificate"),
        ("no_signature", "signature-missing"),
        ("invalid_schema", "signature-missing"),
    ],
)
def test_the_broken_samples_are_refused_for_the_right_reason(
    field_data: Path, name: str, reason: str
) -> None:
    assert refused(sample(field_data, name), IN_FORCE, (pinned(field_data),)) == reason


@pytest.mark.field
def test_the_samples_certificate_holds_only_in_its_time(field_data: Path) -> None:
    assert refused(sample(field_data, "valid"), AT, (pinned(field_data),)) == "certificate"
    assert refused(sample(field_data, "valid"), IN_FORCE, ()) == "certificate"


@pytest.mark.field
def test_the_sample_does_not_hold_when_a_word_changes(field_data: Path) -> None:
    altered = sample(field_data, "valid").replace(b"Moderate</severity>", b"Minor</severity>")
    assert refused(altered, IN_FORCE, (pinned(field_data),)) == "digest"


# signxml, an independent implementation ------------------------------------------------------------


@pytest.fixture
def signxml() -> ModuleType:
    if importlib.util.find_spec("signxml") is None:
        pytest.skip("signxml is not installed: pip install signxml")
    return importlib.import_module("signxml")


@pytest.mark.counterpart
@pytest.mark.parametrize("key", [RSA, P256, P384], ids=["rsa", "p256", "p384"])
def test_signxml_accepts_ours(signxml: ModuleType, key: Key) -> None:
    certificate = issue(key)
    signed = sign_alert(MESSAGE, key, certificate)
    pem = certificate.public_bytes(Encoding.PEM).decode()
    configuration = signxml.SignatureConfiguration(location="./", verification_time=AT)
    result = signxml.XMLVerifier().verify(signed, x509_cert=pem, expect_config=configuration)
    assert read_alert(result.signed_data) == read_alert(MESSAGE)
    altered = signed.replace(b"Extreme", b"Minor")
    with pytest.raises(signxml.InvalidDigest):
        signxml.XMLVerifier().verify(altered, x509_cert=pem, expect_config=configuration)


@pytest.mark.counterpart
@pytest.mark.parametrize("key", [RSA, P256, P384], ids=["rsa", "p256", "p384"])
@pytest.mark.parametrize(
    "c14n",
    ["http://www.w3.org/2001/10/xml-exc-c14n#", "http://www.w3.org/2006/12/xml-c14n11",
     "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"],
)  # fmt: skip
def test_we_accept_signxmls(signxml: ModuleType, key: Key, c14n: str) -> None:
    certificate = issue(key)
    method = "rsa-sha384" if key is RSA else "ecdsa-sha512"
    signer = signxml.XMLSigner(
        signature_algorithm=method,
        digest_algorithm="sha512",
        c14n_algorithm=signxml.CanonicalizationMethod(c14n),
    )
    pem = certificate.public_bytes(Encoding.PEM).decode()
    root = signer.sign(etree.fromstring(MESSAGE), key=key, cert=pem, always_add_key_value=False)
    data = etree.tostring(root)
    seal = verify_alert(data, at=AT, trusted=[certificate])
    assert (seal.method, seal.reformatted) == (method, False)
    assert refused(data.replace(b"Extreme", b"Minor"), trusted=(certificate,)) == "digest"
