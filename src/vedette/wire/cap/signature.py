"""The enveloped XML signature of a CAP message (CAP 1.2 clause 3.3.4.1; W3C XML Signature 1.1).

One narrow form, and nothing else: a single ``Signature``, child of ``alert``, with one reference to the whole
document (``URI=""``), the transforms "enveloped" and at most one canonicalisation without comments, SHA-2,
RSA (PKCS 1 v1.5) or ECDSA, and the certificate inside. What an attacker could wrap, point elsewhere or leave
out has no place in it. The canonical form is lxml's, the cryptography that of ``cryptography``.

Base64 must be canonical. Two texts that decode to the same bytes are two texts: the last figure of an altered
value often hides in bits that a lenient decoder throws away.

White space between elements means nothing in CAP and something to a signature. Some national senders sign a
message and then indent it; such a one is tried again as it must have been, and `Seal.reformatted` says so.
Neither comments nor processing instructions outside ``alert`` carry anything that `read_alert` reads.
"""

import base64
import binascii
import copy
from collections.abc import Iterator, Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from msgspec import Struct

from vedette.wire.cap.faults import refusal
from vedette.wire.cap.schema import BLANK, DSIG, NAMESPACE
from vedette.wire.cap.tree import line_of, parse
from vedette.wire.cap.trust import check_certificate, is_trusted, read_certificate
from vedette.wire.cap.write import serialise

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_XENC = "http://www.w3.org/2001/04/xmlenc#"
ENVELOPED = f"{DSIG}enveloped-signature"
INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
INCLUSIVE_11 = "http://www.w3.org/2006/12/xml-c14n11"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
CANONICAL = {INCLUSIVE: False, INCLUSIVE_11: False, EXCLUSIVE: True}
"""Canonicalisations, and whether they are exclusive. Version 1.1 differs from 1.0 for ``xml:id`` and
``xml:base`` of parts of a document only; CAP has neither, and the whole is signed."""
DIGESTS: dict[str, type[hashes.HashAlgorithm]] = {
    f"{_XENC}sha256": hashes.SHA256,
    f"{_MORE}sha384": hashes.SHA384,
    f"{_XENC}sha512": hashes.SHA512,
}
METHODS: dict[str, tuple[str, type[hashes.HashAlgorithm]]] = {
    f"{_MORE}{kind}-sha{bits}": (kind, digest)
    for kind in ("rsa", "ecdsa")
    for bits, digest in ((256, hashes.SHA256), (384, hashes.SHA384), (512, hashes.SHA512))
}
LEAST_RSA_BITS = 2048

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Seal(Struct, frozen=True, kw_only=True):
    """A signature that holds. ``trusted``: its certificate is one of those that were given, or issued by
    one; False if none was given. ``reformatted``: it holds for the message without the white space between
    its elements, which somebody put in after it was signed."""

    subject: str
    serial: int
    method: str
    trusted: bool
    reformatted: bool


def verify_alert(
    data: bytes, *, at: datetime, trusted: Sequence[x509.Certificate] = (), need_trust: bool = True
) -> Seal:
    """Verify the signature of a message at the time ``at`` (aware).

    ``trusted``: certificates of senders, or of those who issue theirs. Without ``need_trust`` a signature
    that holds is told though nobody vouches for its certificate. Raises CapError: signature-missing,
    signature-form, signature-method, digest, signature, certificate, or as `read_alert` of what is no XML.
    """
    certificate, method, reformatted = _holding(parse(data), parse(data, keep_instructions=True))
    check_certificate(certificate, at)
    vouched = is_trusted(certificate, trusted, at)
    if need_trust and not vouched:
        what = f"nobody vouches for the certificate of {certificate.subject.rfc4514_string()[:120]!r}"
        raise refusal("certificate", what, "give its issuer's certificate, if you trust that")
    return Seal(
        subject=certificate.subject.rfc4514_string(),
        serial=certificate.serial_number,
        method=method.rpartition("#")[2],
        trusted=vouched,
        reformatted=reformatted,
    )


def sign_alert(data: bytes, key: PrivateKey, certificate: x509.Certificate) -> bytes:
    """The message with an enveloped signature (exclusive canonicalisation, SHA-256) by ``key``, whose
    ``certificate`` goes with it. Raises CapError for what is no XML, ValueError for a message that is signed
    already and a key that is not the certificate's."""
    if key.public_key() != certificate.public_key():
        raise ValueError("the key is not that of the certificate")
    root = parse(data)
    if root.tag != f"{{{NAMESPACE}}}alert" or root.find(_ds("Signature")) is not None:
        raise ValueError("only a CAP 1.2 message without a signature can be signed")
    kind = "rsa" if isinstance(key, rsa.RSAPrivateKey) else "ecdsa"
    digest = _digest(etree.tostring(root, method="c14n", exclusive=True), hashes.SHA256())
    signature = etree.SubElement(root, _ds("Signature"), nsmap={"ds": DSIG})
    info = _signed_info(signature, f"{_MORE}{kind}-sha256", digest)
    value = _sign(key, etree.tostring(info, method="c14n", exclusive=True))
    _put(signature, "SignatureValue", _encode(value))
    held = _put(_put(_put(signature, "KeyInfo"), "X509Data"), "X509Certificate")
    held.text = _encode(certificate.public_bytes(Encoding.DER))
    return serialise(root)


