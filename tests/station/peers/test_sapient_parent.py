"""This station as a SAPIENT node, against a parent that checks every byte, over real sockets."""

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
import struct

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sapient_nodes import PARENT, ULID, Parent
from station_feed_hub import FeedHub, beside, until

from vedette.express.sapient_node import alert_id, node_id, object_id
from vedette.model import Alert, ConfigError, Frame, Identity, Track
from vedette.model.event import Clear, Deliver
from vedette.station.config import FeedConfig
from vedette.station.peers._cot_stream import Certificates, client_context
from vedette.station.peers.sapient_parent import SapientParentPeer, sapient_parent_peer
from vedette.station.ports import Peer
from vedette.station.view import FeedView, RecordView, SiteView, View
from vedette.wire.sapient import write_frame

SECRET = b"s" * 32
COVARIANCE = (34.0, 12.0, 0, 0, 0, 0, 41.0, 0, 0, 0, 0, 9.0, 0, 0, 0, 1.0, 0, 0, 1.0, 0, 1.0)
OK, WARNING, ERROR, GOODBYE = 1, 2, 3, 5
ACTIVE, ACKNOWLEDGED, CLEARED = 1, 2, 5
NEW, UNCHANGED = 1, 2


class SeeingHub(FeedHub):
    """A station that can say how its sensors are."""

    def __init__(self, **more):
        super().__init__(**more)
        self.states = {"radar": "watching"}
        self.mode, self.record = "live", "good"

    def view(self):
        feeds = tuple(
            FeedView(feed=f, state=s, since=0.0, detections=0, quarantined={}, senses=f != "tak")
            for f, s in self.states.items()
        )
        return View(
            at=self.clock.now(), speed=1.0, mode=self.mode, summary="", tracks=(), units=(), alerts=(),
            site=SiteView(name="T", lat_deg=0.0, lon_deg=0.0), feeds=feeds, shed={},
            record=RecordView(state=self.record),
        )  # fmt: skip


def track(name="t17", **changes):
    base = Track(
        id=name, enu_m=(300.0, 400.0, 60.0), velocity_mps=(-12.0, -16.0, 0.0), covariance=COVARIANCE,
        existence=0.99, beliefs={"multirotor": 0.9},
        identity=Identity(scheme="remote-id-serial", id="1581F4X"), trust="unverified",
    )  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def alarm(name="A1", **changes):
    base = Alert(
        time=0.0, alert=name, revision=1, level="warning", state="active-unacked", units=("SGT MILLER",),
        track="t17", behaviour="closing", expires=9e9, bearing_deg=36.9, range_m=512.0,
        text={"en": "Drone closing from NE, 500 m. SGT MILLER"}, acknowledged_by="SGT MILLER",
    )  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def peer_to(parent, **more):
    quick = {"reconnect_s": (0.05, 0.2), "status_s": 60.0, "secret": SECRET}
    return SapientParentPeer("apex", "127.0.0.1", parent.port, **{**quick, **more})


def talk(then, *, parent=None, hub=None, tls=None, ours=None, **more):
    """Run ``then(parent, peer, hub)`` beside the peer; a strict parent must have found no fault."""
    parent, hub = parent or Parent(), hub or FeedHub()

    async def run():
        await parent.start(tls)
        peer = peer_to(parent, tls=ours, **more)
        task = asyncio.create_task(peer.run(hub))
        try:
            await then(parent, peer, hub)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await parent.stop()

    asyncio.run(run())
    assert parent.faults == []
    assert b"MILLER" not in parent.raw


async def accepted(parent, hub):
    """Wait for the first report after the registration."""
    await until(lambda: parent.acked and bool(parent.of("status_report")), "the first status")
    assert hub.feeds[-1][1] == "watching"


async def publish(peer, hub, *tracks):
    hub.tracks = tracks
    await peer.publish(Frame(time=hub.clock.now(), tracks=tracks))


# Registration --------------------------------------------------------------------------------------


def test_registration_acceptance_status_then_tracks():
    async def then(parent, peer, hub):
        await publish(peer, hub, track())
        await accepted(parent, hub)
        await publish(peer, hub, track())
        await until(lambda: bool(parent.of("detection_report")), "a track")
        assert parent.contents() == ["registration", "status_report", "detection_report"]
        assert {message.node_id for message in parent.messages} == {node_id(SECRET)}
        assert parent.of("detection_report")[0].object_id == object_id(SECRET, "t17")
        assert hub.states("apex") == ["connecting", "watching"]
        assert "without encryption" in hub.reason("apex")
        assert hub.live["apex"] == 1
        assert hub.due["apex"] >= 86_400.0

    talk(then)


