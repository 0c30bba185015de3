"""What a sensor says of a body's class, as one likelihood per class."""

from vedette.model.detection import ObjectClass

CLASSES: tuple[ObjectClass, ...] = ("multirotor", "fpv", "fixed-wing", "bird", "aircraft", "unknown")

_LEAST_BELIEF = 0.01


def word_of(beliefs: dict[ObjectClass, float] | None) -> tuple[float, ...] | None:
    """A sensor's beliefs as one likelihood per class; what it left out is spread evenly. None if it said
    nothing usable: no class is ever made impossible."""
    if not beliefs:
        return None
    stated = [beliefs.get(name) for name in CLASSES]
    if any(value is not None and not 0.0 <= value <= 1.0 for value in stated):
        return None
    missing = sum(value is None for value in stated)
    rest = max(1.0 - sum(value for value in stated if value is not None), 0.0)
    share = rest / missing if missing else 0.0
    return tuple(max(share if value is None else value, _LEAST_BELIEF) for value in stated)
