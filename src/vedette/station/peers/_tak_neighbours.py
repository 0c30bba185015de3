"""Which TAK protocol version the participants of a mesh can all read (``protocol.txt``, "Mesh Network"
Protocol Negotiation, rules 3 and 4)."""

from collections import OrderedDict

from msgspec import Struct

from vedette.wire.tak import Control, common_version

CONTROL_COUNTS_S = 120.0
"""How long a participant's own word on its versions counts (rule 3c)."""
FORGOTTEN_S = 120.0
MOST = 2000
"""Participants kept in mind; beyond, the one not heard for longest is forgotten."""


class _Neighbour(Struct):
    version: int
    heard: float
    stated: tuple[int, int] | None = None
    stated_at: float = float("-inf")

    def versions(self, at: float) -> tuple[int, int]:
        if self.stated is not None and at - self.stated_at <= CONTROL_COUNTS_S:
            return self.stated
        return self.version, self.version


class Neighbours:
    """The participants heard lately. Times in seconds on any one clock that does not go back."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, _Neighbour] = OrderedDict()

    def note(self, uid: str, version: int, control: Control | None, at: float) -> None:
        """A participant was heard in ``version``, with or without a word on what it can read."""
        known = self._known.setdefault(uid, _Neighbour(version, at))
        known.version, known.heard = version, at
        if control is not None:
            known.stated, known.stated_at = (control.min_version, control.max_version), at
        self._known.move_to_end(uid)
        if len(self._known) > MOST:
            self._known.popitem(last=False)

    def version(self, at: float) -> int:
        """What to send in: the highest version that all of them can read; 0 is XML."""
        while self._known and at - next(iter(self._known.values())).heard > FORGOTTEN_S:
            self._known.popitem(last=False)
        return common_version(known.versions(at) for known in self._known.values())
