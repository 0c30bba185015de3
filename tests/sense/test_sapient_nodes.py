"""What nodes register and report of themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sapient_msg.bsi_flex_335_v2_0.location_pb2 import Location
from sapient_msg.bsi_flex_335_v2_0.range_bearing_pb2 import LocationOrRangeBearing
from sapient_msg.bsi_flex_335_v2_0.registration_pb2 import Registration
from sapient_msg.bsi_flex_335_v2_0.status_report_pb2 import StatusReport

from vedette.sense.sapient_nodes import (
    EFFECTORS,
    MOST_NAME,
    MOST_WORDS,
    SENSORS,
    STATUS_TROUBLES,
    Unfit,
    clean_name,
    moved,
    node_of,
    place_of,
    printable,
    profile_of,
    sector_of,
    troubles_of,
)
from vedette.wire.errors import DecodeError
from vedette.wire.sapient import SapientMessage, read_json

A = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
TYPES = [
    name.removeprefix("NODE_TYPE_")
    for name in list(Registration.NodeType.keys())
    if "UNSPECIFIED" not in name
]


def registration(*types, interval=(5.0, "SECONDS"), polar=True):
    message = SapientMessage(node_id=A)
    body = message.registration
    for kind in types:
        body.node_definition.add(node_type=f"NODE_TYPE_{kind}")
    body.status_definition.status_interval.value = interval[0]
    body.status_definition.status_interval.units = f"TIME_UNITS_{interval[1]}"
    mode = body.mode_definition.add(mode_name="Default")
    kind = mode.detection_definition.add().location_type
    if polar:
        kind.range_bearing_units = 1
    else:
        kind.location_units = 1
    return message


def velocity(message, units, up=None):
    definition = message.registration.mode_definition.add(mode_name=units).detection_definition.add()
    definition.velocity_type.enu_velocity_units.east_north_rate_units = f"SPEED_UNITS_{units}"
    if up is not None:
        definition.velocity_type.enu_velocity_units.up_rate_units = f"SPEED_UNITS_{up}"
    return message


def location(x=8.5, y=47.2, z=450.0, **others):
    fields = {"coordinate_system": 1, "datum": 1} | others
    return Location(x=x, y=y, z=z, **fields)


@pytest.mark.parametrize(
    ("types", "kind"),
    [
        (("RADAR",), "radar-2d"),
        (("LIDAR",), "radar-2d"),
        (("CAMERA",), "camera"),
        (("ACOUSTIC",), "acoustic-array"),
        (("PASSIVE_RF",), "direction-finder"),
        (("HUMAN",), "report"),
        (("FUSION_NODE",), "report"),
        (("OTHER", "CAMERA"), "camera"),
    ],
)
def test_kinds(types, kind):
    assert node_of(registration(*types)).kind == kind


def test_a_receiver_that_gives_positions_only_repeats_what_it_hears():
    assert node_of(registration("PASSIVE_RF", polar=False)).kind == "report"
    both = registration("PASSIVE_RF")
    both.registration.mode_definition.add(
        mode_name="B"
    ).detection_definition.add().location_type.location_units = 1
    assert node_of(both).kind == "report"


def test_every_type_of_the_standard_is_an_effector_a_sensor_or_neither():
    assert set(TYPES) >= EFFECTORS | SENSORS
    assert not EFFECTORS & SENSORS
    assert set(TYPES) - EFFECTORS - SENSORS == {
        "OTHER", "HUMAN", "CHEMICAL", "BIOLOGICAL", "RADIATION", "MOBILE_NODE", "POINTABLE_NODE",
        "FUSION_NODE",
    }  # fmt: skip


@pytest.mark.parametrize("kind", sorted(EFFECTORS))
def test_one_effector_among_its_types_makes_it_one(kind):
    node = node_of(registration("RADAR", kind))
    assert node.effector
    assert not node.only_senses


def test_only_a_node_of_sensors_only_senses():
    assert node_of(registration("RADAR", "CAMERA")).only_senses
    for kind in sorted(set(TYPES) - SENSORS):
        assert not node_of(registration("RADAR", kind)).only_senses
    assert not node_of(registration()).only_senses


@pytest.mark.parametrize(
    ("interval", "used"),
    [
        ((5.0, "SECONDS"), 5.0), ((0.5, "MINUTES"), 30.0), ((500.0, "MILLISECONDS"), 0.5),
        ((1.0, "DAYS"), 600.0), ((1.0, "NANOSECONDS"), 0.1),
    ],
)  # fmt: skip
def test_heartbeats(interval, used):
    assert node_of(registration("RADAR", interval=interval)).interval_s == pytest.approx(used)


@pytest.mark.parametrize("interval", [(0.0, "SECONDS"), (-1.0, "SECONDS"), (5.0, "UNSPECIFIED")])
def test_no_heartbeat_no_registration(interval):
    with pytest.raises(Unfit, match="status_interval"):
        node_of(registration("RADAR", interval=interval))


def test_too_many_nodes_behind_one():
    message = registration("FUSION_NODE")
    message.registration.dependent_nodes.extend([A] * 65)
    with pytest.raises(Unfit, match="64"):
        node_of(message)


def test_units_of_velocity_are_those_of_the_mode_or_the_only_ones():
    silent = node_of(registration("RADAR"))
    assert silent.mps("Default") is None
    one = node_of(velocity(registration("RADAR"), "KPH"))
    assert one.mps("KPH") == one.mps("Default") == one.mps(None) == pytest.approx(1.0 / 3.6)
    two = node_of(velocity(velocity(registration("RADAR"), "KPH"), "MS"))
    assert (two.mps("MS"), two.mps("Default")) == (1.0, None)
    mixed = node_of(velocity(registration("RADAR"), "MS", up="KPH"))
    assert mixed.mps("MS") is None


@pytest.mark.parametrize(
    ("units", "read"), [("metres", "m"), (" M ", "m"), ("Degrees", "deg"), ("furlongs", None)]
)
def test_unit_of_errors(units, read):
    message = registration("RADAR")
    message.registration.mode_definition[0].detection_definition[0].geometric_error.units = units
    assert node_of(message).error_unit == read
    assert node_of(registration("RADAR")).error_unit is None


def test_whether_it_can_be_asked():
    message = registration("RADAR")
    assert not node_of(message).takes_requests
    message.registration.mode_definition[0].task.command.add(type="COMMAND_TYPE_LOOK_AT")
    assert not node_of(message).takes_requests
    message.registration.mode_definition[0].task.command.add(type="COMMAND_TYPE_REQUEST")
    assert node_of(message).takes_requests


@given(st.text(max_size=300))
def test_names_are_safe_in_the_name_of_a_feed(text):
    name = clean_name(text)
    assert len(name) <= MOST_NAME
    assert name.isascii()
    assert not set(name) & set("/:?\n\t\x00<>&")
    assert name == clean_name(name)


@given(st.text(max_size=600))
def test_words_of_strangers_are_one_short_printable_line(text):
    words = printable(text)
    assert words.isprintable()
    assert len(words) <= MOST_WORDS


def test_short_name_before_name():
    message = registration("RADAR")
    message.registration.name = "Radar on the northern hill"
    assert node_of(message).name == "Radar on the northern hi"
    message.registration.short_name = "R1"
    assert node_of(message).name == "R1"


def test_places_keep_their_datum():
    assert place_of(location()).alt_datum == "wgs84-ellipsoid"
    geoid = place_of(location(datum=2))
    assert (geoid.lat_deg, geoid.lon_deg, geoid.alt_m, geoid.alt_datum) == (47.2, 8.5, 450.0, "egm96")
    utm = place_of(location(470_000.0, 5_222_000.0, coordinate_system=5, utm_zone="32T"))
    assert (utm.lat_deg, utm.lon_deg) == pytest.approx((47.1508, 8.6043), abs=1e-3)
    assert utm.utm.zone == 32
    with pytest.raises(DecodeError):
        place_of(location(y=91.0))


def test_a_profile_never_searches_and_never_blames_a_miss():
    profile = profile_of("s", node_of(registration("RADAR")), place_of(location()), raised=False)
    assert (profile.type, profile.range_m, profile.detection_probability) == ("radar-2d", None, 0.0)
    assert (profile.lat_deg, profile.lon_deg, profile.alt_m) == (47.2, 8.5, 450.0)
    assert (
        profile_of("s", node_of(registration("RADAR")), place_of(location()), raised=True).type == "radar-3d"
    )
    assert (
        profile_of("s", node_of(registration("CAMERA")), place_of(location()), raised=True).type == "camera"
    )


def test_no_profile_without_a_height():
    bare = location()
    bare.ClearField("z")
    assert profile_of("s", node_of(registration("RADAR")), place_of(bare), raised=False) is None


def cone(datum=1, units=1, **fields):
    area = LocationOrRangeBearing()
    for name, value in {"azimuth": 350.0, "horizontal_extent": 40.0, **fields}.items():
        setattr(area.range_bearing, name, value)
    area.range_bearing.coordinate_system, area.range_bearing.datum = units, datum
    return area


def test_sectors():
    assert sector_of(cone()) == ((330.0, 10.0), None)
    assert sector_of(cone(datum=2)) == (None, None)
    assert sector_of(cone(horizontal_extent=360.0)) == (None, None)
    assert sector_of(cone(elevation=80.0, vertical_extent=40.0))[1] == (60.0, 90.0)
    assert sector_of(cone(azimuth=0.0, units=2))[0] == (340.0, 20.0)
    assert sector_of(LocationOrRangeBearing()) == (None, None)


def test_moved_by_more_than_a_metre():
    node = node_of(registration("RADAR"))

    def at(**changes):
        return profile_of("s", node, place_of(location(**changes)), raised=False)

    assert not moved(at(), at(x=8.5 + 5e-6))
    assert moved(at(), at(x=8.5 + 2e-5))
    assert moved(at(), at(y=47.2 + 2e-5))
    assert moved(at(), at(z=452.0))
    assert moved(at(), at(datum=2))


def test_every_status_has_words_from_a_fixed_list():
    for kind in StatusReport.StatusType.values()[1:]:
        report = StatusReport(system=StatusReport.SYSTEM_ERROR)
        report.status.add(status_type=kind, status_level="STATUS_LEVEL_ERROR_STATUS", status_value="\x07why")
        troubles = troubles_of(report)
        assert set(troubles) <= set(STATUS_TROUBLES)
        assert len(troubles) == 2
        assert all(words.isprintable() for words in troubles.values())


def test_information_is_no_trouble_unless_it_is_a_fault():
    report = StatusReport(system=StatusReport.SYSTEM_OK)
    report.status.add(status_type="STATUS_TYPE_WEATHER", status_level="STATUS_LEVEL_INFORMATION_STATUS")
    report.status.add(status_type="STATUS_TYPE_NOT_DETECTING", status_level="STATUS_LEVEL_INFORMATION_STATUS")
    assert troubles_of(report) == {"not-detecting": "it is not detecting"}


@pytest.mark.parametrize(
    ("source", "level", "told"),
    [("INTERNAL_BATTERY", 5, True), ("INTERNAL_BATTERY", 80, False), ("MAINS", 1, False)],
)
def test_batteries(source, level, told):
    report = StatusReport()
    report.power.source, report.power.level = f"POWERSOURCE_{source}", level
    assert ("power" in troubles_of(report)) == told


@pytest.mark.field
def test_the_registrations_of_the_corpus(field_data):
    folder = field_data / "protocols" / "sapient"
    nodes = [
        node_of(read_json(path.read_bytes()))
        for path in sorted(folder.glob("*/*Registration*.json"))
        if path.parent.name != "invalid" and '"registration"' in path.read_text()
    ]
    assert len(nodes) == 4
    assert {node.kind for node in nodes} == {"camera"}
    assert {node.interval_s for node in nodes} == {5.0}
    assert {node.error_unit for node in nodes} == {"m"}
    assert {node.mps("Default") for node in nodes} == {1.0}
    assert {len(node.dependents) for node in nodes} == {3}
