"""What the watch officer sees and does, in a real Chromium over the DevTools protocol."""

import asyncio
import re
from urllib.parse import urlsplit

import msgspec
import pytest

from vedette.model.track import Identity
from vedette.station.view import ClockView

pytestmark = pytest.mark.counterpart

MAP = "document.querySelector('vedette-map').picture.map"

BANNED = re.compile(
    r"\b(clear|clears|cleared|all-clear|safe|safely|confirmed|error occurred)\b", re.IGNORECASE
)


async def _acted(desk):
    """Wait until the desk's action has reached the station."""
    while not desk.actions:
        await asyncio.sleep(0.05)
    return desk.actions


def test_the_card_says_how_bad_how_long_who_and_why(stage, desk, on_page):
    evidence = (
        ("Flies straight at Patrol B", 3.0),
        ("No Remote ID", 1.0),
        ("Low", 0.5),
        ("Fourth reason", 0.1),
    )
    alert = msgspec.structs.replace(stage.ALERT, evidence=evidence)
    desk.now = stage.picture(alerts=(stage.shown(alert),))

    async def scenario(desk, server, page):
        card = await page.text("li.card")
        countdown = re.search(r"(now|\d+)–\d+ s", card)
        assert countdown is not None
        order = ["IMMINENT", countdown.group(), "Patrol B", "from NE 045°, 1200 m, 34 m/s, height unknown"]
        order += [
            "IMMINENT: drone from NE",
            "Flies straight",
            "No Remote ID",
            "Low",
            "no receipt yet",
            "Nobody has",
        ]
        places = [card.index(words) for words in order]
        assert places == sorted(places)
        assert "Fourth reason" not in card
        assert await page.text(".site") == "Post 7"
        assert "Watching with 1 of 1 drone sensors." in await page.text(".summary")

    on_page(scenario)


def test_a_key_acknowledges_as_who_is_signed_in(stage, desk, on_page):
    async def scenario(desk, server, page):
        await page.press("a")
        assert await page.evaluate("document.querySelector('li.card').getAttribute('aria-current')") == "true"
        assert desk.actions == []
        assert await page.text("button.actor") == "Demo desk"
        assert "whoever opens this page acts as demo-desk" in await page.text(".banner.demo")
        await page.press("a")
        (action,) = await _acted(desk)
        assert (action.actor, action.via) == ("demo-desk", "demo")
        assert (action.action, action.alert, action.value) == ("acknowledge", "a-1", "1")
        acked = msgspec.structs.replace(
            stage.ALERT, state="active-acked", acknowledged_by="demo-desk", revision=2
        )
        desk.now = stage.picture(stage.AT + 1, alerts=(stage.shown(acked),))
        await page.wait_for("document.querySelector('.state').innerText == 'Acknowledged by demo-desk'")
        assert await page.evaluate("document.querySelector('button.ack')") is None
        assert page.complaints == []

    on_page(scenario)


def test_a_refused_acknowledgement_is_said_on_the_card(stage, desk, on_page):
    async def scenario(desk, server, page):
        desk.refuses = True
        await page.click("button.ack")
        await page.wait_for("document.querySelector('.card .failed')")
        assert "Not acknowledged: the record takes nothing more" in await page.text(".card .failed")
        assert not await page.evaluate("document.querySelector('button.ack').disabled")

    on_page(scenario)


def test_nothing_is_asked_of_any_other_host_and_nothing_goes_wrong(stage, desk, on_page):
    async def scenario(desk, server, page):
        await page.evaluate(f"{MAP}.jumpTo({{center: [10, 45], zoom: 4}}), 1")
        await page.wait_for(f"{MAP}.loaded()")
        await page.click("button.theme")
        await page.wait_for("document.documentElement.dataset.theme == 'night'")
        await page.wait_for(
            f"{MAP}.isStyleLoaded() && {MAP}.queryRenderedFeatures({{layers: ['land']}}).length"
        )
        hosts = {
            urlsplit(url).netloc for url in page.requests if urlsplit(url).scheme not in ("data", "blob")
        }
        assert hosts == {f"127.0.0.1:{server.port}"}
        assert any("/static/world-" in url for url in page.requests)
        assert any("/static/worker-" in url for url in page.requests)
        assert page.complaints == []

    on_page(scenario)


def _crowd(stage, count):
    """Tracks and a unit on the same spot, each with a label."""
    return tuple(msgspec.structs.replace(stage.TRACK, id=f"T{i}") for i in range(count))


