"""A claim without a body: it neither raises nor lowers what it would warn of."""

import numpy as np
import pytest

from vedette.assess import AssessSettings
from vedette.assess.columns import track_facts
from vedette.assess.kernels.motion import TRACK_MEMORY
from vedette.model import Identity

NAME = Identity(scheme="remote-id-serial", id="X")
WAYS = {
    "at the unit": ((0.0, 1800.0, 90.0), (0.0, -35.0, 0.0)),
    "past it": ((-1500.0, 250.0, 60.0), (25.0, 0.0, 0.0)),
    "slowly": ((60.0, 400.0, 60.0), (-1.0, -6.0, 0.0)),
}


@pytest.mark.parametrize("way", sorted(WAYS))
@pytest.mark.parametrize("beliefs", [{"multirotor": 0.8, "unknown": 0.2}, {"bird": 0.9, "unknown": 0.1}])
def test_a_ghost_warns_as_what_is_not_verified(line, flown, way, beliefs) -> None:
    said = {"identity": NAME, "beliefs": beliefs}
    ghost = flown(line(*WAYS[way], 50, **said, trust="ghost"))
    plain = flown(line(*WAYS[way], 50, **said, trust="unverified"))
    assert [[(t.level, t.risk) for t in threats] for _, threats in ghost] == [
        [(t.level, t.risk) for t in threats] for _, threats in plain
    ]
    assert any(threats for _, threats in plain)
    if way == "at the unit" and "multirotor" in beliefs:
        assert "imminent" in [t.level for _, threats in ghost for t in threats]


def test_a_ghost_is_neither_verified_nor_contradicted(track_of) -> None:
    facts = track_facts(
        (track_of(identity=NAME, trust="ghost"),), [False], np.zeros((1, TRACK_MEMORY)), AssessSettings()
    )
    assert not facts.verified.any()
    assert not facts.contradicted.any()
