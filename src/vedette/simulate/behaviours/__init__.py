"""What bodies do: one plan for each behaviour as a scenario states it, one pilot to fly it."""

from collections.abc import Callable

from vedette.simulate.behaviours.attack import DirectRunPilot, DropRunPilot, PopUpPilot
from vedette.simulate.behaviours.birds import CommutePilot, SoarPilot
from vedette.simulate.behaviours.flock import Flock, FlockingPilot
from vedette.simulate.behaviours.masked import MaskedApproachPilot
from vedette.simulate.behaviours.moment import Happening as Happening
from vedette.simulate.behaviours.moment import Kinematics as Kinematics
from vedette.simulate.behaviours.moment import Moment as Moment
from vedette.simulate.behaviours.moment import Pilot as Pilot
from vedette.simulate.behaviours.passing import HobbyPilot, RacetrackPilot, TransitPilot
from vedette.simulate.behaviours.plans import (
    Behaviour,
    Circle,
    Commute,
    Decoy,
    DirectRun,
    DropRun,
    Flocking,
    Follow,
    FollowAttack,
    Hobby,
    HoverWatch,
    LoiterDive,
    MaskedApproach,
    Orbit,
    PopUp,
    Probe,
    Racetrack,
    Soar,
    Transit,
)
from vedette.simulate.behaviours.probe import DecoyPilot, ProbePilot
from vedette.simulate.behaviours.watch import CirclePilot, FollowAttackPilot, LoiterDivePilot, WatcherPilot
from vedette.simulate.plane import Pair
from vedette.simulate.streams import stream
from vedette.simulate.terms import Place


class Crew:
    """Makes the pilots of one world; the birds of one flock share what a flock shares."""

    def __init__(self, seed: int, plane_m: Callable[[Place], Pair]) -> None:
        self._seed = seed
        self._plane_m = plane_m
        self._flocks: dict[str, Flock] = {}

    def pilot(self, name: str, plan: Behaviour) -> Pilot:
        """The pilot of one actor."""
        chance = stream(self._seed, "pilot", name)
        start, plane_m = self._plane_m(plan), self._plane_m
        match plan:
            case DirectRun():
                return DirectRunPilot(name, plan, chance)
            case PopUp():
                return PopUpPilot(name, plan, chance)
            case MaskedApproach():
                return MaskedApproachPilot(name, plan, chance)
            case LoiterDive():
                return LoiterDivePilot(name, plan, plane_m(plan.over), chance)
            case FollowAttack():
                return FollowAttackPilot(name, plan, chance)
            case Probe():
                return ProbePilot(name, plan, chance)
            case Decoy():
                return DecoyPilot(name, plan, chance)
            case DropRun():
                return DropRunPilot(name, plan, chance)
            case Orbit() | HoverWatch() | Follow():
                return WatcherPilot(name, plan, chance)
            case Circle():
                return CirclePilot(plan, plane_m(plan.over))
            case Hobby():
                return HobbyPilot(plan, start, chance)
            case Transit():
                return TransitPilot(plan, start, plane_m(plan.to), chance)
            case Racetrack():
                return RacetrackPilot(plan, start, plane_m(plan.to))
            case Commute():
                return CommutePilot(plan, chance)
            case Soar():
                return SoarPilot(plan, chance)
            case Flocking():
                return FlockingPilot(name, plan, self._flock(plan), self._seed)

    def _flock(self, plan: Flocking) -> Flock:
        if plan.flock not in self._flocks:
            self._flocks[plan.flock] = Flock(plan.flock, plan, self._seed)
        return self._flocks[plan.flock]