def test_nothing_is_said_before_the_acceptance():
    async def then(parent, peer, hub):
        hub.alarms = {"A1": alarm()}
        await until(lambda: parent.contents() == ["registration"], "the registration")
        await publish(peer, hub, track())
        parent.send(parent.task(request="Status"), parent.task(request="Registration"))
        await until(lambda: peer.counts["not-used: task"] == 2, "the tasks are heard")
        await asyncio.sleep(0.05)
        assert parent.contents() == ["registration"]
        assert hub.states("apex") == ["connecting"]
        answer = parent.message()
        answer.registration_ack.acceptance = True
        parent.acked = True
        parent.send(answer)
        await until(lambda: "alert" in parent.contents(), "the alert after the acceptance")

    talk(then, parent=Parent(accepts=None))


def test_a_refusal_is_told_with_the_parent_s_reason_and_tried_again():
    async def then(parent, peer, hub):
        await until(lambda: parent.connections >= 3, "three attempts")
        assert set(parent.contents()) == {"registration"}
        reasons = [reason for _, state, reason in hub.feeds if state == "down"]
        assert "the parent refuses our registration: site not known [31m; ask Bob" in reasons[0]
        assert "next attempt in" in reasons[0]
        assert "watching" not in hub.states("apex")

    talk(then, parent=Parent(accepts=False, reasons=("site not known\x1b[31m", "ask Bob")))


def test_a_parent_that_does_not_answer_is_left():
    async def then(parent, peer, hub):
        await until(lambda: "down" in hub.states("apex"), "given up")
        assert "no answer to our registration in 0.1 s" in hub.reason("apex") or parent.connections > 1
        assert any("no answer to our registration" in (r or "") for _, _, r in hub.feeds)

    talk(then, parent=Parent(accepts=None), ack_s=0.1)


def test_a_parent_that_talks_but_does_not_answer_is_left_too():
    async def then(parent, peer, hub):
        async def chatter():
            while True:
                if parent.writer is not None and not parent.writer.is_closing():
                    parent.send(parent.task(request="Status"))
                await asyncio.sleep(0.01)

        chattering = asyncio.create_task(chatter())
        await until(lambda: "down" in hub.states("apex"), "given up")
        chattering.cancel()

    talk(then, parent=Parent(accepts=None), ack_s=0.2)


def test_an_error_for_a_registration_is_shown():
    async def then(parent, peer, hub):
        await until(lambda: bool(parent.messages), "the registration")
        message = parent.message()
        message.error.packet = b"x"
        message.error.error_message.append("registration: icd_version\nis not spoken")
        parent.send(message)
        await until(lambda: ("apex", "parent-error") in hub.troubles, "told")
        told = hub.troubles["apex", "parent-error"]
        assert told == "the parent node objects: registration: icd_version is not spoken"

    talk(then, parent=Parent(accepts=None))


def test_an_acceptance_for_another_node_is_none():
    async def then(parent, peer, hub):
        await until(lambda: bool(parent.messages), "the registration")
        for answer in (parent.message(to=PARENT), parent.message()):
            answer.registration_ack.acceptance = True
            if not answer.HasField("destination_id"):
                answer.node_id = peer.node
            parent.send(answer)
        await until(lambda: peer.counts["in-our-name"] == 1, "heard")
        assert peer.counts["not-for-us"] == 1
        await asyncio.sleep(0.03)
        assert parent.contents() == ["registration"]
        assert hub.live["apex"] == 0

    talk(then, parent=Parent(accepts=None))


def test_the_node_id_stays_over_a_restart():
    seen = set()
    for _ in range(2):

        async def then(parent, peer, hub):
            await accepted(parent, hub)
            seen.add((peer.node, parent.messages[0].node_id))

        talk(then)
    assert seen == {(node_id(SECRET), node_id(SECRET))}


def test_a_configured_node_id_and_name_are_used():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        assert parent.messages[0].node_id == "11111111-1111-4111-8111-111111111111"
        assert parent.of("registration")[0].name == "North gate"

    talk(then, node="11111111-1111-4111-8111-111111111111", node_name="North gate")


# State ---------------------------------------------------------------------------------------------


