"""Each rule, broken once: the fault names the field, and nothing else is complained of."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.wire.sapient import (
    Fault,
    SapientError,
    SapientMessage,
    is_ulid,
    is_uuid4,
    read_json,
    read_message,
    validate,
    write_json,
    write_message,
)
from vedette.wire.sapient.faults import MAX_FAULTS

NODE = "a8654cdf-4328-47de-81fa-c495589e30c8"
ULID = "01GGYFBAXGDG7AGAHRZ6XSNY12"


def report():
    """The smallest DetectionReport that conforms."""
    message = SapientMessage(node_id=NODE)
    message.timestamp.seconds = 1_795_000_000
    detection = message.detection_report
    detection.report_id = detection.object_id = ULID
    place = detection.location
    place.x, place.y, place.coordinate_system, place.datum = 8.5, 47.2, 1, 1
    return message


def command():
    message = SapientMessage(node_id=NODE, destination_id=NODE)
    message.timestamp.seconds = 1_795_000_000
    message.task.task_id, message.task.control = ULID, 1
    return message


def kinds(message):
    return [(fault.path, fault.kind) for fault in validate(message)]


def test_the_smallest_report_conforms():
    assert validate(report()) == []


def test_an_empty_message_lacks_three_things():
    assert kinds(SapientMessage()) == [
        ("timestamp", "missing"),
        ("node_id", "missing"),
        ("content", "missing"),
    ]


@pytest.mark.parametrize(
    ("path", "value", "kind"),
    [
        ("node_id", NODE.upper(), "bad-uuid"),
        ("node_id", "a8654cdf-4328-17de-81fa-c495589e30c8", "bad-uuid"),
        ("node_id", NODE + "\n", "bad-uuid"),
        ("destination_id", "", "bad-uuid"),
        ("detection_report.object_id", ULID.lower(), "bad-ulid"),
        ("detection_report.object_id", "8" + ULID[1:], "bad-ulid"),
        ("detection_report.report_id", ULID[:-1] + "U", "bad-ulid"),
        ("detection_report.task_id", ULID + " ", "bad-ulid"),
        ("detection_report.location.datum", 7, "unknown-enum"),
        ("detection_report.location.datum", 0, "missing"),
        ("detection_report.location.coordinate_system", 3, "unknown-enum"),
        ("detection_report.location.x", float("nan"), "not-finite"),
        ("detection_report.location.z_error", float("inf"), "not-finite"),
        ("detection_report.detection_confidence", float("-inf"), "not-finite"),
    ],
)
def test_one_broken_value_is_one_fault(path, value, kind):
    message = report()
    *parents, name = path.split(".")
    holder = message
    for parent in parents:
        holder = getattr(holder, parent)
    setattr(holder, name, value)
    assert kinds(message) == [(path, kind)]


@pytest.mark.parametrize(
    ("seconds", "nanos"),
    [(-62_135_596_801, 0), (253_402_300_800, 0), (0, -1), (0, 1_000_000_000), (2**62, 0)],
)
def test_a_time_that_is_none(seconds, nanos):
    message = report()
    message.timestamp.seconds, message.timestamp.nanos = seconds, nanos
    assert kinds(message) == [("timestamp", "bad-time")]


def test_a_prediction_needs_a_place():
    message = report()
    message.detection_report.prediction_location.predicted_timestamp.seconds = 1
    assert kinds(message) == [("detection_report.prediction_location.location", "missing")]


def test_an_object_to_follow_is_named_by_a_ulid():
    message = command()
    message.task.command.follow.follow_object_id = ULID
    assert validate(message) == []
    message.task.command.follow.follow_object_id = "the one on the left"
    assert kinds(message) == [("task.command.follow.follow_object_id", "bad-ulid")]
    message.task.command.follow.follow_object_id = ""
    assert kinds(message) == [("task.command.follow.follow_object_id", "missing")]


def test_a_command_needs_one_of_its_kinds():
    message = command()
    message.task.command.command_parameter = "x"
    assert kinds(message) == [("task.command.command", "missing")]


def test_a_mandatory_choice_left_unspecified_is_missing():
    message = command()
    message.task.command.detection_threshold = 0
    assert kinds(message) == [("task.command.detection_threshold", "missing")]


def test_paths_count_the_elements_of_lists():
    message = report()
    good = message.detection_report.classification.add(type="UAV")
    good.sub_class.add(type="Multirotor", level=1)
    bad = message.detection_report.classification.add(type="UAV")
    bad.sub_class.add(type="Multirotor", level=1)
    bad.sub_class.add(type="Multirotor")
    assert kinds(message) == [("detection_report.classification[1].sub_class[1].level", "missing")]


def test_registration_rules():
    message = SapientMessage(node_id=NODE)
    message.timestamp.seconds = 1
    message.registration.icd_version = "7.0"
    message.registration.dependent_nodes.extend([NODE, "camera-2", NODE.upper()])
    found = {fault.path: fault for fault in validate(message)}
    assert found["registration.icd_version"].kind == "unsupported-version"
    assert "'7.0'" in found["registration.icd_version"].text
    assert found["registration.dependent_nodes[1]"].kind == "bad-uuid"
    assert found["registration.dependent_nodes[2]"].kind == "bad-uuid"
    assert "registration.dependent_nodes[0]" not in found


UNKNOWN = b"\xf8\x07\x05"  # field 127, varint 5


def test_unknown_fields_are_named_where_they_stand():
    assert kinds(read_message(write_message(report()) + UNKNOWN)) == [("#127", "unknown-field")]
    place = report().detection_report.location.SerializeToString() + UNKNOWN
    message = report()
    message.detection_report.location.Clear()
    message.detection_report.location.MergeFromString(place)
    assert kinds(message) == [("detection_report.location.#127", "unknown-field")]
    listed = report()
    listed.detection_report.signal.add(amplitude=1.0, centre_frequency=2.4e9).MergeFromString(UNKNOWN)
    assert kinds(listed) == [("detection_report.signal[0].#127", "unknown-field")]


def test_validation_leaves_the_message_as_it_was():
    message = read_message(write_message(report()) + UNKNOWN)
    before = message.SerializeToString()
    validate(message)
    assert message.SerializeToString() == before


def test_faults_are_limited():
    message = report()
    for _ in range(500):
        message.detection_report.signal.add()
    assert len(validate(message)) == MAX_FAULTS
    assert len(validate(read_message(b"".join(_unknown(number) for number in range(100, 200))))) == MAX_FAULTS


def _unknown(number):
    tag = number << 3
    return bytes([tag & 0x7F | 0x80, tag >> 7, 1])


def test_self_holding_types_are_checked_to_their_depth():
    message = report()
    level = message.detection_report.classification.add(type="UAV").sub_class.add(type="a", level=1)
    for _ in range(60):
        level = level.sub_class.add(type="a", level=1)
    assert validate(message) == []
    level.ClearField("type")
    (fault,) = validate(message)
    assert fault.path.endswith(".sub_class[0].type")
    assert fault.path.count("sub_class[0]") == 61


@settings(deadline=None)
@given(st.integers(0, 400), st.integers(0, 255))
def test_any_damage_is_survived_and_judged_alike_twice(at, value):
    data = bytearray(write_message(report()))
    data[at % len(data)] = value
    try:
        message = read_message(bytes(data))
    except SapientError:
        return
    faults = validate(message)
    assert faults == validate(read_message(write_message(message)))
    assert all(isinstance(fault, Fault) and fault.path for fault in faults)


@given(st.uuids(version=4))
def test_uuids_of_version_4_pass(uuid):
    assert is_uuid4(str(uuid))
    assert not is_uuid4("{" + str(uuid) + "}")


@given(st.text("0123456789ABCDEFGHJKMNPQRSTVWXYZ", min_size=26, max_size=26))
def test_ulids_pass_unless_they_overflow(text):
    assert is_ulid(text) == (text[0] in "01234567")


def test_json_there_and_back():
    assert read_json(write_json(report())) == report()


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"timestamp": "AAA"}', "timestamp"),
        ('{"detectionReport": {"detectionLocation": {}}}', "detection_report.detection_location"),
        ('{"alert": {"location": {"x": "east"}}}', "alert.location.x"),
        ('{"alert": {"location": {"x": NaN}}}', "alert.location.x"),
        ('{"alert": {"status": "NONE"}}', "alert.status"),
        ('{"alert": {"associatedFile": [{"type": 5}]}}', "associated_file.type"),
        ('{"nodeId": 1}', "node_id"),
        ('{"nodeId": "a", "nodeId": "b"}', ""),
        ("[]", ""),
        ("", ""),
        ("[" * 100_000, ""),
        ('{"alert":' * 100_000, ""),
        (b"{\xff\xfe}", ""),
    ],
)
def test_bad_json_names_its_field(text, path):
    with pytest.raises(SapientError) as caught:
        read_json(text)
    assert caught.value.reason == "bad-json"
    assert caught.value.path == path
