"""The folder of CAP messages: whole files, references that hold over a restart, and nobody's place."""

import asyncio
import contextlib
import datetime
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from msgspec.structs import replace
from station_feed_hub import SITE, FeedHub, until

from vedette.model import Alert, ConfigError
from vedette.model.event import Clear, Deliver
from vedette.station.config import FeedConfig, StationConfig, check
from vedette.station.peers import cap_folder
from vedette.station.peers.cap_folder import SUFFIX, CapFolderPeer, cap_folder_peer
from vedette.station.peers.registry import Keys, make_peer
from vedette.station.view import RecordView, SiteView, UnitView, View
from vedette.wire.cap import CapAlert, ipaws_faults, read_alert, verify_alert


class Station(FeedHub):
    """A station with a view, of which the tests set the alerts."""

    mode = "live"
    units_seen: tuple[UnitView, ...] = ()

    def view(self) -> View:
        return View(
            at=self.clock.now(), speed=1.0, mode=self.mode, site=SiteView(name="x", lat_deg=0.0, lon_deg=0.0),
            summary="", tracks=(), units=self.units_seen, alerts=(), feeds=(),
            record=RecordView(state="good"), shed={},
        )  # fmt: skip

    def say(self, **changes: object) -> Alert:
        now = self.clock.now()
        alert = Alert(
            time=now, alert="AQ7MZ2KXW3P", revision=1, level="warning", state="active-unacked", units=("U1",),
            track="T1", behaviour="closing", text={"en": "Drone closing from NE, 815 m."}, expires=now + 60.0,
            bearing_deg=47.0, range_m=815.0,
        )  # fmt: skip
        alert = replace(alert, **changes)
        self.alarms[alert.alert] = alert
        return alert


def peer_of(folder: Path, options: str = "", **files: str) -> CapFolderPeer:
    made = cap_folder_peer(
        FeedConfig(name="out", url=f"cap:{folder}?sender=vedette@example.org{options}", **files)
    )
    assert isinstance(made, CapFolderPeer)
    made._look_s = 0.01
    return made


def beside(peer: CapFolderPeer, station: Station, then: Callable[[], Awaitable[None]]) -> None:
    """Run the peer while ``then`` runs."""

    async def both() -> None:
        task = asyncio.create_task(peer.run(station))
        try:
            await then()
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    asyncio.run(both())


def messages(folder: Path) -> dict[str, CapAlert]:
    return {
        path.name.removesuffix(SUFFIX): read_alert(path.read_bytes()) for path in sorted(folder.glob("*"))
    }


async def until_there(folder: Path, *names: str) -> None:
    await until(
        lambda: {p.name for p in folder.glob(f"[!.]*{SUFFIX}")} >= {f"{n}{SUFFIX}" for n in names}, str(names)
    )


def test_an_alarm_is_a_chain_of_files(tmp_path: Path) -> None:
    station, folder = Station(), tmp_path / "out"
    peer = peer_of(folder)

    async def then() -> None:
        station.say()
        await until_there(folder, "AQ7MZ2KXW3P.1")
        station.say(revision=2, level="imminent")
        await until_there(folder, "AQ7MZ2KXW3P.2")
        station.say(revision=3, state="cleared", reason="drone moved away: last NE 900 m")
        await until_there(folder, "AQ7MZ2KXW3P.3.end")
        await asyncio.sleep(0.1)

    beside(peer, station, then)
    found = messages(folder)
    assert [(m.msg_type, [r.identifier for r in m.references]) for m in found.values()] == [
        ("Alert", []),
        ("Update", ["AQ7MZ2KXW3P.1"]),
        ("Cancel", ["AQ7MZ2KXW3P.2"]),
    ]
    assert {(m.scope, m.status, m.infos[0].sender_name) for m in found.values()} == {
        ("Restricted", "Actual", "Testfield")
    }
    assert station.states("out")[-1] == "watching"
    assert peer.counts == {"written": 3}
    assert [p.stat().st_mode & 0o027 for p in folder.iterdir()] == [0, 0, 0]
    assert all(ipaws_faults(path.read_bytes()) for path in folder.iterdir())


