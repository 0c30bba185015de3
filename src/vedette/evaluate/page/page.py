"""The whole page."""

from collections.abc import Sequence
from html import escape

from vedette.evaluate.campaign.story import Story
from vedette.evaluate.campaign.summary import Evaluation
from vedette.evaluate.page import sections
from vedette.evaluate.page.goals import goals_section
from vedette.evaluate.page.stories import article
from vedette.evaluate.page.style import STYLE
from vedette.evaluate.page.timeline import legend
from vedette.evaluate.page.words import EMISSION_WORDS

CSP = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(evaluation: Evaluation, stories: Sequence[Story] = (), extra: Sequence[tuple[str, str]] = ()) -> str:
    """The report as HTML. ``extra``: further sections, (title, HTML)."""
    parts = [*_parts(evaluation), *extra, *_stories(evaluation, stories)]
    links = " ".join(f'<a href="#s{n}">{escape(title)}</a>' for n, (title, _) in enumerate(parts))
    body = "".join(f'<h2 id="s{n}">{escape(title)}</h2>{html}' for n, (title, html) in enumerate(parts))
    return document(
        f"Vedette: evaluation on {evaluation.collection}", _head(evaluation) + f"<nav>{links}</nav>" + body
    )


def document(title: str, body: str) -> str:
    """A page that needs nothing from anywhere else."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{CSP}">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>{body}</body></html>\n"
    )


def _head(evaluation: Evaluation) -> str:
    one = evaluation.figures
    return (
        "<h1>Who was warned, how soon, and how often for nothing</h1>"
        f'<p class="soft">{one.hostile} attacks and {one.benign} harmless encounters of the collection '
        f"<b>{escape(evaluation.collection)}</b>, seen by the sensor mix <b>{escape(evaluation.mix)}</b>, "
        f"through the same core that runs at a station. Model {escape(evaluation.model)}. The encounters are "
        "simulated: they compare versions and show weaknesses; they are not field performance.</p>"
        + sections.answer(evaluation)
    )


def _parts(evaluation: Evaluation) -> list[tuple[str, str]]:
    parts = [
        ("Against the goals", goals_section(evaluation)),
        ("How much time people had", sections.lead_section(evaluation)),
        ("By behaviour", sections.behaviour_section(evaluation.by_behaviour)),
        ("False alerts", sections.false_section(evaluation)),
        ("Other thresholds", sections.trade_section(evaluation)),
    ]
    if len(evaluation.by_emission) > 1:
        words = "<p>No radio is no evidence of no drone: the attacks of drones that nobody can hear.</p>"
        named = sections.groups_section(evaluation.by_emission, "Attackers", EMISSION_WORDS)
        parts.append(("Radio-silent drones", words + named))
    if len(evaluation.by_mix) > 1:
        words = "<p>The same encounters, seen by other sets of sensors.</p>"
        parts.append(("By sensors", words + sections.groups_section(evaluation.by_mix, "Sensors")))
    if len(evaluation.by_trouble) > 1:
        names = sections.troubles_of(evaluation.by_trouble)
        words = "<p>The same encounters, with one thing going wrong in each row.</p>"
        parts.append(
            ("When things go wrong", words + sections.groups_section(evaluation.by_trouble, "Trouble", names))
        )
    if len(evaluation.by_ablation) > 1:
        names = sections.ablations_of(evaluation.by_ablation)
        words = (
            "<p>The same encounters with one part of the assessment taken out: what that part is worth.</p>"
        )
        parts.append(
            (
                "What each part is worth",
                words + sections.groups_section(evaluation.by_ablation, "Assessment", names),
            )
        )
    if evaluation.real_flights:
        words = (
            "<p>Recorded flights in place of simulated ones, seen by the same simulated sensors: a small "
            "drone's own GPS, racing drones, and manned aircraft at work near the ground. Where a drone's "
            "flight ends over somebody, it counts as an attack on him.</p>"
        )
        parts.append(("Real flights", words + sections.behaviour_section(evaluation.real_flights)))
    if evaluation.days is not None:
        parts.append(("Border days", sections.days_section(evaluation.days, evaluation.empty_sky)))
    parts.append(("Where the time goes", sections.delay_section(evaluation)))
    return parts


def _stories(evaluation: Evaluation, stories: Sequence[Story]) -> list[tuple[str, str]]:
    told = {story.result.item.digest for story in stories}
    parts = [("What went worst", sections.worst_section(evaluation.worst, told))]
    if stories:
        words = "".join(f"<p class='soft'>{escape(one)}</p>" for one in legend())
        parts.append(("Encounters, from detection to decision", words + "".join(map(article, stories))))
    return parts
