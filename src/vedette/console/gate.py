"""Every route says what it takes to use it, and nobody gets further without that.

A route carries its permission in its options (``opt={PERMISSION: ...}``): a name of the permission table,
`PUBLIC`, or `BY_MATTER`, whose handler asks by what is to be done. One that says nothing is not served
(`check_routes`), and would be refused (`gate`). docs/access.md lists the routes; a test holds the two
together.
"""

import math
import time
from typing import Any, cast

from litestar import Litestar, MediaType, Request, Response
from litestar.connection import ASGIConnection
from litestar.enums import ScopeType
from litestar.handlers.base import BaseRouteHandler

from vedette.console.entrance import Entrance
from vedette.model.errors import VedetteError
from vedette.station.access import About, Authenticated, Refused
from vedette.station.access.permissions import PERMISSIONS

PERMISSION = "permission"
PUBLIC = "public"
BY_MATTER = "by what is asked for"
KNOWN = frozenset({*PERMISSIONS, PUBLIC, BY_MATTER})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

Connection = ASGIConnection[Any, Any, Any, Any]


class Denied(Exception):
    """An answer that says why not: ``status`` 401 (sign in), 403 (not permitted), 429 (wait) or 503
    (the accounts cannot be read)."""

    def __init__(self, status: int, code: str, words: str, wait_s: float = 0.0) -> None:
        super().__init__(words)
        self.status, self.code, self.words, self.wait_s = status, code, words, wait_s


def wall() -> float:
    """Unix seconds: the one place where the console reads the clock."""
    return time.time()


async def gate(connection: Connection, handler: BaseRouteHandler) -> None:
    """A Litestar guard of every route: who it is, and whether that one may. Raises Denied."""
    permission = handler.opt.get(PERMISSION)
    if permission not in KNOWN:
        raise Denied(403, "not-permitted", "this route says of nobody that he may use it")
    if permission != PUBLIC:
        who = identify(connection)
        if permission != BY_MATTER:
            require(connection, who, permission)


def identify(connection: Connection) -> Authenticated:
    """Who sends it; kept for the handler (`who_of`). Raises Denied."""
    entrance, now = entrance_of(connection), wall()
    try:
        who = entrance.who(connection.scope["headers"], now)
    except Refused as refused:
        where = f"{place_of(connection)}: {refused.cause}"
        entrance.refused("", f"{_route(connection)} from {where}", now)
        raise denied(refused, 401, "sign-in") from None
    except VedetteError as error:
        raise Denied(503, "", f"who you are cannot be looked up now: {error}") from None
    _check_page(connection, who)
    connection.scope["state"]["who"] = who
    return who


def who_of(connection: Connection) -> Authenticated:
    """Who sends it, as `gate` has found out."""
    return cast("Authenticated", connection.scope["state"]["who"])


def require(connection: Connection, who: Authenticated, permission: str, **about: Any) -> None:
    """Raises Denied, with code ``confirm`` where it is enough to say once more who one is."""
    try:
        entrance_of(connection).require(who, permission, wall(), About(**about))
    except Refused as refused:
        raise denied(refused, 403, "not-permitted" if who.fresh else "confirm") from None


def denied(refused: Refused, status: int, code: str) -> Denied:
    """The answer to what the doorkeeper has refused."""
    if refused.wait_s > 0.0:
        return Denied(429, "wait", str(refused), refused.wait_s)
    return Denied(status, code, str(refused))


def entrance_of(connection: Connection) -> Entrance:
    """The console's entrance."""
    return cast("Entrance", connection.app.state.entrance)


def place_of(connection: Connection) -> str:
    """The address of the other side."""
    return connection.client.host if connection.client is not None else "?"


def answer(_: Request[Any, Any, Any], error: Denied) -> Response[dict[str, Any]]:
    """As JSON: the words, a code that a page can act on, and when to ask again."""
    body: dict[str, Any] = {"status_code": error.status, "detail": error.words, "code": error.code}
    headers = {"cache-control": "no-store"}
    if error.wait_s > 0.0:
        body["wait_s"] = error.wait_s
        headers["retry-after"] = str(math.ceil(error.wait_s))
    return Response(body, status_code=error.status, headers=headers, media_type=MediaType.JSON)


def check_routes(app: Litestar) -> None:
    """Raises RuntimeError for a route that does not say who may use it."""
    for route in app.routes:
        handlers = getattr(route, "route_handlers", None) or [getattr(route, "route_handler", None)]
        for handler in handlers:
            # Litestar answers OPTIONS by itself, with the methods of the path and nothing else.
            own = getattr(handler, "http_methods", None) != {"OPTIONS"}
            if handler is not None and own and handler.opt.get(PERMISSION) not in KNOWN:
                raise RuntimeError(f"{route.path}: the route does not say who may use it (gate.PERMISSION)")


def _check_page(connection: Connection, who: Authenticated) -> None:
    """What a browser's cookie does, a page of this console must have asked for: other pages cannot read the
    answer, but they could send. `Guard` has compared the Origin header; here it must be there."""
    if who.method in ("token", "demo"):
        return
    acts = connection.scope["type"] == ScopeType.WEBSOCKET or connection.scope.get("method") not in SAFE
    if acts and not connection.headers.get("origin"):
        entrance_of(connection).refused(
            who.principal.name, f"{_route(connection)}: a session without a page", wall()
        )
        raise Denied(403, "not-permitted", "a session acts from this console's own page only")


def _route(connection: Connection) -> str:
    method = connection.scope.get("method", "WS")
    return f"{method} {str(connection.scope['path'])[:80]}"