SEEN = f"new Set({MAP}.queryRenderedFeatures({{layers: ['tracks']}}).map(f => f.properties.id)).size"


def test_no_symbol_hides_when_tracks_collide(stage, desk, on_page):
    desk.now = stage.picture(tracks=_crowd(stage, 12))

    async def scenario(desk, server, page):
        await page.wait_for(f"{SEEN} == 12")
        # The check sees hiding where there is any: with the map library's defaults most would be gone.
        for option in ("icon-allow-overlap", "icon-ignore-placement"):
            await page.evaluate(f"{MAP}.setLayoutProperty('tracks', '{option}', false), 1")
        await page.wait_for(f"{SEEN} < 12")

    on_page(scenario)


def test_a_lost_connection_is_said_and_the_picture_ages(stage, desk, on_page):
    async def scenario(desk, server, page):
        assert await page.text(".banner.lost") == ""
        await server.stop()
        await page.wait_for("document.querySelector('.banner.lost')")
        words = await page.text(".banner.lost")
        assert "Connection to the station lost." in words
        await page.wait_for(f"document.querySelector('.banner.lost').innerText != {words!r}")
        assert "was " in await page.text("li.card .seconds"), "the last picture stays, as the past"
        assert await page.evaluate("document.querySelector('button.ack').disabled")
        async with stage.running(desk, assets=None, port=server.port):
            desk.now = stage.picture(stage.AT + 5)
            await page.wait_for("!document.querySelector('.banner.lost')")

    on_page(scenario)


def test_a_station_whose_time_stands_still_is_a_lost_one(stage, desk, on_page):
    async def scenario(desk, server, page):
        assert await page.text(".link b") == "Live"
        desk.running = False
        await page.wait_for("document.querySelector('.banner.lost')")
        assert await page.text(".link b") == "No connection"

    on_page(scenario)


def test_silence_is_shown_as_not_watched(stage, desk, on_page):
    reason = "no frames, noise normal. Check the antenna cable"
    deaf = stage.FeedView(
        feed="West",
        state="deaf",
        since=stage.AT - 60,
        detections=0,
        quarantined={},
        reason=reason,
        senses=True,
    )
    never = stage.UnitView(unit="c", mobility="foot", sidc="10031000001211000000", callsign="Patrol C")
    desk.now = stage.picture(feeds=(deaf,), units=(never,), shed={"plots": 40}, alerts=(), tracks=())

    async def scenario(desk, server, page):
        gaps = await page.text(".gaps")
        for words in (
            "West",
            "Deaf since",
            "Check the antenna cable.",
            "40 shed",
            "Patrol C",
            "Never heard",
        ):
            assert words in gaps
        assert "No open alert." in await page.text(".rail")
        assert "3 things are not watched, 1 reservation stands" in await page.text(".rail")

    on_page(scenario)


def _feeds(stage):
    """A feed that is fine, one with a trouble, and one with three sensors behind it."""

    def feed(name, state="watching", **more):
        figures = {"since": stage.AT - 60, "detections": 0, "quarantined": {}, "senses": True}
        return stage.FeedView(feed=name, state=state, **(figures | more))

    troubles = ("its clock is 3.2 s ahead", "<b>it</b> floods")
    return (
        feed("rid", last_heard=stage.AT, heard_per_s=12.0, quarantined={"crc-bad": 4}),
        feed("df", "degraded", last_heard=stage.AT, last_data=stage.AT, troubles=troubles, detections=9),
        feed("nodes"),
        feed("nodes/radar", last_heard=stage.AT, heard_per_s=1.0),
        feed("nodes/camera", "down", reason="said goodbye"),
    )


def _texts(selector):
    """JavaScript: the texts of all elements that match, each on one line."""
    one_line = "(e) => e.innerText.replace(/\\s+/g, ' ').trim()"
    return f"[...document.querySelectorAll({selector!r})].map({one_line})"


LINES = _texts(".feeds summary")
OPEN = _texts(".feeds details[open] > summary b")


