"""What is answered to a parent node, to which of its tasks, and which alerts it is still owed."""

import json
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sapient_msg.bsi_flex_335_v2_0.task_pb2 import Task
from station_feed_hub import SITE, FeedHub

from vedette.express.sapient import Condition
from vedette.express.sapient_node import Node, node_id
from vedette.model import Alert
from vedette.station.peers._parent_alerts import AlertLedger, mark_of
from vedette.station.peers._parent_dialogue import (
    MOST_REPLIES,
    REFUSAL,
    REQUESTS,
    Dialogue,
    Refused,
    condition_of,
    printable,
    request_of,
)
from vedette.station.view import ClockView, FeedView, RecordView, SiteView, View
from vedette.wire.sapient import SapientMessage, read_json, validate, write_message

SECRET = b"s" * 32
PARENT = "a8654cdf-4328-47de-81fa-c495589e30c8"
ULID = "01GGYFBAXGDG7AGAHRZ6XSNY12"
US = node_id(SECRET)
START = Task.CONTROL_START


def dialogue(registered=True):
    hub = FeedHub()
    made = Dialogue("apex", Node(id=US, name="VEDETTE", site=SITE, key=SECRET), 200)
    made.open(hub)
    made.begin()
    if registered:
        made.hear(acceptance())
        assert made.registered
    return made, hub


def message():
    """At a fixed time: its length must not differ from one run to the next."""
    made = SapientMessage(node_id=PARENT)
    made.timestamp.seconds = 1_795_000_000
    return made


def acceptance(accepted=True):
    made = message()
    made.registration_ack.acceptance = accepted
    return write_message(made)


def place(location):
    location.x, location.y, location.coordinate_system, location.datum = 8.5, 47.2, 1, 1


def cone(field):
    place(field.location_list.locations.add())


COMMANDS = {
    "request": lambda command: setattr(command, "request", "Registration"),
    "detection_threshold": lambda command: setattr(
        command, "detection_threshold", Task.DISCRETE_THRESHOLD_LOW
    ),
    "detection_report_rate": lambda command: setattr(command, "detection_report_rate", 1),
    "classification_threshold": lambda command: setattr(command, "classification_threshold", 1),
    "mode_change": lambda command: setattr(command, "mode_change", "Exercise"),
    "look_at": lambda command: cone(command.look_at),
    "move_to": lambda command: place(command.move_to.locations.add()),
    "patrol": lambda command: place(command.patrol.locations.add()),
    "follow": lambda command: setattr(command.follow, "follow_object_id", ULID),
}
"""Every command that the standard knows, each as a message that conforms."""


def task(kind="request", control=START, request=None):
    made = message()
    made.task.task_id, made.task.control = ULID, control
    COMMANDS[kind](made.task.command)
    if request is not None:
        made.task.command.request = request
    assert validate(made) == []
    return made


def replies(made, *frames):
    for frame in frames:
        made.hear(frame if isinstance(frame, bytes) else write_message(frame))
    found = list(made.replies)
    made.replies.clear()
    assert not any(validate(reply) for reply in found)
    return found


def contents(found):
    return [reply.WhichOneof("content") for reply in found]


# Tasks ---------------------------------------------------------------------------------------------


def test_the_commands_above_are_all_there_are():
    oneof = Task.Command.DESCRIPTOR.oneofs_by_name["command"]
    assert {field.name for field in oneof.fields} == set(COMMANDS)


def test_the_allow_list_is_two_requests():
    """Whoever adds one has to say here why it is no control."""
    assert REQUESTS == {"registration": "registration", "status": "status"}


@pytest.mark.parametrize("kind", sorted(set(COMMANDS) - {"request"}))
@pytest.mark.parametrize("control", [1, 2, 3])
def test_every_other_command_is_refused_and_changes_nothing(kind, control):
    made, hub = dialogue()
    before = made.status().status_report
    (answer,) = replies(made, task(kind, control))
    assert answer.task_ack.task_status == 2
    assert list(answer.task_ack.reason) == [REFUSAL] == ["not supported: warning system, no control"]
    assert (answer.task_ack.task_id, answer.destination_id) == (ULID, PARENT)
    after = made.status().status_report
    assert (before.mode, before.system) == (after.mode, after.system)
    assert made.counts["task-refused"] == 1
    assert (hub.actions, hub.receipts, hub.taken, hub.sensors) == ([], [], {}, {})


@pytest.mark.parametrize("request_text", ["Reset", "Start", "Stop", "Shutdown", "", "Status; Stop", "Disarm"])
def test_every_other_request_is_refused(request_text):
    made, _ = dialogue()
    (answer,) = replies(made, task(request=request_text))
    assert answer.task_ack.task_status == 2


@pytest.mark.parametrize("control", [2, 3])
def test_a_request_cannot_be_stopped_or_paused(control):
    made, _ = dialogue()
    (answer,) = replies(made, task(control=control))
    assert answer.task_ack.task_status == 2


