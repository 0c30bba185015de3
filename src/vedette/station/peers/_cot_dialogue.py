"""What a TAK peer makes of the events it hears and what it says to whom: all but the socket."""

import asyncio
import math
import secrets
from collections import Counter, OrderedDict
from collections.abc import Iterable

from msgspec.structs import replace

from vedette.express.cot import (
    Addressee,
    Speaker,
    alert_events,
    clear_events,
    ping_event,
    presence_event,
    track_event,
)
from vedette.model import Alert, ConfigError, Frame, InputError, Receipt, RosterEntry, Track, UnitReport
from vedette.model.event import Clear, Deliver
from vedette.sense.cot import Ears, Unused, author_of, contact_of, interpret
from vedette.station.peers._cot_sightings import Sightings
from vedette.station.peers._line_feed import Budget
from vedette.station.ports import Hub
from vedette.wire.cot import CotError, CotEvent

MOST_TRACKS = 250
"""Tracks in a picture for phones: about 130 kB, half of what may wait on one connection. A flood of
false drones must not cut the phones off from their alerts."""

MOST_CONTACTS = 20_000
"""Contacts kept in mind; beyond, the one not heard for longest is forgotten."""

MOST_REPORTS_PER_S, MOST_REPORTS_AT_ONCE = 2000, 4000
"""Of units, by one peer: what floods beyond is counted and dropped."""

_MAY_BE_OF_THE_SKY = frozenset({"other-type", "marker", "emergency"})
"""Of the reasons for which `interpret` has no use for an event."""


