"""Why do I see nothing? Each finding, with the fault that it is there for."""

import asyncio
import json
import os
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from station_build import SITE, START, StationProcess

from vedette.model import UnitReport
from vedette.simulate import load_builtin, to_files
from vedette.station.assemble import assemble
from vedette.station.config import ConsoleConfig, FeedConfig, StationConfig
from vedette.station.doctor import Finding, examine

NOBODY = 65_534


def findings(folder: Path, *feeds: str, listen: str = "", **keys: str) -> dict[str, Finding]:
    """What the doctor says of a site with these feeds, by what was looked at."""
    config = StationConfig(
        site=SITE,
        state=str(folder / "state"),
        console=ConsoleConfig(listen=listen),
        feed=tuple(FeedConfig(name=f"f{n}", url=url, **keys) for n, url in enumerate(feeds)),
    )
    found = {finding.check: finding for finding in examine(config)}
    for finding in found.values():
        assert finding.found
        assert finding.advice or finding.verdict != "bad", finding
        assert "\n" not in finding.found
    return found


@pytest.fixture(scope="module")
def capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("capture")
    to_files(load_builtin("hover-near"), START, lambda name: (folder / name).open("wb"))
    return folder / "remote-id.pcap"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A TCP port that answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server


def test_no_feed_is_bad(tmp_path: Path) -> None:
    found = findings(tmp_path)
    assert found["feeds"].verdict == "bad"
    assert "nothing is watched" in found["feeds"].found
    assert found["console"].verdict == "warning"
    assert found["disk"].verdict in ("good", "warning")
    assert "record" not in found
    assert not (tmp_path / "state").exists()


