"""The figures of a group of runs. A share comes with its interval; a figure of nothing is absent.

Missed: the target's alert at WARNING or above began less than `LEAST_LEAD_S` before the impact, or never.
False alert: somebody came to be under WARNING or above about something that was no attacker.
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from msgspec import Struct

from vedette.evaluate.campaign.bodies import CAUSES, Cause
from vedette.evaluate.campaign.intervals import F64, Interval, bootstrap, mean, poisson, wilson
from vedette.evaluate.campaign.outcome import DECISION_S
from vedette.evaluate.campaign.results import LEVELS, RISK_EDGES, Bin, Result, Sounding, Stages

LEAST_LEAD_S = 5.0
RATES = (0.5, 1.0, 2.0, 5.0)
"""False alerts for each hour of harmless track at which rankings are compared."""
QUANTILES = {"p5": 0.05, "p10": 0.10, "p25": 0.25, "p50": 0.50}
MOST_POINTS = 80
DIGITS = 4


class Share(Struct, frozen=True, kw_only=True):
    """``count`` in ``of``, with the 95 % interval of the share."""

    count: int
    of: int
    share: float
    low: float
    high: float


class Figure(Struct, frozen=True, kw_only=True):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class Rate(Struct, frozen=True, kw_only=True):
    """``count`` in ``hours``, with the 95 % interval of the rate for each hour."""

    count: int
    hours: float
    per_hour: float
    low: float
    high: float


class Bar(Struct, frozen=True, kw_only=True):
    """The ranking by risk at one false-alert rate: harmless scenes whose highest risk exceeds ``risk``."""

    far: float
    risk: float
    missed: Share
    lead_p10_s: float
    lead_p50_s: float


class Point(Struct, frozen=True, array_like=True):
    """One point of the curve: false alerts for each harmless hour, share of attacks missed, bar on risk."""

    far: float
    missed: float
    risk: float


class Reliability(Struct, frozen=True, kw_only=True):
    """One bin of risk: mean risk said, share of seconds that came true, and how many there were."""

    low: float
    high: float
    said: float
    came: float
    seconds: int


class Delay(Struct, frozen=True, kw_only=True):
    """Seconds from one stage to the next, over the runs that reached both."""

    stage: str
    runs: int
    p50_s: float
    p95_s: float


class Figures(Struct, frozen=True, kw_only=True):
    """All figures of one group of runs."""

    hostile: int
    benign: int
    benign_hours: float
    missed: Share | None = None
    missed_seen: Share | None = None
    """Of the attacks whose attacker a sensor saw at least 10 s before the impact."""
    missed_hidden: Share | None = None
    """Of those missed: attacks whose attacker no sensor saw in the last 10 s, for the ground hid it."""
    unseen: Share | None = None
    """Attacks whose attacker no sensor saw so early."""
    leads: dict[str, Figure] = {}
    lead_by_level_p50_s: dict[Sounding, float] = {}
    under_10_s: Share | None = None
    under_30_s: Share | None = None
    right_unit: Share | None = None
    units_warned: float | None = None
    false_alerts: Rate | None = None
    false_by_cause: dict[Cause, int] = {}
    sounded_per_unit_hour: float | None = None
    watchers_advised: Share | None = None
    others_advised: Share | None = None
    bars: tuple[Bar, ...] = ()
    curve: tuple[Point, ...] = ()
    reliability: tuple[Reliability, ...] = ()
    brier: Figure | None = None
    delays: tuple[Delay, ...] = ()


def figures_of(results: Sequence[Result]) -> Figures:
    """The figures of these runs."""
    hostile = [one for one in results if one.hostile]
    benign = [one for one in results if not one.hostile]
    hours = sum(one.duration_s for one in benign) / 3600.0
    watchers = [one for one in benign if one.target is not None]
    return Figures(
        hostile=len(hostile),
        benign=len(benign),
        benign_hours=_round(hours),
        missed=_share(map(missed, hostile)),
        missed_seen=_share(missed(one) for one in hostile if seen_in_time(one)),
        missed_hidden=_share(hidden(one) for one in hostile if seen_in_time(one) and missed(one)),
        unseen=_share(not seen_in_time(one) for one in hostile),
        leads={name: lead_quantile(hostile, share) for name, share in QUANTILES.items()} if hostile else {},
        lead_by_level_p50_s=_by_level(hostile),
        under_10_s=_share(lead_of(one) < 10.0 for one in hostile),
        under_30_s=_share(lead_of(one) < 30.0 for one in hostile),
        right_unit=_share(one.right_unit for one in hostile if one.right_unit is not None),
        units_warned=_average([float(one.units_warned) for one in hostile if one.units_warned is not None]),
        false_alerts=false_rate(benign),
        false_by_cause=_causes(benign),
        sounded_per_unit_hour=_sounded(benign),
        watchers_advised=_share(map(_advised, watchers)),
        others_advised=_share(_advised(one) for one in benign if one.target is None),
        bars=_bars(hostile, benign, hours),
        curve=_curve(hostile, benign, hours),
        reliability=_reliability(results),
        brier=_brier(results),
        delays=_delays(hostile),
    )


def lead_of(result: Result) -> float:
    """Seconds of warning that the target had; 0 for none."""
    return 0.0 if result.leads is None else result.leads.warning


def missed(result: Result) -> bool:
    """True if the target was warned too late or not at all."""
    return lead_of(result) < LEAST_LEAD_S


def seen_in_time(result: Result) -> bool:
    """True if a sensor saw the attacker early enough for anybody to be warned."""
    return result.seen_s is not None and result.seen_s >= DECISION_S


def hidden(result: Result) -> bool:
    """True if no sensor saw the attacker in the last seconds, when a person must know."""
    return result.lost_s is not None and result.lost_s >= DECISION_S


def lead_under(result: Result, bar: float) -> float:
    """The lead if everything above this risk had been an alert."""
    return max((lead for risk, lead in result.steps if risk > bar), default=0.0)


def share_of(count: int, of: int) -> Share:
    """A share with its interval."""
    low, high = wilson(count, of)
    share = count / of if of else 0.0
    return Share(count=count, of=of, share=_round(share), low=_round(low), high=_round(high))


def false_rate(benign: Sequence[Result]) -> Rate | None:
    """False alerts for each hour of harmless track; None without any such hour."""
    hours = sum(one.duration_s for one in benign) / 3600.0
    if hours <= 0.0:
        return None
    count = sum(len(one.false_alerts) for one in benign)
    low, high = poisson(count)
    return Rate(
        count=count,
        hours=_round(hours),
        per_hour=_round(count / hours),
        low=_round(low / hours),
        high=_round(high / hours),
    )


def quantile(values: Sequence[float], share: float) -> float:
    """The quantile of some values, between two neighbours by the straight line; 0 of nothing."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def lead_quantile(hostile: Sequence[Result], share: float) -> Figure:
    """A quantile of the leads, with its interval over encounters."""
    leads = [lead_of(one) for one in hostile]
    return _figure(quantile(leads, share), bootstrap(leads, _quantiles(share)))


