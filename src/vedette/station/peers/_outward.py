"""What the ways out that have no lasting connection share: the watch over whether the counterpart is there,
and the notice of a message."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from vedette.express.notice import Notice, Teller, Told, notice_of
from vedette.model.event import Clear, Deliver
from vedette.model.unit import RosterEntry
from vedette.station.ports import Hub

for _name in ("httpx", "httpcore"):
    # They log whole addresses, in which the secrets of webhooks and of push subscriptions stand.
    logging.getLogger(_name).setLevel(logging.WARNING)

CHECK_S, RETRY_S = 60.0, 15.0
CHECK_LIMIT_S = 15.0


async def keep_watch(
    hub: Hub, name: str, check: Callable[[], Awaitable[str | None]], *, every_s: float = CHECK_S
) -> None:
    """Ask ``check`` again and again and report what it finds, until cancelled. ``check`` returns words for a
    counterpart that is there, and raises OSError or TimeoutError for one that is not."""
    hub.feed(name, "connecting", "looking whether it is there")
    while True:
        try:
            async with asyncio.timeout(CHECK_LIMIT_S):
                words = await check()
        except TimeoutError:
            hub.feed(name, "down", f"no answer in {CHECK_LIMIT_S:g} s; what is due is tried all the same")
            await asyncio.sleep(min(RETRY_S, every_s))
        except OSError as error:
            reason = str(error) or type(error).__name__
            hub.feed(name, "down", f"{reason[:300]}; what is due is tried all the same")
            await asyncio.sleep(min(RETRY_S, every_s))
        else:
            hub.feed(name, "watching", words)
            hub.heard(name, due_s=3.0 * every_s + CHECK_LIMIT_S)
            await asyncio.sleep(every_s)


def entry_of(hub: Hub, unit: str) -> RosterEntry | None:
    """A unit as it stands on the roster."""
    return next((entry for entry in hub.roster.units if entry.unit == unit), None)


def notice_by(hub: Hub, message: Deliver | Clear, recipient: str, *, carries_position: bool) -> Notice:
    """The notice of a message, with wall-clock times and the callsign of whoever is at risk."""
    alert, clock = message.alert, hub.clock
    about = entry_of(hub, alert.units[0]) if alert.units else None
    told = Told(
        recipient=recipient,
        time=clock.to_wall(alert.time),
        expires=clock.to_wall(alert.expires),
        about=None if about is None else about.callsign,
    )
    return notice_of(message, told, Teller(station=hub.site.name, carries_position=carries_position))
