"""Parts of the assessment taken out, one at a time, so that each shows what it is worth.

A part is a set of features. Without it the model is told that none of them is known, and each term that
reads one gives what it gives for the unknown. The model is not fitted anew: what is shown is how much this
model leans on the part, not how well another one could do without it.
"""

from functools import lru_cache
from importlib import resources

import msgspec
from msgspec.structs import replace

from vedette.assess import FEATURES, Model, read_model
from vedette.assess.model import CLASS_FEATURES, Head, ModelFile, Term
from vedette.evaluate.campaign.items import Ablation
from vedette.evaluate.campaign.troubles import Said

INTENTS = frozenset(
    f"log_{name}"
    for name in (
        "attack", "dive", "follow", "orbit", "drop_run", "probing", "transit", "as_bird", "authorised",
    )
)  # fmt: skip
FLAT_AXIS = (0.0, 1.0)


def features_of(part: Ablation) -> frozenset[str]:
    """The features that stand for a part."""
    names = [feature.name for feature in FEATURES]
    match part:
        case "none":
            return frozenset()
        case "intent":
            return INTENTS | {name for name in names if "aim_" in name or name.startswith("watch")}
        case "reach":
            timed = {"earliest_s", "p10_s", "p50_s", "p50_share", "tcpa_s"}
            return frozenset(timed | {name for name in names if name.startswith("reach_")})
        case "class":
            return frozenset(CLASS_FEATURES)
        case "identity":
            return frozenset({"trust", "log_authorised"})


@lru_cache(maxsize=8)
def model_without(part: Ablation) -> Model | None:
    """This version's model without a part; None if nothing is taken out."""
    if part == "none":
        return None
    gone = features_of(part)
    content = (resources.files("vedette.assess") / "model.json").read_bytes()
    file = msgspec.json.decode(content, type=ModelFile)
    watched = None if file.watched is None else _without(file.watched, gone)
    risk = _without(Head(prior_nats=file.prior_nats, terms=file.terms), gone)
    cut = replace(file, terms=risk.terms, watched=watched, version=f"{file.version}, without {part}")
    return read_model(msgspec.json.encode(cut), f"model.json without {part}")


def _without(head: Head, gone: frozenset[str]) -> Head:
    return replace(
        head, terms=tuple(_unknown(term) if gone & set(term.features) else term for term in head.terms)
    )


def _unknown(term: Term) -> Term:
    """The term as it is where its feature is not known, whatever the feature says."""
    flat: tuple[float | tuple[float, ...], ...] = (term.unknown_nats,) * 2
    if len(term.features) == 2:
        flat = ((term.unknown_nats,) * 2,) * 2
    return replace(term, knots=(FLAT_AXIS,) * len(term.features), nats=flat)


def nameless(part: Ablation, said: Said) -> Said:
    """Without identity nobody hears who a drone says it is."""
    if part != "identity":
        return said
    profiles, detections, reports = said
    return profiles, [one if one.claim is None else replace(one, claim=None) for one in detections], reports