def test_after_a_restart_the_chain_goes_on(tmp_path: Path) -> None:
    station = Station()
    station.say()

    async def told() -> None:
        await until_there(tmp_path, "AQ7MZ2KXW3P.1")

    beside(peer_of(tmp_path), station, told)
    before = (tmp_path / f"AQ7MZ2KXW3P.1{SUFFIX}").stat().st_mtime_ns

    async def again() -> None:
        await asyncio.sleep(0.1)
        assert (tmp_path / f"AQ7MZ2KXW3P.1{SUFFIX}").stat().st_mtime_ns == before
        station.say(revision=4, state="cleared")
        await until_there(tmp_path, "AQ7MZ2KXW3P.4.end")

    beside(peer_of(tmp_path), station, again)
    first, last = messages(tmp_path).values()
    assert last.references == (first.reference,)

    async def ended() -> None:
        await asyncio.sleep(0.1)

    third = peer_of(tmp_path)
    beside(third, station, ended)
    assert third.counts == {}


def test_files_of_others_are_neither_believed_nor_touched(tmp_path: Path) -> None:
    station = Station()
    station.say(revision=7)
    foreign = {
        f"AQ7MZ2KXW3P.1{SUFFIX}": b"<alert/>", f"other{SUFFIX}": b"x", "AQ7MZ2KXW3P.5.xml": b"y",
    }  # fmt: skip
    for name, data in foreign.items():
        (tmp_path / name).write_bytes(data)

    async def then() -> None:
        await until_there(tmp_path, "AQ7MZ2KXW3P.7")

    beside(peer_of(tmp_path), station, then)
    assert read_alert((tmp_path / f"AQ7MZ2KXW3P.7{SUFFIX}").read_bytes()).msg_type == "Alert"
    assert {name: (tmp_path / name).read_bytes() for name in foreign} == foreign


def test_what_is_below_the_least_level_is_not_told_and_what_was_told_is_told_to_its_end(
    tmp_path: Path,
) -> None:
    station, peer = Station(), peer_of(tmp_path, "&least=warning")

    async def then() -> None:
        station.say(alert="B", level="advisory")
        station.say(alert="C", level="info")
        station.say()
        await until_there(tmp_path, "AQ7MZ2KXW3P.1")
        station.say(revision=2, level="advisory")
        await until_there(tmp_path, "AQ7MZ2KXW3P.2")
        station.say(alert="D", state="cleared")
        await asyncio.sleep(0.05)

    beside(peer, station, then)
    assert list(messages(tmp_path)) == ["AQ7MZ2KXW3P.1", "AQ7MZ2KXW3P.2"]


HERE = UnitView(unit="U1", mobility="foot", sidc="", lat_deg=31.1234, lon_deg=34.5678, sigma_m=5.0, age_s=2.0)


@pytest.mark.parametrize("position", [False, True])
def test_a_place_is_told_only_where_it_may_be(tmp_path: Path, position: bool) -> None:
    station = Station()
    station.units_seen = (HERE, UnitView(unit="U2", mobility="post", sidc=""))
    station.say(units=("U1", "U2", "U3"))
    peer = peer_of(tmp_path, "&position=1" if position else "")

    async def then() -> None:
        await until_there(tmp_path, "AQ7MZ2KXW3P.1")

    beside(peer, station, then)
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    assert peer.carries_position is position
    for secret in (b"31.1234", b"34.5678", b"<circle>", b"815", b"NE,"):
        assert (secret in data) is position
    for secret in (b"47.2", b"8.5,", b"U1", b"U2"):
        assert secret not in data, "neither the site's origin nor a unit's name"
    assert not CapFolderPeer.carries_position


