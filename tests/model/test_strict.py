"""Configuration errors name the file, the line and the field."""

import msgspec
import pytest

from vedette.model.errors import ConfigError
from vedette.model.site import SensorProfile, Site
from vedette.model.strict import decode_json, decode_toml


class Feed(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    url: str
    rate_hz: float = 1.0


class Station(msgspec.Struct, forbid_unknown_fields=True):
    site: Site
    feed: list[Feed] = []


TOML = """\
[site]
name = "North"
lat_deg = 31.0
lon_deg = -110.0
alt_m = 1200.0
alt_datum = "wgs84-ellipsoid"

[[feed]]
name = "a"
url = "odid+pcap:x"

[[feed]]
name = "b"
url = "odid+pcap:y"
"""


def test_good_configuration_is_read() -> None:
    station = decode_toml(TOML, Station, "vedette.toml")
    assert station.site.lat_deg == 31.0
    assert [feed.name for feed in station.feed] == ["a", "b"]


@pytest.mark.parametrize(
    ("before", "after", "line", "field"),
    [
        ("alt_m = 1200.0", "alt_m = nan", 5, "site.alt_m"),
        ("alt_m = 1200.0", "alt_m = inf", 5, "site.alt_m"),
        ("alt_m = 1200.0", 'alt_m = "high"', 5, "site.alt_m"),
        ("lat_deg = 31.0", "lat_deg = 131.0", 3, "site.lat_deg"),
        ('url = "odid+pcap:y"', 'url = "odid+pcap:y"\ncolour = 3', 15, "feed[1].colour"),
        ('url = "odid+pcap:y"', "url = 7", 14, "feed[1].url"),
        ('name = "a"', "", 8, "feed[0]"),
        ('alt_datum = "wgs84-ellipsoid"', 'alt_datum = "sea"', 6, "site.alt_datum"),
    ],
)
def test_toml_error_names_line_and_field(before: str, after: str, line: int, field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode_toml(TOML.replace(before, after), Station, "vedette.toml")
    assert f"vedette.toml, line {line}: {field}" in str(caught.value)


def test_broken_toml_names_the_line() -> None:
    with pytest.raises(ConfigError, match="line 1"):
        decode_toml("[site\nname = 3", Station, "vedette.toml")


JSON = """[
  {"id": "r1", "type": "radar-3d", "lat_deg": 1, "lon_deg": 2, "alt_m": 3,
   "alt_datum": "egm96", "period_s": 1, "detection_probability": 0.9},
  {"id": "r2", "type": "report", "lat_deg": 1, "lon_deg": 2, "alt_m": 3,
   "alt_datum": "egm96", "period_s": 1,
   "detection_probability": 1.9}
]"""


def test_json_error_names_line_and_field() -> None:
    with pytest.raises(ConfigError, match=r"sensors.json, line 6: \[1\].detection_probability"):
        decode_json(JSON, tuple[SensorProfile, ...], "sensors.json")  # type: ignore[arg-type]


def test_json_refuses_twins_and_nan() -> None:
    with pytest.raises(ConfigError, match="twice"):
        decode_json('{"name": "a", "name": "b"}', Site, "site.json")
    with pytest.raises(ConfigError, match="NaN"):
        decode_json('{"name": "a", "lat_deg": NaN}', Site, "site.json")
    with pytest.raises(ConfigError, match="line 2"):
        decode_json('{"name":\n oops}', Site, "site.json")
