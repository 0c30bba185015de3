"""Events: all that enters the core and all that it decides, each with a sequence number.

An *input* event (detections, unit positions, operator actions, receipts, ticks ...) is fed to the
core. What the core returns, its *intents* (deliver, escalate, clear, alert, digest), is written to
the log right behind the event that caused it, so that a replay can hold what it computes against
what was done. DESIGN section 5, "Events".
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct

from vedette.model.alert import Alert, Receipt
from vedette.model.detection import AltitudeDatum, Detection, Latitude, Longitude, ObjectClass
from vedette.model.site import SensorProfile, Site
from vedette.model.unit import Roster, UnitReport

TICK_S = 0.1
"""Station time between two ticks: the only source of time passing."""


class Segment(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """First event of each run of a station: what computed what follows (the numerics fingerprint)."""

    format: int
    fingerprint: dict[str, str]
    continues: int | None = None
    """The sequence number of the snapshot that this run was restored from."""


class Configure(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """All configuration that the core depends on; a replay needs no file beside the log
    but the ground of that digest, if ``terrain`` names one (in the folder ``terrain`` there)."""

    site: Site
    sensors: tuple[SensorProfile, ...] = ()
    settings: dict[str, Any] = {}
    terrain: str | None = None
    exercise: tuple[str, ...] = ()
    """Sensors that are part of an exercise; ``*``: all. What nothing else has seen is no actual danger."""
    test: tuple[str, ...] = ()
    """Sensors of a self-test, in the same way."""


class DetectionBatch(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """One scan, or the detections of at most 50 ms of one feed. The core sorts them canonically."""

    feed: str
    detections: tuple[Detection, ...]


class OperatorPosition(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Where a drone says its operator is: desk only, sealed under a key of its own, kept 72 hours."""

    time: float
    sensor: str
    id: str
    lat_deg: Latitude
    lon_deg: Longitude
    alt_m: float | None = None
    alt_datum: AltitudeDatum | None = None


class Tick(Struct, frozen=True, gc=False):
    """Station time passed."""


