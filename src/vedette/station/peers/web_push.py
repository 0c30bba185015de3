"""Push messages to browsers: ``webpush:mailto:ADDRESS``, where the address is of whoever answers for the
station (RFC 8292 asks for one).

A message says how grave it is, whether it is real, and "open Vedette": no place, no name
(`vedette.express.push`). It is encrypted for the one browser (RFC 8291), with a key for that message alone.
The station is known to push services by a key of its own, made once (``push.key`` in the state folder).

The one receipt is ``accepted``: the push service has it. Whether the phone is on, it does not tell.
"""

import asyncio
import contextlib
import math
import os
import ssl
import time
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from vedette.express.mail import is_address
from vedette.express.push import push_payload, push_topic
from vedette.model import ConfigError, Fact, Frame, InputError
from vedette.model.event import Clear, Deliver
from vedette.station.config import FeedConfig
from vedette.station.peers._errands import END_S, Errand, Errands, RefusedError
from vedette.station.peers._outward import keep_watch
from vedette.station.peers._secrets import tls_of, write_private
from vedette.station.peers._subscriptions import Subscription, Subscriptions
from vedette.station.ports import Hub, Peer
from vedette.wire.web_push import SALT_BYTES, encrypt, point_of, to_base64url, vapid_header

TOKEN_S, TOKEN_LEFT_S = 12 * 3600.0, 3600.0
"""How long a token for a push service holds (24 h at most), and when a new one is made."""
GONE = (404, 410)
AGAIN = (401, 403, 408, 425, 429)
"""Not now: 401 and 403 are about our key or our clock, which may be repaired."""
CHECK_S = 300.0


class WebPushPeer:
    """Writes to the browsers of ``subscriptions``. ``key``: the station's own, by which it is known."""

    receipt_facts: tuple[Fact, ...] = ("accepted",)
    carries_position: bool = False

    def __init__(
        self,
        name: str,
        contact: str,
        key: ec.EllipticCurvePrivateKey,
        subscriptions: Subscriptions,
        *,
        tls: ssl.SSLContext | None = None,
        attempt_s: float = 10.0,
        first_pause_s: float = 1.0,
        check_s: float = CHECK_S,
    ) -> None:
        self.name = name
        self.senses: tuple[str, ...] = ()
        self._contact, self._key, self._tls = contact, key, tls
        self._subscriptions = subscriptions
        self._check_s = check_s
        self._tokens: dict[str, tuple[str, float]] = {}
        self._errands = Errands(name, self._carry, attempt_s=attempt_s, first_pause_s=first_pause_s)
        self._client: httpx.AsyncClient | None = None
        self._hub: Hub | None = None

    @property
    def counts(self) -> Counter[str]:
        """What became of the messages."""
        return self._errands.counts

    # For the console ------------------------------------------------------------------------------

    @property
    def public_key(self) -> str:
        """``applicationServerKey`` for the page's Push API."""
        return to_base64url(point_of(self._key))

    async def subscribe(self, subscription: Subscription) -> None:
        """A browser of a unit asks for messages; whoever calls has made sure that it may speak for the unit.
        It is on the disk when this returns. Raises InputError (its words may be shown), OSError."""
        await asyncio.to_thread(self._subscriptions.add, subscription)

    async def unsubscribe(self, endpoint: str, unit: str) -> bool:
        """It wants no more; False if it had not asked. Raises OSError."""
        return await asyncio.to_thread(self._subscriptions.remove, endpoint, unit)

    # The station ----------------------------------------------------------------------------------

    async def run(self, hub: Hub) -> None:
        """Send what is due, until cancelled."""
        self._hub = hub
        limits = httpx.Limits(max_connections=16, max_keepalive_connections=8, keepalive_expiry=60.0)
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
        """True for those of whom a browser asked for it."""
        return self._errands.running and self._subscriptions.has(unit)

    async def deliver(self, delivery: Deliver, recipient: str) -> None:
        """Take the message; it is sent until the service has it or it is no longer news. Raises
        ConnectionError."""
        self._errands.put(delivery, recipient)

    async def clear(self, clear: Clear, recipient: str) -> None:
        """The same for an end. Raises ConnectionError."""
        self._errands.put(clear, recipient)

    async def publish(self, frame: Frame) -> None:
        """Nothing: no track goes by push."""

    # Inside ---------------------------------------------------------------------------------------

    async def _carry(self, errand: Errand) -> None:
        """To each browser of the recipient that has it not yet. One that fails holds up no other."""
        assert self._hub is not None
        waiting = [one for one in self._subscriptions.of(errand.recipient) if one.endpoint not in errand.done]
        results = await asyncio.gather(*(self._send(errand, one) for one in waiting), return_exceptions=True)
        failed = [result for result in results if isinstance(result, BaseException)]
        later = [error for error in failed if not isinstance(error, RefusedError)]
        if later:
            raise later[0]
        if not errand.done:
            raise failed[0] if failed else RefusedError("no browser asks for it any more")
        self._hub.heard(self.name)

    async def _send(self, errand: Errand, to: Subscription) -> None:
        assert self._client is not None
        body = encrypt(
            push_payload(errand.message, to.language),
            to.receiver(),
            ec.generate_private_key(ec.SECP256R1()),
            os.urandom(SALT_BYTES),
        )
        try:
            async with self._client.stream(
                "POST", to.endpoint, content=body, headers=self._headers(errand, to)
            ) as answer:
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError) as error:
            raise ConnectionError(f"{type(error).__name__}: {str(error)[:200]}") from None
        if 200 <= status < 300:
            errand.done.add(to.endpoint)
        elif status in GONE:
            self.counts["gone"] += 1
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._subscriptions.remove, to.endpoint)
            raise RefusedError("the browser has gone")
        elif status >= 500 or status in AGAIN:
            raise ConnectionError(f"{urlsplit(to.endpoint).hostname} answered {status}")
        else:
            raise RefusedError(f"{urlsplit(to.endpoint).hostname} answered {status}")

    def _headers(self, errand: Errand, to: Subscription) -> dict[str, str]:
        """RFC 8030, 5: a service keeps it no longer than it is news, and only the latest of an alert."""
        assert self._hub is not None
        alert, clock = errand.message.alert, self._hub.clock
        ended = isinstance(errand.message, Clear)
        left_s = END_S if ended else clock.to_wall(alert.expires) - clock.to_wall(clock.now())
        return {
            "ttl": str(max(1, math.ceil(left_s))),
            "urgency": "normal" if ended else "high",
            "topic": push_topic(alert.alert),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "authorization": self._token(to.origin),
            "user-agent": "Vedette",
            "accept-encoding": "identity",
        }

    def _token(self, origin: str) -> str:
        """By the machine's own clock, which is what the service compares with."""
        now = time.time()
        token, until = self._tokens.get(origin, ("", 0.0))
        if until - now < TOKEN_LEFT_S or until - now > TOKEN_S:
            until = now + TOKEN_S
            token = vapid_header(self._key, origin, self._contact, until)
            self._tokens[origin] = token, until
        return token

    async def _check(self) -> str | None:
        """Whether the push services that are used are there; nothing is asked for."""
        if not len(self._subscriptions):
            return "no browser has asked for messages yet"
        for origin in self._subscriptions.origins():
            parts = urlsplit(origin)
            try:
                _, writer = await asyncio.open_connection(
                    parts.hostname,
                    parts.port or 443,
                    ssl=self._tls or ssl.create_default_context(),
                    limit=1024,
                )
            except OSError as error:
                raise ConnectionError(f"{parts.hostname}: {str(error) or type(error).__name__}") from None
            writer.transport.abort()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        return f"{len(self._subscriptions)} browsers"


