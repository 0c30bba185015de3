"""``vedette check-cap``: is this CAP message good, who signed it, may it go to the public gateway?"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from msgspec import Struct

from vedette.cli import output
from vedette.model.errors import ConfigError, InputError
from vedette.wire.cap import CapError, Examined, Fault, Seal, examine, ipaws_faults, verify_alert

if TYPE_CHECKING:
    # At run time these are imported late: only --xsd and --certificate need them.
    from cryptography.x509 import Certificate
    from lxml import etree

    Trust = tuple[Sequence[Certificate] | None, datetime]

Signature = Literal["absent", "trusted", "untrusted", "refused"]


class Verdict(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What there is to say of one file. ``schema``: the verdict of the schema file that was given."""

    file: str
    good: bool
    signature: Signature
    identifier: str | None = None
    sender: str | None = None
    status: str | None = None
    msg_type: str | None = None
    scope: str | None = None
    schema: bool | None = None
    ipaws: bool | None = None
    seal: Seal | None = None
    faults: tuple[Fault, ...] = ()


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command(name="check-cap")(check_cap)


def check_cap(
    files: Annotated[list[Path], typer.Argument(help="CAP 1.2 messages")],
    xsd: Annotated[Path | None, typer.Option(help="the OASIS schema, to be asked too")] = None,
    ipaws: Annotated[bool, typer.Option("--ipaws", help="must suit the public gateway (IPAWS)")] = False,
    certificate: Annotated[
        Path | None,
        typer.Option(help="certificates (PEM) that you trust: then it must be signed by one"),
    ] = None,
    at: Annotated[
        str | None, typer.Option(help="judge certificates at this time, e.g. 2026-01-31T12:00:00+00:00")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="one JSON line a file")] = False,
) -> int:
    """Hold CAP messages to the schema, the standard's own rules and, if it is signed, the signature. Exit 65
    if one is not good; each fault names its line and its remedy."""
    schema = None if xsd is None else _schema(xsd)
    trusted = None if certificate is None else _certificates(certificate)
    moment = _moment(at)
    verdicts = [_judge(file, schema, (trusted, moment), ipaws) for file in files]
    for verdict in verdicts:
        if json:
            output.write(verdict)
        else:
            _say(verdict)
    return 0 if all(verdict.good for verdict in verdicts) else InputError.exit_code


def _judge(file: Path, schema: "etree.XMLSchema | None", trust: "Trust", ipaws: bool) -> Verdict:
    data = _bytes(file)
    examined = examine(data)
    by_schema = None if schema is None else _by_schema(schema, data, examined)
    unfit = ipaws_faults(data) if ipaws and examined.good else ()
    signature, seal, broken = _signature(data, examined, trust)
    faults = (*examined.faults, *(broken.faults if broken else ()), *unfit)
    fit = by_schema is not False and broken is None and not unfit
    return Verdict(
        file=str(file),
        good=examined.good and fit,
        signature=signature,
        schema=by_schema,
        ipaws=not unfit and examined.good if ipaws else None,
        seal=seal,
        faults=faults,
        **_described(examined),
    )


def _described(examined: Examined) -> dict[str, str]:
    alert = examined.alert
    if alert is None:
        return {}
    names = ("identifier", "sender", "status", "msg_type", "scope")
    return {name: getattr(alert, name) for name in names}


def _moment(text: str | None) -> datetime:
    """Now, or the time that was named. Raises ConfigError."""
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ConfigError(f"--at {text}: not a time with an offset, such as 2026-01-31T12:00:00+00:00")
    return moment


def _signature(
    data: bytes, examined: Examined, trust: "Trust"
) -> tuple[Signature, Seal | None, CapError | None]:
    """A message without a signature is refused only if one is required."""
    trusted, at = trust
    if examined.alert is None or not (examined.alert.signed or trusted is not None):
        return "absent", None, None
    try:
        seal = verify_alert(data, at=at, trusted=trusted or (), need_trust=trusted is not None)
    except CapError as error:
        return "absent" if error.reason == "signature-missing" else "refused", None, error
    return "trusted" if seal.trusted else "untrusted", seal, None


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None


def _schema(file: Path) -> "etree.XMLSchema":
    from lxml import etree

    try:
        return etree.XMLSchema(etree.fromstring(_bytes(file), etree.XMLParser(no_network=True)))
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError, ValueError) as error:
        raise ConfigError(f"{file}: not a schema: {error}") from None


def _by_schema(schema: "etree.XMLSchema", data: bytes, examined: Examined) -> bool:
    """Asked only about what our own reader could parse: a stranger's document type is not even opened."""
    from vedette.wire.cap.tree import parse

    try:
        return schema.validate(parse(data))
    except CapError:
        return False


def _certificates(file: Path) -> "list[Certificate]":
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return load_pem_x509_certificates(_bytes(file))
    except ValueError as error:
        raise ConfigError(f"{file}: no certificate in PEM: {error}") from None


def _say(verdict: Verdict) -> None:
    what = (
        f" {verdict.status} {verdict.msg_type}, {verdict.scope}. {_signed(verdict)}"
        if verdict.msg_type
        else ""
    )
    print(f"{verdict.file}: {'good' if verdict.good else 'NOT GOOD'}.{what}")
    for fault in verdict.faults:
        mark = "advice" if fault.advice else "fault "
        print(f"  {mark} line {fault.line}, {fault.place}: {fault.what} -> {fault.remedy}")
    if verdict.schema is False and not verdict.faults:
        print("  fault  the schema file that was given refuses it")


def _signed(verdict: Verdict) -> str:
    words = {
        "absent": "Not signed.",
        "trusted": "Signed by",
        "untrusted": "The signature holds; nobody vouches for the certificate of",
        "refused": "The signature is refused.",
    }[verdict.signature]
    if verdict.seal is None:
        return words
    later = " (indented after it was signed)" if verdict.seal.reformatted else ""
    return f"{words} {verdict.seal.subject}{later}."
