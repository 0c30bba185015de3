"""The way out by mail: a real mail server (aiosmtpd), and servers that mean harm."""

import asyncio
import email
import email.policy
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import outward
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from station_feed_hub import FeedHub, until

from vedette.express.mail import is_address, mail_of
from vedette.express.notice import Notice, Teller, Told, notice_of
from vedette.model import ConfigError, Roster, RosterEntry
from vedette.station.config import FeedConfig, StationConfig, check
from vedette.station.peers.registry import Keys, make_peer
from vedette.station.peers.smtp import SmtpPeer, smtp_peer

FROM = "vedette@site.example"


class Postbox:
    """What a real server's handler is given. ``answer``: what it says to a recipient, None = welcome."""

    def __init__(self, answer: Callable[[str], str | None] = lambda address: None) -> None:
        self.mails: list[tuple[str, list[str], bytes]] = []
        self.asked: list[str] = []
        self._answer = answer

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        self.asked.append(address)
        said = self._answer(address)
        if said is not None:
            return said
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        return "250 taken"

    def read(self) -> list[EmailMessage]:
        return [email.message_from_bytes(data, policy=email.policy.default) for _, _, data in self.mails]  # type: ignore[misc]


class MailServer:
    """aiosmtpd on loopback; with ``files`` it wants STARTTLS and a login before anything else."""

    def __init__(self, box: Postbox, files: tuple[str, str] | None = None, *, at_once: bool = False) -> None:
        self.box, self.files, self.at_once = box, files, at_once
        self.port = 0

    async def __aenter__(self) -> "MailServer":
        smtp = pytest.importorskip("aiosmtpd.smtp", reason="aiosmtpd is not installed")
        tls = None
        if self.files is not None:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(*self.files)

        def login(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> Any:
            good = (data.login, data.password) == (b"vedette", b"s3cret")
            return smtp.AuthResult(success=good, handled=good)

        def made() -> Any:
            options: dict[str, Any] = {"hostname": "localhost", "loop": asyncio.get_running_loop()}
            if tls is not None:
                options["authenticator"] = login
                if self.at_once:
                    options["auth_require_tls"] = False  # it knows of TLS only after STARTTLS
                else:
                    options |= {"auth_required": True, "tls_context": tls, "require_starttls": True}
            return smtp.SMTP(self.box, **options)

        loop = asyncio.get_running_loop()
        own_tls = tls if self.at_once else None
        self._server = await loop.create_server(made, "127.0.0.1", self.port, ssl=own_tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await asyncio.sleep(0.05)


def sent(
    server: MailServer,
    enough: Callable[[SmtpPeer], bool],
    *messages: Any,
    recipient: str = "UID-A",
    make: Callable[[int], Any] | None = None,
    hub: FeedHub | None = None,
) -> tuple[SmtpPeer, FeedHub]:
    heard = hub or outward.hub()

    async def story() -> SmtpPeer:
        async with server:
            peer = (
                make(server.port)
                if make
                else SmtpPeer("mail", "127.0.0.1", server.port, FROM, first_pause_s=0.05)
            )
            task = asyncio.create_task(peer.run(heard))
            await until(lambda: peer.reaches(recipient), "running")
            for message in messages or (outward.deliver_at,):
                made = message(heard.clock.now())
                await (peer.deliver if hasattr(made, "rule") else peer.clear)(made, recipient)
            await until(lambda: enough(peer), "enough")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return peer

    return asyncio.run(story()), heard


def accepted(peer: SmtpPeer) -> bool:
    return peer.counts["accepted"] >= 1


def test_each_address_gets_a_mail_of_its_own() -> None:
    box = Postbox()
    peer, hub = sent(MailServer(box), accepted)
    assert [(sender, to) for sender, to, _ in box.mails] == [
        (FROM, ["a@site.example"]), (FROM, ["a2@site.example"]),
    ]  # fmt: skip
    first, second = box.read()
    assert (first["To"], second["To"]) == ("a@site.example", "a2@site.example")
    assert b"a2@" not in box.mails[0][2]
    assert first["Cc"] is first["Bcc"] is None
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Subject"] == "Drone attack likely. Take hard cover now. Split up."
    assert first["Message-ID"].startswith("<AQ7MZ2KXW3P-1-")
    assert first["Message-ID"].endswith("@site.example>")
    body = first.get_content()
    assert "Open Vedette to acknowledge" in body
    assert "815" not in body
    assert [(r.recipient, r.channel, r.fact) for r in hub.receipts] == [("UID-A", "mail", "accepted")]
    assert set(peer.receipt_facts) == {"accepted"}


def test_language_and_somebody_else() -> None:
    box = Postbox()
    sent(MailServer(box), accepted, recipient="UID-B")
    (mail,) = box.read()
    assert mail["Content-Language"] == "es"
    assert mail["Subject"] == "ALPHA 1: Probable ataque de dron. Contacte ya, también por radio."


def test_an_exercise_says_so_first() -> None:
    box = Postbox()
    sent(MailServer(box), accepted, lambda now: outward.deliver_at(now, status="exercise"))
    mail = box.read()[0]
    assert mail["Subject"].startswith("EXERCISE, not real: ")
    assert mail.get_content().startswith("EXERCISE, not real: ")
    assert mail["X-Vedette-Status"] == "exercise"


@pytest.mark.parametrize("at_once", [False, True])
def test_tls_and_login(tmp_path: Path, at_once: bool) -> None:
    files = outward.certificate(tmp_path)
    login = outward.secret_file(tmp_path, "vedette\ns3cret\n")
    box, scheme = Postbox(), "smtps" if at_once else "smtp"

    def make(port: int) -> Any:
        url = f"{scheme}://localhost:{port}?from={FROM}"
        feed = FeedConfig(name="mail", url=url, ca_file=files[0], secret_file=login)
        return make_peer(feed, Keys(receipts=bytes(32)))

    _, hub = sent(MailServer(box, files, at_once=at_once), accepted, make=make)
    assert len(box.mails) == 2
    assert hub.states("mail")[-1] == "watching"


def why_down(server: MailServer, make: Callable[[int], Any]) -> str:
    hub = outward.hub()

    async def story() -> None:
        async with server:
            peer = make(server.port)
            task = asyncio.create_task(peer.run(hub))
            await until(lambda: "down" in hub.states("mail"), "down")
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())
    return hub.reason("mail") or ""


def test_without_starttls_nothing_is_said(tmp_path: Path) -> None:
    """A server, or somebody between, that offers no encryption gets no password and no mail."""
    files, box = outward.certificate(tmp_path), Postbox()
    login = outward.secret_file(tmp_path, "vedette\ns3cret\n")
    feed = FeedConfig(name="mail", url="", ca_file=files[0], secret_file=login)

    def make(port: int) -> Any:
        return smtp_peer(replace(feed, url=f"smtp://localhost:{port}?from={FROM}"))

    assert "STARTTLS" in why_down(MailServer(box), make)
    assert box.asked == []


def test_a_wrong_password_and_a_strange_certificate_are_told(tmp_path: Path) -> None:
    files, box = outward.certificate(tmp_path), Postbox()
    (tmp_path / "others").mkdir()
    strange = outward.certificate(tmp_path / "others")[0]
    login = outward.secret_file(tmp_path, "vedette\nwrong\n")

    def make(ca_file: str) -> Callable[[int], Any]:
        feed = FeedConfig(name="mail", url="", ca_file=ca_file, secret_file=login)
        return lambda port: smtp_peer(replace(feed, url=f"smtp://localhost:{port}?from={FROM}"))

    assert "user and password (535)" in why_down(MailServer(box, files), make(files[0]))
    assert "certificate" in why_down(MailServer(box, files), make(strange)).lower()
    assert box.asked == []


def test_an_address_that_is_refused_keeps_nobody_else_waiting() -> None:
    box = Postbox(lambda address: "550 no such user" if address.startswith("a@") else None)
    _, hub = sent(MailServer(box), accepted)
    assert [to for _, to, _ in box.mails] == [["a2@site.example"]]
    assert len(hub.receipts) == 1


def test_what_has_to_wait_is_sent_once_more_and_the_rest_not_again() -> None:
    tries: list[str] = []

    def answer(address: str) -> str | None:
        tries.append(address)
        return "451 later" if address.startswith("a2@") and tries.count(address) < 3 else None

    box = Postbox(answer)
    _, hub = sent(MailServer(box), accepted)
    assert sorted(to for _, (to,), _ in box.mails) == ["a2@site.example", "a@site.example"]
    assert len(hub.receipts) == 1


def test_if_nobody_is_taken_the_desk_is_told() -> None:
    box = Postbox(lambda address: "550 no such user")
    _, hub = sent(MailServer(box), lambda peer: peer.counts["refused"] == 1)
    assert hub.troubles["mail", "refused"].endswith("refused the recipient (550)")
    assert not hub.receipts
    assert "a@site.example" not in hub.troubles["mail", "refused"]


def test_an_end_is_told() -> None:
    box = Postbox()
    sent(MailServer(box), accepted, outward.clear_at)
    mail = box.read()[0]
    assert mail["Subject"] == "This warning has ended. Stay alert."
    assert "-end-" in mail["Message-ID"]


def test_who_has_no_address_is_not_reached() -> None:
    hub, peer = outward.hub(), SmtpPeer("mail", "127.0.0.1", 9, FROM)

    async def story() -> None:
        task = asyncio.create_task(peer.run(hub))
        await until(lambda: peer.reaches("UID-A"), "running")
        assert not peer.reaches("UID-C")
        assert not peer.reaches("UID-STRANGER")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())


