"""Whether what people read is what the site has written."""

from collections.abc import Iterator
from pathlib import Path

from vedette.model.errors import ConfigError
from vedette.station.config import StationConfig
from vedette.station.doctor.findings import Finding
from vedette.station.view import View, WordingView
from vedette.station.words import WordFolder, check_folder

_ADVICE = "vedette check-templates says what is wrong with a file"
_UNREVIEWED = "have them read by somebody who speaks the language (docs/wording.md)"


def wording(config: StationConfig, running: View | None) -> Iterator[Finding]:
    """The words in force at the station that runs; or those that it would have if it were started."""
    if running is not None:
        for trouble in running.wording.troubles:
            yield Finding(check="wording", verdict="bad", found=trouble, advice=_ADVICE)
        yield from _reviewed(running.wording)
        return
    own = None if config.wording.folder is None else Path(config.wording.folder)
    try:
        check_folder(own)
    except ConfigError as error:
        yield Finding(check="wording", verdict="bad", found=str(error), advice=_ADVICE)
    else:
        yield from _reviewed(WordFolder(own, None).settle().view())


def _reviewed(view: WordingView) -> Iterator[Finding]:
    names = ", ".join(f"{pack.language} version {pack.version}" for pack in view.packs)
    unread = [pack.language for pack in view.packs if not pack.reviewed]
    if unread:
        found = f"{names}; nobody has reviewed: {', '.join(unread)}"
        yield Finding(check="wording", verdict="warning", found=found, advice=_UNREVIEWED)
    elif names:
        yield Finding(check="wording", verdict="good", found=names)
