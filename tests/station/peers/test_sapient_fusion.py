"""Simulated SAPIENT edge nodes, over real TCP, with this station as their fusion node."""

import asyncio
import struct
import time

import pytest
from sapient_msg.bsi_flex_335_v2_0.status_report_pb2 import StatusReport
from sapient_nodes import ULID, A, B, C, Edge, blank, goodbye, plot, registration, status
from station_feed_hub import FeedHub, beside, until

from vedette.model import Bearing, ConfigError, Position, RangeBearing
from vedette.station.config import FeedConfig
from vedette.station.peers import _sapient_session
from vedette.station.peers._line_feed import Address
from vedette.station.peers._sapient_session import Terms
from vedette.station.peers.sapient_fusion import SapientFusionPeer, sapient_fusion_peer
from vedette.wire.sapient import (
    TimeWindow,
    is_uuid4,
    read_json,
    write_frame,
)

OWN = "00000000-0000-4000-8000-000000000001"


def make(terms=None, **options):
    return SapientFusionPeer(
        "edge",
        Address("127.0.0.1", 0, {}),
        own=OWN,
        key=b"key",
        terms=terms or Terms(),
        watch_s=0.02,
        **options,
    )


def dropped(hub):
    """Why connections were dropped, as counted."""
    return [reason.partition(": ")[2] for _, reason in hub.counts if reason.startswith("connection-dropped")]


def flooded(hub):
    """How many messages were shed."""
    return sum(count for (_, reason), count in hub.counts.items() if reason == "flooded")


def with_nodes(scenario, peer=None, hub=None):
    """Run ``scenario(peer, hub, connect)`` beside a listening peer, and close what it opened."""
    peer, hub = peer or make(), hub or FeedHub()
    edges = []

    async def connect(**options):
        edges.append(await Edge.connect(peer, **options))
        return edges[-1]

    async def then():
        await until(lambda: peer.port != 0, "the port")
        try:
            await scenario(peer, hub, connect)
        finally:
            for edge in edges:
                await edge.close()

    beside(peer.run(hub), then)
    return hub


def test_two_nodes_and_one_dies_in_the_middle_of_a_message():
    async def scenario(peer, hub, connect):
        radar, camera = await connect(), await connect()
        assert await radar.register(A, name="North radar")
        assert await camera.register(B, ("CAMERA",), name="Mast camera")
        radar.send(status(A), plot(A))
        camera.send(status(B), plot(B, azimuth=90.0))
        await until(lambda: len(hub.all()) == 2, "both plots")
        frame = write_frame(plot(A))
        radar.writer.write(frame[:-7])
        await radar.writer.drain()
        radar.writer.close()
        await until(lambda: hub.states("edge/North radar")[-1] == "down", "the radar is down")
        assert "middle of a message" in hub.reason("edge/North radar")
        camera.send(plot(B))
        await until(lambda: len(hub.taken["edge/Mast camera"]) == 2 and dropped(hub), "the camera goes on")
        assert hub.states("edge/Mast camera") == ["watching"]

    hub = with_nodes(scenario)
    assert dropped(hub) == ["in the middle of a message"]
    radar, camera = hub.taken["edge/North radar"], hub.taken["edge/Mast camera"]
    assert len(radar) == 1
    assert radar[0].sensor == f"edge:{A}"
    assert radar[0].measure == RangeBearing(range_m=1500.0, azimuth_deg=45.0, elevation_deg=4.0)
    assert camera[0].measure.azimuth_deg == 90.0
    assert {profile.type for profile in hub.sensors.values()} == {"radar-3d", "camera"}
    assert hub.sensors[f"edge:{A}"].range_m is None
    assert hub.states("edge")[0] == "connecting"
    assert "watching" in hub.states("edge")


def test_a_registered_node_reports_positions_and_bearings_too():
    async def scenario(peer, hub, connect):
        edge = await connect()
        await edge.register(A)
        position, bearing = plot(A), plot(A)
        where = position.detection_report.location
        where.x, where.y, where.z, where.coordinate_system, where.datum = 8.51, 47.21, 600.0, 1, 2
        bearing.detection_report.range_bearing.ClearField("range")
        edge.send(position, bearing)
        await until(lambda: len(hub.all()) == 2, "both")

    (position, bearing) = with_nodes(scenario).all()
    assert position.measure == Position(lat_deg=47.21, lon_deg=8.51, alt_m=600.0, alt_datum="egm96")
    assert bearing.measure == Bearing(azimuth_deg=45.0, elevation_deg=4.0)


