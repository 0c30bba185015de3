"""``vedette simulate --live`` as a program of its own, with somebody at the other end of every line."""

import json
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from vedette.cli import live
from vedette.cli.main import run_command
from vedette.model import ConfigError
from vedette.simulate import parse_scenario, wire_emissions
from vedette.wire import asterix
from vedette.wire.adsb import BeastBatcher, squitters
from vedette.wire.cot import CotEvent, CotSplitter
from vedette.wire.sapient import FrameSplitter, read_message, timestamp_s, validate

SCENARIO = """
[scenario]
name = "live"
seed = 3
duration_s = {duration_s}
[scenario.site]
name = "Test site"
lat_deg = 31.45
lon_deg = -110.9
alt_m = 1150.0
alt_datum = "wgs84-ellipsoid"
[[sensor]]
id = "radar"
model = "mesa-radar"
enu_m = [0.0, 0.0]
agl_m = 8.0
[[sensor]]
id = "df"
model = "rf-direction-finder"
enu_m = [0.0, 0.0]
agl_m = 8.0
[[sensor]]
id = "rid"
model = "remote-id-receiver"
enu_m = [0.0, 0.0]
agl_m = 8.0
[[sensor]]
id = "squitters"
model = "adsb-receiver"
enu_m = [0.0, 0.0]
agl_m = 8.0
[[actor]]
id = "bravo"
kind = "patrol"
path = [ {{ at_s = 0.0, enu_m = [0.0, 0.0] }} ]
cot = {{ uid = "UID-BRAVO", callsign = "Bravo", period_s = 0.5 }}
[[actor]]
id = "alpha"
kind = "fpv"
path = [ {{ at_s = 0.0, enu_m = [100.0, 400.0], agl_m = 60.0 }},
         {{ at_s = 20.0, enu_m = [100.0, 100.0], agl_m = 60.0 }} ]
remote_id = {{ serial = "1581FTEST", mac = "60:60:1f:aa:bb:cc", rate_hz = 5.0 }}
[[actor]]
id = "n123"
kind = "aircraft"
path = [ {{ at_s = 0.0, enu_m = [-900.0, 900.0], agl_m = 300.0 }},
         {{ at_s = 20.0, enu_m = [900.0, 900.0], agl_m = 300.0 }} ]
"""
UDP, TCP = ("asterix", "remote-id-wifi"), ("sapient", "adsb", "cot")


