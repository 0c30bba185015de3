"""One alert as the warner holds it: the last revision and what is needed to decide about the next."""

import base64
import hashlib
import math
from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from vedette.model.alert import Alert, AlertEvent, AlertStatus, Certainty, Change
from vedette.model.threat import LEVEL_RANK, Level, Threat
from vedette.warn.certainty import least_sure, of_attack, of_body
from vedette.warn.members import WITNESS_RANK, Member, Witness
from vedette.warn.receipts import ReceiptBook
from vedette.warn.settings import WarnSettings
from vedette.warn.wording import EndKind, Facts, Said, end_reason, say_danger, say_end

News = Literal["changed", "lowered", "renewed"]
Key = tuple[str, AlertStatus]
"""(unit, status): what is actual and what is an exercise never share an alert."""


AXES_APART_DEG = 60.0
"""Bearings farther apart are two directions to take cover from (as in the assessment of raids)."""


class Held(Struct, kw_only=True):
    """``alert`` is the latest revision.

    ``raised``: first revision. ``opened``: since when nobody has it in hand; ``stern`` since when it is or
    was WARNING or above in that time, and ``grave`` since when IMMINENT; ``asked``: steps of escalation taken
    since. ``alarm_revision``: the revision that an acknowledgement must have seen. ``sent``: last message to
    the field; ``reopened``: when the alarm last opened again.

    ``members``: its drones; ``whole``: how many there are, ``attack`` how many of them are at IMMINENT, and
    ``sides`` from where these come (`sides_of`). ``threat``: the lead's, as it was told of last; ``witness``:
    how well the lead was known in the last message. ``named``: those of IMMINENT that the unit was told of,
    ``axes``: from where, ``due``: when the soonest of them was to come. ``seen``: when the lead was last
    detected, with ``last_bearing_deg`` and ``last_range_m`` then. ``below_since``: since when no drone is at
    ADVISORY, and ``away`` whether the lead is seen to be there.

    ``told``: others than the unit that were asked; ``answered``: those of them who said that they know.
    ``sounded``: the last times at which it opened without being graver than ever (``peak``). ``returned`` and
    ``closed``: when it came to that state. Times are station time, Unix seconds.
    """

    alert: Alert
    raised: float
    opened: float
    alarm_revision: int
    sent: float
    seen: float
    last_bearing_deg: float
    last_range_m: float | None
    members: list[Member]
    whole: int
    threat: Threat
    attack: int = 0
    sides: int = 0
    witness: Witness = "broadcast"
    stern: float | None = None
    grave: float | None = None
    asked: int = 0
    reopened: float = -math.inf
    named: list[str] = []
    axes: list[float] = []
    due: float | None = None
    below_since: float | None = None
    away: bool = False
    told: list[str] = []
    answered: list[str] = []
    sounded: list[float] = []
    peak: Level = "info"
    returned: float | None = None
    closed: float | None = None
    receipts: ReceiptBook

    @property
    def key(self) -> Key:
        """Whose danger it is."""
        return self.alert.units[0], self.alert.status


def alert_id(unit: str, onset: float, status: AlertStatus = "actual", number: int = 0) -> str:
    """'A' and 10 base-32 letters from unit, whole second of the onset, and status (BLAKE2b). ``number``
    tells apart what began in the same second."""
    content = f"{len(unit)}:{unit}|{math.floor(onset)}|{status}|{number}".encode()
    digest = hashlib.blake2b(content, digest_size=7, person=b"vedette-alert").digest()
    return "A" + base64.b32encode(digest).decode("ascii")[:10]


def raise_alert(
    name: str,
    threat: Threat,
    members: list[Member],
    found: Sequence[Threat],
    seen: float,
    at: float,
    settings: WarnSettings,
    status: AlertStatus = "actual",
) -> Held:
    """The first revision of the alert that ``threat`` leads, whose drone was last detected at ``seen``.
    ``found``: all threats to the unit."""
    alert = Alert(
        time=at,
        alert=name,
        revision=0,
        level=threat.level,
        state="active-unacked",
        units=(threat.unit,),
        track=threat.track,
        behaviour=threat.behaviour,
        text={},
        expires=at,
        bearing_deg=threat.bearing_deg,
        status=status,
    )
    held = Held(
        alert=alert,
        raised=at,
        opened=at,
        alarm_revision=1,
        sent=at,
        seen=seen,
        last_bearing_deg=threat.bearing_deg,
        last_range_m=threat.range_m,
        members=members,
        whole=len(found),
        attack=sum(one.level == "imminent" for one in found),
        sides=sides_of(found),
        threat=threat,
        stern=None if threat.level == "advisory" else at,
        grave=at if threat.level == "imminent" else None,
        receipts=ReceiptBook(kept=[]),
    )
    held.alert = marked(revise(held, threat, at, settings), "raised", at)
    return held