def test_without_a_position_it_is_told_and_the_plots_are_still_handed_over():
    async def scenario(peer, hub, connect):
        edge = await connect()
        await edge.register(A)
        edge.send(plot(A))
        await until(lambda: hub.all(), "the plot")
        assert "no position" in hub.troubles["edge/aaaaaaaa", "no-position"]
        edge.send(status(A))
        await until(lambda: hub.sensors, "the place")
        assert ("edge/aaaaaaaa", "no-position") not in hub.troubles
        assert (hub.sensors[f"edge:{A}"].lat_deg, hub.sensors[f"edge:{A}"].alt_m) == (47.2, 452.0)

    with_nodes(scenario)


def test_a_place_is_news_when_it_has_moved_by_more_than_a_metre():
    async def scenario(peer, hub, connect):
        edge = await connect()
        await edge.register(A)
        seen = []
        hub.sensor = lambda feed, profile: seen.append(profile.lon_deg)
        for lon_deg in (8.5, 8.5000001, 8.51):
            edge.send(status(A, (lon_deg, 47.2, 452.0)))
        await until(lambda: 8.51 in seen, "the move")
        assert seen == [8.5, 8.51]

    with_nodes(scenario)


def test_nothing_is_taken_before_a_registration():
    async def scenario(peer, hub, connect):
        edge = await connect()
        edge.send(plot(A))
        await until(lambda: edge.errors, "an error")
        assert "send a Registration first" in edge.errors[0]
        assert await edge.register(A)
        edge.send(plot(A))
        await until(lambda: hub.all(), "the plot after it")

    hub = with_nodes(scenario)
    assert hub.counts["edge", "not-registered"] == 1
    assert len(hub.all()) == 1


def test_a_connection_that_never_registers_is_dropped_after_twenty():
    async def scenario(peer, hub, connect):
        edge = await connect()
        for _ in range(_sapient_session.MOST_STRIKES):
            assert not edge.ended
            edge.send(plot(A))
            await until(lambda n=_: hub.counts["edge", "not-registered"] > n, "counted")
        await until(lambda: edge.ended, "dropped")

    assert with_nodes(scenario).all() == []


def test_a_quiet_connection_that_never_registers_is_dropped():
    async def scenario(peer, hub, connect):
        edge = await connect()
        await until(lambda: edge.ended and dropped(hub), "dropped")
        assert dropped(hub) == ["never registered"]

    with_nodes(scenario, make(Terms(register_s=0.1)))


def test_faults_are_answered_in_words_and_counted_by_kind():
    async def scenario(peer, hub, connect):
        edge = await connect()
        bad = registration(A)
        bad.registration.icd_version = "BSI Flex 335 v9"
        edge.send(bad)
        await until(lambda: edge.errors, "the first error")
        await edge.register(A)
        wrong = plot(A)
        wrong.detection_report.object_id = "x" * 5000
        edge.send(wrong)
        edge.writer.write(struct.pack("<I", 3) + b"\xff\xff\xff")
        await until(lambda: len(edge.errors) == 3, "all errors")
        assert "registration.icd_version" in edge.errors[0]
        assert "detection_report.object_id" in edge.errors[1]
        assert all(len(error.packet) <= 1024 for error in edge.sent_back("error"))

    hub = with_nodes(scenario)
    assert hub.counts["edge", "invalid: unsupported-version"] == 1
    assert hub.counts["edge/aaaaaaaa", "invalid: bad-ulid"] == 1
    assert hub.counts["edge/aaaaaaaa", "unreadable"] == 1
    assert hub.all() == []
    assert hub.live["edge/aaaaaaaa"] == 1


def test_a_message_that_a_node_never_sends_is_refused():
    async def scenario(peer, hub, connect):
        edge = await connect()
        await edge.register(A)
        task = blank(A)
        task.task.task_id, task.task.control = ULID, "CONTROL_START"
        task.task.command.request = "Status"
        edge.send(task)
        await until(lambda: edge.errors, "an error")

    assert with_nodes(scenario).counts["edge/aaaaaaaa", "unexpected: task"] == 1


def test_a_registration_without_a_heartbeat_is_refused_with_a_reason():
    async def scenario(peer, hub, connect):
        edge = await connect()
        assert not await edge.register(A, interval_s=0.0)
        assert "status_interval" in edge.sent_back("registration_ack")[0].ack_response_reason[0]
        assert await edge.register(A)

    assert with_nodes(scenario).counts["edge", "registration-unfit"] == 1


