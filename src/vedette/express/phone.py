"""Alerts as frames of the gateway's protocol: one rendering for each language, and for each of two readers.

Who is in danger reads the direction and the distance from where he is. Who is told about somebody else gets
neither, for they would be from another place, nor anybody's position: no frame carries one.
"""

from collections.abc import Callable

from vedette.model import Alert
from vedette.model.event import Clear, Deliver
from vedette.wire.gateway import AlertFrame, ClearFrame, write

DEFAULT = "en"
UNPLACED_SIGMA_DEG = 180.0
"""A direction that is as doubtful as this is none."""


def language_of(alert: Alert, wanted: str) -> str:
    """The language in which a reader gets it: the wanted one, its base (``es`` for ``es-MX``), or English."""
    base = wanted.partition("-")[0]
    return next((one for one in (wanted, base, DEFAULT) if one in alert.text), next(iter(alert.text), ""))


def call_of(alert: Alert) -> int:
    """A number that rises each time people are asked anew about one revision: the tenths
    of a second of station time of the last asking; 0 where nobody was asked again."""
    change = alert.change
    return round(change.time * 10.0) if change is not None and change.event == "escalated" else 0


def delivery_frame(
    message: Deliver | Clear,
    language: str,
    to_wall: Callable[[float], float],
    *,
    own: bool,
    again: bool = False,
) -> bytes:
    """What goes to a reader. ``own``: he is the one in danger; ``to_wall``: station time to Unix seconds."""
    if isinstance(message, Deliver):
        return alert_frame(message.alert, language, to_wall, own=own, sound=message.sound, again=again)
    return clear_frame(message.alert, language, to_wall)


def alert_frame(
    alert: Alert,
    language: str,
    to_wall: Callable[[float], float],
    *,
    own: bool,
    sound: bool,
    again: bool = False,
) -> bytes:
    """One revision. What comes again makes no sound."""
    placed = own and alert.bearing_sigma_deg != UNPLACED_SIGMA_DEG
    return write(
        AlertFrame(
            id=alert.alert,
            rev=alert.revision,
            call=call_of(alert),
            level=alert.level,
            status=alert.status,
            state=alert.state,
            text=alert.text.get(language_of(alert, language), ""),
            long=alert.long.get(language_of(alert, language), ""),
            at=to_wall(alert.time),
            expires=to_wall(alert.expires),
            sound=sound and not again,
            again=again,
            about=None if own else "another unit",
            bearing_deg=alert.bearing_deg if placed else None,
            bearing_sigma_deg=alert.bearing_sigma_deg if placed else None,
            range_m=alert.range_m if placed else None,
            time_left_s=alert.time_to_impact_s if placed else None,
            count=alert.count if own else 1,
            acknowledged=alert.state == "active-acked",
        )
    )


def clear_frame(alert: Alert, language: str, to_wall: Callable[[float], float]) -> bytes:
    """The end of an alert, in words that say why."""
    return write(
        ClearFrame(
            id=alert.alert,
            rev=alert.revision,
            status=alert.status,
            text=alert.text.get(language_of(alert, language), ""),
            long=alert.long.get(language_of(alert, language), ""),
            at=to_wall(alert.time),
        )
    )