# Servers that mean harm ---------------------------------------------------------------------------


def saying(*lines: bytes, endless: bytes = b"", close: bool = False) -> outward.Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for line in lines:
            writer.write(line)
            await writer.drain()
            await reader.read(4096)
        while endless:
            writer.write(endless)
            await writer.drain()
        if not close:
            while await reader.read(4096):
                pass

    return serve


@pytest.mark.parametrize(
    "serve",
    [
        saying(),
        saying(close=True),
        saying(b"220 hello\r\n", close=True),
        saying(b"220 hello\r\n", b"250 ok\r\n", close=True),
        saying(b"220 hello\r\n", endless=b"250-" + b"x" * 60000 + b"\r\n"),
        saying(b"220 hello\r\n", endless=b"y" * 65536),
        saying(endless=b"220-hello\r\n"),
        saying(b"\x16\x03\x01\x00\x05", endless=b"\0" * 100),
        saying(b"999999 no\r\n"),
        saying(b"220 \xff\xfe\r\n", b"250 \xff\r\n", b"\xff\xff\xff\r\n"),
        saying(b"220 hello\r\n", b"250 ok\r\n", b"354 early\r\n"),
    ],
)
def test_a_hostile_server_is_left_in_time(serve: outward.Serve) -> None:
    async def story() -> None:
        async with outward.served(serve) as port:
            hub = outward.hub()
            peer = SmtpPeer("mail", "127.0.0.1", port, FROM, attempt_s=0.5)
            task = asyncio.create_task(peer.run(hub))
            await until(lambda: peer.reaches("UID-A"), "running")
            await peer.deliver(outward.deliver_at(hub.clock.now()), "UID-A")
            await until(lambda: peer.counts["failed"] >= 1, "given up")
            assert not task.done()
            assert not hub.receipts
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())


