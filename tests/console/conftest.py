"""A running console for a scenario."""

import asyncio
import importlib.util
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"console_tests_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DESK = _load(Path(__file__).parent / "desk.py")


@pytest.fixture(scope="session")
def stage() -> ModuleType:
    """The module ``desk``: a picture, a Desk, and a running console."""
    return DESK


@pytest.fixture
def desk(stage: ModuleType) -> Any:
    return stage.Desk()


@pytest.fixture
def with_console(
    stage: ModuleType, desk: Any
) -> Callable[[Callable[[Any, Any], Coroutine[Any, Any, None]]], None]:
    """Run an async scenario against a running console."""

    def run(scenario: Callable[[Any, Any], Coroutine[Any, Any, None]]) -> None:
        async def main() -> None:
            async with stage.running(desk) as server:
                await asyncio.wait_for(scenario(desk, server), 30)

        asyncio.run(main())

    return run
