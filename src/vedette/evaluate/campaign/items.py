"""What one run of the campaign is: an encounter by name and number, who looks at it, and what goes wrong.

Everything random in a run follows from the collection and the index alone, so that its result depends on
no worker, no order and no clock. No struct here leaves out what equals a default: that is found out by
identity, which a value that came from another process has lost, and the same item would get another name.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

Trouble = Literal[
    "none",
    "sensor-lost",
    "rf-denied",
    "messages-lost",
    "clock-off",
    "detection-overstated",
    "speed-misread",
    "class-misread",
]
"""What goes wrong in a run; `troubles` says what each does."""

Ablation = Literal["none", "intent", "reach", "class", "identity"]
"""The part of the assessment that is taken out, so that each shows its worth."""


class Item(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run. ``mix`` names a set of sensors; ``ablation`` takes a part out of the assessment."""

    collection: Annotated[str, Meta(min_length=1)]
    index: Annotated[int, Meta(ge=0)]
    mix: str = "full"
    trouble: Trouble = "none"
    ablation: Ablation = "none"
    source: str = ""
    """Digest of outside data that the encounter is made from; empty if it is made from its number alone."""

    @property
    def digest(self) -> str:
        """The item's name among results: 16 hex digits of its content."""
        return hashlib.blake2b(msgspec.json.encode(self), digest_size=8).hexdigest()

    @property
    def words(self) -> str:
        """The item as a person reads it."""
        parts = [f"{self.collection} {self.index}", self.mix]
        parts += [self.trouble] if self.trouble != "none" else []
        parts += [f"without {self.ablation}"] if self.ablation != "none" else []
        return ", ".join(parts)


def items_of(
    collection: str,
    indices: Iterable[int],
    mixes: Iterable[str],
    troubles: Iterable[Trouble] = ("none",),
    ablations: Iterable[Ablation] = ("none",),
    source: str = "",
) -> tuple[Item, ...]:
    """Every encounter under every mix; every trouble and every ablation by itself, under the first mix."""
    numbers, sets = tuple(indices), tuple(dict.fromkeys(mixes))
    first = Item(collection=collection, index=0, mix=sets[0] if sets else "full", source=source)
    plain = [replace(first, index=n, mix=mix) for mix in sets for n in numbers]
    hurt = [
        replace(first, index=n, trouble=trouble)
        for trouble in dict.fromkeys(troubles)
        if trouble != "none"
        for n in numbers
    ]
    cut = [
        replace(first, index=n, ablation=ablation)
        for ablation in dict.fromkeys(ablations)
        if ablation != "none"
        for n in numbers
    ]
    return (*plain, *hurt, *cut)