def test_the_state_is_reported_at_the_registered_interval():
    async def then(parent, peer, hub):
        await until(lambda: len(parent.of("status_report")) >= 4, "four reports")
        reports = parent.of("status_report")
        assert [report.info for report in reports[:4]] == [NEW, UNCHANGED, UNCHANGED, UNCHANGED]
        assert len({report.report_id for report in reports}) == len(reports)
        assert parent.of("registration")[0].status_definition.status_interval.value == pytest.approx(0.05)
        assert reports[0].node_location.x == 8.5

    talk(then, status_s=0.05)


def test_the_state_is_reported_at_once_when_it_changes():
    """The interval is a minute: only the change can be the cause of the second report."""

    async def then(parent, peer, hub):
        await accepted(parent, hub)
        assert parent.of("status_report")[0].system == OK
        hub.states = {"radar": "watching", "camera": "down", "tak": "down"}
        await until(lambda: len(parent.of("status_report")) == 2, "the change")
        hub.states = {"radar": "deaf", "camera": "down"}
        await until(lambda: len(parent.of("status_report")) == 3, "the second change")
        _, second, third = parent.of("status_report")
        assert (second.system, second.info) == (WARNING, NEW)
        assert [item.status_value for item in second.status] == ["1 of 2 drone sensors give no data"]
        assert (third.system, third.info) == (ERROR, NEW)
        assert [item.status_value for item in third.status] == ["none of 2 drone sensors gives data"]

    talk(then, hub=SeeingHub())


def test_a_station_without_sensors_is_not_well():
    hub = SeeingHub()
    hub.states = {"tak": "watching"}
    hub.record = "degraded"

    async def then(parent, peer, hub):
        await accepted(parent, hub)
        report = parent.of("status_report")[0]
        assert report.system == ERROR
        words = [item.status_value for item in report.status]
        assert words == ["no drone sensor is configured", "the record is degraded"]

    talk(then, hub=hub)


def test_a_station_that_cannot_say_does_not_claim_that_its_sensors_are_well():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        report = parent.of("status_report")[0]
        assert [item.status_value for item in report.status] == ["the state of the sensors is not reported"]

    talk(then)


def test_a_picture_that_stands_still_is_an_error():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        await peer.publish(Frame(time=hub.clock.now() - 6.0, tracks=()))
        await until(lambda: len(parent.of("status_report")) == 2, "the change")
        assert parent.of("status_report")[1].system == ERROR
        await peer.publish(Frame(time=hub.clock.now(), tracks=()))
        await until(lambda: len(parent.of("status_report")) == 3, "it moves again")
        assert parent.of("status_report")[2].system == OK

    talk(then, hub=SeeingHub())


@pytest.mark.parametrize("how", ["speed", "mode"])
def test_an_exercise_is_reported_as_one(how):
    hub = SeeingHub(speed=10.0) if how == "speed" else SeeingHub()
    if how == "mode":
        hub.mode = "exercise"

    async def then(parent, peer, hub):
        await accepted(parent, hub)
        await publish(peer, hub, track())
        await until(lambda: bool(parent.of("detection_report")), "a track")
        assert parent.of("status_report")[0].mode == "Exercise"
        assert "exercise" in [item.type for item in parent.of("detection_report")[0].object_info]

    talk(then, hub=hub)


def test_goodbye_is_said():
    parent = Parent()

    async def then(parent, peer, hub):
        await accepted(parent, hub)

    talk(then, parent=parent)
    assert parent.of("status_report")[-1].system == GOODBYE


def test_no_goodbye_to_a_parent_that_never_accepted():
    parent = Parent(accepts=None)

    async def then(parent, peer, hub):
        await until(lambda: bool(parent.messages), "the registration")

    talk(then, parent=parent)
    assert parent.contents() == ["registration"]


def test_goodbye_to_a_parent_that_reads_nothing_does_not_hold_up_the_end():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        parent.writer.transport.pause_reading()

    async def run():
        parent, hub = Parent(), FeedHub()
        await parent.start()
        peer = peer_to(parent, goodbye_s=0.05)
        task = asyncio.create_task(peer.run(hub))
        await then(parent, peer, hub)
        task.cancel()
        done, _ = await asyncio.wait([task], timeout=20.0)
        assert done
        assert task.cancelled()
        await parent.stop()

    asyncio.run(run())


# Tracks --------------------------------------------------------------------------------------------