def test_only_the_nodes_of_the_url_may_register():
    async def scenario(peer, hub, connect):
        stranger, friend = await connect(), await connect()
        assert not await stranger.register(B)
        assert await friend.register(A)

    hub = with_nodes(scenario, make(expected=frozenset({A})))
    assert hub.counts["edge", "node-not-expected"] == 1
    assert {feed for feed, _, _ in hub.feeds} == {"edge", "edge/aaaaaaaa"}


def test_a_heartbeat_that_stops_is_told_and_is_back_with_the_next():
    async def scenario(peer, hub, connect):
        edge = await connect()
        await edge.register(A, interval_s=0.1)
        edge.send(status(A))
        await until(lambda: hub.states("edge/aaaaaaaa")[-1] == "down", "silence noticed")
        assert "no status for" in hub.reason("edge/aaaaaaaa")
        assert "(registered: every 0.1 s)" in hub.reason("edge/aaaaaaaa")
        assert hub.due["edge/aaaaaaaa"] == pytest.approx(0.3)
        await until(lambda: hub.states("edge")[-1] == "connecting", "the listener watches nothing")
        edge.send(status(A))
        await until(lambda: hub.states("edge/aaaaaaaa")[-1] == "watching", "back")

    with_nodes(scenario)


def test_detections_without_status_are_life_but_a_trouble():
    async def scenario(peer, hub, connect):
        edge = await connect()
        await edge.register(A, interval_s=0.5)
        for _ in range(500):
            edge.send(plot(A))
            await asyncio.sleep(0.02)
            if ("edge/aaaaaaaa", "no-status") in hub.troubles:
                break
        assert "down" not in hub.states("edge/aaaaaaaa")
        edge.send(status(A))
        await until(lambda: ("edge/aaaaaaaa", "no-status") not in hub.troubles, "status is back")

    with_nodes(scenario)


def test_a_late_sensor_is_asked_for_its_status_once_if_it_takes_requests():
    async def scenario(peer, hub, connect):
        asked, silent = await connect(), await connect()
        await asked.register(A, interval_s=0.1, takes_requests=True)
        await silent.register(B, interval_s=0.1)
        await until(lambda: hub.states("edge/aaaaaaaa")[-1] == "down", "silence noticed")
        (task,) = asked.sent_back("task")
        assert (task.command.request, task.control) == ("Status", task.CONTROL_START)
        assert silent.sent_back("task") == []

    with_nodes(scenario)


def test_goodbye_ends_a_node_and_nothing_follows_it():
    async def scenario(peer, hub, connect):
        edge = await connect()
        await edge.register(A)
        edge.send(status(A), goodbye(A))
        await edge.close()
        await until(lambda: hub.states("edge/aaaaaaaa")[-1] == "ended", "ended")
        again = await connect()
        await again.register(A)
        again.send(goodbye(A), plot(A))
        await until(lambda: hub.counts["edge", "not-registered"], "a plot after the goodbye")
        assert await again.register(A)
        assert hub.states("edge/aaaaaaaa") == ["watching", "ended"] * 2 + ["watching"]

    hub = with_nodes(scenario)
    assert hub.all() == []
    assert hub.troubles == {}


def test_what_a_node_says_is_wrong_with_it_is_shown_and_ends_when_it_ends():
    def ill(text):
        message = status(A, system="WARNING")
        report = message.status_report
        report.power.status = StatusReport.POWERSTATUS_FAULT
        report.status.add(status_type="STATUS_TYPE_INTERNAL_FAULT", status_value=text)
        report.status.add(status_type="STATUS_TYPE_WEATHER", status_value="rain")
        return message

    async def scenario(peer, hub, connect):
        edge = await connect()
        await edge.register(A)
        edge.send(ill("fan\x1b[2J\n" + "x" * 500))
        await until(lambda: ("edge/aaaaaaaa", "internal-fault") in hub.troubles, "the fault")
        told = {what: words for (_, what), words in hub.troubles.items()}
        assert set(told) == {"system", "power", "internal-fault"}
        assert told["internal-fault"].isprintable()
        assert len(told["internal-fault"]) < 120
        unchanged = status(A)
        unchanged.status_report.info = StatusReport.INFO_UNCHANGED
        edge.send(unchanged, plot(A))
        await until(lambda: hub.all(), "the plot")
        assert ("edge/aaaaaaaa", "internal-fault") in hub.troubles
        edge.send(status(A))
        await until(lambda: not hub.troubles, "all well again")

    with_nodes(scenario)


