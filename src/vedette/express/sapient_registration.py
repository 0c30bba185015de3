"""The station's registration with a parent: what it is, and what it will send (BSI Flex 335 v2.0). Pure."""

from sapient_msg.bsi_flex_335_v2_0 import location_pb2 as location_proto
from sapient_msg.bsi_flex_335_v2_0 import registration_pb2 as registration_proto
from sapient_msg.bsi_flex_335_v2_0 import velocity_pb2 as velocity_proto

from vedette.express.sapient_node import (
    AGE,
    CLAIM,
    DEFAULT_MODE,
    EXERCISE,
    EXERCISE_MODE,
    TAXONOMY,
    TRUST,
    TRUST_REASON,
    Node,
    datum_of,
    new_message,
)
from vedette.model import Site
from vedette.wire.sapient import SUPPORTED_ICD_VERSIONS, SapientMessage

_MODES = {
    DEFAULT_MODE: "Confirmed tracks once a second, alerts at once. Takes no other tasks than requests.",
    EXERCISE_MODE: "The same, from recorded or simulated data: nothing that is reported is real.",
}


def registration(node: Node, at_wall: float) -> SapientMessage:
    """What the station is and what it will send.

    The standard wants a definition of tasks from every mode, with a kind of region; ours says that
    requests are taken, and the answer to any other task is a refusal.
    """
    message = new_message(node, at_wall)
    body = message.registration
    body.node_definition.add(
        node_type=registration_proto.Registration.NODE_TYPE_FUSION_NODE, node_sub_type=["Drone early warning"]
    )
    body.icd_version = SUPPORTED_ICD_VERSIONS[0]
    body.name = node.name
    body.short_name = node.name[:16]
    body.capabilities.add(category="Fusion", type="Drone tracking")
    body.capabilities.add(category="Warning", type="Alerts of drones that endanger people")
    _define_status(body.status_definition, node)
    for mode, words in _MODES.items():
        _define_mode(body.mode_definition.add(), mode, words, node.site)
    body.config_data.add(manufacturer="Vedette", model="Vedette", software_version=node.version)
    return message


def _define_status(definition: registration_proto.Registration.StatusDefinition, node: Node) -> None:
    definition.status_interval.units = registration_proto.Registration.TIME_UNITS_SECONDS
    definition.status_interval.value = node.status_s
    _define_place(definition.location_definition, node.site)
    for kind in ("Not detecting", "Internal fault"):
        definition.status_report.add(
            category=registration_proto.Registration.STATUS_REPORT_CATEGORY_STATUS, type=kind, on_change=True
        )


def _define_place(definition: registration_proto.Registration.LocationType, site: Site) -> None:
    definition.location_units = location_proto.LOCATION_COORDINATE_SYSTEM_LAT_LNG_DEG_M
    definition.location_datum = datum_of(site)


def _define_mode(
    mode: registration_proto.Registration.ModeDefinition, name: str, words: str, site: Site
) -> None:
    seconds = registration_proto.Registration.TIME_UNITS_SECONDS
    mode.mode_name, mode.mode_description = name, words
    mode.mode_type = registration_proto.Registration.MODE_TYPE_PERMANENT
    mode.settle_time.units, mode.settle_time.value = seconds, 0.0
    mode.maximum_latency.units, mode.maximum_latency.value = seconds, 1.0
    mode.tracking_type = registration_proto.Registration.TRACKING_TYPE_TRACK
    _define_detection(mode.detection_definition.add(), site)
    task = mode.task
    task.concurrent_tasks = 1
    task.region_definition.region_type.append(registration_proto.Registration.REGION_TYPE_AREA_OF_INTEREST)
    _define_place(task.region_definition.region_area.add(), site)
    command = task.command.add(units="Registration, Status")
    command.type = registration_proto.Registration.COMMAND_TYPE_REQUEST
    command.completion_time.units, command.completion_time.value = seconds, 1.0


def _define_detection(definition: registration_proto.Registration.DetectionDefinition, site: Site) -> None:
    _define_place(definition.location_type, site)
    metres_per_second = velocity_proto.SPEED_UNITS_MS
    definition.velocity_type.enu_velocity_units.east_north_rate_units = metres_per_second
    definition.velocity_type.enu_velocity_units.up_rate_units = metres_per_second
    definition.velocity_type.location_datum = datum_of(site)
    definition.geometric_error.type = "Standard Deviation"
    definition.geometric_error.units = "degrees"
    definition.geometric_error.variation_type = "Reported with each detection; of z in metres"
    _define_reports(definition)
    classes = definition.detection_class_definition.add()
    classes.confidence_definition = registration_proto.Registration.CONFIDENCE_DEFINITION_MULTI_CLASS
    for kind, parts in TAXONOMY.items():
        defined = classes.class_definition.add(type=kind, units="probability")
        for part in parts:
            defined.sub_class.add(type=part, units="probability", level=1)


def _define_reports(definition: registration_proto.Registration.DetectionDefinition) -> None:
    kinds = registration_proto.Registration
    for category, kind, units in (
        (kinds.DETECTION_REPORT_CATEGORY_DETECTION, "confidence", "probability"),
        (kinds.DETECTION_REPORT_CATEGORY_TRACK, AGE, "seconds"),
        (kinds.DETECTION_REPORT_CATEGORY_OBJECT, CLAIM, "trust: scheme identifier"),
        (kinds.DETECTION_REPORT_CATEGORY_OBJECT, TRUST, "text"),
        (kinds.DETECTION_REPORT_CATEGORY_OBJECT, TRUST_REASON, "text"),
        (kinds.DETECTION_REPORT_CATEGORY_OBJECT, EXERCISE, "text"),
    ):
        definition.detection_report.add(category=category, type=kind, units=units)
