"""The file of the model: read strictly, and evaluated as it says."""

import json

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from vedette.assess.features import PLACES
from vedette.assess.kernels import additive
from vedette.assess.model import read, shipped
from vedette.assess.words import NAMES, reason_of
from vedette.model import ConfigError

LEVELS = {"imminent_nats": 1.0, "warning_nats": 0.0, "advisory_nats": -1.0}
ONE = {"features": ["closing_mps"], "knots": [[-10.0, 0.0, 30.0]], "nats": [-2.0, 0.0, 1.5]}
TWO = {
    "features": ["range_m", "height_m"],
    "knots": [[0.0, 100.0, 1000.0], [0.0, 50.0]],
    "nats": [[1.0, 2.0], [0.5, -0.5], [0.0, 0.0]],
    "unknown_nats": 0.25,
}


def file(**changes):
    given = {
        "format": 1,
        "version": "t",
        "trained": {},
        "prior_nats": -3.0,
        "terms": [ONE, TWO],
        "levels": LEVELS,
    }
    return json.dumps(given | changes)


def test_the_shipped_model_can_be_read_and_says_what_it_was_made_of():
    model = shipped()
    assert model.file.terms
    assert model.file.version
    assert model.file.trained
    levels = model.file.levels
    assert levels.imminent_nats >= levels.warning_nats >= levels.advisory_nats


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 7}, "its format is 7, this version reads 1"),
        ({"terms": [ONE | {"features": ["clsing_mps"]}]}, "term 1 .clsing_mps.: 'clsing_mps' is no feature"),
        ({"terms": [ONE | {"knots": [[0.0, 0.0, 1.0]]}]}, "knots must rise"),
        ({"terms": [ONE | {"knots": [[1.0]], "nats": [1.0]}]}, "two or more"),
        ({"terms": [ONE | {"nats": [1.0, 2.0]}]}, r"\(2,\) values for knots \(3,\)"),
        ({"terms": [TWO | {"nats": [[1.0], [1.0, 2.0], [0.0]]}]}, "unlike length"),
        ({"terms": [TWO | {"features": ["range_m", "height_m", "age_s"]}]}, "one feature or two"),
        ({"levels": {"warning_nats": 0.0}}, "imminent_nats"),
        ({"prior": 3}, "prior"),
        ({"watched": {"prior_nats": 0.0, "terms": [ONE | {"knots": []}]}}, "watched, term 1"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_words(changes, words):
    with pytest.raises(ConfigError, match=words):
        read(file(**changes), "model.json")


def test_what_is_no_json_is_refused():
    with pytest.raises(ConfigError, match=r"model\.json"):
        read(b"{", "model.json")


def plain_value(term, f):
    """The definition: linear between knots, bilinear for two features, constant beyond."""
    x = [f[PLACES[name]] for name in term["features"]]
    if any(np.isnan(x)):
        return term.get("unknown_nats", 0.0)
    nats = np.array(term["nats"])
    if len(x) == 2:
        nats = np.array([np.interp(x[1], term["knots"][1], row) for row in nats])
    return float(np.interp(x[0], term["knots"][0], nats))


values = st.one_of(st.floats(-2000.0, 2000.0), st.sampled_from([0.0, 30.0, 100.0, 1000.0, np.nan]))


@settings(max_examples=200, deadline=None)
@given(closing=values, distance=values, height=values)
def test_terms_are_what_interpolation_makes_of_them(closing, distance, height):
    head = read(file(), "model.json").risk
    f = np.full((1, len(PLACES)), np.nan)
    for name, value in (("closing_mps", closing), ("range_m", distance), ("height_m", height)):
        f[0, PLACES[name]] = value
    out = np.zeros((2, 1))
    additive.each(head, f, out)
    for row, term in zip(out[:, 0], (ONE, TWO), strict=True):
        assert row == pytest.approx(plain_value(term, f[0]), rel=1e-9, abs=1e-9)
    total = np.zeros(1)
    additive.add(head, np.array([0, 1]), f, np.array([0]), 0, f[0, :0], total)
    assert total[0] == out[0, 0] + out[1, 0]


def test_every_feature_belongs_to_a_reason():
    for name in PLACES:
        assert NAMES[reason_of([name])]
    assert NAMES[reason_of(["range_m", "log_bird"])] == "kind"
