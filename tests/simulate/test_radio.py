"""Radio: free-space loss, hearing by distance, the ground in the way."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model import Site
from vedette.simulate.framing import frame_remote_id, frequency_mhz, link_type_of
from vedette.simulate.ground import FlatGround, RollingDesert
from vedette.simulate.places import SiteFrame
from vedette.simulate.radio import Link, free_space_loss_db, heard_share
from vedette.simulate.scenario import Receiver, RemoteId
from vedette.wire import bluetooth, ieee80211
from vedette.wire import opendroneid as odid

SITE = Site(name="s", lat_deg=31.0, lon_deg=-110.0, alt_m=900.0, alt_datum="wgs84-ellipsoid")
RECEIVER = Receiver(id="r", kind="remote-id", enu_m=(0.0, 0.0), range_m=4000.0)
MESSAGE = odid.encode(odid.BasicId(uas_id="1", id_type=1, ua_type=2))


def _link(receiver: Receiver = RECEIVER, name: str = "drone", seed: int = 1) -> Link:
    return Link(receiver, name, seed, FlatGround(), SiteFrame(SITE))


@pytest.mark.parametrize(
    ("range_m", "mhz", "loss_db"), [(1000.0, 2437.0, 100.19), (100.0, 2402.0, 80.06), (0.0, 2402.0, 40.06)]
)
def test_free_space_loss(range_m: float, mhz: float, loss_db: float) -> None:
    assert free_space_loss_db(range_m, mhz) == pytest.approx(loss_db, abs=0.01)


def test_half_is_heard_at_the_stated_range() -> None:
    assert heard_share(RECEIVER, 4000.0) == pytest.approx(0.45)
    assert heard_share(RECEIVER, 0.0) == pytest.approx(0.9)


@given(st.floats(0.0, 1e5), st.floats(0.0, 1e5))
def test_the_farther_the_less_is_heard(one: float, other: float) -> None:
    near, far = sorted((one, other))
    assert 0.0 <= heard_share(RECEIVER, far) <= heard_share(RECEIVER, near) <= 0.9


def test_a_link_hears_its_share_at_the_power_of_the_distance() -> None:
    link = _link()
    place = (2000.0, 0.0, 100.0)
    powers = [link.rssi_dbm(place, 18.0, 2437.0) for _ in range(4000)]
    heard = [power for power in powers if power is not None]
    assert len(heard) / 4000 == pytest.approx(heard_share(RECEIVER, 2002.0), abs=0.03)
    expected = 18.0 - free_space_loss_db(math.dist(place, (0.0, 0.0, 3.0)), 2437.0) + 2.0
    assert sum(heard) / len(heard) == pytest.approx(expected, abs=0.3)
    spread = math.sqrt(sum((power - expected) ** 2 for power in heard) / len(heard))
    assert spread == pytest.approx(3.0, abs=0.3)


def test_links_have_their_own_luck() -> None:
    def draws(name: str) -> list[int | None]:
        link = _link(name=name)
        return [link.rssi_dbm((4000.0, 0.0, 100.0), 18.0, 2437.0) for _ in range(50)]

    assert draws("one") == draws("one")
    assert draws("one") != draws("two")


def test_nothing_is_heard_through_the_ground() -> None:
    receiver = Receiver(
        id="r", kind="remote-id", enu_m=(0.0, 0.0), range_m=90_000.0, near_share=1.0, agl_m=0.1
    )
    ground = RollingDesert(4)
    link = Link(receiver, "drone", 1, ground, SiteFrame(SITE))
    under = (6000.0, 0.0, ground.height_at(6000.0, 0.0) - 200.0)
    over = (6000.0, 0.0, ground.height_at(6000.0, 0.0) + 2000.0)
    assert all(link.rssi_dbm(under, 18.0, 2437.0) is None for _ in range(20))
    assert all(link.rssi_dbm(over, 18.0, 2437.0) is not None for _ in range(20))


@pytest.mark.parametrize(("rssi", "stated"), [(-60, -60), (-400, -120), (90, 20)])
def test_power_stays_within_what_a_sniffer_can_say(rssi: int, stated: int) -> None:
    plan = RemoteId(serial="1", mac="02:00:00:00:00:01")
    data = frame_remote_id(plan, MESSAGE, 300, 1.0, rssi)
    assert ieee80211.decode_radiotap(data).rssi_dbm == stated


@pytest.mark.parametrize("transport", ["wifi-beacon", "wifi-nan", "ble4", "ble5"])
def test_frames_say_the_frequency_they_were_sent_on(transport: str) -> None:
    plan = RemoteId(serial="1", mac="02:00:00:00:00:01", transport=transport)  # type: ignore[arg-type]
    data = frame_remote_id(plan, MESSAGE, 0, 1.0, -60)
    if link_type_of(plan.transport) == ieee80211.LINK_RADIOTAP:
        said = ieee80211.decode_radiotap(data).frequency_mhz
    else:
        said = bluetooth.decode_packet(bluetooth.LINK_LE_PHDR, data).frequency_mhz
    assert said == frequency_mhz(plan.transport)