def test_the_surest_tracks_are_sent_first_and_the_others_counted():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        await publish(peer, hub, *(track(f"t{n}", existence=n / 10) for n in range(1, 6)))
        await until(lambda: len(parent.of("detection_report")) == 3, "three tracks")
        wanted = [object_id(SECRET, name) for name in ("t5", "t4", "t3")]
        assert [report.object_id for report in parent.of("detection_report")] == wanted
        assert peer.counts["tracks-beyond-limit"] == 2

    talk(then, most_tracks=3)


def test_tracks_come_every_second_but_never_too_close():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        await publish(peer, hub, track())
        await until(lambda: len(parent.of("detection_report")) == 1, "a track")
        await publish(peer, hub, track())
        await until(lambda: peer.counts["picture-too-soon"] == 1, "held back")
        await asyncio.sleep(0.1)
        await publish(peer, hub, track())
        await until(lambda: len(parent.of("detection_report")) == 2, "a second report")
        first, second = parent.of("detection_report")
        assert first.object_id == second.object_id
        assert first.report_id != second.report_id

    talk(then)


def test_a_track_that_is_nowhere_is_left_out():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        hub.alarms = {"A1": alarm(track="lost")}
        await publish(peer, hub, track("lost", enu_m=(float("nan"), 0.0, 0.0)), track())
        await until(lambda: bool(parent.of("detection_report")) and bool(parent.of("alert")), "the other")
        assert len(parent.of("detection_report")) == 1
        assert peer.counts["track-not-on-earth"] == 1
        assert peer.counts["alert-place-not-on-earth"] == 1
        assert not parent.of("alert")[0].HasField("location")

    talk(then)


def test_a_feed_may_be_for_alerts_only():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        hub.alarms = {"A1": alarm()}
        await publish(peer, hub, track())
        await until(lambda: bool(parent.of("alert")), "the alert")
        await asyncio.sleep(0.03)
        assert not parent.of("detection_report")
        assert parent.of("alert")[0].HasField("location")

    talk(then, publish_tracks=False)


# Alerts --------------------------------------------------------------------------------------------


def test_an_alert_is_raised_upgraded_acknowledged_and_cleared():
    steps = [
        alarm(),
        alarm(revision=2, level="imminent"),
        alarm(revision=2, level="imminent", state="active-acked", reason="acknowledged by SGT MILLER"),
        alarm(revision=2, level="imminent", state="cleared", reason="drone moved away"),
    ]

    async def then(parent, peer, hub):
        await accepted(parent, hub)
        for number, step in enumerate(steps, start=1):
            hub.alarms = {"A1": step}
            await publish(peer, hub, track())
            await publish(peer, hub, track())
            await until(lambda n=number: len(parent.of("alert")) == n, f"step {number}")
        await asyncio.sleep(0.03)
        alerts = parent.of("alert")
        assert [a.status for a in alerts] == [ACTIVE, ACTIVE, ACKNOWLEDGED, CLEARED]
        assert [a.priority for a in alerts] == [2, 3, 3, 3]
        assert {a.alert_id for a in alerts} == {alert_id(SECRET, "A1")}
        assert alerts[0].associated_detection[0].object_id == object_id(SECRET, "t17")

    talk(then)


def test_the_worst_alert_goes_first():
    async def then(parent, peer, hub):
        await until(lambda: bool(parent.messages), "the registration")
        levels = {"A1": "advisory", "A2": "imminent", "A3": "warning"}
        hub.alarms = {name: alarm(name, level=level) for name, level in levels.items()}
        hub.alarms["A4"] = alarm("A4", level="imminent", state="cleared")
        await publish(peer, hub)
        answer = parent.message()
        answer.registration_ack.acceptance = parent.acked = True
        parent.send(answer)
        await until(lambda: len(parent.of("alert")) == 4, "all alerts")
        wanted = [alert_id(SECRET, name) for name in ("A2", "A3", "A1", "A4")]
        assert [a.alert_id for a in parent.of("alert")] == wanted

    talk(then, parent=Parent(accepts=None))


def test_open_alerts_are_told_again_to_a_parent_that_comes_back():
    """It may have forgotten them; an end it was told of is not told again, one that it missed is."""

    async def then(parent, peer, hub):
        await accepted(parent, hub)
        hub.alarms = {
            "A1": alarm("A1"), "A2": alarm("A2", state="cleared"), "A3": alarm("A3", level="imminent"),
        }  # fmt: skip
        await publish(peer, hub)
        await until(lambda: len(parent.of("alert")) == 3, "three alerts")
        parent.writer.transport.abort()
        await until(lambda: "down" in hub.states("apex"), "down")
        hub.alarms["A3"] = alarm("A3", level="imminent", state="cleared")
        await publish(peer, hub)
        await until(lambda: len(parent.of("alert")) == 5, "told again")
        await asyncio.sleep(0.03)
        again = [(a.alert_id, a.status) for a in parent.of("alert")[3:]]
        assert again == [(alert_id(SECRET, "A1"), ACTIVE), (alert_id(SECRET, "A3"), CLEARED)]

    talk(then)


