"""What people do: who acts is who is signed in, and each action needs a permission of its own.

A desk's action becomes an `Action` with the actor of the session; an officer's acknowledgement becomes a
`Receipt` of his own unit, as if he had answered the message. A body that names an actor is refused and
written down: nobody acts in another's name.
"""

from typing import Annotated, Any, NamedTuple, TypeVar, cast

import msgspec
from litestar import Request, post
from litestar.connection import ASGIConnection
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from vedette.console.gate import BY_MATTER, PERMISSION, Denied, entrance_of, require, wall, who_of
from vedette.console.source import Source
from vedette.model import Alert, Receipt
from vedette.model.detection import ObjectClass
from vedette.model.event import Action, ActionKind
from vedette.station.access import Authenticated
from vedette.station.access.permissions import Permission
from vedette.warn.actions import fault

T = TypeVar("T")
MOST_TEXT = 280
Text = Annotated[str, msgspec.Meta(max_length=MOST_TEXT)]
ACTORS = frozenset({"actor", "via", "by"})
"""Keys by which a body would say who acts."""


class Needed(NamedTuple):
    """The permission for an action. ``quiet``: it takes a warning off somebody's desk or ear, which the level
    of the alert can forbid; to undo it never is."""

    permission: Permission
    quiet: bool = False


NEEDED: dict[ActionKind, Needed] = {
    "acknowledge": Needed("acknowledge-desk"),
    "confirm": Needed("acknowledge-desk"),
    "downgrade": Needed("downgrade"),
    "cancel": Needed("downgrade"),
    "escalate-now": Needed("acknowledge-desk"),
    "hand-over": Needed("acknowledge-desk"),
    "shelve": Needed("shelve", quiet=True),
    "unshelve": Needed("shelve"),
    "silence": Needed("silence", quiet=True),
    "unsilence": Needed("silence"),
    "out-of-service": Needed("out-of-service", quiet=True),
    "in-service": Needed("out-of-service"),
    "disposition": Needed("disposition"),
    "note": Needed("note"),
}
"""docs/access.md shows the same; a test holds the two together."""


class Answer(msgspec.Struct, forbid_unknown_fields=True):
    """The body of an acknowledgement, which may be empty: the revision that was read."""

    revision: Annotated[int, msgspec.Meta(ge=1)] | None = None


class Deed(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of an action: the fields of `vedette.model.event.Action` but for who acts and by what way;
    which of them an action needs is in `vedette.warn.actions`."""

    action: ActionKind
    alert: Text | None = None
    track: Text | None = None
    value: Text | None = None
    reason: Text | None = None
    unit: Text | None = None
    desk: Text | None = None
    object_class: ObjectClass | None = None
    for_s: float | None = None


@post("/api/v1/alerts/{alert:str}/acknowledge", status_code=202, opt={PERMISSION: BY_MATTER})
async def acknowledge(request: Request[Any, Any, Any], alert: FromPath[str]) -> dict[str, str]:
    """A person has the alert in hand: at the desk, or outside for the own unit. 404: no such alert."""
    body = await request.body()
    _refuse_actors(request, body)
    answer = _read(body, Answer) if body.strip() else Answer()
    who, known = who_of(request), source_of(request).alert(alert)
    if who.principal.kind == "officer":
        return _answered(request, who, known, answer.revision)
    require(request, who, "acknowledge-desk", level=None if known is None else known.level)
    if known is None:
        raise HTTPException(f"There is no alert {alert!r}.", status_code=404)
    value = None if answer.revision is None else str(answer.revision)
    action = Action(actor=who.actor, action="acknowledge", via=who.via, alert=alert, value=value)
    source_of(request).act(action)
    return {"alert": alert, "actor": who.actor}


@post("/api/v1/actions", status_code=202, opt={PERMISSION: BY_MATTER})
async def act(request: Request[Any, Any, Any]) -> dict[str, str]:
    """What a person at the desk does. 400: something is not said, and what; 404: no such alert."""
    body = await request.body()
    _refuse_actors(request, body)
    who = who_of(request)
    try:
        deed = _read(body, Deed)
    except HTTPException:
        # Who may do nothing here learns nothing of what could be done.
        require(request, who, "note")
        raise
    known = None if deed.alert is None else source_of(request).alert(deed.alert)
    _permit(request, who, deed, known)
    action = Action(actor=who.actor, via=who.via, **msgspec.structs.asdict(deed))
    texts = (value for value in msgspec.structs.asdict(deed).values() if isinstance(value, str))
    why = "a text is not printable" if not all(map(_is_plain, texts)) else fault(action)
    if why is not None:
        raise HTTPException(f"The action was not taken: {why}.", status_code=400)
    if deed.alert is not None and known is None:
        raise HTTPException(f"There is no alert {deed.alert!r}.", status_code=404)
    source_of(request).act(action)
    return {"action": deed.action, "actor": who.actor}


def source_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Source:
    """The station behind the console."""
    return cast("Source", connection.app.state.source)


def _permit(request: Request[Any, Any, Any], who: Authenticated, deed: Deed, known: Alert | None) -> None:
    needed = NEEDED[deed.action]
    permission = needed.permission
    if deed.action == "acknowledge" and deed.unit is not None:
        permission = "acknowledge-for"
    level = known.level if known is not None and needed.quiet else None
    require(request, who, permission, unit=deed.unit, level=level)


def _answered(
    request: Request[Any, Any, Any], who: Authenticated, alert: Alert | None, revision: int | None
) -> dict[str, str]:
    """An officer answers for his own unit, about an alert of that unit."""
    own = who.principal.unit
    unit = own if alert is not None and own in alert.units else ""
    require(request, who, "acknowledge-own", unit=unit)
    if alert is None or own is None:
        raise Denied(403, "not-permitted", "no alert of your unit")
    source = source_of(request)
    source.receipt(
        Receipt(
            time=source.clock.now(),
            alert=alert.alert,
            revision=alert.revision if revision is None else revision,
            recipient=own,
            channel=who.via,
            fact="acknowledged",
            by=who.actor,
        )
    )
    return {"alert": alert.alert, "actor": who.actor}


def _refuse_actors(request: Request[Any, Any, Any], body: bytes) -> None:
    """Refuse a body that says who acts; it stands in the history with who tried."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    if isinstance(said, dict) and ACTORS & said.keys():
        who = who_of(request)
        words = f"named in a body who acts: {', '.join(sorted(ACTORS & said.keys()))}"
        entrance_of(request).refused(who.principal.name, words, wall())
        raise Denied(403, "not-permitted", "who acts is who is signed in; no body can name another")


def _read(body: bytes, into: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=into)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise HTTPException(f"The body cannot be read: {error}.", status_code=400) from error


def _is_plain(text: str) -> bool:
    """Without characters that could disguise it in a record."""
    return not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 or char in _DISGUISES for char in text)


_DISGUISES = frozenset("\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
