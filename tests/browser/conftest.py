"""The built page in a real browser, in front of a console made of real views."""

import asyncio
import importlib.util
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from vedette.console.assets import NOT_BUILT, STATIC

ROOT = Path(__file__).resolve().parents[2]

Scenario = Callable[[Any, Any, Any], Coroutine[Any, Any, None]]

LIMIT_S = 180
"""Only ends a browser that hangs; nothing is measured by it."""


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"browser_tests_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DESK = _load(ROOT / "tests" / "console" / "desk.py")
DEVTOOLS = _load(ROOT / "scripts" / "devtools.py")


@pytest.fixture(scope="session")
def stage() -> ModuleType:
    """The module ``desk``: a picture, a Desk, and a running console."""
    return DESK


@pytest.fixture
def desk() -> Any:
    return DESK.Desk(running=True)


@pytest.fixture
def on_page(desk: Any, counterpart: Callable[[str], str]) -> Callable[[Scenario], None]:
    """Run ``scenario(desk, server, page)`` with the page open and its map drawn."""
    chromium = counterpart("chromium")
    if not (STATIC / "index.html").is_file():
        pytest.fail(NOT_BUILT)

    async def main(scenario: Scenario) -> None:
        async with DESK.running(desk, assets=None) as server, DEVTOOLS.browser(chromium) as page:
            await page.look(1280, 800)
            await page.goto(server.url)
            await page.wait_for("document.querySelector('vedette-map')?.picture?.drawn")
            await scenario(desk, server, page)

    return lambda scenario: asyncio.run(asyncio.wait_for(main(scenario), LIMIT_S))
