"""Compile the numeric kernels before the first drone, not while it is coming."""

from collections.abc import Callable

from vedette.cli import output


def warm_kernels() -> None:
    """Compile or load every kernel, with a progress bar: up to a minute the first time, then a second."""
    steps = _steps()
    with output.progress() as bar:
        task = bar.add_task("preparing the number kernels", total=len(steps))
        for name, step in steps:
            bar.update(task, description=f"preparing the number kernels: {name}")
            step()
            bar.advance(task)


def _steps() -> list[tuple[str, Callable[[], object]]]:
    from vedette import assess, fuse, terrain
    from vedette.sense import adsb, remote_id

    return [
        ("Remote ID", remote_id.warm),
        ("ADS-B", adsb.warm),
        ("terrain", terrain.warm),
        ("tracking", fuse.warm),
        ("assessment", assess.warm),
    ]
