"""Nobody outside this machine reaches a listener unless its address names a host. Every scheme is tried, and
the kernel is asked."""

import asyncio
import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar

import pytest
from adsb_receiver import free_ports
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from station_feed_hub import FeedHub, beside, until

from vedette.model import ConfigError
from vedette.station.config import FeedConfig
from vedette.station.peers.registry import FACTORIES, Keys, make_peer
from vedette.wire.webhook import write_secret

TCP_LISTENERS = (
    "lines+tcp-listen", "beast+tcp-listen", "sapient+tcp-listen", "sapient+tls-listen", "cot+tcp-listen",
    "cot+tls-listen",
)  # fmt: skip
UDP_LISTENERS = ("odid+udp", "lines+udp", "raw+udp", "asterix+udp", "cot+udp")
CLIENTS = (
    "lines+tcp", "beast+tcp", "sbs+tcp", "aircraft+http", "sapient+tcp", "sapient+tls", "cot+tcp", "cot+tls",
    "meshtastic+tcp", "mqtt", "mqtts", "webhook+http", "webhook+https", "smtp", "smtps",
)  # fmt: skip
FILES = (
    "odid+pcap",
    "lines",
    "sim",
    "beast",
    "sbs",
    "aircraft",
    "asterix+pcap",
    "cap",
    "meshtastic+serial",
    "webpush",
)
LISTENERS = (*TCP_LISTENERS, *UDP_LISTENERS)
ELSEWHERE = ("gateway",)
"""It needs a whole station; tests/station/gateway holds that it opens to others only encrypted."""
OPTIONS = {
    "smtp": "?from=a@b.example",
    "smtps": "?from=a@b.example",
    "raw+udp": "?adapter=bytes",
    "aircraft+http": "/data/aircraft.json",
}
NEVER_OPEN = ("cot+tcp-listen",)
"""In the clear it would give people's positions to anybody."""
LISTENING = "0A"


class Bytes:
    """An adapter of somebody else, for the one scheme that needs one."""

    counts: ClassVar[dict[str, int]] = {}

    def detections(self, heard: object) -> list[object]:
        return []


@pytest.fixture(autouse=True)
def _adapter(monkeypatch: pytest.MonkeyPatch) -> None:
    from vedette.station.peers import raw_udp

    monkeypatch.setattr(raw_udp, "make_adapter", lambda name, sensor: Bytes())


def own_sockets() -> set[tuple[str, str, int]]:
    """(tcp or udp, address, port) of every socket of this process that others can send to, as the kernel
    lists them (proc(5), /proc/net)."""
    inodes = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            target = str(descriptor.readlink())
        except FileNotFoundError:  # the descriptor of this very listing
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for row in Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]:
            fields = row.split()
            if fields[9] in inodes and (table.startswith("udp") or fields[3] == LISTENING):
                address, _, port = fields[1].partition(":")
                found.add((table[:3], spelled(address), int(port, 16)))
    return found


def spelled(address: str) -> str:
    """The kernel writes addresses as 32-bit words in the machine's byte order."""
    words = [int(address[at : at + 8], 16).to_bytes(4, "little") for at in range(0, len(address), 8)]
    return str(ip_address(b"".join(words)))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A certificate that is its own authority, and its key, as a feed names them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    day = datetime.timedelta(days=1)
    made = builder.not_valid_before(now - day).not_valid_after(now + day).sign(key, hashes.SHA256())
    folder = tmp_path_factory.mktemp("certificates")
    (folder / "own.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "own.key").write_bytes(secret)
    own = str(folder / "own.pem")
    return {"ca_file": own, "cert_file": own, "key_file": str(folder / "own.key")}


@pytest.fixture
def secrets(tmp_path: Path) -> dict[str, dict[str, str]]:
    """The files without which some ways out are not made, by the beginning of their scheme."""
    secret = tmp_path / "secret"
    secret.write_text(write_secret(bytes(32)))
    secret.chmod(0o600)
    team = tmp_path / "team.toml"
    member = '[[member]]\nnumber = 1\nunit = "LEAD"\ngateway = true'
    team.write_text(
        f'team = "a"\nchannel = 1\n{member}\n[[key]]\nid = 3\nsecret = "{bytes(range(32)).hex()}"'
    )
    team.chmod(0o600)
    return {"webhook": {"secret_file": str(secret)}, "meshtastic": {"team_file": str(team)}}


def opened(url: str, files: dict[str, str]) -> list[tuple[str, str]]:
    """(tcp or udp, address) of what a peer of that URL opens to others, once it runs or has failed."""
    peer = make_peer(FeedConfig(name="feed", url=url, **files), Keys(receipts=bytes(32)))
    before = own_sockets()
    hub = FeedHub()
    found: list[tuple[str, str]] = []

    def looks() -> bool:
        found[:] = [(kind, address) for kind, address, port in own_sockets() - before]
        return bool(found) or any(state in ("down", "watching") for _, state, _ in hub.feeds)

    async def then() -> None:
        await until(looks, "it runs or has failed")
        # asyncio gives its server out a turn after the kernel has the socket; cancelled in between, it
        # would leave the socket to the garbage collector.
        await asyncio.sleep(0.05)

    beside(peer.run(hub), then)
    return found


def test_every_scheme_is_judged_here() -> None:
    """A new scheme has to be put into one of the lists above."""
    assert sorted((*LISTENERS, *CLIENTS, *FILES, *ELSEWHERE)) == sorted(FACTORIES)


@pytest.mark.parametrize("scheme", LISTENERS)
def test_a_listener_without_a_host_is_on_loopback(scheme: str, certificates: dict[str, str]) -> None:
    (port,) = free_ports(1)
    files = certificates if "tls" in scheme else {}
    kind = "udp" if scheme in UDP_LISTENERS else "tcp"
    assert opened(f"{scheme}://:{port}{OPTIONS.get(scheme, '')}", files) == [(kind, "127.0.0.1")]


@pytest.mark.parametrize("scheme", LISTENERS)
def test_a_listener_is_open_to_the_network_only_where_its_address_says_so(
    scheme: str, certificates: dict[str, str]
) -> None:
    """Which also shows that the test before this one would see it."""
    (port,) = free_ports(1)
    url = f"{scheme}://0.0.0.0:{port}{OPTIONS.get(scheme, '')}"
    if scheme in NEVER_OPEN:
        with pytest.raises(ConfigError, match="unencrypted"):
            opened(url, {})
        return
    assert ("udp" if scheme in UDP_LISTENERS else "tcp", "0.0.0.0") in opened(
        url, certificates if "tls" in scheme else {}
    )


@pytest.mark.parametrize("scheme", CLIENTS)
def test_what_connects_listens_nowhere(
    scheme: str, certificates: dict[str, str], secrets: dict[str, dict[str, str]]
) -> None:
    (port,) = free_ports(1)
    url = f"{scheme}://127.0.0.1:{port}{OPTIONS.get(scheme, '')}"
    files = secrets.get(scheme.partition("+")[0], {})
    assert opened(url, certificates if "tls" in scheme else files) == []
