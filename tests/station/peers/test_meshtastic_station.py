"""The whole station as its users run it: sensor bytes in, an alert in the air for a team, an answer back."""

import asyncio
import importlib.util
from pathlib import Path
from types import ModuleType

from station_build import StationProcess, replay_is_equal

from vedette.model import Receipt
from vedette.model.event import Deliver
from vedette.station.peers._lora_words import reading, short_id
from vedette.wire.lora import RadioAlert


def _load(name: str, folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"vedette_station_test_{name}", folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__).resolve().parent
mesh = _load("mesh_node", HERE)
hubs = _load("feed_hub", HERE.parent)
PATROL = "VEDETTE-EXERCISE-BRAVO"
CONFIG = """
[site]
name = "Dry Wash (exercise)"
lat_deg = 31.45
lon_deg = -110.9
alt_m = 1150.0
alt_datum = "wgs84-ellipsoid"

[clock]
speed = 20.0

[console]
listen = "127.0.0.1:0"
demo_desk = true

[[feed]]
name = "exercise"
url = "sim:desert-run"

[[feed]]
name = "radio"
url = "meshtastic+tcp://127.0.0.1:{port}"
team_file = "alpha.toml"
"""


def test_a_drone_that_comes_is_told_by_radio(tmp_path: Path) -> None:
    mesh.write_team(tmp_path, member=f'[[member]]\nnumber = 2\nunit = "{PATROL}"')
    gateway = mesh.Gateway()

    async def story() -> list[bytes]:
        node = mesh.MeshNode()
        await node.listen()
        (tmp_path / "vedette.toml").write_text(CONFIG.format(port=node.port))
        station = StationProcess(tmp_path / "vedette.toml", tmp_path / "station.log")
        try:
            for _ in range(20_000):
                said = [gateway.hear(frame)[1] for frame in node.frames]
                grave = next((m for m in said if isinstance(m, RadioAlert) and m.level == "imminent"), None)
                if grave is not None or station.process.poll() is not None:
                    break
                await asyncio.sleep(0.02)
            assert grave is not None, station.said()
            node.from_mesh(gateway.say(grave, purpose="exercise"))
            node.from_mesh(gateway.say(grave, purpose="live"))
            await asyncio.sleep(1.0)
        finally:
            code = await asyncio.to_thread(station.stop)
            await node.close()
        assert code == 0, station.said()
        return node.frames

    frames = asyncio.run(story())
    heard = [gateway.hear(frame) for frame in frames]
    assert {header.purpose for header, _ in heard} == {"exercise"}
    assert len({header.counter for header, _ in heard}) == len(heard)

    events = replay_is_equal(tmp_path / "state")
    alerts = {
        (short_id(event.body.alert.alert), event.body.alert.revision): event.body.alert
        for event in events
        if isinstance(event.body, Deliver)
    }
    told = [said for _, said in heard if isinstance(said, RadioAlert)]
    assert told
    for said in told:
        assert said.subject == 2
        for language, marked in alerts[said.alert, said.revision].text.items():
            # By radio an exercise is one by its seal, and what reads it says so in its own words.
            text = marked.removeprefix({"en": "EXERCISE. ", "es": "EJERCICIO. "}[language])
            assert text != marked
            assert reading(said, "live", language).text == text
            assert reading(said, "exercise", language).text.endswith(f": {text}")

    receipts = [event.body for event in events if isinstance(event.body, Receipt)]
    by_radio = [receipt for receipt in receipts if receipt.channel == "radio"]
    assert {receipt.recipient for receipt in by_radio} == {PATROL}
    acknowledged = [receipt for receipt in by_radio if receipt.fact == "acknowledged"]
    assert [receipt.by for receipt in acknowledged] == ["LEAD"], "a live answer to an exercise is none"