def note_where(held: Held, threat: Threat, seen: float) -> None:
    """Remember where the lead is, if a sensor has detected it since; a coasting track tells nothing."""
    if seen > held.seen:
        held.seen = seen
        held.last_bearing_deg, held.last_range_m = threat.bearing_deg, threat.range_m


def follow(held: Held, threat: Threat, seen: float) -> None:
    """Another drone leads: where it is replaces where the one before it was."""
    held.seen, held.last_bearing_deg, held.last_range_m = seen, threat.bearing_deg, threat.range_m


def marked(
    alert: Alert,
    event: AlertEvent,
    at: float,
    *,
    by: str | None = None,
    via: str | None = None,
    unit: str | None = None,
) -> Alert:
    """The alert with what has just happened to it."""
    return replace(alert, change=Change(event=event, time=at, by=by, via=via, unit=unit))


SIDES = 24
"""Directions are kept in sectors of 15 degrees round north, of which three make a point of the compass."""


def sides_of(threats: Iterable[Threat]) -> int:
    """From where threats of IMMINENT come: one bit a sector, clockwise from north."""
    sides = 0
    for threat in threats:
        if threat.level == "imminent":
            sides |= 1 << int(threat.bearing_deg % 360.0 * SIDES / 360.0 + 0.5) % SIDES
    return sides


def bearings_of(sides: int) -> list[float]:
    """The middle of each sector (degrees)."""
    return [side * 360.0 / SIDES for side in range(SIDES) if sides >> side & 1]


UNPLACED_SIGMA_DEG = 180.0


def unplaced_threat(unit: str, worst: Threat, at: float) -> Threat:
    """What ``worst`` is to a unit whose own place nobody knows: a WARNING without direction or distance."""
    return Threat(
        time=at,
        track=worst.track,
        unit=unit,
        risk=worst.risk,
        level="warning",
        behaviour="unknown",
        evidence=(("a drone threatens others of your site, your own place is not known", 0.0),),
        bearing_deg=0.0,
        bearing_sigma_deg=UNPLACED_SIGMA_DEG,
    )


def is_unplaced(told: Threat | Alert) -> bool:
    """True if it is about a unit whose own place nobody knows."""
    no_direction = told.range_m is None and told.bearing_sigma_deg == UNPLACED_SIGMA_DEG
    return no_direction and told.behaviour == "unknown"


def of_all(held: Held, threat: Threat, at: float) -> Threat:
    """The lead's figures, with what is known of the others at IMMINENT: how many they are, from where they
    come, and the time of whoever is there first, so that nobody is promised more time than there is."""
    grave = [m for m in held.members if m.level == "imminent" and m.missing is None]
    if threat.level != "imminent" or len(grave) < 2:
        return threat
    axes = list(threat.axes_deg or (threat.bearing_deg,))
    for bearing in bearings_of(held.sides):
        if all(apart_deg(bearing, axis) > AXES_APART_DEG for axis in axes):
            axes.append(bearing)
    times = [(m.due - at, (m.early or m.due) - at) for m in grave if m.due is not None]
    soonest = min(times, default=None)
    impact = threat.time_to_impact_s
    if soonest is not None and (impact is None or soonest[0] < impact[1]):
        impact = (max(soonest[1], 0.0), max(soonest[0], 0.0))
    return replace(
        threat,
        attackers=max(threat.attackers, held.attack, len(grave)),
        axes_deg=tuple(axes),
        time_to_impact_s=impact,
    )


def _certainty(held: Held, threat: Threat, at: float, settings: WarnSettings) -> Certainty:
    """Of what the text about ``threat`` says. Nobody has looked at each of several drones; and of whom nobody
    can place, others are in danger."""
    sure, lead = settings.certainty, _member(held, threat.track)
    body = of_body(lead, at - held.seen, sure)
    if threat.level == "imminent":
        return of_attack(body, threat.risk, sure)
    doubtful = threat.attackers > 1 or is_unplaced(threat)
    return least_sure(body, "likely") if doubtful else body


def _member(held: Held, track: str) -> Member | None:
    return next((member for member in held.members if member.track == track), None)


