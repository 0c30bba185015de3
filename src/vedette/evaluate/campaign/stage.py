"""The stage that the core is put on: who is where, what the sensors say, what is true."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from vedette.evaluate.campaign.ablations import model_without, nameless
from vedette.evaluate.campaign.bodies import GROUND_KINDS, Body, Sky, cause_of
from vedette.evaluate.campaign.items import Item
from vedette.evaluate.campaign.troubles import Said, troubled
from vedette.evaluate.campaign.watch import Told
from vedette.evaluate.truth import Truth
from vedette.fuse import Ground
from vedette.model import Detection, UnitReport
from vedette.simulate import Scenario, encounters, inputs, mix, sensor_profiles, unit_reports
from vedette.simulate.encounters import Encounter, Label
from vedette.simulate.scenario import Actor
from vedette.simulate.sensing.mixes import SILENT

START = 1_790_000_000.0
"""When every encounter begins (Unix seconds): an arbitrary moment, the same for all."""
TRACKER_FEED = "tracker-feed"
"""The mix that is no mix: the position reports of somebody else's tracker, as in the shared bench."""


class Scene(NamedTuple):
    """What an encounter really is. Times are Unix seconds; ``target`` is the unit's id, as it reports."""

    name: str
    behaviour: str
    kind: str
    hostile: bool
    t0: float
    t1: float
    target: str | None = None
    onset: float | None = None
    impact: float | None = None


class Made(NamedTuple):
    """An encounter, whatever it was made from."""

    scenario: Scenario
    scene: Scene
    truth: Truth


class Stage(NamedTuple):
    """All that a run needs. ``actor_of``: the body in the truth of each unit."""

    scene: Scene
    told: Told
    truth: Truth
    sky: Sky
    attackers: frozenset[str]
    actor_of: Mapping[str, str]
    silent: bool = False
    """The attackers emit nothing: no link, no Remote ID."""

    @property
    def units(self) -> int:
        """How many are protected."""
        return len(self.actor_of)


def staged(item: Item, made: Made, said: Said, ground: Ground | None = None) -> tuple[Stage, list[Detection]]:
    """The stage of an encounter, and what its sensors say, troubles included. ``ground``: what the station
    knows of the ground, of these sensors."""
    profiles, heard, reports = nameless(item.ablation, troubled(item, said))
    scenario, scene, truth = made
    sky, attackers = cast(scene, truth, own=(actor.id for actor in scenario.actors if actor.own))
    told = Told(scenario.head.site, profiles, heard, reports, ground, model_without(item.ablation))
    units = {actor.cot.uid: actor.id for actor in scenario.actors if actor.cot is not None}
    silent = all(_emits_nothing(actor) for actor in scenario.actors if actor.id in attackers)
    return Stage(scene, told, truth, sky, attackers, units, silent), heard


def _emits_nothing(actor: Actor) -> bool:
    return actor.signature in SILENT.values() and actor.remote_id is None


def watched_by(scenario: Scenario, name: str) -> Scenario:
    """The scenario with the sensors of a mix round its site."""
    return replace(scenario, sensors=mix(name, (0.0, 0.0)))


def said_in(scenario: Scenario) -> Said:
    """What the sensors and the units of a scenario say, from `START` on."""
    heard: list[Detection] = []
    reports: list[UnitReport] = []
    for one in inputs(scenario, START):
        if isinstance(one, UnitReport):
            reports.append(one)
        else:
            heard.append(one)
    return sensor_profiles(scenario), heard, reports


def said_by_feed(found: Encounter) -> Said:
    """What the tracker-feed says of an encounter of the simulator, and its units."""
    profile, rows = encounters.feed.profile(), encounters.feed.reports(found, START)
    return (profile,), list(rows), list(unit_reports(found.scenario, START))


def scene_of(label: Label) -> Scene:
    """The scene of an encounter that begins at `START`."""
    at = label.at(START)
    return Scene(
        name=at.scene,
        behaviour=at.behaviour,
        kind=at.kind,
        hostile=at.hostile,
        t0=at.t0,
        t1=at.t1,
        target=None if at.target is UNSET else at.target,
        onset=None if at.onset_time is UNSET else at.onset_time,
        impact=None if at.impact_time is UNSET else at.impact_time,
    )


def cast(scene: Scene, truth: Truth, own: Iterable[str]) -> tuple[Sky, frozenset[str]]:
    """Every airborne body with what an alert about it counts as, and the ids of the attackers. In an attack
    every drone that is not one's own is an attacker, decoys included: who hides from a decoy lives."""
    ours = frozenset(own)
    bodies = [
        Body(name, kind, cause_of(kind, own=name in ours, hostile=scene.hostile))
        for name, kind in sorted(truth.kinds.items())
        if kind not in GROUND_KINDS
    ]
    return Sky(truth, bodies), frozenset(body.id for body in bodies if body.cause == "attacker")