def test_an_alert_does_not_wait_for_the_end_of_a_picture():
    """A parent that reads slowly has most of a picture still before it when the alert comes."""
    hub = FeedHub()
    peer = SapientParentPeer("apex", "127.0.0.1", 1, secret=SECRET)
    said = []

    class SlowLink:
        async def send(self, message):
            said.append(message.WhichOneof("content"))
            if len(said) == 2:
                hub.alarms = {"A1": alarm()}
                await peer.publish(Frame(time=hub.clock.now(), tracks=()))

    async def run():
        task = asyncio.create_task(peer.run(hub))
        await until(lambda: "down" in hub.states("apex"), "it began")
        peer._frame = Frame(time=hub.clock.now(), tracks=tuple(track(f"t{n}") for n in range(4)))
        await peer._say_picture(SlowLink())
        task.cancel()

    asyncio.run(run())
    assert said == ["detection_report"] * 2 + ["alert"] + ["detection_report"] * 2


def test_the_acknowledgement_of_a_node_is_no_receipt():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        hub.alarms = {"A1": alarm()}
        await publish(peer, hub)
        await until(lambda: bool(parent.of("alert")), "the alert")
        for status, name in ((2, alert_id(SECRET, "A1")), (1, alert_id(SECRET, "A1")), (1, ULID)):
            message = parent.message(to=peer.node)
            message.alert_ack.alert_id, message.alert_ack.alert_ack_status = name, status
            message.alert_ack.reason.append("region\x00 unknown")
            parent.send(message)
        await until(lambda: peer.counts["alert_ack"] == 3, "three answers")
        assert peer.counts["alert-ack: accepted"] == 1
        assert peer.counts["alert-ack: not accepted"] == 1
        assert peer.counts["alert-ack: unknown alert"] == 1
        assert hub.receipts == []
        assert hub.actions == []
        assert hub.troubles == {}

    talk(then)


def test_a_parent_that_does_not_take_alerts_is_told_at_the_desk():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        hub.alarms = {"A1": alarm()}
        await publish(peer, hub)
        await until(lambda: bool(parent.of("alert")), "the alert")
        message = parent.message()
        message.alert_ack.alert_id, message.alert_ack.alert_ack_status = alert_id(SECRET, "A1"), 2
        parent.send(message)
        await until(lambda: bool(hub.troubles), "told")
        assert hub.troubles == {
            ("apex", "alerts-refused"): "the parent node does not take our alert: no reason given"
        }

    talk(then)


def test_nobody_is_warned_by_a_parent_node():
    peer = SapientParentPeer("apex", "127.0.0.1", 1, secret=SECRET)
    delivery = Deliver(alert=alarm(), recipients=("U",), rule="r", roster_version=1)
    assert not peer.reaches("U")
    with pytest.raises(ConnectionError):
        asyncio.run(peer.deliver(delivery, "U"))
    with pytest.raises(ConnectionError):
        asyncio.run(peer.clear(Clear(alert=alarm(), recipients=("U",)), "U"))
    assert peer.senses == ()


def test_a_picture_before_the_station_runs_is_nothing():
    peer = SapientParentPeer("apex", "127.0.0.1", 1, secret=SECRET)
    asyncio.run(peer.publish(Frame(time=0.0, tracks=(track(),))))
    assert not peer.counts


# What the parent says ------------------------------------------------------------------------------


def test_a_request_is_acknowledged_and_answered():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        parent.send(parent.task(to=peer.node, request="Registration"), parent.task(request=" STATUS "))
        await until(lambda: len(parent.messages) == 6, "two answers each")
        assert parent.contents()[2:] == ["task_ack", "registration", "task_ack", "status_report"]
        for message in parent.messages:
            if message.WhichOneof("content") == "task_ack":
                assert message.destination_id == PARENT
                assert (message.task_ack.task_id, message.task_ack.task_status) == (ULID, 1)
        assert peer.counts["task-refused"] == 0

    talk(then)


