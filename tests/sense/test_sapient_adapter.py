"""DetectionReports -> Detections: places, accuracies, times, and everything that is refused."""

import math

import mgrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.fuse.settings import FuseSettings
from vedette.geo import LocalFrame
from vedette.model import Bearing, Detection, Position, Presence, RangeBearing, Sigma
from vedette.sense.quality import Quality
from vedette.sense.sapient import ASSUMED, MOST_OBJECTS, QUALITY, NodeAdapter
from vedette.sense.sapient_nodes import Node, Place
from vedette.wire.sapient import SapientMessage, Utm, read_json, validate

A = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
OBJECT, REPORT = "01GGYFBAXH4VYRQYEX7S3XGK3H", "01GGYFBAXGDG7AGAHRZ6XSN"
T = 1_795_000_000.0
TOLERATED = (-0.1, 0.9)
DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SERIAL = iter(range(10**9))


def node(**changes):
    fields = {
        "id": A, "name": "", "types": ("RADAR",), "kind": "radar-2d", "interval_s": 5.0,
        "stated_interval_s": 5.0, "speed_units": {"Default": 1.0}, "error_unit": None,
        "takes_requests": False, "dependents": (),
    } | changes  # fmt: skip
    return Node(**fields)


def adapter(**changes):
    return NodeAdapter("edge:a", node(**changes))


def report(kind="location", *, target=OBJECT, at=T, **fields):
    message = SapientMessage(node_id=A)
    message.timestamp.FromNanoseconds(int(at * 1e9))
    body = message.detection_report
    number = next(SERIAL)
    body.report_id = REPORT + DIGITS[number // 1024 % 32] + DIGITS[number // 32 % 32] + DIGITS[number % 32]
    body.object_id = target
    where = getattr(body, kind)
    usual = {"x": 8.5, "y": 47.2} if kind == "location" else {"range": 1000.0, "azimuth": 30.0}
    for name, value in (usual | {"coordinate_system": 1, "datum": 1} | fields).items():
        if value is None:
            where.ClearField(name)
        else:
            setattr(where, name, value)
    return message


def polar(**fields):
    return report("range_bearing", **fields)


def taken(found, message, *, sent=T, received=T + 0.2):
    assert validate(message) == []
    found.note(sent, received)
    return found.detection(message, sent=sent, received=received, tolerated_s=TOLERATED)


def one(message, **changes):
    return taken(adapter(**changes), message)


def refused(message, found=None, **times):
    found = found or adapter()
    assert taken(found, message, **times) is None
    return list(found.counts)[-1]


def velocity(message, **fields):
    for name, value in fields.items():
        setattr(message.detection_report.enu_velocity, name, value)
    return message


def test_a_position_with_its_datum_and_time():
    found = one(report(z=610.0, datum=2))
    assert found.measure == Position(lat_deg=47.2, lon_deg=8.5, alt_m=610.0, alt_datum="egm96")
    assert (found.time, found.received, found.sensor) == (T, T + 0.2, "edge:a")
    assert (found.claim, found.beliefs, found.sigma) == (None, None, None)
    assert found.signal.emitter is None
    assert found.extra == {"sapient.object_id": OBJECT}


def test_without_z_no_height_and_no_datum():
    found = one(report(z_error=5.0))
    assert found.measure == Position(lat_deg=47.2, lon_deg=8.5)
    assert found.sigma is None


def test_radians():
    found = one(report(x=math.radians(8.5), y=math.radians(47.2), coordinate_system=2))
    assert (found.measure.lat_deg, found.measure.lon_deg) == pytest.approx((47.2, 8.5))


def test_utm_is_where_geotrans_puts_it():
    zone, _, easting_m, northing_m = mgrs.MGRS().MGRSToUTM("32TMT7000022000")
    found = one(report(x=easting_m, y=northing_m, coordinate_system=5, utm_zone=f"{zone}T"))
    east, north, _ = LocalFrame(*mgrs.MGRS().toLatLon("32TMT7000022000"), 0.0).to_enu(
        found.measure.lat_deg, found.measure.lon_deg, 0.0
    )
    assert math.hypot(east, north) < 0.001


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"y": 91.0}, "place: out-of-range"),
        ({"coordinate_system": 5, "utm_zone": "30U"}, "place: out-of-range"),
        ({"x": 5e5, "y": 5e6, "coordinate_system": 5}, "place: bad-utm-zone"),
        ({"x": 5e5, "y": 5e6, "coordinate_system": 5, "utm_zone": "30S"}, "place: utm-band"),
    ],
)
def test_no_place_no_detection(fields, reason):
    assert refused(report(**fields)) == reason


