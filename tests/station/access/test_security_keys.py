"""Security keys: a software authenticator for every wrong way, and a real browser for the right one."""

import asyncio
import base64
import contextlib
import hashlib
import importlib.util
import json
import secrets
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vedette.model.errors import ConfigError
from vedette.station.access.doorkeeper import Doorkeeper
from vedette.station.access.refusal import Refused
from vedette.station.access.security_keys import MOST_KEYS, KeyAnswer
from vedette.station.access.webauthn import Site, WebAuthnError, check_registration

T0 = 1_790_000_000.0
ROOT = Path(__file__).resolve().parents[3]
SITE = Site("tak.example", "https://tak.example")
UP, UV, AT = 0x01, 0x04, 0x40

Desk = Any
RSA = rsa.generate_private_key(65537, 2048)


def cbor(item: Any) -> bytes:
    """Enough of CBOR for a key's answer."""
    if isinstance(item, int):
        kind, number = (0, item) if item >= 0 else (1, -1 - item)
        return _head(kind, number)
    if isinstance(item, bytes | str):
        raw = item.encode() if isinstance(item, str) else item
        return _head(2 if isinstance(item, bytes) else 3, len(raw)) + raw
    return _head(5, len(item)) + b"".join(cbor(k) + cbor(v) for k, v in item.items())


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    size = 0 if number < 256 else 1
    return bytes([kind << 5 | 24 + size]) + number.to_bytes(1 << size, "big")


