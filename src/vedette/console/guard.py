"""Who may talk to the console while it has no logins: this machine's own browser, on its own page.

A page of the internet that the officer has open runs on this machine too. Two checks keep it out:
the Host header (DNS rebinding: a foreign name that resolves to 127.0.0.1) and the Origin header
(cross-site requests and cross-site WebSockets, which no same-origin policy stops; RFC 6455, 10.2).
"""

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

NAMES = ("localhost", "127.0.0.1", "[::1]")

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
    """ASGI middleware: refuses what was not meant for this console, with a sentence that says why."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the connection on, or answer 403 (a WebSocket is closed before it opens)."""
        reason = refusal(scope)
        if reason is None:
            await self.app(scope, receive, send)
        elif scope["type"] == ScopeType.WEBSOCKET:
            await send({"type": "websocket.close", "code": 1008, "reason": reason})
        else:
            await _forbid(send, reason)


async def add_security_headers(message: Message, scope: Scope) -> None:
    """Put `SECURITY_HEADERS` on every response, error pages included (a Litestar before-send hook)."""
    if message["type"] == "http.response.start":
        pairs = [(name.encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]
        message["headers"] = [*message.get("headers", []), *pairs]


def refusal(scope: Scope) -> str | None:
    """Why this connection is refused, or None.

    The Origin header is checked wherever it is present: browsers always send it with a WebSocket
    and with a POST, and a program that is no browser has no page to be lured from.
    """
    server = scope.get("server")
    hosts, origins = _values(scope, b"host"), _values(scope, b"origin")
    if server is None or len(hosts) != 1 or hosts[0] not in _own_hosts(server[1]):
        return "The Host header is not this console's own: open it as http://127.0.0.1 with its port."
    if any(origin != f"http://{hosts[0]}" for origin in origins):
        return "The request came from a page of another site."
    return None


def _own_hosts(port: int | None) -> tuple[str, ...]:
    bare = NAMES if port == 80 else ()
    return (*bare, *(f"{name}:{port}" for name in NAMES))


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").lower() for key, value in scope["headers"] if key.lower() == name]


async def _forbid(send: Send, reason: str) -> None:
    body = (reason + "\n").encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
