"""The list of features and the places at which the kernel puts them are one and the same."""

import pytest

from vedette.assess.features import FEATURES, NAMES
from vedette.assess.kernels import intent, pairs


def test_every_feature_has_one_place_and_one_name():
    assert len(FEATURES) == pairs.FEATURE_COUNT
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (pairs.SPEED, "speed_mps"),
        (pairs.L_FPV, "log_fpv"),
        (pairs.UNSEEN_S, "unseen_s"),
        (pairs.UNIT_SPEED, "unit_mps"),
        (pairs.CLOSING, "closing_mps"),
        (pairs.ANGLE_3D, "angle_3d_deg"),
        (pairs.REACH60, "reach_60s"),
        (pairs.F_AIM30, "aim_30s"),
        (pairs.WITH_UNIT, "with_unit"),
        (pairs.RANGE_SHARE, "range_share"),
        (pairs.H_ATTACK + intent.AUTHORISED, "log_authorised"),
    ],
)
def test_the_places_are_those_of_the_names(place, name):
    assert NAMES[place] == name


def test_what_depends_on_the_track_alone_comes_first():
    of = [feature.of for feature in FEATURES]
    assert of == sorted(of, reverse=True)
    assert of.index("pair") == pairs.UNIT_SPEED