def _bytes(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


class Authenticator:
    """A security key, with every part open to be done wrong."""

    def __init__(self, kind: str = "es256") -> None:
        self.key: Any = {
            "es256": lambda: ec.generate_private_key(ec.SECP256R1()),
            "eddsa": ed25519.Ed25519PrivateKey.generate,
            "rs256": lambda: RSA,
        }[kind]()
        self.kind, self.id, self.count = kind, secrets.token_bytes(32), 0

    def cose(self) -> dict[int, Any]:
        public = self.key.public_key()
        if self.kind == "es256":
            numbers = public.public_numbers()
            return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        if self.kind == "eddsa":
            return {1: 1, 3: -8, -1: 6, -2: public.public_bytes_raw()}
        numbers = public.public_numbers()
        return {1: 3, 3: -257, -1: _bytes(numbers.n), -2: _bytes(numbers.e)}

    def sign(self, data: bytes) -> bytes:
        if self.kind == "es256":
            return bytes(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
        if self.kind == "eddsa":
            return bytes(self.key.sign(data))
        return bytes(self.key.sign(data, padding.PKCS1v15(), hashes.SHA256()))

    def data(self, flags: int, rp_id: str, count: int | None, tail: bytes = b"") -> bytes:
        counted = self.count if count is None else count
        return hashlib.sha256(rp_id.encode()).digest() + struct.pack(">BI", flags, counted) + tail

    def create(self, options: dict[str, Any], **wrong: Any) -> tuple[bytes, bytes]:
        """clientDataJSON and attestationObject."""
        key = wrong.get("cose", cbor(wrong.get("key", self.cose())))
        tail = bytes(16) + struct.pack(">H", len(self.id)) + self.id + key + wrong.get("tail", b"")
        flags = wrong.get("flags", UP | UV | AT)
        data = self.data(flags, wrong.get("rp_id", SITE.rp_id), None, tail)
        client = client_data(wrong.get("type", "webauthn.create"), options["challenge"], **wrong)
        return client, wrong.get("object", cbor({"fmt": "none", "attStmt": {}, "authData": data}))

    def get(self, options: dict[str, Any], **wrong: Any) -> KeyAnswer:
        self.count += 1
        data = self.data(wrong.get("flags", UP | UV), wrong.get("rp_id", SITE.rp_id), wrong.get("count"))
        client = client_data(wrong.get("type", "webauthn.get"), options["challenge"], **wrong)
        signed = wrong.get("signed", data + hashlib.sha256(client).digest())
        return KeyAnswer(
            key_id=wrong.get("id", self.id),
            client_data=client,
            authenticator_data=data,
            signature=wrong.get("signature", self.sign(signed)),
        )


def client_data(kind: str, challenge: str, **wrong: Any) -> bytes:
    said = {"type": kind, "challenge": challenge, "origin": SITE.origin, "crossOrigin": False}
    return json.dumps({**said, **wrong.get("client", {})}).encode()


@pytest.fixture
def known(door: Doorkeeper, desk: Desk) -> Authenticator:
    """A key that is registered."""
    return register(door, desk, Authenticator())


def register(door: Doorkeeper, desk: Desk, key: Authenticator) -> Authenticator:
    options = door.keys.registration_options(desk.principal, SITE, T0)
    door.keys.register(desk.principal, *key.create(options), "blue key", SITE, T0)
    return key


def sign_in(door: Doorkeeper, key: Authenticator, now: float = T0, **wrong: Any) -> Any:
    return door.sign_in_by_key(key.get(door.keys.sign_in_options(SITE, now), **wrong), SITE, "192.0.2.7", now)


@pytest.mark.parametrize("kind", ["es256", "eddsa", "rs256"])
def test_a_key_lets_its_person_in_with_one_touch(door: Doorkeeper, desk: Desk, kind: str) -> None:
    key = register(door, desk, Authenticator(kind))
    signed = sign_in(door, key)
    assert (signed.who.actor, signed.who.method, signed.who.via) == ("anna", "security-key", "console")
    assert signed.who.second_factor
    assert door.by_session(signed.session, T0 + 1) == signed.who
    assert door.keys.labels(desk.principal) == ("blue key",)


WRONG_ANSWERS: dict[str, dict[str, Any]] = {
    "another page": {"client": {"origin": "https://evil.example"}},
    "another port": {"client": {"origin": "https://tak.example:8443"}},
    "in a frame of another page": {"client": {"crossOrigin": True}},
    "another host": {"rp_id": "evil.example"},
    "the making of a key": {"type": "webauthn.create"},
    "another question": {"client": {"challenge": base64.urlsafe_b64encode(bytes(40)).decode()}},
    "no question": {"client": {"challenge": "%%%"}},
    "no touch": {"flags": UV},
    "no PIN": {"flags": UP},
    "another signature": {"signed": b"something else"},
    "no signature": {"signature": b""},
    "an unknown key": {"id": b"nobody's"},
}


@pytest.mark.parametrize("why", WRONG_ANSWERS)
def test_a_wrong_answer_is_refused(door: Doorkeeper, known: Authenticator, why: str) -> None:
    with pytest.raises(Refused):
        sign_in(door, known, **WRONG_ANSWERS[why])
    assert "security key from 192.0.2.7" in door.store.history()[0].words


def test_the_password_alone_is_not_enough_for_one_who_has_a_key(door: Doorkeeper) -> None:
    from vedette.station.access.doorkeeper import Attempt
    from vedette.station.access.secret import Secret

    person = door.people.add("test", "carl", "person", ("supervisor",), T0)
    door.factors.set_password("test", person, "seven geese over the river", T0)
    options = door.keys.registration_options(person, SITE, T0)
    door.keys.register(person, *Authenticator().create(options), "", SITE, T0)
    attempt = Attempt(name="carl", password=Secret("seven geese over the river"), address="::1")
    with pytest.raises(Refused):
        door.sign_in(attempt, T0)


def test_an_answer_is_good_once(door: Doorkeeper, known: Authenticator) -> None:
    known.count = -1
    answer = known.get(door.keys.sign_in_options(SITE, T0))  # a key without a counter: always 0
    assert door.sign_in_by_key(answer, SITE, "::1", T0).who.actor == "anna"
    with pytest.raises(Refused):
        door.sign_in_by_key(answer, SITE, "::1", T0 + 1)
    assert door.store.rows("SELECT count(*) FROM answered") == [(2,)]
    known.count = -1
    assert sign_in(door, known, T0 + 3600).who.actor == "anna"
    assert door.store.rows("SELECT count(*) FROM answered") == [(1,)]


def test_a_question_grows_old(door: Doorkeeper, known: Authenticator) -> None:
    answer = known.get(door.keys.sign_in_options(SITE, T0))
    with pytest.raises(Refused, match="too long"):
        door.sign_in_by_key(answer, SITE, "::1", T0 + 301)


def test_a_question_for_one_purpose_is_none_for_another(
    door: Doorkeeper, known: Authenticator, make_desk: Callable[..., Desk]
) -> None:
    ben = make_desk("ben", "supervisor")
    options = door.keys.registration_options(ben.principal, SITE, T0)
    with pytest.raises(Refused):
        door.sign_in_by_key(known.get(options), SITE, "::1", T0)
    carl = make_desk("carl", "supervisor")
    with pytest.raises(Refused):
        door.keys.register(carl.principal, *Authenticator().create(options), "", SITE, T0)


def test_a_copy_of_a_key_is_found_by_its_counter(door: Doorkeeper, known: Authenticator) -> None:
    sign_in(door, known, count=10)
    for count in (10, 9, 0):
        with pytest.raises(Refused):
            sign_in(door, known, count=count)
    assert sign_in(door, known, count=11).who.actor == "anna"


def test_a_disabled_account_has_no_use_for_its_key(door: Doorkeeper, known: Authenticator) -> None:
    door.people.disable("test", "anna", T0)
    with pytest.raises(Refused):
        sign_in(door, known)


def test_wrong_passwords_do_not_keep_a_key_out(door: Doorkeeper, desk: Desk, known: Authenticator) -> None:
    for number in range(12):
        with pytest.raises(Refused):
            door.sign_in(desk.wrong(T0 + 100 * number), T0 + 100 * number)
    assert sign_in(door, known, T0 + 1101).who.actor == "anna"


def test_a_key_wakes_a_resting_desk_and_that_of_another_does_not(
    door: Doorkeeper, known: Authenticator, make_desk: Callable[..., Desk]
) -> None:
    session, now = sign_in(door, known).session, T0 + 3 * 3600.0
    bens = register(door, make_desk("ben", "supervisor"), Authenticator())
    assert not door.by_session(session, now).fresh
    with pytest.raises(Refused):
        door.confirm_by_key(session, bens.get(door.keys.sign_in_options(SITE, now)), SITE, now)
    assert door.confirm_by_key(session, known.get(door.keys.sign_in_options(SITE, now)), SITE, now).fresh


POINT = Authenticator().cose()
WRONG_KEYS: dict[str, dict[str, Any]] = {
    "another page": {"client": {"origin": "https://evil.example"}},
    "another host": {"rp_id": "evil.example"},
    "an answer to sign in": {"type": "webauthn.get"},
    "no PIN": {"flags": UP | AT},
    "no key in it": {"flags": UP | UV},
    "not on the curve": {"key": {**POINT, -2: bytes(32)}},
    "a short point": {"key": {**POINT, -2: bytes(31)}},
    "another curve": {"key": {**POINT, -1: 2}},
    "another algorithm": {"key": {**POINT, 3: -35}},
    "a small RSA key": {"key": {1: 3, 3: -257, -1: b"\x80" + bytes(63) + b"\x01", -2: b"\x01\x00\x01"}},
    "an even RSA exponent": {
        "key": {1: 3, 3: -257, -1: _bytes(RSA.public_key().public_numbers().n), -2: b"\x04"}
    },
    "no map": {"cose": b"\x01"},
    "bytes behind it": {"tail": b"\x00"},
    "no CBOR": {"object": b"\xff\xff"},
    "no authData": {"object": cbor({"fmt": "none"})},
    "authData is text": {"object": cbor({"authData": "x" * 50})},
    "a number": {"object": cbor(7)},
}


@pytest.mark.parametrize("why", WRONG_KEYS)
def test_a_key_that_is_not_taken(door: Doorkeeper, desk: Desk, why: str) -> None:
    options = door.keys.registration_options(desk.principal, SITE, T0)
    with pytest.raises(ConfigError, match="not taken"):
        door.keys.register(desk.principal, *Authenticator().create(options, **WRONG_KEYS[why]), "", SITE, T0)
    assert not door.keys.has_any(desk.principal)


def test_a_key_belongs_to_one_and_there_are_not_too_many(
    door: Doorkeeper, desk: Desk, known: Authenticator, make_desk: Callable[..., Desk]
) -> None:
    ben = make_desk("ben", "supervisor")
    with pytest.raises(ConfigError, match="already"):
        register(door, ben, known)
    for _ in range(MOST_KEYS - 1):
        register(door, desk, Authenticator())
    with pytest.raises(ConfigError, match=str(MOST_KEYS)):
        register(door, desk, Authenticator())
    officer = door.people.add("test", "delta-2", "officer", ("officer",), T0)
    with pytest.raises(ConfigError, match="no person"):
        door.keys.register(officer, b"", b"", "", SITE, T0)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=120), st.binary(max_size=200))
