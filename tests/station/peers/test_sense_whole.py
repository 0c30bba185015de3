"""The whole station with each family of sensors, as its users run it: real bytes in by real sockets, a view
that anybody can ask for, a warned officer, and a log that replays to the bit."""

import asyncio
import contextlib
import itertools
import json
import math
import socket
import time
from typing import NamedTuple

import pytest
from adsb_receiver import dump1090, feed, free_ports, golden_places
from sapient_nodes import A, B, Edge, Parent, goodbye, plot, status
from station_build import StationProcess, replay_is_equal
from station_feed_hub import until

from vedette.geo import LocalFrame
from vedette.model.event import Deliver, DetectionBatch, Digest, SensorReport
from vedette.wire.capture import read_records
from vedette.wire.cot import CotEvent, Remarks
from vedette.wire.sapient import write_frame
from vedette.wire.udp import udp_datagram

SITE = (47.2, 8.5)
GOODBYE = 5
HEAD = """
[site]
name = "Field"
lat_deg = {lat}
lon_deg = {lon}
alt_m = 450.0
alt_datum = "wgs84-ellipsoid"

[console]
listen = "127.0.0.1:0"
demo_desk = true
"""
FEED = """
[[feed]]
name = "{name}"
url = "{url}"
"""
OUR_RADAR = """
[[sensor]]
id = "our-radar"
type = "radar-3d"
lat_deg = {lat}
lon_deg = {lon}
alt_m = 450.0
alt_datum = "wgs84-ellipsoid"
period_s = 0.2
detection_probability = 0.9
"""


class Running(NamedTuple):
    """A station in a process of its own, and what its view said while a test waited."""

    process: StationProcess
    seen: list[dict[str, object]]

    async def view(self):
        """Ask for the view as a browser does."""
        self.seen.append(await asyncio.to_thread(self.process.view))
        return self.seen[-1]

    async def shows(self, condition, what):
        """Wait until the view is as wanted, and return it."""
        for _ in range(400):
            view = await self.view()
            if condition(view):
                return view
            await asyncio.sleep(0.1)
        raise AssertionError(f"never shown: {what}: {self.seen[-1]}\n{self.process.said()}")


def feeds(view):
    return {told["feed"]: told for told in view["feeds"]}


def tracks_of(view, *sensors):
    """The tracks to which these sensors and no others have contributed."""
    return [track for track in view["tracks"] if set(track.get("sensors", ())) == set(sensors)]


@contextlib.asynccontextmanager
async def running(folder, urls, *, site=SITE, more="", keys=None):
    """A station of these feeds; it must end well."""
    text = HEAD.format(lat=site[0], lon=site[1])
    for name, url in urls.items():
        text += FEED.format(name=name, url=url) + (keys or {}).get(name, "")
    (folder / "vedette.toml").write_text(text + more)
    process = StationProcess(folder / "vedette.toml", folder / "station.log")
    try:
        await until(lambda: process.page() is not None or process.process.poll() is not None, "a page")
        assert process.process.poll() is None, process.said()
        yield Running(process, [])
    finally:
        code = await asyncio.to_thread(process.stop)
    assert code == 0, process.said()


@contextlib.asynccontextmanager
async def doing(*works):
    """Run these beside the test; a fault of theirs is a fault of the test."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        done = [task for task in tasks if task.done() and not task.cancelled()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def walk(client, place):
    """An officer's phone reports where he is."""
    while True:
        client.send(client.report(lat_deg=place[0], lon_deg=place[1]))
        await asyncio.sleep(0.2)


async def closing(fly, speed_mps=30.0, first_m=1100.0):
    """Call ``fly(range)`` five times a second with a range that shrinks."""
    began = time.monotonic()
    while (range_m := first_m - speed_mps * (time.monotonic() - began)) > 50.0:
        fly(range_m)
        await asyncio.sleep(0.2)


def bodies(events, kind):
    return [event.body for event in events if isinstance(event.body, kind)]


def detections(events, feed_name):
    """All detections that the log has of a feed and of its parts."""
    batches = [b for b in bodies(events, DetectionBatch) if b.feed.split("/")[0] == feed_name]
    return [detection for batch in batches for detection in batch.detections]


# SAPIENT -------------------------------------------------------------------------------------------

EAST = (47.2, 8.54)
FAR_DRONE_M = 900.0


