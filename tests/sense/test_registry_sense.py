"""Adapters by name: found, and every way in which somebody's package can be wrong is said in words."""

from collections import Counter
from importlib.metadata import EntryPoint, EntryPoints

import pytest

from vedette.model import ConfigError
from vedette.sense import registry
from vedette.sense.registry import adapter_names, make_adapter


class Quiet:
    """An adapter that never sees anything."""

    def __init__(self, sensor: str) -> None:
        self.sensor = sensor
        self.counts: Counter[str] = Counter()

    def detections(self, heard: object) -> list[object]:
        return []


class Countless(Quiet):
    """Lacks its counts."""

    def __init__(self, sensor: str) -> None:
        self.counts = None


def broken(sensor: str) -> Quiet:
    raise RuntimeError("no licence file")


@pytest.fixture
def installed(monkeypatch):
    """Install entry points by (name, object)."""

    def install(*entries: tuple[str, str]) -> None:
        there = [
            EntryPoint(name=name, value=f"{__name__}:{value}", group="vedette.sensors")
            for name, value in entries
        ]
        monkeypatch.setattr(registry, "entry_points", lambda **by: EntryPoints(there).select(**by))
        monkeypatch.setattr(EntryPoint, "load", lambda self: globals()[self.attr])

    return install


def test_an_adapter_is_made_for_its_sensor(installed) -> None:
    installed(("quiet", "Quiet"), ("broken", "broken"))
    made = make_adapter("quiet", "mast")
    assert isinstance(made, Quiet)
    assert made.sensor == "mast"
    assert adapter_names() == ("broken", "quiet")


def test_one_that_is_listed_twice_is_one(installed) -> None:
    installed(("quiet", "Quiet"), ("quiet", "Quiet"))
    assert isinstance(make_adapter("quiet", "mast"), Quiet)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("loud", "'loud' is not installed; there are: absent, broken, countless, quiet, twice"),
        ("broken", "RuntimeError: no licence file"),
        ("absent", "failed with KeyError"),
        ("countless", "gave a Countless, which lacks"),
        ("twice", "remove all but one"),
    ],
)
def test_what_is_wrong_is_said(installed, name: str, said: str) -> None:
    installed(
        ("quiet", "Quiet"), ("broken", "broken"), ("absent", "Absent"), ("countless", "Countless"),
        ("twice", "Quiet"), ("twice", "Countless"),
    )  # fmt: skip
    with pytest.raises(ConfigError) as caught:
        make_adapter(name, "mast")
    assert said in str(caught.value)
    assert name in str(caught.value)


def test_without_any_package_it_says_so(installed) -> None:
    installed()
    with pytest.raises(ConfigError, match="there are: none"):
        make_adapter("quiet", "mast")
