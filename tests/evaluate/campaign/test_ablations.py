"""A part that is taken out is one that the model does not know."""

from typing import get_args

import numpy as np
import pytest
from campaign_works import run_one

from vedette.assess import FEATURES
from vedette.assess.model import shipped
from vedette.evaluate.campaign import watch
from vedette.evaluate.campaign.ablations import features_of, model_without, nameless
from vedette.evaluate.campaign.items import Ablation, Item
from vedette.evaluate.drive import Driver
from vedette.model import Bearing, Claim, Detection, Event
from vedette.model.event import Body, Digest

PARTS: tuple[Ablation, ...] = get_args(Ablation)
NAMES = {feature.name for feature in FEATURES}


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_made_of_features_that_there_are(part: Ablation) -> None:
    assert features_of(part) <= NAMES
    assert (part == "none") == (not features_of(part))


@pytest.mark.parametrize("part", PARTS[1:])
def test_terms_of_the_part_are_flat_and_the_others_stay(part: Ablation) -> None:
    model = model_without(part)
    assert model is not None
    touched = 0
    for ours, theirs in zip(model.file.terms, shipped().file.terms, strict=True):
        if features_of(part) & set(theirs.features):
            touched += 1
            assert np.ptp(np.array(ours.nats)) == 0.0
            assert np.array(ours.nats).ravel()[0] == theirs.unknown_nats
        else:
            assert ours == theirs
    assert model.file.levels == shipped().file.levels
    assert part in model.file.version
    assert touched or part == "identity"


def test_without_identity_nobody_says_who_he_is() -> None:
    claim = Claim(scheme="remote-id-serial", id="X")
    heard = [Detection(time=1.0, sensor="a", measure=Bearing(azimuth_deg=0.0), claim=claim)]
    assert nameless("identity", ((), heard, []))[1][0].claim is None
    assert nameless("class", ((), heard, []))[1] is heard


def test_a_run_without_a_part_goes_otherwise() -> None:
    whole = run_one(Item(collection="test", index=0))
    cut = run_one(Item(collection="test", index=0, ablation="reach"))
    again = run_one(Item(collection="test", index=0, ablation="reach"))
    assert cut == again
    assert (cut.steps, cut.peak_risk) != (whole.steps, whole.peak_risk)


def test_digests_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run leaves them out, for they take more time than all else; told or not, all else is the same."""
    item = Item(collection="test", index=0)
    without = run_one(item)
    told: list[Digest] = []

    class Telling(Driver):
        def _step(self, body: Body, at: float) -> Event:
            event = super()._step(body, at)
            told.extend(one for one in self.intents if isinstance(one, Digest))
            return event

    monkeypatch.setattr(watch, "Driver", lambda case, assessor, digests: Telling(case, assessor=assessor))
    assert run_one(item) == without
    assert len(told) > 30