# What was signed -----------------------------------------------------------------------------------


def _holding(root: etree._Element, whole: etree._Element) -> tuple[x509.Certificate, str, bool]:
    """The certificate and method of a signature that holds, and whether it needed reformatting. ``whole``
    has the processing instructions too: signers differ in whether those outside ``alert`` belong to it."""
    signature = _only_signature(root)
    info = _child(signature, "SignedInfo")
    reference, method = _checked_form(info)
    certificate = _certificate(signature)
    wanted = _decode(_child(reference, "DigestValue"), "digest")
    digest = DIGESTS[_algorithm(_child(reference, "DigestMethod"))]
    value = _decode(_child(signature, "SignatureValue"), "signature")
    matching = (
        bare for bare in (False, True) if _digest_fits((root, whole), reference, bare, digest(), wanted)
    )
    reformatted = next(matching, None)
    if reformatted is None:
        remedy = "it was altered after it was signed: do not use it"
        raise refusal("digest", "the message is not the one that was signed", remedy, line=line_of(reference))
    for bare in sorted({reformatted, True}):
        if _signature_fits(root, bare, certificate, method, value):
            return certificate, method, bare
    remedy = "it was not made with that certificate's key, or was altered: do not use the message"
    raise refusal("signature", "the signature does not hold", remedy, line=line_of(signature))


def _only_signature(root: etree._Element) -> etree._Element:
    found = list(root.iter(_ds("Signature")))
    if not found:
        raise refusal("signature-missing", "it is not signed", "ask its sender to sign it")
    if len(found) > 1 or found[0].getparent() is not root or root.tag != f"{{{NAMESPACE}}}alert":
        raise _bad_form(found[-1], "it needs exactly one Signature, as a child of alert")
    names = [str(child.tag).rpartition("}")[2] for child in found[0]]
    if names != ["SignedInfo", "SignatureValue", "KeyInfo"]:
        raise _bad_form(found[0], "it needs SignedInfo, SignatureValue and KeyInfo, and nothing else")
    return found[0]


def _checked_form(info: etree._Element) -> tuple[etree._Element, str]:
    """The one reference and the method. Raises CapError unless the whole message is what is signed."""
    names = [str(child.tag).rpartition("}")[2] for child in info]
    if names != ["CanonicalizationMethod", "SignatureMethod", "Reference"]:
        raise _bad_form(info, "SignedInfo needs a canonicalisation, a method and one reference")
    _known(_child(info, "CanonicalizationMethod"), CANONICAL)
    reference = _child(info, "Reference")
    if reference.get("URI") != "":
        raise _bad_form(reference, 'the reference must be to the whole message (URI="")')
    transforms = [_algorithm(t) for t in _child(reference, "Transforms")]
    if transforms[:1] != [ENVELOPED] or len(transforms) > 2:
        raise _bad_form(reference, "its transforms must be: enveloped signature, one canonicalisation")
    for transform in list(_child(reference, "Transforms"))[1:]:
        _known(transform, CANONICAL)
    _known(_child(reference, "DigestMethod"), DIGESTS)
    return reference, _known(_child(info, "SignatureMethod"), METHODS)


def _digest_fits(
    roots: Sequence[etree._Element],
    reference: etree._Element,
    bare: bool,
    digest: hashes.HashAlgorithm,
    wanted: bytes,
) -> bool:
    transforms = list(_child(reference, "Transforms"))[1:]
    for root in roots:
        alert = _copy(root, bare)
        signature = alert.find(_ds("Signature"))
        assert signature is not None
        _take_out(signature)
        canonical = _canonical(alert, transforms[0] if transforms else None)
        if _digest(canonical, digest) == wanted:
            return True
    return False


def _signature_fits(
    root: etree._Element, bare: bool, certificate: x509.Certificate, method: str, value: bytes
) -> bool:
    alert = _copy(root, bare)
    info = alert.find(f"{_ds('Signature')}/{_ds('SignedInfo')}")
    assert info is not None
    signed = _canonical(info, _child(info, "CanonicalizationMethod"))
    kind, digest = METHODS[method]
    try:
        _verify(certificate.public_key(), kind, digest(), value, signed)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _copy(root: etree._Element, bare: bool) -> etree._Element:
    """A copy with its document; ``bare``: without white space between elements."""
    alert = copy.deepcopy(root.getroottree()).getroot()
    if bare:
        for element in alert.iter(etree.Element):
            if len(element):
                element.text = _without_blank(element.text)
            if element is not alert:
                element.tail = _without_blank(element.tail)
    return alert


