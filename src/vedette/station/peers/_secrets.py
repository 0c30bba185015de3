"""Files that hold a secret: read only if nobody else may read them, written so that nobody else can."""

import os
import ssl
import stat
from pathlib import Path
from typing import NamedTuple

from vedette.model import ConfigError
from vedette.station.config import FeedConfig

MOST_BYTES = 4096


class Login(NamedTuple):
    """A user and a password."""

    user: str
    password: str


def secret_lines(feed: FeedConfig) -> list[str]:
    """The lines of a feed's ``secret_file``, without empty ones. Raises ConfigError."""
    assert feed.secret_file is not None
    path = Path(feed.secret_file)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1).decode()
    except OSError as error:
        raise ConfigError(f"feed {feed.name!r}: {path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"feed {feed.name!r}: {path}: not UTF-8 text") from None
    if mode & 0o077:
        raise ConfigError(f"feed {feed.name!r}: {path}: others may read it; chmod 600")
    if len(text) > MOST_BYTES:
        raise ConfigError(f"feed {feed.name!r}: {path}: more than {MOST_BYTES} bytes; is it the right file?")
    return [line.strip() for line in text.splitlines() if line.strip()]


def login_of(feed: FeedConfig) -> Login | None:
    """User in the first line of the ``secret_file``, password in the second. Raises ConfigError."""
    if feed.secret_file is None:
        return None
    lines = secret_lines(feed)
    if len(lines) != 2:
        raise ConfigError(
            f"feed {feed.name!r}: {feed.secret_file}: {len(lines)} lines; the user stands in the first and"
            " the password in the second"
        )
    return Login(*lines)


def tls_of(feed: FeedConfig) -> ssl.SSLContext:
    """TLS towards a server, which is always verified: against ``ca_file``, or what the system trusts. With
    ``cert_file`` and ``key_file`` we prove who we are. Raises ConfigError."""
    try:
        context = ssl.create_default_context(cafile=feed.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if feed.cert_file is not None:
            context.load_cert_chain(feed.cert_file, feed.key_file, _no_password)
    except (OSError, ssl.SSLError, ValueError) as error:
        paths = ", ".join(path for path in (feed.ca_file, feed.cert_file, feed.key_file) if path)
        raise ConfigError(f"feed {feed.name!r}: cannot load the certificates {paths}: {error}") from None
    return context


def _no_password() -> str:
    """Without this OpenSSL would ask on the terminal and the station would hang."""
    return ""


def write_private(path: Path, data: bytes) -> None:
    """Replace a file, whole or not at all, for the station's user only. Raises OSError."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
