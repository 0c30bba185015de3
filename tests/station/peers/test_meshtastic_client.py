"""Meshtastic's own client at the other end of our node: the framing and the messages are the real ones."""

import asyncio
import importlib.util
import json
import os
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from vedette.wire.meshtastic import BROADCAST, PRIVATE_APP
from vedette.wire.meshtastic.protobuf import embedded, number

ORACLE = Path(__file__).resolve().parents[2] / "wire" / "meshtastic_oracle.py"


def _load(name: str) -> ModuleType:
    path = Path(__file__).resolve().parent / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"vedette_client_test_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


mesh = _load("mesh_node")


@pytest.fixture
def library() -> str:
    """A Python with Meshtastic's own library (GPL-3: a process of its own), as in tests/wire."""
    if (named := os.environ.get("VEDETTE_MESHTASTIC_PYTHON")) is not None:
        return named
    program = shutil.which("meshtastic")
    first = Path(program).read_text().splitlines()[0] if program else ""
    if not first.startswith("#!"):
        pytest.skip(
            "Meshtastic's library is not installed: set VEDETTE_MESHTASTIC_PYTHON to a Python with it"
        )
    return first.removeprefix("#!").strip()


@pytest.mark.counterpart
def test_the_librarys_client_talks_to_the_node_of_our_tests(library: str) -> None:
    async def main() -> None:
        node = mesh.MeshNode()
        # The client wants to know one node at least: its own (NodeInfo.num), and a place (NodeInfo.position).
        node.config = (*node.config, embedded(4, number(1, mesh.NODE) + embedded(3, b"")))
        await node.listen()
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        client = await asyncio.create_subprocess_exec(
            library, str(ORACLE), "client", "127.0.0.1", str(node.port),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment,
        )  # fmt: skip
        try:
            assert client.stdout is not None
            async with asyncio.timeout(60):
                known = json.loads(await client.stdout.readline())
                while not node.frames:
                    await asyncio.sleep(0.05)
                node.from_mesh(b"\x00sealed\xff")
                heard = json.loads(await client.stdout.readline())
        finally:
            if client.returncode is None:
                client.kill()
            await client.communicate()
            await node.close()
        channels = known.pop("channels")
        assert known == {"node": mesh.NODE, "preset": "SHORT_FAST", "region": "EU_868"}
        assert (channels["0"], channels["1"]) == ([1, "", 1], [2, "alpha", 32])
        (packet,) = (packet for packet in node.heard if packet.port == PRIVATE_APP)
        assert (packet.payload, packet.to, packet.channel) == (b"from the library", BROADCAST, 1)
        assert packet.want_ack
        assert heard == {"heard": [b"\x00sealed\xff".hex()]}

    asyncio.run(main())
