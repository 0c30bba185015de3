"""The sweep benchmark sweeps, and says how fast."""

from vedette.evaluate.bench_sweep import FANS, bench_sweep


def test_every_fan_is_measured() -> None:
    figures = bench_sweep(sweeps=2, threads=1)
    assert figures["sweeps"] == 2
    for name in FANS:
        rates = figures[name]
        assert isinstance(rates, dict)
        assert rates["per_s"] > 0.0
        assert rates["per_cpu_s"] > 0.0