def test_errors_are_read_in_the_registered_unit():
    assert one(report(x_error=3.0, y_error=4.0), error_unit="m").sigma.horizontal_m == pytest.approx(
        math.sqrt(12.5)
    )
    degrees = one(report(x_error=1e-3, y_error=1e-3), error_unit="deg").sigma.horizontal_m
    assert degrees == pytest.approx(
        111.2 * math.sqrt(0.5 * (1 + math.cos(math.radians(47.2)) ** 2)), rel=1e-3
    )


def test_errors_without_a_unit_are_degrees_unless_that_cannot_be():
    assert one(report(y_error=1e-3)).sigma.horizontal_m == pytest.approx(111.2, rel=1e-3)
    assert one(report(x_error=5.0, y_error=5.0)).sigma.horizontal_m == pytest.approx(5.0)
    radians = {"x": 0.1, "y": 0.8, "coordinate_system": 2}
    assert one(report(y_error=1e-5, **radians)).sigma.horizontal_m == pytest.approx(63.7, rel=1e-2)
    assert one(report(y_error=5.0, **radians)).sigma.horizontal_m == 5.0
    utm = {"x": 470_000.0, "y": 5_222_000.0, "coordinate_system": 5, "utm_zone": "32T"}
    assert one(report(x_error=0.5, y_error=0.5, **utm)).sigma.horizontal_m == pytest.approx(0.5)


def test_an_error_of_zero_or_below_is_none():
    assert one(report(z=500.0, x_error=0.0, y_error=-3.0, z_error=0.0)).sigma is None
    assert one(report(z=500.0, z_error=7.0)).sigma == Sigma(vertical_m=7.0)


def test_velocity_in_registered_units_only():
    rates = {"east_rate": 36.0, "north_rate": -18.0, "up_rate": 3.6}
    assert one(velocity(report(), **rates)).measure.velocity_mps == (36.0, -18.0, 3.6)
    kilometres = one(velocity(report(), **rates), speed_units={"Default": 1 / 3.6})
    assert kilometres.measure.velocity_mps == pytest.approx((10.0, -5.0, 1.0))
    silent = adapter(speed_units={"Default": None})
    assert taken(silent, velocity(report(), **rates)).measure.velocity_mps is None
    assert silent.counts == {"velocity-unit-not-registered": 1}


def test_velocity_has_no_gaps_and_its_own_sigma():
    assert one(velocity(report(), east_rate=1.0, north_rate=2.0)).measure.velocity_mps is None
    found = one(velocity(report(), east_rate=1.0, north_rate=2.0, up_rate=0.0, east_rate_error=2.0))
    assert found.measure.velocity_mps == (1.0, 2.0, 0.0)
    assert found.sigma == Sigma(velocity_mps=2.0)


def test_a_plot_with_its_accuracies():
    found = one(polar(elevation=5.0, range_error=12.0, azimuth_error=0.5, elevation_error=0.8))
    assert found.measure == RangeBearing(range_m=1000.0, azimuth_deg=30.0, elevation_deg=5.0)
    assert found.sigma == Sigma(range_m=12.0, azimuth_deg=0.5, elevation_deg=0.8)


def test_units_of_a_plot():
    found = one(polar(range=1.5, azimuth=math.pi, elevation=0.1, range_error=0.02, coordinate_system=4))
    assert found.measure.range_m == 1500.0
    assert found.measure.azimuth_deg == pytest.approx(180.0)
    assert found.measure.elevation_deg == pytest.approx(math.degrees(0.1))
    assert found.sigma.range_m == pytest.approx(20.0)
    assert one(polar(range=1.5, coordinate_system=3)).measure.range_m == 1500.0
    assert one(polar(azimuth=1.0, coordinate_system=2)).measure.azimuth_deg == pytest.approx(
        math.degrees(1.0)
    )


def test_directions_and_distances_alone():
    assert one(polar(range=None, elevation=2.0)).measure == Bearing(azimuth_deg=30.0, elevation_deg=2.0)
    assert one(polar(azimuth=None)).measure == Presence(range_m=1000.0)
    assert refused(polar(range=None, azimuth=None)) == "no-measure"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"azimuth": 400.0}, "azimuth: out-of-range"),
        ({"elevation": 91.0}, "elevation: out-of-range"),
        ({"range": 0.0}, "range: out-of-range"),
        ({"range": -5.0}, "range: out-of-range"),
        ({"range": 1e9}, "range: out-of-range"),
        ({"datum": 2}, "azimuth: from magnetic north"),
        ({"datum": 3}, "azimuth: from a grid that is not known"),
        ({"datum": 4}, "azimuth: from the platform's heading"),
    ],
)
def test_plots_that_are_refused(fields, reason):
    assert refused(polar(**fields)) == reason


