"""The six units of an encounter: posts and people on foot, or three of them on the move."""

from vedette.simulate.encounters.ranges import Draw
from vedette.simulate.plane import Pair, direction, leaning, turned
from vedette.simulate.scenario import Actor, CotReports, Waypoint

UNITS = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot")
MOVERS = 3
WALK_MPS = 1.4
LEG_S = 10.0
LASTS_S = 700.0
MOVING_PERIOD_S, STANDING_PERIOD_S = 2.0, 10.0
SIGMA_M = 5.0


class People:
    """Who is there. ``target`` is the index of the unit that the flier would be about."""

    def __init__(self, draw: Draw, moving: bool) -> None:
        spread = draw.of("post.spread_m")
        self._draw = draw
        self._places = [(spread * draw.normals.next(), spread * draw.normals.next()) for _ in UNITS]
        self.movers = MOVERS if moving else 0
        self.convoy = moving and draw.chance(0.5)
        self.speed_mps = (draw.of("convoy.speed_mps") if self.convoy else WALK_MPS) if moving else 0.0
        self.target = draw.number(MOVERS if moving and draw.chance(0.7) else len(UNITS))
        self._way = self._arc(draw) if moving else ()

    @property
    def target_name(self) -> str:
        """The id of that unit."""
        return UNITS[self.target]

    @property
    def target_speed_mps(self) -> float:
        """How fast that unit moves."""
        return self.speed_mps if self.target < self.movers else 0.0

    def place(self, time_s: float) -> Pair:
        """About where that unit is at a time."""
        return self._at(self.target, time_s)

    def actors(self) -> tuple[Actor, ...]:
        """The six as actors with phones."""
        return tuple(self._actor(index) for index in range(len(UNITS)))

    def _actor(self, index: int) -> Actor:
        name = UNITS[index]
        moves = index < self.movers
        times = [step * LEG_S for step in range(int(LASTS_S / LEG_S) + 1)] if moves else [0.0]
        period = MOVING_PERIOD_S if moves else STANDING_PERIOD_S
        post = not moves and index % 2 == 0
        return Actor(
            id=name,
            kind="vehicle" if moves and self.convoy else "post" if post else "patrol",
            path=tuple(Waypoint(at_s=time, enu_m=self._at(index, time)) for time in times),
            cot=CotReports(uid=name, callsign=name.capitalize(), period_s=period, sigma_m=SIGMA_M),
        )

    def _at(self, index: int, time_s: float) -> Pair:
        if index >= self.movers:
            return self._places[index]
        gone = time_s / LEG_S + len(self._way) * 0.25 - index * self._lag
        step = min(max(int(gone), 0), len(self._way) - 2)
        share = gone - step
        (e0, n0), (e1, n1) = self._way[step], self._way[step + 1]
        return e0 + (e1 - e0) * share, n0 + (n1 - n0) * share

    def _arc(self, draw: Draw) -> tuple[Pair, ...]:
        """A gently bending way that passes the site about a minute and a half into the scene."""
        leg_m = self.speed_mps * LEG_S
        spacing = draw.of("convoy.spacing_m") if self.convoy else 20.0
        self._lag = spacing / leg_m
        course = draw.direction()
        bend = leaning(0.0015 * draw.normals.next() * leg_m / (10.0 if self.convoy else 1.0))
        count = int(LASTS_S / LEG_S / 0.72)
        first = count * 0.25 + 9.0
        place = (-course[0] * leg_m * first, -course[1] * leg_m * first)
        way = [place]
        for _ in range(count):
            place = (place[0] + course[0] * leg_m, place[1] + course[1] * leg_m)
            course = direction(turned(course, bend))
            way.append(place)
        return tuple(way)
