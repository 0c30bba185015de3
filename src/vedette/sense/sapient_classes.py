"""Classifications of a DetectionReport -> beliefs over our classes.

The taxonomy is that of BSI Flex 335 v2 as its own test harness lists it: "Air Vehicle" with "UAV Rotary
Wing", "UAV Fixed Wing", "Manned Rotary Wing", "Manned Fixed Wing"; "Animal" with "Bird"; "Unknown", and
things that do not fly. Nodes may extend it and spell it freely ("sapient_core:UAV rotary wing"), so a
label is read by its words. A label says what its sender thinks, no more:

- What it does not name stays open, and so does the part of its confidence that it leaves.
- A class without a confidence counts as ``UNSTATED``, a subclass without one as sure as its parent.
- A subclass is never surer than its parent, whether its sender means "given the parent" or not.
- Confidences of several classes that add up to more than one are scaled down together.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from sapient_msg.bsi_flex_335_v2_0 import detection_report_pb2 as proto

from vedette.model.detection import ObjectClass

UNSTATED = 0.5
MOST_LABELS = 32
"""Labels of one report that are read, and how deep they may stand in each other."""
DEEPEST = 4
LONGEST_LABEL = 200

Shares = dict[ObjectClass, float]

_ROTARY: Shares = {"multirotor": 0.7, "fpv": 0.3}
_ANY_DRONE: Shares = {"multirotor": 0.5, "fpv": 0.2, "fixed-wing": 0.3}
_FLIES: Shares = {"multirotor": 0.3, "fpv": 0.1, "fixed-wing": 0.2, "aircraft": 0.4}
_UNKNOWN: Shares = {"unknown": 1.0}

_ROTORS = frozenset(
    [
        "rotary",
        "rotor",
        "multirotor",
        "multicopter",
        "copter",
        "quadcopter",
        "hexacopter",
        "octocopter",
        "quadrotor",
    ]
)
_DRONES = frozenset(["uav", "uas", "suas", "drone", "rpas", "rpa", "unmanned", "uncrewed"])
_MANNED = frozenset(["manned", "crewed", "aircraft", "aeroplane", "airplane", "helicopter", "airliner"])
_ON_THE_GROUND = frozenset(
    ["control", "controller", "station", "transmitter", "operator", "pilot", "launcher"]
)


def beliefs_of(
    classes: Iterable[proto.DetectionReport.DetectionReportClassification],
) -> Shares | None:
    """How far each class is believed, at most one together; None if nothing usable is said."""
    found: Shares = {}
    for shares, confidence in _weighed(classes):
        for name, share in shares.items() if confidence else ():
            found[name] = found.get(name, 0.0) + share * confidence
    total = sum(found.values())
    if total <= 0.0:
        return None
    scale = min(1.0 / total, 1.0)
    return {name: min(value * scale, 1.0) for name, value in found.items()}


def _weighed(classes: Iterable[Any]) -> Iterator[tuple[Shares, float]]:
    read = 0
    stack = [(label, 1.0, 0, _UNKNOWN) for label in classes]
    while stack and read < MOST_LABELS:
        label, limit, depth, inherited = stack.pop(0)
        read += 1
        confidence = min(_confidence(label, UNSTATED if depth == 0 else limit), limit)
        shares = shares_of(label.type) or inherited
        below = [child for child in label.sub_class if depth + 1 < DEEPEST]
        stack += [(child, confidence, depth + 1, shares) for child in below]
        taken = sum(min(_confidence(child, confidence), confidence) for child in below)
        yield shares, max(confidence - taken, 0.0)


def _confidence(label: Any, unstated: float) -> float:
    """A number outside 0 to 1 is none."""
    if not label.HasField("confidence"):
        return unstated
    return float(label.confidence) if 0.0 <= label.confidence <= 1.0 else 0.0


def shares_of(label: str) -> Shares | None:
    """Our classes for one label; None if it says nothing new ("Military"), so that its parent's stand."""
    words = frozenset(
        re.findall(r"[a-z0-9]+", label[:LONGEST_LABEL].casefold().replace("un-manned", "unmanned"))
    )
    if words & _ON_THE_GROUND:
        return _UNKNOWN
    if words & {"bird", "birds"}:
        return {"bird": 1.0}
    if "fpv" in words:
        return {"fpv": 1.0}
    if words & _DRONES or words & (_ROTORS - {"rotary", "rotor"}):
        return _drone(words)
    if words & _MANNED:
        return {"aircraft": 1.0}
    if {"air", "vehicle"} <= words:
        return _FLIES
    ground = {"human", "animal", "vehicle", "vessel", "fixed", "equipment", "unknown", "object"}
    return _UNKNOWN if words & ground else None


def _drone(words: frozenset[str]) -> Shares:
    if words & _ROTORS:
        return _ROTARY
    return {"fixed-wing": 1.0} if words & {"fixed", "fixedwing"} else _ANY_DRONE
