"""All nodes that one SAPIENT listener knows, and who may speak for which.

Rule for an identifier that is registered on one connection and claimed on another:

- Over TLS a node's id belongs to the certificate that registered it first, for as long as the station
  runs. Another certificate is refused; the same one takes its node over at once.
- In the clear nothing tells a node that lost its power from an impostor but its silence. The newcomer is
  held: if the old connection says one more intact message, the newcomer is refused; if the old one's
  heartbeat is overdue (1.2 intervals since its last word), or it ends, the newcomer is let in and the
  old one dropped. So a node that rebooted is back within its heartbeat, and nobody takes the place of
  one that lives. An attacker who can also silence the real node can take its place: use TLS.
"""

from collections.abc import Callable

from vedette.sense.sapient_nodes import Node
from vedette.station.peers._sapient_node import NodeFeed
from vedette.station.ports import Hub

MOST_NODES = 64
MOST_OWNERS = 1000
OVERDUE = 1.2
"""Heartbeat intervals after which a connection that says nothing may be taken for dead."""


class Roster:
    """The nodes by their ids. ``expected``: the only ones that may register; empty = any. ``now``: loop
    time."""

    def __init__(
        self, hub: Hub, name: str, expected: frozenset[str], most: int, now: Callable[[], float]
    ) -> None:
        self._hub, self._name, self._expected, self._most, self._now = hub, name, expected, most, now
        self._nodes: dict[str, NodeFeed] = {}
        self._owners: dict[str, str] = {}

    @property
    def nodes(self) -> list[NodeFeed]:
        """All that have registered, away or not."""
        return list(self._nodes.values())

    def expects(self, node: str) -> bool:
        """True if a node of this id may register here."""
        return not self._expected or node in self._expected

    def find(self, node: str) -> NodeFeed | None:
        """A node that has registered before."""
        return self._nodes.get(node)

    def admit(self, node: Node) -> NodeFeed | None:
        """A place for a new node; None if all are taken by nodes that are connected."""
        if len(self._nodes) >= self._most and not self._make_room():
            return None
        feed = f"{self._name}/{self._label(node)}"
        found = NodeFeed(self._hub, feed, f"{self._name}:{node.id}", node, self._now())
        self._nodes[node.id] = found
        return found

    def belongs(self, node: str, subject: str | None) -> bool:
        """True if a connection with this certificate (None: in the clear) may register the node. If not,
        the desk is told at the node."""
        owner = self._owners.get(node)
        if owner is None or owner == subject:
            return True
        known = self._nodes.get(node)
        if known is not None:
            known.contested("another certificate claims to be this node", self._now())
        return False

    def bind(self, node: str, subject: str | None) -> None:
        """From now on the node is this certificate's."""
        if subject is not None and len(self._owners) < MOST_OWNERS:
            self._owners.setdefault(node, subject)

    def overdue(self, node: NodeFeed) -> bool:
        """True if a node's connection may be taken for dead."""
        return self._now() - node.heard_at > OVERDUE * node.node.interval_s

    def _label(self, node: Node) -> str:
        """Its name if no other node has it: two feeds of one name would be one."""
        taken = {known.feed for known in self._nodes.values()}
        labels = (node.name, f"{node.name} {node.id[:8]}".strip(), node.id)
        return next(label for label in labels if label and f"{self._name}/{label}" not in taken)

    def _make_room(self) -> bool:
        away = [name for name, node in self._nodes.items() if node.connection is None]
        if not away:
            return False
        del self._nodes[min(away, key=lambda name: self._nodes[name].heard_at)]
        return True
