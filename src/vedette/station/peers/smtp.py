"""A mail server: ``smtp://HOST:587?from=ADDRESS`` (STARTTLS, which is not given up off this machine) or
``smtps://HOST:465?from=ADDRESS``.

Whoever on the roster has ``mail`` is written to, each address in a mail of its own, so that nobody learns who
else was warned. User and password stand in the ``secret_file`` and are said
over TLS only, or on this machine.

The one receipt is ``accepted``: that server has the mail. Whether it arrives, and when, it does not tell.
"""

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiosmtplib

from vedette.express.mail import is_address, mail_of
from vedette.model import ConfigError, Fact, Frame
from vedette.model.event import Clear, Deliver
from vedette.station.config import FeedConfig
from vedette.station.peers._errands import Errand, Errands, RefusedError
from vedette.station.peers._line_feed import is_loopback, options_of
from vedette.station.peers._outward import entry_of, keep_watch, notice_by
from vedette.station.peers._secrets import Login, login_of, tls_of
from vedette.station.peers.mqtt import switch
from vedette.station.ports import Hub, Peer

PORTS = {"smtp": 587, "smtps": 465}
OPTIONS = frozenset({"from", "position"})
WORKERS = 4
COMMAND_S, ATTEMPT_S = 10.0, 30.0
CHECK_S = 120.0


class SmtpPeer:
    """Writes through one server. ``tls``: the context; ``at_once``: TLS from the first byte, else STARTTLS;
    without a context nothing is encrypted."""

    receipt_facts: tuple[Fact, ...] = ("accepted",)
    carries_position: bool = False

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        sender: str,
        *,
        tls: ssl.SSLContext | None = None,
        at_once: bool = False,
        login: Login | None = None,
        carries_position: bool = False,
        attempt_s: float = ATTEMPT_S,
        first_pause_s: float = 1.0,
        check_s: float = CHECK_S,
    ) -> None:
        self.name = name
        self.senses: tuple[str, ...] = ()
        self.carries_position = carries_position
        self._host, self._port, self._sender = host, port, sender
        self._tls, self._at_once, self._login = tls, at_once, login
        self._check_s = check_s
        self._errands = Errands(
            name, self._carry, workers=WORKERS, attempt_s=attempt_s, first_pause_s=first_pause_s
        )
        self._hub: Hub | None = None

    @property
    def counts(self) -> Counter[str]:
        """What became of the messages."""
        return self._errands.counts

    async def run(self, hub: Hub) -> None:
        """Send what is due, until cancelled."""
        self._hub = hub
        async with asyncio.TaskGroup() as group:
            group.create_task(self._errands.run(hub))
            group.create_task(keep_watch(hub, self.name, self._check, every_s=self._check_s))

    def reaches(self, unit: str) -> bool:
        """True for those on the roster who have an address."""
        return self._errands.running and bool(self._addresses(unit))

    async def deliver(self, delivery: Deliver, recipient: str) -> None:
        """Take the message; it is sent until the server has it or it is no longer news. Raises
        ConnectionError."""
        self._errands.put(delivery, recipient)

    async def clear(self, clear: Clear, recipient: str) -> None:
        """The same for an end. Raises ConnectionError."""
        self._errands.put(clear, recipient)

    async def publish(self, frame: Frame) -> None:
        """Nothing: no track goes by mail."""

    # Inside ---------------------------------------------------------------------------------------

    def _addresses(self, unit: str) -> tuple[str, ...]:
        entry = None if self._hub is None else entry_of(self._hub, unit)
        return () if entry is None else entry.mail

    async def _carry(self, errand: Errand) -> None:
        """One mail to each address that has none yet of this errand; a repetition is another errand."""
        assert self._hub is not None
        notice = notice_by(
            self._hub, errand.message, errand.recipient, carries_position=self.carries_position
        )
        entry = entry_of(self._hub, errand.recipient)
        addresses = self._addresses(errand.recipient)
        refused: list[str] = []
        async with self._server() as server:
            for address in addresses:
                if address in errand.done:
                    continue
                language = entry.language if entry is not None else "en"
                mail = mail_of(notice, language=language, sender=self._sender, to=address)
                try:
                    await server.sendmail(self._sender, [address], mail)
                except aiosmtplib.SMTPException as error:
                    if not _is_for_good(error):
                        raise
                    refused.append(_words(error))
                else:
                    errand.done.add(address)
        if len(refused) == len(addresses):
            raise RefusedError(refused[0] if refused else "no address any more")
        self._hub.heard(self.name)

    @contextlib.asynccontextmanager
    async def _server(self) -> AsyncIterator[aiosmtplib.SMTP]:
        """A session with the server. Raises ConnectionError or TimeoutError."""
        user, password = self._login or (None, None)
        server = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=user,
            password=password,
            # Not the name of this machine, which is nobody's business.
            local_hostname=self._sender.rpartition("@")[2],
            timeout=COMMAND_S,
            use_tls=self._tls is not None and self._at_once,
            start_tls=self._tls is not None and not self._at_once,
            tls_context=self._tls,
        )
        try:
            await server.connect()
            yield server
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await server.quit(timeout=1.0)
        except aiosmtplib.SMTPException as error:
            raise ConnectionError(_words(error)) from None
        except ssl.SSLCertVerificationError as error:
            raise ConnectionError(f"its certificate was refused: {error.verify_message}") from None
        except ValueError as error:
            raise ConnectionError(f"the server's answer was no SMTP ({type(error).__name__})") from None
        finally:
            server.close()

    async def _check(self) -> str | None:
        """Whether the server lets us in; nothing is sent."""
        async with self._server():
            return None if self._tls else "without encryption"


