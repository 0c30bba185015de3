"""Threats known by direction only: what one sensor hears and nobody can place is warned of all the same.

A wedge is a mixture of places along one bearing. For each unit and each distance r of the mixture:

    p(rate | comes)    = mean over speeds v of N(rate; rate of a course at the unit, s^2 + (wobble v / r)^2)
    p(rate | anything) = share_hovers N(rate; 0, s^2) + the rest: mean over v of N(rate; 0, s^2 + v^2 / 2 r^2)

weighted over the distances (the weights are those of `model.track.Wedge`), s the sigma of the wedge's
rate of turn. The second variance is that of the part across of a velocity in any direction. The logarithm
of the ratio is bounded by the share of hoverers: a direction that holds still never proves an approach.

A sensor hears what is loud from farther off than it is stated to. What our own sensors place in the direction
of a wedge is assessed where it is, and the wedge is most likely its own: it is an ADVISORY at most. What
bodies say of their own places explains nothing away (DESIGN, law 3).
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from msgspec import Struct

from vedette.assess.columns import Floats
from vedette.assess.settings import AssessSettings
from vedette.assess.units import UnitState
from vedette.geo import angle_between_deg, bearing_deg
from vedette.model.threat import Level, Threat
from vedette.model.track import Track, Wedge

_INFO, _ADVISORY, _WARNING = 0, 1, 2
_LEVELS: tuple[Level, ...] = ("info", "advisory", "warning")
_EARLY = 0.1
"""The worst-case arrival is that of the nearest tenth of the mixture."""
_LIKELY = 0.5
_LEAST = 1e-9


class HeldDirection(Struct):
    """The level told for one wedge and unit, and since when (Unix seconds) it has been below it.

    ``explained``: when it was heard last, if our own sensors placed a body there since."""

    level: int
    below_since: float | None = None
    explained: float | None = None


@dataclass(frozen=True, slots=True)
class _Sight:
    """One wedge from every unit, each [units]; ``turn`` and ``near`` in nats. ``known``: what it
    weighs that our own sensors place a body in its direction, in nats, 0 if they do not."""

    bearing_deg: list[float]
    sigma_deg: list[float]
    earliest_s: Floats
    close: Floats
    soon: Floats
    reach: Floats
    turn: Floats
    near: Floats
    known: float


class Directions:
    """Weighs wedges against units; ``held`` is what is remembered: wedge id, unit name, level."""

    def __init__(self, settings: AssessSettings) -> None:
        self._settings = settings
        self.held: dict[str, dict[str, HeldDirection]] = {}

    def assess(
        self, wedges: Iterable[Wedge], tracks: Iterable[Track], units: Sequence[UnitState], at: float
    ) -> tuple[Threat, ...]:
        """A threat of every wedge to every unit it may reach, sorted by (wedge, unit); none is IMMINENT.
        ``tracks``: the bodies that have places."""
        s = self._settings
        fresh = [t for t in tracks if t.height_measured and at - (t.updated or 0.0) <= s.direction_fresh_s]
        shown = {wedge.id: wedge for wedge in wedges if _usable(wedge)}
        self.held = {name: self.held.get(name, {}) for name in sorted(shown)} if units else {}
        return tuple(t for name in self.held for t in self._of(shown[name], fresh, units, at))

    def _of(
        self, wedge: Wedge, tracks: Iterable[Track], units: Sequence[UnitState], at: float
    ) -> list[Threat]:
        s = self._settings
        known = self.held[wedge.id]
        # A direction that is not heard again turns on by itself, and leaves the body that it was of.
        explained = any(_in_direction(track, wedge, s) for track in tracks) or any(
            held.explained == wedge.heard for held in known.values()
        )
        seen = _sight(wedge, units, s, s.direction_known_nats if explained else 0.0)
        intent = s.direction_nats + seen.turn + seen.near + seen.known
        risk = wedge.existence * seen.reach / (1.0 + np.exp(-intent))
        told = []
        for j, unit in enumerate(units):
            name = unit.report.unit
            held = known.setdefault(name, HeldDirection(_INFO))
            held.explained = wedge.heard if explained else None
            self._hold(held, _rank(wedge, seen, float(risk[j]), j, s), at)
            if risk[j] > s.report_risk or held.level > _INFO:
                told.append(_threat(wedge, name, seen, j, float(risk[j]), held.level, s, at))
        names = {unit.report.unit for unit in units}
        self.held[wedge.id] = {name: known[name] for name in sorted(known) if name in names}
        return told

    def _hold(self, held: HeldDirection, rank: int, at: float) -> None:
        """Up at once, down after ``hold_s`` below."""
        if rank >= held.level:
            held.level, held.below_since = rank, None
            return
        held.below_since = at if held.below_since is None else held.below_since
        if at - held.below_since >= self._settings.hold_s:
            held.level, held.below_since = rank, None


def _in_direction(track: Track, wedge: Wedge, s: AssessSettings) -> bool:
    """Whether a track is where a wedge points, as seen from its sensor."""
    east, north = track.enu_m[0] - wedge.origin_enu_m[0], track.enu_m[1] - wedge.origin_enu_m[1]
    return abs(angle_between_deg(bearing_deg(east, north), wedge.azimuth_deg)) <= s.direction_same_deg


def _usable(wedge: Wedge) -> bool:
    """True if every figure is finite and the mixture has a weight: a wedge that is not is no direction."""
    figures = (
        *wedge.origin_enu_m, wedge.azimuth_deg, wedge.azimuth_rate_dps, wedge.azimuth_rate_sigma_dps,
        *wedge.ranges_m, *wedge.weights,
    )  # fmt: skip
    return (
        len(wedge.ranges_m) == len(wedge.weights) > 0
        and all(map(math.isfinite, figures))
        and min(wedge.ranges_m) > 0.0
        and sum(wedge.weights) > 0.0
    )


def _sight(wedge: Wedge, units: Sequence[UnitState], s: AssessSettings, known: float) -> _Sight:
    """All arrays [distances, units] are reduced over the mixture at once."""
    azimuth = math.radians(wedge.azimuth_deg)
    ranges = np.array(wedge.ranges_m)[:, None]
    weights = np.array(wedge.weights)[:, None] / sum(wedge.weights)
    across = np.array([[math.sin(azimuth), math.cos(azimuth)]]) * ranges
    places = np.array([unit.enu_m[:2] for unit in units])
    east = wedge.origin_enu_m[0] + across[:, :1] - places[:, 0]
    north = wedge.origin_enu_m[1] + across[:, 1:] - places[:, 1]
    distance = np.maximum(np.sqrt(east * east + north * north), 1.0)
    slack = np.array([2.0 * unit.sigma_m + unit.radius_m for unit in units])
    arrival = np.maximum(distance - slack, 0.0) / s.envelope_mps.unknown
    le, ln = (weights * east / distance).sum(axis=0), (weights * north / distance).sum(axis=0)
    # Mardia & Jupp, Directional Statistics, 2.3.11: the standard deviation of a direction.
    length = np.minimum(np.maximum(np.sqrt(le * le + ln * ln), _LEAST), 1.0)
    spread = np.sqrt(-2.0 * np.log(length))
    return _Sight(
        bearing_deg=[bearing_deg(float(e), float(n)) for e, n in zip(le, ln, strict=True)],
        sigma_deg=np.degrees(np.sqrt(spread * spread + math.radians(wedge.azimuth_sigma_deg) ** 2)).tolist(),
        earliest_s=_quantile(arrival, weights[:, 0], _EARLY),
        close=(weights * (distance - slack <= s.danger_radius_m)).sum(axis=0),
        soon=(weights * (arrival <= s.direction_horizon_s / 2.0)).sum(axis=0),
        reach=(weights * (arrival <= s.direction_horizon_s)).sum(axis=0),
        turn=_turn_evidence(wedge, across, east, north, distance, weights, s),
        near=s.direction_near_nats * (weights * np.exp(-distance / s.direction_near_scale_m)).sum(axis=0),
        known=known,
    )


def _turn_evidence(
    wedge: Wedge,
    across: Floats,
    east: Floats,
    north: Floats,
    distance: Floats,
    weights: Floats,
    s: AssessSettings,
) -> Floats:
    """Nats for "flies at the unit" against "flies or hovers anyhow", from how fast its direction turns."""
    rate = math.radians(wedge.azimuth_rate_dps)
    variance = math.radians(max(wedge.azimuth_rate_sigma_dps, 0.0)) ** 2 + _LEAST
    square = (across * across).sum(axis=1, keepdims=True)
    # Azimuth runs clockwise: its rate is (n ve - e vn) / r^2 for a velocity (ve, vn).
    turn = (across[:, :1] * north - across[:, 1:] * east) / (distance * square)
    wobble = math.radians(s.course_wobble_deg)
    comes, anything = np.zeros(distance.shape), s.direction_hover_share * _normal(rate, variance)
    share = (1.0 - s.direction_hover_share) / len(s.direction_speeds_mps)
    for speed in s.direction_speeds_mps:
        comes = comes + _normal(rate - speed * turn, variance + (wobble * speed) ** 2 / square)
        anything = anything + share * _normal(rate, variance + speed**2 / (2.0 * square))
    mean = (weights * comes).sum(axis=0) / len(s.direction_speeds_mps)
    other = (weights * anything).sum(axis=0)
    return np.asarray(np.log((1.0 - s.course_outlier) * mean / np.maximum(other, _LEAST) + s.course_outlier))


def _normal(difference: Floats | float, variance: Floats | float) -> Floats:
    return np.asarray(np.exp(-0.5 * np.square(difference) / variance) / np.sqrt(2.0 * math.pi * variance))


def _quantile(values: Floats, weights: Floats, share: float) -> Floats:
    """The value, for each column, below which ``share`` of the weight lies."""
    order = np.argsort(values, axis=0, kind="stable")
    mass = np.cumsum(weights[order], axis=0)
    first = np.argmax(mass >= share * mass[-1], axis=0)
    columns = np.arange(values.shape[1])
    return np.asarray(values[order[first, columns], columns])


def _rank(wedge: Wedge, seen: _Sight, risk: float, j: int, s: AssessSettings) -> int:
    if wedge.existence < s.direction_existence or seen.reach[j] < s.direction_reach:
        return _INFO
    # What is more likely inside the danger radius than not may be overhead already, hanging still.
    comes = risk >= s.direction_warning_risk and seen.soon[j] >= s.direction_reach
    if wedge.azimuth_sigma_deg > s.direction_advisory_sigma_deg:
        return _INFO
    sure = wedge.azimuth_sigma_deg <= s.direction_warning_sigma_deg and seen.known == 0.0
    return _WARNING if sure and (comes or seen.close[j] > _LIKELY) else _ADVISORY


def _threat(
    wedge: Wedge, unit: str, seen: _Sight, j: int, risk: float, level: int, s: AssessSettings, at: float
) -> Threat:
    return Threat(
        time=at,
        track=wedge.id,
        unit=unit,
        risk=risk,
        level=_LEVELS[level],
        behaviour="direction-only",
        evidence=_evidence(seen, j, risk, s),
        bearing_deg=seen.bearing_deg[j],
        bearing_sigma_deg=seen.sigma_deg[j],
        earliest_s=float(seen.earliest_s[j]),
    )


def _evidence(seen: _Sight, j: int, risk: float, s: AssessSettings) -> tuple[tuple[str, float], ...]:
    """Terms that add up to the log-odds of the risk, strongest first."""
    turn, near = float(seen.turn[j]), float(seen.near[j])
    steady = (
        "its direction holds, as of one that comes" if turn >= 0.0 else "its direction turns away from you"
    )
    bounded = min(max(risk, _LEAST), 1.0 - _LEAST)
    rest = math.log(bounded / (1.0 - bounded)) - s.direction_nats - turn - near - seen.known
    terms: tuple[tuple[str, float], ...] = (
        ("heard by direction only, its distance is not known", s.direction_nats),
        (steady, turn),
        ("it may be close", near),
        ("it may be too far to be here within a minute, or be nothing", rest),
    )
    if seen.known != 0.0:
        terms += (("most likely the body that our own sensors see in that direction", seen.known),)
    return tuple(sorted(terms, key=lambda term: -abs(term[1])))
