"""A team that is reached by radio: its members by number, its keys, its channel. One file, mode 0600."""

import binascii
from pathlib import Path

import msgspec

from vedette.model.errors import ConfigError
from vedette.model.strict import decode_toml
from vedette.wire.lora.seal import SECRET_BYTES, Sealer, alert_key, gateway_key

CHANNELS = 8
MOST_HOPS = 7


class Member(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One unit of the team under its number. ``gateway``: its device may say what became of an alert."""

    number: int
    unit: str
    gateway: bool = False


class TeamKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A team secret: 64 hexadecimal digits. ``id`` is what frames name it by."""

    id: int
    secret: str

    def __repr__(self) -> str:
        return f"TeamKey(id={self.id})"


class Team(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A team's file. The first key seals; the others are still opened, until they are taken out.

    ``channel``: index of the node's channel. ``hops``: how often a frame may be relayed. ``duty``: the
    share of the air that this station may use over an hour.
    """

    team: str
    member: tuple[Member, ...]
    key: tuple[TeamKey, ...]
    channel: int = 1
    hops: int = 3
    duty: float = 0.1

    @property
    def numbers(self) -> dict[str, int]:
        """Member numbers by unit."""
        return {member.unit: member.number for member in self.member}

    @property
    def units(self) -> dict[int, str]:
        """Units by member number."""
        return {member.number: member.unit for member in self.member}

    def sealer(self) -> Sealer:
        """What the station seals with."""
        return Sealer(alert_key(self._secret(self.key[0])))

    def gateways(self) -> dict[tuple[int, int], Sealer]:
        """What opens the frames of gateways, by (key id, member number)."""
        return {
            (key.id, member.number): Sealer(gateway_key(self._secret(key), member.number))
            for key in self.key
            for member in self.member
            if member.gateway
        }

    def handouts(self, number: int) -> dict[str, str]:
        """The keys for one member's device, in hexadecimal, by what they are for. Never the secret."""
        member = next((member for member in self.member if member.number == number), None)
        if member is None:
            raise ConfigError(f"team {self.team}: there is no member {number}")
        secret = self._secret(self.key[0])
        keys = {"alert": alert_key(secret).hex()}
        if member.gateway:
            keys["gateway"] = gateway_key(secret, number).hex()
        return keys

    @staticmethod
    def _secret(key: TeamKey) -> bytes:
        return binascii.unhexlify(key.secret)


def read_team(path: Path) -> Team:
    """Read and check a team's file. Raises ConfigError that names the file and what to do."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text") from None
    if mode & 0o077:
        raise ConfigError(f"{path}: holds the team's key and others may read it: chmod 600 {path}")
    team = decode_toml(text, Team, str(path))
    for wrong in _wrongs(team):
        raise ConfigError(f"{path}: {wrong}")
    return team


def _wrongs(team: Team) -> list[str]:
    numbers = [member.number for member in team.member]
    units = [member.unit for member in team.member]
    found = [f"member.number: {number} is not 1 to 255" for number in numbers if not 1 <= number <= 255]
    found += [f"member.number: {number} is given twice" for number in numbers if numbers.count(number) > 1]
    found += [f"member.unit: {unit!r} is given twice" for unit in units if units.count(unit) > 1]
    if not team.member or not all(unit.strip() for unit in units):
        found.append("member: a team has at least one, and each names its unit")
    if not 0 <= team.channel < CHANNELS:
        found.append(f"channel: {team.channel} is not 0 to {CHANNELS - 1}")
    if not 0 <= team.hops <= MOST_HOPS:
        found.append(f"hops: {team.hops} is not 0 to {MOST_HOPS}")
    if not 0.0 < team.duty <= 1.0:
        found.append(f"duty: {team.duty} is not above 0 and at most 1")
    return found + _wrong_keys(team.key)


def _wrong_keys(keys: tuple[TeamKey, ...]) -> list[str]:
    ids = [key.id for key in keys]
    found = [] if keys else ["key: a team needs one; `openssl rand -hex 32` makes a secret"]
    found += [f"key.id: {id_} is not 0 to 255" for id_ in ids if not 0 <= id_ <= 255]
    found += [f"key.id: {id_} is given twice" for id_ in ids if ids.count(id_) > 1]
    for key in keys:
        try:
            secret = binascii.unhexlify(key.secret)
        except ValueError:
            secret = b""
        if len(secret) != SECRET_BYTES or len(set(secret)) < SECRET_BYTES // 4:
            found.append(
                f"key {key.id}: the secret must be {2 * SECRET_BYTES} random hexadecimal digits:"
                " `openssl rand -hex 32` makes them"
            )
    return found
