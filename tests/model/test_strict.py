"""Configuration errors name the file, the line and the field."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model.errors import ConfigError
from vedette.model.site import SensorProfile, Site
from vedette.model.strict import FieldError, _TomlPlaces, decode_json, decode_toml


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


NESTED = '''
[a]
x = 1
note = """
[b]
y = 7
"""
[[b]]
y = 2
[b.c]
z = 3
[[b]]   # a second one
"y" = [
  { q = 1, text = "}, {" },
  { q = 2, "odd key".deep = [1, [2,
     3]] },
]
'''


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("$.a", 2),
        ("$.a.x", 3),
        ("$.b[0].y", 9),
        ("$.b[0].c.z", 11),
        ("$.b[1].y", 13),
        ("$.b[1].y[0].text", 14),
        ("$.b[1].y[1].q", 15),
        ("$.b[1].y[1].odd key.deep[1][0]", 15),
        ("$.b[1].y[1].odd key.deep[1][1]", 16),
        ("$.b[1].unknown", 12),
        ("$.nowhere", None),
    ],
)
def test_a_check_names_the_line_of_any_field(where: str, line: int | None) -> None:
    def check(tree: dict[str, Any]) -> None:
        raise FieldError(where, "is wrong")

    with pytest.raises(ConfigError) as caught:
        decode_toml(NESTED, dict[str, Any], "n.toml", check)
    place = "n.toml" if line is None else f"n.toml, line {line}"
    assert str(caught.value) == f"{place}: {where[2:]}: is wrong"


_KEYS = st.sampled_from(["a", "b", "c", "d e", "f.g", 'h"i'])
_TREES = st.dictionaries(
    _KEYS,
    st.recursive(
        st.integers(0, 9) | st.sampled_from(["x", "# [no]", "a\nb = 1", "'" * 3, '"' * 3]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
        max_leaves=12,
    ),
    min_size=1,
    max_size=4,
)


@given(_TREES)
def test_every_field_of_a_document_is_found_on_its_line(tree: dict[str, Any]) -> None:
    document = "".join(f"{json.dumps(key)} =\t{_toml(value)}\n" for key, value in tree.items())
    lines = {key: number for number, key in enumerate(tree, 1)}
    for key, value in tree.items():
        for path in _paths(value, (key,)):
            found = [offset for have, offset in _TomlPlaces(document).found if have == path]
            assert {document.count("\n", 0, offset) + 1 for offset in found} == {lines[key]}


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def _paths(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in items:
        yield from _paths(inner, (*path, step))


@pytest.mark.parametrize("text", ["x = " + "[" * 100_000, "x = " + "9" * 5000])
def test_toml_that_would_break_the_reader_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^vedette\.toml: not valid TOML"):
        decode_toml(text, Station, "vedette.toml")


def test_json_that_would_break_the_reader_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"^site\.json: "):
        decode_json("[" * 100_000, Site, "site.json")


def test_a_number_too_large_for_a_float_names_its_line() -> None:
    with pytest.raises(ConfigError, match=r"vedette\.toml, line 5: site\.alt_m: "):
        decode_toml(TOML.replace("1200.0", "9" * 400), Station, "vedette.toml")


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ConfigError, match="not UTF-8 at byte 1"):
        decode_toml(b"a\xff", Station, "vedette.toml")


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
