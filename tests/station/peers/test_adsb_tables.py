"""aircraft.json as a file and by HTTP: written anew, torn, stuck, damaged, huge, slow or somewhere else."""

import asyncio
import contextlib
import http.server
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from station_feed_hub import FeedHub, beside, until

from vedette.station.config import FeedConfig
from vedette.station.peers import adsb_table
from vedette.station.peers.adsb import adsb_peer
from vedette.station.peers.adsb_table import (
    Damaged,
    FileSource,
    HttpSource,
    Source,
    TablePeer,
    Unreadable,
)
from vedette.wire.adsb import AircraftTable

ENTRY = {"hex": "4b1812", "lat": 47.3, "lon": 8.6, "alt_baro": 5000, "seen_pos": 0.1, "mlat": [], "tisb": []}


def document(now: float | None = None, *entries: dict[str, object], messages: int = 1) -> bytes:
    now = time.time() if now is None else now
    return json.dumps({"now": now, "messages": messages, "aircraft": entries or (ENTRY,)}).encode()


def write(path: Path, data: bytes) -> None:
    """As receivers do: another file, renamed."""
    fresh = path.with_suffix(".tmp")
    fresh.write_bytes(data)
    fresh.replace(path)


def peer(source: Source, **options: Any) -> TablePeer:
    return TablePeer("sky", source, **({"period_s": 0.1, "again_s": (0.05, 0.2)} | options))


def positions(hub: FeedHub) -> list[float]:
    return [d.measure.lat_deg for d in hub.all()]  # type: ignore[union-attr]


# ---- a file


def test_a_file_is_read_when_it_is_written_anew(tmp_path: Path) -> None:
    hub, path = FeedHub(), tmp_path / "aircraft.json"

    async def then() -> None:
        await until(lambda: hub.states("sky").count("down") >= 2, "it is not there yet")
        assert "--write-json" in (hub.reason("sky") or "")
        for i in range(3):
            write(path, document(None, ENTRY | {"lat": 47.3 + 0.01 * i}))
            await until(lambda i=i: len(hub.all()) > i, "a detection")
            await asyncio.sleep(1.0)

    beside(peer(FileSource(tmp_path)).run(hub), then)
    assert positions(hub) == pytest.approx([47.3, 47.31, 47.32])
    assert hub.states("sky")[-1] == "watching"
    assert hub.live["sky"] == 3, "a sign of life for each table, not for each look at it"
    assert len(hub.sent["sky"]) == 3
    assert not hub.troubles
    detection = hub.all()[0]
    assert detection.received is not None
    assert 0.0 < detection.received - detection.time < 5.0


def test_the_scheme_of_a_file(tmp_path: Path) -> None:
    hub, path = FeedHub(), tmp_path / "aircraft.json"
    write(path, document())

    async def then() -> None:
        await until(lambda: bool(hub.all()), "a detection")

    beside(adsb_peer(FeedConfig(name="sky", url=f"aircraft:{path}?period_s=0.2")).run(hub), then)
    assert hub.reason("sky") == f"reading {path}"


@pytest.mark.parametrize("rewritten", [False, True])
def test_a_receiver_that_hangs_is_told(tmp_path: Path, rewritten: bool) -> None:
    """The file is left alone, or written again with the same time in it."""
    hub, path = FeedHub(), tmp_path / "aircraft.json"
    now = time.time()
    write(path, document(now))

    async def then() -> None:
        await until(lambda: bool(hub.all()), "a detection")
        while ("sky", "stuck") not in hub.troubles:
            if rewritten:
                write(path, document(now))
            await asyncio.sleep(0.02)
        assert "has not been rewritten for" in hub.troubles["sky", "stuck"]
        assert hub.live["sky"] == 1, "no sign of life"
        write(path, document())
        await until(lambda: not hub.troubles, "it is over")
        assert hub.live["sky"] == 2

    beside(peer(FileSource(path), stuck_s=0.4).run(hub), then)


def test_what_an_old_file_shows_is_not_taken_for_now(tmp_path: Path) -> None:
    """A receiver that died an hour ago left its last table behind."""
    hub, path = FeedHub(), tmp_path / "aircraft.json"
    write(path, document(time.time() - 3600.0))

    async def then() -> None:
        await until(lambda: ("sky", "stuck") in hub.troubles, "it is told")

    beside(peer(FileSource(path), stuck_s=0.4).run(hub), then)
    assert not hub.all()
    assert hub.live["sky"] == 0
    assert "watching" not in hub.states("sky")


