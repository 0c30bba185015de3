"""What attackers and broken clients send: refused, counted, and nobody else is held up by it."""

import asyncio
import os
import socket
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from gateway_rig import Phone, Rig, dial, play, until
from websockets.exceptions import ConnectionClosed, InvalidStatus

from vedette.model import Alert, Receipt
from vedette.model.event import Deliver
from vedette.station.access.credentials import SESSION_COOKIE
from vedette.wire.gateway import MOST_BYTES, Ack, Hello, Refusal, write


async def _says(rig: Rig, *data: str | bytes) -> tuple[int, list[str]]:
    """Connect, say this, and how it ended: close code and what was read."""
    connection = await dial(rig.port)
    read = []
    try:
        for one in data:
            await connection.send(one)
        while True:
            read.append(str(await connection.recv()))
    except ConnectionClosed:
        return connection.close_code or 0, read


@pytest.mark.parametrize(
    "said",
    [
        "no json",
        '{"t":"hello","v":"one"}',
        '{"t":"hello"}',
        '{"t":"order","v":1}',
        "[" * 3000,
        '{"t":"ack","id":"A1","rev":1,"fact":"acknowledged"}',
        '{"t":"hello","v":1}',
        '{"t":"hello","v":2}',
        '{"t":"hello","v":1,"session":"vds_guessed"}',
        '{"t":"hello","v":1,"token":"vdt_guessed"}',
        b"binary",
    ],
)
def test_whoever_does_not_speak_the_protocol_or_shows_nothing_good_is_cut_off(
    tmp_path: Path, said: str | bytes
) -> None:
    async def scene(rig: Rig) -> None:
        code, read = await _says(rig, said)
        assert code in (1003, 1008)
        assert all('"t":"refused"' in one for one in read)
        await until(lambda: rig.peer.counts, "counted")
        assert not len(rig.peer._table)

    play(tmp_path, scene, workers=1)


