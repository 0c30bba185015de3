"""A doctor that listens: what real senders make it say of each feed, and what it advises."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec
import pytest
from station_build import SITE, START

from vedette.model import Bearing, Detection, Position, RangeBearing, SensorProfile, UnitReport
from vedette.model.detection import EmptyScan
from vedette.model.lines import dump_line
from vedette.simulate import emissions, load_builtin, to_files
from vedette.station.config import ConsoleConfig, FeedConfig, StationConfig
from vedette.station.doctor import Finding, examine
from vedette.station.doctor.ear import Ear
from vedette.station.doctor.judge import judge, told
from vedette.station.doctor.listen import Heard, disguised
from vedette.station.peers import registry
from vedette.station.view import FeedView
from vedette.wire.adsb import BeastFrame, SbsMessage, encode_beast, write_sbs
from vedette.wire.asterix import RadarService, encode
from vedette.wire.cot import CotEvent, CotSplitter, write_event

SECONDS = 1.0
PROGRAM = [sys.executable, "-c", "from vedette.cli.main import main; main()"]
BEAST = encode_beast(BeastFrame(123456, 80, bytes.fromhex("8d40621d58c382d690c8ac2863a7")))
SBS = write_sbs(SbsMessage(transmission=3, address=0x40621D, lat_deg=47.0, lon_deg=8.0)).encode() + b"\n"


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Diagnosis:
    """Findings by what they are about."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.all = list(findings)
        for finding in self.all:
            assert finding.found
            assert "\n" not in finding.found + finding.advice
            assert finding.advice or finding.verdict == "good" or finding.check == "console", finding

    def of(self, check: str) -> list[Finding]:
        return [finding for finding in self.all if finding.check == check]

    def one(self, check: str, part: str = "") -> Finding:
        found = [finding for finding in self.of(check) if part in finding.found]
        assert len(found) == 1, (check, part, self.of(check))
        return found[0]


def config(folder: Path, *feeds: FeedConfig, sensors: tuple[SensorProfile, ...] = ()) -> StationConfig:
    return StationConfig(
        site=SITE, state=str(folder / "state"), console=ConsoleConfig(listen=""), feed=feeds, sensor=sensors
    )


def feed(name: str, url: str, **keys: str) -> FeedConfig:
    return FeedConfig(name=name, url=url, **keys)


def diagnose(settled: StationConfig, seconds: float = SECONDS) -> Diagnosis:
    return Diagnosis(examine(settled, seconds))


@contextlib.contextmanager
def repeated(work: Callable[[], None], every_s: float = 0.03) -> Iterator[None]:
    """Do something again and again beside the doctor."""
    over = threading.Event()

    def go() -> None:
        while not over.wait(every_s):
            with contextlib.suppress(OSError):
                work()

    thread = threading.Thread(target=go)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextlib.contextmanager
