"""The ``vedette`` command as its users meet it: in this process for speed, or in one of its own."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from vedette.cli.main import run_command
from vedette.model.lines import dump_line
from vedette.sense.remote_id import RemoteIdAdapter
from vedette.simulate import load_builtin, to_files
from vedette.wire.capture import CaptureReader

HILLY = Path(__file__).resolve().parents[1] / "station" / "hilly.py"
START = 1_790_000_000.0
KEPT_LINES = 160
PROGRAM = [sys.executable, "-c", "from vedette.cli.main import main; main()"]


if "station_hilly" not in sys.modules:
    spec = importlib.util.spec_from_file_location("station_hilly", HILLY)
    assert spec is not None
    assert spec.loader is not None
    sys.modules["station_hilly"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


class Said(NamedTuple):
    """What a command answered."""

    code: int
    out: bytes
    err: str

    def one_line(self) -> str:
        """The error, which must be one line that names the program, and nothing on stdout."""
        assert self.err.startswith("vedette: "), self.err
        assert self.err.count("\n") == 1, self.err
        assert "Traceback" not in self.err
        return self.err.strip()


@pytest.fixture
def command(capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Said]:
    """``vedette ARGUMENTS`` in this process."""

    def run(*arguments: object) -> Said:
        capsysbinary.readouterr()
        code = run_command([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return Said(code, out, err.decode())

    return run


@pytest.fixture
def program() -> Callable[..., Said]:
    """``vedette ARGUMENTS`` in a process of its own, without a terminal."""

    def run(*arguments: object, folder: Path | None = None, stdin: bytes = b"") -> Said:
        done = subprocess.run(
            [*PROGRAM, *map(str, arguments)], cwd=folder, input=stdin, capture_output=True, check=False
        )
        return Said(done.returncode, done.stdout, done.stderr.decode())

    return run


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's files, with the detections of its one receiver; nobody may change them."""
    folder = tmp_path_factory.mktemp("simulated")
    to_files(load_builtin("desert-run"), START, lambda name: (folder / name).open("wb"))
    adapter = RemoteIdAdapter("ridge-receiver")
    with (folder / "detections.jsonl").open("wb") as lines:
        for batch in CaptureReader(folder / "remote-id.pcap").batches():
            lines.writelines(dump_line(detection) for detection in adapter.detections(batch))
    return folder


@pytest.fixture
def case(simulated: Path, tmp_path: Path) -> Path:
    """A copy of the demo's first minutes that a test may spoil."""
    folder = tmp_path / "case"
    folder.mkdir()
    for name in ("site.json", "sensors.json", "detections.jsonl", "units.jsonl"):
        lines = (simulated / name).read_bytes().splitlines(keepends=True)
        (folder / name).write_bytes(b"".join(lines[:KEPT_LINES]))
    return folder


@pytest.fixture
def command_line() -> list[str]:
    """How to start the program."""
    return PROGRAM


@pytest.fixture
def plain_environment() -> dict[str, str]:
    """The environment without what would make a program think it had a terminal."""
    return {
        name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "TTY_COMPATIBLE")
    }
