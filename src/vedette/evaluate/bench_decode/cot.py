"""Cursor on Target streams of another TAK user, in XML and in protobuf -> detections."""

from vedette.evaluate.bench_decode.figures import Bench, fix
from vedette.evaluate.bench_decode.streams import Decode, Stream
from vedette.model import Detection
from vedette.sense.cot_tracks import CotTrackAdapter
from vedette.wire.cot import CotEvent, CotSplitter, write_event
from vedette.wire.tak import TakSplitter, write_stream

EVENTS_A_READ = 20
LIFE_S = 60.0


def _event(number: int) -> CotEvent:
    at = fix(number)
    return CotEvent(
        uid=f"bench-{at.emitter}",
        type="a-u-A-M-H-Q",
        how="m-g",
        time=at.time,
        start=at.time,
        stale=at.time + LIFE_S,
        lat_deg=at.lat_deg,
        lon_deg=at.lon_deg,
        hae_m=at.height_m,
        ce_m=8.0,
        le_m=15.0,
        callsign=f"BENCH {at.emitter}",
        course_deg=at.course_deg,
        speed_mps=at.speed_mps,
        slope_deg=at.climb_mps,
    )


def _xml(numbers: range) -> bytes:
    return b"".join(write_event(_event(number)) for number in numbers)


def _protobuf(numbers: range) -> bytes:
    return b"".join(write_stream(_event(number)) for number in numbers)


def _decoder(splitter: CotSplitter) -> Decode:
    adapter = CotTrackAdapter("bench")

    def decode(data: bytes, received: float) -> int:
        events = [event for event in splitter.feed(data) if isinstance(event, CotEvent)]
        taken = [adapter.take(e, time=e.time, received=received, stale=e.stale) for e in events]
        return sum(isinstance(found, Detection) for found in taken)

    return decode


FORMS: dict[str, Bench] = {
    "cot": Stream(read=_xml, decoder=lambda: _decoder(CotSplitter()), per_read=EVENTS_A_READ),
    "tak": Stream(read=_protobuf, decoder=lambda: _decoder(TakSplitter()), per_read=EVENTS_A_READ),
}
