"""File commands: ``decode``, ``track`` and ``assess``."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import structs

from vedette.cli import output
from vedette.model import ConfigError, InputError
from vedette.model.event import DetectionBatch
from vedette.model.lines import dump_line

if TYPE_CHECKING:
    from vedette.evaluate.drive import Case, Driver
    from vedette.model import Site

Folder = Annotated[Path, typer.Argument(help="folder with site.json, sensors.json, detections.jsonl")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(decode)
    app.command()(track)
    app.command()(assess)


def decode(
    sources: Annotated[
        list[str], typer.Argument(help="captures (pcap, pcapng, btsnoop), other recordings, or feed URLs")
    ],
    sensor: Annotated[
        str | None, typer.Option(help="name of the sensor in the detections (default: the feed's kind and 1)")
    ] = None,
    site: Annotated[
        str | None, typer.Option(help="LAT,LON of the receiver: ADS-B beyond 400 km of it is refused")
    ] = None,
) -> int:
    """Recordings or live feeds -> detections.jsonl on stdout, counts on stderr. What a file holds is told
    from its content."""
    from vedette.cli.recordings import place

    where = place(site)
    for source in sources:
        if not _is_there(Path(source)) and _is_url(source):
            _listen(source, sensor, where)
        else:
            _file(Path(source), sensor, where)
    return 0


def _is_url(source: str) -> bool:
    """A scheme that is known, or one that was meant to be: ``x+udp:`` is no name that a file has."""
    from vedette.cli.listen import is_feed

    scheme, colon, _ = source.partition(":")
    return is_feed(source) or (bool(colon) and "+" in scheme)


def _is_there(path: Path) -> bool:
    """Whether there is such a file, also where it may not be looked at."""
    try:
        return path.exists()
    except OSError:
        return True


def _listen(
    url: str, sensor: str | None, site: "Site | None", recorded_from: float | None = None, once: bool = False
) -> None:
    from vedette.cli.listen import listen

    family = url.partition(":")[0].partition("+")[0]
    listen(url, sensor or f"{family}-1", site=site, recorded_from=recorded_from, once=once)


def _file(source: Path, sensor: str | None, site: "Site | None") -> None:
    from vedette.cli import recordings

    content = recordings.content_of(source)
    if content is None:
        _decode(source, sensor or "odid-1")
        return
    url = recordings.url_of(source, content)
    begins, once = recordings.begins(source, content), recordings.READERS[content].once
    _listen(url, sensor, site, begins, once)


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
        others = (
            "; other recordings: Beast, SBS, aircraft.json, detection lines"
            if "not a cap" in str(error)
            else ""
        )
        raise InputError(f"{error}{others}") from None
    counts = {**reader.counts, **adapter.counts}
    output.say(f"{source}: " + ", ".join(f"{name} {count}" for name, count in counts.items() if count))
    if counts.get("records") and not counts.get("odid-frames"):
        output.say(f"{source}: no Remote ID in it, nor another format that is read (docs/feeds.md)")


def track(
    folder: Folder,
    at: Annotated[str | None, typer.Option(help="frames at 'scans:SENSOR' (default: each second)")] = None,
    registrations: Annotated[
        Path | None, typer.Option(help="write here how each sensor seems to be set up, as JSON lines")
    ] = None,
    terrain: Annotated[
        Path | None, typer.Option(help="elevation file (default: terrain.tif of the folder, if there)")
    ] = None,
    terrain_datum: Annotated[
        str | None, typer.Option(help="what its heights are measured from, if it does not say: egm96 ...")
    ] = None,
) -> int:
    """Detections -> confirmed tracks, frames.jsonl on stdout; what is wrong with the set-up of sensors on
    stderr."""
    from vedette.evaluate.drive import Driver, read_case

    case = read_case(folder, terrain, terrain_datum)
    driver = Driver(case)
    times = _each_second(driver, case) if at is None else _each_scan(driver, case, at)
    for time in times:
        # What is not borne out is no place to hand on.
        output.write(structs.replace(driver.core.frame(time), unplaced=()))
    _say_counts(driver, case)
    _say_registrations(driver, registrations)
    return 0


def _say_registrations(driver: "Driver", path: Path | None) -> None:
    from vedette.station.askew import words_of

    found = driver.core.registrations()
    for one in found:
        figures = (
            f"{one.sensor}: azimuth {one.azimuth_bias_deg:+.2f} deg (sigma {one.azimuth_sigma_deg:.2f}),"
            f" clock {one.clock_offset_s:+.2f} s (sigma {one.clock_sigma_s:.2f}),"
            f" {one.compared} plots compared"
        )
        words = words_of(one)
        output.say(figures if words is None else f"{figures}; {words}")
    if path is None:
        return
    try:
        path.write_bytes(b"".join(dump_line(one) for one in found))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None


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


def _each_assessment(driver: "Driver", case: "Case") -> Iterator[float]:
    from vedette.evaluate.drive import arrivals

    last = driver.core.assessed_at
    for _ in driver.run(arrivals(case)):
        if driver.core.assessed_at != last:
            last = driver.core.assessed_at
            yield last


def assess(
    folder: Folder,
    features: Annotated[
        Path | None,
        typer.Option(hidden=True, help="write here what each risk is computed from, as numpy arrays (npz)"),
    ] = None,
) -> int:
    """Detections and units -> threats.jsonl on stdout, once a second."""
    from vedette.evaluate.drive import Driver, read_case
    from vedette.evaluate.feature_file import FeatureFile

    case = read_case(folder)
    if case.units is None:
        raise ConfigError(f"{folder}: units.jsonl is missing: without units nobody can be at risk")
    driver = Driver(case)
    seen = None if features is None else FeatureFile(features)
    if seen is not None:
        driver.core.assessor.watch = seen.take
    for _ in _each_assessment(driver, case):
        for threat in driver.core.threats():
            output.write(threat)
    if seen is not None:
        seen.write()
    _say_counts(driver, case)
    return 0


def _say_counts(driver: "Driver", case: "Case") -> None:
    _say_some("not used", driver.core.counts())
    _say_some("unknown keys", case.unknown)


def _say_some(what: str, counts: Mapping[str, int]) -> None:
    some = [f"{name} {count}" for name, count in counts.items() if count]
    if some:
        output.say(f"{what}: " + ", ".join(some))
