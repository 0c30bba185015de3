"""What a tracker of somebody else's would report of an encounter: positions once a second, and weak classes.

One `report` sensor, ``tracker-feed``: 8 m and 5 m noise, every twentieth report lost, and beliefs of a
classifier that leans the same way for a whole flight, so that averaging does not make it certain. The
figures are those of a good radar with its own tracker; the confusions are judgement.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from vedette.model.detection import Claim, Detection, EmptyScan, ObjectClass, Position, Sigma
from vedette.model.site import SensorProfile, SensorSigma
from vedette.model.unit import UnitReport
from vedette.simulate.behaviours.moment import Kinematics
from vedette.simulate.encounters.people import UNITS
from vedette.simulate.encounters.scenes import SITE, Encounter
from vedette.simulate.kinds import Kind
from vedette.simulate.places import SiteFrame
from vedette.simulate.scenario import Actor
from vedette.simulate.streams import stream
from vedette.simulate.unit_reports import UnitPhone

Array = NDArray[np.float64]

SENSOR = "tracker-feed"
HORIZONTAL_M, VERTICAL_M = 8.0, 5.0
DETECTED = 0.95
RANGE_M = 10_000.0
CLASSES: tuple[ObjectClass, ...] = ("multirotor", "fpv", "fixed-wing", "bird", "aircraft", "unknown")
CLASS_OF: dict[Kind, ObjectClass] = {
    "multirotor": "multirotor",
    "hexacopter": "multirotor",
    "fpv": "fpv",
    "fixed-wing": "fixed-wing",
    "bird": "bird",
    "helicopter": "aircraft",
    "aircraft": "aircraft",
}
RIGHT = 0.58
"""What the right class gets on average."""
MISTAKEN: dict[ObjectClass, tuple[float, ...]] = {
    "multirotor": (0.0, 1.0, 0.4, 0.7, 0.2, 1.0),
    "fpv": (1.0, 0.0, 0.7, 0.7, 0.2, 1.0),
    "fixed-wing": (0.5, 0.7, 0.0, 0.8, 0.7, 1.0),
    "bird": (0.8, 0.7, 0.7, 0.0, 0.2, 1.2),
    "aircraft": (0.4, 0.4, 1.0, 0.3, 0.0, 1.0),
    "unknown": (1.0, 1.0, 1.0, 1.0, 1.0, 0.0),
}
"""For what else each class is taken, in the order of `CLASSES` (relative)."""
LEAN, SHAKE = 4.0, 12.0
"""How firmly the classifier leans for a flight, and how little it changes its mind within one
(concentrations of Dirichlet distributions)."""


def profile() -> SensorProfile:
    """The sensor as a station's configuration describes it."""
    return SensorProfile(
        id=SENSOR,
        type="report",
        lat_deg=SITE.lat_deg,
        lon_deg=SITE.lon_deg,
        alt_m=SITE.alt_m,
        alt_datum=SITE.alt_datum,
        period_s=1.0,
        detection_probability=DETECTED,
        range_m=(0.0, RANGE_M),
        azimuth_deg=(0.0, 360.0),
        clutter_per_scan=0.0,
        sigma=SensorSigma(horizontal_m=HORIZONTAL_M, vertical_m=VERTICAL_M),
    )


def reports(found: Encounter, start_time: float, first_scan: int = 0) -> Iterator[Detection]:
    """The feed of one encounter whose scenario starts at ``start_time``, one scan a second."""
    frame = SiteFrame(found.scenario.head.site)
    fliers = [actor for actor in found.scenario.actors if actor.id not in UNITS]
    seconds = [k for k, time in enumerate(found.flight.times_s) if time >= found.label.t0]
    seen = {actor.id: _Seen(found.scenario.head.seed, actor, len(seconds)) for actor in fliers}
    for row, k in enumerate(seconds):
        states = found.flight.states[k]
        time, scan = start_time + found.flight.times_s[k], first_scan + row
        rows = [
            seen[actor.id].report(row, states[actor.id], frame, time, scan)
            for actor in fliers
            if actor.id in states and seen[actor.id].detected[row]
        ]
        yield from rows or [Detection(time=time, sensor=SENSOR, scan=scan, measure=EmptyScan())]


def scans(found: Encounter) -> int:
    """How many scans the feed of an encounter has."""
    return sum(time >= found.label.t0 for time in found.flight.times_s)


class _Seen:
    """One flier's noise, losses and beliefs, each from a stream of its own."""

    def __init__(self, seed: int, actor: Actor, count: int) -> None:
        self._noise: Array = stream(seed, SENSOR, "noise", actor.id).standard_normal((count, 3))
        self._noise *= np.array([HORIZONTAL_M, HORIZONTAL_M, VERTICAL_M])
        self.detected: list[bool] = (
            stream(seed, SENSOR, "detected", actor.id).random(count) < DETECTED
        ).tolist()
        self._beliefs = _beliefs(seed, actor, count)
        self._claim = None
        if actor.own and actor.remote_id is not None:
            self._claim = Claim(scheme="remote-id-serial", id=actor.remote_id.serial)

    def report(self, row: int, state: Kinematics, frame: SiteFrame, time: float, scan: int) -> Detection:
        east, north, up = (a + b for a, b in zip(state.enu_m, self._noise[row].tolist(), strict=True))
        lat_deg, lon_deg, alt_m = frame.geodetic((east, north, up))
        return Detection(
            time=time,
            sensor=SENSOR,
            scan=scan,
            measure=Position(
                lat_deg=round(lat_deg, 8),
                lon_deg=round(lon_deg, 8),
                alt_m=round(alt_m, 2),
                alt_datum="wgs84-ellipsoid",
            ),
            sigma=Sigma(horizontal_m=HORIZONTAL_M, vertical_m=VERTICAL_M),
            claim=self._claim,
            beliefs=dict(zip(CLASSES, self._beliefs[row].tolist(), strict=True)),
        )


def _beliefs(seed: int, actor: Actor, count: int) -> Array:
    """Beliefs of each second, (count, classes): a lean for the flight, and a shake round it."""
    generator = stream(seed, SENSOR, "beliefs", actor.id)
    right = CLASS_OF[actor.kind]
    mean = np.array(MISTAKEN[right])
    mean *= (1.0 - RIGHT) / mean.sum()
    mean[CLASSES.index(right)] = RIGHT
    lean = generator.dirichlet(LEAN * mean) + 0.01
    rows = generator.dirichlet(SHAKE * lean / lean.sum(), count)
    return np.round(0.97 * rows + 0.005, 3)


def unit_reports(found: Encounter, start_time: float) -> Iterator[UnitReport]:
    """The phones of the six, from the scenario's start on, in order of time."""
    frame = SiteFrame(found.scenario.head.site)
    units = [actor for actor in found.scenario.actors if actor.cot is not None]
    phones = {
        actor.id: (actor, UnitPhone(actor.cot, actor.kind, (found.scenario.head.seed, actor.id), frame))
        for actor in units
        if actor.cot is not None
    }
    for k, time in enumerate(found.flight.times_s):
        for name, (actor, phone) in phones.items():
            assert actor.cot is not None
            if time % actor.cot.period_s == 0.0:
                yield phone.noun(found.flight.states[k][name], start_time + time)
