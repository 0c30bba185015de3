"""Messages of Open Drone ID (ASTM F3411-22a, ASD-STAN prEN 4709-002). None is unknown, never zero.

Angles in degrees, azimuth clockwise from true north; metres; m/s. ``version`` is the protocol
version nibble (0 = F3411-19, 1 = prEN 4709-002, 2 = F3411-22a). Codes are plain integers, see `tables`.
"""

from typing import Literal

from msgspec import Struct

HeightType = Literal["takeoff", "agl"]


class BasicId(Struct, frozen=True, kw_only=True):
    """Who: one identifier of the aircraft. Binary identifiers (UTM, session) are lower-case hex."""

    uas_id: str
    id_type: int
    ua_type: int
    version: int = 2


class Location(Struct, frozen=True, kw_only=True):
    """Where: the dynamic state of the aircraft.

    ``lat_deg`` and ``lon_deg`` (WGS-84) are both None for the 0/0 that means unknown.
    ``alt_geodetic_m`` is above the WGS-84 ellipsoid, ``alt_barometric_m`` above 1013.25 hPa.
    ``timestamp_s`` counts seconds since the full UTC hour (resolution 0.1 s).
    Accuracies are 95 % bounds.
    """

    status: int = 0
    lat_deg: float | None = None
    lon_deg: float | None = None
    alt_geodetic_m: float | None = None
    alt_barometric_m: float | None = None
    height_m: float | None = None
    height_type: HeightType = "takeoff"
    direction_deg: float | None = None
    speed_mps: float | None = None
    vertical_speed_mps: float | None = None
    horizontal_accuracy_m: float | None = None
    vertical_accuracy_m: float | None = None
    barometric_accuracy_m: float | None = None
    speed_accuracy_mps: float | None = None
    timestamp_s: float | None = None
    timestamp_accuracy_s: float | None = None
    version: int = 2


class AuthPage(Struct, frozen=True, kw_only=True):
    """One page of authentication data. Page 0 says how much follows; the others carry only data.

    ``data``: 17 bytes on page 0, 23 on the others, padding included. ``time`` is Unix seconds.
    """

    auth_type: int
    page: int
    data: bytes
    last_page: int | None = None
    length_bytes: int | None = None
    time: int | None = None
    version: int = 2


class SelfId(Struct, frozen=True, kw_only=True):
    """Why: a free text of the operator (at most 23 characters)."""

    description: str
    description_type: int = 0
    version: int = 2


class System(Struct, frozen=True, kw_only=True):
    """The operator's place and the area of operation. Heights above the WGS-84 ellipsoid.

    ``time`` is Unix seconds (None where the field is 0, as protocol version 0 leaves it).
    """

    operator_lat_deg: float | None = None
    operator_lon_deg: float | None = None
    operator_alt_m: float | None = None
    operator_location_type: int = 0
    classification_type: int = 0
    category_eu: int = 0
    class_eu: int = 0
    area_count: int = 1
    area_radius_m: int = 0
    area_ceiling_m: float | None = None
    area_floor_m: float | None = None
    time: int | None = None
    version: int = 2


class OperatorId(Struct, frozen=True, kw_only=True):
    """The operator's registration (at most 20 characters)."""

    operator_id: str
    operator_id_type: int = 0
    version: int = 2


Single = BasicId | Location | AuthPage | SelfId | System | OperatorId


class MessagePack(Struct, frozen=True, kw_only=True):
    """Up to nine single messages in one frame, in the order they were sent; some transmitters send none."""

    messages: tuple[Single, ...]
    version: int = 2


Message = Single | MessagePack