def test_grid_north_is_turned_where_the_grid_is_known():
    found = adapter()
    utm = Utm(
        easting_m=651_000.0, northing_m=5_230_000.0, zone=32, band="T", altitude_m=None,
        altitude_above="ellipsoid", x_error=None, y_error=None, z_error=None,
    )  # fmt: skip
    found.place = Place(47.2, 11.0, 450.0, "wgs84-ellipsoid", utm)
    turned = taken(found, polar(datum=3)).measure.azimuth_deg
    assert turned == pytest.approx(30.0 + 2.0 * math.sin(math.radians(47.2)), abs=0.02)


@pytest.mark.parametrize("state", ["lost", "object lost", "lostInView", "LOST", "Predicted", "last known"])
def test_what_was_not_seen_is_no_detection(state):
    message = report()
    message.detection_report.state = state
    assert refused(message) == "not-seen"


@pytest.mark.parametrize("state", ["", "TestState", "ACTIVE", "extended", "payload dropped", "new"])
def test_what_was_seen_is_one(state):
    message = report()
    message.detection_report.state = state
    assert one(message) is not None


def test_classes_and_confidence():
    message = report()
    message.detection_report.detection_confidence = 0.75
    message.detection_report.classification.add(type="Air Vehicle", confidence=0.8).sub_class.add(
        type="UAV Fixed Wing", confidence=0.8, level=1
    )
    found = one(message)
    assert found.beliefs == {"fixed-wing": pytest.approx(0.8)}
    assert found.extra["sapient.confidence"] == 0.75


def test_whatever_names_the_object_is_no_claim():
    message = report()
    message.detection_report.id = "D-ABCD"
    message.detection_report.object_info.add(type="serial", value="1581F5FH123456789012")
    message.detection_report.associated_file.add(type="URL", url="http://example.org/pilot.jpg")
    found = one(message)
    assert found.claim is None
    assert set(found.extra) == {"sapient.object_id"}


def test_the_same_object_is_used_at_most_each_eighty_milliseconds_and_in_order():
    found = adapter()
    assert taken(found, report(), sent=T, received=T)
    assert refused(report(), found, sent=T + 0.05, received=T + 0.05) == "too-soon-after-another"
    assert refused(report(), found, sent=T - 0.2, received=T + 0.07) == "time-backwards"
    assert refused(report(), found, sent=T, received=T + 0.07) == "time-backwards"
    assert taken(found, report(), sent=T + 0.08, received=T + 0.08)
    assert taken(found, report(target=OBJECT[:-1] + "0"), sent=T + 0.08, received=T + 0.08)


def test_the_same_report_is_never_used_twice():
    found, message = adapter(), report()
    assert taken(found, message)
    assert refused(message, found, sent=T + 5.0, received=T + 5.0) == "repeated"


def test_a_clock_that_is_set_back_costs_an_object_one_second():
    found = adapter()
    for n in range(5):
        assert taken(found, report(), sent=T + 20.0 + n, received=T + n)
    assert refused(report(), found, sent=T + 4.5, received=T + 4.5) == "time-backwards"
    again = taken(found, report(), sent=T + 5.2, received=T + 5.2)
    assert again.time == T + 5.2
    assert found.counts["clock-set-back"] == 1


