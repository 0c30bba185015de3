"""The gateway with its real worker processes: who is told what, and what their answers do."""

import asyncio
import os
import signal
import ssl
import time
from pathlib import Path

from gateway_rig import Phone, Rig, officers, play, serving, until
from msgspec.structs import replace
from station_build import SITE

from vedette.model.alert import Change
from vedette.model.event import Deliver
from vedette.station.access import Doorkeeper
from vedette.station.access.authority import FOLDER, Pair, make_authority
from vedette.station.access.certificates import Issued
from vedette.station.config import FeedConfig, StationConfig
from vedette.wire.gateway import Ack, AlertFrame, Hello, NotTaken, Taken


def test_a_phone_is_told_and_its_acknowledgement_reaches_the_outbox(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        phone, other = await rig.phone("U0", lang="es-MX"), await rig.phone("U1")
        assert rig.peer.reaches("U0")
        assert not rig.peer.reaches("U2")
        alert = rig.deliver("U0")
        await until(lambda: phone.alerts, "the alert")
        (got,) = phone.alerts
        assert (got.id, got.rev, got.text, got.sound, got.again) == (
            "AU0",
            1,
            "dron, revision 1",
            True,
            False,
        )
        assert (got.bearing_deg, got.range_m) == (45.0, 800.0)
        await phone.say(Ack(alert.alert, 1, "acknowledged"))
        await until(lambda: any(isinstance(frame, Taken) for frame in phone.read), "confirmed")
        assert not rig.station._outbox.entries
        assert not other.alerts
        for one in (phone, other):
            await one.close()

    play(tmp_path, scene)


def test_nobody_acknowledges_what_another_unit_was_told(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        phone, other = await rig.phone("U0"), await rig.phone("U1")
        rig.deliver("U0")
        await until(lambda: phone.alerts, "the alert")
        await other.say(Ack("AU0", 1, "acknowledged"))
        await until(lambda: any(isinstance(frame, NotTaken) for frame in other.read), "refused")
        assert ("AU0", "U0") in rig.station._outbox.entries
        for one in (phone, other):
            await one.close()

    play(tmp_path, scene)


def test_after_a_worker_was_killed_whoever_has_not_answered_is_told_again(tmp_path: Path) -> None:
    """The same id and revision; seen before, so without a sound; and nobody who had answered."""

    async def scene(rig: Rig) -> None:
        units = [f"U{number}" for number in range(40)]
        phones = {unit: await rig.phone(unit) for unit in units}
        rig.deliver(*units, name="A1")
        answered = units[:15]
        await until(lambda: all(phones[unit].alerts for unit in answered), "told")
        for unit in answered:
            await phones[unit].say(Ack("A1", 1, "acknowledged"))
        await until(
            lambda: all(("A1", unit) not in rig.station._outbox.entries for unit in answered), "taken"
        )
        before = rig.workers()
        os.kill(before[0], signal.SIGKILL)
        await until(lambda: any(phone.ended is not None for phone in phones.values()), "connections end")
        lost = [unit for unit in units if phones[unit].ended is not None]
        assert 0 < len(lost) < len(units)
        assert not any(rig.peer.reaches(unit) for unit in lost)
        again = {}
        for unit in lost:
            seen = tuple((one.id, one.rev, one.call) for one in phones[unit].alerts)
            again[unit] = await rig.phone(unit, seen=seen)
        silent = [unit for unit in lost if unit not in answered]
        await until(lambda: all(again[unit].alerts for unit in silent), "told again")
        for unit in silent:
            assert [(one.id, one.rev, one.again) for one in again[unit].alerts] == [("A1", 1, True)]
            assert not any(one.sound for one in again[unit].alerts)
            await again[unit].say(Ack("A1", 1, "acknowledged"))
        kept = [unit for unit in units if unit not in answered and unit not in lost]
        for unit in kept:
            await phones[unit].say(Ack("A1", 1, "acknowledged"))
        await until(lambda: not rig.station._outbox.entries, "everybody has answered")
        assert not any(again[unit].alerts for unit in lost if unit in answered)
        assert all(len(phone.alerts) == 1 for phone in phones.values())
        assert rig.workers() != before
        for phone in (*phones.values(), *again.values()):
            await phone.close()

    play(tmp_path, scene, units=40)


def test_killed_in_the_middle_of_a_fan_out_nobody_is_left_out(tmp_path: Path) -> None:
    """A worker dies at the moment of the message; phones come back by themselves, as they do in the field."""

    async def scene(rig: Rig) -> None:
        units = [f"U{number}" for number in range(200)]
        told: dict[str, list[AlertFrame]] = {unit: [] for unit in units}

        async def live(unit: str) -> None:
            while True:
                seen = tuple((one.id, one.rev, one.call) for one in told[unit])
                phone = await Phone.open(rig.port, rig.hello(unit, seen=seen))
                taken = 0
                while phone.ended is None:
                    for frame in phone.alerts[taken:]:
                        told[unit].append(frame)
                        await phone.say(Ack(frame.id, frame.rev, "on-device"))
                    taken = len(phone.alerts)
                    await asyncio.sleep(0.02)
                await phone.close()

        tasks = [asyncio.create_task(live(unit)) for unit in units]
        await until(lambda: all(rig.peer.reaches(unit) for unit in units), "connected")
        rig.deliver(*units, name="A1")
        os.kill(rig.workers()[1], signal.SIGKILL)
        await until(lambda: all(told.values()), "everybody told")
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for frames in told.values():
            assert {(one.id, one.rev) for one in frames} == {("A1", 1)}
            assert sum(one.sound for one in frames) == 1

    play(tmp_path, scene, units=200)


def test_an_answer_that_is_faster_than_the_workers_own_counts(tmp_path: Path) -> None:
    """Phones that acknowledge in the moment in which they read: none of it is refused."""

    async def scene(rig: Rig) -> None:
        units = [f"U{number}" for number in range(60)]
        phones = [await rig.phone(unit) for unit in units]

        async def at_once(phone: Phone, name: str) -> None:
            await until(lambda: phone.alerts and phone.alerts[-1].id == name, "told")
            await phone.say(Ack(name, 1, "acknowledged"))

        for number in range(5):
            rig.deliver(*units, name=f"A{number}")
            await asyncio.gather(*(at_once(phone, f"A{number}") for phone in phones))
        await until(lambda: not rig.station._outbox.entries, "everybody has answered")
        assert not any(isinstance(frame, NotTaken) for phone in phones for frame in phone.read)
        for phone in phones:
            await phone.close()

    play(tmp_path, scene, units=60)


def test_two_hundred_phones_come_back_within_two_seconds(tmp_path: Path) -> None:
    """From one address, while a warning is out: all are let in, and told what they have not acknowledged."""

    async def scene(rig: Rig) -> None:
        units = [f"U{number}" for number in range(200)]
        rig.deliver(*units, name="A1")
        await until(lambda: len(rig.station._outbox.entries) == 200, "addressed")
        phones = await asyncio.gather(*(rig.phone(unit) for unit in units))
        await until(lambda: all(phone.alerts for phone in phones), "told")
        for phone in phones:
            phone.socket.transport.abort()
        await until(lambda: not any(rig.peer.reaches(unit) for unit in units), "gone")

        async def back(unit: str) -> Phone:
            await asyncio.sleep(2.0 * int(unit[1:]) / len(units))
            return await rig.phone(unit, seen=(("A1", 1, 0),))

        again = await asyncio.gather(*(back(unit) for unit in units))
        await until(lambda: all(phone.alerts for phone in again), "told again")
        assert all(
            [(one.id, one.rev, one.again, one.sound) for one in phone.alerts] == [("A1", 1, True, False)]
            for phone in again
        )
        for phone in (*phones, *again):
            await phone.close()

    play(tmp_path, scene, units=200)


def test_who_is_asked_anew_hears_it_though_the_revision_is_the_same(tmp_path: Path) -> None:
    """An escalation repeats a revision that nobody answered; what comes again by itself is silent."""

    async def scene(rig: Rig) -> None:
        phone = await rig.phone("U0")
        alert = rig.deliver("U0")
        await until(lambda: phone.alerts, "the alert")
        asked = replace(alert, change=Change(event="escalated", time=alert.time + 10.0))
        message = Deliver(
            alert=asked, recipients=("U0",), rule="escalation-unit", roster_version=1, sound=True
        )
        rig.station._engine.resume([message])
        await until(lambda: len(phone.alerts) == 2, "asked anew")
        first, second = phone.alerts
        assert (first.rev, second.rev) == (1, 1)
        assert first.sound
        assert second.sound
        assert second.call > first.call
        await phone.close()
        seen = tuple((one.id, one.rev, one.call) for one in phone.alerts)
        back = await rig.phone("U0", seen=seen)
        await until(lambda: back.alerts, "told again")
        assert (back.alerts[0].again, back.alerts[0].sound) == (True, False)
        await back.close()

    play(tmp_path, scene)


def test_somebody_who_is_told_about_another_unit_reads_no_direction(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        lead = await rig.phone("U1")
        rig.deliver("U0", "U1")
        await until(lambda: lead.alerts, "told")
        (got,) = lead.alerts
        assert got.about is not None
        assert got.bearing_deg is got.range_m is got.time_left_s is None
        await lead.close()

    play(tmp_path, scene)


def test_an_end_is_told_and_the_outbox_lets_go(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        phone = await rig.phone("U0")
        alert = rig.deliver("U0")
        await until(lambda: phone.alerts, "told")
        rig.clear(replace(alert, revision=2, state="cleared", text={"en": "drone left"}), "U0")
        await until(lambda: phone.clears, "the end")
        assert (phone.clears[0].id, phone.clears[0].rev, phone.clears[0].text) == ("AU0", 2, "drone left")
        await phone.close()

    play(tmp_path, scene)


def test_a_certificate_lets_its_officer_in_until_it_is_revoked(tmp_path: Path) -> None:
    """Over TLS by the site's authority, with a phone's session beside it."""

    async def whole() -> None:
        state, now = tmp_path / "state", time.time()
        door = Doorkeeper(state, SITE.name, background=True)
        sessions = officers(door, 2)
        issuer = make_authority(door.folder / FOLDER, SITE.name, now).unlock()
        write_pair(tmp_path / "server", issuer.issue("gateway", "server", now, hosts=("127.0.0.1",)))
        own = issuer.issue("officer-1", "officer", now)
        write_pair(tmp_path / "phone", own)
        issued = door.register.add("test", own.certificate, "officer", door.people.get("officer-1"), now)
        feed = FeedConfig(
            name="gate",
            url="gateway://127.0.0.1:0?workers=1",
            cert_file=str(tmp_path / "server.crt"),
            key_file=str(tmp_path / "server.key"),
        )
        config = StationConfig(site=SITE, state=str(state), feed=(feed,))
        async with serving(config, door, sessions) as rig:
            await revoked_while_connected(rig, tmp_path, door, issued)
        door.close()

    asyncio.run(whole())


async def revoked_while_connected(rig: Rig, folder: Path, door: Doorkeeper, issued: Issued) -> None:
    plain = ssl.create_default_context(cafile=str(door.folder / FOLDER / "ca.crt"))
    shown = ssl.create_default_context(cafile=str(door.folder / FOLDER / "ca.crt"))
    shown.load_cert_chain(folder / "phone.crt", folder / "phone.key")
    uri = f"wss://127.0.0.1:{rig.port}/alerts"
    by_session = await Phone.open(rig.port, rig.hello("U0"), uri=uri, ssl=plain)
    by_certificate = await Phone.open(rig.port, Hello(v=1), uri=uri, ssl=shown)
    nobody = await Phone.open(rig.port, Hello(v=1), uri=uri, ssl=plain)
    assert [phone.welcomed for phone in (by_session, by_certificate, nobody)] == [True, True, False]
    rig.deliver("U1")
    await until(lambda: by_certificate.alerts, "told by certificate")
    await asyncio.to_thread(door.register.revoke, "test", issued, "key-compromise", time.time())
    await until(lambda: by_certificate.ended is not None, "shut out")
    assert by_session.ended is None
    for phone in (by_session, by_certificate, nobody):
        await phone.close()


def write_pair(stem: Path, pair: Pair) -> None:
    stem.with_suffix(".crt").write_bytes(pair.certificate_pem())
    stem.with_suffix(".key").write_bytes(pair.key_pem())


def test_a_worker_that_hangs_holds_up_nobody_of_another_and_nothing_sounds_twice(tmp_path: Path) -> None:
    async def scene(rig: Rig) -> None:
        units = [f"U{number}" for number in range(30)]
        phones = {unit: await rig.phone(unit) for unit in units}
        stopped = rig.workers()[0]
        os.kill(stopped, signal.SIGSTOP)
        try:
            rig.deliver(*units, name="A1")
            held = {unit for unit in units if next(iter(rig.peer._table.units[unit]))[0] == 0}
            free = [unit for unit in units if unit not in held]
            await until(lambda: all(phones[unit].alerts for unit in free), "the others are told")
            assert held
            assert not any(phones[unit].alerts for unit in held)
            await asyncio.sleep(3.0)
        finally:
            os.kill(stopped, signal.SIGCONT)
        await until(lambda: all(phones[unit].alerts for unit in units), "told when it goes on")
        await asyncio.sleep(2.0)
        for unit, phone in phones.items():
            assert [one.sound for one in phone.alerts].count(True) == 1, unit
        for phone in phones.values():
            await phone.close()

    play(tmp_path, scene, units=30)
