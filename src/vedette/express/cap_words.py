"""Vedette's own words in CAP messages, for readers who may not know where the people at risk are.

The words of an alert itself say direction and distance from the reader, and with the drone's place, which
others may know, they would give the reader's. These say what threatens, and nothing of where. Words are
uncertain where the facts are, and nothing here says that an area is safe.
"""

import re

from msgspec import Struct

from vedette.model.threat import Level


class Words(Struct, frozen=True, kw_only=True):
    """One language. ``event`` and ``advice`` by level, ``possible`` in place of ``event`` for what is no more
    than that; ``ends`` by the beginning of the reason."""

    event: dict[Level, str]
    possible: dict[Level, str]
    advice: dict[Level, str]
    audience: str
    returned: str
    ended: str
    exercise: str
    test: str
    away: str
    unseen: str
    unheard: str
    by_the_site: str


ENGLISH = Words(
    event={
        "imminent": "Drone attack likely",
        "warning": "Drone threatens people",
        "advisory": "Drone near people",
        "info": "Drone reported",
    },
    possible={
        "imminent": "Drone attack possible",
        "warning": "Possible drone threatens people",
        "advisory": "Possible drone near people",
        "info": "Possible drone reported",
    },
    advice={
        "imminent": "Take hard cover now. Split up.",
        "warning": "Move to cover. Stay apart.",
        "advisory": "Use cover. Do not bunch.",
        "info": "Stay alert.",
    },
    audience="People at the site and those who answer for them",
    returned="The danger is not seen any more. Stay alert.",
    ended="This warning has ended. Stay alert.",
    exercise="EXERCISE, not real",
    test="TEST, not real",
    away="drone moved away",
    unseen="drone not seen since {clock} UTC",
    unheard="direction not heard since {clock} UTC",
    by_the_site="ended by the site",
)

SPANISH = Words(
    event={
        "imminent": "Probable ataque de dron",
        "warning": "Un dron amenaza a personas",
        "advisory": "Dron cerca de personas",
        "info": "Dron notificado",
    },
    possible={
        "imminent": "Posible ataque de dron",
        "warning": "Un posible dron amenaza a personas",
        "advisory": "Posible dron cerca de personas",
        "info": "Posible dron notificado",
    },
    advice={
        "imminent": "Cúbranse ya. Sepárense.",
        "warning": "Busquen cubierta. Sepárense.",
        "advisory": "Usen cubierta. No se agrupen.",
        "info": "Sigan alerta.",
    },
    audience="Personas en el lugar y sus responsables",
    returned="El peligro ya no se ve. Sigan alerta.",
    ended="Este aviso ha terminado. Sigan alerta.",
    exercise="SIMULACRO, no es real",
    test="PRUEBA, no es real",
    away="el dron se alejó",
    unseen="dron no visto desde {clock} UTC",
    unheard="dirección no oída desde {clock} UTC",
    by_the_site="terminado por el puesto",
)

_BY_LANGUAGE = {"en": ENGLISH, "es": SPANISH}
_UNSEEN = re.compile(r"drone not seen since (\d\d:\d\d:\d\d) UTC")
_UNHEARD = re.compile(r"direction not heard since (\d\d:\d\d:\d\d) UTC")
_AWAY = "drone moved away"


def words_of(language: str) -> Words:
    """The words for a language tag (``es-MX``); English where there are none."""
    return _BY_LANGUAGE.get(language.partition("-")[0].lower(), ENGLISH)


def why(reason: str | None, words: Words) -> str:
    """Why an alert ended, without direction, distance or the name of a person.

    ``reason``: as the record has it, in English. One that is not known here is not passed on: people may
    have written it.
    """
    text = reason or ""
    if text.startswith(_AWAY):
        return words.away
    for pattern, ending in ((_UNSEEN, words.unseen), (_UNHEARD, words.unheard)):
        if found := pattern.match(text):
            return ending.format(clock=found.group(1))
    return words.by_the_site
