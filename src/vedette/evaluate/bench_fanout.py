"""One alert to tens of thousands of phones: a real station, its gateway, and real WebSocket clients.

``vedette run`` runs in a process of its own with a log on the disk and two or more workers of its gateway;
phones are held by two or more client processes, from several addresses of this machine, because a process
holds 20,000 descriptors at most and an address 28,000 ports. A drone flies at one unit, nobody answers, and
the core escalates to everybody on the roster: that is the alert, decided, sealed and logged as any other.
Every phone acknowledges as soon as it has it.
"""

import asyncio
import contextlib
import json
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from vedette.evaluate.bench_latency import _dial, _drain, _free_port, _ready
from vedette.evaluate.fanout_client import Orders, Report
from vedette.simulate import emissions, synthetic_attack

Enrol = Callable[[Path, str, list[str], Path | None], list[str]]
"""(state folder, site, units, folder for TLS files) -> the session of each unit's phone. The accounts are the
station's affair, and who calls this brings them."""

SECONDS = 32.0
"""Of the drone's flight."""
ASKED_S = 2.0
"""Unanswered for so long, everybody is asked."""
WAIT_S = 60.0
SERVERS = 2
AN_ADDRESS = 5000
"""Phones that come from one address of this machine."""


def bench_fanout(
    enrol: Enrol, clients: int = 30_000, *, tls: bool = False, processes: int = 2
) -> dict[str, object]:
    """Milliseconds after the decision: ``first_ms``, p50, p99, ``last_ms`` delivery at a phone;
    ``all_acked_ms`` when the last acknowledgement had entered the station's record, ``all_told_ms`` when the
    last phone had read that it had."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ports = _free_port(socket.SOCK_DGRAM), _free_port(socket.SOCK_STREAM), _free_port(socket.SOCK_STREAM)
        site = _prepare(folder, clients, ports, tls)
        units = [f"U{number}" for number in range(clients)]
        sessions = enrol(folder / "state", site, units, folder if tls else None)
        reports = asyncio.run(_measure(folder, ports, sessions, processes, tls))
        return {"clients": clients, "tls": tls, "servers": SERVERS, **_figures(folder, clients, reports)}


def _prepare(folder: Path, clients: int, ports: tuple[int, int, int], tls: bool) -> str:
    """The configuration; the site's name."""
    scenario = synthetic_attack(SECONDS)
    site, (udp, cot, gate) = scenario.head.site, ports
    files = 'cert_file = "server.crt"\nkey_file = "server.key"\n' if tls else ""
    head = f"""
settings = {{warn = {{escalation = {{imminent = {_policy()}, warning = {_policy()}}}}}}}

[console]
listen = ""

[site]
name = "{site.name}"
lat_deg = {site.lat_deg}
lon_deg = {site.lon_deg}
alt_m = {site.alt_m}
alt_datum = "{site.alt_datum}"

[[feed]]
name = "receiver"
url = "odid+udp://127.0.0.1:{udp}"

[[feed]]
name = "phones"
url = "cot+tcp-listen://127.0.0.1:{cot}"
publish_tracks = false

[[feed]]
name = "gate"
url = "gateway://127.0.0.1:{gate}?workers={SERVERS}"
{files}
[[unit]]
unit = "unit-0000"
team = "post"
"""
    units = "".join(f'\n[[unit]]\nunit = "U{number}"\nteam = "field"\n' for number in range(clients))
    (folder / "vedette.toml").write_text(head + units)
    return site.name


def _policy() -> str:
    return f'{{again_s = 600.0, steps = [{{after_s = {ASKED_S}, to = "duty"}}]}}'


