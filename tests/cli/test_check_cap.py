"""``vedette check-cap``: exit codes, words and lines."""

import base64
import json
from pathlib import Path

import pytest

from vedette.cli.main import run_command
from vedette.wire.cap import CapAlert, Info, write_alert

INFO = Info(
    categories=("Security",), event="Drone", urgency="Immediate", severity="Extreme", certainty="Likely"
)
GOOD = write_alert(
    CapAlert(
        identifier="a.1",
        sender="vedette@example.org",
        sent="2026-01-31T12:00:00-00:00",
        status="Actual",
        msg_type="Alert",
        scope="Restricted",
        restriction="staff",
        infos=(INFO,),
    )
)


def wmo(field_data: Path, name: str) -> str:
    return str(field_data / "protocols" / "cap" / "wmo" / f"sc_{name}.xml")


@pytest.fixture
def good(tmp_path: Path) -> str:
    path = tmp_path / "good.xml"
    path.write_bytes(GOOD)
    return str(path)


@pytest.fixture
def bad(tmp_path: Path) -> str:
    path = tmp_path / "bad.xml"
    path.write_bytes(GOOD.replace(b"a.1", b"a 1"))
    return str(path)


def test_a_good_message(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["check-cap", good]) == 0
    assert capsys.readouterr().out == f"{good}: good. Actual Alert, Restricted. Not signed.\n"


def test_a_bad_one_is_told_with_line_and_remedy(
    good: str, bad: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["check-cap", good, bad]) == 65
    _, verdict, fault = capsys.readouterr().out.splitlines()
    assert verdict == f"{bad}: NOT GOOD."
    assert fault.startswith("  fault  line 2, alert/identifier: 'a 1' is empty, or holds white space")
    assert "-> use other characters" in fault


def test_json_lines(good: str, bad: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["check-cap", "--json", good, bad]) == 65
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (first["good"], first["signature"], first["scope"]) == (True, "absent", "Restricted")
    assert "faults" not in first
    assert (second["good"], second["faults"][0]["rule"]) == (False, "bad-identifier")


def test_a_restricted_message_is_not_for_the_public(good: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["check-cap", "--ipaws", "--json", good]) == 65
    told = json.loads(capsys.readouterr().out)
    assert told["ipaws"] is False
    assert "ipaws-scope" in [fault["rule"] for fault in told["faults"]]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["absent.xml"],
        ["{good}", "--xsd", "absent.xsd"],
        ["{good}", "--xsd", "{good}"],
        ["{good}", "--certificate", "{good}"],
        ["{good}", "--at", "yesterday"],
        ["{good}", "--at", "2026-01-31T12:00:00"],
    ],
)
def test_wrong_usage_is_64(arguments: list[str], good: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["check-cap", *(argument.format(good=good) for argument in arguments)]) == 64
    assert capsys.readouterr().out == ""


@pytest.mark.field
def test_the_schema_is_asked_too(good: str, field_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = field_data / "protocols" / "cap"
    files = [good, str(folder / "amber.xml"), str(folder / "google" / "xee.cap")]
    assert run_command(["check-cap", "--json", "--xsd", str(folder / "CAP-v1.2.xsd"), *files]) == 65
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["good"], one["schema"]) for one in told] == [(True, True), (True, True), (False, False)]
    assert told[2]["faults"][0]["rule"] == "document-type"


def test_a_schema_that_refuses_is_heeded(
    good: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = tmp_path / "other.xsd"
    schema.write_text('<schema xmlns="http://www.w3.org/2001/XMLSchema"><element name="other"/></schema>')
    assert run_command(["check-cap", "--xsd", str(schema), good]) == 65
    assert "the schema file that was given refuses it" in capsys.readouterr().out


@pytest.mark.field
@pytest.mark.parametrize(
    ("name", "code", "signature", "rule"),
    [
        ("valid", 0, "trusted", None),
        ("invalid_digest", 65, "refused", "digest"),
        ("invalid_signature", 65, "refused", "signature"),
        ("invalid_certificate", 65, "refused", "certificate"),
        ("no_signature", 65, "absent", "signature-missing"),
    ],
)
def test_signed_samples(
    name: str, code: int, signature: str, rule: str | None, field_data: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    text = Path(wmo(field_data, "valid")).read_text()
    held = text.partition("<ds:X509Certificate>")[2].partition("</ds:X509Certificate>")[0]
    body = base64.encodebytes(base64.b64decode(held)).decode()
    pem = tmp_path / "wmo.pem"
    pem.write_text(f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n")
    options = ["--certificate", str(pem), "--at", "2024-07-10T00:00:00+00:00", "--json"]
    assert run_command(["check-cap", wmo(field_data, name), *options]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["signature"] == signature
    assert [fault["rule"] for fault in told.get("faults", [])] == ([rule] if rule else [])


@pytest.mark.field
def test_words_for_signatures(field_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--at", "2024-07-10T00:00:00+00:00"]
    assert run_command(["check-cap", wmo(field_data, "valid"), *options]) == 0
    told = capsys.readouterr().out
    assert "nobody vouches for the certificate of CN=www.meteo.sc (indented after it was signed)." in told
    assert run_command(["check-cap", wmo(field_data, "valid")]) == 65
    assert "the certificate is valid from 2024-07-02 to 2024-09-30" in capsys.readouterr().out