@pytest.mark.parametrize(
    ("status", "told", "note"),
    [
        ("exercise", "Exercise", "EXERCISE, not real. drill 7"),
        ("test", "Test", "TEST, not real. drill 7"),
        ("actual", "Actual", "drill 7"),
    ],
)
def test_an_alert_says_itself_whether_it_is_real(tmp_path: Path, status: str, told: str, note: str) -> None:
    """What a real sensor saw is actual, though the station runs an exercise beside it."""
    station = Station()
    station.mode = "exercise"
    station.say(status=status)

    async def then() -> None:
        await until_there(tmp_path, "AQ7MZ2KXW3P.1")

    beside(peer_of(tmp_path, "&note=drill%207"), station, then)
    (message,) = messages(tmp_path).values()
    assert (message.status, message.note) == (told, note)


def test_a_folder_that_fails_is_told_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cap_folder, "RETRY_S", 0.02)
    station, folder = Station(), tmp_path / "out"
    folder.write_text("a file stands where the folder should be")
    station.say()

    async def then() -> None:
        await until(lambda: "down" in station.states("out"), "down")
        assert "tried again" in (station.reason("out") or "")
        folder.unlink()
        await until_there(folder, "AQ7MZ2KXW3P.1")
        await until(lambda: station.states("out")[-1] == "watching", "watching")

    beside(peer_of(folder), station, then)


def test_a_folder_that_goes_is_told_and_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cap_folder, "RETRY_S", 0.02)
    station, folder = Station(), tmp_path / "out"
    peer = peer_of(folder)
    peer._check_s = 0.01

    async def then() -> None:
        await until(lambda: station.live["out"] > 3, "signs of life")
        folder.rmdir()
        await until(lambda: station.states("out").count("watching") == 2, "watching again")

    beside(peer, station, then)
    assert "down" in station.states("out")
    assert folder.is_dir()


def test_an_alert_that_cannot_be_said_is_told_once_and_stops_nobody(tmp_path: Path) -> None:
    station = Station()
    station.say(alert="BAD", time=-1e9)
    station.say()
    peer = peer_of(tmp_path)

    async def then() -> None:
        await until_there(tmp_path, "AQ7MZ2KXW3P.1")
        await asyncio.sleep(0.05)

    beside(peer, station, then)
    assert peer.counts == {"written": 1, "not-written": 1}


@pytest.mark.parametrize(
    ("most", "keep_s", "left"), [(100, 3600.0, 1), (3, 1e12, 3)], ids=["old", "too many"]
)
def test_files_go_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, keep_s: float, left: int
) -> None:
    monkeypatch.setattr(cap_folder, "MOST_FILES", most)
    monkeypatch.setattr(cap_folder, "KEEP_S", keep_s)
    station = Station()
    for number in range(6):
        path = tmp_path / f"OLD.{number}{SUFFIX}"
        path.write_bytes(b"x")
        os.utime(path, (1000.0 + number, 1000.0 + number))
    (tmp_path / "theirs.txt").write_text("not ours")
    station.say()

    async def then() -> None:
        await until_there(tmp_path, "AQ7MZ2KXW3P.1")
        await until(lambda: len(list(tmp_path.glob(f"*{SUFFIX}"))) == left, "pruned")

    beside(peer_of(tmp_path), station, then)
    names = {path.name for path in tmp_path.iterdir()}
    assert {f"AQ7MZ2KXW3P.1{SUFFIX}", "theirs.txt"} <= names
    assert f"OLD.0{SUFFIX}" not in names


def test_what_a_crash_left_half_written_goes(tmp_path: Path) -> None:
    station = Station()
    half = tmp_path / f".AQ7MZ2KXW3P.1{SUFFIX}.new"
    half.write_bytes(b"<alert")
    station.say()

    async def then() -> None:
        await until_there(tmp_path, "AQ7MZ2KXW3P.1")

    beside(peer_of(tmp_path), station, then)
    assert not half.exists()
    assert list(messages(tmp_path)) == ["AQ7MZ2KXW3P.1"]


