"""The SAPIENT listener: what may be tasked, what of a flood is read, mutual TLS, another station below."""

import ast
import asyncio
import contextlib
import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from sapient_msg.bsi_flex_335_v2_0.registration_pb2 import Registration
from sapient_msg.bsi_flex_335_v2_0.task_pb2 import Task
from station_feed_hub import SITE, FeedHub, beside, until

import vedette
from vedette.express.sapient_node import Node as OwnNode
from vedette.geo import LocalFrame
from vedette.model import Track
from vedette.sense.sapient_nodes import EFFECTORS, SENSORS, Node
from vedette.station.config import FeedConfig
from vedette.station.peers import _sapient_replies as replies
from vedette.station.peers._sapient_sieve import BYTES_OF_ONE, Allowance, Allowances, Sieve, is_detection
from vedette.station.peers.sapient_fusion import sapient_fusion_peer
from vedette.station.peers.sapient_parent import sapient_parent_peer
from vedette.wire.sapient import (
    SUPPORTED_ICD_VERSIONS,
    SapientMessage,
    SapientSplitter,
    validate,
    write_frame,
    write_message,
)

A = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
OWN = OwnNode(id="00000000-0000-4000-8000-000000000001", name="edge", site=SITE, key=b"key")
T = 1_795_000_000.0
TYPES = sorted(name.removeprefix("NODE_TYPE_") for name in list(Registration.NodeType.keys())[1:])
COMMANDS = {
    "request": "Status",
    "detection_threshold": Task.DISCRETE_THRESHOLD_HIGH,
    "detection_report_rate": Task.DISCRETE_THRESHOLD_HIGH,
    "classification_threshold": Task.DISCRETE_THRESHOLD_HIGH,
    "mode_change": "Fire",
    "look_at": None,
    "move_to": None,
    "patrol": None,
    "follow": None,
}


def node(*types):
    return Node(
        id=A, name="", types=types, kind="report", interval_s=5.0, stated_interval_s=5.0, speed_units={},
        error_unit=None, takes_requests=True, dependents=(),
    )  # fmt: skip


def command(kind):
    found = Task.Command()
    if COMMANDS[kind] is None:
        getattr(found, kind).SetInParent()
    else:
        setattr(found, kind, COMMANDS[kind])
    return found


# Tasks -----------------------------------------------------------------------------------------------


def test_all_commands_of_the_standard_are_tried_here():
    assert set(COMMANDS) == {field.name for field in Task.Command.DESCRIPTOR.oneofs_by_name["command"].fields}


@pytest.mark.parametrize("kind", sorted(COMMANDS))
@pytest.mark.parametrize("effector", sorted(EFFECTORS))
def test_no_effector_gets_any_task_in_any_company(effector, kind):
    for company in ((), ("RADAR",), ("CAMERA", "PASSIVE_RF"), ("FUSION_NODE",), ("POINTABLE_NODE",)):
        with pytest.raises(replies.TaskRefused, match="never tasked"):
            replies.task_for(OWN, node(*company, effector), command(kind), T)


@pytest.mark.parametrize("kind", sorted(set(TYPES) - SENSORS))
def test_what_is_not_a_sensor_is_not_asked_either(kind):
    with pytest.raises(replies.TaskRefused, match="never tasked"):
        replies.status_request(OWN, node(kind), T)
    with pytest.raises(replies.TaskRefused):
        replies.status_request(OWN, node("RADAR", kind), T)
    with pytest.raises(replies.TaskRefused):
        replies.status_request(OWN, node(), T)


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_sensors_get_the_commands_of_the_list_and_no_others(kind):
    allowed = {"request", "detection_threshold", "detection_report_rate", "look_at"}
    if kind not in allowed:
        with pytest.raises(replies.TaskRefused, match=f"{kind} is never sent"):
            replies.task_for(OWN, node("RADAR"), command(kind), T)
        return
    message = replies.task_for(OWN, node("RADAR"), command(kind), T)
    assert message.task.command.WhichOneof("command") == kind
    assert message.destination_id == A
    if kind != "look_at":
        assert validate(message) == []


@pytest.mark.parametrize("words", ["Start", "Stop", "Reset", "Fire", "", "status"])
def test_other_requests_are_never_sent(words):
    with pytest.raises(replies.TaskRefused, match="registration or a status"):
        replies.task_for(OWN, node("RADAR"), Task.Command(request=words), T)
    with pytest.raises(replies.TaskRefused, match="parameters"):
        replies.task_for(OWN, node("RADAR"), Task.Command(request="Status", command_parameter="x"), T)