class OtherEnd:
    """Takes everything that comes on the lines. ``bytes``: one entry for each datagram or connection."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self.bytes: dict[str, list[bytearray]] = {line: [] for line in (*UDP, *TCP)}
        self.ports: dict[str, int] = {}
        self._open: list[socket.socket] = []
        for line in (*UDP, *TCP):
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if line in UDP else socket.SOCK_STREAM)
            one.bind(("127.0.0.1", 0))
            if line in TCP:
                one.listen()
            self.ports[line] = one.getsockname()[1]
            self._watch(one, line, None)

    @property
    def arguments(self) -> list[str]:
        """For ``--to``."""
        return [part for line, port in self.ports.items() for part in ("--to", f"{line}=127.0.0.1:{port}")]

    def take(self) -> None:
        """What has come by now, or comes within a moment."""
        for key, _ in self._selector.select(0.05):
            one: socket.socket = key.fileobj  # type: ignore[assignment]
            line, into = key.data
            if line in UDP:
                self.bytes[line].append(bytearray(one.recv(65_536)))
            elif into is None:
                self.bytes[line].append(bytearray())
                self._watch(one.accept()[0], line, self.bytes[line][-1])
            elif data := one.recv(65_536):
                into += data
            else:
                self._selector.unregister(one)

    def close(self) -> None:
        for one in self._open:
            one.close()
        self._selector.close()

    def _watch(self, one: socket.socket, line: str, into: bytearray | None) -> None:
        self._open.append(one)
        self._selector.register(one, selectors.EVENT_READ, (line, into))


@pytest.fixture
def other_end() -> Iterator[OtherEnd]:
    end = OtherEnd()
    yield end
    end.close()


def _start(folder: Path, other_end: OtherEnd, duration_s: float, *more: str) -> subprocess.Popen[str]:
    (folder / "live.toml").write_text(SCENARIO.format(duration_s=duration_s), encoding="utf-8")
    code = "from vedette.cli.main import main; main()"
    command = [sys.executable, "-c", code, "simulate", str(folder / "live.toml"), "--live"]
    return subprocess.Popen(
        [*command, *other_end.arguments, *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def _rows(text: str) -> dict[str, dict[str, object]]:
    return {row["line"]: row for row in map(json.loads, text.splitlines())}


def test_every_line_carries_its_format_to_whoever_listens(tmp_path: Path, other_end: OtherEnd) -> None:
    began = time.time()
    with _start(tmp_path, other_end, 6.0) as program:
        while program.poll() is None:
            other_end.take()
        for _ in range(5):
            other_end.take()
        out, said = program.communicate()
    assert program.returncode == 0, said
    rows = _rows(out)
    assert rows.keys() == {"asterix", "sapient", "adsb", "cot", "remote-id-wifi"}
    assert all(row["lost"] == 0 for row in rows.values()), rows
    assert 'url = "asterix+udp://127.0.0.1:' in said
    datagrams = [asterix.decode(bytes(data)) for data in other_end.bytes["asterix"]]
    assert len(datagrams) == rows["asterix"]["sent"] == 12
    assert not any(datagram.rejected for datagram in datagrams)
    (node,) = other_end.bytes["sapient"]
    messages = [read_message(body) for body in FrameSplitter().feed(bytes(node))]
    assert len(messages) == rows["sapient"]["sent"]
    assert not any(validate(message) for message in messages)
    assert messages[0].WhichOneof("content") == "registration"
    assert all(began < timestamp_s(message) < time.time() for message in messages), "it plays in our time"
    (receiver,) = other_end.bytes["adsb"]
    assert len(squitters(BeastBatcher().feed(bytes(receiver))).row) == rows["adsb"]["sent"]
    (phones,) = other_end.bytes["cot"]
    events = CotSplitter().feed(bytes(phones))
    assert len(events) == 12
    assert all(isinstance(event, CotEvent) for event in events)
    assert len(other_end.bytes["remote-id-wifi"]) == rows["remote-id-wifi"]["sent"]


def test_an_interrupt_ends_it_with_what_was_sent(tmp_path: Path, other_end: OtherEnd) -> None:
    with _start(tmp_path, other_end, 600.0, "--radars", "sapient") as program:
        while not any(b"df" in bytes(node) and len(node) > 400 for node in other_end.bytes["sapient"]):
            other_end.take()
            assert program.poll() is None
        program.send_signal(signal.SIGINT)
        out, said = program.communicate()
    assert program.returncode == 0
    assert "interrupted" in said
    assert "Traceback" not in said
    assert "asterix" not in _rows(out)
    assert _rows(out)["sapient"]["sent"] != 0


def test_nobody_there_is_counted_and_not_fatal(tmp_path: Path, other_end: OtherEnd) -> None:
    other_end.close()
    with _start(tmp_path, other_end, 3.0) as program:
        out, said = program.communicate()
    assert program.returncode == 0, said
    rows = _rows(out)
    assert rows["sapient"]["sent"] == 0
    assert rows["sapient"]["lost"] != 0


@pytest.mark.parametrize(("words", "said"), [
    (["x.toml"], "simulate needs a folder"),
    (["--live"], "plays one scenario"),
    (["desert-run", "--live", "--to", "telex=127.0.0.1:1"], "one of the lines asterix, sapient"),
    (["desert-run", "--live", "--to", "asterix=8600"], "HOST:PORT, such as 127.0.0.1:8600"),
    (["desert-run", "--live", "--radars", "morse"], "--radars morse: asterix or sapient"),
])  # fmt: skip
def test_a_wrong_command_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["simulate", *words]) == 64
    assert re.search(re.escape(said), capsys.readouterr().err)


def test_lines_are_those_that_the_scenario_can_need() -> None:
    scenario = parse_scenario(SCENARIO.format(duration_s=20.0))
    for radars in ("asterix", "sapient"):
        lines = live.lines_of(scenario, radars)
        assert {live.line_of(one) for one in wire_emissions(scenario, 1.8e9, radars)} == set(lines)


def test_a_scenario_that_sends_nothing_is_refused() -> None:
    text = SCENARIO.format(duration_s=5.0).split("[[sensor]]")[0]
    with pytest.raises(ConfigError, match="no sensor, receiver or phone"):
        live.play(parse_scenario(text), live.addresses([]), "asterix")
