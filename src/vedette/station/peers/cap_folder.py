"""A folder of CAP 1.2 messages, for aggregators that look into one: ``cap:FOLDER?sender=NAME&option=...``.

Each message is a file of its own that appears whole or not at all; its name is its identifier. What was
told of an alert is read back from the folder after a restart, so that an Update or a Cancel names the right
message then too. Files are kept for a day. Others' files are left alone, and nobody is warned by this way: it
reaches no unit, gives no receipts, and never stands in the way of one that does.
"""

import asyncio
import errno
import os
import stat
import time
from collections import Counter
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec.structs import replace

from vedette.express.cap import Moments, Publisher, cap_message, circle_round, incident_of
from vedette.model import Alert, ConfigError, Fact, Frame
from vedette.model.event import Clear, Deliver
from vedette.model.threat import LEVEL_RANK, Level
from vedette.station.config import FeedConfig
from vedette.station.peers._line_feed import options_of
from vedette.station.peers._parent_dialogue import Viewed
from vedette.station.ports import Hub, Peer
from vedette.station.view import View
from vedette.wire.cap import CapError, Circle, Point, Reference, read_alert, sign_alert, write_alert
from vedette.wire.cap.shapes import read_polygon
from vedette.wire.errors import WireError

LOOK_S = 0.25
"""How often the station is asked for news."""
CHECK_S = 5.0
RETRY_S = 5.0
KEEP_S = 86_400.0
PRUNE_S = 60.0
MOST_FILES = 5_000
SUFFIX = ".cap.xml"
SENDER_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@:/")
OPTIONS = frozenset({"sender", "position", "least", "restriction", "outline", "note", "mode"})

Signer = tuple[rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, x509.Certificate]


