"""The command as a process: pipes that close, disks that are full, Ctrl-C, captures larger than memory."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from vedette.model import Detection, Frame, Threat
from vedette.model.lines import LineReader


def test_the_pipeline_from_the_shell(simulated: Path, tmp_path: Path, command_line) -> None:
    vedette = " ".join(f"'{part}'" for part in command_line)
    script = f"""
    set -e
    vedette() {{ {vedette} "$@"; }}
    vedette simulate desert-run -o case --start 1790000000 > written.jsonl
    vedette decode case/remote-id.pcap --sensor ridge-receiver > case/detections.jsonl
    vedette track case > frames.jsonl
    vedette assess case > threats.jsonl
    """
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stderr
    assert b"\r" not in done.stderr
    for name in ("remote-id.pcap", "detections.jsonl", "units.jsonl", "site.json", "sensors.json"):
        assert (tmp_path / "case" / name).read_bytes() == (simulated / name).read_bytes()
    for kind, name in (
        (Detection, "case/detections.jsonl"),
        (Frame, "frames.jsonl"),
        (Threat, "threats.jsonl"),
    ):
        reader = LineReader(kind, name)
        assert list(reader.read((tmp_path / name).read_bytes().splitlines()))
        assert not reader.unknown
    assert '"imminent"' in (tmp_path / "threats.jsonl").read_text()


def test_a_reader_that_leaves_early(simulated: Path, command_line) -> None:
    child = subprocess.Popen(
        [*command_line, "decode", *[str(simulated / "remote-id.pcap")] * 40],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    assert child.stdout.readline().startswith(b"{")
    child.stdout.close()
    said = child.stderr.read().decode()
    child.stderr.close()
    assert child.wait(60) == 1
    assert "Traceback" not in said
    assert "Exception ignored" not in said


def test_a_full_disk_behind_stdout(simulated: Path, command_line) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*command_line, "decode", str(simulated / "remote-id.pcap")],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.decode().splitlines()[-1] == "vedette: standard output: No space left on device"
    assert b"Traceback" not in done.stderr


def test_no_stdout_at_all(simulated: Path, command_line) -> None:
    vedette = " ".join(f"'{part}'" for part in command_line)
    script = f"{vedette} decode '{simulated / 'remote-id.pcap'}' >&-"
    done = subprocess.run(["sh", "-c", script], stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert b"standard output is closed" in done.stderr
    assert b"Traceback" not in done.stderr


def test_ctrl_c_while_decoding_a_pipe(tmp_path: Path, command_line) -> None:
    pipe = tmp_path / "live.pcap"
    os.mkfifo(pipe)
    child = subprocess.Popen(
        [*command_line, "decode", str(pipe)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with pipe.open("wb"):  # opens once the child reads
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert out == b""
    assert b"Traceback" not in err


def most_memory_kib(pid: int) -> int:
    """Of the program that runs now: wait4 would count what its parent, pytest, had when it forked."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def test_a_sparse_capture_of_two_gigabytes(simulated: Path, tmp_path: Path, command_line) -> None:
    """Records, then a hole of zeros, which are records of length 0 dated 1970."""
    path = tmp_path / "sparse.pcap"
    path.write_bytes((simulated / "remote-id.pcap").read_bytes())
    os.truncate(path, 2_100_000_000)
    child = subprocess.Popen(
        [*command_line, "decode", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stderr is not None
    expected = (simulated / "detections.jsonl").read_bytes().count(b"\n")
    lines = [child.stdout.readline() for _ in range(expected)]
    assert all(line.startswith(b"{") for line in lines)
    time.sleep(3.0)  # it is in the hole now
    most = most_memory_kib(child.pid)
    child.send_signal(signal.SIGINT)
    child.stdout.close()
    child.stderr.close()
    assert child.wait() == 130
    assert most < 500_000, f"{most} KiB"


def test_starting_needs_no_numerics(command_line) -> None:
    """`vedette run` settles where compiled kernels are kept before numba is there, and help comes at once."""
    check = "import sys, vedette.cli.main; sys.exit('numba' in sys.modules)"
    done = subprocess.run([*command_line[:2], check], check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("name", ["run", "doctor"])
def test_a_state_that_is_no_folder(program, tmp_path: Path, name: str) -> None:
    (tmp_path / "state").write_text("not a folder")
    (tmp_path / "vedette.toml").write_text(
        '[site]\nname = "Here"\nlat_deg = 1.0\nlon_deg = 2.0\nalt_m = 3.0\nalt_datum = "egm96"\n'
        '[console]\nlisten = ""\n'
    )
    said = program(name, "--config", "vedette.toml", folder=tmp_path)
    assert said.code == (64 if name == "run" else 1)
    assert "Traceback" not in said.err
    assert "state" in said.err + said.out.decode()
    assert (tmp_path / "state").read_text() == "not a folder"
