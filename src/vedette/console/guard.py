"""What may talk to the console at all: a browser on the console's own page, and programs.

A page of the internet that the officer has open runs in the same browser. Two checks keep it out, before
anybody is asked who he is: the Host header (DNS rebinding: a foreign name that resolves to this address) and
the Origin header (cross-site requests and cross-site WebSockets, which no same-origin policy stops; RFC 6455,
10.2).
"""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

NAMES = ("localhost", "127.0.0.1", "[::1]")
"""Of a console that listens on this machine only."""
COOKIES = "cookies"
"""Where in a request's state its ``Set-Cookie`` headers wait for the answer."""

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "worker-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), usb=()",
}


class Guard:
    """ASGI middleware: refuses what was not meant for this console, with a sentence that says why.

    ``names``: the host names and addresses under which it is opened; ``secure``: by TLS.
    """

    def __init__(self, app: ASGIApp, names: tuple[str, ...] = NAMES, secure: bool = False) -> None:
        self.app = app
        self._names, self._secure = names, secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the connection on, or answer 403 (a WebSocket is closed before it opens)."""
        reason = refusal(scope, self._names, self._secure)
        if reason is None:
            await self.app(scope, receive, send)
        elif scope["type"] == ScopeType.WEBSOCKET:
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            await _forbid(send, reason)


async def add_security_headers(message: Message, scope: Scope) -> None:
    """Put `SECURITY_HEADERS` on every response, error pages included (a Litestar before-send hook), and the
    cookies that its handler has left in the request's state."""
    if message["type"] == "http.response.start":
        pairs = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
        pairs += [(b"set-cookie", cookie.encode()) for cookie in scope.get("state", {}).get(COOKIES, ())]
        message["headers"] = [*message.get("headers", []), *pairs]


def refusal(scope: Scope, names: tuple[str, ...] = NAMES, secure: bool = False) -> str | None:
    """Why this connection is refused, or None.

    The Origin header is checked wherever it is present: browsers always send it with a WebSocket
    and with a POST, and a program that is no browser has no page to be lured from.
    """
    server = scope.get("server")
    hosts, origins = _values(scope, b"host"), _values(scope, b"origin")
    scheme = "https" if secure else "http"
    if server is None or len(hosts) != 1 or hosts[0] not in _own_hosts(names, server[1], scheme):
        return f"The Host header is not this console's own: open it as {scheme}://{names[0]} with its port."
    if any(origin != f"{scheme}://{hosts[0]}" for origin in origins):
        return "The request came from a page of another site."
    return None


def _own_hosts(names: tuple[str, ...], port: int | None, scheme: str) -> tuple[str, ...]:
    bare = names if port == {"http": 80, "https": 443}[scheme] else ()
    return (*bare, *(f"{name}:{port}" for name in names))


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").lower() for key, value in scope["headers"] if key.lower() == name]


async def _forbid(send: Send, reason: str) -> None:
    body = (reason + "\n").encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