def _quantiles(share: float) -> Callable[[F64], F64]:
    def of(drawn: F64) -> F64:
        ordered = np.sort(drawn, axis=1)
        place = share * (drawn.shape[1] - 1)
        below = int(place)
        above = min(below + 1, drawn.shape[1] - 1)
        return np.asarray(ordered[:, below] + (place - below) * (ordered[:, above] - ordered[:, below]))

    return of


def _figure(value: float, interval: Interval | None) -> Figure:
    low, high = interval if interval is not None else (value, value)
    return Figure(value=_round(value), low=_round(low), high=_round(high))


def _share(flags: Iterable[bool]) -> Share | None:
    rows = list(flags)
    return share_of(sum(rows), len(rows)) if rows else None


def _average(values: Sequence[float]) -> float | None:
    return _round(sum(values) / len(values)) if values else None


def _by_level(hostile: Sequence[Result]) -> dict[Sounding, float]:
    rows = [one.leads for one in hostile if one.leads is not None]
    return {level: _round(quantile([getattr(row, level) for row in rows], 0.5)) for level in LEVELS if rows}


def _causes(results: Iterable[Result]) -> dict[Cause, int]:
    counts: dict[Cause, int] = {cause: 0 for cause in CAUSES if cause != "attacker"}
    for one in results:
        for _, cause in one.false_alerts:
            counts[cause] += 1
    return counts