def test_folders_of_messages(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("x")
    names = ("there", "later/still", "file", "file/below")
    found = findings(tmp_path, *(f"cap:{tmp_path / name}?sender=a" for name in names))
    told = [(found[f"feed f{n}"].verdict, found[f"feed f{n}"].found) for n in range(len(names))]
    assert told[:2] == [
        ("good", "a folder for messages"),
        ("good", "a folder for messages, made when the station starts"),
    ]
    assert [verdict for verdict, _ in told[2:]] == ["bad", "bad"]
    assert not (tmp_path / "later").exists()


def test_captures(tmp_path: Path, capture: Path) -> None:
    (tmp_path / "empty.pcap").write_bytes(b"")
    (tmp_path / "none.pcap").write_bytes(capture.read_bytes()[:24])
    (tmp_path / "noise.pcap").write_bytes(b"noise" * 100)
    names = [
        capture,
        *(tmp_path / f"{name}.pcap" for name in ("empty", "none", "noise", "missing")),
        tmp_path,
    ]
    found = findings(tmp_path, *[f"odid+pcap:{name}" for name in names], "odid+pcap:")
    verdicts = [found[f"feed f{n}"].verdict for n in range(7)]
    assert verdicts == ["good", "bad", "good", "bad", "bad", "bad", "bad"]
    assert "link type" in found["feed f0"].found
    assert "without frames" in found["feed f2"].found
    assert "No such file" in found["feed f4"].found


def test_udp_ports_free_and_taken(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        found = findings(tmp_path, f"odid+udp://127.0.0.1:{port}", "odid+udp://203.0.113.9:4100")
        assert found["feed f0"].verdict == "bad"
        assert "another program" in found["feed f0"].advice
        assert found["feed f1"].verdict == "bad"
        assert "Cannot assign" in found["feed f1"].found
    found = findings(tmp_path, f"odid+udp://127.0.0.1:{port}")
    assert found["feed f0"].verdict == "good"


def test_listening_tak_ports_free_and_taken(tmp_path: Path, listener: socket.socket) -> None:
    url = f"cot+tcp-listen://127.0.0.1:{listener.getsockname()[1]}"
    assert findings(tmp_path, url)["feed f0"].verdict == "bad"
    listener.close()
    assert findings(tmp_path, url)["feed f0"].verdict == "good"


def test_tak_servers_that_answer_and_refuse(tmp_path: Path, listener: socket.socket) -> None:
    url = f"cot+tcp://127.0.0.1:{listener.getsockname()[1]}"
    assert findings(tmp_path, url)["feed f0"].verdict == "good"
    listener.close()
    refused = findings(tmp_path, url)["feed f0"]
    assert refused.verdict == "bad"
    assert refused.found == f"{url}: Connection refused"


def openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory, counterpart: Callable[[str], str]) -> Path:
    """Certificates by openssl: ``site`` and ``server`` of one authority, ``stranger`` of another."""
    counterpart("openssl")
    folder = tmp_path_factory.mktemp("authority")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    for name in ("ca", "other-ca"):
        openssl(
            folder,
            "req",
            "-x509",
            *key,
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.pem",
            "-subj",
            f"/CN={name}",
        )
    for name, ca in (("server", "ca"), ("site", "ca"), ("stranger", "other-ca")):
        openssl(
            folder, "req", "-x509", *key, "-keyout", f"{name}.key", "-out", f"{name}.pem",
            "-subj", f"/CN={name}", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key",
            "-addext", "subjectAltName=DNS:localhost",
            "-addext", "basicConstraints=critical,CA:FALSE",
        )  # fmt: skip
    return folder


@pytest.fixture
def tls_server(authority: Path) -> Iterator[int]:
    """A TLS server that wants a certificate of its authority: its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "server.pem", authority / "server.key")
    context.load_verify_locations(authority / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    loop = asyncio.new_event_loop()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read()
        except OSError:
            pass
        finally:
            writer.transport.abort()

    server = loop.run_until_complete(
        asyncio.start_server(talk, "localhost", 0, family=socket.AF_INET, ssl=context)
    )
    loop.set_exception_handler(lambda loop, what: None)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server.sockets[0].getsockname()[1]

    async def end() -> None:
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.05)

    asyncio.run_coroutine_threadsafe(end(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.mark.counterpart
@pytest.mark.parametrize(
    ("ca", "name", "verdict", "says"),
    [
        ("ca", "site", "good", "answers over TLS"),
        ("other-ca", "site", "bad", "TLS refused"),
        ("ca", "stranger", "bad", "TLS refused"),
    ],
    ids=["trusted", "we distrust the server", "the server distrusts us"],
)
def test_tls(
    authority: Path, tls_server: int, tmp_path: Path, ca: str, name: str, verdict: str, says: str
) -> None:
    keys = {"ca_file": ca + ".pem", "cert_file": name + ".pem", "key_file": name + ".key"}
    keys = {key: str(authority / file) for key, file in keys.items()}
    found = findings(tmp_path, f"cot+tls://localhost:{tls_server}", **keys)["feed f0"]
    assert (found.verdict, says in found.found) == (verdict, True), found


@pytest.mark.counterpart
def test_tls_files_that_are_not_there(authority: Path, tmp_path: Path) -> None:
    keys = {"ca_file": str(authority / "ca.pem"), "cert_file": "none.pem", "key_file": "none.key"}
    found = findings(tmp_path, "cot+tls://localhost:1", **keys)["feed f0"]
    assert found.verdict == "bad"
    assert "none.pem" in found.found


def test_a_state_that_cannot_be_written() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        root = os.geteuid() == 0
        if root:
            os.seteuid(NOBODY)
        try:
            found = findings(Path(folder) / "deep" / "er")
        finally:
            if root:
                os.seteuid(0)
            Path(folder).chmod(0o755)
    assert found["state"].verdict == "bad"
    assert "cannot be written" in found["state"].found


def test_a_state_that_is_a_file_or_below_one(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    assert findings(tmp_path)["state"].verdict == "bad"
    assert "is not a folder" in findings(tmp_path / "state")["state"].found


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A short log of a real station, closed: its path."""

    async def live() -> None:
        feed = FeedConfig(name="receiver", url="odid+udp://127.0.0.1:0")
        station = assemble(StationConfig(site=SITE, state=str(tmp_path / "state"), feed=(feed,)))
        running = asyncio.create_task(station.run())
        await asyncio.sleep(0.3)
        report = UnitReport(
            time=station.clock.now(), unit="u", lat_deg=31.0, lon_deg=-110.0, sigma_m=5.0, mobility="foot"
        )
        station.unit(report)
        await asyncio.sleep(0.3)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(live())
    return tmp_path / "state" / "events.log"


def test_records_good_altered_and_damaged(recorded: Path, tmp_path: Path) -> None:
    found = findings(tmp_path)["record"]
    assert found.verdict == "good"
    assert "chain unbroken" in found.found
    with sqlite3.connect(recorded) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE event SET body = X'7B5D' WHERE seq = 3")
    database.close()
    found = findings(tmp_path)["record"]
    assert found.verdict == "bad"
    assert "altered" in found.found
    for leftover in recorded.parent.glob("events.log-*"):
        leftover.unlink()
    recorded.write_bytes(b"not a log at all")
    assert findings(tmp_path)["record"].verdict == "bad"


def test_a_console_port_of_somebody_else(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        def answer() -> None:
            for _ in range(2):
                other, _ = taken.accept()
                other.sendall(b"220 this is a mail server\r\n")
                other.close()

        threading.Thread(target=answer, daemon=True).start()
        found = findings(tmp_path, listen=f"127.0.0.1:{taken.getsockname()[1]}")["console"]
    assert found.verdict == "bad"
    assert "not this station" in found.found


def test_a_running_station_is_asked_itself(tmp_path: Path) -> None:
    """Its ports are taken by itself: that is no fault, and it knows more than a look from outside."""
    with socket.socket() as probe, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        probe.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", 0))
        page, port = probe.getsockname()[1], udp.getsockname()[1]
    (tmp_path / "vedette.toml").write_text(
        f'[site]\nname = "Here"\nlat_deg = 31.45\nlon_deg = -110.9\nalt_m = 1150.0\nalt_datum = "egm96"\n'
        f'[console]\nlisten = "127.0.0.1:{page}"\n'
        f'[[feed]]\nname = "receiver"\nurl = "odid+udp://127.0.0.1:{port}"\n'
        f'[[feed]]\nname = "recorded"\nurl = "odid+pcap:missing.pcap"\n'
    )
    station = StationProcess(tmp_path / "vedette.toml", tmp_path / "station.log")
    doctor = [sys.executable, "-c", "from vedette.cli.main import main; main()", "doctor", "--json"]
    try:
        for _ in range(1200):
            if station.page() is not None or station.process.poll() is not None:
                break
            threading.Event().wait(0.05)
        assert station.page() is not None, station.said()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(os.urandom(60), ("127.0.0.1", port))
        threading.Event().wait(0.5)
        done = subprocess.run(doctor, cwd=tmp_path, capture_output=True, check=False)
    finally:
        code = station.stop()
    assert code == 0, station.said()
    told = {finding["check"]: finding for finding in map(json.loads, done.stdout.splitlines())}
    assert "a station runs there" in told["console"]["found"]
    assert told["feed receiver"]["verdict"] == "good"
    assert told["feed recorded"]["verdict"] == "bad"
    assert "missing.pcap: cannot be read" in told["feed recorded"]["found"]
    assert done.returncode == 1
    assert done.stderr == b""


def test_the_words_for_a_person(tmp_path: Path) -> None:
    (tmp_path / "vedette.toml").write_text(
        '[site]\nname = "Here"\nlat_deg = 1.0\nlon_deg = 2.0\nalt_m = 3.0\nalt_datum = "egm96"\n'
        '[console]\nlisten = ""\n[[feed]]\nname = "demo"\nurl = "sim:hover-near"\n'
    )
    doctor = [sys.executable, "-c", "from vedette.cli.main import main; main()", "doctor", "--listen", "0.5"]
    done = subprocess.run(doctor, cwd=tmp_path, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    assert "good    feed demo" in done.stdout
    assert "heard demo" in done.stdout
    assert "WARNING console: no console is configured" in done.stdout
