"""``vedette decode`` of recordings by their content, and of feeds by their scheme."""

import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from vedette.cli import recordings
from vedette.model import Detection, Position
from vedette.model.lines import dump_line
from vedette.station.config import FeedConfig
from vedette.station.peers import registry
from vedette.station.ports import Peer
from vedette.wire.adsb import BeastFrame, encode_beast

START = 1_790_000_000.0
BEAST = encode_beast(BeastFrame(123456, 80, bytes.fromhex("8d40621d58c382d690c8ac2863a7")))


def with_schemes(monkeypatch: pytest.MonkeyPatch, make: Callable[[FeedConfig], Peer], *schemes: str) -> None:
    """These schemes, also where the registry does not name them yet."""
    for scheme in schemes:
        if scheme not in registry.FACTORIES:
            monkeypatch.setitem(registry.FACTORIES, scheme, lambda feed, keys: make(feed))


@pytest.fixture
def adsb(monkeypatch: pytest.MonkeyPatch) -> None:
    from vedette.station.peers.adsb import adsb_peer

    with_schemes(monkeypatch, adsb_peer, "beast", "sbs", "aircraft")


@pytest.fixture
def asterix(monkeypatch: pytest.MonkeyPatch) -> None:
    from vedette.station.peers.asterix import asterix_peer

    with_schemes(monkeypatch, asterix_peer, "asterix+pcap")


def rows(out: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.splitlines()]


def icaos(found: list[dict[str, object]]) -> set[str]:
    return {row["claim"]["id"] for row in found if "claim" in row}  # type: ignore[index]


@pytest.mark.field
@pytest.mark.usefixtures("adsb")
def test_a_real_beast_file_and_the_same_sky_as_text(command, field_data: Path) -> None:
    folder = field_data / "protocols" / "adsb"
    seen = {}
    for name in ("ulss7_60s.beast", "ulss7_60s.sbs.txt", "ulss7_60s.dump1090-mutability.aircraft.json"):
        said = command("decode", folder / name, "--site", "59.5,31.5", "--sensor", "roof")
        assert said.code == 0, said.err
        found = rows(said.out)
        assert {row["sensor"] for row in found} == {"roof"}
        seen[name] = icaos(found)
    assert len(seen["ulss7_60s.beast"]) == 11
    assert seen["ulss7_60s.sbs.txt"] == seen["ulss7_60s.beast"]
    assert seen["ulss7_60s.dump1090-mutability.aircraft.json"] <= seen["ulss7_60s.beast"]
    assert len(seen["ulss7_60s.dump1090-mutability.aircraft.json"]) == 8


@pytest.mark.field
@pytest.mark.usefixtures("adsb")
def test_without_a_site_it_says_what_is_missing(command, field_data: Path) -> None:
    said = command("decode", field_data / "protocols" / "adsb" / "ulss7_60s.beast")
    assert (said.code, said.out) == (0, b"")
    assert "--site LAT,LON" in said.err


@pytest.mark.field
@pytest.mark.usefixtures("asterix")
def test_a_capture_of_a_radar(command, field_data: Path) -> None:
    said = command("decode", field_data / "protocols" / "asterix" / "cat_034_048.pcap")
    assert said.code == 0, said.err
    found = rows(said.out)
    assert found
    assert all(str(row["sensor"]).startswith("asterix-1") for row in found)
    times = [float(str(row["time"])) for row in found]
    assert 1_462_433_740.0 < min(times) <= max(times) < 1_462_433_760.0, "the recording's own times, of 2016"


def test_a_lines_file_by_its_content(command, tmp_path: Path) -> None:
    made = [
        Detection(time=START + second, sensor="s", measure=Position(lat_deg=47.0, lon_deg=8.0))
        for second in (0.0, 1.0, 3500.0)
    ]
    path = tmp_path / "anything.bin"
    path.write_bytes(b"".join(map(dump_line, made)))
    said = command("decode", path)
    assert said.code == 0, said.err
    assert [row["time"] for row in rows(said.out)] == pytest.approx([d.time for d in made], abs=1e-5)


