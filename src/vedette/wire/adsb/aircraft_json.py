"""``aircraft.json`` of dump1090 and readsb: the table of aircraft a receiver keeps, old and new names.

Source: README-json.md of dump1090-mutability (altitude, speed, vert_rate, nucp) and of readsb and
dump1090-fa (alt_baro, alt_geom, gs, baro_rate, geom_rate, nic, rc, nac_p, sil, version, type). A document
is read whole; an entry that breaks its format is refused and counted, and the others stand.
"""

import re
from typing import Any, TypeGuard

import msgspec

from vedette.wire.adsb.parity import AdsbError

MAX_BYTES = 16 << 20
_HUGE = 1e18
_HEX = re.compile(r"~?[0-9a-fA-F]{6}")


class Aircraft(msgspec.Struct, frozen=True):
    """One entry. None is unknown. Feet, knots, degrees from true north, feet per minute, seconds.

    ``position_from`` and ``velocity_from`` say whether the values come from the aircraft ("ads-b"), from
    multilateration ("mlat") or from a ground station ("tis-b"); "unsaid" where the receiver does not tell.
    ``position_age_s`` and ``age_s`` count back from the document's ``now``. ``on_ground`` None = not said.
    """

    address: int
    address_is_icao: bool
    age_s: float | None = None
    position_age_s: float | None = None
    lat_deg: float | None = None
    lon_deg: float | None = None
    position_from: str = "unsaid"
    velocity_from: str = "unsaid"
    on_ground: bool | None = None
    altitude_baro_ft: float | None = None
    altitude_ellipsoid_ft: float | None = None
    ground_speed_kt: float | None = None
    track_deg: float | None = None
    vertical_fpm: float | None = None
    callsign: str | None = None
    squawk: str | None = None
    category: str | None = None
    nuc_p: int | None = None
    nic: int | None = None
    nac_p: int | None = None
    sil: int | None = None
    version: int | None = None
    containment_m: float | None = None
    rssi_dbfs: float | None = None
    messages: int | None = None


class AircraftTable(msgspec.Struct, frozen=True):
    """One document: ``now`` (Unix seconds of the receiver's clock), its entries, the refused by reason."""

    now: float
    aircraft: tuple[Aircraft, ...]
    messages: int | None
    refused: dict[str, int]


def read_aircraft_json(data: bytes) -> AircraftTable:
    """One document -> its table.

    Raises:
        AdsbError: the document is too large, no JSON, or no table of aircraft with a time.
    """
    document = _document(data)
    now = document.get("now")
    if not _is_number(now) or not now > 0:
        raise AdsbError("now", "the document has no positive number 'now'")
    entries = document.get("aircraft")
    if not isinstance(entries, list):
        raise AdsbError("aircraft", "the document has no list 'aircraft'")
    good: list[Aircraft] = []
    refused: dict[str, int] = {}
    for entry in entries:
        try:
            good.append(_aircraft(entry))
        except AdsbError as error:
            refused[error.reason] = refused.get(error.reason, 0) + 1
    messages = document.get("messages")
    return AircraftTable(float(now), tuple(good), messages if _is_count(messages) else None, refused)


