"""The console's HTTP and WebSocket routes.

    GET  /, /first, /set-up, /phone         the page
    GET  /static/{name}                     its files; names with a content hash are immutable
    GET  /api/v1/view                       the picture (`vedette.station.view.View`) as JSON
    WS   /api/v1/live                       the same, on change, at most 5 and at least 1 a second
    POST /api/v1/alerts/{id}/acknowledge    {"revision"?: which} -> 202
    POST /api/v1/actions                    {"action": what, ...} -> 202: `deeds.Deed`
    GET  /api/v1/access/history             who did what to accounts, who was refused
    GET  /api/v1/access/reads               who saw where people are
    GET  /healthz                           200 while the station answers
    GET  /metrics                           Prometheus text exposition

and those of `sign_in`. Which permission each needs stands with it, and in docs/access.md. Errors are JSON
with a sentence in ``detail``. Nothing is loaded from anywhere else.
"""

from collections.abc import Callable
from typing import Any, cast

import msgspec
from litestar import Litestar, MediaType, Request, Response, WebSocket, get, websocket
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.middleware import DefineMiddleware
from litestar.params import FromPath

from vedette.console.assets import INDEX, NOT_BUILT, Asset, load
from vedette.console.deeds import acknowledge, act, source_of
from vedette.console.entrance import Entrance
from vedette.console.gate import (
    PERMISSION,
    PUBLIC,
    Denied,
    answer,
    check_routes,
    entrance_of,
    gate,
    wall,
    who_of,
)
from vedette.console.guard import NAMES, Guard, add_security_headers
from vedette.console.live import people_in, stream, without_people
from vedette.console.sight import Pictures, Sight, way_of
from vedette.console.sign_in import ROUTES
from vedette.console.source import Source
from vedette.model.errors import InputError, VedetteError
from vedette.station.access import allowed

MAX_BODY_BYTES = 16 * 1024
"""A security key's answer is the longest."""
MOST_ENTRIES = 1000

Metrics = Callable[[], bytes]

PROMETHEUS = "text/plain; version=0.0.4"

NO_STORE = {"cache-control": "no-store"}


def create_app(
    source: Source,
    entrance: Entrance,
    *,
    metrics: Metrics | None = None,
    assets: dict[str, Asset] | None = None,
    names: tuple[str, ...] = NAMES,
    secure: bool = False,
) -> Litestar:
    """The console of ``source``, for those whom ``entrance`` lets in. ``metrics`` returns Prometheus text;
    ``assets`` is the built page (default: the one in the package); ``names``: how the page's host may be
    written; ``secure``: it is served by TLS."""
    state = {
        "source": source,
        "entrance": entrance,
        "pictures": Pictures(source),
        "metrics": metrics,
        "assets": load() if assets is None else assets,
    }
    app = Litestar(
        route_handlers=[
            page, static, view, live, acknowledge, act, history, reads, healthz, prometheus, *ROUTES
        ],
        guards=[gate],
        middleware=[DefineMiddleware(Guard, names=names, secure=secure)],
        before_send=[add_security_headers],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=MAX_BODY_BYTES,
        exception_handlers={InputError: _bad_input, VedetteError: _unavailable, Denied: answer},
        state=State(state),
    )  # fmt: skip
    check_routes(app)
    return app


@get(["/", "/first", "/set-up", "/phone"], sync_to_thread=False, opt={PERMISSION: PUBLIC})
def page(state: State) -> Response[bytes]:
    """The page, or how to build it. It holds nothing of the site; what it shows, it asks for."""
    asset = cast("dict[str, Asset]", state.assets).get(INDEX)
    if asset is None:
        return Response(NOT_BUILT.encode(), status_code=503, media_type=MediaType.TEXT)
    return _file(asset)


@get("/static/{name:str}", sync_to_thread=False, opt={PERMISSION: PUBLIC})
def static(state: State, name: FromPath[str]) -> Response[bytes]:
    """One file of the page."""
    asset = cast("dict[str, Asset]", state.assets).get(name)
    if asset is None:
        raise HTTPException(f"The page has no file {name!r}.", status_code=404)
    return _file(asset)


@get("/api/v1/view", sync_to_thread=False, opt={PERMISSION: "view-picture"})
def view(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The picture now; without people for those who may not see them."""
    who, now = who_of(request), source_of(request).view()
    if allowed(who, "view-people").granted:
        at = wall()
        entrance_of(request).saw(who, way_of(request, "picture"), people_in(now), 1, at, at)
    else:
        now = without_people(now)
    return Response(msgspec.json.encode(now), media_type=MediaType.JSON, headers=NO_STORE)


@websocket("/api/v1/live", opt={PERMISSION: "view-picture"})
async def live(socket: WebSocket[Any, Any, Any]) -> None:
    """The picture as it changes."""
    who = who_of(socket)
    picture = cast("Pictures", socket.app.state.pictures).of(who)
    sight = Sight(socket, who)
    try:
        await stream(socket, picture, sight.still)
    finally:
        sight.end()


@get("/api/v1/access/history", sync_to_thread=True, opt={PERMISSION: "read-access-history"})
def history(request: Request[Any, Any, Any]) -> Response[bytes]:
    """What happened to accounts and keys, the newest first."""
    door = entrance_of(request).door
    entries = () if door is None else door.store.history(MOST_ENTRIES)
    return Response(msgspec.json.encode(entries), media_type=MediaType.JSON, headers=NO_STORE)


@get("/api/v1/access/reads", sync_to_thread=True, opt={PERMISSION: "read-access-history"})
def reads(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Who saw where people are, the newest first."""
    door = entrance_of(request).door
    looks = () if door is None else door.reads.all(MOST_ENTRIES)
    return Response(msgspec.json.encode(looks), media_type=MediaType.JSON, headers=NO_STORE)


@get("/healthz", sync_to_thread=False, opt={PERMISSION: PUBLIC})
def healthz(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """The station answers: its time and the state of its record."""
    now = source_of(request).view()
    return Response({"at": now.at, "mode": now.mode, "record": now.record.state}, headers=NO_STORE)


@get("/metrics", sync_to_thread=False, opt={PERMISSION: "view-picture"})
def prometheus(state: State) -> Response[bytes]:
    """Prometheus text exposition format 0.0.4; 404 where the station keeps no metrics."""
    metrics = cast("Metrics | None", state.metrics)
    if metrics is None:
        raise HTTPException("This station keeps no metrics.", status_code=404)
    return Response(metrics(), media_type=PROMETHEUS, headers=NO_STORE)


def _file(asset: Asset) -> Response[bytes]:
    headers = {"cache-control": asset.cache_control}
    return Response(asset.content, media_type=asset.media_type, headers=headers)


def _bad_input(_: Request[Any, Any, Any], error: InputError) -> Response[dict[str, Any]]:
    return Response({"status_code": 400, "detail": str(error)}, status_code=400)


def _unavailable(_: Request[Any, Any, Any], error: VedetteError) -> Response[dict[str, Any]]:
    """What the station cannot do now, such as writing an account to a full disk."""
    return Response({"status_code": 503, "detail": str(error)}, status_code=503)