def _facts(held: Held, threat: Threat, at: float, certainty: Certainty) -> Facts:
    lead = _member(held, threat.track)
    return Facts(
        level=threat.level,
        behaviour=threat.behaviour,
        bearing_deg=threat.bearing_deg,
        range_m=threat.range_m,
        bearing_sigma_deg=threat.bearing_sigma_deg,
        attackers=threat.attackers,
        axes_deg=threat.axes_deg,
        time_to_impact_s=threat.time_to_impact_s,
        earliest_s=threat.earliest_s,
        status=held.alert.status,
        unplaced_at=at if is_unplaced(threat) else None,
        certainty=certainty,
        at=at,
        seen=held.seen,
        sources=() if lead is None else lead.sources,
        height_known=None if lead is None else lead.height_known,
    )


def worded(alert: Alert, said: Said, certainty: Certainty | None = None) -> Alert:
    """The alert with these words in both forms."""
    text, long, template, packs = said
    return replace(alert, text=text, long=long, template=template, packs=packs, certainty=certainty)


def is_graver(level: Level, than: Level) -> bool:
    """True if the first level is above the second."""
    return LEVEL_RANK[level] > LEVEL_RANK[than]


def news(threat: Threat, held: Held, at: float, settings: WarnSettings) -> News | None:
    """Why an alert whose level did not rise is worth a message now; None if it is not."""
    alert = held.alert
    if at - held.sent >= _pause(alert.level, settings):
        if threat.level != alert.level:
            return "lowered"
        turned = apart_deg(threat.bearing_deg, alert.bearing_deg)
        grown = threat.attackers > alert.attackers or len(threat.axes_deg) > len(alert.axes_deg)
        if grown or turned > settings.turn_deg or _much_nearer(threat, alert, settings):
            return "changed"
    if at - held.sent >= settings.update_s.imminent and _better_known(held, threat):
        return "changed"
    return "renewed" if alert.expires - at <= settings.renew_before_s else None


def _better_known(held: Held, threat: Threat) -> bool:
    """A drone that a sensor sees leads where one did that was only broadcast: no ghost hides it."""
    lead = _member(held, threat.track)
    return lead is not None and WITNESS_RANK[lead.witness] > WITNESS_RANK[held.witness]


def apart_deg(one: float, other: float) -> float:
    """The angle between two bearings, 0 to 180 degrees."""
    return abs((one - other + 180.0) % 360.0 - 180.0)


def _much_nearer(threat: Threat, alert: Alert, settings: WarnSettings) -> bool:
    if threat.range_m is None or alert.range_m is None:
        return False
    return threat.range_m <= alert.range_m * settings.range_ratio


def _pause(level: Level, settings: WarnSettings) -> float:
    pauses = settings.update_s
    return {"imminent": pauses.imminent, "warning": pauses.warning}.get(level, pauses.advisory)


def revise(held: Held, threat: Threat, at: float, settings: WarnSettings) -> Alert:
    """The next revision with the lead's figures; state and acknowledgement stay."""
    here, threat = held.members, of_all(held, threat, at)
    certainty = _certainty(held, threat, at, settings)
    said = say_danger(_facts(held, threat, at, certainty), settings.voice())
    return replace(
        worded(held.alert, said, certainty),
        time=at,
        revision=held.alert.revision + 1,
        level=threat.level,
        track=threat.track,
        behaviour=threat.behaviour,
        expires=at + settings.expires_s,
        bearing_deg=threat.bearing_deg,
        range_m=threat.range_m,
        bearing_sigma_deg=threat.bearing_sigma_deg,
        attackers=threat.attackers,
        axes_deg=threat.axes_deg,
        time_to_impact_s=threat.time_to_impact_s,
        earliest_s=threat.earliest_s,
        evidence=threat.evidence,
        tracks=tuple(member.track for member in _lead_first(here, threat.track)),
        levels=tuple(member.level for member in _lead_first(here, threat.track)),
        count=max(held.whole, len(here)),
        reason=None,
    )


def _lead_first(members: list[Member], lead: str) -> list[Member]:
    return [m for m in members if m.track == lead] + [m for m in members if m.track != lead]


def ended(held: Held, at: float, settings: WarnSettings) -> Alert:
    """The revision that says that the danger is over and why: moved away, or not seen any more."""
    kind: EndKind = "unplaced" if is_unplaced(held.threat) else "away" if held.away else "unseen"
    where = (held.seen, held.last_bearing_deg, held.last_range_m)
    said = say_end(kind, *where, held.alert.status, settings.voice())
    return replace(
        worded(held.alert, said),
        time=at,
        revision=held.alert.revision + 1,
        reason=end_reason(kind, *where),
        expires=at,
        bearing_deg=held.last_bearing_deg,
        range_m=held.last_range_m,
        time_to_impact_s=None,
        earliest_s=None,
    )
