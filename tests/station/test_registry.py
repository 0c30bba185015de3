"""A feed's URL becomes the right peer; files of URLs are found beside the configuration."""

from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from vedette.model import ConfigError
from vedette.station.assemble import assemble
from vedette.station.config import FeedConfig, read_config
from vedette.station.peers import registry
from vedette.station.peers.odid_capture import CapturePeer
from vedette.station.peers.odid_udp import OdidUdpPeer
from vedette.station.peers.registry import FACTORIES, Keys, make_peer
from vedette.station.peers.sim import SimPeer
from vedette.station.peers.tak_listener import TakListenerPeer
from vedette.station.peers.tak_server import TakServerPeer

KEYS = Keys(receipts=bytes(32))
CONFIG = """
state = "{state}"
[site]
name = "Outpost"
lat_deg = 31.45
lon_deg = -110.9
alt_m = 1150.0
alt_datum = "wgs84-ellipsoid"
[[feed]]
name = "feed"
url = "{url}"
"""


def peer(url: str):
    return make_peer(FeedConfig(name="feed", url=url), KEYS)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("odid+pcap:some.pcap", CapturePeer),
        ("odid+pcap:-", CapturePeer),
        ("odid+udp://127.0.0.1:4100", OdidUdpPeer),
        ("odid+udp://[::1]:4100?link=251", OdidUdpPeer),
        ("sim:hover-near", SimPeer),
        ("cot+tcp://127.0.0.1:8087", TakServerPeer),
        ("cot+tcp-listen://127.0.0.1:8087", TakListenerPeer),
    ],
)
def test_the_scheme_chooses_the_peer(url: str, kind: type) -> None:
    made = peer(url)
    assert isinstance(made, kind)
    assert made.name == "feed"
    assert not made.reaches("anybody")


def test_an_unknown_scheme_lists_those_there_are() -> None:
    with pytest.raises(ConfigError, match="smoke") as caught:
        peer("smoke:signals")
    assert all(scheme in str(caught.value) for scheme in FACTORIES)


def make_signals(feed: FeedConfig, keys: Keys) -> CapturePeer:
    """What a third party's entry point names."""
    return CapturePeer(feed.name, "-")


def test_third_parties_add_schemes(monkeypatch) -> None:
    entry = EntryPoint(name="smoke", value=f"{__name__}:make_signals", group="vedette.peers")
    monkeypatch.setattr(EntryPoint, "load", lambda self: make_signals)
    monkeypatch.setattr(registry, "entry_points", lambda **by: EntryPoints([entry]).select(**by))
    assert isinstance(peer("smoke:signals"), CapturePeer)
    with pytest.raises(ConfigError, match="smoke"):
        peer("drums:signals")


@pytest.mark.parametrize(
    ("url", "resolved"),
    [
        ("odid+pcap:captures/a.pcap", "odid+pcap:{folder}/captures/a.pcap"),
        ("odid+pcap:/var/a.pcap", "odid+pcap:/var/a.pcap"),
        ("odid+pcap:-", "odid+pcap:-"),
        ("sim:my.toml", "sim:{folder}/my.toml"),
        ("sim:desert-run", "sim:desert-run"),
        ("odid+udp://127.0.0.1:4100?link=127", "odid+udp://127.0.0.1:4100?link=127"),
    ],
)
def test_files_are_relative_to_the_configuration(
    tmp_path: Path, monkeypatch, url: str, resolved: str
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "vedette.toml").write_text(CONFIG.format(state="state", url=url))
    monkeypatch.chdir(tmp_path)
    config = read_config(Path("site/vedette.toml"))
    assert config.feed[0].url == resolved.format(folder="site")
    assert config.state == "site/state"


def test_a_scenario_file_beside_the_configuration(tmp_path: Path) -> None:
    from importlib import resources

    scenario = resources.files("vedette.simulate") / "scenarios" / "hover-near.toml"
    (tmp_path / "mine.toml").write_bytes(scenario.read_bytes())
    (tmp_path / "vedette.toml").write_text(CONFIG.format(state="state", url="sim:mine.toml"))
    made = make_peer(read_config(tmp_path / "vedette.toml").feed[0], KEYS)
    assert made.scenario.head.name == "hover-near"


def test_the_receipt_key_outlives_a_restart_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "vedette.toml").write_text(CONFIG.format(state="state", url="odid+pcap:none.pcap"))
    config = read_config(tmp_path / "vedette.toml")
    key = tmp_path / "state" / "receipts.key"
    first = assemble(config)
    held = key.read_bytes()
    assert len(held) == 32
    assert key.stat().st_mode & 0o777 == 0o600
    assert first.site.name == "Outpost"
    del first
    key.write_bytes(held[:5])
    with pytest.raises(ConfigError, match="5 bytes instead of 32"):
        assemble(config)
    assert key.read_bytes() == held[:5]
