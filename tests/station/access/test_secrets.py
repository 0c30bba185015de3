"""No secret is in a repr, an error, the history or the store: every flow is run, and all is searched."""

import contextlib
import copy
import io
import json
import logging
import pickle
import time
import traceback
from pathlib import Path

import msgspec
import pytest
import structlog

from vedette.model.errors import VedetteError
from vedette.station.access import totp
from vedette.station.access.authority import make_authority
from vedette.station.access.doorkeeper import Attempt, Doorkeeper
from vedette.station.access.enrolment import enrol_officer
from vedette.station.access.package import Server
from vedette.station.access.secret import Secret, fingerprint, normalised_code, random_secret, recovery_code

PASSWORD, PASSPHRASE = "seven geese over the river", "nine otters in the reeds"
WRONG = "eight cranes over the meadow"
NOW = time.time()


def run_everything(door: Doorkeeper, folder: Path) -> tuple[list[Secret], list[object]]:
    """Every flow, right and wrong; the secrets that were in it, and all objects that came out."""
    made: list[object] = []
    first = door.first_link(NOW)
    assert first is not None
    admin, setup = door.make_first_administrator(first, "olga", NOW)
    _, codes = door.begin_setup(setup, NOW)
    code = Secret(totp.hotp(_key(codes.uri), totp.counter_at(NOW)))
    paper = door.finish_setup(setup, Secret(PASSWORD), code, NOW)
    later = NOW + 60
    next_code = Secret(totp.hotp(_key(codes.uri), totp.counter_at(later)))
    attempt = Attempt(name="olga", password=Secret(PASSWORD), code=next_code, address="::1")
    signed = door.sign_in(attempt, later)
    program = door.people.add("test", "radar", "program", (), NOW)
    token = door.tokens.make("test", program, "", ("export",), NOW)
    authority = make_authority(door.folder / "authority", "T", NOW, Secret(PASSPHRASE))
    issuer = authority.unlock(Secret(PASSPHRASE))
    enrolled = enrol_officer(door, issuer, "test", "delta-2", Server("h", 1, "T"), folder, NOW)
    who, phone = door.by_phone_link(enrolled.link, NOW)
    made += [admin, codes, attempt, signed, program, issuer, authority, enrolled, who, door.store.history()]
    made += [door.register.all(), door.tokens.all(), door.people.all()]
    made += wrong_ways(door, issuer.issue("x", "officer", NOW), authority)
    kept = [Secret(PASSWORD), Secret(PASSPHRASE), Secret(WRONG), first, setup, codes.uri, *paper, token]
    return [*kept, signed.session, signed.device, enrolled.link, phone], made


def wrong_ways(door: Doorkeeper, pair: object, authority: object) -> list[object]:
    """Everything that is refused; the words of the refusals with their tracebacks."""
    bad = Secret(WRONG)
    attempt = Attempt(name="olga", password=bad, code=bad, address="::1", device=bad)
    calls = [
        lambda: door.sign_in(attempt, NOW),
        lambda: door.by_session(bad, NOW),
        lambda: door.by_token(bad, NOW),
        lambda: door.by_phone_link(bad, NOW),
        lambda: door.begin_setup(bad, NOW),
        lambda: door.finish_setup(bad, bad, bad, NOW),
        lambda: door.make_first_administrator(bad, "x", NOW),
        lambda: door.by_certificate(WRONG.encode(), NOW),
        lambda: door.factors.set_password("t", door.people.get("olga"), "password1234", NOW),
        lambda: authority.unlock(bad),  # type: ignore[attr-defined]
    ]
    said: list[object] = [pair, attempt]
    for call in calls:
        with pytest.raises(VedetteError) as caught:
            call()
        said.append("".join(traceback.format_exception(caught.value)).replace(Path(__file__).read_text(), ""))
        said.append(caught.value)
    return said


def _key(uri: Secret) -> bytes:
    import base64

    text = uri.reveal().partition("secret=")[2].partition("&")[0]
    return base64.b32decode(text + "=" * (-len(text) % 8))


def test_no_secret_comes_out_of_anything(
    door: Doorkeeper, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logged = io.StringIO()
    with structlog.testing.capture_logs() as structured, contextlib.redirect_stderr(logged):
        secrets, made = run_everything(door, tmp_path / "made")
    shown = "\n".join(
        [*(repr(one) for one in made), *(str(one) for one in made), logged.getvalue(), caplog.text]
    )
    shown += json.dumps(structured, default=repr)
    door.close()
    kept = b"".join(path.read_bytes() for path in door.folder.rglob("*") if path.is_file())
    for secret in secrets:
        assert secret.reveal() not in shown
        assert secret.reveal().encode() not in kept
    assert _key(made[1].uri) not in kept  # type: ignore[attr-defined]
    assert "PRIVATE KEY" not in shown


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = random_secret("vdt_")
    text = secret.reveal()
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r:>60}", "%s" % secret, repr([secret])):  # noqa: UP031
        assert text not in shown
    for write in (pickle.dumps, copy.copy, msgspec.json.encode, json.dumps):
        with pytest.raises(TypeError):
            write(secret)


def test_secrets_are_random_and_compared() -> None:
    made = {random_secret("vds_") for _ in range(50)} | {recovery_code() for _ in range(50)}
    assert len({fingerprint(secret.reveal()) for secret in made}) == len(made) == 100
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert all(normalised_code(code.reveal().upper()) == code.reveal() for code in [recovery_code()])
