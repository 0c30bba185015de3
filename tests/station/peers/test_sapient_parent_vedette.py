"""Two stations: one reports to the other as its parent, each with its own program for its side."""

import asyncio
import contextlib

import pytest
from station_feed_hub import FeedHub, until

from vedette.geo import LocalFrame
from vedette.model import Alert, Frame, Identity, Site, Track
from vedette.station.config import FeedConfig
from vedette.station.peers.sapient_fusion import sapient_fusion_peer
from vedette.station.peers.sapient_parent import SapientParentPeer

COVARIANCE = (36.0, 0.0, 0, 0, 0, 0, 36.0, 0, 0, 0, 0, 9.0, 0, 0, 0, 1.0, 0, 0, 1.0, 0, 1.0)
SITE = Site(name="Outpost", lat_deg=47.25, lon_deg=8.6, alt_m=500.0, alt_datum="egm96", geoid_height_m=47.5)


def track(**changes):
    fields = {
        "id": "t17", "enu_m": (300.0, 400.0, 60.0), "velocity_mps": (-12.0, -16.0, 2.0),
        "covariance": COVARIANCE, "existence": 0.99, "beliefs": {"fixed-wing": 0.75},
        "identity": Identity(scheme="remote-id-serial", id="1581F4X"), "trust": "unverified",
    }  # fmt: skip
    return Track(**{**fields, **changes})


def alarm():
    return Alert(
        time=0.0, alert="A1", revision=1, level="imminent", state="active-unacked", units=("SGT MILLER",),
        track="t17", behaviour="closing", expires=9e9, bearing_deg=36.9, range_m=512.0,
        text={"en": "Drone closing from NE, 500 m. SGT MILLER"},
    )  # fmt: skip


def stations(then):
    """Run ``then(child_peer, child_hub, parent_hub)`` beside both."""

    async def run():
        parent_hub, child_hub = FeedHub(), FeedHub(site=SITE)
        listener = sapient_fusion_peer(
            FeedConfig(name="nodes", url="sapient+tcp-listen://127.0.0.1:0"), b"p" * 32
        )
        listening = asyncio.create_task(listener.run(parent_hub))
        await until(lambda: bool(parent_hub.feeds) and listener.port != 0, "the parent listens")
        child = SapientParentPeer(
            "hq", "127.0.0.1", listener.port, secret=b"c" * 32, node_name="Outpost", reconnect_s=(0.05, 0.2)
        )
        reporting = asyncio.create_task(child.run(child_hub))
        try:
            await until(lambda: child_hub.states("hq")[-1:] == ["watching"], "registered")
            await then(child, child_hub, parent_hub)
            reporting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reporting
            await until(lambda: "ended" in parent_hub.states("nodes/Outpost"), "goodbye is heard")
        finally:
            for task in (reporting, listening):
                task.cancel()
            await asyncio.gather(reporting, listening, return_exceptions=True)

    asyncio.run(run())


def test_a_track_of_one_station_is_a_detection_of_the_other():
    async def then(child, child_hub, parent_hub):
        await child.publish(Frame(time=child_hub.clock.now(), tracks=(track(),)))
        await until(lambda: bool(parent_hub.all()), "a detection")
        (found,) = parent_hub.all()
        there = LocalFrame(SITE.lat_deg, SITE.lon_deg, SITE.alt_m + 47.5)
        place = found.measure
        assert place.alt_datum == "egm96"
        back = there.to_enu(place.lat_deg, place.lon_deg, place.alt_m + 47.5)
        assert back == pytest.approx((300.0, 400.0, 60.0), abs=1e-3)
        assert place.velocity_mps == (-12.0, -16.0, 2.0)
        assert found.sigma.horizontal_m == pytest.approx(6.0, rel=0.01)
        assert found.sigma.vertical_m == pytest.approx(3.0)
        assert found.sigma.velocity_mps == pytest.approx(1.0)
        assert found.beliefs["fixed-wing"] == pytest.approx(0.75)
        assert found.claim is None
        assert child_hub.troubles == {}

    stations(then)


def test_a_coasting_track_is_no_detection_of_the_other():
    """Or each would keep alive what neither sees."""

    async def then(child, child_hub, parent_hub):
        now = child_hub.clock.now()
        gone, there = track(id="t1", updated=now - 30.0), track(id="t2", updated=now - 0.5)
        await child.publish(Frame(time=now, tracks=(gone, there)))
        await until(lambda: bool(parent_hub.all()), "the other detection")
        await asyncio.sleep(0.05)
        assert len(parent_hub.all()) == 1

    stations(then)


def test_an_alert_of_one_station_is_shown_at_the_other_and_acknowledged():
    async def then(child, child_hub, parent_hub):
        child_hub.alarms = {"A1": alarm()}
        await child.publish(Frame(time=child_hub.clock.now(), tracks=()))
        await until(lambda: child.counts["alert-ack: accepted"] == 1, "the answer")
        told = " ".join(parent_hub.troubles.values())
        assert "IMMINENT" in told
        assert "MILLER" not in told
        assert not child_hub.receipts

    stations(then)
