"""The features of one pair in plain Python and numpy, worked out from their definitions, one look at a time.

Written from the list of meanings in `vedette.assess.features` and not from the kernels."""

import math
from typing import Any

import numpy as np

from vedette.assess.kernels import intent

NEVER = 600.0


class Mean:
    """A running mean with time constant ``T`` of values that stood for dt."""

    def __init__(self, time_s: float) -> None:
        self.time_s, self.value = time_s, None

    def take(self, x: Any, dt: float) -> Any:
        x = np.asarray(x, float)
        kept = math.exp(-dt / self.time_s)
        self.value = x.copy() if self.value is None else kept * self.value + (1.0 - kept) * x
        return self.value


class Spread:
    """Mean, and mean square about it."""

    def __init__(self, time_s: float) -> None:
        self.time_s, self.mean, self.square = time_s, None, 0.0

    def take(self, x: Any, dt: float) -> float:
        x = np.atleast_1d(np.asarray(x, float))
        if self.mean is None:
            self.mean = x.copy()
            return 0.0
        g = 1.0 - math.exp(-dt / self.time_s)
        off = x - self.mean
        self.mean = self.mean + g * off
        self.square = (1.0 - g) * (self.square + g * float(np.sum(off * off)))
        return math.sqrt(self.square)


class Sum:
    """A sum of log-likelihood ratios with forgetting time ``T``; the first look counts as 0.4 s."""

    def __init__(self, time_s: float) -> None:
        self.time_s, self.value = time_s, None

    def take(self, x: float, dt: float) -> float:
        if self.value is None:
            self.value = 0.4 * x
            return self.value
        kept = math.exp(-dt / self.time_s)
        part = min(dt, 2.0) / dt if dt > 0.0 else 1.0
        self.value = kept * self.value + self.time_s * (1.0 - kept) * part * x
        return self.value


class TrackReference:
    """Features of one track alone. ``step`` takes its place, velocity and covariance [6, 6]."""

    def __init__(self) -> None:
        self.velocity = {t: Mean(t) for t in (3.0, 10.0, 30.0)}
        self.speed = {t: Mean(t) for t in (10.0, 30.0)}
        self.heading, self.place, self.climb, self.age = Mean(5.0), Spread(30.0), Mean(10.0), 0.0

    def step(self, place: Any, velocity: Any, dt: float | None) -> dict[str, float]:
        flat, up = np.array(velocity[:2]), float(velocity[2])
        speed, passed = float(np.hypot(*flat)), dt or 0.0
        self.age += passed
        mean = {t: one.take(flat, passed) for t, one in self.velocity.items()}
        speeds = {t: float(one.take(speed, passed)) for t, one in self.speed.items()}
        climb = float(self.climb.take(up, passed))
        heading = self.heading.take(flat / max(speed, 1e-3), passed)
        before = float(np.hypot(*mean[3.0]))
        angle = math.atan2(flat[0] * mean[3.0][1] - flat[1] * mean[3.0][0], float(np.sum(flat * mean[3.0])))
        slowest = min(speed, before)
        straight = {t: float(np.hypot(*mean[t])) / max(speeds[t], 0.5) for t in (10.0, 30.0)}
        return {
            "speed_mps": speed,
            "climb_mps": up,
            "speed_gain_mps2": (speed - before) / 3.0,
            "speed_over_mean": (speed + 1.0) / (speeds[30.0] + 1.0),
            "speed_jump_30s": speed - speeds[30.0],
            "climb_jump_10s": up - climb,
            "turn_dps": math.degrees(angle) / 3.0 * slowest / (slowest + 1.0),
            "straight_10s": straight[10.0],
            "straight_30s": straight[30.0],
            "straight_change": straight[10.0] - straight[30.0],
            "steady_5s": float(np.hypot(*heading)),
            "gyration_30s": self.place.take(place[:2], passed),
            "age_s": self.age,
        }