def _sounded(benign: Sequence[Result]) -> float | None:
    hours = sum(one.duration_s * one.units for one in benign) / 3600.0
    return _round(sum(told.sounded for one in benign for told in one.told) / hours) if hours else None


def _advised(result: Result) -> bool:
    return bool(result.told)


def _bars(hostile: Sequence[Result], benign: Sequence[Result], hours: float) -> tuple[Bar, ...]:
    """As `threat_bench.py` sets them: the bar lies at the highest risk of the scene that may still alarm."""
    if not hostile or hours <= 0.0:
        return ()
    peaks = sorted((one.peak_risk for one in benign), reverse=True)
    bars = []
    for far in RATES:
        risk = peaks[int(far * hours)] if int(far * hours) < len(peaks) else 0.0
        leads = [lead_under(one, risk) for one in hostile]
        bars.append(
            Bar(
                far=far,
                risk=risk,
                missed=share_of(sum(lead < LEAST_LEAD_S for lead in leads), len(leads)),
                lead_p10_s=_round(quantile(leads, 0.10)),
                lead_p50_s=_round(quantile(leads, 0.50)),
            )
        )
    return tuple(bars)


def _curve(hostile: Sequence[Result], benign: Sequence[Result], hours: float) -> tuple[Point, ...]:
    if not hostile or hours <= 0.0:
        return ()
    peaks = sorted((one.peak_risk for one in benign), reverse=True)
    chosen = sorted({round(i * (len(peaks) - 1) / MOST_POINTS) for i in range(MOST_POINTS + 1)})
    return tuple(
        Point(
            far=_round(place / hours),
            missed=_round(
                sum(lead_under(one, peaks[place]) < LEAST_LEAD_S for one in hostile) / len(hostile)
            ),
            risk=peaks[place],
        )
        for place in chosen
    )


def _reliability(results: Iterable[Result]) -> tuple[Reliability, ...]:
    bins = [Bin()] * (len(RISK_EDGES) - 1)
    for one in results:
        bins = [_added(a, b) for a, b in zip(bins, one.reliability, strict=True)] if one.reliability else bins
    return tuple(
        Reliability(
            low=low,
            high=high,
            said=_round(one.risk / one.count),
            came=_round(one.hits / one.count),
            seconds=one.count,
        )
        for low, high, one in zip(RISK_EDGES, RISK_EDGES[1:], bins, strict=False)
        if one.count
    )


def _added(a: Bin, b: Bin) -> Bin:
    return Bin(a.count + b.count, a.risk + b.risk, a.hits + b.hits, a.squared + b.squared)


def _brier(results: Iterable[Result]) -> Figure | None:
    """Mean squared error of the risk over the threatened seconds of each encounter, encounters alike."""
    rows = []
    for one in results:
        seconds = sum(b.count for b in one.reliability)
        if seconds:
            rows.append(sum(b.squared for b in one.reliability) / seconds)
    return _figure(sum(rows) / len(rows), bootstrap(rows, mean)) if rows else None


_STEPS: tuple[tuple[str, str, str], ...] = (
    ("measured to received", "detected_s", "received_s"),
    ("received to track", "received_s", "tracked_s"),
    ("track to threat", "tracked_s", "threat_s"),
    ("threat to advisory", "threat_s", "advisory_s"),
    ("threat to warning", "threat_s", "warning_s"),
    ("received to warning", "received_s", "warning_s"),
)


def _delays(hostile: Iterable[Result]) -> tuple[Delay, ...]:
    stages = [one.stages for one in hostile]
    rows = ((name, _between(stages, first, then)) for name, first, then in _STEPS)
    return tuple(
        Delay(
            stage=name,
            runs=len(delays),
            p50_s=_round(quantile(delays, 0.5)),
            p95_s=_round(quantile(delays, 0.95)),
        )
        for name, delays in rows
        if delays
    )


def _between(stages: Iterable[Stages], first: str, then: str) -> list[float]:
    pairs = ((getattr(one, first), getattr(one, then)) for one in stages)
    return [max(b - a, 0.0) for a, b in pairs if a is not None and b is not None]


def _round(value: float) -> float:
    return round(value, DIGITS)