# Configuration -------------------------------------------------------------------------------------


def web_push_peer(feed: FeedConfig, state: Path | None) -> Peer:
    """The peer of ``webpush:mailto:ADDRESS``; ``service=HOST`` names a push service beside the known ones.
    ``state`` absent: only to be checked, with a key that nobody keeps. Raises ConfigError."""
    contact, _, query = feed.url.partition(":")[2].partition("?")
    options = parse_qs(query, keep_blank_values=True)
    unknown = ", ".join(sorted(options.keys() - {"service"}))
    if unknown:
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r}: unknown {unknown}; there is only service")
    if not contact.startswith("mailto:") or not is_address(contact.removeprefix("mailto:")):
        raise ConfigError(
            f"feed {feed.name!r}: {feed.url!r} is not webpush:mailto:ADDRESS, the mail address of whoever"
            " answers for the station"
        )
    try:
        key = ec.generate_private_key(ec.SECP256R1()) if state is None else own_key(state / "push.key")
        kept = Subscriptions(
            None if state is None else state / "push.json", tuple(options.get("service", ()))
        )
    except (InputError, OSError) as error:
        raise ConfigError(f"feed {feed.name!r}: {error}") from None
    return WebPushPeer(feed.name, contact, key, kept, tls=tls_of(feed))


def own_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The station's key, made if there is none. Raises InputError, OSError."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError:
        made = ec.generate_private_key(ec.SECP256R1())
        write_private(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return made
    except (ValueError, TypeError):
        raise InputError(f"{path}: damaged; move it away, and all phones must subscribe again") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise InputError(f"{path}: not a key of the curve P-256")
    return key
