"""No way out that says so carries a person's position: a whole station, with people and a drone at known
places, tells them by all its ways at once, and every byte that went out is searched for these places."""

import asyncio
import email
import email.policy
import importlib
import importlib.util
import json
import math
import pkgutil
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import outward
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct
from place_search import Form, forms_of_place, places_in
from sapient_nodes import Parent
from station_build import StationProcess, replay_is_equal

from vedette.geo import LocalFrame, to_mgrs
from vedette.model import UnitReport
from vedette.model.event import Deliver, DetectionBatch
from vedette.station import peers
from vedette.station.peers._remote_id import Receiver as ReceivingPeer
from vedette.station.peers._subscriptions import Subscription, Subscriptions
from vedette.wire.cap import read_alert
from vedette.wire.web_push import decrypt, point_of, to_base64url
from vedette.wire.webhook import write_secret


def _load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"vedette_no_place_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HERE = Path(__file__).resolve().parent
mesh = _load("mesh_node", HERE / "mesh_node.py")
counterparts = _load("counterparts", HERE.parents[1] / "counterparts.py")

LAT, LON = 31.4567, -110.9123
ALPHA, BRAVO, WALKER = "VEDETTE-TEST-ALPHA", "VEDETTE-TEST-BRAVO", "VEDETTE-TEST-WALKER"
SCENARIO = f"""
[scenario]
name = "known-places"
description = "Two posts that do not move, and a drone that comes for one of them."
seed = 7
duration_s = 120.0
loop = true

[scenario.site]
name = "Testfield"
lat_deg = {LAT}
lon_deg = {LON}
alt_m = 1150.0
alt_datum = "wgs84-ellipsoid"

[[receiver]]
id = "receiver"
kind = "remote-id"
enu_m = [-150.0, 250.0]
agl_m = 12.0
range_m = 6000.0

[[actor]]
id = "alpha"
kind = "patrol"
path = [{{ at_s = 0.0, enu_m = [-1437.3, 1618.7] }}]
[actor.cot]
uid = "{ALPHA}"
callsign = "ALPHA 1"
period_s = 3.0

[[actor]]
id = "bravo"
kind = "vehicle"
path = [{{ at_s = 0.0, enu_m = [-1203.9, 2842.6] }}]
[actor.cot]
uid = "{BRAVO}"
callsign = "BRAVO"
period_s = 3.0

[[actor]]
id = "runner"
kind = "fpv"
until_s = 100.0
path = [
  {{ at_s = 2.0, enu_m = [-100.0, 400.0], agl_m = 60.0 }},
  {{ at_s = 8.0, enu_m = [-200.0, 500.0], agl_m = 60.0 }},
]
[actor.run_at]
target = "alpha"
at_s = 8.0
speed_mps = 26.0
agl_m = 12.0
then = "return"
[actor.remote_id]
serial = "1581FTESTRUN00000007"
mac = "60:60:1F:00:00:07"
transport = "wifi-beacon"
rate_hz = 4.0
"""
CONFIG = """
[site]
name = "Testfield"
lat_deg = {lat}
lon_deg = {lon}
alt_m = 1150.0
alt_datum = "wgs84-ellipsoid"

[clock]
speed = 4.0

[console]
listen = ""

[[unit]]
unit = "{alpha}"
callsign = "ALPHA 1"
lead = "{bravo}"
mail = ["alpha@site.example"]

[[unit]]
unit = "{bravo}"
callsign = "BRAVO"
language = "es"
mail = ["bravo@site.example"]

[[feed]]
name = "exercise"
url = "sim:known.toml"
{feeds}
"""
SECRET = bytes(range(16))
BROWSER = ec.generate_private_key(ec.SECP256R1())


class Relay:
    """Stands before a real server and keeps every byte that the station sends to it."""

    def __init__(self, to_port: int) -> None:
        self.to_port, self.port, self.raw = to_port, 0, bytearray()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, on = await asyncio.open_connection("127.0.0.1", self.to_port)

        async def answers() -> None:
            while data := await back.read(65536):
                writer.write(data)
            writer.close()

        task = asyncio.create_task(answers())
        try:
            while data := await reader.read(65536):
                self.raw += data
                on.write(data)
        finally:
            task.cancel()
            on.transport.abort()
            await asyncio.gather(task, return_exceptions=True)


