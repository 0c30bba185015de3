"""``vedette user``, ``token``, ``enrol`` and ``authority`` as a person types them."""

import base64
import io
import json
import sqlite3
import stat
import time
import xml.etree.ElementTree
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from vedette.cli import access_common
from vedette.cli.main import run_command
from vedette.station.access import Attempt, Doorkeeper, Secret, authority, passwords, totp

SITE = '[site]\nname = "Testfield"\nlat_deg = 47.2\nlon_deg = 8.5\nalt_m = 450.0\nalt_datum = "egm96"\n'
GOOD = "seven geese over the river"

Vedette = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture(autouse=True)
def cheap_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "COST", passwords.Cost(64, 1, 1))
    monkeypatch.setattr(authority, "SEALING", passwords.Cost(64, 1, 1))


@pytest.fixture
def vedette(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Vedette:
    """Run a command at a site; exit code, the JSON lines, what was said."""
    (tmp_path / "vedette.toml").write_text(SITE)

    def run(*arguments: str) -> tuple[int, list[dict[str, Any]], str]:
        code = run_command([*arguments, "--config", str(tmp_path / "vedette.toml")])
        said = capsys.readouterr()
        return code, [json.loads(line) for line in said.out.splitlines()], said.err

    return run


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What is typed next, a line each."""
    return lambda *lines: monkeypatch.setattr(
        "sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines))
    )


def door(tmp_path: Path) -> Doorkeeper:
    return Doorkeeper(tmp_path / "state", "Testfield")


def test_from_the_first_link_to_an_administrator(vedette: Vedette, tmp_path: Path) -> None:
    code, (shown,), said = vedette("user", "first", "--page", "https://tak.example")
    assert code == 0
    assert shown["link"].startswith("https://tak.example/first#vdl_")
    assert "shown this once" in said
    keeper = door(tmp_path)
    keeper.make_first_administrator(Secret(shown["link"].partition("#")[2]), "olga", time.time())
    keeper.close()
    code, lines, said = vedette("user", "first")
    assert (code, lines) == (1, [])
    assert "already" in said


def test_a_person_set_up_at_the_terminal_can_sign_in(
    vedette: Vedette, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The code is worked out from the address on the terminal, as a code generator does."""
    said: list[str] = []
    asked: list[str] = []

    def ask(question: str) -> Secret:
        asked.append(question)
        if "Password" in question:
            return Secret(GOOD)
        secret = next(line for line in said if "secret=" in line).partition("secret=")[2].partition("&")[0]
        key = base64.b32decode(secret + "=" * (-len(secret) % 8))
        return Secret(totp.hotp(key, totp.counter_at(time.time()) - 1))

    monkeypatch.setattr("vedette.cli.access.ask", ask)
    monkeypatch.setattr(access_common, "ask", ask)
    monkeypatch.setattr("vedette.cli.output.say", said.append)
    code, lines, _ = vedette(
        "user", "add", "anna", "--role", "watch-officer", "--display", "Anna O.", "--here"
    )
    assert (code, lines) == (0, [])
    paper = [line.strip() for line in said if line.startswith("    ")]
    assert len(paper) == 10
    keeper = door(tmp_path)
    now = time.time()
    attempt = Attempt(name="anna", password=Secret(GOOD), code=Secret(paper[0]), address="::1")
    assert keeper.sign_in(attempt, now).who.second_factor
    keeper.close()
    code, (line,), _ = vedette("user", "list")
    assert line["factors"] == ["password", "codes"]
    assert (line["roles"], line["display"]) == (["watch-officer"], "Anna O.")


def test_a_password_that_is_too_easy_is_refused_and_not_shown(
    vedette: Vedette, typed: Callable[..., None]
) -> None:
    vedette("user", "add", "anna", "--role", "analyst")
    typed("password1234")
    code, _, said = vedette("user", "set-up", "anna")
    assert code == 64
    assert "too easy" in said
    assert "password1234" not in said
    typed()
    assert vedette("user", "set-up", "anna")[0] == 64


def test_add_list_roles_disable_enable_reset(vedette: Vedette) -> None:
    code, (shown,), _ = vedette("user", "add", "anna", "--role", "watch-officer", "--role", "analyst")
    assert code == 0
    assert shown["link"].startswith("/set-up#vdl_")
    assert vedette("user", "roles", "anna", "--role", "supervisor")[1][0]["roles"] == ["supervisor"]
    assert vedette("user", "disable", "anna")[1][0]["disabled"] is True
    assert "disabled" not in vedette("user", "enable", "anna")[1][0]
    assert vedette("user", "reset", "anna")[1][0]["link"] != shown["link"]
    history = [line["what"] for line in vedette("user", "history", "--most", "4")[1]]
    assert history == ["factors-reset", "principal-enabled", "principal-disabled", "roles-changed"]
    actor = vedette("user", "history")[1][0]["actor"]
    assert actor.startswith("cli")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("user", "add", "Anna O.", "--role", "analyst"), "cannot be a name"),
        (("user", "add", "anna", "--role", "boss"), "there is no role boss; there are watch-officer"),
        (("user", "add", "anna", "--role", "officer"), "a person needs"),
        (("user", "disable", "nobody"), "there is nobody named 'nobody'"),
        (("user", "first", "--page", "http://tak.example"), "https://"),
        (("token", "add", "radar", "--scope", "acknowledge-desk"), "no token can carry acknowledge-desk"),
        (("token", "add", "radar", "--scope", "export", "--days", "9999"), "400 days"),
        (("token", "revoke", "7"), "there is no token 7"),
        (("enrol", "officer", "delta-2", "-o", "made"), "vedette authority create"),
        (("enrol", "revoke", "nobody"), "there is nobody"),
        (("authority", "revoke", "beef"), "no certificate has the serial number beef"),
        (("authority", "server", "tak.example", "-o", "made"), "vedette authority create"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(vedette: Vedette, arguments: tuple[str, ...], words: str) -> None:
    code, lines, said = vedette(*arguments)
    assert (code, lines) == (64, [])
    assert words in said
    assert said.count("\n") == 1


def test_a_program_that_was_refused_a_token_is_not_left_behind(vedette: Vedette) -> None:
    vedette("token", "add", "radar", "--scope", "acknowledge-desk")
    assert vedette("user", "list")[1] == []


def test_the_last_administrator_stays(vedette: Vedette) -> None:
    vedette("user", "add", "olga", "--role", "administrator")
    for arguments in (("disable", "olga"), ("roles", "olga", "--role", "analyst")):
        code, _, said = vedette("user", *arguments)
        assert code == 64
        assert "last administrator" in said


def test_tokens_are_made_listed_and_revoked(vedette: Vedette, tmp_path: Path) -> None:
    code, (shown,), said = vedette("token", "add", "radar", "--scope", "submit-detections", "--days", "30")
    assert code == 0
    assert "kept nowhere" in said
    keeper = door(tmp_path)
    assert keeper.by_token(Secret(shown["token"]), time.time()).scopes == ("submit-detections",)
    keeper.close()
    (listed,) = vedette("token", "list")[1]
    assert (listed["principal"], listed["revoked"]) == ("radar", False)
    assert shown["token"] not in json.dumps(listed)
    assert vedette("token", "revoke", str(listed["id"]))[0] == 0
    assert vedette("token", "list")[1][0]["revoked"] is True


def test_enrol_list_and_revoke_an_officer(vedette: Vedette, tmp_path: Path) -> None:
    made = tmp_path / "made"
    assert vedette("authority", "create")[0] == 0
    code, lines, said = vedette("enrol", "officer", "delta-2", "-o", str(made))
    assert (code, lines) == (64, [])
    assert "--server HOST:PORT" in said
    code, (record,), said = vedette(
        "enrol", "officer", "delta-2", "-o", str(made), "--server", "tak.example:8089", "--unit", "ANDROID-1"
    )
    assert code == 0
    assert record["unit"] == "ANDROID-1"
    assert "it is a key" in said
    with zipfile.ZipFile(record["package"]) as archive:
        assert "MANIFEST/manifest.xml" in archive.namelist()
    if "picture" in record:
        picture = Path(record["picture"])
        assert stat.S_IMODE(picture.stat().st_mode) == 0o600
        assert xml.etree.ElementTree.parse(picture).getroot().tag.endswith("svg")
    assert vedette("enrol", "officer", "delta-3", "-o", str(made))[0] == 0  # the server is remembered
    listed = vedette("enrol", "list")[1]
    assert [(line["name"], line["state"]) for line in listed] == [("delta-2", "good"), ("delta-3", "good")]
    code, _, said = vedette("enrol", "revoke", "delta-2")
    assert code == 0
    assert "1 certificate revoked" in said
    assert [line["state"] for line in vedette("enrol", "list")[1]] == ["revoked", "good"]
    listed_too = x509.load_pem_x509_crl(
        (tmp_path / "state" / "access" / "authority" / "revoked.crl").read_bytes()
    )
    assert [f"{one.serial_number:x}" for one in listed_too] == [record["serial"]]


def test_a_sealed_root_asks_for_its_passphrase_and_a_lost_phone_does_not_wait_for_it(
    vedette: Vedette, tmp_path: Path, typed: Callable[..., None]
) -> None:
    made, right, wrong = tmp_path / "made", tmp_path / "right", tmp_path / "wrong"
    right.write_text("nine otters in the reeds\n")
    wrong.write_text("nine otters in the weeds\n")
    assert vedette("authority", "create", "--passphrase-file", str(right))[0] == 0
    enrol = ("enrol", "officer", "delta-2", "-o", str(made), "--server", "tak.example:8089")
    code, _, said = vedette(*enrol, "--passphrase-file", str(wrong))
    assert code == 64
    assert "not its passphrase" in said
    assert "otters" not in said
    typed("nine otters in the reeds")
    assert vedette(*enrol)[0] == 0
    code, _, said = vedette("enrol", "revoke", "delta-2")
    assert code == 0
    assert "vedette authority revoked" in said
    assert vedette("enrol", "list")[1][0]["state"] == "revoked"
    assert vedette("authority", "revoked", "--passphrase-file", str(right))[0] == 0


def test_certificates_for_servers_and_for_the_station(vedette: Vedette, tmp_path: Path) -> None:
    vedette("authority", "create")
    code, (files,), _ = vedette(
        "authority", "server", "tak.example", "192.0.2.1", "-o", str(tmp_path / "server")
    )
    assert code == 0
    certificate = x509.load_pem_x509_certificate(Path(files["cert_file"]).read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["tak.example"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.1"]
    assert {stat.S_IMODE(Path(path).stat().st_mode) for path in files.values()} == {0o600}
    assert vedette("authority", "client", "vedette-1", "-o", str(tmp_path / "client"))[0] == 0
    listed = vedette("authority", "list")[1]
    assert [line["purpose"] for line in listed] == ["server", "client"]
    assert vedette("authority", "revoke", listed[0]["serial"], "--reason", "superseded")[0] == 0
    assert vedette("authority", "list")[1][0]["reason"] == "superseded"
    assert vedette("authority", "revoke", listed[1]["serial"], "--reason", "tired")[0] == 64


def test_a_store_of_a_newer_or_a_broken_kind_is_said(vedette: Vedette, tmp_path: Path) -> None:
    vedette("user", "list")
    path = tmp_path / "state" / "access" / "access.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    code, _, said = vedette("user", "list")
    assert code == 64
    assert "newer Vedette" in said
    path.write_bytes(b"this is no database, by any means" * 100)
    code, _, said = vedette("user", "list")
    assert code == 64
    assert "access.db" in said


def test_the_files_are_the_owners_alone(vedette: Vedette, tmp_path: Path) -> None:
    vedette("user", "add", "anna", "--role", "analyst")
    folder = tmp_path / "state" / "access"
    (folder / "access.db").chmod(0o644)
    vedette("user", "list")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert set(modes.values()) == {0o600}, modes


def test_who_saw_where_people_are(vedette: Vedette, tmp_path: Path) -> None:
    assert vedette("user", "reads") == (0, [], "")
    keeper, at = door(tmp_path), time.time()
    keeper.reads.add("olga", "live picture from 192.0.2.7", ("ANDROID-1",), 5, at, at + 60.0)
    keeper.reads.add("rosa", "picture from 192.0.2.8", ("ANDROID-1", "ANDROID-2"), 1, at + 70.0, at + 70.0)
    keeper.close()
    (newest,) = vedette("user", "reads", "--most", "1")[1]
    assert newest == {
        "actor": "rosa", "way": "picture from 192.0.2.8", "began": at + 70.0, "ended": at + 70.0,
        "reads": 1, "units": ["ANDROID-1", "ANDROID-2"],
    }  # fmt: skip
    assert [look["actor"] for look in vedette("user", "reads")[1]] == ["rosa", "olga"]