def test_an_alert_is_acknowledged_and_shown_until_it_is_cleared():
    def alert(state):
        message = blank(A)
        message.alert.alert_id, message.alert.status = ULID, f"ALERT_STATUS_{state}"
        message.alert.alert_type, message.alert.description = "ALERT_TYPE_CRITICAL", "drone over the mast"
        return message

    async def scenario(peer, hub, connect):
        edge = await connect()
        await edge.register(A)
        edge.send(alert("ACTIVE"))
        await until(lambda: edge.sent_back("alert_ack"), "the ack")
        (ack,) = edge.sent_back("alert_ack")
        assert (ack.alert_id, ack.alert_ack_status) == (ULID, ack.ALERT_ACK_STATUS_ACCEPTED)
        assert hub.troubles["edge/aaaaaaaa", "alert"] == "its alert (critical): drone over the mast"
        edge.send(alert("CLEAR"))
        await until(lambda: ("edge/aaaaaaaa", "alert") not in hub.troubles, "cleared")

    with_nodes(scenario)


def test_an_error_from_a_node_is_counted_and_shown():
    async def scenario(peer, hub, connect):
        edge = await connect()
        await edge.register(A)
        message = blank(A)
        message.error.packet = b"x"
        message.error.error_message.append("what?")
        edge.send(message)
        await until(lambda: ("edge/aaaaaaaa", "error-from-node") in hub.troubles, "shown")

    assert with_nodes(scenario).counts["edge/aaaaaaaa", "error-from-node"] == 1


def test_a_live_node_keeps_its_name():
    async def scenario(peer, hub, connect):
        node, thief = await connect(), await connect()
        await node.register(A, interval_s=500.0)
        thief.send(registration(A, interval_s=500.0))
        await until(lambda: ("edge/aaaaaaaa", "contested") in hub.troubles, "the claim is seen")
        thief.send(plot(A, azimuth=200.0))
        node.send(status(A), plot(A))
        await until(lambda: thief.acks, "the thief is answered")
        assert thief.acks == [False]
        assert "lives" in thief.sent_back("registration_ack")[0].ack_response_reason[0]
        assert not node.ended
        assert hub.states("edge/aaaaaaaa") == ["watching"]
        assert {d.measure.azimuth_deg for d in hub.all()} == {45.0}

    hub = with_nodes(scenario)
    assert hub.counts["edge", "node-connected-already"] == 1


def test_a_node_that_lost_its_power_is_back_within_its_heartbeat():
    """Its old connection is half-open: no end ever comes of it."""

    async def scenario(peer, hub, connect):
        old = await connect()
        await old.register(A, interval_s=0.3)
        old.send(status(A))
        await until(lambda: hub.sensors, "the status")
        new = await connect()
        assert await new.register(A, interval_s=0.3)
        new.send(status(A), plot(A))
        await until(lambda: hub.all(), "data by the new connection")
        await until(lambda: old.ended and dropped(hub), "the old one is dropped")
        assert dropped(hub) == ["replaced by its own node"]
        assert hub.states("edge/aaaaaaaa")[-1] == "watching"

    with_nodes(scenario)


def test_a_held_node_gets_in_when_the_old_connection_ends():
    async def scenario(peer, hub, connect):
        old, new = await connect(), await connect()
        await old.register(A, interval_s=500.0)
        new.send(registration(A, interval_s=500.0))
        await until(lambda: ("edge/aaaaaaaa", "contested") in hub.troubles, "held")
        assert new.acks == []
        await old.close()
        await until(lambda: new.acks == [True], "in")

    with_nodes(scenario)


def test_of_several_names_that_are_held_a_connection_gets_one():
    async def scenario(peer, hub, connect):
        first, second, thief = await connect(), await connect(), await connect()
        await first.register(A, interval_s=500.0)
        await second.register(B, interval_s=500.0)
        thief.send(registration(A, interval_s=500.0), registration(B, interval_s=500.0))
        await until(lambda: ("edge/bbbbbbbb", "contested") in hub.troubles, "both are held")
        await first.close()
        await until(lambda: thief.acks == [True], "one is given")
        await second.close()
        await until(lambda: hub.states("edge/bbbbbbbb")[-1] == "down", "the other is away")
        thief.send(plot(A), plot(B))
        await until(lambda: hub.counts["edge/aaaaaaaa", "not-registered"], "and stays so")
        assert set(hub.taken) == {"edge/aaaaaaaa"}

    with_nodes(scenario)


