"""Where the protected units are, how old that is, and how far they may have gone since."""

import math
from collections import Counter

from msgspec import Struct

from vedette.assess.settings import AssessSettings, PerMobility
from vedette.geo import LocalFrame, convert_height
from vedette.model.errors import DatumError
from vedette.model.site import Site
from vedette.model.unit import Mobility, UnitReport

_KEPT = 8
_BASELINE_S = (4.0, 12.0)
_MOMENTS_PER_S = 5


class Fix(Struct, frozen=True):
    """One report in the site's frame: ENU metres; ``u`` is None while the height is not known."""

    time: float
    e: float
    n: float
    u: float | None


class UnitState(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A unit at one moment.

    ``enu_m``: last position carried on by the unit's own motion, up absent while unknown.
    ``sigma_m``: stated one-sigma accuracy; ``radius_m``: how far it may have moved since, at worst.
    """

    report: UnitReport
    enu_m: tuple[float, float, float | None]
    velocity_mps: tuple[float, float]
    velocity_sigma_mps: float
    sigma_m: float
    radius_m: float
    age_s: float


class HeldUnit(Struct):
    """The latest report of one unit and the fixes its velocity is taken from, oldest first."""

    report: UnitReport
    fixes: list[Fix]


class UnitBook:
    """Latest report per unit, by report time. Reports that cannot be used are counted by reason."""

    def __init__(self, site: Site, settings: AssessSettings, counts: Counter[str]) -> None:
        self._site = site
        self._settings = settings
        self._frame = LocalFrame(site.lat_deg, site.lon_deg, site.alt_m)
        self.held: dict[str, HeldUnit] = {}
        self.counts = counts
        self._moment = -math.inf
        self._states: dict[str, UnitState] = {}

    def take(self, report: UnitReport, at: float) -> None:
        """Keep a report heard at ``at``. A report from the future counts as made now."""
        if not _is_on_earth(report):
            self.counts["unit-report-no-place-on-earth"] += 1
            return
        time = min(report.time, at)
        if time < report.time:
            self.counts["unit-report-from-the-future"] += 1
        held = self.held.get(report.unit)
        if held is None and len(self.held) >= self._settings.max_units:
            self.counts["unit-report-too-many-units"] += 1
        elif held is not None and time < held.fixes[-1].time:
            self.counts["unit-report-older-than-held"] += 1
        else:
            self._keep(held, report, self._fix(report, time))

    def _keep(self, held: HeldUnit | None, report: UnitReport, fix: Fix) -> None:
        earlier = [] if held is None else held.fixes
        if earlier and self._jumped(earlier[-1], fix, report):
            self.counts["unit-position-jumped"] += 1
            earlier = []
        kept = [old for old in earlier if 0.0 < fix.time - old.time <= _BASELINE_S[1]]
        self.held[report.unit] = HeldUnit(report, [*_thinned(kept), fix])
        self._states.pop(report.unit, None)

    def _jumped(self, old: Fix, new: Fix, report: UnitReport) -> bool:
        limit = _of(self._settings.unit_speed_limit_mps, report.mobility) * (new.time - old.time)
        return math.hypot(new.e - old.e, new.n - old.n) > limit + 4.0 * report.sigma_m

    def _fix(self, report: UnitReport, time: float) -> Fix:
        height = self._height(report)
        alt = self._site.alt_m if height is None else height
        e, n, u = self._frame.to_enu(report.lat_deg, report.lon_deg, alt)
        return Fix(time, e, n, None if height is None else u)

    def _height(self, report: UnitReport) -> float | None:
        """The unit's height in the site's datum, or None: heights of two datums never mix."""
        if report.alt_m is None or report.alt_datum is None:
            return None
        site = self._site
        try:
            return convert_height(
                report.alt_m, report.alt_datum, site.alt_datum, geoid_height_m=site.geoid_height_m
            )
        except DatumError:
            return None

    def at(self, at: float) -> tuple[UnitState, ...]:
        """All units at ``at``, by name."""
        return tuple(self._state(self.held[name], at) for name in sorted(self.held))

    def about(self, at: float) -> tuple[UnitState, ...]:
        """All units, by name, as they were at the last fifth of a second: cheap to ask for often.

        What is remembered is a function of the reports and that moment alone, so that a restored book
        gives the same.
        """
        moment = math.floor(at * _MOMENTS_PER_S) / _MOMENTS_PER_S
        if moment != self._moment:
            self._moment, self._states = moment, {}
        for name in self.held.keys() - self._states.keys():
            self._states[name] = self._state(self.held[name], moment)
        return tuple(self._states[name] for name in sorted(self.held))

    def _state(self, held: HeldUnit, at: float) -> UnitState:
        last, report, settings = held.fixes[-1], held.report, self._settings
        age = max(0.0, at - last.time)
        (ve, vn), sigma = _velocity(held.fixes, report.sigma_m)
        growth = _of(settings.unit_growth_mps, report.mobility)
        if growth == 0.0:
            ve = vn = sigma = 0.0
        coast = min(age, settings.unit_coast_s)
        return UnitState(
            report=report,
            enu_m=(last.e + ve * coast, last.n + vn * coast, last.u),
            velocity_mps=(ve, vn),
            velocity_sigma_mps=min(sigma, growth),
            sigma_m=report.sigma_m,
            radius_m=min(growth * age, settings.unit_growth_cap_m),
            age_s=age,
        )


def _of(speeds: PerMobility, mobility: Mobility) -> float:
    return {"foot": speeds.foot, "vehicle": speeds.vehicle, "post": speeds.post}[mobility]


def _is_on_earth(report: UnitReport) -> bool:
    numbers = (report.time, report.lat_deg, report.lon_deg, report.sigma_m, report.alt_m or 0.0)
    return (
        all(map(math.isfinite, numbers))
        and abs(report.lat_deg) <= 90.0
        and abs(report.lon_deg) <= 180.0
        and report.sigma_m > 0.0
    )


def _thinned(fixes: list[Fix]) -> list[Fix]:
    """The oldest fix is the baseline of the velocity, so a chatty unit loses those between."""
    return fixes if len(fixes) < _KEPT else [fixes[0], *fixes[-(_KEPT - 2) :]]


def _velocity(fixes: list[Fix], sigma_m: float) -> tuple[tuple[float, float], float]:
    """Velocity over the held fixes (m/s) and its one-sigma; unknown = not moving, any speed allowed."""
    first, last = fixes[0], fixes[-1]
    span = last.time - first.time
    if span < _BASELINE_S[0]:
        return (0.0, 0.0), math.inf
    sigma = math.sqrt(2.0) * sigma_m / span
    ve, vn = (last.e - first.e) / span, (last.n - first.n) / span
    return ((ve, vn) if math.hypot(ve, vn) > sigma else (0.0, 0.0)), sigma
