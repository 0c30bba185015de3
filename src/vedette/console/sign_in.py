"""Signing in and out, waking a desk that rests, and the links by which accounts and phones begin.

    GET    /api/v1/session               who I am and what I may do; 401: sign in
    POST   /api/v1/session               {"name", "password", "code"?} -> the same, and the cookies
    DELETE /api/v1/session               sign out
    POST   /api/v1/session/here          a person is at the desk: it does not begin to rest
    POST   /api/v1/session/confirm       {"password"} or {"code"}: wakes a desk that rests
    POST   /api/v1/session/key-question  what the browser hands to the security key
    POST   /api/v1/session/key           its answer: signs in, or wakes a desk that rests
    POST   /api/v1/keys/question         the same for a new security key
    POST   /api/v1/keys                  {"label", "client_data", "attestation_object"}: registers it
    POST   /api/v1/first                 {"link", "name"}: the first administrator; gives the next link
    POST   /api/v1/set-up                {"link"}: whose link it is, and a code generator to set up
    POST   /api/v1/set-up/finish         {"link", "password", "code"} -> the codes for paper
    POST   /api/v1/phone                 {"link"}: signs an officer's phone in, for 180 days

Bytes are base64url. Refusals say why in ``detail`` and what to do in ``code``: ``sign-in``, ``confirm``,
``wait`` (with
``wait_s``), ``wrong``, ``not-permitted``. What takes a while to check (passwords) does so beside the loop.
"""

import base64
import io
from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import msgspec
import segno
from litestar import Request, Response, delete, get, post
from litestar.exceptions import HTTPException

from vedette.console.gate import (
    PERMISSION,
    PUBLIC,
    Denied,
    denied,
    entrance_of,
    identify,
    place_of,
    wall,
    who_of,
)
from vedette.console.guard import COOKIES
from vedette.model.errors import ConfigError
from vedette.station.access import Attempt, Authenticated, Doorkeeper, Refused, Secret, SignedIn, allowed
from vedette.station.access.credentials import (
    DEVICE_COOKIE,
    SESSION_COOKIE,
    Credentials,
    forgotten_by_browser,
    kept_by_browser,
    shown,
)
from vedette.station.access.permissions import PERMISSIONS, About
from vedette.station.access.security_keys import KeyAnswer
from vedette.station.access.webauthn import Site

T = TypeVar("T")
Ask = Request[Any, Any, Any]
Short = Annotated[str, msgspec.Meta(max_length=256)]
Long = Annotated[str, msgspec.Meta(max_length=4096)]
NO_STORE = {"cache-control": "no-store"}


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """A name, a password, and a code of the generator or from paper."""

    name: Short
    password: Short
    code: Short = ""


class Confirm(msgspec.Struct, forbid_unknown_fields=True):
    """One of the two."""

    password: Short = ""
    code: Short = ""


class KeySaid(msgspec.Struct, forbid_unknown_fields=True):
    """What ``navigator.credentials.get`` returned."""

    key_id: Long
    client_data: Long
    authenticator_data: Long
    signature: Long


class KeyMade(msgspec.Struct, forbid_unknown_fields=True):
    """What ``navigator.credentials.create`` returned."""

    label: Short
    client_data: Long
    attestation_object: Long


class Link(msgspec.Struct, forbid_unknown_fields=True):
    """A link's secret: what follows the # in its address."""

    link: Short


class First(msgspec.Struct, forbid_unknown_fields=True):
    """Who wants to be the first administrator."""

    link: Short
    name: Short


class Finish(msgspec.Struct, forbid_unknown_fields=True):
    """The end of a set-up."""

    link: Short
    password: Short
    code: Short


@get("/api/v1/session", opt={PERMISSION: PUBLIC})
async def session(request: Ask) -> Response[dict[str, Any]]:
    """Who the browser is signed in as."""
    entrance, now = entrance_of(request), wall()
    try:
        return _told(entrance.who(request.scope["headers"], now))
    except Refused as refused:
        # Nobody is signed in yet: that is how every visit begins, and nothing for the history.
        raise denied(refused, 401, "sign-in") from None


@post("/api/v1/session", status_code=200, opt={PERMISSION: PUBLIC})
async def sign_in(request: Ask) -> Response[dict[str, Any]]:
    """Sign in by password and code."""
    door, said = _door(request), await _body(request, SignIn)
    attempt = Attempt(
        name=said.name,
        password=Secret(said.password),
        code=Secret(said.code),
        address=place_of(request),
        device=_shown(request).device,
    )
    return _admitted(request, await _let(door.sign_in_soon(attempt, wall())))


