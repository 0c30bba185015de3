"""Class labels: the standard's own, those that are met in the field, and anything at all."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sapient_msg.bsi_flex_335_v2_0.detection_report_pb2 import DetectionReport

from vedette.sense.sapient_classes import MOST_LABELS, beliefs_of, shares_of

Label, Sub = DetectionReport.DetectionReportClassification, DetectionReport.SubClass


def sub(kind, confidence=None, *below, level=1):
    return Sub(type=kind, confidence=confidence, level=level, sub_class=below)


def label(kind, confidence=None, *below):
    return Label(type=kind, confidence=confidence, sub_class=below)


def rounded(beliefs):
    return None if beliefs is None else {name: round(value, 3) for name, value in beliefs.items()}


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("UAV Rotary Wing", "multirotor"),
        ("sapient_core:UAV rotary wing", "multirotor"),
        ("Air Vehicle.UAV Fixed Wing", "fixed-wing"),
        ("quadcopter", "multirotor"),
        ("FPV drone", "fpv"),
        ("Manned Fixed Wing", "aircraft"),
        ("Manned Rotary Wing", "aircraft"),
        ("Unmanned helicopter", "multirotor"),
        ("Bird", "bird"),
        ("BIRDS", "bird"),
        ("Unknown", "unknown"),
        ("Human", "unknown"),
        ("Land Vehicle", "unknown"),
        ("Fixed Object", "unknown"),
        ("UAS Control Station", "unknown"),
        ("UAV Transmitter", "unknown"),
        ("birdlike noise", None),
        ("Military", None),
        ("", None),
    ],
)
def test_labels(words, first):
    shares = shares_of(words)
    assert (None if shares is None else max(shares, key=shares.get)) == first
    assert shares is None or math.isclose(sum(shares.values()), 1.0)


def test_an_air_vehicle_alone_may_be_anything_that_flies():
    beliefs = beliefs_of([label("Air Vehicle", 1.0)])
    assert set(beliefs) == {"multirotor", "fpv", "fixed-wing", "aircraft"}
    assert "bird" not in beliefs


def test_a_subclass_takes_its_share_of_the_parent_and_the_rest_stays_general():
    beliefs = beliefs_of([label("Air Vehicle", 0.9, sub("UAV Rotary Wing", 0.8))])
    assert rounded(beliefs) == {
        "multirotor": round(0.8 * 0.7 + 0.1 * 0.3, 3), "fpv": round(0.8 * 0.3 + 0.1 * 0.1, 3),
        "fixed-wing": 0.02, "aircraft": 0.04,
    }  # fmt: skip


def test_a_third_level_that_says_nothing_new_keeps_its_parents_meaning():
    beliefs = beliefs_of(
        [label("Air Vehicle", 0.8, sub("UAV Fixed Wing", 0.8, sub("Military", 0.8, level=2)))]
    )
    assert rounded(beliefs) == {"fixed-wing": 0.8}


def test_a_subclass_is_never_surer_than_its_parent():
    assert rounded(beliefs_of([label("Animal", 0.3, sub("Bird", 0.9))])) == {"bird": 0.3}


def test_without_a_confidence_a_label_is_a_weak_word():
    assert rounded(beliefs_of([label("Animal", None, sub("Bird"))])) == {"bird": 0.5}


def test_independent_confidences_are_scaled_together():
    beliefs = beliefs_of([label("Bird", 0.9), label("UAV Fixed Wing", 0.9)])
    assert rounded(beliefs) == {"bird": 0.5, "fixed-wing": 0.5}


@pytest.mark.parametrize("wrong", [-0.1, 1.5, 100.0])
def test_a_confidence_that_is_none_counts_nothing(wrong):
    assert beliefs_of([label("Bird", wrong)]) is None
    assert rounded(beliefs_of([label("Bird", wrong), label("Unknown", 0.4)])) == {"unknown": 0.4}


def test_no_classes_no_beliefs():
    assert beliefs_of([]) is None
    assert beliefs_of([label("Bird", 0.0)]) is None


labels = st.recursive(
    st.builds(sub, st.text(max_size=12), st.none() | st.floats(-1, 2, width=32), level=st.integers(0, 9)),
    lambda inner: st.builds(
        lambda kind, confidence, below: sub(kind, confidence, *below),
        st.sampled_from(["Bird", "Air Vehicle", "UAV", "x"]),
        st.none() | st.floats(0, 1, width=32),
        st.lists(inner, max_size=3),
    ),
    max_leaves=12,
)


@given(
    st.lists(
        st.builds(lambda below: label("Air Vehicle", 0.7, *below), st.lists(labels, max_size=4)), max_size=9
    )
)
def test_beliefs_are_always_probabilities(classes):
    beliefs = beliefs_of(classes)
    assert beliefs is None or all(0.0 <= value <= 1.0 for value in beliefs.values())
    assert beliefs is None or sum(beliefs.values()) <= 1.0 + 1e-6


def test_a_thousand_labels_cost_no_more_than_some():
    many = [label("Unknown", 0.001) for _ in range(1000)]
    assert rounded(beliefs_of([*many, label("Bird", 1.0)])) == {"unknown": round(MOST_LABELS * 0.001, 3)}