async def _measure(
    folder: Path, ports: tuple[int, int, int], sessions: list[str], processes: int, tls: bool
) -> list[Report]:
    """Run the station, connect everybody, let the drone come; what the phones saw."""
    station = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from vedette.cli.main import main; main()",
        "run",
        "--config",
        str(folder / "vedette.toml"),
        stderr=asyncio.subprocess.PIPE,
    )
    crowds: list[asyncio.subprocess.Process] = []
    try:
        stderr = await _ready(station)
        drain = asyncio.create_task(_drain(stderr))
        (await _dial(ports[2]))[1].close()
        crowds += await _crowds(ports[2], sessions, processes, tls, folder)
        await _attack(ports)
        reports = [await _told(crowd) for crowd in crowds]
        station.send_signal(signal.SIGTERM)
        await drain
        return reports
    finally:
        for process in (*crowds, station):
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in (*crowds, station):
            await process.wait()


async def _crowds(
    port: int, sessions: list[str], processes: int, tls: bool, folder: Path
) -> list[asyncio.subprocess.Process]:
    crowds = []
    for number in range(processes):
        mine = sessions[number::processes]
        count = -(-len(mine) // AN_ADDRESS)
        orders = Orders(
            url=f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/alerts",
            sessions=mine,
            addresses=[f"127.0.{number + 1}.{one + 1}" for one in range(count)],
            authority=str(folder / "state" / "access" / "authority" / "ca.crt") if tls else None,
        )
        crowd = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "vedette.evaluate.fanout_client",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=64 * 1024 * 1024,
        )
        assert crowd.stdin is not None
        crowd.stdin.write(msgspec.json.encode(orders) + b"\n")
        crowds.append(crowd)
    for crowd in crowds:
        assert crowd.stdout is not None
        if await crowd.stdout.readline() != b"ready\n":
            raise RuntimeError("the clients could not all connect")
    return crowds


async def _attack(ports: tuple[int, int, int]) -> None:
    """The drone comes, as datagrams of a receiver; the unit at risk reports by CoT."""
    scenario = synthetic_attack(SECONDS)
    reader, writer = await _dial(ports[1])
    listening = asyncio.create_task(_drain(reader))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for emission in emissions(scenario, time.time() + 0.5):
            await asyncio.sleep(max(0.0, emission.time - time.time()))
            if emission.channel == "cot":
                writer.write(emission.data)
            else:
                out.sendto(emission.data, ("127.0.0.1", ports[0]))
    writer.close()
    await listening


async def _told(crowd: asyncio.subprocess.Process) -> Report:
    assert crowd.stdin is not None
    assert crowd.stdout is not None
    crowd.stdin.write(b"report\n")
    async with asyncio.timeout(WAIT_S):
        return msgspec.json.decode(await crowd.stdout.readline(), type=Report)


def _figures(folder: Path, clients: int, reports: list[Report]) -> dict[str, object]:
    from vedette.model.event import Receipts
    from vedette.record import Keyring, Log

    state = folder / "state"
    moments = json.loads((state / "decided.json").read_bytes())
    decided = next((float(at) for _, at, count in moments if count >= clients), None)
    told = sorted(at for report in reports for at in report.told)
    taken = [at for report in reports for at in report.taken]
    if decided is None or not told:
        return {"told": len(told), "error": "the core never asked everybody: is the machine overloaded?"}
    answers: dict[str, float] = {}
    with Log.open(state / "events.log", Keyring(state / "keys"), readonly=True) as log:
        for event in log.events():
            if isinstance(event.body, Receipts):
                for receipt in event.body.receipts:
                    if receipt.fact == "acknowledged":
                        answers.setdefault(receipt.recipient, event.at)

    def after(at: float) -> float:
        return round(1000.0 * (at - decided), 2)

    return {
        "told": len(told),
        "first_ms": after(told[0]),
        "p50_ms": after(told[len(told) // 2]),
        "p99_ms": after(told[round(0.99 * (len(told) - 1))]),
        "last_ms": after(told[-1]),
        "acked": len(answers),
        "all_acked_ms": after(max(answers.values())) if answers else None,
        "confirmed": len(taken),
        "all_told_ms": after(max(taken)) if taken else None,
        "sounded_twice": sum(report.sounded_twice for report in reports),
        "lost": sum(report.lost for report in reports),
    }