def sending(port: int, make: Callable[[], Iterable[bytes]], every_s: float = 0.03) -> Iterator[None]:
    """Datagrams to a port of this machine, while the doctor listens."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:

        def work() -> None:
            for data in make():
                sender.sendto(data, ("127.0.0.1", port))

        with repeated(work, every_s):
            yield


def endless(frames: list[bytes]) -> Callable[[], list[bytes]]:
    """One frame after the other, from the beginning when all are sent."""
    at = 0

    def turn() -> list[bytes]:
        nonlocal at
        at += 1
        return [frames[at % len(frames)]]

    return turn


@pytest.fixture(scope="module")
def bluetooth() -> list[bytes]:
    found = (e.data for e in emissions(load_builtin("hover-near"), START) if e.link_type == 256)
    return [data for data, _ in zip(found, range(60), strict=False)]


@pytest.fixture(scope="module")
def wifi() -> list[bytes]:
    found = (e.data for e in emissions(load_builtin("desert-run"), START) if e.link_type == 127)
    return [data for data, _ in zip(found, range(60), strict=False)]


def line(sensor: str = "radar", behind_s: float = 0.0, measure: object = None, **keys: object) -> bytes:
    measure = measure or Position(lat_deg=SITE.lat_deg + 0.01, lon_deg=SITE.lon_deg)
    detection = Detection(time=time.time() - behind_s, sensor=sensor, measure=measure, **keys)  # type: ignore[arg-type]
    return dump_line(detection)


def radar(name: str) -> SensorProfile:
    return SensorProfile(
        id=name, type="radar-2d", lat_deg=31.45, lon_deg=-110.9, alt_m=1150.0, alt_datum="wgs84-ellipsoid",
        period_s=1.0, detection_probability=0.9,
    )  # fmt: skip


def test_remote_id_that_comes(tmp_path: Path, bluetooth: list[bytes]) -> None:
    port = free_port()
    with sending(port, endless(bluetooth)):
        said = diagnose(config(tmp_path, feed("mast", f"odid+udp://127.0.0.1:{port}?link=256")))
    found = said.one("heard mast", "detection")
    assert found.verdict == "good"
    for part in ("position", "sensor mast", "drone", "by their own claim", " away"):
        assert part in found.found
    assert "operator" not in found.found


def test_frames_of_another_link_type(tmp_path: Path, bluetooth: list[bytes]) -> None:
    port = free_port()
    with sending(port, endless(bluetooth)):
        said = diagnose(config(tmp_path, feed("mast", f"odid+udp://127.0.0.1:{port}?link=127")))
    found = said.one("heard mast", "link type 256")
    assert (found.verdict, found.advice) == ("bad", "write ?link=256 into its address")


MARK = bytes.fromhex("fa0bbc0d")
"""What a beacon's vendor element of Remote ID begins with."""


def _with_crc(frame: bytes) -> bytes:
    """A radiotap frame with its check sequence made right."""
    start = int.from_bytes(frame[2:4], "little")
    return frame[:-4] + zlib.crc32(frame[start:-4]).to_bytes(4, "little")


def test_frames_without_remote_id(tmp_path: Path, wifi: list[bytes]) -> None:
    """Beacons of bystanders, intact: the drone's identifier made into another vendor's."""
    strangers = [_with_crc(data.replace(MARK, b"\x00\x50\xf2\x01")) for data in wifi if MARK in data]
    assert strangers
    port = free_port()
    with sending(port, endless(strangers)):
        said = diagnose(config(tmp_path, feed("mast", f"odid+udp://127.0.0.1:{port}?link=127")))
    found = said.one("heard mast", "no Remote ID among them")
    assert found.verdict == "warning"
    assert "channel 6" in found.advice


@pytest.mark.field
def test_damaged_frames_only(tmp_path: Path, field_data: Path) -> None:
    from vedette.sense.remote_id import RemoteIdAdapter
    from vedette.wire.capture import FrameBatch, read_records

    def is_damaged(record: object) -> bool:
        adapter = RemoteIdAdapter("x")
        adapter.detections(FrameBatch.of([record]))  # type: ignore[list-item]
        return adapter.counts.get("bad-crc", 0) == 1

    capture = field_data / "protocols" / "opendroneid" / "odid_bt5_lr_sample.pcapng"
    damaged = [record.data for record in read_records(capture) if is_damaged(record)]
    assert damaged
    port = free_port()
    with sending(port, endless(damaged)):
        said = diagnose(config(tmp_path, feed("mast", f"odid+udp://127.0.0.1:{port}?link=272")))
    found = said.one("heard mast", "all of them damaged")
    assert found.verdict == "warning"
    assert "aerial" in found.advice
    assert "PHY" in found.advice


def test_nothing_comes(tmp_path: Path) -> None:
    ports = [free_port(), free_port(), free_port(socket.SOCK_STREAM)]
    said = diagnose(
        config(
            tmp_path,
            feed("mast", f"odid+udp://127.0.0.1:{ports[0]}"),
            feed("lines", f"lines+udp://0.0.0.0:{ports[1]}"),
            feed("push", f"lines+tcp-listen://127.0.0.1:{ports[2]}"),
        ),
        0.4,
    )
    assert "no packet came" in said.one("heard mast").found
    assert "this machine only" in said.one("heard mast").advice
    assert "firewall" in said.one("heard lines").advice
    assert "nobody connected" in said.one("heard push").found