def radar_plot(node, target, range_m, azimuth_deg):
    message = plot(node, target=target, azimuth=azimuth_deg)
    message.detection_report.range_bearing.range = range_m
    return message


def reports_near(parent, place, since=0):
    """The parent's reports of things within 300 m of a place."""
    here = LocalFrame(*place, 0.0)
    found = []
    for report in parent.of("detection_report")[since:]:
        east, north, _ = here.to_enu(report.location.y, report.location.x, 0.0)
        found += [report] if math.hypot(east, north) < 300.0 else []
    return found


def test_two_sapient_nodes_a_parent_and_an_officer(tmp_path, make_client):
    parent, officer = Parent(), make_client("UID-A", "ALPHA")
    far_lat, far_lon, _ = LocalFrame(*EAST, 0.0).to_geodetic(FAR_DRONE_M, 0.0, 0.0)
    north_id, east_id = "01GGYFBAXGDG7AGAHRZ6XSNY1A", "01GGYFBAXGDG7AGAHRZ6XSNY1B"

    async def dies(edge):
        """Its last message breaks off in the middle."""
        frame = write_frame(radar_plot(A, north_id, 500.0, 45.0))
        edge.writer.write(frame[: len(frame) // 2])
        await edge.writer.drain()
        edge.writer.transport.abort()

    async def scenario():
        await parent.start()
        nodes, phones = free_ports(2)
        urls = {
            "nodes": f"sapient+tcp-listen://127.0.0.1:{nodes}",
            "hq": f"sapient+tcp://127.0.0.1:{parent.port}",
            "phones": f"cot+tcp-listen://127.0.0.1:{phones}",
        }
        async with running(tmp_path, urls) as station:
            await station.shows(lambda v: feeds(v)["hq"]["state"] == "watching", "the parent accepted")
            await officer.connect("127.0.0.1", phones)
            north = Edge(*await asyncio.open_connection("127.0.0.1", nodes))
            east = Edge(*await asyncio.open_connection("127.0.0.1", nodes))
            assert await north.register(A, name="North")
            assert await east.register(B, name="East")
            north.send(status(A, place=(SITE[1], SITE[0], 452.0)))
            east.send(status(B, place=(EAST[1], EAST[0], 452.0)))

            def approach(range_m):
                north.send(radar_plot(A, north_id, range_m, 45.0))

            async def hover():
                for turn in itertools.count():
                    if turn % 20 == 19:
                        east.send(status(B, place=(EAST[1], EAST[0], 452.0)))
                    east.send(radar_plot(B, east_id, FAR_DRONE_M + turn % 2, 90.0))
                    await asyncio.sleep(0.2)

            near, far = f"nodes:{A}", f"nodes:{B}"
            async with doing(walk(officer, SITE), hover()):
                async with doing(closing(approach)):
                    await station.shows(
                        lambda v: tracks_of(v, near) and tracks_of(v, far), "a track of either node"
                    )
                    await until(lambda: bool(officer.chats()), "the officer is warned")
                    await until(lambda: "alert" in parent.contents(), "the parent knows of the alert")
                    await until(lambda: bool(reports_near(parent, (far_lat, far_lon))), "the other track too")
                await dies(north)
                view = await station.shows(lambda v: feeds(v)["nodes/North"]["state"] == "down", "it is down")
                assert "middle of a message" in feeds(view)["nodes/North"]["reason"]
                (other,) = tracks_of(view, far)
                told = len(parent.of("detection_report"))
                gone_at = view["at"]
                view = await station.shows(lambda v: v["at"] > gone_at + 4.0, "four seconds more")
                (same,) = tracks_of(view, far)
                assert same["id"] == other["id"]
                assert same["age_s"] < 2.0, "the other track goes on"
                assert feeds(view)["nodes/East"]["state"] == "watching"
                assert feeds(view)["nodes/North"]["state"] == "down"
                assert len(reports_near(parent, (far_lat, far_lon), since=told)) >= 2
            east.send(goodbye(B))
            await station.shows(lambda v: feeds(v)["nodes/East"]["state"] == "ended", "goodbye is heard")
            assert (await station.view())["record"]["state"] == "good"
        for edge in (north, east):
            await edge.close()
        await officer.close()
        await until(lambda: parent.of("status_report")[-1].system == GOODBYE, "our own goodbye")
        await parent.stop()

    asyncio.run(scenario())
    assert parent.faults == []
    assert parent.contents()[:2] == ["registration", "status_report"]
    assert b"ALPHA" not in parent.raw
    assert b"UID-A" not in parent.raw
    events = replay_is_equal(tmp_path / "state")
    assert {report.profile.id for report in bodies(events, SensorReport)} == {f"nodes:{A}", f"nodes:{B}"}
    assert {deliver.recipients for deliver in bodies(events, Deliver)} == {("UID-A",)}
    assert {d.sensor for d in detections(events, "nodes")} == {f"nodes:{A}", f"nodes:{B}"}
    assert bodies(events, Digest)


# Manned aircraft -----------------------------------------------------------------------------------

AMONG_AIRCRAFT = (59.7, 31.4)
"""Seven aircraft of the capture are within 60 km of here, none within 25 km."""


def drone_line(range_m):
    seen = {"kind": "range-bearing", "range_m": range_m, "azimuth_deg": 45.0, "elevation_deg": 4.0}
    sure = {"range_m": 5.0, "azimuth_deg": 0.5, "elevation_deg": 0.5}
    return json.dumps({"time": time.time(), "sensor": "our-radar", "measure": seen, "sigma": sure}).encode()


def aircraft_of(view):
    return [track for track in view["tracks"] if track.get("identity", {}).get("scheme") == "icao"]


@pytest.mark.field
@pytest.mark.counterpart
def test_a_real_adsb_receiver_beside_a_drone(tmp_path, field_data, counterpart, make_client):
    adsb = field_data / "protocols/adsb"
    capture = (adsb / "ulss7_60s.beast").read_bytes()
    golden = golden_places((adsb / "ulss7_60s.sbs.txt").read_bytes())
    officer, table = make_client("UID-A", "ALPHA"), tmp_path / "receiver"
    table.mkdir()
    drones, most = [], []

    async def scenario(into, sbs):
        phones, lines = free_ports(2)
        urls = {
            "sbs": f"sbs+tcp://127.0.0.1:{sbs}",
            "table": f"aircraft:{table}?period_s=0.5",
            "radar": f"lines+udp://127.0.0.1:{lines}?sensor=our-radar",
            "phones": f"cot+tcp-listen://127.0.0.1:{phones}",
        }
        more = OUR_RADAR.format(lat=AMONG_AIRCRAFT[0], lon=AMONG_AIRCRAFT[1])
        async with running(tmp_path, urls, site=AMONG_AIRCRAFT, more=more) as station:
            await station.shows(lambda v: "connected to" in feeds(v)["sbs"].get("reason", ""), "connected")
            await officer.connect("127.0.0.1", phones)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:

                def approach(range_m):
                    out.sendto(drone_line(range_m), ("127.0.0.1", lines))

                async with doing(walk(officer, AMONG_AIRCRAFT), closing(approach, first_m=1500.0)):
                    received = asyncio.create_task(feed(capture, into))
                    while not received.done():
                        view = await station.view()
                        drones.append(tracks_of(view, "our-radar"))
                        most.append(len(aircraft_of(view)))
                        await asyncio.sleep(0.2)
                    await received
                    await until(lambda: bool(officer.chats()), "the officer is warned of the drone")
            await officer.close()

    with dump1090(counterpart("dump1090-mutability"), table) as (into, sbs, _):
        asyncio.run(scenario(into, sbs))
    assert len(golden) == 11
    events = replay_is_equal(tmp_path / "state")
    for name in ("sbs", "table"):
        found = detections(events, name)
        assert {d.claim.id for d in found if d.claim} == golden.keys(), name
        assert max(farthest_m(golden[d.claim.id], d.measure) for d in found if d.claim) < 30.0, name
    assert max(most) >= 5, "aircraft are shown"
    seen = list(itertools.dropwhile(lambda here: not here, drones))
    assert seen
    assert {len(here) for here in seen} == {1}, "one track beside them, and it stays"
    (drone,) = {track["id"] for here in seen for track in here}
    alerts = [deliver.alert for deliver in bodies(events, Deliver)]
    assert {alert.track for alert in alerts} == {drone}, "nothing above info for any aircraft"


def farthest_m(places, measure):
    here = LocalFrame(measure.lat_deg, measure.lon_deg, 0.0)
    return min(math.hypot(*here.to_enu(lat, lon, 0.0)[:2]) for lat, lon in places)


# Radars --------------------------------------------------------------------------------------------


def payloads(path):
    return [udp_datagram(record.data, record.link_type).payload for record in read_records(path)]


@pytest.mark.field
def test_radar_recordings_by_udp(tmp_path, field_data):
    asterix = field_data / "protocols/asterix"
    heard = []

    async def scenario():
        good, old = free_ports(2)
        urls = {"radars": f"asterix+udp://127.0.0.1:{good}", "old": f"asterix+udp://127.0.0.1:{old}"}
        async with running(tmp_path, urls) as station:
            await station.shows(
                lambda v: all("listening" in feeds(v)[n].get("reason", "") for n in urls), "both listen"
            )
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                for port, name in ((good, "cat_034_048.pcap"), (old, "asterix.pcap")):
                    for number, payload in enumerate(payloads(asterix / name)):
                        out.sendto(payload, ("127.0.0.1", port))
                        await asyncio.sleep(0.05 if number % 20 == 19 else 0.0)

            def all_in(view):
                told = feeds(view)
                heard.append(told["radars"]["heard_per_s"] * 10.0)
                refused = sum(told["old"]["quarantined"].values())
                return told["radars"]["quarantined"].get("duplicate") == 81 and refused == 100

            view = await station.shows(all_in, "both recordings were read")
            for _ in range(20):
                heard.append(feeds(await station.view())["radars"]["heard_per_s"] * 10.0)
                await asyncio.sleep(0.1)
            return feeds(view)

    told = asyncio.run(scenario())
    assert max(heard) == pytest.approx(128 + 34), "every record is a sign of life"
    assert set(told["radars"]["quarantined"]) <= {"duplicate", "clock-off"}
    assert told["old"]["quarantined"] == {"edition": 52, "range": 48}
    assert told["old"]["detections"] == 0
    assert told["old"]["state"] not in ("watching", "degraded")
    assert "another edition" in told["old"]["reason"]
    events = replay_is_equal(tmp_path / "state")
    assert len(detections(events, "radars")) == 63
    assert detections(events, "old") == []


# Other TAK users -----------------------------------------------------------------------------------

TLS_KEYS = """ca_file = "{ca}"
cert_file = "{cert}"
key_file = "{key}"
"""


@pytest.mark.counterpart
def test_a_drone_that_another_user_reports_through_a_real_server(
    tmp_path, taky_tls, client_files, client_tls, make_client
):
    cert, key = client_files("vedette")
    officer, spotter = make_client("UID-A", "ALPHA"), make_client("UID-S", "SPOTTER")
    here = LocalFrame(*SITE, 450.0)

    def drone(range_m):
        lat, lon, hae = here.to_geodetic(range_m * 0.6, range_m * 0.8, 60.0)
        now = time.time()
        return CotEvent(
            uid="M-1", type="a-h-A-M-H-Q", how="m-g", time=now, start=now, stale=now + 30.0,
            lat_deg=lat, lon_deg=lon, hae_m=hae, ce_m=10.0, le_m=15.0, remarks=Remarks(text="quad"),
        )  # fmt: skip

    async def scenario():
        keys = {"tak": TLS_KEYS.format(ca=taky_tls.cafile, cert=cert, key=key)}
        async with running(tmp_path, {"tak": taky_tls.url}, keys=keys) as station:
            await station.shows(lambda v: feeds(v)["tak"]["state"] == "watching", "the server is there")
            await officer.connect("127.0.0.1", taky_tls.port, client_tls("alpha"))
            await spotter.connect("127.0.0.1", taky_tls.port, client_tls("bravo"))
            async with (
                doing(walk(officer, SITE), closing(lambda range_m: spotter.send(drone(range_m)))),
            ):
                view = await station.shows(lambda v: bool(tracks_of(v, "tak")), "the track")
                await until(lambda: bool(officer.chats()), "the officer is warned")
            assert feeds(view)["tak/tracks"]["senses"]
            for client in (officer, spotter):
                await client.close()

    asyncio.run(scenario())
    events = replay_is_equal(tmp_path / "state")
    assert {d.signal.emitter for d in detections(events, "tak")} == {"M-1"}
    alerts = bodies(events, Deliver)
    assert {deliver.recipients for deliver in alerts} == {("UID-A",)}
    assert spotter.chats() == []
    assert alerts[0].alert.alert.encode() not in bytes(spotter.raw)
