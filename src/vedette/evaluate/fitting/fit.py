"""The fit as a whole: encounters in, model file out. Pure but for reading the folders."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vedette.assess.features import NAMES
from vedette.evaluate.fitting import additive, solve
from vedette.evaluate.fitting.additive import Additive
from vedette.evaluate.fitting.calibrate import Line, brier, came_true, line, reliability
from vedette.evaluate.fitting.choose import choose_pairs
from vedette.evaluate.fitting.draw import WATCHING, Sample, draw, gather, watched_rows
from vedette.evaluate.fitting.drills import drills
from vedette.evaluate.fitting.encounters import Encounters, is_left_out, read
from vedette.evaluate.fitting.kernels import F64
from vedette.evaluate.fitting.measure import bar, peaks, warned
from vedette.evaluate.fitting.model_file import document
from vedette.evaluate.fitting.nameless import nameless
from vedette.evaluate.fitting.plan import RISING, WATCHED, Plan
from vedette.model.errors import InputError

Say = Callable[[str], None]
_CHUNK = 200_000
_FAR = (0.5, 2.0, 5.0)
_NAMELESS_STREAM = 1
NOBODY_NATS = -30.0
"""Without a scene in which somebody is watched nobody ever is: the levels stand on the risk alone."""


class Fitted(NamedTuple):
    """Both heads, calibrated, the names of the columns, and what was measured on each held-out folder."""

    risk: Additive
    watched: Additive
    names: tuple[str, ...]
    line: Line
    bars: dict[str, float]
    measured: dict[str, Any]


def fit_folders(folders: Sequence[Path], held_out: Sequence[Path], plan: Plan, say: Say) -> dict[str, Any]:
    """The model file's content, fitted on ``folders``; calibrated, and its bars set, on those ``held_out``.

    The same folders and plan give the same content on the same machine. Raises ConfigError, InputError.
    """
    unread = plan.unread(NAMES)
    pools, generator = [], np.random.default_rng((plan.seed, _NAMELESS_STREAM))
    for folder in folders:
        whole = read(folder, unread)
        pools.append(nameless(_thinned(whole, plan.thin_s), plan.nameless, generator))
        say(f"{folder}: {len(whole.outcomes)} scenes, {len(pools[-1].time)} of {len(whole.time)} rows")
    apart = [read(folder, unread) for folder in held_out]
    _same_columns([*pools, *apart])
    if plan.drills:
        pools.append(drills(plan.drills, 2 * plan.drills, plan.seed, lambda name: is_left_out(name, unread)))
        say(f"{3 * plan.drills} drills flown")
    fitted = fit_pools(pools, apart, plan, say)
    return document(fitted, plan, {
        "folders": [{"name": f.name, "labels": _digest(f / "labels.jsonl")} for f in folders],
        "held_out": [{"name": f.name, "labels": _digest(f / "labels.jsonl")} for f in held_out],
    })  # fmt: skip


def fit_pools(pools: Sequence[Encounters], apart: Sequence[Encounters], plan: Plan, say: Say) -> Fitted:
    """Both heads from encounters; calibrated on those ``apart``, each collection of which counts the same."""
    names = pools[0].names
    rising = tuple(RISING.get(name, 0) if plan.monotone else 0 for name in names)
    smooth = solve.Smoothness(plan.differences, plan.bends, plan.size, rising)
    generator = np.random.default_rng(plan.seed)
    risk = _risk(pools, plan, smooth, generator, say)
    scores, happened = [odds_of(risk, one) for one in apart], [came_true(one) for one in apart]
    weights = [np.full(len(one), 1.0 / len(one)) for one in scores]
    calibration = line(np.concatenate(scores), np.concatenate(happened), np.concatenate(weights))
    risk = _folded(risk, calibration)
    watched = _watched(pools, plan, smooth, generator)
    odds = [odds_of(risk, one) for one in apart]
    bars = _bars(apart, odds, [odds_of(watched, one) for one in apart], plan)
    measured = {one.name: _measured(one, said, bars) for one, said in zip(apart, odds, strict=True)}
    for name, what in measured.items():
        say(f"held out {name}: {what['at_far']}")
    return Fitted(risk, watched, names, calibration, bars, measured)


def _measured(apart: Encounters, odds: F64, bars: dict[str, float]) -> dict[str, Any]:
    return {
        "at_far": {str(far): warned(apart, odds, bar(apart, odds, far))._asdict() for far in _FAR},
        "at_warning": warned(apart, odds, bars["warning_nats"])._asdict(),
        "reliability": [one._asdict() for one in reliability(odds, came_true(apart))],
        "brier": brier(odds, came_true(apart)),
    }


def odds_of(model: Additive, encounters: Encounters) -> F64:
    """Log-odds of every row, a part at a time."""
    parts = [
        model.odds(encounters.columns[begin : begin + _CHUNK])
        for begin in range(0, len(encounters.time), _CHUNK)
    ]
    return np.concatenate([np.zeros(0), *parts])


def _risk(
    pools: Sequence[Encounters],
    plan: Plan,
    smooth: solve.Smoothness,
    generator: np.random.Generator,
    say: Say,
) -> Additive:
    everything = [place for place, name in enumerate(pools[0].names) if name in plan.alone]
    among = [place for place, name in enumerate(pools[0].names) if name in plan.paired]

    def sample(last: Additive | None) -> Sample:
        parts = []
        for pool in pools:
            odds = None if last is None else odds_of(last, pool)
            rows = draw(pool, min(plan.benign_rows, len(pool.time) // 2), odds, generator)
            parts.append(rows._replace(weights=rows.weights * plan.share(pool.name)))
        return gather(parts)

    rows = sample(None)
    model = _started(rows, everything, (), plan)
    model = _settled(model, rows, smooth, plan.rounds[0])
    rows = sample(model)
    say(f"hard negatives drawn: {len(rows.weights)} rows")
    model = _settled(model, rows, smooth, plan.rounds[0])
    pairs = choose_pairs(rows, model.odds(rows.columns), plan.pairs, plan.pair_rows, among)
    say("pairs: " + ", ".join(f"{pools[0].names[a]} x {pools[0].names[b]}" for a, b in pairs))
    model = _settled(_started(rows, everything, pairs, plan), rows, smooth, plan.rounds[1])
    say("fitted once")
    rows = sample(model)
    model = _settled(model, rows, smooth, plan.rounds[2])
    say("fitted twice")
    return solve.straighten(model, smooth.rising)


def _watched(
    pools: Sequence[Encounters], plan: Plan, smooth: solve.Smoothness, generator: np.random.Generator
) -> Additive:
    drawn = [watched_rows(pool, plan.benign_rows // 4, generator) for pool in pools]
    samples = [
        rows._replace(weights=rows.weights * plan.share(pool.name))
        for pool, rows in zip(pools, drawn, strict=True)
        if rows is not None
    ]
    if not samples:
        return Additive(
            additive.layout(pools[0].columns[:1], np.ones(1), (), (), 2, 2), np.zeros(0), NOBODY_NATS
        )
    rows = gather(samples)
    singles = [pools[0].names.index(name) for name in WATCHED if name in pools[0].names]
    free = smooth._replace(rising=(0,) * len(pools[0].names))
    return _settled(_started(rows, singles, (), plan), rows, free, plan.rounds[0])


def _started(rows: Sample, singles: Sequence[int], pairs: Sequence[tuple[int, int]], plan: Plan) -> Additive:
    shape = additive.layout(rows.columns, rows.weights, singles, pairs, plan.knots, plan.pair_knots)
    return Additive(shape, np.zeros(shape.size), 0.0)


def _settled(model: Additive, rows: Sample, smooth: solve.Smoothness, rounds: int) -> Additive:
    where = additive.places(model.layout, rows.columns)
    return solve.fit(model, solve.Data(where, rows.happened, rows.weights), smooth, rounds)


def _folded(model: Additive, by: Line) -> Additive:
    return Additive(model.layout, model.nats * by.slope, model.prior * by.slope + by.offset)


def _bars(
    apart: Sequence[Encounters], odds: Sequence[F64], seen: Sequence[F64], plan: Plan
) -> dict[str, float]:
    """Of each level the highest bar that any collection asks for, so that none has more false alerts an hour;
    of being watched the lowest, so that none misses more."""
    watching = [
        _bar_of_watching(one, nats, plan.watched_share) for one, nats in zip(apart, seen, strict=True)
    ]
    rates = {"imminent_nats": plan.imminent_per_hour, "warning_nats": plan.warning_per_hour,
             "advisory_nats": plan.advisory_per_hour}  # fmt: skip
    of_levels = {
        name: max(bar(one, nats, rate) for one, nats in zip(apart, odds, strict=True))
        for name, rate in rates.items()
    }
    return {**of_levels, "watched_nats": min(watching)}


def _bar_of_watching(apart: Encounters, seen: F64, share: float) -> float:
    """The bar that this share of the scenes in which a unit is watched rises above."""
    watching = np.array([o.behaviour == WATCHING for o in apart.outcomes], np.bool_)
    highest = np.sort(peaks(apart, seen)[watching])
    return float(highest[int((1.0 - share) * len(highest))]) if len(highest) else -NOBODY_NATS


def _thinned(encounters: Encounters, every_s: float) -> Encounters:
    """Attacks whole, of all else one assessment in ``every_s`` seconds."""
    hostile = encounters.hostile[encounters.scene]
    return encounters.only(hostile | (np.floor(encounters.time) % every_s < 1.0))


def _same_columns(pools: Sequence[Encounters]) -> None:
    for pool in pools[1:]:
        if pool.names != pools[0].names:
            raise InputError(f"{pool.name} and {pools[0].name} hold different features; make them anew")


def _digest(path: Path) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
