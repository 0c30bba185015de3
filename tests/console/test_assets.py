"""The built page as it is sent."""

import asyncio

import httpx
import pytest

from vedette.console.assets import IMMUTABLE, NOT_BUILT, REVALIDATE, load


def _build(folder):
    files = {
        "index.html": b"<!doctype html>",
        "app-0A1B2C3D.mjs": b"export {}",
        "world-0A1B2C3D.json": b"{}",
        "app.mjs.map": b"{}",
        "notes.py": b"secret",
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "deeper").mkdir()
    return load(folder)


def test_only_known_kinds_are_served_and_no_source_map(tmp_path):
    assert sorted(_build(tmp_path)) == ["app-0A1B2C3D.mjs", "index.html", "world-0A1B2C3D.json"]


def test_a_hashed_name_is_immutable_and_the_page_is_not(tmp_path):
    assets = _build(tmp_path)
    assert assets["app-0A1B2C3D.mjs"].cache_control == IMMUTABLE
    assert assets["index.html"].cache_control == REVALIDATE


def test_a_module_is_sent_as_javascript(stage, desk, tmp_path):
    async def main():
        async with (
            stage.running(desk, _build(tmp_path)) as server,
            httpx.AsyncClient(base_url=server.url) as client,
        ):
            return await client.get("/static/app-0A1B2C3D.mjs")

    answer = asyncio.run(main())
    assert answer.headers["content-type"].split(";")[0] == "text/javascript"
    assert answer.headers["cache-control"] == IMMUTABLE
    assert answer.content == b"export {}"


@pytest.mark.parametrize(
    "path",
    ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static/notes.py", "/static/"],
)
def test_nothing_but_the_page_can_be_fetched(with_console, path):
    async def scenario(desk, server):
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.get(path)
        assert answer.status_code == 404

    with_console(scenario)


def test_without_a_page_it_says_how_to_build_it(stage, desk, tmp_path):
    async def main():
        async with (
            stage.running(desk, load(tmp_path / "absent")) as server,
            httpx.AsyncClient(base_url=server.url) as client,
        ):
            return await client.get("/")

    answer = asyncio.run(main())
    assert answer.status_code == 503
    assert answer.text == NOT_BUILT