def test_a_feed_that_is_fine_takes_one_line_and_opens_on_a_click(stage, desk, on_page):
    desk.now = stage.picture(feeds=_feeds(stage))

    async def scenario(desk, server, page):
        lines = await page.evaluate(LINES)
        assert lines[0] == "rid quiet, 12/s"
        assert [line.split()[0] for line in lines] == ["rid", "df", "nodes", "radar", "camera"]
        assert await page.evaluate(OPEN) == ["df", "camera"]
        assert await page.evaluate("document.querySelectorAll('.feeds .parts summary').length") == 2
        await page.click(".feeds summary")
        await page.wait_for(f"{OPEN}.includes('rid')")
        rid = await page.text(".feeds li")
        for words in ("Quiet: it hears, but no drone. Since", "No detection yet.", "4 rejected: crc-bad"):
            assert words in rid
        desk.now = stage.picture(stage.AT + 1, feeds=_feeds(stage))
        await page.wait_for("document.querySelector('vedette-desk').live.view.at > 1790000001")
        assert "rid" in await page.evaluate(OPEN)
        assert page.complaints == []

    on_page(scenario)


def test_troubles_are_reservations_and_what_a_stranger_wrote_stays_text(stage, desk, on_page):
    desk.now = stage.picture(feeds=_feeds(stage))

    async def scenario(desk, server, page):
        gaps = await page.text(".gaps")
        for words in ("nodes/camera", "Said goodbye.", "Its clock is 3.2 s ahead.", "<b>it</b> floods."):
            assert words in gaps
        assert await page.evaluate(_texts(".gaps .reservation b")) == ["df", "The station's clock"]
        desk.now = stage.picture(
            stage.AT + 1, feeds=_feeds(stage)[:1], clock=ClockView(state="synchronised", words="by GPS")
        )
        await page.wait_for("!document.querySelector('.gaps .now li')")

    on_page(scenario)


def test_of_many_sensors_behind_a_feed_those_that_are_fine_are_one_line(stage, desk, on_page):
    head, *parts = _feeds(stage)[2:]
    many = tuple(msgspec.structs.replace(parts[0], feed=f"nodes/n{i}") for i in range(40))
    desk.now = stage.picture(feeds=(head, *parts, *many))

    async def scenario(desk, server, page):
        shown = _texts(".feeds .parts > li > details > summary b")
        assert await page.evaluate(shown) == ["camera", "41 others"]

    on_page(scenario)


def test_an_exercise_and_a_degraded_record_cannot_be_missed(stage, desk, on_page):
    record = stage.RecordView(state="degraded", waiting=7, unlogged=2, reason="the disk is full")
    drill = msgspec.structs.replace(stage.ALERT, status="exercise", count=3)
    shown = stage.AlertView(alert=drill, raised=stage.AT, worst=drill.level)
    desk.now = stage.picture(mode="exercise", record=record, alerts=(shown,))

    async def scenario(desk, server, page):
        assert await page.text(".exercise-mark") == "EXERCISE"
        assert await page.text("li.card .exercise-tag") == "EXERCISE"
        assert await page.text("li.card .count") == "3 drones"
        banner = await page.text(".banner.degraded")
        assert "The disk is full. 7 events wait in memory, 2 messages went out unlogged." in banner

    on_page(scenario)


def test_the_words_that_promise_too_much_are_nowhere(stage, desk, on_page):
    gone = msgspec.structs.replace(stage.ALERT, alert="a-0", state="cleared", reason="it flew away")
    desk.now = stage.picture(alerts=(stage.shown(stage.ALERT), stage.shown(gone)))

    async def scenario(desk, server, page):
        text = await page.evaluate("document.body.innerText")
        assert "Last ended" in text
        assert BANNED.findall(text) == []

    on_page(scenario)


def test_text_from_outside_is_text(stage, desk, on_page):
    hostile = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    alert = msgspec.structs.replace(stage.ALERT, text={"en": hostile}, evidence=((hostile, 1.0),))
    track = msgspec.structs.replace(stage.TRACK, id=hostile)
    unit = stage.UnitView(
        unit="patrol-b", mobility="foot", sidc="not a symbol", callsign=hostile, lat_deg=31.7, lon_deg=-106.46
    )
    desk.now = stage.picture(summary=hostile, tracks=(track,), units=(unit,), alerts=(stage.shown(alert),))

    async def scenario(desk, server, page):
        assert hostile in await page.text("li.card")
        assert await page.evaluate("document.querySelectorAll('li.card img, li.card script').length") == 0
        assert await page.evaluate("document.title") == "Vedette"
        await page.wait_for(f"{SEEN} == 1")
        assert page.complaints == []

    on_page(scenario)


