"""The profile of the public gateway: what it takes, and that a Restricted message never passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from vedette.wire.cap import Area, CapAlert, Info, Named, ipaws_faults, write_alert
from vedette.wire.cap.ipaws import GSM7

INFO = Info(
    categories=("Safety",),
    event="Civil emergency",
    urgency="Immediate",
    severity="Severe",
    certainty="Observed",
    event_codes=(Named("SAME", "CEM"),),
    expires="2026-01-31T13:00:00-00:00",
    parameters=(
        Named("EAS-ORG", "CIV"),
        Named("CMAMtext", "Take cover."),
        Named("CMAMlongtext", "Take cover now."),
    ),
    areas=(Area(description="A county", geocodes=(Named("SAME", "048141"),)),),
)
PUBLIC = CapAlert(
    identifier="a.1",
    sender="office@example.org",
    sent="2026-01-31T12:00:00-00:00",
    status="Actual",
    msg_type="Alert",
    scope="Public",
    codes=("IPAWSv1.0",),
    infos=(INFO,),
)


def rules(alert: CapAlert) -> list[str]:
    return [fault.rule for fault in ipaws_faults(write_alert(alert))]


def with_info(**changes: object) -> CapAlert:
    return replace(PUBLIC, infos=(replace(INFO, **changes),))


def with_text(name: str, text: str) -> CapAlert:
    kept = tuple(p for p in INFO.parameters if p.name != name)
    return with_info(parameters=(*kept, Named(name, text)))


def test_a_public_message_in_the_profile_passes() -> None:
    assert rules(PUBLIC) == []


@pytest.mark.parametrize(
    ("alert", "rule"),
    [
        (replace(PUBLIC, scope="Restricted", restriction="staff"), "ipaws-scope"),
        (replace(PUBLIC, scope="Private", addresses="x"), "ipaws-scope"),
        (replace(PUBLIC, status="Draft"), "ipaws-status"),
        (
            replace(PUBLIC, msg_type="Ack", references=(replace(PUBLIC, identifier="z").reference,)),
            "ipaws-kind",
        ),
        (replace(PUBLIC, codes=("IPAWSv1.1",)), "ipaws-code"),
        (replace(PUBLIC, infos=()), "ipaws-info"),
        (with_info(expires=None), "ipaws-expires"),
        (with_info(event_codes=()), "ipaws-event"),
        (with_info(event_codes=(Named("SAME", "cem"),)), "ipaws-event"),
        (with_info(event_codes=INFO.event_codes * 2), "ipaws-event"),
        (with_info(parameters=INFO.parameters[1:]), "ipaws-originator"),
        (with_info(areas=()), "ipaws-area"),
        (with_info(areas=(Area(description="x"),)), "ipaws-place"),
        (with_info(areas=(Area(description="x", geocodes=(Named("SAME", "48141"),)),)), "ipaws-place"),
        (with_info(parameters=(*INFO.parameters, Named("CMAMtext", "x"))), "ipaws-text"),
        (with_info(parameters=(INFO.parameters[0], INFO.parameters[2])), "ipaws-text"),
        (with_text("CMAMtext", " "), "ipaws-text"),
        (with_text("CMAMtext", "x" * 91), "ipaws-text-length"),
        (with_text("CMAMlongtext", "x" * 361), "ipaws-text-length"),
        (with_text("CMAMtext", "Cúbranse"), "ipaws-text-alphabet"),
        (with_text("CMAMlongtext", "[now]"), "ipaws-text-alphabet"),
    ],
)
def test_what_does_not_suit_the_gateway_is_told(alert: CapAlert, rule: str) -> None:
    assert rules(alert) == [rule]


@pytest.mark.parametrize(("name", "limit"), [("CMAMtext", 90), ("CMAMlongtext", 360)])
def test_texts_may_be_as_long_as_the_limit(name: str, limit: int) -> None:
    assert rules(with_text(name, "x" * limit)) == []


@given(text=st.text(max_size=90).filter(lambda text: bool(text.strip(" \t\r\n"))))
def test_only_letters_that_phones_show_pass(text: str) -> None:
    try:
        told = rules(with_text("CMAMtext", text))
    except ValueError:
        return
    assert told == ([] if set(text) <= GSM7 else ["ipaws-text-alphabet"])


@given(
    codes=st.sampled_from([(), ("IPAWSv1.0",)]),
    status=st.sampled_from(["Actual", "Exercise", "Test"]),
    infos=st.sampled_from([(), (INFO,)]),
)
def test_a_restricted_message_never_passes(
    codes: tuple[str, ...], status: str, infos: tuple[Info, ...]
) -> None:
    alert = replace(
        PUBLIC, scope="Restricted", restriction="r", codes=codes, status=status, note="n", infos=infos
    )
    assert "ipaws-scope" in rules(alert)


def test_what_is_no_good_message_is_told_for_that_alone() -> None:
    assert [f.rule for f in ipaws_faults(b"<alert/>")] == ["not-cap"]
    bad = write_alert(PUBLIC).replace(b"a.1", b"a 1").replace(b"Public", b"Restricted")
    assert [f.rule for f in ipaws_faults(bad)] == ["bad-identifier", "restriction-missing"]
    assert [f.rule for f in ipaws_faults(bad.replace(b"Actual", b"Real"))] == ["bad-value"]
