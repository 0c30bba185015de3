"""``vedette enrol`` and ``vedette authority``: officers' phones, and the certificates of the site."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer
from msgspec import Struct

from vedette.cli import output
from vedette.cli.access_common import (
    CONFIG,
    ConfigPath,
    PagePath,
    PassphraseFile,
    actor,
    ask_new,
    authority_of,
    door_of,
    issuer_of,
    now,
    page_link,
    passphrase,
    qr_svg,
    show_qr,
)
from vedette.model.errors import ConfigError

if TYPE_CHECKING:
    from vedette.station.access import Doorkeeper, Secret
    from vedette.station.access.certificates import Issued, Purpose, Reason
    from vedette.station.access.package import Server

Folder = Annotated[Path, typer.Option("-o", "--output", help="folder for what is made; it holds keys")]
ReasonName = Annotated[str, typer.Option("--reason", help="key-compromise, superseded ...")]

enrolment = typer.Typer(no_args_is_help=True, help="Officers' phones: enrol, list, revoke.")
authorities = typer.Typer(no_args_is_help=True, help="The site's own certificates: create, issue, revoke.")


class Enrolment(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What ``enrol officer`` made. ``link`` is shown this once."""

    name: str
    package: str
    serial: str
    not_after: float
    link: str
    unit: str | None = None
    picture: str | None = None