class Letterbox:
    """As much of a mail server (RFC 5321) as takes a mail; it keeps all that it is told."""

    def __init__(self) -> None:
        self.raw, self.mails = bytearray(), list[bytes]()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 box\r\n")
        while line := await reader.readline():
            self.raw += line
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                mail = await reader.readuntil(b"\r\n.\r\n")
                self.raw += mail
                self.mails.append(mail)
            writer.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")


class Said(Struct):
    """What went out by one way. ``raw``: every byte; ``plain``: what a receiver makes of sealed ones, and one
    text each that must say that it is an exercise; ``tracks``: whether it is for tracks too."""

    raw: bytes
    plain: list[bytes]
    marks: list[str]
    sealed: bool = False
    tracks: bool = False


class Told(Struct):
    """One run. ``people`` and ``drones``: the places that are searched for."""

    ways: dict[str, Said]
    people: list[Form]
    drones: list[Form]
    words: list[str]
    control: bytes


def _feed(name: str, url: str, **more: str) -> str:
    lines = [f'name = "{name}"', f'url = "{url}"', *(f'{key} = "{value}"' for key, value in more.items())]
    return "\n".join(["", "[[feed]]", *lines])


@pytest.fixture(scope="module")
def told(
    tmp_path_factory: pytest.TempPathFactory,
    counterpart: Callable[[str], str],
    make_client: Callable[[str, str], Any],
) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("known-places")
    broker = counterparts.Mosquitto(counterpart("mosquitto"), folder)
    broker.start()
    try:
        yield asyncio.run(_run(folder, broker.port, make_client(WALKER, "WALKER")))
    finally:
        broker.stop()


async def _run(folder: Path, broker_port: int, walker: Any) -> Told:
    """Start everything, wait until each way has told something, and gather what went out."""
    relay, letterbox = Relay(broker_port), Letterbox()
    node, parent = mesh.MeshNode(), Parent()
    files = outward.certificate(folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*files)
    hook, service = outward.Receiver(), outward.Receiver(lambda number: outward.status(201), tls)
    phones = counterparts.free_port()

    def all_have_told() -> bool:
        mapped = any(event.type.startswith("a-") for event in walker.events)
        files = list((folder / "cap").glob("*.cap.xml"))
        sapient = parent.of("alert") and parent.of("detection_report")
        others = hook.requests, service.requests, letterbox.mails, node.frames
        return bool(b"/alert/" in relay.raw and all(others) and files and sapient and mapped)

    await node.listen()
    await parent.start()
    async with (
        outward.served(relay.serve) as mqtt,
        outward.served(letterbox.serve) as smtp,
        hook.serving(),
        service.serving(),
    ):
        feeds = _ways(folder, files[0], mqtt, smtp, hook.port, service.port, node.port, parent.port)
        feeds += _feed("phones", f"cot+tcp-listen://127.0.0.1:{phones}")
        (folder / "known.toml").write_text(SCENARIO)
        text = CONFIG.format(lat=LAT, lon=LON, alpha=ALPHA, bravo=BRAVO, feeds=feeds)
        (folder / "vedette.toml").write_text(text)
        station = StationProcess(folder / "vedette.toml", folder / "station.log")
        try:
            await _until(station, lambda: _open(phones))
            await walker.connect("127.0.0.1", phones)
            walker.send(walker.report(lat_deg=LAT + 0.0123457, lon_deg=LON - 0.0234561))
            await _until(station, all_have_told)
            await asyncio.sleep(4.0)
            await walker.close()
        finally:
            code = await asyncio.to_thread(station.stop)
            await node.close()
            await parent.stop()
        assert code == 0, station.said()
    ways = _said(folder, relay, letterbox, hook, service, node, parent)
    return _told(folder, ways, bytes(walker.raw))


