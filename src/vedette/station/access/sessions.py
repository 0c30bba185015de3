"""Sessions of desks and phones, and the devices that are known.

A desk that nobody has touched for a while does not go dark, for silence is never safety: it *rests*. It
still shows the picture, and to act one confirms who one is. A session ends for good at its absolute limit.
"""

from typing import Literal

from msgspec import Struct

from vedette.station.access.principals import Authenticated, Method, Principal
from vedette.station.access.refusal import expired
from vedette.station.access.secret import Secret, fingerprint, random_secret
from vedette.station.access.store import Store

SESSION, DEVICE = "vds_", "vdd_"
TOUCH_S = 60.0
"""A touch is written down at most so often."""
DEVICE_S = 180 * 24 * 3600.0
MOST_SESSIONS, MOST_DEVICES = 20, 20
"""Of one principal; the oldest goes."""

State = Literal["fresh", "resting", "expired"]


class Terms(Struct, frozen=True):
    """After ``idle_s`` without a touch a session rests, ``absolute_s`` after it began it ends."""

    idle_s: float
    absolute_s: float


DESK = Terms(idle_s=2 * 3600.0, absolute_s=13 * 3600.0)
"""A shift of twelve hours and its hand-over."""
PHONE = Terms(idle_s=float("inf"), absolute_s=180 * 24 * 3600.0)
"""A phone in a pocket must be woken by a warning after weeks of quiet; a lost one is revoked."""


def terms_of(method: Method) -> Terms:
    """The terms of a session that began in this way."""
    return PHONE if method == "phone" else DESK


def state_of(touched: float, expires: float, now: float, terms: Terms) -> State:
    """What a session is worth at ``now``. A clock that was set back makes nothing young again: the end is a
    point in time, and a touch in the future counts as one of now."""
    if now >= expires:
        return "expired"
    return "resting" if now - touched >= terms.idle_s else "fresh"


class Held(Struct, frozen=True):
    """A session that is not over: of which principal (id), how it began, and what it is worth now."""

    principal: int
    method: Method
    second_factor: bool
    state: State


class Sessions:
    """Begins, finds and ends sessions."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def begin(self, principal: Principal, method: Method, second_factor: bool, now: float) -> Secret:
        """A new session; what the browser or phone has to show, which is not kept."""
        token = random_secret(SESSION)
        with self._store.transaction():
            self._store.change("DELETE FROM sessions WHERE expires <= ?", now)
            self._store.change(
                "INSERT INTO sessions (hash, principal, method, second_factor, made_at, touched, expires)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                fingerprint(token.reveal()),
                principal.id,
                method,
                second_factor,
                now,
                now,
                now + terms_of(method).absolute_s,
            )
            self._keep_newest("sessions", "made_at", principal, MOST_SESSIONS)
        return token

    def find(self, token: str, now: float) -> Held:
        """What a browser or phone holds. Raises Refused."""
        row = self._store.row(
            "SELECT principal, method, second_factor, touched, expires FROM sessions WHERE hash = ?",
            fingerprint(token),
        )
        if row is None:
            raise expired("no such session")
        state = state_of(row[3], row[4], now, terms_of(row[1]))
        if state == "expired":
            raise expired("the session is over")
        return Held(row[0], row[1], bool(row[2]), state)

    def is_due(self, token: str, now: float) -> bool:
        """Whether a touch of this session should be written down. A resting session is not woken by one."""
        row = self._store.row("SELECT touched, method FROM sessions WHERE hash = ?", fingerprint(token))
        return row is not None and TOUCH_S <= now - row[0] < terms_of(row[1]).idle_s

    def touch(self, token: str, now: float) -> None:
        """Somebody is there, if `is_due` said so."""
        self._store.change("UPDATE sessions SET touched = ? WHERE hash = ?", now, fingerprint(token))

    def end(self, token: str) -> None:
        """Sign out."""
        self._store.change("DELETE FROM sessions WHERE hash = ?", fingerprint(token))

    def know_device(self, principal: Principal, now: float) -> Secret:
        """This person has signed in on this device: what the device shows next time."""
        token = random_secret(DEVICE)
        with self._store.transaction():
            self._store.change(
                "INSERT INTO devices (hash, principal, used) VALUES (?, ?, ?)",
                fingerprint(token.reveal()),
                principal.id,
                now,
            )
            self._keep_newest("devices", "used", principal, MOST_DEVICES)
        return token

    def knows_device(self, principal: Principal | None, token: str | None, now: float) -> bool:
        """Whether the device is one of this person's."""
        if principal is None or token is None:
            return False
        row = self._store.row(
            "SELECT 1 FROM devices WHERE hash = ? AND principal = ? AND used > ?",
            fingerprint(token),
            principal.id,
            now - DEVICE_S,
        )
        return row is not None

    def _keep_newest(self, table: str, column: str, principal: Principal, most: int) -> None:
        self._store.change(
            f"DELETE FROM {table} WHERE hash IN"
            f" (SELECT hash FROM {table} WHERE principal = ? ORDER BY {column} DESC LIMIT -1 OFFSET ?)",
            principal.id,
            most,
        )


def authenticated(principal: Principal, held: Held) -> Authenticated:
    """Who a session stands for."""
    return Authenticated(
        principal=principal,
        method=held.method,
        second_factor=held.second_factor,
        fresh=held.state == "fresh",
    )
