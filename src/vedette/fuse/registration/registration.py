"""Registration: by how much sensors are turned, and their clocks are off, found while they watch.

A direction finder on a mast that turned by three degrees moves what it points at by 150 m at 3 km, and a
clock that is half a second off moves a fast drone by 20 m. Neither can be seen in that sensor's plots alone,
but in those of all sensors together. Each second the plots of the best known bodies are held against each
other (`kernels.comparison`), which gives all biases at once with their covariance; `kernels.parsimony` says
which sensors are off, if as few as possible are. What is significant is taken off later plots before they
are assigned. What cannot be told apart (which of two sensors that disagree is the turned one) is told and
not corrected.

Only plots of sensors that measure and that the operator configured take part. What is broadcast never does:
a drone must not be able to turn a radar by what it says of itself. Tracks serve to find the plots, not as
evidence, so that a turned sensor is not compared with what it made of the tracks itself.

All of it is in the picture (`Picture.registers`, and the looks of the second that runs, `Picture.noted`), so
that late plots give what plots in order give.
"""

import math
from typing import NamedTuple

import numpy as np
from msgspec import structs

from vedette.fuse.kernels import comparison, sight, swing, tempering
from vedette.fuse.kernels.kalman import F64, Mask
from vedette.fuse.kernels.pmb import I64, Mask2
from vedette.fuse.looks import Rows
from vedette.fuse.picture import Picture
from vedette.fuse.registration.findings import DEG, Figures, figures_of, priors
from vedette.fuse.registration.registers import NOTHING, Noted, Place, Register, Registers, Trial
from vedette.fuse.sensing.sensors import Sensor
from vedette.fuse.settings import FuseSettings

_MOST_SENSORS = 16
_MOST_LOOKS, _MOST_PLOTS, _MOST_LOOKS_OF_ONE = 64, 512, 8
"""Of a second, of a look, and of one sensor's second: what is more is not compared."""
_MOST_BODIES = 8
_WIDEST_M = 80.0
"""A track whose place is less sure than this is not well known."""
_PROFILE_LIFE_S = 20.0
"""What directions say of how their sensor is turned fades in this time by a factor e: masts are turned."""
_LEAST_NATS = 40.0
_SHARE, _SHARE_CORRECTED = 0.5, 0.25
"""A finder is looked for elsewhere if that is likelier by so much (natural logarithm: about ten times that a
body is heard there and not here), and by a share of all that speaks for it: the first share, or the second
where something is taken off it, which may not be right any more. Judgements: in a crowd much speaks for
everything."""
_FOUND_ANEW, _ASTRAY_SIGMA = 3.0 * DEG, 20.0 * DEG
_MOST_IDLE_S = 8.0
"""What nothing has agreed with for so long, while there were bodies to see, is no longer right: so it is told
of a radar, which has no profile, for tracks follow it."""
_LEAST_AGREEING = 0.5
"""Of the bodies that a sensor should see, so many must be where it sees them."""
_HEARD = 0.9
"""What was heard just now sends, as likely as this."""
_MOST_OFF = 0.55
"""Share of all sensors that may be off: of two it may be the one or the other."""
_MINUTE_S = 60.0
_RIVAL_EXISTENCE = 0.3
"""A track that exists with more than this may have made plots that are taken for those of others."""
_AUDIBLE, _JUST_NOW_S = 0.1, 1.5
"""A body is a witness for a finder if another one heard it so lately. What the finder itself heard proves
nothing: one that is turned hears those that it takes for others. Less than the first sends nobody."""
_MOST_PROOF = 2.0
"""Proof is not kept beyond this times what is asked for, so that it ends soon when a mast was put right."""
_AGAINST = 3.0
"""Nor does one second take more of it away than this: one wrong plot is no proof."""
_SMALL, _SURELY_OFF = 0.5, 0.9
"""A sensor agrees with others against a radar, if it is off itself with less than the first probability; a
sensor is corrected if it is off with more than the second."""


class Bent(NamedTuple):
    """What a look is taken as: its plots, and how much later the body was where they saw it. ``void``: its
    directions are worth nothing."""

    rows: Rows
    later_s: float
    void: bool = False


