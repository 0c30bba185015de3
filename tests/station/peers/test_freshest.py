"""Of a flood the freshest messages are kept, in order, and the rest are counted unread."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.station.peers._freshest import MOST_BYTES, Freshest


def drive(messages: list[bytes], most_per_s: int) -> tuple[list[bytes], int]:
    taken: list[bytes] = []
    shed: list[int] = []

    async def run() -> None:
        queue = Freshest(most_per_s, taken.extend, shed.append)
        for message in messages:
            queue.put(message)
        for _ in range(600):
            if len(taken) + sum(shed) == len(messages):
                break
            await asyncio.sleep(0.005)
        queue.close()

    asyncio.run(run())
    return taken, sum(shed)


def test_few_messages_all_pass_in_order() -> None:
    messages = [str(number).encode() for number in range(50)]
    assert drive(messages, 1000) == (messages, 0)


def test_of_a_flood_the_freshest_remain() -> None:
    messages = [str(number).encode() for number in range(5000)]
    taken, shed = drive(messages, 1000)
    assert (taken, shed) == (messages[-100:], 4900)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=8), max_size=300), st.integers(1, 3000))
def test_every_message_is_taken_or_counted(messages: list[bytes], most_per_s: int) -> None:
    most_per_s = max(most_per_s, 200)
    taken, shed = drive(messages, most_per_s)
    assert len(taken) + shed == len(messages)
    assert taken == messages[len(messages) - len(taken) :]


def test_large_messages_are_bounded_by_their_bytes() -> None:
    taken, shed = drive([bytes(MOST_BYTES // 4)] * 20, 10_000)
    assert (len(taken), shed) == (4, 16)


def test_nothing_is_taken_after_the_close() -> None:
    taken: list[bytes] = []

    async def run() -> None:
        queue = Freshest(1000, taken.extend, lambda lost: None)
        queue.put(b"one")
        queue.close()
        await asyncio.sleep(0.02)

    asyncio.run(run())
    assert taken == []


def test_a_consumer_that_puts_from_within_is_served() -> None:
    taken: list[bytes] = []

    async def run() -> None:
        def take(messages: list[bytes]) -> None:
            taken.extend(messages)
            if len(taken) < 5:
                queue.put(b"again")

        queue = Freshest(1000, take, lambda lost: None)
        queue.put(b"first")
        for _ in range(200):
            if len(taken) == 5:
                break
            await asyncio.sleep(0.005)
        queue.close()

    asyncio.run(run())
    assert len(taken) == 5
