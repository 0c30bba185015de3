"""Random mutation of Beast, SBS and aircraft.json: `python tests/fuzz/fuzz_adsb.py --seconds N`.

Two things must hold on any bytes: nothing raises but the typed errors, and the compiled kernel says the
same as the plain Python decoders. The seeds in `corpus/adsb` are made by our own encoders (`--make-corpus`
writes them again).
"""

import json
import random

import harness

from vedette.wire.adsb import (
    AdsbError,
    AirbornePosition,
    AirVelocity,
    BeastBatcher,
    BeastFrame,
    BeastSplitter,
    GroundVelocity,
    Identification,
    OperationalStatus,
    Parity,
    PositionResolver,
    SbsMessage,
    SbsSplitter,
    SurfacePosition,
    adsb,
    cpr,
    decode,
    decode_message,
    encode,
    encode_beast,
    judge,
    read_aircraft_json,
    squitters,
    write_sbs,
)
from vedette.wire.adsb.beast import MAX_FRAME_BYTES
from vedette.wire.adsb.cpr import Place
from vedette.wire.adsb.parity import crc24
from vedette.wire.adsb.sbs import MAX_LINE_BYTES

CORPUS = harness.CORPORA / "adsb"
TELLING = (0x00, 0x0A, 0x1A, 0x22, 0x2C, 0x31, 0x32, 0x33, 0x34, 0x5B, 0x7B, 0x8D, 0x95, 0xFF)
"""Bytes that mean something in these formats, so that mutations reach the deeper branches."""


def messages() -> list[BeastFrame]:
    """One frame of each kind that the encoder knows, and the short ones."""
    kept = [
        Identification("A3", "FUZZ01"),
        AirbornePosition(11, 0, False, 3000.0, False, False, *cpr.encode(48.1, 11.5, False)),
        AirbornePosition(11, 0, False, 3000.0, False, True, *cpr.encode(48.1, 11.5, True)),
        SurfacePosition(7, 10.0, 90.0, False, False, *cpr.encode(48.1, 11.5, False, True)),
        GroundVelocity(False, 2, 100.0, -100.0, True, 640.0, 100.0),
        AirVelocity(False, 2, 90.0, True, 200.0, False, -640.0, None),
        OperationalStatus(False, 2, True, 9, 3),
    ]
    bodies = [encode(adsb(0x3C1A1A, message)) for message in kept]
    bodies += [bytes.fromhex("5f4001594b0fbb"), b"\x1a\x1a"]
    return [BeastFrame(1000 * i, 0x1A + i, body) for i, body in enumerate(bodies)]


def make_corpus() -> None:
    """Write the seeds anew."""
    line = write_sbs(SbsMessage(3, 0x3C1A1A, lat_deg=48.1, lon_deg=11.5, altitude_ft=3000.0, squawk="1234"))
    entry = {"hex": "3c1a1a", "lat": 48.1, "lon": 11.5, "alt_baro": 3000, "gs": 100, "mlat": [], "tisb": []}
    table = {"now": 1.79e9, "messages": 5, "aircraft": [entry, entry | {"altitude": "ground"}]}
    seeds = {f"{i}.beast": encode_beast(frame) for i, frame in enumerate(messages())}
    seeds |= {"line.sbs": f"{line}\r\n".encode(), "table.json": json.dumps(table).encode()}
    CORPUS.mkdir(parents=True, exist_ok=True)
    for name, data in seeds.items():
        (CORPUS / name).write_bytes(data)


def mutate(data: bytes, rng: random.Random) -> bytes:
    """Up to six random edits: set, flip, cut, insert, repeat."""
    edited = bytearray(data)
    for _ in range(rng.randint(0, 6)):
        at = rng.randrange(len(edited) + 1)
        edit = rng.randrange(5)
        if edit == 0 and at < len(edited):
            edited[at] = rng.choice(TELLING)
        elif edit == 1 and at < len(edited):
            edited[at] ^= 1 << rng.randrange(8)
        elif edit == 2:
            del edited[at : at + rng.randint(1, 12)]
        elif edit == 3:
            edited[at:at] = bytes(rng.choices(TELLING, k=rng.randint(1, 12)))
        else:
            edited[at:at] = edited[max(0, at - 8) : at]
    return bytes(edited)


