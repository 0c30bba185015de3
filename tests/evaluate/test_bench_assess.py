"""The benchmark of the assessment counts what it says."""

from vedette.evaluate.bench_assess import bench_assess


def test_figures_add_up() -> None:
    figures = bench_assess(tracks=12, units=7, seconds=3)
    assert (figures["tracks"], figures["units"], figures["seconds"]) == (12, 7, 3)
    assert 0.0 < figures["kernel_share"] < 1.0
    assert figures["kernel_pairs_per_cpu_s"] > figures["pairs_per_cpu_s"] > 0
    assert 0.0 <= figures["told_share"] <= 1.0