@pytest.mark.parametrize(
    ("data", "looks", "advice"),
    [
        (BEAST * 3, "Beast binary", ""),
        (SBS, "SBS lines", ""),
        (encode([RadarService(sac=25, sic=12, message_type=1, time_of_day_s=3600.0)]), "ASTERIX", ""),
        (b"\x16\x03\x01\x00\xc2\x01\x00\x00\xbe\x03\x03" + bytes(180), "TLS", ""),
        (b'{"class":"TPV","mode":3}', "gpsd", "check what the other side sends"),
        (b"<event version='2.0' uid='x'/>", "Cursor on Target", "write cot+udp instead of lines+udp"),
    ],
)
def test_another_format_on_a_feed(tmp_path: Path, data: bytes, looks: str, advice: str) -> None:
    port = free_port()
    with sending(port, lambda: [data]):
        said = diagnose(config(tmp_path, feed("any", f"lines+udp://127.0.0.1:{port}")))
    found = said.one("heard any", "looks like")
    assert found.verdict == "bad"
    assert looks in found.found
    assert advice in found.advice


def test_beast_bytes_for_a_remote_id_receiver(tmp_path: Path) -> None:
    """The peer's counts say only "malformed": the bytes themselves say why."""
    port = free_port()
    with sending(port, lambda: [BEAST * 3]):
        said = diagnose(config(tmp_path, feed("mast", f"odid+udp://127.0.0.1:{port}?link=127")))
    assert (
        "Beast binary, the output of an ADS-B receiver on a feed for odid"
        in said.one("heard mast", "looks").found
    )


def test_lines_that_break_the_format(tmp_path: Path) -> None:
    port = free_port()
    with sending(port, lambda: [line().replace(b'"lat_deg":31', b'"lat_deg":131')]):
        said = diagnose(config(tmp_path, feed("any", f"lines+udp://127.0.0.1:{port}")))
    found = said.one("heard any")
    assert found.verdict == "bad"
    assert "nothing of it can be used" in found.found
    assert "malformed" in found.found
    assert "breaks the format" in found.advice


def test_a_sensor_that_is_not_allowed(tmp_path: Path) -> None:
    port = free_port()
    with sending(port, lambda: [line("intruder")]):
        said = diagnose(config(tmp_path, feed("any", f"lines+udp://127.0.0.1:{port}?sensor=radar")))
    assert "?sensor=" in said.one("heard any", "nothing of it can be used").advice


@pytest.mark.parametrize(
    ("behind_s", "words"),
    [
        (3.2, "3.2 s behind"),
        (-7.0, "7.0 s ahead"),
        (2 * 3600.0, "2 h behind"),
        (-5.5 * 3600.0, "5.5 h ahead"),
    ],
)
def test_a_clock_that_is_off(tmp_path: Path, behind_s: float, words: str) -> None:
    port = free_port()
    with sending(port, lambda: [line(behind_s=behind_s)]):
        said = diagnose(config(tmp_path, feed("any", f"lines+udp://127.0.0.1:{port}")))
    assert said.one("heard any", "detections in").verdict == "good"
    found = said.one("heard any", "clock")
    assert found.verdict == "warning"
    assert words in found.found
    assert "UTC" in found.advice if abs(behind_s) > 3600.0 else "chrony" in found.advice


def test_a_flood(tmp_path: Path) -> None:
    port = free_port()
    with sending(port, lambda: [b"\n".join([line().strip()] * 200)] * 30, every_s=0.02):
        said = diagnose(config(tmp_path, feed("any", f"lines+udp://127.0.0.1:{port}")), 3.0)
    found = said.one("heard any", "shed")
    assert found.verdict == "warning"
    assert "flood" in found.advice