def test_a_second_refusal_ends_the_connection():
    """Asked to register again and then refused: it is not taken as still accepted."""

    async def then(parent, peer, hub):
        await accepted(parent, hub)
        parent.accepts, parent.reasons = False, ("changed my mind",)
        parent.send(parent.task(request="Registration"))
        await until(lambda: "down" in hub.states("apex"), "down")
        assert any("refuses our registration: changed my mind" in (r or "") for _, _, r in hub.feeds)

    talk(then)


def test_an_error_is_shown_and_goes_away():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        message = parent.message()
        message.error.packet = b""
        message.error.error_message.append("x" * 500)
        parent.send(message)
        await until(lambda: bool(hub.troubles), "told")
        told = hub.troubles["apex", "parent-error"]
        assert told == f"the parent node objects: {'x' * 80}"
        ahead = hub.clock.now
        hub.clock.now = lambda: ahead() + 61.0
        await publish(peer, hub)
        assert not hub.troubles
        hub.clock.now = ahead

    talk(then)


def parent_alert(parent, name, words, status=1):
    message = parent.message()
    message.alert.alert_id, message.alert.status, message.alert.description = name, status, words
    return message


def test_alerts_of_the_parent_are_answered_and_shown_until_they_end():
    other = ULID[:-1] + "3"

    async def then(parent, peer, hub):
        await accepted(parent, hub)
        parent.send(parent_alert(parent, ULID, "swarm\u202e in the north\n" + "y" * 500))
        await until(lambda: len(parent.of("alert_ack")) == 1, "the first answer")
        told = hub.troubles["apex", "parent-alert"]
        assert told.startswith("alert from the parent node: swarm  in the north yyy")
        assert told.isprintable()
        assert len(told) <= 120
        parent.send(parent_alert(parent, other, "fire"))
        await until(lambda: len(parent.of("alert_ack")) == 2, "the second answer")
        assert hub.troubles["apex", "parent-alert"] == "alert from the parent node: fire (and 1 more)"
        parent.send(parent_alert(parent, other, "", 5), parent_alert(parent, ULID, "", 5))
        await until(lambda: len(parent.of("alert_ack")) == 4, "the ends are answered")
        assert not hub.troubles
        answers = [(a.alert_id, a.alert_ack_status) for a in parent.of("alert_ack")]
        assert answers == [(ULID, 1), (other, 1), (other, 1), (ULID, 1)]
        assert hub.receipts == hub.actions == []
        assert not hub.taken

    talk(then)


def test_alerts_of_a_parent_are_bounded():
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

    async def then(parent, peer, hub):
        await accepted(parent, hub)
        for letter in letters:
            parent.send(parent_alert(parent, ULID[:-1] + letter, letter))
        await until(lambda: len(parent.of("alert_ack")) == len(letters), "all are answered")
        assert hub.troubles["apex", "parent-alert"] == "alert from the parent node: Z (and 15 more)"

    talk(then)


def test_a_goodbye_of_the_parent_is_told():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        message = parent.message()
        report = message.status_report
        report.report_id, report.system, report.info, report.mode = ULID, GOODBYE, NEW, "m"
        parent.send(message)
        await until(lambda: bool(hub.troubles), "told")
        assert hub.troubles["apex", "parent-error"] == "the parent node said goodbye"

    talk(then)


def test_detections_of_a_parent_are_not_used():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        await publish(peer, hub, track())
        await until(lambda: bool(parent.of("detection_report")), "a track")
        message = parent.message()
        message.detection_report.CopyFrom(parent.of("detection_report")[0])
        parent.send(message)
        await until(lambda: peer.counts["not-used: detection_report"] == 1, "counted")
        assert not hub.taken

    talk(then)


def test_a_message_that_cannot_be_used_is_answered_with_an_error():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        bad = parent.message()
        bad.task.task_id = "not a ulid"
        parent.send(bad)
        await until(lambda: len(parent.of("error")) == 1, "the error")
        answer = parent.of("error")[0]
        assert answer.packet == bad.SerializeToString(deterministic=True)
        assert any("task.task_id" in text for text in answer.error_message)
        assert parent.messages[-1].destination_id == PARENT
        parent.writer.write(struct.pack("<I", 4) + b"\xff" * 4)
        await until(lambda: ("apex", "not-protobuf") in hub.counts, "quarantined")
        assert hub.counts["apex", "invalid: missing"] + hub.counts["apex", "invalid: bad-ulid"] == 1
        assert peer.counts["error-reply-withheld"] == 1
        assert hub.live["apex"] == 1
        assert len(parent.of("error")) == 1

    talk(then)


