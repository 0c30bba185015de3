"""vedette.toml: errors a tired person understands, with file, line and field."""

from pathlib import Path

import pytest

from vedette.model.errors import ConfigError
from vedette.station.config import listen_address, read_config

GOOD = """\
state = "state"

[site]
name = "Outpost"
lat_deg = 31.45
lon_deg = -110.9
alt_m = 1150.0
alt_datum = "wgs84-ellipsoid"

[[feed]]
name = "receiver"
url = "odid+udp://127.0.0.1:4100?link=127"

[[feed]]
name = "tak"
url = "cot+tls://tak.example:8089"
ca_file = "ca.pem"

[[unit]]
unit = "uid-1"
callsign = "Bravo"
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "vedette.toml"
    path.write_text(text)
    return path


def test_good_file_resolves_paths(tmp_path: Path) -> None:
    config = read_config(write(tmp_path, GOOD))
    assert config.state == str(tmp_path / "state")
    assert config.feed[1].ca_file == str(tmp_path / "ca.pem")
    assert config.unit[0].callsign == "Bravo"


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("alt_m = 1150.0", "alt_m = nan", "line 7: site.alt_m"),
        ("lat_deg", "latitude", "line 5: site.latitude"),
        ('name = "tak"', 'name = "receiver"', "feed 'receiver' is named twice"),
        ('state = "state"', "clock = {speed = 0.0}", "clock.speed"),
        ('state = "state"', "colour = 3", "line 1: colour"),
        ('state = "state"', "settings = {fuse = {nonsense = 1}}", "nonsense"),
        ('state = "state"', 'console = {listen = "0.0.0.0:80"}', "not this machine"),
        ('state = "state"', 'console = {listen = "[::]:80"}', "not this machine: it needs cert_file"),
        ('state = "state"', 'console = {listen = "here"}', "HOST:PORT"),
        ('state = "state"', 'console = {listen = "page.example:80"}', "no address"),
        ('state = "state"', 'console = {cert_file = "a.crt"}', "belong together"),
        (
            'state = "state"',
            'console = {listen = "192.0.2.1:80", cert_file = "a", key_file = "b", demo_desk = true}',
            "only on 127.0.0.1",
        ),
    ],
)
def test_bad_file_says_where(tmp_path: Path, before: str, after: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(write(tmp_path, GOOD.replace(before, after, 1)))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_and_binary_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(tmp_path / "none.toml")
    (tmp_path / "vedette.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_config(tmp_path / "vedette.toml")


def test_listen_address() -> None:
    assert listen_address("127.0.0.1:0") == ("127.0.0.1", 0)
    assert listen_address("[::1]:8470") == ("::1", 8470)
