"""What the fliers of an encounter carry: Remote ID, or nothing that could be heard."""

from msgspec.structs import replace

from vedette.simulate.scenario import Actor, RemoteId, Transport
from vedette.simulate.sensing.mixes import SILENT
from vedette.simulate.streams import stream

TRANSMITS: dict[str, float] = {
    "hobby-camera": 0.75,
    "hobby-freestyle": 0.2,
    "orbit": 0.75,
    "transit": 0.4,
    "watch-orbit": 0.5,
    "watch-hover": 0.5,
    "watch-follow": 0.5,
    "follow-attack": 0.15,
    "loiter-dive": 0.1,
    "drop-run": 0.1,
}
"""Share of the drones of each kind of encounter that send Remote ID; of others, none (judgement: owners of
camera drones mostly comply, attackers hardly ever, and then with what they bought)."""
SILENT_ATTACKERS, DARK_AIRCRAFT = 0.5, 0.2
"""Share of attackers that emit nothing, on a fibre or autonomous, and of aircraft and helicopters without a
transponder switched on (judgement)."""
TRANSPORTS: tuple[Transport, ...] = ("wifi-beacon", "wifi-nan", "ble4", "ble5")


def equipped(actor: Actor, kind: str, seed: int, attack: bool) -> Actor:
    """The flier with what it carries, drawn from a stream of its own."""
    chances = stream(seed, "equipment", actor.id).random(5).tolist()
    if actor.remote_id is not None:
        return actor
    if chances[0] >= TRANSMITS.get(kind, 0.0):
        return _silenced(actor, chances[4], attack)
    return replace(actor, remote_id=_transmitter(chances[1:4]))


def broadcasting(actor: Actor, seed: int) -> Actor:
    """The same flier with Remote ID, if it is a drone: for a mix that hears nothing else, to which a silent
    drone would be no encounter at all."""
    if actor.kind not in SILENT or actor.remote_id is not None:
        return actor
    chances = stream(seed, "equipment", actor.id).random(5).tolist()
    return replace(actor, remote_id=_transmitter(chances[1:4]), signature=None)


def _transmitter(chances: list[float]) -> RemoteId:
    number = int(chances[0] * 1e9)
    address = f"60:60:1F:{number >> 16 & 255:02X}:{number >> 8 & 255:02X}:{number & 255:02X}"
    return RemoteId(
        serial=f"1581FENC{number:012d}",
        mac=address,
        transport=TRANSPORTS[int(chances[1] * len(TRANSPORTS))],
        rate_hz=1.0 + int(chances[2] * 4.0),
    )


def _silenced(actor: Actor, chance: float, attack: bool) -> Actor:
    aircraft = actor.kind in ("aircraft", "helicopter")
    share = SILENT_ATTACKERS if attack else DARK_AIRCRAFT if aircraft else 0.0
    return replace(actor, signature=SILENT.get(actor.kind)) if chance < share else actor
