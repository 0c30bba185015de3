"""The gateway's parts by themselves: the gate, the table, facts, the pipe, its configuration."""

import asyncio
import socket
from pathlib import Path

import pytest
from station_feed_hub import FeedHub

from vedette.model import ConfigError, Receipt
from vedette.station.access import Authenticated, Principal
from vedette.station.access.credentials import SESSION_COOKIE
from vedette.station.config import FeedConfig
from vedette.station.gateway.crew import listeners
from vedette.station.gateway.facts import ACCEPTED_S, FactBook
from vedette.station.gateway.gate import FREE_FAULTS, MOST_OF_ADDRESS, Gate
from vedette.station.gateway.peer import gateway_peer
from vedette.station.gateway.pipe import Facts, Pipe, Send, Stranger, pack, unpack
from vedette.station.gateway.table import MOST_OF_UNIT, Reader, Table
from vedette.station.gateway.worker import address_of, cookie_of, origin_is_good


def reader(number: int, unit: str, *, acknowledges: bool = True) -> Reader:
    officer = Principal(id=1, name=f"officer-{unit.lower()}", kind="officer", roles=("officer",), unit=unit)
    who = Authenticated(principal=officer, method="phone")
    showed = Stranger(number, "192.0.2.1", "x", None, None, None, "en", (("A1", 2, 0),))
    return Reader((0, number), unit, who, showed, acknowledges=acknowledges)


def test_wrong_tries_are_free_at_first_and_then_slow_for_their_address_only() -> None:
    gate = Gate()
    for _ in range(int(FREE_FAULTS)):
        assert gate.refusal("a", 0.0) is None
        gate.wrong("a", 0.0)
    assert gate.refusal("a", 0.0) == "too-often-wrong"
    assert gate.refusal("b", 0.0) is None
    assert gate.refusal("a", 2.5) is None


def test_strangers_of_one_address_leave_room_for_others() -> None:
    gate = Gate()
    for _ in range(MOST_OF_ADDRESS):
        gate.enter("a")
    assert gate.refusal("a", 0.0) == "too-many-strangers-of-address"
    assert gate.refusal("b", 0.0) is None
    gate.leave("a")
    assert gate.refusal("a", 0.0) is None


def test_the_oldest_connection_of_a_unit_gives_way() -> None:
    table = Table()
    readers = [reader(number, "U0") for number in range(MOST_OF_UNIT + 1)]
    gave_way = [table.add(one) for one in readers]
    assert gave_way == [None] * MOST_OF_UNIT + [readers[0]]
    assert len(table) == MOST_OF_UNIT
    assert table.lose(0) == MOST_OF_UNIT
    assert not table.units


def test_what_a_device_says_it_has_seen_only_rises() -> None:
    one = reader(1, "U0")
    one.saw("A1", (1, 0))
    assert one.seen["A1"] == (2, 0)
    one.saw("A1", (2, 7))
    assert one.seen["A1"] == (2, 7)


class Hub(FeedHub):
    """Keeps facts, and is the record."""

    def __init__(self) -> None:
        super().__init__()
        self.good = True

    def confirmed(self, receipts: list[Receipt]) -> None:
        self.receipts += receipts

    def returned(self, channel: str, units: list[str]) -> None:
        raise AssertionError("nobody came")

    def alerts_of(self, unit: str) -> tuple[()]:
        return ()

    async def recorded(self, patience_s: float) -> bool:
        return self.good


def facts_of(
    *said: Facts, tell_first: bool, wait_s: float = 0.1, good: bool = True
) -> tuple[Hub, list[Send]]:
    """What becomes of facts about alert A1, revision 1, which U0 and U1 are being told and U2 is not."""
    hub, answers, table = Hub(), [], Table()
    hub.good = good
    readers = [reader(0, "U0"), reader(1, "U1", acknowledges=False), reader(2, "U2")]
    for one in readers:
        table.add(one)

    async def scene() -> None:
        tasks = []
        book = FactBook(
            "gate",
            hub,
            table,
            lambda worker, send: answers.append(send),
            lambda work: tasks.append(asyncio.create_task(work)),
        )
        book.telling("A1", 1, readers[:2])
        if tell_first:
            book.accepted("A1", 1, ("U0", "U1"))
        for one in said:
            book.take(0, one, unpack(one.conns))
        if not tell_first:
            book.accepted("A1", 1, ("U0", "U1"))
        await asyncio.sleep(wait_s)
        await asyncio.gather(*tasks)

    asyncio.run(scene())
    return hub, answers


@pytest.mark.parametrize("tell_first", [True, False])
def test_an_answer_counts_whether_or_not_the_worker_was_faster(tell_first: bool) -> None:
    hub, answers = facts_of(
        Facts("A1", 1, "acknowledged", pack([0])), tell_first=tell_first, wait_s=ACCEPTED_S + 0.2
    )
    found = [(one.recipient, one.fact, one.by) for one in hub.receipts]
    assert found == [("U0", "acknowledged", "officer-u0"), ("U1", "accepted", None)]
    assert [b"taken" in one.frame for one in answers] == [True]


