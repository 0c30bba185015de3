"""The whole chain with a real drone's frames, and the station killed twice: nobody is forgotten, and nothing
that was acknowledged sounds again."""

import asyncio
import contextlib
import socket
import time
from pathlib import Path

from gateway_rig import Phone, officers, until
from station_build import StationProcess

from vedette.evaluate.bench_latency import _free_port
from vedette.record import verify
from vedette.simulate import Emission, emissions, synthetic_attack
from vedette.station.access import Doorkeeper
from vedette.wire.gateway import Ack, Hello, Taken

SCENARIO = synthetic_attack(32.0, unit="U0")


def configuration(udp: int, cot: int, gate: int) -> str:
    site = SCENARIO.head.site
    return f"""
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
url = "gateway://127.0.0.1:{gate}"

[[unit]]
unit = "U0"
channels = ["gate"]
"""


async def connect(gate: int, session: str, seen: tuple[tuple[str, int, int], ...] = ()) -> Phone:
    """As a phone does: again and again until the station is there."""
    end = time.monotonic() + 120.0
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            phone = await Phone.open(gate, Hello(v=1, session=session, seen=seen))
            if phone.welcomed:
                return phone
            await phone.close()
        await asyncio.sleep(0.2)
    raise AssertionError("the station never came up")


async def fly(udp: int, cot: int) -> None:
    """The drone comes, and the unit says where it is, whether or not anybody listens."""

    async def report(emission: Emission) -> None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", cot)
            writer.write(emission.data)
            writer.close()
            await writer.wait_closed()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for emission in emissions(SCENARIO, time.time() + 0.2):
            await asyncio.sleep(max(0.0, emission.time - time.time()))
            if emission.channel == "cot":
                await report(emission)
            else:
                out.sendto(emission.data, ("127.0.0.1", udp))


def test_killed_twice_while_a_drone_comes(tmp_path: Path) -> None:
    door = Doorkeeper(tmp_path / "state", "Load")
    session = officers(door, 1)["U0"]
    door.close()
    udp = _free_port(socket.SOCK_DGRAM)
    cot, gate = _free_port(socket.SOCK_STREAM), _free_port(socket.SOCK_STREAM)
    config = tmp_path / "vedette.toml"
    config.write_text(configuration(udp, cot, gate))

    def start() -> StationProcess:
        return StationProcess(config, tmp_path / "stderr")

    async def scene() -> None:
        station = start()
        phone = await connect(gate, session)
        flight = asyncio.create_task(fly(udp, cot))
        await until(lambda: any(one.level in ("warning", "imminent") for one in phone.alerts), "warned")
        told = phone.alerts[-1]
        station.kill()
        await until(lambda: phone.ended is not None, "the connection ends with the station")
        station = start()
        back = await connect(gate, session, ((told.id, told.rev, told.call),))
        await until(lambda: back.alerts, "told again")
        first = back.alerts[0]
        assert first.id == told.id
        assert first.rev >= told.rev
        assert first.again == ((first.rev, first.call) == (told.rev, told.call))
        last = back.alerts[-1]
        await back.say(Ack(last.id, last.rev, "acknowledged"))
        await until(lambda: any(isinstance(frame, Taken) for frame in back.read), "on the disk")
        station.kill()
        flight.cancel()
        await asyncio.gather(flight, return_exceptions=True)
        await until(lambda: back.ended is not None, "the connection ends with the station")
        station = start()
        third = await connect(gate, session, tuple((one.id, one.rev, one.call) for one in back.alerts))
        await asyncio.sleep(3.0)
        assert not [one for one in third.alerts if one.sound and one.rev <= last.rev]
        assert station.stop() == 0
        for one in (phone, back, third):
            await one.close()

    asyncio.run(scene())
    assert verify(tmp_path / "state" / "events.log").good
