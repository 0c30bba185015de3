"""Accounts for a benchmark: an officer with a linked phone for each client, and certificates if asked."""

import time
from pathlib import Path


def enrol(state: Path, site: str, units: list[str], tls: Path | None) -> list[str]:
    """The sessions of their phones, in the order of ``units``. ``tls``: a folder that gets ``server.crt`` and
    ``server.key`` for 127.0.0.1, by an authority made for it; its root is in the state folder."""
    from vedette.station.access import Doorkeeper
    from vedette.station.access.authority import FOLDER, make_authority, write_private

    door, now = Doorkeeper(state, site), time.time()
    sessions = []
    with door.store.transaction():
        for number, unit in enumerate(units):
            officer = door.people.add("bench", f"officer-{number}", "officer", ("officer",), now, unit=unit)
            sessions.append(door.sessions.begin(officer, "phone", True, now).reveal())
    door.close()
    if tls is not None:
        made = make_authority(door.folder / FOLDER, site, now)
        pair = made.unlock().issue("gateway", "server", now, hosts=("127.0.0.1",))
        (tls / "server.crt").write_bytes(pair.certificate_pem())
        write_private(tls / "server.key", pair.key_pem())
    return sessions