def test_a_giant_frame_ends_its_connection_only(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        phone = await rig.phone("U0")
        for length in (MOST_BYTES + 1, 16 * 1024 * 1024):
            code, _ = await _says(rig, "x" * length)
            assert code in (1008, 1009, 1006, 0)
        rig.deliver("U0")
        await until(lambda: phone.alerts, "told all the same")
        await phone.close()

    play(tmp_path, scene, workers=1)


def test_bytes_that_are_no_utf_8_end_the_connection(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        connection = await dial(rig.port)
        frame = b"\x81" + bytes([0x80 | 4]) + b"\0\0\0\0" + b'"\xff\xfe"'
        connection.transport.write(frame)
        await connection.wait_closed()
        assert connection.close_code
        assert rig.workers()

    play(tmp_path, scene, workers=1)


def test_a_session_that_was_ended_and_an_account_that_was_disabled_are_shut_out(tmp_path: Path) -> None:
    """Also while they are connected."""

    async def scene(rig: Rig) -> None:
        phone, other = await rig.phone("U0"), await rig.phone("U1")
        await asyncio.to_thread(rig.door.people.disable, "test", "officer-0", time.time())
        await until(lambda: phone.ended is not None, "shut out")
        assert isinstance(phone.read[-1], Refusal)
        assert not rig.peer.reaches("U0")
        assert other.ended is None
        again = await Phone.open(rig.port, rig.hello("U0"))
        assert isinstance(again.read[0], Refusal)
        for one in (phone, other, again):
            await one.close()

    play(tmp_path, scene)


def test_a_program_reads_and_never_acknowledges(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        now = time.time()
        siren = rig.door.people.add("test", "siren", "program", (), now)
        good = rig.door.tokens.make("test", siren, "siren", ("view-people",), now).reveal()
        poor = rig.door.tokens.make("test", siren, "siren", ("submit-detections",), now).reveal()
        display = await Phone.open(rig.port, Hello(v=1, token=good, unit="U0"))
        assert display.welcomed
        refused = await Phone.open(rig.port, Hello(v=1, token=poor, unit="U0"))
        assert isinstance(refused.read[0], Refusal)
        rig.deliver("U0")
        await until(lambda: display.alerts, "shown")
        await display.say(Ack("AU0", 1, "acknowledged"))
        await until(lambda: len(display.read) > 2, "answered")
        assert rig.station._outbox.entries
        for one in (display, refused):
            await one.close()

    play(tmp_path, scene)


def test_an_officer_speaks_for_no_other_unit(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        phone = await Phone.open(rig.port, rig.hello("U0", unit="U1"))
        assert isinstance(phone.read[0], Refusal)
        await phone.close()

    play(tmp_path, scene)


def test_a_page_of_another_host_may_not_connect(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        with pytest.raises(InvalidStatus):
            await dial(rig.port, origin="https://evil.example")
        with pytest.raises(InvalidStatus):
            await dial(rig.port, uri=f"ws://127.0.0.1:{rig.port}/elsewhere")
        own = await dial(rig.port, origin=f"http://127.0.0.1:{rig.port}")
        named = await dial(rig.port, origin="https://phones.example")
        for one in (own, named):
            await one.close()

    play(tmp_path, scene, workers=1, options="&origin=https://phones.example")


def test_a_browser_shows_its_session_as_a_cookie(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        cookie = {"Cookie": f"a=b; {SESSION_COOKIE}={rig.sessions['U0']}"}
        phone = await Phone.open(rig.port, Hello(v=1), additional_headers=cookie)
        assert phone.welcomed
        assert rig.peer.reaches("U0")
        await phone.close()

    play(tmp_path, scene, workers=1)


def test_replayed_acknowledgements_are_one_fact(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        entered: list[Receipt] = []
        confirmed = rig.station.confirmed

        def note(receipts: Sequence[Receipt]) -> None:
            entered.extend(receipts)
            confirmed(receipts)

        rig.station.confirmed = note  # type: ignore[method-assign]
        phone = await rig.phone("U0")
        rig.deliver("U0")
        await until(lambda: phone.alerts, "the alert")
        for _ in range(20):
            await phone.say(Ack("AU0", 1, "acknowledged"))
        await phone.say(Ack("AU0", 7, "acknowledged"))
        await phone.say(Ack("AU0", 1, "shown"))
        await until(lambda: len(phone.read) >= 4, "answered")
        await asyncio.sleep(0.7)
        assert [receipt.fact for receipt in entered] == ["acknowledged"]
        assert entered[0].by == "officer-0"
        await phone.close()

    play(tmp_path, scene)


def test_somebody_who_never_reads_is_cut_off_and_holds_up_nobody(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        phone = await rig.phone("U1")
        deaf = await dial(rig.port)
        await deaf.send(write(rig.hello("U0")).decode())
        await until(lambda: rig.peer.reaches("U0"), "connected")
        deaf.transport.pause_reading()
        revision = 0
        while rig.peer.reaches("U0") and revision < 60_000:
            for _ in range(500):
                revision += 1
                message = rig.alert("U0", revision=revision, name="A0")
                await rig.peer.deliver_all(_to(message), ["U0"])
        assert not rig.peer.reaches("U0"), "never cut off"
        rig.deliver("U1")
        await until(lambda: phone.alerts, "the other is told")
        await until(lambda: rig.peer.counts["does-not-read"], "counted")
        deaf.transport.abort()
        await phone.close()

    play(tmp_path, scene, workers=1)


def test_strangers_who_say_nothing_keep_nobody_out(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        silent = [await dial(rig.port) for _ in range(50)]
        raw = [socket.create_connection(("127.0.0.1", rig.port)) for _ in range(50)]
        phone = await rig.phone("U0")
        rig.deliver("U0")
        await until(lambda: phone.alerts, "told")
        await phone.close()
        for one in silent:
            one.transport.abort()
        for plain in raw:
            plain.close()

    play(tmp_path, scene)


def test_guessing_is_slowed_down_by_address(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        words = set()
        for _ in range(30):
            phone = await Phone.open(rig.port, Hello(v=1, session=f"vds_{os.urandom(8).hex()}"))
            words.add(phone.read[0].why if isinstance(phone.read[0], Refusal) else "let in")
            await phone.close()
        assert "too-often-wrong" in words
        assert "let in" not in words

    play(tmp_path, scene, workers=1)


def test_a_phone_that_went_silent_does_not_count_as_reached(tmp_path: Path) -> None:
    """It neither answers pings nor hangs up, as one whose battery is empty."""

    async def scene(rig: Rig) -> None:
        phone = await rig.phone("U0")
        phone.socket.transport.pause_reading()
        await until(lambda: not rig.peer.reaches("U0"), "given up")
        phone.socket.transport.abort()
        await phone.close()

    play(tmp_path, scene, workers=1, options="&ping=1")


def _to(alert: Alert) -> Deliver:
    return Deliver(alert=alert, recipients=alert.units, rule="unit-at-risk", roster_version=1)
