"""What the site's authority has issued: whom each certificate stands for, and whether it still does."""

from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from msgspec import Struct

from vedette.model.errors import ConfigError
from vedette.station.access.principals import Principal
from vedette.station.access.refusal import Refused
from vedette.station.access.store import Entry, Store

Purpose = Literal["officer", "server", "client"]
Reason = Literal["key-compromise", "superseded", "cessation-of-operation", "privilege-withdrawn"]
EXPIRING_S = 30 * 24 * 3600.0
"""So long before its end a certificate is named as expiring."""
_REFUSED = "this certificate is not admitted (any more): ask for a new package"
_COLUMNS = (
    "c.fingerprint, c.serial, c.subject, c.purpose, p.name, c.not_before, c.not_after, c.revoked_at, c.reason"
)
_FROM = "FROM certificates c LEFT JOIN principals p ON p.id = c.principal"


class Issued(Struct, frozen=True, kw_only=True):
    """One certificate. Times are Unix seconds; ``serial`` and ``fingerprint`` (SHA-256) are hexadecimal."""

    fingerprint: str
    serial: str
    subject: str
    purpose: Purpose
    principal: str | None
    not_before: float
    not_after: float
    revoked_at: float | None = None
    reason: Reason | None = None

    def state(self, now: float) -> Literal["good", "expiring", "expired", "revoked"]:
        """What it is worth at ``now``."""
        if self.revoked_at is not None:
            return "revoked"
        if now >= self.not_after:
            return "expired"
        return "expiring" if now >= self.not_after - EXPIRING_S else "good"


class Register:
    """Writes down, finds and revokes certificates. A revocation holds at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(
        self,
        actor: str,
        certificate: x509.Certificate,
        purpose: Purpose,
        principal: Principal | None,
        now: float,
    ) -> Issued:
        """Write down a certificate that was just issued."""
        print_, subject = certificate.fingerprint(hashes.SHA256()), certificate.subject.rfc4514_string()
        owner, serial = None if principal is None else principal.id, f"{certificate.serial_number:x}"
        with self._store.transaction():
            self._store.change(
                "INSERT INTO certificates (fingerprint, serial, subject, purpose, principal, not_before,"
                " not_after) VALUES (?, ?, ?, ?, ?, ?, ?)",
                print_,
                serial,
                subject,
                purpose,
                owner,
                certificate.not_valid_before_utc.timestamp(),
                certificate.not_valid_after_utc.timestamp(),
            )
            about = "" if principal is None else principal.name
            words = f"{purpose}, {subject}, serial {serial}"
            self._store.note(Entry(at=now, actor=actor, what="certificate-issued", about=about, words=words))
        return self._by_fingerprint(print_)

    def admit(self, der: bytes, now: float) -> int:
        """The principal whose verified certificate this is (DER). Raises Refused: none of ours, nobody's,
        revoked, or not of this time."""
        print_ = hashes.Hash(hashes.SHA256())
        print_.update(der)
        row = self._store.row(
            "SELECT principal, not_before, not_after, revoked_at FROM certificates WHERE fingerprint = ?",
            print_.finalize(),
        )
        if row is None or row[0] is None:
            raise Refused(_REFUSED, "a certificate that was issued to nobody here")
        if row[3] is not None:
            raise Refused(_REFUSED, "a revoked certificate")
        if not row[1] <= now < row[2]:
            raise Refused(_REFUSED, "a certificate that is not valid now; is the clock right?")
        return int(row[0])

    def is_client(self, der: bytes, now: float) -> bool:
        """Whether it is a good certificate of a machine that connects, and of no principal."""
        print_ = hashes.Hash(hashes.SHA256())
        print_.update(der)
        row = self._store.row(
            "SELECT not_before, not_after FROM certificates WHERE fingerprint = ? AND principal IS NULL"
            " AND purpose = 'client' AND revoked_at IS NULL",
            print_.finalize(),
        )
        return row is not None and row[0] <= now < row[1]

    def revoke(self, actor: str, issued: Issued, reason: Reason, now: float) -> None:
        """Make a certificate worthless; one that is so already stays as it is."""
        with self._store.transaction():
            changed = self._store.change(
                "UPDATE certificates SET revoked_at = ?, reason = ?"
                " WHERE fingerprint = ? AND revoked_at IS NULL",
                now,
                reason,
                bytes.fromhex(issued.fingerprint),
            )
            if changed:
                words = f"{reason}, {issued.subject}, serial {issued.serial}"
                about = issued.principal or ""
                entry = Entry(at=now, actor=actor, what="certificate-revoked", about=about, words=words)
                self._store.note(entry)

    def of(self, principal: Principal) -> tuple[Issued, ...]:
        """All that were issued to one principal."""
        return self._select("WHERE c.principal = ? ORDER BY c.rowid", principal.id)

    def all(self) -> tuple[Issued, ...]:
        """Every certificate there was, the oldest first."""
        return self._select("ORDER BY c.rowid")

    def by_serial(self, serial: str) -> Issued:
        """The certificate of that serial number (hexadecimal). Raises ConfigError."""
        found = self._select("WHERE c.serial = ?", serial.lower().lstrip("0"))
        if not found:
            raise ConfigError(f"no certificate has the serial number {serial}; see 'vedette authority list'")
        return found[0]

    def _by_fingerprint(self, print_: bytes) -> Issued:
        (found,) = self._select("WHERE c.fingerprint = ?", print_)
        return found

    def _select(self, tail: str, *values: object) -> tuple[Issued, ...]:
        rows = self._store.rows(f"SELECT {_COLUMNS} {_FROM} {tail}", *values)
        return tuple(
            Issued(
                fingerprint=r[0].hex(),
                serial=r[1],
                subject=r[2],
                purpose=r[3],
                principal=r[4],
                not_before=r[5],
                not_after=r[6],
                revoked_at=r[7],
                reason=r[8],
            )
            for r in rows
        )