class CapFolderPeer:
    """Writes into ``folder``. ``least``: the lowest level that is told; what was told once is told to its
    end. ``signer``: key and certificate of the site, with which each message is signed."""

    carries_position: bool = False
    """Whether a message may say where people are: only if this one was configured to."""
    receipt_facts: tuple[Fact, ...] = ()
    """The receipts that this way can give: none, a folder is no person."""

    def __init__(
        self,
        name: str,
        folder: Path,
        publisher: Publisher,
        *,
        least: Level = "advisory",
        signer: Signer | None = None,
        look_s: float = LOOK_S,
        check_s: float = CHECK_S,
    ) -> None:
        self.name = name
        self.senses: tuple[str, ...] = ()
        self.carries_position = publisher.carries_position
        self.counts: Counter[str] = Counter()
        self._folder, self._publisher, self._signer = folder, publisher, signer
        self._least, self._look_s, self._check_s = least, look_s, check_s
        self._told: dict[str, tuple[int, Reference | None]] = {}
        self._ended: dict[str, None] = {}
        self._pruned = -PRUNE_S

    async def run(self, hub: Hub) -> None:
        """Write what is news, until cancelled. A folder that fails is tried again."""
        self._publisher = replace(self._publisher, site=hub.site.name)
        hub.feed(self.name, "connecting", f"opening {self._folder}")
        ready, checked = False, 0.0
        while True:
            try:
                if not ready:
                    await asyncio.to_thread(self._open)
                    hub.feed(self.name, "watching", f"CAP messages into {self._folder}")
                    ready = True
                if time.monotonic() - checked >= self._check_s:
                    await asyncio.to_thread(self._check)
                    hub.heard(self.name)
                    checked = time.monotonic()
                await self._look(hub)
            except OSError as error:
                ready, checked = False, 0.0
                hub.feed(self.name, "down", f"{self._folder}: {error.strerror or error}; tried again")
            await asyncio.sleep(self._look_s if ready else RETRY_S)

    def reaches(self, unit: str) -> bool:
        """Never: a folder is no person and reaches none."""
        return False

    async def deliver(self, delivery: Deliver, recipient: str) -> None:
        """Raises ConnectionError: nobody is warned by this way."""
        raise ConnectionError(f"peer {self.name} reaches no unit")

    async def clear(self, clear: Clear, recipient: str) -> None:
        """Raises ConnectionError: nobody is warned by this way."""
        raise ConnectionError(f"peer {self.name} reaches no unit")

    async def publish(self, frame: Frame) -> None:
        """Nothing: the picture is not for those who pass warnings on."""

    async def _look(self, hub: Hub) -> None:
        news = sorted((alert for alert in hub.alerts() if self._is_news(alert)), key=_urgency)
        if not news:
            return
        view = hub.view() if isinstance(hub, Viewed) else None
        for alert in news:
            # What a real sensor saw beside an exercise is actual, so that only the alert itself can tell.
            publisher = self._publisher
            if publisher.mode == "actual":
                publisher = replace(publisher, mode=alert.status)
            moments = Moments(sent=hub.clock.to_wall(alert.time), expires=hub.clock.to_wall(alert.expires))
            people = _people(view, alert) if view and publisher.carries_position else ()
            # In a thread, because a folder on a network may hang; one by one, most urgent first.
            fault = await asyncio.to_thread(self._tell, alert, publisher, moments, people)
            self.counts["written" if fault is None else "not-written"] += 1
            hub.trouble(self.name, "not-written", fault)
        await asyncio.to_thread(self._prune)

    def _is_news(self, alert: Alert) -> bool:
        incident = incident_of(alert)
        told = self._told.get(incident)
        if incident in self._ended:
            return False
        if told is None:
            return alert.state != "cleared" and LEVEL_RANK[alert.level] >= LEVEL_RANK[self._least]
        return alert.revision > told[0] or alert.state == "cleared"

    def _tell(
        self, alert: Alert, publisher: Publisher, moments: Moments, people: tuple[Circle, ...]
    ) -> str | None:
        """Write one message. What is wrong with an alert that cannot be put in CAP, which is not tried
        again; raises OSError for a folder that fails, and then it is."""
        before = self._told.get(incident_of(alert), (0, None))[1]
        try:
            message = cap_message(alert, publisher, moments, before=before, people=people)
            data = write_alert(message)
            signed = sign_alert(data, *self._signer) if self._signer else data
        except (WireError, ValueError) as error:
            self._remember(alert, before)
            return f"an alert could not be put in CAP: {str(error)[:200]}"
        self._put(f"{message.identifier}{SUFFIX}", signed)
        self._remember(alert, message.reference)
        return None

    def _remember(self, alert: Alert, reference: Reference | None) -> None:
        incident = incident_of(alert)
        self._told.pop(incident, None)
        if alert.state == "cleared":
            self._ended[incident] = None
        else:
            self._told[incident] = alert.revision, reference
        while len(self._told) > MOST_FILES:
            del self._told[next(iter(self._told))]
        while len(self._ended) > MOST_FILES:
            del self._ended[next(iter(self._ended))]

    # The folder ------------------------------------------------------------------------------------

    def _open(self) -> None:
        """Make the folder, and read back what was told from it. Raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        for half in self._folder.glob(f".*{SUFFIX}.new"):
            half.unlink(missing_ok=True)
        for path in self._files()[-MOST_FILES:]:
            alert, _, revision = path.name.removesuffix(SUFFIX).removesuffix(".end").rpartition(".")
            if not alert or not revision.isdigit() or len(revision) > 9:
                continue
            if path.name.endswith(f".end{SUFFIX}"):
                self._ended[alert] = None
                self._told.pop(alert, None)
            elif alert not in self._ended and int(revision) >= self._told.get(alert, (0,))[0]:
                reference = self._read_back(path)
                if reference is not None:
                    self._told[alert] = int(revision), reference

    def _check(self) -> None:
        """A folder that can still be written to is this feed's sign of life. Raises OSError."""
        handle = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        os.close(handle)
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self._folder))

    def _read_back(self, path: Path) -> Reference | None:
        try:
            message = read_alert(path.read_bytes())
        except CapError:
            return None
        ours = message.sender == self._publisher.sender and path.name == f"{message.identifier}{SUFFIX}"
        return message.reference if ours else None

    def _files(self) -> list[Path]:
        """Messages in the folder, oldest first."""
        found = [(path.stat().st_mtime, path) for path in self._folder.glob(f"*{SUFFIX}")]
        return [path for _, path in sorted(found)]

    def _put(self, name: str, data: bytes) -> None:
        """The file, whole or not at all, also after a power failure. Raises OSError."""
        fresh = self._folder / f".{name}.new"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o640)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._folder / name)
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _prune(self) -> None:
        """Files that are older than a day, or too many, go; looked at once a minute."""
        if time.monotonic() - self._pruned < PRUNE_S:
            return
        self._pruned = time.monotonic()
        files = self._files()
        old = time.time() - KEEP_S
        excess = len(files) - MOST_FILES
        for number, path in enumerate(files):
            if number < excess or path.stat().st_mtime < old:
                path.unlink(missing_ok=True)