def test_one_connection_speaks_for_one_node_and_its_dependents():
    async def scenario(peer, hub, connect):
        edge = await connect()
        assert await edge.register(A, ("FUSION_NODE",), dependents=(B,))
        assert await edge.register(B, ("CAMERA",), name="Below")
        assert not await edge.register(C)
        edge.send(plot(B), plot(A))
        await until(lambda: len(hub.all()) == 2, "both")

    hub = with_nodes(scenario)
    assert set(hub.taken) == {"edge/aaaaaaaa", "edge/Below"}
    assert hub.counts["edge", "second-node-on-connection"] == 1


def test_two_nodes_of_one_name_are_two_feeds():
    async def scenario(peer, hub, connect):
        for node in (A, B):
            edge = await connect()
            assert await edge.register(node, name="Mast/../1")

    hub = with_nodes(scenario)
    assert {feed for feed, _, _ in hub.feeds} == {"edge", "edge/Mast .. 1", "edge/Mast .. 1 bbbbbbbb"}


@pytest.mark.parametrize("kind", ["KINETIC", "JAMMER", "CYBER", "LDEW", "RFDEW"])
def test_effectors_are_present_never_tasked_and_heard(kind):
    async def scenario(peer, hub, connect):
        edge = await connect()
        assert await edge.register(A, ("RADAR", kind), interval_s=0.1, takes_requests=True)
        assert "never tasked" in edge.sent_back("registration_ack")[0].ack_response_reason[0]
        state, words = next((state, words) for feed, state, words in hub.feeds if feed == "edge/aaaaaaaa")
        assert (state, words[:21]) == ("connecting", "present, never tasked")
        edge.send(status(A))
        await until(lambda: hub.states("edge/aaaaaaaa")[-1] == "down", "its heartbeat is late")
        edge.send(plot(A))
        await until(lambda: hub.all(), "its detection")
        assert edge.sent_back("task") == []
        assert hub.states("edge/aaaaaaaa")[-1] == "watching"

    with_nodes(scenario)


def test_a_clock_that_is_off_is_told_once_and_its_plots_are_used_at_their_receipt():
    async def scenario(peer, hub, connect):
        edge = await connect()
        await edge.register(A, at=time.time() - 30.0)
        for _ in range(5):
            edge.send(plot(A, at=time.time() - 30.0))
            await asyncio.sleep(0.01)
        await until(lambda: len(hub.all()) == 5, "all used")
        assert len([words for words in edge.errors if "clock" in words]) == 1

    hub = with_nodes(scenario)
    assert hub.counts["edge/aaaaaaaa", "time-out-of-window"] == 5
    assert hub.counts["edge", "time-out-of-window"] == 1
    for found in hub.all():
        assert found.received - 2.0 < found.time <= found.received
        assert found.sigma.range_m > 15.0
    assert all(sent < hub.clock.now() - 29.0 for sent in hub.sent["edge/aaaaaaaa"])


def test_an_absurd_time_is_not_used():
    async def scenario(peer, hub, connect):
        edge = await connect()
        edge.send(registration(A, at=3600.0))
        await until(lambda: edge.errors, "refused")
        await edge.register(A)
        edge.send(plot(A, at=time.time() + 100_000.0), status(A))
        await until(lambda: hub.sensors, "the status behind it")

    hub = with_nodes(scenario)
    assert hub.all() == []
    assert (hub.counts["edge", "time-absurd"], hub.counts["edge/aaaaaaaa", "time-absurd"]) == (1, 1)


def test_strictly_nothing_out_of_the_window_is_used():
    async def scenario(peer, hub, connect):
        edge = await connect()
        await edge.register(A)
        edge.send(plot(A, at=time.time() - 30.0), status(A))
        await until(lambda: hub.sensors, "the status behind it")

    hub = with_nodes(scenario, make(Terms(TimeWindow(strict=True))))
    assert hub.all() == []
    assert hub.counts["edge/aaaaaaaa", "time-out-of-window"] == 1


