"""``vedette run``: the station, with its console, until it is stopped."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer

import vedette
from vedette.cli import output

if TYPE_CHECKING:
    # At run time these are imported late: they bring numba, which must find its cache folder settled.
    from vedette.station.config import StationConfig
    from vedette.station.station import Station
    from vedette.station.view import WordingView

PROGRAM = Path(vedette.__file__).parent
DEMO = "desert-run"
DEFAULT_LISTEN = "127.0.0.1:8470"
_CHANGES: "set[asyncio.Task[WordingView]]" = set()
"""Kept until they are done: the loop holds its tasks weakly."""


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(run)
    app.command()(warm)


def run(
    config: Annotated[Path | None, typer.Option(help="vedette.toml of the site")] = None,
    demo: Annotated[str | None, typer.Option(help="a built-in scenario, or a scenario file")] = None,
    state: Annotated[Path, typer.Option(help="folder of the demo's state")] = Path("state"),
    listen: Annotated[str | None, typer.Option(help="the console's HOST:PORT (loopback)")] = None,
    speed: Annotated[float | None, typer.Option(help="exercise: how fast time runs")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="more log lines")] = False,
) -> int:
    """Watch: feeds, tracking, warning, console. With no configuration it starts the demo."""
    _log_to_stderr(verbose)
    keep_kernels(_state_folder(config, state), PROGRAM)
    settled = _settle(config, demo, state, listen, speed)
    from vedette.cli.warm import warm_kernels

    warm_kernels()
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settled))
    return 0


def warm(
    config: Annotated[Path | None, typer.Option(help="vedette.toml of the site")] = None,
    state: Annotated[Path, typer.Option(help="folder of the demo's state")] = Path("state"),
) -> int:
    """Compile the numerics now, where `run` with these options looks for them, so that it starts at once."""
    keep_kernels(_state_folder(config, state), PROGRAM)
    from vedette.cli.warm import warm_kernels

    warm_kernels()
    return 0


def _settle(
    config: Path | None, demo: str | None, state: Path, listen: str | None, speed: float | None
) -> "StationConfig":
    """The configuration that the options ask for. Raises ConfigError."""
    import msgspec

    from vedette.station.assemble import demo_config
    from vedette.station.config import ClockConfig, check, read_config

    if config is not None and demo is None:
        settled = read_config(config)
    else:
        settled = demo_config(demo or DEMO, state / "demo", DEFAULT_LISTEN)
    if listen is not None:
        console = msgspec.structs.replace(settled.console, listen=listen)
        settled = msgspec.structs.replace(settled, console=console)
    if speed is not None:
        settled = msgspec.structs.replace(settled, clock=ClockConfig(speed=speed))
    return check(settled, str(config or "demo"), Path())


async def _serve(config: "StationConfig") -> None:
    """Run station and console until SIGINT or SIGTERM."""
    from vedette.cli.page import open_page
    from vedette.station.access import Doorkeeper
    from vedette.station.assemble import assemble

    door = Doorkeeper(Path(config.state), config.site.name, background=True)
    try:
        station = assemble(config, door)
        # What is loaded now stays: the collector need not walk it again while a drone is coming.
        gc.collect()
        gc.freeze()
        watch = asyncio.create_task(station.run(), name="station")
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        if not sys.stdin.isatty():
            # At a terminal SIGHUP says that the terminal is gone; a service is asked to read its words anew.
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, _change_words, station)
        page = await open_page(config, station, door)
        where = f"The page: {page.url}" if page else "There is no page."
        output.say(f"Vedette is watching {config.site.name}. {where}   (stop: Ctrl-C)")
        ended = asyncio.create_task(stop.wait())
        await asyncio.wait({watch, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if page is not None:
            await page.stop()
        await _end(watch)
    finally:
        door.close()


async def _end(watch: "asyncio.Task[None]") -> None:
    """Stop the station; raises what it ended with, if it ended by itself."""
    if watch.done():
        watch.result()
    watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch


def _change_words(station: "Station") -> None:
    """A person who may signal the station's process wants its packs of words read anew."""
    task = asyncio.get_running_loop().create_task(station.change_words("the station's operator", "signal"))
    _CHANGES.add(task)
    task.add_done_callback(_CHANGES.discard)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed; the standard loop does the same, slower."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def keep_kernels(state: Path, program: Path) -> None:
    """Keep compiled kernels with the station's state where the program's own folder cannot be written.

    That is the usual installation: the program belongs to root and the station's user has no home. To
    be called before numba is imported. A state folder that cannot be had is reported later, by itself.
    """
    if "NUMBA_CACHE_DIR" in os.environ or os.access(program, os.W_OK, effective_ids=True):
        return
    with contextlib.suppress(OSError):
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.environ["NUMBA_CACHE_DIR"] = str((state / "kernels").resolve())


def _state_folder(config: Path | None, state: Path) -> Path:
    """Where the state will be. Only a look: reading the configuration in earnest says what is wrong."""
    if config is None:
        return state
    try:
        named = tomllib.loads(config.read_text(encoding="utf-8")).get("state", "state")
    except (OSError, ValueError):
        return config.parent
    return config.parent / str(named)


def _log_to_stderr(verbose: bool) -> None:
    """One line an event on stderr, for people and journald alike."""
    level = logging.DEBUG if verbose else logging.INFO
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(_Stderr()),  # type: ignore[arg-type]
    )


class _Stderr:
    """stderr as it is at the time of writing (tests replace it)."""

    def write(self, text: str) -> None:
        sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()