@pytest.mark.parametrize(
    ("text", "follows"),
    [("Registration", "registration"), ("status", "status_report"), (" STATUS ", "status_report")],
)
def test_the_two_requests_are_answered(text, follows):
    made, _ = dialogue()
    found = replies(made, task(request=text))
    assert contents(found) == ["task_ack", follows]
    assert found[0].task_ack.task_status == 1


def test_a_task_with_a_region_and_no_command_is_refused():
    made, _ = dialogue()
    asked = message()
    asked.task.task_id, asked.task.control = ULID, START
    region = asked.task.region.add(type=1, region_id=ULID, region_name="Car Park")
    cone(region.region_area)
    assert validate(asked) == []
    (answer,) = replies(made, asked)
    assert answer.task_ack.task_status == 2


@given(st.text(max_size=40))
def test_only_the_two_names_are_requests(text):
    wanted = request_of(Task(control=START, command=Task.Command(request=text)))
    assert wanted == (text.strip().lower() if text.strip().lower() in ("registration", "status") else None)


@pytest.mark.field
def test_the_tasks_of_the_corpus(field_data):
    """Of all tasks in Dstl's test harness, only Registration and Status are done."""
    done, refused = set(), set()
    folder = field_data / "protocols" / "sapient"
    for path in sorted([*folder.glob("valid/Task.*.json"), *folder.glob("simulator-fusion/*.Task.*.json")]):
        text = path.read_text(encoding="utf-8-sig")
        asked = read_json(json.dumps(json.loads(text) | {"destinationId": US}))
        made, _ = dialogue()
        found = replies(made, asked)
        (done if found[0].task_ack.task_status == 1 else refused).add(path.name)
    assert {name.rsplit("Request.")[-1] for name in done} == {"Registration.json", "Status.json"}
    assert len(done) == 4
    assert len(refused) >= 20


def test_a_flood_of_tasks_has_the_latest_answers_only():
    made, _ = dialogue()
    found = replies(made, *[task(request="Stop") for _ in range(MOST_REPLIES + 44)])
    assert len(found) == MOST_REPLIES
    assert made.counts["reply-shed"] == 44


# What comes otherwise ------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_break_it(data, registered):
    made, _ = dialogue(registered)
    made.hear(data)
    assert all(not validate(reply) for reply in made.replies)
    assert len(made.replies) <= 2