class Certificate(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of ``enrol list`` and ``authority list``."""

    name: str | None
    purpose: str
    state: str
    serial: str
    not_after: float
    subject: str
    reason: str | None = None


class Files(Struct, frozen=True, kw_only=True):
    """What ``authority server`` and ``authority client`` wrote, by the keys of a ``[[feed]]``."""

    ca_file: str
    cert_file: str
    key_file: str


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(enrolment, name="enrol")
    app.add_typer(authorities, name="authority")


@enrolment.command("officer")
def officer(
    name: Annotated[str, typer.Argument(help="the officer: a-z, 0-9, '.', '_' and '-'")],
    folder: Folder,
    unit: Annotated[str | None, typer.Option(help="uid of the phone, if it is known")] = None,
    server: Annotated[str | None, typer.Option(help="HOST:PORT where phones connect; remembered")] = None,
    display: Annotated[str, typer.Option(help="the name that others read")] = "",
    rsa: Annotated[bool, typer.Option("--rsa", help="for a phone that does not know P-256")] = False,
    page: PagePath = None,
    passphrase_file: PassphraseFile = None,
    config: ConfigPath = CONFIG,
) -> int:
    """Enrol an officer: DIR/NAME.zip for ATAK and a link for the phone. Hand both over like keys."""
    from vedette.station.access.enrolment import enrol_officer

    with door_of(config) as door:
        issuer, where = issuer_of(authority_of(door), passphrase_file), _server(door, server, config)
        made = enrol_officer(
            door, issuer, actor(), name, where, folder, now(), unit=unit, display=display, rsa_key=rsa
        )
        link = page_link(door, page, "/phone", made.link)
    record = Enrolment(
        name=name,
        unit=made.officer.unit,
        package=str(made.package),
        serial=made.certificate.serial,
        not_after=made.certificate.not_after,
        link=link.reveal(),
        picture=_picture(folder / f"{name}-phone.svg", link),
    )
    output.write(record)
    show_qr(link)
    output.say(f"Open {made.package.name} in ATAK on {name}'s phone, then delete every copy: it is a key.")
    return 0


@enrolment.command("list")
def list_officers(config: ConfigPath = CONFIG) -> int:
    """The certificates of officers, and what they are worth."""
    with door_of(config) as door:
        for one in door.register.all():
            if one.purpose == "officer":
                output.write(_line(one))
    return 0


@enrolment.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(help="the officer whose phone is lost")],
    reason: ReasonName = "key-compromise",
    passphrase_file: PassphraseFile = None,
    config: ConfigPath = CONFIG,
) -> int:
    """The phone is lost: shut it out at once. The officer stays and can be enrolled again."""
    from vedette.station.access.enrolment import revoke_officer

    with door_of(config) as door:
        count = revoke_officer(door, actor(), name, _reason(reason), now())
        plural = "" if count == 1 else "s"
        output.say(f"{name}: {count} certificate{plural} revoked, refused here from now on.")
        _publish_revoked(door, passphrase_file)
    return 0


@authorities.command("create")
def make(
    sealed: Annotated[bool, typer.Option("--sealed", help="seal the root key with a passphrase")] = False,
    passphrase_file: PassphraseFile = None,
    config: ConfigPath = CONFIG,
) -> int:
    """Make the site's authority, once. Its certificate goes to every phone, its key to nobody."""
    from vedette.station.access.authority import FOLDER, make_authority
    from vedette.station.config import read_config

    site = read_config(config).site.name
    with door_of(config) as door:
        words = _new_passphrase(passphrase_file) if sealed or passphrase_file else None
        made = make_authority(door.folder / FOLDER, site, now(), words)
    output.say(f"Made. Root certificate: {made.file}")
    output.say(f"Keep a copy of {made.folder} in a safe: without it no phone can be added.")
    return 0


@authorities.command("server")
def server(
    hosts: Annotated[list[str], typer.Argument(help="names and addresses by which phones reach the server")],
    folder: Folder,
    rsa: Annotated[bool, typer.Option("--rsa", help="for clients that do not know P-256")] = False,
    passphrase_file: PassphraseFile = None,
    config: ConfigPath = CONFIG,
) -> int:
    """A certificate for the station's listener or for a TAK server: server.crt, server.key, ca.crt."""
    return _issue("server", hosts[0], tuple(hosts), folder, rsa, passphrase_file, config)


@authorities.command("client")
def client(
    name: Annotated[str, typer.Argument(help="what the TAK server will call this station")],
    folder: Folder,
    rsa: Annotated[bool, typer.Option("--rsa", help="for servers that do not know P-256")] = False,
    passphrase_file: PassphraseFile = None,
    config: ConfigPath = CONFIG,
) -> int:
    """A certificate for the station as a client of a TAK server: client.crt, client.key, ca.crt."""
    return _issue("client", name, (), folder, rsa, passphrase_file, config)


@authorities.command("list")
def list_certificates(config: ConfigPath = CONFIG) -> int:
    """Every certificate that was issued: good, expiring within 30 days, expired or revoked."""
    with door_of(config) as door:
        for one in door.register.all():
            output.write(_line(one))
    return 0


@authorities.command("revoke")
def revoke_serial(
    serial: Annotated[str, typer.Argument(help="serial number in 'vedette authority list'")],
    reason: ReasonName = "key-compromise",
    passphrase_file: PassphraseFile = None,
    config: ConfigPath = CONFIG,
) -> int:
    """Make one certificate worthless."""
    with door_of(config) as door:
        door.register.revoke(actor(), door.register.by_serial(serial), _reason(reason), now())
        output.say(f"Certificate {serial} is revoked; this station refuses it now.")
        _publish_revoked(door, passphrase_file)
    return 0


@authorities.command("revoked")
def revoked(passphrase_file: PassphraseFile = None, config: ConfigPath = CONFIG) -> int:
    """Sign the list of revoked certificates anew, for servers that read one."""
    with door_of(config) as door:
        authority = authority_of(door)
        path = issuer_of(authority, passphrase_file).write_revoked(door.register.all(), now())
    output.say(f"Written: {path}")
    return 0


def _issue(
    purpose: "Purpose",
    name: str,
    hosts: tuple[str, ...],
    folder: Path,
    rsa: bool,
    passphrase_file: Path | None,
    config: Path,
) -> int:
    with door_of(config) as door:
        authority = authority_of(door)
        pair = issuer_of(authority, passphrase_file).issue(name, purpose, now(), hosts=hosts, rsa_key=rsa)
        with door.store.transaction():
            door.register.add(actor(), pair.certificate, purpose, None, now())
            files = {
                f"{purpose}.key": pair.key_pem(),
                f"{purpose}.crt": pair.certificate_pem(),
                "ca.crt": authority.file.read_bytes(),
            }
            ca, own, key = _written(folder, files)
    output.write(Files(ca_file=ca, cert_file=own, key_file=key))
    return 0


def _written(folder: Path, files: dict[str, bytes]) -> tuple[str, str, str]:
    """Write the files; the names in the order root, certificate, key. Raises ConfigError."""
    from vedette.station.access.authority import write_private

    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, data in files.items():
            write_private(folder / name, data)
    except OSError as error:
        raise ConfigError(f"{error.filename or folder}: cannot be written: {error.strerror}") from None
    key, own, ca = (str(folder / name) for name in files)
    return ca, own, key


def _server(door: "Doorkeeper", said: str | None, config: Path) -> "Server":
    """Where phones connect: as said now, or as said the last time."""
    from vedette.station.access.enrolment import SERVER, parse_server
    from vedette.station.config import read_config

    text = said or door.store.setting(SERVER)
    if text is None:
        raise ConfigError("where do phones connect? Say it once: --server HOST:PORT, e.g. tak.example:8089")
    server = parse_server(text, read_config(config).site.name)
    door.store.remember(SERVER, text)
    return server


def _publish_revoked(door: "Doorkeeper", passphrase_file: Path | None) -> None:
    """Sign the list for other servers, if the key is at hand; the revocation itself needs none."""
    try:
        authority = authority_of(door)
        if authority.is_sealed and passphrase_file is None:
            output.say("'vedette authority revoked' signs the list for other servers, with the passphrase.")
            return
        path = issuer_of(authority, passphrase_file).write_revoked(door.register.all(), now())
    except ConfigError as error:
        output.say(f"The list for other servers was not signed: {error}")
        return
    output.say(f"The list for other servers: {path}. A TAK server that reads none must be told by hand.")


def _picture(path: Path, link: "Secret") -> str | None:
    from vedette.station.access.authority import write_private

    drawn = qr_svg(link)
    if drawn is None:
        return None
    write_private(path, drawn)
    return str(path)


def _new_passphrase(file: Path | None) -> "Secret":
    return ask_new("Passphrase for the root key") if file is None else passphrase(file, "")


def _reason(text: str) -> "Reason":
    from vedette.station.access.certificates import Reason

    if text not in get_args(Reason):
        raise ConfigError(f"--reason {text}: one of {', '.join(get_args(Reason))}")
    return cast("Reason", text)


def _line(one: "Issued") -> Certificate:
    return Certificate(
        name=one.principal,
        purpose=one.purpose,
        state=one.state(now()),
        serial=one.serial,
        not_after=one.not_after,
        subject=one.subject,
        reason=one.reason,
    )