class SensorReport(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A sensor said where it stands and what it can see: it registered itself, or it has moved.
    ``instead_of``: a sensor that has left, whose place it gets because all are taken."""

    profile: SensorProfile
    instead_of: str | None = None


FeedState = Literal["connecting", "watching", "degraded", "deaf", "down", "ended"]
"""``watching``: gives data, or signs of life under a quiet sky. ``degraded``: it does, and something is
wrong with it that is told. ``deaf``: connected, and neither came for longer than it should have."""


class FeedStatus(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """A feed changed its state; ``reason`` says why in words an operator can act on."""

    feed: str
    state: FeedState
    reason: str | None = None
    sensors: tuple[str, ...] = ()


class ClockStep(Struct, frozen=True, gc=False, kw_only=True):
    """The system clock jumped by ``step_s``; station time is slewed and never decreases."""

    step_s: float


ActionKind = Literal[
    "acknowledge", "confirm", "downgrade", "cancel", "escalate-now", "hand-over", "shelve", "unshelve",
    "silence", "unsilence", "out-of-service", "in-service", "disposition", "note",
]  # fmt: skip


class Action(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Something a person did. ``actor`` is who, ``via`` the way (console, cot, api).

    ``unit``: for whom (acknowledge), or which unit (out-of-service, in-service, silence). ``desk``: at which
    desk (shelve, unshelve, hand-over); absent: at that of ``via``. ``for_s``: for how long (shelve, silence).
    ``value``: the revision that was read (acknowledge), the level (downgrade), ``once`` (shelve), who takes
    over (hand-over), the silence (unsilence), the disposition. `vedette.warn.actions` says what each needs.
    """

    actor: str
    action: ActionKind
    via: str
    alert: str | None = None
    track: str | None = None
    value: str | None = None
    reason: str | None = None
    unit: str | None = None
    desk: str | None = None
    object_class: ObjectClass | None = None
    for_s: float | None = None


class Receipts(Struct, frozen=True, gc=False, kw_only=True):
    """Facts that became known at about the same time, from many recipients: one event for all of them."""

    receipts: tuple[Receipt, ...]


class RecordStatus(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The record degraded or recovered: ``waiting`` events were held in memory, ``unlogged`` effects
    went out before the disk had them."""

    state: Literal["good", "degraded"]
    reason: str | None = None
    waiting: int = 0
    unlogged: int = 0


class Shed(Struct, frozen=True, gc=False, kw_only=True):
    """``count`` items of ``what`` were shed by a bounded queue; shown as not watched."""

    what: str
    count: int


class Deliver(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Intent: bring this revision to these units. ``rule`` names why they are addressed.

    ``channels``: by these ways only; none: by all that reach them. ``later``: ways that are kept back until
    an escalation asks for them.
    """

    alert: Alert
    recipients: tuple[str, ...]
    rule: str
    roster_version: int
    sound: bool = False
    channels: tuple[str, ...] = ()
    later: tuple[str, ...] = ()


class AlertChange(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Intent: the desk's copy of an alert changed without a new message to the field."""

    alert: Alert


class Escalate(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Intent: nobody has this alert in hand ``after_s`` seconds after its alarm opened.

    ``step`` of ``round`` (both count from 1): ``to`` names who is asked (``unit``, ``lead``, ``duty``),
    ``recipients`` who that is now. A `Deliver` stands before it. ``by``: who asked for it ahead of its time.
    """

    alert: str
    revision: int
    recipients: tuple[str, ...]
    after_s: float
    step: int
    round: int = 1
    to: str = "unit"
    channels: tuple[str, ...] = ()
    by: str | None = None


class Clear(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Intent: the alert ended; recipients' copies go stale. ``alert.reason`` says why."""

    alert: Alert
    recipients: tuple[str, ...]


class Digest(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Intent: the two digests of one second (hex). ``settled`` is the state at ``settled_time``."""

    time: float
    live: str
    settled: str
    settled_time: float


class Snapshot(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """The core's whole state after ``after`` (sequence number); ``state`` as `Core.snapshot` made it.

    ``deliveries`` and ``clears`` are what the outbox still held: nobody is forgotten by a restart.
    """

    after: int
    state: bytes
    deliveries: tuple[Deliver, ...] = ()
    clears: tuple[Clear, ...] = ()


Body = (
    Segment
    | Configure
    | Roster
    | SensorReport
    | DetectionBatch
    | OperatorPosition
    | UnitReport
    | Tick
    | FeedStatus
    | ClockStep
    | Action
    | Receipt
    | Receipts
    | RecordStatus
    | Shed
    | Deliver
    | AlertChange
    | Escalate
    | Clear
    | Digest
    | Snapshot
)
Intent = Deliver | AlertChange | Escalate | Clear | Digest

KINDS: dict[str, type[Body]] = {
    "segment": Segment,
    "configure": Configure,
    "roster": Roster,
    "sensor": SensorReport,
    "detections": DetectionBatch,
    "operator-position": OperatorPosition,
    "unit": UnitReport,
    "tick": Tick,
    "feed": FeedStatus,
    "clock-step": ClockStep,
    "action": Action,
    "receipt": Receipt,
    "receipts": Receipts,
    "record": RecordStatus,
    "shed": Shed,
    "deliver": Deliver,
    "alert": AlertChange,
    "escalate": Escalate,
    "clear": Clear,
    "digest": Digest,
    "snapshot": Snapshot,
}
KIND_OF: dict[type[Body], str] = {body: kind for kind, body in KINDS.items()}

INTENT_KINDS = frozenset({"deliver", "alert", "escalate", "clear", "digest"})
"""Events that the core itself decided: a replay computes them again and compares."""

SEALED_KINDS: dict[str, str] = {
    "roster": "people",
    "unit": "people",
    "action": "people",
    "receipt": "people",
    "receipts": "people",
    "deliver": "people",
    "alert": "people",
    "escalate": "people",
    "clear": "people",
    "snapshot": "people",
    "operator-position": "operator",
}
"""Kinds whose bodies hold people, and the class of key that seals them (one key a class and day)."""


class Event(Struct, frozen=True, gc=False):
    """``seq`` counts from 1 without gaps; ``at`` is station time and never decreases."""

    seq: int
    at: float
    body: Body

    @property
    def kind(self) -> str:
        """The kind that the body belongs to."""
        return KIND_OF[type(self.body)]


_ENCODER = msgspec.json.Encoder()
_DECODERS = {kind: msgspec.json.Decoder(body) for kind, body in KINDS.items()}


def encode_body(body: Body) -> bytes:
    """Body -> UTF-8 JSON. Floats keep every bit (shortest form that reads back the same)."""
    return _ENCODER.encode(body)


def decode_body(kind: str, data: bytes) -> Body:
    """UTF-8 JSON -> body. Raises KeyError (unknown kind) or msgspec.ValidationError."""
    body: Body = _DECODERS[kind].decode(data)
    return body


def event_line(event: Event) -> bytes:
    """One JSON line ``{"seq","at","kind","body"}`` without the line end."""
    return _ENCODER.encode({"seq": event.seq, "at": event.at, "kind": event.kind, "body": event.body})