@settings(deadline=None)
@given(st.data())
def test_no_damaged_message_breaks_it(data):
    made, _ = dialogue()
    good = [task(kind) for kind in COMMANDS]
    for content in ("alert", "alert_ack", "error", "status_report", "detection_report", "registration"):
        other = message()
        getattr(other, content).SetInParent()
        good.append(other)
    frame = bytearray(write_message(data.draw(st.sampled_from(good))))
    for _ in range(data.draw(st.integers(0, 4))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    try:
        made.hear(bytes(frame))
    except Refused:
        assert made.counts["registration_ack"] == 1
    assert all(not validate(reply) for reply in made.replies)


def test_a_refusal_says_why():
    made, _ = dialogue(registered=False)
    with pytest.raises(Refused, match="no reason given"):
        made.hear(acceptance(accepted=False))
    assert not made.registered


def test_nothing_is_answered_before_the_acceptance():
    made, hub = dialogue(registered=False)
    bad = message()
    alert = message()
    alert.alert.alert_id = ULID
    assert replies(made, task(), bad, b"\xff", alert) == []
    assert hub.counts["apex", "invalid: missing"] == 1
    assert hub.counts["apex", "not-protobuf"] == 1
    assert not hub.troubles


def test_the_sender_s_time_is_told_as_station_time():
    made, hub = dialogue()
    sent = message()
    sent.timestamp.FromNanoseconds(int((time.time() - 3.0) * 1e9))
    sent.alert.alert_id = ULID
    replies(made, sent)
    assert hub.clock.now() - hub.sent["apex"][-1] == pytest.approx(3.0, abs=2.0)


def test_what_strangers_write_is_made_harmless():
    assert printable("a\x00b\x1b[31m\u202ec\n" + "d" * 100) == f"a b [31m c {'d' * 69}"
    assert printable("\n\n") == ""


# The station's condition ---------------------------------------------------------------------------


def view(*states, **more):
    feeds = tuple(
        FeedView(feed=f"SGT MILLER {n}", state=s, since=0.0, detections=0, quarantined={}, senses=True)
        for n, s in enumerate(states)
    )
    base = View(
        at=0.0, speed=1.0, mode="live", site=SiteView(name="T", lat_deg=0.0, lon_deg=0.0), summary="",
        tracks=(), units=(), alerts=(), feeds=feeds, record=RecordView(state="good"), shed={},
    )  # fmt: skip
    return msgspec.structs.replace(base, **more)


def notes(*states, **more):
    return [
        (level, words) for _, level, words in condition_of(view(*states, **more), stands_still=False).notes
    ]


def test_all_is_well_only_if_every_sensor_watches():
    assert condition_of(view("watching", "watching"), stands_still=False) == Condition()
    assert notes("watching", "degraded") == [("warning", "1 of 2 drone sensors are degraded")]
    assert notes("watching", "deaf", "degraded") == [
        ("warning", "1 of 3 drone sensors give no data"),
        ("warning", "1 of 3 drone sensors are degraded"),
    ]
    for silent in ("connecting", "deaf", "down", "ended"):
        assert notes(silent) == [("error", "none of 1 drone sensors gives data")]


def test_the_record_and_the_clock_are_part_of_it():
    assert notes("watching", record=RecordView(state="degraded")) == [("warning", "the record is degraded")]
    clock = ClockView(state="unsynchronised", words="SGT MILLER")
    assert notes("watching", clock=clock) == [("warning", "the clock is not synchronised")]


# Alerts that are owed ------------------------------------------------------------------------------


def alarm(name="A1", **changes):
    base = Alert(
        time=0.0, alert=name, revision=1, level="warning", state="active-unacked", units=("U",), track="t",
        behaviour="closing", text={}, expires=9e9, bearing_deg=0.0, range_m=1.0,
    )  # fmt: skip
    return msgspec.structs.replace(base, **changes)


def drained(ledger):
    found = []
    while (alert := ledger.next()) is not None:
        ledger.took(alert)
        found.append(alert.alert)
    return found


def test_the_worst_first_and_ends_last():
    ledger = AlertLedger()
    ledger.note(
        [alarm("A", level="advisory"), alarm("B", level="imminent"), alarm("C", state="cleared"), alarm("D")]
    )
    assert drained(ledger) == ["B", "D", "A", "C"]
    assert len(ledger) == 0


def test_what_is_told_is_not_told_again_until_it_is_news():
    ledger = AlertLedger()
    for changes, news in (
        ({}, True),
        ({}, False),
        ({"reason": "other words"}, False),
        ({"state": "active-acked"}, True),
        ({"state": "active-acked", "revision": 2}, True),
        ({"state": "active-acked", "revision": 2, "level": "imminent"}, True),
    ):
        ledger.note([alarm(**changes)])
        assert drained(ledger) == (["A1"] if news else [])


def test_a_newer_revision_takes_the_place_of_one_that_waits():
    ledger = AlertLedger()
    for revision in (1, 2, 3, 3):
        ledger.note([alarm(revision=revision)])
    assert len(ledger) == 1
    assert ledger.next().revision == 3
    assert ledger.counts == {"superseded": 2}


def test_a_revision_that_came_while_the_last_was_sent_still_waits():
    ledger = AlertLedger()
    ledger.note([alarm()])
    sending = ledger.next()
    ledger.note([alarm(revision=2)])
    ledger.took(sending)
    assert ledger.next().revision == 2


def test_an_end_waits_though_the_station_has_forgotten_it():
    ledger = AlertLedger()
    ledger.note([alarm(state="cleared")])
    ledger.note([])
    assert drained(ledger) == ["A1"]


def test_without_room_the_least_urgent_are_shed_and_come_back():
    ledger = AlertLedger(most=3)
    all_of_them = [
        alarm("A", state="cleared"), alarm("B", level="advisory"), alarm("C", level="imminent"),
        alarm("D"), alarm("E", level="imminent"),
    ]  # fmt: skip
    ledger.note(all_of_them)
    assert ledger.counts["shed"] == 2
    assert drained(ledger) == ["E", "C", "D"]
    ledger.note(all_of_them)
    assert drained(ledger) == ["B", "A"]


STATES = ("active-unacked", "active-acked", "returned-unacked", "cleared")
LEVELS = ("imminent", "warning", "advisory")
HELD = st.dictionaries(
    st.sampled_from("ABCDEF"),
    st.tuples(st.integers(1, 3), st.sampled_from(LEVELS), st.sampled_from(STATES)),
)


@given(st.lists(st.tuples(HELD, st.integers(0, 4), st.booleans()), max_size=12))
def test_in_the_end_the_parent_knows_what_the_station_holds(steps):
    """Whatever the order of news, sends and new connections; a new one has everything open again."""
    ledger, known, held = AlertLedger(), {}, {}
    for marks, sends, reconnects in steps:
        held = {
            name: alarm(name, revision=mark[0], level=mark[1], state=mark[2]) for name, mark in marks.items()
        }
        if reconnects:
            ledger.begin()
            known = {name: mark for name, mark in known.items() if mark[2] == "cleared"}
        ledger.note(held.values())
        for _ in range(sends):
            if (alert := ledger.next()) is not None:
                ledger.took(alert)
                known[alert.alert] = mark_of(alert)
    while (alert := ledger.next()) is not None:
        ledger.took(alert)
        known[alert.alert] = mark_of(alert)
    for name, alert in held.items():
        assert known[name] == mark_of(alert)