def test_a_flood_is_shed_the_oldest_first_and_costs_the_node_nothing_else():
    async def scenario(peer, hub, connect):
        flooder, other = await connect(), await connect()
        at = time.time()
        flood = [plot(A, at=at, azimuth=float(n % 360)) for n in range(3000)]
        flooder.send(registration(A), *flood, status(A))
        assert await other.register(B)
        other.send(plot(B))
        await until(lambda: hub.taken.get("edge/bbbbbbbb"), "the other is heard")
        await until(lambda: hub.sensors, "the flooder's heartbeat behind its flood")
        await until(lambda: flooded(hub) + len(hub.taken["edge/aaaaaaaa"]) == 3000, "all told")

    hub = with_nodes(scenario, make(Terms(most_per_s=100)))
    taken = hub.taken["edge/aaaaaaaa"]
    assert 100 <= len(taken) < 1500
    assert taken[-1].measure.azimuth_deg == 2999 % 360


def test_the_nodes_together_have_a_bound_too():
    async def scenario(peer, hub, connect):
        for node in (A, B):
            edge = await connect()
            edge.send(registration(node), *[plot(node) for _ in range(200)])
        await until(lambda: flooded(hub) + len(hub.all()) == 400, "all told")
        assert len(hub.all()) < 300

    with_nodes(scenario, make(Terms(most_per_s=1000), most_together=100))


def test_a_hundred_objects_at_once_are_no_flood():
    async def scenario(peer, hub, connect):
        edge = await connect()
        edge.send(registration(A), *[plot(A) for _ in range(200)])
        await until(lambda: len(hub.all()) == 200, "all")

    assert not with_nodes(scenario).counts


def test_an_oversized_message_ends_the_connection():
    async def scenario(peer, hub, connect):
        edge, other = await connect(), await connect()
        await edge.register(A)
        await other.register(B)
        edge.writer.write(struct.pack("<I", (1 << 20) + 1))
        await until(lambda: edge.ended, "dropped")
        other.send(plot(B))
        await until(lambda: hub.all() and dropped(hub), "the other goes on")
        assert dropped(hub) == ["oversized message"]

    hub = with_nodes(scenario)
    assert hub.states("edge/aaaaaaaa")[-1] == "down"


def test_a_report_that_is_far_too_large_is_not_even_read():
    async def scenario(peer, hub, connect):
        edge = await connect()
        await edge.register(A)
        large = plot(A)
        large.detection_report.colour = "x" * _sapient_session.LARGEST_REPORT
        edge.send(large, plot(A))
        await until(lambda: hub.all(), "the one behind it")
        assert "bytes" in edge.errors[0]

    hub = with_nodes(scenario)
    assert (len(hub.all()), hub.counts["edge/aaaaaaaa", "report-too-large"]) == (1, 1)


def test_registering_again_and_again_is_bounded():
    async def scenario(peer, hub, connect):
        edge = await connect()
        edge.send(*[registration(A) for _ in range(190)])
        await until(lambda: hub.counts["edge/aaaaaaaa", "flooded: registrations"], "bounded")
        edge.send(plot(A))
        await until(lambda: hub.all(), "still heard")

    with_nodes(scenario)


def test_a_message_that_is_never_ended_ends_the_connection():
    async def scenario(peer, hub, connect):
        edge, other = await connect(), await connect()
        await edge.register(A)
        await other.register(B)
        for byte in write_frame(plot(A))[:60]:
            edge.writer.write(bytes([byte]))
            await asyncio.sleep(0.01)
            if edge.ended:
                break
        await until(lambda: edge.ended, "dropped")
        other.send(plot(B))
        await until(lambda: hub.all() and dropped(hub), "the other goes on")
        assert dropped(hub) == ["message not ended"]

    with_nodes(scenario, make(frame_s=0.2))


def test_a_silent_connection_is_dropped_after_three_heartbeats_or_a_minute():
    async def scenario(peer, hub, connect):
        edge = await connect()
        await edge.register(A, interval_s=0.1)
        await until(lambda: edge.ended and dropped(hub), "dropped")
        assert dropped(hub) == ["silent"]

    hub = with_nodes(scenario, make(Terms(idle_s=0.5)))
    assert hub.states("edge/aaaaaaaa")[-1] == "down"


