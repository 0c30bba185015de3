"""The fit's result as the content of ``assess/model.json`` (read by `vedette.assess.model`)."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from vedette.evaluate.fitting.additive import Additive, Axis, arranged, grid, unknown
from vedette.evaluate.fitting.kernels import NONE
from vedette.evaluate.fitting.plan import Plan

if TYPE_CHECKING:
    from vedette.evaluate.fitting.fit import Fitted

FORMAT = 1
_DIGITS = 4
"""Decimals of a nat: a ten-thousandth changes nothing that anybody sees."""


def document(fitted: "Fitted", plan: Plan, inputs: dict[str, Any]) -> dict[str, Any]:
    """Everything that goes into the file."""
    held = "".join(f" --held-out {folder['name']}" for folder in inputs["held_out"])
    trained = " ".join(folder["name"] for folder in inputs["folders"])
    settings = msgspec.to_builtins(plan)
    return {
        "format": FORMAT,
        "version": f"fit of {trained}",
        "trained": {
            "command": f"vedette fit {trained}{held}{_options(plan)} -o model.json",
            "plan": settings,
            **inputs,
            "measured_on_held_out": fitted.measured,
        },
        "calibration": {"slope": round(fitted.line.slope, 6), "offset": round(fitted.line.offset, 6)},
        "levels": {
            **{name: round(value, _DIGITS) for name, value in fitted.bars.items()},
            "down_nats": plan.down_nats,
            "hold_s": plan.hold_s,
        },
        **head(fitted.risk, fitted.names),
        "watched": head(fitted.watched, fitted.names),
    }


def _options(plan: Plan) -> str:
    """What of the plan the command was told, as far as it is not what it does anyway."""
    shares = "".join(f" --share {name}={share:g}" for name, share in plan.shares.items())
    usual = Plan()
    others = "".join(
        f" --{option} {value}"
        for option, value, as_ever in (
            ("seed", plan.seed, usual.seed), ("rows", plan.benign_rows, usual.benign_rows),
            ("pairs", plan.pairs, usual.pairs), ("drills", plan.drills, usual.drills),
        )
        if value != as_ever
    )  # fmt: skip
    without = "".join(f" --without '{name}'" for name in plan.leave_out[len(usual.leave_out) :])
    return shares + others + without


def head(model: Additive, names: tuple[str, ...]) -> dict[str, Any]:
    """One head: its prior and its terms. Each term's mean over its knots stays where it is."""
    terms = []
    for term in range(len(model.layout.first)):
        places = [p for p in (model.layout.first[term], model.layout.second[term]) if p != NONE]
        axes = [model.layout.axes[place] for place in places]
        nats = grid(model.layout, term, model.nats)
        terms.append({
            "features": [names[axis.feature] for axis in axes],
            "knots": [axis.knots.tolist() for axis in axes],
            "nats": nats.round(_DIGITS).tolist(),
            "unknown_nats": round(float(model.nats[unknown(model.layout, term)]), _DIGITS),
        })  # fmt: skip
    return {"prior_nats": round(model.prior, _DIGITS), "terms": terms}


def risk_of(content: dict[str, Any], names: Sequence[str]) -> Additive:
    """The risk of a file's content as a model of columns named ``names``."""
    axes: list[Axis] = []
    first, second, nats = [], [], []
    for term in content["terms"]:
        places = [len(axes), len(axes) + 1 if len(term["features"]) > 1 else NONE]
        for name, knots in zip(term["features"], term["knots"], strict=True):
            axes.append(Axis(names.index(name), np.array(knots)))
        first.append(places[0])
        second.append(places[1])
        nats += [*np.array(term["nats"]).ravel().tolist(), term["unknown_nats"]]
    return Additive(arranged(tuple(axes), first, second), np.array(nats), content["prior_nats"])


def encoded(content: dict[str, Any]) -> bytes:
    """The file's bytes: one term a line."""
    plain = {name: value for name, value in content.items() if name not in ("terms", "watched")}
    lines = [msgspec.json.encode(plain)[:-1].decode()]
    lines.append('"terms":[\n' + _rows(content["terms"]) + "\n]")
    watched = content["watched"]
    lines.append(
        f'"watched":{{"prior_nats":{watched["prior_nats"]},"terms":[\n{_rows(watched["terms"])}\n]}}}}'
    )
    return (",\n".join(lines) + "\n").encode()


def _rows(terms: list[dict[str, Any]]) -> str:
    return ",\n".join(msgspec.json.encode(term).decode() for term in terms)
