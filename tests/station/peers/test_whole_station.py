"""The whole station as its users run it: a real flight in, a warned officer behind a real TAK server."""

import asyncio
import contextlib

import pytest
from station_build import StationProcess, replay_is_equal

from vedette.model import Alert
from vedette.model.event import Deliver

SERIAL = "1588E040445AC004418"
START = (47.1987, 8.7302)
DEGREE_M = 111_200.0

CONFIG = """
[site]
name = "Field"
lat_deg = {lat}
lon_deg = {lon}
alt_m = 450.0
alt_datum = "wgs84-ellipsoid"

[clock]
speed = {speed}

[console]
listen = "127.0.0.1:0"
demo_desk = true

[[feed]]
name = "receiver"
url = "odid+pcap:{capture}"

[[feed]]
name = "tak"
url = "{url}"
ca_file = "{ca}"
cert_file = "{cert}"
key_file = "{key}"
"""


@pytest.mark.field
@pytest.mark.counterpart
def test_a_real_flight_warns_the_unit_and_nobody_else(
    tmp_path, field_data, taky_tls, client_files, client_tls, make_client, wait_until
):
    capture = field_data / "protocols" / "opendroneid" / "parrot_anafi4_real.pcapng"
    cert, key = client_files("vedette")
    settings = {"lat": START[0], "lon": START[1], "speed": 50.0, "capture": capture, "url": taky_tls.url}
    settings.update(ca=taky_tls.cafile, cert=cert, key=key)
    (tmp_path / "vedette.toml").write_text(CONFIG.format(**settings))

    async def officer(client, lat_deg):
        while True:
            client.send(client.report(lat_deg=lat_deg, lon_deg=START[1]))
            await asyncio.sleep(0.1)

    async def scenario():
        alpha, bravo = make_client("UID-A", "ALPHA"), make_client("UID-B", "BRAVO")
        await alpha.connect("127.0.0.1", taky_tls.port, client_tls("alpha"))
        await bravo.connect("127.0.0.1", taky_tls.port, client_tls("bravo"))
        walks = [
            asyncio.create_task(officer(alpha, START[0] - 300.0 / DEGREE_M)),
            asyncio.create_task(officer(bravo, START[0] - 40_000.0 / DEGREE_M)),
        ]
        station = StationProcess(tmp_path / "vedette.toml", tmp_path / "station.log")
        views = []
        try:
            await wait_until(lambda: station.page() is not None, f"the station runs: {station.said()}")
            await wait_until(lambda: bool(alpha.chats()), f"the warning at its unit: {station.said()}")
            while "the capture has ended" not in station.said():
                views.append(await asyncio.to_thread(station.view))
                await asyncio.sleep(0.05)
            views.append(await asyncio.to_thread(station.view))
            alpha.send(alpha.chat("VEDETTE-tak", "VEDETTE", "ok"))
            bravo.send(bravo.chat("UID-A", "ALPHA", "sentinel"))
            await wait_until(lambda: any("sentinel" in c.remarks.text for c in alpha.chats()), "live streams")
        finally:
            code = await asyncio.to_thread(station.stop)
            for walk in walks:
                walk.cancel()
            await asyncio.gather(*walks, return_exceptions=True)
            with contextlib.suppress(OSError):
                await alpha.close()
                await bravo.close()
        assert code == 0, station.said()
        return alpha, bravo, views

    alpha, bravo, views = asyncio.run(scenario())

    assert max(len(view["tracks"]) for view in views) == 1
    identities = {
        track["identity"]["id"] for view in views for track in view["tracks"] if "identity" in track
    }
    assert identities == {SERIAL}
    assert all(track["sidc"][3] == "1" for view in views for track in view["tracks"])

    events = replay_is_equal(tmp_path / "state")
    alerts: list[Alert] = [event.body.alert for event in events if isinstance(event.body, Deliver)]
    assert {alert.alert for alert in alerts} == {alerts[0].alert}
    assert {alert.units for alert in alerts} == {("UID-A",)}

    chats = [chat for chat in alpha.chats() if "sentinel" not in chat.remarks.text]
    assert chats
    assert all("UID-A" in chat.uid for chat in chats)
    assert bravo.chats() == []
    assert alerts[0].alert.encode() not in bytes(bravo.raw)
    ours = [event for event in bravo.events if event.uid.startswith("vedette.")]
    assert ours
    assert not any(event.type.startswith("a-f-A") for event in ours), "nothing broadcast makes a friend"
