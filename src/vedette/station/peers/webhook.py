"""A signed webhook: ``webhook+https://HOST/PATH``, or ``webhook+http://`` on this machine.

Each message to a recipient is one POST of the notice as JSON, signed after the Standard Webhooks
specification (`vedette.wire.webhook`) with the key in ``secret_file``. The id is that of alert, revision and
recipient, so that a repetition is known as one. Only the URL of the configuration is ever asked for:
redirections are failures, and proxies of the environment are not used. Of an answer nothing is read but its
status: 2xx is ``accepted`` by that server, and says nothing of any person.
"""

import asyncio
import contextlib
import ssl
from collections import Counter
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from vedette.express.notice import notice_json
from vedette.model import ConfigError, Fact, Frame
from vedette.model.event import Clear, Deliver
from vedette.station.config import FeedConfig
from vedette.station.peers._errands import Errand, Errands, RefusedError
from vedette.station.peers._line_feed import is_loopback
from vedette.station.peers._outward import entry_of, keep_watch, notice_by
from vedette.station.peers._secrets import secret_lines, tls_of
from vedette.station.ports import Hub, Peer
from vedette.wire.errors import DecodeError
from vedette.wire.webhook import read_secret, signed_headers

PREFIX = "webhook+"
AGAIN = frozenset({408, 425, 429})
"""Refusals that may pass, as all from 500 on; the others are for good."""
CONNECTIONS = 8
POSITION = "vedette-position"
"""The one option: in the query, and taken out of it before anything is sent."""


class WebhookPeer:
    """Posts to one URL. ``key``: what the messages are signed with."""

    receipt_facts: tuple[Fact, ...] = ("accepted",)
    carries_position: bool = False

    def __init__(
        self,
        name: str,
        url: str,
        key: bytes,
        *,
        tls: ssl.SSLContext | None = None,
        carries_position: bool = False,
        attempt_s: float = 10.0,
        first_pause_s: float = 1.0,
        check_s: float = 60.0,
    ) -> None:
        self.name = name
        self.senses: tuple[str, ...] = ()
        self.carries_position = carries_position
        self._url, self._key, self._tls = url, key, tls
        self._check_s = check_s
        self._errands = Errands(name, self._carry, attempt_s=attempt_s, first_pause_s=first_pause_s)
        self._client: httpx.AsyncClient | None = None
        self._hub: Hub | None = None

    @property
    def counts(self) -> Counter[str]:
        """What became of the messages."""
        return self._errands.counts

    async def run(self, hub: Hub) -> None:
        """Post what is due, until cancelled."""
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=2, keepalive_expiry=30.0)
        self._hub = hub
        async with (
            httpx.AsyncClient(
                verify=self._tls if self._tls is not None else True,
                follow_redirects=False,
                trust_env=False,
                limits=limits,
                timeout=httpx.Timeout(10.0),
            ) as self._client,
            asyncio.TaskGroup() as group,
        ):
            group.create_task(self._errands.run(hub))
            group.create_task(keep_watch(hub, self.name, self._check, every_s=self._check_s))

    def reaches(self, unit: str) -> bool:
        """True for those on the roster, once it runs: a server that is away may be back any moment."""
        return self._hub is not None and self._errands.running and entry_of(self._hub, unit) is not None

    async def deliver(self, delivery: Deliver, recipient: str) -> None:
        """Take the message; it is posted until the server has it or it is no longer news. Raises
        ConnectionError."""
        self._errands.put(delivery, recipient)

    async def clear(self, clear: Clear, recipient: str) -> None:
        """The same for an end. Raises ConnectionError."""
        self._errands.put(clear, recipient)

    async def publish(self, frame: Frame) -> None:
        """Nothing: no track goes to a webhook."""

    async def _carry(self, errand: Errand) -> None:
        assert self._client is not None
        assert self._hub is not None
        notice = notice_by(
            self._hub, errand.message, errand.recipient, carries_position=self.carries_position
        )
        body = notice_json(notice)
        # The time of this attempt, by the wall clock that the receiver has.
        at_wall = self._hub.clock.to_wall(self._hub.clock.now())
        headers = signed_headers(self._key, notice.id, at_wall, body)
        headers |= {
            "content-type": "application/json",
            "user-agent": "Vedette",
            "accept-encoding": "identity",
        }
        try:
            async with self._client.stream("POST", self._url, content=body, headers=headers) as answer:
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            raise ConnectionError(f"{type(error).__name__}: {str(error)[:200]}") from None
        if 200 <= status < 300:
            self._hub.heard(self.name)
        elif status >= 500 or status in AGAIN:
            raise ConnectionError(f"the server answered {status}")
        else:
            redirected = ": redirections are not followed" if 300 <= status < 400 else ""
            raise RefusedError(f"the server answered {status}{redirected}")

    async def _check(self) -> str | None:
        """Whether somebody with the right certificate listens there; nothing is asked for."""
        parts = urlsplit(self._url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        _, writer = await asyncio.open_connection(parts.hostname, port, ssl=self._tls, limit=1024)
        writer.transport.abort()
        with contextlib.suppress(OSError, ssl.SSLError):
            await writer.wait_closed()
        return None if self._tls else "without encryption"


def webhook_peer(feed: FeedConfig) -> Peer:
    """The peer of ``webhook+https://HOST/PATH``. Raises ConfigError."""
    url = feed.url.removeprefix(PREFIX)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r} is not an address ({error})") from None
    if not host or parts.username is not None or parts.fragment or not url.isprintable() or " " in url:
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r} is not {PREFIX}https://HOST/PATH")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r}: off this machine it must be {PREFIX}https://")
    if feed.secret_file is None:
        raise ConfigError(
            f"feed {feed.name!r}: a webhook needs a secret_file with the key that it is signed with"
            " (whsec_ and base64, mode 0600)"
        )
    lines = secret_lines(feed)
    try:
        key = read_secret(lines[0] if len(lines) == 1 else "")
    except DecodeError as error:
        raise ConfigError(f"feed {feed.name!r}: {feed.secret_file}: {error}") from None
    query = parse_qsl(parts.query, keep_blank_values=True)
    chosen = dict(query).get(POSITION, "0")
    if chosen not in ("0", "1"):
        raise ConfigError(f"feed {feed.name!r}: {POSITION}={chosen}: must be 0 or 1")
    if any(key_ == POSITION for key_, _ in query):
        query = [(key_, value) for key_, value in query if key_ != POSITION]
        parts = parts._replace(query=urlencode(query))
    tls = tls_of(feed) if parts.scheme == "https" else None
    return WebhookPeer(feed.name, parts.geturl(), key, tls=tls, carries_position=chosen == "1")