class Dialogue:
    """One peer's side of the conversation.

    ``heard_s``: how long a contact counts as reachable after it was last heard. ``units``: whether
    people's positions are taken from it. ``tracks``, ``views``: whether what others see in the air is,
    and where their sensors look (`Sightings`).
    """

    def __init__(
        self,
        name: str,
        *,
        callsign: str,
        uid: str,
        heard_s: float,
        show_place: bool,
        key: bytes | None,
        units: bool = True,
        tracks: bool = True,
        views: bool = False,
    ) -> None:
        if not uid or "." in uid or not uid.isprintable():
            raise ConfigError(f"peer {name}: uid {uid!r} must be printable and hold no dots")
        self.name = name
        self.counts: Counter[str] = Counter()
        self._units, self._tracks, self._views = units, tracks, views
        self._sky: Sightings | None = None
        self._budget: Budget | None = None
        self._callsign, self._uid = callsign, uid
        self._heard_s, self._show_place = heard_s, show_place
        self._ears = Ears(name, uid, key if key is not None else secrets.token_bytes(32))
        self._heard: OrderedDict[str, tuple[float, str | None]] = OrderedDict()
        self._latest: dict[str, tuple[str, int]] = {}
        self._hub: Hub | None = None

    @property
    def hub(self) -> Hub:
        """The station; there is none before `open`."""
        if self._hub is None:
            raise ConnectionError(f"peer {self.name} is not running")
        return self._hub

    @property
    def senses(self) -> tuple[str, ...]:
        """The feed of other users' tracks, if they are read."""
        return (f"{self.name}/tracks",) if self._tracks else ()

    @property
    def all_counts(self) -> dict[str, int]:
        """What became of the events heard, by reason; ``tracks: REASON`` of those of the air."""
        sky = {} if self._sky is None else self._sky.counts
        return dict(self.counts) | {f"tracks: {reason}": count for reason, count in sky.items()}

    def open(self, hub: Hub) -> None:
        """Speak for this station from now on."""
        self._hub = hub
        self._budget = Budget(MOST_REPORTS_PER_S, MOST_REPORTS_AT_ONCE, asyncio.get_running_loop().time)
        if self._tracks:
            (feed,) = self.senses
            self._sky = Sightings(hub, feed, sensor=self.name, own_uid=self._uid, views=self._views)

    def lost(self, reason: str) -> None:
        """Nothing can be heard now."""
        if self._sky is not None:
            self._sky.lost(reason)

    def take(self, items: Iterable[CotEvent | CotError]) -> None:
        """What one read brought: first what people say, then what they see."""
        self.look([item for item in items if self.hear(item) and isinstance(item, CotEvent)])

    def look(self, events: list[CotEvent]) -> int:
        """Take what these events say of the sky; how many of them did."""
        return self._sky.take(events) if self._sky is not None and events else 0

    def alive(self, sent_wall: float | None = None) -> None:
        """Something intact came; ``sent_wall``: when, by a clock that stands for the whole peer."""
        sent = None if sent_wall is None else self.hub.clock.from_wall(sent_wall)
        self.hub.heard(self.name, sent)

    def hear(self, item: CotEvent | CotError, by: str | None = None) -> bool:
        """Take one event, or what could not be read of one. True if it is for `look`. ``by``: who has shown
        that he is its sender; then a receipt says that name, and not the one that the event states."""
        if isinstance(item, CotError):
            self.refuse(item.reason, item.data)
            return False
        contact = contact_of(item)
        if contact is not None and contact.uid != self._uid:
            self._note(contact.uid, contact.callsign)
        clock = self.hub.clock
        meaning = interpret(
            item, self._ears, self._latest, time=clock.from_wall(item.time), received=clock.now()
        )
        if isinstance(meaning, UnitReport):
            self._unit(meaning)
        elif isinstance(meaning, Receipt):
            self.counts["receipt"] += 1
            self.hub.receipt(meaning if by is None else replace(meaning, by=by))
        else:
            self._unused(meaning, item)
            return meaning.reason in _MAY_BE_OF_THE_SKY
        return False

    def refuse(self, reason: str, data: bytes = b"") -> None:
        """Count bad input and hand it to the station's quarantine."""
        self.counts[reason] += 1
        self.hub.quarantine(self.name, reason, data)

    def dropped(self, reason: str) -> None:
        """Count a connection that was given up."""
        self.counts[f"connection-dropped: {reason}"] += 1
        self.hub.counted(self.name, f"connection-dropped: {reason}", 1)

    def heard_recently(self, uid: str) -> bool:
        """True if the contact reported itself within ``heard_s``."""
        heard = self._heard.get(uid)
        return heard is not None and asyncio.get_running_loop().time() - heard[0] <= self._heard_s

    def now_wall(self) -> float:
        """Station time as the wall-clock time that leaves the station."""
        return self.hub.clock.to_wall(self.hub.clock.now())

    def speaker(self) -> Speaker:
        """The station as the people on this peer see it."""
        site = self.hub.site
        place = (site.lat_deg, site.lon_deg) if self._show_place else None
        return Speaker(uid=self._uid, callsign=self._callsign, key=self._ears.key, place=place)

    def presence(self) -> list[CotEvent]:
        """The station's own position report."""
        return [presence_event(self.speaker(), self.now_wall())]

    def ping(self) -> list[CotEvent]:
        """A question that a live server answers."""
        return [ping_event(self._uid, self.now_wall())]

    def alert(self, delivery: Deliver, recipient: str) -> list[CotEvent]:
        """The events of one alert revision for one person."""
        return alert_events(
            delivery,
            self._addressee(recipient),
            self.speaker(),
            at_wall=self.now_wall(),
            expires_wall=self.hub.clock.to_wall(delivery.alert.expires),
            seen=self._seen(delivery.alert),
        )

    def end(self, clear: Clear, recipient: str) -> list[CotEvent]:
        """The events that end an alert for one person."""
        latest = self._latest.get(recipient)
        if latest is not None and latest[0] == clear.alert.alert:
            del self._latest[recipient]
        return clear_events(
            clear,
            self._addressee(recipient),
            self.speaker(),
            at_wall=self.now_wall(),
            expires_wall=self.hub.clock.to_wall(clear.alert.expires),
        )

    def picture(self, frame: Frame) -> list[CotEvent]:
        """The tracks for everybody's map, the nearest first and no more than `MOST_TRACKS`; one that has
        no place on Earth is counted and left out."""
        nearest = sorted(frame.tracks, key=lambda track: math.hypot(*track.enu_m))
        self.counts["tracks-beyond-the-picture"] += max(0, len(nearest) - MOST_TRACKS)
        events = (self._track(track, frame.time) for track in nearest[:MOST_TRACKS])
        return [event for event in events if event is not None]

    def accepted(self, alert: Alert, recipient: str, *, ended: bool = False) -> None:
        """Report that the counterpart's socket took a message. Unless the alert ``ended``, an "ok" of
        the recipient means this revision from now on: never one that did not go out."""
        if not ended:
            self._latest[recipient] = (alert.alert, alert.revision)
        receipt = Receipt(
            time=self.hub.clock.now(),
            alert=alert.alert,
            revision=alert.revision,
            recipient=recipient,
            channel=self.name,
            fact="accepted",
        )
        self.hub.receipt(receipt)

    def _unit(self, report: UnitReport) -> None:
        if not self._units:
            self.counts["unit-not-taken"] += 1
        elif self._budget is None or self._budget.admits():
            self.counts["unit"] += 1
            self.hub.unit(report)
        else:
            self.counts["flooded"] += 1
            self.hub.counted(self.name, "flooded", 1)

    def _note(self, uid: str, callsign: str | None) -> None:
        self._heard[uid] = (asyncio.get_running_loop().time(), callsign)
        self._heard.move_to_end(uid)
        if len(self._heard) > MOST_CONTACTS:
            self._heard.popitem(last=False)

    def _unused(self, unused: Unused, event: CotEvent) -> None:
        if unused.reason == "nothing-to-acknowledge" and not self._is_member(author_of(event)):
            unused = Unused("chat-of-a-stranger", suspicious=True)
        if unused.suspicious:
            self.refuse(unused.reason, event.uid.encode("utf-8", "replace"))
        else:
            self.counts[unused.reason] += 1

    def _is_member(self, uid: str | None) -> bool:
        """Somebody of the roster, or who has reported himself here: nobody else has anything to tell the
        station by chat."""
        return uid is not None and (uid in self._heard or self._roster_entry(uid) is not None)

    def _roster_entry(self, unit: str) -> RosterEntry | None:
        return next((entry for entry in self.hub.roster.units if entry.unit == unit), None)

    def _addressee(self, unit: str) -> Addressee:
        entry = self._roster_entry(unit)
        heard = self._heard.get(unit)
        callsign = heard[1] if heard is not None else None
        if callsign is None and entry is not None:
            callsign = entry.callsign
        unique = callsign if callsign is not None and self._only_one(callsign, unit) else None
        return Addressee(uid=unit, callsign=unique, language=entry.language if entry is not None else "en")

    def _only_one(self, callsign: str, unit: str) -> bool:
        """A server that routes by callsign would send a copy to everybody who took the same one."""
        return not any(uid != unit and name == callsign for uid, (_, name) in self._heard.items())

    def _seen(self, alert: Alert) -> CotEvent | None:
        frame = self.hub.picture()
        track = next((track for track in frame.tracks if track.id == alert.track), None)
        return None if track is None else self._track(track, frame.time)

    def _track(self, track: Track, at: float) -> CotEvent | None:
        age_s = None if track.updated is None else max(0.0, at - track.updated)
        try:
            return track_event(track, self.hub.site, at_wall=self.now_wall(), age_s=age_s)
        except InputError:
            self.counts["track-without-place"] += 1
            return None
