"""The outbox and the postman of a station in front of the radio: what they hold, and what goes on the air."""

import asyncio
import importlib.util
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType

import pytest

from vedette.station.outbox import Outbox
from vedette.station.peers import _lora_schedule
from vedette.station.peers._meshtastic_link import connect_tcp
from vedette.station.peers.meshtastic import MeshtasticPeer
from vedette.station.postman import Postman
from vedette.station.stages import Stages


def _load(name: str, folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"vedette_postman_test_{name}", folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__).resolve().parent
mesh = _load("mesh_node", HERE)
hubs = _load("feed_hub", HERE.parent)
until = hubs.until


class Station:
    """Outbox, postman, peer and node; receipts go where a station lets them go."""

    def __init__(self, folder: Path) -> None:
        self.node, self.hub, self.box = mesh.MeshNode(), hubs.FeedHub(), Outbox()
        self.gateway = mesh.Gateway()
        self.peer = MeshtasticPeer(
            "radio", mesh.TEAM, "the node", lambda: connect_tcp("127.0.0.1", self.node.port),
            folder / "alpha.counter", reconnect_s=(0.05, 0.1),
        )  # fmt: skip
        self.postman = Postman(self.box, self.hub.clock, (self.peer,), Stages(self.hub.clock.now))
        keep = self.hub.receipt

        def receipt(fact) -> None:
            keep(fact)
            self.box.fold(fact)

        self.hub.receipt = receipt

    def decide(self, message) -> None:
        self.box.fold(message)
        self.postman.wake()

    def facts(self, fact: str) -> list[tuple[str, int, str]]:
        return [(r.alert, r.revision, r.recipient) for r in self.hub.receipts if r.fact == fact]

    def waiting(self) -> int:
        return len(self.box.due("radio", self.hub.clock.now()))

    def run(self, story: Callable[[], Awaitable[None]]) -> None:
        async def main() -> None:
            await self.node.listen()
            work = [asyncio.create_task(self.peer.run(self.hub)), asyncio.create_task(self.postman.run())]
            try:
                await story()
            finally:
                for task in work:
                    task.cancel()
                await asyncio.gather(*work, return_exceptions=True)
                await self.node.close()

        asyncio.run(main())


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return Station(tmp_path)


def test_a_team_is_one_frame_and_as_many_receipts(station: Station) -> None:
    async def story() -> None:
        station.decide(mesh.deliver(mesh.alert(level="warning"), "LEAD", "UNIT-A", "UNIT-B", "ELSEWHERE"))
        await until(lambda: len(station.facts("accepted")) == 3, "three members")
        assert len(station.node.frames) == 1
        assert station.waiting() == 1, "who is no member waits for another way"

    station.run(story)


def test_nobody_is_forgotten_while_the_node_is_away(station: Station) -> None:
    async def story() -> None:
        await until(lambda: station.peer.reaches("UNIT-A"), "the node")
        station.node.result = None
        station.decide(mesh.deliver(mesh.alert()))
        await until(lambda: "down" in station.hub.states("radio"), "the node hangs")
        assert not station.facts("accepted")
        station.node.result = 0
        await until(lambda: bool(station.facts("accepted")), "told when it is back")
        heard = [station.gateway.hear(frame) for frame in station.node.frames]
        assert len({(said.alert, said.revision) for _, said in heard}) == 1, "the same id and revision"
        assert len({header.counter for header, _ in heard}) == len(heard)

    station.run(story)


def test_an_acknowledgement_by_radio_ends_it_in_the_outbox(station: Station) -> None:
    async def story() -> None:
        station.decide(mesh.deliver(mesh.alert()))
        await until(lambda: bool(station.node.frames), "the alert")
        station.node.from_mesh(station.gateway.say(station.gateway.hear(station.node.frames[0])[1]))
        await until(lambda: bool(station.facts("acknowledged")), "acknowledged")
        assert not station.box.entries

    station.run(story)


def test_an_escalation_goes_on_the_air_again(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_lora_schedule, "RESEND_S", 0.05)

    async def story() -> None:
        station.decide(mesh.deliver(mesh.alert(level="warning")))
        await until(lambda: len(station.facts("accepted")) == 1, "the alert")
        await asyncio.sleep(0.1)
        station.decide(mesh.deliver(mesh.alert(level="warning")))
        station.postman.wake()
        await until(lambda: len(station.node.frames) == 2, "again")

    station.run(story)


def test_only_the_newest_revision_goes_out_after_a_gap(station: Station) -> None:
    async def story() -> None:
        for revision in (1, 2, 3):
            station.box.fold(mesh.deliver(mesh.alert(level="warning", revision=revision)))
        await until(lambda: bool(station.facts("accepted")), "told")
        assert [station.gateway.hear(frame)[1].revision for frame in station.node.frames] == [3]

    station.run(story)
