"""File commands: ``decode``, ``track`` and ``assess``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vedette.cli import output
from vedette.model import ConfigError, InputError
from vedette.model.event import DetectionBatch

if TYPE_CHECKING:
    from vedette.evaluate.drive import Case, Driver

Folder = Annotated[Path, typer.Argument(help="folder with site.json, sensors.json, detections.jsonl")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(decode)
    app.command()(track)
    app.command()(assess)


def decode(
    sources: Annotated[list[str], typer.Argument(help="capture files (pcap, pcapng, btsnoop) or feed URLs")],
    sensor: Annotated[str, typer.Option(help="name of the sensor in the detections")] = "odid-1",
) -> int:
    """Captures or live feeds with Remote ID -> detections.jsonl on stdout, counts on stderr."""
    from vedette.cli.listen import listen

    for source in sources:
        if source.startswith("odid+") and not Path(source).exists():
            listen(source, sensor)
        else:
            _decode(Path(source), sensor)
    return 0


def _decode(source: Path, sensor: str) -> None:
    from vedette.sense.remote_id import RemoteIdAdapter
    from vedette.wire.capture import CaptureReader
    from vedette.wire.errors import CaptureError

    reader = CaptureReader(source)
    adapter = RemoteIdAdapter(sensor)
    try:
        for batch in output.watched(reader.batches(), f"decode {source.name}", None):
            for detection in adapter.detections(batch):
                output.write(detection)
    except CaptureError as error:
        raise InputError(str(error)) from None
    counts = {**reader.counts, **adapter.counts}
    output.say(f"{source}: " + ", ".join(f"{name} {count}" for name, count in counts.items() if count))


def track(
    folder: Folder,
    at: Annotated[str | None, typer.Option(help="frames at 'scans:SENSOR' (default: each second)")] = None,
) -> int:
    """Detections -> confirmed tracks, frames.jsonl on stdout."""
    from vedette.evaluate.drive import Driver, read_case

    case = read_case(folder)
    driver = Driver(case)
    times = _each_second(driver, case) if at is None else _each_scan(driver, case, at)
    for time in times:
        output.write(driver.core.frame(time))
    _say_counts(driver, case)
    return 0


def _each_scan(driver: "Driver", case: "Case", at: str) -> Iterator[float]:
    from vedette.evaluate.drive import arrivals

    kind, _, sensor = at.partition(":")
    if kind != "scans" or not sensor:
        raise ConfigError(f"--at {at!r}: write scans:SENSOR, for example scans:radar-1")
    seen = False
    for event in driver.run(arrivals(case)):
        if isinstance(event.body, DetectionBatch) and event.body.feed == sensor:
            seen = True
            yield event.body.detections[0].time
    if not seen:
        raise InputError(f"{case.detections}: no detection of a sensor {sensor!r}")


def _each_second(driver: "Driver", case: "Case") -> Iterator[float]:
    from vedette.evaluate.drive import arrivals

    second = None
    for event in driver.run(arrivals(case)):
        if second is not None and event.at >= second + 1.0:
            second = float(int(event.at))
            yield event.at
        elif second is None:
            second = float(int(event.at))


def assess(folder: Folder) -> int:
    """Detections and units -> threats.jsonl on stdout, once a second."""
    from vedette.evaluate.drive import Driver, read_case

    case = read_case(folder)
    if case.units is None:
        raise ConfigError(f"{folder}: units.jsonl is missing: without units nobody can be at risk")
    driver = Driver(case)
    for _ in _each_second(driver, case):
        for threat in driver.core.threats():
            output.write(threat)
    _say_counts(driver, case)
    return 0


def _say_counts(driver: "Driver", case: "Case") -> None:
    _say_some("not used", driver.core.counts())
    _say_some("unknown keys", case.unknown)


def _say_some(what: str, counts: Mapping[str, int]) -> None:
    some = [f"{name} {count}" for name, count in counts.items() if count]
    if some:
        output.say(f"{what}: " + ", ".join(some))