class Registrar:
    """Learns registers from looks, and corrects looks by them. It holds nothing between steps but what can be
    told of each sensor anew."""

    def __init__(self, settings: FuseSettings) -> None:
        self._settings = settings
        self._figures: dict[str, tuple[Sensor, F64]] = {}
        self._priors: dict[int, tuple[F64, F64]] = {}
        self._levels: F64 = np.array([settings.register_existence, _WIDEST_M**2, _AUDIBLE])
        azimuth, clock = DEG * settings.register_azimuth_drift_deg, settings.register_clock_drift_s
        self._drift: F64 = np.array([azimuth**2, clock**2]) / _MINUTE_S

    def straightened(self, picture: Picture, sensor: Sensor, kind: int, time: float, rows: Rows) -> Bent:
        """Note a look for the comparison, and take off it what its sensor is known to be off."""
        if kind == sight.PLACE or not sensor.vouched or sensor.origin is None:
            return Bent(rows, 0.0)
        if picture.count and len(rows.z) <= _MOST_PLOTS and len(picture.noted) < _MOST_LOOKS:
            self._note(picture, sensor, kind, time, rows)
        register = picture.registers.of(sensor.id)
        if register is None or not (register.turned or register.ahead or register.astray):
            return Bent(rows, 0.0)
        return _corrected(register, kind, rows) if register.place == _place(sensor) else Bent(rows, 0.0)

    def _note(self, picture: Picture, sensor: Sensor, kind: int, time: float, rows: Rows) -> None:
        if sum(noted.sensor is sensor for noted in picture.noted) >= _MOST_LOOKS_OF_ONE:
            return
        azimuth, plots = sight.ANGLE[kind], np.empty((len(rows.z), 4))
        plots[:, comparison.AZIMUTH] = rows.z[:, azimuth]
        plots[:, comparison.AZIMUTH_VAR] = rows.var[:, azimuth]
        plots[:, comparison.RANGE], plots[:, comparison.RANGE_VAR] = rows.z[:, 0], rows.var[:, 0]
        held = self._figures.get(sensor.id)
        if held is None or held[0] is not sensor:
            held = self._figures[sensor.id] = sensor, _figures(sensor)
        picture.noted.append(Noted(sensor, kind, time, held[1], plots))

    def second(self, picture: Picture, now: int) -> None:
        """The turn of a second: compare what was noted in it."""
        noted, picture.noted = picture.noted, []
        if not noted:
            return
        sensors = {look.sensor.id: look.sensor for look in noted}
        old = picture.registers
        if len(sensors) == 1 and not any(one.sensor not in sensors for one in old.sensors):
            return
        slots = np.empty(self._settings.register_tracks, np.int64)
        # A place made of bearings alone agrees with them however their sensors are turned.
        known = picture.independent & ~picture.by_ear
        emits = _heard_lately(picture, known, sensors, float(now))
        found = comparison.well_known(
            picture.count, picture.p, picture.existence, picture.confirmed, known, emits, self._levels, slots
        )
        if found:
            registers = self._joined(picture, [sensors[name] for name in sorted(sensors)])
            learnt = self._learnt(picture, registers, noted, slots[:found], emits, float(now))
            if learnt is None:
                picture.tally("registration-restarted")
            picture.registers = NOTHING if learnt is None else learnt

    def _joined(self, picture: Picture, sensors: list[Sensor]) -> Registers:
        """The registers with these sensors in it, new ones and those that were moved as nobody knows them."""
        old, places = picture.registers, {sensor.id: _place(sensor) for sensor in sensors}
        kept = {
            register.sensor: number
            for number, register in enumerate(old.sensors)
            if places.get(register.sensor, register.place) == register.place
        }
        new = [name for name in places if name not in kept]
        if not new:
            return old
        room = _MOST_SENSORS - len(kept)
        if len(new) > room:
            picture.tally("sensor-not-registered", len(new) - room)
        names, leaders = sorted([*kept, *new[:room]]), {one.id: None for one in sensors if one.searching}
        mean, profile = np.zeros(2 * len(names)), np.zeros((len(names), swing.CELLS))
        cov = np.diag(priors(self._settings, len(names))[0])
        come = [(s, kept[name]) for s, name in enumerate(names) if name in kept]
        for s, i in come:
            mean[2 * s : 2 * s + 2], profile[s] = old.mean[2 * i : 2 * i + 2], old.profile[i]
            for o, j in come:
                cov[2 * s : 2 * s + 2, 2 * o : 2 * o + 2] = old.cov[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        registers = [
            old.sensors[kept[name]] if name in kept else Register(name, places[name], leads=name in leaders)
            for name in names
        ]
        return Registers(old.second, tuple(registers), mean, cov, profile)

    def _learnt(
        self, picture: Picture, old: Registers, noted: list[Noted], slots: I64, emits: F64, now: float
    ) -> Registers | None:
        """The registers after this second; None if they cannot be believed."""
        names = {register.sensor: number for number, register in enumerate(old.sensors)}
        looks = [look for look in noted if look.sensor.id in names]
        looks.sort(key=lambda look: (look.kind != sight.POLAR, look.time, look.sensor.id))
        mean, cov, profile = (a.copy() for a in (old.mean, old.cov, old.profile))
        if math.isfinite(old.second):
            passed = now - old.second
            cov.reshape(-1)[:: len(mean) + 1] += np.tile(passed * self._drift, len(names))
            profile *= math.exp(-passed / _PROFILE_LIFE_S)
        before, known, used = mean.copy(), cov.copy(), np.zeros((len(slots), len(names)))
        silent = self._silent(picture, slots, old, now)
        told = [(one.turned, one.ahead) for one in old.sensors]
        second = (
            slots, picture.x, picture.p, picture.time, np.array([names[look.sensor.id] for look in looks]),
            np.array([look.kind for look in looks]), np.array([look.time for look in looks]),
            np.array([look.figures for look in looks]), np.array([len(look.plots) for look in looks]),
            np.concatenate([look.plots for look in looks]),
        )  # fmt: skip
        swing.listen(*second, silent, profile)
        rivals = _rivals(picture)
        sound = comparison.compare(*second, np.array(told), emits, rivals, silent, mean, cov, used)
        score, gain, share = np.empty(len(mean)), np.empty(cov.shape), self._settings.register_share
        if not (sound and tempering.temper(before, known, mean, cov, share, score, gain)):
            return None
        bodies = [picture.dossiers[slot].id for slot in slots.tolist()]
        trials, agreed = self._tried(old, score, gain), used.T.tolist()
        looked = {names[look.sensor.id]: None for look in looks if len(look.plots)}
        sensors = []
        for s, one in enumerate(old.sensors):
            agrees = not one.leads or sum(agreed[s]) >= _LEAST_AGREEING * len(slots)
            idle = _idle(one, agrees or s not in looked, now - old.second)
            one = _after(one, agreed[s], bodies, trials[s], idle)
            sensors.append(one)
            share = _SHARE_CORRECTED if one.turned or one.astray else _SHARE
            sigma = math.sqrt(cov[2 * s, 2 * s])
            peak = swing.elsewhere(profile[s], mean[2 * s], sigma, _LEAST_NATS, share)
            if not math.isfinite(peak) and one.idle >= _MOST_IDLE_S:
                peak = 0.0  # It may have been put right.
            if math.isfinite(peak):
                sensors[s] = self._found_anew(one, s, peak, mean, cov)
        found = self._applied(Registers(now, tuple(sensors), mean, cov, profile))
        return None if found is None else self._disproved(sensors, found)

    def _disproved(self, before: list[Register], found: Registers) -> Registers:
        """What a correction was made of is forgotten once it is disproved: who turned the mast did not do it
        slowly."""
        sensors, mean, cov = list(found.sensors), found.mean, found.cov
        for s, (old, new) in enumerate(zip(before, found.sensors, strict=True)):
            over = old.turned and not (new.turned or new.astray)
            if over and new.azimuth.proof < 0.5 * self._asked(new):
                peak = swing.elsewhere(found.profile[s], mean[2 * s], 0.0, 0.0, 0.0)
                sensors[s] = self._found_anew(new, s, peak if math.isfinite(peak) else mean[2 * s], mean, cov)
        return found._replace(sensors=tuple(sensors))

    def _silent(self, picture: Picture, slots: I64, old: Registers, now: float) -> Mask2:
        """Which bodies (t, s) are no witnesses for which sensor. If there is but one finder and it hears
        nobody, nobody is silent: else it would never be found that it listens elsewhere."""
        silent = np.zeros((len(slots), len(old.sensors)), np.bool_)
        finders = {one.sensor: s for s, one in enumerate(old.sensors) if not one.leads}
        emits = picture.emits[slots]
        if len(finders) == 1:
            if (emits >= _AUDIBLE).any():
                silent[:, list(finders.values())] = (emits < self._settings.register_emits)[:, None]
            return silent
        for turn, slot in enumerate(slots.tolist()):
            heard = [
                finders[name]
                for name, at in picture.sightings[slot].sensors
                if name in finders and now - at <= _JUST_NOW_S
            ]
            for s in finders.values():
                silent[turn, s] = not any(s != o for o in heard)
        return silent

    def _tried(self, old: Registers, score: F64, gain: F64) -> list[tuple[Trial, Trial]]:
        """Azimuth and clock of each sensor after what they were believed to be off was held against a second
        that came later."""
        believed = [trial.believed for one in old.sensors for trial in (one.azimuth, one.clock)]
        ratio = np.empty(len(believed))
        tempering.evidence(score, gain, np.array(believed), ratio)
        found, by = [], ratio.tolist()
        for s, one in enumerate(old.sensors):
            most = _MOST_PROOF * self._asked(one)
            found.append(
                (_with_proof(one.azimuth, by[2 * s], most), _with_proof(one.clock, by[2 * s + 1], most))
            )
        return found

    def _asked(self, register: Register) -> float:
        return self._settings.register_leader_proof if register.leads else self._settings.register_proof

    def _found_anew(self, register: Register, s: int, peak: float, mean: F64, cov: F64) -> Register:
        """Look for it where its directions crowd, which is far from where it was thought to point."""
        cov[2 * s : 2 * s + 2, :] = cov[:, 2 * s : 2 * s + 2] = 0.0
        mean[2 * s], mean[2 * s + 1] = peak, 0.0
        cov[2 * s, 2 * s], cov[2 * s + 1, 2 * s + 1] = (
            _FOUND_ANEW**2,
            self._settings.register_clock_sigma_s**2,
        )
        return Register(register.sensor, register.place, leads=register.leads)

    def _applied(self, registers: Registers) -> Registers | None:
        """Which of it is taken off from now on; None if most sensors are said to be off: then some plots were
        taken for those of other bodies."""
        number = len(registers.sensors)
        before = self._priors.get(number)
        if before is None:
            before = self._priors[number] = priors(self._settings, number)
        found = figures_of(registers.mean, registers.cov, before)
        compared = max(one.compared for one in registers.sensors)
        off = sum(max(found.off[2 * s], found.off[2 * s + 1]) for s in range(number))
        if off > _MOST_OFF * number and compared >= self._settings.register_least_compared:
            return None
        judged = [self._judged(one, s, found, registers) for s, one in enumerate(registers.sensors)]
        return registers._replace(sensors=tuple(judged))

    def _judged(self, register: Register, s: int, found: Figures, registers: Registers) -> Register:
        settings = self._settings
        azimuth, clock = found.value[2 * s : 2 * s + 2]
        trials = [
            self._significant(trial, value, sigma, off, least, applied, registers.second)
            for trial, value, sigma, off, least, applied in zip(
                (register.azimuth, register.clock), (azimuth, clock), found.sigma[2 * s : 2 * s + 2],
                found.off[2 * s : 2 * s + 2],
                (DEG * settings.register_least_azimuth_deg, settings.register_least_clock_s),
                (register.turned != 0.0 or register.astray, register.ahead != 0.0), strict=True,
            )
        ]  # fmt: skip
        applied = register.turned != 0.0 or register.astray, register.ahead != 0.0
        enough = self._witnessed(register, s, found, registers) and (
            applied[0] or applied[1] or _first(s, found, registers)
        )
        turned, ahead = (
            enough and self._proved(trial, self._asked(register), was, registers.second)
            for trial, was in zip(trials, applied, strict=True)
        )
        astray = turned and abs(azimuth) > DEG * settings.register_most_azimuth_deg
        timely = abs(clock) <= settings.register_most_clock_s and not astray
        return structs.replace(
            register,
            azimuth=trials[0],
            clock=trials[1],
            turned=azimuth if turned and not astray else 0.0,
            ahead=clock if ahead and timely else 0.0,
            astray=astray,
        )

    def _witnessed(self, register: Register, s: int, found: Figures, registers: Registers) -> bool:
        """Whether there is enough to judge a sensor by: plots, bodies and, of a radar, other sensors that
        agree."""
        settings = self._settings
        if register.compared < settings.register_least_compared:
            return False
        if not register.leads:
            return len(register.bodies) >= settings.register_least_bodies
        agree = sum(
            o != s
            and one.compared >= settings.register_least_compared
            and max(found.off[2 * o : 2 * o + 2]) < _SMALL
            for o, one in enumerate(registers.sensors)
        )
        least = max(settings.register_leader_bodies, settings.register_least_bodies)
        return agree >= 2 and len(register.bodies) >= least

    def _significant(
        self, trial: Trial, value: float, sigma: float, off: float, least: float, applied: bool, now: float
    ) -> Trial:
        """Significant in both senses, and surely more than in a sensor that is set up well; half of it
        suffices for what is corrected already. What changes its sign has proved nothing."""
        ease = 0.5 if applied else 1.0
        large = off > (_SMALL if applied else _SURELY_OFF)
        if large and abs(value) > ease * self._settings.register_sigmas * sigma and abs(value) > ease * least:
            if trial.believed * value > 0.0:
                return Trial(value, min(trial.since, now), trial.proof)
            return Trial(value, now)
        return Trial(value, math.inf, trial.proof if trial.believed * value > 0.0 else 0.0)

    def _proved(self, trial: Trial, asked: float, applied: bool, now: float) -> bool:
        if applied:
            return math.isfinite(trial.since) and trial.proof >= 0.5 * asked
        return now - trial.since >= self._settings.register_lasting_s and trial.proof >= asked


def _corrected(register: Register, kind: int, rows: Rows) -> Bent:
    azimuth = sight.ANGLE[kind]
    if register.astray:
        # A range that is right warns even where the azimuth is not; a direction alone misleads.
        var = rows.var.copy()
        var[:, azimuth] += _ASTRAY_SIGMA**2
        return Bent(rows._replace(var=var), 0.0, void=kind == sight.BEARING)
    if register.turned:
        z = rows.z.copy()
        off = z[:, azimuth] - register.turned
        z[:, azimuth] = off - sight.TWO_PI * np.floor((off + math.pi) / sight.TWO_PI)
        rows = rows._replace(z=z)
    return Bent(rows, -register.ahead)


def _first(s: int, found: Figures, registers: Registers) -> bool:
    """False while a sensor that is farther off, in its own sigmas, is not corrected: what one turned sensor
    does to the comparison may look as if others were turned too."""
    sigmas = [
        abs(value) / sigma if sigma else 0.0 for value, sigma in zip(found.value, found.sigma, strict=True)
    ]
    mine = max(sigmas[2 * s : 2 * s + 2])
    return not any(
        o != s
        and not (one.turned or one.ahead or one.astray)
        and max(found.off[2 * o : 2 * o + 2]) > _SMALL
        and max(sigmas[2 * o : 2 * o + 2]) > mine
        for o, one in enumerate(registers.sensors)
    )


def _rivals(picture: Picture) -> I64:
    """Slots of the tracks that may have made plots."""
    n = picture.count
    return (picture.confirmed[:n] & (picture.existence[:n] > _RIVAL_EXISTENCE)).nonzero()[0]


def _after(
    register: Register, used: list[float], bodies: list[str], trials: tuple[Trial, Trial], idle: float
) -> Register:
    """The register after its plots of these bodies were compared; ``used``: how many of each."""
    known = register.bodies
    if len(known) < _MOST_BODIES:
        seen = [body for body, weight in zip(bodies, used, strict=True) if weight > 0.5]
        known = tuple(dict.fromkeys((*known, *seen)))[:_MOST_BODIES]
    return structs.replace(
        register,
        compared=register.compared + sum(used),
        bodies=known,
        azimuth=trials[0],
        clock=trials[1],
        idle=idle,
    )


def _with_proof(trial: Trial, by: float, most: float) -> Trial:
    """The same figure with its proof changed."""
    return Trial(trial.believed, trial.since, min(max(trial.proof + max(by, -_AGAINST), 0.0), most))


def _heard_lately(picture: Picture, known: Mask, sensors: dict[str, Sensor], now: float) -> F64:
    """`Picture.emits`, and certainty of what a finder heard just now: one that is turned hears none of what
    others hear, and would make it seem silent."""
    finders, emits = {name for name, sensor in sensors.items() if not sensor.searching}, picture.emits.copy()
    n = picture.count
    for slot in np.flatnonzero(known[:n] & picture.confirmed[:n] & (emits[:n] < _HEARD)).tolist():
        used = picture.sightings[slot].sensors
        if any(name in finders and now - at <= _JUST_NOW_S for name, at in used):
            emits[slot] = _HEARD
    return emits


def _idle(register: Register, agrees: bool, passed: float) -> float:
    """`Register.idle` of a sensor ``passed`` seconds later, in which its plots were, or were not, where what
    is taken off them would have them be."""
    corrected = register.turned != 0.0 or register.ahead != 0.0 or register.astray
    return register.idle + passed if corrected and not agrees else 0.0


def _figures(sensor: Sensor) -> F64:
    sees = min(sensor.detection_probability or comparison.USUAL, comparison.MOST)
    assert sensor.origin is not None
    assert sensor.rotation is not None
    return np.array([sees, *sensor.origin.tolist(), *sensor.rotation.ravel().tolist()])


def _place(sensor: Sensor) -> Place:
    assert sensor.origin is not None
    e, n, u = sensor.origin.tolist()
    return e, n, u