def _ways(
    folder: Path, ca_file: str, mqtt: int, smtp: int, hook: int, push: int, node: int, parent: int
) -> str:
    state = folder / "state"
    state.mkdir(mode=0o700)
    kept = Subscriptions(state / "push.json", (f"localhost:{push}",))
    for unit in (ALPHA, BRAVO):
        endpoint = f"https://localhost:{push}/{unit}"
        kept.add(
            Subscription(
                unit=unit,
                endpoint=endpoint,
                p256dh=to_base64url(point_of(BROWSER)),
                auth=to_base64url(SECRET),
            )
        )
    mesh.write_team(folder, member=f'[[member]]\nnumber = 2\nunit = "{ALPHA}"')
    login, key = folder / "login", folder / "hook.secret"
    login.write_text("vedette\ns3cret\n")
    key.write_text(write_secret(bytes(32)))
    for path in (login, key):
        path.chmod(0o600)
    return "".join(
        (
            _feed("mqtt", f"mqtt://127.0.0.1:{mqtt}", secret_file="login"),
            _feed("mail", f"smtp://127.0.0.1:{smtp}?from=vedette@site.example"),
            _feed("hook", f"webhook+http://127.0.0.1:{hook}/in", secret_file="hook.secret"),
            _feed("push", f"webpush:mailto:ops@site.example?service=localhost:{push}", ca_file=ca_file),
            _feed("radio", f"meshtastic+tcp://127.0.0.1:{node}", team_file="alpha.toml"),
            _feed("cap", "cap:cap?sender=vedette@site.example"),
            _feed("parent", f"sapient+tcp://127.0.0.1:{parent}"),
        )
    )


async def _until(station: StationProcess, condition: Callable[[], Any]) -> None:
    """The limit only keeps a broken test from hanging: the first start compiles the kernels."""
    for _ in range(30_000):
        if condition():
            return
        assert station.process.poll() is None, station.said()
        await asyncio.sleep(0.02)
    raise AssertionError(f"a way has told nothing:\n{station.said()[-4000:]}")


def _open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _said(
    folder: Path, relay: Any, letterbox: Any, hook: Any, service: Any, node: Any, parent: Any
) -> dict[str, Said]:
    notices = [json.loads(body) for _, _, body in hook.requests]
    pushed = [decrypt(body, BROWSER, SECRET) for _, _, body in service.requests]
    gateway = mesh.Gateway()
    heard = [gateway.hear(frame) for frame in node.frames]
    files = [path.read_bytes() for path in sorted((folder / "cap").glob("*.cap.xml"))]
    heads = [f"{first} {fields}".encode() for first, fields, _ in service.requests]
    return {
        "mqtt": Said(bytes(relay.raw), [], _mqtt_marks(bytes(relay.raw))),
        "webhook": Said(bytes(hook.raw), [], [text for one in notices for text in one["text"].values()]),
        "smtp": Said(bytes(letterbox.raw), [], [_subject(mail) for mail in letterbox.mails]),
        "web_push": Said(b"".join(heads), pushed, [json.loads(one)["title"] for one in pushed]),
        "meshtastic": Said(
            bytes(node.raw), [repr(message).encode() for _, message in heard],
            [header.purpose.upper() for header, _ in heard], sealed=True,
        ),
        "cap_folder": Said(b"".join(files), [], [read_alert(data).status.upper() for data in files]),
        "sapient_parent": Said(
            bytes(parent.raw), [], [alert.description for alert in parent.of("alert")], tracks=True
        ),
    }  # fmt: skip


def _mqtt_marks(raw: bytes) -> list[str]:
    """The short texts of all notices: JSON in the middle of packets."""
    decoder, found, place = json.JSONDecoder(), list[str](), 0
    text = raw.decode("latin-1")
    while (place := text.find('{"id":', place)) >= 0:
        notice, place = decoder.raw_decode(text, place)
        found += notice["text"].values()
    return found


def _subject(mail: bytes) -> str:
    return str(email.message_from_bytes(mail, policy=email.policy.default)["Subject"])


def _told(folder: Path, ways: dict[str, Said], control: bytes) -> Told:
    """From the station's own log: where people and drones were, and the alerts' words."""
    frame = LocalFrame(LAT, LON, 1150.0)
    people: dict[bytes, Form] = {}
    drones: dict[bytes, Form] = {}
    words: dict[str, None] = {}
    units: set[str] = set()
    for event in replay_is_equal(folder / "state"):
        body = event.body
        if isinstance(body, UnitReport):
            units.add(body.unit)
            people |= {form.bytes: form for form in forms_of_place(body.lat_deg, body.lon_deg, frame)}
        elif isinstance(body, DetectionBatch):
            for detection in body.detections:
                lat, lon = (getattr(detection.measure, name, None) for name in ("lat_deg", "lon_deg"))
                if lat is not None and lon is not None:
                    forms = forms_of_place(lat, lon, frame, short=False)
                    drones |= {form.bytes: form for form in forms}
        elif isinstance(body, Deliver):
            words |= dict.fromkeys(text for text in body.alert.text.values() if "ALPHA" not in text)
    assert units == {ALPHA, BRAVO, WALKER}
    return Told(ways, list(people.values()), list(drones.values()), list(words), control)