def test_a_task_that_came_about_elsewhere_does_not_go_out():
    message = replies.status_request(OWN, node("RADAR"), T)
    replies.check(message, node("RADAR"))
    for wrong in (node("RADAR", "JAMMER"), None):
        with pytest.raises(replies.TaskRefused):
            replies.check(message, wrong)
    stop, region, elsewhere = SapientMessage(), SapientMessage(), SapientMessage()
    for changed in (stop, region, elsewhere):
        changed.CopyFrom(message)
    stop.task.control = Task.CONTROL_STOP
    region.task.region.add()
    elsewhere.destination_id = OWN.id
    for changed in (stop, region, elsewhere):
        with pytest.raises(replies.TaskRefused):
            replies.check(changed, node("RADAR"))
    replies.check(SapientMessage(), None)


WRITES = {"CopyFrom", "MergeFrom", "ParseFromString", "SetInParent", "add", "append", "extend"}


def touches_task(part):
    """Whether an expression goes through an attribute ``task``."""
    return any(isinstance(inner, ast.Attribute) and inner.attr == "task" for inner in ast.walk(part))


def makes_a_task(part):
    """Whether a piece of code fills in a field ``task``, or makes a message of the class Task."""
    if isinstance(part, ast.Assign):
        return any(isinstance(t, ast.Attribute) and touches_task(t.value) for t in part.targets)
    if not isinstance(part, ast.Call):
        return False
    writes = isinstance(part.func, ast.Attribute) and part.func.attr in WRITES and touches_task(part.func)
    name = ast.unparse(part.func)
    whole = name.endswith("SapientMessage") and any(word.arg == "task" for word in part.keywords)
    return writes or whole or name.endswith("Task")


