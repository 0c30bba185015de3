"""A scenario as files: the captures and reports that a station would have been given, and the truth.

The caller opens the files, so that this room touches none itself.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import BinaryIO

import msgspec

from vedette.model.lines import dump_line
from vedette.model.site import SensorProfile, SensorSigma
from vedette.simulate.elevated import ground_for
from vedette.simulate.emitters import Channel
from vedette.simulate.framing import link_type_of
from vedette.simulate.places import SiteFrame
from vedette.simulate.scenario import Receiver, Scenario
from vedette.simulate.sensing.catalogue import AdsbReceiver, Radar, RemoteIdReceiver, model_of
from vedette.simulate.sensing.detections import detections
from vedette.simulate.sensing.profiles import planned_profiles
from vedette.simulate.sensing.receivers import receivers_of
from vedette.simulate.sensing.wire.sending import wire_emissions
from vedette.simulate.world import truth
from vedette.wire.capture.writer import PcapWriter
from vedette.wire.ieee80211 import LINK_RADIOTAP
from vedette.wire.udp import RAW_IPV4, UdpDatagram, ipv4_packet

ASTERIX_PORT = 8600
RADAR_ADDRESS, GROUP_ADDRESS = bytes((192, 0, 2, 1)), bytes((232, 1, 1, 11))
"""What the datagrams of a capture come from and go to: an address for documentation (RFC 5737), and a
group of source-specific multicast."""

OpenFile = Callable[[str], AbstractContextManager[BinaryIO]]
"""Creates a file by its plain name and opens it for writing bytes."""


def to_files(scenario: Scenario, start_time: float, open_file: OpenFile) -> dict[str, int]:
    """Write the scenario, started at ``start_time`` (Unix seconds); returns lines or frames per file.

    ``site.json``, ``sensors.json``, ``units.jsonl``, ``truth.jsonl`` as in the data contract;
    ``cot.xml``, one event a line; the frames of each receiver as nanosecond pcap: ``remote-id.pcap``
    if there is one receiver of one kind of radio, else ``remote-id-<receiver>-<wifi|ble>.pcap``.

    ``detections.jsonl``: what all sensors and receivers report, in order of arrival. The same as bytes:
    ``asterix.pcap``, the datagrams of all radars; ``sapient-<sensor>.frames``, what each sensor that looks
    for itself sends on its connection as a SAPIENT node; ``adsb-<sensor>.beast``.
    """
    counts = _write_arrivals(scenario, start_time, open_file)
    counts["detections.jsonl"] = _write_detections(scenario, start_time, open_file)
    with open_file("truth.jsonl") as rows:
        counts["truth.jsonl"] = 0
        for row in truth(scenario, start_time):
            rows.write(dump_line(row))
            counts["truth.jsonl"] += 1
    profiles = sensor_profiles(scenario)
    for name, content in (("site.json", scenario.head.site), ("sensors.json", profiles)):
        with open_file(name) as file:
            file.write(msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n")
    return counts


def sensor_profiles(scenario: Scenario) -> tuple[SensorProfile, ...]:
    """The receivers and sensors as an honest operator's configuration would describe them, in the site's
    height datum."""
    receivers = tuple(_profile(receiver, scenario) for receiver in scenario.receivers)
    return (*receivers, *planned_profiles(scenario))


def capture_names(scenario: Scenario) -> dict[tuple[str, int], str]:
    """(receiver id, link type) -> name of the capture file, in a fixed order."""
    plans = [actor.remote_id for actor in scenario.actors if actor.remote_id is not None]
    link_types = sorted({link_type_of(plan.transport) for plan in plans})
    keys = [(receiver.id, link_type) for receiver in receivers_of(scenario) for link_type in link_types]
    if len(keys) == 1:
        return {keys[0]: "remote-id.pcap"}
    return {key: f"remote-id-{key[0]}-{_radio(key[1])}.pcap" for key in keys}


def wire_names(scenario: Scenario) -> dict[tuple[Channel, str], str]:
    """(channel, sensor id) -> name of the file with what that sensor sends; all radars share one network."""
    names: dict[tuple[Channel, str], str] = {}
    for sensor in scenario.sensors:
        model = model_of(sensor.model, sensor.override)
        if isinstance(model, AdsbReceiver):
            names["adsb", sensor.id] = f"adsb-{sensor.id}.beast"
        elif not isinstance(model, RemoteIdReceiver):
            names["sapient", sensor.id] = f"sapient-{sensor.id}.frames"
        if isinstance(model, Radar):
            names["asterix", sensor.id] = "asterix.pcap"
    return names


def _write_arrivals(scenario: Scenario, start_time: float, open_file: OpenFile) -> dict[str, int]:
    captures, wires = capture_names(scenario), wire_names(scenario)
    names = [*captures.values(), *dict.fromkeys(wires.values()), "cot.xml", "units.jsonl"]
    counts = dict.fromkeys(names, 0)
    links = {name: link_type for (_, link_type), name in captures.items()} | {"asterix.pcap": RAW_IPV4}
    with ExitStack() as stack:
        files = {name: stack.enter_context(open_file(name)) for name in names}
        pcaps = {name: PcapWriter(files[name], links[name]) for name in names if name.endswith(".pcap")}
        for emission in wire_emissions(scenario, start_time, "both"):
            if emission.report is not None:
                files["cot.xml"].write(emission.data + b"\n")
                files["units.jsonl"].write(dump_line(emission.report))
                counts["units.jsonl"] += 1
                name = "cot.xml"
            elif emission.link_type is not None:
                name = captures[emission.source, emission.link_type]
                pcaps[name].write(emission.time, emission.data)
            elif emission.channel == "asterix":
                name = wires["asterix", emission.source]
                pcaps[name].write(emission.time, ipv4_packet(_datagram(emission.data)))
            else:
                name = wires[emission.channel, emission.source]
                files[name].write(emission.data)
            counts[name] += 1
    return counts


def _write_detections(scenario: Scenario, start_time: float, open_file: OpenFile) -> int:
    count = 0
    with open_file("detections.jsonl") as lines:
        for detection in detections(scenario, start_time):
            lines.write(dump_line(detection))
            count += 1
    return count


def _datagram(payload: bytes) -> UdpDatagram:
    return UdpDatagram(RADAR_ADDRESS, GROUP_ADDRESS, ASTERIX_PORT, ASTERIX_PORT, payload)


def _profile(receiver: Receiver, scenario: Scenario) -> SensorProfile:
    site = scenario.head.site
    frame = SiteFrame(site)
    east, north = frame.plane_m(receiver)
    up = ground_for(scenario.head).height_at(east, north) + receiver.agl_m
    lat_deg, lon_deg, ellipsoid_m = frame.geodetic((east, north, up))
    return SensorProfile(
        id=receiver.id,
        type="report",
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        alt_m=frame.site_height_m(ellipsoid_m),
        alt_datum=site.alt_datum,
        period_s=1.0,
        detection_probability=receiver.near_share,
        range_m=(0.0, receiver.range_m),
        sigma=SensorSigma(horizontal_m=10.0, vertical_m=15.0),
    )


def _radio(link_type: int) -> str:
    return "wifi" if link_type == LINK_RADIOTAP else "ble"