def _without_blank(text: str | None) -> str | None:
    return text if text is not None and text.strip(BLANK) else None


def _take_out(signature: etree._Element) -> None:
    """Remove it, and keep the text behind it."""
    parent, before = signature.getparent(), signature.getprevious()
    assert parent is not None
    tail = signature.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    signature.tail = None
    parent.remove(signature)


def _canonical(node: etree._Element, method: etree._Element | None) -> bytes:
    """By default inclusive, version 1.0 (W3C XML Signature 1.1, 4.4.3.2)."""
    exclusive = method is not None and CANONICAL[_algorithm(method)]
    prefixes = list(_prefixes(method)) if method is not None and exclusive else None
    return etree.tostring(
        node, method="c14n", exclusive=exclusive, with_comments=False, inclusive_ns_prefixes=prefixes
    )


def _prefixes(method: etree._Element) -> Iterator[str]:
    for child in method:
        yield from (child.get("PrefixList") or "").split()


# Values --------------------------------------------------------------------------------------------


def _certificate(signature: etree._Element) -> x509.Certificate:
    """The first one inside: that of the signer."""
    held = signature.find(f"{_ds('KeyInfo')}/{_ds('X509Data')}/{_ds('X509Certificate')}")
    if held is None:
        raise refusal("certificate", "it holds no certificate", "sign with one", line=line_of(signature))
    return read_certificate(_decode(held, "certificate"), line_of(held))


def _decode(element: etree._Element, rule: str) -> bytes:
    """Base64, and no other base64 would give the same bytes."""
    text = "".join((element.text or "").split())
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        value = None
    if not value or base64.b64encode(value) != text.encode("ascii", "replace"):
        name = str(element.tag).rpartition("}")[2]
        remedy = "it was altered, or cut: do not use the message"
        raise refusal(rule, f"{name} is not canonical base64", remedy, line=line_of(element))
    return value


def _digest(data: bytes, algorithm: hashes.HashAlgorithm) -> bytes:
    digest = hashes.Hash(algorithm)
    digest.update(data)
    return digest.finalize()


def _verify(key: object, kind: str, digest: hashes.HashAlgorithm, value: bytes, signed: bytes) -> None:
    """Raises InvalidSignature, or ValueError for a key of another kind. RFC 4051: ECDSA is r and s."""
    if kind == "rsa" and isinstance(key, rsa.RSAPublicKey) and key.key_size >= LEAST_RSA_BITS:
        key.verify(value, signed, padding.PKCS1v15(), digest)
        return
    if kind == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
        size = (key.key_size + 7) // 8
        if len(value) != 2 * size:
            raise InvalidSignature
        r, s = (int.from_bytes(half, "big") for half in (value[:size], value[size:]))
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(digest))
        return
    raise ValueError("the certificate's key is of another kind, or too short")


def _sign(key: PrivateKey, signed: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    size = (key.key_size + 7) // 8
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def _signed_info(signature: etree._Element, method: str, digest: bytes) -> etree._Element:
    info = _put(signature, "SignedInfo")
    _put(info, "CanonicalizationMethod").set("Algorithm", EXCLUSIVE)
    _put(info, "SignatureMethod").set("Algorithm", method)
    reference = _put(info, "Reference")
    reference.set("URI", "")
    transforms = _put(reference, "Transforms")
    _put(transforms, "Transform").set("Algorithm", ENVELOPED)
    _put(transforms, "Transform").set("Algorithm", EXCLUSIVE)
    _put(reference, "DigestMethod").set("Algorithm", f"{_XENC}sha256")
    _put(reference, "DigestValue", _encode(digest))
    return info


# Elements ------------------------------------------------------------------------------------------


def _ds(name: str) -> str:
    return f"{{{DSIG}}}{name}"


def _put(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    element = etree.SubElement(parent, _ds(name))
    element.text = text
    return element


def _encode(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _child(parent: etree._Element, name: str) -> etree._Element:
    found = parent.findall(_ds(name))
    if len(found) != 1:
        raise _bad_form(parent, f"it needs one {name}")
    return found[0]


def _algorithm(element: etree._Element) -> str:
    return element.get("Algorithm") or ""


def _known(element: etree._Element, known: object) -> str:
    algorithm = _algorithm(element)
    if algorithm not in known:  # type: ignore[operator]
        name = str(element.tag).rpartition("}")[2]
        what = f"the {name} {algorithm[:80]!r} is not taken"
        raise refusal(
            "signature-method", what, "use exclusive C14N, SHA-256, RSA or ECDSA", line=line_of(element)
        )
    return algorithm


def _bad_form(element: etree._Element, what: str) -> Exception:
    remedy = "sign the whole message with one enveloped signature"
    return refusal("signature-form", what, remedy, line=line_of(element), place="alert/Signature")
