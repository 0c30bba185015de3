"""`vedette run` until Ctrl-C, and what the log it leaves behind is good for."""

import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vedette.cli.run import keep_kernels

NOBODY = 65_534


def wait_for(condition: Callable[[], bool], what: str) -> None:
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"never happened: {what}")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo of a few seconds at 20 times the speed, ended by Ctrl-C: its folder."""
    folder = tmp_path_factory.mktemp("run")
    command = ["run", "--demo", "hover-near", "--speed", "20", "--listen", "127.0.0.1:0", "--state", "state"]
    program = ["-c", "from vedette.cli.main import main; main()"]
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        child = subprocess.Popen([os.sys.executable, *program, *command], cwd=folder, stdout=out, stderr=err)
        try:
            said = folder / "err"
            wait_for(lambda: "The page: " in said.read_text() or child.poll() is not None, "a page")
            second = subprocess.run(
                [os.sys.executable, *program, *command], cwd=folder, capture_output=True, check=False
            )
            (folder / "second").write_text(f"{second.returncode} {second.stderr.decode()}")
            time.sleep(2.0)
        finally:
            child.send_signal(signal.SIGINT)
            code = child.wait(60)
    (folder / "code").write_text(str(code))
    return folder


@pytest.fixture
def log(finished: Path, tmp_path: Path) -> Path:
    """A copy of the log and its keys."""
    shutil.copytree(finished / "state" / "demo", tmp_path / "demo")
    return tmp_path / "demo" / "events.log"


def test_ctrl_c_ends_a_station_well(finished: Path) -> None:
    assert (finished / "code").read_text() == "0"
    assert (finished / "out").read_bytes() == b""
    said = (finished / "err").read_text()
    assert "Vedette is watching Dry Wash (exercise)." in said
    assert "Traceback" not in said
    assert "\x1b" not in said


def test_a_second_station_on_the_same_record_is_refused(finished: Path) -> None:
    code, _, said = (finished / "second").read_text().partition(" ")
    assert code == "1"
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("vedette: ")


def test_verify_and_replay(command, log: Path) -> None:
    said = command("verify", log)
    verdict = json.loads(said.out)
    assert (said.code, verdict["good"]) == (0, True)
    said = command("replay", log)
    assert said.code == 0
    assert "equal to the bit" in said.err
    lines = [json.loads(line) for line in said.out.splitlines()]
    assert [line["seq"] for line in lines[:-1]] == list(range(1, verdict["events"] + 1))


def test_replay_options(command, log: Path, tmp_path: Path) -> None:
    said = command("replay", log, "--digests")
    kinds = {json.loads(line).get("kind") for line in said.out.splitlines()[:-1]}
    assert kinds == {"digest"}
    said = command("replay", log, "--quiet")
    assert len(said.out.splitlines()) == 1
    said = command("replay", log, "--snapshot", "1")
    assert said.code == 64
    assert "no snapshot" in said.one_line()
    said = command("replay", log, "--keys", tmp_path / "elsewhere", "--quiet")
    assert said.code == 1
    assert "Traceback" not in said.err


def test_an_altered_log_is_told(command, log: Path) -> None:
    with sqlite3.connect(log) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE event SET body = X'7B5D' WHERE seq = (SELECT max(seq) / 2 FROM event)")
    database.close()
    said = command("verify", log)
    assert said.code == 1
    assert json.loads(said.out)["good"] is False
    assert "altered" in said.one_line()
    assert command("replay", log, "--quiet").code in (1, 65)


def test_a_head_noted_elsewhere(command, log: Path) -> None:
    head = json.loads(command("verify", log).out)["head_hash"]
    assert command("verify", log, "--head", head).code == 0
    other = ("0" if head[0] != "0" else "1") + head[1:]
    said = command("verify", log, "--head", other)
    assert said.code == 1


@pytest.mark.parametrize("name", ["verify", "replay"])
@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0" + bytes(84), random.Random(3).randbytes(4096)])
def test_what_is_no_log(command, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / "events.log").write_bytes(content)
    said = command(name, tmp_path / "events.log")
    assert said.code == 65
    assert "events.log" in said.one_line()
    assert (tmp_path / "events.log").read_bytes() == content


def test_a_taken_console_port_stops_no_warning(tmp_path: Path) -> None:
    said = tmp_path / "err"
    with socket.socket() as taken, said.open("wb") as errors:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = ["-c", "from vedette.cli.main import main; main()", "run", "--listen", f"127.0.0.1:{port}"]
        with subprocess.Popen([sys.executable, *command], cwd=tmp_path, stderr=errors) as child:
            try:
                wait_for(lambda: "is watching" in said.read_text() or child.poll() is not None, "a start")
                child.send_signal(signal.SIGINT)
                assert child.wait(60) == 0
            finally:
                child.kill()
    assert f"NO PAGE: console port {port}" in said.read_text()
    assert "There is no page." in said.read_text()
    assert "Traceback" not in said.read_text()


@pytest.fixture
def station_user() -> Iterator[Path]:
    """A folder of a user who may write nowhere else, and that user's rights."""
    with tempfile.TemporaryDirectory() as folder:
        root = os.geteuid() == 0
        if root:
            os.chown(folder, NOBODY, NOBODY)
            os.seteuid(NOBODY)
        try:
            yield Path(folder)
        finally:
            if root:
                os.seteuid(0)


def test_compiled_kernels_go_where_the_station_may_write(station_user: Path, monkeypatch) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    keep_kernels(station_user / "state", station_user)
    assert "NUMBA_CACHE_DIR" not in os.environ
    keep_kernels(station_user / "state", Path("/usr"))
    assert os.environ["NUMBA_CACHE_DIR"] == str(station_user / "state" / "kernels")
    assert (station_user / "state").stat().st_mode & 0o777 == 0o700
    keep_kernels(Path("/usr/state"), Path("/usr"))
    assert os.environ["NUMBA_CACHE_DIR"] == str(station_user / "state" / "kernels")
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    keep_kernels(Path("/usr/state"), Path("/usr"))
    assert "NUMBA_CACHE_DIR" not in os.environ
