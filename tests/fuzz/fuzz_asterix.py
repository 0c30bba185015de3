"""Fuzz the ASTERIX codec: `python tests/fuzz/fuzz_asterix.py --seconds N [--seed S]`.

Invariants: `decode` raises nothing; every byte is in a used or a refused block; every message is possible,
can be written again and reads back the same; a good block before any garbage is found. The seeds in
`corpus/asterix` are made by our own encoder (`--make-corpus` writes them again), one datagram each.
"""

import random

import harness

from vedette.wire.asterix import (
    DirectionReport,
    IncsReport,
    Message,
    RadarService,
    RadarTarget,
    SystemTrack,
    UasIdentification,
    decode,
    encode,
)

CORPUS = harness.CORPORA / "asterix"
CATEGORY_BYTES = (15, 34, 48, 62, 129, 205)
TELLING = (0x00, 0x01, 0x03, 0x7F, 0x80, 0x81, 0xFE, 0xFF, *CATEGORY_BYTES)
"""Bytes that mean something in lists of items and lengths, so that mutations reach the deeper branches."""

TARGET = RadarTarget(
    sac=1,
    sic=2,
    time_of_day_s=3.0,
    plot_type=3,
    simulated=False,
    fixed_transponder=False,
    test_target=False,
    range_m=18_520.0,
    azimuth_deg=45.0,
    x_east_m=0.0,
    y_north_m=0.0,
    flight_level=100.0,
    flight_level_not_validated=False,
    flight_level_garbled=False,
    height_msl_m=304.8,
    doppler_mps=-25.0,
    doppler_doubtful=False,
    track_number=7,
    tentative=False,
    ghost=False,
    track_ends=False,
    speed_mps=0.0,
    heading_deg=90.0,
    address=0xABCDEF,
    callsign="FUZZ1",
    conditions=(9, 19),
)
SEEDS: dict[str, list[Message]] = {
    "target": [TARGET],
    "service": [RadarService(sac=1, sic=2, message_type=2, sector_azimuth_deg=90.0, not_operational=False)],
    "track": [
        SystemTrack(
            sac=1, sic=2, track_number=1, lat_deg=45.0, lon_deg=-90.0, address=1, sigma_altitude_m=1.905
        )
    ],
    "incs": [
        IncsReport(sac=1, sic=2, message_type=1, azimuth_deg=45.0, height_m=100.0, classification=((1, 50),))
    ],
    "direction": [
        DirectionReport(sac=1, sic=2, message_type=5, azimuth_deg=90.0, elevation_deg=-1.5, channel="118.0")
    ],
    "uas": [
        UasIdentification(
            sac=0, sic=0, country="FR", lat_deg=45.0, lon_deg=-22.5, east_mps=3.0, north_mps=-4.0
        )
    ],
    "mixed": [TARGET, TARGET, RadarService(sac=1, sic=2, message_type=1), UasIdentification(sac=0, sic=0)],
}


def make_corpus() -> None:
    """Write the seeds anew."""
    CORPUS.mkdir(parents=True, exist_ok=True)
    for name, messages in SEEDS.items():
        (CORPUS / f"{name}.bin").write_bytes(encode(messages))


def corpus() -> list[bytes]:
    """The seed inputs, in the order of their names."""
    return harness.corpus("asterix")


def mutate(data: bytes, chance: random.Random) -> bytes:
    """One to four small injuries, and often block lengths that fit again."""
    injured = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(injured) + 1)
        match chance.randrange(4):
            case 0:
                injured[at:at] = bytes([chance.choice(TELLING)])
            case 1:
                del injured[at : at + chance.randint(1, 6)]
            case 2:
                injured[at : at + 1] = bytes([chance.choice(TELLING)])
            case _:
                injured[at : at + 1] = bytes([chance.randrange(256)])
    if chance.random() < 0.7 and len(injured) > 3:
        injured[1:3] = len(injured).to_bytes(2)
    return bytes(injured)


def check(data: bytes, chance: random.Random) -> None:
    """All invariants on one input."""
    got = decode(data)
    refused = sum(rejection.length for rejection in got.rejected)
    assert got.rejected or got.messages
    assert refused == len(data) or got.messages, "bytes that are neither used nor refused"
    for message in got.messages:
        check_message(message)
    before = encode([TARGET])
    assert decode(before + data).messages[:1] == (TARGET,), "garbage hides the good block before it"


def check_message(message: Message) -> None:
    """Possible, and the same when written and read again."""
    lat, lon = getattr(message, "lat_deg", None), getattr(message, "lon_deg", None)
    assert lat is None or -90.0 <= lat <= 90.0
    assert lon is None or -180.0 <= lon <= 180.0
    assert message.time_of_day_s is None or 0.0 <= message.time_of_day_s < 86_400.0
    again = decode(encode([message]))
    assert again.messages == (message,), again


if __name__ == "__main__":
    one = harness.each(lambda chance: mutate(chance.choice(corpus()), chance), check)
    raise SystemExit(harness.main("asterix", one, check, mutate, make_corpus=make_corpus))