def repaired(frame: bytes, rng: random.Random) -> bytes:
    """Random message bits under a parity that fits: what an attacker sends."""
    body = bytes((rng.randrange(0x88, 0x98),)) + rng.randbytes(10)
    return (
        encode_beast(BeastFrame(1, 1, body + crc24(body).to_bytes(3, "big"))) if rng.random() < 0.3 else frame
    )


def check_beast(stream: bytes, resolver: PositionResolver, rng: random.Random) -> None:
    """Kernel and reference agree however the stream is cut, and the resolver takes what comes out."""
    splitter, batcher = BeastSplitter(), BeastBatcher()
    at = 0
    while at < len(stream):
        size = rng.randint(1, 200)
        piece, at = stream[at : at + size], at + size
        frames, batch = splitter.feed(piece), batcher.feed(piece)
        verdicts = [judge(frame.message) for frame in frames]
        if batch.ticks.tolist() != [f.ticks for f in frames] or batch.parity.tolist() != verdicts:
            raise AssertionError(f"kernel and reference differ on {stream.hex()}")
        good = [f.message for f, v in zip(frames, verdicts, strict=True) if v is Parity.GOOD]
        check_squitters([m for m in good if m[0] >> 3 in (17, 18)], squitters(batch), resolver, rng)
    if splitter.counters != batcher.counters or len(batcher._rest) >= MAX_FRAME_BYTES:
        raise AssertionError(f"counters differ, or too much is kept, on {stream.hex()}")


def check_squitters(expected, out, resolver, rng) -> None:  # type: ignore[no-untyped-def]
    """Each intact squitter is decoded alike by both."""
    for i, frame in enumerate(expected):
        found = decode(frame)
        if found.address != out.address[i] or (
            out.kind[i] and decode_message(int(out.me[i])) != found.message
        ):
            raise AssertionError(f"kernel and reference differ on {frame.hex()}")
        if isinstance(found.message, AirbornePosition | SurfacePosition):
            resolver.resolve(found.address, rng.uniform(0.0, 100.0), found.message)


def check_text(lines: bytes, table: bytes, rng: random.Random) -> None:
    """Lines and tables are read or refused with a typed error."""
    splitter, at = SbsSplitter(), 0
    while at < len(lines):
        size = rng.randint(1, 300)
        splitter.feed(lines[at : at + size])
        at += size
        if len(splitter._rest) > MAX_LINE_BYTES:
            raise AssertionError("an SBS line without end is kept")
    try:
        read_aircraft_json(table)
    except AdsbError:
        return


def rounds() -> harness.Round:
    """One stream of forty frames, and some lines and a table."""
    resolver = PositionResolver(receiver=Place(48.0, 11.0), max_aircraft=50)
    beast = [path.read_bytes() for path in sorted(CORPUS.glob("*.beast"))]
    line, table = (CORPUS / "line.sbs").read_bytes(), (CORPUS / "table.json").read_bytes()

    def one(rng: random.Random) -> int:
        stream = b"".join(mutate(repaired(rng.choice(beast), rng), rng) for _ in range(40))
        check_beast(stream, resolver, rng)
        check_text(b"".join(mutate(line, rng) for _ in range(10)), mutate(table, rng), rng)
        return 1

    return one


def check(data: bytes, chance: random.Random) -> None:
    """One input as each of the formats."""
    check_beast(data, PositionResolver(receiver=Place(48.0, 11.0), max_aircraft=50), chance)
    check_text(data, data, chance)


if __name__ == "__main__":
    raise SystemExit(harness.main("adsb", rounds(), check, mutate, "streams", make_corpus))