def test_a_receiver_whose_clock_is_off_is_used_once_that_is_known(tmp_path: Path) -> None:
    hub, path = FeedHub(), tmp_path / "aircraft.json"

    async def then() -> None:
        for i in range(40):
            write(path, document(time.time() - 3600.0, ENTRY | {"lat": 47.3 + 0.001 * i}))
            await asyncio.sleep(0.1)
            if hub.all():
                break

    beside(peer(FileSource(path)).run(hub), then)
    detection = hub.all()[0]
    assert detection.received is not None
    assert 0.0 <= detection.received - detection.time < 30.0
    assert detection.sigma is not None
    assert detection.sigma.horizontal_m is not None
    assert detection.sigma.horizontal_m > 30.0, "a doubt of time is a doubt of place"
    assert hub.counts["sky", "clock-off"] >= 1


def test_an_absurd_clock_is_told(tmp_path: Path) -> None:
    hub, path = FeedHub(), tmp_path / "aircraft.json"

    async def then() -> None:
        while ("sky", "clock") not in hub.troubles:
            write(path, document(time.time() - 1e6))
            await asyncio.sleep(0.05)

    beside(peer(FileSource(path)).run(hub), then)
    assert not hub.all()
    assert hub.live["sky"] == 0
    assert hub.counts["sky", "time-absurd"] >= 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"not JSON", "not-json"), (b"[]", "aircraft"), (b'{"now": 1}', "aircraft"), (b"{" * 5000, "not-json")],
)
def test_what_is_no_table_is_put_aside(tmp_path: Path, data: bytes, reason: str) -> None:
    hub, path = FeedHub(), tmp_path / "aircraft.json"
    write(path, data)

    async def then() -> None:
        await until(lambda: hub.counts["sky", f"malformed: {reason}"] > 0, "it is put aside")
        assert reason in hub.troubles["sky", "damaged"]
        write(path, document())
        await until(lambda: bool(hub.all()), "the next one is read")
        assert not hub.troubles

    beside(peer(FileSource(path)).run(hub), then)


def test_a_damaged_entry_costs_only_itself(tmp_path: Path) -> None:
    hub, path = FeedHub(), tmp_path / "aircraft.json"
    write(path, document(None, ENTRY, ENTRY | {"hex": "x"}, ENTRY | {"hex": "4b1813", "lat": 95.0}))

    async def then() -> None:
        await until(lambda: bool(hub.all()), "the good one")

    beside(peer(FileSource(path)).run(hub), then)
    assert len(hub.all()) == 1
    assert hub.counts["sky", "malformed: hex"] == 1
    assert hub.counts["sky", "malformed: lat"] == 1


def test_a_torn_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, whole = tmp_path / "aircraft.json", document()
    path.write_bytes(whole[: len(whole) // 2])
    monkeypatch.setattr(adsb_table.time, "sleep", lambda _: path.write_bytes(whole))
    assert isinstance(FileSource(path).read(), AircraftTable)
    monkeypatch.setattr(adsb_table.time, "sleep", lambda _: None)
    path.write_bytes(whole[:-5])
    source = FileSource(path)
    with pytest.raises(Damaged):
        source.read()
    assert source.read() is None, "counted once, not at each look"


def test_a_huge_file_and_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adsb_table, "MOST_BYTES", 1000)
    path = tmp_path / "aircraft.json"
    path.write_bytes(document(None, *[ENTRY] * 100))
    with pytest.raises(Damaged, match="too-large"):
        FileSource(path).read()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Unreadable, match="is no file"):
        FileSource(tmp_path / "pipe").read()
    with pytest.raises(Unreadable, match="No such file"):
        FileSource(tmp_path / "none").read()


