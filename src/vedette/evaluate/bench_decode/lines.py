"""Detection lines: JSON as anybody's detector writes it -> detections."""

import msgspec

from vedette.evaluate.bench_decode.figures import Bench, fix
from vedette.evaluate.bench_decode.streams import Decode, Stream
from vedette.model import Detection, Position, Sigma
from vedette.sense.lines import LineAdapter, LineSplitter

LINES_A_READ = 50


def _read(numbers: range) -> bytes:
    return b"".join(msgspec.json.encode(_detection(number)) + b"\n" for number in numbers)


def _detection(number: int) -> Detection:
    at = fix(number)
    return Detection(
        time=at.time,
        sensor=f"detector-{at.emitter % 4}",
        measure=Position(
            lat_deg=at.lat_deg, lon_deg=at.lon_deg, alt_m=at.height_m, alt_datum="wgs84-ellipsoid"
        ),
        sigma=Sigma(horizontal_m=8.0, vertical_m=15.0),
        beliefs={"multirotor": 0.6, "unknown": 0.4},
    )


def _decoder() -> Decode:
    splitter = LineSplitter()
    adapter = LineAdapter((), refused=lambda reason, line: None, noted=lambda what: None)

    def decode(data: bytes, received: float) -> int:
        found = [adapter.detection(line) for line in splitter.feed(data)]
        return len([adapter.on_clock(d, d.time, received) for d in found if d is not None])

    return decode


FORMS: dict[str, Bench] = {"lines": Stream(read=_read, decoder=_decoder, per_read=LINES_A_READ)}