def geometry(
    place: Any, velocity: Any, spread: Any, unit: dict[str, Any], wobble: float, outlier: float
) -> Any:
    """What follows from the two states alone. ``spread``: the track's covariance [6, 6]."""
    line = np.array(place[:2]) - unit["place"][:2]
    moves = np.array(velocity[:2]) - unit["velocity"]
    up = place[2] - unit["place"][2]
    distance, slant = math.hypot(*line), math.hypot(*line, up)
    sight = line / distance
    side = np.array([sight[1], -sight[0]])
    closing, speed = -float(sight @ moves), math.sqrt(float(moves @ moves) + 1e-6)
    turning = float(side @ moves)
    tcpa = min(distance * max(closing, 0.0) / speed**2, NEVER)
    where, how = spread[:2, :2], spread[3:5, 3:5]
    across, along = side @ where @ side + unit["var"], sight @ where @ sight + unit["var"]
    v_across, v_along = side @ how @ side + unit["vel_var"], sight @ how @ sight + unit["vel_var"]
    k = 1.0 / (wobble**2 + v_across / speed**2 + across / distance**2)
    error = math.acos(max(-1.0, min(1.0, closing / speed)))
    p50 = min((slant if abs(up) > 500.0 else distance) / max(closing, 0.1), NEVER)
    relative = min(along / distance**2 + v_along / max(closing**2, 0.01), 1.0)
    aimed = math.sqrt(1.0 + 2.0 * math.pi * k) * math.exp(-k * (1.0 - closing / speed))
    course = np.array([*moves, velocity[2]])
    cosine = -float(course @ np.array([*line, up])) / (math.hypot(speed, velocity[2]) * slant)
    nearest = max(slant - unit["reach"], 0.0)
    return {
        "turning": turning / distance,
        "vel_var": 0.5 * (how[0, 0] + how[1, 1]) + unit["vel_var"],
        "unit_mps": float(np.hypot(*unit["velocity"])),
        "unit_sigma_m": math.sqrt(unit["var"]),
        "range_m": distance,
        "slant_m": slant,
        "height_m": up,
        "nearest_now_m": nearest,
        "closing_mps": closing,
        "closing_share": closing / max(speed, 1.0),
        "rel_speed_mps": speed,
        "miss_m": distance * abs(turning) / speed if closing > 0.0 else distance,
        "miss_sigma_m": math.sqrt(across + tcpa**2 * v_across),
        "tcpa_s": tcpa,
        "drift_dps": math.degrees(abs(turning) / distance),
        "course_error_deg": math.degrees(error),
        "course_sigmas": error * math.sqrt(k),
        "angle_3d_deg": math.degrees(math.acos(max(-1.0, min(1.0, cosine)))),
        "dive_angle": -velocity[2] * distance / (max(closing, 1.0) * max(up, 10.0)),
        "p50_s": p50,
        "p10_s": p50 * math.exp(-1.2816 * math.sqrt(relative + 0.15**2)),
        "aim_now": math.log((1.0 - outlier) * aimed + outlier),
    }


