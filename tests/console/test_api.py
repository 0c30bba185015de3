"""The routes, through a real uvicorn on loopback."""

import unicodedata

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.exceptions import HTTPException

from vedette.console.deeds import Answer, Deed, _is_plain, _read
from vedette.console.guard import SECURITY_HEADERS
from vedette.model.event import Action
from vedette.station.view import View

TURNS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
ACK = "/api/v1/alerts/a-1/acknowledge"


def test_the_view_is_the_stations_own(with_console):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.get("/api/v1/view")
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["cache-control"] == "no-store"
        assert msgspec.json.decode(answer.content, type=View) == desk.now

    with_console(scenario)


@pytest.mark.parametrize(("body", "value"), [(b"", None), (b"{}", None), (b'{"revision": 2}', "2")])
def test_an_acknowledgement_reaches_the_station_with_who_is_signed_in(with_console, body, value):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.post(ACK, content=body)
        assert answer.status_code == 202
        assert answer.json() == {"alert": "a-1", "actor": "demo-desk"}
        assert desk.actions == [
            Action(actor="demo-desk", action="acknowledge", via="demo", alert="a-1", value=value),
        ]

    with_console(scenario)


def test_an_unknown_alert_is_404_and_nothing_is_done(with_console):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.post("/api/v1/alerts/nope/acknowledge", json={})
        assert answer.status_code == 404
        assert answer.json()["detail"] == "There is no alert 'nope'."
        assert desk.actions == []

    with_console(scenario)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"\xff\xfe",
        b'{"revision": 0}',
        b'{"revision": "2"}',
        b'{"revision": 1.5}',
        b'{"revision": 1, "more": 1}',
        b'{"revision": ',
    ],
)
def test_a_bad_body_is_400_with_a_sentence(with_console, body):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.post(ACK, content=body)
        assert answer.status_code == 400
        assert "cannot be read" in answer.json()["detail"]
        assert desk.actions == []

    with_console(scenario)


@pytest.mark.parametrize("key", ["actor", "via", "by"])
@pytest.mark.parametrize("path", [ACK, "/api/v1/actions"])
def test_no_body_says_who_acts(with_console, path, key):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.post(path, json={"action": "acknowledge", "alert": "a-1", key: "Ruiz"})
        assert answer.status_code == 403
        assert "who acts is who is signed in" in answer.json()["detail"]
        assert desk.actions == []

    with_console(scenario)


def test_an_oversized_body_is_refused(with_console):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.post(ACK, json={"more": "x" * 20_000})
        assert answer.status_code == 413
        assert desk.actions == []

    with_console(scenario)


def test_what_the_station_refuses_is_400_in_its_own_words(with_console):
    async def scenario(desk, server):
        desk.refuses = True
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.post(ACK, json={})
        assert answer.status_code == 400
        assert answer.json()["detail"].startswith("the record takes nothing more")

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


@given(st.binary(max_size=200), st.sampled_from((Answer, Deed)))
def test_no_body_crashes_its_reader(body, kind):
    try:
        found = _read(body, kind)
    except HTTPException as error:
        found = error.status_code
    assert found == 400 or isinstance(found, kind)


@given(st.text(max_size=80))
def test_a_text_for_the_record_is_plain_or_refused(text):
    """Whatever turns the direction of writing, breaks a line or cannot be seen is refused."""
    disguised = any(unicodedata.category(c) in ("Cc", "Zl", "Zp") or c in TURNS for c in text)
    assert _is_plain(text) is not disguised


ACTIONS = "/api/v1/actions"


def test_an_action_reaches_the_station_as_it_was_said(with_console):
    said = {"action": "cancel", "alert": "a-1", "reason": "seen by eye", "for_s": 60.0}

    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.post(ACTIONS, json=said)
        assert answer.status_code == 202
        assert answer.json() == {"action": "cancel", "actor": "demo-desk"}
        assert desk.actions == [Action(actor="demo-desk", via="demo", **said)]

    with_console(scenario)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"alert": "nope"}, 404, "There is no alert 'nope'."),
        ({"alert": None}, 400, "'alert' is not given"),
        ({"reason": None}, 400, "'reason' is not given"),
        ({"reason": "a\u202eb"}, 400, "not printable"),
        ({"action": "fire"}, 400, "cannot be read"),
        ({"more": 1}, 400, "cannot be read"),
        ({"reason": "x" * 281}, 400, "cannot be read"),
        ({"for_s": -1.0}, 400, "'for_s' must be above 0"),
        ({"object_class": "tank"}, 400, "cannot be read"),
    ],
)
def test_an_action_that_lacks_something_is_told_what(with_console, change, code, words):
    said = {"action": "cancel", "alert": "a-1", "reason": "seen by eye", "for_s": 60.0}

    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.post(ACTIONS, json={**said, **change})
        assert answer.status_code == code
        assert words in answer.json()["detail"]
        assert desk.actions == []

    with_console(scenario)


@pytest.mark.parametrize(("level", "code"), [("imminent", 403), ("warning", 202)])
def test_imminent_is_never_shelved_and_may_be_unshelved(stage, with_console, level, code):
    async def scenario(desk, server):
        alert = msgspec.structs.replace(stage.ALERT, level=level)
        desk.now = stage.picture(alerts=(stage.shown(alert),))
        async with httpx.AsyncClient(base_url=server.url) as client:
            said = {"action": "shelve", "alert": "a-1", "reason": "a kite"}
            assert (await client.post(ACTIONS, json=said)).status_code == code
            back = await client.post(ACTIONS, json={"action": "unshelve", "alert": "a-1"})
        assert back.status_code == 202
        assert [action.action for action in desk.actions] == ["shelve", "unshelve"][code != 202 :]

    with_console(scenario)