@delete("/api/v1/session", status_code=200, opt={PERMISSION: PUBLIC})
async def sign_out(request: Ask) -> Response[dict[str, Any]]:
    """End this browser's session. The device stays known."""
    held = _shown(request).session
    if held is not None:
        identify(request)
        door = _door(request)
        await door.soon(door.sign_out, held)
    _keep(request, forgotten_by_browser(SESSION_COOKIE))
    return Response({"signed_in": False}, headers=NO_STORE)


@post("/api/v1/session/here", status_code=200, opt={PERMISSION: "own-credentials"})
async def here(request: Ask) -> dict[str, bool]:
    """Somebody touched the desk. It wakes none that rests already."""
    held, door = _shown(request).session, entrance_of(request).door
    if held is not None and door is not None:
        door.touch(held, wall())
    return {"fresh": who_of(request).fresh}


@post("/api/v1/session/confirm", status_code=200, opt={PERMISSION: PUBLIC})
async def confirm(request: Ask) -> Response[dict[str, Any]]:
    """Wake a desk that rests, by password or code."""
    door, said, held = _door(request), await _body(request, Confirm), _session(request)
    attempt = Attempt(
        name=identify(request).principal.name,
        password=Secret(said.password),
        code=Secret(said.code),
        address=place_of(request),
        device=_shown(request).device,
    )
    return _told(await _let(door.soon(door.confirm, held, attempt, wall())))


@post("/api/v1/session/key-question", status_code=200, opt={PERMISSION: PUBLIC})
async def key_question(request: Ask) -> dict[str, Any]:
    """What the page hands to ``navigator.credentials.get``."""
    return _door(request).keys.sign_in_options(_site(request), wall())


@post("/api/v1/session/key", status_code=200, opt={PERMISSION: PUBLIC})
async def sign_in_by_key(request: Ask) -> Response[dict[str, Any]]:
    """Sign in by a security key; a desk that is signed in and rests is woken instead."""
    door, said, site = _door(request), await _body(request, KeySaid), _site(request)
    answer = KeyAnswer(
        key_id=_bytes(said.key_id),
        client_data=_bytes(said.client_data),
        authenticator_data=_bytes(said.authenticator_data),
        signature=_bytes(said.signature),
    )
    held = _shown(request).session
    if held is not None and _is_somebody(request):
        return _told(await _let(door.soon(door.confirm_by_key, held, answer, site, wall())))
    work = door.soon(door.sign_in_by_key, answer, site, place_of(request), wall())
    return _admitted(request, await _let(work))


@post("/api/v1/keys/question", status_code=200, opt={PERMISSION: "own-credentials"})
async def new_key_question(request: Ask) -> dict[str, Any]:
    """What the page hands to ``navigator.credentials.create``."""
    return _door(request).keys.registration_options(who_of(request).principal, _site(request), wall())


@post("/api/v1/keys", status_code=201, opt={PERMISSION: "own-credentials"})
async def new_key(request: Ask) -> dict[str, Any]:
    """Register a security key of whoever is signed in."""
    door, said, site = _door(request), await _body(request, KeyMade), _site(request)
    client_data, attestation = _bytes(said.client_data), _bytes(said.attestation_object)
    principal = who_of(request).principal
    work = door.soon(door.keys.register, principal, client_data, attestation, said.label, site, wall())
    await _let(work)
    return {"keys": list(door.keys.labels(principal))}


@post("/api/v1/first", status_code=201, opt={PERMISSION: PUBLIC})
async def first(request: Ask) -> dict[str, str]:
    """Make the first administrator, by the link that the station has shown."""
    door, said = _door(request), await _body(request, First)
    principal, link = await _let(
        door.soon(door.make_first_administrator, Secret(said.link), said.name, wall())
    )
    return {"name": principal.name, "link": link.reveal()}


@post("/api/v1/set-up", status_code=200, opt={PERMISSION: PUBLIC})
async def set_up(request: Ask) -> Response[dict[str, Any]]:
    """Whose link it is, and the code generator that the phone is to take in. The link stays good."""
    door, said = _door(request), await _body(request, Link)
    principal, made = await _let(door.soon(door.begin_setup, Secret(said.link), wall()))
    body = {"name": principal.name, "uri": made.uri.reveal(), "picture": _picture(made.uri)}
    return Response(body, headers=NO_STORE)