def _document(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise AdsbError("too-large", f"the document is longer than {MAX_BYTES} bytes")
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise AdsbError("not-json", f"the document is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise AdsbError("aircraft", "the document is no JSON object")
    return document


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and -_HUGE < value < _HUGE


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _HUGE


def _shown(value: Any) -> str:
    """A received value for an error message, never longer than 32 characters."""
    if isinstance(value, str | float | bool):
        return repr(value[:32] if isinstance(value, str) else value)
    # The digits of a huge integer are not worth the time that writing them takes.
    return repr(value) if _is_count(value) else f"a {type(value).__name__}"


def _number(entry: dict[str, Any], lowest: float, highest: float, *names: str) -> float | None:
    """The first of ``names`` that is present, between two limits."""
    for name in names:
        value = entry.get(name)
        if value is None:
            continue
        if not _is_number(value) or not lowest <= value <= highest:
            raise AdsbError(name, f"{name} is {_shown(value)}: no number from {lowest} to {highest}")
        return float(value)
    return None


def _count(entry: dict[str, Any], name: str, highest: int) -> int | None:
    value = entry.get(name)
    if value is None:
        return None
    if not _is_count(value) or value > highest:
        raise AdsbError(name, f"{name} is {_shown(value)}: no whole number from 0 to {highest}")
    return int(value)


def _text(entry: dict[str, Any], name: str, longest: int) -> str | None:
    value = entry.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise AdsbError(name, f"{name} is no printable text of at most {longest} characters")
    return value.strip() or None


def _aircraft(entry: Any) -> Aircraft:
    if not isinstance(entry, dict):
        raise AdsbError("entry", "an entry of 'aircraft' is no JSON object")
    address, is_icao = _address(entry)
    on_ground, altitude = _altitude(entry)
    lat, lon = _number(entry, -90.0, 90.0, "lat"), _number(entry, -180.0, 180.0, "lon")
    placed = lat is not None and lon is not None
    return Aircraft(
        address=address,
        address_is_icao=is_icao,
        age_s=_number(entry, 0.0, 1e9, "seen"),
        position_age_s=_number(entry, 0.0, 1e9, "seen_pos"),
        lat_deg=lat if placed else None,
        lon_deg=lon if placed else None,
        position_from=_origin(entry, "lat"),
        velocity_from=_origin(entry, "gs", "speed"),
        on_ground=on_ground,
        altitude_baro_ft=altitude,
        altitude_ellipsoid_ft=_number(entry, -10_000.0, 200_000.0, "alt_geom"),
        ground_speed_kt=_number(entry, 0.0, 5_000.0, "gs", "speed"),
        track_deg=_number(entry, 0.0, 360.0, "track"),
        vertical_fpm=_number(entry, -100_000.0, 100_000.0, "baro_rate", "vert_rate", "geom_rate"),
        callsign=_text(entry, "flight", 16),
        squawk=_text(entry, "squawk", 4),
        category=_text(entry, "category", 2),
        nuc_p=_count(entry, "nucp", 9),
        nic=_count(entry, "nic", 15),
        nac_p=_count(entry, "nac_p", 15),
        sil=_count(entry, "sil", 3),
        version=_count(entry, "version", 7),
        containment_m=_number(entry, 0.0, 1e6, "rc") or None,
        rssi_dbfs=_number(entry, -200.0, 100.0, "rssi"),
        messages=_count(entry, "messages", 1 << 62),
    )


def _address(entry: dict[str, Any]) -> tuple[int, bool]:
    value = entry.get("hex")
    if not isinstance(value, str) or not _HEX.fullmatch(value.strip()):
        raise AdsbError("hex", f"hex is {_shown(value)}, not six hexadecimal digits")
    text = value.strip()
    return int(text.lstrip("~"), 16), not text.startswith("~")


def _altitude(entry: dict[str, Any]) -> tuple[bool | None, float | None]:
    """(on the ground, barometric altitude): the altitude is the word "ground" for one that taxies."""
    for name in ("alt_baro", "altitude"):
        if entry.get(name) == "ground":
            return True, None
        if entry.get(name) is not None:
            return False, _number(entry, -10_000.0, 200_000.0, name)
    return None, None


def _origin(entry: dict[str, Any], *names: str) -> str:
    """Where a value comes from: the lists ``mlat`` and ``tisb`` name fields, ``type`` the whole entry."""
    for key, word in (("mlat", "mlat"), ("tisb", "tis-b")):
        listed = entry.get(key)
        if isinstance(listed, list) and any(name in listed for name in names):
            return word
    kind = entry.get("type")
    if isinstance(kind, str):
        for prefix, word in (("mlat", "mlat"), ("tisb", "tis-b"), ("adsr", "ads-b"), ("adsb", "ads-b")):
            if kind.startswith(prefix):
                return word
        return "unsaid"
    both = isinstance(entry.get("mlat"), list) and isinstance(entry.get("tisb"), list)
    return "ads-b" if both and any(name in entry for name in names) else "unsaid"