def test_it_reaches_nobody_and_claims_no_receipt(tmp_path: Path) -> None:
    station, peer = Station(), peer_of(tmp_path)
    alert = station.say()
    assert not peer.reaches("U1")
    assert peer.receipt_facts == ()
    with pytest.raises(ConnectionError):
        asyncio.run(peer.deliver(Deliver(alert=alert, recipients=("U1",), rule="r", roster_version=1), "U1"))
    with pytest.raises(ConnectionError):
        asyncio.run(peer.clear(Clear(alert=alert, recipients=("U1",)), "U1"))


def write_signer(folder: Path, *, mode: int = 0o600, kind: str = "ec", other: bool = False) -> dict[str, str]:
    """Key and certificate of a site, as files."""
    key = ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else ed25519.Ed25519PrivateKey.generate()
    owner = ec.generate_private_key(ec.SECP256R1()) if other else key
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=owner.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=36500))
        .sign(owner, hashes.SHA256() if kind == "ec" else None)
    )
    key_file, cert_file = folder / "cap.key", folder / "cap.pem"
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key_file.chmod(mode)
    cert_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    return {"key_file": str(key_file), "cert_file": str(cert_file)}


def test_messages_are_signed_with_the_sites_key(tmp_path: Path) -> None:
    files, station, folder = write_signer(tmp_path), Station(), tmp_path / "out"
    station.say()

    async def then() -> None:
        await until_there(folder, "AQ7MZ2KXW3P.1")

    beside(peer_of(folder, **files), station, then)
    certificate = x509.load_pem_x509_certificate(Path(files["cert_file"]).read_bytes())
    data = next(folder.iterdir()).read_bytes()
    seal = verify_alert(data, at=datetime.datetime.now(datetime.UTC), trusted=[certificate])
    assert (seal.trusted, seal.reformatted) == (True, False)
    assert read_alert(data).signed


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("cap:", "needs a folder"),
        ("cap:out", "needs sender"),
        ("cap:out?sender=a%20b", "needs sender"),
        ("cap:out?sender=a,b", "needs sender"),
        ("cap:out?sender=a&colour=red", "unknown colour"),
        ("cap:out?sender=a&position=yes", "position=yes: must be one of 0, 1"),
        ("cap:out?sender=a&least=none", "least=none"),
        ("cap:out?sender=a&mode=real", "mode=real"),
        ("cap:out?sender=a&outline=1,1;1,2;2,2", "outline: the polygon has 3 points"),
    ],
)
def test_a_wrong_address_is_told(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        make_peer(FeedConfig(name="out", url=url), Keys(receipts=bytes(32)))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"mode": 0o644}, "chmod 600"),
        ({"kind": "ed"}, "neither an RSA nor an EC key"),
        ({"other": True}, "is not the key of"),
    ],
)
def test_a_wrong_key_is_told(tmp_path: Path, change: dict[str, object], words: str) -> None:
    files = write_signer(tmp_path, **change)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=words):
        peer_of(tmp_path, **files)


def test_a_key_without_its_certificate_is_told(tmp_path: Path) -> None:
    files = write_signer(tmp_path)
    with pytest.raises(ConfigError, match="both key_file and cert_file"):
        peer_of(tmp_path, key_file=files["key_file"])
    Path(files["cert_file"]).write_text("no certificate")
    with pytest.raises(ConfigError, match="cannot be read"):
        peer_of(tmp_path, **files)


def test_the_folder_is_relative_to_the_configuration(tmp_path: Path) -> None:
    feed = FeedConfig(name="out", url="cap:alerts/out?sender=a&outline=1,1;1,2;2,2;1,1")
    config = check(StationConfig(site=SITE, feed=(feed,)), "x", tmp_path)
    made = make_peer(config.feed[0], Keys(receipts=bytes(32)))
    assert isinstance(made, CapFolderPeer)
    assert made._folder == tmp_path / "alerts" / "out"
