"""A scenario as files: the captures and reports that a station would have been given, and the truth.

The caller opens the files, so that this room touches none itself.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import BinaryIO

import msgspec

from vedette.model.lines import dump_line
from vedette.model.site import SensorProfile, SensorSigma
from vedette.simulate.emitters import emissions
from vedette.simulate.framing import link_type_of
from vedette.simulate.ground import ground_of
from vedette.simulate.places import SiteFrame
from vedette.simulate.scenario import Receiver, Scenario
from vedette.simulate.world import truth
from vedette.wire.capture.writer import PcapWriter
from vedette.wire.ieee80211 import LINK_RADIOTAP

OpenFile = Callable[[str], AbstractContextManager[BinaryIO]]
"""Creates a file by its plain name and opens it for writing bytes."""


def to_files(scenario: Scenario, start_time: float, open_file: OpenFile) -> dict[str, int]:
    """Write the scenario, started at ``start_time`` (Unix seconds); returns lines or frames per file.

    ``site.json``, ``sensors.json``, ``units.jsonl``, ``truth.jsonl`` as in the data contract;
    ``cot.xml``, one event a line; the frames of each receiver as nanosecond pcap: ``remote-id.pcap``
    if there is one receiver of one kind of radio, else ``remote-id-<receiver>-<wifi|ble>.pcap``.
    """
    counts = _write_arrivals(scenario, start_time, open_file)
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
    """The receivers as the station's configuration would describe them, in the site's height datum."""
    return tuple(_profile(receiver, scenario) for receiver in scenario.receivers)


def capture_names(scenario: Scenario) -> dict[tuple[str, int], str]:
    """(receiver id, link type) -> name of the capture file, in a fixed order."""
    plans = [actor.remote_id for actor in scenario.actors if actor.remote_id is not None]
    link_types = sorted({link_type_of(plan.transport) for plan in plans})
    keys = [(receiver.id, link_type) for receiver in scenario.receivers for link_type in link_types]
    if len(keys) == 1:
        return {keys[0]: "remote-id.pcap"}
    return {key: f"remote-id-{key[0]}-{_radio(key[1])}.pcap" for key in keys}


def _write_arrivals(scenario: Scenario, start_time: float, open_file: OpenFile) -> dict[str, int]:
    names = capture_names(scenario)
    counts = dict.fromkeys([*names.values(), "cot.xml", "units.jsonl"], 0)
    with ExitStack() as stack:
        captures = {
            key: PcapWriter(stack.enter_context(open_file(name)), link_type=key[1])
            for key, name in names.items()
        }
        events = stack.enter_context(open_file("cot.xml"))
        units = stack.enter_context(open_file("units.jsonl"))
        for emission in emissions(scenario, start_time):
            if emission.report is not None:
                events.write(emission.data + b"\n")
                units.write(dump_line(emission.report))
                counts["cot.xml"] += 1
                counts["units.jsonl"] += 1
            elif emission.link_type is not None:
                key = (emission.source, emission.link_type)
                captures[key].write(emission.time, emission.data)
                counts[names[key]] += 1
    return counts


def _profile(receiver: Receiver, scenario: Scenario) -> SensorProfile:
    site = scenario.head.site
    frame = SiteFrame(site)
    east, north = frame.plane_m(receiver)
    up = ground_of(scenario.head.terrain, scenario.head.seed).height_at(east, north) + receiver.agl_m
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
