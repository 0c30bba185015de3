"""What could have stood there, as an error tells it."""

from typing import Literal

import pytest
from msgspec import Struct

from vedette.model.choices import fields_at, words_at
from vedette.model.errors import ConfigError
from vedette.model.strict import decode_toml


class Run(Struct, tag="run", forbid_unknown_fields=True):
    """One way to move."""

    speed_mps: float


class Circle(Struct, tag="circle", forbid_unknown_fields=True):
    """Another."""

    radius_m: float
    sense: Literal["left", "right"] = "left"


class Actor(Struct, forbid_unknown_fields=True):
    """Who moves."""

    kind: Literal["bird", "drone"]
    way: Run | Circle | None = None


class Scene(Struct, forbid_unknown_fields=True):
    """All of them."""

    actor: tuple[Actor, ...] = ()
    named: dict[str, Actor] = {}


TREE = {"actor": [{"kind": "bird", "way": {"type": "circle", "radius_m": 3.0}}]}


def test_fields_and_words_are_found_along_a_path() -> None:
    assert fields_at(Scene, TREE, ()) == ["actor", "named"]
    assert fields_at(Scene, TREE, ("actor", 0)) == ["kind", "way"]
    assert words_at(Scene, TREE, ("actor", 0, "kind")) == ["bird", "drone"]
    assert words_at(Scene, TREE, ("named", "x", "kind")) == ["bird", "drone"]
    assert fields_at(Scene, TREE, ("actor", 0, "way")) == ["type", "radius_m", "sense"]
    assert words_at(Scene, TREE, ("actor", 0, "way", "sense")) == ["left", "right"]
    assert words_at(Scene, TREE, ("actor", 0, "way", "type")) == ["circle", "run"]
    assert words_at(Scene, TREE, ("nowhere", 3)) == []
    assert fields_at(Scene, TREE, ("actor", 0, "kind")) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '[[actor]]\nkind = "cat"',
            "line 2: actor[0].kind: Invalid enum value 'cat'; there are: bird, drone",
        ),
        ("[[actor]]\nkid = 1", "line 2: actor[0].kid: Object contains unknown field `kid`; known here: kind"),
        ('[[actor]]\nkind = "bird"\n[actor.way]\ntype = "dive"', "'dive'; there are: circle, run"),
        ('[[actor]]\nkind = "bird"\n[actor.way]\ntype = "run"\nspeed = 1', "known here: type, speed_mps"),
        ('[[actor]]\nkind = "bird"\n[actor.way]\ntype = "run"\nspeed_mps = "x"', "Expected `float`"),
    ],
)
def test_an_error_says_what_there_is(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode_toml(text, Scene, "scene.toml")
    assert words in str(caught.value)
