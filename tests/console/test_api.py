"""The routes, through a real uvicorn on loopback."""

import json

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.exceptions import HTTPException

from vedette.console.app import _actor
from vedette.console.guard import SECURITY_HEADERS
from vedette.model.event import Action
from vedette.station.view import View

ACK = "/api/v1/alerts/a-1/acknowledge"


def test_the_view_is_the_stations_own(with_console):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.get("/api/v1/view")
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert msgspec.json.decode(answer.content, type=View) == desk.now

    with_console(scenario)


def test_an_acknowledgement_reaches_the_station_with_its_actor(with_console):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.post(ACK, json={"actor": "  J. Ruiz "})
        assert answer.status_code == 202
        assert desk.actions == [
            Action(actor="J. Ruiz", action="acknowledge", via="console", alert="a-1"),
        ]

    with_console(scenario)


def test_an_unknown_alert_is_404_and_nothing_is_done(with_console):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.post("/api/v1/alerts/nope/acknowledge", json={"actor": "Ruiz"})
        assert answer.status_code == 404
        assert answer.json()["detail"] == "There is no alert 'nope'."
        assert desk.actions == []

    with_console(scenario)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff\xfe",
        b'{"actor": ""}',
        b'{"actor": "   "}',
        b'{"actor": null}',
        b'{"actor": 7}',
        b'{"actor": "a\\u0000b"}',
        b'{"actor": "Ruiz\\u202e"}',
        b'{"actor": "Ruiz", "more": 1}',
        json.dumps({"actor": "x" * 81}).encode(),
    ],
)
def test_a_bad_body_is_400_with_a_sentence(with_console, body):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.post(ACK, content=body)
        assert answer.status_code == 400
        assert "Send JSON" in answer.json()["detail"]
        assert desk.actions == []

    with_console(scenario)


def test_an_oversized_body_is_refused(with_console):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.post(ACK, json={"actor": "x" * 10_000})
        assert answer.status_code == 413
        assert desk.actions == []

    with_console(scenario)


def test_what_the_station_refuses_is_400_in_its_own_words(with_console):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.post(ACK, json={"actor": "Nobody"})
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith("actor Nobody: not on the roster")

    with_console(scenario)


def test_health_and_metrics(with_console):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            health, metrics = await client.get("/healthz"), await client.get("/metrics")
        assert health.json() == {"at": desk.now.at, "mode": "live", "record": "good"}
        assert metrics.content == b"vedette_up 1\n"
        assert metrics.headers["content-type"].startswith("text/plain; version=0.0.4")

    with_console(scenario)


@pytest.mark.parametrize(
    "path", ["/", "/static/app-ABCDEF12.mjs", "/api/v1/view", "/nope", "/static/nope.js"]
)
def test_every_answer_carries_the_security_headers(with_console, path):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.get(path)
        assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS

    with_console(scenario)


def test_the_policy_allows_no_foreign_source_and_no_inline_code():
    policy = SECURITY_HEADERS["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not any(word in policy for word in ("unsafe", "http", "*"))


@pytest.mark.parametrize("path", ["/schema", "/schema/openapi.json", "/schema/swagger", "/docs"])
def test_there_is_no_documentation_page_with_foreign_assets(with_console, path):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            assert (await client.get(path)).status_code == 404

    with_console(scenario)


@given(st.binary(max_size=200))
def test_no_body_crashes_the_reader_of_actors(body):
    try:
        outcome = _actor(body)
    except HTTPException as error:
        outcome = error.status_code
    assert outcome == 400 or (isinstance(outcome, str) and outcome == outcome.strip() != "")


@given(st.text(min_size=1, max_size=80))
def test_a_printable_name_is_kept_as_it_was_written(name):
    body = json.dumps({"actor": name}).encode("utf-8", "surrogatepass")
    try:
        actor = _actor(body)
    except HTTPException:
        assert not name.isprintable() or not name.strip()
    else:
        assert actor == name.strip()
