"""All findings, in the order in which a technician would ask."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from vedette.model.errors import VedetteError
from vedette.model.site import Site
from vedette.record import verify
from vedette.station.config import FeedConfig, StationConfig
from vedette.station.doctor.console import ask_console
from vedette.station.doctor.findings import Finding, Verdict
from vedette.station.doctor.judge import judge, told
from vedette.station.doctor.listen import Tell, listen
from vedette.station.doctor.look import look
from vedette.station.doctor.wording import wording
from vedette.station.journal import LOG_NAME
from vedette.station.timekeeping import clock_state
from vedette.station.view import ClockView, View

LOW_DISK_BYTES = 1 << 30


def examine(config: StationConfig, listen_s: float = 0.0, tell: Tell | None = None) -> Iterator[Finding]:
    """Look at everything; with ``listen_s`` above 0, then listen to the feeds for so many seconds, unless a
    station runs, which is asked instead. ``tell`` is called as time passes (`listen.Tell`)."""
    yield _clock(clock_state())
    yield from _heights(config.site)
    yield from _state(Path(config.state))
    console, running = ask_console(config)
    yield console
    yield from wording(config, running)
    if not config.feed:
        yield Finding(
            check="feeds",
            verdict="bad",
            found="no feed is configured: nothing is watched",
            advice="add a [[feed]] with a name and a url to the configuration",
        )
    yield from _asked(running) if running is not None else ()
    names = {view.feed for view in running.feeds} if running is not None else set()
    sound: list[FeedConfig] = []
    for feed in config.feed:
        if feed.name not in names:
            findings = list(look(feed))
            yield from findings
            if not any(finding.verdict == "bad" for finding in findings):
                sound.append(feed)
    if listen_s > 0.0 and running is None and sound:
        yield from judge(config, listen(config, sound, listen_s, tell))


def _clock(clock: ClockView) -> Finding:
    """The station's own clock."""
    if clock.state == "synchronised":
        return Finding(check="clock", verdict="good", found=clock.words)
    return Finding(
        check="clock",
        verdict="warning",
        found=clock.words,
        advice="set up chrony (with GPS where there is no network): late clocks make late warnings",
    )


def _asked(view: View) -> Iterator[Finding]:
    """The feeds in the words of the station that runs, and what is wrong with each."""
    for feed in view.feeds:
        yield told(feed)


def _state(folder: Path) -> Iterator[Finding]:
    probe = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not probe.is_dir():
        yield Finding(
            check="state",
            verdict="bad",
            found=f"{probe} is not a folder",
            advice="name another folder as state, or move the file away",
        )
        return
    if not os.access(probe, os.W_OK | os.X_OK, effective_ids=True):
        yield Finding(
            check="state",
            verdict="bad",
            found=f"{probe} cannot be written",
            advice="give the station's user this folder",
        )
        return
    free = shutil.disk_usage(probe).free
    verdict: Verdict = "good" if free >= LOW_DISK_BYTES else "warning"
    yield Finding(
        check="disk",
        verdict=verdict,
        found=f"{free / 1e9:.1f} GB free for the record",
        advice="" if verdict == "good" else "free some space: when it is full, alerts go out unlogged",
    )
    log = folder / LOG_NAME
    if log.exists():
        yield _log(log)


def _log(path: Path) -> Finding:
    try:
        verdict = verify(path)
    except VedetteError as error:
        return Finding(
            check="record", verdict="bad", found=str(error), advice="move the file aside and keep it"
        )
    if not verdict.good:
        return Finding(
            check="record",
            verdict="bad",
            found=f"altered: {verdict.fault}",
            advice="keep it as it is and report it",
        )
    return Finding(check="record", verdict="good", found=f"{verdict.events} events, chain unbroken")


def _heights(site: Site) -> Iterator[Finding]:
    """Satellite receivers give heights over the ellipsoid, and so do Remote ID, TAK and most nodes."""
    if site.alt_datum == "egm96" and site.geoid_height_m is None:
        yield Finding(
            check="site",
            verdict="warning",
            found="its height is over mean sea level (egm96) and geoid_height_m is missing: heights by"
            " satellite (Remote ID, TAK, most SAPIENT nodes) cannot be compared with it",
            advice="write geoid_height_m under [site]: how far mean sea level lies above the ellipsoid there"
            " (a geoid calculator gives it for the place)",
        )