def test_displays_and_other_units_acknowledge_nothing() -> None:
    hub, answers = facts_of(Facts("A1", 1, "acknowledged", pack([0, 1, 2, 9])), tell_first=True)
    assert [one.recipient for one in hub.receipts] == ["U0"]
    refused = next(one for one in answers if b"not-taken" in one.frame)
    assert list(unpack(refused.conns)) == [1, 2]


def test_a_revision_that_nobody_was_told_of_is_not_acknowledged() -> None:
    hub, _ = facts_of(
        Facts("A1", 2, "acknowledged", pack([0])), Facts("A1", 0, "shown", pack([0])), tell_first=True
    )
    assert not hub.receipts


def test_nothing_is_confirmed_that_the_disk_has_not_taken() -> None:
    hub, answers = facts_of(Facts("A1", 1, "acknowledged", pack([0])), tell_first=True, good=False)
    assert [one.recipient for one in hub.receipts] == ["U0"]
    assert not answers


def test_a_port_that_somebody_has_is_refused_though_sockets_can_be_shared() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        with pytest.raises(OSError, match="in use"):
            listeners("127.0.0.1", other.getsockname()[1], 2)


def test_a_pipe_hands_on_whole_messages_and_hangs_up_on_anything_else() -> None:
    async def scene() -> tuple[list[Send], bool]:
        heard: list[Send] = []
        lost = asyncio.Event()
        ours, theirs = socket.socketpair()
        pipe: Pipe[Send] = Pipe(Send, heard.append, lost.set)
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: pipe, sock=ours)
        other: Pipe[Send] = Pipe(Send, lambda message: None, lambda: None)
        await loop.create_unix_connection(lambda: other, sock=theirs)
        for number in range(3):
            other.send(Send(number, b"x" * 100_000, pack([number])))
        while len(heard) < 3:
            await asyncio.sleep(0.01)
        assert other._transport is not None
        other._transport.write(b"\0\0\0\2no")
        await lost.wait()
        other.close()
        return heard, True

    heard, hung_up = asyncio.run(scene())
    assert [(one.number, len(one.frame), list(unpack(one.conns))) for one in heard] == [
        (number, 100_000, [number]) for number in range(3)
    ]
    assert hung_up


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("gateway:", "is not gateway://HOST:PORT"),
        ("gateway://127.0.0.1", "is not gateway://HOST:PORT"),
        ("gateway://127.0.0.1:99999", "is not gateway://HOST:PORT"),
        ("gateway://127.0.0.1:1/alerts", "is not gateway://HOST:PORT"),
        ("gateway://127.0.0.1:1?wokers=2", "unknown wokers"),
        ("gateway://127.0.0.1:1?workers=0", "a whole number from 1 to 16"),
        ("gateway://127.0.0.1:1?workers=two", "a whole number from 1 to 16"),
        ("gateway://0.0.0.0:1", "beyond this machine"),
        ("gateway://192.0.2.1:1", "unencrypted"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused_in_words(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        gateway_peer(FeedConfig(name="g", url=url), None)


def test_a_certificate_needs_its_key_and_both_files(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="go together"):
        gateway_peer(FeedConfig(name="g", url="gateway://192.0.2.1:1", cert_file="a"), None)
    files = {"cert_file": str(tmp_path / "a"), "key_file": str(tmp_path / "b")}
    with pytest.raises(ConfigError, match="there is no file"):
        gateway_peer(FeedConfig(name="g", url="gateway://192.0.2.1:1", **files), None)


@pytest.mark.parametrize(
    ("origin", "good"),
    [
        (None, True),
        ("https://tak.example:8472", True),
        ("https://TAK.example:8472", True),
        ("https://phones.example", True),
        ("https://tak.example", False),
        ("https://tak.example:8472.evil.example", False),
        ("null", False),
        ("http://[", False),
        ("", False),
    ],
)
def test_only_pages_of_the_host_itself_connect(origin: str | None, good: bool) -> None:
    assert origin_is_good(origin, "tak.example:8472", ("https://phones.example",)) is good


def test_one_cookie_is_found_among_others() -> None:
    assert cookie_of("a=1; __Host-vedette-session=vds_x; b=2", SESSION_COOKIE) == "vds_x"
    assert cookie_of("x__Host-vedette-session=vds_x; vedette-session=vds_y", SESSION_COOKIE) is None
    assert cookie_of(f"__Host-vedette-session={'x' * 300}", SESSION_COOKIE) is None


def test_a_network_of_ipv6_counts_as_one_address() -> None:
    assert address_of(("2001:db8:1:2:aaaa::1", 1, 0, 0)) == address_of(("2001:db8:1:2:bbbb::2", 2, 0, 0))
    assert address_of(("2001:db8:1:3::1", 1, 0, 0)) != address_of(("2001:db8:1:2::1", 1, 0, 0))
    assert address_of(("192.0.2.1", 1)) == "192.0.2.1"
    assert address_of(None) == "?"
