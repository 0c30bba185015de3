"""How many polar sweeps of terrain a second: `vedette bench sweep`. Two threads, as a planner uses them."""

import time
from concurrent.futures import ThreadPoolExecutor

from vedette.terrain import Fan, sweep_work, warm

FANS = {
    "360x60": Fan(azimuths=360, step_m=60.0),
    "720x30": Fan(azimuths=720, step_m=30.0),
    "720x15": Fan(azimuths=720, step_m=15.0),
}
"""By azimuths and metres a step; all reach 10 km."""


def bench_sweep(sweeps: int = 300, threads: int = 2) -> dict[str, object]:
    """Sweeps to 10 km over made terrain, each from another place. Returns for each fan ``per_s`` (by the
    wall clock, with ``threads``) and ``per_cpu_s``."""
    warm()
    figures: dict[str, object] = {"sweeps": sweeps, "threads": threads}
    for name, fan in FANS.items():
        work = sweep_work(fan)
        wall, cpu = time.perf_counter(), time.process_time()
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, range(sweeps)))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        figures[name] = {"per_s": round(sweeps / wall, 1), "per_cpu_s": round(sweeps / cpu, 1)}
    return figures
