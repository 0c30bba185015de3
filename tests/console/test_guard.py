"""Who is refused: DNS rebinding, cross-site requests, and any bind that is not this machine's own."""

import asyncio
import socket

import httpx
import pytest
import websockets

from vedette.console import DemoEntrance, create_app, serve
from vedette.model import ConfigError

ACK = "/api/v1/alerts/a-1/acknowledge"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost:1", "", "localhost.evil:{port}"]
)
def test_a_foreign_host_header_is_refused(with_console, host):
    async def scenario(desk, server):
        headers = {"host": host.format(port=server.port)}
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.get("/api/v1/view", headers=headers)
        assert answer.status_code == 403
        assert "Post 7" not in answer.text

    with_console(scenario)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_its_own_names_are_served(with_console, name):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.get("/api/v1/view", headers={"host": f"{name}:{server.port}"})
        assert answer.status_code == 200

    with_console(scenario)


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1"]
)
def test_a_post_from_another_page_is_refused(with_console, origin):
    async def scenario(desk, server):
        headers = {"origin": origin.format(port=server.port)}
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.post(ACK, json={}, headers=headers)
        assert answer.status_code == 403
        assert desk.actions == []

    with_console(scenario)


def test_a_post_from_its_own_page_is_taken(with_console):
    async def scenario(desk, server):
        headers = {"origin": server.url.rstrip("/")}
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.post(ACK, json={}, headers=headers)
        assert answer.status_code == 202

    with_console(scenario)


def test_a_websocket_from_another_page_never_opens(with_console):
    async def scenario(desk, server):
        address = f"ws://127.0.0.1:{server.port}/api/v1/live"
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(address, origin="http://evil.example")
        assert refused.value.response.status_code == 403
        async with websockets.connect(address, origin=f"http://127.0.0.1:{server.port}") as socket_:
            assert "Post 7" in str(await socket_.recv())

    with_console(scenario)


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("0.0.0.0", "without TLS the console listens on this machine only"),
        ("::", "without TLS"),
        ("192.0.2.1", "without TLS"),
        ("example.org", "no address"),
        ("", "no address"),
        ("127.0.0.1.evil.example", "no address"),
    ],
)
def test_without_tls_it_listens_on_this_machine_only(with_console, host, words):
    async def scenario(desk, server):
        with pytest.raises(ConfigError, match=words):
            await serve(create_app(desk, DemoEntrance(), assets={}), host, 0)

    with_console(scenario)


def test_a_port_in_use_is_said_in_words(with_console):
    async def scenario(desk, server):
        with pytest.raises(ConfigError, match="choose another port"):
            await serve(create_app(desk, DemoEntrance(), assets={}), "127.0.0.1", server.port)

    with_console(scenario)


def test_the_port_is_free_again_after_stop(desk):
    async def main():
        server = await serve(create_app(desk, DemoEntrance(), assets={}), "localhost", 0)
        await server.stop()
        return server.port

    port = asyncio.run(main())
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