@post("/api/v1/set-up/finish", status_code=201, opt={PERMISSION: PUBLIC})
async def finish(request: Ask) -> Response[dict[str, Any]]:
    """Password and first code; gives the codes for paper, this once."""
    door, said = _door(request), await _body(request, Finish)
    secrets = (Secret(said.link), Secret(said.password), Secret(said.code))
    codes = await _let(door.soon(door.finish_setup, *secrets, wall()))
    return Response({"codes": [code.reveal() for code in codes]}, status_code=201, headers=NO_STORE)


@post("/api/v1/phone", status_code=200, opt={PERMISSION: PUBLIC})
async def phone(request: Ask) -> Response[dict[str, Any]]:
    """An officer's phone opens its link."""
    door, said = _door(request), await _body(request, Link)
    who, kept = await _let(door.soon(door.by_phone_link, Secret(said.link), wall()))
    _keep(request, kept_by_browser(SESSION_COOKIE, kept, phone=True))
    return _told(who)


ROUTES = [
    session, sign_in, sign_out, here, confirm, key_question, sign_in_by_key, new_key_question, new_key,
    first, set_up, finish, phone,
]  # fmt: skip


def _door(request: Ask) -> Doorkeeper:
    door = entrance_of(request).door
    if door is None:
        raise HTTPException("This is a demo: it has no accounts.", status_code=404)
    return door


def _shown(request: Ask) -> Credentials:
    try:
        return shown(request.scope["headers"])
    except Refused as refused:
        raise denied(refused, 401, "sign-in") from None


def _session(request: Ask) -> Secret:
    held = _shown(request).session
    if held is None:
        raise Denied(401, "sign-in", "sign in again")
    return held


def _is_somebody(request: Ask) -> bool:
    try:
        entrance_of(request).who(request.scope["headers"], wall())
    except Refused:
        return False
    return True


async def _body(request: Ask, into: type[T]) -> T:
    try:
        return msgspec.json.decode(await request.body(), type=into)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # What was sent may hold a password: nothing of it is repeated.
        raise HTTPException("The body cannot be read.", status_code=400) from None


async def _let(work: Awaitable[T]) -> T:
    """What the doorkeeper answers; its refusals and its advice as answers to the browser."""
    try:
        return await work
    except Refused as refused:
        raise denied(refused, 401, "wrong") from None
    except ConfigError as error:
        raise HTTPException(str(error), status_code=400) from None


def _admitted(request: Ask, signed: SignedIn) -> Response[dict[str, Any]]:
    _keep(request, kept_by_browser(SESSION_COOKIE, signed.session))
    _keep(request, kept_by_browser(DEVICE_COOKIE, signed.device))
    return _told(signed.who)


def _told(who: Authenticated) -> Response[dict[str, Any]]:
    """Who it is and what the page can offer. The permissions are for its buttons: each request is asked
    again."""
    principal = who.principal
    about = About(unit=principal.unit)
    body = {
        "name": principal.name,
        "display": principal.display or principal.name,
        "kind": principal.kind,
        "roles": list(principal.roles),
        "method": who.method,
        "fresh": who.fresh,
        "second_factor": who.second_factor,
        "may": [name for name in PERMISSIONS if allowed(who, name, about).granted],
    }
    if principal.unit is not None:
        body["unit"] = principal.unit
    return Response(body, headers=NO_STORE)


def _keep(request: Ask, cookie: str) -> None:
    """Litestar's own cookies know no ``__Host-`` rules: the headers are those of `credentials`."""
    request.scope["state"].setdefault(COOKIES, []).append(cookie)


def _site(request: Ask) -> Site:
    """The page that the browser shows: `Guard` has compared it with the console's own names."""
    scheme = "https" if request.scope["scheme"] == "https" else "http"
    host = urlsplit(f"{scheme}://{request.headers['host']}")
    return Site(host.hostname or "", f"{scheme}://{request.headers['host'].lower()}")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise HTTPException("The security key's answer is not base64url.", status_code=400) from None


def _picture(uri: Secret) -> str | None:
    """The QR code of a code generator as an SVG in a data address, which the page's policy lets it show."""
    drawn = io.BytesIO()
    segno.make(uri.reveal(), error="m", micro=False).save(drawn, kind="svg", scale=5, border=4)
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.getvalue()).decode()