WAYS = ("mqtt", "webhook", "smtp", "web_push", "meshtastic", "cap_folder", "sapient_parent")
MAPS = ("tak_server", "tak_listener", "tak_mesh")
"""They say that they carry positions: it is what they are for."""
WITHIN = ("sim",)
"""Its phones are in the same process: nothing leaves it."""


def test_every_way_out_of_the_house_is_judged_here() -> None:
    found: dict[str, bool] = {}
    for module in pkgutil.iter_modules(peers.__path__):
        loaded = importlib.import_module(f"{peers.__name__}.{module.name}")
        for kind in vars(loaded).values():
            if isinstance(kind, type) and hasattr(kind, "deliver") and kind.__module__ == loaded.__name__:
                assert isinstance(kind.carries_position, bool), kind
                assert isinstance(kind.receipt_facts, tuple), kind
                if issubclass(kind, ReceivingPeer):
                    assert (kind.carries_position, kind.receipt_facts) == (False, ()), kind
                else:
                    found[module.name] = kind.carries_position
    assert found == {**dict.fromkeys((*WAYS, *WITHIN), False), **dict.fromkeys(MAPS, True)}


@pytest.mark.counterpart
@pytest.mark.parametrize("way", WAYS)
def test_no_place_of_a_person_is_in_any_byte(told: Told, way: str) -> None:
    said = told.ways[way]
    assert said.raw
    for data in (said.raw, *said.plain):
        assert places_in(data, told.people) == []
        if not said.tracks:
            assert places_in(data, told.drones) == []


@pytest.mark.counterpart
@pytest.mark.parametrize("way", [way for way in WAYS if way != "meshtastic"])
def test_the_words_from_which_a_place_follows_stay_here(told: Told, way: str) -> None:
    """They tell direction and distance from the reader. By radio they are what is told, and sealed."""
    assert told.words
    said = told.ways[way]
    for data in (said.raw, *said.plain):
        for words in told.words:
            assert words.encode() not in data


@pytest.mark.counterpart
@pytest.mark.parametrize("way", WAYS)
def test_an_exercise_is_marked_in_every_message(told: Told, way: str) -> None:
    marks = told.ways[way].marks
    assert marks
    assert [mark for mark in marks if not mark.startswith(("EXERCISE", "SIMULACRO"))] == []


@pytest.mark.counterpart
def test_the_search_would_have_found_them(told: Told) -> None:
    """The same search in what a phone's map gets, which says that it carries places."""
    assert places_in(told.control, told.drones)


@pytest.mark.parametrize("place", [(31.471298, -110.92741), (-0.123456, 0.654321), (64.0123, 179.98765)])
def test_the_search_finds_every_form(place: tuple[float, float]) -> None:
    lat, lon = place
    frame = LocalFrame(lat + 0.01, lon - 0.02, 100.0)
    east, north, _ = frame.to_enu(lat, lon, 100.0)
    forms = forms_of_place(lat, lon, frame)
    grid = to_mgrs(lat, lon)
    written = [
        f'{{"lat":{lat},"x":1}}', f"{lat:.4f}", f"{lon:.6f}", f"{lat:.7f} {lon:.7f}", grid,
        f"{grid[:-10]} {grid[-10:-5]} {grid[-5:]}", to_mgrs(lat, lon, 4), to_mgrs(lat, lon, 3), f"{east:.1f}",
        f"{north:.3f}", str(int(lat * 1e7)), str(int(lon * 1e6)), f"{math.radians(lat):.6f}", repr(east),
    ]  # fmt: skip
    packed = [
        struct.pack(kind, value)
        for kind in ("<d", ">d", "<f", ">f")
        for value in (lat, lon, east, north, math.radians(lat))
    ]
    packed += [
        struct.pack(kind, int(value * 1e7)) for kind in ("<i", ">i", "<q", ">q") for value in (lat, lon)
    ]
    packed += [struct.pack("<i", round(lat * 1e5)), struct.pack(">i", math.floor(lon / 180 * 2**31))]
    for data in (*(text.encode() for text in written), *packed):
        assert places_in(b"\x01x" + data + b"y\x00", forms), data
    assert places_in(b"Nothing is here: 12.5, 3000, 2026-11-23T02:30:00Z, 1795400500.123", forms) == []
