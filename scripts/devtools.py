"""A small driver for Chromium over the DevTools protocol, for the browser tests and the screenshots.

It starts one headless browser with a profile of its own and no background traffic, opens one page,
and keeps every request and every complaint of the page and of its workers.
"""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import websockets

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--autoplay-policy=user-gesture-required",
    "--remote-debugging-port=0",
)

START_S = 60
WAIT_S = 60

Json = dict[str, Any]


class DevToolsError(RuntimeError):
    """The browser refused a command, or a script of the page threw."""


class Page:
    """One page. ``requests`` holds every URL asked for, ``complaints`` every error it logged."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Json]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._session: str | None = None
        self.requests: list[str] = []
        self.complaints: list[str] = []

    async def open(self) -> None:
        """Create a blank page and listen to it and to all its workers."""
        target = await self._command("Target.createTarget", {"url": "about:blank"})
        attached = {"targetId": target["targetId"], "flatten": True}
        self._session = (await self._command("Target.attachToTarget", attached))["sessionId"]
        await self._listen(self._session)

    async def listen(self) -> None:
        """Read the browser's messages until it closes."""
        async for raw in self._socket:
            message = json.loads(raw)
            if "id" in message:
                self._answered(message)
            else:
                self._happened(message["method"], message.get("params", {}))

    async def command(self, method: str, params: Json | None = None) -> Json:
        """One DevTools command to the page. Raises `DevToolsError` if the browser refuses it."""
        return await self._command(method, params, self._session)

    async def goto(self, url: str) -> None:
        """Open ``url``; use `wait_for` to know when it shows what matters.

        Raises `DevToolsError` if nothing answers there.
        """
        result = await self.command("Page.navigate", {"url": url})
        if "errorText" in result:
            raise DevToolsError(f"cannot open {url}: {result['errorText']}")

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; promises are awaited."""
        params = {"expression": expression, "returnByValue": True, "awaitPromise": True}
        result = await self.command("Runtime.evaluate", params)
        if "exceptionDetails" in result:
            raise DevToolsError(f"{expression}: {json.dumps(result['exceptionDetails'])[:600]}")
        return result["result"].get("value")

    async def wait_for(self, expression: str, timeout_s: float = WAIT_S) -> None:
        """Return once the expression is truthy. Raises TimeoutError, naming what the page complained of."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while asyncio.get_running_loop().time() < deadline:
            if await self.evaluate(f"Boolean({expression})"):
                return
            await asyncio.sleep(0.1)
        raise TimeoutError(f"never true: {expression}; the page complained: {self.complaints}")

    async def text(self, selector: str) -> str:
        """The rendered text of the first element that matches, or the empty string."""
        return str(await self.evaluate(f"document.querySelector({json.dumps(selector)})?.innerText ?? ''"))

    async def click(self, selector: str) -> None:
        """A real mouse click in the middle of the first element that matches."""
        where = await self.evaluate(
            f"(() => {{ const r = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            " return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            event = {"type": kind, "x": where[0], "y": where[1], "button": "left", "clickCount": 1}
            await self.command("Input.dispatchMouseEvent", event)

    async def press(self, key: str) -> None:
        """One key, by its DevTools name ("a", "Enter", "Escape", "Tab")."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        code = {"Enter": 13, "Escape": 27, "Tab": 9, "ArrowDown": 40, "ArrowUp": 38}
        virtual = code.get(key) or ord(key.upper()[0])
        event = {"key": key, "windowsVirtualKeyCode": virtual}
        await self.command("Input.dispatchKeyEvent", {"type": "keyDown", "text": text, **event})
        await self.command("Input.dispatchKeyEvent", {"type": "keyUp", **event})

    async def type(self, text: str) -> None:
        """Text into whatever has the focus."""
        await self.command("Input.insertText", {"text": text})

    async def look(self, width: int, height: int, *, night: bool = False) -> None:
        """Set the window's size and the system's colour scheme."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        await self.command("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if night else "light"}
        await self.command("Emulation.setEmulatedMedia", {"features": [scheme]})

    async def screenshot(self, path: Path) -> None:
        """The window as a PNG file."""
        shot = await self.command("Page.captureScreenshot", {"format": "png"})
        path.write_bytes(base64.b64decode(shot["data"]))

    async def _command(self, method: str, params: Json | None = None, session: str | None = None) -> Json:
        number = next(self._ids)
        answer = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        message = {"id": number, "method": method, "params": params or {}}
        await self._socket.send(json.dumps(message | ({"sessionId": session} if session else {})))
        return await asyncio.wait_for(answer, WAIT_S)

    def _answered(self, message: Json) -> None:
        answer = self._answers.pop(message["id"], None)
        if answer is None or answer.done():
            return
        if "error" in message:
            answer.set_exception(DevToolsError(message["error"]["message"]))
        else:
            answer.set_result(message["result"])

    def _happened(self, method: str, params: Json) -> None:
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Network.webSocketCreated":
            self.requests.append(params["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.complaints.append(json.dumps(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self._logged(params["entry"])
        elif method == "Target.attachedToTarget":
            self._later(params["sessionId"])

    def _logged(self, entry: Json) -> None:
        """The software GL of a machine without a graphics card comments on its own speed; no fault."""
        if "GPU stall due to ReadPixels" not in entry["text"]:
            self.complaints.append(f"{entry['text']} {entry.get('url', '')}")

    def _later(self, session: str) -> None:
        """A worker came up: it waits until it is listened to, so that none of its requests is missed."""
        task = asyncio.get_running_loop().create_task(self._listen_quietly(session))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _listen_quietly(self, session: str) -> None:
        with contextlib.suppress(DevToolsError, TimeoutError, websockets.ConnectionClosed):
            await self._listen(session)

    async def _listen(self, session: str) -> None:
        workers = {"autoAttach": True, "waitForDebuggerOnStart": True, "flatten": True}
        await self._command("Target.setAutoAttach", workers, session)
        for domain in ("Network", "Runtime", "Log", "Page"):
            with contextlib.suppress(DevToolsError):  # workers have no Page, and some no Log
                await self._command(f"{domain}.enable", None, session)
        with contextlib.suppress(DevToolsError):
            await self._command("Runtime.runIfWaitingForDebugger", None, session)


@contextlib.asynccontextmanager
async def browser(program: str) -> AsyncIterator[Page]:
    """A blank page in a fresh headless Chromium; the browser is ended by its process group after use."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            async with _connected(await _address(Path(profile), process)) as page:
                yield page
        finally:
            await _end(process)


@contextlib.asynccontextmanager
async def _connected(address: str) -> AsyncIterator[Page]:
    async with websockets.connect(address, max_size=64 << 20, ping_interval=None) as socket:
        page = Page(socket)
        listener = asyncio.create_task(page.listen())
        try:
            await page.open()
            yield page
        finally:
            listener.cancel()
            await asyncio.gather(listener, return_exceptions=True)


async def _address(profile: Path, process: "subprocess.Popen[bytes]") -> str:
    """Chromium writes its port and path to this file once it listens."""
    announced = profile / "DevToolsActivePort"
    for _ in range(START_S * 10):
        lines = announced.read_text().split("\n") if announced.exists() else []
        if len(lines) >= 2 and lines[1]:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        if process.poll() is not None:
            raise DevToolsError(f"the browser ended with {process.returncode} before it listened")
        await asyncio.sleep(0.1)
    raise DevToolsError(f"the browser did not listen within {START_S} s")


async def _end(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        await asyncio.to_thread(process.wait, 5)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await asyncio.to_thread(process.wait)