def test_tasks_are_made_in_one_module_only():
    makers = {
        path.name
        for path in Path(vedette.__file__).parent.rglob("*.py")
        if any(makes_a_task(part) for part in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        and "sapient" in path.read_text(encoding="utf-8")
    }
    # A Registration has a field of that name too: what its node may be asked for.
    assert makers - {"sapient_registration.py"} == {"_sapient_replies.py"}


# Answers ---------------------------------------------------------------------------------------------


def test_every_answer_conforms():
    answers = [
        replies.registration_ack(OWN, A, T, accepted=True),
        replies.registration_ack(OWN, A, T, accepted=False, reasons=["no"]),
        replies.error(OWN, A, T, b"x" * 100_000, ["y" * 100_000] * 100),
        replies.error(OWN, None, T, b"", ["nothing came"]),
        replies.alert_ack(OWN, A, T, "01GGYFBAXGDG7AGAHRZ6XSNY12"),
        replies.status_request(OWN, node("RADAR"), T),
    ]
    for answer in answers:
        assert validate(answer) == []
        assert len(write_message(answer)) < 4096


# Floods ----------------------------------------------------------------------------------------------


def detection(size=100):
    message = SapientMessage(node_id=A)
    message.timestamp.FromSeconds(int(T))
    message.detection_report.colour = "x" * size
    return write_message(message)


def other(size=100):
    message = SapientMessage(node_id=A, destination_id=A)
    message.timestamp.FromSeconds(int(T))
    message.status_report.mode = "x" * size
    return write_message(message)


def test_detections_are_told_by_their_tags():
    assert is_detection(detection())
    assert is_detection(detection(100_000))
    assert not is_detection(other())
    assert not is_detection(b"")
    assert not is_detection(write_message(SapientMessage(node_id=A)))


@given(st.binary(max_size=60))
def test_any_bytes_are_a_detection_or_not(data):
    assert is_detection(data) in (True, False)


class Clock:
    def __init__(self):
        self.at = 0.0

    def __call__(self):
        return self.at


def sieve(clock, per_s=20, others=20, together=1000):
    taken, shed = [], []
    own = Allowances(Allowance(per_s, clock), Allowance(others, clock))
    shared = Allowances(Allowance(together, clock), Allowance(together, clock))
    return Sieve(taken.extend, shed.append, own, shared, clock), taken, shed


def test_a_second_of_the_allowance_passes_at_once_and_in_order():
    async def scenario():
        clock = Clock()
        through, taken, shed = sieve(clock)
        frames = [f(n) for n in range(10) for f in (detection, other)]
        through.put(frames)
        assert (taken, shed) == (frames, [])
        through.close()

    asyncio.run(scenario())


def test_of_a_flood_the_freshest_wait_and_the_rest_is_shed():
    async def scenario():
        clock = Clock()
        through, taken, shed = sieve(clock)
        through.put([detection(n) for n in range(20)])
        flood = [detection(100 + n) for n in range(50)]
        through.put([other(), *flood])
        assert taken[20:] == [other()]
        assert sum(shed) == 48
        clock.at += 0.1
        await until(lambda: len(taken) == 23, "the freshest have their turn")
        assert taken[21:] == flood[-2:]
        through.close()

    asyncio.run(scenario())


def test_a_flood_of_detections_does_not_touch_the_others():
    async def scenario():
        through, taken, _ = sieve(Clock())
        through.put([other(n) for n in range(10)] + [detection() for _ in range(1000)] + [other(50)])
        assert [frame for frame in taken if not is_detection(frame)] == [
            *(other(n) for n in range(10)),
            other(50),
        ]
        through.close()

    asyncio.run(scenario())


def test_large_messages_count_as_several_but_the_largest_still_passes():
    async def scenario():
        clock = Clock()
        through, taken, _ = sieve(clock)
        through.put([other(9 * BYTES_OF_ONE) for _ in range(10)])
        assert len(taken) == 2
        clock.at += 10.0
        through.put([other(1000 * BYTES_OF_ONE)])
        assert len(taken[-1]) > 1000 * BYTES_OF_ONE
        through.close()

    asyncio.run(scenario())


def test_the_shared_allowance_binds_too():
    async def scenario():
        clock = Clock()
        through, taken, shed = sieve(clock, per_s=500, together=5)
        through.put([detection() for _ in range(100)])
        assert len(taken) == 5
        clock.at += 100.0
        await until(lambda: sum(shed) == 95, "what waited for too long is shed")
        through.close()

    asyncio.run(scenario())


def test_what_waits_at_the_end_is_taken():
    async def scenario():
        through, taken, _ = sieve(Clock())
        through.put([detection(n) for n in range(23)])
        waiting = len(taken)
        through.close()
        assert (waiting, len(taken)) == (20, 22)

    asyncio.run(scenario())


# Another Vedette -------------------------------------------------------------------------------------


def test_another_station_below_this_one_registers_reports_its_tracks_and_says_goodbye():
    tracks = tuple(
        Track(
            id=f"t{n}", enu_m=(300.0 + n, 400.0, 60.0), velocity_mps=(-12.0, -16.0, 0.0),
            covariance=(25.0, 0, 0, 0, 0, 0, 25.0, 0, 0, 0, 0, 9.0, 0, 0, 0, 1.0, 0, 0, 1.0, 0, 1.0),
            existence=0.99, beliefs={"multirotor": 0.9, "unknown": 0.1},
        )
        for n in range(150)
    )  # fmt: skip

    async def scenario():
        above, below = FeedHub(), FeedHub()
        listener = sapient_fusion_peer(FeedConfig(name="below", url="sapient+tcp-listen://127.0.0.1:0"))
        listening = asyncio.create_task(listener.run(above))
        await until(lambda: listener.port != 0, "the port")
        url = f"sapient+tcp://127.0.0.1:{listener.port}?name=SITE-1"
        child = sapient_parent_peer(FeedConfig(name="parent", url=url), b"secret")
        reporting = asyncio.create_task(child.run(below))
        await until(lambda: below.states("parent")[-1:] == ["watching"], "registered")
        below.tracks = tracks
        await child.publish(below.picture())
        await until(lambda: len(above.all()) == 150, "all tracks of a burst")
        await until(lambda: above.sensors, "its place")
        reporting.cancel()
        await asyncio.gather(reporting, return_exceptions=True)
        await until(lambda: above.states("below/SITE-1")[-1] == "ended", "the goodbye")
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        return above

    above = asyncio.run(scenario())
    assert above.counts == {}
    found = above.all()[0]
    frame = LocalFrame(SITE.lat_deg, SITE.lon_deg, SITE.alt_m)
    place = frame.to_enu(found.measure.lat_deg, found.measure.lon_deg, found.measure.alt_m)
    assert place == pytest.approx((300.0, 400.0, 60.0), abs=0.01)
    assert found.measure.velocity_mps == (-12.0, -16.0, 0.0)
    assert (found.sigma.horizontal_m, found.sigma.vertical_m) == pytest.approx((5.0, 3.0), rel=0.01)
    assert {profile.type for profile in above.sensors.values()} == {"report"}


# Mutual TLS ------------------------------------------------------------------------------------------


class Authority:
    """A certificate authority in a folder; ``issue`` gives the paths of a certificate and its key."""

    def __init__(self, folder, name):
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self.subject, self.key, authority=True)
        self.path = self._write(f"{name}.pem", self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return (
            self._write(f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM)),
            self._write(f"{name}.key", private),
        )

    def _sign(self, subject, key, authority=False):
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        return builder.sign(self.key, hashes.SHA256())

    def _write(self, name, data):
        path = self.folder / name
        path.write_bytes(data)
        return str(path)


