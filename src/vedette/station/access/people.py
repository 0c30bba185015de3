"""The principals in the store. Nobody is ever deleted: a name in the record must stay explained."""

import msgspec

from vedette.model.errors import ConfigError
from vedette.station.access.principals import (
    Kind,
    Principal,
    check_display,
    check_name,
    check_roles,
    is_name,
)
from vedette.station.access.store import Entry, Store

_COLUMNS = "id, name, kind, roles, display, unit, disabled_at"
_MOST_UNIT = 128


class People:
    """Adds, finds and changes principals. ``actor`` is the name of who does it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self,
        actor: str,
        name: str,
        kind: Kind,
        roles: tuple[str, ...],
        now: float,
        *,
        display: str = "",
        unit: str | None = None,
    ) -> Principal:
        """A new principal. Raises ConfigError: a bad name, an unknown role, one that is there already."""
        check_name(name)
        held = check_roles(kind, roles)
        shown = check_display(display)
        with self._store.transaction():
            if self.find(name) is not None:
                raise ConfigError(f"{name!r} is there already; names are never used again, take another one")
            self._free_unit(unit)
            self._store.insert(
                "INSERT INTO principals (name, kind, roles, display, unit, made_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                name,
                kind,
                msgspec.json.encode(held).decode(),
                shown,
                unit,
                now,
            )
            words = ", ".join(held) or kind
            self._store.note(Entry(at=now, actor=actor, what="principal-added", about=name, words=words))
        return self.get(name)

    def find(self, name: str) -> Principal | None:
        """The principal of that name, if there is one; any text may be asked for."""
        if not is_name(name):
            return None
        row = self._store.row(f"SELECT {_COLUMNS} FROM principals WHERE name = ?", name)
        return None if row is None else _principal(row)

    def get(self, name: str) -> Principal:
        """The principal of that name. Raises ConfigError if there is none."""
        found = self.find(name)
        if found is None:
            raise ConfigError(f"there is nobody named {name!r}; 'vedette user list' shows who there is")
        return found

    def by_id(self, number: int) -> Principal:
        """The principal of that id, which must be there."""
        row = self._store.row(f"SELECT {_COLUMNS} FROM principals WHERE id = ?", number)
        if row is None:
            raise KeyError(number)
        return _principal(row)

    def all(self) -> tuple[Principal, ...]:
        """Everybody, by name."""
        return tuple(map(_principal, self._store.rows(f"SELECT {_COLUMNS} FROM principals ORDER BY name")))

    def disable(self, actor: str, name: str, now: float) -> Principal:
        """Take away everything that lets them in: sessions, devices, tokens, links, certificates, and the
        unit, which another may now speak for. Raises ConfigError for the last administrator."""
        with self._store.transaction():
            principal = self.get(name)
            if "administrator" in principal.roles:
                self._keep_one_administrator(principal)
            change = self._store.change
            change("UPDATE principals SET disabled_at = ?, unit = NULL WHERE id = ?", now, principal.id)
            self.expel(principal)
            change(
                "UPDATE tokens SET revoked_at = ? WHERE principal = ? AND revoked_at IS NULL",
                now,
                principal.id,
            )
            change(
                "UPDATE certificates SET revoked_at = ?, reason = 'privilege-withdrawn'"
                " WHERE principal = ? AND revoked_at IS NULL",
                now,
                principal.id,
            )
            self._store.note(Entry(at=now, actor=actor, what="principal-disabled", about=name))
        return self.get(name)

    def enable(self, actor: str, name: str, now: float) -> Principal:
        """Let a disabled principal be one again. Certificates and tokens stay revoked."""
        with self._store.transaction():
            principal = self.get(name)
            self._store.change("UPDATE principals SET disabled_at = NULL WHERE id = ?", principal.id)
            self._store.note(Entry(at=now, actor=actor, what="principal-enabled", about=name))
        return self.get(name)

    def change_roles(self, actor: str, name: str, roles: tuple[str, ...], now: float) -> Principal:
        """Give a person other roles; they hold from the next request. Raises ConfigError."""
        with self._store.transaction():
            principal = self.get(name)
            held = check_roles(principal.kind, roles)
            if "administrator" in principal.roles and "administrator" not in held:
                self._keep_one_administrator(principal)
            encoded = msgspec.json.encode(held).decode()
            self._store.change("UPDATE principals SET roles = ? WHERE id = ?", encoded, principal.id)
            words = f"{', '.join(principal.roles)} -> {', '.join(held)}"
            self._store.note(Entry(at=now, actor=actor, what="roles-changed", about=name, words=words))
        return self.get(name)

    def bind_unit(self, actor: str, name: str, unit: str, now: float) -> Principal:
        """Say which unit an officer speaks for. Raises ConfigError if another officer does."""
        with self._store.transaction():
            principal = self.get(name)
            if principal.kind != "officer":
                raise ConfigError(f"{name} is no officer: only officers speak for a unit")
            if principal.unit != unit:
                self._free_unit(unit)
                self._store.change("UPDATE principals SET unit = ? WHERE id = ?", unit, principal.id)
                words = f"{principal.unit or 'none'} -> {unit}"
                self._store.note(Entry(at=now, actor=actor, what="unit-bound", about=name, words=words))
        return self.get(name)

    def expel(self, principal: Principal) -> None:
        """End all that runs: sessions, known devices, open links."""
        for table in ("sessions", "devices", "links"):
            self._store.change(f"DELETE FROM {table} WHERE principal = ?", principal.id)

    def administrators(self) -> tuple[Principal, ...]:
        """Who can still manage accounts."""
        return tuple(p for p in self.all() if "administrator" in p.roles and not p.disabled)

    def _keep_one_administrator(self, leaving: Principal) -> None:
        if all(other.id == leaving.id for other in self.administrators()):
            raise ConfigError(f"{leaving.name} is the last administrator; make another one first")

    def _free_unit(self, unit: str | None) -> None:
        if unit is None:
            return
        if not unit or len(unit) > _MOST_UNIT or not unit.isprintable():
            raise ConfigError(f"{unit!r} cannot be a unit: 1 to {_MOST_UNIT} printable characters")
        holder = self._store.row("SELECT name FROM principals WHERE unit = ?", unit)
        if holder is not None:
            raise ConfigError(f"unit {unit!r} is spoken for by {holder[0]}")


def _principal(row: tuple[object, ...]) -> Principal:
    number, name, kind, roles, display, unit, disabled_at = row
    fields = {
        "id": number,
        "name": name,
        "kind": kind,
        "roles": msgspec.json.decode(str(roles)),
        "display": display,
        "unit": unit,
        "disabled": disabled_at is not None,
    }
    return msgspec.convert(fields, Principal)