# What is written ----------------------------------------------------------------------------------


def notice(**changes: object) -> Notice:
    told = Told(recipient="UID-A", time=1_795_400_500.0, expires=1_795_400_560.0, about="ALPHA 1")
    return replace(notice_of(outward.deliver_at(5.0), told, Teller(station="Site")), **changes)


@given(st.text(), st.text(), st.sampled_from(["en", "es", "xx", "\r\nBcc: x@y.example"]))
def test_no_text_becomes_a_header(short: str, detail: str, language: str) -> None:
    made = mail_of(
        notice(text={"en": short, "es": short}, detail={"en": detail, "es": detail}),
        language=language, sender=FROM, to="a@site.example",
    )  # fmt: skip
    plain = mail_of(notice(), language="en", sender=FROM, to="a@site.example")
    parsed = email.message_from_bytes(made, policy=email.policy.default)
    assert sorted(parsed.keys()) == sorted(email.message_from_bytes(plain).keys())
    assert made.isascii()
    assert b"\r\n.\r\n" not in made
    assert all(len(line) <= 998 for line in made.split(b"\r\n"))
    assert made.count(b"\n") == made.count(b"\r\n") == made.count(b"\r")


@pytest.mark.parametrize(
    "address",
    [
        "", "a", "a@", "@b", "a@b@c", "a b@c.example", "a@c.example\r\nDATA", "<a@c.example>", "a@c..example",
        '"a"@b.example',
        "a@b.example>", "a@-b", "ä@b.example", "a,b@c.example", "a@b.example\n", "x" * 65 + "@b.example",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    assert not is_address(address)
    with pytest.raises(ValueError):
        mail_of(notice(), language="en", sender=FROM, to=address)
    config = StationConfig(
        site=FeedHub().site,
        unit=(RosterEntry(unit="U", mail=(address,)),),
        console=StationConfig(site=FeedHub().site).console,
    )
    with pytest.raises(ConfigError, match="no mail address"):
        check(config, "vedette.toml", Path())


@pytest.mark.parametrize("address", ["a@site.example", "first.last+tag@mail.site.example", "root@localhost"])
def test_what_is_an_address_is_taken(address: str) -> None:
    assert is_address(address)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("smtp://mail.example", "the sender's mail address"),
        ("smtp://mail.example?from=a%0Ab@c.example", "the sender's mail address"),
        ("smtp://?from=a@c.example", "is not smtp://HOST:PORT"),
        ("smtp://u:p@mail.example?from=a@c.example", "secret_file"),
        ("smtp://mail.example?from=a@c.example&starttls=0", "unknown starttls"),
    ],
)
def test_a_wrong_configuration_is_told(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        smtp_peer(FeedConfig(name="mail", url=url))


def test_encryption_is_not_asked_for_on_this_machine_only() -> None:
    def tls(url: str) -> bool:
        made = smtp_peer(FeedConfig(name="mail", url=f"{url}?from={FROM}"))
        assert isinstance(made, SmtpPeer)
        return made._tls is not None

    assert tls("smtp://mail.example")
    assert tls("smtps://127.0.0.1")
    assert not tls("smtp://127.0.0.1")


def test_a_roster_without_addresses_is_as_before() -> None:
    assert Roster(version=0, units=(RosterEntry(unit="U"),)).units[0].mail == ()