def test_no_bytes_get_through(client: bytes, attestation: bytes) -> None:
    with pytest.raises(WebAuthnError):
        check_registration(client, attestation, b"q", SITE)
    said = client_data("webauthn.create", "cQ")
    with pytest.raises(WebAuthnError):
        check_registration(said, attestation, b"q", SITE)


@contextlib.asynccontextmanager
async def page_server() -> AsyncIterator[int]:
    """An empty page on localhost, which browsers take for a secure place."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # Browsers also connect beforehand, and ask for nothing.
        with contextlib.suppress(asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 4\r\nconnection: close"
        writer.write(head + b"\r\n\r\npage")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


SCRIPT = """
(async (options, create) => {
  const plain = text => atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  const read = text => Uint8Array.from(plain(text), c => c.charCodeAt(0));
  const write = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer)));
  options.challenge = read(options.challenge);
  if (options.user) options.user.id = read(options.user.id);
  for (const one of options.excludeCredentials ?? []) one.id = read(one.id);
  try {
    const made = await navigator.credentials[create ? "create" : "get"]({ publicKey: options });
    const r = made.response;
    return { id: write(made.rawId), client: write(r.clientDataJSON),
      object: r.attestationObject && write(r.attestationObject),
      data: r.authenticatorData && write(r.authenticatorData), signature: r.signature && write(r.signature) };
  } catch (error) { return { error: String(error) }; }
})(%s, %s)
"""


@pytest.mark.counterpart
def test_a_real_browser_registers_a_key_and_signs_in(
    door: Doorkeeper, desk: Desk, counterpart: Callable[[str], str]
) -> None:
    """Chromium with its virtual authenticator: what it makes is taken, and a second registration of the
    same key is refused by the browser itself, because the options say that it is known."""
    path = ROOT / "scripts" / "devtools.py"
    spec = importlib.util.spec_from_file_location("vedette_devtools_access", path)
    assert spec is not None
    assert spec.loader is not None
    devtools = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(devtools)
    chromium = counterpart("chromium")
    authenticator = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }

    async def main() -> None:
        async with page_server() as port, devtools.browser(chromium) as page:
            site = Site("localhost", f"http://localhost:{port}")
            await page.command("WebAuthn.enable")
            await page.command("WebAuthn.addVirtualAuthenticator", {"options": authenticator})
            await page.goto(f"{site.origin}/")
            await page.wait_for("document.body?.innerText == 'page'")

            async def ask(options: dict[str, Any], create: bool) -> dict[str, Any]:
                said = await page.evaluate(SCRIPT % (json.dumps(options), json.dumps(create)))
                return {
                    k: v if k == "error" else base64.b64decode(v) for k, v in said.items() if v is not None
                }

            made = await ask(door.keys.registration_options(desk.principal, site, T0), True)
            assert "error" not in made, made
            door.keys.register(desk.principal, made["client"], made["object"], "virtual", site, T0)
            again = await ask(door.keys.registration_options(desk.principal, site, T0), True)
            assert "InvalidStateError" in again["error"]
            for second in (1, 2):
                got = await ask(door.keys.sign_in_options(site, T0 + second), False)
                answer = KeyAnswer(
                    key_id=got["id"],
                    client_data=got["client"],
                    authenticator_data=got["data"],
                    signature=got["signature"],
                )
                assert door.sign_in_by_key(answer, site, "127.0.0.1", T0 + second).who.actor == "anna"

    asyncio.run(asyncio.wait_for(main(), 180))
