"""Lockout and sessions against plain models, under sequences of events and a clock that hypothesis turns."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.station.access.attempts import Attempts
from vedette.station.access.doorkeeper import Doorkeeper
from vedette.station.access.lockout import ADDRESS, DEVICE, NAME
from vedette.station.access.refusal import Refused
from vedette.station.access.secret import Secret
from vedette.station.access.sessions import DESK, TOUCH_S

T0 = 1_790_000_000.0
STEPS = st.sampled_from([0.0, 0.5, 10.0, 59.0, 61.0, 600.0, 3600.0, 7199.0, 7200.0, 30_000.0])


@contextmanager
def keeper() -> Iterator[Doorkeeper]:
    with tempfile.TemporaryDirectory() as folder:
        door = Doorkeeper(Path(folder) / "state", "Testfield")
        try:
            yield door
        finally:
            door.close()


@settings(max_examples=40)
@given(st.lists(st.tuples(STEPS, st.sampled_from(["look", "touch", "confirm", "leave"])), max_size=25))
def test_a_session_is_what_the_model_says(steps: list[tuple[float, str]]) -> None:
    with keeper() as door:
        person = door.people.add("test", "anna", "person", ("watch-officer",), T0)
        session = door.sessions.begin(person, "password", True, T0)
        now, touched, gone = T0, T0, False
        for step, what in steps:
            now += step
            over = gone or now - T0 >= DESK.absolute_s
            fresh = now - touched < DESK.idle_s
            if what == "leave":
                door.sign_out(session)
                gone = True
            elif what == "touch":
                door.touch(session, now)
                if fresh and now - touched >= TOUCH_S:
                    touched = now
            elif what == "confirm" and not over:
                door.sessions.touch(session.reveal(), now)
                touched = now
            elif what == "look":
                assert seen(door, session, now) == ("over" if over else "fresh" if fresh else "resting")


def seen(door: Doorkeeper, session: Secret, now: float) -> str:
    try:
        return "fresh" if door.by_session(session, now).fresh else "resting"
    except Refused:
        return "over"


OWN = [("device:hers", DEVICE)]
FOES = [[("name:anna", NAME), (f"address:{n}", ADDRESS)] for n in range(4)]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.1, 1.0, 7.0, 30.0, 901.0]), st.integers(-2, 3)),
        max_size=60,
    )
)
def test_nobody_else_makes_her_wait_and_no_wait_is_ever_longer_than_its_limit(
    steps: list[tuple[float, int]],
) -> None:
    """-2: she mistypes, -1: she gets it right, 0 to 3: somebody fails in her name from that address."""
    with keeper() as door:
        attempts, now, slips = Attempts(door.store), T0, 0
        for step, who in steps:
            now += step
            if who >= 0:
                assert 0.0 <= attempts.charge(FOES[who], now) <= NAME.most_s
                continue
            wait = attempts.charge(OWN, now)
            assert wait <= DEVICE.most_s
            assert not wait or slips >= DEVICE.free, "she waits for what others did"
            if wait:
                continue
            if who == -1:
                attempts.succeed(OWN)
                slips = 0
            else:
                slips += 1


@settings(max_examples=25)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_whoever_keeps_asking_gets_no_more_looks_than_the_waits_allow(order: list[int]) -> None:
    """A look is an attempt without a wait. Whatever the order of addresses, the name's waits add up."""
    with keeper() as door:
        attempts, now, looks = Attempts(door.store), T0, 0
        for who in order * 3:
            if not attempts.charge(FOES[who], now):
                looks += 1
            now += 1.0
        elapsed = now - T0
        earliest = 0.0
        for number in range(NAME.free, looks - 1):
            earliest += NAME.first_s * 2.0 ** (number - NAME.free)
        assert earliest <= elapsed