def test_an_error_is_never_answered_with_an_error():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        bad = parent.message()
        bad.error.packet = b"x"
        parent.send(bad)
        await until(lambda: ("apex", "invalid: missing") in hub.counts, "quarantined")
        await asyncio.sleep(0.03)
        assert not parent.of("error")

    talk(then)


# Connections that go wrong -------------------------------------------------------------------------


def test_a_flood_is_shed_before_it_is_read():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        parent.send(*[parent.task(look_at=parent.task().task.command.look_at) for _ in range(2000)])
        await until(lambda: hub.counts["apex", "flooded"] >= 1000, "shed")
        heard = hub.live["apex"] + hub.counts["apex", "invalid: missing"]
        assert heard + hub.counts["apex", "flooded"] <= 2001
        await publish(peer, hub, track())
        await until(lambda: bool(parent.of("detection_report")), "it goes on")

    talk(then)


def test_a_parent_that_dies_in_the_middle_of_a_message():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        parent.writer.write(write_frame(parent.task(request="Status"))[:20])
        parent.writer.write_eof()
        await until(lambda: "down" in hub.states("apex"), "down")
        told = next(reason for _, state, reason in hub.feeds if state == "down")
        assert "closed the connection in the middle of a message (20 bytes lost)" in told
        await until(lambda: parent.connections == 2, "connected again")
        await until(lambda: hub.states("apex")[-1] == "watching", "registered again")
        assert parent.contents()[-2:] == ["registration", "status_report"]

    talk(then)


def test_a_message_that_is_too_long_ends_the_connection():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        parent.writer.write(struct.pack("<I", 0x7FFF_FFFF))
        await until(lambda: "down" in hub.states("apex"), "down")
        assert any("2147483647 bytes is announced" in (reason or "") for _, _, reason in hub.feeds)

    talk(then)


def test_a_message_that_never_ends_ends_the_connection():
    async def then(parent, peer, hub):
        await accepted(parent, hub)
        parent.writer.write(struct.pack("<I", 100) + b"x")
        await until(lambda: "down" in hub.states("apex"), "down")
        assert any("begun and not ended" in (reason or "") for _, _, reason in hub.feeds)

    talk(then, frame_s=0.1)


def test_nobody_there_is_tried_again_with_longer_pauses():
    async def run():
        gone = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
        port = gone.sockets[0].getsockname()[1]
        gone.close()
        await gone.wait_closed()
        hub = FeedHub()
        peer = SapientParentPeer("apex", "127.0.0.1", port, secret=SECRET, reconnect_s=(0.01, 0.02))
        task = asyncio.create_task(peer.run(hub))
        await until(lambda: hub.states("apex").count("down") >= 4, "four attempts")
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        assert "cannot connect" in hub.reason("apex") or hub.states("apex")[-1] == "connecting"

    asyncio.run(run())


def test_a_parent_that_never_reads_holds_up_nothing_and_loses_no_alert():
    """The picture is dropped, the alert waits and reaches the parent that reads again."""

    async def then(parent, peer, hub):
        await accepted(parent, hub)
        parent.writer.transport.pause_reading()
        parent.reads = False
        many = [track(f"t{n}") for n in range(200)]
        for _ in range(3000):
            hub.tracks = tuple(many)
            await asyncio.wait_for(peer.publish(Frame(time=hub.clock.now(), tracks=hub.tracks)), 5.0)
            await asyncio.sleep(0.005)
            if "down" in hub.states("apex"):
                break
        assert any("took nothing for" in (reason or "") for _, _, reason in hub.feeds)
        assert peer.counts["picture-skipped"] > 0
        hub.tracks = ()
        hub.alarms = {"A1": alarm(level="imminent")}
        await publish(peer, hub)
        parent.reads = True
        parent.messages.clear()
        await until(lambda: bool(parent.of("alert")), "the alert")
        assert parent.of("alert")[0].alert_id == alert_id(SECRET, "A1")

    talk(then, send_timeout_s=0.2)


# TLS -----------------------------------------------------------------------------------------------