def test_too_many_connections_are_refused_but_those_that_never_registered_make_room():
    async def scenario(peer, hub, connect):
        idle = await connect()
        node = await connect()
        await node.register(A)
        await until(lambda: len(peer._open) == 2, "both are open")
        third = await connect()
        await until(lambda: idle.ended, "the idle one made room")
        await third.register(B)
        late = await connect()
        await until(lambda: late.ended, "refused")
        assert not node.ended

    hub = with_nodes(scenario, make(most_connections=2))
    assert hub.counts["edge", "connection-refused: too many"] == 1
    assert hub.counts["edge", "connection-dropped: made room for another"] == 1


def test_nodes_are_bounded_and_those_that_are_away_make_room():
    async def scenario(peer, hub, connect):
        first, second, third = await connect(), await connect(), await connect()
        await first.register(A)
        await second.register(B)
        assert not await third.register(C)
        first.send(goodbye(A))
        await until(lambda: hub.states("edge/aaaaaaaa")[-1] == "ended", "away")
        assert await third.register(C)

    hub = with_nodes(scenario, make(most_nodes=2))
    assert hub.counts["edge", "too-many-nodes"] == 1


def test_a_node_that_never_reads_holds_up_nobody():
    async def scenario(peer, hub, connect):
        edge, other = await connect(), await connect()
        edge._task.cancel()
        edge.send(registration(A))
        await other.register(B)
        for _ in range(200):
            edge.send(*[registration(A) for _ in range(50)])
            await asyncio.sleep(0)
        other.send(plot(B))
        await until(lambda: hub.all(), "the other goes on")

    with_nodes(scenario)


@pytest.mark.field
def test_the_corpus_goes_through_a_live_connection(field_data):
    """Every valid message of the conformance corpus, at its own old time and at this one."""
    folder = field_data / "protocols" / "sapient"
    files = sorted([*(folder / "valid").glob("*.json"), *(folder / "simulator-edge").glob("*.json")])
    assert len(files) >= 26

    async def scenario(peer, hub, connect):
        edge = await connect()
        await edge.register("a8654cdf-4328-47de-81fa-c495589e30c8", ("CAMERA",))
        for path in sorted(files, key=lambda path: "Goodbye" in path.name):
            message = read_json(path.read_bytes())
            edge.send(message)
            message.node_id = "a8654cdf-4328-47de-81fa-c495589e30c8"
            message.timestamp.GetCurrentTime()
            edge.send(message)
        await until(lambda: hub.states("edge/a8654cdf")[-1:] == ["ended"], "the goodbye")
        assert not edge.ended

    hub = with_nodes(scenario)
    # The samples put a latitude into the easting of a UTM place, and azimuths to an unnamed grid's north.
    assert hub.counts["edge/a8654cdf", "place: out-of-range"] == 2
    assert hub.counts["edge/a8654cdf", "azimuth: from a grid that is not known"] == 1
    assert hub.all() == []


def test_addresses():
    peer = sapient_fusion_peer(FeedConfig(name="edge", url="sapient+tcp-listen://5020?strict=1"), b"secret")
    assert (peer._address.host, peer.port, peer._terms.window.strict) == ("127.0.0.1", 5020, True)
    again = sapient_fusion_peer(FeedConfig(name="edge", url="sapient+tcp-listen://127.0.0.1:5020"), b"secret")
    other = sapient_fusion_peer(FeedConfig(name="edge", url="sapient+tcp-listen://127.0.0.1:5020"))
    assert peer._own_id == again._own_id != other._own_id
    assert is_uuid4(peer._own_id)
    assert is_uuid4(other._own_id)
    assert peer.senses == ("edge",)


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("sapient+tcp-listen://127.0.0.1", "HOST:PORT"),
        ("sapient+tcp-listen://127.0.0.1:5020?node=me", "UUID"),
        ("sapient+tcp-listen://127.0.0.1:5020?strict=yes", "0 or 1"),
        ("sapient+tcp-listen://127.0.0.1:5020?colour=red", "colour"),
        ("sapient+tls-listen://127.0.0.1:5020", "cafile"),
    ],
)
def test_wrong_addresses_are_told(url, what):
    with pytest.raises(ConfigError, match=what):
        sapient_fusion_peer(FeedConfig(name="edge", url=url))


def test_a_port_that_is_taken_is_told_and_tried_again():
    async def scenario(peer, hub, connect):
        second = SapientFusionPeer(
            "again", Address("127.0.0.1", peer.port, {}), own=OWN, key=b"", retry_s=0.01
        )
        task = asyncio.create_task(second.run(hub))
        await until(lambda: hub.states("again")[:2] == ["down", "down"], "told twice")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with_nodes(scenario)