@pytest.mark.parametrize(
    ("measure", "lost"),
    [
        (RangeBearing(range_m=900.0, azimuth_deg=10.0), True),
        (Bearing(azimuth_deg=10.0), True),
        (EmptyScan(), True),
        (Position(lat_deg=31.46, lon_deg=-110.9), False),
    ],
)
def test_sensors_that_nobody_placed(tmp_path: Path, measure: object, lost: bool) -> None:
    port = free_port()
    with sending(port, lambda: [line("unknown-radar", measure=measure), line("known", measure=measure)]):
        settled = config(tmp_path, feed("any", f"lines+udp://127.0.0.1:{port}"), sensors=(radar("known"),))
        said = diagnose(settled)
    found = [f for f in said.of("heard any") if "cannot be placed" in f.found]
    assert bool(found) == lost
    if lost:
        assert (found[0].verdict, "[[sensor]]" in found[0].advice) == ("bad", True)
        assert "unknown-radar" in found[0].found
        assert "known," not in found[0].found


def test_one_sensor_by_two_feeds_and_one_by_none(tmp_path: Path) -> None:
    one, two = free_port(), free_port()
    with sending(one, lambda: [line("radar")]), sending(two, lambda: [line("radar"), line("camera")]):
        said = diagnose(
            config(
                tmp_path,
                feed("a", f"lines+udp://127.0.0.1:{one}"),
                feed("b", f"lines+udp://127.0.0.1:{two}"),
                sensors=(radar("radar"), radar("mute")),
            )
        )
    assert said.one("sensors", "speaks through").found == "sensor radar speaks through the feeds a, b"
    assert said.one("sensors", "not heard").found == "configured and not heard: mute"


def test_a_detector_that_is_connected_to(tmp_path: Path) -> None:
    with serving(lambda: line(), repeat=True) as port:
        said = diagnose(config(tmp_path, feed("any", f"lines+tcp://127.0.0.1:{port}")))
    assert said.one("heard any", "detections in").verdict == "good"
    with serving(lambda: b"") as port:
        said = diagnose(config(tmp_path, feed("any", f"lines+tcp://127.0.0.1:{port}")), 0.5)
    assert "connected, and nothing was said" in said.one("heard any").found
    with serving(lambda: BEAST * 30) as port:
        said = diagnose(config(tmp_path, feed("any", f"lines+tcp://127.0.0.1:{port}")), 0.8)
    assert "Beast binary" in said.one("heard any").found


@contextlib.contextmanager
def serving(make: Callable[[], bytes], repeat: bool = False) -> Iterator[int]:
    """A TCP server that says something to all who connect, once or again and again."""
    over = threading.Event()

    def talk(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            client.sendall(make())
            while repeat and not over.wait(0.03):
                client.sendall(make())
            over.wait()

    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.05)
        talks: list[threading.Thread] = []

        def accept() -> None:
            while not over.is_set():
                with contextlib.suppress(TimeoutError):
                    client, _ = server.accept()
                    client.settimeout(None)
                    talks.append(threading.Thread(target=talk, args=(client,)))
                    talks[-1].start()

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            accepting.join()
            for thread in talks:
                thread.join()


def push(port: int, data: bytes) -> Callable[[], None]:
    def work() -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as client:
            client.sendall(data)
            client.settimeout(0.2)
            with contextlib.suppress(TimeoutError):
                client.recv(1)

    return work


def test_what_connects_to_a_listener(tmp_path: Path) -> None:
    port = free_port(socket.SOCK_STREAM)
    with repeated(push(port, b"\x1a3" + BEAST * 40)):
        said = diagnose(config(tmp_path, feed("any", f"lines+tcp-listen://127.0.0.1:{port}")))
    assert "Beast binary" in said.one("heard any").found


