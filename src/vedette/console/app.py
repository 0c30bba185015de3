"""The console's HTTP and WebSocket routes.

    GET  /                                  the page
    GET  /static/{name}                     its files; names with a content hash are immutable
    GET  /api/v1/view                       the picture (`vedette.station.view.View`) as JSON
    WS   /api/v1/live                       the same, on change, at most 5 and at least 1 a second
    POST /api/v1/alerts/{id}/acknowledge    {"actor": who} -> 202
    GET  /healthz                           200 while the station answers
    GET  /metrics                           Prometheus text exposition

There are no logins yet, which is why `server.serve` binds to this machine only. Errors are JSON with
a sentence in ``detail``. Nothing is loaded from anywhere else.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, cast

import msgspec
from litestar import Litestar, MediaType, Request, Response, WebSocket, get, post, websocket
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from vedette.console.assets import INDEX, NOT_BUILT, Asset, load
from vedette.console.guard import Guard, add_security_headers
from vedette.console.live import Picture, stream
from vedette.console.source import Source
from vedette.model.errors import InputError
from vedette.model.event import Action

MAX_BODY_BYTES = 4096

Metrics = Callable[[], bytes]

PROMETHEUS = "text/plain; version=0.0.4"

NO_STORE = {"cache-control": "no-store"}

_BODY_HINT = 'Send JSON: {"actor": "your name"}, 1 to 80 characters.'
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Acknowledgement(msgspec.Struct, forbid_unknown_fields=True):
    """The body of an acknowledgement: ``actor`` is the person who has the alert in hand."""

    actor: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


def create_app(
    source: Source, *, metrics: Metrics | None = None, assets: dict[str, Asset] | None = None
) -> Litestar:
    """The console of ``source``. ``metrics`` returns Prometheus text; ``assets`` is the built page
    (default: the one in the package)."""
    state = {
        "source": source,
        "picture": Picture(source),
        "metrics": metrics,
        "assets": load() if assets is None else assets,
    }
    return Litestar(
        route_handlers=[page, static, view, live, acknowledge, healthz, prometheus],
        middleware=[Guard],
        before_send=[add_security_headers],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=MAX_BODY_BYTES,
        exception_handlers={InputError: _bad_input},
        state=State(state),
    )


@get("/", sync_to_thread=False)
def page(state: State) -> Response[bytes]:
    """The page, or how to build it."""
    asset = cast("dict[str, Asset]", state.assets).get(INDEX)
    if asset is None:
        return Response(NOT_BUILT.encode(), status_code=503, media_type=MediaType.TEXT)
    return _file(asset)


@get("/static/{name:str}", sync_to_thread=False)
def static(state: State, name: FromPath[str]) -> Response[bytes]:
    """One file of the page."""
    asset = cast("dict[str, Asset]", state.assets).get(name)
    if asset is None:
        raise HTTPException(f"The page has no file {name!r}.", status_code=404)
    return _file(asset)


@get("/api/v1/view", sync_to_thread=False)
def view(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The picture now."""
    body = msgspec.json.encode(_source(request).view())
    return Response(body, media_type=MediaType.JSON, headers=NO_STORE)


@websocket("/api/v1/live")
async def live(socket: WebSocket[Any, Any, Any]) -> None:
    """The picture as it changes."""
    await stream(socket, cast("Picture", socket.app.state.picture))


@post("/api/v1/alerts/{alert:str}/acknowledge", status_code=202)
async def acknowledge(request: Request[Any, Any, Any], alert: FromPath[str]) -> dict[str, str]:
    """A person at the desk takes an alert in hand. 404: no such alert; 400: who is not said."""
    actor = _actor(await request.body())
    source = _source(request)
    if not source.alert_exists(alert):
        raise HTTPException(f"There is no alert {alert!r}.", status_code=404)
    source.act(Action(actor=actor, action="acknowledge", via="console", alert=alert))
    return {"alert": alert, "actor": actor}


@get("/healthz", sync_to_thread=False)
def healthz(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
    """The station answers: its time and the state of its record."""
    now = _source(request).view()
    return Response({"at": now.at, "mode": now.mode, "record": now.record.state}, headers=NO_STORE)


@get("/metrics", sync_to_thread=False)
def prometheus(state: State) -> Response[bytes]:
    """Prometheus text exposition format 0.0.4; 404 where the station keeps no metrics."""
    metrics = cast("Metrics | None", state.metrics)
    if metrics is None:
        raise HTTPException("This station keeps no metrics.", status_code=404)
    return Response(metrics(), media_type=PROMETHEUS, headers=NO_STORE)


def _source(connection: ASGIConnection[Any, Any, Any, Any]) -> Source:
    return cast("Source", connection.app.state.source)


def _actor(body: bytes) -> str:
    """The actor's name in ``body``, without characters that could disguise it in a record."""
    try:
        actor = msgspec.json.decode(body, type=Acknowledgement).actor.strip()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HTTPException(f"The body cannot be read: {error}. {_BODY_HINT}", status_code=400) from error
    if not actor or _UNPRINTABLE.search(actor):
        raise HTTPException(f"The actor is empty or not printable. {_BODY_HINT}", status_code=400)
    return actor


def _file(asset: Asset) -> Response[bytes]:
    headers = {"cache-control": asset.cache_control}
    return Response(asset.content, media_type=asset.media_type, headers=headers)


def _bad_input(_: Request[Any, Any, Any], error: InputError) -> Response[dict[str, Any]]:
    return Response({"status_code": 400, "detail": str(error)}, status_code=400)