def test_a_receiver_without_an_antenna(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vedette.station.peers.adsb_feed.NO_MODE_S_S", 0.3)
    hub, path = FeedHub(), tmp_path / "aircraft.json"

    async def then() -> None:
        for _ in range(200):
            write(path, json.dumps({"now": time.time(), "messages": 7, "aircraft": []}).encode())
            await asyncio.sleep(0.05)
            if hub.troubles:
                break
        assert "antenna" in hub.troubles["sky", "no-mode-s"]
        assert hub.states("sky")[-1] == "watching"
        write(path, document(messages=8))
        await until(lambda: not hub.troubles, "it hears again")

    beside(peer(FileSource(path)).run(hub), then)


# ---- a web server

Answer = Callable[[http.server.BaseHTTPRequestHandler], None]


@contextlib.contextmanager
def web(answer: Answer) -> Iterator[tuple[int, list[str]]]:
    """(port, the paths that were asked for) of a server in a thread."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            with contextlib.suppress(OSError):
                answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_address[1], asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def send(body: bytes, status: int = 200, **headers: str) -> Answer:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def test_a_web_server_is_asked_each_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    hub = FeedHub()

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        send(document(None, ENTRY | {"lat": 47.3 + 1e-3 * (time.time() % 10)}))(request)

    with web(answer) as (port, asked):
        url = f"aircraft+http://127.0.0.1:{port}/data/aircraft.json?period_s=0.2"

        async def then() -> None:
            await until(lambda: len(hub.all()) >= 2, "two detections")

        beside(adsb_peer(FeedConfig(name="sky", url=url)).run(hub), then)
    assert set(asked) == {"/data/aircraft.json"}
    assert hub.states("sky") == ["connecting", "watching"]


def test_what_a_web_server_may_do_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adsb_table, "MOST_BYTES", 100_000)
    cases: list[tuple[Answer, type[Exception], str]] = [
        (send(b"gone", 404), Unreadable, "answers 404"),
        (send(b"", 302, Location="http://127.0.0.2:1/data"), Unreadable, "redirects to another host"),
        (send(b"", 302, Location="file:///etc/passwd"), Unreadable, "answers 302"),
        (send(b" " * 200_000), Damaged, "too-large"),
        (send(b"<html>"), Damaged, "not-json"),
        (lambda request: request.wfile.write(b"nonsense\r\n\r\n"), Unreadable, "is no HTTP"),
        (lambda request: None, Unreadable, "."),
    ]
    for answer, error, words in cases:
        with web(answer) as (port, _), pytest.raises(error, match=words):
            HttpSource(f"http://127.0.0.1:{port}/a.json", timeout_s=2.0).read()
    with pytest.raises(Unreadable, match="refused"):
        HttpSource("http://127.0.0.1:9/a.json", timeout_s=2.0).read()


def test_a_redirect_on_the_same_host_is_followed() -> None:
    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        if request.path == "/old":
            send(b"", 301, Location="/new")(request)
        else:
            send(document())(request)

    with web(answer) as (port, asked):
        assert HttpSource(f"http://127.0.0.1:{port}/old").read() is not None
    assert asked == ["/old", "/new"]


@pytest.mark.parametrize("head", [True, False])
def test_a_server_that_drips_is_given_up(head: bool) -> None:
    """A body that never ends costs its time; a head that never ends costs one thread and no more."""
    hub, gone = FeedHub(), threading.Event()

    def answer(request: http.server.BaseHTTPRequestHandler) -> None:
        if not head:
            request.send_response(200)
            request.end_headers()
        while not gone.is_set():
            request.wfile.write(b"H" if head else b" ")
            request.wfile.flush()
            time.sleep(0.05)

    with web(answer) as (port, asked):
        source = HttpSource(f"http://127.0.0.1:{port}/a.json", timeout_s=0.3)

        async def then() -> None:
            await until(lambda: hub.states("sky").count("down") >= 4, "it is told")
            if head:
                assert len(asked) == 1, "one thread waits, and no other is sent after it"

        try:
            beside(peer(source, most_s=0.5).run(hub), then)
        finally:
            gone.set()
    assert any("no answer in" in (reason or "") for _, state, reason in hub.feeds if state == "down")
    assert not hub.all()


def test_the_loop_may_close_while_a_server_is_slow() -> None:
    gone = threading.Event()
    hub = FeedHub()
    with web(lambda request: gone.wait(10) and None) as (port, asked):

        async def then() -> None:
            await until(lambda: bool(asked), "it is asked")

        beside(peer(HttpSource(f"http://127.0.0.1:{port}/a.json")).run(hub), then)
        gone.set()
    assert not hub.all()