def _is_for_good(error: aiosmtplib.SMTPException) -> bool:
    """True for a refusal of this mail or this address. One of us (the login, the sender) may be repaired."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(one.code >= 500 for one in error.recipients)
    return isinstance(error, aiosmtplib.SMTPDataError | aiosmtplib.SMTPRecipientRefused) and error.code >= 500


def _words(error: aiosmtplib.SMTPException) -> str:
    """Without addresses: what a server answers is logged and shown."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        codes = ", ".join(str(one.code) for one in error.recipients)
        return f"the server refused the recipient ({codes})"
    if isinstance(error, aiosmtplib.SMTPAuthenticationError):
        return f"the server refused user and password ({error.code})"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"the server answered {error.code} ({type(error).__name__.removeprefix('SMTP')})"
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return f"the server cannot do what is needed: {str(error)[:100]}"
    return f"{type(error).__name__.removeprefix('SMTP')}: {str(error)[:100]}"


def smtp_peer(feed: FeedConfig) -> Peer:
    """The peer of ``smtp://`` or ``smtps://``. Raises ConfigError."""
    try:
        parts = urlsplit(feed.url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r} is not an address ({error})") from None
    if not host or parts.path not in ("", "/") or parts.username is not None:
        raise ConfigError(
            f"feed {feed.name!r}: {feed.url!r} is not {parts.scheme}://HOST:PORT?from=ADDRESS (user and"
            " password stand in the secret_file)"
        )
    options = {key: values[-1] for key, values in options_of(feed, parts.query, OPTIONS).items()}
    sender = options.get("from", "")
    if not is_address(sender):
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r}: from={sender}: the sender's mail address")
    at_once = parts.scheme == "smtps"
    return SmtpPeer(
        feed.name,
        host,
        port or PORTS[parts.scheme],
        sender,
        # On this machine a server has no certificate that anybody could verify, and needs none.
        tls=tls_of(feed) if at_once or feed.ca_file is not None or not is_loopback(host) else None,
        at_once=at_once,
        login=login_of(feed),
        carries_position=switch(feed, options, "position"),
    )
