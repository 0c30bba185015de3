"""ASTERIX CAT048 of a surveillance radar: datagrams -> detections, or checked target reports."""

from vedette.evaluate.bench_decode.figures import Bench, fix
from vedette.evaluate.bench_decode.streams import Decode, Stream
from vedette.sense.asterix import AsterixAdapter
from vedette.wire.asterix import RadarTarget, decode, encode, preload

TARGETS_A_DATAGRAM = 2
"""In the real capture of the tests there are 128 in 100 datagrams, beside the service messages."""
DAY_S = 86_400.0


def _target(number: int) -> RadarTarget:
    at = fix(number)
    return RadarTarget(
        sac=25,
        sic=201,
        time_of_day_s=at.time % DAY_S,
        plot_type=1,
        simulated=False,
        fixed_transponder=False,
        range_m=1000.0 + at.emitter * 50.0 + at.turn % 1000,
        azimuth_deg=at.course_deg,
        track_number=at.emitter,
        tentative=False,
        speed_mps=at.speed_mps,
        heading_deg=at.course_deg,
    )


def _read(numbers: range) -> bytes:
    return encode([_target(number) for number in numbers])


def _codec() -> Decode:
    preload()
    return lambda data, received: len(decode(data).messages)


def _adapter() -> Decode:
    preload()
    adapter = AsterixAdapter("bench")

    def decoded(data: bytes, received: float) -> int:
        heard = adapter.take(decode(data).messages, received)
        return sum(one.detection is not None for one in heard)

    return decoded


FORMS: dict[str, Bench] = {
    "asterix": Stream(read=_read, decoder=_adapter, per_read=TARGETS_A_DATAGRAM),
    "asterix-048": Stream(read=_read, decoder=_codec, results="messages", per_read=TARGETS_A_DATAGRAM),
}