def phone(uid: str) -> bytes:
    now = time.time()
    return write_event(
        CotEvent(
            uid=uid, type="a-f-G-U-C", how="m-g", time=now, start=now, stale=now + 60.0, lat_deg=31.45,
            lon_deg=-110.9, ce_m=5.0, callsign=f"ALPHA-{uid}", endpoint="*:-1:stcp", team="Cyan",
            role="Team Member",
        )
    )  # fmt: skip


def test_phones_see_a_doctor_and_no_station(tmp_path: Path) -> None:
    port = free_port(socket.SOCK_STREAM)
    heard: list[CotEvent] = []

    def connect() -> None:
        splitter = CotSplitter()
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as client:
            client.sendall(phone("UID-A"))
            client.settimeout(0.3)
            with contextlib.suppress(TimeoutError):
                while data := client.recv(65536):
                    heard.extend(item for item in splitter.feed(data) if isinstance(item, CotEvent))

    with repeated(connect):
        said = diagnose(config(tmp_path, feed("phones", f"cot+tcp-listen://127.0.0.1:{port}")))
    found = said.one("heard phones", "unit")
    assert found.verdict == "good"
    assert "1 unit reported" in found.found
    assert "ALPHA" not in found.found
    shown = [event for event in heard if event.callsign is not None]
    assert shown
    assert {event.callsign for event in shown} == {"VEDETTE-DOCTOR"}
    assert all(event.uid.endswith("-DOCTOR") for event in shown)


def test_a_feed_that_is_half_rubbish(tmp_path: Path) -> None:
    port = free_port()
    with sending(port, lambda: [line(), b"{}", b"rubbish", b"more"]):
        said = diagnose(config(tmp_path, feed("any", f"lines+udp://127.0.0.1:{port}")), 1.5)
    assert said.one("heard any", "detections in").verdict == "good"
    found = said.one("heard any", "messages refused")
    assert (found.verdict, "format" in found.advice) == ("warning", True)


def test_the_doctor_shows_itself_under_another_name() -> None:
    tak = disguised(feed("tak", "cot+tls://tak.example:8089", callsign="OUTPOST"))
    assert (tak.name, tak.callsign, tak.publish_tracks) == ("tak-DOCTOR", "OUTPOST-DOCTOR", False)
    parent = disguised(
        feed(
            "up",
            "sapient+tcp://127.0.0.1:5020?name=HILL&node=3f1c2b1e-7a52-4c3d-9a57-0d8f5a7c1b2e&status_s=5",
        )
    )
    assert parent.url == "sapient+tcp://127.0.0.1:5020?status_s=5&name=HILL-DOCTOR"
    listener = feed("in", "sapient+tcp-listen://127.0.0.1:5020?node=3f1c2b1e-7a52-4c3d-9a57-0d8f5a7c1b2e")
    assert disguised(listener).url == listener.url
    assert disguised(feed("mast", "odid+udp://127.0.0.1:1")).name == "mast", "it may be its sensor's name"


def test_a_recorded_capture(tmp_path: Path) -> None:
    to_files(load_builtin("desert-run"), START, lambda name: (tmp_path / name).open("wb"))
    said = diagnose(config(tmp_path, feed("old", f"odid+pcap:{tmp_path / 'remote-id.pcap'}")), 0.3)
    assert "with Remote ID" in said.one("feed old").found
    assert said.one("feed old").verdict == "good"
    assert said.of("heard old")


def test_a_feed_that_cannot_be_listened_to_is_not_waited_for(tmp_path: Path) -> None:
    said = diagnose(config(tmp_path, feed("mast", "odid+udp://203.0.113.9:4100")), 60.0)
    assert said.one("feed mast").verdict == "bad"
    assert not said.of("heard mast")


def heard_of(ear: Ear, url: str, **keys: object) -> Heard:
    ear.close()
    return Heard(feed=feed(ear.feed_name, url), ear=ear, seconds=8.0, **keys)  # type: ignore[arg-type]


def an_ear(folder: Path, name: str = "node", senses: bool = True) -> Ear:
    return Ear(config(folder), name, name, senses)