def make_certificate(folder, name, issuer=None, key=None):
    """A PEM certificate and key; the authority's own if there is no issuer."""
    own = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    addresses = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .sign(key or own, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        own.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return certificate, own


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("sapient-tls")
    authority, key = make_certificate(place, "authority")
    make_certificate(place, "parent", authority, key)
    make_certificate(place, "vedette", authority, key)
    make_certificate(place, "stranger")
    return place


def parent_tls(folder):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(folder / "parent.pem", folder / "parent.key")
    context.load_verify_locations(folder / "authority.pem")
    return context


def our_tls(folder, own="vedette", authority="authority"):
    files = Certificates(
        cafile=str(folder / f"{authority}.pem"),
        certfile=str(folder / f"{own}.pem"),
        keyfile=str(folder / f"{own}.key"),
    )
    return client_context("apex", files, check_hostname=True)


def test_over_tls_with_certificates_of_both(folder):
    parent = Parent()

    async def then(parent, peer, hub):
        await accepted(parent, hub)
        await publish(peer, hub, track())
        await until(lambda: bool(parent.of("detection_report")), "a track")
        assert hub.reason("apex") is None

    talk(then, parent=parent, tls=parent_tls(folder), ours=our_tls(folder))
    assert parent.of("status_report")[-1].system == GOODBYE


def test_a_parent_that_does_not_believe_our_certificate(folder):
    async def then(parent, peer, hub):
        await until(lambda: "down" in hub.states("apex"), "down")
        assert "watching" not in hub.states("apex")
        assert any("does it accept our certificate?" in (r or "") for _, _, r in hub.feeds)

    talk(then, tls=parent_tls(folder), ours=our_tls(folder, own="stranger"))


def test_a_parent_whose_certificate_is_not_believed(folder):
    async def then(parent, peer, hub):
        await until(lambda: "down" in hub.states("apex"), "down")
        assert any("its certificate was refused" in (r or "") for _, _, r in hub.feeds)
        assert not parent.messages

    talk(then, tls=parent_tls(folder), ours=our_tls(folder, authority="stranger"))


# Configuration -------------------------------------------------------------------------------------


def made(url, **more):
    return sapient_parent_peer(FeedConfig(name="apex", url=url, **more), SECRET)


def test_a_feed_makes_a_peer():
    peer: Peer = made("sapient+tcp://127.0.0.1:5020?name=North%20gate&status_s=2.5")
    assert isinstance(peer, SapientParentPeer)
    assert (peer.name, peer.node, peer.senses) == ("apex", node_id(SECRET), ())
    assert made("sapient+tcp://h:1?node=11111111-1111-4111-8111-111111111111").node.startswith("1111")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("sapient+tcp://host", "is not sapient"),
        ("sapient+tcp://:5020", "is not sapient"),
        ("sapient+tcp://host:99999", "is not an address"),
        ("sapient+tcp://host:5020/path", "is not sapient"),
        ("sapient+tcp://host:5020?colour=red", "unknown colour"),
        ("sapient+tcp://host:5020?name=", "has no value"),
        ("sapient+tcp://host:5020?name=%0A", "printable"),
        ("sapient+tcp://host:5020?name=" + "x" * 81, "printable"),
        ("sapient+tcp://host:5020?node=1", "UUID"),
        ("sapient+tcp://host:5020?node=11111111-1111-1111-8111-111111111111", "UUID"),
        ("sapient+tcp://host:5020?status_s=0", "status_s=0"),
        ("sapient+tcp://host:5020?status_s=nan", "status_s=nan"),
        ("sapient+tcp://host:5020?status_s=soon", "status_s=soon"),
        ("sapient+tls://host:5020", "needs cafile"),
    ],
)
def test_a_bad_feed_is_refused_in_words(url, why):
    with pytest.raises(ConfigError, match=why):
        made(url)


def test_a_feed_over_tls_needs_files_that_can_be_read(folder):
    with pytest.raises(ConfigError, match="cannot load"):
        made("sapient+tls://host:5020", ca_file=str(folder / "missing.pem"))
    peer = made(
        "sapient+tls://host:5020",
        ca_file=str(folder / "authority.pem"),
        cert_file=str(folder / "vedette.pem"),
        key_file=str(folder / "vedette.key"),
    )
    assert peer.name == "apex"


def test_a_peer_that_is_cancelled_while_it_waits_ends():
    peer = SapientParentPeer("apex", "127.0.0.1", 1, secret=SECRET, reconnect_s=(60.0, 60.0))
    hub = FeedHub()

    async def then():
        await until(lambda: "down" in hub.states("apex"), "down")

    beside(peer.run(hub), then)