def _urgency(alert: Alert) -> tuple[bool, int, str]:
    return alert.state == "cleared", -LEVEL_RANK[alert.level], alert.alert


def _people(view: View, alert: Alert) -> tuple[Circle, ...]:
    """Where the units at risk may be, as far as anybody knows."""
    units = {unit.unit: unit for unit in view.units}
    known = (units[name] for name in alert.units if name in units)
    return tuple(
        circle_round(
            unit.lat_deg,
            unit.lon_deg,
            sigma_m=unit.sigma_m or 0.0,
            age_s=unit.age_s or 0.0,
            mobility=unit.mobility,
        )
        for unit in known
        if unit.lat_deg is not None and unit.lon_deg is not None
    )


# Configuration -------------------------------------------------------------------------------------


def cap_folder_peer(feed: FeedConfig) -> Peer:
    """The peer of a feed ``cap:FOLDER?sender=NAME``. Raises ConfigError."""
    path, _, query = feed.url.partition(":")[2].partition("?")
    options = {key: values[-1] for key, values in options_of(feed, query, OPTIONS).items()}
    if not path:
        raise ConfigError(f"feed {feed.name!r}: cap: needs a folder")
    publisher = Publisher(
        sender=_sender(feed, options.get("sender")),
        site="-",
        mode=_choice(feed, "mode", options.get("mode", "actual"), ("actual", "exercise", "test")),  # type: ignore[arg-type]
        note=options.get("note"),
        outline=_outline(feed, options.get("outline")),
        carries_position=_choice(feed, "position", options.get("position", "0"), ("0", "1")) == "1",
    )
    if "restriction" in options:
        publisher = replace(publisher, restriction=options["restriction"])
    least = _choice(feed, "least", options.get("least", "advisory"), ("advisory", "warning", "imminent"))
    return CapFolderPeer(feed.name, Path(path), publisher, least=least, signer=_signer(feed))  # type: ignore[arg-type]


def _sender(feed: FeedConfig, text: str | None) -> str:
    """CAP wants a sender that is unique in the world; only the operator knows one."""
    if not text or not SENDER_LETTERS.issuperset(text):
        remedy = (
            "sender=vedette@site.example.org, or another name that is yours alone (letters, digits, .-_@:/)"
        )
        raise ConfigError(f"feed {feed.name!r}: {feed.url!r}: it needs {remedy}")
    return text


def _choice(feed: FeedConfig, name: str, text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise ConfigError(f"feed {feed.name!r}: {name}={text}: must be one of {', '.join(known)}")
    return text


def _outline(feed: FeedConfig, text: str | None) -> tuple[Point, ...]:
    """``lat,lon;lat,lon;...``, closed."""
    if text is None:
        return ()
    try:
        return read_polygon(text.replace(";", " "))
    except ValueError as error:
        raise ConfigError(f"feed {feed.name!r}: outline: the polygon {error}") from None


def _signer(feed: FeedConfig) -> Signer | None:
    """The site's key and certificate, which belong together. Raises ConfigError."""
    if feed.key_file is None and feed.cert_file is None:
        return None
    if feed.key_file is None or feed.cert_file is None:
        raise ConfigError(f"feed {feed.name!r}: to sign, it needs both key_file and cert_file")
    try:
        mode = stat.S_IMODE(Path(feed.key_file).stat().st_mode)
        key = load_pem_private_key(Path(feed.key_file).read_bytes(), password=None)
        certificate = x509.load_pem_x509_certificate(Path(feed.cert_file).read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"feed {feed.name!r}: key or certificate cannot be read: {error}") from None
    if mode & 0o077:
        raise ConfigError(f"feed {feed.name!r}: {feed.key_file}: others may read it; chmod 600")
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ConfigError(f"feed {feed.name!r}: {feed.key_file}: neither an RSA nor an EC key")
    if key.public_key() != certificate.public_key():
        raise ConfigError(f"feed {feed.name!r}: {feed.key_file} is not the key of {feed.cert_file}")
    return key, certificate