@pytest.mark.parametrize(
    ("words", "advice"),
    [
        ("its messages are of icd_version 6, not BSI Flex 335 v2", "docs/feeds.md"),
        ("ASTERIX of an edition before the standard", "docs/feeds.md"),
        ("its registration was refused", "register"),
        ("no position reported yet", "place"),
        ("something that has no advice of its own", "log"),
    ],
)
def test_what_peers_find_wrong_is_told_with_advice(tmp_path: Path, words: str, advice: str) -> None:
    ear = an_ear(tmp_path)
    ear.feed("node", "watching")
    ear.heard("node/one", count=5)
    ear.feed("node/one", "watching")
    ear.trouble("node/one", "wrong", words)
    said = Diagnosis(judge(config(tmp_path), [heard_of(ear, "lines:-")]))
    found = said.one("heard node/one", words)
    assert (found.verdict, advice in found.advice) == ("warning", True), found
    assert said.one("heard node").verdict == "good"
    assert "sees nothing now" in said.one("heard node").found


def test_a_part_that_is_down_and_a_peer_that_failed(tmp_path: Path) -> None:
    ear = an_ear(tmp_path)
    ear.feed("node", "watching")
    ear.heard("node", count=3)
    ear.feed("node/one", "down", "no status for 12 s (registered: every 5 s)")
    said = Diagnosis(judge(config(tmp_path), [heard_of(ear, "lines:-")]))
    assert said.one("heard node/one").verdict == "bad"
    failed = heard_of(an_ear(tmp_path), "lines:-", failed="KeyError: 'x'")
    said = Diagnosis(judge(config(tmp_path), [failed]))
    assert "fault of the program" in said.one("heard node").advice


def test_a_sensor_that_registers_itself_is_placed(tmp_path: Path) -> None:
    ear = an_ear(tmp_path)
    ear.sensor("node", radar("self"))
    plot = Detection(time=1.0, sensor="self", measure=RangeBearing(range_m=2500.0, azimuth_deg=1.0))
    ear.detections("node", [plot])
    said = Diagnosis(judge(config(tmp_path), [heard_of(ear, "lines:-")]))
    assert len(said.of("heard node")) == 1
    assert "2.5 km away" in said.one("heard node").found


def test_an_ear_keeps_no_people(tmp_path: Path) -> None:
    ear = an_ear(tmp_path, senses=False)
    for number in range(3000):
        ear.unit(
            UnitReport(time=1.0, unit=f"u{number}", lat_deg=1.0, lon_deg=2.0, sigma_m=5.0, mobility="foot")
        )
        ear.detections("node", [Detection(time=1.0, sensor=f"s{number}", measure=EmptyScan())])
        ear.quarantine("node", f"reason {number}", b"\x00" * 50)
    assert len(ear.units) <= 1000
    assert len(ear.sensors) <= 1000
    assert len(ear.views()[0].quarantined) <= 60
    assert ear.alerts() == ()
    assert ear.alert("any") is None
    assert ear.picture().tracks == ()


def write_toml(folder: Path, *feeds: tuple[str, str]) -> None:
    text = '[site]\nname = "Here"\nlat_deg = 31.45\nlon_deg = -110.9\nalt_m = 1150.0\nalt_datum = "egm96"\n'
    text += '[console]\nlisten = ""\n'
    text += "".join(f'[[feed]]\nname = "{name}"\nurl = "{url}"\n' for name, url in feeds)
    (folder / "vedette.toml").write_text(text)


