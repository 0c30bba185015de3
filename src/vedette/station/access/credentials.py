"""What a request over HTTP or WebSocket shows of who sends it, and what is given to a browser to keep.

A program sends ``Authorization: Bearer TOKEN``, a browser its session as a cookie. Cookies are named with the
prefix ``__Host-`` (RFC 6265bis, 4.1.3.2): no other host and no page without TLS can set them; browsers take
this machine's own loopback for secure. ``SameSite=Strict`` and `console.guard`'s check of the origin keep
other pages from using them.
"""

from collections.abc import Iterable

from msgspec import Struct

from vedette.station.access.doorkeeper import Doorkeeper
from vedette.station.access.principals import Authenticated
from vedette.station.access.refusal import EXPIRED, Refused
from vedette.station.access.secret import Secret
from vedette.station.access.sessions import DESK, DEVICE_S, PHONE

SESSION_COOKIE, DEVICE_COOKIE = "__Host-vedette-session", "__Host-vedette-device"
LASTS_S = {SESSION_COOKIE: DESK.absolute_s, DEVICE_COOKIE: DEVICE_S}
_LONGEST = 4096
_BEARER = "bearer "


class Credentials(Struct, frozen=True, kw_only=True):
    """What was shown, not yet looked at."""

    session: Secret | None = None
    token: Secret | None = None
    device: Secret | None = None


def shown(headers: Iterable[tuple[bytes, bytes]]) -> Credentials:
    """The credentials in the headers of a request (names in any case). Raises Refused for two of one kind,
    or a session beside a token: who could add one must not be able to choose which one counts."""
    cookies: dict[str, list[str]] = {SESSION_COOKIE: [], DEVICE_COOKIE: []}
    bearers: list[str] = []
    for raw_name, raw in headers:
        name, value = raw_name.lower(), raw.decode("latin-1")
        if name == b"authorization" and value[: len(_BEARER)].lower() == _BEARER:
            bearers.append(value[len(_BEARER) :].strip())
        elif name == b"cookie":
            _read_cookies(value, cookies)
    session, device = cookies[SESSION_COOKIE], cookies[DEVICE_COOKIE]
    if len(session) + len(bearers) > 1 or len(device) > 1:
        raise Refused("the request says in two ways who sends it", "two credentials in one request")
    return Credentials(session=_secret(session), token=_secret(bearers), device=_secret(device))


def authenticate(door: Doorkeeper, credentials: Credentials, now: float) -> Authenticated:
    """Who it is. Raises Refused. Only reads: it may be called in the event loop."""
    if credentials.token is not None:
        return door.by_token(credentials.token, now)
    if credentials.session is not None:
        return door.by_session(credentials.session, now)
    raise Refused(EXPIRED, "a request without credentials")


def kept_by_browser(name: str, secret: Secret, *, phone: bool = False) -> str:
    """The ``Set-Cookie`` header by which a browser keeps a session or the mark of its device."""
    lasts_s = PHONE.absolute_s if phone and name == SESSION_COOKIE else LASTS_S[name]
    return _cookie(name, secret.reveal(), int(lasts_s))


def forgotten_by_browser(name: str) -> str:
    """The ``Set-Cookie`` header that takes it away again."""
    return _cookie(name, "", 0)


def _cookie(name: str, value: str, lasts_s: int) -> str:
    return f"{name}={value}; Path=/; Max-Age={lasts_s}; Secure; HttpOnly; SameSite=Strict"


def _read_cookies(header: str, into: dict[str, list[str]]) -> None:
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name in into:
            into[name].append(value)


def _secret(found: list[str]) -> Secret | None:
    """None also for what no secret of ours can be: empty, or longer than any."""
    return Secret(found[0]) if found and 0 < len(found[0]) <= _LONGEST else None
