"""What bytes look like: our own encoders' output, real captures, and bytes that are nothing."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.model import Detection, Position
from vedette.model.lines import dump_line
from vedette.simulate import emissions, load_builtin, to_files
from vedette.station.formats import LOOKED_AT, WORDS, guess_format
from vedette.wire.adsb import BeastFrame, SbsMessage, encode_beast, write_sbs
from vedette.wire.asterix import RadarService, encode
from vedette.wire.capture import read_records
from vedette.wire.cot import CotEvent, write_event
from vedette.wire.sapient import SapientMessage, write_frame
from vedette.wire.tak import write_datagram, write_stream
from vedette.wire.udp import udp_datagram

START = 1_790_000_000.0
NODE = "3f1c2b1e-7a52-4c3d-9a57-0d8f5a7c1b2e"
EVENT = CotEvent(
    uid="UID-A",
    type="a-f-G-U-C",
    how="m-g",
    time=START,
    start=START,
    stale=START + 60.0,
    lat_deg=47.0,
    lon_deg=8.0,
)
DETECTION = Detection(time=START, sensor="s", measure=Position(lat_deg=47.0, lon_deg=8.0))
BEAST = encode_beast(BeastFrame(123456, 80, bytes.fromhex("8d40621d58c382d690c8ac2863a7")))
ASTERIX = encode([RadarService(sac=25, sic=12, message_type=1, time_of_day_s=3600.0)])
ALL = frozenset(WORDS)


def sapient() -> bytes:
    message = SapientMessage(node_id=NODE)
    message.timestamp.FromSeconds(int(START))
    return write_frame(message)


def frame(scenario: str, link: int) -> bytes:
    return next(e.data for e in emissions(load_builtin(scenario), START) if e.link_type == link)


OURS = {
    "beast": BEAST,
    "sbs": write_sbs(SbsMessage(transmission=3, address=0x40621D, lat_deg=47.0, lon_deg=8.0)).encode(),
    "asterix": ASTERIX,
    "sapient": sapient(),
    "cot": write_event(EVENT),
    "lines": dump_line(DETECTION),
    "radiotap": frame("desert-run", 127),
    "bluetooth": frame("hover-near", 256),
}
OTHERS = {
    "tls": bytes.fromhex("16030100c2010000be0303") + bytes(180),
    "http": b"GET /data/aircraft.json HTTP/1.1\r\nHost: x\r\n\r\n",
    "avr": b"*8D40621D58C382D690C8AC2863A7;\r\n",
    "nmea": b"$GPRMC,131838.00,A,4712.000,N,00830.000,E,0.0,0.0,221126,,,A*7A\r\n",
    "gpsd": b'{"class":"VERSION","release":"3.22"}\r\n',
    "json": b'{"temperature": 3}',
    "xml": b"<?xml version='1.0'?><sensor/>",
    "text": b"220 this is a mail server\r\n",
    "aircraft-json": b'{ "now" : 1522782208.3, "messages" : 13954, "aircraft" : [ {"hex":"424355"} ] }',
}


@pytest.mark.parametrize("looks", sorted(OURS))
def test_what_our_own_encoders_write(looks: str) -> None:
    data = OURS[looks]
    assert guess_format(data) == looks
    if looks not in ("radiotap", "bluetooth", "lines"):
        assert guess_format(data * 100) == looks, "a stream of them"


@pytest.mark.parametrize("looks", sorted(OTHERS))
def test_other_forms(looks: str) -> None:
    assert guess_format(OTHERS[looks]) == looks


def test_tak_version_1() -> None:
    assert guess_format(write_stream(EVENT)) == "tak"
    assert guess_format(write_datagram(EVENT, version=1)) == "tak"
    assert guess_format(write_datagram(EVENT, version=0)) == "cot"


def test_captures_of_every_kind(tmp_path: Path) -> None:
    to_files(load_builtin("hover-near"), START, lambda name: (tmp_path / name).open("wb"))
    assert guess_format((tmp_path / "remote-id.pcap").read_bytes()) == "capture"
    for magic in ("0a0d0d0a", "6274736e6f6f7000"):
        assert guess_format(bytes.fromhex(magic) + bytes(30)) == "capture"


def test_a_stream_that_was_joined_in_the_middle() -> None:
    assert guess_format(BEAST[9:] + BEAST * 20) == "beast"


def test_long_documents_are_known_by_their_beginning() -> None:
    aircraft = ",".join(f'{{"hex":"{n:06x}","note":"Zürich ÄÖÜ"}}' for n in range(1000))
    assert guess_format(f'{{"now":1.0,"aircraft":[{aircraft}]}}'.encode()) == "aircraft-json"
    assert guess_format(dump_line(DETECTION) * 1000) == "lines"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b" \n",
        b"\x1a",
        b"\x1a3",
        b"\xbf",
        bytes(64),
        b"\x16\x03",
        b"\x30\x00\x02",
        ASTERIX[:-1],
        BEAST[:-3],
    ],
)
def test_what_could_be_anything_is_nothing(data: bytes) -> None:
    assert guess_format(data) is None


def test_noise_is_nothing() -> None:
    chance = random.Random(7)
    guesses = [guess_format(chance.randbytes(chance.randrange(16, 400))) for _ in range(3000)]
    assert sum(guess is not None for guess in guesses) <= 3, "noise passes for a format"


@given(
    st.binary(max_size=200)
    | st.builds(lambda a, b: a + b, st.sampled_from(sorted(OURS.values())), st.binary())
)
def test_guessing_never_fails(data: bytes) -> None:
    assert guess_format(data) in (ALL | {None})


@pytest.mark.field
def test_real_recordings(field_data: Path) -> None:
    folder = field_data / "protocols"
    kinds = {
        "adsb/ulss7_60s.beast": "beast",
        "adsb/ulss7_60s.sbs.txt": "sbs",
        "adsb/ulss7_60s.dump1090-mutability.aircraft.json": "aircraft-json",
        "asterix/cat048.raw": "asterix",
        "asterix/cat034.raw": "asterix",
        "asterix/cat_034_048.pcap": "capture",
        "opendroneid/odid_bt5_lr_sample.pcapng": "capture",
        "cot/takcot-examples/Marker - 2525.cot": "cot",
    }
    for name, looks in kinds.items():
        assert guess_format((folder / name).read_bytes()[:LOOKED_AT]) == looks, name


@pytest.mark.field
def test_real_packets(field_data: Path) -> None:
    folder = field_data / "protocols"
    radar = [
        guess_format(udp_datagram(record.data, record.link_type).payload)
        for record in read_records(folder / "asterix" / "cat_034_048.pcap")
    ]
    assert set(radar) == {"asterix"}
    for name, looks in (("odid_wifi_sample.pcap", "radiotap"), ("odid_bt5_lr_sample.pcapng", "bluetooth")):
        guesses = [guess_format(record.data) for record in read_records(folder / "opendroneid" / name)]
        assert set(guesses) == {looks}, name


def test_every_format_has_words() -> None:
    assert all(WORDS.values())
    assert set(OURS) | set(OTHERS) | {"tak", "capture", "wifi"} == ALL
