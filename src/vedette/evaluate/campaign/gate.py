"""The gate: a small frozen set with bounds, so that a change that makes warnings worse does not pass by."""

import json
import math
from importlib import resources
from typing import Annotated, Literal

from msgspec import Meta, Struct

from vedette.evaluate.campaign.figures import Figures
from vedette.evaluate.campaign.items import Item, items_of
from vedette.evaluate.campaign.summary import Evaluation
from vedette.model import InputError
from vedette.model.strict import decode_toml

FILE = "gate.toml"

Measure = Literal[
    "missed_share",
    "missed_seen_share",
    "lead_p10_s",
    "lead_p50_s",
    "right_unit_share",
    "false_alerts_per_hour",
]


SHARES_MARGIN = 2
"""So many encounters may turn out otherwise by chance, when the last bits of a model change."""
FALSE_MARGIN = 3
LEAD_MARGIN = 0.8


class Bound(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One figure with the most or the least it may be; ``why`` says where the bound comes from."""

    figure: Measure
    most: float | None = None
    least: float | None = None
    why: str = ""


class Gate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which encounters, and the bounds. ``version`` goes up when either changes."""

    version: Annotated[int, Meta(ge=1)]
    collection: str
    count: Annotated[int, Meta(ge=1)]
    mix: str
    bound: tuple[Bound, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        """The runs of the gate."""
        return items_of(self.collection, range(self.count), [self.mix])


def read_gate() -> Gate:
    """The gate of this version of the program."""
    text = (resources.files("vedette.evaluate.campaign") / FILE).read_bytes()
    return decode_toml(text, Gate, FILE)


def broken(gate: Gate, evaluation: Evaluation) -> list[str]:
    """A sentence for each bound that does not hold; none if all do."""
    return [words for bound in gate.bound if (words := _broken(bound, evaluation.figures)) is not None]


def proposal(gate: Gate, evaluation: Evaluation) -> str:
    """The gate's file with bounds drawn from a run of it, with room for what
    changes by chance. For whoever ships another model: look at the figures first."""
    figures = evaluation.figures
    bounds = [_proposed(bound, figures, evaluation.model) for bound in gate.bound]
    head = (
        "# The gate of `vedette evaluate --gate`: a frozen set of encounters and the bounds that must hold.\n"
        "# Drawn by `vedette evaluate --gate --propose` from a run of the model that is shipped; raise "
        "`version` when\n# the set or a bound changes, and say why in the bound's own words.\n"
    )
    top = (
        f'version = {gate.version + 1}\ncollection = "{gate.collection}"\ncount = {gate.count}\n'
        f'mix = "{gate.mix}"\n'
    )
    return "\n".join((head, top, *bounds))


def _proposed(bound: Bound, figures: Figures, model: str) -> str:
    value = value_of(bound.figure, figures)
    if value is None:
        raise InputError(f"no run of the gate tells {bound.figure}: raise its count")
    side, held, words = _margin(bound.figure, figures, value)
    why = f"{value:g} with the model {model}; {words}"
    return f'[[bound]]\nfigure = "{bound.figure}"\n{side} = {held:g}\nwhy = {json.dumps(why)}\n'


def _margin(name: Measure, figures: Figures, value: float) -> tuple[str, float, str]:
    """Which side is bounded, where, and the reason of the margin."""
    rate = figures.false_alerts
    if name == "false_alerts_per_hour" and rate is not None:
        more = max(FALSE_MARGIN, round(math.sqrt(rate.count)))
        most = math.ceil(10.0 * (rate.count + more) / rate.hours) / 10.0
        return "most", most, f"{more} more in {rate.hours:.1f} h may come by chance"
    if name in ("lead_p10_s", "lead_p50_s"):
        held = float(math.floor(LEAD_MARGIN * value))
        return "least", held, f"a lead shorter by {1.0 - LEAD_MARGIN:.0%} is no accident"
    share = {"missed_share": figures.missed, "missed_seen_share": figures.missed_seen}.get(name)
    right = figures.right_unit if share is None else share
    of = 1 if right is None else right.of
    words = f"{SHARES_MARGIN} of {of} may turn out otherwise by chance"
    if share is None:
        return "least", max(round(value - SHARES_MARGIN / of, 3), 0.0), words
    return "most", min(round(value + SHARES_MARGIN / of, 3), 1.0), words


def _broken(bound: Bound, figures: Figures) -> str | None:
    value = value_of(bound.figure, figures)
    name = bound.figure.replace("_", " ")
    if value is None:
        return f"{name} could not be computed: the gate's encounters hold none that it is about"
    if bound.most is not None and value > bound.most:
        return f"{name} is {value:g}, more than the {bound.most:g} that the gate allows"
    if bound.least is not None and value < bound.least:
        return f"{name} is {value:g}, less than the {bound.least:g} that the gate asks for"
    return None


def value_of(name: Measure, figures: Figures) -> float | None:
    """A figure by its name in the gate; None where there is nothing to compute it from."""
    match name:
        case "missed_share":
            return None if figures.missed is None else figures.missed.share
        case "missed_seen_share":
            return None if figures.missed_seen is None else figures.missed_seen.share
        case "lead_p10_s":
            return figures.leads["p10"].value if figures.leads else None
        case "lead_p50_s":
            return figures.leads["p50"].value if figures.leads else None
        case "right_unit_share":
            return None if figures.right_unit is None else figures.right_unit.share
        case "false_alerts_per_hour":
            return None if figures.false_alerts is None else figures.false_alerts.per_hour