class PairReference:
    """Features of one pair that come from what is remembered."""

    def __init__(self) -> None:
        self.aim = {t: Sum(t) for t in (3.0, 10.0, 30.0)}
        self.closing = {t: Mean(t) for t in (3.0, 10.0, 30.0)}
        self.coming, self.hovering, self.range, self.wound = Mean(30.0), Mean(30.0), Spread(60.0), Sum(60.0)
        self.products = Mean(30.0)
        self.seen: list[float] = []
        self.highest = 10.0
        self.chances: Any = None

    def step(
        self, g: dict[str, float], alone: dict[str, float], velocity: Any, unit: Any, dt: float | None
    ) -> Any:
        passed = dt or 0.0
        closing, distance = g["closing_mps"], g["range_m"]
        aim = {t: one.take(g["aim_now"], passed) for t, one in self.aim.items()}
        mean = {t: float(one.take(closing, passed)) for t, one in self.closing.items()}
        spread = self.range.take(distance, passed)
        wound = 0.0 if self.wound.value is None else self.wound.take(g["turning"] / (2.0 * math.pi), passed)
        if self.wound.value is None:
            self.wound.value = 0.0
        joint, own, other = self.products.take(
            [float(np.dot(velocity[:2], unit["velocity"])), alone["speed_mps"] ** 2, g["unit_mps"] ** 2],
            passed,
        )
        stands = np.clip(1.5 - g["rel_speed_mps"] / 4.0, 0.0, 1.0)
        self.seen.append(distance)
        self.highest = max(self.highest, g["height_m"])
        self._intents(g, alone, dt)
        return {
            "aim_3s": aim[3.0],
            "aim_10s": aim[10.0],
            "aim_30s": aim[30.0],
            "closing_10s": mean[10.0],
            "closing_30s": mean[30.0],
            "closing_gain_mps2": (closing - mean[3.0]) / 3.0,
            "closing_jump_10s": closing - mean[10.0],
            "closing_jump_30s": closing - mean[30.0],
            "coming_30s": float(self.coming.take(np.clip(closing / 4.0, 0.0, 1.0), passed)),
            "hovering_30s": float(self.hovering.take(stands, passed)),
            "range_60s": float(self.range.mean[0]),
            "range_cv_60s": spread / float(self.range.mean[0]),
            "wound_60s": abs(wound),
            "nearest_m": min(self.seen),
            "over_nearest": distance / min(self.seen),
            "over_farthest": distance / max(self.seen),
            "first_m": self.seen[0],
            "height_share": g["height_m"] / self.highest,
            "with_unit": joint / math.sqrt((own + 1.0) * (other + 1.0)),
            "watch": math.log(self.chances[intent.FOLLOW] + self.chances[intent.ORBIT]),
            **{
                name: math.log(self.chances[place])
                for place, name in enumerate(
                    ("log_attack", "log_dive", "log_follow", "log_orbit", "log_drop_run", "log_probing",
                     "log_transit", "log_as_bird", "log_authorised")
                )
            },
        }  # fmt: skip

    def _intents(self, g: dict[str, float], alone: dict[str, float], dt: float | None) -> None:
        """Rabiner 1989, equations 19 and 20, in logarithms."""
        if dt == 0.0:
            return
        if dt is None:
            before, seconds = intent.PRIOR, 0.4
        else:
            generator = intent._RATES.copy()
            np.fill_diagonal(generator, -generator.sum(axis=1))
            values, vectors = np.linalg.eig(generator * dt)
            before = self.chances @ np.real(vectors @ np.diag(np.exp(values)) @ np.linalg.inv(vectors))
            seconds = min(dt, 2.0)
        weight = intent.LOOK_WEIGHT * seconds
        told = weight * (alone["by_motion"] - alone["by_motion"].max())
        v, closing = g["rel_speed_mps"], g["closing_mps"]
        cosine = closing / v
        r = math.log(max(g["range_m"], 20.0))
        near = normal(r, math.log(260.0), 0.6**2) - normal(r, math.log(900.0), 1.1**2)
        stays = max(v, 0.5) / (16.0 + g["vel_var"]) * math.exp(-0.5 * v * v / (16.0 + g["vel_var"]))
        circles = (1.6 * (1.0 - cosine**2) ** 2 + 0.4) * math.exp(normal(v, 11.0, 16.0 + g["vel_var"]))
        for place in (intent.ATTACK, intent.DIVE, intent.DROP_RUN):
            told[place] += weight * g["aim_now"]
        told[intent.FOLLOW] += weight * (near + math.log(stays + 1e-6))
        told[intent.ORBIT] += weight * (near + math.log(0.5 * stays + 0.5 * circles + 1e-6))
        told[intent.PROBING] += math.log(1.0 + weight * (0.8 * cosine**2 - 0.4))
        chances = before * np.exp(told)
        chances = np.maximum(chances, 1e-6 * chances.sum())
        self.chances = chances / chances.sum()


def by_motion(speed: float, climb: float, turn: float, spread: Any) -> Any:
    """Log-likelihood of speed, climb and rate of turn under each intent."""
    variance = 0.5 * (spread[3, 3] + spread[4, 4])
    turns = variance / math.radians(max(speed, 3.0) * 3.0) ** 2
    out = np.zeros(intent.INTENTS)
    for h in range(intent.INTENTS):
        if h not in (intent.FOLLOW, intent.ORBIT):
            out[h] += normal(speed, intent.SPEED[0, h], intent.SPEED[1, h] ** 2 + variance)
        out[h] += normal(climb, intent.CLIMB[0, h], intent.CLIMB[1, h] ** 2 + spread[5, 5])
        out[h] += normal(turn, 0.0, intent.TURN_DPS[h] ** 2 + turns)
    return out


def normal(x: float, mean: float, variance: float) -> float:
    """Logarithm of the normal density."""
    return -0.5 * ((x - mean) ** 2 / variance + math.log(2.0 * math.pi * variance))