@pytest.mark.usefixtures("adsb")
def test_a_beast_file_of_our_own(command, tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(BEAST * 5)
    said = command("decode", tmp_path / "b")
    assert said.code == 0, said.err
    assert "beast-1: ended" in said.err


def test_a_known_format_without_a_feed_for_it(command, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(recordings.READERS, "beast", recordings.Recording("not-installed"))
    (tmp_path / "b").write_bytes(BEAST * 5)
    said = command("decode", tmp_path / "b")
    assert said.code == 65
    assert "looks like Beast binary" in said.one_line()
    assert "no feed not-installed:" in said.err


@pytest.mark.field
def test_the_content_of_real_files(field_data: Path) -> None:
    folder = field_data / "protocols"
    kinds = {
        "adsb/ulss7_60s.beast": "beast",
        "adsb/ulss7_60s.sbs.txt": "sbs",
        "asterix/cat_034_048.pcap": "asterix-capture",
        "opendroneid/odid_wifi_sample.pcap": None,
        "opendroneid/odid_bt5_lr_sample.pcapng": None,
        "dji-droneid/mavic_multiple_spoofed.pcapng": None,
        "adsb/sample_data_adsb.csv": None,
    }
    assert {name: recordings.content_of(folder / name) for name in kinds} == kinds


@pytest.mark.field
def test_recordings_begin_at_their_own_time(field_data: Path) -> None:
    folder = field_data / "protocols"
    begins = recordings.begins(folder / "asterix" / "cat_034_048.pcap", "asterix-capture")
    assert time.gmtime(begins).tm_year == 2016
    assert time.gmtime(recordings.begins(folder / "adsb" / "ulss7_60s.sbs.txt", "sbs")).tm_year == 2018


@pytest.mark.parametrize(
    ("content", "text"),
    [("lines", b"{}\n[]\n"), ("sbs", b"MSG,3,,,40621D\n"), ("sbs", b"2018/99/99,12:00:00"), ("beast", BEAST),
     ("aircraft-json", b'{"now":null}'), ("lines", b'{"time":-7.0}\n'), ("lines", b'{"time":1e300}\n')],
)  # fmt: skip
def test_a_recording_that_states_no_time_begins_with_its_file(
    tmp_path: Path, content: str, text: bytes
) -> None:
    path = tmp_path / "x"
    path.write_bytes(text)
    assert recordings.begins(path, content) == path.stat().st_mtime


@pytest.mark.parametrize("site", ["here", "1", "1,2,3", "91,0", "0,181", "nan,0"])
def test_a_site_that_is_no_place(command, tmp_path: Path, site: str) -> None:
    said = command("decode", tmp_path / "none.beast", "--site", site)
    assert said.code == 64
    assert "--site" in said.one_line()


def test_a_feed_that_brings_no_detections(command) -> None:
    said = command("decode", "cot+tcp://127.0.0.1:1?tracks=0")
    assert said.code == 64
    assert "cot+tcp" in said.one_line()


def test_lines_by_udp_at_once() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = dump_line(Detection(time=time.time(), sensor="s", measure=Position(lat_deg=47.0, lon_deg=8.0)))
    over = threading.Event()

    def send() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not over.wait(0.05):
                sender.sendto(line, ("127.0.0.1", port))

    thread = threading.Thread(target=send)
    thread.start()
    try:
        lines = first_line(port)
    finally:
        over.set()
        thread.join()
    assert lines["sensor"] == "s"


def first_line(port: int) -> dict[str, object]:
    """What ``vedette decode`` of a live feed prints first; then it is stopped as a person would."""
    import signal
    import subprocess
    import sys

    command = [sys.executable, "-c", "from vedette.cli.main import main; main()", "decode"]
    with subprocess.Popen(
        [*command, f"lines+udp://127.0.0.1:{port}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        found: dict[str, object] = json.loads(child.stdout.readline())
        child.send_signal(signal.SIGINT)
        child.stdout.read()
        assert child.wait(60) == 0
    return found


def test_a_lines_feed_that_ends(program) -> None:
    line = dump_line(Detection(time=time.time(), sensor="s", measure=Position(lat_deg=47.0, lon_deg=8.0)))
    said = program("decode", "lines:-", stdin=line * 3)
    assert said.code == 0, said.err
    assert len(rows(said.out)) == 3
    assert "detections 3" in said.err


def test_a_recording_that_cannot_be_read_is_bad_input(command, tmp_path: Path) -> None:
    from vedette.cli.listen import listen
    from vedette.model import InputError

    with pytest.raises(InputError, match=r"missing\.jsonl"):
        listen(f"lines:{tmp_path / 'missing.jsonl'}", "s", recorded_from=START)
