"""Single encounters, followed from the detections to the decision."""

from collections.abc import Iterator
from html import escape

from vedette.evaluate.campaign.story import Decision, Said, Story
from vedette.evaluate.campaign.summary import LOST_S, replay_of
from vedette.evaluate.page.plan import plan
from vedette.evaluate.page.timeline import timeline
from vedette.evaluate.page.words import name_words, table

MOST_MESSAGES = 12


def article(story: Story) -> str:
    """One encounter: what happened, the picture, the reasons and the messages."""
    result = story.result
    head = f"{name_words(result.behaviour)} <small class='soft'>{escape(result.scene)}</small>"
    return (
        f'<article id="{result.item.digest}"><h3>{head}</h3>'
        f"<p>{escape(_sentence(story))}</p><figure class='wide'>{timeline(story)}</figure>"
        f'<div class="pair"><figure>{plan(story)}</figure><div>{_decisions(story)}</div></div>'
        f"{_messages(story)}"
        f'<p class="soft">See it again: <code>{escape(replay_of(result.item))}</code></p></article>'
    )


def lines_of(story: Story) -> Iterator[str]:
    """The story as lines for a terminal."""
    yield _sentence(story)
    for hearing in story.hearings:
        mine, others = (sum(n for _, n in rows) for rows in (hearing.of_body, hearing.of_others))
        since = f", from {hearing.of_body[0][0]} s on" if hearing.of_body else ""
        yield f"  {hearing.sensor}: reported it {mine} times{since}; something else {others} times"
    for track in story.tracks:
        yield f"  track {track.track}: {track.first_s:.0f} to {track.last_s:.0f} s"
    for one in story.decisions:
        yield f"  {one.at_s:.0f} s: {one.level.upper()}, risk {one.risk:.1%} ({one.nats:+.2f} nats)"
        for words, nats in one.evidence:
            yield f"      {nats:+.2f}  {words}"
    for message in story.said:
        sound = ", sounded" if message.sounded else ""
        yield f"  {message.at_s:.1f} s to {story.unit} ({message.level}{sound}): {message.text}"


def _sentence(story: Story) -> str:
    one = story.result
    kind = one.kind.replace("-", " ")
    if not one.hostile:
        causes = ", ".join(sorted({cause for _, cause in one.false_alerts}))
        warned = (
            f"{len(one.false_alerts)} false alerts, about {causes}" if one.false_alerts else "no false alert"
        )
        return (
            f"A harmless scene ({kind}) of {one.duration_s:.0f} s: {warned}. Told from {story.unit}'s side."
        )
    assert one.impact_s is not None
    seen = "no sensor saw it" if one.seen_s is None else f"first seen {one.seen_s:.0f} s before the impact"
    if one.lost_s is not None and one.lost_s >= LOST_S:
        seen += f", not any more in its last {one.lost_s:.0f} s"
    by = f" by {', '.join(one.seen_by)}" if one.seen_by else ""
    lead = 0.0 if one.leads is None else one.leads.warning
    warned = f"{story.unit} was warned {lead:.1f} s before it" if lead > 0 else f"{story.unit} was not warned"
    return f"An attack ({kind}) on {story.unit}, impact after {one.impact_s:.0f} s: {seen}{by}; {warned}."


def _decisions(story: Story) -> str:
    if not story.decisions:
        return "<p>No threat to this unit was ever told of.</p>"
    first, *others = story.decisions
    return "<h4>Why</h4>" + _decision(first, opened=True) + "".join(map(_decision, others))


def _decision(one: Decision, *, opened: bool = False) -> str:
    total = sum(nats for _, nats in one.evidence)
    rows = [[escape(words), f"{nats:+.2f}"] for words, nats in one.evidence]
    rows.append(["<b>together</b>", f"<b>{total:+.2f}</b>"])
    head = (
        f'{one.at_s:.0f} s: <b class="s-{one.level}">{one.level.upper()}</b>, risk {one.risk:.1%} '
        f"({one.nats:+.2f} nats)"
    )
    reasons = table(["Reason", "nats"], rows, (1,))
    return f"<details{' open' if opened else ''}><summary>{head}</summary>{reasons}</details>"


def _messages(story: Story) -> str:
    if not story.said:
        return f"<p>{escape(story.unit)} was sent nothing.</p>"
    rows = [_message(one) for one in story.said[:MOST_MESSAGES]]
    more = len(story.said) - len(rows)
    rest = f'<p class="soft">And {more} more.</p>' if more > 0 else ""
    return table(["After", "level", "message", "about"], rows, (0,)) + rest


def _message(one: Said) -> list[str]:
    sound = " (sounded)" if one.sounded else ""
    return [
        f"{one.at_s:.1f} s",
        f'<b class="s-{one.level}">{one.level.upper()}</b>{sound}',
        escape(one.text),
        escape(one.cause),
    ]
