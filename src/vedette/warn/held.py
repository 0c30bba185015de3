"""One alert as the warner holds it: the last revision and what is needed to decide about the next."""

import base64
import hashlib
import math
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from vedette.model.alert import Alert
from vedette.model.threat import LEVEL_RANK, Level, Threat
from vedette.warn.receipts import ReceiptBook
from vedette.warn.settings import WarnSettings
from vedette.warn.wording import EndKind, Facts, danger_text, end_reason, end_text

News = Literal["changed", "lowered", "renewed"]

Witness = Literal["aviation", "broadcast", "sensor"]
"""How a track is known, from the poorest to the best: by the word of aviation's radio alone, by any other
word that anybody can send, or by a sensor that the operator configured."""
WITNESS_RANK: dict[Witness, int] = {"aviation": 0, "broadcast": 1, "sensor": 2}


class Held(Struct, kw_only=True):
    """``alert`` is the latest revision.

    ``raised``: first revision; ``alarmed``: when the alarm last opened, by raise, upgrade or return
    of the danger, with revision ``alarm_revision``; ``sent``: last message to the field; ``seen``:
    when a sensor last detected the drone, with ``last_bearing_deg`` and ``last_range_m`` then;
    ``below_since``: since when it is below ADVISORY, and ``away`` whether it is seen to be there;
    ``returned`` and ``closed``: when it came to that state. Station time, Unix seconds. ``witness``: how
    the drone is known.
    """

    alert: Alert
    raised: float
    alarmed: float
    alarm_revision: int
    sent: float
    seen: float
    last_bearing_deg: float
    last_range_m: float | None
    below_since: float | None = None
    away: bool = False
    escalated: int = 0
    returned: float | None = None
    closed: float | None = None
    witness: Witness = "broadcast"
    receipts: ReceiptBook


def alert_id(track: str, unit: str, onset: float) -> str:
    """'A' and 10 base-32 letters from track, unit and the whole second of the onset (BLAKE2b)."""
    content = f"{len(track)}:{track}|{len(unit)}:{unit}|{math.floor(onset)}".encode()
    digest = hashlib.blake2b(content, digest_size=7, person=b"vedette-alert").digest()
    return "A" + base64.b32encode(digest).decode("ascii")[:10]


def raise_alert(
    threat: Threat, seen: float, at: float, settings: WarnSettings, witness: Witness = "broadcast"
) -> Held:
    """The first revision of the alert about ``threat``, whose drone was last detected at ``seen``."""
    alert = Alert(
        time=at,
        alert=alert_id(threat.track, threat.unit, at),
        revision=1,
        level=threat.level,
        state="active-unacked",
        units=(threat.unit,),
        track=threat.track,
        behaviour=threat.behaviour,
        text=danger_text(_facts(threat)),
        expires=at + settings.expires_s,
        bearing_deg=threat.bearing_deg,
        range_m=threat.range_m,
        bearing_sigma_deg=threat.bearing_sigma_deg,
        attackers=threat.attackers,
        axes_deg=threat.axes_deg,
        time_to_impact_s=threat.time_to_impact_s,
        earliest_s=threat.earliest_s,
        evidence=threat.evidence,
    )
    return Held(
        alert=alert,
        raised=at,
        alarmed=at,
        alarm_revision=1,
        sent=at,
        seen=seen,
        last_bearing_deg=threat.bearing_deg,
        last_range_m=threat.range_m,
        witness=witness,
        receipts=ReceiptBook(kept=[]),
    )


def note_where(held: Held, threat: Threat, seen: float) -> None:
    """Remember where the drone is, if a sensor has detected it since; a coasting track tells nothing."""
    if seen > held.seen:
        held.seen = seen
        held.last_bearing_deg, held.last_range_m = threat.bearing_deg, threat.range_m


def _facts(threat: Threat) -> Facts:
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
    )


def is_graver(threat: Threat, alert: Alert) -> bool:
    """True if the threat is of a higher level than the alert's last revision."""
    return LEVEL_RANK[threat.level] > LEVEL_RANK[alert.level]


def news(threat: Threat, held: Held, at: float, settings: WarnSettings) -> News | None:
    """Why an alert whose level did not rise is worth a message now; None if it is not."""
    alert = held.alert
    if at - held.sent >= _pause(alert.level, settings):
        if threat.level != alert.level:
            return "lowered"
        turned = abs((threat.bearing_deg - alert.bearing_deg + 180.0) % 360.0 - 180.0)
        grown = threat.attackers > alert.attackers or len(threat.axes_deg) > len(alert.axes_deg)
        if grown or turned > settings.turn_deg or _much_nearer(threat, alert, settings):
            return "changed"
    return "renewed" if alert.expires - at <= settings.renew_before_s else None


def _much_nearer(threat: Threat, alert: Alert, settings: WarnSettings) -> bool:
    if threat.range_m is None or alert.range_m is None:
        return False
    return threat.range_m <= alert.range_m * settings.range_ratio


def _pause(level: Level, settings: WarnSettings) -> float:
    pauses = settings.update_s
    return {"imminent": pauses.imminent, "warning": pauses.warning}.get(level, pauses.advisory)


def revise(alert: Alert, threat: Threat, at: float, settings: WarnSettings) -> Alert:
    """The next revision with the threat's figures; state and acknowledgement stay."""
    return replace(
        alert,
        time=at,
        revision=alert.revision + 1,
        level=threat.level,
        behaviour=threat.behaviour,
        text=danger_text(_facts(threat)),
        expires=at + settings.expires_s,
        bearing_deg=threat.bearing_deg,
        range_m=threat.range_m,
        bearing_sigma_deg=threat.bearing_sigma_deg,
        attackers=threat.attackers,
        axes_deg=threat.axes_deg,
        time_to_impact_s=threat.time_to_impact_s,
        earliest_s=threat.earliest_s,
        evidence=threat.evidence,
        reason=None,
    )


def ended(held: Held, at: float) -> Alert:
    """The revision that says that the danger is over and why: moved away, or not seen any more."""
    kind: EndKind = "away" if held.away else "unseen"
    where = (held.seen, held.last_bearing_deg, held.last_range_m)
    return replace(
        held.alert,
        time=at,
        revision=held.alert.revision + 1,
        text=end_text(kind, *where),
        reason=end_reason(kind, *where),
        expires=at,
        bearing_deg=held.last_bearing_deg,
        range_m=held.last_range_m,
        time_to_impact_s=None,
        earliest_s=None,
    )
