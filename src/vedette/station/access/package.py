"""The data package that connects an ATAK phone to a TAK server: open it in ATAK, and nothing is typed.

A zip with ``MANIFEST/manifest.xml`` (version 2), ``certs/preference.pref`` (the connection and where the two
PKCS 12 files are, with their passwords), the trust store (the site's root) and the officer's certificate
with its key. The same parts as ``takyctl build_client`` makes; the test compares the two.

ATAK reads PKCS 12 with 3DES and SHA-1 only. That protects little, and need not: the passwords stand beside
the files. The whole zip is a key and is handed over like one.
"""

import io
import uuid
import zipfile
from collections.abc import Mapping

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import KeySerializationEncryption, PrivateFormat, pkcs12
from lxml import etree
from msgspec import Struct

from vedette.station.access.authority import Pair
from vedette.station.access.secret import random_secret

_ON_PHONE = "/storage/emulated/0/atak/cert/"
_FOLDER = "certs/"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""Time of the entries: when a package was made is nobody's business on the phone."""

Preferences = Mapping[str, Mapping[str, str | int | bool]]


class Server(Struct, frozen=True):
    """Where the phones connect: the TAK server, or the station itself."""

    host: str
    port: int
    name: str


def build_package(name: str, own: Pair, root: x509.Certificate, server: Server) -> bytes:
    """The zip for one officer. ``own`` is his certificate and key."""
    trust, client = f"truststore-{name}.p12", f"{name}.p12"
    trust_password, client_password = random_secret().reveal(), random_secret().reveal()
    host = f"[{server.host}]" if ":" in server.host else server.host
    preferences: Preferences = {
        "cot_streams": {
            "count": 1,
            "description0": server.name,
            "enabled0": True,
            "connectString0": f"{host}:{server.port}:ssl",
        },
        "com.atakmap.app_preferences": {
            "displayServerConnectionWidget": True,
            "caLocation": f"{_ON_PHONE}{trust}",
            "caPassword": trust_password,
            "clientPassword": client_password,
            "certificateLocation": f"{_ON_PHONE}{client}",
        },
    }
    files = {
        "preference.pref": preference_file(preferences),
        trust: trust_store(root, trust_password),
        client: key_store(name, own, root, client_password),
    }
    return _zipped(files, manifest(f"{server.name} {name}", tuple(files)))


def preference_file(preferences: Preferences) -> bytes:
    """ATAK's preferences: named groups of typed entries."""
    top = etree.Element("preferences")
    for group, entries in preferences.items():
        inner = etree.SubElement(top, "preference", version="1", name=group)
        for key, value in entries.items():
            entry = etree.SubElement(inner, "entry", {"key": key, "class": f"class java.lang.{_type(value)}"})
            entry.text = str(value).lower() if isinstance(value, bool) else str(value)
    return etree.tostring(top, pretty_print=True, xml_declaration=True, encoding="UTF-8", standalone=True)


def manifest(name: str, files: tuple[str, ...]) -> bytes:
    """What is in the package. ATAK deletes the zip when it has taken it in."""
    top = etree.Element("MissionPackageManifest", version="2")
    settings = etree.SubElement(top, "Configuration")
    for key, value in (("uid", str(uuid.uuid4())), ("name", name), ("onReceiveDelete", "true")):
        etree.SubElement(settings, "Parameter", name=key, value=value)
    contents = etree.SubElement(top, "Contents")
    for file in files:
        etree.SubElement(contents, "Content", ignore="false", zipEntry=f"{_FOLDER}{file}")
    return etree.tostring(top, pretty_print=True, encoding="UTF-8")


def trust_store(root: x509.Certificate, password: str) -> bytes:
    """PKCS 12 with the root certificate and no key."""
    trusted = pkcs12.PKCS12Certificate(root, b"vedette-root")
    return pkcs12.serialize_key_and_certificates(None, None, None, [trusted], _encryption(password))


def key_store(name: str, own: Pair, root: x509.Certificate, password: str) -> bytes:
    """PKCS 12 with the certificate, its key and the root."""
    trusted = pkcs12.PKCS12Certificate(root, b"vedette-root")
    return pkcs12.serialize_key_and_certificates(
        name.encode(), own.key, own.certificate, [trusted], _encryption(password)
    )


def _encryption(password: str) -> KeySerializationEncryption:
    # As OpenSSL does. The password is 256 random bits: stretching it would add nothing.
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(2048)
    builder = builder.key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC).hmac_hash(hashes.SHA1())
    return builder.build(password.encode())


def _type(value: str | int | bool) -> str:
    return "Boolean" if isinstance(value, bool) else "Integer" if isinstance(value, int) else "String"


def _zipped(files: Mapping[str, bytes], listing: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("MANIFEST/manifest.xml", _EPOCH), listing)
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(f"{_FOLDER}{name}", _EPOCH), data)
    return target.getvalue()
