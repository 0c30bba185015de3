"""Enrolling officers: a certificate, the package for ATAK, and a link for the phone's browser."""

from pathlib import Path

from msgspec import Struct

from vedette.model.errors import ConfigError, VedetteError
from vedette.station.access.authority import Issuer, write_private
from vedette.station.access.certificates import Issued, Reason
from vedette.station.access.doorkeeper import Doorkeeper
from vedette.station.access.package import Server, build_package
from vedette.station.access.principals import Principal, check_name
from vedette.station.access.secret import Secret

SERVER = "tak-server"
"""The setting that remembers where phones connect."""


class Enrolled(Struct, frozen=True, kw_only=True):
    """What an enrolment made. ``package`` is the file for ATAK; ``link`` is shown once."""

    officer: Principal
    certificate: Issued
    package: Path
    link: Secret


def enrol_officer(
    door: Doorkeeper,
    issuer: Issuer,
    actor: str,
    name: str,
    server: Server,
    folder: Path,
    now: float,
    *,
    unit: str | None = None,
    display: str = "",
    rsa_key: bool = False,
) -> Enrolled:
    """A new officer, or a new phone of one who is known. Older certificates stay good until they are
    revoked: the old phone may still be the one in the pocket. Raises ConfigError; then nothing was issued."""
    check_name(name)
    pair, root = issuer.issue(name, "officer", now, rsa_key=rsa_key), issuer.root
    written: list[Path] = []
    path, package = folder / f"{name}.zip", build_package(name, pair, root, server)
    try:
        with door.store.transaction():
            officer = _officer(door, actor, name, unit, display, now)
            issued = door.register.add(actor, pair.certificate, "officer", officer, now)
            link = door.links.make("phone", officer, now)
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_private(path, package)
            written.append(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None
    except VedetteError:
        # A certificate that is not in the register must not lie about: other servers would believe it.
        for leftover in written:
            leftover.unlink(missing_ok=True)
        raise
    return Enrolled(officer=officer, certificate=issued, package=path, link=link)


def revoke_officer(door: Doorkeeper, actor: str, name: str, reason: Reason, now: float) -> int:
    """The phone is lost: its certificates and sessions are worthless from now on; how many certificates it
    were. The officer stays, and can be enrolled again. Raises ConfigError."""
    with door.store.transaction():
        officer = door.people.get(name)
        if officer.kind != "officer":
            raise ConfigError(f"{name} is no officer; for a person of the desk: vedette user disable {name}")
        good = [one for one in door.register.of(officer) if one.revoked_at is None]
        for one in good:
            door.register.revoke(actor, one, reason, now)
        door.people.expel(officer)
        return len(good)


def parse_server(text: str, site: str) -> Server:
    """``HOST:PORT`` as phones reach it. Raises ConfigError, also for an address that no phone can mean."""
    host, colon, port = text.strip().rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 65536 or "/" in host:
        raise ConfigError(
            f"{text!r} is not HOST:PORT, where phones reach the TAK server, e.g. tak.example:8089"
        )
    if host in ("0.0.0.0", "[::]", "::"):
        raise ConfigError(f"{text!r}: phones need the machine's own name or address, not {host}")
    return Server(host.strip("[]"), int(port), site)


def _officer(
    door: Doorkeeper, actor: str, name: str, unit: str | None, display: str, now: float
) -> Principal:
    known = door.people.find(name)
    if known is None:
        return door.people.add(actor, name, "officer", ("officer",), now, display=display, unit=unit)
    if known.kind != "officer" or known.disabled:
        what = "is disabled" if known.disabled else "is no officer"
        raise ConfigError(f"{name} {what}; take another name")
    return known if unit is None else door.people.bind_unit(actor, name, unit, now)
