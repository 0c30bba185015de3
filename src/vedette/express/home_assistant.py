"""Home Assistant: the retained topics of a site and of its units, and the discovery messages by which Home
Assistant makes entities of them. Pure.

After the published formats of MQTT discovery and of the MQTT `binary_sensor`, `sensor` and `siren`
integrations (home-assistant.io/integrations/mqtt). Every entity has its availability from the station's own
topic, so that a station which is gone reads "unavailable" and never "off": silence is no safety. There is no
"clear" anywhere: a level without an alert reads ``no-alert``.

A siren or a light follows ``siren`` (ON or OFF) by its own subscription or by an automation; ``siren/set`` is
what the switch in Home Assistant writes, to try a siren out, and nobody here reads it. ``siren`` is ON while
an actual WARNING or IMMINENT is open that nobody has in hand; an exercise or a test never switches it, since
a siren cannot say that it is one, unless the configuration says so.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct

from vedette.express.notice import worst_level
from vedette.model import Alert
from vedette.model.alert import AlertStatus
from vedette.model.threat import LEVEL_RANK, Level

Switch = Literal["ON", "OFF"]
Shown = Level | Literal["no-alert"]
_LEVELS = ("no-alert", "info", "advisory", "warning", "imminent")
LONGEST_NAME = 64


class State(Struct, frozen=True, kw_only=True):
    """The retained state of a site or a unit. ``danger`` and ``level``: what is actual; ``exercise`` and
    ``test``: the level of what is not. ``alerts``: how many are open, ``unanswered``: of the actual ones."""

    danger: Switch
    level: Shown
    siren: Switch
    exercise: Shown
    test: Shown
    alerts: int
    unanswered: int


def state_of(alerts: Iterable[Alert], *, drills_sound: bool = False) -> State:
    """The state that open alerts make."""
    open_ = [alert for alert in alerts if alert.state != "cleared"]
    actual = tuple(alert for alert in open_ if alert.status == "actual")
    sounding = open_ if drills_sound else actual
    return State(
        danger="ON" if any(LEVEL_RANK[alert.level] > LEVEL_RANK["info"] for alert in actual) else "OFF",
        level=worst_level(actual) or "no-alert",
        siren="ON" if any(_sounds(alert) for alert in sounding) else "OFF",
        exercise=_not_actual(open_, "exercise"),
        test=_not_actual(open_, "test"),
        alerts=len(open_),
        unanswered=sum(alert.state in ("active-unacked", "returned-unacked") for alert in actual),
    )


def _not_actual(alerts: Iterable[Alert], status: AlertStatus) -> Shown:
    return worst_level(tuple(alert for alert in alerts if alert.status == status)) or "no-alert"


def _sounds(alert: Alert) -> bool:
    """As the desk decided, except for IMMINENT, which nobody can silence."""
    if alert.state != "active-unacked":
        return False
    if alert.level == "imminent":
        return True
    quiet = alert.silenced or alert.out_of_service
    lowered = alert.desk_level is not None and LEVEL_RANK[alert.desk_level] < LEVEL_RANK["warning"]
    return alert.level == "warning" and not quiet and not lowered


class Place(Struct, frozen=True, kw_only=True):
    """Where the topics of one station are. ``prefix``: of all of them; ``node``: unique among stations."""

    prefix: str
    node: str
    site: str
    discovery: str = "homeassistant"

    @property
    def availability(self) -> str:
        """``online`` or ``offline``, the latter by the broker if the station is gone."""
        return f"{self.prefix}/station"

    @property
    def state(self) -> str:
        """The site's `State`."""
        return f"{self.prefix}/state"

    @property
    def siren(self) -> str:
        """ON or OFF, for whatever makes noise or light at the site."""
        return f"{self.prefix}/siren"

    def unit_state(self, unit: str) -> str:
        """One unit's `State`."""
        return f"{self.prefix}/unit/{topic_level(unit)}/state"

    def unit_siren(self, unit: str) -> str:
        """ON or OFF, for what stands where one unit is."""
        return f"{self.prefix}/unit/{topic_level(unit)}/siren"

    def unit_alert(self, unit: str, alert: str) -> str:
        """The notice that one recipient has of one alert."""
        return f"{self.prefix}/unit/{topic_level(unit)}/alert/{topic_level(alert)}"


def topic_level(name: str) -> str:
    """A name as one level of a topic: what is special in topics or in discovery becomes ``_``, and then a
    few letters of a digest keep two names apart."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)[:LONGEST_NAME]
    if plain == name:
        return plain
    return f"{plain}-{hashlib.blake2b(name.encode(), digest_size=4).hexdigest()}"


def discovery(place: Place, units: Iterable[tuple[str, str]]) -> dict[str, bytes]:
    """Topic -> retained configuration, for the site and each (unit, name)."""
    found = dict(_entities(place, "site", place.site, place.state, place.siren))
    topic, config = _entity(place, "binary_sensor", "site", "station", "Station")
    found[topic] = _json(
        config
        | {
            "state_topic": place.availability,
            "payload_on": "online",
            "payload_off": "offline",
            "device_class": "connectivity",
            "entity_category": "diagnostic",
            "device": _device(place, "site", place.site),
        }
    )
    for unit, name in units:
        key = f"unit_{topic_level(unit)}"
        found |= _entities(place, key, name, place.unit_state(unit), place.unit_siren(unit))
    return found


def _entities(place: Place, key: str, name: str, state: str, siren: str) -> Iterable[tuple[str, bytes]]:
    shared = _available(place) | {"device": _device(place, key, name)}
    json_state = {"state_topic": state, "json_attributes_topic": state}
    danger = json_state | {"value_template": "{{ value_json.danger }}", "device_class": "safety"}
    wanted = {"state_topic": siren, "device_class": "sound"}
    for what, words, switched in (("danger", "Danger", danger), ("siren", "Siren wanted", wanted)):
        topic, config = _entity(place, "binary_sensor", key, what, words)
        yield topic, _json(config | shared | switched | {"payload_on": "ON", "payload_off": "OFF"})
    for what, words in (("level", "Level"), ("exercise", "Exercise"), ("test", "Test")):
        topic, config = _entity(place, "sensor", key, what, words)
        shown = {"value_template": f"{{{{ value_json.{what} }}}}", "device_class": "enum"}
        yield topic, _json(config | shared | {"state_topic": state, "options": _LEVELS} | shown)
    topic, config = _entity(place, "siren", key, "horn", "Siren")
    switches = {"state_topic": siren, "command_topic": f"{siren}/set", "optimistic": False}
    yield topic, _json(config | shared | switches | {"support_duration": False, "support_volume_set": False})


def _entity(place: Place, component: str, key: str, what: str, words: str) -> tuple[str, dict[str, Any]]:
    unique = f"{place.node}_{key}_{what}"
    topic = f"{place.discovery}/{component}/{unique}/config"
    return topic, {"name": words, "unique_id": unique, "qos": 1}


def _available(place: Place) -> dict[str, Any]:
    return {
        "availability_topic": place.availability,
        "payload_available": "online",
        "payload_not_available": "offline",
    }


def _device(place: Place, key: str, name: str) -> dict[str, Any]:
    device: dict[str, Any] = {
        "identifiers": [f"{place.node}_{key}"],
        "name": name,
        "manufacturer": "Vedette",
        "model": "site" if key == "site" else "unit",
    }
    return device if key == "site" else device | {"via_device": f"{place.node}_site"}


def _json(config: dict[str, Any]) -> bytes:
    return msgspec.json.encode(config)
