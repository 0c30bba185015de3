"""The decode benchmark: what it feeds in is distinct and correct, and all of it comes out."""

from importlib import import_module

import pytest

from vedette.evaluate import bench_decode as package
from vedette.evaluate.bench_decode import FORMATS, bench_decode
from vedette.evaluate.bench_decode.figures import EMITTERS, FRAMES_PER_S, fix
from vedette.evaluate.bench_decode.streams import AHEAD, Decode, Stream
from vedette.model import ConfigError

FRAMES = 1000
STREAMS = sorted(name for name, module in FORMATS.items() if module != "odid")
RATE_LIMITED = {"beast", "sbs", "aircraft-json"}
"""Of an aircraft one detection a second is enough, and a position needs two of its frames."""


def stream(name: str) -> Stream:
    form = import_module(f"{package.__name__}.{FORMATS[name]}").FORMS[name]
    assert isinstance(form, Stream)
    return form


@pytest.mark.parametrize("module", sorted(set(FORMATS.values())))
def test_each_module_measures_what_the_table_says_it_does(module: str) -> None:
    forms = import_module(f"{package.__name__}.{module}").FORMS
    assert sorted(forms) == sorted(name for name, where in FORMATS.items() if where == module)


@pytest.mark.parametrize("name", STREAMS)
def test_every_frame_is_distinct(name: str) -> None:
    form = stream(name)
    assert len({form.read(range(n, n + 1)) for n in range(FRAMES)}) == FRAMES


def results(figures: dict[str, object]) -> int:
    found = figures.get("detections", figures.get("messages"))
    assert isinstance(found, int)
    return found


@pytest.mark.parametrize("name", sorted(set(STREAMS) - RATE_LIMITED))
def test_every_frame_becomes_a_result(name: str) -> None:
    assert results(bench_decode(name, FRAMES)) == FRAMES


@pytest.mark.parametrize("name", sorted(RATE_LIMITED))
def test_every_aircraft_becomes_a_detection_each_second(name: str) -> None:
    seconds = 5
    found = results(bench_decode(name, seconds * FRAMES_PER_S))
    assert EMITTERS * (seconds - 2) <= found <= EMITTERS * (seconds + 1)


@pytest.mark.parametrize("name", STREAMS)
def test_the_result_has_what_the_contract_names(name: str) -> None:
    figures = bench_decode(name, 20)
    kind = stream(name).results
    assert kind in ("detections", "messages")
    assert set(figures) == {"format", "frames", kind, "frames_per_cpu_s", "peak_rss_mb"}
    assert (figures["format"], figures["frames"]) == (name, 20)
    rate = figures["frames_per_cpu_s"]
    assert isinstance(rate, int)
    assert rate > 0


@pytest.mark.parametrize(("name", "frames"), [("klingon", 10), ("klingon", None), ("odid", 0), ("cot", -1)])
def test_what_cannot_be_measured_is_a_config_error(name: str, frames: int | None) -> None:
    with pytest.raises(ConfigError):
        bench_decode(name, frames)


def test_a_damaged_frame_is_no_result() -> None:
    form = stream("sapient")
    decode, whole = form.decoder(), form.read(range(1))
    assert decode(whole[:-1], 0.0) == 0
    assert decode(whole[-1:], 0.0) == 1
    assert decode(whole[:4] + bytes(len(whole) - 4), 0.0) == 0


class Counting:
    """A decoder that remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[tuple[bytes, float]] = []

    def __call__(self, data: bytes, received: float) -> int:
        self.given.append((data, received))
        return len(data)


def counted(frames: int, per_read: int) -> tuple[dict[str, object], Counting]:
    decoders: list[Counting] = []

    def decoder() -> Decode:
        decoders.append(Counting())
        return decoders[-1]

    form = Stream(read=lambda numbers: bytes(len(numbers)), decoder=decoder, per_read=per_read)
    figures = form(frames)
    warm_up, measured = decoders
    assert warm_up.given
    return figures, measured


@pytest.mark.parametrize("frames", [1, 7, AHEAD, AHEAD + 1, 3 * AHEAD - 1])
@pytest.mark.parametrize("per_read", [1, 3])
def test_each_frame_is_decoded_once_and_none_too_many(frames: int, per_read: int) -> None:
    figures, measured = counted(frames, per_read)
    assert figures["frames"] == figures["detections"] == frames
    assert sum(len(data) for data, _ in measured.given) == frames
    received = [time for _, time in measured.given]
    assert received == sorted(received)
    assert len(set(received)) == len(received)


def test_a_read_is_received_after_its_last_frame_was_made() -> None:
    _, measured = counted(100, 10)
    for i, (_, received) in enumerate(measured.given):
        assert received > fix(i * 10 + 9).time
        assert received - fix(i * 10).time <= 11 / FRAMES_PER_S


def test_objects_come_in_turn() -> None:
    first, again = fix(3), fix(3 + EMITTERS)
    assert first.emitter == again.emitter == 3
    assert (first.turn, again.turn) == (0, 1)
    assert first[3:5] != again[3:5]
    assert again.time > first.time
