"""Units: the latest report counts, its age is told, and nothing moves them that should not."""

import math

import pytest

from vedette.assess import Assessor
from vedette.model import Frame


@pytest.fixture
def assessor(site):
    return Assessor(site)


def only(assessor, at):
    (unit,) = assessor.units(at)
    return unit


def test_an_older_report_is_ignored_and_counted(assessor, report_of, base):
    assessor.unit(report_of(north=10.0, time=base), base)
    assessor.unit(report_of(north=999.0, time=base - 5.0), base + 1.0)
    assert only(assessor, base).enu_m[1] == pytest.approx(10.0, abs=0.01)
    assert assessor.counts["unit-report-older-than-held"] == 1


def test_a_report_from_the_future_counts_as_made_now(assessor, report_of, base):
    assessor.unit(report_of(time=base + 3600.0), base)
    assert only(assessor, base + 10.0).age_s == pytest.approx(10.0)
    assert assessor.counts["unit-report-from-the-future"] == 1
    assessor.unit(report_of(north=50.0, time=base + 20.0), base + 20.0)
    assert only(assessor, base + 20.0).enu_m[1] == pytest.approx(50.0, abs=0.01)


def test_a_moving_unit_is_carried_on_by_its_velocity(assessor, report_of, base):
    for t in range(0, 12, 2):
        report = report_of(north=10.0 * t, time=base + t, mobility="vehicle")
        assessor.unit(report, base + t)
    unit = only(assessor, base + 12.0)
    assert unit.velocity_mps == pytest.approx((0.0, 10.0), abs=0.01)
    assert unit.enu_m[1] == pytest.approx(120.0, abs=0.1)
    assert unit.age_s == 2.0


def test_a_post_does_not_move_whatever_its_fixes_say(assessor, report_of, base):
    for t in range(0, 12, 2):
        assessor.unit(report_of(north=4.0 * t, time=base + t), base + t)
    unit = only(assessor, base + 30.0)
    assert unit.velocity_mps == (0.0, 0.0)
    assert unit.radius_m == 0.0


@pytest.mark.parametrize(("mobility", "radius"), [("foot", 60.0), ("vehicle", 750.0), ("post", 0.0)])
def test_the_radius_grows_with_age(assessor, report_of, base, mobility, radius):
    assessor.unit(report_of(mobility=mobility), base)
    assert only(assessor, base + 30.0).radius_m == pytest.approx(radius)


def test_the_radius_is_capped(assessor, report_of, base):
    assessor.unit(report_of(mobility="vehicle"), base)
    assert only(assessor, base + 1e6).radius_m == 2000.0


def test_a_jump_of_the_fix_is_no_velocity(assessor, report_of, base):
    for t in range(0, 10, 2):
        assessor.unit(report_of(time=base + t, mobility="foot"), base + t)
    assessor.unit(report_of(north=5000.0, time=base + 10.0, mobility="foot"), base + 10.0)
    unit = only(assessor, base + 10.0)
    assert unit.enu_m[1] == pytest.approx(5000.0, abs=3.0)
    assert unit.velocity_mps == (0.0, 0.0)
    assert assessor.counts["unit-position-jumped"] == 1


@pytest.mark.parametrize(
    "changes",
    [{"lat_deg": math.nan}, {"lat_deg": 91.0}, {"sigma_m": 0.0}, {"time": math.inf}, {"alt_m": math.nan}],
)
def test_a_report_from_nowhere_is_counted(assessor, report_of, base, changes):
    assessor.unit(report_of(**changes), base)
    assert assessor.units(base) == ()
    assert assessor.counts["unit-report-no-place-on-earth"] == 1


def test_a_flood_of_unit_names_fills_no_memory(site, report_of, base):
    from vedette.assess import AssessSettings

    assessor = Assessor(site, AssessSettings(max_units=3))
    for n in range(10):
        assessor.unit(report_of(f"u{n}"), base)
    assert len(assessor.units(base)) == 3
    assert assessor.counts["unit-report-too-many-units"] == 7
    assessor.unit(report_of("u1", north=70.0, time=base + 1.0), base + 1.0)
    assert assessor.units(base + 1.0)[1].enu_m[1] == pytest.approx(70.0, abs=0.01)


def test_a_silent_vehicle_may_be_where_the_drone_is(assessor, report_of, track_of, base):
    assessor.unit(report_of(mobility="vehicle"), base)
    hovering = track_of(enu_m=(0.0, 1200.0, 50.0))
    fresh = assessor.assess(Frame(time=base, tracks=(hovering,)), base)
    later = assessor.assess(Frame(time=base + 40.0, tracks=(hovering,)), base + 40.0)
    assert [t.level for t in fresh] in ([], ["info"])
    assert [t.level for t in later] == ["advisory"]
    assert later[0].earliest_s < 10.0