def test_memory_of_objects_is_bounded():
    found = adapter()
    names = [
        OBJECT[:-3] + DIGITS[n // 1024 % 32] + DIGITS[n // 32 % 32] + DIGITS[n % 32] for n in range(3000)
    ]
    for name in names:
        assert taken(found, report(target=name))
    assert len(found._objects) == MOST_OBJECTS


def test_a_time_in_the_window_is_believed_and_never_ahead():
    assert taken(adapter(), report(), sent=T, received=T + 0.8).time == T
    assert taken(adapter(), report(), sent=T + 0.05, received=T).time == T


def test_a_clock_that_is_off_is_put_right_and_the_doubt_is_added():
    found = adapter()
    for n in range(10):
        late = taken(found, report(z=500.0, y_error=4.0, z_error=3.0), sent=T - 30 + n, received=T + n + 0.1)
    assert late.time == pytest.approx(T + 9.1, abs=1e-6)
    assert late.sigma.horizontal_m >= 30.0 * 0.3
    assert late.sigma.vertical_m > 3.0
    plot = taken(found, polar(target=OBJECT[:-1] + "1"), sent=T - 20.0, received=T + 10.1)
    assert plot.sigma.range_m > ASSUMED.range_m
    assert plot.sigma.azimuth_deg > ASSUMED.azimuth_deg
    assert plot.sigma.elevation_deg is None
    bearing = taken(found, polar(target=OBJECT[:-1] + "2", range=None), sent=T - 20.0, received=T + 10.1)
    assert bearing.sigma.azimuth_deg > ASSUMED.azimuth_deg
    assert bearing.sigma.range_m is None
    presence = taken(found, polar(target=OBJECT[:-1] + "3", azimuth=None), sent=T - 20.0, received=T + 10.1)
    assert presence.sigma is None


def test_what_flies_faster_is_more_in_doubt():
    widths = []
    for speed in (1.0, 60.0):
        moving = velocity(report(y_error=5.0), east_rate=speed, north_rate=0.0, up_rate=0.0)
        found = taken(adapter(error_unit="m"), moving, sent=T - 30.0, received=T)
        widths.append(found.sigma.horizontal_m)
    assert widths == pytest.approx([math.hypot(5.0, 1.0), math.hypot(5.0, 60.0)])


def test_what_is_assumed_is_what_the_tracker_assumes():
    settings = FuseSettings()
    assert (
        Sigma(
            horizontal_m=settings.default_horizontal_sigma_m,
            vertical_m=settings.default_vertical_sigma_m,
            range_m=settings.default_range_sigma_m,
            azimuth_deg=settings.default_azimuth_sigma_deg,
            elevation_deg=settings.default_elevation_sigma_deg,
        )
        == ASSUMED
    )


def status(**fields):
    message = SapientMessage(node_id=A)
    message.status_report.mode = "Default"
    where = message.status_report.node_location
    for name, value in (
        {"x": 8.5, "y": 47.2, "z": 450.0, "coordinate_system": 1, "datum": 1} | fields
    ).items():
        setattr(where, name, value)
    return message


def test_profiles_come_when_they_are_news():
    found = adapter()
    assert found.profile() is None
    found.status(status())
    assert found.profile().type == "radar-2d"
    assert found.profile() is None
    found.status(status(x=8.501))
    assert found.profile().lon_deg == 8.501
    taken(found, polar(elevation=3.0))
    assert found.profile().type == "radar-3d"
    assert found.profile() is None


def test_a_place_that_is_none_leaves_the_old_one():
    found = adapter()
    found.status(status())
    found.status(status(y=99.0))
    assert found.place.lat_deg == 47.2
    assert found.counts == {"node-place: out-of-range": 1}


def test_coverage_is_preferred_to_what_is_seen_now():
    found, message = adapter(), status()
    for area in (message.status_report.field_of_view, message.status_report.coverage.add()):
        area.range_bearing.azimuth = 90.0
        area.range_bearing.coordinate_system = area.range_bearing.datum = 1
    message.status_report.field_of_view.range_bearing.horizontal_extent = 10.0
    message.status_report.coverage[0].range_bearing.horizontal_extent = 120.0
    found.status(message)
    assert found.profile().azimuth_deg == (30.0, 150.0)


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1e-300, 45.0, 8.5])


@given(
    st.sampled_from(["location", "range_bearing"]),
    st.dictionaries(
        st.sampled_from(
            ["x", "y", "z", "x_error", "y_error", "range", "azimuth", "elevation", "range_error"]
        ),
        numbers,
    ),
    st.integers(1, 5),
    st.integers(1, 4),
    numbers,
)
def test_any_finite_numbers_are_a_detection_or_a_reason(kind, fields, system, datum, sent):
    message = report(kind, coordinate_system=system, datum=datum)
    where = getattr(message.detection_report, kind)
    for name, value in fields.items():
        if name in where.DESCRIPTOR.fields_by_name:
            setattr(where, name, value)
    found = adapter()
    found.note(sent, T)
    detection = found.detection(message, sent=sent, received=T, tolerated_s=TOLERATED)
    if detection is None:
        assert found.counts.total() >= 1
    else:
        # Every limit of the contract is checked where a detection is read.
        assert msgspec.json.decode(msgspec.json.encode(detection), type=Detection) == detection


@pytest.mark.field
def test_every_report_of_the_corpus_is_judged(field_data):
    folder = field_data / "protocols" / "sapient"
    reasons = {}
    for path in sorted(
        [*folder.glob("valid/DetectionReport*"), *folder.glob("simulator-*/*DetectionReport.json")]
    ):
        found, message = adapter(), read_json(path.read_bytes())
        found.note(T, T)
        assert found.detection(message, sent=T, received=T, tolerated_s=TOLERATED) is None
        reasons[path.name] = next(iter(found.counts))
    assert set(reasons.values()) == {"place: out-of-range", "azimuth: from a grid that is not known"}


def test_quality_row():
    assert isinstance(QUALITY, Quality)
    assert QUALITY.schemes == ("sapient+tcp-listen", "sapient+tls-listen")
