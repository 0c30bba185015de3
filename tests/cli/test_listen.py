"""``vedette decode`` of a feed URL: lines as the frames come."""

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vedette.cli.main import run_command
from vedette.simulate import emissions, load_builtin

RUN = "from vedette.cli.main import main; main()"


def test_datagrams_become_lines_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-c",
        RUN,
        "decode",
        f"odid+udp://127.0.0.1:{port}?link=256",
        "--sensor",
        "mast",
    ]
    frames = (e for e in emissions(load_builtin("hover-near"), time.time() - 10.0) if e.link_type == 256)
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        assert child.stdout is not None
        assert child.stderr is not None
        while b"watching" not in child.stderr.readline():
            assert child.poll() is None
        for emission, _ in zip(frames, range(20), strict=False):
            sender.sendto(emission.data, ("127.0.0.1", port))
        first = json.loads(child.stdout.readline())
        child.send_signal(signal.SIGINT)
        assert child.wait(60) == 0
        child.stdout.read()
        assert b"detections" in child.stderr.read()
    assert first["sensor"] == "mast"
    assert "claim" in first or first["measure"]["kind"] == "position"


def test_a_bad_url_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["decode", "odid+smoke:signals"]) == 64
    assert "odid+smoke" in capsys.readouterr().err


def test_a_file_with_such_a_name_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "odid+x").write_bytes(b"no capture at all" * 10)
    assert run_command(["decode", "odid+x"]) == 65
