"""Numbers as words, and tables: the same form throughout the page."""

from collections.abc import Iterable, Sequence
from html import escape

from vedette.evaluate.campaign.figures import Figure, Rate, Share
from vedette.evaluate.campaign.troubles import WORDS as TROUBLE_WORDS

NOTHING = "–"
ABLATION_WORDS = {
    "none": "all parts",
    "intent": "without intent (what it seems to be up to)",
    "reach": "without reach (how soon it could be there)",
    "class": "without class (what kind of thing it is)",
    "identity": "without identity (who it says it is)",
}
EMISSION_WORDS = {
    "emitting": "they emit radio: a link, a picture or Remote ID",
    "radio-silent": "they emit nothing: on a fibre, or autonomous",
}


def percent(share: float, digits: int = 1) -> str:
    """0.123 -> 12.3 %."""
    return f"{100.0 * share:.{digits}f}\u00a0%"


def share_words(share: Share | None) -> str:
    """3.2 % (1.8 to 5.5 %)."""
    if share is None:
        return NOTHING
    return f"{percent(share.share)} <small>({100 * share.low:.1f} to {percent(share.high)})</small>"


def count_words(share: Share | None) -> str:
    """4 of 120."""
    return NOTHING if share is None else f"{share.count} of {share.of}"


def seconds_words(figure: Figure | None) -> str:
    """18.0 s (15.2 to 20.1)."""
    if figure is None:
        return NOTHING
    return f"{figure.value:.1f} s <small>({figure.low:.1f} to {figure.high:.1f})</small>"


def rate_words(rate: Rate | None) -> str:
    """1.2 an hour (0.8 to 1.9)."""
    if rate is None:
        return NOTHING
    return f"{rate.per_hour:.2f} <small>({rate.low:.2f} to {rate.high:.2f})</small>"


def number_words(value: float | None, digits: int = 2, suffix: str = "") -> str:
    """A number, or a dash."""
    return NOTHING if value is None else f"{value:.{digits}f}{suffix}"


def trouble_words(name: str) -> str:
    """What a trouble is, for a reader."""
    return {str(key): words for key, words in TROUBLE_WORDS.items()}.get(name, name)


def name_words(name: str) -> str:
    """``follow-then-attack`` -> Follow then attack."""
    return escape(name.replace("-", " ").capitalize())


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[int] = ()) -> str:
    """An HTML table; cells are HTML already. ``numeric``: columns that are aligned to the right."""
    right = frozenset(numeric)

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(
            f'<{tag} class="n">{cell}</{tag}>' if i in right else f"<{tag}>{cell}</{tag}>"
            for i, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    top = f"<thead><tr>{cells('th', head)}</tr></thead>"
    return f'<div class="wide"><table>{top}<tbody>{body}</tbody></table></div>'