def test_interrupted_it_says_what_it_knows(tmp_path: Path) -> None:
    port = free_port()
    write_toml(tmp_path, ("any", f"lines+udp://127.0.0.1:{port}"))
    with sending(port, lambda: [line()]):
        doctor = subprocess.Popen(
            [*PROGRAM, "doctor", "--listen", "500", "--json"], cwd=tmp_path, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        assert doctor.stdout is not None
        said = []
        for raw in doctor.stdout:
            said.append(json.loads(raw))
            if said[-1]["check"] == "feed any":
                threading.Timer(1.5, doctor.send_signal, (signal.SIGINT,)).start()
        code = doctor.wait(120)
        assert doctor.stderr is not None
        errors = doctor.stderr.read()
        doctor.stdout.close()
        doctor.stderr.close()
    assert (code, errors) == (0, b"")
    heard = [finding for finding in said if finding["check"] == "heard any"]
    assert "detections in" in heard[0]["found"]


def test_a_bad_finding_is_exit_1_and_looking_alone_is_fast(tmp_path: Path) -> None:
    port = free_port()
    write_toml(tmp_path, ("any", f"lines+udp://127.0.0.1:{port}"))
    with sending(port, lambda: [BEAST]):
        for seconds, code, heard in (("1", 1, True), ("0", 0, False)):
            done = subprocess.run(
                [*PROGRAM, "doctor", "--listen", seconds],
                cwd=tmp_path,
                capture_output=True,
                check=False,
                text=True,
            )
            assert done.returncode == code, done
            assert ("heard any" in done.stdout) == heard
            assert done.stderr == ""


def test_feeds_of_other_packages_are_listened_to_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        senses = ("third",)

        def __init__(self, name: str) -> None:
            self.name = name

        async def run(self, hub: object) -> None:
            await asyncio.sleep(0)
            raise KeyError("left out")

    monkeypatch.setitem(registry.FACTORIES, "third+party", lambda feed, keys: Broken(feed.name))  # type: ignore[arg-type]
    said = diagnose(config(tmp_path, feed("third", "third+party:x")), 0.3)
    assert "its part of the program failed: KeyError: 'left out'" in said.one("heard third").found


def with_feeds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The feeds of radars and aircraft, also where the registry does not name them yet."""
    from vedette.station.peers.adsb import SCHEMES, adsb_peer
    from vedette.station.peers.asterix import asterix_peer

    for scheme in SCHEMES:
        if scheme not in registry.FACTORIES:
            monkeypatch.setitem(registry.FACTORIES, scheme, lambda feed, keys: adsb_peer(feed))
    for scheme in ("asterix+udp", "asterix+pcap"):
        if scheme not in registry.FACTORIES:
            monkeypatch.setitem(registry.FACTORIES, scheme, lambda feed, keys: asterix_peer(feed))


def test_sbs_on_a_beast_feed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with_feeds(monkeypatch)
    with serving(lambda: SBS * 20, repeat=True) as port:
        said = diagnose(config(tmp_path, feed("roof", f"beast+tcp://127.0.0.1:{port}")), 2.0)
    found = said.one("heard roof", "looks like")
    assert found.verdict == "bad"
    assert "SBS lines, the text output of an ADS-B receiver on a feed for beast" in found.found
    assert found.advice.startswith("write sbs+tcp instead of beast+tcp")


@pytest.mark.field
def test_a_real_radar_by_udp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field_data: Path) -> None:
    with_feeds(monkeypatch)
    from vedette.wire.capture import read_records
    from vedette.wire.udp import udp_datagram

    def datagrams(name: str) -> list[bytes]:
        records = read_records(field_data / "protocols" / "asterix" / name)
        return [udp_datagram(record.data, record.link_type).payload for record in records]

    port = free_port()
    settled = config(tmp_path, feed("radar", f"asterix+udp://127.0.0.1:{port}"))
    with sending(port, endless(datagrams("cat_034_048.pcap")), every_s=0.01):
        said = diagnose(settled, 3.0)
    good = said.one("heard radar", "detections in")
    assert (good.verdict, "range-bearing" in good.found) == ("good", True)
    assert said.one("heard radar", "cannot be placed").verdict == "bad"
    with sending(port, endless(datagrams("asterix.pcap")), every_s=0.01):
        said = diagnose(settled, 3.0)
    assert any(finding.verdict != "good" for finding in said.of("heard radar")), "a pre-standard edition"
    assert not any("detections in" in finding.found for finding in said.of("heard radar"))


def test_remote_id_from_beyond_what_a_receiver_hears(tmp_path: Path) -> None:
    for north_deg, said_far in ((0.01, False), (9.0, True)):
        ear = an_ear(tmp_path, "rid")
        where = Position(lat_deg=SITE.lat_deg + north_deg, lon_deg=SITE.lon_deg)
        ear.detections("rid", [Detection(time=1.0, sensor="rid", measure=where)])
        said = Diagnosis(judge(config(tmp_path), [heard_of(ear, "odid+udp://127.0.0.1:4041")]))
        far = [
            finding for finding in said.of("heard rid") if "farther than a receiver hears" in finding.found
        ]
        assert [finding.verdict for finding in far] == ["warning"] * said_far


def test_the_parts_of_a_recording_that_has_ended_are_no_findings(tmp_path: Path) -> None:
    for state, findings in (("ended", 0), ("watching", 1)):
        ear = an_ear(tmp_path, "radar")
        ear.detections(
            "radar/1", [Detection(time=1.0, sensor="s", measure=Position(lat_deg=1.0, lon_deg=2.0))]
        )
        ear.feed("radar/1", "ended", "the capture has ended")
        ear.feed("radar", state, "the capture has ended")  # type: ignore[arg-type]
        said = Diagnosis(judge(config(tmp_path), [heard_of(ear, "asterix+pcap:x")]))
        assert len(said.of("heard radar/1")) == findings


def test_a_parent_reports_no_people_and_a_server_does(tmp_path: Path) -> None:
    for url, people in (("sapient+tcp://h:1", False), ("cot+tls://h:1", True)):
        ear = an_ear(tmp_path, "other", senses=False)
        ear.feed("other", "watching", "connected")
        said = Diagnosis(judge(config(tmp_path), [heard_of(ear, url)]))
        assert ("units reported" in said.one("heard other").found) is people


def test_a_height_that_needs_the_geoid_says_what_to_write(tmp_path: Path) -> None:
    ear = an_ear(tmp_path)
    ear.feed("node", "watching")
    ear.trouble("node", "height", "its height does not fit the site's: give the site its geoid_height_m")
    said = Diagnosis(judge(config(tmp_path), [heard_of(ear, "sapient+tcp-listen://127.0.0.1:1")]))
    assert "under [site]" in said.one("heard node", "its height").advice
    for changes, warned in (({}, False), ({"alt_datum": "egm96"}, True), ({"geoid_height_m": 2.0}, False)):
        settled = config(tmp_path, feed("f", "sim:desert-run"))
        site = msgspec.structs.replace(SITE, **{"alt_datum": "wgs84-ellipsoid", **changes})
        said = diagnose(msgspec.structs.replace(settled, site=site), 0.0)
        assert [finding.verdict for finding in said.of("site")] == ["warning"] * warned


def test_files_that_are_missing_or_of_another_format(tmp_path: Path) -> None:
    (tmp_path / "aircraft.beast").write_bytes(BEAST * 50)
    for url, found, advice in (
        (f"beast:{tmp_path}/none", "No such file", "the configuration file"),
        (f"asterix+pcap:{tmp_path}/none", "No such file", "the configuration file"),
        (f"sbs:{tmp_path}/aircraft.beast", "looks like Beast", "write beast: instead of sbs:"),
    ):
        said = diagnose(config(tmp_path, feed("f", url)), 0.0).one("feed f")
        assert said.verdict == "bad"
        assert found in said.found
        assert advice in said.advice


def test_a_running_station_s_feed_is_told_with_the_one_thing_that_is_wrong() -> None:
    words = "its clock is 3.2 s ahead"
    view = FeedView(
        feed="n", state="degraded", since=START, detections=1, quarantined={}, senses=True, reason=words,
        troubles=(words,),
    )  # fmt: skip
    said = told(view)
    assert words in said.found
    assert "clock" in said.advice
