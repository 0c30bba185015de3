"""Browsers that asked for push messages: who, where, and the keys to write to them; a file of the state
folder that only the station's user may read.

An endpoint comes from whoever signs in, and the station asks for it: so it must be HTTPS at a push service
that is on a list, or anybody with an account could make the station ask for any address of its network.
"""

import contextlib
import threading
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from vedette.model import InputError
from vedette.station.peers._secrets import write_private
from vedette.wire.errors import DecodeError
from vedette.wire.web_push import Receiver, read_receiver

SERVICES = (
    "fcm.googleapis.com",
    "push.services.mozilla.com",
    "notify.windows.com",
    "push.apple.com",
)
"""Hosts, and all below them: Chromium, Firefox, Edge, Safari."""
MOST_OF_ONE = 8
"""Browsers of one unit; a further one takes the place of the oldest."""
MOST = 20_000
LONGEST_ENDPOINT = 1_000


class Subscription(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One browser of one unit, as the Push API of the page gave it."""

    unit: str
    endpoint: str
    p256dh: str
    auth: str
    language: str = "en"

    def receiver(self) -> Receiver:
        """Its keys. Raises DecodeError."""
        return read_receiver(self.p256dh, self.auth)

    @property
    def origin(self) -> str:
        """Of its push service."""
        parts = urlsplit(self.endpoint)
        return f"{parts.scheme}://{parts.netloc}"


class _Kept(Struct):
    subscriptions: list[Subscription]


class Subscriptions:
    """All of them, by endpoint, the oldest first. ``services``: hosts (``HOST`` or ``HOST:PORT``) that may be
    written to beside `SERVICES`; without ``path`` nothing is kept. Raises InputError for a damaged file."""

    def __init__(self, path: Path | None, services: tuple[str, ...] = ()) -> None:
        self._path, self._services = path, services
        self._lock = threading.Lock()
        self._by_endpoint = {one.endpoint: one for one in _read(path)} if path is not None else {}

    def __len__(self) -> int:
        return len(self._by_endpoint)

    def of(self, unit: str) -> tuple[Subscription, ...]:
        """Those of a unit."""
        return tuple(one for one in self._by_endpoint.values() if one.unit == unit)

    def has(self, unit: str) -> bool:
        """Whether a unit has any."""
        return any(one.unit == unit for one in self._by_endpoint.values())

    def origins(self) -> tuple[str, ...]:
        """The push services that are used."""
        return tuple(sorted({one.origin for one in self._by_endpoint.values()}))

    def add(self, subscription: Subscription) -> None:
        """Keep one; it is on the disk when this returns. Raises InputError (to be shown), OSError."""
        self._check(subscription)
        with self._lock:
            changed = dict(self._by_endpoint)
            changed.pop(subscription.endpoint, None)
            own = [one.endpoint for one in changed.values() if one.unit == subscription.unit]
            for endpoint in own[: max(0, len(own) - MOST_OF_ONE + 1)]:
                del changed[endpoint]
            if len(changed) >= MOST:
                raise InputError(f"there are {MOST} subscriptions already; remove some")
            changed[subscription.endpoint] = subscription
            self._write(changed)

    def remove(self, endpoint: str, unit: str | None = None) -> bool:
        """Forget one (of this unit only, if it is named); False if there was none. Raises OSError."""
        with self._lock:
            held = self._by_endpoint.get(endpoint)
            if held is None or (unit is not None and held.unit != unit):
                return False
            self._write({name: one for name, one in self._by_endpoint.items() if name != endpoint})
            return True

    def _write(self, changed: dict[str, Subscription]) -> None:
        if self._path is not None:
            write_private(self._path, msgspec.json.encode(_Kept(list(changed.values()))))
        self._by_endpoint = changed

    def _check(self, subscription: Subscription) -> None:
        endpoint = subscription.endpoint
        if len(endpoint) > LONGEST_ENDPOINT or not endpoint.isascii() or not endpoint.isprintable():
            raise InputError("the endpoint is no address of a push service")
        if not subscription.unit or len(subscription.unit) > 200 or len(subscription.language) > 16:
            raise InputError("a subscription needs a unit")
        try:
            parts = urlsplit(endpoint)
            host, port = parts.hostname or "", parts.port
            subscription.receiver()
        except (ValueError, DecodeError) as error:
            raise InputError(f"the subscription is not one of a browser: {error}") from None
        known = any(host == name or host.endswith(f".{name}") for name in SERVICES) and port in (None, 443)
        named = host in self._services or f"{host}:{port}" in self._services
        if parts.scheme != "https" or parts.username is not None or " " in endpoint or not (known or named):
            raise InputError(
                f"{host or endpoint[:60]!r} is no push service that this station writes to; an administrator"
                " may name it (service=HOST)"
            )


def _read(path: Path) -> list[Subscription]:
    with contextlib.suppress(FileNotFoundError):
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Kept).subscriptions
        except msgspec.MsgspecError as error:
            raise InputError(f"{path}: damaged ({error}); move it away: phones subscribe again") from None
    return []
