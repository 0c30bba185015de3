"""``vedette evaluate``: encounters by the hundred through the real core, and a report."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar, get_args

import msgspec
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from vedette.cli import output
from vedette.model import ConfigError, InputError

if TYPE_CHECKING:
    from vedette.evaluate.campaign.items import Ablation, Item, Trouble
    from vedette.evaluate.campaign.results import Result
    from vedette.evaluate.campaign.story import Story
    from vedette.evaluate.campaign.summary import Evaluation
    from vedette.evaluate.campaign.work import Worker

ALL = "all"
T = TypeVar("T", bound=str)
EMPTY_RUNS = 18
"""Ten minutes each: three hours of empty sky for the border days."""
EVERY_SORT = 14
"""So many encounters in a row hold every sort of harmless one."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Where the work is done and what is kept of it."""

    workers: int
    backend: str
    keep: Path | None
    json: Path | None
    report: Path | None
    days: int
    ground: Path | None
    vertical_datum: str | None
    tracks: Path | None

    @property
    def worker(self) -> "Worker":
        """Who runs an item."""
        from vedette.evaluate.campaign.work import Worker

        return Worker(self.ground, self.vertical_datum, self.tracks)


Collection = Annotated[str, typer.Option(help="training, calibration, grading or gate")]
Mixes = Annotated[list[str], typer.Option("--mix", help="a set of sensors; again for more (default: full)")]
Troubles = Annotated[
    list[str], typer.Option("--trouble", help="also with this going wrong; again for more, or 'all'")
]
Without = Annotated[
    list[str], typer.Option("--without", help="also without this part of the assessment, or 'all'")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(evaluate)


def evaluate(
    collection: Collection = "grading",
    first: Annotated[int, typer.Option(min=0, help="number of the first encounter")] = 0,
    count: Annotated[int, typer.Option(min=1, help="how many encounters")] = 140,
    mix: Mixes = [],  # noqa: B006
    trouble: Troubles = [],  # noqa: B006
    without: Without = [],  # noqa: B006
    workers: Annotated[int, typer.Option(min=1, help="processes")] = 1,
    backend: Annotated[str, typer.Option(help="processes, or ray for a cluster")] = "processes",
    keep: Annotated[Path | None, typer.Option(help="keep results here, and go on from what is there")] = None,
    json: Annotated[Path | None, typer.Option(help="write everything here, as JSON")] = None,
    report: Annotated[Path | None, typer.Option(help="write the report here, as one HTML file")] = None,
    item: Annotated[int | None, typer.Option(min=0, help="this encounter alone")] = None,
    explain: Annotated[bool, typer.Option(help="with --item: tell it step by step")] = False,
    compare: Annotated[tuple[Path, Path] | None, typer.Option(help="two JSON files of this command")] = None,
    days: Annotated[int, typer.Option(min=0, help="put so many border days together from the runs")] = 0,
    terrain: Annotated[Path | None, typer.Option(help="an elevation file to stand on")] = None,
    terrain_datum: Annotated[
        str | None, typer.Option(help="what its heights are measured from, if it does not say: egm96 ...")
    ] = None,
    real_tracks: Annotated[Path | None, typer.Option(help="also the recorded flights of this folder")] = None,
    gate: Annotated[bool, typer.Option(help="the small frozen set; exit 1 if a bound is broken")] = False,
    propose: Annotated[bool, typer.Option(help="with --gate: bounds drawn from this run, as TOML")] = False,
) -> int:
    """Lead time, missed attacks and false alerts over simulated encounters; JSON on stdout."""
    plan = Plan(
        workers=workers,
        backend=backend,
        keep=keep,
        json=json,
        report=report,
        days=days,
        ground=terrain,
        vertical_datum=terrain_datum,
        tracks=real_tracks,
    )
    _check(plan, mix)
    if compare is not None:
        return _compare(compare, plan)
    if gate or propose:
        return _propose(plan) if propose else _gate(plan)
    chosen = [item] if item is not None else list(range(first, first + count))
    items = _items(plan, collection, chosen, mix or ["full"], _troubles(trouble), _ablations(without))
    if explain:
        if item is None:
            raise ConfigError("--explain tells one encounter: say which with --item")
        return _explain(items[-1:], plan)
    _publish(_run(items, plan), plan)
    return 0


def _check(plan: Plan, mixes: Sequence[str]) -> None:
    """What would fail after an hour of work is told before it. Raises ConfigError."""
    from vedette.evaluate.campaign.stage import TRACKER_FEED

    for path in (plan.json, plan.report, plan.keep):
        if path is not None and not path.parent.is_dir():
            raise ConfigError(f"{path}: cannot be written: there is no folder {path.parent}; make it first")
    if plan.vertical_datum is not None and plan.ground is None:
        raise ConfigError(
            "--terrain-datum says what heights are measured from: of which file? --terrain FILE"
        )
    others = {"--days": plan.days, "--terrain": plan.ground, "--real-tracks": plan.tracks}
    asked = [name for name, value in others.items() if value]
    if asked and TRACKER_FEED in mixes:
        raise ConfigError(
            f"{asked[0]} needs a mix of sensors: the {TRACKER_FEED} is of encounters on simulated ground"
        )


def _items(
    plan: Plan,
    collection: str,
    numbers: Sequence[int],
    mixes: Sequence[str],
    troubles: "Sequence[Trouble]",
    ablations: "Sequence[Ablation]",
) -> "tuple[Item, ...]":
    """What was asked for, and behind it what border days and real flights need."""
    from vedette.evaluate.campaign.items import items_of
    from vedette.evaluate.campaign.sources import EMPTY, REAL

    worker = plan.worker
    items = items_of(collection, numbers, mixes, troubles, ablations, worker.source)
    if plan.days and len(numbers) < EVERY_SORT:
        raise ConfigError(
            f"--days needs harmless encounters of every sort: --count {EVERY_SORT} at least, and several "
            "hundred for figures that are worth something"
        )
    if plan.days and collection != EMPTY:
        items += items_of(EMPTY, range(EMPTY_RUNS), mixes[:1])
    if plan.tracks is not None and collection != REAL and len(numbers) > 1:
        items += items_of(REAL, range(2 * worker.flights), mixes[:1], source=worker.source)
    return items


def _troubles(names: Sequence[str]) -> "tuple[Trouble, ...]":
    from vedette.evaluate.campaign.items import Trouble

    return _known(names, get_args(Trouble), "--trouble")


def _ablations(names: Sequence[str]) -> "tuple[Ablation, ...]":
    from vedette.evaluate.campaign.items import Ablation

    return _known(names, get_args(Ablation), "--without")


def _known(names: Sequence[str], known: tuple[T, ...], option: str) -> tuple[T, ...]:
    if ALL in names:
        return known
    for name in names:
        if name not in known:
            raise ConfigError(f"{option} {name}: there are {', '.join(known)} and all")
    return tuple(one for one in known if one in names)


def _run(items: "Sequence[Item]", plan: Plan) -> "Evaluation":
    """All items, with a bar that tells the time that is left."""
    from vedette.evaluate.campaign.campaign import executor_of, run_campaign
    from vedette.evaluate.campaign.summary import model_version, summarise

    with _bar("encounters", len(items)) as step:
        results = run_campaign(
            items, plan.worker, executor_of(plan.workers, plan.backend), plan.keep, lambda result: step()
        )
    return summarise(results, model_version(), plan.days)


@contextmanager
def _bar(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on stderr with the time that is left, for a person at a terminal."""
    progress = output.progress()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=progress.console, disable=progress.disable, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task, 1)


def _publish(evaluation: "Evaluation", plan: Plan) -> None:
    """The figures on stdout, everything into the files that were asked for."""
    from vedette.evaluate.campaign.summary import encode, followed
    from vedette.evaluate.page import page

    if plan.json is not None:
        _write(plan.json, encode(evaluation))
    if plan.report is not None:
        chosen = followed(evaluation)
        stories, worker = [], plan.worker
        with _bar("worst encounters again", len(chosen)) as step:
            for one in chosen:
                stories.append(worker.story(one))
                step()
        _write(plan.report, page(evaluation, stories).encode())
    output.write_bytes(encode(msgspec.structs.replace(evaluation, results=())).rstrip())


def _explain(items: "Sequence[Item]", plan: Plan) -> int:
    from vedette.evaluate.campaign.summary import model_version, summarise
    from vedette.evaluate.page import page

    worker = plan.worker
    stories = [worker.story(one) for one in items]
    for story in stories:
        _say_story(story)
        output.write(story)
    if plan.report is not None:
        results: list[Result] = [story.result for story in stories]
        _write(plan.report, page(summarise(results, model_version()), stories).encode())
    return 0


def _say_story(story: "Story") -> None:
    """The story in words, on stderr; stdout has it as JSON."""
    from vedette.evaluate.page.stories import lines_of

    for line in lines_of(story):
        output.say(line)


def _compare(files: tuple[Path, Path], plan: Plan) -> int:
    from vedette.evaluate.campaign.compare import compare
    from vedette.evaluate.page.compared import lines_of, page_of

    found = compare(_read(files[0]), _read(files[1]))
    for line in lines_of(found):
        output.say(line)
    if plan.report is not None:
        _write(plan.report, page_of(found, (files[0].stem, files[1].stem)).encode())
    output.write(found)
    return 0


def _gate(plan: Plan) -> int:
    from vedette.evaluate.campaign.gate import broken, read_gate, value_of

    gate = read_gate()
    evaluation = _run(gate.items, plan)
    _publish(evaluation, plan)
    faults = broken(gate, evaluation)
    for words in faults:
        output.say(f"gate {gate.version}: {words}")
    if not faults:
        bounds = (f"{one.figure} {value_of(one.figure, evaluation.figures):g}" for one in gate.bound)
        output.say(f"gate {gate.version} holds: {', '.join(bounds)}")
    return 1 if faults else 0


def _propose(plan: Plan) -> int:
    """Bounds for the gate, on stdout, for a person who has looked at the figures (on stderr)."""
    from vedette.evaluate.campaign.gate import proposal, read_gate, value_of

    gate = read_gate()
    evaluation = _run(gate.items, plan)
    for bound in gate.bound:
        output.say(f"{bound.figure} {value_of(bound.figure, evaluation.figures)}")
    output.write_bytes(proposal(gate, evaluation).rstrip().encode())
    return 0


def _read(path: Path) -> "Evaluation":
    from vedette.evaluate.campaign.summary import decode

    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except msgspec.MsgspecError as error:
        raise InputError(f"{path}: no result of 'vedette evaluate --json': {error}") from None


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from None