def test_sound_is_off_until_a_person_allows_it(stage, desk, on_page):
    async def scenario(desk, server, page):
        assert await page.text("button.sound") == "Sound is off"
        await page.click("button.sound")
        await page.wait_for("document.querySelector('button.sound').innerText == 'Sound is on'")
        await page.click("button.test-sound")
        assert page.complaints == []

    on_page(scenario)


def test_a_new_danger_is_announced_to_a_screen_reader(stage, desk, on_page):
    desk.now = stage.picture(alerts=())

    async def scenario(desk, server, page):
        assert await page.evaluate("document.querySelector('[aria-live=assertive]').textContent") == ""
        desk.now = stage.picture(stage.AT + 1)
        await page.wait_for("document.querySelector('[aria-live=assertive]').textContent")
        words = await page.evaluate("document.querySelector('[aria-live=assertive]').textContent")
        assert words == "imminent: Patrol B. IMMINENT: drone from NE"

    on_page(scenario)


def test_what_is_outside_the_map_is_counted_and_one_key_shows_it(stage, desk, on_page):
    async def scenario(desk, server, page):
        assert await page.text("button.outside") == ""
        far = msgspec.structs.replace(stage.TRACK, id="FAR", lat_deg=stage.TRACK.lat_deg - 0.2)
        desk.now = stage.picture(tracks=(stage.TRACK, far))
        await page.wait_for("document.querySelector('button.outside')")
        assert "1 object outside the map" in await page.text("button.outside")
        await page.press("t")
        await page.wait_for("!document.querySelector('button.outside')")
        await page.wait_for(f"{SEEN} == 2")

    on_page(scenario)


def test_a_claim_from_the_far_side_of_the_earth_does_not_move_the_map(stage, desk, on_page):
    away = msgspec.structs.replace(stage.TRACK, id="AWAY", lat_deg=-31.0, lon_deg=70.0)
    desk.now = stage.picture(tracks=(stage.TRACK, away))

    async def scenario(desk, server, page):
        await page.press("t")
        await page.wait_for(f"!{MAP}.isMoving()")
        assert await page.evaluate(f"{MAP}.getZoom() > 9")
        assert "1 object outside the map" in await page.text("button.outside")

    on_page(scenario)


def test_no_symbol_is_gone_while_the_theme_changes(stage, desk, on_page):
    async def scenario(desk, server, page):
        await page.wait_for(f"{SEEN} == 1")
        await page.evaluate(
            f"window.least = 9, {MAP}.on('render', () => window.least = Math.min(window.least, {SEEN})), 1"
        )
        for _ in range(2):
            await page.click("button.theme")
            await page.wait_for(f"{MAP}.loaded() && {SEEN} == 1")
        land = await page.evaluate(f"{MAP}.getPaintProperty('land', 'fill-color')")
        await page.click("button.theme")
        await page.wait_for(f"{MAP}.getPaintProperty('land', 'fill-color') != {land!r}")
        assert await page.evaluate("window.least") == 1
        assert page.complaints == []

    on_page(scenario)


def test_what_is_never_watched_is_always_said(stage, desk, on_page):
    desk.now = stage.picture(alerts=(), tracks=())

    async def scenario(desk, server, page):
        for words in ("Drones that no configured sensor can see", "Ground the sensors cannot see or hear"):
            assert words in await page.text(".gaps")

    on_page(scenario)


def test_a_track_is_listed_with_its_claim_and_trust(stage, desk, on_page):
    identity = stage.TRACK.identity or Identity(scheme="remote-id-serial", id="1581F0001")
    track = msgspec.structs.replace(stage.TRACK, identity=identity, trust="contradicted")
    desk.now = stage.picture(tracks=(track,))

    async def scenario(desk, server, page):
        for place in (".tracks", "li.card"):
            assert f"Claims {identity.id}, contradicted" in await page.text(place)

    on_page(scenario)


NARROW = """[...document.querySelectorAll('.summary, .clocks, .link, .gaps h2, .seconds')].every((e) => {
  const r = e.getBoundingClientRect();
  return r.width > 20 && r.left >= 0 && r.right <= innerWidth && r.top >= 0 && r.bottom <= innerHeight;
})"""


def test_on_a_narrow_screen_nothing_that_matters_is_cut_off(stage, desk, on_page):
    async def scenario(desk, server, page):
        for width in (900, 1100, 1280, 1440):
            await page.look(width, 800)
            await page.wait_for(NARROW)

    on_page(scenario)
