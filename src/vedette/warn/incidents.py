"""Incidents: the alerts of units that the same drones endanger are one thing to a desk."""

from collections.abc import Iterable

from vedette.warn.held import Held


def incident_of(held: Held) -> str:
    """The incident that begins with this alert; its id comes from the alert's."""
    return f"I{held.alert.alert[1:]}"


def grouped(alerts: Iterable[Held]) -> list[tuple[Held, str]]:
    """Open alerts whose incident is another one from now on, and which.

    Alerts that share a drone share an incident, directly or by way of others; where two meet, the older one
    is kept. Who was in an incident stays in it. Exercises and what is actual never meet.
    """
    held = sorted(alerts, key=lambda one: (one.raised, one.alert.alert))
    parent = list(range(len(held)))
    first: dict[tuple[str, str], int] = {}
    for number, one in enumerate(held):
        shared = [("track", member.track) for member in one.members]
        known = [("incident", one.alert.incident)] if one.alert.incident is not None else []
        for what in (*known, *shared):
            key = (one.alert.status, f"{what[0]}:{what[1]}")
            _join(parent, number, first.setdefault(key, number))
    oldest: dict[int, str] = {}
    found = []
    for number, one in enumerate(held):
        root = _root(parent, number)
        name = oldest.setdefault(root, one.alert.incident or incident_of(one))
        if name != one.alert.incident:
            found.append((one, name))
    return found


def _root(parent: list[int], number: int) -> int:
    while parent[number] != number:
        parent[number] = parent[parent[number]]
        number = parent[number]
    return number


def _join(parent: list[int], one: int, other: int) -> None:
    a, b = sorted((_root(parent, one), _root(parent, other)))
    parent[b] = a