class SecureEdge:
    def __init__(self, port, authority, files=None):
        self.port, self.got = port, []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.load_verify_locations(authority.path)
        if files is not None:
            self.context.load_cert_chain(*files)
        self.ended = False

    async def __aenter__(self):
        reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=self.context)
        self.task = asyncio.create_task(self._listen(reader))
        return self

    async def _listen(self, reader):
        splitter = SapientSplitter()
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                self.got += splitter.feed(data)
        self.ended = True

    async def __aexit__(self, *_):
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    def register(self):
        message = SapientMessage(node_id=A)
        message.timestamp.GetCurrentTime()
        body = message.registration
        body.icd_version = SUPPORTED_ICD_VERSIONS[0]
        body.node_definition.add(node_type="NODE_TYPE_RADAR")
        body.capabilities.add(category="any", type="any")
        body.status_definition.status_interval.value = 500.0
        body.status_definition.status_interval.units = Registration.TIME_UNITS_SECONDS
        mode = body.mode_definition.add(mode_name="Default", mode_type="MODE_TYPE_PERMANENT")
        mode.settle_time.units, mode.settle_time.value = Registration.TIME_UNITS_SECONDS, 1.0
        mode.task.region_definition.region_type.append(Registration.REGION_TYPE_AREA_OF_INTEREST)
        mode.task.region_definition.region_area.add(location_units=1, location_datum=1)
        body.config_data.add(manufacturer="ACME", model="A")
        self.writer.write(write_frame(message))

    @property
    def acks(self):
        return [
            m.registration_ack.acceptance for m in self.got if m.WhichOneof("content") == "registration_ack"
        ]


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path, "authority")


def over_tls(authority, scenario):
    certificate, key = authority.issue("station")
    url = "sapient+tls-listen://127.0.0.1:0"
    peer = sapient_fusion_peer(
        FeedConfig(name="edge", url=url, ca_file=authority.path, cert_file=certificate, key_file=key)
    )
    hub = FeedHub()

    async def then():
        await until(lambda: peer.port != 0, "the port")
        await scenario(peer, hub)

    beside(peer.run(hub), then)
    return hub


def test_a_node_with_a_certificate_registers_and_its_name_stays_its_own(authority):
    radar, thief = authority.issue("radar"), authority.issue("thief")

    async def scenario(peer, hub):
        async with SecureEdge(peer.port, authority, radar) as edge:
            edge.register()
            await until(lambda: edge.acks == [True], "accepted")
            async with SecureEdge(peer.port, authority, thief) as other:
                other.register()
                await until(lambda: other.acks == [False], "the thief is refused")
            # It lost its power and comes again: the same certificate needs to wait for nothing.
            async with SecureEdge(peer.port, authority, radar) as again:
                again.register()
                await until(lambda: again.acks == [True], "back at once")
                await until(lambda: edge.ended, "the old connection is gone")
        await until(lambda: hub.states("edge/aaaaaaaa")[-1] == "down", "away")
        async with SecureEdge(peer.port, authority, thief) as other:
            other.register()
            await until(lambda: other.acks == [False], "refused though the node is away")

    hub = over_tls(authority, scenario)
    assert hub.counts["edge", "node-of-another-certificate"] == 2
    assert "this machine only" in hub.reason("edge")


def test_without_a_certificate_or_with_a_strangers_nobody_gets_in(authority, tmp_path):
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "stranger").issue("radar")

    async def scenario(peer, hub):
        for files in (None, stranger):
            # Over TLS 1.3 the refusal comes after the handshake.
            with contextlib.suppress(OSError):
                async with SecureEdge(peer.port, authority, files) as edge:
                    edge.register()
                    await until(lambda edge=edge: edge.ended, "refused")
                    assert edge.acks == []

    hub = over_tls(authority, scenario)
    assert {feed for feed, _, _ in hub.feeds} == {"edge"}
